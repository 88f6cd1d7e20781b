//! Rows that count and are not settled yet: few, whatever the size of the store.

use chrono::NaiveDate;

use super::row::{both_rows, word};
use super::{Result, Tx, on_tx};
use crate::model::{AccountId, SecurityId, Subtype, TransactionId};

/// Such a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingRow {
    /// The row.
    pub id: TransactionId,
    /// Its day.
    pub date: NaiveDate,
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub security: Option<SecurityId>,
    /// What that becomes.
    pub to_security: Option<SecurityId>,
    /// Which event.
    pub subtype: Subtype,
}

both_rows!(PendingRow, |row| {
    Ok(Self {
        id: TransactionId(row.try_get(0)?),
        account: AccountId(row.try_get(1)?),
        security: row.try_get::<Option<i64>, _>(2)?.map(SecurityId),
        to_security: row.try_get::<Option<i64>, _>(3)?.map(SecurityId),
        subtype: word(row.try_get::<&str, _>(4)?, "subtype")?,
        date: row.try_get(5)?,
    })
});

impl PendingRow {
    /// Whether it is a row of this position; of one that is between two accounts (whose number is
    /// none) any row of the security is.
    #[must_use]
    pub fn is_of(&self, security: SecurityId, account: AccountId) -> bool {
        let names = [self.security, self.to_security].contains(&Some(security));
        names && (account == self.account || account == AccountId(0))
    }
}

impl Tx {
    /// The live rows up to a day (inclusive) that are pending.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn pending(&mut self, through: NaiveDate) -> Result<Vec<PendingRow>> {
        // The first condition is that of an index, and so is the order: by identity alone SQLite
        // would rather look at every row.
        const SQL: &str = "select id, account_id, security_id, to_security_id, subtype, trade_date \
             from transactions where status = 'pending' and deleted = false \
             and trade_date <= $1 order by trade_date, id";
        Ok(on_tx!(self, conn => {
            sqlx::query_as(SQL).bind(through).fetch_all(&mut **conn).await?
        }))
    }
}
