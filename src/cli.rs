//! The command line: commands, flags and their help texts, as definitions. It knows the words of
//! the model, and nothing of what a command does.

mod audit;
mod report;
mod security;
mod target;
mod txn;
mod values;
mod vault;
mod watch;

use std::ffi::OsString;
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{ArgAction, Args, ColorChoice, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use secrecy::SecretString;

pub use audit::{AuditCommand, AuditWanted};
pub use report::{
    AccountsArgs, AllocationArgs, CoverageArgs, FindingsArgs, Form, GainsArgs, HoldingsArgs,
    IncomeArgs, IncomeBy, LotsArgs, NetWorthArgs, Part, PerformanceArgs, Period, ReportCommand,
    Scope, TransactionsArgs,
};
pub use security::{
    SecurityChange, SecurityCommand, SecurityEditArgs, SecurityField, SecuritySplitsArgs,
    SecuritySymbolArgs,
};
pub use target::{TargetCommand, TargetSetArgs};
pub use txn::{TxnAddArgs, TxnCommand, TxnEditArgs, TxnFields};
use values::{date, in_performance, kind, method, mode, name, setting};
pub use vault::{RecipientsCommand, VaultCommand};
pub use watch::{AlertAddArgs, AlertCommand, WatchAddArgs, WatchCommand, WatchField};

use crate::model::{
    AccountKind, BatchId, Currency, Dec, InPerformance, LotMethod, Mode, SafeText, Setting, Unit,
};

const ABOUT: &str = "A terminal portfolio dashboard with exact arithmetic, over SQLite or Postgres";

const TARGET_HELP: &str = "\
A whole is cut by class, sector, region, currency, account, institution, tax, tag or security; the
targets by one of these add up to 1 at most. The band says how far off is still right.

Examples:
  dashtam target set class etf 60% --band 5%
  dashtam target set currency CAD 0.15
  dashtam report allocation --by class
  dashtam report allocation --by class --invest 5000 --whole-shares";

const EXAMPLES: &str = "\
Without a command it opens the dashboard; `?` shows its keys there.

Examples:
  dashtam                                       the dashboard
  dashtam --demo                                the same on a sample portfolio, nothing is kept
  dashtam --refresh-only                        bring in what is new, for cron and systemd
  dashtam import broker.csv --dry-run           what an import would do
  dashtam import broker.csv prices.csv          import transactions and prices as one batch
  dashtam report accounts                       what each account holds and is worth
  dashtam report holdings --explain XEQT        how its value came about
  dashtam report net-worth --every month --from 2024-01-01
  dashtam report gains --tax-year 2024 --csv    what was realized, by account
  dashtam report income --by security           what was received, and what may come
  dashtam alert add XEQT price below 30         be told when it is
  dashtam report allocation --invest 5000       what to buy to come nearer to the targets
  dashtam report transactions --account Broker --from 2024-01-01 --csv
  dashtam export --format json --out all.json   everything, in one file
  dashtam backup monday.dashtam-backup          the same with its history, for `restore`
  dashtam audit verify                          whether the trail is what was written
  dashtam doctor                                what is wrong, and what mends it

Exit codes:
  0 done   1 internal error   2 usage, config or permission   3 partial: the rest is stored
  4 a connection needs a new consent   5 provider or network   6 rate limited, try later
  7 storage   8 another process refreshes   9 vault locked, missing or damaged
  10 the database was written by a newer version   128+n ended by signal n

Environment (a flag wins over its twin, and both win over the config file):
  DASHTAM_CONFIG  DASHTAM_DATA_DIR  DASHTAM_DATABASE_URL  DASHTAM_PROFILE  NO_COLOR
  DASHTAM_IDENTITY_FILE  DASHTAM_PASSPHRASE_FD  (see `dashtam vault --help`)";

const IMPORT_USAGE: &str = "\
dashtam import [OPTIONS] <FILE>...
       dashtam import [OPTIONS] list
       dashtam import [OPTIONS] undo <BATCH>";

const IMPORT_EXAMPLES: &str = "\
Examples:
  dashtam import broker.csv --dry-run
  dashtam import january.csv february.csv --account Broker
  dashtam import list
  dashtam import undo 7

A file that is called `list` or `undo` is written `./list` or `./undo`.
All of a file is stored or nothing of it, unless --partial is given.";

const PRICE_EXAMPLES: &str = "\
Examples:
  dashtam price set sec:AMD --date 2024-01-03 --close 140.50 --currency USD
  dashtam price set fx:CAD --date 2024-01-03 --close 0.75 --currency USD   (one CAD costs 0.75 USD)";

const BACKUP_HELP: &str = "\
It may be taken while a dashboard runs: it holds the store as it was at one moment, with its history,
its imports and, as evidence, the trail. It is not encrypted.

Examples:
  dashtam backup monday.dashtam-backup
  dashtam restore monday.dashtam-backup --check      is it whole?";

const RESTORE_HELP: &str = "\
The backup is read to its end first; one that is cut off or altered changes nothing, and where it is
broken is said. A store that has content is refused.

Examples:
  dashtam --data-dir new restore monday.dashtam-backup
  dashtam --database postgres://host/dashtam restore monday.dashtam-backup";

const DOCTOR_HELP: &str = "\
Each check is ok, warn or fail, with what mends it. It only looks: nothing is made, migrated or
mended, and it works where the store cannot be opened and where the config file is wrong.

Exit codes: 0 nothing fails, 2 configuration, permissions or the machine, 7 what is stored,
10 the database was written by a newer version.";

const VAULT_HELP: &str = "\
Secrets are kept in the store, sealed with age for the key of this data folder (vault/key) and for
those of your other machines. A backup holds them sealed, and never the key: copy that file too.

The key is had from the first of these; nobody is asked unless there is a terminal:
  $CREDENTIALS_DIRECTORY/dashtam-identity   a credential of systemd
  DASHTAM_IDENTITY_FILE                     a file with the key, mode 0600
  vault/key                                 where it has no passphrase
  DASHTAM_PASSPHRASE_FD                     an open file with the passphrase, and the new one below it
  $CREDENTIALS_DIRECTORY/dashtam-passphrase

Examples:
  dashtam vault init
  dashtam vault init --no-passphrase                    on a home server
  dashtam vault passphrase
  dashtam vault recipients add age1... --name laptop    on each of two machines with one Postgres store
  dashtam vault recipients rotate                       when the key may have been seen

Exit code 9: the vault is locked, missing or damaged.";

const CONNECT_HELP: &str = "\
simplefin: make a setup token at https://bridge.simplefin.org/simplefin/create. It serves once and is
exchanged for an access that can only read. Both are secrets: they are typed or piped, never put on
the command line, and kept sealed in the vault (`dashtam vault init` makes one).

schwab: register an app at https://developer.schwab.com (both products, callback
https://127.0.0.1:8182) and wait until it is `Ready For Use`. An address is printed: sign in there, in a
browser on any machine; it ends at an address that shows no page, and all of that is pasted here. A
browser on this machine comes back by itself (go on where it warns of dashtam's own certificate). The
key and the secret of the app come from the systemd credential `dashtam-schwab`, else from the file
that [schwab] app_file names (two lines, mode 0600), else they are asked for. A consent ends after
seven days: the same command gives it anew, and accounts and rows go on. A sign-in of another
person needs a --name of its own.

alpaca: make a pair of keys at https://app.alpaca.markets, in the live or in the paper dashboard; dashtam
finds out which. The key ID and the secret key are asked for; without a terminal they come from the
variables APCA_API_KEY_ID and APCA_API_SECRET_KEY, or by --paste: two words, with `live` or `paper`
behind them to say which, or the lines of a file that sets these variables. The keys could trade;
only reading is ever done with them. New keys of the same account mend its connection; each account
needs keys of its own.

frankfurter: exchange rates of the European Central Bank, from the first row on; nothing is needed.

Examples:
  dashtam connect schwab                           asks for all that it needs
  dashtam connect schwab --paste                   waits for no browser; without a terminal: a line on
                                                   the standard input
  dashtam connect alpaca                           asks for both keys
  dashtam connect alpaca --name Play --paste < keys.env
  dashtam connect simplefin                        asks for the token
  dashtam connect simplefin --paste < token.txt
  dashtam connect simplefin --name Bridge          again, where the consent of `Bridge` was lost
  dashtam --refresh-only                           brings in accounts, balances and transactions
  dashtam disconnect Bridge

Exit codes: 4 the service does not take the token or the keys, or the consent was not given, 5 it
cannot be reached (try the same again), 8 another process refreshes, 9 the vault is locked or missing.";

const CONNECTIONS_HELP: &str = "\
Nothing is asked of a connection that is paused, also by a refresh that is under way; its accounts, its
consent and all that it brought stay. A consent may end meanwhile.

Examples:
  dashtam connections                      one line for each
  dashtam connections pause Bridge         by its name, or by its number (--json tells it)
  dashtam connections resume Bridge        it is asked again by the next refresh";

const KEYS_HELP: &str = "\
Other keys are chosen in the configuration file, under [keys], by the action's name:
  sort = \"S\"
  first = [\"g t\", \"Home\"]
What cannot be taken is said on stderr, and the action keeps its own keys.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "dashtam",
    version,
    about = ABOUT,
    after_help = EXAMPLES,
    disable_help_subcommand = true,
    color = ColorChoice::Never,
    max_term_width = 100
)]
pub struct Cli {
    /// Open the dashboard on a built-in sample portfolio, offline, in a throw-away store
    #[arg(long)]
    pub demo: bool,
    /// Bring in what is new from the connections, print a summary and end, for cron and systemd
    #[arg(long)]
    pub refresh_only: bool,
    /// With --refresh-only: wait so many seconds for another process that refreshes [default: 60]
    #[arg(long, value_name = "SECS", requires = "refresh_only")]
    pub wait: Option<u64>,
    /// Flags that go with every command.
    #[command(flatten)]
    pub flags: Flags,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags that go with every command, before or after its name.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
#[expect(clippy::struct_excessive_bools, reason = "they are the switches of the command line")]
pub struct Flags {
    /// Use this config file
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Keep everything in this folder
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Use this database: sqlite:PATH or postgres://...
    #[arg(long, global = true, value_name = "URL")]
    pub database: Option<SecretString>,
    /// Use the portfolio of this name
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Print one JSON document, errors too
    #[arg(long, global = true)]
    pub json: bool,
    /// Mask amounts
    #[arg(long, global = true)]
    pub private: bool,
    /// Write nothing
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Print without colours
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Log more (-v) or everything (-vv)
    #[arg(short, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Look at the portfolio as it was on this day
    #[arg(long, global = true, value_name = "DATE", value_parser = date)]
    pub as_of: Option<NaiveDate>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Import transactions, prices or a whole store from files
    Import(ImportArgs),
    /// Write the content of the store
    Export(ExportArgs),
    /// Add, list and change accounts
    #[command(subcommand)]
    Account(AccountCommand),
    /// Add, change, delete and link transactions
    #[command(subcommand)]
    Txn(Box<TxnCommand>),
    /// Set prices and exchange rates
    #[command(subcommand)]
    Price(PriceCommand),
    /// List and change securities, find splits
    #[command(subcommand)]
    Security(SecurityCommand),
    /// Read and choose the settings that change figures
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// Say how much of the whole something should be; `report allocation` shows how far off it is
    #[command(subcommand, after_help = TARGET_HELP)]
    Target(TargetCommand),
    /// Keep an eye on securities: groups, and the price that is waited for
    #[command(subcommand, after_help = watch::WATCH_HELP)]
    Watch(WatchCommand),
    /// Be told when a price, a change, an age, a value or a weight goes past a bound
    #[command(subcommand, after_help = watch::ALERT_HELP)]
    Alert(AlertCommand),
    /// Write everything in the store into one file, for any engine
    #[command(after_help = BACKUP_HELP)]
    Backup {
        /// The file (mode 0600)
        file: PathBuf,
        /// Write over a file that exists
        #[arg(long)]
        force: bool,
    },
    /// Fill an empty store from a backup
    #[command(after_help = RESTORE_HELP)]
    Restore {
        /// The backup
        file: PathBuf,
        /// Write nothing; say whether the backup is whole
        #[arg(long)]
        check: bool,
    },
    /// Make the database, or bring it to this version's schema
    Migrate {
        /// Give the trail on a Postgres server to a role of its own, as this administrator of it
        #[arg(long, value_name = "URL", env = "DASHTAM_ADMIN_URL", hide_env_values = true)]
        admin_url: Option<SecretString>,
    },
    /// Bring in what is new from the connections, as --refresh-only does
    Refresh(RefreshArgs),
    /// Connect accounts at a bank or broker, so that they look after themselves
    #[command(after_help = CONNECT_HELP)]
    Connect(ConnectArgs),
    /// End a connection; its accounts and rows stay
    Disconnect {
        /// Which, by its name or number
        #[arg(value_name = "CONNECTION", value_parser = name)]
        name: SafeText,
    },
    /// List the connections: state, accounts, requests left, last outcome, next try
    #[command(after_help = CONNECTIONS_HELP, args_conflicts_with_subcommands = true)]
    Connections {
        /// What is done to one; without it they are listed
        #[command(subcommand)]
        command: Option<ConnectionsCommand>,
    },
    /// Make the derived figures again from the rows
    Rebuild {
        /// Change nothing; say what is not what the rows say
        #[arg(long)]
        check: bool,
    },
    /// Look for what is wrong, from the terminal to the last stored row; change nothing
    #[command(after_help = DOCTOR_HELP)]
    Doctor,
    /// What was done, and whether that is still what was written
    #[command(subcommand, after_help = audit::AUDIT_HELP)]
    Audit(AuditCommand),
    /// The key to what connections keep secret
    #[command(subcommand, after_help = VAULT_HELP)]
    Vault(VaultCommand),
    /// Print what each key of the dashboard does
    #[command(after_help = KEYS_HELP)]
    Keys,
    /// Print the completions for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual in roff, for `man -l -`
    Man,
    /// Print figures
    #[command(subcommand)]
    Report(ReportCommand),
}

/// `refresh`.
#[derive(Debug, Default, Args)]
pub struct RefreshArgs {
    /// Only this connection, by its name or number; may be given several times
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub connection: Vec<SafeText>,
    /// Only prices and rates
    #[arg(long, conflicts_with = "accounts_only")]
    pub quotes_only: bool,
    /// Only accounts and their rows
    #[arg(long)]
    pub accounts_only: bool,
    /// Whether it is due or not
    #[arg(long)]
    pub force: bool,
    /// Wait so many seconds for another process that refreshes [default: 60]
    #[arg(long, value_name = "SECS")]
    pub wait: Option<u64>,
}

/// `connect`.
#[derive(Debug, Args)]
pub struct ConnectArgs {
    /// Which service: schwab, alpaca, simplefin, frankfurter
    #[arg(value_parser = name)]
    pub provider: SafeText,
    /// Read what the service gave from the standard input
    #[arg(long)]
    pub paste: bool,
    /// What to call the connection; that of one there is mends it [default: the service's name]
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub name: Option<SafeText>,
}

/// `import`.
#[derive(Debug, Args)]
#[command(
    subcommand_negates_reqs = true,
    override_usage = IMPORT_USAGE,
    after_help = IMPORT_EXAMPLES
)]
pub struct ImportArgs {
    /// `list` and `undo`.
    #[command(subcommand)]
    pub command: Option<ImportCommand>,
    /// The files, imported in this order as one batch
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// How to import them.
    #[command(flatten)]
    pub how: ImportFlags,
}

