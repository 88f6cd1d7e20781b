//! Alpaca end to end: the real program against an Alpaca on this machine, on both engines. What is
//! asked is only ever read, what is told is stored once, and no key is found anywhere in clear.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use dashtam::clock::Clock;
use dashtam::http::Request;
use dashtam::provider::{Class, Line, PROVIDERS};
use serde_json::{Value, json};
use support::alpaca::{
    Alpaca, ID, Knobs, LIVE, PAPER, SECRET, account, bar, fill, gateway, other, position, snapshot,
};
use support::home::{Home, Ran, document};
use support::postgres::postgres_url;
use support::server::{Reply, Server};
use support::terminal::{Terminal, dashtam};

/// The time, as the program has it.
fn now() -> DateTime<Utc> {
    Clock::system(chrono_tz::UTC).now()
}

/// Somebody with an account at Alpaca, a vault and a store.
struct Person {
    home: Home,
    alpaca: Alpaca,
    database: Option<String>,
}

impl Person {
    fn new(database: Option<String>) -> Self {
        let (home, alpaca) = (Home::new(), Alpaca::new());
        home.file("config.toml", &format!("[alpaca]\nbase_url = \"{}\"\n", alpaca.server.base));
        let person = Self { home, alpaca, database };
        person.ok("vault init --no-passphrase");
        person
    }

    /// One with a store on each engine there is.
    fn on_each() -> Vec<Self> {
        let server = postgres_url().map(|url| Self::new(Some(url)));
        std::iter::once(Self::new(None)).chain(server).collect()
    }

    fn connected(self) -> Self {
        let ran = self.connect(&self.alpaca.keys());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        self
    }

    fn run(&self, line: &str, input: &str) -> Ran {
        self.say(line, input, &[])
    }

    fn say(&self, line: &str, input: &str, variables: &[(&str, &str)]) -> Ran {
        let mut command = self.home.command();
        command.env("DASHTAM_CONFIG", self.home.path("config.toml"));
        command.envs(variables.iter().copied());
        if let Some(url) = &self.database {
            command.env("DASHTAM_DATABASE_URL", url);
        }
        Ran::of(&command.args(line.split(' ')).write_stdin(input).output().unwrap())
    }

    fn connect(&self, keys: &str) -> Ran {
        self.run("connect alpaca --paste -vv", keys)
    }

    fn ok(&self, line: &str) -> String {
        let ran = self.run(line, "");
        assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
        ran.out
    }

    fn json(&self, line: &str) -> Value {
        document(&self.ok(&format!("{line} --json")))
    }

    /// Asks now, due or not, and gives the exit code and what became of the connection.
    fn refresh(&self) -> (i32, Value) {
        let ran = self.run("refresh --force -vv --json", "");
        (ran.code.unwrap(), document(&ran.out)["connections"][0].clone())
    }

    fn rows(&self) -> Vec<Value> {
        let all = self.json("report transactions --limit 1000");
        all["rows"].as_array().unwrap().clone()
    }

    /// The rows of a symbol, or of none, in short.
    fn told(&self, symbol: Option<&str>) -> Vec<String> {
        let word = |row: &Value, key: &str| row[key].as_str().unwrap_or("-").to_owned();
        let rows = self.rows();
        let rows = rows.iter().filter(|row| row["symbol"].as_str() == symbol);
        let mut told: Vec<_> = rows
            .map(|row| {
                let words = ["date", "subtype", "quantity", "amount"].map(|key| word(row, key));
                words.join(" ")
            })
            .collect();
        told.sort();
        told
    }

    fn findings(&self, kind: &str) -> Vec<Value> {
        let all = self.json("report findings");
        let all = all["rows"].as_array().unwrap().clone();
        all.into_iter().filter(|row| row["kind"] == kind).collect()
    }

    fn held(&self, symbol: &str) -> Value {
        let all = self.json("report holdings");
        let rows = all["rows"].as_array().unwrap();
        rows.iter().find(|row| row["symbol"] == symbol).unwrap_or_else(|| panic!("{all}")).clone()
    }

    /// What it told of the prices of a symbol: day, close, currency, open, high, low, volume and source.
    fn prices(&self, symbol: &str) -> Vec<String> {
        let all = self.ok("export --what prices");
        let mine = format!("sec:{symbol}");
        let mut told = Vec::new();
        for line in all.lines() {
            let mut cells = line.splitn(3, ',');
            let [day, of, rest] = [(); 3].map(|()| cells.next().unwrap());
            if of.split('@').next() == Some(mine.as_str()) && rest.ends_with(",alpaca") {
                told.push(format!("{day} {rest}"));
            }
        }
        told
    }

    /// What was asked for of prices since the last time.
    fn asked_for_prices(&self) -> Vec<String> {
        self.alpaca.turn(|knobs| std::mem::take(&mut knobs.prices))
    }

    fn no_faults(&self) {
        assert_eq!(self.alpaca.turn(|knobs| knobs.faults.clone()), [""; 0]);
    }

    /// In every file that was written, in what is exported, and in a backup.
    fn no_secret_below(&self) {
        fn walk(folder: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else if has_key(&fs::read(&path).unwrap()) {
                    found.push(path.display().to_string());
                }
            }
        }
        let backup = self.home.path("backup");
        self.ok(&format!("backup {} --force", backup.display()));
        self.home.file("export.json", &self.ok("export --format json"));
        let mut found = Vec::new();
        walk(self.home.root.path(), &mut found);
        assert_eq!(found, [""; 0]);
    }
}

fn has_key(bytes: &[u8]) -> bool {
    [ID, SECRET, "c4n4ry"].iter().any(|key| bytes.windows(key.len()).any(|at| at == key.as_bytes()))
}

fn skipped(told: &Value) -> Vec<String> {
    let all = told["skipped"].as_array().unwrap();
    all.iter().map(|it| it["why"].as_str().unwrap().to_owned()).collect()
}

