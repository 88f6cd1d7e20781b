//! How much there is of what a row may move: asked before and after it, this tells what it moved
//! and where.

use std::collections::BTreeMap;

use super::book::Book;
use super::event::Event;
use crate::model::{AccountId, Dec, Lot, SecurityId};

/// Where units are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In an account.
    In(AccountId),
    /// On their way from one to another.
    Between(AccountId, AccountId),
}

impl Place {
    /// The accounts it lies between, the lower id first; twice the same: it is one.
    #[must_use]
    pub fn ends(self) -> (AccountId, AccountId) {
        match self {
            Self::In(account) => (account, account),
            Self::Between(from, to) => (from.min(to), from.max(to)),
        }
    }
}

/// Units of a security at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stock {
    /// Where.
    pub place: Place,
    /// Of what.
    pub security: SecurityId,
    /// How many; none: it does not fit, or something of it does not.
    pub quantity: Option<Dec>,
    /// How many of the underlying thing one unit is.
    pub multiplier: Dec,
}

impl Book {
    /// What a row can move: what it names in its account and in that of its other leg, what that
    /// becomes, and what is on the way between the two.
    #[must_use]
    pub fn touched_by(&self, event: &Event) -> Vec<Stock> {
        let mut found = vec![self.stock(event.account, event.security)];
        if let Some(to) = event.to_security.filter(|to| *to != event.security) {
            found.push(self.stock(event.account, to));
        }
        if let Some(peer) = event.other_leg() {
            found.push(self.stock(peer.account, event.security));
            let id = event.move_with(peer);
            let (from, to) = if id.out == event.id {
                (event.account, peer.account)
            } else {
                (peer.account, event.account)
            };
            let on_its_way = self.transit.get(&id);
            found.push(Stock {
                place: Place::Between(from, to),
                security: event.security,
                quantity: on_its_way.map_or(Some(Dec::ZERO), super::Transit::quantity),
                multiplier: on_its_way.map_or(Dec::ONE, |it| it.multiplier),
            });
        }
        found
    }

    /// Everything there is, and everything there was in an account.
    #[must_use]
    pub fn stocks(&self) -> Vec<Stock> {
        let keys = self.positions.keys();
        let mut found: Vec<_> = keys.map(|(account, of)| self.stock(*account, *of)).collect();
        let mut ways: BTreeMap<(AccountId, AccountId, SecurityId), Stock> = BTreeMap::new();
        for way in self.transit.values() {
            let place = Place::Between(way.from, way.to);
            let (security, multiplier) = (way.security, way.multiplier);
            let none = Stock { place, security, quantity: Some(Dec::ZERO), multiplier };
            let stock = ways.entry((way.from, way.to, security)).or_insert(none);
            let sum = stock.quantity.zip(way.quantity());
            stock.quantity = sum.and_then(|(sum, more)| sum.checked_add(more));
        }
        found.extend(ways.into_values());
        found
    }

    /// The lots of a security in an account, their costs left out, and how many of the underlying
    /// thing one unit is.
    pub fn lots_at(
        &self,
        account: AccountId,
        security: SecurityId,
    ) -> impl Iterator<Item = (&Lot, Dec)> {
        let held = self.positions.get(&(account, security));
        held.into_iter().flat_map(|held| held.lots.iter().map(|lot| (lot, held.multiplier)))
    }

    fn stock(&self, account: AccountId, security: SecurityId) -> Stock {
        let place = Place::In(account);
        let Some(held) = self.positions.get(&(account, security)) else {
            return Stock { place, security, quantity: Some(Dec::ZERO), multiplier: Dec::ONE };
        };
        let quantity = (!held.overflow).then_some(held.quantity);
        Stock { place, security, quantity, multiplier: held.multiplier }
    }
}
