//! From a place in the order of rows onwards, up to so many rows that fit.
//!
//! First the days that are near are looked at, in their order; most windows are full then. Where
//! they are not, hardly anything fits: all rows are looked at as they lie on the disk, a slice at a
//! time, since a walk in order would look every one of them up.

use chrono::NaiveDate;

use super::super::parts::place_of;
use super::WindowQuery;
use super::sieve::Sieve;
use crate::figures::Names;
use crate::model::{AccountId, OrderKey, TransactionId};
use crate::store::{Place, Result, StoredTransaction, Stretch, Tx};

/// How many rows are near for one who looks for something. Where none of them fits, a look at more of
/// them would only come before a look at all.
const NEAR: usize = 1_000;
/// How many more than wanted are near for one who takes what comes.
const MARGIN: usize = 50;
/// How many times more are looked at where too few were near.
const FARTHER: usize = 16;
/// Where no more rows fit at all, one look at everything answers each walk after it.
const FEW: usize = 10_000;
/// How many rows, at most, are looked at before somebody may say stop.
const SLICE: i64 = 50_000;

/// In which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Down the screen.
    Older,
    /// Up the screen.
    Newer,
}

/// A row with what decides its place.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    /// The place; equal rows stand in the order of their ids.
    pub key: (OrderKey, TransactionId),
    /// The row.
    pub row: StoredTransaction,
}

impl Placed {
    pub fn new(names: &Names, row: StoredTransaction) -> Self {
        let id = row.transaction.id;
        Self { key: (OrderKey::of(&names.words(row.clone())), id), row }
    }
}

/// Where a walk begins and how long it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk<'a> {
    /// In which direction.
    pub way: Way,
    /// Behind this row; none: at the end of the order.
    pub behind: Option<&'a Placed>,
    /// The row itself as well.
    pub with_it: bool,
    /// No row that is newer.
    pub to: Option<NaiveDate>,
    /// So many are passed by.
    pub skip: usize,
    /// So many are wanted.
    pub rows: usize,
}

impl<'a> Walk<'a> {
    /// From one end of the order.
    pub const fn all(way: Way) -> Self {
        Self { way, behind: None, with_it: false, to: None, skip: 0, rows: 0 }
    }

    /// From behind a row.
    pub const fn behind(way: Way, row: &'a Placed) -> Self {
        Self { behind: Some(row), ..Self::all(way) }
    }
}

/// Who walks.
pub(super) struct Walker<'a, G: Fn() -> bool> {
    pub tx: &'a mut Tx,
    pub names: &'a Names,
    sieve: &'a Sieve,
    /// Of this account alone, where nothing else is asked for.
    account: Option<AccountId>,
    /// Every row fits, or every one of the account.
    pub everything: bool,
    go_on: G,
    /// All that fit, once everything was looked at and they are few.
    known: Option<Vec<(Place, TransactionId)>>,
}

impl<'a, G: Fn() -> bool> Walker<'a, G> {
    pub const fn new(
        tx: &'a mut Tx,
        names: &'a Names,
        sieve: &'a Sieve,
        query: &WindowQuery,
        go_on: G,
    ) -> Self {
        let everything = query.find.is_everything();
        Self { tx, names, sieve, account: query.account, everything, go_on, known: None }
    }

    /// The rows in the order of the walk; none: somebody said stop.
    pub async fn walk(&mut self, walk: Walk<'_>) -> Result<Option<Vec<Placed>>> {
        let stretch = self.stretch(&walk);
        if let Some(known) = &self.known {
            let mut found = Nearest::new(&walk);
            found.add(known.iter().filter(|(place, _)| stretch.holds(place)).copied().collect());
            return self.read(&walk, found).await.map(Some);
        }
        let mut near =
            if self.everything { walk.skip.saturating_add(walk.rows + MARGIN) } else { NEAR };
        loop {
            if !(self.go_on)() {
                return Ok(None);
            }
            let end = self.end_of_near(&stretch, walk.way, near).await?;
            let mut found = Nearest::new(&walk);
            let near_by = match (end, walk.way) {
                (None, _) => stretch.clone(),
                (Some(day), Way::Older) => stretch.clone().from_day(day),
                (Some(day), Way::Newer) => stretch.clone().to_day(day),
            };
            found.add(self.fitting(&near_by).await?);
            if end.is_none() || found.is_full() {
                return self.read(&walk, found).await.map(Some);
            }
            if !self.everything && (found.rows.is_empty() || near > NEAR) {
                return self.everywhere(&walk, &stretch).await;
            }
            near = near.saturating_mul(FARTHER);
        }
    }

    /// Whether one row fits.
    pub async fn fits(&mut self, row: &Placed) -> Result<bool> {
        let id = row.row.transaction.id.0;
        let stretch = Stretch { ids: Some(id..=id), ..self.days(None) };
        Ok(!self.fitting(&stretch).await?.is_empty())
    }

