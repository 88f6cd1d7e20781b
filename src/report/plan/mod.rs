//! Plans: what to buy for an amount, or what to sell for one, so that a whole comes as near to its
//! targets as it can. Nothing is written and nothing is ordered; fees and taxes are not counted.

mod minor;
mod orders;

use std::collections::BTreeMap;

use chrono::NaiveDate;

use minor::Minor;
use orders::{Order, Way};

use super::allocation::{AllocationQuery, AllocationRow, Cut, weigh};
use super::valuation::Scene;
use super::{Allocation, Error, Missing};
use crate::analytics::rebalance::{Need, spread};
use crate::figures::{self, Otherwise, Sale, Scope};
use crate::model::target;
use crate::model::{
    AccountId, Currency, Dec, Dimension, Exact, Realization, SafeText, SecurityId, Term,
};
use crate::store::Tx;

/// What a plan is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanQuery {
    /// Of what, when, and cut by what.
    pub allocation: AllocationQuery,
    /// How much is invested or raised.
    pub aim: Aim,
    /// No share is cut.
    pub whole_shares: bool,
}

/// What a plan is for, in the currency of its figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// So much comes from outside; nothing is sold.
    Invest(Dec),
    /// So much goes out; nothing is bought.
    Raise(Dec),
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Nobody said what should be.
    #[error("there is no target by {0}; `dashtam target set {0} KEY WEIGHT` makes one")]
    NoTargets(Dimension),
    /// What has a target is not worth so much.
    #[error("no more than {most} {currency} can be raised from what has a target and a price")]
    TooMuch {
        /// What it is worth.
        most: Dec,
        /// In what.
        currency: Currency,
    },
    /// Money has no parts that small.
    #[error("the amount is less than the smallest unit of {0}")]
    TooLittle(Currency),
    /// More digits than there are.
    #[error("a figure of the plan has more than 28 digits")]
    Overflow,
}

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The day of the prices.
    pub as_of: NaiveDate,
    /// The currency of all figures.
    pub currency: Currency,
    /// What it is cut by.
    pub by: Dimension,
    /// How much is invested or raised.
    pub aim: Aim,
    /// The orders; what they come to and what is left is the amount.
    pub rows: Vec<PlanRow>,
    /// What is not spent, or what is raised beyond the amount: only whole shares leave some.
    pub cash_left: Dec,
    /// What everything would consist of then, without what is left.
    pub after: Vec<AllocationRow>,
    /// What is in none of it, as its value is not known.
    pub missing: Vec<Missing>,
}

/// What to do with a part of the amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Buy more of what is held.
    Buy,
    /// Sell some of it.
    Sell,
    /// Keep it as cash.
    Keep,
    /// Take it out of cash.
    Take,
    /// Buy something that belongs there: nothing of it is held.
    Choose,
}

impl Action {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
            Self::Keep => "keep",
            Self::Take => "take",
            Self::Choose => "choose",
        }
    }
}

/// One order.
#[derive(Clone, Debug)]
pub struct PlanRow {
    /// For which slice.
    pub key: SafeText,
    /// What to do.
    pub action: Action,
    /// Where.
    pub account: Option<SafeText>,
    /// Of what.
    pub symbol: Option<SafeText>,
    /// How many, 8 decimals, rounded down.
    pub quantity: Option<Dec>,
    /// Of one, in its currency.
    pub price: Option<Dec>,
    /// The currency of the price.
    pub currency: Option<Currency>,
    /// The day of the price.
    pub price_date: Option<NaiveDate>,
    /// Who said it.
    pub price_source: Option<SafeText>,
    /// What it takes or brings, in the currency of the plan, to its smallest unit.
    pub amount: Dec,
    /// What a sale would close, by the method of its account.
    pub lots: Vec<PlannedLot>,
}

/// A lot, or a part of one, that a sale would close.
#[derive(Clone, Debug)]
pub struct PlannedLot {
    /// When it was acquired.
    pub opened: NaiveDate,
    /// How many.
    pub quantity: Dec,
    /// What it cost, in the base currency.
    pub cost_base: Option<Dec>,
    /// What would be gained.
    pub gain_base: Option<Dec>,
    /// How long it was held.
    pub term: Term,
}

