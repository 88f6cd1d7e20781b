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

/// Draws the years that have room, and why some month is not known.
pub fn draw(buf: &mut Buffer, area: Rect, periods: &[Period], look: &Look) {
    if area.height < 2 || area.width < YEAR + MONTH {
        return;
    }
    let theme = look.theme;
    let line = |at: u16| Rect { y: area.y + at, height: 1, ..area };
    let cell = |line: Rect, month: u16| {
        let x = YEAR + month * MONTH;
        (x + MONTH <= line.width).then(|| Rect { x: line.x + x, width: MONTH, ..line })
    };
    write(buf, line(0), "%", theme.style(Tone::Dim));
    for (name, month) in MONTHS.iter().zip(0..) {
        if let Some(place) = cell(line(0), month) {
            write_right(buf, place, name, theme.style(Tone::Dim));
        }
    }
    let mut years: BTreeMap<i32, Vec<&Period>> = BTreeMap::new();
    for period in periods {
        years.entry(period.to.year()).or_default().push(period);
    }
    let why = reasons(periods);
    let room = area.height - 1 - u16::from(why.is_some() && area.height > 3);
    for ((year, months), at) in years.iter().rev().zip(1..=room) {
        write(buf, line(at), &year.to_string(), theme.style(Tone::Dim));
        for period in months {
            let month = u16::try_from(period.to.month0()).unwrap_or(0);
            let Some(place) = cell(line(at), month) else { continue };
            write_right(buf, place, &shown(period.twr), theme.style(direction(period.twr)));
        }
    }
    if let Some(why) = why.filter(|_| area.height > 3) {
        let at = u16::try_from(years.len()).unwrap_or(room).min(room) + 1;
        write(buf, line(at), &format!("{UNKNOWN}: {why}"), theme.style(Tone::Dim));
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