/// How to import.
#[derive(Debug, Default, PartialEq, Eq, Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are the switches of the command line")]
pub struct ImportFlags {
    /// Put every row into this account, whatever the file says
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub account: Option<SafeText>,
    /// What the files are [default: auto, by their content]
    #[arg(long)]
    pub format: Option<ImportFormat>,
    /// Show what would happen and store nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Refuse rows of accounts that do not exist
    #[arg(long)]
    pub strict: bool,
    /// Store the right rows of a file that has wrong or contradicting ones
    #[arg(long)]
    pub partial: bool,
    /// Store rows that contradict a stored one with the same id
    #[arg(long)]
    pub accept_changes: bool,
}

/// The forms of file that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImportFormat {
    /// By the content
    Auto,
    /// Transactions, one per row of CSV
    Neutral,
    /// Prices and rates, one per row of CSV
    Prices,
    /// A whole store, as exported
    Json,
}

/// What else can be done with imports.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// List the batches
    List,
    /// Take a batch back
    Undo {
        /// Its number, as `import list` shows it
        batch: BatchId,
    },
}

/// `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// How to write it
    #[arg(long, default_value = "neutral")]
    pub format: ExportFormat,
    /// What to write [default: transactions for neutral, all for json and canonical]
    #[arg(long)]
    pub what: Option<ExportWhat>,
    /// Write to this file (mode 0600) and not to the standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write over a file that exists
    #[arg(long, requires = "out")]
    pub force: bool,
}

