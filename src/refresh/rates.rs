//! The rates of a pair are asked for from the first row on. What a source does not know it is not asked
//! for again and again: that is remembered for a week beside what was used of the limits of its
//! connection, so that a connection that is made anew asks anew.

use chrono::{DateTime, NaiveDate, TimeDelta};
use tracing::info;

use super::Result;
use super::job::{Work, missing_from};
use super::judge::Skip;
use crate::model::{SafeText, midnight_micros};
use crate::provider::{self, Class, DayClose, MarketSource, Pair};
use crate::store::quota_of;

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

/// That nothing was told of any day since one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Untold {
    /// Since this day, in microseconds since the epoch.
    since: i64,
    /// When that was asked, in microseconds since the epoch.
    asked: i64,
}

impl Untold {
    /// Whether a question for the days since one would bring nothing again.
    fn answers(self, from: NaiveDate, now: i64) -> bool {
        let ends = self.asked.saturating_add(LASTS.num_microseconds().unwrap_or(0));
        // Of a clock that was ahead nothing is believed.
        self.since <= midnight_micros(from) && self.asked <= now && now < ends
    }
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
                let known = if own.is_none() { self.untold(pair).await? } else { None };
                Ok(Asked::Untold(Skip { what: name(pair), why: why(&error, known), wrong: false }))
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
        if self.untold(pair).await?.is_some_and(|known| known.answers(from, now)) {
            return Ok(Err(provider::Error::NoData(name(pair))));
        }
        let told = source.rates(pair, from, to).await;
        if matches!(told, Err(provider::Error::NoData(_))) && to - from >= TELLING {
            info!(pair = %name(pair), %from, %to, "no rate is known there; it is not asked for a week");
            let used = [midnight_micros(from), now];
            self.bench.store.keep_used(&self.memory_of(pair), &used).await?;
        }
        Ok(told)
    }

    /// What is remembered of a pair that is not told.
    async fn untold(&self, pair: &Pair) -> Result<Option<Untold>> {
        Ok(match self.bench.store.used_of(&self.memory_of(pair)).await?[..] {
            [since, asked] => Some(Untold { since, asked }),
            _ => None,
        })
    }

    /// Under what that is remembered.
    fn memory_of(&self, pair: &Pair) -> String {
        format!("{} untold {}", quota_of(self.connection.id), name(pair))
    }

    async fn told_of_pair(&self, pair: &Pair, to: NaiveDate) -> Result<Option<DayClose>> {
        let mut tx = self.bench.store.read().await?;
        let rate = tx.rate_by(pair.base, pair.quote, &self.source(), to).await?;
        Ok(rate.and_then(|rate| pair.known(&rate)))
    }
}

/// Why there is no rate, and where it is not asked for at each time, when it is again.
fn why(error: &provider::Error, known: Option<Untold>) -> SafeText {
    let again = known.and_then(|known| DateTime::from_timestamp_micros(known.asked));
    let again = again.map(|asked| (asked + LASTS).date_naive());
    let again = again.map(|day| format!("; it is asked again from {day} on"));
    SafeText::new(&format!("{error}{}", again.unwrap_or_default()))
}

/// A pair, for people.
pub(super) fn name(pair: &Pair) -> SafeText {
    SafeText::new(&format!("{}/{}", pair.base, pair.quote))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_told_is_asked_again_after_a_week_or_for_older_days() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let at = |text: &str| midnight_micros(day(text)) + 1;
        let known = Untold { since: midnight_micros(day("2024-03-02")), asked: at("2026-01-10") };
        for (from, now, answers) in [
            ("2024-03-02", "2026-01-10", true),
            ("2025-01-01", "2026-01-16", true),
            ("2024-03-02", "2026-01-17", false),
            ("2024-03-01", "2026-01-11", false),
            ("2024-03-02", "2026-01-09", false),
        ] {
            assert_eq!(known.answers(day(from), at(now)), answers, "{from} at {now}");
        }
    }
}
