//! What something costs on a day: the rule of prices and the rule of rates. It knows closes, and
//! nothing of who holds what.

use std::collections::BTreeMap;

use num_traits::One;

use super::files::Close;
use super::{Day, Q};

/// How many days old a price or rate may be.
const FRESH: i64 = 5;

/// All closes and rates there are, also later ones.
#[derive(Debug)]
pub struct Market {
    /// By symbol.
    closes: BTreeMap<String, BTreeMap<Day, Q>>,
    /// By what is sold and what is paid.
    rates: BTreeMap<(String, String), BTreeMap<Day, Q>>,
    /// Of each security.
    currencies: BTreeMap<String, String>,
    base: String,
}

/// A figure and the day it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated {
    pub figure: Q,
    pub date: Day,
}

impl Dated {
    /// Whether it is still good on this day.
    pub fn is_fresh(&self, day: Day) -> bool {
        (day - self.date).num_days() <= FRESH
    }
}

impl Market {
    pub fn new(base: &str, closes: &[Close]) -> Self {
        let base = base.to_owned();
        let mut market = Self {
            closes: BTreeMap::new(),
            rates: BTreeMap::new(),
            currencies: BTreeMap::new(),
            base,
        };
        for Close { date, symbol, is_rate, figure, currency } in closes {
            let series = if *is_rate {
                market.rates.entry((symbol.clone(), currency.clone())).or_default()
            } else {
                let known = market.currencies.insert(symbol.clone(), currency.clone());
                assert!(known.is_none_or(|known| known == *currency), "{symbol} in two currencies");
                market.closes.entry(symbol.clone()).or_default()
            };
            series.insert(*date, figure.clone());
        }
        market
    }

    /// The latest close on or before a day.
    pub fn price(&self, symbol: &str, day: Day) -> Option<Dated> {
        latest(self.closes.get(symbol)?, day)
    }

    /// The currency in which a security is quoted.
    pub fn currency(&self, symbol: &str) -> Option<&String> {
        self.currencies.get(symbol)
    }

    /// What one unit of a currency costs in another: the first fresh way, else the freshest.
    pub fn rate(&self, from: &str, to: &str, day: Day) -> Option<Q> {
        if from == to {
            return Some(Q::one());
        }
        let mut ways = vec![self.direct(from, to, day), self.inverse(from, to, day)];
        for middle in [self.base.as_str(), "USD", "EUR"] {
            if middle != from && middle != to {
                ways.push(self.via(from, middle, to, day));
            }
        }
        best(ways, day).map(|rate| rate.figure)
    }

    fn direct(&self, from: &str, to: &str, day: Day) -> Option<Dated> {
        latest(self.rates.get(&(from.to_owned(), to.to_owned()))?, day)
    }

    fn inverse(&self, from: &str, to: &str, day: Day) -> Option<Dated> {
        let Dated { figure, date } = self.direct(to, from, day)?;
        Some(Dated { figure: figure.recip(), date })
    }

    /// Over a third currency; as old as its older leg.
    fn via(&self, from: &str, middle: &str, to: &str, day: Day) -> Option<Dated> {
        let leg =
            |from, to| best(vec![self.direct(from, to, day), self.inverse(from, to, day)], day);
        let (first, second) = (leg(from, middle)?, leg(middle, to)?);
        let date = first.date.min(second.date);
        Some(Dated { figure: first.figure * second.figure, date })
    }
}

fn latest(series: &BTreeMap<Day, Q>, day: Day) -> Option<Dated> {
    let (date, figure) = series.range(..=day).next_back()?;
    Some(Dated { figure: figure.clone(), date: *date })
}

fn best(ways: Vec<Option<Dated>>, day: Day) -> Option<Dated> {
    let known: Vec<Dated> = ways.into_iter().flatten().collect();
    let fresh = known.iter().find(|way| way.is_fresh(day)).cloned();
    // Of equally old ways the first.
    fresh.or_else(|| known.into_iter().reduce(|a, b| if b.date > a.date { b } else { a }))
}
