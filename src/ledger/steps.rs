//! What a change by hand did, thing by thing, so that it can be taken back and done again.
//!
//! Each step keeps what a thing was and what it is since. Going back is refused where it is
//! something else by now: what another session or an import wrote meanwhile is nobody's to undo
//! here. Going back gives steps too, the same ones turned around, and they lead forward.

use std::collections::BTreeSet;

use super::book::{Book, Stamp};
use super::sayings::{self, Fields, Thing};
use super::{Applied, Error, Result, called, edit, proposed, watch, write};
use crate::model::{AccountId, OpId, SafeText, Setting};
use crate::store::{
    AccountRecord, Alert, AllocationTarget, Balance, CategoryRecord, Finding, PriceRecord,
    RateRecord, SecurityRecord, Store, StoredTransaction, SymbolRecord, Watch, WriteTx,
};

/// What was, and what is; none: nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Turn<T> {
    pub was: Option<T>,
    pub is: Option<T>,
}

impl<T> Turn<T> {
    /// Something new.
    pub const fn new(is: T) -> Self {
        Self { was: None, is: Some(is) }
    }

    /// One thing in place of another.
    pub const fn other(was: T, is: T) -> Self {
        Self { was: Some(was), is: Some(is) }
    }

    fn turned(&self) -> Self
    where
        T: Clone,
    {
        Self { was: self.is.clone(), is: self.was.clone() }
    }
}

/// What happened to one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Row(Box<Turn<StoredTransaction>>),
    Account(Box<Turn<AccountRecord>>),
    Security(Box<Turn<SecurityRecord>>),
    Category(Turn<CategoryRecord>),
    Balance(Turn<Balance>),
    Price(Box<Turn<PriceRecord>>),
    Rate(Box<Turn<RateRecord>>),
    Target(Turn<AllocationTarget>),
    Symbol(Turn<SymbolRecord>),
    Watch(Turn<Watch>),
    Alert(Turn<Alert>),
    Setting(Setting, Turn<String>),
    Finding(Box<Turn<Finding>>),
}

/// What a change by hand did; empty where it cannot be taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps(pub(super) Vec<Step>);

impl Steps {
    /// There is nothing to take back.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many things it did something to.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }
}

/// Goes the steps back, the last one first; all of them or none.
pub(super) async fn take_back(store: &Store, steps: Steps, op: OpId, now: i64) -> Result<Applied> {
    let mut tx = store.write().await?;
    let book = Book::open(&mut tx).await?;
    let stamp = Stamp { op: op.to_string(), now, batch: None };
    let mut back = Back { tx, book, stamp, applied: Applied::default() };
    let is_seen = |step: &Step| {
        use Step::{Alert, Price, Row, Symbol, Target, Watch};
        matches!(step, Row(_) | Price(_) | Target(_) | Symbol(_) | Watch(_) | Alert(_))
    };
    let is_seen = steps.0.iter().all(is_seen);
    for step in steps.0.into_iter().rev() {
        let gone = back.go(step).await?;
        back.applied.steps.0.push(gone);
    }
    let Back { mut tx, mut book, stamp, mut applied } = back;
    tx.forget_orphan_findings().await?;
    book.settle(&mut tx, &stamp).await?;
    forget_idle_securities(&mut tx, &mut book, &applied.steps).await?;
    book.settle_figures(&mut tx).await?;
    if is_seen {
        book.carry_days(&mut tx).await?;
    }
    applied.revision = tx.commit(&stamp.op, "change.undo", now).await?;
    Ok(applied)
}

/// Securities that the change made go once nothing refers to them; a row of somebody else's may.
async fn forget_idle_securities(tx: &mut WriteTx, book: &mut Book, steps: &Steps) -> Result<()> {
    let made = steps.0.iter().filter_map(|step| match step {
        Step::Security(turn) if turn.is.is_none() => turn.was.as_ref().map(|row| row.security.id),
        _ => None,
    });
    for id in made {
        if !tx.is_security_used(id).await? {
            tx.forget_security(id).await?;
            book.securities.remove(&id);
        }
    }
    Ok(())
}

/// On the way back.
struct Back {
    tx: WriteTx,
    book: Book,
    stamp: Stamp,
    applied: Applied,
}

