//! The answers of the reports about positions: plain rows, complete with what they lack.

use chrono::NaiveDate;

use super::Missing;
use crate::model::{
    AccountId, AssetClass, Currency, Dec, LotMethod, SafeText, SecurityId, Term, TransactionId,
    Wording,
};

/// What a report about positions is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionsQuery {
    /// Rows and prices on or before this day.
    pub as_of: NaiveDate,
    /// Today, in the zone of the store: only then may a quote of the day serve as price.
    pub today: NaiveDate,
    /// Only of this account.
    pub account: Option<AccountId>,
    /// As if this were the base currency.
    pub currency: Option<Currency>,
    /// As if every account followed this method.
    pub method: Option<LotMethod>,
    /// What is held no more too.
    pub closed: bool,
}

/// Holdings of a day.
#[derive(Clone, Debug)]
pub struct HoldingsReport {
    /// The day.
    pub as_of: NaiveDate,
    /// The currency of the `_base` figures.
    pub currency: Currency,
    /// What made a total partial.
    pub missing: Vec<Missing>,
    /// By account and symbol.
    pub rows: Vec<HoldingRow>,
    /// Over all rows.
    pub totals: HoldingTotals,
}

/// One security in one account.
#[derive(Clone, Debug)]
pub struct HoldingRow {
    /// Whose; none: between two own accounts.
    pub account: Option<SafeText>,
    /// Its symbol.
    pub symbol: SafeText,
    /// Its identity.
    pub security_id: SecurityId,
    /// What people call it.
    pub name: Option<SafeText>,
    /// What it is.
    pub asset_class: Option<AssetClass>,
    /// The currency that it is quoted in.
    pub currency: Currency,
    /// How many; negative: short.
    pub quantity: Dec,
    /// Of one, in its currency.
    pub price: Option<Dec>,
    /// The day of the price.
    pub price_date: Option<NaiveDate>,
    /// Who said it.
    pub price_source: Option<SafeText>,
    /// The price is older than it should be.
    pub stale: bool,
    /// In its currency.
    pub value: Option<Dec>,
    /// In the base currency.
    pub value_base: Option<Dec>,
    /// In its currency.
    pub cost: Option<Dec>,
    /// At the rates of the days on which it was bought.
    pub cost_base: Option<Dec>,
    /// Value less cost, in its currency.
    pub unrealized: Option<Dec>,
    /// Value less cost, in the base currency.
    pub unrealized_base: Option<Dec>,
    /// Gains of what was sold since the first row, in its currency.
    pub realized: Option<Dec>,
    /// The same in the base currency.
    pub realized_base: Option<Dec>,
    /// Received since the first row, in its currency.
    pub income: Option<Dec>,
    /// Its part of the value of all rows that count, 10 decimals.
    pub weight: Option<Dec>,
    /// How its lots are followed.
    pub method: LotMethod,
    /// Some row behind it is pending.
    pub pending: bool,
    /// Its account is closed: no sum counts it.
    pub closed: bool,
}

/// Sums over the rows of holdings, in the base currency; each over what is known.
#[derive(Clone, Copy, Debug)]
pub struct HoldingTotals {
    /// Of the values.
    pub value_base: Option<Dec>,
    /// Of the costs.
    pub cost_base: Option<Dec>,
    /// Of the gains that are not realized.
    pub unrealized_base: Option<Dec>,
    /// Of the gains that are.
    pub realized_base: Option<Dec>,
}

/// Open lots of a day.
#[derive(Clone, Debug)]
pub struct LotsReport {
    /// The day.
    pub as_of: NaiveDate,
    /// The currency of the `_base` figures.
    pub currency: Currency,
    /// What made a total partial.
    pub missing: Vec<Missing>,
    /// By account, symbol and day.
    pub rows: Vec<LotRow>,
    /// Over all rows.
    pub totals: HoldingTotals,
}

/// One open lot.
#[derive(Clone, Debug)]
pub struct LotRow {
    /// Whose; none: between two own accounts.
    pub account: Option<SafeText>,
    /// Its symbol.
    pub symbol: SafeText,
    /// Its identity.
    pub security_id: SecurityId,
    /// The currency that it is quoted in.
    pub currency: Currency,
    /// The row that opened it.
    pub opening: TransactionId,
    /// When it was acquired.
    pub opened: NaiveDate,
    /// How many; negative: short.
    pub quantity: Dec,
    /// In its currency.
    pub cost: Option<Dec>,
    /// At the rate of its day.
    pub cost_base: Option<Dec>,
    /// In its currency.
    pub value: Option<Dec>,
    /// Value less cost, in its currency.
    pub unrealized: Option<Dec>,
    /// Value less cost, in the base currency.
    pub unrealized_base: Option<Dec>,
    /// Of that, what the currency did.
    pub unrealized_fx: Option<Dec>,
    /// What a sale on that day would be.
    pub term: Term,
    /// Some row behind it is pending.
    pub pending: bool,
}

