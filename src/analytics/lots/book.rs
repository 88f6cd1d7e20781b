//! The book: every open lot of some securities in all accounts, and what a later row needs to know
//! of earlier ones. It can be kept as bytes and taken up again between any two days.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::costs::{Costs, Gaps, PLACES, total};
use super::event::MoveId;
use super::pool::{Pool, PoolKey, Pooling};
use super::reorganization::SharedSpinOff;
use crate::model::{AccountId, Dec, Lot, Running, SecurityId, TransactionId, days};

/// A security in an account.
pub(super) type Key = (AccountId, SecurityId);

/// All lots of a group of securities that are joined by corporate actions or options.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    pub(super) positions: BTreeMap<Key, Position>,
    pub(super) pools: BTreeMap<PoolKey, Pool>,
    /// Lots that left one account and did not arrive yet.
    pub(super) transit: BTreeMap<MoveId, Transit>,
    /// How many an in leg already moved whose out leg is still to come.
    pub(super) moved: BTreeMap<MoveId, Dec>,
    /// What rights cost that were used, until the trade they lead to takes it over.
    pub(super) premiums: BTreeMap<TransactionId, Costs>,
    /// Spin-offs that other accounts of a shared pool may tell of later.
    pub(super) spin_offs: BTreeMap<(PoolKey, SecurityId), SharedSpinOff>,
    /// How many lots were split off others or made several at a time.
    pub(super) pieces: u32,
}

/// A security in an account: its lots, and sums since the first row.
///
/// Figures are in the security's currency; those called `base` in the base currency, each at the
/// rate of its own day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// How many; negative: short.
    pub quantity: Dec,
    /// By acquisition date, in the order in which they came.
    pub lots: VecDeque<Lot>,
    /// How many of the underlying thing one unit is, as the last trade that said it.
    pub multiplier: Dec,
    /// Gains of what was closed.
    pub realized: Running,
    /// The same in base.
    pub realized_base: Running,
    /// Gross: before fees and taxes of the income.
    pub income: Running,
    /// The same in base.
    pub income_base: Running,
    /// Fees of every row, whether the lots carry them or not.
    pub fees: Running,
    /// The same in base.
    pub fees_base: Running,
    /// Taxes of every row, whether the lots carry them or not.
    pub taxes: Running,
    /// The same in base.
    pub taxes_base: Running,
    /// Those of the fees and taxes that belong to no trade.
    pub charges: Running,
    /// The same in base.
    pub charges_base: Running,
    /// A quantity did not fit: nothing of it is known any more.
    pub overflow: bool,
    pub(super) pooling: Pooling,
}

impl Default for Position {
    fn default() -> Self {
        Self {
            quantity: Dec::ZERO,
            lots: VecDeque::new(),
            multiplier: Dec::ONE,
            realized: Running::default(),
            realized_base: Running::default(),
            income: Running::default(),
            income_base: Running::default(),
            fees: Running::default(),
            fees_base: Running::default(),
            taxes: Running::default(),
            taxes_base: Running::default(),
            charges: Running::default(),
            charges_base: Running::default(),
            overflow: false,
            pooling: Pooling::None,
        }
    }
}

/// Lots between two own accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transit {
    /// Where they came from.
    pub from: AccountId,
    /// Where they go.
    pub to: AccountId,
    /// Of what.
    pub security: SecurityId,
    /// When they left.
    #[serde(with = "days")]
    pub left: NaiveDate,
    /// How many, as the row says.
    pub sent: Dec,
    /// The same in the units of today.
    pub units: Dec,
    /// How many of the underlying thing one unit is.
    pub multiplier: Dec,
    /// The lots, in the order in which they were chosen.
    pub lots: Vec<Lot>,
    /// Their costs are still in the shared pool.
    pub(super) pooled: bool,
}

impl Position {
    /// The cost of all lots; none: one is unknown.
    #[must_use]
    pub fn cost(&self) -> Option<Dec> {
        self.sum(|lot| lot.cost)
    }

    /// The same in the base currency.
    #[must_use]
    pub fn cost_base(&self) -> Option<Dec> {
        self.sum(|lot| lot.cost_base)
    }

    /// The same in the tax currency.
    #[must_use]
    pub fn cost_tax(&self) -> Option<Dec> {
        self.sum(|lot| lot.cost_tax)
    }

    /// Whether the cost of every lot is known, but not what they come to: that has too many digits.
    #[must_use]
    pub fn cost_overflows(&self) -> bool {
        let spills = |figure: fn(&Lot) -> Option<Dec>| {
            self.sum(figure).is_none() && self.lots.iter().all(|lot| figure(lot).is_some())
        };
        !self.overflow && (spills(|lot| lot.cost) || spills(|lot| lot.cost_base))
    }

    fn sum(&self, figure: impl Fn(&Lot) -> Option<Dec>) -> Option<Dec> {
        if self.overflow {
            return None;
        }
        let figures: Option<Vec<Dec>> = self.lots.iter().map(figure).collect();
        total(figures?.into_iter()).round(PLACES).ok()
    }

    /// Nothing of it is known any more.
    pub(super) fn give_up(&mut self) {
        self.overflow = true;
        self.quantity = Dec::ZERO;
        self.lots.clear();
        for sum in [
            &mut self.realized,
            &mut self.realized_base,
            &mut self.income,
            &mut self.income_base,
            &mut self.fees,
            &mut self.fees_base,
            &mut self.taxes,
            &mut self.taxes_base,
            &mut self.charges,
            &mut self.charges_base,
        ] {
            sum.add(None);
        }
    }
}

