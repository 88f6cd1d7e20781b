//! Connections: made with what their owner brings from the service, let rest, ended, and how each is.
//! The dashboard and the command line both call this.

use std::time::Duration;

use super::{Error, Session, pair, refresh, vault};
use crate::audit::Attempt;
use crate::config::Config;
use crate::credentials::{Keeper, Serves};
use crate::ledger;
use crate::model::{Connection, ConnectionId, ConnectionState, SafeText, Secret};
use crate::provider::{self, Auth, Class, Entry, SetupToken};
use crate::report;
use crate::vault::Key;

pub use crate::provider::Asks;
pub use crate::report::ConnectionRow;

/// What somebody brings to connect.
pub struct ConnectRequest {
    /// To which service.
    pub provider: SafeText,
    /// What it is to be called; none: as the service.
    pub name: Option<SafeText>,
    /// What the service gave.
    pub token: Secret,
    /// Which connection it is for.
    pub goal: Goal,
    /// How long to wait for somebody else who refreshes.
    pub wait: Duration,
}

/// Which connection somebody brings a token for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The one of the name, or without a name the only one that no longer works; else a new one.
    Found,
    /// A new one.
    New,
    /// This one, which no longer works.
    Again(ConnectionId),
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// The connection.
    pub connection: Connection,
    /// The token had been brought before, so nothing was done.
    pub already: bool,
}

/// A service that somebody can be connected to with what it gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// In the store and on the command line.
    pub id: &'static str,
    /// For people.
    pub title: &'static str,
    /// What a person does for it.
    pub asks: Asks,
    /// The variables that other programs read its keys from.
    pub variables: &'static [&'static str],
}

/// No word of a name has more characters; a token has.
const LONGEST_WORD: usize = 40;
/// The same of a key.
const LONGEST_BESIDE_KEYS: usize = 19;

impl Service {
    /// Whether it is brought on a page, and not given in a browser.
    #[must_use]
    pub const fn is_brought(&self) -> bool {
        matches!(self.asks, Asks::Secrets { .. })
    }

    /// Where its owner gets what is brought, or registers an app; empty: nowhere.
    #[must_use]
    pub const fn from(&self) -> &'static str {
        match self.asks {
            Asks::Secrets { from, .. } => from,
            Asks::Browser { portal } => portal,
            Asks::Nothing => "",
        }
    }

    /// The keys that it asks for; none: it asks for a token, or for nothing.
    #[must_use]
    pub const fn keys(&self) -> &'static [&'static str] {
        match self.asks {
            Asks::Secrets { called, .. } if called.len() > 1 => called,
            _ => &[],
        }
    }

    /// Whether a name is rather what the service gave: a name is seen by everybody.
    #[must_use]
    pub fn is_secret(&self, name: &str) -> bool {
        let is_token = provider_of(&SafeText::new(self.id))
            .is_ok_and(|(_, token)| (token.read)(&Secret::new(name.to_owned())).is_ok());
        let longest = if self.keys().is_empty() { LONGEST_WORD } else { LONGEST_BESIDE_KEYS };
        is_token || name.split_whitespace().any(|word| word.chars().count() > longest)
    }
}

/// Every service that somebody can be connected to.
#[must_use]
pub fn services() -> Vec<Service> {
    provider::PROVIDERS.iter().filter_map(service).collect()
}

fn service(entry: &Entry) -> Option<Service> {
    let variables: &[_] = match entry.auth {
        Auth::Keys(keys) => keys.variables,
        _ => &[],
    };
    entry.asks().map(|asks| Service { id: entry.id, title: entry.title, asks, variables })
}

/// The service of an id to which something is brought.
///
/// # Errors
/// When there is none, or it asks for nothing or for a consent in a browser.
pub fn service_of(id: &SafeText) -> Result<Service, Error> {
    let found = services().into_iter().find(|it| it.id == id.as_str() && it.is_brought());
    found.ok_or_else(|| Error::NotFound { what: "provider", name: id.clone(), nearest: None })
}

