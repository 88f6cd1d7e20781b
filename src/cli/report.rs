//! `report` as clap sees it: one struct of options for each report. It knows words and days, and
//! nothing of figures.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};

use super::values::{date, dimension, method, money, name};
use crate::model::{Currency, Dec, Dimension, LotMethod, SafeText};

const ACCOUNTS_HELP: &str = "\
KEY is an account. `--explain Broker` explains its value_base, `--explain Broker.market_value`
another figure of its line. `--explain total` explains the sum of all.";

const HOLDINGS_HELP: &str = "\
KEY is a symbol. `--explain XEQT` explains its value_base and names its other figures,
`--explain XEQT.cost` explains one of those. What several accounts hold is added up, unless
--account chooses one. `XEQT@CAD` is the one of that symbol that is quoted in CAD.";

const LOTS_HELP: &str = "\
KEY is a symbol. `--explain XEQT` explains the unrealized_base of its lots, added up,
`--explain XEQT.cost_base` another figure of them.";

const GAINS_HELP: &str = "\
KEY is a symbol, or the id of the transaction that sold. `--explain XEQT` explains its gain_base,
added up over the lots that were sold, `--explain XEQT.gain_fx` another figure.

Examples:
  dashtam report gains --tax-year 2024 --csv      what was realized in 2024, by account
  dashtam report gains --compare-methods          the same sales under each method";

const NET_WORTH_HELP: &str = "\
KEY is net_worth, market_value, cash, assets or liabilities.

Examples:
  dashtam report net-worth
  dashtam report net-worth --every month --from 2024-01-01";

const TRANSACTIONS_HELP: &str = "\
KEY is the id of a transaction; its amount is explained.";

const INCOME_HELP: &str = "\
What was received stands as amount (gross), withheld and net. What may come in the twelve months
after the last day stands apart as expected: rows that are dated ahead, and else what the last
twelve months paid, for what is held now. It is never added to what was received.

KEY is a symbol, an account, a month like 2024-03, or total. `--explain XEQT` explains its
amount_base, `--explain XEQT.expected_base` or `--explain total.yield_on_cost` another figure.

Examples:
  dashtam report income --from 2024-01-01 --by month
  dashtam report income --by security             with the yields on cost and value";

const ALLOCATION_HELP: &str = "\
What is worth more than nothing is cut into slices whose weights add up to 1; what nobody sorted is
the slice `unknown`, and what is owed stands apart. A security with several tags is in each with an
equal share. `dashtam security edit XEQT --sector ... --region ... --tags a,b` sorts securities,
`dashtam target set` says how much a slice should be.

--invest spreads money that comes from outside, --raise says what to sell for money that goes
out: as near to the targets as can be, inside their bands where that is possible. Within a slice
what is held stays in proportion, and cash goes out before anything is sold; fees and taxes are not
counted. A sale names the lots that it would close by the method of its account. Nothing is ordered.

KEY is a slice. `--explain etf` explains its value_base, `--explain etf.drift` another figure.

Examples:
  dashtam report allocation --by currency
  dashtam report allocation --invest 5000 --whole-shares --account TFSA
  dashtam report allocation --raise 2500 --out plan.csv";

const FINDINGS_HELP: &str = "\
KEY is the id of a finding, as --json has it.";

const PERFORMANCE_HELP: &str = "\
KEY is what a row is about: all, or with --by an account, a class or a symbol. `--explain all`
explains its gain, `--explain all.twr` another figure of its line.

Without --account everything in accounts that invest is told of. What comes into these from other
accounts or goes there is a flow, not a gain.

Examples:
  dashtam report performance --from 2024-01-01
  dashtam report performance --by holding --from 2024-01-01
  dashtam report performance --every month --benchmark XEQT";

const COVERAGE_HELP: &str = "\
KEY is a symbol or a pair of currencies, like CAD/USD.";

