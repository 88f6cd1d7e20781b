//! What may be paid: rows that are dated ahead, and what the last twelve months paid, once more, for
//! what is held now. Nothing of it is received, and what a row tells of is not expected beside it.

use std::sync::Arc;

use chrono::{Days, Months, NaiveDate};

use super::payments::{Payment, payments};
use super::shares::{Share, Then, shares};
use super::{Holding, IncomeQuery};
use crate::model::{Account, AccountId, Dec, SecurityId, Subtype};
use crate::report::valuation::Scene;
use crate::report::{Missing, Result};
use crate::store::Tx;

/// How far back it looks, and how far ahead.
pub(super) const YEAR: Months = Months::new(12);
/// How many days early or late what is expected may come: less than a month, which would be the next.
const LEEWAY: Days = Days::new(20);

/// Something that may be paid. Of each payment there are as many as accounts that hold what paid it,
/// so they share what is the same.
#[derive(Clone, Debug)]
pub(in crate::report) struct Expected {
    pub date: NaiveDate,
    /// The row that is dated ahead, or the one that is thought to come again.
    pub of: Arc<Payment>,
    /// What of that one it is; none: it is the row itself.
    share: Option<Share>,
    /// Gross, in its currency.
    pub own: Option<Dec>,
    /// The same at the rate of the last day.
    pub base: Option<Dec>,
    pub missing: Vec<Missing>,
}

impl Expected {
    /// Where it may be paid.
    pub fn account(&self) -> AccountId {
        self.share.as_ref().map_or(self.of.account, |share| share.account)
    }

    /// It is a row.
    pub const fn is_announced(&self) -> bool {
        self.share.is_none()
    }

    /// It is a row that is not settled yet.
    pub fn is_pending(&self) -> bool {
        self.is_announced() && self.of.pending
    }

    /// How it came about, in words, with the figures in place.
    pub fn formula(&self) -> String {
        let Some(share) = &self.share else { return "a row that is dated ahead".to_owned() };
        let gross = self.of.gross.own;
        let gross = gross.map_or_else(|| "n/a".to_owned(), |gross| gross.to_string());
        format!("{gross}{}", share.words())
    }

    fn place(&self) -> Place {
        (self.account(), self.of.security, self.of.kind, self.date)
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
    (past, then): (&[Arc<Payment>], &Then),
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
    let received = found.iter().map(|it| (it.account(), it.of.security, it.of.kind, it.of.date));
    let told = told(received.chain(announced.iter().map(Expected::place)), &found);
    found.retain(|it| query.to < it.date && told.binary_search(&it.place()).is_err());
    found.extend(announced);
    found.retain(|it| query.account.is_none_or(|account| account == it.account()));
    found.sort_by_key(|it| (it.date, it.of.id, it.account()));
    Ok(found)
}

/// What is paid where and when.
type Place = (AccountId, Option<SecurityId>, Subtype, NaiveDate);

/// What is expected and has come, or is announced, in order: for each row whatever is expected nearest
/// to it. That may have been due already, so that what is paid each week takes nothing from the next
/// ones.
fn told(rows: impl Iterator<Item = Place>, expected: &[Expected]) -> Vec<Place> {
    let mut places: Vec<_> = expected.iter().map(Expected::place).collect();
    places.sort_unstable();
    places.dedup();
    let mut is_told = vec![false; places.len()];
    for (account, security, kind, date) in rows {
        let on = |day| (account, security, kind, day);
        let days = (date.checked_sub_days(LEEWAY), date.checked_add_days(LEEWAY));
        let (Some(early), Some(late)) = days else { continue };
        let near = places.partition_point(|it| *it < on(early))
            ..places.partition_point(|it| *it <= on(late));
        let far = |at: &usize| places.get(*at).map(|it| it.3.signed_duration_since(date).abs());
        if let Some(it) = near.min_by_key(far).and_then(|at| is_told.get_mut(at)) {
            *it = true;
        }
    }
    let told = places.into_iter().zip(is_told).filter(|(_, is_told)| *is_told);
    told.map(|(place, _)| place).collect()
}

/// Rows that are dated ahead of today. On an earlier day nobody knew of what came since.
async fn announced(tx: &mut Tx, scene: &Scene, query: &IncomeQuery) -> Result<Vec<Expected>> {
    let through = query.to.checked_add_months(YEAR).filter(|_| query.to >= query.today);
    let Some(through) = through else { return Ok(Vec::new()) };
    let rows = payments(tx, scene, (query.to.succ_opt(), through), None).await?;
    let rows = rows.into_iter().filter(|row| row.kind != Subtype::WithholdingTax);
    let told = rows.map(|row| {
        let (base, missing) = in_base(scene, row.gross.own, &row);
        let (date, own) = (row.date, row.gross.own);
        Expected { date, of: row, share: None, own, base, missing }
    });
    Ok(told.collect())
}

/// What cash earns, where the account is open.
fn as_before(scene: &Scene, payment: &Payment) -> Option<Share> {
    let row = scene.accounts.get(&payment.account)?;
    Account::is_open(row.account.closed, scene.day).then(|| Share::whole(payment.account))
}

fn repeated(scene: &Scene, payment: &Arc<Payment>, date: NaiveDate, share: Share) -> Expected {
    let own = payment.gross.own.and_then(|gross| share.of(gross));
    let (base, mut missing) = in_base(scene, own, payment);
    if payment.gross.own.is_none() {
        missing.clone_from(&payment.missing);
    }
    Expected { date, of: Arc::clone(payment), share: Some(share), own, base, missing }
}

/// At the rate of the last day: nobody knows a later one.
fn in_base(scene: &Scene, own: Option<Dec>, payment: &Payment) -> (Option<Dec>, Vec<Missing>) {
    let Some(own) = own else { return (None, Vec::new()) };
    match scene.in_base(&own.into(), payment.currency, scene.day, payment.account) {
        Ok(base) => (Some(base), Vec::new()),
        Err(missing) => (None, vec![missing]),
    }
}
