//! Bars of a chart: one series out of what several sources say, in the units of one day, folded
//! into weeks and months. It knows neither the store nor how a chart is drawn.

use chrono::{Datelike, Days, NaiveDate};

use super::fx::{Conversion, as_given_or_derived};
use super::source::{first_fresh, markets_as_one, source_order};
use crate::model::{Bar, Dec, Exact, Interval, Ratio, Source, SourceBar};

/// One bar a day at most, that of the source which prices the day: the best one whose last bar is
/// no more than `fresh_days` old, market sources counting as one. Where that bar is of an earlier day,
/// the day has none, however many others tell of it: what is drawn last is what a holding is valued
/// with.
///
/// `bars` come by date.
#[must_use]
pub fn one_series(bars: Vec<SourceBar>, fresh_days: i64) -> Vec<SourceBar> {
    // The last day that each source told of, the best source first.
    let mut last: Vec<(Source, NaiveDate)> = Vec::new();
    let mut series = Vec::new();
    let mut bars = bars.into_iter().peekable();
    while let Some(date) = bars.peek().map(|next| next.bar.date) {
        let mut of_day = Vec::new();
        while let Some(next) = bars.next_if(|next| next.bar.date == date) {
            remember(&mut last, &next.source, date);
            of_day.push(next);
        }
        let newest = markets_as_one(&last, |(source, _)| source.as_str(), |(_, told)| *told);
        let best = first_fresh(newest, |(_, told)| *told, date, fresh_days);
        series.extend(best.and_then(|(source, _)| {
            let place = of_day.iter().position(|told| told.source == *source)?;
            Some(of_day.swap_remove(place))
        }));
    }
    series
}

fn remember(last: &mut Vec<(Source, NaiveDate)>, source: &Source, date: NaiveDate) {
    match last.iter_mut().find(|(known, _)| known == source) {
        Some((_, told)) => *told = date,
        None => {
            last.push((source.clone(), date));
            last.sort_by(|a, b| source_order(a.0.as_str()).cmp(&source_order(b.0.as_str())));
        }
    }
}

/// What turns a price per unit of one day into a price per unit of another: times `num`, divided
/// by `den`. A quantity goes the other way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restating {
    /// What to multiply by.
    pub num: Exact,
    /// What to divide by, never zero.
    pub den: Exact,
}

impl Restating {
    /// By the splits after the earlier of the two days, up to the later one.
    #[must_use]
    pub fn between(splits: &[(NaiveDate, Ratio)], from: NaiveDate, to: NaiveDate) -> Self {
        let (first, last) = (from.min(to), from.max(to));
        let one = Exact::from(Dec::ONE);
        let (mut old, mut new) = (one.clone(), one);
        for (_, ratio) in splits.iter().filter(|(day, _)| first < *day && *day <= last) {
            old = old.mul(&ratio.old.into());
            new = new.mul(&ratio.new.into());
        }
        if from <= to { Self { num: old, den: new } } else { Self { num: new, den: old } }
    }

    /// Both days count the same units.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.num == self.den
    }

    /// A price in the other units and, by a rate, in another currency; where neither changes it as
    /// it was given, else rounded half-even once, to 12 decimals. None: more digits than there are.
    #[must_use]
    pub fn price(&self, price: Dec, rate: &Conversion) -> Option<Dec> {
        let over = Exact::from(price).mul(&self.num).mul(&rate.num);
        as_given_or_derived(price, &over, &self.den.mul(&rate.den)).ok()
    }

    /// A quantity in the other units, rounded likewise.
    #[must_use]
    pub fn quantity(&self, quantity: Dec) -> Option<Dec> {
        let over = Exact::from(quantity).mul(&self.den);
        as_given_or_derived(quantity, &over, &self.num).ok()
    }

    /// A bar in the other units and currency; none: its close has more digits than there are.
    #[must_use]
    pub fn bar(&self, bar: &Bar, rate: &Conversion) -> Option<Bar> {
        let price = |price: Dec| self.price(price, rate);
        Some(Bar {
            date: bar.date,
            open: bar.open.and_then(price),
            high: bar.high.and_then(price),
            low: bar.low.and_then(price),
            close: price(bar.close)?,
            volume: bar.volume.and_then(|volume| self.quantity(volume)),
        })
    }
}

/// Bars of days as bars of weeks or months, each named by its first day: the open of the first,
/// the close of the last, the extremes and the volume of all. Where one day lacks an extreme or a
/// volume, so does the whole, for it may have been that day's.
///
/// `bars` come by date.
#[must_use]
pub fn fold(bars: impl IntoIterator<Item = Bar>, every: Interval) -> Vec<Bar> {
    let mut folded: Vec<Bar> = Vec::new();
    for bar in bars {
        let date = first_day(bar.date, every);
        match folded.last_mut().filter(|last| last.date == date) {
            Some(last) => add(last, &bar),
            None => folded.push(Bar { date, ..bar }),
        }
    }
    folded
}

fn add(to: &mut Bar, next: &Bar) {
    to.high = to.high.zip(next.high).map(|(a, b)| a.max(b));
    to.low = to.low.zip(next.low).map(|(a, b)| a.min(b));
    to.close = next.close;
    to.volume = to.volume.zip(next.volume).and_then(|(a, b)| a.checked_add(b));
}

/// The first day of the week (a Monday) or month that a day is in; of whatever is no longer than a
/// day, the day.
#[must_use]
pub fn first_day(day: NaiveDate, every: Interval) -> NaiveDate {
    let gone = match every {
        Interval::Week => day.weekday().num_days_from_monday(),
        Interval::Month => day.day0(),
        _ => 0,
    };
    day.checked_sub_days(Days::new(u64::from(gone))).unwrap_or(day)
}

#[cfg(test)]
mod tests;
