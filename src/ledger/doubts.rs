//! Prices that are far from the one before are kept as findings, until somebody accepts them, they are borne
//! out, or what is told is near again.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::Result;
use crate::model::{Doubt, DoubtfulPrice, SecurityId};
use crate::store::{Finding, WriteTx};

/// What a look at prices found of them.
#[derive(Clone, Debug, Default)]
pub struct Doubts {
    /// Those that are far from the one before.
    pub doubtful: Vec<Doubt>,
    /// What has a price that is near the one before it, and the newest day of one.
    pub near: BTreeMap<SecurityId, NaiveDate>,
    /// What has a close of a day now, by which the next one is judged, and the newest such day.
    pub closed: BTreeMap<SecurityId, NaiveDate>,
}

/// Keeps them. Tells whether anything about them is new.
pub(super) async fn keep(tx: &mut WriteTx, doubts: &Doubts, now: i64) -> Result<bool> {
    let known = tx.findings().await?.into_iter();
    let known: Vec<_> = known.filter(|it| DoubtfulPrice::is_kind(&it.kind)).collect();
    // One question may find two of a security; there is one finding of it.
    let doubtful: BTreeMap<_, _> = doubts.doubtful.iter().map(|it| (it.security, it)).collect();
    let is_over = |it: &&Finding| {
        let Some(security) = it.security else { return false };
        // A day before it that is told once more says nothing of it.
        let is_told = |days: &BTreeMap<SecurityId, NaiveDate>| {
            days.get(&security).is_some_and(|day| it.date.is_none_or(|date| date <= *day))
        };
        match it.kind == DoubtfulPrice::FINDING {
            true => is_told(&doubts.near) && !doubtful.contains_key(&security),
            // It is still needed while it is the only price near those that come.
            false => is_told(&doubts.closed),
        }
    };
    let over: Vec<_> = known.iter().filter(is_over).cloned().collect();
    tx.settle_findings(&over, now).await?;
    let mut is_new = !over.is_empty();
    for doubt in doubtful.into_values() {
        let same = |it: &&Finding| {
            it.kind == DoubtfulPrice::FINDING && it.security == Some(doubt.security)
        };
        let (date, detail) = (Some(doubt.date), doubt.told.to_string());
        match known.iter().find(same) {
            Some(it) if it.date == date && it.detail == detail => {}
            Some(it) => {
                tx.put_finding(&Finding { date, detail, ..it.clone() }).await?;
                is_new = true;
            }
            None => {
                let finding = Finding {
                    id: tx.take_id(),
                    kind: DoubtfulPrice::FINDING.to_owned(),
                    severity: "warning".to_owned(),
                    transaction: None,
                    account: None,
                    security: Some(doubt.security),
                    date,
                    detail,
                    created: now,
                    settled: None,
                };
                tx.insert_findings(&[finding]).await?;
                is_new = true;
            }
        }
    }
    Ok(is_new)
}
