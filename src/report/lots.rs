//! Open lots: each purchase that is not sold, what it cost and what it is worth.

use super::Result;
use super::holdings::difference;
use super::pending::Pending;
use super::reasons::{Reasons, Unknown};
use super::types::{HoldingTotals, LotRow, LotsReport, PositionsQuery};
use super::valuation::{Scene, Total, Value};
use crate::analytics::lots::term;
use crate::figures::{self, Held};
use crate::model::{Dec, Exact, Lot, SecurityId};
use crate::store::Tx;

/// The open lots of a day.
///
/// # Errors
/// When the store cannot be read.
pub async fn lots(tx: &mut Tx, query: &PositionsQuery) -> Result<LotsReport> {
    let scene = Scene::set(tx, query).await?;
    let held = figures::lots_on(tx, &scene.market, query.as_of, scene.otherwise).await?;
    report(tx, scene, query, held).await
}

/// Those of one security: no page of another is read.
///
/// # Errors
/// When the store cannot be read.
pub async fn lots_of(
    tx: &mut Tx,
    query: &PositionsQuery,
    security: SecurityId,
) -> Result<LotsReport> {
    let scene = Scene::set(tx, query).await?;
    let group = tx.lot_groups().await?.get(&security).copied().unwrap_or(security);
    let (market, otherwise) = (&scene.market, scene.otherwise);
    let mut held = figures::lots_of_group(tx, market, group, query.as_of, otherwise).await?;
    held.retain(|(held, _)| held.security == security);
    report(tx, scene, query, held).await
}

async fn report(
    tx: &mut Tx,
    mut scene: Scene,
    query: &PositionsQuery,
    held: Vec<(Held, Vec<Lot>)>,
) -> Result<LotsReport> {
    let wanted: Vec<_> = held.into_iter().filter(|(held, _)| scene.wants(held, query)).collect();
    scene.read_closes(tx, wanted.iter().map(|(held, _)| held.security)).await?;
    let unknown: Vec<(&Lot, Unknown)> = wanted
        .iter()
        .flat_map(|(held, lots)| lots.iter().map(move |lot| (lot, unknown(held, lot))))
        .collect();
    let reasons = Reasons::read(tx, &scene, unknown.iter().map(|(_, unknown)| *unknown)).await?;
    let counts = |account| scene.is_open(account, scene.day);
    let lacks = unknown
        .iter()
        .filter(|(_, unknown)| counts(unknown.account))
        .flat_map(|(lot, unknown)| reasons.of_rows(&scene, *unknown, [lot.opening]));
    let mut missing: Vec<_> = lacks.collect();
    let mut rows: Vec<(SecurityId, LotRow)> = Vec::new();
    let pending = Pending::read(tx, query.as_of).await?;
    let [mut value, mut cost, mut unrealized, mut realized] = [(); 4].map(|()| Total::default());
    for (held, lots) in &wanted {
        // A closed account is shown when asked for, and no sum counts it.
        let counts = counts(held.account);
        let whole = scene.value(held);
        if counts {
            missing.extend(whole.missing.iter().cloned());
            value.add(whole.base);
            realized.add(held.figures.realized_base);
        }
        for (lot, part) in lots.iter().zip(values(held, lots, &whole)) {
            let pending = pending.of_lot(held, lots, lot);
            let row = LotRow { pending, ..row(&scene, held, lot, &part) };
            if counts {
                cost.add(row.cost_base);
                unrealized.add(row.unrealized_base);
            }
            rows.push((held.security, row));
        }
    }
    rows.sort_by(|(a_id, a), (b_id, b)| {
        let key = |row: &LotRow| (row.account.clone(), row.symbol.clone());
        (key(a), a_id, a.opened).cmp(&(key(b), b_id, b.opened))
    });
    let rows: Vec<_> = rows.into_iter().map(|(_, row)| row).collect();
    let totals = HoldingTotals {
        value_base: value.told(&mut missing),
        cost_base: cost.told(&mut missing),
        unrealized_base: unrealized.told(&mut missing),
        realized_base: realized.told(&mut missing),
    };
    missing.sort();
    missing.dedup();
    Ok(LotsReport { as_of: query.as_of, currency: scene.base, missing, rows, totals })
}

/// The value of each lot. The last one takes what is left of the whole, so that the parts add up.
fn values(held: &Held, lots: &[Lot], whole: &Value) -> Vec<Value> {
    let mut left = (whole.local, whole.base);
    let mut values = Vec::with_capacity(lots.len());
    for (index, lot) in lots.iter().enumerate() {
        let mut value = whole.clone();
        if index + 1 == lots.len() {
            (value.local, value.base) = left;
        } else {
            let part = |whole: Option<Dec>| {
                let whole = Exact::from(whole?).mul(&Exact::from(lot.quantity));
                whole.div_round(&Exact::from(held.figures.quantity), 12).ok()
            };
            (value.local, value.base) = (part(whole.local), part(whole.base));
            let less = |a: Option<Dec>, b: Option<Dec>| difference(a?, b?);
            left = (less(left.0, value.local), less(left.1, value.base));
        }
        values.push(value);
    }
    values
}

/// What a lot does not know.
const fn unknown(held: &Held, lot: &Lot) -> Unknown {
    Unknown {
        account: held.account,
        security: held.security,
        local: lot.cost.is_none(),
        base: lot.cost_base.is_none(),
        date: Some(lot.opened),
    }
}

fn row(scene: &Scene, held: &Held, lot: &Lot, value: &Value) -> LotRow {
    let currency = scene.currency_of(held.security);
    let less = |a: Option<Dec>, b: Option<Dec>| difference(a?, b?);
    // The cost at today's rate, less what it was at that of its day.
    let unrealized_fx = lot.cost.zip(lot.cost_base).and_then(|(cost, base)| {
        let now = scene.in_base(&Exact::from(cost), currency, scene.day, held.account);
        difference(now.ok()?, base)
    });
    LotRow {
        account: scene.account_name(held.account),
        symbol: scene.symbol(held.security),
        security_id: held.security,
        currency,
        opening: lot.opening,
        opened: lot.opened,
        quantity: lot.quantity,
        cost: lot.cost,
        cost_base: lot.cost_base,
        value: value.local,
        unrealized: less(value.local, lot.cost),
        unrealized_base: less(value.base, lot.cost_base),
        unrealized_fx,
        term: term(lot, scene.day),
        pending: false,
    }
}
