//! What is due and why, from when it was fetched last and how often it should be. Pure: it asks
//! neither the clock nor the store.

use chrono::TimeDelta;

use crate::model::{Connection, ConnectionId, ConnectionState, Part};
use crate::store::RefreshRecord;

/// How often each part is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// Prices from within the day.
    pub quotes: TimeDelta,
    /// Accounts and their rows.
    pub accounts: TimeDelta,
}

/// What somebody wants refreshed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Of these connections; empty: of all.
    pub connections: Vec<ConnectionId>,
    /// Of these parts; none: all.
    pub only: Option<Only>,
    /// Whether it is due or not.
    pub force: bool,
}

/// One half of what there is to refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    /// Prices and rates.
    Quotes,
    /// Accounts and their rows.
    Accounts,
}

/// A moment and the day around it, in microseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Now.
    pub now: i64,
    /// When a day began last, here or in UTC.
    pub midnight: i64,
    /// When one begins next, here or in UTC.
    pub tomorrow: i64,
}

/// Why something is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Somebody wants it now.
    Asked,
    /// It never was.
    First,
    /// It is time.
    Elapsed,
    /// Another day began.
    NewDay,
    /// It failed, and the pause is over.
    Retry,
}

impl Why {
    /// As it is written into the trail.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::First => "first",
            Self::Elapsed => "elapsed",
            Self::NewDay => "new_day",
            Self::Retry => "retry",
        }
    }
}

/// One thing to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// From whom.
    pub connection: ConnectionId,
    /// What.
    pub part: Part,
    /// Why.
    pub why: Why,
}

/// What is due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In this order: what others rest on comes first.
    pub jobs: Vec<Job>,
    /// When something will be due that is not yet; none: never, unless somebody asks.
    pub next: Option<i64>,
}

/// The parts in the order in which they are fetched.
const PARTS: [Part; 3] = [Part::History, Part::Accounts, Part::Quotes];

/// Plans. `can` says how seldom a part of a connection need be fetched, and nothing where its provider
/// has no such part.
pub fn plan(
    connections: &[Connection],
    refreshes: &[RefreshRecord],
    can: impl Fn(&Connection, Part) -> Option<TimeDelta>,
    wish: &Wish,
    cadence: Cadence,
    moment: Moment,
) -> Plan {
    let mut plan = Plan::default();
    for part in PARTS.into_iter().filter(|part| wish.wants(*part)) {
        let mine = connections.iter().filter(|connection| {
            connection.state == ConnectionState::Active
                && (wish.connections.is_empty() || wish.connections.contains(&connection.id))
        });
        for connection in mine {
            let Some(seldom) = can(connection, part) else { continue };
            let last =
                refreshes.iter().find(|last| last.connection == connection.id && last.part == part);
            match due(part, last, wish.force, cadence.at_least(seldom), moment) {
                Due::Now(why) => plan.jobs.push(Job { connection: connection.id, part, why }),
                Due::At(at) => plan.next = Some(plan.next.map_or(at, |next| next.min(at))),
            }
        }
    }
    plan
}

enum Due {
    Now(Why),
    At(i64),
}

fn due(
    part: Part,
    last: Option<&RefreshRecord>,
    force: bool,
    cadence: Cadence,
    moment: Moment,
) -> Due {
    if force {
        return Due::Now(Why::Asked);
    }
    let Some(last) = last else { return Due::Now(Why::First) };
    let every = |span: TimeDelta| span.num_microseconds().unwrap_or(i64::MAX);
    if let Some(at) = last.next_attempt.filter(|_| last.failures > 0) {
        // A clock that was set back must not hold up what would be long due.
        let far = moment.now.saturating_add(LONGEST_WAIT.num_microseconds().unwrap_or(0));
        return if at <= moment.now || at > far { Due::Now(Why::Retry) } else { Due::At(at) };
    }
    let (why, at) = match part {
        Part::History if last.attempted < moment.midnight => (Why::NewDay, moment.midnight),
        Part::History => (Why::NewDay, moment.tomorrow),
        Part::Quotes => (Why::Elapsed, last.attempted.saturating_add(every(cadence.quotes))),
        Part::Accounts => (Why::Elapsed, last.attempted.saturating_add(every(cadence.accounts))),
    };
    let clock_went_back = last.attempted > moment.now;
    if at <= moment.now || clock_went_back { Due::Now(why) } else { Due::At(at) }
}

