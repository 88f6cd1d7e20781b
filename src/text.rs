//! Figures, dates and ages as people read them, masked where somebody may look over the shoulder.
//! It knows currencies and nothing of reports.

use crate::model::{Currency, Dec, Exact, SafeText, Wording};

/// What stands where an amount would.
pub const MASK: &str = "•••";
/// What stands in a table where a figure is not known.
pub const UNKNOWN: &str = "n/a";
/// What stands before a gain.
pub const UP: char = '▲';
/// What stands before a loss.
pub const DOWN: char = '▼';
/// Tables show quantities and prices to so many decimals.
const QUANTITY_DECIMALS: u32 = 8;
/// A price that is smaller than that has so many digits.
const PRICE_DIGITS: u32 = 4;

/// Writes figures, or the mask.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Amounts are not to be seen.
    pub private: bool,
    /// Thousands stand apart.
    grouped: bool,
}

impl Figures {
    /// As scripts and tables of the command line have them.
    #[must_use]
    pub const fn plain(private: bool) -> Self {
        Self { private, grouped: false }
    }

    /// As the screen has them.
    #[must_use]
    pub const fn grouped(private: bool) -> Self {
        Self { private, grouped: true }
    }

    fn text(self, digits: &str) -> SafeText {
        if self.grouped { SafeText::new(&with_groups(digits)) } else { SafeText::new(digits) }
    }

    /// Every digit, as JSON and CSV give it.
    #[must_use]
    pub fn exact(self, value: Dec) -> String {
        if self.private { MASK.to_owned() } else { value.to_string() }
    }

    /// As [`Figures::exact`], where there is one.
    pub fn maybe(self, value: Option<Dec>) -> Option<String> {
        value.map(|value| self.exact(value))
    }

    /// Money in a table: to the decimals of its currency.
    pub fn money(self, value: Dec, currency: Currency) -> SafeText {
        if self.private {
            return SafeText::new(MASK);
        }
        let places = currency.minor_units();
        let rounded = value.round_to(places).inner();
        self.text(&format!("{rounded:.*}", places as usize))
    }

    /// As [`Figures::money`]; `n/a` where it is not known.
    pub fn money_or_unknown(self, value: Option<Dec>, currency: Currency) -> SafeText {
        value.map_or_else(unknown, |value| self.money(value, currency))
    }

    /// A gain or a loss in a table: with its sign, and an arrow that says the same.
    pub fn gain(self, value: Option<Dec>, currency: Currency) -> SafeText {
        let Some(value) = value else { return unknown() };
        let shown = self.money(value, currency);
        // What is not shown has no direction either, and neither has what rounds to zero.
        let rounded = value.round_to(currency.minor_units());
        if self.private || rounded.is_zero() {
            shown
        } else if rounded.is_negative() {
            SafeText::new(&format!("{DOWN} {shown}"))
        } else {
            SafeText::new(&format!("{UP} +{shown}"))
        }
    }

    /// The price of one in a table: to 8 decimals, a small one to 4 digits, and at least to those
    /// of its currency.
    pub fn price(self, value: Option<Dec>, currency: Currency) -> SafeText {
        let Some(value) = value else { return unknown() };
        let value = value.round_to(price_decimals(value));
        let least = value.round_to(currency.minor_units());
        if least == value { self.money(value, currency) } else { self.text(&self.exact(value)) }
    }

    /// A quantity in a table; nothing where there is none.
    pub fn quantity(self, value: Option<Dec>) -> SafeText {
        let shown = value.map(|value| self.exact(value.round_to(QUANTITY_DECIMALS)));
        self.text(&shown.unwrap_or_default())
    }

    /// A sentence in which amounts stand apart.
    #[must_use]
    pub fn wording(self, text: &Wording) -> SafeText {
        text.told(|amount| self.exact(amount))
    }

    /// A message that may repeat figures of the user's.
    pub fn message(self, text: &str) -> String {
        if self.private { without_digits(text) } else { text.to_owned() }
    }
}

/// To how many decimals a price is told.
fn price_decimals(price: Dec) -> u32 {
    let (digits, decimals) = (price.inner().mantissa().unsigned_abs(), price.inner().scale());
    let count = digits.checked_ilog10().map_or(decimals, |last| last + 1);
    QUANTITY_DECIMALS.max(decimals.saturating_sub(count) + PRICE_DIGITS)
}

