//! What a store tells about itself to somebody who asks whether it is well. Nothing is made,
//! migrated or mended here, whatever is found.

use std::path::Path;

use super::archive::{ARCHIVED, DERIVED, OF_ITS_OWN};
use super::connect::{
    is_at_rest, postgres_pool, refuse_unless_database, sqlite_options, sqlite_pool,
};
use super::row::both_rows;
use super::{Result, Store, Target, Tx, on_tx};
use crate::model::SafeText;

/// What a server says of itself and of the connection to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFacts {
    /// Like 150004 for 15.4.
    pub version: i64,
    /// How it keeps text; anything but `UTF8` cannot keep every name.
    pub encoding: SafeText,
    /// Which version of TLS protects the connection; none: nothing does.
    pub tls: Option<SafeText>,
    /// A standby, or one that is set up to take no writes.
    pub takes_no_writes: bool,
    /// Whether this role may make tables where the store is, as a migration has to.
    pub may_create: bool,
    /// The tables of the store and of its trail that this role may not write.
    pub unwritable: Vec<SafeText>,
    /// Whether it may do anything at all, which nobody needs.
    pub is_superuser: bool,
}

/// Rows that refer to what is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dangling {
    /// What refers to what.
    pub what: &'static str,
    /// How many rows.
    pub rows: i64,
}

/// References that no engine watches over, or only while they are written. Each counts the rows that lead nowhere.
const REFERENCES: [(&str, &str); 10] = [
    (
        "transactions of an account that is not there",
        "select count(*) from transactions t \
         where not exists (select 1 from accounts a where a.id = t.account_id)",
    ),
    (
        "transactions of a security that is not there",
        "select count(*) from transactions t where t.security_id is not null \
         and not exists (select 1 from securities s where s.id = t.security_id)",
    ),
    (
        "transactions of a category that is not there",
        "select count(*) from transactions t where t.category_id is not null \
         and not exists (select 1 from categories c where c.id = t.category_id)",
    ),
    (
        "transactions of an import that is not there",
        "select count(*) from transactions t where t.batch_id is not null \
         and not exists (select 1 from batches b where b.id = t.batch_id)",
    ),
    (
        "prices of an import that is not there",
        "select count(*) from prices p where p.batch_id is not null \
         and not exists (select 1 from batches b where b.id = p.batch_id)",
    ),
    (
        "rates of an import that is not there",
        "select count(*) from rates r where r.batch_id is not null \
         and not exists (select 1 from batches b where b.id = r.batch_id)",
    ),
    (
        "claims of an import that is not there",
        "select count(*) from claims c where c.batch_id <> 0 \
         and not exists (select 1 from batches b where b.id = c.batch_id)",
    ),
    (
        "moved rows without their transaction",
        "select count(*) from moved_rows m \
         where not exists (select 1 from transactions t where t.id = m.transaction_id)",
    ),
    (
        "claims on a price of a security that is not there",
        "select count(*) from price_claims c \
         where not exists (select 1 from securities s where s.id = c.security_id)",
    ),
    (
        "accounts that their own name does not lead to",
        "select count(*) from accounts a where not exists \
         (select 1 from account_names n where n.name = a.name and n.account_id = a.id)",
    ),
];

/// The most that one check of the engine has to say.
const MOST: usize = 20;

both_rows!(ServerFacts, |row| {
    let text = |text: Option<String>| text.map(|text| SafeText::new(&text));
    Ok(Self {
        version: row.try_get(0)?,
        encoding: text(row.try_get(1)?).unwrap_or_default(),
        tls: text(row.try_get(2)?),
        takes_no_writes: row.try_get(3)?,
        may_create: row.try_get(4)?,
        unwritable: row
            .try_get::<Option<String>, _>(5)?
            .iter()
            .flat_map(|names| names.split(' '))
            .map(SafeText::new)
            .collect(),
        is_superuser: row.try_get(6)?,
    })
});

