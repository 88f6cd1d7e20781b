//! What is marked, and what it comes to.
//!
//! ```text
//! 3 marked   -1,372.97 USD   1,190.00 CAD
//! 2 marked   n/a USD: OLPC has no value
//! ```

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::model::{Currency, Dec, Exact};
use crate::text::{Figures, UNKNOWN};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::write;

/// Between two pieces of the line.
const GAP: &str = "   ";

/// What is marked, and what it comes to.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// None: nobody knows how many.
    rows: Option<usize>,
    open: bool,
    sums: BTreeMap<Currency, Sum>,
    notes: Vec<String>,
}

#[derive(Clone, Debug)]
struct Sum {
    known: Exact,
    /// Why there is no sum: the first thing that lacks a figure, and how many do.
    lacks: Option<(String, usize)>,
}

impl Tally {
    /// Of so many rows, of which a range may still be open.
    #[must_use]
    pub fn of(rows: usize, open: bool) -> Self {
        Self { rows: Some(rows), open, ..Self::default() }
    }

    /// Of a range that began where nothing is read: neither rows nor sums are known.
    #[must_use]
    pub fn beyond() -> Self {
        let mut tally = Self { rows: None, open: true, ..Self::default() };
        tally.note("the range reaches beyond what is read");
        tally
    }

    /// Adds a figure. One that is not known makes the whole sum unknown, never smaller.
    pub fn add(&mut self, currency: Currency, amount: Option<Dec>, lacks: impl FnOnce() -> String) {
        let nothing = Sum { known: Exact::ZERO, lacks: None };
        let sum = self.sums.entry(currency).or_insert(nothing);
        match (amount, &mut sum.lacks) {
            (Some(amount), _) => sum.known = sum.known.add(&Exact::from(amount)),
            (None, Some((_, count))) => *count += 1,
            (None, none) => *none = Some((lacks(), 1)),
        }
    }

    /// Says something more.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// The pieces of the line, the weightiest first.
    #[must_use]
    pub fn pieces(&self, figures: Figures) -> Vec<(String, Tone)> {
        let what = if self.open { "in the range" } else { "marked" };
        let count = self.rows.map(|rows| (format!("{rows} {what}"), Tone::Key));
        let mut pieces: Vec<_> = count.into_iter().collect();
        pieces.extend(self.sums.iter().map(|(currency, sum)| sum.shown(*currency, figures)));
        pieces.extend(self.notes.iter().map(|note| (note.clone(), Tone::Warn)));
        pieces
    }

    /// Draws the line and gives the columns it took. A figure is whole or not there.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, theme: Theme, figures: Figures) -> u16 {
        let mut x = 1;
        let pieces = self.pieces(figures);
        for (at, (text, tone)) in pieces.iter().enumerate() {
            let place = Rect { x: area.x + x, width: area.width.saturating_sub(x), ..area };
            let left = pieces.len() - at;
            let more = format!("and {left} more");
            let width = text.width() + if left > 1 { GAP.len() + more.len() } else { 0 };
            if width > usize::from(place.width) && at > 0 {
                return x + write(buf, place, &more, theme.style(Tone::Dim));
            }
            x += write(buf, place, text, theme.style(*tone)) + 3;
            x = x.min(area.width);
        }
        x
    }
}

impl Sum {
    fn shown(&self, currency: Currency, figures: Figures) -> (String, Tone) {
        match (&self.lacks, self.known.round(28)) {
            (Some((why, 1)), _) => (format!("{UNKNOWN} {currency}: {why}"), Tone::Warn),
            (Some((why, count)), _) => {
                (format!("{UNKNOWN} {currency}: {why}, and {} more", count - 1), Tone::Warn)
            }
            (None, Ok(sum)) => {
                (format!("{} {currency}", figures.money(sum, currency)), Tone::Strong)
            }
            (None, Err(_)) => {
                (format!("{UNKNOWN} {currency}: more digits than there are"), Tone::Warn)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::ThemeName;

    fn dec(text: &str) -> Dec {
        Dec::parse(text).unwrap()
    }

    fn drawn(tally: &Tally, width: u16) -> String {
        let area = Rect::new(0, 0, width, 1);
        let mut buf = Buffer::empty(area);
        let theme = Theme { name: ThemeName::Dark, colours: None, swapped: false };
        tally.draw(&mut buf, area, theme, Figures::grouped(false));
        let text: String = (0..width).map(|x| buf[(x, 0)].symbol()).collect();
        text.trim().to_owned()
    }

    #[test]
    fn each_currency_has_its_sum() {
        let mut tally = Tally::of(4, false);
        for amount in ["0.1", "0.2", "-1000"] {
            tally.add(Currency::USD, Some(dec(amount)), String::new);
        }
        tally.add(Currency::CAD, Some(dec("5")), String::new);
        assert_eq!(drawn(&tally, 60), "4 marked   5.00 CAD   -999.70 USD");
        // What does not fit is counted and not cut.
        assert_eq!(drawn(&tally, 33), "4 marked   5.00 CAD   and 1 more");
        assert_eq!(drawn(&tally, 24), "4 marked   and 2 more");
        let hidden = tally.pieces(Figures::grouped(true));
        assert_eq!(hidden[2].0, "••• USD");
    }

    #[test]
    fn what_is_not_known_makes_no_smaller_sum() {
        let mut tally = Tally::of(3, true);
        tally.add(Currency::USD, Some(dec("1")), String::new);
        tally.add(Currency::USD, None, || "OLPC has no value".to_owned());
        assert_eq!(drawn(&tally, 60), "3 in the range   n/a USD: OLPC has no value");
        tally.add(Currency::USD, None, || "FOO has no value".to_owned());
        assert_eq!(drawn(&tally, 60), "3 in the range   n/a USD: OLPC has no value, and 1 more");
    }

    #[test]
    fn more_digits_than_there_are_is_said() {
        let mut tally = Tally::of(2, false);
        let most = "9999999999999999999999999999";
        tally.add(Currency::USD, Some(dec(most)), String::new);
        tally.add(Currency::USD, Some(dec(most)), String::new);
        assert_eq!(drawn(&tally, 60), "2 marked   n/a USD: more digits than there are");
    }
}
