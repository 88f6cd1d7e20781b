//! Where the cost of lots comes from: their own row, the rows that changed it since, or all the rows
//! of an average.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{Input, input};
use crate::analytics::lots::{Event, World as _};
use crate::figures::{self, Held, Recosted, TRANSIT};
use crate::model::{
    AccountId, Currency, Dec, Exact, Kind, LotMethod, SafeText, SecurityId, Subtype, TransactionId,
};
use crate::report::valuation::Scene;
use crate::report::{Error, GainRow, LotRow};
use crate::store::Tx;

/// All that is known of how the costs of a security came about.
pub(super) struct Origins {
    security: SecurityId,
    currency: Currency,
    /// Of everything that is joined with it, in order.
    rows: Vec<Event>,
    recosted: Recosted,
    /// What was held at the end of each day with rows, and at last.
    held: Vec<(NaiveDate, Vec<Held>)>,
}

/// How a cost came about: in words, and by which rows.
pub(super) struct Origin {
    pub formula: String,
    /// The same in the base currency, where no rate of one day says it.
    pub formula_base: Option<String>,
    pub rows: Vec<Input>,
}

/// The origins of several securities, each read once.
#[derive(Default)]
pub(super) struct AllOrigins(BTreeMap<SecurityId, Origins>);

impl AllOrigins {
    /// Those of a security, up to a day.
    pub async fn of(
        &mut self,
        tx: &mut Tx,
        scene: &Scene,
        security: SecurityId,
        through: NaiveDate,
    ) -> Result<&Origins, Error> {
        match self.0.entry(security) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => {
                Ok(place.insert(Origins::read(tx, scene, security, through).await?))
            }
        }
    }
}

impl Origins {
    /// Reads what there is up to a day.
    async fn read(
        tx: &mut Tx,
        scene: &Scene,
        security: SecurityId,
        through: NaiveDate,
    ) -> Result<Self, Error> {
        let group = tx.lot_groups().await?.get(&security).copied().unwrap_or(security);
        let mut rows = figures::rows_of_group(tx, group).await?;
        rows.retain(|row| row.date <= through);
        let days: BTreeSet<_> = rows.iter().map(|row| row.date).chain([through]).collect();
        let days: Vec<_> = days.into_iter().collect();
        let held = figures::group_on(tx, &scene.market, group, &days, scene.otherwise).await?;
        let recosted = figures::recosted(tx, &scene.market, group, through).await?;
        let currency = scene.currency_of(security);
        Ok(Self { security, currency, rows, recosted, held: days.into_iter().zip(held).collect() })
    }

    /// Of an open lot.
    pub fn of_lot(&self, scene: &Scene, account: AccountId, lot: &LotRow) -> Origin {
        match is_averaged(scene, account) {
            true => self.averaged(scene, account, lot.quantity),
            false => self.carried(lot),
        }
    }

    /// Of a lot with its own cost.
    fn carried(&self, lot: &LotRow) -> Origin {
        let rows = self.behind(lot.opening);
        let formula = match rows.as_slice() {
            [row] => self
                .by_quantity(row, lot)
                .unwrap_or_else(|| "what its row cost, by quantity".to_owned()),
            _ => "what is left of the cost of these rows, by quantity".to_owned(),
        };
        Origin { formula, formula_base: None, rows: rows.into_iter().map(told).collect() }
    }

    /// The row that opened a lot, and every row that changed what the lot cost.
    fn behind(&self, opening: TransactionId) -> Vec<&Event> {
        let mut known = BTreeSet::new();
        let mut todo = vec![opening];
        while let Some(row) = todo.pop() {
            if known.insert(row) {
                todo.extend(self.recosted.get(&row).into_iter().flatten());
            }
        }
        let mut seen = BTreeSet::new();
        // A row of several parts is one.
        let rows = self.rows.iter().filter(|row| known.contains(&row.id) && seen.insert(row.id));
        rows.collect()
    }

    /// The part of what a trade took, if that is all there is to it.
    fn by_quantity(&self, row: &Event, lot: &LotRow) -> Option<String> {
        if row.subtype.kind() != Kind::Trade || row.currency != self.currency {
            return None;
        }
        let (paid, whole, units) = (-row.amount, row.quantity?.abs(), lot.quantity.abs());
        let part = Exact::from(paid).mul(&units.into()).div_round(&whole.into(), 12).ok()?;
        let is_part = Some(part) == lot.cost;
        is_part.then(|| match units == whole {
            true => paid.to_string(),
            false => format!("{paid} x {units} / {whole}"),
        })
    }

