//! Taking in the parts of a whole store that are no transactions and no prices: accounts,
//! securities, balances, settings and the small lists.
//!
//! What the store knows already wins over nothing: an item that is there is written over with
//! what the import says, so that reading the same export twice changes nothing.

use serde::Serialize;

use super::Result;
use super::book::Stamp;
use super::intake::Intake;
use super::sayings::{self, Fields, Thing};
use crate::model::{
    Account, AccountId, AlertId, AlertTerms, BatchId, Column, Item, Mention, NewAccount, Refusal,
    SecurityWords, WatchTerms, Why,
};
use crate::store::{
    AccountRecord, Alert, AllocationTarget, Balance, CategoryRecord, Verdict, Watch,
};

type Taken = Result<std::result::Result<Verdict, Refusal>>;

impl Intake {
    /// Takes in anything but a transaction, a price or a rate.
    pub(super) async fn take_item(&mut self, item: Item) -> Taken {
        match item {
            Item::Setting(setting, value) => {
                let Ok(value) = setting.check(&value) else { return Ok(Ok(Verdict::Duplicate)) };
                let there = self.tx.settings().await?.remove(setting.key());
                let before = sayings::only(there.as_deref());
                let said = sayings::only(Some(&value));
                self.book.sayings.note(Thing::Setting(setting), said, &before);
                self.tx.put_setting(setting, &value).await?;
                Ok(Ok(verdict(there.as_ref(), &value)))
            }
            Item::Account { account, derived } => self.take_account(account, derived).await,
            Item::Balance { account, date, amount } => {
                let Some(&id) = self.book.names.get(&account) else {
                    let why = Why::NoAccount(account);
                    return Ok(Err(Refusal { column: Column("account"), why }));
                };
                let there = self.tx.balance_on(id, date).await?;
                let there = there.filter(|balance| balance.date == date);
                // What was there before stays whose it was, so that an undo leaves it.
                let batch = there.as_ref().map_or(self.stamp.batch, |balance| balance.batch);
                let before = match &there {
                    Some(there) => sayings::only(Some(&there.amount.to_string())),
                    None => Fields::new(),
                };
                let said = sayings::only(Some(&amount.to_string()));
                self.book.sayings.note(Thing::Balance(id, date), said, &before);
                let verdict = verdict(there.map(|balance| balance.amount).as_ref(), &amount);
                if verdict != Verdict::Duplicate {
                    let created = self.stamp.now;
                    let balance = Balance { account: id, date, amount, batch, created };
                    self.tx.put_balance(&balance).await?;
                }
                Ok(Ok(verdict))
            }
            Item::Category { name, parent } => {
                let (tx, stamp) = (&mut self.tx, &self.stamp);
                let is_there = self.book.categories.contains_key(&name);
                let parent = match &parent {
                    Some(parent) => Some(self.book.category(tx, parent, stamp).await?),
                    None => None,
                };
                let id = self.book.category(tx, &name, stamp).await?;
                if parent.is_some() {
                    let row = CategoryRecord { id, name, parent, batch: stamp.batch };
                    tx.update_category(&row).await?;
                }
                Ok(Ok(if is_there { Verdict::Duplicate } else { Verdict::New }))
            }
            Item::Security(words) => self.take_security(words).await,
            Item::Watch(security, terms) => self.take_watch(&security, terms).await,
            Item::Alert(security, terms) => self.take_alert(&security, terms).await,
            Item::Target { dimension, key, weight, band } => {
                let there = self.tx.targets().await?;
                let there =
                    there.into_iter().find(|row| row.dimension == dimension && row.key == key);
                let batch = there.as_ref().map_or(self.stamp.batch, |row| row.batch);
                let row = AllocationTarget { dimension, key, weight, band, batch };
                self.tx.put_target(&row).await?;
                Ok(Ok(verdict(there.as_ref(), &row)))
            }
            Item::Transaction(_) | Item::Price(..) | Item::Rate(_) => Ok(Ok(Verdict::Duplicate)),
        }
    }

