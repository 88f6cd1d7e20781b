//! Every flow is killed at each of its writes, and each of its writes fails; then it is started
//! again. F2, F3, F5, F6, F14.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

use super::flows::{FLOWS, Flow, LARGE_IMPORT, LARGE_REFRESH, REFRESH, SECRETS};
use super::machine::{Machine, On, assert_told};
use super::strace::{self, Fault, Point, Struck, strike};
use super::{Chance, is_full, spread};
use crate::support::home::Ran;
use crate::support::{announce, sum_up};

/// The calls that make durable.
const DURABLE: &[&str] = &["fsync", "fdatasync"];

/// What a person asks for in one line, but for what is outside of this machine.
const ALL_FLOWS: &[&[Flow]] = &[FLOWS, SECRETS];

/// Every point.
const ALL: usize = usize::MAX;

/// A run for its own sake: nothing of it is struck.
pub fn none(machine: &Machine, line: &[&str]) -> Vec<Point> {
    machine.ok(line);
    Vec::new()
}

/// What a flow finds and leaves where nothing goes wrong.
pub struct Control {
    flow: &'static Flow,
    /// The machine before the command, and its dump.
    start: Machine,
    before: String,
    /// The dump after it, and the file that it wrote.
    after: String,
    out: Option<String>,
    /// Where it can be struck.
    points: Vec<Point>,
}

impl Control {
    fn of(
        flow: &'static Flow,
        on: On,
        points: fn(&Machine, &[&str]) -> Vec<Point>,
    ) -> Option<Self> {
        let start = Machine::new(on)?;
        (flow.before)(&start);
        Some(Self::from(flow, start, points))
    }

    /// The same for a machine on which the flow can begin.
    pub fn from(
        flow: &'static Flow,
        start: Machine,
        points: fn(&Machine, &[&str]) -> Vec<Point>,
    ) -> Self {
        let seen = start.copy();
        let before = seen.dump();
        let healthy = start.copy();
        let points = points(&healthy, flow.line);
        let after = healthy.dump();
        healthy.assert_whole(flow.name);
        let out = flow.out.map(|(name, say)| say(&healthy.path(name)));
        Self { flow, start, before, after, out, points }
    }

    /// A machine on which the flow can begin.
    pub fn fresh(&self) -> Machine {
        self.start.copy()
    }

    /// How long it takes where nothing goes wrong.
    pub fn healthy_run(&self) -> Duration {
        let (machine, start) = (self.fresh(), Instant::now());
        machine.ok(self.flow.line);
        start.elapsed()
    }

    /// What must hold on a machine where something went wrong beside the command.
    pub fn assert_recovers_from(&self, machine: &Machine, output: Output, why: &str) {
        self.assert_recovers(machine, &Struck { output, killed: false, elsewhere: false }, why);
    }

    /// Strikes a fresh machine at a point; what must hold afterwards holds.
    fn strike(&self, point: &Point, fault: Fault) -> bool {
        let machine = self.fresh();
        let why = format!("{}, {fault:?} at {point}", self.flow.name);
        let struck = strike(&machine, self.flow.line, point, fault);
        let done = self.assert_recovers(&machine, &struck, &why);
        // Whether what could not be made durable is there nobody knows before the next start.
        let failed = !struck.killed && !struck.elsewhere && !struck.output.status.success();
        if failed && !point.is_call(DURABLE) {
            assert!(!done, "{why}: it failed and is there: {:?}", struck.output);
        }
        struck.killed
    }

    /// Ends the process on a fresh machine after some time.
    fn kill_after(&self, wait: Duration) -> bool {
        let machine = self.fresh();
        let why = format!("{}, killed after {wait:?}", self.flow.name);
        let mut child = machine.spawn(self.flow.line);
        thread::sleep(wait);
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        let killed = output.status.signal() == Some(9);
        let struck = Struck { output, killed, elsewhere: false };
        self.assert_recovers(&machine, &struck, &why);
        struck.killed
    }

    /// What must hold on a machine on which the command was struck; tells whether it was done.
    fn assert_recovers(&self, machine: &Machine, struck: &Struck, why: &str) -> bool {
        let Self { flow, .. } = self;
        if !struck.killed && !struck.elsewhere {
            assert_ended_rightly(&Ran::of(&struck.output), why);
        }
        // The next start sets right what is left; it finds all of it or none.
        let state = machine.dump();
        let done = state == self.after;
        let after: BTreeSet<_> = self.after.lines().collect();
        let is_part = flow.in_parts && state.lines().all(|line| after.contains(line));
        assert!(
            done || is_part || state == self.before,
            "{why}: neither before nor after:\n{state}"
        );
        if struck.output.status.success() {
            assert!(done, "{why}: it was reported and is not there");
        }
        let told = String::from_utf8_lossy(&struck.output.stderr);
        if told.contains("nothing was stored") {
            assert_eq!(state, self.before, "{why}: it is there and was denied");
        }
        self.assert_out_whole(machine, why);
        // The same again gives what a run gives that never failed.
        let again = machine.run(flow.line);
        let code = again.code.unwrap_or(-1);
        let may_refuse = done && flow.again.contains(&code);
        assert!(code == 0 || may_refuse, "{why}, again: {again:?}");
        assert_eq!(machine.dump(), self.after, "{why}, again");
        machine.assert_whole(why);
        if let (Some((name, say)), Some(out)) = (flow.out, &self.out) {
            assert!(say(&machine.path(name)) == *out, "{why}: {name} after all");
        }
        done && self.before != self.after
    }

