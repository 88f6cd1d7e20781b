//! The HTTP client against a server on this machine that misbehaves: what is tried again, what is
//! given up, what is never sent, and that no message tells more than a host and a reason.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod support;

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use dashtam::clock::Clock;
use dashtam::http::{
    Answer, Bounds, Client, Error, Gate, Hosts, Limit, Request, Surroundings, Unsent, Used, Why,
};
use dashtam::model::Secret;
use flate2::Compression;
use flate2::write::GzEncoder;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use support::engines::engines;
use support::root;
use support::server::{Asked, End, Reply, Server};

const CANARY: &str = "c4n4ry-t0ken";
const DAY: TimeDelta = TimeDelta::days(1);

fn noon() -> DateTime<Utc> {
    "2024-03-01T12:00:00Z".parse().unwrap()
}

/// A client whose day stands still, and which notes how long it would have waited.
struct Caller {
    around: Surroundings,
    bounds: Bounds,
    gate: Gate,
    rests: Arc<Mutex<Vec<Duration>>>,
}

impl Caller {
    fn new() -> Self {
        let rests = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&rests);
        let around = Surroundings {
            trusted: RootCertStore::empty(),
            clock: Clock::fixed(noon(), chrono_tz::UTC),
            chance: Arc::new(|| 0),
            rest: Arc::new(move |pause| {
                noted.lock().unwrap().push(pause);
                Box::pin(async {})
            }),
        };
        let gate = Gate::new(Hosts::ThisMachine, &[], &[], noon());
        let short = Duration::from_millis(300);
        let (connect, total) = (Duration::from_secs(1), Duration::from_secs(100));
        let bounds = Bounds { connect, idle: short, total, ..Bounds::default() };
        Self { around, bounds, gate, rests }
    }

    fn at(&mut self, now: DateTime<Utc>) {
        self.around.clock = Clock::fixed(now, chrono_tz::UTC);
    }

    async fn send(&mut self, request: &Request) -> Result<Answer, Error> {
        // One provider of TLS, as the program itself has it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::new(self.bounds, self.around.clone());
        client.send(&mut self.gate, request, async |_| Ok(())).await
    }

    async fn get(&mut self, server: &Server) -> Result<Answer, Error> {
        self.send(&get(server)).await
    }

    fn rests(&self) -> Vec<u64> {
        let seconds = |rest: &Duration| u64::try_from(rest.as_millis()).unwrap();
        self.rests.lock().unwrap().drain(..).map(|rest| seconds(&rest)).collect()
    }
}

fn get(server: &Server) -> Request {
    Request::get(format!("{}/accounts", server.base).parse().unwrap())
}

fn post(server: &Server) -> Request {
    Request::post_once(format!("{}/claim", server.base).parse().unwrap())
}

/// Answers in turn, the last one again and again.
fn in_turn(replies: Vec<fn() -> Reply>) -> Server {
    let turn = AtomicUsize::new(0);
    Server::new(move |_| {
        let at = turn.fetch_add(1, Ordering::Relaxed).min(replies.len() - 1);
        replies[at]()
    })
}

fn well() -> Reply {
    Reply::json("{\"well\":true}")
}

