//! Several processes that refresh one store: two at once, and one that stands still or is gone. F10, F12.

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::flows::connected_to;
use super::machine::{Machine, On};
use super::{Chance, is_full};
use crate::support::home::Ran;
use crate::support::simplefin::Bridge;
use crate::support::sum_up;

/// What cron says.
const LINE: &[&str] = &["--refresh-only"];
/// How often a first refresh asks a Bridge.
const QUESTIONS: usize = 4;

/// Whether the Bridge was asked so often, whatever it answered yet.
fn asked(bridge: &Bridge) -> usize {
    let all = bridge.server.asked().into_iter();
    all.filter(|asked| asked.path.starts_with("/simplefin/accounts")).count()
}

fn refreshes(machine: &Machine) -> usize {
    let told = machine.ok(&["audit", "list", "--action", "refresh", "--json", "--limit", "1000"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    told["rows"].as_array().unwrap().len()
}

/// F10: started within 50 ms of each other. One of them refreshes, the other waits for it and finds
/// that nothing is due any more.
#[test]
fn two_refreshes_at_once_are_one() {
    let (times, mut chance) = (if is_full() { 200 } else { 3 }, Chance::of(10));
    for on in [On::Sqlite, On::Postgres] {
        let Some(start) = Machine::new(on) else { return };
        let bridge = connected_to(&start);
        let control = start.copy();
        control.ok(LINE);
        let (after, begun) = (control.dump(), Instant::now());
        for number in 0..times {
            let (machine, before) = (start.copy(), asked(bridge));
            let first = machine.spawn(LINE);
            thread::sleep(Duration::from_millis(chance.below(50)));
            let second = machine.spawn(LINE);
            for process in [first, second] {
                let ran = Ran::of(&process.wait_with_output().unwrap());
                assert_eq!(ran.code, Some(0), "{number} on {on:?}: {ran:?}");
            }
            assert_eq!(asked(bridge) - before, QUESTIONS, "{number} on {on:?}");
            assert_eq!(refreshes(&machine), 2, "an attempt and its outcome");
            assert_eq!(machine.dump(), after, "{number} on {on:?}");
            machine.assert_whole("two at once");
        }
        let took = begun.elapsed();
        sum_up(&format!(
            "{on:?}, two refreshes at once: {times} times, each asked once, {took:.0?}"
        ));
    }
}

/// F12: whoever stands still keeps the lease, and who waits is told who it is; whoever is gone keeps
/// nothing.
#[test]
fn who_stands_still_keeps_the_lease_and_who_is_gone_does_not() {
    for on in [On::Sqlite, On::Postgres] {
        let Some(start) = Machine::new(on) else { return };
        let bridge = connected_to(&start);
        let control = start.copy();
        control.ok(LINE);
        let after = control.dump();
        for is_killed in [false, true] {
            let machine = start.copy();
            bridge.turn(|knobs| knobs.slow = Duration::from_millis(500));
            let before = asked(bridge);
            let holder = machine.spawn(LINE);
            let begun = Instant::now();
            while asked(bridge) == before {
                assert!(begun.elapsed() < Duration::from_secs(30), "nobody asks");
                thread::sleep(Duration::from_millis(5));
            }
            let pid = Pid::from_raw(i32::try_from(holder.id()).unwrap()).unwrap();
            kill_process(pid, Signal::STOP).unwrap();
            let told = machine.run(&["--refresh-only", "--wait", "1"]);
            assert_eq!(told.code, Some(8), "{told:?}");
            let who = format!("process {}", holder.id());
            assert!(format!("{}{}", told.out, told.err).contains(&who), "{who}: {told:?}");
            bridge.turn(|knobs| knobs.slow = Duration::ZERO);
            let signal = if is_killed { Signal::KILL } else { Signal::CONT };
            kill_process(pid, signal).unwrap();
            let begun = Instant::now();
            machine.ok(LINE);
            if is_killed {
                assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
            }
            let ran = holder.wait_with_output().unwrap();
            assert_eq!(ran.status.success(), !is_killed, "{ran:?}");
            assert_eq!(machine.dump(), after, "killed: {is_killed}, on {on:?}");
            machine.assert_whole("who stood still");
        }
    }
}
