//! Spans of numbers and of days as people write them: `50`, `>100`, `<=-5`, `100..200`, `2025-03`.

use std::ops::{Bound, RangeInclusive};

use chrono::{Days, Months, NaiveDate};

use super::{FindError, Token};
use crate::model::Dec;

/// Everything between two ends, each of which may be open.
pub type Span<T> = (Bound<T>, Bound<T>);

/// The first and the last day there can be: years of four digits.
const ALL_DAYS: (NaiveDate, NaiveDate) =
    match (NaiveDate::from_ymd_opt(0, 1, 1), NaiveDate::from_ymd_opt(9999, 12, 31)) {
        (Some(first), Some(last)) => (first, last),
        _ => (NaiveDate::MIN, NaiveDate::MAX),
    };

/// How the ends of a span are written.
enum Shape<'a> {
    One(&'a str),
    Above(&'a str),
    AtLeast(&'a str),
    Below(&'a str),
    AtMost(&'a str),
    Between(&'a str, &'a str),
}

fn shape(text: &str) -> Shape<'_> {
    if let Some((from, to)) = text.split_once("..") {
        return Shape::Between(from, to);
    }
    // The longer signs first, since the shorter ones are their beginnings.
    let behind = |sign| text.strip_prefix(sign);
    behind(">=")
        .map(Shape::AtLeast)
        .or(behind("<=").map(Shape::AtMost))
        .or(behind(">").map(Shape::Above))
        .or(behind("<").map(Shape::Below))
        .or(behind("=").map(Shape::One))
        .unwrap_or(Shape::One(text))
}

/// A number or a span of them.
pub(super) fn numbers(token: &Token) -> Result<Span<Dec>, FindError> {
    let number =
        |text: &str| Dec::parse(text).map_err(|_| FindError::NoNumber { word: token.word() });
    let end = |text: &str| match text {
        "" => Ok(Bound::Unbounded),
        text => number(text).map(Bound::Included),
    };
    let open = Bound::Unbounded;
    let span = match shape(&token.value) {
        Shape::One(text) => (Bound::Included(number(text)?), Bound::Included(number(text)?)),
        Shape::Above(text) => (Bound::Excluded(number(text)?), open),
        Shape::AtLeast(text) => (Bound::Included(number(text)?), open),
        Shape::Below(text) => (open, Bound::Excluded(number(text)?)),
        Shape::AtMost(text) => (open, Bound::Included(number(text)?)),
        Shape::Between("", "") => return Err(FindError::NoNumber { word: token.word() }),
        Shape::Between(from, to) => (end(from)?, end(to)?),
    };
    match span {
        (Bound::Included(from), Bound::Included(to)) if from > to => {
            Err(FindError::Backwards { word: token.word() })
        }
        span => Ok(span),
    }
}

/// A day, a month, a year, or a span of them.
pub(super) fn days(token: &Token) -> Result<RangeInclusive<NaiveDate>, FindError> {
    let (first, last) = ALL_DAYS;
    let part = |text: &str| period(text).ok_or_else(|| FindError::NoDay { word: token.word() });
    let before = |day: NaiveDate| day.pred_opt().unwrap_or(NaiveDate::MIN);
    let after = |day: NaiveDate| day.succ_opt().unwrap_or(NaiveDate::MAX);
    Ok(match shape(&token.value) {
        Shape::One(text) => {
            let (from, to) = part(text)?;
            from..=to
        }
        Shape::Above(text) => match part(text)?.1 {
            // Years of five digits do not sort as text; a span that is turned around holds nothing.
            end if end >= last => last..=first,
            end => after(end)..=last,
        },
        Shape::AtLeast(text) => part(text)?.0..=last,
        Shape::Below(text) => first..=before(part(text)?.0),
        Shape::AtMost(text) => first..=part(text)?.1,
        Shape::Between("", "") => return Err(FindError::NoDay { word: token.word() }),
        Shape::Between("", to) => first..=part(to)?.1,
        Shape::Between(from, "") => part(from)?.0..=last,
        Shape::Between(from, to) => {
            let (from, to) = (part(from)?.0, part(to)?.1);
            if from > to {
                return Err(FindError::Backwards { word: token.word() });
            }
            from..=to
        }
    })
}

/// The first and the last day of what is written.
fn period(text: &str) -> Option<(NaiveDate, NaiveDate)> {
    let mut parts = text.split('-');
    let mut number = |digits: usize| match parts.next() {
        None => Some(None),
        Some(part) if part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()) => {
            part.parse::<u32>().ok().map(Some)
        }
        Some(_) => None,
    };
    let (year, month, day) = (number(4)??, number(2)?, number(2)?);
    if parts.next().is_some() {
        return None;
    }
    let from =
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month.unwrap_or(1), day.unwrap_or(1))?;
    let months = match (month, day) {
        (_, Some(_)) => return Some((from, from)),
        (Some(_), None) => 1,
        (None, None) => 12,
    };
    let to = from.checked_add_months(Months::new(months))?.checked_sub_days(Days::new(1))?;
    Some((from, to))
}
