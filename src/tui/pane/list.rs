//! What every pane with a table has: rows, the place in them, and what they are filtered by.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::keys::Action;
use crate::tui::look::Look;
use crate::tui::theme::Tone;
use crate::tui::widget::{Cursor, Grid, write};

/// A table with a cursor and a filter.
#[derive(Debug, Default)]
pub struct List {
    /// The place.
    pub cursor: Cursor,
    /// The rows.
    pub grid: Grid,
    /// What rows must have in them, in small letters.
    wanted: String,
}

impl List {
    /// Shows other rows.
    pub fn show(&mut self, grid: Grid, look: &Look) {
        self.grid = grid;
        self.settle(look);
    }

    /// Keeps the cursor among the rows and in sight.
    pub fn settle(&mut self, look: &Look) {
        self.cursor.settle(self.grid.len(), self.height(look));
    }

    /// How many rows are seen.
    #[must_use]
    pub fn height(&self, look: &Look) -> usize {
        self.grid.height(look.size.1)
    }

    /// Moves as an action says. False: it says nothing of moving.
    pub fn act(&mut self, action: Action, look: &Look) -> bool {
        self.cursor.act(action, self.grid.len(), self.height(look))
    }

    /// Goes to the row of a line of the place.
    pub fn click(&mut self, line: u16, look: &Look) {
        if let Some(row) = line.checked_sub(1) {
            self.cursor.at = self.cursor.top + usize::from(row);
            self.settle(look);
        }
    }

    /// From now on rows must have this in them.
    pub fn filter(&mut self, text: &str) {
        self.wanted = text.to_lowercase();
    }

    /// Some rows may be left out.
    #[must_use]
    pub const fn is_filtered(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Whether a row of these words, in small letters, is wanted.
    #[must_use]
    pub fn lets_through(&self, words: &str) -> bool {
        words.contains(&self.wanted)
    }

    /// The row at the cursor, for the clipboard.
    #[must_use]
    pub fn row_text(&self) -> String {
        self.grid.text_of(self.cursor.at)
    }

    /// Draws the rows, or says why there are none.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look, nothing: &str) {
        if self.grid.is_empty() {
            let (text, tone) = match (&look.snapshot, self.is_filtered()) {
                (None, _) => look.waiting(None),
                (Some(_), true) => ("nothing fits the filter; Esc takes it away", Tone::Dim),
                (Some(_), false) => (nothing, Tone::Dim),
            };
            write(buf, area, text, look.theme.style(tone));
        } else {
            let cursor = look.focused.then_some(self.cursor.at);
            self.grid.draw(buf, area, look.theme, self.cursor.top, cursor);
        }
    }
}
