//! Outside services that know accounts or prices, one file each, and the table of them all. What
//! comes from them is in words and unchecked; nothing in here stores, plans or waits for a turn.

mod alpaca;
mod error;
mod field;
mod frankfurter;
mod line;
mod progress;
mod schwab;
mod simplefin;
mod simulated;
mod told;
mod venues;

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use url::Url;

pub use alpaca::Alpaca;
pub use error::{Class, Error, Result};
pub use frankfurter::Frankfurter;
pub use line::{Boxed, Line, Remember, at, leads_to};
pub use progress::{Progress, ToldSpan};
pub use schwab::Schwab;
pub use simplefin::SimpleFin;
pub use simulated::Simulated;
pub use told::{RemoteAccount, RemoteBook, RemoteRow, Trouble};

use crate::clock::Clock;
use crate::http::Limit;
use crate::model::{AssetClass, Currency, Dec, OAuthSpec, SafeText, Secret};

/// A service at which somebody has accounts.
pub trait AccountSource: Send + Sync {
    /// The accounts there are, with all that is told of them since an instant; none: as far back as
    /// the service goes.
    ///
    /// # Errors
    /// When the service tells nothing at all.
    fn accounts(
        &self,
        since: Option<DateTime<Utc>>,
    ) -> impl Future<Output = Result<RemoteBook>> + Send;
}

/// A service that knows prices and rates.
pub trait MarketSource: Send + Sync {
    /// What each of these costs now, in their order.
    ///
    /// # Errors
    /// When the service does not tell anything.
    fn quotes(&self, wanted: &[Wanted]) -> impl Future<Output = Result<Vec<Result<Spot>>>> + Send;

    /// What a security did on the days from one to another, both inclusive, that were days of trading,
    /// oldest first. A day that is not over is none of them.
    ///
    /// Prices and volumes are as they were traded, of one unit as it was on that day: nothing that came
    /// later (a split, a dividend) has changed them. A service that only tells what later splits made
    /// of them says so in each bar; one that takes dividends off is of no use here.
    ///
    /// # Errors
    /// When the service does not tell. [`Error::NoData`]: it knows nothing of that security, or not of
    /// these days; it is left alone with that for some hours.
    fn bars(
        &self,
        wanted: &Wanted,
        from: NaiveDate,
        to: NaiveDate,
    ) -> impl Future<Output = Result<Vec<DayBar>>> + Send;

    /// What one unit of a currency cost in another on these days, both inclusive. Whoever tells of none
    /// need not say so.
    ///
    /// # Errors
    /// When the service does not tell.
    fn rates(
        &self,
        pair: &Pair,
        _from: NaiveDate,
        _to: NaiveDate,
    ) -> impl Future<Output = Result<Vec<DayClose>>> + Send {
        let name = SafeText::new(&format!("{}/{}", pair.base, pair.quote));
        async move { Err(Error::NoData(name)) }
    }
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
    /// Where it is traded, when known; none, too, where the symbol is the service's own.
    pub venue: Option<SafeText>,
    /// Its last known close of a day, in its currency, of one unit as it is on the day asked for.
    pub last: Option<DayClose>,
    /// What was paid for one such unit in trades, where its days of long ago are asked for.
    pub paid: Vec<DayClose>,
}

/// A rate that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What is priced.
    pub base: Currency,
    /// In what.
    pub quote: Currency,
    /// Since when it may be needed, where that is known.
    pub since: Option<NaiveDate>,
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

/// What a security did on a day. What the service does not tell is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayBar {
    /// First.
    pub open: Option<Dec>,
    /// Highest.
    pub high: Option<Dec>,
    /// Lowest.
    pub low: Option<Dec>,
    /// Last, with the day and the currency of them all.
    pub close: DayClose,
    /// Units traded.
    pub volume: Option<Dec>,
    /// It counts units as later splits made them, and not those of its day.
    pub split_adjusted: bool,
}

