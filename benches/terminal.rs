//! What the dashboard costs seen from its terminal, beside the least that such a program costs:
//! `cargo build --release --example hello-ratatui`, then `cargo bench --bench terminal`. It never
//! fails on a figure: machines differ and are busy, so read ratios before times.
//!
//! The probe is outside of this repository: `DASHTAM_TTYPROBE` names it (`ttyprobe.py`, for
//! `python3`), and without it this says so and measures nothing. `DASHTAM_BENCH_ROWS=1000,1000000`
//! sets the two sizes of the store, `DASHTAM_BENCH_RUNS` how often everything is measured (else
//! five times).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench is a test that prints"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::bench::{Bench, announce, setting};
use support::screen::{self, Took};
use support::table::{Against, Table};

/// Beside what hello takes.
const PAINT_TIMES: f64 = 3.0;
const HOLDINGS_TIMES: f64 = 10.0;
const KEY_TIMES: f64 = 3.0;
const MOVE_BYTES_TIMES: f64 = 1.5;
/// A thousand times the rows may take so many times the CPU to the first frame.
const GROWTH: f64 = 1.25;
const LONGEST_KEY_MS: f64 = 50.0;
const KEY_BYTES: f64 = 8_192.0;
const PANE_BYTES: f64 = 12_288.0;
const IDLE_CPU_MS: f64 = 10.0;
const IDLE_WAKES: f64 = 20.0;
const MEMORY_MIB: f64 = 40.0;
/// Keys that go to another pane.
const PANES: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
/// Through all panes: moving, paging, a filter that is typed, and out of it.
const WALK: &str = "2,j*20,pgdn*5,pgup*2,3,j*10,pgdn*10,/,s,e,l,l,esc,4,h*3,l*3,\
    5,j*3,6,j*3,7,j*3,8,j*3,9,j*3,g,h,j*3,g,a,j*3,g,o,j*3,g,n,j*3,x,j*3,1,j*3,0";

fn main() {
    let Some(bench) = Bench::new("terminal") else { return };
    let Some(terminals) = Terminals::find() else { return };
    let mut table = Table::default();
    let [small, large] = sizes();
    let runs = setting("DASHTAM_BENCH_RUNS").map_or(5, |runs| runs.parse().expect("a number"));
    let (small, large) = (bench.filled(small), bench.filled(large));
    let mut runs_of = [const { Vec::new() }; 4];
    let mut holdings_of = [const { Vec::new() }; 2];
    announce("three programs in a terminal");
    for _ in 0..runs {
        // By turns, so that a busy moment meets all of them.
        runs_of[0].push(terminals.probe(&bench.program(&terminals.hello), &["--keys", "j*20"]));
        runs_of[1].push(terminals.probe(&bench.on(&small), &["--keys", "j"]));
        runs_of[2].push(terminals.probe(&bench.on(&large), &["--keys", WALK]));
        runs_of[3].push(terminals.probe(&bench.on(&large), &["--warmup", "5", "--idle", "10"]));
        for (took, store) in holdings_of.iter_mut().zip([&small, &large]) {
            took.push(screen::until(&bench.on(store), "2", a_holding));
        }
    }
    report(&mut table, &runs_of.map(Runs), &holdings_of);
    print!("\n{table}");
}

/// Whether a holding is on the screen: its symbol at the start of a line that ends in figures.
fn a_holding(screen: &str) -> bool {
    screen.lines().any(|line| {
        let symbol = line.as_bytes().get(..5).unwrap_or_default();
        matches!(symbol, [b'S', digits @ .., b'X'] if digits.iter().all(u8::is_ascii_digit))
            && line.contains('%')
    })
}

