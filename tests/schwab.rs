//! Schwab end to end: the real program against one on this machine, on both engines. A consent is
//! given over a pasted address, renewed once whoever needs it, and its end is told before it comes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use dashtam::clock::Clock;
use dashtam::config::{Config, Environment, Overrides};
use dashtam::service::refresh::{self, How, Outcome, RefreshRequest, Summary};
use dashtam::service::{Access, Session};
use serde_json::{Value, json};
use support::alpaca::Alpaca;
use support::browser::{browse, free_port};
use support::home::{Home, Ran, document};
use support::postgres::postgres_url;
use support::schwab::{KEY, Rotate, SECRET, Schwab, TOKEN, access_denied, came, refused};
use support::server::Reply;
use support::terminal::{Terminal, dashtam};

/// Waits for something that another process does.
#[track_caller]
fn until(holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn now() -> DateTime<Utc> {
    Clock::system(chrono_tz::UTC).now()
}

/// A server of one's own, which is asked without a pause.
fn config(base: &str, more: &str) -> String {
    format!("[schwab]\nbase_url = \"{base}\"\nrequests_per_minute = 60000\n{more}")
}

/// Somebody with accounts at Schwab, a vault and a store.
struct Person {
    home: Home,
    schwab: Schwab,
    database: Option<String>,
}

impl Person {
    fn new(database: Option<String>) -> Self {
        let (home, schwab) = (Home::new(), Schwab::new(now()));
        let app = home.file("app", &format!("{KEY}\n{SECRET}\n"));
        private(Path::new(&app));
        let base = &schwab.server.base;
        home.file("config.toml", &config(base, "app_file = \"app\"\n"));
        let person = Self { home, schwab, database };
        person.ok("vault init --no-passphrase");
        person
    }

    fn on_each() -> Vec<Self> {
        let server = postgres_url().map(|url| Self::new(Some(url)));
        std::iter::once(Self::new(None)).chain(server).collect()
    }

    fn connected(self) -> Self {
        let ran = self.connect(|address| self.schwab.sign_in(address));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        self
    }

    fn process(&self) -> Command {
        self.home.process(self.database.as_deref())
    }

    fn run(&self, line: &str) -> Ran {
        Ran::of(&self.process().args(line.split(' ')).stdin(Stdio::null()).output().unwrap())
    }

    fn ok(&self, line: &str) -> String {
        let ran = self.run(line);
        assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
        ran.out
    }

    fn json(&self, line: &str) -> Value {
        document(&self.ok(&format!("{line} --json")))
    }

    /// Connects without a terminal: what is printed is answered on the standard input.
    fn connect(&self, answer: impl FnOnce(&str) -> String) -> Ran {
        self.connect_as("connect schwab --paste -vv", answer)
    }

    fn connect_as(&self, line: &str, answer: impl FnOnce(&str) -> String) -> Ran {
        let mut command = self.process();
        command.args(line.split(' ')).stdin(Stdio::piped());
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap());
        let mut told = String::new();
        loop {
            let mut line = String::new();
            if said.read_line(&mut line).unwrap() == 0 {
                break;
            }
            told.push_str(&line);
            if line.starts_with("http") {
                let mut input = process.stdin.take().unwrap();
                input.write_all(answer(line.trim()).as_bytes()).unwrap();
                input.write_all(b"\n").unwrap();
                break;
            }
        }
        std::io::Read::read_to_string(&mut said, &mut told).unwrap();
        let output = process.wait_with_output().unwrap();
        Ran { err: told, ..Ran::of(&output) }
    }

    /// Lets the browser come back to a port of this machine, which is given.
    fn comes_back_here(&self) -> u16 {
        let (base, port) = (&self.schwab.server.base, free_port());
        let callback = format!("https://127.0.0.1:{port}");
        let more = format!("app_file = \"app\"\ncallback = \"{callback}\"\n");
        self.home.file("config.toml", &config(base, &more));
        self.schwab.turn(|knobs| knobs.callback = callback);
        port
    }

    /// Connects on a terminal, as far as to the question for the address.
    fn waits_for_a_browser(&self) -> Terminal {
        let mut command = dashtam(&self.home, "connect schwab");
        command.env("DASHTAM_CONFIG", self.home.path("config.toml"));
        let terminal = Terminal::run(command);
        terminal.see("That address");
        terminal
    }

    /// What a browser that comes back is shown.
    fn certificate(&self) -> Vec<u8> {
        fs::read(self.home.data().join("callback.pem")).unwrap()
    }

    /// Sets the end of the consent, as time would.
    fn consent_ends(&self, at: DateTime<Utc>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (session, _) = self.session(&Clock::system(chrono_tz::UTC)).await;
            let mut tx = session.store.write().await.unwrap();
            let mut row = tx.connections().await.unwrap().remove(0);
            row.consent_expires = Some(at.timestamp_micros());
            tx.update_connection(&row).await.unwrap();
            tx.commit(&format!("ends {at}"), "test", 0).await.unwrap();
            session.close().await;
        });
    }

    /// Asks now, due or not, and gives the exit code and the document.
    fn refresh(&self) -> (i32, Value) {
        let ran = self.run("refresh --force -vv --json");
        (ran.code.unwrap(), document(&ran.out))
    }

    fn connection(&self) -> Value {
        let all = self.json("connections");
        assert_eq!(all["connections"].as_array().unwrap().len(), 1, "{all}");
        all["connections"][0].clone()
    }

    fn account(&self, name: &str) -> Value {
        let all = self.json("report accounts");
        let rows = all["rows"].as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{all}")).clone()
    }

    fn findings(&self, kind: &str) -> Vec<Value> {
        let all = self.json("report findings");
        let all = all["rows"].as_array().unwrap().clone();
        all.into_iter().filter(|row| row["kind"] == kind).collect()
    }

    /// What became of every operation of a name, in the words of the trail.
    fn outcomes(&self, action: &str) -> Vec<String> {
        let all = self.json(&format!("audit list --action {action}"));
        let rows = all["rows"].as_array().unwrap().clone();
        let ended = rows.into_iter().filter(|row| row["state"] != "ATTEMPTED");
        ended.map(|row| row["detail"].as_str().unwrap().to_owned()).collect()
    }

    /// The store in this process, by this clock.
    async fn session(&self, clock: &Clock) -> (Session, Config) {
        let mut environment = vec![
            ("HOME", self.home.root.path().display().to_string()),
            ("DASHTAM_DATA_DIR", self.home.data().display().to_string()),
            ("DASHTAM_CONFIG", self.home.path("config.toml").display().to_string()),
        ];
        environment.extend(self.database.clone().map(|url| ("DASHTAM_DATABASE_URL", url)));
        let _ = rustls::crypto::ring::default_provider().install_default();
        let environment = Environment::new(environment);
        let config = Config::load(&Overrides::default(), &environment).unwrap();
        (Session::open(&config, clock, Access::Existing).await.unwrap(), config)
    }

    /// Refreshes what is due in this process, by a clock that was moved.
    fn refresh_at(&self, at: DateTime<Utc>) -> (Summary, Vec<dashtam::model::Connection>) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (session, config) = self.session(&Clock::fixed(at, chrono_tz::UTC)).await;
            let wait = Duration::from_secs(5);
            let request =
                RefreshRequest { connections: Vec::new(), only: None, force: false, wait };
            let summary = refresh::run(&session, &How::of(&config), None, &request).await.unwrap();
            let known = session.store.read().await.unwrap().connections().await.unwrap();
            session.close().await;
            (summary, known)
        })
    }
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_consent_is_pasted_and_accounts_come() {
    for person in Person::on_each() {
        let person = person.connected();
        let listed = person.connection();
        assert_eq!(
            (&listed["state"], &listed["name"]),
            (&json!("active"), &json!("Charles Schwab"))
        );
        let ends: DateTime<Utc> = listed["consent_expires"].as_str().unwrap().parse().unwrap();
        let hours = (ends - now()).num_hours();
        assert!((166..=168).contains(&hours), "seven days: {ends}");
        let first = person.json("--refresh-only");
        let mine = &first["connections"][0];
        assert_eq!((&first["result"], &mine["skipped"]), (&json!("ok"), &json!([])), "{first}");
        assert_eq!(
            (&mine["accounts"], &mine["consent_expires"]),
            (&json!(2), &listed["consent_expires"])
        );
        // What the seed says that both come to.
        let (trading, cash) = (person.account("Trading"), person.account("Schwab …025"));
        assert_eq!(
            (&trading["kind"], &trading["value"]),
            (&json!("margin"), &json!("4825")),
            "{trading}"
        );
        assert_eq!(
            (&cash["kind"], &cash["value"]),
            (&json!("brokerage"), &json!("3250.1")),
            "{cash}"
        );
        assert_eq!(trading["cash"]["USD"], "1500");
        assert_eq!(trading["institution"], "Charles Schwab");
        assert_eq!(person.findings("reconcile"), [] as [Value; 0]);
        let held = person.json("report holdings");
        let held: Vec<_> = held["rows"].as_array().unwrap().iter().collect();
        let of = |symbol: &str| *held.iter().find(|row| row["symbol"] == symbol).unwrap();
        let (fund, right) = (of("EXIX"), of("EXMP  270115C00060000"));
        assert_eq!((&fund["asset_class"], &fund["price"]), (&json!("etf"), &json!("104")));
        assert_eq!((&right["asset_class"], &right["quantity"]), (&json!("option"), &json!("-1")));
        assert_eq!((&right["price"], &right["value"]), (&json!("1.85"), &json!("-185")));
        // A second time there is nothing new.
        let before = person.ok("export --format canonical");
        let (code, again) = person.refresh();
        let mine = &again["connections"][0];
        assert_eq!(
            (code, &mine["transactions_new"], &mine["transactions_changed"]),
            (0, &json!(0), &json!(0))
        );
        assert_eq!(person.ok("export --format canonical"), before);
        assert_eq!(person.json("rebuild --check")["schema"], "dashtam.rebuild/1");
        person.schwab.no_faults();
        no_secret_below(&person);
    }
}

