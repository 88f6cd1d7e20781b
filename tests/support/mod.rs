//! What several test files need. Each `tests/*.rs` that wants it says `mod support;`; it knows
//! nothing of the product's insides.
#![allow(dead_code, reason = "every test file compiles its own copy and uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test helper that cannot go on should stop the test at once"
)]

pub mod alpaca;
pub mod bank;
pub mod browser;
pub mod delivery;
pub mod engines;
pub mod home;
pub mod jar;
pub mod mutate;
pub mod payloads;
pub mod postgres;
pub mod schwab;
pub mod schwab_market;
pub mod server;
pub mod simplefin;
pub mod source;
pub mod terminal;

use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder with `Cargo.toml`.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Says something to whoever watches, which the test harness would swallow from `eprintln!`.
pub fn announce(message: &str) {
    let _ = writeln!(std::io::stderr(), "{message}");
}

/// Says what a sweep came to; `.ci/run --full` gathers these lines.
pub fn sum_up(message: &str) {
    announce(&format!("sweep: {message}"));
}

/// All `.rs` files below a folder of the repository, sorted.
pub fn rust_files(folder: &str) -> Vec<PathBuf> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    found
}

/// The text of a file of the repository.
pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The path as people know it: from the repository's top, with forward slashes.
pub fn short(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}
