//! Claims: which imports contained a transaction, once there is more than the one that brought it.

use super::cell::Cell;
use super::record::Record;
use super::row::both_rows;
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::{BatchId, TransactionId};

/// That an import contained a row, and where. Batch 0 stands for a person's hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The row.
    pub transaction: TransactionId,
    /// The import.
    pub batch: BatchId,
    /// Which file of it.
    pub file_no: i64,
    /// Where in the file.
    pub line: i64,
    /// Its place among the rows of its account and day in the import.
    pub seq: i64,
    /// The version of the row that agrees with it; 0: it has no say.
    pub version: i64,
    /// Which of the fields that a source may leave out it said, as the ledger numbers them.
    pub said: i64,
}

both_rows!(Claim, |row| {
    Ok(Self {
        transaction: TransactionId(row.try_get(0)?),
        batch: BatchId(row.try_get(1)?),
        file_no: row.try_get(2)?,
        line: row.try_get(3)?,
        seq: row.try_get(4)?,
        version: row.try_get(5)?,
        said: row.try_get(6)?,
    })
});

impl Record for Claim {
    const TABLE: &'static str = "claims";
    const COLUMNS: &'static [&'static str] =
        &["transaction_id", "batch_id", "file_no", "line", "seq", "version", "said"];
    const KEYS: usize = 2;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.transaction.0)),
            Cell::Int(Some(self.batch.0)),
            Cell::Int(Some(self.file_no)),
            Cell::Int(Some(self.line)),
            Cell::Int(Some(self.seq)),
            Cell::Int(Some(self.version)),
            Cell::Int(Some(self.said)),
        ]);
    }
}

impl Tx {
    /// The claims of these transactions, by transaction and batch.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn claims(&mut self, ids: &[TransactionId]) -> Result<Vec<Claim>> {
        let mut found = Vec::new();
        for ids in ids.chunks(400) {
            let marks = self.marks(ids.len());
            let sql = format!(
                "select transaction_id, batch_id, file_no, line, seq, version, said from claims \
                 where transaction_id in ({marks}) order by transaction_id, batch_id"
            );
            let part: Vec<Claim> = on_tx!(self, conn => {
                let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
                for id in ids {
                    query = query.bind(id.0);
                }
                query.fetch_all(&mut **conn).await?
            });
            found.extend(part);
        }
        Ok(found)
    }
}

impl WriteTx {
    /// Adds claims that are new.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_claims(&mut self, claims: &[Claim]) -> Result<()> {
        self.insert(claims).await
    }

    /// Writes claims over those of the same row and import.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn replace_claims(&mut self, claims: &[Claim]) -> Result<()> {
        for claim in claims {
            self.remove(claim).await?;
        }
        self.insert(claims).await
    }

    /// Takes back every claim of an import.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_claims_of(&mut self, batch: BatchId) -> Result<()> {
        const SQL: &str = "delete from claims where batch_id = $1";
        on_tx!(&mut self.tx, conn => sqlx::query(SQL).bind(batch.0).execute(&mut **conn).await.map(drop)?);
        Ok(())
    }
}
