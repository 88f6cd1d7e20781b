//! Performance: what was made of what was put in, of everything or of a part of it, over any span.
//!
//! `read` gathers what is held and what happened, `grid` what it cost on each day, `scope` follows a
//! part of it from day to day; here the figures are told.

mod benchmark;
mod explain;
mod grid;
mod kept;
mod read;
mod row;
mod scope;
mod types;
mod worth;

pub use explain::explain_performance;
pub use kept::{Portion, days_to_keep, unlike_the_kept};
pub use row::ratio;
pub use types::{
    By, Nothing, PerformanceQuery, PerformanceReport, PerformanceRow, Period, Reasons, Split,
    Yardstick,
};

pub(super) use worth::worth_on;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use self::row::Asked;
use self::scope::{Kind, Scope, World};
use super::net_worth::first_day;
use super::pending::Pending;
use super::valuation::Scene;
use super::{Missing, MoversQuery, Result};
use crate::analytics::lots::Place;
use crate::figures::{self, LotKey, OF_THE_HOLDING, Otherwise};
use crate::model::{Account, AccountId, Dec, InPerformance, SafeText, Setting};
use crate::store::Tx;

/// How things did in a span.
///
/// # Errors
/// When the store cannot be read.
pub async fn performance(tx: &mut Tx, query: &PerformanceQuery) -> Result<PerformanceReport> {
    if let Some(report) = kept::performance(tx, query).await? {
        return Ok(report);
    }
    let stage = staged(tx, query).await?;
    let asked = stage.asked(query);
    let mut missing = BTreeSet::new();
    let mut rows = Vec::new();
    for (name, scope) in scopes(&stage.scene, &stage.world, query, &stage.accounts) {
        rows.extend(asked.row(name, &scope, &mut missing));
    }
    Ok(reported(query, &stage.scene, &stage.accounts, missing, rows))
}

/// Whether an account is told of: the one that is asked for, of every class those that nobody took
/// out, else those that count in the performance of the whole.
fn is_told_of(account: &Account, query: &PerformanceQuery) -> bool {
    match query.account {
        Some(wanted) => account.id == wanted,
        None if query.by == By::Class => !is_left_out(account),
        None => account.is_in_performance(),
    }
}

fn is_left_out(account: &Account) -> bool {
    account.performance == Some(InPerformance::No)
}

/// The rows as a report.
fn reported(
    query: &PerformanceQuery,
    scene: &Scene,
    accounts: &BTreeSet<AccountId>,
    missing: BTreeSet<Missing>,
    rows: Vec<PerformanceRow>,
) -> PerformanceReport {
    let why = match accounts.is_empty() {
        true => Nothing::NoInvestingAccount,
        false => Nothing::NotYet,
    };
    PerformanceReport {
        as_of: query.to,
        from: query.from,
        currency: scene.base,
        missing: missing.into_iter().collect(),
        nothing: rows.is_empty().then_some(why),
        left_out: match query.account {
            Some(_) => Vec::new(),
            None => left_out(scene, query.to),
        },
        rows,
    }
}

/// The accounts that somebody took out, and that were not closed by then.
fn left_out(scene: &Scene, to: NaiveDate) -> Vec<SafeText> {
    let all = scene.accounts.values().map(|row| &row.account);
    let out = all.filter(|account| is_left_out(account) && Account::is_open(account.closed, to));
    let mut names: Vec<_> = out.map(|account| account.name.clone()).collect();
    names.sort();
    names
}

/// What net worth changed by since the end of a day, and from what; none: something is not known.
///
/// # Errors
/// When the store cannot be read.
pub(super) async fn split(
    tx: &mut Tx,
    since: NaiveDate,
    movers: &MoversQuery,
) -> Result<Option<Split>> {
    let from = since.succ_opt().filter(|from| *from <= movers.as_of);
    let Some(from) = from else { return Ok(None) };
    // Everything there is, as net worth counts it.
    let query = PerformanceQuery {
        from: Some(from),
        to: movers.as_of,
        today: movers.today,
        account: None,
        currency: movers.currency,
        method: None,
        by: By::Class,
        every: None,
        benchmark: None,
    };
    let mut stage = staged_with(tx, &query, |_| true).await?;
    let scope = Scope::Accounts(stage.accounts.clone());
    let partial = stage.world.leave_out_unvalued(&scope);
    let name = SafeText::default();
    let Some(row) = stage.asked(&query).row(name, &scope, &mut BTreeSet::new()) else {
        return Ok(None);
    };
    let sum = |a: Option<Dec>, b: Option<Dec>| a?.checked_add(b?);
    let told = || {
        Some(Split {
            market: row.gain_price?,
            currency: row.gain_fx?,
            flows: sum(row.flows_in, row.flows_out.map(|out| -out))?,
            income: row.gain_income?,
            charges: sum(row.gain_fees, row.gain_taxes)?,
            partial,
        })
    };
    Ok(told())
}

