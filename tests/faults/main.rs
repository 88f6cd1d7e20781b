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

mod damage;
mod disk;
mod files;
mod flows;
mod kills;
mod machine;
mod older;
mod server;
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