/// One of every kind, in the order in which they were written down.
fn years() -> Vec<Value> {
    let none = json!({});
    let units = |symbol: &str, qty: &str, price: &str| json!({"symbol": symbol, "qty": qty, "price": price});
    let of = |symbol: &str, group: &str| json!({"symbol": symbol, "qty": "0", "group_id": group});
    let (call, split) = ("AAPL240719C00150000", "From QTY:5, To QTY:-20, Position Value:1005");
    let part = |qty: &str, word: &str| json!({"symbol": "XYZ", "qty": qty, "description": format!("{word}, {split}")});
    vec![
        other(1, "2024-01-08", "CSD", "40000", &none),
        fill(2, "2024-01-09T15:15:02.123456Z", "buy", "XYZ", "4", "50.25"),
        fill(3, "2024-01-09T15:15:02.5Z", "buy", "XYZ", "1", "50.25"),
        other(4, "2024-02-01", "DIV/CDIV", "25", &of("XYZ", "g-1")),
        other(5, "2024-02-01", "DIVNRA", "-3.75", &of("XYZ", "g-1")),
        other(6, "2024-03-01", "SPLIT/FSPLIT", "0", &part("-5", "REMOVE")),
        other(7, "2024-03-01", "SPLIT/FSPLIT", "0", &part("20", "ADD")),
        fill(8, "2024-06-03T15:00:00Z", "buy", call, "2", "3.00"),
        fill(9, "2024-07-01T02:30:00Z", "buy", "BTC/USD", "0.1", "60000"),
        fill(10, "2024-07-01T02:30:00.1Z", "sell", "XYZ", "2", "20"),
        other(11, "2024-07-01", "CFEE", "0", &units("BTCUSD", "-0.00025", "60000")),
        other(12, "2024-07-19", "OPEXC", "0", &units(call, "-2", "")),
        other(13, "2024-07-19", "OPTRD", "-30000", &units("AAPL", "200", "9.99")),
        other(14, "2024-07-22", "FEE/REG", "-0.05", &json!({"symbol": ""})),
        fill(15, "2024-08-01T14:00:00Z", "sell_short", "TSLA", "1", "200"),
        other(16, "2024-08-02", "INT/MGN", "-2.00", &none),
        fill(17, "2024-09-02T14:00:00Z", "buy", "OLDN", "10", "5"),
        other(18, "2024-09-03", "NC", "0", &units("NEWN", "10", "5")),
        other(19, "2024-09-03", "NC", "0", &units("OLDN", "-10", "5")),
        fill(20, "2024-09-05T14:00:00Z", "buy", "SRC", "10", "100"),
        other(21, "2024-09-10", "SPIN", "0", &units("SPN", "5", "40")),
        other(22, "2024-09-10", "SPIN", "0", &units("SRC", "-10", "100")),
        other(23, "2024-09-10", "SPIN", "0", &units("SRC", "10", "80")),
        fill(24, "2024-10-01T14:00:00Z", "buy", "ACQ", "10", "10"),
        other(25, "2024-10-07", "MA/SCMA", "0", &units("ACQ", "-10", "10")),
        other(26, "2024-10-07", "MA/SCMA", "0", &units("BUYR", "4", "20")),
        other(27, "2024-10-07", "MA/SCMA", "30", &units("ACQ", "0", "")),
        other(28, "2024-11-04", "ZZZ/QQQ", "1.23", &json!({"description": "something new"})),
    ]
}

/// What is left of them at the end.
fn left() -> Value {
    json!([
        position("XYZ", "us_equity", "18", Some("378"), "226.125"),
        position("BTCUSD", "crypto", "0.09975", None, "5985"),
        position("AAPL", "us_equity", "200", Some("32000"), "30600"),
        position("TSLA", "us_equity", "-1", Some("-190"), "-200"),
        position("NEWN", "ipo", "10", Some("60"), "50"),
        position("SRC", "us_equity", "10", Some("800"), "800"),
        position("SPN", "us_equity", "5", Some("220"), "200"),
        position("BUYR", "us_equity", "4", Some("100"), "70"),
    ])
}

#[test]
fn an_account_is_told_from_its_first_row_to_what_is_held() {
    for person in Person::on_each() {
        let person = person.connected();
        person.alpaca.turn(|knobs| (knobs.activities, knobs.positions) = (years(), left()));
        let (code, told) = person.refresh();
        // What nobody knows is told, and nothing else is missing for it.
        assert_eq!((code, &told["result"]), (3, &json!("partial")), "{told}");
        let skipped = skipped(&told);
        assert_eq!(skipped.len(), 1, "{skipped:?}");
        assert!(skipped[0].contains("ZZZ/QQQ") && skipped[0].contains("cash is kept"));
        let accounts = person.json("report accounts");
        let mine = &accounts["rows"][0];
        assert_eq!(
            (&mine["name"], &mine["kind"], &mine["institution"]),
            (&json!("Alpaca paper …E01"), &json!("margin"), &json!("Alpaca paper"))
        );
        assert_eq!(mine["cash"]["USD"], "102289.18");
        assert_eq!(person.findings("reconcile"), [] as [Value; 0]);

        // By hand: 4 + 1, never 4 + 5; four for one; 2 of 20 sold by day in New York.
        assert_eq!(
            person.told(Some("XYZ")),
            [
                "2024-01-09 buy 1 -50.25",
                "2024-01-09 buy 4 -201",
                "2024-02-01 dividend - 25",
                "2024-02-01 withholding_tax - -3.75",
                "2024-03-01 split - 0",
                "2024-06-30 sell 2 40",
            ]
        );
        let held = person.held("XYZ");
        assert_eq!((&held["quantity"], &held["cost"]), (&json!("18"), &json!("226.125")));
        // 18: a charge in coins is paid by coins, and costs no cash.
        assert_eq!(
            person.told(Some("BTC")),
            ["2024-07-01 buy 0.1 -6000", "2024-07-01 sell 0.00025 15"]
        );
        assert_eq!(person.held("BTC")["quantity"], "0.09975");
        // 16: what the right had cost goes into what it led to.
        let held = person.held("AAPL");
        assert_eq!((&held["quantity"], &held["cost"]), (&json!("200"), &json!("30600")));
        assert_eq!(person.held("TSLA")["quantity"], "-1");
        assert_eq!(person.held("NEWN")["cost"], "50", "another name, the same lots");
        let (source, borne) = (person.held("SRC"), person.held("SPN"));
        assert_eq!((&source["cost"], &borne["cost"]), (&json!("800"), &json!("200")));
        assert_eq!(person.held("BUYR")["quantity"], "4");
        assert_eq!(
            person.told(None),
            [
                "2024-01-07 opening - 100000",
                "2024-01-08 deposit - 40000",
                "2024-07-01 commission - -15",
                "2024-07-22 other_fee - -0.05",
                "2024-08-02 margin_interest - -2",
                "2024-11-04 unknown - 1.23",
            ]
        );

        // A second time there is nothing new; what came late is stored once, on its day.
        let before = person.ok("export --format canonical");
        let (_, again) = person.refresh();
        assert_eq!(again["transactions_new"], 0, "{again}");
        assert_eq!(person.ok("export --format canonical"), before);
        let (day, written) = (now() - TimeDelta::days(9), now() - TimeDelta::days(3));
        let late = json!({"created_at": written.to_rfc3339(), "symbol": "XYZ"});
        let late = other(40, &day.date_naive().to_string(), "DIV/CDIV", "4.50", &late);
        person.alpaca.turn(|knobs| {
            knobs.activities.push(late);
            knobs.account["cash"] = json!("102293.68");
        });
        for new in [1, 0] {
            let (code, told) = person.refresh();
            assert_eq!((code, &told["transactions_new"]), (0, &json!(new)), "{told}");
        }
        assert!(person.told(Some("XYZ")).contains(&format!("{} dividend - 4.5", day.date_naive())));
        assert_eq!(person.findings("reconcile"), [] as [Value; 0]);
        person.ok("rebuild --check");
        person.no_faults();
        person.no_secret_below();
    }
}

