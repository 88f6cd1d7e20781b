//! A row that moves cash or securities over the border of an account, as far as it may be one half
//! of a move between two own accounts. It knows no other row.

use chrono::NaiveDate;

use super::{AccountId, Currency, Dec, SecurityId, Subtype, Transaction, TransactionId};

/// Such a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// The row.
    pub id: TransactionId,
    /// Whose.
    pub account: AccountId,
    /// The trade date.
    pub date: NaiveDate,
    /// Its place among the rows of its day: in the source, then by the kind of event.
    pub place: (i64, i64),
    /// Which event.
    pub subtype: Subtype,
    /// Of what; none: cash.
    pub security: Option<SecurityId>,
    /// Signed by direction.
    pub quantity: Option<Dec>,
    /// Of the amount.
    pub currency: Currency,
    /// The change of the account's cash.
    pub amount: Dec,
}

impl Move {
    /// The sorts of rows that can be one.
    pub const SUBTYPES: [Subtype; 8] = [
        Subtype::Deposit,
        Subtype::Withdrawal,
        Subtype::WireIn,
        Subtype::WireOut,
        Subtype::TransferIn,
        Subtype::TransferOut,
        Subtype::Internal,
        Subtype::Journal,
    ];

    /// A row as a move; none where it is of another sort or does not count.
    #[must_use]
    pub fn of(transaction: &Transaction) -> Option<Self> {
        let facts = &transaction.facts;
        let moves = Self::SUBTYPES.contains(&facts.subtype);
        (moves && facts.counts() && !transaction.deleted).then(|| Self {
            id: transaction.id,
            account: transaction.account,
            date: facts.date,
            place: (transaction.seq, facts.rank() as i64),
            subtype: facts.subtype,
            security: transaction.security,
            quantity: facts.quantity,
            currency: facts.currency,
            amount: facts.amount,
        })
    }
}
