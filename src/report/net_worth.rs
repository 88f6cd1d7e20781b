//! Net worth over time: what securities, cash and other things are worth, less what is owed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use super::explain::{figure, price, rates};
use super::pending::Pending;
use super::types::{Every, NetWorthQuery, NetWorthReport, NetWorthRow};
use super::valuation::{Scene, Total, Value};
use super::{Input, Missing, Result, performance};
use crate::figures::{self, Held, Otherwise, Scope, TRANSIT};
use crate::model::{Account, AccountId, Class, Currency, Dec, Exact, Mode, SafeText};
use crate::store::{Balance, Tx};

/// Net worth on the days of a series.
///
/// # Errors
/// When the store cannot be read.
pub async fn net_worth(tx: &mut Tx, query: &NetWorthQuery) -> Result<NetWorthReport> {
    series(tx, query, true).await
}

/// Net worth as a line: where the days of accounts are kept its parts are not told, which costs
/// still less.
///
/// # Errors
/// When the store cannot be read.
pub async fn worth_line(tx: &mut Tx, query: &NetWorthQuery) -> Result<NetWorthReport> {
    series(tx, query, false).await
}

async fn series(tx: &mut Tx, query: &NetWorthQuery, with_parts: bool) -> Result<NetWorthReport> {
    let first = first_day(tx).await?.unwrap_or(query.to);
    let all = days(query.from.unwrap_or(first).max(first), query.to, query.every);
    let (currency, rows) = match performance::worth_on(tx, query, &all).await? {
        Some(worth) => from_kept(tx, query, &all, worth, with_parts).await?,
        None => rows_of(tx, query, &all).await?,
    };
    let missing = rows.last().map(|row| row.missing.clone()).unwrap_or_default();
    Ok(NetWorthReport { as_of: query.to, currency, missing, rows })
}

async fn rows_of(
    tx: &mut Tx,
    query: &NetWorthQuery,
    days: &[NaiveDate],
) -> Result<(Currency, Vec<NetWorthRow>)> {
    let (currency, parts) = parts_of(tx, query, days, false).await?;
    Ok((currency, days.iter().zip(&parts).map(|(day, parts)| parts.row(*day)).collect()))
}

/// From what everything was worth on the first of these days: what was neither money nor a balance was
/// in securities.
async fn from_kept(
    tx: &mut Tx,
    query: &NetWorthQuery,
    days: &[NaiveDate],
    worth: Vec<Dec>,
    with_parts: bool,
) -> Result<(Currency, Vec<NetWorthRow>)> {
    let (kept, rest) = days.split_at_checked(worth.len()).unwrap_or((days, &[]));
    let rates = if with_parts { Scope::History } else { Scope::Day };
    let scene = Scene::with(tx, query.to, query.today, rates, Otherwise::default()).await?;
    let mut parts: Vec<Parts> = kept.iter().map(|_| Parts::default()).collect();
    if with_parts {
        add_cash(tx, &scene, query, kept, &mut parts).await?;
        add_balances(tx, &scene, query, kept, &mut parts).await?;
    }
    add_pending(tx, &scene, query, kept, &mut parts).await?;
    let known = kept.iter().zip(parts).zip(worth);
    let mut rows: Vec<_> = known
        .map(|((&date, parts), worth)| match with_parts {
            true => parts.and_securities(worth).row(date),
            false => parts.row_without_parts(date, worth),
        })
        .collect();
    if !rest.is_empty() {
        rows.extend(rows_of(tx, query, rest).await?.1);
    }
    Ok((scene.base, rows))
}

/// Net worth on an earlier day and on the last one.
pub(super) async fn then_and_now(
    tx: &mut Tx,
    query: &NetWorthQuery,
    then: NaiveDate,
) -> Result<(Currency, [NetWorthRow; 2])> {
    let (currency, parts) = parts_of(tx, query, &[then, query.to], false).await?;
    let row = |place: usize, day| {
        parts.get(place).map_or_else(|| Parts::default().row(day), |parts| parts.row(day))
    };
    Ok((currency, [row(0, then), row(1, query.to)]))
}

