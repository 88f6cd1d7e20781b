//! The clock: a wrong one gives every row and price a wrong day.

use chrono::{DateTime, Datelike, SecondsFormat, Utc};

use super::{Check, Harm, Patient};
use crate::clock::Clock;

/// No clock that goes right shows a year before this program was written.
const YEARS: std::ops::RangeInclusive<i32> = 2025..=2200;
/// Clocks of two machines that share a store may differ by so many seconds.
const SLACK: i64 = 60;

pub fn look(patient: &Patient<'_>, checks: &mut Vec<Check>) {
    checks.push(year(patient.clock.now()));
}

fn year(now: DateTime<Utc>) -> Check {
    let told = now.to_rfc3339_opts(SecondsFormat::Secs, true);
    if YEARS.contains(&now.year()) {
        return Check::ok("clock", &told);
    }
    let detail = format!("{told} cannot be now");
    Check::fail(Harm::Setup, "clock", &detail, "set the clock of this machine (timedatectl)")
}

/// Whether the clock is behind what was written last.
pub fn against(clock: &Clock, newest: Option<i64>) -> Check {
    let Some(newest) = newest.and_then(DateTime::from_timestamp_micros) else {
        return Check::ok("clock and store", "nothing was written yet");
    };
    let told = newest.to_rfc3339_opts(SecondsFormat::Secs, true);
    let behind = newest.signed_duration_since(clock.now()).num_seconds();
    if behind <= SLACK {
        return Check::ok("clock and store", &format!("the last write was at {told}"));
    }
    let detail = format!("the last write was at {told}, {behind} seconds after this clock");
    Check::warn("clock and store", &detail, "set the clock of this machine (timedatectl)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::doctor::Verdict;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_clock_of_another_age_fails() {
        assert_eq!(year(at("2026-11-21T10:00:00Z")).verdict, Verdict::Ok);
        for wrong in ["1970-01-01T00:00:10Z", "2024-12-31T23:59:59Z", "2201-01-01T00:00:00Z"] {
            assert_eq!(year(at(wrong)).verdict, Verdict::Fail(Harm::Setup), "{wrong}");
        }
    }

    #[test]
    fn a_clock_behind_the_last_write_is_told() {
        let now = at("2026-11-21T10:00:00Z");
        let clock = Clock::fixed(now, chrono_tz::UTC);
        let verdict = |seconds: i64| {
            against(&clock, Some(now.timestamp_micros() + seconds * 1_000_000)).verdict
        };
        assert_eq!(against(&clock, None).verdict, Verdict::Ok);
        assert_eq!(
            (verdict(-5), verdict(60), verdict(61)),
            (Verdict::Ok, Verdict::Ok, Verdict::Warn)
        );
    }
}
