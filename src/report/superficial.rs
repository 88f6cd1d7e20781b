//! Losses that a taxman may not take: sold at a loss out of the shared average while the same was
//! bought within thirty days of the sale, in whatever account, and is still held thirty days after
//! it. A warning; no figure changes.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};

use super::findings::found_row;
use super::{FindingRow, Result};
use crate::analytics::lots::{Event, LotFinding};
use crate::figures::{self, Market, Names, Otherwise, Scope};
use crate::model::{SecurityId, Subtype, Wording};
use crate::store::Tx;

/// So many days before the sale and after it.
const NEAR: TimeDelta = TimeDelta::days(30);
/// So many purchases are named one by one.
const SHOWN: usize = 5;

/// Those of these losses that may be superficial, by what is known on a day.
pub(super) async fn findings(
    tx: &mut Tx,
    names: &Names,
    losses: Vec<LotFinding>,
    as_of: NaiveDate,
) -> Result<Vec<FindingRow>> {
    let mut by_security: BTreeMap<SecurityId, Vec<LotFinding>> = BTreeMap::new();
    for loss in losses {
        by_security.entry(loss.security).or_default().push(loss);
    }
    if by_security.is_empty() {
        return Ok(Vec::new());
    }
    let groups = tx.lot_groups().await?;
    let otherwise = Otherwise::default();
    let market = Market::read(tx, as_of, Scope::Day, otherwise).await?;
    let mut rows = Vec::new();
    for (security, losses) in by_security {
        let group = groups.get(&security).copied().unwrap_or(security);
        let mut bought = figures::rows_of(tx, group, security).await?;
        bought.retain(|row| row.subtype == Subtype::Buy && row.date <= as_of);
        let mut doubtful = Vec::new();
        for loss in losses {
            let near = bought.iter().filter(|row| (row.date - loss.date).abs() <= NEAR);
            let near: Vec<&Event> = near.collect();
            if !near.is_empty() {
                let end = loss.date.checked_add_signed(NEAR).unwrap_or(as_of).min(as_of);
                doubtful.push((end, loss, near));
            }
        }
        doubtful.sort_by_key(|(end, ..)| *end);
        let ends: Vec<_> = doubtful.iter().map(|(end, ..)| *end).collect();
        let held = figures::group_on(tx, &market, group, &ends, otherwise).await?;
        for ((_, loss, near), held) in doubtful.iter().zip(held) {
            let is_held = held
                .iter()
                .any(|held| held.security == security && held.figures.quantity.is_positive());
            if is_held {
                rows.push(FindingRow {
                    detail: detail(names, loss, near),
                    ..found_row(names, loss)
                });
            }
        }
    }
    Ok(rows)
}

fn detail(names: &Names, loss: &LotFinding, bought: &[&Event]) -> Wording {
    let mut detail = Wording::new("perhaps not all of the loss ");
    if let Some((amount, currency)) = loss.loss {
        detail = detail.and("of ").amount(amount).and(&format!(" {currency} "));
    }
    detail = detail.and("counts: within 30 days of the sale were bought ");
    for (place, row) in bought.iter().take(SHOWN).enumerate() {
        let account = names.account(row.account);
        detail = detail
            .and(if place > 0 { ", " } else { "" })
            .amount(row.quantity.unwrap_or_default())
            .and(&format!(" in {account} on {} (row {})", row.date, row.id));
    }
    if bought.len() > SHOWN {
        detail = detail.and(&format!(", {} more", bought.len() - SHOWN));
    }
    detail.and(", and some was held 30 days after it, or is today")
}
