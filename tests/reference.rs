//! The figures of the program against those of a slow second program that knows only the
//! definitions: every report, on several days, by every method, in two currencies, on both engines.
//!
//! A small part of the matrix by default; all of it where `DASHTAM_FULL=1`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

#[path = "support/reference/mod.rs"]
mod reference;
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use assert_cmd::Command;
use num_traits::Zero;
use reference::book::Wishes;
use reference::lots::Method;
use reference::portfolio::{Portfolio, Size};
use reference::reports::{Reference, period_ends};
use reference::table::{Cell, Row, differences, folded, total};
use reference::{Q, day, decimal, q, rough};
use serde_json::{Map, Value};
use tempfile::TempDir;

const METHODS: [Method; 5] =
    [Method::Fifo, Method::Lifo, Method::Hifo, Method::Average, Method::Acb];
const GAIN_FIGURES: [&str; 8] =
    ["quantity", "proceeds", "cost", "gain", "proceeds_base", "cost_base", "gain_base", "gain_fx"];
const LOT_FIGURES: [&str; 7] =
    ["quantity", "cost", "cost_base", "value", "unrealized", "unrealized_base", "unrealized_fx"];

// The reference itself, on what the definitions work out.

const A: &str = include_str!("../assets/examples/example_a.csv");
const A_PRICES: &str = include_str!("../assets/examples/example_a_prices.csv");
const B: &str = include_str!("../assets/examples/example_b.csv");
const B_PRICES: &str = include_str!("../assets/examples/example_b_prices.csv");

fn wishes(date: &str, method: Method, currency: &str) -> Wishes {
    let currency = currency.to_owned();
    Wishes { day: day(date), method, fees_are_expenses: false, currency }
}

/// The cells of a row must have these values.
#[track_caller]
fn has(row: &Row, expected: &[(&str, &str)]) {
    for (column, text) in expected {
        let cell = row.get(*column).unwrap_or_else(|| panic!("no {column} in {row:?}"));
        let same = match decimal(text) {
            Some(figure) => cell.figure() == Some(&figure),
            None => *cell == Cell::text(text),
        };
        assert!(same, "{column} is {cell:?}, not {text}");
    }
}

#[test]
fn the_reference_works_out_example_a() {
    let reference = Reference::new("USD", A, A_PRICES);
    let fifo = wishes("2024-03-28", Method::Fifo, "USD");
    let book = reference.book(&fifo);
    let [holding] = &book.holdings(false)[..] else { panic!() };
    has(
        holding,
        &[
            ("quantity", "30"),
            ("price", "14"),
            ("price_date", "2024-03-28"),
            ("stale", "false"),
            ("value", "420"),
            ("cost", "363"),
            ("realized", "307"),
            ("unrealized", "57"),
            ("income", "9"),
            ("weight", "1"),
        ],
    );
    let gains = book.gains(day("2024-03-01"), day("2024-03-01"));
    assert_eq!(gains.len(), 2);
    has(&gains[0], &[("quantity", "100"), ("cost", "1005"), ("opened", "2024-01-03")]);
    has(&gains[0], &[("proceeds", "1295"), ("gain", "290"), ("term", "short")]);
    has(&gains[1], &[("quantity", "20"), ("cost", "242"), ("proceeds", "259"), ("gain", "17")]);
    assert!(book.gains(day("2024-03-02"), day("2024-12-31")).is_empty());
    has(&book.lots()[0], &[("opened", "2024-02-01"), ("quantity", "30"), ("cost", "363")]);
    has(&reference.accounts(&fifo)[0], &[("cash.USD", "9953"), ("value", "10373")]);
    let net_worth = reference.net_worth(&[day("2024-01-02"), day("2024-03-28")], &fifo);
    has(&net_worth[0], &[("net_worth", "10000"), ("cash", "10000"), ("market_value", "0")]);
    has(&net_worth[1], &[("net_worth", "10373"), ("cash", "9953"), ("partial", "false")]);
    // Before the first close there is no value.
    let earlier = &reference.net_worth(&[day("2024-03-27")], &fifo)[0];
    has(earlier, &[("net_worth", "9953"), ("partial", "true")]);
    assert_eq!(earlier["market_value"], Cell::Near(None));

    let average = reference.book(&wishes("2024-03-28", Method::Average, "USD"));
    has(&average.holdings(false)[0], &[("cost", "322"), ("realized", "266"), ("unrealized", "98")]);
    let sold = folded(&average.gains(day("2024-01-01"), day("2024-12-31")), &["symbol"], &["cost"]);
    has(&sold[0], &[("cost", "1288")]);

    // Newest first: 50 at 605, then 70 of the 100 at 1005. Unit costs are 12.1 and 10.05.
    for method in [Method::Lifo, Method::Hifo] {
        let book = reference.book(&wishes("2024-03-28", method, "USD"));
        has(&book.holdings(false)[0], &[("cost", "301.5"), ("realized", "245.5")]);
    }
    let expense = Wishes { fees_are_expenses: true, ..fifo };
    // Sold for 1560 what was bought for 1000 + 240.
    has(
        &reference.book(&expense).holdings(false)[0],
        &[("cost", "360"), ("realized", "320"), ("unrealized", "60")],
    );
}

