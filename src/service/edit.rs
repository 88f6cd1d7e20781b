//! Single changes: through the trail and the ledger, and what a person needs to name things.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{Error, Session};
use crate::ledger;
use crate::model::{
    Account, AccountId, Change, Dec, Entry, EntryType, Facts, Mention, Ratio, SafeText, Security,
    SecurityId, Setting, Status, Subtype, TransactionEdit, TransactionId, Unit,
};
use crate::store::{StoredTransaction, Tx};

pub use crate::ledger::Applied;

/// Writes one change, with its attempt and outcome in the trail.
///
/// # Errors
/// When the change is refused or the store fails; then nothing is written.
pub async fn apply(session: &Session, change: Change) -> Result<Applied, Error> {
    change.check().map_err(ledger::Error::Refused)?;
    let attempt = session.attempt(change.action(), &detail(&change)).await?;
    match ledger::apply(&session.store, change, attempt.op(), session.now()).await {
        Ok(applied) => {
            attempt.succeeded(&format!("revision={}", applied.revision)).await?;
            Ok(applied)
        }
        Err(error) => {
            let error = Error::from(error);
            session.end_badly(attempt, &error).await;
            Err(error)
        }
    }
}

/// What a change concerns: ids and names, never an amount.
fn detail(change: &Change) -> String {
    match change {
        Change::AddAccount(new) => format!("account={}", new.name),
        Change::EditAccount(id, _) | Change::RenameAccount(id, _) | Change::SetBalance(id, ..) => {
            format!("account={id}")
        }
        Change::MergeAccounts { from, into } => format!("from={from} into={into}"),
        Change::AddTransaction(entry) => format!("account={}", entry.account),
        Change::EditTransaction(id, _)
        | Change::DeleteTransaction(id)
        | Change::RestoreTransaction(id)
        | Change::UnlinkTransaction(id) => format!("transaction={id}"),
        Change::LinkTransactions(ids) => format!("transactions={}", ids.len()),
        Change::SetPrice(quote) => format!("date={}", quote.date),
        Change::EditSecurity(id, _) => format!("security={id}"),
        Change::Set(setting, _) => format!("setting={}", setting.key()),
        Change::UndoBatch(batch) => format!("batch={batch}"),
    }
}

/// The account of a name, current or older.
///
/// # Errors
/// When there is none; the nearest name is in the error.
pub async fn account_named(session: &Session, name: &str) -> Result<Account, Error> {
    let name = SafeText::new(name.trim());
    let mut tx = session.store.read().await?;
    let names: BTreeMap<SafeText, AccountId> = tx.account_names().await?.into_iter().collect();
    let accounts = tx.accounts().await?;
    let found = names.get(&name).and_then(|id| {
        accounts.iter().find(|row| row.account.id == *id).map(|row| row.account.clone())
    });
    found.ok_or_else(|| not_found("account", name, names.keys()))
}

/// Every account, by name.
///
/// # Errors
/// When the store cannot be read.
pub async fn accounts(session: &Session) -> Result<Vec<Account>, Error> {
    let rows = session.store.read().await?.accounts().await?;
    Ok(rows.into_iter().map(|row| row.account).collect())
}

/// The names of all accounts.
pub(super) async fn account_names(tx: &mut Tx) -> Result<BTreeMap<AccountId, SafeText>, Error> {
    let rows = tx.accounts().await?.into_iter();
    Ok(rows.map(|row| (row.account.id, row.account.name)).collect())
}

/// The security that `SYM`, `SYM@CUR`, an ISIN or `id:N` means.
///
/// # Errors
/// When there is none or more than one.
pub async fn security_named(session: &Session, text: &str) -> Result<Security, Error> {
    let mut tx = session.store.read().await?;
    let all = tx.securities().await?;
    let by_id = |id: SecurityId| all.iter().find(|row| row.security.id == id);
    if let Some(id) = text.strip_prefix("id:").and_then(|id| id.parse::<SecurityId>().ok()) {
        let found = by_id(id).map(|row| row.security.clone());
        return found.ok_or_else(|| not_found("security", SafeText::new(text), [].iter()));
    }
    let mention = Mention::parse(text)
        .map_err(|error| Error::Value { what: "symbol", why: error.to_string() })?;
    let fits = |security: &Security| {
        let currency = mention.currency.is_none_or(|currency| currency == security.currency);
        let isin = security.isin.as_ref().is_some_and(|isin| isin.as_str() == text);
        currency && security.symbol == mention.symbol || isin
    };
    let mut found: Vec<_> =
        all.iter().map(|row| &row.security).filter(|security| fits(security)).collect();
    if found.is_empty() {
        let former = tx.security_symbols().await?.into_iter();
        let former = former.filter(|row| row.symbol == mention.symbol);
        found.extend(former.filter_map(|row| by_id(row.security)).map(|row| &row.security));
        found.dedup_by_key(|security| security.id);
    }
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let symbols: Vec<_> = all.iter().map(|row| row.security.symbol.clone()).collect();
            Err(not_found("security", mention.symbol.clone(), symbols.iter()))
        }
        several => {
            let names = several.iter().map(|security| match &security.venue {
                None => format!("{}@{}", security.symbol, security.currency),
                Some(venue) => format!("id:{} ({venue})", security.id),
            });
            Err(Error::Ambiguous {
                name: mention.symbol.clone(),
                candidates: names.collect::<Vec<_>>().join(", "),
            })
        }
    }
}

