//! Every row of one security, from the pages: whoever asks for one security need not read the rows
//! of all others.

use super::days::events_of;
use crate::analytics::lots::Event;
use crate::model::SecurityId;
use crate::store::{Result, Tx};

/// The rows of a security that count, in order; `group` is the one its pages are kept under.
///
/// # Errors
/// When the store cannot be read.
pub async fn rows_of(tx: &mut Tx, group: SecurityId, security: SecurityId) -> Result<Vec<Event>> {
    let mut rows = rows_of_group(tx, group).await?;
    rows.retain(|event| event.security == security);
    Ok(rows)
}

/// The rows of all securities that are joined with each other, in order.
///
/// # Errors
/// When the store cannot be read.
pub async fn rows_of_group(tx: &mut Tx, group: SecurityId) -> Result<Vec<Event>> {
    let mut rows = Vec::new();
    for page in tx.lot_pages_from(group, i32::MIN).await? {
        rows.extend(events_of(&page)?.into_iter().flat_map(|(_, events)| events));
    }
    Ok(rows)
}
