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
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place on the screen between two limits"
    )]
    #[must_use]
    pub fn line_of(&self, value: Dec, lines: usize) -> Option<usize> {
        let value = as_float(value);
        let last = lines.checked_sub(1)?;
        if !(self.low..=self.high).contains(&value) {
            return None;
        }
        let span = self.high - self.low;
        let part = if span > 0.0 { (value - self.low) / span } else { 0.5 };
        Some(last - ((part * last as f64).round() as usize).min(last))
    }
}

/// Draws figures from left to right over the whole place; a gap stays where one is missing.
/// `filled`: everything beneath the line too.
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
    let mut last = None;
    for x in 0..columns {
        let at = x * (points.len() - 1) / (columns - 1).max(1);
        let point = points.get(at).copied().flatten();
        let Some(y) = point.and_then(|point| scale.line_of(point, lines)) else {
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
    for (cell, at) in cells.into_iter().zip(0..) {
        if cell == EMPTY {
            continue;
        }
        let (x, y) = (at % area.width, at / area.width);
        let dots = char::from_u32(cell).unwrap_or(' ');
        if let Some(place) = buf.cell_mut((area.x + x, area.y + y)) {
            place.set_char(dots).set_style(style);
        }
    }
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
        assert_eq!(drawn(&[Some(5), Some(5)], 2, 1), ["⠒⠒"]);
    }

    #[test]
    fn what_is_missing_stays_a_gap() {
        assert_eq!(drawn(&[Some(1), None, None, Some(1)], 2, 1), ["⠂⠐"]);
        assert_eq!(drawn(&[None, None], 2, 1), ["  "]);
        assert_eq!(drawn(&[], 2, 1), ["  "]);
    }
}
