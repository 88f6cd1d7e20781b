//! Why a provider did not tell, and what its caller must do about it.

use chrono::{DateTime, Utc};

use crate::model::SafeText;

/// The result of everything in this room.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a provider did not tell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not one of this program's.
    #[error("this version has no provider `{0}`; it may be of a newer one")]
    NoProvider(SafeText),
    /// It does not know this security or currency, or no longer.
    #[error("{0}: no price is known there")]
    NoData(SafeText),
    /// It cannot be reached or answers nonsense.
    #[error("{0}")]
    Unavailable(SafeText),
    /// It wants to be left alone until then.
    #[error("it asks to wait until {0}")]
    RateLimited(DateTime<Utc>),
    /// It wants its owner to agree anew.
    #[error("it no longer accepts the consent; connect it again")]
    Consent,
}

/// What the caller must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Nothing: asking again would not help.
    Never,
    /// Ask again: at the instant given, else after a pause.
    Later(Option<DateTime<Utc>>),
    /// Ask somebody else.
    NextSource,
    /// Ask the owner for a new consent.
    Reauthorize,
}

impl Class {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Later(_) => "later",
            Self::NextSource => "next_source",
            Self::Reauthorize => "reauthorize",
        }
    }
}

impl Error {
    /// What the caller must do.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::NoProvider(_) => Class::Never,
            Self::NoData(_) => Class::NextSource,
            Self::Unavailable(_) => Class::Later(None),
            Self::RateLimited(until) => Class::Later(Some(*until)),
            Self::Consent => Class::Reauthorize,
        }
    }
}
