//! What a first refresh of a large household takes, beside what `sqlite3` takes to import the same
//! rows, and what it does meanwhile to somebody at the dashboard: `cargo bench --bench refresh`. The
//! bank is a SimpleFIN Bridge within this process, and the program is seen from outside. It never
//! fails on a figure: machines differ and are busy, so read ratios before times.
//!
//! The vault has no passphrase, so that no figure has an unlocking in it; what that takes is measured
//! by itself, as a refresh that brings nothing, with and without one.
//!
//! `DASHTAM_BENCH_ROWS=100000` sets how many transactions there are, `DASHTAM_BENCH_RUNS` how often
//! everything is measured (else five times). Where `sqlite3` is missing that is said loudly and its
//! line left out.

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

#[allow(dead_code, reason = "tests need more of it")]
#[path = "../tests/support/server.rs"]
mod server;
#[allow(dead_code, reason = "tests need more of it")]
#[path = "../tests/support/simplefin.rs"]
mod simplefin;
mod support;

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dashtam::clock::Clock;
use serde_json::json;
use simplefin::{Account, Bridge, Row};
use support::bench::{Bench, announce, setting};
use support::measure::{self, Figures, medians};
use support::table::{Against, Table};
use support::typist::Typist;

/// A refresh may take so many times the CPU of `sqlite3 .import`, which neither asks nor checks.
const TIMES_SQLITE: f64 = 8.0;
const PEAK_MIB: f64 = 128.0;
/// Keys may take so many times as long while it goes on.
const KEY_TIMES: f64 = 3.0;
const LONGEST_KEY_MS: f64 = 100.0;
/// Of a year, as many as a household has at all: banks, and brokers with so many positions each.
const ACCOUNTS: usize = 20;
const BROKERS: usize = 5;
const POSITIONS: usize = 100;
/// The days that a first refresh asks for.
const DAYS: i64 = 358;
/// Keys that are pressed while nothing else happens.
const QUIET_KEYS: usize = 100;
/// So many rows were there before: a list to move through.
const ROWS_BEFORE: u32 = 10_000;
/// What a refresh may take in all, in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_mins(5);
/// Days are followed in the background once the rows are there.
const AFTERWARDS: Duration = Duration::from_secs(2);
/// Vaults: no figure has an unlocking in it but that of the unlocking.
const OPEN: &str = "vault init --no-passphrase";
const WITH_PASSPHRASE: &str = "vault init";

fn main() {
    let Some(bench) = Bench::new("refresh") else { return };
    let rows = setting("DASHTAM_BENCH_ROWS").map_or(100_000, |rows| rows.parse().unwrap());
    let runs = setting("DASHTAM_BENCH_RUNS").map_or(5, |runs| runs.parse().unwrap());
    let mut table = Table::default();
    bench.refresh(&mut table, rows, runs);
    bench.unlock(&mut table, runs);
    bench.keys(&mut table, rows, runs);
    print!("\n{table}");
}

/// What `server` looks for, which finds certificates there.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A Bridge that tells of a large household.
fn bank(rows: usize) -> Bridge {
    let bridge = Bridge::new(Clock::system(chrono_tz::UTC).now().timestamp());
    let accounts = (0..ACCOUNTS).map(|number| account(number, rows / ACCOUNTS)).collect();
    bridge.turn(|knobs| knobs.accounts = accounts);
    bridge
}

fn account(number: usize, rows: usize) -> Account {
    let is_broker = number < BROKERS;
    let name = if is_broker { "Brokerage" } else { "Checking" };
    let row = |at: usize| {
        let (cents, ago) = (at * 7_919 % 90_000 + 100, at * usize::try_from(DAYS).unwrap() / rows);
        let (sign, words) = match (is_broker, at % 3) {
            (true, 0) => ("-", "ADVISORY FEE"),
            (true, _) => ("", "DIVIDEND RECEIVED"),
            (false, 0) => ("", "PAYROLL"),
            (false, _) => ("-", "CARD PURCHASE"),
        };
        let id = format!("TRN-{number:02}-{at:08}");
        let amount = format!("{sign}{}.{:02}", cents / 100, cents % 100).leak();
        let description = format!("{words} {:04} MAIN STREET", at * 31 % 10_000).leak();
        Row::new(&id, 1 + i64::try_from(ago).unwrap(), amount, description)
    };
    let holdings = (0..POSITIONS).map(|at| {
        let units = 10 + at;
        json!({
            "id": format!("HOL-{number}-{at}"), "created": 1_780_000_000, "currency": "USD",
            "cost_basis": format!("{}.00", units * 20), "description": format!("Fund {at}"),
            "market_value": format!("{}.00", units * 25), "purchase_price": "20.00",
            "shares": format!("{units}.000"), "symbol": format!("F{number}X{at}")
        })
    });
    Account {
        id: format!("ACT-{number}").leak(),
        name: format!("{name} {number:02}").leak(),
        conn: if is_broker { "CON-2" } else { "CON-1" },
        currency: "USD",
        balance: "1000000.00".to_owned(),
        rows: (0..rows).map(row).collect(),
        holdings: is_broker.then(|| holdings.collect()),
    }
}

