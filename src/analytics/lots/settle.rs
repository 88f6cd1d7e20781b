//! What comes meets what is held: the opposite side is closed first, the rest opens a lot.
//!
//! A sale is a lot of negative quantity and negative cost that comes to a position; so is a short
//! that is opened. Thus one rule does for purchases and sales, for longs and shorts.

use chrono::{Months, NaiveDate};

use super::book::Key;
use super::clerk::Clerk;
use super::costs::Costs;
use super::event::Event;
use super::finding::Sink;
use super::pick::{Taken, Way};
use super::pool::Pooling;
use super::rates::Rates;
use super::world::World;
use crate::model::{Dec, Lot, LotMethod, Realization, Running, Term};

/// How long a lot has been held on a day. Shorts are short-term, however long they are open.
#[must_use]
pub fn term(lot: &Lot, on: NaiveDate) -> Term {
    // A year after 29 February is 28 February.
    let anniversary = lot.opened.checked_add_months(Months::new(12));
    match anniversary {
        Some(day) if on > day && !lot.quantity.is_negative() => Term::Long,
        _ => Term::Short,
    }
}

/// What became of a lot that came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    /// How much of it opened a lot, signed.
    pub opened: Dec,
    /// A choice of lots was asked for, and there was none.
    pub fell_back: bool,
}

impl<W: World, S: Sink> Clerk<'_, W, S> {
    /// A lot comes to a position.
    pub fn settle(
        &mut self,
        at: Key,
        event: &Event,
        mut lot: Lot,
        way: Way,
        rates: &Rates,
    ) -> Settled {
        let held = self.held(at);
        let opposite = !held.is_zero() && held.is_negative() != lot.quantity.is_negative();
        if !opposite {
            let opened = lot.quantity;
            self.put(at, lot);
            return Settled { opened, fell_back: false };
        }
        let units = lot.quantity.abs();
        let closing = held.abs().min(units);
        let closed = self.take(at, closing, way);
        let Some(rest) = units.checked_sub(closing) else {
            self.give_up(at);
            return Settled { opened: Dec::ZERO, fell_back: false };
        };
        let mut weights: Vec<Dec> = closed.iter().map(|taken| taken.lot.quantity.abs()).collect();
        if rest.is_positive() {
            weights.push(rest);
        }
        let mut parts = lot.costs().cut(&weights, &mut self.gaps).into_iter();
        let fell_back = way.method == LotMethod::Specific
            && closed.iter().any(|taken| taken.method != LotMethod::Specific);
        let (mut gain_tax, mut gain) = (Running::default(), Running::default());
        for (Taken { lot: closed, method, .. }, part) in closed.iter().zip(parts.by_ref()) {
            let closed = Closed {
                lot: closed,
                quantity: closed.quantity,
                costs: closed.costs(),
                method: *method,
            };
            let realization = self.close(at, event, &closed, part, rates);
            gain_tax.add(realization.gain_tax());
            gain.add(realization.gain());
        }
        if held.is_positive() && self.position(at).pooling == Pooling::Shared {
            self.find_loss(at, event, closing, [gain_tax, gain]);
        }
        let opened = if lot.quantity.is_negative() { -rest } else { rest };
        if let Some(costs) = parts.next() {
            lot.charges = lot.charges_of(opened);
            lot.quantity = opened;
            lot.set_costs(costs);
            self.put(at, lot);
        }
        Settled { opened, fell_back }
    }

    /// A lot is closed for an outlay: negative for what a sale brought. Tells what came of it.
    pub fn close(
        &mut self,
        at: Key,
        event: &Event,
        closed: &Closed<'_>,
        outlay: Costs,
        rates: &Rates,
    ) -> Realization {
        let short = closed.lot.quantity.is_negative();
        let (proceeds, cost) =
            if short { (-closed.costs, outlay) } else { (-outlay, closed.costs) };
        let realization = Realization {
            account: at.0,
            security: at.1,
            opening: Some(closed.lot.opening),
            closing: event.id,
            opened: closed.lot.opened,
            closed: event.date,
            quantity: closed.quantity,
            proceeds: proceeds.local,
            cost: cost.local,
            proceeds_base: proceeds.base,
            cost_base: cost.base,
            gain_fx: rates.gain_fx(closed.costs, &mut self.gaps),
            proceeds_tax: proceeds.tax,
            cost_tax: cost.tax,
            term: term(closed.lot, event.date),
            method: closed.method,
        };
        self.realize(at, realization.clone());
        realization
    }

    /// Cash came for a security of which there is no lot.
    pub fn close_nothing(&mut self, at: Key, event: &Event, outlay: Costs, cost: Costs) {
        let proceeds = -outlay;
        let realization = Realization {
            account: at.0,
            security: at.1,
            opening: None,
            closing: event.id,
            opened: event.date,
            closed: event.date,
            quantity: Dec::ZERO,
            proceeds: proceeds.local,
            cost: cost.local,
            proceeds_base: proceeds.base,
            cost_base: cost.base,
            gain_fx: cost.base.map(|_| Dec::ZERO),
            proceeds_tax: proceeds.tax,
            cost_tax: cost.tax,
            term: Term::Short,
            method: self.way(event).method,
        };
        self.realize(at, realization);
    }

    fn realize(&mut self, at: Key, realization: Realization) {
        let (gain, gain_base) = (realization.gain(), realization.gain_base());
        self.gaps.spilled |= gain.is_none() && realization.proceeds.and(realization.cost).is_some();
        self.gaps.spilled |=
            gain_base.is_none() && realization.proceeds_base.and(realization.cost_base).is_some();
        let position = self.position(at);
        position.realized.add(gain);
        position.realized_base.add(gain_base);
        self.out.realized(realization);
    }
}

/// A lot that is closed, whole or in part.
pub(super) struct Closed<'a> {
    pub lot: &'a Lot,
    /// How much of it; zero: only a part of its cost.
    pub quantity: Dec,
    /// What that had cost, with the lot's sign.
    pub costs: Costs,
    pub method: LotMethod,
}
