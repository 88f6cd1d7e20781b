//! What was changed by hand can be taken back: any sequence of edits undone is the store as it was,
//! redone it is the store as it became; and what somebody else changed meanwhile is left alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test"
)]

mod support;

use chrono::NaiveDate;
use dashtam::model::{
    AccountEdit, AccountKind, AlertEdit, AlertOf, AlertTerms, AssetClass, Change, Currency, Dec,
    Dimension, Edit, Entry, EntryType, LotMethod, Mention, Mode, NewAccount, NewTarget,
    PriceSubject, Quote, RowEdit, SafeText, SecurityEdit, Setting, Side, Subtype, TransactionId,
    Unit, WatchEdit,
};
use dashtam::service::edit::{self, Steps, apply_all, take_back};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use support::engines::{Engine, on_each, sqlite};

/// How many sequences; ten times as many with `DASHTAM_FULL=1`.
const SEQUENCES: u32 = 12;

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, 1, day % 28 + 1).unwrap()
}

fn new_account(name: &str, mode: Mode) -> Change {
    Change::AddAccount(NewAccount {
        name: SafeText::new(name),
        kind: AccountKind::Brokerage,
        currency: Currency::USD,
        mode,
        method: None,
        institution: Some(SafeText::new("Tin Bank")),
        closed: None,
        performance: None,
    })
}

fn row(account: &str, what: Subtype, at: u32) -> Entry {
    let what = EntryType::One(what);
    Entry::new(SafeText::new(account), day(at), what, Unit::from(Currency::USD))
}

fn trade(account: &str, what: Subtype, symbol: &str, at: u32) -> Entry {
    Entry {
        symbol: Mention::parse(symbol).ok(),
        quantity: Some(Dec::from_i64(i64::from(at % 9) + 1)),
        price: Some(dec("10.5")),
        category: at.is_multiple_of(3).then(|| SafeText::new(&format!("kind {}", at % 5))),
        ..row(account, what, at)
    }
}

fn quote(subject: PriceSubject, at: u32) -> Change {
    Change::SetPrice(Box::new(Quote {
        subject,
        date: day(at),
        currency: Currency::USD,
        open: None,
        high: None,
        low: None,
        close: Dec::from_i64(i64::from(at) + 1),
        volume: None,
        source: SafeText::new("hand"),
        quoted_in: None,
    }))
}

/// One of the things that a person does to alerts.
async fn alerted(engine: &Engine, one: u32, two: u32) -> Vec<Change> {
    let (of, side) = (AlertOf::Price, Side::ALL[one as usize % 2]);
    let bound = Dec::from_i64(i64::from(two));
    let terms =
        AlertTerms { of, side, bound, note: None, units_of: None, said_in: None, snoozed: None };
    let mut tx = engine.session.store.read().await.unwrap();
    match tx.alerts().await.unwrap().first().map(|alert| alert.id) {
        Some(id) if one.is_multiple_of(4) => vec![Change::RemoveAlert(id)],
        Some(id) if one.is_multiple_of(5) => {
            let (of, side, bound) = (Some(of), Some(side), Some(bound));
            let edit = AlertEdit { of, side, bound, ..AlertEdit::default() };
            vec![Change::EditAlert(id, edit)]
        }
        Some(id) if one.is_multiple_of(6) => vec![Change::SnoozeAlert(id, Some(day(two)))],
        _ => vec![Change::AddAlert(Mention::parse("AAA").unwrap(), terms)],
    }
}

