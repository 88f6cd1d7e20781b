//! The settings that change figures. They live in the store, so that every machine that reads it
//! computes the same.

use std::collections::BTreeMap;

use super::{Currency, Dec, LotMethod, UnknownWord};

/// A setting that changes figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    /// The currency of totals.
    BaseCurrency,
    /// The currency of taxes; default: the base currency.
    TaxCurrency,
    /// Which lots a sale takes unless its account says otherwise.
    DefaultMethod,
    /// Whether fees of trades belong to the cost.
    FeeTreatment,
    /// The zone in which a day begins.
    TimeZone,
    /// A year, as a part of 1, for the Sharpe ratio.
    RiskFreeRate,
}

/// Why a setting cannot have a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// No such setting.
    #[error(transparent)]
    Name(#[from] UnknownWord),
    /// Not one of the values.
    #[error("`{value}` does not fit {key}: expected {expected}")]
    Value {
        /// The setting.
        key: &'static str,
        /// As given.
        value: super::SafeText,
        /// In words.
        expected: &'static str,
    },
}

impl Setting {
    /// Every setting.
    pub const ALL: &'static [Self] = &[
        Self::BaseCurrency,
        Self::TaxCurrency,
        Self::DefaultMethod,
        Self::FeeTreatment,
        Self::TimeZone,
        Self::RiskFreeRate,
    ];

    /// The name in the store and on the command line.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::BaseCurrency => "base_currency",
            Self::TaxCurrency => "tax_currency",
            Self::DefaultMethod => "default_method",
            Self::FeeTreatment => "fee_treatment",
            Self::TimeZone => "time_zone",
            Self::RiskFreeRate => "risk_free_rate",
        }
    }

    /// What it says, in a few words.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::BaseCurrency => "the currency of totals",
            Self::TaxCurrency => "the currency of realized gains for the tax office",
            Self::DefaultMethod => "which lots a sale takes where its account says nothing",
            Self::FeeTreatment => "whether fees of trades belong to the cost",
            Self::TimeZone => "where a day begins and ends",
            Self::RiskFreeRate => "what money earns without a risk, for the Sharpe ratio",
        }
    }

    /// The value where nobody chose one; none: follows from another setting or the machine.
    #[must_use]
    pub const fn default(self) -> Option<&'static str> {
        match self {
            Self::BaseCurrency => Some("USD"),
            Self::DefaultMethod => Some("fifo"),
            Self::FeeTreatment => Some("in_cost"),
            Self::RiskFreeRate => Some("0"),
            Self::TaxCurrency | Self::TimeZone => None,
        }
    }

    /// Every setting, its value (none: it follows from another), and whether it is among those that
    /// somebody chose.
    #[must_use]
    pub fn among(chosen: &BTreeMap<String, String>) -> Vec<(Self, Option<String>, bool)> {
        let row = |setting: &Self| {
            let value = chosen.get(setting.key()).cloned();
            let is_chosen = value.is_some();
            (*setting, value.or_else(|| setting.default().map(str::to_owned)), is_chosen)
        };
        Self::ALL.iter().map(row).collect()
    }

    /// The setting of this name.
    ///
    /// # Errors
    /// [`SettingError::Name`] with the names that exist.
    pub fn parse(key: &str) -> Result<Self, SettingError> {
        Self::ALL.iter().copied().find(|setting| setting.key() == key).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|setting| setting.key()).collect();
            SettingError::Name(UnknownWord {
                word: super::SafeText::capped(key, 64),
                what: "setting",
                known: known.join(" "),
            })
        })
    }

    /// The value in its normal form.
    ///
    /// # Errors
    /// [`SettingError::Value`] when it does not fit.
    pub fn check(self, value: &str) -> Result<String, SettingError> {
        let (normal, expected) = match self {
            Self::BaseCurrency | Self::TaxCurrency => {
                let currency = Currency::parse(value).ok().filter(|currency| currency.is_current());
                (
                    currency.map(|currency| currency.code().to_owned()),
                    "a current currency, like USD",
                )
            }
            Self::DefaultMethod => (
                value.parse::<LotMethod>().ok().map(|method| method.as_str().to_owned()),
                "one of fifo lifo hifo average acb specific",
            ),
            Self::FeeTreatment => (
                Some(value.to_owned()).filter(|value| value == "in_cost" || value == "expense"),
                "in_cost or expense",
            ),
            Self::TimeZone => (
                value.parse::<chrono_tz::Tz>().ok().map(|zone| zone.name().to_owned()),
                "a zone of the tz database, like America/Toronto",
            ),
            Self::RiskFreeRate => (
                Dec::parse(value)
                    .ok()
                    .filter(|rate| *rate > -Dec::ONE && *rate < Dec::ONE)
                    .map(|rate| rate.to_string()),
                "a part of 1 between -1 and 1, like 0.03",
            ),
        };
        normal.ok_or_else(|| SettingError::Value {
            key: self.key(),
            value: super::SafeText::capped(value, 64),
            expected,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_fit_their_settings() {
        for setting in Setting::ALL {
            if let Some(value) = setting.default() {
                assert_eq!(setting.check(value), Ok(value.to_owned()));
            }
        }
    }

    #[test]
    fn wrong_values_say_what_would_be_right() {
        let text = Setting::BaseCurrency.check("DEM").map_err(|error| error.to_string());
        assert!(text.is_err_and(|text| text.contains("current currency")));
        assert_eq!(Setting::RiskFreeRate.check("0.030"), Ok("0.03".to_owned()));
        assert!(Setting::TimeZone.check("Mars/Olympus").is_err());
        assert!(Setting::parse("base_curency").is_err());
    }
}
