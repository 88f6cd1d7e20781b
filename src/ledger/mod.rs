//! The one door for writing facts.
//!
//! A change, from a form, a row of a file, a provider or the command line, is identified,
//! checked and written as a version, with the tally beside it, in one transaction. This room
//! knows the model and the store; it opens no files and prints nothing.

mod body;
mod book;
mod called;
mod claims;
mod connections;
mod delivery;
mod doubts;
mod edit;
mod edited;
mod error;
mod gone;
mod identity;
mod intake;
mod items;
mod labels;
mod legs;
mod merge;
mod opening;
mod proposed;
mod quotes;
mod read;
mod rebuild;
mod recognise;
mod remote;
mod resolve;
mod restore;
mod retold;
mod sayings;
mod standing;
mod steps;
mod succession;
mod survey;
mod undo;
mod watch;
mod whole;
mod write;

pub use connections::{Consent, Sealed, connect, disconnect, pause, pausing, reconnect};
pub use delivery::{Delivered, Delivery, MarketNews, deliver, note_failure, take_market};
pub use doubts::Doubts;
pub use error::{Error, Result};
pub use intake::{Content, Counts, Intake, Options, Taken};
pub use rebuild::{check, rebuild};
pub use remote::ToldAccount;
pub use restore::{Restored, TRAIL, restore};
pub use steps::Steps;
pub use survey::Survey;
pub use undo::{Kept, Undone};
pub use watch::{ALERTS, AlertVerdict, Crossing, note_alerts};

use chrono::NaiveDate;

use crate::model::{AccountId, AlertId, Change, OpId, SecurityId, TransactionId};
use crate::store::{AccountDays, Store};
use crate::tasks::{self, Task};

/// What a change did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The revision it left.
    pub revision: i64,
    /// The account it made or changed.
    pub account: Option<AccountId>,
    /// The transactions it made or changed.
    pub transactions: Vec<TransactionId>,
    /// The security it made or changed.
    pub security: Option<SecurityId>,
    /// The alert it made or changed.
    pub alert: Option<AlertId>,
    /// What an undo did.
    pub undone: Option<Undone>,
    /// What leads back.
    pub steps: Steps,
}

/// Keeps days of accounts that were computed from this revision, unless somebody has written since.
///
/// # Errors
/// When the store fails; then nothing is written.
pub async fn keep_account_days(store: &Store, days: Vec<AccountDays>, revision: i64) -> Result<()> {
    let store = store.clone();
    let task = tasks::spawn(Task::Edit, async move {
        let tx = store.write().await?;
        match tx.next_revision() == revision + 1 {
            true => Ok(tx.keep_account_days(&days).await?),
            false => Ok(tx.rollback().await?),
        }
    });
    task.await.unwrap_or(Err(Error::Interrupted))
}

/// Finds out whether the store takes writes, and changes nothing.
///
/// # Errors
/// When it does not.
pub async fn try_writing(store: &Store) -> Result<()> {
    let store = store.clone();
    let task =
        tasks::spawn(Task::Edit, async move { Ok(store.write().await?.try_writing().await?) });
    task.await.unwrap_or(Err(Error::Interrupted))
}

/// Writes one change; all of it or nothing.
///
/// The write runs in a task of its own: whoever waits for it may be cancelled, the transaction
/// may not.
///
/// # Errors
/// When the change is refused or the store fails; then nothing is written.
pub async fn apply(
    store: &Store,
    change: Change,
    op: OpId,
    at: (i64, NaiveDate),
) -> Result<Applied> {
    apply_all(store, vec![change], op, at).await
}

/// Writes several changes as one; all of them or nothing. They are made at an instant, and on the
/// day that it is then in the zone of the store.
///
/// # Errors
/// When one of them is refused or the store fails; then nothing is written.
pub async fn apply_all(
    store: &Store,
    changes: Vec<Change>,
    op: OpId,
    at: (i64, NaiveDate),
) -> Result<Applied> {
    let store = store.clone();
    let task = tasks::spawn(Task::Edit, async move { edit::apply(&store, changes, op, at).await });
    task.await.unwrap_or(Err(Error::Interrupted))
}

/// Takes back what changes did; all of it or nothing. What comes back leads forward again.
///
/// # Errors
/// When something of it was changed since or the store fails; then nothing is written.
pub async fn take_back(store: &Store, steps: Steps, op: OpId, now: i64) -> Result<Applied> {
    let store = store.clone();
    let task =
        tasks::spawn(Task::Edit, async move { steps::take_back(&store, steps, op, now).await });
    task.await.unwrap_or(Err(Error::Interrupted))
}
