//! Performance a second time: every day of a span by itself, in exact fractions, from the rows and
//! the closes. It knows purchases, sales, dividends, deposits, withdrawals, fees, moves between two
//! accounts within a day, accounts that are closed, and accounts that are known by their balance.
#![allow(clippy::cast_precision_loss, reason = "days and returns are few")]

use std::collections::BTreeMap;

use chrono::{Datelike, Weekday};
use num_traits::{Signed, ToPrimitive, Zero};

use super::files::Row;
use super::market::Market;
use super::{Day, Q};

/// What is looked at.
pub struct Wanted<'a> {
    pub account: Option<&'a str>,
    /// One security with what is paid for it and by it; none: everything with the cash.
    pub symbol: Option<&'a str>,
    pub from: Day,
    pub to: Day,
    pub currency: &'a str,
}

/// What the rows do not say.
#[derive(Default)]
pub struct Accounts {
    /// The last day of those that are closed.
    pub closed: BTreeMap<String, Day>,
    /// Those that invest and say only what they are worth: in what, and from when on.
    pub balances: BTreeMap<String, (String, BTreeMap<Day, Q>)>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    pub start: Q,
    pub end: Q,
    pub came: Q,
    pub went: Q,
    pub price: Q,
    pub income: Q,
    pub fees: Q,
    /// The growth of each day that has one, with its day.
    pub growth: Vec<(Day, f64)>,
    /// Out is positive.
    pub flows: Vec<(Day, f64)>,
    pub skipped: u64,
}

impl Outcome {
    pub fn gain(&self) -> Q {
        &self.end - &self.start - &self.came + &self.went
    }

    /// Gain less everything else it is made of.
    pub fn fx(&self) -> Q {
        self.gain() - &self.price - &self.income + &self.fees
    }

    pub fn twr(&self) -> f64 {
        self.growth.iter().map(|(_, growth)| growth).product::<f64>() - 1.0
    }

    /// All money at a yearly rate, seen from the last day.
    pub fn value_at(&self, rate: f64, from: Day, to: Day) -> f64 {
        let start = (from.pred_opt().unwrap(), -near(&self.start));
        let all = self.flows.iter().copied().chain([start, (to, near(&self.end))]);
        all.map(|(day, amount)| {
            let years = (to - day).num_days() as f64 / 365.0;
            amount * (1.0 + rate).powf(years)
        })
        .sum()
    }

    pub fn volatility(&self) -> Option<f64> {
        let mut returns = Vec::new();
        let mut since = 1.0;
        for (day, growth) in &self.growth {
            since *= growth;
            if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
                returns.push(since - 1.0);
                since = 1.0;
            }
        }
        let count = returns.len() as f64;
        let mean = returns.iter().sum::<f64>() / count;
        let squares = returns.iter().map(|one| (one - mean) * (one - mean)).sum::<f64>();
        (returns.len() >= 20).then(|| (squares / (count - 1.0)).sqrt() * 252_f64.sqrt())
    }

    pub fn deepest_fall(&self) -> f64 {
        let (mut height, mut index, mut fall) = (1.0_f64, 1.0, 0.0_f64);
        for (_, growth) in &self.growth {
            index *= growth;
            height = height.max(index);
            fall = fall.max(1.0 - index / height);
        }
        fall
    }
}

pub fn near(exact: &Q) -> f64 {
    exact.to_f64().unwrap()
}

/// What a row moves, signed by direction.
fn moved(row: &Row) -> Q {
    if row.what == "TRANSFER_OUT" { -row.quantity.clone() } else { row.quantity.clone() }
}

/// Something goes outside; what was owed comes from there.
fn leave(worth: &Q, came: &mut Q, went: &mut Q) {
    if worth.is_negative() {
        *came -= worth;
    } else {
        *went += worth;
    }
}