/// However often it failed, it is tried again after this.
pub const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(1);
/// No service is left alone for longer: a limit of a day is free again within one.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(25);
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(15);

/// How long to leave alone what failed so many times in a row.
#[must_use]
pub fn pause(failures: i64) -> TimeDelta {
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    FIRST_PAUSE.checked_mul(1 << doublings).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE)
}

impl Cadence {
    /// The same, but no part more often than that.
    fn at_least(self, seldom: TimeDelta) -> Self {
        Self { quotes: self.quotes.max(seldom), accounts: self.accounts.max(seldom) }
    }
}

impl Wish {
    fn wants(&self, part: Part) -> bool {
        match self.only {
            None => true,
            Some(Only::Quotes) => part != Part::Accounts,
            Some(Only::Accounts) => part == Part::Accounts,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::SafeText;

    const SECOND: i64 = 1_000_000;
    const DAY: i64 = 86_400 * SECOND;
    const NOW: Moment = Moment { now: 10 * DAY + 5, midnight: 10 * DAY, tomorrow: 11 * DAY };
    const CADENCE: Cadence =
        Cadence { quotes: TimeDelta::seconds(60), accounts: TimeDelta::seconds(900) };

    fn connection(id: i64, state: ConnectionState) -> Connection {
        let word = SafeText::new("simulated");
        Connection {
            id: ConnectionId(id),
            provider: word.clone(),
            label: word,
            state,
            since: 0,
            consent_expires: None,
            detail: None,
        }
    }

    fn last(part: Part, attempted: i64) -> RefreshRecord {
        RefreshRecord {
            connection: ConnectionId(1),
            part,
            attempted,
            succeeded: Some(attempted),
            failures: 0,
            why: None,
            next_attempt: None,
        }
    }

    fn planned(refreshes: &[RefreshRecord], wish: &Wish, moment: Moment) -> Plan {
        let active = [connection(1, ConnectionState::Active)];
        plan(&active, refreshes, |_, _| Some(TimeDelta::zero()), wish, CADENCE, moment)
    }

    fn told(plan: &Plan) -> Vec<(Part, Why)> {
        plan.jobs.iter().map(|job| (job.part, job.why)).collect()
    }

    #[test]
    fn what_never_was_fetched_is_due_in_the_order_in_which_it_is_needed() {
        let plan = planned(&[], &Wish::default(), NOW);
        let first = PARTS.map(|part| (part, Why::First));
        assert_eq!((told(&plan), plan.next), (first.to_vec(), None));
    }

    #[test]
    fn each_part_has_its_rhythm() {
        let just = PARTS.map(|part| last(part, NOW.now));
        let plan = planned(&just, &Wish::default(), NOW);
        assert_eq!((told(&plan), plan.next), (vec![], Some(NOW.now + 60 * SECOND)));
        let ago = |seconds: i64| PARTS.map(|part| last(part, NOW.now - seconds * SECOND));
        let plan = planned(&ago(60), &Wish::default(), NOW);
        // The midnight was five microseconds ago.
        let due = vec![(Part::History, Why::NewDay), (Part::Quotes, Why::Elapsed)];
        assert_eq!((told(&plan), plan.next), (due, Some(NOW.now + 840 * SECOND)));
        assert_eq!(told(&planned(&ago(900), &Wish::default(), NOW)).len(), 3);
    }

    #[test]
    fn what_renews_seldom_is_asked_seldom() {
        let wish = |force| Wish { only: Some(Only::Accounts), force, ..Wish::default() };
        let hours = |_: &Connection, _| Some(TimeDelta::hours(6));
        let active = [connection(1, ConnectionState::Active)];
        let ago = |seconds: i64, force| {
            let last = [last(Part::Accounts, NOW.now - seconds * SECOND)];
            plan(&active, &last, hours, &wish(force), CADENCE, NOW).jobs.len()
        };
        assert_eq!([ago(6 * 3600 - 1, false), ago(6 * 3600, false), ago(1, true)], [0, 1, 1]);
    }

    /// F32: a limit that is free tomorrow is not asked for again and again until then.
    #[test]
    fn who_is_limited_for_a_day_waits_for_a_day() {
        let limited = |at| RefreshRecord {
            failures: 1,
            next_attempt: Some(at),
            ..last(Part::Accounts, NOW.now - SECOND)
        };
        let wish = Wish { only: Some(Only::Accounts), ..Wish::default() };
        let plan = planned(&[limited(NOW.now + DAY)], &wish, NOW);
        assert_eq!((told(&plan), plan.next), (vec![], Some(NOW.now + DAY)));
    }

    #[test]
    fn a_wish_narrows_and_forces() {
        let just = PARTS.map(|part| last(part, NOW.now));
        let wish = |only, force| Wish { only, force, ..Wish::default() };
        let asked = |part| (part, Why::Asked);
        let plan = planned(&just, &wish(Some(Only::Quotes), true), NOW);
        assert_eq!(told(&plan), [asked(Part::History), asked(Part::Quotes)]);
        let plan = planned(&just, &wish(Some(Only::Accounts), true), NOW);
        assert_eq!(told(&plan), [asked(Part::Accounts)]);
        assert_eq!(told(&planned(&just, &wish(Some(Only::Quotes), false), NOW)), []);
        let other = Wish { connections: vec![ConnectionId(2)], force: true, ..Wish::default() };
        assert_eq!(planned(&just, &other, NOW), Plan::default());
    }

    #[test]
    fn only_what_works_and_can_is_asked() {
        for &state in ConnectionState::ALL {
            let connections = [connection(1, state)];
            let can = |_: &Connection, part| (part == Part::Quotes).then(TimeDelta::zero);
            let plan = plan(&connections, &[], can, &Wish::default(), CADENCE, NOW);
            let expected = usize::from(state == ConnectionState::Active);
            assert_eq!(plan.jobs.len(), expected, "{state}");
        }
    }

    #[test]
    fn what_failed_waits_longer_each_time_and_never_for_ever() {
        let pauses: Vec<_> = (1..=10).map(|failures| pause(failures).num_seconds()).collect();
        assert_eq!(pauses, [15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!(pause(i64::MAX), LONGEST_PAUSE);
        let failed = |at| RefreshRecord {
            failures: 2,
            next_attempt: Some(at),
            ..last(Part::Quotes, NOW.now - 600 * SECOND)
        };
        let wish = Wish { only: Some(Only::Quotes), ..Wish::default() };
        let others = || vec![last(Part::History, NOW.now)];
        let retried = |at| planned(&[others(), vec![failed(at)]].concat(), &wish, NOW);
        assert_eq!(told(&retried(NOW.now + SECOND)), []);
        assert_eq!(retried(NOW.now + SECOND).next, Some(NOW.now + SECOND));
        assert_eq!(told(&retried(NOW.now)), [(Part::Quotes, Why::Retry)]);
        // The clock was set back by days since.
        assert_eq!(told(&retried(NOW.now + 3 * DAY)), [(Part::Quotes, Why::Retry)]);
    }

    proptest! {
        #[test]
        fn nothing_is_due_twice_and_something_always_is_next(
            ages in prop::collection::vec(-3 * DAY..3 * DAY, 3),
            failures in 0..3i64,
        ) {
            let records: Vec<_> = PARTS.into_iter().zip(&ages).map(|(part, age)| RefreshRecord {
                failures,
                next_attempt: (failures > 0).then_some(NOW.now - age + SECOND),
                ..last(part, NOW.now - age)
            }).collect();
            let first = planned(&records, &Wish::default(), NOW);
            prop_assert!(first.jobs.len() == 3 || first.next.is_some_and(|next| next > NOW.now));
            // Once all that was due went well now, nothing is due now.
            let done: Vec<_> = records.into_iter().map(|record| {
                match first.jobs.iter().any(|job| job.part == record.part) {
                    true => last(record.part, NOW.now),
                    false => record,
                }
            }).collect();
            let second = planned(&done, &Wish::default(), NOW);
            prop_assert_eq!(second.jobs.len(), 0);
            prop_assert!(second.next.is_some_and(|next| next > NOW.now));
        }
    }
}
