//! What changed: net worth and the price of everything held, since the day before or any earlier
//! day.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::holdings::difference;
use super::types::{NetWorthQuery, NetWorthRow, PositionsQuery};
use super::valuation::{Scene, Value};
use super::{Missing, Result, Split, net_worth, performance};
use crate::analytics::bars::Restating;
use crate::analytics::pricing::PriceOn;
use crate::figures::{self, Held, Otherwise, Scope};
use crate::model::{Currency, Dec, Exact, SafeText, SecurityId};
use crate::store::Tx;

/// Which changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MoversQuery {
    /// What is held at the end of this day.
    pub as_of: NaiveDate,
    /// Today, in the zone of the store.
    pub today: NaiveDate,
    /// As if this were the base currency.
    pub currency: Option<Currency>,
    /// Since the end of this day; none: since the day before, and each price beside the one
    /// before it, whenever that was.
    pub since: Option<NaiveDate>,
}

/// What changed up to a day.
#[derive(Clone, Debug)]
pub struct Movers {
    /// The day.
    pub as_of: NaiveDate,
    /// The earlier day.
    pub since: NaiveDate,
    /// The currency of the `_base` figures and of net worth.
    pub currency: Currency,
    /// By how much they changed what is held, the most first, then by the day of their price; what
    /// is not known comes last.
    pub rows: Vec<Mover>,
    /// What rows and the last day lack.
    pub missing: Vec<Missing>,
    /// Net worth at the end of the day.
    pub now: NetWorthRow,
    /// Net worth at the end of the earlier day.
    pub then: NetWorthRow,
    /// From the one to the other; none where what is known of both is not the same.
    pub change: Option<Change>,
    /// What that came from; none where something of it is not known.
    pub split: Option<Box<Split>>,
}

/// By how much something changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// In money.
    pub amount: Dec,
    /// In per cent of what it was without its sign, 10 decimals; none: it was nothing.
    pub percent: Option<Dec>,
}

/// A security that is held, and what its price did.
#[derive(Clone, Debug)]
pub struct Mover {
    /// Which.
    pub security: SecurityId,
    /// Its symbol.
    pub symbol: SafeText,
    /// What people call it.
    pub name: Option<SafeText>,
    /// Of the prices.
    pub currency: Currency,
    /// How many in all accounts together; none: more digits than there are.
    pub quantity: Option<Dec>,
    /// Of one, on the day.
    pub price: Option<Dec>,
    /// The day of the price.
    pub price_date: Option<NaiveDate>,
    /// The price is older than it should be.
    pub stale: bool,
    /// Of one unit as the day counts them, before.
    pub price_before: Option<Dec>,
    /// The day of the price before.
    pub before_date: Option<NaiveDate>,
    /// Of the price.
    pub change_percent: Option<Dec>,
    /// Of what is held today, in the base currency at the rate of the day. A price that is older
    /// than the day changed nothing on it.
    pub change_base: Option<Dec>,
}

/// What changed up to a day.
///
/// # Errors
/// When the store cannot be read.
pub async fn movers(tx: &mut Tx, query: &MoversQuery) -> Result<Movers> {
    let MoversQuery { as_of, today, currency, since } = *query;
    let day_before = as_of.pred_opt().unwrap_or(as_of);
    let then = since.unwrap_or(day_before).min(as_of);
    let worth =
        NetWorthQuery { from: None, to: as_of, today, account: None, currency, every: None };
    let (base, [then, now]) = net_worth::then_and_now(tx, &worth, then).await?;
    let otherwise = Otherwise { base: currency, method: None };
    let mut scene = Scene::with(tx, as_of, today, Scope::History, otherwise).await?;
    let mut missing: BTreeSet<_> = now.missing.iter().cloned().collect();
    let (mut rows, prices) = rows(tx, &mut scene, query, &mut missing).await?;
    for (day, places) in prices.days_before(since) {
        let securities = places.iter().filter_map(|place| Some(rows.get(*place)?.security));
        scene.read_closes_of(tx, securities, &[day]).await?;
        for place in places {
            if let Some((row, value)) = rows.get_mut(place).zip(prices.0.get(place)) {
                compare(&scene, row, value, day);
                let is_old = row.price_date.is_some_and(|date| date < as_of);
                if since.is_none() && is_old {
                    row.change_base = row.change_base.and(Some(Dec::ZERO));
                }
            }
        }
    }
    rows.sort_by(|a, b| {
        let size = |row: &Mover| {
            let [base, percent] = [row.change_base, row.change_percent].map(|it| it.map(Dec::abs));
            (base, row.price_date, percent)
        };
        size(b).cmp(&size(a)).then_with(|| (&a.symbol, a.security).cmp(&(&b.symbol, b.security)))
    });
    let change = change(&then, &now);
    let split = performance::split(tx, then.date, query).await?;
    Ok(Movers {
        as_of,
        since: then.date,
        currency: base,
        rows,
        missing: missing.into_iter().collect(),
        // Parts of what nobody knows would be parts of something else.
        split: split
            .filter(|split| change.is_some_and(|change| split.is_of(change.amount)))
            .map(Box::new),
        change,
        now,
        then,
    })
}

