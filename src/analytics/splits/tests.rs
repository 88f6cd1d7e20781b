#![allow(clippy::indexing_slicing, reason = "a test")]

use chrono::{Datelike, TimeDelta, Weekday};

use super::*;
use crate::model::{Currency, Rank, SafeText, SecurityId, Subtype, TransactionId};

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn ratio(text: &str) -> Ratio {
    Ratio::parse(text).unwrap()
}

/// The closes of a source on the weekdays from a Monday on, beside each other's.
fn closes(series: &[(&str, &str, bool)]) -> Vec<Close> {
    let mut all = Vec::new();
    for (source, prices, adjusted) in series {
        let days = (0..).map(|days| day("2024-06-03") + TimeDelta::days(days));
        let days = days.filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun));
        for (date, price) in days.zip(prices.split_whitespace()) {
            all.push(Close {
                date,
                close: dec(price),
                currency: Currency::USD,
                source: SafeText::new(source),
                split_adjusted: *adjusted,
                intraday: false,
            });
        }
    }
    all.sort_by(|a, b| (a.date, &a.source).cmp(&(b.date, &b.source)));
    all
}

fn of(prices: &str) -> Vec<Close> {
    closes(&[("file", prices, false)])
}

fn row(id: i64, account: i64, date: &str, subtype: Subtype) -> Event {
    Event {
        id: TransactionId(id),
        account: AccountId(account),
        security: SecurityId(1),
        to_security: None,
        date: day(date),
        seq: 0,
        rank: Rank::Buy,
        subtype,
        quantity: None,
        price: None,
        fee: Dec::ZERO,
        tax: Dec::ZERO,
        currency: Currency::USD,
        amount: Dec::ZERO,
        fx_rate: None,
        multiplier: Dec::ONE,
        ratio: None,
        acquired: None,
        cost_share: None,
        peer: None,
    }
}

fn buy(id: i64, date: &str, price: &str) -> Event {
    Event { quantity: Some(Dec::ONE), price: Some(dec(price)), ..row(id, 1, date, Subtype::Buy) }
}

fn brings(id: i64, date: &str, subtype: Subtype, quantity: &str) -> Event {
    Event { quantity: Some(dec(quantity)), ..row(id, 1, date, subtype) }
}

fn split(id: i64, account: i64, date: &str, text: &str) -> Event {
    Event { ratio: Some(ratio(text)), ..row(id, account, date, Subtype::Split) }
}

/// Day, ratio, and whether it is sure.
fn found(closes: &[Close], rows: &[Event]) -> Vec<(String, String, bool)> {
    let breaks = breaks(closes, rows).into_iter();
    breaks.map(|it| (it.day.to_string(), it.ratio.to_string(), it.sure)).collect()
}

fn one(date: &str, ratio: &str, sure: bool) -> Vec<(String, String, bool)> {
    vec![(date.to_owned(), ratio.to_owned(), sure)]
}

const NOTHING: Vec<(String, String, bool)> = Vec::new();

// A week at 400, then at 100: the first close of the new level is of Monday the tenth.
const FOUR: &str = "400 404 398 402 400 101 100 99 100 102 101";

#[test]
fn a_level_that_steps_by_a_usual_ratio_and_stays_is_a_split() {
    let breaks = breaks(&of(FOUR), &[]);
    assert_eq!(breaks.len(), 1);
    let it = &breaks[0];
    // Over the weekend.
    assert_eq!((it.day, it.ratio, it.sure), (day("2024-06-10"), ratio("4:1"), true));
    assert_eq!(it.step.before, Mark { date: day("2024-06-07"), close: dec("400") });
    assert_eq!(it.step.after, Mark { date: day("2024-06-10"), close: dec("101") });
    assert_eq!(it.witnesses, [Witness::Stays]);
    // One close less, and nobody can say that it stays.
    assert_eq!(found(&of("400 404 398 402 400 101 100 99 100 102"), &[]), NOTHING);
}