#[test]
fn the_reference_works_out_example_b() {
    let reference = Reference::new("USD", B, B_PRICES);
    let fifo = wishes("2024-01-31", Method::Fifo, "USD");
    let days = [day("2024-01-02"), day("2024-01-03"), day("2024-01-31")];
    let net_worth = reference.net_worth(&days, &fifo);
    for (row, value) in net_worth.iter().zip(["750", "771.4", "889.6"]) {
        has(row, &[("net_worth", value), ("partial", "false")]);
    }
    let book = reference.book(&fifo);
    let figures = [
        ("cost", "505"),
        ("cost_base", "383.8"),
        ("unrealized", "95"),
        ("unrealized_base", "96.2"),
    ];
    has(&book.holdings(false)[0], &figures);
    has(&book.holdings(false)[0], &[("income", "20"), ("value_base", "480")]);
    has(&book.lots()[0], &figures);
    has(&book.lots()[0], &[("unrealized_fx", "20.2"), ("term", "short")]);
    has(&reference.accounts(&fifo)[0], &[("currency", "CAD"), ("value", "1112")]);
    // Reported in CAD nothing is foreign.
    let book = reference.book(&wishes("2024-01-31", Method::Fifo, "CAD"));
    has(
        &book.lots()[0],
        &[("cost_base", "505"), ("unrealized_base", "95"), ("unrealized_fx", "0")],
    );
}

#[test]
fn the_reference_knows_shorts_splits_and_what_does_not_count() {
    let rows = "date,account,type,symbol,quantity,price,fee,currency,amount,ratio,status\n\
        2023-02-28,A,BUY,X,10,10,1,USD,,,\n\
        2023-03-01,A,SELL,X,15,20,3,USD,,,\n\
        2023-03-02,A,BUY,X,100,1,0,USD,,,cancelled\n\
        2023-03-02,A,SPLIT,X,,,,USD,,2:1,\n\
        2024-03-02,A,BUY_TO_COVER,X,4,6,2,USD,,,pending\n";
    let prices = "date,symbol,close,currency\n2024-03-01,X,5,USD\n";
    let reference = Reference::new("USD", rows, prices);
    let book = reference.book(&wishes("2024-03-07", Method::Fifo, "USD"));
    // Sold 10 for 198 that cost 101, and 5 short for 99; of those, as 10, 4 were bought for 26.
    let figures = [("quantity", "-6"), ("cost", "-59.4"), ("value", "-30"), ("realized", "110.6")];
    has(&book.holdings(false)[0], &figures);
    has(&book.holdings(false)[0], &[("unrealized", "29.4"), ("stale", "true")]);
    let gains = book.gains(day("2023-01-01"), day("2024-12-31"));
    has(&gains[0], &[("proceeds", "198"), ("cost", "101"), ("gain", "97"), ("term", "short")]);
    has(&gains[1], &[("proceeds", "39.6"), ("cost", "26"), ("gain", "13.6")]);
    has(&reference.accounts(&wishes("2024-03-01", Method::Fifo, "USD"))[0], &[("cash.USD", "196")]);
}