/// One of the things that a person does, made from three numbers; it may be refused.
async fn made(engine: &Engine, (what, one, two): (u8, u32, u32)) -> Vec<Change> {
    let mut rows = engine.rows().await;
    rows.sort_by_key(|row| row.id);
    let pick = |at: u32| rows.get(at as usize % rows.len().max(1)).map(|row| row.id);
    let id = pick(one).unwrap_or(TransactionId(1));
    let name = ["Main", "Other", "New"][one as usize % 3];
    let account = edit::account_named(&engine.session, name).await.ok().map(|it| it.id);
    let symbol = ["AAA", "BBB", "CCC"][two as usize % 3];
    let security = edit::security_named(&engine.session, symbol).await.ok().map(|it| it.id);
    match what % 20 {
        0 => vec![new_account(["New", "House"][two as usize % 2], Mode::Ledger)],
        1 => vec![Change::AddTransaction(Box::new(trade(name, Subtype::Buy, symbol, two)))],
        2 => {
            let transfer = Entry {
                amount: Some(Dec::from_i64(-i64::from(two) - 1)),
                to_account: Some(SafeText::new("Other")),
                ..row("Main", Subtype::Withdrawal, two)
            };
            vec![Change::AddTransaction(Box::new(transfer))]
        }
        3 => vec![Change::DeleteTransaction(id)],
        4 => {
            let edit = RowEdit {
                note: Some(SafeText::new("seen")),
                date: Some(day(two)),
                ..RowEdit::default()
            };
            vec![Change::EditTransaction(id, Box::new(edit))]
        }
        5 => {
            let edit = RowEdit { account: Some(SafeText::new(name)), ..RowEdit::default() };
            vec![Change::EditTransaction(id, Box::new(edit))]
        }
        6 => {
            let category = Some(SafeText::new(&format!("kind {}", two % 5)));
            let edit = RowEdit { category, ..RowEdit::default() };
            let ids = [pick(one), pick(two)].into_iter().flatten();
            ids.map(|id| Change::EditTransaction(id, Box::new(edit.clone()))).collect()
        }
        7 => vec![Change::LinkTransactions([pick(one), pick(two)].into_iter().flatten().collect())],
        8 => vec![Change::UnlinkTransaction(id)],
        9 => vec![quote(PriceSubject::Security(Mention::parse(symbol).unwrap()), two)],
        10 => vec![quote(PriceSubject::Currency(Currency::parse("CAD").unwrap()), two)],
        11 => vec![Change::Set(Setting::BaseCurrency, ["CAD", "EUR"][two as usize % 2].to_owned())],
        12 => vec![Change::SetTarget(NewTarget {
            dimension: Dimension::Class,
            key: SafeText::new(["etf", "equity"][two as usize % 2]),
            weight: dec(["0.3", "0.8"][one as usize % 2]),
            band: None,
        })],
        13 => vec![Change::RemoveTarget(Dimension::Class, SafeText::new("etf"))],
        14 => account
            .map(|id| {
                let edit = AccountEdit {
                    method: Edit::Set(LotMethod::ALL[two as usize % LotMethod::ALL.len()]),
                    closed: if one.is_multiple_of(2) { Edit::Set(day(two)) } else { Edit::Keep },
                    ..AccountEdit::default()
                };
                let renamed = SafeText::new(&format!("Renamed {two}"));
                vec![Change::RenameAccount(id, renamed), Change::EditAccount(id, edit)]
            })
            .unwrap_or_default(),
        15 => security
            .map(|id| {
                let edit = SecurityEdit {
                    symbol: one.is_multiple_of(2).then(|| SafeText::new(&format!("{symbol}{two}"))),
                    class: Edit::Set(AssetClass::Etf),
                    currency: Currency::parse("CAD").ok().filter(|_| one.is_multiple_of(3)),
                    ..SecurityEdit::default()
                };
                vec![Change::EditSecurity(id, edit)]
            })
            .unwrap_or_default(),
        16 => {
            let list = Edit::Set(SafeText::new(["later", "now"][one as usize % 2]));
            let target = Edit::Set(Dec::from_i64(i64::from(two) + 1));
            let edit = WatchEdit { list, target, note: Edit::Keep };
            // One of them is not the one that is held.
            let currency = ["USD", "USD", "CAD"][one as usize % 3];
            let security = Mention::parse(&format!("{symbol}@{currency}")).unwrap();
            vec![Change::Watch(security, edit)]
        }
        17 => security.map(|id| vec![Change::Unwatch(id)]).unwrap_or_default(),
        18 => alerted(engine, one, two).await,
        _ => {
            let house = edit::account_named(&engine.session, "Cottage").await.unwrap().id;
            vec![Change::SetBalance(house, day(two), Dec::from_i64(i64::from(one)))]
        }
    }
}

/// A household to begin with: from a file, so that some edits are overlays.
async fn begin(engine: &Engine) {
    let file = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
        2024-01-02,Main,DEPOSIT,,,,,USD,1000\n\
        2024-01-03,Main,BUY,AAA,10,20,1,USD,\n\
        2024-01-09,Other,DEPOSIT,,,,,USD,500\n\
        2024-01-12,Main,DIVIDEND,AAA,,,,USD,4\n";
    engine.import(&[("1.csv", file)]).await;
    engine.edit(new_account("Cottage", Mode::Balances)).await;
}

async fn undone_and_redone(engine: &Engine, sequence: &[(u8, u32, u32)]) {
    let first = engine.dump().await;
    let mut back: Vec<Steps> = Vec::new();
    for one in sequence {
        let changes = made(engine, *one).await;
        if changes.is_empty() {
            continue;
        }
        // What is refused changes nothing; what changed nothing has nothing to take back.
        if let Ok(applied) = apply_all(&engine.session, changes).await
            && !applied.steps.is_empty()
        {
            back.push(applied.steps);
        }
    }
    let last = engine.dump().await;
    let mut forward = Vec::new();
    while let Some(steps) = back.pop() {
        forward.push(take_back(&engine.session, steps).await.unwrap().steps);
    }
    assert_eq!(engine.dump().await, first, "undone: {sequence:?}");
    while let Some(steps) = forward.pop() {
        back.push(take_back(&engine.session, steps).await.unwrap().steps);
    }
    assert_eq!(engine.dump().await, last, "redone: {sequence:?}");
    while let Some(steps) = back.pop() {
        take_back(&engine.session, steps).await.unwrap();
    }
    assert_eq!(engine.dump().await, first, "undone again: {sequence:?}");
    assert_eq!(engine.damage().await, [""; 0], "{sequence:?}");
}

