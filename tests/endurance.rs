//! The dashboard under what happens again and again: storms of sizes, lines that break, stops,
//! signals, panics. A few of each by default; as many as there must be where `DASHTAM_FULL=1`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test"
)]

mod support;

use std::collections::BTreeMap;
#[cfg(debug_assertions)]
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dashtam::clock::Clock;
use dashtam::config::{Config, Environment, Overrides};
use dashtam::ledger;
use dashtam::model::{OpId, SafeText};
use dashtam::service::{Access, Session};
use rustix::process::Signal;
use support::home::{Home, PROGRAM};
use support::jar::{ACCOUNT, AMOUNT_SHOWN, CTRL_L, CTRL_Z, TABS, home};
use support::terminal::{Terminal, dashtam, script, wait};

/// What a frame begins with.
const FRAME: &[u8] = b"\x1b[?2026h";

fn is_full() -> bool {
    std::env::var("DASHTAM_FULL").is_ok_and(|value| value == "1")
}

/// How often something is done: so often where all of it is to be seen, else a few times.
fn times(full: u32, few: u32) -> u32 {
    if is_full() { full } else { few }
}

/// How long something may take: a machine with nothing else to do keeps the first.
fn within(full: u64, busy: u64) -> Duration {
    Duration::from_millis(if is_full() { full } else { busy })
}

/// The machine with a connection that always has something new to tell.
fn connected_home() -> Home {
    let home = home();
    with_session(&home, async |session| {
        let (label, now) = (SafeText::new("Harbor"), session.clock.now().timestamp_micros());
        ledger::connect(&session.store, "simulated", &label, None, OpId::at(0), now).await.unwrap();
    });
    home
}

/// Opens the store as the program would, which sets right what a crash left.
fn with_session(home: &Home, work: impl AsyncFnOnce(&Session)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let flags = Overrides { data_dir: Some(home.data()), ..Overrides::default() };
        let config = Config::load(&flags, &Environment::default()).unwrap();
        let clock = Clock::system(chrono_tz::UTC);
        let session = Session::open(&config, &clock, Access::Write).await.unwrap();
        work(&session).await;
        session.close().await;
    });
}

/// Numbers that look like chance and are the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Waits for a whole frame of this size; gives how long that took since the size was set.
fn whole_frame(terminal: &Terminal, (cols, rows): (u16, u16)) -> Duration {
    let start = Instant::now();
    terminal.resize((cols, rows));
    terminal.until("a whole frame", |screen| {
        let lines: Vec<String> = screen.rows(0, cols).collect();
        lines[0].contains(TABS)
            && lines[usize::from(rows) - 1].contains("help")
            && screen.contents().contains(ACCOUNT)
    });
    start.elapsed()
}

#[test]
fn every_size_is_survived_and_the_last_is_drawn_at_once() {
    let home = home();
    let mut terminal = Terminal::dashtam(&home, "", AMOUNT_SHOWN);
    for size in [(1, 1), (2, 2), (10, 3), (500, 200), (65535, 1), (1, 1), (90, 25)] {
        terminal.resize_behind_its_back(size);
        terminal.press("\t");
        assert!(terminal.silent_for(Duration::from_millis(50)));
    }
    let mut chance = Chance(80);
    for round in 0..times(10_000, 300) {
        let mut side = |most| u16::try_from(chance.below(most) + 1).unwrap();
        terminal.resize_behind_its_back((side(300), side(100)));
        if round % 100 == 0 {
            terminal.press("\t");
        }
    }
    terminal.press("0");
    terminal.resize((91, 26));
    terminal.press(CTRL_L);
    whole_frame(&terminal, (90, 25));
    let mut took: Vec<_> = (0..9).map(|at| whole_frame(&terminal, (91 + at, 26 + at))).collect();
    took.sort();
    assert!(took[4] <= within(100, 2_000), "{took:?}");
    terminal.press("q");
    terminal.end().with_code(0).restored();
    support::sum_up(&format!(
        "{} sizes of a window, the last drawn in {:?}",
        times(10_000, 300),
        took[4]
    ));
}

