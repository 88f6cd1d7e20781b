//! The figures of one scope.

use std::collections::{BTreeMap, BTreeSet};

use super::scope::{Day, Kind, Lack, Lacking, Part, Scope, Series, World};
use super::types::{PerformanceQuery, PerformanceRow, Period, Reasons};
use crate::analytics::lots::Place;
use crate::analytics::returns::{self, Flow, Index, NoRate};
use crate::model::{Dec, Exact, SafeText};
use crate::report::Missing;
use crate::report::net_worth::end_of_period;
use crate::report::pending::Pending;
use crate::report::valuation::Scene;

/// Ratios are told with so many decimals.
const RATIO: usize = 10;

/// What every row is computed from.
pub(super) struct Asked<'a> {
    pub query: &'a PerformanceQuery,
    pub scene: &'a Scene,
    pub world: &'a World,
    pub risk_free: Dec,
    pub pending: &'a Pending,
}

/// What came of a span; none: not known.
struct Gain {
    start: Option<Exact>,
    end: Option<Exact>,
    /// What happened between them, or why that is not known.
    day: Result<Day, &'static str>,
}

impl Gain {
    fn of(series: &Series<'_>, from: usize, to: usize) -> Self {
        let day = series.lack(from, to).map_or_else(|| Ok(series.between(from, to)), Err);
        Self { start: series.value(from), end: series.value(to), day }
    }

    /// V(to) - V(from - 1) - in + out.
    fn total(&self) -> Option<Exact> {
        let day = self.day.as_ref().ok()?;
        let rise = self.end.as_ref()?.sub(self.start.as_ref()?);
        Some(rise.sub(&day.came).add(&day.went))
    }

    /// Why what happened is not known.
    fn unknown(&self) -> &'static str {
        self.day.as_ref().err().copied().unwrap_or("overflow")
    }

    /// Why the gain is not known.
    const fn lacks(&self) -> &'static str {
        match self {
            Self { start: None, .. } => "unvalued_start",
            Self { end: None, .. } => "unvalued_end",
            Self { day: Err(why), .. } => why,
            _ => "overflow",
        }
    }
}

/// Derived money, rounded once.
fn money(exact: &Exact) -> Option<Dec> {
    exact.round(12).ok()
}

