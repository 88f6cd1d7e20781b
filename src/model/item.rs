//! The content of a store in words: what exports write and what the full import reads back.
//!
//! No ids and no times of writing; accounts and securities are named as a person would.

use chrono::NaiveDate;

use super::{
    AlertTerms, AssetClass, Currency, Dec, Draft, Isin, Mention, NewAccount, Origin, Price, Rate,
    SafeText, Setting, Tags, WatchTerms,
};

/// One thing that a store holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A setting that changes figures, where somebody chose it.
    Setting(Setting, String),
    /// An account. `derived`: its kind and currency follow from its rows.
    Account {
        /// What it is.
        account: NewAccount,
        /// Nobody declared it.
        derived: bool,
    },
    /// The balance of an account on a day.
    Balance {
        /// Whose.
        account: SafeText,
        /// When.
        date: NaiveDate,
        /// How much.
        amount: Dec,
    },
    /// A category.
    Category {
        /// Unique.
        name: SafeText,
        /// What it is a part of.
        parent: Option<SafeText>,
    },
    /// A security.
    Security(SecurityWords),
    /// A transaction, with its place in its source.
    Transaction(Box<TransactionWords>),
    /// A price. The security inside is not meaningful; the mention names it.
    Price(Mention, Box<Price>),
    /// A rate.
    Rate(Rate),
    /// A security on the watchlist.
    Watch(Mention, WatchTerms),
    /// When somebody wants to be told of a security.
    Alert(Mention, AlertTerms),
    /// How much of the whole something should be.
    Target {
        /// `class`, `currency`, `security` and so on.
        dimension: SafeText,
        /// Which of them.
        key: SafeText,
        /// A part of 1.
        weight: Dec,
        /// How far off is still right.
        band: Option<Dec>,
    },
}

/// A security without its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecurityWords {
    /// The symbol it has today.
    pub symbol: SafeText,
    /// The currency it is quoted in.
    pub currency: Currency,
    /// The venue or chain, when known.
    pub venue: Option<SafeText>,
    /// ISIN, when known.
    pub isin: Option<Isin>,
    /// CUSIP, when known.
    pub cusip: Option<SafeText>,
    /// FIGI, when known.
    pub figi: Option<SafeText>,
    /// What people call it.
    pub name: Option<SafeText>,
    /// What it is.
    pub class: Option<AssetClass>,
    /// The part of the economy.
    pub sector: Option<SafeText>,
    /// The part of the world.
    pub region: Option<SafeText>,
    /// What else somebody sorts it by.
    pub tags: Option<Tags>,
    /// Nobody edited its currency.
    pub derived: bool,
}

/// A transaction without its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionWords {
    /// The row, its account and securities in words; `source_id` only where the source gave one.
    pub draft: Draft,
    /// Its place among the rows of its account and day.
    pub seq: i64,
    /// Where it came from.
    pub origin: Origin,
    /// Taken away by a person; kept so that its source does not bring it back.
    pub deleted: bool,
    /// Which of several equal rows of its source it is, counted from 0, where that is told.
    pub nth: Option<i64>,
    /// How its source knows it, where a person changed it since.
    pub source: Option<Box<SourceWords>>,
}

impl TransactionWords {
    /// A live row that nobody changed.
    #[must_use]
    pub const fn new(draft: Draft, seq: i64, origin: Origin) -> Self {
        Self { draft, seq, origin, deleted: false, nth: None, source: None }
    }
}

/// A row as its source says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceWords {
    /// The row.
    pub draft: Draft,
    /// Which of several equal rows it is, counted from 0, where that is told.
    pub nth: Option<i64>,
}