#[test]
fn reverse_splits_step_up() {
    let ten = "2 2.1 2 19.9 20 20.2 19.8 20 20.1";
    assert_eq!(found(&of(ten), &[]), one("2024-06-06", "1:10", true));
    // A thousand may be a wrong unit, until somebody pays it.
    let thousand = "0.002 0.0021 0.002 2.01 2 2.02 1.98 2 2.01";
    assert_eq!(found(&of(thousand), &[]), one("2024-06-06", "1:1000", false));
    let paid = [buy(1, "2024-06-04", "0.0021"), buy(2, "2024-06-07", "2")];
    assert_eq!(found(&of(thousand), &paid), one("2024-06-06", "1:1000", true));
}

#[test]
fn what_does_not_stay_or_goes_back_is_a_wrong_price() {
    assert_eq!(found(&of("400 400 400 100 400 400 400 400 400 400"), &[]), NOTHING);
    assert_eq!(found(&of("400 400 400 100 100 100 400 400 400 400 400 400"), &[]), NOTHING);
    // Half of the fall comes back: 72 is nearer to 100 than to 50.
    assert_eq!(found(&of("100 100 100 50 52 60 72 71 70 70"), &[]), NOTHING);
}

#[test]
fn a_crash_is_no_split_when_trades_disagree() {
    let crash = of("100 101 100 50 49 51 50 50 52 51");
    // By its closes alone it could be.
    assert_eq!(found(&crash, &[]), one("2024-06-06", "2:1", true));
    // Whoever sold on the way down got a price that a split does not know.
    assert_eq!(found(&crash, &[buy(1, "2024-06-06", "74")]), NOTHING);
    // The days before and after are told by others at the old level.
    assert_eq!(found(&crash, &[buy(1, "2024-06-07", "100")]), NOTHING);
    assert_eq!(found(&crash, &[buy(1, "2024-06-04", "70")]), NOTHING);
    // Another source does not know of a step.
    let other = [("a", "100 101 100 50 49 51 50 50 52 51", false), ("b", "100 101 100 100", false)];
    assert_eq!(found(&closes(&other), &[]), NOTHING);
}

#[test]
fn what_a_bad_day_makes_too_is_unsure_without_a_witness_beyond_the_market() {
    // 226 of 348: 3:2 would be 232.
    let fall = "350 349 348 226 218 215 209 198 202 200";
    assert_eq!(found(&of(fall), &[]), one("2024-06-06", "3:2", false));
    let traded = [buy(1, "2024-06-04", "349"), buy(2, "2024-06-07", "218")];
    assert_eq!(found(&of(fall), &traded), one("2024-06-06", "3:2", false));
    // A fifth less is not even shown, unless the market has no hand in what bears it out.
    let fifth = "100 100 100 80 80 81 79 80 80 80";
    let traded = [buy(1, "2024-06-04", "100"), buy(2, "2024-06-07", "80")];
    assert_eq!(found(&of(fifth), &traded), NOTHING);
    let restated = closes(&[("b", fifth, false), ("a", "80 80 80 80", true)]);
    assert_eq!(found(&restated, &[]), one("2024-06-06", "5:4", true));
    let told = [split(1, 1, "2024-06-06", "5:4")];
    assert_eq!(found(&of(fifth), &told), one("2024-06-06", "5:4", true));
    // A tenth less is an ordinary day.
    assert_eq!(found(&of("100 100 90 90 90 90 90 90"), &traded), NOTHING);
    // The market moved by a tenth as well: 4:1 is nearest, and was not meant.
    let between = "2200 2210 2213.4 498.32 475 447 407 418 430";
    assert_eq!(found(&of(between), &[]), one("2024-06-06", "4:1", false));
    // Who counts new units all along tells the market's part: 442.68 to 498.32.
    let both = [("b", between, false), ("a", "440 442 442.68 498.32", true)];
    assert_eq!(found(&closes(&both), &[]), one("2024-06-06", "5:1", true));
}

