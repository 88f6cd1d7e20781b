//! The calendar of income: what was paid on which day, and what may be.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{Expected, Income, Payment};
use crate::model::{Currency, Dec, Exact, SafeText, Subtype};

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
        account: scene.account_name(it.account),
        symbol: it.security.map(|id| scene.symbol(id)),
        kind: it.kind,
        coming: Coming::Received,
        pending: it.pending,
        amount: it.gross.own,
        currency: it.currency,
        amount_base: it.gross.base,
    };
    let may_come = |it: &Expected, coming| IncomeDate {
        date: it.date,
        account: scene.account_name(it.account),
        symbol: it.security.map(|id| scene.symbol(id)),
        kind: it.kind,
        coming,
        pending: it.pending,
        amount: it.own,
        currency: it.currency,
        amount_base: it.base,
    };
    // What only keeps a part back pays nothing.
    let payments = income.payments.iter().filter(|it| it.kind != Subtype::WithholdingTax);
    let mut dates: Vec<_> = payments.map(paid).collect();
    // What several accounts were paid may come again in each of them: there it is one payment.
    let mut forecast: BTreeMap<_, usize> = BTreeMap::new();
    for it in &income.expected {
        // What is thought to come again is a row of another day.
        if it.row_date == it.date {
            dates.push(may_come(it, Coming::Announced));
            continue;
        }
        let place = (it.date, it.account, it.security, it.kind, it.currency);
        let at = *forecast.entry(place).or_insert(dates.len());
        match dates.get_mut(at) {
            Some(line) => {
                line.amount = add(line.amount, it.own);
                line.amount_base = add(line.amount_base, it.base);
            }
            None => dates.push(may_come(it, Coming::Forecast)),
        }
    }
    dates
}

/// A sum of which a part is not known is not known.
fn add(a: Option<Dec>, b: Option<Dec>) -> Option<Dec> {
    Exact::from(a?).add(&Exact::from(b?)).round(12).ok()
}
