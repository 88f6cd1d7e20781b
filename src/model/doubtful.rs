//! A price that is far from the one before it, as a finding keeps it until somebody accepts it or it is
//! borne out.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;

use super::{Currency, Dec, SafeText, SecurityId};

/// A price that is far from the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoubtfulPrice {
    /// Of one unit, as it is told.
    pub price: Dec,
    /// In what.
    pub currency: Currency,
    /// What it was.
    pub before: Dec,
    /// On which day.
    pub since: NaiveDate,
    /// Who tells it.
    pub source: SafeText,
}

/// The same with what it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Of what.
    pub security: SecurityId,
    /// The day that it is told for.
    pub date: NaiveDate,
    /// What is told.
    pub told: DoubtfulPrice,
}

impl DoubtfulPrice {
    /// The finding.
    pub const FINDING: &'static str = "price_jump";
    /// The same that somebody accepted.
    pub const ACCEPTED: &'static str = "price_jump_accepted";

    /// Whether a finding is of such a price.
    #[must_use]
    pub fn is_kind(kind: &str) -> bool {
        [Self::FINDING, Self::ACCEPTED].contains(&kind)
    }
}

impl fmt::Display for DoubtfulPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { price, currency, before, since, source } = self;
        write!(f, "{price} {currency} {before} {since} {source}")
    }
}

/// A text that says no such price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this says no price")]
pub struct NoDoubtfulPrice;

impl FromStr for DoubtfulPrice {
    type Err = NoDoubtfulPrice;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(5, ' ');
        let mut part = || parts.next().ok_or(NoDoubtfulPrice);
        let figure = |text: &str| Dec::parse(text).map_err(|_| NoDoubtfulPrice);
        Ok(Self {
            price: figure(part()?)?,
            currency: Currency::parse(part()?).map_err(|_| NoDoubtfulPrice)?,
            before: figure(part()?)?,
            since: part()?.parse().map_err(|_| NoDoubtfulPrice)?,
            source: SafeText::new(part()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written() {
        for text in ["25 USD 100 2026-11-19 alpaca", "-0.5 CAD 0.0001 2026-11-19 a b"] {
            assert_eq!(text.parse::<DoubtfulPrice>().unwrap().to_string(), text);
        }
        for text in ["", "25 USD", "25 USD 100 soon alpaca", "x USD 100 2026-11-19 alpaca"] {
            assert_eq!(text.parse::<DoubtfulPrice>(), Err(NoDoubtfulPrice), "{text}");
        }
    }
}
