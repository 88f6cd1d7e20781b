//! The dashboard in a real terminal: it starts, listens, gives the terminal back at every end, and
//! is silent while nothing changes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::fs::{self, File, OpenOptions};
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
#[cfg(debug_assertions)]
use std::{os::unix::fs::PermissionsExt, path::PathBuf};

use portable_pty::{PtySize, native_pty_system};
use rustix::fs::FlockOperation;
use rustix::process::Signal;
use support::home::{Home, PROGRAM};
use support::jar::{
    ACCOUNT, AMOUNT, AMOUNT_SHOWN, CTRL_L, CTRL_Z, TABS, deposit, home, home_with, words,
};
use support::postgres::postgres_url;
use support::terminal::{Left, Terminal, dashtam, script, wait};

const CTRL_C: &str = "\x03";
/// Each pane, the one that is open at first last.
const PANES: [(&str, &str); 9] = [
    ("1", "1 Accounts"),
    ("2", "2 Holdings"),
    ("3", "3 Transactions"),
    ("4", "4 Chart"),
    ("5", "5 Performance"),
    ("6", "6 Allocation"),
    ("7", "7 Income"),
    ("9", "9 Imports"),
    ("0", TABS),
];
/// Flags for a store on each engine there is.
fn stores() -> Vec<String> {
    let server = postgres_url().map(|url| {
        let joint = if url.contains('?') { '&' } else { '?' };
        format!("--database {url}{joint}sslmode=disable")
    });
    [Some(String::new()), server].into_iter().flatten().collect()
}

/// The numbers of every SGR sequence.
fn sgr(bytes: &[u8]) -> Vec<u32> {
    let text = String::from_utf8_lossy(bytes);
    let mut found = Vec::new();
    for rest in text.split("\x1b[").skip(1) {
        let Some((numbers, _)) = rest.split_once('m') else { continue };
        if numbers.chars().all(|c| c.is_ascii_digit() || c == ';' || c == ':') {
            found.extend(numbers.split([';', ':']).filter_map(|n| n.parse::<u32>().ok()));
        }
    }
    found
}

const fn is_colour(number: u32) -> bool {
    matches!(number, 30..=38 | 40..=48 | 58 | 90..=97 | 100..=107)
}

// ---- start and navigation

#[test]
fn keys_go_from_pane_to_pane() {
    let home = home();
    let mut terminal = Terminal::dashtam(&home, "", AMOUNT_SHOWN);
    assert!(!terminal.has_first_modes(), "keys come one by one");
    terminal.until("the modes of a dashboard", |screen| {
        screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste()
    });
    terminal.press("3");
    terminal.see("pickled");
    terminal.press("1");
    terminal.see_no_more("pickled");
    terminal.see(ACCOUNT);
    terminal.press("\x0f");
    terminal.see("pickled");
    terminal.press("?");
    terminal.see("Show the keys of this pane");
    terminal.press("\x1b");
    terminal.see_no_more("Show the keys of this pane");
    terminal.press("q");
    terminal.end().with_code(0).restored();
}

#[test]
fn the_demo_opens_and_leaves_nothing() {
    let home = Home::new();
    let mut terminal = Terminal::dashtam(&home, "--demo", "Everyday Checking");
    assert!(!entries(home.root.path()).is_empty(), "its store is in a temporary folder");
    terminal.press("q");
    terminal.end().with_code(0).restored();
    assert_eq!(entries(home.root.path()), [""; 0]);
}

#[test]
fn a_demo_that_is_only_read_asks_no_provider() {
    let home = Home::new();
    let mut terminal = Terminal::dashtam(&home, "--demo --read-only", "Everyday Checking");
    // The demo's first round is over within a second.
    std::thread::sleep(Duration::from_secs(3));
    terminal.see("Everyday Checking");
    assert!(!terminal.text().contains("live"), "{}", terminal.text());
    terminal.press("q");
    terminal.end().with_code(0).restored();
}

#[test]
fn figures_of_the_demo_move_without_a_key() {
    let home = Home::new();
    let mut terminal = Terminal::dashtam(&home, "--demo", "Everyday Checking");
    terminal.see("● live ");
    let worth = || {
        let text = terminal.text();
        let line = text.lines().find(|line| line.starts_with("│1,")).unwrap_or_default();
        line.split(" USD").next().unwrap_or_default().to_owned()
    };
    let first = worth();
    assert!(!first.is_empty());
    wait("another net worth", || !worth().is_empty() && worth() != first);
    let second = worth();
    wait("and another one", || !worth().is_empty() && worth() != second);
    // A row comes every twenty seconds.
    terminal.press("3");
    let rows = || {
        let text = terminal.text();
        let (_, count) = text.split_once(" of ").unwrap_or_default();
        count.split_whitespace().next().and_then(|count| count.parse::<u32>().ok())
    };
    wait("the transactions", || rows().is_some());
    let first = rows().unwrap();
    wait("another row", || rows().is_some_and(|rows| rows > first));
    terminal.press("r");
    terminal.see("12 of 14 prices");
    terminal.press("q");
    terminal.end().with_code(0).restored();
    assert_eq!(entries(home.root.path()), [""; 0]);
}

