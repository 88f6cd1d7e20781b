//! What a scope was worth day by day, what crossed its border, and what became of it.

use std::collections::{BTreeMap, BTreeSet};

use super::grid::{Grid, Steps, Worth};
use crate::analytics::lots::Place;
use crate::analytics::returns::DayWorth;
use crate::figures::{AccountDay, Happened, LotKey, Sums};
use crate::model::{AccountId, Currency, Exact, SecurityId};

/// What somebody wants to know the performance of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// Everything in these accounts.
    Accounts(BTreeSet<AccountId>),
    /// One security in one account.
    Holding(AccountId, SecurityId),
    /// One lot.
    Lot(LotKey),
}

impl Scope {
    /// Whether an account with its money is in it.
    pub fn has_account(&self, account: AccountId) -> bool {
        matches!(self, Self::Accounts(accounts) if accounts.contains(&account))
    }

    /// Whether a row of an account that lacks something may be in it; `of`: its security.
    fn concerns(&self, account: AccountId, of: Option<SecurityId>) -> bool {
        match self {
            Self::Accounts(accounts) => accounts.contains(&account),
            Self::Holding(at, security) => (*at, Some(*security)) == (account, of),
            // What touches a lot is kept with it.
            Self::Lot(_) => false,
        }
    }

    /// Whether something at a place is in it.
    fn has(&self, thing: &Thing) -> bool {
        match (self, thing.place) {
            (Self::Lot(lot), _) => thing.lot == Some(*lot),
            (Self::Holding(at, of), Place::In(account)) => {
                (*at, Some(*of)) == (account, thing.security) && thing.lot.is_none()
            }
            (Self::Holding(..), Place::Between(..)) => false,
            (_, Place::In(account)) => self.has_account(account),
            (_, Place::Between(from, to)) => self.has_account(from) && self.has_account(to),
        }
    }
}

/// One thing at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Thing {
    pub place: Place,
    /// None: money.
    pub security: Option<SecurityId>,
    /// Which lot of it, where lots are looked at.
    pub lot: Option<LotKey>,
}

/// What the value of a part follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A security, at its price.
    Security(SecurityId),
    /// Money.
    Money(Currency),
    /// Something known by its balance, which rises and falls like a price.
    Balance(Currency),
}

/// A part of what there is: one thing at one place.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub thing: Thing,
    pub kind: Kind,
    /// Units or money from the end of a day on; none: it does not fit.
    pub levels: Steps<Option<Exact>>,
    /// What rows brought and took.
    pub rows: BTreeMap<usize, Sums>,
}

/// Units that came to a place, or went, at the close of their day.
#[derive(Clone, Debug)]
pub(super) struct Crossing {
    pub place: usize,
    pub legs: Vec<Arrival>,
}

/// Units that came, or where they are negative went.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub thing: Thing,
    /// Of what security: of one that became another the other.
    pub security: SecurityId,
    pub units: Exact,
}

/// Money between two own accounts.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub accounts: (AccountId, AccountId),
    /// None: the account was closed by then, and its leg does not count.
    pub days: (Option<usize>, Option<usize>),
    pub sent: (Exact, Currency),
    pub got: (Exact, Currency),
}

/// What keeps a row from being told in the base currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lacking {
    /// The price of what came or went.
    Price(SecurityId),
    /// The rate of its currency.
    Rate(Currency),
}

/// Something that happened and cannot be told in the base currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lack {
    pub place: usize,
    pub what: Lacking,
    /// Where; none: between accounts.
    pub account: Option<AccountId>,
}

/// The lacks of the rows of an account; of a row without a security the second is none.
pub(super) type Lacks = BTreeMap<(AccountId, Option<SecurityId>), BTreeSet<Lack>>;

