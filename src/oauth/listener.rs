//! Waits on this machine for the browser to come back: over TLS, on the loopback address alone, for one
//! answer to one question, and not for long. Whoever asks for anything else is told that there is
//! nothing, and nothing of what was asked is kept or said.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::Login;
use crate::model::Secret;

/// How long it waits.
pub const PATIENCE: Duration = Duration::from_mins(5);
/// How long one connection may take, how much it may ask, and how many there may be.
const SLOWEST: Duration = Duration::from_secs(10);
const LONGEST: usize = 16 << 10;
const MOST: usize = 32;
const BREATH: Duration = Duration::from_millis(50);

const DONE: &str = "dashtam has the answer; this page can be closed.";
const NOTHING: &str = "There is nothing here.";

/// Why nobody waits.
#[derive(Debug, thiserror::Error)]
pub enum NotListening {
    /// The browser is sent elsewhere.
    #[error("{0} is no address of this machine with a number for its port")]
    Elsewhere(String),
    /// Another program has the port, or it is not allowed.
    #[error("{0} cannot be waited at: {1}")]
    Taken(String, std::io::Error),
    /// The machine gives nobody who could wait.
    #[error("waiting cannot begin: {0}")]
    Started(std::io::Error),
    /// It ended before it began.
    #[error("waiting ended before it began")]
    Ended,
    /// What is kept of the certificate is none.
    #[error(
        "the certificate for the browser cannot be used; remove callback.pem from the data folder, and a new one is made"
    )]
    Certificate,
}

/// Waits for a browser.
pub struct Listener {
    tcp: TcpListener,
    tls: TlsAcceptor,
}

impl Listener {
    /// Begins to wait where the browser is sent back to, which must be a loopback address in figures:
    /// a name may lead elsewhere.
    ///
    /// # Errors
    /// When that is elsewhere, or somebody else has the port.
    pub async fn begin(
        callback: &str,
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, NotListening> {
        let address = loopback(callback);
        let address = address.ok_or_else(|| NotListening::Elsewhere(callback.to_owned()))?;
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![certificate], key);
        let config = config.map_err(|_| NotListening::Certificate)?;
        let tcp = TcpListener::bind(address).await;
        let tcp = tcp.map_err(|error| NotListening::Taken(callback.to_owned(), error))?;
        Ok(Self { tcp, tls: TlsAcceptor::from(Arc::new(config)) })
    }

    /// The address that the browser came back with, once it answers the question of a login; none: it
    /// did not come in time. Nobody listens afterwards.
    pub async fn wait(self, login: &Login, patience: Duration) -> Option<Secret> {
        let mut open = FuturesUnordered::new();
        let all = async {
            loop {
                tokio::select! {
                    accepted = self.tcp.accept(), if open.len() < MOST => match accepted {
                        Ok((stream, _)) => {
                            let served = serve(stream, self.tls.clone(), login);
                            open.push(timeout(SLOWEST, served));
                        }
                        // The whole system has no room for one more: that passes.
                        Err(_) => tokio::time::sleep(BREATH).await,
                    },
                    served = open.next(), if !open.is_empty() => {
                        if let Some(Ok(Some(answer))) = served {
                            return answer;
                        }
                    }
                }
            }
        };
        timeout(patience, all).await.ok()
    }
}

/// Where a callback is on this machine.
fn loopback(callback: &str) -> Option<SocketAddr> {
    let url = Url::parse(callback).ok()?;
    let ip = match url.host()? {
        Host::Ipv4(ip) => IpAddr::V4(ip),
        Host::Ipv6(ip) => IpAddr::V6(ip),
        Host::Domain(_) => return None,
    };
    let port = url.port_or_known_default().filter(|port| *port > 0)?;
    (ip.is_loopback() && url.scheme() == "https").then(|| SocketAddr::new(ip, port))
}

/// Answers one question; gives the address if it is the one that is waited for.
async fn serve(stream: TcpStream, tls: TlsAcceptor, login: &Login) -> Option<Secret> {
    let mut stream = tls.accept(stream).await.ok()?;
    let mut asked = Zeroizing::new(Vec::with_capacity(LONGEST));
    while !asked.windows(4).any(|four| four == b"\r\n\r\n") {
        let room = LONGEST.checked_sub(asked.len()).filter(|room| *room > 0)?;
        let mut part = Zeroizing::new([0; 1024]);
        let most = room.min(part.len());
        let count = stream.read(part.get_mut(..most)?).await.ok().filter(|count| *count > 0)?;
        asked.extend_from_slice(part.get(..count)?);
    }
    let address = address_in(&asked, login.callback());
    let answer = address.filter(|address| login.is_answered_by(address));
    let (status, text) = match answer {
        Some(_) => ("200 OK", DONE),
        None => ("404 Not Found", NOTHING),
    };
    let page = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
    // The browser may be gone; its answer is here.
    let _ = stream.write_all(page.as_bytes()).await;
    let _ = stream.shutdown().await;
    answer
}

/// The whole address that is asked for, where it is on this very host: a page elsewhere can lead a
/// browser here by another name.
fn address_in(asked: &[u8], callback: &str) -> Option<Secret> {
    let callback = Url::parse(callback).ok()?;
    let text = std::str::from_utf8(asked).ok()?;
    let mut lines = text.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let hosts = lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim())
    });
    let hosts: Vec<_> = hosts.collect();
    let host = callback.host_str()?;
    let right = callback.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let is_right = method == "GET"
        && version.starts_with("HTTP/1.")
        && target.starts_with('/')
        && hosts == [right.as_str()];
    is_right.then(|| Secret::new(format!("https://{right}{target}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLBACK: &str = "https://127.0.0.1:8182";

    #[test]
    fn only_this_machine_is_listened_at() {
        for (callback, address) in [
            (CALLBACK, Some("127.0.0.1:8182")),
            ("https://127.0.0.1/back", Some("127.0.0.1:443")),
            ("https://[::1]:9000", Some("[::1]:9000")),
            ("https://0.0.0.0:8182", None),
            ("https://192.168.1.7:8182", None),
            ("https://localhost:8182", None),
            ("http://127.0.0.1:8182", None),
            ("https://127.0.0.1:0", None),
        ] {
            assert_eq!(
                loopback(callback).map(|it| it.to_string()).as_deref(),
                address,
                "{callback}"
            );
        }
    }

    /// F72.
    #[test]
    fn only_a_question_for_this_host_is_an_answer() {
        let read = |asked: &str| {
            let address = address_in(asked.as_bytes(), CALLBACK);
            address.map(|address| address.expose().to_owned())
        };
        let right = "GET /?code=a HTTP/1.1\r\nHost: 127.0.0.1:8182\r\naccept: */*\r\n\r\n";
        assert_eq!(read(right).as_deref(), Some("https://127.0.0.1:8182/?code=a"));
        for wrong in [
            right.replace("GET", "POST"),
            right.replace("127.0.0.1:8182", "evil.example:8182"),
            right.replace("127.0.0.1:8182", "localhost:8182"),
            right.replace("Host", "x-host"),
            right.replace("accept: */*", "host: evil.example"),
            right.replace("/?code", "https://evil.example/?code"),
            right.replace("HTTP/1.1", "HTTP/2"),
            String::new(),
        ] {
            assert_eq!(read(&wrong), None, "{wrong:?}");
        }
    }
}