/// `report`.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// What each account holds and is worth
    #[command(after_help = ACCOUNTS_HELP)]
    Accounts(AccountsArgs),
    /// What is held of each security, what it cost and is worth
    #[command(after_help = HOLDINGS_HELP)]
    Holdings(HoldingsArgs),
    /// The purchases that are not sold yet
    #[command(after_help = LOTS_HELP)]
    Lots(LotsArgs),
    /// What happened, oldest first
    #[command(after_help = TRANSACTIONS_HELP)]
    Transactions(TransactionsArgs),
    /// What everything is worth, on a day or over time
    #[command(after_help = NET_WORTH_HELP)]
    NetWorth(NetWorthArgs),
    /// What sales gained or lost
    #[command(after_help = GAINS_HELP)]
    Gains(GainsArgs),
    /// What everything consists of, how far that is from its targets, and what to do about it
    #[command(after_help = ALLOCATION_HELP)]
    Allocation(AllocationArgs),
    /// What was received, and what may come in the next twelve months
    #[command(after_help = INCOME_HELP)]
    Income(IncomeArgs),
    /// What was made of what was put in, and from what
    #[command(after_help = PERFORMANCE_HELP)]
    Performance(PerformanceArgs),
    /// Which securities and rates lack prices, and from when
    #[command(after_help = COVERAGE_HELP)]
    Coverage(CoverageArgs),
    /// What needs a look
    #[command(after_help = FINDINGS_HELP)]
    Findings(FindingsArgs),
}

/// How a report is printed, or which of its figures is explained.
#[derive(Debug, Args)]
pub struct Form {
    /// Print CSV
    #[arg(long)]
    pub csv: bool,
    /// Say how one figure came about
    #[arg(long, value_name = "KEY", conflicts_with = "csv", value_parser = name)]
    pub explain: Option<SafeText>,
}

/// What a report covers.
#[derive(Debug, Args)]
pub struct Scope {
    /// Only of this account
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub account: Option<SafeText>,
    /// As if this were the base currency
    #[arg(long, value_name = "CUR", value_parser = Currency::parse)]
    pub currency: Option<Currency>,
}

/// `report accounts`.
#[derive(Debug, Args)]
pub struct AccountsArgs {
    /// What it covers.
    #[command(flatten)]
    pub scope: Scope,
    /// Closed ones too
    #[arg(long)]
    pub closed: bool,
    /// How it is printed.
    #[command(flatten)]
    pub form: Form,
}

/// `report holdings`.
#[derive(Debug, Args)]
pub struct HoldingsArgs {
    /// What it covers.
    #[command(flatten)]
    pub scope: Scope,
    /// As if every account followed this method
    #[arg(long, ignore_case = true, value_parser = method())]
    pub method: Option<LotMethod>,
    /// What is held no more too
    #[arg(long)]
    pub closed: bool,
    /// How it is printed.
    #[command(flatten)]
    pub form: Form,
}

/// `report lots`.
#[derive(Debug, Args)]
pub struct LotsArgs {
    /// What it covers.
    #[command(flatten)]
    pub scope: Scope,
    /// As if every account followed this method
    #[arg(long, ignore_case = true, value_parser = method())]
    pub method: Option<LotMethod>,
    /// How it is printed.
    #[command(flatten)]
    pub form: Form,
}

/// `report transactions`.
#[derive(Debug, Args)]
pub struct TransactionsArgs {
    /// Only of this account
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub account: Option<SafeText>,
    /// Only in this currency
    #[arg(long, value_name = "CUR", value_parser = Currency::parse)]
    pub currency: Option<Currency>,
    /// From this day on
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub from: Option<NaiveDate>,
    /// Up to and with this day; --as-of means the same [default: today]
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub to: Option<NaiveDate>,
    /// So many rows at most
    #[arg(long, value_name = "N")]
    pub limit: Option<NonZeroUsize>,
    /// Go on behind this place: what the answer before calls `next`
    #[arg(long, value_name = "CURSOR")]
    pub after: Option<String>,
    /// How it is printed.
    #[command(flatten)]
    pub form: Form,
}

