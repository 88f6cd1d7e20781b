//! An open store with its trail.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tracing::info;

use super::{Error, backup};
use crate::audit::{Attempt, Audit, Place};
use crate::clock::Clock;
use crate::config::private::{
    PermissionProblem, check_folder_not_writable, check_private, create_private, open_private,
};
use crate::config::{Config, ConfigError, Database, PostgresHost, PostgresUrl};
use crate::ledger;
use crate::model::Setting;
use crate::store::{self, AuditStore, AuditTarget, SchemaState, Server, Store, Target};

/// How often one asks for a lock that somebody else has.
const LOCK_EVERY: Duration = Duration::from_millis(20);

/// What a session may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    Write,
    /// Everything, in a store that is there: none is made.
    Existing,
    /// Look once, and leave no trace.
    Look,
    /// The same for as long as somebody watches, and see what others write meanwhile.
    Watch,
}

/// An open store with its trail. Whoever opened it closes it.
#[derive(Clone, Debug)]
pub struct Session {
    /// The store.
    pub store: Store,
    /// The time, in the zone of the store.
    pub clock: Clock,
    audit: Option<Audit>,
    /// The trail of a session that only watches.
    watched: Option<AuditStore>,
    /// Locked for as long as this is open: the folder of a store that goes with its process.
    pub(super) folder: Option<Arc<File>>,
    /// What was written before a migration.
    backed_up: Option<PathBuf>,
}

impl Session {
    /// Opens the store of a configuration. For writing, a missing one is made, unless one is
    /// expected, and an older one migrated.
    ///
    /// # Errors
    /// When it cannot be reached, is damaged, newer than this program, or open to others.
    pub async fn open(config: &Config, clock: &Clock, access: Access) -> Result<Self, Error> {
        let target = target(&config.database.value);
        if matches!(access, Access::Look | Access::Watch) {
            // To look is no excuse: what others can read or change is refused all the same.
            if config.data_dir.value.exists() {
                check_private(&config.data_dir.value)?;
            }
            check_database_file(&target)?;
            let store = match access {
                Access::Watch => Store::open_to_watch(&target).await?,
                _ => Store::open_read_only(&target).await?,
            };
            let mut session = Self::with(store, None, clock).await?;
            if access == Access::Watch {
                // A trail that cannot be read is no reason not to look at the store.
                session.watched = AuditStore::open_to_examine(&trail(config)).await.ok().flatten();
            }
            return Ok(session);
        }
        if access == Access::Existing {
            target.refuse_nothing()?;
        }
        config.prepare_folders()?;
        // Two first starts at once: one makes the database, the other waits.
        let lock = lock_folder(&config.data_dir.value).await?;
        prepare_database_file(&target)?;
        let store = Store::connect(&target).await?;
        let schema = store.schema().await?;
        info!(engine = store.engine(), found = schema.found, known = schema.known, "store opened");
        if schema.found == 0 {
            if access == Access::Existing {
                return Err(store::Error::Empty.into());
            }
            // Nothing is changed where nothing was.
            store.migrate().await?;
            info!(to = schema.known, "store made");
        }
        let trail = trail(config);
        prepare_database_file(&trail)?;
        let place = Place::of(config, &trail);
        let audit = Audit::open(&trail, &store, clock, place).await?;
        let old = schema.found != 0 && schema.found != schema.known;
        let backed_up = match old {
            true => backup::before_migration(config, &store, &audit, schema, clock).await?,
            false => None,
        };
        if old || store.read().await?.are_figures_due().await? {
            let now = clock.now().timestamp_micros();
            migrate(&store, &audit, schema, now).await?;
        }
        drop(lock);
        Ok(Self { backed_up, ..Self::with(store, Some(audit), clock).await? })
    }

    async fn with(store: Store, audit: Option<Audit>, clock: &Clock) -> Result<Self, Error> {
        let zone = store.read().await?.setting(Setting::TimeZone).await?;
        let clock = clock.in_zone(zone.as_deref());
        Ok(Self { store, clock, audit, watched: None, folder: None, backed_up: None })
    }

    /// Begins an operation that writes: its attempt is durable when this returns.
    pub(super) async fn attempt(&self, action: &str, detail: &str) -> Result<Attempt, Error> {
        let audit = self.audit.as_ref().ok_or(Error::ReadOnly)?;
        Ok(audit.attempt(action, detail).await?)
    }

    /// Ends an operation that failed, with the outcome that agrees with the data: a commit whose
    /// answer was lost may have happened. Where that cannot be told now, the next start tells.
    pub(super) async fn end_badly(&self, attempt: Attempt, error: &Error) {
        end_badly(&self.store, attempt, error).await;
    }

    /// The trail, for whoever wants to read it.
    #[must_use]
    pub const fn audit(&self) -> Option<&Audit> {
        self.audit.as_ref()
    }

    /// What was done, to be looked at; none: nothing ever was.
    pub(super) fn trail(&self) -> Option<&AuditStore> {
        self.audit.as_ref().map(Audit::store).or(self.watched.as_ref())
    }