    async fn take_watch(&mut self, security: &Mention, terms: WatchTerms) -> Taken {
        let security = match self.meaning(security, None).await? {
            Ok(security) => security,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let there = self.tx.watchlist().await?;
        let there = there.into_iter().find(|row| row.security == security);
        let batch = there.as_ref().map_or(self.stamp.batch, |row| row.batch);
        let before = match &there {
            Some(row) => self.before(row.batch, &row.terms)?,
            None => Fields::new(),
        };
        let said = sayings::names(&[
            (terms.list.is_some(), "list"),
            (terms.note.is_some(), "note"),
            (terms.target.is_some(), "target"),
            (terms.target.is_some(), "units_of"),
            (terms.target.is_some(), "said_in"),
        ]);
        let terms = terms.over(there.as_ref().map(|row| row.terms.clone()).unwrap_or_default());
        let said = sayings::some_of(&sayings::all_of(&terms)?, &said);
        self.book.sayings.note(Thing::Watch(security), said, &before);
        let row = Watch { security, terms, batch };
        self.tx.put_watch(&row).await?;
        Ok(Ok(verdict(there.as_ref(), &row)))
    }

    /// An alert of the same at the same bound is the same; what else is said of it is as it was.
    async fn take_alert(&mut self, security: &Mention, terms: AlertTerms) -> Taken {
        let security = match self.meaning(security, None).await? {
            Ok(security) => security,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let same = |old: &Alert| old.security == security && old.terms.waits_for_the_same(&terms);
        if self.tx.alerts().await?.iter().any(same) {
            return Ok(Ok(Verdict::Duplicate));
        }
        let (id, batch) = (AlertId(self.tx.take_id()), self.stamp.batch);
        self.tx.insert_alert(&Alert { id, security, terms, batch, crossed: None }).await?;
        Ok(Ok(Verdict::New))
    }

    async fn take_account(&mut self, new: NewAccount, derived: bool) -> Taken {
        let institution = match &new.institution {
            Some(name) => Some(self.tx.institution(name, self.stamp.batch).await?),
            None => None,
        };
        if let Some(&id) = self.book.names.get(&new.name) {
            let mut row = self.book.account(id)?.clone();
            let before = self.before(row.batch, &row.account)?;
            // A former name leads to it and does not come back.
            let name = row.account.name;
            row.account = Account { name, ..as_account(id, new, derived) };
            row.institution = institution;
            self.say_of_account(&row, &before)?;
            let verdict = verdict(Some(self.book.account(id)?), &row);
            if verdict == Verdict::Changed {
                self.book.put_account(&mut self.tx, row, &self.stamp, true).await?;
            }
            return Ok(Ok(verdict));
        }
        let id = AccountId(self.tx.take_id());
        let Stamp { now, batch, .. } = self.stamp.clone();
        let row = AccountRecord {
            account: as_account(id, new, derived),
            institution,
            connection: None,
            batch,
            version: 1,
            created: now,
            updated: None,
        };
        self.tx.insert_account(&row).await?;
        self.say_of_account(&row, &Fields::new())?;
        self.book.names.insert(row.account.name.clone(), id);
        self.book.accounts.insert(id, row);
        Ok(Ok(Verdict::New))
    }

    /// What stood in a thing before this import; nothing where the import itself made it.
    fn before(&self, maker: Option<BatchId>, thing: &impl Serialize) -> Result<Fields> {
        match maker == self.stamp.batch {
            true => Ok(Fields::new()),
            false => sayings::all_of(thing),
        }
    }

    fn say_of_account(&mut self, row: &AccountRecord, before: &Fields) -> Result<()> {
        let mut said = sayings::all_of(&row.account)?;
        said.remove("id");
        said.remove("name");
        self.declared.insert(Thing::Account(row.account.id));
        self.book.sayings.note(Thing::Account(row.account.id), said, before);
        Ok(())
    }

    async fn take_security(&mut self, words: SecurityWords) -> Taken {
        let mention = mention_of(&words);
        let id = match self.meaning(&mention, None).await? {
            Ok(id) => id,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.declared.insert(Thing::Security(id));
        let before = self.book.security(id)?;
        let mut row = before.clone();
        let said = sayings::names(&[
            (true, "currency"),
            (true, "derived"),
            (words.cusip.is_some(), "cusip"),
            (words.figi.is_some(), "figi"),
            (words.name.is_some(), "name"),
            (words.class.is_some(), "class"),
            (words.sector.is_some(), "sector"),
            (words.region.is_some(), "region"),
            (words.tags.is_some(), "tags"),
        ]);
        let fields_before = self.before(row.batch, &row.security)?;
        row.security.currency = words.currency;
        row.security.cusip = words.cusip.or(row.security.cusip);
        row.security.figi = words.figi.or(row.security.figi);
        row.security.name = words.name.or(row.security.name);
        row.security.class = words.class.or(row.security.class);
        row.security.sector = words.sector.or(row.security.sector);
        row.security.region = words.region.or(row.security.region);
        row.security.tags = words.tags.or(row.security.tags);
        row.security.derived = words.derived;
        let said = sayings::some_of(&sayings::all_of(&row.security)?, &said);
        let before = before.clone();
        self.book.sayings.note(Thing::Security(id), said, &fields_before);
        let is_new = before.batch == self.stamp.batch;
        let verdict = if is_new { Verdict::New } else { verdict(Some(&before), &row) };
        if row != before {
            self.book.put_security(&mut self.tx, row, &self.stamp, false).await?;
        }
        Ok(Ok(verdict))
    }
}

/// What became of a thing that a store has at most once.
fn verdict<T: PartialEq>(before: Option<&T>, now: &T) -> Verdict {
    match before {
        None => Verdict::New,
        Some(before) if before == now => Verdict::Duplicate,
        Some(_) => Verdict::Changed,
    }
}

/// How a declared security is looked for.
pub(super) fn mention_of(words: &SecurityWords) -> Mention {
    Mention {
        symbol: words.symbol.clone(),
        currency: Some(words.currency),
        venue: words.venue.clone(),
        isin: words.isin.clone(),
    }
}

/// The account that a declaration describes.
pub(super) fn as_account(id: AccountId, new: NewAccount, derived: bool) -> Account {
    Account {
        id,
        name: new.name,
        kind: new.kind,
        currency: new.currency,
        mode: new.mode,
        method: new.method,
        institution: new.institution,
        closed: new.closed,
        performance: new.performance,
        derived,
    }
}
