//! Taking an import back: what nobody else claims goes, what it changed becomes what it was, and
//! what a person touched since stays and is named.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::body::{self, Underlay};
use super::book::{Book, Stamp};
use super::sayings::{self, Thing};
use super::write::{self, Said};
use super::{Error, Result, opening, proposed};
use crate::model::{
    AccountId, BatchId, ConnectionId, Origin, Part, SafeText, SecurityId, Subtype, Transaction,
    TransactionId, Unopened,
};
use crate::store::{Claim, PriceRecord, RateRecord, StoredTransaction, WriteTx};

/// How many rows are looked at together.
const PART: usize = 1_000;

/// What taking an import back did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// Rows, prices and rates that are gone.
    pub removed: u64,
    /// Those that are again what they were.
    pub restored: u64,
    /// Rows that were touched since and stay.
    pub kept: Vec<Kept>,
}

/// A row that an import brought and that stays, as a person would name it. It is told from within
/// the change: once that is stored, nothing that is said of it may fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub id: TransactionId,
    pub date: NaiveDate,
    pub subtype: Subtype,
    pub account: SafeText,
}

impl Kept {
    fn of(row: &StoredTransaction, book: &Book) -> Self {
        let Transaction { id, account, facts, .. } = &row.transaction;
        let account = book.accounts.get(account).map(|row| row.account.name.clone());
        let account = account.unwrap_or_default();
        Self { id: *id, date: facts.date, subtype: facts.subtype, account }
    }
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
        ask_again(tx, book, ids).await?;
        undo_part(tx, book, ids, batch, stamp, &mut undone).await?;
    }
    tx.forget_claims_of(batch).await?;
    undo_prices(tx, book, batch, &mut undone).await?;
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

/// What a connection brought is asked for again, from the first of these rows on.
async fn ask_again(tx: &mut WriteTx, book: &Book, ids: &[TransactionId]) -> Result<()> {
    let mut first: BTreeMap<ConnectionId, i64> = BTreeMap::new();
    for StoredTransaction { transaction, .. } in tx.transactions_by_id(ids).await? {
        let account = book.accounts.get(&transaction.account);
        if transaction.origin == Origin::Provider
            && let Some(connection) = account.and_then(|account| account.connection)
        {
            let first = first.entry(connection).or_insert(transaction.seq);
            *first = transaction.seq.min(*first);
        }
    }
    if first.is_empty() {
        return Ok(());
    }
    for mut refresh in tx.refreshes().await? {
        let first = first.get(&refresh.connection).filter(|_| refresh.part == Part::Accounts);
        if let Some(first) = first {
            refresh.succeeded = refresh.succeeded.map(|succeeded| succeeded.min(*first));
            tx.put_refresh(&refresh).await?;
        }
    }
    Ok(())
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
            let what = match row.transaction.security {
                Some(_) => Unopened::All,
                None => Unopened::Cash,
            };
            open_again(tx, &row, what).await?;
            gone.push(id);
            undone.removed += 1;
            continue;
        }
        let restored = match row.transaction.origin {
            Origin::Hand => restore(tx, book, &mut row, batch, stamp).await?,
            _ => restore_said(tx, book, &mut row, &others, (batch, batch_said), stamp).await?,
        };
        match restored {
            Restored::Yes => {
                open_again(tx, &row, Unopened::Early).await?;
                undone.restored += 1;
            }
            Restored::TouchedSince => undone.kept.push(Kept::of(&row, book)),
            Restored::NothingChanged if others.is_empty() => {
                undone.kept.push(Kept::of(&row, book));
            }
            Restored::NothingChanged => {}
        }
        pass_on(tx, &mut row, &others, batch).await?;
    }
    tx.forget_transactions(&gone).await?;
    proposed::free_halves(tx, book, &links, stamp).await
}

