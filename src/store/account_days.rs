//! The days of accounts as performance tells them, kept so that nobody has to walk through all of
//! them again. They are a copy of what rows and prices say: true of the revision that they name, and
//! up to the day that they name. Whoever writes and says nothing of them leaves them behind.

use chrono::NaiveDate;

use super::cell::Cell;
use super::record::Record;
use super::row::both_rows;
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::AccountId;

/// The days of one account; what is in them is for others to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountDays {
    /// Whose.
    pub account: AccountId,
    /// They are true up to the end of this day.
    pub through: NaiveDate,
    /// Day after day.
    pub days: Vec<u8>,
}

both_rows!(AccountDays, |row| {
    Ok(Self {
        account: AccountId(row.try_get(0)?),
        through: row.try_get(1)?,
        days: row.try_get(2)?,
    })
});

/// With the revision that they are true of.
struct OfRevision<'a>(&'a AccountDays, i64);

impl Record for OfRevision<'_> {
    const TABLE: &'static str = "account_days";
    const COLUMNS: &'static [&'static str] = &["account_id", "revision", "through", "days"];
    const CHECKSUM: bool = false;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.0.account.0)),
            Cell::Int(Some(self.1)),
            Cell::Date(Some(self.0.through)),
            Cell::Bytes(&self.0.days),
        ]);
    }
}

impl Tx {
    /// The days that are true of what is stored now, by account.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn account_days(&mut self) -> Result<Vec<AccountDays>> {
        const SQL: &str = "select account_id, through, days from account_days \
             where revision = (select revision from store_state) order by account_id";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }

    /// Up to which day they are true; none: there are none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn account_days_through(&mut self) -> Result<Option<NaiveDate>> {
        const SQL: &str = "select min(through) from account_days \
             where revision = (select revision from store_state)";
        Ok(on_tx!(self, conn => sqlx::query_scalar(SQL).fetch_one(&mut **conn).await?))
    }
}

impl WriteTx {
    /// Says that this write touches no day before `from`: what is kept of earlier days stays true.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn carry_account_days(&mut self, from: NaiveDate) -> Result<()> {
        const SQL: &str = "update account_days set revision = $1, \
             through = case when through < $2 then through else $3 end where revision = $4";
        // Days outside of four digits do not sort as text.
        let (Some(first), Some(last)) =
            (NaiveDate::from_ymd_opt(1, 1, 2), NaiveDate::from_ymd_opt(9999, 12, 31))
        else {
            return Ok(());
        };
        let from = from.min(last);
        let Some(through) = from.pred_opt().filter(|_| from >= first) else { return Ok(()) };
        let revision = self.revision;
        on_tx!(&mut self.tx, conn => {
            let query = sqlx::query(SQL).bind(revision).bind(from).bind(through);
            query.bind(revision - 1).execute(&mut **conn).await?;
        });
        Ok(())
    }

    /// Keeps days of accounts in place of all that were kept, and ends the write. It is no operation
    /// and leaves no new revision: nothing that anybody sees becomes other.
    ///
    /// # Errors
    /// When the database refuses; then nothing is written.
    pub async fn keep_account_days(mut self, days: &[AccountDays]) -> Result<()> {
        let revision = self.revision - 1;
        on_tx!(&mut self.tx, conn => {
            sqlx::query("delete from account_days").execute(&mut **conn).await?;
        });
        let rows: Vec<_> = days.iter().map(|days| OfRevision(days, revision)).collect();
        self.tx.insert(&rows).await?;
        self.commit_unmarked().await
    }
}
