//! The days of a span with what everything costs on each of them: prices of securities in their own
//! currency, rates to the base currency.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};

use crate::analytics::bars::Restating;
use crate::analytics::lots::World as _;
use crate::model::{Currency, Dec, Exact, SecurityId};
use crate::report::Result;
use crate::report::valuation::Scene;
use crate::store::Tx;

/// Derived money has so many decimals.
const PLACES: u32 = 12;

/// What to multiply and to divide by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fraction {
    pub num: Exact,
    pub den: Exact,
}

impl Fraction {
    fn times(&self, other: &Self) -> Self {
        Self { num: self.num.mul(&other.num), den: self.den.mul(&other.den) }
    }

    /// An amount times this, rounded half-even once; none: it has too many digits.
    pub fn of(&self, amount: &Exact) -> Option<Exact> {
        let over = amount.mul(&self.num);
        let one = Exact::from(Dec::ONE);
        let told =
            if self.den == one { over.round(PLACES) } else { over.div_round(&self.den, PLACES) };
        told.ok().map(Exact::from)
    }

    /// This over another, which is not zero.
    pub fn over(&self, other: &Self) -> Self {
        Self { num: self.num.mul(&other.den), den: self.den.mul(&other.num) }
    }

    pub fn approximate(&self) -> f64 {
        self.num.approximate() / self.den.approximate()
    }
}

/// A value that stays what it is until the next step.
#[derive(Clone, Debug)]
pub(super) struct Steps<T>(pub Vec<(usize, T)>);

impl<T> Steps<T> {
    /// The value at a place.
    pub fn at(&self, place: usize) -> Option<&T> {
        let known = self.0.partition_point(|(from, _)| *from <= place);
        self.0.get(known.checked_sub(1)?).map(|(_, value)| value)
    }
}

impl<T: PartialEq> Steps<T> {
    /// Goes on with a value.
    pub fn push(&mut self, place: usize, value: T) {
        if self.0.last().is_none_or(|(_, last)| *last != value) {
            self.0.push((place, value));
        }
    }
}

/// What one unit is worth: exactly, and nearly.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Worth {
    pub exact: Fraction,
    pub near: f64,
    /// It is one of the base currency, whatever happens.
    pub is_one: bool,
}

/// The days of a span and the day before the first of them, by their places.
pub(super) struct Grid {
    /// The day of place 0.
    pub origin: NaiveDate,
    /// The last place.
    pub last: usize,
    pub base: Currency,
    prices: BTreeMap<SecurityId, Steps<Option<Worth>>>,
    currencies: BTreeMap<SecurityId, Currency>,
    rates: BTreeMap<Currency, Steps<Option<Worth>>>,
    splits: BTreeMap<SecurityId, Vec<(NaiveDate, crate::model::Ratio)>>,
}

impl Grid {
    /// Reads what these securities and currencies cost from the end of `origin` to `to`.
    pub async fn read(
        tx: &mut Tx,
        scene: &mut Scene,
        origin: NaiveDate,
        to: NaiveDate,
        securities: &BTreeSet<SecurityId>,
        money: &BTreeSet<Currency>,
    ) -> Result<Self> {
        let mut grid = Self::of_days(origin, to, scene.base);
        let all: Vec<NaiveDate> = (0..=grid.last).map(|place| grid.day(place)).collect();
        scene.read_closes_of(tx, securities.iter().copied(), &all).await?;
        let mut wanted = money.clone();
        for &security in securities {
            let mut steps = Steps(Vec::new());
            for (place, day) in all.iter().enumerate() {
                let price = scene.price(security, *day).ok();
                let exact = price.map(|price| Fraction { num: price.num, den: price.den });
                steps.push(place, exact.map(Worth::of));
            }
            grid.prices.insert(security, steps);
            grid.currencies.insert(security, scene.currency_of(security));
            grid.splits.insert(security, scene.market.splits(security).to_vec());
            wanted.insert(scene.currency_of(security));
        }
        for currency in wanted {
            let mut steps = Steps(Vec::new());
            for (place, day) in all.iter().enumerate() {
                let rate = scene.market.rate(currency, scene.base, *day);
                let exact = rate.map(|rate| Fraction { num: rate.num, den: rate.den });
                let worth =
                    exact.map(|exact| Worth { is_one: currency == scene.base, ..Worth::of(exact) });
                steps.push(place, worth);
            }
            grid.rates.insert(currency, steps);
        }
        Ok(grid)
    }

