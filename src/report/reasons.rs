//! Why the lots do not know a figure: the rates that their rows lacked, or a cost that no row told.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::valuation::Scene;
use super::{Missing, Result};
use crate::analytics::lots::{FindingKind, LotFinding};
use crate::figures;
use crate::model::{AccountId, SecurityId, TransactionId};
use crate::store::Tx;

/// What the rows lacked.
#[derive(Default)]
pub(super) struct Reasons {
    rows: BTreeMap<TransactionId, Vec<LotFinding>>,
    positions: BTreeMap<(AccountId, SecurityId), Vec<LotFinding>>,
}

/// A figure, or several, that are not known.
#[derive(Clone, Copy)]
pub(super) struct Unknown {
    pub account: AccountId,
    pub security: SecurityId,
    /// Not even in the security's currency.
    pub local: bool,
    /// In the base currency.
    pub base: bool,
    /// Of the day, where there is no better one.
    pub date: Option<NaiveDate>,
}

impl Unknown {
    pub const fn is_anything(&self) -> bool {
        self.local || self.base
    }
}

impl Reasons {
    /// Reads them, where anything is unknown at all.
    pub async fn read(
        tx: &mut Tx,
        scene: &Scene,
        mut unknown: impl Iterator<Item = Unknown>,
    ) -> Result<Self> {
        let mut reasons = Self::default();
        if !unknown.any(|unknown| unknown.is_anything()) {
            return Ok(reasons);
        }
        let found = figures::findings_of(tx, &scene.market, scene.day, scene.otherwise).await?;
        for finding in found {
            if matches!(finding.kind, FindingKind::MissingRate | FindingKind::MissingCost) {
                let at = (finding.account, finding.security);
                reasons.positions.entry(at).or_default().push(finding.clone());
                reasons.rows.entry(finding.transaction).or_default().push(finding);
            }
        }
        Ok(reasons)
    }

    /// Why a figure that follows from these rows is not known.
    pub fn of_rows(
        &self,
        scene: &Scene,
        unknown: Unknown,
        rows: impl IntoIterator<Item = TransactionId>,
    ) -> Vec<Missing> {
        let found = rows.into_iter().filter_map(|row| self.rows.get(&row)).flatten();
        missing(scene, unknown, &found.collect::<Vec<_>>())
    }

    /// Why a figure that follows from all rows of a position is not known.
    pub fn of_position(&self, scene: &Scene, unknown: Unknown) -> Vec<Missing> {
        let found = self.positions.get(&(unknown.account, unknown.security));
        missing(scene, unknown, &found.into_iter().flatten().collect::<Vec<_>>())
    }
}

fn missing(scene: &Scene, unknown: Unknown, found: &[&LotFinding]) -> Vec<Missing> {
    if !unknown.is_anything() {
        return Vec::new();
    }
    let account = scene.account_name(unknown.account);
    let local = scene.currency_of(unknown.security);
    let rate = |pair: String, date| Missing {
        what: "fx",
        security: None,
        pair: Some(pair),
        account: account.clone(),
        date,
    };
    // A rate that only the taxes wanted keeps no figure of a report from being known.
    let rates = found.iter().filter_map(|finding| {
        let (from, to) = finding.pair.filter(|(_, to)| [local, scene.base].contains(to))?;
        Some((from, to, finding.date))
    });
    let rates: Vec<_> = rates.collect();
    let mut missing: Vec<_> =
        rates.iter().map(|(from, to, date)| rate(format!("{from}/{to}"), Some(*date))).collect();
    let no_cost = found.iter().any(|finding| finding.kind == FindingKind::MissingCost);
    let explained = rates.iter().any(|(_, to, _)| *to == local);
    if unknown.local && (no_cost || !explained) || missing.is_empty() && local == scene.base {
        missing.push(Missing {
            what: "cost",
            security: Some(scene.symbol(unknown.security)),
            pair: None,
            account,
            date: unknown.date,
        });
    } else if missing.is_empty() {
        missing.push(rate(scene.pair(unknown.security), unknown.date));
    }
    missing
}
