//! A consent that is given in a browser: begun, answered by the address that the browser ends at, and
//! kept sealed. Given anew it goes on with the same connection, with all its accounts.
//!
//! Nobody is locked out meanwhile: a person needs minutes, and a code is good for seconds. What is kept
//! of a newer sign-in counts, whoever renews an older one at that moment.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::connect::{Connected, Goal, free_label, keeper, made};
use super::owners::{self, Owner};
use super::{Error, Session, refresh};
use crate::clock::Clock;
use crate::config::Config;
use crate::config::private::{self, ReadFile};
use crate::credentials::{Keeper, Serves};
use crate::ledger::{self, Consent};
use crate::model::{App, Connection, ConnectionId, ConnectionState, OAuthSpec, SafeText, Secret};
use crate::oauth::{self, Certificate, Listener, NotListening, Tokens};
use crate::provider::{self, Auth, Entry, Line};
use crate::vault::Key;

pub use crate::oauth::{Login, NoCode, PATIENCE};

/// No certificate is larger.
const LARGEST: u64 = 64 << 10;
/// Where nobody came with an address for as long as [`PATIENCE`].
pub const TOO_LATE: &str =
    "no address came within five minutes, and nothing was changed; begin again";
const NOT_PLAIN: &str = "a key or a secret of an app is letters and digits without blanks; copy them \
     from the developer portal";

/// A consent that is to be given.
pub struct Asking<'a> {
    session: &'a Session,
    config: &'a Config,
    keeper: Keeper,
    entry: &'static Entry,
    spec: OAuthSpec,
    goal: Goal,
    label: Option<SafeText>,
    /// What this program is known by at the service; none: its owner has to be asked.
    pub app: Option<App>,
}

/// Whether the consent to a provider is given in a browser.
#[must_use]
pub fn is_given_in_browser(provider: &SafeText) -> bool {
    provider::named(provider).is_ok_and(|entry| matches!(entry.auth, Auth::OAuth(_)))
}

impl<'a> Asking<'a> {
    /// Prepares to ask for the consent of the connection of a name, or of the one that needs it: the
    /// app is that of the configuration, else the one that was kept with the connection that goes on.
    ///
    /// # Errors
    /// When there is no such provider, the name is another's, or what is kept cannot be opened.
    pub async fn begin(
        session: &'a Session,
        config: &'a Config,
        key: Key,
        provider: &SafeText,
        name: Option<SafeText>,
    ) -> Result<Self, Error> {
        let keeper = keeper(session, config, key)?;
        Self::begin_with(session, config, keeper, provider, (Goal::Found, name)).await
    }

    /// The same with the keeper of a dashboard, and for whichever connection is meant.
    ///
    /// # Errors
    /// As [`Asking::begin`].
    pub async fn begin_with(
        session: &'a Session,
        config: &'a Config,
        keeper: Keeper,
        provider: &SafeText,
        (goal, name): (Goal, Option<SafeText>),
    ) -> Result<Self, Error> {
        let missing =
            || Error::NotFound { what: "provider", name: provider.clone(), nearest: None };
        let entry = provider::named(provider).map_err(|_| missing())?;
        let Auth::OAuth(spec) = entry.auth else { return Err(missing()) };
        let known = session.store.read().await?.connections().await?;
        let goes_on = which(&known, entry, goal, name.as_ref())?;
        // Said before somebody signs in: that would end what the same login was given before.
        if goes_on.is_none()
            && let Some(why) = unknown(&owners::owners(session, entry).await?)
        {
            return Err(wrong(why));
        }
        let app = match (config.services.app(&config.unlocking)?, goes_on) {
            (Some(app), _) => Some(app),
            (None, Some(connection)) => kept_app(&keeper, connection).await?,
            (None, None) => None,
        };
        Ok(Self { session, config, keeper, entry, spec, goal, label: name, app })
    }

    /// Takes the app as somebody typed it.
    ///
    /// # Errors
    /// When it could not be sent.
    pub fn take_app(&mut self, key: &Secret, secret: &Secret) -> Result<(), Error> {
        let trimmed = |typed: &Secret| typed.expose().trim().to_owned();
        let app = App { key: trimmed(key), secret: Secret::new(trimmed(secret)) };
        if !app.is_plain() {
            return Err(Error::Usage(NOT_PLAIN));
        }
        self.app = Some(app);
        Ok(())
    }