#[test]
fn a_store_without_connections_refreshes_nothing_and_says_nothing_of_it() {
    let home = home();
    let mut terminal = Terminal::dashtam(&home, "", AMOUNT_SHOWN);
    terminal.press("r");
    assert!(terminal.silent_for(Duration::from_secs(3)));
    let text = terminal.text();
    assert!(!text.contains("live") && !text.contains("refreshing"), "{text}");
    terminal.press("q");
    terminal.end().with_code(0).restored();
}

#[test]
fn the_doors_of_the_welcome_lead_somewhere() {
    let home = Home::new();
    home.rows("rows.csv", &["2026-01-05,Tin Box,DEPOSIT,,,,,USD,41.5"]);
    let mut terminal = Terminal::dashtam(&home, "", "Welcome");
    terminal.see("totals in");
    terminal.press("\x1b");
    terminal.see_no_more("totals in");
    terminal.press("j\r");
    terminal.see(":import");
    terminal.press("nowhere.csv\r");
    terminal.see("check the name");
    terminal.press(":import r\t");
    terminal.see(":import rows.csv");
    terminal.press("\r");
    terminal.see("1 new");
    terminal.see("Tin Box");
    terminal.press(":account add Glass Jar savings usd\r");
    terminal.see("Glass Jar");
    terminal.press("q");
    terminal.end().with_code(0).restored();
    assert_eq!(home.account("Tin Box")["value"], "41.5");
    assert_eq!(home.account("Glass Jar")["kind"], "savings");
}

#[test]
fn a_first_run_goes_from_an_empty_store_to_a_recorded_trade() {
    let home = Home::new();
    let mut terminal = Terminal::dashtam(&home, "", "Welcome");
    terminal.see("totals in");
    terminal.press("CAD\r");
    terminal.press("\r");
    terminal.see("choose a door");
    terminal.press("jj\r");
    terminal.see("Add an account");
    terminal.press("Jar\x13");
    terminal.see("added the account");
    terminal.see("Without institution");
    terminal.press("a");
    terminal.see("Add a transaction");
    terminal.press("\r\r\rXEQT\r10\r");
    terminal.see("price of one");
    terminal.press("34.12\x13");
    terminal.see("z takes it back");
    terminal.press("2");
    terminal.see("XEQT");
    terminal.press("z");
    terminal.see("taken back");
    terminal.see_no_more("XEQT");
    terminal.press("Z");
    terminal.see("XEQT");
    terminal.press("q");
    terminal.end().with_code(0).restored();
    let rows = home.transactions();
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["amount"], &rows[0]["currency"]), (&"-341.2".into(), &"CAD".into()));
    assert_eq!(home.account("Jar")["kind"], "brokerage");
    // What was asked is asked once.
    let mut again = Terminal::dashtam(&home, "", "Jar");
    again.press("q");
    again.end().with_code(0).restored();
}

#[test]
fn the_demo_opens_in_place_of_an_empty_store_and_leaves_nothing_in_it() {
    let home = Home::new();
    let mut terminal = Terminal::dashtam(&home, "", "Welcome");
    terminal.see("totals in");
    terminal.press("\x1b");
    terminal.see_no_more("totals in");
    terminal.press("\r");
    terminal.see("Everyday Checking");
    terminal.press("q");
    terminal.end().with_code(0).restored();
    assert!(home.transactions().is_empty());
}

#[test]
fn amounts_that_were_hidden_are_never_seen_at_the_next_start() {
    let home = home();
    let ends = |mut terminal: Terminal| {
        terminal.press("q");
        terminal.end()
    };
    let mut first = Terminal::dashtam(&home, "", AMOUNT_SHOWN);
    first.press("p");
    first.see_no_more(AMOUNT_SHOWN);
    ends(first);
    let is_seen = |left: &Left| String::from_utf8_lossy(&left.bytes).contains(AMOUNT_SHOWN);
    assert!(!is_seen(&ends(Terminal::dashtam(&home, "", ACCOUNT))));
    // Who only looks shows them for now, and changes nothing for others.
    let mut looking = Terminal::dashtam(&home, "--read-only", ACCOUNT);
    looking.press("p");
    looking.see(AMOUNT_SHOWN);
    ends(looking);
    assert!(!is_seen(&ends(Terminal::dashtam(&home, "", ACCOUNT))));
}

