//! Bringing in what is new from the connections: once, or in the background of a dashboard.

use std::time::Duration;

use chrono::TimeDelta;

use super::{Error, Session};
use crate::config::Config;
use crate::model::{ConnectionId, SafeText};
use crate::refresh::{self, Bench};
use crate::tasks::{self, Task};

pub use crate::provider::Class;
pub use crate::refresh::{
    Cadence, Only, Outcome, Progress, Quotes, Refresher, Skip, Summary, Told, Wish,
};

/// What somebody wants refreshed.
#[derive(Clone, Debug)]
pub struct RefreshRequest {
    /// Of these connections, by label or number; empty: of all.
    pub connections: Vec<SafeText>,
    /// Of these parts; none: all.
    pub only: Option<Only>,
    /// Whether it is due or not.
    pub force: bool,
    /// How long to wait for somebody else who does it.
    pub wait: Duration,
}

/// How often each part is fetched by this configuration.
#[must_use]
pub fn cadence(config: &Config) -> Cadence {
    Cadence {
        quotes: TimeDelta::seconds(i64::from(config.quotes_seconds.value)),
        accounts: TimeDelta::minutes(i64::from(config.accounts_minutes.value)),
    }
}

/// Refreshes what is due, once.
///
/// # Errors
/// When a connection is not there, or the store fails. What a provider does not tell is in the
/// summary.
pub async fn run(
    session: &Session,
    cadence: Cadence,
    request: &RefreshRequest,
) -> Result<Summary, Error> {
    let connections = named(session, &request.connections).await?;
    let wish = Wish { connections, only: request.only, force: request.force };
    let bench = bench(session, cadence)?;
    let wait = request.wait;
    // What is being stored must not be cut off half way.
    let task = tasks::spawn(Task::Round, async move { bench.refresh_once(&wish, wait).await });
    Ok(task.await.unwrap_or(Err(refresh::Error::Interrupted))?)
}

/// Starts refreshing in the background; none where there is nothing to refresh from, or nothing
/// may be written.
///
/// # Errors
/// When the store cannot be read.
pub async fn start(session: &Session, cadence: Cadence) -> Result<Option<Refresher>, Error> {
    let Ok(bench) = bench(session, cadence) else { return Ok(None) };
    Ok(bench.has_connections().await?.then(|| Refresher::start(bench)))
}

fn bench(session: &Session, cadence: Cadence) -> Result<Bench, Error> {
    let audit = session.audit().ok_or(Error::ReadOnly)?.clone();
    let (store, clock) = (session.store.clone(), session.clock.clone());
    Ok(Bench { store, audit, clock, cadence })
}

async fn named(session: &Session, names: &[SafeText]) -> Result<Vec<ConnectionId>, Error> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let known = session.store.read().await?.connections().await?;
    let find = |name: &SafeText| {
        let id = name.as_str().parse().ok();
        let is_it =
            |known: &&crate::model::Connection| known.label == *name || Some(known.id) == id;
        let found = known.iter().find(is_it).map(|known| known.id);
        let missing = || Error::NotFound { what: "connection", name: name.clone(), nearest: None };
        found.ok_or_else(missing)
    };
    names.iter().map(find).collect()
}

impl From<refresh::Error> for Error {
    fn from(error: refresh::Error) -> Self {
        match error {
            refresh::Error::Store(error) => Self::Store(error),
            refresh::Error::Ledger(error) => error.into(),
            refresh::Error::Interrupted => Self::Interrupted,
        }
    }
}
