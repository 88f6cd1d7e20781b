//! Rows as the lots see them.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::model::{
    AccountId, Currency, Dec, Rank, Ratio, SecurityId, Subtype, TransactionId, days,
};

/// One row that counts and names a security.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The row.
    pub id: TransactionId,
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub security: SecurityId,
    /// What it becomes, in a corporate action.
    pub to_security: Option<SecurityId>,
    /// The trade date.
    #[serde(with = "days")]
    pub date: NaiveDate,
    /// Its place in the source.
    pub seq: i64,
    /// Its place among the rows of one moment.
    pub rank: Rank,
    /// Which event.
    pub subtype: Subtype,
    /// Signed by direction.
    pub quantity: Option<Dec>,
    /// Of one unit.
    pub price: Option<Dec>,
    /// Charged; absent: 0.
    pub fee: Dec,
    /// Taken by the state; absent: 0.
    pub tax: Dec,
    /// Of amount, price, fee and tax.
    pub currency: Currency,
    /// The change of the account's cash.
    pub amount: Dec,
    /// Units of this row's currency for one of the security's.
    pub fx_rate: Option<Dec>,
    /// Of an option or future; absent: 1.
    pub multiplier: Dec,
    /// Of a split, merger, spin-off or stock dividend.
    pub ratio: Option<Ratio>,
    /// When a lot was bought: that of an opening or a transfer in; those that a sale names.
    #[serde(with = "days::optional")]
    pub acquired: Option<NaiveDate>,
    /// The part of the cost that moves in a spin-off or merger.
    pub cost_share: Option<Dec>,
    /// The other leg of a transfer; of a right that was used, the trade it led to.
    pub peer: Option<Peer>,
}

impl Event {
    /// Where it happens.
    pub(super) const fn at(&self) -> (AccountId, SecurityId) {
        (self.account, self.security)
    }

    /// The other leg, if that is what the linked row is.
    pub(super) fn other_leg(&self) -> Option<&Peer> {
        self.peer.as_ref().filter(|peer| {
            peer.security == Some(self.security) && Some(peer.subtype) == self.subtype.mirror()
        })
    }

    /// Which move this row, one of its legs, makes with the other leg.
    pub(super) fn move_with(&self, other: &Peer) -> MoveId {
        match self.subtype {
            Subtype::TransferOut => MoveId { out: self.id, into: other.id },
            _ => MoveId { out: other.id, into: self.id },
        }
    }

    /// How many, without a sign; none where the row says nothing, or zero.
    pub(super) fn units(&self) -> Option<Dec> {
        self.quantity.map(Dec::abs).filter(|quantity| quantity.is_positive())
    }
}

/// A move of lots: the row they leave with, and the one they come with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MoveId {
    /// Leaves.
    pub out: TransactionId,
    /// Arrives.
    pub into: TransactionId,
}

/// What a row needs to know of the row it is linked with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// The row.
    pub id: TransactionId,
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub security: Option<SecurityId>,
    /// The trade date.
    #[serde(with = "days")]
    pub date: NaiveDate,
    /// Which event.
    pub subtype: Subtype,
    /// Signed by direction.
    pub quantity: Option<Dec>,
    /// The change of its account's cash.
    pub amount: Dec,
    /// Of the amount.
    pub currency: Currency,
}