/// Everything there is and was.
pub(super) struct World {
    pub grid: Grid,
    pub parts: Vec<Part>,
    pub crossings: Vec<Crossing>,
    pub ways: Vec<Way>,
    /// What of the rows cannot be told in the base currency.
    pub lacks: Lacks,
    /// When each lot was acquired.
    pub opened: BTreeMap<LotKey, chrono::NaiveDate>,
    /// What of the rows that touched a lot cannot be told.
    pub lot_lacks: BTreeMap<LotKey, BTreeSet<Lack>>,
}

/// What happened to a scope on a day, in the base currency.
pub(super) type Day = Happened;

/// A scope, day by day.
pub(super) struct Series<'a> {
    grid: &'a Grid,
    parts: Vec<&'a Part>,
    /// Money on its way inside the scope.
    on_its_way: Vec<Part>,
    /// The place of the day before the first.
    pub start: usize,
    /// Whether everything that is there on a day has a value.
    pub counted: Vec<bool>,
    /// At the end of each day.
    pub near: Vec<f64>,
    /// What happened on it.
    pub days: BTreeMap<usize, Day>,
    /// What happened and cannot be told.
    lacks: BTreeSet<Lack>,
    /// Something is valued at a close of a later day.
    is_valued_later: bool,
    /// The values of days that are kept, where nothing needs to be valued.
    kept: Option<Vec<Option<Exact>>>,
}

impl World {
    /// Nothing but days.
    pub const fn empty(grid: Grid) -> Self {
        Self {
            grid,
            parts: Vec::new(),
            crossings: Vec::new(),
            ways: Vec::new(),
            lacks: Lacks::new(),
            opened: BTreeMap::new(),
            lot_lacks: BTreeMap::new(),
        }
    }

    /// A scope from the end of a day on; none: from the day before anything happened in it.
    pub fn series(&self, scope: &Scope, start: Option<usize>) -> Option<Series<'_>> {
        let parts: Vec<&Part> = self.parts.iter().filter(|part| scope.has(&part.thing)).collect();
        let grid = &self.grid;
        let on_its_way: Vec<Part> = self.ways.iter().filter_map(|way| inside(scope, way)).collect();
        let first = || {
            let parts = parts.iter().copied().chain(&on_its_way);
            let levels = parts.clone().filter_map(|part| part.levels.0.first().map(|it| it.0));
            let rows = parts.filter_map(|part| part.rows.keys().next().copied());
            let crossings = self
                .crossings
                .iter()
                .filter(|crossing| crossing.legs.iter().any(|leg| scope.has(&leg.thing)));
            levels.chain(rows).chain(crossings.map(|crossing| crossing.place)).min()
        };
        let start = start.unwrap_or(first()?.saturating_sub(1));
        let mut series = Series::begun(grid, start, parts, on_its_way);
        series.value_days();
        series.follow_rows(scope);
        series.follow_ways(scope, self.ways.iter());
        for crossing in &self.crossings {
            series.follow_crossing(scope, crossing);
        }
        series.follow_prices();
        let lacks = self.lacks.iter().filter(|((account, of), _)| scope.concerns(*account, *of));
        series.lacks.extend(lacks.flat_map(|(_, lacks)| lacks));
        if let Scope::Lot(lot) = scope {
            series.lacks.extend(self.lot_lacks.get(lot).into_iter().flatten());
        }
        Some(series)
    }
}

/// Accounts that something went between, and what did.
#[derive(Default)]
struct Between<'a> {
    parts: Vec<&'a Part>,
    ways: Vec<&'a Way>,
    crossings: Vec<&'a Crossing>,
}

