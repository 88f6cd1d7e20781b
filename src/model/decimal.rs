//! Exact decimal numbers as they are kept: money, quantities, prices, rates. It knows neither currencies nor rounding
//! rules of money, and never goes through binary floating point.

use std::{
    fmt::{self, Write},
    ops::Neg,
    str::FromStr,
};

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use super::safe_text::SafeText;

/// The most significant digits, and the most decimal places, of a kept number.
pub const MAX_DIGITS: u32 = 28;

/// The first mantissa with too many digits.
const LIMIT: u128 = 10_u128.pow(MAX_DIGITS);

/// The powers of ten that fit into 128 bits: to look one up takes a fraction of making it.
#[expect(clippy::indexing_slicing, reason = "beyond its end it does not compile")]
const POWERS: [i128; 39] = {
    let mut powers = [1; 39];
    let mut places = 1;
    while places < powers.len() {
        powers[places] = powers[places - 1] * 10;
        places += 1;
    }
    powers
};

/// 10^places, if it fits.
pub(super) fn power_of_ten(places: u32) -> Option<i128> {
    POWERS.get(usize::try_from(places).ok()?).copied()
}

/// A number of at most 28 significant digits and 28 decimal places. There is one form of each value: no trailing
/// zeros behind the point, no negative zero; what it prints, `parse` reads.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dec(Decimal);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecError {
    #[error("{EXPECTED}; the text is empty")]
    Empty,
    #[error("{EXPECTED}; \"{0}\" has a comma")]
    Comma(SafeText),
    #[error("{EXPECTED}; \"{0}\" has a blank")]
    Blank(SafeText),
    #[error("{EXPECTED}; \"{0}\" has an exponent")]
    Exponent(SafeText),
    #[error("{EXPECTED}; \"{0}\" is none")]
    NotANumber(SafeText),
    #[error("expected a number with at most 28 digits before the decimal point; \"{0}\" is larger")]
    TooLarge(SafeText),
    #[error("expected a number with at most 28 digits in all and 28 decimals; \"{0}\" has more")]
    TooPrecise(SafeText),
}

const EXPECTED: &str = "expected a number with a decimal point, like 1234.56";

impl Dec {
    pub const ZERO: Dec = Dec(Decimal::ZERO);
    pub const ONE: Dec = Dec(Decimal::ONE);

    /// Reads a plain decimal: a sign perhaps, digits, a point perhaps. No exponent, no grouping, no blanks.
    pub fn parse(text: &str) -> Result<Dec, DecError> {
        let plain = Plain::split(text).ok_or_else(|| DecError::what_is_wrong(text))?;
        plain.value().map_err(|problem| problem.of(text))
    }

    /// Also how many decimals were written (28 at most), since `1.50` is stated to the cent and `1.5` is not.
    pub fn parse_with_scale(text: &str) -> Result<(Dec, u32), DecError> {
        let value = Dec::parse(text)?;
        let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        Ok((value, u32::try_from(decimals).unwrap_or(MAX_DIGITS).min(MAX_DIGITS)))
    }

    /// Reads a JSON number from its source text, which may have an exponent. Exact, else refused.
    pub fn from_json_number(text: &str) -> Result<Dec, DecError> {
        let Some((number, exponent)) = text.split_once(['e', 'E']) else {
            return Dec::parse(text);
        };
        let wrong = || DecError::NotANumber(excerpt(text));
        let number = Plain::split(number).ok_or_else(wrong)?;
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits.is_empty() || !all_digits(digits) {
            return Err(wrong());
        }
        // What does not even fit into 64 bits moves the point out of every range.
        let beyond = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
        let shifted = number.shifted(exponent.parse().unwrap_or(beyond));
        shifted.map_err(|problem| problem.of(text))
    }

    #[must_use]
    pub fn from_i64(value: i64) -> Dec {
        Dec(Decimal::from(value))
    }

    /// Refuses the few decimals of 29 digits that `Decimal` can hold.
    pub fn from_decimal(value: Decimal) -> Result<Dec, DecError> {
        Dec::from_parts(value.mantissa(), value.scale()).ok_or_else(|| {
            let text = excerpt(&value.to_string());
            if value.trunc().mantissa().unsigned_abs() < LIMIT {
                DecError::TooPrecise(text)
            } else {
                DecError::TooLarge(text)
            }
        })
    }

