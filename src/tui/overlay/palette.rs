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

/// Something to be chosen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// A command.
    Action(Action),
    /// A filter that has a name, and that filter.
    View(String, String),
}

impl Entry {
    /// What is typed for it, and what it does.
    fn words(&self) -> (String, &str) {
        match self {
            Self::Action(action) => (action.name().to_owned(), action.doc()),
            Self::View(name, filter) => (format!("view {name}"), filter),
        }
    }
}

/// A list that shrinks while one types.
#[derive(Debug, Default)]
pub struct Palette {
    /// Filters that have a name.
    pub views: Vec<(String, String)>,
    /// What is typed.
    pub input: Input,
    /// Which one is chosen.
    pub cursor: Cursor,
}

impl Palette {
    /// What fits, the best first.
    #[must_use]
    pub fn matches(&self) -> Vec<Entry> {
        let pattern =
            Pattern::parse(&self.input.text(), CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut letters = Vec::new();
        let actions = Action::ALL.iter().map(|action| Entry::Action(*action));
        let views = self.views.iter().cloned().map(|(name, filter)| Entry::View(name, filter));
        let mut found: Vec<(u32, Entry)> = actions
            .chain(views)
            .filter_map(|entry| {
                let (name, doc) = entry.words();
                let text = format!("{name} {doc}");
                let score = pattern.score(Utf32Str::new(&text, &mut letters), &mut matcher)?;
                Some((score, entry))
            })
            .collect();
        found.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.cmp(other)));
        found.into_iter().map(|(_, entry)| entry).collect()
    }

    /// The chosen one.
    #[must_use]
    pub fn chosen(&self) -> Option<Entry> {
        self.matches().into_iter().nth(self.cursor.at)
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
        for ((index, entry), at) in found.iter().enumerate().skip(cursor.top).take(seen).zip(1..) {
            if index == cursor.at {
                buf.set_style(line(at), theme.cursor());
            }
            let (name, doc) = entry.words();
            let used = write(buf, line(at), &name, theme.style(Tone::Key));
            let place = line(at);
            let x = used.max(20) + 1;
            let rest = Rect { x: place.x + x, width: place.width.saturating_sub(x), ..place };
            let width = write(buf, rest, doc, theme.style(Tone::Dim));
            let keys = match entry {
                Entry::Action(action) => keymap.chords_of(*action).first(),
                Entry::View(..) => None,
            };
            let keys = keys.map(|chords| spelled(chords));
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
        let views = vec![("big coffee".to_owned(), "coffee amt:>9".to_owned())];
        let found = |text: &str| {
            let palette =
                Palette { views: views.clone(), input: Input::of(text), ..Palette::default() };
            palette.chosen()
        };
        assert_eq!(found("priv"), Some(Entry::Action(Action::Privacy)));
        assert_eq!(found("quit"), Some(Entry::Action(Action::Quit)));
        assert!(matches!(found("bigcof"), Some(Entry::View(..))));
        assert_eq!(found("zzzz"), None);
        assert_eq!(Palette::default().matches().len(), Action::ALL.len());
    }
}
