//! The days of accounts as they are kept: performance by account reads them and follows only what
//! came after them; whoever keeps them is told here what to keep.
//!
//! A day is kept with its value and with what happened on it, in the base currency. Days of an
//! account that lack a price or a rate, or that depend on what came after them, are not: such an
//! account is followed from its first row each time.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};

use super::grid::Grid;
use super::row::Asked;
use super::scope::{Scope, Series, World};
use super::types::{By, PerformanceQuery, PerformanceReport};
use super::{accounts, each_account, reported, risk_free};
use crate::figures::{self, AccountCourse, AccountDay, KeptDays, Otherwise};
use crate::model::AccountId;
use crate::report::Result;
use crate::report::net_worth::first_day;
use crate::report::pending::Pending;
use crate::report::valuation::Scene;
use crate::store::{AccountDays, Tx};

/// Days that are followed in one go: more need much memory.
const STRIDE: u64 = 366;
/// Nobody has kept books for so many days; a wrong year should not fill the disk.
const MOST_DAYS: i64 = 100_000;

/// The report by account from days that are kept; none: it must be computed from the rows.
pub(super) async fn performance(
    tx: &mut Tx,
    query: &PerformanceQuery,
) -> Result<Option<PerformanceReport>> {
    if query.by != By::Account || query.currency.is_some() || query.benchmark.is_some() {
        return Ok(None);
    }
    let Some(kept) = figures::kept_days(tx).await? else { return Ok(None) };
    let first = first_day(tx).await?.unwrap_or(query.to).min(query.to);
    let from = query.from.unwrap_or(first);
    if from > kept.through || from > query.to {
        return Ok(None);
    }
    let is_all = query.to <= kept.through;
    let rates = if is_all { figures::Scope::Day } else { figures::Scope::History };
    let mut scene = Scene::with(tx, query.to, query.today, rates, Otherwise::default()).await?;
    let accounts = accounts(&scene, query);
    let Some(mut courses) = courses(&kept, &accounts)? else { return Ok(None) };
    if let Some(next) = kept.through.succ_opt().filter(|next| *next <= query.to) {
        let world = World::read(tx, &mut scene, &accounts, next, query.to, query).await?;
        for account in &accounts {
            courses.entry(*account).or_default().go_on(&world, *account, next);
        }
        if courses.values().any(|course| course.is_odd) {
            return Ok(None);
        }
    }
    let origin = from.pred_opt().unwrap_or(from);
    let world = World::empty(Grid::of_days(origin, query.to, scene.base));
    let pending = Pending::read(tx, query.to).await?;
    let asked = Asked {
        query,
        scene: &scene,
        world: &world,
        risk_free: risk_free(tx).await?,
        pending: &pending,
    };
    let mut missing = BTreeSet::new();
    let mut rows = Vec::new();
    let nothing = AccountCourse::default();
    for (name, scope) in each_account(&scene, &accounts) {
        let Scope::Accounts(of) = &scope else { continue };
        let course = of.first().and_then(|account| courses.get(account)).unwrap_or(&nothing);
        if course.days.is_empty() || course.first > query.to {
            continue;
        }
        let start = match query.from {
            Some(_) => 0,
            None => world.grid.place(course.first).saturating_sub(1),
        };
        let day = |place| course.day(world.grid.day(place)).cloned().unwrap_or(AccountDay::EMPTY);
        let series = Series::kept(&world.grid, start, (0..=world.grid.last).map(day));
        if !series.counts(start) || !series.counts(world.grid.last) {
            // What is missing only the rows tell.
            return Ok(None);
        }
        rows.push(asked.row_of(name, &scope, &series, &mut missing));
    }
    Ok(Some(reported(query, &scene, &accounts, missing, rows)))
}

/// What is kept of these accounts; none: something of one of them cannot be.
fn courses(
    kept: &KeptDays,
    accounts: &BTreeSet<AccountId>,
) -> Result<Option<BTreeMap<AccountId, AccountCourse>>> {
    let mut courses = BTreeMap::new();
    for days in kept.accounts.iter().filter(|days| accounts.contains(&days.account)) {
        let course = AccountCourse::of(days)?;
        if course.is_odd {
            return Ok(None);
        }
        courses.insert(days.account, course);
    }
    Ok(Some(courses))
}

/// The days of every account up to the day before `today`, to be kept in place of those that are;
/// none: they are kept already, or cannot be. What is kept and true is taken over.
///
/// # Errors
/// When the store cannot be read.
pub async fn days_to_keep(tx: &mut Tx, today: NaiveDate) -> Result<Option<Vec<AccountDays>>> {
    let Some(through) = today.pred_opt() else { return Ok(None) };
    if tx.account_days_through().await?.is_some_and(|kept| kept >= through) {
        return Ok(None);
    }
    let kept = figures::kept_days(tx).await?;
    follow(tx, kept, through, today).await
}

