//! How the text of a flag becomes a value. It knows the words of the model, and no flag.

use std::str::FromStr;

use chrono::NaiveDate;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::model::{
    AccountKind, AssetClass, EntryType, LotMethod, Mention, Mode, Ratio, SafeText, Setting, Status,
    Subtype,
};

/// Why the text of a flag cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    /// Nothing but space.
    #[error("it is empty")]
    Empty,
    /// Too long.
    #[error("longer than {0} bytes")]
    TooLong(usize),
    /// Not a day.
    #[error("write a day of the calendar as YYYY-MM-DD, like 2024-01-31")]
    Date,
    /// Not a ratio.
    #[error("write new:old, like 4:1, both above zero")]
    Ratio,
}

/// `YYYY-MM-DD` and nothing else, years 0001 to 9999.
pub fn date(text: &str) -> Result<NaiveDate, BadText> {
    let digits = text.split('-').map(str::len).eq([4, 2, 2])
        && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
    let parsed = text.parse().ok().filter(|_| digits && !text.starts_with("0000"));
    parsed.ok_or(BadText::Date)
}

pub fn ratio(text: &str) -> Result<Ratio, BadText> {
    Ratio::parse(text).ok_or(BadText::Ratio)
}

fn named(text: &str, most: usize) -> Result<SafeText, BadText> {
    let text = SafeText::new(text.trim());
    if text.is_empty() {
        return Err(BadText::Empty);
    }
    bounded(text, most)
}

fn bounded(text: SafeText, most: usize) -> Result<SafeText, BadText> {
    if text.as_str().len() > most { Err(BadText::TooLong(most)) } else { Ok(text) }
}

pub fn name(text: &str) -> Result<SafeText, BadText> {
    named(text, SafeText::MAX_NAME)
}

pub fn id(text: &str) -> Result<SafeText, BadText> {
    named(text, SafeText::MAX_ID)
}

pub fn symbol(text: &str) -> Result<SafeText, BadText> {
    named(text, Mention::MAX)
}

pub fn words(text: &str) -> Result<SafeText, BadText> {
    bounded(SafeText::new(text), SafeText::MAX_BYTES)
}

/// One of a list of words, named in the help and in the completions.
fn word<T>(known: impl Iterator<Item = &'static str>) -> impl TypedValueParser<Value = T>
where
    T: FromStr + Clone + Send + Sync + 'static,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    PossibleValuesParser::new(known.collect::<Vec<_>>()).try_map(|word: String| word.parse::<T>())
}

pub fn kind() -> impl TypedValueParser<Value = AccountKind> {
    word(AccountKind::ALL.iter().map(|kind| kind.as_str()))
}

pub fn mode() -> impl TypedValueParser<Value = Mode> {
    word(Mode::ALL.iter().map(|mode| mode.as_str()))
}

pub fn method() -> impl TypedValueParser<Value = LotMethod> {
    word(LotMethod::ALL.iter().map(|method| method.as_str()))
}

pub fn class() -> impl TypedValueParser<Value = AssetClass> {
    word(AssetClass::ALL.iter().map(|class| class.as_str()))
}

pub fn status() -> impl TypedValueParser<Value = Status> {
    word(Status::ALL.iter().map(|status| status.as_str()))
}

pub fn subtype() -> impl TypedValueParser<Value = Subtype> {
    word(Subtype::ALL.iter().map(|subtype| subtype.as_str()))
}

pub fn entry_type() -> impl TypedValueParser<Value = EntryType> {
    word(Subtype::ALL.iter().map(|subtype| subtype.as_str()).chain(["fee", "reinvest"]))
}

pub fn setting() -> impl TypedValueParser<Value = Setting> {
    let keys: Vec<_> = Setting::ALL.iter().map(|setting| setting.key()).collect();
    PossibleValuesParser::new(keys).try_map(|key: String| Setting::parse(&key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_iso_and_real() {
        let right = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
        assert_eq!(date("2024-02-29"), Ok(right));
        for wrong in
            ["2023-02-29", "2024-2-9", "2024-02-29 ", "+2024-02-29", "24-02-29", "0000-01-01", ""]
        {
            assert_eq!(date(wrong), Err(BadText::Date), "{wrong:?}");
        }
    }

    #[test]
    fn names_are_trimmed_and_never_empty() {
        assert_eq!(name("  A B "), Ok(SafeText::new("A B")));
        assert_eq!(name("  "), Err(BadText::Empty));
        assert_eq!(name(&"x".repeat(129)), Err(BadText::TooLong(128)));
        assert_eq!(words(""), Ok(SafeText::default()));
    }
}
