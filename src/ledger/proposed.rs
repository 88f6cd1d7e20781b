//! Rows that meet another row of the same event when they come in: the other half of a move, known
//! by a common id of its source, and a split that was written from the prices before its own row
//! came.

use std::collections::{BTreeSet, HashMap};

use chrono::TimeDelta;

use super::book::{Book, Stamp};
use super::{Result, write};
use crate::analytics::{pairs, splits};
use crate::model::{Move, Origin, SafeText, Subtype, Transaction, TransactionId};
use crate::store::{StoredTransaction, WriteTx};

const PAIR: &str = "~id:";

/// A split that was written from the prices gives way to the row of the source itself: counted
/// both, they would count it twice. Gives the row that went, so that an import can claim it.
pub(super) async fn give_way(
    tx: &mut WriteTx,
    book: &mut Book,
    row: &Transaction,
    stamp: &Stamp,
) -> Result<Option<StoredTransaction>> {
    let Some(ratio) = row.facts.ratio.filter(|_| is_source_split(row)) else { return Ok(None) };
    let days = TimeDelta::days(splits::DAYS);
    let day = row.facts.date;
    let (from, to) = (day.checked_sub_signed(days), day.checked_add_signed(days));
    let near = tx.splits_between(from.unwrap_or(day), to.unwrap_or(day)).await?;
    let is_it = |other: &&StoredTransaction| {
        let other = &other.transaction;
        (other.account, other.security) == (row.account, row.security)
            && is_seen_split(other)
            && other.facts.ratio.is_some_and(|other| splits::is_same(other, ratio))
    };
    let Some(before) = near.iter().find(is_it) else { return Ok(None) };
    let mut gone = before.clone();
    gone.transaction.deleted = true;
    write::put(tx, book, before, &mut gone, stamp, "source").await?;
    Ok(Some(gone))
}

fn is_seen_split(row: &Transaction) -> bool {
    row.source_id.as_ref().is_some_and(|id| id.as_str().starts_with(splits::SEEN))
}

fn is_source_split(row: &Transaction) -> bool {
    row.facts.subtype == Subtype::Split && row.facts.counts() && !is_seen_split(row)
}

/// The same as [`link_by_id`] for a row that comes by itself.
pub(super) async fn link_alone(
    tx: &mut WriteTx,
    book: &mut Book,
    row: &mut Transaction,
    stamp: &Stamp,
) -> Result<()> {
    let Some(id) = row.source_id.clone() else { return Ok(()) };
    let known = tx.transactions_by_source(&[&id]).await?.into_iter();
    let mut known = known.map(|row| (row.transaction.id, row)).collect();
    link_by_id(tx, book, row, &mut known, stamp).await
}

/// Gives a new row and the one row of another account that has the same id of its source the same
/// link, if they are equal and opposite.
pub(super) async fn link_by_id(
    tx: &mut WriteTx,
    book: &mut Book,
    row: &mut Transaction,
    known: &mut HashMap<TransactionId, StoredTransaction>,
    stamp: &Stamp,
) -> Result<()> {
    let Some(id) = row.source_id.as_ref().filter(|_| row.link.is_none()) else { return Ok(()) };
    let Some(mine) = Move::of(row) else { return Ok(()) };
    let label = SafeText::new(&format!("{PAIR}{id}"));
    let fits = |other: &&StoredTransaction| {
        let other = &other.transaction;
        let free = other.link.is_none() || other.link.as_ref() == Some(&label);
        let same = other.source_id == row.source_id && free && is_one_source(book, row, other);
        same && Move::of(other).is_some_and(|other| pairs::pair(&mine, &other).is_some())
    };
    let mut fitting = known.values().filter(fits).map(|other| other.transaction.id);
    // Of several nobody could tell which is meant.
    let (Some(other), None) = (fitting.next(), fitting.next()) else { return Ok(()) };
    let taken = |other_row: &StoredTransaction| {
        let other_row = &other_row.transaction;
        other_row.id != other && other_row.link.as_ref() == Some(&label) && !other_row.deleted
    };
    if known.values().any(taken) {
        return Ok(());
    }
    let Some(other) = known.get_mut(&other) else { return Ok(()) };
    row.link = Some(label.clone());
    if other.transaction.link.is_none() {
        let before = other.clone();
        other.transaction.link = Some(label);
        write::put(tx, book, &before, other, stamp, "pair").await?;
    }
    Ok(())
}

/// Whether the ids of two rows are those of one source: what two connections call the same, or a
/// connection and a file, are two things.
fn is_one_source(book: &Book, row: &Transaction, other: &Transaction) -> bool {
    let connection = |row: &Transaction| match row.origin {
        Origin::Provider => book.accounts.get(&row.account).and_then(|account| account.connection),
        _ => None,
    };
    let is_told = |row: &Transaction| row.origin == Origin::Provider;
    is_told(row) == is_told(other) && connection(row) == connection(other)
}

/// What is left alone of moves that were linked by their id, after the other half went, is free
/// again.
pub(super) async fn free_halves(
    tx: &mut WriteTx,
    book: &mut Book,
    links: &BTreeSet<SafeText>,
    stamp: &Stamp,
) -> Result<()> {
    for link in links {
        let left = tx.transactions_linked(link.as_str()).await?;
        if let [before] = left.as_slice() {
            let mut row = before.clone();
            row.transaction.link = None;
            write::put(tx, book, before, &mut row, stamp, "undo").await?;
        }
    }
    Ok(())
}

/// The link of a row, if it was linked by its id.
pub(super) fn link_of(row: &Transaction) -> Option<&SafeText> {
    row.link.as_ref().filter(|link| is_by_id(link))
}

/// Whether a link was made because of a common id; no source said it.
pub(super) fn is_by_id(link: &SafeText) -> bool {
    link.as_str().starts_with(PAIR)
}
