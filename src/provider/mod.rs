//! Outside services that know accounts or prices, one file each, and the table of them all. What
//! comes from them is in words and unchecked; nothing in here stores, plans or waits for a turn.

mod error;
mod simulated;

use chrono::{DateTime, NaiveDate, Utc};

pub use error::{Class, Error, Result};
pub use simulated::Simulated;

use crate::clock::Clock;
use crate::model::{AccountKind, AssetClass, Currency, Dec, Entry as Row, SafeText};

/// A service at which somebody has accounts.
pub trait AccountSource: Send + Sync {
    /// The accounts there are.
    ///
    /// # Errors
    /// When the service does not tell.
    fn accounts(&self) -> impl Future<Output = Result<Vec<RemoteAccount>>> + Send;

    /// The rows of an account since an instant; none: as far back as the service goes.
    ///
    /// # Errors
    /// When the service does not tell.
    fn transactions(
        &self,
        account: &RemoteAccount,
        since: Option<DateTime<Utc>>,
    ) -> impl Future<Output = Result<RemoteRows>> + Send;
}

/// A service that knows prices and rates.
pub trait MarketSource: Send + Sync {
    /// What each of these costs now, in their order.
    ///
    /// # Errors
    /// When the service does not tell anything.
    fn quotes(&self, wanted: &[Wanted]) -> impl Future<Output = Result<Vec<Result<Spot>>>> + Send;

    /// The closes of the days from one to another, both inclusive, that were days of trading.
    ///
    /// # Errors
    /// When the service does not tell.
    fn bars(
        &self,
        wanted: &Wanted,
        from: NaiveDate,
        to: NaiveDate,
    ) -> impl Future<Output = Result<Vec<DayClose>>> + Send;

    /// What one unit of a currency cost in another on these days, both inclusive.
    ///
    /// # Errors
    /// When the service does not tell.
    fn rates(
        &self,
        pair: &Pair,
        from: NaiveDate,
        to: NaiveDate,
    ) -> impl Future<Output = Result<Vec<DayClose>>> + Send;
}

/// An account as its provider tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteAccount {
    /// What the provider knows it by; another connection may know another account by the same.
    pub id: SafeText,
    /// What it is called there.
    pub name: SafeText,
    /// What it is.
    pub kind: AccountKind,
    /// Its main currency.
    pub currency: Currency,
}

/// The rows of an account as its provider tells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteRows {
    /// The rows.
    pub rows: Vec<RemoteRow>,
    /// Since when these are all there are: what was told before of that time and is not among them
    /// no longer is. None: there may be others.
    pub complete_since: Option<DateTime<Utc>>,
}

/// A row as its provider tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteRow {
    /// When, for the order among the rows of a day.
    pub at: DateTime<Utc>,
    /// The row, with the provider's id.
    pub row: Row,
}

/// A security whose price is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its symbol.
    pub symbol: SafeText,
    /// The currency it is quoted in.
    pub currency: Currency,
    /// What it is, when known.
    pub class: Option<AssetClass>,
    /// Its last known close of a day, in its currency, of one unit as it is on the day asked for.
    pub last: Option<DayClose>,
}

/// A rate that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What is priced.
    pub base: Currency,
    /// In what.
    pub quote: Currency,
    /// The last one known.
    pub last: Option<DayClose>,
}

/// What something cost at the end of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayClose {
    /// The day.
    pub date: NaiveDate,
    /// The price of one unit.
    pub close: Dec,
    /// In what.
    pub currency: Currency,
}

/// What something costs now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// When that was so.
    pub at: DateTime<Utc>,
    /// The day that it belongs to where it is traded.
    pub date: NaiveDate,
    /// The price of one unit.
    pub price: Dec,
    /// In what.
    pub currency: Currency,
}

/// What a connection is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Tells one connection from another.
    pub seed: u64,
    /// The time.
    pub clock: Clock,
}

/// How a provider knows whom it speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// It need not know.
    Nobody,
}

/// A provider: what it can do is which constructor it has.
#[derive(Debug)]
pub struct Entry {
    /// In the store and on the command line.
    pub id: &'static str,
    /// For people.
    pub title: &'static str,
    /// How it knows whom it speaks to.
    pub auth: Auth,
    /// For how many seconds a row may still come late or change.
    pub settles_within: i64,
    /// Tells of accounts.
    pub accounts: Option<fn(Setup) -> Accounts>,
    /// Tells of prices.
    pub market: Option<fn(Setup) -> Market>,
}

/// Every provider there is.
pub static PROVIDERS: &[Entry] = &[simulated::ENTRY];

/// The provider of an id.
///
/// # Errors
/// [`Error::NoProvider`] where this program has none.
pub fn named(id: &SafeText) -> Result<&'static Entry> {
    let found = PROVIDERS.iter().find(|entry| entry.id == id.as_str());
    found.ok_or_else(|| Error::NoProvider(id.clone()))
}

/// A source of accounts, whichever it is.
#[derive(Clone, Debug)]
pub enum Accounts {
    /// The one that invents.
    Simulated(Simulated),
}

/// A source of prices, whichever it is.
#[derive(Clone, Debug)]
pub enum Market {
    /// The one that invents.
    Simulated(Simulated),
}

impl AccountSource for Accounts {
    async fn accounts(&self) -> Result<Vec<RemoteAccount>> {
        match self {
            Self::Simulated(source) => source.accounts().await,
        }
    }

    async fn transactions(
        &self,
        account: &RemoteAccount,
        since: Option<DateTime<Utc>>,
    ) -> Result<RemoteRows> {
        match self {
            Self::Simulated(source) => source.transactions(account, since).await,
        }
    }
}

impl MarketSource for Market {
    async fn quotes(&self, wanted: &[Wanted]) -> Result<Vec<Result<Spot>>> {
        match self {
            Self::Simulated(source) => source.quotes(wanted).await,
        }
    }

    async fn bars(&self, wanted: &Wanted, from: NaiveDate, to: NaiveDate) -> Result<Vec<DayClose>> {
        match self {
            Self::Simulated(source) => source.bars(wanted, from, to).await,
        }
    }

    async fn rates(&self, pair: &Pair, from: NaiveDate, to: NaiveDate) -> Result<Vec<DayClose>> {
        match self {
            Self::Simulated(source) => source.rates(pair, from, to).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_provider_has_a_name_of_its_own_and_can_do_something() {
        let ids: BTreeSet<_> = PROVIDERS.iter().map(|entry| entry.id).collect();
        assert_eq!(ids.len(), PROVIDERS.len());
        for entry in PROVIDERS {
            assert!(entry.accounts.is_some() || entry.market.is_some(), "{}", entry.id);
            assert_eq!(named(&SafeText::new(entry.id)).unwrap().id, entry.id);
            assert_eq!(entry.auth, Auth::Nobody);
        }
        let unknown = named(&SafeText::new("acme")).unwrap_err();
        assert_eq!(unknown.class(), Class::Never);
        assert!(unknown.to_string().contains("acme"), "{unknown}");
    }
}
