//! Exchanging a secret for the next one.

use std::time::Duration;

use tracing::warn;

use super::{Error, Held, Keeper, Result, of};
use crate::model::{Connection, ConnectionId, ConnectionState, SafeText, Secret};
use crate::store::{self, Lease, SealedSecret, Tx, WriteTx};
use crate::tasks::{self, Task};
use crate::vault::seal_kept;

pub(super) const INTERRUPTED: &str =
    "the process that renewed it was stopped before it had the answer";
const UNANSWERED: &str = "it was presented, and no answer came";
/// A new secret that the store does not take at once is offered again: there is no other copy.
const OFFERS: u32 = 5;
const BETWEEN: Duration = Duration::from_millis(400);

/// How often a secret may be exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    /// Once: presented without an answer, it is lost.
    Once,
    /// The same, and what comes back for it serves again: a setup token.
    Ticket,
    /// Until something newer comes: presented without an answer, it may be presented again.
    Again,
}

impl Serves {
    pub(super) const fn once(self) -> bool {
        !matches!(self, Self::Again)
    }

    /// How the one that comes back serves.
    const fn then(self) -> Self {
        match self {
            Self::Ticket => Self::Again,
            same => same,
        }
    }
}

/// Why an exchange brought nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Nothing was sent, or the service says that it took nothing: it can be presented again.
    NotTaken(SafeText),
    /// Nobody knows what became of it.
    Unanswered(SafeText),
    /// The service does not accept it, now or ever.
    Refused(SafeText),
}

impl Keeper {
    /// Exchanges the secret of a connection for the next one, unless that was done meanwhile by
    /// whomever; gives the one that counts then. `seen` is the generation that is too old. `exchange`
    /// presents it, once; it runs in a task of its own, to its end.
    ///
    /// # Errors
    /// [`Error::Consent`] when it is lost or refused: its connection is marked as failed or revoked
    /// then.
    /// [`Error::Later`] when it can be presented again.
    pub async fn renew<X, F>(
        &self,
        lease: &Lease,
        connection: ConnectionId,
        seen: i64,
        serves: Serves,
        exchange: X,
    ) -> Result<Held>
    where
        X: FnOnce(Secret) -> F + Send + 'static,
        F: Future<Output = std::result::Result<Secret, Lost>> + Send + 'static,
    {
        let (keeper, lease) = (self.clone(), lease.clone());
        let work = async move {
            let flight = keeper.flight(connection);
            let _only = flight.lock().await;
            keeper.renew_alone(&lease, connection, seen, serves, exchange).await
        };
        // Whoever waits may go away; what the service gave must not be lost with them.
        tasks::spawn(Task::Exchange, work).await.map_err(|_| Error::Interrupted)?
    }

