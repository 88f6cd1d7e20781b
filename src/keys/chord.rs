//! A key with what is held down beside it, and how people write it: `g`, `Ctrl-d`, `PgDn`.

use std::fmt;

use unicode_width::UnicodeWidthChar;

use crate::model::{SafeText, is_safe};

/// How much of a wrong chord is repeated.
const SHOWN: usize = 40;

const LAST_FUNCTION_KEY: u8 = 24;

/// What the keys without a character are called. The first name of a key is the one shown.
const NAMES: &[(&str, Key)] = &[
    ("Space", Key::Char(' ')),
    ("Enter", Key::Enter),
    ("Return", Key::Enter),
    ("Esc", Key::Esc),
    ("Escape", Key::Esc),
    ("Tab", Key::Tab),
    ("BackTab", Key::BackTab),
    ("Shift-Tab", Key::BackTab),
    ("Backspace", Key::Backspace),
    ("Del", Key::Delete),
    ("Delete", Key::Delete),
    ("Ins", Key::Insert),
    ("Insert", Key::Insert),
    ("Up", Key::Up),
    ("Down", Key::Down),
    ("Left", Key::Left),
    ("Right", Key::Right),
    ("Home", Key::Home),
    ("End", Key::End),
    ("PgUp", Key::PageUp),
    ("PageUp", Key::PageUp),
    ("PgDn", Key::PageDown),
    ("PageDown", Key::PageDown),
];

/// What a terminal sends for these is what it sends for the key beside them.
const TWINS: &[(char, Key)] = &[('i', Key::Tab), ('m', Key::Enter), ('[', Key::Esc)];

/// A key. Shift is in the character, or in [`Key::BackTab`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A key that writes this.
    Char(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Tab with Shift.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Insert.
    Insert,
    /// The arrow up.
    Up,
    /// The arrow down.
    Down,
    /// The arrow to the left.
    Left,
    /// The arrow to the right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// A function key, from 1.
    F(u8),
}

impl Key {
    fn parse(text: &str) -> Option<Self> {
        let mut letters = text.chars();
        if let (Some(letter), None) = (letters.next(), letters.next()) {
            return can_be_typed(letter, text).then_some(Self::Char(letter));
        }
        if let Some((_, key)) = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
            return Some(*key);
        }
        let number = text.strip_prefix(['F', 'f'])?.parse().ok()?;
        (1..=LAST_FUNCTION_KEY).contains(&number).then_some(Self::F(number))
    }
}

/// Whether one letter is a key of its own: not blank, not invisible, not a mark on another one.
fn can_be_typed(letter: char, text: &str) -> bool {
    !letter.is_whitespace() && letter.width().is_some_and(|width| width > 0) && is_safe(text)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (NAMES.iter().find(|(_, key)| key == self), self) {
            (Some((name, _)), _) => f.write_str(name),
            (None, Self::Char(letter)) => write!(f, "{letter}"),
            (None, Self::F(number)) => write!(f, "F{number}"),
            // Every other key has a name.
            (None, _) => Ok(()),
        }
    }
}

/// A key with what is held down beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chord {
    /// The key.
    pub key: Key,
    /// With Ctrl; a letter is then a small one.
    pub ctrl: bool,
    /// With Alt.
    pub alt: bool,
}

impl Chord {
    /// A key alone.
    #[must_use]
    pub const fn plain(key: Key) -> Self {
        Self { key, ctrl: false, alt: false }
    }

    /// Reads what [`Display`](fmt::Display) writes; names in any case.
    ///
    /// # Errors
    /// No key is called so, or no terminal can send it.
    pub fn parse(text: &str) -> Result<Self, ChordError> {
        let (mut ctrl, mut alt, mut rest) = (false, false, text);
        while let Some((held, key)) = rest.split_once('-') {
            match held {
                _ if held.eq_ignore_ascii_case("ctrl") => ctrl = true,
                _ if held.eq_ignore_ascii_case("alt") => alt = true,
                _ => break,
            }
            rest = key;
        }
        let key = match Key::parse(rest) {
            None => return Err(ChordError::Unknown(SafeText::capped(text, SHOWN))),
            // With Ctrl a terminal sends one code for `d` and `D`.
            Some(Key::Char(letter)) if ctrl => Key::Char(letter.to_ascii_lowercase()),
            Some(key) => key,
        };
        let chord = Self { key, ctrl, alt };
        match TWINS.iter().find(|(letter, _)| ctrl && key == Key::Char(*letter)) {
            Some((_, twin)) => Err(ChordError::Twin(chord, *twin)),
            None => Ok(chord),
        }
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ctrl = if self.ctrl { "Ctrl-" } else { "" };
        let alt = if self.alt { "Alt-" } else { "" };
        write!(f, "{ctrl}{alt}{}", self.key)
    }
}

