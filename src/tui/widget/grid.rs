//! A table whose columns are data. Only the rows that are seen are laid out.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::plain::{write, write_right};
use crate::tui::theme::{Theme, Tone};

/// Columns between two columns.
const GAP: u16 = 2;

/// Where text stands in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// At the left edge.
    Left,
    /// At the right edge: figures with as many decimals as their neighbours.
    Right,
    /// Decimal points beneath each other.
    Point,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// What stands above it.
    pub title: &'static str,
    /// Where its text stands.
    pub align: Align,
    /// What goes first where there is no room: the highest. 0 never goes.
    pub priority: u8,
    /// At least so wide, at most so wide where it is text that can be cut.
    pub width: (u16, u16),
}

/// A piece of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// What stands there: safe to be shown.
    pub text: String,
    /// What it means.
    pub tone: Tone,
}

impl Cell {
    /// With a meaning.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }

    /// Text.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// A row of cells, one for each column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The cells.
    pub cells: Vec<Cell>,
    /// One text over the whole width instead.
    pub whole: Option<Cell>,
    /// Somebody marked it.
    pub marked: bool,
}

impl Row {
    /// Of cells.
    #[must_use]
    pub const fn of(cells: Vec<Cell>) -> Self {
        Self { cells, whole: None, marked: false }
    }

    /// One text over the whole width.
    #[must_use]
    pub const fn whole(cell: Cell) -> Self {
        Self { cells: Vec::new(), whole: Some(cell), marked: false }
    }

    /// As text, for the clipboard.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.whole {
            Some(cell) => cell.text.trim().to_owned(),
            None => {
                let cells: Vec<&str> = self.cells.iter().map(|cell| cell.text.trim()).collect();
                cells.join("\t")
            }
        }
    }
}

/// A table: columns, every row, and one that stays in view beneath them.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    columns: Vec<Column>,
    rows: Vec<Row>,
    total: Option<Row>,
    widths: Vec<u16>,
}

impl Grid {
    /// Lays out rows. It measures all of them, so that scrolling moves no column.
    #[must_use]
    pub fn new(columns: &[Column], mut rows: Vec<Row>, mut total: Option<Row>) -> Self {
        for (at, column) in columns.iter().enumerate() {
            if column.align == Align::Point {
                align_points(
                    rows.iter_mut().chain(&mut total).filter_map(|row| row.cells.get_mut(at)),
                );
            }
        }
        let width = |at: usize, column: &Column| {
            let cells = rows.iter().chain(&total).filter_map(|row| row.cells.get(at));
            let widest = cells.map(|cell| cell.text.width()).max().unwrap_or(0);
            let widest = u16::try_from(widest.max(column.title.width())).unwrap_or(u16::MAX);
            widest.clamp(column.width.0, column.width.1.max(column.width.0))
        };
        let widths = columns.iter().enumerate().map(|(at, column)| width(at, column)).collect();
        Self { columns: columns.to_vec(), rows, total, widths }
    }

    /// With columns that are no narrower than they were: what is read piece by piece does not
    /// make them go back and forth.
    #[must_use]
    pub fn no_narrower(mut self, before: &Self) -> Self {
        for (width, before) in self.widths.iter_mut().zip(&before.widths) {
            *width = (*width).max(*before);
        }
        self
    }

    /// Marks the rows of which this is true, and no others.
    pub fn mark(&mut self, marked: impl Fn(usize) -> bool) {
        for (at, row) in self.rows.iter_mut().enumerate() {
            row.marked = marked(at);
        }
    }

    /// How many rows there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// There is no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows are seen in so many lines.
    #[must_use]
    pub fn height(&self, lines: u16) -> usize {
        usize::from(lines).saturating_sub(1 + usize::from(self.total.is_some()))
    }

    /// A row as text, for the clipboard.
    #[must_use]
    pub fn text_of(&self, row: usize) -> String {
        self.rows.get(row).map(Row::text).unwrap_or_default()
    }

    /// A cell as text, for the clipboard; empty where there is none.
    #[must_use]
    pub fn cell_of(&self, row: usize, column: usize) -> String {
        let cell = self.rows.get(row).and_then(|row| row.cells.get(column));
        cell.map(|cell| cell.text.trim().to_owned()).unwrap_or_default()
    }

    /// Draws the heading, the rows from `top` on and the total. `cursor` is a row.
    pub fn draw(
        &self,
        buf: &mut Buffer,
        area: Rect,
        theme: Theme,
        top: usize,
        cursor: Option<usize>,
    ) {
        let places = self.places(area.width);
        let line = |at: u16| Rect { y: area.y.saturating_add(at), height: 1, ..area };
        if area.height == 0 {
            return;
        }
        for (index, x, width) in &places {
            let Some(column) = self.columns.get(*index) else { continue };
            let place = Rect { x: area.x + x, width: *width, ..line(0) };
            let style = theme.style(Tone::Dim);
            match column.align {
                Align::Left => drop(write(buf, place, column.title, style)),
                Align::Right | Align::Point => write_right(buf, place, column.title, style),
            }
        }
        let seen = self.height(area.height);
        for ((index, row), at) in self.rows.iter().enumerate().skip(top).take(seen).zip(1..) {
            if cursor == Some(index) {
                buf.set_style(line(at), theme.cursor());
            }
            self.draw_row(buf, line(at), theme, &places, row);
        }
        if let Some(total) = self.total.as_ref().filter(|_| area.height > 1) {
            self.draw_row(buf, line(area.height - 1), theme, &places, total);
        }
    }

