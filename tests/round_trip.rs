//! What is exported and read back is what it was: transactions through the native CSV form, whole
//! stores through JSON.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::HashMap;
use std::ops::ControlFlow;

use chrono::NaiveDate;
use dashtam::export::{ColumnsInUse, JsonWriter, NeutralWriter, PriceColumns, PriceWriter, Writer};
use dashtam::import::{NeutralReader, PriceReader, read_json};
use dashtam::model::Subtype as S;
use dashtam::model::wire::Section;
use dashtam::model::{
    AccountKind, AlertOf, AlertTerms, AssetClass, Currency, Dec, Draft, Drafts, Entry, EntryType,
    InPerformance, Interval, Isin, Item, LotMethod, Mention, Mode, NewAccount, Origin, Price,
    PriceSubject, Quote, Rate, Ratio, SafeText, SecurityId, SecurityWords, Setting, Side,
    SourceWords, Status, Subtype, Tags, TransactionWords, Unit, WatchTerms, midnight_micros,
};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

fn day() -> impl Strategy<Value = NaiveDate> {
    (1..=9999, 1..=365_u32).prop_map(|(year, day)| NaiveDate::from_yo_opt(year, day).unwrap())
}

/// Up to 28 digits, often none behind the point.
fn any_dec() -> impl Strategy<Value = Dec> {
    let digits = prop_oneof![-1000..1000_i128, -10_i128.pow(27)..10_i128.pow(27)];
    (digits, 0..=10_u32).prop_map(|(digits, scale)| {
        let digits = format!("{digits:+029}");
        let (whole, decimals) = digits.split_at(digits.len() - scale as usize);
        Dec::parse(&format!("{whole}.{decimals}")).unwrap()
    })
}

fn small_dec(from: i64, to: i64) -> impl Strategy<Value = Dec> {
    (from..to, 0..4_u32).prop_map(|(units, places)| {
        let text = format!("{units}e-{places}");
        Dec::from_json_number(&text).unwrap()
    })
}

/// All that the spreadsheet guard, the quoting and the escapes could get wrong.
fn any_words() -> impl Strategy<Value = SafeText> {
    prop_oneof![
        "[-=+@\t\r\0' ]?[a-z',\"\n;= \\\\é\u{301}\u{202e}]{1,10}"
            .prop_map(|text| SafeText::new(&text)),
        "\\PC{1,12}".prop_map(|text| SafeText::new(&text)),
    ]
}

/// The same, as it is once it was read: without space around it.
fn any_name() -> impl Strategy<Value = SafeText> {
    let trimmed = any_words().prop_map(|text| SafeText::new(text.as_str().trim()));
    trimmed.prop_filter("blank", |name| !name.is_empty())
}

fn isin() -> impl Strategy<Value = Isin> {
    select(vec!["US0378331005", "AU0000XVGZA3"]).prop_map(|code| Isin::parse(code).unwrap())
}

fn mention() -> impl Strategy<Value = Mention> {
    let symbol = prop_oneof!["[A-Z]{1,4}(@CAD)?", "[-=+@'^]{0,2}[A-Z@ ,.\"]{0,5}[A-Z]"];
    (symbol, option::of(any_name()), option::of(isin())).prop_map(|(symbol, venue, isin)| {
        let mention = Mention::parse(&symbol).unwrap();
        Mention { venue, isin, ..mention }
    })
}

fn bare_mention() -> impl Strategy<Value = Mention> {
    mention().prop_map(|mention| Mention { venue: None, isin: None, ..mention })
}

/// Few accounts and days, so that rows meet.
fn row_start() -> impl Strategy<Value = Entry> {
    let account = prop_oneof![select(vec!["A", "=B", "'C, D"]).prop_map(SafeText::new), any_name()];
    let subtypes = Subtype::ALL.iter().map(|&subtype| EntryType::One(subtype));
    let reinvest = std::iter::repeat_n(EntryType::Reinvest, 6);
    let what = select(subtypes.chain(reinvest).collect::<Vec<_>>());
    let unit = select(vec!["USD", "CAD", "GBP", "GBp", "JPY"]);
    (account, 1..4_u32, what, unit).prop_map(|(account, day, what, unit)| {
        let day = NaiveDate::from_ymd_opt(2024, 1, day).unwrap();
        Entry::new(account, day, what, Unit::parse(unit).unwrap())
    })
}

