//! Sealed secrets of connections. What is in them nobody here can know.

use super::cell::Cell;
use super::record::Record;
use super::row::both_rows;
use super::{Result, Store, Tx, WriteTx, on_tx};
use crate::model::ConnectionId;

/// A secret as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    /// Whose.
    pub connection: ConnectionId,
    /// How often it was renewed, from 1 on; the newest counts.
    pub generation: i64,
    /// When it was sealed, in microseconds since the epoch.
    pub sealed_at: i64,
    /// Since when it is being exchanged for the next one. A secret that serves once must never be
    /// presented again from then on, whatever became of the exchange.
    pub presented: Option<i64>,
    /// Whether it was presented as one that serves once.
    pub serves_once: bool,
    /// For which machines it was sealed, as whoever wrote it says: good for a warning, and never to
    /// be believed.
    pub sealed_for: String,
    /// The age file.
    pub sealed: Vec<u8>,
}

pub(super) struct CheckedSecret(pub SealedSecret, pub i64);

both_rows!(CheckedSecret, |row| {
    Ok(Self(
        SealedSecret {
            connection: ConnectionId(row.try_get(0)?),
            generation: row.try_get(1)?,
            sealed_at: row.try_get(2)?,
            presented: row.try_get(3)?,
            serves_once: row.try_get(4)?,
            sealed_for: row.try_get(5)?,
            sealed: row.try_get(6)?,
        },
        row.try_get(7)?,
    ))
});

impl Record for SealedSecret {
    const TABLE: &'static str = "secrets";
    const COLUMNS: &'static [&'static str] = &[
        "connection_id",
        "generation",
        "sealed_at",
        "presented",
        "serves_once",
        "sealed_for",
        "sealed",
    ];
    const KEYS: usize = 2;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.connection.0)),
            Cell::Int(Some(self.generation)),
            Cell::Int(Some(self.sealed_at)),
            Cell::Int(self.presented),
            Cell::Bool(self.serves_once),
            Cell::Text(Some(&self.sealed_for)),
            Cell::Bytes(&self.sealed),
        ]);
    }
}

impl Tx {
    /// Every secret of every connection, those from before too, by connection and generation.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn secrets(&mut self) -> Result<Vec<SealedSecret>> {
        Ok(self.checked_secrets().await?.into_iter().map(|row| row.0).collect())
    }

    /// The newest one of a connection.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn secret(&mut self, connection: ConnectionId) -> Result<Option<SealedSecret>> {
        const SQL: &str = "select connection_id, generation, sealed_at, presented, serves_once, sealed_for, \
             sealed, checksum from secrets where connection_id = $1 order by generation desc limit 1";
        let row: Option<CheckedSecret> = on_tx!(self, conn => {
            sqlx::query_as(SQL).bind(connection.0).fetch_optional(&mut **conn).await?
        });
        Ok(row.map(|row| row.0))
    }

    pub(super) async fn checked_secrets(&mut self) -> Result<Vec<CheckedSecret>> {
        const SQL: &str = "select connection_id, generation, sealed_at, presented, serves_once, sealed_for, \
             sealed, checksum from secrets order by connection_id, generation";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }
}

impl Store {
    /// Marks the newest secret of a connection as presented, or takes the mark back; durable when this
    /// returns. False: it is not as it `was` any more, since somebody else did something with it. It is
    /// a change that no figure sees: no revision tells of it and no operation is marked.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn mark_presented(&self, was: &SealedSecret, is: &SealedSecret) -> Result<bool> {
        const SQL: &str = "update secrets set presented = $1, serves_once = $2, checksum = $3 \
             where connection_id = $4 and generation = $5 and checksum = $6 \
             and coalesce(presented, -1) = $7 \
             and not exists (select 1 from secrets s where s.connection_id = $4 and s.generation > $5)";
        // Whoever writes has read what it writes over: so one of the two waits for the other.
        let mut tx = self.write().await?;
        let changed = on_tx!(&mut tx.tx, conn => {
            let query = sqlx::query(SQL).bind(is.presented).bind(is.serves_once);
            let query = query.bind(is.checksum()).bind(is.connection.0).bind(is.generation);
            let query = query.bind(was.checksum()).bind(was.presented.unwrap_or(-1));
            query.execute(&mut **conn).await?.rows_affected()
        });
        tx.commit_unmarked().await?;
        Ok(changed == 1)
    }
}

impl WriteTx {
    /// Adds a generation that is new. Those before the last one are forgotten.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_secret(&mut self, row: &SealedSecret) -> Result<()> {
        const FORGET: &str = "delete from secrets where connection_id = $1 and generation < $2";
        self.insert(std::slice::from_ref(row)).await?;
        on_tx!(&mut self.tx, conn => {
            let query = sqlx::query(FORGET).bind(row.connection.0).bind(row.generation - 1);
            query.execute(&mut **conn).await?;
        });
        Ok(())
    }

    /// Writes a secret over what it was, sealed for others or presented.
    ///
    /// # Errors
    /// When the database refuses or there is no such secret.
    pub async fn update_secret(&mut self, row: &SealedSecret) -> Result<()> {
        self.update(row).await
    }

    /// Marks every secret that serves once as presented, but those that are damaged: where a store was
    /// put back to an earlier day, nobody knows which of them were. Gives their connections.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn spend_secrets(&mut self, at: i64) -> Result<Vec<ConnectionId>> {
        let rows = self.checked_secrets().await?;
        let mut spent: Vec<ConnectionId> = Vec::new();
        for CheckedSecret(row, checksum) in rows {
            if !row.serves_once || row.checksum() != checksum {
                continue;
            }
            let presented = row.presented.or(Some(at));
            self.update_secret(&SealedSecret { presented, ..row.clone() }).await?;
            spent.push(row.connection);
        }
        spent.dedup();
        Ok(spent)
    }

    /// Forgets all secrets of a connection.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn remove_secrets(&mut self, connection: ConnectionId) -> Result<()> {
        const SQL: &str = "delete from secrets where connection_id = $1";
        on_tx!(&mut self.tx, conn => {
            sqlx::query(SQL).bind(connection.0).execute(&mut **conn).await?;
        });
        Ok(())
    }
}
