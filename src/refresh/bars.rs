//! The bars of a security are asked for from a year before its first row on, or of the last year where it
//! is only looked at: in one question at first, and of the days since then afterwards. What a source
//! does not know of is asked for again after some hours, days before all that it told after a week.

use chrono::{Days, NaiveDate, TimeDelta};

use super::Result;
use super::job::{Done, Work};
use super::judge::{Skip, Wrong, without_contradictions};
use super::sieve::{Sieve, Sifted};
use super::wanted::WantedSecurity;
use crate::analytics::lots::Event;
use crate::figures;
use crate::model::{Close, Interval, Kind, Price, SafeText, SecurityId, midnight_micros};
use crate::provider::{self, Class, DayBar, DayClose, MarketSource, Wanted};

/// A chart shows what went before, and what a year brought.
const LOOK_BACK: Days = Days::new(366);
/// A source may come to know of something within the day.
pub(super) const UNKNOWN_LASTS: TimeDelta = TimeDelta::hours(6);
/// Where nothing came for longer, its source may not know it any more.
const SILENT: TimeDelta = TimeDelta::days(7);
/// It seldom comes to know of the past.
const OLDER_LASTS: TimeDelta = TimeDelta::days(7);

/// The days of one question, and for how long it is believed that they have no bars.
struct Span {
    from: NaiveDate,
    to: NaiveDate,
    lasts: Option<TimeDelta>,
}

