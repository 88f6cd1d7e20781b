//! The splits of securities, each once however many accounts tell of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::analytics::splits::{DAYS, is_same};
use crate::model::{AccountId, Ratio, SecurityId};
use crate::store::{Result, Tx};

/// Of each security that had any: when, and how.
pub type Splits = BTreeMap<SecurityId, Vec<(NaiveDate, Ratio)>>;

/// Every split there was.
///
/// # Errors
/// When the store cannot be read.
pub async fn splits(tx: &mut Tx) -> Result<Splits> {
    let mut splits = Splits::new();
    for (security, rows) in by_security(tx.splits().await?) {
        splits.insert(security, once(&rows));
    }
    Ok(splits)
}

type Row = (AccountId, NaiveDate, Ratio);

fn by_security(
    rows: Vec<(SecurityId, AccountId, NaiveDate, Ratio)>,
) -> BTreeMap<SecurityId, Vec<Row>> {
    let mut sorted: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (security, account, day, ratio) in rows {
        sorted.entry(security).or_default().push((account, day, ratio));
    }
    sorted
}

/// Brokers book one split days apart: the same ratio in another account soon after is the same
/// event, in the same account it is another one.
fn once(rows: &[Row]) -> Vec<(NaiveDate, Ratio)> {
    let mut events: Vec<(NaiveDate, Ratio, BTreeSet<AccountId>)> = Vec::new();
    for &(account, day, ratio) in rows {
        let same = events.iter_mut().find(|(first, known, accounts)| {
            let apart = day.signed_duration_since(*first).num_days();
            apart <= DAYS && is_same(*known, ratio) && !accounts.contains(&account)
        });
        match same {
            Some((_, _, accounts)) => drop(accounts.insert(account)),
            None => events.push((day, ratio, BTreeSet::from([account]))),
        }
    }
    events.into_iter().map(|(day, ratio, _)| (day, ratio)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_accounts_tell_of_one_split_and_one_account_of_two() {
        let day = |day| NaiveDate::from_ymd_opt(2024, 6, day).unwrap();
        let (two, four) = (Ratio::parse("2:1").unwrap(), Ratio::parse("4:2").unwrap());
        let row = |account, on, ratio| (AccountId(account), day(on), ratio);
        assert_eq!(once(&[row(1, 3, two), row(2, 4, four)]), [(day(3), two)]);
        assert_eq!(once(&[row(1, 3, two), row(1, 4, two)]), [(day(3), two), (day(4), two)]);
        assert_eq!(once(&[row(1, 3, two), row(2, 14, two)]), [(day(3), two), (day(14), two)]);
    }
}
