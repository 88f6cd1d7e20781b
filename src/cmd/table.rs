//! Plain text tables: figures stand under each other on their decimal points, and what does not fit
//! is cut or left out, the least important first. It knows widths and arrows, not what the columns
//! mean.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::model::SafeText;
use crate::text::{DOWN, UP};

/// Every table fits into this many columns of a terminal.
pub const WIDTH: usize = 80;
const GAP: &str = "  ";

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

/// How the cells of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// From the left; may be cut to so many columns.
    Text { least: usize },
    /// On the decimal point; never cut.
    Figure,
    /// A figure whose arrow has a colour.
    Gain,
}

/// One column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    title: SafeText,
    form: Form,
    /// 0 always stays; otherwise the highest leave first, all of one number together.
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

    /// Figures that say gain or loss.
    pub fn gain(title: &str, leaves: u8) -> Self {
        Self { title: SafeText::new(title), form: Form::Gain, leaves }
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
    pub fn write(&self, out: &mut impl Write, in_colour: bool) -> io::Result<()> {
        let rooms = self.rooms(WIDTH);
        let titles: Vec<_> = self.columns.iter().map(|column| column.title.clone()).collect();
        writeln!(out, "{}", self.line(&rooms, &titles, true, false))?;
        self.rows
            .iter()
            .try_for_each(|row| writeln!(out, "{}", self.line(&rooms, row, false, in_colour)))
    }

    /// The columns that are shown, each with its room.
    fn rooms(&self, width: usize) -> Vec<Room> {
        let mut rooms: Vec<_> = (0..self.columns.len()).map(|at| self.room(at)).collect();
        // Marks that no row has need no room.
        rooms.retain(|room| room.width > 0);
        loop {
            let taken: usize = rooms.iter().map(|room| room.width + GAP.len()).sum();
            let over = taken.saturating_sub(width + GAP.len());
            if let Some(cut) = self.cut(&rooms, over) {
                return cut;
            }
            let leaves = |room: &Room| self.columns.get(room.column).map_or(0, |c| c.leaves);
            match rooms.iter().map(leaves).max() {
                Some(least) if least > 0 => rooms.retain(|room| leaves(room) < least),
                _ => return rooms,
            }
        }
    }

    /// All of what a column would like.
    fn room(&self, at: usize) -> Room {
        let Some(column) = self.columns.get(at) else {
            return Room { column: at, width: 0, behind: 0 };
        };
        let cells = self.rows.iter().filter_map(|row| row.get(at));
        let (mut before, mut behind, mut words) = (0, 0, column.title.as_str().width());
        for cell in cells {
            match split(cell, column.form) {
                Some((whole, rest)) => {
                    before = before.max(whole);
                    behind = behind.max(rest);
                }
                None => words = words.max(cell.as_str().width()),
            }
        }
        Room { column: at, width: words.max(before + behind), behind }
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

    fn line(&self, rooms: &[Room], cells: &[SafeText], title: bool, in_colour: bool) -> String {
        let mut line = String::new();
        for (place, room) in rooms.iter().enumerate() {
            let (Some(column), Some(cell)) =
                (self.columns.get(room.column), cells.get(room.column))
            else {
                continue;
            };
            if place > 0 {
                line.push_str(GAP);
            }
            let rest = split(cell, column.form).map_or(room.behind, |(_, rest)| rest);
            let shown = cell.shown(room.width);
            let free = room.width.saturating_sub(shown.width());
            let left = match column.form {
                Form::Text { .. } => 0,
                _ if title => free,
                Form::Figure | Form::Gain => free.saturating_sub(room.behind.saturating_sub(rest)),
            };
            line.push_str(&" ".repeat(left));
            match colour(&shown).filter(|_| in_colour && column.form == Form::Gain) {
                Some(colour) => line.extend([colour, &shown, PLAIN]),
                None => line.push_str(&shown),
            }
            line.push_str(&" ".repeat(free.saturating_sub(left)));
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Colour only repeats what the arrow says.
fn colour(text: &str) -> Option<&'static str> {
    if text.starts_with(UP) {
        Some(GREEN)
    } else if text.starts_with(DOWN) {
        Some(RED)
    } else {
        None
    }
}

/// How much of a figure stands before the decimal point, and how much from it on; nothing for
/// words, which have no point to stand on.
fn split(cell: &SafeText, form: Form) -> Option<(usize, usize)> {
    let text = cell.as_str();
    if matches!(form, Form::Text { .. }) || !text.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let point = text.find('.').unwrap_or(text.len());
    let (before, behind) = text.split_at_checked(point).unwrap_or((text, ""));
    Some((before.width(), behind.width()))
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
        table.write(&mut out, false).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn figures_stand_on_their_points() {
        let columns = vec![Column::text("name", 4, 0), Column::figure("amount", 0)];
        let text = shown(columns, &[&["a", "-5"], &["bcd", "12.5"], &["e", "1000.25"]]);
        assert_eq!(text, "name   amount\na       -5\nbcd     12.5\ne     1000.25\n");
        let columns = vec![Column::text("name", 4, 0), Column::figure("amount", 0)];
        let text = shown(columns, &[&["a", "n/a"], &["bcd", "12.5"]]);
        assert_eq!(text, "name  amount\na        n/a\nbcd     12.5\n");
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
    #[test]
    fn columns_of_one_number_leave_together() {
        // 70 + 2 + 6 fit, the three letters behind them do not.
        let columns = vec![Column::figure("a", 0), Column::figure("b", 1), Column::text("c", 3, 1)];
        let text = shown(columns, &[&["1".repeat(70).as_str(), "123456", "USD"]]);
        assert_eq!(text, format!("{:>70}\n{}\n", "a", "1".repeat(70)));
    }

    #[test]
    fn a_mark_that_no_row_has_takes_no_room() {
        let columns =
            || vec![Column::figure("a", 0), Column::text("", 2, 0), Column::figure("b", 0)];
        assert_eq!(shown(columns(), &[&["1", "", "2"]]), "a  b\n1  2\n");
        assert_eq!(shown(columns(), &[&["1", "3d", "2"]]), "a      b\n1  3d  2\n");
    }

    #[test]
    fn only_the_arrow_of_a_gain_has_a_colour() {
        let mut table = Table::new(vec![Column::text("name", 4, 0), Column::gain("gain", 0)]);
        for (name, gain) in [("▲ up", "▲ +1.50"), ("down", "▼ -20.00"), ("same", "0.00")] {
            table.row(vec![SafeText::new(name), SafeText::new(gain)]);
        }
        let written = |in_colour| {
            let mut out = Vec::new();
            table.write(&mut out, in_colour).unwrap();
            String::from_utf8(out).unwrap()
        };
        let plain = "name      gain\n▲ up   ▲ +1.50\ndown  ▼ -20.00\nsame      0.00\n";
        assert_eq!(written(false), plain);
        let coloured = plain
            .replace("▲ +1.50", "\x1b[32m▲ +1.50\x1b[0m")
            .replace("▼ -20.00", "\x1b[31m▼ -20.00\x1b[0m");
        assert_eq!(written(true), coloured);
    }
}