impl World {
    /// What two accounts are together beyond what each is by itself, from the end of the first day
    /// on, for all that are more than their sum. None: something went between more than two.
    pub fn beyond(&self) -> Option<BTreeMap<(AccountId, AccountId), Series<'_>>> {
        let mut between: BTreeMap<_, Between<'_>> = BTreeMap::new();
        for part in &self.parts {
            let (a, b) = part.thing.place.ends();
            if a != b {
                between.entry((a, b)).or_default().parts.push(part);
            }
        }
        for way in &self.ways {
            let (a, b) = Place::Between(way.accounts.0, way.accounts.1).ends();
            if a != b {
                between.entry((a, b)).or_default().ways.push(way);
            }
        }
        for crossing in &self.crossings {
            let ends = crossing.legs.iter().map(|leg| leg.thing.place.ends());
            let touched: BTreeSet<_> = ends.flat_map(|(a, b)| [a, b]).collect();
            let mut touched = touched.into_iter();
            match (touched.next(), touched.next(), touched.next()) {
                (_, None, _) | (None, ..) => {}
                (Some(a), Some(b), None) => {
                    between.entry((a, b)).or_default().crossings.push(crossing);
                }
                _ => return None,
            }
        }
        let series = |(pair, between)| (pair, self.beyond_both(pair, between));
        Some(between.into_iter().map(series).collect())
    }

    fn beyond_both<'a>(&'a self, pair: (AccountId, AccountId), of: Between<'a>) -> Series<'a> {
        let Between { parts, ways, crossings } = of;
        let [both, one, other] = [vec![pair.0, pair.1], vec![pair.0], vec![pair.1]]
            .map(|accounts| Scope::Accounts(accounts.into_iter().collect()));
        let on_its_way = ways.iter().filter_map(|way| inside(&both, way)).collect();
        let mut together = Series::begun(&self.grid, 0, parts, on_its_way);
        together.value_days();
        let moves = |series: &mut Series<'a>, scope: &Scope| {
            series.follow_ways(scope, ways.iter().copied());
            for crossing in &crossings {
                series.follow_crossing(scope, crossing);
            }
        };
        moves(&mut together, &both);
        for scope in [one, other] {
            let mut alone = Series::begun(&self.grid, 0, Vec::new(), Vec::new());
            moves(&mut alone, &scope);
            for (place, day) in alone.days {
                together.day(place).sub(&day);
            }
            together.lacks.extend(alone.lacks);
            together.is_valued_later |= alone.is_valued_later;
        }
        together.follow_prices();
        together
    }

    /// Leaves out what has no value at either end: what was paid for it went outside, what it paid
    /// came from there. Tells whether there is such.
    pub fn leave_out_unvalued(&mut self, scope: &Scope) -> bool {
        let Some(series) = self.series(scope, Some(0)) else { return false };
        let unvalued = |place| series.unvalued(place).map(|part| part.thing).collect::<Vec<_>>();
        let (then, now) = (unvalued(0), unvalued(self.grid.last));
        let left_out: Vec<Thing> = then.into_iter().filter(|thing| now.contains(thing)).collect();
        let base = self.grid.base;
        let is_left_out = |thing: &Thing| thing.security.is_some() && left_out.contains(thing);
        for part in self.parts.iter_mut().filter(|part| is_left_out(&part.thing)) {
            part.kind = Kind::Money(base);
            part.levels = Steps(Vec::new());
            for sums in part.rows.values_mut() {
                let (came, went) = (sums.taken_out.clone(), sums.put_in.clone());
                *sums = Sums { came, went, ..Sums::default() };
            }
        }
        for crossing in &mut self.crossings {
            crossing.legs.retain(|leg| !is_left_out(&leg.thing));
        }
        for ((account, of), lacks) in &mut self.lacks {
            let of = Thing { place: Place::In(*account), security: *of, lot: None };
            let is_price = |lack: &Lack| matches!(lack.what, Lacking::Price(_));
            lacks.retain(|lack| !(is_left_out(&of) && is_price(lack)));
        }
        left_out.iter().any(|thing| thing.security.is_some())
    }
}