fn entries(folder: &Path) -> Vec<String> {
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    fs::read_dir(folder).unwrap().map(|entry| name(entry.unwrap())).collect()
}

#[test]
fn a_storm_of_sizes_ends_in_the_last_one() {
    let home = home();
    let mut terminal = Terminal::dashtam(&home, "", AMOUNT_SHOWN);
    let mut size = 1u32;
    for round in 0..400u32 {
        size = size.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        let (cols, rows) = ((size >> 16) % 300 + 1, (size >> 8) % 100 + 1);
        let (cols, rows) = if round % 40 == 0 { (1, 1) } else { (cols, rows) };
        terminal.resize_behind_its_back((cols.try_into().unwrap(), rows.try_into().unwrap()));
        if round % 50 == 0 {
            terminal.press("\t");
        }
    }
    terminal.press("0");
    terminal.resize((90, 25));
    terminal.press(CTRL_L);
    terminal.until("a screen of the last size", |screen| {
        let rows: Vec<String> = screen.rows(0, 90).collect();
        rows[0].contains(TABS) && rows[24].contains("help") && screen.contents().contains(ACCOUNT)
    });
    terminal.press("q");
    terminal.end().with_code(0).restored();
}

#[test]
fn pasted_text_is_never_a_command() {
    let home = home();
    let mut terminal = Terminal::dashtam(&home, "", AMOUNT_SHOWN);
    let line = "q\r:quit\r\x03\x1b[A\x1a\x1b:q\r";
    let paste = format!("\x1b[200~{}\x1b[201~", line.repeat((1 << 20) / line.len()));
    // With no line to paste into, and into one.
    terminal.press(&paste);
    terminal.see("no line to paste into");
    terminal.press("3/");
    terminal.press(&paste);
    terminal.see("q :quit");
    terminal.press("\x1b");
    terminal.see_no_more(":quit");
    terminal.see("pickled");
    terminal.press("q");
    terminal.end().with_code(0).restored();
}

#[test]
fn a_key_that_was_held_is_heard_to_its_end() {
    let home = home();
    let mut terminal = Terminal::dashtam(&home, "", AMOUNT_SHOWN);
    // More than one reading of the terminal takes, and nothing behind it to wake the reader.
    terminal.press(&format!("{}3", "j".repeat(3_000)));
    terminal.see("pickled");
    terminal.press("q");
    terminal.end().with_code(0).restored();
}

/// The words of a screen that are not as they were: each with all that stands close to it.
fn changed_words(before: &str, after: &str) -> usize {
    let line = |(before, after): (&str, &str)| {
        let (before, after): (Vec<_>, Vec<_>) = (before.chars().collect(), after.chars().collect());
        let at = |line: &[char], place: usize| line.get(place).copied().unwrap_or(' ');
        let (mut words, mut inside, mut differs) = (0, false, false);
        for place in 0..=before.len().max(after.len()) {
            let (old, new) = (at(&before, place), at(&after, place));
            let was_inside = std::mem::replace(&mut inside, old != ' ' || new != ' ');
            differs |= old != new;
            if was_inside && !inside && std::mem::take(&mut differs) {
                words += 1;
            }
        }
        words
    };
    before.lines().zip(after.lines()).map(line).sum()
}

#[test]
fn quotes_cost_what_they_change() {
    let home = Home::new();
    let symbols: Vec<_> = (0..30).map(|number| format!("Q{number:02}")).collect();
    let buys: Vec<_> = symbols
        .iter()
        .map(|symbol| format!("2024-01-02,Broker,BUY,{symbol},10,50,0,USD,-500"))
        .collect();
    let prices = |name: &str, day: &str, price: u32, symbols: &[String]| {
        let rows: Vec<_> =
            symbols.iter().map(|symbol| format!("{day},{symbol},{price}.25,USD")).collect();
        let file = home.file(name, &format!("date,symbol,close,currency\n{}\n", rows.join("\n")));
        home.ok(&["import", &file]);
    };
    let rows: Vec<_> = buys.iter().map(String::as_str).collect();
    home.ok(&["import", &home.rows("buys.csv", &rows)]);
    prices("first.csv", "2024-02-01", 60, &symbols);
    let mut terminal = Terminal::dashtam(&home, "", "Broker");
    terminal.press("2");
    terminal.see("60.25");
    for (number, of) in [1, 5, 30].into_iter().enumerate() {
        assert!(terminal.silent_for(Duration::from_secs(1)), "it never settles");
        let (before, written) = (terminal.text(), terminal.written());
        let (price, day) =
            (61 + u32::try_from(number).unwrap(), format!("2024-02-0{}", number + 2));
        prices(&format!("{price}.csv"), &day, price, &symbols[30 - of..]);
        wait("a quote", || terminal.written() > written);
        assert!(terminal.silent_for(Duration::from_secs(1)), "it never settles");
        let (cells, bytes) =
            (changed_words(&before, &terminal.text()), terminal.written() - written);
        assert!(cells >= of.min(20), "{of} quotes change {cells} cells of\n{}", terminal.text());
        assert!(bytes <= 200 + 25 * cells, "{of} quotes: {bytes} bytes for {cells} cells");
    }
    terminal.press("q");
    terminal.end().with_code(0).restored();
}

