//! The claims of the rows at hand: which imports say that a row is there, and what of it they said,
//! so that each can be taken back by itself.

use std::collections::BTreeMap;

use crate::model::{BatchId, TransactionId};
use crate::store::{Claim, StoredTransaction};

/// What a claim says of its row: the version that agrees with it, and which of the fields that may
/// be left out it said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Statement {
    pub version: i64,
    pub said: i64,
}

/// The claims of the rows at hand: those that are stored and those that come.
#[derive(Default)]
pub(super) struct Claims {
    stored: BTreeMap<TransactionId, BTreeMap<BatchId, Claim>>,
    pub new: Vec<Claim>,
    /// Of this import already, and now it says more.
    pub again: Vec<Claim>,
}

impl Claims {
    pub fn know(&mut self, claims: Vec<Claim>) {
        for claim in claims {
            self.stored.entry(claim.transaction).or_default().insert(claim.batch, claim);
        }
    }

    /// Adds the claim of this import to a row, unless it has it. True: the row's place may change.
    pub fn add(
        &mut self,
        stored: &StoredTransaction,
        row: &StoredTransaction,
        batch: BatchId,
        first: Statement,
        mine: Statement,
    ) -> bool {
        let transaction = &stored.transaction;
        let known = self.stored.entry(transaction.id).or_default();
        if transaction.batch == Some(batch) && known.is_empty() {
            return true;
        }
        let claim = Claim {
            transaction: transaction.id,
            batch,
            file_no: row.file_no.unwrap_or(0),
            line: row.line.unwrap_or(0),
            seq: row.transaction.seq,
            version: mine.version,
            said: mine.said,
        };
        if let Some(before) = known.get_mut(&batch) {
            let both =
                Claim { version: mine.version, said: before.said | mine.said, ..before.clone() };
            if both != *before {
                *before = both.clone();
                self.again.push(both);
            }
            return true;
        }
        if known.is_empty() {
            // The first claimant stood in the row itself until now.
            let first = Claim {
                batch: transaction.batch.unwrap_or(BatchId(0)),
                file_no: stored.file_no.unwrap_or(0),
                line: stored.line.unwrap_or(0),
                seq: transaction.seq,
                version: first.version,
                said: first.said,
                ..claim
            };
            known.insert(first.batch, first.clone());
            self.new.push(first);
        }
        known.insert(batch, claim.clone());
        self.new.push(claim);
        true
    }
}
