//! A line of figures in braille, two points a column and four a line. What is drawn is not
//! computed with: here, and only here, a figure may become a float.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::model::Dec;

const EMPTY: u32 = 0x2800;
/// The dots of a cell, by column and line.
const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// From the lowest figure to the highest.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    low: f64,
    high: f64,
    /// As far apart as one is times the other.
    by_ratio: bool,
}

impl Scale {
    /// Over all of these; none: there is none.
    pub fn over(values: impl IntoIterator<Item = Dec>) -> Option<Self> {
        let values = values.into_iter().map(as_float);
        let (low, high) = values
            .fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        (low <= high).then_some(Self { low, high, by_ratio: false })
    }

    /// The same by ratios, where everything is above zero.
    #[must_use]
    pub fn by_ratio(self) -> Self {
        Self { by_ratio: self.low > 0.0, ..self }
    }

    /// How far from the top of so many lines a figure is; none: it is not on the scale.
    #[must_use]
    pub fn line_of(&self, value: Dec, lines: usize) -> Option<usize> {
        self.place(as_float(value), lines)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place on the screen between two limits"
    )]
    fn place(&self, value: f64, lines: usize) -> Option<usize> {
        let last = lines.checked_sub(1)?;
        if !(self.low..=self.high).contains(&value) {
            return None;
        }
        let place = |value: f64| if self.by_ratio { value.ln() } else { value };
        let (low, high, value) = (place(self.low), place(self.high), place(value));
        let span = high - low;
        let part = if span > 0.0 { (value - low) / span } else { 0.5 };
        Some(last - ((part * last as f64).round() as usize).min(last))
    }
}

/// Draws figures from left to right over the whole place, joined by straight lines; a gap stays
/// where one is missing. `filled`: everything beneath the line too.
pub fn line_chart(
    buf: &mut Buffer,
    area: Rect,
    points: &[Option<Dec>],
    scale: Scale,
    filled: bool,
    style: Style,
) {
    stroke(buf, area, points, scale, Stroke { filled, every: 1 }, style);
}

/// Draws figures as dots, one at each of so many columns of points: beside a line, and told from it
/// without a colour.
pub fn dotted_chart(
    buf: &mut Buffer,
    area: Rect,
    points: &[Option<Dec>],
    scale: Scale,
    every: usize,
    style: Style,
) {
    stroke(buf, area, points, scale, Stroke { filled: false, every }, style);
}

/// How a line is drawn.
#[derive(Clone, Copy)]
struct Stroke {
    /// With everything beneath it.
    filled: bool,
    /// Only each of so many columns has a dot; 1: all are joined.
    every: usize,
}

fn stroke(
    buf: &mut Buffer,
    area: Rect,
    points: &[Option<Dec>],
    scale: Scale,
    stroke: Stroke,
    style: Style,
) {
    if area.is_empty() || points.is_empty() {
        return;
    }
    let (columns, lines) = (usize::from(area.width) * 2, usize::from(area.height) * 4);
    let mut cells = vec![EMPTY; usize::from(area.width) * usize::from(area.height)];
    let mut set = |x: usize, y: usize| {
        let at = (y / 4) * usize::from(area.width) + x / 2;
        let dot = DOTS.get(x % 2).and_then(|column| column.get(y % 4));
        if let (Some(cell), Some(dot)) = (cells.get_mut(at), dot) {
            *cell |= dot;
        }
    };
    let points: Vec<Option<f64>> = points.iter().map(|point| point.map(as_float)).collect();
    let mut last = None;
    for x in 0..columns {
        let point = point_at(&points, x, columns);
        let Some(y) = point.and_then(|point| scale.place(point, lines)) else {
            last = None;
            continue;
        };
        if stroke.every > 1 {
            if x % stroke.every == 0 {
                set(x, y);
            }
            continue;
        }
        // Steep pieces are drawn through, so that the line holds together.
        let from = last.unwrap_or(y);
        let to = if stroke.filled { lines - 1 } else { from.max(y) };
        for y in from.min(y)..=to {
            set(x, y);
        }
        last = Some(y);
    }
    for (line, y) in cells.chunks(usize::from(area.width)).zip(area.y..) {
        for (cell, x) in line.iter().zip(area.x..).filter(|(cell, _)| **cell != EMPTY) {
            let Some(place) = buf.cell_mut((x, y)) else { continue };
            // What another line has there already stays.
            let there = place.symbol().chars().next().map_or(0, u32::from);
            let is_line = (EMPTY..=EMPTY + 0xff).contains(&there);
            let dots = if is_line { *cell | there } else { *cell };
            place.set_char(char::from_u32(dots).unwrap_or(' '));
            if !is_line {
                place.set_style(style);
            }
        }
    }
}

