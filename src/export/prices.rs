//! Prices and rates in the native form: one row of a CSV file is one day of one security or
//! currency. Knows how they are written, not which are worth it.

use std::io;

use chrono::{DateTime, NaiveDate};

use super::Writer;
use super::csv_line::{Line, Value};
use crate::model::{Interval, Item, Mention, Price, Rate, SafeText};

/// What a row that names no source has.
const FROM_FILE: &str = "file";

/// The columns that a file has when they are in use.
const OPTIONAL: [&str; 5] = ["open", "high", "low", "volume", "source"];

/// One row: the required fields and the optional ones.
struct Row<'a> {
    required: [Value<'a>; 4],
    optional: [Value<'a>; 5],
}

/// The row for an item; none if this form cannot hold it.
fn row(item: &Item) -> Option<Row<'_>> {
    match item {
        Item::Price(mention, price) => price_row(mention, price),
        Item::Rate(rate) => rate_row(rate),
        _ => None,
    }
}

/// A bar of a day whose figures are those of the day: the form has no word for any other.
fn price_row<'a>(mention: &'a Mention, price: &'a Price) -> Option<Row<'a>> {
    if price.interval != Interval::Day || price.split_adjusted {
        return None;
    }
    // There is no column for the venue, so it stands behind the currency; one with an `@` could not
    // be told from it.
    let is_plain = |venue: &&SafeText| {
        !venue.as_str().contains('@') && venue.as_str().trim() == venue.as_str()
    };
    let symbol = Value::Symbol {
        prefix: "sec:",
        symbol: mention.symbol.as_str(),
        currency: mention.currency,
        venue: mention.venue.as_ref().filter(is_plain),
    };
    let figure = |figure| Value::maybe(figure, Value::Figure);
    Some(Row {
        required: [
            Value::Day(day(price.at)?),
            symbol,
            Value::Figure(price.close),
            Value::Code(price.currency.code()),
        ],
        optional: [
            figure(price.open),
            figure(price.high),
            figure(price.low),
            figure(price.volume),
            source(&price.source),
        ],
    })
}

fn rate_row(rate: &Rate) -> Option<Row<'_>> {
    let symbol =
        Value::Symbol { prefix: "fx:", symbol: rate.base.code(), currency: None, venue: None };
    let (close, currency) = (Value::Figure(rate.rate), Value::Code(rate.quote.code()));
    let nothing = Value::Nothing;
    Some(Row {
        required: [Value::Day(day(rate.at)?), symbol, close, currency],
        optional: [nothing, nothing, nothing, nothing, source(&rate.source)],
    })
}

fn source(source: &SafeText) -> Value<'_> {
    if source.as_str() == FROM_FILE { Value::Nothing } else { Value::Text(source) }
}

fn day(micros: i64) -> Option<NaiveDate> {
    DateTime::from_timestamp_micros(micros).map(|at| at.date_naive())
}

/// Which optional columns a set of prices and rates needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct PriceColumns {
    used: [bool; OPTIONAL.len()],
}

impl PriceColumns {
    /// Looks at the next item.
    pub fn note(&mut self, item: &Item) {
        let Some(row) = row(item) else { return };
        for (used, value) in self.used.iter_mut().zip(row.optional) {
            *used |= !value.is_nothing();
        }
    }
}

/// Writes prices and rates; other items have no place in this form.
#[derive(Debug)]
pub struct PriceWriter<W> {
    out: W,
    line: Line,
    columns: PriceColumns,
    begun: bool,
    skipped: u64,
}

impl<W: io::Write> PriceWriter<W> {
    /// Begins a file with these columns.
    pub fn new(out: W, columns: PriceColumns) -> Self {
        Self { out, line: Line::default(), columns, begun: false, skipped: 0 }
    }

    /// How many prices this form could not hold: bars of other lengths than a day, and figures
    /// restated for later splits.
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Writes the header once.
    fn begin(&mut self) -> io::Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        for name in ["date", "symbol", "close", "currency"] {
            self.line.push(Value::Word(name));
        }
        for (name, used) in OPTIONAL.into_iter().zip(self.columns.used) {
            if used {
                self.line.push(Value::Word(name));
            }
        }
        self.line.end(&mut self.out)
    }
}

