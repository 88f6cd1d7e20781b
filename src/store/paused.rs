//! Connections that their owner lets rest.

use std::collections::BTreeMap;

use super::cell::Cell;
use super::record::Record;
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::ConnectionId;

struct PausedRecord {
    connection: ConnectionId,
    since: i64,
}

impl Record for PausedRecord {
    const TABLE: &'static str = "paused";
    const COLUMNS: &'static [&'static str] = &["connection_id", "since"];

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([Cell::Int(Some(self.connection.0)), Cell::Int(Some(self.since))]);
    }
}

impl Tx {
    /// The connections that rest, and since when, in microseconds since the epoch.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn paused(&mut self) -> Result<BTreeMap<ConnectionId, i64>> {
        const SQL: &str = "select connection_id, since from paused order by connection_id";
        let rows: Vec<(i64, i64)> =
            on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?);
        Ok(rows.into_iter().map(|(id, since)| (ConnectionId(id), since)).collect())
    }
}

impl WriteTx {
    /// Lets a connection rest from an instant on; none: it goes on.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_paused(&mut self, connection: ConnectionId, since: Option<i64>) -> Result<()> {
        // Since when does not matter to what is taken away.
        self.remove(&PausedRecord { connection, since: 0 }).await?;
        match since {
            Some(since) => self.insert(&[PausedRecord { connection, since }]).await,
            None => Ok(()),
        }
    }
}
