//! What the program takes for its heavy work, beside what others take for the same: `cargo bench
//! --bench figures`. It sees the program from outside, as child processes, and never fails on a
//! figure: machines differ and are busy, so read ratios before times.
//!
//! Yardsticks are `sqlite3` and `psql`; a missing one is said loudly and its lines left out.
//! `DASHTAM_BENCH_ROWS=100000,1000000` sets the sizes of import, `DASHTAM_BENCH_RUNS` how often
//! each is measured (else five times the first, once the second).

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
#[path = "../tests/support/postgres.rs"]
mod postgres;
mod support;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use support::bench::{Bench, announce, setting};
use support::measure::{Figures, medians};
use support::portfolio::{Files, TEN_YEARS};
use support::table::{Against, Table};
use support::{measure, portfolio};

/// Import may take so many times the CPU of `sqlite3 .import`, which neither checks nor indexes nor
/// keeps lots, positions and cash beside the rows.
const IMPORT_TIMES_SQLITE: f64 = 8.0;
/// And so many times the time of `\copy`.
const IMPORT_TIMES_COPY: f64 = 3.0;
/// Ten times the rows may take eleven times the CPU.
const GROWTH: f64 = 1.1;
const IMPORT_PEAK_MIB: f64 = 64.0;
/// A page of transactions may take so many times a bare start, and so many seconds more.
const PAGE_TIMES_START: f64 = 3.0;
const PAGE_MORE: f64 = 0.020;
/// How often what takes milliseconds is measured.
const SHORT_RUNS: u32 = 15;

fn main() {
    let Some(bench) = Bench::new("figures") else { return };
    let mut table = Table::default();
    let sizes = bench.sizes();
    let small = sizes.first().expect("DASHTAM_BENCH_ROWS names a size");
    let large = sizes.last().unwrap();

    let mut first = None;
    for size in &sizes {
        let took = bench.import(&mut table, size);
        let (rows, cpu) = *first.get_or_insert((size.rows, took.cpu));
        if rows != size.rows {
            let times = f64::from(size.rows) / f64::from(rows);
            let against = Against {
                yardstick: &format!("import {rows} rows, CPU"),
                took: format!("{cpu:.2} s"),
                figure: took.cpu / cpu,
                bound: times * GROWTH,
                unit: "x",
            };
            table.line("  its growth", None, Some(against));
        }
    }
    bench.import_again(&mut table, small);
    bench.import_into_postgres(&mut table, small);
    bench.pages(&mut table, large);
    bench.accounts(&mut table, large);
    bench.undo(&mut table, large);
    print!("\n{table}");
}

/// So many rows, and how often their import is measured.
struct Size {
    rows: u32,
    runs: u32,
}

impl Bench {
    fn sizes(&self) -> Vec<Size> {
        let rows = setting("DASHTAM_BENCH_ROWS").unwrap_or_else(|| "100000,1000000".to_owned());
        let runs =
            setting("DASHTAM_BENCH_RUNS").map(|runs| runs.parse().expect("a number of runs"));
        let rows = rows.split(',').map(|rows| rows.trim().parse().expect("a number of rows"));
        let sizes = rows.enumerate().map(|(at, rows)| {
            let size = Size { rows, runs: runs.unwrap_or(if at == 0 { 5 } else { 1 }) };
            let securities = if rows > 100_000 { 200 } else { 100 };
            let files = Files { rows: self.file(&size), prices: None, journal: None };
            portfolio::write(&files, TEN_YEARS, rows, securities).unwrap();
            size
        });
        sizes.collect()
    }

    /// The rows as CSV.
    fn file(&self, size: &Size) -> PathBuf {
        self.path(&format!("{}.csv", size.rows))
    }

    /// The store the rows were imported into.
    fn store(&self, size: &Size) -> PathBuf {
        self.path(&format!("{}.store", size.rows))
    }

    /// A command on the store of this size.
    fn on(&self, size: &Size, arguments: &str) -> Command {
        let mut command = self.dashtam(arguments);
        command.arg("--json").arg("--data-dir").arg(self.store(size));
        command
    }

    /// Into a new store; the last one stays.
    fn import(&self, table: &mut Table, size: &Size) -> Figures {
        let work = format!("import {} rows into SQLite", size.rows);
        announce(&work);
        let (file, store, other) = (self.file(size), self.store(size), self.path("other.db"));
        let has_yardstick = self.has("sqlite3");
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..size.runs {
            if has_yardstick {
                let mut sqlite = self.program("sqlite3");
                sqlite.arg(&other).arg(format!(".import --csv '{}' t", file.display()));
                theirs.push(measure::run(&mut sqlite));
                fs::remove_file(&other).unwrap();
            }
            let _ = fs::remove_dir_all(&store);
            ours.push(measure::run(self.on(size, "import").arg(&file)));
        }
        let took = medians(&ours);
        let against = has_yardstick.then(|| {
            // Less than a tick of the clock is no measure.
            let cpu = medians(&theirs).cpu.max(0.01);
            Against {
                yardstick: "sqlite3 .import, CPU",
                took: format!("{cpu:.2} s"),
                figure: took.cpu / cpu,
                bound: IMPORT_TIMES_SQLITE,
                unit: "x",
            }
        });
        table.line(&work, Some(took), against);
        let against = Against {
            yardstick: "",
            took: String::new(),
            figure: took.peak,
            bound: IMPORT_PEAK_MIB,
            unit: "MiB",
        };
        table.line("  its memory", None, Some(against));
        took
    }

