//! A window into the transactions shows what a plain filter over all of them shows: at every place,
//! for every query, on both engines.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::cell::Cell;
use std::collections::BTreeMap;

use chrono::NaiveDate;
use dashtam::model::{
    AccountId, AccountKind, Change, Currency, Dec, Exact, Mode, NewAccount, SafeText, Subtype,
    TransactionId,
};
use dashtam::report::{self, At, Find, TransactionRow, Window, WindowQuery};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use support::engines::{Engine, engines};

const WORLDS: usize = 6;
const QUESTIONS: usize = 150;
const HEADER: &str = "date,account,type,symbol,quantity,price,fee,currency,amount,description,status,category,note,link";

/// A word of the query language, and which rows it means.
type Word = (&'static str, fn(&Known) -> bool);

const WORDS: &[Word] = &[
    ("acct:rr", |it| it.row.account.as_str().contains("RRSP")),
    ("acct:told", |it| it.row.account.as_str() == "Told"),
    ("kind:div", |it| it.row.subtype == Subtype::Dividend),
    ("kind:trade", |it| matches!(it.row.subtype, Subtype::Buy | Subtype::Sell)),
    ("sym:XE", |it| it.row.symbol.as_ref().is_some_and(|it| it.as_str().contains("XE"))),
    ("sym:none", |_| false),
    ("cat:foo", |it| it.row.category.as_ref().is_some_and(|it| it.as_str() == "Food")),
    ("source:import", |it| it.row.source.starts_with("import")),
    ("source:import:2", |it| it.row.source == "import:2"),
    ("source:hand", |it| it.row.source == "hand"),
    ("status:fail", |it| it.row.status.as_str() == "failed"),
    ("cur:cad", |it| it.row.currency == Currency::CAD),
    ("amt:>5", |it| it.row.amount > dec("5")),
    ("amt:<-0.5", |it| it.row.amount < dec("-0.5")),
    ("amt:-10..10", |it| it.row.amount >= dec("-10") && it.row.amount <= dec("10")),
    ("amt:10", |it| it.row.amount == dec("10")),
    ("qty:2", |it| it.row.quantity == Some(dec("2"))),
    ("qty:>=3", |it| it.row.quantity.is_some_and(|it| it >= dec("3"))),
    ("date:2024-01-02", |it| it.row.date == day(2)),
    ("date:>2024-01-02", |it| it.row.date > day(2)),
    ("date:..2024-01-03", |it| it.row.date <= day(3)),
    ("date:>9999", |_| false),
    ("linked", |it| !it.row.linked.is_empty()),
    ("coffee", |it| it.says("coffee")),
    ("CAFÉ", |it| it.says("cafe")),
    ("cafe", |it| it.says("cafe")),
    ("\"e b\"", |it| it.says("e b")),
    ("100%", |it| it.says("100%")),
    ("a_b", |it| it.says("a_b")),
    ("\\", |it| it.says("\\")),
    ("rrsp", |it| it.says("rrsp")),
    ("xeqt", |it| it.says("xeqt")),
    ("k", |it| it.says("k")),
    ("sell", |it| it.row.subtype == Subtype::Sell || it.says("sell")),
    ("Trad", |it| matches!(it.row.subtype, Subtype::Buy | Subtype::Sell) || it.says("trad")),
];

/// A row as the test knows it.
struct Known {
    row: TransactionRow,
    note: String,
    balance: Option<Dec>,
}

impl Known {
    /// Whether any of its texts has this in it, accents left out.
    fn says(&self, text: &str) -> bool {
        let row = &self.row;
        let texts = [&row.description, &row.symbol, &row.category, &Some(row.account.clone())];
        let texts = texts.into_iter().flatten().map(SafeText::as_str);
        let plain = |it: &str| it.to_lowercase().replace('é', "e").replace('\u{301}', "");
        texts.chain([self.note.as_str()]).any(|it| plain(it).contains(text))
    }
}

/// One question, its places as numbers of rows.
#[derive(Clone, Debug)]
struct Question {
    words: Vec<(bool, usize)>,
    account: Option<&'static str>,
    to: Option<u32>,
    at: u8,
    place: usize,
    rows: usize,
    with_ruler: bool,
}

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, 1, day).unwrap()
}

