//! Every row that fits, for whoever writes them all down: some days at a time, so that a million rows
//! need no more room than a few thousand.

use std::collections::BTreeMap;

use super::sieve::Sieve;
use super::walk::Placed;
use super::{WindowQuery, WindowRow, as_shown, balance, sieve};
use crate::figures::Names;
use crate::model::AccountId;
use crate::store::{Result, Stretch, Tx};

/// The rows of a query, wherever it is, one way or the other.
pub struct Pages {
    names: Names,
    sieve: Sieve,
    /// Whose days are counted: those of one account where nothing else is asked for.
    account: Option<AccountId>,
    oldest_first: bool,
    /// How many are looked at once: whole days, and no more of them than that takes.
    part: i64,
    /// What is still to be read; none: nothing.
    rest: Option<Stretch>,
}

impl Pages {
    /// Begins with the newest rows, or with the oldest ones; so many as the query wants, and the rest
    /// of their last day, are looked at once.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn of(tx: &mut Tx, query: &WindowQuery, oldest_first: bool) -> Result<Self> {
        let names = Names::read(tx).await?;
        let sieve = sieve(tx, query, &names).await?;
        let account = query.account.filter(|_| query.find.is_everything());
        let rest = Some(Stretch::of_days(sieve.from, sieve.to));
        let part = i64::try_from(query.rows).unwrap_or(i64::MAX);
        Ok(Self { names, sieve, account, oldest_first, part, rest })
    }

    /// The next rows, of which there may be none yet; none: there are no more. What else belongs to
    /// the same event is not looked for.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn next(&mut self, tx: &mut Tx) -> Result<Option<Vec<WindowRow>>> {
        let Some(stretch) = self.rest.take() else { return Ok(None) };
        let days = (stretch.oldest.map(|place| place.0), stretch.newest.map(|place| place.0));
        let last = tx.day_after_rows(self.account, days, !self.oldest_first, self.part).await?;
        let part = match (last, self.oldest_first) {
            (None, _) => stretch.clone(),
            (Some(day), false) => stretch.clone().from_day(day),
            (Some(day), true) => stretch.clone().to_day(day),
        };
        self.rest = last.and_then(|day| match self.oldest_first {
            false => day.pred_opt().map(|day| stretch.to_day(day)),
            true => day.succ_opt().map(|day| stretch.from_day(day)),
        });
        let mut lines = tx.lines(&self.sieve.fits, &part, self.sieve.wanted).await?;
        lines.retain(|line| self.sieve.lets_through(line));
        let ids: Vec<_> = lines.into_iter().map(|line| line.id).collect();
        let rows = tx.transactions_by_id(&ids).await?;
        let mut rows: Vec<_> = rows.into_iter().map(|row| Placed::new(&self.names, row)).collect();
        rows.sort_by(|a, b| match self.oldest_first {
            false => b.key.cmp(&a.key),
            true => a.key.cmp(&b.key),
        });
        let mut balances = balance::balances(tx, &self.names, &rows).await?;
        let events = BTreeMap::new();
        let rows =
            rows.into_iter().map(|row| as_shown(&self.names, row.row, &mut balances, &events));
        Ok(Some(rows.collect()))
    }
}
