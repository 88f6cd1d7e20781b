//! Prices of Schwab end to end: the real program against a Schwab on this machine, on both engines. What
//! is held is asked for by its own names, a day is that of the exchange, and nothing that was restated
//! for a split is taken for what was paid.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::America::{Los_Angeles, New_York};
use chrono_tz::Asia::Tokyo;
use chrono_tz::Tz;
use dashtam::clock::Clock;
use dashtam::config::{Config, Environment, Overrides};
use dashtam::service::refresh::{self, How, Outcome, RefreshRequest, Summary};
use dashtam::service::{Access, Session};
use serde_json::{Value, json};
use support::home::{Home, Ran, document};
use support::postgres::postgres_url;
use support::schwab::{KEY, SECRET, Schwab, TOKEN, access_denied, refused};
use support::schwab_market::{candle, fund, right, share};
use support::server::Reply;

const CALL: &str = "EXMP  270115C00060000";
const QUOTES: &str = "/marketdata/v1/quotes";
const HISTORY: &str = "/marketdata/v1/pricehistory";

fn now() -> DateTime<Utc> {
    Clock::system(chrono_tz::UTC).now()
}

/// The last day that is over, where the exchange is.
fn yesterday(now: DateTime<Utc>) -> NaiveDate {
    now.with_timezone(&New_York).date_naive() - Days::new(1)
}

/// Somebody in New York with accounts at Schwab.
struct Person {
    home: Home,
    schwab: Schwab,
    database: Option<String>,
}

impl Person {
    fn connected(database: Option<String>) -> Self {
        let (home, schwab) = (Home::new(), Schwab::new(now()));
        let app = home.file("app", &format!("{KEY}\n{SECRET}\n"));
        fs::set_permissions(app, fs::Permissions::from_mode(0o600)).unwrap();
        let base = &schwab.server.base;
        let config = format!(
            "[schwab]\nbase_url = \"{base}\"\nrequests_per_minute = 60000\napp_file = \"app\"\n"
        );
        home.file("config.toml", &config);
        let person = Self { home, schwab, database };
        person.ok("vault init --no-passphrase");
        let ran = person.connect();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        person
    }

    fn on_each() -> Vec<Self> {
        let server = postgres_url().map(|url| Self::connected(Some(url)));
        std::iter::once(Self::connected(None)).chain(server).collect()
    }

    fn process(&self) -> std::process::Command {
        let mut command = self.home.process(self.database.as_deref());
        command.env("TZ", "America/New_York");
        command
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

    fn connect(&self) -> Ran {
        use std::io::{BufRead as _, BufReader, Read as _, Write as _};
        let mut command = self.process();
        command.args(["connect", "schwab", "--paste"]).stdin(Stdio::piped());
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap());
        let address = said.by_ref().lines().map_while(Result::ok).find(|it| it.starts_with("http"));
        let mut input = process.stdin.take().unwrap();
        writeln!(input, "{}", self.schwab.sign_in(address.unwrap().trim())).unwrap();
        drop(input);
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        Ran { err: rest, ..Ran::of(&process.wait_with_output().unwrap()) }
    }

    /// Asks now, due or not, and gives the exit code and the document.
    fn refresh(&self, more: &str) -> (i32, Value) {
        let ran = self.run(&format!("refresh --force -vv --json{more}"));
        (ran.code.unwrap(), document(&ran.out))
    }

    /// Refreshes what is due in this process, at another time and place.
    fn refresh_at(&self, at: DateTime<Utc>, zone: Tz) -> Summary {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut environment = vec![
                ("HOME", self.home.root.path().display().to_string()),
                ("DASHTAM_DATA_DIR", self.home.data().display().to_string()),
                ("DASHTAM_CONFIG", self.home.path("config.toml").display().to_string()),
            ];
            environment.extend(self.database.clone().map(|url| ("DASHTAM_DATABASE_URL", url)));
            let _ = rustls::crypto::ring::default_provider().install_default();
            let environment = Environment::new(environment);
            let config = Config::load(&Overrides::default(), &environment).unwrap();
            let clock = Clock::fixed(at, zone);
            let session = Session::open(&config, &clock, Access::Existing).await.unwrap();
            let wait = Duration::from_secs(5);
            let request = RefreshRequest { connections: Vec::new(), only: None, force: true, wait };
            let summary = refresh::run(&session, &How::of(&config), None, &request).await.unwrap();
            session.close().await;
            summary
        })
    }

    fn state(&self) -> Value {
        self.json("connections")["connections"][0]["state"].clone()
    }

    fn held(&self, symbol: &str) -> Value {
        let all = self.json("report holdings");
        let rows = all["rows"].as_array().unwrap();
        rows.iter().find(|row| row["symbol"] == symbol).unwrap_or_else(|| panic!("{all}")).clone()
    }

    /// Price, worth and source of what is held.
    fn worth(&self, symbol: &str) -> [String; 3] {
        let held = self.held(symbol);
        ["price", "value", "price_source"].map(|key| held[key].as_str().unwrap().to_owned())
    }

    /// The days that Schwab told of a symbol, as they are exported.
    fn days(&self, symbol: &str) -> Vec<String> {
        let all = self.ok("export --what prices");
        let mine = all.lines().filter(|line| {
            line.contains(&format!(",sec:{symbol}@USD,")) && line.ends_with(",schwab")
        });
        mine.map(ToOwned::to_owned).collect()
    }

    fn no_secret_below(&self) {
        fn walk(folder: &std::path::Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                    continue;
                }
                let bytes = fs::read(&path).unwrap();
                let has =
                    |canary: &str| bytes.windows(canary.len()).any(|at| at == canary.as_bytes());
                if path.file_name().unwrap() != "app"
                    && [TOKEN, SECRET, "90000017"].iter().any(|it| has(it))
                {
                    found.push(path.display().to_string());
                }
            }
        }
        let mut found = Vec::new();
        walk(self.home.root.path(), &mut found);
        assert_eq!(found, [""; 0]);
    }
}

