//! Rows that a provider tells again, in a real store: whatever a person or the bank did to them
//! meanwhile, each is there once, and what is told no more is cancelled once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use chrono::NaiveDate;
use dashtam::ledger::{Delivered, ToldAccount};
use dashtam::model::{
    Connection, Currency, Dec, Entry, EntryType, SafeText, Status, Subtype, TransactionId, Unit,
    midnight_micros,
};
use dashtam::service::edit::RowEdit;
use dashtam::store::StoredTransaction;
use support::bank::{Bank, Ids};
use support::delivery;
use support::engines::{Engine, on_each};

/// A row as a bank tells it: its id, day, amount and text, and whether it is final.
type Told<'a> = (&'a str, &'a str, &'a str, &'a str, Status);
/// An account as a bank tells it: its id and name, since when its rows are all, and the rows.
type Account<'a> = (&'a str, &'a str, Option<&'a str>, Vec<Told<'a>>);

fn booked<'a>(id: &'a str, day: &'a str, amount: &'a str) -> Told<'a> {
    (id, day, amount, "Diner", Status::Settled)
}

fn held<'a>(id: &'a str, day: &'a str, amount: &'a str) -> Told<'a> {
    (id, day, amount, "Diner", Status::Pending)
}

fn day(day: &str) -> NaiveDate {
    day.parse().unwrap()
}

