//! Learning that somebody wrote to the store, in another process too.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sqlx::PgConnection;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::time::{Interval, MissedTickBehavior};

use super::ear::Ear;
use super::{Result, Store};

/// How often the files of a store are looked at where nobody tells of a write to them.
const LOOK_EVERY: Duration = Duration::from_millis(900);
/// The same where the system tells, which it does not of every kind of disk.
const LOOK_SELDOM: Duration = Duration::from_secs(5);
/// What writers tell and listeners hear.
const CHANNEL: &str = "dashtam_changes";

/// Ends a wait whenever there may be something new. It may do so without need, but never misses
/// a write.
#[derive(Debug)]
pub struct Changes(Kind);

#[derive(Debug)]
enum Kind {
    /// Every write touches one of two files.
    Files { paths: [PathBuf; 2], seen: [Option<Stamp>; 2], pulse: Interval, ear: Option<Ear> },
    /// The server tells, on a connection of its own.
    Server(Box<PgListener>),
}

/// When a file was written, and how long it is.
type Stamp = (SystemTime, u64);

impl Store {
    /// Begins to listen: what is written from now on is told.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn changes(&self) -> Result<Changes> {
        Ok(Changes(match self {
            Self::Sqlite(pool) => {
                let file = pool.connect_options().get_filename().to_owned();
                let file = std::fs::canonicalize(&file).unwrap_or(file);
                let mut log = file.clone().into_os_string();
                log.push("-wal");
                let paths = [file, log.into()];
                let ear = Ear::to(&paths);
                let seen = stamps(&paths);
                let every = if ear.is_some() { LOOK_SELDOM } else { LOOK_EVERY };
                let mut pulse = tokio::time::interval(every);
                pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
                Kind::Files { paths, seen, pulse, ear }
            }
            Self::Postgres(pool) => {
                // A connection of the store's own pool would keep the store from closing.
                let own = PgPoolOptions::new().max_connections(1);
                let own = own.connect_lazy_with(pool.connect_options().as_ref().clone());
                let mut listener = PgListener::connect_with(&own).await?;
                listener.listen(CHANNEL).await?;
                Kind::Server(Box::new(listener))
            }
        }))
    }
}

impl Changes {
    /// Waits for the next change. Nothing is lost where the wait is given up.
    ///
    /// # Errors
    /// When the server is gone; after a new connection anything may have changed.
    pub async fn next(&mut self) -> Result<()> {
        match &mut self.0 {
            Kind::Files { paths, seen, pulse, ear } => loop {
                tokio::select! {
                    heard = hear(ear.as_ref()) => match heard {
                        true => {
                            *seen = stamps(paths);
                            return Ok(());
                        }
                        false => {
                            *ear = None;
                            *pulse = tokio::time::interval(LOOK_EVERY);
                        }
                    },
                    _ = pulse.tick() => {}
                }
                let now = stamps(paths);
                if *seen != now {
                    *seen = now;
                    return Ok(());
                }
            },
            Kind::Server(listener) => {
                // Nothing was heard while the connection was lost; that counts as a change.
                listener.try_recv().await?;
                Ok(())
            }
        }
    }
}

async fn hear(ear: Option<&Ear>) -> bool {
    match ear {
        Some(ear) => ear.hear().await,
        None => std::future::pending().await,
    }
}

fn stamps(paths: &[PathBuf; 2]) -> [Option<Stamp>; 2] {
    paths.each_ref().map(|path| stamp(path))
}

fn stamp(path: &Path) -> Option<Stamp> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.len()))
}

/// Tells every listener, once the transaction is durable.
pub(super) async fn tell(conn: &mut PgConnection) -> Result<()> {
    sqlx::query(sqlx::AssertSqlSafe(format!("notify {CHANNEL}"))).execute(conn).await?;
    Ok(())
}
