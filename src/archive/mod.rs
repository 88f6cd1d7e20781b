//! The file of a backup: the tables of a store, row by row, in a form that belongs to no engine.
//! Pure; knows neither the disk nor the store, and not what any table is for.
//!
//! ```text
//! dashtam-backup\n   then frames, each: kind (1 byte), length (4), content, CRC-32 of all these (4)
//!
//!   H  the form's version, then who wrote it, when, and from which schema
//!   T  a table: its name and those of its columns
//!   R  rows of it: their number, then value after value (see `rows`), some 64 KiB
//!   E  the end of the table: how many rows it has
//!   Z  the end of all: how many tables and rows, and the SHA-256 of every byte before
//! ```
//!
//! Numbers are little-endian. The sum of a frame tells where a file is damaged, the digest at the
//! end that nothing is missing, doubled or in another place. A newer form keeps the first line, the
//! frames and the version where they are, so that an older program can say which one it needs.

mod frame;
mod reader;
mod rows;
mod writer;

use serde::{Deserialize, Serialize};

use crate::model::SafeText;

pub use reader::{Part, Reader};
pub use rows::Rows;
pub use writer::Writer;

/// What each such file begins with.
const MAGIC: &[u8] = b"dashtam-backup\n";
/// The version of the form that is written, and the newest that can be read.
const FORM: u16 = 1;

/// A value of a column: dates, decimals and the like are text, yes is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// None.
    Null,
    /// A number.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The schema of the store.
    pub schema: i64,
    /// The version of the program that wrote it.
    pub program: String,
    /// The engine of the store.
    pub engine: String,
    /// When: microseconds since the epoch.
    pub made: i64,
    /// The revision of the store.
    pub revision: i64,
    /// The next id that the store would have given.
    pub next_id: i64,
    /// The operation that was done last in the store, if any was: none has the same in two stores.
    pub last_op: Option<String>,
}

/// A table and its columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// The table.
    pub name: String,
    /// Its columns, in the order of the values of a row.
    pub columns: Vec<String>,
}

/// How much is in a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Tables.
    pub tables: u64,
    /// Rows of all of them.
    pub rows: u64,
    /// The size of the file.
    pub bytes: u64,
    /// SHA-256 of all but the last frame, which holds it.
    pub digest: [u8; 32],
}

/// Why a backup cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something else.
    #[error("it is no backup of dashtam")]
    Foreign,
    /// Of a newer form.
    #[error("it was written by a newer dashtam, in form {0} of which this one knows up to {FORM}")]
    Newer(u16),
    /// Cut off or altered.
    #[error("it is broken in section `{section}` at byte {offset}: {why}")]
    Broken {
        /// The table, `after` one, or `beginning` and `end`.
        section: SafeText,
        /// Where in the file the broken piece begins.
        offset: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Another one than the one that was verified.
    #[error("it changed while it was read; wait until it is complete and try again")]
    Changed,
    /// The disk.
    #[error("it cannot be read: {0}")]
    Io(#[from] std::io::Error),
}

/// What the words of an error say.
mod why {
    pub const CUT_OFF: &str = "the file ends in the middle";
    pub const ALTERED: &str = "its content is not what was written";
    pub const COUNT: &str = "rows are missing or doubled";
    pub const ORDER: &str = "pieces are missing, doubled or in another order";
    pub const MORE: &str = "something follows the end";
}

#[cfg(test)]
mod tests;
