//! The two rows that one row of a file stands for, a transfer or a reinvestment: one event. Where
//! the store has a row like one of them that belongs to another event, as the same sum may have gone
//! to two accounts on one day, that is another row.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Result;
use super::body::Underlay;
use crate::model::{AccountId, SafeText, TransactionId};
use crate::store::{Identity, StoredTransaction, WriteTx};

/// Where a row stands: its account, and there among equal ones.
pub(super) type Place = (AccountId, Identity);
/// Where the stored rows stand.
pub(super) type Places = BTreeMap<Place, TransactionId>;

/// The stored rows that may be the rows at hand.
#[derive(Default)]
pub(super) struct Known {
    pub rows: HashMap<TransactionId, StoredTransaction>,
    pub places: Places,
}

/// The stored rows that the two rows of an event are.
#[derive(Default)]
pub(super) struct Found {
    pub ids: [Option<TransactionId>; 2],
    /// The source names the event, and says now that it went on in another account.
    pub elsewhere: bool,
}

pub(super) fn place_of(row: &StoredTransaction) -> Place {
    (row.transaction.account, row.identity)
}

impl Known {
    /// The stored event of these two rows, the nth of equal ones; they take over its label.
    pub fn event(
        &self,
        first: &mut StoredTransaction,
        second: &mut StoredTransaction,
        nth: usize,
    ) -> Result<Option<Found>> {
        let mut seconds = HashMap::new();
        for row in self.equal_to(second) {
            if let Some(link) = link_of(row)? {
                seconds.entry(link).or_insert(row.transaction.id);
            }
        }
        let mut events = Vec::new();
        for row in self.equal_to(first) {
            if let Some(link) = link_of(row)?
                && let Some(other) = seconds.get(&link)
            {
                events.push((link, [Some(row.transaction.id), Some(*other)]));
            }
        }
        let found = events.into_iter().nth(nth).map(|(link, ids)| {
            first.transaction.link = Some(link.clone());
            second.transaction.link = Some(link);
            Found { ids, elsewhere: false }
        });
        Ok(found)
    }

    /// The stored rows of two rows that the source names. It may have named one of them alone, or
    /// another account.
    pub fn named(&self, legs: [&StoredTransaction; 2]) -> Result<Found> {
        let ids = legs.map(|leg| self.places.get(&place_of(leg)).copied());
        let mut found = Found { ids, elsewhere: false };
        let (missing, there) = match found.ids {
            [Some(there), None] => (1, there),
            [None, Some(there)] => (0, there),
            _ => return Ok(found),
        };
        let link = self.rows.get(&there).map(link_of).transpose()?.flatten();
        let Some(link) = link else { return Ok(found) };
        for (slot, leg) in found.ids.iter_mut().zip(legs).skip(missing).take(1) {
            for row in self.rows.values() {
                if row.transaction.source_id == leg.transaction.source_id
                    && link_of(row)?.as_ref() == Some(&link)
                {
                    *slot = Some(row.transaction.id);
                    found.elsewhere = true;
                }
            }
        }
        Ok(found)
    }

    /// The stored row of a row that has no equal one as part of another event; one that has moves
    /// to the next free place.
    pub async fn free(
        &self,
        tx: &mut WriteTx,
        row: &mut StoredTransaction,
        moved: &mut HashSet<Place>,
    ) -> Result<Option<TransactionId>> {
        let before = row.identity;
        let found = loop {
            let stored = self.places.get(&place_of(row)).and_then(|id| self.rows.get(id));
            match stored {
                None if !moved.contains(&place_of(row)) => break None,
                Some(stored) if is_alone(tx, stored).await? => break Some(stored.transaction.id),
                _ => row.identity.occurrence += 1,
            }
        };
        if row.identity != before {
            moved.insert(place_of(row));
        }
        Ok(found)
    }

    /// The stored rows of the account of a row that have its content, in their order.
    pub fn equal_to(&self, row: &StoredTransaction) -> impl Iterator<Item = &StoredTransaction> {
        let place = |occurrence| (row.transaction.account, Identity { occurrence, ..row.identity });
        let equal = self.places.range(place(i64::MIN)..=place(i64::MAX));
        equal.filter_map(|(_, id)| self.rows.get(id))
    }
}

/// The event of a row as its source has it.
fn link_of(row: &StoredTransaction) -> Result<Option<SafeText>> {
    match row.source_facts {
        None => Ok(row.transaction.link.clone()),
        Some(_) => Ok(Underlay::of(row)?.link),
    }
}

/// Whether a row is no part of an event of several.
pub(super) async fn is_alone(tx: &mut WriteTx, row: &StoredTransaction) -> Result<bool> {
    match link_of(row)? {
        None => Ok(true),
        Some(link) => Ok(tx.transactions_linked(link.as_str()).await?.len() < 2),
    }
}
