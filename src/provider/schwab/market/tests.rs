use chrono::{DateTime, Utc};

use super::*;
use crate::provider::Class;

/// As the documents have them, of each kind; of the fund and the right nothing is known.
const QUOTES: &str = include_str!("../../../../tests/fixtures/schwab/quotes.json");

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn wanted(symbol: &str, class: Option<AssetClass>) -> Wanted {
    Wanted {
        symbol: SafeText::new(symbol),
        currency: Currency::USD,
        class,
        venue: None,
        last: None,
        paid: vec![],
    }
}

fn told(text: &str) -> Option<(String, String, String)> {
    let quoted: Quoted = serde_json::from_str(text).unwrap();
    let spot = spot(&quoted)?;
    assert_eq!(spot.currency, Currency::USD);
    Some((spot.at.to_rfc3339(), spot.date.to_string(), spot.price.to_string()))
}

fn price(text: &str) -> Option<String> {
    told(text).map(|(_, _, price)| price)
}

/// A quote of a kind with these fields.
fn quote(kind: &str, fields: &str) -> String {
    format!("{{\"assetMainType\":\"{kind}\",\"quote\":{{{fields}}}}}")
}

#[test]
fn something_is_asked_for_by_the_name_that_it_has_there() {
    let right = Some(AssetClass::Option);
    let call = "EXMP  270115C00060000";
    for (symbol, class, names) in [
        ("EXMP", Some(AssetClass::Equity), vec!["EXMP"]),
        ("EXMP", None, vec!["EXMP"]),
        ("EXIX", Some(AssetClass::Etf), vec!["EXIX"]),
        ("EXMFX", Some(AssetClass::MutualFund), vec!["EXMFX"]),
        ("EXMXX", Some(AssetClass::CashEquivalent), vec!["EXMXX"]),
        ("EXB.B", Some(AssetClass::Equity), vec!["EXB/B", "EXB.B"]),
        ("EXB/B", Some(AssetClass::Equity), vec!["EXB/B"]),
        (call, right, vec![call]),
        ("EXMP270115C00060000", right, vec![call]),
        ("EXMP 01/15/2027 60.00 C", right, vec![]),
        ("270115C00060000", right, vec![]),
        ("EXMPLES270115C00060000", right, vec![]),
        (call, None, vec![]),
        // By its number, of an index, a future or a currency; more than one in one name.
        ("000000101", None, vec![]),
        ("$SPX", None, vec![]),
        ("/ESZ26", None, vec![]),
        ("A,B", None, vec![]),
        ("exmp", None, vec![]),
        ("", None, vec![]),
        ("ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ", right, vec![]),
        ("EXMP", Some(AssetClass::FixedIncome), vec![]),
        ("BTC", Some(AssetClass::Crypto), vec![]),
        ("ES", Some(AssetClass::Future), vec![]),
        ("SPX", Some(AssetClass::Other), vec![]),
    ] {
        assert_eq!(super::names(&wanted(symbol, class)), names, "{symbol:?} {class:?}");
    }
    let other = Wanted { currency: Currency::CAD, ..wanted("EXMP", None) };
    assert!(names(&other).is_empty(), "it tells prices in dollars");
    let at = |venue| Wanted { venue: Some(SafeText::new(venue)), ..wanted("EXMP", None) };
    assert_eq!(names(&at("Nasdaq")), ["EXMP"]);
    assert!(names(&at("LSE")).is_empty(), "another one has the same symbol there");
}

#[test]
fn the_documented_quotes_are_read() {
    let all: HashMap<String, Box<RawValue>> = serde_json::from_str(QUOTES).unwrap();
    let told = |name: &str| told(all[name].get());
    let some = |at: &str, date: &str, price: &str| {
        Some((format!("{at}+00:00"), date.to_owned(), price.to_owned()))
    };
    // 1644854683408 and 1644854683379 ms are of the morning of St Valentine's day in New York.
    assert_eq!(told("EXMP"), some("2022-02-14T16:04:43.408", "2022-02-14", "168.405"));
    assert_eq!(told("EXMFX"), None, "zero is no price, and 9.12 is that of the day before");
    assert_eq!(
        told("EXMP  270115C00060000"),
        some("2022-02-14T16:04:43.379", "2022-02-14", "220.325"),
        "it is valued between what is bid and asked"
    );
    for other in ["$SPX", "/ESZ21", "EUR/USD"] {
        assert_eq!(told(other), None, "{other}");
    }
}

