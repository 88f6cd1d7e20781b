//! A server on this machine that answers as a test wants, over plain or TLS connections, and keeps what
//! it was asked. It is as rude as it is told to be.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::root;

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub method: String,
    /// With what is behind the question mark.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What is said, and how it ends.
pub struct Reply {
    pub bytes: Vec<u8>,
    pub end: End,
}

/// What becomes of a connection once all is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Close,
    /// Nothing more comes, for so long.
    Stall(Duration),
    /// Byte after byte, with this pause.
    Drip(Duration),
    /// The connection breaks.
    Reset,
}

impl Reply {
    /// A whole answer.
    pub fn new(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut bytes = format!("HTTP/1.1 {status} Word\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            bytes.push_str(&format!("{name}: {value}\r\n"));
        }
        bytes.push_str("\r\n");
        let mut bytes = bytes.into_bytes();
        bytes.extend_from_slice(body);
        Self { bytes, end: End::Close }
    }

    pub fn json(body: &str) -> Self {
        Self::new(200, &[("content-type", "application/json")], body)
    }

    /// The same with the last bytes missing.
    pub fn cut(mut self, missing: usize) -> Self {
        self.bytes.truncate(self.bytes.len() - missing);
        self
    }

    pub fn ending(self, end: End) -> Self {
        Self { end, ..self }
    }
}

/// A server for as long as this is there.
pub struct Server {
    pub base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
    port: u16,
    listener: Option<JoinHandle<()>>,
}

impl Server {
    /// Over plain connections.
    pub fn new(respond: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::start("http", None, respond)
    }

    /// Over TLS, with one of the certificates in `fixtures/tls`.
    pub fn tls(name: &str, respond: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let read =
            |file: String| std::fs::read(root().join("tests/fixtures/tls").join(file)).unwrap();
        let certificate = CertificateDer::from(read(format!("{name}.der")));
        let key = PrivateKeyDer::try_from(read(format!("{name}.key.der"))).unwrap();
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![certificate], key).unwrap();
        Self::start("https", Some(Arc::new(config)), respond)
    }

    fn start(
        scheme: &str,
        tls: Option<Arc<ServerConfig>>,
        respond: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (stop, respond) = (Arc::new(AtomicBool::new(false)), Arc::new(respond));
        let (log, stopped) = (Arc::clone(&asked), Arc::clone(&stop));
        let listener = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (log, respond, tls) = (Arc::clone(&log), Arc::clone(&respond), tls.clone());
                thread::spawn(move || {
                    stream.set_nodelay(true).unwrap();
                    let _ = match tls {
                        None => serve(stream.try_clone().unwrap(), &stream, &log, &*respond),
                        Some(config) => {
                            let tls = ServerConnection::new(config).unwrap();
                            let both = StreamOwned::new(tls, stream.try_clone().unwrap());
                            serve(both, &stream, &log, &*respond)
                        }
                    };
                });
            }
        });
        let base = format!("{scheme}://127.0.0.1:{port}");
        Self { base, asked, stop, port, listener: Some(listener) }
    }

    /// All that was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        // Afterwards nobody listens there.
        drop(self.listener.take().map(JoinHandle::join));
    }
}

fn serve(
    mut stream: impl Read + Write,
    raw: &TcpStream,
    log: &Mutex<Vec<Asked>>,
    respond: &(impl Fn(&Asked) -> Reply + ?Sized),
) -> std::io::Result<()> {
    let Some(asked) = read(&mut stream)? else { return Ok(()) };
    log.lock().unwrap().push(asked.clone());
    let Reply { bytes, end } = respond(&asked);
    match end {
        End::Drip(pause) => {
            for byte in bytes {
                stream.write_all(&[byte])?;
                stream.flush()?;
                thread::sleep(pause);
            }
        }
        End::Close | End::Stall(_) | End::Reset => {
            stream.write_all(&bytes)?;
            stream.flush()?;
        }
    }
    match end {
        End::Stall(pause) => thread::sleep(pause),
        End::Reset => return raw.shutdown(Shutdown::Both),
        End::Close | End::Drip(_) => {}
    }
    raw.shutdown(Shutdown::Write)
}

fn read(stream: &mut impl Read) -> std::io::Result<Option<Asked>> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        match stream.read(&mut part)? {
            0 => return Ok(None),
            count => bytes.extend_from_slice(&part[..count]),
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let pair = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_lowercase(), value.trim().to_owned()))
    };
    let headers: Vec<_> = lines.filter_map(pair).collect();
    let mut asked = Asked { method, path, headers, body: String::new() };
    let length = asked.header("content-length").map_or(0, |text| text.parse().unwrap());
    while bytes.len() < end + length {
        match stream.read(&mut part)? {
            0 => return Ok(None),
            count => bytes.extend_from_slice(&part[..count]),
        }
    }
    asked.body = String::from_utf8_lossy(&bytes[end..]).into_owned();
    Ok(Some(asked))
}