/// So many deposits, each a minute after the other.
fn deposits(count: u32) -> Vec<Value> {
    let row = |nth: u32| {
        let at = format!("2024-01-08T{:02}:{:02}:00Z", nth / 60, nth % 60);
        other(nth, "2024-01-08", "CSD", "1", &json!({"created_at": at}))
    };
    (0..count).map(row).collect()
}

/// 1, 2: a full last page is no end, an empty one is; a page that does not go on is told.
#[test]
fn pages_are_asked_for_until_one_is_empty() {
    for person in Person::on_each() {
        let person = person.connected();
        person.alpaca.turn(|knobs| knobs.activities = deposits(200));
        let (code, told) = person.refresh();
        assert_eq!((code, &told["transactions_new"]), (0, &json!(201)), "and the opening: {told}");
        let pages = person.alpaca.turn(|knobs| std::mem::take(&mut knobs.pages));
        assert_eq!(pages.len(), 3, "{pages:?}");
        assert!(pages.iter().all(|(after, _)| after.is_none()), "from the first row on");
        let last = deposits(200)[199]["id"].as_str().map(str::to_owned);
        assert_eq!(pages[2].1, last);
        // Afterwards what was written down in the last ten days.
        person.refresh();
        let pages = person.alpaca.turn(|knobs| std::mem::take(&mut knobs.pages));
        let after: DateTime<Utc> = pages[0].0.as_ref().unwrap().parse().unwrap();
        assert_eq!(((now() - after).num_days(), pages.len()), (10, 1));
        person.no_faults();
    }
    let person = Person::new(None).connected();
    person.alpaca.turn(|knobs| (knobs.activities, knobs.stuck) = (deposits(250), true));
    let (code, told) = person.refresh();
    assert_eq!((code, &told["transactions_new"]), (3, &json!(100)), "{told}");
    assert!(skipped(&told)[0].contains("repeats"), "{told}");
    assert_eq!(person.alpaca.turn(|knobs| knobs.pages.len()), 2, "it is not asked for ever");
    person.no_faults();
}

/// What was told before a page failed is kept; nothing is made up for the rest, which comes later.
#[test]
fn a_page_that_fails_midway_leaves_what_was_told() {
    for person in Person::on_each() {
        let person = person.connected();
        person.alpaca.turn(|knobs| {
            knobs.activities = deposits(250);
            knobs.page_answer = Some((2, gateway));
        });
        let (code, told) = person.refresh();
        assert_eq!((code, &told["transactions_new"]), (3, &json!(100)), "{told}");
        assert!(skipped(&told)[0].contains("status 502"), "{told}");
        assert!(person.told(None).iter().all(|row| row.contains("deposit")), "no opening yet");
        person.alpaca.turn(|knobs| (knobs.page_answer, knobs.pages) = (None, vec![]));
        let (code, told) = person.refresh();
        assert_eq!((code, &told["transactions_new"]), (0, &json!(151)), "{told}");
        assert_eq!(person.alpaca.turn(|knobs| knobs.pages[0].0.clone()), None, "all of it again");
        // By hand: 102289.18 - 250.
        assert!(person.told(None).contains(&"2024-01-07 opening - 102039.18".to_owned()));
        assert_eq!(person.findings("reconcile"), [] as [Value; 0]);
        person.no_faults();
    }
}

/// A first history that lacks anything opens nothing, and all of it is asked for again.
#[test]
fn nothing_is_made_up_for_an_account_until_all_of_it_is_told() {
    for person in Person::on_each() {
        let person = person.connected();
        let fee = json!({"symbol": "BTCUSD", "qty": "-0.00025", "price": "60000"});
        let told = vec![
            fill(1, "2024-07-01T02:30:00Z", "buy", "BTCUSD", "0.1", "60000"),
            other(2, "2024-07-01", "CFEE", "0", &fee),
            fill(3, "2024-07-02T15:00:00Z", "sell", "BTCUSD", "0.09975", "60000"),
        ];
        person.alpaca.turn(|knobs| (knobs.activities, knobs.account) = (told, account("1000")));
        let lacks = |what: fn(&mut Knobs), why: &str| {
            person.alpaca.turn(what);
            let (code, told) = person.refresh();
            assert_eq!(code, 3, "{why}: {told}");
            assert!(skipped(&told).join(" ").contains(why), "{why} is not in {told}");
            let rows = person.told(None);
            assert!(rows.iter().all(|row| !row.contains("opening")), "{why}: {rows:?}");
            person.alpaca.turn(|knobs| {
                (knobs.account, knobs.positions) = (account("1000"), json!([]));
                knobs.list_answer = None;
                let asked = std::mem::take(&mut knobs.pages);
                assert_eq!(asked[0].0, None, "{why}: all of it is asked for");
            });
        };
        let no_list: fn(&mut Knobs) = |knobs| knobs.list_answer = Some(|| Reply::new(404, &[], ""));
        lacks(no_list, "3 activities of what may be coins are held back");
        assert_eq!(person.rows(), [] as [Value; 0], "no coin is taken for a share");
        lacks(|knobs| knobs.account["equity"] = Value::Null, "what it comes to is not told");
        lacks(|knobs| knobs.account["cash"] = json!("all"), "what it comes to is not told");
        let strange: fn(&mut Knobs) =
            |knobs| knobs.positions = json!([position("", "us_equity", "1", None, "1")]);
        lacks(strange, "it has no symbol");
        lacks(|knobs| knobs.meanwhile = Some(account("999")), "while its first history was read");
        let (code, told) = person.refresh();
        assert_eq!(code, 0, "{told}");
        // By hand: 1000 + 6000 - 5985, and the charge came out of the coins.
        assert!(person.told(None).contains(&"2024-06-30 opening - 1015".to_owned()));
        assert_eq!(person.told(Some("BTCUSD")), [""; 0]);
        assert_eq!(person.told(Some("BTC")).len(), 3, "nothing of it was there before");
        assert_eq!(person.findings("reconcile"), [] as [Value; 0]);
        person.no_faults();
    }
}

