//! Waiting for a browser to come back: only the right address ends it, whatever else is asked, and
//! nobody but this machine can ask.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::io::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use dashtam::clock::Clock;
use dashtam::model::{App, OAuthSpec, Secret};
use dashtam::oauth::{Certificate, Listener, Login, NotListening};
use support::browser::{ask, browse, free_port};

const SPEC: OAuthSpec = OAuthSpec {
    authorize: "/authorize",
    token: "/token",
    issuer: "https://bank.example",
    portal: "https://developer.bank.example",
    pkce: true,
    scope: None,
    consent: TimeDelta::days(7),
    access: TimeDelta::minutes(30),
};

/// A question whose answer comes to a port that is free.
struct Asked {
    login: Login,
    port: u16,
    certificate: String,
}

impl Asked {
    fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let port = free_port();
        let app = App { key: "KEY".to_owned(), secret: Secret::new("secret".to_owned()) };
        let url = "https://bank.example/authorize".parse().unwrap();
        let login = Login::begin(&SPEC, url, &format!("https://127.0.0.1:{port}"), &app).unwrap();
        let today = Clock::system(chrono_tz::UTC).today();
        let certificate = Certificate::make(today).unwrap().expose().to_owned();
        Self { login, port, certificate }
    }

    fn answer(&self, code: &str) -> String {
        let state = self.login.url().query_pairs().find(|(key, _)| key == "state").unwrap().1;
        format!("https://127.0.0.1:{}/?code={code}&state={state}", self.port)
    }

    async fn listener(&self) -> Result<Listener, NotListening> {
        let kept = Certificate::of(&Secret::new(self.certificate.clone())).unwrap();
        Listener::begin(self.login.callback(), kept.shown, kept.key).await
    }
}

/// F72.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_right_address_ends_the_wait() {
    let asked = Asked::new();
    let listener = asked.listener().await.unwrap();
    let (right, port) = (asked.answer("C0.abc%40"), asked.port);
    let certificate = asked.certificate.clone();
    let (begun, sent) = (Instant::now(), right.clone());
    let browser = thread::spawn(move || {
        let certificate = certificate.as_bytes();
        // Who is slow, and who says nothing in the right language, holds up nobody.
        let idle: Vec<_> =
            (0..20).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
        let mut plain = TcpStream::connect(("127.0.0.1", port)).unwrap();
        plain.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let get = |target: &str, host: &str| {
            let head = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            ask(certificate, ("127.0.0.1", port), head.as_bytes()).unwrap()
        };
        let here = format!("127.0.0.1:{port}");
        let target = sent.split_once(&here).unwrap().1;
        assert!(get("/favicon.ico", &here).starts_with("HTTP/1.1 404"));
        assert!(get("/?code=x&state=00", &here).starts_with("HTTP/1.1 404"));
        assert!(get(&format!("/other{target}"), &here).starts_with("HTTP/1.1 404"));
        assert!(get(target, &format!("evil.example:{port}")).starts_with("HTTP/1.1 404"));
        let posted = format!("POST {target} HTTP/1.1\r\nHost: {here}\r\n\r\n");
        let told = ask(certificate, ("127.0.0.1", port), posted.as_bytes()).unwrap();
        assert!(told.starts_with("HTTP/1.1 404"), "{told}");
        let long = format!("/?code={}", "x".repeat(1 << 20));
        assert_eq!(get(&long, &here), "", "a path of a megabyte is not read");
        let page = browse(certificate, &sent).unwrap();
        assert!(page.starts_with("HTTP/1.1 200") && !page.contains("C0.abc"), "{page}");
        drop(idle);
    });
    let answer = listener.wait(&asked.login, Duration::from_mins(1)).await.unwrap();
    assert_eq!(answer.expose(), right);
    let code = asked.login.read(&answer).unwrap();
    assert_eq!((code.code.expose(), code.verifier.unwrap().len()), ("C0.abc@", 64));
    browser.join().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "nobody listens any more");
}

/// F73, F75: a refusal ends it too, a time that is over, a port that is taken.
#[tokio::test(flavor = "multi_thread")]
async fn it_ends_cleanly() {
    let asked = Asked::new();
    let listener = asked.listener().await.unwrap();
    let second = asked.listener().await.err().unwrap();
    assert!(matches!(second, NotListening::Taken(..)), "{second}");
    let denied = asked.answer("").replace("code=", "error=access_denied");
    let certificate = asked.certificate.clone();
    let address = denied.clone();
    let browser = thread::spawn(move || browse(certificate.as_bytes(), &address));
    let answer = listener.wait(&asked.login, Duration::from_mins(1)).await.unwrap();
    assert!(asked.login.read(&answer).err().unwrap().to_string().contains("access_denied"));
    browser.join().unwrap().unwrap();
    let listener = asked.listener().await.unwrap();
    assert!(listener.wait(&asked.login, Duration::from_millis(50)).await.is_none());
    assert!(TcpStream::connect(("127.0.0.1", asked.port)).is_err());
}
