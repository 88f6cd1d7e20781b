//! The question and the answer.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::analytics::returns::Drawdown;
use crate::model::{AccountId, Currency, Dec, Exact, LotMethod, SafeText, SecurityId};
use crate::report::{Every, Missing};

/// What each row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// One row about everything.
    All,
    /// Each account.
    Account,
    /// Each security in each account.
    Holding,
    /// Each lot that was there in the span.
    Lot,
    /// Each class of accounts.
    Class,
}

/// What a report of performance is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerformanceQuery {
    /// The first day of the span; none: that of the first row of each scope.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub to: NaiveDate,
    /// Today, in the zone of the store.
    pub today: NaiveDate,
    /// Only of this account.
    pub account: Option<AccountId>,
    /// As if this were the base currency.
    pub currency: Option<Currency>,
    /// As if every account followed this method.
    pub method: Option<LotMethod>,
    /// What each row is about.
    pub by: By,
    /// The same span in parts too.
    pub every: Option<Every>,
    /// What the same money would have done in this security.
    pub benchmark: Option<SecurityId>,
}

/// How things did in a span.
#[derive(Clone, Debug)]
pub struct PerformanceReport {
    /// The last day.
    pub as_of: NaiveDate,
    /// The first day, where one was asked for.
    pub from: Option<NaiveDate>,
    /// The currency of all money.
    pub currency: Currency,
    /// What made something unknown.
    pub missing: Vec<Missing>,
    /// One for each scope.
    pub rows: Vec<PerformanceRow>,
    /// Why there is no row at all.
    pub nothing: Option<Nothing>,
    /// The accounts that somebody took out of performance, where more than one account is told of.
    pub left_out: Vec<SafeText>,
}

/// Why performance has nothing to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// No account is one that invests.
    NoInvestingAccount,
    /// Nothing had happened by the last day.
    NotYet,
}

impl Nothing {
    /// The word that stands for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoInvestingAccount => "no_investing_account",
            Self::NotYet => "nothing_invested_yet",
        }
    }
}

/// Why a figure is not known, or is not the only one.
pub type Reasons = BTreeMap<&'static str, &'static str>;

/// How one scope did.
#[derive(Clone, Debug)]
pub struct PerformanceRow {
    /// What it is: `all`, an account, a class, a symbol.
    pub scope: SafeText,
    /// The accounts it is of.
    pub accounts: Vec<SafeText>,
    /// The first day of its span.
    pub from: NaiveDate,
    /// The last one.
    pub to: NaiveDate,
    /// The time-weighted return, 10 decimals.
    pub twr: Option<Dec>,
    /// The same by the year, where the span is longer than one.
    pub twr_annualized: Option<Dec>,
    /// The money-weighted return by the year, 10 decimals.
    pub xirr: Option<Dec>,
    /// What was made.
    pub gain: Option<Dec>,
    /// Of it, what prices did.
    pub gain_price: Option<Dec>,
    /// Of it, what currencies did.
    pub gain_fx: Option<Dec>,
    /// Of it, what was received, gross.
    pub gain_income: Option<Dec>,
    /// Of it, what was charged, negative.
    pub gain_fees: Option<Dec>,
    /// Of it, what the state took, negative.
    pub gain_taxes: Option<Dec>,
    /// What came from outside.
    pub flows_in: Option<Dec>,
    /// What went there.
    pub flows_out: Option<Dec>,
    /// At the end of the day before the first.
    pub start_value: Option<Dec>,
    /// At the end of the last day.
    pub end_value: Option<Dec>,
    /// By the year, 10 decimals.
    pub volatility: Option<Dec>,
    /// 10 decimals.
    pub sharpe: Option<Dec>,
    /// The deepest fall.
    pub max_drawdown: Option<Drawdown>,
    /// Days on which nothing could have a return.
    pub days_skipped: u64,
    /// Calendar days on which something had no value.
    pub days_unvalued: u64,
    /// Some row behind it is pending.
    pub pending: bool,
    /// Why a figure is not known.
    pub reasons: Reasons,
    /// The span in parts, where that was asked for.
    pub periods: Vec<Period>,
    /// What the same money would have done elsewhere.
    pub benchmark: Option<Yardstick>,
}

/// A part of a span.
#[derive(Clone, Debug)]
pub struct Period {
    /// Its first day.
    pub from: NaiveDate,
    /// Its last day.
    pub to: NaiveDate,
    /// The time-weighted return, 10 decimals.
    pub twr: Option<Dec>,
    /// What was made.
    pub gain: Option<Dec>,
    /// What came from outside, less what went there.
    pub flows: Option<Dec>,
    /// At the end of its last day.
    pub end_value: Option<Dec>,
    /// Why a figure is not known.
    pub reasons: Reasons,
}

/// The same flows into one security.
#[derive(Clone, Debug)]
pub struct Yardstick {
    /// Its symbol.
    pub symbol: SafeText,
    /// What its price did in the span, in the currency of the report, 10 decimals.
    pub twr: Option<Dec>,
    /// The same by the year, where the span is longer than one.
    pub twr_annualized: Option<Dec>,
    /// What the same flows would have come to.
    pub end_value: Option<Dec>,
    /// What would have been made.
    pub gain: Option<Dec>,
    /// The money-weighted return of that, by the year.
    pub xirr: Option<Dec>,
    /// Why a figure is not known, or is not the only one.
    pub reasons: Reasons,
}

/// What a change of net worth came from; its parts add up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// What prices did.
    pub market: Dec,
    /// What currencies did.
    pub currency: Dec,
    /// What came from outside, less what went there.
    pub flows: Dec,
    /// What was received, gross.
    pub income: Dec,
    /// What was charged and what the state took, negative.
    pub charges: Dec,
    /// Something had no value on either day and is in none of this: what was paid for it went out.
    pub partial: bool,
}

impl Split {
    /// Whether the parts add up to this.
    pub(in crate::report) fn is_of(&self, change: Dec) -> bool {
        let parts = [self.market, self.currency, self.flows, self.income, self.charges];
        let sum = parts.into_iter().fold(Exact::ZERO, |sum, part| sum.add(&part.into()));
        sum == Exact::from(change)
    }
}
