//! Hostile text goes in through every field that takes text, and comes out of every place where
//! somebody looks: nothing that a terminal, a log or a spreadsheet would obey may be among it.
//!
//! A part of the corpus and some random strings by default; all of it, and a million, where
//! `DASHTAM_FULL=1`. Panes are swept in `tests/screens_states.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test"
)]

mod support;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use dashtam::model::{Dec, SafeText, is_safe, keep_raw, raw_of};
use serde_json::Value;
use support::home::Home;
use support::mutate::Random;
use support::payloads::{Payload, harm_in, is_harmful, payloads};

const COLUMNS: &str = "date,account,type,symbol,quantity,price,fee,currency,amount,settlement,tax,\
    fx_rate,description,id,ratio,to_account,to_symbol,cost_share,multiplier,venue,isin,acquired,\
    link,status,category,note";
const PRICE_COLUMNS: &str = "date,symbol,close,currency,open,high,low,volume,source";
/// Further ways to look at what is stored.
const LOOKS: [&str; 11] = [
    "account list",
    "security list",
    "import list",
    "security splits",
    "report findings",
    "report coverage",
    "report transactions",
    "report holdings --closed",
    "report accounts --closed",
    "report lots",
    "report gains",
];

#[expect(clippy::disallowed_methods, reason = "how much is tested is set from the environment")]
fn is_full() -> bool {
    std::env::var("DASHTAM_FULL").is_ok_and(|value| value == "1")
}

/// Every so many of the corpus in a plain run, from each class some.
fn sample(every: usize) -> Vec<Payload> {
    let every = if is_full() { 1 } else { every };
    payloads().into_iter().step_by(every).collect()
}

#[test]
fn the_corpus_is_large_and_of_every_class() {
    let all = payloads();
    let classes: BTreeSet<_> = all.iter().map(|payload| payload.class).collect();
    support::announce(&format!("{} texts of {} classes", all.len(), classes.len()));
    assert!(all.len() >= 480, "{} texts", all.len());
    assert!(classes.len() >= 20, "{classes:?}");
    let bytes: BTreeSet<_> = all.iter().map(|payload| &payload.bytes).collect();
    assert!(bytes.len() >= 480, "{} different texts", bytes.len());
    // Most would do harm: raw, they are refused by the judge of this test.
    let harmful = all.iter().filter(|payload| {
        str::from_utf8(&payload.bytes).map_or(true, |text| harm_in(text).is_some())
    });
    assert!(harmful.count() > 300);
}

#[test]
fn safe_text_lets_none_of_it_through() {
    for Payload { class, bytes } in payloads() {
        let safe = SafeText::from_bytes(&bytes);
        assert_eq!(harm_in(safe.as_str()), None, "{class}: {bytes:?}");
        let mut kept = String::new();
        keep_raw(&bytes, &mut kept);
        assert_eq!(harm_in(&kept), None, "{class}: {bytes:?}");
        assert_eq!(raw_of(&kept), bytes, "{class}");
    }
}

/// A character from where harm comes from, more often than chance would.
fn any_char(random: &mut Random) -> char {
    const RANGES: [(u32, u32); 12] = [
        (0, 0x20),
        (0x20, 0x60),
        (0x7f, 0x40),
        (0x300, 0x70),
        (0x600, 0x20),
        (0x200b, 0x10),
        (0x2028, 0x48),
        (0xfe00, 0x10),
        (0xfff0, 0x10),
        (0xe0000, 0x200),
        (0x1f300, 0x100),
        (0, 0x0011_0000),
    ];
    loop {
        let (start, length) = *random.of(&RANGES);
        let offset = u32::try_from(random.below(length as usize)).unwrap();
        if let Some(c) = char::from_u32(start + offset) {
            return c;
        }
    }
}

#[test]
fn no_random_text_gets_through() {
    let seed = 0x0000_5afe;
    let mut random = Random::new(seed);
    let times = if is_full() { 1_000_000 } else { 1_000 };
    let mut harmful = 0;
    for round in 0..times {
        let length = random.below(40);
        let text: String = (0..length).map(|_| any_char(&mut random)).collect();
        harmful += usize::from(text.chars().any(is_harmful));
        let at = || format!("seed {seed:#x}, round {round}: {text:?}");
        let safe = SafeText::new(&text);
        assert_eq!(harm_in(safe.as_str()), None, "{}", at());
        assert!(is_safe(safe.as_str()), "{}", at());
        assert_eq!(SafeText::new(safe.as_str()), safe, "{}", at());
        let capped = SafeText::capped(&text, random.below(60));
        assert_eq!(harm_in(capped.as_str()), None, "{}", at());
        assert_eq!(harm_in(&safe.shown(random.below(30))), None, "{}", at());
        let mut bytes = text.into_bytes();
        if !bytes.is_empty() {
            let place = random.below(bytes.len());
            bytes[place] ^= 1 << random.below(8);
        }
        let safe = SafeText::from_bytes(&bytes);
        assert_eq!(harm_in(safe.as_str()), None, "seed {seed:#x}, round {round}: {bytes:?}");
    }
    support::sum_up(&format!("{times} random texts, {harmful} could do harm, none got through"));
    assert!(harmful * 2 > times, "only {harmful} of {times} texts could have done harm");
}

