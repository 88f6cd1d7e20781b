//! What is the same in every pane with a table, whatever its rows are: a pane lends its table, and
//! filtering, searching, order, marks, copying, columns and the mouse come of themselves.

use std::cmp::Reverse;

use super::list::List;
use super::{Outcome, by_figure};
use crate::model::fold;
use crate::service::ledger_sheet::LedgerSheet;
use crate::tui::look::Order;
use crate::tui::widget::{Align, Cell, Choice, Column, Grid, Row, Sought};

/// What the rows of a pane can be put in order by, and the order that is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sorting {
    /// As columns are called.
    pub by: Vec<&'static str>,
    /// None: as they come.
    pub order: Option<Order>,
}

/// Rows that are wanted as a file.
#[derive(Clone, Debug)]
pub enum Rows {
    /// They are here: titles, and the cells beneath them.
    Here(Vec<&'static str>, Vec<Vec<Cell>>),
    /// More of them may be in the store.
    Ledger(LedgerSheet),
}

/// A table, whatever its rows are.
pub trait Table {
    /// From now on only rows that have this are wanted.
    fn filter(&mut self, text: &str);

    /// Some rows may be left out.
    fn is_filtered(&self) -> bool;

    /// The cursor leaves its row, of which the parts beside go on telling; or it has come to rest.
    fn linger(&mut self, lingers: bool);

    /// Goes to the next row that has a text, or to the one before, where so many lines are seen.
    fn seek_shown(&mut self, text: &str, forward: bool, lines: u16) -> Outcome;

    /// The marked rows that are shown for the clipboard, or else the one at the cursor: whole, or
    /// their cells of one column.
    fn texts(&self, whole: bool, column: usize) -> Vec<String>;

    /// How many rows are marked, an open range counted up to the cursor; and whether one is open.
    fn count_marked(&self) -> (usize, bool);

    /// Goes to the row of one of so many lines. False: there is none.
    fn click(&mut self, line: u16, lines: u16) -> bool;

    /// What there is to put in order by, and the order that is.
    fn sorting(&self, columns: &[Column]) -> Sorting;

    /// Another order, by the title of a column; it shows once the rows are laid out again.
    fn sort(&mut self, title: &str, down: bool);

    /// The columns that somebody chose.
    fn choice(&self) -> &Choice;

    /// Other columns.
    fn choose(&mut self, choice: Choice);

    /// What is shown, as a table.
    fn grid(&self) -> &Grid;

    /// Titles and rows for a file: rows that are something of their own, not what stands between
    /// them.
    fn sheet(&self) -> Rows;
}

/// In a pane: lends its `list`, with these columns, of which `MAIN` matters most.
macro_rules! lends {
    ($columns:expr) => {
        fn table(&self) -> Option<&dyn crate::tui::pane::Table> {
            Some(&self.list)
        }

        fn table_mut(&mut self) -> Option<&mut dyn crate::tui::pane::Table> {
            Some(&mut self.list)
        }

        fn columns(&self) -> &'static [crate::tui::widget::Column] {
            &$columns
        }

        fn main_column(&self) -> usize {
            MAIN
        }
    };
}
pub(super) use lends;

/// A row with what it is, and what it is found by beside what it shows.
#[derive(Debug)]
pub struct Line<K> {
    /// What it is.
    pub key: K,
    /// What it shows.
    pub row: Row,
    /// What finds it, and is not to be seen.
    pub also: String,
}

impl<K> Line<K> {
    /// Found by what it shows.
    pub const fn of(key: K, row: Row) -> Self {
        Self { key, row, also: String::new() }
    }

    /// What a filter looks at.
    fn words(&self) -> String {
        format!("{} {}", self.row.words(), self.also)
    }
}

impl<K: Ord + Clone> List<K> {
    /// Lays out lines: those that the filter lets through, in the order that somebody chose. `total`
    /// stands beneath them where none is left out: of some of them it would not be the sum. `room` is
    /// how many lines so many rows have.
    pub fn lay_out(
        &mut self,
        columns: &[Column],
        mut lines: Vec<Line<K>>,
        total: Option<Row>,
        room: impl Fn(usize) -> u16,
    ) {
        if self.is_filtered() {
            lines.retain(|line| self.lets_through(&line.words()));
        }
        let sorting = self.sorting(columns);
        let by = sorting.order.and_then(|order| Some((*sorting.by.get(order.by)?, order)));
        let at = by.and_then(|(title, _)| columns.iter().position(|it| it.title == title));
        if let (Some(at), Some((_, order))) = (at, by) {
            let align = columns.get(at).map_or(Align::Left, |column| column.align);
            put_in_order(&mut lines, at, align, order);
        }
        let total = total.filter(|_| !self.is_filtered());
        let (mut keys, mut rows) = (Vec::new(), Vec::new());
        for line in lines {
            keys.push(Some(line.key));
            rows.push(line.row);
        }
        let mut grid = Grid::new(columns, rows, total);
        if let Some((_, order)) = by {
            grid = grid.ordered(&sorting.by, order);
        }
        let lines = room(grid.len());
        self.show(grid, keys, lines);
    }
}

