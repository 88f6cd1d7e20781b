//! Keeping the days of accounts, so that performance by account needs not follow them again.
//!
//! A write leaves the days before it and lowers the mark up to which days are kept; whoever reads
//! before it is raised again follows the rest, and is told the same.

use chrono::NaiveDate;
use tracing::warn;

use super::Result;
use crate::report::{self, Portion};
use crate::store::Store;
use crate::{fault, ledger};

/// Keeps what is known of the days before today. It is a convenience: where it cannot be done,
/// performance is computed from the rows each time.
pub async fn keep_days(store: &Store, today: NaiveDate) {
    keep_or_say_why(store, today, Portion::All).await;
}

/// The same after prices came, which may mend what could not be kept before.
pub async fn keep_all_days(store: &Store, today: NaiveDate) {
    keep_or_say_why(store, today, Portion::AllAgain).await;
}

/// The same at the end of a write of a few rows, where nobody has to wait for it.
pub async fn keep_few_days(store: &Store, today: NaiveDate) {
    keep_or_say_why(store, today, Portion::IfLittle).await;
}

/// The same a year at a time: no write waits for longer than a year takes to be stored, and what is
/// done stays done where it is given up.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn keep_days_in_steps(store: &Store, today: NaiveDate) -> Result<()> {
    loop {
        fault::point("days");
        if !keep(store, today, Portion::Year).await? {
            return Ok(());
        }
    }
}

async fn keep_or_say_why(store: &Store, today: NaiveDate, portion: Portion) {
    if let Err(error) = keep(store, today, portion).await {
        warn!(%error, "the days of accounts are not kept");
    }
}

/// Whether there was anything to keep. Where somebody wrote meanwhile it is not kept.
async fn keep(store: &Store, today: NaiveDate, portion: Portion) -> Result<bool> {
    let mut tx = store.read().await?;
    let revision = tx.revision().await?;
    let days = report::days_to_keep(&mut tx, today, portion).await?;
    drop(tx);
    let Some(days) = days else { return Ok(false) };
    ledger::keep_account_days(store, days, revision).await?;
    Ok(true)
}

/// Whether the store has any price or rate and none of its days are kept.
///
/// # Errors
/// When the store cannot be read.
pub async fn are_days_lost(store: &Store) -> Result<bool> {
    let mut tx = store.read().await?;
    Ok(tx.account_days_through().await?.is_none() && tx.has_quotes().await?)
}
