//! `vault` as clap sees it.

use clap::Subcommand;

use super::values::name;
use crate::model::SafeText;

/// `vault`.
#[derive(Debug, Subcommand)]
pub enum VaultCommand {
    /// Make the vault, with a key of its own
    Init {
        /// Protect the key by its file's mode alone, for a machine that nobody sits at
        #[arg(long)]
        no_passphrase: bool,
    },
    /// Show what protects the key, for which machines secrets are sealed, and how many there are
    Status,
    /// Choose another passphrase
    Passphrase {
        /// Take it away: the key's file is protected by its mode alone
        #[arg(long)]
        remove: bool,
    },
    /// The machines that may open the secrets, and a new key for this one
    #[command(subcommand)]
    Recipients(RecipientsCommand),
}

/// `vault recipients`.
#[derive(Debug, Subcommand)]
pub enum RecipientsCommand {
    /// List them, this machine first
    List,
    /// Let another machine of yours open every secret
    Add {
        /// What `vault recipients list` shows there, like age1...
        recipient: String,
        /// What you call it
        #[arg(long, value_name = "NAME", value_parser = name)]
        name: Option<SafeText>,
    },
    /// Seal for another machine no more; what it has read already it knows
    Remove {
        /// As `vault recipients list` shows it
        recipient: String,
    },
    /// Give this machine a new key and seal every secret for it
    Rotate,
}
