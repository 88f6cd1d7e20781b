//! What a write touches, gathered while it goes on and settled at its end: the same transaction
//! brings every derived figure up to date.
//!
//! Two ways lead into the pages. Rows later than everything before the write come in order
//! and go in as they are; for any other row its day is read again when the write ends. Both give
//! the same page.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{NaiveDate, TimeDelta};

use super::event::{self, DayRow};
use super::replay;
use super::sheets::{Groups, Sheets};
use super::{cash, linked_cash};
use crate::analytics::lots::Event;
use crate::analytics::splits::DAYS;
use crate::model::{AccountId, Exact, Rank, SafeText, SecurityId, Subtype};
use crate::store::{Noted, Result, StoredTransaction, WriteTx};

/// Which figures must be made anew.
#[derive(Default)]
pub struct Keeper {
    /// The last day that had rows before this write.
    before: Option<NaiveDate>,
    /// Names of accounts: they decide between rows that share a place.
    names: HashMap<AccountId, SafeText>,
    groups: Groups,
    sheets: Sheets,
    /// Later rows, until their days are complete.
    fresh: BTreeMap<NaiveDate, Vec<Fresh>>,
    /// Days that went into the pages in this write.
    closed: Option<NaiveDate>,
    /// Days that must be read again, for these securities.
    again: BTreeMap<NaiveDate, BTreeSet<SecurityId>>,
    /// From which day on the lots of a group must be played again.
    from: BTreeMap<SecurityId, NaiveDate>,
    accounts: BTreeSet<AccountId>,
    renamed: BTreeSet<AccountId>,
    renamed_securities: BTreeSet<SecurityId>,
    cash: cash::Changes,
    links: BTreeSet<SafeText>,
    /// The first day that this write touches; none: no day at all.
    first: Option<NaiveDate>,
}

/// A row on its way into a page.
struct Fresh {
    seq: i64,
    rank: Rank,
    event: Event,
}

