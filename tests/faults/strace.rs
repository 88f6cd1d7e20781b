//! Faults at one exact system call of the real program, from outside: `strace` ends the process
//! there, or lets the call fail. The program has no branch for it.
//!
//! `strace` counts the calls of one name of one thread, so a point is the n-th call of a name on a
//! file, by whichever thread comes to it first. A first run without a fault tells which points
//! there are. (`--seccomp-bpf` would be faster, and counts wrongly.)

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};
use std::sync::OnceLock;

use super::machine::Machine;

/// The calls that leave something behind.
const WRITES: &str = "write,writev,pwrite64,pwritev,fsync,fdatasync,ftruncate,fallocate,rename,\
     renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,chmod,fchmod,fchmodat";
/// The calls that say something to a server.
const SENDS: &str = "sendto,sendmsg";

/// A place in a run at which something can go wrong.
#[derive(Clone, Debug)]
pub struct Point {
    /// The name of the call.
    call: String,
    /// Below the machine's folder; none where its name is not the same in every run.
    path: Option<String>,
    /// Which of such calls, from 1 on.
    nth: usize,
}

impl Point {
    /// Whether it is a call of one of these names.
    pub fn is_call(&self, names: &[&str]) -> bool {
        names.contains(&self.call.as_str())
    }
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} of {}", self.call, self.nth, self.path.as_deref().unwrap_or("any file"))
    }
}

/// What goes wrong there.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// The process is gone before the call.
    Kill,
    /// This call fails.
    Once(&'static str),
    /// It fails from then on.
    Always(&'static str),
}

/// What the program left: how it ended, and whether it came to the point.
pub struct Struck {
    pub output: Output,
    pub killed: bool,
    /// A call failed that is about no file of the machine, like the one that wakes a thread: no
    /// disk does that, and nobody is to answer it.
    pub elsewhere: bool,
}

/// Whether faults can be injected on this machine; says loudly where they cannot.
pub fn is_there() -> bool {
    static THERE: OnceLock<bool> = OnceLock::new();
    let there = *THERE.get_or_init(|| {
        let tried = Command::new("strace").args(["-f", "-qq", "-o", "/dev/null", "true"]).status();
        tried.is_ok_and(|status| status.success())
    });
    if !there {
        let required = std::env::var("DASHTAM_REQUIRE_STRACE").is_ok_and(|value| value == "1");
        assert!(!required, "strace is missing, or not allowed to look into a program");
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("a test");
        crate::support::announce(&format!("SKIPPED (no strace, or not allowed to): {test}"));
    }
    there
}

/// Every write of a line, in the order in which they came; the machine is as after the run then.
pub fn writes(machine: &Machine, line: &[&str]) -> Vec<Point> {
    points(machine, line, WRITES)
}

/// Every message of a line to a server.
pub fn sends(machine: &Machine, line: &[&str]) -> Vec<Point> {
    points(machine, line, SENDS)
}

fn points(machine: &Machine, line: &[&str], calls: &str) -> Vec<Point> {
    let trace = machine.path("trace");
    let under = words(&["strace", "-f", "-qq", "-y", "-o", trace.to_str().unwrap(), "-e", calls]);
    let output = machine.command(&under, line).output().unwrap();
    assert!(output.status.success(), "{line:?}: {output:?}");
    let trace = fs::read_to_string(trace).unwrap();
    let root = machine.path("");
    let mut counts: BTreeMap<(&str, &str, Option<String>), usize> = BTreeMap::new();
    let mut found: Vec<Point> = Vec::new();
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let Some((call, rest)) = call.trim_start().split_once('(') else { continue };
        let path = match place(rest, root.to_str().unwrap()) {
            Place::Elsewhere if calls == WRITES => continue,
            Place::File(path) => Some(path),
            Place::Passing | Place::Elsewhere => None,
        };
        let count = counts.entry((thread, call, path.clone())).or_default();
        *count += 1;
        let point = Point { call: call.to_owned(), path, nth: *count };
        // Another thread came to its n-th call of this kind before.
        let known = |other: &Point| {
            (&other.call, &other.path, other.nth) == (&point.call, &point.path, point.nth)
        };
        if !found.iter().any(known) {
            found.push(point);
        }
    }
    found
}

/// What a call is about.
enum Place {
    /// A file of the machine that has the same name in every run.
    File(String),
    /// A temporary file.
    Passing,
    /// Nothing of the machine.
    Elsewhere,
}

/// The first path of a call: of a descriptor, or as a text.
fn place(arguments: &str, root: &str) -> Place {
    let begin = arguments.find(['<', '"']).map_or(0, |at| at + 1);
    let path = arguments[begin..].split(['>', '"']).next().unwrap_or_default();
    match path.strip_prefix(root) {
        Some(path) if path.contains(".dashtam-") => Place::Passing,
        Some(path) => Place::File(path.to_owned()),
        None => Place::Elsewhere,
    }
}

/// Runs a line on a machine and lets something go wrong at a point.
pub fn strike(machine: &Machine, line: &[&str], point: &Point, fault: Fault) -> Struck {
    let Point { call, nth, .. } = point;
    let inject = match fault {
        Fault::Kill => format!("inject={call}:signal=SIGKILL:when={nth}"),
        Fault::Once(error) => format!("inject={call}:error={error}:when={nth}"),
        Fault::Always(error) => format!("inject={call}:error={error}:when={nth}+"),
    };
    let (trace, root) = (machine.path("struck"), machine.path(""));
    let out = trace.to_str().unwrap();
    let mut under = words(&["strace", "-f", "-qq", "-y", "-o", out, "-e", call, "-e", &inject]);
    if let Some(path) = &point.path {
        under.extend(words(&["-P", machine.path(path).to_str().unwrap()]));
    }
    let output = machine.command(&under, line).output().unwrap();
    // It ends itself as the program ended.
    let killed = output.status.signal() == Some(9);
    let traced = fs::read_to_string(trace).unwrap();
    let mut failed = traced.lines().filter(|line| line.ends_with("(INJECTED)"));
    let is_send = SENDS.split(',').any(|send| send == call);
    let elsewhere = !is_send
        && failed.any(|line| {
            let arguments = line.split_once('(').map_or("", |(_, rest)| rest);
            matches!(place(arguments, root.to_str().unwrap()), Place::Elsewhere)
        });
    Struck { output, killed, elsewhere }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
