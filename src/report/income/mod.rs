//! Income: what was received, by month, security and account, and what may be. What is expected
//! stands in figures of its own, so that nobody can take it for received.

mod dates;
mod forecast;
mod payments;
mod shares;

use std::collections::BTreeMap;

use chrono::NaiveDate;

pub use dates::{Coming, IncomeDate};
pub(super) use forecast::Expected;
use forecast::Place;
pub(super) use payments::Payment;
use shares::Shares;

use super::types::PositionsQuery;
use super::valuation::{Scene, Total};
use super::{Missing, Result};
use crate::figures::{Otherwise, Scope};
use crate::model::{AccountId, Currency, Dec, Exact, SafeText, SecurityId, Subtype};
use crate::store::Tx;

/// What a report of income is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncomeQuery {
    /// On or after.
    pub from: Option<NaiveDate>,
    /// On or before; what is expected is expected in the twelve months after it.
    pub to: NaiveDate,
    /// Today, in the zone of the store: only then is a row that is dated ahead expected.
    pub today: NaiveDate,
    /// Only of this account.
    pub account: Option<AccountId>,
    /// As if this were the base currency.
    pub currency: Option<Currency>,
    /// What is one row; none: a month of a security in an account.
    pub by: Option<IncomeBy>,
}

/// What rows are added up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncomeBy {
    /// Each month.
    Month,
    /// Each security; without one: interest of cash.
    Security,
    /// Each account.
    Account,
    /// Dividends, interest and so on.
    Kind,
}

/// Income of a span, and what may come.
#[derive(Clone, Debug)]
pub struct IncomeReport {
    /// The last day.
    pub as_of: NaiveDate,
    /// The currency of the `_base` figures.
    pub currency: Currency,
    /// What rows are added up by.
    pub by: Option<IncomeBy>,
    /// What made a total partial.
    pub missing: Vec<Missing>,
    /// By month, account, symbol and kind.
    pub rows: Vec<IncomeRow>,
    /// Over all rows.
    pub totals: IncomeTotals,
}

/// What some rows of the store come to. What tells several of them apart and is not the same for
/// all of them is none.
#[derive(Clone, Debug)]
pub struct IncomeRow {
    /// `YYYY-MM`.
    pub month: Option<String>,
    /// Where.
    pub account: Option<SafeText>,
    /// Of what.
    pub symbol: Option<SafeText>,
    /// Which event.
    pub kind: Option<Subtype>,
    /// Of the amounts; none: they are of several.
    pub currency: Option<Currency>,
    /// Received, before anything was kept back.
    pub amount: Option<Dec>,
    /// The tax that was kept back.
    pub withheld: Option<Dec>,
    /// What was left, less fees.
    pub net: Option<Dec>,
    /// Expected in the twelve months after the last day, before anything is kept back.
    pub expected: Option<Dec>,
    /// The same in the base currency.
    pub sums: IncomeSums,
    /// Of a security or an account.
    pub yields: Option<Yields>,
}

/// Sums in the base currency; each over what is known.
#[derive(Clone, Copy, Debug)]
pub struct IncomeSums {
    /// Received, each payment at the rate of its day.
    pub amount: Option<Dec>,
    /// The tax that was kept back.
    pub withheld: Option<Dec>,
    /// What was left, less fees.
    pub net: Option<Dec>,
    /// Expected, at the rate of the last day.
    pub expected: Option<Dec>,
    /// There is something expected.
    pub forecast: bool,
    /// Some row behind what was received is pending.
    pub pending: bool,
}

/// Over all rows.
#[derive(Clone, Copy, Debug)]
pub struct IncomeTotals {
    /// In the base currency.
    pub sums: IncomeSums,
    /// Of everything that is held.
    pub yields: Yields,
}

/// What the securities that are held on the last day paid in the twelve months up to it: of each
/// payment the part that is for what is held now, wherever it was held then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Yields {
    /// In the base currency.
    pub paid: Option<Dec>,
    /// Their cost in the base currency.
    pub cost: Option<Dec>,
    /// Their value in the base currency.
    pub value: Option<Dec>,
    /// The part that it is of their cost, 10 decimals.
    pub on_cost: std::result::Result<Dec, NoYield>,
    /// The part that it is of their value, 10 decimals.
    pub on_value: std::result::Result<Dec, NoYield>,
}

