//! Taking an import back takes back what it brought and nothing else, and what comes in two parts
//! comes whole or not at all; on both engines alike.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use chrono::NaiveDate;
use dashtam::model::{
    AccountEdit, AccountKind, AssetClass, Change, Currency, Dec, Edit, Entry, EntryType, Isin,
    Mention, Mode, NewAccount, PriceSubject, Quote, SafeText, SecurityEdit, Setting, Subtype, Unit,
};
use dashtam::service::Error;
use dashtam::service::edit::{Applied, RowEdit, edit_transaction, security_named};
use dashtam::service::export::ExportFormat;
use support::engines::{Engine, counts, dump_of, on_each, sqlite};

const HEADER: &str = "date,account,type,symbol,quantity,price,fee,currency,amount";

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, 1, 2).unwrap()
}

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

fn account(name: &str, kind: AccountKind, currency: Currency, mode: Mode) -> Change {
    Change::AddAccount(NewAccount {
        name: SafeText::new(name),
        kind,
        currency,
        mode,
        method: None,
        institution: None,
        closed: None,
        performance: None,
    })
}

fn deposit(account: &str, amount: &str) -> Entry {
    let what = EntryType::One(Subtype::Deposit);
    let mut entry = Entry::new(SafeText::new(account), day(), what, Unit::from(Currency::USD));
    entry.amount = Some(dec(amount));
    entry
}

