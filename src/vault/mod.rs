//! The vault: what connections have to keep secret, sealed so that the store, its backups and
//! whoever reads them learn nothing.
//!
//! Each data folder has a key of its own in `vault/key`, wrapped in a passphrase or, where its owner
//! chose so, protected by the file's mode alone. A secret is an age file in the store, sealed for
//! this key and for those of the other machines that the key file names, so that any of them can
//! write a renewed one without a passphrase. Whose it is and its generation are inside, and are
//! checked when it is opened: one that was swapped or put back under another number is refused.
//!
//! Anybody who knows a public key can seal something for it. So what is opened is only as true as
//! the store is; that it was not read is what this promises. The list of machines is never taken
//! from the store, and whoever writes it into the key file says with the key that he has it: where
//! somebody else named himself there, nothing is opened and nothing sealed. Of a vault without a
//! passphrase this keeps nobody out, since who writes that file as its owner reads the key in it.

mod file;
mod kept;
mod key;
mod patience;
mod sealed;

use std::path::PathBuf;

pub use file::{KeyFile, Protection, Vault};
pub use kept::{Resealed, machines, names, open_kept, seal_all, seal_kept};
pub use key::{Key, Recipient};
pub use sealed::{Place, open, open_under, seal, seal_under};

use crate::config::private::{PermissionProblem, WriteError};
use crate::model::ConnectionId;

/// Why a secret or the key to it cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody made a vault here.
    #[error("there is no vault in {}; `dashtam vault init` makes one", folder.display())]
    Missing {
        /// Where it would be.
        folder: PathBuf,
    },
    /// There is one already.
    #[error("there is a vault already: {}", path.display())]
    Exists {
        /// Its key file.
        path: PathBuf,
    },
    /// Nothing that was given opens it.
    #[error("the vault is locked and no passphrase was given")]
    Locked,
    /// The same for a wrong passphrase and for an altered file: who tries must not learn which.
    #[error("the passphrase is wrong, or the key file is damaged")]
    Wrong,
    /// A file that was to hold a key.
    #[error("there is no key in {from}")]
    NoKey {
        /// Which.
        from: String,
    },
    /// A key that is not the one of this vault.
    #[error("{from} holds the key of another vault")]
    OtherKey {
        /// Where it came from.
        from: String,
    },
    /// Somebody gave the vault another key since this one was opened.
    #[error("the key of the vault was changed meanwhile, and nothing was done; run it again")]
    Changed,
    /// A file that is not what was written.
    #[error("{}: {why}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A sealed secret that this key does not open.
    #[error("the secret of connection {0} is damaged, or sealed for another machine only")]
    NotForUs(ConnectionId),
    /// A secret under the number of another one.
    #[error(
        "the secret of connection {} (generation {}) is that of connection {} (generation {}): somebody exchanged them",
        expected.connection, expected.generation, found.connection, found.generation
    )]
    Swapped {
        /// Where it was.
        expected: Place,
        /// Where it belongs.
        found: Place,
    },
    /// A text that names no machine.
    #[error(
        "`{0}` is no recipient; one begins with age1, and `dashtam vault recipients list` on the other machine shows its own"
    )]
    NoRecipient(String),
    /// The passphrase protects nothing.
    #[error("a passphrase has at least {0} characters")]
    TooShort(usize),
    /// Somebody else could read or change it.
    #[error(transparent)]
    Permission(#[from] PermissionProblem),
    /// A file that cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A file that cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Nothing could be sealed.
    #[error("sealing failed: {0}")]
    Seal(#[from] age::EncryptError),
}

impl Error {
    /// Whether the system lets nobody but somebody else in.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        let (Self::Io { source, .. } | Self::Write(WriteError::Io { source, .. })) = self else {
            return false;
        };
        source.kind() == std::io::ErrorKind::PermissionDenied
    }
}

/// What rooms of ours say.
pub type Result<T> = std::result::Result<T, Error>;
