//! What a file mentions, gathered before anything is written: which accounts, securities and
//! currencies there are decides what each row means, whatever order the rows come in.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate};

use super::intake::Content;
use super::items::mention_of;
use crate::model::{Currency, Draft, Drafts, Item, Kind, Mention, PriceSubject, SafeText};

/// How often a security is mentioned with which currency.
#[derive(Clone, Debug, Default)]
pub(super) struct Use {
    /// The first and the last day of which such a row tells.
    pub days: Option<(NaiveDate, NaiveDate)>,
    pub prices: BTreeMap<Currency, i64>,
    pub trades: BTreeMap<Currency, i64>,
    pub rows: BTreeMap<Currency, i64>,
}

impl Use {
    fn on(&mut self, first: NaiveDate, last: NaiveDate) {
        self.days = Some(match self.days {
            None => (first, last),
            Some(days) => (days.0.min(first), days.1.max(last)),
        });
    }
}

/// What one or more files mention.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    pub(super) accounts: BTreeMap<SafeText, Currency>,
    pub(super) mentions: HashMap<Mention, Use>,
    /// Bare currency codes in price files, with the currencies their prices are in.
    pub(super) codes: BTreeMap<Currency, BTreeMap<Currency, i64>>,
    pub(super) currencies: BTreeSet<Currency>,
}

impl Survey {
    /// Notes what one row mentions.
    pub fn note(&mut self, content: &Content) {
        match content {
            Content::Drafts(drafts) => self.note_drafts(drafts),
            Content::Quote(quote) => match &quote.subject {
                PriceSubject::Security(mention) => {
                    self.note_price(mention, quote.currency, Some(quote.date));
                }
                PriceSubject::Bare(code) => {
                    *self.codes.entry(*code).or_default().entry(quote.currency).or_default() += 1;
                }
                PriceSubject::Currency(_) => {}
            },
            Content::Item(item) => self.note_item(item),
        }
    }

    pub(super) fn note_drafts(&mut self, drafts: &Drafts) {
        self.note_draft(&drafts.first);
        if let Some(second) = &drafts.second {
            self.note_draft(second);
        }
    }

    fn note_item(&mut self, item: &Item) {
        match item {
            Item::Transaction(words) => self.note_draft(&words.draft),
            Item::Price(mention, price) => {
                self.note_price(mention, price.currency, day_of(price.at));
            }
            Item::Account { account, .. } => {
                self.currencies.insert(account.currency);
            }
            Item::Balance { account, .. } => {
                self.accounts.entry(account.clone()).or_insert(Currency::USD);
            }
            // Declared securities are there before rows that name them by a bare symbol.
            Item::Security(words) => {
                self.mentions.entry(mention_of(words)).or_default();
            }
            Item::Watch(security, _) | Item::Alert(security, _) => {
                self.mentions.entry(security.clone()).or_default();
            }
            _ => {}
        }
    }

    fn note_draft(&mut self, draft: &Draft) {
        let currency = draft.facts.currency;
        // A million rows name the same few accounts and securities: look before cloning.
        if !self.accounts.contains_key(&draft.account) {
            self.accounts.insert(draft.account.clone(), currency);
        }
        self.currencies.insert(currency);
        let is_trade = draft.facts.subtype.kind() == Kind::Trade;
        for mention in [&draft.security, &draft.to_security].into_iter().flatten() {
            if !self.mentions.contains_key(mention) {
                self.mentions.insert(mention.clone(), Use::default());
            }
            if let Some(used) = self.mentions.get_mut(mention) {
                used.on(draft.facts.date, draft.facts.date);
                *used.rows.entry(currency).or_default() += 1;
                if is_trade {
                    *used.trades.entry(currency).or_default() += 1;
                }
            }
        }
    }

    fn note_price(&mut self, mention: &Mention, currency: Currency, day: Option<NaiveDate>) {
        if !self.mentions.contains_key(mention) {
            self.mentions.insert(mention.clone(), Use::default());
        }
        if let Some(used) = self.mentions.get_mut(mention) {
            *used.prices.entry(currency).or_default() += 1;
            if let Some(day) = day {
                used.on(day, day);
            }
        }
    }

    /// Adds what another file mentions.
    pub fn merge(&mut self, other: &Self) {
        for (name, currency) in &other.accounts {
            self.accounts.entry(name.clone()).or_insert(*currency);
        }
        for (mention, used) in &other.mentions {
            let mine = self.mentions.entry(mention.clone()).or_default();
            if let Some((first, last)) = used.days {
                mine.on(first, last);
            }
            add(&mut mine.prices, &used.prices);
            add(&mut mine.trades, &used.trades);
            add(&mut mine.rows, &used.rows);
        }
        for (code, prices) in &other.codes {
            add(self.codes.entry(*code).or_default(), prices);
        }
        self.currencies.extend(&other.currencies);
    }
}

fn add(into: &mut BTreeMap<Currency, i64>, from: &BTreeMap<Currency, i64>) {
    for (currency, count) in from {
        *into.entry(*currency).or_default() += count;
    }
}

/// The day of an instant.
pub(super) fn day_of(at: i64) -> Option<NaiveDate> {
    DateTime::from_timestamp_micros(at).map(|at| at.date_naive())
}