/// The provider of an id whose token is exchanged.
fn provider_of(id: &SafeText) -> Result<(&'static Entry, SetupToken), Error> {
    let missing = || Error::NotFound { what: "provider", name: id.clone(), nearest: None };
    let entry = provider::named(id).map_err(|_| missing())?;
    match entry.auth {
        Auth::SetupToken(token) => Ok((entry, token)),
        Auth::Nobody | Auth::OAuth(_) | Auth::Keys(_) => Err(missing()),
    }
}

/// Connects: keeps what was brought, sealed, and exchanges it at once where it serves only once. The
/// same token brought twice, by whichever process, makes one connection.
///
/// # Errors
/// When it is no token, the service does not take it, the key is another's, or the store fails. A
/// connection that is new is ended again then.
pub async fn connect(
    session: &Session,
    config: &Config,
    key: Key,
    request: ConnectRequest,
) -> Result<Connected, Error> {
    connect_with(session, config, keeper(session, config, key)?, request).await
}

/// The same with the keeper of a dashboard.
///
/// # Errors
/// As [`connect`].
pub async fn connect_with(
    session: &Session,
    config: &Config,
    keeper: Keeper,
    request: ConnectRequest,
) -> Result<Connected, Error> {
    if let Ok(entry) = provider::named(&request.provider)
        && let Auth::Keys(keys) = entry.auth
    {
        return pair::connect(session, config, keeper, (entry, keys), request).await;
    }
    let (entry, token) = provider_of(&request.provider)?;
    let no_token = |why: &dyn ToString| Error::Value { what: "token", why: why.to_string() };
    let (brought, url) = (token.read)(&request.token).map_err(|why| no_token(&why))?;
    if !provider::leads_to(entry, config.bases().get(entry.id), &url) {
        let host = SafeText::capped(url.host_str().unwrap_or_default(), 255);
        return Err(no_token(&format!("it leads to {host}, which is not {}", entry.title)));
    }
    let bench = refresh::bench(session, config, Ok(keeper.clone()))?;
    let Ok(lease) = bench.lease(request.wait).await? else {
        return Err(Error::Ledger(ledger::Error::LeaseLost));
    };
    let done = async {
        let known = session.store.read().await?.connections().await?;
        let holders = keeper.whose(&brought).await.map_err(refresh::of_credentials)?;
        let mine = |it: &&Connection| holders.contains(&it.id) && it.provider.as_str() == entry.id;
        let there = known.iter().find(mine);
        if let Some(connection) = there.filter(|it| it.state == ConnectionState::Active) {
            // Whoever brought it first may have been stopped before it was exchanged.
            settled(bench.setup(&lease, connection, entry).await)?;
            return Ok(Connected { connection: connection.clone(), already: true });
        }
        if let Some(connection) = there {
            let why = connection.detail.clone().unwrap_or_default();
            return Err(Error::Provider(provider::Error::Refused(SafeText::new(&format!(
                "this token was brought before: {why}; make a new one at {}",
                token.from
            )))));
        }
        let broken = meant(&known, entry, &request)?;
        let action = if broken.is_some() { "reconnect" } else { "connect" };
        let attempt = session.attempt(action, &format!("provider={}", entry.id)).await?;
        let secret = Secret::new(brought.expose().to_owned());
        let mine = keeper.clone();
        let sealed: ledger::Sealed = Box::new(move |id, after| {
            let sealed = mine.sealed(id, after, &secret, Serves::Ticket);
            sealed.map_err(|error| SafeText::new(&error.to_string()))
        });
        let consent = ledger::Consent { sealed, expires: None };
        let (store, op, now) = (&session.store, attempt.op(), session.now());
        let stored = match broken {
            Some(connection) => ledger::reconnect(store, connection, consent, op, now).await,
            None => {
                let label = free_label(&known, request.name.as_ref(), entry);
                ledger::connect(store, entry.id, &label, Some(consent), op, now).await
            }
        };
        let connection = made(session, attempt, stored.map_err(Error::from)).await?;
        if let Err(error) = settled(bench.setup(&lease, &connection, entry).await) {
            if broken.is_none() {
                let why = SafeText::capped(&error.to_string(), 512);
                end(session, &connection, Some(why)).await?;
            }
            return Err(error);
        }
        Ok(Connected { connection, already: false })
    };
    let done = done.await;
    lease.release().await?;
    done
}

