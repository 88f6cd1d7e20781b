//! Spin-offs and mergers: a part of the cost moves to another security, a part is sold for cash.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::book::{Key, pool_key};
use super::clerk::Clerk;
use super::corporate::{places, scaled, usable, with_units};
use super::costs::Costs;
use super::event::Event;
use super::finding::{FindingKind, Sink};
use super::pick::Way;
use super::pool::{Pool, Pooling};
use super::rates::Rates;
use super::settle::Closed;
use super::trade::lot_of;
use super::world::World;
use crate::analytics::splits::DAYS;
use crate::model::{AccountId, Dec, Exact, Lot, SecurityId, TransactionId, days};

/// A spin-off that the accounts of a shared pool tell one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SharedSpinOff {
    /// When the first of them told of it.
    #[serde(with = "days")]
    day: NaiveDate,
    /// The pool before that.
    before: Pool,
    /// The rows so far.
    told: BTreeMap<AccountId, TransactionId>,
}

impl SharedSpinOff {
    /// Whether a row tells of another one: its account told of this already, or it is long ago.
    fn ended(&self, event: &Event) -> bool {
        let again = self.told.get(&event.account).is_some_and(|row| *row != event.id);
        again || self.told.is_empty() || (event.date - self.day).num_days() > DAYS
    }
}

/// A part of a whole.
#[derive(Clone, Debug)]
struct Part {
    over: Exact,
    under: Exact,
}

impl Part {
    fn share(share: Dec) -> Self {
        Self { over: share.into(), under: Dec::ONE.into() }
    }

    /// The rest of the whole.
    fn rest(&self) -> Self {
        Self { over: self.under.sub(&self.over), under: self.under.clone() }
    }

    /// Whether both together are more than the whole.
    fn exceeds_with(&self, other: &Self) -> bool {
        let sum = self.over.mul(&other.under).add(&other.over.mul(&self.under));
        sum > self.under.mul(&other.under)
    }
}

/// What the three outcomes of a reorganization are worth on its day, in one unit.
struct Worth {
    new: Exact,
    old: Exact,
    cash: Exact,
}

impl Worth {
    fn part(&self, of: &Exact) -> Part {
        Part { over: of.clone(), under: self.new.add(&self.old).add(&self.cash) }
    }
}

