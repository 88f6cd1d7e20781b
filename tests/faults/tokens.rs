//! F3, F20 and F21 for a token that serves once: a refresh that renews it is killed at each of its
//! writes, and ten of them come to renew it together. Whatever was reached, nothing is presented twice.
//! Either the new token is kept and all goes on, or the connection says that it needs a new consent,
//! with every row as it was; after that consent it is as after a run that never failed.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use dashtam::clock::Clock;
use dashtam::oauth::Tokens;
use dashtam::store::SealedSecret;
use dashtam::vault::{Vault, open_kept, seal_kept};

use super::machine::{Machine, On};
use super::strace::{self, Fault, Point, strike};
use super::{Chance, flows, is_full, spread};
use crate::support::home::Ran;
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
        let app = app.display();
        self.machine.configure(&format!(
            "[schwab]\nbase_url = \"{base}\"\napp_file = \"{app}\"\nrequests_per_minute = 60000\n"
        ));
    }

    fn copy(&self) -> Self {
        let copy = Self { machine: self.machine.copy(), schwab: self.schwab.twin() };
        copy.configure();
        copy
    }

    /// Lets the half hour pass of the access that is kept.
    fn access_is_over(&self) {
        let vault = Vault::at(self.machine.path("data/vault"));
        let key = vault.unprotected().unwrap();
        self.machine.in_session(async |session| {
            let now = session.clock.now();
            let mut tx = session.store.write().await.unwrap();
            let rows = tx.secrets().await.unwrap();
            let row = rows.into_iter().max_by_key(|row| row.generation).unwrap();
            let mut tokens = Tokens::of(&open_kept(&key, &row).unwrap()).unwrap();
            tokens.access_ends = now;
            let (secret, before) = (tokens.to_secret().unwrap(), row.generation - 1);
            let sealed = seal_kept(&vault, &key, row.connection, before, &secret, row.sealed_at);
            let sealed = sealed.unwrap().sealed;
            tx.update_secret(&SealedSecret { sealed, ..row }).await.unwrap();
            tx.commit(&format!("over at {now}"), "test", 0).await.unwrap();
        });
    }

    /// How the consent is, and until when.
    fn told_of_consent(&self) -> [serde_json::Value; 2] {
        let told = self.machine.ok(&["connections", "--json"]);
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        ["state", "consent_expires"].map(|word| told["connections"][0][word].clone())
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

/// F10, F21, G4: ten programs at once over each end of an access, be it that its half hour is over or
/// that the service has ended it before. One of them renews it, and all of them go on with that.
#[test]
fn ten_programs_over_the_ends_of_an_access_renew_it_once_each_time() {
    const TOGETHER: &[&str] = &["refresh", "--accounts-only", "--force", "--wait", "55"];
    for (on, few) in [(On::Sqlite, 3), (On::Postgres, 2)] {
        let Some(pair) = Pair::connected(on) else { return };
        pair.machine.ok(LINE);
        let (before, consent) = (pair.machine.dump(), pair.told_of_consent());
        let (begun, ends) = (Instant::now(), if is_full() { 100 } else { few });
        let counts = |pair: &Pair| pair.schwab.turn(|knobs| (knobs.renewed, knobs.denied));
        for nth in 0..ends {
            let (renewed, denied) = counts(&pair);
            let is_early = nth % 2 == 1;
            match is_early {
                true => pair.schwab.turn(|knobs| knobs.access.clear()),
                false => pair.access_is_over(),
            }
            let programs: Vec<_> = (0..10).map(|_| pair.machine.spawn(TOGETHER)).collect();
            for program in programs {
                let ran = Ran::of(&program.wait_with_output().unwrap());
                assert_eq!(ran.code, Some(0), "{nth} on {on:?}: {ran:?}");
            }
            // What is over by the clock is not even shown.
            let shown = usize::from(is_early);
            assert_eq!(counts(&pair), (renewed + 1, denied + shown), "{nth} on {on:?}");
        }
        let mut presented = pair.schwab.presented();
        let all = presented.len();
        presented.sort_unstable();
        presented.dedup();
        assert_eq!((all, presented.len()), (ends + 1, ends + 1), "each of them once");
        assert_eq!(pair.machine.dump(), before);
        assert_eq!(pair.told_of_consent(), consent, "the same consent, until the same day");
        pair.machine.assert_whole("ten at once");
        pair.schwab.no_faults();
        let took = begun.elapsed();
        sum_up(&format!(
            "{on:?}, ten programs over the ends of an access: {ends} ends, {ends} renewals, 0 tokens \
             presented twice, {took:.0?}"
        ));
    }
}
