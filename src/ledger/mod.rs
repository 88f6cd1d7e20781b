//! The one door for writing facts.
//!
//! A change, from a form, a row of a file, a provider or the command line, is identified,
//! checked and written as a version, with the tally beside it, in one transaction. This room
//! knows the model and the store; it opens no files and prints nothing.

mod body;
mod book;
mod claims;
mod delivery;
mod edit;
mod edited;
mod error;
mod identity;
mod intake;
mod items;
mod labels;
mod legs;
mod merge;
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
mod succession;
mod survey;
mod undo;
mod whole;
mod write;

pub use delivery::{Delivered, Delivery, MarketNews, connect, deliver, note_failure, take_market};
pub use error::{Error, Result};
pub use intake::{Content, Counts, Intake, Options, Taken};
pub use proposed::split_id;
pub use rebuild::{check, rebuild};
pub use remote::ToldAccount;
pub use restore::{TRAIL, restore};
pub use survey::Survey;
pub use undo::Undone;

use crate::model::{AccountId, Change, OpId, SecurityId, TransactionId};
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
    /// What an undo did.
    pub undone: Option<Undone>,
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

/// Writes one change; all of it or nothing.
///
/// The write runs in a task of its own: whoever waits for it may be cancelled, the transaction
/// may not.
///
/// # Errors
/// When the change is refused or the store fails; then nothing is written.
pub async fn apply(store: &Store, change: Change, op: OpId, now: i64) -> Result<Applied> {
    let store = store.clone();
    let task = tasks::spawn(Task::Edit, async move { edit::apply(&store, change, op, now).await });
    task.await.unwrap_or(Err(Error::Interrupted))
}
