//! Rows that come as a person left them: exported in a form that cannot tell what their source
//! says, and read back. A row that is not known by its identity, and is just what an edited row of
//! its account says now, is that row, unless the same file also brings the edited row as its
//! source knows it: then it is another one. So such a row waits for the end of its file.

use std::collections::BTreeSet;

use super::Result;
use super::body::Underlay;
use super::identity::key_of_content;
use super::intake::{Held, Intake};
use super::legs::{Found, Known, Places, is_alone, place_of};
use super::write::Said;
use crate::model::{AccountId, Origin, TransactionId};
use crate::store::StoredTransaction;

/// What edited rows say now, by which a row may be one of them.
pub(super) type Contents = BTreeSet<([u8; 12], AccountId)>;

/// The events of a file that may be edited ones, and the edited rows that it brought.
#[derive(Default)]
pub(super) struct Doubtful {
    waiting: Vec<Vec<Held>>,
    met: BTreeSet<TransactionId>,
}

impl Doubtful {
    /// Lets an event wait for the end of its file.
    pub fn wait(&mut self, event: Vec<Held>) {
        self.waiting.push(event);
    }

    /// Notes that the file brought a row.
    pub fn meets(&mut self, stored: &StoredTransaction) {
        // One that came with a whole store was edited there, before its first version here.
        if stored.transaction.version > 1 || stored.source_facts.is_some() {
            self.met.insert(stored.transaction.id);
        }
    }

    /// What waited.
    pub fn end(&mut self) -> Vec<Vec<Held>> {
        std::mem::take(&mut self.waiting)
    }
}

impl Held {
    /// Whether it has nothing but its content to be known by, and is not settled yet.
    fn is_open(&self) -> bool {
        !self.sure && self.edited.is_none() && self.row.transaction.source_id.is_none()
    }

    /// Whether it says what an edited row says now.
    pub(super) fn may_be_among(&self, edited: &Contents) -> bool {
        self.is_open() && edited.contains(&(self.row.identity.key, self.row.transaction.account))
    }
}

/// Whether a row of an event that nothing is known of may be an edited one.
pub(super) fn are_doubtful(event: &[Held], found: &Found, edited: &Contents) -> bool {
    let mut rows = event.iter().zip(found.ids);
    rows.any(|(held, id)| id.is_none() && held.may_be_among(edited))
}

impl Intake {
    /// What edited rows say now, of the days of those rows held back that may not be known.
    pub(super) async fn edited_contents(
        &mut self,
        held: &[Held],
        places: &Places,
    ) -> Result<Contents> {
        let unknown = held.iter().filter(|held| {
            // Rows of an event may be equal to those of another one.
            held.is_open()
                && self.may_have_rows(held.row.transaction.facts.date)
                && (held.part > 0 || !places.contains_key(&place_of(&held.row)))
        });
        let days: BTreeSet<_> = unknown.map(|held| held.row.transaction.facts.date).collect();
        let edited = self.tx.edited_transactions(&days).await?;
        Ok(edited.iter().map(|row| (key_of(row), row.transaction.account)).collect())
    }

    /// The stored rows that an event is which waited, if it is as a person left it; they are known
    /// after this.
    pub(super) async fn find_edited(
        &mut self,
        event: &mut [Held],
        known: &mut Known,
    ) -> Result<Option<Found>> {
        let mut edited = [Vec::new(), Vec::new()];
        for (held, rows) in event.iter().zip(&mut edited) {
            *rows = self.edited_like(&held.row).await?;
        }
        let ids = match event {
            [first, second] => match pair(&mut first.row, &mut second.row, &edited, known) {
                Some(ids) => ids,
                None => self.alone([&mut first.row, &mut second.row], &edited, known).await?,
            },
            _ => [edited.iter().flatten().map(id_of).next(), None],
        };
        known.rows.extend(edited.into_iter().flatten().map(|row| (row.transaction.id, row)));
        Ok((ids != [None, None]).then_some(Found { ids, elsewhere: false }))
    }

