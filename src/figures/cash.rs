//! The cash of every account and currency on any day: a page a year, with what the years before
//! left and the change of each day.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};

use super::codec::{self, DayChange};
use super::days::ordinal;
use crate::model::{AccountId, Currency, Exact};
use crate::store::{CashYear, Result, Tx, WriteTx};

/// Changes of cash that are not in the pages yet.
pub(super) type Changes = BTreeMap<(AccountId, Currency), BTreeMap<NaiveDate, Exact>>;

/// Brings the pages up to date.
pub(super) async fn settle(tx: &mut WriteTx, changes: Changes) -> Result<()> {
    for ((account, currency), mut changes) in changes {
        changes.retain(|_, change| !change.is_zero());
        if changes.is_empty() {
            continue;
        }
        let before = tx.cash_years_from(account, currency, i32::MIN).await?;
        let mut years: BTreeMap<i32, BTreeMap<u16, Exact>> = BTreeMap::new();
        for year in &before {
            years.insert(year.year, codec::days_of(&year.days)?);
        }
        for (day, change) in changes {
            let days = years.entry(day.year()).or_default();
            let sum = days.entry(ordinal(day)).or_insert(Exact::ZERO);
            *sum = sum.add(&change);
        }
        let after = pages(account, currency, &years)?;
        let gone = before.iter().filter(|old| after.iter().all(|new| new.year != old.year));
        for year in gone {
            tx.forget_cash_year(year).await?;
        }
        let new: Vec<_> = after.into_iter().filter(|year| !before.contains(year)).collect();
        tx.put_cash_years(&new).await?;
    }
    Ok(())
}

/// Pages of the years in which anything changed.
fn pages(
    account: AccountId,
    currency: Currency,
    years: &BTreeMap<i32, BTreeMap<u16, Exact>>,
) -> Result<Vec<CashYear>> {
    let mut opening = Exact::ZERO;
    let mut pages = Vec::with_capacity(years.len());
    for (&year, days) in years {
        let changes: Vec<DayChange> = days
            .iter()
            .filter(|(_, sum)| !sum.is_zero())
            .map(|(&day, sum)| DayChange { day, sum: sum.to_string() })
            .collect();
        if changes.is_empty() {
            continue;
        }
        let days_bytes = codec::days_to(&changes)?;
        pages.push(CashYear {
            account,
            currency,
            year,
            opening: opening.clone(),
            days: days_bytes,
        });
        opening = days.values().fold(opening, |sum, change| sum.add(change));
    }
    Ok(pages)
}

/// Cash by account and currency at the end of a day; zeros left out.
///
/// # Errors
/// When the store cannot be read.
pub async fn cash_on(
    tx: &mut Tx,
    day: NaiveDate,
) -> Result<BTreeMap<(AccountId, Currency), Exact>> {
    let mut cash = BTreeMap::new();
    for year in tx.cash_years_at(day.year()).await? {
        let key = (year.account, year.currency);
        let sum = Page::read(year)?.on(day);
        if !sum.is_zero() {
            cash.insert(key, sum);
        }
    }
    Ok(cash)
}

/// The cash of one account and currency at the end of each of these days.
///
/// # Errors
/// When the store cannot be read.
pub async fn cash_on_days(
    tx: &mut Tx,
    account: AccountId,
    currency: Currency,
    days: &BTreeSet<NaiveDate>,
) -> Result<BTreeMap<NaiveDate, Exact>> {
    let mut cash = BTreeMap::new();
    let mut page: Option<(i32, Option<Page>)> = None;
    for &day in days {
        let page = match &mut page {
            Some((year, page)) if *year == day.year() => page,
            other => {
                let found = tx.cash_year_at(account, currency, day.year()).await?;
                &mut other.insert((day.year(), found.map(Page::read).transpose()?)).1
            }
        };
        cash.insert(day, page.as_ref().map_or(Exact::ZERO, |page| page.on(day)));
    }
    Ok(cash)
}

/// A page that was read.
struct Page {
    year: i32,
    opening: Exact,
    days: BTreeMap<u16, Exact>,
}

impl Page {
    fn read(year: CashYear) -> Result<Self> {
        Ok(Self { year: year.year, days: codec::days_of(&year.days)?, opening: year.opening })
    }

    /// What there is at the end of a day that is not before this year.
    fn on(&self, day: NaiveDate) -> Exact {
        let until = if self.year == day.year() { ordinal(day) } else { u16::MAX };
        self.days.range(..=until).fold(self.opening.clone(), |sum, (_, change)| sum.add(change))
    }
}

/// Every change of cash there ever was, by day: to walk through time once.
///
/// # Errors
/// When the store cannot be read.
pub async fn cash_changes(
    tx: &mut Tx,
) -> Result<BTreeMap<NaiveDate, Vec<(AccountId, Currency, Exact)>>> {
    let mut changes: BTreeMap<NaiveDate, Vec<_>> = BTreeMap::new();
    for year in tx.cash_years().await? {
        for (day, change) in codec::days_of(&year.days)? {
            if let Some(day) = NaiveDate::from_yo_opt(year.year, u32::from(day)) {
                changes.entry(day).or_default().push((year.account, year.currency, change));
            }
        }
    }
    Ok(changes)
}

/// How long a row may be pending.
const PENDING_DAYS: Days = Days::new(60);

/// The cash of an account at the end of a day, without what is not final: that is in no balance of a
/// provider yet.
///
/// # Errors
/// When the store cannot be read, or its figures are damaged.
pub async fn settled_cash(
    tx: &mut Tx,
    account: AccountId,
    currency: Currency,
    day: NaiveDate,
) -> Result<Exact> {
    let cash = cash_on_days(tx, account, currency, &BTreeSet::from([day])).await?;
    let first = day.checked_sub_days(PENDING_DAYS).unwrap_or(day);
    let rows = tx.pending_in(account, first, day).await?;
    let rows = rows.iter().map(|row| &row.transaction);
    let pending = rows.filter(|row| row.facts.currency == currency);
    let cash = cash.into_values().next().unwrap_or(Exact::ZERO);
    Ok(pending.fold(cash, |sum, row| sum.sub(&Exact::from(row.facts.amount))))
}
