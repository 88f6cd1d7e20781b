//! Golden files: small ledgers whose every figure can be followed with a pencil.
//!
//! A folder below `tests/golden` is a case: `rows.csv` and perhaps `prices.csv` are imported into a
//! new store, then each report of `case.toml` is run, on both engines. A report is compared in the
//! columns that the case names, and must have the rows that it names and no others; it is whole
//! unless the case says what is missing. `n/a` is an unknown figure, `-` an account without cash.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use assert_cmd::Command;
use dashtam::model::Exact;
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

/// Every case is a test of its own.
macro_rules! cases {
    ($($name:ident)+) => {
        const CASES: &[&str] = &[$(stringify!($name)),+];
        $(#[test]
        fn $name() {
            check(stringify!($name));
        })+
    };
}

cases! {
    acb_pool acb_spin_off acb_spin_off_days_apart acb_split_days_apart account_partly_known
    acquired_abroad adjustment allocation balance_over_rows benchmark charged_move charges_alone closed_account closed_after_its_rows closed_position
    coverage_of_rates currency_gain example_a example_b exercise_alone fees_and_taxes
    hifo_expense hifo_order income income_announced income_forecast
    income_told income_yields long_term merger merger_cash method_of_account methods
    missing_price missing_rate moves_of_one_link multiplier_forgotten net_worth_periods odd_prices opening
    option_assignment option_exercise option_exercise_days_apart option_expiration
    option_into_short options_trade overflow overflow_of_sums paid_in_coin paid_in_other_currency pence
    rate_freshness rate_inverse rate_of_a_row rate_over_others rate_through_base reinvest
    return_of_capital reverse_split reward rounding rows_beside_balances rows_without_worth sell_beyond_position short_currency
    short_findings short_sale specific_by_day spin_off_after_split spin_off_by_value
    spin_off_cash spin_off_share split split_days_apart split_in_transit split_of_short
    stale_price stated_balances stock_dividend stock_dividend_of_short superficial_loss symbol_change tax_year
    transfer_after_sale transfer_apart transfer_from_outside transfer_grows transfer_in_first transfer_in_parts
    traded_within_a_day transfer_in_transit transfer_same_day transfer_shrinks transfer_to_outside transfer_unclear
}

#[test]
fn every_folder_is_a_test() {
    let folders = fs::read_dir(folder("")).unwrap().map(|entry| entry.unwrap().file_name());
    let folders: BTreeSet<_> = folders.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(folders, CASES.iter().map(ToString::to_string).collect());
}

/// `case.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Chosen before anything else.
    #[serde(default)]
    settings: BTreeMap<String, String>,
    /// Commands before the import.
    #[serde(default)]
    before: Vec<String>,
    report: Vec<Expected>,
}

/// One report and what it must say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// Commands before it, which stay in force for the reports below.
    #[serde(default)]
    first: Vec<String>,
    /// Its name and flags.
    run: String,
    /// What its totals lack, like `price X`, each said once.
    #[serde(default)]
    missing: BTreeSet<String>,
    /// Some of its totals.
    #[serde(default)]
    totals: BTreeMap<String, String>,
    /// A table: the names of the columns, then the rows in any order.
    rows: String,
}

fn folder(case: &str) -> PathBuf {
    support::root().join("tests/golden").join(case)
}

