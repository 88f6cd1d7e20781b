//! Currencies and minor-unit quotes. It knows the two tables of codes, and nothing of amounts, rates or screens.
//!
//! A `Currency` is a code of `assets/currencies.csv` and cannot be anything else: ISO 4217's current money and fund
//! codes, and those withdrawn since about 1978. Metals, drawing rights and test codes have no minor unit and are not
//! in the table: they are held as securities.

use std::{fmt, str::FromStr, sync::LazyLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::safe_text::SafeText;

const CURRENCIES: &str = include_str!("../../assets/currencies.csv");
const MINOR_UNITS: &str = include_str!("../../assets/minor_units.csv");

/// Sorted by code, so that a look-up is a binary search over three-byte keys.
static TABLE: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let mut rows: Vec<Row> = CURRENCIES.lines().skip(1).filter_map(Row::read).collect();
    rows.sort_unstable_by_key(|row| row.code);
    rows
});

static QUOTES: LazyLock<Vec<Unit>> =
    LazyLock::new(|| MINOR_UNITS.lines().skip(1).filter_map(Unit::read).collect());

struct Row {
    code: [u8; 3],
    minor_units: u32,
    name: &'static str,
    symbol: &'static str,
    withdrawn: &'static str,
}

impl Row {
    fn read(line: &'static str) -> Option<Row> {
        let mut fields = line.split(',');
        let text = fields.next()?;
        let row = Row {
            code: text.as_bytes().try_into().ok()?,
            minor_units: fields.next()?.parse().ok()?,
            name: fields.next()?,
            symbol: fields.next().map(|symbol| if symbol.is_empty() { text } else { symbol })?,
            withdrawn: fields.next()?,
        };
        let plain = row.code.iter().all(u8::is_ascii_uppercase) && fields.next().is_none();
        plain.then_some(row)
    }
}

fn find(code: [u8; 3]) -> Option<&'static Row> {
    // As one number each, they compare in one step.
    let number = |[a, b, c]: [u8; 3]| u32::from_be_bytes([0, a, b, c]);
    let at = TABLE.binary_search_by_key(&number(code), |row| number(row.code)).ok()?;
    TABLE.get(at)
}

/// One currency of the table. Ordered by code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    pub const USD: Currency = Currency(*b"USD");
    pub const EUR: Currency = Currency(*b"EUR");
    pub const CAD: Currency = Currency(*b"CAD");

    /// Reads a code, exactly as it is in the table: three upper-case letters.
    pub fn parse(text: &str) -> Result<Currency, UnknownCurrency> {
        Self::lookup(text).ok_or_else(|| UnknownCurrency::new(text, &[]))
    }

    fn lookup(text: &str) -> Option<Currency> {
        find(text.as_bytes().try_into().ok()?).map(|row| Currency(row.code))
    }

    #[must_use]
    pub fn code(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// How many decimals an amount is shown with: 0 for JPY, 2 for USD, 3 for BHD.
    #[must_use]
    pub fn minor_units(self) -> u32 {
        find(self.0).map_or(2, |row| row.minor_units)
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        find(self.0).map_or("", |row| row.name)
    }

    /// The sign people write, like `€` or `CA$`, no two alike; the code where there is none.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        find(self.0).map_or("", |row| row.symbol)
    }

    /// False once the currency was withdrawn, like DEM.
    #[must_use]
    pub fn is_current(self) -> bool {
        find(self.0).is_some_and(|row| row.withdrawn.is_empty())
    }

    /// Every currency of the table, withdrawn ones too, by code.
    pub fn all() -> impl Iterator<Item = Currency> {
        TABLE.iter().map(|row| Currency(row.code))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Currency, UnknownCurrency> {
        Currency::parse(text)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Currency, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// What a price is quoted in: a currency itself, or a part of it like the penny that London quotes shares in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    pub currency: Currency,
    /// How many of this unit make one of the currency: 1, or 100 for `GBp`.
    pub per: u32,
    /// For a minor unit its own name (`GBp`), for a currency the currency's name.
    pub name: &'static str,
}

impl Unit {
    /// Reads a currency code or a minor-unit quote; case counts, since `GBp` is a hundredth of `GBP`.
    pub fn parse(text: &str) -> Result<Unit, UnknownCurrency> {
        if let Some(row) = text.as_bytes().try_into().ok().and_then(find) {
            return Ok(Unit { currency: Currency(row.code), per: 1, name: row.name });
        }
        let quote = QUOTES.iter().find(|unit| unit.name == text);
        quote.copied().ok_or_else(|| UnknownCurrency::new(text, &QUOTES))
    }

    #[must_use]
    pub fn is_minor(&self) -> bool {
        self.per != 1
    }

    fn read(line: &'static str) -> Option<Unit> {
        let mut fields = line.split(',');
        let name = fields.next()?;
        let currency = Currency::lookup(fields.next()?)?;
        let per = fields.next()?.parse().ok().filter(|per| *per > 1)?;
        fields.next().is_none().then_some(Unit { currency, per, name })
    }
}

impl From<Currency> for Unit {
    fn from(currency: Currency) -> Unit {
        Unit { currency, per: 1, name: currency.name() }
    }
}

/// The text is no currency of the table; `nearest` is what was probably meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no currency code{}{}", no_money(text), .nearest.as_ref().map(|code| format!("; did you mean {code}?")).unwrap_or_default())]
pub struct UnknownCurrency {
    pub text: String,
    pub nearest: Option<String>,
}

impl UnknownCurrency {
    #[cold]
    fn new(text: &str, quotes: &[Unit]) -> UnknownCurrency {
        UnknownCurrency {
            text: SafeText::capped(text, 40).into_string(),
            nearest: nearest(text.trim(), quotes),
        }
    }
}

/// Codes of ISO 4217 that are no money: metals, composite units, drawing rights, test and none.
fn no_money(text: &str) -> &'static str {
    const CODES: [&str; 13] =
        ["XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX"];
    match CODES.contains(&text) {
        true => " of money; hold it as a security",
        false => "",
    }
}