fn why(answer: Result<Answer, Error>) -> Why {
    answer.map(|answer| answer.status).unwrap_err().why
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_arrives_as_it_was_built() {
    let server =
        Server::new(|_| Reply::new(200, &[("date", "Fri, 01 Mar 2024 12:07:00 GMT")], "{}"));
    let mut caller = Caller::new();
    let base = server.base.replace("http://", "http://me%40home:pass%2Fword@");
    let request = Request::get(format!("{base}/simplefin/accounts?version=2").parse().unwrap());
    let request = request.query("start-date", "1 & 2").header("x-plain", "yes");
    let answer = caller.send(&request).await.unwrap();
    assert!(answer.is_well());
    assert_eq!(answer.body.as_slice(), b"{}");
    assert_eq!(answer.date.unwrap() - noon(), TimeDelta::minutes(7));
    let form = post(&server).form(&[("grant_type", "refresh_token"), ("refresh_token", "a+b/c=")]);
    caller.send(&form).await.unwrap();
    caller.send(&post(&server).bearer(&Secret::new("abc".to_owned()))).await.unwrap();
    let asked = server.asked();
    let [first, second, third] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(first.path, "/simplefin/accounts?version=2&start-date=1+%26+2");
    assert_eq!(first.header("authorization"), Some("Basic bWVAaG9tZTpwYXNzL3dvcmQ="));
    assert_eq!(first.header("host"), server.base.strip_prefix("http://"));
    assert_eq!((first.header("x-plain"), first.header("content-length")), (Some("yes"), None));
    assert!(first.header("user-agent").unwrap().starts_with("dashtam/"));
    assert_eq!(second.body, "grant_type=refresh_token&refresh_token=a%2Bb%2Fc%3D");
    assert_eq!(third.header("content-length"), Some("0"), "of nothing, too");
    assert_eq!(third.header("authorization"), Some("Bearer abc"));
}

/// F33, F35: what is read is asked again, what is handed over is handed over once.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_answer_is_asked_for_again_unless_that_does_something_twice() {
    fn gzip() -> Reply {
        let mut out = GzEncoder::new(Vec::new(), Compression::default());
        out.write_all(&[b'x'; 9000]).unwrap();
        Reply::new(200, &[("content-encoding", "gzip")], out.finish().unwrap())
    }
    fn cut_gzip() -> Reply {
        let whole = gzip().bytes;
        let body = whole.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        Reply::new(200, &[("content-encoding", "gzip")], &whole[body..whole.len() - 9])
    }
    fn chunked() -> Reply {
        let text = "HTTP/1.1 200 Well\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
        Reply { bytes: text.as_bytes().to_vec(), end: End::Close }
    }
    let broken: [(fn() -> Reply, Why); 8] = [
        (|| well().cut(3), Why::Broken),
        (|| well().cut(3).ending(End::Reset), Why::Broken),
        (|| well().cut(30).ending(End::Stall(Duration::from_secs(2))), Why::TimedOut),
        (|| Reply { bytes: Vec::new(), end: End::Close }, Why::Broken),
        (cut_gzip, Why::Broken),
        (chunked, Why::Broken),
        (|| Reply::new(502, &[], ""), Why::Failing(502)),
        (|| Reply::new(503, &[], ""), Why::Failing(503)),
    ];
    for (number, (reply, reason)) in broken.into_iter().enumerate() {
        let mut caller = Caller::new();
        let server = in_turn(vec![reply, reply, gzip]);
        let answer = caller.get(&server).await.unwrap();
        assert_eq!(answer.body.len(), 9000, "{number}");
        assert_eq!(caller.rests(), [250, 500], "{number}: each pause twice as long");
        let server = in_turn(vec![reply]);
        assert_eq!(why(caller.get(&server).await), reason, "{number}");
        assert_eq!(server.asked().len(), 4, "{number}: it is given up");
        let mut caller = Caller::new();
        let server = in_turn(vec![reply, well]);
        let error = caller.send(&post(&server)).await.map(|_| ()).unwrap_err();
        assert_eq!((error.why, error.sent), (reason, true), "{number}");
        assert_eq!(server.asked().len(), 1, "{number}: never twice");
    }
}

/// F34.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_slow_is_left() {
    let silent = |_: &Asked| Reply { bytes: Vec::new(), end: End::Stall(Duration::from_secs(20)) };
    let drip = |_: &Asked| well().ending(End::Drip(Duration::from_millis(100)));
    for server in [Server::new(silent), Server::new(drip)] {
        let mut caller = Caller::new();
        caller.bounds.total = Duration::from_millis(1500);
        let start = Instant::now();
        assert_eq!(why(caller.get(&server).await), Why::TimedOut);
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    }
}

/// F40, F9: at once, and without the memory for it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_larger_than_right_is_not_taken_in() {
    let mut out = GzEncoder::new(Vec::new(), Compression::best());
    out.write_all(&vec![0; 64 << 20]).unwrap();
    let bomb = out.finish().unwrap();
    let server = Server::new(move |asked| match asked.path.as_str() {
        "/accounts" => Reply::new(200, &[("content-encoding", "gzip")], &bomb),
        _ => Reply::new(200, &[], vec![b'x'; 3 << 20]),
    });
    let mut caller = Caller::new();
    caller.bounds.body = 2 << 20;
    let start = Instant::now();
    assert_eq!(why(caller.get(&server).await), Why::TooLarge);
    assert_eq!(why(caller.send(&post(&server)).await), Why::TooLarge);
    assert!(start.elapsed() < Duration::from_secs(4));
    assert_eq!(server.asked().len(), 2, "it would be no smaller the next time");
}

/// F39.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_sends_us_elsewhere() {
    let other = Arc::new(Server::new(|_| well()));
    for status in [301, 302, 303, 307, 308] {
        for to in [format!("{}/x", other.base), "http://127.0.0.1/".into(), "file:///etc/x".into()]
        {
            let server = Server::new(move |_| Reply::new(status, &[("location", &to)], ""));
            let mut caller = Caller::new();
            assert_eq!(why(caller.get(&server).await), Why::Redirected);
            assert_eq!(why(caller.send(&post(&server)).await), Why::Redirected);
        }
    }
    assert_eq!(other.asked(), []);
    let mut caller = Caller::new();
    caller.gate = Gate::new(Hosts::Named(vec!["bank.example".to_owned()]), &[], &[], noon());
    let error = caller.get(&other).await.map(|_| ()).unwrap_err();
    assert_eq!((error.why, error.sent), (Why::NotAllowed, false));
    assert_eq!(other.asked(), []);
}

