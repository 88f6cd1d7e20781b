//! What a write did that no count of rows shows, noted where it is done: whoever keeps derived
//! figures asks for it before the end, and no road of writing can forget to say.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{Result, WriteTx, on_tx};
use crate::model::{BatchId, SecurityId, Transaction};

/// What may change figures, besides rows that come and go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    /// The first day of a rate that came, changed or went.
    pub rates_from: Option<NaiveDate>,
    /// The same for the prices of each security.
    pub prices_from: BTreeMap<SecurityId, NaiveDate>,
    /// The days and securities of rows that were written over.
    pub rows: BTreeSet<(NaiveDate, SecurityId)>,
    /// A setting changed.
    pub settings: bool,
}

impl WriteTx {
    /// What was noted since the last time.
    pub fn take_noted(&mut self) -> Noted {
        std::mem::take(&mut self.noted)
    }

    pub(super) fn note_rate(&mut self, at: i64) {
        let day = day_of(at);
        self.noted.rates_from = Some(self.noted.rates_from.map_or(day, |from| from.min(day)));
    }

    pub(super) fn note_price(&mut self, security: SecurityId, at: i64) {
        let day = day_of(at);
        let from = self.noted.prices_from.entry(security).or_insert(day);
        *from = day.min(*from);
    }

    /// Notes everything that a batch says of prices and rates.
    pub(super) async fn note_batch(&mut self, batch: BatchId) -> Result<()> {
        const RATES: &str = "select min(at) from rates where batch_id = $1";
        const PRICES: &str = "select security_id, min(at) from prices where batch_id = $1 \
             group by security_id";
        let (rates, prices): (Option<i64>, Vec<(i64, i64)>) = on_tx!(&mut self.tx, conn => (
            sqlx::query_scalar(RATES).bind(batch.0).fetch_one(&mut **conn).await?,
            sqlx::query_as(PRICES).bind(batch.0).fetch_all(&mut **conn).await?,
        ));
        if let Some(at) = rates {
            self.note_rate(at);
        }
        for (security, at) in prices {
            self.note_price(SecurityId(security), at);
        }
        Ok(())
    }

    /// A row was written over: its place may be another, which no count shows.
    pub(super) fn note_row(&mut self, row: &Transaction) {
        for security in [row.security, row.to_security].into_iter().flatten() {
            self.noted.rows.insert((row.facts.date, security));
        }
    }

    pub(super) const fn note_setting(&mut self) {
        self.noted.settings = true;
    }
}

fn day_of(at: i64) -> NaiveDate {
    chrono::DateTime::from_timestamp_micros(at).map_or(NaiveDate::MIN, |at| at.date_naive())
}
