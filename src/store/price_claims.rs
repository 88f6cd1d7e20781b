//! Who said which price or rate. A row of `prices` or `rates` says what was said last; beside it is
//! kept who else says the same, and what was said before, so that taking an import back brings
//! back what still holds. It knows nothing of why a price is written.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::cell::{Cell, bind_cell};
use super::prices::{PriceRecord, RateRecord};
use super::record::Record;
use super::{Error, Result, WriteTx, on_tx};
use crate::model::{BatchId, Price, Rate};

/// What stands in place of a batch for a person's hand.
const HAND: i64 = 0;

/// A row that several may have a say in. Its claims have the same key.
trait Claimed: Record {
    const CLAIMS: &'static str;
    type Value: Serialize + DeserializeOwned + PartialEq;

    fn value(&self) -> (&Self::Value, i64);
    fn batch(&self) -> Option<BatchId>;
    fn become_as(&mut self, said: Option<(Self::Value, i64)>, batch: i64);

    /// The key as a condition on `$1` to `$4`.
    fn key_condition() -> String {
        let parts = Self::COLUMNS.iter().take(Self::KEYS).enumerate();
        let parts = parts.map(|(index, column)| format!("{column} = ${}", index + 1));
        parts.collect::<Vec<_>>().join(" and ")
    }

    fn key(&self) -> Vec<Cell<'_>> {
        let mut cells = Vec::with_capacity(Self::COLUMNS.len());
        self.cells(&mut cells);
        cells.truncate(Self::KEYS);
        cells
    }
}

macro_rules! claimed {
    ($record:ty, $claims:literal, $value:ty, $field:ident) => {
        impl Claimed for $record {
            const CLAIMS: &'static str = $claims;
            type Value = $value;

            fn value(&self) -> (&$value, i64) {
                (&self.$field, self.fetched)
            }

            fn batch(&self) -> Option<BatchId> {
                self.batch
            }

            fn become_as(&mut self, said: Option<($value, i64)>, batch: i64) {
                if let Some((value, fetched)) = said {
                    self.$field = value;
                    self.fetched = fetched;
                }
                self.batch = (batch != HAND).then_some(BatchId(batch));
            }
        }
    };
}

claimed!(PriceRecord, "price_claims", Price, price);
claimed!(RateRecord, "rate_claims", Rate, rate);

/// A further batch that says of a price what the price itself says.
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

/// A further batch that says of a rate what the rate itself says.
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