/// What to buy or sell.
///
/// # Errors
/// When there is no target, not so much can be raised, or the store cannot be read.
pub async fn plan(tx: &mut Tx, query: &PlanQuery) -> Result<Plan, Error> {
    let cut = Cut::read(tx, &query.allocation).await?;
    let before = cut.allocation();
    let planner = Planner::new(&cut, &before, query)?;
    let mut orders = planner.orders()?;
    let left = planner.in_whole_shares(&mut orders)?;
    let lots = match query.aim {
        Aim::Invest(_) => BTreeMap::new(),
        Aim::Raise(_) => lots(tx, query, &orders).await?,
    };
    let mut rows = Vec::with_capacity(orders.len());
    let mut moved: BTreeMap<SafeText, Exact> = BTreeMap::new();
    for order in orders.iter().filter(|order| order.units != 0) {
        let row = planner.row(order, &lots).ok_or(PlanError::Overflow)?;
        let sum = moved.entry(row.key.clone()).or_insert(Exact::ZERO);
        *sum = sum.add(&row.amount.into());
        rows.push(row);
    }
    let after = after(&before, &moved, query.aim).ok_or(PlanError::Overflow)?;
    Ok(Plan {
        as_of: before.as_of,
        currency: before.currency,
        by: before.by,
        aim: query.aim,
        rows,
        cash_left: planner.minor.money(left).ok_or(PlanError::Overflow)?,
        after,
        missing: before.missing,
    })
}

/// All that a plan is made from.
struct Planner<'a> {
    cut: &'a Cut,
    before: &'a Allocation,
    whole_shares: bool,
    raises: bool,
    minor: Minor,
    /// The amount, in the smallest unit.
    units: i128,
    /// What everything will be worth.
    whole: Exact,
    /// How what is in each slice can be bought or sold.
    ways: BTreeMap<SafeText, Vec<Way<'a>>>,
}

impl<'a> Planner<'a> {
    fn new(cut: &'a Cut, before: &'a Allocation, query: &PlanQuery) -> Result<Self, PlanError> {
        if before.rows.iter().all(|row| row.target.is_none()) {
            return Err(PlanError::NoTargets(before.by));
        }
        let minor = Minor::of(before.currency);
        let (amount, raises) = match query.aim {
            Aim::Invest(amount) => (amount, false),
            Aim::Raise(amount) => (amount, true),
        };
        let units = minor.nearest(&amount.into()).ok_or(PlanError::Overflow)?;
        if units <= 0 {
            return Err(PlanError::TooLittle(before.currency));
        }
        let amount = Exact::from(minor.money(units).ok_or(PlanError::Overflow)?);
        let total = Exact::from(before.total.ok_or(PlanError::Overflow)?);
        let whole = if raises { total.sub(&amount) } else { total.add(&amount) };
        let ways = orders::ways(cut, &minor, raises);
        Ok(Self {
            cut,
            before,
            whole_shares: query.whole_shares,
            raises,
            minor,
            units,
            whole,
            ways,
        })
    }

