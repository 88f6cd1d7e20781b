//! What a person should look at in what is held on a day: prices that are not there or not above
//! zero, and costs that are too large to add up.

use chrono::NaiveDate;

use super::valuation::Scene;
use super::{FindingRow, Result};
use crate::analytics::lots::Severity;
use crate::figures::{self, Held, Otherwise};
use crate::model::{Mode, SafeText, Wording};
use crate::store::Tx;

/// The doubts of a day: one for each security and sort, or for each position whose cost is in doubt.
pub(super) async fn findings(tx: &mut Tx, as_of: NaiveDate) -> Result<Vec<FindingRow>> {
    let otherwise = Otherwise::default();
    let mut scene = Scene::of_day(tx, as_of, as_of, otherwise).await?;
    let mut held = figures::positions_on(tx, &scene.market, as_of, otherwise).await?;
    held.retain(|held| counts(&scene, held));
    scene.read_closes(tx, held.iter().map(|held| held.security)).await?;
    let too_large = held.iter().filter(|held| held.figures.cost_overflows);
    let mut rows: Vec<_> = too_large.map(|held| cost_row(&scene, held)).collect();
    held.sort_by_key(|held| held.security);
    held.dedup_by_key(|held| held.security);
    rows.extend(held.iter().filter_map(|held| price_row(&scene, held)));
    Ok(rows)
}

/// Whether a position is a part of any total.
fn counts(scene: &Scene, held: &Held) -> bool {
    let account = scene.accounts.get(&held.account);
    !held.figures.quantity.is_zero()
        && scene.is_open(held.account, scene.day)
        && account.is_none_or(|row| row.account.mode == Mode::Ledger)
}

fn price_row(scene: &Scene, held: &Held) -> Option<FindingRow> {
    let value = scene.value(held);
    let (kind, date, detail) = match &value.price {
        None if value.missing.iter().any(|missing| missing.what == "price") => {
            let detail = "there is no price on or before the day; what is held has no value";
            ("missing_price", scene.day, Wording::new(detail))
        }
        None => return None,
        Some(price) => {
            // By what it is, not by what it is rounded to.
            if price.num.sign().is_gt() {
                return None;
            }
            let kind = if price.num.is_zero() { "zero_price" } else { "negative_price" };
            let close = price.price().unwrap_or(price.stored);
            let detail = Wording::new("the latest price is ")
                .amount(close)
                .and("; values are computed with it");
            (kind, price.date, detail)
        }
    };
    let symbol = scene.symbol(held.security);
    Some(FindingRow {
        id: SafeText::new(&format!("{kind}:{}", held.security)),
        severity: SafeText::new(Severity::Warning.as_str()),
        kind: SafeText::new(kind),
        account: None,
        date: Some(date),
        transaction: None,
        detail,
        fix: SafeText::new(&format!("import prices, or set one with `price set sec:{symbol}`")),
        symbol: Some(symbol),
    })
}

fn cost_row(scene: &Scene, held: &Held) -> FindingRow {
    FindingRow {
        id: SafeText::new(&format!("overflow:{}:{}", held.account, held.security)),
        kind: SafeText::new("overflow"),
        severity: SafeText::new(Severity::Error.as_str()),
        account: scene.account_name(held.account),
        symbol: Some(scene.symbol(held.security)),
        date: Some(scene.day),
        transaction: None,
        detail: Wording::new("what its lots cost has together more than 28 digits"),
        fix: SafeText::new("check quantity, price and amount of its rows"),
    }
}