/// `report net-worth`.
#[derive(Debug, Args)]
pub struct NetWorthArgs {
    /// What it covers.
    #[command(flatten)]
    pub scope: Scope,
    /// The last day of each of these, and the last day of all [default: that one alone]
    #[arg(long, value_name = "PERIOD")]
    pub every: Option<Period>,
    /// From this day on [default: the first row]
    #[arg(long, value_name = "DATE", requires = "every", value_parser = date)]
    pub from: Option<NaiveDate>,
    /// Up to and with this day; --as-of means the same [default: today]
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub to: Option<NaiveDate>,
    /// How it is printed.
    #[command(flatten)]
    pub form: Form,
}

/// How often a series has a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Period {
    /// Each day
    Day,
    /// Sundays
    Week,
    /// Last days of months
    Month,
    /// Last days of quarters
    Quarter,
    /// Last days of years
    Year,
}

/// `report gains`.
#[derive(Debug, Args)]
pub struct GainsArgs {
    /// What it covers.
    #[command(flatten)]
    pub scope: Scope,
    /// From this day on [default: the first row]
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub from: Option<NaiveDate>,
    /// Up to and with this day; --as-of means the same [default: today]
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub to: Option<NaiveDate>,
    /// From 1 January to 31 December of this year, with a total for each account
    #[arg(
        long,
        value_name = "YEAR",
        conflicts_with_all = ["from", "to"],
        value_parser = clap::value_parser!(i32).range(1..=9999)
    )]
    pub tax_year: Option<i32>,
    /// As if every account followed this method
    #[arg(long, ignore_case = true, value_parser = method())]
    pub method: Option<LotMethod>,
    /// What each method would have made of the same sales
    #[arg(long, conflicts_with_all = ["method", "explain"])]
    pub compare_methods: bool,
    /// How it is printed.
    #[command(flatten)]
    pub form: Form,
}

/// `report allocation`.
#[derive(Debug, Args)]
pub struct AllocationArgs {
    /// What it covers.
    #[command(flatten)]
    pub scope: Scope,
    /// What the whole is cut by
    #[arg(long, value_name = "WHAT", default_value = "class", ignore_case = true, value_parser = dimension())]
    pub by: Dimension,
    /// What to buy for so much
    #[arg(long, value_name = "AMOUNT", group = "plan", conflicts_with = "explain", value_parser = money)]
    pub invest: Option<Dec>,
    /// What to sell for so much
    #[arg(long, value_name = "AMOUNT", group = "plan", conflicts_with = "explain", value_parser = money)]
    pub raise: Option<Dec>,
    /// Cut no share
    #[arg(long, requires = "plan")]
    pub whole_shares: bool,
    /// Write the orders into this file, as CSV or with --json as the document
    #[arg(long, value_name = "FILE", requires = "plan")]
    pub out: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long, requires = "out")]
    pub force: bool,
    /// How it is printed.
    #[command(flatten)]
    pub form: Form,
}

/// `report income`.
#[derive(Debug, Args)]
pub struct IncomeArgs {
    /// What it covers.
    #[command(flatten)]
    pub scope: Scope,
    /// From this day on [default: the first row]
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub from: Option<NaiveDate>,
    /// Up to and with this day; --as-of means the same [default: today]
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub to: Option<NaiveDate>,
    /// Add up by one of these [default: by all of them]
    #[arg(long, value_name = "WHAT")]
    pub by: Option<IncomeBy>,
    /// How it is printed.
    #[command(flatten)]
    pub form: Form,
}

/// What income is added up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IncomeBy {
    /// Each month
    Month,
    /// Each security, with its yields
    Security,
    /// Each account, with the yields of its securities
    Account,
    /// Dividends, interest and so on
    Kind,
}

