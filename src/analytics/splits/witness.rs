//! Who bears a step out: the row of another account, another source, trades on both sides, the days
//! after it; and who speaks against it.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::step::{APART, Mark, Step, between, miss, percent_off, series, usual};
use super::{Break, DAYS};
use crate::analytics::lots::Event;
use crate::model::{AccountId, Close, Dec, Exact, Ratio, Source, Subtype, TransactionId};

/// Who bears a step out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Witness {
    /// An own account has the split.
    Row {
        /// Whose.
        account: AccountId,
        /// Which row.
        transaction: TransactionId,
    },
    /// A source that counts new units all along, and so does not step.
    Unbroken(Source),
    /// Another source that steps alike.
    SameStep(Source),
    /// Own trades at the level of each side.
    Trades {
        /// The last at the old level.
        before: TransactionId,
        /// The first at the new level.
        after: TransactionId,
    },
    /// The next five closes are where the step led to.
    Stays,
}

/// How far a close may be from what the ratio makes of the one before: the market moves too.
const NEAR: i64 = 10;
/// Beyond it the ratio is one of several that might be meant.
const CLEAR: i64 = 5;
/// The same where the market's move is known and taken out.
const EXACT: i64 = 2;
/// What a row tells needs no guess, so only nonsense is refused.
const TOLD: i64 = 25;
/// How far a trade may be from the close of its day.
const TRADE: i64 = 20;
/// A trade so near to the step that disagrees with its level speaks against it.
const TRADE_DAYS: i64 = 30;
/// How far the level may move while it stays, and for how many closes.
const STAY: i64 = 25;
const STAY_CLOSES: usize = 5;

impl Witness {
    /// Whether the market has no hand in it.
    const fn is_beyond_market(&self) -> bool {
        matches!(self, Self::Row { .. } | Self::Unbroken(_))
    }
}

/// What a step is, if enough bears it out and nothing speaks against it.
pub(super) fn weigh(step: Step, closes: &[Close], rows: &[Event]) -> Option<Break> {
    let told = told(&step, rows);
    let others = others(&step, closes);
    let said = told.as_ref().map(|(_, ratio, _)| *ratio).or(others.ratio);
    let (ratio, missed) = match said {
        Some(ratio) => (ratio, Dec::ZERO),
        None => usual(&step.before.close.into(), &step.after.close.into(), NEAR)?,
    };
    let trades = trades(&step, ratio, closes, rows);
    let aftermath = aftermath(&step, closes);
    let denied = others.against || trades.against || aftermath == Aftermath::Undone;
    if denied && told.is_none() {
        return None;
    }
    let day = told.as_ref().map_or(trades.day, |(day, ..)| *day);
    let mut witnesses: Vec<Witness> = told.into_iter().map(|(.., witness)| witness).collect();
    witnesses.extend(others.witnesses);
    if let (Some(before), Some(after)) = (trades.before, trades.after) {
        witnesses.push(Witness::Trades { before, after });
    }
    let stays = aftermath == Aftermath::Stays;
    let beyond_market = witnesses.iter().any(Witness::is_beyond_market);
    // What is less than that the market makes every month somewhere.
    let seen = reaches(ratio, 3, 2) && (stays || !witnesses.is_empty());
    if !beyond_market && !seen {
        return None;
    }
    // A price that is off by a hundred is as often pence for pounds.
    let seldom = reaches(ratio, 2, 1) && (!reaches(ratio, 100, 1) || !witnesses.is_empty());
    let sure = beyond_market || (seldom && missed <= Dec::from_i64(CLEAR));
    if stays {
        witnesses.push(Witness::Stays);
    }
    Some(Break { day, ratio, step, witnesses, sure, restated: trades.restated })
}

/// The row of an account that tells the split.
fn told(step: &Step, rows: &[Event]) -> Option<(NaiveDate, Ratio, Witness)> {
    let (before, after) = (step.before.close.into(), step.after.close.into());
    let fits = |row: &&Event| {
        let ratio = row.ratio.filter(|_| row.subtype == Subtype::Split);
        days(row.date, step.after.date) <= DAYS
            && ratio.is_some_and(|ratio| within(miss(&before, &after, ratio), TOLD))
    };
    let row = rows.iter().filter(fits).min_by_key(|row| days(row.date, step.after.date))?;
    let witness = Witness::Row { account: row.account, transaction: row.id };
    Some((row.date, row.ratio?, witness))
}

/// What the other sources say.
#[derive(Default)]
struct Others {
    witnesses: Vec<Witness>,
    /// What a source that does not step leaves of the step: the market's move is in both.
    ratio: Option<Ratio>,
    against: bool,
}

