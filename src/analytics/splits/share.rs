//! What a split makes of each account that held the security, and which accounts have it already.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{Break, DAYS, is_same};
use crate::analytics::lots::Event;
use crate::model::{AccountId, Dec, Exact, Ratio, Subtype, TransactionId};

/// Derived quantities have so many decimals.
const PLACES: u32 = 12;

/// How much an account held at the end of a day; what is not there is nothing.
pub type Quantities = BTreeMap<(NaiveDate, AccountId), Dec>;

/// An account that held the security and has no row of the split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which.
    pub account: AccountId,
    /// How much it held at the end of the day before.
    pub before: Dec,
    /// How much that is in new units; none: more digits than there are.
    pub after: Option<Dec>,
    /// A correction that brought the new units already.
    pub booked: Option<TransactionId>,
}

/// The days at whose end quantities must be known to tell the shares of these breaks.
#[must_use]
pub fn days_to_know(breaks: &[Break], rows: &[Event]) -> BTreeSet<NaiveDate> {
    let corrections = rows.iter().filter(|row| {
        is_correction(row.subtype) && breaks.iter().any(|found| is_near(row, found.day))
    });
    let days = breaks.iter().map(|found| found.day).chain(corrections.map(|row| row.date));
    days.filter_map(|day| day.pred_opt()).collect()
}

/// The accounts of each break that lack it, in the order of the breaks.
#[must_use]
pub fn shares(breaks: &[Break], rows: &[Event], held: &Quantities) -> Vec<Vec<Share>> {
    let mut shares = vec![Vec::new(); breaks.len()];
    let accounts: BTreeSet<_> = held.keys().map(|(_, account)| *account).collect();
    for account in accounts {
        let mine: Vec<_> = rows.iter().filter(|row| row.account == account).collect();
        let told = told(breaks, &mine);
        for (at, (found, shares)) in breaks.iter().zip(&mut shares).enumerate() {
            if told.contains(&at) || found.restated.contains(&account) {
                continue;
            }
            shares.extend(share(found, account, &mine, held));
        }
    }
    shares
}

fn share(found: &Break, account: AccountId, rows: &[&Event], held: &Quantities) -> Option<Share> {
    let on_eve = |day: NaiveDate| held.get(&(day.pred_opt()?, account)).copied();
    let before = on_eve(found.day).filter(|before| !before.is_zero())?;
    let bears = |row: &&&Event| {
        is_near(row, found.day)
            && is_correction(row.subtype)
            && on_eve(row.date).is_some_and(|held| brings(row, held, found.ratio))
    };
    let booked = rows.iter().find(bears);
    // Shares for shares is a split under another name.
    if booked.is_some_and(|row| row.subtype == Subtype::StockDividend) {
        return None;
    }
    let ratio = found.ratio;
    let after = Exact::from(before).mul(&ratio.new.into()).div_round(&ratio.old.into(), PLACES);
    Some(Share { account, before, after: after.ok(), booked: booked.map(|row| row.id) })
}

/// Which breaks an account has rows of: each row stands for one, of the same ratio if there is
/// such a one.
fn told(breaks: &[Break], rows: &[&Event]) -> BTreeSet<usize> {
    let mut left: Vec<_> = rows
        .iter()
        .filter(|row| {
            matches!(row.subtype, Subtype::Split | Subtype::Merger | Subtype::SymbolChange)
        })
        .collect();
    let mut told = BTreeSet::new();
    for exactly in [true, false] {
        for (at, found) in breaks.iter().enumerate() {
            if told.contains(&at) {
                continue;
            }
            let fits = |row: &&Event| {
                let same = row.ratio.is_some_and(|ratio| is_same(ratio, found.ratio));
                is_near(row, found.day) && (same || !exactly)
            };
            let nearest = left
                .iter()
                .enumerate()
                .filter(|(_, row)| fits(row))
                .min_by_key(|(_, row)| (row.date - found.day).num_days().abs());
            if let Some((place, _)) = nearest {
                left.remove(place);
                told.insert(at);
            }
        }
    }
    told
}

fn is_near(row: &Event, day: NaiveDate) -> bool {
    (row.date - day).num_days().abs() <= DAYS
}

const fn is_correction(subtype: Subtype) -> bool {
    matches!(
        subtype,
        Subtype::Opening
            | Subtype::Adjustment
            | Subtype::TransferIn
            | Subtype::TransferOut
            | Subtype::StockDividend
    )
}

/// Whether a row brings what a split would have brought, or all that there is after it; to a
/// hundredth, since fractions are paid out.
fn brings(row: &Event, held: Dec, ratio: Ratio) -> bool {
    let Some(quantity) = row.quantity else { return false };
    let (held, new, old) = (Exact::from(held), Exact::from(ratio.new), Exact::from(ratio.old));
    let came = Exact::from(quantity).mul(&old);
    let hundred = Exact::from(Dec::from_i64(100));
    let is =
        |wanted: Exact| !wanted.is_zero() && came.sub(&wanted).abs().mul(&hundred) <= wanted.abs();
    is(held.mul(&new.sub(&old))) || is(held.mul(&new))
}
