//! What drawing a pane and looking for rows costs on a large store, without a terminal: `cargo bench
//! --bench panes`. It drives the dashboard itself with keys. It never fails on a figure: machines
//! differ and are busy.
//!
//! `DASHTAM_BENCH_ROWS=1000000` sets the size of the store. The yardstick of a search is `sqlite3`;
//! where it is missing that is said loudly and its line left out.

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

#[path = "../tests/support/screen.rs"]
mod screen;
mod support;

use std::path::Path;
use std::time::Instant;

use dashtam::clock::Clock;
use dashtam::config::{Config, Environment, Overrides};
use dashtam::service::{Access, Session};
use screen::Dashboard;
use support::bench::{Bench, announce, setting};
use support::measure;
use support::table::{Against, Table};

const SIZE: (u16, u16) = (200, 50);
/// A frame may take so long, all but the slowest of a hundred.
const FRAME_MS: f64 = 3.0;
const FRAMES: usize = 300;
/// The first window of a filter may take so many times what reading that column takes.
const FILTER_TIMES: f64 = 1.2;
const SEARCHES: usize = 5;
/// Nothing has it, so every row is looked at.
const NOWHERE: &str = "zzqzz";

fn main() {
    let Some(bench) = Bench::new("panes") else { return };
    let rows = setting("DASHTAM_BENCH_ROWS").map_or(1_000_000, |rows| rows.parse().unwrap());
    let store = bench.filled(rows);
    describe(&bench, &store);
    let mut table = Table::default();
    screen::run(async {
        let flags = Overrides { data_dir: Some(store.clone()), ..Overrides::default() };
        let config = Config::load(&flags, &Environment::default()).unwrap();
        let clock = Clock::fixed("2025-01-02T15:00:00Z".parse().unwrap(), chrono_tz::Tz::UTC);
        let session = Session::open(&config, &clock, Access::Watch).await.unwrap();
        let mut dashboard = Dashboard::over(session, None, SIZE, screen::options()).await;
        for (pane, keys) in screen::PANES {
            let slow = frames(&mut dashboard, keys).await;
            let work = format!("{pane} at 200x50, p99 of {FRAMES} frames");
            let against = Against {
                yardstick: "",
                took: String::new(),
                figure: slow,
                bound: FRAME_MS,
                unit: "ms",
            };
            table.line(&work, None, Some(against));
        }
        search(&bench, &mut dashboard, &store, &mut table).await;
        dashboard.close().await;
    });
    print!("\n{table}");
}

/// Every row is told something to look through, as banks do and the generator does not.
fn describe(bench: &Bench, store: &Path) {
    if bench.has("sqlite3") {
        let sql = "update transactions set description = 'Payment ' || id || ' to a Shop in Town'";
        measure::run(bench.program("sqlite3").arg(store.join("dashtam.db")).arg(sql));
    }
}

/// Draws a pane again and again while its cursor moves; gives the milliseconds of the slowest frame
/// but one of a hundred.
async fn frames(dashboard: &mut Dashboard, keys: &str) -> f64 {
    dashboard.keys(&format!("Esc Esc {keys}")).await;
    let mut took: Vec<f64> = Vec::with_capacity(FRAMES);
    for frame in 0..FRAMES {
        if frame % 10 == 0 {
            dashboard.keys(if frame % 20 < 10 { "j" } else { "k" }).await;
        }
        let start = Instant::now();
        std::hint::black_box(dashboard.buffer());
        took.push(start.elapsed().as_secs_f64() * 1_000.0);
    }
    took.sort_by(f64::total_cmp);
    took[FRAMES * 99 / 100]
}

/// Types a filter that nothing fits, beside a program that reads the same column.
async fn search(bench: &Bench, dashboard: &mut Dashboard, store: &Path, table: &mut Table) {
    announce("a filter that nothing fits");
    dashboard.keys("Esc Esc 3").await;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let has_yardstick = bench.has("sqlite3");
    let sql = format!("select count(*) from transactions where description like '%{NOWHERE}%'");
    for _ in 0..SEARCHES {
        dashboard.keys("/").await;
        let typed: Vec<_> = NOWHERE.chars().map(String::from).collect();
        dashboard.press(&typed.join(" "));
        let start = Instant::now();
        dashboard.until("nothing fits").await;
        ours.push(start.elapsed().as_secs_f64() * 1_000.0);
        dashboard.settle().await;
        dashboard.keys("Esc Esc").await;
        if has_yardstick {
            let mut sqlite = bench.program("sqlite3");
            sqlite.arg(store.join("dashtam.db")).arg(&sql);
            theirs.push(measure::run(&mut sqlite).wall * 1_000.0);
        }
    }
    if has_yardstick {
        let (ours, theirs) = (median(ours), median(theirs));
        let against = Against {
            yardstick: "sqlite3, reading the column",
            took: format!("{theirs:.1} ms"),
            figure: ours / theirs,
            bound: FILTER_TIMES,
            unit: "x",
        };
        table.line(&format!("no row fits a filter: {ours:.1} ms"), None, Some(against));
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