    fn draw_row(
        &self,
        buf: &mut Buffer,
        line: Rect,
        theme: Theme,
        places: &[(usize, u16, u16)],
        row: &Row,
    ) {
        if let Some(cell) = &row.whole {
            write(buf, line, &cell.text, theme.style(cell.tone));
            return;
        }
        for (index, x, width) in places {
            let (Some(column), Some(cell)) = (self.columns.get(*index), row.cells.get(*index))
            else {
                continue;
            };
            let place = Rect { x: line.x + x, width: *width, ..line };
            let style = theme.style(cell.tone);
            match column.align {
                Align::Left => drop(write(buf, place, &cell.text, style)),
                // A figure that is cut would be another figure.
                _ if cell.text.width() > usize::from(*width) => {
                    write_right(buf, place, &"#".repeat(usize::from(*width)), style);
                }
                Align::Right | Align::Point => write_right(buf, place, &cell.text, style),
            }
        }
        // In the gap, so that a mark moves nothing.
        if let Some((_, x, width)) = places.first().filter(|_| row.marked) {
            let x = (x + width).min(line.width.saturating_sub(1));
            let place = Rect { x: line.x + x, width: 1.min(line.width), ..line };
            write(buf, place, "●", theme.style(Tone::Key));
        }
    }

    /// Index, place and width of the columns that fit.
    fn places(&self, room: u16) -> Vec<(usize, u16, u16)> {
        let mut kept: Vec<usize> = (0..self.columns.len()).collect();
        let priority = |at: &usize| self.columns.get(*at).map_or(0, |column| column.priority);
        let width = |at: &usize| self.widths.get(*at).copied().unwrap_or(0);
        let needed = |kept: &[usize]| kept.iter().map(|at| u32::from(width(at) + GAP)).sum::<u32>();
        while needed(&kept) > u32::from(room) + u32::from(GAP) {
            let last = kept.iter().enumerate().max_by_key(|(place, at)| (priority(at), *place));
            match last.filter(|(_, at)| priority(at) > 0).map(|(place, _)| place) {
                Some(place) => drop(kept.remove(place)),
                None => break,
            }
        }
        // The longest text takes what is left over, or gives what is missing.
        let left = i64::from(room) + i64::from(GAP) - i64::from(needed(&kept));
        let mut x = 0u16;
        let mut places = Vec::with_capacity(kept.len());
        let grows = kept
            .iter()
            .filter_map(|at| Some((*at, self.columns.get(*at)?)))
            .filter(|(_, column)| column.align == Align::Left)
            .max_by_key(|(at, column)| (column.width.1, usize::MAX - at))
            .map(|(at, _)| at);
        for at in kept {
            let Some(column) = self.columns.get(at) else { continue };
            let mut wide = width(&at);
            if grows == Some(at) {
                let new = (i64::from(wide) + left).max(i64::from(column.width.0));
                wide = u16::try_from(new).unwrap_or(wide);
            }
            if x >= room {
                break;
            }
            let shown = wide.min(room - x);
            places.push((at, x, shown));
            x = x.saturating_add(wide + GAP);
        }
        places
    }
}

/// Fills up with blanks on the right, so that points stand beneath each other.
fn align_points<'a>(cells: impl Iterator<Item = &'a mut Cell>) {
    let behind = |text: &str| text.find('.').map_or(0, |at| text.len() - at);
    let cells: Vec<&mut Cell> =
        cells.filter(|cell| cell.text.chars().any(|c| c.is_ascii_digit())).collect();
    let most = cells.iter().map(|cell| behind(&cell.text)).max().unwrap_or(0);
    for cell in cells {
        let missing = most - behind(&cell.text);
        cell.text.extend(std::iter::repeat_n(' ', missing));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::ThemeName;

    const COLUMNS: [Column; 3] = [
        Column { title: "Symbol", align: Align::Left, priority: 0, width: (4, 10) },
        Column { title: "Quantity", align: Align::Point, priority: 2, width: (8, 20) },
        Column { title: "Value", align: Align::Right, priority: 0, width: (5, 20) },
    ];

    fn grid() -> Grid {
        let row = |cells: [&str; 3]| Row::of(cells.map(Cell::plain).to_vec());
        let rows = vec![
            row(["ABCDEFGHIJKL", "1.5", "100.00"]),
            row(["B", "12", "n/a"]),
            row(["C", "0.125", "7.00"]),
        ];
        Grid::new(&COLUMNS, rows, Some(row(["Total", "", "107.00"])))
    }

    fn drawn(width: u16, height: u16, top: usize) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        let theme = Theme { name: ThemeName::Dark, colours: None };
        grid().draw(&mut buf, area, theme, top, Some(0));
        let line = |y| (0..width).map(|x| buf[(x, y)].symbol()).collect::<String>();
        (0..height).map(line).collect()
    }

    #[test]
    fn points_stand_beneath_each_other_and_the_total_stays() {
        assert_eq!(
            drawn(30, 4, 1),
            [
                "Symbol        Quantity   Value",
                "B               12         n/a",
                "C                0.125    7.00",
                "Total                   107.00",
            ]
        );
    }

    #[test]
    fn columns_go_by_priority_and_a_figure_is_never_cut() {
        assert_eq!(
            drawn(20, 3, 0),
            ["Symbol         Value", "ABCDEFGHIJKL  100.00", "Total         107.00"]
        );
        assert_eq!(drawn(14, 3, 0)[1], "ABCDE…  100.00");
        // Where even that is too wide, there is no figure rather than a wrong one.
        assert_eq!(drawn(9, 3, 0)[1], "ABC…  ###");
    }

    #[test]
    fn any_size_is_drawn() {
        for width in 0..40 {
            for height in 0..8 {
                drawn(width, height, 2);
            }
        }
    }
}
