//! What can go wrong with a store, in the words of the person who has to mend it.

use std::borrow::Cow;
use std::path::PathBuf;

/// The result of everything in this room.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Written by a newer version of the program.
    #[error(
        "the database has schema {found}, this program knows up to {known}; use the newer dashtam, nothing was touched"
    )]
    Newer {
        /// Of the database.
        found: i64,
        /// Of this program.
        known: i64,
    },
    /// Not there, and not to be made.
    #[error("there is no database at {}; run a command that writes, or name another with --database", .0.display())]
    NoDatabase(PathBuf),
    /// There, and nothing was ever written to it.
    #[error("the database is empty; run a command that writes, or name another with --database")]
    Empty,
    /// Not a database of ours.
    #[error("the database was not made by dashtam or its migrations were altered: {0}")]
    Foreign(String),
    /// The disk is full.
    #[error(
        "disk full: the database could not be written; make room and try again, nothing was stored"
    )]
    DiskFull,
    /// Not writable.
    #[error("the database is read-only; check the permissions of its file and folder")]
    ReadOnly,
    /// A server that takes no writes.
    #[error(
        "the database server takes no writes: it is a standby or in read-only mode; name the primary with --database or have the mode changed"
    )]
    ReadOnlyServer,
    /// A role that may not do what is asked.
    #[error(
        "the database server refused: {0}; have that right granted, or name another role in --database"
    )]
    Right(String),
    /// A search path that leads nowhere.
    #[error(
        "search_path on the database server names no schema that there is; have it set, for one session with ?options=-c%20search_path%3Dpublic in --database"
    )]
    NoSchema,
    /// A search path that leads past the store.
    #[error(
        "the store of this database is in schema {0}, and search_path leads elsewhere; have it set, for one session with ?options=-c%20search_path%3D{0} in --database"
    )]
    Elsewhere(crate::model::SafeText),
    /// A server that does not answer.
    #[error("the database server cannot be used: it did not answer within 30 seconds")]
    NoAnswer,
    /// Somebody else writes for too long.
    #[error(
        "another process has been writing to the database for too long; try again when it is done"
    )]
    Busy,
    /// Damaged.
    #[error("the database is damaged ({0}); keep a copy of it and restore a backup")]
    Damaged(String),
    /// The file cannot be opened, read or written.
    #[error("the database file cannot be used: {0}; check it, its folder and the disk")]
    File(String),
    /// The server cannot be reached or refuses.
    #[error("the database server cannot be used: {0}")]
    Server(String),
    /// A row that must be there is not.
    #[error("a row of {0} is missing")]
    Missing(Cow<'static, str>),
    /// Anything else.
    #[error("the database refused: {0}")]
    Other(String),
}

/// SQLite's primary result codes.
mod sqlite {
    pub const BUSY: &str = "5";
    pub const LOCKED: &str = "6";
    pub const READONLY: &str = "8";
    pub const IOERR: &str = "10";
    pub const CORRUPT: &str = "11";
    pub const FULL: &str = "13";
    pub const CANTOPEN: &str = "14";
    pub const NOTADB: &str = "26";
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(inner) => of_database(inner.as_ref()),
            sqlx::Error::PoolTimedOut => {
                Self::Server("no connection became free within 30 seconds".to_owned())
            }
            sqlx::Error::Io(io) if io.kind() == std::io::ErrorKind::StorageFull => Self::DiskFull,
            sqlx::Error::Io(io) => Self::Server(io.to_string()),
            sqlx::Error::Tls(tls) => Self::Server(format!("TLS: {tls}")),
            sqlx::Error::ColumnDecode { index, source } => {
                Self::Damaged(format!("column {index}: {source}"))
            }
            other => Self::Other(one_line(&other.to_string())),
        }
    }
}

fn of_database(error: &dyn sqlx::error::DatabaseError) -> Error {
    let text = one_line(error.message());
    let Some(code) = error.code() else { return Error::Other(text) };
    // Extended SQLite codes carry the primary one in the low byte.
    let primary = match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => (number & 0xff).to_string(),
        _ => code.to_string(),
    };
    match primary.as_str() {
        sqlite::BUSY | sqlite::LOCKED | "55P03" => Error::Busy,
        sqlite::READONLY => Error::ReadOnly,
        "25006" => Error::ReadOnlyServer,
        "42501" => Error::Right(text),
        "3F000" => Error::NoSchema,
        sqlite::CORRUPT | sqlite::NOTADB => Error::Damaged(text),
        sqlite::FULL | "53100" => Error::DiskFull,
        sqlite::IOERR | sqlite::CANTOPEN => Error::File(text),
        _ => Error::Other(text),
    }
}

/// Messages of engines may span lines and repeat whole statements; a person gets one line.
fn one_line(text: &str) -> String {
    let safe = crate::model::SafeText::capped(&text.replace('\n', " "), 110);
    safe.to_string()
}
