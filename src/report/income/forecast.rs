//! What may be paid: rows that are dated ahead, and what the last twelve months paid, once more, for
//! what is held now. Nothing of it is received, and what a row tells of is not expected beside it.

use chrono::{Days, Months, NaiveDate};

use super::payments::{Payment, payments};
use super::shares::{Share, Shares};
use super::{Income, IncomeQuery};
use crate::model::{Account, AccountId, Dec, SecurityId, Subtype};
use crate::report::valuation::Scene;
use crate::report::{Missing, Result};
use crate::store::Tx;

/// How far back it looks, and how far ahead.
pub(super) const YEAR: Months = Months::new(12);
/// How many days early or late what is expected may come: less than a month, which would be the next.
const LEEWAY: Days = Days::new(20);

/// Something that may be paid. Of each payment there are as many as accounts that hold what paid it:
/// many more than rows, so each is made when it is looked at.
#[derive(Debug)]
pub(in crate::report) struct Expected<'a> {
    pub date: NaiveDate,
    /// The row that is dated ahead, or the one that is thought to come again.
    pub of: &'a Payment,
    /// What of that one it is; none: it is the row itself.
    share: Option<Share>,
    /// Gross, in its currency.
    pub own: Option<Dec>,
    /// The same at the rate of the last day.
    pub base: Option<Dec>,
    pub missing: Vec<Missing>,
}

impl Expected<'_> {
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
}

/// The first day of which a payment says something: one of this day is a year old when the first row
/// comes that can stand for what is expected ahead.
pub(super) fn first(to: NaiveDate) -> Option<NaiveDate> {
    to.checked_sub_months(YEAR)?.checked_sub_days(LEEWAY)?.checked_sub_days(LEEWAY)
}

impl Income {
    /// What the twelve months after the last day may bring, by day: rows that are dated ahead, and
    /// what the last year paid.
    pub fn expected(&self) -> impl Iterator<Item = Expected<'_>> {
        let again = self.past.iter().flat_map(|payment| self.again(payment)).peekable();
        let announced = self.announced.iter().map(|row| announcement(&self.scene, row)).peekable();
        let mut both = (again, announced);
        let by_day = std::iter::from_fn(move || {
            let (again, announced) = &mut both;
            match (again.peek(), announced.peek()) {
                (Some(this), Some(that)) if that.date < this.date => announced.next(),
                (Some(_), _) => again.next(),
                (None, _) => announced.next(),
            }
        });
        by_day.filter(|it| self.is_wanted(it.account()))
    }

    /// What is thought to come again of a payment, by what is held now, unless a row tells of it.
    fn again<'a>(&'a self, payment: &'a Payment) -> impl Iterator<Item = Expected<'a>> {
        let date = due(payment).filter(|date| self.to < *date);
        date.into_iter().flat_map(move |date| {
            let shares = shares_of(&self.scene, &self.shares, payment).into_iter();
            let is_told = move |share: &Share| {
                let place = (share.account, payment.security, payment.kind, date);
                self.told.binary_search(&place).is_ok()
            };
            let untold = shares.filter(move |share| !is_told(share));
            untold.map(move |share| repeated(&self.scene, payment, date, share))
        })
    }
}

/// When it is thought to come again.
fn due(payment: &Payment) -> Option<NaiveDate> {
    let pays = payment.kind != Subtype::WithholdingTax;
    payment.date.checked_add_months(YEAR).filter(|_| pays)
}

/// Whose it would be now. What is held and what was paid is that of all accounts: what moved to
/// another one is paid there now.
fn shares_of(scene: &Scene, shares: &Shares, payment: &Payment) -> Vec<Share> {
    match payment.security {
        Some(security) => shares.of(scene, payment, security),
        None => as_before(scene, payment).into_iter().collect(),
    }
}

/// What is paid where and when.
pub(super) type Place = (AccountId, Option<SecurityId>, Subtype, NaiveDate);

/// What is expected and has come, or is announced, in order: for each row whatever is expected nearest
/// to it. That may have been due already, so that what is paid each week takes nothing from the next
/// ones. What was received, too, counts where it would be paid now.
pub(super) fn told(
    scene: &Scene,
    shares: &Shares,
    past: &[Payment],
    announced: &[Payment],
) -> Vec<Place> {
    let mut places = Vec::new();
    let mut rows = Vec::new();
    for payment in past {
        let Some(date) = due(payment) else { continue };
        for share in shares_of(scene, shares, payment) {
            let on = |day| (share.account, payment.security, payment.kind, day);
            places.push(on(date));
            rows.push(on(payment.date));
        }
    }
    rows.extend(announced.iter().map(|row| (row.account, row.security, row.kind, row.date)));
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
    let mut is_told = is_told.into_iter();
    places.retain(|_| is_told.next() == Some(true));
    places.shrink_to_fit();
    places
}

/// Rows that are dated ahead of today. On an earlier day nobody knew of what came since.
pub(super) async fn announced(
    tx: &mut Tx,
    scene: &Scene,
    query: &IncomeQuery,
) -> Result<Vec<Payment>> {
    let through = query.to.checked_add_months(YEAR).filter(|_| query.to >= query.today);
    let Some(through) = through else { return Ok(Vec::new()) };
    let mut rows = payments(tx, scene, (query.to.succ_opt(), through), None).await?;
    rows.retain(|row| row.kind != Subtype::WithholdingTax);
    Ok(rows)
}

fn announcement<'a>(scene: &Scene, row: &'a Payment) -> Expected<'a> {
    let (date, own) = (row.date, row.gross.own);
    let (base, missing) = in_base(scene, own, row);
    Expected { date, of: row, share: None, own, base, missing }
}

/// What cash earns, where the account is open.
fn as_before(scene: &Scene, payment: &Payment) -> Option<Share> {
    let row = scene.accounts.get(&payment.account)?;
    Account::is_open(row.account.closed, scene.day).then(|| Share::whole(payment.account))
}

fn repeated<'a>(
    scene: &Scene,
    payment: &'a Payment,
    date: NaiveDate,
    share: Share,
) -> Expected<'a> {
    let own = payment.gross.own.and_then(|gross| share.of(gross));
    let (base, mut missing) = in_base(scene, own, payment);
    if payment.gross.own.is_none() {
        missing.clone_from(&payment.missing);
    }
    Expected { date, of: payment, share: Some(share), own, base, missing }
}

/// At the rate of the last day: nobody knows a later one.
fn in_base(scene: &Scene, own: Option<Dec>, payment: &Payment) -> (Option<Dec>, Vec<Missing>) {
    let Some(own) = own else { return (None, Vec::new()) };
    match scene.in_base(&own.into(), payment.currency, scene.day, payment.account) {
        Ok(base) => (Some(base), Vec::new()),
        Err(missing) => (None, vec![missing]),
    }
}
