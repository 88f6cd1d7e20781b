//! Whom to believe: the order of sources, and when what one said is too old. It knows neither
//! what was said nor where it is kept.

use chrono::NaiveDate;

/// A price or rate older than so many days is stale: long enough for a weekend with a holiday on
/// both ends.
pub const FRESH_DAYS: i64 = 5;

/// Coins are traded every day.
pub const FRESH_DAYS_OF_COINS: i64 = 1;

/// Where a source stands when several speak of the same thing; the least is the best.
///
/// What somebody stated by hand is meant to win over what a machine found; a file was at least
/// chosen by somebody. Market sources publish closes of a day. A provider only tells what it
/// valued a position with, so it comes last.
#[must_use]
pub fn source_order(source: &str) -> (u8, &str) {
    let rank = match source {
        "hand" | "manual" => 0,
        "file" => 1,
        market if !market.starts_with("provider:") => 2,
        _ => 3,
    };
    (rank, source)
}

/// How many days before `on` something was said.
pub(super) fn age_days(date: NaiveDate, on: NaiveDate) -> i64 {
    on.signed_duration_since(date).num_days()
}

/// The first that is not too old, else the newest; the earlier of two that are equally old.
///
/// Nothing after the first fresh one is looked at, so that `candidates` may be lazy.
pub(super) fn first_fresh<T>(
    candidates: impl IntoIterator<Item = T>,
    date: impl Fn(&T) -> NaiveDate,
    on: NaiveDate,
    fresh_days: i64,
) -> Option<T> {
    let mut newest: Option<T> = None;
    for next in candidates {
        if age_days(date(&next), on) <= fresh_days {
            return Some(next);
        }
        if newest.as_ref().is_none_or(|newest| date(&next) > date(newest)) {
            newest = Some(next);
        }
    }
    newest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_come_before_files_before_markets_before_providers() {
        let mut sources = ["provider:ibkr", "yahoo", "file", "ecb", "manual", "hand", "provider"];
        sources.sort_by_key(|source| source_order(source));
        // `provider` without an id is a name like any other.
        let right = ["hand", "manual", "file", "ecb", "provider", "yahoo", "provider:ibkr"];
        assert_eq!(sources, right);
    }

    #[test]
    fn the_first_fresh_one_wins_and_else_the_newest() {
        let day = |day| NaiveDate::from_ymd_opt(2024, 1, day).unwrap();
        let pick = |days: &[u32]| {
            let named = days.iter().enumerate().map(|(place, said)| (place, day(*said)));
            first_fresh(named, |(_, date)| *date, day(20), 5).map(|(place, _)| place)
        };
        assert_eq!(pick(&[]), None);
        // Of the 15th it is five days old, of the 14th six.
        assert_eq!(pick(&[14, 15, 20]), Some(1));
        assert_eq!(pick(&[3, 14, 14, 1]), Some(1));
        assert_eq!(pick(&[3]), Some(0));
    }
}