/// What is said in the place of an answer.
type Said = fn() -> Reply;

/// Tokens that are well but for one thing.
fn odd_tokens(name: &str, value: Value) -> Reply {
    let mut given = json!({"token_type": "Bearer", "expires_in": 1800, "scope": "api",
        "access_token": format!("{TOKEN}-odd"), "refresh_token": format!("{TOKEN}-odder")});
    given[name] = value;
    Reply::json(&given.to_string())
}

fn of_another_kind() -> Reply {
    odd_tokens("token_type", json!("mac"))
}

fn for_something_else() -> Reply {
    odd_tokens("scope", json!("profile"))
}

fn without_end() -> Reply {
    odd_tokens("access_token", json!("x".repeat(1 << 20)))
}

/// F70, F71, F73, F74: what is no answer is refused, and nobody is asked; what comes for one is looked at.
#[test]
fn an_answer_that_is_none_leaves_nothing_behind() {
    let person = Person::new(None);
    let state_of = |address: &str| {
        let url = url::Url::parse(address).unwrap();
        url.query_pairs().find(|(key, _)| key == "state").unwrap().1.into_owned()
    };
    let elsewhere = person.connect(|_| "https://evil.example/?code=C0.x&state=1".to_owned());
    assert_eq!(elsewhere.code, Some(2), "{elsewhere:?}");
    let question = person.connect(str::to_owned);
    assert!(question.code == Some(2) && question.err.contains("sign in at"), "{question:?}");
    let other = person.connect(|_| "https://127.0.0.1:8182/?code=C0.x%40&state=00".to_owned());
    assert!(other.code == Some(2) && other.err.contains("another sign-in"), "{other:?}");
    // F70, F71: without its `state`, or of somebody else.
    let nameless = person.connect(|_| "https://127.0.0.1:8182/?code=C0.x%40".to_owned());
    assert!(nameless.code == Some(2) && nameless.err.contains("another sign-in"), "{nameless:?}");
    let foreign = person.connect(|address| {
        let iss = "iss=https%3A%2F%2Fevil.example";
        format!("https://127.0.0.1:8182/?code=C0.x%40&{iss}&state={}", state_of(address))
    });
    assert!(foreign.code == Some(2) && foreign.err.contains("somebody else"), "{foreign:?}");
    let denied = person.connect(|address| {
        let words = "error=access_denied&error_description=%1B%5B2Jno%07";
        format!("https://127.0.0.1:8182/?{words}&state={}", state_of(address))
    });
    assert_eq!(denied.code, Some(4), "{denied:?}");
    assert!(denied.err.contains("not given") && !denied.err.contains('\u{1b}'), "{denied:?}");
    assert_eq!(person.schwab.server.asked(), [], "no code was exchanged");
    // A code that nobody knows, alone.
    let unknown = person.connect(|_| "C0.nobody%40".to_owned());
    assert_eq!(unknown.code, Some(4), "{unknown:?}");
    person.schwab.turn(|knobs| knobs.answer = Some(("/v1/oauth/token", access_denied)));
    let page = person.connect(|address| person.schwab.sign_in(address));
    assert_eq!(page.code, Some(5), "{page:?}");
    // F74: what comes for the code cannot be shown, or lets nobody read.
    for odd in [of_another_kind, for_something_else, without_end] {
        person.schwab.turn(|knobs| knobs.answer = Some(("/v1/oauth/token", odd)));
        let ran = person.connect(|address| person.schwab.sign_in(address));
        assert_eq!(ran.code, Some(4), "{ran:?}");
        assert!(ran.err.len() < 4096, "{ran:?}");
    }
    person.schwab.turn(|knobs| knobs.answer = None);
    assert_eq!(person.json("connections")["connections"], json!([]));
    assert_eq!(person.json("vault status")["secrets"], 0);
    // The code by itself, as it stands in the address, and as it is.
    for code in [true, false] {
        let ran = person.connect(|address| {
            let ended = person.schwab.sign_in(address);
            let ended = url::Url::parse(&ended).unwrap();
            let plain = ended.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned();
            if code { plain } else { plain.replace('@', "%40") }
        });
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    assert_eq!(person.connection()["state"], "active");
    // Nobody is there to be asked, and no app is known.
    person.run("connect schwab").refused(2, "--paste");
    fs::remove_file(person.home.path("app")).unwrap();
    assert_eq!(person.run("connect schwab --paste").code, Some(2));
    person.schwab.no_faults();
}

#[test]
fn a_person_pastes_on_a_terminal_and_the_app_is_kept() {
    let person = Person::new(None);
    fs::remove_file(person.home.path("app")).unwrap();
    let base = &person.schwab.server.base;
    person.home.file("config.toml", &config(base, ""));
    let connect = |asks_for_app: bool| {
        let mut command = dashtam(&person.home, "connect schwab --paste");
        command.env("DASHTAM_CONFIG", person.home.path("config.toml"));
        let mut terminal = Terminal::run(command);
        if asks_for_app {
            terminal.see("App key");
            terminal.press(&format!("{KEY}\r"));
            terminal.see("App secret");
            terminal.press(&format!("{SECRET}\r"));
        }
        terminal.see("That address");
        let ended = person.schwab.sign_in(&address_on(&terminal.text(), base));
        let (first, second) = ended.split_at(50);
        terminal.press(&format!("{first}\n{second}\n"));
        terminal.see("connected Charles Schwab until");
        let left = terminal.end();
        left.with_code(0).restored();
        assert!(!String::from_utf8_lossy(&left.bytes).contains(TOKEN), "it was shown");
    };
    connect(true);
    connect(false);
    assert_eq!(person.refresh().0, 0);
    person.connection();
    no_secret_below(&person);
}

/// A browser on the same machine needs no copying.
#[test]
fn a_browser_on_this_machine_comes_back_by_itself() {
    let person = Person::new(None);
    let (port, base) = (person.comes_back_here(), &person.schwab.server.base);
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut terminal = person.waits_for_a_browser();
        let ended = person.schwab.sign_in(&address_on(&terminal.text(), base));
        let certificate = person.certificate();
        kept.push(certificate.clone());
        // F72: what is no answer ends nothing, and nobody else can give one.
        for other in ["favicon.ico", "?code=C0.x&state=00", "?error=access_denied&state="] {
            let told = browse(&certificate, &format!("https://127.0.0.1:{port}/{other}")).unwrap();
            assert!(told.starts_with("HTTP/1.1 404"), "{other}: {told}");
        }
        if let Some(outside) = outside() {
            assert!(TcpStream::connect((outside, port)).is_err(), "{outside} is reached");
        }
        let page = browse(&certificate, &ended).unwrap();
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("can be closed"), "{page}");
        terminal.see("connected Charles Schwab until");
        terminal.end().with_code(0).restored();
        assert!(browse(&certificate, &ended).is_none(), "nobody listens any more");
    }
    assert_eq!(kept[0], kept[1], "a browser warns of it but once");
    assert_eq!(person.refresh().0, 0);
    person.schwab.no_faults();
    no_secret_below(&person);
}