impl Keeper {
    /// Begins to gather.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(tx: &mut WriteTx) -> Result<Self> {
        Ok(Self {
            before: tx.last_day().await?,
            groups: Groups::read(tx).await?,
            sheets: Sheets::open(tx).await?,
            ..Self::default()
        })
    }

    /// Begins as if there had been no row before.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn from_nothing(tx: &mut WriteTx) -> Result<Self> {
        let names = tx.accounts().await?.into_iter();
        let names = names.map(|row| (row.account.id, row.account.name)).collect();
        Ok(Self { names, groups: Groups::read(tx).await?, ..Self::default() })
    }

    /// A live row comes (or goes, or is about to be another).
    pub fn row(&mut self, row: &StoredTransaction, comes: bool) {
        let transaction = &row.transaction;
        let facts = &transaction.facts;
        if transaction.deleted {
            return;
        }
        self.touches(facts.date);
        if let Some(link) = &transaction.link {
            self.links.insert(link.clone());
            // What the rows of a link mean depends on all of them.
            self.touches_everything();
        }
        if facts.counts() && !facts.amount.is_zero() {
            let place = self.cash.entry((transaction.account, facts.currency)).or_default();
            let sum = place.entry(facts.date).or_insert(Exact::ZERO);
            let amount = Exact::from(facts.amount);
            *sum = if comes { sum.add(&amount) } else { sum.sub(&amount) };
        }
        let Some(security) = transaction.security else { return };
        if facts.subtype == Subtype::Split {
            // Prices of before may count other units by it.
            self.touches_everything();
            // It may be the split that another account tells of on an earlier day.
            let first =
                TimeDelta::try_days(DAYS).and_then(|days| facts.date.checked_sub_signed(days));
            self.security_from(security, first.unwrap_or(facts.date));
        }
        let in_order = comes
            && self.before.is_none_or(|before| before < facts.date)
            && self.closed.is_none_or(|closed| closed < facts.date)
            && !event::needs_company(transaction);
        if in_order {
            if let Some(event) = event::of(transaction, None) {
                let fresh = Fresh { seq: transaction.seq, rank: facts.rank(), event };
                self.fresh.entry(facts.date).or_default().push(fresh);
            }
        } else {
            self.day_again(facts.date, security);
            if let Some(to) = transaction.to_security {
                self.day_again(facts.date, to);
            }
        }
    }

    /// This write touches a day, and perhaps later ones.
    pub fn touches(&mut self, day: NaiveDate) {
        self.first = Some(self.first.map_or(day, |first| first.min(day)));
    }

    /// Nobody can say which days this write touches.
    pub fn touches_everything(&mut self) {
        self.touches(NaiveDate::MIN);
    }

    /// The first day that may be another by all that was settled; none: no day is.
    #[must_use]
    pub const fn touched_from(&self) -> Option<NaiveDate> {
        self.first
    }

    fn day_again(&mut self, day: NaiveDate, security: SecurityId) {
        self.again.entry(day).or_default().insert(security);
    }

    /// The lots of a security may differ from a day on, though its rows do not: a rate came,
    /// its account has another method.
    pub fn security_from(&mut self, security: SecurityId, day: NaiveDate) {
        self.touches(day);
        let from = self.from.entry(security).or_insert(day);
        *from = day.min(*from);
    }

    /// How an account is called.
    pub fn name(&mut self, account: AccountId, name: &SafeText) {
        self.names.insert(account, name.clone());
    }

    /// Whether it is known how an account is called.
    #[must_use]
    pub fn knows(&self, account: AccountId) -> bool {
        self.names.contains_key(&account)
    }

    /// An account is called otherwise: that may give its rows another place among those of others.
    pub fn account_renamed(&mut self, account: AccountId, name: &SafeText) {
        self.names.insert(account, name.clone());
        self.renamed.insert(account);
    }

    /// The same of a security, among those it is joined with.
    pub fn security_renamed(&mut self, security: SecurityId) {
        self.renamed_securities.insert(security);
    }

    /// The rules of an account changed.
    pub fn account_changed(&mut self, account: AccountId) {
        self.accounts.insert(account);
    }

    /// Puts the days that are complete into the pages: all but the newest, which may go on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn catch_up(&mut self, tx: &mut WriteTx) -> Result<()> {
        while self.fresh.len() > 1 {
            let Some((day, rows)) = self.fresh.pop_first() else { break };
            self.close(tx, day, rows).await?;
        }
        Ok(())
    }

    async fn close(
        &mut self,
        tx: &mut WriteTx,
        day: NaiveDate,
        mut rows: Vec<Fresh>,
    ) -> Result<()> {
        self.closed = self.closed.max(Some(day));
        // Names only where the rest is equal: looking them up costs more than all other rows do.
        let names = &self.names;
        let order = |a: &Fresh, b: &Fresh| {
            let name = |row: &Fresh| names.get(&row.event.account);
            (a.seq, a.rank).cmp(&(b.seq, b.rank)).then_with(|| name(a).cmp(&name(b)))
        };
        rows.sort_by(order);
        // Rows that share even the account are told apart by their text.
        let same = rows.windows(2).filter_map(|pair| match pair {
            [a, b] if order(a, b).is_eq() => Some(a.event.security),
            _ => None,
        });
        let same: BTreeSet<_> = same.map(|security| self.groups.of(security)).collect();
        let mut by_group: BTreeMap<SecurityId, Vec<Event>> = BTreeMap::new();
        for row in rows {
            let group = self.groups.of(row.event.security);
            by_group.entry(group).or_default().push(row.event);
        }
        for (group, events) in by_group {
            let waits = self.again.get(&day).is_some_and(|securities| {
                securities.iter().any(|security| self.groups.of(*security) == group)
            });
            if same.contains(&group) || waits {
                self.day_again(day, group);
            } else {
                self.sheets.put(tx, group, day, &events).await?;
                self.replay_from(group, day);
            }
        }
        Ok(())
    }

    fn replay_from(&mut self, group: SecurityId, day: NaiveDate) {
        let from = self.from.entry(group).or_insert(day);
        *from = day.min(*from);
    }

    /// Brings every figure up to date.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle(&mut self, tx: &mut WriteTx) -> Result<()> {
        for (day, rows) in std::mem::take(&mut self.fresh) {
            self.close(tx, day, rows).await?;
        }
        let noted = tx.take_noted();
        self.follow_noted(&noted);
        for &(day, security) in &noted.rows {
            self.day_again(day, security);
        }
        self.follow_links(tx).await?;
        self.follow_names(tx).await?;
        while let Some((day, securities)) = self.again.pop_first() {
            self.read_day(tx, day, securities).await?;
        }
        cash::settle(tx, std::mem::take(&mut self.cash)).await?;
        self.follow_world(tx, noted).await?;
        let mut from: BTreeMap<SecurityId, NaiveDate> = BTreeMap::new();
        for (security, day) in std::mem::take(&mut self.from) {
            let from = from.entry(self.groups.of(security)).or_insert(day);
            *from = day.min(*from);
        }
        replay::replay(tx, &mut self.sheets, &from).await?;
        self.before = tx.last_day().await?;
        self.closed = None;
        Ok(())
    }

    fn follow_noted(&mut self, noted: &Noted) {
        if noted.settings || !self.accounts.is_empty() {
            self.touches_everything();
        }
        let rows = noted.rows.iter().map(|(day, _)| *day);
        let days = noted.prices_from.values().copied().chain(noted.rates_from).chain(rows);
        if let Some(first) = days.min() {
            self.touches(first);
        }
    }

    /// Rates, prices, settings and rules that changed: the rows stay, their lots may not.
    async fn follow_world(&mut self, tx: &mut WriteTx, noted: Noted) -> Result<()> {
        let from = if noted.settings { Some(NaiveDate::MIN) } else { noted.rates_from };
        if let Some(day) = from {
            for group in tx.groups_with_rows_from(day).await? {
                self.replay_from(group, day);
            }
        }
        for (security, day) in noted.prices_from {
            // Only what is joined with another security asks for prices.
            let group = self.groups.of(security);
            if self.groups.members(group).len() > 1 {
                self.replay_from(group, day);
            }
        }
        for account in std::mem::take(&mut self.accounts) {
            for group in tx.groups_of_account(account).await? {
                self.replay_from(group, NaiveDate::MIN);
            }
        }
        Ok(())
    }

    /// Names decide between rows that share a place.
    async fn follow_names(&mut self, tx: &mut WriteTx) -> Result<()> {
        let renamed = std::mem::take(&mut self.renamed);
        if !renamed.is_empty() {
            for row in tx.accounts().await? {
                self.names.entry(row.account.id).or_insert(row.account.name);
            }
        }
        for account in renamed {
            for group in tx.groups_of_account(account).await? {
                let names = &self.names;
                let key = |event: &Event| (event.seq, event.rank, names.get(&event.account));
                let sorted = self.sheets.sort_by(tx, group, key).await?;
                if let Some(day) = sorted {
                    self.replay_from(group, day);
                }
            }
        }
        for security in std::mem::take(&mut self.renamed_securities) {
            let group = self.groups.of(security);
            if self.groups.members(group).len() > 1 {
                for day in self.sheets.days_with_ties(tx, group).await? {
                    self.day_again(day, group);
                }
            }
        }
        Ok(())
    }

    /// What one row of a link says changes what the others mean.
    async fn follow_links(&mut self, tx: &mut WriteTx) -> Result<()> {
        for link in std::mem::take(&mut self.links) {
            let rows = tx.transactions_linked(link.as_str()).await?;
            for row in rows.iter().filter(|row| event::needs_company(&row.transaction)) {
                if let Some(security) = row.transaction.security {
                    self.day_again(row.transaction.facts.date, security);
                }
            }
            tx.put_cash_transit(&link, &linked_cash::transit(&link, &rows)).await?;
        }
        Ok(())
    }

    /// Makes a day of these securities anew from its rows.
    async fn read_day(
        &mut self,
        tx: &mut WriteTx,
        day: NaiveDate,
        securities: BTreeSet<SecurityId>,
    ) -> Result<()> {
        let rows = event::rows_of(tx, day).await?;
        let mut wanted: BTreeSet<_> =
            securities.iter().map(|security| self.groups.of(*security)).collect();
        for (a, b) in rows.iter().flat_map(DayRow::joins) {
            if let Some((gone, stays)) = self.groups.join(tx, a, b).await? {
                wanted.extend([gone, stays]);
                self.from.remove(&gone);
                let (first, both) = self.sheets.join(tx, gone, stays).await?;
                self.replay_from(stays, first.unwrap_or(day).min(day));
                for day in both {
                    self.day_again(day, stays);
                }
            }
        }
        let groups: BTreeSet<_> = wanted.iter().map(|group| self.groups.of(*group)).collect();
        let mut by_group: BTreeMap<SecurityId, Vec<Event>> =
            groups.into_iter().map(|group| (group, Vec::new())).collect();
        for row in rows {
            if let Some(events) = by_group.get_mut(&self.groups.of(row.event.security)) {
                events.push(row.event);
            }
        }
        for (group, events) in by_group {
            if self.sheets.put(tx, group, day, &events).await? {
                self.replay_from(group, day);
            }
        }
        Ok(())
    }
}