#[test]
fn the_close_of_the_day_before_is_never_taken_for_a_price() {
    let at = "\"tradeTime\":1644854683408,\"quoteTime\":1644854683379";
    let share = |fields: &str| price(&quote("EQUITY", &format!("{at},\"closePrice\":9{fields}")));
    let exact = "12.3400000000000000001";
    assert_eq!(share(&format!(",\"lastPrice\":{exact}")), Some(exact.to_owned()));
    assert_eq!(share(",\"lastPrice\":\"12.5\""), Some("12.5".to_owned()));
    for missing in [",\"lastPrice\":0", ",\"lastPrice\":null", "", ",\"lastPrice\":-1"] {
        assert_eq!(share(missing), None, "{missing}");
    }
    let timeless = "\"lastPrice\":12.5";
    for at in ["\"tradeTime\":0", "\"tradeTime\":null", "\"tradeTime\":\"soon\"", "\"x\":1"] {
        assert_eq!(price(&quote("EQUITY", &format!("{timeless},{at}"))), None, "{at}");
    }
    let fund =
        |fields: &str| price(&quote("MUTUAL_FUND", &format!("{at},\"closePrice\":9{fields}")));
    assert_eq!(fund(",\"nAV\":12.37,\"lastPrice\":12"), Some("12.37".to_owned()));
    assert_eq!(fund(",\"nAV\":0,\"lastPrice\":12"), Some("12".to_owned()));
    assert_eq!(fund(""), None);
    let right = |bid: &str, mark: &str, ask: &str| {
        let fields = format!(
            "{at},\"bidPrice\":{bid},\"mark\":{mark},\"askPrice\":{ask},\"lastPrice\":1.11,\"closePrice\":9"
        );
        price(&quote("OPTION", &fields))
    };
    assert_eq!(right("1.8", "1.85", "1.9"), Some("1.85".to_owned()));
    // Where nobody bids, or the middle is none, what was paid last is a price with its own time.
    for (bid, mark, ask) in [("0", "2.5", "5"), ("1.8", "1.85", "0"), ("1.8", "9", "1.9")] {
        assert_eq!(right(bid, mark, ask), Some("1.11".to_owned()), "{bid} {mark} {ask}");
    }
    assert_eq!(price("{\"quote\":{\"lastPrice\":1,\"tradeTime\":1644854683408}}"), None);
    assert_eq!(price("{\"assetMainType\":\"EQUITY\"}"), None);
}

/// Midnight in Chicago is five o'clock in summer and six in winter; the zone of whoever looks has no
/// part in it. What is told at midnight in UTC is told of a day.
#[test]
fn a_day_is_that_of_the_exchange() {
    for (millis, date) in [
        ("1782190800000", "2026-06-23"),
        ("1767679200000", "2026-01-06"),
        ("1767657600000", "2026-01-06"),
        // Nine in the evening in New York.
        ("1767664800000", "2026-01-05"),
    ] {
        let value: Value = serde_json::from_str(millis).unwrap();
        let when = when_of(Some(&value)).unwrap();
        assert_eq!(when.date, day(date), "{millis}: {}", when.at);
    }
}

const CANDLES: &str = r#"{"symbol":"EXMP","empty":false,"previousClose":9,"candles":[
    {"open":50.5,"high":51.0,"low":50,"close":50.75,"volume":1200,"datetime":1767765600000},
    {"open":50,"high":50.5,"low":49.5,"close":50.25,"volume":1100,"datetime":1767679200000},
    {"open":50,"high":50.1,"low":49.9,"close":50.05,"volume":10,"datetime":1767679100000},
    {"close":"51.25","volume":null,"datetime":1767852000000},
    {"close":null,"datetime":1767938400000},{"close":0,"datetime":1767938400000},
    {"close":5,"datetime":0},7,null,{}]}"#;

fn days_of(text: &str) -> BTreeMap<NaiveDate, DayBar> {
    days_in(text.as_bytes(), day("2026-01-01"), day("2026-01-31")).unwrap()
}

#[test]
fn days_are_read_and_what_is_none_spoils_no_other() {
    let all = days_of(CANDLES);
    let dates: Vec<_> = all.keys().map(ToString::to_string).collect();
    assert_eq!(dates, ["2026-01-06", "2026-01-07", "2026-01-08"]);
    let DayBar { open, high, low, close, volume, split_adjusted } = all[&day("2026-01-06")];
    assert_eq!((open, high, low), (Some(dec("50")), Some(dec("50.5")), Some(dec("49.5"))));
    assert_eq!((close.close, volume), (dec("50.25"), Some(dec("1100"))), "the later of two");
    assert!(!split_adjusted && close.currency == Currency::USD);
    let last = all[&day("2026-01-08")];
    assert_eq!((last.close.close, last.open, last.volume), (dec("51.25"), None, None));
    for none in ["{\"empty\":true,\"candles\":[]}", "{\"empty\":true}", "{\"candles\":null}"] {
        assert!(days_of(none).is_empty(), "{none}");
    }
    for wrong in ["", "[]", "<html>", "{\"candles\":7}"] {
        let error = days_in(wrong.as_bytes(), day("2026-01-01"), day("2026-01-31")).unwrap_err();
        assert_eq!(error.class(), Class::Later(None), "{wrong}");
    }
}

