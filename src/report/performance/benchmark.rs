//! What the same money would have done in one security.

use super::row::{Asked, not_by_year, ratio, tell};
use super::scope::Series;
use super::types::{Reasons, Yardstick};
use crate::analytics::returns::{self, Flow};
use crate::model::Exact;

/// The figures that follow from its price alone.
const RATES: [&str; 2] = ["twr", "twr_annualized"];
/// Those that follow from the flows.
const SUMS: [&str; 3] = ["end_value", "gain", "xirr"];

impl Asked<'_> {
    /// The same flows into the benchmark, each at the close of its day; none: nobody asks.
    pub fn benchmark(&self, series: &Series<'_>, start: Option<&Exact>) -> Option<Yardstick> {
        let security = self.query.benchmark?;
        let grid = &self.world.grid;
        let (from, to) = (series.start, grid.last);
        let mut told = Yardstick {
            symbol: self.scene.symbol(security),
            twr: None,
            twr_annualized: None,
            end_value: None,
            gain: None,
            xirr: None,
            reasons: Reasons::new(),
        };
        let one = |place| grid.worth_since(security, from, place);
        let Some(last) = one(to) else {
            told.lacks(&RATES, "missing_price");
            told.lacks(&SUMS, "missing_price");
            return Some(told);
        };
        let span = (grid.day(to) - grid.day(from)).num_days();
        match one(from) {
            Some(first) => {
                let twr = last.over(&first).approximate() - 1.0;
                told.twr = ratio(twr);
                told.twr_annualized = returns::annualized(twr, span).and_then(ratio);
                if told.twr_annualized.is_none() {
                    told.lacks(&["twr_annualized"], not_by_year(span));
                }
            }
            None => told.lacks(&RATES, "no_price_before_the_span"),
        }
        let lack = series.lack(from, to);
        let Some(start) = start.filter(|_| lack.is_none()) else {
            told.lacks(&SUMS, lack.unwrap_or("unvalued_start"));
            return Some(told);
        };
        let days = series.days.range(from + 1..=to);
        let put_in = days.map(|(place, day)| (*place, day.came.sub(&day.went)));
        let put_in: Vec<_> = [(from, start.clone())].into_iter().chain(put_in).collect();
        let (mut end, mut gain) = (Exact::ZERO, Exact::ZERO);
        for (place, amount) in put_in.iter().filter(|(_, amount)| !amount.is_zero()) {
            let Some(price) = one(*place) else {
                told.lacks(&SUMS, "missing_price");
                return Some(told);
            };
            let Some(later) = last.over(&price).of(amount) else {
                told.lacks(&SUMS, "overflow");
                return Some(told);
            };
            end = end.add(&later);
            gain = gain.add(&later).sub(amount);
        }
        let flow = |(place, amount): &(usize, Exact)| Flow {
            date: grid.day(*place),
            amount: -amount.approximate(),
        };
        let mut flows: Vec<_> = put_in.iter().map(flow).collect();
        flows.push(Flow { date: grid.day(to), amount: end.approximate() });
        told.end_value = tell("end_value", Some(&end), "overflow", &mut told.reasons);
        told.gain = tell("gain", Some(&gain), "overflow", &mut told.reasons);
        match returns::xirr(&flows) {
            Ok(rate) => {
                told.xirr = ratio(rate.rate);
                if rate.is_one_of_several {
                    told.lacks(&["xirr"], "several_roots");
                }
            }
            Err(why) => told.lacks(&["xirr"], why.as_str()),
        }
        Some(told)
    }
}

impl Yardstick {
    /// Notes why figures are not known.
    fn lacks(&mut self, figures: &[&'static str], why: &'static str) {
        self.reasons.extend(figures.iter().map(|figure| (*figure, why)));
    }
}
