//! What holdings, net worth and their upkeep take, beside what others take for the same and beside
//! themselves with fewer rows: `cargo bench --bench ledger`. It sees the program from outside, as
//! child processes, and never fails on a figure: machines differ and are busy, so read ratios
//! before times.
//!
//! The yardstick is `hledger`; if it is missing, that is said loudly and its lines are left out.
//! `DASHTAM_BENCH_ROWS=10000,100000,1000000` sets the three sizes; the bounds are meant for these.

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

use std::path::PathBuf;
use std::process::Command;

use chrono::Months;
use support::bench::{Bench, announce, setting};
use support::measure::{Figures, medians};
use support::portfolio::{Files, TEN_YEARS};
use support::table::{Against, Table};
use support::{measure, portfolio};

/// Of every size, so that sizes differ in rows alone.
const SECURITIES: usize = 100;
/// Holdings may take such a part of hledger's CPU, from few rows and from many.
const HOLDINGS_TIMES_HLEDGER: [f64; 2] = [0.1, 0.03];
const NET_WORTH_TIMES_HLEDGER: f64 = 0.05;
/// A hundred times the rows may take so many times as long.
const HOLDINGS_GROWTH: f64 = 1.5;
const PAST_TIMES_TODAY: f64 = 5.0;
/// Ten years of performance by account may take so many times as long as holdings, and of ten times
/// the rows so many times as long as of few; a part of them so many times as long as all.
const PERFORMANCE_TIMES_HOLDINGS: f64 = 3.0;
const PERFORMANCE_GROWTH: f64 = 1.5;
const RANGE_TIMES_ALL: f64 = 1.2;
/// By holding there is a line for each, and all their rows are followed.
const BY_HOLDING_GROWTH: f64 = 12.0;
/// Seconds that a change of an old row may take.
const CHANGE: f64 = 0.200;
/// An import into a store of many rows may take so many times one into an empty store, and so many
/// seconds more.
const NEWER_TIMES_EMPTY: f64 = 2.0;
const NEWER_MORE: f64 = 0.200;
const NEWER_ROWS: u32 = 1_000;
const REBUILD_TIMES_EXPORT: f64 = 4.0;
const BACKUP_TIMES_EXPORT: f64 = 2.0;
/// MiB that a backup may take, of however many rows.
const BACKUP_MEMORY: f64 = 64.0;
const RESTORE_TIMES_IMPORT: f64 = 2.0;
const DOCTOR_TIMES_EXPORT: f64 = 3.0;
/// How often what takes milliseconds is measured, and what takes a second or a few.
const SHORT_RUNS: u32 = 15;
const RUNS: u32 = 3;

fn main() {
    let Some(bench) = Bench::new("ledger") else { return };
    let mut table = Table::default();
    let rows = setting("DASHTAM_BENCH_ROWS").unwrap_or_else(|| "10000,100000,1000000".to_owned());
    let rows = rows.split(',').map(|rows| rows.trim().parse().expect("a number of rows"));
    let rows: Vec<u32> = rows.collect();
    let [small, middle, large] = rows[..] else { panic!("DASHTAM_BENCH_ROWS names three sizes") };

    let [_, _, import] = [small, middle, large].map(|rows| bench.fill(rows));
    if bench.has("hledger") {
        for (rows, bound) in [small, middle].into_iter().zip(HOLDINGS_TIMES_HLEDGER) {
            bench.holdings(&mut table, rows, bound);
        }
        bench.net_worth(&mut table, middle);
    }
    bench.growth(&mut table, small, large);
    bench.past(&mut table, middle);
    bench.past(&mut table, large);
    bench.performance(&mut table, middle, large);
    bench.change(&mut table, large);
    bench.newer(&mut table, large);
    bench.rebuild(&mut table, large);
    bench.backup(&mut table, large);
    bench.doctor(&mut table, large);
    bench.restore(&mut table, large, import);
    print!("\n{table}");
}

impl Bench {
    /// The portfolio for hledger.
    fn journal(&self, rows: u32) -> PathBuf {
        self.path(&format!("{rows}.journal"))
    }

