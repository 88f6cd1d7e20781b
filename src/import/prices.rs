//! Prices and rates: one row of a CSV file is one day of one security or currency. Knows how the
//! fields are written, not which securities and currencies are in use.

use std::io::Read;

use super::Row;
use super::columns::{self, Place, place};
use super::csv_reader::{CsvReader, Fields, Record};
use super::problem::{Fault, Problem};
use crate::model::{Currency, Dec, Exact, Mention, PriceSubject, Quote, SafeText, Unit};

/// The columns that a file must have.
pub const COLUMNS: &str = "date,symbol,close,currency";
/// The columns that it may have.
pub const OPTIONAL: &str = "open,high,low,volume,source";
/// The most bytes of a file.
pub const MAX_BYTES: u64 = 4 << 30;

/// The most bytes of the name of a source.
const MAX_SOURCE: usize = 64;

/// Reads a file of prices row by row.
#[derive(Debug)]
pub struct PriceReader<R> {
    csv: CsvReader<R>,
    places: Places,
    /// The source of a row that names none.
    file: SafeText,
}

/// Where each column stands in this file.
#[derive(Debug)]
struct Places {
    date: Place,
    symbol: Place,
    close: Place,
    currency: Place,
    open: Place,
    high: Place,
    low: Place,
    volume: Place,
    source: Place,
}

impl<R: Read> PriceReader<R> {
    /// Opens a file and checks its header.
    ///
    /// # Errors
    /// When it is no text or its header lacks a column or has an unknown one.
    pub fn new(source: R) -> Result<Self, Problem> {
        let csv = CsvReader::open(source, MAX_BYTES, COLUMNS)?;
        columns::check(&csv, COLUMNS, OPTIONAL)?;
        let (header, _) = csv.header();
        let places = Places {
            date: place(header, "date"),
            symbol: place(header, "symbol"),
            close: place(header, "close"),
            currency: place(header, "currency"),
            open: place(header, "open"),
            high: place(header, "high"),
            low: place(header, "low"),
            volume: place(header, "volume"),
            source: place(header, "source"),
        };
        Ok(Self { csv, places, file: SafeText::new("file") })
    }

    /// The next row, right or wrong; none at the end.
    ///
    /// # Errors
    /// What hides where the next row begins, like a quote that is never closed, or a failing disk.
    /// Nothing comes after it.
    pub fn next_row(&mut self) -> Result<Option<Row<'_, Quote>>, Problem> {
        let Some(Record { line, raw, fields }) = self.csv.next_record()? else { return Ok(None) };
        let parsed = fields.and_then(|fields| self.places.quote(fields, &self.file));
        Ok(Some(Row { line, raw, parsed: parsed.map_err(|problem| problem.on_line(line)) }))
    }
}

impl Places {
    fn quote(&self, fields: Fields<'_>, file: &SafeText) -> Result<Quote, Problem> {
        let cell = |place| fields.cell(place);
        let date = cell(self.date).need_date()?;
        let symbol = cell(self.symbol);
        let subject = subject(symbol.symbol()).map_err(|fault| symbol.refuse(fault))?;
        let unit = cell(self.currency).need_unit()?;
        let close = cell(self.close).need("the price", |text| {
            Dec::parse(text).map_err(Fault::from).and_then(|d| whole(d, unit))
        })?;
        let price = |place| cell(place).read(|text| whole(Dec::parse(text)?, unit));
        let volume = cell(self.volume).decimal()?;
        if let Some(below) = volume.filter(|volume| volume.is_negative()) {
            return Err(cell(self.volume).refuse(Fault::Negative(below)));
        }
        let quote = Quote {
            subject,
            date,
            currency: unit.currency,
            open: price(self.open)?,
            high: price(self.high)?,
            low: price(self.low)?,
            close,
            volume,
            source: cell(self.source).name(MAX_SOURCE)?.map_or_else(|| file.clone(), lower_case),
            quoted_in: unit.is_minor().then(|| SafeText::new(unit.name)),
        };
        // What a bare code is only the store and the whole batch know.
        if let PriceSubject::Currency(base) = quote.subject {
            quote.check_rate(base)?;
        }
        Ok(quote)
    }
}

/// What a symbol means; only `fx:` and `sec:` say it for certain.
/// What is priced, as a person names it alone.
///
/// # Errors
/// What is wrong with it.
pub fn read_subject(text: &str) -> Result<PriceSubject, Problem> {
    subject(text).map_err(|fault| Problem::in_column("symbol", fault))
}

