//! Text that is read: the guide, and what was said before. What is typed leaves only the lines that
//! have it, with the headings they stand under.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::super::frame::framed;
use crate::keys::{Chord, Key};
use crate::tui::guide;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::{Input, Sought, wrapped, write};

/// A text.
#[derive(Debug)]
pub struct Page {
    title: &'static str,
    /// Lines, and whether each is a heading.
    lines: Vec<(String, bool)>,
    /// The heading that it opens at.
    opens_at: Option<&'static str>,
    /// What is searched for.
    pub search: Input,
    /// How far from there.
    top: isize,
}

impl Page {
    /// The guide, opened at a section.
    #[must_use]
    pub fn guide(at: &'static str) -> Self {
        let mut lines = Vec::new();
        for section in guide::sections() {
            lines.push((section.title.to_owned(), true));
            lines.extend(section.lines().map(|line| (line.replace('`', ""), false)));
        }
        Self { title: "Guide", lines, opens_at: Some(at), search: Input::default(), top: 0 }
    }

    /// What was said, the newest first.
    #[must_use]
    pub fn messages(said: impl Iterator<Item = String>) -> Self {
        let mut lines: Vec<_> = said.map(|line| (line, false)).collect();
        if lines.is_empty() {
            lines.push(("nothing was said yet".to_owned(), false));
        }
        Self { title: "Messages", lines, opens_at: None, search: Input::default(), top: 0 }
    }

    /// A key, where there is so much room inside the frame. False: it is closed.
    pub fn press(&mut self, chord: Chord, room: (u16, u16)) -> bool {
        let by: isize = match chord.key {
            Key::Esc => return false,
            Key::Char('q') if self.search.is_empty() => return false,
            Key::Down => 1,
            Key::Up => -1,
            Key::PageDown => 10,
            Key::PageUp => -10,
            _ => {
                self.search.press(chord);
                self.top = 0;
                self.opens_at = None;
                return true;
            }
        };
        // From where it is: no key presses its way back from beyond an end.
        let shown = self.shown(usize::from(room.0));
        let top =
            self.first_seen(&shown, room.1).saturating_add_signed(by).min(last_top(&shown, room.1));
        self.top = top.cast_signed() - self.start(&shown).cast_signed();
        true
    }

    /// The line that it opens at.
    fn start(&self, shown: &[(String, Tone)]) -> usize {
        let is_start = |(text, tone): &(String, Tone)| {
            *tone == Tone::Title && Some(text.as_str()) == self.opens_at
        };
        shown.iter().position(is_start).unwrap_or(0)
    }

    /// The first line that is seen in a place of this height.
    fn first_seen(&self, shown: &[(String, Tone)], height: u16) -> usize {
        self.start(shown).saturating_add_signed(self.top).min(last_top(shown, height))
    }

    /// The lines that are wanted, as long as there is room for, each with its tone.
    fn shown(&self, width: usize) -> Vec<(String, Tone)> {
        let sought = Sought::of(&self.search.text());
        let (mut shown, mut heading, mut is_told) = (Vec::new(), "", true);
        for (line, is_heading) in &self.lines {
            if *is_heading {
                (heading, is_told) = (line, false);
                continue;
            }
            if !sought.fits(&format!("{heading} {line}")) {
                continue;
            }
            if !std::mem::replace(&mut is_told, true) {
                if !shown.is_empty() {
                    shown.push((String::new(), Tone::Plain));
                }
                shown.push((heading.to_owned(), Tone::Title));
            }
            shown.extend(wrapped(line, width).into_iter().map(|line| (line, Tone::Plain)));
        }
        shown
    }

    /// Draws itself over the pane.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, theme: Theme) {
        Clear.render(area, buf);
        let inner = framed(buf, area, self.title, theme);
        if inner.height < 2 {
            return;
        }
        let line = |at: u16| Rect { y: inner.y + at, height: 1, ..inner };
        let search = format!("search: {}", self.search.text());
        write(buf, line(0), &search, theme.style(Tone::Dim));
        let shown = self.shown(usize::from(inner.width));
        if shown.is_empty() {
            write(buf, line(1), "nothing says that", theme.style(Tone::Dim));
        }
        let seen = usize::from(inner.height - 1);
        let top = self.first_seen(&shown, inner.height);
        for ((text, tone), at) in shown.iter().skip(top).take(seen).zip(1..) {
            write(buf, line(at), text, theme.style(*tone));
        }
    }
}

/// The first line of the last ones that a place of this height shows beneath its search.
fn last_top(shown: &[(String, Tone)], height: u16) -> usize {
    shown.len().saturating_sub(usize::from(height.saturating_sub(1)))
}
