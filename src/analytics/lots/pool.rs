//! Average cost: one cost for all units of a pool. It knows neither lots nor accounts' rows.

use serde::{Deserialize, Serialize};

use super::costs::{Costs, Gaps};
use crate::model::{AccountId, Dec, Exact, SecurityId};

/// Where the costs of a position are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Pooling {
    /// With each lot.
    #[default]
    None,
    /// In a pool of the account.
    Own,
    /// In the pool that the taxable accounts share.
    Shared,
}

/// Which pool. Longs and shorts are never averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct PoolKey {
    pub security: SecurityId,
    /// None: the shared one.
    pub account: Option<AccountId>,
    pub short: bool,
}

/// Units and their costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pool {
    /// None once it did not fit: then no part of the cost is known either.
    quantity: Option<Dec>,
    costs: Costs,
}

impl Default for Pool {
    fn default() -> Self {
        Self { quantity: Some(Dec::ZERO), costs: Costs::ZERO }
    }
}

impl Pool {
    /// One of which nothing can be known any more.
    pub const fn broken() -> Self {
        Self { quantity: None, costs: Costs::UNKNOWN }
    }

    pub fn is_empty(&self) -> bool {
        self.quantity.is_some_and(Dec::is_zero)
    }

    pub const fn costs(&self) -> Costs {
        self.costs
    }

    pub fn add(&mut self, quantity: Dec, costs: Costs, gaps: &mut Gaps) {
        let sum = self.costs.plus(costs, gaps);
        self.change(quantity, sum, gaps);
    }

    /// Units leave with their share of the cost, the last ones with all that is left.
    pub fn remove(&mut self, quantity: Dec, gaps: &mut Gaps) -> Costs {
        let gone = self.share(quantity, gaps);
        let rest = if self.quantity == Some(quantity) {
            Costs::ZERO
        } else {
            self.costs.minus(gone, gaps)
        };
        self.change(-quantity, rest, gaps);
        gone
    }

    /// What so many units cost.
    pub fn share(&self, quantity: Dec, gaps: &mut Gaps) -> Costs {
        self.part(&quantity.into(), &Exact::from(Dec::ONE), gaps)
    }

    /// What `over / under` units cost.
    pub fn part(&self, over: &Exact, under: &Exact, gaps: &mut Gaps) -> Costs {
        let Some(quantity) = self.quantity else { return Costs::UNKNOWN };
        if quantity.is_zero() {
            return Costs::ZERO;
        }
        let whole = Exact::from(quantity).mul(under);
        if *over == whole { self.costs } else { self.costs.part(over, &whole, gaps) }
    }

    /// Another cost for the same units.
    pub const fn set_costs(&mut self, costs: Costs) {
        self.costs = costs;
    }

    /// Part of the cost leaves, the units stay.
    pub fn lower(&mut self, costs: Costs, gaps: &mut Gaps) {
        self.costs = self.costs.minus(costs, gaps);
    }

    /// More or fewer units for the same cost.
    pub fn resize(&mut self, by: Dec, gaps: &mut Gaps) {
        self.change(by, self.costs, gaps);
    }

    fn change(&mut self, by: Dec, costs: Costs, gaps: &mut Gaps) {
        let before = self.quantity;
        self.quantity = before.and_then(|quantity| quantity.checked_add(by));
        gaps.spilled |= before.is_some() && self.quantity.is_none();
        self.costs = if self.quantity.is_some() { costs } else { Costs::UNKNOWN };
    }
}
