//! Holdings: what every account holds of each security on a day, what it cost and what it is worth.

use super::as_of::AsOf;
use super::pending::Pending;
use super::reasons::{Reasons, Unknown};
use super::types::{HoldingRow, HoldingTotals, HoldingsReport, PositionsQuery};
use super::valuation::{Scene, Total};
use super::{Missing, Result};
use crate::figures::{Held, Otherwise};
use crate::model::{Dec, Exact};
use crate::store::Tx;

/// The holdings of a day.
///
/// # Errors
/// When the store cannot be read.
pub async fn holdings(tx: &mut Tx, query: &PositionsQuery) -> Result<HoldingsReport> {
    let otherwise = Otherwise { method: query.method, base: query.currency };
    let day = AsOf::read(tx, query.as_of, query.today, otherwise).await?;
    holdings_of(tx, &day, query).await
}

/// The same of a day that was read already.
pub(super) async fn holdings_of(
    tx: &mut Tx,
    AsOf { scene, held, pending }: &AsOf,
    query: &PositionsQuery,
) -> Result<HoldingsReport> {
    let wanted: Vec<_> = held.iter().filter(|held| scene.wants(held, query)).collect();
    let reasons = Reasons::read(tx, scene, wanted.iter().map(|held| unknown(held))).await?;
    let mut missing = Vec::new();
    let mut rows = Vec::with_capacity(wanted.len());
    for held in wanted {
        let mut lacks = reasons.of_position(scene, unknown(held));
        let row = row(scene, held, pending, &mut lacks);
        if !row.closed {
            missing.append(&mut lacks);
        }
        rows.push(row);
    }
    rows.sort_by(|a, b| {
        (&a.account, &a.symbol, a.security_id).cmp(&(&b.account, &b.symbol, b.security_id))
    });
    let mut totals = totals(&rows, &mut missing);
    if counted(&rows).any(|row| row.cost_base.is_none()) {
        // Of a position whose cost is not known some lots may be.
        let lots = super::lots(tx, query).await?.totals;
        totals.cost_base = lots.cost_base;
        totals.unrealized_base = lots.unrealized_base;
    }
    weigh(&mut rows, totals.value_base);
    missing.sort();
    missing.dedup();
    Ok(HoldingsReport { as_of: query.as_of, currency: scene.base, missing, rows, totals })
}

/// What a position does not know of its rows.
fn unknown(held: &Held) -> Unknown {
    let figures = &held.figures;
    let open = !figures.quantity.is_zero();
    let costs = |cost: Option<Dec>| open && cost.is_none();
    let fits = !figures.overflow && !figures.cost_overflows;
    let local = costs(figures.cost) || figures.realized.is_none() || figures.income.is_none();
    let base = costs(figures.cost_base) || figures.realized_base.is_none();
    let Held { account, security, .. } = *held;
    Unknown { account, security, local: fits && local, base: fits && base, date: None }
}

fn row(scene: &Scene, held: &Held, pending: &Pending, missing: &mut Vec<Missing>) -> HoldingRow {
    let figures = &held.figures;
    let value = scene.value(held);
    missing.extend(value.missing.iter().cloned());
    if figures.overflow || figures.cost_overflows {
        missing.push(Missing {
            what: "overflow",
            security: Some(scene.symbol(held.security)),
            pair: None,
            account: scene.account_name(held.account),
            date: None,
        });
    }
    let less = |a: Option<Dec>, b: Option<Dec>| a.zip(b).and_then(|(a, b)| difference(a, b));
    HoldingRow {
        account: scene.account_name(held.account),
        symbol: scene.symbol(held.security),
        security_id: held.security,
        name: scene.name(held.security),
        asset_class: scene.asset_class(held.security),
        currency: scene.currency_of(held.security),
        quantity: figures.quantity,
        price: value.price.as_ref().and_then(|price| price.price().ok()),
        price_date: value.price.as_ref().map(|price| price.date),
        price_source: value.price.as_ref().map(|price| price.source.clone()),
        stale: value.price.as_ref().is_some_and(|price| price.stale),
        value: value.local,
        value_base: value.base,
        cost: figures.cost,
        cost_base: figures.cost_base,
        unrealized: less(value.local, figures.cost),
        unrealized_base: less(value.base, figures.cost_base),
        realized: figures.realized,
        realized_base: figures.realized_base,
        income: figures.income,
        weight: None,
        method: scene.method(held.account),
        pending: pending.of_position(held),
        closed: !scene.is_open(held.account, scene.day),
    }
}

/// One less the other, at the scale of derived money.
pub(super) fn difference(a: Dec, b: Dec) -> Option<Dec> {
    Exact::from(a).sub(&Exact::from(b)).round(12).ok()
}

/// The rows that sums are over.
fn counted(rows: &[HoldingRow]) -> impl Iterator<Item = &HoldingRow> {
    rows.iter().filter(|row| !row.closed)
}

fn totals(rows: &[HoldingRow], missing: &mut Vec<Missing>) -> HoldingTotals {
    // What is held no more is worth nothing, which makes nothing else known.
    let held = || counted(rows).filter(|row| !row.quantity.is_zero());
    let sum = |figure: fn(&HoldingRow) -> Option<Dec>| held().map(figure).collect::<Total>();
    HoldingTotals {
        value_base: sum(|row| row.value_base).told(missing),
        cost_base: sum(|row| row.cost_base).told(missing),
        unrealized_base: sum(|row| row.unrealized_base).told(missing),
        realized_base: counted(rows).map(|row| row.realized_base).collect::<Total>().told(missing),
    }
}

/// The part of each row in the whole, where both are known.
fn weigh(rows: &mut [HoldingRow], whole: Option<Dec>) {
    let Some(whole) = whole.filter(|whole| !whole.is_zero()) else { return };
    let whole = Exact::from(whole);
    for row in rows.iter_mut().filter(|row| !row.closed) {
        row.weight = row.value_base.and_then(|value| Exact::from(value).div_round(&whole, 10).ok());
    }
}
