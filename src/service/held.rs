//! The key of a vault while a dashboard has it: given by a person, let go of again, and never longer
//! in memory than that.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::vault;
use super::{Error, Session, connect};
use crate::config::Config;
use crate::credentials::Keeper;
use crate::model::{SafeText, Secret};
use crate::vault::Error as VaultError;

/// The key that a person gave, for whoever of a dashboard needs it. Clones have the same one.
#[derive(Clone, Default)]
pub struct Held(Arc<Mutex<Option<Keeper>>>);

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}

impl Held {
    pub(super) fn keeper(&self) -> Option<Keeper> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, keeper: Option<Keeper>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = keeper;
    }

    /// Lets go of it: at once, whatever else can or cannot be done.
    pub fn let_go(&self) {
        self.put(None);
    }

    /// Whether a person gave it, and it was not let go of since.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.keeper().is_some()
    }
}

/// How the vault is, to a dashboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// There is none yet.
    Missing,
    /// Nobody need be asked for its key.
    Open,
    /// Only a person can open it.
    Locked,
    /// A person has.
    Unlocked,
    /// It cannot be used, and why.
    Broken(SafeText),
}

/// What a person gives to have the vault open.
pub enum Opening {
    /// Nothing: it is open.
    Ready,
    /// Its passphrase.
    Passphrase(Secret),
    /// That of a vault which is to be made; none: its file's mode alone protects it.
    New(Option<Secret>),
}

/// How the vault is now. A key that a person gave and that is not its key any more is let go of.
pub async fn lock_of(session: &Session, config: &Config, held: &Held) -> Lock {
    match held.keeper() {
        Some(keeper) if keeper.fits() => return Lock::Unlocked,
        // It is gone, whether the trail can tell of it or not.
        Some(_) => drop(lock(session, held).await),
        None => {}
    }
    match vault::key(session, config, None).await {
        Ok(_) => Lock::Open,
        Err(Error::Vault(VaultError::Locked)) => Lock::Locked,
        Err(Error::Vault(VaultError::Missing { .. })) => Lock::Missing,
        Err(error) => Lock::Broken(SafeText::new(&error.to_string())),
    }
}

/// Opens the vault by a passphrase, until it is locked again.
///
/// # Errors
/// When the passphrase is wrong, or the vault cannot be used.
pub async fn unlock(
    session: &Session,
    config: &Config,
    held: &Held,
    passphrase: &Secret,
) -> Result<Keeper, Error> {
    let key = vault::unlock(session, config, passphrase).await?;
    let keeper = connect::keeper(session, config, key)?;
    held.put(Some(keeper.clone()));
    Ok(keeper)
}

/// What opens secrets, with what a person gives for it.
///
/// # Errors
/// When that does not open the vault, or the vault cannot be used or made.
pub async fn open(
    session: &Session,
    config: &Config,
    held: &Held,
    opening: Opening,
) -> Result<Keeper, Error> {
    match opening {
        Opening::Ready => {}
        Opening::Passphrase(passphrase) => {
            return unlock(session, config, held, &passphrase).await;
        }
        Opening::New(passphrase) => {
            let again = passphrase.as_ref().map(|it| Secret::new(it.expose().to_owned()));
            vault::init(session, config, passphrase).await?;
            if let Some(passphrase) = again {
                return unlock(session, config, held, &passphrase).await;
            }
        }
    }
    match held.keeper() {
        Some(keeper) => Ok(keeper),
        None => connect::keeper(session, config, vault::key(session, config, None).await?),
    }
}

/// Lets go of the key, and takes down that it was.
///
/// # Errors
/// When the trail cannot be written; the key is gone all the same.
pub async fn lock(session: &Session, held: &Held) -> Result<(), Error> {
    held.let_go();
    let attempt = session.attempt("vault.lock", "").await?;
    Ok(attempt.succeeded("").await?)
}

/// How long the next passphrase waits, in seconds, as the ones before it were wrong.
#[must_use]
pub fn pause(session: &Session, config: &Config) -> u64 {
    vault::of(config).pause(&session.clock).as_secs()
}
