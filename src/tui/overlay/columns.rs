//! The columns of a table: which of them are shown, and in which order.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::super::frame::framed;
use crate::keys::{Action, Chord, Key};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::{Choice, Cursor, write};

/// The menu.
#[derive(Debug)]
pub struct ColumnsMenu {
    /// Titles, in the order of their columns, and whether they are shown.
    columns: Vec<(&'static str, bool)>,
    /// The same where nobody chose anything.
    all: Vec<&'static str>,
    cursor: Cursor,
}

/// What a key did to the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// It stays open.
    Open,
    /// All is left as it was.
    Left,
    /// These were chosen.
    Columns(Choice),
}

impl ColumnsMenu {
    /// With the columns that there are, as somebody chose them.
    #[must_use]
    pub fn new(all: Vec<&'static str>, choice: &Choice) -> Self {
        let rank =
            |title: &&str| choice.order.iter().position(|own| own == title).unwrap_or(usize::MAX);
        let mut titles = all.clone();
        titles.sort_by_key(rank);
        let columns = titles.into_iter().map(|title| (title, choice.shows(title))).collect();
        Self { columns, all, cursor: Cursor::default() }
    }

    /// A key.
    pub fn press(&mut self, chord: Chord) -> Chosen {
        let len = self.columns.len();
        match chord.key {
            Key::Esc | Key::Char('q') => return Chosen::Left,
            Key::Enter => return Chosen::Columns(self.choice()),
            Key::Down | Key::Char('j') => drop(self.cursor.act(Action::MoveDown, len, len)),
            Key::Up | Key::Char('k') => drop(self.cursor.act(Action::MoveUp, len, len)),
            Key::Right | Key::Char('l') => self.shift(Action::MoveDown),
            Key::Left | Key::Char('h') => self.shift(Action::MoveUp),
            Key::Char(' ') => self.turn(),
            Key::Char('r') => *self = Self::new(self.all.clone(), &Choice::default()),
            _ => {}
        }
        Chosen::Open
    }

    /// Takes a column along.
    fn shift(&mut self, action: Action) {
        let (from, len) = (self.cursor.at, self.columns.len());
        self.cursor.act(action, len, len);
        if from < len {
            self.columns.swap(from, self.cursor.at);
        }
    }

    /// Hides a column or shows it again. One has to stay.
    fn turn(&mut self) {
        let shown = self.columns.iter().filter(|(_, shown)| *shown).count();
        if let Some((_, is_shown)) = self.columns.get_mut(self.cursor.at)
            && (!*is_shown || shown > 1)
        {
            *is_shown = !*is_shown;
        }
    }

    /// What is chosen now; nothing where all is as nobody chose it.
    fn choice(&self) -> Choice {
        let order: Vec<_> = self.columns.iter().map(|(title, _)| (*title).to_owned()).collect();
        let hidden = self.columns.iter().filter(|(_, shown)| !shown);
        let hidden = hidden.map(|(title, _)| (*title).to_owned()).collect();
        let order = if order == self.all { Vec::new() } else { order };
        Choice { order, hidden }
    }

    /// Draws itself over the pane.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, theme: Theme) {
        const HINT: &str =
            "Space shows or hides, h and l move, r resets, Enter takes it, Esc leaves";
        Clear.render(area, buf);
        let inner = framed(buf, area, "Columns", theme);
        let line = |at: u16| Rect { y: inner.y + at, height: 1, ..inner };
        let seen = usize::from(inner.height.saturating_sub(1));
        let mut cursor = self.cursor;
        cursor.settle(self.columns.len(), seen);
        let rows = self.columns.iter().enumerate().skip(cursor.top).take(seen);
        for ((index, (title, shown)), at) in rows.zip(0..) {
            if index == cursor.at {
                buf.set_style(line(at), theme.cursor());
            }
            let tone = if *shown { Tone::Plain } else { Tone::Dim };
            let mark = if *shown { "[x]" } else { "[ ]" };
            write(buf, line(at), &format!("{mark} {title}"), theme.style(tone));
        }
        if inner.height > 0 {
            write(buf, line(inner.height - 1), HINT, theme.style(Tone::Dim));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(keys: &str, choice: &Choice) -> Chosen {
        let mut menu = ColumnsMenu::new(vec!["Symbol", "Value", "Cost"], choice);
        let mut last = Chosen::Open;
        for key in keys.split(' ') {
            last = menu.press(Chord::parse(key).unwrap());
        }
        last
    }

    #[test]
    fn keys_choose_which_columns_and_their_order() {
        let choice = |order: &[&str], hidden: &[&str]| {
            let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
            Choice { order: texts(order), hidden: texts(hidden) }
        };
        let none = Choice::default();
        let is = |keys, order: &[&str], hidden: &[&str]| {
            assert_eq!(pressed(keys, &none), Chosen::Columns(choice(order, hidden)), "{keys}");
        };
        is("Enter", &[], &[]);
        is("j Space Enter", &[], &["Value"]);
        is("j j h h Enter", &["Cost", "Symbol", "Value"], &[]);
        is("l l l Space Enter", &["Value", "Cost", "Symbol"], &["Symbol"]);
        is("Space j Space j Space Enter", &[], &["Symbol", "Value"]);
        is("j h Space r Enter", &[], &[]);
        assert_eq!(pressed("j Esc", &none), Chosen::Left);
        let before = choice(&["Cost"], &["Value"]);
        let again = choice(&["Cost", "Symbol", "Value"], &["Value"]);
        assert_eq!(pressed("Enter", &before), Chosen::Columns(again));
    }
}
