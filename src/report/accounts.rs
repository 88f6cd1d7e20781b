//! Accounts with their cash: today's from the tally, an earlier day's from the tally less the rows
//! that came later.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use super::Missing;
use crate::model::{
    Account, AccountId, AccountKind, Class, Currency, Dec, Exact, Mode, SafeText, SecurityId,
    Setting,
};
use crate::store::{Result, Tx};

/// Which accounts, and of when.
#[derive(Clone, Copy, Debug)]
pub struct AccountsQuery {
    /// Rows and balances on or before this day.
    pub as_of: NaiveDate,
    /// Only this one.
    pub account: Option<AccountId>,
    /// Those closed by then too.
    pub closed: bool,
}

/// Accounts with their cash.
#[derive(Clone, Debug)]
pub struct AccountsReport {
    /// The day.
    pub as_of: NaiveDate,
    /// The base currency.
    pub currency: Currency,
    /// Some value is not known.
    pub partial: bool,
    /// What would be needed.
    pub missing: Vec<Missing>,
    /// The accounts by name.
    pub rows: Vec<AccountRow>,
}

/// One account.
#[derive(Clone, Debug)]
pub struct AccountRow {
    /// Its identity.
    pub id: AccountId,
    /// Its name.
    pub name: SafeText,
    /// What it is.
    pub kind: AccountKind,
    /// Its class.
    pub class: Class,
    /// Where its value comes from.
    pub mode: Mode,
    /// The bank or broker.
    pub institution: Option<SafeText>,
    /// Its main currency.
    pub currency: Currency,
    /// Cash by currency, zero left out.
    pub cash: BTreeMap<Currency, Dec>,
    /// The value of its securities.
    pub market_value: Option<Dec>,
    /// All of it, in its currency.
    pub value: Option<Dec>,
    /// All of it, in the base currency.
    pub value_base: Option<Dec>,
    /// In balances mode, the day of the balance.
    pub as_of: Option<NaiveDate>,
    /// Older than it should be.
    pub stale: bool,
    /// Closed from this day on.
    pub closed: Option<NaiveDate>,
}

/// What an account has, of one moment.
#[derive(Default)]
struct Held {
    cash: BTreeMap<Currency, Exact>,
    securities: BTreeMap<SecurityId, i64>,
}

/// The accounts of a day.
///
/// # Errors
/// When the store cannot be read.
pub async fn accounts(tx: &mut Tx, query: &AccountsQuery) -> Result<AccountsReport> {
    let base = tx.setting(Setting::BaseCurrency).await?;
    let currency = base.and_then(|code| Currency::parse(&code).ok()).unwrap_or(Currency::USD);
    let mut held = held(tx, query.as_of).await?;
    let mut report = AccountsReport {
        as_of: query.as_of,
        currency,
        partial: false,
        missing: Vec::new(),
        rows: Vec::new(),
    };
    for record in tx.accounts().await? {
        let account = record.account;
        let wanted = query.account.is_none_or(|id| id == account.id);
        let open = query.closed || account.closed.is_none_or(|day| day > query.as_of);
        if wanted && open {
            let held = held.remove(&account.id).unwrap_or_default();
            let row = row(tx, account, &held, query, &mut report).await?;
            report.rows.push(row);
        }
    }
    report.partial = !report.missing.is_empty();
    Ok(report)
}

/// Cash and securities of every account: the tally, less the rows after the day.
async fn held(tx: &mut Tx, as_of: NaiveDate) -> Result<BTreeMap<AccountId, Held>> {
    let mut held: BTreeMap<AccountId, Held> = BTreeMap::new();
    for ((account, security, currency), tally) in tx.tally().await? {
        let Some(account) = account else { continue };
        let held = held.entry(account).or_default();
        let cash = held.cash.entry(currency).or_insert(Exact::ZERO);
        *cash = cash.add(&tally.amount);
        if let Some(security) = security {
            *held.securities.entry(security).or_default() += tally.rows;
        }
    }
    // No row is of a later year, and days of five-digit years do not sort as text.
    let next = as_of.succ_opt().filter(|day| day.year() <= 9999);
    let Some(from) = next else { return Ok(held) };
    let mut after: Option<NaiveDate> = None;
    while let Some(day) = after.map_or(Some(from), |day: NaiveDate| day.succ_opt()) {
        // A day at a time: what shares a day is read whole, however much it is.
        let rows = tx.transactions_of_next_day(day).await?;
        let Some(first) = rows.first() else { break };
        after = Some(first.transaction.facts.date);
        for row in &rows {
            let transaction = &row.transaction;
            let facts = &transaction.facts;
            let held = held.entry(transaction.account).or_default();
            if facts.counts() {
                let cash = held.cash.entry(facts.currency).or_insert(Exact::ZERO);
                *cash = cash.sub(&Exact::from(facts.amount));
            }
            if let Some(security) = transaction.security {
                *held.securities.entry(security).or_default() -= 1;
            }
        }
    }
    Ok(held)
}

async fn row(
    tx: &mut Tx,
    account: Account,
    held: &Held,
    query: &AccountsQuery,
    report: &mut AccountsReport,
) -> Result<AccountRow> {
    let mut cash = BTreeMap::new();
    let mut missing = Vec::new();
    let lacks = |what, pair: Option<String>| Missing {
        what,
        security: None,
        pair,
        account: Some(account.name.clone()),
        date: None,
    };
    for (currency, sum) in &held.cash {
        match sum.round(28) {
            Ok(sum) if sum.is_zero() => {}
            Ok(sum) => {
                cash.insert(*currency, sum);
            }
            Err(_) => missing.push(lacks("overflow", None)),
        }
    }
    let mut as_of = None;
    let mut market_value = None;
    let mut value = None;
    if account.mode == Mode::Balances {
        let balance = tx.balance_on(account.id, query.as_of).await?;
        as_of = balance.as_ref().map(|balance| balance.date);
        value = balance.map(|balance| balance.amount);
        if value.is_none() {
            let lack = lacks("history", None);
            missing.push(Missing { date: Some(query.as_of), ..lack });
        }
    } else {
        let kept: Vec<_> = held.securities.iter().filter(|(_, rows)| **rows > 0).collect();
        if !kept.is_empty() {
            missing.push(lacks("history", None));
        }
        market_value = kept.is_empty().then_some(Dec::ZERO);
        for other in cash.keys().filter(|currency| **currency != account.currency) {
            missing.push(lacks("fx", Some(format!("{other}/{}", account.currency))));
        }
        if missing.is_empty() {
            value = Some(cash.get(&account.currency).copied().unwrap_or(Dec::ZERO));
        }
    }
    let value_base = value.filter(|_| account.currency == report.currency);
    if value.is_some() && value_base.is_none() {
        let pair = format!("{}/{}", account.currency, report.currency);
        missing.push(lacks("fx", Some(pair)));
    }
    report.missing.extend(missing);
    Ok(AccountRow {
        id: account.id,
        name: account.name,
        kind: account.kind,
        class: account.kind.class(),
        mode: account.mode,
        institution: account.institution,
        currency: account.currency,
        cash,
        market_value,
        value,
        value_base,
        as_of,
        stale: false,
        closed: account.closed,
    })
}
