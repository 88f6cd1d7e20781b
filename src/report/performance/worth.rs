//! Net worth on many days from the days of accounts that are kept.

use chrono::NaiveDate;

use crate::figures::{self, AccountCourse};
use crate::model::{Account, AccountId, Dec, Exact, Mode};
use crate::report::{NetWorthQuery, Result};
use crate::store::Tx;

/// Net worth has so many decimals.
const PLACES: u32 = 12;

/// Net worth at the end of those of these days, which are in order, that are kept of everything
/// that it counts; none: it must be computed from the rows.
pub(in crate::report) async fn worth_on(
    tx: &mut Tx,
    query: &NetWorthQuery,
    days: &[NaiveDate],
) -> Result<Option<Vec<Dec>>> {
    let kept = figures::kept_days(tx).await?.filter(|kept| kept.through < query.today);
    let (Some(kept), Some(&first), None) = (kept, days.first(), query.currency) else {
        return Ok(None);
    };
    let days: Vec<_> = days.iter().copied().filter(|day| *day <= kept.through).collect();
    if days.is_empty() {
        return Ok(None);
    }
    let mut unseen: Vec<Account> =
        tx.accounts().await?.into_iter().map(|row| row.account).collect();
    unseen.retain(|account| query.wants(account.id));
    let mut sums = vec![Exact::ZERO; days.len()];
    for of_account in kept.accounts.iter().filter(|kept| query.wants(kept.account)) {
        // One after the other, since all days of one are much already.
        let course = AccountCourse::of(of_account)?;
        let account = unseen.iter().position(|account| account.id == of_account.account);
        let account = account.map(|place| unseen.swap_remove(place));
        let begins = !course.days.is_empty() && course.first <= first;
        // Nobody said what it was worth before its first balance.
        if account.is_some_and(|account| account.mode == Mode::Balances && !begins) {
            return Ok(None);
        }
        let is_wanted = |other: AccountId| query.account.is_none() && query.wants(other);
        if !add(&course, &days, is_wanted, &mut sums) {
            return Ok(None);
        }
    }
    if unseen.iter().any(|account| account.mode == Mode::Balances) {
        return Ok(None);
    }
    Ok(sums.iter().map(|sum| sum.round(PLACES).ok()).collect())
}

/// Adds the values of an account, and of what is on its way between it and others. False: some of
/// them are not known.
fn add(
    course: &AccountCourse,
    days: &[NaiveDate],
    is_wanted: impl Fn(AccountId) -> bool,
    sums: &mut [Exact],
) -> bool {
    if course.odd.is_some_and(|odd| days.last().is_some_and(|last| odd <= *last)) {
        return false;
    }
    for (day, sum) in days.iter().zip(&mut *sums) {
        let Some((value, _)) = course.day(*day).and_then(|day| day.value.as_ref()) else {
            return false;
        };
        *sum = sum.add(value);
    }
    for beyond in course.beyond.iter().filter(|beyond| is_wanted(beyond.other)) {
        let place = days.binary_search(&beyond.date).ok();
        let Some(sum) = place.and_then(|place| sums.get_mut(place)) else { continue };
        let Some((value, _)) = &beyond.day.value else { return false };
        *sum = sum.add(value);
    }
    true
}