// ---- before there is a store

/// A dashboard that waits for a store which somebody else is just making or migrating; while the
/// file is held.
#[test]
fn a_step_costs_two_rows_and_the_detail_follows() {
    // As much as half again of what a list by itself needs for a row of this width. Half of the
    // steps may take more: on some days of the week a price of the demo is marked as old.
    const MOST: usize = 420;
    let home = Home::new();
    let mut terminal = Terminal::dashtam(&home, "--demo --read-only", "Everyday Checking");
    // What was said of a choice goes with the next key.
    for pane in ["1", "2", "3", "5ook", "7", "gh"] {
        terminal.press(pane);
        let mut echoes: Vec<_> = (0..7)
            .map(|_| {
                assert!(terminal.silent_for(Duration::from_secs(1)), "it never settles");
                let before = terminal.written();
                terminal.press("j");
                wait("an echo", || terminal.first_frame_since(before).is_some());
                let echo = terminal.first_frame_since(before).unwrap();
                wait("the detail", || terminal.written() > before + echo);
                echo
            })
            .collect();
        echoes.sort_unstable();
        assert!(echoes[3] <= MOST && echoes[6] <= 2 * MOST, "{pane}: {echoes:?} bytes");
    }
    terminal.press("q");
    terminal.end().with_code(0).restored();
}

fn waits_for_store(home: &Home) -> (Terminal, File) {
    let lock = File::open(home.data().join("dashtam.lock")).unwrap();
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).unwrap();
    let terminal = Terminal::dashtam(home, "", "opening the store");
    assert!(terminal.text().contains(TABS));
    (terminal, lock)
}

/// The dashboard goes at once, whatever it waits for.
#[track_caller]
fn ends_soon(terminal: &mut Terminal) -> Left {
    let start = Instant::now();
    let left = terminal.end();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    left
}

#[test]
fn the_screen_is_there_before_the_store() {
    let home = home();
    let (mut terminal, lock) = waits_for_store(&home);
    // Keys are heard; what they ask for waits.
    terminal.press("3");
    terminal.until("another pane", |screen| reversed(screen).contains("Transactions"));
    terminal.press("?");
    terminal.see("Show the keys of this pane");
    terminal.press("\x1b");
    terminal.see_no_more("Show the keys of this pane");
    drop(lock);
    terminal.see("pickled");
    assert!(!terminal.text().contains("opening"));
    terminal.press("q");
    terminal.end().with_code(0).restored();
}

#[test]
fn nobody_must_wait_for_a_store() {
    let home = home();
    for (signal, code) in [(None, 0), (Some(Signal::TERM), 143)] {
        let (mut terminal, lock) = waits_for_store(&home);
        match signal {
            Some(signal) => terminal.signal(signal),
            None => terminal.press("q"),
        }
        ends_soon(&mut terminal).with_code(code).restored();
        drop(lock);
    }
    // A server that takes the call and says nothing.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let line = format!("--database postgres://x@127.0.0.1:{port}/x?sslmode=disable");
    for key in ["q", CTRL_C] {
        let mut terminal = Terminal::dashtam(&home, &line, "opening the store");
        terminal.press(key);
        ends_soon(&mut terminal).with_code(0).restored();
    }
}

#[test]
fn a_demo_that_is_left_at_once_leaves_nothing() {
    let home = Home::new();
    let mut terminal = Terminal::dashtam(&home, "--demo", TABS);
    terminal.press("q");
    ends_soon(&mut terminal).with_code(0).restored();
    assert_eq!(entries(home.root.path()), [""; 0]);
}

#[test]
fn a_store_that_cannot_be_opened_is_an_error_as_any_other() {
    let home = home();
    fs::write(home.data().join("dashtam.db"), "this is no database, whatever its name says")
        .unwrap();
    let said = home.run(&["report", "accounts"]);
    let left = Terminal::run(dashtam(&home, "")).end();
    left.with_code(u32::try_from(said.code.unwrap()).unwrap()).restored();
    let line = left.text.replace('\n', "");
    assert!(line.contains("dashtam: ") && said.err.contains(line.trim()), "{line} {}", said.err);
}