/// Net worth on the last day, with everything that it is the sum of.
pub(super) async fn itemized(
    tx: &mut Tx,
    query: &NetWorthQuery,
) -> Result<(Currency, NetWorthRow, Vec<Item>)> {
    let (currency, parts) = parts_of(tx, query, &[query.to], true).await?;
    let parts = parts.into_iter().next().unwrap_or_default();
    Ok((currency, parts.row(query.to), parts.items.unwrap_or_default()))
}

/// The accounts whose rows count on the last day.
pub(super) async fn counted(tx: &mut Tx, query: &NetWorthQuery) -> Result<BTreeSet<AccountId>> {
    let counts = |row: &Account| {
        let is_open = Account::is_open(row.closed, query.to);
        row.mode == Mode::Ledger && is_open && query.wants(row.id)
    };
    let accounts = tx.accounts().await?.into_iter().map(|row| row.account);
    Ok(accounts.filter(counts).map(|row| row.id).collect())
}

/// One thing that net worth is a sum of.
pub(super) struct Item {
    pub part: Part,
    pub name: SafeText,
    /// Where it is; [`TRANSIT`]: between two accounts.
    pub account: AccountId,
    /// What it is quoted or kept in.
    pub currency: Currency,
    /// What is held, where it is a security, and how it was valued.
    pub position: Option<(Held, Value)>,
    /// In the base currency.
    pub value: Option<Dec>,
    /// What it was computed from.
    pub from: Vec<Input>,
}

/// What is said of an item where somebody wants to know.
struct Thing {
    name: String,
    account: AccountId,
    currency: Currency,
    position: Option<(Held, Value)>,
    from: Vec<Input>,
}

/// The four parts of net worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    MarketValue,
    Cash,
    Assets,
    Liabilities,
}

impl Part {
    /// The field of the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MarketValue => "market_value",
            Self::Cash => "cash",
            Self::Assets => "assets",
            Self::Liabilities => "liabilities",
        }
    }

    /// The part that money in an account, or the balance of one, counts in.
    const fn of(class: Class, by_balance: bool) -> Self {
        match class {
            Class::Investment if by_balance => Self::MarketValue,
            Class::Cash | Class::Investment => Self::Cash,
            Class::Liability => Self::Liabilities,
            Class::Asset => Self::Assets,
        }
    }
}

async fn parts_of(
    tx: &mut Tx,
    query: &NetWorthQuery,
    days: &[NaiveDate],
    itemized: bool,
) -> Result<(Currency, Vec<Parts>)> {
    let otherwise = Otherwise { base: query.currency, method: None };
    let mut scene = match days {
        [day] => Scene::of_day(tx, *day, query.today, otherwise).await?,
        _ => Scene::with(tx, query.to, query.today, Scope::History, otherwise).await?,
    };
    let empty = || Parts { items: itemized.then(Vec::new), ..Parts::default() };
    let mut parts: Vec<Parts> = days.iter().map(|_| empty()).collect();
    add_securities(tx, &mut scene, query, days, &mut parts).await?;
    add_cash(tx, &scene, query, days, &mut parts).await?;
    add_balances(tx, &scene, query, days, &mut parts).await?;
    add_pending(tx, &scene, query, days, &mut parts).await?;
    Ok((scene.base, parts))
}

/// The parts of one day.
#[derive(Default)]
struct Parts {
    market_value: Total,
    cash: Total,
    assets: Total,
    liabilities: Total,
    missing: BTreeSet<Missing>,
    pending: bool,
    /// What they are sums of, where somebody wants to know.
    items: Option<Vec<Item>>,
}

impl Parts {
    /// Adds a thing, with its name and what it was computed from where somebody wants to know.
    fn add(&mut self, part: Part, value: Option<Dec>, thing: impl FnOnce() -> Thing) {
        let total = match part {
            Part::MarketValue => &mut self.market_value,
            Part::Cash => &mut self.cash,
            Part::Assets => &mut self.assets,
            Part::Liabilities => &mut self.liabilities,
        };
        total.add(value);
        if let Some(items) = &mut self.items {
            let Thing { name, account, currency, position, from } = thing();
            let name = SafeText::new(&name);
            items.push(Item { part, name, account, currency, position, value, from });
        }
    }

