//! How the part of a slice becomes orders: by what is held of it, in shares or parts of shares.

use std::collections::BTreeMap;

use super::Minor;
use crate::analytics::fx::Conversion;
use crate::analytics::pricing::PriceOn;
use crate::analytics::rebalance::{Need, spread};
use crate::figures::{Held, Sale, TRANSIT};
use crate::model::{AccountId, AssetClass, Dec, Exact, SafeText};
use crate::report::allocation::Cut;
use crate::report::net_worth::{Item, Part};

/// More than there is.
pub(super) const ALL: i128 = i128::MAX / 1_000_000;
/// How many decimals a quantity has.
const DECIMALS: u32 = 8;

/// Something of a slice that can be bought and sold, or cash.
#[derive(Clone)]
pub(super) struct Way<'a> {
    pub account: AccountId,
    /// What it is worth, in the smallest unit, rounded down.
    worth: i128,
    /// None: cash.
    pub position: Option<Position<'a>>,
}

/// What is held of a security, and what it costs.
#[derive(Clone)]
pub(super) struct Position<'a> {
    pub held: &'a Held,
    pub price: &'a PriceOn,
    rate: &'a Conversion,
}

/// A part of the amount, and where it goes.
pub(super) struct Order<'a> {
    pub key: SafeText,
    /// None: nothing of the slice is held.
    pub way: Option<Way<'a>>,
    /// How much, in the smallest unit.
    pub units: i128,
    /// What it was meant to be, before anything was rounded to whole shares.
    meant: i128,
    /// How much its slice may get and still be inside its band.
    most: i128,
    /// Some of it goes, and all of it where its whole worth does.
    sells: bool,
    /// Of whole shares.
    shares: Option<i64>,
}

/// The ways of each slice: cash first, which is raised before anything is sold, then the positions.
/// What is bought is a position wherever there is one. What is in several slices is left alone, and
/// so is what ends on a day of its own.
pub(super) fn ways<'a>(
    cut: &'a Cut,
    minor: &Minor,
    sells: bool,
) -> BTreeMap<SafeText, Vec<Way<'a>>> {
    let mut ways: BTreeMap<SafeText, Vec<Way<'a>>> = BTreeMap::new();
    for item in &cut.items {
        let keys = cut.slices(item);
        if let ([key], Some(way)) = (keys.as_slice(), way(cut, item, minor)) {
            ways.entry(key.clone()).or_default().push(way);
        }
    }
    for ways in ways.values_mut() {
        ways.sort_by_key(|way| way.position.is_some());
        if !sells && ways.iter().any(|way| way.position.is_some()) {
            ways.retain(|way| way.position.is_some());
        }
    }
    ways
}

fn way<'a>(cut: &Cut, item: &'a Item, minor: &Minor) -> Option<Way<'a>> {
    let value = item.value.filter(|value| value.is_positive())?;
    if item.account == TRANSIT {
        return None;
    }
    let position = match &item.position {
        None if item.part == Part::Cash => None,
        None => return None,
        Some((held, value)) => {
            let class = cut.securities.get(&held.security).and_then(|it| it.class);
            let ends = matches!(class, Some(AssetClass::Option | AssetClass::Future));
            let (price, rate) = value.price.as_ref().zip(value.rate.as_ref()).filter(|_| !ends)?;
            Some(Position { held, price, rate })
        }
    };
    Some(Way { account: item.account, worth: minor.down(&value.into())?, position })
}

/// What all of them are worth.
pub(super) fn room(ways: &[Way<'_>]) -> i128 {
    ways.iter().map(|way| way.worth).sum()
}

/// Splits a part by what each of the ways is worth; what is sold, only when there is no more cash.
pub(super) fn split<'a>(
    key: &SafeText,
    ways: &[Way<'a>],
    units: i128,
    most: i128,
    sells: bool,
) -> Vec<Order<'a>> {
    let order = |way, units| Order {
        key: key.clone(),
        way,
        units,
        meant: units,
        most,
        sells,
        shares: None,
    };
    if room(ways) == 0 {
        return vec![order(None, units)];
    }
    let mut left = units;
    let mut orders = Vec::with_capacity(ways.len());
    for ways in ways.chunk_by(|one, next| one.position.is_some() == next.position.is_some()) {
        let whole = room(ways);
        let units = if sells { left.min(whole) } else { left };
        left -= units;
        let need = |way: &Way<'_>| {
            // What is held of a slice stays in proportion.
            let right = share(units, way.worth, whole);
            let room = if sells { way.worth } else { ALL };
            Need { right, least: 0, most: room, room }
        };
        let parts = spread(units, &ways.iter().map(need).collect::<Vec<_>>());
        orders.extend(ways.iter().zip(parts).map(|(way, part)| order(Some(way.clone()), part)));
    }
    orders
}

/// `units * part / whole`, rounded down, however large they are.
fn share(units: i128, part: i128, whole: i128) -> i128 {
    let exact = |number: i128| Exact::parse(&number.to_string());
    let product = exact(units).zip(exact(part)).map(|(a, b)| a.mul(&b));
    let share = product.zip(exact(whole)).and_then(|(it, whole)| it.div_round(&whole, 0).ok());
    share.and_then(|share| share.to_string().parse().ok()).unwrap_or(0)
}