/// What was said of what was left out.
fn skipped(told: &Value) -> String {
    told["quotes"]["skipped"].to_string()
}

/// By hand: 40 at 56.1, 12.5 at 104.4, one right on a hundred at 1.95 that was sold, 100 at 30.25.
#[test]
fn what_is_held_is_priced_by_its_own_names() {
    for person in Person::on_each() {
        person.schwab.turn(|knobs| {
            let at = knobs.now;
            knobs.quotes = [
                ("EXMP", share("EXMP", "56.10", at)),
                ("EXIX", share("EXIX", "104.4", at)),
                (CALL, right(CALL, "1.9", "1.95", "2.0", at)),
                ("EXMFX", fund("EXMFX", "30.25", at.timestamp_millis())),
            ]
            .map(|(symbol, quote)| (symbol.to_owned(), quote))
            .into();
        });
        let (code, told) = person.refresh("");
        assert_eq!(code, 0, "{told}");
        assert_eq!(told["quotes"], json!({"requested": 4, "stored": 4, "skipped": []}));
        let asked = person.schwab.turn(|knobs| knobs.quoted.clone());
        assert_eq!(asked, [["EXIX", "EXMFX", "EXMP", CALL].map(ToOwned::to_owned)], "all at once");
        assert_eq!(person.worth("EXMP"), ["56.1", "2244", "schwab"]);
        assert_eq!(person.worth("EXIX"), ["104.4", "1305", "schwab"]);
        assert_eq!(person.worth(CALL), ["1.95", "-195", "schwab"]);
        assert_eq!(person.worth("EXMFX"), ["30.25", "3025", "schwab"]);
        // Zero says that nothing is known, and beside it stands the close of the day before.
        person.schwab.turn(|knobs| {
            knobs.quotes.insert("EXMFX".to_owned(), fund("EXMFX", "0", 0));
            knobs.quotes.insert("EXMP".to_owned(), share("EXMP", "56.20", now()));
        });
        let (code, told) = person.refresh(" --quotes-only");
        assert_eq!((code, &told["quotes"]["stored"]), (0, &json!(3)), "{told}");
        assert!(skipped(&told).contains("EXMFX"), "{told}");
        assert_eq!(person.worth("EXMP"), ["56.2", "2248", "schwab"]);
        assert_eq!(person.worth("EXMFX"), ["30.25", "3025", "schwab"], "as it was");
        person.schwab.no_faults();
        person.no_secret_below();
    }
}

/// A price of yesterday is none of today: what the account says that it is worth stands.
#[test]
fn what_was_paid_yesterday_is_no_price_of_today() {
    let person = Person::connected(None);
    person.schwab.turn(|knobs| {
        let at = knobs.now - TimeDelta::days(1);
        knobs.quotes.insert("EXMP".to_owned(), share("EXMP", "56.10", at));
    });
    let (code, told) = person.refresh("");
    assert_eq!(code, 0, "{told}");
    let [price, value, source] = person.worth("EXMP");
    assert_eq!((price.as_str(), value.as_str()), ("55.25", "2210"));
    assert!(source.starts_with("provider:"), "{source}");
}