/// F75: who comes second is told that somebody else waits there, and pastes; the first one goes on.
#[test]
fn two_consents_at_once_are_of_one_connection() {
    let person = Person::new(None);
    person.comes_back_here();
    let base = &person.schwab.server.base;
    let mut first = person.waits_for_a_browser();
    let mut second = person.waits_for_a_browser();
    second.see("nobody waits for the browser here");
    let ended = person.schwab.sign_in(&address_on(&second.text(), base));
    second.press(&format!("{ended}\n"));
    second.see("connected Charles Schwab until");
    second.end().with_code(0).restored();
    let ended = person.schwab.sign_in(&address_on(&first.text(), base));
    assert!(browse(&person.certificate(), &ended).unwrap().starts_with("HTTP/1.1 200"));
    first.see("connected Charles Schwab until");
    first.end().with_code(0).restored();
    assert_eq!(person.connection()["state"], "active");
    assert_eq!(person.refresh().0, 0);
    assert_eq!(person.schwab.turn(|knobs| knobs.given), 2);
    person.schwab.no_faults();
    no_secret_below(&person);
}

/// Where others could reach this machine; none: nobody can.
fn outside() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent: it only tells by which address it would be.
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback()).then_some(address)
}

/// The address to sign in at, which a terminal breaks.
fn address_on(screen: &str, base: &str) -> String {
    let text: String = screen.split_whitespace().collect();
    let (_, rest) = text.split_once(base).unwrap();
    let (query, _) = rest.split_once("dashtam:").unwrap();
    format!("{base}{query}")
}

/// F22: an access is renewed once, whatever comes with it, and the consent ends when it would have.
#[test]
fn an_access_is_renewed_once_and_the_consent_is_not_prolonged() {
    for person in Person::on_each() {
        let person = person.connected();
        assert_eq!(person.refresh().0, 0);
        let ends = person.connection()["consent_expires"].clone();
        for (rotate, expires_in) in [
            (Rotate::On, json!(1800)),
            (Rotate::Off, json!(-1)),
            (Rotate::Omit, json!("soon")),
            (Rotate::Empty, json!(1e12)),
            (Rotate::On, json!(0)),
        ] {
            let (given, before) = person.schwab.turn(|knobs| {
                (knobs.rotate, knobs.access) = (rotate, "ended early".to_owned());
                knobs.expires_in = expires_in;
                (knobs.renewed, knobs.refresh.clone())
            });
            // However long it says that the access lasts, it is shown the second time.
            assert_eq!((person.refresh().0, person.refresh().0), (0, 0), "{rotate:?}");
            let (renewed, after) =
                person.schwab.turn(|knobs| (knobs.renewed, knobs.refresh.clone()));
            assert_eq!((renewed, before != after), (given + 1, rotate == Rotate::On), "{rotate:?}");
            assert_eq!(person.connection()["consent_expires"], ends);
        }
        person.schwab.no_faults();
        no_secret_below(&person);
    }
}

