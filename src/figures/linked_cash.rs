//! Money that the rows of one link move: which of them are the two ends of one move, and which have
//! no other end.

use chrono::NaiveDate;

use super::course::CashMove;
use crate::analytics::moves::{End, Moves, Part};
use crate::model::{Dec, Exact, Rank, SafeText, Transaction, TransactionId};
use crate::store::{CashTransit, Result, StoredTransaction, Tx};

/// The moves of one link.
fn moves(rows: &[StoredTransaction]) -> Moves<&Transaction> {
    let rows = rows.iter().map(|row| &row.transaction).filter(|row| moves_cash(row));
    let (mut outs, mut ins) = (Vec::new(), Vec::new());
    for row in rows {
        let (facts, moved) = (&row.facts, moved(row));
        if !moved.is_zero() {
            let ends = if moved.is_negative() { &mut outs } else { &mut ins };
            ends.push(End { row, date: facts.date, amount: moved.abs(), unit: facts.currency });
        }
    }
    let mut moves = Moves::of(outs, ins);
    // What happens in one day is never between two.
    let first = moves.alone.first().map(|row| row.facts.date);
    if moves.alone.iter().all(|row| Some(row.facts.date) == first) {
        moves.alone.clear();
    }
    moves
}

fn moves_cash(row: &Transaction) -> bool {
    !row.deleted
        && row.facts.counts()
        && row.security.is_none()
        // A fee is a row of its own, and no part of the move.
        && matches!(row.facts.rank(), Rank::TransferIn | Rank::TransferOut)
}

/// What a row moves, with its sign: what was charged for it is gone and arrives nowhere.
fn moved(row: &Transaction) -> Dec {
    let facts = &row.facts;
    let charged = [facts.fee, facts.tax].into_iter().flatten();
    let gross = charged.fold(Exact::from(facts.amount), |sum, charge| sum.add(&charge.into()));
    // What has too many digits is moved as it stands.
    gross.round(28).unwrap_or(facts.amount)
}

/// What the rows of one link say of money that is between two days.
pub(super) fn transit(link: &SafeText, rows: &[StoredTransaction]) -> Vec<CashTransit> {
    let mut ways: Vec<_> = moves(rows).parts.iter().filter_map(|part| way(link, part)).collect();
    ways.sort_by_key(|way| (way.leaves, way.arrives, way.currency, way.amount));
    ways
}

fn way(link: &SafeText, part: &Part<&Transaction>) -> Option<CashTransit> {
    let (out, into) = (&part.out.facts, &part.into.facts);
    if out.date == into.date {
        return None;
    }
    // What left is on its way in its own money; what came too early is missing in that of where
    // it came to.
    let (first, last, amount) =
        if out.date < into.date { (out, into, part.sent) } else { (into, out, -part.got) };
    Some(CashTransit {
        link: link.clone(),
        leaves: first.date,
        arrives: last.date,
        currency: first.currency,
        amount,
    })
}

/// Every move of money between two rows of one link, with the two rows.
///
/// # Errors
/// When the store cannot be read.
pub(super) async fn cash_moves(
    tx: &mut Tx,
) -> Result<Vec<((TransactionId, TransactionId), CashMove)>> {
    let rows = tx.linked_cash().await?;
    let same_link =
        |a: &StoredTransaction, b: &StoredTransaction| a.transaction.link == b.transaction.link;
    let told = |part: &Part<&Transaction>| {
        let (out, into) = (part.out, part.into);
        let way = CashMove {
            accounts: (out.account, into.account),
            days: (out.facts.date, into.facts.date),
            sent: (part.sent, out.facts.currency),
            got: (part.got, into.facts.currency),
        };
        ((out.id, into.id), way)
    };
    let links = rows.chunk_by(same_link);
    Ok(links.flat_map(|rows| moves(rows).parts.iter().map(told).collect::<Vec<_>>()).collect())
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
        let alone = moves(rows).alone.into_iter();
        found.extend(alone.filter(|row| row.facts.date <= through).cloned());
    }
    Ok(found)
}
