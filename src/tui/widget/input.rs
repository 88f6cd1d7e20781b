//! A line of text that is typed.

use zeroize::Zeroize as _;

use crate::keys::{Chord, Key};

/// The most characters of a line.
const MOST: usize = 1_000;

/// A line of text, and the place in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    before: String,
    after: String,
}

impl Input {
    /// With a text, and the place at its end.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self { before: text.to_owned(), after: String::new() }
    }

    /// With a text before the place and one after it.
    #[must_use]
    pub fn at(before: &str, after: &str) -> Self {
        Self { before: before.to_owned(), after: after.to_owned() }
    }

    /// All of it.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}{}", self.before, self.after)
    }

    /// Forgets what is typed: it may have been a secret.
    pub fn wipe(&mut self) {
        self.before.zeroize();
        self.after.zeroize();
    }

    /// Nothing is typed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    /// The text before the place and after it.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        (&self.before, &self.after)
    }

    /// Puts text in, without what could move a terminal.
    pub fn insert(&mut self, text: &str) {
        let room = MOST.saturating_sub(self.before.chars().count() + self.after.chars().count());
        let kept = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
        self.before.extend(kept.filter(|c| !c.is_control()).take(room));
    }

    /// A key. False: it says nothing to a line of text.
    pub fn press(&mut self, chord: Chord) -> bool {
        match (chord.key, chord.ctrl, chord.alt) {
            (Key::Char(c), false, false) => self.insert(c.encode_utf8(&mut [0; 4])),
            (Key::Backspace, ..) | (Key::Char('h'), true, false) => drop(self.before.pop()),
            (Key::Delete, ..) | (Key::Char('d'), true, false) => {
                let mut rest = self.after.chars();
                rest.next();
                self.after = rest.as_str().to_owned();
            }
            (Key::Left, ..) | (Key::Char('b'), true, false) => {
                if let Some(c) = self.before.pop() {
                    self.after.insert(0, c);
                }
            }
            (Key::Right, ..) | (Key::Char('f'), true, false) => {
                let mut rest = self.after.chars();
                if let Some(c) = rest.next() {
                    self.before.push(c);
                    self.after = rest.as_str().to_owned();
                }
            }
            (Key::Home, ..) | (Key::Char('a'), true, false) => {
                self.after = self.text();
                self.before.clear();
            }
            (Key::End, ..) | (Key::Char('e'), true, false) => {
                self.before = self.text();
                self.after.clear();
            }
            (Key::Char('u'), true, false) => self.before.clear(),
            (Key::Char('k'), true, false) => self.after.clear(),
            (Key::Char('w'), true, false) => {
                let kept = self.before.trim_end();
                let kept = kept.rfind(' ').map_or("", |at| kept.get(..=at).unwrap_or_default());
                self.before = kept.to_owned();
            }
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &str) -> Input {
        let mut input = Input::default();
        for key in keys.split(' ') {
            assert!(input.press(Chord::parse(key).unwrap()), "{key}");
        }
        input
    }

    #[test]
    fn a_line_is_edited_where_the_place_is() {
        assert_eq!(typed("a b Left c").parts(), ("ac", "b"));
        assert_eq!(typed("a b Home Delete").parts(), ("", "b"));
        assert_eq!(typed("a b Home x End y Backspace").parts(), ("xab", ""));
        assert_eq!(typed("a Space b c Ctrl-w").parts(), ("a ", ""));
        assert_eq!(typed("a b Left Ctrl-u").parts(), ("", "b"));
        assert!(!Input::default().press(Chord::parse("Enter").unwrap()));
    }

    #[test]
    fn what_is_pasted_moves_nothing_and_has_a_limit() {
        let mut input = Input::default();
        input.insert("a\u{1b}[2J\nb\u{7}");
        assert_eq!(input.text(), "a[2J b");
        input.insert(&"x".repeat(5_000));
        assert_eq!(input.text().chars().count(), MOST);
    }
}
