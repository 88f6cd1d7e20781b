//! The audit rows, apart from the business data: a file of their own beside a SQLite store, a
//! connection of their own on Postgres, so that an attempt is durable before its transaction
//! begins. Rows are only ever added.

mod guards;
mod on;
mod owner;
mod read;
mod schema;
mod write;

use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};

use super::connect;
use super::row::both_rows;
use super::{Result, Store};
use crate::model::SafeText;

use on::asked;
pub use owner::{AUDIT_OWNER, AuditGuard};
pub use read::{AuditChain, AuditFilter};
pub use write::AuditTx;

/// Where the audit rows are: a file of their own, or the server of the store.
pub type AuditTarget = super::Target;

/// One row of the trail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditRow {
    /// Counts up without gaps.
    pub seq: i64,
    /// Microseconds since the epoch.
    pub at: i64,
    /// The operation.
    pub op: String,
    /// What it does.
    pub action: String,
    /// `ATTEMPTED`, `SUCCEEDED` or `FAILED`.
    pub state: String,
    /// Who: host and process.
    pub actor: String,
    /// What sort of thing it is done to.
    pub subject: String,
    /// What it concerns; never a secret, never an amount.
    pub detail: String,
    /// The chain it is a link of; empty: it was written before there were chains.
    pub chain: String,
    /// Which link, from 0 on.
    pub link: i64,
    /// What proves the row and all before it in its chain.
    pub hash: Vec<u8>,
}

/// How far a trail goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditExtent {
    /// How many rows it has.
    pub rows: i64,
    /// The number of its first row.
    pub first: i64,
    /// The number of its last row.
    pub last: i64,
    /// When the newest was written, in microseconds since the epoch.
    pub newest: Option<i64>,
}

/// Before the name of a database other than the usual one of its folder, in the detail of an attempt.
pub const ELSEWHERE: &str = "database=";

/// A text that stands for itself in a pattern.
fn literal(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

/// The trail. One connection, since only one row is ever written at a time.
#[derive(Clone, Debug)]
pub enum AuditStore {
    /// A file.
    Sqlite(SqlitePool),
    /// A server.
    Postgres(PgPool),
}

both_rows!(AuditRow, |row| {
    Ok(Self {
        seq: row.try_get(0)?,
        at: row.try_get(1)?,
        op: row.try_get(2)?,
        action: row.try_get(3)?,
        state: row.try_get(4)?,
        actor: row.try_get(5)?,
        subject: row.try_get(6)?,
        detail: row.try_get(7)?,
        chain: row.try_get(8)?,
        link: row.try_get(9)?,
        hash: row.try_get(10)?,
    })
});

/// The most rows that are read at once.
const PART: i64 = 1_000;

/// What is read of a row of `a`, in the order of its fields.
const fn columns() -> &'static str {
    "a.seq, a.at, a.op_id, a.action, a.state, a.actor, a.subject, a.detail, a.chain, a.link, a.hash"
}