    /// `mantissa / 10^scale`, if it fits.
    pub(super) fn from_parts(mut mantissa: i128, mut scale: u32) -> Option<Dec> {
        if mantissa == 0 {
            return Some(Dec::ZERO);
        }
        // Nearly all fit into 64 bits, which the processor divides by itself.
        if let Ok(mut small) = i64::try_from(mantissa) {
            while scale > 0 && small % 10 == 0 {
                small /= 10;
                scale -= 1;
            }
            mantissa = small.into();
        } else {
            while scale > 0 && mantissa % 10 == 0 {
                mantissa /= 10;
                scale -= 1;
            }
        }
        if mantissa.unsigned_abs() >= LIMIT {
            return None;
        }
        Decimal::try_from_i128_with_scale(mantissa, scale).ok().map(Dec)
    }

    #[must_use]
    pub fn inner(self) -> Decimal {
        self.0
    }

    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Less than zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.0.is_sign_negative()
    }

    /// More than zero.
    #[must_use]
    pub fn is_positive(self) -> bool {
        !self.is_zero() && !self.is_negative()
    }

    #[must_use]
    pub fn abs(self) -> Dec {
        Dec(self.0.abs())
    }

    /// The exact sum; `None` when it needs more than 28 digits.
    #[must_use]
    pub fn checked_add(self, other: Dec) -> Option<Dec> {
        let scale = self.0.scale().max(other.0.scale());
        // When this overflows, the number with fewer decimals is so large and the last decimal of the other so small
        // that the sum has more than 28 digits anyway: neither has trailing zeros.
        let aligned = |dec: Dec| match scale - dec.0.scale() {
            0 => Some(dec.0.mantissa()),
            places => dec.0.mantissa().checked_mul(power_of_ten(places)?),
        };
        Dec::from_parts(aligned(self)?.checked_add(aligned(other)?)?, scale)
    }

    /// The exact difference; `None` when it needs more than 28 digits.
    #[must_use]
    pub fn checked_sub(self, other: Dec) -> Option<Dec> {
        self.checked_add(-other)
    }

    /// Rounded half-even to so many decimals.
    #[must_use]
    pub fn round_to(self, places: u32) -> Dec {
        let rounded = self.0.round_dp_with_strategy(places, RoundingStrategy::MidpointNearestEven);
        // Rounding only takes digits away, so the result always fits.
        Dec::from_parts(rounded.mantissa(), rounded.scale()).unwrap_or(self)
    }

    /// Appends the number as `Display` prints it.
    pub fn write_to(self, out: &mut String) {
        let (mantissa, scale) = (self.0.mantissa(), self.0.scale());
        let Ok(mut left) = u64::try_from(mantissa.unsigned_abs()) else {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "{}", self.0);
            return;
        };
        if mantissa < 0 {
            out.push('-');
        }
        // Nearly all fit into 64 bits and are written several times faster so: from the last digit
        // on, at least to the one before the point.
        let least = if scale > 0 { scale + 1 } else { 0 };
        let mut text = [0_u8; MAX_DIGITS as usize + 2];
        let mut length = 0;
        for (place, byte) in (0..).zip(text.iter_mut().rev()) {
            if left == 0 && place > least {
                break;
            }
            if place == scale && scale > 0 {
                *byte = b'.';
            } else {
                *byte = b'0' + u8::try_from(left % 10).unwrap_or(0);
                left /= 10;
            }
            length += 1;
        }
        let text = text.get(text.len() - length..).unwrap_or_default();
        out.push_str(str::from_utf8(text).unwrap_or_default());
    }
}

impl Neg for Dec {
    type Output = Dec;

    fn neg(self) -> Dec {
        if self.is_zero() { self } else { Dec(-self.0) }
    }
}

impl fmt::Display for Dec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Dec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Dec {
    type Err = DecError;

    fn from_str(text: &str) -> Result<Dec, DecError> {
        Dec::parse(text)
    }
}

impl From<i64> for Dec {
    fn from(value: i64) -> Dec {
        Dec::from_i64(value)
    }
}

