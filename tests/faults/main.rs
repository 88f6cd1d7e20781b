//! What goes wrong while the program writes, and what must hold afterwards, through the real
//! program on both engines. A spread sample by default; every point where `DASHTAM_FULL=1`.
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

mod flows;
mod kills;
mod machine;
mod older;
mod strace;

fn is_full() -> bool {
    std::env::var("DASHTAM_FULL").is_ok_and(|value| value == "1")
}

/// All of these where everything is to be seen, else so many of them, spread evenly.
fn sample<T: Clone>(all: &[T], few: usize) -> Vec<T> {
    if is_full() || all.len() <= few {
        return all.to_vec();
    }
    // The first and the last are among them.
    (0..few).map(|at| all[at * (all.len() - 1) / (few - 1)].clone()).collect()
}
