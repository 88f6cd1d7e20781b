//! Splits that the rows lack: found in the prices, written when a person agrees, one row for each
//! account.

use super::edit;
use super::{Error, Session};
use crate::analytics::splits::split_id;
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
            match edit::apply(session, change(proposal, share)).await {
                Ok(done) => {
                    let (account, security) = (share.account.clone(), proposal.security);
                    let row =
                        |transaction| Written { account: account.clone(), security, transaction };
                    applied.written.extend(done.transactions.into_iter().map(row));
                }
                Err(error) => applied.failed.push((share.account.clone(), error)),
            }
        }
    }
    applied
}

/// What adds the row of an account, or brings back the one that was written before and deleted since.
fn change(proposal: &SplitProposal, share: &SplitShare) -> Change {
    if let Some(row) = share.deleted {
        return Change::RestoreTransaction(row);
    }
    let SplitProposal { mention, day, ratio, .. } = proposal;
    let what = EntryType::One(Subtype::Split);
    let unit = Unit::from(share.currency);
    let mut entry = Entry::new(share.account.clone(), *day, what, unit);
    entry.symbol = Some(mention.clone());
    entry.ratio = Some(*ratio);
    entry.description = Some(SafeText::new("seen in the prices"));
    entry.id = Some(split_id(mention, *day, *ratio));
    Change::AddTransaction(Box::new(entry))
}

/// What adds a row to every account that lacks the split.
#[must_use]
pub fn changes(proposal: &SplitProposal) -> Vec<Change> {
    let open = proposal.shares.iter().filter(|share| share.booked.is_none());
    open.map(|share| change(proposal, share)).collect()
}