/// Text where people read, mantissa and scale where they do not; the one form of a value makes the same bytes.
impl Serialize for Dec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        let scale = u8::try_from(self.0.scale()).map_err(ser::Error::custom)?;
        (self.0.mantissa(), scale).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Dec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Dec, D::Error> {
        if deserializer.is_human_readable() {
            return String::deserialize(deserializer)?.parse().map_err(de::Error::custom);
        }
        let (mantissa, scale) = <(i128, u8)>::deserialize(deserializer)?;
        Dec::from_parts(mantissa, scale.into()).ok_or_else(|| de::Error::custom(EXPECTED))
    }
}

impl DecError {
    #[cold]
    fn what_is_wrong(text: &str) -> DecError {
        let has_exponent = || {
            text.split_once(['e', 'E']).is_some_and(|(number, _)| Plain::split(number).is_some())
        };
        if text.is_empty() {
            DecError::Empty
        } else if text.contains(',') {
            DecError::Comma(excerpt(text))
        } else if text.contains(char::is_whitespace) {
            DecError::Blank(excerpt(text))
        } else if has_exponent() {
            DecError::Exponent(excerpt(text))
        } else {
            DecError::NotANumber(excerpt(text))
        }
    }
}

/// What a message may repeat of text from outside.
fn excerpt(text: &str) -> SafeText {
    SafeText::capped(text, 48)
}

enum Problem {
    TooLarge,
    TooPrecise,
}

impl Problem {
    fn of(self, text: &str) -> DecError {
        match self {
            Problem::TooLarge => DecError::TooLarge(excerpt(text)),
            Problem::TooPrecise => DecError::TooPrecise(excerpt(text)),
        }
    }
}

/// A plain decimal in its parts, without the zeros that say nothing.
struct Plain<'a> {
    negative: bool,
    whole: &'a str,
    decimals: &'a str,
}

