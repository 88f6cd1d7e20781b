//! Keeping the days of accounts, so that performance by account needs not follow them again.

use chrono::NaiveDate;
use tracing::warn;

use super::Result;
use crate::store::Store;
use crate::{ledger, report};

/// Keeps what is known of the days before today. It is a convenience: where it cannot be done,
/// performance is computed from the rows each time.
pub async fn keep_days(store: &Store, today: NaiveDate) {
    if let Err(error) = try_to_keep(store, today).await {
        warn!(%error, "the days of accounts are not kept");
    }
}

async fn try_to_keep(store: &Store, today: NaiveDate) -> Result<()> {
    let mut tx = store.read().await?;
    let revision = tx.revision().await?;
    let days = report::days_to_keep(&mut tx, today).await?;
    drop(tx);
    match days {
        Some(days) => Ok(ledger::keep_account_days(store, days, revision).await?),
        None => Ok(()),
    }
}

/// Whether the store has any price or rate and none of its days are kept.
///
/// # Errors
/// When the store cannot be read.
pub async fn are_days_lost(store: &Store) -> Result<bool> {
    let mut tx = store.read().await?;
    Ok(tx.account_days_through().await?.is_none() && tx.has_quotes().await?)
}