/// Lines may end; otherwise nothing harmful, on either output.
fn check_lines(what: &str, bytes: &[u8]) {
    let text = str::from_utf8(bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
    for line in text.split('\n') {
        if let Some(harm) = harm_in(line) {
            panic!("{what}: {harm}");
        }
    }
}

/// Every text in a document, keys too.
fn check_json(what: &str, value: &Value) {
    match value {
        Value::String(text) => {
            assert_eq!(harm_in(text), None, "{what}");
        }
        Value::Array(all) => all.iter().for_each(|value| check_json(what, value)),
        Value::Object(all) => all.iter().for_each(|(key, value)| {
            assert_eq!(harm_in(key), None, "{what}");
            check_json(what, value);
        }),
        _ => {}
    }
}

/// No field that a spreadsheet would compute. Numbers are numbers.
fn check_formulas(what: &str, text: &str) {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    for record in reader.records() {
        for field in &record.unwrap() {
            let starts = field.starts_with(['=', '+', '-', '@', '\t', '\r', '\0']);
            assert!(!starts || Dec::parse(field).is_ok(), "{what}: {field:?}");
        }
    }
}

/// Runs the program, checks both outputs, and gives stdout.
fn checked(home: &Home, line: &[&OsStr]) -> String {
    let output = home.command().args(line).output().unwrap();
    let what = format!("{line:?}");
    check_lines(&format!("stdout of {what}"), &output.stdout);
    check_lines(&format!("stderr of {what}"), &output.stderr);
    assert_ne!(
        output.status.code(),
        Some(1),
        "{what}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.code().is_some(), "{what} was ended by a signal");
    let text = String::from_utf8(output.stdout).unwrap();
    if line.contains(&OsStr::new("--json")) {
        check_json(&what, &serde_json::from_str(&text).unwrap_or_else(|e| panic!("{what}: {e}")));
    }
    text
}

fn said(home: &Home, line: &str) -> String {
    checked(home, &line.split(' ').map(OsStr::new).collect::<Vec<_>>())
}

/// Looks at a store from all sides.
fn look(home: &Home) {
    for line in LOOKS {
        said(home, line);
        said(home, &format!("{line} --json"));
        if line.starts_with("report") {
            check_formulas(line, &said(home, &format!("{line} --csv")));
        }
    }
    said(home, "report net-worth --every year --json");
    said(home, "doctor");
    said(home, "doctor --json");
    said(home, "export --format canonical");
    let logs = home.data().join("log");
    let mut lines = 0;
    for entry in fs::read_dir(&logs).unwrap() {
        let text = fs::read(entry.unwrap().path()).unwrap();
        check_lines("the log", &text);
        lines += text.split(|byte| *byte == b'\n').count();
    }
    assert!(lines > 1, "there is no log");
}

/// What is exported computes nothing, and comes in again as it was.
fn check_round_trip(home: &Home) {
    let canonical = said(home, "export --format canonical");
    let transactions = said(home, "export");
    let prices = said(home, "export --what prices");
    check_formulas("transactions", &transactions);
    check_formulas("prices", &prices);
    let copy = Home::new();
    copy.ok(&["import", &copy.file("rows.csv", &transactions)]);
    if prices.lines().count() > 1 {
        copy.ok(&["import", &copy.file("prices.csv", &prices)]);
    }
    let lines = |dump: &str| -> Vec<String> {
        let rows = dump.lines().filter(|line| line.starts_with("transaction"));
        rows.map(str::to_owned).collect()
    };
    assert_eq!(lines(&copy.canonical()), lines(&canonical));
    let copy = Home::new();
    let whole = copy.file("all.json", &said(home, "export --format json"));
    copy.ok(&["import", &whole]);
    assert_eq!(copy.canonical(), canonical);
}

/// A CSV of which some fields are given as bytes.
fn rows(columns: &str, base: &[(&str, &str)], told: &[(&str, &[u8])]) -> Vec<u8> {
    let mut line = Vec::new();
    for (at, column) in columns.split(',').enumerate() {
        if at > 0 {
            line.push(b',');
        }
        let hostile = told.iter().find(|(name, _)| *name == column).map(|(_, bytes)| *bytes);
        let plain = base.iter().find(|(name, _)| *name == column).map(|(_, text)| text.as_bytes());
        line.extend(hostile.or(plain).unwrap_or_default());
    }
    line.push(b'\n');
    line
}

const DEPOSIT: [(&str, &str); 5] = [
    ("date", "2024-01-02"),
    ("account", "Bank"),
    ("type", "DEPOSIT"),
    ("currency", "USD"),
    ("amount", "5"),
];
const BUY: [(&str, &str); 7] = [
    ("date", "2024-01-03"),
    ("account", "Broker"),
    ("type", "BUY"),
    ("symbol", "AMD"),
    ("quantity", "2"),
    ("price", "7"),
    ("currency", "USD"),
];
const CLOSE: [(&str, &str); 4] =
    [("date", "2024-01-02"), ("symbol", "sec:AMD"), ("close", "5"), ("currency", "USD")];

/// Rows with each text in the fields for words together, and alone in some (or all) others.
fn transactions(payloads: &[Payload]) -> Vec<u8> {
    let mut file = format!("{COLUMNS}\n").into_bytes();
    for (at, payload) in payloads.iter().enumerate() {
        let text = payload.in_csv();
        let words: Vec<(&str, &[u8])> =
            ["description", "note", "category"].iter().map(|name| (*name, &text[..])).collect();
        file.extend(rows(COLUMNS, &DEPOSIT, &words));
        for (number, column) in COLUMNS.split(',').enumerate() {
            if is_full() || (number + at).is_multiple_of(9) {
                file.extend(rows(COLUMNS, &BUY, &[(column, &text)]));
            }
        }
    }
    file
}

fn prices(payloads: &[Payload]) -> Vec<u8> {
    let mut file = format!("{PRICE_COLUMNS}\n").into_bytes();
    for payload in payloads {
        let text = payload.in_csv();
        for column in PRICE_COLUMNS.split(',') {
            file.extend(rows(PRICE_COLUMNS, &CLOSE, &[(column, &text)]));
        }
        let named = [b"\"sec:", &text[1..]].concat();
        file.extend(rows(PRICE_COLUMNS, &CLOSE, &[("symbol", &named)]));
    }
    file
}

/// Imports a file as people and as programs would.
fn import(home: &Home, name: &str, content: &[u8]) {
    let path = home.path(name);
    fs::write(&path, content).unwrap();
    let path = path.as_os_str();
    let words = |more: &'static str| [OsStr::new("import"), path, OsStr::new(more)];
    checked(home, &words("--dry-run"));
    checked(home, &words("--partial"));
    checked(home, &[&words("--partial")[..], &[OsStr::new("--json")]].concat());
}

#[test]
fn csv_full_of_it_is_shown_and_exported_without_harm() {
    let home = Home::new();
    // What makes a whole file no text goes in by itself.
    let (alone, together): (Vec<_>, Vec<_>) = sample(3)
        .into_iter()
        .partition(|payload| payload.bytes.contains(&0) || payload.bytes.len() > 60_000);
    import(&home, "rows.csv", &transactions(&together));
    import(&home, "prices.csv", &prices(&together));
    for payload in alone.iter().step_by(if is_full() { 1 } else { 4 }) {
        import(&home, "rows.csv", &transactions(std::slice::from_ref(payload)));
        import(&home, "prices.csv", &prices(std::slice::from_ref(payload)));
    }
    let stored = home.transactions().len();
    assert!(stored * 10 > together.len() * 9, "only {stored} rows of {} texts", together.len());
    look(&home);
    check_round_trip(&home);
}

/// An export of one account and one row of it, of which some parts are given as bytes.
fn document(account: &[u8], security: &[u8], row: &[&[u8]]) -> Vec<u8> {
    const ROW: &str = "\"seq\":0,\"status\":\"settled\",\"currency\":\"USD\",\"amount\":\"5\",\
         \"origin\":\"file\"";
    let row = row.concat();
    let parts: [&[u8]; 9] = [
        b"{\"schema\":\"dashtam.export/1\",\"settings\":[],\"accounts\":[{\"name\":",
        account,
        b",\"kind\":\"brokerage\",\"currency\":\"USD\",\"mode\":\"ledger\",\"derived\":false}],\
          \"categories\":[],\"securities\":[{\"symbol\":\"A\",\"currency\":\"USD\",\"name\":",
        security,
        b",\"derived\":false}],\"balances\":[],\"transactions\":[{",
        ROW.as_bytes(),
        b",",
        &row,
        b"}],\"prices\":[],\"rates\":[],\"watchlist\":[],\"alerts\":[],\"targets\":[]}\n",
    ];
    parts.concat()
}

/// What a row begins with whose type and day are in order.
const WHEN: &[u8] = b"\"date\":\"2024-01-02\",\"type\":\"deposit\",\"account\":";

#[test]
fn json_full_of_it_is_shown_and_exported_without_harm() {
    let payloads: Vec<_> = sample(7).into_iter().enumerate().collect();
    let mut stored = 0;
    // Each makes accounts: hundreds of them would slow every import down.
    for payloads in payloads.chunks(60) {
        let home = Home::new();
        let path = home.path("all.json");
        for (number, payload) in payloads {
            let text = payload.in_json();
            let name = format!("\"Bank {number}\"").into_bytes();
            let mut documents = vec![(
                &name,
                vec![WHEN, &name[..], b",\"description\":", &text, b",\"note\":", &text],
            )];
            if number.is_multiple_of(3) || is_full() {
                documents.extend([
                    (&text, vec![WHEN, &text]),
                    (&name, vec![WHEN, b"\"x\",", &text, b":1"]),
                    (&name, vec![b"\"type\":", &text, b",\"account\":\"x\",\"date\":", &text]),
                ]);
            }
            for (account, row) in documents {
                fs::write(&path, document(account, &text, &row)).unwrap();
                let words = [OsStr::new("import"), path.as_os_str(), OsStr::new("--json")];
                let told = checked(&home, &words);
                stored += usize::from(told.contains("\"new\":") && !told.contains("\"new\":0"));
            }
        }
        look(&home);
        check_round_trip(&home);
    }
    let all = payloads.len();
    assert!(stored * 3 > all, "only {stored} of {all} came in");
}

#[test]
fn commands_full_of_it_say_nothing_that_harms() {
    let home = Home::new();
    home.ok(&["account", "add", "Bank", "--kind", "checking", "--currency", "USD"]);
    let row = "txn add --account Bank --date 2024-01-02 --type deposit --amount 5";
    home.ok(&row.split(' ').collect::<Vec<_>>());
    let buy = "--account Bank --date 2024-01-02 --type buy --symbol AMD --quantity 1 --price 2";
    home.ok(&["txn add ", buy].concat().split(' ').collect::<Vec<_>>());
    // `@` is where the text goes.
    let lines = [
        "account add @ --kind brokerage --currency USD",
        "account add Other --kind @ --currency USD",
        "account rename Bank @",
        "account edit @ --kind savings",
        "account edit Bank --institution @",
        "txn add --account Bank --date 2024-01-02 --type deposit --amount 5 --description @ --note @",
        "txn add --account Bank --date @ --type deposit --amount 5",
        "txn add --account Bank --date 2024-01-02 --type @ --amount @",
        "txn add --account @ --date 2024-01-02 --type deposit --amount 5 --json",
        "security edit AMD --name @",
        "security edit AMD --symbol @",
        "security edit @ --name x --json",
        "price set @ --date 2024-01-03 --close 1 --currency USD",
        "report holdings --explain @",
        "report transactions --account @ --json",
        "report transactions --after @",
        "settings set @ x",
        "settings set base_currency @",
        "import @",
        "import rows.csv --account @",
        "export --out /nowhere/@",
        "rebuild @ --json",
        "--profile @ report accounts",
        "--database @ report accounts",
        "--config @ doctor",
        "@",
    ];
    let texts: Vec<_> =
        sample(1).into_iter().filter(|payload| !payload.bytes.contains(&0)).collect();
    let mut random = Random::new(0x000c_0de5);
    for payload in texts.iter().step_by(if is_full() { 1 } else { 8 }) {
        for _ in 0..if is_full() { 4 } else { 1 } {
            let line = *random.of(&lines);
            let words = line.split(' ').map(|word| {
                let parts: Vec<_> = word.split('@').map(str::as_bytes).collect();
                parts.join(&payload.bytes[..])
            });
            let words: Vec<_> = words.collect();
            checked(&home, &words.iter().map(|word| OsStr::from_bytes(word)).collect::<Vec<_>>());
            // The name that the other commands use.
            if line.starts_with("account rename") {
                let all = home.json(&["account", "list"]);
                let first = all["rows"][0]["name"].as_str().unwrap().to_owned();
                home.run(&["account", "rename", &first, "Bank"]);
            }
        }
    }
    look(&home);
}
