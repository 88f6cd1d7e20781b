//! A query cut into words; quotes keep blanks together, and colons from meaning anything.

use super::FindError;
use crate::model::SafeText;

/// One word of a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Token {
    /// As written.
    written: String,
    /// It began with `!`.
    pub not: bool,
    /// What stands before the colon.
    pub key: Option<String>,
    /// The rest, without quotes.
    pub value: String,
    /// A part of it was quoted.
    pub quoted: bool,
}

impl Token {
    /// As written, fit to be shown.
    pub fn word(&self) -> SafeText {
        SafeText::capped(&self.written, 64)
    }

    fn put(&mut self, c: char, in_quotes: bool) {
        match c {
            '!' if self.written.is_empty() => self.not = true,
            '"' => self.quoted = true,
            // `12:30` and the like are text.
            ':' if !in_quotes && !self.quoted && self.key.is_none() && is_name(&self.value) => {
                self.key = Some(std::mem::take(&mut self.value));
            }
            _ => self.value.push(c),
        }
        self.written.push(c);
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(char::is_alphabetic)
}

/// The words of a query.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, FindError> {
    let mut tokens = Vec::new();
    let mut token = Token::default();
    let mut in_quotes = false;
    for c in text.chars() {
        if c.is_whitespace() && !in_quotes {
            tokens.push(std::mem::take(&mut token));
        } else {
            in_quotes ^= c == '"';
            token.put(c, in_quotes);
        }
    }
    if in_quotes {
        return Err(FindError::OpenQuote { word: token.word() });
    }
    tokens.push(token);
    tokens.retain(|token| !token.written.is_empty());
    Ok(tokens)
}
