//! Corporate actions that change what a position is made of: how many units, under which name, at
//! what cost.

use std::collections::VecDeque;

use chrono::NaiveDate;

use super::book::{Key, key_for, pool_key};
use super::clerk::Clerk;
use super::costs::{Costs, Gaps, PLACES, total};
use super::event::Event;
use super::finding::{FindingKind, Sink};
use super::pick::Way;
use super::pool::Pooling;
use super::rates::Rates;
use super::settle::Closed;
use super::trade::lot_of;
use super::world::World;
use crate::model::{Dec, Exact, Lot, Ratio, SecurityId};

impl<W: World, S: Sink> Clerk<'_, W, S> {
    /// New units for old ones. Costs and dates stay.
    ///
    /// Accounts that tell of one split some days apart all count new units from the first of these
    /// days on, as the market does, and so do lots that are on their way.
    pub fn split(&mut self, event: &Event, rates: &Rates) {
        let Some(ratio) = usable(event.ratio) else {
            return self.find(event, FindingKind::RatioUnusable, None);
        };
        let (over, under) = (Exact::from(ratio.new), Exact::from(ratio.old));
        let known = self.world.told_splits(event.security).iter();
        let mut known = known
            .enumerate()
            .filter(|(_, split)| split.accounts.get(&event.account) == Some(&event.date))
            .peekable();
        let is_known = known.peek().is_some();
        let due = known.find(|(place, split)| {
            split.day == event.date && self.splits.insert((event.security, *place))
        });
        let mut found = !self.held(event.at()).is_zero();
        match due {
            Some((_, split)) => {
                for &account in split.accounts.keys() {
                    self.resize((account, event.security), event, &over, &under, rates);
                }
                found |= self.resize_transit(event, &over, &under);
            }
            // Another account told of it first.
            None if is_known => {}
            None => self.resize(event.at(), event, &over, &under, rates),
        }
        if !found {
            self.find(event, FindingKind::NothingHeld, None);
        }
    }

    /// Whether an account still tells in old units what others know in new ones.
    pub fn tells_later(&self, at: Key, on: NaiveDate) -> bool {
        self.world.told_splits(at.1).iter().any(|split| {
            split.day <= on && split.accounts.get(&at.0).is_some_and(|told| *told > on)
        })
    }

    /// The same for lots on their way. Tells whether there were any.
    fn resize_transit(&mut self, event: &Event, over: &Exact, under: &Exact) -> bool {
        let on_the_way = self.book.transit.values_mut();
        let mut spilled = false;
        let mut any = false;
        let mut pooled = Vec::new();
        for transit in on_the_way.filter(|transit| transit.security == event.security) {
            any = true;
            let units: Vec<Dec> = transit.lots.iter().map(|lot| lot.quantity).collect();
            let places = places(units.iter().copied().chain([transit.units]));
            let grown = |units: &Exact| units.mul(over).div_round(under, places).ok();
            let before = total(units.iter().copied());
            let resized = grown(&before).and_then(|after| {
                transit.units = grown(&transit.units.into())?;
                Some((after, scaled(&units, after, over, under, places)?))
            });
            let Some((after, parts)) = resized else {
                spilled = true;
                continue;
            };
            let lots = std::mem::take(&mut transit.lots);
            transit.lots = with_units(lots, &parts, &mut self.gaps);
            if transit.pooled {
                pooled.push((transit.from, Exact::from(after).sub(&before)));
            }
        }
        for (from, change) in pooled {
            let key = key_for((from, event.security), Pooling::Shared, false);
            let change = self.gaps.fits(change.round(28));
            if let Some((pool, change)) = self.book.pools.get_mut(&key).zip(change) {
                pool.resize(change, &mut self.gaps);
            }
        }
        self.gaps.spilled |= spilled;
        any
    }

    /// Units for units: the cost spreads over all of them.
    pub fn stock_dividend(&mut self, event: &Event, rates: &Rates) {
        let held = self.held(event.at());
        match (event.units(), usable(event.ratio)) {
            // Nothing is there to spread a cost from: what comes cost nothing.
            (Some(units), _) if held.is_zero() => {
                self.find(event, FindingKind::NothingHeld, Some(units));
                let mut lot = lot_of(event, units);
                lot.set_costs(Costs::ZERO);
                self.settle(event.at(), event, lot, Way::FIFO, rates);
            }
            // Whoever is short owes the new units too.
            (Some(units), _) => match held.abs().checked_add(units) {
                None => self.give_up(event.at()),
                Some(after) => {
                    self.resize(event.at(), event, &after.into(), &held.abs().into(), rates);
                }
            },
            (None, Some(_)) if held.is_zero() => self.find(event, FindingKind::NothingHeld, None),
            (None, Some(ratio)) => {
                let (new, old) = (Exact::from(ratio.new), Exact::from(ratio.old));
                self.resize(event.at(), event, &old.add(&new), &old, rates);
            }
            (None, None) => self.find(event, FindingKind::RatioUnusable, None),
        }
    }

    /// Another name: lots move as they are.
    pub fn change_symbol(&mut self, event: &Event) {
        let Some(to) = event.to_security.filter(|to| *to != event.security) else {
            return self.find(event, FindingKind::MissingTarget, None);
        };
        let held = self.held(event.at());
        if held.is_zero() {
            return self.find(event, FindingKind::NothingHeld, None);
        }
        let multiplier = self.position(event.at()).multiplier;
        self.position((event.account, to)).multiplier = multiplier;
        for taken in self.take(event.at(), held.abs(), Way::FIFO) {
            self.become_lot(event, to, taken.lot);
        }
    }

    /// A lot of one security becomes a lot of another.
    pub fn become_lot(&mut self, event: &Event, to: SecurityId, mut lot: Lot) {
        let costs = self.carry(event, lot.costs(), event.security, to);
        if costs != lot.costs() {
            self.out.recosted(lot.opening, event.id);
        }
        lot.set_costs(costs);
        let currency = self.world.currency_of(to);
        let rates = Rates::new(self.world, currency, currency, None, event.date);
        let way = Way { day: None, ..self.way(event) };
        self.settle((event.account, to), event, lot, way, &rates);
    }

    /// Own money back: it lowers the cost, by quantity; what is more than the cost is a gain.
    ///
    /// Of a lot whose cost is used up the whole cost in base goes too, at the rate of its own day:
    /// the gain in base is what came at today's rate less that, its part from the currency is that
    /// of a sale.
    pub fn return_capital(&mut self, event: &Event, rates: &Rates) {
        let cash = Exact::from(event.amount).add(&event.fee.into()).add(&event.tax.into());
        let returned = rates.convert(&cash, &mut self.gaps);
        let at = event.at();
        let Some(position) = self.book.positions.get_mut(&at).filter(|it| !it.lots.is_empty())
        else {
            self.find(event, FindingKind::NothingHeld, None);
            return self.close_nothing(at, event, -returned, Costs::ZERO);
        };
        let mut gains = Vec::new();
        if position.pooling == Pooling::None {
            let weights: Vec<Dec> = position.lots.iter().map(|lot| lot.quantity).collect();
            let parts = returned.cut(&weights, &mut self.gaps);
            for (lot, part) in position.lots.iter_mut().zip(parts) {
                let lowered = lower(lot.costs(), part, lot, rates, &mut self.gaps);
                gains.extend(lowered.gain.map(|gain| (lot.clone(), gain)));
                lot.set_costs(lowered.costs);
                self.out.recosted(lot.opening, event.id);
            }
        } else if let (Some(pool), Some(lot)) =
            (self.book.pools.get_mut(&pool_key(at, position)), position.lots.front())
        {
            let lowered = lower(pool.costs(), returned, lot, rates, &mut self.gaps);
            gains.extend(lowered.gain.map(|gain| (lot.clone(), gain)));
            pool.set_costs(lowered.costs);
        }
        if gains.is_empty() {
            return;
        }
        self.find(event, FindingKind::ReturnBeyondCost, None);
        let method = self.way(event).method;
        for (lot, gain) in gains {
            let closed = Closed { lot: &lot, quantity: Dec::ZERO, costs: gain.cost, method };
            self.close(at, event, &closed, -gain.proceeds, rates);
        }
    }

    /// All lots of a position times `over / under`.
    fn resize(&mut self, at: Key, event: &Event, over: &Exact, under: &Exact, rates: &Rates) {
        let held = self.held(at);
        if held.is_zero() {
            return;
        }
        let units: Vec<Dec> = self.position(at).lots.iter().map(|lot| lot.quantity.abs()).collect();
        let places = places(units.iter().copied());
        let Ok(total) = Exact::from(held.abs()).mul(over).div_round(under, places) else {
            return self.give_up(at);
        };
        if total.is_zero() {
            self.find(event, FindingKind::RatioLeavesNothing, Some(held));
            let mut lot = lot_of(event, -held);
            lot.set_costs(Costs::ZERO);
            self.settle(at, event, lot, Way::FIFO, rates);
            return;
        }
        let Some(parts) = scaled(&units, total, over, under, places) else {
            return self.give_up(at);
        };
        let after = if held.is_negative() { -total } else { total };
        let Some(change) = after.checked_sub(held) else { return self.give_up(at) };
        let position = self.position(at);
        let (pooling, key) = (position.pooling, pool_key(at, position));
        position.quantity = after;
        let lots = std::mem::take(&mut position.lots);
        let lots = with_units(lots.into(), &parts, &mut self.gaps);
        self.position(at).lots = lots.into();
        if pooling != Pooling::None
            && let Some(pool) = self.book.pools.get_mut(&key)
        {
            pool.resize(change, &mut self.gaps);
        }
    }

    /// The lots of a position, as they stand.
    pub fn lots_of(&self, at: Key) -> VecDeque<Lot> {
        self.book.positions.get(&at).map(|position| position.lots.clone()).unwrap_or_default()
    }
}

