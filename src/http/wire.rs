//! One request and its answer, by reqwest, of which nothing is used that we bound ourselves: it
//! follows no redirect, asks no proxy, tries nothing again, unpacks nothing and keeps no connection,
//! so that it is known whether anything was sent.

use std::time::Duration;

use reqwest::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderValue,
};
use reqwest::{Response, redirect, retry};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::unpack::Unpack;
use super::{Bounds, Request, Why};

const AGENT: &str = concat!("dashtam/", env!("CARGO_PKG_VERSION"));

/// Makes connections.
#[derive(Clone)]
pub(super) struct Wire {
    /// None: it could not be made, so nothing can be sent.
    client: Option<reqwest::Client>,
    bounds: Bounds,
}

/// What came back, unpacked.
pub(super) struct Raw {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Zeroizing<Vec<u8>>,
}

/// Why nothing came back, and whether anything was sent.
pub(super) struct Lost {
    pub why: Why,
    pub sent: bool,
}

impl Lost {
    const fn unsent(why: Why) -> Self {
        Self { why, sent: false }
    }

    const fn sent(why: Why) -> Self {
        Self { why, sent: true }
    }
}

impl Wire {
    pub fn new(roots: RootCertStore, bounds: Bounds) -> Self {
        let trust = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(trust)
            .user_agent(AGENT)
            .connect_timeout(bounds.connect)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .no_proxy()
            .http1_only()
            .pool_max_idle_per_host(0)
            .build();
        Self { client: client.ok(), bounds }
    }

    /// Sends it and takes in what comes back. The answer to one that waits longer than `total` is lost.
    pub async fn exchange(&self, request: &Request, total: Duration) -> Result<Raw, Lost> {
        let client = self.client.as_ref().ok_or(Lost::unsent(Why::Unreachable))?;
        let asked = asked(request);
        let whole = async {
            // By the end of the first of these two there was a connection, or there is an answer why not.
            let head = timeout(self.bounds.connect + self.bounds.idle, client.execute(asked));
            let answer =
                head.await.map_err(|_| Lost::sent(Why::TimedOut))?.map_err(|error| match error
                    .is_connect()
                {
                    true => Lost::unsent(Why::Unreachable),
                    false if error.is_builder() => Lost::unsent(Why::Malformed),
                    false => Lost::sent(Why::Broken),
                })?;
            self.take_in(answer).await.map_err(Lost::sent)
        };
        // Nobody knows how far it came.
        timeout(total, whole).await.unwrap_or(Err(Lost::sent(Why::TimedOut)))
    }

    async fn take_in(&self, mut answer: Response) -> Result<Raw, Why> {
        let encoding = answer.headers().get(CONTENT_ENCODING);
        let encoding = encoding.map(|value| value.to_str().unwrap_or("?"));
        let mut unpack = Unpack::of(encoding, self.bounds.body).ok_or(Why::Broken)?;
        // What is packed is no larger than what it was.
        let mut left = self.bounds.body;
        loop {
            let part =
                timeout(self.bounds.idle, answer.chunk()).await.map_err(|_| Why::TimedOut)?;
            let Some(part) = part.map_err(|_| Why::Broken)? else { break };
            left = left.checked_sub(part.len()).ok_or(Why::TooLarge)?;
            unpack.take(&part)?;
        }
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok(Raw { status, headers, body: unpack.end()? })
    }
}

/// The request as it goes out.
fn asked(request: &Request) -> reqwest::Request {
    let mut made = reqwest::Request::new(request.method.clone(), request.url.clone());
    let headers = made.headers_mut();
    *headers = request.headers.clone();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if let Some(body) = &request.body {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        *made.body_mut() = Some(body.clone().into());
    }
    made
}