/// Delivers what the bank tells of its accounts.
async fn tell(engine: &Engine, bank: &Connection, accounts: &[Account<'_>]) -> Delivered {
    tell_surely(engine, bank, accounts, false).await
}

/// The same, where nothing may mean that there is nothing.
async fn tell_surely(
    engine: &Engine,
    bank: &Connection,
    accounts: &[Account<'_>],
    may_be_empty: bool,
) -> Delivered {
    let told = accounts.iter().map(|(id, name, since, rows)| ToldAccount {
        id: SafeText::new(id),
        account: delivery::checking(name),
        rows: rows.iter().map(|row| (midnight_micros(day(row.1)), entry(name, row))).collect(),
        complete_since: since.map(|since| midnight_micros(day(since))),
        may_be_empty,
        left_out: false,
        standing: None,
    });
    deliver(engine, bank, told.collect()).await
}

async fn deliver(engine: &Engine, bank: &Connection, accounts: Vec<ToldAccount>) -> Delivered {
    let op = engine.revision().await.cast_unsigned() + 1_000;
    delivery::deliver(engine, bank, accounts, true, op).await
}

fn entry(account: &str, (id, day, amount, text, status): &Told<'_>) -> dashtam::model::Drafts {
    let sort = if amount.starts_with('-') { Subtype::Withdrawal } else { Subtype::Deposit };
    let unit = Unit::from(Currency::USD);
    let row = Entry::new(SafeText::new(account), self::day(day), EntryType::One(sort), unit);
    let (id, amount) = (Some(SafeText::new(id)), Dec::parse(amount).ok());
    let description = Some(SafeText::new(text));
    let row = Entry { id, amount, amount_stands: true, description, status: *status, ..row };
    row.check().unwrap()
}

/// New, changed and cancelled rows.
fn counts(delivered: &Delivered) -> [u64; 3] {
    // A cancelled row is a changed one too.
    let changed = delivered.counts.changed - delivered.cancelled;
    [delivered.counts.new, changed, delivered.cancelled]
}

/// Every row of an account, cancelled ones too.
async fn stored(engine: &Engine, account: &str) -> Vec<StoredTransaction> {
    let account = engine.account(account).await;
    let mut tx = engine.session.store.read().await.unwrap();
    tx.transactions_of_account(account).await.unwrap()
}

/// The same in words: id, day, amount and status, in the order of days.
async fn rows(engine: &Engine, account: &str) -> Vec<String> {
    let mut rows = stored(engine, account).await;
    rows.sort_by_key(|row| (row.transaction.facts.date, row.transaction.id));
    let words = rows.iter().map(|row| {
        let (id, facts) = (row.transaction.source_id.as_ref().unwrap(), &row.transaction.facts);
        let day = facts.date.format("%m-%d");
        format!("{id} {day} {} {}", facts.amount, facts.status.as_str())
    });
    words.collect()
}

async fn the_row(engine: &Engine, account: &str, id: &str) -> TransactionId {
    let rows = stored(engine, account).await;
    let mut found = rows.iter().map(|row| &row.transaction);
    let id = SafeText::new(id);
    found.find(|row| row.source_id.as_ref() == Some(&id)).expect("it is there").id
}

const NOTHING: [u64; 3] = [0, 0, 0];

/// What a person moved to another account is where the bank has it all the same.
#[tokio::test]
async fn a_row_that_a_person_moved_to_another_account_is_told_where_it_was() {
    on_each(async |engine| {
        let bank = delivery::connect(engine).await;
        let since = Some("2026-11-01");
        let both = |moved: Vec<Told<'static>>| {
            let more = [moved, vec![booked("c", "2026-11-11", "-3")]].concat();
            let other = vec![booked("b", "2026-11-10", "-1")];
            [("1", "Card", since, more), ("2", "Broker", since, other)]
        };
        let first = booked("a", "2026-11-10", "-5");
        tell(engine, &bank, &both(vec![first])).await;
        let id = the_row(engine, "Card", "a").await;
        let edit = RowEdit { account: Some(SafeText::new("Broker")), ..RowEdit::default() };
        engine.edit_row(id, edit).await;
        for _ in 0..3 {
            assert_eq!(counts(&tell(engine, &bank, &both(vec![first])).await), NOTHING);
        }
        let changed = tell(engine, &bank, &both(vec![booked("a", "2026-11-10", "-6")])).await;
        assert_eq!(counts(&changed), [0, 1, 0]);
        let renamed = tell(engine, &bank, &both(vec![booked("z", "2026-11-10", "-6")])).await;
        assert_eq!(counts(&renamed), NOTHING);
        assert_eq!(engine.cash_of("Broker", "USD").await, "-7");
        assert_eq!(counts(&tell(engine, &bank, &both(vec![])).await), [0, 0, 1]);
        assert_eq!(engine.cash_of("Broker", "USD").await, "-1");
        assert_eq!(engine.cash_of("Card", "USD").await, "-3");
        assert_eq!(counts(&tell(engine, &bank, &both(vec![])).await), NOTHING);
    })
    .await;
}

#[tokio::test]
async fn a_row_whose_day_a_person_changed_is_told_of_its_own_day() {
    on_each(async |engine| {
        let bank = delivery::connect(engine).await;
        let tell = async |rows: Vec<Told<'static>>| {
            let rows = [rows, vec![booked("c", "2026-11-11", "-3")]].concat();
            counts(&tell(engine, &bank, &[("1", "Card", Some("2026-11-01"), rows)]).await)
        };
        tell(vec![booked("a", "2026-11-10", "-5")]).await;
        let id = the_row(engine, "Card", "a").await;
        for date in ["2026-09-01", "2026-08-01"] {
            engine.edit_row(id, RowEdit { date: Some(day(date)), ..RowEdit::default() }).await;
            assert_eq!(tell(vec![booked("z", "2026-11-10", "-5")]).await, NOTHING);
        }
        assert_eq!(tell(vec![]).await, [0, 0, 1]);
        assert_eq!(tell(vec![]).await, NOTHING);
        assert_eq!(rows(engine, "Card").await, ["a 08-01 -5 cancelled", "c 11-11 -3 settled"]);
    })
    .await;
}

/// A card that was renewed, and the old one is told again beside the new one.
#[tokio::test]
async fn two_accounts_of_the_bank_that_are_one_here_are_told_together() {
    on_each(async |engine| {
        let bank = delivery::connect(engine).await;
        let card = |id, row: Told<'static>| (id, "Card", Some("2026-11-01"), vec![row]);
        let old = card("c1", booked("a", "2026-11-10", "-5"));
        let new = card("c2", booked("b", "2026-11-12", "-7"));
        tell(engine, &bank, &[("c1", "Card", None, old.3.clone())]).await;
        tell(engine, &bank, &[("c2", "Card", None, new.3.clone())]).await;
        for _ in 0..2 {
            assert_eq!(counts(&tell(engine, &bank, &[old.clone(), new.clone()]).await), NOTHING);
            assert_eq!(engine.cash_of("Card", "USD").await, "-12");
        }
        // What is missing from both is missing.
        let other = card("c2", booked("x", "2026-11-14", "-1"));
        let told = tell(engine, &bank, &[old.clone(), other.clone()]).await;
        assert_eq!(counts(&told), [1, 0, 1]);
        // One that tells nothing at all may have more.
        let silent = ("c2", "Card", Some("2026-11-01"), vec![]);
        assert_eq!(counts(&tell(engine, &bank, &[old, silent]).await), NOTHING);
        assert_eq!(engine.cash_of("Card", "USD").await, "-6");
    })
    .await;
}

