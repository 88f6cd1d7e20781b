//! Who says what of an account, a security, a setting or a balance, field by field, so that taking
//! an import back brings back what was there before, or what another import or a person said
//! since. Of transactions the claims tell; of prices their own.
//!
//! Noted are: what each import says (also where it says nothing new: it may be the last to say it),
//! what stood there before the first of them, and what a person says.

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Result;
use super::body::{self, damaged};
use super::book::{Book, Stamp};
use crate::model::{
    Account, AccountId, BatchId, Dec, Mode, Security, SecurityId, Setting, WatchTerms,
};
use crate::store::{Balance, Saying, Watch, WriteTx};

/// Fields and their values.
pub(super) type Fields = Map<String, Value>;

/// The field of a thing that has only one.
pub(super) const VALUE: &str = "value";

/// Something of which something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Thing {
    Account(AccountId),
    Security(SecurityId),
    Setting(Setting),
    Balance(AccountId, NaiveDate),
    Watch(SecurityId),
}

impl Thing {
    pub const fn entity(self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Security(_) => "security",
            Self::Setting(_) => "setting",
            Self::Balance(..) => "balance",
            Self::Watch(_) => "watch",
        }
    }

    fn read(entity: &str, key: &str) -> Option<Self> {
        Some(match entity {
            "account" => Self::Account(key.parse().ok()?),
            "security" => Self::Security(key.parse().ok()?),
            "watch" => Self::Watch(key.parse().ok()?),
            "setting" => Self::Setting(Setting::parse(key).ok()?),
            "balance" => {
                let (account, date) = key.split_once(' ')?;
                Self::Balance(account.parse().ok()?, date.parse().ok()?)
            }
            _ => return None,
        })
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => id.fmt(f),
            Self::Security(id) | Self::Watch(id) => id.fmt(f),
            Self::Setting(setting) => f.write_str(setting.key()),
            Self::Balance(account, date) => write!(f, "{account} {date}"),
        }
    }
}

/// What is said in one write, until its end.
#[derive(Debug, Default)]
pub(super) struct Sayings(BTreeMap<Thing, Said>);

#[derive(Debug, Default)]
struct Said {
    fields: Fields,
    before: Fields,
}

impl Sayings {
    /// Notes what is said of a thing, and of those fields what stood there before; nothing did
    /// where this write made the thing.
    pub fn note(&mut self, thing: Thing, fields: Fields, before: &Fields) {
        let said = self.0.entry(thing).or_default();
        for (field, value) in fields {
            if !said.fields.contains_key(&field)
                && let Some(old) = before.get(&field)
            {
                said.before.insert(field.clone(), old.clone());
            }
            said.fields.insert(field, value);
        }
    }

    /// Writes down what was noted.
    pub async fn settle(&mut self, tx: &mut WriteTx, batch: Option<BatchId>) -> Result<()> {
        let mut rows = Vec::new();
        for (thing, mut said) in std::mem::take(&mut self.0) {
            let (entity, key) = (thing.entity(), thing.to_string());
            let stored = tx.sayings_of(entity, &key).await?;
            let saying = |revision, batch, fields: &Fields| -> Result<Saying> {
                let (entity, key) = (entity.to_owned(), key.clone());
                Ok(Saying { entity, key, revision, batch, fields: body::to_json(fields)? })
            };
            let revision = tx.next_revision();
            for row in &stored {
                let known = fields_of(row)?;
                said.before.retain(|field, _| row.revision == 0 || !known.contains_key(field));
                if row.revision == 0 {
                    said.before.extend(known);
                } else if row.revision == revision {
                    said.fields = known.into_iter().chain(said.fields).collect();
                }
            }
            if batch.is_some() && !said.before.is_empty() {
                rows.push(saying(0, BatchId(0), &said.before)?);
            }
            rows.push(saying(revision, batch.unwrap_or(BatchId(0)), &said.fields)?);
        }
        Ok(tx.put_sayings(&rows).await?)
    }
}

/// All that can be said of something that is stored.
pub(super) fn all_of(thing: &impl Serialize) -> Result<Fields> {
    match serde_json::to_value(thing).map_err(|error| damaged(&error))? {
        Value::Object(fields) => Ok(fields),
        _ => Ok(Fields::new()),
    }
}

/// The fields of these names.
pub(super) fn some_of(all: &Fields, names: &[&str]) -> Fields {
    let of = |name: &&str| all.get(*name).map(|value| ((*name).to_owned(), value.clone()));
    names.iter().filter_map(of).collect()
}