/// What is taken back of an opening is opened anew with the next whole answer, beside what waits for
/// that already.
async fn open_again(tx: &mut WriteTx, row: &StoredTransaction, what: Unopened) -> Result<()> {
    if !opening::is_opening(row) {
        return Ok(());
    }
    let account = row.transaction.account;
    let waits = tx.unopened().await?.get(&account).copied();
    // What is more comes first.
    let all = waits.into_iter().fold(what, Unopened::min);
    Ok(tx.put_unopened(account, Some(all)).await?)
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
    (batch, since): (BatchId, i64),
    stamp: &Stamp,
) -> Result<Restored> {
    let now = Underlay::of(row)?;
    let current = row.transaction.version;
    let mut states = BTreeMap::from([(current, now.clone())]);
    let mut accounts = BTreeMap::from([(current, row.transaction.account)]);
    let mut touched = false;
    if since != current || others.iter().any(|claim| claim.version != current) {
        for version in tx.versions(row.transaction.id).await? {
            let by_person = ["edit", "delete", "restore"].contains(&version.cause.as_str());
            touched |= by_person && version.version >= since;
            let then = body::row_from_json(&version.body)?;
            accounts.insert(version.version, then.transaction.account);
            states.insert(version.version, Underlay::of(&then)?);
        }
    }
    let said = others.iter().filter_map(|claim| {
        states.get(&claim.version).map(|state| Said::claimed(state, claim.said))
    });
    let mut then = write::all_said(said, &now.edited);
    // A provider told how the row was then; that it was pending is no gap to be filled.
    if row.transaction.origin == Origin::Provider
        && let Some(then) = &mut then
        && let Some(state) = others.iter().rev().find_map(|claim| states.get(&claim.version))
    {
        then.facts.status = state.facts.status;
    }
    // The other half of a transfer may have gone to another account.
    let home = others.iter().max_by_key(|claim| claim.version);
    let home = home.and_then(|claim| accounts.get(&claim.version).copied());
    let home = home.filter(|home| book.accounts.contains_key(home));
    let home = match (home, now.edited.contains("account")) {
        (Some(home), false) => home,
        _ => row.transaction.account,
    };
    match then {
        Some(then) if then == now && home == row.transaction.account => {
            Ok(Restored::NothingChanged)
        }
        Some(_) if touched => Ok(Restored::TouchedSince),
        Some(then) => {
            let before = row.clone();
            write::lay(row, &then)?;
            row.transaction.account = home;
            keep_category(tx, book, row, batch, stamp).await?;
            // The stamp of an undo carries no batch: it is no import.
            write::put(tx, book, &before, row, stamp, "undo").await?;
            Ok(Restored::Yes)
        }
        None => Ok(Restored::NothingChanged),
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
    if book.accounts.contains_key(&old.transaction.account) {
        row.transaction.account = old.transaction.account;
    }
    row.source_facts = old.source_facts;
    keep_category(tx, book, row, batch, stamp).await?;
    // The stamp of an undo carries no batch, so that a later undo does not take it for an import.
    write::put(tx, book, &before, row, stamp, "undo").await?;
    Ok(Restored::Yes)
}

/// A category that was gone and is needed again is an import's, not a person's: once nobody needs it
/// any more, it goes.
async fn keep_category(
    tx: &mut WriteTx,
    book: &mut Book,
    row: &StoredTransaction,
    batch: BatchId,
    stamp: &Stamp,
) -> Result<()> {
    if let Some(name) = &row.transaction.facts.category {
        book.category(tx, name, &Stamp { batch: Some(batch), ..stamp.clone() }).await?;
    }
    Ok(())
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

async fn undo_prices(
    tx: &mut WriteTx,
    book: &mut Book,
    batch: BatchId,
    undone: &mut Undone,
) -> Result<()> {
    let (prices, rates) = (tx.prices_of_batch(batch).await?, tx.rates_of_batch(batch).await?);
    tx.unclaim_prices(batch).await?;
    for part in prices.chunks(PART) {
        for row in part {
            book.count_prices(row.price.security, row.price.currency, -1);
        }
        // Some are still there, as somebody else says them.
        let left = tx.prices_like(part).await?;
        for row in &left {
            book.count_prices(row.price.security, row.price.currency, 1);
        }
        let place = |row: &PriceRecord| {
            let price = row.price.clone();
            ((price.security, price.interval, price.at, price.source.clone()), price)
        };
        undone.note(part.iter().map(place).collect(), left.iter().map(place));
    }
    for part in rates.chunks(PART) {
        let left = tx.rates_like(part).await?;
        let place = |row: &RateRecord| {
            let rate = row.rate.clone();
            ((rate.base, rate.quote, rate.at, rate.source.clone()), rate)
        };
        undone.note(part.iter().map(place).collect(), left.iter().map(place));
    }
    Ok(())
}

impl Undone {
    /// Counts what is gone of some prices or rates, by their keys, and what says something else
    /// again.
    fn note<K: Ord, P: PartialEq>(
        &mut self,
        mut before: BTreeMap<K, P>,
        left: impl Iterator<Item = (K, P)>,
    ) {
        for (key, now) in left {
            self.restored += u64::from(before.remove(&key) != Some(now));
        }
        self.removed += before.len() as u64;
    }
}

/// Accounts, securities and institutions that this import, or one taken back before, made and
/// nothing needs and no other import declares any more.
async fn forget_unused(tx: &mut WriteTx, book: &mut Book, batch: BatchId) -> Result<()> {
    let batches = tx.batches().await?.into_iter();
    let gone: BTreeSet<BatchId> =
        batches.filter(|row| row.undone.is_some() || row.id == batch).map(|row| row.id).collect();
    let accounts = tx.declared("account").await?.into_iter();
    let securities = tx.declared("security").await?.into_iter();
    let declared = accounts
        .map(|id| Thing::Account(AccountId(id)))
        .chain(securities.map(|id| Thing::Security(SecurityId(id))))
        .collect();
    forget_idle(tx, book, &gone, &declared).await?;
    tx.forget_unused_institutions(batch).await?;
    Ok(())
}

/// Takes away the accounts and securities that these imports made, if nothing refers to them.
pub(super) async fn forget_idle(
    tx: &mut WriteTx,
    book: &mut Book,
    made_by: &BTreeSet<BatchId>,
    declared: &BTreeSet<Thing>,
) -> Result<()> {
    let is_made = |maker: Option<BatchId>| maker.is_some_and(|maker| made_by.contains(&maker));
    let alive = book.tally.iter().filter(|(_, tally)| tally.rows > 0 || tally.prices > 0);
    let alive: BTreeSet<Thing> = alive
        .flat_map(|((account, security, _), _)| {
            [account.map(Thing::Account), security.map(Thing::Security)]
        })
        .flatten()
        .collect();
    let idle = |thing: Thing, maker| {
        let idle = is_made(maker) && !alive.contains(&thing) && !declared.contains(&thing);
        idle.then_some(thing)
    };
    let accounts = book.accounts.values().map(|row| (Thing::Account(row.account.id), row.batch));
    let securities = book.securities.values();
    let securities = securities.map(|row| (Thing::Security(row.security.id), row.batch));
    let idle: Vec<_> =
        accounts.chain(securities).filter_map(|(thing, maker)| idle(thing, maker)).collect();
    if idle.is_empty() {
        return Ok(());
    }
    // What has no live row may have a deleted one, or a balance.
    let (accounts, securities) = (tx.used_accounts().await?, tx.used_securities().await?);
    for thing in idle {
        match thing {
            Thing::Account(id) if !accounts.contains(&id) => {
                tx.forget_account(id).await?;
                book.accounts.remove(&id);
            }
            Thing::Security(id) if !securities.contains(&id) => {
                tx.forget_security(id).await?;
                book.securities.remove(&id);
            }
            _ => {}
        }
    }
    Ok(())
}
