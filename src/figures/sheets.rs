//! The rows of a group and year as the lots see them, held back in memory while a write adds to
//! them, day by day and in order.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{Datelike, NaiveDate};

use super::codec;
use crate::analytics::lots::Event;
use crate::model::SecurityId;
use crate::store::{LotPage, Result, Tx, WriteTx};

/// How much is held back at most.
const HELD: usize = 8 << 20;

/// The rows of a year, each day's as bytes.
#[derive(Default)]
struct Sheet {
    days: BTreeMap<NaiveDate, Vec<u8>>,
    stored: Option<LotPage>,
    changed: bool,
}

/// The sheets that a write has opened.
#[derive(Default)]
pub(super) struct Sheets {
    open: HashMap<(SecurityId, i32), Sheet>,
    /// The pages that the store has.
    stored: HashSet<(SecurityId, i32)>,
    bytes: usize,
}

impl Sheets {
    /// None is open yet.
    pub async fn open(tx: &mut Tx) -> Result<Self> {
        let stored = tx.lot_page_keys().await?.into_iter().collect();
        Ok(Self { stored, ..Self::default() })
    }

    /// Writes the rows of a day in place of those it had; none: the day goes. Tells whether
    /// anything changed.
    pub async fn put(
        &mut self,
        tx: &mut WriteTx,
        group: SecurityId,
        day: NaiveDate,
        events: &[Event],
    ) -> Result<bool> {
        let sheet = self.sheet(tx, group, day.year()).await?;
        let after = if events.is_empty() { None } else { Some(codec::to_bytes(&events)?) };
        if sheet.days.get(&day) == after.as_ref() {
            return Ok(false);
        }
        sheet.changed = true;
        let added = after.as_ref().map_or(0, Vec::len);
        let removed = match after {
            Some(bytes) => sheet.days.insert(day, bytes),
            None => sheet.days.remove(&day),
        };
        self.bytes = (self.bytes + added).saturating_sub(removed.map_or(0, |bytes| bytes.len()));
        if self.bytes > HELD {
            self.make_room(tx, day.year()).await?;
        }
        Ok(true)
    }

    async fn sheet(
        &mut self,
        tx: &mut WriteTx,
        group: SecurityId,
        year: i32,
    ) -> Result<&mut Sheet> {
        if !self.open.contains_key(&(group, year)) {
            let page = match self.stored.contains(&(group, year)) {
                true => tx.lot_page(group, year).await?,
                false => None,
            };
            let sheet = match page {
                Some(page) => Sheet { days: days_of(&page)?, stored: Some(page), changed: false },
                None => Sheet::default(),
            };
            self.bytes += sheet.days.values().map(Vec::len).sum::<usize>();
            self.open.insert((group, year), sheet);
        }
        Ok(self.open.entry((group, year)).or_default())
    }

    /// Writes what is not of this year, and when that is not enough everything.
    async fn make_room(&mut self, tx: &mut WriteTx, year: i32) -> Result<()> {
        let old: Vec<_> = self.open.keys().copied().filter(|(_, of)| *of != year).collect();
        let old = if old.is_empty() { self.open.keys().copied().collect() } else { old };
        self.write(tx, &old).await
    }

    /// Writes everything.
    pub async fn write_all(&mut self, tx: &mut WriteTx) -> Result<()> {
        let all: Vec<_> = self.open.keys().copied().collect();
        self.write(tx, &all).await
    }

    async fn write(&mut self, tx: &mut WriteTx, keys: &[(SecurityId, i32)]) -> Result<()> {
        let mut pages = Vec::with_capacity(keys.len());
        for &(group, year) in keys {
            let Some(sheet) = self.open.remove(&(group, year)) else { continue };
            self.bytes =
                self.bytes.saturating_sub(sheet.days.values().map(Vec::len).sum::<usize>());
            if !sheet.changed {
                continue;
            }
            match page(group, year, &sheet)? {
                Some(page) => {
                    self.stored.insert((group, year));
                    pages.push(page);
                }
                None => {
                    self.stored.remove(&(group, year));
                    tx.forget_lot_page(group, year).await?;
                }
            }
        }
        pages.sort_by_key(|page| (page.group, page.year));
        tx.put_lot_pages(&pages).await
    }

    /// Puts the rows of each day of a group in order again, and gives the first day where that
    /// changed anything. Rows of equal keys stay as they are.
    pub async fn sort_by<K: Ord>(
        &mut self,
        tx: &mut WriteTx,
        group: SecurityId,
        key: impl Fn(&Event) -> K,
    ) -> Result<Option<NaiveDate>> {
        self.write_all(tx).await?;
        let mut first = None;
        for page in tx.lot_pages_from(group, i32::MIN).await? {
            for (day, mut events) in events_of(&page)? {
                if !events.is_sorted_by_key(&key) {
                    events.sort_by_key(&key);
                    self.put(tx, group, day, &events).await?;
                    first = first.or(Some(day));
                }
            }
        }
        Ok(first)
    }

