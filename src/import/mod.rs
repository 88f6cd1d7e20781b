//! Files in: bytes become rows, each with its line and its bytes as they stood. Pure; knows neither
//! the disk nor the store, and what a row does to the store is for others to say.
//!
//! A wrong row is a row too: it carries the [`Problem`] and the next one follows.

mod cell;
mod columns;
mod csv_reader;
mod detect;
mod encoding;
mod json;
mod neutral;
mod prices;
mod problem;

pub use detect::{Format, detect};
pub use json::read_json;
pub use neutral::NeutralReader;
pub use prices::{PriceReader, read_subject};
pub use problem::{Fault, Problem};

/// One row of a file, right or wrong.
#[derive(Debug)]
pub struct Row<'a, T> {
    /// The line it begins on, from 1.
    pub line: u64,
    /// Its bytes as they stood in the file, without the line end.
    pub raw: &'a [u8],
    /// What it says, or why it is refused.
    pub parsed: Result<T, Problem>,
}
