//! The vault of a data folder: made, opened, and changed, with all that is sealed in the store
//! sealed anew where that is asked for. What may be asked of a person is asked by others.

use super::{Error, Session};
use crate::config::Config;
use crate::model::{SafeText, Secret};
use crate::store::SealedSecret;
use crate::tasks::{self, Task};
use crate::vault::{self, Vault, machines, open_kept, seal_all};

pub use crate::vault::{Key, Protection, Recipient};

/// How a vault is.
#[derive(Clone, Debug)]
pub struct Status {
    /// What protects its key.
    pub protection: Protection,
    /// For whom secrets are sealed so that this machine opens them.
    pub own: Recipient,
    /// The other machines, as their owner calls them.
    pub others: Vec<(Recipient, SafeText)>,
    /// How many secrets there are, those from before too.
    pub secrets: usize,
    /// Of how many somebody sealed the newest for other machines than these.
    pub unlike: usize,
    /// How many this key opens; none: no key was given.
    pub opened: Option<usize>,
    /// Whether a new key was begun and not all is sealed for it alone.
    pub unfinished: bool,
}

/// The vault of a configuration.
#[must_use]
pub fn of(config: &Config) -> Vault {
    Vault::at(config.vault_dir())
}

/// The key, from where it may be had without asking anybody.
///
/// # Errors
/// [`vault::Error::Locked`] where only a person can open it, and whatever is wrong with it.
pub async fn key(session: &Session, config: &Config, given: Option<&Secret>) -> Result<Key, Error> {
    let vault = of(config);
    if let Some((text, from)) = config.unlocking.identity()? {
        let key = Key::parse(&text).ok_or(vault::Error::Wrong)?;
        return Ok(vault.accept(key, &from)?);
    }
    match (vault.unprotected(), given) {
        (Err(vault::Error::Locked), Some(passphrase)) => unlock(session, config, passphrase).await,
        (key, _) => Ok(key?),
    }
}

/// The key, by a passphrase. What is wrong leaves its trail.
///
/// # Errors
/// When it is wrong, or the vault is.
pub async fn unlock(session: &Session, config: &Config, passphrase: &Secret) -> Result<Key, Error> {
    let attempt = session.attempt("vault.unlock", "").await?;
    let (vault, clock) = (of(config), session.clock.clone());
    let passphrase = Secret::new(passphrase.expose().to_owned());
    let work = move || vault.unlock(&passphrase, &clock, std::thread::sleep);
    match blocking(work).await {
        Ok(key) => {
            attempt.succeeded("").await?;
            Ok(key)
        }
        Err(error) => {
            attempt.failed(error.kind()).await?;
            Err(error)
        }
    }
}

/// Makes the vault; without a passphrase its file's mode is all that protects it.
///
/// # Errors
/// When there is one, or it cannot be written.
pub async fn init(
    session: &Session,
    config: &Config,
    passphrase: Option<Secret>,
) -> Result<Recipient, Error> {
    let vault = of(config);
    let work = move || {
        let changing = vault.change()?;
        let made = vault.make(&Key::generate(), passphrase.as_ref(), &changing)?;
        Ok(made.own().clone())
    };
    in_trail(session, "vault.init", work).await
}

/// Protects the key by another passphrase, or by its file's mode alone.
///
/// # Errors
/// When it cannot be written; then the old one goes on to open it.
pub async fn change_passphrase(
    session: &Session,
    config: &Config,
    key: Key,
    new: Option<Secret>,
) -> Result<(), Error> {
    let vault = of(config);
    let work = move || {
        let changing = vault.change()?;
        let file = vault.read()?.rekeyed(&key, new.as_ref())?;
        vault.write(&file, &changing)
    };
    in_trail(session, "vault.passphrase", work).await
}

/// Lets another machine open every secret from now on, under this name.
///
/// # Errors
/// When the key file cannot be written, or a secret cannot be opened to be sealed anew.
pub async fn add_recipient(
    session: &Session,
    config: &Config,
    key: &Key,
    other: Recipient,
    name: SafeText,
) -> Result<usize, Error> {
    let vault = of(config);
    let write = move || {
        let changing = vault.change()?;
        let file = vault.read()?.with(other, name);
        vault.write(&file, &changing)?;
        Ok(file.recipients())
    };
    seal_anew(session, "vault.recipients", key, write).await
}