impl Transit {
    /// How many.
    #[must_use]
    pub fn quantity(&self) -> Option<Dec> {
        self.lots.iter().try_fold(Dec::ZERO, |sum, lot| sum.checked_add(lot.quantity))
    }
}

impl Book {
    /// Every position there ever was, by account and security, its lots with their costs.
    pub fn positions(&self) -> impl Iterator<Item = (AccountId, SecurityId, Cow<'_, Position>)> {
        self.positions.iter().map(|(&at, position)| (at.0, at.1, self.with_costs(at, position)))
    }

    /// One position, its lots with their costs.
    #[must_use]
    pub fn position(&self, account: AccountId, security: SecurityId) -> Option<Cow<'_, Position>> {
        let at = (account, security);
        self.positions.get(&at).map(|position| self.with_costs(at, position))
    }

    /// How many there are, where that is not zero; none: it does not fit. Cheaper than
    /// [`Book::positions`].
    pub fn quantities(&self) -> impl Iterator<Item = (AccountId, SecurityId, Option<Dec>)> {
        self.positions
            .iter()
            .map(|(at, held)| (at.0, at.1, (!held.overflow).then_some(held.quantity)))
            .filter(|(_, _, quantity)| !quantity.is_some_and(Dec::is_zero))
    }

    /// Lots between two accounts.
    pub fn in_transit(&self) -> impl Iterator<Item = (MoveId, Cow<'_, Transit>)> {
        self.transit.iter().map(|(&id, transit)| {
            let transit = if transit.pooled {
                let costs = self.shared(transit.security, Holder::Transit(id));
                let mut transit = transit.clone();
                give(costs, transit.lots.iter_mut(), &mut Gaps::default());
                Cow::Owned(transit)
            } else {
                Cow::Borrowed(transit)
            };
            (id, transit)
        })
    }

    /// A position whose lots carry their part of the pool, if there is one.
    fn with_costs<'a>(&'a self, at: Key, position: &'a Position) -> Cow<'a, Position> {
        let costs = match position.pooling {
            _ if position.lots.is_empty() => return Cow::Borrowed(position),
            Pooling::None => return Cow::Borrowed(position),
            Pooling::Own => {
                let pool = self.pools.get(&pool_key(at, position));
                pool.map_or(Costs::UNKNOWN, Pool::costs)
            }
            Pooling::Shared if position.quantity.is_negative() => self.shared_short(at.1, at.0),
            Pooling::Shared => self.shared(at.1, Holder::Account(at.0)),
        };
        let mut position = position.clone();
        give(costs, position.lots.iter_mut(), &mut Gaps::default());
        Cow::Owned(position)
    }

    /// What somebody's part of the longs of a shared pool cost. All parts add up to the whole.
    fn shared(&self, security: SecurityId, holder: Holder) -> Costs {
        let accounts = self.sharing(security).filter(|(_, held)| held.quantity.is_positive());
        let accounts = accounts.map(|(account, held)| (Holder::Account(account), held.quantity));
        let transits = self
            .transit
            .iter()
            .filter(|(_, on_its_way)| on_its_way.pooled && on_its_way.security == security);
        let transits =
            transits.map(|(&id, lots)| (Holder::Transit(id), lots.quantity().unwrap_or(Dec::ZERO)));
        let holders: Vec<_> = accounts.chain(transits).collect();
        self.part_of(PoolKey { security, account: None, short: false }, &holders, holder)
    }

    /// The same of the shorts, of which none are on their way.
    fn shared_short(&self, security: SecurityId, account: AccountId) -> Costs {
        let shorts = self.sharing(security).filter(|(_, held)| held.quantity.is_negative());
        let holders: Vec<_> =
            shorts.map(|(account, held)| (Holder::Account(account), held.quantity)).collect();
        let key = PoolKey { security, account: None, short: true };
        self.part_of(key, &holders, Holder::Account(account))
    }

    fn sharing(&self, security: SecurityId) -> impl Iterator<Item = (AccountId, &Position)> {
        let all = self
            .positions
            .iter()
            .filter(move |(at, held)| at.1 == security && held.pooling == Pooling::Shared);
        all.map(|(at, held)| (at.0, held))
    }

    fn part_of(&self, key: PoolKey, holders: &[(Holder, Dec)], holder: Holder) -> Costs {
        let costs = self.pools.get(&key).map_or(Costs::UNKNOWN, Pool::costs);
        let weights: Vec<Dec> = holders.iter().map(|(_, quantity)| *quantity).collect();
        let parts = costs.cut(&weights, &mut Gaps::default());
        let of = holders.iter().zip(parts).find(|((who, _), _)| *who == holder);
        of.map_or(Costs::UNKNOWN, |(_, part)| part)
    }
}

/// Who has a part of a shared pool.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    Account(AccountId),
    Transit(MoveId),
}

/// The pool that the lots of a position are in.
pub(super) fn pool_key(at: Key, position: &Position) -> PoolKey {
    key_for(at, position.pooling, position.quantity.is_negative())
}

/// The pool that lots of one side are in.
pub(super) fn key_for(at: Key, pooling: Pooling, short: bool) -> PoolKey {
    let account = (pooling != Pooling::Shared).then_some(at.0);
    PoolKey { security: at.1, account, short }
}

/// Gives each lot its part of the whole, by quantity.
pub(super) fn give<'a>(whole: Costs, lots: impl Iterator<Item = &'a mut Lot>, gaps: &mut Gaps) {
    let lots: Vec<&mut Lot> = lots.collect();
    let weights: Vec<Dec> = lots.iter().map(|lot| lot.quantity).collect();
    let parts = whole.cut(&weights, gaps);
    for (lot, part) in lots.into_iter().zip(parts) {
        lot.set_costs(part);
    }
}
