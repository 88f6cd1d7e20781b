//! Connections to providers: what they bring, and their life of six states with the ways between
//! them.

use super::account::words;
use super::{ConnectionId, SafeText};

/// A connection to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its identity.
    pub id: ConnectionId,
    /// The provider's id.
    pub provider: SafeText,
    /// What its owner calls it.
    pub label: SafeText,
    /// Where it is in its life.
    pub state: ConnectionState,
    /// Since when, in microseconds since the epoch.
    pub since: i64,
    /// When the consent ends, where it does.
    pub consent_expires: Option<i64>,
    /// Why it is where it is.
    pub detail: Option<SafeText>,
}

impl Connection {
    /// Its owner is told so long before the consent ends, in microseconds.
    const WARNING: i64 = 48 * 3_600_000_000;

    /// When the consent ends, where that is soon.
    #[must_use]
    pub fn ends_soon(&self, now: i64) -> Option<i64> {
        let is_soon = |ends: &i64| ends.saturating_sub(now) <= Self::WARNING;
        self.consent_expires.filter(is_soon).filter(|_| self.state == ConnectionState::Active)
    }

    /// Its owner ended it.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.state, ConnectionState::Disconnected)
    }
}

words! {
    /// A part of what a connection brings; each has a rhythm of its own.
    Part, "part of a refresh" {
        /// Accounts and their new transactions.
        Accounts = "accounts",
        /// Prices from within the day.
        Quotes = "quotes",
        /// Closes and rates of days that are over.
        History = "history",
    }
}

words! {
    /// Where a connection is in its life.
    ConnectionState, "connection state" {
        /// Asked for, no consent yet.
        Pending = "pending",
        /// Works.
        Active = "active",
        /// The consent grew too old.
        Expired = "expired",
        /// The provider refused the consent.
        Revoked = "revoked",
        /// Lost or broken.
        Failed = "failed",
        /// Ended by its owner; final.
        Disconnected = "disconnected",
    }
}

/// A step that the life of a connection does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a connection cannot go from {from} to {to}")]
pub struct IllegalTransition {
    from: ConnectionState,
    to: ConnectionState,
}

impl ConnectionState {
    /// The next state, or a refusal when life does not go that way.
    ///
    /// # Errors
    /// [`IllegalTransition`] for every step but the documented ones.
    pub fn become_(self, to: Self) -> Result<Self, IllegalTransition> {
        use ConnectionState::{Active, Disconnected, Expired, Failed, Pending, Revoked};
        match (self, to) {
            (Pending | Expired | Revoked | Failed, Active | Disconnected)
            | (Active, Expired | Revoked | Failed | Disconnected) => Ok(to),
            (from, to) => Err(IllegalTransition { from, to }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F23.
    #[test]
    fn a_consent_that_ends_is_told_two_days_before() {
        const HOUR: i64 = 3_600_000_000;
        let connection = |state, consent_expires| Connection {
            id: ConnectionId(1),
            provider: SafeText::new("schwab"),
            label: SafeText::new("Schwab"),
            state,
            since: 0,
            consent_expires,
            detail: None,
        };
        let active = connection(ConnectionState::Active, Some(168 * HOUR));
        assert_eq!(active.ends_soon(119 * HOUR), None);
        for hours in [120, 156, 167, 169] {
            assert_eq!(active.ends_soon(hours * HOUR), Some(168 * HOUR), "{hours}");
        }
        assert_eq!(connection(ConnectionState::Expired, Some(1)).ends_soon(2), None);
        assert_eq!(connection(ConnectionState::Active, None).ends_soon(2), None);
    }

    #[test]
    fn only_the_documented_steps_exist() {
        use ConnectionState::{Active, Disconnected, Expired, Failed, Pending, Revoked};
        let legal = [
            (Pending, Active),
            (Active, Expired),
            (Active, Revoked),
            (Active, Failed),
            (Expired, Active),
            (Revoked, Active),
            (Failed, Active),
            (Pending, Disconnected),
            (Active, Disconnected),
            (Expired, Disconnected),
            (Revoked, Disconnected),
            (Failed, Disconnected),
        ];
        for &from in ConnectionState::ALL {
            for &to in ConnectionState::ALL {
                assert_eq!(from.become_(to).is_ok(), legal.contains(&(from, to)), "{from} -> {to}");
            }
        }
    }
}
