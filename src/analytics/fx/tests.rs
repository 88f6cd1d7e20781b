//! Rates against hand arithmetic, and against a search that looks at every way there is.

use proptest::prelude::*;

use super::*;

const GBP: &str = "GBP";

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn day(day: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + chrono::Duration::days(day)
}

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

/// Rates with base CAD: pair, day, rate, source.
fn rates(rows: &[(&str, &str, i64, &str, &str)]) -> Rates {
    let mut rates = Rates::new(Currency::CAD);
    for (base, quote, on, rate, source) in rows {
        let source = Source::new(source);
        rates.insert(currency(base), currency(quote), day(*on), dec(rate), &source);
    }
    rates
}

/// What one hundred become on a day, by which stored pairs, of which day, and whether that is stale.
fn hundred(rates: &Rates, from: &str, to: &str, on: i64) -> Option<String> {
    let way = rates.on(currency(from), currency(to), day(on))?;
    let pair =
        |leg: &Leg| format!("{}{}{}", if leg.inverse { "/" } else { "" }, leg.base, leg.quote);
    let legs: Vec<_> = way.legs.iter().map(pair).collect();
    let amount = way.apply(&dec("100").into()).unwrap();
    let stale = if way.stale { " stale" } else { "" };
    let date = way.date.map_or("-".to_owned(), |date| (date - day(0)).num_days().to_string());
    Some(format!("{amount} {} {date}{stale}", legs.join("+")))
}

#[test]
fn the_first_fresh_way_wins() {
    let all = [
        ("CHF", "GBP", 10, "0.8", "ecb"),
        ("GBP", "CHF", 10, "1.28", "ecb"),
        ("CHF", "CAD", 10, "1.5", "ecb"),
        ("GBP", "CAD", 10, "1.875", "ecb"),
        ("CHF", "USD", 10, "1.25", "ecb"),
        ("USD", "GBP", 10, "0.75", "ecb"),
        ("EUR", "CHF", 10, "0.5", "ecb"),
        ("EUR", "GBP", 10, "0.41", "ecb"),
    ];
    // 100 / 1.28; 150 / 1.875; 125 x 0.75; 200 x 0.41.
    let right = [
        "80 CHFGBP 10",
        "78.125 /GBPCHF 10",
        "80 CHFCAD+/GBPCAD 10",
        "93.75 CHFUSD+USDGBP 10",
        "82 /EURCHF+EURGBP 10",
    ];
    for (gone, right) in [0, 1, 2, 4, 6].into_iter().zip(right) {
        assert_eq!(hundred(&rates(&all[gone..]), "CHF", GBP, 15).unwrap(), right);
    }
    assert_eq!(hundred(&rates(&all[7..]), "CHF", GBP, 15), None);
    // Six days later all are stale, and all equally: the order decides again.
    assert_eq!(hundred(&rates(&all), "CHF", GBP, 16).unwrap(), "80 CHFGBP 10 stale");
    assert_eq!(hundred(&rates(&all), "CHF", GBP, 9), None, "never a rate from after the day");
}

#[test]
fn a_stale_way_gives_place_to_a_fresh_one_and_else_the_newest_oldest_rate_wins() {
    let direct = ("CHF", "GBP", 1, "0.8", "ecb");
    let (first, second) = (("CHF", "USD", 9, "1.25", "ecb"), ("USD", "GBP", 4, "0.75", "ecb"));
    let known = rates(&[direct, first, second]);
    assert_eq!(hundred(&known, "CHF", GBP, 6).unwrap(), "80 CHFGBP 1");
    // The 9th is fresh on the 12th, but the way is as old as its oldest rate.
    assert_eq!(hundred(&known, "CHF", GBP, 9).unwrap(), "93.75 CHFUSD+USDGBP 4");
    assert_eq!(hundred(&known, "CHF", GBP, 12).unwrap(), "93.75 CHFUSD+USDGBP 4 stale");
    let newer = rates(&[("CHF", "GBP", 5, "0.8", "ecb"), first, second]);
    assert_eq!(hundred(&newer, "CHF", GBP, 12).unwrap(), "80 CHFGBP 5 stale");
    // A step takes the side that is fresh, else the newer one.
    let sides = rates(&[("CHF", "GBP", 1, "0.8", "ecb"), ("GBP", "CHF", 3, "1.28", "ecb")]);
    assert_eq!(hundred(&sides, "CHF", GBP, 6).unwrap(), "80 CHFGBP 1");
    assert_eq!(hundred(&sides, "CHF", GBP, 7).unwrap(), "78.125 /GBPCHF 3");
    assert_eq!(hundred(&sides, "CHF", GBP, 99).unwrap(), "78.125 /GBPCHF 3 stale");
    assert_eq!(hundred(&sides, GBP, "CHF", 99).unwrap(), "128 GBPCHF 3 stale");
}