/// F24: what ends a consent, and what does not.
#[test]
fn a_refusal_needs_a_new_consent_once_and_a_page_does_not() {
    for person in Person::on_each() {
        let person = person.connected();
        assert_eq!(person.refresh().0, 0);
        let before = person.ok("export --format canonical");
        // Neither a page nor a server that fails takes a token.
        let fails: [fn() -> Reply; 2] = [access_denied, || Reply::new(503, &[], "")];
        for answer in fails {
            // Prices come where accounts do not.
            for (path, left) in [("/v1/oauth/token", 5), ("/trader/v1/accounts", 3)] {
                person.schwab.turn(|knobs| {
                    knobs.answer = Some((path, answer));
                    if path.ends_with("token") {
                        knobs.access.push('x');
                    }
                });
                let (code, told) = person.refresh();
                assert_eq!(
                    (code, &told["connections"][0]["class"]),
                    (left, &json!("later")),
                    "{told}"
                );
                assert_eq!(person.connection()["state"], "active");
            }
            person.schwab.turn(|knobs| knobs.answer = None);
            assert_eq!(person.refresh().0, 0, "nothing was lost");
        }
        // Refused: said once, and nobody is asked again.
        person.schwab.turn(|knobs| {
            knobs.access.push('x');
            knobs.answer =
                Some(("/v1/oauth/token", || Reply::new(400, &[], refused().to_string())));
        });
        let (code, told) = person.refresh();
        assert_eq!((code, &told["connections"][0]["class"]), (4, &json!("reauthorize")), "{told}");
        assert_eq!(person.connection()["state"], "revoked", "the service refused");
        let asked = person.schwab.server.asked().len();
        assert_eq!(person.run("--refresh-only").code, Some(4));
        assert_eq!(person.schwab.server.asked().len(), asked, "no storm");
        assert_eq!(person.ok("export --format canonical"), before, "what is stored stays");
        person.schwab.turn(|knobs| knobs.answer = None);
        // Given anew, with other hashes: the same connection, the same accounts.
        person.schwab.turn(|knobs| {
            for hash in knobs.hashes.values_mut() {
                hash.push('N');
            }
        });
        let ran = person.connect(|address| person.schwab.sign_in(address));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(person.refresh().0, 0);
        assert_eq!(
            (&person.connection()["state"], &person.connection()["accounts"]),
            (&json!("active"), &json!(2))
        );
        assert_eq!(person.ok("export --format canonical"), before);
        // 401 again and again: one renewal, then an end.
        let denied: fn() -> Reply = || Reply::new(401, &[], "{}");
        let renewed = person.schwab.turn(|knobs| {
            knobs.answer = Some(("/trader/v1/accounts", denied));
            knobs.renewed
        });
        let (code, told) = person.refresh();
        assert_eq!((code, &told["connections"][0]["class"]), (4, &json!("reauthorize")), "{told}");
        assert_eq!(person.schwab.turn(|knobs| knobs.renewed), renewed + 1);
        assert_eq!(person.connection()["state"], "revoked");
        person.schwab.no_faults();
        no_secret_below(&person);
    }
}

/// F24, F74: a refusal is one in whatever words, and a page for people is none.
#[test]
fn what_comes_for_a_token_ends_the_consent_or_not() {
    let person = Person::new(None).connected();
    let odd: [(Said, i32, &str); 6] = [
        (|| Reply::new(400, &[], "<html><h1>Bad Request</h1></html>"), 5, "active"),
        (|| Reply::new(400, &[], "{\"error\":\"invalid_grant\"}"), 4, "revoked"),
        (|| Reply::new(401, &[], "{\"error\":\"invalid_client\"}"), 4, "revoked"),
        // It was taken, and what came for it is of no use.
        (of_another_kind, 4, "failed"),
        (without_end, 4, "failed"),
        (for_something_else, 4, "revoked"),
    ];
    for (answer, code, state) in odd {
        person.schwab.turn(|knobs| {
            knobs.access.clear();
            knobs.answer = Some(("/v1/oauth/token", answer));
        });
        let (ended, told) = person.refresh();
        assert_eq!(ended, code, "{told}");
        assert_eq!(person.connection()["state"], state, "{told}");
        person.schwab.turn(|knobs| knobs.answer = None);
        if code == 4 {
            let presented = person.schwab.presented();
            assert_eq!(person.refresh().0, 4);
            assert_eq!(person.schwab.presented(), presented, "nobody is asked with it again");
            let ran = person.connect(|address| person.schwab.sign_in(address));
            assert_eq!(ran.code, Some(0), "{ran:?}");
        }
        assert_eq!(person.refresh().0, 0, "{told}");
    }
    person.schwab.no_faults();
    no_secret_below(&person);
}

/// F23: warned from two days before; afterwards nobody is asked, and the other connections go on.
#[test]
fn a_consent_that_is_over_holds_up_no_other_connection() {
    for person in Person::on_each() {
        let (person, alpaca) = (person.connected(), Alpaca::new());
        let more = format!("app_file = \"app\"\n[alpaca]\nbase_url = \"{}\"\n", alpaca.server.base);
        person.home.file("config.toml", &config(&person.schwab.server.base, &more));
        let keys = person.home.file("keys", &alpaca.keys());
        let mut command = person.process();
        command.args(["connect", "alpaca", "--paste"]).stdin(fs::File::open(&keys).unwrap());
        let ran = Ran::of(&command.output().unwrap());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        fs::remove_file(keys).unwrap();
        for (hours, warning) in
            [(50, None), (47, Some("ends in 46 h")), (1, Some("within the hour"))]
        {
            person.consent_ends(now() + TimeDelta::hours(hours));
            let ran = person.run("refresh --force");
            assert_eq!(ran.code, Some(0), "{ran:?}");
            let said = warning.map_or(!ran.err.contains("ends"), |it| ran.err.contains(it));
            assert!(said, "{hours}: {ran:?}");
        }
        person.consent_ends(now() - TimeDelta::seconds(1));
        for _ in 0..2 {
            let asked = (person.schwab.server.asked().len(), alpaca.server.asked().len());
            let (code, told) = person.refresh();
            let [mine, other] = [0, 1].map(|nth| told["connections"][nth].clone());
            assert_eq!((code, &mine["class"]), (4, &json!("reauthorize")), "{told}");
            assert_eq!((&other["result"], &other["why"]), (&json!("ok"), &Value::Null), "{told}");
            assert_eq!(person.schwab.server.asked().len(), asked.0, "nobody is asked");
            assert!(alpaca.server.asked().len() > asked.1, "others are");
        }
        person.schwab.no_faults();
    }
}

/// F23: by a clock that was moved, day by day.
#[test]
fn a_consent_ends_as_it_was_told() {
    for person in Person::on_each() {
        let person = person.connected();
        assert_eq!(person.refresh().0, 0);
        let quiet = person.run("refresh --force");
        assert!(!quiet.err.contains("ends in"), "{quiet:?}");
        let given = now();
        for hours in [132, 155, 167] {
            let (summary, known) = person.refresh_at(given + TimeDelta::hours(hours));
            assert_eq!(summary.outcome, Outcome::Ok, "{summary:?}");
            assert!(
                known[0].ends_soon((given + TimeDelta::hours(hours)).timestamp_micros()).is_some()
            );
        }
        let asked = person.schwab.server.asked().len();
        let (summary, known) =
            person.refresh_at(given + TimeDelta::days(7) + TimeDelta::seconds(60));
        assert_eq!(known[0].state.as_str(), "expired");
        let told = &summary.connections[0];
        assert!(told.why.as_ref().unwrap().contains("the consent ended on"), "{told:?}");
        assert_eq!(person.schwab.server.asked().len(), asked, "nobody is asked");
        let ran = person.run("--refresh-only");
        assert!(ran.code == Some(4) && ran.err.contains("the consent ended"), "{ran:?}");
        let ran = person.connect(|address| person.schwab.sign_in(address));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(person.connection()["state"], "active");
        person.schwab.no_faults();
    }
}

