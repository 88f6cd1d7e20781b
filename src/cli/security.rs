//! `security` as clap sees it.

use clap::{Args, Subcommand, ValueEnum};

use super::values::{class, name, symbol};
use crate::model::{AssetClass, Currency, Isin, SafeText, Tags};

const SPLITS_HELP: &str = "\
A split that only the market bears out, at a ratio that a bad day makes too, is shown as `unsure`.
--apply leaves it alone unless its security is named.

Examples:
  dashtam security splits                what the prices show
  dashtam security splits --apply        add what is sure
  dashtam security splits AMD --apply    add what is shown of AMD";

/// `security`.
#[derive(Debug, Subcommand)]
pub enum SecurityCommand {
    /// List the securities
    List,
    /// Change a security
    Edit(Box<SecurityEditArgs>),
    /// Say what a source of prices calls a security; without a symbol, as everybody does
    Symbol(SecuritySymbolArgs),
    /// Find splits that the prices show and the transactions lack
    #[command(after_help = SPLITS_HELP)]
    Splits(SecuritySplitsArgs),
}

/// `security symbol`.
#[derive(Debug, Args)]
pub struct SecuritySymbolArgs {
    /// Which: SYM, SYM@CUR, an ISIN or id:N
    #[arg(value_name = "SECURITY")]
    pub security: String,
    /// The source, as its provider is called
    #[arg(value_name = "SOURCE", value_parser = name)]
    pub source: SafeText,
    /// What it calls the security
    #[arg(value_name = "SYMBOL", value_parser = symbol)]
    pub symbol: Option<SafeText>,
}

/// `security splits`.
#[derive(Debug, Args)]
pub struct SecuritySplitsArgs {
    /// Only of these: SYM, SYM@CUR, an ISIN or id:N
    #[arg(value_name = "SYMBOL")]
    pub securities: Vec<String>,
    /// Add a split to each account that lacks it; each is taken back with `txn delete`
    #[arg(long)]
    pub apply: bool,
}

/// `security edit`.
#[derive(Debug, Args)]
pub struct SecurityEditArgs {
    /// SYM, SYM@CUR, an ISIN or id:N
    #[arg(value_name = "SYMBOL")]
    pub security: String,
    /// What to change.
    #[command(flatten)]
    pub change: SecurityChange,
}

/// What to change in a security; at least one.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct SecurityChange {
    /// Its symbol from now on
    #[arg(long, value_name = "SYM", value_parser = symbol)]
    pub symbol: Option<SafeText>,
    /// What people call it
    #[arg(long, value_parser = name)]
    pub name: Option<SafeText>,
    /// What it is
    #[arg(long, ignore_case = true, value_parser = class())]
    pub class: Option<AssetClass>,
    /// The currency it is quoted in, like USD
    #[arg(long, value_parser = Currency::parse)]
    pub currency: Option<Currency>,
    /// Its venue or chain
    #[arg(long, value_name = "NAME", value_parser = symbol)]
    pub venue: Option<SafeText>,
    /// Its ISIN
    #[arg(long, value_parser = Isin::parse)]
    pub isin: Option<Isin>,
    /// Its CUSIP
    #[arg(long, value_parser = symbol)]
    pub cusip: Option<SafeText>,
    /// Its FIGI
    #[arg(long, value_parser = symbol)]
    pub figi: Option<SafeText>,
    /// The part of the economy, like technology; `report allocation --by sector` adds up by it
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub sector: Option<SafeText>,
    /// The part of the world, like Europe
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub region: Option<SafeText>,
    /// What else you sort by, parted by commas, like core,income
    #[arg(long, value_name = "TAGS", value_parser = Tags::parse)]
    pub tags: Option<Tags>,
    /// Empty this field; may be given several times
    #[arg(long, value_name = "FIELD")]
    pub clear: Vec<SecurityField>,
}

/// What can be emptied in a security.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SecurityField {
    /// What people call it
    Name,
    /// What it is
    Class,
    /// Its venue or chain
    Venue,
    /// Its ISIN
    Isin,
    /// Its CUSIP
    Cusip,
    /// Its FIGI
    Figi,
    /// The part of the economy
    Sector,
    /// The part of the world
    Region,
    /// What else you sort by
    Tags,
}