/// Why there is no yield.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoYield {
    /// No security is held.
    NothingHeld,
    /// Some payment of the year has no value in the base currency.
    UnknownIncome,
    /// The cost of something that is held is not known.
    MissingCost,
    /// The value of something that is held is not known.
    MissingPrice,
    /// It cost, or is worth, nothing or less.
    NotPositive,
}

impl NoYield {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NothingHeld => "nothing_held",
            Self::UnknownIncome => "unknown_income",
            Self::MissingCost => "missing_cost",
            Self::MissingPrice => "missing_price",
            Self::NotPositive => "not_positive",
        }
    }
}

/// A security in an account on the last day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holding {
    pub account: AccountId,
    pub security: SecurityId,
    pub quantity: Dec,
    pub cost: Option<Dec>,
    pub value: Option<Dec>,
}

/// Everything that a report of income is made of.
pub(super) struct Income {
    pub scene: Scene,
    /// Of the span, older than what matters for the forecast.
    before: Vec<Payment>,
    /// Of all accounts, from the first day that does.
    past: Vec<Payment>,
    announced: Vec<Payment>,
    shares: Shares,
    /// What is expected and has come, in order.
    told: Vec<Place>,
    /// What the last twelve months paid on what an account holds of a security on the last day.
    paid: BTreeMap<(AccountId, SecurityId), Total>,
    held: Vec<Holding>,
    from: Option<NaiveDate>,
    to: NaiveDate,
    account: Option<AccountId>,
}

impl Income {
    pub async fn read(tx: &mut Tx, query: &IncomeQuery) -> Result<Self> {
        let otherwise = Otherwise { method: None, base: query.currency };
        let scene = Scene::with(tx, query.to, query.today, Scope::History, otherwise).await?;
        let past = forecast::first(query.to);
        // What is before the last year is of interest only where it is asked for.
        let before = match past {
            Some(past) if query.from.is_none_or(|from| from < past) => {
                let before = (query.from, past.pred_opt().unwrap_or(past));
                payments::payments(tx, &scene, before, query.account).await?
            }
            _ => Vec::new(),
        };
        let past = payments::payments(tx, &scene, (past, query.to), None).await?;
        let held = held(tx, query, &scene).await?;
        let shares = Shares::read(tx, &scene, &past, &held).await?;
        let announced = forecast::announced(tx, &scene, query).await?;
        let told = forecast::told(&scene, &shares, &past, &announced);
        let IncomeQuery { from, to, account, .. } = *query;
        let paid = BTreeMap::new();
        let mut income =
            Self { scene, before, past, announced, shares, told, paid, held, from, to, account };
        income.paid = income.paid();
        Ok(income)
    }

    /// What was received in the span, in the order of rows.
    pub fn payments(&self) -> impl Iterator<Item = &Payment> {
        let asked = |it: &&Payment| self.from.is_none_or(|from| from <= it.date);
        let past = self.past.iter().filter(|it| self.is_wanted(it.account));
        self.before.iter().chain(past.filter(asked))
    }

    fn is_wanted(&self, account: AccountId) -> bool {
        self.account.is_none_or(|wanted| wanted == account)
    }

    /// The parts of the last year's payments that are for what is held now.
    fn paid(&self) -> BTreeMap<(AccountId, SecurityId), Total> {
        let year_ago = self.to.checked_sub_months(forecast::YEAR);
        let last_year = self.past.iter().filter(|it| year_ago.is_none_or(|day| day < it.date));
        let mut paid: BTreeMap<_, Total> = BTreeMap::new();
        for (payment, security) in last_year.filter_map(|it| Some((it, it.security?))) {
            let shares = self.shares.of(&self.scene, payment, security);
            for share in shares.iter().filter(|share| self.is_wanted(share.account)) {
                let gross = payment.gross.base.and_then(|gross| share.of(gross));
                paid.entry((share.account, security)).or_default().add(gross);
            }
        }
        paid
    }