/// 501 are asked for in two questions; one that is unknown or unreadable spoils no other.
#[test]
fn many_are_asked_for_at_once_and_a_strange_one_spoils_none() {
    let person = Person::connected(None);
    let letters = || ('A'..='Z').map(String::from);
    let names: Vec<_> = letters()
        .flat_map(|one| letters().map(move |other| format!("Q{one}{other}")))
        .take(497)
        .collect();
    let rows: Vec<_> =
        names.iter().map(|name| format!("2024-01-02,Other,BUY,{name},1,10,0,USD,-10")).collect();
    let rows: Vec<_> = rows.iter().map(String::as_str).collect();
    person.ok(&format!("import {}", person.home.rows("many.csv", &rows)));
    person.schwab.turn(|knobs| {
        let at = knobs.now;
        let quotes = names.iter().map(|name| (name.clone(), share(name, "11.5", at)));
        knobs.quotes.extend(quotes);
        knobs.quotes.remove("QAA");
        knobs.quotes.insert("QAB".to_owned(), json!(7));
    });
    let (code, told) = person.refresh("");
    assert_eq!(code, 0, "{told}");
    assert_eq!(
        (&told["quotes"]["requested"], &told["quotes"]["stored"]),
        (&json!(501), &json!(499)),
        "{told}"
    );
    for name in ["QAA", "QAB"] {
        assert!(skipped(&told).contains(name), "{told}");
    }
    let asked = person.schwab.turn(|knobs| knobs.quoted.clone());
    assert_eq!(asked.iter().map(Vec::len).collect::<Vec<_>>(), [500, 1]);
    assert_eq!(person.worth("QAC"), ["11.5", "11.5", "schwab"]);
    person.schwab.no_faults();
}

/// Days come as they were told, with all that was told of them, on the day that it was in New York.
#[test]
fn a_day_is_that_of_the_exchange_wherever_somebody_is() {
    for zone in [Tokyo, Los_Angeles, New_York] {
        for person in Person::on_each() {
            let last = yesterday(now());
            assert_eq!(person.refresh("").0, 0);
            person.schwab.turn(|knobs| {
                let day = |ago: u64, prices| candle(last - Days::new(ago), prices);
                let days = vec![
                    day(2, ["50", "51", "49", "50.5"]),
                    day(1, ["51", "52", "50", "51.5"]),
                    day(0, ["55", "56.25", "54.5", "55.30"]),
                ];
                knobs.candles.insert("EXMP".to_owned(), days);
            });
            let (code, told) = person.refresh("");
            assert_eq!(code, 0, "the others have no days, which is no error: {told}");
            // Since the price that the account told, which proves the units of that day.
            let first = format!("{last},sec:EXMP@USD,55.3,USD,55,56.25,54.5,1200,schwab");
            assert_eq!(person.days("EXMP"), std::slice::from_ref(&first));
            // Three days later, at seven in the evening in New York.
            let at = (last + Days::new(4)).and_hms_opt(0, 30, 0).unwrap().and_utc();
            person.schwab.turn(|knobs| {
                let days = knobs.candles.get_mut("EXMP").unwrap();
                for ahead in 1..=4 {
                    days.push(candle(last + Days::new(ahead), ["55", "57", "54", "56"]));
                }
            });
            let summary = person.refresh_at(at, zone);
            assert_eq!(summary.outcome, Outcome::Ok, "{summary:?}");
            // Over is a day that is so here and in UTC.
            let over = if zone == Tokyo { 3 } else { 2 };
            let later = (1..=over).map(|ahead| {
                format!("{},sec:EXMP@USD,56,USD,55,57,54,1200,schwab", last + Days::new(ahead))
            });
            let right: Vec<_> = std::iter::once(first).chain(later).collect();
            assert_eq!(person.days("EXMP"), right, "{zone}");
            person.schwab.no_faults();
        }
    }
}

/// 40 were bought at 51.25 eight days ago: where that is a price of its day, days since then are as they
/// were traded. Of before nothing proves what a share was.
#[test]
fn what_was_paid_proves_the_days_since() {
    for (low, told) in [("51", 8), ("51.26", 1)] {
        for person in Person::on_each() {
            let last = yesterday(now());
            let bought = person.schwab.turn(|knobs| knobs.now - TimeDelta::days(8));
            let bought = bought.with_timezone(&New_York).date_naive();
            assert_eq!(person.refresh("").0, 0);
            person.schwab.turn(|knobs| {
                let all = bought.iter_days().take_while(|day| *day <= last);
                let days = all.map(|day| candle(day, ["54", "55.5", "53.5", "55"]));
                let before = candle(bought - Days::new(1), ["51", "52", "50", "51.5"]);
                let mut days: Vec<_> = std::iter::once(before).chain(days).collect();
                days[1] = candle(bought, ["52", "55", low, "54.5"]);
                knobs.candles.insert("EXMP".to_owned(), days);
            });
            let (code, document) = person.refresh("");
            assert_eq!(code, 0, "{document}");
            let days = person.days("EXMP");
            assert_eq!(days.len(), told, "{low}: {days:?}");
            person.schwab.no_faults();
        }
    }
}

