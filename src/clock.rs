//! The only place that asks for the time, so that every figure can be tested on a chosen day.
//! It must not know what the time is used for.

use std::time::Instant;

use chrono::{DateTime, NaiveDate, NaiveTime, SubsecRound, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use tokio::sync::watch;

/// The stores keep microseconds; a finer instant would not come back as it was written.
const MICROSECONDS: u16 = 6;

/// Tells the instant and, in its time zone, the day. Cheap to clone and to hand on: all clones are
/// in one zone, and move to another one together.
#[derive(Debug, Clone)]
pub struct Clock {
    /// The zone where nobody chose one.
    home: Tz,
    zone: watch::Sender<Tz>,
    /// Where a test stopped the time.
    stopped: Option<DateTime<Utc>>,
}

impl Clock {
    /// The machine's clock, with days as they begin in `zone`.
    pub fn system(zone: Tz) -> Self {
        Self { home: zone, zone: watch::Sender::new(zone), stopped: None }
    }

    /// A clock that always tells `instant`.
    pub fn fixed(instant: DateTime<Utc>, zone: Tz) -> Self {
        Self { stopped: Some(instant), ..Self::system(zone) }
    }

    /// A clock of its own with the same time, in the zone of this name.
    #[must_use]
    pub fn in_zone(&self, name: Option<&str>) -> Self {
        let clock = Self { zone: watch::Sender::new(self.home), ..self.clone() };
        clock.move_to(name);
        clock
    }

    /// From now on days begin in the zone of this name, for all who have this clock; without a name
    /// that is known, in the zone that it began with.
    pub fn move_to(&self, name: Option<&str>) {
        let zone = name.and_then(|name| name.parse().ok());
        self.zone.send_replace(zone.unwrap_or(self.home));
    }

    pub fn zone(&self) -> Tz {
        *self.zone.borrow()
    }

    /// This instant, cut (not rounded) to microseconds.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks the machine for the time"
    )]
    pub fn now(&self) -> DateTime<Utc> {
        self.stopped.unwrap_or_else(Utc::now).trunc_subsecs(MICROSECONDS)
    }

    /// The calendar day in the clock's zone.
    pub fn today(&self) -> NaiveDate {
        self.now().with_timezone(&self.zone()).date_naive()
    }

    /// When a day begins in the clock's zone. Where its midnight is skipped that is some time later,
    /// and where the whole day is, with the next one.
    pub fn beginning_of(&self, day: NaiveDate) -> DateTime<Utc> {
        const MINUTES_OF_A_DAY: i64 = 24 * 60;
        let midnight = day.and_time(NaiveTime::MIN);
        let mut minutes = (0..=MINUTES_OF_A_DAY)
            .filter_map(|number| midnight.checked_add_signed(TimeDelta::minutes(number)));
        let begins = minutes.find_map(|time| self.zone().from_local_datetime(&time).earliest());
        begins.map_or(midnight.and_utc(), |begin| begin.to_utc())
    }

    /// For measuring spans: never goes back, whatever happens to the wall clock.
    pub fn monotonic(&self) -> Instant {
        Instant::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Timelike;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_day_is_the_zones_day() {
        // 03:30 UTC: still the day before in New York, already past noon on Kiritimati (UTC+14).
        let clock = Clock::fixed(at("2024-03-01T03:30:00Z"), Tz::UTC);
        let day = |zone: Tz| clock.in_zone(Some(zone.name())).today().to_string();
        assert_eq!(day(Tz::UTC), "2024-03-01");
        assert_eq!(day(chrono_tz::America::New_York), "2024-02-29");
        assert_eq!(day(chrono_tz::Pacific::Kiritimati), "2024-03-01");
        let late = Clock::fixed(at("2024-03-01T10:00:00Z"), chrono_tz::Pacific::Kiritimati);
        assert_eq!(late.today().to_string(), "2024-03-02");
        assert_eq!(late.zone(), chrono_tz::Pacific::Kiritimati);
    }

    /// By the zone database: Beirut goes to summer time at midnight, Cairo did on 28 April 2023, Havana
    /// comes back from it at one o'clock, so that its midnight is twice; Samoa left out a day.
    #[test]
    fn a_day_begins_when_its_first_minute_does() {
        use chrono_tz::{Africa::Cairo, America::Havana, Asia::Beirut, Pacific::Apia};
        for (zone, day, begins) in [
            (Tz::UTC, "2024-03-31", "2024-03-31T00:00:00Z"),
            (Beirut, "2024-03-31", "2024-03-30T22:00:00Z"),
            (Beirut, "2024-04-01", "2024-03-31T21:00:00Z"),
            (Cairo, "2023-04-28", "2023-04-27T22:00:00Z"),
            (Havana, "2023-11-05", "2023-11-05T04:00:00Z"),
            (Apia, "2011-12-30", "2011-12-30T10:00:00Z"),
            (Apia, "2011-12-31", "2011-12-30T10:00:00Z"),
        ] {
            let clock = Clock::fixed(at("2024-03-01T00:00:00Z"), zone);
            assert_eq!(clock.beginning_of(day.parse().unwrap()), at(begins), "{day} in {zone}");
        }
    }

    #[test]
    fn all_who_have_a_clock_move_to_another_zone_together() {
        let home = Clock::fixed(at("2024-03-01T12:30:00Z"), Tz::UTC);
        let one = home.in_zone(None);
        let other = one.clone();
        one.move_to(Some("Pacific/Kiritimati"));
        assert_eq!(other.today().to_string(), "2024-03-02");
        assert_eq!(home.zone(), Tz::UTC, "another clock");
        one.move_to(None);
        assert_eq!(other.zone(), Tz::UTC);
        one.move_to(Some("Mars/Olympus"));
        assert_eq!(other.zone(), Tz::UTC);
    }

    #[test]
    fn instants_are_cut_to_microseconds() {
        let clock = Clock::fixed(at("2024-03-01T00:00:00.123456999Z"), Tz::UTC);
        assert_eq!(clock.now(), at("2024-03-01T00:00:00.123456Z"));
        let system = Clock::system(Tz::UTC);
        assert_eq!(system.now().nanosecond() % 1000, 0);
        assert!((system.now() - system.now()).abs() < TimeDelta::minutes(1));
        assert!(system.monotonic() <= system.monotonic());
    }
}
