//! Files out: items become bytes, one after the other in the order in which they are fed, so that
//! any number of them fits into memory. Pure; knows neither the disk nor the store.
//!
//! Writers write often and little: give them something buffered.

use std::io;

use crate::model::Item;

mod canonical;
pub mod cells;
mod csv_line;
mod json;
mod neutral;
mod prices;
mod reinvest;

pub use canonical::CanonicalWriter;
pub use json::JsonWriter;
pub use neutral::{ColumnsInUse, NeutralWriter};
pub use prices::{PriceColumns, PriceWriter};

/// One form of file.
pub trait Writer {
    /// Writes an item, or passes over one that the form has no place for.
    fn item(&mut self, item: &Item) -> io::Result<()>;

    /// Writes what is still to be written. Nothing may be fed afterwards.
    fn finish(&mut self) -> io::Result<()>;
}
