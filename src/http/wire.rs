//! One request and its answer over a connection of their own, so that it is known whether anything
//! was sent. No redirect is followed, no proxy asked and no connection used twice.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{Either, select};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, HOST, HeaderMap, HeaderValue,
    USER_AGENT,
};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::Url;
use zeroize::Zeroizing;

use super::unpack::Unpack;
use super::{Bounds, Request, Why};

const AGENT: &str = concat!("dashtam/", env!("CARGO_PKG_VERSION"));

/// Makes connections.
#[derive(Clone)]
pub(super) struct Wire {
    tls: TlsConnector,
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

impl Wire {
    pub fn new(roots: RootCertStore, bounds: Bounds) -> Self {
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Self { tls: TlsConnector::from(Arc::new(config)), bounds }
    }

    /// Sends it and takes in what comes back. The answer to one that waits longer than `total` is lost.
    pub async fn exchange(&self, request: &Request, total: Duration) -> Result<Raw, Lost> {
        // Told also where the whole is given up from outside.
        let sent = AtomicBool::new(false);
        let done = timeout(total, self.begin(request, &sent)).await;
        done.unwrap_or(Err(Why::TimedOut))
            .map_err(|why| Lost { why, sent: sent.load(Ordering::Relaxed) })
    }

    async fn begin(&self, request: &Request, sent: &AtomicBool) -> Result<Raw, Why> {
        let url = &request.url;
        let made = asked(request).ok_or(Why::Malformed)?;
        let connected = timeout(self.bounds.connect, connect(url)).await;
        let stream = connected.map_err(|_| Why::Unreachable)?.map_err(|_| Why::Unreachable)?;
        match url.scheme() {
            "http" => self.talk(TokioIo::new(stream), made, sent).await,
            _ => {
                let name = url.host_str().unwrap_or_default();
                let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
                let name = ServerName::try_from(name).map_err(|_| Why::Unreachable)?;
                let trusted = timeout(self.bounds.connect, self.tls.connect(name, stream)).await;
                let trusted = trusted.map_err(|_| Why::Unreachable)?;
                let stream = trusted.map_err(|_| Why::Unreachable)?;
                self.talk(TokioIo::new(stream), made, sent).await
            }
        }
    }

    async fn talk<S>(
        &self,
        stream: TokioIo<S>,
        request: hyper::Request<Full<Bytes>>,
        sent: &AtomicBool,
    ) -> Result<Raw, Why>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let shaken = http1::handshake(stream).await;
        let (mut sender, connection) = shaken.map_err(|_| Why::Unreachable)?;
        let exchange = pin!(async {
            sent.store(true, Ordering::Relaxed);
            let head = timeout(self.bounds.idle, sender.send_request(request)).await;
            let answer = head.map_err(|_| Why::TimedOut)?.map_err(|_| Why::Broken)?;
            self.take_in(answer).await
        });
        // The connection does the work while the exchange waits for it.
        match select(exchange, pin!(connection)).await {
            Either::Left((done, _)) => done,
            Either::Right((_, exchange)) => exchange.await,
        }
    }

    async fn take_in(&self, answer: hyper::Response<hyper::body::Incoming>) -> Result<Raw, Why> {
        let (head, mut body) = answer.into_parts();
        let encoding =
            head.headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"));
        let mut unpack = Unpack::of(encoding, self.bounds.body).ok_or(Why::Broken)?;
        // What is packed is no larger than what it was.
        let mut left = self.bounds.body;
        while let Some(frame) =
            timeout(self.bounds.idle, body.frame()).await.map_err(|_| Why::TimedOut)?
        {
            let Ok(part) = frame.map_err(|_| Why::Broken)?.into_data() else { continue };
            left = left.checked_sub(part.len()).ok_or(Why::TooLarge)?;
            unpack.take(&part)?;
        }
        Ok(Raw { status: head.status.as_u16(), headers: head.headers, body: unpack.end()? })
    }
}

/// The request as it goes out.
fn asked(request: &Request) -> Option<hyper::Request<Full<Bytes>>> {
    let url = &request.url;
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str()?),
        None => url.host_str()?.to_owned(),
    };
    let body = request.body.clone();
    let length = body.as_ref().map(Vec::len);
    let mut made = hyper::Request::new(Full::new(Bytes::from(body.unwrap_or_default())));
    *made.method_mut() = request.method.clone();
    *made.uri_mut() = request.target()?;
    let headers = made.headers_mut();
    *headers = request.headers.clone();
    headers.insert(HOST, HeaderValue::from_str(&host).ok()?);
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Some(made)
}

/// Tries each address that the name has, so that one that leads nowhere does not take all the time.
async fn connect(url: &Url) -> io::Result<TcpStream> {
    const EACH: Duration = Duration::from_secs(3);
    let name = url.host_str().unwrap_or_default();
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().unwrap_or_default();
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    let mut addresses = lookup_host((name, port)).await?.peekable();
    while let Some(address) = addresses.next() {
        let connecting = TcpStream::connect(address);
        // The last one has all the time that is left.
        let tried = match addresses.peek() {
            Some(_) => {
                timeout(EACH, connecting).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
            }
            None => connecting.await,
        };
        match tried {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
