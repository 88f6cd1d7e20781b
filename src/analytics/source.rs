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
        market if !market.starts_with("provider:") => MARKET,
        _ => 3,
    };
    (rank, source)
}

/// Where market sources stand.
const MARKET: u8 = 2;

/// Market sources as one, which tells what the newest of them tells: one that is out of reach for some
/// days does not hide what another told meanwhile. `candidates` come in the order of sources.
pub(super) fn markets_as_one<T>(
    candidates: impl IntoIterator<Item = T>,
    source: impl Fn(&T) -> &str,
    date: impl Fn(&T) -> NaiveDate,
) -> impl Iterator<Item = T> {
    let is_market = move |it: &T| source_order(source(it)).0 == MARKET;
    let mut candidates = candidates.into_iter().peekable();
    std::iter::from_fn(move || {
        let mut newest = candidates.next()?;
        while is_market(&newest)
            && let Some(next) = candidates.next_if(&is_market)
        {
            if date(&next) > date(&newest) {
                newest = next;
            }
        }
        Some(newest)
    })
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
    fn markets_tell_what_the_newest_of_them_tells() {
        let pick = |told: &[(&'static str, u32)]| {
            let day = |day| NaiveDate::from_ymd_opt(2024, 1, day).unwrap();
            let one = markets_as_one(told.to_vec(), |it| it.0, |it| day(it.1));
            one.map(|(source, day)| format!("{source} {day}")).collect::<Vec<_>>()
        };
        let all = [("file", 9), ("alpaca", 3), ("ecb", 5), ("schwab", 5), ("provider:x", 8)];
        // Of two that are equally new the first.
        assert_eq!(pick(&all), ["file 9", "ecb 5", "provider:x 8"]);
        assert_eq!(pick(&all[1..2]), ["alpaca 3"]);
        assert_eq!(pick(&[]), [""; 0]);
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