#[test]
fn one_pair_and_day_has_one_rate_that_of_the_best_source() {
    let said = [("hand", "1"), ("file", "2"), ("boc", "3"), ("ecb", "4"), ("provider:x", "5")];
    for first in 0..said.len() {
        for second in 0..said.len() {
            let row = |at: usize| ("CAD", "USD", 3, said[at].1, said[at].0);
            let way = rates(&[row(first), row(second)]).on(Currency::CAD, Currency::USD, day(3));
            let leg = way.unwrap().legs.remove(0);
            assert_eq!((leg.source.as_str(), leg.rate), {
                let (source, rate) = said[first.min(second)];
                (source, dec(rate))
            });
        }
    }
    // Said again by the same source: the last word. A newer day of a worse source is newer still.
    let again = [("CAD", "USD", 3, "0.7", "ecb"), ("CAD", "USD", 3, "0.75", "ecb")];
    assert_eq!(hundred(&rates(&again), "CAD", "USD", 3).unwrap(), "75 CADUSD 3");
    let newer = [("CAD", "USD", 3, "0.7", "hand"), ("CAD", "USD", 4, "0.75", "provider:x")];
    assert_eq!(hundred(&rates(&newer), "CAD", "USD", 4).unwrap(), "75 CADUSD 4");
}

#[test]
fn a_rate_that_is_no_price_of_money_never_serves() {
    for wrong in ["0", "-0.75"] {
        let known = rates(&[("CAD", "USD", 2, "0.75", "ecb"), ("CAD", "USD", 3, wrong, "hand")]);
        assert_eq!(hundred(&known, "CAD", "USD", 3).unwrap(), "75 CADUSD 2");
        assert_eq!(hundred(&known, "USD", "CAD", 3).unwrap(), "133.333333333333 /CADUSD 2");
    }
    assert_eq!(hundred(&rates(&[("CAD", "USD", 3, "0", "ecb")]), "USD", "CAD", 3), None);
    // A thousand old pesos became one new: a rate like any other, however old.
    let pesos = rates(&[("MXP", "MXN", 0, "0.001", "hand")]);
    assert_eq!(hundred(&pesos, "MXP", "MXN", 900).unwrap(), "0.1 MXPMXN 0 stale");
    assert_eq!(hundred(&pesos, "MXN", "MXP", 900).unwrap(), "100000 /MXPMXN 0 stale");
}

#[test]
fn another_base_opens_other_ways() {
    let known = rates(&[("CHF", "SEK", 1, "10", "ecb"), ("SEK", "GBP", 1, "0.08", "ecb")]);
    assert_eq!(hundred(&known, "CHF", GBP, 1), None);
    let known = known.with_base(currency("SEK"));
    assert_eq!(hundred(&known, "CHF", GBP, 1).unwrap(), "80 CHFSEK+SEKGBP 1");
}

#[test]
fn stored_rates_are_taken_as_they_are() {
    let at = crate::model::midnight_micros(day(3));
    let (base, quote, source) = (Currency::CAD, Currency::USD, Source::new("file"));
    let mut known = Rates::new(base);
    known.extend([Rate { base, quote, at, source, rate: dec("0.75") }]);
    assert_eq!(hundred(&known, "CAD", "USD", 2), None);
    assert_eq!(hundred(&known, "CAD", "USD", 3).unwrap(), "75 CADUSD 3");
}

