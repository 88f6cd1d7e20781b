//! One line of a CSV file: RFC 4180, and no text that a spreadsheet would run. Knows no column.

use std::fmt::Write as _;
use std::io;

use chrono::NaiveDate;

use crate::model::{Currency, Dec, Mention, Ratio, SafeText};

/// What stands in one field.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Nothing.
    Nothing,
    /// Words from outside.
    Text(&'a SafeText),
    /// `prefix:SYM@CUR` or `prefix:SYM@CUR:VENUE`; words from outside too.
    Symbol {
        /// What sort of thing it is, if that must be said.
        prefix: &'static str,
        /// Its name.
        symbol: &'a str,
        /// What tells it from its twins.
        currency: Option<Currency>,
        /// What tells it from its twins of the same currency; nothing without a currency.
        venue: Option<&'a SafeText>,
    },
    /// A word of ours, written as it is.
    Word(&'static str),
    /// A word of ours in capitals.
    Capitals(&'static str),
    /// A code: of a currency or an ISIN.
    Code(&'a str),
    /// A figure.
    Figure(Dec),
    /// A day.
    Day(NaiveDate),
    /// New to old.
    Ratio(Ratio),
}

impl<'a> Value<'a> {
    /// Whether the field stays empty.
    pub const fn is_nothing(self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// A security as a row names it.
    pub fn mention(mention: &'a Mention) -> Self {
        let symbol = mention.symbol.as_str();
        Self::Symbol { prefix: "", symbol, currency: mention.currency, venue: None }
    }

    /// Nothing, or what is made of the value.
    pub fn maybe<T>(value: Option<T>, make: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Nothing, make)
    }
}

/// Builds lines, one at a time.
#[derive(Debug, Default)]
pub struct Line {
    text: String,
    /// A symbol is put together here before it is looked at.
    scratch: String,
}

impl Line {
    /// Adds a field.
    pub fn push(&mut self, value: Value<'_>) {
        // Writing to a `String` cannot fail.
        let _ = match value {
            Value::Nothing => Ok(()),
            Value::Text(text) => {
                push_text(&mut self.text, text.as_str());
                Ok(())
            }
            Value::Symbol { prefix, symbol, currency, venue } => {
                self.scratch.clear();
                self.scratch.push_str(prefix);
                self.scratch.push_str(symbol);
                let written = match (currency, venue) {
                    (Some(currency), Some(venue)) => write!(self.scratch, "@{currency}:{venue}"),
                    (Some(currency), None) => write!(self.scratch, "@{currency}"),
                    (None, _) => Ok(()),
                };
                push_text(&mut self.text, &self.scratch);
                written
            }
            Value::Word(word) | Value::Code(word) => self.text.write_str(word),
            Value::Capitals(word) => {
                word.chars().try_for_each(|c| self.text.write_char(c.to_ascii_uppercase()))
            }
            Value::Figure(figure) => write!(self.text, "{figure}"),
            Value::Day(day) => write!(self.text, "{day}"),
            Value::Ratio(ratio) => write!(self.text, "{ratio}"),
        };
        self.text.push(',');
    }

    /// Writes the fields as a line and forgets them.
    pub fn end(&mut self, out: &mut impl io::Write) -> io::Result<()> {
        self.text.pop();
        self.text.push('\n');
        out.write_all(self.text.as_bytes())?;
        self.text.clear();
        Ok(())
    }
}

/// A text with a `'` before what a spreadsheet would take for a formula, in quotes where commas,
/// quotes or line ends ask for them.
fn push_text(out: &mut String, text: &str) {
    let quoted = text.contains([',', '"', '\n', '\r']);
    if quoted {
        out.push('"');
    }
    // A text that begins with the guard itself gets one too, so that taking one off is always right.
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\0', '\'']) {
        out.push('\'');
    }
    if quoted {
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = String::new();
        push_text(&mut out, text);
        out
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_guarded() {
        for (text, right) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@x", "'@x"),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("\0x", "'\0x"),
            ("'x", "''x"),
            ("=1,2", "\"'=1,2\""),
            ("x=1", "x=1"),
            (" =1", " =1"),
            ("", ""),
        ] {
            assert_eq!(written(text), right, "{text:?}");
        }
    }

    #[test]
    fn commas_quotes_and_line_ends_are_quoted() {
        assert_eq!(written("a, b"), "\"a, b\"");
        assert_eq!(written("a \"b\""), "\"a \"\"b\"\"\"");
        assert_eq!(written("a\nb"), "\"a\nb\"");
        assert_eq!(written("a;b"), "a;b");
    }

    #[test]
    fn figures_are_neither_guarded_nor_quoted() {
        let mut line = Line::default();
        line.push(Value::Figure(Dec::parse("-1.50").unwrap()));
        line.push(Value::Nothing);
        line.push(Value::mention(&Mention::parse("=F@USD").unwrap()));
        line.push(Value::Capitals("buy_to_cover"));
        let mut out = Vec::new();
        line.end(&mut out).unwrap();
        line.push(Value::Ratio(Ratio::parse("4:1").unwrap()));
        line.end(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "-1.5,,'=F@USD,BUY_TO_COVER\n4:1\n");
    }
}