    async fn renew_alone<X, F>(
        &self,
        lease: &Lease,
        connection: ConnectionId,
        seen: i64,
        serves: Serves,
        exchange: X,
    ) -> Result<Held>
    where
        X: FnOnce(Secret) -> F,
        F: Future<Output = std::result::Result<Secret, Lost>>,
    {
        if !lease.is_held().await {
            return Err(Error::LeaseLost);
        }
        let row = self.store.read().await?.secret(connection).await?;
        let row = row.ok_or(Error::Nothing(connection))?;
        if row.generation != seen {
            return self.opened(&row);
        }
        if row.presented.is_some() && row.serves_once {
            return self.lost(connection, seen, INTERRUPTED.to_owned()).await;
        }
        // All that could go wrong afterwards goes wrong now.
        let secret = self.opened(&row)?.secret;
        self.vault.read_vouched(&self.key)?;
        let attempt = self.audit.attempt("secret.renew", &of(connection)).await?;
        let serves_once = serves.once();
        let marked = SealedSecret { presented: Some(self.now()), serves_once, ..row.clone() };
        match self.store.mark_presented(&row, &marked).await {
            Ok(true) => {}
            // Somebody else has it, whatever became of the lease.
            Ok(false) => {
                let _ = attempt.failed("locked").await;
                return Err(Error::LeaseLost);
            }
            Err(error) => {
                let _ = attempt.failed("storage").await;
                // It may be marked all the same, and nobody has presented it.
                if !matches!(error, store::Error::Busy) {
                    self.take_back(&marked).await;
                }
                return Err(error.into());
            }
        }
        let why = match exchange(secret).await {
            Ok(new) if !new.is_empty() => {
                let op = attempt.op().to_string();
                let stored = self.store_next(connection, seen, &new, serves, &op).await;
                return match stored {
                    Ok(Some(generation)) => {
                        attempt.committed(&format!("generation={generation}")).await;
                        Ok(Held { generation, secret: new })
                    }
                    Ok(None) => {
                        let _ = attempt.failed("superseded").await;
                        self.current(connection).await
                    }
                    Err(error) => {
                        self.settle(attempt, &error).await;
                        Err(error)
                    }
                };
            }
            Ok(_) => Lost::Unanswered(SafeText::new("an empty one came back")),
            Err(why) => why,
        };
        match why {
            Lost::NotTaken(why) => {
                let _ = attempt.failed("not_taken").await;
                self.take_back(&marked).await;
                Err(Error::Later(why.into_string()))
            }
            Lost::Unanswered(why) if !serves_once => {
                let _ = attempt.failed("unanswered").await;
                Err(Error::Later(why.into_string()))
            }
            Lost::Unanswered(why) => {
                let _ = attempt.failed("unanswered").await;
                self.lost(connection, seen, format!("{UNANSWERED} ({why})")).await
            }
            Lost::Refused(why) => {
                let _ = attempt.failed("refused").await;
                self.ended(connection, seen, ConnectionState::Revoked, why.into_string()).await
            }
        }
    }

    /// Takes back our own mark on what nobody has taken, and tries to for a while: with it, it is lost.
    async fn take_back(&self, marked: &SealedSecret) {
        for offer in 1..=OFFERS {
            match self.try_to_take_back(marked).await {
                Ok(true) => return,
                _ if offer < OFFERS => tokio::time::sleep(BETWEEN).await,
                _ => warn!(connection = %marked.connection, "a mark could not be taken back"),
            }
        }
    }

    async fn try_to_take_back(&self, marked: &SealedSecret) -> Result<bool> {
        // A server may still be at work on the mark: whoever writes has waited for that.
        let mut tx = self.store.write().await?;
        let now = tx.secret(marked.connection).await?;
        tx.rollback().await?;
        // It may have been sealed anew meanwhile, and may be again.
        let is_ours = |now: &SealedSecret| {
            (now.generation, now.presented) == (marked.generation, marked.presented)
        };
        let Some(now) = now.filter(is_ours) else { return Ok(true) };
        let again = SealedSecret { presented: None, ..now.clone() };
        Ok(self.store.mark_presented(&now, &again).await?)
    }

    /// Its connection needs a new consent, unless its owner gave one meanwhile: then that counts.
    async fn lost(&self, connection: ConnectionId, seen: i64, why: String) -> Result<Held> {
        self.ended(connection, seen, ConnectionState::Failed, why).await
    }

    /// The same where the service refused it, or it was lost.
    async fn ended(
        &self,
        connection: ConnectionId,
        seen: i64,
        state: ConnectionState,
        why: String,
    ) -> Result<Held> {
        match self.fail(connection, seen, state, &why).await? {
            true => Err(Error::Consent(connection, why)),
            false => self.current(connection).await,
        }
    }

    /// Makes the next generation durable, and tries to for a while: there is no other copy of it.
    /// None: what its owner brought meanwhile counts, or there is no such connection any more.
    async fn store_next(
        &self,
        connection: ConnectionId,
        before: i64,
        new: &Secret,
        serves: Serves,
        op: &str,
    ) -> Result<Option<i64>> {
        let mut offers = 0;
        loop {
            offers += 1;
            match self.offer(connection, before, new, serves, op).await {
                Err(_) if offers < OFFERS => tokio::time::sleep(BETWEEN).await,
                offered => return offered,
            }
        }
    }

