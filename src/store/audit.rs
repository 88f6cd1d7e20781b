//! The audit rows, apart from the business data: a file of their own beside a SQLite store, a
//! connection of their own on Postgres, so that an attempt is durable before its transaction
//! begins. Rows are only ever added.

use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};

use super::row::both_rows;
use super::{Result, Store};
use crate::model::SafeText;

/// Where the audit rows are: a file of their own, or the server of the store.
pub type AuditTarget = super::Target;

/// One row of the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// What it concerns; never a secret, never an amount.
    pub detail: String,
}

/// How far a trail goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditExtent {
    /// How many rows it has.
    pub rows: i64,
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
        detail: row.try_get(6)?,
    })
});

/// Rows may be added and nothing else, not even by `insert or replace`.
const SQLITE_SCHEMA: &str = "
create table if not exists audit (
    seq integer primary key,
    at integer not null,
    op_id text not null,
    action text not null,
    state text not null check (state in ('ATTEMPTED', 'SUCCEEDED', 'FAILED')),
    actor text not null,
    detail text not null
) strict;
create unique index if not exists audit_one_outcome on audit (op_id, (state = 'ATTEMPTED'));
create trigger if not exists audit_no_update before update on audit
    begin select raise(abort, 'the audit trail is append-only'); end;
create trigger if not exists audit_no_delete before delete on audit
    begin select raise(abort, 'the audit trail is append-only'); end;
create trigger if not exists audit_no_replace before insert on audit
    when exists (select 1 from audit where seq = new.seq
        or (op_id = new.op_id and (state = 'ATTEMPTED') = (new.state = 'ATTEMPTED')))
    begin select raise(abort, 'the audit trail is append-only'); end;
";

const POSTGRES_SCHEMA: &str = "
create schema if not exists dashtam_audit;
create table if not exists dashtam_audit.audit (
    seq bigint primary key,
    at bigint not null,
    op_id text not null,
    action text not null,
    state text not null check (state in ('ATTEMPTED', 'SUCCEEDED', 'FAILED')),
    actor text not null,
    detail text not null
);
create unique index if not exists audit_one_outcome
    on dashtam_audit.audit (op_id, (state = 'ATTEMPTED'));
create or replace function dashtam_audit.refuse() returns trigger language plpgsql as
    $$ begin raise exception 'the audit trail is append-only'; end $$;
create or replace trigger audit_no_change before update or delete on dashtam_audit.audit
    for each row execute function dashtam_audit.refuse();
create or replace trigger audit_no_truncate before truncate on dashtam_audit.audit
    for each statement execute function dashtam_audit.refuse();
alter table dashtam_audit.audit enable always trigger audit_no_change;
alter table dashtam_audit.audit enable always trigger audit_no_truncate;
";

/// The most rows that are read at once.
const PART: i64 = 1_000;

/// One process at a time makes the schema; the number is ours alone.
const SCHEMA_LOCK: &str = "select pg_advisory_xact_lock(6034771251)";