/// Seals for another machine no more. What it has read already it knows.
///
/// # Errors
/// When it is not there, the key file cannot be written, or a secret cannot be opened.
pub async fn remove_recipient(
    session: &Session,
    config: &Config,
    key: &Key,
    other: Recipient,
) -> Result<usize, Error> {
    let vault = of(config);
    let known = vault.read()?;
    if !known.others().iter().any(|(known, _)| *known == other) {
        let name = SafeText::new(&other.to_string());
        return Err(Error::NotFound { what: "recipient", name, nearest: None });
    }
    let write = move || {
        let changing = vault.change()?;
        let file = vault.read()?.without(&other);
        vault.write(&file, &changing)?;
        Ok(file.recipients())
    };
    seal_anew(session, "vault.recipients", key, write).await
}

/// Gives the vault a new key and seals every secret for it. Where one was begun and stopped, that
/// one is brought to its end.
///
/// The file holds both keys until nothing is sealed for the old one any more, so that it opens all
/// there is whenever it is stopped.
///
/// # Errors
/// When the key file cannot be written, or a secret cannot be opened to be sealed anew.
pub async fn rotate(
    session: &Session,
    config: &Config,
    key: Key,
    passphrase: Option<Secret>,
) -> Result<usize, Error> {
    let key = if key.is_being_renewed() { key } else { key.renewed() };
    let key = std::sync::Arc::new(key);
    let write_key = |key: std::sync::Arc<Key>, passphrase: Option<Secret>| {
        let vault = of(config);
        move || {
            let changing = vault.change()?;
            let file = vault.read()?.rekeyed(&key, passphrase.as_ref())?;
            vault.write(&file, &changing)?;
            Ok(file.recipients())
        }
    };
    let again = passphrase.as_ref().map(|text| Secret::new(text.expose().to_owned()));
    let begin = write_key(std::sync::Arc::clone(&key), again);
    let sealed = seal_anew(session, "vault.rotate", &key, begin).await?;
    let key = std::sync::Arc::into_inner(key).ok_or(Error::Interrupted)?;
    let end = write_key(std::sync::Arc::new(key.newest()), passphrase);
    blocking(end).await?;
    Ok(sealed)
}

/// How it is. With a key it is tried whether that opens everything.
///
/// # Errors
/// When there is no vault, it is damaged, or the store cannot be read.
pub async fn status(
    session: &Session,
    config: &Config,
    key: Option<&Key>,
) -> Result<Status, Error> {
    let file = of(config).read()?;
    let secrets = session.store.read().await?.secrets().await?;
    let all = machines(&file.recipients());
    let newest = |row: &&SealedSecret| {
        !secrets.iter().any(|it| it.connection == row.connection && it.generation > row.generation)
    };
    let unlike = secrets.iter().filter(newest).filter(|row| row.sealed_for != all).count();
    let opens = |key: &Key| secrets.iter().filter(|row| open_kept(key, row).is_ok()).count();
    Ok(Status {
        protection: file.protection(),
        own: file.own().clone(),
        others: file.others().to_vec(),
        secrets: secrets.len(),
        unlike,
        opened: key.map(opens),
        unfinished: key.is_some_and(Key::is_being_renewed),
    })
}

/// Writes the key file, then seals every secret for those it names, in one transaction: while it is
/// under way the file names at least everybody who can open what there is.
async fn seal_anew(
    session: &Session,
    action: &str,
    key: &Key,
    write: impl FnOnce() -> vault::Result<Vec<Recipient>> + Send + 'static,
) -> Result<usize, Error> {
    let attempt = session.attempt(action, "").await?;
    let done = async {
        let recipients = blocking(write).await?;
        let mut tx = session.store.write().await?;
        let sealed = seal_all::<Error>(&mut tx, key, &recipients).await?;
        tx.commit(&attempt.op().to_string(), action, session.now()).await?;
        Ok(sealed)
    };
    match done.await {
        Ok(sealed) => {
            attempt.committed(&format!("secrets={sealed}")).await;
            Ok(sealed)
        }
        Err(error) => {
            session.end_badly(attempt, &error).await;
            Err(error)
        }
    }
}

/// Does what writes the key file and nothing else, with its attempt and outcome in the trail.
async fn in_trail<T: Send + 'static>(
    session: &Session,
    action: &str,
    work: impl FnOnce() -> vault::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let attempt = session.attempt(action, "").await?;
    let done = blocking(work).await;
    match &done {
        Ok(_) => attempt.succeeded("").await?,
        Err(error) => attempt.failed(error.kind()).await?,
    }
    done
}

/// A passphrase takes half a second of work, and a lock may take longer.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> vault::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let done = tasks::spawn_blocking(Task::Vault, work).await;
    Ok(done.map_err(|_| Error::Interrupted)??)
}
