//! T2, T4, T16: what connections show to their services is found nowhere but sealed. The real program
//! connects and refreshes, logging everything, against services on this machine whose secrets are
//! canaries; then every file, every byte it wrote and every row of the database is searched for them,
//! plain and in every form in which programs write down such things.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test"
)]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dashtam::clock::Clock;
use dashtam::model::hex;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use support::home::Home;
use support::postgres::postgres_url;
use support::schwab::{self, Schwab};
use support::simplefin::{self, Bridge, base64};

const PASSPHRASE: &str = "c4n4ry/p@ssphrase of nobody";

/// A secret in every form that is searched for, each with its name.
fn forms(secret: &str) -> Vec<(String, Vec<u8>)> {
    let bytes = secret.as_bytes();
    let upper = hex(bytes).to_uppercase();
    let percent = bytes.iter().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"));
    let form: String = url::form_urlencoded::byte_serialize(bytes).collect();
    let mut forms = vec![
        ("plain", secret.to_owned()),
        ("hex", hex(bytes)),
        ("hex in capitals", upper),
        ("each byte url-encoded", percent),
        ("url-encoded", form.replace('+', "%20")),
        ("url-encoded as a form", form),
    ];
    // Within something longer it may begin at any of three places; the letters at both ends hold bits
    // of what is around it.
    for before in 0..3_usize {
        let whole = base64(&[&vec![0; before], bytes].concat());
        let (from, until) = ((before * 8).div_ceil(6), (before + bytes.len()) * 8 / 6);
        let inner = whole[from..until].to_owned();
        forms.push(("base64 for addresses", inner.replace('+', "-").replace('/', "_")));
        forms.push(("base64", inner));
    }
    forms
        .into_iter()
        .map(|(name, text)| (format!("{name} of {secret}"), text.into_bytes()))
        .collect()
}

/// What is searched for.
struct Search(Vec<(String, Vec<u8>)>);

impl Search {
    fn new(secrets: &[&str]) -> Self {
        Self(secrets.iter().flat_map(|secret| forms(secret)).collect())
    }

    fn found(&self, bytes: &[u8]) -> Vec<&str> {
        let is_there = |form: &&(String, Vec<u8>)| {
            bytes.windows(form.1.len()).any(|window| window == form.1.as_slice())
        };
        self.0.iter().filter(is_there).map(|(name, _)| name.as_str()).collect()
    }

    #[track_caller]
    fn finds_nothing(&self, place: &str, bytes: &[u8]) {
        assert_eq!(self.found(bytes), [""; 0], "in {place}");
    }

    /// In every file below a folder; tells how many bytes there were.
    fn walk(&self, folder: &Path) -> usize {
        let mut all = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                all += self.walk(&path);
            } else {
                let bytes = fs::read(&path).unwrap();
                all += bytes.len();
                self.finds_nothing(&path.display().to_string(), &bytes);
            }
        }
        all
    }

    /// In every row of a server.
    async fn server(&self, url: &str) -> usize {
        let mut one = PgConnection::connect(url).await.unwrap();
        let tables: Vec<(String, String)> = sqlx::query_as(
            "select table_schema::text, table_name::text from information_schema.tables \
             where table_schema in ('public', 'dashtam_audit')",
        )
        .fetch_all(&mut one)
        .await
        .unwrap();
        assert!(tables.len() > 20, "{tables:?}");
        let mut all = 0;
        for (schema, table) in tables {
            let sql = format!("select t::text from {schema}.{table} t");
            let rows: Vec<String> =
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut one).await.unwrap();
            all += rows.len();
            self.finds_nothing(&table, rows.join("\n").as_bytes());
        }
        all
    }
}

/// Somebody with both services, a vault and a store, and all that the program said.
struct Person {
    home: Home,
    bridge: Bridge,
    schwab: Schwab,
    database: Option<String>,
    said: Vec<u8>,
}

impl Person {
    fn new(database: Option<String>) -> Self {
        let now = Clock::system(chrono_tz::UTC).now();
        let (home, bridge, schwab) = (Home::new(), Bridge::new(now.timestamp()), Schwab::new(now));
        let config = format!(
            "[simplefin]\nbase_url = \"{}\"\n[schwab]\nbase_url = \"{}\"\napp_file = \"app\"\n",
            bridge.server.base, schwab.server.base
        );
        home.file("config.toml", &config);
        let app = home.file("app", &format!("{}\n{}\n", schwab::KEY, schwab::SECRET));
        fs::set_permissions(app, fs::Permissions::from_mode(0o600)).unwrap();
        Self { home, bridge, schwab, database, said: Vec::new() }
    }

