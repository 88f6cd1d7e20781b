//! The splits of securities, each once however many accounts tell of it.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::analytics::splits::{DAYS, ToldSplit, is_same};
use crate::model::{AccountId, Ratio, SecurityId};
use crate::store::{Result, Tx};

/// Of each security that had any, in order.
pub type Splits = BTreeMap<SecurityId, Vec<ToldSplit>>;

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
fn once(rows: &[Row]) -> Vec<ToldSplit> {
    let mut splits: Vec<ToldSplit> = Vec::new();
    for &(account, day, ratio) in rows {
        let same = splits.iter_mut().find(|split| {
            let apart = day.signed_duration_since(split.day).num_days();
            apart <= DAYS && is_same(split.ratio, ratio) && !split.accounts.contains_key(&account)
        });
        match same {
            Some(split) => drop(split.accounts.insert(account, day)),
            None => {
                let accounts = BTreeMap::from([(account, day)]);
                splits.push(ToldSplit { day, ratio, accounts });
            }
        }
    }
    splits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_accounts_tell_of_one_split_and_one_account_of_two() {
        let day = |day| NaiveDate::from_ymd_opt(2024, 6, day).unwrap();
        let (two, four) = (Ratio::parse("2:1").unwrap(), Ratio::parse("4:2").unwrap());
        let row = |account, on, ratio| (AccountId(account), day(on), ratio);
        let told = |on, accounts: &[(i64, u32)]| ToldSplit {
            day: day(on),
            ratio: two,
            accounts: accounts.iter().map(|(id, on)| (AccountId(*id), day(*on))).collect(),
        };
        assert_eq!(once(&[row(1, 3, two), row(2, 4, four)]), [told(3, &[(1, 3), (2, 4)])]);
        let twice = [told(3, &[(1, 3)]), told(4, &[(1, 4)])];
        assert_eq!(once(&[row(1, 3, two), row(1, 4, two)]), twice);
        let apart = [told(3, &[(1, 3)]), told(14, &[(2, 14)])];
        assert_eq!(once(&[row(1, 3, two), row(2, 14, two)]), apart);
    }
}
