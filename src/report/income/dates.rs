//! The calendar of income: what was paid on which day, and what may be.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;

use super::{Income, IncomeBy, Payment};
use crate::model::{AccountId, Currency, Dec, Exact, SafeText, SecurityId, Subtype};
use crate::report::valuation::Scene;

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

/// A payment on its day. There are many: they share their names.
#[derive(Clone, Debug)]
pub struct IncomeDate {
    /// When.
    pub date: NaiveDate,
    /// Where; none: in several accounts.
    pub account: Option<Arc<SafeText>>,
    /// Of what; none: interest of cash.
    pub symbol: Option<Arc<SafeText>>,
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
}

/// Every day of the span, then of the twelve months behind it.
pub(super) fn of(income: &Income, by: Option<IncomeBy>) -> Vec<IncomeDate> {
    let mut names =
        Names { scene: &income.scene, accounts: BTreeMap::new(), symbols: BTreeMap::new() };
    // What only keeps a part back pays nothing.
    let payments = income.payments().filter(|it| it.kind != Subtype::WithholdingTax);
    let line = |names: &mut Names<'_>, of: &Payment, account, coming| IncomeDate {
        date: of.date,
        account: names.account(account),
        symbol: of.security.map(|id| names.symbol(id)),
        kind: of.kind,
        coming,
        pending: of.pending,
        amount: of.gross.own,
        currency: of.currency,
    };
    let mut dates: Vec<_> =
        payments.map(|it| line(&mut names, it, it.account, Coming::Received)).collect();
    // What may come for one thing on one day is one payment, of however many rows it is thought to
    // come again and wherever; where accounts are told apart it is one in each of them.
    let mut forecast: BTreeMap<_, usize> = BTreeMap::new();
    for it in income.expected() {
        let line = |names: &mut Names<'_>, coming| IncomeDate {
            date: it.date,
            pending: it.is_pending(),
            amount: it.own,
            ..line(names, it.of, it.account(), coming)
        };
        if it.is_announced() {
            dates.push(line(&mut names, Coming::Announced));
            continue;
        }
        let account = (by == Some(IncomeBy::Account)).then(|| it.account());
        let place = (it.date, account, it.of.security, it.of.kind, it.of.currency);
        let at = *forecast.entry(place).or_insert(dates.len());
        match dates.get_mut(at) {
            Some(known) => {
                known.amount = add(known.amount, it.own);
                known.account = known.account.take().filter(|_| account.is_some());
            }
            None => dates.push(line(&mut names, Coming::Forecast)),
        }
    }
    dates
}

/// A sum of which a part is not known is not known.
fn add(a: Option<Dec>, b: Option<Dec>) -> Option<Dec> {
    Exact::from(a?).add(&Exact::from(b?)).round(12).ok()
}

struct Names<'a> {
    scene: &'a Scene,
    accounts: BTreeMap<AccountId, Option<Arc<SafeText>>>,
    symbols: BTreeMap<SecurityId, Arc<SafeText>>,
}

impl Names<'_> {
    fn account(&mut self, id: AccountId) -> Option<Arc<SafeText>> {
        let name = || self.scene.account_name(id).map(Arc::new);
        self.accounts.entry(id).or_insert_with(name).clone()
    }

    fn symbol(&mut self, id: SecurityId) -> Arc<SafeText> {
        Arc::clone(self.symbols.entry(id).or_insert_with(|| Arc::new(self.scene.symbol(id))))
    }
}
