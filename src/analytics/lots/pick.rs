//! Choosing lots: which ones leave a position, in which order. It knows neither why they leave nor
//! what they bring.

use std::cmp::Ordering;

use chrono::NaiveDate;

use super::book::Position;
use super::costs::{Gaps, PLACES};
use crate::model::{Dec, Exact, Lot, LotMethod};

/// A quantity has more than 28 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quantity has more than 28 digits")]
pub(super) struct TooManyDigits;

/// How lots are chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub method: LotMethod,
    /// For the method specific: the day on which the lots were acquired.
    pub day: Option<NaiveDate>,
}

impl Way {
    /// Oldest first, where the order does not matter.
    pub const FIFO: Self = Way { method: LotMethod::Fifo, day: None };
}

/// A lot, or a part of one, that left.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub lot: Lot,
    /// The rest of the lot stayed.
    pub split: bool,
    /// The method that chose it.
    pub method: LotMethod,
}

impl Position {
    /// Puts a lot among the others: by acquisition date, after those of the same day.
    pub(super) fn insert(&mut self, lot: Lot) -> Result<(), TooManyDigits> {
        self.quantity = self.quantity.checked_add(lot.quantity).ok_or(TooManyDigits)?;
        if self.lots.back().is_none_or(|last| last.opened <= lot.opened) {
            self.lots.push_back(lot);
        } else {
            let at = self.lots.partition_point(|other| other.opened <= lot.opened);
            self.lots.insert(at, lot);
        }
        Ok(())
    }

    /// Takes so many units out of the lots, or all there are. The quantity has no sign; the lots
    /// keep theirs.
    pub(super) fn pick(
        &mut self,
        quantity: Dec,
        way: Way,
        gaps: &mut Gaps,
    ) -> Result<Vec<Taken>, TooManyDigits> {
        let mut picked = Picked { left: quantity, taken: Vec::new() };
        let mut method = way.method;
        if method == LotMethod::Specific {
            if let Some(day) = way.day {
                self.pick_of_day(day, &mut picked, gaps)?;
            }
            method = LotMethod::Fifo;
        }
        while picked.left.is_positive()
            && let Some(at) = self.next(method)
        {
            let wanted = picked.left;
            let Some(taken) = self.pick_at(at, wanted, method, gaps)? else { break };
            picked.add(taken)?;
        }
        Ok(picked.taken)
    }

    /// The lots that were acquired on a day, in the order in which they came.
    fn pick_of_day(
        &mut self,
        day: NaiveDate,
        picked: &mut Picked,
        gaps: &mut Gaps,
    ) -> Result<(), TooManyDigits> {
        while picked.left.is_positive()
            && let Some(at) = self.lots.iter().position(|lot| lot.opened == day)
        {
            let wanted = picked.left;
            let Some(taken) = self.pick_at(at, wanted, LotMethod::Specific, gaps)? else { break };
            picked.add(taken)?;
        }
        Ok(())
    }

    /// Where the lot is that leaves next.
    fn next(&self, method: LotMethod) -> Option<usize> {
        let last = self.lots.len().checked_sub(1)?;
        match method {
            LotMethod::Lifo => Some(last),
            LotMethod::Hifo => {
                // Lots stand by age, so that of equal ones the oldest is found first.
                let mut lots = self.lots.iter().enumerate();
                let first = lots.next()?;
                let dearest = lots.fold(first, |dearest, lot| {
                    if unit_cost(lot.1, dearest.1).is_gt() { lot } else { dearest }
                });
                Some(dearest.0)
            }
            _ => Some(0),
        }
    }

    /// Takes a lot, or as much of it as is wanted. What stays is whole minus part.
    fn pick_at(
        &mut self,
        at: usize,
        wanted: Dec,
        method: LotMethod,
        gaps: &mut Gaps,
    ) -> Result<Option<Taken>, TooManyDigits> {
        let Some(lot) = self.lots.get_mut(at) else { return Ok(None) };
        if lot.quantity.abs() <= wanted {
            let Some(lot) = self.lots.remove(at) else { return Ok(None) };
            self.quantity = self.quantity.checked_sub(lot.quantity).ok_or(TooManyDigits)?;
            return Ok(Some(Taken { lot, split: false, method }));
        }
        let quantity = if lot.quantity.is_negative() { -wanted } else { wanted };
        let part = lot.split(quantity, gaps)?;
        self.quantity = self.quantity.checked_sub(quantity).ok_or(TooManyDigits)?;
        Ok(Some(Taken { lot: part, split: true, method }))
    }
}

struct Picked {
    left: Dec,
    taken: Vec<Taken>,
}

impl Picked {
    fn add(&mut self, taken: Taken) -> Result<(), TooManyDigits> {
        self.left = self.left.checked_sub(taken.lot.quantity.abs()).ok_or(TooManyDigits)?;
        self.taken.push(taken);
        Ok(())
    }
}

impl Lot {
    /// Takes a part of it, with its share of the costs.
    pub(super) fn split(&mut self, quantity: Dec, gaps: &mut Gaps) -> Result<Self, TooManyDigits> {
        let costs = self.costs().part(&quantity.into(), &self.quantity.into(), gaps);
        let mut part = Self { quantity, charges: self.charges_of(quantity), ..self.clone() };
        part.set_costs(costs);
        let left = self.quantity.checked_sub(quantity).ok_or(TooManyDigits)?;
        self.charges = self.charges_of(left);
        self.quantity = left;
        self.set_costs(self.costs().minus(costs, gaps));
        Ok(part)
    }

    /// The charges of a part of it.
    pub(super) fn charges_of(&self, quantity: Dec) -> Dec {
        let part = Exact::from(self.charges).mul(&quantity.into());
        part.div_round(&self.quantity.into(), PLACES).unwrap_or_default()
    }
}

/// Which of two lots of one side cost more per unit, fees included; an unknown cost is the least of
/// all.
fn unit_cost(a: &Lot, b: &Lot) -> Ordering {
    let cost = |lot: &Lot| Some(Exact::from(lot.cost?).add(&lot.charges.into()));
    match (cost(a), cost(b)) {
        (Some(cost_a), Some(cost_b)) => {
            cost_a.mul(&b.quantity.into()).cmp(&cost_b.mul(&a.quantity.into()))
        }
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}