    /// The store that has it.
    fn store(&self, rows: u32) -> PathBuf {
        self.path(&format!("{rows}.store"))
    }

    /// A command on the store of so many rows.
    fn on(&self, rows: u32, arguments: &str) -> Command {
        let mut command = self.dashtam(arguments);
        command.arg("--data-dir").arg(self.store(rows));
        command
    }

    /// What hledger knows at the end of the last day.
    fn hledger(&self, rows: u32, arguments: &str) -> Command {
        let mut command = self.program("hledger");
        command.arg("-f").arg(self.journal(rows)).args(["bal", "Assets", "-e"]);
        command.arg(TEN_YEARS.end.to_string()).args(arguments.split_whitespace());
        command
    }

    /// Makes the store of so many rows and the journal of the same; tells what the import took.
    fn fill(&self, rows: u32) -> Figures {
        announce(&format!("a store of {rows} rows"));
        let prices = self.path("prices.csv");
        let files = Files {
            rows: self.path("rows.csv"),
            prices: Some(prices.clone()),
            journal: Some(self.journal(rows)),
        };
        portfolio::write(&files, TEN_YEARS, rows, SECURITIES).unwrap();
        measure::run(self.on(rows, "import").arg(&files.rows).arg(&prices))
    }

    fn holdings(&self, table: &mut Table, rows: u32, bound: f64) {
        let work = format!("report holdings of {rows}");
        announce(&format!("{work} beside hledger"));
        let [took, theirs] = in_turn(
            RUNS,
            || self.on(rows, "report holdings --json"),
            || self.hledger(rows, "--flat --value=end,USD"),
        );
        table.line(&work, Some(took), Some(beside_cpu("hledger bal, CPU", took, theirs, bound)));
    }

    fn net_worth(&self, table: &mut Table, rows: u32) {
        let work = format!("report net-worth of {rows} by month");
        announce(&format!("{work} beside hledger"));
        let last_day = TEN_YEARS.end.pred_opt().unwrap();
        let report = format!("report net-worth --every month --to {last_day} --json");
        let ours: Vec<Figures> =
            (0..RUNS).map(|_| measure::run(&mut self.on(rows, &report))).collect();
        // Most of a minute, so once.
        let theirs = measure::run(&mut self.hledger(rows, "-M -H --value=end,USD --depth 1"));
        let took = medians(&ours);
        let against = beside_cpu("hledger bal -M, CPU", took, theirs, NET_WORTH_TIMES_HLEDGER);
        table.line(&work, Some(took), Some(against));
    }

    /// Many rows beside few.
    fn growth(&self, table: &mut Table, few: u32, many: u32) {
        let work = format!("report holdings of {many}");
        announce(&format!("{work} beside {few}"));
        let report = |rows| move || self.on(rows, "report holdings --json");
        let [took, its] = in_turn(SHORT_RUNS, report(many), report(few));
        let yardstick = format!("holdings of {few}, wall");
        let against = beside_wall(&yardstick, took, its, HOLDINGS_GROWTH);
        table.line(&work, Some(took), Some(against));
    }

    /// A day long ago beside today.
    fn past(&self, table: &mut Table, rows: u32) {
        let work = format!("holdings of {rows} in 2018");
        announce(&work);
        let [took, its] = in_turn(
            SHORT_RUNS,
            || self.on(rows, "report holdings --json --as-of 2018-06-15"),
            || self.on(rows, "report holdings --json"),
        );
        let against = beside_wall("holdings of today, wall", took, its, PAST_TIMES_TODAY);
        table.line(&work, Some(took), Some(against));
    }