/// A ratio with 10 decimals, half-even; none: it is no number, or has too many digits.
#[must_use]
pub fn ratio(value: f64) -> Option<Dec> {
    if !value.is_finite() {
        return None;
    }
    let text = format!("{value:.RATIO$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    Dec::parse(if text == "-0" { "0" } else { text }).ok()
}

impl Asked<'_> {
    /// A row; none: nothing of it ever happened.
    pub fn row(
        &self,
        name: SafeText,
        scope: &Scope,
        missing: &mut BTreeSet<Missing>,
    ) -> Option<PerformanceRow> {
        let start = self.query.from.map(|_| 0);
        let series = self.world.series(scope, start)?;
        Some(self.row_of(name, scope, &series, missing))
    }

    /// The row of a scope that was followed from day to day.
    pub fn row_of(
        &self,
        name: SafeText,
        scope: &Scope,
        series: &Series<'_>,
        missing: &mut BTreeSet<Missing>,
    ) -> PerformanceRow {
        let grid = &self.world.grid;
        let (from, to) = (series.start, grid.last);
        let days_worth = series.days_worth(from, to);
        let gain = Gain::of(series, from, to);
        let start = (series.counts(from)).then(|| series.near.get(from).copied()).flatten();
        let index = Index::over(start, &days_worth);
        let mut reasons = Reasons::new();
        let twr = index.total().filter(|_| gain.day.is_ok());
        if twr.is_none() {
            reasons.insert("twr", no_return(&index, &gain));
        }
        let span = (grid.day(to) - grid.day(from)).num_days();
        let by_year = twr.and_then(|twr| returns::annualized(twr, span));
        if by_year.is_none() {
            let why = twr.map_or_else(|| no_return(&index, &gain), |_| not_by_year(span));
            reasons.insert("twr_annualized", why);
        }
        let xirr = xirr(series, &gain, (from, to), &mut reasons);
        let (volatility, sharpe) = self.risk(&index, by_year, twr.is_some(), &mut reasons);
        let fall = twr.is_some().then(|| returns::drawdown(grid.day(from), &index.points));
        if fall.is_none() {
            reasons.insert("max_drawdown", no_return(&index, &gain));
        }
        for place in [from, to] {
            missing.extend(series.unvalued(place).map(|part| self.lacks(part, place)));
        }
        missing.extend(series.lacking(from, to).map(|lack| self.lacked(lack)));
        let parts = told(&gain, &mut reasons);
        let figure = |name: &'static str| parts.get(name).copied();
        PerformanceRow {
            scope: name,
            accounts: self.accounts(scope),
            from: grid.day((from + 1).min(to)),
            to: grid.day(to),
            twr: twr.and_then(ratio),
            twr_annualized: by_year.and_then(ratio),
            xirr,
            gain: figure("gain"),
            gain_price: figure("gain_price"),
            gain_fx: figure("gain_fx"),
            gain_income: figure("gain_income"),
            gain_fees: figure("gain_fees"),
            gain_taxes: figure("gain_taxes"),
            flows_in: figure("flows_in"),
            flows_out: figure("flows_out"),
            start_value: figure("start_value"),
            end_value: figure("end_value"),
            volatility,
            sharpe,
            max_drawdown: fall,
            days_skipped: index.skipped,
            days_unvalued: index.unvalued,
            pending: self.is_pending(scope),
            reasons,
            periods: self.periods(series),
            benchmark: self.benchmark(series, gain.start.as_ref()),
        }
    }

    fn is_pending(&self, scope: &Scope) -> bool {
        match scope {
            Scope::Accounts(accounts) => accounts.iter().any(|account| {
                self.scene.follows_rows(*account) && self.pending.of_account(*account)
            }),
            Scope::Holding(account, security) | Scope::Lot((account, security, ..)) => {
                self.pending.of_security(*account, *security)
            }
        }
    }

    fn accounts(&self, scope: &Scope) -> Vec<SafeText> {
        let name = |account| self.scene.account_name(account).unwrap_or_default();
        match scope {
            Scope::Accounts(accounts) => {
                let mut names: Vec<_> = accounts.iter().map(|account| name(*account)).collect();
                names.sort();
                names
            }
            Scope::Holding(account, _) | Scope::Lot((account, ..)) => vec![name(*account)],
        }
    }

    fn risk(
        &self,
        index: &Index,
        by_year: Option<f64>,
        known: bool,
        reasons: &mut Reasons,
    ) -> (Option<Dec>, Option<Dec>) {
        let volatility = returns::volatility(&index.points).filter(|_| known);
        if volatility.is_none() {
            let why = if known { "fewer_than_20_returns" } else { "no_return" };
            reasons.insert("volatility", why);
        }
        let free = Exact::from(self.risk_free).approximate();
        let sharpe = by_year.zip(volatility);
        let told = sharpe.and_then(|(rate, volatility)| returns::sharpe(rate, free, volatility));
        if told.is_none() {
            let why = match sharpe {
                Some(_) => "no_volatility",
                None if by_year.is_none() => "not_annualized",
                None => "fewer_than_20_returns",
            };
            reasons.insert("sharpe", why);
        }
        (volatility.and_then(ratio), told.and_then(ratio))
    }

    /// The span in parts.
    fn periods(&self, series: &Series<'_>) -> Vec<Period> {
        let grid = &self.world.grid;
        let Some(every) = self.query.every else { return Vec::new() };
        let mut periods = Vec::new();
        let mut from = series.start;
        while from < grid.last {
            let first = grid.day(from + 1);
            let end = end_of_period(first, every).map_or(grid.last, |end| grid.place(end));
            let to = end.min(grid.last);
            let gain = Gain::of(series, from, to);
            let start = (series.counts(from)).then(|| series.near.get(from).copied()).flatten();
            let index = Index::over(start, &series.days_worth(from, to));
            let twr = index.total().filter(|_| gain.day.is_ok());
            let flows = gain.day.as_ref().ok().map(|day| day.came.sub(&day.went));
            let mut reasons = Reasons::new();
            if twr.is_none() {
                reasons.insert("twr", no_return(&index, &gain));
            }
            let unknown = gain.unknown();
            let mut tell =
                |name, exact: Option<Exact>, why| tell(name, exact.as_ref(), why, &mut reasons);
            let total = tell("gain", gain.total(), gain.lacks());
            let flows = tell("flows", flows, unknown);
            let end_value = tell("end_value", gain.end.clone(), "unvalued_end");
            periods.push(Period {
                from: first,
                to: grid.day(to),
                twr: twr.and_then(ratio),
                gain: total,
                flows,
                end_value,
                reasons,
            });
            from = to;
        }
        periods
    }

    /// What a part has no value for.
    fn lacks(&self, part: &Part, place: usize) -> Missing {
        let grid = &self.world.grid;
        let account = match part.thing.place {
            Place::In(account) => self.scene.account_name(account),
            Place::Between(..) => None,
        };
        let none = Missing {
            what: "fx",
            security: None,
            pair: None,
            account,
            date: Some(grid.day(place)),
        };
        let pair = |currency| Some(format!("{currency}/{}", grid.base));
        match part.kind {
            Kind::Money(currency) | Kind::Balance(currency) => {
                Missing { pair: pair(currency), ..none }
            }
            Kind::Security(security) => {
                let symbol = Some(self.scene.symbol(security));
                if part.levels.at(place).is_some_and(Option::is_none) {
                    Missing { what: "overflow", security: symbol, ..none }
                } else if grid.prices(security).at(place).is_none_or(Option::is_none) {
                    Missing { what: "price", security: symbol, account: None, ..none }
                } else {
                    Missing { pair: pair(grid.currency_of(security)), account: None, ..none }
                }
            }
        }
    }

    /// What something that happened lacks.
    fn lacked(&self, lack: &Lack) -> Missing {
        let none = Missing {
            what: "fx",
            security: None,
            pair: None,
            account: None,
            date: Some(self.world.grid.day(lack.place)),
        };
        match lack.what {
            Lacking::Price(security) => {
                Missing { what: "price", security: Some(self.scene.symbol(security)), ..none }
            }
            Lacking::Rate(currency) => {
                let account = lack.account.and_then(|account| self.scene.account_name(account));
                let pair = Some(format!("{currency}/{}", self.world.grid.base));
                Missing { pair, account, ..none }
            }
        }
    }
}