/// Puts lines in order by a column: figures as figures, words as words. What says nothing comes last,
/// whichever way.
fn put_in_order<K>(lines: &mut [Line<K>], at: usize, align: Align, order: Order) {
    let figure = |line: &Line<K>| line.row.cells.get(at).and_then(|cell| cell.figure);
    let word =
        |line: &Line<K>| line.row.cells.get(at).map_or_else(String::new, |it| fold(&it.text));
    match (align, order.down) {
        (Align::Point, _) => lines.sort_by(|a, b| by_figure(figure(a), figure(b), order)),
        (Align::Left, false) => lines.sort_by_cached_key(|line| {
            let word = word(line);
            (word.is_empty(), word)
        }),
        (Align::Left, true) => lines.sort_by_cached_key(|line| {
            let word = word(line);
            (word.is_empty(), Reverse(word))
        }),
    }
}

/// The titles of columns that have one.
pub fn titles(columns: &[Column]) -> Vec<&'static str> {
    columns.iter().map(|column| column.title).filter(|title| !title.is_empty()).collect()
}

impl<K: Ord + Clone> Table for List<K> {
    fn filter(&mut self, text: &str) {
        self.sought = Sought::of(text);
    }

    fn is_filtered(&self) -> bool {
        !self.sought.is_empty()
    }

    fn linger(&mut self, lingers: bool) {
        self.left = lingers.then(|| self.told());
    }

    fn seek_shown(&mut self, text: &str, forward: bool, lines: u16) -> Outcome {
        let words: Vec<_> = (0..self.grid.len()).map(|row| self.grid.words_of(row)).collect();
        self.seek(text, forward, lines, |row| words.get(row).cloned())
    }

    fn texts(&self, whole: bool, column: usize) -> Vec<String> {
        let marked = self.marked();
        let is_marked = |key: &Option<K>| key.as_ref().is_some_and(|key| marked.contains(key));
        let rows: Vec<usize> = match marked.is_empty() {
            true => vec![self.cursor.at],
            false => {
                (0..).zip(&self.keys).filter(|(_, key)| is_marked(key)).map(|it| it.0).collect()
            }
        };
        let text = |row: usize| match whole {
            true => self.grid.text_of(row),
            false => self.grid.cell_of(row, column),
        };
        rows.into_iter().map(text).collect()
    }

    fn count_marked(&self) -> (usize, bool) {
        (self.marked().len(), self.marks.is_open())
    }

    fn click(&mut self, line: u16, lines: u16) -> bool {
        let Some(row) = line.checked_sub(1).map(usize::from) else { return false };
        if row >= self.grid.height(lines) || self.cursor.top + row >= self.grid.len() {
            return false;
        }
        self.cursor.at = self.cursor.top + row;
        self.settle(lines);
        true
    }

    fn sorting(&self, columns: &[Column]) -> Sorting {
        let by = titles(columns);
        let order = self.order.as_ref().and_then(|(title, down)| {
            let by = by.iter().position(|other| other == title)?;
            Some(Order { by, down: *down })
        });
        Sorting { by, order }
    }

    fn sort(&mut self, title: &str, down: bool) {
        self.order = Some((title.to_owned(), down));
    }

    fn choice(&self) -> &Choice {
        &self.choice
    }

    fn choose(&mut self, choice: Choice) {
        let grid = std::mem::take(&mut self.grid);
        self.grid = grid.chosen(&choice);
        self.choice = choice;
    }

    fn grid(&self) -> &Grid {
        &self.grid
    }

    fn sheet(&self) -> Rows {
        let is_row = |at: usize| self.keys.get(at).is_some_and(Option::is_some);
        let (titles, rows) = self.grid.sheet(is_row);
        Rows::Here(titles, rows)
    }
}