/// Ten years of rows: every day is asked for once, the newest first, in windows of a year at most.
#[test]
fn history_comes_without_a_gap_or_a_double() {
    for person in Person::on_each() {
        let first = person.schwab.turn(|knobs| {
            let rows: Vec<_> = (0..40).map(|nth| came(knobs.now, nth + 1, nth * 90, 10)).collect();
            knobs.rows.insert("90000025".to_owned(), rows);
            knobs.now - TimeDelta::days(39 * 90)
        });
        let person = person.connected();
        let (code, told) = person.refresh();
        assert_eq!(code, 0, "{told}");
        // The cash of today, less all that came.
        assert_eq!(person.account("Schwab …025")["value"], "3250.1");
        let asked = windows(&person, "90000025");
        assert!(asked.last().unwrap().0 < first, "{asked:?}");
        for two in asked.windows(2) {
            assert_eq!(two[1].1 + TimeDelta::milliseconds(1), two[0].0);
        }
        assert!(asked.iter().all(|(start, end)| (*end - *start).num_days() <= 365));
        assert_eq!(windows(&person, "90000017").len(), 20, "years without a row end nothing");
        // Afterwards the last days are asked for again, and no more.
        person.schwab.turn(|knobs| knobs.windows.clear());
        assert_eq!(person.refresh().0, 0);
        let again = windows(&person, "90000025");
        assert_eq!(again.len(), 1);
        assert_eq!((again[0].1 - again[0].0).num_days(), 10, "an overlap");
        person.schwab.no_faults();
    }
}

/// The windows that were asked for of an account, and their ends.
fn windows(person: &Person, number: &str) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let all = person.schwab.turn(|knobs| knobs.windows.clone());
    let mine = all.into_iter().filter(|(of, ..)| of == number);
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    mine.map(|(_, start, end)| (at(&start), at(&end))).collect()
}

const THREE: [&str; 3] = ["90000017", "90000025", "90000033"];

/// Three accounts with ten years of rows, the same at each time that it is asked for.
fn ten_years(person: &Person, now: DateTime<Utc>) {
    person.schwab.turn(|knobs| {
        knobs.now = now;
        let mut third = knobs.accounts[1].clone();
        third["securitiesAccount"]["accountNumber"] = json!(THREE[2]);
        knobs.accounts.as_array_mut().unwrap().push(third);
        knobs.hashes.insert(THREE[2].to_owned(), "H0033".to_owned());
        for (nth, number) in THREE.iter().enumerate() {
            let first = 1000 * i64::try_from(nth).unwrap();
            let row = |nth: i64| came(now, first + nth + 1, nth * 30, 10 + nth);
            knobs.rows.insert((*number).to_owned(), (0..120).map(row).collect());
        }
    });
}

/// What was asked for before it was stopped in the midst is not asked for again, and what is stored at
/// the end is what is stored where nobody stopped it.
#[test]
fn a_first_history_goes_on_where_it_was_stopped() {
    let at = now();
    let unharmed = Person::new(None);
    ten_years(&unharmed, at);
    let unharmed = unharmed.connected();
    assert_eq!(unharmed.refresh().0, 0);
    let right = unharmed.ok("export --format canonical");
    for person in Person::on_each() {
        ten_years(&person, at);
        let person = person.connected();
        // Stopped in the first account, in the second, and once all but the last window is told.
        let mut asked: Vec<(String, String, String)> = Vec::new();
        for most in [7, 31, 59] {
            person.schwab.turn(|knobs| knobs.slow = Duration::from_millis(30));
            let mut command = person.process();
            command.args(["refresh", "--force", "--wait", "20"]).stdin(Stdio::null());
            let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            until(|| asked.len() + person.schwab.turn(|knobs| knobs.windows.len()) >= most);
            process.kill().unwrap();
            process.wait().unwrap();
            // What it has sent is answered all the same, to nobody.
            std::thread::sleep(Duration::from_millis(100));
            let mut now = person.schwab.turn(|knobs| std::mem::take(&mut knobs.windows));
            // The newest of each account that was begun, and the last one may have been on its way.
            let again = asked.iter().filter(|window| now.contains(window)).count();
            assert!(again <= 4, "{again} of {now:?}");
            no_secret_below(&person);
            asked.append(&mut now);
            assert_eq!(person.json("report accounts")["rows"], json!([]), "nothing by halves");
        }
        person.schwab.turn(|knobs| knobs.slow = Duration::ZERO);
        let (code, told) = person.refresh();
        assert_eq!(code, 0, "{told}");
        let all = person.json("report transactions --limit 500");
        let rows = all["rows"].as_array().unwrap().iter();
        assert_eq!(rows.filter(|row| row["subtype"] == "wire_in").count(), 360, "no row twice");
        let rest = windows(&person, THREE[2]).len();
        assert!(rest <= 9 && windows(&person, THREE[0]).len() == 1, "{rest}");
        // All together: every day of each account, and hardly one twice.
        person.schwab.turn(|knobs| knobs.windows.extend(asked));
        for number in THREE {
            let mut all = windows(&person, number);
            let asked = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), 20, "{number}");
            assert!(asked <= 20 + 5, "{number}: {asked}");
            for two in all.windows(2) {
                assert_eq!(two[0].1 + TimeDelta::milliseconds(1), two[1].0);
            }
        }
        assert_eq!(person.ok("export --format canonical"), right);
        // What was kept on the way is gone, and a day later nothing of it is missed.
        person.schwab.turn(|knobs| knobs.windows.clear());
        assert_eq!(person.refresh().0, 0);
        assert!(THREE.iter().all(|number| windows(&person, number).len() == 1));
        assert_eq!(person.ok("export --format canonical"), right);
        person.schwab.no_faults();
        no_secret_below(&person);
    }
}