#[test]
fn a_storm_of_new_sizes_is_drawn_no_faster_than_anybody_sees() {
    let home = home();
    let mut terminal = Terminal::dashtam(&home, "", AMOUNT_SHOWN);
    let count = times(10_000, 1_500);
    let (_, worked) = terminal.state_and_work();
    let (written, start) = (terminal.written(), Instant::now());
    for number in 0..count {
        let cols = if number % 2 == 0 { 110 } else { 111 };
        terminal.resize_behind_its_back((cols, 35));
        let due = start + Duration::from_millis(u64::from(number));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    let long = start.elapsed();
    // Nothing of it waits to be drawn: a key is heard at once.
    terminal.press("3");
    let pressed = Instant::now();
    terminal.see("pickled");
    let heard = pressed.elapsed();
    let work = terminal.state_and_work().1.saturating_sub(worked);
    let frames = terminal.count_since(written, FRAME);
    assert!(work <= long, "{work:?} of {long:?}");
    let most = long.as_millis() * 60 / 1_000 + 10;
    assert!(u128::try_from(frames).unwrap() <= most, "{frames} frames in {long:?}");
    assert!(heard <= within(200, 2_000), "{heard:?}");
    terminal.press("q");
    terminal.end().with_code(0).restored();
}

/// The line breaks, with a signal and without, while something is being fetched and written.
#[test]
fn a_lost_line_leaves_a_whole_store_and_nobody_behind() {
    let home = connected_home();
    let mut chance = Chance(82);
    for round in 0..times(100, 4) {
        let mut command = dashtam(&home, "");
        command.set_controlling_tty(round % 2 == 0);
        let mut terminal = Terminal::run(command);
        terminal.see(ACCOUNT);
        terminal.press("r");
        std::thread::sleep(Duration::from_millis(chance.below(60)));
        let (_, before) = terminal.state_and_work();
        terminal.hang_up();
        let start = Instant::now();
        wait("the end of the process", || terminal.state_and_work().0 == 'Z');
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        let work = terminal.state_and_work().1.saturating_sub(before);
        // What it has begun is finished, which a debug build takes longer for.
        let most = if cfg!(debug_assertions) { 2_000 } else { 500 };
        assert!(work <= Duration::from_millis(most), "it computed for {work:?}");
        // Nobody holds the lease any more.
        let again = home.run(&["--refresh-only", "--wait", "0", "--json"]);
        assert_eq!(again.code, Some(0), "{}", again.err);
    }
    support::sum_up(&format!("{} lost lines, no row lost or doubled", times(100, 4)));
    assert_eq!(home.run(&["rebuild", "--check"]).code, Some(0));
    with_session(&home, async |session| {
        let mut tx = session.store.write().await.unwrap();
        let mut told = 0;
        for account in tx.accounts().await.unwrap() {
            let rows = tx.transactions_of_account(account.account.id).await.unwrap();
            let mut ids: Vec<_> =
                rows.iter().filter_map(|row| row.transaction.source_id.clone()).collect();
            let all = ids.len();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), all, "a row came twice");
            told += all;
        }
        assert!(told > 0, "something was fetched");
        tx.rollback().await.unwrap();
        // Each attempt has one outcome, and no more.
        let mut open: BTreeMap<String, i32> = BTreeMap::new();
        for row in session.audit().unwrap().rows().await.unwrap() {
            *open.entry(row.op).or_default() += if row.state == "ATTEMPTED" { 1 } else { -1 };
        }
        assert!(!open.is_empty());
        open.retain(|_, balance| *balance != 0);
        assert!(open.is_empty(), "{open:?}");
    });
}

/// Stopped and woken again and again: by the key, from outside, and while something is typed.
#[test]
fn it_stands_still_and_goes_on_as_often_as_one_likes() {
    let home = connected_home();
    let rounds = times(100, 4);
    let shell = format!(
        "\"$0\"; n=0; while [ $n -lt {rounds} ]; do echo \"stopped $n.\"; read x; clear; fg; \
         n=$((n+1)); done; echo \"ended: $?\""
    );
    let mut terminal = Terminal::run(script(&home, &shell));
    terminal.see(AMOUNT_SHOWN);
    for round in 0..rounds {
        let typing = round % 3 == 2;
        match round % 3 {
            0 => terminal.press(CTRL_Z),
            1 => {
                terminal.press("r");
                terminal.signal_foreground(Signal::TSTP);
            }
            _ => {
                terminal.press(":abc");
                terminal.see(":abc");
                terminal.signal_foreground(Signal::TSTP);
            }
        }
        let told = format!("stopped {round}.");
        terminal.until(&told, |screen| {
            let modes =
                screen.alternate_screen() || screen.hide_cursor() || screen.bracketed_paste();
            !modes && screen.contents().contains(&told)
        });
        assert!(terminal.has_first_modes());
        assert!(!terminal.text().contains(AMOUNT_SHOWN));
        let written = terminal.written();
        terminal.press("\r");
        let expected = if typing { ":abc" } else { AMOUNT_SHOWN };
        terminal.until("the dashboard again", |screen| {
            screen.alternate_screen() && screen.contents().contains(expected)
        });
        wait("a whole frame", || {
            let drawn = terminal.drawn_since(written);
            drawn.contains(ACCOUNT) && drawn.contains(TABS)
        });
        if typing {
            terminal.press("\x1b");
            terminal.see_no_more(":abc");
        }
    }
    // What was to be fetched was not lost.
    terminal.press("r");
    terminal.see("live");
    terminal.press("q");
    terminal.see("ended: 0");
    terminal.end().with_code(0).restored();
}

#[test]
fn signals_end_it_within_two_seconds_however_often() {
    let home = home();
    for _ in 0..times(25, 1) {
        for signal in [Signal::TERM, Signal::INT, Signal::QUIT, Signal::HUP] {
            let mut terminal = Terminal::dashtam(&home, "", AMOUNT_SHOWN);
            let start = Instant::now();
            terminal.signal(signal);
            let left = terminal.end();
            assert!(start.elapsed() <= within(2_000, 8_000), "{:?}", start.elapsed());
            left.with_code(128 + u32::try_from(signal.as_raw()).unwrap()).restored();
        }
    }
}

