//! What can be wrong with a file, said so that a person can mend it. Knows no file format's rules,
//! only how to name a place in a file and what went wrong there.

use std::fmt;
use std::io;

use crate::model::{
    Dec, DecError, ExactError, Refusal, SafeText, SymbolError, UnknownCurrency, UnknownWord, Why,
};

/// Why a row, or a whole file, is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line of the file, from 1.
    pub line: Option<u64>,
    /// The column by its name, or by its number from 1 where it has none.
    pub column: Option<SafeText>,
    /// What is wrong and what would be right.
    pub why: Fault,
}

impl Problem {
    /// A problem of the file as a whole.
    pub fn new(why: impl Into<Fault>) -> Self {
        Self { line: None, column: None, why: why.into() }
    }

    /// A problem of one column.
    pub fn in_column(column: &str, why: impl Into<Fault>) -> Self {
        Self { column: Some(SafeText::capped(column, 64)), ..Self::new(why) }
    }

    /// The same problem, with its line.
    #[must_use]
    pub fn on_line(self, line: u64) -> Self {
        Self { line: Some(line), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.line, &self.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, column {column}: ")?,
            (Some(line), None) => write!(f, "line {line}: ")?,
            (None, Some(column)) => write!(f, "column {column}: ")?,
            (None, None) => {}
        }
        self.why.fmt(f)
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.why.source()
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::in_column(refusal.column.0, refusal.why)
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::new(Fault::Unreadable(error.kind()))
    }
}

/// What is wrong with a file or a row, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A document that is no export of ours.
    #[error(transparent)]
    Json(#[from] super::json::JsonFault),
    /// The system would not give the bytes.
    #[error("the file cannot be read: {0}")]
    Unreadable(io::ErrorKind),
    /// More bytes than any honest file has.
    #[error("the file is larger than {} GiB; split it", .0 >> 30)]
    TooBig(u64),
    /// No bytes, or only empty lines.
    #[error("the file is empty; its first line must name the columns: {0}")]
    Empty(&'static str),
    /// Two bytes per character.
    #[error("the file is UTF-16; save it as UTF-8 (in a spreadsheet: `CSV UTF-8`)")]
    Utf16,
    /// No text at all.
    #[error("this is no text file; import a CSV file in UTF-8")]
    Binary,
    /// Text, but of another kind.
    #[error(
        "neither transactions nor prices; its first line is `{found}`, where transactions have {neutral} and prices have {prices}"
    )]
    Unrecognised {
        /// The first line.
        found: SafeText,
        /// The columns of a transactions file.
        neutral: &'static str,
        /// The columns of a prices file.
        prices: &'static str,
    },
    /// A byte that is no text.
    #[error("not UTF-8 text; save the file as UTF-8")]
    NotUtf8,
    /// Semicolons, tabs.
    #[error("the columns are separated by {0:?}; save the file with commas")]
    Separator(char),
    /// A first line of figures.
    #[error("the first line must name the columns: {0}")]
    NoHeader(&'static str),
    /// A header cell without a name.
    #[error("this column has no name; name it or take it out")]
    Unnamed,
    /// A name that is none of ours.
    #[error("unknown column; {}", unknown_column(*.nearest, .known))]
    UnknownColumn {
        /// What was probably meant.
        nearest: Option<&'static str>,
        /// What else there is.
        known: String,
    },
    /// A name that stands there twice.
    #[error("this column is there twice; take one out")]
    Twice,
    /// Names that must be there.
    #[error("the first line lacks {0}; add them, empty where there is nothing to say")]
    Lacking(String),
    /// A quote that swallows the rest.
    #[error(
        "the quote that opens here does not close within {0} bytes; close it, or write two for one"
    )]
    Unclosed(usize),
    /// A quote in the middle of a field.
    #[error(
        "a quote in the middle of a field; put the whole field in quotes and write two for each one inside"
    )]
    StrayQuote,
    /// One field too long.
    #[error("longer than {0} bytes; shorten it")]
    FieldTooLong(usize),
    /// Two manners of ending a line, one of which looks like half of the other.
    #[error(
        "lines end in CR alone here and not elsewhere; save the file with one sort of line end"
    )]
    MixedLineEnds,
    /// NUL, which is in no text.
    #[error("a zero byte; take it out, or save the file as text in UTF-8")]
    Nul,
    /// Columns and nothing in them.
    #[error("nothing comes after the names of the columns; there is nothing to import")]
    OnlyHeader,
    /// Far too many fields.
    #[error("more than {0} columns; is this the right file?")]
    TooManyColumns(usize),
    /// Another number of fields than the header has.
    #[error(
        "{found} fields, but the first line names {header} columns; a field with a comma in it needs quotes, and figures have a decimal point"
    )]
    FieldCount {
        /// In this row.
        found: usize,
        /// In the first line.
        header: usize,
    },
    /// A field that every row has.
    #[error("empty; write {0}")]
    Missing(&'static str),
    /// A date of another form.
    #[error("`{0}` is no date; write YYYY-MM-DD, like 2024-01-31")]
    Date(SafeText),
    /// A date of the right form that no calendar has.
    #[error("{0} is no day of the calendar; correct it")]
    NoSuchDay(SafeText),
    /// Not new:old.
    #[error("`{0}` is no ratio; write new:old, like 4:1, both above zero")]
    Ratio(SafeText),
    /// A name longer than names are.
    #[error("longer than {0} bytes; shorten it")]
    NameTooLong(usize),
    /// A venue of nothing.
    #[error("a venue without a symbol; write the symbol or leave the venue empty")]
    VenueAlone,
    /// Below zero where nothing can be.
    #[error("{0} is below zero; write it unsigned")]
    Negative(Dec),
    /// Not a figure, or too long a one.
    #[error(transparent)]
    Decimal(#[from] DecError),
    /// Too many digits once converted.
    #[error(transparent)]
    Overflow(#[from] ExactError),
    /// Not a currency.
    #[error(transparent)]
    Currency(#[from] UnknownCurrency),
    /// Not a word of the list.
    #[error(transparent)]
    Word(#[from] UnknownWord),
    /// Not a symbol or an ISIN.
    #[error(transparent)]
    Symbol(#[from] SymbolError),
    /// The fields are fine, their combination is not.
    #[error(transparent)]
    Row(#[from] Why),
}

impl Fault {
    /// The sort of fault, without a word of what the file says.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Row(_) => "row",
            Self::Json(_) => "json",
            Self::Unreadable(_) | Self::TooBig(_) => "file",
            Self::UnknownColumn { .. } | Self::NoHeader(_) | Self::Unnamed => "header",
            _ => "form",
        }
    }
}

fn unknown_column(nearest: Option<&'static str>, known: &str) -> String {
    match nearest {
        Some(name) => format!("did you mean `{name}`? otherwise take it out"),
        None => format!("take it out or rename it; there are {known}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Column;

    #[test]
    fn a_problem_names_its_place_first() {
        let problem = Problem::in_column("amount", Fault::Twice);
        assert_eq!(problem.to_string(), "column amount: this column is there twice; take one out");
        let problem = problem.on_line(12);
        assert!(problem.to_string().starts_with("line 12, column amount: this"));
        assert!(Problem::new(Fault::Binary).on_line(3).to_string().starts_with("line 3: this"));
    }

    #[test]
    fn a_refusal_keeps_its_column_and_its_words() {
        let refusal = Refusal { column: Column("price"), why: Why::Missing("buy") };
        let words = refusal.why.to_string();
        let problem = Problem::from(refusal).on_line(7);
        assert_eq!(problem.to_string(), format!("line 7, column price: {words}"));
    }
}
