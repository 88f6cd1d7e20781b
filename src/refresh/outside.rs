//! What a refresh needs of the world: what connections show to their services, and where those are.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::DateTime;
use url::Url;

use super::progress::Kept;
use super::{Bench, Error, Result};
use crate::credentials::{self, Keeper, Lost, Serves};
use crate::http::{Unsent, Why};
use crate::ledger;
use crate::model::{Connection, OAuthSpec, SafeText, Secret};
use crate::oauth::{self, Tokens, Untaken};
use crate::provider::{self, Auth, Entry, Line, Progress, Setup};
use crate::store::{Lease, quota_of};

/// What a refresh needs of the world. Cheap to clone.
#[derive(Clone)]
pub struct Outside {
    /// What opens the secrets of connections, or why nothing does.
    pub keeper: std::result::Result<Keeper, SafeText>,
    /// Where the configuration puts this machine in the place of a provider, by its id.
    pub bases: Arc<BTreeMap<String, Url>>,
    /// How many requests a minute the configuration allows a provider, by its id.
    pub paces: Arc<BTreeMap<String, u16>>,
    /// Who is asked for the price of a security, by their ids: the first of them who knows it.
    pub sources: Arc<Vec<String>>,
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outside")
    }
}

impl Default for Outside {
    /// Without anything to show.
    fn default() -> Self {
        Self {
            keeper: Err(SafeText::new("there is no vault here")),
            bases: Arc::default(),
            paces: Arc::default(),
            sources: Arc::default(),
        }
    }
}

impl Bench {
    /// The way from a connection to its service, with what was used of its limits. Nothing is sent any
    /// more once its owner lets it rest.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn line(&self, connection: &Connection, entry: &'static Entry) -> Result<Arc<Line>> {
        let name = quota_of(connection.id);
        let used = self.store.used_of(&name).await?;
        let (bench, id) = (self.clone(), connection.id);
        let remember = Box::new(move |used: Vec<i64>| -> provider::Boxed<_> {
            let (bench, name) = (bench.clone(), name.clone());
            Box::pin(async move {
                match bench.rests(id).await {
                    Ok(true) => return Err(Unsent::Paused),
                    Ok(false) => {}
                    Err(_) => return Err(Unsent::NotRemembered),
                }
                bench.store.keep_used(&name, &used).await.map_err(|_| Unsent::NotRemembered)
            })
        });
        let base = self.outside.bases.get(entry.id).cloned();
        let pace = self.outside.paces.get(entry.id).copied();
        Ok(Arc::new(Line::new(entry, base, pace, &self.clock, &used, remember)))
    }

    /// Settles what processes left half done that are gone: attempts without an outcome, and secrets
    /// that were presented and brought nothing back.
    ///
    /// # Errors
    /// When the store or the trail fails.
    pub(super) async fn settle(&self, lease: &Lease) -> Result<()> {
        self.audit.settle_left_open(&self.store).await?;
        if let Ok(keeper) = &self.outside.keeper
            && let Err(error) = keeper.settle_lost(lease).await
        {
            told(error)?;
        }
        Ok(())
    }

    /// All that the provider of a connection needs. A token that its owner brought and that was not
    /// exchanged yet is exchanged now, an access that is about to end is renewed.
    ///
    /// # Errors
    /// The outer one when the store or the trail fails; the inner one when there is nothing to show.
    pub async fn setup(
        &self,
        lease: &Lease,
        connection: &Connection,
        entry: &'static Entry,
    ) -> Result<provider::Result<Setup>> {
        self.setup_after(lease, connection, entry, None).await
    }

    /// The same where the service did not take what it was shown, so that something newer is needed.
    ///
    /// # Errors
    /// As [`Bench::setup`].
    pub async fn setup_after(
        &self,
        lease: &Lease,
        connection: &Connection,
        entry: &'static Entry,
        denied: Option<&Secret>,
    ) -> Result<provider::Result<Setup>> {
        let seed = connection.id.0.cast_unsigned();
        let kept =
            Kept { store: self.store.clone(), lease: lease.clone(), connection: connection.id };
        let progress: Option<Arc<dyn Progress>> = Some(Arc::new(kept));
        let mut setup = Setup { seed, clock: self.clock.clone(), line: None, progress };
        if let Auth::Nobody = entry.auth {
            // Who invents needs no way to anybody.
            if !entry.hosts.is_empty() {
                let nothing = Arc::new(Secret::new(String::new()));
                setup.line = Some((self.line(connection, entry).await?, nothing));
            }
            return Ok(Ok(setup));
        }
        let keeper = match &self.outside.keeper {
            Ok(keeper) => keeper,
            Err(why) => return Ok(Err(provider::Error::Locked(why.clone()))),
        };
        // It may have been given anew since the plan was made.
        let known = self.store.read().await?.connections().await?;
        let known = known.into_iter().find(|known| known.id == connection.id);
        let expires = known.map_or(connection.consent_expires, |known| known.consent_expires);
        let ends = expires.and_then(DateTime::from_timestamp_micros);
        if let Some(ends) = ends.filter(|ends| *ends <= self.clock.now()) {
            return Ok(Err(provider::Error::Expired(ends)));
        }
        let line = self.line(connection, entry).await?;
        let shown = match entry.auth {
            Auth::OAuth(spec) => {
                self.access(keeper, lease, connection, (entry, spec), &line, denied).await
            }
            _ => shown(keeper, lease, connection, entry, &line).await,
        };
        match shown {
            Ok(secret) => {
                setup.line = Some((line, Arc::new(secret)));
                Ok(Ok(setup))
            }
            Err(error) => told(error).map(Err),
        }
    }

    /// The access of a consent, renewed where it is over or was denied: once, by whoever is first.
    async fn access(
        &self,
        keeper: &Keeper,
        lease: &Lease,
        connection: &Connection,
        (entry, spec): (&'static Entry, OAuthSpec),
        line: &Arc<Line>,
        denied: Option<&Secret>,
    ) -> credentials::Result<Secret> {
        let held = keeper.current(connection.id).await?;
        let unreadable = || credentials::Error::Nothing(connection.id);
        let tokens = Tokens::of(&held.secret).ok_or_else(unreadable)?;
        let is_denied = denied.is_some_and(|denied| denied.expose() == tokens.access.expose());
        if !is_denied && !tokens.is_over(self.clock.now()) {
            return Ok(tokens.access);
        }
        let (line, clock) = (Arc::clone(line), self.clock.clone());
        let exchange = move |secret: Secret| async move {
            let unreadable = || Lost::Refused(SafeText::new("what is kept of the consent is none"));
            let tokens = Tokens::of(&secret).ok_or_else(unreadable)?;
            let not_sent = |error: provider::Error| taken(&error);
            let url = line.at(spec.token).map_err(not_sent)?;
            let answer = line.send(&oauth::ask_with_refresh(url, &tokens)).await;
            let answer = answer.map_err(not_sent)?;
            let told = oauth::told(&spec, &answer, tokens.app, Some(&tokens.refresh), clock.now());
            let tokens = told.map_err(|error| untaken(entry, error))?;
            tokens.to_secret().ok_or_else(|| untaken(entry, Untaken::NoToken))
        };
        let seen = held.generation;
        let renewed = keeper.renew(lease, connection.id, seen, Serves::Once, exchange).await?;
        Ok(Tokens::of(&renewed.secret).ok_or_else(unreadable)?.access)
    }
}

