//! Secrets as the store keeps them. It writes none: who seals one says when and why.

use super::{Key, Place, Recipient, Result, Vault, open, seal};
use crate::model::{ConnectionId, Secret};
use crate::store::{SealedSecret, WriteTx};

/// Seals the generation of a connection's secret that comes after this one, for every machine that
/// the key file names. No key is needed for it.
///
/// # Errors
/// When there is no vault, or its file is damaged.
pub fn seal_kept(
    vault: &Vault,
    connection: ConnectionId,
    after: i64,
    secret: &Secret,
    at: i64,
) -> Result<SealedSecret> {
    let recipients = vault.read()?.recipients();
    let generation = after.saturating_add(1);
    Ok(SealedSecret {
        connection,
        generation,
        sealed_at: at,
        presented: None,
        serves_once: false,
        sealed_for: machines(&recipients),
        sealed: seal(&recipients, Place { connection, generation }, secret)?,
    })
}

/// Opens one.
///
/// # Errors
/// When the key does not open it, or it is not the one that belongs there.
pub fn open_kept(key: &Key, row: &SealedSecret) -> Result<Secret> {
    open(key, place(row), &row.sealed)
}

/// Seals every secret for these machines; tells how many there are.
///
/// # Errors
/// When one of them cannot be opened, or the store fails; then nothing may be committed.
pub async fn seal_all<E: From<super::Error> + From<crate::store::Error>>(
    tx: &mut WriteTx,
    key: &Key,
    recipients: &[Recipient],
) -> std::result::Result<usize, E> {
    let rows = tx.secrets().await?;
    let count = rows.len();
    for row in rows {
        let secret = open_kept(key, &row)?;
        let sealed = seal(recipients, place(&row), &secret)?;
        let sealed_for = machines(recipients);
        tx.update_secret(&SealedSecret { sealed_for, sealed, ..row }).await?;
    }
    Ok(count)
}

/// The machines as a row names them.
#[must_use]
pub fn machines(recipients: &[Recipient]) -> String {
    let mut names: Vec<String> = recipients.iter().map(ToString::to_string).collect();
    names.sort_unstable();
    names.join(" ")
}

const fn place(row: &SealedSecret) -> Place {
    Place { connection: row.connection, generation: row.generation }
}