/// One share becomes two over night, and all days before are told as halves: none of them is taken, it is
/// said why, and with the split they go on.
#[test]
fn what_was_restated_for_a_split_is_not_taken_for_what_was_paid() {
    for person in Person::on_each() {
        let (at, last) = (now(), yesterday(now()));
        assert_eq!(person.refresh("").0, 0);
        let day = |ahead: u64, close: &str| {
            let price = [close; 4];
            candle(last + Days::new(ahead), price)
        };
        person.schwab.turn(|knobs| {
            knobs.candles.insert("EXMP".to_owned(), vec![day(0, "55.25")]);
        });
        assert_eq!(person.refresh("").0, 0);
        let known = person.days("EXMP");
        assert_eq!(known.len(), 1, "{known:?}");
        // Today one share becomes two, which the account tells and no row does yet.
        let later = at + TimeDelta::days(2);
        person.schwab.turn(|knobs| {
            let days = vec![day(0, "27.625"), day(1, "27.7"), day(2, "27.8")];
            knobs.candles.insert("EXMP".to_owned(), days);
            knobs.quotes.insert("EXMP".to_owned(), share("EXMP", "27.9", later));
            knobs.accounts[0]["securitiesAccount"]["positions"][0]["longQuantity"] = json!(80);
        });
        let summary = person.refresh_at(later, New_York);
        assert_eq!(person.days("EXMP"), known, "what was paid stays");
        let skipped = format!("{:?}", summary.quotes.skipped);
        assert!(skipped.contains("27.625 is told for") && skipped.contains("55.25"), "{skipped}");
        assert_eq!(summary.outcome, Outcome::Partial, "it is said");
        let split = last + Days::new(1);
        person.ok(&format!(
            "txn add --account Trading --date {split} --type split --symbol EXMP --ratio 2:1"
        ));
        let summary = person.refresh_at(later, New_York);
        let days = person.days("EXMP");
        assert_eq!((days.len(), &days[0]), (3, &known[0]), "{days:?}");
        assert!(days[1].starts_with(&format!("{split},sec:EXMP@USD,27.7,")), "{days:?}");
        assert_eq!(
            summary.quotes.skipped.iter().filter(|skip| skip.wrong).count(),
            0,
            "{summary:?}"
        );
        person.schwab.no_faults();
    }
}

/// An access that ended early is renewed once; where that is no help the consent stands, as accounts are
/// read with it all the same.
#[test]
fn prices_end_no_consent() {
    for person in Person::on_each() {
        assert_eq!(person.refresh("").0, 0);
        let renewed = |person: &Person| person.schwab.turn(|knobs| knobs.renewed);
        let before = renewed(&person);
        person.schwab.turn(|knobs| knobs.access = "ended early".to_owned());
        let (code, told) = person.refresh(" --quotes-only");
        assert_eq!((code, &told["quotes"]["stored"]), (0, &json!(4)), "{told}");
        assert_eq!(renewed(&person), before + 1);
        let denied: fn() -> Reply = || Reply::new(401, &[], "{\"errors\":[{\"status\":401}]}");
        let forbidden: fn() -> Reply = || {
            let body = "{\"errors\":[{\"id\":\"1\",\"status\":\"403\",\"title\":\"Forbidden\"}]}";
            Reply::new(403, &[("content-type", "application/json")], body)
        };
        let limited: fn() -> Reply = || Reply::new(429, &[], "");
        for (answer, why) in [
            (denied, "(401)"),
            (forbidden, "`Market Data Production`: Forbidden"),
            (access_denied as fn() -> Reply, "a web page"),
            (limited, "asks to wait"),
        ] {
            for path in [QUOTES, HISTORY] {
                person.schwab.turn(|knobs| knobs.answer = Some((path, answer)));
                let before = renewed(&person);
                let (code, told) = person.refresh("");
                let mine = &told["connections"][0];
                assert_eq!((code, &mine["class"]), (3, &json!("later")), "{why}: {told}");
                assert_eq!((&mine["accounts"], person.state()), (&json!(2), json!("active")));
                let said = person.run("refresh --force").err;
                assert!(said.contains(why), "{why}: {said}");
                let once = usize::from(why == "(401)");
                assert_eq!(renewed(&person) - before, u32::try_from(once).unwrap(), "{why} {path}");
                person.schwab.turn(|knobs| knobs.answer = None);
                assert_eq!(person.refresh("").0, 0, "nothing was lost");
            }
        }
        // What ends the consent ends it here too.
        person.schwab.turn(|knobs| {
            knobs.access.push('x');
            knobs.answer =
                Some(("/v1/oauth/token", || Reply::new(400, &[], refused().to_string())));
        });
        let (code, told) = person.refresh(" --quotes-only");
        assert_eq!((code, &told["connections"][0]["class"]), (4, &json!("reauthorize")), "{told}");
        assert_eq!(person.state(), "revoked");
        person.schwab.no_faults();
        person.no_secret_below();
    }
}