/// What a charge takes out of coins is gone before it is told.
#[test]
fn coins_of_today_are_no_opening_before_their_charge_is_told() {
    let person = Person::new(None).connected();
    let today = now().date_naive().to_string();
    let at = now().to_rfc3339_opts(SecondsFormat::Micros, true);
    let fee = json!({"symbol": "BTCUSD", "qty": "-0.00025", "price": "60000"});
    person.alpaca.turn(|knobs| {
        knobs.activities = vec![fill(1, &at, "buy", "BTC/USD", "0.1", "60000")];
        knobs.positions = json!([position("BTCUSD", "crypto", "0.09975", None, "5985")]);
    });
    let (code, told) = person.refresh();
    assert_eq!(code, 3, "{told}");
    assert!(skipped(&told)[0].contains("charges"), "{told}");
    person.alpaca.turn(|knobs| knobs.activities.push(other(2, &today, "CFEE", "0", &fee)));
    assert_eq!(person.refresh().0, 0);
    let rows = [format!("{today} buy 0.1 -6000"), format!("{today} sell 0.00025 15")];
    assert_eq!(person.told(Some("BTC")), rows);
    assert_eq!(person.held("BTC")["quantity"], "0.09975");
    // By hand: 102289.18 + 6000.
    assert!(person.told(None).iter().any(|row| row.ends_with("opening - 108289.18")));
    assert_eq!(person.findings("reconcile"), [] as [Value; 0]);
    person.no_faults();
}

#[test]
fn an_opening_that_was_taken_back_comes_back_with_its_rows() {
    for person in Person::on_each() {
        let person = person.connected();
        person.alpaca.turn(|knobs| knobs.activities = deposits(3));
        assert_eq!(person.refresh().0, 0);
        // By hand: 102289.18 - 3.
        let opening = "2024-01-07 opening - 102286.18".to_owned();
        assert!(person.told(None).contains(&opening));
        let batches = person.json("import list");
        person.ok(&format!("import undo {}", batches["rows"][0]["batch"]));
        assert_eq!(person.rows(), [] as [Value; 0]);
        // The rows first; then all of them are asked for.
        for _ in 0..2 {
            assert_eq!(person.refresh().0, 0);
        }
        assert!(person.told(None).contains(&opening), "{:?}", person.told(None));
        assert_eq!(person.rows().len(), 4);
        assert_eq!(person.findings("reconcile"), [] as [Value; 0]);
        person.no_faults();
    }
}

/// Its name and its lots stay where only its number in the books of others is a new one.
#[test]
fn a_new_number_of_a_share_changes_nothing() {
    let person = Person::new(None).connected();
    let part = |qty: &str| json!({"symbol": "XYZ", "qty": qty, "price": "5"});
    person.alpaca.turn(|knobs| {
        knobs.activities = vec![
            fill(1, "2024-01-09T15:00:00Z", "buy", "XYZ", "10", "5"),
            other(2, "2024-02-01", "NC/CNC", "0", &part("-10")),
            other(3, "2024-02-01", "NC/CNC", "0", &part("10")),
        ];
        knobs.positions = json!([position("XYZ", "us_equity", "10", None, "50")]);
    });
    let (code, told) = person.refresh();
    assert_eq!(code, 0, "{told}");
    let held = person.held("XYZ");
    assert_eq!((&held["quantity"], &held["cost"]), (&json!("10"), &json!("50")));
    assert_eq!(person.findings("reconcile"), [] as [Value; 0]);
    person.no_faults();
}

/// 5, 13, 15, 19: parts without the others are held back, unknown things named, and the rest goes on.
#[test]
fn what_is_not_understood_is_named_and_nothing_guessed() {
    let person = Person::new(None).connected();
    let today = (now() - TimeDelta::days(30)).date_naive().to_string();
    let units = |symbol: &str, qty: &str| json!({"symbol": symbol, "qty": qty, "price": "2"});
    let rows = vec![
        fill(1, "2024-01-09T15:00:00Z", "buy", "REV", "33", "1"),
        other(2, "2024-02-01", "SPLIT/RSPLIT", "0", &units("REV", "1.65")),
        other(3, "2024-02-01", "SPLIT/RSPLIT", "0", &units("REV", "-33")),
        other(4, &today, "SPLIT/FSPLIT", "0", &units("REV", "-1.65")),
        other(5, "2024-03-01", "MA/CMA", "0", &units("GONE", "-10")),
        other(6, "2024-03-01", "MA/CMA", "120", &json!({"symbol": "GONE", "qty": "0"})),
        other(7, "2024-03-04", "CSW", "50", &json!({"description": "returned"})),
        other(8, "2024-03-04", "CSD", "-50", &json!({"description": "returned"})),
        other(9, "2024-03-05", "PTR", "0.75", &json!({"status": "correct"})),
        other(10, "2024-03-06", "DIV/NEW", "3", &json!({"symbol": "REV"})),
        other(11, "2024-03-07", "DIV/SPD", "-2", &json!({"symbol": "REV"})),
        other(
            12,
            "2024-03-08",
            "DIV",
            "1.000000000000001",
            &json!({"qty": "201.9617035750071243"}),
        ),
        other(13, "2024-03-09", "CSD", "9", &json!({"status": "canceled"})),
        fill(14, "2024-03-10T15:00:00Z", "lend", "REV", "1", "1"),
        fill(15, "2024-03-11T15:00:00Z", "buy", "ETH/BTC", "2", "0.05"),
        json!({"id": "20240312000000000::x", "activity_type": "CSD", "net_amount": "1"}),
    ];
    person.alpaca.turn(|knobs| knobs.activities = rows);
    let (code, told) = person.refresh();
    assert_eq!(code, 3, "{told}");
    let skipped = skipped(&told).join("\n");
    for words in [
        "SPLIT/FSPLIT: the other parts of it are missing",
        "DIV/NEW: what this is, is not known",
        "corrects another row",
        "FILL: whether it bought or sold is not told",
        "coins were paid for with coins",
        "it has no day",
    ] {
        assert!(skipped.contains(words), "{words} is not in\n{skipped}");
    }
    // 33 -> 1.65 is one for twenty.
    assert_eq!(person.held("REV")["quantity"], "1.65");
    assert_eq!(person.told(Some("GONE")), ["2024-03-01 sell 10 120"]);
    let cash = person.told(None);
    for row in [
        "2024-03-04 deposit - 50",
        "2024-03-04 withdrawal - -50",
        "2024-03-05 account_fee - 0.75",
        "2024-03-06 unknown - 3",
        "2024-03-07 other_fee - -2",
        "2024-03-08 dividend - 1.000000000000001",
        "2024-03-09 deposit - 9",
    ] {
        assert!(cash.contains(&row.to_owned()), "{row} is not in {cash:?}");
    }
    assert_eq!(person.told(Some("ETH")), ["2024-03-11 adjustment 2 0"]);
    assert_eq!(person.told(Some("BTC")), ["2024-03-11 adjustment -0.1 0"]);
    person.no_faults();
}

