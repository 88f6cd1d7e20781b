//! Pieces of the screen that know nothing of portfolios.

mod chart;
mod choice;
mod cursor;
mod grid;
mod hidden;
mod input;
mod marks;
mod plain;
mod sought;
mod spark;

pub use chart::{Scale, dotted_chart, line_chart};
pub use choice::Choice;
pub use cursor::Cursor;
pub use grid::{Align, Cell, Column, Grid, Row};
pub use hidden::HiddenInput;
pub use input::Input;
pub use marks::{Marking, Marks};
pub use plain::{fit, in_ascii, wrapped, write, write_beneath, write_right};
pub use sought::Sought;
pub use spark::sparkline;