/// A house with a balance, an account without rows and a deposit by hand.
async fn by_hand(engine: &Engine) {
    engine.edit(account("House", AccountKind::Other, Currency::USD, Mode::Balances)).await;
    let house = engine.account("House").await;
    engine.edit(Change::SetBalance(house, day(), dec("500000"))).await;
    engine.edit(account("Pension", AccountKind::Ira, Currency::USD, Mode::Ledger)).await;
    engine.edit(account("Main", AccountKind::Checking, Currency::USD, Mode::Ledger)).await;
    engine.edit(Change::AddTransaction(Box::new(deposit("Main", "100")))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_a_whole_store_came_stays_when_it_goes() {
    on_each(async |engine| {
        by_hand(engine).await;
        let before = engine.dump().await;
        let json = engine.export(ExportFormat::Json, None).await;
        engine.import(&[("all.json", &json)]).await;
        assert_eq!(engine.dump().await, before);
        engine.undo(engine.last_batch().await).await;
        assert_eq!(engine.dump().await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_store_goes_again_with_the_rows_that_were_typed() {
    let source = sqlite().await;
    by_hand(&source).await;
    let json = source.export(ExportFormat::Json, None).await;
    source.close().await;
    on_each(async |engine| {
        let empty = engine.dump().await;
        engine.import(&[("all.json", &json)]).await;
        assert_eq!(engine.cash_of("Main", "USD").await, "100");
        let undone = engine.undo(engine.last_batch().await).await;
        assert_eq!((undone.removed, undone.kept.len()), (1, 0));
        assert_eq!(engine.dump().await, empty);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_leaves_what_another_import_declared() {
    let source = sqlite().await;
    by_hand(&source).await;
    let json = source.export(ExportFormat::Json, None).await;
    source.close().await;
    let file = format!("{HEADER}\n2024-02-01,Other,DEPOSIT,,,,,USD,5\n");
    on_each(async |engine| {
        engine.import(&[("all.json", &json)]).await;
        let before = engine.dump().await;
        engine.import(&[("1.csv", &file)]).await;
        engine.undo(engine.last_batch().await).await;
        assert_eq!(engine.dump().await, before, "the pension has no rows and stays");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_transfer_is_never_stored() {
    let file = format!(
        "{HEADER},to_account\n2024-01-02,Main,WITHDRAWAL,,,,,USD,-100,Nope\n\
         2024-01-02,Main,DEPOSIT,,,,,USD,7,\n"
    );
    on_each(async |engine| {
        engine.edit(account("Main", AccountKind::Checking, Currency::USD, Mode::Ledger)).await;
        let wishes = |request: &mut dashtam::service::import::ImportRequest| {
            (request.strict, request.partial) = (true, true);
        };
        let report = engine.import_with(&[("1.csv", &file)], wishes).await;
        assert_eq!(counts(&report), [1, 0, 0, 0, 1]);
        assert_eq!(engine.cash_of("Main", "USD").await, "7");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_of_one_currency_never_become_another() {
    on_each(async |engine| {
        engine.edit(account("Here", AccountKind::Other, Currency::CAD, Mode::Balances)).await;
        engine.edit(account("There", AccountKind::Other, Currency::USD, Mode::Balances)).await;
        let (from, into) = (engine.account("Here").await, engine.account("There").await);
        let refused = engine.try_edit(Change::MergeAccounts { from, into }).await.unwrap_err();
        assert!(refused.to_string().contains("currency"), "{refused}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_moved_out_of_a_merged_account_is_known_again() {
    let file = format!("{HEADER}\n2024-01-02,A,DEPOSIT,,,,,USD,100\n");
    on_each(async |engine| {
        engine.import(&[("1.csv", &file)]).await;
        for name in ["B", "C"] {
            engine.edit(account(name, AccountKind::Checking, Currency::USD, Mode::Ledger)).await;
        }
        let row = engine.rows().await.remove(0);
        let moved = RowEdit { account: Some(SafeText::new("C")), ..RowEdit::default() };
        engine.edit_row(row.id, moved).await;
        let (from, into) = (engine.account("A").await, engine.account("B").await);
        engine.edit(Change::MergeAccounts { from, into }).await;
        assert_eq!(counts(&engine.import(&[("1.csv", &file)]).await), [0, 1, 0, 0, 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_stands_when_a_file_says_it_again() {
    let file = format!("{HEADER},note\n2024-01-02,Main,DEPOSIT,,,,,USD,100,xyz\n");
    on_each(async |engine| {
        engine.edit(account("Main", AccountKind::Checking, Currency::USD, Mode::Ledger)).await;
        let mut entry = deposit("Main", "100");
        entry.note = Some(SafeText::new("salary"));
        engine.edit(Change::AddTransaction(Box::new(entry))).await;
        let before = engine.dump().await;
        assert_eq!(counts(&engine.import(&[("1.csv", &file)]).await), [0, 1, 0, 0, 0]);
        assert_eq!(engine.dump().await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_of_a_row_that_moved_away_may_move_too() {
    let file = format!("{HEADER}\n2024-01-02,A,DEPOSIT,,,,,USD,100\n");
    on_each(async |engine| {
        engine.import(&[("1.csv", &file)]).await;
        engine.edit(account("B", AccountKind::Checking, Currency::USD, Mode::Ledger)).await;
        let moved = RowEdit { account: Some(SafeText::new("B")), ..RowEdit::default() };
        engine.edit_row(engine.rows().await.remove(0).id, moved).await;
        let twin = engine.edit(Change::AddTransaction(Box::new(deposit("A", "100")))).await;
        let later = RowEdit { date: day().succ_opt(), ..RowEdit::default() };
        engine.edit_row(twin.transactions[0], later).await;
        assert_eq!(counts(&engine.import(&[("1.csv", &file)]).await), [0, 1, 0, 0, 0]);
        assert_eq!(engine.rows().await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rows_of_one_id_stay_in_two_accounts() {
    let file = format!(
        "{HEADER},id\n2024-01-02,A,DEPOSIT,,,,,USD,100,i1\n2024-01-02,B,DEPOSIT,,,,,USD,5,i1\n"
    );
    on_each(async |engine| {
        engine.import(&[("1.csv", &file)]).await;
        let rows = engine.rows().await;
        let row = rows.iter().find(|row| row.amount == dec("100")).unwrap();
        let moved = RowEdit { account: Some(SafeText::new("B")), ..RowEdit::default() };
        let refused = edit_transaction(&engine.session, row.id, moved).await.unwrap_err();
        assert!(refused.to_string().contains("i1"), "{refused}");
        let (from, into) = (engine.account("A").await, engine.account("B").await);
        assert!(engine.try_edit(Change::MergeAccounts { from, into }).await.is_err());
        assert_eq!(counts(&engine.import(&[("1.csv", &file)]).await), [0, 2, 0, 0, 0]);
        assert_eq!(engine.cash_of("B", "USD").await, "5");
    })
    .await;
}

// What several imports say of one row.

/// A row with an id and a note; both files have the column, whether or not the row has a note.
fn noted(note: &str) -> String {
    format!("{HEADER},id,note\n2024-01-02,A,DEPOSIT,,,,,USD,5,i1,{note}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_another_import_says_too_stays() {
    let (old, new) = (noted("old"), noted("new"));
    on_each(async |engine| {
        let first = engine.import(&[("1.csv", &old)]).await.batch.unwrap();
        let before = engine.dump().await;
        let second = engine.import(&[("2.csv", &new)]).await.batch.unwrap();
        let third = engine.import(&[("3.csv", &new)]).await.batch.unwrap();
        let after = engine.dump().await;
        let undone = engine.undo(second).await;
        assert_eq!((undone.removed, undone.restored, undone.kept.len()), (0, 0, 0));
        assert_eq!(engine.dump().await, after, "the third says so too");
        assert_eq!(engine.undo(third).await.restored, 1);
        assert_eq!(engine.dump().await, before);
        assert_eq!(engine.undo(first).await.removed, 1);
        assert_eq!(engine.dump().await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_goes_with_the_import_that_added_it() {
    let (plain, full) = (noted(""), noted("n"));
    let without = dump_of(&[("1.csv", &plain)]).await;
    let with = dump_of(&[("2.csv", &full)]).await;
    assert_ne!(with, without);
    on_each(async |engine| {
        // Whoever came first, and whatever came after that says nothing of the field.
        for files in [[&plain, &full, &plain], [&full, &plain, &plain]] {
            let mut batches = Vec::new();
            for file in files {
                batches.push((file, engine.import(&[("1.csv", file)]).await.batch.unwrap()));
            }
            assert_eq!(engine.dump().await, with);
            let of_full = batches.extract_if(.., |(file, _)| **file == full).next().unwrap();
            assert_eq!(engine.undo(of_full.1).await.restored, 1);
            assert_eq!(engine.dump().await, without);
            for (_, batch) in batches {
                engine.undo(batch).await;
            }
            assert_eq!(engine.dump().await, "");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_category_that_came_back_goes_with_its_row() {
    let file = |category: &str| {
        format!("{HEADER},id,category\n2024-01-02,A,DEPOSIT,,,,,USD,100,i1,{category}\n")
    };
    let (food, rent) = (file("Food"), file("Rent"));
    let only_food = dump_of(&[("1.csv", &food)]).await;
    on_each(async |engine| {
        let mut batches = Vec::new();
        for text in [&food, &food, &rent] {
            batches.push(engine.import(&[("1.csv", text)]).await.batch.unwrap());
        }
        // Nobody needs the first category for a while.
        engine.undo(batches[0]).await;
        engine.undo(batches[2]).await;
        assert_eq!(engine.dump().await, only_food);
        engine.undo(batches[1]).await;
        assert_eq!(engine.dump().await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_said_before_stays_over_what_goes_back() {
    let (old, new) = (noted("old"), noted("new"));
    let mine = RowEdit { description: Some(SafeText::new("mine")), ..RowEdit::default() };
    on_each(async |engine| {
        engine.import(&[("1.csv", &old)]).await;
        engine.edit_row(engine.rows().await[0].id, mine.clone()).await;
        let before = engine.dump().await;
        let batch = engine.import(&[("2.csv", &new)]).await.batch.unwrap();
        assert_ne!(engine.dump().await, before);
        assert_eq!(engine.undo(batch).await.restored, 1);
        assert_eq!(engine.dump().await, before);
        assert_eq!(counts(&engine.import(&[("1.csv", &old)]).await), [0, 1, 0, 0, 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_says_a_row_twice_has_both_words() {
    let (plain, full, other) = (noted(""), noted("n"), noted("m"));
    on_each(async |engine| {
        engine.import(&[("1.csv", &other)]).await;
        let before = engine.dump().await;
        let second = engine.import(&[("2.csv", &plain), ("3.csv", &full)]).await.batch.unwrap();
        let with = engine.dump().await;
        let third = engine.import(&[("4.csv", &plain)]).await.batch.unwrap();
        engine.undo(third).await;
        assert_eq!(engine.dump().await, with);
        engine.undo(second).await;
        assert_eq!(engine.dump().await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_takes_nothing_for_its_own_that_came_in_meanwhile() {
    let file = |words: &str| {
        format!("{HEADER},id,description\n2024-01-02,A,DEPOSIT,,,,,USD,5,i1,{words}\n")
    };
    on_each(async |engine| {
        engine.import(&[("1.csv", &file("old"))]).await;
        let id = engine.rows().await[0].id;
        // Somebody is writing: the edit waits, and must not have read before.
        let mut writer = engine.session.store.write().await.unwrap();
        let session = engine.session.clone();
        let note = RowEdit { note: Some(SafeText::new("mine")), ..RowEdit::default() };
        let edit = tokio::spawn(async move { edit_transaction(&session, id, note).await });
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert!(!edit.is_finished());
        let mut row = writer.transaction(id).await.unwrap().unwrap();
        row.transaction.facts.description = Some(SafeText::new("new"));
        writer.update_transaction(&row).await.unwrap();
        writer.commit("another", "test", 0).await.unwrap();
        edit.await.unwrap().unwrap();
        assert_eq!(engine.descriptions().await, ["new"]);
        // Only the note is a person's.
        engine.import(&[("2.csv", &file("newer"))]).await;
        assert_eq!(engine.descriptions().await, ["newer"]);
    })
    .await;
}

// One account that came in under two names.

/// Rows with and without ids, equal ones, a reinvestment and a transfer.
fn statement(account: &str, note: &str) -> String {
    format!(
        "{HEADER},id,to_account,note\n\
         2024-01-02,{account},DEPOSIT,,,,,USD,100,,,\n\
         2024-01-02,{account},DEPOSIT,,,,,USD,100,,,\n\
         2024-01-03,{account},DEPOSIT,,,,,USD,7,i1,,{note}\n\
         2024-01-04,{account},REINVEST,X,1,2,,USD,,,,\n\
         2024-01-05,{account},WITHDRAWAL,,,,,USD,-20,,Other,\n"
    )
}

async fn merge(engine: &Engine, from: &str, into: &str) -> Result<Applied, Error> {
    let (from, into) = (engine.account(from).await, engine.account(into).await);
    engine.try_edit(Change::MergeAccounts { from, into }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_under_two_names_becomes_one() {
    let (a, b) = (statement("A", "old"), statement("B", "new"));
    let (only_a, only_b) = (statement("B", "old"), statement("B", "new"));
    let wanted = [dump_of(&[("a.csv", &only_a)]).await, dump_of(&[("b.csv", &only_b)]).await];
    for last in [0, 1] {
        on_each(async |engine| {
            let mut batches = Vec::new();
            // Whichever came last, the rows end as it says them.
            let mut files = [&b, &a];
            files.rotate_left(last);
            for file in files {
                batches.push(engine.import(&[("1.csv", file)]).await.batch.unwrap());
            }
            merge(engine, "A", "B").await.unwrap();
            assert_eq!(engine.dump().await, wanted[last]);
            for file in [&a, &b] {
                let report = engine.import(&[("1.csv", file)]).await;
                // Only the note goes to and fro.
                let same = (file == &a) == (last == 0);
                assert_eq!(counts(&report), [0, 6 + u64::from(same), u64::from(!same), 0, 0]);
                engine.undo(report.batch.unwrap()).await;
                assert_eq!(engine.dump().await, wanted[last]);
            }
            // Who goes leaves what the other says.
            engine.undo(batches[1]).await;
            assert_eq!(engine.dump().await, wanted[1 - last]);
            engine.undo(batches[0]).await;
            assert_eq!(engine.rows().await.len(), 0);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_of_both_names_stay_and_torn_ones_are_refused() {
    let (a, b) = (statement("A", "n"), statement("B", "n"));
    let said = |note: Option<&str>, description: Option<&str>| RowEdit {
        note: note.map(SafeText::new),
        description: description.map(SafeText::new),
        ..RowEdit::default()
    };
    on_each(async |engine| {
        engine.import(&[("1.csv", &a)]).await;
        engine.import(&[("2.csv", &b)]).await;
        let rows = engine.rows().await;
        let of = |name: &str| {
            let mine =
                rows.iter().find(|row| row.account.as_str() == name && row.amount == dec("7"));
            mine.unwrap().id
        };
        engine.edit_row(of("A"), said(Some("mine"), None)).await;
        engine.edit_row(of("B"), said(Some("yours"), Some("words"))).await;
        let before = engine.dump().await;
        let refused = merge(engine, "A", "B").await.unwrap_err().to_string();
        assert!(refused.contains("note") && refused.contains(&of("A").to_string()), "{refused}");
        assert_eq!(engine.dump().await, before);
        engine.edit(Change::DeleteTransaction(of("A"))).await;
        let refused = merge(engine, "A", "B").await.unwrap_err().to_string();
        assert!(refused.contains("deleted"), "{refused}");
        engine.edit(Change::RestoreTransaction(of("A"))).await;

        engine
            .edit_row(of("B"), RowEdit { clear: vec!["note".to_owned()], ..said(None, None) })
            .await;
        engine.edit_row(of("B"), said(Some("mine"), None)).await;
        merge(engine, "A", "B").await.unwrap();
        let row = engine.rows().await.into_iter().find(|row| row.amount == dec("7")).unwrap();
        assert_eq!(engine.dump().await.matches("note=\"mine\"").count(), 1);
        assert_eq!(row.description, Some(SafeText::new("words")));
        assert_eq!(counts(&engine.import(&[("1.csv", &a)]).await), [0, 7, 0, 0, 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_smaller_place_of_two_names_holds() {
    let file = |account: &str, sums: [&str; 3]| {
        let row = |sum| format!("2024-01-02,{account},DEPOSIT,,,,,USD,{sum}\n");
        format!("{HEADER}\n{}", sums.map(row).concat())
    };
    let (a, b) = (file("A", ["3", "2", "1"]), file("B", ["2", "1", "3"]));
    on_each(async |engine| {
        engine.import(&[("1.csv", &a)]).await;
        let second = engine.import(&[("2.csv", &b)]).await.batch.unwrap();
        merge(engine, "A", "B").await.unwrap();
        // 3 at 0 of A, 2 at 0 of B, 1 at 1 of B; ties by the text of the row.
        assert_eq!(engine.amounts().await, ["2", "3", "1"]);
        engine.undo(second).await;
        assert_eq!(engine.amounts().await, ["3", "2", "1"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_in_both_names_is_two_rows_and_what_came_once_is_one() {
    let file = format!("{HEADER}\n2024-01-02,A,DEPOSIT,,,,,USD,100\n");
    for typed in ["A", "B"] {
        let other = if typed == "A" { "B" } else { "A" };
        let file = file.replace(",A,", &format!(",{other},"));
        on_each(async |engine| {
            for name in ["A", "B"] {
                let (kind, mode) = (AccountKind::Checking, Mode::Ledger);
                engine.edit(account(name, kind, Currency::USD, mode)).await;
            }
            let mut entry = deposit(typed, "100");
            entry.note = Some(SafeText::new("typed"));
            engine.edit(Change::AddTransaction(Box::new(entry))).await;
            let batch = engine.import(&[("1.csv", &file)]).await.batch.unwrap();
            for name in ["A", "B"] {
                engine.edit(Change::AddTransaction(Box::new(deposit(name, "5")))).await;
            }
            merge(engine, "A", "B").await.unwrap();
            assert_eq!(engine.cash_of("B", "USD").await, "110");
            engine.undo(batch).await;
            assert_eq!(engine.cash_of("B", "USD").await, "110", "what was typed stays");
            assert_eq!(counts(&engine.import(&[("1.csv", &file)]).await), [0, 1, 0, 0, 0]);
            assert_eq!(engine.dump().await.matches("note=\"typed\"").count(), 1);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_one_import_stay_two_and_it_finds_both_again() {
    // Rows with an id could not be two in one account.
    let [a, b] = ["A", "B"].map(|name| statement(name, "n").replace(",7,i1,", ",7,,"));
    let rows_of = |file: &str| file.split_once('\n').unwrap().1.to_owned();
    let both = a.clone() + &rows_of(&b);
    let twice = a.clone() + &rows_of(&a);
    on_each(async |engine| {
        let first = engine.import(&[("both.csv", &both)]).await.batch.unwrap();
        // Of the one account there was another file, which knew of one of each.
        let second = engine.import(&[("a.csv", &a)]).await.batch.unwrap();
        merge(engine, "B", "A").await.unwrap();
        assert_eq!(engine.cash_of("A", "USD").await, "374");
        let merged = engine.dump().await;
        for (file, rows) in [(&both, 14), (&a, 7), (&b, 7), (&twice, 14)] {
            let report = engine.import(&[("again.csv", file)]).await;
            assert_eq!(counts(&report), [0, rows, 0, 0, 0]);
            engine.undo(report.batch.unwrap()).await;
            assert_eq!(engine.dump().await, merged);
        }
        engine.undo(first).await;
        assert_eq!(engine.dump().await, dump_of(&[("a.csv", &a)]).await);
        engine.undo(second).await;
        assert_eq!(engine.rows().await.len(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_rows_of_several_imports_are_as_many_as_the_one_that_had_most() {
    let row = |account: &str| format!("2024-01-02,{account},DEPOSIT,,,,,USD,10\n");
    let file = |accounts: &[&str]| {
        let rows: Vec<_> = accounts.iter().map(|account| row(account)).collect();
        format!("{HEADER}\n{}", rows.concat())
    };
    // One of each in the first, two of B in the second: no file had more than two.
    let (first, second) = (file(&["A", "B"]), file(&["B", "B"]));
    on_each(async |engine| {
        engine.import(&[("1.csv", &first)]).await;
        let batch = engine.import(&[("2.csv", &second)]).await.batch.unwrap();
        assert_eq!(engine.rows().await.len(), 3);
        merge(engine, "B", "A").await.unwrap();
        assert_eq!(engine.rows().await.len(), 2);
        for file in [&first, &second] {
            assert_eq!(counts(&engine.import(&[("1.csv", file)]).await), [0, 2, 0, 0, 0]);
        }
        engine.undo(batch).await;
        assert_eq!(engine.rows().await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_balances_of_one_day_are_neither_added_nor_lost() {
    let house = |name: &str| account(name, AccountKind::Other, Currency::USD, Mode::Balances);
    let later = day().succ_opt().unwrap();
    on_each(async |engine| {
        for name in ["A", "B"] {
            engine.edit(house(name)).await;
            let id = engine.account(name).await;
            engine.edit(Change::SetBalance(id, day(), dec("10"))).await;
        }
        let before = engine.dump().await;
        let refused = merge(engine, "B", "A").await.unwrap_err().to_string();
        assert!(refused.contains("`B`") && refused.contains("2024-01-02"), "{refused}");
        assert_eq!(engine.dump().await, before);
    })
    .await;
    // The same account under two names, from two exports.
    let whole = async |name: &str, amount: &str| {
        let engine = sqlite().await;
        engine.edit(house(name)).await;
        engine.edit(Change::SetBalance(engine.account(name).await, day(), dec(amount))).await;
        let json = engine.export(ExportFormat::Json, None).await;
        engine.close().await;
        json
    };
    let (a, b, unlike) = (whole("A", "10").await, whole("B", "10").await, whole("B", "20").await);
    on_each(async |engine| {
        engine.import(&[("a.json", &a)]).await;
        let other = engine.import(&[("unlike.json", &unlike)]).await.batch.unwrap();
        assert!(merge(engine, "B", "A").await.is_err());
        engine.undo(other).await;
        let second = engine.import(&[("b.json", &b)]).await.batch.unwrap();
        engine.edit(Change::SetBalance(engine.account("B").await, later, dec("11"))).await;
        merge(engine, "B", "A").await.unwrap();
        let dump = engine.dump().await;
        assert_eq!(dump.lines().filter(|line| line.starts_with("balance ")).count(), 2);
        engine.undo(second).await;
        let accounts = engine.accounts(day()).await;
        assert_eq!(accounts[0].value, Some(dec("10")), "the other import still states it");
    })
    .await;
}

// What imports say of accounts, securities and settings.

/// A purchase of X, with or without what tells it from its twins.
fn bought(tells: bool) -> String {
    let venue = if tells { "XNAS,US0378331005" } else { "," };
    format!("{HEADER},venue,isin\n2024-01-02,A,BUY,X,1,5,,USD,,{venue}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_file_tells_of_a_security_goes_with_it() {
    let (plain, full) = (bought(false), bought(true));
    let without = dump_of(&[("1.csv", &plain)]).await;
    let with = dump_of(&[("2.csv", &full)]).await;
    assert_ne!(with, without);
    on_each(async |engine| {
        for files in [[&plain, &full], [&full, &plain]] {
            let mut batches = Vec::new();
            for file in files {
                batches.push((file, engine.import(&[("1.csv", file)]).await.batch.unwrap()));
            }
            assert_eq!(engine.dump().await, with);
            let of_full = batches.extract_if(.., |(file, _)| **file == full).next().unwrap();
            // Another says so too, so it stays until that one goes as well.
            let again = engine.import(&[("2.csv", &full)]).await.batch.unwrap();
            engine.undo(of_full.1).await;
            assert_eq!(engine.dump().await, with);
            engine.undo(again).await;
            assert_eq!(engine.dump().await, without);
            engine.undo(batches[0].1).await;
            assert_eq!(engine.dump().await, "");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_says_of_a_security_stays() {
    let (plain, full) = (bought(false), bought(true));
    on_each(async |engine| {
        engine.import(&[("1.csv", &plain)]).await;
        let batch = engine.import(&[("2.csv", &full)]).await.batch.unwrap();
        let id = security_named(&engine.session, "X").await.unwrap().id;
        let venue = Edit::Set(SafeText::new("XNAS"));
        let edit = SecurityEdit { venue, ..SecurityEdit::default() };
        engine.edit(Change::EditSecurity(id, edit)).await;
        engine.undo(batch).await;
        let now = security_named(&engine.session, "X").await.unwrap();
        assert_eq!(now.venue, Some(SafeText::new("XNAS")), "a person says the same");
        assert_eq!(now.isin, None);
    })
    .await;
}

/// A store in which much is otherwise than [`by_hand`] has it.
async fn otherwise(engine: &Engine) {
    by_hand(engine).await;
    engine.import(&[("1.csv", &bought(true))]).await;
    let (main, house) = (engine.account("Main").await, engine.account("House").await);
    let edit = AccountEdit {
        kind: Some(AccountKind::Savings),
        currency: Some(Currency::CAD),
        institution: Edit::Set(SafeText::new("Bank")),
        closed: Edit::Set(day()),
        ..AccountEdit::default()
    };
    engine.edit(Change::EditAccount(main, edit)).await;
    let a = engine.account("A").await;
    let edit = AccountEdit { kind: Some(AccountKind::Hsa), ..AccountEdit::default() };
    engine.edit(Change::EditAccount(a, edit)).await;
    engine.edit(Change::SetBalance(house, day(), dec("77"))).await;
    engine.edit(Change::Set(Setting::BaseCurrency, "CAD".to_owned())).await;
    engine.edit(Change::Set(Setting::TimeZone, "Asia/Tokyo".to_owned())).await;
    let id = security_named(&engine.session, "X").await.unwrap().id;
    let edit = SecurityEdit {
        name: Edit::Set(SafeText::new("Ex")),
        class: Edit::Set(AssetClass::Etf),
        currency: Some(Currency::USD),
        cusip: Edit::Set(SafeText::new("037833100")),
        ..SecurityEdit::default()
    };
    engine.edit(Change::EditSecurity(id, edit)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_whole_store_wrote_over_comes_back() {
    let source = sqlite().await;
    otherwise(&source).await;
    let json = source.export(ExportFormat::Json, None).await;
    source.close().await;
    on_each(async |engine| {
        by_hand(engine).await;
        engine.import(&[("1.csv", &bought(false))]).await;
        engine.edit(Change::Set(Setting::BaseCurrency, "EUR".to_owned())).await;
        let before = engine.dump().await;
        let first = engine.import(&[("all.json", &json)]).await.batch.unwrap();
        let after = engine.dump().await;
        for changed in ["kind=savings", "CAD", "Ex", "Asia/Tokyo", "kind=hsa", "amount=77"] {
            assert!(after.contains(changed) && !before.contains(changed), "{changed}\n{after}");
        }
        // Twice, and the first goes: the second says it.
        let second = engine.import(&[("all.json", &json)]).await.batch.unwrap();
        engine.undo(first).await;
        assert_eq!(engine.dump().await, after);
        engine.undo(second).await;
        assert_eq!(engine.dump().await, before);
        // What a person says after it stays.
        let third = engine.import(&[("all.json", &json)]).await.batch.unwrap();
        engine.edit(Change::Set(Setting::BaseCurrency, "CAD".to_owned())).await;
        let main = engine.account("Main").await;
        let edit = AccountEdit { kind: Some(AccountKind::Savings), ..AccountEdit::default() };
        engine.edit(Change::EditAccount(main, edit)).await;
        engine.undo(third).await;
        let now = engine.dump().await;
        assert!(now.contains("kind=savings") && !now.contains("Asia/Tokyo"), "{now}");
        engine.edit(Change::Set(Setting::BaseCurrency, "EUR".to_owned())).await;
        let kind = Some(AccountKind::Checking);
        engine.edit(Change::EditAccount(main, AccountEdit { kind, ..Default::default() })).await;
        assert_eq!(engine.dump().await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_whole_stores_brought_stays_with_the_second() {
    let source = sqlite().await;
    by_hand(&source).await;
    let json = source.export(ExportFormat::Json, None).await;
    source.close().await;
    on_each(async |engine| {
        let first = engine.import(&[("all.json", &json)]).await.batch.unwrap();
        let whole = engine.dump().await;
        let second = engine.import(&[("all.json", &json)]).await.batch.unwrap();
        engine.undo(first).await;
        assert_eq!(engine.dump().await, whole, "accounts without rows and balances too");
        engine.undo(second).await;
        assert_eq!(engine.dump().await, "");
    })
    .await;
}

// Symbols that are given up and used again.

async fn rename(engine: &Engine, symbol: &str, new: &str) {
    let id = security_named(&engine.session, symbol).await.unwrap().id;
    let symbol = Some(SafeText::new(new));
    engine.edit(Change::EditSecurity(id, SecurityEdit { symbol, ..Default::default() })).await;
}

/// What every live row is about, in the order of rows.
async fn symbols(engine: &Engine) -> Vec<String> {
    let rows = engine.rows().await.into_iter();
    rows.map(|row| row.symbol.unwrap_or_default().into_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbol_that_is_used_again_is_another_security() {
    let rows = |days: &[&str]| {
        let row = |day: &&str| format!("{day},A,BUY,OLD,1,5,,USD,\n");
        format!("{HEADER}\n{}", days.iter().map(row).collect::<String>())
    };
    let old = rows(&["2024-01-02", "2025-01-02"]);
    let old_prices = "date,symbol,close,currency\n2024-01-02,sec:OLD,5,USD\n";
    // The day of the change still belongs to the old one.
    let later = rows(&["2026-11-20", "2026-11-21", "2026-12-01"]);
    let later_prices = "date,symbol,close,currency\n2026-11-20,OLD,6,USD\n2026-11-21,OLD,7,USD\n";
    on_each(async |engine| {
        engine.import(&[("1.csv", &old), ("p.csv", old_prices)]).await;
        rename(engine, "OLD", "NEW").await;
        let before = engine.dump().await;
        // Older files bring nothing twice.
        let report = engine.import(&[("1.csv", &old), ("p.csv", old_prices)]).await;
        assert_eq!(counts(&report), [0, 3, 0, 0, 0]);
        assert_eq!(engine.dump().await, before);

        let report = engine.import(&[("2.csv", &later), ("q.csv", later_prices)]).await;
        assert_eq!(counts(&report), [5, 0, 0, 0, 0]);
        assert_eq!(symbols(engine).await, ["NEW", "NEW", "NEW", "OLD", "OLD"]);
        let dump = engine.dump().await;
        let closes = |symbol: &str| {
            let of = format!("price symbol=\"{symbol}\"");
            dump.lines().filter(|line| line.starts_with(&of)).count()
        };
        assert_eq!((closes("NEW"), closes("OLD")), (2, 1), "{dump}");
        // And again nothing twice, in one file or in two, and by hand the same days decide.
        let report = engine.import(&[("1.csv", &old), ("2.csv", &later)]).await;
        assert_eq!(counts(&report), [0, 5, 0, 0, 0]);
        let all = rows(&["2026-12-01", "2024-01-02", "2026-11-21", "2025-01-02", "2026-11-20"]);
        assert_eq!(counts(&engine.import(&[("3.csv", &all)]).await), [0, 5, 0, 0, 0]);
        assert_eq!(engine.dump().await, dump);

        // The second is renamed too, and the symbol is free for a third.
        rename(engine, "OLD", "NEWER").await;
        let third = rows(&["2026-12-02"]);
        engine.import(&[("4.csv", &third)]).await;
        assert_eq!(counts(&engine.import(&[("3.csv", &all)]).await), [0, 5, 0, 0, 0]);
        assert_eq!(symbols(engine).await, ["NEW", "NEW", "NEW", "NEWER", "NEWER", "OLD"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_dated_ahead_stay_with_the_security_that_has_them() {
    let file = format!("{HEADER}\n2027-01-02,A,BUY,OLD,1,5,,USD,\n");
    on_each(async |engine| {
        engine.import(&[("1.csv", &file)]).await;
        rename(engine, "OLD", "NEW").await;
        assert_eq!(counts(&engine.import(&[("1.csv", &file)]).await), [0, 1, 0, 0, 0]);
        assert_eq!(symbols(engine).await, ["NEW"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_that_kept_the_symbol_has_it_on_every_day() {
    let file =
        format!("{HEADER}\n2024-01-02,A,BUY,X@USD,1,5,,USD,\n2024-01-03,A,BUY,X@CAD,1,5,,CAD,\n");
    let bare = format!("{HEADER}\n2024-01-04,A,BUY,X,1,5,,USD,\n");
    on_each(async |engine| {
        engine.import(&[("1.csv", &file)]).await;
        rename(engine, "X@CAD", "Y").await;
        assert_eq!(counts(&engine.import(&[("1.csv", &file)]).await), [0, 2, 0, 0, 0]);
        engine.import(&[("2.csv", &bare)]).await;
        assert_eq!(symbols(engine).await, ["X", "Y", "X"]);
        // A symbol comes back to the one that had it.
        rename(engine, "X", "Z").await;
        rename(engine, "Z", "X").await;
        assert_eq!(counts(&engine.import(&[("2.csv", &bare)]).await), [0, 1, 0, 0, 0]);
        assert_eq!(symbols(engine).await, ["X", "Y", "X"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_edits_of_a_security_makes_no_other_of_its_rows() {
    let file = format!(
        "{HEADER},venue,isin\n2024-01-05,A,BUY,X@CAD,1,2,,CAD,,,\n\
         2024-01-05,A,BUY,V,1,2,,CAD,,XNYS,\n2024-01-05,A,BUY,I,1,2,,CAD,,,US0378331005\n"
    );
    on_each(async |engine| {
        engine.import(&[("1.csv", &file)]).await;
        let edits = [
            ("X", SecurityEdit { currency: Some(Currency::USD), ..Default::default() }),
            ("V", SecurityEdit { venue: Edit::Set(SafeText::new("XNAS")), ..Default::default() }),
            (
                "I",
                SecurityEdit {
                    isin: Edit::Set(Isin::parse("US5949181045").unwrap()),
                    ..Default::default()
                },
            ),
        ];
        for (symbol, edit) in edits {
            let id = security_named(&engine.session, symbol).await.unwrap().id;
            engine.edit(Change::EditSecurity(id, edit)).await;
        }
        let before = engine.dump().await;
        let report = engine.import(&[("1.csv", &file)]).await;
        assert_eq!(counts(&report), [0, 3, 0, 0, 0]);
        assert_eq!(engine.dump().await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_currency_that_a_file_says_is_the_same_whenever_it_says_it() {
    let bare = format!("{HEADER}\n2024-01-02,A,BUY,X,1,50,,CAD,\n");
    let told = format!("{HEADER}\n2024-01-03,A,BUY,X@CAD,2,50,,CAD,\n");
    let price = "date,symbol,close,currency\n2024-01-04,sec:X,40,USD\n";
    let files = [("1.csv", bare.as_str()), ("2.csv", told.as_str()), ("3.csv", price)];
    let whole = dump_of(&files).await;
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]] {
        on_each(async |engine| {
            let mut batches = Vec::new();
            for file in order {
                batches.push(engine.import(&[files[file]]).await.batch.unwrap());
            }
            assert_eq!(engine.dump().await, whole);
            assert_eq!(counts(&engine.import(&files).await), [0, 3, 0, 0, 0]);
            let last = engine.last_batch().await;
            engine.undo(last).await;
            // Without the file that says it, it follows from the rows again.
            let said = order.iter().position(|file| *file == 1).unwrap();
            engine.undo(batches[said]).await;
            assert_eq!(engine.dump().await, dump_of(&[files[0], files[2]]).await);
        })
        .await;
    }
}

// Prices and rates.

/// The price of X and the rate of CAD on one day, in a file.
fn prices(x: &str, cad: &str) -> String {
    format!("date,symbol,close,currency\n2024-01-02,sec:X,{x}\n2024-01-02,fx:CAD,{cad},USD\n")
}

/// What a person says of the same.
fn price_by_hand(subject: PriceSubject, close: &str) -> Change {
    Change::SetPrice(Box::new(Quote {
        subject,
        date: day(),
        currency: Currency::USD,
        open: None,
        high: None,
        low: None,
        close: dec(close),
        volume: None,
        source: SafeText::new("file"),
        quoted_in: None,
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_was_written_over_comes_back() {
    let (one, two) = (prices("10,USD", "0.75"), prices("12,CAD", "0.8"));
    let three = prices("13,USD", "0.7");
    let whole = dump_of(&[("2.csv", &two)]).await;
    on_each(async |engine| {
        let first = engine.import(&[("1.csv", &one)]).await.batch.unwrap();
        let before = engine.dump().await;
        let second = engine.import(&[("2.csv", &two)]).await.batch.unwrap();
        engine.undo(second).await;
        assert_eq!(engine.dump().await, before, "as the first said, its currency too");

        // Several say the same; what was said last among those who are left holds.
        let second = engine.import(&[("2.csv", &two)]).await.batch.unwrap();
        let again = engine.import(&[("2.csv", &two)]).await.batch.unwrap();
        let third = engine.import(&[("3.csv", &three)]).await.batch.unwrap();
        engine.undo(second).await;
        engine.undo(third).await;
        assert_eq!(engine.dump().await, whole);
        let fourth = engine.import(&[("3.csv", &three)]).await.batch.unwrap();
        engine.undo(again).await;
        engine.undo(fourth).await;
        assert_eq!(engine.dump().await, before);
        engine.undo(first).await;
        assert_eq!(engine.dump().await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_by_hand_comes_back_and_stays() {
    let file = prices("12,USD", "0.8");
    let x = PriceSubject::Security(Mention::parse("X").unwrap());
    on_each(async |engine| {
        engine.edit(price_by_hand(x.clone(), "10")).await;
        engine.edit(price_by_hand(PriceSubject::Currency(Currency::CAD), "0.7")).await;
        let before = engine.dump().await;
        let batch = engine.import(&[("1.csv", &file)]).await.batch.unwrap();
        assert_ne!(engine.dump().await, before);
        engine.undo(batch).await;
        assert_eq!(engine.dump().await, before);
        // What a person says after the file is not touched when the file goes.
        let batch = engine.import(&[("1.csv", &file)]).await.batch.unwrap();
        engine.edit(price_by_hand(x.clone(), "11")).await;
        engine.edit(price_by_hand(PriceSubject::Currency(Currency::CAD), "0.71")).await;
        let after = engine.dump().await;
        engine.undo(batch).await;
        assert_eq!(engine.dump().await, after);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_stands_twice_in_a_file_is_claimed_once() {
    let one = prices("10,USD", "0.75");
    let rows = "2024-01-02,sec:X,10,USD\n2024-01-02,fx:CAD,0.75,USD\n";
    let twice = format!("{one}{rows}");
    // First as it is, then otherwise: the file says the latter.
    let torn = format!("{twice}2024-01-02,sec:X,11,USD\n2024-01-02,fx:CAD,0.8,USD\n");
    on_each(async |engine| {
        engine.import(&[("1.csv", &one)]).await;
        let before = engine.dump().await;
        for file in [&twice, &torn] {
            let batch = engine.import(&[("2.csv", file)]).await.batch.unwrap();
            engine.undo(batch).await;
            assert_eq!(engine.dump().await, before);
        }
        engine.import(&[("2.csv", &torn)]).await;
        assert!(engine.dump().await.contains("close=11"));
    })
    .await;
}
