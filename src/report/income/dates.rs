//! The calendar of income: what was paid on which day, and what may be.

use chrono::NaiveDate;

use super::{Expected, Income, Payment, month};
use crate::model::{Currency, Dec, SafeText, Subtype};

/// How sure a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coming {
    /// It was received.
    Received,
    /// A row is dated ahead.
    Announced,
    /// A payment of the last twelve months may come again.
    Forecast,
}

impl Coming {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Announced => "announced",
            Self::Forecast => "forecast",
        }
    }
}

/// A payment on its day.
#[derive(Clone, Debug)]
pub struct IncomeDate {
    /// When.
    pub date: NaiveDate,
    /// Its month, as the rows of the report have it.
    pub month: String,
    /// Where.
    pub account: Option<SafeText>,
    /// Of what; none: interest of cash.
    pub symbol: Option<SafeText>,
    /// Which event.
    pub kind: Subtype,
    /// How sure it is.
    pub coming: Coming,
    /// It is not settled yet.
    pub pending: bool,
    /// Before anything is kept back, in its currency.
    pub amount: Option<Dec>,
    /// The currency of the amount.
    pub currency: Currency,
    /// The same in the base currency.
    pub amount_base: Option<Dec>,
}

/// Every day of the span, then of the twelve months behind it.
pub(super) fn of(income: &Income) -> Vec<IncomeDate> {
    let scene = &income.scene;
    let paid = |it: &Payment| IncomeDate {
        date: it.date,
        month: month(it.date),
        account: scene.account_name(it.account),
        symbol: it.security.map(|id| scene.symbol(id)),
        kind: it.kind,
        coming: Coming::Received,
        pending: it.pending,
        amount: it.gross.own,
        currency: it.currency,
        amount_base: it.gross.base,
    };
    let may_come = |it: &Expected| IncomeDate {
        date: it.date,
        month: month(it.date),
        account: scene.account_name(it.account),
        symbol: it.security.map(|id| scene.symbol(id)),
        kind: it.kind,
        // What is thought to come again is a row of another day.
        coming: if it.row_date == it.date { Coming::Announced } else { Coming::Forecast },
        pending: false,
        amount: it.own,
        currency: it.currency,
        amount_base: it.base,
    };
    // What only keeps a part back pays nothing.
    let payments = income.payments.iter().filter(|it| it.kind != Subtype::WithholdingTax);
    payments.map(paid).chain(income.expected.iter().map(may_come)).collect()
}