/// The forms of export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// CSV that `import` reads
    Neutral,
    /// Everything, for another store of dashtam
    Json,
    /// A sorted dump, equal for equal content
    Canonical,
}

/// What to export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportWhat {
    /// Transactions
    Transactions,
    /// Prices and rates
    Prices,
    /// Everything
    All,
}

/// `account`.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Add an account
    Add {
        /// Its name, unique in the store
        #[arg(value_parser = name)]
        name: SafeText,
        /// What it is
        #[arg(long, ignore_case = true, value_parser = kind())]
        kind: AccountKind,
        /// Its main currency, like USD
        #[arg(long, value_parser = Currency::parse)]
        currency: Currency,
        /// The bank or broker
        #[arg(long, value_name = "NAME", value_parser = name)]
        institution: Option<SafeText>,
        /// From what its value follows: its rows, or balances that you state
        #[arg(long, ignore_case = true, value_parser = mode())]
        mode: Option<Mode>,
        /// Which lots a sale takes [default: the setting `default_method`]
        #[arg(long, ignore_case = true, value_parser = method())]
        method: Option<LotMethod>,
    },
    /// List the accounts
    List,
    /// Change an account, or state its balance on a day
    Edit(AccountEditArgs),
    /// Give an account another name; the old one keeps leading to it
    Rename {
        /// Its name today
        #[arg(value_parser = name)]
        old: SafeText,
        /// Its name from now on
        #[arg(value_parser = name)]
        new: SafeText,
    },
    /// Make all of one account a part of another
    Merge {
        /// The account that ends
        #[arg(value_parser = name)]
        from: SafeText,
        /// The account that lives on
        #[arg(value_parser = name)]
        into: SafeText,
    },
    /// Close an account
    Close {
        /// Its name
        #[arg(value_parser = name)]
        name: SafeText,
        /// The day [default: today]
        #[arg(long, value_parser = date)]
        date: Option<NaiveDate>,
    },
}

