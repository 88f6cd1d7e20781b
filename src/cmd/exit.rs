//! How a command ends: the one place that turns errors into exit codes and prints them. It knows
//! no command.

use std::io::{self, Write};

use serde::Serialize;

use super::explain;
use super::output::Output;
use crate::import::Problem;
use crate::model::SafeText;
use crate::telemetry::crash::Crash;
use crate::text::Figures;
use crate::{report, service, store};

const INTERNAL: u8 = 1;
const USAGE: u8 = 2;
const PARTIAL: u8 = 3;
const CONSENT: u8 = 4;
const UNREACHABLE: u8 = 5;
const LIMITED: u8 = 6;
const STORAGE: u8 = 7;
const LOCKED: u8 = 8;
const VAULT: u8 = 9;
const NEWER_SCHEMA: u8 = 10;
pub const SIGNAL: u8 = 128;
const SIGPIPE: u8 = 13;

const WITHOUT_SCREEN: &str = "`dashtam --refresh-only` brings in what is new, `dashtam report accounts` \
     prints figures, `dashtam --help` lists what else works without a terminal";

/// How a command that could be carried out ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All of it is done.
    Done,
    /// Some of it is done, and the rest was said.
    Partial,
    /// Nothing is done, and why was said.
    Refused,
    /// What is stored is not what it should be, and how was said.
    Differs,
    /// What was done is not told as it was written, and where was said.
    Forged,
    /// Somebody has to agree anew.
    Consent,
    /// Nobody outside answered.
    Unreachable,
    /// Somebody outside wants to be left alone for now.
    Limited,
    /// What is to be shown outside cannot be opened.
    VaultLocked,
    /// Another process does it.
    Locked,
    /// What is stored was written by a newer program.
    Newer,
}

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was asked for failed.
    #[error(transparent)]
    Service(Box<service::Error>),
    /// Flags that do not go together, or one that is missing.
    #[error("{0}")]
    Usage(&'static str),
    /// What the parser of the command line says.
    #[error("{message}")]
    CommandLine {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: &'static str,
    },
    /// A figure that a report does not have.
    #[error("there is no figure called `{key}` in this report; it has {known}")]
    NoFigure {
        /// As given.
        key: SafeText,
        /// What could have been given.
        known: String,
    },
    /// A figure that lines of a report have in different currencies.
    #[error(
        "`{key}` stands for amounts in several currencies; write SYMBOL@CURRENCY or choose one with --account"
    )]
    ManyFigures {
        /// As given.
        key: SafeText,
    },
    /// A row given by flags.
    #[error("{0}")]
    Row(Box<Problem>),
    /// The standard output.
    #[error("the output cannot be written: {0}")]
    Output(io::Error),
    /// There is no terminal that a dashboard could be drawn on.
    #[error("{0}")]
    Terminal(String),
    /// A mistake of our own.
    #[error("dashtam failed unexpectedly, which is a mistake of its own")]
    Panicked(Option<Crash>),
    /// Somebody stopped the program.
    #[error("stopped by signal {0}")]
    Signal(u8),
}

impl From<service::Error> for Error {
    fn from(error: service::Error) -> Self {
        Self::Service(Box::new(error))
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Row(Box::new(problem))
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        service::Error::from(error).into()
    }
}

impl From<report::Error> for Error {
    fn from(error: report::Error) -> Self {
        match error {
            report::Error::NoSuchFigure { key, known } => explain::no_figure(&key, &known),
            other => service::Error::from(other).into(),
        }
    }
}

impl Error {
    fn kind(&self) -> &'static str {
        match self {
            Self::Service(error) => error.kind(),
            Self::Usage(_) | Self::CommandLine { .. } | Self::Terminal(_) => "usage",
            Self::NoFigure { .. } => "not_found",
            Self::ManyFigures { .. } | Self::Row(_) => "refused",
            Self::Output(_) => "io",
            Self::Panicked(_) => "internal",
            Self::Signal(_) => "signal",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Service(error) => error.hint(),
            Self::CommandLine { hint, .. } => Some((*hint).to_owned()),
            Self::Terminal(_) => Some(WITHOUT_SCREEN.to_owned()),
            Self::Panicked(crash) => Some(about(crash.as_ref())),
            Self::Usage(_)
            | Self::NoFigure { .. }
            | Self::ManyFigures { .. }
            | Self::Row(_)
            | Self::Output(_)
            | Self::Signal(_) => None,
        }
    }

    fn code(&self) -> u8 {
        match self {
            Self::Signal(number) => SIGNAL.saturating_add(*number),
            _ if self.is_broken_pipe() => SIGNAL + SIGPIPE,
            _ => code_of(self.kind()),
        }
    }

    /// The reader of our output had enough, as `head` has. That is no error worth a word.
    fn is_broken_pipe(&self) -> bool {
        let error = match self {
            Self::Output(error) => error,
            Self::Service(error) => match error.as_ref() {
                service::Error::Io(error) => error,
                _ => return false,
            },
            _ => return false,
        };
        error.kind() == io::ErrorKind::BrokenPipe
    }

    fn is_silent(&self) -> bool {
        matches!(self, Self::Signal(_)) || self.is_broken_pipe()
    }
}

