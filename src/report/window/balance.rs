//! The cash of an account after each row of a window.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::walk::Placed;
use crate::figures::{self, Names};
use crate::model::{AccountId, Currency, Dec, Exact, Mode, TransactionId};
use crate::store::{CashLine, Place, Result, Tx};

/// The cash of the account and currency of each row after it; none for a row that does not count,
/// nor where an account's balances are told and not counted.
pub(super) async fn balances(
    tx: &mut Tx,
    names: &Names,
    rows: &[Placed],
) -> Result<BTreeMap<TransactionId, Dec>> {
    let accounts = tx.accounts().await?.into_iter();
    let counted: BTreeSet<AccountId> =
        accounts.filter(|row| row.account.mode == Mode::Ledger).map(|row| row.account.id).collect();
    let mut days: BTreeMap<NaiveDate, BTreeSet<AccountId>> = BTreeMap::new();
    let mut cash: BTreeMap<(AccountId, Currency), BTreeSet<NaiveDate>> = BTreeMap::new();
    for row in rows {
        let transaction = &row.row.transaction;
        let (account, facts) = (transaction.account, &transaction.facts);
        if facts.counts() && counted.contains(&account) {
            days.entry(facts.date).or_default().insert(account);
            cash.entry((account, facts.currency)).or_default().insert(facts.date);
        }
    }
    let mut opening = BTreeMap::new();
    for ((account, currency), days) in cash {
        let before: BTreeSet<_> = days.iter().filter_map(NaiveDate::pred_opt).collect();
        for (day, sum) in figures::cash_on_days(tx, account, currency, &before).await? {
            opening.insert((account, currency, day.succ_opt()), sum);
        }
    }
    let mut after = BTreeMap::new();
    for (day, accounts) in days {
        let accounts: Vec<_> = accounts.into_iter().collect();
        for line in lines_in_order(tx, names, day, &accounts).await? {
            let key = (line.account, line.currency, Some(day));
            let Some(sum) = opening.get_mut(&key) else { continue };
            *sum = sum.add(&Exact::from(line.amount));
            if let Ok(sum) = sum.round(28) {
                after.insert(line.id, sum);
            }
        }
    }
    Ok(after)
}

/// The changes of cash of a day; where the columns cannot tell which row of a cash is first, its
/// text does.
async fn lines_in_order(
    tx: &mut Tx,
    names: &Names,
    day: NaiveDate,
    accounts: &[AccountId],
) -> Result<Vec<CashLine>> {
    let mut lines = tx.cash_lines(day, accounts).await?;
    lines.sort_by_key(one_cash);
    let equal = lines.chunk_by(|a, b| one_cash(a) == one_cash(b)).filter(|ties| ties.len() > 1);
    let ids: Vec<_> = equal.flatten().map(|line| line.id).collect();
    let tied = tx.transactions_by_id(&ids).await?.into_iter();
    let keys: BTreeMap<_, _> = tied
        .map(|row| Placed::new(names, row))
        .map(|row| (row.row.transaction.id, row.key))
        .collect();
    lines.sort_by(|a, b| {
        one_cash(a).cmp(&one_cash(b)).then_with(|| keys.get(&a.id).cmp(&keys.get(&b.id)))
    });
    Ok(lines)
}

fn one_cash(line: &CashLine) -> (AccountId, Currency, Place) {
    (line.account, line.currency, line.place)
}