/// What each row is worth, in their order.
struct Prices(Vec<Value>);

impl Prices {
    /// The days whose prices are wanted to compare with, each with the places of the rows that
    /// want it.
    fn days_before(&self, since: Option<NaiveDate>) -> BTreeMap<NaiveDate, Vec<usize>> {
        let mut days: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (place, value) in self.0.iter().enumerate() {
            let last = value.price.as_ref().map(|price| price.date);
            if let Some(day) = last.and_then(|last| since.or(last.pred_opt())) {
                days.entry(day).or_default().push(place);
            }
        }
        days
    }
}

/// Everything that is held at its price of the day, each security once.
async fn rows(
    tx: &mut Tx,
    scene: &mut Scene,
    query: &MoversQuery,
    missing: &mut BTreeSet<Missing>,
) -> Result<(Vec<Mover>, Prices)> {
    let wanted = PositionsQuery {
        as_of: query.as_of,
        today: query.today,
        account: None,
        currency: query.currency,
        method: None,
        closed: false,
    };
    let mut held: BTreeMap<SecurityId, Vec<Held>> = BTreeMap::new();
    // How much there is does not depend on the currency one looks at it in.
    let positions =
        figures::positions_on(tx, &scene.market, query.as_of, Otherwise::default()).await?;
    for position in positions.into_iter().filter(|held| scene.wants(held, &wanted)) {
        held.entry(position.security).or_default().push(position);
    }
    scene.read_closes(tx, held.keys().copied()).await?;
    let mut rows = Vec::with_capacity(held.len());
    let mut values = Vec::with_capacity(held.len());
    for (security, positions) in held {
        let sure = !positions.iter().any(|held| held.figures.overflow);
        let sum = |part: fn(&Held) -> Exact| {
            let sum = positions.iter().fold(Exact::ZERO, |sum, held| sum.add(&part(held)));
            Some(sum).filter(|_| sure)
        };
        let quantity = sum(|held| held.figures.quantity.into());
        // Each account would say the same of the price and of the rate.
        let mut value = positions.iter().map(|held| scene.value(held)).next().unwrap_or_default();
        value.units =
            sum(|held| Exact::from(held.figures.quantity).mul(&held.figures.multiplier.into()));
        missing.append(&mut std::mem::take(&mut value.missing).into_iter().collect());
        let price = value.price.as_ref();
        rows.push(Mover {
            security,
            symbol: scene.symbol(security),
            name: scene.name(security),
            currency: scene.currency_of(security),
            quantity: quantity.and_then(|quantity| quantity.round(28).ok()),
            price: price.and_then(|price| price.price().ok()),
            price_date: price.map(|price| price.date),
            stale: price.is_some_and(|price| price.stale),
            price_before: None,
            before_date: None,
            change_percent: None,
            change_base: None,
        });
        values.push(value);
    }
    Ok((rows, Prices(values)))
}

/// Fills in what the price was on an earlier day, and what came of it.
fn compare(scene: &Scene, row: &mut Mover, value: &Value, day: NaiveDate) {
    let Some(now) = &value.price else { return };
    let Ok(before) = scene.price(row.security, day) else { return };
    let before = restated(before, scene, row.security, day);
    row.price_before = before.price().ok();
    row.before_date = Some(before.date);
    // Over the common divisor of both prices, so that nothing is rounded before the end.
    let rise = now.num.mul(&before.den).sub(&before.num.mul(&now.den));
    let hundred = Exact::from(Dec::from_i64(100));
    let was = before.num.abs().mul(&now.den);
    row.change_percent = rise.mul(&hundred).div_round(&was, 10).ok();
    row.change_base = value.units.as_ref().zip(value.rate.as_ref()).and_then(|(units, rate)| {
        let gain = rise.mul(units).mul(&rate.num);
        gain.div_round(&now.den.mul(&before.den).mul(&rate.den), 12).ok()
    });
}

/// A price of an earlier day, of one unit as the day of the scene counts them.
pub(super) fn restated(
    price: PriceOn,
    scene: &Scene,
    security: SecurityId,
    day: NaiveDate,
) -> PriceOn {
    let units = Restating::between(scene.market.splits(security), day, scene.day);
    PriceOn {
        num: price.num.mul(&units.num),
        den: price.den.mul(&units.den),
        restated: price.restated || !units.is_nothing(),
        ..price
    }
}

/// From one net worth to another, where both lack the same.
fn change(then: &NetWorthRow, now: &NetWorthRow) -> Option<Change> {
    let lacks = |row: &NetWorthRow| -> BTreeSet<Missing> {
        row.missing.iter().map(|lacks| Missing { date: None, ..lacks.clone() }).collect()
    };
    if lacks(then) != lacks(now) {
        return None;
    }
    let (before, after) = (then.net_worth?, now.net_worth?);
    let amount = difference(after, before)?;
    let hundred = Exact::from(Dec::from_i64(100));
    let percent = Exact::from(amount).mul(&hundred).div_round(&before.abs().into(), 10).ok();
    Some(Change { amount, percent })
}
