//! Prices against hand arithmetic, and against a plain search.

use proptest::prelude::*;

use super::*;
use crate::model::SafeText;

fn day(day: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + chrono::Duration::days(day)
}

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

fn close(on: i64, source: &str, price: &str) -> Close {
    Close {
        date: day(on),
        close: dec(price),
        currency: Currency::USD,
        source: SafeText::new(source),
        split_adjusted: false,
        intraday: false,
    }
}

fn split(on: i64, ratio: &str) -> (NaiveDate, Ratio) {
    (day(on), Ratio::parse(ratio).unwrap())
}

const TODAY: i64 = 100;

/// The price, its source, its age and what else is to be said of it.
fn told(closes: &[Close], on: i64, splits: &[(NaiveDate, Ratio)]) -> String {
    let series: Series = closes.iter().cloned().collect();
    match price_on(&series, day(on), FRESH_DAYS, splits, day(TODAY)) {
        Ok(price) => {
            let amount = price.price().unwrap();
            let mut told = format!("{amount} {} {}", price.source, price.age_days);
            told += if price.stale { " stale" } else { "" };
            told + if price.restated { " restated" } else { "" }
        }
        Err(why) => why.to_string(),
    }
}

const NONE: &str = "there is no price on or before the day";

#[test]
fn the_best_source_with_a_fresh_close_serves_else_the_newest() {
    let closes = [close(10, "hand", "1"), close(12, "file", "2"), close(14, "yahoo", "3")];
    assert_eq!(told(&closes, 9, &[]), NONE);
    assert_eq!(told(&closes, 10, &[]), "1 hand 0");
    assert_eq!(told(&closes, 15, &[]), "1 hand 5");
    assert_eq!(told(&closes, 16, &[]), "2 file 4");
    assert_eq!(told(&closes, 18, &[]), "3 yahoo 4");
    assert_eq!(told(&closes, 20, &[]), "3 yahoo 6 stale");
    let same = [close(10, "yahoo", "3"), close(10, "provider:x", "4"), close(10, "ecb", "5")];
    assert_eq!(told(&same, 30, &[]), "5 ecb 20 stale");
    assert_eq!(told(&[], 30, &[]), NONE);
}

/// The one that was asked first was out of reach for a day.
#[test]
fn of_several_markets_the_newest_serves() {
    let closes = [
        close(10, "alpaca", "1"),
        close(11, "schwab", "2"),
        close(12, "alpaca", "3"),
        close(12, "schwab", "4"),
        close(13, "schwab", "5"),
    ];
    let on = |on| told(&closes, on, &[]);
    assert_eq!(
        [on(10), on(11), on(12), on(13)],
        ["1 alpaca 0", "2 schwab 0", "3 alpaca 0", "5 schwab 0"]
    );
    let hand = [&closes[..], &[close(11, "hand", "9")]].concat();
    assert_eq!(told(&hand, 13, &[]), "9 hand 2", "what was stated by hand stays the best");
}

#[test]
fn a_coin_is_stale_after_a_day() {
    let series: Series = [close(10, "hand", "1"), close(9, "file", "2")].into_iter().collect();
    let fresh = freshness(Some(AssetClass::Crypto));
    let on = |on| price_on(&series, day(on), fresh, &[], day(TODAY)).map(|price| price.stale);
    assert_eq!((on(11), on(12)), (Ok(false), Ok(true)));
    assert_eq!(freshness(None), 5);
}

#[test]
fn prices_may_be_zero_and_below() {
    for price in ["0", "-37.63"] {
        let closes = [close(9, "file", "5"), close(10, "file", price)];
        assert_eq!(told(&closes, 10, &[]), format!("{price} file 0"));
        assert!(told(&closes, 11, &[split(11, "2:1")]).contains("restated"));
    }
}