impl Back {
    /// Goes one step back; gives the step that leads forward again.
    async fn go(&mut self, step: Step) -> Result<Step> {
        Ok(match step {
            Step::Row(turn) => Step::Row(Box::new(self.row(*turn).await?)),
            Step::Account(turn) => Step::Account(Box::new(self.account(*turn).await?)),
            Step::Security(turn) => Step::Security(Box::new(self.security(*turn).await?)),
            Step::Category(turn) => Step::Category(self.category(turn).await?),
            Step::Balance(turn) => Step::Balance(self.balance(turn).await?),
            Step::Price(turn) => Step::Price(Box::new(self.price(*turn).await?)),
            Step::Rate(turn) => Step::Rate(Box::new(self.rate(*turn).await?)),
            Step::Target(turn) => Step::Target(self.target(turn).await?),
            Step::Symbol(turn) => {
                called::take_back(&mut self.tx, &turn).await?;
                Step::Symbol(turn.turned())
            }
            Step::Watch(turn) => {
                watch::take_back(&mut self.tx, &turn).await?;
                if let (Some(was), Some(is)) = (&turn.was, &turn.is) {
                    let (old, new) = (sayings::all_of(&is.terms)?, sayings::all_of(&was.terms)?);
                    self.say_again(Thing::Watch(was.security), &old, &new);
                }
                Step::Watch(turn.turned())
            }
            Step::Alert(turn) => Step::Alert(watch::take_alert_back(&mut self.tx, &turn).await?),
            Step::Setting(setting, turn) => {
                Step::Setting(setting, self.setting(setting, turn).await?)
            }
            Step::Finding(turn) => Step::Finding(Box::new(self.finding(*turn).await?)),
        })
    }

    async fn row(&mut self, turn: Turn<StoredTransaction>) -> Result<Turn<StoredTransaction>> {
        let id = turn.is.as_ref().or(turn.was.as_ref()).map(|row| row.transaction.id);
        let Some(id) = id else { return Ok(turn) };
        self.applied.transactions.push(id);
        let now = self.tx.transaction(id).await?;
        if now.as_ref().map(content) != turn.is.as_ref().map(content) {
            return Err(Error::ChangedSince(SafeText::new(&format!("transaction {id}"))));
        }
        match (&turn.was, now) {
            (None, Some(now)) => {
                // An import found the row there: it is not only ours any more.
                if !self.tx.claims(&[id]).await?.is_empty() {
                    return Err(Error::ClaimedSince(id));
                }
                self.book.count(&now, false);
                self.tx.forget_transactions(&[id]).await?;
                let link = proposed::link_of(&now.transaction).cloned();
                let links: BTreeSet<_> = link.into_iter().collect();
                let (tx, book) = (&mut self.tx, &mut self.book);
                proposed::free_halves(tx, book, &links, &self.stamp).await?;
            }
            (Some(was), None) => {
                let mut row = was.clone();
                self.fit_category(&mut row).await?;
                // The other half of its event was freed when it went, and may be gone or another
                // one's by now.
                if proposed::link_of(&row.transaction).is_some() {
                    row.transaction.link = None;
                    let (tx, book) = (&mut self.tx, &mut self.book);
                    proposed::link_alone(tx, book, &mut row.transaction, &self.stamp).await?;
                }
                self.tx.insert_transactions(&[&row]).await?;
                self.book.count(&row, true);
                return Ok(Turn::new(row));
            }
            (Some(was), Some(now)) => {
                let cause = match (was.transaction.deleted, now.transaction.deleted) {
                    (true, false) => "delete",
                    (false, true) => "restore",
                    _ => "edit",
                };
                let mut row = was.clone();
                let (tx, book) = (&mut self.tx, &mut self.book);
                write::put(tx, book, &now, &mut row, &self.stamp, cause).await?;
            }
            (None, None) => {}
        }
        Ok(turn.turned())
    }

    /// A category that went meanwhile comes back with its row.
    async fn fit_category(&mut self, row: &mut StoredTransaction) -> Result<()> {
        row.category = match &row.transaction.facts.category {
            Some(name) => Some(self.book.category(&mut self.tx, name, &self.stamp).await?),
            None => None,
        };
        Ok(())
    }

