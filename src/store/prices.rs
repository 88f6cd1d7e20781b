//! Prices and rates: one row per subject, interval, time and source. What others say of the same
//! is kept beside them, by `price_claims`.

mod bars;
mod closes;
mod rates;

use super::cell::{Cell, D};
use super::record::Record;
use super::row::{both_rows, safe, word};
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::{BatchId, Currency, Price, Rate, SafeText, SecurityId};

/// A price with what only the store knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRecord {
    /// The price.
    pub price: Price,
    /// The import that brought it.
    pub batch: Option<BatchId>,
    /// Microseconds since the epoch.
    pub fetched: i64,
}

/// A rate with what only the store knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateRecord {
    /// The rate.
    pub rate: Rate,
    /// The import that brought it.
    pub batch: Option<BatchId>,
    /// Microseconds since the epoch.
    pub fetched: i64,
}

pub(super) struct CheckedPrice(pub PriceRecord, pub i64);

both_rows!(CheckedPrice, |row| {
    let decimal = |index: usize| -> std::result::Result<_, sqlx::Error> {
        Ok(row.try_get::<Option<D>, _>(index)?.map(|value| value.0))
    };
    Ok(Self(
        PriceRecord {
            price: Price {
                security: SecurityId(row.try_get(0)?),
                interval: word(row.try_get(1)?, "interval")?,
                at: row.try_get(2)?,
                source: SafeText::new(row.try_get(3)?),
                currency: word::<Currency>(row.try_get(4)?, "currency")?,
                open: decimal(5)?,
                high: decimal(6)?,
                low: decimal(7)?,
                close: row.try_get::<D, _>(8)?.0,
                volume: decimal(9)?,
                quoted_in: safe(row.try_get(10)?),
                split_adjusted: row.try_get(11)?,
            },
            batch: row.try_get::<Option<i64>, _>(12)?.map(BatchId),
            fetched: row.try_get(13)?,
        },
        row.try_get(14)?,
    ))
});

impl Record for PriceRecord {
    const TABLE: &'static str = "prices";
    const COLUMNS: &'static [&'static str] = &[
        "security_id",
        "interval",
        "at",
        "source",
        "currency",
        "open",
        "high",
        "low",
        "close",
        "volume",
        "quoted_in",
        "split_adjusted",
        "batch_id",
        "fetched",
    ];
    const KEYS: usize = 4;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        let p = &self.price;
        into.extend([
            Cell::Int(Some(p.security.0)),
            Cell::Text(Some(p.interval.as_str())),
            Cell::Int(Some(p.at)),
            Cell::text(&p.source),
            Cell::Text(Some(p.currency.code())),
            Cell::Dec(p.open),
            Cell::Dec(p.high),
            Cell::Dec(p.low),
            Cell::Dec(Some(p.close)),
            Cell::Dec(p.volume),
            Cell::text(&p.quoted_in),
            Cell::Bool(p.split_adjusted),
            Cell::Int(self.batch.map(|id| id.0)),
            Cell::Int(Some(self.fetched)),
        ]);
    }
}

pub(super) struct CheckedRate(pub RateRecord, pub i64);

both_rows!(CheckedRate, |row| {
    Ok(Self(
        RateRecord {
            rate: Rate {
                base: word::<Currency>(row.try_get(0)?, "base")?,
                quote: word::<Currency>(row.try_get(1)?, "quote")?,
                at: row.try_get(2)?,
                source: SafeText::new(row.try_get(3)?),
                rate: row.try_get::<D, _>(4)?.0,
            },
            batch: row.try_get::<Option<i64>, _>(5)?.map(BatchId),
            fetched: row.try_get(6)?,
        },
        row.try_get(7)?,
    ))
});

impl Record for RateRecord {
    const TABLE: &'static str = "rates";
    const COLUMNS: &'static [&'static str] =
        &["base", "quote", "at", "source", "rate", "batch_id", "fetched"];
    const KEYS: usize = 4;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        let r = &self.rate;
        into.extend([
            Cell::Text(Some(r.base.code())),
            Cell::Text(Some(r.quote.code())),
            Cell::Int(Some(r.at)),
            Cell::text(&r.source),
            Cell::Dec(Some(r.rate)),
            Cell::Int(self.batch.map(|id| id.0)),
            Cell::Int(Some(self.fetched)),
        ]);
    }
}

const PRICE_COLUMNS: &str = "p.security_id, p.interval, p.at, p.source, p.currency, p.open, \
    p.high, p.low, p.close, p.volume, p.quoted_in, p.split_adjusted, p.batch_id, p.fetched, \
    p.checksum";
const RATE_COLUMNS: &str =
    "r.base, r.quote, r.at, r.source, r.rate, r.batch_id, r.fetched, r.checksum";