/// `account edit`.
#[derive(Debug, Args)]
pub struct AccountEditArgs {
    /// Its name
    #[arg(value_parser = name)]
    pub name: SafeText,
    /// What to change.
    #[command(flatten)]
    pub change: AccountChange,
    /// The day of the balance
    #[arg(long, requires = "balance", value_parser = date)]
    pub date: Option<NaiveDate>,
}

/// What to change in an account; at least one.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct AccountChange {
    /// What it is
    #[arg(long, ignore_case = true, value_parser = kind())]
    pub kind: Option<AccountKind>,
    /// Its main currency, like USD
    #[arg(long, value_parser = Currency::parse)]
    pub currency: Option<Currency>,
    /// The bank or broker
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub institution: Option<SafeText>,
    /// From what its value follows: its rows, or balances that you state
    #[arg(long, ignore_case = true, value_parser = mode())]
    pub mode: Option<Mode>,
    /// Which lots a sale takes
    #[arg(long, ignore_case = true, value_parser = method())]
    pub method: Option<LotMethod>,
    /// Whether it counts in the performance of the whole [default: where it invests]; moves to and
    /// from an account that does not are flows
    #[arg(long, ignore_case = true, value_parser = in_performance())]
    pub performance: Option<InPerformance>,
    /// Open it again
    #[arg(long)]
    pub reopen: bool,
    /// Its balance on --date, for an account in balances mode; what is owed is negative
    #[arg(
        long,
        value_name = "X",
        requires = "date",
        conflicts_with_all = ["kind", "currency", "institution", "mode", "method", "performance", "reopen"],
        allow_negative_numbers = true,
        value_parser = Dec::parse
    )]
    pub balance: Option<Dec>,
}