/// Why a return over so many days is not told by the year.
pub(super) const fn not_by_year(days: i64) -> &'static str {
    if days <= 365 { "span_of_a_year_or_less" } else { "lost_more_than_everything" }
}

/// Why there is no time-weighted return.
fn no_return(index: &Index, gain: &Gain) -> &'static str {
    if let Err(why) = gain.day {
        why
    } else if index.points.is_empty() {
        "no_valued_day"
    } else {
        "nothing_invested"
    }
}

/// The rate, by the netted flows of each day.
fn xirr(
    series: &Series<'_>,
    gain: &Gain,
    (from, to): (usize, usize),
    reasons: &mut Reasons,
) -> Option<Dec> {
    let (Some(start), Some(end), Ok(_)) = (&gain.start, &gain.end, &gain.day) else {
        reasons.insert("xirr", gain.lacks());
        return None;
    };
    let found = rate(series, (from, start), (to, end));
    match found {
        Ok(rate) => {
            if rate.is_one_of_several {
                reasons.insert("xirr", "several_roots");
            }
            ratio(rate.rate)
        }
        Err(why) => {
            reasons.insert("xirr", why.as_str());
            None
        }
    }
}

/// The yearly rate of the netted flows of a series between two values.
fn rate(
    series: &Series<'_>,
    (from, start): (usize, &Exact),
    (to, end): (usize, &Exact),
) -> Result<returns::Rate, NoRate> {
    let day = |place| series.date(place);
    let mut flows = vec![Flow { date: day(from), amount: -start.approximate() }];
    for (place, moved) in series.days.range(from + 1..=to) {
        let amount = moved.went.sub(&moved.came).approximate();
        flows.push(Flow { date: day(*place), amount });
    }
    flows.push(Flow { date: day(to), amount: end.approximate() });
    returns::xirr(&flows)
}

/// A sum as it is told; where it is not known the reasons say why.
pub(super) fn tell(
    name: &'static str,
    exact: Option<&Exact>,
    why: &'static str,
    reasons: &mut Reasons,
) -> Option<Dec> {
    let told = exact.and_then(money);
    if told.is_none() {
        reasons.insert(name, if exact.is_some() { "overflow" } else { why });
    }
    told
}

/// The gain, its parts and what it follows from, by the names of the report. The currency is the
/// rest, so that the parts add up to the gain.
fn told(gain: &Gain, reasons: &mut Reasons) -> BTreeMap<&'static str, Dec> {
    let mut figures = BTreeMap::new();
    let mut tell = |name, exact: Option<Exact>, why| {
        let value = tell(name, exact.as_ref(), why, reasons)?;
        figures.insert(name, value);
        Some(Exact::from(value))
    };
    let why = gain.lacks();
    tell("start_value", gain.start.clone(), "unvalued_start");
    tell("end_value", gain.end.clone(), "unvalued_end");
    let day = gain.day.as_ref().ok();
    let unknown = gain.unknown();
    tell("flows_in", day.map(|day| day.came.clone()), unknown);
    tell("flows_out", day.map(|day| day.went.clone()), unknown);
    let income = tell("gain_income", day.map(|day| day.income.clone()), unknown);
    let fees = tell("gain_fees", day.map(|day| day.fees.neg()), unknown);
    let taxes = tell("gain_taxes", day.map(|day| day.taxes.neg()), unknown);
    let total = gain.total();
    let price = total.as_ref().and(day).map(|day| day.price.clone());
    let price = tell("gain_price", price, why);
    let total = tell("gain", total, why);
    let parts = [price, income, fees, taxes].into_iter().collect::<Option<Vec<Exact>>>();
    let rest = total
        .zip(parts)
        .map(|(total, parts)| parts.iter().fold(total, |rest, part| rest.sub(part)));
    tell("gain_fx", rest, why);
    figures
}