    /// Days on which nothing has a price.
    pub fn of_days(origin: NaiveDate, to: NaiveDate, base: Currency) -> Self {
        Self {
            origin,
            last: usize::try_from((to - origin).num_days()).unwrap_or(0),
            base,
            prices: BTreeMap::new(),
            currencies: BTreeMap::new(),
            rates: BTreeMap::new(),
            splits: BTreeMap::new(),
        }
    }

    /// The day of a place.
    pub fn day(&self, place: usize) -> NaiveDate {
        let days = Days::new(u64::try_from(place).unwrap_or(u64::MAX));
        self.origin.checked_add_days(days).unwrap_or(NaiveDate::MAX)
    }

    /// The place of a day; days before the span are at its beginning.
    pub fn place(&self, day: NaiveDate) -> usize {
        usize::try_from((day - self.origin).num_days()).unwrap_or(0)
    }

    pub fn rates(&self, currency: Currency) -> &Steps<Option<Worth>> {
        const NONE: &Steps<Option<Worth>> = &Steps(Vec::new());
        self.rates.get(&currency).unwrap_or(NONE)
    }

    pub fn prices(&self, security: SecurityId) -> &Steps<Option<Worth>> {
        const NONE: &Steps<Option<Worth>> = &Steps(Vec::new());
        self.prices.get(&security).unwrap_or(NONE)
    }

    pub fn currency_of(&self, security: SecurityId) -> Currency {
        self.currencies.get(&security).copied().unwrap_or(self.base)
    }

    /// Money of a day in the base currency.
    pub fn money(&self, amount: &Exact, currency: Currency, place: usize) -> Option<Exact> {
        if amount.is_zero() {
            return Some(Exact::ZERO);
        }
        self.rates(currency).at(place)?.as_ref()?.exact.of(amount)
    }

    /// Units of a security in the base currency.
    pub fn value(&self, units: &Exact, security: SecurityId, place: usize) -> Option<Exact> {
        self.value_by(units, security, place, place)
    }

    /// Units of one day by the close of a later one, at the rate of their own day.
    pub fn value_by(
        &self,
        units: &Exact,
        security: SecurityId,
        place: usize,
        close: usize,
    ) -> Option<Exact> {
        if units.is_zero() {
            return Some(Exact::ZERO);
        }
        let price = self.prices(security).at(close)?.as_ref()?;
        let rate = self.rates(self.currency_of(security)).at(place)?.as_ref()?;
        let mut worth = price.exact.times(&rate.exact);
        if close != place {
            let splits = self.splits.get(&security).map_or(&[][..], Vec::as_slice);
            // The close counts the units of its own day.
            let units = Restating::between(splits, self.day(place), self.day(close));
            worth = worth.times(&Fraction { num: units.den, den: units.num });
        }
        worth.of(units)
    }

    /// What has become of one unit of an earlier day, in the base currency; none: it has no price,
    /// or is worth nothing.
    pub fn worth_since(&self, security: SecurityId, from: usize, to: usize) -> Option<Fraction> {
        let price = self.prices(security).at(to)?.as_ref()?;
        let rate = self.rates(self.currency_of(security)).at(to)?.as_ref()?;
        let splits = self.splits.get(&security).map_or(&[][..], Vec::as_slice);
        let units = Restating::between(splits, self.day(from), self.day(to));
        let worth = price.exact.times(&rate.exact);
        let worth = worth.times(&Fraction { num: units.den, den: units.num });
        worth.num.sign().is_gt().then_some(worth)
    }
}

impl Worth {
    fn of(exact: Fraction) -> Self {
        Self { near: exact.approximate(), exact, is_one: false }
    }
}
