//! Securities: identity of their own, never a bare ticker; and the ways a row may mention one.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::account::words;
use super::{Currency, SafeText, SecurityId};

words! {
    /// What a security is.
    AssetClass, "asset class" {
        /// A share.
        Equity = "equity",
        /// An exchange-traded fund.
        Etf = "etf",
        /// A mutual fund.
        MutualFund = "mutual_fund",
        /// A bond or note.
        FixedIncome = "fixed_income",
        /// An option.
        Option = "option",
        /// A future.
        Future = "future",
        /// A coin.
        Crypto = "crypto",
        /// As good as cash.
        CashEquivalent = "cash_equivalent",
        /// A commodity.
        Commodity = "commodity",
        /// Land and houses.
        Property = "property",
        /// Anything else.
        Other = "other",
    }
}

/// A symbol that cannot name a security.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SymbolError {
    /// Nothing there.
    #[error("the symbol is empty")]
    Empty,
    /// Longer than any real one.
    #[error("the symbol is longer than {} characters", Mention::MAX)]
    TooLong,
    /// Not an ISIN.
    #[error("`{0}` is no ISIN: two letters, nine letters or digits and a check digit that fits")]
    Isin(SafeText),
}

/// An ISIN whose check digit fits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Isin(String);

impl Isin {
    /// Reads an ISIN; case does not matter.
    ///
    /// # Errors
    /// [`SymbolError::Isin`] when the form or the check digit is wrong.
    pub fn parse(text: &str) -> Result<Self, SymbolError> {
        let code = text.trim().to_ascii_uppercase();
        if is_isin(code.as_bytes()) {
            Ok(Self(code))
        } else {
            Err(SymbolError::Isin(SafeText::capped(text, 64)))
        }
    }

    /// The twelve characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Isin {
    type Error = SymbolError;

    fn try_from(text: String) -> Result<Self, SymbolError> {
        Self::parse(&text)
    }
}

impl From<Isin> for String {
    fn from(isin: Isin) -> Self {
        isin.0
    }
}

impl fmt::Display for Isin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Letters count as two digits (A = 10), then Luhn over all of them from the right.
fn is_isin(code: &[u8]) -> bool {
    let [a, b, middle @ .., check] = code else { return false };
    let shape = code.len() == 12
        && a.is_ascii_uppercase()
        && b.is_ascii_uppercase()
        && middle.iter().all(u8::is_ascii_alphanumeric)
        && check.is_ascii_digit();
    if !shape {
        return false;
    }
    let digits = code.iter().flat_map(|&byte| {
        let value = if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' + 10 };
        let tens = (value >= 10).then_some(value / 10);
        tens.into_iter().chain([value % 10])
    });
    let digits: Vec<u8> = digits.collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| {
            let digit = u32::from(digit);
            if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// One word or several that somebody sorts securities by: each once, in their order, parted by
/// commas.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "SafeText", into = "SafeText")]
pub struct Tags(SafeText);

impl Tags {
    /// Reads tags that are parted by commas.
    ///
    /// # Errors
    /// When there is none, or they are longer than a name may be.
    pub fn parse(text: &str) -> Result<Self, TagsError> {
        // A text is made safe first: what it loses must not make two tags out of one.
        let text = SafeText::new(text);
        let mut tags: Vec<_> = text.as_str().split(',').map(str::trim).collect();
        tags.retain(|tag| !tag.is_empty());
        tags.sort_unstable();
        tags.dedup();
        let text = SafeText::new(&tags.join(", "));
        match text.as_str().len() {
            0 => Err(TagsError::Empty),
            1..=SafeText::MAX_NAME => Ok(Self(text)),
            _ => Err(TagsError::TooLong),
        }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.as_str().split(", ")
    }

    /// All of them, parted by commas.
    #[must_use]
    pub const fn as_text(&self) -> &SafeText {
        &self.0
    }
}

/// Why a text is no tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagsError {
    /// Nothing there.
    #[error("write one tag or several, parted by commas")]
    Empty,
    /// Longer than a name.
    #[error("all tags together are longer than {} bytes", SafeText::MAX_NAME)]
    TooLong,
}

impl TryFrom<SafeText> for Tags {
    type Error = TagsError;

    fn try_from(text: SafeText) -> Result<Self, TagsError> {
        Self::parse(text.as_str())
    }
}

impl From<Tags> for SafeText {
    fn from(tags: Tags) -> Self {
        tags.0
    }
}

impl fmt::Display for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a row names a security: a symbol or an ISIN, and what helps to tell twins apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mention {
    /// The symbol as written, without `@CUR`.
    pub symbol: SafeText,
    /// `SYM@CUR`: the one that is quoted in this currency.
    pub currency: Option<Currency>,
    /// The venue or chain.
    pub venue: Option<SafeText>,
    /// The ISIN, when the row gives one.
    pub isin: Option<Isin>,
}

impl Mention {
    /// The longest symbol: an OCC option symbol has 21, some plan-internal ids are longer.
    pub const MAX: usize = 64;

    /// Reads `SYM` or `SYM@CUR`.
    ///
    /// # Errors
    /// [`SymbolError`] when nothing is left or it is longer than any real symbol.
    pub fn parse(text: &str) -> Result<Self, SymbolError> {
        let text = text.trim();
        let (symbol, currency) = match text.rsplit_once('@') {
            Some((symbol, code)) if !symbol.is_empty() => match Currency::parse(code) {
                Ok(currency) => (symbol, Some(currency)),
                Err(_) => (text, None),
            },
            _ => (text, None),
        };
        if symbol.is_empty() {
            return Err(SymbolError::Empty);
        }
        let symbol = SafeText::new(symbol);
        if symbol.as_str().len() > Self::MAX {
            return Err(SymbolError::TooLong);
        }
        Ok(Self { symbol, currency, venue: None, isin: None })
    }
}

impl fmt::Display for Mention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.currency {
            Some(currency) => write!(f, "{}@{currency}", self.symbol),
            None => self.symbol.fmt(f),
        }
    }
}

