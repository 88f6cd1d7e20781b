//! What services told of spans of time while a first history is asked for. It is no change of the
//! store: no figure sees it, no revision tells of it and no operation is marked.

use super::cell::Cell;
use super::record::Record;
use super::row::both_rows;
use super::{Result, Store, Tx, WriteTx, on_tx};
use crate::model::{ConnectionId, SafeText};

/// What a service told of an account in a span of time, both ends in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldWindow {
    /// Of which connection.
    pub connection: ConnectionId,
    /// Of which account, by the id of its provider.
    pub remote: SafeText,
    /// From when, in microseconds since the epoch.
    pub first: i64,
    /// Until when, in microseconds since the epoch.
    pub last: i64,
    /// In the words of the service.
    pub told: String,
}

struct CheckedWindow(ToldWindow, i64);

both_rows!(CheckedWindow, |row| {
    Ok(Self(
        ToldWindow {
            connection: ConnectionId(row.try_get(0)?),
            remote: SafeText::new(row.try_get(1)?),
            first: row.try_get(2)?,
            last: row.try_get(3)?,
            told: row.try_get(4)?,
        },
        row.try_get(5)?,
    ))
});

impl Record for ToldWindow {
    const TABLE: &'static str = "told_windows";
    const COLUMNS: &'static [&'static str] =
        &["connection_id", "remote_id", "first", "last", "told"];
    const KEYS: usize = 3;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.connection.0)),
            Cell::text(&self.remote),
            Cell::Int(Some(self.first)),
            Cell::Int(Some(self.last)),
            Cell::text(&self.told),
        ]);
    }
}

impl Tx {
    /// What was told of an account, the newest first, without what is damaged: that can be asked for
    /// again.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn told_windows(
        &mut self,
        connection: ConnectionId,
        remote: &SafeText,
    ) -> Result<Vec<ToldWindow>> {
        const SQL: &str = "select connection_id, remote_id, first, last, told, checksum \
             from told_windows where connection_id = $1 and remote_id = $2 order by first desc";
        let rows: Vec<CheckedWindow> = on_tx!(self, conn => {
            let query = sqlx::query_as(SQL).bind(connection.0).bind(remote.to_string());
            query.fetch_all(&mut **conn).await?
        });
        let is_whole = |row: &CheckedWindow| row.0.checksum() == row.1;
        Ok(rows.into_iter().filter(is_whole).map(|row| row.0).collect())
    }
}

impl Store {
    /// Keeps what was told, over what was told since the same instant; durable when this returns. Who may
    /// not any more at the end of it keeps nothing, and is told false.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn keep_told(
        &self,
        row: &ToldWindow,
        may: impl Future<Output = bool> + Send,
    ) -> Result<bool> {
        let mut tx = self.write().await?;
        tx.remove(row).await?;
        tx.insert(std::slice::from_ref(row)).await?;
        if !may.await {
            tx.rollback().await?;
            return Ok(false);
        }
        tx.commit_unmarked().await?;
        Ok(true)
    }

    /// Forgets what was told of an account since an instant: it is asked for again.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_told_since(
        &self,
        connection: ConnectionId,
        remote: &SafeText,
        first: i64,
    ) -> Result<()> {
        const SQL: &str =
            "delete from told_windows where connection_id = $1 and remote_id = $2 and first >= $3";
        let mut tx = self.write().await?;
        on_tx!(&mut tx.tx, conn => {
            let query = sqlx::query(SQL).bind(connection.0).bind(remote.to_string()).bind(first);
            query.execute(&mut **conn).await?;
        });
        tx.commit_unmarked().await
    }
}

impl WriteTx {
    /// Forgets what was told of all accounts of a connection: it is stored as rows, or not wanted.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_told(&mut self, connection: ConnectionId) -> Result<()> {
        const SQL: &str = "delete from told_windows where connection_id = $1";
        on_tx!(&mut self.tx, conn => {
            sqlx::query(SQL).bind(connection.0).execute(&mut **conn).await?;
        });
        Ok(())
    }
}
