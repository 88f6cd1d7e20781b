//! A line of figures in braille, two points a column and four a line. What is drawn is not
//! computed with: here, and only here, a figure may become a float.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::model::Dec;

const EMPTY: u32 = 0x2800;
/// The dots of a cell, by column and line.
const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Draws figures from left to right over the whole place; a gap stays where one is missing.
pub fn line_chart(buf: &mut Buffer, area: Rect, points: &[Option<Dec>], style: Style) {
    let known = || points.iter().flatten().map(|point| as_float(*point));
    let (low, high) =
        known().fold((f64::MAX, f64::MIN), |(low, high), point| (low.min(point), high.max(point)));
    if area.is_empty() || low > high {
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
        let at = if columns > 1 { x * (points.len() - 1) / (columns - 1) } else { 0 };
        let Some(Some(point)) = points.get(at) else {
            last = None;
            continue;
        };
        let y = line_of(as_float(*point), low, high, lines);
        // Steep pieces are drawn through, so that the line holds together.
        let from = last.unwrap_or(y);
        for y in from.min(y)..=from.max(y) {
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

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place on the screen between two limits"
)]
fn line_of(point: f64, low: f64, high: f64, lines: usize) -> usize {
    let last = lines.saturating_sub(1);
    let part = if high > low { (point - low) / (high - low) } else { 0.5 };
    last - ((part * last as f64).round() as usize).min(last)
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
        line_chart(&mut buf, area, &points, Style::new());
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
