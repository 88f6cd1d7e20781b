//! Identities: numbers that the store hands out, and the id of one operation.
//!
//! A type of its own for each, so that an account can never be passed where a security belongs.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// An account.
    AccountId,
    /// A security: share, fund, bond, option, coin.
    SecurityId,
    /// A transaction; it stays the same through every version.
    TransactionId,
    /// One import.
    BatchId,
    /// A connection to a provider.
    ConnectionId,
    /// A bank or broker.
    InstitutionId,
    /// A category of spending or income.
    CategoryId,
    /// An alert.
    AlertId,
}

/// One operation: what ties an audit row to the rows it wrote. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(uuid::Uuid);

impl OpId {
    /// A new id for an operation that starts at `millis` since the epoch.
    ///
    /// The time is passed in, since only the clock may ask for it.
    #[must_use]
    pub fn at(millis: u64) -> Self {
        let (seconds, rest) = (millis / 1000, millis % 1000);
        let nanos = u32::try_from(rest * 1_000_000).unwrap_or(0);
        let stamp = uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos);
        Self(uuid::Uuid::new_v7(stamp))
    }
}

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for OpId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        uuid::Uuid::parse_str(text).map(Self)
    }
}