    /// The same file into a store that has all its rows.
    fn import_again(&self, table: &mut Table, size: &Size) {
        let work = format!("import {} rows again", size.rows);
        announce(&work);
        let run = || {
            let mut import = self.dashtam("import --json --data-dir");
            measure::run(import.arg(self.path("again.store")).arg(self.file(size)))
        };
        run();
        let took: Vec<Figures> = (0..size.runs).map(|_| run()).collect();
        table.line(&work, Some(medians(&took)), None);
    }

    /// Into an empty store each time, which is there already. Beside it `\copy` of the rows that came
    /// of it into a table with the same keys and indexes; and, since that is what people try first,
    /// `\copy` of the file into a table with neither. `DASHTAM_TEST_POSTGRES_URL` names a server that
    /// is durable as people's are.
    fn import_into_postgres(&self, table: &mut Table, size: &Size) {
        const BARE: &str = "create table bare (date date, account text, type text, symbol text, \
            quantity numeric, price numeric, fee numeric, currency text, amount numeric)";
        let work = format!("import {} rows into Postgres", size.rows);
        announce(&work);
        if !self.has("psql") {
            return;
        }
        let file = self.file(size);
        let rows = self.path("rows.binary");
        let (mut bare, mut same, mut ours) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..size.runs {
            let Some(database) = postgres::postgres_url() else { return };
            let psql = |what: &str| {
                let mut psql = self.program("psql");
                psql.args(["--no-psqlrc", "--set=ON_ERROR_STOP=1", "--dbname", &database]);
                psql.args(["--command", what]);
                measure::run(&mut psql)
            };
            let dashtam = |what: &str| {
                let mut command = self.dashtam(what);
                command.arg("--database").arg(&database);
                command.arg("--data-dir").arg(self.path("beside-postgres"));
                command
            };
            psql(BARE);
            bare.push(psql(&format!("\\copy bare from '{}' csv header", file.display())));
            measure::run(&mut dashtam("migrate"));
            ours.push(measure::run(dashtam("import --json").arg(&file)));
            psql(&format!("\\copy transactions to '{}' binary", rows.display()));
            psql("create table same (like transactions including all)");
            same.push(psql(&format!("\\copy same from '{}' binary", rows.display())));
        }
        let took = medians(&ours);
        for (yardstick, theirs) in [
            ("\\copy of its rows into the same table, wall", same),
            ("\\copy of the file into a bare table, wall", bare),
        ] {
            let wall = medians(&theirs).wall;
            let against = Against {
                yardstick,
                took: format!("{:.1} ms", wall * 1_000.0),
                figure: took.wall / wall,
                bound: IMPORT_TIMES_COPY,
                unit: "x",
            };
            table.line(&work, Some(took), Some(against));
        }
    }

    /// Fifty transactions from several places, beside a start that does nothing.
    fn pages(&self, table: &mut Table, size: &Size) {
        announce(&format!("pages of {} transactions", size.rows));
        let deep = format!("--after {}", self.deep_cursor(size));
        let places = [
            ("first page", ""),
            ("page from the middle", "--from 2020-01-01"),
            ("page near the end", deep.as_str()),
            ("page of one account", "--account A03"),
        ];
        for (place, flags) in places {
            let (mut starts, mut pages) = (Vec::new(), Vec::new());
            for _ in 0..SHORT_RUNS {
                starts.push(measure::run(&mut self.dashtam("--version")));
                let page = format!("report transactions --limit 50 {flags}");
                pages.push(measure::run(&mut self.on(size, &page)));
            }
            let (took, start) = (medians(&pages), medians(&starts).wall);
            let against = Against {
                yardstick: "--version, wall",
                took: format!("{:.1} ms", start * 1_000.0),
                figure: took.wall * 1_000.0,
                bound: (start * PAGE_TIMES_START + PAGE_MORE) * 1_000.0,
                unit: "ms",
            };
            table.line(&format!("{place} of {}", size.rows), Some(took), Some(against));
        }
    }

    /// Where a page in the last month begins, by the program's own answer.
    fn deep_cursor(&self, size: &Size) -> String {
        let page = "report transactions --limit 1 --from 2024-12-01";
        let answer = self.on(size, page).output().unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
        answer["next"].as_str().expect("there is more").to_owned()
    }

    fn accounts(&self, table: &mut Table, size: &Size) {
        let work = format!("report accounts of {}", size.rows);
        announce(&work);
        let run = |_| measure::run(&mut self.on(size, "report accounts"));
        let took: Vec<Figures> = (0..SHORT_RUNS).map(run).collect();
        table.line(&work, Some(medians(&took)), None);
    }

    /// Once only: afterwards the store is empty.
    fn undo(&self, table: &mut Table, size: &Size) {
        let work = format!("undo the import of {}", size.rows);
        announce(&work);
        let took = measure::run(&mut self.on(size, "import undo 1"));
        table.line(&work, Some(took), None);
    }
}