    /// The yields of what some of the holdings paid.
    pub fn yields(&self, is_meant: impl Fn(AccountId, SecurityId) -> bool) -> Yields {
        let is_meant = |account, id| self.is_wanted(account) && is_meant(account, id);
        let held = || self.held.iter().filter(|it| is_meant(it.account, it.security));
        let paid = self.paid.iter().filter(|((account, id), _)| is_meant(*account, *id));
        let paid = paid.fold(Total::default(), |mut sum, (_, total)| {
            sum.take_in(total);
            sum
        });
        let cost: Total = held().map(|it| it.cost).collect();
        let value: Total = held().map(|it| it.value).collect();
        let part = |whole: &Total, unknown: NoYield| {
            if whole.is_empty() {
                return Err(NoYield::NothingHeld);
            }
            let paid = paid.known().filter(|_| paid.is_whole()).ok_or(NoYield::UnknownIncome)?;
            let whole = whole.known().filter(|_| whole.is_whole()).ok_or(unknown)?;
            if !whole.is_positive() {
                return Err(NoYield::NotPositive);
            }
            Exact::from(paid).div_round(&whole.into(), 10).map_err(|_| unknown)
        };
        let on_cost = part(&cost, NoYield::MissingCost);
        let on_value = part(&value, NoYield::MissingPrice);
        let known = |total: &Total| total.known().filter(|_| total.is_whole());
        Yields { paid: known(&paid), cost: known(&cost), value: known(&value), on_cost, on_value }
    }
}

/// What is held on the last day, in every account that counts.
async fn held(tx: &mut Tx, query: &IncomeQuery, scene: &Scene) -> Result<Vec<Holding>> {
    let question = PositionsQuery {
        as_of: query.to,
        today: query.today,
        account: None,
        currency: query.currency,
        method: None,
        closed: false,
    };
    let report = super::holdings(tx, &question).await?;
    let ids: BTreeMap<_, _> =
        scene.accounts.iter().map(|(id, row)| (&row.account.name, *id)).collect();
    let holding = |row: &super::HoldingRow| {
        // What is between two accounts arrives in one of them, nobody knows when.
        let account = *ids.get(row.account.as_ref()?)?;
        Some(Holding {
            account,
            security: row.security_id,
            quantity: row.quantity,
            cost: row.cost_base,
            value: row.value_base,
        })
    };
    Ok(report.rows.iter().filter_map(holding).collect())
}

/// Income of a span, and what the twelve months after it may bring.
///
/// # Errors
/// When the store cannot be read.
pub async fn income(tx: &mut Tx, query: &IncomeQuery) -> Result<IncomeReport> {
    Ok(Income::read(tx, query).await?.report(query))
}

/// The same, with the day of each payment, oldest first.
///
/// # Errors
/// When the store cannot be read.
pub async fn income_and_dates(
    tx: &mut Tx,
    query: &IncomeQuery,
) -> Result<(IncomeReport, Vec<IncomeDate>)> {
    let income = Income::read(tx, query).await?;
    Ok((income.report(query), dates::of(&income, query.by)))
}

impl Income {
    fn report(&self, query: &IncomeQuery) -> IncomeReport {
        let scene = &self.scene;
        let mut groups: BTreeMap<Key, Sums> = BTreeMap::new();
        let mut all = Sums::default();
        let mut missing = Vec::new();
        for row in self.payments() {
            let place = (row.date, row.account, row.security, row.kind, row.currency);
            groups.entry(Key::of(scene, query.by, place)).or_default().pay(row);
            all.pay(row);
            missing.extend(row.missing.iter().cloned());
        }
        for row in self.expected() {
            let of = row.of;
            let place = (row.date, row.account(), of.security, of.kind, of.currency);
            groups.entry(Key::of(scene, query.by, place)).or_default().expect(&row);
            all.expect(&row);
            missing.extend(row.missing);
        }
        let rows = groups.into_iter().map(|(key, sums)| {
            let yields = match (query.by, key.security, key.account_id) {
                (Some(IncomeBy::Security), Some(id), _) => {
                    Some(self.yields(|_, other| other == id))
                }
                (Some(IncomeBy::Account), _, Some(id)) => Some(self.yields(|other, _| other == id)),
                _ => None,
            };
            sums.row(key, yields)
        });
        let rows = rows.collect();
        let totals =
            IncomeTotals { sums: all.in_base(&mut missing), yields: self.yields(|_, _| true) };
        missing.sort();
        missing.dedup();
        let (as_of, currency, by) = (query.to, scene.base, query.by);
        IncomeReport { as_of, currency, by, missing, rows, totals }
    }
}

