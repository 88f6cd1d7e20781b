//! The money-weighted return: the yearly rate at which everything that was put in comes to what was
//! taken out.
//!
//! The rate is looked for as `1 + r` on a grid of its logarithm, so that near-total losses and
//! thousandfold gains are found alike; each change of sign is then halved until it is exact.

#[cfg(test)]
mod grid;

use chrono::NaiveDate;

use super::YEAR;

/// The smallest and the largest `1 + r` that is looked for.
const LEAST: f64 = 1e-6;
const MOST: f64 = 1e6;
/// So many places of the grid, where there may be several rates.
const GRID: u32 = 1024;
/// No bisection of what `f64` can tell apart takes longer.
const HALVES: u32 = 200;

/// Money on a day: put in is negative, taken out is positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// When.
    pub date: NaiveDate,
    /// How much.
    pub amount: f64,
}

/// A rate by the year.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// As a part of 1.
    pub rate: f64,
    /// There are others as right; this one is the nearest to the simple return.
    pub is_one_of_several: bool,
}

/// Why there is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRate {
    /// Nothing was put in, or nothing was taken out and nothing is left.
    OneSided,
    /// All of it is of one day.
    OneDay,
    /// None from a loss of all but a millionth to a millionfold gain.
    OutOfRange,
}

impl NoRate {
    /// The word that stands for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneSided => "one_sided",
            Self::OneDay => "one_day",
            Self::OutOfRange => "out_of_range",
        }
    }
}

/// The rate of some flows in any order, to 1e-10.
///
/// # Errors
/// [`NoRate`] says why there is none.
pub fn xirr(flows: &[Flow]) -> Result<Rate, NoRate> {
    let flows = by_day(flows);
    let (Some(first), Some(last)) = (flows.first(), flows.last()) else {
        return Err(NoRate::OneSided);
    };
    let has = |sign: f64| flows.iter().any(|flow| flow.amount * sign > 0.0);
    if !has(1.0) || !has(-1.0) {
        return Err(if flows.len() == 1 { NoRate::OneDay } else { NoRate::OneSided });
    }
    let terms = Terms::of(first.date, last.date, &flows);
    // One change of sign has one root at most, wherever it is.
    let values = if terms.changes_of_sign() == 1 { terms.ends() } else { terms.grid() };
    let roots = terms.roots(&values);
    let nearest = simple_rate(&flows, first.date, last.date).unwrap_or(0.0);
    let distance = |root: &f64| (root - 1.0 - nearest).abs();
    let best = roots.iter().copied().min_by(|a, b| distance(a).total_cmp(&distance(b)));
    let root = best.ok_or(NoRate::OutOfRange)?;
    Ok(Rate { rate: root - 1.0, is_one_of_several: roots.len() > 1 })
}

/// What is of one day together, in the order of days; days that come to nothing left out.
fn by_day(flows: &[Flow]) -> Vec<Flow> {
    let mut sorted = flows.to_vec();
    sorted.sort_by_key(|flow| flow.date);
    let days = sorted.chunk_by(|a, b| a.date == b.date);
    let sums = days.filter_map(|day| {
        let amount: f64 = day.iter().map(|flow| flow.amount).sum();
        day.first().map(|first| Flow { date: first.date, amount })
    });
    sums.filter(|flow| flow.amount != 0.0).collect()
}

/// The simple return of money at work (modified Dietz), by the year.
fn simple_rate(flows: &[Flow], first: NaiveDate, last: NaiveDate) -> Option<f64> {
    let days = days_between(first, last);
    let gain: f64 = flows.iter().map(|flow| flow.amount).sum();
    // The last value is taken out on the last day and was at work for none of them.
    let at_work: f64 =
        flows.iter().map(|flow| -flow.amount * days_between(flow.date, last) / days).sum();
    let grown = 1.0 + gain / at_work;
    (at_work > 0.0 && grown > 0.0).then(|| grown.powf(YEAR / days) - 1.0)
}

fn days_between(first: NaiveDate, last: NaiveDate) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no calendar has so many days")]
    let days = (last - first).num_days() as f64;
    days
}

