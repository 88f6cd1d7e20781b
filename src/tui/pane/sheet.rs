//! Facts with their names before them, one a line.
//!
//! ```text
//! Start value        112,400.10
//! Return                 12.4 %
//! XIRR       n/a, several roots
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::model::SafeText;
use crate::state::{Missing, Reasons};
use crate::text::UNKNOWN;
use crate::tui::look::Look;
use crate::tui::theme::Tone;
use crate::tui::widget::{Cell, write, write_right};

/// A name and what it is.
pub type Fact = (&'static str, Cell);

/// Draws facts as far as there are lines, figures at the right edge. Gives how many it drew.
pub fn draw(buf: &mut Buffer, area: Rect, facts: &[Fact], look: &Look) -> u16 {
    let mut drawn = 0;
    for ((name, cell), at) in facts.iter().zip(0..area.height) {
        let line = Rect { y: area.y + at, height: 1, ..area };
        let used = write(buf, line, name, look.theme.style(Tone::Dim)) + 1;
        let x = used.min(line.width);
        let rest = Rect { x: line.x + x, width: line.width - x, ..line };
        figure(buf, rest, cell, look);
        drawn = at + 1;
    }
    drawn
}

/// Draws a figure at the right edge; one that has no room is no figure rather than another one.
pub fn figure(buf: &mut Buffer, area: Rect, cell: &Cell, look: &Look) {
    let style = look.theme.style(cell.tone);
    let is_cut = cell.text.width() > usize::from(area.width);
    if is_cut && cell.text.contains(|c: char| c.is_ascii_digit()) {
        write_right(buf, area, &"#".repeat(usize::from(area.width)), style);
    } else {
        write_right(buf, area, &cell.text, style);
    }
}

/// A figure, or that it is not known and why.
pub fn known(cell: Option<Cell>, reasons: &Reasons, of: &str) -> Cell {
    cell.unwrap_or_else(|| match reasons.get(of) {
        Some(why) => Cell::new(format!("{UNKNOWN}, {}", in_words(why)), Tone::Dim),
        None => Cell::new(UNKNOWN, Tone::Dim),
    })
}

/// A word of a report as people read it.
#[must_use]
pub fn in_words(word: &str) -> String {
    word.replace('_', " ")
}

/// What a report lacks: `price of OLPC, rate CAD/USD`; none: nothing.
#[must_use]
pub fn lacks(missing: &[Missing]) -> Option<String> {
    let word = |it: &Missing| {
        let what = match it.what {
            "fx" => "rate",
            other => other,
        };
        let pair = it.pair.as_deref();
        let security = it.security.as_ref().map(SafeText::as_str);
        let account = it.account.as_ref().map(SafeText::as_str);
        match (pair, security.or(account)) {
            (Some(pair), _) => format!("{what} {pair}"),
            (None, Some(of)) => format!("{what} of {of}"),
            (None, None) => what.to_owned(),
        }
    };
    let mut words: Vec<String> = missing.iter().map(word).collect();
    words.dedup();
    (!words.is_empty()).then(|| words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_once() {
        let missing = |what, pair: Option<&str>, security: Option<&str>| Missing {
            what,
            security: security.map(SafeText::new),
            pair: pair.map(str::to_owned),
            account: None,
            date: None,
        };
        let all = [
            missing("fx", Some("CAD/USD"), Some("A")),
            missing("fx", Some("CAD/USD"), Some("B")),
            missing("price", None, Some("C")),
            missing("history", None, None),
        ];
        assert_eq!(lacks(&all).unwrap(), "rate CAD/USD, price of C, history");
        assert_eq!(lacks(&[]), None);
    }

    #[test]
    fn what_is_not_known_says_why() {
        let reasons = Reasons::from([("xirr", "several_roots")]);
        assert_eq!(known(None, &reasons, "xirr").text, "n/a, several roots");
        assert_eq!(known(None, &reasons, "twr").text, "n/a");
        assert_eq!(known(Some(Cell::plain("1")), &reasons, "xirr").text, "1");
    }
}
