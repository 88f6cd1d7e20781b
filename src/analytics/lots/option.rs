//! Rights that are used or end. What a right had cost goes into the cost or the proceeds of the
//! trade it leads to, which may be of a later day; where there is no such trade it is realized.

use std::collections::BTreeMap;

use super::clerk::Clerk;
use super::costs::Costs;
use super::event::{Event, Peer};
use super::finding::{FindingKind, Sink};
use super::rates::Rates;
use super::trade::lot_of;
use super::world::World;
use crate::model::{Dec, Exact, SecurityId, Subtype};

impl<'a, W: World, S: Sink> Clerk<'a, W, S> {
    /// Finds the rights that lead to a trade of the day.
    pub fn find_rights(&mut self, events: &'a [Event]) {
        let used: Vec<_> = events.iter().filter(|event| is_used(event)).collect();
        if used.is_empty() {
            return;
        }
        let trades = events.iter().filter(|event| trades(event.subtype, event.quantity));
        let trades: BTreeMap<_, _> = trades.map(|event| (event.id, event.security)).collect();
        for right in used {
            let Some(peer) = &right.peer else { continue };
            if trades.get(&peer.id).is_some_and(|security| *security != right.security) {
                self.rights.entry(peer.id).or_default().push(right);
            }
        }
    }

    /// Rights are used or end: the position goes towards zero from either side.
    pub fn right(&mut self, event: &Event, rates: &Rates) {
        let Some(units) = event.units() else {
            return self.find(event, FindingKind::MissingQuantity, None);
        };
        let (at, held) = (event.at(), self.held(event.at()));
        let closing = units.min(held.abs());
        if held.is_zero() {
            self.find(event, FindingKind::NothingHeld, Some(units));
        } else if closing < units {
            self.find(event, FindingKind::BeyondRight, units.checked_sub(closing));
        }
        let outlay = self.outlay(event, rates);
        let heir = event.peer.as_ref().filter(|peer| is_used(event) && self.leads_to(event, peer));
        if let Some(heir) = heir {
            let taken = self.take(at, closing, self.way(event));
            for row in taken.iter().map(|taken| taken.lot.opening).chain([event.id]) {
                self.out.recosted(heir.id, row);
            }
            let known = if closing == units { outlay } else { Costs::UNKNOWN };
            let premium =
                taken.iter().fold(known, |sum, taken| sum.plus(taken.lot.costs(), &mut self.gaps));
            return self.pass_on(event, heir, premium);
        }
        if is_used(event) {
            self.find(event, FindingKind::ExerciseWithoutOtherLeg, None);
        }
        if held.is_zero() {
            if outlay != Costs::ZERO {
                self.close_nothing(at, event, outlay, Costs::UNKNOWN);
            }
            return;
        }
        let mut lot = lot_of(event, if held.is_negative() { closing } else { -closing });
        lot.set_costs(outlay);
        let settled = self.settle(at, event, lot, self.way(event), rates);
        if settled.fell_back {
            self.find(event, FindingKind::NeedsChoice, None);
        }
    }

    /// Whether the trade is still to come, today or later.
    fn leads_to(&self, event: &Event, peer: &Peer) -> bool {
        if peer.date > event.date {
            return trades(peer.subtype, peer.quantity)
                && peer.security.is_some_and(|security| security != event.security);
        }
        let rights = self.rights.get(&peer.id);
        rights.is_some_and(|rights| rights.iter().any(|right| right.id == event.id))
    }

    /// The premium waits for its trade.
    fn pass_on(&mut self, event: &Event, heir: &Peer, premium: Costs) {
        let to = heir.security.unwrap_or(event.security);
        let premium = self.carry(event, premium, event.security, to);
        let before = self.book.premiums.get(&heir.id).copied().unwrap_or(Costs::ZERO);
        self.book.premiums.insert(heir.id, before.plus(premium, &mut self.gaps));
    }

    /// A cost that goes from one security to another: in that one's currency, at the day's rate.
    pub fn carry(
        &mut self,
        event: &Event,
        costs: Costs,
        from: SecurityId,
        to: SecurityId,
    ) -> Costs {
        let (from, to) = (self.world.currency_of(from), self.world.currency_of(to));
        let Some(local) = costs.local.filter(|_| from != to) else { return costs };
        let rates = Rates::new(self.world, from, to, None, event.date);
        let local = rates.convert(&Exact::from(local), &mut self.gaps).local;
        Costs { local, ..costs }
    }
}

/// Whether a row says that a right was used, rather than that it ended.
pub(super) const fn is_used(event: &Event) -> bool {
    matches!(event.subtype, Subtype::Exercise | Subtype::Assignment)
}

/// Whether a row is a trade that can take over a premium.
fn trades(subtype: Subtype, quantity: Option<Dec>) -> bool {
    subtype.trades_securities() && quantity.is_some_and(|quantity| !quantity.is_zero())
}
