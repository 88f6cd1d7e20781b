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

use crate::model::SafeText;

/// A stored word that must be one of a list.
pub(super) fn word<T: std::str::FromStr>(text: &str, column: &str) -> Result<T, sqlx::Error> {
    text.parse().map_err(|_| damaged(column, text))
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