impl Position<'_> {
    /// What so many are worth, in the smallest unit of the plan.
    fn worth(&self, quantity: Dec, minor: &Minor) -> Option<i128> {
        let units = Exact::from(quantity).mul(&self.held.figures.multiplier.into());
        minor.nearest(&self.price.value(&units, self.rate).ok()?.into())
    }

    /// How many an amount is worth, rounded down.
    fn quantity(&self, money: Dec, decimals: u32) -> Option<Dec> {
        let (price, rate) = (self.price, self.rate);
        let over = Exact::from(money).mul(&price.den).mul(&rate.den);
        let under = price.num.mul(&rate.num).mul(&self.held.figures.multiplier.into());
        let quantity = over.div_round(&under, decimals).ok()?;
        if Exact::from(quantity).mul(&under) <= over {
            return Some(quantity);
        }
        let one = (0..decimals).fold("1".to_owned(), |one, _| one + "0");
        let step = Exact::from(Dec::ONE).div_round(&Exact::parse(&one)?, decimals).ok()?;
        quantity.checked_sub(step)
    }
}

impl Order<'_> {
    fn position(&self) -> Option<&Position<'_>> {
        self.way.as_ref()?.position.as_ref()
    }

    /// How many.
    pub fn quantity(&self, minor: &Minor) -> Option<Dec> {
        let position = self.position()?;
        if let Some(shares) = self.shares {
            return Some(Dec::from_i64(shares));
        }
        let (held, worth) = (position.held.figures.quantity, self.way.as_ref()?.worth);
        if self.sells && self.units >= worth {
            return Some(held);
        }
        let quantity = position.quantity(minor.money(self.units)?, DECIMALS)?;
        Some(if self.sells { quantity.min(held) } else { quantity })
    }

    /// As a sale, where it is one.
    pub fn sale(&self, minor: &Minor) -> Option<Sale> {
        let Position { held, price, .. } = self.position()?;
        let quantity = self.quantity(minor)?;
        let multiplier = held.figures.multiplier;
        let units = Exact::from(quantity).mul(&multiplier.into());
        let proceeds = price.value(&units, &Conversion::identity()).ok()?;
        let (account, security) = (held.account, held.security);
        Some(Sale { account, security, quantity, multiplier, proceeds })
    }

    /// So many shares, and what they come to.
    fn take(&mut self, shares: i64, minor: &Minor) -> Option<()> {
        self.units = self.position()?.worth(Dec::from_i64(shares), minor)?;
        self.shares = Some(shares);
        Some(())
    }

    /// What one share more would come to.
    fn one_more(&self, minor: &Minor) -> Option<i128> {
        let more = self.position()?.worth(Dec::from_i64(self.shares? + 1), minor)?;
        Some(more - self.units)
    }

    /// The shares in what was meant.
    fn begin(&mut self, minor: &Minor) -> Option<()> {
        if let Some(position) = self.position() {
            let shares = position.quantity(minor.money(self.meant)?, 0)?;
            self.take(shares.to_string().parse().ok()?, minor)?;
        }
        Some(())
    }

    /// The whole shares that are held.
    fn held(&self) -> i64 {
        let quantity = self.position().map(|it| it.held.figures.quantity);
        let whole = quantity.map(|it| it.to_string());
        let whole = whole.and_then(|it| it.split('.').next().and_then(|it| it.parse().ok()));
        whole.unwrap_or(0)
    }
}

/// Buys whole shares for each part, then one more of what is furthest from what was meant for as
/// long as there is money for it and its slice stays inside its band. Gives what is left.
pub(super) fn buy_whole(minor: &Minor, orders: &mut [Order<'_>]) -> Result<i128, Option<i128>> {
    let amount: i128 = orders.iter().map(|order| order.meant).sum();
    orders.iter_mut().try_for_each(|order| order.begin(minor)).ok_or(None)?;
    let mut left = amount - spent(orders);
    loop {
        let by_slice = by_slice(orders);
        let can = |order: &Order<'_>| {
            let cost = order.one_more(minor).filter(|cost| 0 < *cost && *cost <= left)?;
            let spent = by_slice.get(&order.key).copied().unwrap_or(0);
            (order.meant > order.units && spent + cost <= order.most).then_some(())
        };
        let next = orders.iter_mut().filter(|order| can(order).is_some());
        let Some(next) = next.max_by_key(|order| order.meant - order.units) else {
            return Ok(left);
        };
        let shares = next.shares.ok_or(None)?.checked_add(1).ok_or(None)?;
        let before = next.units;
        next.take(shares, minor).ok_or(None)?;
        left -= next.units - before;
    }
}

/// Sells whole shares for each part, then one more of what is furthest from what was meant until
/// there is enough. Gives what is raised beyond; an error is what can be raised at most.
pub(super) fn sell_whole(minor: &Minor, orders: &mut [Order<'_>]) -> Result<i128, Option<i128>> {
    let amount: i128 = orders.iter().map(|order| order.meant).sum();
    orders.iter_mut().try_for_each(|order| order.begin(minor)).ok_or(None)?;
    for order in orders.iter_mut() {
        let held = order.held();
        if order.shares.is_some_and(|shares| shares > held) {
            order.take(held, minor).ok_or(None)?;
        }
    }
    loop {
        let raised = spent(orders);
        if raised >= amount {
            return Ok(raised - amount);
        }
        let more = |order: &&mut Order<'_>| order.shares.is_some_and(|it| it < order.held());
        let next = orders.iter_mut().filter(more).max_by_key(|order| order.meant - order.units);
        let Some(next) = next else { return Err(Some(raised)) };
        let shares = next.shares.ok_or(None)?.checked_add(1).ok_or(None)?;
        next.take(shares, minor).ok_or(None)?;
    }
}

fn spent(orders: &[Order<'_>]) -> i128 {
    orders.iter().map(|order| order.units).sum()
}

fn by_slice(orders: &[Order<'_>]) -> BTreeMap<SafeText, i128> {
    let mut sums = BTreeMap::new();
    for order in orders {
        *sums.entry(order.key.clone()).or_insert(0) += order.units;
    }
    sums
}
