//! Rates between currencies: which stored rates answer for a day, and what an amount is by them.
//! It knows neither the store nor what the amounts are of, and never makes a rate up.

use std::collections::{HashMap, HashSet};
use std::iter;
use std::sync::Arc;

use chrono::NaiveDate;

use super::source::{FRESH_DAYS, age_days, first_fresh, source_order};
use crate::model::{Currency, Dec, Exact, ExactError, Rate, Source};

/// Derived money has so many decimals.
pub(super) const PLACES: u32 = 12;

/// What a figure that somebody gave has become, `over / under`: where that is what it was, it stays
/// as given, with all its digits; else it is derived, and rounded half-even to 12 decimals.
///
/// # Errors
/// When the result has too many digits.
pub(super) fn as_given_or_derived(
    given: Dec,
    over: &Exact,
    under: &Exact,
) -> Result<Dec, ExactError> {
    let is_as_given = *over == Exact::from(given).mul(under);
    if is_as_given { Ok(given) } else { over.div_round(under, PLACES) }
}

/// From one currency to another: an amount times `num / den`. Neither part is ever rounded, so
/// that whoever has more to multiply can divide once, at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversion {
    /// What to multiply by.
    pub num: Exact,
    /// What to divide by, never zero.
    pub den: Exact,
    /// The stored rates behind it, in the order of their use: none between a currency and itself.
    pub legs: Vec<Leg>,
    /// One of them is older than [`FRESH_DAYS`].
    pub stale: bool,
    /// The day of the oldest of them.
    pub date: Option<NaiveDate>,
}

/// One stored rate on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    /// What is priced, as stored.
    pub base: Currency,
    /// In what, as stored.
    pub quote: Currency,
    /// Of which day.
    pub date: NaiveDate,
    /// Units of `quote` for one of `base`.
    pub rate: Dec,
    /// Who says so.
    pub source: Arc<Source>,
    /// The way goes from `quote` to `base`, so it divides.
    pub inverse: bool,
}

impl Conversion {
    /// From a currency to itself.
    #[must_use]
    pub fn identity() -> Self {
        let one = Exact::from(Dec::ONE);
        Self { num: one.clone(), den: one, legs: Vec::new(), stale: false, date: None }
    }

    fn of(legs: Vec<Leg>, oldest: NaiveDate, on: NaiveDate) -> Self {
        let stale = age_days(oldest, on) > FRESH_DAYS;
        let mut way = Self { legs, stale, date: Some(oldest), ..Self::identity() };
        for leg in &way.legs {
            let part = if leg.inverse { &mut way.den } else { &mut way.num };
            *part = part.mul(&leg.rate.into());
        }
        way
    }

    /// The amount in the other currency, rounded half-even once, to 12 decimals.
    ///
    /// # Errors
    /// When the result has too many digits.
    pub fn apply(&self, amount: &Exact) -> Result<Dec, ExactError> {
        amount.mul(&self.num).div_round(&self.den, PLACES)
    }

    /// The pairs of its legs: `CAD/USD`, or `CHF/EUR, EUR/USD`.
    #[must_use]
    pub fn pairs(&self) -> String {
        let pairs = self.legs.iter().map(|leg| format!("{}/{}", leg.base, leg.quote));
        pairs.collect::<Vec<_>>().join(", ")
    }

    /// This one and then another, still unrounded.
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        Self {
            num: self.num.mul(&next.num),
            den: self.den.mul(&next.den),
            legs: self.legs.iter().chain(&next.legs).cloned().collect(),
            stale: self.stale || next.stale,
            date: self.date.into_iter().chain(next.date).min(),
        }
    }
}

/// All rates known: of each pair and day the one of the best source.
#[derive(Clone, Debug)]
pub struct Rates {
    base: Currency,
    /// By the day.
    pairs: HashMap<(Currency, Currency), Vec<Point>>,
    /// Each name once, shared by its points.
    sources: HashSet<Arc<Source>>,
}