/// A ratio of two positive numbers.
pub(super) fn usable(ratio: Option<Ratio>) -> Option<Ratio> {
    ratio.filter(|ratio| ratio.new.is_positive() && ratio.old.is_positive())
}

/// With how many decimals quantities are divided: never coarser than they are.
pub(super) fn places(quantities: impl Iterator<Item = Dec>) -> u32 {
    quantities.map(|quantity| quantity.inner().scale()).max().unwrap_or(0).max(PLACES)
}

/// Each quantity times `over / under`, together exactly `total`: the last one takes the rest.
pub(super) fn scaled(
    units: &[Dec],
    total: Dec,
    over: &Exact,
    under: &Exact,
    places: u32,
) -> Option<Vec<Dec>> {
    let mut left = total;
    let mut parts = Vec::with_capacity(units.len());
    for &quantity in units.split_last().map_or(&[][..], |(_, firsts)| firsts) {
        let part = Exact::from(quantity).mul(over).div_round(under, places).ok()?;
        // Many small parts, each rounded up, must not come to more than there is.
        let part = part.min(left);
        left = left.checked_sub(part)?;
        parts.push(part);
    }
    parts.push(left);
    Some(parts)
}

/// Lots with other quantities. The cost of one that comes to nothing goes to its neighbour.
pub(super) fn with_units(lots: Vec<Lot>, units: &[Dec], gaps: &mut Gaps) -> Vec<Lot> {
    let mut kept: Vec<Lot> = Vec::with_capacity(lots.len());
    let mut homeless = Costs::ZERO;
    for (mut lot, &part) in lots.into_iter().zip(units) {
        if part.is_zero() {
            homeless = homeless.plus(lot.costs(), gaps);
            continue;
        }
        lot.quantity = if lot.quantity.is_negative() { -part } else { part };
        lot.set_costs(lot.costs().plus(homeless, gaps));
        homeless = Costs::ZERO;
        kept.push(lot);
    }
    if let Some(last) = kept.last_mut() {
        last.set_costs(last.costs().plus(homeless, gaps));
    }
    kept
}

/// What a return of capital leaves of a cost, and what it brings beyond it.
struct Lowered {
    costs: Costs,
    gain: Option<Gain>,
}

struct Gain {
    proceeds: Costs,
    cost: Costs,
}

/// Lowers a cost to zero, not below; that of a short is what it brought, and has no such end.
fn lower(costs: Costs, returned: Costs, lot: &Lot, rates: &Rates, gaps: &mut Gaps) -> Lowered {
    let (Some(cost), Some(back)) = (costs.local, returned.local) else {
        return Lowered { costs: costs.minus(returned, gaps), gain: None };
    };
    if lot.quantity.is_negative() || back <= cost.max(Dec::ZERO) {
        return Lowered { costs: costs.minus(returned, gaps), gain: None };
    }
    let used = rates.of_local(cost.max(Dec::ZERO), gaps);
    let proceeds = returned.minus(used, gaps);
    if cost.is_negative() {
        return Lowered { costs, gain: Some(Gain { proceeds, cost: Costs::ZERO }) };
    }
    let cost = costs.minus(used, gaps);
    Lowered { costs: Costs::ZERO, gain: Some(Gain { proceeds, cost }) }
}
