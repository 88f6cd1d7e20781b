//! A whole store in words, section by section, in the order in which it is written.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::Names;
use super::order::sort_for_writing;
use super::sources;
use crate::model::{
    Item, Mention, NewAccount, OrderKey, SafeText, SecurityId, SecurityWords, Setting,
    TransactionWords,
};
use crate::store::{Result, Tx};

/// Reads a store from one end to the other, a piece at a time.
#[derive(Debug)]
pub struct Contents<'a> {
    tx: &'a mut Tx,
    names: Names,
    whole: bool,
}

impl<'a> Contents<'a> {
    /// Begins to read.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(tx: &'a mut Tx) -> Result<Self> {
        let names = Names::read(tx).await?;
        Ok(Self { tx, names, whole: false })
    }

    /// Begins to read also what only a store knows: how its source knows a row that a person
    /// changed, and the rows that were deleted.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open_whole(tx: &'a mut Tx) -> Result<Self> {
        Ok(Self { whole: true, ..Self::open(tx).await? })
    }

    /// The settings, accounts, categories, securities and balances.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn beginning(&mut self) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        for (key, value) in self.tx.settings().await? {
            if let Ok(setting) = Setting::parse(&key) {
                items.push(Item::Setting(setting, value));
            }
        }
        for row in self.tx.accounts().await? {
            let account = row.account;
            let derived = account.derived;
            let account = NewAccount {
                name: account.name,
                kind: account.kind,
                currency: account.currency,
                mode: account.mode,
                method: account.method,
                institution: account.institution,
                closed: account.closed,
                performance: account.performance,
            };
            items.push(Item::Account { account, derived });
        }
        let categories = self.tx.categories().await?;
        for row in &categories {
            let parent = categories.iter().find(|other| Some(other.id) == row.parent);
            let parent = parent.map(|other| other.name.clone());
            items.push(Item::Category { name: row.name.clone(), parent });
        }
        for row in self.tx.securities().await? {
            let security = row.security;
            items.push(Item::Security(SecurityWords {
                symbol: security.symbol,
                currency: security.currency,
                venue: security.venue,
                isin: security.isin,
                cusip: security.cusip,
                figi: security.figi,
                name: security.name,
                class: security.class,
                sector: security.sector,
                region: security.region,
                tags: security.tags,
                derived: security.derived,
            }));
        }
        for row in self.tx.balances().await? {
            let account = self.names.account(row.account);
            items.push(Item::Balance { account, date: row.date, amount: row.amount });
        }
        Ok(items)
    }

    /// The transactions of the first day on or after `from` that has any, and the day after it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn next_day(
        &mut self,
        from: NaiveDate,
    ) -> Result<Option<(Vec<TransactionWords>, NaiveDate)>> {
        let rows = self.tx.transactions_of_next_day(from).await?;
        let Some(day) = rows.first().map(|row| row.transaction.facts.date) else {
            return Ok(None);
        };
        let mut words: Vec<_> = match self.whole {
            true => sources::in_words(self.tx, &self.names, rows).await?,
            false => rows.into_iter().map(|row| self.names.words(row)).collect(),
        };
        sort_for_writing(&mut words);
        Ok(Some((words, day.succ_opt().unwrap_or(day))))
    }

    /// The transactions that were deleted, where the whole store is read.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn deleted(&mut self) -> Result<Vec<TransactionWords>> {
        if !self.whole {
            return Ok(Vec::new());
        }
        let rows = self.tx.deleted_transactions().await?;
        let mut words = sources::in_words(self.tx, &self.names, rows).await?;
        words.sort_by_cached_key(OrderKey::of);
        Ok(words)
    }

    /// The links that more than one row carries.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn shared_links(&mut self) -> Result<BTreeSet<SafeText>> {
        self.tx.shared_links().await
    }

    /// The securities in the order in which their prices are written.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn securities(&mut self) -> Result<Vec<(SecurityId, Mention)>> {
        let rows = self.tx.securities().await?.into_iter();
        let mut all: Vec<_> =
            rows.map(|row| (row.security.id, self.names.mention(row.security.id))).collect();
        all.sort_by(|a, b| a.1.cmp(&b.1));
        Ok(all)
    }

    /// The prices of a security.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn prices(&mut self, security: SecurityId) -> Result<Vec<Item>> {
        let mention = self.names.mention(security);
        let rows = self.tx.prices(security, i64::MIN, i64::MAX).await?.into_iter();
        Ok(rows.map(|row| Item::Price(mention.clone(), Box::new(row.price))).collect())
    }

    /// The rates, the watchlist, the alerts and the targets.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn end(&mut self) -> Result<Vec<Item>> {
        let mut items: Vec<Item> =
            self.tx.rates().await?.into_iter().map(|row| Item::Rate(row.rate)).collect();
        for row in self.tx.watchlist().await? {
            let security = self.names.mention(row.security);
            items.push(Item::Watch(security, row.terms));
        }
        for row in self.tx.alerts().await? {
            items.push(Item::Alert(self.names.mention(row.security), row.terms));
        }
        for row in self.tx.targets().await? {
            items.push(Item::Target {
                dimension: row.dimension,
                key: row.key,
                weight: row.weight,
                band: row.band,
            });
        }
        Ok(items)
    }
}
