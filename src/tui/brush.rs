//! What changed on the screen as few bytes: the backend that Ratatui draws with. A frame over ssh is
//! as quick as it is short.
//!
//! A style is written where it differs from the one before, and of it only what differs; a blank
//! has no foreground; what is blank to the end of its line is erased; cursor moves are short ones.

use std::fmt::Write as _;
use std::io::{self, Write};

use crossterm::cursor::{self, MoveTo};
use crossterm::queue;
use crossterm::terminal::{self, Clear, ClearType as Part};
use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// What cannot be seen of a blank.
const UNSEEN: Modifier = Modifier::BOLD.union(Modifier::DIM).union(Modifier::ITALIC);
/// As many bytes as it takes to erase the rest of a line.
const ERASING: usize = 3;

/// Draws on a terminal whose cursor is hidden.
pub struct Brush<W> {
    out: W,
    /// As wide as the screen was when somebody asked last, which is before each frame.
    columns: std::cell::Cell<u16>,
    pen: Pen,
    /// Where the next character goes; none: nobody knows.
    at: Option<(u16, u16)>,
}

/// How the next character looks.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Pen {
    const PLAIN: Self = Self { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

    /// The least change after which a cell looks as it is meant to.
    fn for_cell(self, cell: &Cell) -> Self {
        let meant = Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
        let kept = Self { bg: cell.bg, ..self };
        if is_blank(cell) && UNSEEN.contains(self.modifier) { kept } else { meant }
    }

    /// The numbers that lead from one pen to another.
    fn numbers_to(self, next: Self) -> String {
        let mut numbers = String::new();
        let mut from = self;
        if !next.modifier.contains(from.modifier) {
            numbers.push_str("0;");
            from = Self::PLAIN;
        }
        for modifier in next.modifier.difference(from.modifier) {
            // They are numbered in the order of their bits.
            let _ = write!(numbers, "{};", modifier.bits().trailing_zeros() + 1);
        }
        if from.fg != next.fg {
            push_colour(&mut numbers, 30, next.fg);
        }
        if from.bg != next.bg {
            push_colour(&mut numbers, 40, next.bg);
        }
        numbers.pop();
        numbers
    }
}

impl<W: Write> Brush<W> {
    /// Draws with this.
    pub const fn new(out: W) -> Self {
        Self { out, columns: std::cell::Cell::new(0), pen: Pen::PLAIN, at: None }
    }

    fn draw_line(&mut self, line: &[(u16, u16, &Cell)]) -> io::Result<()> {
        let (shown, erased) = line.split_at(line.len() - blank_end(line, self.columns.get()));
        for (x, y, cell) in shown {
            self.go_to(*x, *y)?;
            self.take(self.pen.for_cell(cell))?;
            self.out.write_all(cell.symbol().as_bytes())?;
            // Not every terminal finds a character as wide as we do.
            self.at = (cell.symbol().width() == 1).then_some((x + 1, *y));
        }
        if let Some((x, y, cell)) = erased.first() {
            self.go_to(*x, *y)?;
            self.take(self.pen.for_cell(cell))?;
            self.out.write_all(b"\x1b[K")?;
        }
        Ok(())
    }

    fn go_to(&mut self, x: u16, y: u16) -> io::Result<()> {
        match self.at {
            Some(at) if at == (x, y) => {}
            Some((_, line)) if x == 0 && line + 1 == y => self.out.write_all(b"\r\n")?,
            Some((_, line)) if line == y => write!(self.out, "\x1b[{}G", x + 1)?,
            _ => queue!(self.out, MoveTo(x, y))?,
        }
        self.at = Some((x, y));
        Ok(())
    }

    fn take(&mut self, pen: Pen) -> io::Result<()> {
        if self.pen != pen {
            write!(self.out, "\x1b[{}m", self.pen.numbers_to(pen))?;
            self.pen = pen;
        }
        Ok(())
    }
}