/// That it has to be waited for two seconds.
fn soon() -> Reply {
    let at = (now() + TimeDelta::seconds(2)).timestamp().to_string();
    let headers = [("x-ratelimit-limit", "200"), ("x-ratelimit-reset", &at)];
    Reply::new(429, &headers, "{\"message\":\"too many requests.\"}")
}

/// 12, F32: told when to come back, it is waited for; without that, told.
#[test]
fn a_limit_is_waited_for_until_it_begins_anew() {
    let person = Person::new(None).connected();
    person.alpaca.turn(|knobs| knobs.answer = Some((1, soon)));
    let (asked, begun) = (person.alpaca.server.asked().len(), now());
    assert_eq!(person.refresh().0, 0);
    assert!((now() - begun).num_milliseconds() > 900, "it was waited");
    // One is refused; account and positions are asked for before and after the activities.
    assert_eq!(person.alpaca.server.asked().len() - asked, 6, "and asked once more");
    // Nothing is said of when.
    person.alpaca.turn(|knobs| knobs.answer = Some((9, || Reply::new(429, &[], ""))));
    let asked = person.alpaca.server.asked().len();
    let (code, told) = person.refresh();
    assert_eq!((code, &told["class"]), (6, &json!("later")), "{told}");
    assert_eq!(person.alpaca.server.asked().len() - asked, 1, "not again at once");
    let next: DateTime<Utc> = told["next_attempt"].as_str().unwrap().parse().unwrap();
    assert!((40..=61).contains(&(next - now()).num_seconds()), "{next}");
    for answer in [
        gateway as fn() -> Reply,
        || Reply::new(422, &[], "{\"code\":40010001,\"message\":\"invalid\"}"),
        || Reply::new(403, &[], "{\"message\":\"subscription does not permit querying\"}"),
        || Reply::json("{}"),
    ] {
        person.alpaca.turn(|knobs| knobs.answer = Some((9, answer)));
        assert_eq!(person.refresh().0, 5);
        assert_eq!(person.json("connections")["connections"][0]["state"], "active");
    }
    person.no_faults();
}

/// Keys of the other place, keys that were ended, and those of another account.
#[test]
fn keys_are_told_apart_by_where_they_are_good() {
    for person in Person::on_each() {
        let keys = person.alpaca.keys();
        for wrong in ["", "one two", ID, &format!("{SECRET}\n{ID}")] {
            assert_eq!(person.connect(wrong).code, Some(2), "{wrong}");
        }
        assert_eq!(person.alpaca.server.asked(), []);
        assert_eq!(person.run("connect alpaca", &keys).code, Some(2), "nobody to ask");
        let ran = person.connect(&format!("live {keys}"));
        assert_eq!(ran.code, Some(4), "{ran:?}");
        assert!(ran.err.contains("without `live`"), "{ran:?}");
        assert_eq!(person.json("connections")["connections"], json!([]));
        // Where it is not said, it is found out; the same keys again are no second connection.
        for word in ["connected", "already"] {
            let ran = person.connect(&keys);
            assert!(ran.code == Some(0) && ran.out.contains(word), "{ran:?}");
        }
        let of = |host: &str| {
            let asked = person.alpaca.server.asked();
            asked.iter().filter(|it| it.path.starts_with(&format!("/{host}/"))).count()
        };
        assert!(of(LIVE) > 0 && of(PAPER) > 0);
        let before = of(LIVE);
        assert_eq!(person.refresh().0, 0);
        assert_eq!(of(LIVE), before, "only where they are good");
        // They are ended: the connection says so, and other keys of the account mend it.
        person.alpaca.turn(|knobs| knobs.pair = 2);
        let (code, told) = person.refresh();
        assert_eq!((code, &told["class"]), (4, &json!("reauthorize")), "{told}");
        assert_eq!(person.json("connections")["connections"][0]["state"], "revoked");
        // As other programs read them.
        let (id, secret) = (format!("{ID}2"), format!("{SECRET}2"));
        let variables = [
            ("APCA_API_KEY_ID", id.as_str()),
            ("APCA_API_SECRET_KEY", secret.as_str()),
            ("APCA_API_BASE_URL", "https://paper-api.alpaca.markets/v2"),
        ];
        let ran = person.say("connect alpaca", "", &variables);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.err.contains("APCA_API_KEY_ID") && !has_key(ran.err.as_bytes()), "{ran:?}");
        assert_eq!(person.refresh().0, 0);
        let listed = person.json("connections");
        assert_eq!(listed["connections"].as_array().unwrap().len(), 1, "{listed}");
        let told = person.json("audit list --action reconnect");
        assert_eq!(told["rows"].as_array().unwrap().len(), 2, "{told}");
        // 22: an account that was reset is another one, and is not merged.
        person.alpaca.turn(|knobs| {
            (knobs.pair, knobs.account) = (3, account("100000"));
            knobs.account["id"] = json!("99999999-0000-4000-8000-000000000009");
        });
        let again = format!("connect alpaca --paste --name {}", "Alpaca");
        let ran = person.run(&again, &person.alpaca.keys());
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains("another account"), "{ran:?}");
        let ran = person.run("connect alpaca --paste --name Fresh", &person.alpaca.keys());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        person.refresh();
        assert_eq!(person.json("report accounts")["rows"].as_array().unwrap().len(), 2);
        person.no_faults();
        person.no_secret_below();
    }
}