/// The accounts of which other days are kept than the rows tell.
///
/// # Errors
/// When the store cannot be read.
pub async fn unlike_the_kept(tx: &mut Tx) -> Result<BTreeSet<AccountId>> {
    let Some(kept) = figures::kept_days(tx).await? else { return Ok(BTreeSet::new()) };
    // Days are only kept where every split has happened.
    let made = follow(tx, None, kept.through, NaiveDate::MAX).await?.unwrap_or_default();
    let courses = |all: &[AccountDays]| {
        let course = |days: &AccountDays| {
            let mut course = AccountCourse::of(days)?;
            course.cut(kept.through);
            Ok((days.account, course))
        };
        all.iter().map(course).collect::<Result<BTreeMap<_, _>>>()
    };
    let (kept, made) = (courses(&kept.accounts)?, courses(&made)?);
    let nothing = AccountCourse::default();
    let accounts: BTreeSet<_> = kept.keys().chain(made.keys()).copied().collect();
    let is_unlike = |account: &AccountId| {
        let [kept, made] = [&kept, &made].map(|all| all.get(account).unwrap_or(&nothing));
        // An account that is followed each time anyway is never wrong.
        !kept.is_odd && kept != made && !(kept.days.is_empty() && made.days.is_empty())
    };
    Ok(accounts.into_iter().filter(is_unlike).collect())
}

/// Follows every account from what is kept on, a stride at a time.
async fn follow(
    tx: &mut Tx,
    kept: Option<KeptDays>,
    through: NaiveDate,
    today: NaiveDate,
) -> Result<Option<Vec<AccountDays>>> {
    let Some(first) = first_day(tx).await?.filter(|first| *first <= through) else {
        return Ok(None);
    };
    if (through - first).num_days() > MOST_DAYS {
        return Ok(None);
    }
    let mut next = first;
    let mut courses: BTreeMap<AccountId, AccountCourse> = BTreeMap::new();
    if let Some(kept) = kept {
        next = kept.through.succ_opt().unwrap_or(first);
        for days in &kept.accounts {
            courses.insert(days.account, AccountCourse::of(days)?);
        }
    }
    while next <= through {
        let end = next.checked_add_days(Days::new(STRIDE)).unwrap_or(through).min(through);
        let (rates, as_set) = (figures::Scope::History, Otherwise::default());
        let mut scene = Scene::with(tx, end, today, rates, as_set).await?;
        if scene.market.has_split_after(today) {
            // Once it has come, prices of before it mean something else.
            return Ok(None);
        }
        let query = every_account(end);
        let all = scene.accounts.keys().copied().collect();
        let world = World::read(tx, &mut scene, &all, next, end, &query).await?;
        for account in all {
            let course = courses.entry(account).or_default();
            course.go_on(&world, account, next);
        }
        next = end.succ_opt().unwrap_or(NaiveDate::MAX);
    }
    let kept = courses.iter().map(|(account, course)| course.kept(*account, through));
    kept.collect::<Result<Vec<_>>>().map(Some)
}

const fn every_account(to: NaiveDate) -> PerformanceQuery {
    PerformanceQuery {
        from: None,
        to,
        today: to,
        account: None,
        currency: None,
        method: None,
        by: By::Account,
        every: None,
        benchmark: None,
    }
}

impl AccountCourse {
    /// Goes on with the days of a world, the first of which is `next`.
    fn go_on(&mut self, world: &World, account: AccountId, next: NaiveDate) {
        if self.is_odd {
            return;
        }
        let scope = Scope::Accounts(BTreeSet::from([account]));
        let (grid, begins) = (&world.grid, self.days.is_empty());
        let Some(series) = world.series(&scope, (!begins).then_some(0)) else {
            let days = (1..=grid.last).map(|_| AccountDay::EMPTY);
            self.days.extend(days.filter(|_| !begins));
            return;
        };
        if begins {
            self.first = grid.day(series.start + 1).max(next);
        }
        let places = grid.place(self.first.max(next))..=grid.last;
        let days: Vec<_> = places.clone().map(|place| series.to_keep(place)).collect();
        let is_told =
            |(place, day): (usize, &AccountDay)| !series.counts(place) || day.value.is_some();
        if series.can_be_kept() && places.zip(&days).all(is_told) {
            self.days.extend(days);
        } else {
            *self = Self { is_odd: true, ..Self::default() };
        }
    }
}