fn report(
    table: &mut Table,
    [hello, small, large, idle]: &[Runs; 4],
    [few_rows, many_rows]: &[Vec<Took>; 2],
) {
    let mut beside = |work: &str, whose: &str, theirs: f64, ours: f64, unit: &str, times: f64| {
        let against = Against {
            yardstick: whose,
            took: format!("{theirs:.2} {unit}"),
            figure: ours / theirs,
            bound: times,
            unit: "x",
        };
        table.line(&format!("{work}: {ours:.2} {unit}"), None, Some(against));
    };
    let paint = hello.median("first_paint_ms");
    let settled = large.median("first_settled_ms");
    beside("first paint", "hello", paint, large.median("first_paint_ms"), "ms", PAINT_TIMES);
    let until = |took: &[Took], figure: fn(&Took) -> f64| median(took.iter().map(figure).collect());
    let holdings = until(many_rows, |took| took.wall);
    beside("holdings are there", "hello's first paint", paint, holdings, "ms", HOLDINGS_TIMES);
    let cpu = |took: &[Took]| until(took, |took| took.first_cpu);
    beside("CPU to the first frame", "fewest rows", cpu(few_rows), cpu(many_rows), "ms", GROWTH);
    let (theirs, ours) = (hello.keys("settled_ms", |_| true), large.keys("settled_ms", |_| true));
    beside("a key, median", "hello", median(theirs), median(ours), "ms", KEY_TIMES);
    let moved = |runs: &Runs| median(runs.keys("bytes", |key| key == "j"));
    beside("`j`, median", "hello", moved(hello), moved(large), "B", MOVE_BYTES_TIMES);

    let is_pane = |key: &str| PANES.contains(&key);
    // What needs attention, and net worth of ten years, come last and hold up nobody: no bound.
    // So few rows leave a fifth of the positions, so the CPU until they are there has none either.
    let cpu = |took: &[Took]| until(took, |took| took.cpu);
    let there =
        format!("CPU until holdings: {:.2} ms, {:.2} ms of fewest", cpu(many_rows), cpu(few_rows));
    table.line(&there, None, None);
    let alone_ms = |runs: &Runs| runs.median("first_settled_ms");
    let whole = format!("every figure: {:.2} ms, {:.2} ms of fewest", settled, alone_ms(small));
    table.line(&whole, None, None);
    let mut alone = |work: &str, figure: f64, unit: &str, bound: f64| {
        let against = Against { yardstick: "", took: String::new(), figure, bound, unit };
        table.line(work, None, Some(against));
    };
    alone("the slowest key", most(large.keys("first_ms", |_| true)), "ms", LONGEST_KEY_MS);
    alone("most bytes of a key", most(large.keys("bytes", |key| !is_pane(key))), "B", KEY_BYTES);
    alone("most bytes of a pane", most(large.keys("bytes", is_pane)), "B", PANE_BYTES);
    alone("idle 10 s: bytes", idle.median("idle/bytes"), "B", 0.0);
    alone("idle 10 s: CPU", idle.median("idle/cpu_ms"), "ms", IDLE_CPU_MS);
    alone("idle 10 s: wake-ups", idle.median("idle/wakeups"), "", IDLE_WAKES);
    alone("memory", large.median("rss_kb") / 1024.0, "MiB", MEMORY_MIB);
}

/// The probe, and the yardstick.
struct Terminals {
    probe: PathBuf,
    hello: PathBuf,
}

impl Terminals {
    /// Nothing and a loud word where one of them is missing.
    fn find() -> Option<Self> {
        let Some(probe) = setting("DASHTAM_TTYPROBE").map(PathBuf::from) else {
            announce("SKIPPED: DASHTAM_TTYPROBE does not name ttyprobe.py; nothing is measured");
            return None;
        };
        let hello = Path::new(env!("CARGO_BIN_EXE_dashtam")).with_file_name("examples");
        let hello = hello.join("hello-ratatui");
        for (what, path) in [("the probe", &probe), ("hello-ratatui", &hello)] {
            if !path.exists() {
                announce(&format!("SKIPPED: {what} is not at {}", path.display()));
                return None;
            }
        }
        Some(Self { probe, hello })
    }

    /// Runs a program in a terminal. The first frame is there before anything is read, so it counts
    /// as settled after a second of quiet.
    fn probe(&self, program: &Command, flags: &[&str]) -> Value {
        let mut python = Command::new("python3");
        python.env_clear();
        let variables = program.get_envs().filter_map(|(name, value)| Some((name, value?)));
        python.envs(variables).env("LANG", "C.UTF-8").env("TZ", "UTC");
        python.arg(&self.probe).args(["--settle-ms", "1000", "--idle", "1"]).args(flags);
        python.arg("--").arg(program.get_program()).args(program.get_args());
        let output = python.output().expect("python3");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program:?}: {said}");
        let run: Value = serde_json::from_slice(&output.stdout).expect("the probe's answer");
        assert_eq!(run["exit"]["status"], 0, "{program:?}: {run}");
        run
    }
}

impl Bench {
    fn on(&self, store: &Path) -> Command {
        let mut command = self.dashtam("--data-dir");
        command.arg(store);
        command
    }
}

fn sizes() -> [u32; 2] {
    let rows = setting("DASHTAM_BENCH_ROWS").unwrap_or_else(|| "1000,1000000".to_owned());
    let rows: Vec<u32> = rows.split(',').map(|rows| rows.trim().parse().unwrap()).collect();
    rows.try_into().expect("DASHTAM_BENCH_ROWS names two sizes")
}

/// What the probe said of each run of one program.
struct Runs(Vec<Value>);

impl Runs {
    /// The median of a figure, by its path in the answer.
    fn median(&self, path: &str) -> f64 {
        let figure = |run: &Value| run.pointer(&format!("/{path}")).and_then(Value::as_f64);
        median(self.0.iter().map(|run| figure(run).expect(path)).collect())
    }

    /// A figure of each key that is meant and had an answer.
    fn keys(&self, figure: &str, meant: impl Fn(&str) -> bool) -> Vec<f64> {
        let keys = self.0.iter().flat_map(|run| run["keys"].as_array().unwrap());
        let meant = keys.filter(|key| meant(key["key"].as_str().unwrap()));
        meant.filter_map(|key| key[figure].as_f64()).collect()
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn most(figures: Vec<f64>) -> f64 {
    figures.into_iter().fold(0.0, f64::max)
}