/// Who comes second sees the connection of the first, whatever either calls it.
#[test]
fn two_who_connect_one_account_at_once_make_one_connection() {
    for (names, codes) in [(["", ""], [Some(0), Some(0)]), (["One", "Two"], [Some(0), Some(2)])] {
        for person in Person::on_each() {
            let keys = person.alpaca.keys();
            let lines = names.map(|name| match name {
                "" => "connect alpaca --paste".to_owned(),
                name => format!("connect alpaca --paste --name {name}"),
            });
            let mut ran = thread::scope(|scope| {
                let both = lines.each_ref().map(|line| scope.spawn(|| person.run(line, &keys)));
                both.map(|one| one.join().unwrap())
            });
            ran.sort_by_key(|ran| ran.code);
            assert_eq!(ran.each_ref().map(|ran| ran.code), codes, "{ran:?}");
            let second = ran.iter().map(|ran| format!("{}{}", ran.out, ran.err));
            let words = if names[0].is_empty() { "already" } else { "would count twice" };
            assert_eq!(second.filter(|said| said.contains(words)).count(), 1, "{ran:?}");
            let listed = person.json("connections");
            assert_eq!(listed["connections"].as_array().unwrap().len(), 1, "{listed}");
            assert_eq!(person.refresh().0, 0);
            person.no_faults();
        }
    }
}

/// Known once the service has said whose keys they are, and not before.
#[test]
fn the_trail_tells_a_new_connection_from_new_keys() {
    let person = Person::new(None).connected();
    let trail = || {
        ["connect", "reconnect"].map(|action| {
            let told = person.json(&format!("audit list --action {action}"));
            told["rows"].as_array().unwrap().len()
        })
    };
    person.refresh();
    assert_eq!(trail(), [2, 0], "begun, and done");
    assert_eq!(person.connect(&person.alpaca.keys()).code, Some(0));
    assert_eq!(trail(), [2, 0], "nothing was done");
    person.alpaca.turn(|knobs| knobs.pair = 2);
    assert_eq!(person.connect(&person.alpaca.keys()).code, Some(0));
    assert_eq!(trail(), [2, 2], "fresh keys for one that works");
    person.alpaca.turn(|knobs| {
        knobs.pair = 3;
        knobs.account["id"] = json!("99999999-0000-4000-8000-000000000009");
    });
    assert_eq!(person.refresh().0, 4);
    assert_eq!(person.connect(&person.alpaca.keys()).code, Some(0));
    assert_eq!(trail(), [4, 2], "another account, while the first is revoked");
    person.no_faults();
}

/// Whatever other programs read from variables.
#[test]
fn keys_are_typed_one_after_the_other_and_never_shown() {
    let person = Person::new(None);
    let mut command = dashtam(&person.home, "connect alpaca");
    command.env("DASHTAM_CONFIG", person.home.path("config.toml"));
    command.env("APCA_API_KEY_ID", format!("{ID}9"));
    command.env("APCA_API_SECRET_KEY", format!("{SECRET}9"));
    let mut terminal = Terminal::run(command);
    let keys = person.alpaca.keys();
    for (part, key) in
        ["key ID (it is not shown)", "secret key (it is not shown)"].iter().zip(keys.lines())
    {
        terminal.see(part);
        terminal.press(&format!("{key}\n"));
    }
    terminal.see("connected Alpaca");
    let left = terminal.end();
    left.with_code(0).restored();
    assert!(!has_key(&left.bytes), "it was shown");
    assert_eq!(person.refresh().0, 0);
    person.no_faults();
}

/// Parts of last week that come one after the other, with ids in whichever order, are one event. What is
/// dealt in on its day is of after it, and at the edge of what is told again nothing is taken back.
#[test]
fn an_event_that_grows_is_counted_once_and_before_what_is_dealt_in_on_its_day() {
    for person in Person::on_each() {
        let person = person.connected();
        let day = (now() - TimeDelta::days(3)).date_naive().to_string();
        let part = |nth: u32, kind: &str, net: &str, symbol: &str, qty: &str, price: &str| {
            other(nth, &day, kind, net, &json!({"symbol": symbol, "qty": qty, "price": price}))
        };
        let held = |symbol: &str, qty: &str| position(symbol, "us_equity", qty, None, "1");
        let bought = |nth: u32, symbol: &str, qty: &str, price: &str| {
            fill(nth, "2024-01-09T15:00:00Z", "buy", symbol, qty, price)
        };
        let on_its_day = |nth: u32, symbol: &str, qty: &str, price: &str| {
            fill(nth, &format!("{day}T15:00:00Z"), "buy", symbol, qty, price)
        };
        person.alpaca.turn(|knobs| {
            knobs.activities = vec![
                bought(1, "XYZ", "5", "40"),
                bought(2, "OLDN", "10", "5"),
                bought(3, "SRC", "10", "100"),
                bought(4, "ACQ", "10", "10"),
            ];
            let held = [held("XYZ", "5"), held("OLDN", "10"), held("SRC", "10"), held("ACQ", "10")];
            knobs.positions = json!(held);
        });
        assert_eq!(person.refresh().0, 0);
        // The later ids come first.
        let first = [
            part(26, "NC", "0", "OLDN", "-10", "5"),
            part(27, "SPLIT/FSPLIT", "0", "XYZ", "20", "10"),
            part(28, "SPIN", "0", "SPN", "5", "40"),
            part(29, "MA/SCMA", "30", "ACQ", "0", ""),
        ];
        person.alpaca.turn(|knobs| {
            knobs
                .activities
                .extend([on_its_day(30, "XYZ", "2", "20"), on_its_day(31, "NEWN", "1", "5")]);
            knobs.activities.extend(first.clone());
            // By hand: 102289.18 - 40 - 5 + 30.
            knobs.account["cash"] = json!("102274.18");
        });
        let (code, told) = person.refresh();
        assert_eq!(code, 3, "{told}");
        assert!(person.told(None).contains(&format!("{day} unknown - 30")), "its cash is kept");
        let rest = [
            part(8, "NC", "0", "NEWN", "10", "5"),
            part(9, "SPLIT/FSPLIT", "0", "XYZ", "-5", "40"),
            part(10, "SPIN", "0", "SRC", "-10", "100"),
            part(11, "SPIN", "0", "SRC", "10", "80"),
            part(12, "MA/SCMA", "0", "ACQ", "-10", "10"),
            part(13, "MA/SCMA", "0", "BUYR", "4", "20"),
        ];
        person.alpaca.turn(|knobs| {
            knobs.activities.extend(rest.clone());
            knobs.positions = json!([
                held("XYZ", "22"),
                held("NEWN", "11"),
                held("SRC", "10"),
                held("SPN", "5"),
                held("BUYR", "4")
            ]);
        });
        assert_eq!(person.refresh().0, 0);
        // By hand: four for one and two more; ten under another name and one more.
        let right = [("XYZ", "22"), ("NEWN", "11"), ("SRC", "10"), ("SPN", "5"), ("BUYR", "4")];
        for (symbol, quantity) in right {
            assert_eq!(person.held(symbol)["quantity"], quantity, "{symbol}");
        }
        // 200 of 1000 went with what was spun off.
        let costs = ["SRC", "SPN"].map(|symbol| person.held(symbol)["cost"].clone());
        assert_eq!(costs, [json!("800"), json!("200")]);
        assert_eq!(person.json("report accounts")["rows"][0]["cash"]["USD"], "102274.18");
        assert!(person.told(None).iter().all(|row| !row.contains("unknown")), "counted once");
        assert_eq!(person.findings("reconcile"), [] as [Value; 0]);
        // Told again it changes nothing, and neither does being told in part at the edge.
        let before = person.ok("export --format canonical");
        assert_eq!(person.refresh().1["transactions_new"], 0);
        let edge = now() - TimeDelta::days(10);
        for (batch, minutes) in [(&first[..], -60), (&rest[..], 60)] {
            let created = (edge + TimeDelta::minutes(minutes)).to_rfc3339();
            person.alpaca.turn(|knobs| {
                for row in &mut knobs.activities {
                    if batch.iter().any(|part| part["id"] == row["id"]) {
                        row["created_at"] = json!(created);
                    }
                }
            });
        }
        assert_eq!(person.refresh().0, 0);
        assert_eq!(person.ok("export --format canonical"), before);
        person.ok("rebuild --check");
        person.no_faults();
    }
}

