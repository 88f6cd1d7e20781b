//! What is said when the configuration is wrong or unwise, each in one line with the next step.
//! No message repeats a value that may hold a password.

use std::io;
use std::path::PathBuf;

use chrono_tz::Tz;

use super::private::PermissionProblem;
use super::{DatabaseError, Origin};
use crate::model::SafeText;

/// How many bytes of what was written are repeated.
const ECHO: usize = 64;

/// A word from outside, as far as a message repeats it.
pub(super) fn in_short(word: &str) -> String {
    SafeText::capped(word, ECHO).into_string()
}

/// Why the program cannot start as configured: the cause and the next step, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the home folder is unknown because HOME is not set; set it or give --data-dir DIR")]
    NoHome,
    #[error("cannot read {what} {path:?}: {source}; check the path and its rights")]
    Unreadable { what: &'static str, path: PathBuf, source: io::Error },
    #[error(
        "cannot create the folder {path:?}: {source}; create it yourself with mode 0700 or give --data-dir DIR"
    )]
    Folder { path: PathBuf, source: io::Error },
    #[error(
        "cannot create the database file {path:?}: {source}; create its folder with mode 0700 or name another file with --database"
    )]
    DatabaseFile { path: PathBuf, source: io::Error },
    #[error("{path:?} line {line}, column {column}: {message}; correct the TOML there")]
    Syntax { path: PathBuf, line: usize, column: usize, message: String },
    #[error("{path:?} line {line}: unknown key {key:?}; did you mean {nearest}?")]
    UnknownKey { path: PathBuf, line: usize, key: String, nearest: &'static str },
    #[error("{path:?} line {line}: {key}: expected {expected}, found {found}; correct the value")]
    WrongType {
        path: PathBuf,
        line: usize,
        key: &'static str,
        expected: &'static str,
        found: &'static str,
    },
    #[error("{from}: {what} must be {expected}; correct the value")]
    BadValue { from: Origin, what: &'static str, expected: &'static str },
    #[error("{from}: database: {source}")]
    Database { from: Origin, source: DatabaseError },
    #[error(
        "{from}: the database host {host:?} is not this machine, so its URL needs \
         ?sslmode=verify-full (with &sslrootcert=FILE for a private authority); \
         to accept a connection others can read, set postgres.insecure = true"
    )]
    Unprotected { from: Origin, host: String },
    #[error(transparent)]
    Permission(#[from] PermissionProblem),
}

/// What works but should be known. Every start shows them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    #[error(
        "INSECURE: the connection to the database host {host:?} is not protected (allowed by {by})"
    )]
    InsecurePostgres { host: String, by: Origin },
    #[error(
        "the password in --database is visible to others in the process list; use postgres.password_file in config.toml"
    )]
    PasswordInArguments,
    #[error(
        "the password in DASHTAM_DATABASE_URL is visible to your other programs; use postgres.password_file in config.toml"
    )]
    PasswordInEnvironment,
    #[error(
        "{from}: keys.{action}: expected a chord in quotes or a list of such, found {found}; the default stays"
    )]
    NoChords { from: Origin, action: String, found: &'static str },
    #[error("TZ={text:?} names no time zone; using {used}")]
    UnknownTimeZone { text: String, used: Tz },
}