/// The same rows for `sqlite3`.
fn write_csv(path: &Path, bridge: &Bridge) {
    let mut out = std::io::BufWriter::new(File::create(path).unwrap());
    writeln!(out, "account,id,posted,transacted_at,amount,description,payee,memo,pending").unwrap();
    bridge.turn(|knobs| {
        for account in &knobs.accounts {
            for Row { id, ago, amount, description, .. } in &account.rows {
                let at = knobs.now - ago * 86_400;
                writeln!(out, "{},{id},{at},{at},{amount},{description},,,0", account.id).unwrap();
            }
            for held in account.holdings.iter().flat_map(|it| it.as_array().unwrap()) {
                let text = |name: &str| held[name].as_str().unwrap().to_owned();
                let [id, units, worth, cost] =
                    ["id", "shares", "market_value", "cost_basis"].map(text);
                let symbol = text("symbol");
                writeln!(out, "{},{id},,,{worth},{symbol},{units},{cost},0", account.id).unwrap();
            }
        }
    });
    out.flush().unwrap();
}

impl Bench {
    /// The program on a data folder, this Bridge being the one it may ask. A credential of systemd
    /// opens the vault, where it is not open anyway.
    fn at(&self, store: &Path, bridge: &Bridge, arguments: &str) -> Command {
        let (config, folder) = (self.path("config.toml"), self.path("credentials"));
        fs::write(&config, format!("[simplefin]\nbase_url = \"{}\"\n", bridge.server.base))
            .unwrap();
        let passphrase = folder.join("dashtam-passphrase");
        if !passphrase.exists() {
            fs::create_dir(&folder).unwrap();
            fs::write(&passphrase, "correct horse battery staple\n").unwrap();
            fs::set_permissions(&passphrase, Permissions::from_mode(0o400)).unwrap();
        }
        let mut command = self.dashtam(arguments);
        command.arg("--data-dir").arg(store);
        command.env("DASHTAM_CONFIG", config).env("CREDENTIALS_DIRECTORY", folder);
        command
    }

    /// Connects a data folder to a Bridge, which has told it nothing yet.
    fn connect(&self, store: &Path, bridge: &Bridge, vault: &str) {
        bridge.turn(|knobs| (knobs.claimed, knobs.windows) = (false, Vec::new()));
        let token = bridge.token();
        for (line, input) in [(vault, ""), ("connect simplefin --paste", token.as_str())] {
            let mut command = self.at(store, bridge, line);
            command.stdin(Stdio::piped()).stdout(Stdio::null());
            let mut process = command.spawn().unwrap();
            process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
            assert!(process.wait().unwrap().success(), "{line}");
        }
    }

    /// All of a year into an empty store, beside the same rows into a table.
    fn refresh(&self, table: &mut Table, rows: usize, runs: usize) {
        let work = format!("refresh {rows} rows, {} positions", BROKERS * POSITIONS);
        announce(&work);
        let (bridge, csv, other) = (bank(rows), self.path("rows.csv"), self.path("other.db"));
        write_csv(&csv, &bridge);
        let has_yardstick = self.has("sqlite3");
        let [mut theirs, mut ours, mut again] = [const { Vec::new() }; 3];
        for run in 0..runs {
            if has_yardstick {
                let mut sqlite = self.program("sqlite3");
                sqlite.arg(&other).arg(format!(".import --csv '{}' t", csv.display()));
                theirs.push(measure::run(&mut sqlite));
                fs::remove_file(&other).unwrap();
            }
            let store = self.path(&format!("refreshed-{run}"));
            self.connect(&store, &bridge, OPEN);
            ours.push(measure::run(&mut self.at(&store, &bridge, "--refresh-only")));
            again.push(measure::run(&mut self.at(&store, &bridge, "refresh --force")));
            bridge.turn(|knobs| assert_eq!(knobs.faults, [""; 0]));
            fs::remove_dir_all(store).unwrap();
        }
        let took = medians(&ours);
        let against = has_yardstick.then(|| {
            // Less than a tick of the clock is no measure.
            let cpu = medians(&theirs).cpu.max(0.01);
            Against {
                yardstick: "sqlite3 .import, CPU",
                took: format!("{cpu:.2} s"),
                figure: took.cpu / cpu,
                bound: TIMES_SQLITE,
                unit: "x",
            }
        });
        table.line(&work, Some(took), against);
        alone(table, "  its memory", took.peak, PEAK_MIB, "MiB");
        table.line("the same again: nothing is new", Some(medians(&again)), None);
    }

