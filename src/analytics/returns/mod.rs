//! What came of money that was put in and taken out: the rate that explains it, what each unit of
//! it did, and how quietly. Statistics over figures that are settled elsewhere, so `f64` will do.

mod index;
mod risk;
mod xirr;

pub use index::{DayWorth, Index, Point, annualized};
pub use risk::{Drawdown, drawdown, sharpe, volatility};
pub use xirr::{Flow, NoRate, Rate, xirr};

/// Days of a year, for every rate that is told by the year.
pub(super) const YEAR: f64 = 365.0;