/// The code that differs only by case, else the one a single slip away, current ones and later letters first (the
/// first two letters are the country: `USE` is rather meant as `USD` than as another country's money).
fn nearest(text: &str, quotes: &[Unit]) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    if let Some(currency) = Currency::lookup(&upper) {
        return Some(currency.to_string());
    }
    if let Some(unit) = quotes.iter().find(|unit| unit.name.eq_ignore_ascii_case(text)) {
        return Some(unit.name.to_string());
    }
    Currency::all()
        .filter(|currency| one_slip(upper.as_bytes(), currency.0))
        .min_by_key(|currency| (!currency.is_current(), usize::MAX - same_start(&upper, *currency)))
        .map(|currency| currency.to_string())
}

fn same_start(text: &str, currency: Currency) -> usize {
    text.bytes().zip(currency.0).take_while(|(a, b)| a == b).count()
}

/// One letter wrong, two neighbours swapped, one letter too many or one too few.
fn one_slip(text: &[u8], code @ [a, b, c]: [u8; 3]) -> bool {
    match *text {
        [x, y, z] => {
            [x, y, z].iter().zip(code).filter(|(typed, right)| *typed != right).count() == 1
                || [x, y, z] == [b, a, c]
                || [x, y, z] == [a, c, b]
        }
        [w, x, y, z] => [[x, y, z], [w, y, z], [w, x, z], [w, x, y]].contains(&code),
        [x, y] => [[a, b], [a, c], [b, c]].contains(&[x, y]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn parse(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn every_line_of_both_tables_loads_sorted_and_once() {
        let codes: Vec<&str> =
            CURRENCIES.lines().skip(1).filter_map(|line| line.get(..3)).collect();
        assert!(codes.is_sorted_by(|a, b| a < b));
        assert!(codes.len() > 250);
        let loaded: Vec<String> = Currency::all().map(|currency| currency.to_string()).collect();
        assert_eq!(loaded, codes);
        assert_eq!(QUOTES.len(), MINOR_UNITS.lines().skip(1).count());
        assert_eq!(QUOTES.len(), 4);
    }

    #[test]
    fn every_row_is_complete_and_no_symbol_means_two_currencies() {
        let mut symbols = HashSet::new();
        for row in TABLE.iter() {
            assert!(!row.name.is_empty() && SafeText::new(row.name).as_str() == row.name);
            assert!(row.minor_units <= 4);
            assert!(!row.symbol.is_empty() && symbols.insert(row.symbol), "{} twice", row.symbol);
            let month = row.withdrawn.split_once('-');
            assert!(
                row.withdrawn.is_empty()
                    || row.withdrawn.len() == 7
                        && month.is_some_and(|(year, month)| {
                            (1978..2100).contains(&year.parse::<u32>().unwrap())
                                && (1..=12).contains(&month.parse::<u32>().unwrap())
                        })
            );
        }
        for line in ["", "US,2,x,,", "usd,2,x,,", "USD,x,x,,", "USD,2,x,", "USD,2,x,,,"] {
            assert!(Row::read(line).is_none(), "{line}");
        }
        for line in ["GBp,GBP,1", "GBp,GBp,100", "GBp,GBP", "GBp,GBP,100,"] {
            assert!(Unit::read(line).is_none(), "{line}");
        }
    }

    #[test]
    fn minor_units_are_those_of_iso_4217() {
        // ISO 4217 list one: the codes whose minor unit is not 2.
        let none = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
        let three = "BHD IQD JOD KWD LYD OMR TND";
        let four = "CLF UYW";
        for currency in Currency::all().filter(|currency| currency.is_current()) {
            let code = currency.code();
            let right = match code {
                _ if none.contains(code) => 0,
                _ if three.contains(code) => 3,
                _ if four.contains(code) => 4,
                _ => 2,
            };
            assert_eq!(currency.minor_units(), right, "{code}");
        }
        assert_eq!(parse("ITL").minor_units(), 0);
        assert_eq!(parse("DEM").minor_units(), 2);
    }

    #[test]
    fn withdrawn_codes_are_known_as_such() {
        let withdrawn = "ANG BGN CUC DEM EEK FRF HRK ITL LTL ROL SLL TRL VEF ZWL";
        let current = "CAD CHF EUR GBP JPY RON SLE TRY USD VED VES XCG ZWG";
        for code in withdrawn.split(' ') {
            assert!(!parse(code).is_current(), "{code}");
        }
        for code in current.split(' ') {
            assert!(parse(code).is_current(), "{code}");
        }
        let row = |code: &[u8; 3]| find(*code).unwrap().withdrawn;
        assert_eq!((row(b"DEM"), row(b"HRK"), row(b"BGN")), ("2002-03", "2023-01", "2026-01"));
    }

    #[test]
    fn constants_are_in_the_table() {
        for (constant, code) in
            [(Currency::USD, "USD"), (Currency::EUR, "EUR"), (Currency::CAD, "CAD")]
        {
            assert_eq!(parse(code), constant);
        }
        assert_eq!(Currency::EUR.name(), "Euro");
        assert_eq!((Currency::USD.symbol(), Currency::CAD.symbol()), ("$", "CA$"));
        assert_eq!(parse("CHF").symbol(), "CHF");
        assert!(Currency::CAD < Currency::EUR);
        assert_eq!(format!("{:>5}", Currency::EUR), "  EUR");
    }

    #[test]
    fn an_unknown_code_names_the_nearest() {
        let nearest = |text| Currency::parse(text).unwrap_err().nearest;
        for (text, meant) in [
            ("usd", "USD"),
            (" Eur ", "EUR"),
            ("USB", "USD"),
            ("UDS", "USD"),
            ("EURO", "EUR"),
            ("EU", "EUR"),
            ("JPP", "JPY"),
            ("GBp", "GBP"),
            ("DEEM", "DEM"),
        ] {
            assert_eq!(nearest(text).as_deref(), Some(meant), "{text}");
        }
        for text in ["", "dollars", "ÄÖÜ", "QQQ", "XAUXAU"] {
            assert_eq!(nearest(text), None, "{text}");
        }
        assert_eq!(
            Currency::parse("usd").unwrap_err().to_string(),
            r#""usd" is no currency code; did you mean USD?"#
        );
        assert_eq!(Currency::parse("€").unwrap_err().to_string(), r#""€" is no currency code"#);
        assert!(Currency::parse(&"x".repeat(9999)).unwrap_err().to_string().len() < 100);
    }

    #[test]
    fn minor_unit_quotes_are_case_sensitive() {
        for (text, code) in [("GBp", "GBP"), ("GBX", "GBP"), ("ZAc", "ZAR"), ("ILA", "ILS")] {
            let unit = Unit::parse(text).unwrap();
            assert_eq!((unit.currency, unit.per, unit.name), (parse(code), 100, text));
            assert!(unit.is_minor());
            assert!(Currency::parse(text).is_err());
        }
        let pound = Unit::parse("GBP").unwrap();
        assert_eq!((pound.per, pound.is_minor()), (1, false));
        assert_eq!(Unit::parse("gbx").unwrap_err().nearest.as_deref(), Some("GBX"));
        assert_eq!(Unit::parse("ZAC").unwrap_err().nearest.as_deref(), Some("ZAc"));
        assert_eq!(Unit::parse("gbp").unwrap_err().nearest.as_deref(), Some("GBP"));
    }

    #[test]
    fn serde_is_the_code() {
        assert_eq!(serde_json::to_string(&Currency::CAD).unwrap(), r#""CAD""#);
        assert_eq!(serde_json::from_str::<Currency>(r#""CAD""#).unwrap(), Currency::CAD);
        assert!(serde_json::from_str::<Currency>(r#""cad""#).is_err());
    }
}
