//! How the text of a flag becomes a value. It knows the words of the model, and no flag.

use std::str::FromStr;

use chrono::NaiveDate;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::model::{
    AccountKind, AssetClass, Dec, Dimension, EntryType, Exact, InPerformance, LotMethod, Mention,
    Mode, Ratio, SafeText, Setting, Status, Subtype,
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
    /// Not a part of one.
    #[error("write a part of 1 between 0 and 1, like 0.6 or 60%")]
    Part,
    /// Not money.
    #[error("write an amount above zero, like 2500 or 99.95")]
    Money,
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

pub fn in_performance() -> impl TypedValueParser<Value = InPerformance> {
    word(InPerformance::ALL.iter().map(|answer| answer.as_str()))
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

/// One of what a whole is cut by; some have a second name.
pub fn dimension() -> impl TypedValueParser<Value = Dimension> {
    let known = Dimension::ALL.iter().map(|it| {
        let value = PossibleValue::new(it.as_str());
        match it {
            Dimension::Tax => value.aliases(["tax-treatment", "tax_treatment"]),
            Dimension::Tag => value.alias("tags"),
            Dimension::Security => value.alias("symbol"),
            _ => value,
        }
    });
    PossibleValuesParser::new(known.collect::<Vec<_>>()).try_map(|word: String| {
        let word = match word.as_str() {
            "tax-treatment" | "tax_treatment" => "tax",
            "tags" => "tag",
            "symbol" => "security",
            word => word,
        };
        word.parse::<Dimension>()
    })
}

/// A part of one, also as a percentage: `0.6` or `60%`.
pub fn part(text: &str) -> Result<Dec, BadText> {
    let parsed = match text.trim().strip_suffix('%') {
        Some(percent) => {
            let hundred = Exact::from(Dec::from_i64(100));
            let part = Dec::parse(percent.trim()).ok().map(Exact::from);
            part.and_then(|part| part.div_round(&hundred, 12).ok())
        }
        None => Dec::parse(text.trim()).ok(),
    };
    parsed.filter(|part| !part.is_negative() && *part <= Dec::ONE).ok_or(BadText::Part)
}

/// Money to be invested or raised.
pub fn money(text: &str) -> Result<Dec, BadText> {
    Dec::parse(text).ok().filter(|money| money.is_positive()).ok_or(BadText::Money)
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
    fn a_part_may_be_a_percentage() {
        for right in ["0.6", "60%", "60 %", "60.0%"] {
            assert_eq!(part(right), Ok(Dec::parse("0.6").unwrap()), "{right}");
        }
        for wrong in ["60", "-0.1", "101%", "%", ""] {
            assert_eq!(part(wrong), Err(BadText::Part), "{wrong:?}");
        }
        assert_eq!(money("0"), Err(BadText::Money));
    }

    #[test]
    fn names_are_trimmed_and_never_empty() {
        assert_eq!(name("  A B "), Ok(SafeText::new("A B")));
        assert_eq!(name("  "), Err(BadText::Empty));
        assert_eq!(name(&"x".repeat(129)), Err(BadText::TooLong(128)));
        assert_eq!(words(""), Ok(SafeText::default()));
    }
}
