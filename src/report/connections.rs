//! How the connections to providers are: when they told something last, and why not since.

use super::Result;
use crate::model::{ConnectionId, ConnectionState, SafeText};
use crate::store::Tx;

/// A connection as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRow {
    /// Its identity.
    pub id: ConnectionId,
    /// The provider's id.
    pub provider: SafeText,
    /// What its owner calls it.
    pub label: SafeText,
    /// Where it is in its life.
    pub state: ConnectionState,
    /// When the consent ends, where it does, in microseconds since the epoch.
    pub consent_expires: Option<i64>,
    /// When a part of it was fetched last, in microseconds since the epoch.
    pub succeeded: Option<i64>,
    /// Why a part of it cannot be fetched, or what was left out of one.
    pub why: Option<SafeText>,
    /// When that is tried again.
    pub next_attempt: Option<i64>,
}

/// Every connection that its owner did not end.
///
/// # Errors
/// When the store cannot be read.
pub async fn connections(tx: &mut Tx) -> Result<Vec<ConnectionRow>> {
    let refreshes = tx.refreshes().await?;
    let mut rows = Vec::new();
    for connection in tx.connections().await? {
        if connection.state == ConnectionState::Disconnected {
            continue;
        }
        let parts = || refreshes.iter().filter(|part| part.connection == connection.id);
        let failed = parts().find(|part| part.failures > 0);
        let left_out = || parts().find(|part| part.why.is_some());
        rows.push(ConnectionRow {
            id: connection.id,
            provider: connection.provider,
            label: connection.label,
            state: connection.state,
            consent_expires: connection.consent_expires,
            succeeded: parts().filter_map(|part| part.succeeded).max(),
            why: failed.or_else(left_out).and_then(|part| part.why.clone()).or(connection.detail),
            next_attempt: failed.and_then(|part| part.next_attempt),
        });
    }
    Ok(rows)
}
