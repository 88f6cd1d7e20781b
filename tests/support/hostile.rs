//! A store of what a terminal, a table or a reader could stumble over.
#![allow(dead_code, reason = "every test file compiles its own copy and uses a part of it")]
#![allow(
    clippy::unwrap_used,
    reason = "a test helper that cannot go on should stop the test at once"
)]

use std::fmt::Write as _;
use std::path::PathBuf;

use dashtam::clock::Clock;
use dashtam::config::{Config, Environment, Overrides};
use dashtam::model::{AccountKind, Change, Currency, Mode, NewAccount, SafeText};
use dashtam::service::import::{self, ImportRequest};
use dashtam::service::{Access, Session, edit};
use tempfile::TempDir;

/// Names and texts: what reorders, hides, piles up, is wider or longer than it looks.
const TEXTS: [&str; 14] = [
    "a\u{0}b \u{1b}[31mred\u{7}\u{9b}2J",
    "\u{202e}esrever\u{2066} \u{200f}x",
    "zero\u{200b}width\u{feff}\u{ad}\u{2060}",
    "tag\u{e0001}\u{e0041}\u{e0042}",
    "Z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30a}algo",
    "日本語の証券口座と長い名前の銀行",
    "👩\u{200d}👩\u{200d}👧 🏳\u{fe0f}\u{200d}🌈 👍🏽 🇨🇦",
    "حساب التقاعد שלום",
    "ก็ี้ไทย 한글\u{1100}\u{1161} ｶﾞ",
    "❤\u{fe0f}❤\u{fe0f}❤\u{fe0f} \u{3164}\u{115f}",
    // A lone surrogate comes in as its escape.
    "=1+1 \\u{d800} %s {} ; drop table x; --",
    "…",
    "tab\there",
    "plain",
];

/// Figures: as long as they can be, and as small.
const FIGURES: [(&str, &str); 6] = [
    ("1", "0.00000001"),
    ("12345678901234567890.12345678", "0.5"),
    ("0.00000001", "98765432109876543210.5"),
    ("7", "1234.5"),
    ("79228162514264337593543950", "1"),
    ("-3", "0.333333333333"),
];

/// Currencies with two minor units, none and three.
const CURRENCIES: [&str; 3] = ["USD", "JPY", "BHD"];

/// An open store in a folder that goes when it is dropped.
pub async fn open(clock: &Clock) -> (Session, TempDir) {
    let (session, folder) = empty(clock).await;
    for (at, name) in texts().iter().enumerate() {
        let account = NewAccount {
            name: SafeText::new(name),
            kind: AccountKind::Brokerage,
            currency: Currency::parse(CURRENCIES[at % 3]).unwrap(),
            mode: Mode::Ledger,
            method: None,
            institution: Some(SafeText::new(&texts()[at / 2])),
            closed: None,
            performance: None,
        };
        edit::apply(&session, Change::AddAccount(account)).await.unwrap();
    }
    let rows = folder.path().join("rows.csv");
    std::fs::write(&rows, transactions()).unwrap();
    let prices = folder.path().join("prices.csv");
    std::fs::write(&prices, closes()).unwrap();
    for file in [rows, prices] {
        take_in(&session, file).await;
    }
    (session, folder)
}

/// A store with nothing in it.
pub async fn empty(clock: &Clock) -> (Session, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let flags = Overrides { data_dir: Some(data), ..Overrides::default() };
    let config = Config::load(&flags, &Environment::default()).unwrap();
    (Session::open(&config, clock, Access::Write).await.unwrap(), folder)
}

/// A store with an account and nothing in it.
pub async fn bare(clock: &Clock) -> (Session, TempDir) {
    let (session, folder) = empty(clock).await;
    let account = NewAccount {
        name: SafeText::new("Brokerage"),
        kind: AccountKind::Brokerage,
        currency: Currency::USD,
        mode: Mode::Ledger,
        method: None,
        institution: None,
        closed: None,
        performance: None,
    };
    edit::apply(&session, Change::AddAccount(account)).await.unwrap();
    (session, folder)
}

