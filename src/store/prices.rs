//! Prices and rates: one row per subject, interval, time and source, written over without versions.

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

/// A further batch that brought a price which was there already.
struct PriceClaim<'a>(&'a Price, BatchId);

impl Record for PriceClaim<'_> {
    const TABLE: &'static str = "price_claims";
    const COLUMNS: &'static [&'static str] =
        &["security_id", "interval", "at", "source", "batch_id"];
    const KEYS: usize = 5;
    const CHECKSUM: bool = false;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.0.security.0)),
            Cell::Text(Some(self.0.interval.as_str())),
            Cell::Int(Some(self.0.at)),
            Cell::text(&self.0.source),
            Cell::Int(Some(self.1.0)),
        ]);
    }
}

/// A further batch that brought a rate which was there already.
struct RateClaim<'a>(&'a Rate, BatchId);

impl Record for RateClaim<'_> {
    const TABLE: &'static str = "rate_claims";
    const COLUMNS: &'static [&'static str] = &["base", "quote", "at", "source", "batch_id"];
    const KEYS: usize = 5;
    const CHECKSUM: bool = false;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Text(Some(self.0.base.code())),
            Cell::Text(Some(self.0.quote.code())),
            Cell::Int(Some(self.0.at)),
            Cell::text(&self.0.source),
            Cell::Int(Some(self.1.0)),
        ]);
    }
}

const PRICE_COLUMNS: &str = "p.security_id, p.interval, p.at, p.source, p.currency, p.open, \
    p.high, p.low, p.close, p.volume, p.quoted_in, p.split_adjusted, p.batch_id, p.fetched, \
    p.checksum";
const RATE_COLUMNS: &str =
    "r.base, r.quote, r.at, r.source, r.rate, r.batch_id, r.fetched, r.checksum";

impl Tx {
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

    /// The securities whose prices this batch brought, or brought again.
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
}

impl WriteTx {
    /// Adds prices whose keys are new.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_prices(&mut self, rows: &[PriceRecord]) -> Result<()> {
        self.insert(rows).await
    }

    /// Writes a price over the one of the same key.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn replace_price(&mut self, row: &PriceRecord) -> Result<()> {
        const CLAIMS: &str = "delete from price_claims where security_id = $1 and interval = $2 \
             and at = $3 and source = $4";
        on_tx!(&mut self.tx, conn => {
            let query = sqlx::query(CLAIMS).bind(row.price.security.0);
            let query = query.bind(row.price.interval.as_str()).bind(row.price.at);
            query.bind(row.price.source.as_str()).execute(&mut **conn).await?;
        });
        self.update(row).await
    }

    /// Adds rates whose keys are new.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_rates(&mut self, rows: &[RateRecord]) -> Result<()> {
        self.insert(rows).await
    }

    /// Writes a rate over the one of the same key.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn replace_rate(&mut self, row: &RateRecord) -> Result<()> {
        const CLAIMS: &str =
            "delete from rate_claims where base = $1 and quote = $2 and at = $3 and source = $4";
        on_tx!(&mut self.tx, conn => {
            let query = sqlx::query(CLAIMS).bind(row.rate.base.code()).bind(row.rate.quote.code());
            query.bind(row.rate.at).bind(row.rate.source.as_str()).execute(&mut **conn).await?;
        });
        self.update(row).await
    }

    /// Notes that a batch brought prices and rates which were there already.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn claim_prices(
        &mut self,
        batch: BatchId,
        prices: &[Price],
        rates: &[Rate],
    ) -> Result<()> {
        for price in prices {
            self.remove(&PriceClaim(price, batch)).await?;
        }
        let claims: Vec<_> = prices.iter().map(|price| PriceClaim(price, batch)).collect();
        self.insert(&claims).await?;
        for rate in rates {
            self.remove(&RateClaim(rate, batch)).await?;
        }
        let claims: Vec<_> = rates.iter().map(|rate| RateClaim(rate, batch)).collect();
        self.insert(&claims).await
    }

    /// Takes back what a batch says of prices and rates: a row that another batch claims too
    /// passes to that one, any other goes.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn unclaim_prices(&mut self, batch: BatchId) -> Result<()> {
        for (claims, table, keys) in [
            ("price_claims", "prices", ["security_id", "interval", "at", "source"]),
            ("rate_claims", "rates", ["base", "quote", "at", "source"]),
        ] {
            let same = keys.map(|key| format!("c.{key} = {table}.{key}")).join(" and ");
            for sql in [
                format!("delete from {claims} where batch_id = $1"),
                format!(
                    "delete from {table} where batch_id = $1 and not exists \
                     (select 1 from {claims} c where {same})"
                ),
            ] {
                on_tx!(&mut self.tx, conn => {
                    let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(batch.0);
                    query.execute(&mut **conn).await?;
                });
            }
        }
        self.pass_on_prices(batch).await
    }

    /// Gives what is left of a batch's prices and rates to the oldest batch that claims them.
    async fn pass_on_prices(&mut self, batch: BatchId) -> Result<()> {
        for mut row in self.prices_of_batch(batch).await? {
            const NEXT: &str = "select min(batch_id) from price_claims where security_id = $1 \
                 and interval = $2 and at = $3 and source = $4";
            let next: Option<i64> = on_tx!(&mut self.tx, conn => {
                let query = sqlx::query_scalar(NEXT).bind(row.price.security.0);
                let query = query.bind(row.price.interval.as_str()).bind(row.price.at);
                query.bind(row.price.source.as_str()).fetch_one(&mut **conn).await?
            });
            row.batch = next.map(BatchId);
            self.update(&row).await?;
            if let Some(next) = row.batch {
                self.remove(&PriceClaim(&row.price, next)).await?;
            }
        }
        let sql = format!("select {RATE_COLUMNS} from rates r where r.batch_id = $1");
        let rates: Vec<CheckedRate> = on_tx!(&mut self.tx, conn => {
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(batch.0).fetch_all(&mut **conn).await?
        });
        for CheckedRate(mut row, _) in rates {
            const NEXT: &str = "select min(batch_id) from rate_claims where base = $1 and \
                 quote = $2 and at = $3 and source = $4";
            let next: Option<i64> = on_tx!(&mut self.tx, conn => {
                let query = sqlx::query_scalar(NEXT).bind(row.rate.base.code());
                let query = query.bind(row.rate.quote.code()).bind(row.rate.at);
                query.bind(row.rate.source.as_str()).fetch_one(&mut **conn).await?
            });
            row.batch = next.map(BatchId);
            self.update(&row).await?;
            if let Some(next) = row.batch {
                self.remove(&RateClaim(&row.rate, next)).await?;
            }
        }
        Ok(())
    }
}