/// The names of the fields that are said.
pub(super) fn names(fields: &[(bool, &'static str)]) -> Vec<&'static str> {
    fields.iter().filter(|(is_said, _)| *is_said).map(|(_, name)| *name).collect()
}

/// A thing that has only one field.
pub(super) fn only(value: Option<&str>) -> Fields {
    [(VALUE.to_owned(), value.map_or(Value::Null, Value::from))].into_iter().collect()
}

fn fields_of(row: &Saying) -> Result<Fields> {
    serde_json::from_str(&row.fields).map_err(|error| damaged(&error))
}

/// Takes back what an import said: where it was the last to say something, what was said before
/// holds again.
pub(super) async fn undo(
    tx: &mut WriteTx,
    book: &mut Book,
    batch: BatchId,
    stamp: &Stamp,
) -> Result<()> {
    let mut things: BTreeMap<Thing, Vec<Saying>> = BTreeMap::new();
    for row in tx.sayings_beside(batch).await? {
        if let Some(thing) = Thing::read(&row.entity, &row.key) {
            things.entry(thing).or_default().push(row);
        }
    }
    tx.forget_sayings_of(batch).await?;
    for (thing, rows) in things {
        let mut others = rows.iter().rev().map(|row| row.batch);
        if let Some(heir) = others.find(|other| *other != batch && other.0 > 0) {
            pass_on(tx, thing, batch, heir).await?;
        }
        let mut holds: BTreeMap<String, (BatchId, Value)> = BTreeMap::new();
        let mut rest: BTreeMap<String, Value> = BTreeMap::new();
        for row in rows {
            for (field, value) in fields_of(&row)? {
                if row.batch != batch {
                    rest.insert(field.clone(), value.clone());
                }
                holds.insert(field, (row.batch, value));
            }
        }
        let mine = holds.into_iter().filter(|(_, (last, _))| *last == batch);
        let again: BTreeMap<_, _> =
            mine.map(|(field, _)| (field.clone(), rest.remove(&field))).collect();
        if !again.is_empty() {
            restore(tx, book, thing, again, stamp).await?;
        }
    }
    Ok(())
}

/// Gives a balance, or what is watched, to another import that says something of it.
async fn pass_on(tx: &mut WriteTx, thing: Thing, batch: BatchId, heir: BatchId) -> Result<()> {
    match thing {
        Thing::Balance(account, date) => {
            let there = tx.balance_on(account, date).await?;
            let mine = there.filter(|row| row.date == date && row.batch == Some(batch));
            if let Some(row) = mine {
                tx.put_balance(&Balance { batch: Some(heir), ..row }).await?;
            }
        }
        Thing::Watch(id) => {
            let mine = watched(tx, id).await?.filter(|row| row.batch == Some(batch));
            if let Some(row) = mine {
                tx.put_watch(&Watch { batch: Some(heir), ..row }).await?;
            }
        }
        Thing::Account(_) | Thing::Security(_) | Thing::Setting(_) => {}
    }
    Ok(())
}

async fn watched(tx: &mut WriteTx, id: SecurityId) -> Result<Option<Watch>> {
    Ok(tx.watchlist().await?.into_iter().find(|row| row.security == id))
}

/// Gives fields their former values; none: nobody else ever said anything of it.
async fn restore(
    tx: &mut WriteTx,
    book: &mut Book,
    thing: Thing,
    fields: BTreeMap<String, Option<Value>>,
    stamp: &Stamp,
) -> Result<()> {
    let value = || fields.get(VALUE).cloned().flatten().filter(|value| !value.is_null());
    match thing {
        Thing::Account(id) => {
            let Some(mut row) = book.accounts.get(&id).cloned() else { return Ok(()) };
            row.account = laid::<Account>(&row.account, fields)?;
            row.institution = match &row.account.institution {
                Some(name) => Some(tx.institution(name, None).await?),
                None => None,
            };
            if row != *book.account(id)? {
                book.put_account(tx, row, stamp, true).await?;
                book.look_again(thing);
            }
        }
        Thing::Security(id) => {
            let Some(mut row) = book.securities.get(&id).cloned() else { return Ok(()) };
            row.security = laid::<Security>(&row.security, fields)?;
            if row != *book.security(id)? {
                book.put_security(tx, row, stamp, true).await?;
                book.look_again(thing);
            }
        }
        Thing::Setting(setting) => match value().as_ref().and_then(Value::as_str) {
            Some(value) => tx.put_setting(setting, value).await?,
            None => tx.forget_setting(setting).await?,
        },
        Thing::Watch(id) => {
            if let Some(row) = watched(tx, id).await? {
                let terms = laid::<WatchTerms>(&row.terms, fields)?;
                tx.put_watch(&Watch { terms, ..row }).await?;
            }
        }
        Thing::Balance(account, date) => {
            let there = tx.balance_on(account, date).await?;
            if let (Some(value), Some(there)) = (value(), there.filter(|row| row.date == date)) {
                let amount: Dec = serde_json::from_value(value).map_err(|error| damaged(&error))?;
                tx.put_balance(&Balance { amount, ..there }).await?;
            }
        }
    }
    Ok(())
}

/// A stored thing with these fields. Of one that nobody said is kept what follows from rows, and
/// the rest is empty.
fn laid<T: Serialize + DeserializeOwned>(
    thing: &T,
    fields: BTreeMap<String, Option<Value>>,
) -> Result<T> {
    let mut all = all_of(thing)?;
    for (field, value) in fields {
        let value = match (value, field.as_str()) {
            (Some(value), _) => value,
            (None, "kind" | "currency") => continue,
            (None, "derived") => Value::Bool(true),
            (None, "mode") => Value::from(Mode::Ledger.as_str()),
            (None, _) => Value::Null,
        };
        all.insert(field, value);
    }
    serde_json::from_value(Value::Object(all)).map_err(|error| damaged(&error))
}
