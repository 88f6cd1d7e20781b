//! Looking at alerts once prices are new: each crossing of a bound is told once, in the log of the
//! store, whoever looks and whether or not somebody sees a screen.

use super::Result;
use crate::audit::Audit;
use crate::clock::Clock;
use crate::ledger::{self, ALERTS, AlertVerdict, Crossing};
use crate::model::AlertOf;
use crate::report::{self, AlertRow, LoggedAlert, WatchQuery};
use crate::store::{AlertLog, Store};

/// Looks at every alert, and notes what went past its bound since or came back. Gives what is told
/// now. Where nothing did, nothing is written.
///
/// # Errors
/// When the store or the trail fails.
pub async fn judge_alerts(store: &Store, audit: &Audit, clock: &Clock) -> Result<Vec<LoggedAlert>> {
    let mut tx = store.read().await?;
    if tx.alerts().await?.is_empty() {
        return Ok(Vec::new());
    }
    let today = clock.today();
    let seen = report::watch(&mut tx, &WatchQuery { as_of: today, today }).await?;
    drop(tx);
    let verdicts: Vec<_> = seen.alerts.iter().filter_map(verdict).collect();
    if verdicts.is_empty() {
        return Ok(Vec::new());
    }
    let attempt = audit.attempt(ALERTS, &detail(&verdicts)).await?;
    let now = clock.now().timestamp_micros();
    match ledger::note_alerts(store, verdicts, attempt.op(), now).await {
        Ok(told) => {
            attempt.committed(&format!("told={}", told.len())).await;
            let symbol = |security| seen.alerts.iter().find(|row| row.security == security);
            let named = |log: AlertLog| {
                symbol(log.security).map(|row| LoggedAlert { symbol: row.symbol.clone(), log })
            };
            Ok(told.into_iter().filter_map(named).collect())
        }
        Err(error) => {
            let failed = match &error {
                ledger::Error::Store(failed) => Some(failed),
                _ => None,
            };
            attempt.settle(store, failed, "storage").await;
            Err(error.into())
        }
    }
}

/// The same after a change that has been written: that alerts could not be looked at is no reason to
/// say that it was not.
pub async fn look_at_alerts(store: &Store, audit: Option<&Audit>, clock: &Clock) {
    if let Some(audit) = audit
        && let Err(error) = judge_alerts(store, audit, clock).await
    {
        tracing::warn!(%error, "alerts were not looked at");
    }
}

/// Which alerts went past their bounds, and which came back.
fn detail(verdicts: &[AlertVerdict]) -> String {
    let ids = |past: bool| {
        let all = verdicts.iter().filter(|verdict| verdict.crossed.is_some() == past);
        let all: Vec<_> = all.map(|verdict| verdict.id.to_string()).collect();
        if all.is_empty() { "none".to_owned() } else { all.join(",") }
    };
    format!("past={} back={}", ids(true), ids(false))
}

/// What has become of an alert; none: nothing new. By a price that is old nothing is.
fn verdict(row: &AlertRow) -> Option<AlertVerdict> {
    if row.silent || row.stale {
        return None;
    }
    let (seen, bound, on) = (row.seen?, row.bound?, row.seen_on?);
    // What is seen may be older than what was told: a quote from within a day serves on that day only,
    // and a price can be taken away. That brings nothing back.
    if row.crossed.is_some_and(|day| on < day) {
        return None;
    }
    // Every day has a change of its own.
    let told = match row.terms.of {
        AlertOf::Change => row.crossed == Some(on),
        _ => row.crossed.is_some(),
    };
    let crossed = match row.is_past()? {
        true if told => return None,
        true => {
            let (source, currency) = (row.source.clone(), row.currency);
            Some(Crossing { bound, seen, on, source, currency })
        }
        false if row.crossed.is_none() => return None,
        false => None,
    };
    Some(AlertVerdict { id: row.id, terms: row.terms.clone(), was: row.crossed, crossed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AlertId, AlertTerms, Dec, SafeText, SecurityId, Side};
    use chrono::NaiveDate;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2024, 1, day).unwrap()
    }

    /// An alert above 10 that sees this on a day, after it was past its bound on another.
    fn row(of: AlertOf, seen: Option<i64>, on: u32, crossed: Option<u32>) -> AlertRow {
        let bound = Dec::from_i64(10);
        let (side, note) = (Side::Above, None);
        AlertRow {
            id: AlertId(1),
            security: SecurityId(2),
            symbol: SafeText::new("X"),
            terms: AlertTerms {
                of,
                side,
                bound,
                note,
                units_of: None,
                said_in: None,
                snoozed: None,
            },
            bound: Some(bound),
            bound_today: Some(bound),
            currency: None,
            seen: seen.map(Dec::from_i64),
            seen_on: Some(day(on)),
            source: None,
            crossed: crossed.map(day),
            silent: false,
            stale: false,
        }
    }

    /// `told`, `back` or nothing new.
    fn said(row: &AlertRow) -> &'static str {
        match verdict(row) {
            Some(AlertVerdict { crossed: Some(_), .. }) => "told",
            Some(AlertVerdict { crossed: None, .. }) => "back",
            None => "",
        }
    }

    #[test]
    fn a_crossing_is_told_once_and_again_after_it_came_back() {
        use AlertOf::{Change, Price};
        for (of, seen, crossed, expected) in [
            (Price, Some(11), None, "told"),
            (Price, Some(11), Some(3), ""),
            (Price, Some(10), Some(3), "back"),
            (Price, Some(10), None, ""),
            (Price, None, Some(3), ""),
            (Price, None, None, ""),
            (Change, Some(11), Some(4), ""),
            (Change, Some(11), Some(3), "told"),
            (Change, Some(9), Some(3), "back"),
            // The price of the 5th, by which it was told, serves no more.
            (Price, Some(9), Some(5), ""),
            (Change, Some(11), Some(5), ""),
            (Change, Some(9), Some(5), ""),
        ] {
            let row = row(of, seen, 4, crossed);
            assert_eq!(said(&row), expected, "{of} {seen:?} after {crossed:?}");
        }
    }

    #[test]
    fn what_is_silent_or_sees_an_old_price_says_nothing() {
        let loud = row(AlertOf::Price, Some(11), 4, None);
        assert_eq!(said(&AlertRow { silent: true, ..loud.clone() }), "");
        assert_eq!(said(&AlertRow { stale: true, ..loud }), "");
        let told = row(AlertOf::Price, Some(9), 4, Some(3));
        assert_eq!(said(&AlertRow { stale: true, ..told }), "", "and brings nothing back");
    }
}
