//! Who said what of a thing that is no row of a file: an account, a security, a setting, a balance.
//! What is said, and what follows from it, the ledger knows.

use super::cell::Cell;
use super::record::Record;
use super::row::both_rows;
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::BatchId;

/// What an import said of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saying {
    /// What sort of thing.
    pub entity: String,
    /// Which of them.
    pub key: String,
    /// The revision with which it was said; 0: before anybody said anything.
    pub revision: i64,
    /// By which import; 0: by nobody, or by a person's hand.
    pub batch: BatchId,
    /// Fields and values, as JSON.
    pub fields: String,
}

both_rows!(Saying, |row| {
    Ok(Self {
        entity: row.try_get(0)?,
        key: row.try_get(1)?,
        revision: row.try_get(2)?,
        batch: BatchId(row.try_get(3)?),
        fields: row.try_get(4)?,
    })
});

impl Record for Saying {
    const TABLE: &'static str = "sayings";
    const COLUMNS: &'static [&'static str] = &["entity", "key", "revision", "batch_id", "fields"];
    const KEYS: usize = 4;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::text(&self.entity),
            Cell::text(&self.key),
            Cell::Int(Some(self.revision)),
            Cell::Int(Some(self.batch.0)),
            Cell::text(&self.fields),
        ]);
    }
}

impl Tx {
    /// What was said of one thing, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sayings_of(&mut self, entity: &str, key: &str) -> Result<Vec<Saying>> {
        const SQL: &str = "select entity, key, revision, batch_id, fields from sayings \
             where entity = $1 and key = $2 order by revision, batch_id";
        Ok(on_tx!(self, conn => {
            let query = sqlx::query_as(SQL).bind(entity.to_owned()).bind(key.to_owned());
            query.fetch_all(&mut **conn).await?
        }))
    }

    /// Everything that was said of the things of which this import said something, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sayings_beside(&mut self, batch: BatchId) -> Result<Vec<Saying>> {
        const SQL: &str = "select s.entity, s.key, s.revision, s.batch_id, s.fields \
             from sayings s where exists (select 1 from sayings b where b.batch_id = $1 and \
             b.entity = s.entity and b.key = s.key) order by 1, 2, 3, 4";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).bind(batch.0).fetch_all(&mut **conn).await?))
    }

    /// The accounts, or the securities, of which an import says something.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn declared(&mut self, entity: &str) -> Result<Vec<i64>> {
        const SQL: &str = "select distinct cast(key as bigint) from sayings where entity = $1 and \
             batch_id > 0 order by 1";
        Ok(on_tx!(self, conn => {
            sqlx::query_scalar(SQL).bind(entity.to_owned()).fetch_all(&mut **conn).await?
        }))
    }
}

impl WriteTx {
    /// Keeps what is said, over what the same said before with the same revision.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_sayings(&mut self, rows: &[Saying]) -> Result<()> {
        for row in rows {
            self.remove(row).await?;
        }
        self.insert(rows).await
    }

    /// Takes away what an import said.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_sayings_of(&mut self, batch: BatchId) -> Result<()> {
        const SQL: &str = "delete from sayings where batch_id = $1";
        on_tx!(&mut self.tx, conn => sqlx::query(SQL).bind(batch.0).execute(&mut **conn).await.map(drop)?);
        Ok(())
    }

    /// Lets what was said of one thing be said of another.
    pub(crate) async fn move_sayings(
        &mut self,
        entity: &str,
        from: &str,
        into: &str,
    ) -> Result<()> {
        let there = self.sayings_of(entity, into).await?;
        let mut moved = self.sayings_of(entity, from).await?;
        self.remove_all(&moved).await?;
        let is_there = |saying: &Saying| {
            let place = (saying.revision, saying.batch);
            there.iter().any(|other| (other.revision, other.batch) == place)
        };
        moved.retain(|saying| !is_there(saying));
        for saying in &mut moved {
            into.clone_into(&mut saying.key);
        }
        self.insert(&moved).await
    }

    /// Takes away what was said of a thing that is no more.
    pub(super) async fn forget_sayings_about(&mut self, entity: &str, id: i64) -> Result<()> {
        const SQL: &str = "delete from sayings where entity = $1 and key = $2";
        on_tx!(&mut self.tx, conn => {
            let query = sqlx::query(SQL).bind(entity.to_owned()).bind(id.to_string());
            query.execute(&mut **conn).await?;
        });
        Ok(())
    }
}