impl From<DayClose> for DayBar {
    /// Where no more than the close is told.
    fn from(close: DayClose) -> Self {
        Self { open: None, high: None, low: None, close, volume: None, split_adjusted: false }
    }
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

impl Spot {
    /// As if it were the last price of its day.
    #[must_use]
    pub const fn as_close(&self) -> DayClose {
        DayClose { date: self.date, close: self.price, currency: self.currency }
    }
}

/// What a connection is made of.
#[derive(Clone)]
pub struct Setup {
    /// Tells one connection from another.
    pub seed: u64,
    /// The time.
    pub clock: Clock,
    /// The way to the service and what it is shown; none: nobody is asked.
    pub line: Option<(Arc<Line>, Arc<Secret>)>,
    /// What was told of a first history that was cut off; none: nothing is kept.
    pub progress: Option<Arc<dyn Progress>>,
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").field("seed", &self.seed).finish_non_exhaustive()
    }
}

/// How a provider knows whom it speaks to.
#[derive(Clone, Copy, Debug)]
pub enum Auth {
    /// It need not know.
    Nobody,
    /// By a token that its owner brings and that is exchanged, once, for what is shown from then on.
    SetupToken(SetupToken),
    /// By a consent that its owner gives in a browser, and that ends after a time.
    OAuth(OAuthSpec),
    /// By keys that its owner brings. They may be good for more than reading, so nothing that does
    /// more is sent with them.
    Keys(Keys),
}

/// A token that serves once.
#[derive(Clone, Copy, Debug)]
pub struct SetupToken {
    /// Where its owner gets one.
    pub from: &'static str,
    /// The token as it is kept, whatever blanks were pasted with it, and where it leads; an error: it
    /// is none.
    pub read: fn(&Secret) -> Result<(Secret, Url)>,
    /// Whether a secret is such a token, still to be exchanged.
    pub is_one: fn(&Secret) -> bool,
    /// Exchanges it, once.
    pub claim: fn(Arc<Line>, Secret) -> Boxed<Result<Secret>>,
}

/// What a person does to be connected to a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Nothing: anybody may ask it.
    Nothing,
    /// To bring these, which nobody else may see, from a place.
    Secrets {
        /// Where its owner gets them.
        from: &'static str,
        /// What they are called, in the order in which they are kept, a line each.
        called: &'static [&'static str],
    },
    /// To agree in a browser, with an app of its own.
    Browser {
        /// Where its owner registers the app.
        portal: &'static str,
    },
}

/// Keys that serve until their owner makes others.
#[derive(Clone, Copy, Debug)]
pub struct Keys {
    /// Where their owner gets them.
    pub from: &'static str,
    /// What each of them is called.
    pub parts: &'static [&'static str],
    /// Variables that other programs read them from.
    pub variables: &'static [&'static str],
    /// The keys as they are brought, whatever blanks and names were pasted with them; an error: they
    /// are none.
    pub read: fn(&Secret) -> Result<Secret>,
    /// Asks the service whether they are good, and gives them as they are kept.
    pub check: fn(Arc<Line>, Secret) -> Boxed<Result<Secret>>,
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
    /// The hosts that it may be asked at, and none besides.
    pub hosts: &'static [&'static str],
    /// How often it may be asked.
    pub limits: &'static [Limit],
    /// It knows nothing new before so many seconds; who asks by hand is not held up.
    pub renews_within: i64,
    /// For how many seconds a row may still come late or change.
    pub settles_within: i64,
    /// Tells of accounts.
    pub accounts: Option<fn(Setup) -> Accounts>,
    /// Tells of prices.
    pub market: Option<fn(Setup) -> Market>,
    /// Whether it tells prices of securities.
    pub tells_prices: bool,
    /// Whether it tells rates of currencies, of days that are over.
    pub tells_rates: bool,
}

