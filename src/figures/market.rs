//! The world as the lots see it: which account follows which rules, what is quoted in which
//! currency, and what a currency or a security cost on a day.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::splits::{Splits, splits};
use crate::analytics::fx::Rates;
use crate::analytics::lots::{AccountRules, Conversion, Fees, Rules, World};
use crate::analytics::pricing::{self, Series};
use crate::analytics::splits::ToldSplit;
use crate::model::{AccountId, Currency, Dec, LotMethod, Ratio, SecurityId, Setting, Tax};
use crate::store::{Result, Tx};

/// What one wants to see otherwise than it is set.
#[derive(Clone, Copy, Debug, Default)]
pub struct Otherwise {
    /// Every account by this method.
    pub method: Option<LotMethod>,
    /// As if this were the base currency.
    pub base: Option<Currency>,
}

impl Otherwise {
    /// Everything as it is set, and so as it is kept.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.method.is_none() && self.base.is_none()
    }
}

/// Which rates will be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those of one day.
    Day,
    /// Those of the days before it too.
    History,
}

/// Everything the lots may ask for, in memory.
pub struct Market {
    rules: Rules,
    accounts: BTreeMap<AccountId, AccountRules>,
    currencies: BTreeMap<SecurityId, Currency>,
    rates: Rates,
    closes: BTreeMap<SecurityId, Series>,
    told_splits: Splits,
    splits: BTreeMap<SecurityId, Vec<(NaiveDate, Ratio)>>,
}

impl Market {
    /// Reads the rules, and the rates on or before a day.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn read(
        tx: &mut Tx,
        through: NaiveDate,
        scope: Scope,
        otherwise: Otherwise,
    ) -> Result<Self> {
        let base = base_currency(tx).await?;
        let rules = rules(tx, base, otherwise).await?;
        let default = match tx.setting(Setting::DefaultMethod).await? {
            Some(word) => word.parse().unwrap_or(LotMethod::Fifo),
            None => LotMethod::Fifo,
        };
        let accounts = tx.accounts().await?.into_iter().map(|row| {
            let account = row.account;
            let method = otherwise.method.or(account.method).unwrap_or(default);
            let taxable = account.kind.tax() == Tax::Taxable;
            (account.id, AccountRules { method, kind: account.kind, taxable })
        });
        let accounts = accounts.collect();
        let securities = tx.securities().await?.into_iter();
        let currencies = securities.map(|row| (row.security.id, row.security.currency)).collect();
        // The way through the base currency is that of the store, whatever one wants to see.
        let mut rates = Rates::new(base);
        rates.extend(match scope {
            Scope::Day => tx.rates_latest(through).await?,
            Scope::History => tx.rates_through(through).await?,
        });
        let told_splits = splits(tx).await?;
        let days = |splits: &Vec<ToldSplit>| {
            splits.iter().map(|split| (split.day, split.ratio)).collect::<Vec<_>>()
        };
        let mut market = Self {
            rules,
            accounts,
            currencies,
            rates,
            closes: BTreeMap::new(),
            splits: told_splits.iter().map(|(&id, splits)| (id, days(splits))).collect(),
            told_splits,
        };
        if scope == Scope::History {
            // Only a security that is joined with another shares its cost with it by their prices.
            for security in tx.lot_groups().await?.into_keys() {
                let closes = tx.closes_between(security, NaiveDate::MIN, through).await?;
                market.closes.insert(security, Series::new(closes));
            }
        }
        Ok(market)
    }

    /// The splits of a security.
    #[must_use]
    pub fn splits(&self, security: SecurityId) -> &[(NaiveDate, Ratio)] {
        self.splits.get(&security).map_or(&[][..], Vec::as_slice)
    }

    /// Whether some security is split after a day.
    #[must_use]
    pub fn has_split_after(&self, day: NaiveDate) -> bool {
        self.splits.values().flatten().any(|(of, _)| *of > day)
    }

    /// What every rate is.
    #[must_use]
    pub const fn rates(&self) -> &Rates {
        &self.rates
    }

    /// How lots are followed in an account.
    #[must_use]
    pub fn method(&self, account: AccountId) -> LotMethod {
        self.account(account).method
    }
}

/// The base currency of the store.
async fn base_currency(tx: &mut Tx) -> Result<Currency> {
    let code = tx.setting(Setting::BaseCurrency).await?;
    Ok(code.and_then(|code| Currency::parse(&code).ok()).unwrap_or(Currency::USD))
}

async fn rules(tx: &mut Tx, base: Currency, otherwise: Otherwise) -> Result<Rules> {
    let tax = match tx.setting(Setting::TaxCurrency).await? {
        Some(code) => Currency::parse(&code).unwrap_or(base),
        None => base,
    };
    let fees = match tx.setting(Setting::FeeTreatment).await?.as_deref() {
        Some("expense") => Fees::Expense,
        _ => Fees::InCost,
    };
    Ok(Rules { base: otherwise.base.unwrap_or(base), tax, fees })
}

impl World for Market {
    fn account(&self, id: AccountId) -> AccountRules {
        self.accounts.get(&id).copied().unwrap_or_default()
    }

    fn currency_of(&self, security: SecurityId) -> Currency {
        self.currencies.get(&security).copied().unwrap_or(self.rules.base)
    }

    fn rate(&self, from: Currency, to: Currency, on: NaiveDate) -> Option<Conversion> {
        self.rates.on(from, to, on)
    }

    fn close(&self, security: SecurityId, on: NaiveDate) -> Option<Dec> {
        let series = self.closes.get(&security)?;
        let price =
            pricing::price_on(series, on, pricing::FRESH_DAYS, self.splits(security), on).ok()?;
        price.in_currency(self.currency_of(security), &self.rates).ok()?.price().ok()
    }

    fn told_splits(&self, security: SecurityId) -> &[ToldSplit] {
        self.told_splits.get(&security).map_or(&[][..], Vec::as_slice)
    }

    fn rules(&self) -> &Rules {
        &self.rules
    }
}
