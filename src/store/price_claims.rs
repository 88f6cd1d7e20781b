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
    const CLAIM_COLUMNS: &'static [&'static str];
    type Value: Serialize + DeserializeOwned + PartialEq;

    fn value(&self) -> (&Self::Value, i64);
    fn batch(&self) -> Option<BatchId>;
    fn become_as(&mut self, said: Option<(Self::Value, i64)>, batch: i64);
    /// The key of a value, as cells.
    fn key_of(value: &Self::Value) -> [Cell<'_>; 4];

    /// The key as a condition on `$1` to `$4`.
    fn key_condition() -> String {
        let parts = Self::COLUMNS.iter().take(Self::KEYS).enumerate();
        let parts = parts.map(|(index, column)| format!("{column} = ${}", index + 1));
        parts.collect::<Vec<_>>().join(" and ")
    }
}

macro_rules! claimed {
    ($record:ty, $claims:literal, $value:ty, $field:ident, $columns:expr, $key:expr) => {
        impl Claimed for $record {
            const CLAIMS: &'static str = $claims;
            const CLAIM_COLUMNS: &'static [&'static str] = &$columns;
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

            fn key_of(value: &$value) -> [Cell<'_>; 4] {
                let key: fn(&$value) -> [Cell<'_>; 4] = $key;
                key(value)
            }
        }
    };
}

claimed!(
    PriceRecord,
    "price_claims",
    Price,
    price,
    ["security_id", "interval", "at", "source", "batch_id", "revision", "body"],
    |price| [
        Cell::Int(Some(price.security.0)),
        Cell::Text(Some(price.interval.as_str())),
        Cell::Int(Some(price.at)),
        Cell::text(&price.source),
    ]
);
claimed!(
    RateRecord,
    "rate_claims",
    Rate,
    rate,
    ["base", "quote", "at", "source", "batch_id", "revision", "body"],
    |rate| [
        Cell::Text(Some(rate.base.code())),
        Cell::Text(Some(rate.quote.code())),
        Cell::Int(Some(rate.at)),
        Cell::text(&rate.source),
    ]
);

/// What a batch says of a price or rate: what that says itself, or what it said until a revision.
struct Said<'a, R: Claimed> {
    of: &'a R::Value,
    batch: i64,
    revision: Option<i64>,
    body: Option<String>,
}

impl<R: Claimed> Said<'_, R> {
    const fn same(of: &R::Value, batch: i64) -> Said<'_, R> {
        Said { of, batch, revision: None, body: None }
    }
}

impl<R: Claimed> Record for Said<'_, R> {
    const TABLE: &'static str = R::CLAIMS;
    const COLUMNS: &'static [&'static str] = R::CLAIM_COLUMNS;
    const KEYS: usize = 5;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend(R::key_of(self.of));
        into.extend([
            Cell::Int(Some(self.batch)),
            Cell::Int(self.revision),
            Cell::text(&self.body),
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
        self.claim::<PriceRecord>(batch, prices).await?;
        self.claim::<RateRecord>(batch, rates).await
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

    async fn claim<R: Claimed>(&mut self, batch: BatchId, values: &[R::Value]) -> Result<()> {
        let claims: Vec<_> = values.iter().map(|value| Said::<R>::same(value, batch.0)).collect();
        for claim in &claims {
            self.remove(claim).await?;
        }
        self.insert(&claims).await
    }

    async fn replace<R: Claimed>(&mut self, before: &R, row: &R) -> Result<()> {
        let batch_of = |row: &R| row.batch().map_or(HAND, |batch| batch.0);
        let of = before.value().0;
        self.remove(&Said::<R>::same(row.value().0, batch_of(row))).await?;
        let body = match of == row.value().0 {
            true => None,
            false => Some(to_json(&before.value())?),
        };
        let revision = body.as_ref().map(|_| self.next_revision());
        if body.is_some() {
            for batch in self.batches_that_say(before, "body is null", &[]).await? {
                self.update(&Said::<R> { of, batch, revision, body: body.clone() }).await?;
            }
        }
        if before.batch() != row.batch() {
            self.insert(&[Said::<R> { of, batch: batch_of(before), revision, body }]).await?;
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
            for cell in R::key_of(row.value().0) {
                query = bind_cell!(query, cell);
            }
            query.fetch_optional(&mut **conn).await?
        });
        let Some((batch, body, until)) = heir else { return Ok(()) };
        self.remove(&Said::<R>::same(row.value().0, batch)).await?;
        if until.is_some() {
            // Who said the same at that time says again what the row says.
            for batch in self.batches_that_say(&row, "revision = $5", &[Cell::Int(until)]).await? {
                self.update(&Said::<R>::same(row.value().0, batch)).await?;
            }
        }
        let said = body.map(|body| from_json(&body)).transpose()?;
        row.become_as(said, batch);
        self.update(&row).await
    }

    /// Those of whom a claim on a row is that sort of claim.
    async fn batches_that_say<R: Claimed>(
        &mut self,
        row: &R,
        condition: &str,
        rest: &[Cell<'_>],
    ) -> Result<Vec<i64>> {
        let (claims, key) = (R::CLAIMS, R::key_condition());
        let sql = format!("select batch_id from {claims} where {key} and {condition} order by 1");
        Ok(on_tx!(&mut self.tx, conn => {
            let mut query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
            for cell in R::key_of(row.value().0).iter().chain(rest) {
                query = bind_cell!(query, *cell);
            }
            query.fetch_all(&mut **conn).await?
        }))
    }
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Damaged(error.to_string()))
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::Damaged(error.to_string()))
}
