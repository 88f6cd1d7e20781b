//! Where a figure went, in a few letters: a line as in a chart, two places a letter, each with the
//! last that is known of several days. A gap stays where nothing is known.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::chart::{Scale, line_chart};
use crate::model::Dec;

/// So many letters for all of the points; none: nothing is known of any.
#[must_use]
pub fn sparkline(points: &[Option<Dec>], letters: u16) -> Option<String> {
    let places = 2 * usize::from(letters.max(1));
    let share = points.len().div_ceil(places).max(1);
    let last_known = |points: &[Option<Dec>]| points.iter().rev().copied().flatten().next();
    // From the newest backwards, so that it always has the last place.
    let mut known: Vec<_> = points.rchunks(share).map(last_known).collect();
    known.resize(places.max(known.len()), None);
    known.reverse();
    let scale = Scale::over(known.iter().copied().flatten())?;
    let area = Rect::new(0, 0, letters, 1);
    let mut line = Buffer::empty(area);
    line_chart(&mut line, area, &known, scale, false, Style::new());
    Some(line.content.iter().map(ratatui::buffer::Cell::symbol).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(points: &[Option<i64>], letters: u16) -> Option<String> {
        let points: Vec<_> = points.iter().map(|point| point.map(Dec::from_i64)).collect();
        sparkline(&points, letters)
    }

    #[test]
    fn the_newest_is_last_and_every_place_has_the_end_of_its_share() {
        let rising: Vec<_> = (0..8).map(Some).collect();
        assert_eq!(drawn(&rising, 4).unwrap(), "⣀⡤⠖⠋");
        assert_eq!(drawn(&rising, 2).unwrap(), "⣠⠞");
        let falling: Vec<_> = (0..30).rev().map(Some).collect();
        assert_eq!(drawn(&falling, 4).unwrap(), "⠉⠓⠦⣄");
        assert_eq!(drawn(&[Some(9), Some(1), Some(5)], 1).unwrap(), "⢹", "1 is overtaken by 5");
        assert_eq!(drawn(&[Some(4); 30], 4).unwrap(), "⠒⠒⠒⠒");
    }

    #[test]
    fn what_is_not_known_is_a_gap_and_nothing_at_all_is_none() {
        let some = [None, None, Some(1), None, None, None, Some(3), Some(1)];
        assert_eq!(drawn(&some, 4).unwrap(), " ⡀ ⢹");
        assert_eq!(drawn(&[Some(1), Some(2)], 4).unwrap(), "   ⣸", "it is as long as it is");
        assert_eq!(drawn(&[None, None], 2), None);
        assert_eq!(drawn(&[], 6), None);
        assert_eq!(drawn(&[Some(1)], 0).unwrap(), "");
    }
}