/// F32.
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_to_wait_is_waited_for() {
    fn limited(after: &str) -> Reply {
        Reply::new(429, &[("retry-after", after)], "")
    }
    let replies: [(fn() -> Reply, u64); 4] = [
        (|| limited("7"), 7_000),
        // Never at once, whatever it says.
        (|| limited("0"), 250),
        (|| limited("Fri, 01 Mar 2024 12:00:30 GMT"), 30_000),
        (|| Reply::new(503, &[("retry-after", "9")], ""), 9_000),
    ];
    for (reply, pause) in replies {
        let mut caller = Caller::new();
        let server = in_turn(vec![reply, well]);
        assert!(caller.get(&server).await.unwrap().is_well());
        assert_eq!(caller.rests(), [pause]);
    }
    for (reply, hours) in [
        ((|| limited("7200")) as fn() -> Reply, 2),
        (|| limited("1000000000"), 24),
        (|| limited("Fri, 01 Mar 2024 15:00:00 GMT"), 3),
    ] {
        let mut caller = Caller::new();
        let server = in_turn(vec![reply, well]);
        let error = caller.get(&server).await.map(|_| ()).unwrap_err();
        assert_eq!(error.until(), Some(noon() + TimeDelta::hours(hours)));
        assert_eq!((server.asked().len(), caller.rests().len()), (1, 0), "later, and told when");
    }
    // Where nothing that is meant is said of when, a limit that is spent is left alone for a minute.
    let silent: [fn() -> Reply; 3] =
        [|| Reply::new(429, &[], ""), || limited("-4"), || limited("soon")];
    for reply in silent {
        let mut caller = Caller::new();
        let server = in_turn(vec![reply, well]);
        let error = caller.get(&server).await.map(|_| ()).unwrap_err();
        assert_eq!(error.until(), Some(noon() + TimeDelta::minutes(1)));
        assert_eq!((server.asked().len(), caller.rests().len()), (1, 0));
    }
}

