//! Pieces of the screen that know nothing of portfolios.

mod chart;
mod cursor;
mod grid;
mod input;
mod plain;

pub use chart::{Scale, line_chart};
pub use cursor::Cursor;
pub use grid::{Align, Cell, Column, Grid, Row};
pub use input::Input;
pub use plain::{fit, in_ascii, wrapped, write, write_right};
