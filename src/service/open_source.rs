//! A service that anybody may ask: it is connected by its name alone.

use super::connect::{self, Connected, free_label};
use super::{Error, Session};
use crate::ledger;
use crate::model::SafeText;
use crate::provider::{self, Auth};

/// Whether a provider is a service that anybody may ask.
#[must_use]
pub fn is_open(provider: &SafeText) -> bool {
    let is_open =
        |entry: &provider::Entry| matches!(entry.auth, Auth::Nobody) && !entry.hosts.is_empty();
    provider::named(provider).is_ok_and(is_open)
}

/// Connects it, once: a second connection would tell the same.
///
/// # Errors
/// When there is no such service, or the store fails.
pub async fn connect(
    session: &Session,
    provider: &SafeText,
    name: Option<&SafeText>,
) -> Result<Connected, Error> {
    let missing = |_| Error::NotFound { what: "provider", name: provider.clone(), nearest: None };
    let entry = provider::named(provider).map_err(missing)?;
    let known = session.store.read().await?.connections().await?;
    let there = known.iter().find(|it| it.provider.as_str() == entry.id && !it.is_over());
    if let Some(connection) = there {
        return Ok(Connected { connection: connection.clone(), already: true });
    }
    let attempt = session.attempt("connect", &format!("provider={}", entry.id)).await?;
    let label = free_label(&known, name, entry);
    let (store, op, now) = (&session.store, attempt.op(), session.now());
    let made = ledger::connect(store, entry.id, &label, None, op, now).await;
    let connection = connect::made(session, attempt, made.map_err(Error::from)).await?;
    Ok(Connected { connection, already: false })
}