    /// The same with what securities must be worth for the whole to be worth so much.
    fn and_securities(mut self, worth: Dec) -> Self {
        let mut rest = Total::default();
        for part in [&self.market_value, &self.cash, &self.assets, &self.liabilities] {
            rest.take_in(part);
        }
        self.market_value.add(rest.short_of(worth));
        self
    }

    /// The whole alone, where the parts are not read.
    fn row_without_parts(&self, date: NaiveDate, worth: Dec) -> NetWorthRow {
        NetWorthRow {
            net_worth: Some(worth),
            market_value: None,
            cash: None,
            assets: None,
            liabilities: None,
            ..self.row(date)
        }
    }

    fn row(&self, date: NaiveDate) -> NetWorthRow {
        let parts = [&self.market_value, &self.cash, &self.assets, &self.liabilities];
        let mut missing = self.missing.clone();
        let known = parts.map(|part| part.told(&mut missing));
        // Parts that there is nothing of make a whole known as little as parts that are unknown.
        let nothing = parts.iter().all(|part| part.is_unknown() || part.is_empty());
        let unknown = nothing && parts.iter().any(|part| part.is_unknown());
        // Without a part that is known and too large to be told the sum would be wrong.
        let is_lost = |(part, told): (&&Total, Option<Dec>)| told.is_none() && !part.is_unknown();
        let lost = parts.iter().zip(known).any(is_lost);
        let sum: Total = known.into_iter().flatten().map(Some).collect();
        let [market_value, cash, assets, liabilities] = known;
        NetWorthRow {
            date,
            net_worth: if unknown || lost { None } else { sum.told(&mut missing) },
            market_value,
            cash,
            assets,
            liabilities,
            missing: missing.into_iter().collect(),
            pending: self.pending,
        }
    }
}

/// Where something is, in words.
fn place(scene: &Scene, account: AccountId) -> String {
    match scene.account_name(account) {
        Some(name) => format!("in {name}"),
        None => "in transit".to_owned(),
    }
}

async fn add_securities(
    tx: &mut Tx,
    scene: &mut Scene,
    query: &NetWorthQuery,
    days: &[NaiveDate],
    parts: &mut [Parts],
) -> Result<()> {
    let Some(&first) = days.first() else { return Ok(()) };
    let mut unmoved = figures::unmoved_since(tx, first, scene.otherwise).await?;
    for group in tx.groups_with_pages().await? {
        let held = match unmoved.remove(&group) {
            Some(held) => vec![held; days.len()],
            None => figures::group_on(tx, &scene.market, group, days, scene.otherwise).await?,
        };
        let wanted = held
            .iter()
            .flatten()
            .filter(|held| query.account.is_none_or(|account| account == held.account));
        let securities = wanted.map(|held| held.security);
        scene.read_closes_of(tx, securities, days).await?;
        for ((day, held), parts) in days.iter().zip(&held).zip(&mut *parts) {
            for held in held {
                let wanted = query.account.is_none_or(|account| account == held.account);
                // What is known by its balance is not counted a second time by its rows.
                let row = scene.accounts.get(&held.account);
                let by_balance = row.is_some_and(|row| row.account.mode == Mode::Balances);
                if !wanted || by_balance || !scene.is_open(held.account, *day) {
                    continue;
                }
                if held.figures.overflow {
                    parts.missing.insert(Missing {
                        what: "overflow",
                        security: Some(scene.symbol(held.security)),
                        pair: None,
                        account: scene.account_name(held.account),
                        date: Some(*day),
                    });
                }
                let value = scene.value_on(held, *day);
                parts.add(Part::MarketValue, value.base, || {
                    let place = place(scene, held.account);
                    let mut from = vec![figure("quantity", Some(held.figures.quantity))];
                    from.extend(price(scene, held.security, value.price.as_ref()));
                    from.extend(rates(value.rate.as_ref()));
                    Thing {
                        name: format!("{} {place}", scene.symbol(held.security)),
                        account: held.account,
                        currency: scene.currency_of(held.security),
                        position: Some((held.clone(), value.clone())),
                        from,
                    }
                });
                parts.missing.extend(value.missing);
            }
        }
    }
    Ok(())
}

