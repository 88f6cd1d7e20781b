//! The places of values in SQL that takes many: `?` on SQLite, which looks for every numbered place
//! among all before it, and `$1` on Postgres, which knows no others.

use super::Tx;

impl Tx {
    /// `?,?` or `$1,$2`, so many.
    pub(super) fn marks(&self, count: usize) -> String {
        let marks = (1..=count).map(|number| self.mark(number));
        marks.collect::<Vec<_>>().join(",")
    }

    /// `(?,?),(?,?)` or `($1,$2),($3,$4)`: so many rows of so many values.
    pub(super) fn rows_of_marks(&self, count: usize, width: usize) -> String {
        let row = |row: usize| {
            let marks = (1..=width).map(|value| self.mark(row * width + value));
            format!("({})", marks.collect::<Vec<_>>().join(","))
        };
        (0..count).map(row).collect::<Vec<_>>().join(",")
    }

    /// Such rows as they stand behind `in`.
    pub(super) fn list_of_marks(&self, count: usize, width: usize) -> String {
        let rows = self.rows_of_marks(count, width);
        match self {
            Self::Sqlite(_) => format!("values {rows}"),
            Self::Postgres(_) => rows,
        }
    }

    fn mark(&self, number: usize) -> String {
        match self {
            Self::Sqlite(_) => "?".to_owned(),
            Self::Postgres(_) => format!("${number}"),
        }
    }
}
