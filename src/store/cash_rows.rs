//! The rows that name no security, as far as performance asks: what they did to the cash of their
//! account.

use chrono::NaiveDate;

use super::cell::{Cell, D, Day};
use super::row::{both_rows, word};
use super::{Result, Tx, on_tx};
use crate::model::{AccountId, Currency, Dec, Subtype, TransactionId};

/// A row that counts and names no security.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CashRow {
    /// The row.
    pub id: TransactionId,
    /// Whose.
    pub account: AccountId,
    /// The trade date.
    pub date: NaiveDate,
    /// Which event.
    pub subtype: Subtype,
    /// Of amount, fee and tax.
    pub currency: Currency,
    /// The change of the account's cash.
    pub amount: Dec,
    /// Charged; absent: 0.
    pub fee: Dec,
    /// Taken by the state; absent: 0.
    pub tax: Dec,
}

both_rows!(CashRow, |row| {
    let charge = |index: usize| -> std::result::Result<Dec, sqlx::Error> {
        Ok(row.try_get::<Option<D>, _>(index)?.map_or(Dec::ZERO, |charge| charge.0))
    };
    Ok(Self {
        id: TransactionId(row.try_get(0)?),
        account: AccountId(row.try_get(1)?),
        date: row.try_get::<Day, _>(2)?.0,
        subtype: word(row.try_get::<&str, _>(3)?, "subtype")?,
        currency: word(row.try_get::<&str, _>(4)?, "currency")?,
        amount: row.try_get::<D, _>(5)?.0,
        fee: charge(6)?,
        tax: charge(7)?,
    })
});

impl Tx {
    /// The rows of these days, both included, that count and name no security, by day.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn cash_rows(&mut self, from: NaiveDate, to: NaiveDate) -> Result<Vec<CashRow>> {
        const SQL: &str = "select id, account_id, trade_date, subtype, currency, amount, fee, tax \
             from transactions where security_id is null and deleted = false and \
             status in ('pending', 'settled') and trade_date >= $1 and trade_date <= $2 \
             order by trade_date, id";
        let days = [Cell::Date(Some(from)), Cell::Date(Some(to))];
        Ok(on_tx!(self, conn => {
            let mut query = sqlx::query_as(SQL);
            for day in days {
                query = super::cell::bind_cell!(query, day);
            }
            query.fetch_all(&mut **conn).await?
        }))
    }
}