async fn add_cash(
    tx: &mut Tx,
    scene: &Scene,
    query: &NetWorthQuery,
    days: &[NaiveDate],
    parts: &mut [Parts],
) -> Result<()> {
    let mut changes = figures::cash_changes(tx).await?.into_iter().peekable();
    let transit = tx.cash_transit().await?;
    let mut cash: BTreeMap<(AccountId, Currency), Exact> = BTreeMap::new();
    for (&day, parts) in days.iter().zip(parts) {
        while let Some((_, changed)) = changes.next_if(|(changed, _)| *changed <= day) {
            for (account, currency, change) in changed {
                let sum = cash.entry((account, currency)).or_insert(Exact::ZERO);
                *sum = sum.add(&change);
            }
        }
        for ((account, currency), amount) in &cash {
            let row = scene.accounts.get(account).filter(|_| query.wants(*account));
            let Some(row) = row else { continue };
            if row.account.mode == Mode::Ledger && scene.is_open(*account, day) {
                let class = row.account.kind.class();
                add_money(scene, parts, class, false, amount, *currency, day, *account);
            }
        }
        for way in transit.iter().filter(|way| way.leaves <= day && day < way.arrives) {
            if query.account.is_none() {
                let amount = Exact::from(way.amount);
                add_money(scene, parts, Class::Cash, false, &amount, way.currency, day, TRANSIT);
            }
        }
    }
    Ok(())
}

/// Marks the days that a row counts on which is not settled yet.
async fn add_pending(
    tx: &mut Tx,
    scene: &Scene,
    query: &NetWorthQuery,
    days: &[NaiveDate],
    parts: &mut [Parts],
) -> Result<()> {
    let pending = Pending::read(tx, query.to).await?;
    for (&day, parts) in days.iter().zip(parts) {
        parts.pending = pending.days().any(|(date, account)| {
            let counts = scene.is_open(account, day) && scene.follows_rows(account);
            date <= day && counts && query.wants(account)
        });
    }
    Ok(())
}

async fn add_balances(
    tx: &mut Tx,
    scene: &Scene,
    query: &NetWorthQuery,
    days: &[NaiveDate],
    parts: &mut [Parts],
) -> Result<()> {
    let mut balances: BTreeMap<AccountId, Vec<Balance>> = BTreeMap::new();
    for balance in tx.balances().await? {
        balances.entry(balance.account).or_default().push(balance);
    }
    for (&day, parts) in days.iter().zip(parts) {
        for (account, row) in &scene.accounts {
            let by_balance = row.account.mode == Mode::Balances;
            if !by_balance || !query.wants(*account) || !scene.is_open(*account, day) {
                continue;
            }
            let known = balances.get(account).map_or(&[][..], Vec::as_slice);
            let latest = known.iter().filter(|balance| balance.date <= day);
            let class = row.account.kind.class();
            match latest.max_by_key(|balance| balance.date) {
                Some(balance) => {
                    let amount = Exact::from(balance.amount);
                    let currency = row.account.currency;
                    add_money(scene, parts, class, true, &amount, currency, day, *account);
                }
                // Nobody said what it was worth before its first balance.
                None => {
                    parts.add(Part::of(class, true), None, || Thing {
                        name: format!("the balance {}", place(scene, *account)),
                        account: *account,
                        currency: row.account.currency,
                        position: None,
                        from: Vec::new(),
                    });
                    parts.missing.insert(Missing {
                        what: "history",
                        security: None,
                        pair: None,
                        account: scene.account_name(*account),
                        date: Some(day),
                    });
                }
            }
        }
    }
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "an amount, where it is and where it goes")]
fn add_money(
    scene: &Scene,
    parts: &mut Parts,
    class: Class,
    by_balance: bool,
    amount: &Exact,
    currency: Currency,
    day: NaiveDate,
    account: AccountId,
) {
    if amount.is_zero() {
        return;
    }
    let base = scene.in_base(amount, currency, day, account);
    let base = base.map_err(|lacks| parts.missing.insert(lacks)).ok();
    parts.add(Part::of(class, by_balance), base, || {
        let what = if by_balance { "the balance" } else { currency.code() };
        let mut from = vec![figure("amount", amount.round(28).ok())];
        from.extend(rates(scene.market.rates().on(currency, scene.base, day).as_ref()));
        let name = format!("{what} {}", place(scene, account));
        Thing { name, account, currency, position: None, from }
    });
}