/// The two halves of a move, which the bank calls the same.
#[tokio::test]
async fn rows_linked_by_a_common_id_are_known_as_others_are() {
    on_each(async |engine| {
        let bank = delivery::connect(engine).await;
        let tell = async |id: Option<&'static str>, day: &'static str| {
            let with = |other: Told<'static>, amount: &'static str| {
                let moved = id.map(|id| (id, day, amount, "Move", Status::Settled));
                moved.into_iter().chain([other]).collect()
            };
            let since = Some("2026-11-01");
            let checking = with(booked("c", "2026-11-12", "-1"), "-500");
            let savings = with(booked("s", "2026-11-12", "-2"), "500");
            let accounts = [("1", "Checking", since, checking), ("2", "Savings", since, savings)];
            counts(&tell(engine, &bank, &accounts).await)
        };
        assert_eq!(tell(Some("t1"), "2026-11-10").await, [4, 0, 0]);
        assert!(stored(engine, "Checking").await[0].transaction.link.is_some());
        assert_eq!(tell(Some("r1"), "2026-11-10").await, NOTHING, "under another id");
        assert_eq!(tell(None, "2026-11-10").await, [0, 0, 2], "taken back");
        assert_eq!(engine.cash_of("Savings", "USD").await, "-2");
        assert_eq!(tell(Some("t1"), "2026-11-10").await, [0, 2, 0], "and there again");
        assert_eq!(engine.cash_of("Savings", "USD").await, "498");
    })
    .await;
}

/// A bank that counts its rows gives a number of long ago to another row.
#[tokio::test]
async fn an_id_that_an_old_row_has_does_not_write_over_it() {
    on_each(async |engine| {
        let bank = delivery::connect(engine).await;
        let tell = async |since: &'static str, rows: Vec<Told<'static>>| {
            counts(&tell(engine, &bank, &[("1", "Card", Some(since), rows)]).await)
        };
        let old = [booked("1", "2026-08-20", "-1"), booked("2", "2026-08-21", "-2")];
        let newer = [booked("3", "2026-11-01", "-3"), booked("4", "2026-11-02", "-4")];
        assert_eq!(tell("2026-08-01", [old, newer].concat()).await, [4, 0, 0]);
        let now = vec![
            booked("1", "2026-11-01", "-3"),
            booked("2", "2026-11-02", "-4"),
            booked("3", "2026-11-03", "-5"),
        ];
        assert_eq!(tell("2026-10-20", now.clone()).await, [1, 0, 0]);
        assert_eq!(tell("2026-10-20", now).await, NOTHING);
        // Ten days later the first two are too old to be told.
        let later = vec![booked("1", "2026-11-03", "-5"), booked("2", "2026-11-14", "-6")];
        assert_eq!(tell("2026-11-03", later.clone()).await, [1, 0, 0]);
        assert_eq!(tell("2026-11-03", later).await, NOTHING);
        let rows_now = rows(engine, "Card").await;
        let amounts: Vec<_> = rows_now.iter().map(|row| row.split(' ').nth(2).unwrap()).collect();
        assert_eq!(amounts, ["-1", "-2", "-3", "-4", "-5", "-6"]);
        assert!(rows_now.iter().all(|row| row.ends_with(" settled")));
        // One that keeps its id and moves into what is told, as well as what was pending long.
        let rows = vec![booked("s", "2026-11-02", "-8"), held("h", "2026-10-01", "-50")];
        tell("2026-10-01", rows).await;
        let now = vec![booked("s", "2026-11-05", "-8"), booked("h", "2026-11-06", "-61")];
        assert_eq!(tell("2026-11-04", now).await, [0, 2, 0]);
    })
    .await;
}

