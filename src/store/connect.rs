//! Opening a store: how each engine is set up so that a commit means durable and a lock means wait.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions, PgSslMode};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

use super::{Error, Result, Store, migrate};
use crate::model::SafeText;

/// Where a store is.
#[derive(Clone, Debug)]
pub enum Target {
    /// A file; its folder exists and is private.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<Server>),
}

impl Target {
    /// Refuses where there is no file of a store, or an empty one. Of a server only the server knows.
    ///
    /// # Errors
    /// When there is nothing.
    pub fn refuse_nothing(&self) -> Result<()> {
        let Self::Sqlite(path) = self else { return Ok(()) };
        match std::fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(Error::NoDatabase(path.clone()))
            }
            Ok(file) if file.is_file() && file.len() == 0 => Err(Error::Empty),
            // What else is wrong is told by whoever opens it.
            _ => Ok(()),
        }
    }
}

/// A server and how to speak to it. Nothing is taken from the surroundings: what is not said
/// here is not used. (The driver reads a few variables that cannot be overruled here; the program
/// begins anew without them.)
#[derive(Clone, Debug)]
pub struct Server {
    /// Host name or address; none: the socket.
    pub host: Option<String>,
    /// The folder of the socket.
    pub socket: Option<PathBuf>,
    /// The port.
    pub port: u16,
    /// The role.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<SecretString>,
    /// The database.
    pub database: String,
    /// The name of the TLS mode, `verify-full` for any host that is not this one.
    pub tls: &'static str,
    /// Who may vouch for the server, besides the public authorities.
    pub root_certificate: Option<PathBuf>,
    /// Further settings of the session.
    pub options: Vec<(String, String)>,
}

impl Server {
    pub(super) fn options(&self) -> Result<PgConnectOptions> {
        let tls: PgSslMode = self.tls.parse()?;
        let mut options = PgConnectOptions::new_without_pgpass()
            .port(self.port)
            .database(&self.database)
            .ssl_mode(tls)
            .username(self.user.as_deref().unwrap_or("dashtam"))
            .password(self.password.as_ref().map_or("", |password| password.expose_secret()));
        if let Some(host) = &self.host {
            options = options.host(host);
        }
        if let Some(socket) = &self.socket {
            options = options.socket(socket);
        }
        if let Some(path) = &self.root_certificate {
            options = options.ssl_root_cert(path);
        }
        let chosen = self.options.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        Ok(options.options(LIMITS.into_iter().chain(chosen).chain(MEANINGS)))
    }
}

/// A server, a database or a role may be set up for other limits than a long import and its wait
/// for another one can keep. Who names a limit in the address means it.
const LIMITS: [(&str, &str); 3] = [
    ("lock_timeout", "30s"),
    ("statement_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
];

/// What we rely on we say: dates, instants and bytes mean one thing, and a commit is durable.
const MEANINGS: [(&str, &str); 4] = [
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO"),
    ("bytea_output", "hex"),
    ("synchronous_commit", "on"),
];

/// KiB of a database that a connection keeps in memory, as the pragma counts them. The system keeps
/// what is read often anyway; a dashboard that stays open all day has several connections.
pub(super) const READING: &str = "-512";
/// The same while it writes: what a large import touches at once.
pub(super) const WRITING: &str = "-8192";

/// How long a writer waits for another one.
const PATIENCE: Duration = Duration::from_secs(30);

impl Store {
    /// Opens a store for reading and writing; a new one is made, an older schema is migrated.
    ///
    /// # Errors
    /// When it cannot be reached, is damaged, or was written by a newer version.
    pub async fn open(target: &Target) -> Result<Self> {
        let store = Self::connect(target).await?;
        store.migrate().await?;
        Ok(store)
    }

    /// Opens a store, made where there is none, and leaves its schema as it is: the caller migrates
    /// it before anything else.
    ///
    /// # Errors
    /// When it cannot be reached, is damaged, or was written by a newer version.
    pub async fn connect(target: &Target) -> Result<Self> {
        let store = match target {
            Target::Sqlite(path) => {
                refuse_unless_database(path)?;
                Self::Sqlite(sqlite_pool(sqlite_options(path).create_if_missing(true)).await?)
            }
            Target::Postgres(server) => Self::Postgres(postgres_pool(server.options()?).await?),
        };
        migrate::refuse_newer(store.schema().await?)?;
        Ok(store)
    }

    /// Opens a store that is there without a look at its schema, to ask for just that.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn peek(target: &Target) -> Result<Self> {
        Ok(match target {
            Target::Sqlite(path) => {
                refuse_unless_database(path)?;
                Self::Sqlite(sqlite_pool(sqlite_options(path)).await?)
            }
            Target::Postgres(server) => Self::Postgres(postgres_pool(server.options()?).await?),
        })
    }

    /// Opens a store that is there, to look only and once; nothing is made or migrated.
    ///
    /// # Errors
    /// When there is none, its schema is not this program's, or it cannot be reached.
    pub async fn open_read_only(target: &Target) -> Result<Self> {
        match (Self::open_to_watch(target).await, target) {
            // SQLite makes two files beside the database, even to read it. Where it cannot, as on a
            // full disk or one that takes no writes, nobody else can either, and what nobody has
            // begun to write needs them not. That holds for a moment, not while somebody watches.
            (Err(Error::File(_) | Error::ReadOnly | Error::DiskFull), Target::Sqlite(path))
                if is_at_rest(path) =>
            {
                let options = sqlite_options(path).pragma("query_only", "on");
                Self::look_into(options.read_only(true).immutable(true)).await
            }
            (opened, _) => opened,
        }
    }

    /// Opens a store that is there, to look only, while others may write.
    ///
    /// # Errors
    /// As [`Store::open_read_only`].
    pub async fn open_to_watch(target: &Target) -> Result<Self> {
        match target {
            Target::Sqlite(path) => {
                target.refuse_nothing()?;
                refuse_unless_database(path)?;
                Self::look_into(sqlite_options(path).pragma("query_only", "on")).await
            }
            Target::Postgres(server) => {
                let options = server.options()?.options([("default_transaction_read_only", "on")]);
                let store = Self::Postgres(postgres_pool(options).await?);
                migrate::require_current(&store).await?;
                Ok(store)
            }
        }
    }

    async fn look_into(options: SqliteConnectOptions) -> Result<Self> {
        let store = Self::Sqlite(sqlite_pool(options).await?);
        migrate::require_current(&store).await?;
        Ok(store)
    }
}

