//! What goes wrong while the program writes, and what must hold afterwards, through the real
//! program on both engines: nothing that was reported is lost, nothing is doubled, every attempt in
//! the trail has the one outcome that agrees with the data, what went wrong is said in one line with
//! the code for it, no temporary file stays, every figure is what the rows say, and the same command
//! again gives what a run gives that never failed.
//!
//! A spread sample by default; every point where `DASHTAM_FULL=1`, with its figures. Another flow is
//! another row of [`flows::FLOWS`]. What a machine lacks (strace, the right to mount, Postgres) is
//! skipped with a line that says so.
//!
//! | fault | where |
//! |---|---|
//! | F1 kills during a refresh, F2 during a large import; F3 at each write | [`kills`]; a lost line: `tests/endurance.rs` |
//! | F3 of what keeps secrets, beside a server too | [`kills`] |
//! | F10 two refreshes at once, F12 a lease whose holder stands still or is gone | [`together`] |
//! | F20 kills while a token that serves once is renewed, F21 ten who renew it | [`tokens`]; more in `tests/credentials.rs` |
//! | F4 cut, flipped and missing logs | [`damage`] |
//! | F5 nothing is durable, F6 no room at each write | [`kills`] |
//! | F6 a full disk (while a dashboard is open, and of the log, too), F7 no writes, F8 few open files | [`disk`] |
//! | F9 a damaged file | [`damage`]; single values: `tests/store_contract.rs` |
//! | F14 a newer schema | `tests/store_contract.rs`, `tests/cli.rs`; a killed migration: [`kills`] |
//! | F15 every older schema | [`damage`] |
//! | F55 a server that crashes, F58 no room for connections, F59 odd servers | [`server`] |
//! | F60, F62, F63, F64 files | [`files`]; more in `tests/cli.rs`, `tests/convergence.rs` |
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test"
)]

#[path = "../support/mod.rs"]
mod support;

mod damage;
mod disk;
mod files;
mod flows;
mod kills;
mod machine;
mod older;
mod server;
mod strace;
mod together;
mod tokens;

use std::process::Command;

fn is_full() -> bool {
    std::env::var("DASHTAM_FULL").is_ok_and(|value| value == "1")
}

/// All of these where everything is to be seen, else so many of them, spread evenly.
fn sample<T: Clone>(all: &[T], few: usize) -> Vec<T> {
    spread(all, if is_full() { all.len() } else { few })
}

/// So many of these, spread evenly.
fn spread<T: Clone>(all: &[T], few: usize) -> Vec<T> {
    if all.len() <= few {
        return all.to_vec();
    }
    // The first and the last are among them.
    (0..few).map(|at| all[at * (all.len() - 1) / (few - 1)].clone()).collect()
}

/// A program that begins another one, with its words; none, and a loud line, where it is missing.
fn tool(words: &[&str]) -> Option<Vec<String>> {
    let tried = Command::new(words[0]).arg("--version").output();
    if tried.is_ok_and(|tried| tried.status.success()) {
        return Some(words.iter().map(|word| (*word).to_owned()).collect());
    }
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    support::announce(&format!("SKIPPED (no {}): {test}", words[0]));
    None
}

/// Numbers that look like chance and are the same every time.
struct Chance(u64);

impl Chance {
    fn of(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }
}