    /// Where an app is registered.
    #[must_use]
    pub const fn portal(&self) -> &'static str {
        self.spec.portal
    }

    /// What the service is called.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        self.entry.title
    }

    /// The question for the browser.
    ///
    /// # Errors
    /// When the app is not known, or the machine has no chance to give.
    pub fn login(&self) -> Result<Login, Error> {
        let app = self.app()?;
        let base = self.config.bases().remove(self.entry.id);
        let url = provider::at(self.entry, base.as_ref(), self.spec.authorize);
        let url = url.map_err(Error::Provider)?;
        Login::begin(&self.spec, url, self.config.services.callback(), app)
            .map_err(|error| Error::Value { what: "state", why: error.to_string() })
    }

    /// Takes what the browser came back with, exchanges it, and keeps what comes for it.
    ///
    /// # Errors
    /// When it is no answer to this question, the service does not take it, or the store fails: what
    /// was there before stays as it was then. When it is the login of another connection, which it
    /// is kept for, or nobody can say now whose it is.
    pub async fn finish(self, login: &Login, answer: &Secret) -> Result<Connected, Error> {
        let code = login.read(answer).map_err(|why| match why {
            NoCode::Denied(_) => {
                Error::Provider(provider::Error::Refused(SafeText::new(&why.to_string())))
            }
            _ => Error::Value { what: "address", why: why.to_string() },
        })?;
        let session = self.session;
        let known = session.store.read().await?.connections().await?;
        let action = match which(&known, self.entry, self.goal, self.label.as_ref())? {
            Some(_) => "reconnect",
            None => "connect",
        };
        let attempt = session.attempt(action, &format!("provider={}", self.entry.id)).await?;
        let done = async {
            let tokens = self.exchange(&code).await?;
            let expires = session.clock.now() + self.spec.consent;
            let given = || self.consent(&tokens, expires);
            let owners = owners::owners(session, self.entry).await?;
            let mine = self.accounts(&owners, &tokens).await;
            // Whoever was faster has made the connection that this one goes on with.
            let known = session.store.read().await?.connections().await?;
            let goes_on = which(&known, self.entry, self.goal, self.label.as_ref())?;
            let mine = match (mine, goes_on, owners.as_slice()) {
                (Ok(mine), ..) => mine,
                // There is no other one whose accounts it could bring in twice.
                (Err(why), Some(connection), [_]) if is_transient(&why) => {
                    self.give_anew(connection, given()?).await?;
                    return Err(self.unchecked(&connection.label, &why));
                }
                (Err(Error::Provider(why)), ..) => return Err(self.lost(&why)),
                (Err(why), ..) => return Err(why),
            };
            if let Some(why) = misfit(goes_on, &owners, &mine) {
                let Some(owner) = whose(&owners, &mine) else { return Err(wrong(why)) };
                self.give_anew(owner, given()?).await?;
                let label = &owner.label;
                return Err(wrong(format!("{why}; the consent of `{label}` is given anew by it")));
            }
            let (store, op, now) = (&session.store, attempt.op(), session.now());
            let made = match goes_on {
                Some(connection) => ledger::reconnect(store, connection, given()?, op, now).await,
                None => {
                    let label = free_label(&known, self.label.as_ref(), self.entry);
                    ledger::connect(store, self.entry.id, &label, Some(given()?), op, now).await
                }
            };
            made.map_err(Error::from)
        };
        let done = done.await;
        let connection = made(session, attempt, done).await?;
        Ok(Connected { connection, already: false })
    }

    /// The accounts that the sign-in is of. Where nobody has one yet, there is none that could be
    /// another's.
    async fn accounts(
        &self,
        owners: &[Owner],
        tokens: &Tokens,
    ) -> Result<BTreeSet<SafeText>, Error> {
        if owners.is_empty() {
            return Ok(BTreeSet::new());
        }
        let access = Secret::new(tokens.access.expose().to_owned());
        owners::accounts_of(self.session, self.entry, Arc::new(self.line()), access).await
    }

    /// What comes of the sign-in, to be sealed.
    fn consent(&self, tokens: &Tokens, expires: DateTime<Utc>) -> Result<Consent, Error> {
        let secret = tokens.to_secret().ok_or_else(|| self.refused(oauth::Untaken::NoToken))?;
        let keeper = self.keeper.clone();
        let sealed: ledger::Sealed = Box::new(move |id, after| {
            let sealed = keeper.sealed(id, after, &secret, Serves::Once);
            sealed.map_err(|error| SafeText::new(&error.to_string()))
        });
        Ok(Consent { sealed, expires: Some(expires.timestamp_micros()) })
    }

    /// Keeps it for the connection whose login it is, whatever was meant: the service takes nothing
    /// any more that was given to that login before.
    async fn give_anew(&self, connection: &Connection, consent: Consent) -> Result<(), Error> {
        let session = self.session;
        let detail = format!("provider={} connection={}", self.entry.id, connection.id);
        let attempt = session.attempt("reconnect", &detail).await?;
        let (op, now) = (attempt.op(), session.now());
        let given = ledger::reconnect(&session.store, connection, consent, op, now).await;
        made(session, attempt, given.map_err(Error::from)).await.map(drop)
    }

    /// The consent is kept, and nobody knows yet whether the login was the right one.
    fn unchecked(&self, label: &SafeText, why: &Error) -> Error {
        let title = self.entry.title;
        Error::Provider(provider::Error::Unavailable(SafeText::new(&format!(
            "the consent of `{label}` is given anew, but {title} did not say of which accounts it is \
             ({why}): look at them after the next refresh"
        ))))
    }

    /// Nobody knows whose it is, so it is kept for nobody; what the login was given before may be over.
    fn lost(&self, why: &provider::Error) -> Error {
        let title = self.entry.title;
        let said = SafeText::new(&format!(
            "{title} did not say of which accounts the consent is ({why}), so it was not kept: sign in again"
        ));
        Error::Provider(match why.class() {
            provider::Class::Later(_) => provider::Error::Unavailable(said),
            _ => provider::Error::Refused(said),
        })
    }

    fn line(&self) -> Line {
        owners::line(self.session, self.config, self.entry)
    }

    async fn exchange(&self, code: &oauth::Code) -> Result<Tokens, Error> {
        let line = self.line();
        let app = self.app()?;
        let url = line.at(self.spec.token).map_err(Error::Provider)?;
        let request = oauth::ask_with_code(url, app, code);
        let answer = line.send(&request).await.map_err(Error::Provider)?;
        let app = App { key: app.key.clone(), secret: Secret::new(app.secret.expose().to_owned()) };
        oauth::told(&self.spec, &answer, app, None, self.session.clock.now())
            .map_err(|error| self.refused(error))
    }

    fn refused(&self, error: oauth::Untaken) -> Error {
        let why = SafeText::new(&format!("{}: {error}", self.entry.title));
        Error::Provider(match error {
            oauth::Untaken::NotNow => provider::Error::Unavailable(why),
            _ => provider::Error::Refused(why),
        })
    }

    fn app(&self) -> Result<&App, Error> {
        const NO_APP: &str =
            "the app is not known; name a file with its key and secret in [schwab]";
        self.app.as_ref().ok_or(Error::Usage(NO_APP))
    }
}

