//! What a provider says that an account comes to: it is opened once, by an answer that lacks nothing,
//! so that the ledger comes to the same; and whatever differs later is told and never corrected.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use chrono::NaiveDate;
use dashtam::ledger::{self, Delivered, ToldAccount};
use dashtam::model::{
    AccountEdit, BatchId, Change, Connection, Currency, Dec, Entry, EntryType, Mention, Mode, OpId,
    SafeText, SecurityEdit, Standing, StatedHolding, Subtype, Unit, midnight_micros,
};
use dashtam::service::edit::RowEdit;
use support::delivery::{self, checking, connect};
use support::engines::{Engine, TODAY, clock, on_each};

/// A bank as it answers once.
#[derive(Clone, Default)]
struct Answer {
    balance: &'static str,
    /// Of which day, else today.
    date: Option<&'static str>,
    /// Day and amount; the day is the id too.
    rows: Vec<(&'static str, &'static str)>,
    /// Symbol, quantity and value.
    holdings: Vec<(&'static str, &'static str, Option<&'static str>)>,
    left_out: bool,
    /// Only the last days were asked for.
    is_late: bool,
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

fn told(name: &str, answer: &Answer) -> ToldAccount {
    let row = |(day, amount): &(&str, &str)| {
        let sort = if amount.starts_with('-') { Subtype::Withdrawal } else { Subtype::Deposit };
        let unit = Unit::from(Currency::USD);
        let row = Entry::new(SafeText::new(name), self::day(day), EntryType::One(sort), unit);
        let (id, amount) = (Some(SafeText::new(day)), Some(dec(amount)));
        (
            midnight_micros(row.date),
            Entry { id, amount, amount_stands: true, ..row }.check().unwrap(),
        )
    };
    let holding = |(symbol, quantity, value): &(&str, &str, Option<&str>)| StatedHolding {
        security: Mention { currency: Some(Currency::USD), ..Mention::parse(symbol).unwrap() },
        name: None,
        class: None,
        multiplier: None,
        currency: Currency::USD,
        quantity: dec(quantity),
        value: value.map(dec),
        cost: None,
    };
    let since = if answer.is_late { "2026-11-05" } else { "2025-11-25" };
    ToldAccount {
        id: SafeText::new(name),
        account: checking(name),
        rows: answer.rows.iter().map(row).collect(),
        complete_since: Some(midnight_micros(day(since))),
        may_be_empty: false,
        left_out: answer.left_out,
        standing: Some(Standing {
            date: answer.date.map_or(TODAY, day),
            balance: dec(answer.balance),
            cash: None,
            holdings: Some(answer.holdings.iter().map(holding).collect()),
        }),
    }
}

async fn deliver(engine: &Engine, bank: &Connection, answers: &[(&str, &Answer)]) -> Delivered {
    // A write that leaves no revision has an operation of its own too.
    static OPS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1_000);
    let op = OPS.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    let accounts = answers.iter().map(|(name, answer)| told(name, answer)).collect();
    let from_start = !answers.iter().any(|(_, answer)| answer.is_late);
    let delivered = delivery::deliver(engine, bank, accounts, from_start, op).await;
    let store = &engine.session.store;
    assert_eq!(ledger::check(store).await.unwrap(), [].into(), "the figures follow");
    delivered
}

/// One account, `A`.
async fn answer(engine: &Engine, bank: &Connection, answer: &Answer) -> Delivered {
    deliver(engine, bank, &[("A", answer)]).await
}

/// Day and amount of each opening of cash.
async fn openings(engine: &Engine) -> Vec<String> {
    let rows = engine.rows().await.into_iter().filter(|row| row.subtype == Subtype::Opening);
    let cash = rows.filter(|row| row.symbol.is_none());
    cash.map(|row| format!("{} {}", row.date, row.amount)).collect()
}

async fn differences(engine: &Engine) -> Vec<String> {
    let mut tx = engine.session.store.read().await.unwrap();
    let found = tx.findings().await.unwrap().into_iter();
    found.filter(|it| it.kind == "reconcile").map(|it| it.detail).collect()
}

async fn import_list(engine: &Engine) -> Vec<BatchId> {
    let all = dashtam::service::import::list(&engine.session).await.unwrap();
    all.iter().rev().map(|batch| batch.id).collect()
}

/// Whether everything is asked for the next time.
async fn asks_all(engine: &Engine) -> bool {
    let mut tx = engine.session.store.read().await.unwrap();
    tx.refreshes().await.unwrap()[0].succeeded.is_none()
}

#[tokio::test]
async fn the_first_whole_answer_opens_whatever_came_before_it() {
    on_each(async |engine| {
        let bank = connect(engine).await;
        let rows = vec![("2026-11-10", "-50")];
        let first = Answer { balance: "5000", rows, left_out: true, ..Answer::default() };
        answer(engine, &bank, &first).await;
        assert_eq!(engine.cash_of("A", "USD").await, "-50", "nothing is made up");
        assert_eq!(differences(engine).await, ["-50 5000 USD cash"]);
        let whole = Answer { left_out: false, is_late: true, ..first };
        answer(engine, &bank, &whole).await;
        assert_eq!(openings(engine).await, ["2026-11-09 5050"], "5000 + 50");
        assert_eq!(engine.cash_of("A", "USD").await, "5000");
        assert_eq!(differences(engine).await, [""; 0]);
        // Rows of before the last days may be told too.
        assert!(asks_all(engine).await);
        let rows = vec![("2026-03-01", "1000"), ("2026-11-10", "-50")];
        let all = Answer { rows, is_late: false, ..whole };
        answer(engine, &bank, &all).await;
        assert_eq!(openings(engine).await, ["2026-02-28 4050"], "5000 - 1000 + 50");
        assert_eq!(engine.cash_of("A", "USD").await, "5000");
        assert!(!asks_all(engine).await);
        // From now on what differs is told and not corrected.
        let rows = vec![("2026-11-09", "7"), ("2026-11-10", "-50")];
        let other = Answer { balance: "5100", rows, is_late: true, ..all };
        answer(engine, &bank, &other).await;
        assert_eq!(openings(engine).await, ["2026-02-28 4050"]);
        assert_eq!(differences(engine).await, ["5007 5100 USD cash"]);
    })
    .await;
}

#[tokio::test]
async fn a_balance_without_rows_counts_at_once_and_rows_that_follow_are_in_it() {
    on_each(async |engine| {
        let bank = connect(engine).await;
        let date = Some("2026-11-18");
        let empty = Answer { balance: "5000", date, ..Answer::default() };
        answer(engine, &bank, &empty).await;
        assert_eq!(openings(engine).await, ["2026-11-18 5000"]);
        assert_eq!(engine.cash_of("A", "USD").await, "5000");
        answer(engine, &bank, &empty).await;
        assert!(!asks_all(engine).await, "an account may never have any");
        let rows = vec![("2026-11-10", "20"), ("2026-11-17", "-50"), ("2026-11-19", "-1")];
        let late = Answer { balance: "4999", rows, is_late: true, ..Answer::default() };
        answer(engine, &bank, &late).await;
        assert_eq!(openings(engine).await, ["2026-11-09 5030"], "4999 - 20 + 50 + 1");
        assert_eq!(engine.cash_of("A", "USD").await, "4999");
        assert_eq!(differences(engine).await, [""; 0]);
        assert!(asks_all(engine).await, "there may be older ones");
        let mut all = Answer { is_late: false, ..late };
        all.rows.push(("2026-01-05", "300"));
        answer(engine, &bank, &all).await;
        assert_eq!(openings(engine).await, ["2026-01-04 4730"], "5030 - 300");
        assert_eq!(engine.cash_of("A", "USD").await, "4999");
        assert!(!asks_all(engine).await);
    })
    .await;
}

#[tokio::test]
async fn a_balance_of_an_earlier_day_opens_no_account_twice() {
    on_each(async |engine| {
        let bank = connect(engine).await;
        answer(engine, &bank, &Answer { balance: "5000", ..Answer::default() }).await;
        assert_eq!(openings(engine).await, ["2026-11-20 5000"]);
        let (date, rows) = (Some("2026-11-19"), vec![("2026-11-18", "-50")]);
        answer(engine, &bank, &Answer { balance: "4950", date, rows, ..Answer::default() }).await;
        assert_eq!(openings(engine).await, ["2026-11-17 5000"], "4950 + 50");
        assert_eq!(engine.cash_of("A", "USD").await, "4950");
        assert_eq!(differences(engine).await, [""; 0]);
    })
    .await;
}

/// Cash may be opened anew; what was bought since is no opening of long ago.
#[tokio::test]
async fn an_opening_of_cash_that_is_taken_back_opens_no_security() {
    on_each(async |engine| {
        let bank = connect(engine).await;
        let rows = vec![("2026-11-10", "-50")];
        let late = Answer { balance: "5000", rows, is_late: true, ..Answer::default() };
        answer(engine, &bank, &late).await;
        let rows = vec![("2026-03-01", "1000"), ("2026-11-10", "-50")];
        let all = Answer { rows, is_late: false, ..late };
        answer(engine, &bank, &all).await;
        assert_eq!(openings(engine).await, ["2026-02-28 4050"]);
        let holdings = vec![("NEW", "10", Some("100"))];
        let bought = Answer { holdings, ..all };
        answer(engine, &bank, &bought).await;
        assert!(differences(engine).await.contains(&"0 10 units".to_owned()));
        engine.edit(Change::UndoBatch(BatchId(2))).await;
        answer(engine, &bank, &bought).await;
        let rows = engine.rows().await;
        assert!(rows.iter().all(|row| row.symbol.is_none()), "{rows:?}");
        assert!(differences(engine).await.contains(&"0 10 units".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn rows_after_a_balance_without_rows_leave_its_opening() {
    on_each(async |engine| {
        let bank = connect(engine).await;
        let empty = Answer { balance: "5000", date: Some("2026-11-10"), ..Answer::default() };
        answer(engine, &bank, &empty).await;
        let rows = vec![("2026-11-15", "-50")];
        let later = Answer { balance: "4900", rows, is_late: true, ..Answer::default() };
        answer(engine, &bank, &later).await;
        assert_eq!(openings(engine).await, ["2026-11-10 5000"]);
        assert_eq!(differences(engine).await, ["4950 4900 USD cash"], "nobody told of the rest");
        assert!(!asks_all(engine).await);
    })
    .await;
}

#[tokio::test]
async fn what_is_held_is_opened_though_its_worth_is_told_later() {
    on_each(async |engine| {
        let bank = connect(engine).await;
        let holdings = vec![("X", "10", None)];
        let unknown = Answer { balance: "600", holdings, ..Answer::default() };
        answer(engine, &bank, &unknown).await;
        let rows = engine.rows().await;
        assert_eq!((rows.len(), rows[0].quantity), (1, Some(dec("10"))), "only the ten");
        let price = Some((dec("40"), 0));
        engine.edit_row(rows[0].id, RowEdit { price, ..RowEdit::default() }).await;
        let known = Answer { holdings: vec![("X", "10", Some("500"))], ..unknown };
        answer(engine, &bank, &known).await;
        assert_eq!(openings(engine).await, ["2026-11-20 100"]);
        assert_eq!(engine.rows().await.len(), 2);
        assert_eq!(differences(engine).await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn what_is_told_in_lots_is_opened_less_its_rows_once() {
    on_each(async |engine| {
        let bank = connect(engine).await;
        let holdings = vec![("X", "10", Some("100")), ("X", "5", Some("50"))];
        let first = Answer { balance: "200", holdings, left_out: true, ..Answer::default() };
        answer(engine, &bank, &first).await;
        let file = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
            2026-11-02,A,BUY,X,3,10,,USD,-30\n";
        engine.import(&[("a.csv", file)]).await;
        assert_eq!(differences(engine).await.len(), 2, "of 15 and of 50");
        answer(engine, &bank, &Answer { left_out: false, ..first }).await;
        assert_eq!(differences(engine).await, [""; 0]);
        assert_eq!(openings(engine).await, ["2026-11-01 80"], "200 - 150 + 30");
    })
    .await;
}

#[tokio::test]
async fn an_opening_that_was_taken_back_is_made_again() {
    on_each(async |engine| {
        let bank = connect(engine).await;
        let rows = vec![("2026-11-10", "-50")];
        let mut told = Answer { balance: "5000", rows, ..Answer::default() };
        answer(engine, &bank, &told).await;
        let first = engine.last_batch().await;
        told.rows.push(("2026-11-15", "-100"));
        told.balance = "4900";
        answer(engine, &bank, &told).await;
        engine.undo(first).await;
        assert_eq!(openings(engine).await, [""; 0]);
        told.is_late = true;
        answer(engine, &bank, &told).await;
        assert_eq!(engine.cash_of("A", "USD").await, "4900");
        assert_eq!(openings(engine).await, ["2026-11-09 5050"]);
    })
    .await;
}

/// Some tell only from the first row on all there is.
#[tokio::test]
async fn what_only_all_rows_open_has_all_of_them_asked_for() {
    on_each(async |engine| {
        let bank = connect(engine).await;
        let rows = vec![("2026-11-10", "-50")];
        let whole = Answer { balance: "5000", rows, ..Answer::default() };
        let late = |left_out| {
            let late = told("A", &Answer { left_out, ..whole.clone() });
            vec![ToldAccount { complete_since: None, ..late }]
        };
        delivery::deliver(engine, &bank, late(true), false, 501).await;
        assert!(!asks_all(engine).await, "what is missing is asked for as it is");
        delivery::deliver(engine, &bank, late(false), false, 502).await;
        assert!(asks_all(engine).await);
        assert_eq!(openings(engine).await, [""; 0]);
        answer(engine, &bank, &whole).await;
        assert!(!asks_all(engine).await);
        assert_eq!(openings(engine).await, ["2026-11-09 5050"]);
        // What was taken back comes again, and what it opened with after it.
        for batch in import_list(engine).await {
            engine.undo(batch).await;
        }
        delivery::deliver(engine, &bank, late(false), false, 503).await;
        assert!(asks_all(engine).await);
        answer(engine, &bank, &whole).await;
        assert_eq!(openings(engine).await, ["2026-11-09 5050"]);
        // Once it is open, nothing more than the last days is needed.
        delivery::deliver(engine, &bank, late(false), false, 504).await;
        assert!(!asks_all(engine).await);
    })
    .await;
}

#[tokio::test]
async fn what_was_there_before_a_connection_is_a_persons_to_say() {
    on_each(async |engine| {
        let file = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
            2026-01-02,A,DEPOSIT,,,,,USD,100\n";
        engine.import(&[("a.csv", file)]).await;
        let bank = connect(engine).await;
        let rows = vec![("2026-11-10", "-50")];
        let told = Answer { balance: "5000", rows, ..Answer::default() };
        for _ in 0..2 {
            answer(engine, &bank, &told).await;
            assert_eq!(openings(engine).await, [""; 0]);
            assert_eq!(differences(engine).await, ["50 5000 USD cash"]);
        }
    })
    .await;
}

/// A screen reads anew where a revision is new.
#[tokio::test]
async fn a_difference_alone_is_news() {
    on_each(async |engine| {
        let bank = connect(engine).await;
        let rows = vec![("2026-11-10", "-50"), ("2026-11-11", "-7")];
        let told = Answer { balance: "5000", rows, ..Answer::default() };
        answer(engine, &bank, &told).await;
        let deleted = engine.rows().await.into_iter().find(|row| row.amount == dec("-7")).unwrap();
        engine.edit(Change::DeleteTransaction(deleted.id)).await;
        let before = engine.revision().await;
        answer(engine, &bank, &told).await;
        assert_eq!(differences(engine).await, ["5007 5000 USD cash"]);
        let found = engine.revision().await;
        assert!(found > before, "{found}");
        answer(engine, &bank, &told).await;
        assert_eq!(engine.revision().await, found, "it is known by now");
        engine.edit(Change::RestoreTransaction(deleted.id)).await;
        let before = engine.revision().await;
        answer(engine, &bank, &told).await;
        assert_eq!(differences(engine).await, [""; 0]);
        assert!(engine.revision().await > before);
    })
    .await;
}

#[tokio::test]
async fn a_holding_is_the_security_that_its_rows_are() {
    on_each(async |engine| {
        let bank = connect(engine).await;
        let holdings = vec![("FB", "10", Some("500"))];
        let told = Answer { balance: "500", holdings, ..Answer::default() };
        answer(engine, &bank, &told).await;
        let mut tx = engine.session.store.read().await.unwrap();
        let security = tx.securities().await.unwrap()[0].security.id;
        drop(tx);
        let symbol = Some(SafeText::new("META"));
        let edit = SecurityEdit { symbol, ..SecurityEdit::default() };
        engine.edit(Change::EditSecurity(security, edit)).await;
        answer(engine, &bank, &told).await;
        assert_eq!(differences(engine).await, [""; 0]);
        // What nobody knows here is told by its symbol.
        let mut more = told.clone();
        more.holdings.push(("NEW", "3", None));
        for _ in 0..2 {
            answer(engine, &bank, &more).await;
            assert_eq!(differences(engine).await, ["0 3 units of NEW"]);
            assert_eq!(engine.damage().await, [""; 0], "nothing leads nowhere");
        }
    })
    .await;
}

#[tokio::test]
async fn a_holding_in_two_accounts_has_one_price() {
    on_each(async |engine| {
        let bank = connect(engine).await;
        let held = |quantity, value| Answer {
            balance: value,
            holdings: vec![("X", quantity, Some(value))],
            ..Answer::default()
        };
        let (few, many) = (held("3", "10.01"), held("3000", "10000.02"));
        let both = [("A", &few), ("B", &many)];
        deliver(engine, &bank, &both).await;
        let before = engine.revision().await;
        deliver(engine, &bank, &both).await;
        assert_eq!(engine.revision().await, before, "the second time nothing is new");
        let mut tx = engine.session.store.read().await.unwrap();
        let id = tx.securities().await.unwrap()[0].security.id;
        let source = SafeText::new(&format!("provider:{}", bank.id));
        let close = tx.close_by(id, &source, TODAY).await.unwrap().unwrap();
        assert_eq!(close.close, dec("3.33334"), "10000.02 / 3000");
    })
    .await;
}

#[tokio::test]
async fn a_balance_by_a_person_stays_and_one_of_a_file_comes_back() {
    on_each(async |engine| {
        let bank = connect(engine).await;
        let june = |balance, date| Answer { balance, date: Some(date), ..Answer::default() };
        answer(engine, &bank, &june("400", "2026-06-01")).await;
        let account = engine.account("A").await;
        let edit = AccountEdit { mode: Some(Mode::Balances), ..AccountEdit::default() };
        engine.edit(Change::EditAccount(account, edit)).await;
        engine.edit(Change::SetBalance(account, day("2026-06-10"), dec("500"))).await;
        answer(engine, &bank, &june("510", "2026-06-10")).await;
        let balance = async |date| {
            let mut tx = engine.session.store.read().await.unwrap();
            tx.balance_on(account, day(date)).await.unwrap().unwrap().amount
        };
        assert_eq!(balance("2026-06-10").await, dec("500"));
        assert_eq!(differences(engine).await, ["500 510 USD balance"]);
        // What another import said of a day holds again once this one is taken back.
        answer(engine, &bank, &june("600", "2026-06-20")).await;
        answer(engine, &bank, &june("610", "2026-06-20")).await;
        assert_eq!(balance("2026-06-20").await, dec("610"));
        let list = engine.session.store.read().await.unwrap().batches().await.unwrap();
        engine.undo(list.last().unwrap().id).await;
        assert_eq!(balance("2026-06-20").await, dec("600"));
    })
    .await;
}

#[tokio::test]
async fn what_differs_from_a_provider_that_is_asked_no_more_is_over() {
    on_each(async |engine| {
        let bank = connect(engine).await;
        let rows = vec![("2026-11-10", "-50")];
        let told = Answer { balance: "5000", rows, ..Answer::default() };
        answer(engine, &bank, &told).await;
        answer(engine, &bank, &Answer { balance: "1", ..told }).await;
        assert_eq!(differences(engine).await, ["5000 1 USD cash"]);
        let (store, now) = (&engine.session.store, clock().now().timestamp_micros());
        ledger::disconnect(store, &bank, None, OpId::at(9_999), now).await.unwrap();
        assert_eq!(differences(engine).await, [""; 0]);
    })
    .await;
}

/// Where a person has the last word about an opening, it stays as it is.
#[tokio::test]
async fn an_opening_that_a_person_edited_is_left_alone() {
    on_each(async |engine| {
        let bank = connect(engine).await;
        let empty = Answer { balance: "5000", date: Some("2026-11-18"), ..Answer::default() };
        answer(engine, &bank, &empty).await;
        let id = engine.rows().await[0].id;
        let amount = Some(dec("4000"));
        engine.edit_row(id, RowEdit { amount, ..RowEdit::default() }).await;
        let rows = vec![("2026-11-10", "20")];
        answer(engine, &bank, &Answer { rows, ..empty }).await;
        assert_eq!(openings(engine).await, ["2026-11-18 4000"]);
        assert_eq!(differences(engine).await, ["4020 5000 USD cash"]);
    })
    .await;
}

#[tokio::test]
async fn balances_alone_are_no_import_in_the_list() {
    on_each(async |engine| {
        let bank = connect(engine).await;
        let rows = vec![("2026-11-10", "-50")];
        let mut told =
            Answer { balance: "5000", date: Some("2026-11-18"), rows, ..Answer::default() };
        answer(engine, &bank, &told).await;
        let first = engine.last_batch().await;
        told.date = Some("2026-11-19");
        answer(engine, &bank, &told).await;
        assert_eq!(engine.last_batch().await, first);
        told.rows.push(("2026-11-19", "-1"));
        answer(engine, &bank, &told).await;
        assert_ne!(engine.last_batch().await, first);
    })
    .await;
}
