//! Single changes: through the trail and the ledger, and what a person needs to name things.

use std::collections::BTreeMap;

use super::{Error, Session};
use crate::audit::Attempt;
use crate::ledger;
use crate::model::{
    Account, AccountId, Change, Column, Mention, NewTarget, Refusal, SafeText, Security,
    SecurityId, Setting, TransactionId, Why,
};
use crate::refresh;
use crate::store::AllocationTarget;

pub use crate::ledger::{Applied, Steps};
pub use crate::model::RowEdit;

/// Writes one change, with its attempt and outcome in the trail.
///
/// # Errors
/// When the change is refused or the store fails; then nothing is written.
pub async fn apply(session: &Session, change: Change) -> Result<Applied, Error> {
    apply_all(session, vec![change]).await
}

/// Writes several changes as one, with one attempt and outcome in the trail: what a form says.
///
/// # Errors
/// When one of them is refused or the store fails; then nothing is written.
pub async fn apply_all(session: &Session, changes: Vec<Change>) -> Result<Applied, Error> {
    for change in &changes {
        change.check().map_err(ledger::Error::Refused)?;
        if let Change::SetSymbol(_, source, Some(_)) = change {
            check_source(source)?;
        }
    }
    let action = changes.first().map_or("", Change::action);
    let details: Vec<_> = changes.iter().map(detail).collect();
    let attempt = session.attempt(action, &details.join(" ")).await?;
    let at = (session.now(), session.clock.today());
    let written = ledger::apply_all(&session.store, changes, attempt.op(), at).await;
    end(session, attempt, written).await
}

/// What nobody is called that is asked for prices would be asked for by nobody.
fn check_source(source: &SafeText) -> Result<(), Error> {
    let known: Vec<_> = super::price::sources().collect();
    match known.contains(&source.as_str()) {
        true => Ok(()),
        false => Err(ledger::Error::Refused(Refusal {
            column: Column("source"),
            why: Why::NoSource(source.clone(), known.join(", ")),
        })
        .into()),
    }
}

/// Takes back what changes did, or does it again: what comes back leads the other way.
///
/// # Errors
/// When something of it was changed since or the store fails; then nothing is written.
pub async fn take_back(session: &Session, steps: Steps) -> Result<Applied, Error> {
    let attempt = session.attempt("change.undo", &format!("things={}", steps.len())).await?;
    let written = ledger::take_back(&session.store, steps, attempt.op(), session.now()).await;
    end(session, attempt, written).await
}

async fn end(
    session: &Session,
    attempt: Attempt,
    written: ledger::Result<Applied>,
) -> Result<Applied, Error> {
    match written {
        Ok(applied) => {
            attempt.committed(&format!("revision={}", applied.revision)).await;
            refresh::keep_few_days(&session.store, session.clock.today()).await;
            refresh::look_at_alerts(&session.store, session.audit(), &session.clock).await;
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
        Change::DeletePrice(meant) => format!("date={}", meant.date),
        Change::EditSecurity(id, _) | Change::SetSymbol(id, ..) => format!("security={id}"),
        Change::Set(setting, _) => format!("setting={}", setting.key()),
        Change::SetTarget(NewTarget { dimension, key, .. })
        | Change::RemoveTarget(dimension, key) => format!("target={dimension}:{key}"),
        Change::IgnoreDifference(finding, ignores) => {
            format!("finding={finding} ignores={ignores}")
        }
        Change::AcceptPrice(finding, _) => format!("finding={finding}"),
        Change::Watch(security, _) | Change::AddAlert(security, _) => {
            format!("security={}", security.symbol)
        }
        Change::Unwatch(security) => format!("security={security}"),
        Change::EditAlert(id, _) | Change::SnoozeAlert(id, _) | Change::RemoveAlert(id) => {
            format!("alert={id}")
        }
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
    let in_currency =
        |security: &Security| mention.currency.is_none_or(|currency| currency == security.currency);
    let fits = |security: &Security| {
        let isin = security.isin.as_ref().is_some_and(|isin| isin.as_str() == text);
        in_currency(security) && security.symbol == mention.symbol || isin
    };
    let mut found: Vec<_> =
        all.iter().map(|row| &row.security).filter(|security| fits(security)).collect();
    if found.is_empty() {
        let former = tx.security_symbols().await?.into_iter();
        let former = former.filter(|row| row.symbol == mention.symbol && row.is_alias());
        let former = former.filter_map(|row| by_id(row.security)).map(|row| &row.security);
        found.extend(former.filter(|security| in_currency(security)));
        found.dedup_by_key(|security| security.id);
    }
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let symbols: Vec<_> = all.iter().map(|row| row.security.symbol.clone()).collect();
            Err(not_found("security", mention.symbol.clone(), symbols.iter()))
        }
        several => {
            let names = several
                .iter()
                .map(|security| format!("id:{} ({})", security.id, security.telling_name()));
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
    Ok(Setting::among(&chosen))
}

/// Every target, by dimension and key.
///
/// # Errors
/// When the store cannot be read.
pub async fn targets(session: &Session) -> Result<Vec<AllocationTarget>, Error> {
    Ok(session.store.read().await?.targets().await?)
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

/// Changes a transaction; what results is checked like a new one.
///
/// # Errors
/// When there is none, the result is refused, or the store fails.
pub async fn edit_transaction(
    session: &Session,
    id: TransactionId,
    edit: RowEdit,
) -> Result<Applied, Error> {
    if let Some(field) = edit.kept_field() {
        return Err(Error::Value {
            what: "--clear",
            why: format!("`{}` cannot be emptied", SafeText::capped(field, 64)),
        });
    }
    apply(session, Change::EditTransaction(id, Box::new(edit))).await
}