#[derive(Clone, Debug)]
struct Point {
    date: NaiveDate,
    rate: Dec,
    source: Arc<Source>,
}

impl Rates {
    /// None yet. Where there is no rate between two currencies, the way through `base` is the
    /// first to be tried.
    #[must_use]
    pub fn new(base: Currency) -> Self {
        Self { base, pairs: HashMap::new(), sources: HashSet::new() }
    }

    /// The same rates, as for somebody with another base currency.
    #[must_use]
    pub fn with_base(self, base: Currency) -> Self {
        Self { base, ..self }
    }

    /// Adds what one unit of `base` costs. Cheap when a pair's days come in order. A rate that is
    /// not above zero is left out: money has no such price, and it could not be divided by.
    pub fn insert(
        &mut self,
        base: Currency,
        quote: Currency,
        date: NaiveDate,
        rate: Dec,
        source: &Source,
    ) {
        if !rate.is_positive() || base == quote {
            return;
        }
        let point = Point { date, rate, source: self.shared(source) };
        let points = self.pairs.entry((base, quote)).or_default();
        match points.binary_search_by_key(&date, |point| point.date) {
            Err(place) => points.insert(place, point),
            Ok(place) => {
                let better = |known: &&mut Point| {
                    source_order(source.as_str()) <= source_order(known.source.as_str())
                };
                if let Some(known) = points.get_mut(place).filter(better) {
                    *known = point;
                }
            }
        }
    }

    fn shared(&mut self, source: &Source) -> Arc<Source> {
        if let Some(known) = self.sources.get(source) {
            return known.clone();
        }
        let shared = Arc::new(source.clone());
        self.sources.insert(shared.clone());
        shared
    }

    /// The way from one currency to another on a day: the first of direct, inverse, through the
    /// base currency, through USD and through EUR whose rates are all fresh, else the one whose
    /// oldest rate is newest. None: no way at all. Never by a rate from after that day.
    #[must_use]
    pub fn on(&self, from: Currency, to: Currency, on: NaiveDate) -> Option<Conversion> {
        if from == to {
            return Some(Conversion::identity());
        }
        let straight = iter::once_with(|| {
            let leg = self.leg(from, to, on)?;
            Some((leg.date, vec![leg]))
        });
        // Never through `from` or `to`: no rate between a currency and itself is kept.
        let around = [self.base, Currency::USD, Currency::EUR].into_iter().map(|pivot| {
            let (first, second) = (self.leg(from, pivot, on)?, self.leg(pivot, to, on)?);
            Some((first.date.min(second.date), vec![first, second]))
        });
        let ways = straight.chain(around).flatten();
        let (oldest, legs) = first_fresh(ways, |(oldest, _)| *oldest, on, FRESH_DAYS)?;
        Some(Conversion::of(legs, oldest, on))
    }

    /// One step, as stored or the other way round.
    fn leg(&self, from: Currency, to: Currency, on: NaiveDate) -> Option<Leg> {
        let ways = [(from, to, false), (to, from, true)].into_iter();
        let legs = ways.filter_map(|(base, quote, inverse)| {
            let Point { date, rate, source } = self.latest(base, quote, on)?.clone();
            Some(Leg { base, quote, date, rate, source, inverse })
        });
        first_fresh(legs, |leg| leg.date, on, FRESH_DAYS)
    }

    fn latest(&self, base: Currency, quote: Currency, on: NaiveDate) -> Option<&Point> {
        let points = self.pairs.get(&(base, quote))?;
        let known = points.partition_point(|point| point.date <= on);
        points.get(..known)?.last()
    }
}

impl Extend<Rate> for Rates {
    /// Adds rates as they are stored.
    fn extend<T: IntoIterator<Item = Rate>>(&mut self, rates: T) {
        for Rate { base, quote, at, source, rate } in rates {
            // No writer stores a time that is no date.
            if let Some(at) = chrono::DateTime::from_timestamp_micros(at) {
                self.insert(base, quote, at.date_naive(), rate, &source);
            }
        }
    }
}

#[cfg(test)]
mod tests;