fn subject(text: &str) -> Result<PriceSubject, Fault> {
    let after = |prefix: &str| {
        let (head, rest) = text.split_at_checked(prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then(|| rest.trim())
    };
    if text.is_empty() {
        Err(Fault::Missing("what is priced, like sec:AMD or fx:CAD"))
    } else if let Some(code) = after("fx:") {
        Ok(PriceSubject::Currency(Currency::parse(code)?))
    } else if let Some(symbol) = after("sec:") {
        Ok(PriceSubject::Security(told_apart(symbol)?))
    } else {
        match Currency::parse(text) {
            Ok(currency) if currency.is_current() => Ok(PriceSubject::Bare(currency)),
            _ => Ok(PriceSubject::Security(Mention::parse(text)?)),
        }
    }
}

/// `SYM`, `SYM@CUR` or `SYM@CUR:VENUE`: a file of prices has no column for the venue.
fn told_apart(text: &str) -> Result<Mention, Fault> {
    let parts = text.rsplit_once('@').and_then(|(symbol, rest)| {
        let (code, venue) = rest.split_once(':')?;
        let is_told = !symbol.is_empty() && Currency::parse(code).is_ok();
        (is_told && !venue.trim().is_empty()).then_some((symbol, code, venue.trim()))
    });
    let Some((symbol, code, venue)) = parts else { return Ok(Mention::parse(text)?) };
    if venue.len() > Mention::MAX {
        return Err(Fault::NameTooLong(Mention::MAX));
    }
    let mention = Mention::parse(&format!("{symbol}@{code}"))?;
    Ok(Mention { venue: Some(SafeText::new(venue)), ..mention })
}

/// The price in the currency itself, where the row has it in pence and the like.
fn whole(price: Dec, unit: Unit) -> Result<Dec, Fault> {
    if unit.is_minor() {
        let per = Exact::from(Dec::from_i64(i64::from(unit.per)));
        Ok(Exact::from(price).div_round(&per, 28)?)
    } else {
        Ok(price)
    }
}

fn lower_case(source: SafeText) -> SafeText {
    if source.as_str().chars().any(char::is_uppercase) {
        SafeText::new(&source.as_str().to_lowercase())
    } else {
        source
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use proptest::prelude::*;

    use super::*;

    fn dec(text: &str) -> Dec {
        Dec::parse(text).unwrap()
    }

    fn read(bytes: &[u8]) -> Result<Vec<Result<Quote, Problem>>, Problem> {
        let mut reader = PriceReader::new(bytes)?;
        let mut rows = Vec::new();
        while let Some(row) = reader.next_row()? {
            rows.push(row.parsed);
        }
        Ok(rows)
    }

    fn quote(row: &str) -> Result<Quote, String> {
        let wide = row.matches(',').count() > 4;
        let header = if wide { format!("{COLUMNS},{OPTIONAL}") } else { COLUMNS.to_owned() };
        let mut rows = read(format!("{header}\n{row}\n").as_bytes()).unwrap();
        assert_eq!(rows.len(), 1);
        rows.remove(0).map_err(|problem| problem.to_string())
    }

    fn security(text: &str) -> PriceSubject {
        PriceSubject::Security(Mention::parse(text).unwrap())
    }

    fn on_venue(text: &str, venue: &str) -> PriceSubject {
        let venue = Some(SafeText::new(venue));
        PriceSubject::Security(Mention { venue, ..Mention::parse(text).unwrap() })
    }

    #[test]
    fn what_a_symbol_means() {
        for (symbol, right) in [
            ("fx:CAD", PriceSubject::Currency(Currency::CAD)),
            ("FX: CAD", PriceSubject::Currency(Currency::CAD)),
            ("fx:DEM", PriceSubject::Currency(Currency::parse("DEM").unwrap())),
            ("sec:AMD", security("AMD")),
            ("Sec:CAD", security("CAD")),
            ("sec:SHOP@CAD", security("SHOP@CAD")),
            ("sec:SHOP@CAD:XTSE", on_venue("SHOP@CAD", "XTSE")),
            ("sec:A@B@CAD: a:b", on_venue("A@B@CAD", "a:b")),
            ("sec:A@NO:V", security("A@NO:V")),
            ("sec:A@CAD:", security("A@CAD:")),
            ("SHOP@CAD:XTSE", security("SHOP@CAD:XTSE")),
            ("CAD", PriceSubject::Bare(Currency::CAD)),
            ("AMD", PriceSubject::Bare(Currency::parse("AMD").unwrap())),
            ("DEM", security("DEM")),
            ("cad", security("cad")),
            ("NWEQ", security("NWEQ")),
            ("SHOP@CAD", security("SHOP@CAD")),
            ("'=F", security("=F")),
        ] {
            let read = quote(&format!("2024-01-02,{symbol},1.5,USD")).unwrap();
            assert_eq!(read.subject, right, "{symbol}");
        }
    }

    #[test]
    fn a_full_row_makes_a_bar() {
        let bar = quote("2024-03-28,sec:X,14,USD,13.5,14.25,13,1000.5,Stooq").unwrap();
        let right = Quote {
            subject: security("X"),
            date: NaiveDate::from_ymd_opt(2024, 3, 28).unwrap(),
            currency: Currency::USD,
            open: Some(dec("13.5")),
            high: Some(dec("14.25")),
            low: Some(dec("13")),
            close: dec("14"),
            volume: Some(dec("1000.5")),
            source: SafeText::new("stooq"),
            quoted_in: None,
        };
        assert_eq!(bar, right);
        let short = quote("2024-03-28,sec:X,14,USD").unwrap();
        assert_eq!((short.open, short.volume, short.source), (None, None, SafeText::new("file")));
    }

    #[test]
    fn pence_become_pounds_once() {
        let bar = quote("2024-03-28,sec:VOD,70.5,GBp,70,71,69.25,1000,").unwrap();
        assert_eq!(bar.currency, Currency::parse("GBP").unwrap());
        assert_eq!(bar.close, dec("0.705"));
        assert_eq!(
            (bar.open, bar.high, bar.low),
            (Some(dec("0.7")), Some(dec("0.71")), Some(dec("0.6925")))
        );
        assert_eq!(bar.volume, Some(dec("1000")));
        assert_eq!(bar.quoted_in, Some(SafeText::new("GBp")));
    }

    #[test]
    fn securities_may_be_worth_nothing_or_less() {
        for close in ["0", "-37.63"] {
            assert_eq!(
                quote(&format!("2020-04-20,sec:CL,{close},USD")).map(|q| q.close),
                Ok(dec(close))
            );
        }
    }

    #[test]
    fn every_wrong_row_says_what_would_be_right() {
        for (row, says) in [
            (",sec:X,1,USD", "line 2, column date: empty; write the day"),
            ("2024-02-30,sec:X,1,USD", "line 2, column date: 2024-02-30 is no day"),
            ("2024-01-02,,1,USD", "line 2, column symbol: empty; write what is priced"),
            ("2024-01-02,fx:,1,USD", "line 2, column symbol: "),
            ("2024-01-02,fx:CADD,1,USD", "did you mean CAD"),
            ("2024-01-02,fx:GBp,1,USD", "line 2, column symbol: "),
            ("2024-01-02,sec:,1,USD", "line 2, column symbol: the symbol is empty"),
            ("2024-01-02,sec:X,,USD", "line 2, column close: empty; write the price"),
            (
                "2024-01-02,sec:X,\"1,5\",USD",
                "line 2, column close: expected a number with a decimal point",
            ),
            ("2024-01-02,sec:X,1,", "line 2, column currency: empty"),
            ("2024-01-02,sec:X,1,usd", "did you mean USD"),
            ("2024-01-02,fx:USD,1,USD", "line 2, column currency: a rate of USD in USD; "),
            ("2024-01-02,fx:GBP,1,GBp", "line 2, column currency: a rate of GBP in GBP; "),
            ("2024-01-02,fx:CAD,0,USD", "line 2, column close: a rate of 0; "),
            ("2024-01-02,fx:CAD,-0.75,USD", "line 2, column close: a rate of -0.75; "),
            ("2024-01-02,sec:X,1,USD,x,,,,", "line 2, column open: "),
            ("2024-01-02,sec:X,1,USD,,x,,,", "line 2, column high: "),
            ("2024-01-02,sec:X,1,USD,,,x,,", "line 2, column low: "),
            ("2024-01-02,sec:X,1,USD,,,,-1,", "line 2, column volume: -1 is below zero"),
            ("2024-01-02,sec:X,1,USD,,,,x,", "line 2, column volume: "),
            ("2024-01-02,sec:X", "line 2: 2 fields, but the first line names 4"),
        ] {
            let problem = quote(row).unwrap_err();
            assert!(problem.contains(says), "{row}: {problem}");
        }
        let source = format!("2024-01-02,sec:X,1,USD,,,,,{}", "x".repeat(65));
        assert!(
            quote(&source)
                .is_err_and(|problem| problem.starts_with("line 2, column source: longer than 64"))
        );
    }

    #[test]
    fn files_that_cannot_be_read_say_why() {
        let says = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
        assert!(says(b"").contains("date,symbol,close,currency"));
        assert!(says(b"date,symbol,currency\n").contains("lacks close"));
        assert!(
            says(b"date,symbol,close,currency,adjusted\n").contains("column adjusted: unknown")
        );
        assert!(says(b"date,symbol,close,currency").starts_with("line 2, column date: nothing"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..100),
            symbol in "\\PC{0,12}",
            close in "[-+0-9.,eE]{0,40}",
        ) {
            let row = format!("\n2024-01-02,{symbol},{close},GBp\n");
            let _ = read(&[COLUMNS.as_bytes(), row.as_bytes(), &bytes].concat());
        }
    }
}