fn question() -> impl Strategy<Value = Question> {
    let words = prop_oneof![
        2 => Just(Vec::new()),
        3 => vec((any::<bool>(), 0..WORDS.len()), 1..4),
    ];
    let account = option::of(select(vec!["RRSP", "Chequing", "Told"]));
    let rest = (0..6_u8, 0..80_usize, 0..9_usize, any::<bool>());
    (words, account, option::of(1..6_u32), rest).prop_map(
        |(words, account, to, (at, place, rows, with_ruler))| Question {
            words,
            account,
            to,
            at,
            place,
            rows,
            with_ruler,
        },
    )
}

fn row() -> impl Strategy<Value = String> {
    let event = select(vec![
        "DEPOSIT,,,,,USD,10",
        "DEPOSIT,,,,,CAD,0.1",
        "DEPOSIT,,,,,USD,12345678901234567890.5",
        "WITHDRAWAL,,,,,USD,-3",
        "BUY,XEQT,2,10,,CAD,",
        "BUY,ZAG,3,1.5,,CAD,",
        "SELL,XEQT,1,12.5,,CAD,",
        "DIVIDEND,ZAG,,,,CAD,5",
        "OPENING,XEQT,-4,2,,CAD,",
    ]);
    let text = select(vec![
        "",
        "",
        "Coffee",
        "the coFFee beans",
        "café",
        "CAFÉ",
        "Cafe",
        "cafe\u{301}",
        "100% a_b",
        "100 axb",
        "back\\slash",
        "\u{212a}elvin",
    ]);
    let note = select(vec!["", "", "", "Coffee", "É"]);
    let status = select(vec!["", "", "pending", "failed", "cancelled"]);
    let category = select(vec!["", "", "Food", "Fun"]);
    let link = select(vec!["", "", "", "L1", "L2", "L3", "L4", "L5"]);
    let account = select(vec!["RRSP", "RRSP", "Chequing", "Told"]);
    (1..6_u32, account, event, text, status, category, note, link).prop_map(
        |(day, account, event, text, status, category, note, link)| {
            format!("2024-01-0{day},{account},{event},{text},{status},{category},{note},{link}")
        },
    )
}

fn some<T: std::fmt::Debug>(runner: &mut TestRunner, of: &impl Strategy<Value = T>) -> T {
    of.new_tree(runner).unwrap().current()
}

/// Rows of several imports, so that places are shared, and some that were taken away.
async fn fill(engine: &Engine, files: &[Vec<String>], gone: &[usize]) {
    let told = NewAccount {
        name: SafeText::new("Told"),
        kind: AccountKind::Savings,
        currency: Currency::USD,
        mode: Mode::Balances,
        method: None,
        institution: None,
        closed: None,
        performance: None,
    };
    engine.edit(Change::AddAccount(told)).await;
    // Each account has a row, so that it can be asked for.
    let each = ["RRSP", "Chequing", "Told"]
        .map(|account| format!("2024-01-03,{account},DEPOSIT,,,,,USD,10,,,,,"));
    let files = [each.to_vec()].into_iter().chain(files.iter().cloned());
    for (number, rows) in files.enumerate() {
        let name = format!("{number}.csv");
        let text = format!("{HEADER}\n{}\n", rows.join("\n"));
        engine.import_with(&[(&name, &text)], |request| request.partial = true).await;
    }
    let rows = engine.rows().await;
    for place in gone {
        if let Some(row) = rows.get(*place) {
            // One that is linked may refuse; then it stays.
            let _ = engine.try_edit(Change::DeleteTransaction(row.id)).await;
        }
    }
}

