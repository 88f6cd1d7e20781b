//! Splits that the rows lack: found in the prices, written when a person agrees, one row for each
//! account.

use super::edit;
use super::{Error, Session};
use crate::ledger::split_id;
use crate::model::{Change, Entry, EntryType, SafeText, SecurityId, Subtype, TransactionId, Unit};
use crate::report::{self, SplitProposal, SplitShare};

/// A row that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Whose.
    pub account: SafeText,
    /// Of what.
    pub security: SecurityId,
    /// The row.
    pub transaction: TransactionId,
}

/// What became of an application: what was written, and why the rest was not.
#[derive(Debug, Default)]
pub struct Applied {
    /// In the order of writing.
    pub written: Vec<Written>,
    /// The account and the reason, where one was refused.
    pub failed: Vec<(SafeText, Error)>,
}

/// The splits up to today that some account lacks; of these securities, or of all.
///
/// # Errors
/// When the store cannot be read.
pub async fn proposed(session: &Session, only: &[SecurityId]) -> Result<Vec<SplitProposal>, Error> {
    let mut tx = session.store.read().await?;
    let mut proposals = report::splits(&mut tx, session.clock.today()).await?;
    proposals.retain(|proposal| only.is_empty() || only.contains(&proposal.security));
    Ok(proposals)
}

/// Writes a row for every account of these proposals that has not booked the split otherwise.
/// What is written stays when a later one is refused: each row is right by itself.
pub async fn apply<'p>(
    session: &Session,
    proposals: impl Iterator<Item = &'p SplitProposal>,
) -> Applied {
    let mut applied = Applied::default();
    for proposal in proposals {
        for share in proposal.shares.iter().filter(|share| share.booked.is_none()) {
            match write(session, proposal, share).await {
                Ok(ids) => applied.written.extend(ids.into_iter().map(|transaction| Written {
                    account: share.account.clone(),
                    security: proposal.security,
                    transaction,
                })),
                Err(error) => applied.failed.push((share.account.clone(), error)),
            }
        }
    }
    applied
}

/// Writes one row, or brings back the one that was written before and deleted since.
async fn write(
    session: &Session,
    proposal: &SplitProposal,
    share: &SplitShare,
) -> Result<Vec<TransactionId>, Error> {
    let account = edit::account_named(session, share.account.as_str()).await?;
    let id = split_id(&proposal.mention, proposal.day, proposal.ratio);
    let mut tx = session.store.read().await?;
    let known = tx.transactions_by_source(&[&id]).await?.into_iter().map(|row| row.transaction);
    let mut known = known.filter(|row| {
        row.account == account.id && row.security == Some(proposal.security) && row.deleted
    });
    let deleted = known.next().map(|row| row.id);
    drop(tx);
    let change = match deleted {
        Some(row) => Change::RestoreTransaction(row),
        None => {
            let what = EntryType::One(Subtype::Split);
            let unit = Unit::from(account.currency);
            let mut entry = Entry::new(account.name, proposal.day, what, unit);
            entry.symbol = Some(proposal.mention.clone());
            entry.ratio = Some(proposal.ratio);
            entry.description = Some(SafeText::new("seen in the prices"));
            entry.id = Some(id);
            Change::AddTransaction(Box::new(entry))
        }
    };
    Ok(edit::apply(session, change).await?.transactions)
}