#[test]
fn a_quote_from_within_the_day_serves_today_only() {
    let quote = |on, price: &str| Close { intraday: true, ..close(on, "yahoo", price) };
    let closes = [close(98, "yahoo", "1"), quote(99, "2"), quote(100, "3"), quote(100, "4")];
    assert_eq!(told(&closes, 99, &[]), "1 yahoo 1");
    assert_eq!(told(&closes, 100, &[]), "4 yahoo 0");
    assert_eq!(told(&closes, 101, &[]), "1 yahoo 3");
    // Until the day has a close.
    let with_day = [closes.to_vec(), vec![close(100, "yahoo", "5")]].concat();
    assert_eq!(told(&with_day, 100, &[]), "5 yahoo 0");
    assert_eq!(told(&closes[1..], 99, &[]), NONE);
}

#[test]
fn an_adjusted_close_from_before_a_split_is_no_value() {
    let adjusted = |on, price: &str| Close { split_adjusted: true, ..close(on, "yahoo", price) };
    let closes = [adjusted(10, "25"), adjusted(20, "26")];
    let four = split(15, "4:1");
    let why = "the prices of `yahoo` are restated for the split of 2024-01-16";
    assert_eq!(told(&closes, 10, &[four]), why);
    // Whether the source had restated its last close before the split nobody can say.
    assert_eq!(told(&closes, 15, &[four]), why);
    assert_eq!(told(&closes, 20, &[four]), "26 yahoo 0");
    assert_eq!(told(&closes, 10, &[]), "25 yahoo 0");
    // It has not happened yet, so nobody restated anything for it.
    assert_eq!(told(&closes, 20, &[split(TODAY + 1, "4:1")]), "26 yahoo 0");
    assert_eq!(told(&closes, 20, &[split(20, "4:1")]), "26 yahoo 0");
    assert_eq!(
        told(&closes, 20, &[split(TODAY, "4:1")]),
        "the prices of `yahoo` are restated for the split of 2024-04-10"
    );
    // Another source's raw close is the honest one, even when it is stale.
    let with_raw = [closes.to_vec(), vec![close(2, "zzz", "99")]].concat();
    assert_eq!(told(&with_raw, 10, &[four]), "99 zzz 8 stale");
}

#[test]
fn a_raw_close_from_before_a_split_counts_in_new_units_after_it() {
    let closes = [close(10, "file", "100"), close(13, "file", "26")];
    let splits = [split(12, "4:1")];
    assert_eq!(told(&closes, 11, &splits), "100 file 1");
    assert_eq!(told(&closes, 12, &splits), "25 file 2 restated");
    assert_eq!(told(&closes, 13, &splits), "26 file 0");
    // Both accounts tell of the one split; another follows.
    let told_twice = [split(12, "4:1"), split(12, "4:1"), split(11, "1:10")];
    assert_eq!(told(&closes[..1], 12, &told_twice), "250 file 2 restated");
    // On the day of the split the close is per new unit already.
    assert_eq!(told(&closes, 14, &[split(13, "4:1")]), "26 file 1");
    // A third of a hundred is not rounded before it is multiplied.
    let series: Series = closes[..1].iter().cloned().collect();
    let price = price_on(&series, day(12), FRESH_DAYS, &[split(12, "3:1")], day(TODAY)).unwrap();
    assert_eq!(price.price(), Ok(dec("33.333333333333")));
    let worth = price.value(&dec("30").into(), &Conversion::identity());
    assert_eq!(worth, Ok(dec("1000")));
}

#[test]
fn a_close_is_told_with_all_its_digits() {
    for price in ["0.00000000000013", "0.3333333333333333333333333333", "12345678901234.5678901234"]
    {
        assert_eq!(told(&[close(10, "file", price)], 10, &[]), format!("{price} file 0"));
    }
    // What a split makes of it is derived: 1.2345678901234 / 2, to 12 decimals.
    let closes = [close(10, "file", "1.2345678901234")];
    assert_eq!(told(&closes, 12, &[split(12, "2:1")]), "0.617283945062 file 2 restated");
}

