//! The rows that name no security, as far as performance asks: what they did to the cash of their
//! account.

use chrono::NaiveDate;
use futures_util::TryStreamExt as _;

use super::cell::Day;
use super::row::{both_rows, damaged, word};
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

/// The rows of a day. To hand over each value of each of them would cost more than to read it.
struct OfDay {
    date: NaiveDate,
    rows: String,
}

both_rows!(OfDay, |row| Ok(Self { date: row.try_get::<Day, _>(0)?.0, rows: row.try_get(1)? }));

impl OfDay {
    fn each(&self, see: &mut impl FnMut(CashRow)) -> std::result::Result<(), sqlx::Error> {
        for row in self.rows.split(';') {
            let damaged = || damaged("a row of a day", row);
            let mut words = row.split(' ');
            let mut next = || words.next().ok_or_else(damaged);
            let dec = |text: &str| Dec::parse(text).map_err(|_| damaged());
            see(CashRow {
                id: TransactionId(next()?.parse().map_err(|_| damaged())?),
                account: AccountId(next()?.parse().map_err(|_| damaged())?),
                date: self.date,
                subtype: word(next()?, "subtype")?,
                currency: word(next()?, "currency")?,
                amount: dec(next()?)?,
                fee: dec(next()?)?,
                tax: dec(next()?)?,
            });
        }
        Ok(())
    }
}

impl Tx {
    /// Shows the rows of these days, both included, that count and name no security, by day.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn each_cash_row(
        &mut self,
        from: NaiveDate,
        to: NaiveDate,
        mut see: impl FnMut(CashRow) + Send,
    ) -> Result<()> {
        const SQL: &str = "select trade_date, string_agg(concat_ws(' ', id, account_id, subtype, \
             currency, amount, coalesce(fee, 0), coalesce(tax, 0)), ';') from transactions where \
             security_id is null and deleted = false and status in ('pending', 'settled') and \
             trade_date >= $1 and trade_date <= $2 group by trade_date order by trade_date";
        on_tx!(self, conn => {
            let mut days = sqlx::query_as::<_, OfDay>(SQL).bind(from).bind(to).fetch(&mut **conn);
            while let Some(day) = days.try_next().await? {
                day.each(&mut see)?;
            }
        });
        Ok(())
    }
}