fn check(case: &str) {
    let text = support::read(&folder(case).join("case.toml"));
    let wanted: Case = toml::from_str(&text).unwrap_or_else(|error| panic!("{case}: {error}"));
    let databases = [Some(None), support::postgres::postgres_url().map(Some)];
    let mut wrong = Vec::new();
    for database in databases.into_iter().flatten() {
        let store = Store::new(database);
        let engine = store.engine();
        let found = wrong_with(&store, case, &wanted);
        wrong.extend(found.iter().map(|what| format!("{case} on {engine}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Everything in which a new store differs from what the case says.
fn wrong_with(store: &Store, case: &str, wanted: &Case) -> Vec<String> {
    for (key, value) in &wanted.settings {
        store.run(&["settings", "set", key, value]);
    }
    wanted.before.iter().for_each(|line| store.say(line));
    let files = ["rows.csv", "prices.csv"].map(|name| folder(case).join(name));
    let files = files.iter().filter(|file| file.exists()).map(|file| file.to_str().unwrap());
    store.run(&["import"].into_iter().chain(files).collect::<Vec<_>>());
    let mut wrong = Vec::new();
    for report in &wanted.report {
        report.first.iter().for_each(|line| store.say(line));
        let day = ["--as-of", "--to", "--tax-year"].iter().any(|flag| report.run.contains(flag));
        assert!(day, "{}: what is true today may be wrong tomorrow; name a day", report.run);
        match store.try_run(&format!("report {} --json", report.run)) {
            Ok(out) => wrong.extend(differences(report, &serde_json::from_str(&out).unwrap())),
            Err(error) => wrong.push(format!("{}: {error}", report.run)),
        }
    }
    wrong.extend(unequal_income(store));
    wrong
}

/// The payments of a security add up to the income of its positions since the first row, where they
/// were paid in its currency.
fn unequal_income(store: &Store) -> Vec<String> {
    let report = |words: &str| -> Vec<Value> {
        let out = store.try_run(&format!("report {words} --json")).unwrap();
        let report: Value = serde_json::from_str(&out).unwrap();
        report["rows"].as_array().unwrap().clone()
    };
    let mut held: BTreeMap<(String, String), Option<Exact>> = BTreeMap::new();
    for row in report("holdings --closed") {
        let key = ["symbol", "currency"].map(|name| row[name].as_str().unwrap().to_owned());
        let sum = held.entry(key.into()).or_insert(Some(Exact::ZERO));
        let income = row["income"].as_str().and_then(Exact::parse);
        *sum = sum.take().zip(income).map(|(sum, income)| sum.add(&income));
    }
    let paid = report("income --by security");
    let unlike = |((symbol, currency), held): ((String, String), Option<Exact>)| {
        let row = paid.iter().find(|row| row["symbol"].as_str() == Some(&symbol));
        let same = row.is_none_or(|row| row["currency"].as_str() == Some(&currency));
        let paid = row.map_or(Some(Exact::ZERO), |row| Exact::parse(row["amount"].as_str()?));
        let (held, paid) = held.zip(paid).filter(|(held, paid)| same && held != paid)?;
        Some(format!("income of {symbol}: {paid} was paid, {held} came to the holdings"))
    };
    held.into_iter().filter_map(unlike).collect()
}

/// In what a report differs from what it must say.
fn differences(wanted: &Expected, found: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let (header, mut right) = table(&wanted.rows);
    let found_rows = found["rows"].as_array().map_or(&[][..], Vec::as_slice);
    let mut rows: Vec<Vec<String>> = found_rows
        .iter()
        .map(|row| header.iter().map(|name| cell(row.get(*name))).collect())
        .collect();
    right.sort();
    rows.sort();
    if right != rows {
        let show = |rows: &[Vec<String>]| {
            let lines: Vec<_> = rows.iter().map(|row| row.join(" ")).collect();
            lines.join("\n    ")
        };
        let (header, right, rows) = (header.join(" "), show(&right), show(&rows));
        let both = format!("  should be\n    {right}\n  is\n    {rows}");
        wrong.push(format!("{}: {header}\n{both}", wanted.run));
    }
    let missing: BTreeSet<_> =
        found["missing"].as_array().into_iter().flatten().map(lack).collect();
    if missing != wanted.missing {
        let right = &wanted.missing;
        wrong.push(format!("{}: missing should be {right:?}, is {missing:?}", wanted.run));
    }
    for (name, right) in &wanted.totals {
        let total = cell(found["totals"].get(name));
        if total != *right {
            wrong.push(format!("{}: the total {name} should be {right}, is {total}", wanted.run));
        }
    }
    let partial = &found["partial"];
    if *partial != Value::Bool(!wanted.missing.is_empty()) {
        wrong.push(format!("{}: partial is {partial}", wanted.run));
    }
    wrong
}

/// The names of the columns and the rows of a table; `#` begins a remark.
fn table(text: &str) -> (Vec<&str>, Vec<Vec<String>>) {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let mut lines = lines
        .map(|line| line.split_whitespace().collect())
        .filter(|line: &Vec<_>| !line.is_empty());
    let header = lines.next().expect("the names of the columns");
    let rows = lines.map(|row| row.into_iter().map(str::to_owned).collect());
    let rows: Vec<Vec<String>> = rows.collect();
    for row in &rows {
        assert_eq!(row.len(), header.len(), "{row:?} under {header:?}");
    }
    (header, rows)
}

/// A figure as a case writes it.
fn cell(value: Option<&Value>) -> String {
    match value {
        None => "(no such field)".to_owned(),
        Some(Value::Null) => "n/a".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(cash)) if cash.is_empty() => "-".to_owned(),
        Some(Value::Object(cash)) => {
            let mut cash: Vec<_> =
                cash.iter().map(|(code, sum)| format!("{code}:{}", cell(Some(sum)))).collect();
            cash.sort();
            cash.join(",")
        }
        // A bare number stays visible: decimals are strings.
        Some(other) => other.to_string(),
    }
}

/// What a total lacks: `price X`, `fx CAD/USD`, `history House`.
fn lack(missing: &Value) -> String {
    let subject = ["security", "pair", "account"].iter().find_map(|key| missing[*key].as_str());
    format!("{} {}", missing["what"].as_str().unwrap_or("?"), subject.unwrap_or("?"))
}

/// A store of its own on one engine, and the program that knows no other.
struct Store {
    folder: TempDir,
    database: Option<String>,
}

impl Store {
    fn new(database: Option<String>) -> Self {
        let joint = |url: &str| if url.contains('?') { '&' } else { '?' };
        let database = database.map(|url| format!("{url}{}sslmode=disable", joint(&url)));
        Self { folder: tempfile::tempdir().unwrap(), database }
    }

    const fn engine(&self) -> &'static str {
        if self.database.is_some() { "postgres" } else { "sqlite" }
    }

    fn command(&self) -> Command {
        let root = self.folder.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_dashtam"));
        command.env_clear().env("HOME", root).env("TZ", "UTC").env("TMPDIR", root);
        command.env("DASHTAM_DATA_DIR", root.join("data")).current_dir(root);
        if let Some(url) = &self.database {
            command.env("DASHTAM_DATABASE_URL", url);
        }
        command.timeout(Duration::from_mins(1));
        command
    }

    /// What a command prints, else what it complains about.
    fn answer(&self, words: &[&str]) -> Result<String, String> {
        let output = self.command().args(words).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    /// A command whose words have no blanks in them.
    fn try_run(&self, line: &str) -> Result<String, String> {
        self.answer(&line.split(' ').collect::<Vec<_>>())
    }

    /// A command that must succeed.
    fn run(&self, words: &[&str]) {
        self.answer(words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    }

    /// The same in one line.
    fn say(&self, line: &str) {
        self.run(&line.split(' ').collect::<Vec<_>>());
    }
}

/// The comparison itself must not let anything pass.
#[test]
fn whatever_differs_is_told() {
    let told = |found: &str, rows: &str, missing: &[&str]| {
        let missing = missing.iter().map(ToString::to_string).collect();
        let (first, run) = (Vec::new(), "holdings".to_owned());
        let totals = BTreeMap::from([("cost".to_owned(), "3.5".to_owned())]);
        let wanted = Expected { first, run, missing, totals, rows: rows.to_owned() };
        !differences(&wanted, &serde_json::from_str(found).unwrap()).is_empty()
    };
    let one = r#"{"partial":false,"missing":[],"totals":{"cost":"3.5"},
        "rows":[{"symbol":"X","cost":"3.5","price":null}]}"#;
    let right = "symbol cost price\nX 3.5 n/a # a remark";
    assert!(!told(one, right, &[]));
    assert!(!told(one, "symbol\nX", &[]));
    for wrong in ["symbol cost\nX 3.50", "symbol cost\nX n/a", "price\n0", "symbol value\nX n/a"] {
        assert!(told(one, wrong, &[]), "{wrong}");
    }
    assert!(told(one, "symbol", &[]), "a row too many");
    assert!(told(one, "symbol\nX\nX", &[]), "a row too few");
    assert!(told(one, right, &["price X"]));
    assert!(told(&one.replace(r#"{"cost":"3.5"}"#, "{}"), right, &[]), "a total that is not there");
    assert!(told(
        r#"{"partial":false,"missing":[],"totals":{"cost":"3.5"},
        "rows":[{"symbol":1}]}"#,
        "symbol\n\"1\"",
        &[]
    ));

    let lacks = r#"{"partial":true,"missing":[{"what":"price","security":"X","account":"A","date":null},
        {"what":"fx","pair":"CAD/USD","account":null,"date":null}],"totals":{"cost":"3.5"},
        "rows":[{"cash":{"USD":"1","CAD":"2"}}]}"#;
    let cash = "cash\nCAD:2,USD:1";
    assert!(!told(lacks, cash, &["price X", "fx CAD/USD"]));
    assert!(told(lacks, cash, &["price X"]));
    assert!(told(lacks, cash, &[]));
    let silent = lacks.replace("true", "false");
    assert!(told(&silent, cash, &["price X", "fx CAD/USD"]));
}