/// An entry with what its type needs, and at random what it may have.
fn entry() -> impl Strategy<Value = Entry> {
    let figures = (
        small_dec(1, 10_000),
        small_dec(-50, 10_000),
        option::of(small_dec(-10, 500)),
        option::of(small_dec(0, 500)),
        small_dec(0, 100_000),
        option::of(small_dec(1, 500)),
        option::of(small_dec(1, 500)),
    );
    let words = (
        option::of(any_name()),
        option::of(any_name()),
        option::of(any_words()),
        option::of(any_name()),
        option::of(any_words()),
        option::of(any_name()),
    );
    let rest = (
        mention(),
        bare_mention(),
        option::of(day()),
        option::of(day()),
        select(Status::ALL.to_vec()),
        any::<[bool; 5]>(),
    );
    (row_start(), figures, words, rest).prop_map(|(mut entry, figures, words, rest)| {
        let (quantity, price, fee, tax, cash, fx_rate, multiplier) = figures;
        let (link, id, description, category, note, to_account) = words;
        let (symbol, to_symbol, settlement, acquired, status, [named, priced, odd, given, inward]) =
            rest;
        (entry.fee, entry.tax, entry.fx_rate, entry.multiplier) = (fee, tax, fx_rate, multiplier);
        (entry.description, entry.category, entry.note) = (description, category, note);
        (entry.settlement, entry.acquired, entry.status) = (settlement, acquired, status);
        entry.id = id;
        let EntryType::One(subtype) = entry.what else {
            (entry.symbol, entry.quantity, entry.price) =
                (Some(symbol), Some(quantity), Some(price));
            entry.link = link.filter(|_| named);
            return entry;
        };
        let cash_only = matches!(
            subtype,
            S::Deposit | S::Withdrawal | S::WireIn | S::WireOut | S::Internal | S::Fx
        );
        let corporate = matches!(subtype, S::Merger | S::SpinOff | S::SymbolChange);
        if !cash_only && (named || !matches!(subtype, S::Opening | S::Adjustment | S::Interest)) {
            entry.symbol = Some(symbol);
            entry.price = priced.then_some(price);
            entry.quantity =
                Some(if subtype.quantity_is_signed() && odd { -quantity } else { quantity });
        }
        if matches!(subtype, S::Split | S::SymbolChange) {
            entry.quantity = None;
        }
        if matches!(subtype, S::Split | S::Merger | S::SpinOff) {
            entry.ratio = Ratio::new(quantity, Dec::ONE);
        }
        if corporate {
            entry.to_symbol = Some(to_symbol);
        }
        if matches!(subtype, S::Merger | S::SpinOff) {
            entry.cost_share = given.then(|| Dec::parse("0.25").unwrap());
        }
        let sign = |value: Dec| if inward { value } else { -value };
        entry.amount = (entry.price.is_none() || given).then(|| sign(cash));
        if odd && subtype.mirror().is_some() {
            // What a transfer costs is a matter of its own row.
            (entry.to_account, entry.fee, entry.tax) = (to_account, None, None);
        } else if priced {
            entry.link = link;
        }
        entry
    })
}

/// Entries that hold, some of every sort, each with the rows it stands for.
fn checked() -> impl Strategy<Value = Drafts> {
    entry().prop_filter_map("refused", |entry| entry.check().ok())
}