/// Ends a connection: its accounts and rows stay, its secret is forgotten.
///
/// # Errors
/// When it is not there, somebody refreshes for too long, or the store fails.
pub async fn disconnect(
    session: &Session,
    name: &SafeText,
    wait: Duration,
) -> Result<Connection, Error> {
    let id = refresh::named(session, std::slice::from_ref(name)).await?;
    let known = session.store.read().await?.connections().await?;
    let is_it = |it: &&Connection| id.contains(&it.id) && !it.is_over();
    let missing = || Error::NotFound { what: "connection", name: name.clone(), nearest: None };
    let connection = known.iter().find(is_it).ok_or_else(missing)?;
    let bench = refresh::bench_without(session)?;
    let Ok(lease) = bench.lease(wait).await? else {
        return Err(Error::Ledger(ledger::Error::LeaseLost));
    };
    let ended = end(session, connection, None).await;
    lease.release().await?;
    ended.map(|()| connection.clone())
}

/// The connection of a name or a number.
///
/// # Errors
/// When it is not there.
pub async fn id_of(session: &Session, name: &SafeText) -> Result<ConnectionId, Error> {
    let found = refresh::named(session, std::slice::from_ref(name)).await?;
    let missing = || Error::NotFound { what: "connection", name: name.clone(), nearest: None };
    found.first().copied().ok_or_else(missing)
}

/// What became of a connection that was to rest, or to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused {
    /// The connection.
    pub connection: Connection,
    /// It did so already, so nothing was done.
    pub already: bool,
}

/// Lets a connection rest, or go on; its accounts and its consent stay. A refresh that is under way
/// begins to ask it no more.
///
/// # Errors
/// When it is not there, or the store fails.
pub async fn pause(session: &Session, id: ConnectionId, rests: bool) -> Result<Paused, Error> {
    let mut tx = session.store.read().await?;
    let (known, resting) = (tx.connections().await?, tx.paused().await?);
    drop(tx);
    let name = SafeText::new(&id.to_string());
    let missing = || Error::NotFound { what: "connection", name, nearest: None };
    let connection = known.into_iter().find(|it| it.id == id && !it.is_over());
    let connection = connection.ok_or_else(missing)?;
    if resting.contains_key(&id) == rests {
        return Ok(Paused { connection, already: true });
    }
    let action = ledger::pausing(rests).as_str();
    let attempt = session.attempt(action, &format!("connection={id}")).await?;
    let (op, now) = (attempt.op(), session.now());
    match ledger::pause(&session.store, id, rests, op, now).await.map_err(Error::from) {
        Ok(true) => {
            attempt.committed("").await;
            Ok(Paused { connection, already: false })
        }
        // Somebody else was first.
        Ok(false) => {
            attempt.failed("already").await?;
            Ok(Paused { connection, already: true })
        }
        Err(error) => {
            session.end_badly(attempt, &error).await;
            Err(error)
        }
    }
}

/// Every connection that was not ended.
///
/// # Errors
/// When the store cannot be read.
pub async fn list(session: &Session) -> Result<Vec<ConnectionRow>, Error> {
    let mut tx = session.store.read().await?;
    Ok(report::connections(&mut tx, session.now()).await?)
}

async fn end(
    session: &Session,
    connection: &Connection,
    why: Option<SafeText>,
) -> Result<(), Error> {
    let detail = format!("connection={}", connection.id);
    let attempt = session.attempt("disconnect", &detail).await?;
    let (op, now) = (attempt.op(), session.now());
    match ledger::disconnect(&session.store, connection, why, op, now).await.map_err(Error::from) {
        Ok(()) => {
            attempt.committed("").await;
            Ok(())
        }
        Err(error) => {
            session.end_badly(attempt, &error).await;
            Err(error)
        }
    }
}