    /// The backup that was made of the store, if opening it migrated it.
    #[must_use]
    pub fn backed_up(&self) -> Option<&Path> {
        self.backed_up.as_deref()
    }

    /// This instant, as the store keeps it.
    pub(super) fn now(&self) -> i64 {
        self.clock.now().timestamp_micros()
    }

    /// Ends every connection.
    pub async fn close(self) {
        self.store.close().await;
        if let Some(audit) = &self.audit {
            audit.close().await;
        }
        if let Some(trail) = &self.watched {
            trail.close().await;
        }
    }
}

/// Brings an older store to the schema of this program and its figures to what this one keeps, as
/// an operation like any other.
async fn migrate(store: &Store, audit: &Audit, schema: SchemaState, now: i64) -> Result<(), Error> {
    let attempt = audit.attempt("migrate", &format!("from={}", schema.found)).await?;
    let done = async {
        store.migrate().await?;
        if store.read().await?.are_figures_due().await? {
            ledger::rebuild(store, attempt.op(), now).await?;
        } else {
            store.write().await?.commit(&attempt.op().to_string(), "migrate", now).await?;
        }
        Ok::<(), Error>(())
    };
    match done.await {
        Ok(()) => {
            attempt.committed(&format!("to={}", schema.known)).await;
            Ok(())
        }
        Err(error) => {
            end_badly(store, attempt, &error).await;
            Err(error)
        }
    }
}

async fn end_badly(store: &Store, attempt: Attempt, error: &Error) {
    match error {
        Error::Store(failed) => attempt.settle(store, Some(failed), error.kind()).await,
        Error::Interrupted => attempt.settle(store, None, error.kind()).await,
        // The error itself is what the person must see, not a trail that cannot be written.
        _ => drop(attempt.failed(error.kind()).await),
    }
}

/// Whether the file of a store is there with something in it; of a server only the server knows.
#[must_use]
pub fn is_there(config: &Config) -> bool {
    target(&config.database.value).refuse_nothing().is_ok()
}

/// Where the store of a configuration is.
pub(super) fn target(database: &Database) -> Target {
    match database {
        Database::Sqlite(path) => Target::Sqlite(path.clone()),
        Database::Postgres(url) => Target::Postgres(Box::new(server(url))),
    }
}

/// Where its trail is.
pub(super) fn trail(config: &Config) -> AuditTarget {
    match target(&config.database.value) {
        Target::Sqlite(_) => AuditTarget::Sqlite(config.data_dir.value.join("audit.db")),
        server @ Target::Postgres(_) => server,
    }
}

fn server(url: &PostgresUrl) -> Server {
    let (host, socket) = match &url.host {
        PostgresHost::Network(host) => (Some(host.clone()), None),
        PostgresHost::Socket(folder) => (None, Some(folder.clone())),
    };
    Server {
        host,
        socket,
        port: url.port,
        user: url.user.clone(),
        password: url.password.clone(),
        database: url.database.clone(),
        tls: url.ssl_mode().name(),
        root_certificate: url.sslrootcert.clone(),
        options: url.options.clone(),
    }
}

/// SQLite makes its files as the umask says, and the others beside it as the first one is: so
/// the first one is made here.
fn prepare_database_file(target: &Target) -> Result<(), Error> {
    let Target::Sqlite(path) = target else { return Ok(()) };
    check_surroundings(path)?;
    match create_private(path) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check_private(path)?,
        Err(source) => {
            return Err(ConfigError::DatabaseFile { path: path.clone(), source }.into());
        }
    }
    Ok(())
}

fn check_database_file(target: &Target) -> Result<(), Error> {
    match target {
        Target::Sqlite(path) if path.exists() => {
            check_surroundings(path)?;
            Ok(check_private(path)?)
        }
        _ => Ok(()),
    }
}

/// Who can change the folder can put another file in the place of the database; and what is in its
/// companions is in the database.
fn check_surroundings(path: &Path) -> Result<(), Error> {
    if let Some(folder) = path.parent().filter(|folder| folder.exists()) {
        check_folder_not_writable(folder)?;
    }
    for suffix in ["-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match check_private(Path::new(&name)) {
            // Not there, or gone with the last one who used it.
            Err(PermissionProblem::Unreadable { source, .. })
                if source.kind() == io::ErrorKind::NotFound => {}
            checked => checked?,
        }
    }
    Ok(())
}

/// Held until the file is dropped. Whoever waits for it may give up.
async fn lock_folder(folder: &Path) -> Result<File, Error> {
    let path = folder.join("dashtam.lock");
    let lock = async {
        let file = open_private(&path, OpenOptions::new().write(true).create(true))?;
        while let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            match error {
                Errno::WOULDBLOCK | Errno::INTR => tokio::time::sleep(LOCK_EVERY).await,
                error => return Err(error.into()),
            }
        }
        Ok(file)
    };
    lock.await.map_err(|source| Error::Lock { path: path.clone(), source })
}