/// The rows of a batch as they are stored: linked, and in order.
fn stored(batch: &[Drafts]) -> Vec<TransactionWords> {
    let mut seqs: HashMap<_, i64> = HashMap::new();
    let mut rows = Vec::new();
    for (number, Drafts { first, second }) in batch.iter().enumerate() {
        let seq = seqs.entry((first.account.clone(), first.facts.date)).or_default();
        let reinvested = second.as_ref().is_some_and(|second| second.account == first.account);
        let sort = if reinvested { "reinvest" } else { "transfer" };
        for (place, draft) in [Some(first), second.as_ref()].into_iter().flatten().enumerate() {
            let mut draft = draft.clone();
            if second.is_some() && draft.link.is_none() {
                draft.link = Some(SafeText::new(&format!("~{sort}:{number}")));
            }
            // A leg in another account does not get between that account's own rows.
            let seq = if place == 1 && !reinvested { 1000 + *seq } else { *seq };
            rows.push(TransactionWords::new(*draft, seq, Origin::File));
        }
        *seq += 1;
    }
    rows.sort_by_cached_key(|words| (words.draft.facts.date, words.seq, words.draft.facts.rank()));
    rows
}

fn neutral(rows: &[TransactionWords]) -> Vec<u8> {
    let mut columns = ColumnsInUse::default();
    for words in rows {
        columns.note(words);
    }
    let mut out = Vec::new();
    let mut writer = NeutralWriter::new(&mut out, columns);
    for words in rows {
        writer.item(&Item::Transaction(Box::new(words.clone()))).unwrap();
    }
    writer.finish().unwrap();
    out
}

/// A draft as a text that sorts, without what the native form does not say.
fn seen(draft: &Draft) -> String {
    let mut draft = draft.clone();
    draft.facts.quoted_in = None;
    draft.link = draft.link.filter(|link| !link.as_str().starts_with("~reinvest:"));
    format!("{draft:?}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_local_rejects: 1_000_000, ..ProptestConfig::default() })]

    #[test]
    fn transactions_come_back_from_the_native_form(
        batch in proptest::collection::vec(checked(), 1..12)
    ) {
        let rows = stored(&batch);
        let file = neutral(&rows);
        let shown = String::from_utf8_lossy(&file).into_owned();
        let mut reader = NeutralReader::new(file.as_slice()).unwrap();
        let (mut back, mut pairs) = (Vec::new(), 0);
        while let Some(row) = reader.next_row().unwrap() {
            let entry = row.parsed.unwrap_or_else(|problem| panic!("{problem}\n{shown}"));
            let reinvested = entry.what == EntryType::Reinvest;
            let drafts = entry.check().unwrap_or_else(|refusal| panic!("{refusal}\n{shown}"));
            prop_assert_eq!(drafts.second.is_some(), reinvested, "{}", shown);
            pairs += usize::from(reinvested);
            back.extend([Some(*drafts.first), drafts.second.map(|draft| *draft)].into_iter().flatten());
        }
        let sorted = |drafts: Vec<&Draft>| {
            let mut seen: Vec<String> = drafts.into_iter().map(seen).collect();
            seen.sort();
            seen
        };
        let before = sorted(rows.iter().map(|words| &words.draft).collect());
        prop_assert_eq!(sorted(back.iter().collect()), before, "{}", shown);
        // Every reinvestment is one row again, unless its source linked it and gave it no id.
        let own = |drafts: &&Drafts| {
            let same = drafts.second.as_ref().is_some_and(|s| s.account == drafts.first.account);
            same && (drafts.first.link.is_none() || drafts.first.source_id.is_some())
        };
        prop_assert_eq!(pairs, batch.iter().filter(own).count(), "{}", shown);
    }
}

/// The generator must not leave out what it is there for.
#[test]
fn every_type_is_tried() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut tried: Vec<Subtype> = Vec::new();
    let (mut legs, mut reinvested) = (0, 0);
    for _ in 0..3000 {
        let drafts = checked().new_tree(&mut runner).unwrap().current();
        tried.push(drafts.first.facts.subtype);
        if let Some(second) = drafts.second {
            if second.account == drafts.first.account { reinvested += 1 } else { legs += 1 }
        }
    }
    for subtype in Subtype::ALL {
        assert!(tried.contains(subtype), "{subtype}");
    }
    assert!(legs > 10 && reinvested > 10, "{legs} {reinvested}");
}

