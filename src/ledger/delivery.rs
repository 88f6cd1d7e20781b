//! What providers bring: rows and accounts through the same door as files, prices and rates, and
//! how it went. Each is one transaction, and only of whoever still holds the lease.

use chrono::NaiveDate;

use super::book::{Book, Stamp};
use super::intake::{Content, Counts, Intake, Options};
use super::quotes::Quotes;
use super::remote::{self, Link, ToldAccount};
use super::{Error, Result, Survey, standing};
use crate::model::{
    Connection, ConnectionId, Item, OpId, Origin, Price, Rate, Refusal, SafeText, Tick,
};
use crate::store::{BatchFile, Lease, RefreshRecord, Store, WriteTx};
use crate::tasks::{self, Task};

/// The action of every write of this room, in the trail and in the store.
const ACTION: &str = "refresh";

/// What a connection tells of its accounts.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Which connection.
    pub connection: Connection,
    /// The accounts there are, with their rows.
    pub accounts: Vec<ToldAccount>,
    /// How it went, to be kept with it.
    pub refresh: RefreshRecord,
}

/// What became of a delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// What became of its rows.
    pub counts: Counts,
    /// How many of the changed rows are told no more.
    pub cancelled: u64,
    /// Rows that cannot be stored: their ids, and why.
    pub refused: Vec<(Option<SafeText>, Refusal)>,
    /// The revision that it left.
    pub revision: i64,
}

/// Prices and rates as they are to be stored.
#[derive(Clone, Debug)]
pub struct MarketNews {
    /// Prices from within the day.
    pub ticks: Vec<Tick>,
    /// Closes of days.
    pub bars: Vec<Price>,
    /// Rates of days.
    pub rates: Vec<Rate>,
    /// How it went, to be kept with it.
    pub refresh: RefreshRecord,
}

/// Writes what a connection tells of its accounts. Rows that bring something are a batch, which can
/// be taken back like that of a file.
///
/// # Errors
/// When the lease is lost or the store fails; then nothing is written.
pub async fn deliver(
    store: &Store,
    lease: &Lease,
    delivery: Delivery,
    op: OpId,
    now: i64,
) -> Result<Delivered> {
    let (store, lease) = (store.clone(), lease.clone());
    let task = tasks::spawn(Task::Delivery, async move {
        deliver_here(&store, &lease, delivery, op, now).await
    });
    task.await.unwrap_or(Err(Error::Interrupted))
}

async fn deliver_here(
    store: &Store,
    lease: &Lease,
    delivery: Delivery,
    op: OpId,
    now: i64,
) -> Result<Delivered> {
    let Delivery { connection, mut accounts, mut refresh } = delivery;
    let mut tx = store.write().await?;
    let links = remote::settle(&mut tx, &connection, &mut accounts).await?;
    let mut delivered = Delivered::default();
    if accounts.iter().all(ToldAccount::is_silent) && links.is_empty() {
        delivered.revision = note_nothing(tx, lease, &refresh, op, now).await?;
        return Ok(delivered);
    }
    let mut survey = Survey::default();
    for drafts in accounts.iter().flat_map(|told| &told.rows).map(|(_, drafts)| drafts) {
        survey.note_drafts(drafts);
    }
    let options = Options { accept_changes: true, origin: Origin::Provider, ..Options::default() };
    let mut intake = Intake::begin(tx, &survey, options, &op.to_string(), now).await?;
    for link in &links {
        intake.link_account(link, connection.id).await?;
    }
    let stands = intake.stands(&accounts);
    let mut line = 0;
    let mut gone = Vec::new();
    for mut told in accounts {
        let mut missing = match intake.book.names.get(&told.account.name).copied() {
            Some(account) => intake.recognise_retold(account, &mut told).await?,
            None => Vec::new(),
        };
        for (at, drafts) in told.rows {
            line += 1;
            let id = drafts.first.source_id.clone();
            let Err(refusal) = intake.push_at(line, at, Content::Drafts(drafts)).await? else {
                continue;
            };
            // It may be one of those that seem to be missing.
            missing.clear();
            refresh.leave_out(at, id.as_ref().unwrap_or(&SafeText::default()), &refusal);
            delivered.refused.push((id, refusal));
        }
        gone.extend(missing);
    }
    intake.settle().await?;
    delivered.cancelled = u64::try_from(gone.len()).unwrap_or(u64::MAX);
    intake.cancel(gone).await?;
    let taken = intake.settle().await?;
    delivered.counts = taken.counts.first().copied().unwrap_or_default();
    let Counts { new, changed, duplicate, conflict } = delivered.counts;
    let other_news = intake.take_standings(&connection, &stands).await?;
    if new + changed + other_news == 0 && links.is_empty() {
        intake.rollback().await?;
        let mut tx = store.write().await?;
        standing::reconcile(&mut tx, &stands, now).await?;
        delivered.revision = note_nothing(tx, lease, &refresh, op, now).await?;
        return Ok(delivered);
    }
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let refused = delivered.refused.len();
    let file = BatchFile {
        path: connection.label.to_string(),
        format: connection.provider.to_string(),
        rows: number(new + changed + duplicate + conflict),
        new: number(new),
        changed: number(changed),
        duplicate: number(duplicate),
        conflict: number(conflict),
        refused: i64::try_from(refused).unwrap_or(i64::MAX),
        ..BatchFile::default()
    };
    intake.tx.put_refresh(&refresh).await?;
    intake.finish(vec![file]).await?;
    standing::reconcile(&mut intake.tx, &stands, now).await?;
    delivered.revision = intake.tx.next_revision();
    if !lease.is_held().await {
        intake.rollback().await?;
        return Err(Error::LeaseLost);
    }
    intake.close().await?;
    Ok(delivered)
}