/// Every row, the newest first, with the cash after it added up from the first.
async fn everything(engine: &Engine) -> Vec<Known> {
    let rows = engine.rows().await;
    let mut tx = engine.session.store.read().await.unwrap();
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let stored = tx.transactions_by_id(&ids).await.unwrap();
    let notes: BTreeMap<TransactionId, String> = stored
        .into_iter()
        .filter_map(|row| Some((row.transaction.id, row.transaction.facts.note?.into_string())))
        .collect();
    let mut cash: BTreeMap<(SafeText, Currency), Exact> = BTreeMap::new();
    let mut known: Vec<Known> = rows
        .into_iter()
        .map(|row| {
            let counts = row.status.counts() && row.account.as_str() != "Told";
            let balance = counts.then(|| {
                let key = (row.account.clone(), row.currency);
                let sum = cash.entry(key).or_insert(Exact::ZERO);
                *sum = sum.add(&row.amount.into());
                sum.round(28).unwrap()
            });
            Known { note: notes.get(&row.id).cloned().unwrap_or_default(), row, balance }
        })
        .collect();
    known.reverse();
    known
}

async fn ask(engine: &Engine, query: &WindowQuery, with_ruler: bool) -> Window {
    let mut tx = engine.session.store.read().await.unwrap();
    let ruler = match with_ruler {
        true => Some(report::ruler(&mut tx, query.account).await.unwrap()),
        false => None,
    };
    report::window(&mut tx, query, ruler.as_ref(), || true).await.unwrap().unwrap()
}

/// All that fits, page by page.
async fn written(
    engine: &Engine,
    query: &WindowQuery,
    oldest_first: bool,
) -> Vec<(TransactionId, Option<Dec>)> {
    let mut tx = engine.session.store.read().await.unwrap();
    let mut pages = report::Pages::of(&mut tx, query, oldest_first).await.unwrap();
    let mut rows = Vec::new();
    while let Some(page) = pages.next(&mut tx).await.unwrap() {
        rows.extend(page.iter().map(|row| (row.row.id, row.balance)));
    }
    rows
}

