//! What providers bring: rows and accounts through the same door as files, prices and rates, and
//! how it went. Each is one transaction, and only of whoever still holds the lease.

use chrono::NaiveDate;

use super::book::{Book, Stamp};
use super::doubts::{self, Doubts};
use super::intake::{Content, Counts, Intake, Options};
use super::opening::{self, Opening};
use super::quotes::Quotes;
use super::remote::{self, Link, ToldAccount};
use super::standing::{self, Stands};
use super::{Error, Result, Survey};
use crate::model::{
    AccountId, Connection, ConnectionId, Item, OpId, Origin, Price, Rate, Refusal, SafeText, Tick,
    Unopened,
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
    /// All rows there are were asked for, and not only the last ones.
    pub from_start: bool,
    /// Some of them could not be asked for: what was told of the others is still needed.
    pub is_cut_off: bool,
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
    /// What is far from the price before it.
    pub doubts: Doubts,
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
    let Delivery { connection, mut accounts, mut refresh, from_start, is_cut_off } = delivery;
    // What is stored as rows now need not be told again.
    let is_over = from_start && !is_cut_off;
    let mut tx = store.write().await?;
    if is_over {
        tx.forget_told(connection.id).await?;
    }
    let links = remote::settle(&mut tx, &connection, &mut accounts).await?;
    if accounts.iter().all(ToldAccount::is_silent) && links.is_empty() {
        let revision = note_nothing(tx, lease, &refresh, true, op, now).await?;
        return Ok(Delivered { revision, ..Delivered::default() });
    }
    let mut survey = Survey::default();
    for drafts in accounts.iter().flat_map(|told| &told.rows).map(|(_, drafts)| drafts) {
        survey.note_drafts(drafts);
    }
    let waiting = opening::waits(&mut tx, &accounts).await?;
    let options = Options { accept_changes: true, origin: Origin::Provider, ..Options::default() };
    let mut intake = Intake::begin(tx, &survey, options, &op.to_string(), now).await?;
    for link in &links {
        intake.link_account(link, connection.id).await?;
    }
    let mut delivered = Delivered::default();
    let told = accounts.into_iter().zip(waiting);
    let told = intake.take_accounts(told, &mut refresh, &mut delivered).await?;
    let unopened = intake.open_accounts(&told, from_start).await?;
    // What was before the first rows may be told too, if all of it is asked for; and there are those
    // who say only then that nothing is missing.
    if unopened.iter().any(|it| it.asks_again) {
        refresh.succeeded = None;
    }
    let taken = intake.settle().await?;
    delivered.counts = taken.counts.first().copied().unwrap_or_default();
    let stands: Vec<_> = told.into_iter().filter_map(|(_, _, stands)| stands).collect();
    let other_news = intake.take_standings(&connection, &stands).await?;
    let Counts { new, changed, .. } = delivered.counts;
    if new + changed + other_news == 0 && links.is_empty() {
        intake.rollback().await?;
        let mut tx = store.write().await?;
        if is_over {
            tx.forget_told(connection.id).await?;
        }
        opening::keep(&mut tx, &unopened).await?;
        let is_known = !standing::reconcile(&mut tx, &stands, now).await?;
        delivered.revision = note_nothing(tx, lease, &refresh, is_known, op, now).await?;
        return Ok(delivered);
    }
    opening::keep(&mut intake.tx, &unopened).await?;
    intake.tx.put_refresh(&refresh).await?;
    // Balances and prices alone are nothing that a list of imports should grow by.
    let has_rows = new + changed > 0 || !links.is_empty();
    let files = has_rows.then(|| file_of(&connection, &delivered));
    intake.finish(files.into_iter().collect()).await?;
    standing::reconcile(&mut intake.tx, &stands, now).await?;
    delivered.revision = intake.tx.next_revision();
    if !lease.is_held().await {
        intake.rollback().await?;
        return Err(Error::LeaseLost);
    }
    intake.close().await?;
    Ok(delivered)
}

/// The rows of a delivery, as an import shows them.
fn file_of(connection: &Connection, delivered: &Delivered) -> BatchFile {
    let Counts { new, changed, duplicate, conflict } = delivered.counts;
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    BatchFile {
        path: connection.label.to_string(),
        format: connection.provider.to_string(),
        rows: number(new + changed + duplicate + conflict),
        new: number(new),
        changed: number(changed),
        duplicate: number(duplicate),
        conflict: number(conflict),
        refused: i64::try_from(delivered.refused.len()).unwrap_or(i64::MAX),
        ..BatchFile::default()
    }
}

/// An account whose rows are taken in, how it is to be opened, and where it stands.
type Taken = (AccountId, Option<Opening>, Option<Stands>);

impl Intake {
    /// Takes in the rows of accounts, and cancels those that are told no more. What cannot be stored
    /// is noted.
    async fn take_accounts(
        &mut self,
        accounts: impl Iterator<Item = (ToldAccount, Option<Unopened>)>,
        refresh: &mut RefreshRecord,
        delivered: &mut Delivered,
    ) -> Result<Vec<Taken>> {
        let (mut line, mut gone, mut taken) = (0, Vec::new(), Vec::new());
        let mut told_of = Vec::new();
        for (mut told, waits) in accounts {
            let account = self.book.names.get(&told.account.name).copied();
            let mut missing = match account {
                Some(account) => self.recognise_retold(account, &mut told).await?,
                None => Vec::new(),
            };
            let mut opening = waits.map(|waits| Opening::of(&told, waits));
            for (at, drafts) in std::mem::take(&mut told.rows) {
                line += 1;
                let id = drafts.first.source_id.clone();
                let Err(refusal) = self.push_at(line, at, Content::Drafts(drafts)).await? else {
                    continue;
                };
                // It may be one of those that seem to be missing.
                missing.clear();
                if let Some(opening) = &mut opening {
                    opening.lacks_a_row();
                }
                refresh.leave_out(at, id.as_ref().unwrap_or(&SafeText::default()), &refusal);
                delivered.refused.push((id, refusal));
            }
            gone.extend(missing);
            told_of.extend(account.map(|account| (account, told, opening)));
        }
        self.settle().await?;
        delivered.cancelled = u64::try_from(gone.len()).unwrap_or(u64::MAX);
        self.cancel(gone).await?;
        for (account, told, opening) in told_of {
            let opens = opening.as_ref().is_some_and(Opening::opens_holdings);
            let stands = self.stands(account, &told, opens, &mut delivered.refused).await?;
            taken.push((account, opening, stands));
        }
        Ok(taken)
    }

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
        let MarketNews { ticks, bars, rates, doubts, refresh } = news;
        let mut tx = store.write().await?;
        let is_known = !doubts::keep(&mut tx, &doubts, now).await?;
        if ticks.is_empty() && bars.is_empty() && rates.is_empty() {
            return note_nothing(tx, &lease, &refresh, is_known, op, now).await;
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
/// and all else is known, no screen reads anew for it.
async fn note_nothing(
    mut tx: WriteTx,
    lease: &Lease,
    refresh: &RefreshRecord,
    is_known: bool,
    op: OpId,
    now: i64,
) -> Result<i64> {
    let told = |row: &RefreshRecord| {
        let RefreshRecord { connection, part, failures, next_attempt, why, .. } = row.clone();
        (connection, part, failures, next_attempt, why)
    };
    let is_usual = tx.refreshes().await?.iter().any(|last| told(last) == told(refresh));
    match is_usual && is_known {
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
