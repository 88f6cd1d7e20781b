//! What somebody keeps an eye on: securities in groups, the price that is waited for, and alerts.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::account::words;
use super::{Column, Currency, Dec, DecError, Edit, Exact, Refusal, SafeText, Why};

words! {
    /// What an alert is of.
    AlertOf, "what an alert is of" {
        /// The price of one.
        Price = "price",
        /// What the last price is against the one before it, a part of that one.
        Change = "change",
        /// How many days old the price is.
        Stale = "stale",
        /// What all that is held of it comes to in the base currency.
        Value = "value",
        /// The same as a part of everything that is held.
        Weight = "weight",
    }
}

words! {
    /// On which side of its bound an alert is raised.
    Side, "side" {
        /// More than it.
        Above = "above",
        /// Less than it.
        Below = "below",
    }
}

impl Side {
    /// Whether something is past a bound.
    #[must_use]
    pub fn is_past(self, seen: Dec, bound: Dec) -> bool {
        match self {
            Self::Above => seen > bound,
            Self::Below => seen < bound,
        }
    }
}

/// Why the text of a bound cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoundError {
    /// It is not written like a figure.
    #[error(transparent)]
    Text(#[from] DecError),
    /// Its hundredth part has too many digits.
    #[error("it has too many digits")]
    Digits,
    /// A percentage, or a multiple of all there is.
    #[error("write {0}% or, as a part of 1, {1}")]
    Part(Dec, Dec),
}

impl AlertOf {
    /// It is a part of something: people write it as a percentage.
    #[must_use]
    pub const fn is_part(self) -> bool {
        matches!(self, Self::Change | Self::Weight)
    }

    /// The bound that a text means; a part is written like `0.05` or `5%`.
    ///
    /// # Errors
    /// When it is none.
    pub fn read_bound(self, text: &str) -> Result<Dec, BoundError> {
        let text = text.trim();
        match text.strip_suffix('%').filter(|_| self.is_part()) {
            None => {
                let bound = Dec::parse(text)?;
                self.check_part(text, bound)?;
                Ok(bound)
            }
            Some(percent) => {
                let percent = Exact::from(Dec::parse(percent.trim_end())?);
                let hundred = Exact::from(Dec::from_i64(100));
                percent.div_round(&hundred, 12).map_err(|_| BoundError::Digits)
            }
        }
    }

    /// Whether it is clear what was written as a part: without its sign a `5` is more likely five
    /// percent than five times all there is.
    ///
    /// # Errors
    /// When it is not.
    pub fn check_part(self, text: &str, bound: Dec) -> Result<(), BoundError> {
        let is_clear = !self.is_part() || text.ends_with('%') || bound.abs() < Dec::ONE;
        let hundredth = || Exact::from(bound).div_round(&Exact::from(Dec::from_i64(100)), 12);
        if is_clear {
            return Ok(());
        }
        Err(BoundError::Part(bound, hundredth().map_err(|_| BoundError::Digits)?))
    }

    /// A bound as people write it.
    #[must_use]
    pub fn written(self, bound: Dec) -> String {
        let percent = Exact::from(bound).mul(&Exact::from(Dec::from_i64(100))).round(12);
        match percent {
            Ok(percent) if self.is_part() => format!("{percent}%"),
            _ => bound.to_string(),
        }
    }
}

/// What is said of a security that is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchTerms {
    /// The group that it is in; none: in none.
    pub list: Option<SafeText>,
    /// Why.
    pub note: Option<SafeText>,
    /// The price that is waited for.
    pub target: Option<Dec>,
    /// The day whose units that price counts: a split since makes it another one. None: those of
    /// today.
    pub units_of: Option<NaiveDate>,
    /// The currency that price is in; none: that of the security, whichever it is.
    pub said_in: Option<Currency>,
}

