//! How much of each security an account holds: its rows followed in order, splits and changes of
//! name applied.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::Names;

use crate::model::{Dec, Exact, OrderKey, SafeText, SecurityId, Subtype, TransactionWords};
use crate::store::{Result, StoredTransaction, TransactionFilter, Tx};

/// How much of a security an account holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldingQuantity {
    /// Whose.
    pub account: SafeText,
    /// Of what.
    pub symbol: SafeText,
    /// How many.
    pub quantity: Dec,
}

/// The quantities of a day, by account and symbol; nothing held is left out.
///
/// # Errors
/// When the store cannot be read.
pub async fn quantities(tx: &mut Tx, as_of: NaiveDate) -> Result<Vec<HoldingQuantity>> {
    let names = Names::read(tx).await?;
    let mut held: BTreeMap<(SafeText, SecurityId), Exact> = BTreeMap::new();
    let accounts: Vec<_> = tx.accounts().await?.iter().map(|row| row.account.id).collect();
    for account in accounts {
        let filter = TransactionFilter {
            account: Some(account),
            to: Some(as_of),
            ..TransactionFilter::default()
        };
        let rows = tx.transactions_from(&filter, None, i64::MAX).await?;
        let mut rows: Vec<(TransactionWords, StoredTransaction)> =
            rows.into_iter().map(|row| (names.words(row.clone()), row)).collect();
        rows.sort_by_cached_key(|(words, _)| OrderKey::of(words));
        for (words, row) in rows {
            if row.transaction.facts.counts() {
                follow(&mut held, &words.draft.account, &row);
            }
        }
    }
    let mut quantities: Vec<_> = held
        .into_iter()
        .filter_map(|((account, security), quantity)| {
            let quantity = quantity.round(12).ok().filter(|quantity| !quantity.is_zero())?;
            Some(HoldingQuantity { account, symbol: names.symbol(security), quantity })
        })
        .collect();
    quantities.sort_by(|a, b| (&a.account, &a.symbol).cmp(&(&b.account, &b.symbol)));
    Ok(quantities)
}

/// What one row does to the quantities of its account.
fn follow(
    held: &mut BTreeMap<(SafeText, SecurityId), Exact>,
    account: &SafeText,
    row: &StoredTransaction,
) {
    let facts = &row.transaction.facts;
    let Some(security) = row.transaction.security else { return };
    let of = |id: SecurityId| (account.clone(), id);
    let before = held.get(&of(security)).cloned().unwrap_or(Exact::ZERO);
    let by_ratio = |quantity: &Exact| {
        let ratio = facts.ratio?;
        let grown = quantity.mul(&Exact::from(ratio.new));
        grown.div_round(&Exact::from(ratio.old), 12).ok().map(Exact::from)
    };
    let mut gain = |id: SecurityId, quantity: &Exact| {
        let place = held.entry(of(id)).or_insert(Exact::ZERO);
        *place = place.add(quantity);
    };
    match (facts.subtype, row.transaction.to_security) {
        (Subtype::Split, _) => {
            if let Some(after) = by_ratio(&before) {
                gain(security, &after.sub(&before));
            }
        }
        (Subtype::SymbolChange, Some(to)) => {
            gain(security, &before.neg());
            gain(to, &before);
        }
        (Subtype::Merger | Subtype::SpinOff, Some(to)) => {
            let born = facts.quantity.map(Exact::from).or_else(|| by_ratio(&before));
            if let Some(born) = born {
                gain(to, &born);
            }
            if facts.subtype == Subtype::Merger {
                gain(security, &before.neg());
            }
        }
        (subtype, _) if subtype.direction() != 0 => {
            if let Some(quantity) = facts.quantity {
                gain(security, &Exact::from(quantity));
            }
        }
        _ => {}
    }
}
