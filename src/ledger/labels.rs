//! The names of the events that single rows of a file made: a transfer, a reinvestment. They say
//! which account the row is in; once that account is another, they say that one, so that the same
//! rows make the same events when they come again. Two events never come to have one name.

use std::collections::{BTreeMap, BTreeSet};

use super::Result;
use super::body::Underlay;
use crate::model::{AccountId, SafeText};
use crate::store::StoredTransaction;

/// The names of the events of one account, and what they are in another.
pub(super) struct Labels {
    prefixes: [(String, String); 2],
    /// Of events that are in the other account.
    taken: BTreeSet<SafeText>,
    /// Of these, the ones that events which came are now.
    met: BTreeSet<SafeText>,
    today: BTreeMap<SafeText, SafeText>,
}

impl Labels {
    pub fn new(from: AccountId, into: AccountId) -> Self {
        let prefixes = ["reinvest", "transfer"]
            .map(|sort| (format!("~{sort}:{from}:"), format!("~{sort}:{into}:")));
        let (taken, met, today) = Default::default();
        Self { prefixes, taken, met, today }
    }

    /// Notes the event of a row that is in the other account already.
    pub fn know(&mut self, row: &StoredTransaction) {
        self.taken.extend(row.transaction.link.clone());
    }

    /// Whether the events of two rows may be one: neither is one with a third.
    pub fn agree(&self, kept: &StoredTransaction, lost: &StoredTransaction) -> bool {
        let Some((old, _)) = self.own(lost) else { return true };
        match (self.today.get(old), &kept.transaction.link) {
            (Some(now), kept) => kept.as_ref() == Some(now),
            (None, Some(kept)) => !self.met.contains(kept),
            (None, None) => true,
        }
    }

    /// The event of one row is that of another.
    pub fn fold(&mut self, kept: &StoredTransaction, lost: &StoredTransaction) {
        let is_own = |link: &SafeText| {
            self.prefixes.iter().any(|(_, new)| link.as_str().starts_with(new.as_str()))
        };
        let kept = kept.transaction.link.clone().filter(is_own);
        if let (Some((old, _)), Some(kept)) = (self.own(lost), kept) {
            let old = old.clone();
            self.met.insert(kept.clone());
            self.today.insert(old, kept);
        }
    }

    /// The event of a row stays one of its own.
    pub fn keep(&mut self, row: &StoredTransaction) {
        let Some((old, wanted)) = self.own(row) else { return };
        if self.today.contains_key(old) {
            return;
        }
        let (old, mut now) = (old.clone(), SafeText::new(&wanted));
        if let Some((name, number)) = wanted.rsplit_once(':') {
            let mut number: u64 = number.parse().unwrap_or(0);
            while self.taken.contains(&now) {
                number += 1;
                now = SafeText::new(&format!("{name}:{number}"));
            }
        }
        self.taken.insert(now.clone());
        self.today.insert(old, now);
    }

    /// Gives the event of a row its name of today. True: it had another.
    pub fn rename(&self, row: &mut StoredTransaction) -> Result<bool> {
        let before = row.clone();
        let today = |link: SafeText| match self.today.get(&link) {
            Some(now) => now.clone(),
            None => self.of_today(&link).map_or(link, |now| SafeText::new(&now)),
        };
        row.transaction.link = row.transaction.link.take().map(today);
        if row.source_facts.is_some() {
            let mut said = Underlay::of(row)?;
            said.link = said.link.take().map(today);
            row.source_facts = Some(said.to_json()?);
        }
        Ok(*row != before)
    }

    /// The name that a row of the account made, and what it is in the other.
    fn own<'a>(&self, row: &'a StoredTransaction) -> Option<(&'a SafeText, String)> {
        let link = row.transaction.link.as_ref()?;
        Some((link, self.of_today(link)?))
    }

    fn of_today(&self, link: &SafeText) -> Option<String> {
        self.prefixes.iter().find_map(|(old, new)| {
            let rest = link.as_str().strip_prefix(old.as_str())?;
            Some(format!("{new}{rest}"))
        })
    }
}