/// The value of all flows as a function of the logarithm of `1 + r`.
struct Terms {
    /// Amount, and years after the first.
    of: Vec<(f64, f64)>,
    years: f64,
}

impl Terms {
    fn of(first: NaiveDate, last: NaiveDate, flows: &[Flow]) -> Self {
        let years = |date| days_between(first, date) / YEAR;
        let of = flows.iter().map(|flow| (flow.amount, years(flow.date))).collect();
        Self { of, years: years(last) }
    }

    /// The value, times a power of `1 + r` that keeps every term finite and changes no sign: seen
    /// from the first day of gains, from the last day of losses.
    fn value(&self, log: f64) -> f64 {
        let since = if log < 0.0 { self.years } else { 0.0 };
        self.of.iter().map(|(amount, years)| amount * ((since - years) * log).exp()).sum()
    }

    fn changes_of_sign(&self) -> usize {
        let signs: Vec<bool> = self.of.iter().map(|(amount, _)| *amount > 0.0).collect();
        signs.windows(2).filter(|pair| matches!(pair, [a, b] if a != b)).count()
    }

    /// Every `1 + r` at which the value is nothing, between places whose values are known.
    fn roots(&self, values: &[(f64, f64)]) -> Vec<f64> {
        let mut roots = Vec::new();
        for (at, pair) in values.windows(2).enumerate() {
            let [(left, a), (right, b)] = pair else { continue };
            if *a == 0.0 {
                roots.push(left.exp());
            } else if a.signum() != b.signum() && *b != 0.0 {
                roots.push(self.between(*left, *right).exp());
            } else if let Some((next, c)) = values.get(at + 2)
                && b.abs() < a.abs().min(c.abs())
                && a.signum() == c.signum()
                && a.signum() == b.signum()
            {
                // It nearly touches: two roots may be closer to each other than the grid is.
                let turn = self.turn(*left, *next);
                if self.value(turn).signum() != a.signum() {
                    roots.push(self.between(*left, turn).exp());
                    roots.push(self.between(turn, *next).exp());
                }
            }
        }
        roots.extend(values.last().filter(|(_, value)| *value == 0.0).map(|(at, _)| at.exp()));
        roots
    }

    /// The values at both ends.
    fn ends(&self) -> Vec<(f64, f64)> {
        [LEAST, MOST].map(|end| (end.ln(), self.value(end.ln()))).to_vec()
    }

    /// The values at every place of the grid. Seen from the middle, where a year changes nothing,
    /// each term becomes less by the same factor from place to place, so that no power needs to be
    /// taken at any of them.
    fn grid(&self) -> Vec<(f64, f64)> {
        let step = (MOST.ln() - LEAST.ln()) / f64::from(GRID);
        let place = |at: u32| f64::from(at) * step;
        let losses = self.side(step, |years| self.years - years);
        let gains = self.side(step, |years| years);
        let losses = (1..).zip(losses).map(|(at, value)| (-place(at), value));
        let mut values: Vec<_> = losses.collect();
        values.reverse();
        values.push((0.0, self.value(0.0)));
        values.extend((1..).zip(gains).map(|(at, value)| (place(at), value)));
        values
    }

    /// The values on one side of the middle, from there outwards; `exponent`: how many years bear on
    /// a term.
    fn side(&self, step: f64, exponent: impl Fn(f64) -> f64) -> Vec<f64> {
        const LANES: usize = 8;
        let mut terms: Vec<f64> = self.of.iter().map(|(amount, _)| *amount).collect();
        let factor = |(_, years): &(f64, f64)| (-exponent(*years) * step).exp();
        let factors: Vec<f64> = self.of.iter().map(factor).collect();
        let next = |_| {
            // Several sums at a time: one would wait for the addition before it.
            let mut sums = [0.0; LANES];
            for (terms, factors) in terms.chunks_mut(LANES).zip(factors.chunks(LANES)) {
                for ((term, factor), sum) in terms.iter_mut().zip(factors).zip(&mut sums) {
                    *term *= factor;
                    *sum += *term;
                }
            }
            sums.iter().sum()
        };
        (0..GRID / 2).map(next).collect()
    }

