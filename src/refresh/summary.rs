//! How a refresh went, for whoever asked for it.

use chrono::{DateTime, Utc};

use super::job::Done;
use super::judge::Skip;
use crate::model::{Connection, ConnectionState, Part};
use crate::provider::{self, Class};
use crate::report::LoggedAlert;
use crate::store::Holder;

/// How a refresh went as a whole, or one connection in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All that was due is there.
    Ok,
    /// Some of it is there.
    Partial,
    /// Nothing of it is there.
    Failed,
    /// Somebody else refreshes.
    Locked(Option<Holder>),
    /// Nothing was due.
    NothingDue,
}

impl Outcome {
    /// The word for it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Locked(_) => "locked",
            Self::NothingDue => "nothing_due",
        }
    }
}

/// How one connection went.
#[derive(Clone, Debug)]
pub struct Told {
    /// Which.
    pub connection: Connection,
    /// How it went.
    pub outcome: Outcome,
    /// What its owner or we must do.
    pub class: Option<Class>,
    /// Why it failed.
    pub why: Option<String>,
    /// The vault is locked, or does not hold what it should.
    pub is_locked: bool,
    /// How many accounts it told of.
    pub accounts: u64,
    /// Rows that are new.
    pub new: u64,
    /// Rows that are another version now.
    pub changed: u64,
    /// What was left out of its rows.
    pub skipped: Vec<Skip>,
    /// Not to be tried again before, in microseconds since the epoch.
    pub next_attempt: Option<i64>,
}

/// How the prices went.
#[derive(Clone, Debug, Default)]
pub struct Quotes {
    /// How many were asked for.
    pub requested: u64,
    /// How many are stored.
    pub stored: u64,
    /// Which are not, and why.
    pub skipped: Vec<Skip>,
}

/// How a refresh went.
#[derive(Clone, Debug)]
pub struct Summary {
    /// When it began.
    pub started: DateTime<Utc>,
    /// When it ended.
    pub finished: DateTime<Utc>,
    /// As a whole.
    pub outcome: Outcome,
    /// By connection.
    pub connections: Vec<Told>,
    /// The prices of all.
    pub quotes: Quotes,
    /// What went past the bounds of alerts.
    pub alerts: Vec<LoggedAlert>,
    /// The revision that it left.
    pub revision: i64,
    /// When something is due next, in microseconds since the epoch.
    pub next: Option<i64>,
}

impl Told {
    /// What the jobs of a connection come to.
    pub(super) fn of(connection: &Connection, done: &[Done]) -> Self {
        let mine: Vec<_> =
            done.iter().filter(|done| done.job.connection == connection.id).collect();
        let errors: Vec<_> = mine.iter().filter_map(|done| done.error.as_ref()).collect();
        let wrong = mine.iter().any(|done| done.skipped.iter().any(|skip| skip.wrong));
        // Where there was nothing to ask for, nothing went well either.
        let asked = mine.iter().filter(|done| !done.is_idle).count();
        let mut outcome = match (asked, errors.len()) {
            (0, _) if mine.is_empty() => Outcome::NothingDue,
            (0, _) => Outcome::Ok,
            (all, failed) if all == failed => Outcome::Failed,
            (_, 0) if !wrong => Outcome::Ok,
            _ => Outcome::Partial,
        };
        let mut class = errors.iter().map(|error| error.class()).max_by_key(|class| weight(*class));
        let mut why = errors.first().map(ToString::to_string);
        if needs_consent(connection.state) {
            (outcome, class) = (Outcome::Failed, Some(Class::Reauthorize));
            why = connection.detail.as_ref().map(ToString::to_string);
        }
        let is_locked = errors.iter().any(|error| matches!(error, provider::Error::Locked(_)));
        let rows = mine.iter().filter(|done| done.job.part == Part::Accounts);
        Self {
            connection: connection.clone(),
            outcome,
            class,
            why,
            is_locked,
            accounts: mine.iter().map(|done| done.accounts).sum(),
            new: mine.iter().map(|done| done.counts.new).sum(),
            changed: mine.iter().map(|done| done.counts.changed).sum(),
            skipped: rows.flat_map(|done| done.skipped.clone()).collect(),
            next_attempt: mine.iter().filter_map(|done| done.next_attempt).max(),
        }
    }
}

/// Which of several classes matters most.
const fn weight(class: Class) -> u8 {
    match class {
        Class::Reauthorize => 3,
        Class::Later(Some(_)) => 2,
        Class::Later(None) => 1,
        Class::Never | Class::NextSource => 0,
    }
}

/// Whether only its owner can bring it back.
const fn needs_consent(state: ConnectionState) -> bool {
    matches!(state, ConnectionState::Expired | ConnectionState::Revoked | ConnectionState::Failed)
}

impl Quotes {
    pub(super) fn of(done: &[Done]) -> Self {
        let market = || done.iter().filter(|done| done.job.part != Part::Accounts);
        Self {
            requested: market().map(|done| done.requested).sum(),
            stored: market()
                .filter(|done| done.job.part == Part::Quotes)
                .map(|done| done.stored)
                .sum(),
            skipped: market().flat_map(|done| done.skipped.clone()).collect(),
        }
    }
}

/// What all connections come to.
pub(super) fn overall(told: &[Told]) -> Outcome {
    let is = |outcome: Outcome| told.iter().filter(|told| told.outcome == outcome).count();
    let idle = is(Outcome::NothingDue);
    match (is(Outcome::Failed), is(Outcome::Partial), told.len() - idle) {
        (_, _, 0) => Outcome::NothingDue,
        (0, 0, _) => Outcome::Ok,
        (failed, 0, busy) if failed == busy => Outcome::Failed,
        _ => Outcome::Partial,
    }
}