#[test]
fn another_source_bears_out() {
    let raw = "350 349 348 234 232 231 229 230 228 230";
    let restated = "233.33 232.67 232 234 232 231 229 230 228 230";
    let both = closes(&[("b", raw, false), ("a", restated, true)]);
    let breaks = breaks(&both, &[]);
    assert_eq!((breaks.len(), breaks[0].ratio, breaks[0].sure), (1, ratio("3:2"), true));
    assert_eq!(breaks[0].witnesses, [Witness::Unbroken(SafeText::new("a")), Witness::Stays]);
    // Less what was paid out since: the level is another, the step is missing all the same.
    let less = "210 209.4 208.8 210.6 208.8 207.9 206.1 207 205.2 207";
    assert_eq!(
        found(&closes(&[("b", raw, false), ("a", less, true)]), &[]),
        one("2024-06-06", "3:2", true)
    );
    // One that steps alike is no second split.
    let alike = closes(&[("b", raw, false), ("a", raw, false)]);
    let breaks = super::breaks(&alike, &[]);
    assert_eq!(breaks.len(), 1);
    assert_eq!(breaks[0].witnesses, [Witness::SameStep(SafeText::new("b")), Witness::Stays]);
}

#[test]
fn a_series_that_was_restated_has_no_break() {
    let adjusted = "100 101 99.5 100.5 100 101 100 99 100 102 101";
    assert_eq!(found(&closes(&[("a", adjusted, true)]), &[]), NOTHING);
    // Less dividends, and not even marked: nothing steps.
    assert_eq!(found(&of("97.1 98.1 96.6 97.6 97.1 98.1 97.5 99 100 102 101"), &[]), NOTHING);
    // A step of a series that says it has none.
    assert_eq!(found(&closes(&[("a", FOUR, true)]), &[]), NOTHING);
}

#[test]
fn trades_on_both_sides_bear_out_before_five_closes_are_known() {
    let rows = [buy(1, "2024-06-04", "402"), buy(2, "2024-06-11", "99")];
    let early = of("400 404 398 402 400 101 100");
    let breaks = breaks(&early, &rows);
    let (before, after) = (TransactionId(1), TransactionId(2));
    assert_eq!(breaks[0].witnesses, [Witness::Trades { before, after }]);
    assert!(breaks[0].sure);
}

#[test]
fn a_trade_between_the_closes_dates_the_split() {
    // Weekly closes: the split may be of any day between them.
    let mut weekly = of("400 400 400 400 400 100 100 100 100 100 100 100 100 100 100 100");
    weekly.retain(|close| close.date.weekday() == Weekday::Mon || close.date < day("2024-06-05"));
    let rows = [buy(1, "2024-06-03", "400"), buy(2, "2024-06-07", "101")];
    assert_eq!(found(&weekly, &rows), one("2024-06-07", "4:1", true));
    // More than a week apart nothing is said of a day.
    weekly.retain(|close| close.date != day("2024-06-04") && close.date != day("2024-06-10"));
    assert_eq!(found(&weekly, &rows), NOTHING);
}

#[test]
fn two_splits_near_each_other_are_two() {
    let prices = "600 604 598 302 300 299 100 101 100 99 100 102 101";
    let both = [one("2024-06-06", "2:1", true), one("2024-06-11", "3:1", true)].concat();
    assert_eq!(found(&of(prices), &[]), both);
    // Each row stands for one of them, the one of its ratio.
    let breaks = breaks(&of(prices), &[]);
    let rows = [split(1, 1, "2024-06-10", "2:1")];
    let held = [("2024-06-05", "10"), ("2024-06-10", "20")];
    let held = held.map(|(on, held)| ((day(on), AccountId(1)), dec(held)));
    let shares = shares(&breaks, &rows, &held.into_iter().collect());
    assert_eq!((shares[0].len(), shares[1].len()), (0, 1));
    assert_eq!(shares[1][0].after, Some(dec("60")));
}

fn shares_of(rows: &[Event], held: &[(&str, &str)]) -> Vec<Share> {
    let breaks = breaks(&of(FOUR), rows);
    assert_eq!(breaks.len(), 1);
    let held = held.iter().map(|(on, held)| ((day(on), AccountId(1)), dec(held)));
    shares(&breaks, rows, &held.collect()).remove(0)
}