#[test]
fn the_reference_knows_pools_transfers_and_corporate_actions() {
    let rows = "date,account,type,symbol,quantity,price,fee,currency,amount,to_account,acquired\n\
        2024-01-02,A,OPENING,X,10,10,,USD,,,2020-05-05\n\
        2024-01-03,B,BUY,X,10,20,,USD,,,\n\
        2024-01-04,A,TRANSFER_OUT,X,5,,,USD,,B,\n\
        2024-01-05,B,RETURN_OF_CAPITAL,X,,,,USD,180,,\n\
        2024-01-08,B,STOCK_DIVIDEND,X,15,,,USD,,,\n\
        2024-01-09,B,SELL,X,15,30,,USD,,,\n\
        2024-01-10,A,REWARD,X,1,7,,USD,,,\n";
    let prices = "date,symbol,close,currency\n2024-01-02,X,5,USD\n";
    let reference = Reference::new("USD", rows, prices);
    let day_of = |date| wishes(date, Method::Fifo, "USD");
    // 12 a share: the transferred 5 at 10 are down to 0 and bring 10, the 10 at 20 are at 80.
    let book = reference.book(&day_of("2024-01-05"));
    has(&book.holdings(false)[1], &[("quantity", "15"), ("cost", "80"), ("realized", "10")]);
    let lots = book.lots();
    has(&lots[1], &[("account", "B"), ("opened", "2020-05-05"), ("term", "long"), ("cost", "0")]);
    // Twice as many at the same cost; of 10 and 20 go 10 and 5.
    let book = reference.book(&day_of("2024-01-10"));
    has(&book.holdings(false)[1], &[("quantity", "15"), ("cost", "60"), ("realized", "440")]);
    has(&book.holdings(false)[0], &[("quantity", "6"), ("cost", "57"), ("income", "7")]);
    // One pool: 20 shares at 300 - 180, then 35 at 120, of which 15 are sold for 450.
    let acb = reference.book(&wishes("2024-01-09", Method::Acb, "USD"));
    let sold = &acb.holdings(false)[1].clone()["realized"];
    assert_eq!(sold.figure(), Some(&(q("450") - q("120") * q("15") / q("35"))));
    let left = acb.holdings(false)[0]["cost"].clone();
    assert_eq!(left.figure(), Some(&(q("120") * q("5") / q("35"))));
}

#[test]
fn the_reference_finds_rates_as_defined() {
    let prices = "date,symbol,close,currency\n\
        2024-01-01,fx:CAD,0.75,USD\n\
        2024-01-01,fx:EUR,1.20,USD\n\
        2024-01-03,fx:EUR,1.50,CAD\n\
        2024-01-20,fx:CAD,0.80,USD\n\
        2024-01-25,fx:EUR,1.25,USD\n";
    let market = &Reference::new("USD", "date,account,type,currency\n", prices).market;
    let rate = |from, to, date| market.rate(from, to, day(date));
    assert_eq!(rate("CAD", "CAD", "2023-01-01"), Some(q("1")));
    assert_eq!(rate("CAD", "USD", "2023-12-31"), None);
    assert_eq!(rate("CAD", "USD", "2024-01-19"), Some(q("0.75")));
    assert_eq!(rate("USD", "CAD", "2024-01-01"), Some(q("4") / q("3")));
    // Via USD while there is nothing else, then direct while it is fresh.
    assert_eq!(rate("EUR", "CAD", "2024-01-02"), Some(q("1.6")));
    assert_eq!(rate("EUR", "CAD", "2024-01-08"), Some(q("1.5")));
    assert_eq!(rate("CAD", "EUR", "2024-01-08"), Some(q("2") / q("3")));
    // Nothing is fresh: a way is as old as its older leg, so the direct rate is the freshest.
    assert_eq!(rate("EUR", "CAD", "2024-01-20"), Some(q("1.5")));
    // Both legs are fresh, the direct rate is not.
    assert_eq!(rate("EUR", "CAD", "2024-01-25"), Some(q("1.5625")));
    // Again nothing is fresh; the legs are younger than the direct rate.
    assert_eq!(rate("EUR", "CAD", "2024-01-31"), Some(q("1.5625")));
    assert_eq!(market.price("EUR", day("2024-01-31")), None);
}

/// Cash is what came in and was earned, less what is tied up in lots, whatever the method.
#[test]
fn the_reference_adds_up() {
    let files = [small(5), rough::portfolio(1, 450)];
    for (files, method) in files.iter().flat_map(|files| METHODS.map(|method| (files, method))) {
        if method == Method::Acb && files.transactions.contains("SHORT_SELL") {
            continue;
        }
        let reference = Reference::new("USD", &files.transactions, &files.prices);
        let book = reference.book(&wishes("2030-01-01", method, "USD"));
        assert!(book.gains.len() > 100);
        let mut sums: BTreeMap<String, Q> = BTreeMap::new();
        for ((_, currency), cash) in &book.cash {
            *sums.entry(currency.clone()).or_default() += cash;
        }
        for holding in book.holdings(true) {
            let Cell::Text(currency) = &holding["currency"] else { panic!() };
            let figure = |column: &str| holding[column].figure().unwrap();
            let left = figure("cost") - figure("realized") - figure("income");
            *sums.get_mut(currency).unwrap() += left;
        }
        let cash_rows = |what: &str| matches!(what, "DEPOSIT" | "WITHDRAWAL" | "FEE");
        for row in reference.facts.iter().filter(|row| row.counts) {
            let sum = sums.get_mut(&row.currency).unwrap();
            if cash_rows(&row.what) && row.to_account.is_none() {
                *sum -= &row.amount;
            } else if row.what == "DIVIDEND" {
                *sum += &row.fee + &row.tax;
            }
        }
        assert!(sums.values().all(Zero::is_zero), "{method:?}: {sums:?}");
    }
}

