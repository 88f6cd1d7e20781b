//! What a connection shows to its service, and how it is renewed: a token that serves once is shown
//! once, by one process, whatever stops it.
//!
//! 1. whoever renews holds the lease of the store, and decides under it: where another process has
//!    renewed meanwhile, that is what counts;
//! 2. an attempt goes into the trail, and the secret is marked as presented, durable, in one step
//!    that only one can take;
//! 3. it is presented;
//! 4. what came back is sealed and durable before anybody uses it, with the mark of the operation;
//!    the generation before it is kept beside it;
//! 5. the outcome goes into the trail.
//!
//! A secret that is marked and has no successor was lost between 2 and 4: it is never presented
//! again, and its connection needs a new consent.

mod renew;

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

pub use renew::{Lost, Serves};

use crate::audit::Audit;
use crate::clock::Clock;
use crate::model::{ConnectionId, ConnectionState, Secret};
use crate::store::{self, Lease, SealedSecret, Store, Tx};
use crate::vault::{self, Key, Vault, open_kept, seal_kept};

/// Why there is no secret to show.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was ever kept for it.
    #[error("connection {0} has no secret; connect it again")]
    Nothing(ConnectionId),
    /// It was presented, and what it was to be exchanged for is lost or was refused.
    #[error("connection {0} needs a new consent: {1}")]
    Consent(ConnectionId, String),
    /// The service did not take it; it can be presented again.
    #[error("{0}")]
    Later(String),
    /// Another process refreshes meanwhile.
    #[error("the lease was lost; another process refreshes")]
    LeaseLost,
    /// A task of ours ended before its time.
    #[error("the work was stopped before its end")]
    Interrupted,
    /// The key, or what it is to open.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The store or the trail.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The result of everything in this room.
pub type Result<T> = std::result::Result<T, Error>;

/// A secret, and which one it is.
pub struct Held {
    /// How often it was renewed, from 1 on.
    pub generation: i64,
    /// What to show.
    pub secret: Secret,
}

/// Keeps the secrets of all connections of a store, with the key that opens them. Cheap to clone.
#[derive(Clone)]
pub struct Keeper {
    store: Store,
    audit: Audit,
    clock: Clock,
    vault: Vault,
    key: Arc<Key>,
    /// One renewal of a connection at a time in this process; the lease keeps the others out.
    flights: Arc<Mutex<HashMap<ConnectionId, Arc<tokio::sync::Mutex<()>>>>>,
}

impl Keeper {
    /// With an open vault.
    #[must_use]
    pub fn new(store: &Store, audit: &Audit, clock: &Clock, vault: Vault, key: Key) -> Self {
        let (store, audit, clock) = (store.clone(), audit.clone(), clock.clone());
        Self { store, audit, clock, vault, key: Arc::new(key), flights: Arc::default() }
    }

    /// Whether its key is that of the vault still, as far as can be known: another process may have made
    /// another one, or taken it away.
    #[must_use]
    pub fn fits(&self) -> bool {
        let read = self.vault.read_vouched(&self.key);
        !matches!(read, Err(vault::Error::Changed | vault::Error::Missing { .. }))
    }

    /// What to show for a connection now.
    ///
    /// # Errors
    /// When there is nothing, it cannot be opened, or it serves once, was presented, and is known to
    /// be lost. While it is being exchanged nobody can know that.
    pub async fn current(&self, connection: ConnectionId) -> Result<Held> {
        let mut tx = self.store.read().await?;
        let row = tx.secret(connection).await?.ok_or(Error::Nothing(connection))?;
        if row.presented.is_some() && row.serves_once {
            let known = tx.connections().await?.into_iter().find(|known| known.id == connection);
            let failed = known.filter(|known| known.state == ConnectionState::Failed);
            if let Some(failed) = failed {
                let why = failed.detail.unwrap_or_default().into_string();
                return Err(Error::Consent(connection, why));
            }
        }
        self.opened(&row)
    }

    /// The newest secret of a connection, whatever became of it: good for what is kept beside a token.
    ///
    /// # Errors
    /// When there is none, or it cannot be opened.
    pub async fn newest(&self, connection: ConnectionId) -> Result<Held> {
        let row = self.store.read().await?.secret(connection).await?;
        self.opened(&row.ok_or(Error::Nothing(connection))?)
    }

