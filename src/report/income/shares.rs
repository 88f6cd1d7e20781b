//! Whose a payment of the past would be now: what it paid on may have been sold or bought since, or
//! have moved to another account.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;

use super::Holding;
use super::payments::Payment;
use crate::analytics::bars::Restating;
use crate::figures;
use crate::model::{AccountId, Dec, Exact, SecurityId};
use crate::report::Result;
use crate::report::valuation::Scene;
use crate::store::Tx;

/// What was held of each security at the end of the day before it paid, in the units of that day.
pub(super) type Then = BTreeMap<(SecurityId, NaiveDate), Exact>;

pub(super) async fn held_then(tx: &mut Tx, scene: &Scene, rows: &[Arc<Payment>]) -> Result<Then> {
    let mut days: BTreeMap<SecurityId, BTreeSet<NaiveDate>> = BTreeMap::new();
    for row in rows {
        if let (Some(security), Some(before)) = (row.security, row.date.pred_opt()) {
            days.entry(security).or_default().insert(before);
        }
    }
    let groups = tx.lot_groups().await?;
    let mut then = Then::new();
    for (security, days) in days {
        let group = groups.get(&security).copied().unwrap_or(security);
        let days: Vec<_> = days.into_iter().collect();
        let held = figures::group_on(tx, &scene.market, group, &days, scene.otherwise).await?;
        for (day, held) in days.into_iter().zip(held) {
            let mine = held.iter().filter(|held| held.security == security);
            let sum = mine.fold(Exact::ZERO, |sum, it| sum.add(&it.figures.quantity.into()));
            then.insert((security, day), sum);
        }
    }
    Ok(then)
}

/// The part of a payment that is for what an account holds now.
#[derive(Clone, Debug)]
pub(super) struct Share {
    pub account: AccountId,
    /// What is held now of what was held then; none: all of it.
    part: Option<(Dec, Arc<Held>)>,
}

/// What was held when it paid, in the units of that day. All accounts share it.
#[derive(Debug)]
struct Held {
    then: Exact,
    splits: Restating,
}

impl Share {
    /// All of it.
    pub const fn whole(account: AccountId) -> Self {
        Self { account, part: None }
    }

    /// The part of an amount, to 12 decimals.
    pub fn of(&self, money: Dec) -> Option<Dec> {
        let Some((now, held)) = &self.part else { return Some(money) };
        let Held { then, splits } = &**held;
        let over = Exact::from(*now).mul(&splits.num);
        Exact::from(money).mul(&over).div_round(&then.mul(&splits.den), 12).ok()
    }

    /// The same in words.
    pub fn words(&self) -> String {
        let Some((now, held)) = &self.part else { return String::new() };
        let Held { then, splits } = &**held;
        let restated = if splits.num == splits.den { "" } else { ", restated for splits" };
        format!(" x {now} held now / {then} held then{restated}")
    }
}

/// By what is held now of what was held then; by what each account holds, since it may have moved.
pub(super) fn shares(
    scene: &Scene,
    payment: &Payment,
    security: SecurityId,
    held: &[Holding],
    then: &Then,
) -> Vec<Share> {
    let before = payment.date.pred_opt().and_then(|day| Some((day, then.get(&(security, day))?)));
    let now = held.iter().filter(|it| it.security == security && !it.quantity.is_zero());
    match before.filter(|(_, then)| !then.is_zero()) {
        Some((day, then)) => {
            // What was held then, in the units of today.
            let splits = Restating::between(scene.market.splits(security), day, scene.day);
            let then = Arc::new(Held { then: then.clone(), splits });
            let share = |it: &Holding| Share {
                account: it.account,
                part: Some((it.quantity, Arc::clone(&then))),
            };
            now.map(share).collect()
        }
        // Sold before it paid, and bought again since, or nobody can tell: as it was.
        None => now
            .filter(|it| it.account == payment.account)
            .map(|it| it.account)
            .map(Share::whole)
            .collect(),
    }
}
