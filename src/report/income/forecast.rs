//! What may be paid: rows that are dated ahead, and what the last twelve months paid, once more, for
//! what is held now. Nothing of it is received, and what a row tells of is not expected beside it.

use std::collections::BTreeSet;

use chrono::{Days, Months, NaiveDate};

use super::payments::{Payment, payments};
use super::shares::{Share, Then, shares};
use super::{Holding, IncomeQuery};
use crate::model::{Account, AccountId, Currency, Dec, Origin, SecurityId, Subtype, TransactionId};
use crate::report::valuation::Scene;
use crate::report::{Missing, Result};
use crate::store::Tx;

/// How far back it looks, and how far ahead.
pub(super) const YEAR: Months = Months::new(12);
/// How many days early or late what is expected may come: less than a month, which would be the next.
const LEEWAY: Days = Days::new(20);

/// Something that may be paid.
#[derive(Clone, Debug)]
pub(in crate::report) struct Expected {
    pub date: NaiveDate,
    pub account: AccountId,
    pub security: Option<SecurityId>,
    pub kind: Subtype,
    pub currency: Currency,
    /// It is a row that is not settled yet.
    pub pending: bool,
    /// Gross, in its currency.
    pub own: Option<Dec>,
    /// The same at the rate of the last day.
    pub base: Option<Dec>,
    /// The row that is dated ahead, or the one that is thought to come again.
    pub row: TransactionId,
    pub row_date: NaiveDate,
    pub origin: Origin,
    pub missing: Vec<Missing>,
    /// What of the earlier payment it is; none: it is a row.
    from: Option<(Option<Dec>, Share)>,
}

impl Expected {
    /// How it came about, in words, with the figures in place.
    pub fn formula(&self) -> String {
        let Some((gross, share)) = &self.from else {
            return "a row that is dated ahead".to_owned();
        };
        let gross = gross.map_or_else(|| "n/a".to_owned(), |gross| gross.to_string());
        format!("{gross}{}", share.words())
    }
}

/// The first day of which a payment says something: one of this day is a year old when the first row
/// comes that can stand for what is expected ahead.
pub(super) fn first(to: NaiveDate) -> Option<NaiveDate> {
    to.checked_sub_months(YEAR)?.checked_sub_days(LEEWAY)?.checked_sub_days(LEEWAY)
}

/// What the twelve months after the last day may bring, by day. What is held and what was paid, since
/// the first day that matters, is that of all accounts: what moved to another one is paid there now.
pub(super) async fn expected(
    tx: &mut Tx,
    scene: &Scene,
    query: &IncomeQuery,
    held: &[Holding],
    (past, then): (&[Payment], &Then),
) -> Result<Vec<Expected>> {
    let announced = announced(tx, scene, query).await?;
    let mut found = Vec::new();
    for payment in past.iter().filter(|it| it.kind != Subtype::WithholdingTax) {
        let Some(date) = payment.date.checked_add_months(YEAR) else { continue };
        let shares = match payment.security {
            Some(security) => shares(scene, payment, security, held, then),
            None => as_before(scene, payment).into_iter().collect(),
        };
        found.extend(shares.into_iter().map(|share| repeated(scene, payment, date, share)));
    }
    // What was received, too, counts where it would be paid now.
    let received = found.iter().map(|it| (it.account, it.security, it.kind, it.row_date));
    let told = told(received.chain(announced.iter().map(place)), &found);
    found.retain(|it| query.to < it.date && !told.contains(&place(it)));
    found.extend(announced);
    found.retain(|it| query.account.is_none_or(|account| account == it.account));
    found.sort_by_key(|it| (it.date, it.row, it.account));
    Ok(found)
}

/// What is paid where and when.
type Place = (AccountId, Option<SecurityId>, Subtype, NaiveDate);

const fn place(it: &Expected) -> Place {
    (it.account, it.security, it.kind, it.date)
}

/// What is expected and has come, or is announced: for each row whatever is expected nearest to it.
/// That may have been due already, so that what is paid each week takes nothing from the next ones.
fn told(rows: impl Iterator<Item = Place>, expected: &[Expected]) -> BTreeSet<Place> {
    let expected: BTreeSet<_> = expected.iter().map(place).collect();
    let nearest = |(account, security, kind, date): Place| {
        let on = |day| (account, security, kind, day);
        let early = on(date.checked_sub_days(LEEWAY)?);
        let late = on(date.checked_add_days(LEEWAY)?);
        let near = expected.range(early..=late).copied();
        near.min_by_key(|it| it.3.signed_duration_since(date).abs())
    };
    rows.filter_map(nearest).collect()
}

/// Rows that are dated ahead of today. On an earlier day nobody knew of what came since.
async fn announced(tx: &mut Tx, scene: &Scene, query: &IncomeQuery) -> Result<Vec<Expected>> {
    let through = query.to.checked_add_months(YEAR).filter(|_| query.to >= query.today);
    let Some(through) = through else { return Ok(Vec::new()) };
    let rows = payments(tx, scene, (query.to.succ_opt(), through), None).await?;
    let rows = rows.into_iter().filter(|row| row.kind != Subtype::WithholdingTax);
    let told = rows.map(|row| {
        let (base, missing) = in_base(scene, row.gross.own, &row);
        Expected {
            date: row.date,
            account: row.account,
            security: row.security,
            kind: row.kind,
            currency: row.currency,
            pending: row.pending,
            own: row.gross.own,
            base,
            row: row.id,
            row_date: row.date,
            origin: row.origin,
            missing,
            from: None,
        }
    });
    Ok(told.collect())
}

/// What cash earns, where the account is open.
fn as_before(scene: &Scene, payment: &Payment) -> Option<Share> {
    let row = scene.accounts.get(&payment.account)?;
    Account::is_open(row.account.closed, scene.day).then(|| Share::whole(payment.account))
}

fn repeated(scene: &Scene, payment: &Payment, date: NaiveDate, share: Share) -> Expected {
    let own = payment.gross.own.and_then(|gross| share.of(gross));
    let (base, mut missing) = in_base(scene, own, payment);
    if payment.gross.own.is_none() {
        missing.clone_from(&payment.missing);
    }
    Expected {
        date,
        account: share.account,
        security: payment.security,
        kind: payment.kind,
        currency: payment.currency,
        pending: false,
        own,
        base,
        row: payment.id,
        row_date: payment.date,
        origin: payment.origin,
        missing,
        from: Some((payment.gross.own, share)),
    }
}

/// At the rate of the last day: nobody knows a later one.
fn in_base(scene: &Scene, own: Option<Dec>, payment: &Payment) -> (Option<Dec>, Vec<Missing>) {
    let Some(own) = own else { return (None, Vec::new()) };
    match scene.in_base(&own.into(), payment.currency, scene.day, payment.account) {
        Ok(base) => (Some(base), Vec::new()),
        Err(missing) => (None, vec![missing]),
    }
}