/// Whoever lets a connection rest while its first history comes has it asked nothing more in that very
/// round; what was told is kept, and it goes on there.
#[test]
fn a_pause_stops_a_first_history_where_it_is() {
    for person in Person::on_each() {
        ten_years(&person, now());
        let person = person.connected();
        let number = person.connection()["id"].clone();
        person.schwab.turn(|knobs| knobs.slow = Duration::from_millis(150));
        let mut command = person.process();
        command.args(["refresh", "--force", "--json"]).stdin(Stdio::null());
        let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let asked = || person.schwab.turn(|knobs| knobs.windows.len());
        until(|| asked() >= 7);
        person.ok(&format!("connections pause {number}"));
        let then = asked();
        let ran = Ran::of(&process.wait_with_output().unwrap());
        // One may have been on its way.
        assert!(asked() <= then + 1 && asked() < 60, "{then}, then {}", asked());
        let told = document(&ran.out);
        assert_eq!((ran.code, &told["connections"][0]["result"]), (Some(0), &json!("nothing_due")));
        assert_eq!(person.json("report accounts")["rows"], json!([]), "nothing by halves");
        let trail = person.json("audit list --action refresh");
        let trail: Vec<_> =
            trail["rows"].as_array().unwrap().iter().map(|row| row["state"].clone()).collect();
        assert_eq!(trail, ["ATTEMPTED", "FAILED"]);
        person.ok(&format!("connections resume {number}"));
        assert_eq!(person.connection()["failures"], json!(0), "nobody failed");
        person.schwab.turn(|knobs| knobs.slow = Duration::ZERO);
        let (code, told) = person.refresh();
        assert_eq!(code, 0, "{told}");
        let all = person.json("report transactions --limit 500");
        let rows = all["rows"].as_array().unwrap().iter();
        assert_eq!(rows.filter(|row| row["subtype"] == "wire_in").count(), 360);
        // Sixty in all, and hardly one twice.
        assert!(asked() <= 60 + 3, "{}", asked());
        person.schwab.no_faults();
        no_secret_below(&person);
    }
}

/// F31: an access that ends in the midst of ten years is renewed once, and the history goes on there.
#[test]
fn an_access_that_ends_in_the_midst_of_a_history_is_renewed_once() {
    for person in Person::on_each() {
        ten_years(&person, now());
        let person = person.connected();
        person.schwab.turn(|knobs| knobs.serves = Some(30));
        let (code, told) = person.refresh();
        assert_eq!(code, 0, "{told}");
        let (renewed, denied) = person.schwab.turn(|knobs| (knobs.renewed, knobs.denied));
        assert_eq!((renewed, denied), (1, 1), "what has ended is shown once, and renewed once");
        assert_eq!(person.schwab.presented().len(), 1);
        for number in THREE {
            let mut all = windows(&person, number);
            let asked = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), 20, "{number}");
            // The newest of an account that was begun is asked for again: it may have grown.
            assert!(asked <= 21, "{number}: {asked}");
            for two in all.windows(2) {
                assert_eq!(two[0].1 + TimeDelta::milliseconds(1), two[1].0);
            }
        }
        let all = person.json("report transactions --limit 500");
        let rows = all["rows"].as_array().unwrap().iter();
        assert_eq!(rows.filter(|row| row["subtype"] == "wire_in").count(), 360, "no row twice");
        person.schwab.no_faults();
        no_secret_below(&person);
    }
}

/// Later the newest rows are asked for again, since they may have changed, and those of years ago are
/// not: an account that fails holds up nothing that comes to the others.
#[test]
fn a_history_that_goes_on_later_tells_what_came_meanwhile() {
    for person in Person::on_each() {
        let at = now() - TimeDelta::days(2);
        ten_years(&person, at);
        let person = person.connected();
        // The third account fails half way: what is told of the others is stored.
        let broken: fn() -> Reply = || Reply::new(500, &[], "{}");
        person.schwab.turn(|knobs| {
            knobs.answer = Some(("/trader/v1/accounts/H0033", broken));
        });
        let (summary, _) = person.refresh_at(at);
        assert_eq!(summary.outcome, Outcome::Partial, "{summary:?}");
        assert_eq!(windows(&person, THREE[0]).len(), 20);
        person.schwab.turn(|knobs| {
            knobs.windows.clear();
            knobs.rows.get_mut(THREE[0]).unwrap().push(came(at, 6000, 0, 3));
        });
        let (summary, _) = person.refresh_at(at + TimeDelta::hours(1));
        assert_eq!((summary.connections[0].new, summary.outcome), (1, Outcome::Partial));
        // Those of a year, and of the next day where it has begun.
        assert!(windows(&person, THREE[0]).len() <= 2, "the newest");
        person.schwab.turn(|knobs| {
            knobs.answer = None;
            knobs.windows.clear();
            knobs.rows.get_mut(THREE[0]).unwrap().push(came(now(), 5000, 0, 7));
        });
        let (code, told) = person.refresh();
        assert_eq!(code, 0, "{told}");
        assert_eq!(windows(&person, THREE[2]).len(), 20);
        let again = windows(&person, THREE[0]);
        // The newest year has two days more, which are a window of their own.
        assert!(again.len() <= 3, "{again:?}");
        let all = person.json("report transactions --limit 500");
        let rows = all["rows"].as_array().unwrap().iter();
        assert_eq!(rows.filter(|row| row["subtype"] == "wire_in").count(), 362);
        person.schwab.no_faults();
        no_secret_below(&person);
    }
}

/// Windows that are too long, and answers that are full.
#[test]
fn a_window_is_cut_where_it_has_to_be() {
    let person = Person::new(None);
    person.schwab.turn(|knobs| {
        let rows = (0..50).map(|nth| came(knobs.now, nth + 1, nth * 7, 10)).collect();
        knobs.rows.insert("90000025".to_owned(), rows);
        (knobs.longest, knobs.tells_since) = (60, Some(knobs.now - TimeDelta::days(400)));
    });
    let person = person.connected();
    let (code, told) = person.refresh();
    assert_eq!(code, 3, "{told}");
    assert!(told.to_string().contains("its history begins on"), "{told}");
    assert_eq!(person.refresh().0, 0, "it is told once");
    assert_eq!(person.account("Schwab …025")["value"], "3250.1");
    let count = |person: &Person| {
        let all = person.json("report transactions --limit 500");
        all["rows"].as_array().unwrap().iter().filter(|row| row["subtype"] == "wire_in").count()
    };
    assert_eq!(count(&person), 50);
    person.schwab.no_faults();
}

/// A window that reaches back before the beginning is refused whole: no day of it after that is lost.
#[test]
fn history_begins_on_a_day_and_not_with_a_window() {
    let person = Person::new(None);
    let first = person.schwab.turn(|knobs| {
        let rows = (0..50).map(|nth| came(knobs.now, nth + 1, nth * 8, 10)).collect();
        knobs.rows.insert("90000025".to_owned(), rows);
        let first = (knobs.now - TimeDelta::days(400)).date_naive();
        knobs.tells_no_part_before = Some(first.and_time(chrono::NaiveTime::MIN).and_utc());
        first
    });
    let person = person.connected();
    let (code, told) = person.refresh();
    assert_eq!(code, 3, "{told}");
    assert!(told.to_string().contains(&format!("its history begins on {first}")), "{told}");
    let all = person.json("report transactions --limit 500");
    let came = all["rows"].as_array().unwrap().iter().filter(|row| row["subtype"] == "wire_in");
    assert_eq!(came.count(), 50, "none of 392 days ago and later is lost");
    assert_eq!(person.account("Schwab …025")["value"], "3250.1");
    assert_eq!(person.refresh().0, 0);
    person.schwab.no_faults();
}