/// `price`.
#[derive(Debug, Subcommand)]
pub enum PriceCommand {
    /// Set the price of a security or the rate of a currency on a day
    #[command(after_help = PRICE_EXAMPLES)]
    Set(PriceSetArgs),
    /// Take the price of a security or the rate of a currency on a day away
    Delete(PriceDeleteArgs),
    /// Accept a price that is far from the one before; what its source tells next is taken
    Accept {
        /// SYM or SYM@CUR
        symbol: String,
    },
}

/// `price set`.
#[derive(Debug, Args)]
pub struct PriceSetArgs {
    /// SYM, SYM@CUR, sec:SYM or fx:CUR
    pub symbol: String,
    /// The day
    #[arg(long, value_parser = date)]
    pub date: NaiveDate,
    /// The last price of the day
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = Dec::parse)]
    pub close: Dec,
    /// The currency of the prices, or `GBp` and the like
    #[arg(long, value_name = "CUR", value_parser = Unit::parse)]
    pub currency: Unit,
    /// The first price of the day
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = Dec::parse)]
    pub open: Option<Dec>,
    /// The highest price of the day
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = Dec::parse)]
    pub high: Option<Dec>,
    /// The lowest price of the day
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = Dec::parse)]
    pub low: Option<Dec>,
    /// How many were traded
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = Dec::parse)]
    pub volume: Option<Dec>,
    /// Who says so
    #[arg(long, value_name = "NAME", default_value = "hand", value_parser = name)]
    pub source: SafeText,
}