/// 21: its keys could trade. There is no request that does more than read, and none could leave.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_a_reading_leaves_with_a_key() {
    let server = Server::new(|_| Reply::json("{}"));
    let entry = PROVIDERS.iter().find(|entry| entry.id == "alpaca").unwrap();
    let clock = Clock::system(chrono_tz::UTC);
    let keep = Box::new(|_| -> dashtam::provider::Boxed<_> { Box::pin(async { Ok(()) }) });
    let line = Line::new(entry, Some(server.base.parse().unwrap()), None, &clock, &[], keep);
    let line = Arc::new(line);
    let url = line.on(PAPER, "/v2/orders").unwrap();
    for request in [Request::post_once(url.clone()), Request::post_to_read(url.clone())] {
        let Err(error) = line.send(&request).await else { panic!("it was sent") };
        assert_eq!(error.class(), Class::Never);
    }
    assert_eq!(server.asked(), []);
    assert!(line.send(&Request::get(url)).await.is_ok());
    assert!(line.on("evil.example", "/").is_err());
    for file in support::rust_files("src/provider/alpaca") {
        let text = support::read(&file);
        let made = text.matches("Request::").count();
        assert_eq!(made, text.matches("Request::get(").count(), "{}", support::short(&file));
    }
}

/// Somebody who bought a share and a coin last year and whose history is told.
fn owner(person: Person) -> Person {
    let person = person.connected();
    person.alpaca.turn(|knobs| {
        knobs.activities = vec![
            other(1, "2025-06-02", "CSD", "40000", &json!({})),
            fill(2, "2025-06-03T15:15:02Z", "buy", "BRK.B", "10", "400"),
            fill(3, "2025-06-03T15:20:00Z", "buy", "BTC/USD", "0.1", "60000"),
        ];
        knobs.positions = json!([
            position("BRK.B", "us_equity", "10", Some("4200"), "4000"),
            position("BTCUSD", "crypto", "0.1", None, "6000"),
        ]);
        knobs.account = account("30000");
    });
    let (code, told) = person.refresh();
    assert_eq!(code, 0, "{told}");
    person.asked_for_prices();
    person
}

/// 10, 11: the days of New York whatever the clocks do, over as many pages as there are; nothing of today,
/// which is not over; and what was paid last, which is.
#[test]
fn prices_are_told_as_they_were_traded() {
    for person in Person::on_each() {
        let person = owner(person);
        let (now, yesterday) = (now(), now() - TimeDelta::days(1));
        let of = |at: DateTime<Utc>| at.format("%Y-%m-%dT05:00:00Z").to_string();
        person.alpaca.turn(|knobs| {
            knobs.page = 2;
            let prices = ["409.5", "412.2", "408", "410.25"];
            knobs.bars.insert(
                "BRK.B",
                vec![
                    bar("2025-10-31T04:00:00Z", prices, "3100450"),
                    bar("2025-11-03T05:00:00Z", prices, "3100451"),
                    bar("2025-11-04T05:00:00Z", prices, "3100452"),
                    // One without a close is none.
                    bar("2025-11-05T05:00:00Z", ["410", "421", "409.5", "0"], "0"),
                    bar(&of(yesterday), ["410", "421", "409.5", "420.125"], "1000"),
                    bar(&of(now), ["1", "1", "1", "1"], "1"),
                ],
            );
            let coin = ["60000", "60000.000000001", "59999.5", "60000"];
            knobs.bars.insert("BTC/USD", vec![bar("2025-11-03T00:00:00Z", coin, "0")]);
            let at = now.to_rfc3339_opts(SecondsFormat::Nanos, true);
            knobs.snapshots.insert("BRK.B", snapshot(&at, "421.5"));
            knobs.snapshots.insert("BTC/USD", snapshot(&at, "61000.000000001"));
        });
        let ran = person.run("refresh --force --json", "");
        let told = document(&ran.out);
        assert_eq!((ran.code, &told["result"]), (Some(0), &json!("ok")), "{told}");
        assert_eq!(told["quotes"]["stored"], 2, "{told}");
        assert_eq!(
            person.prices("BRK.B"),
            [
                "2025-10-31 410.25,USD,409.5,412.2,408,3100450,alpaca",
                "2025-11-03 410.25,USD,409.5,412.2,408,3100451,alpaca",
                "2025-11-04 410.25,USD,409.5,412.2,408,3100452,alpaca",
                &format!("{} 420.125,USD,410,421,409.5,1000,alpaca", yesterday.date_naive()),
            ]
        );
        let coin = "2025-11-03 60000,USD,60000,60000.000000001,59999.5,0,alpaca";
        assert_eq!(person.prices("BTC"), [coin]);
        let asked = person.asked_for_prices();
        let pages = asked.iter().filter(|asked| *asked == "bars BRK.B").count();
        assert_eq!(pages, 3, "{asked:?}");
        assert!(asked.contains(&"snapshots BRK.B".to_owned()), "{asked:?}");
        // What was paid last is what it is worth; who says so, and when, stands beside it.
        // While it is still yesterday in New York, that day's close is what serves.
        let there = now.with_timezone(&chrono_tz::America::New_York).date_naive();
        let price = if there == now.date_naive() { "421.5" } else { "420.125" };
        let held = person.held("BRK.B");
        assert_eq!((&held["price"], &held["price_source"]), (&json!(price), &json!("alpaca")));
        assert_eq!(person.held("BTC")["price"], "61000.000000001");
        // A second time only the last days are asked for, and nothing comes twice.
        let before = person.ok("export --what prices");
        person.refresh();
        assert_eq!(person.ok("export --what prices"), before);
        person.ok("rebuild --check");
        person.no_faults();
        person.no_secret_below();
    }
}

