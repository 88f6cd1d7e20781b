//! Targets: how much of the whole a slice of it should be.

use super::account::words;
use super::{AssetClass, Column, Currency, Dec, Refusal, SafeText, Tax, Why};

words! {
    /// What a whole is cut by.
    Dimension, "dimension" {
        /// What a security is; cash is a class of its own.
        Class = "class",
        /// The part of the economy.
        Sector = "sector",
        /// The part of the world.
        Region = "region",
        /// What it is quoted or kept in.
        Currency = "currency",
        /// Where it is.
        Account = "account",
        /// The bank or broker.
        Institution = "institution",
        /// How its account is taxed.
        Tax = "tax",
        /// What somebody sorts it by; one of several tags has its share of the value.
        Tag = "tag",
        /// Each by itself.
        Security = "security",
    }
}

/// The slice of money in accounts.
pub const CASH: &str = "cash";
/// The slice of what nobody sorted.
pub const UNKNOWN: &str = "unknown";

/// How far off is still right where nobody said it: 5 of 100.
#[must_use]
pub fn usual_band() -> Dec {
    Dec::parse("0.05").unwrap_or_default()
}

/// How much of the whole something should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTarget {
    /// What the whole is cut by.
    pub dimension: Dimension,
    /// Which slice.
    pub key: SafeText,
    /// A part of 1.
    pub weight: Dec,
    /// How far off is still right, a part of 1; none: as usual.
    pub band: Option<Dec>,
}

impl NewTarget {
    /// The target with its key as the slice is called.
    ///
    /// # Errors
    /// [`Refusal`] when a part is no part of 1, or the dimension cannot have such a slice.
    pub fn check(mut self) -> Result<Self, Refusal> {
        let is_part = |part: Dec| !part.is_negative() && part <= Dec::ONE;
        let refuse = |column, why| Err(Refusal { column: Column(column), why: Why::Other(why) });
        if !is_part(self.weight) {
            return refuse("weight", "a weight is a part of 1 between 0 and 1, like 0.6 or 60%");
        }
        if !self.band.is_none_or(is_part) {
            return refuse("band", "a band is a part of 1 between 0 and 1, like 0.05 or 5%");
        }
        match slice(self.dimension, &self.key) {
            Some(key) => self.key = key,
            None => {
                return refuse(
                    "key",
                    "the dimension has no such slice; `report allocation --by` shows those there are",
                );
            }
        }
        Ok(self)
    }
}

/// The slice that a key means.
#[must_use]
pub fn slice(dimension: Dimension, key: &SafeText) -> Option<SafeText> {
    let text = key.as_str().trim();
    let ours = |word: &str| Some(SafeText::new(word));
    match dimension {
        Dimension::Class if text.eq_ignore_ascii_case(CASH) => ours(CASH),
        Dimension::Class => text.parse::<AssetClass>().ok().and_then(|it| ours(it.as_str())),
        Dimension::Currency => Currency::parse(text).ok().and_then(|it| ours(it.code())),
        Dimension::Tax => text.parse::<Tax>().ok().and_then(|it| ours(it.as_str())),
        _ => Some(SafeText::new(text)).filter(|key| !key.is_empty()),
    }
}

/// Whether a slice is the one of money in accounts: cut by account or currency there is none.
#[must_use]
pub fn is_cash(dimension: Dimension, key: &SafeText) -> bool {
    use Dimension::{Class, Region, Sector, Security, Tag};
    matches!(dimension, Class | Sector | Region | Security | Tag) && key.as_str() == CASH
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(dimension: Dimension, key: &str, weight: &str) -> Result<NewTarget, Refusal> {
        let (key, weight) = (SafeText::new(key), Dec::parse(weight).unwrap());
        NewTarget { dimension, key, weight, band: Dec::parse("0.05").ok() }.check()
    }

    #[test]
    fn a_key_is_what_its_slice_is_called() {
        let key = |dimension, key| target(dimension, key, "0.5").map(|it| it.key.to_string()).ok();
        assert_eq!(key(Dimension::Class, "ETF").as_deref(), Some("etf"));
        assert_eq!(key(Dimension::Class, "Cash").as_deref(), Some("cash"));
        assert_eq!(key(Dimension::Class, "unknown"), None);
        assert_eq!(key(Dimension::Currency, "US$"), None);
        assert_eq!(key(Dimension::Tax, "free").as_deref(), Some("free"));
        assert_eq!(key(Dimension::Sector, " Energy ").as_deref(), Some("Energy"));
        assert_eq!(key(Dimension::Sector, " "), None);
    }

    #[test]
    fn the_usual_band_is_a_part_of_one() {
        assert_eq!(usual_band().to_string(), "0.05");
    }

    #[test]
    fn a_weight_is_a_part_of_one() {
        for right in ["0", "0.6", "1"] {
            assert!(target(Dimension::Class, "etf", right).is_ok(), "{right}");
        }
        for wrong in ["-0.1", "1.01", "60"] {
            assert!(target(Dimension::Class, "etf", wrong).is_err(), "{wrong}");
        }
    }
}
