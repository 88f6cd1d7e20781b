//! Taking an import back: what nobody else claims goes, what it changed becomes what it was, and
//! what a person touched since stays and is named.

use std::collections::{BTreeMap, BTreeSet};

use super::body::{self, Underlay};
use super::book::{Book, Stamp};
use super::sayings;
use super::write::{self, Said};
use super::{Error, Result, proposed};
use crate::model::{AccountId, BatchId, Origin, SecurityId, TransactionId};
use crate::store::{Claim, StoredTransaction, WriteTx};

/// How many rows are looked at together.
const PART: usize = 1_000;

/// What taking an import back did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// Rows that are gone.
    pub removed: u64,
    /// Rows that are again what they were.
    pub restored: u64,
    /// Rows that were touched since and stay.
    pub kept: Vec<TransactionId>,
}

pub(super) async fn undo(
    tx: &mut WriteTx,
    book: &mut Book,
    batch: BatchId,
    stamp: &Stamp,
) -> Result<Undone> {
    let mut row =
        tx.batches().await?.into_iter().find(|row| row.id == batch).ok_or(Error::NoBatch(batch))?;
    if row.undone.is_some() {
        return Err(Error::AlreadyUndone(batch));
    }
    let mut undone = Undone::default();
    let ids = tx.transactions_of_batch(batch).await?;
    for ids in ids.chunks(PART) {
        undo_part(tx, book, ids, batch, stamp, &mut undone).await?;
    }
    tx.forget_claims_of(batch).await?;
    undo_prices(tx, book, batch).await?;
    sayings::undo(tx, book, batch, stamp).await?;
    tx.forget_balances_of(batch).await?;
    tx.forget_extras_of(batch).await?;
    tx.forget_orphan_findings().await?;
    book.settle(tx, stamp).await?;
    forget_unused(tx, book, batch).await?;
    row.undone = Some(stamp.now);
    tx.update_batch(&row).await?;
    Ok(undone)
}

async fn undo_part(
    tx: &mut WriteTx,
    book: &mut Book,
    ids: &[TransactionId],
    batch: BatchId,
    stamp: &Stamp,
    undone: &mut Undone,
) -> Result<()> {
    let mut claims: BTreeMap<TransactionId, Vec<Claim>> = BTreeMap::new();
    for claim in tx.claims(ids).await? {
        claims.entry(claim.transaction).or_default().push(claim);
    }
    let mut gone = Vec::new();
    let mut links = BTreeSet::new();
    for mut row in tx.transactions_by_id(ids).await? {
        let id = row.transaction.id;
        let (mine, others): (Vec<_>, Vec<_>) = claims
            .remove(&id)
            .unwrap_or_default()
            .into_iter()
            .partition(|claim| claim.batch == batch);
        let batch_said = mine.first().map_or(1, |claim| claim.version);
        // What a person did to a row in the store that it came from was there from the first.
        let by_person = row.source_facts.is_some()
            || row.transaction.deleted
            || row.transaction.origin == Origin::Hand;
        let touched = by_person && row.transaction.version > 1;
        if others.is_empty() && !touched {
            book.count(&row, false);
            links.extend(proposed::link_of(&row.transaction).cloned());
            gone.push(id);
            undone.removed += 1;
            continue;
        }
        let restored = match row.transaction.origin {
            Origin::Hand => restore(tx, book, &mut row, batch, stamp).await?,
            _ => restore_said(tx, book, &mut row, &others, batch_said, stamp).await?,
        };
        match restored {
            Restored::Yes => undone.restored += 1,
            Restored::TouchedSince => undone.kept.push(id),
            Restored::NothingChanged if others.is_empty() => undone.kept.push(id),
            Restored::NothingChanged => {}
        }
        pass_on(tx, &mut row, &others, batch).await?;
    }
    tx.forget_transactions(&gone).await?;
    proposed::free_halves(tx, book, &links, stamp).await
}

enum Restored {
    Yes,
    NothingChanged,
    TouchedSince,
}

/// Makes a row what those who still claim it say of it, one after the other, unless a person
/// touched it since the import had its say.
async fn restore_said(
    tx: &mut WriteTx,
    book: &mut Book,
    row: &mut StoredTransaction,
    others: &[Claim],
    since: i64,
    stamp: &Stamp,
) -> Result<Restored> {
    let now = Underlay::of(row)?;
    let current = row.transaction.version;
    let mut states = BTreeMap::from([(current, now.clone())]);
    let mut touched = false;
    if since != current || others.iter().any(|claim| claim.version != current) {
        for version in tx.versions(row.transaction.id).await? {
            let by_person = ["edit", "delete", "restore"].contains(&version.cause.as_str());
            touched |= by_person && version.version >= since;
            let state = Underlay::of(&body::row_from_json(&version.body)?)?;
            states.insert(version.version, state);
        }
    }
    let said = others.iter().filter_map(|claim| {
        states.get(&claim.version).map(|state| Said::claimed(state, claim.said))
    });
    let then = write::all_said(said, &now.edited);
    match then {
        Some(then) if then != now && touched => Ok(Restored::TouchedSince),
        Some(then) if then != now => {
            let before = row.clone();
            write::lay(row, &then)?;
            // The stamp of an undo carries no batch: it is no import.
            write::put(tx, book, &before, row, stamp, "undo").await?;
            Ok(Restored::Yes)
        }
        _ => Ok(Restored::NothingChanged),
    }
}

