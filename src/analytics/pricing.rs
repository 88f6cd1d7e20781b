//! Prices of a security on a day: which close serves, how old it is, and why there is none. It
//! knows neither the store nor what is held.

use chrono::NaiveDate;

use super::fx::{Conversion, PLACES, Rates, as_given_or_derived};
pub use super::source::FRESH_DAYS;
use super::source::{FRESH_DAYS_OF_COINS, age_days, first_fresh, markets_as_one, source_order};
pub use crate::model::Close;
use crate::model::{AssetClass, Currency, Dec, Exact, ExactError, Ratio, Source};

/// The closes of one security.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// Each of one source by date, the best source first.
    feeds: Vec<Vec<Close>>,
}

/// A close that serves for a day, and what one unit is worth by it: `num / den` of `currency`,
/// unrounded, so that whoever has more to multiply can divide once, at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceOn {
    /// The day of the close.
    pub date: NaiveDate,
    /// Who says so.
    pub source: Source,
    /// The close as stored, which is not what to multiply by: see `num`.
    pub stored: Dec,
    /// What to multiply a quantity of that day by.
    pub num: Exact,
    /// What to divide by, never zero.
    pub den: Exact,
    /// In what.
    pub currency: Currency,
    /// How many days the close is older than the day asked for.
    pub age_days: i64,
    /// That is more than it should be.
    pub stale: bool,
    /// There was a split between the close and the day asked for, and the price is per new unit.
    pub restated: bool,
    /// The rate of the close's day, where it was stored in another currency than the one wanted.
    pub converted: Option<Conversion>,
}

/// Why there is no price.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPrice {
    /// Nobody said one.
    #[error("there is no price on or before the day")]
    Unknown,
    /// It counts units of after a split that came later, and holdings count those of the day.
    #[error("the prices of `{source_name}` are restated for the split of {split}")]
    Adjusted {
        /// Who restated it.
        source_name: Source,
        /// The first split after the close.
        split: NaiveDate,
    },
    /// It is in another currency.
    #[error("there is a price in {from}, but no rate to {to} on {date}")]
    Rate {
        /// The currency of the close.
        from: Currency,
        /// The one wanted.
        to: Currency,
        /// The day of the close.
        date: NaiveDate,
    },
}

/// How many days old a price may be before it is stale.
#[must_use]
pub const fn freshness(class: Option<AssetClass>) -> i64 {
    match class {
        Some(AssetClass::Crypto) => FRESH_DAYS_OF_COINS,
        _ => FRESH_DAYS,
    }
}

/// The price on a day: of the best source that has a fresh close on or before it, else the newest. Market
/// sources count as one.
///
/// A quote from within a day serves only for today, and only until that day has a close. A close
/// that was restated for a split it does not know of yet cannot be multiplied with what was held
/// then, so it is passed over; a raw one from before a split that has happened by the day asked
/// for is restated here. `splits` are those of the security in any order; the same one may be told
/// by several accounts.
///
/// # Errors
/// [`NoPrice`] says why nothing serves.
pub fn price_on(
    series: &Series,
    on: NaiveDate,
    fresh_days: i64,
    splits: &[(NaiveDate, Ratio)],
    today: NaiveDate,
) -> Result<PriceOn, NoPrice> {
    let latest = || series.feeds.iter().filter_map(|feed| latest(feed, on, on == today));
    let usable = latest().filter(|close| spoiled_by(close, splits, today).is_none());
    let usable = markets_as_one(usable, |close| close.source.as_str(), |close| close.date);
    if let Some(close) = first_fresh(usable, |close| close.date, on, fresh_days) {
        return Ok(PriceOn::new(close, on, fresh_days, splits));
    }
    let spoiled = latest().find_map(|close| {
        let split = spoiled_by(close, splits, today)?;
        Some(NoPrice::Adjusted { source_name: close.source.clone(), split })
    });
    Err(spoiled.unwrap_or(NoPrice::Unknown))
}

