//! What the lots of a security in an account come to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::codec;
use crate::analytics::lots::{Book, Position};
use crate::model::{AccountId, Dec, Exact, Lot, SecurityId};
use crate::store::{PositionRecord, Result};

/// Stands where an account would, for lots between two own accounts.
pub const TRANSIT: AccountId = AccountId(0);

/// A security in an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Where; [`TRANSIT`]: between two accounts.
    pub account: AccountId,
    /// What.
    pub security: SecurityId,
    /// How much, and what it cost and brought.
    pub figures: PositionFigures,
}

impl Held {
    /// There is some of it, or nobody can tell how much.
    pub(super) fn is_something(&self) -> bool {
        !self.figures.quantity.is_zero() || self.figures.overflow
    }
}

/// The figures of a position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionFigures {
    /// How many; negative: short.
    pub quantity: Dec,
    /// In the security's currency.
    pub cost: Option<Dec>,
    /// At the rates of the days of purchase.
    pub cost_base: Option<Dec>,
    /// Gains of sales since the first row.
    pub realized: Option<Dec>,
    /// The same in the base currency.
    pub realized_base: Option<Dec>,
    /// Received since the first row.
    pub income: Option<Dec>,
    /// How many of the underlying thing one is.
    pub multiplier: Dec,
    /// The quantity does not fit into 28 digits: nothing is known.
    pub overflow: bool,
    /// The costs of the lots are known, but their sum does not fit.
    pub cost_overflows: bool,
}

/// The positions of a book, as the store keeps them.
pub(super) fn records(group: SecurityId, book: &Book) -> Result<Vec<PositionRecord>> {
    let record = |held: Held| {
        Ok(PositionRecord {
            account: held.account,
            security: held.security,
            group,
            figures: codec::to_bytes(&held.figures)?,
        })
    };
    held(book).into_iter().map(record).collect()
}

pub(super) fn of_record(record: &PositionRecord) -> Result<Held> {
    Ok(Held {
        account: record.account,
        security: record.security,
        figures: codec::from_bytes(&record.figures)?,
    })
}

/// The positions of a book, by account and security.
pub(super) fn held(book: &Book) -> Vec<Held> {
    let all = book.positions().map(|(account, security, position)| Held {
        account,
        security,
        figures: PositionFigures::of(&position),
    });
    all.chain(between_accounts(book).into_iter().map(|(held, _)| held)).collect()
}

/// The same, each with its lots.
pub(super) fn held_with_lots(book: &Book) -> Vec<(Held, Vec<Lot>)> {
    let mut all: Vec<_> = book
        .positions()
        .map(|(account, security, position)| {
            let figures = PositionFigures::of(&position);
            let lots = position.into_owned().lots.into();
            (Held { account, security, figures }, lots)
        })
        .collect();
    all.extend(between_accounts(book));
    all
}

/// Lots that left one account and did not arrive in the other, by security.
fn between_accounts(book: &Book) -> Vec<(Held, Vec<Lot>)> {
    let mut on_the_way: BTreeMap<SecurityId, (Dec, Vec<Lot>)> = BTreeMap::new();
    for (_, transit) in book.in_transit() {
        let transit = transit.into_owned();
        let (multiplier, lots) = on_the_way.entry(transit.security).or_default();
        *multiplier = transit.multiplier;
        lots.extend(transit.lots);
    }
    let held = |(security, (multiplier, lots)): (SecurityId, (Dec, Vec<Lot>))| {
        let sum = |figure: fn(&Lot) -> Option<Dec>| {
            let figures: Option<Vec<Dec>> = lots.iter().map(figure).collect();
            let sum = figures?.into_iter().fold(Exact::ZERO, |sum, part| sum.add(&part.into()));
            // Money is rounded already, and quantities are never.
            sum.round(28).ok()
        };
        let quantity = sum(|lot| Some(lot.quantity));
        let (cost, cost_base) = (sum(|lot| lot.cost), sum(|lot| lot.cost_base));
        let known = |figure: fn(&Lot) -> Option<Dec>| lots.iter().all(|lot| figure(lot).is_some());
        let figures = PositionFigures {
            quantity: quantity.unwrap_or(Dec::ZERO),
            cost,
            cost_base,
            realized: Some(Dec::ZERO),
            realized_base: Some(Dec::ZERO),
            income: Some(Dec::ZERO),
            multiplier,
            overflow: quantity.is_none(),
            cost_overflows: cost.is_none() && known(|lot| lot.cost)
                || cost_base.is_none() && known(|lot| lot.cost_base),
        };
        (Held { account: TRANSIT, security, figures }, lots)
    };
    on_the_way.into_iter().map(held).collect()
}

impl PositionFigures {
    fn of(position: &Position) -> Self {
        Self {
            quantity: position.quantity,
            cost: position.cost(),
            cost_base: position.cost_base(),
            realized: position.realized.total(),
            realized_base: position.realized_base.total(),
            income: position.income.total(),
            multiplier: position.multiplier,
            overflow: position.overflow,
            cost_overflows: position.cost_overflows(),
        }
    }
}