/// The connection that goes on with a new consent. None: a new one is made.
fn which<'a>(
    known: &'a [Connection],
    entry: &Entry,
    goal: Goal,
    name: Option<&SafeText>,
) -> Result<Option<&'a Connection>, Error> {
    const TAKEN: &str =
        "a connection has this name; choose another, or renew that one from its row";
    let mut living = known.iter().filter(|it| !it.is_over());
    match goal {
        Goal::Found => found(known, entry, name),
        Goal::New if name.is_some_and(|name| living.any(|it| it.label == *name)) => {
            Err(Error::Usage(TAKEN))
        }
        Goal::New => Ok(None),
        Goal::Again(id) => {
            match living.find(|it| it.id == id && it.provider.as_str() == entry.id) {
                Some(connection) => Ok(Some(connection)),
                None => Err(gone(id)),
            }
        }
    }
}

fn gone(id: ConnectionId) -> Error {
    let name = SafeText::new(&id.to_string());
    Error::NotFound { what: "connection", name, nearest: None }
}

/// The connection of that name, else the only one of the provider that no longer works, else the only
/// one.
fn found<'a>(
    known: &'a [Connection],
    entry: &Entry,
    name: Option<&SafeText>,
) -> Result<Option<&'a Connection>, Error> {
    const OTHER: &str = "a connection to another service has this name; choose another";
    const SEVERAL: &str = "there are several connections to this service; say which with --name";
    let lives = |it: &&Connection| !it.is_over();
    if let Some(name) = name {
        return match known.iter().filter(lives).find(|it| it.label == *name) {
            Some(it) if it.provider.as_str() != entry.id => Err(Error::Usage(OTHER)),
            found => Ok(found),
        };
    }
    let is_mine = |it: &&Connection| it.provider.as_str() == entry.id;
    let mine: Vec<_> = known.iter().filter(lives).filter(is_mine).collect();
    let broken = mine.iter().filter(|it| it.state != ConnectionState::Active);
    let broken: Vec<_> = broken.copied().collect();
    match (broken.as_slice(), mine.as_slice()) {
        ([only], _) | ([], [only]) => Ok(Some(only)),
        (_, []) => Ok(None),
        _ => Err(Error::Usage(SEVERAL)),
    }
}

