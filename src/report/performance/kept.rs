//! The days of accounts as they are kept: performance by account reads them and follows only what
//! came after them; whoever keeps them is told here what to keep.
//!
//! A day is kept with its value and with what happened on it, in the base currency. Days of an
//! account that lack a price or a rate, or that depend on what came after them, are not, nor are
//! those after them: a report that needs them is computed from the rows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};

use super::grid::Grid;
use super::row::Asked;
use super::scope::{Scope, Series, World};
use super::types::{By, PerformanceQuery, PerformanceReport};
use super::{accounts, is_told_of, reported, risk_free, scopes};
use crate::figures::{self, AccountCourse, AccountDay, Beyond, Happened, KeptDays, Otherwise};
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
/// Rows of the days that are missing, and those days, that are followed before anybody notices.
const FEW_ROWS: i64 = 10_000;
const FEW_DAYS: i64 = 4_000;

/// How much of what is missing is followed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Portion {
    /// All of it.
    All,
    /// All of it, and what could not be kept before: prices came that may have mended it.
    AllAgain,
    /// All of it where that is quick, else nothing.
    IfLittle,
    /// A year of it: what is kept then is true, and whoever wants all goes on.
    Year,
}

/// The report of accounts, by themselves or together, from days that are kept; none: it must be
/// computed from the rows.
pub(super) async fn performance(
    tx: &mut Tx,
    query: &PerformanceQuery,
) -> Result<Option<PerformanceReport>> {
    let is_of_accounts = matches!(query.by, By::All | By::Account | By::Class);
    if !is_of_accounts || query.currency.is_some() || query.benchmark.is_some() {
        return Ok(None);
    }
    let Some(kept) = figures::kept_days(tx).await? else { return Ok(None) };
    let first = first_day(tx).await?.unwrap_or(query.to).min(query.to);
    let from = query.from.unwrap_or(first);
    // What another machine keeps of a day that is not over here lacks the prices of now.
    if from > query.to || kept.through >= query.today {
        return Ok(None);
    }
    let is_all = query.to <= kept.through;
    let rates = if is_all { figures::Scope::Day } else { figures::Scope::History };
    let mut scene = Scene::with(tx, query.to, query.today, rates, Otherwise::default()).await?;
    let accounts = accounts(&scene, |account| is_told_of(account, query));
    let origin = from.pred_opt().unwrap_or(from);
    let mut courses = Courses::of(&kept, |account| accounts.contains(&account), origin, false)?;
    if from > courses.through {
        return Ok(None);
    }
    if let Some(next) = courses.through.succ_opt().filter(|next| *next <= query.to) {
        if is_all {
            // Some of what is kept cannot be gone on from.
            let rates = figures::Scope::History;
            scene = Scene::with(tx, query.to, query.today, rates, Otherwise::default()).await?;
        }
        let world = World::read(tx, &mut scene, &accounts, next, query.to, query).await?;
        courses.go_on(&world, &accounts, next);
    }
    if courses.of.values().any(|course| course.odd.is_some_and(|odd| odd <= query.to)) {
        return Ok(None);
    }
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
    for (name, scope) in scopes(&scene, &world, query, &accounts) {
        let Scope::Accounts(of) = &scope else { continue };
        let Some(first) = courses.first(of).filter(|first| *first <= query.to) else { continue };
        let start = match query.from {
            Some(_) => 0,
            None => world.grid.place(first).saturating_sub(1),
        };
        let Some(days) = courses.together(of, &world.grid) else { return Ok(None) };
        let series = Series::kept(&world.grid, start, days.into_iter());
        if !series.counts(start) || !series.counts(world.grid.last) {
            // What is missing only the rows tell.
            return Ok(None);
        }
        rows.push(asked.row_of(name, &scope, &series, &mut missing));
    }
    Ok(Some(reported(query, &scene, &accounts, missing, rows)))
}

/// The courses of accounts, all up to the same day.
struct Courses {
    through: NaiveDate,
    of: BTreeMap<AccountId, AccountCourse>,
}