    /// What opening the vault takes: a refresh that brings nothing, with a passphrase and without.
    fn unlock(&self, table: &mut Table, runs: usize) {
        announce("unlocking");
        let bridge = bank(ACCOUNTS);
        for (work, vault) in [
            ("a small refresh that brings nothing", OPEN),
            ("  the same, opening the vault", WITH_PASSPHRASE),
        ] {
            let store = self.path(work.trim());
            self.connect(&store, &bridge, vault);
            let run = |_| measure::run(&mut self.at(&store, &bridge, "refresh --force"));
            run(0);
            let took: Vec<Figures> = (0..runs).map(run).collect();
            table.line(work, Some(medians(&took)), None);
        }
    }

    /// Keys in a list of holdings, while nothing happens and while a first refresh goes on.
    fn keys(&self, table: &mut Table, rows: usize, runs: usize) {
        announce("keys, while nothing happens and while a refresh goes on");
        let bridge = bank(rows);
        let [mut quiet, mut busy] = [const { Vec::new() }; 2];
        for run in 0..runs {
            let store = self.path(&format!("looked-at-{run}"));
            fs::rename(self.filled(ROWS_BEFORE), &store).unwrap();
            let mut typist = self.sits_at(&store, &bridge);
            quiet.extend((0..QUIET_KEYS).map(|at| typist.press(["j", "k"][at % 2])));
            typist.close();
            self.connect(&store, &bridge, OPEN);
            busy.extend(self.while_refreshing(&store, &bridge));
            fs::remove_dir_all(store).unwrap();
        }
        let most = |figures: &[f64]| figures.iter().copied().fold(0.0, f64::max);
        let (before, meanwhile) = (median(&mut quiet), median(&mut busy));
        let against = Against {
            yardstick: "while nothing happens",
            took: format!("{before:.2} ms, slowest {:.1} ms", most(&quiet)),
            figure: meanwhile / before,
            bound: KEY_TIMES,
            unit: "x",
        };
        let work = format!("a key of {} meanwhile, median {meanwhile:.2} ms", busy.len());
        table.line(&work, None, Some(against));
        alone(table, "  the slowest", most(&busy), LONGEST_KEY_MS, "ms");
    }

    /// Somebody who looks at what they hold.
    fn sits_at(&self, store: &Path, bridge: &Bridge) -> Typist {
        let mut typist = Typist::at(&self.at(store, bridge, ""));
        typist.wait_until(|shown| !shown.trim().is_empty());
        // Into the midst of the list.
        typist.write("2jjjjjjjjjj");
        typist.wait_until(|shown| shown.contains("Holdings") && shown.contains("L lots"));
        std::thread::sleep(Duration::from_secs(1));
        typist
    }

    /// What each key took, from the first question of the refresh until its rows are seen and what
    /// follows from them is there too.
    fn while_refreshing(&self, store: &Path, bridge: &Bridge) -> Vec<f64> {
        let mut typist = self.sits_at(store, bridge);
        let (mut took, start, mut over) = (Vec::new(), Instant::now(), None::<Instant>);
        let mut keys = ["j", "k"].iter().cycle();
        while over.is_none_or(|over| over.elapsed() < AFTERWARDS) {
            assert!(start.elapsed() < PATIENCE, "{}", typist.shown());
            let ms = typist.press(keys.next().unwrap());
            if bridge.asked() > 0 {
                took.push(ms);
            }
            if over.is_none() && typist.shown().contains("● live") {
                over = Some(Instant::now());
            }
        }
        typist.close();
        took
    }
}

fn alone(table: &mut Table, work: &str, figure: f64, bound: f64, unit: &str) {
    let against = Against { yardstick: "", took: String::new(), figure, bound, unit };
    table.line(work, None, Some(against));
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
