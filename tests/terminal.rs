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

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use portable_pty::{PtySize, native_pty_system};
use rustix::process::Signal;
use support::home::{Home, PROGRAM};
use support::terminal::{Left, Terminal, dashtam, script, wait};

const CTRL_C: &str = "\x03";
const CTRL_L: &str = "\x0c";
const CTRL_Z: &str = "\x1a";
/// What is seen once the first frame is there.
const TABS: &str = "0 Overview";
/// Each pane, the one that is open at first last.
const PANES: [(&str, &str); 5] = [
    ("1", "1 Accounts"),
    ("2", "2 Holdings"),
    ("3", "3 Transactions"),
    ("4", "4 Chart"),
    ("0", TABS),
];
/// An account, and all that is in it.
const ACCOUNT: &str = "Jam Jar";
const AMOUNT: &str = "77777.77";
const AMOUNT_SHOWN: &str = "77,777.77";

/// A machine with a little money on it.
fn home() -> Home {
    let home = Home::new();
    home.ok(&["account", "add", ACCOUNT, "--kind", "checking", "--currency", "USD"]);
    deposit(&home, AMOUNT, "pickled");
    home
}

fn deposit(home: &Home, amount: &str, why: &str) {
    let date = ["--date", "2024-01-02", "--type", "deposit", "--amount", amount];
    let rest = ["--account", ACCOUNT, "--description", why];
    home.ok(&[&["txn", "add"][..], &date, &rest].concat());
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
fn the_doors_of_the_welcome_lead_somewhere() {
    let home = Home::new();
    home.rows("rows.csv", &["2026-01-05,Tin Box,DEPOSIT,,,,,USD,41.5"]);
    let mut terminal = Terminal::dashtam(&home, "", "Welcome");
    terminal.press("j\r");
    terminal.see(":import");
    terminal.press("nowhere.csv\r");
    terminal.see("check the name");
    terminal.press(":import rows.csv\r");
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
fn the_demo_opens_in_place_of_an_empty_store_and_leaves_nothing_in_it() {
    let home = Home::new();
    let mut terminal = Terminal::dashtam(&home, "", "Welcome");
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
    assert!(!terminal.has_first_modes());
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
fn while_nothing_changes_nothing_is_written() {
    let home = home();
    let mut terminal = Terminal::dashtam(&home, "", AMOUNT_SHOWN);
    assert!(terminal.silent_for(Duration::from_secs(2)), "it never settles");
    let written = terminal.written();
    // This time is not a hope: it is what is tested.
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(terminal.written(), written);
    terminal.press("q");
    terminal.end().with_code(0).restored();
}

#[test]
fn all_sessions_on_a_store_see_what_one_of_them_writes() {
    let home = home();
    let mut terminals = [(); 2].map(|()| Terminal::dashtam(&home, "", AMOUNT_SHOWN));
    for terminal in &mut terminals {
        terminal.press("3");
        terminal.see("pickled");
    }
    deposit(&home, "1.23", "a late guest");
    let start = Instant::now();
    for terminal in &terminals {
        terminal.see("a late guest");
    }
    // Twice the second that it should take at most, and as much again for a busy machine.
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    for mut terminal in terminals {
        assert!(!terminal.text().contains("cannot read"));
        terminal.press("q");
        terminal.end().with_code(0).restored();
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