/// Why a sign-in is refused: it is of somebody else than the connection is of, or would bring the same
/// accounts in twice. Both would be wrong sums of money.
fn misfit(
    goes_on: Option<&Connection>,
    owners: &[Owner],
    mine: &BTreeSet<SafeText>,
) -> Option<String> {
    let is_meant = |owner: &&Owner| goes_on.is_some_and(|it| it.id == owner.connection.id);
    let mut others = owners.iter().filter(|owner| !is_meant(owner));
    let other = others.find(|owner| !owner.accounts.is_disjoint(mine));
    let other = other.map(|owner| &owner.connection.label);
    let meant = owners.iter().find(is_meant);
    let strange = meant.filter(|owner| owner.accounts.is_disjoint(mine));
    match (strange, other) {
        (Some(Owner { connection, .. }), Some(other)) => {
            Some(format!("it is that of `{other}` and not of `{}`", connection.label))
        }
        (_, Some(other)) => {
            Some(format!("`{other}` has its accounts already, and they would count twice"))
        }
        (Some(Owner { connection, accounts }), None) if !accounts.is_empty() => Some(format!(
            "it has none of the accounts of `{}`; sign in as before, or make a connection of another \
             name with it",
            connection.label
        )),
        (_, None) if goes_on.is_none() => unknown(owners),
        (_, None) => None,
    }
}

/// Why nobody can say yet that a new connection would bring nothing in twice.
fn unknown(owners: &[Owner]) -> Option<String> {
    let label = &owners.iter().find(|owner| owner.accounts.is_empty())?.connection.label;
    Some(format!(
        "the accounts of `{label}` are not known yet, and they may be the same; let a refresh bring \
         them in first, or end it"
    ))
}

/// The only connection that has accounts of a sign-in.
fn whose<'a>(owners: &'a [Owner], mine: &BTreeSet<SafeText>) -> Option<&'a Connection> {
    let mut theirs = owners.iter().filter(|owner| !owner.accounts.is_disjoint(mine));
    theirs.next().filter(|_| theirs.next().is_none()).map(|owner| &owner.connection)
}

fn wrong(why: String) -> Error {
    Error::Value { what: "sign-in", why }
}

/// It may answer another time.
fn is_transient(error: &Error) -> bool {
    matches!(error, Error::Provider(error) if matches!(error.class(), provider::Class::Later(_)))
}

/// The app that was kept with the last consent.
async fn kept_app(keeper: &Keeper, connection: &Connection) -> Result<Option<App>, Error> {
    use crate::credentials::Error as Lost;
    match keeper.newest(connection.id).await {
        Ok(held) => Ok(Tokens::of(&held.secret).map(|tokens| tokens.app)),
        // It can be typed again.
        Err(Lost::Nothing(_) | Lost::Vault(_)) => Ok(None),
        Err(error) => Err(refresh::of_credentials(error)),
    }
}

/// What a browser is shown that is sent back to this machine. It is kept, so that the browser warns of
/// it but once, and made anew before its end.
///
/// # Errors
/// When the machine has no chance to give, or the file cannot be written.
pub fn certificate(config: &Config, clock: &Clock) -> Result<Certificate, Error> {
    let (path, today) = (config.callback_file(), clock.now().date_naive());
    let kept = ReadFile::open(&path, LARGEST).ok().filter(|file| file.check_private().is_ok());
    let kept = kept.and_then(|file| Certificate::of(&Secret::new(file.text)));
    if let Some(kept) = kept.filter(|kept| kept.serves(today)) {
        return Ok(kept);
    }
    let no_chance = |why: &dyn ToString| Error::Value { what: "certificate", why: why.to_string() };
    let text = Certificate::make(today).map_err(|why| no_chance(&why))?;
    private::write_atomic_private(&path, text.expose().as_bytes(), true)
        .map_err(|source| Error::Write { path, source })?;
    Certificate::of(&text).ok_or(Error::Interrupted)
}

/// Begins to wait on this machine for the browser that comes back to a sign-in.
///
/// # Errors
/// When it is sent elsewhere, somebody else waits there, or no certificate can be had.
pub async fn listen(config: &Config, clock: &Clock, login: &Login) -> Result<Listener, Error> {
    let Certificate { shown, key, .. } = certificate(config, clock)?;
    let listener = Listener::begin(login.callback(), shown, key).await;
    listener
        .map_err(|error: NotListening| Error::Value { what: "callback", why: error.to_string() })
}

/// What its owner does to give a consent anew; the name says which, where there are several.
#[must_use]
pub fn anew(connection: &Connection) -> String {
    let Connection { provider, label, .. } = connection;
    // As a shell reads it.
    let name = label.as_str().replace('\'', "'\\''");
    format!("`dashtam connect {provider} --name '{name}'` gives it anew")
}

/// When a consent ends, as people read it.
#[must_use]
pub fn ends(connection: &Connection) -> Option<String> {
    let ends = DateTime::from_timestamp_micros(connection.consent_expires?)?;
    Some(ends.format("%Y-%m-%d %H:%M UTC").to_string())
}