    /// The days of a group on which rows share a place and a kind.
    pub async fn days_with_ties(
        &mut self,
        tx: &mut WriteTx,
        group: SecurityId,
    ) -> Result<Vec<NaiveDate>> {
        self.write_all(tx).await?;
        let mut days = Vec::new();
        for page in tx.lot_pages_from(group, i32::MIN).await? {
            for (day, events) in events_of(&page)? {
                let place = |event: &Event| (event.seq, event.rank);
                if events.windows(2).any(|pair| matches!(pair, [a, b] if place(a) == place(b))) {
                    days.push(day);
                }
            }
        }
        Ok(days)
    }

    /// Moves every row of a group into another one. Gives the first day of what moved, and the
    /// days that both had, which must be put in order again.
    pub async fn join(
        &mut self,
        tx: &mut WriteTx,
        from: SecurityId,
        into: SecurityId,
    ) -> Result<(Option<NaiveDate>, BTreeSet<NaiveDate>)> {
        self.write_all(tx).await?;
        let mut both = BTreeSet::new();
        let mut first = None;
        for page in tx.lot_pages_from(from, i32::MIN).await? {
            self.stored.remove(&(from, page.year));
            tx.forget_lot_page(from, page.year).await?;
            first = first.or(Some(page.first_day));
            let moved = days_of(&page)?;
            let sheet = self.sheet(tx, into, page.year).await?;
            let mut added = 0;
            for (day, events) in moved {
                match sheet.days.entry(day) {
                    Entry::Occupied(_) => drop(both.insert(day)),
                    Entry::Vacant(free) => {
                        added += events.len();
                        free.insert(events);
                    }
                }
            }
            sheet.changed = true;
            self.bytes += added;
            if self.bytes > HELD {
                self.make_room(tx, page.year).await?;
            }
        }
        tx.put_positions(from, &[]).await?;
        Ok((first, both))
    }
}

/// The page of a sheet. The lots are those of before the write, until the rows are played again.
fn page(group: SecurityId, year: i32, sheet: &Sheet) -> Result<Option<LotPage>> {
    let (Some((first, _)), Some((last, _))) =
        (sheet.days.first_key_value(), sheet.days.last_key_value())
    else {
        return Ok(None);
    };
    let stored = sheet.stored.as_ref();
    Ok(Some(LotPage {
        group,
        year,
        first_day: *first,
        last_day: *last,
        events: codec::to_bytes(&sheet.days)?,
        closing: stored.map(|page| page.closing.clone()).unwrap_or_default(),
        findings: stored.map(|page| page.findings.clone()).unwrap_or_default(),
    }))
}

fn days_of(page: &LotPage) -> Result<BTreeMap<NaiveDate, Vec<u8>>> {
    codec::from_bytes(&page.events)
}

/// The rows of a page, day by day.
pub(super) fn events_of(page: &LotPage) -> Result<Vec<(NaiveDate, Vec<Event>)>> {
    let days = days_of(page)?;
    days.into_iter().map(|(day, bytes)| Ok((day, codec::from_bytes(&bytes)?))).collect()
}

/// The securities of every group, to look up the group of each.
#[derive(Default)]
pub(super) struct Groups(BTreeMap<SecurityId, SecurityId>);

impl Groups {
    pub async fn read(tx: &mut Tx) -> Result<Self> {
        Ok(Self(tx.lot_groups().await?))
    }

    /// The group of a security: itself where nothing joins it.
    pub fn of(&self, security: SecurityId) -> SecurityId {
        self.0.get(&security).copied().unwrap_or(security)
    }

    /// Every security of a group.
    pub fn members(&self, group: SecurityId) -> Vec<SecurityId> {
        let joined = self.0.iter().filter(|(_, of)| **of == group).map(|(security, _)| *security);
        let mut members: Vec<_> = joined.collect();
        if members.is_empty() {
            members.push(group);
        }
        members
    }

    /// Joins two groups. Gives the one that goes and the one that stays, unless they are one.
    pub async fn join(
        &mut self,
        tx: &mut WriteTx,
        a: SecurityId,
        b: SecurityId,
    ) -> Result<Option<(SecurityId, SecurityId)>> {
        let (a, b) = (self.of(a), self.of(b));
        if a == b {
            return Ok(None);
        }
        let (gone, stays) = (a.max(b), a.min(b));
        for security in self.members(gone).into_iter().chain(self.members(stays)) {
            tx.put_lot_group(security, stays).await?;
            self.0.insert(security, stays);
        }
        Ok(Some((gone, stays)))
    }
}
