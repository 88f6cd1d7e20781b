//! `watch` and `alert` as clap sees them.

use chrono::NaiveDate;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};

use super::values::{date, name, words};
use crate::model::{AlertId, AlertOf, Dec, SafeText, Side};

pub(super) const WATCH_HELP: &str = "\
A security that is not in the store yet is made where its currency is said: SYMBOL@CURRENCY. Its price
is fetched like that of what is held.

Examples:
  dashtam watch add XEQT --group later --target 30 --note 'on a dip'
  dashtam watch add NVDA@USD
  dashtam watch list";

pub(super) const ALERT_HELP: &str = "\
An alert is looked at whenever prices come in, with a dashboard or without. What goes past its bound is
told once, and again after it came back. A change or a weight is a part, like 0.05 or 5%; a value is in
the base currency; `stale` counts days.

Examples:
  dashtam alert add XEQT price below 30
  dashtam alert add XEQT change below -5%
  dashtam alert add XEQT stale above 5
  dashtam alert add XEQT weight above 25%
  dashtam alert log";

/// `watch`.
#[derive(Debug, Subcommand)]
pub enum WatchCommand {
    /// List what is watched: the last price, and how far it is from the one that is waited for
    List,
    /// Watch a security, or say something else of one that is watched
    Add(WatchAddArgs),
    /// Watch a security no more
    Remove {
        /// Which: SYM, SYM@CUR, an ISIN or id:N
        #[arg(value_name = "SYMBOL")]
        symbol: String,
    },
}

/// `watch add`.
#[derive(Debug, Args)]
pub struct WatchAddArgs {
    /// Which: SYM, SYM@CUR, an ISIN or id:N
    #[arg(value_name = "SYMBOL")]
    pub symbol: String,
    /// The group that it is in
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub group: Option<SafeText>,
    /// The price that is waited for, in the currency of the security
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = Dec::parse)]
    pub target: Option<Dec>,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = words)]
    pub note: Option<SafeText>,
    /// Empty a field; may be given several times
    #[arg(long, value_name = "FIELD")]
    pub clear: Vec<WatchField>,
}

/// What can be emptied of a security that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WatchField {
    /// The group
    Group,
    /// The price that is waited for
    Target,
    /// The note
    Note,
}

/// `alert`.
#[derive(Debug, Subcommand)]
pub enum AlertCommand {
    /// List the alerts and what they see
    List,
    /// Be told when something goes past a bound
    Add(AlertAddArgs),
    /// Take an alert away; what it told stays in the log
    Remove {
        /// Its number, as `alert list` shows it
        id: AlertId,
    },
    /// Let an alert be silent before a day
    Snooze {
        /// Its number, as `alert list` shows it
        id: AlertId,
        /// The day on which it speaks again
        #[arg(long, value_name = "DATE", value_parser = date)]
        until: NaiveDate,
    },
    /// Let an alert speak again
    Wake {
        /// Its number, as `alert list` shows it
        id: AlertId,
    },
    /// Look at every alert now; print what is told
    Check,
    /// List what went past a bound, the latest first
    Log,
}

/// `alert add`.
#[derive(Debug, Args)]
pub struct AlertAddArgs {
    /// Which security: SYM, SYM@CUR, an ISIN or id:N
    #[arg(value_name = "SYMBOL")]
    pub symbol: String,
    /// What of it
    #[arg(value_name = "WHAT", ignore_case = true, value_parser = of())]
    pub of: AlertOf,
    /// On which side of the bound
    #[arg(value_name = "SIDE", ignore_case = true, value_parser = side())]
    pub side: Side,
    /// A price or a value, a part like 5%, or a number of days
    #[arg(value_name = "BOUND", allow_hyphen_values = true)]
    pub bound: String,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = words)]
    pub note: Option<SafeText>,
}

fn of() -> impl TypedValueParser<Value = AlertOf> {
    let known = AlertOf::ALL.iter().map(|it| it.as_str());
    PossibleValuesParser::new(known).try_map(|word: String| word.parse::<AlertOf>())
}

fn side() -> impl TypedValueParser<Value = Side> {
    let known = Side::ALL.iter().map(|it| it.as_str());
    PossibleValuesParser::new(known).try_map(|word: String| word.parse::<Side>())
}
