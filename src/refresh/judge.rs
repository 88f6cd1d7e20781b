//! Whether what a provider says can be: what cannot is left out, and why is kept. Pure.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use crate::model::{Currency, Dec, Exact, SafeText};
use crate::provider::{DayBar, DayClose, Spot};

/// A clock elsewhere may be ahead of ours by so much.
const AHEAD: TimeDelta = TimeDelta::minutes(5);
/// A price that moves by more than so many percent within a few days is most likely wrong.
const MOST_PERCENT: i64 = 40;
/// What is older than so many days says nothing about what a price may be today.
const TELLING_DAYS: i64 = 5;

/// Something that was not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// What.
    pub what: SafeText,
    /// Why.
    pub why: SafeText,
    /// It was there, and something was wrong with it.
    pub wrong: bool,
}

/// Why what a provider says is not stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It has not happened yet.
    #[error("it is of {0}, which has not come yet")]
    Future(NaiveDate),
    /// It is in another currency.
    #[error("it is in {said} and not in {wanted}")]
    OtherCurrency {
        /// As the provider says.
        said: Currency,
        /// As the security is quoted.
        wanted: Currency,
    },
    /// It can be no rate.
    #[error("the rate of {0} is not above zero")]
    NoRate(NaiveDate),
    /// Bars whose parts cannot all be.
    #[error(
        "{count} of its bars contradict themselves, the first of {first}; only their closes are kept"
    )]
    Contradicts {
        /// How many.
        count: usize,
        /// The day of the first.
        first: NaiveDate,
    },
    /// It is far from what it was.
    #[error("{price} is more than {MOST_PERCENT} % from {before} of {since}")]
    Jump {
        /// What is told.
        price: Dec,
        /// What it was.
        before: Dec,
        /// On which day.
        since: NaiveDate,
    },
}

impl Wrong {
    /// Why the price of a security is not stored, and what helps. Of a rate nothing can be accepted.
    #[must_use]
    pub fn of_security(&self) -> String {
        match self {
            Self::Jump { .. } => {
                format!("{self}; if that is right, `dashtam price accept` takes it")
            }
            _ => self.to_string(),
        }
    }
}

/// Judges a price from within the day by the last one known.
///
/// # Errors
/// [`Wrong`] says why it is not to be stored.
pub fn judge(
    spot: &Spot,
    wanted: Currency,
    last: Option<&DayClose>,
    now: DateTime<Utc>,
    today: NaiveDate,
) -> Result<(), Wrong> {
    // Elsewhere it may be tomorrow already.
    let tomorrow = today.checked_add_days(Days::new(1)).unwrap_or(today);
    if spot.at > now + AHEAD || spot.date > tomorrow {
        return Err(Wrong::Future(spot.date));
    }
    judge_close(&spot.as_close(), wanted, last)
}

/// Judges the close of a day that is over by the last one known.
///
/// # Errors
/// [`Wrong`] says why it is not to be stored.
pub fn judge_close(
    said: &DayClose,
    wanted: Currency,
    last: Option<&DayClose>,
) -> Result<(), Wrong> {
    if said.currency != wanted {
        return Err(Wrong::OtherCurrency { said: said.currency, wanted });
    }
    let telling = |last: &&DayClose| last.close.is_positive() && is_of_same_days(said, last);
    match last.filter(telling) {
        Some(&DayClose { close: before, date: since, .. }) if is_far(before, said.close) => {
            Err(Wrong::Jump { price: said.close, before, since })
        }
        _ => Ok(()),
    }
}

/// Whether a price that somebody accepted bears another one out: it is of the same days, and near.
#[must_use]
pub fn is_accepted(said: &DayClose, accepted: Option<&DayClose>) -> bool {
    accepted.is_some_and(|accepted| {
        let is_same = is_of_same_days(said, accepted);
        is_same && accepted.close.is_positive() && !is_far(accepted.close, said.close)
    })
}

/// Whether one price says something about another: both are of the same days and currency.
#[must_use]
pub fn is_of_same_days(one: &DayClose, other: &DayClose) -> bool {
    let days = one.date.signed_duration_since(other.date).num_days().abs();
    one.currency == other.currency && days <= TELLING_DAYS
}

/// A bar without the parts that contradict each other, and whether there were any. Its close stays: it is
/// what holdings are valued with, and judged by the closes around it.
#[must_use]
pub fn without_contradictions(bar: DayBar) -> (DayBar, bool) {
    let close = bar.close.close;
    let is_within = |price: Dec| {
        bar.low.is_none_or(|low| low <= price) && bar.high.is_none_or(|high| price <= high)
    };
    let prices = [bar.open, bar.high, bar.low, Some(close)];
    let (open, high, low) = match prices.into_iter().flatten().all(is_within) {
        true => (bar.open, bar.high, bar.low),
        false => (None, None, None),
    };
    let volume = bar.volume.filter(|volume| !volume.is_negative());
    let right = DayBar { open, high, low, volume, ..bar };
    (right, right != bar)
}

