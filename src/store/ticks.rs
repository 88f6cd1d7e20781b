//! The newest price from within a day, one row per security and source.

use chrono::NaiveDate;

use super::cell::{Cell, D};
use super::record::Record;
use super::row::{both_rows, word};
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::{Currency, SafeText, SecurityId, Tick};

pub(super) struct CheckedTick(pub Tick, pub i64);

both_rows!(CheckedTick, |row| {
    Ok(Self(
        Tick {
            security: SecurityId(row.try_get(0)?),
            source: SafeText::new(row.try_get(1)?),
            at: row.try_get(2)?,
            date: row.try_get(3)?,
            currency: word::<Currency>(row.try_get(4)?, "currency")?,
            price: row.try_get::<D, _>(5)?.0,
        },
        row.try_get(6)?,
    ))
});

impl Record for Tick {
    const TABLE: &'static str = "ticks";
    const COLUMNS: &'static [&'static str] =
        &["security_id", "source", "at", "date", "currency", "price"];
    const KEYS: usize = 2;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.security.0)),
            Cell::text(&self.source),
            Cell::Int(Some(self.at)),
            Cell::Date(Some(self.date)),
            Cell::Text(Some(self.currency.code())),
            Cell::Dec(Some(self.price)),
        ]);
    }
}

impl Tx {
    /// The newest price from within this day or a later one, of each security and source.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn ticks_since(&mut self, day: NaiveDate) -> Result<Vec<Tick>> {
        const SQL: &str = "select security_id, source, at, date, currency, price, checksum \
             from ticks where date >= $1 order by security_id, source";
        let rows: Vec<CheckedTick> =
            on_tx!(self, conn => sqlx::query_as(SQL).bind(day).fetch_all(&mut **conn).await?);
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    pub(super) async fn checked_ticks(&mut self) -> Result<Vec<CheckedTick>> {
        const SQL: &str = "select security_id, source, at, date, currency, price, checksum \
             from ticks order by security_id, source";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }
}

impl WriteTx {
    /// Writes the newest prices over those before them.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_ticks(&mut self, rows: &[Tick]) -> Result<()> {
        self.remove_all(rows).await?;
        self.insert(rows).await
    }
}