/// The last close of one source on or before the day.
fn latest(feed: &[Close], on: NaiveDate, with_intraday: bool) -> Option<&Close> {
    let known = feed.partition_point(|close| close.date <= on);
    feed.get(..known)?.iter().rev().find(|close| with_intraday || !close.intraday)
}

/// The split after which an adjusted close no longer says what was paid on its day.
fn spoiled_by(close: &Close, splits: &[(NaiveDate, Ratio)], today: NaiveDate) -> Option<NaiveDate> {
    let later = splits.iter().map(|(day, _)| *day).filter(|day| close.date < *day && *day <= today);
    if close.split_adjusted { later.min() } else { None }
}

impl Series {
    /// Sorts the closes out. Those of one source and day come in the order of time; a close of a
    /// day stands above the quotes from within it.
    #[must_use]
    pub fn new(mut closes: Vec<Close>) -> Self {
        closes.sort_by(|a, b| {
            let sources = source_order(a.source.as_str()).cmp(&source_order(b.source.as_str()));
            sources.then(a.date.cmp(&b.date)).then(b.intraday.cmp(&a.intraday))
        });
        let feeds = closes.chunk_by(|a, b| a.source == b.source).map(<[Close]>::to_vec);
        Self { feeds: feeds.collect() }
    }
}

impl FromIterator<Close> for Series {
    fn from_iter<T: IntoIterator<Item = Close>>(closes: T) -> Self {
        Self::new(closes.into_iter().collect())
    }
}

impl PriceOn {
    fn new(close: &Close, on: NaiveDate, fresh_days: i64, splits: &[(NaiveDate, Ratio)]) -> Self {
        let between = |(day, _): &&(NaiveDate, Ratio)| close.date < *day && *day <= on;
        let mut splits: Vec<_> = splits.iter().filter(between).collect();
        splits.sort_by_key(|(day, ratio)| (*day, ratio.new, ratio.old));
        splits.dedup();
        let (mut num, mut den) = (Exact::from(close.close), Exact::from(Dec::ONE));
        for (_, ratio) in &splits {
            num = num.mul(&ratio.old.into());
            den = den.mul(&ratio.new.into());
        }
        let age_days = age_days(close.date, on);
        Self {
            date: close.date,
            source: close.source.clone(),
            stored: close.close,
            currency: close.currency,
            num,
            den,
            age_days,
            stale: age_days > fresh_days,
            restated: !splits.is_empty(),
            converted: None,
        }
    }

    /// The price of one unit: as stored, or where it was restated or converted rounded half-even to
    /// 12 decimals; to be shown, not to be multiplied.
    ///
    /// # Errors
    /// When it has too many digits.
    pub fn price(&self) -> Result<Dec, ExactError> {
        as_given_or_derived(self.stored, &self.num, &self.den)
    }

    /// What a quantity (times its multiplier) is worth in the currency that `rate` leads to,
    /// rounded half-even once, to 12 decimals.
    ///
    /// # Errors
    /// When the result has too many digits.
    pub fn value(&self, quantity: &Exact, rate: &Conversion) -> Result<Dec, ExactError> {
        let value = quantity.mul(&self.num).mul(&rate.num);
        value.div_round(&self.den.mul(&rate.den), PLACES)
    }

    /// The price in another currency, by the rate of the close's own day: what the security would
    /// have closed at in it. Rates that came later change what it is worth, not what it closed at.
    ///
    /// # Errors
    /// [`NoPrice::Rate`] when there is no such rate.
    pub fn in_currency(mut self, to: Currency, rates: &Rates) -> Result<Self, NoPrice> {
        if self.currency == to {
            return Ok(self);
        }
        let (from, date) = (self.currency, self.date);
        let rate = rates.on(from, to, date).ok_or(NoPrice::Rate { from, to, date })?;
        self.num = self.num.mul(&rate.num);
        self.den = self.den.mul(&rate.den);
        self.currency = to;
        self.converted = Some(rate);
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
