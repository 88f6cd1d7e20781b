//! Fields of the documents of services, read leniently where services differ, and what is said of
//! those that cannot be read.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Error, Trouble};
use crate::model::{Dec, SafeText};

/// The most bytes of a service's own words.
pub(super) const WORDS: usize = 300;

/// A text, or a number as it is written; nothing where there is nothing in it.
pub(super) fn text(value: Option<&Value>) -> Option<SafeText> {
    let text = match value? {
        Value::String(text) => SafeText::new(text.trim()),
        Value::Number(number) => SafeText::new(&number.to_string()),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// An exact number; none: there is none, or it is none.
pub(super) fn number(value: Option<&Value>) -> Option<Dec> {
    match value? {
        Value::String(text) => Dec::from_json_number(text.trim()).ok(),
        Value::Number(number) => Dec::from_json_number(&number.to_string()).ok(),
        _ => None,
    }
}

/// One part of a document.
pub(super) fn parse<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, String> {
    serde_json::from_str(raw.get()).map_err(|error| unreadable("it", &error).into_string())
}

/// Where it cannot be read. What stands there may be private, the name of a key is not.
pub(super) fn unreadable(what: &str, error: &serde_json::Error) -> SafeText {
    let said = error.to_string();
    let doubled = said.split(" at line ").next().filter(|said| said.starts_with("duplicate field"));
    let why = doubled.unwrap_or(match error.is_eof() {
        true => "it ends too early",
        false => "it is not as it should be",
    });
    let place = format!("line {}, column {}", error.line(), error.column());
    SafeText::capped(&format!("the {what} cannot be read ({place}): {why}"), WORDS)
}

/// Something that is missing, which hides no rows.
pub(super) fn trouble(what: &str, why: &str) -> Trouble {
    let error = Error::Unavailable(SafeText::new(why));
    Trouble { what: SafeText::new(what), error, hides_rows: false }
}