#[test]
fn a_close_in_another_currency_is_converted_by_the_rate_of_its_own_day() {
    let mut rates = Rates::new(Currency::CAD);
    for (on, rate) in [(10, "0.3"), (12, "0.6")] {
        rates.insert(Currency::CAD, Currency::USD, day(on), dec(rate), &SafeText::new("ecb"));
    }
    let series: Series = [close(10, "file", "7")].into_iter().collect();
    let price = price_on(&series, day(12), FRESH_DAYS, &[], day(TODAY)).unwrap();
    assert_eq!(price.clone().in_currency(Currency::USD, &rates), Ok(price.clone()));
    let converted = price.clone().in_currency(Currency::CAD, &rates).unwrap();
    // 7 / 0.3 = 23.333..., and 9 of it are 210, at the rate of day 12 126 US dollars.
    assert_eq!(converted.price(), Ok(dec("23.333333333333")));
    assert_eq!(converted.currency, Currency::CAD);
    assert_eq!(converted.converted.as_ref().and_then(|rate| rate.date), Some(day(10)));
    assert_eq!(converted.value(&dec("9").into(), &Conversion::identity()), Ok(dec("210")));
    let today = rates.on(Currency::CAD, Currency::USD, day(12)).unwrap();
    assert_eq!(converted.value(&dec("9").into(), &today), Ok(dec("126")));
    let why = price.in_currency(Currency::EUR, &rates).unwrap_err();
    assert_eq!(why.to_string(), "there is a price in USD, but no rate to EUR on 2024-01-11");
}

const SOURCES: [&str; 4] = ["hand", "file", "yahoo", "provider:x"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn agrees_with_a_plain_search(
        rows in prop::collection::btree_map((0..4_usize, 0..30_i64), (-50..500_i64, any::<bool>(), any::<bool>()), 0..12),
        split_days in prop::collection::btree_set(0..32_i64, 0..2),
        on in 0..34_i64,
        today in prop_oneof![Just(30_i64), 0..34_i64],
        fresh in prop_oneof![Just(5_i64), Just(1_i64)],
    ) {
        let closes = rows.iter().map(|(&(source, date), &(price, split_adjusted, intraday))| Close {
            split_adjusted,
            intraday,
            ..close(date, SOURCES[source], &price.to_string())
        });
        let series: Series = closes.clone().rev().collect();
        let splits: Vec<_> = split_days.iter().map(|&on| split(on, "2:1")).collect();
        let found = price_on(&series, day(on), fresh, &splits, day(today));
        // By each source its last close, if it is one that counts, in the order of sources.
        let mut candidates = Vec::new();
        for source in SOURCES {
            let last = closes.clone().filter(|close| {
                close.source.as_str() == source && close.date <= day(on) && (!close.intraday || on == today)
            }).max_by_key(|close| close.date);
            candidates.extend(last);
        }
        let spoiled = |close: &Close| close.split_adjusted
            && split_days.iter().any(|&at| day(at) > close.date && at <= today);
        let (bad, good): (Vec<_>, Vec<_>) = candidates.into_iter().partition(spoiled);
        let age = |close: &Close| (day(on) - close.date).num_days();
        let best = good.iter().find(|close| age(close) <= fresh);
        let best = best.or_else(|| good.iter().min_by_key(|close| age(close)));
        match (found, best) {
            (Ok(price), Some(best)) => {
                prop_assert_eq!((price.date, &price.source, price.stored), (best.date, &best.source, best.close));
                prop_assert_eq!((price.age_days, price.stale), (age(best), age(best) > fresh));
                prop_assert!(price.date <= day(on));
                let halved = split_days.iter().filter(|&&at| day(at) > best.date && at <= on).count();
                let whole = price.value(&Dec::from_i64(1 << halved).into(), &Conversion::identity());
                prop_assert_eq!(whole, Ok(best.close));
            }
            (Err(NoPrice::Unknown), None) => prop_assert!(bad.is_empty()),
            (Err(NoPrice::Adjusted { source_name, .. }), None) => {
                prop_assert_eq!(&source_name, &bad[0].source);
            }
            (found, best) => prop_assert!(false, "{found:?} {best:?}"),
        }
    }
}
