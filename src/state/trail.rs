//! The newest rows of the trail, as somebody may see them.

use chrono::{DateTime, Utc};

use super::Trouble;
use super::question::Slice;
use crate::model::SafeText;
use crate::store::{AuditStore, Result};

/// So many rows are shown.
const NEWEST: i64 = 500;

/// A row of the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailRow {
    /// Counts up without gaps.
    pub seq: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// The operation; its rows share it.
    pub op: SafeText,
    /// What it does.
    pub action: SafeText,
    /// `ATTEMPTED`, `SUCCEEDED` or `FAILED`.
    pub state: SafeText,
    /// Who: host and process.
    pub actor: SafeText,
    /// What it concerns; never a secret, never an amount.
    pub detail: SafeText,
}

/// The newest rows, newest first; without a trail why there are none.
pub(super) async fn answer(trail: Option<&AuditStore>) -> Slice {
    let Some(trail) = trail else {
        let why = "nothing was ever written here, so that there is no trail yet";
        return Slice::Failed(Trouble(why.to_owned()));
    };
    match newest(trail).await {
        Ok(rows) => Slice::Trail(rows),
        Err(error) => Slice::Failed(Trouble(format!("the trail cannot be read: {error}"))),
    }
}

async fn newest(trail: &AuditStore) -> Result<Vec<TrailRow>> {
    let last = trail.newest().await?;
    let rows = trail.rows_between(last.saturating_sub(NEWEST), last).await?.into_iter().rev();
    let row = |row: crate::store::AuditRow| TrailRow {
        seq: row.seq,
        at: DateTime::from_timestamp_micros(row.at).unwrap_or_default(),
        op: SafeText::new(&row.op),
        action: SafeText::new(&row.action),
        state: SafeText::new(&row.state),
        actor: SafeText::new(&row.actor),
        detail: SafeText::new(&row.detail),
    };
    Ok(rows.map(row).collect())
}