    async fn account(&mut self, turn: Turn<AccountRecord>) -> Result<Turn<AccountRecord>> {
        let id = turn.is.as_ref().or(turn.was.as_ref()).map(|row| row.account.id);
        let Some(id) = id else { return Ok(turn) };
        self.applied.account = Some(id);
        let now = self.book.accounts.get(&id).cloned();
        let content = |row: &AccountRecord| (row.account.clone(), row.connection);
        let changed = || {
            let named = turn.is.as_ref().or(turn.was.as_ref());
            Error::ChangedSince(named.map(|row| row.account.name.clone()).unwrap_or_default())
        };
        if now.as_ref().map(content) != turn.is.as_ref().map(content) {
            return Err(changed());
        }
        match (&turn.was, now) {
            (None, Some(now)) => {
                if self.tx.is_account_used(id).await? {
                    return Err(changed());
                }
                self.tx.forget_account(id).await?;
                self.forget_named(id);
                // Its older versions stay readable: should it come back, it goes on counting.
                let was = turn.is.map(|row| AccountRecord { version: now.version, ..row });
                return Ok(Turn { was, is: None });
            }
            (Some(was), None) => {
                if self.book.names.contains_key(&was.account.name) {
                    return Err(Error::NameTaken(was.account.name.clone()));
                }
                self.tx.insert_account(was).await?;
                self.book.names.insert(was.account.name.clone(), id);
                self.book.accounts.insert(id, was.clone());
            }
            (Some(was), Some(now)) => {
                let mut row = was.clone();
                row.version = now.version;
                let (old, new) = (sayings::all_of(&now.account)?, sayings::all_of(&was.account)?);
                self.say_again(Thing::Account(id), &old, &new);
                self.book.put_account(&mut self.tx, row, &self.stamp, true).await?;
                self.book.look_again(Thing::Account(id));
                if was.account.name != now.account.name {
                    self.tx.lead_name(&was.account.name, id).await?;
                }
            }
            (None, None) => {}
        }
        Ok(turn.turned())
    }

    /// Notes what is said anew: what is not as it stands.
    fn say_again(&mut self, thing: Thing, old: &Fields, new: &Fields) {
        let other = new.iter().filter(|(key, value)| old.get(*key) != Some(*value));
        let said = other.map(|(key, value)| (key.clone(), value.clone())).collect();
        self.book.sayings.note(thing, said, &Fields::new());
    }

    fn forget_named(&mut self, id: AccountId) {
        self.book.accounts.remove(&id);
        self.book.names.retain(|_, owner| *owner != id);
    }

    async fn security(&mut self, turn: Turn<SecurityRecord>) -> Result<Turn<SecurityRecord>> {
        let id = turn.is.as_ref().or(turn.was.as_ref()).map(|row| row.security.id);
        let Some(id) = id else { return Ok(turn) };
        self.applied.security = Some(id);
        let now = self.book.securities.get(&id).cloned();
        match (&turn.was, &turn.is, now) {
            // One that the change made goes in the end, if nothing else has come to need it; one
            // that somebody needed stayed.
            (None, Some(is), Some(now)) => {
                let was = SecurityRecord { version: now.version, ..is.clone() };
                return Ok(Turn { was: Some(was), is: None });
            }
            (Some(_), None, Some(_)) => {}
            (Some(was), None, None) => {
                self.tx.insert_securities(std::slice::from_ref(was)).await?;
                self.book.index_security(was.clone());
            }
            (Some(was), Some(is), Some(now)) if now.security == is.security => {
                let mut row = was.clone();
                row.version = now.version;
                self.book.put_security(&mut self.tx, row, &self.stamp, true).await?;
                self.book.look_again(Thing::Security(id));
            }
            (_, is, _) => {
                let symbol = is.as_ref().map(|row| row.security.symbol.clone());
                return Err(Error::ChangedSince(symbol.unwrap_or_default()));
            }
        }
        Ok(turn.turned())
    }

    async fn category(&mut self, turn: Turn<CategoryRecord>) -> Result<Turn<CategoryRecord>> {
        // Where another row has it by now, it stays.
        if let (None, Some(is)) = (&turn.was, &turn.is)
            && self.tx.forget_category(is.id).await?
        {
            self.book.categories.remove(&is.name);
        }
        if let (Some(was), None) = (&turn.was, &turn.is)
            && !self.book.categories.contains_key(&was.name)
        {
            self.tx.insert_categories(std::slice::from_ref(was)).await?;
            self.book.categories.insert(was.name.clone(), was.id);
        }
        Ok(turn.turned())
    }

    async fn balance(&mut self, turn: Turn<Balance>) -> Result<Turn<Balance>> {
        let Some(place) = turn.is.as_ref().or(turn.was.as_ref()) else { return Ok(turn) };
        let (account, date) = (place.account, place.date);
        let now = self.tx.balance_on(account, date).await?.filter(|row| row.date == date);
        if now.as_ref().map(|row| row.amount) != turn.is.as_ref().map(|row| row.amount) {
            let what = format!("the balance of {date}");
            return Err(Error::ChangedSince(SafeText::new(&what)));
        }
        self.applied.account = Some(account);
        match (&turn.was, &turn.is) {
            (Some(was), _) => {
                self.tx.put_balance(was).await?;
                let said = sayings::only(Some(&was.amount.to_string()));
                let thing = Thing::Balance(account, date);
                self.book.sayings.note(thing, said, &Fields::new());
            }
            (None, Some(is)) => self.tx.forget_balance(is).await?,
            (None, None) => {}
        }
        Ok(turn.turned())
    }