// ---- ends

#[test]
fn keys_end_it_and_nothing_stays_behind() {
    for key in ["q", CTRL_C, ":quit\r", "/abc\x03"] {
        let home = home();
        let mut terminal = Terminal::dashtam(&home, "", AMOUNT_SHOWN);
        terminal.press(key);
        let left = terminal.end();
        left.with_code(0).restored();
        assert_eq!(left.text, "", "{key:?}: the main screen is as it was");
        assert!(!String::from_utf8_lossy(&left.bytes).contains("\x1b]"), "no title was set");
    }
}

#[test]
fn signals_end_it_with_their_number() {
    let home = home();
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        let mut terminal = Terminal::dashtam(&home, "", AMOUNT_SHOWN);
        terminal.signal(signal);
        let left = terminal.end();
        left.with_code(128 + u32::try_from(signal.as_raw()).unwrap()).restored();
        assert_eq!(left.text, "", "the main screen is as it was");
    }
}

/// Closes the window of a dashboard, which must then go at once and without much ado.
fn ends_when_hung_up(controlling: bool) {
    let home = home();
    let mut command = dashtam(&home, "");
    command.set_controlling_tty(controlling);
    let mut terminal = Terminal::run(command);
    terminal.see(AMOUNT_SHOWN);
    let (_, before) = terminal.state_and_work();
    terminal.hang_up();
    let start = Instant::now();
    wait("the end of the process", || terminal.state_and_work().0 == 'Z');
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    let work = terminal.state_and_work().1.saturating_sub(before);
    assert!(work <= Duration::from_millis(500), "it computed for {work:?}");
}

#[test]
fn a_closed_window_ends_it() {
    ends_when_hung_up(true);
}

#[test]
fn a_lost_line_ends_it_without_a_signal() {
    ends_when_hung_up(false);
}

// ---- our own mistakes, which only a debug build makes when it is asked

/// A machine, and a folder in which a test puts the places where the program is to panic.
#[cfg(debug_assertions)]
fn faulty() -> (Home, PathBuf) {
    let home = home();
    let faults = home.path("faults");
    fs::create_dir(&faults).unwrap();
    (home, faults)
}

#[cfg(debug_assertions)]
fn faulty_dashtam(home: &Home, faults: &Path) -> Terminal {
    let mut command = dashtam(home, "");
    command.env("DASHTAM_TEST_FAULTS", faults);
    Terminal::run(command)
}

/// What was said after the end, and the report that it names, which tells nothing of what is
/// stored.
#[cfg(debug_assertions)]
#[track_caller]
fn report_after(left: &Left) -> String {
    left.restored();
    let said = left.text.replace('\n', "");
    assert!(said.starts_with("dashtam: ") && said.matches("dashtam: ").count() == 1, "{said}");
    let path = said.split(": ").last().unwrap().trim();
    let report = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}\n{said}"));
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    for secret in [ACCOUNT, AMOUNT, AMOUNT_SHOWN, "pickled", "canary", "faults"] {
        assert!(!report.contains(secret), "{secret} in {report}");
        assert!(!said.contains(secret), "{secret} in {said}");
    }
    assert!(report.contains("src/fault.rs") && report.contains(env!("CARGO_PKG_VERSION")));
    report
}

#[cfg(debug_assertions)]
#[test]
fn a_panic_gives_the_terminal_back_and_says_where_its_report_is() {
    for (place, frame) in [("draw", "dashtam::tui::"), ("key", "dashtam::tui::")] {
        let (home, faults) = faulty();
        let mut terminal = faulty_dashtam(&home, &faults);
        terminal.see(AMOUNT_SHOWN);
        fs::create_dir(faults.join(place)).unwrap();
        terminal.press("j");
        let left = terminal.end();
        left.with_code(1);
        let report = report_after(&left);
        assert!(report.contains(frame), "{report}");
    }
}

#[cfg(debug_assertions)]
#[test]
fn a_panic_before_there_is_a_store_is_told_as_well() {
    let (home, faults) = faulty();
    fs::write(faults.join("opening"), "").unwrap();
    let left = faulty_dashtam(&home, &faults).end();
    left.with_code(1);
    let report = report_after(&left);
    assert!(report.contains("task      opening"), "{report}");
}

