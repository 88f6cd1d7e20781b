//! Why a provider did not tell, and what its caller must do about it.

use chrono::{DateTime, Utc};

use crate::http::{self, Why};
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
    /// Its prices do not count units as those of the day, as far as one can see; what is told and what
    /// is known.
    #[error("{0}: {1}")]
    Restated(SafeText, SafeText),
    /// It cannot be reached or answers nonsense.
    #[error("{0}")]
    Unavailable(SafeText),
    /// It wants to be left alone until then.
    #[error("it asks to wait until {0}")]
    RateLimited(DateTime<Utc>),
    /// It wants its owner to agree anew.
    #[error("it no longer accepts the consent; connect it again")]
    Consent,
    /// It does not take what it was shown; something newer may do.
    #[error("it does not take the access that it gave")]
    Denied,
    /// The consent is too old.
    #[error("the consent ended on {}; connect it again", .0.format("%Y-%m-%d %H:%M UTC"))]
    Expired(DateTime<Utc>),
    /// The same, with what is to be done.
    #[error("{0}")]
    Refused(SafeText),
    /// Nobody answered, or with `not now`.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// What it is to be shown cannot be opened now.
    #[error("{0}")]
    Locked(SafeText),
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
    /// Whether nobody was asked, since the owner lets the connection rest by now.
    #[must_use]
    pub const fn is_pause(&self) -> bool {
        matches!(self, Self::Http(http::Error { why: Why::Paused, .. }))
    }

    /// What the caller must do.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::NoProvider(_) => Class::Never,
            Self::NoData(_) | Self::Restated(..) => Class::NextSource,
            Self::Unavailable(_) | Self::Locked(_) => Class::Later(None),
            Self::RateLimited(until) => Class::Later(Some(*until)),
            Self::Consent | Self::Denied | Self::Expired(_) | Self::Refused(_) => {
                Class::Reauthorize
            }
            Self::Http(error) if !error.is_transient() => Class::Never,
            Self::Http(error) => match error.why {
                // It is left to rest by us; nobody asked for that.
                Why::Resting(_) => Class::Later(None),
                _ => Class::Later(error.until()),
            },
        }
    }

    /// Whether the service has, for certain, taken nothing: a secret that serves once still serves.
    #[must_use]
    pub const fn took_nothing(&self) -> bool {
        match self {
            Self::Http(error) => !error.sent || matches!(error.why, Why::Limited(_)),
            Self::Locked(_) | Self::NoProvider(_) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_web_says_tells_what_to_do() {
        let until: DateTime<Utc> = "2024-03-01T10:00:00Z".parse().unwrap();
        let used_up = Why::UsedUp { most: 24, seconds: 86_400, until };
        for (why, class) in [
            (Why::NotAllowed, Class::Never),
            (Why::Malformed, Class::Never),
            (Why::Redirected, Class::Never),
            (Why::TooLarge, Class::Never),
            (Why::Unreachable, Class::Later(None)),
            (Why::TimedOut, Class::Later(None)),
            (Why::Broken, Class::Later(None)),
            (Why::WebPage, Class::Later(None)),
            (Why::Failing(502), Class::Later(None)),
            (Why::NotRemembered, Class::Later(None)),
            (Why::Resting(until), Class::Later(None)),
            (Why::Limited(until), Class::Later(Some(until))),
            (used_up, Class::Later(Some(until))),
        ] {
            let error = Error::from(http::Error { host: SafeText::default(), why, sent: true });
            assert_eq!(error.class(), class, "{why:?}");
            let limited = matches!(why, Why::Limited(_));
            assert_eq!(error.took_nothing(), limited, "{why:?}: it was sent");
            let unsent = Error::from(http::Error { host: SafeText::default(), why, sent: false });
            assert!(unsent.took_nothing(), "{why:?}");
        }
        assert_eq!(Error::Refused(SafeText::default()).class(), Class::Reauthorize);
    }
}
