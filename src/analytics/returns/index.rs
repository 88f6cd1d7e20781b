//! The time-weighted return: what one unit of money became that was there from the first day to the
//! last, whatever else came and went.

use chrono::NaiveDate;

use super::YEAR;

/// Rates by the year are told over more days than this only.
const DAYS_OF_A_YEAR: i64 = 365;

/// A day of a scope.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayWorth {
    /// The day.
    pub date: NaiveDate,
    /// At its end; none: something lacks a value.
    pub value: Option<f64>,
    /// What came from outside, not negative.
    pub came: f64,
    /// What went there, not negative.
    pub went: f64,
}

/// The index at the end of a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The day.
    pub date: NaiveDate,
    /// What 1 became.
    pub index: f64,
    /// The day has a return; else there was nothing that could have one.
    pub moved: bool,
}

/// What 1 became, day by day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Index {
    /// The days that count.
    pub points: Vec<Point>,
    /// Calendar days without a value.
    pub unvalued: u64,
    /// Days that count, on which nothing could have a return.
    pub skipped: u64,
}

impl Index {
    /// Over days without gaps; `start` is the value at the end of the day before the first.
    #[must_use]
    pub fn over(start: Option<f64>, days: &[DayWorth]) -> Self {
        let mut index = Self::default();
        let (mut before, mut level) = (start, 1.0);
        let (mut came, mut went) = (0.0, 0.0);
        for day in days {
            // What moves on a day that does not count joins the next one that does.
            came += day.came;
            went += day.went;
            let Some(value) = day.value else {
                index.unvalued += 1;
                continue;
            };
            let base = before.map_or(0.0, |before| before + came);
            let moved = base > 0.0;
            if moved {
                level *= (value + went) / base;
            } else {
                index.skipped += 1;
            }
            index.points.push(Point { date: day.date, index: level, moved });
            (before, came, went) = (Some(value), 0.0, 0.0);
        }
        index
    }

    /// The return over all days; none: no day has one.
    #[must_use]
    pub fn total(&self) -> Option<f64> {
        self.points.iter().any(|point| point.moved).then_some(())?;
        self.points.last().map(|point| point.index - 1.0)
    }
}

/// A return over so many days as one of a year; none: there are too few of them, or nothing is left
/// that a rate could be of.
#[must_use]
pub fn annualized(total: f64, days: i64) -> Option<f64> {
    if days <= DAYS_OF_A_YEAR || total < -1.0 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "no calendar has so many days")]
    Some((1.0 + total).powf(YEAR / days as f64) - 1.0)
}

#[cfg(test)]
mod tests {
    use chrono::Days;
    use proptest::prelude::*;

    use super::*;

    fn days(of: &[(Option<f64>, f64, f64)]) -> Vec<DayWorth> {
        let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
        let day = |(at, &(value, came, went)): (usize, &(Option<f64>, f64, f64))| DayWorth {
            date: first + Days::new(at as u64),
            value,
            came,
            went,
        };
        of.iter().enumerate().map(day).collect()
    }

    #[test]
    fn example_b_of_the_definitions() {
        let days =
            days(&[(Some(750.0), 750.0, 0.0), (Some(771.4), 0.0, 0.0), (Some(889.6), 0.0, 0.0)]);
        let index = Index::over(Some(0.0), &days);
        assert!((index.total().unwrap() - 0.186_133_333_3).abs() < 1e-10);
        assert_eq!((index.skipped, index.unvalued), (0, 0));
    }

    #[test]
    fn what_moves_on_an_unvalued_day_joins_the_next_that_counts() {
        let gap = [(Some(100.0), 0.0, 0.0), (None, 50.0, 0.0), (Some(165.0), 0.0, 0.0)];
        let index = Index::over(Some(100.0), &days(&gap));
        assert!((index.total().unwrap() - 0.1).abs() < 1e-12);
        assert_eq!((index.skipped, index.unvalued), (0, 1));
        // What went out goes at the end of the day.
        let out = [(Some(55.0), 0.0, 55.0)];
        assert!((Index::over(Some(100.0), &days(&out)).total().unwrap() - 0.1).abs() < 1e-12);
    }

    #[test]
    fn days_with_nothing_to_grow_are_skipped() {
        let empty = [(Some(0.0), 0.0, 0.0), (Some(11.0), 10.0, 0.0), (Some(-3.0), 0.0, 14.0)];
        let index = Index::over(Some(0.0), &days(&empty));
        assert!((index.total().unwrap() - 0.1).abs() < 1e-12);
        assert_eq!(index.skipped, 1);
        let owed = Index::over(Some(-5.0), &days(&[(Some(-6.0), 0.0, 0.0)]));
        assert_eq!((owed.total(), owed.skipped), (None, 1));
        // Nobody knows what there was before: the first known day only begins.
        let unknown = Index::over(None, &days(&[(Some(5.0), 0.0, 0.0), (Some(6.0), 0.0, 0.0)]));
        assert!((unknown.total().unwrap() - 0.2).abs() < 1e-12);
    }

    #[test]
    fn a_year_is_told_over_more_than_a_year_only() {
        assert_eq!(annualized(0.5, 365), None);
        assert!((annualized(0.21, 730).unwrap() - 0.1).abs() < 1e-12);
        assert_eq!(annualized(-1.5, 730), None);
        assert_eq!(annualized(-1.0, 730), Some(-1.0));
    }

    proptest! {
        #[test]
        fn a_pure_deposit_and_a_split_flow_change_nothing(
            start in 1.0..1e6_f64,
            grows in prop::collection::vec(-0.3..0.4_f64, 1..40),
            flows in prop::collection::vec(0.0..1e5_f64, 40),
        ) {
            // Without any flow, and with deposits at the start of each day that grow as the rest.
            let (mut plain, mut fed) = (start, start);
            let mut of = [Vec::new(), Vec::new()];
            for (grow, flow) in grows.iter().zip(&flows) {
                plain *= 1.0 + grow;
                fed = (fed + flow) * (1.0 + grow);
                of[0].push((Some(plain), 0.0, 0.0));
                // In two halves, one of which is more and goes again with what it earned.
                of[1].push((Some(fed), flow / 2.0 + flow / 2.0, 0.0));
            }
            let [plain, fed] = of.map(|of| Index::over(Some(start), &days(&of)).total().unwrap());
            prop_assert!((plain - fed).abs() < 1e-9 * (1.0 + plain.abs()));
        }
    }
}
