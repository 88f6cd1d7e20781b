//! The keys that are heard here, searchable, from the one table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::super::frame::framed;
use crate::keys::{Action, Chord, Context, Key, Keymap, spelled};
use crate::tui::guide::Section;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::{Input, wrapped, write};

/// What the mouse does, beside the keys.
const MOUSE: [(&str, &str); 3] = [
    ("click", "goes to a pane, or to a row"),
    ("click on a title", "sorts by that column; once more turns the order around"),
    ("wheel", "moves up and down"),
];

/// The keys of a pane.
#[derive(Debug, Default)]
pub struct Help {
    /// What is searched for.
    pub search: Input,
    /// The first line that is seen.
    pub top: usize,
}

impl Help {
    /// A key. False: it is closed.
    pub fn press(&mut self, chord: Chord) -> bool {
        match chord.key {
            Key::Esc => return false,
            Key::Char('?' | 'q') if self.search.is_empty() => return false,
            Key::Down => self.top += 1,
            Key::Up => self.top = self.top.saturating_sub(1),
            Key::PageDown => self.top += 10,
            Key::PageUp => self.top = self.top.saturating_sub(10),
            _ => {
                self.search.press(chord);
                self.top = 0;
            }
        }
        true
    }

    /// Goes no further down than there are lines.
    pub fn settle(
        &mut self,
        (width, height): (u16, u16),
        keymap: &Keymap,
        contexts: &[Context],
        section: Option<Section>,
    ) {
        let lines = self.lines(keymap, contexts).len();
        let head = self.head(section, width, height, lines);
        let seen = usize::from(height).saturating_sub(head.len() + 1);
        self.top = self.top.min(lines.saturating_sub(seen));
    }

    /// More of what the pane is for, and a blank line, where all the keys have room beneath it.
    fn head(&self, section: Option<Section>, width: u16, height: u16, lines: usize) -> Vec<String> {
        let more = section.filter(|_| self.search.is_empty()).into_iter().flat_map(Section::lines);
        let more = more.flat_map(|text| wrapped(&text.replace('`', ""), usize::from(width)));
        let mut more: Vec<_> = more.collect();
        if more.is_empty() || lines + more.len() + 2 > usize::from(height) {
            return Vec::new();
        }
        more.push(String::new());
        more
    }

    /// The lines: keys, and what they do.
    #[must_use]
    pub fn lines(&self, keymap: &Keymap, contexts: &[Context]) -> Vec<(String, &'static str)> {
        let wanted = self.search.text().to_lowercase();
        let mut lines = Vec::new();
        let order = contexts.iter().copied().chain([Context::Everywhere]);
        for context in order {
            for action in Action::ALL.iter().filter(|action| action.context() == context) {
                let keys: Vec<String> =
                    keymap.chords_of(*action).iter().map(|chords| spelled(chords)).collect();
                let keys = keys.join("  ");
                let text = format!("{keys} {} {}", action.name(), action.doc()).to_lowercase();
                if text.contains(&wanted) {
                    lines.push((keys, action.doc()));
                }
            }
        }
        let fits = |(what, doc): &(&str, &str)| {
            format!("{what} {doc} mouse").to_lowercase().contains(&wanted)
        };
        lines.extend(MOUSE.into_iter().filter(fits).map(|(what, doc)| (what.to_owned(), doc)));
        lines
    }

    /// Draws itself over the pane.
    pub fn draw(
        &self,
        buf: &mut Buffer,
        area: Rect,
        theme: Theme,
        keymap: &Keymap,
        contexts: &[Context],
        section: Option<Section>,
    ) {
        Clear.render(area, buf);
        let what = section.and_then(|section| section.lines().next());
        let title = what.map_or_else(|| "Keys".to_owned(), |what| format!("Keys · {what}"));
        let inner = framed(buf, area, &title, theme);
        if inner.height < 2 {
            return;
        }
        let line = |at: u16| Rect { y: inner.y + at, height: 1, ..inner };
        let search = format!("search: {}", self.search.text());
        write(buf, line(0), &search, theme.style(Tone::Dim));
        let lines = self.lines(keymap, contexts);
        let mut head = 1;
        for text in self.head(section, inner.width, inner.height, lines.len()) {
            write(buf, line(head), &text, theme.style(Tone::Plain));
            head += 1;
        }
        if lines.is_empty() {
            write(buf, line(1), "no key does that", theme.style(Tone::Dim));
        }
        let seen = usize::from(inner.height - head);
        let top = self.top.min(lines.len().saturating_sub(seen));
        for ((keys, doc), at) in lines.iter().skip(top).take(seen).zip(head..) {
            write(buf, line(at), keys, theme.style(Tone::Key));
            let place = line(at);
            let rest = Rect { x: place.x + 18, width: place.width.saturating_sub(18), ..place };
            write(buf, rest, doc, theme.style(Tone::Plain));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mouse_is_found_beside_the_keys() {
        let found = |text: &str| {
            let help = Help { search: Input::of(text), top: 0 };
            help.lines(&Keymap::standard(), &[Context::List])
        };
        let titles: Vec<_> = found("MOUSE").into_iter().map(|(what, _)| what).collect();
        assert_eq!(titles, ["click", "click on a title", "wheel"]);
        assert!(found("no such thing").is_empty());
    }
}
