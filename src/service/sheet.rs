//! Rows of a screen as a file: figures as they are, words guarded against spreadsheets that would run
//! them.

use std::io;
use std::path::Path;

use super::{Error, Session, plan};
use crate::export::cells::{self, Cell};
use crate::model::{Dec, SafeText};
use crate::text::Figures;

/// What stands in a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// A figure, as exact as it is known.
    Figure(Dec),
    /// Words.
    Words(SafeText),
}

/// Rows as CSV. Nothing in it is masked.
///
/// # Errors
/// Never: it is written into memory.
pub fn csv(titles: &[&str], rows: impl Iterator<Item = Vec<Field>>) -> io::Result<Vec<u8>> {
    let cell = |field| match field {
        Field::Figure(figure) => Cell::Plain(Figures::plain(false).exact(figure)),
        Field::Words(words) => Cell::Text(words),
    };
    let mut bytes = Vec::new();
    cells::write(&mut bytes, titles, rows.map(|row| row.into_iter().map(cell).collect()))?;
    Ok(bytes)
}

/// Writes them into a private file that is not there yet.
///
/// # Errors
/// When it is there, or it or the trail cannot be written.
pub async fn write(session: &Session, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    plan::write_as(session, "export", path, bytes, false).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_figures_as_they_are_and_no_formulas() {
        let figure = Field::Figure(Dec::parse("-1234.50").unwrap());
        let words = |text: &str| Field::Words(SafeText::new(text));
        let starters = ["=", "+", "-", "@", "\t", "\r", "\0"].map(|start| format!("{start}1"));
        let rows = starters.iter().map(|text| vec![figure.clone(), words(text)]);
        let rows = rows.chain([vec![words("n/a"), words("a \"b\", c")]]);
        let text = String::from_utf8(csv(&["Value", "Symbol"], rows).unwrap()).unwrap();
        let lines: Vec<_> = text.split_terminator('\n').collect();
        assert_eq!(lines[0], "Value,Symbol");
        for (line, start) in lines[1..5].iter().zip(["=", "+", "-", "@"]) {
            assert_eq!(*line, format!("-1234.5,'{start}1"));
        }
        // What a terminal would obey is no safe text: nothing of it begins a field.
        let begins_badly =
            |line: &&str| line.split(',').any(|it| it.starts_with(['\t', '\r', '\0']));
        assert!(!lines.iter().any(begins_badly), "{lines:?}");
        assert_eq!(lines[8], "n/a,\"a \"\"b\"\", c\"");
        assert_eq!(lines.len(), 9);
    }
}
