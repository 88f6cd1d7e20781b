//! When to ask again: how long to wait, and what a service says about that.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::HeaderName;

/// No request is tried more often.
pub(super) const TRIES: u32 = 4;
const FIRST: Duration = Duration::from_millis(500);
/// The header of those who say instead when their limit begins anew.
pub(super) const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
/// Who asks for longer is asked again at this time.
const FARTHEST: TimeDelta = TimeDelta::days(1);

/// How long to wait before the next try: twice as long each time, less up to a half by chance, so
/// that many who failed at once do not come back at once.
pub(super) fn pause(tries: u32, chance: u32) -> Duration {
    let half = FIRST / 2 * 2_u32.saturating_pow(tries.saturating_sub(1).min(10));
    half + half / 1024 * (chance >> 22)
}

/// What `Retry-After` says: seconds or a date. None: it says nothing that could be meant.
pub(super) fn retry_after(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let at = match text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        // A number too large to be one is a long time too.
        true => {
            now + TimeDelta::try_seconds(text.parse().unwrap_or(i64::MAX))
                .unwrap_or(FARTHEST)
                .min(FARTHEST)
        }
        false => DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc),
    };
    Some(at.min(now + FARTHEST))
}

/// When a limit begins anew, in seconds since the epoch. None: it says nothing that could be meant.
pub(super) fn reset(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let at = DateTime::from_timestamp(text.trim().parse().ok()?, 0)?;
    // Some count from now: that is no instant of these days.
    (at > now - FARTHEST).then(|| at.min(now + FARTHEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_differ() {
        let range = |tries| (pause(tries, 0).as_millis(), pause(tries, u32::MAX).as_millis());
        assert_eq!([range(1), range(2), range(3)], [(250, 499), (500, 999), (1000, 1999)]);
        assert!(range(u32::MAX).1 < 1_000_000);
    }

    /// F32.
    #[test]
    fn retry_after_is_seconds_or_a_date_or_nothing() {
        let now: DateTime<Utc> = "2024-03-01T10:00:00Z".parse().unwrap();
        let wait = |text| retry_after(text, now).map(|at| (at - now).num_seconds());
        for (text, seconds) in [
            ("0", Some(0)),
            (" 7 ", Some(7)),
            ("1000000000", Some(86_400)),
            ("99999999999999999999999", Some(86_400)),
            ("Fri, 01 Mar 2024 10:00:30 GMT", Some(30)),
            ("Fri, 01 Mar 2024 09:59:00 GMT", Some(-60)),
            ("Thu, 01 Mar 2096 09:59:00 GMT", Some(86_400)),
            ("-5", None),
            ("soon", None),
            ("", None),
            ("1.5", None),
        ] {
            assert_eq!(wait(text), seconds, "{text}");
        }
        let anew = |text: &str| reset(text, now).map(|at| (at - now).num_seconds());
        let unix = |seconds: i64| (now.timestamp() + seconds).to_string();
        for (text, seconds) in [
            (unix(30), Some(30)),
            (unix(-2), Some(-2)),
            (unix(1_000_000), Some(86_400)),
            ("30".to_owned(), None),
            ("soon".to_owned(), None),
        ] {
            assert_eq!(anew(&text), seconds, "{text}");
        }
    }
}
