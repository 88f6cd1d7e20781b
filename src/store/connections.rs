//! Connections to providers, and how it went when each part of them was fetched last.

use std::fmt::Display;

use super::cell::Cell;
use super::record::Record;
use super::row::{both_rows, safe, word};
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::{AccountId, Connection, ConnectionId, Part, SafeText};

/// How it went when a part of what a connection brings was fetched last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshRecord {
    /// Whose.
    pub connection: ConnectionId,
    /// What.
    pub part: Part,
    /// When it was tried last, in microseconds since the epoch.
    pub attempted: i64,
    /// When it went well last; what was left out since is later, so that it is asked for again.
    pub succeeded: Option<i64>,
    /// How often in a row it has failed.
    pub failures: i64,
    /// Why it failed, or what was left out.
    pub why: Option<SafeText>,
    /// Not to be tried again before.
    pub next_attempt: Option<i64>,
}

impl RefreshRecord {
    /// Keeps why something of an instant was left out, and that it is to be asked for again.
    pub fn leave_out(&mut self, at: i64, what: &SafeText, why: &impl Display) {
        self.succeeded = self.succeeded.map(|succeeded| succeeded.min(at));
        let why = match &self.why {
            Some(before) => format!("{before}; {what}: {why}"),
            None => format!("{what}: {why}"),
        };
        self.why = Some(SafeText::capped(&why, 1024));
    }
}

pub(super) struct CheckedConnection(pub Connection, pub i64);

both_rows!(CheckedConnection, |row| {
    Ok(Self(
        Connection {
            id: ConnectionId(row.try_get(0)?),
            provider: SafeText::new(row.try_get(1)?),
            label: SafeText::new(row.try_get(2)?),
            state: word(row.try_get(3)?, "state")?,
            since: row.try_get(4)?,
            consent_expires: row.try_get(5)?,
            detail: safe(row.try_get(6)?),
        },
        row.try_get(7)?,
    ))
});

both_rows!(RefreshRecord, |row| {
    Ok(Self {
        connection: ConnectionId(row.try_get(0)?),
        part: word(row.try_get(1)?, "part")?,
        attempted: row.try_get(2)?,
        succeeded: row.try_get(3)?,
        failures: row.try_get(4)?,
        why: safe(row.try_get(5)?),
        next_attempt: row.try_get(6)?,
    })
});

impl Record for Connection {
    const TABLE: &'static str = "connections";
    const COLUMNS: &'static [&'static str] =
        &["id", "provider", "label", "state", "state_since", "consent_expires", "detail"];

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.id.0)),
            Cell::text(&self.provider),
            Cell::text(&self.label),
            Cell::Text(Some(self.state.as_str())),
            Cell::Int(Some(self.since)),
            Cell::Int(self.consent_expires),
            Cell::text(&self.detail),
        ]);
    }
}

impl Record for RefreshRecord {
    const TABLE: &'static str = "refreshes";
    const COLUMNS: &'static [&'static str] =
        &["connection_id", "part", "attempted", "succeeded", "failures", "why", "next_attempt"];
    const KEYS: usize = 2;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.connection.0)),
            Cell::Text(Some(self.part.as_str())),
            Cell::Int(Some(self.attempted)),
            Cell::Int(self.succeeded),
            Cell::Int(Some(self.failures)),
            Cell::text(&self.why),
            Cell::Int(self.next_attempt),
        ]);
    }
}

/// Which account an account of a connection is.
struct RemoteRecord {
    connection: ConnectionId,
    remote: SafeText,
    account: AccountId,
}

impl Record for RemoteRecord {
    const TABLE: &'static str = "remote_accounts";
    const COLUMNS: &'static [&'static str] = &["connection_id", "remote_id", "account_id"];
    const KEYS: usize = 2;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.connection.0)),
            Cell::text(&self.remote),
            Cell::Int(Some(self.account.0)),
        ]);
    }
}

impl Tx {
    /// Every connection, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn connections(&mut self) -> Result<Vec<Connection>> {
        Ok(self.checked_connections().await?.into_iter().map(|row| row.0).collect())
    }

    pub(super) async fn checked_connections(&mut self) -> Result<Vec<CheckedConnection>> {
        const SQL: &str = "select id, provider, label, state, state_since, consent_expires, detail, \
             checksum from connections order by id";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }

    /// How each part was fetched last, by connection and part.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn refreshes(&mut self) -> Result<Vec<RefreshRecord>> {
        const SQL: &str = "select connection_id, part, attempted, succeeded, failures, why, \
             next_attempt from refreshes order by connection_id, part";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }

    /// Which accounts those of a connection are, by the ids of its provider.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn remote_accounts(
        &mut self,
        connection: ConnectionId,
    ) -> Result<Vec<(SafeText, AccountId)>> {
        const SQL: &str = "select remote_id, account_id from remote_accounts \
             where connection_id = $1 order by remote_id";
        let rows: Vec<(String, i64)> = on_tx!(self, conn => {
            sqlx::query_as(SQL).bind(connection.0).fetch_all(&mut **conn).await?
        });
        Ok(rows.into_iter().map(|(id, account)| (SafeText::new(&id), AccountId(account))).collect())
    }
}

impl WriteTx {
    /// Keeps which account an account of a connection is, whichever it was before.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_remote_account(
        &mut self,
        connection: ConnectionId,
        remote: &SafeText,
        account: AccountId,
    ) -> Result<()> {
        let row = RemoteRecord { connection, remote: remote.clone(), account };
        self.remove(&row).await?;
        self.insert(&[row]).await
    }

    /// Lets what connections know one account by lead to another.
    pub(super) async fn lead_remote(&mut self, from: AccountId, into: AccountId) -> Result<()> {
        const SQL: &str = "select connection_id, remote_id from remote_accounts \
             where account_id = $1 order by connection_id, remote_id";
        let rows: Vec<(i64, String)> = on_tx!(&mut self.tx, conn => sqlx::query_as(SQL).bind(from.0).fetch_all(&mut **conn).await?);
        for (connection, remote) in rows {
            let (connection, remote) = (ConnectionId(connection), SafeText::new(&remote));
            self.update(&RemoteRecord { connection, remote, account: into }).await?;
        }
        Ok(())
    }

    /// Adds a connection whose id and label are new.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_connection(&mut self, row: &Connection) -> Result<()> {
        self.insert(std::slice::from_ref(row)).await
    }

    /// Writes a connection over what it was.
    ///
    /// # Errors
    /// When the database refuses or there is no such connection.
    pub async fn update_connection(&mut self, row: &Connection) -> Result<()> {
        self.update(row).await
    }

    /// Keeps how a part was fetched, over how it was before.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_refresh(&mut self, row: &RefreshRecord) -> Result<()> {
        self.remove(row).await?;
        self.insert(std::slice::from_ref(row)).await
    }
}
