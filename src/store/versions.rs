//! What things were before each change: nothing is ever simply written over.

use super::cell::Cell;
use super::record::Record;
use super::row::both_rows;
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::{BatchId, TransactionId};

/// What a transaction was before a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Which transaction.
    pub transaction: TransactionId,
    /// The version that was replaced.
    pub version: i64,
    /// When, in microseconds since the epoch.
    pub replaced: i64,
    /// By which operation.
    pub op: String,
    /// By which import.
    pub batch: Option<BatchId>,
    /// By what sort of change: `source`, `edit`, `delete`, `restore`, `undo`, `merge`.
    pub cause: String,
    /// The whole row, as JSON.
    pub body: String,
}

/// What something else was before a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityVersion {
    /// `account`, `security`, `setting`.
    pub entity: &'static str,
    /// Its id.
    pub id: i64,
    /// The version that was replaced.
    pub version: i64,
    /// When, in microseconds since the epoch.
    pub replaced: i64,
    /// By which operation.
    pub op: String,
    /// The whole row, as JSON.
    pub body: String,
}

pub(super) struct CheckedVersion(pub Version, pub i64);

both_rows!(CheckedVersion, |row| {
    Ok(Self(
        Version {
            transaction: TransactionId(row.try_get(0)?),
            version: row.try_get(1)?,
            replaced: row.try_get(2)?,
            op: row.try_get(3)?,
            batch: row.try_get::<Option<i64>, _>(4)?.map(BatchId),
            cause: row.try_get(5)?,
            body: row.try_get(6)?,
        },
        row.try_get(7)?,
    ))
});

impl Record for Version {
    const TABLE: &'static str = "transaction_versions";
    const COLUMNS: &'static [&'static str] =
        &["transaction_id", "version", "replaced", "op_id", "batch_id", "cause", "body"];
    const KEYS: usize = 2;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.transaction.0)),
            Cell::Int(Some(self.version)),
            Cell::Int(Some(self.replaced)),
            Cell::text(&self.op),
            Cell::Int(self.batch.map(|id| id.0)),
            Cell::text(&self.cause),
            Cell::text(&self.body),
        ]);
    }
}

impl Record for EntityVersion {
    const TABLE: &'static str = "entity_versions";
    const COLUMNS: &'static [&'static str] =
        &["entity", "entity_id", "version", "replaced", "op_id", "body"];
    const KEYS: usize = 3;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Text(Some(self.entity)),
            Cell::Int(Some(self.id)),
            Cell::Int(Some(self.version)),
            Cell::Int(Some(self.replaced)),
            Cell::text(&self.op),
            Cell::text(&self.body),
        ]);
    }
}

const COLUMNS: &str = "transaction_id, version, replaced, op_id, batch_id, cause, body, checksum";

impl Tx {
    /// What a transaction was before each of its changes, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn versions(&mut self, id: TransactionId) -> Result<Vec<Version>> {
        let sql = format!(
            "select {COLUMNS} from transaction_versions where transaction_id = $1 order by version"
        );
        let rows: Vec<CheckedVersion> = on_tx!(self, conn => {
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(id.0).fetch_all(&mut **conn).await?
        });
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// What the things of a sort were before each change of a kind: their ids and bodies.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn entity_versions(
        &mut self,
        entity: &str,
        action: &str,
    ) -> Result<Vec<(i64, String)>> {
        const SQL: &str = "select v.entity_id, v.body from entity_versions v \
             join applied_ops o on o.op_id = v.op_id where v.entity = $1 and o.action = $2 \
             order by v.entity_id, v.version";
        Ok(on_tx!(self, conn => {
            sqlx::query_as(SQL)
                .bind(entity.to_owned())
                .bind(action.to_owned())
                .fetch_all(&mut **conn)
                .await?
        }))
    }

    pub(super) async fn checked_versions(&mut self) -> Result<Vec<CheckedVersion>> {
        let sql =
            format!("select {COLUMNS} from transaction_versions order by transaction_id, version");
        Ok(on_tx!(self, conn => {
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(&mut **conn).await?
        }))
    }
}

impl WriteTx {
    /// Keeps what transactions were.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_versions(&mut self, rows: &[Version]) -> Result<()> {
        self.insert(rows).await
    }

    /// Writes an older version over itself: for what no source ever said.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn update_version(&mut self, row: &Version) -> Result<()> {
        self.update(row).await
    }

    /// Keeps what something else was.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_entity_version(&mut self, row: &EntityVersion) -> Result<()> {
        self.insert(std::slice::from_ref(row)).await
    }
}