/// What a report of gains is asked.
#[derive(Clone, Copy, Debug)]
pub struct GainsQuery {
    /// On or after.
    pub from: Option<NaiveDate>,
    /// On or before.
    pub to: NaiveDate,
    /// Only of this account.
    pub account: Option<AccountId>,
    /// As if this were the base currency.
    pub currency: Option<Currency>,
    /// As if every account followed this method.
    pub method: Option<LotMethod>,
}

/// What was realized in a span.
#[derive(Clone, Debug)]
pub struct GainsReport {
    /// The last day.
    pub as_of: NaiveDate,
    /// The currency of the `_base` figures.
    pub currency: Currency,
    /// What made a total partial.
    pub missing: Vec<Missing>,
    /// By day of the sale, account, symbol and day of the purchase.
    pub rows: Vec<GainRow>,
    /// Over all rows.
    pub totals: GainTotals,
}

/// One lot, or a part of one, that was closed by one row.
#[derive(Clone, Debug)]
pub struct GainRow {
    /// Whose.
    pub account: SafeText,
    /// Its symbol.
    pub symbol: SafeText,
    /// Its identity.
    pub security_id: SecurityId,
    /// The currency that it is quoted in.
    pub currency: Currency,
    /// When it was acquired.
    pub opened: NaiveDate,
    /// When it was sold.
    pub closed: NaiveDate,
    /// The row that opened it, where one did.
    pub opening: Option<TransactionId>,
    /// The row that closed it.
    pub closing: TransactionId,
    /// How many; negative: a short position was closed.
    pub quantity: Dec,
    /// What it brought, in its currency.
    pub proceeds: Option<Dec>,
    /// What it cost, in its currency.
    pub cost: Option<Dec>,
    /// The one less the other.
    pub gain: Option<Dec>,
    /// What it brought, in the base currency.
    pub proceeds_base: Option<Dec>,
    /// What it cost, in the base currency.
    pub cost_base: Option<Dec>,
    /// The one less the other.
    pub gain_base: Option<Dec>,
    /// Of that, what the currency did.
    pub gain_fx: Option<Dec>,
    /// How long it was held.
    pub term: Term,
    /// The method that chose it.
    pub method: LotMethod,
    /// Some row behind it is pending.
    pub pending: bool,
}

/// Sums over the rows of gains, in the base currency; each over what is known.
#[derive(Clone, Copy, Debug)]
pub struct GainTotals {
    /// Of what they brought.
    pub proceeds_base: Option<Dec>,
    /// Of what they cost.
    pub cost_base: Option<Dec>,
    /// Of the gains.
    pub gain_base: Option<Dec>,
    /// Of the gains of lots held for long.
    pub long_base: Option<Dec>,
    /// Of the others.
    pub short_base: Option<Dec>,
}

/// The same sales under each method.
#[derive(Clone, Debug)]
pub struct MethodsReport {
    /// The last day.
    pub as_of: NaiveDate,
    /// The currency of the figures.
    pub currency: Currency,
    /// What made a total partial.
    pub missing: Vec<Missing>,
    /// One for each method.
    pub rows: Vec<MethodRow>,
}

/// One method.
#[derive(Clone, Copy, Debug)]
pub struct MethodRow {
    /// Which.
    pub method: LotMethod,
    /// What it would have made of the sales.
    pub totals: GainTotals,
    /// The cost of what is left.
    pub cost_left_base: Option<Dec>,
    /// Whether every account follows it today.
    pub current: bool,
}

/// How often a series has a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// Each day.
    Day,
    /// Sundays.
    Week,
    /// Last days of months.
    Month,
    /// Last days of quarters.
    Quarter,
    /// Last days of years.
    Year,
}

/// What a series of net worth is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetWorthQuery {
    /// The first day of the span; none: the first row.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub to: NaiveDate,
    /// Today, in the zone of the store.
    pub today: NaiveDate,
    /// Only of this account.
    pub account: Option<AccountId>,
    /// As if this were the base currency.
    pub currency: Option<Currency>,
    /// The days of the series; none: the last day alone.
    pub every: Option<Every>,
}

