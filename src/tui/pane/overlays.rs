//! What is drawn beside the prices of a chart: an indicator, or another security. Lines are told
//! apart by how close their dots are, which the legend shows too.
//!
//! ```text
//! SMA 20 ··· 152.10   SMA 50 · · 149.90
//! VFV.TO ─── +12.3 %   XEQT.TO ··· +8.1 %
//! ```

use std::collections::BTreeMap;

use chrono::NaiveDate;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::figure::signed;
use crate::model::{Currency, Dec, SafeText};
use crate::state::{Bars, Compared, Indicator, IndicatorLines, Question, Slice, Slot};
use crate::text::UNKNOWN;
use crate::tui::look::Look;
use crate::tui::theme::Tone;
use crate::tui::widget::{Scale, dotted_chart, line_chart, write, write_right};

/// How far apart the dots of the first line are, of the second and of the third; and their sign.
const DOTS: [(usize, &str); 3] = [(2, "···"), (4, "· ·"), (6, "·  ·")];
/// Below so many lines there is no room for a part of its own.
const LEAST: u16 = 12;

/// What is drawn beside prices.
pub struct Overlay<'a> {
    lines: Option<&'a IndicatorLines>,
    other: Option<&'a Compared>,
    /// What somebody wanted to compare with, and nobody knows.
    unknown: Option<&'a SafeText>,
    symbol: &'a SafeText,
    currency: Currency,
}

/// What there is of it in what was answered for the security that is drawn; none: nothing is asked.
pub fn of<'a>(indicator: Option<Indicator>, bars: &'a Bars, look: &'a Look) -> Option<Overlay<'a>> {
    let is_of = |question: Option<&Question>| match question {
        Some(Question::Indicator(query, _) | Question::Compared(query, _)) => {
            query.security == bars.security
        }
        _ => false,
    };
    let answer = |slot| look.answer(slot).filter(|_| is_of(look.answered(slot)));
    let lines = match answer(Slot::Indicator) {
        Some(Slice::Indicator(lines)) if Some(lines.indicator) == indicator => Some(lines),
        _ => None,
    };
    let (other, unknown) = match (answer(Slot::Compared), &look.selection.against) {
        (Some(Slice::Compared(Some(other))), Some(_)) => (Some(other), None),
        (Some(Slice::Compared(None)), Some(against)) => (None, Some(against)),
        _ => (None, None),
    };
    let is_asked = indicator.is_some() || look.selection.against.is_some();
    let (symbol, currency) = (&bars.symbol, bars.currency);
    is_asked.then_some(Overlay { lines, other, unknown, symbol, currency })
}

/// The last value on or before a day.
fn on(line: &BTreeMap<NaiveDate, Dec>, day: NaiveDate) -> Option<Dec> {
    line.range(..=day).next_back().map(|(_, value)| *value)
}

fn points(line: &BTreeMap<NaiveDate, Dec>, dates: &[NaiveDate]) -> Vec<Option<Dec>> {
    dates.iter().map(|day| on(line, *day)).collect()
}