/// Nobody waits a day for the prices of what was found a moment ago.
#[test]
fn the_first_refresh_brings_the_history_of_what_it_finds() {
    for person in Person::on_each() {
        let bars =
            vec![bar("2025-11-03T05:00:00Z", ["409.5", "412.2", "408", "410.25"], "3100451")];
        person.alpaca.turn(|knobs| knobs.bars.insert("BRK.B", bars));
        let person = owner(person);
        let told = "2025-11-03 410.25,USD,409.5,412.2,408,3100451,alpaca";
        assert_eq!(person.prices("BRK.B"), [told]);
        person.no_faults();
    }
}

/// A price far from the one before waits for somebody to say that it is right.
#[test]
fn a_price_that_jumps_waits_until_it_is_accepted() {
    for person in Person::on_each() {
        let person = owner(person);
        let paid = |price: &str| {
            let at = now().to_rfc3339_opts(SecondsFormat::Nanos, true);
            person.alpaca.turn(|knobs| knobs.snapshots.insert("BTC/USD", snapshot(&at, price)));
            let told = person.run("refresh --force --json", "");
            (told.code, document(&told.out)["quotes"]["stored"].clone())
        };
        assert_eq!(paid("61000"), (Some(0), json!(1)));
        let none = person.run("price accept BTC", "");
        assert!(none.code == Some(2) && none.err.contains("no such price waits"), "{none:?}");
        assert_eq!(paid("122500").1, json!(0));
        assert_eq!(person.held("BTC")["price"], "61000");
        let day = now().date_naive();
        let said = person.ok("price accept BTC");
        let plain = format!("accepted 122500 USD of {day} by alpaca for BTC");
        assert!(said.contains(&plain), "{said}");
        let trail = person.json("audit list --action price.accept");
        let states = trail["rows"].as_array().unwrap().iter().map(|row| row["state"].clone());
        assert_eq!(states.collect::<Vec<_>>(), ["ATTEMPTED", "SUCCEEDED"]);
        assert_eq!(paid("122600"), (Some(0), json!(1)));
        assert_eq!(person.held("BTC")["price"], "122600");
        person.no_faults();
    }
}

/// 12: what a plan does not have is no refusal of the keys.
#[test]
fn without_a_paid_plan_the_last_minutes_are_left_out() {
    let person = owner(Person::new(None));
    let yesterday = (now() - TimeDelta::days(1)).format("%Y-%m-%dT05:00:00Z").to_string();
    let bars = vec![bar(&yesterday, ["409.5", "412.2", "408", "410.25"], "3100450")];
    person.alpaca.turn(|knobs| knobs.bars.insert("BRK.B", bars));
    // More than is waited for at first, and more than is waited for at all.
    for (delay, stored, result) in [(60, 1, "ok"), (10_000, 1, "partial")] {
        person.alpaca.turn(|knobs| knobs.delay = delay);
        let (_, told) = person.refresh();
        assert_eq!(told["result"], result, "{told}");
        assert_eq!(person.prices("BRK.B").len(), stored);
        let state = &person.json("connections")["connections"][0]["state"];
        assert_eq!(state, "active");
    }
    person.no_faults();
}

/// 11, 12: what nobody knows does not hide what is known of others.
#[test]
fn a_symbol_that_is_not_known_spoils_no_other() {
    let person = Person::new(None).connected();
    let names = ["AAA", "BBB", "CCC", "DDD", "EEE"];
    person.alpaca.turn(|knobs| {
        let of =
            |(nth, name): (u32, &&str)| fill(nth, "2025-06-03T15:15:02Z", "buy", name, "1", "10");
        knobs.activities = (1..).zip(&names).map(of).collect();
        let held = names.map(|name| position(name, "us_equity", "1", Some("10"), "10"));
        knobs.positions = json!(held);
        knobs.invalid = vec!["BBB"];
        let at = now().to_rfc3339();
        for name in ["AAA", "CCC", "EEE"] {
            knobs.snapshots.insert(name, snapshot(&at, "11"));
        }
        let mut corrected = snapshot(&at, "12");
        corrected["latestTrade"]["u"] = json!("canceled");
        knobs.snapshots.insert("DDD", corrected);
    });
    let ran = person.run("refresh --force --json", "");
    let told = document(&ran.out);
    assert_eq!((ran.code, &told["quotes"]["stored"]), (Some(0), &json!(3)), "{told}");
    let untold: Vec<_> =
        told["quotes"]["skipped"].as_array().unwrap().iter().map(|it| it["what"].clone()).collect();
    assert_eq!(untold, [json!("BBB"), json!("DDD")], "{told}");
    let asked = person.asked_for_prices();
    assert_eq!(
        asked.iter().filter(|asked| asked.starts_with("snapshots")).collect::<Vec<_>>(),
        [
            "snapshots AAA,BBB,CCC,DDD,EEE",
            "snapshots CCC,DDD,EEE",
            "snapshots AAA,BBB",
            "snapshots BBB",
            "snapshots AAA"
        ]
    );
    person.no_faults();
}