/// The only row of a quiet card was a hold, which came to nothing.
#[tokio::test]
async fn who_says_that_there_is_nothing_is_believed() {
    on_each(async |engine| {
        let bank = delivery::connect(engine).await;
        let card = |rows| [("1", "Card", Some("2026-11-01"), rows)];
        tell(engine, &bank, &card(vec![held("h", "2026-11-10", "-50")])).await;
        assert_eq!(counts(&tell(engine, &bank, &card(vec![])).await), NOTHING);
        assert_eq!(counts(&tell_surely(engine, &bank, &card(vec![]), true).await), [0, 0, 1]);
        assert_eq!(counts(&tell_surely(engine, &bank, &card(vec![]), true).await), NOTHING);
        assert_eq!(engine.cash_of("Card", "USD").await, "0");
    })
    .await;
}

/// What was pending before all that is told was booked in it, and is missing from it now.
#[tokio::test]
async fn a_row_is_missing_by_the_day_that_it_has_now() {
    on_each(async |engine| {
        let bank = delivery::connect(engine).await;
        let tell = async |since: &'static str, rows: Vec<Told<'static>>| {
            let rows = [rows, vec![booked("c", "2026-11-12", "-3")]].concat();
            counts(&tell(engine, &bank, &[("1", "Card", Some(since), rows)]).await)
        };
        let early = booked("e", "2026-11-03", "-1");
        tell("2026-11-01", vec![early, held("p", "2026-11-03", "-5")]).await;
        // Known by being pending, although it is older than what is told.
        assert_eq!(tell("2026-11-05", vec![booked("f", "2026-11-06", "-5")]).await, [0, 1, 0]);
        assert_eq!(tell("2026-11-05", vec![]).await, [0, 0, 1]);
        assert_eq!(tell("2026-11-05", vec![]).await, NOTHING);
        let expected = ["e 11-03 -1 settled", "p 11-06 -5 cancelled", "c 11-12 -3 settled"];
        assert_eq!(rows(engine, "Card").await, expected);
    })
    .await;
}

/// Weeks of a bank of each kind: what counts here is what the bank has.
#[tokio::test]
async fn a_history_told_again_and_again_is_there_once() {
    let engine = support::engines::sqlite().await;
    let connection = delivery::connect(&engine).await;
    for (seed, ids) in Ids::ALL.into_iter().enumerate() {
        let name = format!("{ids:?}");
        let mut bank = Bank::new(seed as u64, ids);
        let mut since = day("2026-10-01");
        for on in since.iter_days().take(25) {
            bank.live(on, 6);
            since = on - chrono::Days::new(8);
            let told = bank.tell(since);
            let words: Vec<_> = told
                .iter()
                .map(|row| (row.day.to_string(), row.cents.to_string(), row.pending))
                .collect();
            let rows = told.iter().zip(&words).map(|(row, (day, cents, pending))| {
                let status = if *pending { Status::Pending } else { Status::Settled };
                (row.id.as_str(), day.as_str(), cents.as_str(), row.text.as_str(), status)
            });
            let since = since.to_string();
            let account = [(name.as_str(), name.as_str(), Some(since.as_str()), rows.collect())];
            tell(&engine, &connection, &account).await;
        }
        let all = stored(&engine, &name).await;
        let live = all.iter().map(|row| &row.transaction.facts).filter(|facts| facts.counts());
        let text = |facts: &dashtam::model::Facts| facts.description.clone().unwrap().to_string();
        let mut live: Vec<_> =
            live.map(|facts| (facts.date, facts.amount.to_string(), text(facts))).collect();
        let there = bank.rows.iter();
        let mut there: Vec<_> =
            there.map(|row| (row.day, row.cents.to_string(), row.text.clone())).collect();
        live.sort();
        there.sort();
        assert_eq!(live, there, "{name}");
    }
    assert_eq!(engine.damage().await, [""; 0]);
    engine.close().await;
}