/// The connection that a new token is to mend; none: a new one is made.
fn meant<'a>(
    known: &'a [Connection],
    entry: &Entry,
    request: &ConnectRequest,
) -> Result<Option<&'a Connection>, Error> {
    let lives = |it: &&Connection| !it.is_over();
    let mut known_alive = known.iter().filter(lives);
    match (request.goal, &request.name) {
        (Goal::Found, name) => named(known, entry, name.as_ref()),
        (Goal::New, Some(name)) if known_alive.any(|it| it.label == *name) => Err(Error::Usage(
            "a connection has this name; choose another, or connect that one again from its row",
        )),
        (Goal::New, _) => Ok(None),
        (Goal::Again(id), _) => {
            match known_alive.find(|it| it.id == id && it.provider.as_str() == entry.id) {
                Some(it) if it.state == ConnectionState::Active => {
                    Err(Error::Usage("this connection works again; the token was not used"))
                }
                Some(it) => Ok(Some(it)),
                None => {
                    let name = SafeText::new(&id.to_string());
                    Err(Error::NotFound { what: "connection", name, nearest: None })
                }
            }
        }
    }
}

/// The connection that a new token is to mend: the one of that name, else the only one of the
/// provider that no longer works. None: a new one is made.
fn named<'a>(
    known: &'a [Connection],
    entry: &Entry,
    name: Option<&SafeText>,
) -> Result<Option<&'a Connection>, Error> {
    let lives = |it: &&Connection| !it.is_over();
    match name {
        Some(name) => match known.iter().filter(lives).find(|it| it.label == *name) {
            Some(it) if it.provider.as_str() != entry.id => {
                Err(Error::Usage("a connection to another service has this name; choose another"))
            }
            Some(it) if it.state == ConnectionState::Active => Err(Error::Usage(
                "the connection of this name works; choose another, or end it first",
            )),
            found => Ok(found),
        },
        None => {
            let mine = known.iter().filter(lives).filter(|it| it.provider.as_str() == entry.id);
            let broken: Vec<_> = mine.filter(|it| it.state != ConnectionState::Active).collect();
            Ok(match broken.as_slice() {
                [only] => Some(only),
                _ => None,
            })
        }
    }
}

/// Ends an attempt to connect, and gives the connection that it made.
pub(super) async fn made(
    session: &Session,
    attempt: Attempt,
    done: Result<ConnectionId, Error>,
) -> Result<Connection, Error> {
    let id = match done {
        Ok(id) => id,
        Err(error) => {
            session.end_badly(attempt, &error).await;
            return Err(error);
        }
    };
    attempt.committed(&format!("connection={id}")).await;
    let known = session.store.read().await?.connections().await?;
    known.into_iter().find(|it| it.id == id).ok_or(Error::Interrupted)
}

pub(super) fn free_label(known: &[Connection], name: Option<&SafeText>, entry: &Entry) -> SafeText {
    let wanted = name.map_or(entry.title, SafeText::as_str);
    let others = (2_u32..).map(|nth| SafeText::new(&format!("{wanted} {nth}")));
    let mut names = std::iter::once(SafeText::new(wanted)).chain(others);
    let is_free = |name: &SafeText| known.iter().all(|it| it.label != *name);
    names.find(is_free).unwrap_or_default()
}

fn settled(setup: crate::refresh::Result<provider::Result<provider::Setup>>) -> Result<(), Error> {
    setup.map_err(Error::from)?.map(drop).map_err(Error::Provider)
}

/// The word for what a provider did not do, in JSON and for the exit code.
pub(super) const fn kind_of(error: &provider::Error) -> &'static str {
    match error {
        provider::Error::Locked(_) => "vault",
        _ => match error.class() {
            Class::Reauthorize => "consent",
            Class::Later(Some(_)) => "limited",
            Class::Later(None) => "unreachable",
            Class::Never | Class::NextSource => "refused",
        },
    }
}

/// A keeper with an open vault.
pub(super) fn keeper(session: &Session, config: &Config, key: Key) -> Result<Keeper, Error> {
    let audit = session.audit().ok_or(Error::ReadOnly)?;
    Ok(Keeper::new(&session.store, audit, &session.clock, vault::of(config), key))
}
