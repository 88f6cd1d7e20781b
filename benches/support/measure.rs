//! Runs a program and says what it took: CPU time, wall time and memory at its peak, all from
//! Linux's `/proc`. It does not know what the programs do.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// The kernel counts CPU time of processes in these, whatever its own clock does.
const TICKS_PER_SECOND: f64 = 100.0;
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What a run took, or the medians of several runs.
#[derive(Clone, Copy)]
pub struct Figures {
    /// Seconds, to a hundredth: user and system, all threads.
    pub cpu: f64,
    /// Seconds.
    pub wall: f64,
    /// MiB. What a program takes in its last few milliseconds may be missed.
    pub peak: f64,
}

/// Runs it to its end.
///
/// # Panics
/// When the program cannot be started or does not succeed, with what it said.
pub fn run(command: &mut Command) -> Figures {
    let said = tempfile::NamedTempFile::new().unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said.reopen().unwrap());
    let cpu_before = cpu_of_children();
    let start = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (ended, is_over) = mpsc::channel::<()>();
    let pid = child.id();
    let watcher = thread::spawn(move || peak_of(pid, &is_over));
    let status = child.wait().unwrap();
    let wall = start.elapsed().as_secs_f64();
    let cpu = cpu_of_children() - cpu_before;
    drop(ended);
    let peak = watcher.join().unwrap();
    let complaint = fs::read_to_string(said.path()).unwrap_or_default();
    assert!(status.success(), "{command:?}: {status}\n{complaint}");
    Figures { cpu, wall, peak }
}

/// The median of each figure by itself.
pub fn medians(runs: &[Figures]) -> Figures {
    let median = |figure: fn(&Figures) -> f64| {
        let mut figures: Vec<f64> = runs.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    Figures {
        cpu: median(|run| run.cpu),
        wall: median(|run| run.wall),
        peak: median(|run| run.peak),
    }
}

/// CPU seconds of all children that have ended.
fn cpu_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // The second field is a name in brackets, which may hold anything; `cutime` and `cstime` are
    // the sixteenth and seventeenth of all.
    let behind_name = stat.rsplit(')').next().unwrap();
    let ticks = behind_name.split_whitespace().skip(13).take(2);
    ticks.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / TICKS_PER_SECOND
}

/// Looks at a process's high-water mark until told that it is over.
fn peak_of(pid: u32, is_over: &mpsc::Receiver<()>) -> f64 {
    let mut peak = 0.0;
    loop {
        // A process that just ended has no such line any more.
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        peak = kib.map_or(peak, |kib| kib / 1024.0);
        if is_over.recv_timeout(LOOK_EVERY) != Err(mpsc::RecvTimeoutError::Timeout) {
            return peak;
        }
    }
}
