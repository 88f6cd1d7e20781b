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

/// On a server, where each must fire for whomever it is: names, what each is before, and what it does.
const ON_A_SERVER: [(&str, &str, &str); 3] = [
    ("audit_no_change", "BEFORE DELETE OR UPDATE ON dashtam_audit.audit FOR EACH ROW", "refuse"),
    ("audit_no_truncate", "BEFORE TRUNCATE ON dashtam_audit.audit FOR EACH STATEMENT", "refuse"),
    ("audit_no_replace", "BEFORE INSERT ON dashtam_audit.audit FOR EACH ROW", "refuse_known"),
];

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
    /// The same within a transaction.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn broken_guards(&mut self) -> Result<Vec<&'static str>> {
        match self.on() {
            On::Sqlite(conn) => broken_in_a_file(conn).await,
            On::Postgres(conn) => broken_on_a_server(conn).await,
        }
    }

    /// Makes these again, and names those that cannot be made, since the rows are not what they want
    /// them to be.
    ///
    /// # Errors
    /// When the database cannot be written; on a server also when the table is gone or not ours.
    pub async fn mend_guards(&mut self, broken: &[&'static str]) -> Result<Vec<&'static str>> {
        match self.on() {
            On::Sqlite(conn) => mend_in_a_file(conn, broken).await,
            On::Postgres(conn) => {
                // A trail is never begun anew in the middle of an operation.
                sqlx::query("select 1 from dashtam_audit.audit limit 1")
                    .execute(&mut *conn)
                    .await?;
                schema::make_postgres_in(conn).await?;
                Ok(Vec::new())
            }
        }
    }
}

/// Makes what is missing, in a transaction that has begun.
pub(super) async fn make_in_a_file(conn: &mut SqliteConnection) -> Result<()> {
    let broken = broken_in_a_file(conn).await?;
    mend_in_a_file(conn, &broken).await.map(|_| ())
}

async fn mend_in_a_file(
    conn: &mut SqliteConnection,
    broken: &[&'static str],
) -> Result<Vec<&'static str>> {
    let mut unmade = Vec::new();
    for (name, make) in IN_A_FILE.iter().filter(|(name, _)| broken.contains(name)) {
        let what = if make.starts_with("create trigger") { "trigger" } else { "index" };
        let gone = format!("drop {what} if exists {name}");
        sqlx::raw_sql(AssertSqlSafe(gone)).execute(&mut *conn).await?;
        match sqlx::raw_sql(*make).execute(&mut *conn).await {
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => unmade.push(*name),
            made => {
                made?;
            }
        }
    }
    Ok(unmade)
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

/// A statement without what SQLite changes when it keeps it: blanks and the case of its first words,
/// and not of what stands in quotes.
fn plain(sql: &str) -> String {
    let words = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let parts = words.split('\'').enumerate();
    let parts = parts.map(|(at, part)| match at % 2 {
        0 => part.to_lowercase(),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("'")
}

async fn broken_on_a_server(conn: &mut PgConnection) -> Result<Vec<&'static str>> {
    const SQL: &str = "select t.tgname::text, pg_get_triggerdef(t.oid), p.prosrc \
         from pg_trigger t join pg_proc p on p.oid = t.tgfoid \
         where t.tgrelid = to_regclass('dashtam_audit.audit') and t.tgenabled = 'A'";
    let there: Vec<(String, String, String)> = sqlx::query_as(SQL).fetch_all(conn).await?;
    let is_as_made = |(name, before, does): &&(&str, &str, &str)| {
        let made =
            format!("CREATE TRIGGER {name} {before} EXECUTE FUNCTION dashtam_audit.{does}()");
        let body = schema::body_of(does);
        there.iter().any(|(_, trigger, source)| *trigger == made && body == Some(source.trim()))
    };
    let broken = ON_A_SERVER.iter().filter(|guard| !is_as_made(guard));
    Ok(broken.map(|(name, ..)| *name).collect())
}