/// Money that is between two accounts of a scope for some days.
fn inside(scope: &Scope, way: &Way) -> Option<Part> {
    let (from, to) = way.accounts;
    let (out, into) = (way.days.0?, way.days.1?);
    if !(scope.has_account(from) && scope.has_account(to)) || out == into {
        return None;
    }
    // What left is on its way in its own money; what came too early is missing in that of where
    // it came to.
    let (first, last, amount, currency) = if out < into {
        (out, into, way.sent.0.clone(), way.sent.1)
    } else {
        (into, out, way.got.0.neg(), way.got.1)
    };
    Some(Part {
        thing: Thing { place: Place::Between(from, to), security: None, lot: None },
        kind: Kind::Money(currency),
        levels: Steps(vec![(first, Some(amount)), (last, Some(Exact::ZERO))]),
        rows: BTreeMap::new(),
    })
}

impl<'a> Series<'a> {
    /// Of which nothing is known yet but what it consists of.
    fn begun(grid: &'a Grid, start: usize, parts: Vec<&'a Part>, on_its_way: Vec<Part>) -> Self {
        Self {
            grid,
            start,
            counted: vec![true; grid.last + 1],
            near: vec![0.0; grid.last + 1],
            days: BTreeMap::new(),
            lacks: BTreeSet::new(),
            is_valued_later: false,
            kept: None,
            parts,
            on_its_way,
        }
    }

    /// Days that are kept, each with its place; what there is at the end of each, and nearly.
    pub fn kept(grid: &'a Grid, start: usize, all: impl Iterator<Item = AccountDay>) -> Self {
        let (mut counted, mut near, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let mut days = BTreeMap::new();
        for (place, AccountDay { value, happened }) in all.enumerate() {
            counted.push(value.is_some());
            near.push(value.as_ref().map_or(0.0, |(_, near)| *near));
            values.push(value.map(|(value, _)| value));
            if let Some(happened) = happened {
                days.insert(place, *happened);
            }
        }
        Self {
            grid,
            parts: Vec::new(),
            on_its_way: Vec::new(),
            start,
            counted,
            near,
            days,
            lacks: BTreeSet::new(),
            is_valued_later: false,
            kept: Some(values),
        }
    }

    /// The day of a place as it can be kept.
    pub fn to_keep(&self, place: usize) -> AccountDay {
        let near = self.near.get(place).copied().unwrap_or_default();
        let value = self.value(place).map(|value| (value, near));
        AccountDay { value, happened: self.days.get(&place).cloned().map(Box::new) }
    }

    /// From which place on days cannot be kept, since they lack something or follow from what comes
    /// after them; none: they can be, and what comes after them can begin at the last.
    pub fn odd_from(&self) -> Option<usize> {
        let has_level =
            |part: &&Part| !part.levels.0.is_empty() && !matches!(part.kind, Kind::Security(_));
        if self.is_valued_later || !self.everything().any(|part| has_level(&part)) {
            return Some(self.start);
        }
        let lacking = self.lacks.iter().map(|lack| lack.place);
        // Days without a value are like others, where one with a value comes after them.
        let valued = (self.start..=self.grid.last).rev().find(|place| self.counts(*place));
        let unvalued = valued.map_or(self.start, |place| place + 1);
        let is_counted_first = self.counts(self.start);
        let odd = lacking.chain([unvalued]).min().filter(|odd| *odd <= self.grid.last);
        if is_counted_first { odd } else { Some(self.start) }
    }

    /// Whether all of them can be added to others.
    pub fn is_even(&self) -> bool {
        let mut places = self.start..=self.grid.last;
        self.lacks.is_empty() && !self.is_valued_later && places.all(|place| self.counts(place))
    }
}

impl Series<'_> {
    fn everything(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().copied().chain(&self.on_its_way)
    }

    /// Finds the days that count, and nearly what everything is worth on them: account by account,
    /// so that accounts that are followed together come to the same as kept ones that are added.
    fn value_days(&mut self) {
        let (grid, start) = (self.grid, self.start);
        let mut counted = std::mem::take(&mut self.counted);
        let mut near = std::mem::take(&mut self.near);
        let mut groups: BTreeMap<_, Vec<&Part>> = BTreeMap::new();
        for part in self.everything() {
            let ends = part.thing.place.ends();
            groups.entry((ends.0 != ends.1, ends)).or_default().push(part);
        }
        for parts in groups.values() {
            let mut sums = vec![0.0; near.len()];
            for part in parts {
                let mut walk = Walk::of(grid, part);
                for place in start..=grid.last {
                    walk.go(place);
                    match (walk.near(), counted.get_mut(place), sums.get_mut(place)) {
                        (Some(worth), _, Some(sum)) => *sum += worth,
                        (None, Some(counted), _) => *counted = false,
                        _ => {}
                    }
                }
            }
            near.iter_mut().zip(sums).for_each(|(near, sum)| *near += sum);
        }
        (self.counted, self.near) = (counted, near);
    }

