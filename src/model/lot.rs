//! Lots: what was bought when and for how much, and what became of it. It knows no rule by which
//! lots are chosen or moved.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::account::words;
use super::{AccountId, Dec, LotMethod, SecurityId, TransactionId};

/// One open lot. A short one has a negative quantity, and a negative cost: what was received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    /// The row that opened it, kept through transfers.
    pub opening: TransactionId,
    /// Tells apart the lots of one row: no two of a book share both.
    pub piece: u32,
    /// The acquisition date; it moves along with transfers.
    #[serde(with = "days")]
    pub opened: NaiveDate,
    /// How many.
    pub quantity: Dec,
    /// In the security's currency; none: unknown.
    pub cost: Option<Dec>,
    /// In the base currency, at the rate of its day; none: unknown cost, or no rate on that day.
    pub cost_base: Option<Dec>,
    /// The same in the tax currency.
    pub cost_tax: Option<Dec>,
    /// Fees and taxes of its trade that the costs leave out, in the security's currency: only the
    /// method hifo looks at them.
    pub charges: Dec,
}

words! {
    /// How long a lot was held, in the eyes of the taxman.
    Term, "term" {
        /// Up to the same calendar day one year later, and whatever was sold short.
        Short = "short",
        /// Longer.
        Long = "long",
    }
}

/// One lot, or a part of one, that a row closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Realization {
    /// Where.
    pub account: AccountId,
    /// Of what.
    pub security: SecurityId,
    /// The row that opened the lot, if there was a lot.
    pub opening: Option<TransactionId>,
    /// The row that closed it.
    pub closing: TransactionId,
    /// When it was acquired; of a short, when it was sold.
    #[serde(with = "days")]
    pub opened: NaiveDate,
    /// When it was closed.
    #[serde(with = "days")]
    pub closed: NaiveDate,
    /// Positive: of a long; negative: of a short; zero: cash came, but the quantity stayed.
    pub quantity: Dec,
    /// What the sale brought, in the security's currency.
    pub proceeds: Option<Dec>,
    /// What the purchase took.
    pub cost: Option<Dec>,
    /// In the base currency, at the rate of its day.
    pub proceeds_base: Option<Dec>,
    /// In the base currency, at the rate of its day.
    pub cost_base: Option<Dec>,
    /// The part of the gain in base that the currency made.
    pub gain_fx: Option<Dec>,
    /// In the tax currency, at the rate of its day.
    pub proceeds_tax: Option<Dec>,
    /// In the tax currency, at the rate of its day.
    pub cost_tax: Option<Dec>,
    /// How long it was held.
    pub term: Term,
    /// The method that chose the lot.
    pub method: LotMethod,
}

impl Realization {
    /// In the security's currency.
    #[must_use]
    pub fn gain(&self) -> Option<Dec> {
        self.proceeds?.checked_sub(self.cost?)
    }

    /// In the base currency.
    #[must_use]
    pub fn gain_base(&self) -> Option<Dec> {
        self.proceeds_base?.checked_sub(self.cost_base?)
    }

    /// In the tax currency.
    #[must_use]
    pub fn gain_tax(&self) -> Option<Dec> {
        self.proceeds_tax?.checked_sub(self.cost_tax?)
    }
}

/// A sum that may lack something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Of what is known.
    pub sum: Dec,
    /// How many figures are unknown, or did not fit.
    pub missing: u32,
}

impl Running {
    /// Adds a figure; none: one that is not known.
    pub fn add(&mut self, figure: Option<Dec>) {
        match figure.and_then(|figure| self.sum.checked_add(figure)) {
            Some(sum) => self.sum = sum,
            None => self.missing = self.missing.saturating_add(1),
        }
    }

    /// The sum, if everything in it is known.
    #[must_use]
    pub fn total(&self) -> Option<Dec> {
        (self.missing == 0).then_some(self.sum)
    }
}

/// A date as a number of days where bytes count, as text where people read.
pub mod days {
    use chrono::{Datelike, NaiveDate};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    /// Writes a date.
    ///
    /// # Errors
    /// Those of the format.
    pub fn serialize<S: Serializer>(date: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            date.serialize(serializer)
        } else {
            date.num_days_from_ce().serialize(serializer)
        }
    }

    /// Reads a date.
    ///
    /// # Errors
    /// Those of the format, and a number of days that is no date.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
        if deserializer.is_human_readable() {
            return NaiveDate::deserialize(deserializer);
        }
        NaiveDate::from_num_days_from_ce_opt(i32::deserialize(deserializer)?)
            .ok_or_else(|| de::Error::custom("a number of days that is no date"))
    }

    /// The same of a date that may be absent.
    pub mod optional {
        use chrono::NaiveDate;
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        #[derive(Serialize, Deserialize)]
        struct Day(#[serde(with = "super")] NaiveDate);

        /// Writes a date or its absence.
        ///
        /// # Errors
        /// Those of the format.
        pub fn serialize<S: Serializer>(
            date: &Option<NaiveDate>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            date.map(Day).serialize(serializer)
        }

        /// Reads a date or its absence.
        ///
        /// # Errors
        /// Those of the format, and a number of days that is no date.
        pub fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<NaiveDate>, D::Error> {
            Ok(Option::<Day>::deserialize(deserializer)?.map(|day| day.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Dec {
        Dec::parse(text).unwrap()
    }

    #[test]
    fn a_sum_that_lacks_something_is_not_known() {
        let mut sum = Running::default();
        assert_eq!(sum.total(), Some(Dec::ZERO));
        sum.add(Some(dec("1.5")));
        sum.add(Some(dec("-4")));
        assert_eq!(sum.total(), Some(dec("-2.5")));
        sum.add(None);
        sum.add(Some(dec("1")));
        assert_eq!((sum.total(), sum.sum, sum.missing), (None, dec("-1.5"), 1));
    }

    #[test]
    fn a_sum_that_does_not_fit_is_not_known() {
        let mut sum = Running::default();
        sum.add(Some(dec("9999999999999999999999999999")));
        sum.add(Some(dec("0.1")));
        assert_eq!(sum.total(), None);
    }

    #[test]
    fn compact_forms_are_short_and_refuse_what_they_cannot_be() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Stamped {
            #[serde(with = "days")]
            on: NaiveDate,
            #[serde(with = "days::optional")]
            perhaps: Option<NaiveDate>,
            quantity: Dec,
        }
        let on = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
        let stamped = Stamped { on, perhaps: None, quantity: dec("-12.5") };
        let bytes = postcard::to_stdvec(&stamped).unwrap();
        // 738,945 days since the year 1 take three bytes, absence one, -125 two and the scale one.
        assert_eq!(bytes.len(), 7);
        assert_eq!(postcard::from_bytes::<Stamped>(&bytes).unwrap(), stamped);
        let text = serde_json::to_string(&stamped).unwrap();
        assert_eq!(text, r#"{"on":"2024-02-29","perhaps":null,"quantity":"-12.5"}"#);
        assert_eq!(serde_json::from_str::<Stamped>(&text).unwrap(), stamped);
        let beyond = postcard::to_stdvec(&(i32::MAX, None::<i32>, 0_i128, 0_u8)).unwrap();
        assert!(postcard::from_bytes::<Stamped>(&beyond).is_err());
        for (mantissa, scale) in [(10_i128.pow(28), 0_u8), (1, 29), (i128::MIN, 3)] {
            let large = postcard::to_stdvec(&(1, None::<i32>, mantissa, scale)).unwrap();
            assert!(postcard::from_bytes::<Stamped>(&large).is_err(), "{mantissa} {scale}");
        }
    }
}