/// A small household with so many times as much of everything.
pub async fn household(clock: &Clock, times: i64) -> (Session, TempDir) {
    let (session, folder) = empty(clock).await;
    let mut csv =
        "date,account,type,symbol,quantity,price,currency,amount,fee,description,to_account\n"
            .to_owned();
    let mut row = |text: String| writeln!(csv, "{text}").unwrap();
    for (account, currency) in [("Chequing", "USD"), ("Broker", "USD"), ("Abroad", "CAD")] {
        row(format!("2024-01-02,{account},DEPOSIT,,,,{currency},{},,Salary,", 98_765 * times));
    }
    for (month, price) in [(2, 41), (5, 57), (8, 53)] {
        let price = price * times;
        row(format!("2026-{month:02}-03,Broker,BUY,AAA,7,{price},USD,,,Buy,"));
        row(format!("2026-{month:02}-03,Broker,BUY,NONE,3,{price},USD,,,Buy,"));
        row(format!("2026-{month:02}-04,Abroad,BUY,BBB,9,{price},CAD,,,Buy,"));
        row(format!("2026-{month:02}-05,Broker,DIVIDEND,AAA,,,USD,{price},,Dividend,"));
        row(format!("2026-{month:02}-06,Chequing,TRANSFER_OUT,,,,USD,-{price},,Saving,Broker"));
    }
    row(format!("2026-09-09,Broker,SELL,AAA,4,{},USD,,,Sale,", 61 * times));
    let rows = folder.path().join("rows.csv");
    std::fs::write(&rows, csv).unwrap();
    let mut csv = "date,symbol,close,currency\n".to_owned();
    for (day, price) in [("2026-10-01", 59), ("2026-11-19", 67), ("2026-11-20", 71)] {
        writeln!(csv, "{day},sec:AAA,{},USD\n{day},sec:BBB,{},CAD", price * times, price * times)
            .unwrap();
        writeln!(csv, "{day},fx:CAD,0.75,USD").unwrap();
    }
    let prices = folder.path().join("prices.csv");
    std::fs::write(&prices, csv).unwrap();
    take_in(&session, rows).await;
    take_in(&session, prices).await;
    (session, folder)
}

/// Imports a file: what is refused is left out.
pub async fn take_in(session: &Session, file: PathBuf) {
    let request = ImportRequest { files: vec![file], partial: true, ..ImportRequest::default() };
    let report = import::run(session, request).await.unwrap();
    assert!(report.files.iter().any(|file| file.new > 0), "{report:?}");
}

/// The texts, one of them a word of 300 letters.
fn texts() -> Vec<String> {
    TEXTS.iter().map(|text| (*text).to_owned()).chain(["W".repeat(300)]).collect()
}

/// Of one letter, of sixty, and wide.
fn symbol(at: usize) -> String {
    match at % 4 {
        0 => char::from(b'A' + u8::try_from(at).unwrap()).to_string(),
        1 => format!("S{at}{}", "X".repeat(57)),
        2 => format!("日本{at}"),
        _ => format!("Q{at}"),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn transactions() -> String {
    let mut csv =
        "date,account,type,symbol,quantity,price,currency,amount,fee,description,category,\
                   note,link,status\n"
            .to_owned();
    for (at, name) in texts().iter().enumerate() {
        let (name, symbol) = (quoted(name), quoted(&symbol(at)));
        let (currency, (big, price)) = (CURRENCIES[at % 3], FIGURES[at % FIGURES.len()]);
        let amount = big.trim_start_matches('-');
        let words = format!(",{name},{name},{name}");
        let mut row = |text: String| writeln!(csv, "{text}").unwrap();
        row(format!("2024-01-02,{name},DEPOSIT,,,,{currency},{amount},{words},,"));
        row(format!("2024-01-03,{name},BUY,{symbol},{amount},{price},{currency},,{words},,"));
        row(format!("2024-01-04,{name},BUY,{symbol},3,0.1,{currency},,{words},,pending"));
        row(format!("2024-01-05,{name},DIVIDEND,{symbol},,,{currency},0.01,{words},e{at},"));
        row(format!("2024-01-05,{name},FEE,,,,{currency},-0.02,{words},e{at},failed"));
    }
    csv
}

fn closes() -> String {
    let mut csv = "date,symbol,close,currency,source\n".to_owned();
    for at in 0..texts().len() {
        let (_, price) = FIGURES[at % FIGURES.len()];
        let (symbol, currency) = (symbol(at), CURRENCIES[at % 3]);
        // Some are fresh, some are old, some are not there.
        let days: &[&str] = match at % 3 {
            0 => &["2026-10-01", "2026-11-19", "2026-11-20"],
            1 => &["2024-02-01"],
            _ => &[],
        };
        for day in days {
            let source = quoted(TEXTS[at % TEXTS.len()]);
            writeln!(csv, "{day},{},{price},{currency},{source}", quoted(&format!("sec:{symbol}")))
                .unwrap();
        }
    }
    csv
}