    fn day(&mut self, place: usize) -> &mut Day {
        self.days.entry(place).or_default()
    }

    fn follow_rows(&mut self, scope: &Scope) {
        let is_security = |part: &Part| matches!(part.kind, Kind::Security(_));
        for part in self.parts.clone() {
            for (&place, sums) in part.rows.range(self.start + 1..=self.grid.last) {
                let day = self.day(place);
                day.income = day.income.add(&sums.income);
                day.fees = day.fees.add(&sums.fees);
                day.taxes = day.taxes.add(&sums.taxes);
                // What was paid for what came is no rise of its price.
                day.price = day.price.sub(&sums.trade);
                if matches!(scope, Scope::Accounts(_)) || !is_security(part) {
                    day.came = day.came.add(&sums.came);
                    day.went = day.went.add(&sums.went);
                } else {
                    // What is paid for it comes from the account's cash, what it pays goes there.
                    day.came = day.came.add(&sums.put_in);
                    day.went = day.went.add(&sums.taken_out);
                }
            }
        }
    }

    fn follow_ways<'w>(&mut self, scope: &Scope, ways: impl Iterator<Item = &'w Way>) {
        for way in ways {
            let (from, to) = way.accounts;
            let mut out = way.days.0.filter(|_| scope.has_account(from));
            let mut into = way.days.1.filter(|_| scope.has_account(to));
            let mut flows: Vec<(usize, Exact, Currency)> = Vec::new();
            if let (Some(left), Some(came)) = (out, into) {
                // What there is more at one end came from outside, or went there.
                if way.sent.1 == way.got.1 {
                    flows.push((left.max(came), way.got.0.sub(&way.sent.0), way.sent.1));
                }
                (out, into) = (None, None);
            }
            flows.extend(out.map(|place| (place, way.sent.0.neg(), way.sent.1)));
            flows.extend(into.map(|place| (place, way.got.0.clone(), way.got.1)));
            for (place, amount, currency) in flows {
                if place <= self.start || place > self.grid.last || amount.is_zero() {
                    continue;
                }
                match self.grid.money(&amount, currency, place) {
                    Some(amount) => self.day(place).flow(&amount),
                    None => {
                        let what = Lacking::Rate(currency);
                        self.lacks.insert(Lack { place, what, account: None });
                    }
                }
            }
        }
    }

    /// What is lacking of the days from the end of one to the end of another.
    pub fn lacking(&self, from: usize, to: usize) -> impl Iterator<Item = &Lack> {
        self.lacks.iter().filter(move |lack| from < lack.place && lack.place <= to)
    }

    /// Why what happened between two days cannot be told; none: it can.
    pub fn lack(&self, from: usize, to: usize) -> Option<&'static str> {
        let mut lacks = self.lacking(from, to).peekable();
        lacks.peek()?;
        let only_prices = lacks.all(|lack| matches!(lack.what, Lacking::Price(_)));
        Some(if only_prices { "missing_price" } else { "missing_rate" })
    }

    /// Units at the close of their day: what of them crosses the border is a flow.
    fn follow_crossing(&mut self, scope: &Scope, crossing: &Crossing) {
        let place = crossing.place;
        if place <= self.start || place > self.grid.last {
            return;
        }
        let mut net = Exact::ZERO;
        let mut crosses = false;
        for leg in crossing.legs.iter().filter(|leg| scope.has(&leg.thing)) {
            crosses = true;
            self.is_valued_later |= self.grid.value(&leg.units, leg.security, place).is_none();
            let Some(value) = self.at_close(&leg.units, leg.security, place) else {
                let currency = self.grid.currency_of(leg.security);
                let what = match self.grid.rates(currency).at(place) {
                    Some(Some(_)) => Lacking::Price(leg.security),
                    _ => Lacking::Rate(currency),
                };
                self.lacks.insert(Lack { place, what, account: None });
                continue;
            };
            net = net.add(&value);
        }
        if crosses {
            let day = self.day(place);
            day.price = day.price.sub(&net);
            day.flow(&net);
        }
    }

    /// Units at the close of a day; where there is none, at that of the next day that counts.
    fn at_close(&self, units: &Exact, security: SecurityId, place: usize) -> Option<Exact> {
        if let Some(value) = self.grid.value(units, security, place) {
            return Some(value);
        }
        let later = (place + 1..=self.grid.last).filter(|place| self.counts(*place));
        let mut known = later.filter_map(|close| self.grid.value_by(units, security, place, close));
        known.next()
    }

    /// The day of a place.
    pub fn date(&self, place: usize) -> chrono::NaiveDate {
        self.grid.day(place)
    }

    pub fn counts(&self, place: usize) -> bool {
        self.counted.get(place).copied().unwrap_or(false)
    }

    /// What prices did: from one day that counts to the next, at the rate of the later one.
    fn follow_prices(&mut self) {
        let (grid, start) = (self.grid, self.start);
        let counted = std::mem::take(&mut self.counted);
        let mut days = std::mem::take(&mut self.days);
        for part in self.parts.iter().copied() {
            if matches!(part.kind, Kind::Money(_)) {
                continue;
            }
            let mut walk = Walk::of(grid, part);
            walk.go(start);
            let mut before = if counted.get(start) == Some(&true) { walk.local() } else { None };
            for place in start + 1..=grid.last {
                let changed = walk.go(place);
                if counted.get(place) != Some(&true) || (!changed && before.is_some()) {
                    walk.is_fresh |= changed;
                    continue;
                }
                let now = walk.local();
                if let (Some(before), Some(now)) = (&before, &now) {
                    let rise = now.sub(before);
                    if !rise.is_zero()
                        && let Some(rise) = walk.in_base(&rise)
                    {
                        let day = days.entry(place).or_default();
                        day.price = day.price.add(&rise);
                    }
                }
                before = now;
            }
        }
        (self.counted, self.days) = (counted, days);
    }

    /// The exact value at the end of a day; none: something has none.
    pub fn value(&self, place: usize) -> Option<Exact> {
        if !self.counts(place) {
            return None;
        }
        if let Some(kept) = &self.kept {
            return kept.get(place).cloned().flatten();
        }
        let values = self.everything().map(|part| self.value_of(part, place));
        values.into_iter().try_fold(Exact::ZERO, |sum, value| Some(sum.add(&value?)))
    }

    /// What there is at the end of a day, each with its value.
    pub fn items(&self, place: usize) -> Vec<(&Part, Option<Exact>)> {
        let all = self.everything().map(|part| (part, self.value_of(part, place)));
        all.filter(|(_, value)| value.as_ref().is_none_or(|value| !value.is_zero())).collect()
    }

    fn value_of(&self, part: &Part, place: usize) -> Option<Exact> {
        let level = part.levels.at(place).cloned().unwrap_or(Some(Exact::ZERO))?;
        match part.kind {
            Kind::Security(security) => self.grid.value(&level, security, place),
            Kind::Money(currency) | Kind::Balance(currency) => {
                self.grid.money(&level, currency, place)
            }
        }
    }

    /// What happened from the end of one day to the end of another.
    pub fn between(&self, from: usize, to: usize) -> Day {
        let mut sum = Day::default();
        for day in self.days.range(from + 1..=to).map(|(_, day)| day) {
            sum.add(day);
        }
        sum
    }

    /// The days from one to another as an index sees them.
    pub fn days_worth(&self, from: usize, to: usize) -> Vec<DayWorth> {
        let day = |place: usize| {
            let day = self.days.get(&place);
            let near = |flow: fn(&Day) -> &Exact| day.map_or(0.0, |day| flow(day).approximate());
            DayWorth {
                date: self.grid.day(place),
                value: self.counts(place).then(|| self.near.get(place).copied()).flatten(),
                came: near(|day| &day.came),
                went: near(|day| &day.went),
            }
        };
        (from + 1..=to).map(day).collect()
    }

    /// The parts that have no value on a day.
    pub fn unvalued(&self, place: usize) -> impl Iterator<Item = &Part> {
        self.everything().filter(move |part| {
            let mut walk = Walk::of(self.grid, part);
            walk.go(place);
            walk.near().is_none()
        })
    }
}

