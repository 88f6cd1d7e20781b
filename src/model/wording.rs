//! Words in which amounts stand apart, so that who hides amounts hides those and nothing else.

use std::fmt;

use super::decimal::Dec;
use super::safe_text::SafeText;

/// A sentence of words and amounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wording(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Words(SafeText),
    Amount(Dec),
}

impl Wording {
    /// A sentence that begins with these words: days, names and numbers of rows among them.
    #[must_use]
    pub fn new(words: &str) -> Self {
        Self::default().and(words)
    }

    /// More words.
    #[must_use]
    pub fn and(mut self, words: &str) -> Self {
        self.0.push(Part::Words(SafeText::new(words)));
        self
    }

    /// An amount, a quantity or a price.
    #[must_use]
    pub fn amount(mut self, amount: Dec) -> Self {
        self.0.push(Part::Amount(amount));
        self
    }

    /// The sentence, each of its amounts written in this way.
    pub fn told(&self, amount: impl Fn(Dec) -> String) -> SafeText {
        let part = |part: &Part| match part {
            Part::Words(words) => words.to_string(),
            Part::Amount(figure) => amount(*figure),
        };
        SafeText::new(&self.0.iter().map(part).collect::<String>())
    }
}

impl fmt::Display for Wording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.told(|amount| amount.to_string()).as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_wanted_and_the_rest_stays() {
        let amount = |text| Dec::parse(text).unwrap();
        let said = Wording::new("on 2024-01-02 ").amount(amount("12.50")).and(" of 500 GBP left");
        assert_eq!(said.to_string(), "on 2024-01-02 12.5 of 500 GBP left");
        let hidden = said.told(|_| "?".to_owned());
        assert_eq!(hidden.as_str(), "on 2024-01-02 ? of 500 GBP left");
    }
}