impl<W: Write> Backend for Brush<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let cells: Vec<_> = content.collect();
        self.at = None;
        for line in cells.chunk_by(|(_, above, _), (_, below, _)| above == below) {
            self.draw_line(line)?;
        }
        self.take(Pen::PLAIN)
    }

    /// It is hidden as long as the terminal is ours.
    fn hide_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        queue!(self.out, cursor::Show)
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        cursor::position().map(Into::into)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let Position { x, y } = position.into();
        queue!(self.out, MoveTo(x, y))
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, part: ClearType) -> io::Result<()> {
        queue!(
            self.out,
            Clear(match part {
                ClearType::All => Part::All,
                ClearType::AfterCursor => Part::FromCursorDown,
                ClearType::BeforeCursor => Part::FromCursorUp,
                ClearType::CurrentLine => Part::CurrentLine,
                ClearType::UntilNewLine => Part::UntilNewLine,
            })
        )
    }

    fn size(&self) -> io::Result<Size> {
        let size: Size = terminal::size()?.into();
        self.columns.set(size.width);
        Ok(size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        let size = terminal::window_size()?;
        Ok(WindowSize {
            columns_rows: Size { width: size.columns, height: size.rows },
            pixels: Size { width: size.width, height: size.height },
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// For what is not a cell: modes, the clipboard.
impl<W: Write> Write for Brush<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Nothing is seen of it but its background.
fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && UNSEEN.contains(cell.modifier)
}

/// How many cells at the end of a line are blank up to the edge of the screen, if to erase them
/// is shorter than to write them. Not every terminal erases to a colour.
fn blank_end(line: &[(u16, u16, &Cell)], columns: u16) -> usize {
    let blank = |(x, _, cell): &(u16, u16, &Cell), edge: u16| {
        *x + 1 == edge && is_blank(cell) && cell.bg == Color::Reset
    };
    let edges = (1..=columns).rev();
    let count = line.iter().rev().zip(edges).take_while(|(at, edge)| blank(at, *edge)).count();
    if count > ERASING { count } else { 0 }
}

/// Adds the numbers of a colour; 30 stands for the foreground, 40 for the background.
fn push_colour(numbers: &mut String, ground: u8, colour: Color) {
    let named = |number: u8| u16::from(ground + number);
    let bright = |number: u8| u16::from(ground + 60 + number);
    let number = match colour {
        Color::Reset => named(9),
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(3),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::Gray => named(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(index) => {
            let _ = write!(numbers, "{};5;{index};", named(8));
            return;
        }
        Color::Rgb(r, g, b) => {
            let _ = write!(numbers, "{};2;{r};{g};{b};", named(8));
            return;
        }
    };
    let _ = write!(numbers, "{number};");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    /// What is written to make one screen of another, with escapes as `^`.
    fn written(before: &Buffer, after: &Buffer) -> String {
        let mut brush = Brush::new(Vec::new());
        brush.columns.set(after.area.width);
        brush.draw(before.diff(after).into_iter()).unwrap();
        String::from_utf8(brush.out).unwrap().replace('\x1b', "^")
    }

    fn lines(texts: [&str; 2]) -> Buffer {
        Buffer::with_lines(texts.map(|text| format!("{text:12}")))
    }

    fn styled(mut buffer: Buffer, spans: &[(u16, u16, u16, Style)]) -> Buffer {
        for &(x, y, width, style) in spans {
            buffer.set_style(Rect::new(x, y, width, 1), style);
        }
        buffer
    }

    #[test]
    fn only_what_differs_is_written() {
        let (red, on_blue) = (Style::new().red(), Style::new().on_blue());
        let plain = lines(["ab  cd  ef", "gh  ij"]);
        assert_eq!(written(&plain, &plain), "");
        // Of a style only what differs; blanks have no foreground; what is left is taken back.
        let reds = styled(plain.clone(), &[(0, 0, 2, red), (4, 0, 2, red)]);
        assert_eq!(written(&plain, &reds), "^[1;1H^[31mab^[5Gcd^[39m");
        let all = [(0, 0, 12, on_blue), (0, 0, 2, red), (4, 0, 2, red)];
        let marked = styled(plain.clone(), &all);
        assert_eq!(written(&plain, &marked), "^[1;1H^[31;44mab  cd  ^[39mef  ^[49m");
        // A line that is no longer marked is blank at its end, the next one is near.
        let next = styled(plain, &[(0, 1, 12, on_blue)]);
        assert_eq!(written(&marked, &next), "^[1;1Hab  cd  ef  \r\n^[44mgh  ij      ^[49m");
        let gone = lines(["ab  cd  ef", "g"]);
        assert_eq!(written(&next, &gone), "^[2;1Hg^[K");
    }

    #[test]
    fn a_modifier_that_ends_takes_the_rest_of_the_style_along() {
        let bold = Style::new().bold().red();
        let before = lines(["", ""]);
        let after =
            styled(lines(["ab", ""]), &[(0, 0, 1, bold), (1, 0, 1, Style::new().dim().red())]);
        assert_eq!(written(&before, &after), "^[1;1H^[1;31ma^[0;2;31mb^[0m");
        // One sees that a blank is reversed.
        let after = styled(lines(["a", ""]), &[(0, 0, 3, Style::new().reversed())]);
        assert_eq!(written(&before, &after), "^[1;1H^[7ma  ^[0m");
    }

    fn style() -> impl Strategy<Value = Style> {
        let colour = prop::sample::select(vec![
            Color::Reset,
            Color::Red,
            Color::DarkGray,
            Color::Indexed(200),
            Color::Rgb(1, 2, 3),
        ]);
        let modifier = prop::sample::select(vec![
            Modifier::empty(),
            Modifier::BOLD,
            Modifier::DIM,
            Modifier::REVERSED,
            Modifier::BOLD | Modifier::REVERSED,
        ]);
        (colour.clone(), colour, modifier).prop_map(|(fg, bg, modifier)| {
            Style::new().fg(fg).bg(bg).remove_modifier(Modifier::all()).add_modifier(modifier)
        })
    }

    fn screens() -> impl Strategy<Value = Buffer> {
        let text =
            prop::sample::select(vec!["", " ", "a", "bc", "  d", "▲ 1", "漢字", "⣀⠤", "e\u{301}"]);
        let span = (0..18_u16, 0..4_u16, text, style(), 0..9_u16);
        prop::collection::vec(span, 0..12).prop_map(|spans| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 4));
            for (x, y, text, style, wide) in spans {
                buffer.set_style(Rect::new(x, y, wide.min(20 - x), 1), style);
                buffer.set_string(x, y, text, style);
            }
            buffer
        })
    }

    proptest! {
        /// Whatever was there, a terminal shows the same as if each cell were written by itself.
        #[test]
        fn the_screen_is_what_is_drawn(frames in prop::collection::vec(screens(), 1..5)) {
            let blank = Buffer::empty(Rect::new(0, 0, 20, 4));
            let mut terminal = vt100::Parser::new(4, 20, 0);
            let mut other = vt100::Parser::new(4, 20, 0);
            let mut before = blank.clone();
            for frame in frames {
                terminal.process(written(&before, &frame).replace('^', "\x1b").as_bytes());
                other.process(cell_by_cell(&before, &frame).as_bytes());
                for (y, x) in (0..4).flat_map(|y| (0..20).map(move |x| (y, x))) {
                    let (shown, meant) = (terminal.screen(), other.screen());
                    let look = |screen: &vt100::Screen| {
                        let cell = screen.cell(y, x).unwrap();
                        let blank = cell.contents().trim().is_empty();
                        let ink = (cell.fgcolor(), cell.bold(), cell.dim());
                        // The ink of a blank is seen where it is reversed.
                        let ink = (!blank || cell.inverse()).then_some(ink);
                        let text = if blank { String::new() } else { cell.contents().to_owned() };
                        (text, ink, cell.bgcolor(), cell.inverse())
                    };
                    prop_assert_eq!(look(shown), look(meant), "{} {}", x, y);
                }
                before = frame;
            }
        }
    }

    /// Each cell at its place in its style.
    fn cell_by_cell(before: &Buffer, after: &Buffer) -> String {
        let mut text = String::new();
        for (x, y, cell) in before.diff(after) {
            let pen = Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
            let numbers = Pen::PLAIN.numbers_to(pen);
            let _ =
                write!(text, "\x1b[{};{}H\x1b[0m\x1b[{numbers}m{}", y + 1, x + 1, cell.symbol());
        }
        text
    }
}