/// Whether one is further from the other than it may be.
fn is_far(last: Dec, said: Dec) -> bool {
    let apart = Exact::from(said).sub(&Exact::from(last)).abs();
    let hundred = Exact::from(Dec::from_i64(100));
    apart.mul(&hundred) > Exact::from(last).mul(&Exact::from(Dec::from_i64(MOST_PERCENT)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn close(date: &str, price: &str) -> DayClose {
        let close = Dec::parse(price).unwrap();
        DayClose { date: day(date), close, currency: Currency::USD }
    }

    fn spot(at: &str, price: &str) -> Spot {
        let at: DateTime<Utc> = at.parse().unwrap();
        let price = Dec::parse(price).unwrap();
        Spot { at, date: at.date_naive(), price, currency: Currency::USD }
    }

    fn judged(spot: &Spot, last: Option<&DayClose>) -> Result<(), Wrong> {
        let now: DateTime<Utc> = "2026-11-20T22:00:00Z".parse().unwrap();
        judge(spot, Currency::USD, last, now, now.date_naive())
    }

    #[test]
    fn the_future_is_not_known() {
        assert_eq!(judged(&spot("2026-11-20T22:05:00Z", "1"), None), Ok(()));
        let later = spot("2026-11-20T22:05:01Z", "1");
        assert_eq!(judged(&later, None), Err(Wrong::Future(day("2026-11-20"))));
        let tomorrow = Spot { date: day("2026-11-21"), ..spot("2026-11-20T22:00:00Z", "1") };
        assert_eq!(judged(&tomorrow, None), Ok(()), "in Tokyo it is");
        let after = Spot { date: day("2026-11-22"), ..tomorrow };
        assert_eq!(judged(&after, None), Err(Wrong::Future(day("2026-11-22"))));
    }

    #[test]
    fn another_currency_is_another_price() {
        let other = Spot { currency: Currency::CAD, ..spot("2026-11-20T21:00:00Z", "1") };
        let (said, wanted) = (Currency::CAD, Currency::USD);
        assert_eq!(judged(&other, None), Err(Wrong::OtherCurrency { said, wanted }));
    }

    #[test]
    fn a_bar_that_contradicts_itself_keeps_its_close() {
        let bar = |parts: [&str; 4]| {
            let [open, high, low, volume] = parts.map(|part| Dec::parse(part).ok());
            DayBar { open, high, low, volume, ..DayBar::from(close("2026-11-19", "100")) }
        };
        let right = [["99", "101", "98", "5"], ["100", "100", "100", "0"], ["99", "", "98", ""]];
        for parts in right {
            assert_eq!(without_contradictions(bar(parts)), (bar(parts), false), "{parts:?}");
        }
        for (parts, left) in [
            (["99", "98", "101", "5"], ["", "", "", "5"]),
            (["99", "99.9", "98", "5"], ["", "", "", "5"]),
            (["99", "101", "100.1", ""], ["", "", "", ""]),
            (["97", "101", "98", "5"], ["", "", "", "5"]),
            (["102", "101", "98", "5"], ["", "", "", "5"]),
            (["99", "101", "98", "-1"], ["99", "101", "98", ""]),
        ] {
            assert_eq!(without_contradictions(bar(parts)), (bar(left), true), "{parts:?}");
        }
    }

    #[test]
    fn a_price_does_not_jump() {
        let at = "2026-11-20T21:00:00Z";
        let last = close("2026-11-19", "100");
        for (price, right) in
            [("140", true), ("140.01", false), ("60", true), ("59.99", false), ("-1", false)]
        {
            let (before, since) = (last.close, last.date);
            let jump = Err(Wrong::Jump { price: Dec::parse(price).unwrap(), before, since });
            let expected = if right { Ok(()) } else { jump };
            assert_eq!(judged(&spot(at, price), Some(&last)), expected, "{price}");
        }
        let near = |accepted: Option<DayClose>| {
            is_accepted(&close("2026-11-20", "500"), accepted.as_ref())
        };
        assert!(near(Some(close("2026-11-19", "490"))));
        assert!(!near(Some(close("2026-11-19", "100"))) && !near(None));
        assert!(!near(Some(close("2026-11-14", "490"))), "it is long ago");
        // What is long ago or was never a price tells nothing.
        assert_eq!(judged(&spot(at, "500"), Some(&close("2026-11-14", "100"))), Ok(()));
        assert_eq!(judged(&spot(at, "500"), Some(&close("2026-11-19", "0"))), Ok(()));
    }
}
