//! Where the price of each holding went in the last 30 days, as the last column of their table.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::figure::direction;
use crate::model::{Dec, SecurityId};
use crate::state::{Question, Slice, Slot, Snapshot, TrendsQuery};
use crate::text::UNKNOWN;
use crate::tui::look::Look;
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, sparkline};

/// As many days as the title says.
const DAYS: u16 = 30;
/// How wide it is.
const LETTERS: u16 = 4;

/// The column.
pub const COLUMN: Column =
    Column { title: "30 d", align: Align::Left, priority: 9, width: (LETTERS, LETTERS) };

/// Lines that are asked about together, so that scrolling within them asks nothing.
const LINES: usize = 200;

/// The lines that are asked about while this one is the first that is seen: those around it.
#[must_use]
pub fn near(top: usize, lines: usize) -> Range<usize> {
    let block = top / LINES * LINES;
    block.saturating_sub(LINES)..(block + 2 * LINES).min(lines)
}

/// What to ask of what is held there; none: nothing is.
pub fn question(
    held: impl Iterator<Item = SecurityId>,
    snapshot: &Snapshot,
) -> Option<(Slot, Question)> {
    // In whatever order the rows stand, the question is the same.
    let securities: BTreeSet<_> = held.collect();
    if securities.is_empty() {
        return None;
    }
    let securities = securities.into_iter().collect();
    let (to, today) = (snapshot.day, snapshot.today);
    let query = TrendsQuery { securities, days: DAYS, to, today };
    Some((Slot::Trends, Question::Trends(query)))
}

/// What was answered last.
pub struct Trends<'a>(BTreeMap<SecurityId, &'a [Option<Dec>]>);

impl<'a> Trends<'a> {
    /// Of what a pane is shown.
    #[must_use]
    pub fn of(look: &'a Look) -> Self {
        let trends = match look.answer(Slot::Trends) {
            Some(Slice::Trends(trends)) => trends.as_slice(),
            _ => &[],
        };
        Self(trends.iter().map(|trend| (trend.security, trend.points.as_slice())).collect())
    }

    /// Where the price of one went. Nothing stands there until it is read.
    #[must_use]
    pub fn cell(&self, security: SecurityId) -> Cell {
        let Some(points) = self.0.get(&security) else { return Cell::default() };
        let Some(line) = sparkline(points, LETTERS) else {
            return Cell::new(UNKNOWN, Tone::Dim);
        };
        let mut known = points.iter().flatten();
        let first = known.next();
        let change =
            known.next_back().zip(first).and_then(|(last, first)| last.checked_sub(*first));
        Cell::new(line, direction(change))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_about_changes_seldom_and_has_what_is_seen() {
        assert_eq!(near(0, 16), 0..16);
        assert_eq!(near(199, 10_000), 0..400);
        assert_eq!(near(200, 10_000), 0..600);
        assert_eq!(near(400, 10_000), 200..800);
        for top in 0..2_000 {
            let asked = near(top, 2_000);
            assert!(asked.contains(&top) && asked.len() <= 3 * LINES);
            assert!(asked.contains(&(top + 100).min(1_999)), "{top}");
        }
    }
}
