//! Rates of the European Central Bank end to end: from the first row on, day by day, exact between any
//! two currencies, from a server on this machine that is as strict as the real one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc, Weekday};
use dashtam::clock::Clock;
use dashtam::config::{Config, Environment, Overrides};
use dashtam::service::refresh::{self, How, RefreshRequest, Summary};
use dashtam::service::{Access, Session};
use serde_json::{Value, json};
use support::home::{HEADER, Home, Ran, document};
use support::postgres::postgres_url;
use support::server::{Asked, Reply, Server};

const FIRST_ROW: &str = "2024-03-02";

/// What one euro costs on every day of banking.
const RATES: [(&str, &str); 4] =
    [("CAD", "1.5"), ("USD", "1.08"), ("JPY", "160"), ("KWD", "0.3333")];

#[derive(Default)]
struct Kept {
    windows: Vec<(NaiveDate, NaiveDate, String)>,
    faults: Vec<String>,
    answer: Option<fn() -> Reply>,
    /// A currency that it did not know before.
    tells_kwd: bool,
}

struct Bank {
    server: Server,
    kept: Arc<Mutex<Kept>>,
}

impl Bank {
    fn new() -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let mine = Arc::clone(&kept);
        Self { server: Server::new(move |asked| respond(&mine, asked)), kept }
    }

    fn windows(&self, symbols: &str) -> Vec<(NaiveDate, NaiveDate)> {
        let kept = self.kept.lock().unwrap();
        let mine = kept.windows.iter().filter(|(.., of)| of == symbols);
        mine.map(|(from, to, _)| (*from, *to)).collect()
    }
}

fn respond(kept: &Mutex<Kept>, asked: &Asked) -> Reply {
    let mut kept = kept.lock().unwrap();
    let url = url::Url::parse(&format!("http://x{}", asked.path)).unwrap();
    let pairs: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    let span = url.path().strip_prefix("/v1/").and_then(|span| span.split_once(".."));
    let day = |text: &str| text.parse::<NaiveDate>().ok();
    let span = span.and_then(|(from, to)| Some((day(from)?, day(to)?)));
    let Some((from, to)) = span.filter(|_| asked.method == "GET") else {
        kept.faults.push(asked.path.clone());
        return Reply::new(422, &[], "{\"message\":\"bad date\"}");
    };
    if pairs.get("base").map(String::as_str) != Some("EUR") {
        kept.faults.push("a rebased rate is rounded".to_owned());
    }
    if (to - from).num_days() > 100 {
        kept.faults.push(format!("one day a week is told of {from} to {to}"));
    }
    let symbols = pairs["symbols"].clone();
    kept.windows.push((from, to, symbols.clone()));
    if let Some(answer) = kept.answer {
        return answer();
    }
    let rates = RATES.iter().filter(|(code, _)| *code != "KWD" || kept.tells_kwd);
    let known = rates.filter(|(code, _)| symbols.split(',').any(|wanted| wanted == *code));
    let known: Vec<_> = known.collect();
    let days = from.iter_days().take_while(|day| *day <= to);
    let days = days.filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun));
    let mut rates = serde_json::Map::new();
    for day in days.filter(|_| !known.is_empty()) {
        let of_day: serde_json::Map<_, _> = known
            .iter()
            .map(|(code, rate)| ((*code).to_owned(), serde_json::from_str(rate).unwrap()))
            .collect();
        rates.insert(day.to_string(), Value::Object(of_day));
    }
    match rates.is_empty() {
        true => Reply::new(404, &[], "{\"message\":\"not found\"}"),
        false => {
            let told = json!({"amount": 1.0, "base": "EUR", "start_date": from.to_string(),
                "end_date": to.to_string(), "rates": rates});
            Reply::json(&told.to_string())
        }
    }
}

fn now() -> DateTime<Utc> {
    Clock::system(chrono_tz::UTC).now()
}

struct Person {
    home: Home,
    bank: Bank,
    database: Option<String>,
}