#[test]
fn every_text_that_a_spreadsheet_would_run_comes_back() {
    for start in ["=", "+", "-", "@", "\t", "\r", "\0", "'", "'="] {
        let text = SafeText::new(&format!("{start}cmd,\"x\""));
        let date = NaiveDate::from_ymd_opt(2024, 1, 2).unwrap();
        let what = EntryType::One(Subtype::Interest);
        let mut entry = Entry::new(text.clone(), date, what, Unit::from(Currency::USD));
        entry.amount = Some(Dec::ONE);
        entry.symbol = Mention::parse(text.as_str())
            .ok()
            .map(|mention| Mention { venue: Some(text.clone()), ..mention });
        (entry.id, entry.link) = (Some(text.clone()), Some(text.clone()));
        (entry.description, entry.note) = (Some(text.clone()), Some(text.clone()));
        entry.category = Some(text.clone());
        let rows = stored(&[entry.clone().check().unwrap()]);
        let file = neutral(&rows);
        let mut reader = NeutralReader::new(file.as_slice()).unwrap();
        let back = reader.next_row().unwrap().unwrap().parsed.unwrap();
        assert_eq!(back, entry, "{start:?}");
        // Nothing in the file begins like a formula, whatever program splits it.
        let line = String::from_utf8(file).unwrap();
        for field in line.lines().nth(1).unwrap().split("\",\"").flat_map(|part| part.split(",\""))
        {
            let begin = field.trim_start_matches('"');
            assert!(!begin.starts_with(['=', '+', '-', '@', '\t', '\r', '\0']), "{field}");
        }
    }
}

fn midnight() -> impl Strategy<Value = i64> {
    day().prop_map(midnight_micros)
}

fn price() -> impl Strategy<Value = Item> {
    let bar = (option::of(any_dec()), option::of(any_dec()), option::of(any_dec()), any_dec());
    let whole = (midnight(), Just(Interval::Day), Just(0_i64));
    let part = (midnight(), select(Interval::ALL.to_vec()), 0..86_400_000_000_i64);
    let time = prop_oneof![whole, part.prop_filter("a day is whole", |p| p.1 != Interval::Day)];
    let volume = option::of(any_dec().prop_map(Dec::abs));
    (mention(), time, any_name(), currency(), bar, volume, option::of(any_name()), any::<bool>())
        .prop_map(
            |(
                mention,
                (day, interval, rest),
                source,
                currency,
                bar,
                volume,
                quoted_in,
                split_adjusted,
            )| {
                let (open, high, low, close) = bar;
                let (security, at) = (SecurityId(0), day + rest);
                let price = Price {
                    security,
                    interval,
                    at,
                    source,
                    currency,
                    open,
                    high,
                    low,
                    close,
                    volume,
                    quoted_in,
                    split_adjusted,
                };
                Item::Price(mention, Box::new(price))
            },
        )
}

fn currency() -> impl Strategy<Value = Currency> {
    select(vec![Currency::USD, Currency::CAD, Currency::EUR])
}

fn rate() -> impl Strategy<Value = Item> {
    let pairs = vec![(Currency::USD, Currency::CAD), (Currency::EUR, Currency::USD)];
    (select(pairs), midnight(), any_name(), any_dec()).prop_map(
        |((base, quote), at, source, rate)| {
            let rate = if rate.is_zero() { Dec::ONE } else { rate.abs() };
            Item::Rate(Rate { base, quote, at, source, rate })
        },
    )
}

fn account() -> impl Strategy<Value = Item> {
    (
        any_name(),
        select(AccountKind::ALL.to_vec()),
        currency(),
        select(Mode::ALL.to_vec()),
        option::of(select(LotMethod::ALL.to_vec())),
        option::of(any_words()),
        (option::of(day()), option::of(select(InPerformance::ALL.to_vec()))),
        any::<bool>(),
    )
        .prop_map(|(name, kind, currency, mode, method, institution, more, derived)| {
            let (closed, performance) = more;
            let account =
                NewAccount { name, kind, currency, mode, method, institution, closed, performance };
            Item::Account { account, derived }
        })
}