/// `price delete`.
#[derive(Debug, Args)]
pub struct PriceDeleteArgs {
    /// SYM, SYM@CUR, sec:SYM or fx:CUR
    pub symbol: String,
    /// The day
    #[arg(value_name = "DAY", value_parser = date)]
    pub date: NaiveDate,
    /// What this source said [default: what counts on the day]
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub source: Option<SafeText>,
    /// The one in this currency, where a rate is known in several
    #[arg(long, value_name = "CUR", value_parser = Currency::parse)]
    pub currency: Option<Currency>,
}

/// `settings`.
#[derive(Debug, Subcommand)]
pub enum ConnectionsCommand {
    /// Let one rest: nothing is asked of it until it goes on
    Pause {
        /// Which, by its name or number
        #[arg(value_name = "CONNECTION", value_parser = name)]
        name: SafeText,
    },
    /// Let one go on that rests
    Resume {
        /// Which, by its name or number
        #[arg(value_name = "CONNECTION", value_parser = name)]
        name: SafeText,
    },
}

#[derive(Debug, Subcommand)]
pub enum SettingsCommand {
    /// List the settings and their values
    List,
    /// Print the value of a setting
    Get {
        /// Which
        #[arg(value_parser = setting())]
        key: Setting,
    },
    /// Choose the value of a setting
    Set {
        /// Which
        #[arg(value_parser = setting())]
        key: Setting,
        /// Its value from now on
        #[arg(allow_negative_numbers = true)]
        value: String,
    },
}