    /// Ten years of it by account and by holding. The days of accounts were kept by the import, as
    /// its prices came with it.
    fn performance(&self, table: &mut Table, few: u32, many: u32) {
        let last = TEN_YEARS.end.pred_opt().unwrap();
        let report = |rows, by: &str, from: &str| {
            self.on(rows, &format!("report performance --json --by {by}{from} --to {last}"))
        };
        let by_account = |rows| report(rows, "account", "");
        let work = format!("performance of {few} by account");
        announce(&format!("{work} beside holdings"));
        let [took, its] =
            in_turn(SHORT_RUNS, || by_account(few), || self.on(few, "report holdings --json"));
        let against = beside_wall("holdings, wall", took, its, PERFORMANCE_TIMES_HOLDINGS);
        table.line(&work, Some(took), Some(against));
        let work = format!("performance of {many} by account");
        announce(&format!("{work} beside {few}"));
        let [took, its] = in_turn(SHORT_RUNS, || by_account(many), || by_account(few));
        let yardstick = format!("of {few}, wall");
        let against = beside_wall(&yardstick, took, its, PERFORMANCE_GROWTH);
        table.line(&work, Some(took), Some(against));
        let from = format!(" --from {}", last - Months::new(12));
        let range = || report(many, "account", &from);
        let [took, its] = in_turn(SHORT_RUNS, range, || by_account(many));
        let against = beside_wall("of all years, wall", took, its, RANGE_TIMES_ALL);
        table.line("  and of its last year", Some(took), Some(against));
        let work = format!("performance of {many} by holding");
        announce(&format!("{work} beside {few}"));
        let by_holding = |rows| move || report(rows, "holding", "");
        let [took, its] = in_turn(RUNS, by_holding(many), by_holding(few));
        let yardstick = format!("of {few}, CPU");
        let against = beside_cpu(&yardstick, took, its, BY_HOLDING_GROWTH);
        table.line(&work, Some(took), Some(against));
    }

    /// A purchase of long ago goes, comes back and costs something else.
    fn change(&self, table: &mut Table, rows: u32) {
        announce(&format!("a change of an old row of {rows}"));
        let id = self.old_purchase(rows);
        let [mut deleted, mut restored, mut edited] = [const { Vec::new() }; 3];
        for run in 1..=SHORT_RUNS {
            let change = |arguments: &str| measure::run(&mut self.on(rows, arguments));
            deleted.push(change(&format!("txn delete {id}")));
            restored.push(change(&format!("txn delete {id} --restore")));
            edited.push(change(&format!("txn edit {id} --fee {run}")));
        }
        for (work, took) in [("delete", deleted), ("restore", restored), ("edit", edited)] {
            let took = medians(&took);
            let against = Against {
                yardstick: "",
                took: String::new(),
                figure: took.wall * 1_000.0,
                bound: CHANGE * 1_000.0,
                unit: "ms",
            };
            table.line(&format!("{work} an old row of {rows}"), Some(took), Some(against));
        }
    }

    /// The id of one, by the program's own answer.
    fn old_purchase(&self, rows: u32) -> u64 {
        let page = "report transactions --json --limit 50 --from 2015-03-01";
        let answer = self.on(rows, page).output().unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
        let mut page = answer["rows"].as_array().expect("rows").iter();
        let purchase = page.find(|row| row["subtype"] == "buy").expect("something was bought");
        purchase["id"].as_u64().expect("an id")
    }

    /// Rows that come after all others, beside the same in a store that has no others. Each run has
    /// a month of its own, since rows that come again are not new.
    fn newer(&self, table: &mut Table, rows: u32) {
        let work = format!("import {NEWER_ROWS} newer rows into {rows}");
        announce(&work);
        let (mut ours, mut its) = (Vec::new(), Vec::new());
        for month in 0..RUNS {
            let first = TEN_YEARS.end + Months::new(month);
            let files = Files { rows: self.path("newer.csv"), prices: None, journal: None };
            let days = first..first + Months::new(1);
            portfolio::write(&files, days, NEWER_ROWS, SECURITIES).unwrap();
            let empty = self.path(&format!("empty-{month}.store"));
            let on_empty = |arguments: &str| {
                let mut command = self.dashtam(arguments);
                command.arg("--data-dir").arg(&empty);
                command
            };
            measure::run(&mut on_empty("migrate"));
            its.push(measure::run(on_empty("import").arg(&files.rows)));
            ours.push(measure::run(self.on(rows, "import").arg(&files.rows)));
        }
        let (took, its) = (medians(&ours), medians(&its).wall);
        let against = Against {
            yardstick: "into an empty store, wall",
            took: format!("{:.1} ms", its * 1_000.0),
            figure: took.wall * 1_000.0,
            bound: (its * NEWER_TIMES_EMPTY + NEWER_MORE) * 1_000.0,
            unit: "ms",
        };
        table.line(&work, Some(took), Some(against));
    }

