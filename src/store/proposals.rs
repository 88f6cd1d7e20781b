//! The rows that proposals are made from: moves that are a part of no event yet, and splits. Both
//! are read by an index that holds no others.

use chrono::NaiveDate;
use futures_util::TryStreamExt as _;

use super::cell::{Cell, D};
use super::row::{both_rows, word};
use super::transactions::StoredTransaction;
use super::{Result, Tx, on_tx};
use crate::model::{AccountId, Currency, Move, SecurityId, TransactionId};

struct Known(Move);

both_rows!(Known, |row| {
    let quantity = row.try_get::<Option<D>, _>(7)?;
    Ok(Self(Move {
        id: TransactionId(row.try_get(0)?),
        account: AccountId(row.try_get(1)?),
        date: row.try_get(2)?,
        place: (row.try_get(3)?, row.try_get(4)?),
        subtype: word(row.try_get::<&str, _>(5)?, "subtype")?,
        security: row.try_get::<Option<i64>, _>(6)?.map(SecurityId),
        quantity: quantity.map(|quantity| quantity.0),
        currency: word::<Currency>(row.try_get(8)?, "currency")?,
        amount: row.try_get::<D, _>(9)?.0,
    }))
});

impl Tx {
    /// Shows the live moves up to a day (inclusive) that have no link, by day. There may be very
    /// many.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn each_unlinked_move(
        &mut self,
        through: NaiveDate,
        mut see: impl FnMut(&Move) + Send,
    ) -> Result<()> {
        // The first two conditions are the words of an index, which stand for `Move::SUBTYPES`.
        const SQL: &str = "select id, account_id, trade_date, seq, rank, subtype, security_id, \
             quantity, currency, amount from transactions where link is null and (subtype = \
             'deposit' or subtype = 'withdrawal' or subtype = 'wire_in' or subtype = 'wire_out' or \
             subtype = 'transfer_in' or subtype = 'transfer_out' or subtype = 'internal' or subtype \
             = 'journal') and deleted = false and status in ('pending', 'settled') and trade_date \
             <= $1 order by trade_date";
        on_tx!(self, conn => {
            let mut rows = sqlx::query_as::<_, Known>(SQL).bind(through).fetch(&mut **conn);
            while let Some(Known(row)) = rows.try_next().await? {
                see(&row);
            }
        });
        Ok(())
    }

    /// The live moves of cash up to a day (inclusive) whose link no other live row carries, by day.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn moves_alone(&mut self, through: NaiveDate) -> Result<Vec<Move>> {
        const SQL: &str = "select id, account_id, trade_date, seq, rank, subtype, security_id, \
             quantity, currency, amount from transactions t where link is not null and \
             security_id is null and subtype in ('deposit', 'withdrawal', 'wire_in', 'wire_out', \
             'transfer_in', 'transfer_out', 'internal', 'fx') and deleted = false and status in \
             ('pending', 'settled') and trade_date <= $1 and not exists (select 1 from \
             transactions o where o.link = t.link and o.id <> t.id and o.deleted = false and \
             o.status in ('pending', 'settled')) order by link";
        let rows: Vec<Known> = on_tx!(self, conn => {
            sqlx::query_as(SQL).bind(through).fetch_all(&mut **conn).await?
        });
        let mut rows: Vec<_> = rows.into_iter().map(|row| row.0).collect();
        // In the order of the links only those are read: by day SQLite would look at every row.
        rows.sort_by_key(|alone| (alone.date, alone.id));
        Ok(rows)
    }

    /// The live splits from one day to another (both inclusive), by day.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn splits_between(
        &mut self,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<StoredTransaction>> {
        let condition = "t.subtype = 'split' and t.deleted = false and t.status in ('pending', \
             'settled') and t.trade_date >= $1 and t.trade_date <= $2";
        let cells = [Cell::Date(Some(from)), Cell::Date(Some(to))];
        self.transactions_where(condition, &cells, " order by t.trade_date, t.seq, t.id").await
    }
}
