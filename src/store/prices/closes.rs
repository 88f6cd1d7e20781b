//! Closes by the day, many securities and days at once. It reads by the key alone, however long
//! the histories are.

use chrono::{DateTime, NaiveDate};

use super::super::cell::D;
use super::super::row::{both_rows, damaged, word};
use super::super::{Result, Tx, on_tx};
use crate::model::{Close, Currency, SafeText, SecurityId, midnight_micros};

struct Known(SecurityId, Close);

both_rows!(Known, |row| {
    let close = Close {
        date: day_of(row.try_get(1)?)?,
        close: row.try_get::<D, _>(4)?.0,
        currency: word::<Currency>(row.try_get(3)?, "currency")?,
        source: SafeText::new(row.try_get(2)?),
        split_adjusted: row.try_get(5)?,
        intraday: false,
    };
    Ok(Self(SecurityId(row.try_get(0)?), close))
});

pub(super) fn day_of(at: i64) -> std::result::Result<NaiveDate, sqlx::Error> {
    let at = DateTime::from_timestamp_micros(at).ok_or_else(|| damaged("at", &at.to_string()))?;
    Ok(at.date_naive())
}

const COLUMNS: &str = "p.security_id, p.at, p.source, p.currency, p.close, p.split_adjusted";
const DAY_MICROS: i64 = 86_400_000_000;
/// How many are asked for in one statement: the engines take far more values, but no longer text.
const SECURITIES: usize = 200;
const DAYS: usize = 1_000;

impl Tx {
    /// What is needed to price each of these securities on each of these days: its newest daily
    /// close on or before the day, and beside it the newest of every other source that is at most
    /// `reach` days older than the day. Each once, perhaps with older ones among them, by
    /// security, date and source.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn closes_on(
        &mut self,
        days: &[NaiveDate],
        securities: &[SecurityId],
        reach: u16,
    ) -> Result<Vec<(SecurityId, Close)>> {
        let mut found: Vec<Known> = Vec::new();
        for securities in securities.chunks(SECURITIES) {
            for days in days.chunks(DAYS) {
                found.extend(self.closes_of(days, securities, reach).await?);
            }
        }
        let mut found: Vec<_> = found.into_iter().map(|Known(id, close)| (id, close)).collect();
        let place = |(id, close): &(SecurityId, Close)| (*id, close.date);
        found.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.1.source.cmp(&b.1.source)));
        found.dedup();
        Ok(found)
    }

    /// The same for one day.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn closes_latest(
        &mut self,
        securities: &[SecurityId],
        on: NaiveDate,
        reach: u16,
    ) -> Result<Vec<(SecurityId, Close)>> {
        self.closes_on(&[on], securities, reach).await
    }

    async fn closes_of(
        &mut self,
        days: &[NaiveDate],
        securities: &[SecurityId],
        reach: u16,
    ) -> Result<Vec<Known>> {
        // `l` is the time of the newest close, `n` that close, `p` itself or an older one of
        // another source. Each engine needs its own word to walk the key in this order instead of
        // reading the table: SQLite crossed joins, Postgres a fence around what it overestimates.
        const NEAR: &str = "p.security_id = l.id and p.interval = '1d' and p.at <= l.at \
             and p.at >= case when l.at < l.since then l.at else l.since end";
        let near = match self {
            Self::Sqlite(_) => "prices p".to_owned(),
            Self::Postgres(_) => {
                format!("lateral (select * from prices p where {NEAR} offset 0) p")
            }
        };
        let sql = format!(
            "with s (id) as (values {}), d (day) as (values {}), \
             l (id, since, at) as materialized ( \
                 select s.id, d.day - $1, ( \
                     select max(p.at) from prices p where p.security_id = s.id \
                     and p.interval = '1d' and p.at <= d.day) \
                 from s cross join d) \
             select {COLUMNS} from l cross join prices n cross join {near} \
             where n.security_id = l.id and n.interval = '1d' and n.at = l.at and {NEAR} \
             and (p.at = n.at and p.source = n.source or p.at < n.at and p.source <> n.source)",
            places(2, securities.len()),
            places(2 + securities.len(), days.len()),
        );
        Ok(on_tx!(self, conn => {
            let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
            query = query.bind(i64::from(reach) * DAY_MICROS);
            for security in securities {
                query = query.bind(security.0);
            }
            for day in days {
                query = query.bind(midnight_micros(*day));
            }
            query.fetch_all(&mut **conn).await?
        }))
    }

    /// The newest daily close of a security that one source told, on or before a day.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn close_by(
        &mut self,
        security: SecurityId,
        source: &SafeText,
        on: NaiveDate,
    ) -> Result<Option<Close>> {
        let sql = format!(
            "select {COLUMNS} from prices p where p.security_id = $1 and p.interval = '1d' \
             and p.source = $2 and p.at <= $3 order by p.at desc limit 1"
        );
        let row: Option<Known> = on_tx!(self, conn => {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(security.0);
            let query = query.bind(source.as_str()).bind(midnight_micros(on));
            query.fetch_optional(&mut **conn).await?
        });
        Ok(row.map(|row| row.1))
    }

    /// The first day of which one source told a close of a security.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn first_close_by(
        &mut self,
        security: SecurityId,
        source: &SafeText,
    ) -> Result<Option<NaiveDate>> {
        const SQL: &str = "select at from prices where security_id = $1 and interval = '1d' \
             and source = $2 order by at limit 1";
        let at: Option<i64> = on_tx!(self, conn => {
            let query = sqlx::query_scalar(SQL).bind(security.0).bind(source.as_str());
            query.fetch_optional(&mut **conn).await?
        });
        Ok(at.map(day_of).transpose()?)
    }

    /// All daily closes of a security from one day to another (both inclusive), by date and source.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn closes_between(
        &mut self,
        security: SecurityId,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<Close>> {
        let sql = format!(
            "select {COLUMNS} from prices p where p.security_id = $1 and p.interval = '1d' \
             and p.at between $2 and $3 order by p.at, p.source"
        );
        let rows: Vec<Known> = on_tx!(self, conn => {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(security.0);
            let query = query.bind(midnight_micros(from)).bind(midnight_micros(to));
            query.fetch_all(&mut **conn).await?
        });
        Ok(rows.into_iter().map(|row| row.1).collect())
    }
}

/// `($2), ($3), ...`: a column of values from the one numbered `first` on.
fn places(first: usize, count: usize) -> String {
    let places: Vec<_> = (first..first + count).map(|number| format!("(${number})")).collect();
    places.join(", ")
}