impl Tx {
    /// Whether there is any price or rate.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn has_quotes(&mut self) -> Result<bool> {
        const SQL: &str = "select (select count(*) from (select 1 from prices limit 1) p) \
             + (select count(*) from (select 1 from rates limit 1) r)";
        let found: i64 =
            on_tx!(self, conn => sqlx::query_scalar(SQL).fetch_one(&mut **conn).await?);
        Ok(found > 0)
    }

    /// The prices of a security between two instants (inclusive), by interval, time and source.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn prices(
        &mut self,
        security: SecurityId,
        from: i64,
        to: i64,
    ) -> Result<Vec<PriceRecord>> {
        let rows = self.checked_prices(security, from, to).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    pub(super) async fn checked_prices(
        &mut self,
        security: SecurityId,
        from: i64,
        to: i64,
    ) -> Result<Vec<CheckedPrice>> {
        let sql = format!(
            "select {PRICE_COLUMNS} from prices p where p.security_id = $1 and p.at between $2 \
             and $3 order by p.interval, p.at, p.source"
        );
        Ok(on_tx!(self, conn => {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(security.0);
            query.bind(from).bind(to).fetch_all(&mut **conn).await?
        }))
    }

    /// Every rate, by pair, time and source.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn rates(&mut self) -> Result<Vec<RateRecord>> {
        Ok(self.checked_rates().await?.into_iter().map(|row| row.0).collect())
    }

    pub(super) async fn checked_rates(&mut self) -> Result<Vec<CheckedRate>> {
        let sql =
            format!("select {RATE_COLUMNS} from rates r order by r.base, r.quote, r.at, r.source");
        Ok(on_tx!(self, conn => {
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(&mut **conn).await?
        }))
    }

    /// The stored rows that have the keys of these prices.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn prices_like(&mut self, prices: &[PriceRecord]) -> Result<Vec<PriceRecord>> {
        let mut found: Vec<CheckedPrice> = Vec::new();
        for part in prices.chunks(400) {
            let sql = format!(
                "select {PRICE_COLUMNS} from prices p where \
                 (p.security_id, p.interval, p.at, p.source) in ({})",
                self.list_of_marks(part.len(), 4)
            );
            on_tx!(self, conn => {
                let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
                for PriceRecord { price, .. } in part {
                    query = query.bind(price.security.0).bind(price.interval.as_str());
                    query = query.bind(price.at).bind(price.source.as_str());
                }
                found.extend(query.fetch_all(&mut **conn).await?);
            });
        }
        Ok(found.into_iter().map(|row| row.0).collect())
    }

    /// What one unit of a currency cost at an instant, in whichever currencies, by these and source.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn rates_on(&mut self, base: Currency, at: i64) -> Result<Vec<RateRecord>> {
        let sql = format!(
            "select {RATE_COLUMNS} from rates r where r.base = $1 and r.at = $2 \
             order by r.quote, r.source"
        );
        let rows: Vec<CheckedRate> = on_tx!(self, conn => {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(base.code());
            query.bind(at).fetch_all(&mut **conn).await?
        });
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// The stored rows that have the keys of these rates.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn rates_like(&mut self, rates: &[RateRecord]) -> Result<Vec<RateRecord>> {
        let mut found: Vec<CheckedRate> = Vec::new();
        for part in rates.chunks(400) {
            let sql = format!(
                "select {RATE_COLUMNS} from rates r where (r.base, r.quote, r.at, r.source) in ({})",
                self.list_of_marks(part.len(), 4)
            );
            on_tx!(self, conn => {
                let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
                for RateRecord { rate, .. } in part {
                    query = query.bind(rate.base.code()).bind(rate.quote.code());
                    query = query.bind(rate.at).bind(rate.source.as_str());
                }
                found.extend(query.fetch_all(&mut **conn).await?);
            });
        }
        Ok(found.into_iter().map(|row| row.0).collect())
    }

    /// Whether there is any price at all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn has_prices(&mut self) -> Result<bool> {
        const SQL: &str = "select count(*) from (select 1 from prices limit 1) x";
        let count: i64 =
            on_tx!(self, conn => sqlx::query_scalar(SQL).fetch_one(&mut **conn).await?);
        Ok(count > 0)
    }

    /// The prices that are as this batch said them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn prices_of_batch(&mut self, batch: BatchId) -> Result<Vec<PriceRecord>> {
        let sql = format!("select {PRICE_COLUMNS} from prices p where p.batch_id = $1");
        let rows: Vec<CheckedPrice> = on_tx!(self, conn => {
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(batch.0).fetch_all(&mut **conn).await?
        });
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// The rates that are as this batch said them.
    pub(crate) async fn rates_of_batch(&mut self, batch: BatchId) -> Result<Vec<RateRecord>> {
        let sql = format!("select {RATE_COLUMNS} from rates r where r.batch_id = $1");
        let rows: Vec<CheckedRate> = on_tx!(self, conn => {
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(batch.0).fetch_all(&mut **conn).await?
        });
        Ok(rows.into_iter().map(|row| row.0).collect())
    }
}

impl WriteTx {
    /// Adds prices whose keys are new.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_prices(&mut self, rows: &[PriceRecord]) -> Result<()> {
        for row in rows {
            self.note_price(row.price.security, row.price.at);
        }
        self.insert(rows).await
    }

    /// Takes a price away.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_price(&mut self, row: &PriceRecord) -> Result<()> {
        self.note_price(row.price.security, row.price.at);
        self.remove(row).await
    }

    /// Takes a rate away.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_rate(&mut self, row: &RateRecord) -> Result<()> {
        self.note_rate(row.rate.at);
        self.remove(row).await
    }

    /// Adds rates whose keys are new.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_rates(&mut self, rows: &[RateRecord]) -> Result<()> {
        for row in rows {
            self.note_rate(row.rate.at);
        }
        self.insert(rows).await
    }
}