    /// The file beside the store is as it was or complete.
    fn assert_out_whole(&self, machine: &Machine, why: &str) {
        let (Some((name, say)), Some(out)) = (self.flow.out, &self.out) else { return };
        let (there, before) = (machine.path(name), self.start.path(name));
        let as_before = fs::read(&there).ok() == fs::read(before).ok();
        assert!(as_before || say(&there) == *out, "{why}: half a file");
    }
}

/// It went well all the same, or it says what is wrong and ends with the code for it.
fn assert_ended_rightly(ran: &Ran, why: &str) {
    match ran.code {
        Some(0) => {}
        Some(2 | 7) => assert_told(ran, why),
        _ => panic!("{why}: {ran:?}"),
    }
}

/// A way of sweeping: where, what, and how many points of each flow in a plain run.
struct Sweep {
    on: On,
    flows: &'static [&'static [Flow]],
    title: &'static str,
    points: fn(&Machine, &[&str]) -> Vec<Point>,
    /// The calls that are struck; none: all.
    calls: &'static [&'static str],
    faults: &'static [Fault],
    few: usize,
    /// How many in a full run.
    most: usize,
}

impl Sweep {
    fn run(&self) {
        let Self { on, title, flows, .. } = self;
        let (begun, mut struck, mut ended) = (Instant::now(), 0, 0);
        for flow in flows.iter().copied().flatten() {
            let Some(mut control) = Control::of(flow, self.on, self.points) else { return };
            control.points.retain(|point| self.calls.is_empty() || point.is_call(self.calls));
            let (start, mut killed) = (Instant::now(), 0);
            let chosen = spread(&control.points, if is_full() { self.most } else { self.few });
            assert!(!chosen.is_empty(), "{} writes nothing", flow.name);
            for (number, point) in chosen.iter().enumerate() {
                // In a plain run one fault after the other, in a full one each at each point.
                let turn = number % self.faults.len();
                let faults = if is_full() { self.faults } else { &self.faults[turn..=turn] };
                for fault in faults {
                    killed += usize::from(control.strike(point, *fault));
                    struck += 1;
                }
            }
            ended += killed;
            // Threads may change places from run to run, which moves a few points.
            let kills = matches!(self.faults, [Fault::Kill]);
            assert!(!kills || killed * 2 >= chosen.len(), "{}: only {killed} killed", flow.name);
            if is_full() {
                let (name, all, took) = (flow.name, control.points.len(), start.elapsed());
                let points = chosen.len();
                announce(&format!(
                    "{on:?}, {title}, {name}: {points} points of {all}, {killed} killed, {took:.0?}"
                ));
            }
        }
        // Each of them was compared with a run that never failed.
        let (flows, took) = (flows.iter().map(|flows| flows.len()).sum::<usize>(), begun.elapsed());
        sum_up(&format!(
            "{on:?}, {title}: {struck} faults in {flows} flows, {ended} killed, 0 rows lost, 0 \
             doubled, {took:.0?}"
        ));
    }
}

#[test]
fn a_kill_at_any_write_loses_and_doubles_nothing() {
    if strace::is_there() {
        let (points, calls) = (strace::writes, &[][..]);
        Sweep {
            on: On::Sqlite,
            flows: ALL_FLOWS,
            title: "kill",
            points,
            calls,
            faults: &[Fault::Kill],
            few: 4,
            most: ALL,
        }
        .run();
    }
}

#[test]
fn a_disk_that_keeps_nothing_is_said_and_denies_nothing() {
    if strace::is_there() {
        let calls = DURABLE;
        let faults = &[Fault::Once("EIO"), Fault::Always("EIO")];
        Sweep {
            on: On::Sqlite,
            flows: ALL_FLOWS,
            title: "EIO",
            points: strace::writes,
            calls,
            faults,
            few: 3,
            most: ALL,
        }
        .run();
    }
}