#[cfg(debug_assertions)]
#[test]
fn a_task_that_panics_begins_anew_under_a_living_screen() {
    let (home, faults) = faulty();
    let mut terminal = faulty_dashtam(&home, &faults);
    terminal.see(AMOUNT_SHOWN);
    terminal.press("3");
    terminal.see("pickled");
    // Once.
    fs::write(faults.join("refresh"), "").unwrap();
    deposit(&home, "", "1.23", "a late guest");
    terminal.see("begun anew");
    terminal.see("a late guest");
    // Again and again.
    fs::create_dir(faults.join("refresh")).unwrap();
    deposit(&home, "", "2.34", "a later guest");
    terminal.see("again and again");
    terminal.press("?");
    terminal.see("Show the keys of this pane");
    terminal.press("\x1b");
    terminal.see_no_more("Show the keys of this pane");
    fs::remove_dir(faults.join("refresh")).unwrap();
    terminal.press("r");
    terminal.see("a later guest");
    terminal.see_no_more("again and again");
    terminal.press("q");
    let left = terminal.end();
    left.with_code(0);
    assert!(report_after(&left).contains("task      keeper"));
}

#[cfg(debug_assertions)]
#[test]
fn a_question_that_panics_is_the_only_one_without_an_answer() {
    let (home, faults) = faulty();
    let mut terminal = faulty_dashtam(&home, &faults);
    terminal.see(AMOUNT_SHOWN);
    assert!(terminal.silent_for(Duration::from_millis(500)));
    fs::write(faults.join("answer"), "").unwrap();
    terminal.press("3");
    terminal.see("could not be worked out");
    terminal.press("1");
    terminal.see(ACCOUNT);
    // The next time it goes well.
    deposit(&home, "", "1.23", "a late guest");
    terminal.press("3");
    terminal.see("a late guest");
    terminal.press("q");
    let left = terminal.end();
    left.with_code(0);
    report_after(&left);
}

// ---- a terminal that takes nothing

/// A dashboard that draws for somebody who does not look.
fn stalled(home: &Home) -> Terminal {
    let mut terminal = Terminal::dashtam(home, "", AMOUNT_SHOWN);
    terminal.stall();
    // More frames than the system keeps between the two ends: then one more changes nothing.
    wait("a writer that cannot go on", || {
        let before = terminal.wakes_of("painter");
        terminal.press(CTRL_L);
        std::thread::sleep(Duration::from_millis(200));
        terminal.wakes_of("painter") == before
    });
    terminal
}

#[test]
fn a_terminal_that_takes_nothing_holds_up_no_end() {
    let home = home();
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut terminal = stalled(&home);
        terminal.signal(signal);
        ends_soon(&mut terminal).with_code(code).restored();
    }
    let mut terminal = stalled(&home);
    terminal.press("q");
    ends_soon(&mut terminal).with_code(0).restored();
    // The line breaks after it has stood still.
    let mut terminal = stalled(&home);
    let (_, before) = terminal.state_and_work();
    terminal.hang_up();
    let start = Instant::now();
    wait("the end of the process", || terminal.state_and_work().0 == 'Z');
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    let work = terminal.state_and_work().1.saturating_sub(before);
    assert!(work <= Duration::from_millis(500), "it computed for {work:?}");
}

#[test]
fn a_terminal_that_goes_on_shows_the_newest() {
    let home = home();
    let mut terminal = stalled(&home);
    let before = terminal.memory();
    for _ in 0..500 {
        terminal.press("12");
    }
    terminal.press("3");
    deposit(&home, "", "1.23", "a late guest");
    // What it cannot write must not be kept.
    let grown = terminal.memory().saturating_sub(before);
    assert!(grown < 8 << 10, "{grown} KiB more");
    assert!(!terminal.text().contains("pickled"));
    terminal.go_on();
    terminal.see("pickled");
    terminal.see("a late guest");
    terminal.press("q");
    terminal.end().with_code(0).restored();
}

// ---- standing still

