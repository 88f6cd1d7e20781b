//! Commands found by a few of their letters.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::super::frame::framed;
use crate::keys::{Action, Keymap, spelled};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::{Cursor, Input, write, write_right};

/// A list that shrinks while one types.
#[derive(Debug, Default)]
pub struct Palette {
    /// What is typed.
    pub input: Input,
    /// Which one is chosen.
    pub cursor: Cursor,
}

impl Palette {
    /// What fits, the best first.
    #[must_use]
    pub fn matches(&self) -> Vec<Action> {
        let pattern =
            Pattern::parse(&self.input.text(), CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut letters = Vec::new();
        let mut found: Vec<(u32, Action)> = Action::ALL
            .iter()
            .filter_map(|action| {
                let text = format!("{} {}", action.name(), action.doc());
                let score = pattern.score(Utf32Str::new(&text, &mut letters), &mut matcher)?;
                Some((score, *action))
            })
            .collect();
        found.sort_by_key(|(score, action)| (std::cmp::Reverse(*score), *action));
        found.into_iter().map(|(_, action)| action).collect()
    }

    /// The chosen one.
    #[must_use]
    pub fn chosen(&self) -> Option<Action> {
        self.matches().get(self.cursor.at).copied()
    }

    /// Draws itself over the pane.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, theme: Theme, keymap: &Keymap) {
        Clear.render(area, buf);
        let inner = framed(buf, area, "Commands", theme);
        if inner.height < 2 {
            return;
        }
        let line = |at: u16| Rect { y: inner.y + at, height: 1, ..inner };
        write(buf, line(0), &format!("> {}", self.input.text()), theme.style(Tone::Strong));
        let found = self.matches();
        let seen = usize::from(inner.height - 1);
        let mut cursor = self.cursor;
        cursor.settle(found.len(), seen);
        for ((index, action), at) in found.iter().enumerate().skip(cursor.top).take(seen).zip(1..) {
            if index == cursor.at {
                buf.set_style(line(at), theme.cursor());
            }
            let used = write(buf, line(at), action.name(), theme.style(Tone::Key));
            let place = line(at);
            let x = used.max(20) + 1;
            let rest = Rect { x: place.x + x, width: place.width.saturating_sub(x), ..place };
            let width = write(buf, rest, action.doc(), theme.style(Tone::Dim));
            let keys = keymap.chords_of(*action).first().map(|chords| spelled(chords));
            let end = Rect {
                x: rest.x + width.min(rest.width),
                width: rest.width.saturating_sub(width),
                ..rest
            };
            write_right(buf, end, &keys.unwrap_or_default(), theme.style(Tone::Key));
        }
        if found.is_empty() {
            write(buf, line(1), "no command fits", theme.style(Tone::Dim));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_letters_find_a_command() {
        let found = |text: &str| Palette { input: Input::of(text), ..Palette::default() }.chosen();
        assert_eq!(found("priv"), Some(Action::Privacy));
        assert_eq!(found("quit"), Some(Action::Quit));
        assert_eq!(found("zzzz"), None);
        assert_eq!(Palette::default().matches().len(), Action::ALL.len());
    }
}