#[test]
fn a_full_disk_at_any_write_is_said_and_denies_nothing() {
    if strace::is_there() {
        let calls = &["pwrite64", "write", "mkdir", "rename", "link", "linkat", "renameat2"];
        let faults = &[Fault::Once("ENOSPC"), Fault::Always("ENOSPC")];
        Sweep {
            on: On::Sqlite,
            flows: ALL_FLOWS,
            title: "ENOSPC",
            points: strace::writes,
            calls,
            faults,
            few: 3,
            most: ALL,
        }
        .run();
    }
}

/// F1 and F2: at any time.
#[test]
fn a_kill_at_any_time_loses_and_doubles_nothing() {
    let (mut chance, begun, mut all, mut ended) = (Chance::of(2), Instant::now(), 0, 0);
    for flow in FLOWS.iter().chain(SECRETS).chain([&LARGE_IMPORT]) {
        let Some(control) = Control::of(flow, On::Sqlite, none) else { return };
        let longest = u64::try_from(control.healthy_run().as_micros()).unwrap();
        let (times, mut killed) = (if is_full() { 200 } else { 1 }, 0);
        for _ in 0..times {
            killed += usize::from(control.kill_after(Duration::from_micros(chance.below(longest))));
        }
        if is_full() {
            announce(&format!("kill at any time, {}: {killed} of {times} killed", flow.name));
        }
        (all, ended) = (all + times, ended + killed);
    }
    let took = begun.elapsed();
    sum_up(&format!(
        "Sqlite, kill at any time: {all} runs, {ended} killed, 0 rows lost, 0 doubled, {took:.0?}"
    ));
}

/// F3 on a server: at messages to it from the first to the last. Nothing of it is left half done
/// by a client that goes away, so that a full run takes some of them, not all thousands.
#[test]
fn a_kill_at_any_message_to_a_server_loses_and_doubles_nothing() {
    if strace::is_there() {
        let (points, calls) = (strace::sends, &[][..]);
        let faults = &[Fault::Kill, Fault::Once("ECONNRESET")];
        let (on, flows, title) = (On::Postgres, ALL_FLOWS, "kill at sends");
        Sweep { on, flows, title, points, calls, faults, few: 2, most: 60 }.run();
    }
}

/// F1 and F3: a refresh at each of its writes, and at messages to a server.
#[test]
fn a_kill_at_any_write_of_a_refresh_loses_and_doubles_nothing() {
    if strace::is_there() {
        let (flows, calls, faults) = (&[REFRESH][..], &[][..], &[Fault::Kill][..]);
        let (on, title, points) = (On::Sqlite, "refresh, kill", strace::writes);
        Sweep { on, flows, title, points, calls, faults, few: 6, most: ALL }.run();
        // Beside a server: the trail's key, its head and its daily file.
        let on = On::Postgres;
        Sweep { on, flows, title, points, calls, faults, few: 3, most: ALL }.run();
        let (title, points) = ("refresh, kill at sends", strace::sends);
        Sweep { on, flows, title, points, calls, faults, few: 4, most: 200 }.run();
    }
}

/// F3: what keeps secrets beside a server. Nothing of it may be left half done: neither the key file nor
/// what is sealed for it.
#[test]
fn a_kill_at_any_write_of_the_secret_store_loses_and_doubles_nothing() {
    if strace::is_there() {
        let (flows, calls, faults) = (&[SECRETS][..], &[][..], &[Fault::Kill][..]);
        let (on, title, points) = (On::Postgres, "secrets, kill", strace::writes);
        Sweep { on, flows, title, points, calls, faults, few: 2, most: ALL }.run();
    }
}

/// F1: a refresh at any time, on both engines: a small one, and the first of five connections that
/// tell much.
#[test]
fn a_refresh_that_is_killed_at_any_time_loses_and_doubles_nothing() {
    for on in [On::Sqlite, On::Postgres] {
        for flow in REFRESH.iter().chain([&LARGE_REFRESH]) {
            kill_at_any_time(on, flow, if is_full() { 200 } else { 2 });
        }
    }
}

/// The same of what keeps secrets, beside a server.
#[test]
fn a_change_of_the_vault_that_is_killed_at_any_time_loses_nothing() {
    for flow in SECRETS {
        kill_at_any_time(On::Postgres, flow, if is_full() { 40 } else { 1 });
    }
}

fn kill_at_any_time(on: On, flow: &'static Flow, times: usize) {
    let Some(control) = Control::of(flow, on, none) else { return };
    let longest = u64::try_from(control.healthy_run().as_micros()).unwrap();
    let (mut chance, begun, mut killed) = (Chance::of(8), Instant::now(), 0);
    for _ in 0..times {
        killed += usize::from(control.kill_after(Duration::from_micros(chance.below(longest))));
    }
    let (name, took) = (flow.name, begun.elapsed());
    sum_up(&format!(
        "{on:?}, {name}, kill at any time: {times} runs, {killed} killed, 0 rows lost, 0 doubled, \
         {took:.0?}"
    ));
}
