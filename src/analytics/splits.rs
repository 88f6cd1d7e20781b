//! Splits that the rows do not tell: a close that steps by a usual ratio, and who bears it out. It
//! knows neither the store nor the names of things, and applies nothing.
//!
//! Closes and trades follow the market, and so does a crash: they can tell a split from a wrong
//! price, not from bad news. What the market has no hand in can: the row of another own account,
//! and a source that counts new units all along. A break without either is sure only where the
//! ratio is one that a day seldom makes by itself.
//!
//! | file | what it answers |
//! |---|---|
//! | `step` | which closes step, and by which usual ratio |
//! | `witness` | who bears a step out, and who speaks against it |
//! | `share` | what a split makes of each account, and which accounts have it |

mod share;
mod step;
#[cfg(test)]
mod tests;
mod witness;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

pub use share::{Quantities, Share, days_to_know, shares};
pub use step::{Mark, Step, steps};
pub use witness::Witness;

use super::lots::Event;
use crate::model::{AccountId, Close, Dec, Exact, Mention, Ratio, SafeText};

/// A split row that is at most so many days away is the same split.
pub const DAYS: i64 = 10;

/// How the id of a split begins that was seen in the prices.
pub const SEEN: &str = "~split:";

/// The id of a split that was not read from a source but seen in the prices.
#[must_use]
pub fn split_id(security: &Mention, day: NaiveDate, ratio: Ratio) -> SafeText {
    SafeText::new(&format!("{SEEN}{security}:{day}:{ratio}"))
}

/// A split as the rows tell it: one, however many accounts tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldSplit {
    /// The first day that any account tells of it: from there on units are new ones.
    pub day: NaiveDate,
    /// New units for old ones.
    pub ratio: Ratio,
    /// Who tells of it, and when.
    pub accounts: BTreeMap<AccountId, NaiveDate>,
}

/// A step that is likely a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// The first day that counts new units.
    pub day: NaiveDate,
    /// New units for old ones.
    pub ratio: Ratio,
    /// The closes that step.
    pub step: Step,
    /// Who bears it out.
    pub witnesses: Vec<Witness>,
    /// More than the market says so, or the market seldom does that.
    pub sure: bool,
    /// Accounts whose older rows count new units already.
    restated: BTreeSet<AccountId>,
}

/// The breaks of one security, by day. `closes` are its daily ones by date and source, `rows` those
/// of every account in order.
#[must_use]
pub fn breaks(closes: &[Close], rows: &[Event]) -> Vec<Break> {
    let mut found: Vec<Break> = Vec::new();
    for step in steps(closes) {
        let Some(next) = witness::weigh(step, closes, rows) else { continue };
        // What a better source said already is not said again.
        let known = |other: &Break| {
            let days = (other.day - next.day).num_days().abs();
            other.step.source != next.step.source
                && days <= DAYS
                && is_same(other.ratio, next.ratio)
        };
        if !found.iter().any(known) {
            found.push(next);
        }
    }
    found.sort_by_key(|found| found.day);
    found
}

/// Whether two ratios are one, however they are written.
#[must_use]
pub fn is_same(a: Ratio, b: Ratio) -> bool {
    let product = |x: Dec, y: Dec| Exact::from(x).mul(&y.into());
    product(a.new, b.old) == product(b.new, a.old)
}
