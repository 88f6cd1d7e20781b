//! Rows that come as a person left them: exported in a form that cannot tell what their source
//! says, and read back. A row that is not known by its identity, and is just what an edited row of
//! its account says now, is that row, unless the same file also brings the edited row as its
//! source knows it: then it is another one. So such a row waits for the end of its file.

use std::collections::{BTreeSet, HashMap};

use super::Result;
use super::body::Underlay;
use super::identity::key_of_content;
use super::intake::{Held, Intake};
use super::write::Said;
use crate::model::{AccountId, TransactionId};
use crate::store::{Identity, StoredTransaction};

/// Where a row is looked for.
type Place = (Identity, AccountId);

/// The rows of a file that may be edited ones, and the edited ones that it brought.
#[derive(Default)]
pub(super) struct Doubtful {
    waiting: Vec<Held>,
    met: BTreeSet<TransactionId>,
}

impl Doubtful {
    /// Lets a row wait for the end of its file.
    pub fn wait(&mut self, held: &Held) {
        self.waiting.push(Held { row: held.row.clone(), edited: held.edited.clone(), ..*held });
    }

    /// Notes that the file brought a row.
    pub fn meets(&mut self, stored: &StoredTransaction) {
        if stored.transaction.version > 1 {
            self.met.insert(stored.transaction.id);
        }
    }

    /// What waited.
    pub fn end(&mut self) -> Vec<Held> {
        std::mem::take(&mut self.waiting)
    }
}

impl Intake {
    /// Which of the rows held back, known by nothing, say what an edited row says now.
    pub(super) async fn may_be_edited(
        &mut self,
        held: &[Held],
        places: &HashMap<Place, TransactionId>,
    ) -> Result<BTreeSet<Place>> {
        let unknown = held.iter().filter(|held| {
            let transaction = &held.row.transaction;
            !held.sure
                && held.edited.is_none()
                && transaction.source_id.is_none()
                && self.may_have_rows(transaction.facts.date)
                && !places.contains_key(&(held.row.identity, transaction.account))
        });
        let unknown: Vec<_> = unknown.map(|held| &held.row).collect();
        let days: BTreeSet<_> = unknown.iter().map(|row| row.transaction.facts.date).collect();
        let edited = self.tx.edited_transactions(&days).await?;
        let edited: BTreeSet<_> =
            edited.iter().map(|row| (key_of(row), row.transaction.account)).collect();
        let is_like = |row: &&&StoredTransaction| {
            edited.contains(&(row.identity.key, row.transaction.account))
        };
        let alike = unknown.iter().filter(is_like);
        Ok(alike.map(|row| (row.identity, row.transaction.account)).collect())
    }

    /// The edited row that says what this row says and that its file did not bring otherwise.
    pub(super) async fn edited_like(
        &mut self,
        row: &StoredTransaction,
    ) -> Result<Option<StoredTransaction>> {
        let day = BTreeSet::from([row.transaction.facts.date]);
        let edited = self.tx.edited_transactions(&day).await?.into_iter();
        let place = (row.identity.key, row.transaction.account);
        let is_like = |other: &StoredTransaction| {
            (key_of(other), other.transaction.account) == place
                && !self.doubtful.met.contains(&other.transaction.id)
        };
        Ok(edited.into_iter().find(is_like))
    }
}

/// What a row would be known by if a file brought it as it is now.
fn key_of(row: &StoredTransaction) -> [u8; 12] {
    let transaction = &row.transaction;
    let (security, to_security) = (transaction.security, transaction.to_security);
    key_of_content(security, to_security, &transaction.facts, &mut Vec::new())
}

/// Whether all that a file says of an edited row is what the row says now.
pub(super) fn says_what_is_shown(said: &Said, stored: &StoredTransaction) -> bool {
    let shown = Underlay::shown(stored);
    stored.source_facts.is_some() && said.over(&shown) == shown
}
