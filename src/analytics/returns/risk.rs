//! How quietly an index rose: its volatility, what it earned for that, and its deepest fall.

use chrono::{Datelike, NaiveDate, Weekday};

use super::Point;

/// Returns of fewer days say nothing.
const LEAST: usize = 20;
/// Working days of a year.
const WORKING_DAYS: f64 = 252.0;

/// The sample deviation of the returns from working day to working day, by the year: what happens
/// at a weekend belongs to the Monday. None: there are too few of them.
#[must_use]
pub fn volatility(points: &[Point]) -> Option<f64> {
    let returns = working_days(points);
    if returns.len() < LEAST {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "no calendar has so many days")]
    let count = returns.len() as f64;
    let mean = returns.iter().sum::<f64>() / count;
    let squares: f64 = returns.iter().map(|one| (one - mean).powi(2)).sum();
    Some((squares / (count - 1.0)).sqrt() * WORKING_DAYS.sqrt())
}

/// The returns at Monday to Friday; days on which nothing could have one give none.
fn working_days(points: &[Point]) -> Vec<f64> {
    let (mut before, mut moved) = (1.0, false);
    let mut returns = Vec::with_capacity(points.len());
    for point in points {
        moved |= point.moved;
        if matches!(point.date.weekday(), Weekday::Sat | Weekday::Sun) {
            continue;
        }
        if moved && before > 0.0 {
            returns.push(point.index / before - 1.0);
        }
        (before, moved) = (point.index, false);
    }
    returns
}

/// What was earned by the year beyond a rate without risk, for each unit of volatility; none: there
/// was no volatility.
#[must_use]
pub fn sharpe(by_year: f64, risk_free: f64, volatility: f64) -> Option<f64> {
    (volatility > 0.0).then(|| (by_year - risk_free) / volatility)
}

/// The deepest fall of an index from a height it had reached before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawdown {
    /// As a part of the height, not negative.
    pub depth: f64,
    /// The day of the height; none: there was no fall.
    pub start: Option<NaiveDate>,
    /// The day of the depth.
    pub trough: Option<NaiveDate>,
    /// The first day at least as high again.
    pub recovered: Option<NaiveDate>,
}

/// The deepest fall; of several as deep the first. `start` is the day on which the index is 1.
#[must_use]
pub fn drawdown(start: NaiveDate, points: &[Point]) -> Drawdown {
    let mut deepest = Drawdown { depth: 0.0, start: None, trough: None, recovered: None };
    let (mut height, mut top) = (1.0, start);
    // The height that the deepest fall is from, until it is reached again.
    let mut wanted = None;
    for point in points {
        if wanted.is_some_and(|wanted| point.index >= wanted) {
            deepest.recovered = Some(point.date);
            wanted = None;
        }
        if point.index >= height {
            (height, top) = (point.index, point.date);
            continue;
        }
        let depth = 1.0 - point.index / height;
        if depth > deepest.depth {
            deepest =
                Drawdown { depth, start: Some(top), trough: Some(point.date), recovered: None };
            wanted = Some(height);
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use chrono::Days;

    use super::*;

    fn day(at: u64) -> NaiveDate {
        // A Monday.
        NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + Days::new(at)
    }

    fn points(of: &[f64]) -> Vec<Point> {
        let point =
            |(at, &index): (usize, &f64)| Point { date: day(at as u64), index, moved: true };
        of.iter().enumerate().map(point).collect()
    }

    #[test]
    fn a_weekend_belongs_to_the_monday() {
        let points = points(&[1.1, 1.1, 1.1, 1.1, 1.1, 1.21, 1.331, 1.4641]);
        let returns = working_days(&points);
        assert_eq!(returns.len(), 6);
        assert!((returns[0] - 0.1).abs() < 1e-12);
        assert!((returns[5] - 0.331).abs() < 1e-12);
    }

    #[test]
    fn volatility_needs_twenty_returns() {
        // Up and down by a tenth, five days a week for four weeks.
        let mut index = 1.0;
        let mut all = Vec::new();
        for at in 0..26 {
            if at % 7 < 5 {
                index *= if all.len() % 2 == 0 { 1.1 } else { 0.9 };
            }
            all.push(index);
        }
        let points = points(&all);
        let returns = working_days(&points);
        assert_eq!(returns.len(), 20);
        let mean = returns.iter().sum::<f64>() / 20.0;
        let variance = returns.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / 19.0;
        let expected = (variance * 252.0).sqrt();
        assert!((volatility(&points).unwrap() - expected).abs() < 1e-12);
        assert!(expected > 1.0);
        assert_eq!(volatility(&points[..25]), None);
    }

    #[test]
    fn the_deepest_fall_and_its_end() {
        let fall = drawdown(day(0), &points(&[1.2, 0.9, 1.5, 1.2, 0.75, 1.4, 1.5, 1.45]));
        assert!((fall.depth - 0.5).abs() < 1e-12);
        let days = [fall.start, fall.trough, fall.recovered];
        assert_eq!(days, [Some(day(2)), Some(day(4)), Some(day(6))]);
        // From the start, and never over.
        let fall = drawdown(day(9), &points(&[0.9, 0.95]));
        assert!((fall.depth - 0.1).abs() < 1e-12);
        let days = [fall.start, fall.trough, fall.recovered];
        assert_eq!(days, [Some(day(9)), Some(day(0)), None]);
        assert_eq!(drawdown(day(0), &points(&[1.0, 1.1])).start, None);
    }

    #[test]
    fn without_volatility_there_is_no_ratio() {
        assert_eq!(sharpe(0.1, 0.02, 0.0), None);
        assert_eq!(sharpe(0.1, 0.02, 0.16), Some(0.5));
    }
}