#[test]
fn the_portfolio_is_the_one_that_others_were_measured_on() {
    let hash = |text: &str| {
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        digest.as_ref()[..8].iter().fold(0, |hash: u64, byte| hash << 8 | u64::from(*byte))
    };
    let small = small(1);
    assert_eq!(hash(&small.transactions), 0x0384_bb38_8014_833a);
    assert_eq!(hash(&small.prices), 0x9c6a_69b9_a4e0_953a);
    let large = large();
    assert_eq!(hash(&large.transactions), 0x691a_5199_d8bd_aa76);
    assert_eq!(hash(&large.prices), 0x0b01_5d59_898d_eaf7);
}

#[test]
fn a_difference_is_seen() {
    let reference = Reference::new("USD", A, A_PRICES);
    let rows = reference.book(&wishes("2024-03-28", Method::Fifo, "USD")).holdings(false);
    let sort = ["account", "symbol"];
    assert_eq!(differences(&rows, &rows, &sort), [""; 0]);
    assert_eq!(differences(&rows, &[], &sort).len(), 1);
    for (column, text, differs) in [
        ("cost", Some("363.0000000009"), false),
        ("cost", Some("363.000000002"), true),
        ("cost", None, true),
        ("quantity", Some("30.0000000001"), true),
        ("method", Some("lifo"), true),
        ("cash.USD", Some("1"), true),
    ] {
        let mut other = rows.clone();
        let value = text.map_or(Value::Null, Value::from);
        other[0].insert(column.to_owned(), cell(&value));
        assert_eq!(!differences(&rows, &other, &sort).is_empty(), differs, "{column} {text:?}");
    }
}

#[test]
fn json_and_csv_are_read_alike() {
    let json = serde_json::json!({
        "name": "A", "cash": {"CAD": "-1.5", "USD": "20"}, "value": null, "stale": true, "id": 7
    });
    let csv = "name,cash,value,stale\nA,CAD -1.5; USD 20,,true\n";
    let from_json = cells(json.as_object().unwrap());
    assert_eq!(differences(&csv_rows(csv), std::slice::from_ref(&from_json), &["name"]), [""; 0]);
    has(&from_json, &[("cash.CAD", "-1.5"), ("cash.USD", "20"), ("stale", "true")]);
    assert_eq!(from_json["value"], Cell::Near(None));
    // An id is no figure, and so no figure may be printed as a JSON number.
    assert_eq!(from_json["id"], Cell::text("7"));
}

#[test]
fn periods_end_on_the_last_day() {
    let ends = period_ends(day("2024-01-15"), day("2024-07-03"), 3);
    assert_eq!(ends, [day("2024-03-31"), day("2024-06-30"), day("2024-07-03")]);
    let ends = period_ends(day("2024-01-31"), day("2024-02-29"), 1);
    assert_eq!(ends, [day("2024-01-31"), day("2024-02-29")]);
}

// The program.

/// A thousand rows; closes on every so many-th business day.
fn small(closes_every: usize) -> Portfolio {
    Size { rows: 1000, securities: 20, years: 10, closes_every }.portfolio()
}

fn large() -> Portfolio {
    Size { rows: 10_000, securities: 50, years: 10, closes_every: 1 }.portfolio()
}

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment how far to go")]
fn is_full() -> bool {
    std::env::var("DASHTAM_FULL").is_ok_and(|value| value == "1")
}

/// A store of its own, spoken to through the program.
struct Store {
    folder: TempDir,
    database: Option<String>,
}

