//! Figures as cells of a table: a colour says what sign and arrow say too.

use crate::model::{Currency, Dec, Exact};
use crate::text::{DOWN, Figures, UNKNOWN, UP, percent};
use crate::tui::theme::Tone;
use crate::tui::widget::Cell;

/// The tone of a gain or a loss.
#[must_use]
pub fn direction(value: Option<Dec>) -> Tone {
    match value {
        Some(value) if value.is_negative() => Tone::Down,
        Some(value) if !value.is_zero() => Tone::Up,
        _ => Tone::Plain,
    }
}

/// A gain or a loss.
pub fn gain(value: Option<Dec>, currency: Currency, figures: Figures) -> Cell {
    let tone = if figures.private { Tone::Plain } else { direction(value) };
    Cell::new(figures.gain(value, currency).into_string(), tone).of(value)
}

/// A gain as a part of the cost.
pub fn gain_part(gain: Option<Dec>, cost: Option<Dec>) -> Cell {
    let part = part_of(gain, cost);
    let shown = percent(part).into_string();
    match part {
        Some(part) if part.is_negative() => Cell::new(format!("{DOWN} {shown}"), Tone::Down),
        Some(part) if !part.is_zero() => Cell::new(format!("{UP} +{shown}"), Tone::Up),
        Some(_) => Cell::plain(shown),
        None => Cell::plain(UNKNOWN),
    }
    .of(part)
}

/// The same part as a number; none: of nothing.
#[must_use]
pub fn part_of(gain: Option<Dec>, cost: Option<Dec>) -> Option<Dec> {
    gain.zip(cost).and_then(|(gain, cost)| quotient(gain, cost.abs()))
}

/// Per cent with a sign.
#[must_use]
pub fn signed(percent: Option<Dec>) -> String {
    let Some(percent) = percent else { return UNKNOWN.to_owned() };
    let rounded = percent.round_to(2);
    let sign = if rounded.is_positive() { "+" } else { "" };
    format!("{sign}{:.2} %", rounded.inner())
}

/// A part of one, per cent with a sign.
#[must_use]
pub fn part_signed(part: Option<Dec>) -> String {
    let hundred = Exact::from(Dec::from_i64(100));
    signed(part.and_then(|part| Exact::from(part).mul(&hundred).round(10).ok()))
}

/// One through the other; none: through nothing.
#[must_use]
pub fn quotient(a: Dec, b: Dec) -> Option<Dec> {
    (!b.is_zero()).then(|| Exact::from(a).div_round(&Exact::from(b), 10).ok()).flatten()
}

/// The sum of what is known; none: nothing is.
#[must_use]
pub fn sum(values: impl IntoIterator<Item = Option<Dec>>) -> Option<Dec> {
    let known = values.into_iter().flatten().map(Exact::from);
    known.reduce(|sum, value| sum.add(&value)).and_then(|sum| sum.round(12).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Dec {
        Dec::parse(text).unwrap()
    }

    #[test]
    fn a_return_says_its_direction_twice_and_nothing_is_divided_by_nothing() {
        let shown = |gain: &str, cost: &str| gain_part(Some(dec(gain)), Some(dec(cost))).text;
        assert_eq!(shown("5", "10"), "▲ +50.0 %");
        assert_eq!(shown("-5", "-10"), "▼ -50.0 %");
        assert_eq!(shown("0", "10"), "0.0 %");
        assert_eq!(shown("5", "0"), "n/a");
        assert_eq!(gain_part(None, Some(dec("1"))).text, "n/a");
    }

    #[test]
    fn a_hidden_gain_has_no_colour() {
        let tone = |private| gain(Some(dec("-1")), Currency::USD, Figures::grouped(private)).tone;
        assert_eq!((tone(false), tone(true)), (Tone::Down, Tone::Plain));
    }

    #[test]
    fn a_sum_is_over_what_is_known() {
        assert_eq!(sum([Some(dec("1.5")), None, Some(dec("2"))]), Some(dec("3.5")));
        assert_eq!(sum([None, None]), None);
        assert_eq!(signed(Some(dec("1.005"))), "+1.00 %");
        assert_eq!(signed(Some(dec("-0.5"))), "-0.50 %");
    }
}
