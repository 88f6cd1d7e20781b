//! A table whose columns are data. Only the rows that are seen are laid out.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::choice::Choice;
use super::plain::{write, write_right};
use crate::model::Dec;
use crate::tui::look::Order;
use crate::tui::theme::{Theme, Tone};

/// Columns between two columns.
const GAP: u16 = 2;

/// Where text stands in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// At the left edge.
    Left,
    /// Figures: decimal points beneath each other.
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
    /// At least so wide; text, which can be cut, at most so wide.
    pub width: (u16, u16),
}

/// A piece of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// What stands there: safe to be shown.
    pub text: String,
    /// What it means.
    pub tone: Tone,
    /// The figure that is told, to put rows in order by; none: nobody knows it, or it is a word.
    pub figure: Option<Dec>,
}

impl Cell {
    /// With a meaning.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone, figure: None }
    }

    /// That tells this figure.
    #[must_use]
    pub fn of(self, figure: Option<Dec>) -> Self {
        Self { figure, ..self }
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

    /// What is searched for a word.
    #[must_use]
    pub fn words(&self) -> String {
        self.text().replace('\t', " ")
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
    /// What the rows are in order by: the title of its column, and which way.
    ordered: Option<(&'static str, Order)>,
    /// The places of the columns that are wanted, in the order in which they are.
    wanted: Vec<usize>,
    widths: Vec<u16>,
    /// As wide as columns would have to be for all of their text.
    longest: Vec<u16>,
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
            // Text can be cut; a figure is as long as it is.
            let most = if column.align == Align::Left { column.width.1 } else { u16::MAX };
            (widest.clamp(column.width.0, most.max(column.width.0)), widest)
        };
        let measured = columns.iter().enumerate().map(|(at, column)| width(at, column));
        let (widths, longest) = measured.unzip();
        let wanted = (0..columns.len()).collect();
        Self { columns: columns.to_vec(), rows, total, ordered: None, wanted, widths, longest }
    }

    /// With the columns that somebody chose, in their order.
    #[must_use]
    pub fn chosen(mut self, choice: &Choice) -> Self {
        self.wanted = choice.among(&self.columns);
        self
    }

    /// With an arrow beside the title of the column that the rows are in order by.
    #[must_use]
    pub fn ordered(mut self, by: &[&'static str], order: Order) -> Self {
        self.ordered = by.get(order.by).map(|title| (*title, order));
        self
    }

    /// Whether there is room for a column, where there is so much.
    #[must_use]
    pub fn shows(&self, column: usize, room: u16) -> bool {
        self.places(room).iter().any(|(at, ..)| *at == column)
    }

    /// The column whose heading is at a place, counted from the left edge of so much room.
    #[must_use]
    pub fn heading_at(&self, x: u16, room: u16) -> Option<Column> {
        // The gap behind a column is its own: its arrow stands there.
        let is_at =
            |(_, start, width): &(usize, u16, u16)| (*start..start + width + GAP).contains(&x);
        let (at, ..) = self.places(room).into_iter().find(is_at)?;
        self.columns.get(at).copied()
    }

    /// Where a column stands in so much room; none: nowhere.
    #[must_use]
    pub fn place_of(&self, column: usize, room: u16) -> Option<std::ops::Range<u16>> {
        let (_, x, width) = self.places(room).into_iter().find(|(at, ..)| *at == column)?;
        Some(x..x + width)
    }

    /// With columns that are no narrower than they were: what is read piece by piece does not
    /// make them go back and forth.
    #[must_use]
    pub fn no_narrower(mut self, before: &Self) -> Self {
        let widths = self.widths.iter_mut().zip(&before.widths);
        for (width, before) in widths.chain(self.longest.iter_mut().zip(&before.longest)) {
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

    /// What a row is searched by.
    #[must_use]
    pub fn words_of(&self, row: usize) -> String {
        self.rows.get(row).map(Row::words).unwrap_or_default()
    }

    /// The titles of the columns that are wanted, and their cells in the rows of which this is true.
    /// What stands between rows, and their sum, is left out.
    #[must_use]
    pub fn sheet(&self, is_row: impl Fn(usize) -> bool) -> (Vec<&'static str>, Vec<Vec<Cell>>) {
        let title = |at: &usize| self.columns.get(*at).map_or("", |column| column.title);
        let cells = |row: &Row| -> Vec<Cell> {
            let cell = |at: &usize| row.cells.get(*at).cloned().unwrap_or_default();
            self.wanted.iter().map(cell).collect()
        };
        let rows = self.rows.iter().enumerate().filter(|(at, _)| is_row(*at));
        let rows = rows.map(|(_, row)| row).filter(|row| row.whole.is_none());
        (self.wanted.iter().map(title).collect(), rows.map(cells).collect())
    }

    /// A cell as text, for the clipboard; empty where there is none.
    #[must_use]
    pub fn cell_of(&self, row: usize, column: usize) -> String {
        let cell = self.rows.get(row).and_then(|row| row.cells.get(column));
        cell.map(|cell| cell.text.trim().to_owned()).unwrap_or_default()
    }

    /// Draws as many rows as fit; where that is not all, the last line says how many are left out.
    pub fn draw_start(&self, buf: &mut Buffer, area: Rect, theme: Theme) {
        let seen = self.height(area.height);
        if self.len() <= seen || seen == 0 {
            self.draw(buf, area, theme, 0, None);
            return;
        }
        let mut cut = self.clone();
        cut.rows.truncate(seen - 1);
        let more = format!("and {} more", self.len() + 1 - seen);
        cut.rows.push(Row::whole(Cell::new(more, Tone::Dim)));
        cut.draw(buf, area, theme, 0, None);
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
            let arrow = self.ordered.filter(|(title, _)| *title == column.title);
            let arrow = arrow.map(|(_, order)| order.arrow());
            draw_heading(buf, place, area.right(), column, arrow, theme);
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
                Align::Point => write_right(buf, place, &cell.text, style),
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
        let column = |at: &usize| self.columns.get(*at).map(|column| (*at, column));
        let mut kept: Vec<(usize, &Column)> = self.wanted.iter().filter_map(column).collect();
        let width = |at: usize| self.widths.get(at).copied().unwrap_or(0);
        // The longest text gives what is missing before any column goes, and takes what is left
        // over where it needs it, but no more: figures stand near the names they belong to.
        let left = loop {
            let grows = growing(&kept);
            let needed = |(at, column): &(usize, &Column)| {
                let wide = if grows == Some(*at) { column.width.0 } else { width(*at) };
                i64::from(wide + GAP)
            };
            let left = i64::from(room + GAP) - kept.iter().map(needed).sum::<i64>();
            let last = kept.iter().enumerate().max_by_key(|(place, (_, it))| (it.priority, *place));
            match last.filter(|(_, (_, column))| left < 0 && column.priority > 0) {
                Some((place, _)) => drop(kept.remove(place)),
                None => break left,
            }
        };
        let grows = growing(&kept);
        let mut x = 0u16;
        let mut places = Vec::with_capacity(kept.len());
        for (at, column) in kept {
            let wide = match grows == Some(at) {
                true => {
                    let most = i64::from(column.width.0) + left.max(0);
                    let longest = self.longest.get(at).copied().unwrap_or(0).max(column.width.0);
                    u16::try_from(most).map_or(longest, |most| longest.min(most))
                }
                false => width(at),
            };
            if x >= room {
                break;
            }
            places.push((at, x, wide.min(room - x)));
            x = x.saturating_add(wide + GAP);
        }
        places
    }
}

/// Draws the title of a column, and behind it the arrow: in the gap where the title fills its place,
/// so that an order moves no title but that of a column at the right edge.
fn draw_heading(
    buf: &mut Buffer,
    place: Rect,
    edge: u16,
    column: &Column,
    arrow: Option<char>,
    theme: Theme,
) {
    let style = theme.style(if arrow.is_some() { Tone::Strong } else { Tone::Dim });
    let mut text = column.title.to_owned();
    text.extend(arrow);
    let gap = u16::from(arrow.is_some() && place.right() < edge);
    let place = Rect { width: place.width + gap, ..place };
    match column.align {
        Align::Left => drop(write(buf, place, &text, style)),
        Align::Point => write_right(buf, place, &text, style),
    }
}

/// The column of text that may be the longest; of several the first.
fn growing(kept: &[(usize, &Column)]) -> Option<usize> {
    let text = kept.iter().filter(|(_, column)| column.align == Align::Left);
    text.max_by_key(|(at, column)| (column.width.1, usize::MAX - at)).map(|(at, _)| *at)
}

/// Fills figures up with blanks, so that points stand beneath each other, and units behind them.
fn align_points<'a>(cells: impl Iterator<Item = &'a mut Cell>) {
    let mut figures: Vec<(&mut Cell, usize, usize)> = cells
        .filter_map(|cell| {
            let end = cell.text.rfind(|c: char| c.is_ascii_digit())? + 1;
            let point = cell.text.find('.').unwrap_or(end);
            Some((cell, end, end.saturating_sub(point)))
        })
        .collect();
    let most = figures.iter().map(|(_, _, behind)| *behind).max().unwrap_or(0);
    for (cell, end, behind) in &mut figures {
        cell.text.insert_str(*end, &" ".repeat(most - *behind));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::ThemeName;

    const COLUMNS: [Column; 3] = [
        Column { title: "Symbol", align: Align::Left, priority: 0, width: (4, 10) },
        Column { title: "Quantity", align: Align::Point, priority: 2, width: (8, 20) },
        Column { title: "Value", align: Align::Point, priority: 0, width: (5, 20) },
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
        let theme = Theme { name: ThemeName::Dark, colours: None, swapped: false };
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
    fn units_stand_beneath_each_other_too() {
        let mut cells =
            ["1,250.00 CAD", "-1,250 JPY", "n/a CAD", "0.125", ""].map(Cell::plain).to_vec();
        align_points(cells.iter_mut());
        let texts: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).collect();
        assert_eq!(texts, ["1,250.00  CAD", "-1,250     JPY", "n/a CAD", "0.125", ""]);
    }

    #[test]
    fn columns_go_by_priority_and_a_figure_is_never_cut() {
        assert_eq!(
            drawn(20, 3, 0),
            ["Symbol         Value", "ABCDEFGHIJKL  100.00", "Total         107.00"]
        );
        // Text gives way before a column goes.
        assert_eq!(drawn(22, 3, 0)[1], "ABC…     1.5    100.00");
        assert_eq!(drawn(14, 3, 0)[1], "ABCDE…  100.00");
        // Where even that is too wide, there is no figure rather than a wrong one.
        assert_eq!(drawn(9, 3, 0)[1], "ABC…  ###");
    }

    #[test]
    fn an_arrow_stands_in_the_gap_and_headings_are_found_where_they_stand() {
        let area = Rect::new(0, 0, 30, 1);
        let theme = Theme { name: ThemeName::Dark, colours: None, swapped: false };
        let drawn = |by, down| {
            let mut buf = Buffer::empty(area);
            let grid = grid().ordered(&["Symbol", "Quantity", "Value"], Order { by, down });
            grid.draw(&mut buf, area, theme, 0, None);
            (0..30).map(|x| buf[(x, 0)].symbol()).collect::<String>()
        };
        assert_eq!(drawn(0, false), "Symbol▲       Quantity   Value");
        assert_eq!(drawn(1, true), "Symbol        Quantity▼  Value");
        assert_eq!(drawn(2, true), "Symbol        Quantity  Value▼", "there is no gap at the edge");
        let title = |x| grid().heading_at(x, 30).map(|column| column.title);
        assert_eq!(
            [0, 13, 14, 23, 24, 29].map(title).map(Option::unwrap),
            ["Symbol", "Symbol", "Quantity", "Quantity", "Value", "Value"]
        );
        assert_eq!(title(40), None);
    }

    #[test]
    fn a_sheet_has_the_wanted_columns_and_only_rows() {
        let heading = Row::whole(Cell::plain("a heading"));
        let row = |word: &str| Row::of(["A", "12", word].map(Cell::plain).to_vec());
        let grid = Grid::new(&COLUMNS, vec![heading, row("1")], Some(row("Total")));
        let choice =
            Choice { order: vec!["Value".to_owned()], hidden: vec!["Quantity".to_owned()] };
        let (titles, rows) = grid.chosen(&choice).sheet(|_| true);
        assert_eq!(titles, ["Value", "Symbol"]);
        let texts: Vec<Vec<_>> =
            rows.into_iter().map(|row| row.into_iter().map(|it| it.text).collect()).collect();
        assert_eq!(texts, [["1", "A"]]);
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
