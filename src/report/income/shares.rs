//! Whose a payment of the past would be now: what it paid on may have been sold or bought since, or
//! have moved to another account.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chrono::NaiveDate;

use super::Holding;
use super::payments::Payment;
use crate::analytics::bars::Restating;
use crate::figures;
use crate::model::{AccountId, Dec, Exact, SecurityId};
use crate::report::Result;
use crate::report::valuation::Scene;
use crate::store::Tx;

/// What is held now, by security, and what was held of each at the end of the day before it paid, in
/// the units of that day.
pub(super) struct Shares {
    now: BTreeMap<SecurityId, Vec<(AccountId, Dec)>>,
    then: BTreeMap<(SecurityId, NaiveDate), Exact>,
}

impl Shares {
    pub async fn read(
        tx: &mut Tx,
        scene: &Scene,
        rows: &[Payment],
        held: &[Holding],
    ) -> Result<Self> {
        let mut days: BTreeMap<SecurityId, BTreeSet<NaiveDate>> = BTreeMap::new();
        for row in rows {
            if let (Some(security), Some(before)) = (row.security, row.date.pred_opt()) {
                days.entry(security).or_default().insert(before);
            }
        }
        let groups = tx.lot_groups().await?;
        let mut then = BTreeMap::new();
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
        let mut now: BTreeMap<SecurityId, Vec<_>> = BTreeMap::new();
        for it in held.iter().filter(|it| !it.quantity.is_zero()) {
            now.entry(it.security).or_default().push((it.account, it.quantity));
        }
        Ok(Self { now, then })
    }

    /// By what is held now of what was held then; by what each account holds, since it may have
    /// moved.
    pub fn of(&self, scene: &Scene, payment: &Payment, security: SecurityId) -> Vec<Share> {
        let Some(now) = self.now.get(&security) else { return Vec::new() };
        let day = payment.date.pred_opt();
        let before = day.and_then(|day| Some((day, self.then.get(&(security, day))?)));
        match before.filter(|(_, then)| !then.is_zero()) {
            Some((day, then)) => {
                // What was held then, in the units of today.
                let splits = Restating::between(scene.market.splits(security), day, scene.day);
                let then = Rc::new(Held { then: then.clone(), splits });
                let share = |(account, quantity): &(AccountId, Dec)| Share {
                    account: *account,
                    part: Some((*quantity, Rc::clone(&then))),
                };
                now.iter().map(share).collect()
            }
            // Sold before it paid, and bought again since, or nobody can tell: as it was.
            None => now
                .iter()
                .filter(|(account, _)| *account == payment.account)
                .map(|(account, _)| Share::whole(*account))
                .collect(),
        }
    }
}

/// The part of a payment that is for what an account holds now.
#[derive(Debug)]
pub(super) struct Share {
    pub account: AccountId,
    /// What is held now of what was held then; none: all of it.
    part: Option<(Dec, Rc<Held>)>,
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