fn security() -> impl Strategy<Value = Item> {
    let more = (option::of(any_words()), option::of(any_words()), option::of(any_words()));
    let class = option::of(select(AssetClass::ALL.to_vec()));
    let tags =
        prop_oneof![Just(None), any_words().prop_map(|text| Tags::parse(text.as_str()).ok())];
    let sorted = (option::of(any_words()), option::of(any_words()), tags);
    (mention(), currency(), more, (class, sorted), any::<bool>()).prop_map(
        |(mention, currency, (cusip, figi, name), (class, (sector, region, tags)), derived)| {
            let Mention { symbol, venue, isin, .. } = mention;
            Item::Security(SecurityWords {
                symbol,
                currency,
                venue,
                isin,
                cusip,
                figi,
                name,
                class,
                sector,
                region,
                tags,
                derived,
            })
        },
    )
}

/// A stored row; of a provider the amount of a trade may be any of its sign.
fn transaction() -> impl Strategy<Value = Item> {
    let place = (any::<i64>(), select(Origin::ALL.to_vec()), option::of(any_dec()));
    let told = (any::<bool>(), option::of(0..5_i64), any::<bool>());
    (checked(), place, option::of(any_name()), told).prop_map(|(drafts, place, link, told)| {
        let ((seq, origin, amount), (deleted, nth, source)) = (place, told);
        let mut draft = *drafts.second.unwrap_or(drafts.first);
        let is_negative = draft.facts.amount.is_negative();
        if let Some(amount) = amount.filter(|_| origin == Origin::Provider)
            && matches!(draft.facts.subtype, Subtype::Buy | Subtype::Sell)
        {
            draft.facts.amount = if is_negative { -amount.abs() } else { amount.abs() };
        }
        draft.link = link;
        let source = source.then(|| Box::new(SourceWords { draft: draft.clone(), nth }));
        let words = TransactionWords::new(draft, seq, origin);
        Item::Transaction(Box::new(TransactionWords { deleted, nth, source, ..words }))
    })
}

/// A store: its items in the order of the lists.
fn store() -> impl Strategy<Value = Vec<Item>> {
    fn many<T: std::fmt::Debug>(item: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
        proptest::collection::vec(item, 0..4)
    }
    let setting =
        select(vec![(Setting::BaseCurrency, "CAD"), (Setting::TimeZone, "America/Toronto")])
            .prop_map(|(setting, value)| Item::Setting(setting, value.to_owned()));
    let category = (any_name(), option::of(any_name()))
        .prop_map(|(name, parent)| Item::Category { name, parent });
    let balance = (any_name(), day(), any_dec())
        .prop_map(|(account, date, amount)| Item::Balance { account, date, amount });
    let (list, note) = (option::of(any_name()), option::of(any_words()));
    let said = || (option::of(day()), option::of(select(vec![Currency::USD, Currency::CAD])));
    let watch = (mention(), list, note, option::of(any_dec()), said()).prop_map(
        |(security, list, note, target, (units_of, said_in))| {
            Item::Watch(security, WatchTerms { list, note, target, units_of, said_in })
        },
    );
    let of = select(vec![AlertOf::Price, AlertOf::Value]);
    let side = select(Side::ALL.to_vec());
    let days = (said(), option::of(day()));
    let alert = (mention(), of, side, any_dec(), option::of(any_words()), days).prop_map(
        |(security, of, side, bound, note, ((units_of, said_in), snoozed))| {
            let terms = AlertTerms { of, side, bound, note, units_of, said_in, snoozed };
            Item::Alert(security, terms)
        },
    );
    let target = (any_name(), any_name(), any_dec(), option::of(any_dec()))
        .prop_map(|(dimension, key, weight, band)| Item::Target { dimension, key, weight, band });
    let first = (many(setting), many(account()), many(category), many(security()), many(balance));
    let transactions = many(transaction()).prop_map(|mut rows| {
        rows.sort_by_key(Section::of);
        rows
    });
    let second = (transactions, many(price()), many(rate()));
    (first, second, many(watch), many(alert), many(target)).prop_map(
        |(a, b, watch, alert, target)| {
            [a.0, a.1, a.2, a.3, a.4, b.0, b.1, b.2, watch, alert, target].concat()
        },
    )
}