impl WatchTerms {
    /// What is said over what was; of what nothing is said that stays.
    #[must_use]
    pub fn over(self, was: Self) -> Self {
        let is_same = (self.target, self.units_of) == (was.target, was.units_of);
        let of_target = |it: &Self| (it.target, it.units_of, it.said_in);
        let (target, units_of, said_in) = match self.target.is_some() {
            // What was written before currencies were kept takes none away.
            true if is_same => (self.target, self.units_of, self.said_in.or(was.said_in)),
            true => of_target(&self),
            false => of_target(&was),
        };
        let (list, note) = (self.list.or(was.list), self.note.or(was.note));
        Self { list, note, target, units_of, said_in }
    }
}

/// An edit of what is said of a security that is watched, or to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchEdit {
    /// The group.
    pub list: Edit<SafeText>,
    /// Why.
    pub note: Edit<SafeText>,
    /// The price that is waited for.
    pub target: Edit<Dec>,
}

/// When somebody wants to be told of a security.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertTerms {
    /// What it is of.
    pub of: AlertOf,
    /// On which side of the bound.
    pub side: Side,
    /// A price or a value, a part of 1, or a number of days.
    pub bound: Dec,
    /// Why.
    pub note: Option<SafeText>,
    /// The day whose units a price as bound counts; none: those of today.
    pub units_of: Option<NaiveDate>,
    /// The currency of a bound that is money; none: that of what is seen, whichever it is.
    pub said_in: Option<Currency>,
    /// Silent before this day.
    pub snoozed: Option<NaiveDate>,
}

/// Other terms of an alert; what is not said stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertEdit {
    /// What it is of.
    pub of: Option<AlertOf>,
    /// On which side of the bound.
    pub side: Option<Side>,
    /// The bound; a price in units of the day on which it is said.
    pub bound: Option<Dec>,
    /// Why.
    pub note: Edit<SafeText>,
    /// Silent before this day.
    pub snoozed: Edit<NaiveDate>,
}

impl AlertEdit {
    /// The terms after it. A bound that is not said anew keeps its units and its currency.
    #[must_use]
    pub fn apply(self, was: AlertTerms) -> AlertTerms {
        AlertTerms {
            of: self.of.unwrap_or(was.of),
            side: self.side.unwrap_or(was.side),
            bound: self.bound.unwrap_or(was.bound),
            note: self.note.apply(was.note),
            snoozed: self.snoozed.apply(was.snoozed),
            ..was
        }
    }
}

impl AlertTerms {
    /// Whether both raise the same alert on a day. Why it is there says nothing of that, and neither
    /// does a silence that is over.
    #[must_use]
    pub fn is_same(&self, other: &Self, day: NaiveDate) -> bool {
        let of = |it: &Self| {
            let snoozed = it.snoozed.filter(|until| day < *until);
            (it.of, it.side, it.bound, it.units_of, it.said_in, snoozed)
        };
        of(self) == of(other)
    }

    /// Whether both wait for the same, as far as one can tell: what was written before currencies
    /// were kept may be in any.
    #[must_use]
    pub fn waits_for_the_same(&self, other: &Self) -> bool {
        let of = |it: &Self| (it.of, it.side, it.bound);
        let is_known = self.said_in.is_some() && other.said_in.is_some();
        of(self) == of(other) && (!is_known || self.said_in == other.said_in)
    }

    /// Whether there can be such an alert.
    ///
    /// # Errors
    /// [`Refusal`] with the field and what would be right.
    pub fn check(&self) -> Result<(), Refusal> {
        let refuse = |column, why| Err(Refusal { column: Column(column), why: Why::Other(why) });
        let bound = self.bound;
        match self.of {
            AlertOf::Stale if self.side == Side::Below => {
                refuse("side", "a price is stale above a number of days")
            }
            AlertOf::Stale if bound.is_negative() || bound.round_to(0) != bound => {
                refuse("bound", "write whole days, like 5")
            }
            AlertOf::Weight if bound.is_negative() || bound > Dec::ONE => {
                refuse("bound", "a weight is a part of 1 between 0 and 1, like 0.25 or 25%")
            }
            AlertOf::Change if bound < Dec::from_i64(-1) => {
                refuse("bound", "a price cannot fall by more than all of it, like -0.05 or -5%")
            }
            _ => Ok(()),
        }
    }

