//! The order of the rows, chosen from what the pane can be put in order by.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::super::frame::framed;
use crate::keys::{Action, Chord, Key};
use crate::tui::look::Order;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::{Cursor, write};

/// The menu.
#[derive(Debug)]
pub struct SortMenu {
    /// What the pane can be put in order by.
    by: Vec<&'static str>,
    cursor: Cursor,
    down: bool,
}

/// What a key did to the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sorted {
    /// It stays open.
    Open,
    /// It is left as it was.
    Left,
    /// This was chosen.
    Chosen(Order),
}

impl SortMenu {
    /// With the order that is.
    #[must_use]
    pub fn new(by: Vec<&'static str>, order: Order) -> Self {
        Self { by, cursor: Cursor { at: order.by, top: 0 }, down: order.down }
    }

    /// A key.
    pub fn press(&mut self, chord: Chord) -> Sorted {
        let len = self.by.len();
        match chord.key {
            Key::Esc | Key::Char('q') => return Sorted::Left,
            Key::Enter => {
                return Sorted::Chosen(Order { by: self.cursor.at, down: self.down });
            }
            Key::Down | Key::Char('j' | 's') => {
                let last = self.cursor.at + 1 >= len && chord.key == Key::Char('s');
                let action = if last { Action::First } else { Action::MoveDown };
                self.cursor.act(action, len, len);
            }
            Key::Up | Key::Char('k') => drop(self.cursor.act(Action::MoveUp, len, len)),
            Key::Char(' ' | 'h' | 'l') | Key::Tab | Key::Left | Key::Right => {
                self.down = !self.down;
            }
            _ => {}
        }
        Sorted::Open
    }

    /// Draws itself over the pane.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, theme: Theme) {
        const HINT: &str = "Enter takes it, Space turns it around, Esc leaves it as it was";
        Clear.render(area, buf);
        let inner = framed(buf, area, "Sort by", theme);
        let line = |at: u16| Rect { y: inner.y + at, height: 1, ..inner };
        let seen = usize::from(inner.height.saturating_sub(1));
        let mut cursor = self.cursor;
        cursor.settle(self.by.len(), seen);
        for ((index, name), at) in self.by.iter().enumerate().skip(cursor.top).take(seen).zip(0..) {
            let mut text = (*name).to_owned();
            if index == cursor.at {
                buf.set_style(line(at), theme.cursor());
                text = format!("{text} {}", Order { by: index, down: self.down }.arrow());
            }
            write(buf, line(at), &text, theme.style(Tone::Plain));
        }
        if inner.height > 0 {
            write(buf, line(inner.height - 1), HINT, theme.style(Tone::Dim));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(keys: &str) -> Sorted {
        let mut menu = SortMenu::new(vec!["Symbol", "Value", "Cost"], Order { by: 1, down: true });
        let mut last = Sorted::Open;
        for key in keys.split(' ') {
            last = menu.press(Chord::parse(key).unwrap());
        }
        last
    }

    #[test]
    fn keys_choose_what_and_which_way() {
        let chosen = |by, down| Sorted::Chosen(Order { by, down });
        assert_eq!(pressed("Enter"), chosen(1, true));
        assert_eq!(pressed("j Space Enter"), chosen(2, false));
        assert_eq!(pressed("j j k k k Enter"), chosen(0, true));
        assert_eq!(pressed("s s Enter"), chosen(0, true), "s goes on to the next and around");
        assert_eq!(pressed("j Esc"), Sorted::Left);
        assert_eq!(pressed("x"), Sorted::Open);
    }
}