#[test]
fn whoever_held_it_the_day_before_has_a_share() {
    let share = shares_of(&[], &[("2024-06-09", "2.5")]);
    let whole =
        Share { account: AccountId(1), before: dec("2.5"), after: Some(dec("10")), booked: None };
    assert_eq!(share, [whole]);
    // A split before the first purchase is nobody's.
    assert_eq!(shares_of(&[buy(1, "2024-06-11", "100")], &[("2024-06-11", "1")]), []);
}

#[test]
fn who_has_a_row_of_it_is_not_asked_again() {
    let held = [("2024-06-09", "2.5")];
    for (date, ratio, lacks) in [
        ("2024-06-10", "4:1", 0),
        ("2024-06-20", "4:1", 0),
        ("2024-05-31", "4:1", 0),
        ("2024-06-12", "3:1", 0),
        ("2024-06-21", "4:1", 1),
    ] {
        assert_eq!(shares_of(&[split(1, 1, date, ratio)], &held).len(), lacks, "{date} {ratio}");
    }
    // The row of another account tells the day and bears it out.
    let rows = [split(1, 2, "2024-06-11", "8:2")];
    let breaks = breaks(&of(FOUR), &rows);
    assert_eq!((breaks[0].day, breaks[0].ratio), (day("2024-06-11"), ratio("8:2")));
    let row = Witness::Row { account: AccountId(2), transaction: TransactionId(1) };
    assert_eq!(breaks[0].witnesses, [row, Witness::Stays]);
}

#[test]
fn new_units_that_came_as_a_correction_are_not_counted_twice() {
    let held = [("2024-06-09", "10"), ("2024-06-11", "10")];
    for (subtype, quantity, booked) in [
        (Subtype::Adjustment, "30", true),
        (Subtype::TransferIn, "40", true),
        (Subtype::Opening, "40", true),
        // A fraction was paid out.
        (Subtype::Adjustment, "29.9", true),
        (Subtype::Adjustment, "28", false),
        (Subtype::Buy, "30", false),
    ] {
        let correction = brings(7, "2024-06-12", subtype, quantity);
        let booked = booked.then_some(TransactionId(7));
        assert_eq!(shares_of(&[correction], &held)[0].booked, booked, "{subtype} {quantity}");
    }
    // Shares for shares is how some brokers write a split.
    assert_eq!(shares_of(&[brings(7, "2024-06-12", Subtype::StockDividend, "30")], &held), []);
    let late = brings(7, "2024-06-21", Subtype::Adjustment, "30");
    assert_eq!(shares_of(&[late], &[("2024-06-09", "10"), ("2024-06-20", "10")])[0].booked, None);
}

#[test]
fn rows_that_count_new_units_already_need_no_split() {
    // Bought at 400, and the broker says four at 100.
    let restated = buy(1, "2024-06-04", "101");
    assert_eq!(shares_of(&[restated], &[("2024-06-09", "4")]), []);
    let as_paid = buy(1, "2024-06-04", "404");
    assert_eq!(shares_of(&[as_paid], &[("2024-06-09", "1")]).len(), 1);
}

#[test]
fn the_days_to_know_are_the_eves() {
    let rows = [
        brings(1, "2024-06-12", Subtype::Adjustment, "30"),
        brings(2, "2024-06-21", Subtype::Adjustment, "30"),
        buy(3, "2024-06-13", "100"),
    ];
    let days = days_to_know(&breaks(&of(FOUR), &rows), &rows);
    assert_eq!(days.into_iter().collect::<Vec<_>>(), [day("2024-06-09"), day("2024-06-11")]);
}

#[test]
fn closes_that_are_no_prices_step_nowhere() {
    assert_eq!(found(&of("0 0 100 100 100 100 100 100"), &[]), NOTHING);
    assert_eq!(found(&of("-37 -9 -9 -9 -9 -9 -9"), &[]), NOTHING);
    assert_eq!(found(&[], &[]), NOTHING);
}