impl Overlay<'_> {
    /// Two securities take the place of the prices of one.
    pub const fn is_comparison(&self) -> bool {
        self.other.is_some()
    }

    /// How many lines an indicator that is no price has to itself, of so many.
    pub fn panel_lines(&self, lines: u16) -> u16 {
        let is_apart = self.lines.is_some_and(|it| !it.indicator.is_a_price());
        if is_apart && lines >= LEAST && !self.is_comparison() { lines / 4 } else { 0 }
    }

    /// Says what the lines are, and their values on a day.
    pub fn draw_legend(&self, buf: &mut Buffer, area: Rect, day: Option<NaiveDate>, look: &Look) {
        let mut words = Vec::new();
        if let Some(unknown) = self.unknown {
            words.push(format!("no one security is called {unknown}, or none of its days is here"));
        }
        if let Some(other) = self.other {
            let change = |line: &BTreeMap<NaiveDate, Dec>| {
                let hundred = Dec::from_i64(100);
                signed(day.and_then(|day| on(line, day)?.checked_sub(hundred)))
            };
            words.push(format!("{} ─── {}", self.symbol, change(&other.one)));
            words.push(format!("{} ··· {}", other.symbol, change(&other.other)));
        } else if let Some(lines) = self.lines {
            for ((name, line), (_, sign)) in lines.lines.iter().zip(DOTS) {
                let value = day.and_then(|day| on(line, day));
                words.push(format!("{name} {sign} {}", self.told(lines.indicator, value, look)));
            }
        } else if self.unknown.is_none() {
            words.push("reading ...".to_owned());
        }
        write(buf, area, &words.join("   "), look.theme.style(Tone::Second));
    }

    /// A value as people read it: strength is no price, and never hidden.
    fn told(&self, indicator: Indicator, value: Option<Dec>, look: &Look) -> String {
        let Some(value) = value else { return UNKNOWN.to_owned() };
        match indicator {
            Indicator::Rsi => format!("{:.1}", value.round_to(1).inner()),
            _ => {
                let value = value.round_to(self.currency.minor_units() + 2);
                look.figures.price(Some(value), self.currency).into_string()
            }
        }
    }

    /// Draws what belongs among the prices: lines over them, or two securities in their place.
    pub fn draw(
        &self,
        buf: &mut Buffer,
        plot: Rect,
        with_labels: Rect,
        dates: &[NaiveDate],
        scale: Scale,
        look: &Look,
    ) {
        let style = look.theme.style(Tone::Second);
        if let Some(other) = self.other {
            let (one, its) = (points(&other.one, dates), points(&other.other, dates));
            let all = || one.iter().chain(&its).flatten().copied();
            let Some(both) = Scale::over(all()) else { return };
            line_chart(buf, plot, &one, both, false, look.theme.style(Tone::Line));
            dotted_chart(buf, plot, &its, both, 2, style);
            let label =
                |end: Option<Dec>| signed(end.and_then(|end| end.checked_sub(Dec::from_i64(100))));
            let ends = (label(all().max()), label(all().min()));
            draw_ends(buf, with_labels, &ends, look);
        } else if let Some(lines) = self.lines.filter(|it| it.indicator.is_a_price()) {
            for ((_, line), (every, _)) in lines.lines.iter().zip(DOTS) {
                dotted_chart(buf, plot, &points(line, dates), scale, every, style);
            }
        }
    }

    /// Draws an indicator that is no price, with the levels that matter.
    pub fn draw_panel(
        &self,
        buf: &mut Buffer,
        plot: Rect,
        with_labels: Rect,
        dates: &[NaiveDate],
        look: &Look,
    ) {
        let Some(lines) = self.lines.filter(|_| plot.height > 0) else { return };
        let drawn: Vec<_> = lines.lines.iter().map(|(_, line)| points(line, dates)).collect();
        let values = || drawn.iter().flatten().flatten().copied();
        let (scale, levels) = match lines.indicator {
            Indicator::Rsi => (Scale::over([0, 100].map(Dec::from_i64)), vec![30, 70]),
            _ => (Scale::over(values().chain([Dec::ZERO])), vec![0]),
        };
        let Some(scale) = scale else { return };
        for level in levels {
            let at = scale.line_of(Dec::from_i64(level), usize::from(plot.height));
            let Some(at) = at.and_then(|at| u16::try_from(at).ok()) else { continue };
            let line = Rect { y: plot.y + at, height: 1, ..with_labels };
            let dashes = "┄".repeat(usize::from(plot.width));
            write(buf, Rect { width: plot.width, ..line }, &dashes, look.theme.style(Tone::Dim));
            write_right(buf, line, &level.to_string(), look.theme.style(Tone::Dim));
        }
        for ((line, (every, _)), at) in drawn.iter().zip(DOTS).zip(0..) {
            let style = look.theme.style(Tone::Second);
            match at {
                0 => line_chart(buf, plot, line, scale, false, style),
                _ => dotted_chart(buf, plot, line, scale, every, style),
            }
        }
    }
}

/// The highest and the lowest, at the right edge.
fn draw_ends(buf: &mut Buffer, area: Rect, (high, low): &(String, String), look: &Look) {
    let style = look.theme.style(Tone::Dim);
    let line = |y: u16| Rect { y, height: 1, ..area };
    if area.height > 0 {
        write_right(buf, line(area.y), high, style);
    }
    if area.height > 1 && high != low {
        write_right(buf, line(area.bottom() - 1), low, style);
    }
}
