//! Bringing in what is new from the connections: once, or in the background of a dashboard.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use super::held::Held;
use super::{Error, Session, connect, vault};
use crate::config::Config;
use crate::credentials::{self, Keeper};
use crate::model::{ConnectionId, SafeText, Secret};
use crate::provider;
use crate::refresh::{self, Bench, Outside};
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

/// How a store is refreshed: how often, and with what of the configuration.
#[derive(Clone, Debug)]
pub struct How {
    /// How often each part is fetched.
    pub cadence: Cadence,
    /// Where the vault is, and which provider is on this machine; none: nothing is shown to anybody.
    pub config: Option<Box<Config>>,
    /// The key that a person gave meanwhile.
    pub held: Held,
}

impl How {
    /// As a configuration says.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            cadence: cadence(config),
            config: Some(Box::new(config.clone())),
            held: Held::default(),
        }
    }
}

impl From<Cadence> for How {
    /// Without anything to show.
    fn from(cadence: Cadence) -> Self {
        Self { cadence, config: None, held: Held::default() }
    }
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
    how: &How,
    passphrase: Option<&Secret>,
    request: &RefreshRequest,
) -> Result<Summary, Error> {
    let connections = named(session, &request.connections).await?;
    let wish = Wish { connections, only: request.only, force: request.force };
    let bench = ready(session, how, passphrase).await?;
    let wait = request.wait;
    // What is being stored must not be cut off half way.
    let task = tasks::spawn(Task::Round, async move { bench.refresh_once(&wish, wait).await });
    Ok(task.await.unwrap_or(Err(refresh::Error::Interrupted))?)
}

/// Starts refreshing in the background; none where nothing may be written. Where there is nothing to
/// refresh from it looks again every hour, or once somebody asks. Whatever else is in the way is told
/// by its rounds, and looked at again by each.
#[must_use]
pub fn start(session: &Session, how: &How) -> Option<Refresher> {
    let bench = match &how.config {
        Some(config) => bench(session, config, Outside::default().keeper),
        None => bench_without(session),
    };
    // Who only looks has none.
    let bench = Bench { cadence: how.cadence, ..bench.ok()? };
    let unlock = how.config.as_ref().map(|config| unlock(session, config, &how.held));
    Some(Refresher::start(bench, unlock))
}

/// Looks for the key that a person gave, and where nobody has to be asked: a vault may be made, or a
/// file put right, while a dashboard is open.
fn unlock(session: &Session, config: &Config, held: &Held) -> refresh::Unlock {
    let (session, config, held) = (session.clone(), config.clone(), held.clone());
    Box::new(move || {
        let (session, config, given) = (session.clone(), config.clone(), held.keeper());
        Box::pin(async move {
            if let Some(keeper) = given {
                return Ok(keeper);
            }
            let keeper = keeper(&session, &config, None).await;
            keeper.unwrap_or_else(|error| Err(SafeText::new(&error.to_string())))
        })
    })
}

/// What a refresh works on. Where the key cannot be had, those who need nothing shown are refreshed
/// all the same.
async fn ready(session: &Session, how: &How, passphrase: Option<&Secret>) -> Result<Bench, Error> {
    let cadence = how.cadence;
    let Some(config) = &how.config else {
        return Ok(Bench { cadence, ..bench_without(session)? });
    };
    let keeper = keeper(session, config, passphrase).await?;
    Ok(Bench { cadence, ..bench(session, config, keeper)? })
}

/// What opens secrets, or why nothing does: the key is had from where nobody has to be asked.
async fn keeper(
    session: &Session,
    config: &Config,
    passphrase: Option<&Secret>,
) -> Result<Result<Keeper, SafeText>, Error> {
    // A passphrase takes half a second; it is worth it where something is to be shown.
    let key = match needs_key(session).await? {
        true => vault::key(session, config, passphrase).await,
        false => vault::of(config).unprotected().map_err(Error::from),
    };
    match key {
        Ok(key) => Ok(Ok(connect::keeper(session, config, key)?)),
        Err(Error::Vault(error)) => Ok(Err(SafeText::new(&error.to_string()))),
        Err(error) => Err(error),
    }
}

/// Whether any connection shows something to its service.
async fn needs_key(session: &Session) -> Result<bool, Error> {
    let known = session.store.read().await?.connections().await?;
    let shows = |it: &crate::model::Connection| {
        let entry = provider::named(&it.provider);
        let shows = entry.is_ok_and(|entry| !matches!(entry.auth, provider::Auth::Nobody));
        shows && it.state == crate::model::ConnectionState::Active
    };
    Ok(known.iter().any(shows))
}

pub(super) fn bench(
    session: &Session,
    config: &Config,
    keeper: Result<Keeper, SafeText>,
) -> Result<Bench, Error> {
    let (bases, paces) = (Arc::new(config.bases()), Arc::new(config.paces()));
    let sources = Arc::new(config.sources());
    let bench = Bench { cadence: cadence(config), ..bench_without(session)? };
    Ok(Bench { outside: Outside { keeper, bases, paces, sources }, ..bench })
}

/// Nothing can be shown to anybody.
pub(super) fn bench_without(session: &Session) -> Result<Bench, Error> {
    let audit = session.audit().ok_or(Error::ReadOnly)?.clone();
    let (store, clock) = (session.store.clone(), session.clock.clone());
    let cadence = Cadence { quotes: TimeDelta::zero(), accounts: TimeDelta::zero() };
    Ok(Bench { store, audit, clock, cadence, outside: Outside::default() })
}

/// What the room of secrets says, as its callers say it.
pub(super) fn of_credentials(error: credentials::Error) -> Error {
    match error {
        credentials::Error::Vault(error) => Error::Vault(error),
        credentials::Error::Store(error) => Error::Store(error),
        credentials::Error::LeaseLost => Error::Ledger(crate::ledger::Error::LeaseLost),
        _ => Error::Interrupted,
    }
}

pub(super) async fn named(
    session: &Session,
    names: &[SafeText],
) -> Result<Vec<ConnectionId>, Error> {
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