/// By hand: what was told of the 6th is 50.25. A price within four hundredths of that is the same.
#[test]
fn days_are_told_where_a_known_price_proves_their_units() {
    let days = days_of(CANDLES);
    let told = |known: Option<(&str, &str)>, from: &str, to: &str| {
        let close = |(date, close): (&str, &str)| DayClose {
            date: day(date),
            close: dec(close),
            currency: Currency::USD,
        };
        let wanted = Wanted { last: known.map(close), ..wanted("EXMP", None) };
        let told = as_traded(&wanted, &days, day(from), day(to))?;
        Ok::<_, Error>(told.iter().map(|bar| bar.close.date.to_string()).collect::<Vec<_>>())
    };
    let all = ["2026-01-06", "2026-01-07", "2026-01-08"];
    assert_eq!(told(Some(("2026-01-06", "50.25")), "2026-01-06", "2026-01-08").unwrap(), all);
    assert_eq!(told(Some(("2026-01-06", "48.4")), "2026-01-06", "2026-01-08").unwrap(), all);
    assert_eq!(told(Some(("2026-01-06", "50.25")), "2026-01-07", "2026-01-07").unwrap(), all[1..2]);
    // A price of a weekend is that of the last day of trading; before it nothing is proved.
    let sunday = told(Some(("2026-01-11", "51.25")), "2026-01-01", "2026-01-11");
    assert_eq!(sunday.unwrap(), all[2..]);
    // One share became two since, or five fourths; or it was never asked for.
    for close in ["100.5", "62.8", "40.2", "25.125", "53"] {
        let error = told(Some(("2026-01-06", close)), "2026-01-06", "2026-01-08").unwrap_err();
        assert!(matches!(error, Error::Restated(..)), "{close}: {error}");
        assert_eq!(error.class(), Class::NextSource);
        assert!(error.to_string().contains("50.25 is told for 2026-01-06"), "{error}");
    }
    // Over a weekend it may have moved so far.
    let moved = told(Some(("2026-01-11", "60")), "2026-01-06", "2026-01-12").unwrap_err();
    assert!(matches!(moved, Error::NoData(_)), "{moved}");
    // What is known is older than all that is told, or a week older than the newest.
    for known in ["2026-01-05", "2026-01-16"] {
        let error = told(Some((known, "50.25")), "2026-01-06", "2026-01-31").unwrap_err();
        assert!(matches!(error, Error::NoData(_)), "{known}: {error}");
    }
    // Where nothing is known of it, the last days.
    assert_eq!(told(None, "2026-01-01", "2026-01-12").unwrap(), all[1..]);
    assert!(told(None, "2026-01-01", "2026-01-20").is_err());
}

/// By hand: the 6th went from 49.5 to 50.5, the 7th from 50 to 51; of the 8th only the close is told.
#[test]
fn what_was_paid_proves_the_days_since() {
    let days = days_of(CANDLES);
    let close = |date: &str, close: &str| DayClose {
        date: day(date),
        close: dec(close),
        currency: Currency::USD,
    };
    let told = |paid: &[(&str, &str)]| {
        let paid = paid.iter().map(|(date, price)| close(date, price)).collect();
        let last = Some(close("2026-01-08", "51.25"));
        let wanted = Wanted { last, paid, ..wanted("EXMP", None) };
        let told = as_traded(&wanted, &days, day("2025-01-01"), day("2026-01-08")).unwrap();
        told.len()
    };
    assert_eq!(told(&[]), 1);
    assert_eq!(told(&[("2026-01-06", "49.5")]), 3);
    assert_eq!(told(&[("2026-01-07", "51")]), 2);
    // What was paid before one share became two is told nowhere.
    assert_eq!(told(&[("2026-01-06", "99"), ("2026-01-07", "50.4")]), 2);
    for nowhere in [("2026-01-06", "50.51"), ("2026-01-05", "50"), ("2026-01-08", "51.25")] {
        assert_eq!(told(&[nowhere]), 1, "{nowhere:?}");
    }
}

#[test]
fn nothing_is_asked_for_what_has_no_days() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let now: DateTime<Utc> = "2026-01-20T12:00:00Z".parse().unwrap();
    let clock = crate::clock::Clock::fixed(now, chrono_tz::UTC);
    let setup = crate::provider::Setup { seed: 0, clock, line: None, progress: None };
    let source = Schwab { setup };
    let told = |class| {
        let asked = wanted("EXMP", class);
        runtime.block_on(source.bars(&asked, day("2026-01-01"), day("2026-01-20"))).unwrap_err()
    };
    for class in [None, Some(AssetClass::Equity), Some(AssetClass::Etf)] {
        assert_eq!(told(class), Error::Consent, "it would be asked, and there is no way to it");
    }
    for class in [AssetClass::MutualFund, AssetClass::Option, AssetClass::FixedIncome] {
        assert_eq!(told(Some(class)).class(), Class::NextSource);
    }
}