impl Person {
    fn new(database: Option<String>) -> Self {
        let (home, bank) = (Home::new(), Bank::new());
        let base = &bank.server.base;
        let config = format!("[frankfurter]\nbase_url = \"{base}\"\nrequests_per_minute = 60000\n");
        home.file("config.toml", &config);
        let person = Self { home, bank, database };
        let rows = [
            format!("{FIRST_ROW},Toronto,DEPOSIT,,,,,CAD,1000"),
            "2024-06-03,Osaka,DEPOSIT,,,,,JPY,8000".to_owned(),
            "2024-06-03,Kuwait,DEPOSIT,,,,,KWD,5".to_owned(),
        ];
        let file = person.home.file("rows.csv", &format!("{HEADER}\n{}\n", rows.join("\n")));
        person.ok(&format!("import {file}"));
        person
    }

    fn run(&self, line: &str) -> Ran {
        let mut command = self.home.process(self.database.as_deref());
        Ran::of(&command.args(line.split(' ')).stdin(Stdio::null()).output().unwrap())
    }

    fn ok(&self, line: &str) -> String {
        let ran = self.run(line);
        assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
        ran.out
    }

    fn json(&self, line: &str) -> Value {
        document(&self.ok(&format!("{line} --json")))
    }

    /// Refreshes in this process, by a clock that was moved.
    fn refresh_at(&self, at: DateTime<Utc>) -> Summary {
        let mut environment = vec![
            ("HOME", self.home.root.path().display().to_string()),
            ("DASHTAM_DATA_DIR", self.home.data().display().to_string()),
            ("DASHTAM_CONFIG", self.home.path("config.toml").display().to_string()),
        ];
        environment.extend(self.database.clone().map(|url| ("DASHTAM_DATABASE_URL", url)));
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let _ = rustls::crypto::ring::default_provider().install_default();
            let environment = Environment::new(environment);
            let config = Config::load(&Overrides::default(), &environment).unwrap();
            let clock = Clock::fixed(at, chrono_tz::UTC);
            let session = Session::open(&config, &clock, Access::Existing).await.unwrap();
            let wait = Duration::from_secs(5);
            let request = RefreshRequest { connections: Vec::new(), only: None, force: true, wait };
            let summary = refresh::run(&session, &How::of(&config), None, &request).await.unwrap();
            session.close().await;
            summary
        })
    }

    /// In the base currency.
    fn value(&self, account: &str) -> Value {
        let all = self.json("report accounts");
        let rows = all["rows"].as_array().unwrap();
        rows.iter().find(|row| row["name"] == account).unwrap()["value_base"].clone()
    }
}