/// A part on its way through the days, each of which is looked at once.
struct Walk<'a> {
    levels: Cursor<'a, Option<Exact>>,
    prices: Option<Cursor<'a, Option<Worth>>>,
    rates: Cursor<'a, Option<Worth>>,
    /// Something changed since it was valued last.
    is_fresh: bool,
}

struct Cursor<'a, T> {
    steps: &'a [(usize, T)],
    /// The next step.
    next: usize,
}

impl<'a, T> Cursor<'a, T> {
    const fn new(steps: &'a Steps<T>) -> Self {
        Self { steps: steps.0.as_slice(), next: 0 }
    }

    /// Goes on to a place. Tells whether there is another value.
    fn go(&mut self, place: usize) -> bool {
        let before = self.next;
        while self.steps.get(self.next).is_some_and(|(from, _)| *from <= place) {
            self.next += 1;
        }
        self.next != before
    }

    fn value(&self) -> Option<&'a T> {
        self.steps.get(self.next.checked_sub(1)?).map(|(_, value)| value)
    }
}

impl<'a> Walk<'a> {
    fn of(grid: &'a Grid, part: &'a Part) -> Self {
        let (prices, currency) = match part.kind {
            Kind::Security(security) => {
                (Some(Cursor::new(grid.prices(security))), grid.currency_of(security))
            }
            Kind::Money(currency) | Kind::Balance(currency) => (None, currency),
        };
        Self {
            levels: Cursor::new(&part.levels),
            prices,
            rates: Cursor::new(grid.rates(currency)),
            is_fresh: false,
        }
    }