/// Every security, by symbol.
///
/// # Errors
/// When the store cannot be read.
pub async fn securities(session: &Session) -> Result<Vec<Security>, Error> {
    let rows = session.store.read().await?.securities().await?;
    Ok(rows.into_iter().map(|row| row.security).collect())
}

/// Every setting, its value (none: follows from another), and whether somebody chose it.
///
/// # Errors
/// When the store cannot be read.
pub async fn settings(session: &Session) -> Result<Vec<(Setting, Option<String>, bool)>, Error> {
    let chosen = session.store.read().await?.settings().await?;
    let row = |setting: &Setting| {
        let value = chosen.get(setting.key()).cloned();
        let is_chosen = value.is_some();
        (*setting, value.or_else(|| setting.default().map(str::to_owned)), is_chosen)
    };
    Ok(Setting::ALL.iter().map(row).collect())
}

fn not_found<'a>(
    what: &'static str,
    name: SafeText,
    known: impl Iterator<Item = &'a SafeText>,
) -> Error {
    let nearest = known
        .map(|other| (strsim::jaro_winkler(other.as_str(), name.as_str()), other))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| other.clone());
    Error::NotFound { what, name, nearest }
}

/// What to change in a transaction; none keeps.
#[derive(Clone, Debug, Default)]
pub struct RowEdit {
    /// Whose.
    pub account: Option<SafeText>,
    /// When.
    pub date: Option<NaiveDate>,
    /// Which event.
    pub what: Option<Subtype>,
    /// The currency.
    pub unit: Option<Unit>,
    /// Of what.
    pub symbol: Option<Mention>,
    /// What it becomes.
    pub to_symbol: Option<Mention>,
    /// Unsigned, but for openings and adjustments.
    pub quantity: Option<Dec>,
    /// Of one unit, and its decimals as written.
    pub price: Option<(Dec, u32)>,
    /// Charged.
    pub fee: Option<Dec>,
    /// Taken by the state.
    pub tax: Option<Dec>,
    /// Change of cash. A trade whose figures change has it computed again.
    pub amount: Option<Dec>,
    /// Settlement date.
    pub settlement: Option<NaiveDate>,
    /// Units of the row's currency for one of the security's.
    pub fx_rate: Option<Dec>,
    /// Of an option or future.
    pub multiplier: Option<Dec>,
    /// Of a split or merger.
    pub ratio: Option<Ratio>,
    /// When the lot was bought.
    pub acquired: Option<NaiveDate>,
    /// The part of the cost that moves.
    pub cost_share: Option<Dec>,
    /// Whether it counts.
    pub status: Option<Status>,
    /// In the source's words.
    pub description: Option<SafeText>,
    /// By name.
    pub category: Option<SafeText>,
    /// A person's words.
    pub note: Option<SafeText>,
    /// Fields to empty, by their names in the neutral form.
    pub clear: Vec<String>,
}

/// Changes a transaction; what results is checked like a new one.
///
/// # Errors
/// When there is none, the result is refused, or the store fails.
pub async fn edit_transaction(
    session: &Session,
    id: TransactionId,
    edit: RowEdit,
) -> Result<Applied, Error> {
    let mut tx = session.store.read().await?;
    let stored = tx.transaction(id).await?;
    let stored = stored.ok_or(Error::Ledger(ledger::Error::NoTransaction(id)))?;
    let mut entry = entry_of(&mut tx, &stored).await?;
    drop(tx);
    let same_unit = edit.unit.is_none();
    edit.lay_over(&mut entry)?;
    let mut drafts = entry.check().map_err(|refusal| Error::Ledger(refusal.into()))?;
    if same_unit {
        // What the source quoted in stays true of what was converted.
        drafts.first.facts.quoted_in.clone_from(&stored.transaction.facts.quoted_in);
    }
    let change = TransactionEdit { entry: Some(drafts.first), ..Default::default() };
    apply(session, Change::EditTransaction(id, change)).await
}

