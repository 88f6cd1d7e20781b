//! What keeps the rows of a trail as they were written, in the database itself: whether it is there as
//! it was made, and making it again. Whoever owns the file, or the table on a server, can take it away,
//! and nothing refuses that; it is seen and told.

use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};

use super::super::Result;
use super::on::On;
use super::{AuditStore, AuditTx, schema};

/// In a file: names, and how each is made. By these rows may be added and nothing else, not even by
/// `insert or replace`.
const IN_A_FILE: &[(&str, &str)] = &[
    (
        "audit_one_outcome",
        "create unique index audit_one_outcome on audit (op_id, (state = 'ATTEMPTED'))",
    ),
    ("audit_chain", "create unique index audit_chain on audit (chain, link) where chain <> ''"),
    ("audit_at", "create index audit_at on audit (at)"),
    (
        "audit_no_update",
        "create trigger audit_no_update before update on audit
            begin select raise(abort, 'the audit trail is append-only'); end",
    ),
    (
        "audit_no_replace",
        "create trigger audit_no_replace before insert on audit
            when exists (select 1 from audit where seq = new.seq)
                or exists (select 1 from audit where op_id = new.op_id
                    and (state = 'ATTEMPTED') = (new.state = 'ATTEMPTED'))
                or new.chain <> '' and exists (select 1 from audit
                    where chain = new.chain and chain <> '' and link = new.link)
            begin select raise(abort, 'the audit trail is append-only'); end",
    ),
    ("audit_no_delete", SQLITE_NO_DELETE),
];

/// Away for the length of one transaction, while what is too old goes.
pub(super) const SQLITE_NO_DELETE: &str = "create trigger audit_no_delete before delete on audit
    begin select raise(abort, 'the audit trail is append-only'); end";

/// On a server, where each must fire for whomever it is.
const ON_A_SERVER: [&str; 3] = ["audit_no_change", "audit_no_truncate", "audit_no_replace"];

impl AuditStore {
    /// What guards the rows and is not as it was made.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn broken_guards(&self) -> Result<Vec<&'static str>> {
        match self {
            Self::Sqlite(pool) => broken_in_a_file(&mut *pool.acquire().await?).await,
            Self::Postgres(pool) => broken_on_a_server(&mut *pool.acquire().await?).await,
        }
    }
}

impl AuditTx {
    /// Makes again what guards the rows where it is not as it was made, and names it. What cannot be
    /// made, since the rows are not what it wants them to be, stays as it is.
    ///
    /// # Errors
    /// When the database cannot be asked; on a server also when the table is not ours.
    pub async fn mend_guards(&mut self) -> Result<Vec<&'static str>> {
        match self.on() {
            On::Sqlite(conn) => mend_in_a_file(conn).await,
            On::Postgres(conn) => {
                let broken = broken_on_a_server(conn).await?;
                if !broken.is_empty() {
                    schema::make_postgres_in(conn).await?;
                }
                Ok(broken)
            }
        }
    }
}

/// The same in a transaction that has begun.
pub(super) async fn mend_in_a_file(conn: &mut SqliteConnection) -> Result<Vec<&'static str>> {
    let mut mended = Vec::new();
    for name in broken_in_a_file(conn).await? {
        let made = IN_A_FILE.iter().filter(|(known, _)| *known == name);
        for (_, make) in made {
            let what = if make.starts_with("create trigger") { "trigger" } else { "index" };
            let gone = format!("drop {what} if exists {name}");
            sqlx::raw_sql(AssertSqlSafe(gone)).execute(&mut *conn).await?;
            if sqlx::raw_sql(*make).execute(&mut *conn).await.is_ok() {
                mended.push(name);
            }
        }
    }
    Ok(mended)
}

async fn broken_in_a_file(conn: &mut SqliteConnection) -> Result<Vec<&'static str>> {
    const SQL: &str =
        "select name, sql from sqlite_master where tbl_name = 'audit' and sql is not null";
    let there: Vec<(String, String)> = sqlx::query_as(SQL).fetch_all(conn).await?;
    let is_as_made = |name: &str, make: &str| {
        there.iter().any(|(known, sql)| known == name && plain(sql) == plain(make))
    };
    let broken = IN_A_FILE.iter().filter(|(name, make)| !is_as_made(name, make));
    Ok(broken.map(|(name, _)| *name).collect())
}

/// A statement without what SQLite changes when it keeps it: blanks and the case of its first words.
fn plain(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

async fn broken_on_a_server(conn: &mut PgConnection) -> Result<Vec<&'static str>> {
    const SQL: &str = "select t.tgname::text from pg_trigger t join pg_proc p on p.oid = t.tgfoid \
         where t.tgrelid = to_regclass('dashtam_audit.audit') and t.tgenabled = 'A' \
         and p.prosrc like '%raise exception ''the audit trail is append-only''%'";
    let there: Vec<String> = sqlx::query_scalar(SQL).fetch_all(conn).await?;
    let is_there = |name: &&str| there.iter().any(|known| known == name);
    Ok(ON_A_SERVER.into_iter().filter(|name| !is_there(name)).collect())
}