impl Plain<'_> {
    fn split(text: &str) -> Option<Plain<'_>> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let is_number =
            whole.len() + decimals.len() > 0 && all_digits(whole) && all_digits(decimals);
        is_number.then(|| Plain {
            negative: text.starts_with('-'),
            whole: whole.trim_start_matches('0'),
            decimals: decimals.trim_end_matches('0'),
        })
    }

    fn value(&self) -> Result<Dec, Problem> {
        let (whole, scale) = (self.whole.len(), self.decimals.len());
        if whole > MAX_DIGITS as usize {
            return Err(Problem::TooLarge);
        }
        if scale > MAX_DIGITS as usize || whole > 0 && whole + scale > MAX_DIGITS as usize {
            return Err(Problem::TooPrecise);
        }
        // At most 28 digits are left. Up to 18 fit into 64 bits, which is several times faster.
        let digits = self.whole.bytes().chain(self.decimals.bytes()).map(|digit| digit - b'0');
        let mantissa = if whole + scale <= 18 {
            digits.fold(0_i64, |sum, digit| sum * 10 + i64::from(digit)).into()
        } else {
            digits.fold(0_i128, |sum, digit| sum * 10 + i128::from(digit))
        };
        let mantissa = if self.negative { -mantissa } else { mantissa };
        let scale = u32::try_from(scale).map_err(|_| Problem::TooPrecise)?;
        // Never refused: 28 digits fit into the 96 bits of a `Decimal`.
        Decimal::try_from_i128_with_scale(mantissa, scale).map(Dec).map_err(|_| Problem::TooLarge)
    }

    /// The value with the point moved to the right by `exponent`.
    fn shifted(&self, exponent: i64) -> Result<Dec, Problem> {
        let digits = [self.whole, self.decimals].concat();
        let significant = digits.trim_start_matches('0');
        let leading = digits.len() - significant.len();
        let significant = significant.trim_end_matches('0');
        if significant.is_empty() {
            return Ok(Dec::ZERO);
        }
        // How many digits stand before the point: negative when zeros stand between it and the digits.
        let length = |digits: usize| i64::try_from(digits).unwrap_or(i64::MAX);
        let point =
            exponent.saturating_add(length(self.whole.len())).saturating_sub(length(leading));
        let scale = length(significant.len()).saturating_sub(point);
        if point > i64::from(MAX_DIGITS) {
            return Err(Problem::TooLarge);
        }
        if scale > i64::from(MAX_DIGITS) {
            return Err(Problem::TooPrecise);
        }
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
        let (whole, decimals) =
            significant.split_at(usize::try_from(point).unwrap_or(0).min(significant.len()));
        let (whole, decimals) =
            ([whole, &zeros(-scale)].concat(), [&zeros(-point), decimals].concat());
        Plain { negative: self.negative, whole: &whole, decimals: &decimals }.value()
    }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, str::FromStr};

    use num_bigint::BigInt;
    use proptest::prelude::*;

    use super::*;

    fn dec(text: &str) -> Dec {
        Dec::parse(text).unwrap()
    }

    #[test]
    fn plain_decimals_are_read_into_one_form() {
        for (text, canonical) in [
            ("0", "0"),
            ("-0", "0"),
            ("-0.00", "0"),
            ("+1", "1"),
            ("1.50", "1.5"),
            ("-0012.3400", "-12.34"),
            ("-10.01", "-10.01"),
            ("18446744073709551615.1", "18446744073709551615.1"),
            ("1844674407370955161.6", "1844674407370955161.6"),
            (".5", "0.5"),
            ("5.", "5"),
            ("100", "100"),
            ("9999999999999999999999999999", "9999999999999999999999999999"),
            ("-999999999999999999.9999999999", "-999999999999999999.9999999999"),
            ("0.0000000000000000000000000001", "0.0000000000000000000000000001"),
            ("0.9999999999999999999999999999", "0.9999999999999999999999999999"),
            ("0000000000000000000000000000000001.0000000000000000000000000000000", "1"),
            ("999999999999999999", "999999999999999999"),
            ("1234567890123456789", "1234567890123456789"),
        ] {
            assert_eq!(dec(text).to_string(), canonical, "{text}");
            let mut written = String::from("= ");
            dec(text).write_to(&mut written);
            assert_eq!(written, format!("= {canonical}"));
        }
    }

    #[test]
    fn refusals_say_what_was_expected() {
        for text in ["1,5", "1,234.56"] {
            assert_eq!(
                Dec::parse(text).unwrap_err().to_string(),
                format!(
                    "expected a number with a decimal point, like 1234.56; \"{text}\" has a comma"
                )
            );
        }
        assert_eq!(Dec::parse(""), Err(DecError::Empty));
        for text in [" 1", "1 ", "1 000", "1\u{a0}000"] {
            assert!(matches!(Dec::parse(text), Err(DecError::Blank(_))), "{text}");
        }
        for text in ["1e3", "-1.5E-7", "1e400"] {
            assert!(matches!(Dec::parse(text), Err(DecError::Exponent(_))), "{text}");
        }
        for text in [
            "NaN", "inf", ".", "-", "+", "--1", "+-1", "1.2.3", "(12.00)", "12.00-", "0x10", "$1",
            "1_000", "١", "e5",
        ] {
            assert!(matches!(Dec::parse(text), Err(DecError::NotANumber(_))), "{text}");
        }
        for text in ["10000000000000000000000000000", &"9".repeat(5000)] {
            assert!(matches!(Dec::parse(text), Err(DecError::TooLarge(_))), "{text}");
        }
        for text in [
            "0.00000000000000000000000000001",
            "1.0000000000000000000000000001",
            "100000000000000000000.000000001",
        ] {
            assert!(matches!(Dec::parse(text), Err(DecError::TooPrecise(_))), "{text}");
        }
        let message = Dec::parse(&"\u{1b}".repeat(5000)).unwrap_err().to_string();
        assert!(message.len() < 200 && super::super::safe_text::is_safe(&message));
    }

    #[test]
    fn the_written_decimals_are_counted() {
        for (text, decimals) in [("1", 0), ("1.", 0), ("1.5", 1), ("1.50", 2), ("-.000", 3)] {
            assert_eq!(Dec::parse_with_scale(text), Ok((dec(text), decimals)));
        }
        assert_eq!(Dec::parse_with_scale(&format!("1.{}", "0".repeat(40))), Ok((Dec::ONE, 28)));
        assert!(Dec::parse_with_scale("1,5").is_err());
    }

    #[test]
    fn json_numbers_are_exact_or_refused() {
        for (text, plain) in [
            ("1.5E-7", "0.00000015"),
            ("-1.5e+3", "-1500"),
            ("120e-1", "12"),
            ("0.00012e4", "1.2"),
            ("0e400", "0"),
            ("-0.0e-999999999999999999999", "0"),
            ("1e27", "1000000000000000000000000000"),
            ("1e-28", "0.0000000000000000000000000001"),
            ("0.1e28", "1000000000000000000000000000"),
            ("12.34", "12.34"),
            ("12345678901234567890123456780e-2", "123456789012345678901234567.8"),
        ] {
            assert_eq!(Dec::from_json_number(text), Ok(dec(plain)), "{text}");
        }
        for text in ["1e28", "1e400", "1e99999999999999999999", "-9e+9999"] {
            assert!(matches!(Dec::from_json_number(text), Err(DecError::TooLarge(_))), "{text}");
        }
        for text in [
            "1e-29",
            "1e-400",
            "1e-99999999999999999999",
            "1.1e-28",
            "123456789012345678901234567890e-2",
        ] {
            assert!(matches!(Dec::from_json_number(text), Err(DecError::TooPrecise(_))), "{text}");
        }
        for text in [
            "NaN",
            "Infinity",
            "-Infinity",
            "null",
            "1e",
            "e1",
            "1e1.5",
            "1e+",
            "1e+-1",
            "1e1e1",
            "\"1\"",
        ] {
            assert!(Dec::from_json_number(text).is_err(), "{text}");
        }
    }

    #[test]
    fn zero_has_no_sign() {
        assert_eq!((-Dec::ZERO).to_string(), "0");
        assert_eq!(dec("-0.004").round_to(2).to_string(), "0");
        assert_eq!(dec("5").checked_sub(dec("5")).unwrap().to_string(), "0");
        assert!(!dec("-0").is_negative() && !dec("-0").is_positive() && dec("-0").is_zero());
        assert!(dec("-1").is_negative() && dec("1").is_positive());
        assert!(!(-Dec::ZERO).is_negative());
        let minus_zero = -Decimal::ZERO;
        assert!(!Dec::from_decimal(minus_zero).unwrap().is_negative());
        assert_eq!(dec("-2.5").abs(), dec("2.5"));
        assert_eq!(Dec::from_i64(i64::MIN).to_string(), "-9223372036854775808");
    }

    #[test]
    fn rounding_is_half_even() {
        for (number, places, rounded) in [
            ("0.5", 0, "0"),
            ("1.5", 0, "2"),
            ("2.5", 0, "2"),
            ("-2.5", 0, "-2"),
            ("-0.5", 0, "0"),
            ("1.005", 2, "1"),
            ("1.015", 2, "1.02"),
            ("1.0150000001", 2, "1.02"),
            ("1.0050000001", 2, "1.01"),
            ("1.5", 99, "1.5"),
            ("999999999999999999999999999.9", 0, "1000000000000000000000000000"),
        ] {
            assert_eq!(dec(number).round_to(places), dec(rounded), "{number} to {places}");
        }
    }

    #[test]
    fn sums_are_exact_or_none() {
        let largest = dec("9999999999999999999999999999");
        assert_eq!(dec("0.1").checked_add(dec("0.2")), Some(dec("0.3")));
        assert_eq!(largest.checked_add(Dec::ONE), None);
        assert_eq!(largest.checked_add(dec("0.1")), None);
        assert_eq!(largest.checked_sub(largest), Some(Dec::ZERO));
        assert_eq!(largest.checked_add(dec("0.0000000000000000000000000001")), None);
        assert_eq!(dec("1000000000000000000000000000").checked_add(dec("0.05")), None);
    }

    #[test]
    fn decimals_of_29_digits_are_refused() {
        assert!(matches!(Dec::from_decimal(Decimal::MAX), Err(DecError::TooLarge(_))));
        let long = Decimal::from_str("7.0000000000000000000000000001").unwrap();
        assert!(matches!(Dec::from_decimal(long), Err(DecError::TooPrecise(_))));
        assert_eq!(Dec::from_decimal(Decimal::from_str("1.500").unwrap()), Ok(dec("1.5")));
    }

    #[test]
    fn serde_is_a_string() {
        assert_eq!(serde_json::to_string(&dec("-1.50")).unwrap(), r#""-1.5""#);
        assert_eq!(serde_json::from_str::<Dec>(r#""1.50""#).unwrap(), dec("1.5"));
        assert!(serde_json::from_str::<Dec>(r#""1,5""#).is_err());
        assert!(serde_json::from_str::<Dec>("1.5").is_err());
    }

    /// Digits, a sign and a place for the point: the number is `mantissa / 10^28` in whole numbers.
    fn number() -> impl Strategy<Value = (String, BigInt)> {
        ("-?", "[0-9]{0,28}", 0..=28_usize).prop_map(|(sign, digits, scale)| {
            let digits = format!("{}{digits}", "0".repeat(29 - digits.len()));
            let (whole, decimals) = digits.split_at(29 - scale);
            let text = format!("{sign}{whole}.{decimals}");
            let units =
                BigInt::from_str(&format!("{sign}{whole}{decimals}{}", "0".repeat(28 - scale)))
                    .unwrap();
            (text, units)
        })
    }

    /// The number in units of 10^-28, read off the digits it prints.
    fn units(number: Dec) -> BigInt {
        let text = number.to_string();
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        BigInt::from_str(&format!("{whole}{decimals}{}", "0".repeat(28 - decimals.len()))).unwrap()
    }

    /// Whether so many units of 10^-28 can be written with 28 digits.
    fn fits(units: &BigInt) -> bool {
        let digits = units.magnitude().to_string();
        let trailing = (digits.len() - digits.trim_end_matches('0').len()).min(28);
        digits.len() - trailing <= 28
    }

    proptest! {
        #[test]
        fn parsing_and_printing_keep_the_value((text, value) in number()) {
            let parsed = dec(&text);
            prop_assert_eq!(units(parsed), value);
            let printed = parsed.to_string();
            prop_assert_eq!(Dec::parse(&printed), Ok(parsed));
            let mut written = String::new();
            parsed.write_to(&mut written);
            prop_assert_eq!(&written, &printed);
            prop_assert!(!printed.contains('.') || !printed.ends_with(['0', '.']));
            prop_assert!(!printed.starts_with("-0") || printed.starts_with("-0."));
            prop_assert!(printed != "-0");
            prop_assert_eq!(Dec::from_decimal(parsed.inner()), Ok(parsed));
        }

        #[test]
        fn sums_agree_with_whole_numbers((a, x) in number(), (b, y) in number()) {
            for (result, exact) in [(dec(&a).checked_add(dec(&b)), &x + &y), (dec(&a).checked_sub(dec(&b)), &x - &y)] {
                prop_assert_eq!(result.is_some(), fits(&exact));
                prop_assert!(result.is_none_or(|sum| units(sum) == exact));
            }
            prop_assert_eq!(dec(&a).cmp(&dec(&b)), x.cmp(&y));
            prop_assert_eq!(HashSet::from([dec(&a), dec(&b)]).len(), if x == y { 1 } else { 2 });
        }

        #[test]
        fn rounding_takes_the_nearest((text, value) in number(), places in 0..=28_u32) {
            let step = BigInt::from(10).pow(28 - places);
            let rounded = units(dec(&text).round_to(places));
            prop_assert_eq!(&rounded % &step, BigInt::ZERO);
            let twice_off = BigInt::from((&rounded - &value).magnitude() * 2_u32);
            prop_assert!(twice_off <= step);
            prop_assert!(twice_off < step || !(&rounded / &step).bit(0));
        }

        #[test]
        fn json_exponents_move_the_point((text, value) in number(), shift in -40..40_i32) {
            let scaled = if shift >= 0 { Some(value * BigInt::from(10).pow(shift.unsigned_abs())) } else {
                let by = BigInt::from(10).pow(shift.unsigned_abs());
                (&value % &by == BigInt::ZERO).then(|| value / by)
            };
            let read = Dec::from_json_number(&format!("{text}e{shift}")).ok();
            prop_assert_eq!(read.map(units), scaled.filter(fits));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+.,0-9eE ]{0,40}") {
            let (plain, json) = (Dec::parse(&text), Dec::from_json_number(&text));
            prop_assert!(plain.is_err() || plain == json);
        }
    }
}
