//! Transactions that come with a whole store: with their places, with what a person did to them
//! there, and with what their sources know them by.

use super::body::Underlay;
use super::intake::{Held, Intake};
use super::{Result, merge, write};
use crate::model::{Refusal, TransactionWords};
use crate::store::{Identity, StoredTransaction};

impl Intake {
    /// Takes in a transaction of another store.
    pub(super) async fn push_words(
        &mut self,
        file: usize,
        line: u64,
        words: TransactionWords,
    ) -> Result<std::result::Result<(), Refusal>> {
        let TransactionWords { draft, seq, origin, deleted, nth, source } = words;
        let mut shown = match self.row_of(file, line, draft, origin).await? {
            Ok(row) => row,
            Err(refusal) => return Ok(Err(refusal)),
        };
        shown.transaction.deleted = deleted;
        let (row, edited) = match source {
            None => {
                self.place(&mut shown, nth, Some(seq));
                (shown, None)
            }
            Some(source) => {
                let mut row = match self.row_of(file, line, source.draft, origin).await? {
                    Ok(row) => row,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                self.place(&mut row, source.nth, Some(seq));
                row.transaction.id = shown.transaction.id;
                let occurrence = nth.unwrap_or(row.identity.occurrence);
                shown.identity = Identity { occurrence, ..row.identity };
                shown.transaction.seq = seq;
                let mut said = Underlay::shown(&row);
                said.edited = write::changed_fields(&said, &Underlay::shown(&shown));
                if row.transaction.account != shown.transaction.account {
                    said.edited.insert("account".to_owned());
                }
                shown.source_facts = Some(said.to_json()?);
                (row, Some(Box::new(shown)))
            }
        };
        let held = Held { file, line, part: 0, nth: 0, row, whole: true, edited, sure: false };
        self.hold([held]).await?;
        Ok(Ok(()))
    }

    /// Puts a new row as a person left it in the place of what its source says, by which it stays
    /// known. `new` are the rows that are about to be stored with it.
    pub(super) async fn take_edited(
        &mut self,
        row: &mut StoredTransaction,
        mut edited: StoredTransaction,
        new: &[&StoredTransaction],
    ) -> Result<()> {
        let place = |row: &StoredTransaction| (row.transaction.account, row.transaction.facts.date);
        let (from, to) = (place(row), place(&edited));
        if from.0 != to.0 {
            let there = self.tx.transactions_of_account(to.0).await?;
            let rows = there.iter().chain(new.iter().copied());
            let rows = rows.filter(|other| other.transaction.account == to.0);
            let taken = rows.map(|other| other.identity).collect();
            merge::find_room(&mut edited, &taken)?;
        }
        if from != to {
            self.tx.remember_place(row).await?;
        }
        *row = edited;
        Ok(())
    }
}
