//! F3 and F20 for a token that serves once: a refresh that renews it is killed at each of its writes.
//! Whatever was reached, nothing is presented twice. Either the new token is kept and all goes on, or
//! the connection says that it needs a new consent, with every row as it was; after that consent it is
//! as after a run that never failed.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use dashtam::clock::Clock;

use super::machine::{Machine, On};
use super::strace::{self, Fault, Point, strike};
use super::{Chance, flows, is_full, spread};
use crate::support::schwab::{KEY, SECRET, Schwab};
use crate::support::sum_up;

const LINE: &[&str] = &["refresh", "--force"];

/// Finds where a line can be struck.
type Points = fn(&Machine, &[&str]) -> Vec<Point>;

/// A machine that is connected to a service, both as they were at the same moment.
struct Pair {
    machine: Machine,
    schwab: Schwab,
}

impl Pair {
    fn connected(on: On) -> Option<Self> {
        let pair = Self {
            machine: Machine::new(on)?,
            schwab: Schwab::new(Clock::system(chrono_tz::UTC).now()),
        };
        pair.configure();
        flows::household(&pair.machine);
        let app = pair.machine.path("app");
        fs::write(&app, format!("{KEY}\n{SECRET}\n")).unwrap();
        fs::set_permissions(app, fs::Permissions::from_mode(0o600)).unwrap();
        pair.machine.ok(&["vault", "init", "--no-passphrase"]);
        pair.consent();
        // From now on no access serves: whoever asks renews first.
        pair.schwab.turn(|knobs| knobs.access.clear());
        Some(pair)
    }

    fn configure(&self) {
        let (base, app) = (&self.schwab.server.base, self.machine.path("app"));
        let text = format!("[schwab]\nbase_url = \"{base}\"\napp_file = \"{}\"\n", app.display());
        self.machine.configure(&text);
    }

    fn copy(&self) -> Self {
        let copy = Self { machine: self.machine.copy(), schwab: self.schwab.twin() };
        copy.configure();
        copy
    }

    /// Signs in, and brings what the browser ends at.
    fn consent(&self) {
        let mut command = self.machine.process(&["connect", "schwab", "--paste"]);
        let mut process = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut told = BufReader::new(process.stderr.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(told.read_line(&mut line).unwrap() > 0, "it asked for nothing");
            if line.starts_with("http") {
                break line;
            }
        };
        let ended = self.schwab.sign_in(address.trim());
        process.stdin.take().unwrap().write_all(format!("{ended}\n").as_bytes()).unwrap();
        let rest = std::io::read_to_string(told).unwrap();
        assert!(process.wait().unwrap().success(), "{rest}");
    }

    /// What must hold once the refresh was killed there; tells whether the token was lost.
    fn assert_recovers(&self, before: &str, after: &str, why: &str) -> bool {
        let state = self.machine.dump();
        assert!(state == before || state == after, "{why}: neither before nor after:\n{state}");
        let again = self.machine.run(LINE);
        let is_lost = again.code == Some(4);
        if is_lost {
            assert_eq!(self.machine.dump(), before, "{why}: what is stored stays");
            // Nobody is asked with it any more.
            let asked = self.schwab.asked("/v1/oauth/token");
            assert_eq!(self.machine.run(LINE).code, Some(4), "{why}");
            assert_eq!(self.schwab.asked("/v1/oauth/token"), asked, "{why}");
            self.consent();
            let ran = self.machine.run(LINE);
            assert_eq!(ran.code, Some(0), "{why}, after a new consent: {ran:?}");
        } else {
            assert_eq!(again.code, Some(0), "{why}, again: {again:?}");
        }
        assert_eq!(self.machine.dump(), after, "{why}, again");
        self.machine.assert_whole(why);
        self.schwab.no_faults();
        is_lost
    }
}

#[test]
fn a_kill_at_any_write_of_a_renewal_presents_nothing_twice() {
    if !strace::is_there() {
        return;
    }
    let sweeps: [(On, Points, usize); 3] = [
        (On::Sqlite, strace::writes, usize::MAX),
        (On::Postgres, strace::writes, usize::MAX),
        (On::Postgres, strace::sends, 200),
    ];
    for (on, points, most) in sweeps {
        let Some(start) = Pair::connected(on) else { return };
        let control = start.copy();
        let before = control.machine.dump();
        let all = points(&control.machine, LINE);
        let after = control.machine.dump();
        assert!(before != after && control.schwab.turn(|knobs| knobs.renewed) == 1);
        let chosen = spread(&all, if is_full() { most } else { 5 });
        let (begun, mut killed, mut lost) = (Instant::now(), 0, 0);
        for point in &chosen {
            let pair = start.copy();
            let why = format!("renewal on {on:?}, killed at {point}");
            let struck = strike(&pair.machine, LINE, point, Fault::Kill);
            killed += usize::from(struck.killed);
            lost += usize::from(pair.assert_recovers(&before, &after, &why));
        }
        // What comes back over the network lets threads change places more often than a command does
        // that asks nobody, which moves the points.
        let least = if is_full() { chosen.len() / 4 } else { 1 };
        assert!(killed >= least, "only {killed} of {} killed", chosen.len());
        let (points, all, took) = (chosen.len(), all.len(), begun.elapsed());
        sum_up(&format!(
            "{on:?}, renewal, kill: {points} points of {all}, {killed} killed, 0 tokens presented \
             twice, {lost} lost and said so, 0 rows lost, 0 doubled, {took:.0?}"
        ));
    }
}

/// The same at any time, whatever it does just then.
#[test]
fn a_renewal_that_is_killed_at_any_time_presents_nothing_twice() {
    let times = if is_full() { 200 } else { 2 };
    for on in [On::Sqlite, On::Postgres] {
        let Some(start) = Pair::connected(on) else { return };
        let control = start.copy();
        let (before, run) = (control.machine.dump(), Instant::now());
        control.machine.ok(LINE);
        let longest = u64::try_from(run.elapsed().as_micros()).unwrap();
        let after = control.machine.dump();
        let (mut chance, begun, mut lost) = (Chance::of(20), Instant::now(), 0);
        for _ in 0..times {
            let pair = start.copy();
            let wait = Duration::from_micros(chance.below(longest));
            let mut child = pair.machine.spawn(LINE);
            thread::sleep(wait);
            child.kill().unwrap();
            child.wait().unwrap();
            let why = format!("renewal on {on:?}, killed after {wait:?}");
            lost += usize::from(pair.assert_recovers(&before, &after, &why));
        }
        let took = begun.elapsed();
        sum_up(&format!(
            "{on:?}, renewal, kill at any time: {times} runs, 0 tokens presented twice, {lost} lost \
             and said so, 0 rows lost, 0 doubled, {took:.0?}"
        ));
    }
}
