//! What a source does not know it is not asked for again and again: that is remembered beside what was
//! used of the limits of its connection, so that a connection that is made anew asks anew.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::Result;
use super::job::Work;
use crate::model::{ConnectionId, SafeText, midnight_micros};
use crate::provider;
use crate::store::{Tx, quota_of};

/// That nothing was told of any day since one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Untold {
    /// Since this day, in microseconds since the epoch.
    since: i64,
    /// When that was asked, in microseconds since the epoch.
    asked: i64,
}

/// What the sources of all connections did not tell.
#[derive(Clone, Debug, Default)]
pub(super) struct AllUntold(BTreeMap<String, Vec<i64>>);

impl Untold {
    fn of(kept: &[i64]) -> Option<Self> {
        match *kept {
            [since, asked] => Some(Self { since, asked }),
            _ => None,
        }
    }

    /// Whether a question for the days since one would bring nothing again, where that is believed for
    /// so long.
    pub fn answers(self, from: NaiveDate, now: i64, lasts: TimeDelta) -> bool {
        let ends = self.asked.saturating_add(lasts.num_microseconds().unwrap_or(0));
        // Of a clock that was ahead nothing is believed.
        self.since <= midnight_micros(from) && self.asked <= now && now < ends
    }

    /// Whether it was found out so short a time ago.
    pub fn is_of_the_last(self, span: TimeDelta, now: DateTime<Utc>) -> bool {
        let asked = DateTime::from_timestamp_micros(self.asked);
        asked.is_some_and(|asked| asked <= now && now - asked < span)
    }

    /// Until when it is believed.
    pub fn until(self, lasts: TimeDelta) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.asked).map(|asked| asked + lasts)
    }
}

impl AllUntold {
    pub async fn read(tx: &mut Tx) -> Result<Self> {
        Ok(Self(tx.quotas().await?))
    }

    /// What one connection did not tell of something.
    pub fn of(&self, connection: ConnectionId, what: &str) -> Option<Untold> {
        Untold::of(self.0.get(&name(connection, what))?)
    }
}

impl Work<'_> {
    /// What is remembered of something that is not told.
    pub(super) async fn untold(&self, what: &str) -> Result<Option<Untold>> {
        let kept = self.bench.store.used_of(&name(self.connection.id, what)).await?;
        Ok(Untold::of(&kept))
    }

    /// Remembers that nothing is told of any day since one.
    pub(super) async fn remember_untold(
        &self,
        what: &str,
        since: NaiveDate,
        now: i64,
    ) -> Result<()> {
        let kept = [midnight_micros(since), now];
        Ok(self.bench.store.keep_used(&name(self.connection.id, what), &kept).await?)
    }

    /// It is told by now.
    pub(super) async fn forget_untold(&self, what: &str) -> Result<()> {
        Ok(self.bench.store.keep_used(&name(self.connection.id, what), &[]).await?)
    }
}

/// Under what it is remembered.
fn name(connection: ConnectionId, what: &str) -> String {
    format!("{} untold {what}", quota_of(connection))
}

/// Why there is nothing, and where it is not asked for at each time, when it is again.
pub(super) fn why(error: &provider::Error, again: Option<DateTime<Utc>>) -> SafeText {
    let again =
        again.map(|at| format!("; it is asked again from {} UTC on", at.format("%F %H:%M")));
    SafeText::new(&format!("{error}{}", again.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_told_is_asked_again_after_a_while_or_for_older_days() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let at = |text: &str| midnight_micros(day(text)) + 1;
        let known = Untold::of(&[midnight_micros(day("2024-03-02")), at("2026-01-10")]).unwrap();
        for (from, now, answers) in [
            ("2024-03-02", "2026-01-10", true),
            ("2025-01-01", "2026-01-16", true),
            ("2024-03-02", "2026-01-17", false),
            ("2024-03-01", "2026-01-11", false),
            ("2024-03-02", "2026-01-09", false),
        ] {
            let said = known.answers(day(from), at(now), TimeDelta::days(7));
            assert_eq!(said, answers, "{from} at {now}");
        }
        let until = known.until(TimeDelta::hours(6)).unwrap().to_rfc3339();
        assert!(until.starts_with("2026-01-10T06:00"), "{until}");
    }
}
