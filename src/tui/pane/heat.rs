//! Returns by month, a line a year, the latest year first. The sign says what the colour says too.
//!
//! ```text
//!        Jan    Feb    Mar  ...
//! 2026  +1.2   -0.4    n/a
//! ```

use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::figure::direction;
use super::sheet::in_words;
use crate::model::{Dec, Exact};
use crate::state::Period;
use crate::text::UNKNOWN;
use crate::tui::look::Look;
use crate::tui::theme::Tone;
use crate::tui::widget::{write, write_right};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Columns of a year, and of a month.
const YEAR: u16 = 5;
const MONTH: u16 = 6;
/// Columns of a month where a year has two lines.
const HALF: u16 = 8;

/// Draws the years that have room, and why some month is not known.
pub fn draw(buf: &mut Buffer, area: Rect, periods: &[Period], look: &Look) {
    let is_wide = area.width >= YEAR + 12 * MONTH;
    if area.height < 2 || area.width < YEAR + 6 * HALF {
        return;
    }
    let theme = look.theme;
    let width = if is_wide { MONTH } else { HALF };
    let line = |at: u16| Rect { y: area.y + at, height: 1, ..area };
    let cell = |line: Rect, at: u16| Rect { x: line.x + YEAR + at * width, width, ..line };
    write(buf, line(0), "%", theme.style(Tone::Dim));
    for (name, at) in names(is_wide).iter().zip(0..) {
        write_right(buf, cell(line(0), at), name, theme.style(Tone::Dim));
    }
    // A line is a year, or a half of one.
    let mut lines: BTreeMap<(i32, bool), Vec<(u16, &Period)>> = BTreeMap::new();
    for period in periods {
        let month = u16::try_from(period.to.month0()).unwrap_or(0);
        let (is_later, at) = if is_wide { (false, month) } else { (month >= 6, month % 6) };
        lines.entry((period.to.year(), is_later)).or_default().push((at, period));
    }
    let why = reasons(periods).filter(|_| area.height > 3);
    let room = area.height - 1 - u16::from(why.is_some());
    let mut drawn = 0;
    for (((year, _), months), at) in lines.iter().rev().zip(1..=room) {
        write(buf, line(at), &year.to_string(), theme.style(Tone::Dim));
        for (place, period) in months {
            let style = theme.style(direction(period.twr));
            write_right(buf, cell(line(at), *place), &shown(period.twr), style);
        }
        drawn = at;
    }
    if let Some(why) = why {
        write(buf, line(drawn + 1), &format!("{UNKNOWN}: {why}"), theme.style(Tone::Dim));
    }
}

/// What stands above the months; each half of a year has the same columns.
fn names(is_wide: bool) -> Vec<String> {
    let (early, late) = MONTHS.split_at(6);
    match is_wide {
        true => MONTHS.map(str::to_owned).to_vec(),
        false => early.iter().zip(late).map(|(a, b)| format!("{a}/{b}")).collect(),
    }
}

/// A return in per cent with its sign; a large one has no decimals.
fn shown(twr: Option<Dec>) -> String {
    let hundred = Exact::from(Dec::from_i64(100));
    let percent = |places| twr.and_then(|twr| Exact::from(twr).mul(&hundred).round(places).ok());
    let Some(short) = percent(1) else { return UNKNOWN.to_owned() };
    let sign = if short.is_positive() { "+" } else { "" };
    let text = format!("{sign}{:.1}", short.inner());
    if text.len() < usize::from(MONTH) {
        return text;
    }
    let whole = percent(0).map(|whole| format!("{sign}{}", whole.inner())).unwrap_or_default();
    if whole.len() < usize::from(MONTH) { whole } else { format!("{sign}>999") }
}

/// Why months are not known; none: all are.
fn reasons(periods: &[Period]) -> Option<String> {
    let unknown = periods.iter().filter(|period| period.twr.is_none());
    let why: BTreeSet<&str> =
        unknown.filter_map(|period| period.reasons.get("twr").copied()).collect();
    let words: Vec<String> = why.into_iter().map(in_words).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_month_has_its_sign_and_its_place() {
        let shown = |text: &str| shown(Dec::parse(text).ok());
        assert_eq!(shown("0.0123"), "+1.2");
        assert_eq!(shown("-0.1234"), "-12.3");
        assert_eq!(shown("0"), "0.0");
        assert_eq!(shown("1.5"), "+150");
        assert_eq!(shown("123.4"), "+>999");
        assert_eq!(shown("none"), "n/a");
    }
}