/// What a row of the report is about; it sorts as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    month: Option<String>,
    account: Option<SafeText>,
    symbol: Option<SafeText>,
    kind: Option<&'static str>,
    currency: Option<Currency>,
    account_id: Option<AccountId>,
    security: Option<SecurityId>,
}

/// What says where a payment belongs.
type Belongs = (NaiveDate, AccountId, Option<SecurityId>, Subtype, Currency);

impl Key {
    fn of(scene: &Scene, by: Option<IncomeBy>, place: Belongs) -> Self {
        let (date, account, security, kind, currency) = place;
        let is_by = |one| by.is_none_or(|by| by == one);
        let (of_account, of_security) = (is_by(IncomeBy::Account), is_by(IncomeBy::Security));
        let security = security.filter(|_| of_security);
        Self {
            month: is_by(IncomeBy::Month).then(|| month(date)),
            account: scene.account_name(account).filter(|_| of_account),
            symbol: security.map(|id| scene.symbol(id)),
            kind: is_by(IncomeBy::Kind).then_some(kind.as_str()),
            currency: by.is_none().then_some(currency),
            account_id: of_account.then_some(account),
            security,
        }
    }
}

/// `YYYY-MM`.
pub(super) fn month(date: NaiveDate) -> String {
    date.format("%Y-%m").to_string()
}

/// Payments added up.
#[derive(Default)]
struct Sums {
    amount: Total,
    withheld: Total,
    net: Total,
    expected: Total,
    amount_base: Total,
    withheld_base: Total,
    net_base: Total,
    expected_base: Total,
    currencies: Vec<Currency>,
    pending: bool,
}

impl Sums {
    fn pay(&mut self, row: &Payment) {
        self.currency(row.currency);
        for (total, figure) in [
            (&mut self.amount, row.gross.own),
            (&mut self.withheld, row.withheld.own),
            (&mut self.net, row.net.own),
            (&mut self.amount_base, row.gross.base),
            (&mut self.withheld_base, row.withheld.base),
            (&mut self.net_base, row.net.base),
        ] {
            total.add(figure);
        }
        self.pending |= row.pending;
    }

    fn expect(&mut self, row: &Expected<'_>) {
        self.currency(row.of.currency);
        self.expected.add(row.own);
        self.expected_base.add(row.base);
    }

    fn currency(&mut self, currency: Currency) {
        if !self.currencies.contains(&currency) {
            self.currencies.push(currency);
        }
    }

    fn row(&self, key: Key, yields: Option<Yields>) -> IncomeRow {
        let currency = match self.currencies.as_slice() {
            [one] => Some(*one),
            _ => None,
        };
        // Money of several currencies has no sum.
        let own = |total: &Total| total.known().filter(|_| currency.is_some());
        IncomeRow {
            month: key.month,
            account: key.account,
            symbol: key.symbol,
            kind: key.kind.and_then(|word| word.parse().ok()),
            currency,
            amount: own(&self.amount),
            withheld: own(&self.withheld),
            net: own(&self.net),
            expected: own(&self.expected),
            sums: self.in_base(&mut Vec::new()),
            yields,
        }
    }

    fn in_base(&self, missing: &mut Vec<Missing>) -> IncomeSums {
        IncomeSums {
            amount: self.amount_base.told(missing),
            withheld: self.withheld_base.told(missing),
            net: self.net_base.told(missing),
            expected: self.expected_base.told(missing),
            forecast: !self.expected.is_empty(),
            pending: self.pending,
        }
    }
}