/// F36.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_for_people_is_no_answer_and_no_refusal() {
    let pages: [fn() -> Reply; 3] = [
        || Reply::new(200, &[("content-type", "text/html; charset=utf-8")], "<p>Sign in"),
        || Reply::new(403, &[], "\u{feff} <!DOCTYPE html><title>Access Denied</title>"),
        || Reply::new(401, &[], "<HTML></HTML>"),
    ];
    for page in pages {
        let mut caller = Caller::new();
        let error = caller.get(&in_turn(vec![page])).await.map(|_| ()).unwrap_err();
        assert_eq!(error.why, Why::WebPage);
        assert!(error.is_transient());
    }
    for status in [400, 401, 402, 403, 404] {
        let server = Server::new(move |_| Reply::new(status, &[], "{\"error\":\"no\"}"));
        let answer = Caller::new().get(&server).await.unwrap();
        assert_eq!((answer.status, answer.is_well()), (status, false));
        assert_eq!((answer.body.as_slice(), server.asked().len()), (&b"{\"error\":\"no\"}"[..], 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_fails_is_left_to_rest_and_tried_once() {
    let fails = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let failing = Arc::clone(&fails);
    let server = Server::new(move |_| match failing.load(Ordering::Relaxed) {
        true => Reply::new(500, &[], ""),
        false => well(),
    });
    let mut caller = Caller::new();
    assert_eq!(why(caller.get(&server).await), Why::Failing(500));
    // The fifth failure in a row.
    let resting = why(caller.get(&server).await);
    let until = noon() + TimeDelta::seconds(30);
    assert_eq!((resting, server.asked().len()), (Why::Resting(until), 5));
    assert_eq!(why(caller.get(&server).await), resting);
    assert_eq!(server.asked().len(), 5, "nothing is sent meanwhile");
    caller.at(until);
    let longer = Why::Resting(until + TimeDelta::seconds(60));
    assert_eq!((why(caller.get(&server).await), server.asked().len()), (longer, 6), "one try");
    caller.at(until + TimeDelta::seconds(60));
    fails.store(false, Ordering::Relaxed);
    assert!(caller.get(&server).await.unwrap().is_well());
    fails.store(true, Ordering::Relaxed);
    assert_eq!(why(caller.get(&server).await), Why::Failing(500));
    assert_eq!(server.asked().len(), 11, "as before");
}

/// 28: over restarts, in whatever process, and remembered before anything is sent.
#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_a_day_holds_over_restarts() {
    const LIMITS: [Limit; 2] =
        [Limit { most: 3, span: DAY }, Limit { most: 1, span: TimeDelta::seconds(5) }];
    for engine in engines().await {
        let store = &engine.session.store;
        let server = Server::new(|_| well());
        let mut caller = Caller::new();
        for hour in 0..5 {
            // Each time as after a restart.
            let now = noon() + TimeDelta::hours(hour);
            caller.at(now);
            let used = store.used_of("bank").await.unwrap();
            caller.gate = Gate::new(Hosts::ThisMachine, &LIMITS, &used, now);
            let client = Client::new(caller.bounds, caller.around.clone());
            let keep = |used: Used| async move {
                store.keep_used("bank", &used).await.map_err(|_| Unsent::NotRemembered)
            };
            let answer = client.send(&mut caller.gate, &get(&server), keep).await;
            match answer {
                Ok(_) => assert!(hour < 3, "in hour {hour}"),
                Err(error) => {
                    let until = Some(noon() + DAY);
                    assert_eq!((error.until(), error.sent), (until, false), "in hour {hour}");
                    assert!(error.to_string().contains("3 requests in a day"), "{error}");
                    assert!(hour >= 3);
                }
            }
        }
        assert_eq!(server.asked().len(), 3, "on {}", engine.name);
        let mut fresh = Gate::new(Hosts::ThisMachine, &LIMITS, &[], noon());
        let client = Client::new(caller.bounds, caller.around.clone());
        let forgets = async |_| Err(Unsent::NotRemembered);
        let error = client.send(&mut fresh, &get(&server), forgets).await.map(|_| ()).unwrap_err();
        assert_eq!((error.why, error.sent), (Why::NotRemembered, false));
        assert_eq!(server.asked().len(), 3, "what is not remembered is not sent");
        engine.close().await;
    }
}

/// T12: nothing is sent to somebody who cannot prove who they are.
#[tokio::test(flavor = "multi_thread")]
async fn only_who_proves_who_they_are_is_spoken_with() {
    let trust = |name: &str| {
        let der = std::fs::read(root().join("tests/fixtures/tls").join(format!("{name}.der")));
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(der.unwrap())).unwrap();
        roots
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let login = Secret::new(CANARY.to_owned());
    for (name, trusted, well) in [
        ("loopback", trust("loopback"), true),
        ("loopback", RootCertStore::empty(), false),
        ("loopback", trust("elsewhere"), false),
        ("expired", trust("expired"), false),
        ("elsewhere", trust("elsewhere"), false),
    ] {
        let server = Server::tls(name, |_| Reply::json("{}"));
        let mut caller = Caller::new();
        caller.around.trusted = trusted;
        let answer = caller.send(&post(&server).bearer(&login)).await;
        assert_eq!(answer.is_ok(), well, "{name}");
        if let Err(error) = answer {
            assert_eq!((error.why, error.sent), (Why::Unreachable, false), "{name}");
        }
        assert_eq!(server.asked().len(), usize::from(well), "{name}");
    }
    // Nobody there at all: tried again even where it is sent once, since nothing was.
    let server = Server::new(|_| Reply::json("{}"));
    let gone = post(&server);
    drop(server);
    let mut caller = Caller::new();
    let error = caller.send(&gone).await.map(|_| ()).unwrap_err();
    assert_eq!((error.why, error.sent, caller.rests().len()), (Why::Unreachable, false, 3));
}

/// T16.
#[tokio::test(flavor = "multi_thread")]
async fn no_message_holds_a_secret() {
    let server = Server::new(|asked| match asked.path.as_bytes().last() {
        Some(b'1') => Reply::new(500, &[("x-secret", CANARY)], CANARY),
        Some(b'2') => Reply::new(302, &[("location", CANARY)], CANARY),
        Some(b'3') => Reply::new(200, &[("content-type", "text/html")], CANARY),
        _ => Reply::json(CANARY).cut(2),
    });
    for number in 1..=4 {
        let base = server.base.replace("http://", &format!("http://{CANARY}:{CANARY}@"));
        let url = format!("{base}/{CANARY}/x").parse().unwrap();
        let secret = Secret::new(CANARY.to_owned());
        let request = Request::post_to_read(url).secret_header("x-key", &secret);
        let request = request.form(&[("token", CANARY)]).query("key", CANARY);
        let request = request.query("n", &number.to_string());
        let error = Caller::new().send(&request).await.map(|_| ()).unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(told.contains("127.0.0.1") && !told.contains(CANARY), "{told}");
    }
}