impl<W: io::Write> Writer for PriceWriter<W> {
    fn item(&mut self, item: &Item) -> io::Result<()> {
        let Some(row) = row(item) else {
            self.skipped += u64::from(matches!(item, Item::Price(..) | Item::Rate(_)));
            return Ok(());
        };
        self.begin()?;
        for value in row.required {
            self.line.push(value);
        }
        for ((name, value), used) in OPTIONAL.into_iter().zip(row.optional).zip(self.columns.used) {
            if used {
                self.line.push(value);
            } else if !value.is_nothing() {
                // Better no file than one that has lost something.
                let lost = format!("a price has a {name}, which none of those noted had");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, lost));
            }
        }
        self.line.end(&mut self.out)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.begin()?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Currency, Dec, SecurityId, midnight_micros};

    fn at(day: u32) -> i64 {
        midnight_micros(NaiveDate::from_ymd_opt(2024, 1, day).unwrap())
    }

    fn price(symbol: &str, change: impl FnOnce(&mut Mention, &mut Price)) -> Item {
        let mut mention = Mention::parse(symbol).unwrap();
        let mut price = Price {
            security: SecurityId(0),
            interval: Interval::Day,
            at: at(2),
            source: SafeText::new(FROM_FILE),
            currency: Currency::USD,
            open: None,
            high: None,
            low: None,
            close: Dec::parse("1.5").unwrap(),
            volume: None,
            quoted_in: None,
            split_adjusted: false,
        };
        change(&mut mention, &mut price);
        Item::Price(mention, Box::new(price))
    }

    fn rate(source: &str) -> Item {
        Item::Rate(Rate {
            base: Currency::CAD,
            quote: Currency::USD,
            at: at(3),
            source: SafeText::new(source),
            rate: Dec::parse("0.75").unwrap(),
        })
    }

    fn written(items: &[Item]) -> (String, u64) {
        let mut columns = PriceColumns::default();
        for item in items {
            columns.note(item);
        }
        let mut out = Vec::new();
        let mut writer = PriceWriter::new(&mut out, columns);
        for item in items {
            writer.item(item).unwrap();
        }
        writer.finish().unwrap();
        let skipped = writer.skipped();
        (String::from_utf8(out).unwrap(), skipped)
    }

    #[test]
    fn what_a_symbol_is_always_stands_before_it() {
        let twin = |mention: &mut Mention, _: &mut Price| mention.venue = Some(SafeText::new("V"));
        let items = [
            price("CAD", |_, _| {}),
            price("X", twin),
            price("Y@EUR", twin),
            price("Y@EUR", |mention, _| mention.venue = Some(SafeText::new("a@b"))),
            price("=F", |_, price| price.at = at(1) - 1),
            rate(FROM_FILE),
        ];
        let right = "date,symbol,close,currency\n\
            2024-01-02,sec:CAD,1.5,USD\n\
            2024-01-02,sec:X,1.5,USD\n\
            2024-01-02,sec:Y@EUR:V,1.5,USD\n\
            2024-01-02,sec:Y@EUR,1.5,USD\n\
            2023-12-31,sec:=F,1.5,USD\n\
            2024-01-03,fx:CAD,0.75,USD\n";
        assert_eq!(written(&items), (right.to_owned(), 0));
        assert_eq!(written(&[]), ("date,symbol,close,currency\n".to_owned(), 0));
    }

    #[test]
    fn optional_columns_are_written_where_they_are_in_use() {
        let bar = |_: &mut Mention, price: &mut Price| {
            (price.open, price.high) = (Dec::parse("1").ok(), Dec::parse("2").ok());
            (price.low, price.volume) = (Dec::parse("0.5").ok(), Dec::parse("100").ok());
        };
        let right = "date,symbol,close,currency,open,high,low,volume,source\n\
            2024-01-02,sec:X,1.5,USD,1,2,0.5,100,\n\
            2024-01-03,fx:CAD,0.75,USD,,,,,hand\n";
        assert_eq!(written(&[price("X", bar), rate("hand")]), (right.to_owned(), 0));
        let right = "date,symbol,close,currency,source\n2024-01-03,fx:CAD,0.75,USD,'=x\n";
        assert_eq!(written(&[rate("=x")]), (right.to_owned(), 0));
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let items = [
            price("X", |_, price| price.interval = Interval::Hour),
            price("X", |_, price| price.split_adjusted = true),
            price("X", |_, price| {
                price.interval = Interval::Week;
                price.open = Some(Dec::ONE);
            }),
            Item::Category { name: SafeText::new("c"), parent: None },
        ];
        assert_eq!(written(&items), ("date,symbol,close,currency\n".to_owned(), 3));
    }

    #[test]
    fn a_column_that_nobody_noted_is_an_error_and_no_loss() {
        let mut writer = PriceWriter::new(Vec::new(), PriceColumns::default());
        assert!(writer.item(&rate("hand")).is_err());
    }
}
