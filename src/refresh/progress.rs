//! How far a first history came, kept in the store by whoever still holds the lease.

use chrono::{DateTime, Utc};

use crate::model::{ConnectionId, SafeText};
use crate::provider::{self, Boxed, Progress, ToldSpan};
use crate::store::{self, Lease, Store, ToldWindow};

/// That of one connection.
pub(super) struct Kept {
    pub store: Store,
    pub lease: Lease,
    pub connection: ConnectionId,
}

/// What cannot be kept is asked for later; the store says itself what is wrong with it.
fn not_kept(error: &store::Error) -> provider::Error {
    let why = format!("what was told so far cannot be kept: {error}");
    provider::Error::Unavailable(SafeText::new(&why))
}

fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

impl Progress for Kept {
    fn told(&self, account: &SafeText) -> Boxed<provider::Result<Vec<ToldSpan>>> {
        let (store, connection, account) = (self.store.clone(), self.connection, account.clone());
        Box::pin(async move {
            let read = async { store.read().await?.told_windows(connection, &account).await };
            let windows = read.await.map_err(|error| not_kept(&error))?;
            let span = |it: ToldWindow| ToldSpan {
                first: instant(it.first),
                last: instant(it.last),
                rows: it.told,
            };
            Ok(windows.into_iter().map(span).collect())
        })
    }

    fn keep(&self, account: &SafeText, span: ToldSpan) -> Boxed<provider::Result<()>> {
        let (store, lease) = (self.store.clone(), self.lease.clone());
        let row = ToldWindow {
            connection: self.connection,
            remote: account.clone(),
            first: span.first.timestamp_micros(),
            last: span.last.timestamp_micros(),
            told: span.rows,
        };
        Box::pin(async move {
            match store.keep_told(&row, lease.is_held()).await {
                Ok(true) => Ok(()),
                // Whoever has it now asks for the same.
                Ok(false) => {
                    let why = SafeText::new("somebody else refreshes this store by now");
                    Err(provider::Error::Unavailable(why))
                }
                Err(error) => Err(not_kept(&error)),
            }
        })
    }

    fn forget_since(
        &self,
        account: &SafeText,
        first: DateTime<Utc>,
    ) -> Boxed<provider::Result<()>> {
        let (store, connection, account) = (self.store.clone(), self.connection, account.clone());
        Box::pin(async move {
            let forgotten = store.forget_told_since(connection, &account, first.timestamp_micros());
            forgotten.await.map_err(|error| not_kept(&error))
        })
    }
}
