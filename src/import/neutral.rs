//! Transactions in the native form: one row of a CSV file is one entry. Knows how the fields are
//! written; whether an entry makes sense is for the entry to say.

use std::io::Read;

use super::Row;
use super::columns::{self, Place, place};
use super::csv_reader::{CsvReader, Fields, Record};
use super::problem::{Fault, Problem};
use crate::model::{Dec, Entry, EntryType, Isin, Mention, Ratio, SafeText, Status, SymbolError};

/// The columns that a file must have.
pub const COLUMNS: &str = "date,account,type,symbol,quantity,price,fee,currency,amount";
/// The columns that it may have.
pub const OPTIONAL: &str = "settlement,tax,fx_rate,description,id,ratio,to_account,to_symbol,\
    cost_share,multiplier,venue,isin,acquired,link,status,category,note";
/// The most bytes of a file.
pub const MAX_BYTES: u64 = 4 << 30;

/// Reads a file of transactions row by row.
#[derive(Debug)]
pub struct NeutralReader<R> {
    csv: CsvReader<R>,
    places: Places,
}

impl<R: Read> NeutralReader<R> {
    /// Opens a file and checks its header.
    ///
    /// # Errors
    /// When it is no text or its header lacks a column or has an unknown one.
    pub fn new(source: R) -> Result<Self, Problem> {
        let csv = CsvReader::open(source, MAX_BYTES, COLUMNS)?;
        columns::check(&csv, COLUMNS, OPTIONAL)?;
        let places = Places::new(csv.header().0);
        Ok(Self { csv, places })
    }

    /// The next row, right or wrong; none at the end.
    ///
    /// # Errors
    /// What hides where the next row begins, like a quote that is never closed, or a failing disk.
    /// Nothing comes after it.
    pub fn next_row(&mut self) -> Result<Option<Row<'_, Entry>>, Problem> {
        let Some(Record { line, raw, fields }) = self.csv.next_record()? else { return Ok(None) };
        let parsed = fields.and_then(|fields| self.places.entry(fields));
        Ok(Some(Row { line, raw, parsed: parsed.map_err(|problem| problem.on_line(line)) }))
    }
}

/// The columns are named once; their places are looked up once per file.
macro_rules! places {
    ($($name:ident = $column:literal),+ $(,)?) => {
        /// Where each column stands in this file.
        #[derive(Debug)]
        struct Places { $($name: Place),+ }

        impl Places {
            fn new(header: &[SafeText]) -> Self {
                Self { $($name: place(header, $column)),+ }
            }
        }
    };
}

places! {
    date = "date",
    account = "account",
    what = "type",
    symbol = "symbol",
    quantity = "quantity",
    price = "price",
    fee = "fee",
    currency = "currency",
    amount = "amount",
    settlement = "settlement",
    tax = "tax",
    fx_rate = "fx_rate",
    description = "description",
    id = "id",
    ratio = "ratio",
    to_account = "to_account",
    to_symbol = "to_symbol",
    cost_share = "cost_share",
    multiplier = "multiplier",
    venue = "venue",
    isin = "isin",
    acquired = "acquired",
    link = "link",
    status = "status",
    category = "category",
    note = "note",
}

impl Places {
    fn entry(&self, fields: Fields<'_>) -> Result<Entry, Problem> {
        let cell = |place| fields.cell(place);
        let date = cell(self.date).need_date()?;
        let account = cell(self.account);
        let account = account
            .name(SafeText::MAX_NAME)?
            .ok_or_else(|| account.refuse(Fault::Missing("the name of the account")))?;
        let what = cell(self.what).need("what happened, like BUY", str::parse::<EntryType>)?;
        let unit = cell(self.currency).need_unit()?;
        let mut entry = Entry::new(account, date, what, unit);
        entry.symbol = self.mention(fields)?;
        entry.to_symbol = mention(cell(self.to_symbol).symbol())
            .map_err(|error| cell(self.to_symbol).refuse(error))?;
        entry.quantity = cell(self.quantity).decimal()?;
        if let Some((price, scale)) = cell(self.price).read(Dec::parse_with_scale)? {
            entry.price = Some(price);
            entry.price_scale = scale;
        }
        entry.fee = cell(self.fee).decimal()?;
        entry.tax = cell(self.tax).decimal()?;
        entry.amount = cell(self.amount).decimal()?;
        entry.settlement = cell(self.settlement).date()?;
        entry.fx_rate = cell(self.fx_rate).decimal()?;
        entry.multiplier = cell(self.multiplier).decimal()?;
        entry.ratio = cell(self.ratio).read(ratio)?;
        entry.acquired = cell(self.acquired).date()?;
        entry.cost_share = cell(self.cost_share).decimal()?;
        entry.to_account = cell(self.to_account).name(SafeText::MAX_NAME)?;
        entry.link = cell(self.link).name(SafeText::MAX_ID)?;
        entry.id = cell(self.id).name(SafeText::MAX_ID)?;
        entry.status = cell(self.status).read(str::parse)?.unwrap_or(Status::Settled);
        entry.description = cell(self.description).words();
        entry.category = cell(self.category).name(SafeText::MAX_NAME)?;
        entry.note = cell(self.note).words();
        Ok(entry)
    }