    /// For each half of an event the edited row like it that is no part of another event; where one
    /// has one, the other may be a row that nobody edited.
    async fn alone(
        &mut self,
        rows: [&mut StoredTransaction; 2],
        edited: &[Vec<StoredTransaction>; 2],
        known: &Known,
    ) -> Result<[Option<TransactionId>; 2]> {
        let mut ids = [None, None];
        for (like, id) in edited.iter().zip(&mut ids) {
            for row in like {
                if id.is_none() && is_alone(&mut self.tx, row).await? {
                    *id = Some(row.transaction.id);
                }
            }
        }
        if ids != [None, None] {
            for (row, id) in rows.into_iter().zip(&mut ids).filter(|(_, id)| id.is_none()) {
                *id = self.free(row, known).await?;
            }
        }
        Ok(ids)
    }

    /// The edited rows that say what this row says and that its file did not bring otherwise.
    async fn edited_like(&mut self, row: &StoredTransaction) -> Result<Vec<StoredTransaction>> {
        let day = BTreeSet::from([row.transaction.facts.date]);
        let mut edited = self.tx.edited_transactions(&day).await?;
        let place = (row.identity.key, row.transaction.account);
        edited.retain(|other| {
            (key_of(other), other.transaction.account) == place
                && !self.doubtful.met.contains(&other.transaction.id)
        });
        Ok(edited)
    }
}

/// The stored event of two rows of which at least one is an edited one; they take over its label.
fn pair(
    first: &mut StoredTransaction,
    second: &mut StoredTransaction,
    [firsts, seconds]: &[Vec<StoredTransaction>; 2],
    known: &Known,
) -> Option<[Option<TransactionId>; 2]> {
    // One that was edited counts by what it says now only.
    let as_it_came =
        |row: &&StoredTransaction| row.source_facts.is_none() && !row.transaction.deleted;
    let halves = |edited: &[StoredTransaction], row: &StoredTransaction| {
        let plain = known.equal_to(row).filter(as_it_came).map(|row| (row, false));
        let edited = edited.iter().map(|row| (row, true));
        let halves = edited.chain(plain);
        halves.map(|(row, edited)| (row.transaction.link.clone(), id_of(row), edited)).collect()
    };
    let ones: Vec<_> = halves(firsts, first);
    let others: Vec<_> = halves(seconds, second);
    for (link, one, is_edited) in ones.into_iter().filter(|(link, ..)| link.is_some()) {
        let fits = |other: &&(_, _, bool)| other.0 == link && (is_edited || other.2);
        if let Some((_, other, _)) = others.iter().find(fits) {
            first.transaction.link.clone_from(&link);
            second.transaction.link = link;
            return Some([Some(one), Some(*other)]);
        }
    }
    None
}

fn id_of(row: &StoredTransaction) -> TransactionId {
    row.transaction.id
}

/// What a row would be known by if a file brought it as it is now.
fn key_of(row: &StoredTransaction) -> [u8; 12] {
    let transaction = &row.transaction;
    let (security, to_security) = (transaction.security, transaction.to_security);
    key_of_content(security, to_security, &transaction.facts, &mut Vec::new())
}

/// Whether a row comes as a person left it: then it says nothing of what its source says.
pub(super) fn is_echo(
    held: &Held,
    said: &Said,
    before: &Underlay,
    stored: &StoredTransaction,
) -> bool {
    let by_hand = stored.transaction.origin == Origin::Hand && held.edited.is_some();
    said.over(before) != *before && (says_what_is_shown(said, stored) || by_hand)
}

/// Whether all that a file says of an edited row is what the row says now.
fn says_what_is_shown(said: &Said, stored: &StoredTransaction) -> bool {
    let shown = Underlay::shown(stored);
    stored.source_facts.is_some() && said.over(&shown) == shown
}
