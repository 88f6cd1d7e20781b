//! Plain text tables: figures stand under each other on their decimal points, and what does not fit
//! is cut or left out, the least important first. It knows widths, not what the columns mean.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::model::SafeText;

/// Every table fits into this many columns of a terminal.
const WIDTH: usize = 80;
const GAP: &str = "  ";

/// How the cells of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// From the left; may be cut to so many columns.
    Text { least: usize },
    /// On the decimal point; never cut.
    Figure,
}

/// One column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    title: SafeText,
    form: Form,
    /// 0 always stays; otherwise the highest leaves first.
    leaves: u8,
}

impl Column {
    /// Words, cut to `least` columns where there is no room.
    pub fn text(title: &str, least: usize, leaves: u8) -> Self {
        Self { title: SafeText::new(title), form: Form::Text { least }, leaves }
    }

    /// Figures.
    pub fn figure(title: &str, leaves: u8) -> Self {
        Self { title: SafeText::new(title), form: Form::Figure, leaves }
    }
}

/// Rows of cells under columns.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<SafeText>>,
}

/// The room that a column needs: before and behind the decimal point, words are all before.
#[derive(Clone, Copy, Debug)]
struct Room {
    column: usize,
    width: usize,
    behind: usize,
}

impl Table {
    /// A table without rows.
    pub const fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row; one cell for each column.
    pub fn row(&mut self, cells: Vec<SafeText>) {
        self.rows.push(cells);
    }

    /// Writes the titles and the rows.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let rooms = self.rooms(WIDTH);
        let titles: Vec<_> = self.columns.iter().map(|column| column.title.clone()).collect();
        self.line(out, &rooms, &titles, true)?;
        self.rows.iter().try_for_each(|row| self.line(out, &rooms, row, false))
    }

    /// The columns that are shown, each with its room.
    fn rooms(&self, width: usize) -> Vec<Room> {
        let mut rooms: Vec<_> = (0..self.columns.len()).map(|at| self.room(at)).collect();
        loop {
            let taken: usize = rooms.iter().map(|room| room.width + GAP.len()).sum();
            let over = taken.saturating_sub(width + GAP.len());
            if let Some(cut) = self.cut(&rooms, over) {
                return cut;
            }
            let leaves = |room: &Room| self.columns.get(room.column).map_or(0, |c| c.leaves);
            let least = rooms.iter().enumerate().max_by_key(|(_, room)| leaves(room));
            match least {
                Some((at, room)) if leaves(room) > 0 => rooms.remove(at),
                _ => return self.cut(&rooms, 0).unwrap_or(rooms),
            };
        }
    }

    /// All of what a column would like.
    fn room(&self, at: usize) -> Room {
        let Some(column) = self.columns.get(at) else {
            return Room { column: at, width: 0, behind: 0 };
        };
        let cells = self.rows.iter().filter_map(|row| row.get(at));
        let (mut before, mut behind) = (0, 0);
        for cell in cells {
            let (whole, rest) = split(cell, column.form);
            before = before.max(whole);
            behind = behind.max(rest);
        }
        let width = (before + behind).max(column.title.as_str().width());
        Room { column: at, width, behind }
    }

    /// Takes `over` columns from the words, from the widest first; none if they cannot give it.
    fn cut(&self, rooms: &[Room], mut over: usize) -> Option<Vec<Room>> {
        let mut rooms = rooms.to_vec();
        while over > 0 {
            let can_give = |room: &&mut Room| match self.columns.get(room.column) {
                Some(Column { form: Form::Text { least }, .. }) => room.width > *least,
                _ => false,
            };
            rooms.iter_mut().filter(can_give).max_by_key(|room| room.width)?.width -= 1;
            over -= 1;
        }
        Some(rooms)
    }

    fn line(
        &self,
        out: &mut impl Write,
        rooms: &[Room],
        cells: &[SafeText],
        title: bool,
    ) -> io::Result<()> {
        let mut line = String::new();
        for room in rooms {
            let (Some(column), Some(cell)) =
                (self.columns.get(room.column), cells.get(room.column))
            else {
                continue;
            };
            if !line.is_empty() || room.column != rooms.first().map_or(0, |first| first.column) {
                line.push_str(GAP);
            }
            let (_, rest) = split(cell, column.form);
            let shown = cell.shown(room.width);
            let free = room.width.saturating_sub(shown.width());
            let left = match column.form {
                Form::Text { .. } => 0,
                Form::Figure if title => free,
                Form::Figure => free.saturating_sub(room.behind.saturating_sub(rest)),
            };
            line.push_str(&" ".repeat(left));
            line.push_str(&shown);
            line.push_str(&" ".repeat(free - left));
        }
        writeln!(out, "{}", line.trim_end())
    }
}

/// How much stands before the decimal point, and how much from it on.
fn split(cell: &SafeText, form: Form) -> (usize, usize) {
    let text = cell.as_str();
    match text.find('.') {
        Some(point) if form == Form::Figure => {
            let (before, behind) = text.split_at_checked(point).unwrap_or((text, ""));
            (before.width(), behind.width())
        }
        _ => (text.width(), 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(columns: Vec<Column>, rows: &[&[&str]]) -> String {
        let mut table = Table::new(columns);
        for row in rows {
            table.row(row.iter().map(|cell| SafeText::new(cell)).collect());
        }
        let mut out = Vec::new();
        table.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn figures_stand_on_their_points() {
        let columns = vec![Column::text("name", 4, 0), Column::figure("amount", 0)];
        let text = shown(columns, &[&["a", "-5"], &["bcd", "12.5"], &["e", "1000.25"]]);
        assert_eq!(text, "name   amount\na       -5\nbcd     12.5\ne     1000.25\n");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let columns = vec![Column::text("name", 4, 0), Column::text("next", 4, 0)];
        let text = shown(columns, &[&["日本", "x"], &["abcd", "y"]]);
        assert_eq!(text, "name  next\n日本  x\nabcd  y\n");
    }

    #[test]
    fn words_are_cut_before_columns_leave() {
        let long = "w".repeat(100);
        let columns =
            vec![Column::text("a", 10, 0), Column::figure("b", 0), Column::text("c", 5, 1)];
        let text = shown(columns, &[&[&long, "1.5", "stays"]]);
        let row = text.lines().nth(1).unwrap();
        assert_eq!(row.width(), 80);
        assert!(row.ends_with("…  1.5  stays"), "{row}");
    }

    #[test]
    fn the_least_important_column_leaves_first() {
        let wide = "1".repeat(38);
        let columns = vec![Column::figure("a", 0), Column::figure("b", 2), Column::figure("c", 1)];
        let text = shown(columns, &[&[&wide, &wide, &wide]]);
        let titles: Vec<_> = text.lines().next().unwrap().split_whitespace().collect();
        assert_eq!(titles, ["a", "c"]);
        assert!(text.lines().all(|line| line.width() <= 80));
    }

    #[test]
    fn an_empty_first_cell_keeps_its_place() {
        let columns = vec![Column::text("name", 4, 0), Column::text("x", 1, 0)];
        assert_eq!(shown(columns, &[&["", "y"]]), "name  x\n      y\n");
    }
}