impl Store {
    fn sqlite() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database: None }
    }

    /// None where there is no server.
    fn postgres() -> Option<Self> {
        let database = Some(support::postgres::postgres_url()?);
        Some(Self { database, ..Self::sqlite() })
    }

    /// A store of these files, each imported by itself.
    fn of(files: &[&str]) -> Self {
        let store = Self::sqlite();
        store.import(files);
        store
    }

    fn import(&self, files: &[&str]) {
        let folder = self.folder.path();
        for text in files {
            let path = folder.join("file.csv");
            fs::write(&path, text).unwrap();
            self.run(&["import", path.to_str().unwrap()]);
        }
    }

    /// What the program prints; it must succeed.
    fn run(&self, line: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dashtam"));
        let folder = self.folder.path();
        command.env_clear().env("HOME", folder).env("TZ", "UTC").current_dir(folder);
        command.env("DASHTAM_DATA_DIR", folder.join("data")).timeout(Duration::from_mins(5));
        if let Some(database) = &self.database {
            command.env("DASHTAM_DATABASE_URL", database);
        }
        let output = command.args(line).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{line:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// A report to ask for.
#[derive(Clone, Copy, Debug)]
enum Report {
    Accounts,
    Holdings,
    Lots,
    Gains,
    NetWorth,
}

const REPORTS: [Report; 5] =
    [Report::Accounts, Report::Holdings, Report::Lots, Report::Gains, Report::NetWorth];

/// The first day of spans.
const FROM: &str = "2015-06-15";

impl Report {
    fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Holdings => "holdings",
            Self::Lots => "lots",
            Self::Gains => "gains",
            Self::NetWorth => "net-worth",
        }
    }

    fn line(self, wishes: &Wishes) -> Vec<String> {
        let mut line =
            format!("report {} --as-of {} --currency {}", self.name(), wishes.day, wishes.currency);
        if matches!(self, Self::Holdings | Self::Lots | Self::Gains) {
            line += &format!(" --method {}", wishes.method.name());
        }
        line += &match self {
            Self::Holdings => " --closed".to_owned(),
            Self::Gains => format!(" --from {FROM}"),
            Self::NetWorth => format!(" --from {FROM} --every quarter"),
            Self::Accounts | Self::Lots => String::new(),
        };
        line.split(' ').map(str::to_owned).collect()
    }

    fn expected(self, reference: &Reference, wishes: &Wishes) -> Vec<Row> {
        let to = wishes.day;
        match self {
            Self::Accounts => reference.accounts(wishes),
            Self::Holdings => reference.book(wishes).holdings(true),
            Self::Lots => reference.book(wishes).lots(),
            Self::Gains => reference.book(wishes).gains(day(FROM), to),
            Self::NetWorth => reference.net_worth(&period_ends(day(FROM), to, 3), wishes),
        }
    }

    /// By what rows are told apart.
    fn sort(self) -> &'static [&'static str] {
        match self {
            Self::Accounts => &["name"],
            Self::Holdings => &["account", "symbol"],
            Self::Lots => &["account", "symbol", "opened", "quantity", "cost"],
            Self::Gains => {
                &["account", "symbol", "opened", "closed", "quantity", "cost", "proceeds"]
            }
            Self::NetWorth => &["date"],
        }
    }

    /// How the lots of an average lie is not defined, only what they sum up to.
    fn comparable(self, rows: &[Row], method: Method) -> Vec<Row> {
        match self {
            Self::Lots if method.is_pooled() => {
                folded(rows, &["account", "symbol", "currency"], &LOT_FIGURES)
            }
            Self::Gains if method.is_pooled() => {
                folded(rows, &["account", "symbol", "currency", "closed"], &GAIN_FIGURES)
            }
            // Said of the whole only.
            Self::Accounts => {
                let mut rows = rows.to_vec();
                for row in &mut rows {
                    row.remove("partial");
                }
                rows
            }
            _ => rows.to_vec(),
        }
    }
}

/// A cell as the program prints it. Figures are strings; numbers are ids.
fn cell(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::Near(None),
        Value::String(text) => match decimal(text) {
            Some(figure) => {
                let plain = text.trim_start_matches('-');
                let trailing = text.contains('.') && text.ends_with(['0', '.']);
                let leading = plain.starts_with('0') && plain.len() > 1 && !plain.starts_with("0.");
                let well = !trailing && !leading && text != "-0";
                assert!(well, "`{text}` is not how figures are written");
                Cell::Near(Some(figure))
            }
            None => Cell::text(text),
        },
        other => Cell::text(other),
    }
}

fn cells(row: &Map<String, Value>) -> Row {
    let mut cells = Row::new();
    for (column, value) in row {
        match value {
            Value::Object(parts) => cells
                .extend(parts.iter().map(|(key, value)| (format!("{column}.{key}"), cell(value)))),
            value => {
                cells.insert(column.clone(), cell(value));
            }
        }
    }
    cells
}

