//! Every element of the JSON form, written and read, right and wrong.

use super::*;

fn read(section: Section, text: &str) -> Result<Item, String> {
    let mut json = serde_json::Deserializer::from_str(text);
    section.deserialize(&mut json).map_err(|error| error.to_string())
}

const FULL: &str = r#"{"date":"2024-01-02","seq":-3,"account":"Main \"A\"","type":"spin_off","status":"pending","security":{"symbol":"OLD","currency":"USD","venue":"NYSE","isin":"US0378331005"},"to_security":{"symbol":"NEW"},"quantity":"7","price":"-1.5","fee":"0.01","tax":"2","currency":"GBP","amount":"9","settlement":"2024-01-04","fx_rate":"1.35","multiplier":"100","ratio":"3:2","acquired":"2020-02-29","cost_share":"0.25","link":"L","source_id":"S","description":"d","category":"c","note":"n","quoted_in":"GBp","origin":"provider"}"#;
const SMALL: &str = r#"{"date":"2024-01-02","seq":0,"account":"A","type":"account_fee","status":"settled","currency":"USD","amount":"-1","origin":"file"}"#;

#[test]
fn every_element_is_written_as_it_is_read() {
    let elements = [
        (Section::Settings, r#"{"key":"base_currency","value":"CAD"}"#),
        (
            Section::Accounts,
            r#"{"name":"A","kind":"401k","currency":"USD","mode":"balances","method":"acb","institution":"B","closed":"2024-12-31","derived":true}"#,
        ),
        (Section::Accounts, r#"{"name":"A","kind":"other","currency":"USD","mode":"ledger"}"#),
        (Section::Categories, r#"{"name":"Food","parent":"Living"}"#),
        (
            Section::Securities,
            r#"{"symbol":"X","currency":"USD","venue":"v","isin":"US0378331005","cusip":"c","figi":"f","name":"n","class":"etf","sector":"s","region":"r","tags":"a, b","derived":true}"#,
        ),
        (Section::Balances, r#"{"account":"A","date":"0001-01-01","amount":"-0.1"}"#),
        (Section::Transactions, FULL),
        (Section::Transactions, SMALL),
        (
            Section::Prices,
            r#"{"security":{"symbol":"X"},"interval":"1m","at":"2024-01-02T03:04:05.000006Z","source":"hand","currency":"USD","open":"1","high":"2","low":"0.5","close":"1.5","volume":"0","quoted_in":"GBp","split_adjusted":true}"#,
        ),
        (
            Section::Rates,
            r#"{"base":"CAD","quote":"USD","at":"2024-01-02T00:00:00Z","source":"file","rate":"0.75"}"#,
        ),
        (Section::Watchlist, r#"{"security":{"symbol":"X"},"note":"n"}"#),
        (
            Section::Watchlist,
            r#"{"security":{"symbol":"X"},"list":"l","target":"9.5","units_of":"2024-01-02","said_in":"USD"}"#,
        ),
        (
            Section::Alerts,
            r#"{"security":{"symbol":"X"},"what":"change","direction":"above","price":"0.05","snoozed":"2024-01-03"}"#,
        ),
        (
            Section::Alerts,
            r#"{"security":{"symbol":"X"},"direction":"below","price":"1","note":"n"}"#,
        ),
        (Section::Targets, r#"{"dimension":"class","key":"equity","weight":"0.6","band":"0.05"}"#),
    ];
    for (section, text) in elements {
        let item = read(section, text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(Section::of(&item), section);
        assert_eq!(serde_json::to_string(&item).unwrap(), text);
    }
}

#[test]
fn fields_land_where_they_belong() {
    let Ok(Item::Transaction(words)) = read(Section::Transactions, FULL) else { panic!() };
    let dec = |text| Dec::parse(text).ok();
    let facts = &words.draft.facts;
    assert_eq!((words.seq, words.origin), (-3, Origin::Provider));
    assert_eq!(words.draft.account.as_str(), "Main \"A\"");
    assert_eq!((facts.subtype, facts.status), (Subtype::SpinOff, Status::Pending));
    assert_eq!((facts.quantity, facts.price), (dec("7"), dec("-1.5")));
    assert_eq!((facts.fee, facts.tax, Some(facts.amount)), (dec("0.01"), dec("2"), dec("9")));
    assert_eq!((facts.fx_rate, facts.multiplier), (dec("1.35"), dec("100")));
    assert_eq!((facts.ratio, facts.cost_share), (Ratio::parse("3:2"), dec("0.25")));
    assert_eq!(facts.date, NaiveDate::from_ymd_opt(2024, 1, 2).unwrap());
    assert_eq!(facts.settlement, NaiveDate::from_ymd_opt(2024, 1, 4));
    assert_eq!(facts.acquired, NaiveDate::from_ymd_opt(2020, 2, 29));
    let text = |text: &Option<SafeText>| text.clone().map(SafeText::into_string);
    let texts = [&words.draft.link, &words.draft.source_id, &facts.description];
    assert_eq!(texts.map(text), ["L", "S", "d"].map(|text| Some(text.to_owned())));
    let texts = [&facts.category, &facts.note, &facts.quoted_in];
    assert_eq!(texts.map(text), ["c", "n", "GBp"].map(|text| Some(text.to_owned())));
    let price = r#"{"security":{"symbol":"X"},"interval":"1d","at":"1970-01-02T00:00:00Z","source":"s","currency":"USD","close":"1"}"#;
    let Ok(Item::Price(_, price)) = read(Section::Prices, price) else { panic!() };
    assert_eq!((price.at, price.interval), (86_400_000_000, Interval::Day));
}

#[test]
fn numbers_are_read_from_their_digits() {
    for (written, right) in [
        ("0.1", "0.1"),
        ("\"0.10\"", "0.1"),
        ("1e3", "1000"),
        ("1.5E-2", "0.015"),
        ("1234567890123456789012345678", "1234567890123456789012345678"),
        ("-0.0", "0"),
        ("\"\\u0031\"", "1"),
    ] {
        let text = format!(r#"{{"account":"A","date":"2024-01-02","amount":{written}}}"#);
        let Ok(Item::Balance { amount, .. }) = read(Section::Balances, &text) else {
            panic!("{written}")
        };
        assert_eq!(amount.to_string(), right, "{written}");
    }
}

#[test]
fn what_would_change_nothing_is_absent() {
    let zeros = SMALL.replace(
        "\"amount\"",
        r#""fee":"0","tax":0,"multiplier":"1","link":"","note":null,"amount""#,
    );
    assert_eq!(read(Section::Transactions, &zeros), read(Section::Transactions, SMALL));
}

#[test]
fn every_wrong_element_says_what_is_wrong() {
    let put = |more: &str| SMALL.replace("\"amount\"", &format!("{more},\"amount\""));
    let swap = |old: &str, new: &str| {
        assert!(SMALL.contains(old), "{old}");
        SMALL.replace(old, new)
    };
    let transaction = [
        (put(r#""colour":1"#), "unknown field `colour`"),
        (put(r#""seq":1"#), "duplicate field `seq`"),
        (swap(r#""seq":0,"#, ""), "missing field `seq`"),
        (swap(r#""seq":0"#, r#""seq":0.5"#), "invalid type: "),
        (swap("2024-01-02", "2024-1-2"), "`2024-1-2` is no day"),
        (swap("2024-01-02", "2023-02-29"), "`2023-02-29` is no day"),
        (swap("2024-01-02", "0000-01-01"), "`0000-01-01` is no day"),
        (swap("2024-01-02", "+12024-01-01"), "is no day"),
        (swap("\"A\"", "\" \""), "account: missing"),
        (swap("account_fee", "bought"), "`bought` is no type"),
        (swap("settled", "open"), "`open` is no status"),
        (swap("USD", "usd"), "did you mean USD"),
        (swap("\"-1\"", "\"1,5\""), "has a comma"),
        (swap("\"-1\"", "true"), "expected a number"),
        (swap("\"-1\"", "[1]"), "expected a number"),
        (swap("\"-1\"", "12345678901234567890123456789"), "at most 28 digits"),
        (swap("file", "cloud"), "`cloud` is no origin"),
        (put(r#""quantity":"-1""#), "quantity: -1 has the wrong sign"),
        (put(r#""tax":"-1""#), "tax: -1 is below zero"),
        (put(r#""fx_rate":"0""#), "fx_rate: it must be above zero"),
        (put(r#""multiplier":"-1""#), "multiplier: it must be above zero"),
        (put(r#""cost_share":"1.01""#), "cost_share: a part"),
        (put(r#""cost_share":"-0.01""#), "cost_share: a part"),
        (put(r#""ratio":"4:0""#), "ratio: no ratio"),
        (put(r#""security":{"symbol":""}"#), "symbol: missing"),
        (put(r#""security":{"symbol":"X","name":"y"}"#), "unknown field `name`"),
        (put(r#""security":{"symbol":"X","isin":"US0378331006"}"#), "no ISIN"),
        (put(r#""to_security":{"symbol":"\t"}"#).replace("\\t", " "), "symbol: missing"),
    ]
    .map(|(text, says)| (Section::Transactions, text, says));
    let sell =
        SMALL.replace("account_fee", "sell").replace("\"amount\"", "\"quantity\":1,\"amount\"");
    let price = r#"{"security":{"symbol":"X"},"interval":"1d","at":"2024-01-02T00:00:01Z","source":"s","currency":"USD","close":"1"}"#;
    let rate =
        r#"{"base":"CAD","quote":"USD","at":"2024-01-02T00:00:00Z","source":"s","rate":"1"}"#;
    let others = [
        (Section::Transactions, sell, "quantity: 1 has the wrong sign"),
        (Section::Settings, r#"{"key":"colour","value":"1"}"#.to_owned(), "no setting"),
        (
            Section::Settings,
            r#"{"key":"base_currency","value":"DEM"}"#.to_owned(),
            "does not fit base_currency",
        ),
        (Section::Categories, r#"{"name":""}"#.to_owned(), "name: missing"),
        (
            Section::Categories,
            format!(r#"{{"name":"{}"}}"#, "x".repeat(129)),
            "name: longer than 128 bytes",
        ),
        (Section::Prices, price.to_owned(), "at: the price of a day"),
        (Section::Prices, price.replace("T00:00:01Z", ""), "is no instant"),
        (Section::Prices, price.replace("01Z", "00.0000001Z"), "is no instant"),
        (Section::Rates, rate.replace("CAD", "USD"), "quote: a rate needs two"),
        (Section::Rates, rate.replace("\"1\"", "\"0\""), "rate: it must be above zero"),
        (Section::Rates, rate.replace("T00", "T01"), "at: the rate of a day"),
        (
            Section::Alerts,
            r#"{"security":{"symbol":"X"},"direction":"up","price":"1"}"#.to_owned(),
            "direction: write above or below",
        ),
        (
            Section::Alerts,
            r#"{"security":{"symbol":"X"},"what":"stale","direction":"below","price":"5"}"#
                .to_owned(),
            "side: a price is stale above",
        ),
    ];
    for (section, text, says) in transaction.into_iter().chain(others) {
        let error = read(section, &text).expect_err(&text);
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn no_text_is_longer_than_that_of_a_file() {
    let transaction = |field: &str, length: usize| {
        let text = "x".repeat(length);
        let value = match field {
            "symbol" => format!(r#""security":{{"symbol":"{text}"}}"#),
            "venue" => format!(r#""security":{{"symbol":"X","venue":"{text}"}}"#),
            _ => format!(r#""{field}":"{text}""#),
        };
        match field {
            "account" => SMALL.replace("\"A\"", &format!("\"{text}\"")),
            _ => SMALL.replace("\"amount\"", &format!("{value},\"amount\"")),
        }
    };
    for (field, most) in [
        ("account", 128),
        ("symbol", 64),
        ("venue", 64),
        ("category", 128),
        ("link", 1024),
        ("source_id", 1024),
        ("description", 4096),
        ("note", 4096),
    ] {
        read(Section::Transactions, &transaction(field, most)).unwrap();
        let error = read(Section::Transactions, &transaction(field, most + 1)).unwrap_err();
        assert!(error.contains(&format!("{field}: longer than {most} bytes")), "{error}");
    }
}

#[test]
fn a_row_of_a_store_is_checked_like_any_other() {
    let row = |what: &str, more: &str, amount: &str, origin: &str| {
        let small = SMALL.replace("account_fee", what).replace("\"-1\"", amount);
        let more = format!("{more}\"amount\"");
        read(Section::Transactions, &small.replace("\"amount\"", &more).replace("file", origin))
    };
    let security = r#""security":{"symbol":"X"},"#;
    let bought = r#""security":{"symbol":"X"},"quantity":"10","price":"60","fee":"5","#;
    let shares = r#""security":{"symbol":"X"},"quantity":"1","#;
    for origin in ["file", "hand", "provider"] {
        for (what, more, amount, says) in [
            ("buy", bought, "605", "amount: 605 has the wrong sign"),
            ("buy", "", "-605", "symbol: missing"),
            ("deposit", "", "-10000", "amount: -10000 has the wrong sign"),
            ("deposit", shares, "1", "quantity: deposit takes none"),
            ("deposit", security, "1", "symbol: deposit takes none"),
            ("split", security, "0", "ratio: missing"),
        ] {
            let error = row(what, more, amount, origin).expect_err(what);
            assert!(error.contains(says), "{what} {amount} {origin}: {error}");
        }
        assert!(row("buy", bought, "-605", origin).is_ok(), "{origin}");
        // What a provider says of its amounts is kept, and a finding elsewhere.
        let off = row("buy", bought, "-705", origin);
        assert_eq!(off.is_ok(), origin == "provider", "{off:?}");
    }
}

#[test]
fn what_was_taken_away_is_a_list_of_its_own() {
    let Ok(Item::Transaction(words)) = read(Section::Deleted, SMALL) else { panic!() };
    assert!(words.deleted);
    let item = Item::Transaction(words);
    assert_eq!(Section::of(&item), Section::Deleted);
    assert_eq!(serde_json::to_string(&item).unwrap(), SMALL);
}

#[test]
fn a_row_says_what_its_source_says_of_it() {
    let told = format!(r#"{},"nth":1,"source":{SMALL}}}"#, SMALL.trim_end_matches('}'));
    let Ok(Item::Transaction(words)) = read(Section::Transactions, &told) else { panic!() };
    assert_eq!((words.nth, words.source.is_some()), (Some(1), true));
    assert_eq!(serde_json::to_string(&Item::Transaction(words)).unwrap(), told);
    for (right, wrong, says) in [
        (r#""nth":1"#, r#""nth":-1"#, "nth: -1 is below zero"),
        (r#""origin":"file"}}"#, r#""origin":"hand"}}"#, "source: it has the origin"),
    ] {
        let error = read(Section::Transactions, &told.replace(right, wrong)).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
}
