//! Leaving a service to rest that failed again and again: it is not asked for a while, then once,
//! and only when that goes well as before.

use chrono::{DateTime, TimeDelta, Utc};

/// So many failures in a row open it.
const MOST: u32 = 5;
const SHORTEST: TimeDelta = TimeDelta::seconds(30);
const LONGEST: TimeDelta = TimeDelta::minutes(15);

/// How a service did lately.
#[derive(Clone, Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    /// How often it was left to rest in a row.
    rests: u32,
    until: Option<DateTime<Utc>>,
}

impl Breaker {
    /// Until when it rests; none: it may be asked.
    pub fn resting(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // A clock that was set back makes nobody wait longer than the longest rest.
        self.until.filter(|until| *until > now && *until - now <= LONGEST)
    }

    /// It answered.
    pub fn went_well(&mut self) {
        *self = Self::default();
    }

    /// It failed. After a rest one failure is enough for the next one, which is twice as long.
    pub fn failed(&mut self, now: DateTime<Utc>) {
        self.failures = self.failures.saturating_add(1);
        if self.rests > 0 || self.failures >= MOST {
            let doubled = SHORTEST * 2_i32.saturating_pow(self.rests.min(10));
            self.until = Some(now + doubled.min(LONGEST));
            self.rests = self.rests.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_tries_once_and_closes() {
        let mut now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let mut breaker = Breaker::default();
        for _ in 1..MOST {
            breaker.failed(now);
            assert_eq!(breaker.resting(now), None);
        }
        breaker.failed(now);
        let mut rests = Vec::new();
        for _ in 0..7 {
            let until = breaker.resting(now).unwrap();
            rests.push((until - now).num_seconds());
            now = until;
            assert_eq!(breaker.resting(now), None, "one more try");
            breaker.failed(now);
        }
        assert_eq!(rests, [30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(breaker.resting(now - TimeDelta::days(3)), None, "the clock was set back");
        breaker.went_well();
        breaker.failed(now);
        assert_eq!(breaker.resting(now), None, "as before");
    }
}
