//! Whose accounts a connection brings in: what was brought for one must not be somebody else's, and no
//! account may come in twice.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Error, Session};
use crate::config::Config;
use crate::model::{Connection, SafeText, Secret};
use crate::provider::{self, Entry, Line, Setup};

/// A connection, and the accounts that it brings in.
pub(super) struct Owner {
    pub connection: Connection,
    pub accounts: BTreeSet<SafeText>,
}

/// The connections to a service, with the accounts that each of them is known to have.
pub(super) async fn owners(session: &Session, entry: &Entry) -> Result<Vec<Owner>, Error> {
    let mut tx = session.store.read().await?;
    let mut owners = Vec::new();
    for connection in tx.connections().await? {
        if connection.provider.as_str() == entry.id && !connection.is_over() {
            let accounts = tx.remote_accounts(connection.id).await?;
            let accounts = accounts.into_iter().map(|(remote, _)| remote).collect();
            owners.push(Owner { connection, accounts });
        }
    }
    Ok(owners)
}

/// The accounts that somebody sees who shows this.
pub(super) async fn accounts_of(
    session: &Session,
    entry: &Entry,
    line: Arc<Line>,
    shown: Secret,
) -> Result<BTreeSet<SafeText>, Error> {
    let Some(source) = entry.accounts else { return Ok(BTreeSet::new()) };
    let line = Some((line, Arc::new(shown)));
    let setup = Setup { seed: 0, clock: session.clock.clone(), line, progress: None };
    Ok(source(setup).ids().await.map_err(Error::Provider)?.into_iter().collect())
}

/// A way for a few requests, which are of no connection yet.
pub(super) fn line(session: &Session, config: &Config, entry: &'static Entry) -> Line {
    let base = config.bases().remove(entry.id);
    let forget = Box::new(|_| -> provider::Boxed<_> { Box::pin(async { Ok(()) }) });
    let pace = config.paces().remove(entry.id);
    Line::new(entry, base, pace, &session.clock, &[], forget)
}