impl Store {
    /// Opens a store that is there, whatever its schema, to look only. Not even the index that SQLite
    /// keeps beside a database is made, unless there is a log that it is needed for.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn open_to_examine(target: &Target) -> Result<Self> {
        match target {
            Target::Sqlite(path) => {
                refuse_unless_database(path)?;
                let options = sqlite_options(path).pragma("query_only", "on").read_only(true);
                let options = options.immutable(is_alone(path));
                Ok(Self::Sqlite(sqlite_pool(options).await?))
            }
            Target::Postgres(server) => {
                let options = server.options()?.options([("default_transaction_read_only", "on")]);
                Ok(Self::Postgres(postgres_pool(options).await?))
            }
        }
    }

    /// The version of the engine, as it calls itself.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn engine_version(&self) -> Result<SafeText> {
        let text: String = match self {
            Self::Sqlite(pool) => {
                sqlx::query_scalar("select sqlite_version()").fetch_one(pool).await?
            }
            Self::Postgres(pool) => {
                sqlx::query_scalar("select current_setting('server_version')")
                    .fetch_one(pool)
                    .await?
            }
        };
        Ok(SafeText::capped(&text, 60))
    }

    /// What a server says of itself; a file has nothing to say here.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn server_facts(&self) -> Result<Option<ServerFacts>> {
        const SQL: &str = "select current_setting('server_version_num')::bigint, \
             current_setting('server_encoding'), \
             (select version from pg_stat_ssl where pid = pg_backend_pid() and ssl), \
             pg_is_in_recovery() or exists (select 1 from pg_settings \
             where name = 'default_transaction_read_only' and reset_val = 'on' \
             and source not in ('client', 'session')), \
             has_schema_privilege(coalesce(current_schema(), 'public'), 'create'), \
             (select string_agg(c.relname::text, ' ' order by c.relname) \
             from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' \
             and (n.nspname = 'dashtam_audit' or c.relname = any($1) and c.relnamespace = \
             (select relnamespace from pg_class where oid = to_regclass('store_state'))) and not \
             (has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert') \
             and (n.nspname = 'dashtam_audit' or has_table_privilege(c.oid, 'update') \
             and has_table_privilege(c.oid, 'delete')))), \
             (select rolsuper from pg_roles where rolname = current_user)";
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(pool) => {
                let mut tables = [ARCHIVED, DERIVED, OF_ITS_OWN].concat();
                // Only a migration writes it, and that is a right of its own.
                tables.retain(|table| *table != "_sqlx_migrations");
                Ok(Some(sqlx::query_as(SQL).bind(tables).fetch_one(pool).await?))
            }
        }
    }

    /// What the engine itself finds wrong with its pages, indexes and references. A server watches
    /// over its references by itself, and its pages are its administrator's.
    ///
    /// # Errors
    /// When the database cannot be read at all.
    pub async fn self_check(&self) -> Result<Vec<SafeText>> {
        let Self::Sqlite(pool) = self else { return Ok(Vec::new()) };
        let sql = sqlx::AssertSqlSafe(format!("pragma integrity_check({MOST})"));
        let said: Vec<String> = sqlx::query_scalar(sql).fetch_all(pool).await?;
        let mut found: Vec<_> =
            said.iter().filter(|said| *said != "ok").map(|said| one_line(said)).collect();
        const KEYS: &str = "select \"table\", parent, count(*) from pragma_foreign_key_check \
             group by 1, 2 order by 1, 2";
        let keys: Vec<(String, String, i64)> = sqlx::query_as(KEYS).fetch_all(pool).await?;
        found.extend(keys.iter().map(|(table, parent, count)| {
            one_line(&format!("rows of {table} that refer to {parent} that are not there: {count}"))
        }));
        Ok(found)
    }
}

impl Tx {
    /// The newest instant at which something was written, in microseconds since the epoch.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn newest_write(&mut self) -> Result<Option<i64>> {
        const SQL: &str = "select max(at) from applied_ops";
        Ok(on_tx!(self, conn => sqlx::query_scalar(SQL).fetch_one(&mut **conn).await?))
    }

    /// Rows that refer to what is not there.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn dangling(&mut self) -> Result<Vec<Dangling>> {
        let mut found = Vec::new();
        for (what, sql) in REFERENCES {
            let rows: i64 =
                on_tx!(self, conn => sqlx::query_scalar(sql).fetch_one(&mut **conn).await?);
            if rows > 0 {
                found.push(Dangling { what, rows });
            }
        }
        Ok(found)
    }
}

/// Whether all of a database is in its file and nobody has it open: then it can be read without the
/// files that SQLite makes beside it.
fn is_alone(path: &Path) -> bool {
    let mut shared = path.as_os_str().to_owned();
    shared.push("-shm");
    is_at_rest(path) && !Path::new(&shared).exists()
}

fn one_line(text: &str) -> SafeText {
    SafeText::capped(&text.replace('\n', " "), 200)
}