fn others(step: &Step, closes: &[Close]) -> Others {
    let of = |date: NaiveDate| {
        let from = closes.partition_point(|close| close.date < date);
        let on = closes.get(from..).unwrap_or_default().iter();
        on.take_while(move |close| close.date == date).filter(|close| {
            close.currency == step.currency && !close.intraday && close.close.is_positive()
        })
    };
    let (before, after) = (step.before.close, step.after.close);
    let mut others = Others::default();
    for a in of(step.before.date).filter(|close| close.source != step.source) {
        let Some(b) = of(step.after.date).find(|close| close.source == a.source) else { continue };
        let (mine, theirs) = (product(before, b.close), product(after, a.close));
        let alike = Ratio::new(Dec::ONE, Dec::ONE).and_then(|same| miss(&mine, &theirs, same));
        if within(alike, NEAR) {
            others.witnesses.push(Witness::SameStep(a.source.clone()));
        } else if let Some((ratio, _)) = usual(&mine, &theirs, EXACT) {
            // Of the two one counts otherwise on one side only: if that is the side before, it is
            // the one that was restated; if not, this one is wrong.
            if percent_off(b.close, after) < percent_off(a.close, before) {
                others.witnesses.push(Witness::Unbroken(a.source.clone()));
                others.ratio = Some(ratio);
            } else {
                others.against = true;
            }
        }
    }
    others
}

/// What own trades say.
struct Trades {
    before: Option<TransactionId>,
    after: Option<TransactionId>,
    against: bool,
    restated: BTreeSet<AccountId>,
    /// The first day of the new level.
    day: NaiveDate,
}

fn trades(step: &Step, ratio: Ratio, closes: &[Close], rows: &[Event]) -> Trades {
    let (old, new) = (step.before, step.after);
    let restated = BTreeSet::new();
    let mut found = Trades { before: None, after: None, against: false, restated, day: new.date };
    let series: Vec<_> = series(closes, &step.source).collect();
    for (row, price) in rows.iter().filter_map(|row| Some((row, price_of(row, step)?))) {
        let near = days(row.date, new.date) <= TRADE_DAYS;
        if old.date < row.date && row.date < new.date {
            // Between the two closes the level of either will do.
            if within(percent_off(price, new.close), TRADE) {
                found.day = found.day.min(row.date);
                found.after = found.after.or(Some(row.id));
            } else if !within(percent_off(price, old.close), TRADE) {
                found.against = true;
            }
            continue;
        }
        let known = series.partition_point(|close| close.date <= row.date);
        let Some(close) = known.checked_sub(1).and_then(|last| series.get(last)) else { continue };
        if days(close.date, row.date) > APART || !close.close.is_positive() {
            continue;
        }
        let off = percent_off(price, close.close);
        if row.date >= new.date {
            match within(off, TRADE) {
                true => found.after = found.after.or(Some(row.id)),
                false => found.against |= near,
            }
            continue;
        }
        let restated = miss(&close.close.into(), &price.into(), ratio);
        if within(restated, TRADE) && restated < off {
            found.restated.insert(row.account);
        } else if within(off, TRADE) {
            found.before = Some(row.id);
        } else {
            found.against |= near;
        }
    }
    found
}

/// What was paid for one unit, where it can be compared with closes.
fn price_of(row: &Event, step: &Step) -> Option<Dec> {
    let trade = matches!(
        row.subtype,
        Subtype::Buy | Subtype::Sell | Subtype::ShortSell | Subtype::BuyToCover
    );
    row.price.filter(|price| trade && price.is_positive() && row.currency == step.currency)
}

/// What became of the new level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aftermath {
    /// The step leads back to where the closes had been, or they went back after it.
    Undone,
    Stays,
    Unclear,
}

fn aftermath(step: &Step, closes: &[Close]) -> Aftermath {
    let earlier = series(closes, &step.source).rev();
    let earlier = earlier.filter(|close| close.date < step.before.date).take(STAY_CLOSES);
    if earlier.into_iter().any(|close| is_nearer(close.close, step.after, step.before)) {
        return Aftermath::Undone;
    }
    let mut later = series(closes, &step.source).skip_while(|close| close.date < step.after.date);
    let Some(mut last) = later.next() else { return Aftermath::Unclear };
    let mut known = 0;
    for close in later.take(STAY_CLOSES) {
        if is_nearer(close.close, step.before, step.after) {
            return Aftermath::Undone;
        }
        if is_next(last, close) {
            return Aftermath::Stays;
        }
        if !within(percent_off(close.close, step.after.close), STAY) {
            return Aftermath::Unclear;
        }
        (last, known) = (close, known + 1);
    }
    if known == STAY_CLOSES { Aftermath::Stays } else { Aftermath::Unclear }
}

/// Whether another split moves the level again.
fn is_next(last: &Close, close: &Close) -> bool {
    let next = between(last, close);
    let next = next.and_then(|it| usual(&it.before.close.into(), &it.after.close.into(), NEAR));
    next.is_some_and(|(ratio, _)| reaches(ratio, 3, 2))
}

/// Whether a ratio, either way round, is at least this one.
fn reaches(ratio: Ratio, new: i64, old: i64) -> bool {
    let (low, high) = (ratio.new.min(ratio.old), ratio.new.max(ratio.old));
    product(high, old.into()) >= product(low, new.into())
}

/// Whether a price is nearer to one level than to another, as ratios go.
fn is_nearer(price: Dec, to: Mark, than: Mark) -> bool {
    let (square, middle) = (product(price, price), product(to.close, than.close));
    if to.close > than.close { square > middle } else { square < middle }
}

fn product(a: Dec, b: Dec) -> Exact {
    Exact::from(a).mul(&b.into())
}

fn within(off: Option<Dec>, percent: i64) -> bool {
    off.is_some_and(|off| off <= Dec::from_i64(percent))
}

fn days(a: NaiveDate, b: NaiveDate) -> i64 {
    (a - b).num_days().abs()
}