fn json(items: &[Item]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = JsonWriter::new(&mut out);
    for item in items {
        writer.item(item).unwrap();
    }
    writer.finish().unwrap();
    out
}

proptest! {
    #[test]
    fn a_whole_store_comes_back_from_json(items in store()) {
        let text = json(&items);
        let mut back = Vec::new();
        let end = read_json(text.as_slice(), |item| {
            back.push(item);
            ControlFlow::<()>::Continue(())
        });
        prop_assert_eq!(end, Ok(ControlFlow::Continue(())), "{}", String::from_utf8_lossy(&text));
        prop_assert_eq!(&back, &items);
        // One element per line, whatever its texts hold.
        let lines = text.split(|&byte| byte == b'\n').filter(|line| line.starts_with(b"{")).count();
        prop_assert_eq!(lines, items.len() + 1);
    }

    #[test]
    fn a_document_that_was_cut_off_is_refused(items in store(), at in any::<prop::sample::Index>()) {
        let text = json(&items);
        // Without its last line end it is still whole.
        let cut = &text[..at.index(text.len() - 1)];
        let end = read_json(cut, |_| ControlFlow::<()>::Continue(()));
        prop_assert!(end.is_err());
    }

    #[test]
    fn prices_and_rates_come_back_from_the_native_form(
        items in proptest::collection::vec(prop_oneof![price(), rate()], 0..8)
    ) {
        let mut columns = PriceColumns::default();
        for item in &items {
            columns.note(item);
        }
        let mut out = Vec::new();
        let mut writer = PriceWriter::new(&mut out, columns);
        for item in &items {
            writer.item(item).unwrap();
        }
        writer.finish().unwrap();
        let skipped = usize::try_from(writer.skipped()).unwrap();
        let right: Vec<Quote> = items.iter().filter_map(quote).collect();
        prop_assert_eq!(right.len() + skipped, items.len());
        let mut reader = PriceReader::new(out.as_slice()).unwrap();
        if right.is_empty() {
            // A file of nothing but names of columns is refused.
            prop_assert!(reader.next_row().is_err());
            return Ok(());
        }
        let mut back = Vec::new();
        while let Some(row) = reader.next_row().unwrap() {
            back.push(row.parsed.unwrap());
        }
        prop_assert_eq!(back, right);
    }
}

/// What a price file says about an item.
fn quote(item: &Item) -> Option<Quote> {
    let date = |at: i64| chrono::DateTime::from_timestamp_micros(at).unwrap().date_naive();
    // Sources are written in lower case.
    let lower = |source: &SafeText| {
        let mixed = source.as_str().chars().any(char::is_uppercase);
        if mixed { SafeText::new(&source.as_str().to_lowercase()) } else { source.clone() }
    };
    match item {
        Item::Price(mention, price) => {
            let (symbol, currency) = (mention.symbol.clone(), mention.currency);
            // A venue stands behind the currency, where it can be told from it.
            let venue = mention
                .venue
                .clone()
                .filter(|venue| currency.is_some() && !venue.as_str().contains('@'));
            let mention = Mention { symbol, currency, venue, isin: None };
            let quote = Quote {
                subject: PriceSubject::Security(mention),
                date: date(price.at),
                currency: price.currency,
                open: price.open,
                high: price.high,
                low: price.low,
                close: price.close,
                volume: price.volume,
                source: lower(&price.source),
                quoted_in: None,
            };
            (price.interval == Interval::Day && !price.split_adjusted).then_some(quote)
        }
        Item::Rate(rate) => Some(Quote {
            subject: PriceSubject::Currency(rate.base),
            date: date(rate.at),
            currency: rate.quote,
            open: None,
            high: None,
            low: None,
            close: rate.rate,
            volume: None,
            source: lower(&rate.source),
            quoted_in: None,
        }),
        _ => None,
    }
}