    /// Goes on to a place. Tells whether its value in its own currency may have changed.
    fn go(&mut self, place: usize) -> bool {
        let level = self.levels.go(place);
        let price = self.prices.as_mut().is_some_and(|prices| prices.go(place));
        self.rates.go(place);
        level || price || std::mem::take(&mut self.is_fresh)
    }

    fn level(&self) -> Option<Exact> {
        self.levels.value().cloned().unwrap_or(Some(Exact::ZERO))
    }

    /// Nearly what it is worth in the base currency.
    fn near(&self) -> Option<f64> {
        let level = match self.levels.value() {
            None => return Some(0.0),
            Some(level) => level.as_ref()?,
        };
        if level.is_zero() {
            return Some(0.0);
        }
        let price = match &self.prices {
            Some(prices) => prices.value()?.as_ref()?.near,
            None => 1.0,
        };
        Some(level.approximate() * price * self.rates.value()?.as_ref()?.near)
    }

    /// What it is worth in its own currency.
    fn local(&self) -> Option<Exact> {
        let level = self.level()?;
        if level.is_zero() {
            return Some(level);
        }
        match &self.prices {
            Some(prices) => prices.value()?.as_ref()?.exact.of(&level),
            None => Some(level),
        }
    }

    fn in_base(&self, amount: &Exact) -> Option<Exact> {
        let rate = self.rates.value()?.as_ref()?;
        if rate.is_one { Some(amount.clone()) } else { rate.exact.of(amount) }
    }
}