    /// Beside an export, which reads all rows too.
    fn rebuild(&self, table: &mut Table, rows: u32) {
        let work = format!("rebuild {rows}");
        announce(&work);
        let [took, its] = in_turn(RUNS, || self.on(rows, "rebuild"), || self.on(rows, "export"));
        table.line(
            &work,
            Some(took),
            Some(beside_cpu("export, CPU", took, its, REBUILD_TIMES_EXPORT)),
        );
    }

    /// The file of a backup of so many rows.
    fn backed_up(&self, rows: u32) -> PathBuf {
        self.path(&format!("{rows}.dashtam-backup"))
    }

    /// Beside an export, which reads all rows too.
    fn backup(&self, table: &mut Table, rows: u32) {
        let work = format!("back up {rows}");
        announce(&work);
        let back_up = || {
            let mut command = self.on(rows, "backup --force");
            command.arg(self.backed_up(rows));
            command
        };
        let [took, its] = in_turn(RUNS, back_up, || self.on(rows, "export"));
        let against = beside_cpu("export, CPU", took, its, BACKUP_TIMES_EXPORT);
        table.line(&work, Some(took), Some(against));
        let memory = Against {
            yardstick: "",
            took: String::new(),
            figure: took.peak,
            bound: BACKUP_MEMORY,
            unit: "MiB",
        };
        table.line(&format!("its memory, of {rows}"), Some(took), Some(memory));
    }

    /// Beside an export, which reads all rows too.
    fn doctor(&self, table: &mut Table, rows: u32) {
        let work = format!("doctor on {rows}");
        announce(&work);
        let [took, its] = in_turn(RUNS, || self.on(rows, "doctor"), || self.on(rows, "export"));
        let against = beside_cpu("export, CPU", took, its, DOCTOR_TIMES_EXPORT);
        table.line(&work, Some(took), Some(against));
    }

    /// Beside the import that brought the rows; once, since each takes a store of its own.
    fn restore(&self, table: &mut Table, rows: u32, import: Figures) {
        let work = format!("restore {rows}");
        announce(&work);
        let mut command = self.dashtam("restore");
        command.arg(self.backed_up(rows)).arg("--data-dir").arg(self.path("restored.store"));
        let took = measure::run(&mut command);
        let against = beside_cpu("import, CPU", took, import, RESTORE_TIMES_IMPORT);
        table.line(&work, Some(took), Some(against));
    }
}

/// The medians of both, measured in turn so that a busy machine slows both.
fn in_turn(runs: u32, ours: impl Fn() -> Command, its: impl Fn() -> Command) -> [Figures; 2] {
    let (mut took, mut yardstick) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        yardstick.push(measure::run(&mut its()));
        took.push(measure::run(&mut ours()));
    }
    [medians(&took), medians(&yardstick)]
}

/// For what takes long.
fn beside_cpu(yardstick: &str, took: Figures, its: Figures, bound: f64) -> Against<'_> {
    // Less than a tick of the clock is no measure.
    let cpu = its.cpu.max(0.01);
    let (figure, its) = (took.cpu / cpu, format!("{cpu:.2} s"));
    Against { yardstick, took: its, figure, bound, unit: "x" }
}

/// For what takes but a few ticks of the clock that counts CPU time.
fn beside_wall(yardstick: &str, took: Figures, its: Figures, bound: f64) -> Against<'_> {
    let (figure, its) = (took.wall / its.wall, format!("{:.1} ms", its.wall * 1_000.0));
    Against { yardstick, took: its, figure, bound, unit: "x" }
}
