//! What the lots ask the world: rules, rates and prices. Look-ups only, which never wait and never
//! fail; what is not known is none.

use chrono::NaiveDate;

pub use crate::analytics::fx::Conversion;
use crate::analytics::splits::ToldSplit;
use crate::model::{AccountId, AccountKind, Currency, Dec, LotMethod, SecurityId};

/// The rules of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountRules {
    /// Which lots a sale takes.
    pub method: LotMethod,
    /// What it is; a margin account may sell short.
    pub kind: AccountKind,
    /// Whether gains in it are taxed when they arise.
    pub taxable: bool,
}

/// Of an account that nobody described.
impl Default for AccountRules {
    fn default() -> Self {
        Self { method: LotMethod::Fifo, kind: AccountKind::Brokerage, taxable: true }
    }
}

/// Where the fees and taxes of a trade go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fees {
    /// Into cost and proceeds.
    #[default]
    InCost,
    /// Nowhere: cost and proceeds are gross.
    Expense,
}

/// The rules of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The currency of totals.
    pub base: Currency,
    /// The currency of taxes.
    pub tax: Currency,
    /// Where the fees and taxes of a trade go.
    pub fees: Fees,
}

/// Everything the lots do not know by themselves.
pub trait World {
    /// The rules of an account, its method resolved.
    fn account(&self, id: AccountId) -> AccountRules;

    /// The currency a security's lots are kept in.
    fn currency_of(&self, security: SecurityId) -> Currency;

    /// The latest rate on or before a day.
    fn rate(&self, from: Currency, to: Currency, on: NaiveDate) -> Option<Conversion>;

    /// The latest close on or before a day, in the security's currency.
    fn close(&self, security: SecurityId, on: NaiveDate) -> Option<Dec>;

    /// The splits of a security that rows tell of.
    fn told_splits(&self, security: SecurityId) -> &[ToldSplit];

    /// The rules of the whole.
    fn rules(&self) -> &Rules;
}