/// Everything that the figures follow from.
struct Stage {
    scene: Scene,
    world: World,
    accounts: BTreeSet<AccountId>,
    risk_free: Dec,
    pending: Pending,
}

impl Stage {
    const fn asked<'a>(&'a self, query: &'a PerformanceQuery) -> Asked<'a> {
        Asked {
            query,
            scene: &self.scene,
            world: &self.world,
            risk_free: self.risk_free,
            pending: &self.pending,
        }
    }
}

async fn staged(tx: &mut Tx, query: &PerformanceQuery) -> Result<Stage> {
    staged_with(tx, query, |account| is_told_of(account, query)).await
}

/// The same of the accounts that are wanted.
async fn staged_with(
    tx: &mut Tx,
    query: &PerformanceQuery,
    is_wanted: impl Fn(&Account) -> bool,
) -> Result<Stage> {
    let otherwise = Otherwise { method: query.method, base: query.currency };
    let history = figures::Scope::History;
    let mut scene = Scene::with(tx, query.to, query.today, history, otherwise).await?;
    let accounts = accounts(&scene, is_wanted);
    let first = first_day(tx).await?.unwrap_or(query.to).min(query.to);
    let from = query.from.unwrap_or(first);
    let world = World::read(tx, &mut scene, &accounts, from, query.to, query).await?;
    let risk_free = risk_free(tx).await?;
    let pending = Pending::read(tx, query.to).await?;
    Ok(Stage { scene, world, accounts, risk_free, pending })
}

async fn risk_free(tx: &mut Tx) -> Result<Dec> {
    let rate = tx.setting(Setting::RiskFreeRate).await?;
    Ok(rate.and_then(|rate| Dec::parse(&rate).ok()).unwrap_or_default())
}

fn accounts(scene: &Scene, is_wanted: impl Fn(&Account) -> bool) -> BTreeSet<AccountId> {
    let all = scene.accounts.values().map(|row| &row.account);
    all.filter(|account| is_wanted(account)).map(|account| account.id).collect()
}

/// What is told of, in order.
fn scopes(
    scene: &Scene,
    world: &World,
    query: &PerformanceQuery,
    accounts: &BTreeSet<AccountId>,
) -> Vec<(SafeText, Scope)> {
    let name = |account: AccountId| scene.account_name(account).unwrap_or_default();
    match query.by {
        By::All => vec![(SafeText::new("all"), Scope::Accounts(accounts.clone()))],
        By::Account => {
            let scope = |&account| (name(account), Scope::Accounts(BTreeSet::from([account])));
            let mut scopes: Vec<_> = accounts.iter().map(scope).collect();
            scopes.sort();
            scopes
        }
        By::Class => {
            let mut classes: BTreeMap<&str, BTreeSet<AccountId>> = BTreeMap::new();
            for account in accounts {
                if let Some(row) = scene.accounts.get(account) {
                    let class = row.account.kind.class().as_str();
                    classes.entry(class).or_default().insert(*account);
                }
            }
            let scope = |(class, accounts)| (SafeText::new(class), Scope::Accounts(accounts));
            classes.into_iter().map(scope).collect()
        }
        By::Holding => {
            let mut scopes: Vec<_> = world
                .parts
                .iter()
                .filter_map(|part| match (part.thing.place, part.kind) {
                    (Place::In(account), Kind::Security(security)) if part.thing.lot.is_none() => {
                        Some((name(account), scene.symbol(security), account, security))
                    }
                    _ => None,
                })
                .collect();
            scopes.sort();
            let scope =
                |(_, symbol, account, security)| (symbol, Scope::Holding(account, security));
            scopes.into_iter().map(scope).collect()
        }
        By::Lot => {
            let lot = |(key, opened): (&LotKey, &NaiveDate)| {
                let (account, security, ..) = *key;
                (name(account), scene.symbol(security), *opened, *key)
            };
            let mut lots: Vec<_> = world.opened.iter().map(lot).collect();
            lots.sort();
            let scope = |(_, symbol, opened, key): (SafeText, SafeText, NaiveDate, LotKey)| {
                let name = match key.2 == OF_THE_HOLDING {
                    // What came when no lot was left.
                    true => symbol,
                    false => SafeText::new(&format!("{symbol} {opened}")),
                };
                (name, Scope::Lot(key))
            };
            lots.into_iter().map(scope).collect()
        }
    }
}