impl Courses {
    /// What is kept of some accounts from a day on, up to the last one after which all can be gone
    /// on. `again`: what could not be kept is tried once more.
    fn of(
        kept: &KeptDays,
        is_asked: impl Fn(AccountId) -> bool,
        from: NaiveDate,
        again: bool,
    ) -> Result<Self> {
        let mut through = kept.through;
        let mut of: BTreeMap<_, AccountCourse> = BTreeMap::new();
        for days in kept.accounts.iter().filter(|days| is_asked(days.account)) {
            // One after the other, since all days of one are much already.
            let mut course = AccountCourse::of(days)?;
            if again && let Some(odd) = course.odd.take().filter(|_| course.days.is_empty()) {
                // It is gone through from its beginning.
                through = through.min(odd.pred_opt().unwrap_or(odd));
            }
            through = through.min(course.cut(kept.through));
            course.begin_at(from);
            of.insert(days.account, course);
        }
        // Where one ends earlier, another may end on a day without a value.
        loop {
            let ends = of.values_mut().map(|course| course.cut(through)).min();
            match ends.filter(|end| *end < through) {
                Some(end) => through = end,
                None => return Ok(Self { through, of }),
            }
        }
    }

    /// The first day on which there was anything in one of these.
    fn first(&self, accounts: &BTreeSet<AccountId>) -> Option<NaiveDate> {
        let courses = accounts.iter().filter_map(|account| self.of.get(account));
        courses.filter(|course| !course.days.is_empty()).map(|course| course.first).min()
    }

    /// What these were together on each day; none: the rows must be followed, since on some day only
    /// a part of it has a value.
    fn together(&self, accounts: &BTreeSet<AccountId>, grid: &Grid) -> Option<Vec<AccountDay>> {
        let courses = accounts.iter().filter_map(|account| self.of.get(account));
        let courses: Vec<_> = courses.collect();
        const EMPTY: &AccountDay = &AccountDay::EMPTY;
        let of_day = |place| {
            let date = grid.day(place);
            let days = courses.iter().filter(|course| course.first <= date);
            let mut days = days.map(|course| course.day(date).unwrap_or(EMPTY));
            let mut sum = days.next().unwrap_or(EMPTY).clone();
            for day in days {
                if sum.value.is_some() != day.value.is_some() {
                    return None;
                }
                sum.add(day);
            }
            Some(sum)
        };
        let mut days: Vec<_> = (0..=grid.last).map(of_day).collect::<Option<_>>()?;
        let beyond = courses.iter().flat_map(|course| &course.beyond);
        for beyond in beyond.filter(|beyond| accounts.contains(&beyond.other)) {
            let Some(day) = days.get_mut(grid.place(beyond.date)) else { continue };
            day.add(&beyond.day);
            day.value.as_ref()?;
        }
        Some(days)
    }

    /// Goes on with the days of a world, the first of which is `next`.
    fn go_on(&mut self, world: &World, accounts: &BTreeSet<AccountId>, next: NaiveDate) {
        for account in accounts {
            self.of.entry(*account).or_default().go_on(world, *account, next);
        }
        let Some(beyond) = world.beyond() else {
            for course in self.of.values_mut() {
                course.odd.get_or_insert(next);
            }
            return;
        };
        for ((account, other), series) in beyond {
            let is_even = series.is_even();
            for place in world.grid.place(next)..=world.grid.last {
                let mut day = series.to_keep(place);
                day.happened = day.happened.filter(|happened| **happened != Happened::default());
                day.value = day.value.filter(|_| is_even);
                let is_nothing = day.value.as_ref().is_some_and(|(value, _)| value.is_zero());
                if !is_nothing || day.happened.is_some() {
                    let date = world.grid.day(place);
                    let course = self.of.entry(account).or_default();
                    course.beyond.push(Beyond { other, date, day });
                }
            }
        }
    }
}

