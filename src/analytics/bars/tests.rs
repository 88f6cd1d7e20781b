use proptest::prelude::*;

use super::*;
use crate::model::{Currency, SafeText};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

fn close(date: &str, close: i64) -> Bar {
    let close = Dec::from_i64(close);
    Bar { date: day(date), open: None, high: None, low: None, close, volume: None }
}

/// Open, high, low, close, volume.
fn full(date: &str, figures: [i64; 5]) -> Bar {
    let [open, high, low, close, volume] = figures.map(Dec::from_i64);
    let (open, high, low) = (Some(open), Some(high), Some(low));
    Bar { date: day(date), open, high, low, close, volume: Some(volume) }
}

fn told(source: &str, date: &str) -> SourceBar {
    SourceBar {
        bar: close(date, 1),
        currency: Currency::USD,
        source: SafeText::new(source),
        split_adjusted: false,
    }
}

fn said(bars: &[(&str, &str)], fresh_days: i64) -> Vec<String> {
    let bars = bars.iter().map(|(date, source)| told(source, date)).collect();
    let series = one_series(bars, fresh_days).into_iter();
    series.map(|told| format!("{} {}", told.bar.date, told.source)).collect()
}

#[test]
fn a_day_is_drawn_by_the_source_that_prices_it() {
    // The file ends on the third: it prices the days until the eighth, when it is five days old,
    // and has no bars for them.
    let bars = [
        ("2024-01-01", "yahoo"),
        ("2024-01-02", "file"),
        ("2024-01-02", "yahoo"),
        ("2024-01-03", "file"),
        ("2024-01-03", "yahoo"),
        ("2024-01-04", "yahoo"),
        ("2024-01-08", "yahoo"),
        ("2024-01-09", "yahoo"),
    ];
    let series = ["2024-01-01 yahoo", "2024-01-02 file", "2024-01-03 file", "2024-01-09 yahoo"];
    assert_eq!(said(&bars, 5), series);
    // Coins are fresh for a day: the fourth is the file's still, the eighth is not.
    let series = [
        "2024-01-01 yahoo",
        "2024-01-02 file",
        "2024-01-03 file",
        "2024-01-08 yahoo",
        "2024-01-09 yahoo",
    ];
    assert_eq!(said(&bars, 1), series);
    assert_eq!(said(&[], 5), [""; 0]);
}

#[test]
fn of_several_markets_the_newest_is_drawn() {
    let bars = [
        ("2024-01-01", "alpaca"),
        ("2024-01-02", "schwab"),
        ("2024-01-03", "alpaca"),
        ("2024-01-03", "schwab"),
    ];
    let series = ["2024-01-01 alpaca", "2024-01-02 schwab", "2024-01-03 alpaca"];
    assert_eq!(said(&bars, 5), series);
}

#[test]
fn a_split_restates_prices_and_quantities_both_ways() {
    let splits = [
        (day("2024-06-10"), Ratio::parse("4:1").unwrap()),
        (day("2024-09-02"), Ratio::parse("1:2").unwrap()),
    ];
    let same = Conversion::identity();
    let between = |from, to| Restating::between(&splits, day(from), day(to));
    // 4 new for 1, then 1 for 2: 400 becomes 100, and that 200; 5 become 20, and those 10.
    let both = between("2024-06-09", "2024-09-02");
    assert_eq!(both.price(dec("400"), &same), Some(dec("200")));
    assert_eq!(both.quantity(dec("5")), Some(dec("10")));
    let back = between("2024-09-02", "2024-06-09");
    assert_eq!(back.price(dec("200"), &same), Some(dec("400")));
    // What nothing changes keeps all its digits.
    let tiny = dec("0.00000000000013");
    let nothing = between("2024-06-10", "2024-09-01");
    assert_eq!((nothing.price(tiny, &same), nothing.quantity(tiny)), (Some(tiny), Some(tiny)));
    // The day of a split counts its new units already.
    assert!(between("2024-06-10", "2024-09-01").is_nothing());
    assert!(!between("2024-06-09", "2024-06-10").is_nothing());
    // 10 x 1/4 = 2.5, and 100 x 4 = 400 traded.
    let bar = full("2024-06-07", [8, 12, 4, 10, 100]);
    let bar = between("2024-06-07", "2024-06-30").bar(&bar, &same).unwrap();
    assert_eq!((bar.open, bar.close), (Some(dec("2")), dec("2.5")));
    assert_eq!((bar.high, bar.low), (Some(dec("3")), Some(dec("1"))));
    assert_eq!(bar.volume, Some(dec("400")));
}