    /// Symbol, ISIN and venue together name the security; the ISIN alone does too.
    fn mention(&self, fields: Fields<'_>) -> Result<Option<Mention>, Problem> {
        let symbol = fields.cell(self.symbol);
        let venue = fields.cell(self.venue);
        let isin = fields.cell(self.isin).read(Isin::parse)?;
        let text = match (symbol.symbol(), &isin) {
            ("", Some(isin)) => isin.as_str(),
            (text, _) => text,
        };
        let Some(mut security) = mention(text).map_err(|error| symbol.refuse(error))? else {
            return if venue.is_blank() { Ok(None) } else { Err(venue.refuse(Fault::VenueAlone)) };
        };
        security.isin = isin;
        security.venue = venue.name(Mention::MAX)?;
        Ok(Some(security))
    }
}

fn mention(text: &str) -> Result<Option<Mention>, SymbolError> {
    if text.is_empty() { Ok(None) } else { Mention::parse(text).map(Some) }
}

fn ratio(text: &str) -> Result<Ratio, Fault> {
    Ratio::parse(text).ok_or_else(|| Fault::Ratio(SafeText::capped(text, 64)))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Currency, Subtype, Unit};

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    fn dec(text: &str) -> Dec {
        Dec::parse(text).unwrap()
    }

    fn read(text: &[u8]) -> Result<Vec<Result<Entry, Problem>>, Problem> {
        let mut reader = NeutralReader::new(text)?;
        let mut rows = Vec::new();
        while let Some(row) = reader.next_row()? {
            rows.push(row.parsed);
        }
        Ok(rows)
    }

    /// The one entry of a file with the nine columns and some more.
    fn entry(more: &str, row: &str) -> Result<Entry, String> {
        let comma = if more.is_empty() { "" } else { "," };
        let rows = read(format!("{COLUMNS}{comma}{more}\n{row}\n").as_bytes());
        let mut rows = rows.map_err(|problem| problem.to_string())?;
        assert_eq!(rows.len(), 1);
        rows.remove(0).map_err(|problem| problem.to_string())
    }

    #[test]
    fn nine_columns_make_an_entry() {
        let buy = entry("", "2024-01-03,Broker,BUY,X,100,10.50,5,USD,-1055").unwrap();
        let mut right = Entry::new(
            SafeText::new("Broker"),
            day(2024, 1, 3),
            EntryType::One(Subtype::Buy),
            Unit::from(Currency::USD),
        );
        right.symbol = Mention::parse("X").ok();
        right.quantity = Some(dec("100"));
        right.price = Some(dec("10.5"));
        right.price_scale = 2;
        right.fee = Some(dec("5"));
        right.amount = Some(dec("-1055"));
        assert_eq!(buy, right);
    }

    #[test]
    fn all_columns_in_any_order_make_an_entry() {
        let text = "note,Category,STATUS,link,acquired,isin,venue,multiplier,cost_share,to_symbol,to_account,ratio,id, description ,fx_rate,tax,settlement,amount,currency,fee,price,quantity,symbol,type,account,date\n\
            \"a \"\"note\"\"\",Food,Pending,L1,2020-02-29,us0378331005,NASDAQ,100,0.25,NEW@CAD,Other,3:2,id-1,'=words,1.35,2,2024-01-05,9,GBp,0,-1.0,7,OLD,spin_off, Main ,2024-01-04\n";
        let rows = read(text.as_bytes()).unwrap();
        let mut right = Entry::new(
            SafeText::new("Main"),
            day(2024, 1, 4),
            EntryType::One(Subtype::SpinOff),
            Unit::parse("GBp").unwrap(),
        );
        let mut symbol = Mention::parse("OLD").unwrap();
        symbol.isin = Isin::parse("US0378331005").ok();
        symbol.venue = Some(SafeText::new("NASDAQ"));
        right.symbol = Some(symbol);
        right.to_symbol = Mention::parse("NEW@CAD").ok();
        right.quantity = Some(dec("7"));
        right.price = Some(dec("-1"));
        right.price_scale = 1;
        right.fee = Some(Dec::ZERO);
        right.tax = Some(dec("2"));
        right.amount = Some(dec("9"));
        right.settlement = Some(day(2024, 1, 5));
        right.fx_rate = Some(dec("1.35"));
        right.multiplier = Some(dec("100"));
        right.ratio = Ratio::parse("3:2");
        right.acquired = Some(day(2020, 2, 29));
        right.cost_share = Some(dec("0.25"));
        right.to_account = Some(SafeText::new("Other"));
        right.link = Some(SafeText::new("L1"));
        right.id = Some(SafeText::new("id-1"));
        right.status = Status::Pending;
        right.description = Some(SafeText::new("=words"));
        right.category = Some(SafeText::new("Food"));
        right.note = Some(SafeText::new("a \"note\""));
        assert_eq!(rows, [Ok(right)]);
    }

    #[test]
    fn empty_optional_fields_are_absent() {
        let plain = entry("", "2024-01-02,A,DEPOSIT,,,,,USD,1").unwrap();
        let empty = entry(OPTIONAL, &format!("2024-01-02,A,DEPOSIT,,,,,USD,1{}", ",".repeat(17)));
        assert_eq!(empty, Ok(plain.clone()));
        let blank = entry(
            OPTIONAL,
            &format!("2024-01-02,A,DEPOSIT, , , , ,USD,1, , , ,,{}", " ,".repeat(12)),
        );
        assert_eq!(blank, Ok(plain));
    }

    #[test]
    fn every_wrong_field_is_named_with_what_would_be_right() {
        let good = "date=2024-01-02,account=A,type=BUY,symbol=X,quantity=1,price=2,fee=,currency=USD,amount=";
        for (column, text, says) in [
            ("date", "", "empty; write the day as YYYY-MM-DD"),
            ("date", "02.01.2024", "`02.01.2024` is no date; write YYYY-MM-DD"),
            ("date", "2023-02-29", "2023-02-29 is no day of the calendar"),
            ("date", "2023-02-2\0", "a zero byte"),
            ("account", " ", "empty; write the name of the account"),
            ("account", &"x".repeat(129), "longer than 128 bytes"),
            ("type", "", "empty; write what happened"),
            ("type", "BOUGHT", "`BOUGHT` is no type; the nearest are: buy"),
            ("symbol", &"x".repeat(65), "longer than 64"),
            ("quantity", "\"1,5\"", "has a comma"),
            ("quantity", "1e3", "has an exponent"),
            ("quantity", "1\0", "a zero byte"),
            ("price", "ten", "\"ten\" is none"),
            ("price", "12345678901234567890123456789", "at most 28 digits"),
            ("fee", "1 000", "has a blank"),
            ("currency", "", "empty; write the currency"),
            ("currency", "usd", "did you mean USD"),
            ("currency", "US\0", "a zero byte"),
            ("amount", "NaN", "is none"),
            ("settlement", "tomorrow", "is no date"),
            ("tax", "-", "is none"),
            ("fx_rate", "1/2", "is none"),
            ("ratio", "4/1", "`4/1` is no ratio; write new:old"),
            ("ratio", "0:1", "is no ratio"),
            ("to_account", &"x".repeat(129), "longer than 128 bytes"),
            ("cost_share", "25%", "is none"),
            ("multiplier", "x", "is none"),
            ("isin", "US0378331006", "`US0378331006` is no ISIN"),
            ("acquired", "2024-1-1", "is no date"),
            ("status", "open", "`open` is no status; one of: pending settled failed cancelled"),
            ("venue", &"x".repeat(65), "longer than 64 bytes"),
        ] {
            let cells = good.split(',').map(|cell| cell.split_once('=').unwrap());
            let mut cells: Vec<(&str, &str)> = cells.collect();
            match cells.iter_mut().find(|(name, _)| *name == column) {
                Some(cell) => cell.1 = text,
                None => cells.push((column, text)),
            }
            let join = |part: fn(&(&str, &str)) -> String| {
                cells.iter().map(part).collect::<Vec<_>>().join(",")
            };
            let file =
                format!("{}\n{}\n", join(|cell| cell.0.to_owned()), join(|cell| cell.1.to_owned()));
            let rows = read(file.as_bytes()).unwrap();
            let problem = rows[0].as_ref().unwrap_err();
            assert_eq!(problem.line, Some(2), "{column}");
            assert_eq!(problem.column, Some(SafeText::new(column)), "{text:?}");
            assert!(problem.to_string().contains(says), "{column}: {problem}");
        }
    }

    #[test]
    fn an_isin_can_stand_for_the_symbol_and_a_venue_cannot() {
        let by_isin =
            entry("isin", "2024-01-02,A,BUY,,1,2,,USD,,US0378331005").unwrap().symbol.unwrap();
        assert_eq!(by_isin.symbol, SafeText::new("US0378331005"));
        assert_eq!(by_isin.isin.map(String::from), Some("US0378331005".to_owned()));
        let alone = entry("venue", "2024-01-02,A,BUY,,1,2,,USD,,NYSE").unwrap_err();
        assert!(alone.starts_with("line 2, column venue: a venue without a symbol"), "{alone}");
    }

    #[test]
    fn a_zero_byte_in_words_is_refused() {
        let said = entry("note", "2024-01-02,A,DEPOSIT,,,,,USD,1,a\0b").unwrap_err();
        assert!(said.starts_with("line 2, column note: a zero byte"), "{said}");
    }

    #[test]
    fn types_and_status_are_read_in_any_case() {
        for (word, what) in [
            ("buy", EntryType::One(Subtype::Buy)),
            ("Return_Of_Capital", EntryType::One(Subtype::ReturnOfCapital)),
            ("FEE", EntryType::One(Subtype::AccountFee)),
            ("reinvest", EntryType::Reinvest),
        ] {
            let row = entry("status", &format!("2024-01-02,A,{word},,,,,USD,1,CANCELLED")).unwrap();
            assert_eq!((row.what, row.status), (what, Status::Cancelled));
        }
    }

    #[test]
    fn files_that_cannot_be_read_say_why() {
        let says = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
        assert!(says(b"").starts_with("the file is empty"));
        assert!(
            says(b"date,account\n")
                .contains("lacks type, symbol, quantity, price, fee, currency, amount")
        );
        assert!(
            says(format!("{COLUMNS},date\n").as_bytes())
                .contains("column date: this column is there twice")
        );
        assert!(
            says(format!("{COLUMNS},ammount\n").as_bytes())
                .contains("line 1, column ammount: unknown")
        );
        assert!(
            says(format!("\n{COLUMNS},tag\n").as_bytes())
                .starts_with("line 2, column tag: unknown column")
        );
        assert!(says(COLUMNS.replace(',', ";").as_bytes()).contains("separated by ';'"));
        let utf16: Vec<u8> = COLUMNS.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(says(&utf16).contains("UTF-16"));
        assert!(says(COLUMNS.as_bytes()).starts_with("line 2, column date: nothing comes after"));
    }

    #[test]
    fn an_unquoted_decimal_comma_is_a_field_too_many() {
        let problem = entry("", "2024-01-02,A,DEPOSIT,,,,,USD,1,50").unwrap_err();
        assert!(problem.starts_with("line 2: 10 fields, but the first line names 9"), "{problem}");
        assert!(problem.contains("decimal point"), "{problem}");
    }

    #[test]
    fn mixed_line_ends_and_wrong_rows_keep_the_lines_right() {
        let text = format!(
            "{COLUMNS}\r\n2024-01-02,A,DEPOSIT,,,,,USD,1\nx\n\"\r\n\",A,,,,,,,\n2024-01-02,A,DEPOSIT,,,,,USD,1"
        );
        let mut reader = NeutralReader::new(text.as_bytes()).unwrap();
        let mut seen = Vec::new();
        while let Some(row) = reader.next_row().unwrap() {
            seen.push((row.line, row.raw.len(), row.parsed.is_ok()));
        }
        assert_eq!(seen, [(2, 30, true), (3, 1, false), (4, 13, false), (6, 30, true)]);
    }

    const SAMPLE: &str = "\
date,account,type,symbol,quantity,price,fee,currency,amount,isin,ratio,note\r\n\
2024-01-02,Main,DEPOSIT,,,,,USD,10000,,,\r\n\
2024-01-03,Main,BUY,AAPL,100,10.5,5,USD,-1055,US0378331005,,\"a, \"\"b\"\"\"\n\
2024-02-03,Main,SPLIT,AAPL,,,,USD,,,4:1,'=x\n";

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes);
            let _ = read(&[COLUMNS.as_bytes(), b"\n", &bytes].concat());
        }

        #[test]
        fn no_mutation_makes_it_panic_or_lose_a_problem(
            changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0..3_u8), 1..6)
        ) {
            let mut bytes = SAMPLE.as_bytes().to_vec();
            for (at, byte, how) in changes {
                let at = at.index(bytes.len());
                match how {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    _ => { bytes.remove(at); }
                }
            }
            for problem in read(&bytes).into_iter().flatten().filter_map(Result::err) {
                prop_assert!(problem.line.is_some());
                prop_assert!(crate::model::is_safe(&problem.to_string()), "{}", problem);
            }
        }
    }

    #[test]
    fn the_sample_is_right_as_it_stands() {
        let rows = read(SAMPLE.as_bytes()).unwrap();
        assert_eq!(rows.iter().filter(|row| row.is_ok()).count(), 3);
    }
}
