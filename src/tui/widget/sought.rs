//! Words that somebody looks for in a list that is there as a whole.

use crate::model::fold;

/// Words that must all be there, or not be there where a `!` stands before them. Blanks part
/// them, quotes keep them together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought(Vec<(bool, String)>);

impl Sought {
    /// Reads a line. A quote that is not closed yet goes to its end: one is still typing.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut words = Vec::new();
        let (mut word, mut not, mut quoted) = (String::new(), false, false);
        for c in text.chars().chain([' ']) {
            match c {
                '"' => quoted = !quoted,
                '!' if word.is_empty() && !quoted => not = true,
                c if c.is_whitespace() && !quoted => {
                    if !word.is_empty() {
                        words.push((not, fold(&word)));
                    }
                    word.clear();
                    not = false;
                }
                c => word.push(c),
            }
        }
        if quoted && !word.trim_end().is_empty() {
            words.push((not, fold(word.trim_end())));
        }
        Self(words)
    }

    /// Nothing is looked for, so everything fits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a text fits.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        let text = fold(text);
        self.0.iter().all(|(not, word)| text.contains(word.as_str()) != *not)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_must_all_be_there_and_others_not() {
        let text = "VFV.TO Vanguard S&P 500 RRSP Société Générale";
        for (sought, fits) in [
            ("", true),
            ("vfv", true),
            ("rrsp vanguard", true),
            ("rrsp tfsa", false),
            ("!tfsa rrsp", true),
            ("!rrsp", false),
            ("societe", true),
            ("\"s&p 500\"", true),
            ("\"500 s&p\"", false),
            ("!\"s&p 500\"", false),
            ("\"s&p 5", true),
            ("!", true),
            ("\"", true),
        ] {
            assert_eq!(Sought::of(sought).fits(text), fits, "{sought}");
        }
    }
}
