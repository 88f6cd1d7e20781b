//! Figures as text, masked where somebody may look over the shoulder. It knows currencies and
//! nothing of reports.

use crate::model::{Currency, Dec, SafeText};

/// What stands where an amount would.
pub const MASK: &str = "•••";
/// What stands in a table where a figure is not known.
const UNKNOWN: &str = "n/a";
/// Tables show quantities to so many decimals.
const QUANTITY_DECIMALS: u32 = 8;

/// Writes figures, or the mask.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Amounts are not to be seen.
    pub private: bool,
}

impl Figures {
    /// Every digit, as JSON and CSV give it.
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
        SafeText::new(&format!("{rounded:.*}", places as usize))
    }

    /// As [`Figures::money`]; a question mark where it is not known.
    pub fn money_or_unknown(self, value: Option<Dec>, currency: Currency) -> SafeText {
        value.map_or_else(|| SafeText::new(UNKNOWN), |value| self.money(value, currency))
    }

    /// A quantity in a table; nothing where there is none.
    pub fn quantity(self, value: Option<Dec>) -> SafeText {
        let shown = value.map(|value| self.exact(value.round_to(QUANTITY_DECIMALS)));
        SafeText::new(&shown.unwrap_or_default())
    }

    /// A message that may repeat figures of the user's.
    pub fn message(self, text: &str) -> String {
        if self.private { without_digits(text) } else { text.to_owned() }
    }
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

    const OPEN: Figures = Figures { private: false };
    const HIDDEN: Figures = Figures { private: true };

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
    fn quantities_keep_what_they_have() {
        assert_eq!(OPEN.quantity(Some(dec("0.57505473"))).as_str(), "0.57505473");
        assert_eq!(OPEN.quantity(Some(dec("10"))).as_str(), "10");
        assert_eq!(OPEN.quantity(None).as_str(), "");
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
