//! Why a verb could not be done, with the next step.

use std::path::PathBuf;

use crate::config::private::{PermissionProblem, WriteError};
use crate::config::{Config, ConfigError, Database};
use crate::import::Problem;
use crate::model::SafeText;
use crate::{archive, ledger, provider, report, store, vault};

/// With less room than this SQLite cannot even make the files that it wants beside a database.
const LITTLE: u64 = 64 << 10;

/// Why a verb could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration or a folder.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Somebody else could read or change what is private.
    #[error(transparent)]
    Permission(#[from] PermissionProblem),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The file of the store, and why it cannot be used.
    #[error("{}: {source}", path.display())]
    Database {
        /// Which.
        path: PathBuf,
        /// Why.
        source: store::Error,
    },
    /// No room for the file of the store.
    #[error(
        "disk full: {} cannot be written, {free} bytes are free there; make room and try again, nothing was stored",
        path.display()
    )]
    DiskFull {
        /// Which.
        path: PathBuf,
        /// How many bytes are left for us.
        free: u64,
    },
    /// The file whose lock keeps a second writer out.
    #[error(
        "{}: cannot be locked for writing: {source}; make it writable, or look with --read-only",
        path.display()
    )]
    Lock {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A secret, or the key to all of them.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// A service outside did not do what was asked.
    #[error("{0}")]
    Provider(provider::Error),
    /// The change was refused.
    #[error(transparent)]
    Ledger(ledger::Error),
    /// A question that has no answer.
    #[error(transparent)]
    Report(report::Error),
    /// A file that cannot be read.
    #[error("{}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: FileProblem,
    },
    /// A file that is not what it should be.
    #[error("{}: {problem}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong in it.
        problem: Problem,
    },
    /// A file that cannot be written.
    #[error("{}: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: WriteError,
    },
    /// A backup that cannot be restored.
    #[error("{}: {source}", path.display())]
    Archive {
        /// Which.
        path: PathBuf,
        /// Why.
        source: archive::Error,
    },
    /// A backup of a schema that is not known yet.
    #[error(
        "{}: a backup of schema {found}, this program knows up to {known}; use the newer dashtam, nothing was restored",
        path.display()
    )]
    NewerBackup {
        /// Which.
        path: PathBuf,
        /// Of the backup.
        found: i64,
        /// Of this program.
        known: i64,
    },
    /// A store that must not be migrated.
    #[error("not migrated, left as it is: {}", .0.of_backup())]
    NotBackedUp(Box<Error>),
    /// What was named is not there.
    #[error("there is no {what} called `{name}`{}", did_you_mean(.nearest.as_ref()))]
    NotFound {
        /// `account`, `security`.
        what: &'static str,
        /// As given.
        name: SafeText,
        /// What may have been meant.
        nearest: Option<SafeText>,
    },
    /// More than one thing is called so.
    #[error("several securities are called `{name}`: {candidates}; write one of these")]
    Ambiguous {
        /// As given.
        name: SafeText,
        /// How each can be named.
        candidates: String,
    },
    /// Two wishes that do not go together, or one that is missing.
    #[error("{0}")]
    Usage(&'static str),
    /// A value of a flag that cannot be.
    #[error("{what}: {why}")]
    Value {
        /// Which flag or field.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Nothing may be written.
    #[error("this session only looks (--read-only); nothing was changed")]
    ReadOnly,
    /// Reading or writing failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A task of ours ended before its time.
    #[error("the work was stopped before its end; nothing was stored")]
    Interrupted,
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileProblem {
    /// Not there, not allowed, and so on.
    #[error("{_0}{}", next_step(_0))]
    Open(std::io::Error),
    /// A folder, a pipe, a device.
    #[error("not a regular file; copy its content into a file and import that")]
    NotRegular,
    /// A link.
    #[error("a symbolic link; name the file it leads to")]
    IsLink,
    /// Somebody wrote to it meanwhile.
    #[error("it changed while it was read; wait until it is complete and import it again")]
    Changed,
}

impl From<ledger::Error> for Error {
    fn from(error: ledger::Error) -> Self {
        match error {
            ledger::Error::Store(error) => Self::Store(error),
            other => Self::Ledger(other),
        }
    }
}

impl From<report::Error> for Error {
    fn from(error: report::Error) -> Self {
        match error {
            report::Error::Store(error) => Self::Store(error),
            other @ (report::Error::Cursor
            | report::Error::Plan(_)
            | report::Error::NoSuchFigure { .. }) => Self::Report(other),
        }
    }
}

impl Error {
    /// The column that a change is refused for, and why.
    #[must_use]
    pub fn refusal(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Ledger(ledger::Error::Refused(refusal)) => {
                Some((refusal.column.0, refusal.why.to_string()))
            }
            _ => None,
        }
    }

    /// What was to be taken back is somebody else's by now.
    #[must_use]
    pub const fn is_overtaken(&self) -> bool {
        matches!(
            self,
            Self::Ledger(ledger::Error::ChangedSince(_) | ledger::Error::ClaimedSince(_))
        )
    }

    /// The word for it in JSON.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Config(
                ConfigError::Folder { source, .. } | ConfigError::DatabaseFile { source, .. },
            ) if is_of_disk(source) => "storage",
            Self::Config(_) | Self::Usage(_) | Self::Value { .. } | Self::Report(_) => "usage",
            Self::Permission(_) | Self::ReadOnly => "permission",
            Self::Store(store::Error::Newer { .. })
            | Self::NewerBackup { .. }
            | Self::Archive { source: archive::Error::Newer(_), .. } => "newer_schema",
            Self::Store(store::Error::Busy) => "busy",
            Self::Store(_)
            | Self::Database { .. }
            | Self::DiskFull { .. }
            | Self::Lock { .. }
            | Self::NotBackedUp(_) => "storage",
            Self::Ledger(
                ledger::Error::NoAccount(_)
                | ledger::Error::NoBatch(_)
                | ledger::Error::NoSecurity(_)
                | ledger::Error::NoTarget { .. }
                | ledger::Error::NoPrice { .. }
                | ledger::Error::NotWatched(_)
                | ledger::Error::NoAlert(_)
                | ledger::Error::NoTransaction(_),
            )
            | Self::NotFound { .. } => "not_found",
            Self::Vault(error) => of_vault(error),
            Self::Ledger(ledger::Error::NotSealed(_)) => "vault",
            Self::Provider(error) => super::connect::kind_of(error),
            Self::Ledger(ledger::Error::LeaseLost) => "locked",
            Self::Ledger(ledger::Error::Interrupted | ledger::Error::Damaged(_))
            | Self::Interrupted => "internal",
            Self::Io(_)
            | Self::Write { source: WriteError::Io { .. }, .. }
            | Self::Archive { source: archive::Error::Io(_), .. } => "io",
            Self::Ledger(_)
            | Self::Content { .. }
            | Self::Ambiguous { .. }
            | Self::Archive { .. } => "refused",
            Self::File { .. } | Self::Write { .. } => "file",
        }
    }

    /// The same, with the file of the store where the trouble is that file or its disk.
    #[must_use]
    pub fn about(self, config: &Config) -> Self {
        let Database::Sqlite(path) = &config.database.value else { return self };
        let folder = path.parent().unwrap_or(path);
        let free = rustix::fs::statvfs(folder);
        let free = free.map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        let path = path.clone();
        match self {
            Self::Store(store::Error::DiskFull) => Self::DiskFull { path, free },
            // SQLite does not always say why it could not make a file.
            Self::Store(store::Error::File(_)) if free < LITTLE => Self::DiskFull { path, free },
            Self::Store(source @ (store::Error::File(_) | store::Error::ReadOnly)) => {
                Self::Database { path, source }
            }
            other => other,
        }
    }

    /// In a word, where a disk or a folder takes no writes: what is there can be looked at then.
    #[must_use]
    pub fn why_no_writes(&self) -> Option<&'static str> {
        use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, StorageFull};
        let source = match self {
            Self::DiskFull { .. } | Self::Store(store::Error::DiskFull) => {
                return Some("disk full");
            }
            Self::Database { .. } | Self::Store(store::Error::ReadOnly) => {
                return Some("no writes possible");
            }
            Self::Lock { source, .. }
            | Self::Config(
                ConfigError::Folder { source, .. } | ConfigError::DatabaseFile { source, .. },
            ) => source,
            _ => return None,
        };
        match source.kind() {
            StorageFull => Some("disk full"),
            ReadOnlyFilesystem => Some("disk read-only"),
            PermissionDenied => Some("no right to write"),
            _ => None,
        }
    }

    /// In words that name the folder of a backup that nobody asked for by name.
    fn of_backup(&self) -> String {
        match self {
            Self::Write { path, source: WriteError::Io { source, .. } } => {
                let folder = path.parent().unwrap_or(path).display();
                format!("no backup in {folder}: {source}; check the folder and the free space")
            }
            other => other.to_string(),
        }
    }

    /// What to do next, where the message does not say it already.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NotFound { what: "account", .. } => "`dashtam account list` shows the accounts",
            Self::NotFound { what: "connection", .. } => "`dashtam connections` lists them",
            Self::NotFound { what: "security", .. } => {
                "`dashtam security list` shows the securities"
            }
            Self::Store(store::Error::Server(_) | store::Error::NoAnswer) => {
                "check that the server runs and that the address in --database is right"
            }
            Self::Archive { source: archive::Error::Broken { .. }, .. } => {
                "nothing was restored; take another backup or another copy of this one"
            }
            Self::ReadOnly => "leave out --read-only",
            Self::Vault(error) => return hint_of_vault(error).map(str::to_owned),
            Self::Write { source: WriteError::Exists(_), .. } => "add --force to write over it",
            _ => return None,
        };
        Some(text.to_owned())
    }
}