    /// The orders that spread the amount over the slices, and each part over what is in its slice.
    fn orders(&self) -> Result<Vec<Order<'a>>, PlanError> {
        let slices: Vec<_> = self.before.rows.iter().filter(|row| row.target.is_some()).collect();
        let needs: Option<Vec<_>> = slices.iter().map(|row| self.need(row)).collect();
        let needs = needs.ok_or(PlanError::Overflow)?;
        let parts = spread(self.units, &needs);
        let given: i128 = parts.iter().sum();
        if given < self.units {
            return Err(self.too_much(given));
        }
        let mut all = Vec::new();
        for ((row, need), units) in slices.into_iter().zip(needs).zip(parts) {
            let ways = self.ways.get(&row.key).map_or(&[][..], Vec::as_slice);
            all.extend(orders::split(&row.key, ways, units, need.most, self.raises));
        }
        Ok(all)
    }

    /// What a slice needs: of what is invested, or of what must go.
    fn need(&self, row: &AllocationRow) -> Option<Need> {
        let value = Exact::from(row.value_base);
        let off = |part: Dec| {
            let then = self.whole.mul(&part.into());
            if self.raises { value.sub(&then) } else { then.sub(&value) }
        };
        let target = row.target?;
        let band = row.band.unwrap_or_default();
        let (low, high) = (target.checked_sub(band)?, target.checked_add(band)?);
        let (least, most) = if self.raises { (high, low) } else { (low, high) };
        let (least, most) = (self.minor.up(&off(least))?, self.minor.down(&off(most))?);
        let ways = self.ways.get(&row.key).map_or(&[][..], Vec::as_slice);
        let room = if self.raises { orders::room(ways) } else { orders::ALL };
        Some(Need { right: self.minor.nearest(&off(target))?, least, most, room })
    }

    /// Rounds to whole shares where that is asked for, and tells what is left of the amount.
    fn in_whole_shares(&self, orders: &mut [Order<'a>]) -> Result<i128, PlanError> {
        if !self.whole_shares {
            return Ok(0);
        }
        let left = match self.raises {
            false => orders::buy_whole(&self.minor, orders),
            true => orders::sell_whole(&self.minor, orders),
        };
        left.map_err(|most| match most {
            Some(most) => self.too_much(most),
            None => PlanError::Overflow,
        })
    }

    fn too_much(&self, most: i128) -> PlanError {
        let currency = self.before.currency;
        match self.minor.money(most) {
            Some(most) => PlanError::TooMuch { most, currency },
            None => PlanError::Overflow,
        }
    }

    fn row(&self, order: &Order<'_>, lots: &Lots) -> Option<PlanRow> {
        let way = order.way.as_ref();
        let account = way.and_then(|way| self.cut.accounts.get(&way.account));
        let position = way.and_then(|way| way.position.as_ref());
        let security = position.and_then(|it| self.cut.securities.get(&it.held.security));
        let action = match (position.is_some(), way.is_some(), self.raises) {
            (true, _, true) => Action::Sell,
            (true, _, false) => Action::Buy,
            (false, true, true) => Action::Take,
            (false, true, false) => Action::Keep,
            (false, false, _) if target::is_cash(self.before.by, &order.key) => Action::Keep,
            (false, false, _) => Action::Choose,
        };
        let closed = position.and_then(|it| lots.get(&(it.held.account, it.held.security)));
        let lot = |it: &Realization| PlannedLot {
            opened: it.opened,
            quantity: it.quantity,
            cost_base: it.cost_base,
            gain_base: it.gain_base(),
            term: it.term,
        };
        let closed = closed.filter(|_| action == Action::Sell);
        Some(PlanRow {
            key: order.key.clone(),
            action,
            account: account.map(|it| it.name.clone()),
            symbol: security.map(|it| it.symbol.clone()),
            quantity: order.quantity(&self.minor),
            price: position.and_then(|it| it.price.price().ok()),
            currency: security.map(|it| it.currency),
            price_date: position.map(|it| it.price.date),
            price_source: position.map(|it| it.price.source.clone()),
            amount: self.minor.money(order.units)?,
            lots: closed.into_iter().flatten().map(lot).collect(),
        })
    }
}

type Lots = BTreeMap<(AccountId, SecurityId), Vec<Realization>>;

/// What the sales would close.
async fn lots(tx: &mut Tx, query: &PlanQuery, orders: &[Order<'_>]) -> Result<Lots, Error> {
    let AllocationQuery { as_of, today, currency, .. } = query.allocation;
    let otherwise = Otherwise { method: None, base: currency };
    let scene = Scene::with(tx, as_of, today, Scope::History, otherwise).await?;
    let minor = Minor::of(scene.base);
    let groups = tx.lot_groups().await?;
    let mut sales: BTreeMap<SecurityId, Vec<Sale>> = BTreeMap::new();
    for order in orders.iter().filter(|order| order.units != 0) {
        let sale = order.sale(&minor);
        let group = sale.map(|it| groups.get(&it.security).copied().unwrap_or(it.security));
        if let Some((group, sale)) = group.zip(sale) {
            sales.entry(group).or_default().push(sale);
        }
    }
    let mut lots = Lots::new();
    for (group, sales) in sales {
        let closed =
            figures::sold_if(tx, &scene.market, group, as_of, &sales, scene.otherwise).await?;
        for lot in closed {
            lots.entry((lot.account, lot.security)).or_default().push(lot);
        }
    }
    Ok(lots)
}

/// The slices with what comes to them, or goes from them.
fn after(
    before: &Allocation,
    moved: &BTreeMap<SafeText, Exact>,
    aim: Aim,
) -> Option<Vec<AllocationRow>> {
    let mut rows = before.rows.clone();
    for row in &mut rows {
        let Some(moved) = moved.get(&row.key) else { continue };
        let value = Exact::from(row.value_base);
        let then = match aim {
            Aim::Invest(_) => value.add(moved),
            Aim::Raise(_) => value.sub(moved),
        };
        row.value_base = then.round(12).ok()?;
    }
    weigh(&mut rows);
    Some(rows)
}