    /// Whose secret this is, or was before the last renewal. What this key does not open is nobody's.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn whose(&self, secret: &Secret) -> Result<Vec<ConnectionId>> {
        let rows = self.store.read().await?.secrets().await?;
        let is_it = |row: &&SealedSecret| {
            self.opened(row).is_ok_and(|held| held.secret.expose() == secret.expose())
        };
        Ok(rows.iter().filter(is_it).map(|row| row.connection).collect())
    }

    /// Keeps a secret that its owner brought and that may be presented again and again, over whatever
    /// was there before; gives its generation.
    ///
    /// # Errors
    /// When there is no vault, or the store fails; then the one before it goes on to count.
    pub async fn put(&self, connection: ConnectionId, secret: &Secret) -> Result<i64> {
        self.put_serving(connection, secret, Serves::Again).await
    }

    /// The same for one that serves as is said. A store that is put back to an earlier day does not
    /// present one again that serves once.
    ///
    /// # Errors
    /// As [`Keeper::put`].
    pub async fn put_serving(
        &self,
        connection: ConnectionId,
        secret: &Secret,
        serves: Serves,
    ) -> Result<i64> {
        let attempt = self.audit.attempt("secret.put", &of(connection)).await?;
        let done = async {
            let mut tx = self.store.write().await?;
            let before = tx.secret(connection).await?.map_or(0, |row| row.generation);
            let row = self.sealed(connection, before, secret, serves)?;
            tx.insert_secret(&row).await?;
            tx.commit(&attempt.op().to_string(), "secret.put", self.now()).await?;
            Ok::<_, Error>(row.generation)
        };
        match done.await {
            Ok(generation) => {
                attempt.committed(&format!("generation={generation}")).await;
                Ok(generation)
            }
            Err(error) => {
                self.settle(attempt, &error).await;
                Err(error)
            }
        }
    }

    /// A secret as the store keeps it, as the generation that comes after another.
    ///
    /// # Errors
    /// When there is no vault, or its file is damaged.
    pub fn sealed(
        &self,
        connection: ConnectionId,
        after: i64,
        secret: &Secret,
        serves: Serves,
    ) -> Result<SealedSecret> {
        let row = seal_kept(&self.vault, &self.key, connection, after, secret, self.now())?;
        Ok(SealedSecret { serves_once: serves.once(), ..row })
    }

    /// Every connection whose secret was lost while it was renewed by a process that is gone. They
    /// are marked as failed, each once. Call it with a lease that was just taken.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle_lost(&self, lease: &Lease) -> Result<Vec<ConnectionId>> {
        if !lease.is_held().await {
            return Err(Error::LeaseLost);
        }
        let mut lost = Vec::new();
        for row in unanswered(&mut self.store.read().await?).await? {
            let (failed, why) = (ConnectionState::Failed, renew::INTERRUPTED);
            self.fail(row.connection, row.generation, failed, why).await?;
            lost.push(row.connection);
        }
        Ok(lost)
    }

    fn opened(&self, row: &SealedSecret) -> Result<Held> {
        let generation = row.generation;
        Ok(Held { generation, secret: open_kept(&self.key, row)? })
    }

    fn flight(&self, connection: ConnectionId) -> Arc<tokio::sync::Mutex<()>> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(flights.entry(connection).or_default())
    }

    /// Ends an operation that failed, with the outcome that agrees with the data.
    async fn settle(&self, attempt: crate::audit::Attempt, error: &Error) {
        match error {
            Error::Store(failed) => attempt.settle(&self.store, Some(failed), "storage").await,
            // The error itself is what the person must see, not a trail that cannot be written.
            _ => drop(attempt.failed("vault").await),
        }
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp_micros()
    }
}

/// The newest secrets that serve once, were presented, and have no successor. While a process holds the
/// lease it may be waiting for one.
///
/// # Errors
/// When the store cannot be read.
pub async fn unanswered(tx: &mut Tx) -> store::Result<Vec<SealedSecret>> {
    let rows = tx.secrets().await?;
    let is_newest = |row: &SealedSecret| {
        let is_older = |other: &SealedSecret| other.generation <= row.generation;
        rows.iter().filter(|other| other.connection == row.connection).all(is_older)
    };
    let is_open = |row: &&SealedSecret| row.presented.is_some() && row.serves_once;
    Ok(rows.iter().filter(is_open).filter(|row| is_newest(row)).cloned().collect())
}

fn of(connection: impl Display) -> String {
    format!("connection={connection}")
}