/// A sign-in of somebody else is refused, and so is one whose accounts another connection has.
#[test]
fn a_connection_stays_that_of_its_owner() {
    for person in Person::on_each() {
        let person = person.connected();
        let sign_in = |name: &str| {
            let line = format!("connect schwab --paste{name}");
            person.connect_as(&line, |address| person.schwab.sign_in(address))
        };
        let told_no = |ran: &Ran, why: &str| {
            assert!(ran.code == Some(2) && ran.err.contains(why), "{ran:?}");
        };
        // Refused before anybody signs in, so what was given before goes on.
        told_no(&sign_in(" --name Mine"), "are not known yet");
        assert_eq!(person.refresh().0, 0);
        // A sign-in ends what the same login was given before, so it is kept for its owner.
        told_no(
            &sign_in(" --name Mine"),
            "has its accounts already, and they would count twice; the consent of `Charles Schwab` \
             is given anew by it",
        );
        assert_eq!(person.refresh().0, 0);
        assert_eq!(person.connection()["accounts"], 2);
        // So is one of which nobody says now whose it is, where it can be nobody else's.
        let gone: fn() -> Reply = || Reply::new(503, &[], "");
        let numbers = "/trader/v1/accounts/accountNumbers";
        person.schwab.turn(|knobs| knobs.answer = Some((numbers, gone)));
        let ran = sign_in("");
        let kept = "the consent of `Charles Schwab` is given anew, but";
        assert!(ran.code == Some(5) && ran.err.contains(kept), "{ran:?}");
        person.schwab.turn(|knobs| knobs.answer = None);
        assert_eq!(person.refresh().0, 0);
        // The spouse signs in at the same browser.
        let other = |knobs: &mut support::schwab::Knobs| {
            let hashes = [("90000033".to_owned(), "H0033".to_owned())].into();
            std::mem::replace(&mut knobs.hashes, hashes)
        };
        let mine = person.schwab.turn(other);
        told_no(&sign_in(""), "none of the accounts of `Charles Schwab`");
        assert_eq!(person.connection()["accounts"], 2);
        let ran = sign_in(" --name Spouse");
        assert!(ran.code == Some(0) && ran.out.contains("connected Spouse"), "{ran:?}");
        // What cannot be asked is not taken for the same.
        person.schwab.turn(|knobs| {
            knobs.hashes = mine;
            knobs.answer = Some((numbers, gone));
        });
        assert_eq!(
            person
                .connect_as("connect schwab --paste --name Spouse", |address| {
                    person.schwab.sign_in(address)
                })
                .code,
            Some(5)
        );
        person.schwab.turn(|knobs| knobs.answer = None);
        let given = person.outcomes("reconnect").len();
        told_no(
            &sign_in(" --name Spouse"),
            "it is that of `Charles Schwab` and not of `Spouse`; the consent of `Charles Schwab` is \
             given anew by it",
        );
        assert_eq!(person.outcomes("reconnect").len(), given + 2, "that which was meant, and this");
        let known = person.json("connections");
        assert_eq!(known["connections"].as_array().unwrap().len(), 2, "{known}");
        no_secret_below(&person);
    }
}

/// One account whose rows may not be read says nothing of the others, nor of the consent.
#[test]
fn a_refusal_for_one_account_is_its_own() {
    let person = Person::new(None).connected();
    let refused: fn() -> Reply =
        || Reply::new(403, &[("content-type", "application/json")], "{\"message\":\"not yours\"}");
    person.schwab.turn(|knobs| knobs.answer = Some(("/trader/v1/accounts/H0025", refused)));
    let (code, told) = person.refresh();
    let mine = &told["connections"][0];
    assert_eq!((code, &mine["result"]), (3, &json!("partial")), "{told}");
    assert!(mine["skipped"][0]["why"].as_str().unwrap().contains("not yours"), "{told}");
    assert_eq!(person.connection()["state"], "active");
    assert_eq!(person.account("Trading")["value"], "4825");
    person.schwab.turn(|knobs| knobs.answer = None);
    assert_eq!(person.refresh().0, 0);
    assert_eq!(person.account("Schwab …025")["value"], "3250.1");
    // For all of them it is about the consent.
    person.schwab.turn(|knobs| knobs.answer = Some(("/trader/v1/accounts", refused)));
    assert_eq!(person.refresh().0, 4);
    assert_eq!(person.connection()["state"], "revoked");
}

/// A row that is not understood keeps what it did to the cash, and holds nothing else up.
#[test]
fn a_strange_row_is_told_and_its_account_is_opened() {
    let person = Person::new(None);
    person.schwab.turn(|knobs| {
        let mut row = came(knobs.now, 77, 1, -7);
        row["type"] = json!("TRADE");
        row["transferItems"] = json!([{"instrument": {"assetType": "EQUITY", "symbol": "X"},
            "amount": "many", "cost": 7}]);
        knobs.rows.get_mut("90000025").unwrap().push(row);
    });
    let person = person.connected();
    let (code, told) = person.refresh();
    assert_eq!(code, 3, "{told}");
    let all = person.json("report transactions --limit 500");
    let kept = all["rows"].as_array().unwrap().iter().find(|row| row["amount"] == "-7").unwrap();
    assert_eq!(kept["subtype"], "unknown");
    assert_eq!(person.account("Schwab …025")["value"], "3250.1", "it is opened");
    assert!(!person.connection()["last_success"].is_null());
    person.schwab.no_faults();
}

/// What lies beyond the last row of an answer would be lost without a word.
#[test]
fn an_answer_that_is_full_is_asked_for_in_halves() {
    let person = Person::new(None);
    person.schwab.turn(|knobs| {
        let row = |nth: i64| {
            let mut row = came(knobs.now, nth + 1, 0, 1);
            let at = knobs.now - TimeDelta::minutes(nth);
            row["time"] = json!(at.to_rfc3339());
            row
        };
        knobs.rows.insert("90000025".to_owned(), (0..3100).map(row).collect());
    });
    let person = person.connected();
    let (code, told) = person.refresh();
    assert_eq!(code, 0, "{told}");
    let new = told["connections"][0]["transactions_new"].as_i64().unwrap();
    assert!((3100..3120).contains(&new), "{told}");
    assert_eq!(person.account("Schwab …025")["value"], "3250.1");
    person.schwab.no_faults();
}

