//! Exchanging a secret for the next one.

use std::time::Duration;

use super::{Error, Held, Keeper, Result, of};
use crate::model::{ConnectionId, ConnectionState, SafeText, Secret};
use crate::store::{Lease, SealedSecret};
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
    /// Until something newer comes: presented without an answer, it may be presented again.
    Again,
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
    /// [`Error::Consent`] when it is lost or refused: its connection is marked as failed then.
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
            self.fail(connection, INTERRUPTED).await?;
            return Err(Error::Consent(connection, INTERRUPTED.to_owned()));
        }
        // All that could go wrong afterwards goes wrong now.
        let secret = self.opened(&row)?.secret;
        self.vault.read()?;
        let attempt = self.audit.attempt("secret.renew", &of(connection)).await?;
        let serves_once = serves == Serves::Once;
        let marked = SealedSecret { presented: Some(self.now()), serves_once, ..row.clone() };
        match self.store.mark_presented(&row, &marked).await {
            Ok(true) => {}
            // Somebody else has it, whatever became of the lease.
            Ok(false) => {
                let _ = attempt.failed("locked").await;
                return Err(Error::LeaseLost);
            }
            Err(error) => {
                let error = error.into();
                let _ = attempt.failed("storage").await;
                return Err(error);
            }
        }
        let why = match exchange(secret).await {
            Ok(new) if !new.is_empty() => {
                let op = attempt.op().to_string();
                let stored = self.store_next(connection, seen, &new, &op).await;
                return match stored {
                    Ok(generation) => {
                        attempt.committed(&format!("generation={generation}")).await;
                        Ok(Held { generation, secret: new })
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
                // It may have been sealed anew meanwhile.
                let now = self.store.read().await?.secret(connection).await?;
                if let Some(now) = now.filter(|now| now.presented == marked.presented) {
                    let again = SealedSecret { presented: None, ..now.clone() };
                    self.store.mark_presented(&now, &again).await?;
                }
                Err(Error::Later(why.into_string()))
            }
            Lost::Unanswered(why) if !serves_once => {
                let _ = attempt.failed("unanswered").await;
                Err(Error::Later(why.into_string()))
            }
            Lost::Unanswered(why) => {
                let _ = attempt.failed("unanswered").await;
                let why = format!("{UNANSWERED} ({why})");
                self.fail(connection, &why).await?;
                Err(Error::Consent(connection, why))
            }
            Lost::Refused(why) => {
                let _ = attempt.failed("refused").await;
                self.fail(connection, why.as_str()).await?;
                Err(Error::Consent(connection, why.into_string()))
            }
        }
    }

    /// Makes the next generation durable, and tries to for a while: there is no other copy of it.
    async fn store_next(
        &self,
        connection: ConnectionId,
        before: i64,
        new: &Secret,
        op: &str,
    ) -> Result<i64> {
        let row = seal_kept(&self.vault, connection, before, new, self.now())?;
        let mut offers = 0;
        loop {
            offers += 1;
            match self.offer(&row, op).await {
                Ok(()) => return Ok(row.generation),
                Err(_) if offers < OFFERS => tokio::time::sleep(BETWEEN).await,
                Err(error) => return Err(error),
            }
        }
    }

    async fn offer(&self, row: &SealedSecret, op: &str) -> Result<()> {
        let mut tx = self.store.write().await?;
        // A commit whose answer was lost may have happened.
        if tx.is_applied(op).await? {
            tx.rollback().await?;
            return Ok(());
        }
        tx.insert_secret(row).await?;
        tx.commit(op, "secret.renew", self.now()).await?;
        Ok(())
    }

    /// Marks a connection as failed, with the reason, unless it is so already.
    pub(super) async fn fail(&self, connection: ConnectionId, why: &str) -> Result<()> {
        let known = self.store.read().await?.connections().await?;
        let known = known.into_iter().find(|known| known.id == connection);
        let Some(mut row) = known else { return Ok(()) };
        let Ok(state) = row.state.become_(ConnectionState::Failed) else { return Ok(()) };
        let attempt = self.audit.attempt("connection.fail", &of(connection)).await?;
        (row.state, row.since) = (state, self.now());
        row.detail = Some(SafeText::capped(why, 512));
        let done = async {
            let mut tx = self.store.write().await?;
            tx.update_connection(&row).await?;
            tx.commit(&attempt.op().to_string(), "connection.fail", self.now()).await?;
            Ok::<_, Error>(())
        };
        match done.await {
            Ok(()) => {
                attempt.committed("").await;
                Ok(())
            }
            Err(error) => {
                self.settle(attempt, &error).await;
                Err(error)
            }
        }
    }
}
