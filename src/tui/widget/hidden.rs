//! A line of text that nobody may see: a passphrase, a token. It has room from the beginning, since a
//! text that grows leaves copies behind, and is wiped when it goes.

use std::fmt;

use zeroize::{Zeroize as _, Zeroizing};

use crate::keys::{Chord, Key};
use crate::model::Secret;

/// The most marks that stand for what is typed.
const MARKS: usize = 32;

/// A line that is typed and not shown.
pub struct HiddenInput {
    text: Zeroizing<String>,
    /// The most bytes.
    most: usize,
    /// More came than there is room for, and nothing of it is of use.
    too_long: bool,
}

impl fmt::Debug for HiddenInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HiddenInput")
    }
}

impl HiddenInput {
    /// With nothing in it, and room for so many bytes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { text: Zeroizing::new(String::with_capacity(most)), most, too_long: false }
    }

    /// Nothing is typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && !self.too_long
    }

    /// More was typed than can be right.
    #[must_use]
    pub const fn is_too_long(&self) -> bool {
        self.too_long
    }

    /// Whether two of them say the same.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        *self.text == *other.text
    }

    /// Forgets what is typed.
    pub fn wipe(&mut self) {
        self.text.zeroize();
        self.too_long = false;
    }

    /// A copy of it, to be looked at and wiped.
    #[must_use]
    pub fn copy(&self) -> Secret {
        Secret::new(self.text.as_str().to_owned())
    }

    /// Takes it out; nothing stays.
    pub fn take(&mut self) -> Secret {
        let secret = Secret::new(self.text.as_str().to_owned());
        self.wipe();
        secret
    }

    /// Puts text in, without what could move a terminal.
    pub fn insert(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            match self.text.len() + c.len_utf8() <= self.most {
                true => self.text.push(c),
                false => self.too_long = true,
            }
        }
    }

    /// A key. False: it says nothing to a line of text.
    pub fn press(&mut self, chord: Chord) -> bool {
        match (chord.key, chord.ctrl, chord.alt) {
            (Key::Char(c), false, false) => {
                let mut letter = [0; 4];
                self.insert(c.encode_utf8(&mut letter));
                letter.zeroize();
            }
            (Key::Backspace, ..) | (Key::Char('h'), true, false) => drop(self.text.pop()),
            (Key::Char('u' | 'w'), true, false) => self.wipe(),
            _ => return false,
        }
        true
    }

    /// What is shown in its place.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.text.chars().count() {
            _ if self.too_long => "too long: Ctrl-u clears it".to_owned(),
            few @ 0..=MARKS => "•".repeat(few),
            many => format!("{many} characters, hidden"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_never_shown_and_never_grows() {
        let mut input = HiddenInput::new(40);
        let room = input.text.capacity();
        for key in ["s", "w", "x", "Backspace", "o", "Space", "ü"] {
            assert!(input.press(Chord::parse(key).unwrap()), "{key}");
        }
        input.insert("r\u{1b}[2J\nd");
        assert_eq!(input.shown(), "•".repeat(10));
        assert!(!format!("{input:?}").contains("sw"));
        assert_eq!(input.take().expose(), "swo ür[2Jd");
        assert!(input.is_empty() && !input.press(Chord::parse("Enter").unwrap()));
        input.insert(&"x".repeat(33));
        assert_eq!(input.shown(), "33 characters, hidden");
        input.insert("12345678");
        assert!(input.is_too_long() && !input.shown().contains('x'));
        assert_eq!(input.text.capacity(), room, "it moved, and left a copy");
        assert!(input.press(Chord::parse("Ctrl-u").unwrap()) && input.is_empty());
    }
}