fn of_vault(error: &vault::Error) -> &'static str {
    match error {
        vault::Error::Permission(_) => "permission",
        error if error.is_refused() => "permission",
        vault::Error::Write(_) | vault::Error::Io { .. } => "io",
        vault::Error::Exists { .. } | vault::Error::NoRecipient(_) | vault::Error::TooShort(_) => {
            "usage"
        }
        _ => "vault",
    }
}

const fn hint_of_vault(error: &vault::Error) -> Option<&'static str> {
    Some(match error {
        vault::Error::Locked => {
            "give it through DASHTAM_PASSPHRASE_FD, or name a key with DASHTAM_IDENTITY_FILE"
        }
        vault::Error::Wrong => "try again; each wrong try makes the next one later",
        vault::Error::Exists { .. } => "`dashtam vault status` shows it",
        vault::Error::NotForUs(_) => {
            "on a machine that opens it, `dashtam vault recipients add` lets this one do so too"
        }
        vault::Error::NoKey { .. } => {
            "a key is a line that begins with AGE-SECRET-KEY-1, as age-keygen writes it"
        }
        vault::Error::OtherKey { .. } => {
            "where the vault was given a new key (`dashtam vault recipients rotate`), put that one there"
        }
        vault::Error::Swapped { .. } => "restore a backup, or connect both anew",
        vault::Error::Damaged { .. } => "nothing was changed",
        _ => return None,
    })
}

/// The disk is in the way, and no wish of the user.
fn is_of_disk(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), ReadOnlyFilesystem | StorageFull)
}

/// What to do about a file that cannot be opened.
fn next_step(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::NotFound => "; check the name and the folder you are in",
        std::io::ErrorKind::PermissionDenied => "; you need the right to read it",
        _ => "",
    }
}

fn did_you_mean(name: Option<&SafeText>) -> String {
    name.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}