/// What became of a token that was presented, where no answer came: what stands in front of the
/// service, or the service itself, said that it was not taken, or nobody knows.
fn taken(error: &provider::Error) -> Lost {
    let why = SafeText::new(&error.to_string());
    match error {
        provider::Error::Http(http) if matches!(http.why, Why::WebPage | Why::Failing(_)) => {
            Lost::NotTaken(why)
        }
        error => lost(error),
    }
}

/// What became of it where an answer came without a token.
fn untaken(entry: &Entry, error: Untaken) -> Lost {
    let why = SafeText::new(&format!("{}: {error}", entry.title));
    match error {
        Untaken::NotNow => Lost::NotTaken(why),
        // It was answered well, so it is spent.
        Untaken::NoToken => Lost::Unanswered(why),
        _ => Lost::Refused(why),
    }
}

async fn shown(
    keeper: &Keeper,
    lease: &Lease,
    connection: &Connection,
    entry: &Entry,
    line: &Arc<Line>,
) -> credentials::Result<Secret> {
    let held = keeper.current(connection.id).await?;
    match entry.auth {
        Auth::SetupToken(token) if (token.is_one)(&held.secret) => {
            let line = Arc::clone(line);
            let exchange = move |secret| async move {
                (token.claim)(line, secret).await.map_err(|error| lost(&error))
            };
            let seen = held.generation;
            let renewed = keeper.renew(lease, connection.id, seen, Serves::Ticket, exchange);
            Ok(renewed.await?.secret)
        }
        _ => Ok(held.secret),
    }
}

/// What became of a secret that serves once and brought nothing.
fn lost(error: &provider::Error) -> Lost {
    let why = SafeText::new(&error.to_string());
    match error {
        _ if error.took_nothing() => Lost::NotTaken(why),
        provider::Error::Refused(_) | provider::Error::Consent => Lost::Refused(why),
        _ => Lost::Unanswered(why),
    }
}

/// What there is to be said of a connection that has nothing to show.
fn told(error: credentials::Error) -> Result<provider::Error> {
    let why = SafeText::new(&error.to_string());
    match error {
        credentials::Error::Nothing(_) | credentials::Error::Consent(..) => {
            Ok(provider::Error::Refused(why))
        }
        credentials::Error::Later(_) => Ok(provider::Error::Unavailable(why)),
        credentials::Error::Vault(_) => Ok(provider::Error::Locked(why)),
        credentials::Error::LeaseLost => Err(Error::from(ledger::Error::LeaseLost)),
        credentials::Error::Interrupted => Err(Error::Interrupted),
        credentials::Error::Store(error) => Err(Error::Store(error)),
    }
}