/// The same rows from CSV, in which cash is `CAD 1; USD 2`.
fn csv_rows(text: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let row = |record: csv::StringRecord| {
        let mut cells = Row::new();
        for (column, text) in header.iter().zip(&record) {
            let value = if text.is_empty() { Value::Null } else { Value::from(text) };
            if column == "cash" && text.contains(' ') {
                for (code, sum) in text.split("; ").map(|part| part.split_once(' ').unwrap()) {
                    cells.insert(format!("cash.{code}"), cell(&Value::from(sum)));
                }
            } else {
                cells.insert(column.to_owned(), cell(&value));
            }
        }
        cells
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

/// A report must say what the reference says, as JSON and as CSV.
#[track_caller]
fn agree(store: &Store, reference: &Reference, report: Report, wishes: &Wishes) {
    let line = report.line(wishes);
    let run = |form| {
        let line: Vec<&str> = line.iter().map(String::as_str).chain([form]).collect();
        store.run(&line)
    };
    let document: Value = serde_json::from_str(&run("--json")).unwrap();
    assert_eq!(document["schema"], format!("dashtam.report.{}/1", report.name()), "{line:?}");
    assert_eq!(document["as_of"], wishes.day.to_string(), "{line:?}");
    assert_eq!(document["currency"], wishes.currency, "{line:?}");
    let rows = document["rows"].as_array().unwrap();
    let from_json: Vec<Row> = rows.iter().map(|row| cells(row.as_object().unwrap())).collect();

    let whole = report.expected(reference, wishes);
    let expected = report.comparable(&whole, wishes.method);
    assert!(!expected.is_empty() || matches!(report, Report::Gains), "{line:?} compares nothing");
    for (form, rows) in [("json", from_json), ("csv", csv_rows(&run("--csv")))] {
        let rows = report.comparable(&rows, wishes.method);
        let found = differences(&expected, &rows, report.sort());
        let first: Vec<_> = found.iter().take(10).cloned().collect();
        assert!(found.is_empty(), "{line:?} {form}: {}\n{}", found.len(), first.join("\n"));
    }
    if !matches!(report, Report::NetWorth) {
        add_up(&document, &whole, &line);
    }
}

/// Totals are the sums of what is known, and partial where something is not.
#[track_caller]
fn add_up(document: &Value, rows: &[Row], line: &[String]) {
    let lacks = |row: &Row| {
        row.get("partial") == Some(&Cell::text(&true))
            || row.values().any(|it| *it == Cell::Near(None))
    };
    let is_partial = rows.iter().any(lacks);
    assert_eq!(document["partial"], is_partial, "{line:?}");
    let names_what = document["missing"].as_array().is_some_and(|missing| !missing.is_empty());
    assert_eq!(names_what, is_partial, "{line:?}");
    for (column, printed) in document["totals"].as_object().unwrap() {
        let is_summed = rows.iter().any(|row| row.contains_key(column));
        if column.ends_with("_base") && is_summed && !printed.is_null() {
            let known = rows.iter().filter_map(|row| row.get(column)?.figure());
            let sum = Cell::Near(Some(total(known)));
            assert!(sum.agrees(&cell(printed)), "{line:?}: {column} is {printed}, not {sum:?}");
        }
    }
}

/// Everything on these days, by these methods.
#[track_caller]
fn agree_on_all(store: &Store, reference: &Reference, days: &[&str], methods: &[Method]) {
    for (day, currency) in days.iter().flat_map(|day| ["USD", "CAD"].map(|code| (day, code))) {
        for (at, method) in methods.iter().enumerate() {
            let wishes = wishes(day, *method, currency);
            for report in REPORTS {
                // A method changes no value.
                if at == 0 || !matches!(report, Report::Accounts | Report::NetWorth) {
                    agree(store, reference, report, &wishes);
                }
            }
        }
    }
}

#[test]
fn a_small_portfolio_has_the_figures_of_the_definition() {
    let files = small(if is_full() { 1 } else { 20 });
    let store = Store::of(&[&files.transactions, &files.prices]);
    let reference = Reference::new("USD", &files.transactions, &files.prices);
    if is_full() {
        // Within the first months, on a Saturday, on the last day, with closes and rates gone stale.
        let days = ["2015-06-30", "2018-03-14", "2020-02-29", "2024-12-31", "2025-03-01"];
        agree_on_all(&store, &reference, &days, &METHODS);
    } else {
        agree_on_all(&store, &reference, &["2018-03-14"], &[Method::Fifo, Method::Acb]);
        agree_on_all(&store, &reference, &["2025-01-04"], &[Method::Hifo]);
    }
}

#[test]
fn a_rough_portfolio_has_the_figures_of_the_definition() {
    let seeds = if is_full() { 1..=8 } else { 1..=1 };
    for seed in seeds {
        let files = rough::portfolio(seed, 450);
        let store = Store::of(&[&files.transactions, &files.prices]);
        let reference = Reference::new("USD", &files.transactions, &files.prices);
        let days = ["2015-09-01", "2016-12-31"];
        let days = if is_full() { &days[..] } else { &days[1..] };
        let methods = [Method::Fifo, Method::Average, Method::Lifo, Method::Hifo];
        let methods = if is_full() { &methods[..] } else { &methods[..2] };
        agree_on_all(&store, &reference, days, methods);
    }
}

#[test]
fn a_large_portfolio_has_the_figures_of_the_definition() {
    if !is_full() {
        support::announce("SKIPPED (no DASHTAM_FULL=1): the figures of 10000 rows");
        return;
    }
    let files = large();
    let store = Store::of(&[&files.transactions, &files.prices]);
    let reference = Reference::new("USD", &files.transactions, &files.prices);
    let days = ["2017-05-17", "2024-12-31"];
    agree_on_all(&store, &reference, &days, &METHODS);
}

#[test]
fn what_cannot_be_known_is_not_made_up() {
    // No close yet; a currency without a rate; an unknown cost; and an account without a fault.
    let transactions = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
        2015-06-04,Odd,DEPOSIT,,,,,USD,1000\n\
        2015-06-05,Odd,BUY,NOCLOSE,10,10,1,USD,\n\
        2015-06-06,Odd,BUY,NORATE,5,20,1,CHF,\n\
        2015-06-07,Odd,OPENING,NOCOST,8,,,USD,\n\
        2015-06-08,Odd,SELL,NOCOST,3,7,1,USD,\n\
        2015-06-08,Sound,DEPOSIT,,,,,USD,1000\n\
        2015-06-11,Sound,BUY,KNOWN,10,10,1,USD,\n\
        2015-06-12,Sound,SELL,KNOWN,4,11,1,USD,\n";
    let prices = "date,symbol,close,currency\n\
        2015-06-05,sec:NORATE,21,CHF\n\
        2015-06-05,sec:NOCOST,6,USD\n\
        2015-06-05,sec:KNOWN,12,USD\n\
        2015-08-01,sec:NOCLOSE,15,USD\n";
    let store = Store::of(&[transactions, prices]);
    let reference = Reference::new("USD", transactions, prices);
    agree_on_all(&store, &reference, &["2015-07-29"], &[Method::Fifo]);
}

#[test]
fn settings_change_figures_as_defined() {
    let files = small(20);
    let store = Store::of(&[&files.transactions, &files.prices]);
    store.run(&["settings", "set", "base_currency", "CAD"]);
    store.run(&["settings", "set", "fee_treatment", "expense"]);
    let reference = Reference::new("CAD", &files.transactions, &files.prices);
    let methods = [Method::Fifo, Method::Average];
    for method in methods.iter().take(if is_full() { 2 } else { 1 }) {
        let wishes = Wishes { fees_are_expenses: true, ..wishes("2024-12-31", *method, "CAD") };
        for report in REPORTS {
            agree(&store, &reference, report, &wishes);
        }
    }
    // The base currency is the one that nobody has to ask for, and so is the method.
    store.run(&["settings", "set", "default_method", "average"]);
    let plain = store.run(&["report", "holdings", "--as-of", "2020-02-29", "--json"]);
    let asked = ["--currency", "CAD", "--method", "average"];
    let asked = [&["report", "holdings", "--as-of", "2020-02-29", "--json"], &asked[..]].concat();
    assert_eq!(plain, store.run(&asked));
}

// However the same content came into a store, its reports are the same.

/// All reports as they are printed.
fn printed(store: &Store) -> Vec<(String, String)> {
    let by_method = [Report::Holdings, Report::Lots, Report::Gains];
    let asked = REPORTS.map(|report| (report, Method::Fifo)).into_iter();
    let asked = asked.chain(by_method.map(|report| (report, Method::Average)));
    let mut printed = Vec::new();
    for (report, method) in asked {
        let line = report.line(&wishes("2016-10-05", method, "CAD"));
        for form in ["--json", "--csv"] {
            let line: Vec<&str> = line.iter().map(String::as_str).chain([form]).collect();
            let text = store.run(&line);
            let says_much = form == "--json" || text.lines().count() > 2;
            assert!(says_much, "{line:?} says next to nothing: {text}");
            printed.push((line.join(" "), text));
        }
    }
    printed
}

/// The same without ids, which tell in what order things became known.
fn printed_without_ids(store: &Store) -> Vec<(String, String)> {
    const IDS: [&str; 2] = ["id", "security_id"];
    let without_ids = |(line, text): (String, String)| {
        if line.ends_with("--csv") {
            let mut rows = csv_rows(&text);
            for row in &mut rows {
                row.retain(|column, _| !IDS.contains(&column.as_str()));
            }
            return (line, format!("{rows:?}"));
        }
        let mut document: Value = serde_json::from_str(&text).unwrap();
        for row in document["rows"].as_array_mut().unwrap() {
            row.as_object_mut().unwrap().retain(|column, _| !IDS.contains(&column.as_str()));
        }
        (line, document.to_string())
    };
    printed(store).into_iter().map(without_ids).collect()
}

#[track_caller]
fn same(ours: &[(String, String)], theirs: &[(String, String)]) {
    assert_eq!(ours.len(), theirs.len());
    for ((line, ours), (_, theirs)) in ours.iter().zip(theirs) {
        let place = ours.bytes().zip(theirs.bytes()).position(|(a, b)| a != b);
        let near = |text: &str| {
            let start = place.unwrap_or(0).saturating_sub(150);
            text.chars().skip(start).take(300).collect::<String>()
        };
        assert!(ours == theirs, "{line}\n...{}\n...{}", near(ours), near(theirs));
    }
}

#[test]
fn engines_print_the_same() {
    let Some(postgres) = Store::postgres() else { return };
    let all = [small(20), rough::portfolio(2, 450)];
    let all = if is_full() { &all[..] } else { &all[1..] };
    let sqlite = Store::sqlite();
    for files in all {
        for store in [&sqlite, &postgres] {
            store.import(&[&files.transactions, &files.prices]);
        }
        same(&printed(&sqlite), &printed(&postgres));
    }
}

/// A header and the rows before and from the first row dated on or after a day.
fn cut(file: &str, at: &str) -> [String; 2] {
    let (header, rows) = file.split_once('\n').unwrap();
    let (early, late): (Vec<&str>, Vec<&str>) = rows.lines().partition(|row| *row < at);
    assert!(!early.is_empty() && !late.is_empty());
    [early, late].map(|rows| format!("{header}\n{}\n", rows.join("\n")))
}

#[test]
fn the_order_of_imports_changes_nothing() {
    let Portfolio { transactions, prices } = rough::portfolio(3, 300);
    let expected = printed_without_ids(&Store::of(&[&transactions, &prices]));
    let [early, late] = cut(&transactions, "2015-10-01");
    let [early_prices, late_prices] = cut(&prices, "2015-10-01");
    let orders = [
        vec![&prices, &transactions],
        vec![&late, &early, &prices],
        vec![&late_prices, &late, &early, &early_prices],
    ];
    for order in orders {
        let order: Vec<&str> = order.into_iter().map(String::as_str).collect();
        same(&expected, &printed_without_ids(&Store::of(&order)));
    }
}

/// A transaction whose account had no other that day, each given as its file and as flags.
const LATE: [(&str, &str); 3] = [
    (
        "2015-05-02,Left,BUY,DELT,12,20.5,1,USD,,,,,",
        "--date 2015-05-02 --type buy --symbol DELT --quantity 12 --price 20.5 --fee 1 --currency USD",
    ),
    (
        "2015-07-04,Right,SHORT_SELL,BETA,3,31,1,CAD,,0.5,,,",
        "--date 2015-07-04 --type short_sell --symbol BETA --quantity 3 --price 31 --fee 1 \
         --tax 0.5 --currency CAD",
    ),
    (
        "2015-08-08,Left,DEPOSIT,,,,,EUR,250.25,,,,",
        "--date 2015-08-08 --type deposit --amount 250.25 --currency EUR",
    ),
];

#[test]
fn a_row_added_late_is_as_good_as_one_in_place() {
    let Portfolio { transactions, prices } = rough::portfolio(4, 300);
    let (header, rows) = transactions.split_once('\n').unwrap();
    let mut whole: Vec<&str> = rows.lines().chain(LATE.iter().map(|late| late.0)).collect();
    whole.sort_by_key(|row| row.split(',').next().map(str::to_owned));
    let whole = format!("{header}\n{}\n", whole.join("\n"));
    let expected = printed_without_ids(&Store::of(&[&whole, &prices]));

    let store = Store::of(&[&transactions, &prices]);
    let before = printed_without_ids(&store);
    let mut added = Vec::new();
    for (row, flags) in LATE {
        let account = row.split(',').nth(1).unwrap();
        let line = ["txn", "add", "--json", "--account", account].into_iter();
        let answer = store.run(&line.chain(flags.split_whitespace()).collect::<Vec<_>>());
        let answer: Value = serde_json::from_str(&answer).unwrap();
        added.push(answer["transactions"][0].to_string());
    }
    let after = printed_without_ids(&store);
    assert!(before != after, "late rows change nothing");
    same(&expected, &after);
    for id in added {
        store.run(&["txn", "delete", &id]);
    }
    same(&before, &printed_without_ids(&store));
}
