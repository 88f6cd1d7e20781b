//! How many rows there are up to each day: where a row with a number stands, without counting.

use chrono::NaiveDate;

use crate::model::AccountId;
use crate::store::{Result, Tx};

/// The rows of each day. It costs a look at every row, so that whoever asks often keeps it, as long
/// as the revision of the store is the same.
#[derive(Clone, Debug, Default)]
pub struct Ruler {
    account: Option<AccountId>,
    /// The newest day first.
    days: Vec<(NaiveDate, u64)>,
}

/// Counts the rows of each day, of all accounts or of one.
///
/// # Errors
/// When the store cannot be read.
pub async fn ruler(tx: &mut Tx, account: Option<AccountId>) -> Result<Ruler> {
    let days = tx.rows_of_days(account).await?.into_iter();
    let days = days.map(|(day, rows)| (day, u64::try_from(rows).unwrap_or(0))).collect();
    Ok(Ruler { account, days })
}

impl Ruler {
    /// Of which account it is.
    #[must_use]
    pub const fn account(&self) -> Option<AccountId> {
        self.account
    }

    /// How many rows there are, up to a day.
    #[must_use]
    pub fn total(&self, to: Option<NaiveDate>) -> u64 {
        self.up_to(to).map(|(_, rows)| rows).sum()
    }

    /// The day on which the row of this number is, counted from 1 and from the newest row on or
    /// before `to`, and how many rows of that day are before it; none: there are not so many.
    pub(super) fn find(&self, to: Option<NaiveDate>, number: u64) -> Option<(NaiveDate, u64)> {
        let mut before = number.saturating_sub(1);
        for (day, rows) in self.up_to(to) {
            if before < rows {
                return Some((day, before));
            }
            before -= rows;
        }
        None
    }

    fn up_to(&self, to: Option<NaiveDate>) -> impl Iterator<Item = (NaiveDate, u64)> {
        let days = self.days.iter().copied();
        days.skip_while(move |(day, _)| to.is_some_and(|to| *day > to))
    }
}