/// The same insert for both engines.
macro_rules! insert {
    ($table:literal, $row:expr, $seq:expr, $tx:expr) => {{
        const SQL: &str = concat!(
            "insert into ",
            $table,
            " (seq, at, op_id, action, state, actor, detail) values ($1, $2, $3, $4, $5, $6, $7)"
        );
        let query = sqlx::query(SQL).bind($seq).bind($row.at).bind($row.op.clone());
        let query = query.bind($row.action.clone()).bind($row.state.clone());
        let query = query.bind($row.actor.clone()).bind($row.detail.clone());
        query.execute(&mut *$tx).await?;
    }};
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
                    .busy_timeout(Duration::from_secs(30));
                let pool = SqlitePoolOptions::new().max_connections(1);
                let pool = pool.connect_with(options).await?;
                let there: i64 = sqlx::query_scalar(
                    "select count(*) from sqlite_master where name = 'audit_no_replace'",
                )
                .fetch_one(&pool)
                .await?;
                if there == 0 {
                    let mut tx = pool.begin_with("begin immediate").await?;
                    sqlx::raw_sql(SQLITE_SCHEMA).execute(&mut *tx).await?;
                    tx.commit().await?;
                }
                Ok(Self::Sqlite(pool))
            }
            AuditTarget::Postgres(server) => {
                let options = server.options()?.application_name("dashtam audit");
                let pool = PgPoolOptions::new().max_connections(1);
                let pool = pool.acquire_timeout(Duration::from_secs(30));
                let pool = pool.connect_with(options).await?;
                let there: bool = sqlx::query_scalar(
                    "select count(*) > 0 from pg_trigger where tgname = 'audit_no_truncate' \
                     and tgrelid = to_regclass('dashtam_audit.audit')",
                )
                .fetch_one(&pool)
                .await?;
                if !there {
                    let mut tx = pool.begin().await?;
                    sqlx::query(SCHEMA_LOCK).execute(&mut *tx).await?;
                    sqlx::raw_sql(POSTGRES_SCHEMA).execute(&mut *tx).await?;
                    tx.commit().await?;
                }
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
        let there: bool = match &trail {
            Self::Sqlite(pool) => {
                sqlx::query_scalar("select count(*) > 0 from sqlite_master where name = 'audit'")
                    .fetch_one(pool)
                    .await?
            }
            Self::Postgres(pool) => {
                sqlx::query_scalar("select to_regclass('dashtam_audit.audit') is not null")
                    .fetch_one(pool)
                    .await?
            }
        };
        Ok(there.then_some(trail))
    }

    /// How far the trail goes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn extent(&self) -> Result<AuditExtent> {
        const COLUMNS: &str = "select count(*), coalesce(max(seq), 0), max(at) from ";
        let table = match self {
            Self::Sqlite(_) => "audit",
            Self::Postgres(_) => "dashtam_audit.audit",
        };
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS}{table}"));
        let (rows, last, newest) = match self {
            Self::Sqlite(pool) => sqlx::query_as(sql).fetch_one(pool).await?,
            Self::Postgres(pool) => sqlx::query_as(sql).fetch_one(pool).await?,
        };
        Ok(AuditExtent { rows, last, newest })
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

    /// Adds a row; when this returns it is durable. The sequence number is given here.
    ///
    /// # Errors
    /// When it cannot be written, or the operation has this state already.
    pub async fn append(&self, row: &AuditRow) -> Result<i64> {
        const NEXT: &str = "select coalesce(max(seq), 0) + 1 from ";
        match self {
            Self::Sqlite(pool) => {
                let mut tx = pool.begin_with("begin immediate").await?;
                let next = sqlx::AssertSqlSafe(format!("{NEXT} audit"));
                let seq: i64 = sqlx::query_scalar(next).fetch_one(&mut *tx).await?;
                insert!("audit", row, seq, tx);
                tx.commit().await?;
                Ok(seq)
            }
            Self::Postgres(pool) => {
                let mut tx = pool.begin().await?;
                sqlx::query(SCHEMA_LOCK).execute(&mut *tx).await?;
                let next = sqlx::AssertSqlSafe(format!("{NEXT} dashtam_audit.audit"));
                let seq: i64 = sqlx::query_scalar(next).fetch_one(&mut *tx).await?;
                insert!("dashtam_audit.audit", row, seq, tx);
                tx.commit().await?;
                Ok(seq)
            }
        }
    }

    /// The rows of the trail, oldest first.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn rows(&self) -> Result<Vec<AuditRow>> {
        self.select("true", None).await
    }

    /// The attempts that have no outcome yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn open_attempts(&self) -> Result<Vec<AuditRow>> {
        self.select(
            "a.state = 'ATTEMPTED' and not exists (select 1 from audit b where \
             b.op_id = a.op_id and (b.state = 'ATTEMPTED') = false)",
            None,
        )
        .await
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
        let condition = format!(
            "a.state = 'SUCCEEDED' and a.seq = (select max(seq) from audit \
             where state = 'SUCCEEDED' and action not in ('export', 'backup', 'plan.write') \
             and action not like 'vault.%' and op_id {of} (select op_id from audit where state = 'ATTEMPTED' \
             and detail like $1 escape '!'))"
        );
        Ok(self.select(&condition, Some(pattern)).await?.pop())
    }

    async fn select(&self, condition: &str, pattern: Option<String>) -> Result<Vec<AuditRow>> {
        const COLUMNS: &str = "a.seq, a.at, a.op_id, a.action, a.state, a.actor, a.detail";
        macro_rules! rows {
            ($sql:expr, $pool:expr) => {{
                let query = sqlx::query_as(sqlx::AssertSqlSafe($sql));
                match pattern {
                    Some(pattern) => query.bind(pattern).fetch_all($pool).await?,
                    None => query.fetch_all($pool).await?,
                }
            }};
        }
        Ok(match self {
            Self::Sqlite(pool) => {
                let sql = format!("select {COLUMNS} from audit a where {condition} order by a.seq");
                rows!(sql, pool)
            }
            Self::Postgres(pool) => {
                let condition = condition.replace("from audit", "from dashtam_audit.audit");
                let sql = format!(
                    "select {COLUMNS} from dashtam_audit.audit a where {condition} order by a.seq"
                );
                rows!(sql, pool)
            }
        })
    }

    /// The number of the newest row; 0: there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn newest(&self) -> Result<i64> {
        const NEWEST: &str = "select coalesce(max(seq), 0) from";
        Ok(match self {
            Self::Sqlite(pool) => {
                let sql = format!("{NEWEST} audit");
                sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(pool).await?
            }
            Self::Postgres(pool) => {
                let sql = format!("{NEWEST} dashtam_audit.audit");
                sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(pool).await?
            }
        })
    }

    /// Some rows behind this number, oldest first, and none behind the other one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn rows_between(&self, after: i64, until: i64) -> Result<Vec<AuditRow>> {
        let end = until.min(after.saturating_add(PART));
        self.select(&format!("a.seq > {after} and a.seq <= {end}"), None).await
    }

    /// Ends the connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}
