//! What every pane with a table has: rows, the place in them, what they are filtered by, and which
//! of them are marked.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::table::Table;
use super::{Outcome, found};
use crate::keys::Action;
use crate::tui::look::Look;
use crate::tui::theme::Tone;
use crate::tui::widget::{Choice, Cursor, Grid, Marking, Marks, Sought, write};

/// A table with a cursor, a filter and marks. `K` is what a row is, wherever it stands.
#[derive(Debug)]
pub struct List<K> {
    /// The place.
    pub cursor: Cursor,
    /// The rows.
    pub grid: Grid,
    /// What is marked.
    pub marks: Marks<K>,
    /// Beside each row what it is, if it can be marked.
    pub(super) keys: Vec<Option<K>>,
    /// While the cursor is on its way: the row it left.
    pub(super) left: Option<usize>,
    pub(super) sought: Sought,
    /// The title of the column that rows are in order by, and whether the highest comes first; none:
    /// as they come.
    pub(super) order: Option<(String, bool)>,
    pub(super) choice: Choice,
}

impl<K> Default for List<K> {
    fn default() -> Self {
        Self {
            cursor: Cursor::default(),
            grid: Grid::default(),
            marks: Marks::default(),
            keys: Vec::new(),
            left: None,
            sought: Sought::default(),
            order: None,
            choice: Choice::default(),
        }
    }
}

impl<K: Ord + Clone> List<K> {
    /// Shows other rows in so many lines. The cursor stays with its row, wherever that went.
    pub fn show(&mut self, grid: Grid, keys: Vec<Option<K>>, lines: u16) {
        let on = self.keys.get(self.cursor.at).cloned().flatten();
        self.lay(grid, keys);
        if on.is_some() && self.keys.get(self.cursor.at) != Some(&on) {
            let at = self.keys.iter().position(|key| *key == on);
            self.cursor.at = at.unwrap_or(self.cursor.at);
        }
        self.settle(lines);
    }

    /// Shows other rows, whatever the cursor is on.
    pub fn lay(&mut self, grid: Grid, keys: Vec<Option<K>>) {
        let left = self.left.and_then(|at| self.keys.get(at).cloned().flatten());
        (self.grid, self.keys) = (grid.chosen(&self.choice), keys);
        self.left =
            left.and_then(|left| self.keys.iter().position(|key| key.as_ref() == Some(&left)));
        self.show_marks();
    }

    /// The row that the parts beside the table tell of.
    #[must_use]
    pub fn told(&self) -> usize {
        self.left.unwrap_or(self.cursor.at)
    }

    /// What the row is that the parts beside the table tell of.
    #[must_use]
    pub fn key(&self) -> Option<&K> {
        self.keys.get(self.told())?.as_ref()
    }

    /// Keeps the cursor among the rows and in sight.
    pub fn settle(&mut self, lines: u16) {
        self.cursor.settle(self.grid.len(), self.grid.height(lines));
        self.show_marks();
    }

    /// Beside the marked rows, and those of an open range, which ends at the cursor.
    pub fn show_marks(&mut self) {
        let marked = self.marks.among(&self.keys, self.cursor.at);
        let key = |at: usize| self.keys.get(at).and_then(Option::as_ref);
        self.grid.mark(|at| key(at).is_some_and(|key| marked.contains(key)));
    }

    /// Moves or marks as an action says. False: it says nothing of that.
    pub fn act(&mut self, action: Action, lines: u16) -> bool {
        match self.mark(action, lines) {
            Marking::Unknown => return false,
            // The range began where nothing is shown any more.
            Marking::Between(_, here) => self.marks.add([here]),
            Marking::Done | Marking::Next => {}
        }
        self.show_marks();
        true
    }

    /// The same, where what is not shown may be marked too.
    pub fn mark(&mut self, action: Action, lines: u16) -> Marking<K> {
        let height = self.grid.height(lines);
        if self.cursor.act(action, self.grid.len(), height) {
            return Marking::Done;
        }
        let marking = self.marks.act(action, &self.keys, self.cursor.at);
        if marking == Marking::Next {
            self.cursor.act(Action::MoveDown, self.grid.len(), height);
        }
        marking
    }

    /// Everything that is marked, an open range counted up to the cursor.
    #[must_use]
    pub fn marked(&self) -> BTreeSet<K> {
        self.marks.all(&self.keys, self.cursor.at)
    }

    /// An open range takes in more than the rows shown here.
    #[must_use]
    pub fn reaches_beyond(&self) -> bool {
        self.marks.reaches_beyond(&self.keys)
    }

    /// Whether a row of these words is wanted.
    #[must_use]
    pub fn lets_through(&self, words: &str) -> bool {
        self.sought.is_empty() || self.sought.fits(words)
    }

    /// Goes to the next row that has a text, or to the one before; `words_of` are those of a row.
    pub fn seek(
        &mut self,
        text: &str,
        forward: bool,
        lines: u16,
        words_of: impl Fn(usize) -> Option<String>,
    ) -> Outcome {
        let sought = Sought::of(text);
        let fits = |row: usize| words_of(row).is_some_and(|words| sought.fits(&words));
        let around = self.cursor.seek(forward, self.grid.len(), self.grid.height(lines), fits);
        self.show_marks();
        found(around, forward, text)
    }

    /// The row at the cursor for the clipboard: whole, or its cell of one column.
    #[must_use]
    pub fn text(&self, whole: bool, column: usize) -> String {
        match whole {
            true => self.grid.text_of(self.cursor.at),
            false => self.grid.cell_of(self.cursor.at, column),
        }
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
