//! The commands of transactions, as definitions.

use chrono::NaiveDate;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::values::{date, entry_type, id, name, ratio, status, subtype, words};
use crate::model::{
    Dec, EntryType, Isin, Mention, Ratio, SafeText, Status, Subtype, TransactionId, Unit,
};

const TXN_ADD_EXAMPLES: &str = "\
Examples:
  dashtam txn add --account Broker --date 2024-01-03 --type buy --symbol AMD \\
      --quantity 10 --price 140.50 --fee 1
  dashtam txn add --account Checking --date 2024-01-31 --type withdrawal --amount -250 \\
      --to-account Savings
  dashtam txn add --account Broker --date 2024-06-10 --type split --symbol NVDA --ratio 10:1

The amount is the change of the account's cash: in is positive, out is negative. It may be left
out where it follows from quantity, price, fee and tax.";

/// `txn`.
#[derive(Debug, Subcommand)]
pub enum TxnCommand {
    /// Add a transaction
    #[command(after_help = TXN_ADD_EXAMPLES)]
    Add(TxnAddArgs),
    /// Change fields of a transaction
    Edit(TxnEditArgs),
    /// Delete a transaction, or bring it back
    Delete {
        /// Its id, as `report transactions` shows it
        id: TransactionId,
        /// Bring it back
        #[arg(long)]
        restore: bool,
    },
    /// Make transactions one event, or take one out of its event
    Link {
        /// Their ids, two or more
        #[arg(value_name = "ID", num_args = 2.., required_unless_present = "unlink")]
        ids: Vec<TransactionId>,
        /// Make this one an event of its own
        #[arg(long, value_name = "ID", conflicts_with = "ids")]
        unlink: Option<TransactionId>,
    },
}

/// `txn add`.
#[derive(Debug, Args)]
pub struct TxnAddArgs {
    /// Whose
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub account: SafeText,
    /// The trade date
    #[arg(long, value_parser = date)]
    pub date: NaiveDate,
    /// Which event
    #[arg(
        long = "type",
        value_name = "TYPE",
        ignore_case = true,
        value_parser = entry_type()
    )]
    pub what: EntryType,
    /// What it says.
    #[command(flatten)]
    pub fields: TxnFields,
    /// The own account on the other side of a transfer; its row is added too
    #[arg(long, value_name = "NAME", value_parser = name, conflicts_with = "link")]
    pub to_account: Option<SafeText>,
    /// The event it is a part of: rows with the same text belong together
    #[arg(long, value_name = "TEXT", value_parser = id)]
    pub link: Option<SafeText>,
    /// The source's own id of it
    #[arg(long, value_name = "TEXT", value_parser = id)]
    pub id: Option<SafeText>,
}

/// `txn edit`.
#[derive(Debug, Args)]
pub struct TxnEditArgs {
    /// Its id, as `report transactions` shows it
    pub id: TransactionId,
    /// Whose
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub account: Option<SafeText>,
    /// The trade date
    #[arg(long, value_parser = date)]
    pub date: Option<NaiveDate>,
    /// Which event
    #[arg(
        long = "type",
        value_name = "TYPE",
        ignore_case = true,
        value_parser = subtype()
    )]
    pub what: Option<Subtype>,
    /// What it says.
    #[command(flatten)]
    pub fields: TxnFields,
    /// Empty this field; may be given several times
    #[arg(long, value_name = "FIELD", value_parser = PossibleValuesParser::new(TXN_CLEARABLE))]
    pub clear: Vec<String>,
}

const TXN_CLEARABLE: [&str; 16] = [
    "symbol",
    "to_symbol",
    "quantity",
    "price",
    "fee",
    "tax",
    "amount",
    "settlement",
    "fx_rate",
    "multiplier",
    "ratio",
    "acquired",
    "cost_share",
    "description",
    "category",
    "note",
];

/// What a transaction can say.
#[derive(Debug, Args)]
pub struct TxnFields {
    /// The security: SYM, SYM@CUR or an ISIN
    #[arg(long, value_name = "SYM", value_parser = Mention::parse)]
    pub symbol: Option<Mention>,
    /// How many; unsigned, but for openings and adjustments
    #[arg(long, value_name = "Q", allow_negative_numbers = true, value_parser = Dec::parse)]
    pub quantity: Option<Dec>,
    /// Of one
    #[arg(
        long,
        value_name = "P",
        allow_negative_numbers = true,
        value_parser = Dec::parse_with_scale
    )]
    pub price: Option<(Dec, u32)>,
    /// What was charged
    #[arg(long, value_name = "F", allow_negative_numbers = true, value_parser = Dec::parse)]
    pub fee: Option<Dec>,
    /// What the state took
    #[arg(long, value_name = "T", allow_negative_numbers = true, value_parser = Dec::parse)]
    pub tax: Option<Dec>,
    /// The currency of its money, or `GBp` and the like [default: the account's]
    #[arg(long, value_name = "CUR", value_parser = Unit::parse)]
    pub currency: Option<Unit>,
    /// The change of the account's cash: in is positive, out is negative
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = Dec::parse)]
    pub amount: Option<Dec>,
    /// The settlement date
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub settlement: Option<NaiveDate>,
    /// Units of this row's currency for one of the security's
    #[arg(long, value_name = "R", allow_negative_numbers = true, value_parser = Dec::parse)]
    pub fx_rate: Option<Dec>,
    /// New to old, like 4:1
    #[arg(long, value_name = "NEW:OLD", value_parser = ratio)]
    pub ratio: Option<Ratio>,
    /// The security it becomes
    #[arg(long, value_name = "SYM", value_parser = Mention::parse)]
    pub to_symbol: Option<Mention>,
    /// The part of the cost that moves, like 0.25
    #[arg(long, value_name = "PART", allow_negative_numbers = true, value_parser = Dec::parse)]
    pub cost_share: Option<Dec>,
    /// Of an option or future
    #[arg(long, value_name = "M", allow_negative_numbers = true, value_parser = Dec::parse)]
    pub multiplier: Option<Dec>,
    /// The venue or chain of --symbol
    #[arg(long, value_name = "NAME", requires = "symbol", value_parser = name)]
    pub venue: Option<SafeText>,
    /// The ISIN of --symbol
    #[arg(long, requires = "symbol", value_parser = Isin::parse)]
    pub isin: Option<Isin>,
    /// When the lot was bought, for openings and transfers in
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub acquired: Option<NaiveDate>,
    /// Whether it counts
    #[arg(long, ignore_case = true, value_parser = status())]
    pub status: Option<Status>,
    /// Its category
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub category: Option<SafeText>,
    /// What the source says
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, value_parser = words)]
    pub description: Option<SafeText>,
    /// Your words
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, value_parser = words)]
    pub note: Option<SafeText>,
}