    /// Of so many units that have a part of the average of today.
    fn averaged(&self, scene: &Scene, account: AccountId, units: Dec) -> Origin {
        let short = units.is_negative();
        let held = self.held.last().map(|(_, held)| held.as_slice()).unwrap_or_default();
        let members: Vec<_> =
            held.iter().filter(|held| self.shares(scene, account, held, short)).collect();
        let sum = |figure: fn(&Held) -> Option<Dec>| {
            let mut all = members.iter().map(|held| figure(held));
            let sum = all.try_fold(Exact::ZERO, |sum, part| Some(sum.add(&part?.into())))?;
            sum.round(12).ok()
        };
        let whole = sum(|held| Some(held.figures.quantity));
        let part = |cost: Option<Dec>| {
            let [cost, whole] = [cost, whole].map(super::shown);
            format!("{cost} x {units} / {whole}")
        };
        let rows = self.of_average(scene, account, short, None).map(told).collect();
        Origin {
            formula: part(sum(|held| held.figures.cost)),
            formula_base: Some(part(sum(|held| held.figures.cost_base))),
            rows,
        }
    }

    /// Of what a row took out of an average, or out of a lot.
    pub fn sold(&self, scene: &Scene, account: AccountId, sale: &GainRow) -> Origin {
        let earlier = |row: &&Event| row.date <= sale.closed && row.id != sale.closing;
        if is_averaged(scene, account) {
            let rows = self.of_average(scene, account, false, Some(sale.closed));
            let formula = "the average cost of what was held then, by quantity".to_owned();
            return Origin {
                formula,
                formula_base: None,
                rows: rows.filter(earlier).map(told).collect(),
            };
        }
        let behind = sale.opening.map(|opening| self.behind(opening)).unwrap_or_default();
        let later = |row: &&Event| Some(row.id) != sale.opening;
        let rows: Vec<_> = behind.into_iter().filter(earlier).filter(later).map(told).collect();
        let formula = match rows.is_empty() {
            true => "what its row cost, by quantity",
            false => "what was left of the cost of these rows, by quantity",
        };
        Origin { formula: formula.to_owned(), formula_base: None, rows }
    }

    /// Whether a position has its cost from the same average as this account.
    fn shares(&self, scene: &Scene, account: AccountId, held: &Held, short: bool) -> bool {
        held.security == self.security
            && !held.figures.quantity.is_zero()
            && held.figures.quantity.is_negative() == short
            && is_member(scene, account, held.account)
    }

    /// The rows that made an average what it is: those since nothing was in it at the end of a day.
    fn of_average<'a>(
        &'a self,
        scene: &'a Scene,
        account: AccountId,
        short: bool,
        before: Option<NaiveDate>,
    ) -> impl Iterator<Item = &'a Event> {
        let earlier = |day: NaiveDate| before.is_none_or(|before| day < before);
        let is_empty =
            |held: &[Held]| !held.iter().any(|held| self.shares(scene, account, held, short));
        let empty = self.held.iter().rfind(|(day, held)| earlier(*day) && is_empty(held));
        let since = empty.map(|(day, _)| *day);
        let about = move |row: &&Event| {
            let peer = row.peer.as_ref().and_then(|peer| peer.security);
            let is_about =
                [Some(row.security), row.to_security, peer].contains(&Some(self.security));
            let is_due = since.is_none_or(|since| since < row.date)
                && before.is_none_or(|before| row.date <= before);
            is_about
                && is_due
                && changes_cost(row.subtype)
                && is_member(scene, account, row.account)
        };
        let mut seen = BTreeSet::new();
        self.rows.iter().filter(about).filter(move |row| seen.insert(row.id))
    }
}

/// Whether the cost of an account is a part of an average.
fn is_averaged(scene: &Scene, account: AccountId) -> bool {
    let method = scene.market.account(account).method;
    account != TRANSIT && matches!(method, LotMethod::Average | LotMethod::Acb)
}

/// Whether another account shares the average of this one.
fn is_member(scene: &Scene, account: AccountId, other: AccountId) -> bool {
    let shares = |account| {
        let rules = scene.market.account(account);
        account != TRANSIT && rules.method == LotMethod::Acb && rules.taxable
    };
    other == account || (shares(account) && shares(other))
}

const fn changes_cost(subtype: Subtype) -> bool {
    matches!(subtype, Subtype::ReturnOfCapital | Subtype::Reward | Subtype::StockDividend)
        || !matches!(subtype.kind(), Kind::Income | Kind::Fee)
}

/// A row, with the cash that it moved.
fn told(row: &Event) -> Input {
    Input {
        id: Some(SafeText::new(&row.id.to_string())),
        date: Some(row.date),
        value: Some(row.amount).filter(|amount| !amount.is_zero()),
        ..input("row")
    }
}
