//! Reading everything that performance follows from: the course of what is held, cash, balances and
//! prices.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::grid::{Grid, Steps};
use super::scope::{Arrival, Crossing, Kind, Lack, Lacking, Lacks, Part, Thing, Way, World};
use super::types::{By, PerformanceQuery};
use crate::analytics::lots::Place;
use crate::figures::{self, Course, Leg, LotKey, LotLack, Otherwise, Sums};
use crate::model::{AccountId, Class, Currency, Exact, SecurityId};
use crate::report::Result;
use crate::report::valuation::Scene;
use crate::store::{Balance, Tx};

impl World {
    /// Everything in these accounts from the end of the day before `from` to the end of `to`.
    pub async fn read(
        tx: &mut Tx,
        scene: &mut Scene,
        accounts: &BTreeSet<AccountId>,
        from: NaiveDate,
        to: NaiveDate,
        wishes: &PerformanceQuery,
    ) -> Result<Self> {
        let origin = from.pred_opt().unwrap_or(from);
        let lots = (wishes.by == By::Lot)
            .then_some(Otherwise { method: wishes.method, base: wishes.currency });
        let mut course = figures::course(tx, &scene.market, from, to, lots).await?;
        let following: BTreeSet<AccountId> =
            accounts.iter().copied().filter(|account| scene.follows_rows(*account)).collect();
        let follows = |account: &AccountId| following.contains(account);
        let is_near = |place: &Place| match place {
            Place::In(account) => follows(account),
            Place::Between(a, b) => follows(a) && follows(b),
        };
        course.holdings.retain(|(place, _), _| is_near(place));
        course.lots.retain(|(account, ..), _| follows(account));
        course.money.retain(|account, _| follows(account));
        // Of a move to an account that is known by its balance the other end is the outside.
        for moved in &mut course.moved {
            moved.legs.retain(|leg| is_near(&leg.place));
        }
        course.lacks_rates.retain(|(account, ..)| follows(account));
        course.lacks_worth.retain(|(account, ..)| follows(account));
        let mut securities: BTreeSet<_> = course.holdings.keys().map(|(_, of)| *of).collect();
        securities
            .extend(course.moved.iter().flat_map(|moved| &moved.legs).map(|leg| leg.security));
        securities.extend(wishes.benchmark);
        let cash = cash(tx, origin, to).await?;
        let balances = tx.balances().await?;
        let mut money: BTreeSet<Currency> = cash.keys().map(|(_, currency)| *currency).collect();
        money.extend(scene.accounts.values().map(|row| row.account.currency));
        money.extend(course.cash_moves.iter().flat_map(|way| [way.sent.1, way.got.1]));
        let grid = Grid::read(tx, scene, origin, to, &securities, &money).await?;
        let mut builder = Builder {
            scene,
            grid,
            closed: BTreeMap::new(),
            opened: BTreeMap::new(),
            lot_lacks: BTreeMap::new(),
            world: Vec::new(),
        };
        builder.closed = accounts.iter().filter_map(|id| builder.closing(*id)).collect();
        let mut lacks = builder.lacks(&course);
        let mut crossings = builder.holdings(&mut course);
        crossings.extend(builder.crossings(&course.moved));
        crossings.extend(builder.lots(&mut course));
        builder.rows_of_money(&course);
        builder.cash(&cash, &follows, &mut lacks);
        for account in accounts.iter().filter(|account| !scene.follows_rows(**account)) {
            builder.balance(*account, &balances, &mut lacks);
        }
        let ways = course.cash_moves.iter().map(|way| builder.way(way)).collect();
        let Builder { grid, world, opened, lot_lacks, .. } = builder;
        Ok(Self { grid, parts: world, crossings, ways, lacks, opened, lot_lacks })
    }
}

