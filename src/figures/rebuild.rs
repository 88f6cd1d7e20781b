//! Making every derived figure again from the rows, and comparing what comes out with what is kept.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::days::year;
use super::keeper::Keeper;
use crate::model::{AccountId, Currency, SecurityId};
use crate::store::{CashYear, LotPage, PositionRecord, Result, StoredTransaction, Tx, WriteTx};

/// A derived figure that is not what the rows say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// The lots of a security, or of those it is joined with, in a year.
    Lots(SecurityId, i32),
    /// The position of a security in an account.
    Position(AccountId, SecurityId),
    /// The cash of an account in a year.
    Cash(AccountId, Currency, i32),
    /// What is between two accounts.
    Transit,
    /// Counts and sums of an account, a security and a currency.
    Tally(Option<AccountId>, Option<SecurityId>, Currency),
}

/// Makes everything anew and shows every row to `see`. `groups`: also which securities belong
/// together, which otherwise stays as it is.
///
/// # Errors
/// When the store fails.
pub async fn rebuild(
    tx: &mut WriteTx,
    groups: bool,
    mut see: impl FnMut(&StoredTransaction),
) -> Result<()> {
    tx.forget_figures(groups).await?;
    let mut keeper = Keeper::from_nothing(tx).await?;
    let mut next = Some(NaiveDate::from_ymd_opt(1, 1, 1).unwrap_or_default());
    while let Some(day) = next {
        // A day at a time: what shares a day is put in order together.
        let rows = tx.transactions_of_next_day(day).await?;
        let Some(first) = rows.first() else { break };
        next = first.transaction.facts.date.succ_opt();
        for row in &rows {
            keeper.row(row, true);
            see(row);
        }
        keeper.catch_up(tx).await?;
    }
    keeper.settle(tx).await?;
    tx.figures_are_made().await
}

/// Every difference between what one and the other see.
///
/// # Errors
/// When the store cannot be read.
pub async fn compare(kept: &mut Tx, made: &mut Tx) -> Result<BTreeSet<Difference>> {
    let mut found = BTreeSet::new();
    let mut groups: BTreeSet<_> = kept.groups_with_pages().await?.into_iter().collect();
    groups.extend(made.groups_with_pages().await?);
    for group in groups {
        let a = kept.lot_pages_from(group, i32::MIN).await?;
        let b = made.lot_pages_from(group, i32::MIN).await?;
        let key = |page: &LotPage| page.half;
        found.extend(unlike(&a, &b, key).map(|half| Difference::Lots(group, year(half))));
    }
    let (a, b) = (kept.positions().await?, made.positions().await?);
    let key = |row: &PositionRecord| (row.account, row.security);
    found.extend(unlike(&a, &b, key).map(|(at, of)| Difference::Position(at, of)));
    let (a, b) = (kept.cash_years().await?, made.cash_years().await?);
    let key = |row: &CashYear| (row.account, row.currency, row.year);
    found.extend(unlike(&a, &b, key).map(|(at, of, year)| Difference::Cash(at, of, year)));
    if kept.cash_transit().await? != made.cash_transit().await? {
        found.insert(Difference::Transit);
    }
    Ok(found)
}

/// The keys of what is not the same on both sides.
fn unlike<T: PartialEq, K: Ord>(
    a: &[T],
    b: &[T],
    key: impl Fn(&T) -> K,
) -> impl Iterator<Item = K> {
    let mut rows: BTreeMap<K, (Option<&T>, Option<&T>)> = BTreeMap::new();
    for row in a {
        rows.entry(key(row)).or_default().0 = Some(row);
    }
    for row in b {
        rows.entry(key(row)).or_default().1 = Some(row);
    }
    rows.into_iter().filter(|(_, (a, b))| a != b).map(|(key, _)| key)
}
