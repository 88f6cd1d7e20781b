//! What was paid: the rows that are income, and those that kept a part of it back, each with what
//! it came to on its day.

use chrono::NaiveDate;

use crate::analytics::lots::{Converted, converted};
use crate::model::{
    AccountId, Currency, Dec, Exact, Origin, SecurityId, Status, Subtype, Transaction,
    TransactionId,
};
use crate::report::parts::Parts;
use crate::report::valuation::Scene;
use crate::report::{Missing, Result};
use crate::store::{TransactionFilter, Tx};

/// A return of capital is none, a stock dividend neither.
const EVENTS: &[Subtype] = &[
    Subtype::Dividend,
    Subtype::Interest,
    Subtype::CapitalGain,
    Subtype::Distribution,
    Subtype::Reward,
    Subtype::WithholdingTax,
];

/// How many rows are read at once.
const PART: usize = 1_000;

/// One row.
#[derive(Clone, Debug)]
pub(in crate::report) struct Payment {
    pub id: TransactionId,
    pub date: NaiveDate,
    pub account: AccountId,
    pub security: Option<SecurityId>,
    pub kind: Subtype,
    pub currency: Currency,
    /// Who says so.
    pub origin: Origin,
    pub pending: bool,
    /// Before anything was kept back; none: nobody knows what a reward was worth.
    pub gross: Money,
    /// The tax that was kept back.
    pub withheld: Money,
    /// What is left, less fees.
    pub net: Money,
    pub missing: Vec<Missing>,
}

/// An amount in the currency of its row, and at the rate of its day.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::report) struct Money {
    pub own: Option<Dec>,
    pub base: Option<Dec>,
}

/// The payments of a span of days, in the order of rows.
pub(super) async fn payments(
    tx: &mut Tx,
    scene: &Scene,
    (from, to): (Option<NaiveDate>, NaiveDate),
    account: Option<AccountId>,
) -> Result<Vec<Payment>> {
    let filter =
        TransactionFilter { account, from, to: Some(to), subtypes: Some(EVENTS), currency: None };
    let mut found = Vec::new();
    // A whole row is many times what stays of it.
    let mut parts = Parts::of(filter, None, PART);
    while let Some(rows) = parts.next(tx).await? {
        let rows = rows.iter().map(|row| &row.transaction).filter(|row| row.facts.counts());
        found.extend(rows.map(|row| payment(scene, row)));
    }
    Ok(found)
}

fn payment(scene: &Scene, row: &Transaction) -> Payment {
    let facts = &row.facts;
    let charge = |money: Option<Dec>| Exact::from(money.unwrap_or_default());
    let (cash, fee, tax) = (Exact::from(facts.amount), charge(facts.fee), charge(facts.tax));
    let (gross, withheld) = match facts.subtype {
        // The amount of a charge is the charge itself.
        Subtype::WithholdingTax => (Some(Exact::ZERO), cash.neg().sub(&fee)),
        Subtype::Reward => (worth(row), tax),
        _ => (Some(cash.add(&fee).add(&tax)), tax),
    };
    let mut missing = Vec::new();
    let lacks = |what| Missing {
        what,
        security: row.security.map(|id| scene.symbol(id)),
        pair: None,
        account: scene.account_name(row.account),
        date: Some(facts.date),
    };
    let mut money = |amount: &Exact| {
        let local = row.security.map_or(facts.currency, |id| scene.currency_of(id));
        let pair = (facts.currency, local);
        let Converted { base, lacks: rates, .. } =
            converted(&scene.market, amount, pair, facts.fx_rate, facts.date);
        // A rate that only the taxes would want is none of this.
        let rates = rates.into_iter().filter(|(_, to)| *to == scene.base || *to == local);
        let rates = rates.map(|(from, to)| Missing {
            security: None,
            pair: Some(format!("{from}/{to}")),
            ..lacks("fx")
        });
        let before = missing.len();
        if base.is_none() {
            missing.extend(rates);
            if missing.len() == before {
                missing.push(lacks("overflow"));
            }
        }
        Money { own: amount.round(12).ok(), base }
    };
    let withheld = money(&withheld);
    let (gross, net) = match gross {
        Some(gross) => {
            let kept = Exact::from(withheld.own.unwrap_or_default());
            (money(&gross), money(&gross.sub(&kept).sub(&fee)))
        }
        None => {
            missing.push(lacks("cost"));
            (Money::default(), Money::default())
        }
    };
    missing.sort();
    missing.dedup();
    Payment {
        id: row.id,
        date: facts.date,
        account: row.account,
        security: row.security,
        kind: facts.subtype,
        currency: facts.currency,
        origin: row.origin,
        pending: facts.status == Status::Pending,
        gross,
        withheld,
        net,
        missing,
    }
}

/// What a reward was worth: what the lots say that it cost.
fn worth(row: &Transaction) -> Option<Exact> {
    let facts = &row.facts;
    match facts.price.zip(facts.quantity) {
        Some((price, quantity)) => {
            let multiplier = facts.multiplier.unwrap_or(Dec::ONE);
            Some(Exact::from(quantity.abs()).mul(&price.into()).mul(&multiplier.into()))
        }
        None => {
            let charges = [facts.fee, facts.tax].into_iter().flatten();
            let gross = charges.fold(Exact::from(facts.amount), |sum, it| sum.add(&it.into()));
            (!gross.is_zero()).then_some(gross)
        }
    }
}