/// The first day that has a row or a balance.
pub(super) async fn first_day(tx: &mut Tx) -> Result<Option<NaiveDate>> {
    let row = tx.first_day().await?;
    let balance = tx.balances().await?.iter().map(|balance| balance.date).min();
    Ok(row.into_iter().chain(balance).min())
}

/// The days of a series: the last day of each period, and the last day of all.
fn days(from: NaiveDate, to: NaiveDate, every: Option<Every>) -> Vec<NaiveDate> {
    let mut days = Vec::new();
    let mut day = from;
    while let Some(every) = every {
        let Some(end) = end_of_period(day, every).filter(|end| *end < to) else { break };
        days.push(end);
        let Some(next) = end.succ_opt() else { break };
        day = next;
    }
    days.push(to);
    days
}

/// The last day of the period that a day is in.
pub(super) fn end_of_period(day: NaiveDate, every: Every) -> Option<NaiveDate> {
    let end_of_month = |month: u32| {
        NaiveDate::from_ymd_opt(day.year(), month, 1)?
            .checked_add_months(Months::new(1))?
            .pred_opt()
    };
    match every {
        Every::Day => Some(day),
        Every::Week => {
            let left = 6 - day.weekday().days_since(Weekday::Mon);
            day.checked_add_days(Days::new(u64::from(left)))
        }
        Every::Month => end_of_month(day.month()),
        Every::Quarter => end_of_month(day.month().div_ceil(3) * 3),
        Every::Year => end_of_month(12),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn series(from: &str, to: &str, every: Option<Every>) -> Vec<String> {
        days(day(from), day(to), every).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_series_has_the_last_day_of_each_period_and_the_last_day() {
        assert_eq!(series("2024-01-31", "2024-01-31", None), ["2024-01-31"]);
        assert_eq!(
            series("2024-01-15", "2024-03-10", Some(Every::Month)),
            ["2024-01-31", "2024-02-29", "2024-03-10"]
        );
        assert_eq!(
            series("2023-12-31", "2024-03-31", Some(Every::Quarter)),
            ["2023-12-31", "2024-03-31"]
        );
        assert_eq!(
            series("2023-02-01", "2024-02-01", Some(Every::Year)),
            ["2023-12-31", "2024-02-01"]
        );
        // 2024-03-03 is a Sunday.
        assert_eq!(
            series("2024-02-29", "2024-03-05", Some(Every::Week)),
            ["2024-03-03", "2024-03-05"]
        );
        assert_eq!(
            series("2024-02-28", "2024-03-01", Some(Every::Day)),
            ["2024-02-28", "2024-02-29", "2024-03-01"]
        );
        assert_eq!(series("2024-05-01", "2024-03-01", Some(Every::Day)), ["2024-03-01"]);
    }

    #[test]
    fn net_worth_is_the_sum_of_what_is_known() {
        let mut parts = Parts::default();
        parts.cash.add(Some(Dec::ONE));
        parts.market_value.add(None);
        let row = parts.row(day("2024-01-01"));
        assert_eq!(row.net_worth, Some(Dec::ONE));
        assert_eq!(row.market_value, None);
        assert_eq!(row.assets, Some(Dec::ZERO));
    }
}
