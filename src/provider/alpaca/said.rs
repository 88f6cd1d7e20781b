//! What Alpaca says where it does not tell: an object with a message, or nothing at all.

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
    let words = message(answer);
    let with_words = |what: &str| {
        let words = words.as_ref().map(|words| format!(": {words}")).unwrap_or_default();
        SafeText::capped(&format!("{what}{words}"), WORDS)
    };
    Err(match answer.status {
        401 | 403 if !is_of_plan(answer) => Error::Refused(with_words(&format!(
            "Alpaca does not accept the keys ({}); a paper account has keys of its own, and a reset one \
             new ones: make a pair and connect again",
            answer.status
        ))),
        status => Error::Unavailable(with_words(&format!("Alpaca answered with status {status}"))),
    })
}

/// Whether the plan of its owner does not have what was asked for, which is no refusal of the keys.
pub(super) fn is_of_plan(answer: &Answer) -> bool {
    matches!(answer.status, 401 | 403) && says(answer, "subscription")
}

/// Whether something in the question is not as it should be.
pub(super) const fn is_of_question(answer: &Answer) -> bool {
    matches!(answer.status, 400 | 404 | 422)
}

/// Whether something in the question is no symbol that it knows.
pub(super) fn is_of_symbol(answer: &Answer) -> bool {
    is_of_question(answer) && says(answer, "symbol")
}

fn says(answer: &Answer, word: &str) -> bool {
    message(answer).is_some_and(|words| words.as_str().contains(word))
}

/// Its own words.
fn message(answer: &Answer) -> Option<SafeText> {
    let said: Value = serde_json::from_slice(&answer.body).ok()?;
    text(said.get("message"))
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::provider::Class;

    /// 12.
    #[test]
    fn a_refusal_of_keys_is_told_from_one_of_a_plan() {
        for (status, body, class, words) in [
            (
                401,
                "{\"code\":40110000,\"message\":\"request is not authorized\"}",
                true,
                "not auth",
            ),
            (401, "", true, "(401)"),
            (403, "{\"message\":\"forbidden.\"}", true, "forbidden."),
            (
                403,
                "{\"message\":\"subscription does not permit querying recent SIP data\"}",
                false,
                "SIP",
            ),
            (404, "{\"code\":40410000,\"message\":\"asset not found for FFFFF\"}", false, "FFFFF"),
            (422, "{\"code\":40010001,\"message\":\"invalid activity type\"}", false, "(422)"),
        ] {
            let body = Zeroizing::new(body.as_bytes().to_vec());
            let error = accepted(&Answer { status, body, date: None }).unwrap_err();
            let right = if class { Class::Reauthorize } else { Class::Later(None) };
            assert_eq!(error.class(), right, "{error}");
            let words = words.replace("(422)", "status 422");
            assert!(error.to_string().contains(&words), "{error}");
        }
    }
}
