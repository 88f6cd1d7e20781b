//! `vault`: the key to what connections keep secret.

use serde::Serialize;

use super::Job;
use super::exit::{Error, Status};
use super::output::note;
use super::prompt::{can_ask, new_passphrase, passphrase};
use super::table::{Column, Table};
use crate::cli::{RecipientsCommand, VaultCommand};
use crate::model::{SafeText, Secret};
use crate::service::vault::{self, Key, Protection, Recipient, Resealed};
use crate::service::{self, Session};
use crate::text::counted;

const NO_ONE_TO_ASK: &str = "there is no terminal to ask for a passphrase on; give it through \
     DASHTAM_PASSPHRASE_FD, or say --no-passphrase";
const NO_NEW_ONE: &str = "there is no terminal to ask for the new passphrase on; give it as the next \
     line through DASHTAM_PASSPHRASE_FD, or say --remove";

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    protection: &'static str,
    recipient: String,
    others: Vec<Other>,
    secrets: usize,
    sealed_unlike: usize,
    opened: Option<usize>,
    unfinished: bool,
}

#[derive(Serialize)]
struct Other {
    recipient: String,
    name: SafeText,
}

#[derive(Serialize)]
struct Changed {
    schema: &'static str,
    recipient: Option<String>,
    secrets: Option<usize>,
    /// Those that stay as they are, for other machines only.
    left: Option<usize>,
}

pub const fn only_looks(command: &VaultCommand) -> bool {
    matches!(command, VaultCommand::Status | VaultCommand::Recipients(RecipientsCommand::List))
}

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    command: &VaultCommand,
) -> Result<Status, Error> {
    if only_looks(command) {
        return status(job, session, command).await;
    }
    // What comes through a pipe can be read once: the first line, then the next.
    let given = job.config.unlocking.passphrases().map_err(service::Error::from)?;
    let mut given = given.into_iter();
    let (said, recipient, done) = match command {
        VaultCommand::Init { no_passphrase } => {
            let own = init(job, session, *no_passphrase, given.next()).await?;
            (format!("made the vault; this machine is {own}"), Some(own), None)
        }
        VaultCommand::Passphrase { remove } => {
            let (key, _) = open(job, session, &mut given).await?;
            let new = match remove {
                true => None,
                // The first one is the old one, if nothing else opened it.
                false => Some(asked(given.next_back(), NO_NEW_ONE)?),
            };
            vault::change_passphrase(session, job.config, key, new).await?;
            let said = match remove {
                true => "the key's file is protected by its mode alone",
                false => "the new passphrase opens the vault",
            };
            (said.to_owned(), None, None)
        }
        VaultCommand::Recipients(RecipientsCommand::Add { recipient, name }) => {
            let other = parsed(recipient)?;
            let (key, _) = open(job, session, &mut given).await?;
            let name = name.clone().unwrap_or_default();
            let done = vault::add_recipient(session, job.config, &key, other, name).await?;
            let secrets = secrets(done.sealed);
            (format!("sealed {secrets} for that machine too"), None, Some(done))
        }
        VaultCommand::Recipients(RecipientsCommand::Remove { recipient }) => {
            let other = parsed(recipient)?;
            let (key, _) = open(job, session, &mut given).await?;
            let done = vault::remove_recipient(session, job.config, &key, other).await?;
            let secrets = secrets(done.sealed);
            let said = format!("sealed {secrets} anew; what that machine read it knows");
            (said, None, Some(done))
        }
        VaultCommand::Recipients(RecipientsCommand::Rotate) => {
            let (key, known) = open(job, session, &mut given).await?;
            let file = vault::of(job.config).read().map_err(service::Error::from)?;
            // Whatever opened it, the new key has the same protection.
            let passphrase = match (known, file.protection()) {
                (None, Protection::Passphrase) => Some(its_passphrase(&mut given)?),
                (known, _) => known,
            };
            let old = vault::status(session, job.config, None).await?.own;
            let done = vault::rotate(session, job.config, key, passphrase).await?;
            let status = vault::status(session, job.config, None).await?;
            tell_what_is_left(&old, &status);
            let own = status.own;
            let secrets = secrets(done.sealed);
            let said = format!("sealed {secrets} for the new key; this machine is {own} now");
            (said, Some(own), Some(done))
        }
        VaultCommand::Status | VaultCommand::Recipients(RecipientsCommand::List) => {
            return Ok(Status::Done);
        }
    };
    if job.flags.json {
        let recipient = recipient.map(|own| own.to_string());
        let (secrets, left) = (done.map(|done| done.sealed), done.map(|done| done.left));
        job.out.json(&Changed { schema: "dashtam.vault.changed/1", recipient, secrets, left })?;
    } else {
        job.out.line(&said)?;
    }
    if let Some(Resealed { left: left @ 1.., .. }) = done {
        note(&format!(
            "dashtam: {} for other machines only and cannot be opened here; a machine that opens them \
             lets this one do so with `dashtam vault recipients add`",
            match left {
                1 => "1 secret is".to_owned(),
                _ => format!("{left} secrets are"),
            }
        ));
    }
    Ok(Status::Done)
}

async fn init(
    job: &Job<'_>,
    session: &Session,
    no_passphrase: bool,
    given: Option<Secret>,
) -> Result<Recipient, Error> {
    if vault::of(job.config).exists() {
        let path = vault::of(job.config).path();
        return Err(service::Error::from(crate::vault::Error::Exists { path }).into());
    }
    let passphrase = match no_passphrase {
        true => None,
        false => Some(asked(given, NO_ONE_TO_ASK)?),
    };
    Ok(vault::init(session, job.config, passphrase).await?)
}