#[test]
fn nothing_is_rounded_before_the_end() {
    let known = rates(&[("CHF", "CAD", 1, "3", "ecb"), ("GBP", "CAD", 1, "7", "ecb")]);
    let there = known.on(currency("CHF"), currency(GBP), day(1)).unwrap();
    let back = known.on(currency(GBP), currency("CHF"), day(1)).unwrap();
    // 3/7 and back 7/3 is exactly one; rounded in between it would be 0.999999999999.
    let round = there.then(&back);
    assert_eq!(round.apply(&Exact::from(Dec::ONE)), Ok(Dec::ONE));
    assert_eq!((round.legs.len(), round.date, round.stale), (4, Some(day(1)), false));
    assert_eq!(there.then(&Conversion::identity()), there);
    // An old step makes the whole way old, wherever it stands.
    let old = known.on(currency(GBP), currency("CHF"), day(7)).unwrap();
    assert!(old.stale && there.then(&old).stale && old.then(&there).stale);
    assert_eq!(there.apply(&dec("1").into()), Ok(dec("0.428571428571")));
    // Two in twelve decimals and a half: to the even one.
    let identity = Conversion::identity();
    assert_eq!(identity.apply(&dec("0.0000000000025").into()), Ok(dec("0.000000000002")));
    let large = rates(&[("CHF", "GBP", 1, "9999999999999999999999999999", "ecb")]);
    let way = large.on(currency("CHF"), currency(GBP), day(1)).unwrap();
    assert_eq!(way.apply(&dec("10").into()), Err(ExactError::Overflow));
}

/// A stored rate of few currencies and days, so that they meet.
type Row = (usize, usize, i64, i64, usize);

const CODES: [&str; 5] = ["CAD", "USD", "EUR", "GBP", "CHF"];
/// From the best to the worst.
const SOURCES: [&str; 3] = ["hand", "ecb", "provider:x"];

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((0..5_usize, 0..5_usize, 0..24_i64, -1..400_i64, 0..3_usize), 0..14)
}

fn known(rows: &[Row]) -> Rates {
    let mut rates = Rates::new(Currency::CAD);
    for &(base, quote, on, hundredths, source) in rows {
        let rate = Exact::from(Dec::from_i64(hundredths)).div_round(&dec("100").into(), 2).unwrap();
        let source = Source::new(SOURCES[source]);
        rates.insert(currency(CODES[base]), currency(CODES[quote]), day(on), rate, &source);
    }
    rates
}

/// Day, hundredths, inverse.
type Step = (i64, i64, bool);
/// Through which currency, if any, and the steps.
type Way = (Option<usize>, Vec<Step>);

/// The rate of a pair on a day by looking at every row: of the last day, of the best source, the
/// one said last.
fn stored(rows: &[Row], base: usize, quote: usize, on: i64) -> Option<(i64, i64)> {
    let fit = |row: &&Row| row.0 == base && row.1 == quote && row.2 <= on && row.3 > 0;
    let newest = rows.iter().filter(fit).map(|row| row.2).max()?;
    let of_day = || rows.iter().filter(fit).filter(|row| row.2 == newest);
    let best = of_day().map(|row| row.4).min()?;
    of_day().rfind(|row| row.4 == best).map(|row| (newest, row.3))
}

/// Every way of one step or of two through the currencies, in the order of the definition.
fn every_way(rows: &[Row], from: usize, to: usize, on: i64) -> Vec<Way> {
    let sides = |a: usize, b: usize| {
        let direct = stored(rows, a, b, on).map(|(date, rate)| (date, rate, false));
        let inverse = stored(rows, b, a, on).map(|(date, rate)| (date, rate, true));
        direct.into_iter().chain(inverse).collect::<Vec<Step>>()
    };
    let mut ways: Vec<Way> = sides(from, to).into_iter().map(|step| (None, vec![step])).collect();
    for pivot in [0, 1, 2] {
        if pivot == from || pivot == to {
            continue;
        }
        for first in sides(from, pivot) {
            for second in sides(pivot, to) {
                ways.push((Some(pivot), vec![first, second]));
            }
        }
    }
    ways
}

