//! What Schwab says where it does not tell: in several forms, of which none is sure to be there.

use serde_json::Value;

use super::super::field::{WORDS, text};
use super::super::{Error, Result};
use crate::http::Answer;
use crate::model::SafeText;

/// The body of an answer that tells.
///
/// # Errors
/// When it refuses, with its own words.
pub(super) fn accepted(answer: &Answer) -> Result<Vec<u8>> {
    if answer.is_well() {
        return Ok(answer.body.to_vec());
    }
    let words = words(&answer.body);
    let said = |what: &str| {
        let words = words.as_ref().map(|words| format!(": {words}")).unwrap_or_default();
        SafeText::capped(&format!("{what}{words}"), WORDS)
    };
    Err(match answer.status {
        401 => Error::Denied,
        403 => Error::Refused(said(
            "Schwab lets this app read no accounts (403); see in the developer portal that it has \
             `Accounts and Trading Production` and is `Ready For Use`",
        )),
        status => Error::Unavailable(said(&format!("Schwab answered with status {status}"))),
    })
}

/// The body of an answer of one account. That this app may not read it says nothing of the others.
///
/// # Errors
/// When it refuses, with its own words.
pub(super) fn accepted_of_account(answer: &Answer) -> Result<Vec<u8>> {
    accepted_or(answer, "Schwab does not let this app read the rows of this account (403)")
}

/// The body of an answer with prices. That this app may not see them says nothing of its accounts.
///
/// # Errors
/// When it refuses, with its own words.
pub(super) fn accepted_prices(answer: &Answer) -> Result<Vec<u8>> {
    accepted_or(
        answer,
        "Schwab lets this app see no prices (403); see in the developer portal that it has `Market \
         Data Production`",
    )
}

/// The body of an answer, with what is said where it is forbidden; that ends no consent.
fn accepted_or(answer: &Answer, forbidden: &str) -> Result<Vec<u8>> {
    if answer.status != 403 {
        return accepted(answer);
    }
    let words = words(&answer.body).map(|words| format!(": {words}")).unwrap_or_default();
    Err(Error::Unavailable(SafeText::capped(&format!("{forbidden}{words}"), WORDS)))
}

/// Its own words, made safe: a message, a list of texts or a list of errors with details.
fn words(body: &[u8]) -> Option<SafeText> {
    let said: Value = serde_json::from_slice(body).ok()?;
    let first = said.get("errors").and_then(Value::as_array).and_then(|errors| errors.first());
    let detail = first.and_then(|it| text(Some(it)).or_else(|| text(it.get("detail"))));
    let title = || first.and_then(|it| text(it.get("title")));
    text(said.get("message")).or(detail).or_else(title)
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::provider::Class;

    fn said(status: u16, body: &str) -> Error {
        let body = Zeroizing::new(body.as_bytes().to_vec());
        accepted(&Answer { status, body, date: None }).unwrap_err()
    }

    #[test]
    fn an_error_is_read_in_each_of_its_forms() {
        for (body, words) in [
            ("{\"message\":\"Invalid account number\"}", ": Invalid account number"),
            ("{\"errors\":[\"first\",\"second\"]}", ": first"),
            ("{\"errors\":[{\"status\":\"500\",\"title\":\"T\",\"detail\":\"D\"}]}", ": D"),
            ("{\"errors\":[{\"status\":500,\"title\":\"T\"}]}", ": T"),
            ("{\"message\":null,\"errors\":[]}", ""),
            ("no json", ""),
            ("", ""),
        ] {
            let right = format!("Schwab answered with status 500{words}");
            assert_eq!(said(500, body).to_string(), right, "{body}");
        }
        let hostile = said(404, "{\"message\":\"\\u001b[2Jgo\\u0007 away\"}").to_string();
        assert!(!hostile.contains(['\u{1b}', '\u{7}']), "{hostile:?}");
        assert_eq!(said(401, "{}"), Error::Denied);
        assert_eq!(said(403, "{}").class(), Class::Reauthorize);
        assert_eq!(said(404, "{}").class(), Class::Later(None));
    }
}