/// As `--refresh-only | head -0` would.
#[test]
fn a_refresh_whose_reader_is_gone_ends_without_a_word() {
    let home = connected_home();
    for _ in 0..times(25, 2) {
        let mut command = Command::new(PROGRAM);
        command.env_clear().env("HOME", home.root.path()).env("DASHTAM_DATA_DIR", home.data());
        command.args(["--refresh-only", "--json"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(141), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

/// Our own mistakes, which only a debug build makes when it is asked.
#[cfg(debug_assertions)]
fn faulty(home: &Home) -> (Terminal, std::path::PathBuf) {
    faulty_with(home, "", AMOUNT_SHOWN)
}

#[cfg(debug_assertions)]
fn faulty_with(home: &Home, flags: &str, seen: &str) -> (Terminal, std::path::PathBuf) {
    let faults = home.path("faults");
    fs::create_dir_all(&faults).unwrap();
    let mut command = dashtam(home, flags);
    command.env("DASHTAM_TEST_FAULTS", &faults);
    let terminal = Terminal::run(command);
    terminal.see(seen);
    (terminal, faults)
}

/// The question of one pane goes on for as long as it likes, and so does one that replaces it.
#[cfg(debug_assertions)]
#[test]
fn a_slow_answer_holds_up_nobody_else() {
    let home = home();
    let (mut terminal, faults) = faulty_with(&home, "--demo", "Everyday Checking");
    let slow = faults.join("slow-Performance");
    for _ in 0..times(20, 2) {
        fs::write(&slow, "").unwrap();
        terminal.press("5");
        terminal.see("reading ...");
        // Another question in its place, and another.
        terminal.press("++-");
        for (pane, seen) in [("4", "Net worth · USD"), ("7", "Received"), ("6", "Weight")] {
            terminal.press(pane);
            terminal.see(seen);
            terminal.see_no_more("reading ...");
        }
        terminal.press("5");
        terminal.see("reading ...");
        fs::remove_file(&slow).unwrap();
        terminal.see("Start value");
        terminal.press("4");
        terminal.see("Net worth · USD");
    }
    terminal.press("q");
    terminal.end().with_code(0).restored();
}

#[cfg(debug_assertions)]
#[test]
fn a_refresh_that_panics_is_told_and_begun_anew() {
    let home = connected_home();
    let (mut terminal, faults) = faulty(&home);
    terminal.see("live");
    for _ in 0..times(20, 2) {
        fs::write(faults.join("round"), "").unwrap();
        terminal.press("r");
        terminal.see("stopped unexpectedly");
        terminal.press("3");
        terminal.see("pickled");
        terminal.press("r");
        terminal.see_no_more("stopped unexpectedly");
        terminal.press("0");
        terminal.see("live");
    }
    terminal.press("q");
    terminal.end().with_code(0).restored();
}

#[cfg(debug_assertions)]
#[test]
fn a_folder_whose_reading_panics_is_told_and_the_screen_stays() {
    let home = home();
    let (mut terminal, faults) = faulty(&home);
    for _ in 0..times(20, 2) {
        fs::write(faults.join("folder"), "").unwrap();
        terminal.press(":import /\t");
        terminal.see("stopped before its end");
        terminal.press("\t");
        terminal.see("tmp/");
        terminal.press("\x1b");
        terminal.see_no_more("tmp/");
    }
    terminal.press("q");
    terminal.end().with_code(0).restored();
}

#[cfg(debug_assertions)]
#[test]
fn days_whose_following_panics_are_told_and_followed_again() {
    let home = home();
    let (mut terminal, faults) = faulty(&home);
    for _ in 0..times(20, 1) {
        fs::create_dir(faults.join("days")).unwrap();
        terminal.press("r");
        terminal.see("the days of accounts could not be worked out");
        terminal.press("3");
        terminal.see("pickled");
        fs::remove_dir(faults.join("days")).unwrap();
        terminal.press("r");
        terminal.see_no_more("the days of accounts");
        terminal.press("0");
        terminal.see(AMOUNT_SHOWN);
    }
    terminal.press("q");
    terminal.end().with_code(0).restored();
}

/// One in the background and one that ends it, at once.
#[cfg(debug_assertions)]
#[test]
fn two_panics_at_once_give_the_terminal_back_once() {
    for _ in 0..times(20, 2) {
        let home = connected_home();
        let (mut terminal, faults) = faulty(&home);
        terminal.see("live");
        for place in ["round", "answer", "key"] {
            fs::create_dir(faults.join(place)).unwrap();
        }
        terminal.press("r");
        let left = terminal.end();
        left.with_code(1).restored();
        assert!(left.text.contains("dashtam: "), "{}", left.text);
        let ends = left.bytes.windows(8).filter(|bytes| *bytes == b"\x1b[?1049l").count();
        assert_eq!(ends, 1);
    }
}