/// Makes a row by hand what it was before the import changed it, unless it changed again since.
async fn restore(
    tx: &mut WriteTx,
    book: &mut Book,
    row: &mut StoredTransaction,
    batch: BatchId,
    stamp: &Stamp,
) -> Result<Restored> {
    if row.transaction.version == 1 {
        return Ok(Restored::NothingChanged);
    }
    let versions = tx.versions(row.transaction.id).await?;
    if !versions.iter().any(|version| version.batch == Some(batch)) {
        return Ok(Restored::NothingChanged);
    }
    // The import may have changed the row more than once; before all of that is what we want.
    let mine = versions.iter().rev().take_while(|version| version.batch == Some(batch));
    let Some(first) = mine.last() else { return Ok(Restored::TouchedSince) };
    let before = row.clone();
    let old = body::row_from_json(&first.body)?;
    row.transaction.facts = old.transaction.facts;
    row.transaction.security = old.transaction.security;
    row.transaction.to_security = old.transaction.to_security;
    row.transaction.link = old.transaction.link;
    row.transaction.deleted = old.transaction.deleted;
    row.source_facts = old.source_facts;
    // The stamp of an undo carries no batch, so that a later undo does not take it for an import.
    write::put(tx, book, &before, row, stamp, "undo").await?;
    Ok(Restored::Yes)
}

/// Gives a row to those who still claim it; its place is the smallest that they give it. A row
/// that nobody claims any more and that stays is the person's own.
async fn pass_on(
    tx: &mut WriteTx,
    row: &mut StoredTransaction,
    others: &[Claim],
    batch: BatchId,
) -> Result<()> {
    let before = row.clone();
    if let Some(seq) = others.iter().map(|claim| claim.seq).min() {
        row.transaction.seq = seq;
    }
    if row.transaction.batch == Some(batch) {
        let next = others.iter().find(|claim| claim.batch.0 != 0);
        row.transaction.batch = next.map(|claim| claim.batch);
        row.file_no = next.map(|claim| claim.file_no);
        row.line = next.map(|claim| claim.line);
    }
    if *row != before {
        tx.update_transaction(row).await?;
    }
    Ok(())
}

async fn undo_prices(tx: &mut WriteTx, book: &mut Book, batch: BatchId) -> Result<()> {
    let before = tx.prices_of_batch(batch).await?;
    tx.unclaim_prices(batch).await?;
    for part in before.chunks(PART) {
        for row in part {
            book.count_prices(row.price.security, row.price.currency, -1);
        }
        // Some are still there, as somebody else says them.
        for row in tx.prices_like(part).await? {
            book.count_prices(row.price.security, row.price.currency, 1);
        }
    }
    Ok(())
}

/// Accounts, securities and institutions that this import, or one taken back before, made and
/// nothing needs and no other import declares any more.
async fn forget_unused(tx: &mut WriteTx, book: &mut Book, batch: BatchId) -> Result<()> {
    let batches = tx.batches().await?.into_iter();
    let gone: BTreeSet<BatchId> =
        batches.filter(|row| row.undone.is_some() || row.id == batch).map(|row| row.id).collect();
    let is_gone = |maker: Option<BatchId>| maker.is_some_and(|maker| gone.contains(&maker));
    let mut used = tx.used_accounts().await?;
    used.extend(tx.declared("account").await?.into_iter().map(AccountId));
    let idle: Vec<AccountId> = book
        .accounts
        .values()
        .filter(|row| is_gone(row.batch) && !used.contains(&row.account.id))
        .map(|row| row.account.id)
        .collect();
    for id in idle {
        tx.forget_account(id).await?;
        book.accounts.remove(&id);
    }
    let mut used = tx.used_securities().await?;
    used.extend(tx.declared("security").await?.into_iter().map(SecurityId));
    let idle: Vec<SecurityId> = book
        .securities
        .values()
        .filter(|row| is_gone(row.batch) && !used.contains(&row.security.id))
        .map(|row| row.security.id)
        .collect();
    for id in idle {
        tx.forget_security(id).await?;
        book.securities.remove(&id);
    }
    tx.forget_unused_institutions(batch).await?;
    Ok(())
}
