//! Connections: made with what they are to show sealed beside them, made to work again, let rest, and
//! ended.

use super::standing::settle_differences;
use super::{Error, Result};
use crate::audit::Action;
use crate::model::{Connection, ConnectionId, ConnectionState, OpId, SafeText};
use crate::store::{self, SealedSecret, Store, WriteTx};
use crate::tasks::{self, Task};

/// Seals what a connection is to show, for its id and after its last generation, or says why it
/// cannot.
pub type Sealed =
    Box<dyn FnOnce(ConnectionId, i64) -> std::result::Result<SealedSecret, SafeText> + Send>;

/// What a connection is given to show, and until when that is good.
pub struct Consent {
    /// Seals it.
    pub sealed: Sealed,
    /// When the consent ends, in microseconds since the epoch; none: never by itself.
    pub expires: Option<i64>,
}

/// Adds a connection that works at once.
///
/// # Errors
/// When the store fails, has one of this label, or nothing can be sealed; then nothing is written.
pub async fn connect(
    store: &Store,
    provider: &str,
    label: &SafeText,
    consent: Option<Consent>,
    op: OpId,
    now: i64,
) -> Result<ConnectionId> {
    let (provider, label) = (SafeText::new(provider), label.clone());
    write(store, move |mut tx| async move {
        let id = ConnectionId(tx.take_id());
        let state = ConnectionState::Active;
        let consent_expires = consent.as_ref().and_then(|consent| consent.expires);
        tx.insert_connection(&Connection {
            id,
            provider,
            label,
            state,
            since: now,
            consent_expires,
            detail: None,
        })
        .await?;
        keep(&mut tx, id, consent).await?;
        tx.commit(&op.to_string(), "connect", now).await?;
        Ok(id)
    })
    .await
}

/// Lets a connection work again, with what it is to show from now on. One that worked and rests goes on
/// resting: only its owner ends a pause.
///
/// # Errors
/// When it was ended, the store fails or nothing can be sealed; then nothing is written.
pub async fn reconnect(
    store: &Store,
    connection: &Connection,
    consent: Consent,
    op: OpId,
    now: i64,
) -> Result<ConnectionId> {
    let mut row = connection.clone();
    let worked = row.state == ConnectionState::Active;
    if !worked {
        row.state = row.state.become_(ConnectionState::Active)?;
    }
    (row.since, row.detail, row.consent_expires) = (now, None, consent.expires);
    write(store, move |mut tx| async move {
        tx.update_connection(&row).await?;
        keep(&mut tx, row.id, Some(consent)).await?;
        if !worked {
            tx.put_paused(row.id, None).await?;
        }
        // Whoever waited longer and longer need not wait now.
        for mut refresh in tx.refreshes().await? {
            if refresh.connection == row.id && refresh.failures > 0 {
                (refresh.attempted, refresh.failures, refresh.next_attempt) = (0, 0, None);
                tx.put_refresh(&refresh).await?;
            }
        }
        tx.commit(&op.to_string(), "connect", now).await?;
        Ok(row.id)
    })
    .await
}

/// Ends a connection: what it brought stays, what it showed is forgotten.
///
/// # Errors
/// When the store fails; then nothing is written.
pub async fn disconnect(
    store: &Store,
    connection: &Connection,
    why: Option<SafeText>,
    op: OpId,
    now: i64,
) -> Result<()> {
    let mut row = connection.clone();
    if let Ok(state) = row.state.become_(ConnectionState::Disconnected) {
        (row.state, row.since, row.detail) = (state, now, why);
        // Its name is free for another one.
        row.label = SafeText::new(&format!("{} (ended, {})", row.label, row.id));
    }
    write(store, move |mut tx| async move {
        tx.update_connection(&row).await?;
        tx.remove_secrets(row.id).await?;
        tx.forget_told(row.id).await?;
        tx.put_paused(row.id, None).await?;
        let accounts = tx.accounts().await?.into_iter();
        let mine = accounts.filter(|it| it.connection == Some(row.id)).map(|it| it.account.id);
        settle_differences(&mut tx, &mine.collect(), now).await?;
        tx.commit(&op.to_string(), "disconnect", now).await?;
        Ok(())
    })
    .await
}

/// What it is called that a connection rests, or goes on.
#[must_use]
pub const fn pausing(rests: bool) -> Action {
    if rests { Action::ConnectionPause } else { Action::ConnectionResume }
}

/// Lets a connection rest, or go on: while it rests nothing is asked of its service. False: it did so
/// already, and nothing is written.
///
/// # Errors
/// When the store fails; then nothing is written.
pub async fn pause(
    store: &Store,
    connection: ConnectionId,
    rests: bool,
    op: OpId,
    now: i64,
) -> Result<bool> {
    write(store, move |mut tx| async move {
        if tx.paused().await?.contains_key(&connection) == rests {
            tx.rollback().await?;
            return Ok(false);
        }
        tx.put_paused(connection, rests.then_some(now)).await?;
        tx.commit(&op.to_string(), pausing(rests).as_str(), now).await?;
        Ok(true)
    })
    .await
}

async fn keep(tx: &mut WriteTx, id: ConnectionId, consent: Option<Consent>) -> Result<()> {
    let Some(consent) = consent else { return Ok(()) };
    let before = tx.secret(id).await?.map_or(0, |row| row.generation);
    let row = (consent.sealed)(id, before).map_err(Error::NotSealed)?;
    tx.insert_secret(&row).await?;
    Ok(())
}

/// Writes in a task of its own: nobody may stop it half way.
async fn write<T, F>(store: &Store, work: impl FnOnce(WriteTx) -> F + Send + 'static) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let store = store.clone();
    let task = tasks::spawn(Task::Delivery, async move {
        let tx = store.write().await.map_err(|error: store::Error| Error::from(error))?;
        work(tx).await
    });
    task.await.unwrap_or(Err(Error::Interrupted))
}