/// Money by account and currency, from the end of `origin` on.
async fn cash(
    tx: &mut Tx,
    origin: NaiveDate,
    to: NaiveDate,
) -> Result<BTreeMap<(AccountId, Currency), Vec<(NaiveDate, Exact)>>> {
    let mut cash: BTreeMap<_, Vec<(NaiveDate, Exact)>> = BTreeMap::new();
    for (day, changes) in figures::cash_changes(tx).await?.range(..=to) {
        let day = (*day).max(origin);
        for (account, currency, change) in changes {
            let levels = cash.entry((*account, *currency)).or_default();
            let before = levels.last().map_or(Exact::ZERO, |(_, level)| level.clone());
            let level = before.add(change);
            match levels.last_mut().filter(|(last, _)| *last == day) {
                Some(last) => last.1 = level,
                None => levels.push((day, level)),
            }
        }
    }
    Ok(cash)
}

struct Builder<'a> {
    scene: &'a Scene,
    grid: Grid,
    /// From which place on an account is closed.
    closed: BTreeMap<AccountId, usize>,
    /// When each lot was acquired.
    opened: BTreeMap<LotKey, NaiveDate>,
    lot_lacks: BTreeMap<LotKey, BTreeSet<Lack>>,
    world: Vec<Part>,
}

/// Notes that a row of money has no rate.
fn lacks_rate(lacks: &mut Lacks, account: AccountId, currency: Currency, place: usize) {
    let lack = Lack { place, what: Lacking::Rate(currency), account: Some(account) };
    lacks.entry((account, None)).or_default().insert(lack);
}

