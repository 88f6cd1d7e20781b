//! Prices of securities and rates of currencies, each with its time and its source.

use serde::{Deserialize, Serialize};

use super::account::words;
use super::{Column, Currency, Dec, Mention, Refusal, SafeText, SecurityId, Why};

words! {
    /// How long one bar lasts.
    Interval, "interval" {
        /// One minute.
        Minute = "1m",
        /// Five minutes.
        FiveMinutes = "5m",
        /// Fifteen minutes.
        QuarterHour = "15m",
        /// One hour.
        Hour = "1h",
        /// One day.
        Day = "1d",
        /// One week.
        Week = "1w",
        /// One month.
        Month = "1mo",
    }
}

/// Who says so: `file`, `hand`, `provider:<id>` or the name of a market source.
pub type Source = SafeText;

/// One stored bar of a security.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Of what.
    pub security: SecurityId,
    /// How long the bar lasts.
    pub interval: Interval,
    /// When it begins, in microseconds since the epoch; midnight UTC of its date for daily bars.
    pub at: i64,
    /// Who says so.
    pub source: Source,
    /// The currency of the four prices.
    pub currency: Currency,
    /// First.
    pub open: Option<Dec>,
    /// Highest.
    pub high: Option<Dec>,
    /// Lowest.
    pub low: Option<Dec>,
    /// Last.
    pub close: Dec,
    /// Units traded.
    pub volume: Option<Dec>,
    /// The minor unit that the source quoted in, converted since.
    pub quoted_in: Option<SafeText>,
    /// The series was restated for later splits by its source.
    pub split_adjusted: bool,
}

/// What a security closed at on a day, or was quoted at within it, as figures see it. It may be
/// zero or below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// The day.
    pub date: chrono::NaiveDate,
    /// The price of one unit.
    pub close: Dec,
    /// In what.
    pub currency: Currency,
    /// Who says so.
    pub source: Source,
    /// The series was restated for later splits by its source.
    pub split_adjusted: bool,
    /// A quote from within the day.
    pub intraday: bool,
}

/// The newest price that a source told within a day. It serves on that day only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Of what.
    pub security: SecurityId,
    /// Who says so.
    pub source: Source,
    /// When it was the price, in microseconds since the epoch.
    pub at: i64,
    /// The day that it belongs to where it is traded.
    pub date: chrono::NaiveDate,
    /// In what.
    pub currency: Currency,
    /// Of one unit.
    pub price: Dec,
}

/// What a security did in a day, or in a longer time that begins with it, as a chart draws it.
/// What nobody said is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// The day, or the first of the time.
    pub date: chrono::NaiveDate,
    /// First.
    pub open: Option<Dec>,
    /// Highest.
    pub high: Option<Dec>,
    /// Lowest.
    pub low: Option<Dec>,
    /// Last.
    pub close: Dec,
    /// Units traded.
    pub volume: Option<Dec>,
}

/// The bar of a day as one source tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceBar {
    /// The bar.
    pub bar: Bar,
    /// In what.
    pub currency: Currency,
    /// Who says so.
    pub source: Source,
    /// The series was restated for later splits by its source.
    pub split_adjusted: bool,
}

/// One stored rate: one unit of `base` costs `rate` units of `quote`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// What is priced.
    pub base: Currency,
    /// In what.
    pub quote: Currency,
    /// Midnight UTC of its date, in microseconds since the epoch.
    pub at: i64,
    /// Who says so.
    pub source: Source,
    /// How many.
    pub rate: Dec,
}

/// What a row of a price file is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PriceSubject {
    /// `sec:SYM` or a bare symbol that is no current currency.
    Security(Mention),
    /// `fx:CUR`.
    Currency(Currency),
    /// A bare currency code: what it is depends on what the store and the batch know.
    Bare(Currency),
}

/// What a person takes away: what a source said of the price or the rate of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceToDelete {
    /// Of what.
    pub subject: PriceSubject,
    /// The day.
    pub date: chrono::NaiveDate,
    /// Who says so; none: what counts on the day.
    pub source: Option<Source>,
    /// In which currency; none: there is but one.
    pub currency: Option<Currency>,
}

/// One row of a price file, checked, its subject still in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Of what.
    pub subject: PriceSubject,
    /// The day.
    pub date: chrono::NaiveDate,
    /// The currency of the prices.
    pub currency: Currency,
    /// First.
    pub open: Option<Dec>,
    /// Highest.
    pub high: Option<Dec>,
    /// Lowest.
    pub low: Option<Dec>,
    /// Last.
    pub close: Dec,
    /// Units traded.
    pub volume: Option<Dec>,
    /// Who says so.
    pub source: Source,
    /// The minor unit that the file quoted in, converted since.
    pub quoted_in: Option<SafeText>,
}

impl Quote {
    /// Refuses what can be no rate of this currency.
    ///
    /// # Errors
    /// For a rate of a currency in itself, and one that is not above zero.
    pub fn check_rate(&self, base: Currency) -> Result<(), Refusal> {
        if base == self.currency {
            let why = Why::SameCurrency(SafeText::new(base.code()));
            return Err(Refusal { column: Column("currency"), why });
        }
        if !self.close.is_positive() {
            return Err(Refusal { column: Column("close"), why: Why::Rate(self.close) });
        }
        Ok(())
    }
}

/// Serialised forms of times: whole days as microseconds.
#[must_use]
pub fn midnight_micros(date: chrono::NaiveDate) -> i64 {
    date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros()
}