impl Work<'_> {
    /// Asks for the bars that are missing of a security up to a day, judges them and gives those that
    /// can be.
    ///
    /// # Errors
    /// The outer one when the store fails; the inner one when the service does not answer.
    pub(super) async fn bars_of(
        &self,
        source: &impl MarketSource,
        security: &WantedSecurity,
        asked: &Wanted,
        to: NaiveDate,
        done: &mut Done,
    ) -> Result<provider::Result<Vec<Price>>> {
        let today = self.bench.clock.today();
        let (first, own) = self.told_of(security, to, today).await?;
        let since = first_wanted(security.since, today).min(to);
        let mut bars = Vec::new();
        for Span { from, to: until, lasts } in
            missing(since, first.map(|it| it.date), own.as_ref(), to)
        {
            if self.is_untold(asked, from, lasts).await? {
                continue;
            }
            // Days of long ago may need a proof of what their units are.
            let paid = match lasts {
                Some(_) => self.paid(security).await?,
                None => Vec::new(),
            };
            // Days before all that is known end where that begins.
            let known = match lasts == Some(OLDER_LASTS) {
                true => first,
                false => asked.last,
            };
            let (mut is_told, mut is_restated, mut found) = (false, false, Vec::new());
            for (from, end) in security.spans(from, until) {
                let then = |known: Option<DayClose>| {
                    known.and_then(|known| security.on(from, today, known))
                };
                let (last, best) = (then(own.or(asked.last)), then(known));
                let paid = paid.iter().filter_map(|paid| security.on(from, paid.date, *paid));
                let asked = Wanted { last, paid: paid.collect(), ..asked.clone() };
                let mut told = match source.bars(&asked, from, end).await {
                    Ok(told) => told,
                    Err(provider::Error::NoData(_)) => continue,
                    Err(error) if error.class() == Class::NextSource => {
                        is_restated = true;
                        // Of days before a split that is known nothing else is to be expected.
                        if security.splits.iter().all(|split| split.day <= end) {
                            done.skipped.push(Skip::wrong(asked.symbol, &error));
                        }
                        continue;
                    }
                    Err(error) => return Ok(Err(error)),
                };
                // What was not asked for is not taken, and a day that is not over is told as that.
                told.retain(|bar| from <= bar.close.date && (bar.close.date <= end || end == to));
                is_told |= !told.is_empty();
                // In the units of that time, as what it is judged by.
                let units = |bar: &DayBar| match bar.split_adjusted {
                    true => security.on(from, today, bar.close).unwrap_or(bar.close),
                    false => bar.close,
                };
                let (name, currency) = (asked.symbol.clone(), asked.currency);
                let accepted = then(security.accepted);
                let sieve = Sieve { name, is_rate: false, currency, last: best, accepted, to };
                let Sifted { right, waiting, is_other } =
                    sieve.sift(told, units, &mut done.skipped);
                if is_other {
                    found.clear();
                }
                let newest = right.last().map(|bar| bar.close.date);
                done.doubts.closed.extend(newest.map(|day| (security.id, day)));
                match waiting {
                    Some((close, wrong)) => {
                        done.doubts.doubtful.extend(self.doubt(security.id, &close, &wrong));
                    }
                    None => done.doubts.near.extend(newest.map(|day| (security.id, day))),
                }
                let right = right_parts(sieve.name, right, done);
                found.extend(right.into_iter().map(|bar| self.bar(security.id, &bar)));
            }
            bars.extend(found);
            if is_told {
                self.note_told(asked, lasts).await?;
            } else if is_silence(lasts, is_restated, until - from) {
                let memory = memory_of(asked, lasts.unwrap_or(UNKNOWN_LASTS));
                self.remember_untold(&memory, from, self.now()).await?;
            }
        }
        Ok(Ok(bars))
    }

    /// What was not known at all is known by now.
    async fn note_told(&self, asked: &Wanted, lasts: Option<TimeDelta>) -> Result<()> {
        let memory = memory_of_bars(asked);
        if lasts.is_some() && self.untold(&memory).await?.is_some() {
            self.forget_untold(&memory).await?;
        }
        Ok(())
    }

    /// Whether a question would bring nothing again. Who asks by hand wants to know whether something
    /// is known by now.
    async fn is_untold(
        &self,
        asked: &Wanted,
        from: NaiveDate,
        lasts: Option<TimeDelta>,
    ) -> Result<bool> {
        let Some(lasts) = lasts.filter(|lasts| !self.is_asked() || *lasts > UNKNOWN_LASTS) else {
            return Ok(false);
        };
        let known = self.untold(&memory_of(asked, lasts)).await?;
        Ok(known.is_some_and(|known| known.answers(from, self.now(), lasts)))
    }

    /// The first close and the last one that the source of the connection told of a security, and not
    /// what others did.
    async fn told_of(
        &self,
        security: &WantedSecurity,
        to: NaiveDate,
        today: NaiveDate,
    ) -> Result<(Option<DayClose>, Option<DayClose>)> {
        let mut tx = self.bench.store.read().await?;
        let first = match tx.first_close_by(security.id, &self.source()).await? {
            Some(day) => tx.close_by(security.id, &self.source(), day).await?,
            None => None,
        };
        let last = tx.close_by(security.id, &self.source(), to).await?;
        let known = |close: Option<Close>| close.and_then(|close| security.known(&close, today));
        Ok((known(first), known(last)))
    }

    /// What was paid for one unit in each trade of a security.
    async fn paid(&self, security: &WantedSecurity) -> Result<Vec<DayClose>> {
        let mut tx = self.bench.store.read().await?;
        let rows = figures::rows_of(&mut tx, security.group, security.id).await?;
        let paid = |row: &Event| {
            let is_mine = row.currency == security.wanted.currency;
            let close = row.price.filter(|_| is_mine && row.subtype.kind() == Kind::Trade)?;
            Some(DayClose { date: row.date, close, currency: row.currency })
        };
        Ok(rows.iter().filter_map(paid).collect())
    }

    fn bar(&self, security: SecurityId, bar: &DayBar) -> Price {
        let DayBar { open, high, low, close, volume, split_adjusted } = *bar;
        Price {
            security,
            interval: Interval::Day,
            at: midnight_micros(close.date),
            source: self.source(),
            currency: close.currency,
            open,
            high,
            low,
            close: close.close,
            volume,
            quoted_in: None,
            split_adjusted,
        }
    }
}

/// The first day that a chart may show.
fn first_wanted(since: Option<NaiveDate>, today: NaiveDate) -> NaiveDate {
    let first = since.unwrap_or(today).min(today);
    first.checked_sub_days(LOOK_BACK).unwrap_or(first)
}