/// A security as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Security {
    /// Its identity; it outlives a change of symbol.
    pub id: SecurityId,
    /// The symbol it has today.
    pub symbol: SafeText,
    /// The venue or chain, when known.
    pub venue: Option<SafeText>,
    /// The currency it is quoted in.
    pub currency: Currency,
    /// What people call it.
    pub name: Option<SafeText>,
    /// What it is, when known.
    pub class: Option<AssetClass>,
    /// ISIN, when known.
    pub isin: Option<Isin>,
    /// CUSIP, when known.
    pub cusip: Option<SafeText>,
    /// FIGI, when known.
    pub figi: Option<SafeText>,
    /// The part of the economy, where somebody said it.
    #[serde(default)]
    pub sector: Option<SafeText>,
    /// The part of the world, where somebody said it.
    #[serde(default)]
    pub region: Option<SafeText>,
    /// What else somebody sorts it by.
    #[serde(default)]
    pub tags: Option<Tags>,
    /// The currency follows from its prices and rows until somebody edits it.
    pub derived: bool,
}

impl Security {
    /// How a row names it, and no other.
    #[must_use]
    pub fn mention(&self) -> Mention {
        Mention {
            symbol: self.symbol.clone(),
            currency: Some(self.currency),
            venue: self.venue.clone(),
            isin: None,
        }
    }

    /// Its symbol with all that tells it from others of that symbol.
    #[must_use]
    pub fn telling_name(&self) -> String {
        let venue = self.venue.as_ref().map(|venue| format!("venue {venue}"));
        let isin = self.isin.as_ref().map(|isin| format!("ISIN {isin}"));
        let more: Vec<_> = venue.into_iter().chain(isin).collect();
        match more.is_empty() {
            true => format!("{}@{}", self.symbol, self.currency),
            false => format!("{}@{} ({})", self.symbol, self.currency, more.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_isin_needs_its_check_digit() {
        // Published examples of the check digit's definition.
        assert!(Isin::parse("US0378331005").is_ok());
        assert!(Isin::parse("au0000xvgza3").is_ok());
        assert!(Isin::parse("US0378331006").is_err());
        assert!(Isin::parse("US03783310").is_err());
        assert!(Isin::parse("").is_err());
    }

    #[test]
    fn tags_stand_once_and_in_their_order() {
        let tags = Tags::parse(" income,core ,, income").unwrap();
        assert_eq!(tags.to_string(), "core, income");
        assert_eq!(tags.iter().collect::<Vec<_>>(), ["core", "income"]);
        assert_eq!(Tags::parse(&tags.to_string()), Ok(tags));
        assert_eq!(Tags::parse(" , "), Err(TagsError::Empty));
        assert_eq!(Tags::parse(&"x".repeat(129)), Err(TagsError::TooLong));
    }

    #[test]
    fn a_currency_after_the_at_sign_tells_twins_apart() {
        let twin = Mention::parse("SHOP@CAD").ok();
        assert_eq!(twin.as_ref().and_then(|m| m.currency), Some(Currency::CAD));
        assert_eq!(twin.map(|m| m.symbol.to_string()), Some("SHOP".to_owned()));
        let plain = Mention::parse("A@B").ok().map(|m| m.to_string());
        assert_eq!(plain, Some("A@B".to_owned()));
        assert_eq!(Mention::parse("  "), Err(SymbolError::Empty));
        assert_eq!(Mention::parse(&"x".repeat(65)), Err(SymbolError::TooLong));
    }
}