/// Whether JSON is asked for, also on a command line that is wrong otherwise.
pub fn wants_json(arguments: &[OsString]) -> bool {
    arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--json")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::model::{EntryType, Subtype};

    fn parsed(line: &[&str]) -> Result<Cli, clap::error::ErrorKind> {
        let whole = ["dashtam"].iter().chain(line);
        Cli::try_parse_from(whole).map_err(|error| error.kind())
    }

    fn import(line: &[&str]) -> ImportArgs {
        match parsed(line).unwrap().command {
            Some(Command::Import(args)) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definitions_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_flags_stand_before_or_after_the_command() {
        let both = [
            ["--json", "--private", "--profile", "p", "report", "accounts"],
            ["report", "accounts", "--json", "--private", "--profile", "p"],
        ];
        for line in both {
            let flags = parsed(&line).unwrap().flags;
            assert!(flags.json && flags.private && !flags.read_only);
            assert_eq!(flags.profile.as_deref(), Some("p"));
        }
        assert_eq!(parsed(&["-vv", "migrate"]).unwrap().flags.verbose, 2);
        assert_eq!(parsed(&["migrate", "-v"]).unwrap().flags.verbose, 1);
    }

    #[test]
    fn only_the_bare_words_list_and_undo_are_commands_of_import() {
        assert!(matches!(import(&["import", "list"]).command, Some(ImportCommand::List)));
        let json = import(&["import", "--json", "list"]);
        assert!(matches!(json.command, Some(ImportCommand::List)));
        let undo = import(&["import", "undo", "7"]).command;
        assert!(matches!(undo, Some(ImportCommand::Undo { batch: BatchId(7) })));
        for file in ["./list", "./undo", "a.csv"] {
            let args = import(&["import", file]);
            assert!(args.command.is_none());
            assert_eq!(args.files, [PathBuf::from(file)]);
        }
        assert!(parsed(&["import"]).is_err());
        assert!(parsed(&["import", "undo"]).is_err());
    }

    #[test]
    fn figures_below_zero_are_values() {
        let line = [
            "txn",
            "add",
            "--account",
            "A",
            "--date",
            "2024-01-02",
            "--type",
            "WITHDRAWAL",
            "--amount",
            "-5.25",
            "--note",
            "- why",
        ];
        let Some(Command::Txn(txn)) = parsed(&line).unwrap().command else { panic!() };
        let TxnCommand::Add(args) = *txn else { panic!() };
        assert_eq!(args.fields.amount, Some(Dec::parse("-5.25").unwrap()));
        assert_eq!(args.fields.note, Some(SafeText::new("- why")));
        assert_eq!(args.what, EntryType::One(Subtype::Withdrawal));
    }

    #[test]
    fn a_price_keeps_the_decimals_it_was_written_with() {
        let line = ["txn", "edit", "3", "--price", "1.50"];
        let Some(Command::Txn(txn)) = parsed(&line).unwrap().command else { panic!() };
        let TxnCommand::Edit(args) = *txn else { panic!() };
        assert_eq!(args.fields.price, Some((Dec::parse("1.5").unwrap(), 2)));
    }

    #[test]
    fn an_edit_changes_something() {
        let date = ["--date", "2024-01-02"];
        assert!(parsed(&["account", "edit", "A"]).is_err());
        assert!(parsed(&["account", "edit", "A", "--kind", "tfsa"]).is_ok());
        assert!(parsed(&["account", "edit", "A", "--balance", "-1"]).is_err());
        assert!(parsed(&["account", "edit", "A", date[0], date[1]]).is_err());
        let both = ["account", "edit", "A", "--balance", "-1", date[0], date[1]];
        assert!(parsed(&both).is_ok());
        assert!(parsed(&[both.as_slice(), &["--kind", "tfsa"]].concat()).is_err());
        assert!(parsed(&["security", "edit", "X"]).is_err());
        assert!(parsed(&["security", "edit", "X", "--clear", "name", "--clear", "isin"]).is_ok());
        assert!(parsed(&["txn", "link", "1"]).is_err());
        assert!(parsed(&["txn", "link", "1", "2"]).is_ok());
        assert!(parsed(&["txn", "link", "--unlink", "2"]).is_ok());
        assert!(parsed(&["txn", "link"]).is_err());
    }

    #[test]
    fn json_is_seen_on_a_wrong_line_too() {
        let line =
            |words: &[&str]| wants_json(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert!(line(&["dashtam", "bogus", "--json"]));
        assert!(!line(&["dashtam", "import", "--", "--json"]));
        assert!(!line(&["dashtam"]));
    }
}