impl Intake {
    /// Lets a connection fill an account, which is made where there is none.
    async fn link_account(&mut self, link: &Link, connection: ConnectionId) -> Result<()> {
        let Link { id: remote, account: new } = link;
        if !self.book.names.contains_key(&new.name) {
            let item = Item::Account { account: new.clone(), derived: false };
            // An account that is new contradicts nothing.
            let _ = self.take_item(item).await?;
        }
        let Some(id) = self.book.names.get(&new.name).copied() else { return Ok(()) };
        let mut row = self.book.account(id)?.clone();
        row.connection = Some(connection);
        self.book.put_account(&mut self.tx, row, &self.stamp, false).await?;
        Ok(self.tx.put_remote_account(connection, remote, id).await?)
    }
}

/// Writes prices and rates.
///
/// # Errors
/// When the lease is lost or the store fails; then nothing is written.
pub async fn take_market(
    store: &Store,
    lease: &Lease,
    news: MarketNews,
    op: OpId,
    now: i64,
) -> Result<i64> {
    let (store, lease) = (store.clone(), lease.clone());
    let task = tasks::spawn(Task::Delivery, async move {
        let MarketNews { ticks, bars, rates, refresh } = news;
        let mut tx = store.write().await?;
        if ticks.is_empty() && bars.is_empty() && rates.is_empty() {
            return note_nothing(tx, &lease, &refresh, op, now).await;
        }
        tx.put_ticks(&ticks).await?;
        // A tick serves on its own day, which is today, and days are kept of those before.
        if bars.is_empty() && rates.is_empty() {
            tx.carry_account_days(NaiveDate::MAX).await?;
        } else {
            let stamp = Stamp { op: op.to_string(), now, batch: None };
            take_days(&mut tx, bars, rates, &stamp).await?;
        }
        note_in(tx, &lease, &refresh, op, now).await
    });
    task.await.unwrap_or(Err(Error::Interrupted))
}

/// Closes and rates of days; figures may rest on them.
async fn take_days(
    tx: &mut WriteTx,
    bars: Vec<Price>,
    rates: Vec<Rate>,
    stamp: &Stamp,
) -> Result<()> {
    let mut book = Book::open(tx).await?;
    let mut quotes = Quotes::new(&Survey::default());
    for bar in bars {
        quotes.push_price(tx, &mut book, stamp, 0, bar).await?;
    }
    for rate in rates {
        quotes.push_rate(tx, &mut book, stamp, 0, rate).await?;
    }
    quotes.flush(tx, &mut book, stamp).await?;
    book.settle(tx, stamp).await?;
    book.settle_figures(tx).await?;
    book.carry_days(tx).await
}

/// Notes that there was nothing new, which touches no figure. Where it went as it did the last time,
/// no screen reads anew for it.
async fn note_nothing(
    mut tx: WriteTx,
    lease: &Lease,
    refresh: &RefreshRecord,
    op: OpId,
    now: i64,
) -> Result<i64> {
    let told = |row: &RefreshRecord| {
        let RefreshRecord { connection, part, failures, next_attempt, why, .. } = row.clone();
        (connection, part, failures, next_attempt, why)
    };
    let is_usual = tx.refreshes().await?.iter().any(|last| told(last) == told(refresh));
    match is_usual {
        true => tx.stay_unseen(),
        false => tx.carry_account_days(NaiveDate::MAX).await?,
    }
    note_in(tx, lease, refresh, op, now).await
}

async fn note_in(
    mut tx: WriteTx,
    lease: &Lease,
    refresh: &RefreshRecord,
    op: OpId,
    now: i64,
) -> Result<i64> {
    tx.put_refresh(refresh).await?;
    if !lease.is_held().await {
        tx.rollback().await?;
        return Err(Error::LeaseLost);
    }
    Ok(tx.commit(&op.to_string(), ACTION, now).await?)
}

/// Keeps why a part could not be fetched, and what its connection has become by that. It is no part
/// of the operation that failed, which wrote nothing.
///
/// # Errors
/// When the store fails; then nothing is written.
pub async fn note_failure(
    store: &Store,
    refresh: RefreshRecord,
    connection: Option<Connection>,
    op: OpId,
    now: i64,
) -> Result<i64> {
    let store = store.clone();
    let task = tasks::spawn(Task::Delivery, async move {
        let mut tx = store.write().await?;
        tx.put_refresh(&refresh).await?;
        if let Some(connection) = connection {
            tx.update_connection(&connection).await?;
        }
        tx.carry_account_days(NaiveDate::MAX).await?;
        Ok(tx.commit(&format!("{op} failed"), ACTION, now).await?)
    });
    task.await.unwrap_or(Err(Error::Interrupted))
}
