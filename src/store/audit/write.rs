//! Adding rows to the trail, and taking away those that may go. Whoever signs a row does so while
//! nobody else can add one.

use sqlx::{Postgres, Sqlite, Transaction};

use super::super::{Result, server};
use super::on::asked;
use super::{AuditRow, AuditStore, columns, guards, read, schema};

/// A row is being added; nobody else adds one meanwhile. Dropped, nothing happened.
#[derive(Debug)]
pub enum AuditTx {
    /// To a file.
    Sqlite(Transaction<'static, Sqlite>),
    /// To a server.
    Postgres(Transaction<'static, Postgres>),
}

impl AuditStore {
    /// Begins to add rows, when nobody else does.
    ///
    /// # Errors
    /// When the trail cannot be written, or somebody else writes for too long.
    pub async fn begin(&self) -> Result<AuditTx> {
        Ok(match self {
            Self::Sqlite(pool) => AuditTx::Sqlite(pool.begin_with(schema::WRITE).await?),
            Self::Postgres(pool) => {
                let mut tx = server::begin(pool, "begin").await?;
                sqlx::query(schema::LOCK).execute(&mut *tx).await?;
                AuditTx::Postgres(tx)
            }
        })
    }
}

impl AuditTx {
    /// The number of the newest row; 0: there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn last(&mut self) -> Result<i64> {
        const SQL: &str = "select coalesce(max(seq), 0) from {audit}";
        Ok(asked!(self.on(), sqlx::query_scalar, SQL, |query| query, fetch_one))
    }

    /// Some rows of a chain from this link on, in their order.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn links(&mut self, chain: &str, from: i64) -> Result<Vec<AuditRow>> {
        let sql = read::links();
        Ok(asked!(self.on(), sqlx::query_as, sql, |query| query.bind(chain).bind(from), fetch_all))
    }

    /// Some rows without a chain behind this number, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn loose(&mut self, after: i64) -> Result<Vec<AuditRow>> {
        Ok(asked!(self.on(), sqlx::query_as, read::loose(), |query| query.bind(after), fetch_all))
    }

    /// The last row of a chain before its first one of this instant or later, or of those without a
    /// chain.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn last_before(&mut self, chain: &str, at: i64) -> Result<Option<AuditRow>> {
        let sql = format!(
            "select {} from {{audit}} a where chain = $1 and seq < coalesce(\
             (select min(seq) from {{audit}} where chain = $1 and at >= $2), {}) \
             order by seq desc limit 1",
            columns(),
            i64::MAX
        );
        Ok(asked!(
            self.on(),
            sqlx::query_as,
            sql,
            |query| query.bind(chain).bind(at),
            fetch_optional
        ))
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When it is refused: its number, or the state of its operation, is there already.
    pub async fn insert(&mut self, row: &AuditRow) -> Result<()> {
        const SQL: &str = "insert into {audit} (seq, at, op_id, action, state, actor, subject, \
             detail, chain, link, hash) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning seq";
        let row = row.clone();
        let _: i64 = asked!(
            self.on(),
            sqlx::query_scalar,
            SQL,
            |query| query
                .bind(row.seq)
                .bind(row.at)
                .bind(row.op)
                .bind(row.action)
                .bind(row.state)
                .bind(row.actor)
                .bind(row.subject)
                .bind(row.detail)
                .bind(row.chain)
                .bind(row.link)
                .bind(row.hash),
            fetch_one
        );
        Ok(())
    }

    /// Takes the links of a chain up to this one away, and the rows without a chain up to this number;
    /// tells how many there were. What guards the trail stands aside for this transaction.
    ///
    /// # Errors
    /// When the database refuses, as it does where another role owns the trail.
    pub async fn purge(&mut self, chain: &str, link: i64, loose: i64) -> Result<u64> {
        const SQL: &str = "delete from {audit} where chain = $1 and chain <> '' and link <= $2 \
             or chain = '' and seq <= $3";
        const ALTER: &str = "alter table dashtam_audit.audit";
        match self {
            Self::Sqlite(tx) => {
                sqlx::raw_sql("drop trigger audit_no_delete").execute(&mut **tx).await?;
                let query = sqlx::query(sqlx::AssertSqlSafe(SQL.replace("{audit}", "audit")));
                let gone = query.bind(chain).bind(link).bind(loose).execute(&mut **tx).await?;
                sqlx::raw_sql(guards::SQLITE_NO_DELETE).execute(&mut **tx).await?;
                Ok(gone.rows_affected())
            }
            Self::Postgres(tx) => {
                let aside = format!("{ALTER} disable trigger audit_no_change");
                sqlx::raw_sql(sqlx::AssertSqlSafe(aside)).execute(&mut **tx).await?;
                let sql = SQL.replace("{audit}", "dashtam_audit.audit");
                let query = sqlx::query(sqlx::AssertSqlSafe(sql));
                let gone = query.bind(chain).bind(link).bind(loose).execute(&mut **tx).await?;
                let back = format!("{ALTER} enable always trigger audit_no_change");
                sqlx::raw_sql(sqlx::AssertSqlSafe(back)).execute(&mut **tx).await?;
                Ok(gone.rows_affected())
            }
        }
    }

    /// Makes what was added durable.
    ///
    /// # Errors
    /// When it cannot be; then nobody knows until somebody looks.
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}
