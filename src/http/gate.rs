//! What one connection may do: with whom it may speak, how often, and whether the service is left to
//! rest.

use chrono::{DateTime, Utc};
use url::{Host, Url};

use super::breaker::Breaker;
use super::pace::Pace;
use super::{Error, Limit, Used, Why};
use crate::model::SafeText;

/// With whom a connection may speak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// With these, over TLS.
    Named(Vec<String>),
    /// With this machine itself, with or without TLS: where the configuration puts another service
    /// in the place of the real one.
    ThisMachine,
}

/// The way out of one connection.
#[derive(Clone, Debug)]
pub struct Gate {
    hosts: Hosts,
    pub(super) pace: Pace,
    pub(super) breaker: Breaker,
}

impl Gate {
    /// With what was used of its limits before.
    #[must_use]
    pub fn new(hosts: Hosts, limits: &[Limit], used: &[i64], now: DateTime<Utc>) -> Self {
        Self { hosts, pace: Pace::new(limits, used, now), breaker: Breaker::default() }
    }

    /// What was used of its limits, to be kept.
    #[must_use]
    pub fn used(&self) -> Used {
        self.pace.used()
    }

    /// Whether it leads there.
    #[must_use]
    pub fn allows(&self, url: &Url) -> bool {
        match &self.hosts {
            Hosts::Named(names) => {
                let name = url.host_str().unwrap_or_default();
                let known = names.iter().any(|known| known.eq_ignore_ascii_case(name));
                known && url.scheme() == "https" && matches!(url.host(), Some(Host::Domain(_)))
            }
            Hosts::ThisMachine => {
                let here = match url.host() {
                    Some(Host::Ipv4(address)) => address.is_loopback(),
                    Some(Host::Ipv6(address)) => address.is_loopback(),
                    _ => false,
                };
                here && matches!(url.scheme(), "https" | "http")
            }
        }
    }

    /// Why nothing may be sent there now; none: it may.
    pub(super) fn closed(&self, url: &Url, now: DateTime<Utc>) -> Option<Error> {
        let why = if !self.allows(url) {
            Why::NotAllowed
        } else if let Some(until) = self.breaker.resting(now) {
            Why::Resting(until)
        } else {
            let (limit, until) = self.pace.used_up(now)?;
            Why::UsedUp { most: limit.most, seconds: limit.span.num_seconds(), until }
        };
        Some(Error { host: host(url), why, sent: false })
    }
}

/// Who is asked, for a message.
pub(super) fn host(url: &Url) -> SafeText {
    SafeText::capped(url.host_str().unwrap_or("an address without a host"), 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_speaks_with_its_service_and_nobody_else() {
        let named = Hosts::Named(vec!["bank.example".to_owned(), "api.bank.example".to_owned()]);
        let gate = |hosts| Gate::new(hosts, &[], &[], DateTime::UNIX_EPOCH);
        let (named, here) = (gate(named), gate(Hosts::ThisMachine));
        for (url, to_name, to_here) in [
            ("https://bank.example/x", true, false),
            ("https://API.bank.example:8443/", true, false),
            ("http://bank.example/", false, false),
            ("https://evil.example/?bank.example", false, false),
            ("https://bank.example.evil.example/", false, false),
            ("https://bank.example@evil.example/", false, false),
            ("https://127.0.0.1/", false, true),
            ("http://127.0.0.1:8080/", false, true),
            ("http://[::1]:8080/", false, true),
            ("http://localhost/", false, false),
            ("http://10.0.0.1/", false, false),
            ("file:///etc/passwd", false, false),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!((named.allows(&url), here.allows(&url)), (to_name, to_here), "{url}");
        }
    }
}
