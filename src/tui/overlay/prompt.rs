//! A line that is typed at the bottom: a filter, a command, a day.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};
use unicode_width::UnicodeWidthStr;

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
    /// How it could go on, and how many more ways there are.
    pub choices: (Vec<String>, usize),
}

impl Prompt {
    /// With a text to begin with.
    #[must_use]
    pub fn new(kind: PromptKind, text: &str) -> Self {
        Self { kind, input: Input::of(text), back: 0, complaint: None, choices: (Vec::new(), 0) }
    }

    /// Forgets what was said of the line as it was.
    pub fn hush(&mut self) {
        self.complaint = None;
        self.choices = (Vec::new(), 0);
    }

    /// Draws the line, its end in sight, and above it how it could go on.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, theme: Theme) {
        self.draw_choices(buf, area, theme);
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

    fn draw_choices(&self, buf: &mut Buffer, area: Rect, theme: Theme) {
        const MOST: u16 = 8;
        let (names, more) = &self.choices;
        let mut lines = in_lines(names, usize::from(area.width));
        let seen = usize::from(MOST.min(area.y));
        let hidden: usize = lines.iter().skip(seen.saturating_sub(1)).map(Vec::len).sum();
        if lines.len() > seen || (*more > 0 && lines.len() == seen) {
            lines.truncate(seen.saturating_sub(1));
            lines.push(vec![format!("and {} more", hidden + more)]);
        } else if *more > 0 {
            lines.push(vec![format!("and {more} more")]);
        }
        let height = u16::try_from(lines.len()).unwrap_or(MOST).min(area.y);
        let place = Rect { y: area.y - height, height, ..area };
        Clear.render(place, buf);
        for (line, y) in lines.iter().zip(place.top()..place.bottom()) {
            let line = line.join(BETWEEN);
            write(buf, Rect { y, height: 1, ..place }, &line, theme.style(Tone::Dim));
        }
    }
}

/// What stands between two names.
const BETWEEN: &str = "  ";

/// As many names on a line as fit, at least one.
fn in_lines(names: &[String], width: usize) -> Vec<Vec<String>> {
    let mut lines: Vec<Vec<String>> = Vec::new();
    let mut used = 0;
    for name in names {
        let wide = name.width() + BETWEEN.len();
        match lines.last_mut().filter(|_| used + name.width() <= width) {
            Some(line) => line.push(name.clone()),
            None => {
                lines.push(vec![name.clone()]);
                used = 0;
            }
        }
        used += wide;
    }
    lines
}