/// `1234567.891` as `1,234,567.891`.
fn with_groups(digits: &str) -> String {
    let (sign, rest) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let whole = rest.find('.').unwrap_or(rest.len());
    let mut out = String::with_capacity(digits.len() + whole / 3);
    out.push_str(sign);
    for (at, c) in rest.chars().enumerate() {
        if at > 0 && at < whole && (whole - at) % 3 == 0 && c.is_ascii_digit() {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A number of things as people count them, by the word for one: `1 row`, `2 rows`.
#[must_use]
pub fn counted(number: u64, one: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {one}{ending}")
}

/// What stands where a figure is not known.
#[must_use]
pub fn unknown() -> SafeText {
    SafeText::new(UNKNOWN)
}

/// A part of a whole in a table. It tells nothing of the amount, so it is never masked.
#[must_use]
pub fn percent(part: Option<Dec>) -> SafeText {
    let hundred = Exact::from(Dec::from_i64(100));
    let shown = part.and_then(|part| Exact::from(part).mul(&hundred).round(1).ok());
    shown.map_or_else(unknown, |shown| SafeText::new(&format!("{:.1} %", shown.inner())))
}

/// Each run of digits and the points between them becomes the mask.
fn without_digits(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut masked = false;
    for c in text.chars() {
        if c.is_numeric() {
            if !masked {
                out.push_str(MASK);
            }
            masked = true;
        } else if !(masked && c == '.') {
            out.push(c);
            masked = false;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Figures = Figures::plain(false);
    const HIDDEN: Figures = Figures::plain(true);

    fn dec(text: &str) -> Dec {
        Dec::parse(text).unwrap()
    }

    fn money(text: &str, code: &str) -> String {
        OPEN.money(dec(text), Currency::parse(code).unwrap()).into_string()
    }

    #[test]
    fn money_has_the_decimals_of_its_currency_half_even() {
        assert_eq!(money("9953", "USD"), "9953.00");
        assert_eq!(money("0.125", "USD"), "0.12");
        assert_eq!(money("-0.135", "USD"), "-0.14");
        assert_eq!(money("2.5", "JPY"), "2");
        assert_eq!(money("1.5", "BHD"), "1.500");
        assert_eq!(money("-0.001", "USD"), "0.00");
    }

    #[test]
    fn thousands_stand_apart_on_the_screen() {
        let shown = |text: &str| Figures::grouped(false).money(dec(text), Currency::USD);
        assert_eq!(shown("1284310.225").as_str(), "1,284,310.22");
        assert_eq!(shown("-100").as_str(), "-100.00");
        assert_eq!(shown("-1000").as_str(), "-1,000.00");
        let quantity = |text: &str| Figures::grouped(false).quantity(Some(dec(text)));
        assert_eq!(quantity("1234.56789").as_str(), "1,234.56789");
        assert_eq!(Figures::grouped(true).money(dec("1000"), Currency::USD).as_str(), MASK);
    }

    #[test]
    fn gains_have_a_sign_and_an_arrow() {
        let gain = |text: &str| OPEN.gain(Some(dec(text)), Currency::USD).into_string();
        assert_eq!(gain("3201.18"), "▲ +3201.18");
        assert_eq!(gain("-1683"), "▼ -1683.00");
        assert_eq!(gain("0"), "0.00");
        // Half a cent rounds to the even one, and nothing has no direction.
        assert_eq!(gain("0.005"), "0.00");
        assert_eq!(gain("-0.015"), "▼ -0.02");
        assert_eq!(OPEN.gain(None, Currency::USD).as_str(), "n/a");
        assert_eq!(HIDDEN.gain(Some(dec("-1")), Currency::USD).as_str(), MASK);
        assert_eq!(HIDDEN.gain(None, Currency::USD).as_str(), "n/a");
    }

    #[test]
    fn prices_have_the_decimals_of_their_currency_at_least() {
        let price = |text: &str, code: &str| {
            OPEN.price(Some(dec(text)), Currency::parse(code).unwrap()).into_string()
        };
        assert_eq!(price("14", "USD"), "14.00");
        assert_eq!(price("81.1025", "USD"), "81.1025");
        assert_eq!(price("14.5", "JPY"), "14.5");
        assert_eq!(price("0.333333333333", "USD"), "0.33333333");
        assert_eq!(price("0.00000000000012345", "USD"), "0.0000000000001234");
        assert_eq!(price("-0.000000126", "USD"), "-0.000000126");
        assert_eq!(price("0", "USD"), "0.00");
        assert_eq!(HIDDEN.price(Some(dec("14")), Currency::USD).as_str(), MASK);
    }

    #[test]
    fn parts_are_percentages_with_one_decimal() {
        assert_eq!(percent(Some(dec("0.4185"))).as_str(), "41.8 %");
        assert_eq!(percent(Some(dec("-0.0025"))).as_str(), "-0.2 %");
        assert_eq!(percent(Some(dec("1"))).as_str(), "100.0 %");
        assert_eq!(percent(None).as_str(), "n/a");
    }

    #[test]
    fn quantities_keep_what_they_have() {
        assert_eq!(OPEN.quantity(Some(dec("0.57505473"))).as_str(), "0.57505473");
        assert_eq!(OPEN.quantity(Some(dec("10"))).as_str(), "10");
        assert_eq!(OPEN.quantity(None).as_str(), "");
    }

    #[test]
    fn amounts_in_a_sentence_are_masked_and_nothing_else() {
        let said = Wording::new("row 7 of 2024-01-02: ").amount(dec("-12.5")).and(" USD");
        assert_eq!(OPEN.wording(&said).as_str(), "row 7 of 2024-01-02: -12.5 USD");
        assert_eq!(HIDDEN.wording(&said).as_str(), "row 7 of 2024-01-02: ••• USD");
    }

    #[test]
    fn nothing_of_a_masked_figure_is_left() {
        assert_eq!(HIDDEN.exact(dec("123.45")), MASK);
        assert_eq!(HIDDEN.maybe(None), None);
        assert_eq!(HIDDEN.money(dec("1"), Currency::USD).as_str(), MASK);
        assert_eq!(HIDDEN.quantity(Some(dec("7"))).as_str(), MASK);
        assert_eq!(
            HIDDEN.message("-12.50 does not agree with 3, see there."),
            "-••• does not agree with •••, see there."
        );
        assert_eq!(OPEN.message("-12.50"), "-12.50");
    }
}