#[test]
fn ctrl_z_goes_to_the_shell_and_fg_comes_back() {
    let home = home();
    let shell = "\"$0\"; echo \"stopped: $?\"; read x; fg; echo \"stopped: $?\"; read x; fg; \
                 echo \"ended: $?\"";
    let mut terminal = Terminal::run(script(&home, shell));
    let stopped = |terminal: &Terminal, times: usize| {
        terminal.until("the shell", |screen| {
            let told = screen.contents().matches("stopped: 14").count();
            !screen.alternate_screen() && !screen.hide_cursor() && told == times
        });
        assert!(terminal.has_first_modes());
        assert!(!terminal.text().contains(AMOUNT_SHOWN));
    };
    terminal.see(AMOUNT_SHOWN);
    terminal.press(CTRL_Z);
    stopped(&terminal, 1);
    // Another size while it stands still, which nobody tells it of.
    terminal.resize((100, 30));
    let written = terminal.written();
    terminal.press("\r");
    terminal.until("the dashboard again", |screen| {
        let rows: Vec<String> = screen.rows(0, 100).collect();
        let (top, bottom) = (&rows[0], &rows[29]);
        screen.alternate_screen() && top.contains(TABS) && bottom.contains("help")
    });
    terminal.see(AMOUNT_SHOWN);
    terminal.until_raw();
    assert!(terminal.drawn_since(written).contains(ACCOUNT), "all of it is drawn again");
    // The same when somebody else stops it.
    terminal.signal_foreground(Signal::TSTP);
    stopped(&terminal, 2);
    terminal.press("\r");
    terminal.until("the dashboard again", |screen| {
        screen.alternate_screen() && screen.contents().contains(AMOUNT_SHOWN)
    });
    terminal.press("q");
    terminal.see("ended: 0");
    terminal.end().with_code(0).restored();
}

#[test]
fn where_there_is_no_shell_nothing_stands_still() {
    let home = home();
    let mut terminal = Terminal::dashtam(&home, "", AMOUNT_SHOWN);
    terminal.press(CTRL_Z);
    terminal.see("no shell");
    // Stopped without being asked, it comes back to a screen of which it knows nothing.
    terminal.signal(Signal::STOP);
    wait("standing still", || terminal.state_and_work().0 == 'T');
    let written = terminal.written();
    terminal.signal(Signal::CONT);
    wait("a whole frame", || {
        let again = terminal.drawn_since(written);
        again.contains(AMOUNT_SHOWN) && again.contains(ACCOUNT)
    });
    terminal.press("q");
    terminal.end().with_code(0).restored();
}

// ---- terminals that will not do

#[test]
fn a_terminal_that_cannot_do_it_is_told_so() {
    let home = Home::new();
    for term in [Some("dumb"), Some(""), None] {
        let mut command = dashtam(&home, "");
        match term {
            Some(term) => command.env("TERM", term),
            None => command.env_remove("TERM"),
        }
        let left = Terminal::run(command).end();
        left.with_code(2).restored();
        assert!(!left.bytes.contains(&0x1b), "not one escape byte: {}", left.text);
        assert!(left.text.contains("TERM") && left.text.contains("--help"), "{}", left.text);
    }
}

#[test]
fn without_a_terminal_at_both_ends_there_is_none() {
    let home = Home::new();
    let pair = native_pty_system().openpty(PtySize::default()).unwrap();
    let path = pair.master.tty_name().unwrap();
    let tty = || -> Stdio {
        let flags = i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).unwrap();
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(flags).open(&path).unwrap().into()
    };
    let cases = [(tty(), Stdio::piped()), (Stdio::null(), tty()), (Stdio::null(), Stdio::piped())];
    for (stdin, stdout) in cases {
        let mut command = Command::new(PROGRAM);
        command.env_clear().env("HOME", home.root.path()).env("TERM", "xterm-256color");
        command.env("DASHTAM_DATA_DIR", home.data());
        command.stdin(stdin).stdout(stdout).stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(output.stdout.is_empty() && !output.stderr.contains(&0x1b), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("needs a terminal") && said.contains("--help"), "{said}");
    }
}

/// Everything that is written while one goes through all panes.
fn through_all_panes(home: &Home, variables: &[(&str, &str)]) -> Left {
    let mut command = dashtam(home, "");
    for (name, value) in variables {
        command.env(name, value);
    }
    let mut terminal = Terminal::run(command);
    terminal.see(ACCOUNT);
    for (key, tab) in PANES {
        terminal.press(key);
        terminal.until(tab, |screen| reversed(screen).contains(tab));
    }
    terminal.press("?");
    terminal.see("Show the keys of this pane");
    // Not at once, which would be Alt-q.
    terminal.press("\x1b");
    terminal.see_no_more("Show the keys of this pane");
    terminal.press("q");
    terminal.end()
}

/// What is shown reversed on the first line: the open tab.
fn reversed(screen: &vt100::Screen) -> String {
    let cells = (0..screen.size().1).filter_map(|column| screen.cell(0, column));
    cells.filter(|cell| cell.inverse()).map(vt100::Cell::contents).collect()
}

#[test]
fn colours_are_left_out_where_they_are_not_wanted() {
    let home = home();
    let colours = |variables: &[(&str, &str)]| -> Vec<u32> {
        let left = through_all_panes(&home, variables);
        left.with_code(0).restored();
        sgr(&left.bytes).into_iter().filter(|number| is_colour(*number)).collect()
    };
    assert_ne!(colours(&[]), [0; 0], "with colours the check finds some");
    assert_eq!(colours(&[("NO_COLOR", "1")]), [0; 0]);
}

