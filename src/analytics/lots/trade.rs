//! Purchases and sales.

use super::clerk::Clerk;
use super::event::Event;
use super::finding::{FindingKind, Sink};
use super::rates::Rates;
use super::world::World;
use crate::model::{AccountKind, Dec, Exact, Lot, Subtype};

impl<W: World, S: Sink> Clerk<'_, W, S> {
    /// Securities against cash. What was paid or received is the row's amount, not quantity times
    /// price.
    pub fn trade(&mut self, event: &Event, rates: &Rates) {
        let Some(units) = event.units() else {
            return self.find(event, FindingKind::MissingQuantity, None);
        };
        let buys = matches!(event.subtype, Subtype::Buy | Subtype::BuyToCover);
        let mut costs = self.outlay(event, rates);
        if let Some(premium) = self.book.premiums.remove(&event.id) {
            costs = costs.plus(premium, &mut self.gaps);
        }
        self.follow_multiplier(event);
        let mut lot = lot_of(event, if buys { units } else { -units });
        lot.set_costs(costs);
        if !self.fees_in_cost(event) {
            let charges = Exact::from(event.fee).add(&event.tax.into());
            lot.charges = rates.convert(&charges, &mut self.gaps).local.unwrap_or_default();
        }
        let settled = self.settle(event.at(), event, lot, self.way(event), rates);
        if settled.fell_back {
            self.find(event, FindingKind::NeedsChoice, None);
        }
        let may_be_short = event.subtype == Subtype::ShortSell
            || self.world.account(event.account).kind == AccountKind::Margin;
        if settled.opened.is_negative() && !may_be_short {
            self.find(event, FindingKind::ShortOpened, Some(settled.opened.abs()));
        }
    }

    /// What is held is valued by the multiplier of the last trade that says one: another one is
    /// odd, and a row that says nothing of it changes nothing.
    fn follow_multiplier(&mut self, event: &Event) {
        let is_held = !self.held(event.at()).is_zero();
        let position = self.position(event.at());
        if is_held && position.multiplier != event.multiplier {
            if event.multiplier != Dec::ONE {
                position.multiplier = event.multiplier;
            }
            return self.find(event, FindingKind::MultiplierDiffers, None);
        }
        position.multiplier = event.multiplier;
    }
}

/// A lot that a row opens, its cost still unknown.
pub(super) const fn lot_of(event: &Event, quantity: Dec) -> Lot {
    Lot {
        opening: event.id,
        piece: 0,
        opened: event.date,
        quantity,
        cost: None,
        cost_base: None,
        cost_tax: None,
        charges: Dec::ZERO,
    }
}
