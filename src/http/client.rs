//! Sending a request and taking its answer in, within bounds.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use ring::rand::SecureRandom as _;
use rustls::RootCertStore;
use tracing::debug;
use zeroize::Zeroizing;

use super::gate::host;
use super::retry::{RESET, TRIES, pause, reset, retry_after};
use super::wire::{Lost, Wire};
use super::{Error, Gate, Request, Result, Used, Why};
use crate::clock::Clock;

/// How long and how large an exchange may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Until there is a connection.
    pub connect: Duration,
    /// Between two parts of an answer.
    pub idle: Duration,
    /// For one request with all its tries and the pauses between them.
    pub total: Duration,
    /// Of an answer once it is unpacked, in bytes.
    pub body: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(20),
            total: Duration::from_mins(2),
            body: 32 << 20,
        }
    }
}

type Rest = dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// What a client takes from outside: whom to trust, the time, chance, and the patience to wait.
#[derive(Clone)]
pub struct Surroundings {
    /// Who may say that a service is who it says.
    pub trusted: RootCertStore,
    /// The time.
    pub clock: Clock,
    /// Any number.
    pub chance: Arc<dyn Fn() -> u32 + Send + Sync>,
    /// Waits so long.
    pub rest: Arc<Rest>,
}

impl Surroundings {
    /// Those of the machine, and the authorities that browsers trust.
    #[must_use]
    pub fn of_machine(clock: &Clock) -> Self {
        Self {
            trusted: webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
            clock: clock.clone(),
            chance: Arc::new(|| {
                let mut bytes = [0; 4];
                // Without chance all pauses are the shortest, which is no harm.
                let _ = ring::rand::SystemRandom::new().fill(&mut bytes);
                u32::from_ne_bytes(bytes)
            }),
            rest: Arc::new(|pause| Box::pin(tokio::time::sleep(pause))),
        }
    }
}

/// The client. It is cheap to clone, and holds no connection.
#[derive(Clone)]
pub struct Client {
    wire: Wire,
    bounds: Bounds,
    around: Surroundings,
}

/// What a service answered: all of it, and well or refused. It may hold secrets, so it cannot be
/// shown.
pub struct Answer {
    /// The status, which is none of those that mean `not now`.
    pub status: u16,
    /// All of it, unpacked.
    pub body: Zeroizing<Vec<u8>>,
    /// When it was sent by the clock of the service.
    pub date: Option<DateTime<Utc>>,
}

