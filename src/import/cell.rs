//! One field of a row, read as what its column holds. Knows how figures, dates and names are
//! written in our own files, and no column by name.

use std::borrow::Cow;

use chrono::NaiveDate;

use super::columns::Place;
use super::csv_reader::Fields;
use super::problem::{Fault, Problem};
use crate::model::{Dec, SafeText, Unit};

/// The most bytes of a description or a note; more is cut, since the raw record keeps it all.
const MAX_WORDS: usize = 4096;

/// One field of a row and the name of its column.
#[derive(Clone, Debug)]
pub struct Cell<'a> {
    column: &'static str,
    text: Cow<'a, str>,
}

impl<'a> Fields<'a> {
    /// The field of a column; an empty one where the file has no such column.
    pub fn cell(self, place: Place) -> Cell<'a> {
        let text = place.at.map_or(Cow::Borrowed(""), |index| self.get(index));
        Cell { column: place.name, text }
    }
}

impl Cell<'_> {
    /// A problem of this field.
    pub fn refuse(&self, why: impl Into<Fault>) -> Problem {
        Problem::in_column(self.column, why)
    }

    /// Nothing but space.
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// What `read` makes of the field without the space around it; nothing if it is empty.
    pub fn read<T, E: Into<Fault>>(
        &self,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Problem> {
        match self.text.trim() {
            "" => Ok(None),
            text => read(text).map(Some).map_err(|error| self.refuse(error)),
        }
    }

    /// As [`Cell::read`], where the field may not be empty.
    pub fn need<T, E: Into<Fault>>(
        &self,
        what: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Problem> {
        self.read(read)?.ok_or_else(|| self.refuse(Fault::Missing(what)))
    }

    /// A figure.
    pub fn decimal(&self) -> Result<Option<Dec>, Problem> {
        self.read(Dec::parse)
    }

    /// A day.
    pub fn date(&self) -> Result<Option<NaiveDate>, Problem> {
        self.read(date)
    }

    /// The day of the row.
    pub fn need_date(&self) -> Result<NaiveDate, Problem> {
        self.need("the day as YYYY-MM-DD", date)
    }

    /// The currency of the row.
    pub fn need_unit(&self) -> Result<Unit, Problem> {
        self.need("the currency of the row, like USD", Unit::parse)
    }

    /// A text that names something, of at most `max` bytes.
    pub fn name(&self, max: usize) -> Result<Option<SafeText>, Problem> {
        // Behind a guard the text stands exactly as it is meant.
        let name = guarded(&self.text).unwrap_or_else(|| self.text.trim());
        if name.trim().is_empty() {
            return Ok(None);
        }
        let name = SafeText::new(name);
        if name.as_str().len() > max {
            Err(self.refuse(Fault::NameTooLong(max)))
        } else {
            Ok(Some(name))
        }
    }

    /// Free text, exactly as it stands.
    pub fn words(&self) -> Option<SafeText> {
        let text = guarded(&self.text).unwrap_or(&self.text);
        (!text.is_empty()).then(|| SafeText::capped(text, MAX_WORDS))
    }

    /// The text of a symbol, without guard and space around it.
    pub fn symbol(&self) -> &str {
        let text = self.text.trim();
        guarded(text).unwrap_or(text).trim()
    }
}

/// The text behind a guard, if there is one: spreadsheets run a text that begins like a formula, so
/// exports put a `'` before it.
fn guarded(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('\'')?;
    rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\0', '\'']).then_some(rest)
}

/// `YYYY-MM-DD`, years 0001 to 9999.
fn date(text: &str) -> Result<NaiveDate, Fault> {
    let not_iso = || Fault::Date(SafeText::capped(text, 40));
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else {
        return Err(not_iso());
    };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0, |sum, digit| {
            digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0'))
        })
    };
    let (Some(year), Some(month), Some(day)) =
        (number(&[y1, y2, y3, y4]), number(&[m1, m2]), number(&[d1, d2]))
    else {
        return Err(not_iso());
    };
    let real = NaiveDate::from_ymd_opt(year.cast_signed(), month, day).filter(|_| year > 0);
    real.ok_or_else(|| Fault::NoSuchDay(SafeText::capped(text, 40)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> Cell<'_> {
        Cell { column: "note", text: Cow::Borrowed(text) }
    }

    #[test]
    fn dates_are_iso_and_real() {
        for (text, ymd) in [
            ("0001-01-01", (1, 1, 1)),
            ("2024-02-29", (2024, 2, 29)),
            ("9999-12-31", (9999, 12, 31)),
        ] {
            let (y, m, d) = ymd;
            assert_eq!(date(text), Ok(NaiveDate::from_ymd_opt(y, m, d).unwrap()));
        }
        for text in ["2023-02-29", "2024-13-01", "2024-00-10", "2024-01-32", "0000-01-01"] {
            assert!(matches!(date(text), Err(Fault::NoSuchDay(_))), "{text}");
        }
        for text in [
            "",
            "2024-1-2",
            "2024/01/02",
            "01-02-2024",
            "20240102",
            "+024-01-02",
            "2024-01-02T00:00",
            "２０２４-01-02",
            "2024-01-0\0",
        ] {
            assert!(matches!(date(text), Err(Fault::Date(_))), "{text}");
        }
    }

    #[test]
    fn one_guard_is_taken_off_and_only_where_exports_put_one() {
        for text in ["=1", "+1", "-1", "@x", "\tx", "\rx", "\0x", "'x", "''x"] {
            assert_eq!(cell(&format!("'{text}")).words(), Some(SafeText::new(text)), "{text:?}");
            assert_eq!(
                cell(&format!("'{text}")).name(99),
                Ok(Some(SafeText::new(text))),
                "{text:?}"
            );
        }
        for text in ["'tis", "'", "x'=", "=1", " '=1"] {
            assert_eq!(cell(text).words(), Some(SafeText::new(text)), "{text:?}");
        }
        assert_eq!(cell(" '=F ").symbol(), "=F");
    }

    #[test]
    fn names_are_trimmed_capped_and_never_blank() {
        assert_eq!(cell("  My  account ").name(99), Ok(Some(SafeText::new("My  account"))));
        for blank in ["", "  ", "\t", "'\t", "\u{a0}"] {
            assert_eq!(cell(blank).name(99), Ok(None), "{blank:?}");
        }
        assert!(cell("12345").name(5).is_ok());
        assert!(
            cell("123456")
                .name(5)
                .is_err_and(|p| p.to_string() == "column note: longer than 5 bytes; shorten it")
        );
        // What is not safe to show counts as it is stored.
        assert!(cell("a\u{202e}").name(5).is_err());
    }

    #[test]
    fn words_stay_as_they_are() {
        assert_eq!(cell("  two  spaces ").words(), Some(SafeText::new("  two  spaces ")));
        assert_eq!(cell("").words(), None);
        assert_eq!(cell(&"x".repeat(5000)).words().map(|text| text.as_str().len()), Some(4096));
    }
}
