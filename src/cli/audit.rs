//! `audit` as clap sees it.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use secrecy::SecretString;

use super::values::date;

pub const AUDIT_HELP: &str = "\
Every operation leaves an attempt before its first effect and one outcome after it, whatever happens.
Each record proves the one before it: it is signed with a key that is forgotten at once (audit.key
holds the next one), and a second copy goes into a file for each day, audit/audit_YYYY-MM-DD.jsonl.
`verify` compares the chain, its head (vault/audit-*.head) and the daily files, and names the first
record that is wrong. It needs the first key: sealed for the vault (`dashtam vault init`); while there
is no vault that key lies open in vault/audit-*.first, and whoever can read the data folder could
write all of the trail anew. `vault init` and a change of `vault recipients` vouch for the first keys
that are there; `verify` says where nobody did, and where the key that ends a chain is gone. Who owns
all these files can also put older ones back: keep the line of `head` elsewhere, on paper or on another
machine. The database refuses changes; that somebody takes away what refuses them (triggers and indexes
of audit.db) is seen, not prevented: `verify` says so, and so does an `audit.mend` of the next record.

On Postgres each machine has a chain of its own and proves that one; `dashtam migrate --admin-url URL`
gives the trail to a role of its own, so that this program's role can add to it and no more.

Examples:
  dashtam audit list --action import --from 2026-01-01
  dashtam audit verify
  dashtam audit head                                the line to keep elsewhere
  dashtam audit verify --head 'dashtam-audit 1 ...'  does the trail still hold what that line said?
  dashtam audit export --out trail.jsonl
  dashtam audit purge --before 2019-01-01           seven years are kept whatever is asked for

Exit code 1: `verify` found something wrong. 9: the vault has to be opened for it.";

/// `audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// List what was done, the newest last
    List {
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
        /// What to list.
        #[command(flatten)]
        wanted: AuditWanted,
    },
    /// Prove that nothing was changed, taken away or put in
    Verify {
        /// The line that `audit head` printed some time
        #[arg(long, value_name = "LINE")]
        head: Option<String>,
    },
    /// Print one line that says how far the trail goes, to be kept elsewhere
    Head,
    /// Write the records, a line of JSON each
    Export {
        /// What to write.
        #[command(flatten)]
        wanted: AuditWanted,
        /// Write to this file (mode 0600) and not to the standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Write over a file that exists
        #[arg(long, requires = "out")]
        force: bool,
    },
    /// Remove what is of days (UTC) before this one; seven years are always kept
    Purge {
        /// The first day that stays
        #[arg(long, value_name = "DATE", value_parser = date)]
        before: NaiveDate,
        /// The address of a role that may, where the trail has an owner of its own
        #[arg(long, value_name = "URL", env = "DASHTAM_ADMIN_URL", hide_env_values = true)]
        admin_url: Option<SecretString>,
    },
}

/// Which records.
#[derive(Debug, Default, Args)]
pub struct AuditWanted {
    /// From this day on
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub from: Option<NaiveDate>,
    /// Up to this day
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub to: Option<NaiveDate>,
    /// Only this action, like import; `vault` stands for all that begin with `vault.`
    #[arg(long, value_name = "NAME")]
    pub action: Option<String>,
}