impl WriteTx {
    /// Writes a price over the one of the same key, and keeps what that one said.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn replace_price(&mut self, before: &PriceRecord, row: &PriceRecord) -> Result<()> {
        self.note_price(row.price.security, row.price.at);
        self.replace(before, row).await
    }

    /// Writes a rate over the one of the same key, and keeps what that one said.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn replace_rate(&mut self, before: &RateRecord, row: &RateRecord) -> Result<()> {
        self.note_rate(row.rate.at);
        self.replace(before, row).await
    }

    /// Notes that a batch says of prices and rates what they say already.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn claim_prices(
        &mut self,
        batch: BatchId,
        prices: &[Price],
        rates: &[Rate],
    ) -> Result<()> {
        let claims: Vec<_> = prices.iter().map(|price| PriceClaim(price, batch)).collect();
        for claim in &claims {
            self.remove(claim).await?;
        }
        self.insert(&claims).await?;
        let claims: Vec<_> = rates.iter().map(|rate| RateClaim(rate, batch)).collect();
        for claim in &claims {
            self.remove(claim).await?;
        }
        self.insert(&claims).await
    }

    /// Takes back what a batch says of prices and rates: what was said last among the rest holds
    /// again; a row of which nobody else says anything goes.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn unclaim_prices(&mut self, batch: BatchId) -> Result<()> {
        self.note_batch(batch).await?;
        self.forget_claimed_by::<PriceRecord>(batch).await?;
        for row in self.prices_of_batch(batch).await? {
            self.pass_on(row).await?;
        }
        self.forget_claimed_by::<RateRecord>(batch).await?;
        for row in self.rates_of_batch(batch).await? {
            self.pass_on(row).await?;
        }
        Ok(())
    }

    async fn replace<R: Claimed>(&mut self, before: &R, row: &R) -> Result<()> {
        let (claims, key) = (R::CLAIMS, R::key_condition());
        let batch_of = |row: &R| Cell::Int(Some(row.batch().map_or(HAND, |batch| batch.0)));
        let sql = format!("delete from {claims} where {key} and batch_id = $5");
        self.on_key(sql, row, &[batch_of(row)]).await?;
        let body = match before.value().0 == row.value().0 {
            true => None,
            false => Some(to_json(&before.value())?),
        };
        let until = Cell::Int(body.as_ref().map(|_| self.next_revision()));
        let body = Cell::text(&body);
        if !body.is_null() {
            let sql = format!(
                "update {claims} set body = $5, revision = $6 where {key} and body is null"
            );
            self.on_key(sql, row, &[body, until]).await?;
        }
        if before.batch() != row.batch() {
            let columns: Vec<_> = R::COLUMNS.iter().take(R::KEYS).copied().collect();
            let sql = format!(
                "insert into {claims} ({}, batch_id, body, revision) \
                 values ($1, $2, $3, $4, $5, $6, $7)",
                columns.join(", ")
            );
            self.on_key(sql, before, &[batch_of(before), body, until]).await?;
        }
        self.update(row).await
    }

    /// Takes away the claims of a batch, and its rows that nobody else claims.
    async fn forget_claimed_by<R: Claimed>(&mut self, batch: BatchId) -> Result<()> {
        let (claims, table) = (R::CLAIMS, R::TABLE);
        let same = R::COLUMNS.iter().take(R::KEYS);
        let same: Vec<_> = same.map(|column| format!("c.{column} = {table}.{column}")).collect();
        for sql in [
            format!("delete from {claims} where batch_id = $1"),
            format!(
                "delete from {table} where batch_id = $1 and not exists \
                 (select 1 from {claims} c where {})",
                same.join(" and ")
            ),
        ] {
            on_tx!(&mut self.tx, conn => {
                let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(batch.0);
                query.execute(&mut **conn).await?;
            });
        }
        Ok(())
    }

    /// Gives a row to those who still claim it, as they say it.
    async fn pass_on<R: Claimed>(&mut self, mut row: R) -> Result<()> {
        let (claims, key) = (R::CLAIMS, R::key_condition());
        let sql = format!(
            "select batch_id, body, revision from {claims} where {key} \
             order by revision desc nulls first, batch_id limit 1"
        );
        type Heir = (i64, Option<String>, Option<i64>);
        let heir: Option<Heir> = on_tx!(&mut self.tx, conn => {
            let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
            for cell in row.key() {
                query = bind_cell!(query, cell);
            }
            query.fetch_optional(&mut **conn).await?
        });
        let Some((batch, body, until)) = heir else { return Ok(()) };
        let sql = format!("delete from {claims} where {key} and batch_id = $5");
        self.on_key(sql, &row, &[Cell::Int(Some(batch))]).await?;
        if until.is_some() {
            // Who said the same at that time says again what the row says.
            let sql = format!(
                "update {claims} set body = null, revision = null where {key} and revision = $5"
            );
            self.on_key(sql, &row, &[Cell::Int(until)]).await?;
        }
        let said = body.map(|body| from_json(&body)).transpose()?;
        row.become_as(said, batch);
        self.update(&row).await
    }

    /// Runs a statement on the key of a row and what follows it.
    async fn on_key<R: Claimed>(&mut self, sql: String, row: &R, rest: &[Cell<'_>]) -> Result<()> {
        on_tx!(&mut self.tx, conn => {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for cell in row.key().iter().chain(rest) {
                query = bind_cell!(query, *cell);
            }
            query.execute(&mut **conn).await?;
        });
        Ok(())
    }
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Damaged(error.to_string()))
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::Damaged(error.to_string()))
}