/// Why a text is not a chord.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChordError {
    /// Nothing is written.
    #[error("no key is named")]
    Empty,
    /// No key is called so.
    #[error("`{0}` is not a key; keys are written like `g`, `Ctrl-d`, `PgDn`, `Space`, `g g`")]
    Unknown(SafeText),
    /// A terminal sends the same for both.
    #[error("`{0}` comes from the terminal as `{1}`; write that, or choose another key")]
    Twin(Chord, Key),
}

/// Reads chords that are typed one after the other, with blanks between them.
///
/// # Errors
/// One of them is not a chord, or there is none.
pub fn parse_chords(text: &str) -> Result<Vec<Chord>, ChordError> {
    let chords: Vec<_> = text.split_whitespace().map(Chord::parse).collect::<Result<_, _>>()?;
    if chords.is_empty() { Err(ChordError::Empty) } else { Ok(chords) }
}

/// Writes what [`parse_chords`] reads.
#[must_use]
pub fn spelled(chords: &[Chord]) -> String {
    chords.iter().map(Chord::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let letters = (' '..='~').chain(['é', 'ß', '日']).map(Key::Char);
        let functions = (1..=LAST_FUNCTION_KEY).map(Key::F);
        for key in letters.chain(functions).chain(NAMES.iter().map(|(_, key)| *key)) {
            for (ctrl, alt) in [(false, false), (false, true), (true, false), (true, true)] {
                let one_code = |letter: char| {
                    letter.is_ascii_uppercase() || TWINS.iter().any(|(twin, _)| *twin == letter)
                };
                if ctrl && matches!(key, Key::Char(letter) if one_code(letter)) {
                    continue;
                }
                let chord = Chord { key, ctrl, alt };
                assert_eq!(Chord::parse(&chord.to_string()), Ok(chord), "{chord}");
            }
        }
    }

    #[test]
    fn chords_are_written_as_people_do() {
        let ctrl = |key| Chord { ctrl: true, ..Chord::plain(key) };
        for (text, chord, shown) in [
            ("g", Chord::plain(Key::Char('g')), "g"),
            ("G", Chord::plain(Key::Char('G')), "G"),
            ("+", Chord::plain(Key::Char('+')), "+"),
            ("-", Chord::plain(Key::Char('-')), "-"),
            ("F", Chord::plain(Key::Char('F')), "F"),
            ("f5", Chord::plain(Key::F(5)), "F5"),
            ("ctrl-D", ctrl(Key::Char('d')), "Ctrl-d"),
            ("Ctrl--", ctrl(Key::Char('-')), "Ctrl--"),
            ("Ctrl-Space", ctrl(Key::Char(' ')), "Ctrl-Space"),
            ("Shift-Tab", Chord::plain(Key::BackTab), "BackTab"),
            ("pagedown", Chord::plain(Key::PageDown), "PgDn"),
            ("Alt-x", Chord { alt: true, ..Chord::plain(Key::Char('x')) }, "Alt-x"),
            ("Alt-Ctrl-x", Chord { alt: true, ..ctrl(Key::Char('x')) }, "Ctrl-Alt-x"),
        ] {
            assert_eq!(Chord::parse(text), Ok(chord), "{text}");
            assert_eq!(chord.to_string(), shown);
        }
    }

    #[test]
    fn what_no_terminal_sends_is_refused() {
        let words = ["", "gg", "Ctrl-", "Ctrl", "Meta-x", "F0", "F25", "Shift-a"];
        let signs = [" ", "\t", "\u{1b}", "\u{202e}", "\u{301}", "\u{200b}"];
        for wrong in words.into_iter().chain(signs) {
            assert!(matches!(Chord::parse(wrong), Err(ChordError::Unknown(_))), "{wrong:?}");
        }
        for (wrong, twin) in [("Ctrl-i", "Tab"), ("Ctrl-M", "Enter"), ("Ctrl-[", "Esc")] {
            let error = Chord::parse(wrong).unwrap_err().to_string();
            assert!(error.contains(&format!("as `{twin}`")), "{error}");
        }
        let long = "\u{1b}".repeat(1000);
        assert!(Chord::parse(&long).unwrap_err().to_string().len() < 200);
    }

    #[test]
    fn chords_stand_in_a_row() {
        let twice = parse_chords(" g  Ctrl-d ").unwrap();
        assert_eq!(spelled(&twice), "g Ctrl-d");
        assert_eq!(parse_chords("  "), Err(ChordError::Empty));
        assert!(parse_chords("g gg").is_err());
    }
}