#[test]
fn weeks_and_months_are_folded_from_days() {
    // Monday the 29th of January 2024 to Friday the second, and the Monday after.
    let days = [
        full("2024-01-29", [10, 12, 9, 11, 100]),
        full("2024-01-31", [11, 15, 11, 14, 200]),
        full("2024-02-02", [14, 14, 8, 13, 50]),
        full("2024-02-05", [13, 13, 13, 13, 1]),
    ];
    let weeks = fold(days.clone(), Interval::Week);
    let first = full("2024-01-29", [10, 15, 8, 13, 350]);
    assert_eq!(weeks, [first, full("2024-02-05", [13, 13, 13, 13, 1])]);
    let months = fold(days.clone(), Interval::Month);
    let january = full("2024-01-01", [10, 15, 9, 14, 300]);
    assert_eq!(months, [january, full("2024-02-01", [14, 14, 8, 13, 51])]);
    assert_eq!(fold(days.clone(), Interval::Day), days);
}

#[test]
fn what_one_day_lacks_the_week_lacks() {
    let [a, b] = [full("2024-01-29", [10, 12, 9, 11, 100]), close("2024-01-30", 20)];
    let week = |days: [&Bar; 2]| fold(days.map(Clone::clone), Interval::Week).remove(0);
    // Its high is not 12, for the day without one closed at 20.
    let opened = Bar { open: Some(dec("10")), ..close("2024-01-29", 20) };
    assert_eq!(week([&a, &b]), opened);
    let later = full("2024-01-31", [10, 12, 9, 11, 100]);
    assert_eq!(week([&b, &later]), close("2024-01-29", 11), "no open either");
}

prop_compose! {
    /// The figures of a day as they may be: the close between the extremes, parts perhaps missing.
    fn bar_of_a_day()(
        gap in 1_u64..40,
        low in 0_i64..1000,
        steps in (0_i64..50, 0_i64..50),
        volume in 0_i64..1000,
        known in any::<[bool; 4]>(),
    ) -> (u64, Bar) {
        let some = |place: usize, value: i64| known[place].then(|| Dec::from_i64(value));
        let (inner, high) = (low + steps.0, low + steps.0 + steps.1);
        let bar = Bar {
            date: NaiveDate::default(),
            open: some(0, inner),
            high: some(1, high),
            low: some(2, low),
            close: Dec::from_i64(inner),
            volume: some(3, volume),
        };
        (gap, bar)
    }
}

fn dated(bars: Vec<(u64, Bar)>) -> Vec<Bar> {
    let mut date = day("2023-11-20");
    let dated = bars.into_iter().map(|(gap, bar)| {
        date = date + Days::new(gap);
        Bar { date, ..bar }
    });
    dated.collect()
}

proptest! {
    #[test]
    fn a_folded_bar_is_what_its_days_are(
        bars in prop::collection::vec(bar_of_a_day(), 0..40),
        every in prop::sample::select(vec![Interval::Week, Interval::Month]),
    ) {
        let days = dated(bars);
        let folded = fold(days.clone(), every);
        prop_assert!(folded.is_sorted_by(|a, b| a.date < b.date));
        let mut counted = 0;
        for bar in &folded {
            let mine: Vec<_> =
                days.iter().filter(|day| first_day(day.date, every) == bar.date).collect();
            counted += mine.len();
            prop_assert_eq!(bar.open, mine[0].open);
            prop_assert_eq!(bar.close, mine[mine.len() - 1].close);
            // Options of all days are known only where each is.
            let all = |part: fn(&Bar) -> Option<Dec>| {
                mine.iter().map(|day| part(day)).collect::<Option<Vec<_>>>()
            };
            prop_assert_eq!(bar.high, all(|day| day.high).and_then(|all| all.into_iter().max()));
            prop_assert_eq!(bar.low, all(|day| day.low).and_then(|all| all.into_iter().min()));
            let sum = |all: Vec<Dec>| {
                let mut all = all.into_iter();
                all.try_fold(Dec::ZERO, Dec::checked_add)
            };
            prop_assert_eq!(bar.volume, all(|day| day.volume).and_then(sum));
            prop_assert!(bar.high.is_none_or(|high| bar.close <= high));
            prop_assert!(bar.low.is_none_or(|low| low <= bar.close));
        }
        prop_assert_eq!(counted, days.len(), "each day is in one bar");
    }

    #[test]
    fn folding_twice_changes_nothing(
        bars in prop::collection::vec(bar_of_a_day(), 0..40),
        every in prop::sample::select(vec![Interval::Week, Interval::Month]),
    ) {
        let once = fold(dated(bars), every);
        prop_assert_eq!(fold(once.clone(), every), once);
    }

    #[test]
    fn a_period_begins_within_itself(offset in 0_u64..40_000) {
        let date = day("1950-01-01") + Days::new(offset);
        let monday = first_day(date, Interval::Week);
        prop_assert_eq!(monday.weekday(), chrono::Weekday::Mon);
        prop_assert!((0..7).contains(&(date - monday).num_days()));
        let first = first_day(date, Interval::Month);
        prop_assert_eq!((first.day(), first.month(), first.year()), (1, date.month(), date.year()));
        prop_assert_eq!(first_day(date, Interval::Hour), date);
    }
}