    /// Whether it is silent on a day.
    #[must_use]
    pub fn is_silent(&self, day: NaiveDate) -> bool {
        self.snoozed.is_some_and(|until| day < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(of: AlertOf, side: Side, bound: &str) -> Result<(), Refusal> {
        let bound = of.read_bound(bound).unwrap();
        let (note, units_of, said_in, snoozed) = (None, None, None, None);
        AlertTerms { of, side, bound, note, units_of, said_in, snoozed }.check()
    }

    #[test]
    fn what_is_written_without_a_currency_is_in_any_and_takes_none_away() {
        let in_currency = |said_in| {
            let (of, side, bound) = (AlertOf::Price, Side::Above, Dec::from_i64(100));
            AlertTerms { of, side, bound, note: None, units_of: None, said_in, snoozed: None }
        };
        let (cad, usd) = (Some(Currency::CAD), Some(Currency::USD));
        for (a, b, is_same) in [(cad, usd, false), (cad, cad, true), (cad, None, true)] {
            assert_eq!(in_currency(a).waits_for_the_same(&in_currency(b)), is_same, "{a:?} {b:?}");
        }
        let target = |target, said_in| {
            let target = Some(Dec::from_i64(target));
            WatchTerms { target, said_in, ..WatchTerms::default() }
        };
        assert_eq!(target(100, None).over(target(100, cad)), target(100, cad));
        assert_eq!(target(90, None).over(target(100, cad)), target(90, None));
    }

    #[test]
    fn a_bound_is_written_as_what_it_bounds() {
        let read = |of: AlertOf, text| of.read_bound(text).map(|it| it.to_string()).ok();
        assert_eq!(read(AlertOf::Price, "120.50").as_deref(), Some("120.5"));
        assert_eq!(read(AlertOf::Change, "-5 %").as_deref(), Some("-0.05"));
        assert_eq!(read(AlertOf::Weight, "0.25").as_deref(), Some("0.25"));
        assert_eq!(read(AlertOf::Price, "5%"), None, "of what?");
        // Five percent, or five times as much?
        assert_eq!(read(AlertOf::Change, "5"), None);
        assert_eq!(read(AlertOf::Weight, "1"), None);
        assert_eq!(read(AlertOf::Change, "500%").as_deref(), Some("5"));
        let why = AlertOf::Change.read_bound("-5").unwrap_err().to_string();
        assert_eq!(why, "write -5% or, as a part of 1, -0.05");
        for (of, bound) in
            [(AlertOf::Change, "-5%"), (AlertOf::Weight, "25%"), (AlertOf::Price, "7")]
        {
            assert_eq!(of.written(of.read_bound(bound).unwrap()), bound);
        }
    }

    #[test]
    fn what_can_never_be_is_refused() {
        use AlertOf::{Change, Price, Stale, Value, Weight};
        for (of, side, right) in [
            (Price, Side::Above, "9.5"),
            (Price, Side::Below, "-3"),
            (Change, Side::Below, "-100%"),
            (Stale, Side::Above, "0"),
            (Value, Side::Below, "1000"),
            (Weight, Side::Above, "100%"),
        ] {
            assert_eq!(alert(of, side, right), Ok(()), "{of} {right}");
        }
        for (of, side, wrong) in [
            (Stale, Side::Below, "5"),
            (Stale, Side::Above, "1.5"),
            (Stale, Side::Above, "-1"),
            (Weight, Side::Above, "101%"),
            (Weight, Side::Below, "-1%"),
            (Change, Side::Below, "-101%"),
        ] {
            assert!(alert(of, side, wrong).is_err(), "{of} {wrong}");
        }
    }

    #[test]
    fn a_bound_that_is_met_is_not_passed() {
        let dec = Dec::from_i64;
        assert!(Side::Above.is_past(dec(2), dec(1)) && !Side::Above.is_past(dec(1), dec(1)));
        assert!(Side::Below.is_past(dec(0), dec(1)) && !Side::Below.is_past(dec(1), dec(1)));
    }
}