/// Follows the rows from the first one on; every day must have all its prices and rates.
#[allow(clippy::too_many_lines, reason = "a day from its morning to its evening")]
pub fn performance(
    rows: &[Row],
    market: &Market,
    accounts: &Accounts,
    wanted: &Wanted<'_>,
) -> Outcome {
    // The other end of a move is a row of its own, with everything the other way round.
    let mut both_ends = Vec::new();
    for row in rows {
        both_ends.push(Row { quantity: moved(row), ..row.clone() });
        if let Some(to) = &row.to_account {
            both_ends.push(Row {
                account: to.clone(),
                to_account: Some(row.account.clone()),
                quantity: -moved(row),
                amount: -row.amount.clone(),
                ..row.clone()
            });
        }
    }
    both_ends.retain(|row| accounts.closed.get(&row.account).is_none_or(|day| row.date <= *day));
    let rows = &both_ends;
    let is_inside = |account: &str| {
        wanted.symbol.is_none() && wanted.account.is_none_or(|wanted| wanted == account)
    };
    let mut outcome = Outcome::default();
    let (mut cash, mut held) = (BTreeMap::new(), BTreeMap::new());
    let mut before = Q::zero();
    let mut worth_before: BTreeMap<(String, String), Q> = BTreeMap::new();
    let is_wanted = |row: &&Row| {
        wanted.account.is_none_or(|account| account == row.account)
            && wanted.symbol.is_none_or(|symbol| row.symbol.as_deref() == Some(symbol))
    };
    let mut rows = rows.iter().filter(is_wanted).peekable();
    let first = rows.peek().map_or(wanted.from, |row| row.date).min(wanted.from);
    for day in first.pred_opt().unwrap().iter_days().take_while(|day| *day <= wanted.to) {
        let rate = |currency: &str| market.rate(currency, wanted.currency, day).unwrap();
        let (mut came, mut went, mut paid) = (Q::zero(), Q::zero(), Q::zero());
        let (mut income, mut fees) = (Q::zero(), Q::zero());
        while let Some(row) = rows.next_if(|row| row.date <= day) {
            let rate = rate(&row.currency);
            let amount = &row.amount * &rate;
            let mut flow = Q::zero();
            // Units that move without a price move at the close of the day.
            let mut moved = Q::zero();
            match row.what.as_str() {
                "TRANSFER_OUT" => {
                    let peer = row.to_account.as_deref().unwrap();
                    if let Some(symbol) = &row.symbol {
                        let close = market.price(symbol, day).unwrap().figure;
                        let rate =
                            market.rate(market.currency(symbol).unwrap(), wanted.currency, day);
                        moved = &row.quantity * close * rate.unwrap();
                        paid += &moved;
                    }
                    if !is_inside(peer) {
                        flow = &amount + &moved;
                    }
                }
                "BUY" | "SELL" => {
                    paid -= (&row.amount + &row.fee) * &rate;
                    fees += &row.fee * &rate;
                }
                "DIVIDEND" => income += &amount,
                "FEE" => fees -= &amount,
                "DEPOSIT" | "WITHDRAWAL" => flow = amount.clone(),
                other => panic!("{other}"),
            }
            if wanted.symbol.is_some() {
                flow = moved - amount;
            }
            if flow.is_negative() {
                went -= flow;
            } else {
                came += flow;
            }
            let at = (row.account.clone(), row.currency.clone());
            *cash.entry(at).or_insert_with(Q::zero) += &row.amount;
            if let Some(symbol) = &row.symbol {
                let at = (row.account.clone(), symbol.clone());
                *held.entry(at).or_insert_with(Q::zero) += &row.quantity;
            }
        }
        // What is left at the end of the last day of an account goes outside.
        for (account, _) in accounts.closed.iter().filter(|(_, last)| **last == day) {
            for ((of, symbol), left) in &mut held {
                if of == account {
                    let left = std::mem::replace(left, Q::zero());
                    if left.is_zero() {
                        continue;
                    }
                    let close = market.price(symbol, day).unwrap().figure;
                    let worth = left * close * rate(market.currency(symbol).unwrap());
                    paid -= &worth;
                    leave(&worth, &mut came, &mut went);
                }
            }
            for ((_, currency), left) in cash.iter_mut().filter(|((of, _), _)| of == account) {
                let left = std::mem::replace(left, Q::zero());
                if wanted.symbol.is_none() {
                    leave(&(left * rate(currency)), &mut came, &mut went);
                }
            }
        }
        let mut value = Q::zero();
        let mut rise = Q::zero();
        for (account, (currency, told)) in &accounts.balances {
            let Some((since, level)) = told.range(..=day).next_back() else { continue };
            if !is_inside(account) {
                continue;
            }
            let worth = level * rate(currency);
            let first = told.keys().next() == Some(since);
            if first && *since == day {
                came += &worth;
            } else {
                let earlier =
                    told.range(..day).next_back().map_or_else(Q::zero, |(_, it)| it.clone());
                rise += (level - earlier) * rate(currency);
            }
            value += worth;
        }
        let mut worth = BTreeMap::new();
        for (at, quantity) in &held {
            let local = match quantity.is_zero() {
                true => Q::zero(),
                false => quantity * market.price(&at.1, day).unwrap().figure,
            };
            let rate = rate(market.currency(&at.1).unwrap());
            let earlier = worth_before.get(at).cloned().unwrap_or_else(Q::zero);
            rise += (&local - earlier) * &rate;
            value += &local * rate;
            worth.insert(at.clone(), local);
        }
        if wanted.symbol.is_none() {
            for ((_, currency), amount) in &cash {
                value += amount * rate(currency);
            }
        }
        if day >= wanted.from {
            outcome.price += rise - paid;
            outcome.income += income;
            outcome.fees += fees;
            let base = &before + &came;
            if base.is_positive() {
                outcome.growth.push((day, near(&((&value + &went) / base))));
            } else {
                outcome.skipped += 1;
            }
            outcome.flows.push((day, near(&(&went - &came))));
            outcome.came += came;
            outcome.went += went;
        } else {
            outcome.start = value.clone();
        }
        (before, worth_before) = (value, worth);
    }
    outcome.end = before;
    outcome
}
