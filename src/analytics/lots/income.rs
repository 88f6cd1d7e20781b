//! What is earned and what is charged: sums of a position, and the lots that a reward brings.

use super::clerk::Clerk;
use super::costs::Costs;
use super::event::Event;
use super::finding::{FindingKind, Sink};
use super::rates::Rates;
use super::trade::lot_of;
use super::world::World;
use crate::model::{Exact, Kind, Subtype};

impl<W: World, S: Sink> Clerk<'_, W, S> {
    /// The fees and taxes of a row.
    pub fn charge(&mut self, event: &Event, rates: &Rates) {
        let (mut fee, mut tax) = (Exact::from(event.fee), Exact::from(event.tax));
        // The amount of a charge is the charge itself, with what its columns call by another name.
        let paid = Exact::from(event.amount).neg();
        match event.subtype {
            Subtype::Tax | Subtype::WithholdingTax => tax = paid.sub(&fee),
            subtype if subtype.kind() == Kind::Fee => fee = paid.sub(&tax),
            _ => {}
        }
        if fee.is_zero() && tax.is_zero() {
            return;
        }
        let fee = rates.convert(&fee, &mut self.gaps);
        let tax = rates.convert(&tax, &mut self.gaps);
        let sells = matches!(event.subtype, Subtype::SpinOff | Subtype::Merger)
            && event.amount.is_positive();
        let carried = sells || event.subtype.kind() == Kind::Trade;
        let position = self.position(event.at());
        position.fees.add(fee.local);
        position.fees_base.add(fee.base);
        position.taxes.add(tax.local);
        position.taxes_base.add(tax.base);
        if !carried {
            for charge in [fee, tax] {
                position.charges.add(charge.local);
                position.charges_base.add(charge.base);
            }
        }
    }

    /// Cash that a security pays: gross, before what was kept back.
    pub fn earn(&mut self, event: &Event, rates: &Rates) {
        let gross = Exact::from(event.amount).add(&event.fee.into()).add(&event.tax.into());
        let income = rates.convert(&gross, &mut self.gaps);
        self.add_income(event, income);
    }

    /// Securities or coins earned: they cost what they were worth, and that is the income.
    pub fn reward(&mut self, event: &Event, rates: &Rates) {
        let Some(units) = event.units() else {
            return self.find(event, FindingKind::MissingQuantity, None);
        };
        let worth = match event.price {
            Some(price) => {
                Some(Exact::from(units).mul(&price.into()).mul(&event.multiplier.into()))
            }
            // What was charged for it says nothing of what it was worth.
            None => {
                let gross = Exact::from(event.amount).add(&event.fee.into()).add(&event.tax.into());
                (!gross.is_zero()).then_some(gross)
            }
        };
        let worth = match worth {
            Some(worth) => rates.convert(&worth, &mut self.gaps),
            None => {
                self.find(event, FindingKind::MissingCost, Some(units));
                Costs::UNKNOWN
            }
        };
        self.add_income(event, worth);
        let mut lot = lot_of(event, units);
        lot.set_costs(worth);
        self.settle(event.at(), event, lot, self.way(event), rates);
    }

    fn add_income(&mut self, event: &Event, income: Costs) {
        let position = self.position(event.at());
        position.income.add(income.local);
        position.income_base.add(income.base);
    }
}
