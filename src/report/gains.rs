//! Realized gains: every lot that a sale closed in a span of days, and the same sales under each
//! method.

use chrono::NaiveDate;

use super::Result;
use super::pending::Pending;
use super::reasons::{Reasons, Unknown};
use super::types::PositionsQuery;
use super::types::{GainRow, GainTotals, GainsQuery, GainsReport, MethodRow, MethodsReport};
use super::valuation::{Scene, Total};
use crate::figures::{self, Otherwise, Scope};
use crate::model::{Dec, LotMethod, Realization, Term};
use crate::store::Tx;

/// What was realized in a span.
///
/// # Errors
/// When the store cannot be read.
pub async fn gains(tx: &mut Tx, query: &GainsQuery) -> Result<GainsReport> {
    let otherwise = Otherwise { method: query.method, base: query.currency };
    let scene = Scene::with(tx, query.to, query.to, Scope::History, otherwise).await?;
    let from = query.from.unwrap_or(NaiveDate::MIN);
    let realized = figures::realized(tx, &scene.market, from, query.to, otherwise).await?;
    let wanted = || {
        let wanted = |account| query.account.is_none_or(|wanted| wanted == account);
        realized.iter().filter(move |realized| wanted(realized.account))
    };
    let reasons = Reasons::read(tx, &scene, wanted().map(unknown)).await?;
    let mut missing: Vec<_> = wanted()
        .flat_map(|realized| {
            let rows = realized.opening.into_iter().chain([realized.closing]);
            reasons.of_rows(&scene, unknown(realized), rows)
        })
        .collect();
    let pending = Pending::read(tx, query.to).await?;
    let mut rows: Vec<_> = wanted().map(|realized| row(&scene, realized, &pending)).collect();
    // Stable: what shares all of these stays in the order in which it was closed.
    rows.sort_by(|a, b| {
        let key = |row: &GainRow| (row.closed, row.account.clone(), row.symbol.clone());
        key(a).cmp(&key(b))
    });
    let totals = GainTotals::told(&rows, &mut missing);
    missing.sort();
    missing.dedup();
    Ok(GainsReport { as_of: query.to, currency: scene.base, missing, rows, totals })
}

/// What a sale does not know.
fn unknown(realized: &Realization) -> Unknown {
    let Realization { proceeds, cost, proceeds_base, cost_base, .. } = realized;
    Unknown {
        account: realized.account,
        security: realized.security,
        local: proceeds.is_none() || cost.is_none(),
        base: proceeds_base.is_none() || cost_base.is_none(),
        date: Some(if cost_base.is_none() { realized.opened } else { realized.closed }),
    }
}

fn row(scene: &Scene, realized: &Realization, pending: &Pending) -> GainRow {
    GainRow {
        account: scene.account_name(realized.account).unwrap_or_default(),
        symbol: scene.symbol(realized.security),
        security_id: realized.security,
        currency: scene.currency_of(realized.security),
        opened: realized.opened,
        closed: realized.closed,
        opening: realized.opening,
        closing: realized.closing,
        quantity: realized.quantity,
        proceeds: realized.proceeds,
        cost: realized.cost,
        gain: realized.gain(),
        proceeds_base: realized.proceeds_base,
        cost_base: realized.cost_base,
        gain_base: realized.gain_base(),
        gain_fx: realized.gain_fx,
        term: realized.term,
        method: realized.method,
        pending: pending.of_sale(realized),
    }
}

impl GainTotals {
    /// The sums over some rows.
    #[must_use]
    pub fn of(rows: &[GainRow]) -> Self {
        Self::told(rows, &mut Vec::new())
    }

    /// The same; what is too large to be told is missing.
    fn told(rows: &[GainRow], missing: &mut Vec<super::Missing>) -> Self {
        let mut sum = |figure: fn(&GainRow) -> Option<Dec>, term: Option<Term>| {
            let rows = rows.iter().filter(|row| term.is_none_or(|term| row.term == term));
            rows.map(figure).collect::<Total>().told(missing)
        };
        Self {
            proceeds_base: sum(|row| row.proceeds_base, None),
            cost_base: sum(|row| row.cost_base, None),
            gain_base: sum(|row| row.gain_base, None),
            long_base: sum(|row| row.gain_base, Some(Term::Long)),
            short_base: sum(|row| row.gain_base, Some(Term::Short)),
        }
    }
}

/// The sales of a span as each method would have made them.
///
/// # Errors
/// When the store cannot be read.
pub async fn compare_methods(tx: &mut Tx, query: &GainsQuery) -> Result<MethodsReport> {
    let mut rows = Vec::with_capacity(LotMethod::ALL.len());
    let mut missing = Vec::new();
    let mut currency = None;
    for &method in LotMethod::ALL {
        let report = gains(tx, &GainsQuery { method: Some(method), ..*query }).await?;
        let left = super::holdings(
            tx,
            &PositionsQuery {
                as_of: query.to,
                today: query.to,
                account: query.account,
                currency: query.currency,
                method: Some(method),
                closed: false,
            },
        )
        .await?;
        currency = Some(report.currency);
        missing.extend(report.missing);
        missing.extend(left.missing.into_iter().filter(|missing| missing.what != "price"));
        rows.push(MethodRow {
            method,
            totals: report.totals,
            cost_left_base: left.totals.cost_base,
            current: false,
        });
    }
    missing.sort();
    missing.dedup();
    let scene = Scene::of_day(tx, query.to, query.to, Otherwise::default()).await?;
    let followed = |method| {
        let mut accounts = scene.accounts.keys();
        accounts.all(|account| scene.method(*account) == method)
    };
    for row in &mut rows {
        row.current = followed(row.method);
    }
    Ok(MethodsReport { as_of: query.to, currency: currency.unwrap_or(scene.base), missing, rows })
}