    /// The root between two places of unlike signs.
    fn between(&self, mut left: f64, mut right: f64) -> f64 {
        let rises = self.value(left) < 0.0;
        for _ in 0..HALVES {
            let middle = f64::midpoint(left, right);
            if middle <= left || middle >= right {
                break;
            }
            let value = self.value(middle);
            if value == 0.0 {
                return middle;
            }
            if (value < 0.0) == rises {
                left = middle;
            } else {
                right = middle;
            }
        }
        f64::midpoint(left, right)
    }

    /// Where the value is nearest to nothing between two places that lie on either side of that.
    fn turn(&self, mut left: f64, mut right: f64) -> f64 {
        for _ in 0..HALVES {
            let third = (right - left) / 3.0;
            if self.value(left + third).abs() < self.value(right - third).abs() {
                right -= third;
            } else {
                left += third;
            }
        }
        f64::midpoint(left, right)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flows(of: &[(&str, f64)]) -> Vec<Flow> {
        of.iter()
            .map(|(date, amount)| Flow { date: date.parse().unwrap(), amount: *amount })
            .collect()
    }

    #[track_caller]
    fn rate(of: &[(&str, f64)], expected: f64) {
        let found = xirr(&flows(of)).unwrap();
        assert!(!found.is_one_of_several);
        assert!((found.rate - expected).abs() < 1e-10 * (1.0 + expected), "{found:?}");
    }

    #[test]
    fn rates_that_can_be_worked_by_hand() {
        rate(&[("2023-01-01", -100.0), ("2024-01-01", 110.0)], 0.1);
        // Half in the middle of two years: x^2 + x/2 = 2.
        let root = f64::midpoint(-0.5, (0.25_f64 + 8.0).sqrt());
        let half = [("2021-01-01", -100.0), ("2022-01-01", -50.0), ("2023-01-01", 200.0)];
        rate(&half, root - 1.0);
        // In any order, and in parts on one day.
        let parts = [("2024-01-01", 60.0), ("2023-01-01", -90.0), ("2024-01-01", 50.0)];
        rate(&[&parts[..], &[("2023-01-01", -10.0)]].concat(), 0.1);
        // Nothing gained.
        rate(&[("2024-01-01", -5.0), ("2024-01-02", 5.0)], 0.0);
    }

    #[test]
    fn losses_of_nearly_everything() {
        // 60 % in a month of 31 days.
        let month = [("2024-01-01", -100.0), ("2024-02-01", 40.0)];
        rate(&month, 0.4_f64.powf(365.0 / 31.0) - 1.0);
        rate(&[("2023-01-01", -100.0), ("2024-01-01", 0.001)], 1e-5 - 1.0);
        let more = [("2023-01-01", -1e9), ("2024-01-01", 1.0)];
        assert_eq!(xirr(&flows(&more)), Err(NoRate::OutOfRange));
        assert_eq!(xirr(&flows(&[("2023-01-01", -100.0)])), Err(NoRate::OneDay));
        let gone = [("2023-01-01", -100.0), ("2023-05-01", -20.0)];
        assert_eq!(xirr(&flows(&gone)), Err(NoRate::OneSided));
        assert_eq!(xirr(&[]), Err(NoRate::OneSided));
        let same_day = [("2023-01-01", -100.0), ("2023-01-01", 120.0)];
        assert_eq!(xirr(&flows(&same_day)), Err(NoRate::OneDay));
    }

    #[test]
    fn spans_of_one_day_and_of_centuries() {
        rate(&[("2024-01-01", -100.0), ("2024-01-02", 101.0)], 1.01_f64.powf(365.0) - 1.0);
        let day = [("2024-01-01", -100.0), ("2024-01-02", 110.0)];
        assert_eq!(xirr(&flows(&day)), Err(NoRate::OutOfRange));
        let long = [("1700-01-01", -1.0), ("1900-01-01", -5.0), ("2100-01-01", 1e7)];
        let found = xirr(&flows(&long)).unwrap();
        assert!((0.03..0.06).contains(&found.rate), "{found:?}");
        let lost = [("1700-01-01", -1e6), ("2100-01-01", 1e-3)];
        let years = 146_097.0 / 365.0;
        rate(&lost, 1e-9_f64.powf(1.0 / years) - 1.0);
    }

    #[test]
    fn of_several_rates_the_nearest_to_the_simple_one() {
        // (x - 1.1)(x - 1.2) over two years: in, out, in again.
        let two = [("2021-01-01", -100.0), ("2022-01-01", 230.0), ("2023-01-01", -132.0)];
        let found = xirr(&flows(&two)).unwrap();
        assert!(found.is_one_of_several);
        let near = |root: f64| (found.rate - root).abs() < 1e-9;
        assert!(near(0.1) || near(0.2), "{found:?}");
        // Closer to each other than the grid: 1.1 and 1.101.
        let close = [("2021-01-01", -1000.0), ("2022-01-01", 2201.0), ("2023-01-01", -1211.1)];
        let found = xirr(&flows(&close)).unwrap();
        assert!(found.is_one_of_several);
        assert!((0.0999..0.1011).contains(&found.rate), "{found:?}");
        // Signs that change twice, and no rate at all.
        let none = [("2021-01-01", -100.0), ("2022-01-01", 100.0), ("2023-01-01", -100.0)];
        assert_eq!(xirr(&flows(&none)), Err(NoRate::OutOfRange));
    }

    proptest! {
        #[test]
        fn every_place_of_the_grid_has_the_value_of_its_place(
            amounts in prop::collection::vec((0_u64..150_000, -1e5..1e5_f64), 2..40),
        ) {
            let first = NaiveDate::from_ymd_opt(1700, 1, 1).unwrap();
            let day = |at| first + chrono::Days::new(at);
            let flows: Vec<_> =
                amounts.iter().map(|&(at, amount)| Flow { date: day(at), amount }).collect();
            let flows = by_day(&flows);
            let (first, last) = (flows[0].date, flows[flows.len() - 1].date);
            let terms = Terms::of(first, last, &flows);
            let grid = terms.grid();
            prop_assert_eq!(grid.len(), GRID as usize + 1);
            for (at, (log, value)) in (0..).zip(grid) {
                let place = LEAST.ln() + (MOST.ln() - LEAST.ln()) * f64::from(at) / f64::from(GRID);
                prop_assert!((log - place).abs() < 1e-12, "{log} {place}");
                let size: f64 = flows.iter().map(|flow| flow.amount.abs()).sum();
                prop_assert!((value - terms.value(log)).abs() < 1e-10 * size, "{log}: {value}");
            }
        }

        #[test]
        fn at_the_rate_everything_comes_to_nothing(
            amounts in prop::collection::vec((0_u64..8000, -1e5..1e5_f64), 2..40),
        ) {
            let first = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
            let day = |at| first + chrono::Days::new(at);
            let flows: Vec<_> =
                amounts.iter().map(|&(at, amount)| Flow { date: day(at), amount }).collect();
            if let Ok(found) = xirr(&flows) {
                let value = |rate: f64| -> f64 {
                    let years = |flow: &Flow| days_between(first, flow.date) / YEAR;
                    flows.iter().map(|flow| flow.amount / (1.0 + rate).powf(years(flow))).sum()
                };
                // The value is nothing, or passes it within the last digit that is promised.
                let step = 1e-10 * (1.0 + found.rate);
                let (less, more) = (value(found.rate - step), value(found.rate + step));
                let size: f64 = flows.iter().map(|flow| {
                    let years = days_between(first, flow.date) / YEAR;
                    (flow.amount / (1.0 + found.rate).powf(years)).abs()
                }).sum();
                prop_assert!(
                    less.signum() != more.signum() || value(found.rate).abs() <= 1e-9 * size,
                    "{found:?}: {less} {more} {size}"
                );
            }
        }
    }
}
