//! What a person types to find transactions: words that must all fit.
//!
//! `acct:rrsp kind:div sym:xeqt cat:food source:import status:pending cur:usd amt:>100 qty:10
//! date:2025 linked coffee "two words"`; a `!` before a word turns it around.

mod error;
mod span;
mod token;

use std::ops::RangeInclusive;

use chrono::NaiveDate;

pub use error::FindError;
pub use span::Span;
use token::Token;

use crate::model::{BatchId, Currency, Dec, Kind, Origin, SafeText, Status, Subtype, fold};

/// Which transactions somebody looks for; the default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Find {
    /// All of them must fit.
    pub terms: Vec<Term>,
}

/// One word of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// It must not fit.
    pub not: bool,
    /// What it asks of a row.
    pub test: Test,
}

/// What a word asks of a row. Text is folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// The name of its account has this in it.
    Account(String),
    /// Its symbol has this in it.
    Symbol(String),
    /// The name of its category has this in it.
    Category(String),
    /// Its description, note, symbol, account or category has this in it, or its kind begins so.
    Words(String),
    /// It is one of these events.
    Kind(Vec<Subtype>),
    /// It has one of these.
    Status(Vec<Status>),
    /// It comes from one of these.
    Source(Vec<Origin>),
    /// This import brought it.
    Batch(BatchId),
    /// Its money.
    Currency(Currency),
    /// Its amount is in here.
    Amount(Span<Dec>),
    /// Its quantity, as it is shown, is in here.
    Quantity(Span<Dec>),
    /// Its day is one of these.
    Days(RangeInclusive<NaiveDate>),
    /// There are other rows of the same event.
    Linked,
}

impl Find {
    /// Reads a query.
    ///
    /// # Errors
    /// When a word cannot be understood; the error names it.
    pub fn parse(text: &str) -> Result<Self, FindError> {
        let tokens = token::tokens(text)?;
        if let Some(token) = tokens.get(MOST_WORDS) {
            return Err(FindError::TooMany { word: token.word(), most: MOST_WORDS });
        }
        Ok(Self { terms: tokens.iter().map(term).collect::<Result<_, _>>()? })
    }

    /// Whether every row fits.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }
}

/// More is not a question but an accident of pasting; a statement of SQL has its limits too.
const MOST_WORDS: usize = 32;

/// The keys, as they are listed to somebody who wrote another.
const KEYS: &str = "acct cat sym kind status source cur amt qty date";

fn term(token: &Token) -> Result<Term, FindError> {
    let value = token.value.as_str();
    let Some(key) = &token.key else {
        let test = match value {
            "" => return Err(FindError::Nothing { word: token.word() }),
            "linked" if !token.quoted => Test::Linked,
            words => Test::Words(fold(words)),
        };
        return Ok(Term { not: token.not, test });
    };
    if value.is_empty() {
        return Err(FindError::Nothing { word: token.word() });
    }
    let test = match fold(key).as_str() {
        "acct" => Test::Account(fold(value)),
        "sym" => Test::Symbol(fold(value)),
        "cat" => Test::Category(fold(value)),
        "kind" => Test::Kind(kinds(token)?),
        "status" => Test::Status(beginning(token, "a status", Status::ALL, Status::as_str)?),
        "source" => source(token)?,
        "cur" => match Currency::parse(&value.to_uppercase()) {
            Ok(currency) => Test::Currency(currency),
            Err(_) => return Err(FindError::NoCurrency { word: token.word() }),
        },
        "amt" => Test::Amount(span::numbers(token)?),
        "qty" => Test::Quantity(span::numbers(token)?),
        "date" => Test::Days(span::days(token)?),
        _ => {
            return Err(FindError::NoKey {
                word: token.word(),
                key: SafeText::capped(key, 64),
                known: KEYS,
            });
        }
    };
    Ok(Term { not: token.not, test })
}

/// The events that are called so, or whose kind is: the beginning is enough.
fn kinds(token: &Token) -> Result<Vec<Subtype>, FindError> {
    let found = Subtype::beginning(&fold(&token.value));
    if found.is_empty() {
        let kinds = Kind::ALL.iter().map(|kind| kind.as_str());
        let known = kinds.chain(Subtype::ALL.iter().map(|subtype| subtype.as_str()));
        return Err(FindError::not_one_of(token.word(), "a kind", known));
    }
    Ok(found)
}

fn source(token: &Token) -> Result<Test, FindError> {
    // A file is called what was done with it.
    let name = |origin: Origin| if origin == Origin::File { "import" } else { origin.as_str() };
    if let Some(batch) = fold(&token.value).strip_prefix("import:") {
        return match batch.parse() {
            Ok(batch) => Ok(Test::Batch(batch)),
            Err(_) => Err(FindError::NoImport { word: token.word() }),
        };
    }
    Ok(Test::Source(beginning(token, "a source", Origin::ALL, name)?))
}

/// The values whose word begins so.
fn beginning<T: Copy>(
    token: &Token,
    what: &'static str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<Vec<T>, FindError> {
    let wanted = fold(&token.value);
    let found: Vec<T> =
        all.iter().copied().filter(|value| name(*value).starts_with(&wanted)).collect();
    match found.is_empty() {
        true => Err(FindError::not_one_of(token.word(), what, all.iter().map(|v| name(*v)))),
        false => Ok(found),
    }
}

#[cfg(test)]
mod tests;
