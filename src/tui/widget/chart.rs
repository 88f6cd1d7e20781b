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
}

impl Scale {
    /// Over all of these; none: there is none.
    pub fn over(values: impl IntoIterator<Item = Dec>) -> Option<Self> {
        let values = values.into_iter().map(as_float);
        let (low, high) = values
            .fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        (low <= high).then_some(Self { low, high })
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
        let span = self.high - self.low;
        let part = if span > 0.0 { (value - self.low) / span } else { 0.5 };
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
        // Steep pieces are drawn through, so that the line holds together.
        let from = last.unwrap_or(y);
        let to = if filled { lines - 1 } else { from.max(y) };
        for y in from.min(y)..=to {
            set(x, y);
        }
        last = Some(y);
    }
    for (line, y) in cells.chunks(usize::from(area.width)).zip(area.y..) {
        for (cell, x) in line.iter().zip(area.x..).filter(|(cell, _)| **cell != EMPTY) {
            let dots = char::from_u32(*cell).unwrap_or(' ');
            if let Some(place) = buf.cell_mut((x, y)) {
                place.set_char(dots).set_style(style);
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
