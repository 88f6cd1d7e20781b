//! Openings, adjustments, and rows that change a quantity for a reason nobody knows: the position
//! follows them, without a gain.

use super::clerk::Clerk;
use super::event::Event;
use super::finding::{FindingKind, Sink};
use super::rates::Rates;
use super::world::World;
use crate::model::Subtype;

impl<W: World, S: Sink> Clerk<'_, W, S> {
    /// Units appear or disappear. Their sign is the row's own.
    pub fn correct(&mut self, event: &Event, rates: &Rates) {
        let understood = matches!(event.subtype, Subtype::Opening | Subtype::Adjustment);
        let Some(quantity) = event.quantity.filter(|quantity| !quantity.is_zero()) else {
            if understood {
                self.find(event, FindingKind::MissingQuantity, None);
            }
            return;
        };
        if !understood {
            self.find(event, FindingKind::NotUnderstood, Some(quantity));
        }
        let held = self.held(event.at());
        if event.subtype == Subtype::Opening && !held.is_zero() {
            self.find(event, FindingKind::OpeningOnPosition, Some(held));
        }
        if quantity.is_positive() {
            return self.come(event, quantity, rates);
        }
        let rest = self.leave(event, quantity.abs());
        if rest.is_positive() {
            if event.subtype != Subtype::Opening {
                self.find(event, FindingKind::MovedBeyondPosition, Some(rest));
            }
            self.come(event, -rest, rates);
        }
    }
}
