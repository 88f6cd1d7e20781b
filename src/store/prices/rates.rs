//! Rates as conversions want them: without what only the store knows of them.

use chrono::{DateTime, NaiveDate};

use super::super::cell::D;
use super::super::row::{both_rows, word};
use super::super::{Result, Tx, on_tx};
use crate::model::{Currency, Rate, SafeText, midnight_micros};

struct Known(Rate);

both_rows!(Known, |row| {
    Ok(Self(Rate {
        base: word::<Currency>(row.try_get(0)?, "base")?,
        quote: word::<Currency>(row.try_get(1)?, "quote")?,
        at: row.try_get(2)?,
        source: SafeText::new(row.try_get(3)?),
        rate: row.try_get::<D, _>(4)?.0,
    }))
});

const COLUMNS: &str = "r.base, r.quote, r.at, r.source, r.rate";

impl Tx {
    /// The rates on or before a day, by pair, time and source.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn rates_through(&mut self, through: NaiveDate) -> Result<Vec<Rate>> {
        let sql = format!(
            "select {COLUMNS} from rates r where r.at <= $1 \
             order by r.base, r.quote, r.at, r.source"
        );
        let rows: Vec<Known> = on_tx!(self, conn => {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
            query.bind(midnight_micros(through)).fetch_all(&mut **conn).await?
        });
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// The newest rate of a pair that one source told, on or before a day.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn rate_by(
        &mut self,
        base: Currency,
        quote: Currency,
        source: &SafeText,
        on: NaiveDate,
    ) -> Result<Option<Rate>> {
        let sql = format!(
            "select {COLUMNS} from rates r where r.base = $1 and r.quote = $2 \
             and r.source = $3 and r.at <= $4 order by r.at desc limit 1"
        );
        let row: Option<Known> = on_tx!(self, conn => {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(base.code());
            let query = query.bind(quote.code()).bind(source.as_str()).bind(midnight_micros(on));
            query.fetch_optional(&mut **conn).await?
        });
        Ok(row.map(|row| row.0))
    }

    /// The first day of which one source told a rate of a pair.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn first_rate_by(
        &mut self,
        base: Currency,
        quote: Currency,
        source: &SafeText,
    ) -> Result<Option<NaiveDate>> {
        let sql = format!(
            "select {COLUMNS} from rates r where r.base = $1 and r.quote = $2 \
             and r.source = $3 order by r.at limit 1"
        );
        let row: Option<Known> = on_tx!(self, conn => {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(base.code());
            let query = query.bind(quote.code()).bind(source.as_str());
            query.fetch_optional(&mut **conn).await?
        });
        let day = |at| DateTime::from_timestamp_micros(at).map(|at| at.date_naive());
        Ok(row.and_then(|row| day(row.0.at)))
    }

    /// Of every pair the rates of its last day on or before this one that has any above zero, by
    /// pair and source. It steps from pair to pair, however long their histories are.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn rates_latest(&mut self, on: NaiveDate) -> Result<Vec<Rate>> {
        // Also right where decimals are text: the text of those below zero begins before `0`.
        let sql = format!(
            "with recursive base (code) as ( \
                 select min(base) from rates \
                 union all \
                 select (select min(r.base) from rates r where r.base > b.code) \
                 from base b where b.code is not null), \
             pair (base, quote) as ( \
                 select b.code, (select min(r.quote) from rates r where r.base = b.code) \
                 from base b where b.code is not null \
                 union all \
                 select p.base, (select min(r.quote) from rates r \
                     where r.base = p.base and r.quote > p.quote) \
                 from pair p where p.quote is not null) \
             select {COLUMNS} from pair p cross join rates r \
             where r.base = p.base and r.quote = p.quote and r.at = ( \
                 select x.at from rates x where x.base = p.base and x.quote = p.quote \
                 and x.at <= $1 and x.rate > 0 order by x.at desc limit 1) \
             order by r.base, r.quote, r.source"
        );
        let rows: Vec<Known> = on_tx!(self, conn => {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
            query.bind(midnight_micros(on)).fetch_all(&mut **conn).await?
        });
        Ok(rows.into_iter().map(|row| row.0).collect())
    }
}
