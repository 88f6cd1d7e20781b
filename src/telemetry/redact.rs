//! Takes out of a text whatever looks like a secret, and makes control characters visible.
//! It prefers to hide too much: a log that hides a harmless word is still a log.

use std::fmt::Write;

const REDACTED: &str = "[redacted]";
/// Ends of names whose values are secrets, as written without `_`, `-` and `.`.
const SECRET_NAMES: &[&str] = &[
    "key",
    "token",
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "authorization",
    "authcode",
    "authorizationcode",
    "cookie",
    "signature",
    "credential",
    "credentials",
    "bearer",
];

/// The text as it may be logged.
pub fn redact(text: &str) -> String {
    escape_controls(&redact_values(&redact_urls(text)))
}

/// The value of a named field as it may be logged.
pub fn redact_field(name: &str, value: &str) -> String {
    if is_secret_name(name) { REDACTED.to_owned() } else { redact(value) }
}

fn is_secret_name(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(|c| !matches!(c, '_' | '-' | '.'))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    SECRET_NAMES.iter().any(|secret| plain.ends_with(secret))
}

/// Of `scheme://user:password@host/path?query` keeps scheme, host and path.
fn redact_urls(text: &str) -> String {
    let ends_url = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find(ends_url).unwrap_or(after.len());
        let (url, tail) = after.split_at(end);
        let (address, query) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
        // An @ behind the ? may belong to a password that was not encoded: hide all of it.
        if query.contains('@') {
            out.push_str(REDACTED);
        } else {
            match address.rsplit_once('@') {
                Some((_, host)) => {
                    out.push_str(REDACTED);
                    out.push('@');
                    out.push_str(host);
                }
                None => out.push_str(address),
            }
            if let Some(mark) = query.get(..1) {
                out.push_str(mark);
                out.push_str(REDACTED);
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Hides the value in `name=value`, `name: value`, `"name":"value"` and `Bearer value`.
fn redact_values(text: &str) -> String {
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(in_name) {
        let (before, name_on) = rest.split_at(start);
        let end = name_on.find(|c| !in_name(c)).unwrap_or(name_on.len());
        let (name, after) = name_on.split_at(end);
        out.push_str(before);
        out.push_str(name);
        rest = after;
        if is_secret_name(name)
            && let Some(gap) = gap_before_value(name, after)
        {
            let (gap, value_on) = after.split_at(gap);
            let (value, tail) = value_on.split_at(end_of_value(name, value_on));
            out.push_str(gap);
            if !value.is_empty() {
                out.push_str(REDACTED);
            }
            rest = tail;
        }
    }
    out.push_str(rest);
    out
}

/// The length of what stands between a name and its value, if a value follows.
fn gap_before_value(name: &str, after: &str) -> Option<usize> {
    let sign = after.trim_start_matches(['"', '\'', '\\', ' ']);
    let value = match sign.strip_prefix(['=', ':']) {
        Some(value) => value.trim_start_matches([' ', '=', '>']),
        // "Bearer" stands before its value with nothing but a space.
        None if name.eq_ignore_ascii_case("bearer") && after.starts_with(' ') => after.trim_start(),
        None => return None,
    };
    Some(after.len() - value.len())
}

/// Where the value ends: at its closing quote, or at the first separator outside of quotes.
/// The value of an `Authorization` header has spaces and commas: all of its line goes.
fn end_of_value(name: &str, value: &str) -> usize {
    let whole_line = name.to_ascii_lowercase().ends_with("authorization");
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in value.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match (c, quote) {
            ('\\', _) => escaped = true,
            (_, Some(open)) if c == open => return at + c.len_utf8(),
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(c),
            ('\n' | '\r', None) => return at,
            _ if whole_line => {}
            _ if c.is_whitespace() || matches!(c, '&' | ',' | ';' | ')' | ']' | '}') => return at,
            _ => {}
        }
    }
    value.len()
}

/// No character may move the cursor, start a line or turn the direction of a terminal.
fn escape_controls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let hidden = matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if hidden {
            let _ = write!(out, "{}", c.escape_unicode());
        } else if c.is_control() {
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_in_every_usual_shape() {
        for (text, expected) in [
            ("password=canary rest", "password=[redacted] rest"),
            ("a=1&apikey=canary&b=2", "a=1&apikey=[redacted]&b=2"),
            ("api_key = canary, x", "api_key = [redacted], x"),
            ("X-API-KEY: canary", "X-API-KEY: [redacted]"),
            ("{\"access_token\":\"can ary\",\"n\":1}", "{\"access_token\":[redacted],\"n\":1}"),
            ("{\\\"token\\\":\\\"canary\\\"}", "{\\\"token\\\":[redacted]}"),
            ("token: Some(\"can ary\")", "token: [redacted])"),
            ("Authorization: Basic canary, canary", "Authorization: [redacted]"),
            ("sent Bearer canary to h", "sent Bearer [redacted] to h"),
            ("SECRET='ca nary' x", "SECRET=[redacted] x"),
            ("postgres://u:canary@h:5432/d", "postgres://[redacted]@h:5432/d"),
            ("postgres://u:ca/na@ry@h/d", "postgres://[redacted]@h/d"),
            ("postgres://u:ca?na#ry@h/d", "postgres://[redacted]"),
            (
                "https://h/p?q=canary#f (twice) https://h/#canary",
                "https://h/p?[redacted] (twice) https://h/#[redacted]",
            ),
            ("url (\"https://h/?a=canary\")", "url (\"https://h/?[redacted]\")"),
            ("password=\"canary", "password=[redacted]"),
        ] {
            assert_eq!(redact(text), expected);
        }
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        for text in [
            "stored 3 rows of account Köln",
            "the token expired",
            "https://api.example.com/v1/quotes",
            "a key press took 3 ms",
            "tokens=5",
            "password=",
            "",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn a_secret_name_hides_the_whole_field() {
        assert_eq!(redact_field("refresh_token", "a b c"), REDACTED);
        assert_eq!(redact_field("rows", "3"), "3");
    }

    #[test]
    fn controls_are_made_visible() {
        assert_eq!(redact("a\u{7f}\tb\u{85}\u{200b}"), "a\\u{7f}\\tb\\u{85}\\u{200b}");
    }
}
