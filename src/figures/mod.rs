//! Derived figures kept beside the rows, so that a question costs the same with a thousand rows and
//! with a million.
//!
//! Of every security (with those it is joined to) there is a page each half-year: its rows as the
//! lots see them, in order, and the lots after the last of them. A write changes the days it touches
//! and plays the rows from there on again; a question about any day begins at the page before it.
//! Nothing here is a fact: [`rebuild()`] makes all of it again from the rows, and must find what is
//! there.

mod account_days;
mod at;
mod cash;
mod codec;
mod course;
mod days;
mod event;
mod history;
mod keeper;
mod linked_cash;
mod market;
mod names;
mod position;
mod rebuild;
mod replay;
mod sheets;
mod splits;

pub use account_days::{AccountCourse, AccountDay, Beyond, Happened, KeptDays, kept_days};
pub use at::{
    RateNeeded, Recosted, Sale, findings, findings_of, group_on, held_on, held_spans,
    lots_of_group, lots_on, positions_on, rates_of_rows, realized, recosted, security_on, sold_if,
    unmoved_since,
};
pub use cash::{cash_changes, cash_on, cash_on_days, settled_cash};
pub use course::{
    CashMove, Course, Holding, Leg, LotCourse, LotKey, LotLack, Moved, OF_THE_HOLDING, Sums, course,
};
pub use history::{rows_of, rows_of_group};
pub use keeper::Keeper;
pub use linked_cash::lone_moves;
pub use market::{Market, Otherwise, Scope};
pub use names::Names;
pub use position::{Held, PositionFigures, TRANSIT};
pub use rebuild::{Difference, compare, rebuild};
pub use splits::{Splits, splits};
