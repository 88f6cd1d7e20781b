//! Lots that move between own accounts with their dates and costs, come from outside or go there.
//!
//! The leg of the earlier day moves the lots: an out leg puts them on their way, an in leg fetches
//! them. On one day the out leg goes first. What one leg has more than the other came from outside
//! or went there. Where several rows bring what one sends, or the other way round, each pair of them
//! is a move of its own.

use super::book::{Key, Transit, give, key_for};
use super::clerk::Clerk;
use super::costs::Costs;
use super::event::{Event, Peer};
use super::finding::{FindingKind, Sink};
use super::pick::{Taken, Way};
use super::pool::Pooling;
use super::rates::Rates;
use super::trade::lot_of;
use super::world::World;
use crate::model::{Dec, Exact, Lot, Subtype};

impl<W: World, S: Sink> Clerk<'_, W, S> {
    /// Finds the out legs of a day.
    pub fn expect_legs(&mut self, events: &[Event]) {
        let leaves = events.iter().filter(|event| event.subtype == Subtype::TransferOut);
        self.expected.extend(leaves.filter_map(|event| Some(event.move_with(event.other_leg()?))));
    }

    /// Whether a leg comes whose out leg is of the same day and did not leave yet: what it brings
    /// is what the rows before the out leg left there.
    pub fn must_wait(&self, event: &Event) -> bool {
        event.subtype == Subtype::TransferIn
            && event.other_leg().is_some_and(|peer| self.expected.contains(&event.move_with(peer)))
    }

    /// Whether all the lots that a leg is to bring are there.
    pub fn can_fetch(&self, event: &Event) -> bool {
        event.other_leg().is_some_and(|peer| {
            let wanted = event.units().unwrap_or_default().min(sent(peer).unwrap_or_default());
            self.held((peer.account, event.security)) >= wanted
        })
    }

    /// Securities come to an account.
    pub fn transfer_in(&mut self, event: &Event, rates: &Rates) {
        let Some(units) = event.units() else {
            return self.find(event, FindingKind::MissingQuantity, None);
        };
        let Some(peer) = self.partner_or_finding(event) else {
            return self.come(event, units, rates);
        };
        let id = event.move_with(peer);
        let (units, meant) = self.in_new_units(event, peer, units);
        let lots = if let Some(transit) = self.book.transit.remove(&id) {
            self.arrive(event, transit)
        } else if peer.date > event.date || self.expected.contains(&id) {
            self.fetch(event, peer, units)
        } else {
            self.find(event, FindingKind::TransferWithoutOtherLeg, Some(units));
            Vec::new()
        };
        if meant != Some(units) {
            self.find(event, FindingKind::TransferQuantitiesDiffer, meant);
        }
        let way = Way { day: None, ..self.way(event) };
        let mut left = units;
        for mut lot in lots {
            if left < lot.quantity {
                let Ok(part) = lot.split(left, &mut self.gaps) else {
                    return self.give_up(event.at());
                };
                lot = part;
            }
            let Some(rest) = left.checked_sub(lot.quantity) else {
                return self.give_up(event.at());
            };
            left = rest;
            if lot.quantity.is_positive() {
                self.settle(event.at(), event, lot, way, rates);
            }
        }
        if left.is_positive() {
            self.come(event, left, rates);
        }
    }

    /// How many units come and how many were sent to come, where a split happened on their way.
    fn in_new_units(&self, event: &Event, peer: &Peer, units: Dec) -> (Dec, Option<Dec>) {
        let Some(transit) = self.book.transit.get(&event.move_with(peer)) else {
            return (units, sent(peer));
        };
        // An account that books the split later says old units until then.
        let old = units == transit.sent && self.tells_later(event.at(), event.date);
        (if old { transit.units } else { units }, Some(transit.units))
    }

    /// Securities go from an account.
    pub fn transfer_out(&mut self, event: &Event, rates: &Rates) {
        let id = event.other_leg().map(|peer| event.move_with(peer));
        if let Some(id) = id {
            self.expected.remove(&id);
        }
        let Some(units) = event.units() else {
            return self.find(event, FindingKind::MissingQuantity, None);
        };
        if let Some(moved) = id.and_then(|id| self.book.moved.remove(&id)) {
            return self.send_rest(event, units, moved, rates);
        }
        match self.partner_or_finding(event) {
            Some(peer) if peer.date >= event.date => self.send(event, peer, units, rates),
            partner => {
                if partner.is_some() {
                    self.find(event, FindingKind::TransferWithoutOtherLeg, Some(units));
                }
                self.depart(event, units, rates);
            }
        }
    }

    /// The in leg came first and fetched its lots. What it did not want goes outside.
    fn send_rest(&mut self, event: &Event, units: Dec, moved: Dec, rates: &Rates) {
        let left = self.less(event.at(), units, moved);
        if !left.is_positive() {
            return;
        }
        let differ = event.peer.as_ref().and_then(sent) != Some(units);
        let kind = if differ {
            FindingKind::TransferQuantitiesDiffer
        } else {
            FindingKind::TransferWithoutOtherLeg
        };
        self.find(event, kind, Some(left));
        self.depart(event, left, rates);
    }

    /// Units come from outside at the price of the row, or at an unknown cost.
    pub fn come(&mut self, event: &Event, quantity: Dec, rates: &Rates) {
        let opened = event.acquired.unwrap_or(event.date);
        let costs = match event.price {
            Some(price) => {
                let worth = Exact::from(quantity).mul(&price.into()).mul(&event.multiplier.into());
                self.rates(event, opened).convert(&worth, &mut self.gaps)
            }
            None => {
                self.find(event, FindingKind::MissingCost, Some(quantity));
                Costs::UNKNOWN
            }
        };
        // A row that says nothing of it is no reason to forget what a trade said.
        if event.multiplier != Dec::ONE {
            self.position(event.at()).multiplier = event.multiplier;
        }
        let mut lot = Lot { opened, ..lot_of(event, quantity) };
        lot.set_costs(costs);
        let way = Way { day: None, ..self.way(event) };
        self.settle(event.at(), event, lot, way, rates);
    }

    /// Units go outside without a gain; more than there are go short, at an unknown cost.
    fn depart(&mut self, event: &Event, units: Dec, rates: &Rates) {
        let rest = self.leave(event, units);
        self.go_short(event, rest, rates);
    }

    /// Takes what there is of so many units, and tells how many there were not.
    pub fn leave(&mut self, event: &Event, units: Dec) -> Dec {
        let leaving = units.min(self.long(event.at()));
        self.take(event.at(), leaving, self.way(event));
        self.less(event.at(), units, leaving)
    }

    fn go_short(&mut self, event: &Event, units: Dec, rates: &Rates) {
        if units.is_positive() {
            self.find(event, FindingKind::MovedBeyondPosition, Some(units));
            self.settle(event.at(), event, lot_of(event, -units), Way::FIFO, rates);
        }
    }

    /// Puts lots on their way to the other account.
    fn send(&mut self, event: &Event, peer: &Peer, units: Dec, rates: &Rates) {
        let at = event.at();
        let leaving = units.min(self.long(at));
        // Between accounts that share a pool nothing changes in it, however long the way is.
        let pooled = self.position(at).pooling == Pooling::Shared
            && self.position((peer.account, event.security)).pooling == Pooling::Shared;
        let taken = if pooled {
            self.take_lots(at, leaving, self.way(event))
        } else {
            self.take(at, leaving, self.way(event))
        };
        let transit = Transit {
            from: event.account,
            to: peer.account,
            security: event.security,
            left: event.date,
            sent: event.units().unwrap_or_default(),
            units: event.units().unwrap_or_default(),
            multiplier: self.position(at).multiplier,
            lots: self.moving(event, at, taken),
            pooled,
        };
        self.book.transit.insert(event.move_with(peer), transit);
        let rest = self.less(at, units, leaving);
        self.go_short(event, rest, rates);
    }

    /// Takes lots from the account whose own leg comes later.
    fn fetch(&mut self, event: &Event, peer: &Peer, units: Dec) -> Vec<Lot> {
        let from = (peer.account, event.security);
        let leaving = units.min(sent(peer).unwrap_or_default()).min(self.long(from));
        let way = Way { method: self.world.account(peer.account).method, ..Way::FIFO };
        let taken = self.take(from, leaving, way);
        self.book.moved.insert(event.move_with(peer), leaving);
        let multiplier = self.position(from).multiplier;
        self.position(event.at()).multiplier = multiplier;
        self.moving(event, from, taken)
    }

    /// The lots that were on their way, with their costs.
    fn arrive(&mut self, event: &Event, transit: Transit) -> Vec<Lot> {
        let mut lots = transit.lots;
        if transit.pooled {
            let key = key_for((transit.from, transit.security), Pooling::Shared, false);
            let costs = self.leave_pool(key, lots.iter());
            give(costs, lots.iter_mut(), &mut self.gaps);
        }
        self.position(event.at()).multiplier = transit.multiplier;
        lots
    }

    /// Lots on the move: a part of one that stays has a number of its own.
    fn moving(&mut self, event: &Event, from: Key, taken: Vec<Taken>) -> Vec<Lot> {
        let averaged = self.position(from).pooling != Pooling::None;
        let mut lots = Vec::with_capacity(taken.len());
        for Taken { mut lot, split, .. } in taken {
            if split {
                lot.piece = self.next_piece();
            }
            if averaged {
                self.out.recosted(lot.opening, event.id);
            }
            lots.push(lot);
        }
        lots
    }

    /// How many there are to move.
    fn long(&self, at: Key) -> Dec {
        self.held(at).max(Dec::ZERO)
    }

    fn less(&mut self, at: Key, units: Dec, gone: Dec) -> Dec {
        units.checked_sub(gone).unwrap_or_else(|| {
            self.give_up(at);
            Dec::ZERO
        })
    }

    fn partner_or_finding<'e>(&mut self, event: &'e Event) -> Option<&'e Peer> {
        let partner = event.other_leg();
        if event.peer.is_some() && partner.is_none() {
            self.find(event, FindingKind::TransferWithoutOtherLeg, event.units());
        }
        partner
    }
}

/// How many the other leg says.
fn sent(peer: &Peer) -> Option<Dec> {
    peer.quantity.map(Dec::abs)
}
