//! A browser on this machine, for one page: it trusts one certificate, as somebody who went on. And
//! where it comes back to.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// A port of this machine at which nobody listens.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What comes for an address; none: nobody is there.
pub fn browse(certificate: &[u8], address: &str) -> Option<String> {
    let url = url::Url::parse(address).unwrap();
    let (host, port) = (url.host_str().unwrap(), url.port_or_known_default().unwrap());
    let target = &address[url.origin().ascii_serialization().len()..];
    let head = format!("GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
    ask(certificate, (host, port), head.as_bytes())
}

/// What comes for some bytes.
pub fn ask(certificate: &[u8], (host, port): (&str, u16), bytes: &[u8]) -> Option<String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let stream = TcpStream::connect((host, port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificate).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let tls = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(tls, stream);
    // Whoever has heard enough may hang up.
    let _ = stream.write_all(bytes);
    let mut told = Vec::new();
    let _ = stream.read_to_end(&mut told);
    Some(String::from_utf8_lossy(&told).into_owned())
}