    async fn offer(
        &self,
        connection: ConnectionId,
        before: i64,
        new: &Secret,
        serves: Serves,
        op: &str,
    ) -> Result<Option<i64>> {
        let mut tx = self.store.write().await?;
        // A commit whose answer was lost may have happened.
        if tx.is_applied(op).await? {
            tx.rollback().await?;
            return Ok(Some(before.saturating_add(1)));
        }
        if !is_newest(&mut tx, connection, before).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        // For whom is asked now that nobody else writes: all may just have been sealed for a new key.
        let row = seal_kept(&self.vault, &self.key, connection, before, new, self.now())?;
        let row = SealedSecret { serves_once: serves.then().once(), ..row };
        tx.insert_secret(&row).await?;
        self.revive(&mut tx, connection).await?;
        tx.commit(op, "secret.renew", self.now()).await?;
        Ok(Some(row.generation))
    }

    /// Whoever took the lease meanwhile held it for lost, and it is not.
    async fn revive(&self, tx: &mut WriteTx, connection: ConnectionId) -> Result<()> {
        let known = tx.connections().await?.into_iter().find(|known| known.id == connection);
        let was_early = |known: &Connection| {
            let detail = known.detail.as_ref().map(SafeText::as_str);
            known.state == ConnectionState::Failed && detail == Some(INTERRUPTED)
        };
        let Some(mut row) = known.filter(was_early) else { return Ok(()) };
        (row.state, row.since, row.detail) = (ConnectionState::Active, self.now(), None);
        Ok(tx.update_connection(&row).await?)
    }

    /// Marks a connection as failed or revoked, with the reason, unless it is so already or what was seen is not
    /// its newest secret any more; tells whether it still is.
    pub(super) async fn fail(
        &self,
        connection: ConnectionId,
        seen: i64,
        state: ConnectionState,
        why: &str,
    ) -> Result<bool> {
        let mut tx = self.store.read().await?;
        let is_seen = is_newest(&mut tx, connection, seen).await?;
        let can_fail = ending(&mut tx, connection, state).await?.is_some();
        drop(tx);
        if !is_seen || !can_fail {
            return Ok(is_seen);
        }
        let attempt = self.audit.attempt("connection.fail", &of(connection)).await?;
        let done = async {
            let mut tx = self.store.write().await?;
            let is_seen = is_newest(&mut tx, connection, seen).await?;
            let ending = ending(&mut tx, connection, state).await?.filter(|_| is_seen);
            let Some(mut row) = ending else {
                tx.rollback().await?;
                return Ok((is_seen, false));
            };
            row.since = self.now();
            row.detail = Some(SafeText::capped(why, 512));
            tx.update_connection(&row).await?;
            tx.commit(&attempt.op().to_string(), "connection.fail", self.now()).await?;
            Ok::<_, Error>((is_seen, true))
        };
        match done.await {
            Ok((is_seen, is_failed)) => {
                match is_failed {
                    true => attempt.committed("").await,
                    false => drop(attempt.failed("superseded").await),
                }
                Ok(is_seen)
            }
            Err(error) => {
                self.settle(attempt, &error).await;
                Err(error)
            }
        }
    }
}

/// Whether this is still the secret of a connection that counts.
async fn is_newest(tx: &mut Tx, connection: ConnectionId, seen: i64) -> Result<bool> {
    Ok(tx.secret(connection).await?.is_some_and(|newest| newest.generation == seen))
}

/// A connection as one that needs a new consent, if it can become so.
async fn ending(
    tx: &mut Tx,
    connection: ConnectionId,
    state: ConnectionState,
) -> Result<Option<Connection>> {
    let known = tx.connections().await?.into_iter().find(|known| known.id == connection);
    Ok(known.and_then(|row| Some(Connection { state: row.state.become_(state).ok()?, ..row })))
}
