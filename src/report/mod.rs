//! Every figure that is shown or printed, read from the store; the screen and the command line
//! read the same ones. Writes nothing.

mod accounts;
mod contents;
mod names;
mod order;
mod quantities;
mod transactions;

pub use accounts::{AccountRow, AccountsQuery, AccountsReport, accounts};
pub use contents::Contents;
pub use names::Names;
pub use quantities::{HoldingQuantity, quantities};
pub use transactions::{TransactionRow, TransactionsQuery, TransactionsReport, transactions};

use chrono::NaiveDate;

use crate::model::SafeText;
use crate::store;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A place that no earlier answer gave.
    #[error("--after takes the `next` of an earlier answer, unchanged")]
    Cursor,
}

/// Something that a figure would need and that is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// `price`, `fx`, `cost`, `history` or `overflow`.
    pub what: &'static str,
    /// Of which security.
    pub security: Option<SafeText>,
    /// Of which pair of currencies.
    pub pair: Option<String>,
    /// In which account.
    pub account: Option<SafeText>,
    /// Of which day.
    pub date: Option<NaiveDate>,
}