impl Builder<'_> {
    /// What of the rows cannot be told in the base currency.
    fn lacks(&self, course: &Course) -> Lacks {
        let rates = course.lacks_rates.iter().map(|(account, security, currency, day)| {
            (*account, *security, Lacking::Rate(*currency), *day)
        });
        let prices = course.lacks_worth.iter().map(|(account, security, day)| {
            (*account, Some(*security), Lacking::Price(*security), *day)
        });
        let mut lacks = Lacks::new();
        for (account, security, what, day) in rates.chain(prices) {
            let place = self.grid.place(day);
            let lack = Lack { place, what, account: Some(account) };
            lacks.entry((account, security)).or_default().insert(lack);
        }
        lacks
    }

    fn closing(&self, account: AccountId) -> Option<(AccountId, usize)> {
        let closed = self.scene.accounts.get(&account)?.account.closed?;
        let day = self.grid.day(self.grid.last);
        (closed <= day).then(|| (account, self.grid.place(closed)))
    }

    /// Whether rows of a day count: those of the day on which the account is closed still do.
    fn counts(&self, account: AccountId, place: usize) -> bool {
        self.closed.get(&account).is_none_or(|closed| place <= *closed)
    }

    /// The parts that are securities. What is left when an account is closed goes outside.
    fn holdings(&mut self, course: &mut Course) -> Vec<Crossing> {
        let mut crossings = Vec::new();
        for ((place, security), holding) in std::mem::take(&mut course.holdings) {
            let levels = holding.levels.into_iter();
            let levels = levels.map(|(day, units)| (self.grid.place(day), units));
            let mut levels = Steps(levels.collect::<Vec<_>>());
            let rows = holding.rows.into_iter().map(|(day, sums)| (self.grid.place(day), sums));
            let mut rows: BTreeMap<_, _> = rows.collect();
            let thing = Thing { place, security: Some(security), lot: None };
            if let Place::In(account) = place {
                rows.retain(|place, _| self.counts(account, *place));
                crossings.extend(self.close(account, thing, security, &mut levels));
            }
            self.world.push(Part { thing, kind: Kind::Security(security), levels, rows });
        }
        crossings
    }

    /// What is left when an account is closed goes outside.
    fn close(
        &self,
        account: AccountId,
        thing: Thing,
        security: SecurityId,
        levels: &mut Steps<Option<Exact>>,
    ) -> Option<Crossing> {
        let closed = *self.closed.get(&account)?;
        let left = levels.at(closed).cloned();
        levels.0.retain(|(place, _)| *place < closed);
        let units = left??.neg();
        levels.push(closed, Some(Exact::ZERO));
        Some(Crossing { place: closed, legs: vec![Arrival { thing, security, units }] })
    }

    /// The parts that are lots.
    fn lots(&mut self, course: &mut Course) -> Vec<Crossing> {
        let mut crossings = Vec::new();
        for (key, lot) in std::mem::take(&mut course.lots) {
            let (account, security, ..): LotKey = key;
            let thing =
                Thing { place: Place::In(account), security: Some(security), lot: Some(key) };
            let levels = lot.levels.into_iter().map(|(day, units)| (self.grid.place(day), units));
            let mut levels = Steps(levels.collect::<Vec<_>>());
            let rows = lot.rows.into_iter().map(|(day, sums)| (self.grid.place(day), sums));
            let rows = rows.filter(|(place, _)| self.counts(account, *place)).collect();
            crossings.extend(self.close(account, thing, security, &mut levels));
            let arrivals = lot.arrivals.into_iter();
            let arrivals = arrivals.map(|(day, security, units)| Crossing {
                place: self.grid.place(day),
                legs: vec![Arrival { thing, security, units }],
            });
            crossings.extend(arrivals.filter(|arrival| self.counts(account, arrival.place)));
            self.opened.insert(key, lot.opened);
            let lack = |(day, lack): (NaiveDate, LotLack)| {
                let what = match lack {
                    LotLack::Rate(currency) => Lacking::Rate(currency),
                    LotLack::Worth => Lacking::Price(security),
                };
                Lack { place: self.grid.place(day), what, account: Some(account) }
            };
            let lacks = lot.lacks.into_iter().map(lack).collect();
            self.lot_lacks.insert(key, lacks);
            self.world.push(Part { thing, kind: Kind::Security(security), levels, rows });
        }
        crossings
    }

    fn crossings(&self, moved: &[figures::Moved]) -> Vec<Crossing> {
        let crossing = |moved: &figures::Moved| {
            let place = self.grid.place(moved.date);
            let counts = |leg: &&Leg| match leg.place {
                Place::In(account) => self.counts(account, place),
                Place::Between(..) => true,
            };
            let leg = |leg: &Leg| {
                let thing = Thing { place: leg.place, security: Some(leg.security), lot: None };
                match &moved.becomes {
                    // Both sides of one event have the same value: that of what it became.
                    Some(new) if new.security != leg.security => {
                        Arrival { thing, security: new.security, units: new.units.neg() }
                    }
                    _ => Arrival { thing, security: leg.security, units: leg.units.clone() },
                }
            };
            Crossing { place, legs: moved.legs.iter().filter(counts).map(leg).collect() }
        };
        moved.iter().map(crossing).collect()
    }

    /// Rows without a security: they have no value of their own, cash has.
    fn rows_of_money(&mut self, course: &Course) {
        for (&account, days) in &course.money {
            let rows = days.iter().map(|(day, sums)| (self.grid.place(*day), sums.clone()));
            let rows: BTreeMap<_, _> =
                rows.filter(|(place, _)| self.counts(account, *place)).collect();
            let (thing, levels) = (money_in(account), Steps(Vec::new()));
            self.world.push(Part { thing, kind: Kind::Money(self.grid.base), levels, rows });
        }
    }

    fn cash(
        &mut self,
        cash: &BTreeMap<(AccountId, Currency), Vec<(NaiveDate, Exact)>>,
        follows: &impl Fn(&AccountId) -> bool,
        lacks: &mut Lacks,
    ) {
        for ((account, currency), days) in cash.iter().filter(|((account, _), _)| follows(account))
        {
            let levels =
                days.iter().map(|(day, level)| (self.grid.place(*day), Some(level.clone())));
            let mut levels = Steps(levels.collect::<Vec<_>>());
            let mut rows = BTreeMap::new();
            if let Some(&closed) = self.closed.get(account) {
                let left = levels.at(closed).cloned().flatten();
                levels.0.retain(|(place, _)| *place < closed);
                if let Some(left) = left {
                    levels.push(closed, Some(Exact::ZERO));
                    match self.grid.money(&left.neg(), *currency, closed) {
                        Some(flow) => drop(rows.insert(closed, flow_of(&flow))),
                        None => lacks_rate(lacks, *account, *currency, closed),
                    }
                }
            }
            let (thing, kind) = (money_in(*account), Kind::Money(*currency));
            self.world.push(Part { thing, kind, levels, rows });
        }
    }

    /// An account that is known by its balance.
    fn balance(&mut self, account: AccountId, balances: &[Balance], lacks: &mut Lacks) {
        let Some(row) = self.scene.accounts.get(&account) else { return };
        let currency = row.account.currency;
        // Of money a change came from outside or went there; anything else rose or fell.
        let is_money = matches!(row.account.kind.class(), Class::Cash | Class::Liability);
        let mut known: Vec<_> = balances.iter().filter(|it| it.account == account).collect();
        known.sort_by_key(|balance| balance.date);
        let mut levels = Steps(Vec::new());
        let mut rows: BTreeMap<usize, Sums> = BTreeMap::new();
        let mut before = Exact::ZERO;
        let mut is_first = true;
        let last = self.grid.day(self.grid.last);
        let told = known.iter().filter(|balance| balance.date <= last);
        let told = told.map(|balance| (self.grid.place(balance.date), Exact::from(balance.amount)));
        let closed = self.closed.get(&account).copied();
        let is_before = |place: usize| closed.is_none_or(|closed| place < closed);
        let mut told: Vec<_> = told.filter(|(place, _)| is_before(*place)).collect();
        // Of an account that is closed nothing is left; what there was went outside.
        told.extend(closed.filter(|_| !told.is_empty()).map(|place| (place, Exact::ZERO)));
        for (place, level) in told {
            let change = level.sub(&before);
            if place > 0 && (is_money || is_first || Some(place) == closed) {
                match self.grid.money(&change, currency, place) {
                    Some(change) => {
                        let flow = flow_of(&change);
                        let trade = if is_money { Exact::ZERO } else { change };
                        rows.entry(place).or_default().add(&Sums { trade, ..flow });
                    }
                    None => lacks_rate(lacks, account, currency, place),
                }
            }
            is_first = false;
            match levels.0.last_mut().filter(|(last, _)| *last == place) {
                Some(last) => last.1 = Some(level.clone()),
                None => levels.push(place, Some(level.clone())),
            }
            before = level;
        }
        let kind = if is_money { Kind::Money(currency) } else { Kind::Balance(currency) };
        self.world.push(Part { thing: money_in(account), kind, levels, rows });
    }

    fn way(&self, way: &figures::CashMove) -> Way {
        let leg = |account, day: NaiveDate| {
            let follows = self.scene.follows_rows(account);
            let place = self.grid.place(day);
            // Beyond the span it is far away, and still on its way.
            let place =
                if day > self.grid.day(self.grid.last) { self.grid.last + 1 } else { place };
            (follows && self.counts(account, place)).then_some(place)
        };
        Way {
            accounts: way.accounts,
            days: (leg(way.accounts.0, way.days.0), leg(way.accounts.1, way.days.1)),
            sent: (way.sent.0.into(), way.sent.1),
            got: (way.got.0.into(), way.got.1),
        }
    }
}

const fn money_in(account: AccountId) -> Thing {
    Thing { place: Place::In(account), security: None, lot: None }
}

/// Money from outside, or where it is negative to there.
fn flow_of(amount: &Exact) -> Sums {
    let sums = Sums::default();
    if amount.sign().is_lt() {
        Sums { went: amount.neg(), ..sums }
    } else {
        Sums { came: amount.clone(), ..sums }
    }
}