/// The days of every account up to the day before `today` or a part of the way there, to be kept in
/// place of those that are; none: they are kept already, or cannot be. What is kept and true is taken
/// over.
///
/// # Errors
/// When the store cannot be read.
pub async fn days_to_keep(
    tx: &mut Tx,
    today: NaiveDate,
    portion: Portion,
) -> Result<Option<Vec<AccountDays>>> {
    let Some(through) = today.pred_opt() else { return Ok(None) };
    let kept_through = tx.account_days_through().await?;
    if kept_through.is_some_and(|kept| kept >= through) {
        return Ok(None);
    }
    let Some(first) = first_day(tx).await?.filter(|first| are_followed(*first, through)) else {
        return Ok(None);
    };
    let next = kept_through.and_then(|kept| kept.succ_opt()).unwrap_or(first);
    let through = match portion {
        Portion::All | Portion::AllAgain => through,
        Portion::IfLittle if is_little(tx, [first, next], through).await? => through,
        Portion::IfLittle => return Ok(None),
        Portion::Year => next.checked_add_days(Days::new(STRIDE)).unwrap_or(through).min(through),
    };
    let kept = figures::kept_days(tx).await?;
    let again = portion == Portion::AllAgain;
    let kept = kept.map(|kept| Courses::of(&kept, |_| true, NaiveDate::MIN, again)).transpose()?;
    let days = follow(tx, kept, through, today).await?;
    Ok(days.filter(|days| !days.is_empty()))
}

/// Whether anybody can have kept books for so long.
fn are_followed(first: NaiveDate, through: NaiveDate) -> bool {
    (0..=MOST_DAYS).contains(&(through - first).num_days())
}

/// Whether few rows are likely to lie on the days that are missing, from the second of two on.
async fn is_little(tx: &mut Tx, from: [NaiveDate; 2], through: NaiveDate) -> Result<bool> {
    let [all, missing] = from.map(|from| (through - from).num_days().saturating_add(1).max(1));
    let rows = tx.count_rows(None).await?;
    Ok(missing <= FEW_DAYS && rows.saturating_mul(missing) / all <= FEW_ROWS)
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
    let (mut kept, mut made) = (courses(&kept.accounts)?, courses(&made)?);
    let accounts: BTreeSet<_> = kept.keys().chain(made.keys()).copied().collect();
    let mut is_unlike = |account: &AccountId| {
        let [kept, made] = [&mut kept, &mut made].map(|all| all.remove(account));
        are_unlike(kept.unwrap_or_default(), made.unwrap_or_default())
    };
    Ok(accounts.into_iter().filter(|account| is_unlike(account)).collect())
}

/// Whether days that are kept are others than those that were made just now. Where the days end
/// that can be kept depends on how many were followed in one go; those before are always the same.
fn are_unlike(mut kept: AccountCourse, mut made: AccountCourse) -> bool {
    let last = |course: &AccountCourse| course.next().and_then(|next| next.pred_opt());
    let ends_at_odd = |one: &AccountCourse, other| one.odd.is_some() && last(one) < last(other);
    if last(&kept) != last(&made) && !ends_at_odd(&kept, &made) && !ends_at_odd(&made, &kept) {
        return true;
    }
    let Some(end) = last(&kept).min(last(&made)) else { return false };
    for course in [&mut kept, &mut made] {
        course.cut(end);
    }
    let is_known = |beyond: &Beyond| beyond.day.value.is_some();
    let are_known = |course: &AccountCourse| course.beyond.iter().all(is_known);
    (kept.first, &kept.days) != (made.first, &made.days)
        || (are_known(&kept) && are_known(&made) && kept.beyond != made.beyond)
}

/// Follows every account from what is kept on, a stride at a time.
async fn follow(
    tx: &mut Tx,
    kept: Option<Courses>,
    through: NaiveDate,
    today: NaiveDate,
) -> Result<Option<Vec<AccountDays>>> {
    let Some(first) = first_day(tx).await?.filter(|first| are_followed(*first, through)) else {
        return Ok(None);
    };
    let nothing = Courses { through: first.pred_opt().unwrap_or(first), of: BTreeMap::new() };
    let mut courses = kept.unwrap_or(nothing);
    let mut next = courses.through.succ_opt().unwrap_or(first);
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
        courses.go_on(&world, &all, next);
        next = end.succ_opt().unwrap_or(NaiveDate::MAX);
    }
    let kept = courses.of.iter().map(|(account, course)| course.kept(*account, through));
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
        if self.odd.is_some() {
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
        let mut odd = series.odd_from();
        for place in grid.place(self.first.max(next))..odd.unwrap_or(grid.last + 1) {
            let day = series.to_keep(place);
            if series.counts(place) && day.value.is_none() {
                // It does not fit.
                odd = Some(place);
                break;
            }
            self.days.push(day);
        }
        self.odd = odd.map(|place| grid.day(place).max(next));
    }
}