fn oldest(way: &Way) -> i64 {
    way.1.iter().map(|step| step.0).min().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn agrees_with_a_search_of_every_way(rows in rows(), from in 0..5_usize, to in 0..5_usize, on in 0..30_i64) {
        let rates = known(&rows);
        let found = rates.on(currency(CODES[from]), currency(CODES[to]), day(on));
        if from == to {
            prop_assert_eq!(found, Some(Conversion::identity()));
            return Ok(());
        }
        let ways = every_way(&rows, from, to, on);
        let fresh = ways.iter().find(|way| on - oldest(way) <= 5);
        // `max_by_key` gives the last of equals, so the other way round it gives the first.
        let right = fresh.or_else(|| ways.iter().rev().max_by_key(|way| oldest(way)));
        let Some(right) = right else {
            prop_assert_eq!(found, None);
            return Ok(());
        };
        let found = found.unwrap();
        prop_assert_eq!(found.date, Some(day(oldest(right))));
        prop_assert_eq!(found.stale, fresh.is_none());
        prop_assert!(found.legs.iter().all(|leg| leg.date <= day(on)));
        let steps: Vec<Step> = found.legs.iter().map(|leg| {
            let hundredths = Exact::from(leg.rate).mul(&dec("100").into()).round(0).unwrap();
            ((leg.date - day(0)).num_days(), hundredths.to_string().parse().unwrap(), leg.inverse)
        }).collect();
        let pivot = found.legs.get(1).map(|leg| if leg.inverse { leg.quote } else { leg.base });
        let pivot = pivot.map(|pivot| CODES.iter().position(|code| *code == pivot.code()).unwrap());
        let way = (pivot, steps);
        prop_assert!(ways.contains(&way));
        prop_assert_eq!(way.0, right.0);
        // Of a stale way the step that is not the oldest may be any.
        if fresh.is_some() {
            prop_assert_eq!(&way, right);
        }
        let steps = way.1;
        let product = |inverse: bool| {
            let part = steps.iter().filter(|step| step.2 == inverse);
            let part = part.map(|step| i128::from(step.1)).product::<i128>();
            let scale = 100_i128.pow(u32::try_from(steps.iter().filter(|s| s.2 != inverse).count()).unwrap());
            part * scale
        };
        // 1,000,000 x (product of the rates / 100 each), on whole numbers, rounded down.
        let whole = 1_000_000 * product(false) / product(true);
        let amount = found.apply(&Dec::from_i64(1_000_000).into()).unwrap();
        let below = Exact::from(amount).sub(&Exact::from(dec(&whole.to_string())));
        prop_assert!(below >= Exact::ZERO && below <= Exact::from(Dec::ONE), "{amount} {whole}");
    }

    #[test]
    fn the_order_of_telling_does_not_matter(rows in rows().prop_shuffle(), on in 0..30_i64) {
        // Rows of one pair, day and source are one row of a store.
        let mut once = rows.clone();
        once.sort_by_key(|row| (row.0, row.1, row.2, row.4));
        once.dedup_by_key(|row| (row.0, row.1, row.2, row.4));
        let shuffled: Vec<Row> = rows.into_iter().filter(|row| once.contains(row)).collect();
        let (sorted, shuffled) = (known(&once), known(&shuffled));
        for from in CODES.map(currency) {
            for to in CODES.map(currency) {
                prop_assert_eq!(sorted.on(from, to, day(on)), shuffled.on(from, to, day(on)));
            }
        }
    }

    #[test]
    fn there_and_back_is_the_same_but_for_rounding(amount in -1_000_000_000_i64..1_000_000_000, rate in 1..1_000_000_i64) {
        let rate = Exact::from(Dec::from_i64(rate)).div_round(&dec("1000").into(), 3).unwrap();
        let known = rates(&[("CAD", "USD", 1, &rate.to_string(), "ecb")]);
        let (there, back) = (
            known.on(Currency::CAD, Currency::USD, day(1)).unwrap(),
            known.on(Currency::USD, Currency::CAD, day(1)).unwrap(),
        );
        let amount = Exact::from(Dec::from_i64(amount));
        let other = there.apply(&amount).unwrap();
        let again = back.apply(&other.into()).unwrap();
        // Half a unit of the twelfth decimal, as large as the way back makes it, and another half.
        let unit = Exact::half_unit(12);
        let error = Exact::from(again).sub(&amount).abs().mul(&rate.into());
        prop_assert!(error <= unit.add(&unit.mul(&rate.into())), "{again}");
        prop_assert_eq!(there.then(&back).apply(&amount), amount.round(12));
    }
}
