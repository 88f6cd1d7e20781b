//! Daily bars of one security, as a chart wants them: without what only the store knows of them.

use chrono::NaiveDate;

use super::super::cell::D;
use super::super::row::{both_rows, word};
use super::super::{Result, Tx, on_tx};
use super::closes::day_of;
use crate::model::{Bar, Currency, SafeText, SecurityId, SourceBar, midnight_micros};

struct Known(SourceBar);

both_rows!(Known, |row| {
    let decimal = |index: usize| -> std::result::Result<_, sqlx::Error> {
        Ok(row.try_get::<Option<D>, _>(index)?.map(|value| value.0))
    };
    let bar = Bar {
        date: day_of(row.try_get(0)?)?,
        open: decimal(4)?,
        high: decimal(5)?,
        low: decimal(6)?,
        close: row.try_get::<D, _>(7)?.0,
        volume: decimal(8)?,
    };
    Ok(Self(SourceBar {
        bar,
        source: SafeText::new(row.try_get(1)?),
        currency: word::<Currency>(row.try_get(2)?, "currency")?,
        split_adjusted: row.try_get(3)?,
    }))
});

impl Tx {
    /// The daily bars of a security from one day to another (both inclusive), by date and source.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn daily_bars(
        &mut self,
        security: SecurityId,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<SourceBar>> {
        const SQL: &str = "select at, source, currency, split_adjusted, open, high, low, close, \
             volume from prices where security_id = $1 and interval = '1d' \
             and at between $2 and $3 order by at, source";
        let rows: Vec<Known> = on_tx!(self, conn => {
            let query = sqlx::query_as(SQL).bind(security.0);
            let query = query.bind(midnight_micros(from)).bind(midnight_micros(to));
            query.fetch_all(&mut **conn).await?
        });
        Ok(rows.into_iter().map(|row| row.0).collect())
    }
}