/// Whether all that was written is in the database file itself.
pub(super) fn is_at_rest(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(Path::new(&log)).map_or(true, |log| log.len() == 0)
}

/// SQLite would take an empty file for a new database, and tells little of any other.
pub(super) fn refuse_unless_database(path: &Path) -> Result<()> {
    use std::io::Read;
    // A pipe would be waited for.
    if std::fs::metadata(path).is_ok_and(|data| !data.is_file()) {
        return Err(Error::Damaged(format!("{} is no file", path.display())));
    }
    let Ok(mut file) = std::fs::File::open(path) else { return Ok(()) };
    let mut head = Vec::with_capacity(16);
    let read = file.by_ref().take(16).read_to_end(&mut head);
    if read.is_ok() && !head.is_empty() && head != b"SQLite format 3\0" {
        return Err(Error::Damaged(format!("{} is no SQLite database", path.display())));
    }
    Ok(())
}

/// How many rows may be read before somebody takes them.
const ROWS_AHEAD: usize = 1_000;

pub(super) fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        // Rows are wide and written in bulk: fewer, larger pages cost less.
        .page_size(8192)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .pragma("cache_size", READING)
        .pragma("trusted_schema", "off")
        .pragma("cell_size_check", "on")
        // Whoever finds no room for a row waits, and is woken for each that is taken: so many are all
        // that a screen reads at once.
        .row_buffer_size(ROWS_AHEAD)
        // Of each connection: a dashboard has several, and keeps what it reads with for as long as it is open.
        .statement_cache_capacity(24)
}

/// Sets how much a connection keeps in memory; what is more than that goes as soon as it is written.
pub(super) async fn remember(conn: &mut SqliteConnection, kib: &str) -> Result<()> {
    let sql = format!("pragma cache_size = {kib}");
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(conn).await?;
    Ok(())
}

/// Keeps in memory what would take back a statement that fails halfway, instead of in a file that is
/// written with every statement of many rows. That is as much as one statement changes: only for many
/// small ones.
pub(super) async fn keep_ways_back_in_memory(
    conn: &mut SqliteConnection,
    in_memory: bool,
) -> Result<()> {
    let sql = if in_memory { "pragma temp_store = memory" } else { "pragma temp_store = default" };
    sqlx::query(sql).execute(conn).await?;
    Ok(())
}

/// A dashboard reads, answers some slow questions, refreshes, follows days and writes, all at once;
/// what is not needed is not opened.
const CONNECTIONS: u32 = 8;

pub(super) async fn sqlite_pool(options: SqliteConnectOptions) -> Result<sqlx::SqlitePool> {
    let pool = sound_pool().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
    Ok(pool.connect_with(options).await?)
}

/// A pool that keeps no connection that begins no more transactions: a full disk ends one behind the
/// back of the driver, which counts it for ever then.
pub(super) fn sound_pool() -> SqlitePoolOptions {
    SqlitePoolOptions::new().after_release(|conn, _| {
        Box::pin(async move {
            if conn.is_in_transaction() {
                // What was dropped is being taken back.
                conn.ping().await?;
            }
            Ok(!conn.is_in_transaction())
        })
    })
}

pub(super) async fn postgres_pool(options: PgConnectOptions) -> Result<sqlx::PgPool> {
    let options = options.application_name("dashtam");
    // A pool tries again and again where nobody listens, and tells only that it waited in vain.
    let first = PgConnection::connect_with(&options);
    let mut first = tokio::time::timeout(PATIENCE, first).await.map_err(|_| Error::NoAnswer)??;
    refuse_elsewhere(&mut first, &options).await?;
    first.close().await?;
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
    Ok(pool.connect_with(options).await?)
}

/// A server that was set up anew may lead past the store that is there: another one must not begin
/// beside it. Who names a schema in the address means it.
async fn refuse_elsewhere(first: &mut PgConnection, options: &PgConnectOptions) -> Result<()> {
    const SQL: &str = "select n.nspname::text from pg_class c \
         join pg_namespace n on n.oid = c.relnamespace where c.relname = 'store_state' \
         and c.relkind = 'r' and to_regclass('store_state') is null";
    if options.get_options().is_some_and(|options| options.contains("search_path")) {
        return Ok(());
    }
    let schema: Option<String> = sqlx::query_scalar(SQL).fetch_optional(first).await?;
    schema.map_or(Ok(()), |schema| Err(Error::Elsewhere(SafeText::new(&schema))))
}