#[test]
fn where_only_ascii_is_understood_nothing_else_is_written() {
    let home = home();
    let left = through_all_panes(&home, &[("LANG", "C")]);
    left.with_code(0).restored();
    assert!(left.bytes.is_ascii());
    assert!(!through_all_panes(&home, &[]).bytes.is_ascii(), "elsewhere there are finer lines");
}

// ---- silence, and others on the same store

#[test]
fn while_nothing_changes_nothing_happens() {
    let stores = stores();
    let homes: Vec<Home> = stores.iter().map(|store| home_with(store)).collect();
    let open = |(home, store): (&Home, &String)| Terminal::dashtam(home, store, AMOUNT_SHOWN);
    let mut terminals: Vec<Terminal> = homes.iter().zip(&stores).map(open).collect();
    for terminal in &terminals {
        assert!(terminal.silent_for(Duration::from_secs(3)), "it never settles");
    }
    let now = |terminals: &[Terminal]| -> Vec<_> {
        terminals.iter().map(|it| (it.written(), it.wakes_and_work())).collect()
    };
    // What a machine that is busy with other tests charges a process with is no work of its own.
    for is_last in [false, false, true] {
        let before = now(&terminals);
        // This time is not a hope: it is what is tested.
        std::thread::sleep(Duration::from_secs(10));
        let mut most = Duration::ZERO;
        for ((was, before), (is, after)) in before.into_iter().zip(now(&terminals)) {
            assert_eq!(is, was);
            // A thread that has ended took its wake-ups with it.
            let wakes = after.0.saturating_sub(before.0);
            assert!(wakes <= 20, "{wakes} wake-ups");
            most = most.max(after.1.saturating_sub(before.1));
        }
        if most <= Duration::from_millis(10) {
            break;
        }
        assert!(!is_last, "it computed for {most:?}");
    }
    for terminal in &mut terminals {
        terminal.press("q");
        terminal.end().with_code(0).restored();
    }
}

#[test]
fn all_sessions_on_a_store_see_what_one_of_them_writes() {
    for store in stores() {
        let home = home_with(&store);
        let kinds = ["", "", "--read-only"];
        let mut terminals =
            kinds.map(|kind| Terminal::dashtam(&home, &format!("{store} {kind}"), AMOUNT_SHOWN));
        for terminal in &mut terminals {
            terminal.press("3");
            terminal.see("pickled");
        }
        let see = |what: &str, since: Instant| {
            for terminal in &terminals {
                terminal.see(what);
            }
            // Twice the second that it should take at most, and as much again for a busy machine.
            assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
        };
        deposit(&home, &store, "1.23", "a late guest");
        see("a late guest", Instant::now());
        let row = format!("2024-01-03,{ACCOUNT},DEPOSIT,,,,,USD,4.56");
        let file = home.rows("more.csv", &[&row]);
        home.ok(&[&words(&store)[..], &["import", &file]].concat());
        see("4.56", Instant::now());
        for mut terminal in terminals {
            assert!(!terminal.text().contains("cannot read"));
            terminal.press("q");
            terminal.end().with_code(0).restored();
        }
    }
}

#[test]
fn to_look_changes_nothing() {
    let home = home();
    let before = contents(&home);
    let mut terminal = Terminal::dashtam(&home, "--read-only", AMOUNT_SHOWN);
    terminal.see("read-only");
    terminal.press("3");
    terminal.see("pickled");
    terminal.press("q");
    terminal.end().with_code(0).restored();
    assert_eq!(contents(&home), before);
}

/// The files of the store, and what is in them.
fn contents(home: &Home) -> Vec<(String, Vec<u8>)> {
    let mut names = entries(&home.data());
    names.sort();
    let files = names.into_iter().filter(|name| home.data().join(name).is_file());
    files.map(|name| (name.clone(), fs::read(home.data().join(name)).unwrap())).collect()
}

#[test]
fn who_begins_in_private_shows_no_amount() {
    let home = home();
    let mut terminal = Terminal::dashtam(&home, "--private", "private");
    terminal.see(ACCOUNT);
    for (key, tab) in PANES {
        terminal.press(key);
        terminal.until(tab, |screen| reversed(screen).contains(tab));
        assert!(terminal.silent_for(Duration::from_millis(300)));
        assert!(!terminal.text().contains("77"), "{}", terminal.text());
    }
    terminal.press("p");
    terminal.see(AMOUNT_SHOWN);
    terminal.press("q");
    terminal.end().with_code(0).restored();
}
