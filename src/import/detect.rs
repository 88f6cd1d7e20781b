//! What a file is, by what stands in it and never by its name. Knows the first lines of the
//! formats, not their rows.

use std::str::FromStr;

use super::csv_reader::CsvReader;
use super::encoding::{BOM, refuse_no_text};
use super::problem::{Fault, Problem};
use super::{neutral, prices};
use crate::model::{SafeText, UnknownWord};

/// A form of file that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Transactions, one per row.
    Neutral,
    /// Prices and rates, one per row.
    Prices,
    /// A whole store, as exported.
    Json,
}

impl Format {
    /// Every format, by the word that chooses it.
    pub const ALL: [(&'static str, Self); 3] =
        [("neutral", Self::Neutral), ("prices", Self::Prices), ("json", Self::Json)];

    /// The word that chooses it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Prices => "prices",
            Self::Json => "json",
        }
    }
}

impl FromStr for Format {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.into_iter().find(|(word, _)| text.eq_ignore_ascii_case(word));
        found.map(|(_, format)| format).ok_or_else(|| UnknownWord {
            word: SafeText::capped(text, 64),
            what: "format",
            known: Self::ALL.map(|(word, _)| word).join(" "),
        })
    }
}

/// The format of a file that begins with these bytes; 64 KiB are plenty.
///
/// # Errors
/// When it is no text, or text of another kind: the message says what was found.
pub fn detect(first_bytes: &[u8]) -> Result<Format, Problem> {
    refuse_no_text(first_bytes)?;
    let text = first_bytes.strip_prefix(BOM).unwrap_or(first_bytes);
    if text.trim_ascii_start().starts_with(b"{") {
        return Ok(Format::Json);
    }
    let csv = CsvReader::open(first_bytes, u64::MAX, neutral::COLUMNS)?;
    let (header, line) = csv.header();
    let there = |name: &str| header.iter().any(|column| column.as_str() == name);
    let hits = |columns: &str| columns.split(',').filter(|name| there(name)).count();
    // A slip or a gap in the names is for the reader of that format to point out.
    let of_neutral = hits(neutral::COLUMNS);
    if of_neutral >= 7 || of_neutral >= 5 && there("account") && there("type") {
        Ok(Format::Neutral)
    } else if hits(prices::COLUMNS) >= 3 {
        Ok(Format::Prices)
    } else {
        let found: Vec<&str> = header.iter().map(SafeText::as_str).collect();
        let fault = Fault::Unrecognised {
            found: SafeText::capped(&found.join(","), 200),
            neutral: neutral::COLUMNS,
            prices: prices::COLUMNS,
        };
        Err(Problem::new(fault).on_line(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_decides() {
        let of = |text: &str| detect(text.as_bytes());
        assert_eq!(
            of("date,account,type,symbol,quantity,price,fee,currency,amount\n"),
            Ok(Format::Neutral)
        );
        assert_eq!(
            of("\u{feff}Currency,Amount,Note,Fee,Price,Quantity,Symbol,Type,Account,Date"),
            Ok(Format::Neutral)
        );
        assert_eq!(
            of("date,acount,type,symbol,quantity,price,fee,currency,amount\n"),
            Ok(Format::Neutral)
        );
        assert_eq!(of("date,account,type,symbol,currency,amount\n"), Ok(Format::Neutral));
        assert_eq!(of("date,symbol,closing,currency,volume\n"), Ok(Format::Prices));
        assert_eq!(
            of("date,symbol,close,currency\n2024-01-02,sec:AMD,1,USD\n"),
            Ok(Format::Prices)
        );
        assert_eq!(of("symbol, Close ,date,currency,volume"), Ok(Format::Prices));
        assert_eq!(of(" \n{\"schema\":1}"), Ok(Format::Json));
        assert_eq!(of("\u{feff}{}"), Ok(Format::Json));
    }

    #[test]
    fn what_is_neither_is_named() {
        let says = |bytes: &[u8]| detect(bytes).map_err(|problem| problem.to_string()).unwrap_err();
        assert!(says(b"Date,Description,Amount\n").contains("`date,description,amount`"));
        assert!(says(b"date;account;type\n").contains("';'"));
        assert!(says(b"date\taccount\ttype\n").contains("'\\t'"));
        assert!(says(b"").contains("empty"));
        assert!(says(b"\xff\xfed\0a\0").contains("UTF-16"));
    }

    #[test]
    fn a_format_has_one_word() {
        for (word, format) in Format::ALL {
            assert_eq!(word.to_uppercase().parse(), Ok(format));
            assert_eq!(format.as_str(), word);
        }
        assert!(
            "ofx"
                .parse::<Format>()
                .is_err_and(|error| error.to_string().contains("neutral prices json"))
        );
    }
}
