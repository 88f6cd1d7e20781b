//! The rates of a pair are asked for from the first row on. What a source does not know it is asked for
//! again after a week.

use chrono::{NaiveDate, TimeDelta};
use tracing::info;

use super::Result;
use super::job::Work;
use super::judge::Skip;
use super::untold::{Untold, why};
use crate::model::SafeText;
use crate::provider::{self, Class, DayClose, MarketSource, Pair};

/// A source begins to tell a currency about once in a year.
const LASTS: TimeDelta = TimeDelta::days(7);
/// A shorter span without a rate may be one of holidays, and is asked for quickly.
const TELLING: TimeDelta = TimeDelta::days(30);

/// What became of the question for the rates of a pair.
pub(super) enum Asked {
    /// They were told.
    Rates(Vec<DayClose>),
    /// The source knows none.
    Untold(Skip),
    /// It does not answer.
    Failed(provider::Error),
}

impl Work<'_> {
    /// Asks for the rates of a pair: of the days since the last one that its source told, or since the
    /// first row that needs them.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn rates_of(
        &self,
        source: &impl MarketSource,
        pair: &Pair,
        to: NaiveDate,
        now: i64,
    ) -> Result<Asked> {
        let own = self.told_of_pair(pair, to).await?;
        let from = match (&own, pair.since) {
            // What nobody has told it itself is asked for from the first row on.
            (None, Some(since)) => since.min(to),
            _ => missing_from(own.as_ref(), pair.last.as_ref(), to),
        };
        let older = match self.older_rates(source, pair, now).await? {
            Ok(older) => older,
            Err(error) => return Ok(Asked::Failed(error)),
        };
        let asked = Pair { last: own.or(pair.last), ..pair.clone() };
        let told = match own {
            Some(_) => source.rates(&asked, from, to).await,
            None => self.never_told(source, &asked, (from, to), now).await?,
        };
        match told {
            Ok(newer) => Ok(Asked::Rates([older, newer].concat())),
            Err(error) if error.class() == Class::NextSource && older.is_empty() => {
                let known = if own.is_none() { self.untold_pair(pair).await? } else { None };
                let why = why(&error, known.and_then(|known| known.until(LASTS)));
                Ok(Asked::Untold(Skip { what: name(pair), why, wrong: false }))
            }
            Err(error) if error.class() == Class::NextSource => Ok(Asked::Rates(older)),
            Err(error) => Ok(Asked::Failed(error)),
        }
    }

    /// The rates of the days since the first row that needs them, where that is older than those that
    /// were told: it was brought in later.
    async fn older_rates(
        &self,
        source: &impl MarketSource,
        pair: &Pair,
        now: i64,
    ) -> Result<provider::Result<Vec<DayClose>>> {
        let Some(since) = pair.since else { return Ok(Ok(Vec::new())) };
        let first = {
            let mut tx = self.bench.store.read().await?;
            tx.first_rate_by(pair.base, pair.quote, &self.source()).await?
        };
        let until = first.and_then(|first| first.pred_opt()).filter(|until| since <= *until);
        let Some(until) = until else { return Ok(Ok(Vec::new())) };
        Ok(match self.never_told(source, pair, (since, until), now).await? {
            // There was none so long ago.
            Err(error) if error.class() == Class::NextSource => Ok(Vec::new()),
            told => told,
        })
    }

    /// Asks for days of which the source has told no rate yet, unless it said lately that it knows none.
    async fn never_told(
        &self,
        source: &impl MarketSource,
        pair: &Pair,
        (from, to): (NaiveDate, NaiveDate),
        now: i64,
    ) -> Result<provider::Result<Vec<DayClose>>> {
        let known = self.untold_pair(pair).await?;
        if known.is_some_and(|known| known.answers(from, now, LASTS)) {
            return Ok(Err(provider::Error::NoData(name(pair))));
        }
        let told = source.rates(pair, from, to).await;
        if matches!(told, Err(provider::Error::NoData(_))) && to - from >= TELLING {
            info!(pair = %name(pair), %from, %to, "no rate is known there; it is not asked for a week");
            self.remember_untold(name(pair).as_str(), from, now).await?;
        }
        Ok(told)
    }

    async fn untold_pair(&self, pair: &Pair) -> Result<Option<Untold>> {
        self.untold(name(pair).as_str()).await
    }

    async fn told_of_pair(&self, pair: &Pair, to: NaiveDate) -> Result<Option<DayClose>> {
        let mut tx = self.bench.store.read().await?;
        let rate = tx.rate_by(pair.base, pair.quote, &self.source(), to).await?;
        Ok(rate.and_then(|rate| pair.known(&rate)))
    }
}

/// The day to begin with: the last one that the source told itself, which may not have been over
/// then, else the one after the last that anybody told.
fn missing_from(own: Option<&DayClose>, best: Option<&DayClose>, to: NaiveDate) -> NaiveDate {
    let from = match (own, best) {
        (Some(own), _) => Some(own.date),
        (None, Some(best)) => best.date.succ_opt(),
        (None, None) => None,
    };
    from.unwrap_or(to).min(to)
}

/// A pair, for people.
pub(super) fn name(pair: &Pair) -> SafeText {
    SafeText::new(&format!("{}/{}", pair.base, pair.quote))
}