/// One account that cannot be told of hides no other, and is asked for again.
#[test]
fn what_fails_for_one_account_is_told_and_the_rest_is_stored() {
    let person = Person::new(None).connected();
    let broken: fn() -> Reply = || Reply::new(500, &[], "{\"message\":\"\\u001b[2Joops\"}");
    person.schwab.turn(|knobs| knobs.answer = Some(("/trader/v1/accounts/H0025", broken)));
    let (code, told) = person.refresh();
    let mine = &told["connections"][0];
    assert_eq!((code, &mine["result"]), (3, &json!("partial")), "{told}");
    assert_eq!(mine["skipped"][0]["what"], "Schwab …025");
    assert!(!told.to_string().contains("\\u001b"), "{told}");
    assert_eq!(person.account("Trading")["value"], "4825");
    person.schwab.turn(|knobs| knobs.answer = None);
    assert_eq!(person.refresh().0, 0);
    assert_eq!(person.account("Schwab …025")["value"], "3250.1");
    // Pending becomes final in its place; a row of a new type stays.
    person.schwab.turn(|knobs| {
        let mut row = came(knobs.now, 77, 1, 5);
        row["status"] = json!("PENDING");
        knobs.rows.get_mut("90000025").unwrap().push(row);
    });
    let status = |person: &Person| {
        person.refresh();
        let all = person.json("report transactions --limit 500");
        let rows = all["rows"].as_array().unwrap();
        let mine: Vec<_> = rows.iter().filter(|row| row["amount"] == "5").collect();
        assert_eq!(mine.len(), 1, "{all}");
        mine[0]["status"].clone()
    };
    assert_eq!(status(&person), "pending");
    person.schwab.turn(|knobs| {
        let row = knobs.rows.get_mut("90000025").unwrap().last_mut().unwrap();
        row["status"] = json!("VALID");
    });
    assert_eq!(status(&person), "settled");
    person.schwab.no_faults();
}

/// F20: the token that was presented when the process was stopped is never presented again.
#[test]
fn who_is_stopped_while_renewing_needs_a_new_consent() {
    let person = Person::new(None).connected();
    assert_eq!(person.refresh().0, 0);
    let renewals = |person: &Person| person.schwab.asked("/v1/oauth/token");
    let before = renewals(&person);
    person.schwab.turn(|knobs| {
        knobs.access.clear();
        knobs.slow = Duration::from_secs(2);
    });
    let mut command = person.process();
    command.args(["refresh", "--force"]).stdin(Stdio::null());
    let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until(|| renewals(&person) != before);
    process.kill().unwrap();
    process.wait().unwrap();
    // What it has sent is taken all the same, and the answer goes to nobody.
    until(|| person.schwab.turn(|knobs| knobs.renewed) > 0);
    person.schwab.turn(|knobs| knobs.slow = Duration::ZERO);
    let (code, told) = person.refresh();
    assert_eq!((code, &told["connections"][0]["class"]), (4, &json!("reauthorize")), "{told}");
    assert_eq!(person.connection()["state"], "failed");
    let ran = person.connect(|address| person.schwab.sign_in(address));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(person.refresh().0, 0);
    person.schwab.no_faults();
}

/// T4, T16: at TRACE, in every file that was written.
fn no_secret_below(person: &Person) {
    fn walk(folder: &Path, found: &mut Vec<String>, look: &dyn Fn(&[u8]) -> bool) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found, look);
            } else if path.file_name().is_some_and(|name| name != "app")
                && look(&fs::read(&path).unwrap())
            {
                found.push(path.display().to_string());
            }
        }
    }
    let canaries = [TOKEN, SECRET, "90000017", "90000025"];
    let has = |bytes: &[u8]| {
        canaries.iter().any(|canary| bytes.windows(canary.len()).any(|at| at == canary.as_bytes()))
    };
    let mut found = Vec::new();
    walk(person.home.root.path(), &mut found, &has);
    assert_eq!(found, [""; 0]);
    let export = person.ok("export --format json");
    assert!(!has(export.as_bytes()));
}

/// F20: killed between the question and the answer. Though nothing is due, the next refresh settles it,
/// and nothing is presented twice.
#[test]
fn what_a_killed_refresh_left_is_settled_by_the_next_one() {
    for person in Person::on_each() {
        let person = person.connected();
        assert_eq!(person.refresh().0, 0);
        let before = person.ok("export --format canonical");
        let renewed = person.schwab.turn(|knobs| {
            knobs.access.push('x');
            knobs.slow = Duration::from_secs(1);
            knobs.renewed
        });
        let mut command = person.process();
        command.args(["refresh", "--force"]).stdin(Stdio::null());
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let asked = person.schwab.asked("/v1/oauth/token");
        until(|| person.schwab.asked("/v1/oauth/token") > asked);
        process.kill().unwrap();
        process.wait().unwrap();
        person.schwab.turn(|knobs| knobs.slow = Duration::ZERO);
        until(|| person.schwab.turn(|knobs| knobs.renewed) == renewed + 1);
        // Whoever only looks leaves it as it is.
        assert_eq!(person.json("connections --read-only")["connections"][0]["state"], "active");
        let ran = person.run("--refresh-only --json");
        assert_eq!(ran.code, Some(4), "{ran:?}");
        let told = document(&ran.out);
        assert_eq!(told["connections"][0]["class"], "reauthorize", "{told}");
        assert_eq!(person.connection()["state"], "failed");
        assert_eq!(person.outcomes("secret.renew").last().unwrap(), "reason=interrupted");
        assert_eq!(person.outcomes("connection.fail").len(), 1, "once");
        assert_eq!(person.run("--refresh-only").code, Some(4));
        assert_eq!(person.outcomes("connection.fail").len(), 1, "once");
        assert_eq!(
            person.ok("export --format canonical"),
            before,
            "nothing that was there is lost"
        );
        person.ok("audit verify");
        let ran = person.connect(|address| person.schwab.sign_in(address));
        assert_eq!((ran.code, person.refresh().0), (Some(0), 0), "{ran:?}");
        person.schwab.no_faults();
    }
}

/// One that is open all day, as a dashboard is, need not be started again.
#[test]
fn a_round_settles_what_another_process_left_since_this_one_began() {
    for person in Person::on_each() {
        let person = person.connected();
        assert_eq!(person.refresh().0, 0);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (session, config) = runtime.block_on(person.session(&Clock::system(chrono_tz::UTC)));
        person.schwab.turn(|knobs| knobs.slow = Duration::from_secs(1));
        let mut command = person.process();
        command.args(["refresh", "--force"]).stdin(Stdio::null());
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let asked = person.schwab.server.asked().len();
        until(|| person.schwab.server.asked().len() > asked);
        process.kill().unwrap();
        process.wait().unwrap();
        person.schwab.turn(|knobs| knobs.slow = Duration::ZERO);
        let rows = runtime.block_on(async {
            // This one is its own, and goes on.
            let mine = session.audit().unwrap().attempt("export", "").await.unwrap();
            let wait = Duration::from_secs(30);
            let request = RefreshRequest { connections: Vec::new(), only: None, force: true, wait };
            let summary = refresh::run(&session, &How::of(&config), None, &request).await.unwrap();
            assert_eq!(summary.outcome, Outcome::Ok, "{summary:?}");
            mine.succeeded("").await.unwrap();
            let rows = session.audit().unwrap().rows().await.unwrap();
            session.close().await;
            rows
        });
        let of = |op: &str| rows.iter().filter(|row| row.op == op).count();
        assert!(rows.iter().all(|row| of(&row.op) == 2), "{rows:?}");
        let killed = rows.iter().filter(|row| row.detail == "reason=interrupted");
        assert_eq!(killed.map(|row| row.action.as_str()).collect::<Vec<_>>(), ["refresh"]);
        person.ok("audit verify");
        person.schwab.no_faults();
    }
}