    /// The program, logging everything.
    fn process(&self, line: &str) -> Command {
        let mut command = self.home.process(self.database.as_deref());
        command.args(line.split(' ')).arg("-vv").env("RUST_LOG", "trace");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a line with this on its standard input; its end is that.
    fn run(&mut self, line: &str, input: &str, code: i32) {
        let mut command = self.process(line);
        if input == PASSPHRASE {
            command.env("DASHTAM_PASSPHRASE_FD", "0");
        }
        let mut process = command.spawn().unwrap();
        // It may end without having read it.
        let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
        let output = process.wait_with_output().unwrap();
        self.said.extend([output.stdout.clone(), output.stderr.clone()].concat());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{line}: {told}");
    }

    /// Gives the consent in a browser.
    fn consent(&mut self) {
        let mut process = self.process("connect schwab --paste").spawn().unwrap();
        let mut told = BufReader::new(process.stderr.take().unwrap());
        let mut all = String::new();
        let address = loop {
            let mut line = String::new();
            assert!(told.read_line(&mut line).unwrap() > 0, "{all}");
            all.push_str(&line);
            if line.starts_with("http") {
                break line;
            }
        };
        let ended = self.schwab.sign_in(address.trim());
        process.stdin.take().unwrap().write_all(format!("{ended}\n").as_bytes()).unwrap();
        told.read_to_string(&mut all).unwrap();
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{all}");
        self.said.extend([output.stdout, all.into_bytes()].concat());
    }

    /// What others see of the process while it asks.
    fn look_at_process(&self, search: &Search) {
        self.bridge.turn(|knobs| knobs.slow = Duration::from_millis(1500));
        let mut process = self.process("refresh --force").spawn().unwrap();
        let (begun, asked) = (Instant::now(), self.bridge.asked());
        while self.bridge.asked() == asked && begun.elapsed() < Duration::from_secs(30) {
            for what in ["cmdline", "environ"] {
                let seen = fs::read(format!("/proc/{}/{what}", process.id())).unwrap_or_default();
                search.finds_nothing(what, &seen);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.bridge.turn(|knobs| knobs.slow = Duration::ZERO);
        drop(process.stdin.take());
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        search.finds_nothing("what it said", &[output.stdout, output.stderr].concat());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_found_anywhere_in_whatever_form() {
    for database in std::iter::once(None).chain(postgres_url().map(Some)) {
        let mut person = Person::new(database.clone());
        person.run("vault init --no-passphrase", "", 0);
        let token = person.bridge.token();
        person.run("connect simplefin --paste", &token, 0);
        person.consent();
        person.run("--refresh-only", "", 0);
        // Renewed, refused, denied, and answered by nonsense that repeats what it was asked.
        person.schwab.turn(|knobs| knobs.access.clear());
        person.run("refresh --force --json", "", 0);
        person.run("connect simplefin --paste", "this is no token", 2);
        person.bridge.turn(|knobs| knobs.answer = Some(simplefin::page));
        person.run("refresh --force", "", 3);
        person.bridge.turn(|knobs| knobs.answer = Some(simplefin::nothing));
        person.run("refresh --force", "", 3);
        person.bridge.turn(|knobs| knobs.answer = None);
        let token: String = token.split_whitespace().collect();
        let claim = format!("/simplefin/claim/{}", simplefin::CLAIM);
        let (access, refresh) = person.schwab.turn(|it| (it.access.clone(), it.refresh.clone()));
        assert!(access.contains(schwab::TOKEN) && refresh.contains(schwab::TOKEN));
        let search = Search::new(&[
            simplefin::USER,
            simplefin::PASSWORD,
            simplefin::CLAIM,
            &claim,
            &token,
            &token[..40],
            schwab::SECRET,
            schwab::TOKEN,
            &access,
            &refresh,
            PASSPHRASE,
        ]);
        person.look_at_process(&search);
        // A passphrase, which is in the key file and nowhere.
        person.run("vault passphrase", PASSPHRASE, 0);
        person.run("refresh --force", PASSPHRASE, 0);
        person.run("refresh --force", "", 9);
        person.run("export --format json", "", 0);
        person.run("connections", "", 0);
        person.run("audit list", "", 0);
        person.run("doctor", "", 0);
        let backup = person.home.path("whole.dashtam-backup");
        person.run(&format!("backup {}", backup.display()), "", 0);

        search.finds_nothing("what it said", &person.said);
        // Its owner keeps the app there; nobody else does.
        fs::remove_file(person.home.path("app")).unwrap();
        let bytes = search.walk(person.home.root.path());
        assert!(bytes > 50_000, "{bytes} bytes are not all there are");
        let log = person.home.data().join("log");
        assert!(fs::read_dir(&log).unwrap().count() > 0, "nothing was logged");
        if let Some(url) = &database {
            let rows = search.server(url).await;
            assert!(rows > 50, "{rows} rows are not all there are");
        }
        assert_eq!(person.bridge.turn(|knobs| knobs.faults.clone()), [""; 0]);
        person.schwab.no_faults();
    }
}

/// A search that finds nothing must be one that would.
#[test]
fn a_search_finds_each_form() {
    let secret = "c4n4ry/p@ss:w0rd%";
    let search = Search::new(&[secret]);
    for around in ["", "x", "xy", "xyz"] {
        let text = format!("{around}{secret}{around}");
        let form: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        for written in [
            text.clone(),
            base64(text.as_bytes()),
            base64(text.as_bytes()).replace('+', "-").replace('/', "_"),
            hex(text.as_bytes()),
            hex(text.as_bytes()).to_uppercase(),
            form,
        ] {
            assert!(!search.found(written.as_bytes()).is_empty(), "{written}");
        }
    }
    assert_eq!(search.found(b"c4n4r and what else there is"), [""; 0]);
}