impl RowEdit {
    fn lay_over(self, entry: &mut Entry) -> Result<(), Error> {
        let refigured = self.quantity.is_some()
            || self.price.is_some()
            || self.fee.is_some()
            || self.tax.is_some()
            || self.multiplier.is_some();
        let is_trade = matches!(entry.what, EntryType::One(subtype)
            if subtype.kind() == crate::model::Kind::Trade);
        if is_trade && refigured && entry.price.or(self.price.map(|price| price.0)).is_some() {
            entry.amount = None;
        }
        macro_rules! lay {
            ($($field:ident),+) => {$(
                if self.$field.is_some() {
                    entry.$field = self.$field;
                }
            )+};
        }
        lay!(
            symbol,
            to_symbol,
            quantity,
            fee,
            tax,
            amount,
            settlement,
            fx_rate,
            multiplier,
            ratio,
            acquired,
            cost_share,
            description,
            category,
            note
        );
        entry.account = self.account.unwrap_or(entry.account.clone());
        entry.date = self.date.unwrap_or(entry.date);
        entry.what = self.what.map_or(entry.what, EntryType::One);
        entry.unit = self.unit.unwrap_or(entry.unit);
        entry.status = self.status.unwrap_or(entry.status);
        if let Some((price, scale)) = self.price {
            entry.price = Some(price);
            entry.price_scale = scale;
        }
        for field in &self.clear {
            clear(entry, field)?;
        }
        Ok(())
    }
}

fn clear(entry: &mut Entry, field: &str) -> Result<(), Error> {
    match field {
        "symbol" => entry.symbol = None,
        "to_symbol" => entry.to_symbol = None,
        "quantity" => entry.quantity = None,
        "price" => entry.price = None,
        "fee" => entry.fee = None,
        "tax" => entry.tax = None,
        "amount" => entry.amount = None,
        "settlement" => entry.settlement = None,
        "fx_rate" => entry.fx_rate = None,
        "multiplier" => entry.multiplier = None,
        "ratio" => entry.ratio = None,
        "acquired" => entry.acquired = None,
        "cost_share" => entry.cost_share = None,
        "description" => entry.description = None,
        "category" => entry.category = None,
        "note" => entry.note = None,
        other => {
            return Err(Error::Value {
                what: "--clear",
                why: format!("`{}` cannot be emptied", SafeText::capped(other, 64)),
            });
        }
    }
    Ok(())
}

/// A stored row as a person would write it.
async fn entry_of(tx: &mut Tx, stored: &StoredTransaction) -> Result<Entry, Error> {
    let names = account_names(tx).await?;
    let securities = tx.securities().await?;
    let mention = |id: Option<SecurityId>| {
        let row = id.and_then(|id| securities.iter().find(|row| row.security.id == id))?;
        Some(Mention {
            symbol: row.security.symbol.clone(),
            currency: Some(row.security.currency),
            venue: row.security.venue.clone(),
            isin: None,
        })
    };
    let transaction = &stored.transaction;
    let facts: &Facts = &transaction.facts;
    let account = names.get(&transaction.account).cloned().unwrap_or_default();
    let unit = Unit::from(facts.currency);
    let what = EntryType::One(facts.subtype);
    let mut entry = Entry::new(account, facts.date, what, unit);
    entry.symbol = mention(transaction.security);
    entry.to_symbol = mention(transaction.to_security);
    let signed = facts.subtype.quantity_is_signed();
    entry.quantity = facts.quantity.map(|quantity| if signed { quantity } else { quantity.abs() });
    entry.price = facts.price;
    entry.price_scale = facts.price.map_or(0, |price| price.inner().scale());
    entry.fee = facts.fee;
    entry.tax = facts.tax;
    entry.amount = Some(facts.amount);
    entry.settlement = facts.settlement;
    entry.fx_rate = facts.fx_rate;
    entry.multiplier = facts.multiplier;
    entry.ratio = facts.ratio;
    entry.acquired = facts.acquired;
    entry.cost_share = facts.cost_share;
    entry.link.clone_from(&transaction.link);
    entry.id.clone_from(&transaction.source_id);
    entry.status = facts.status;
    entry.description.clone_from(&facts.description);
    entry.category.clone_from(&facts.category);
    entry.note.clone_from(&facts.note);
    Ok(entry)
}
