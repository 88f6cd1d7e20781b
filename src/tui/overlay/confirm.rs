//! Something that is done only once somebody says yes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::super::frame::framed;
use crate::keys::{Chord, Key};
use crate::tui::errand::Errand;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::{wrapped, write};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Confirm {
    /// In words, with what it changes.
    pub text: String,
    /// What is done then.
    pub errand: Errand,
}

/// What a key said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Nothing yet.
    Nothing,
    /// Do it.
    Yes,
    /// Leave it.
    No,
}

impl Confirm {
    /// A key. `Enter` alone does nothing: it may have been meant for the row.
    #[must_use]
    pub const fn press(chord: Chord) -> Said {
        match chord.key {
            Key::Char('y' | 'Y') => Said::Yes,
            Key::Esc | Key::Char('n' | 'N' | 'q') => Said::No,
            _ => Said::Nothing,
        }
    }

    /// Draws itself in the middle of the pane.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, theme: Theme) {
        let width = area.width.min(72);
        let lines = wrapped(&self.text, usize::from(width.saturating_sub(2)));
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(4);
        let height = height.min(area.height);
        let place = Rect {
            x: area.x + (area.width - width) / 2,
            y: area.y + (area.height - height) / 2,
            width,
            height,
        };
        Clear.render(place, buf);
        let inner = framed(buf, place, "Sure?", theme);
        let line = |at: u16| Rect { y: inner.y + at, height: 1, ..inner };
        for (text, at) in lines.iter().zip(0..inner.height) {
            write(buf, line(at), text, theme.style(Tone::Plain));
        }
        if inner.height > 0 {
            let keys = "y does it   Esc leaves it";
            write(buf, line(inner.height - 1), keys, theme.style(Tone::Key));
        }
    }
}
