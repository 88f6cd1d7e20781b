//! The figures a second time: a slow and obvious program over exact fractions, written from the
//! definitions alone, that a test holds the real one against. It reads the neutral files itself
//! and must know nothing of the product.
//!
//! It knows one class of account (investment and cash), one source of prices, and rows paid in the
//! currency of their security; other rows stop the test.
#![allow(dead_code, reason = "every test file compiles its own copy and uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test helper that cannot go on should stop the test at once"
)]

pub mod book;
pub mod files;
pub mod lots;
pub mod market;
pub mod performance;
pub mod portfolio;
pub mod reports;
pub mod rough;
pub mod table;

use num_bigint::BigInt;
use num_rational::BigRational;

/// A figure, exact.
pub type Q = BigRational;
pub type Day = chrono::NaiveDate;

/// The figure that a decimal text stands for; none where it is no decimal.
pub fn decimal(text: &str) -> Option<Q> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}");
    let unsigned = digits.strip_prefix('-').unwrap_or(&digits);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let scale = BigInt::from(10).pow(u32::try_from(fraction.len()).unwrap());
    Some(Q::new(digits.parse().unwrap(), scale))
}

/// The same for what must be a decimal.
pub fn q(text: &str) -> Q {
    decimal(text).unwrap_or_else(|| panic!("`{text}` is no decimal"))
}

/// A sum of what may be unknown.
pub fn plus(a: Option<&Q>, b: Option<&Q>) -> Option<Q> {
    Some(a? + b?)
}

/// A difference of what may be unknown.
pub fn minus(a: Option<&Q>, b: Option<&Q>) -> Option<Q> {
    Some(a? - b?)
}

pub fn day(text: &str) -> Day {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no date"))
}