/// `report performance`.
#[derive(Debug, Args)]
pub struct PerformanceArgs {
    /// What it covers.
    #[command(flatten)]
    pub scope: Scope,
    /// From this day on [default: the first row of each line]
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub from: Option<NaiveDate>,
    /// Up to and with this day; --as-of means the same [default: today]
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub to: Option<NaiveDate>,
    /// What each line is about
    #[arg(long, value_name = "WHAT", default_value = "all")]
    pub by: Part,
    /// The span in parts too
    #[arg(long, value_name = "PERIOD", conflicts_with = "explain")]
    pub every: Option<Period>,
    /// As if every account followed this method
    #[arg(long, ignore_case = true, value_parser = method())]
    pub method: Option<LotMethod>,
    /// What the same money would have done in this security
    #[arg(long, value_name = "SYMBOL", value_parser = name)]
    pub benchmark: Option<SafeText>,
    /// How it is printed.
    #[command(flatten)]
    pub form: Form,
}

/// What a line of a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Everything together
    All,
    /// Each account
    Account,
    /// Each security in each account
    Holding,
    /// Each lot that was there in the span
    Lot,
    /// Each class of accounts
    Class,
}

/// `report coverage`.
#[derive(Debug, Args)]
pub struct CoverageArgs {
    /// What it covers.
    #[command(flatten)]
    pub scope: Scope,
    /// How it is printed.
    #[command(flatten)]
    pub form: Form,
}

/// `report findings`.
#[derive(Debug, Args)]
pub struct FindingsArgs {
    /// Only of this account
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub account: Option<SafeText>,
    /// How it is printed.
    #[command(flatten)]
    pub form: Form,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Cli, Command};
    use super::*;

    fn report(line: &str) -> Option<ReportCommand> {
        let words = ["dashtam", "report"].into_iter().chain(line.split(' '));
        match Cli::try_parse_from(words).ok()?.command {
            Some(Command::Report(command)) => Some(command),
            _ => None,
        }
    }

    #[test]
    fn a_tax_year_is_a_span_of_its_own() {
        let Some(ReportCommand::Gains(args)) = report("gains --tax-year 2024") else { panic!() };
        assert_eq!(args.tax_year, Some(2024));
        for wrong in [
            "gains --tax-year 2024 --from 2024-01-01",
            "gains --tax-year 2024 --to 2024-12-31",
            "gains --tax-year 0",
            "gains --tax-year 24x",
            "holdings --tax-year 2024",
        ] {
            assert!(report(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn every_method_is_compared_or_one_is_followed() {
        assert!(report("gains --compare-methods --tax-year 2024").is_some());
        assert!(report("gains --compare-methods --method fifo").is_none());
        assert!(report("gains --compare-methods --explain X").is_none());
        assert!(report("holdings --method HIFO").is_some());
        assert!(report("holdings --method best").is_none());
    }

    #[test]
    fn a_series_says_how_often() {
        for period in ["day", "week", "month", "quarter", "year"] {
            assert!(report(&format!("net-worth --every {period}")).is_some(), "{period}");
        }
        assert!(report("net-worth --every hour").is_none());
        assert!(report("net-worth --from 2024-01-01").is_none());
        assert!(report("net-worth --to 2024-01-01").is_some());
    }

    #[test]
    fn what_is_explained_is_no_csv() {
        for name in ["accounts", "holdings", "lots", "gains", "net-worth", "coverage"] {
            assert!(report(&format!("{name} --explain X --currency CAD")).is_some(), "{name}");
            assert!(report(&format!("{name} --explain X --csv")).is_none(), "{name}");
        }
        for name in ["transactions", "findings"] {
            assert!(report(&format!("{name} --explain 1")).is_some(), "{name}");
            assert!(report(&format!("{name} --explain 1 --csv")).is_none(), "{name}");
        }
    }
}