impl NetWorthQuery {
    /// Whether an account is asked about.
    pub(super) fn wants(&self, account: AccountId) -> bool {
        self.account.is_none_or(|wanted| wanted == account)
    }
}

/// Net worth over time.
#[derive(Clone, Debug)]
pub struct NetWorthReport {
    /// The last day.
    pub as_of: NaiveDate,
    /// The currency of everything.
    pub currency: Currency,
    /// What made a total partial, on the last day.
    pub missing: Vec<Missing>,
    /// Oldest first.
    pub rows: Vec<NetWorthRow>,
}

/// Net worth at the end of a day: the sum of its four parts.
#[derive(Clone, Debug)]
pub struct NetWorthRow {
    /// The day.
    pub date: NaiveDate,
    /// The sum; over what is known.
    pub net_worth: Option<Dec>,
    /// Securities, and investment accounts known by their balance.
    pub market_value: Option<Dec>,
    /// Of cash and investment accounts.
    pub cash: Option<Dec>,
    /// Everything else one owns.
    pub assets: Option<Dec>,
    /// What one owes, negative.
    pub liabilities: Option<Dec>,
    /// What is missing in it.
    pub missing: Vec<Missing>,
    /// Some row behind it is pending.
    pub pending: bool,
}

/// Which held securities and rates lack prices from when.
#[derive(Clone, Debug)]
pub struct CoverageReport {
    /// The day.
    pub as_of: NaiveDate,
    /// The base currency.
    pub currency: Currency,
    /// By kind and name.
    pub rows: Vec<CoverageRow>,
}

/// What is known of the price of one security or of one pair of currencies.
#[derive(Clone, Debug)]
pub struct CoverageRow {
    /// `price` or `fx`.
    pub what: &'static str,
    /// The symbol or the pair.
    pub name: SafeText,
    /// The first day on which it was needed.
    pub needed_from: NaiveDate,
    /// The last day on which it is needed: the as-of day while it is held.
    pub needed_to: NaiveDate,
    /// The first day that is known.
    pub first: Option<NaiveDate>,
    /// The last day that is known.
    pub last: Option<NaiveDate>,
    /// Days in need without any price on or before them.
    pub missing_days: i64,
    /// Days in need whose price is older than it should be.
    pub stale_days: i64,
}

/// Something that needs a look.
#[derive(Clone, Debug)]
pub struct FindingRow {
    /// Its number.
    pub id: SafeText,
    /// What it is.
    pub kind: SafeText,
    /// `info`, `warning` or `error`.
    pub severity: SafeText,
    /// Where.
    pub account: Option<SafeText>,
    /// Of what.
    pub symbol: Option<SafeText>,
    /// When.
    pub date: Option<NaiveDate>,
    /// The row that it is about.
    pub transaction: Option<TransactionId>,
    /// In words.
    pub detail: Wording,
    /// What to do about it.
    pub fix: SafeText,
    /// What would mend it, where that is one thing.
    pub proposed: Option<Proposed>,
}

/// What would mend a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proposed {
    /// The two rows are one event.
    Link(TransactionId, TransactionId),
    /// The row tells something again.
    Delete(TransactionId),
    /// The price is right.
    AcceptPrice(i64, Dec),
    /// The closed account is open again.
    Reopen,
    /// The row says something else.
    Edit(TransactionId),
    /// A row is added, of this type.
    Add(&'static str),
}

/// How a figure came about.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Which figure, like `value_base`.
    pub figure: &'static str,
    /// Whose, in words.
    pub of: SafeText,
    /// The figure; none: not known.
    pub value: Option<Dec>,
    /// In which currency, where it is money.
    pub currency: Option<Currency>,
    /// How it was computed, with the figures in place.
    pub formula: String,
    /// What went into it.
    pub inputs: Vec<Input>,
}

/// One thing that went into a figure.
#[derive(Clone, Debug)]
pub struct Input {
    /// `row`, `lot`, `price`, `rate` or `figure`.
    pub kind: &'static str,
    /// A transaction, or the name of a figure.
    pub id: Option<SafeText>,
    /// Of which day.
    pub date: Option<NaiveDate>,
    /// How much.
    pub value: Option<Dec>,
    /// Who said it.
    pub source: Option<SafeText>,
    /// Of a rate.
    pub pair: Option<SafeText>,
}
