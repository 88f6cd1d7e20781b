//! Money that the rows of one link move: which of them are the two ends of one move, and which have
//! no other end.

use chrono::NaiveDate;

use crate::model::{Rank, SafeText, Transaction};
use crate::store::{CashTransit, Result, StoredTransaction, Tx};

/// The moves of one link.
struct Moves<'a> {
    /// What leaves, and where it arrives.
    pairs: Vec<(&'a Transaction, &'a Transaction)>,
    /// Rows without another end.
    alone: Vec<&'a Transaction>,
}

impl<'a> Moves<'a> {
    /// Pairs what is equal and opposite, the earliest first: which of several equal ones it is
    /// makes no difference to the whole. One row that leaves and one that arrives are a pair
    /// whatever they say: money may change its currency on the way, or pay for it.
    fn of(rows: &'a [StoredTransaction]) -> Self {
        let mut rows: Vec<_> =
            rows.iter().map(|row| &row.transaction).filter(|row| moves_cash(row)).collect();
        rows.sort_by_key(|row| row.facts.date);
        let (outs, mut ins): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| row.facts.amount.is_negative());
        let mut pairs = Vec::new();
        let mut alone = Vec::new();
        for out in outs {
            let equal = |into: &&Transaction| {
                into.facts.currency == out.facts.currency && into.facts.amount == -out.facts.amount
            };
            match ins.iter().position(equal) {
                Some(at) => pairs.push((out, ins.remove(at))),
                None => alone.push(out),
            }
        }
        if let ([out], [into]) = (alone.as_slice(), ins.as_slice()) {
            pairs.push((out, into));
            return Self { pairs, alone: Vec::new() };
        }
        alone.extend(ins);
        // What happens in one day is never between two.
        if alone.iter().all(|row| Some(row.facts.date) == alone.first().map(|row| row.facts.date)) {
            alone.clear();
        }
        Self { pairs, alone }
    }
}

fn moves_cash(row: &Transaction) -> bool {
    !row.deleted
        && row.facts.counts()
        && row.security.is_none()
        && !row.facts.amount.is_zero()
        // What was charged for the move is no part of it.
        && matches!(row.facts.rank(), Rank::TransferIn | Rank::TransferOut)
}

/// What the rows of one link say of money that is between two days.
pub(super) fn transit(link: &SafeText, rows: &[StoredTransaction]) -> Vec<CashTransit> {
    let pairs = Moves::of(rows).pairs.into_iter();
    let mut ways: Vec<_> = pairs.filter_map(|(out, into)| way(link, out, into)).collect();
    ways.sort_by_key(|way| (way.leaves, way.arrives, way.currency, way.amount));
    ways
}

fn way(link: &SafeText, out: &Transaction, into: &Transaction) -> Option<CashTransit> {
    if out.facts.date == into.facts.date {
        return None;
    }
    // What left is on its way in its own money; what came too early is missing in that of where
    // it came to.
    let (first, last) = if out.facts.date < into.facts.date { (out, into) } else { (into, out) };
    Some(CashTransit {
        link: link.clone(),
        leaves: first.facts.date,
        arrives: last.facts.date,
        currency: first.facts.currency,
        amount: -first.facts.amount,
    })
}

/// Linked rows up to a day whose money is nowhere between their days, since nobody can say which
/// row is the other end of which.
///
/// # Errors
/// When the store cannot be read.
pub async fn lone_moves(tx: &mut Tx, through: NaiveDate) -> Result<Vec<Transaction>> {
    let rows = tx.linked_cash().await?;
    let same_link =
        |a: &StoredTransaction, b: &StoredTransaction| a.transaction.link == b.transaction.link;
    let mut found = Vec::new();
    for rows in rows.chunk_by(same_link) {
        let alone = Moves::of(rows).alone.into_iter();
        found.extend(alone.filter(|row| row.facts.date <= through).cloned());
    }
    Ok(found)
}
