//! The way from a connection to its service: the client with its limits, which are remembered, and
//! the one address that the configuration may put in the place of the real ones.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use chrono::{DateTime, TimeDelta};
use tokio::sync::Mutex;
use url::Url;

use super::{Auth, Entry, Error, Result};
use crate::clock::Clock;
use crate::http::{
    self, Answer, Bounds, Client, Gate, Hosts, Limit, Request, Surroundings, Unsent, Used, Why,
};
use crate::model::SafeText;

/// A future in a box.
pub type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// Makes durable what was used of the limits of a connection.
pub type Remember = dyn Fn(Used) -> Boxed<std::result::Result<(), Unsent>> + Send + Sync;

/// The way from one connection to its service.
pub struct Line {
    entry: &'static Entry,
    client: Client,
    gate: Mutex<Gate>,
    remember: Box<Remember>,
    base: Option<Url>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

impl Line {
    /// To the service of an entry, or to this machine where the configuration says so; with so many
    /// requests a minute at most, where it says that.
    #[must_use]
    pub fn new(
        entry: &'static Entry,
        base: Option<Url>,
        per_minute: Option<u16>,
        clock: &Clock,
        used: &[i64],
        remember: Box<Remember>,
    ) -> Self {
        let hosts = hosts(entry, base.as_ref());
        let limits = limits(entry, base.as_ref(), per_minute);
        let gate = Mutex::new(Gate::new(hosts, &limits, used, clock.now()));
        let client = Client::new(Bounds::default(), Surroundings::of_machine(clock));
        Self { entry, client, gate, remember, base }
    }

    /// Sends a request, one at a time.
    ///
    /// # Errors
    /// When there is no answer, or it could do more than read where keys are shown that can do more.
    pub async fn send(&self, request: &Request) -> Result<Answer> {
        if matches!(self.entry.auth, Auth::Keys(_)) && !request.only_reads() {
            let host = SafeText::new(self.entry.title);
            return Err(http::Error { host, why: Why::NotAllowed, sent: false }.into());
        }
        let mut gate = self.gate.lock().await;
        let sent = self.client.send(&mut gate, request, |used| (self.remember)(used)).await;
        sent.map_err(Error::from)
    }

    /// A path of the service, as an address.
    ///
    /// # Errors
    /// When the service has no host.
    pub fn at(&self, path: &str) -> Result<Url> {
        at(self.entry, self.base.as_ref(), path)
    }

    /// A path on one of several hosts of the service, as an address. Where the configuration puts them
    /// elsewhere, the host is the first folder there.
    ///
    /// # Errors
    /// When that is none of its hosts.
    pub fn on(&self, host: &str, path: &str) -> Result<Url> {
        let nobody = || Error::NoProvider(SafeText::new(self.entry.id));
        if !self.entry.hosts.contains(&host) {
            return Err(nobody());
        }
        match &self.base {
            Some(_) => self.at(&format!("/{host}{path}")),
            None => Url::parse(&format!("https://{host}{path}")).map_err(|_| nobody()),
        }
    }

    /// Whether an address that a service or a person gave may be asked at all.
    #[must_use]
    pub fn leads_to(&self, url: &Url) -> bool {
        leads_to(self.entry, self.base.as_ref(), url)
    }
}

/// Whether an address is one of a provider: on its hosts, or the one that the configuration names.
#[must_use]
pub fn leads_to(entry: &Entry, base: Option<&Url>, url: &Url) -> bool {
    let gate = Gate::new(hosts(entry, base), &[], &[], DateTime::UNIX_EPOCH);
    gate.allows(url) && base.is_none_or(|base| base.origin() == url.origin())
}

/// A path of a provider, as an address: on its first host, or where the configuration puts it.
///
/// # Errors
/// When the provider has no host.
pub fn at(entry: &Entry, base: Option<&Url>, path: &str) -> Result<Url> {
    let mut url = match (base, entry.hosts.first()) {
        (Some(base), _) => Some(base.clone()),
        (None, Some(host)) => Url::parse(&format!("https://{host}")).ok(),
        (None, None) => None,
    }
    .ok_or_else(|| Error::NoProvider(SafeText::new(entry.id)))?;
    let whole = format!("{}{path}", url.path().trim_end_matches('/'));
    url.set_path(&whole);
    Ok(url)
}

fn hosts(entry: &Entry, base: Option<&Url>) -> Hosts {
    match base {
        Some(_) => Hosts::ThisMachine,
        None => Hosts::Named(entry.hosts.iter().map(ToString::to_string).collect()),
    }
}

/// How often a service is asked at most. Its owner may ask it less often than is good manners, and a
/// server of their own as often as they like.
fn limits(entry: &Entry, base: Option<&Url>, per_minute: Option<u16>) -> Vec<Limit> {
    let chosen = per_minute.map(|most| Limit { most: most.into(), span: TimeDelta::minutes(1) });
    let manners = entry.limits.iter().copied();
    let manners = manners.filter(|_| base.is_none() || chosen.is_none());
    manners.chain(chosen).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::PROVIDERS;

    #[test]
    fn a_service_is_never_asked_more_often_than_is_good_manners() {
        let entry = PROVIDERS.iter().find(|entry| entry.id == "schwab").unwrap();
        let base: Url = "http://127.0.0.1:8080".parse().unwrap();
        let chosen = |most| Limit { most, span: TimeDelta::minutes(1) };
        assert_eq!(limits(entry, None, None), entry.limits);
        assert_eq!(limits(entry, Some(&base), None), entry.limits, "as it is with the real one");
        let slower = limits(entry, None, Some(60));
        assert_eq!(slower, [entry.limits, &[chosen(60)]].concat());
        assert_eq!(limits(entry, None, Some(60_000)), [entry.limits, &[chosen(60_000)]].concat());
        assert_eq!(limits(entry, Some(&base), Some(60_000)), [chosen(60_000)]);
    }

    #[test]
    fn nothing_is_shown_to_anybody_but_the_service() {
        let entry = PROVIDERS.iter().find(|entry| entry.id == "simplefin").unwrap();
        let base: Url = "http://127.0.0.1:8080".parse().unwrap();
        for (url, real, here) in [
            ("https://bridge.simplefin.org/simplefin/claim/x", true, false),
            ("https://beta-bridge.simplefin.org/x", true, false),
            ("http://bridge.simplefin.org/x", false, false),
            ("https://simplefin.org/x", false, false),
            ("https://bridge.simplefin.org.evil.example/x", false, false),
            ("http://127.0.0.1:8080/claim", false, true),
            ("http://127.0.0.1:8081/claim", false, false),
            ("https://127.0.0.1:8080/claim", false, false),
        ] {
            let url = url.parse().unwrap();
            let led = (leads_to(entry, None, &url), leads_to(entry, Some(&base), &url));
            assert_eq!(led, (real, here), "{url}");
        }
    }
}
