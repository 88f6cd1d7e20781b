//! The limits of a service: at most so many requests in any span of time. They hold over restarts,
//! since what was used is handed out to be kept.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

/// At most so many requests in any span of this length, wherever it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// So many.
    pub most: u32,
    /// So long.
    pub span: TimeDelta,
}

/// When requests were sent, in microseconds since the epoch, oldest first: as far back as the
/// longest limit looks.
pub type Used = Vec<i64>;

/// What was used of the limits of one connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    limits: Vec<Limit>,
    used: VecDeque<i64>,
}

impl Pace {
    /// Goes on from what was used. Instants of the future are of a clock that was wrong: each counts
    /// as if it were now.
    pub fn new(limits: &[Limit], used: &[i64], now: DateTime<Utc>) -> Self {
        let now = now.timestamp_micros();
        let mut used: Vec<i64> = used.iter().map(|at| (*at).min(now)).collect();
        used.sort_unstable();
        Self { limits: limits.to_vec(), used: used.into() }
    }

    /// The limit that is used up, and until when; none: a request is possible now.
    pub fn used_up(&self, now: DateTime<Utc>) -> Option<(Limit, DateTime<Utc>)> {
        let until = |limit: &Limit| {
            let most = usize::try_from(limit.most).unwrap_or(usize::MAX);
            // The oldest of the last so many: when it is out of the span there is room for one.
            let oldest = self.used.len().checked_sub(most).and_then(|at| self.used.get(at));
            let free = match (oldest, most) {
                (_, 0) => now + limit.span,
                (None, _) => return None,
                (Some(oldest), _) => DateTime::from_timestamp_micros(*oldest)? + limit.span,
            };
            (free > now).then_some((*limit, free))
        };
        self.limits.iter().filter_map(until).max_by_key(|(_, free)| *free)
    }

    /// One more is sent now.
    pub fn take(&mut self, now: DateTime<Utc>) {
        let longest = self.limits.iter().map(|limit| limit.span).max().unwrap_or_default();
        let first = (now - longest).timestamp_micros();
        while self.used.front().is_some_and(|at| *at <= first) {
            self.used.pop_front();
        }
        self.used.push_back(now.timestamp_micros());
    }

    pub fn used(&self) -> Used {
        self.used.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    const TWO_A_MINUTE: Limit = Limit { most: 2, span: TimeDelta::seconds(60) };
    const THREE_A_DAY: Limit = Limit { most: 3, span: TimeDelta::days(1) };

    #[test]
    fn no_span_ever_has_more() {
        let mut pace = Pace::new(&[TWO_A_MINUTE, THREE_A_DAY], &[], at(0));
        for (now, free) in [(0, None), (50, None), (59, Some(60)), (60, None)] {
            let used_up = pace.used_up(at(now)).map(|(_, until)| until);
            assert_eq!(used_up, free.map(at), "at {now}");
            if free.is_none() {
                pace.take(at(now));
            }
        }
        let (limit, until) = pace.used_up(at(200)).unwrap();
        assert_eq!((limit, until), (THREE_A_DAY, at(86_400)), "until the first is a day old");
        // The same after a restart, and with a clock that was ahead when it was written.
        let again = Pace::new(&[THREE_A_DAY], &pace.used(), at(200));
        assert_eq!(again.used_up(at(200)), Some((limit, until)));
        let ahead = Pace::new(&[THREE_A_DAY], &pace.used(), at(10));
        assert_eq!(ahead.used_up(at(10)).map(|(_, until)| until), Some(at(86_400)));
        assert_eq!(pace.used_up(at(86_400)), None);
    }

    #[test]
    fn what_is_too_old_to_count_is_forgotten() {
        let mut pace = Pace::new(&[TWO_A_MINUTE], &[], at(0));
        for second in 0..500 {
            pace.take(at(second * 30));
        }
        assert!(pace.used().len() <= 3, "{:?}", pace.used().len());
        let never = Pace::new(&[Limit { most: 0, span: TimeDelta::seconds(5) }], &[], at(0));
        assert_eq!(never.used_up(at(1)).map(|(_, until)| until), Some(at(6)));
    }
}