    /// Looks at every row, wherever the walk begins: the next one may begin elsewhere.
    async fn everywhere(
        &mut self,
        walk: &Walk<'_>,
        stretch: &Stretch,
    ) -> Result<Option<Vec<Placed>>> {
        let (mut found, mut known) = (Nearest::new(walk), Some(Vec::new()));
        let Some(ids) = self.tx.span_of_ids().await? else { return Ok(Some(Vec::new())) };
        let mut all = self.days(None);
        let mut first = *ids.start();
        while first <= *ids.end() {
            if !(self.go_on)() {
                return Ok(None);
            }
            all.ids = Some(first..=first.saturating_add(SLICE - 1));
            let mut rows = self.fitting(&all).await?;
            known = known.and_then(|mut known: Vec<_>| {
                known.extend_from_slice(&rows);
                (known.len() <= FEW).then_some(known)
            });
            rows.retain(|(place, _)| stretch.holds(place));
            found.add(rows);
            first = first.saturating_add(SLICE);
        }
        self.known = known;
        self.read(walk, found).await.map(Some)
    }

    /// The last day that is near; none: there is nothing farther away.
    async fn end_of_near(
        &mut self,
        stretch: &Stretch,
        way: Way,
        rows: usize,
    ) -> Result<Option<NaiveDate>> {
        let account = self.account.filter(|_| self.everything);
        let day = |place: Option<Place>| place.map(|place| place.0);
        let days = (day(stretch.oldest), day(stretch.newest));
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        self.tx.day_after_rows(account, days, way == Way::Older, rows).await
    }

    async fn fitting(&mut self, stretch: &Stretch) -> Result<Vec<(Place, TransactionId)>> {
        let mut lines = self.tx.lines(&self.sieve.fits, stretch, self.sieve.wanted).await?;
        lines.retain(|line| self.sieve.lets_through(line));
        Ok(lines.into_iter().map(|line| (line.place, line.id)).collect())
    }

    /// The days that the query allows.
    fn days(&self, to: Option<NaiveDate>) -> Stretch {
        let to = self.sieve.to.into_iter().chain(to).min();
        Stretch::of_days(self.sieve.from, to)
    }

    fn stretch(&self, walk: &Walk<'_>) -> Stretch {
        let stretch = self.days(walk.to);
        match walk.behind.map(|row| place_of(&row.row)) {
            None => stretch,
            Some(place) => match walk.way {
                Way::Older => stretch.not_newer(place),
                Way::Newer => stretch.not_older(place),
            },
        }
    }

    /// Reads what was found, and lets the text decide where places are the same.
    async fn read(&mut self, walk: &Walk<'_>, found: Nearest) -> Result<Vec<Placed>> {
        let (ids, passed) = found.around_the_wanted(walk);
        let rows = self.tx.transactions_by_id(&ids).await?;
        let mut rows: Vec<_> = rows.into_iter().map(|row| Placed::new(self.names, row)).collect();
        rows.sort_by(|a, b| match walk.way {
            Way::Older => b.key.cmp(&a.key),
            Way::Newer => a.key.cmp(&b.key),
        });
        if let Some(behind) = walk.behind {
            rows.retain(|row| match walk.way {
                _ if row.key == behind.key => walk.with_it,
                Way::Older => row.key < behind.key,
                Way::Newer => row.key > behind.key,
            });
        }
        Ok(rows.into_iter().skip(walk.skip - passed).take(walk.rows).collect())
    }
}

/// Of the rows that were found, those that the walk comes to first, by whole places.
struct Nearest {
    way: Way,
    /// Rows that share the place of the beginning may lie before it.
    beginning: Option<Place>,
    enough: usize,
    rows: Vec<(Place, TransactionId)>,
}

impl Nearest {
    fn new(walk: &Walk<'_>) -> Self {
        Self {
            way: walk.way,
            beginning: walk.behind.map(|row| place_of(&row.row)),
            enough: walk.skip.saturating_add(walk.rows),
            rows: Vec::new(),
        }
    }

    fn add(&mut self, rows: Vec<(Place, TransactionId)>) {
        self.rows.extend(rows);
        let way = self.way;
        self.rows.sort_by(|a, b| match way {
            Way::Older => b.cmp(a),
            Way::Newer => a.cmp(b),
        });
        if let Some(last) = self.last() {
            let end = self.rows.partition_point(|(place, _)| match way {
                Way::Older => *place >= last,
                Way::Newer => *place <= last,
            });
            self.rows.truncate(end);
        }
    }

    /// The place of the last row that can be needed; none: there are too few.
    fn last(&self) -> Option<Place> {
        let at_the_beginning =
            self.rows.iter().take_while(|(place, _)| Some(*place) == self.beginning).count();
        let last = at_the_beginning.saturating_add(self.enough).checked_sub(1)?;
        self.rows.get(last).map(|(place, _)| *place)
    }

    fn is_full(&self) -> bool {
        self.last().is_some()
    }

    /// What must be read to know the wanted rows, and how many that are passed by need not be.
    fn around_the_wanted(&self, walk: &Walk<'_>) -> (Vec<TransactionId>, usize) {
        // Behind a row it is not known which of its place are passed by.
        let skip = if walk.behind.is_some() { 0 } else { walk.skip };
        let first = self.rows.get(skip).map(|(place, _)| *place);
        let passed = match first {
            None => self.rows.len().min(skip),
            Some(first) => self.rows.iter().take_while(|(place, _)| *place != first).count(),
        };
        (self.rows.iter().skip(passed).map(|(_, id)| *id).collect(), passed)
    }
}