impl AuditStore {
    /// Opens the trail, made when it is new.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn open(target: &AuditTarget) -> Result<Self> {
        match target {
            AuditTarget::Sqlite(path) => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .pragma("recursive_triggers", "on")
                    .pragma("query_only", "on")
                    .busy_timeout(Duration::from_secs(30));
                let pool = connect::sound_pool().max_connections(1);
                // Only a record that is being added may write, and only while it is.
                let pool = pool.before_acquire(|conn, _| {
                    Box::pin(async move {
                        sqlx::query("pragma query_only = on").execute(conn).await?;
                        Ok(true)
                    })
                });
                let pool = pool.connect_with(options).await?;
                schema::make_sqlite(&pool).await?;
                Ok(Self::Sqlite(pool))
            }
            AuditTarget::Postgres(server) => {
                let options = server.options()?.application_name("dashtam audit");
                let pool = PgPoolOptions::new().max_connections(1);
                let pool = pool.acquire_timeout(Duration::from_secs(30));
                let pool = pool.connect_with(options).await?;
                schema::make_postgres(&pool).await?;
                Ok(Self::Postgres(pool))
            }
        }
    }

    /// Opens a trail that is there, to look only; none: there is none yet.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn open_to_examine(target: &AuditTarget) -> Result<Option<Self>> {
        if matches!(target, AuditTarget::Sqlite(path) if !path.exists()) {
            return Ok(None);
        }
        let trail = match Store::open_to_examine(target).await? {
            Store::Sqlite(pool) => Self::Sqlite(pool),
            Store::Postgres(pool) => Self::Postgres(pool),
        };
        let (there, is_chained): (bool, bool) = match &trail {
            Self::Sqlite(pool) => {
                const SQL: &str = "select count(*) > 0, \
                     count(*) filter (where name = 'hash') > 0 from pragma_table_info('audit')";
                sqlx::query_as(SQL).fetch_one(pool).await?
            }
            Self::Postgres(pool) => {
                const SQL: &str = "select to_regclass('dashtam_audit.audit') is not null, \
                     to_regclass('dashtam_audit.audit_chain') is not null";
                sqlx::query_as(SQL).fetch_one(pool).await?
            }
        };
        if there && !is_chained {
            let why = "the trail is of an older dashtam; the next command that writes chains it";
            return Err(super::Error::Other(why.to_owned()));
        }
        Ok(there.then_some(trail))
    }

    /// How far the trail goes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn extent(&self) -> Result<AuditExtent> {
        const SQL: &str = "select count(*), coalesce(min(seq), 0), coalesce(max(seq), 0), max(at) \
             from {audit}";
        let (rows, first, last, newest) =
            asked!(self.on(), sqlx::query_as, SQL, |query| query, fetch_one);
        Ok(AuditExtent { rows, first, last, newest })
    }

    /// What the engine itself finds wrong with the trail.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub async fn self_check(&self) -> Result<Vec<SafeText>> {
        match self {
            Self::Sqlite(pool) => Store::Sqlite(pool.clone()).self_check().await,
            Self::Postgres(_) => Ok(Vec::new()),
        }
    }

    /// The rows of the trail, oldest first.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn rows(&self) -> Result<Vec<AuditRow>> {
        self.select("true").await
    }

    /// The attempts behind this number that have no outcome yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn open_attempts(&self, after: i64) -> Result<Vec<AuditRow>> {
        self.select(&format!(
            "a.seq > {after} and a.state = 'ATTEMPTED' and not exists (select 1 from {{audit}} b \
             where b.op_id = a.op_id and (b.state = 'ATTEMPTED') = false)"
        ))
        .await
    }

    /// Whether an operation has its outcome.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn has_outcome(&self, op: &str) -> Result<bool> {
        const SQL: &str =
            "select count(*) from {audit} where op_id = $1 and (state = 'ATTEMPTED') = false";
        let outcomes: i64 = asked!(
            self.on(),
            sqlx::query_scalar,
            SQL,
            |query| query.bind(op.to_owned()),
            fetch_one
        );
        Ok(outcomes > 0)
    }

    /// What was told as done last and left its mark in a store; none: nothing was. With a database,
    /// what was done in that one, of which its attempt says so; without, in the usual one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn newest_done(&self, database: Option<&str>) -> Result<Option<AuditRow>> {
        let (of, pattern) = match database {
            None => ("not in", format!("%{ELSEWHERE}%")),
            Some(name) => ("in", format!("%{ELSEWHERE}{}", literal(name))),
        };
        let sql = format!(
            "select {} from {{audit}} a where state = 'SUCCEEDED' and seq = (\
             select max(seq) from {{audit}} \
             where state = 'SUCCEEDED' and action not in ('export', 'backup', 'plan.write') \
             and action not like 'vault.%' and action not like 'audit.%' \
             and op_id {of} (select op_id from {{audit}} where state = 'ATTEMPTED' \
             and detail like $1 escape '!'))",
            columns()
        );
        Ok(asked!(self.on(), sqlx::query_as, sql, |query| query.bind(pattern), fetch_optional))
    }

    async fn select(&self, condition: &str) -> Result<Vec<AuditRow>> {
        let columns = columns();
        let sql = format!("select {columns} from {{audit}} a where {condition} order by a.seq");
        Ok(asked!(self.on(), sqlx::query_as, sql, |query| query, fetch_all))
    }

    /// The number of the newest row; 0: there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn newest(&self) -> Result<i64> {
        const SQL: &str = "select coalesce(max(seq), 0) from {audit}";
        Ok(asked!(self.on(), sqlx::query_scalar, SQL, |query| query, fetch_one))
    }

    /// Some rows behind this number, oldest first, and none behind the other one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn rows_between(&self, after: i64, until: i64) -> Result<Vec<AuditRow>> {
        let end = until.min(after.saturating_add(PART));
        self.select(&format!("a.seq > {after} and a.seq <= {end}")).await
    }

    /// Ends the connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}
