//! Reports as CSV: words are guarded against spreadsheets that would run them, figures stand as
//! they are. It knows fields, not reports.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::model::SafeText;

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing, or not known.
    Nothing,
    /// Words from outside.
    Text(SafeText),
    /// A figure, a day, a word or a code of ours: never guarded.
    Plain(String),
}

impl Cell {
    /// Words, where there are any.
    pub fn text(text: Option<&SafeText>) -> Self {
        text.map_or(Self::Nothing, |text| Self::Text(text.clone()))
    }

    /// Something of ours, where there is any.
    pub fn plain(value: Option<impl ToString>) -> Self {
        value.map_or(Self::Nothing, |value| Self::Plain(value.to_string()))
    }

    fn written(&self) -> Cow<'_, str> {
        match self {
            Self::Nothing => Cow::Borrowed(""),
            Self::Text(text) => guarded(text.as_str()),
            Self::Plain(text) => Cow::Borrowed(text),
        }
    }
}

/// A spreadsheet runs a text that begins like a formula, so a `'` is put before it; a text that
/// begins with the guard gets one too, so that taking one off is always right.
pub fn guarded(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\0', '\'']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Lines that are written one after the other.
pub struct Lines<W: Write>(csv::Writer<W>);

impl<W: Write> Lines<W> {
    /// Begins with a header.
    pub fn begin(out: W, header: &[&str]) -> io::Result<Self> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(header)?;
        Ok(Self(csv))
    }

    /// Writes a line.
    pub fn line(&mut self, cells: &[Cell]) -> io::Result<()> {
        for cell in cells {
            self.0.write_field(cell.written().as_bytes())?;
        }
        Ok(self.0.write_record(None::<&[u8]>)?)
    }

    /// Gives back where they were written, with all of them in it.
    pub fn end(self) -> io::Result<W> {
        self.0.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// Writes a header and rows.
pub fn write(
    out: &mut impl Write,
    header: &[&str],
    rows: impl Iterator<Item = Vec<Cell>>,
) -> io::Result<()> {
    let mut lines = Lines::begin(out, header)?;
    for row in rows {
        lines.line(&row)?;
    }
    lines.end().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(cells: Vec<Cell>) -> String {
        let mut out = Vec::new();
        let header = vec!["h"; cells.len()];
        write(&mut out, &header, std::iter::once(cells)).unwrap();
        String::from_utf8(out).unwrap().lines().nth(1).unwrap().to_owned()
    }

    fn text(text: &str) -> Cell {
        Cell::Text(SafeText::new(text))
    }

    #[test]
    fn words_are_guarded_and_figures_are_not() {
        let cells = vec![text("=1+1"), text("'x"), text("-y"), Cell::Plain("-5.25".to_owned())];
        assert_eq!(written(cells), "'=1+1,''x,'-y,-5.25");
    }

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let cells = vec![text("a, \"b\""), Cell::Nothing, text("c")];
        assert_eq!(written(cells), "\"a, \"\"b\"\"\",,c");
    }
}
