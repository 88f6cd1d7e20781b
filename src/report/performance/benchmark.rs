//! What the same money would have done in one security.

use super::row::{Asked, money, ratio};
use super::scope::Series;
use super::types::Yardstick;
use crate::analytics::returns::{self, Flow};
use crate::model::Exact;

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
            reason: None,
        };
        let one = |place| grid.worth_since(security, from, place);
        let Some(last) = one(to) else {
            told.reason = Some("missing_price");
            return Some(told);
        };
        let span = (grid.day(to) - grid.day(from)).num_days();
        match one(from) {
            Some(first) => {
                let twr = last.over(&first).approximate() - 1.0;
                told.twr = ratio(twr);
                told.twr_annualized = returns::annualized(twr, span).and_then(ratio);
            }
            None => told.reason = Some("no_price_before_the_span"),
        }
        let lack = series.lack(from, to);
        let Some(start) = start.filter(|_| lack.is_none()) else {
            told.reason = lack.or(Some("unvalued_start"));
            return Some(told);
        };
        let days = series.days.range(from + 1..=to);
        let put_in = days.map(|(place, day)| (*place, day.came.sub(&day.went)));
        let put_in: Vec<_> = [(from, start.clone())].into_iter().chain(put_in).collect();
        let (mut end, mut gain) = (Exact::ZERO, Exact::ZERO);
        for (place, amount) in put_in.iter().filter(|(_, amount)| !amount.is_zero()) {
            let Some(price) = one(*place) else {
                told.reason = Some("missing_price");
                return Some(told);
            };
            let Some(later) = last.over(&price).of(amount) else {
                told.reason = Some("overflow");
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
        told.end_value = money(&end);
        told.gain = money(&gain);
        told.xirr = returns::xirr(&flows).ok().and_then(|rate| ratio(rate.rate));
        Some(told)
    }
}
