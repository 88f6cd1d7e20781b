//! How the connections to providers are: when they told something last, why not since, and what is
//! left of the limits of their services.

use chrono::TimeDelta;

use super::Result;
use crate::http::Limit;
use crate::model::{Connection, SafeText};
use crate::provider::{self, Auth, Entry};
use crate::store::{RefreshRecord, Tx, quota_of};

/// A connection as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRow {
    /// The connection.
    pub connection: Connection,
    /// What its provider is called.
    pub title: SafeText,
    /// It shows something to its service, which the vault keeps.
    pub needs_key: bool,
    /// It knows nothing new before so many seconds.
    pub renews_within: i64,
    /// How many accounts it fills.
    pub accounts: usize,
    /// How many requests are left of those of a day, and how many those are; none: a day has no limit.
    /// One of seconds is waited for, and is nothing that a person has to know.
    pub left: Option<(u32, u32)>,
    /// Since when its owner lets it rest, in microseconds since the epoch.
    pub paused: Option<i64>,
    /// How its accounts, or else its prices, were fetched last.
    pub last: Option<RefreshRecord>,
    /// When a part of it was fetched last, in microseconds since the epoch.
    pub succeeded: Option<i64>,
    /// Why a part of it cannot be fetched, or what was left out of one.
    pub why: Option<SafeText>,
    /// When that is tried again.
    pub next_attempt: Option<i64>,
}

/// Every connection that its owner did not end, as it is at an instant.
///
/// # Errors
/// When the store cannot be read.
pub async fn connections(tx: &mut Tx, now: i64) -> Result<Vec<ConnectionRow>> {
    let (refreshes, paused) = (tx.refreshes().await?, tx.paused().await?);
    let (accounts, quotas) = (tx.accounts().await?, tx.quotas().await?);
    let mut rows = Vec::new();
    for connection in tx.connections().await? {
        if connection.is_over() {
            continue;
        }
        let parts = || refreshes.iter().filter(|part| part.connection == connection.id);
        let failed = parts().find(|part| part.failures > 0);
        let left_out = parts().find(|part| part.why.is_some());
        let why = failed.or(left_out).and_then(|part| part.why.clone());
        let entry = provider::named(&connection.provider).ok();
        let used = quotas.get(&quota_of(connection.id)).map(Vec::as_slice).unwrap_or_default();
        rows.push(ConnectionRow {
            title: SafeText::new(entry.map_or(connection.provider.as_str(), |entry| entry.title)),
            needs_key: entry.is_some_and(|entry| !matches!(entry.auth, Auth::Nobody)),
            renews_within: entry.map_or(0, |entry| entry.renews_within),
            accounts: accounts.iter().filter(|it| it.connection == Some(connection.id)).count(),
            left: entry.and_then(|entry| left(entry, used, now)),
            paused: paused.get(&connection.id).copied(),
            last: parts().min_by_key(|last| last.part).cloned(),
            succeeded: parts().filter_map(|part| part.succeeded).max(),
            why: why.or_else(|| connection.detail.clone()),
            next_attempt: failed.and_then(|part| part.next_attempt),
            connection,
        });
    }
    Ok(rows)
}

/// What is left of the limit of a day.
fn left(entry: &Entry, used: &[i64], now: i64) -> Option<(u32, u32)> {
    let left = |limit: &Limit| {
        let span = limit.span.num_microseconds().unwrap_or(i64::MAX);
        let since = now.saturating_sub(span);
        let count = used.iter().filter(|at| **at > since).count();
        (limit.most.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX)), limit.most)
    };
    entry.limits.iter().filter(|limit| limit.span == TimeDelta::days(1)).map(left).min()
}
