//! A line that is typed at the bottom: a filter, a command, a day.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::{Input, write};

/// What a line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptKind {
    /// Shows only what matches, while it is typed.
    Filter,
    /// Says what to do.
    Command,
    /// Names a day.
    AsOf,
}

/// A line that is typed.
#[derive(Debug)]
pub struct Prompt {
    /// What it is for.
    pub kind: PromptKind,
    /// What is typed.
    pub input: Input,
    /// How far back in what was typed before.
    pub back: usize,
    /// What is wrong with it.
    pub complaint: Option<String>,
}

impl Prompt {
    /// With a text to begin with.
    #[must_use]
    pub fn new(kind: PromptKind, text: &str) -> Self {
        Self { kind, input: Input::of(text), back: 0, complaint: None }
    }

    /// Draws the line, its end in sight.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, theme: Theme) {
        let sign = match self.kind {
            PromptKind::Filter => "/",
            PromptKind::Command => ":",
            PromptKind::AsOf => "as of (YYYY-MM-DD): ",
        };
        let width = area.width;
        let used = write(buf, area, sign, theme.style(Tone::Key));
        let rest =
            |x: u16| Rect { x: area.x + x.min(width), width: width.saturating_sub(x), ..area };
        let (before, after) = self.input.parts();
        // A line that is too long is seen from its place backwards.
        let room = usize::from(width.saturating_sub(used + 2));
        let skip = before.chars().count().saturating_sub(room);
        let seen: String = before.chars().skip(skip).collect();
        let mut x = used + write(buf, rest(used), &seen, theme.style(Tone::Plain));
        let mut after = after.chars();
        let at = after.next().unwrap_or(' ').to_string();
        x += write(buf, rest(x), &at, theme.reversed());
        x += write(buf, rest(x), after.as_str(), theme.style(Tone::Plain)) + 2;
        if let Some(complaint) = &self.complaint {
            write(buf, rest(x), complaint, theme.style(Tone::Warn));
        }
    }
}
