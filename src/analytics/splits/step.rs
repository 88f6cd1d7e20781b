//! Closes of one source that step from one day to the next, and the usual ratio nearest to it.

use chrono::NaiveDate;

use crate::analytics::source::source_order;
use crate::model::{Close, Currency, Dec, Exact, Ratio, Source};

/// Closes further apart say nothing of a day.
pub(super) const APART: i64 = 7;

/// A close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The day.
    pub date: NaiveDate,
    /// The price of one unit.
    pub close: Dec,
}

/// Two closes of one source that follow each other and differ by more than most days bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Who says so.
    pub source: Source,
    /// In what.
    pub currency: Currency,
    /// The last close of the old level.
    pub before: Mark,
    /// The first close of the new one.
    pub after: Mark,
}

/// Ratios that companies choose, and as `n:1` also the other way round.
const COMMON: [(i64, i64); 11] =
    [(2, 1), (3, 1), (4, 1), (5, 1), (10, 1), (15, 1), (20, 1), (25, 1), (50, 1), (100, 1), (3, 2)];
/// Ratios that they choose now and then: taken where no common one fits.
const RARE: [(i64, i64); 23] = [
    (6, 1),
    (7, 1),
    (8, 1),
    (9, 1),
    (11, 1),
    (12, 1),
    (13, 1),
    (14, 1),
    (16, 1),
    (17, 1),
    (18, 1),
    (19, 1),
    (30, 1),
    (40, 1),
    (75, 1),
    (200, 1),
    (250, 1),
    (500, 1),
    (1000, 1),
    (4, 3),
    (5, 4),
    (5, 2),
    (7, 2),
];

/// The steps of every raw series, those of the best source first, each source's by day.
#[must_use]
pub fn steps(closes: &[Close]) -> Vec<Step> {
    let mut sources: Vec<_> = closes.iter().map(|close| &close.source).collect();
    sources.sort_by_key(|source| source_order(source.as_str()));
    sources.dedup();
    let of_source = |source| {
        let series: Vec<_> = series(closes, source).collect();
        let step = |pair: &[&Close]| match pair {
            [a, b] => between(a, b),
            _ => None,
        };
        series.windows(2).filter_map(step).collect::<Vec<_>>()
    };
    sources.into_iter().flat_map(of_source).collect()
}

/// The closes of a source, by day.
pub(super) fn series<'c>(
    closes: &'c [Close],
    source: &Source,
) -> impl DoubleEndedIterator<Item = &'c Close> {
    closes.iter().filter(move |close| !close.intraday && close.source == *source)
}

/// The step between two closes, if it is one.
pub(super) fn between(a: &Close, b: &Close) -> Option<Step> {
    let raw = !a.split_adjusted && !b.split_adjusted && a.currency == b.currency;
    let near = (b.date - a.date).num_days() <= APART;
    let known = a.close.is_positive() && b.close.is_positive();
    let (low, high) = if a.close < b.close { (a.close, b.close) } else { (b.close, a.close) };
    // The least usual ratio is 5:4, less a tenth.
    (raw && near && known && percent_off(low, high).is_some_and(|off| off >= Dec::from_i64(11)))
        .then(|| Step {
            source: a.source.clone(),
            currency: a.currency,
            before: Mark { date: a.date, close: a.close },
            after: Mark { date: b.date, close: b.close },
        })
}

/// By how many per cent one figure differs from another.
pub(super) fn percent_off(figure: Dec, from: Dec) -> Option<Dec> {
    part_off(&figure.into(), &from.into())
}

fn part_off(figure: &Exact, from: &Exact) -> Option<Dec> {
    let hundred = Exact::from(Dec::from_i64(100));
    (!from.is_zero()).then(|| figure.sub(from).abs().mul(&hundred).div_round(from, 6).ok())?
}

/// By how many per cent a later price misses what a split makes of the earlier one.
pub(super) fn miss(before: &Exact, after: &Exact, ratio: Ratio) -> Option<Dec> {
    part_off(&after.mul(&ratio.new.into()), &before.mul(&ratio.old.into()))
}

/// The simplest usual ratio that a price misses by so many per cent at most, and the miss.
pub(super) fn usual(before: &Exact, after: &Exact, percent: i64) -> Option<(Ratio, Dec)> {
    let most = Dec::from_i64(percent);
    let nearest = |ratios: &[(i64, i64)]| {
        let both = ratios.iter().flat_map(|&(new, old)| {
            let turned = (old == 1).then_some((old, new));
            [Some((new, old)), turned].into_iter().flatten()
        });
        both.filter_map(|(new, old)| {
            let ratio = Ratio::new(new.into(), old.into())?;
            Some((ratio, miss(before, after, ratio)?))
        })
        .filter(|(_, miss)| *miss <= most)
        .min_by_key(|(_, miss)| *miss)
    };
    nearest(&COMMON).or_else(|| nearest(&RARE))
}