/// Asks, and compares with a plain filter.
async fn check(engine: &Engine, all: &[Known], question: &Question) {
    let words: Vec<_> = question.words.iter().map(|(not, word)| (*not, WORDS[*word])).collect();
    let text = words.iter().map(|(not, word)| format!("{}{}", if *not { "!" } else { "" }, word.0));
    let text = text.collect::<Vec<_>>().join(" ");
    let to = question.to.map(day);
    let fits: Vec<usize> = (0..all.len())
        .filter(|&at| {
            let known = &all[at];
            question.account.is_none_or(|name| known.row.account.as_str() == name)
                && to.is_none_or(|to| known.row.date <= to)
                && words.iter().all(|(not, (_, means))| means(known) != *not)
        })
        .collect();
    let account = match question.account {
        Some(name) => Some(engine.account(name).await),
        None => None,
    };
    let place = question.place % all.len();
    let id = all[place].row.id;
    let number = question.place as u64;
    let wanted = question.rows;
    let newer = fits.partition_point(|&at| at < place);
    let older = fits.partition_point(|&at| at <= place);
    let last = fits.len();
    let (at, shown) = match question.at {
        0 => (At::Newest, 0..wanted.min(last)),
        1 => (At::Oldest, last.saturating_sub(wanted)..last),
        2 => (At::Before(id), newer.saturating_sub(wanted)..newer),
        3 => (At::After(id), older..(older + wanted).min(last)),
        4 => {
            // Half before it; what one side lacks the other has more.
            let before = (wanted / 2).min(newer);
            let after = (wanted - before).min(last - newer);
            let before = (wanted - after).min(newer);
            (At::Around(id), newer - before..newer + after)
        }
        _ => {
            let first = (question.place.max(1)) - 1;
            let first = if first < last { first } else { last.saturating_sub(wanted) };
            (At::Row(number), first..(first + wanted).min(last))
        }
    };
    let query = WindowQuery { find: Find::parse(&text).unwrap(), account, to, at, rows: wanted };
    let window = ask(engine, &query, question.with_ruler).await;
    let written = written(engine, &query, question.with_ruler).await;
    let context = format!("{question:?} `{text}` on {}", engine.name);
    let next = match question.at {
        2 => Some((fits[..newer].last().or(fits.last()), newer == 0)),
        3 => Some((fits.get(older).or(fits.first()), older == last)),
        _ => None,
    };
    if let Some((next, around)) = next {
        let mut tx = engine.session.store.read().await.unwrap();
        let found = report::next_row(&mut tx, &query, || true).await.unwrap().unwrap();
        let next = next.map(|&at| all[at].row.id);
        assert_eq!((found.id, found.around), (next, around), "{context}");
    }
    // Whoever writes all of it down has every row that fits, with the same cash after it.
    let mut all_of_it: Vec<_> = fits.iter().map(|&at| (all[at].row.id, all[at].balance)).collect();
    if question.with_ruler {
        all_of_it.reverse();
    }
    assert_eq!(written, all_of_it, "{context}");
    let ids: Vec<_> = window.rows.iter().map(|row| row.row.id).collect();
    let expected: Vec<_> = fits[shown.clone()].iter().map(|&at| all[at].row.id).collect();
    if wanted == 0 {
        assert!(ids.is_empty(), "{context}");
        return;
    }
    assert_eq!(ids, expected, "{context}");
    for (row, &at) in window.rows.iter().zip(&fits[shown.clone()]) {
        assert_eq!(format!("{:?}", row.row), format!("{:?}", all[at].row), "{context}");
        assert_eq!(row.balance, all[at].balance, "the balance of {:?}, {context}", row.row);
        assert_eq!(account.unwrap_or(row.account_id), row.account_id);
        assert_eq!(row.security_id.is_some(), row.row.symbol.is_some());
    }
    let (first, end) = (shown.start == 0, shown.end == last);
    if query.find.is_everything() {
        assert_eq!((window.first_is_newest, window.last_is_oldest), (first, end), "{context}");
        let known = question.with_ruler || to.is_none();
        assert_eq!(window.total, known.then_some(last as u64), "{context}");
    } else {
        assert!(first || !window.first_is_newest, "{context}");
        assert!(end || !window.last_is_oldest, "{context}");
        assert!(
            ids.len() == wanted || window.first_is_newest || window.last_is_oldest,
            "{context}"
        );
        assert_eq!(window.total, None);
    }
    if let (Some(number), false) = (window.first_row, ids.is_empty()) {
        assert_eq!(number, shown.start as u64 + 1, "{context}");
    }
    let says_where =
        matches!(at, At::Newest) || (matches!(at, At::Row(_)) && number <= last as u64);
    assert!(!says_where || window.first_row.is_some(), "{context}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_a_part_of_a_plain_filter() {
    let mut runner = TestRunner::deterministic();
    let mut meant = vec![0; WORDS.len()];
    for _ in 0..WORLDS {
        let files = some(&mut runner, &vec(vec(row(), 5..30), 1..4));
        let gone = some(&mut runner, &vec(0..60_usize, 0..4));
        let questions: Vec<_> = (0..QUESTIONS).map(|_| some(&mut runner, &question())).collect();
        for engine in engines().await {
            fill(&engine, &files, &gone).await;
            let all = everything(&engine).await;
            for (count, (_, means)) in meant.iter_mut().zip(WORDS) {
                *count += all.iter().filter(|known| means(known)).count();
            }
            for question in &questions {
                check(&engine, &all, question).await;
            }
            engine.close().await;
        }
    }
    // A word that means nothing here would test nothing.
    for ((word, _), count) in WORDS.iter().zip(meant) {
        let nothing = ["sym:none", "source:hand", "date:>9999"].contains(word);
        assert_eq!(count == 0, nothing, "{word} means {count} rows");
    }
}

/// More rows than are near, and more than one slice of the whole.
fn many() -> String {
    let mut text =
        "date,account,type,symbol,quantity,price,fee,currency,amount,description\n".to_owned();
    for row in 0..12_000 {
        let words = if row == 7 { "needle" } else { "hay" };
        let date = day(1) + chrono::Days::new(row / 10);
        text.push_str(&format!("{date},A,DEPOSIT,,,,,USD,{},{words}\n", row + 1));
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_far_away_is_found_and_a_search_can_be_stopped() {
    for engine in engines().await {
        engine.import(&[("many.csv", &many())]).await;
        let query = |find: &str, at| WindowQuery {
            find: Find::parse(find).unwrap(),
            at,
            rows: 5,
            ..WindowQuery::default()
        };
        let long = "hay".repeat(100_000);
        let window = ask(&engine, &query(&long, At::Newest), false).await;
        assert!(window.rows.is_empty() && window.last_is_oldest);
        for find in ["needle", "amt:8", "amt:<9 date:2024-01-01 !hay"] {
            let window = ask(&engine, &query(find, At::Newest), false).await;
            let amounts: Vec<_> = window.rows.iter().map(|row| row.row.amount).collect();
            assert_eq!(amounts, [dec("8")], "{find}");
            assert!(window.first_is_newest && window.last_is_oldest);
            assert_eq!(window.rows[0].balance, Some(dec("36")));
        }
        let window = ask(&engine, &query("amt:<5", At::Newest), false).await;
        let amounts: Vec<_> = window.rows.iter().map(|row| row.row.amount.to_string()).collect();
        assert_eq!(amounts, ["4", "3", "2", "1"]);
        let window = ask(&engine, &query("", At::Row(11_999)), false).await;
        let amounts: Vec<_> = window.rows.iter().map(|row| row.row.amount.to_string()).collect();
        assert_eq!(
            (amounts, window.first_row),
            (vec!["2".to_owned(), "1".to_owned()], Some(11_999))
        );

        let asked = Cell::new(0);
        let at_most = |times: u32| {
            asked.set(0);
            let asked = &asked;
            move || asked.replace(asked.get() + 1) < times
        };
        let mut tx = engine.session.store.read().await.unwrap();
        let rare = query("needle", At::Newest);
        for times in 0..2 {
            let found = report::window(&mut tx, &rare, None, at_most(times)).await.unwrap();
            assert!(found.is_none(), "stopped when asked for the {times}. time");
        }
        let found = report::window(&mut tx, &rare, None, at_most(2)).await.unwrap();
        assert_eq!(found.unwrap().rows.len(), 1);
        drop(tx);
        engine.close().await;
    }
}

#[tokio::test]
async fn an_empty_store_and_a_row_that_is_gone_lead_somewhere() {
    for engine in engines().await {
        let at = [At::Newest, At::Oldest, At::Row(1), At::Row(9), At::Around(TransactionId(9))];
        for at in at {
            for find in ["", "x", "amt:>1"] {
                let find = Find::parse(find).unwrap();
                let query = WindowQuery { find, at, rows: 3, ..WindowQuery::default() };
                let window = ask(&engine, &query, false).await;
                assert!(window.rows.is_empty(), "{at:?}");
                assert!(window.first_is_newest && window.last_is_oldest, "{at:?}");
            }
        }
        let file = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
                    2024-01-01,A,DEPOSIT,,,,,USD,1\n";
        engine.import(&[("a.csv", file)]).await;
        let at = At::After(TransactionId(i64::MAX));
        let query = WindowQuery { at, rows: 3, ..WindowQuery::default() };
        assert_eq!(ask(&engine, &query, false).await.rows.len(), 1);
        let nobody = WindowQuery { account: Some(AccountId(i64::MAX)), ..query };
        let window = ask(&engine, &nobody, false).await;
        assert_eq!((window.rows.len(), window.total), (0, Some(0)));
        engine.close().await;
    }
}