/// The figure at one of so many columns: where there are fewer figures, on the line between two.
#[expect(clippy::cast_precision_loss, reason = "a place on the screen")]
fn point_at(points: &[Option<f64>], x: usize, columns: usize) -> Option<f64> {
    let span = (columns - 1).max(1);
    let way = x * (points.len() - 1);
    let (at, part) = (way / span, way % span);
    let point = points.get(at).copied().flatten()?;
    let next = points.get(at + 1).copied().flatten().filter(|_| points.len() < columns);
    Some(next.map_or(point, |next| point + (next - point) * part as f64 / span as f64))
}

/// For drawing only.
fn as_float(value: Dec) -> f64 {
    value.to_string().parse().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(points: &[Option<i64>], width: u16, height: u16) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        let points: Vec<_> = points.iter().map(|point| point.map(Dec::from_i64)).collect();
        if let Some(scale) = Scale::over(points.iter().flatten().copied()) {
            line_chart(&mut buf, area, &points, scale, false, Style::new());
        }
        let line = |y| (0..width).map(|x| buf[(x, y)].symbol()).collect();
        (0..height).map(line).collect()
    }

    #[test]
    fn a_rising_line_goes_from_the_lower_left_to_the_upper_right() {
        assert_eq!(drawn(&[Some(0), Some(1), Some(2), Some(3)], 2, 1), ["⣠⠞"]);
        assert_eq!(drawn(&[Some(0), Some(3)], 2, 1), ["⣠⠞"]);
        assert_eq!(drawn(&[Some(5), Some(5)], 2, 1), ["⠒⠒"]);
    }

    #[test]
    fn a_scale_by_ratios_has_as_much_room_for_each_doubling() {
        let all = [1, 10, 100].map(Dec::from_i64);
        let scale = Scale::over(all).unwrap();
        let lines = |scale: Scale| all.map(|value| scale.line_of(value, 11).unwrap());
        assert_eq!(lines(scale), [10, 9, 0]);
        assert_eq!(lines(scale.by_ratio()), [10, 5, 0]);
        // Nothing has a ratio to zero: it stays as it was.
        let scale = Scale::over([0, 10].map(Dec::from_i64)).unwrap();
        assert_eq!(scale.by_ratio().line_of(Dec::from_i64(5), 11), Some(5));
    }

    #[test]
    fn dots_stand_beside_a_line_and_take_nothing_from_it() {
        let area = Rect::new(0, 0, 4, 1);
        let mut buf = Buffer::empty(area);
        let points = |values: [i64; 2]| values.map(|value| Some(Dec::from_i64(value)));
        let scale = Scale::over([0, 3].map(Dec::from_i64)).unwrap();
        line_chart(&mut buf, area, &points([0, 0]), scale, false, Style::new());
        dotted_chart(&mut buf, area, &points([3, 3]), scale, 4, Style::new());
        let text: String = buf.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(text, "⣁⣀⣁⣀");
    }

    #[test]
    fn a_screen_of_many_cells_is_drawn() {
        assert_eq!(drawn(&[Some(0), Some(1)], 500, 200).len(), 200);
    }

    #[test]
    fn what_is_missing_stays_a_gap() {
        assert_eq!(drawn(&[Some(1), None, None, Some(1)], 2, 1), ["⠂⠐"]);
        assert_eq!(drawn(&[None, None], 2, 1), ["  "]);
        assert_eq!(drawn(&[], 2, 1), ["  "]);
    }
}