impl Answer {
    /// Whether it is what was asked for.
    #[must_use]
    pub const fn is_well(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

/// One try that did not bring an answer.
struct Failed {
    error: Error,
    /// Whether the service itself said when to come back.
    told: Option<DateTime<Utc>>,
    /// Whether another try makes sense.
    again: bool,
}

impl Client {
    /// Makes the client.
    #[must_use]
    pub fn new(bounds: Bounds, around: Surroundings) -> Self {
        Self { wire: Wire::new(around.trusted.clone(), bounds), bounds, around }
    }

    /// Sends a request and takes in its answer. `remember` is told what was used of the limits before
    /// anything is sent, and must have made that durable when it returns, or says why nothing may be.
    ///
    /// # Errors
    /// When there is no answer, or one that says `not now`.
    pub async fn send<F>(
        &self,
        gate: &mut Gate,
        request: &Request,
        remember: impl Fn(Used) -> F,
    ) -> Result<Answer>
    where
        F: Future<Output = std::result::Result<(), Unsent>>,
    {
        let begun = self.around.clock.monotonic();
        let left = || self.bounds.total.saturating_sub(begun.elapsed());
        let (mut tries, mut waits) = (0, 0);
        loop {
            let host = host(&request.url);
            let because = |why| Error { host: host.clone(), why, sent: false };
            if request.malformed {
                return Err(because(Why::Malformed));
            }
            // Of one moment: what opens between two looks at the clock is not closed.
            let now = self.now();
            if let Some(closed) = gate.closed(&request.url, now) {
                // A limit of seconds is waited for; one of a day is told.
                let wait = closed.until().and_then(|until| (until - now).to_std().ok());
                match wait.filter(|wait| matches!(closed.why, Why::UsedUp { .. }) && *wait < left())
                {
                    // Each time somebody else may have come first, which must not go on for ever.
                    Some(wait) if waits < TRIES => {
                        waits += 1;
                        (self.around.rest)(wait).await;
                        continue;
                    }
                    _ => return Err(closed),
                }
            }
            // To wait is no try.
            (tries, waits) = (tries + 1, 0);
            gate.pace.take(self.now());
            if let Err(why) = remember(gate.used()).await {
                return Err(because(match why {
                    Unsent::NotRemembered => Why::NotRemembered,
                    Unsent::Paused => Why::Paused,
                }));
            }
            let failed = match self.send_once(request, left()).await {
                Ok(answer) => {
                    gate.breaker.went_well();
                    return Ok(answer);
                }
                Err(failed) => failed,
            };
            debug!(host = %failed.error.host, why = ?failed.error.why, tries, "no answer");
            // Who says when to come back works well.
            if failed.told.is_none() && failed.error.is_transient() {
                gate.breaker.failed(self.now());
            }
            // Who says `at once` has not seen how many ask.
            let least = pause(tries, (self.around.chance)());
            let wait = match failed.told {
                Some(until) => {
                    let told = (until - self.now()).max(TimeDelta::zero()).to_std();
                    told.ok().map(|told| told.max(least))
                }
                None => Some(least),
            };
            let may = failed.again && (request.repeatable || !failed.error.sent);
            match wait.filter(|wait| may && tries < TRIES && *wait < left()) {
                Some(wait) => (self.around.rest)(wait).await,
                None => return Err(failed.error),
            }
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.around.clock.now()
    }

    async fn send_once(
        &self,
        request: &Request,
        total: Duration,
    ) -> std::result::Result<Answer, Failed> {
        let because = |why, again| Failed {
            error: Error { host: host(&request.url), why, sent: true },
            told: None,
            again,
        };
        let raw = self.wire.exchange(request, total).await.map_err(|Lost { why, sent }| {
            let again = !matches!(why, Why::TooLarge | Why::Malformed);
            Failed { error: Error { sent, ..because(why, again).error }, ..because(why, again) }
        })?;
        let status = raw.status;
        let text = |name| raw.headers.get(name).and_then(|value| value.to_str().ok());
        let date = text(DATE).and_then(|text| DateTime::parse_from_rfc2822(text).ok());
        let date = date.map(|date| date.with_timezone(&Utc));
        let told = text(RETRY_AFTER).and_then(|text| retry_after(text, self.now()));
        // Some say instead when their limit begins anew.
        let anew = text(RESET).filter(|_| status == 429);
        let told = told.or_else(|| anew.and_then(|text| reset(text, self.now())));
        let is_page = text(CONTENT_TYPE).is_some_and(|kind| kind.contains("text/html"));
        match status {
            300..=399 => return Err(because(Why::Redirected, false)),
            429 | 503 => {
                let why = match (status, told) {
                    (_, Some(until)) => Why::Limited(until),
                    (429, None) => Why::Limited(self.now() + TimeDelta::minutes(1)),
                    _ => Why::Failing(status),
                };
                // A limit that is spent is not asked again within seconds.
                let again = status == 503 || told.is_some();
                return Err(Failed { told, ..because(why, again) });
            }
            500..=599 => return Err(because(Why::Failing(status), true)),
            _ => {}
        }
        // What stands between us and a service answers in its place with a page for people.
        if is_page || begins_as_page(&raw.body) {
            return Err(because(Why::WebPage, true));
        }
        Ok(Answer { status, body: raw.body, date })
    }
}

/// Why nothing may be sent, by whoever remembers what was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsent {
    /// That could not be made durable.
    NotRemembered,
    /// Its owner wants nobody to be asked by now.
    Paused,
}

fn begins_as_page(body: &[u8]) -> bool {
    let start = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    let begins =
        |word: &[u8]| start.get(..word.len()).is_some_and(|is| is.eq_ignore_ascii_case(word));
    begins(b"<!doctype html") || begins(b"<html")
}