impl<W: World, S: Sink> Clerk<'_, W, S> {
    /// A security bears another: the new lots mirror the old ones.
    pub fn spin_off(&mut self, event: &Event, rates: &Rates) {
        let Some((to, arriving)) = self.target(event, rates) else { return };
        let (at, held) = (event.at(), self.held(event.at()));
        let cash = self.cash(event, rates);
        let worth = self.worth(event, to, arriving, held.abs(), cash);
        let moving = match event.cost_share {
            Some(share) => Some(Part::share(share)),
            None => worth.as_ref().map(|worth| worth.part(&worth.new)),
        };
        let mut paid = cash.and(worth.as_ref()).map(|worth| worth.part(&worth.cash));
        if moving.is_none() || (cash.is_some() && paid.is_none()) {
            self.find(event, FindingKind::MissingPrice, None);
        }
        if let (Some(moving), Some(part)) = (&moving, &paid)
            && moving.exceeds_with(part)
        {
            self.find(event, FindingKind::ShareTooLarge, None);
            paid = Some(moving.rest());
        }
        let mut lots: Vec<Lot> = self.lots_of(at).into();
        let count = lots.len();
        let sold = match &paid {
            Some(part) => self.parts(event, to, part),
            None => vec![Costs::UNKNOWN; count],
        };
        let moved = match &moving {
            Some(part) => self.parts(event, to, part),
            None => vec![Costs::UNKNOWN; count],
        };
        // Cash of an unknown share takes nothing from the cost; an unknown share of the new
        // security leaves an unknown cost.
        if paid.is_some() {
            self.lower_costs(at, &sold);
        }
        self.lower_costs(at, &moved);
        if let Some(cash) = cash {
            self.sell_for_cash(event, &lots, &sold, cash, rates);
        }
        for (lot, costs) in lots.iter_mut().zip(moved) {
            self.out.recosted(lot.opening, event.id);
            self.out.recosted(event.id, lot.opening);
            lot.set_costs(costs);
            lot.charges = Dec::ZERO;
            lot.opening = event.id;
            lot.piece = self.next_piece();
        }
        self.move_lots(event, to, lots, arriving, held);
    }

    /// A security becomes another: its lots move with their dates, a part of the cost is sold for
    /// cash.
    pub fn merge(&mut self, event: &Event, rates: &Rates) {
        let Some((to, arriving)) = self.target(event, rates) else { return };
        let (at, held) = (event.at(), self.held(event.at()));
        let cash = self.cash(event, rates);
        let keeps = match (cash, event.cost_share) {
            (None, share) => {
                if share.is_some_and(|share| share != Dec::ONE) {
                    self.find(event, FindingKind::ShareUnused, None);
                }
                Some(Part::share(Dec::ONE))
            }
            (Some(_), Some(share)) => Some(Part::share(share)),
            (Some(_), None) => {
                let worth = self.worth(event, to, arriving, Dec::ZERO, cash);
                worth.map(|worth| worth.part(&worth.new))
            }
        };
        if keeps.is_none() {
            self.find(event, FindingKind::MissingPrice, None);
        }
        let taken = self.take(at, held.abs(), Way::FIFO);
        let mut lots: Vec<Lot> = taken.into_iter().map(|taken| taken.lot).collect();
        let mut sold = Vec::with_capacity(lots.len());
        for lot in &mut lots {
            let whole = lot.costs();
            let moved = match &keeps {
                Some(part) if cash.is_some() => whole.part(&part.over, &part.under, &mut self.gaps),
                Some(_) => whole,
                None => Costs::UNKNOWN,
            };
            if moved != whole {
                self.out.recosted(lot.opening, event.id);
            }
            sold.push(whole.minus(moved, &mut self.gaps));
            lot.set_costs(moved);
        }
        if let Some(cash) = cash {
            self.sell_for_cash(event, &lots, &sold, cash, rates);
        }
        self.move_lots(event, to, lots, arriving, held);
    }

    /// The new security and how many units of it come. Where nothing is held there is nothing to
    /// move, and what comes has an unknown cost.
    fn target(&mut self, event: &Event, rates: &Rates) -> Option<(SecurityId, Dec)> {
        let Some(to) = event.to_security else {
            self.find(event, FindingKind::MissingTarget, None);
            return None;
        };
        let held = self.held(event.at());
        let by_ratio = usable(event.ratio).and_then(|ratio| {
            let grown = Exact::from(held.abs()).mul(&ratio.new.into());
            grown.div_round(&ratio.old.into(), places([held].into_iter())).ok()
        });
        let arriving = event.units().or(by_ratio);
        if !held.is_zero() {
            if arriving.is_none() {
                self.find(event, FindingKind::RatioUnusable, None);
            }
            return Some((to, arriving?));
        }
        self.find(event, FindingKind::NothingHeld, event.units());
        if let Some(cash) = self.cash(event, rates) {
            self.close_nothing(event.at(), event, -cash, Costs::UNKNOWN);
        }
        if let Some(units) = event.units() {
            self.become_lot(event, to, lot_of(event, units));
        }
        None
    }

    /// The cash that comes with it.
    fn cash(&mut self, event: &Event, rates: &Rates) -> Option<Costs> {
        event.amount.is_positive().then(|| -self.outlay(event, rates))
    }

    /// What everything is worth on the day, by its closes; none: a price or rate is missing, or
    /// the prices are not above zero.
    fn worth(
        &mut self,
        event: &Event,
        to: SecurityId,
        arriving: Dec,
        staying: Dec,
        cash: Option<Costs>,
    ) -> Option<Worth> {
        let close = |security, units: Dec| {
            if units.is_zero() {
                return Some(Exact::ZERO);
            }
            let close = self.world.close(security, event.date)?;
            close.is_positive().then(|| Exact::from(close).mul(&units.into()))
        };
        let (new, old) = (close(to, arriving)?, close(event.security, staying)?);
        let cash = match cash {
            Some(cash) => Exact::from(cash.local?),
            None => Exact::ZERO,
        };
        let (from, into) = (self.world.currency_of(to), self.world.currency_of(event.security));
        let rates = Rates::new(self.world, from, into, None, event.date);
        let (over, under) = rates.to_local(&mut self.gaps)?;
        let worth = Worth { new: new.mul(&over), old: old.mul(&under), cash: cash.mul(&under) };
        let whole = worth.new.add(&worth.old).add(&worth.cash);
        (whole.sign().is_gt() && !worth.cash.sign().is_lt()).then_some(worth)
    }

    /// Cash for a part of the cost of each lot, by quantity.
    fn sell_for_cash(
        &mut self,
        event: &Event,
        lots: &[Lot],
        sold: &[Costs],
        cash: Costs,
        rates: &Rates,
    ) {
        let weights: Vec<Dec> = lots.iter().map(|lot| lot.quantity).collect();
        let parts = cash.cut(&weights, &mut self.gaps);
        let method = self.way(event).method;
        for ((lot, costs), part) in lots.iter().zip(sold).zip(parts) {
            let closed = Closed { lot, quantity: Dec::ZERO, costs: *costs, method };
            self.close(event.at(), event, &closed, -part, rates);
        }
    }

    /// Lots become lots of the new security, together so many units.
    fn move_lots(
        &mut self,
        event: &Event,
        to: SecurityId,
        lots: Vec<Lot>,
        arriving: Dec,
        held: Dec,
    ) {
        let units: Vec<Dec> = lots.iter().map(|lot| lot.quantity.abs()).collect();
        let places = places(units.iter().copied().chain([arriving]));
        let (over, under) = (Exact::from(arriving), Exact::from(held.abs()));
        let Some(parts) = scaled(&units, arriving, &over, &under, places) else {
            return self.give_up((event.account, to));
        };
        for lot in with_units(lots, &parts, &mut self.gaps) {
            self.become_lot(event, to, lot);
        }
    }

    /// That part of the cost of each lot.
    fn parts(&mut self, event: &Event, to: SecurityId, part: &Part) -> Vec<Costs> {
        let at = event.at();
        let Some(position) = self.book.positions.get(&at) else { return Vec::new() };
        if position.pooling == Pooling::None {
            let costs = position.lots.iter().map(Lot::costs);
            let gaps = &mut self.gaps;
            return costs.map(|costs| costs.part(&part.over, &part.under, gaps)).collect();
        }
        let key = pool_key(at, position);
        let Some(pool) = self.book.pools.get(&key) else { return Vec::new() };
        let mut pool = pool.clone();
        if position.pooling == Pooling::Shared {
            // Each account books its own row of the one event: every part is one of the whole
            // that was there before the first of them.
            let spin_off = self.book.spin_offs.entry((key, to)).or_default();
            if spin_off.ended(event) {
                *spin_off = SharedSpinOff { day: event.date, before: pool, ..Default::default() };
            }
            spin_off.told.insert(event.account, event.id);
            pool = spin_off.before.clone();
        }
        let over = part.over.mul(&position.quantity.into());
        let costs = pool.part(&over, &part.under, &mut self.gaps);
        let weights: Vec<Dec> = position.lots.iter().map(|lot| lot.quantity).collect();
        costs.cut(&weights, &mut self.gaps)
    }

    /// Takes a part of the cost from each lot; their quantities stay.
    fn lower_costs(&mut self, at: Key, parts: &[Costs]) {
        let Some(position) = self.book.positions.get_mut(&at) else { return };
        if position.pooling == Pooling::None {
            for (lot, part) in position.lots.iter_mut().zip(parts) {
                lot.set_costs(lot.costs().minus(*part, &mut self.gaps));
            }
            return;
        }
        if let Some(pool) = self.book.pools.get_mut(&pool_key(at, position)) {
            for part in parts {
                pool.lower(*part, &mut self.gaps);
            }
        }
    }
}