    async fn price(&mut self, turn: Turn<PriceRecord>) -> Result<Turn<PriceRecord>> {
        let Some(place) = turn.is.as_ref().or(turn.was.as_ref()) else { return Ok(turn) };
        let now = self.tx.prices_like(std::slice::from_ref(place)).await?.into_iter().next();
        if now.as_ref().map(|row| &row.price) != turn.is.as_ref().map(|row| &row.price) {
            return Err(Error::ChangedSince(SafeText::new("the price")));
        }
        self.applied.security = Some(place.price.security);
        let mut count = |row: &PriceRecord, by| {
            self.book.count_prices(row.price.security, row.price.currency, by);
        };
        if let Some(now) = &now {
            count(now, -1);
        }
        if let Some(was) = &turn.was {
            count(was, 1);
        }
        match (&turn.was, now) {
            (None, Some(now)) => self.tx.forget_price(&now).await?,
            (Some(was), None) => self.tx.insert_prices(std::slice::from_ref(was)).await?,
            (Some(was), Some(now)) => self.tx.replace_price(&now, was).await?,
            (None, None) => {}
        }
        Ok(turn.turned())
    }

    async fn rate(&mut self, turn: Turn<RateRecord>) -> Result<Turn<RateRecord>> {
        let Some(place) = turn.is.as_ref().or(turn.was.as_ref()) else { return Ok(turn) };
        let now = self.tx.rates_like(std::slice::from_ref(place)).await?.into_iter().next();
        if now.as_ref().map(|row| &row.rate) != turn.is.as_ref().map(|row| &row.rate) {
            let what = format!("the rate of {}/{}", place.rate.base, place.rate.quote);
            return Err(Error::ChangedSince(SafeText::new(&what)));
        }
        match (&turn.was, now) {
            (None, Some(now)) => self.tx.forget_rate(&now).await?,
            (Some(was), None) => self.tx.insert_rates(std::slice::from_ref(was)).await?,
            (Some(was), Some(now)) => self.tx.replace_rate(&now, was).await?,
            (None, None) => {}
        }
        Ok(turn.turned())
    }

    async fn target(&mut self, turn: Turn<AllocationTarget>) -> Result<Turn<AllocationTarget>> {
        let Some(place) = turn.is.as_ref().or(turn.was.as_ref()) else { return Ok(turn) };
        let (dimension, key) = (place.dimension.clone(), place.key.clone());
        let all = self.tx.targets().await?.into_iter();
        let now = all.into_iter().find(|row| row.dimension == dimension && row.key == key);
        let content = |row: &AllocationTarget| (row.weight, row.band);
        if now.as_ref().map(content) != turn.is.as_ref().map(content) {
            let what = format!("the target of {key} by {dimension}");
            return Err(Error::ChangedSince(SafeText::new(&what)));
        }
        match &turn.was {
            Some(was) => edit::put_target(&mut self.tx, was).await?,
            None => {
                self.tx.remove_target(dimension.as_str(), key.as_str()).await?;
            }
        }
        Ok(turn.turned())
    }

    /// A refresh may have settled it since: then it is nobody's to turn back.
    async fn finding(&mut self, turn: Turn<Finding>) -> Result<Turn<Finding>> {
        let (Some(was), Some(is)) = (&turn.was, &turn.is) else { return Ok(turn) };
        let now = self.tx.findings().await?;
        if !now.contains(is) {
            return Err(Error::ChangedSince(SafeText::new("the difference")));
        }
        self.tx.put_finding(was).await?;
        Ok(turn.turned())
    }

    async fn setting(&mut self, setting: Setting, turn: Turn<String>) -> Result<Turn<String>> {
        let now = self.tx.settings().await?.remove(setting.key());
        if now != turn.is {
            let what = format!("the setting {}", setting.key());
            return Err(Error::ChangedSince(SafeText::new(&what)));
        }
        match &turn.was {
            Some(was) => self.tx.put_setting(setting, was).await?,
            None => self.tx.forget_setting(setting).await?,
        }
        if let Some(was) = &turn.was {
            let said = sayings::only(Some(was));
            self.book.sayings.note(Thing::Setting(setting), said, &Fields::new());
        }
        Ok(turn.turned())
    }
}

/// What a row says, whichever version of it that is.
fn content(row: &StoredTransaction) -> StoredTransaction {
    let mut row = row.clone();
    (row.transaction.version, row.transaction.updated, row.category) = (0, 0, None);
    row
}