#[test]
fn any_sequence_of_edits_undone_is_the_store_as_it_was() {
    let times = if std::env::var_os("DASHTAM_FULL").is_some() { 10 } else { 1 };
    let config =
        Config { cases: SEQUENCES * times, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let sequences = proptest::collection::vec((any::<u8>(), 0..40u32, 0..40u32), 1..24);
    let run = runner.run(&sequences, |sequence| {
        runtime.block_on(async {
            let engine = sqlite().await;
            begin(&engine).await;
            undone_and_redone(&engine, &sequence).await;
            engine.close().await;
        });
        Ok(())
    });
    run.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_each_edit_is_undone_on_every_engine() {
    let sequence: Vec<(u8, u32, u32)> =
        (0..34).map(|what| (what, 3 + u32::from(what) * 7, 5)).collect();
    on_each(async |engine| {
        begin(engine).await;
        undone_and_redone(engine, &sequence).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_changed_since_is_not_taken_back() {
    on_each(async |engine| {
        begin(engine).await;
        let buy = Change::AddTransaction(Box::new(trade("Main", Subtype::Buy, "DDD", 5)));
        let mine = engine.edit(buy).await;
        let id = mine.transactions[0];
        let note = RowEdit { note: Some(SafeText::new("theirs")), ..RowEdit::default() };
        engine.edit_row(id, note).await;
        let before = engine.dump().await;
        let error = take_back(&engine.session, mine.steps).await.unwrap_err();
        assert!(error.to_string().contains("was changed since by somebody else"), "{error}");
        assert!(error.is_overtaken());
        assert_eq!(engine.dump().await, before, "all or nothing");
        // A security that somebody else needs by now stays when its first row goes.
        let mine = engine
            .edit(Change::AddTransaction(Box::new(trade("Main", Subtype::Buy, "EEE", 5))))
            .await;
        engine.edit(Change::AddTransaction(Box::new(trade("Main", Subtype::Buy, "EEE", 9)))).await;
        take_back(&engine.session, mine.steps).await.unwrap();
        assert!(engine.dump().await.contains("EEE"));
    })
    .await;
}

/// Two rows of one id are one move: whoever takes one back and makes it again has one move again.
#[tokio::test(flavor = "multi_thread")]
async fn a_half_that_is_made_again_finds_its_other_half() {
    on_each(async |engine| {
        begin(engine).await;
        let half = |account, what, amount| {
            let amount = Some(Dec::from_i64(amount));
            Entry { id: Some(SafeText::new("W-1")), amount, ..row(account, what, 5) }
        };
        let out = half("Main", Subtype::Withdrawal, -50);
        engine.edit(Change::AddTransaction(Box::new(out))).await;
        let into = half("Other", Subtype::Deposit, 50);
        let mine = engine.edit(Change::AddTransaction(Box::new(into))).await;
        let linked = async || {
            let rows = engine.rows().await.into_iter();
            rows.filter(|row| !row.linked.is_empty()).count()
        };
        assert_eq!(linked().await, 2);
        let whole = engine.dump().await;
        let back = take_back(&engine.session, mine.steps).await.unwrap();
        assert_eq!(linked().await, 0);
        let again = take_back(&engine.session, back.steps).await.unwrap();
        assert_eq!(linked().await, 2);
        assert_eq!(engine.dump().await, whole);
        // And once more: what was done again is known as it was done.
        let back = take_back(&engine.session, again.steps).await.unwrap();
        assert_eq!(linked().await, 0);
        // Without its other half it is alone, and can be taken back all the same.
        let other = engine.rows().await.into_iter().find(|row| row.amount == dec("-50"));
        engine.edit(Change::DeleteTransaction(other.unwrap().id)).await;
        let again = take_back(&engine.session, back.steps).await.unwrap();
        assert_eq!(linked().await, 0);
        take_back(&engine.session, again.steps).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_changes_are_written_together_or_not_at_all() {
    on_each(async |engine| {
        begin(engine).await;
        let before = engine.dump().await;
        let right = Change::AddTransaction(Box::new(trade("Main", Subtype::Buy, "FFF", 5)));
        let wrong = Change::AddTransaction(Box::new(trade("Nowhere", Subtype::Buy, "FFF", 5)));
        let error = apply_all(&engine.session, vec![right, wrong]).await.unwrap_err();
        assert_eq!(error.refusal().unwrap().0, "account");
        assert_eq!(engine.dump().await, before);
    })
    .await;
}
