//! Reading rows: the same body for the row type of either engine.

/// Implements `FromRow` for both engines with one body.
macro_rules! both_rows {
    ($type:ty, |$row:ident| $body:expr) => {
        impl<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> for $type {
            fn from_row(
                $row: &'r sqlx::sqlite::SqliteRow,
            ) -> std::result::Result<Self, sqlx::Error> {
                use sqlx::Row as _;
                $body
            }
        }

        impl<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> for $type {
            fn from_row($row: &'r sqlx::postgres::PgRow) -> std::result::Result<Self, sqlx::Error> {
                use sqlx::Row as _;
                $body
            }
        }
    };
}
pub(super) use both_rows;

use std::fmt::{self, Display, Write};
use std::str::FromStr;

use crate::model::SafeText;

/// A stored word that must be one of a list, as it is written: what a person may type in capitals
/// is damage here.
pub(super) fn word<T: FromStr + Display>(text: &str, column: &str) -> Result<T, sqlx::Error> {
    let word = text.parse().map_err(|_| damaged(column, text))?;
    let mut rest = Rest(text);
    match write!(rest, "{word}") {
        Ok(()) if rest.0.is_empty() => Ok(word),
        _ => Err(damaged(column, text)),
    }
}

/// What is left of a text once something was found written in it.
struct Rest<'a>(&'a str);

impl Write for Rest<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(text).ok_or(fmt::Error)?;
        Ok(())
    }
}

/// A stored value that no writer of ours could have written.
pub(super) fn damaged(column: &str, text: &str) -> sqlx::Error {
    let shown = SafeText::capped(text, 64);
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: format!("`{shown}` cannot stand here; the store is damaged").into(),
    }
}

/// Stored text; it was made safe when it came in.
pub(super) fn safe(text: Option<String>) -> Option<SafeText> {
    text.map(|text| SafeText::new(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Currency, Mode};

    #[test]
    fn a_word_is_stored_in_one_form() {
        assert_eq!(word::<Mode>("ledger", "mode").ok(), Some(Mode::Ledger));
        assert_eq!(word::<Currency>("USD", "currency").ok(), Some(Currency::USD));
        for wrong in ["ledgEr", "LEDGER", "ledge", "ledgers", ""] {
            assert!(word::<Mode>(wrong, "mode").is_err(), "{wrong}");
        }
        assert!(word::<Currency>("uSD", "currency").is_err());
    }
}
