//! What is not settled yet: the rows that are pending, and the figures that follow from them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::Result;
use crate::figures::{Held, TRANSIT};
use crate::model::{AccountId, Kind, Lot, Realization, SecurityId, Subtype, TransactionId};
use crate::store::{PendingRow, Tx};

/// The pending rows up to a day.
pub(super) struct Pending {
    rows: BTreeMap<TransactionId, PendingRow>,
    accounts: BTreeSet<AccountId>,
    positions: BTreeMap<(AccountId, SecurityId), Vec<TransactionId>>,
}

impl Pending {
    pub async fn read(tx: &mut Tx, through: NaiveDate) -> Result<Self> {
        Ok(Self::of(tx.pending(through).await?))
    }

    fn of(rows: Vec<PendingRow>) -> Self {
        let mut positions: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for row in &rows {
            for security in row.security.into_iter().chain(row.to_security) {
                // What is on its way belongs to no account.
                for account in [row.account, TRANSIT] {
                    positions.entry((account, security)).or_default().push(row.id);
                }
            }
        }
        Self {
            accounts: rows.iter().map(|row| row.account).collect(),
            positions,
            rows: rows.into_iter().map(|row| (row.id, row)).collect(),
        }
    }

    /// The days and accounts of the rows.
    pub fn days(&self) -> impl Iterator<Item = (NaiveDate, AccountId)> {
        self.rows.values().map(|row| (row.date, row.account))
    }

    /// Some row of the account.
    pub fn of_account(&self, account: AccountId) -> bool {
        self.accounts.contains(&account)
    }

    /// Some row of the position.
    pub fn of_position(&self, held: &Held) -> bool {
        self.of_security(held.account, held.security)
    }

    /// Some row of a security in an account.
    pub fn of_security(&self, account: AccountId, security: SecurityId) -> bool {
        self.positions.contains_key(&(account, security))
    }

    /// The row that opened a lot of a position, or one that did something to all its lots.
    pub fn of_lot(&self, held: &Held, lots: &[Lot], lot: &Lot) -> bool {
        let opened_one = |id: &TransactionId| lots.iter().any(|lot| lot.opening == *id);
        let mut others = self
            .positions
            .get(&(held.account, held.security))
            .into_iter()
            .flatten()
            .filter(|id| !opened_one(id));
        self.rows.contains_key(&lot.opening)
            || others.any(|id| self.rows.get(id).is_some_and(|row| touches_lots(row.subtype)))
    }

    /// The row that closed a lot, or the one that opened it.
    pub fn of_sale(&self, realized: &Realization) -> bool {
        let mut rows = realized.opening.into_iter().chain([realized.closing]);
        rows.any(|row| self.rows.contains_key(&row))
    }
}

const fn touches_lots(subtype: Subtype) -> bool {
    !matches!(
        subtype,
        Subtype::Dividend | Subtype::Interest | Subtype::CapitalGain | Subtype::Distribution
    ) && !matches!(subtype.kind(), Kind::Fee)
}
