//! The vault of a data folder: made, opened, and changed, with all that is sealed in the store
//! sealed anew where that is asked for. What may be asked of a person is asked by others.

use tracing::warn;

use super::{Error, Session};
use crate::audit::Attempt;
use crate::config::Config;
use crate::model::{OpId, SafeText, Secret};
use crate::store::SealedSecret;
use crate::tasks::{self, Task};
use crate::vault::{self, KeyFile, Vault, machines, names, open_kept, seal_all};

pub use crate::vault::{Key, Protection, Recipient, Resealed};

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
        let key = Key::parse(&text).ok_or_else(|| vault::Error::NoKey { from: from.clone() })?;
        return Ok(vault.accept(key, &from)?);
    }
    match (vault.unprotected(), given) {
        (Err(vault::Error::Locked), Some(passphrase)) => unlock(session, config, passphrase).await,
        (key, _) => Ok(key?),
    }
}

/// The key, by a passphrase. What is wrong leaves its trail, but where one only looks; it makes the
/// next try later there too.
///
/// # Errors
/// When it is wrong, or the vault is.
pub async fn unlock(session: &Session, config: &Config, passphrase: &Secret) -> Result<Key, Error> {
    let attempt = match session.audit() {
        Some(_) => Some(session.attempt("vault.unlock", "").await?),
        None => None,
    };
    let (vault, clock) = (of(config), session.clock.clone());
    let passphrase = Secret::new(passphrase.expose().to_owned());
    let work = move || vault.unlock(&passphrase, &clock, std::thread::sleep);
    let opened = blocking(work).await;
    match (attempt, &opened) {
        (Some(attempt), Ok(_)) => attempt.succeeded("").await?,
        (Some(attempt), Err(error)) => attempt.failed(error.kind()).await?,
        (None, _) => {}
    }
    opened
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
    let (vault, key) = (of(config), Key::generate());
    let attempt = session.attempt("vault.init", "").await?;
    let op = attempt.op();
    let work = move || {
        let changing = vault.change()?;
        let made = vault.make(&key, passphrase.as_ref(), op, &changing)?;
        Ok((made, key, changing))
    };
    let (made, key, _changing) = match blocking(work).await {
        Ok(made) => made,
        Err(error) => {
            // The error itself is what the person must see.
            drop(attempt.failed(error.kind()).await);
            return Err(error);
        }
    };
    // From now on nobody can write the trail anew who cannot open the vault. The vault is there all
    // the same where that cannot be: the next start seals what lies open.
    if let Err(error) = seal_trail(session, &key, &made.recipients()).await {
        warn!(%error, "the first keys of the trail could not be sealed for the new vault");
    }
    attempt.committed("").await;
    Ok(made.own().clone())
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
    let work = move |op| {
        let changing = vault.change()?;
        let file = vault.read_to_change(&key, &changing)?.rekeyed(&key, new.as_ref())?;
        vault.write(&file.by(op), &key, &changing)
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
) -> Result<Resealed, Error> {
    change_machines(session, config, key, |file| file.with(other, name)).await
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
) -> Result<Resealed, Error> {
    let file = of(config).read()?;
    let is_named = file.others().iter().any(|(known, _)| *known == other);
    // Whoever was stopped has struck it out of the file already, and secrets are for it still.
    let secrets = session.store.read().await?.secrets().await?;
    let has_some = other != *file.own() && secrets.iter().any(|row| names(row, &other));
    if !is_named && !has_some {
        let name = SafeText::new(&other.to_string());
        return Err(Error::NotFound { what: "recipient", name, nearest: None });
    }
    change_machines(session, config, key, |file| file.without(&other)).await
}

/// Gives the vault a new key and seals every secret for it. Where one was begun and stopped, that
/// one is brought to its end.
///
/// The file holds both keys until nothing is sealed for the old one any more, so that it opens all
/// there is whenever it is stopped.
///
/// # Errors
/// When the passphrase is not that of the vault, or none was given where there is one: nothing else
/// may protect the new key. When the key file cannot be written, or a secret cannot be opened to be
/// sealed anew.
pub async fn rotate(
    session: &Session,
    config: &Config,
    key: Key,
    passphrase: Option<Secret>,
) -> Result<Resealed, Error> {
    const ACTION: &str = "vault.rotate";
    let attempt = session.attempt(ACTION, "").await?;
    let (vault, clock) = (of(config), session.clock.clone());
    let begin = move || {
        let changing = vault.change()?;
        let file = vault.read_to_change(&key, &changing)?;
        // What the file itself holds: a key from elsewhere may lack the one from before.
        let (key, passphrase) = match (file.protection(), passphrase) {
            (Protection::FileMode, _) => (vault.unprotected()?, None),
            (Protection::Passphrase, None) => return Err(vault::Error::Locked),
            (Protection::Passphrase, Some(its)) => {
                (vault.unlock(&its, &clock, std::thread::sleep)?, Some(its))
            }
        };
        let key = if key.is_being_renewed() { key } else { key.renewed() };
        let file = file.rekeyed(&key, passphrase.as_ref())?;
        vault.write(&file, &key, &changing)?;
        Ok((vault, changing, key, passphrase, file.recipients()))
    };
    let done = async {
        let state = blocking(begin).await?;
        let sealed = seal_anew(session, &attempt, ACTION, &state.2, &state.4).await?;
        Ok((state, sealed))
    };
    let done = done.await;
    let (state, sealed) = told(session, attempt, done, |(_, done)| *done).await?;
    let (vault, changing, key, passphrase, _) = state;
    let end = move || {
        let file = vault.read_to_change(&key, &changing)?;
        let file = file.rekeyed(&key.newest(), passphrase.as_ref())?;
        // With the old one too, for whoever opened the vault with that.
        vault.write(&file, &key, &changing)
    };
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

/// Writes the key file, then seals every secret for those it names: while that is under way the file
/// names at least everybody who can open what there is, and nobody else changes it. What fails leaves
/// it as it was.
async fn change_machines(
    session: &Session,
    config: &Config,
    key: &Key,
    change: impl FnOnce(KeyFile) -> KeyFile,
) -> Result<Resealed, Error> {
    const ACTION: &str = "vault.recipients";
    let attempt = session.attempt(ACTION, "").await?;
    let done = async {
        let vault = of(config);
        let changing = blocking(move || vault.change()).await?;
        let vault = of(config);
        let before = vault.read_to_change(key, &changing)?;
        let after = change(vault.read_to_change(key, &changing)?);
        vault.write(&after, key, &changing)?;
        let sealed = seal_anew(session, &attempt, ACTION, key, &after.recipients()).await;
        if sealed.is_err() {
            vault.write(&before, key, &changing)?;
            seal_trail(session, key, &before.recipients()).await?;
        }
        sealed
    };
    let done = done.await;
    told(session, attempt, done, |done| *done).await
}

/// Seals every secret for these machines, in one transaction.
async fn seal_anew(
    session: &Session,
    attempt: &Attempt,
    action: &str,
    key: &Key,
    recipients: &[Recipient],
) -> Result<Resealed, Error> {
    let mut tx = session.store.write().await?;
    let sealed = seal_all::<Error>(&mut tx, key, recipients).await?;
    seal_trail(session, key, recipients).await?;
    tx.commit(&attempt.op().to_string(), action, session.now()).await?;
    Ok(sealed)
}

/// Seals the trail's first keys for these machines.
async fn seal_trail(session: &Session, key: &Key, recipients: &[Recipient]) -> Result<(), Error> {
    match session.audit() {
        Some(audit) => Ok(audit.go_over_to(recipients, key).await?),
        None => Ok(()),
    }
}

/// Ends an attempt to seal anew.
async fn told<T>(
    session: &Session,
    attempt: Attempt,
    done: Result<T, Error>,
    counts: impl FnOnce(&T) -> Resealed,
) -> Result<T, Error> {
    match &done {
        Ok(it) => {
            let Resealed { sealed, left } = counts(it);
            attempt.committed(&format!("secrets={sealed} left={left}")).await;
        }
        Err(error) => session.end_badly(attempt, error).await,
    }
    done
}

/// Does what writes the key file and nothing else, with its attempt and outcome in the trail.
async fn in_trail<T: Send + 'static>(
    session: &Session,
    action: &str,
    work: impl FnOnce(OpId) -> vault::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let attempt = session.attempt(action, "").await?;
    let op = attempt.op();
    let done = blocking(move || work(op)).await;
    match &done {
        Ok(_) => attempt.committed("").await,
        Err(error) => drop(attempt.failed(error.kind()).await),
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