impl Entry {
    /// What a person does to be connected to it; none: who invents is not connected by anybody.
    #[must_use]
    pub const fn asks(&self) -> Option<Asks> {
        match self.auth {
            Auth::Nobody if self.hosts.is_empty() => None,
            Auth::Nobody => Some(Asks::Nothing),
            Auth::SetupToken(token) => {
                Some(Asks::Secrets { from: token.from, called: &["setup token"] })
            }
            Auth::Keys(keys) => Some(Asks::Secrets { from: keys.from, called: keys.parts }),
            Auth::OAuth(spec) => Some(Asks::Browser { portal: spec.portal }),
        }
    }
}

/// Every provider there is.
pub static PROVIDERS: &[Entry] =
    &[simulated::ENTRY, simplefin::ENTRY, schwab::ENTRY, alpaca::ENTRY, frankfurter::ENTRY];

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
    /// Banks over SimpleFIN.
    SimpleFin(SimpleFin),
    /// Charles Schwab.
    Schwab(Schwab),
    /// Alpaca.
    Alpaca(Alpaca),
}

/// A source of prices, whichever it is.
#[derive(Clone, Debug)]
pub enum Market {
    /// The one that invents.
    Simulated(Simulated),
    /// Alpaca.
    Alpaca(Alpaca),
    /// The rates of the European Central Bank.
    Frankfurter(Frankfurter),
    /// Charles Schwab.
    Schwab(Schwab),
}

impl Accounts {
    /// What the accounts behind a consent are known by, without anything of what is in them: they tell
    /// whose it is. Whose secrets do not outlive each other tells
    /// none.
    ///
    /// # Errors
    /// When the service does not tell.
    pub async fn ids(&self) -> Result<Vec<SafeText>> {
        match self {
            Self::Schwab(source) => source.ids().await,
            Self::Alpaca(source) => source.ids().await,
            Self::Simulated(_) | Self::SimpleFin(_) => Ok(Vec::new()),
        }
    }
}

impl AccountSource for Accounts {
    async fn accounts(&self, since: Option<DateTime<Utc>>) -> Result<RemoteBook> {
        match self {
            Self::Simulated(source) => source.accounts(since).await,
            Self::SimpleFin(source) => source.accounts(since).await,
            Self::Schwab(source) => source.accounts(since).await,
            Self::Alpaca(source) => source.accounts(since).await,
        }
    }
}

impl MarketSource for Market {
    async fn quotes(&self, wanted: &[Wanted]) -> Result<Vec<Result<Spot>>> {
        match self {
            Self::Simulated(source) => source.quotes(wanted).await,
            Self::Alpaca(source) => source.quotes(wanted).await,
            Self::Frankfurter(source) => source.quotes(wanted).await,
            Self::Schwab(source) => source.quotes(wanted).await,
        }
    }

    async fn bars(&self, wanted: &Wanted, from: NaiveDate, to: NaiveDate) -> Result<Vec<DayBar>> {
        match self {
            Self::Simulated(source) => source.bars(wanted, from, to).await,
            Self::Alpaca(source) => source.bars(wanted, from, to).await,
            Self::Frankfurter(source) => source.bars(wanted, from, to).await,
            Self::Schwab(source) => source.bars(wanted, from, to).await,
        }
    }

    async fn rates(&self, pair: &Pair, from: NaiveDate, to: NaiveDate) -> Result<Vec<DayClose>> {
        match self {
            Self::Simulated(source) => source.rates(pair, from, to).await,
            Self::Alpaca(source) => source.rates(pair, from, to).await,
            Self::Frankfurter(source) => source.rates(pair, from, to).await,
            Self::Schwab(source) => source.rates(pair, from, to).await,
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
            // Only who invents asks nobody, and who asks keeps to a limit.
            assert_eq!(entry.hosts.is_empty(), entry.id == "simulated", "{}", entry.id);
            assert_eq!(entry.hosts.is_empty(), entry.limits.is_empty(), "{}", entry.id);
        }
        let unknown = named(&SafeText::new("acme")).unwrap_err();
        assert_eq!(unknown.class(), Class::Never);
        assert!(unknown.to_string().contains("acme"), "{unknown}");
    }
}
