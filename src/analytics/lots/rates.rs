//! The rates of one row: from its own currency to that of its security, and on to base and tax.

use super::costs::{Costs, Gaps, quotient};
use super::event::Event;
use super::world::{Rules, World};
use crate::model::{Currency, Dec, Exact};
use chrono::NaiveDate;

/// Money of a row, as the lots convert it; none: a rate is missing, or there are too many digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// In the currency of the security.
    pub local: Option<Dec>,
    /// In the base currency.
    pub base: Option<Dec>,
    /// The rates that are missing.
    pub lacks: Vec<(Currency, Currency)>,
}

/// Converts money of a row in `row` about a security in `local`. A rate that the row itself gives
/// goes before that of the day.
pub fn converted<W: World>(
    world: &W,
    money: &Exact,
    (row, local): (Currency, Currency),
    given: Option<Dec>,
    on: NaiveDate,
) -> Converted {
    let mut gaps = Gaps::default();
    let costs = Rates::new(world, row, local, given, on).convert(money, &mut gaps);
    Converted { local: costs.local, base: costs.base, lacks: gaps.rates }
}

/// From one currency to another: times `over`, divided by `under`.
#[derive(Clone, Debug)]
enum Step {
    Same,
    Times { over: Exact, under: Exact },
    Missing,
}

impl Step {
    fn between<W: World>(world: &W, from: Currency, to: Currency, on: NaiveDate) -> Self {
        if from == to {
            return Self::Same;
        }
        match world.rate(from, to, on) {
            Some(way) if way.num.sign().is_gt() && way.den.sign().is_gt() => {
                Self::Times { over: way.num, under: way.den }
            }
            _ => Self::Missing,
        }
    }

    fn back(&self) -> Self {
        match self {
            Self::Times { over, under } => Self::Times { over: under.clone(), under: over.clone() },
            other => other.clone(),
        }
    }
}

/// The rates of one row on one day.
#[derive(Clone, Debug)]
pub(super) struct Rates {
    row: Currency,
    local: Currency,
    rules: Rules,
    to_local: Step,
    /// From the security's currency.
    to_base: Step,
    /// From the security's currency.
    to_tax: Step,
}

impl Rates {
    /// Of a row in `row` about a security in `local`. A rate that the row itself gives goes
    /// before that of the day.
    pub fn new<W: World>(
        world: &W,
        row: Currency,
        local: Currency,
        given: Option<Dec>,
        on: NaiveDate,
    ) -> Self {
        let rules = *world.rules();
        let to_local = match given.filter(|rate| row != local && rate.is_positive()) {
            Some(rate) => Step::Times { over: Dec::ONE.into(), under: rate.into() },
            None => Step::between(world, row, local, on),
        };
        // A row that is paid in the currency asked for says itself what one unit was worth.
        let onward = |to: Currency| match &to_local {
            way @ Step::Times { .. } if row == to => way.back(),
            _ => Step::between(world, local, to, on),
        };
        let to_base = onward(rules.base);
        let to_tax = if rules.tax == rules.base { to_base.clone() } else { onward(rules.tax) };
        Self { row, local, rules, to_local, to_base, to_tax }
    }

    /// Money of the row in the three currencies.
    pub fn convert(&self, money: &Exact, gaps: &mut Gaps) -> Costs {
        if money.is_zero() {
            return Costs::ZERO;
        }
        let reached = self.to_local(gaps).map(|(over, under)| (money.mul(&over), under));
        let reached = reached.as_ref();
        let local = reached.and_then(|(over, under)| gaps.fits(quotient(over, under)));
        let mut onward = |to: Currency, step: &Step| {
            if to == self.local {
                return local;
            }
            if to == self.row {
                return gaps.fits(money.round(super::costs::PLACES));
            }
            let (over, under) = reached?;
            self.take(step, over, under, to, gaps)
        };
        let base = onward(self.rules.base, &self.to_base);
        let tax = if self.rules.tax == self.rules.base {
            base
        } else {
            onward(self.rules.tax, &self.to_tax)
        };
        Costs { local, base, tax }
    }

    /// What to multiply by and what to divide by, to come to the security's currency.
    pub fn to_local(&self, gaps: &mut Gaps) -> Option<(Exact, Exact)> {
        match &self.to_local {
            Step::Same => Some((Dec::ONE.into(), Dec::ONE.into())),
            Step::Times { over, under } => Some((over.clone(), under.clone())),
            Step::Missing => {
                gaps.lacks(self.row, self.local);
                None
            }
        }
    }

    /// Money in the security's currency in the three currencies.
    pub fn of_local(&self, money: Dec, gaps: &mut Gaps) -> Costs {
        if money.is_zero() {
            return Costs::ZERO;
        }
        let (over, one) = (Exact::from(money), Exact::from(Dec::ONE));
        let base = self.take(&self.to_base, &over, &one, self.rules.base, gaps);
        let tax = if self.rules.tax == self.rules.base {
            base
        } else {
            self.take(&self.to_tax, &over, &one, self.rules.tax, gaps)
        };
        Costs { local: Some(money), base, tax }
    }

    /// The part of a gain in base that the currency made: the cost at today's rate less the cost
    /// at the rate of its day.
    pub fn gain_fx(&self, cost: Costs, gaps: &mut Gaps) -> Option<Dec> {
        let (local, base) = (Exact::from(cost.local?), Exact::from(cost.base?));
        match &self.to_base {
            Step::Same => gaps.fits(local.sub(&base).round(super::costs::PLACES)),
            Step::Times { over, under } => {
                let gain = local.mul(over).sub(&base.mul(under));
                gaps.fits(quotient(&gain, under))
            }
            Step::Missing => {
                gaps.lacks(self.local, self.rules.base);
                None
            }
        }
    }

    fn take(
        &self,
        step: &Step,
        over: &Exact,
        under: &Exact,
        to: Currency,
        gaps: &mut Gaps,
    ) -> Option<Dec> {
        match step {
            Step::Same => gaps.fits(quotient(over, under)),
            Step::Times { over: up, under: down } => {
                gaps.fits(quotient(&over.mul(up), &under.mul(down)))
            }
            Step::Missing => {
                gaps.lacks(self.local, to);
                None
            }
        }
    }
}

/// Money of a row in the base currency, as the lots count it: by the rate that the row itself gives,
/// else by that of its day; none: there is no rate, or it does not fit.
pub fn in_base<W: World>(world: &W, event: &Event, money: &Exact) -> Option<Dec> {
    let local = world.currency_of(event.security);
    let rates = Rates::new(world, event.currency, local, event.fx_rate, event.date);
    rates.convert(money, &mut Gaps::default()).base
}

impl Gaps {
    fn lacks(&mut self, from: Currency, to: Currency) {
        if !self.rates.contains(&(from, to)) {
            self.rates.push((from, to));
        }
    }
}
