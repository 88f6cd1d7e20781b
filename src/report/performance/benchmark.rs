//! What the same money would have done in one security.

use super::row::{Asked, ratio};
use super::scope::Series;
use super::types::Yardstick;
use crate::analytics::returns::{self, Flow};
use crate::model::{Dec, Exact};

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
        // One unit of `from` is several of a later day where it was split between.
        let one = |place| {
            let price = grid.value(&Dec::ONE.into(), security, place)?;
            Some(price.approximate() * grid.units_since(security, from, place))
        };
        let Some(last) = one(to).filter(|last| *last > 0.0) else {
            told.reason = Some("missing_price");
            return Some(told);
        };
        let span = (grid.day(to) - grid.day(from)).num_days();
        match one(from).filter(|first| *first > 0.0) {
            Some(first) => {
                let twr = last / first - 1.0;
                told.twr = ratio(twr);
                told.twr_annualized = returns::annualized(twr, span).and_then(ratio);
            }
            None => told.reason = Some("no_price_before_the_span"),
        }
        let invested = start.map(Exact::approximate);
        let lack = series.lack(from, to);
        let Some(invested) = invested.filter(|_| lack.is_none()) else {
            told.reason = lack.or(Some("unvalued_start"));
            return Some(told);
        };
        let mut flows = vec![Flow { date: grid.day(from), amount: -invested }];
        for (place, day) in series.days.range(from + 1..=to) {
            let amount = day.went.sub(&day.came).approximate();
            flows.push(Flow { date: grid.day(*place), amount });
        }
        let mut units = 0.0;
        for flow in flows.iter().filter(|flow| flow.amount != 0.0) {
            let Some(price) = one(grid.place(flow.date)).filter(|price| *price > 0.0) else {
                told.reason = Some("missing_price");
                return Some(told);
            };
            units -= flow.amount / price;
        }
        let end = units * last;
        let put_in: f64 = flows.iter().map(|flow| flow.amount).sum();
        told.end_value = ratio(end);
        told.gain = ratio(end + put_in);
        flows.push(Flow { date: grid.day(to), amount: end });
        told.xirr = returns::xirr(&flows).ok().and_then(|rate| ratio(rate.rate));
        Some(told)
    }
}