/// What is not known of the days from one to another: those before all that its source told, and those
/// since the last, which may not have been over then.
fn missing(
    since: NaiveDate,
    first: Option<NaiveDate>,
    own: Option<&DayClose>,
    to: NaiveDate,
) -> Vec<Span> {
    let Some(own) = own else {
        return vec![Span { from: since, to, lasts: Some(UNKNOWN_LASTS) }];
    };
    let before = first.and_then(|first| first.pred_opt()).filter(|before| since <= *before);
    let older = before.map(|before| Span { from: since, to: before, lasts: Some(OLDER_LASTS) });
    let newer = Span { from: own.date.min(to), to, lasts: None };
    older.into_iter().chain([newer]).collect()
}

/// Whether days without a bar say that another source is to be asked. Days of long ago may be told once a
/// split of them is among the transactions.
fn is_silence(lasts: Option<TimeDelta>, is_restated: bool, span: TimeDelta) -> bool {
    match lasts {
        None => is_restated || span > SILENT,
        Some(lasts) => !(is_restated && lasts == OLDER_LASTS),
    }
}

/// Bars without the parts that contradict each other, which is told once of all.
fn right_parts(name: SafeText, bars: Vec<DayBar>, done: &mut Done) -> Vec<DayBar> {
    let (mut count, mut first) = (0, None);
    let mut right = Vec::with_capacity(bars.len());
    for bar in bars {
        let (bar, is_wrong) = without_contradictions(bar);
        count += usize::from(is_wrong);
        first = first.or(is_wrong.then_some(bar.close.date));
        right.push(bar);
    }
    if let Some(first) = first {
        done.skipped.push(Skip::wrong(name, &Wrong::Contradicts { count, first }));
    }
    right
}

/// Under what it is remembered that there are no bars, for so long.
fn memory_of(asked: &Wanted, lasts: TimeDelta) -> String {
    match lasts == OLDER_LASTS {
        true => format!("older {}", memory_of_bars(asked)),
        false => memory_of_bars(asked),
    }
}

/// Under what it is remembered that no bars of something are told at all.
pub(super) fn memory_of_bars(asked: &Wanted) -> String {
    format!("bars of {} {}", asked.symbol, asked.currency)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Currency, Dec};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn who_is_silent_lets_the_next_one_speak() {
        let days = TimeDelta::days;
        for (lasts, is_restated, span, silence) in [
            (Some(UNKNOWN_LASTS), false, 400, true),
            (Some(UNKNOWN_LASTS), true, 400, true),
            (Some(OLDER_LASTS), false, 400, true),
            (Some(OLDER_LASTS), true, 400, false),
            (None, false, 7, false),
            (None, false, 8, true),
            (None, true, 1, true),
        ] {
            let said = is_silence(lasts, is_restated, days(span));
            assert_eq!(said, silence, "{lasts:?} {is_restated} {span}");
        }
    }

    #[test]
    fn what_is_missing_is_what_was_never_told_and_what_came_since() {
        let (since, to) = (day("2024-03-01"), day("2026-11-19"));
        let own =
            |date: &str| DayClose { date: day(date), close: Dec::ONE, currency: Currency::USD };
        let spans = |first: Option<&str>, last: Option<&str>| -> Vec<_> {
            let last = last.map(own);
            let spans = missing(since, first.map(day), last.as_ref(), to);
            spans.iter().map(|span| format!("{} {}", span.from, span.to)).collect()
        };
        assert_eq!(spans(None, None), ["2024-03-01 2026-11-19"]);
        assert_eq!(spans(Some("2024-03-01"), Some("2026-11-18")), ["2026-11-18 2026-11-19"]);
        let older = ["2024-03-01 2024-03-03", "2026-11-18 2026-11-19"];
        assert_eq!(spans(Some("2024-03-04"), Some("2026-11-18")), older);
        let today = day("2026-11-20");
        assert_eq!(first_wanted(Some(day("2024-03-01")), today), day("2023-03-01"));
        assert_eq!(first_wanted(None, today), day("2025-11-19"));
    }
}
