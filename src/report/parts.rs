//! Rows in their order, a part at a time, so that however many there are only a few are held.

use crate::store::{Place, Result, StoredTransaction, TransactionFilter, Tx};

/// Where the next part begins, and how long it may be.
pub(super) struct Parts {
    filter: TransactionFilter,
    place: Option<Place>,
    size: usize,
    done: bool,
}

impl Parts {
    /// Rows from a place on, so many at once.
    pub fn of(filter: TransactionFilter, place: Option<Place>, size: usize) -> Self {
        Self { filter, place, size, done: false }
    }

    /// The next rows; none after the last one. Rows of one place are never parted.
    pub async fn next(&mut self, tx: &mut Tx) -> Result<Option<Vec<StoredTransaction>>> {
        while !self.done {
            let wanted = i64::try_from(self.size).unwrap_or(i64::MAX);
            let mut rows = tx.transactions_from(&self.filter, self.place, wanted).await?;
            let complete = rows.len() < self.size;
            if !complete && !cut_to_whole_places(&mut rows) {
                // So many rows share one place that they do not fit: read more of them at once.
                self.size = self.size.saturating_mul(2);
                continue;
            }
            self.done = complete;
            self.place = rows.last().map(place_of).map(next_place);
            return Ok(Some(rows));
        }
        Ok(None)
    }
}

/// Where a row stands, as far as columns can tell.
pub(super) fn place_of(row: &StoredTransaction) -> Place {
    let facts = &row.transaction.facts;
    (facts.date, row.transaction.seq, facts.rank() as i64)
}

/// The first place behind this one.
const fn next_place((date, seq, rank): Place) -> Place {
    (date, seq, rank + 1)
}

/// Rows of the last place may be missing: they are left for the next read. False: nothing is left.
fn cut_to_whole_places(rows: &mut Vec<StoredTransaction>) -> bool {
    let Some(last) = rows.last().map(place_of) else { return true };
    rows.retain(|row| place_of(row) != last);
    !rows.is_empty()
}