/// What a new key asks of its owner elsewhere.
fn tell_what_is_left(old: &Recipient, status: &vault::Status) {
    note(
        "dashtam: a copy of the old key opens nothing any more; put the new one wherever you keep one: \
         an identity file, systemd's credential, the copy beside your backups",
    );
    if !status.others.is_empty() {
        let own = &status.own;
        note(&format!(
            "dashtam: your other machines seal for the old key still; on each of them: dashtam vault \
             recipients add {own} && dashtam vault recipients remove {old}"
        ));
    }
}

fn secrets(count: usize) -> String {
    counted(u64::try_from(count).unwrap_or(u64::MAX), "secret")
}

/// A new passphrase: the one that was given, else one that is typed twice.
fn asked(given: Option<Secret>, nobody: &'static str) -> Result<Secret, Error> {
    match given {
        Some(given) => Ok(given),
        None if can_ask() => new_passphrase(),
        None => Err(Error::Usage(nobody)),
    }
}

/// The key, and the passphrase that opened it, if it was one: what lies ready comes first, then a
/// passphrase that was given, and a person is asked where nothing else opens it.
pub(super) async fn open(
    job: &Job<'_>,
    session: &Session,
    given: &mut impl Iterator<Item = Secret>,
) -> Result<(Key, Option<Secret>), Error> {
    match vault::key(session, job.config, None).await {
        Err(service::Error::Vault(crate::vault::Error::Locked)) => {}
        key => return Ok((key?, None)),
    }
    let passphrase = its_passphrase(given)?;
    tell_of_wait(job, session);
    let key = vault::unlock(session, job.config, &passphrase).await?;
    Ok((key, Some(passphrase)))
}

/// The passphrase of the vault: the one that was given, else one that is typed.
fn its_passphrase(given: &mut impl Iterator<Item = Secret>) -> Result<Secret, Error> {
    match given.next() {
        Some(given) => Ok(given),
        None if can_ask() => passphrase("Passphrase"),
        None => Err(service::Error::from(crate::vault::Error::Locked).into()),
    }
}

/// Whoever sits there must not think that nothing happens.
fn tell_of_wait(job: &Job<'_>, session: &Session) {
    let seconds = vault::of(job.config).pause(&session.clock).as_secs();
    if seconds > 0 {
        let seconds = counted(seconds, "second");
        note(&format!("dashtam: the passphrase before was wrong; this one is tried in {seconds}"));
    }
}

fn parsed(text: &str) -> Result<Recipient, Error> {
    text.parse().map_err(|error: crate::vault::Error| service::Error::from(error).into())
}

async fn status(
    job: &mut Job<'_>,
    session: &Session,
    command: &VaultCommand,
) -> Result<Status, Error> {
    let given = match command {
        VaultCommand::Status => job.config.unlocking.passphrases().map_err(service::Error::from)?,
        _ => Vec::new(),
    };
    if !given.is_empty() {
        tell_of_wait(job, session);
    }
    let key = match vault::key(session, job.config, given.first()).await {
        Ok(key) => Some(key),
        Err(service::Error::Vault(crate::vault::Error::Locked)) => None,
        Err(error) => return Err(error.into()),
    };
    let status = vault::status(session, job.config, key.as_ref()).await?;
    if job.flags.json {
        let other = |(recipient, name): (Recipient, SafeText)| Other {
            recipient: recipient.to_string(),
            name,
        };
        job.out.json(&Document {
            schema: "dashtam.vault/1",
            protection: word(status.protection),
            recipient: status.own.to_string(),
            others: status.others.into_iter().map(other).collect(),
            secrets: status.secrets,
            sealed_unlike: status.unlike,
            opened: status.opened,
            unfinished: status.unfinished,
        })?;
        return Ok(Status::Done);
    }
    if matches!(command, VaultCommand::Recipients(_)) {
        let mut table =
            Table::new(vec![Column::text("recipient", 62, 0), Column::text("name", 8, 0)]);
        let own = SafeText::new("this machine");
        for (recipient, name) in std::iter::once((status.own, own)).chain(status.others) {
            table.row(vec![SafeText::new(&recipient.to_string()), name]);
        }
        job.out.table(&table)?;
        return Ok(Status::Done);
    }
    let machines = status.others.len();
    job.out.line(&format!("key          protected by {}", said(status.protection)))?;
    job.out.line(&format!("this machine {}", status.own))?;
    job.out.line(&format!("others       {machines}"))?;
    let opened = status.opened.map_or("locked".to_owned(), |count| format!("{count} open"));
    job.out.line(&format!("secrets      {}, {opened}", status.secrets))?;
    if status.unlike > 0 {
        note(&format!(
            "dashtam: {} secrets are sealed for other machines than these; `dashtam vault recipients \
             add` names another one and seals all anew",
            status.unlike
        ));
    }
    if status.unfinished {
        note(
            "dashtam: a new key was begun; `dashtam vault recipients rotate` brings it to its end",
        );
    }
    Ok(Status::Done)
}

const fn word(protection: Protection) -> &'static str {
    match protection {
        Protection::Passphrase => "passphrase",
        Protection::FileMode => "file_mode",
    }
}

const fn said(protection: Protection) -> &'static str {
    match protection {
        Protection::Passphrase => "a passphrase",
        Protection::FileMode => "its file's mode alone",
    }
}