fn code_of(kind: &str) -> u8 {
    match kind {
        "newer_schema" => NEWER_SCHEMA,
        "locked" => LOCKED,
        "vault" => VAULT,
        "consent" => CONSENT,
        "unreachable" => UNREACHABLE,
        "limited" => LIMITED,
        "storage" | "busy" | "io" => STORAGE,
        "usage" | "not_found" | "refused" | "permission" | "file" => USAGE,
        _ => INTERNAL,
    }
}

/// Where a panic was, and what to do about it.
pub fn about(crash: Option<&Crash>) -> String {
    let Some(crash) = crash else { return "there is no report of it".to_owned() };
    let Crash { location, report } = crash;
    let report = match report {
        Some(path) => path.display(),
        None => return format!("it was at {location}; a report of it could not be written"),
    };
    let text = format!(
        "it was at {location}; please send in its report, which holds no figure, name or secret: {report}"
    );
    SafeText::new(&text).to_string()
}

/// How errors are to be said.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// As a JSON document too.
    pub json: bool,
    /// Without figures.
    pub private: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    error: Told<'a>,
}

#[derive(Serialize)]
struct Told<'a> {
    kind: &'static str,
    message: &'a SafeText,
    hint: Option<SafeText>,
}

/// Sends what is still buffered, says what went wrong, and gives the exit code.
pub fn finish(done: Result<Status, Error>, manner: Manner, out: &mut Output) -> u8 {
    let done = done.and_then(|status| {
        out.flush().map_err(Error::Output)?;
        Ok(status)
    });
    let code = match &done {
        Ok(Status::Done) => 0,
        Ok(Status::Partial) => PARTIAL,
        Ok(Status::Refused) => USAGE,
        Ok(Status::Differs) => STORAGE,
        Ok(Status::Forged) => INTERNAL,
        Ok(Status::Consent) => CONSENT,
        Ok(Status::Unreachable) => UNREACHABLE,
        Ok(Status::Limited) => LIMITED,
        Ok(Status::Locked) => LOCKED,
        Ok(Status::VaultLocked) => VAULT,
        Ok(Status::Newer) => NEWER_SCHEMA,
        Err(error) => {
            if !error.is_silent() {
                tell(error, manner, out);
            }
            // Its words may name things; its kind does not.
            tracing::warn!(kind = error.kind(), "the command could not be carried out");
            error.code()
        }
    };
    tracing::info!(code, "end");
    code
}

/// One line on stderr; with `--json` also a document on stdout, unless another one began there.
fn tell(error: &Error, manner: Manner, out: &mut Output) {
    let figures = Figures::plain(manner.private && error.kind() == "refused");
    let message = SafeText::new(&figures.message(&error.to_string()));
    let hint = error.hint().map(|hint| SafeText::new(&hint));
    let end = if message.as_str().ends_with('?') { " " } else { "; " };
    let tail = hint.as_ref().map_or(String::new(), |hint| format!("{end}{hint}"));
    // Where nobody listens there is nobody to tell that nobody listens.
    let _ = writeln!(io::stderr(), "dashtam: {message}{tail}");
    if manner.json && !out.has_begun() {
        let told = Told { kind: error.kind(), message: &message, hint };
        let _ = out.json(&Document { schema: "dashtam.error/1", error: told });
        let _ = out.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_code() {
        let codes = [
            ("newer_schema", 10),
            ("storage", 7),
            ("busy", 7),
            ("locked", 8),
            ("vault", 9),
            ("consent", 4),
            ("unreachable", 5),
            ("limited", 6),
            ("usage", 2),
            ("not_found", 2),
            ("refused", 2),
            ("permission", 2),
            ("internal", 1),
        ];
        for (kind, code) in codes {
            assert_eq!(code_of(kind), code, "{kind}");
        }
    }

    #[test]
    fn a_reader_that_left_is_no_error_worth_a_word() {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        for error in [Error::Output(gone()), Error::from(service::Error::Io(gone()))] {
            assert!(error.is_silent());
            assert_eq!(error.code(), 141);
        }
        let full = Error::Output(io::Error::from(io::ErrorKind::StorageFull));
        assert!(!full.is_silent());
        assert_eq!(full.code(), 7);
        assert_eq!(Error::Signal(15).code(), 143);
    }
}
