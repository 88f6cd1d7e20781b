//! One refresher per store: whoever holds the lease may fetch, nobody else. The system takes it
//! from a process that dies, so that nobody is ever locked out for good.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::row::both_rows;
use super::{Error, Result, Store};
use crate::model::SafeText;

/// Who holds the lease. It is written for people to read; it holds nothing by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The machine.
    pub host: SafeText,
    /// The process.
    pub pid: i64,
    /// Since when, in microseconds since the epoch.
    pub since: i64,
}

/// The right to refresh a store. Dropping it gives it back.
#[derive(Clone, Debug)]
pub struct Lease {
    store: Store,
    lock: Lock,
}

#[derive(Clone, Debug)]
enum Lock {
    /// A file beside the store, locked for as long as it is open.
    File(Arc<File>, PathBuf),
    /// A connection of its own: the server lets go when it ends.
    Session(Arc<Mutex<PgConnection>>),
}

/// What somebody who waits for the lease keeps meanwhile: one connection, not one a question.
#[derive(Debug, Default)]
pub struct Waiting(Option<PgConnection>);

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The second number is the schema of the store, of which a database may have several.
const LOCK: &str = "select pg_try_advisory_lock(603477126, hashtext(current_schema()::text))";
const UNLOCK: &str = "select pg_advisory_unlock(603477126, hashtext(current_schema()::text))";

both_rows!(Holder, |row| {
    Ok(Self { host: SafeText::new(row.try_get(0)?), pid: row.try_get(1)?, since: row.try_get(2)? })
});

impl Store {
    /// Takes the lease and writes down who has it; none: somebody else has it.
    ///
    /// # Errors
    /// When the lock cannot be reached.
    pub async fn try_lease(&self, holder: &Holder) -> Result<Option<Lease>> {
        self.try_lease_again(holder, &mut Waiting::default()).await
    }

    /// The same for somebody who asks until it is free, with the same `waiting` each time.
    ///
    /// # Errors
    /// When the lock cannot be reached.
    pub async fn try_lease_again(
        &self,
        holder: &Holder,
        waiting: &mut Waiting,
    ) -> Result<Option<Lease>> {
        let lock = match self {
            Self::Sqlite(pool) => {
                let mut path = pool.connect_options().get_filename().to_owned().into_os_string();
                path.push("-refresh");
                lock_file(PathBuf::from(path))?
            }
            Self::Postgres(pool) => {
                let asked = timeout(PATIENCE, lock_session(pool, waiting)).await;
                asked.map_err(|_| Error::Other("the database does not answer".to_owned()))??
            }
        };
        let Some(lock) = lock else { return Ok(None) };
        self.write_holder(holder).await?;
        Ok(Some(Lease { store: self.clone(), lock }))
    }

    /// Who took the lease last, if it was not given back. Where nobody holds it any more, they died.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn lease_holder(&self) -> Result<Option<Holder>> {
        const SQL: &str = "select host, pid, since from refresher";
        Ok(match self {
            Self::Sqlite(pool) => sqlx::query_as(SQL).fetch_optional(pool).await?,
            Self::Postgres(pool) => sqlx::query_as(SQL).fetch_optional(pool).await?,
        })
    }

    /// Not a change of the store: no revision and no mark of an operation.
    async fn write_holder(&self, holder: &Holder) -> Result<()> {
        const SQL: &str = "insert into refresher (id, host, pid, since) values (1, $1, $2, $3) \
             on conflict (id) do update set host = excluded.host, pid = excluded.pid, \
             since = excluded.since";
        macro_rules! run {
            ($pool:expr) => {{
                let query = sqlx::query(SQL).bind(holder.host.to_string()).bind(holder.pid);
                query.bind(holder.since).execute($pool).await?;
            }};
        }
        match self {
            Self::Sqlite(pool) => run!(pool),
            Self::Postgres(pool) => run!(pool),
        }
        Ok(())
    }
}

impl Lease {
    /// Whether it is still ours: a file may be taken away, a connection may end.
    pub async fn is_held(&self) -> bool {
        match &self.lock {
            Lock::File(file, path) => {
                let place = |data: std::fs::Metadata| (data.dev(), data.ino());
                let (ours, there) =
                    (file.metadata().map(place), std::fs::metadata(path).map(place));
                ours.is_ok_and(|ours| there.is_ok_and(|there| ours == there))
            }
            Lock::Session(own) => {
                let ping = async { own.lock().await.ping().await.is_ok() };
                // Somebody may be waiting to write: who does not answer has lost it.
                timeout(PATIENCE, ping).await.unwrap_or(false)
            }
        }
    }

    /// Gives it back, and says so.
    ///
    /// # Errors
    /// When the database cannot be told; the lock is given back all the same.
    pub async fn release(self) -> Result<()> {
        const SQL: &str = "delete from refresher";
        match &self.store {
            Store::Sqlite(pool) => sqlx::query(SQL).execute(pool).await.map(drop)?,
            Store::Postgres(pool) => sqlx::query(SQL).execute(pool).await.map(drop)?,
        }
        // Not by dropping it: a task that just ended may still have a copy.
        match self.lock {
            Lock::File(file, path) => file.unlock().map_err(|error| fault(&path, &error))?,
            Lock::Session(own) => {
                sqlx::query(UNLOCK).execute(&mut *own.lock().await).await?;
                if let Some(own) = Arc::into_inner(own) {
                    own.into_inner().close().await?;
                }
            }
        }
        Ok(())
    }
}

/// Tries for the lock of the session, always over the same connection.
async fn lock_session(pool: &PgPool, waiting: &mut Waiting) -> Result<Option<Lock>> {
    let mut own = match waiting.0.take() {
        Some(own) => own,
        None => PgConnection::connect_with(pool.connect_options().as_ref()).await?,
    };
    if sqlx::query_scalar::<_, bool>(LOCK).fetch_one(&mut own).await? {
        return Ok(Some(Lock::Session(Arc::new(Mutex::new(own)))));
    }
    waiting.0 = Some(own);
    Ok(None)
}

fn lock_file(path: PathBuf) -> Result<Option<Lock>> {
    let nofollow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600).custom_flags(nofollow);
    let file = options.open(&path).map_err(|error| fault(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock::File(Arc::new(file), path))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(fault(&path, &error)),
    }
}

fn fault(path: &Path, error: &std::io::Error) -> Error {
    Error::Other(format!("{}: {error}", path.display()))
}
