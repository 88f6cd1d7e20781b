//! The rows of a group and half-year as the lots see them, held back in memory while a write adds to
//! them, day by day and in order.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::NaiveDate;

use super::days::{Days, date, events_of, half, ordinal};
use crate::analytics::lots::Event;
use crate::model::SecurityId;
use crate::store::{LotPage, Result, Tx, WriteTx};

/// How much is held back at most.
const HELD: usize = 5 << 20;

/// The rows of half a year.
#[derive(Default)]
struct Sheet {
    days: Days,
    /// The page that the store has; its rows are in `days`.
    stored: Option<LotPage>,
    changed: bool,
}

/// The sheets that a write has opened.
#[derive(Default)]
pub(super) struct Sheets {
    open: BTreeMap<(SecurityId, i32), Sheet>,
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
        let sheet = self.sheet(tx, group, half(day)).await?;
        let before = sheet.days.len();
        if !sheet.days.put(ordinal(day), events)? {
            return Ok(false);
        }
        sheet.changed = true;
        let after = sheet.days.len();
        self.holds(tx, before, after, half(day)).await?;
        Ok(true)
    }

    async fn sheet(
        &mut self,
        tx: &mut WriteTx,
        group: SecurityId,
        half: i32,
    ) -> Result<&mut Sheet> {
        if !self.open.contains_key(&(group, half)) {
            let page = match self.stored.contains(&(group, half)) {
                true => tx.lot_page(group, half).await?,
                false => None,
            };
            let mut sheet = Sheet::default();
            if let Some(mut page) = page {
                sheet.days = Days::parse(std::mem::take(&mut page.events))?;
                sheet.stored = Some(page);
            }
            self.bytes += sheet.days.len();
            self.open.insert((group, half), sheet);
        }
        Ok(self.open.entry((group, half)).or_default())
    }

    /// A sheet of this half-year has grown or shrunk: where there is too much, writes the sheets of
    /// other halves, and when that is not enough all of them.
    async fn holds(
        &mut self,
        tx: &mut WriteTx,
        before: usize,
        after: usize,
        half: i32,
    ) -> Result<()> {
        self.bytes = (self.bytes + after).saturating_sub(before);
        if self.bytes <= HELD {
            return Ok(());
        }
        let mut groups: BTreeSet<_> =
            self.open.keys().filter(|(_, of)| *of != half).map(|(group, _)| *group).collect();
        let all = groups.is_empty();
        if all {
            groups.extend(self.open.keys().map(|(group, _)| *group));
        }
        for group in groups {
            self.write(tx, group, |of| all || of != half).await?;
        }
        Ok(())
    }

    /// Writes the sheets of a group.
    async fn write_group(&mut self, tx: &mut WriteTx, group: SecurityId) -> Result<()> {
        self.write(tx, group, |_| true).await
    }

    async fn write(
        &mut self,
        tx: &mut WriteTx,
        group: SecurityId,
        which: impl Fn(i32) -> bool,
    ) -> Result<()> {
        let pages = self.take(tx, group, which).await?;
        tx.put_lot_pages(&pages).await
    }

    /// The changed pages of a group, which are the caller's to write from here on. The lots on
    /// them are those of before, until the rows are played again. Pages without any row are
    /// gone from the store.
    pub async fn take(
        &mut self,
        tx: &mut WriteTx,
        group: SecurityId,
        which: impl Fn(i32) -> bool,
    ) -> Result<Vec<LotPage>> {
        let places = (group, i32::MIN)..=(group, i32::MAX);
        let open: Vec<_> = self.open.extract_if(places, |(_, half), _| which(*half)).collect();
        let mut pages = Vec::with_capacity(open.len());
        for ((group, half), sheet) in open {
            self.bytes = self.bytes.saturating_sub(sheet.days.len());
            if !sheet.changed {
                continue;
            }
            match page(group, half, sheet)? {
                Some(page) => {
                    self.stored.insert((group, half));
                    pages.push(page);
                }
                None => {
                    self.stored.remove(&(group, half));
                    tx.forget_lot_page(group, half).await?;
                }
            }
        }
        Ok(pages)
    }

    /// Puts the rows of each day of a group in order again, and gives the first day where that
    /// changed anything. Rows of equal keys stay as they are.
    pub async fn sort_by<K: Ord>(
        &mut self,
        tx: &mut WriteTx,
        group: SecurityId,
        key: impl Fn(&Event) -> K,
    ) -> Result<Option<NaiveDate>> {
        self.write_group(tx, group).await?;
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
        self.write_group(tx, group).await?;
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
        self.write_group(tx, from).await?;
        let mut both = BTreeSet::new();
        let mut first = None;
        for page in tx.lot_pages_from(from, i32::MIN).await? {
            self.stored.remove(&(from, page.half));
            tx.forget_lot_page(from, page.half).await?;
            first = first.or(Some(page.first_day));
            let half = page.half;
            let moved = Days::parse(page.events)?;
            let sheet = self.sheet(tx, into, half).await?;
            let before = sheet.days.len();
            for (day, rows) in moved.iter() {
                if !sheet.days.take_over(day, rows)? {
                    both.insert(date(half, day)?);
                }
            }
            sheet.changed = true;
            let after = sheet.days.len();
            self.holds(tx, before, after, half).await?;
        }
        tx.put_positions(from, &[]).await?;
        Ok((first, both))
    }
}

/// The page of a sheet.
fn page(group: SecurityId, half: i32, sheet: Sheet) -> Result<Option<LotPage>> {
    let Some((first, last)) = sheet.days.span() else { return Ok(None) };
    let (closing, findings) =
        sheet.stored.map(|page| (page.closing, page.findings)).unwrap_or_default();
    Ok(Some(LotPage {
        group,
        half,
        first_day: date(half, first)?,
        last_day: date(half, last)?,
        events: sheet.days.into_bytes(),
        closing,
        findings,
    }))
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
