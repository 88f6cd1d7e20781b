//! The imports that there were, and what each of them left out.

use chrono::{DateTime, Utc};

use super::Result;
use crate::model::BatchId;
use crate::store::{BatchFile, BatchRow, StagedRow, Tx};

/// One import in the list of them.
#[derive(Clone, Debug)]
pub struct BatchSummary {
    /// Its number.
    pub id: BatchId,
    /// When.
    pub created: DateTime<Utc>,
    /// When it was taken back.
    pub undone: Option<DateTime<Utc>>,
    /// Its files.
    pub files: Vec<BatchFile>,
}

/// Every import of rows, oldest first.
///
/// # Errors
/// When the store cannot be read.
pub async fn batches(tx: &mut Tx) -> Result<Vec<BatchSummary>> {
    let batches = tx.batches().await?;
    let mut files = tx.batch_files().await?;
    let time = |micros| DateTime::from_timestamp_micros(micros).unwrap_or_default();
    let summary = |batch: BatchRow| BatchSummary {
        id: batch.id,
        created: time(batch.created),
        undone: batch.undone.map(time),
        files: files.extract_if(.., |file| file.batch == batch.id.0).collect(),
    };
    // Those of balances and prices alone have no file.
    Ok(batches.into_iter().map(summary).filter(|batch| !batch.files.is_empty()).collect())
}

/// The rows that an import did not simply store.
///
/// # Errors
/// When the store cannot be read.
pub async fn left_out(tx: &mut Tx, batch: BatchId) -> Result<Vec<StagedRow>> {
    tx.staged_rows(batch).await
}