#[test]
fn rates_come_from_the_first_row_on() {
    let server = postgres_url().map(|url| Person::new(Some(url)));
    for person in std::iter::once(Person::new(None)).chain(server) {
        assert_eq!(person.value("Toronto"), Value::Null);
        // Nobody has to bring anything, and once is enough.
        assert!(person.ok("connect frankfurter").contains("connected European Central Bank"));
        assert!(person.ok("connect frankfurter").contains("already"));
        let told = person.json("--refresh-only");
        assert_eq!(told["result"], "ok", "{told}");
        assert_eq!(told["quotes"]["requested"], 0, "it knows no security");
        // 1.08 / 1.5 and 1.08 / 160.
        assert_eq!(person.value("Toronto"), "720");
        assert_eq!(person.value("Osaka"), "54");
        assert_eq!(person.value("Kuwait"), Value::Null, "nobody tells it, and nothing is made up");
        let skipped = told["quotes"]["skipped"].as_array().unwrap();
        assert!(skipped.len() == 1 && skipped[0]["what"] == "KWD/USD", "{told}");
        let why = skipped[0]["why"].as_str().unwrap();
        let week = (now().date_naive() + TimeDelta::days(7)).to_string();
        assert!(why.contains("no price is known there; it is asked again from"), "{why}");
        assert!(why.contains(&week), "{why}");
        let in_vain = person.bank.windows("KWD,USD").len();
        assert!(in_vain > 7, "of all days since the first row");
        let windows = person.bank.windows("CAD,USD");
        let first: NaiveDate = FIRST_ROW.parse().unwrap();
        let yesterday = now().date_naive().pred_opt().unwrap();
        assert!(windows[0].0 <= first && windows.last().unwrap().1 == yesterday, "{windows:?}");
        assert!(windows.windows(2).all(|two| two[1].0 <= two[0].1.succ_opt().unwrap()));
        // A Saturday has the rate of the day before it; so has the day of the first row.
        let coverage = person.json("report coverage");
        let gaps = coverage["rows"].as_array().unwrap();
        let is_cad = |row: &&Value| row["name"].as_str().is_some_and(|name| name.contains("CAD"));
        let missing: Vec<_> = gaps.iter().filter(is_cad).collect();
        assert!(missing.iter().all(|row| row["missing_days"].as_i64().unwrap() <= 2), "{coverage}");
        // Afterwards what is new is asked for.
        let before = windows.len();
        person.ok("refresh --force");
        let again = person.bank.windows("CAD,USD");
        assert_eq!(again.len(), before + 1, "{again:?}");
        assert!((yesterday - again[before].0).num_days() < 20, "{again:?}");
        assert_eq!(person.bank.windows("KWD,USD").len(), in_vain, "nobody tells it today either");
        // A Sunday: what holds on it was told of the Friday before. Older rows come later.
        let older = "2020-03-01,Toronto,DEPOSIT,,,,,CAD,15";
        let file = person.home.file("older.csv", &format!("{HEADER}\n{older}\n"));
        person.ok(&format!("import {file}"));
        person.ok("refresh --force");
        let asked = person.bank.windows("CAD,USD");
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert!(asked[before + 1].0 <= day("2020-02-28"), "{asked:?}");
        let then = person.json("report accounts --as-of 2020-03-01");
        let rows = then["rows"].as_array().unwrap();
        let toronto = rows.iter().find(|row| row["name"] == "Toronto").unwrap();
        assert_eq!(toronto["value_base"], "10.8", "15 CAD at 0.72: {then}");
        let asked = asked.len();
        person.ok("refresh --force");
        assert!(person.bank.windows("CAD,USD").len() <= asked + 2, "once is enough");
        // Of older days it was asked once, too.
        let older: Vec<_> = person.bank.windows("KWD,USD").split_off(in_vain);
        assert!(older[0].0 <= day("2020-02-28") && older.last().unwrap().1 == yesterday);
        assert!(older.windows(2).all(|two| two[0].1 < two[1].1), "{older:?}");
        // Stale is shown as such, and never zero: a server that fails leaves what is stored.
        person.bank.kept.lock().unwrap().answer = Some(|| Reply::new(503, &[], ""));
        assert_eq!(person.run("refresh --force").code, Some(5));
        // (1000 + 15) * 0.72
        assert_eq!(person.value("Toronto"), "730.8");
        assert_eq!(person.bank.kept.lock().unwrap().faults, [""; 0]);
    }
}

/// A currency that is not told is asked for once a week, and by a connection that is made anew; one that
/// begins to be told then comes with all of its days.
#[test]
fn what_is_not_told_is_forgotten_after_a_week_and_with_its_connection() {
    let server = postgres_url().map(|url| Person::new(Some(url)));
    for person in std::iter::once(Person::new(None)).chain(server) {
        person.ok("connect frankfurter");
        person.ok("refresh --force");
        let asked = || person.bank.windows("KWD,USD").len();
        let once = asked();
        person.refresh_at(now() + TimeDelta::hours(24 * 7 - 1));
        assert_eq!(asked(), once, "remembered over restarts");
        let told = person.refresh_at(now() + TimeDelta::hours(24 * 7 + 1));
        assert!(asked() >= 2 * once && told.quotes.skipped.len() == 1, "{told:?}");
        let twice = asked();
        person.refresh_at(now() + TimeDelta::hours(24 * 7 + 2));
        assert_eq!(asked(), twice, "for another week");
        // It begins to be told, and its owner does not want to wait.
        person.bank.kept.lock().unwrap().tells_kwd = true;
        let known = person.json("connections")["connections"][0]["id"].clone();
        person.ok(&format!("disconnect {known}"));
        person.ok("connect frankfurter");
        let told = person.json("refresh --force");
        assert_eq!(told["quotes"]["skipped"], json!([]), "{told}");
        // 5 at 1.08 / 0.3333, to the ten digits of a rate: 3.240324032.
        assert_eq!(person.value("Kuwait"), "16.20162016");
        assert_eq!(person.bank.kept.lock().unwrap().faults, [""; 0]);
    }
}
