//! Why a request was not answered. It names the host and a reason, and can hold nothing else.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::model::SafeText;

/// Why a request was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Who was asked.
    pub host: SafeText,
    /// Why not.
    pub why: Why,
    /// Whether anything of it may have reached the service: then a secret that serves once is spent.
    pub sent: bool,
}

/// The reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The host, or the way to it, is not one that this connection may use.
    NotAllowed,
    /// A part of the request cannot be sent.
    Malformed,
    /// No connection: no such name, nobody there, no trust in the certificate.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// The connection broke, or the answer was cut off or garbled.
    Broken,
    /// The answer is larger than any that is right.
    TooLarge,
    /// It wants to send us elsewhere.
    Redirected,
    /// A page for people came in place of data.
    WebPage,
    /// It says that it cannot now.
    Failing(u16),
    /// It wants to be left alone until then.
    Limited(DateTime<Utc>),
    /// What it grants is used up until then.
    UsedUp {
        /// So many requests.
        most: u32,
        /// In so many seconds.
        seconds: i64,
        /// When the next one is possible.
        until: DateTime<Utc>,
    },
    /// It failed so often that it is left to rest until then.
    Resting(DateTime<Utc>),
    /// That it is sent could not be remembered, so it was not sent.
    NotRemembered,
    /// Its owner paused the connection meanwhile, so it was not sent.
    Paused,
}

impl Error {
    /// When the next request makes sense, where that is known.
    #[must_use]
    pub const fn until(&self) -> Option<DateTime<Utc>> {
        match self.why {
            Why::Limited(until) | Why::UsedUp { until, .. } | Why::Resting(until) => Some(until),
            _ => None,
        }
    }

    /// Whether the same request could be answered a little later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        !matches!(self.why, Why::NotAllowed | Why::Malformed | Why::Redirected | Why::TooLarge)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        write!(f, "{}: ", self.host)?;
        match self.why {
            Why::NotAllowed => f.write_str("this connection may not send anything there"),
            Why::Malformed => f.write_str("the request has a part that cannot be sent"),
            Why::Unreachable => f.write_str("cannot be reached"),
            Why::TimedOut => f.write_str("did not answer in time"),
            Why::Broken => f.write_str("the connection broke before the answer was complete"),
            Why::TooLarge => f.write_str("the answer is larger than any that is right"),
            Why::Redirected => f.write_str("wants to send us elsewhere, which is never followed"),
            Why::WebPage => f.write_str("got a web page instead of data"),
            Why::Failing(status) => write!(f, "cannot answer now (status {status})"),
            Why::Limited(until) => write!(f, "asks to wait until {}", when(until)),
            Why::UsedUp { most, seconds, until } => write!(
                f,
                "its limit of {most} requests in {} is used up until {}",
                span(seconds),
                when(until)
            ),
            Why::Resting(until) => {
                write!(f, "failed again and again and is left to rest until {}", when(until))
            }
            Why::NotRemembered => f.write_str("the use of its limit could not be stored"),
            Why::Paused => f.write_str("was not asked, as the connection is paused by now"),
        }
    }
}

impl std::error::Error for Error {}

fn span(seconds: i64) -> String {
    match seconds {
        86_400 => "a day".to_owned(),
        3_600 => "an hour".to_owned(),
        60 => "a minute".to_owned(),
        other => format!("{other} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_names_the_host_and_what_is_next() {
        let until = "2024-03-01T10:00:00Z".parse().unwrap();
        let error = |why| Error { host: SafeText::new("bank.example"), why, sent: false };
        let used = error(Why::UsedUp { most: 24, seconds: 86_400, until });
        assert_eq!(
            used.to_string(),
            "bank.example: its limit of 24 requests in a day is used up until 2024-03-01T10:00:00Z"
        );
        assert_eq!((used.until(), used.is_transient()), (Some(until), true));
        let off = error(Why::Redirected);
        assert!(off.to_string().starts_with("bank.example: wants to send us elsewhere"));
        assert_eq!((off.until(), off.is_transient()), (None, false));
    }
}
