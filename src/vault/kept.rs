//! Secrets as the store keeps them. It writes none: who seals one says when and why.

use super::{Key, Place, Recipient, Result, Vault, open, seal};
use crate::model::{ConnectionId, Secret};
use crate::store::{SealedSecret, WriteTx};

/// Seals the generation of a connection's secret that comes after this one, for every machine that
/// the key file names, if whoever wrote that had the key.
///
/// # Errors
/// When there is no vault, or its file is damaged.
pub fn seal_kept(
    vault: &Vault,
    key: &Key,
    connection: ConnectionId,
    after: i64,
    secret: &Secret,
    at: i64,
) -> Result<SealedSecret> {
    let recipients = vault.read_vouched(key)?.recipients();
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

/// How it went when all was sealed anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// How many secrets were.
    pub sealed: usize,
    /// How many stay as they are, since they are for other machines only.
    pub left: usize,
}

/// Seals every secret for these machines, but those that other machines keep for themselves: two may
/// each have some before they know each other, and one may be gone for good.
///
/// # Errors
/// When one that is for this key cannot be opened or belongs elsewhere, or the store fails; then
/// nothing may be committed.
pub async fn seal_all<E: From<super::Error> + From<crate::store::Error>>(
    tx: &mut WriteTx,
    key: &Key,
    recipients: &[Recipient],
) -> std::result::Result<Resealed, E> {
    let mut done = Resealed::default();
    for row in tx.secrets().await? {
        let secret = match open_kept(key, &row) {
            Err(super::Error::NotForUs(_)) if !is_for(key, &row) => {
                done.left += 1;
                continue;
            }
            opened => opened?,
        };
        let sealed = seal(recipients, place(&row), &secret)?;
        let sealed_for = machines(recipients);
        tx.update_secret(&SealedSecret { sealed_for, sealed, ..row }).await?;
        done.sealed += 1;
    }
    Ok(done)
}

/// Whether whoever wrote it says that this key opens it: if it does not, it is damaged.
fn is_for(key: &Key, row: &SealedSecret) -> bool {
    key.recipients().any(|own| names(row, &own))
}

/// Whether a row says that it is sealed for a machine.
#[must_use]
pub fn names(row: &SealedSecret, machine: &Recipient) -> bool {
    let name = machine.to_string();
    row.sealed_for.split(' ').any(|it| it == name)
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
