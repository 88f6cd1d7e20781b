//! However files arrive, in halves, twice, in another order, taken back and brought again, the
//! store says the same in the end; on both engines alike.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use dashtam::model::{
    AccountEdit, AccountKind, Change, Currency, Dec, Mention, Mode, NewAccount, PriceSubject,
    Quote, SafeText,
};
use dashtam::service::edit::{self, RowEdit};
use dashtam::service::export::{ExportFormat, What};
use dashtam::service::import::{ImportRequest, Outcome};
use dashtam::{report, service};
use support::engines::{
    Engine, File, TODAY, counts, demo, dump_of, on_each, postgres, reasons, sqlite,
};

const A: &str = include_str!("../assets/examples/example_a.csv");
const A_PRICES: &str = include_str!("../assets/examples/example_a_prices.csv");
const B: &str = include_str!("../assets/examples/example_b.csv");
const B_PRICES: &str = include_str!("../assets/examples/example_b_prices.csv");
const DEMO: &str = include_str!("../assets/demo/transactions.csv");
const DEMO_PRICES: &str = include_str!("../assets/demo/prices.csv");
const DEMO_EXPECTED: &str = include_str!("fixtures/demo_expected.json");

const EXAMPLES: [[File<'_>; 2]; 2] =
    [[("a.csv", A), ("a_prices.csv", A_PRICES)], [("b.csv", B), ("b_prices.csv", B_PRICES)]];

/// The required columns and a description.
const PLAIN: &str = "date,account,type,symbol,quantity,price,fee,currency,amount,description";
/// The same and more.
const WIDE: &str = "date,account,type,symbol,quantity,price,fee,currency,amount,description,id,\
    link,to_account,category,note,status";
const PRICES: &str = "date,symbol,close,currency";

fn csv(header: &str, rows: &[&str]) -> String {
    let mut text = format!("{header}\n");
    for row in rows {
        text.push_str(row);
        text.push('\n');
    }
    text
}

/// Deposits of one day into account A, one of each amount, in this order.
fn deposits(amounts: &[&str]) -> String {
    let rows: Vec<_> =
        amounts.iter().map(|sum| format!("2024-01-02,A,DEPOSIT,,,,,USD,{sum},")).collect();
    csv(PLAIN, &rows.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A file cut in two wherever a new day begins.
fn halves(file: &str) -> Vec<(String, String)> {
    let (header, rows) = file.split_once('\n').unwrap();
    let rows: Vec<_> = rows.lines().collect();
    let date = |row: &str| row.split(',').next().unwrap().to_owned();
    (1..rows.len())
        .filter(|&at| date(rows[at - 1]) != date(rows[at]))
        .map(|at| (csv(header, &rows[..at]), csv(header, &rows[at..])))
        .collect()
}

/// The transactions of a canonical dump.
fn transactions(dump: &str) -> Vec<&str> {
    dump.lines().filter(|line| line.starts_with("transaction ")).collect()
}

fn text(text: &str) -> SafeText {
    SafeText::new(text)
}

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

fn described(text: &str) -> RowEdit {
    RowEdit { description: Some(SafeText::new(text)), ..RowEdit::default() }
}

// The worked examples.

#[tokio::test]
async fn the_worked_examples_have_the_cash_of_the_definition() {
    on_each(async |engine| {
        for files in &EXAMPLES {
            let report = engine.import(files).await;
            assert_eq!(report.outcome(), Outcome::Done);
        }
        assert_eq!(engine.cash_of("Example A", "USD").await, "9953");
        assert_eq!(engine.cash_of("Example B", "CAD").await, "512");
        // Before the sale: 10000 - 1005 - 605.
        let earlier = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
        assert_eq!(engine.cash(earlier).await["Example A"]["USD"], "8390");
        let rows = engine.accounts(TODAY).await;
        let facts: Vec<_> =
            rows.iter().map(|row| (row.name.as_str(), row.kind, row.currency, row.mode)).collect();
        let (kind, mode) = (AccountKind::Brokerage, Mode::Ledger);
        assert_eq!(
            facts,
            [("Example A", kind, Currency::USD, mode), ("Example B", kind, Currency::CAD, mode)]
        );
    })
    .await;
}

#[tokio::test]
async fn halves_in_either_order_make_the_whole() {
    for files in &EXAMPLES {
        let whole = dump_of(files).await;
        for (first, second) in halves(files[0].1) {
            let (first, second) = (("1.csv", first.as_str()), ("2.csv", second.as_str()));
            let orders = [[first, second, files[1]], [files[1], second, first]];
            on_each(async |engine| {
                // In separate imports, each order after the other has been taken back.
                for order in orders {
                    for file in order {
                        engine.import(&[file]).await;
                    }
                    assert_eq!(engine.dump().await, whole, "on {}", engine.name);
                    for _ in 0..order.len() {
                        let last = engine.last_live_batch().await;
                        engine.undo(last).await;
                    }
                    assert_eq!(engine.dump().await, "");
                }
                // In one import.
                engine.import(&orders[1]).await;
                assert_eq!(engine.dump().await, whole, "on {}", engine.name);
            })
            .await;
        }
    }
}

#[tokio::test]
async fn the_same_file_twice_brings_nothing_new() {
    on_each(async |engine| {
        for files in &EXAMPLES {
            let [new, ..] = counts(&engine.import(files).await);
            let before = engine.dump().await;
            let again = counts(&engine.import(files).await);
            assert_eq!(again, [0, new, 0, 0, 0]);
            assert_eq!(engine.dump().await, before);
        }
    })
    .await;
}

#[tokio::test]
async fn overlapping_files_bring_only_what_is_new() {
    let (header, rows) = A.split_once('\n').unwrap();
    let rows: Vec<_> = rows.lines().collect();
    let (early, late) = (csv(header, &rows[..3]), csv(header, &rows[1..]));
    let whole = dump_of(&[("a.csv", A)]).await;
    on_each(async |engine| {
        assert_eq!(counts(&engine.import(&[("1.csv", &early)]).await), [3, 0, 0, 0, 0]);
        assert_eq!(counts(&engine.import(&[("2.csv", &late)]).await), [2, 2, 0, 0, 0]);
        assert_eq!(engine.dump().await, whole);
    })
    .await;
}

#[tokio::test]
async fn reordered_rows_are_the_same_rows() {
    for [file, _] in &EXAMPLES {
        let (header, rows) = file.1.split_once('\n').unwrap();
        let mut rows: Vec<_> = rows.lines().collect();
        let whole = dump_of(&[*file]).await;
        rows.reverse();
        let reversed = csv(header, &rows);
        on_each(async |engine| {
            engine.import(&[*file]).await;
            let again = counts(&engine.import(&[("reversed.csv", &reversed)]).await);
            assert_eq!(again, [0, rows.len() as u64, 0, 0, 0]);
            assert_eq!(engine.dump().await, whole);
        })
        .await;
        assert_eq!(dump_of(&[("reversed.csv", &reversed)]).await, whole);
    }
}

#[tokio::test]
async fn an_import_undone_leaves_nothing_and_redone_everything() {
    let whole = dump_of(&EXAMPLES.concat()).await;
    on_each(async |engine| {
        let report = engine.import(&EXAMPLES.concat()).await;
        let undone = engine.undo(report.batch.unwrap()).await;
        let brought = counts(&report)[0];
        assert_eq!((undone.removed, undone.restored, undone.kept.len()), (brought, 0, 0));
        assert_eq!(engine.dump().await, "");
        let again = engine.import(&EXAMPLES.concat()).await;
        assert_eq!(counts(&again), counts(&report));
        assert_eq!(engine.dump().await, whole);
        // A batch is taken back once.
        engine.undo(again.batch.unwrap()).await;
        let refused = service::import::undo(&engine.session, again.batch.unwrap()).await;
        assert_eq!(refused.unwrap_err().kind(), "refused");
    })
    .await;
}

// Edits and deletions.

#[tokio::test]
async fn an_edit_lies_over_the_source_and_survives_it() {
    let file = |description: &str, category: &str| {
        csv(WIDE, &[&format!("2024-01-02,A,DEPOSIT,,,,,USD,5,{description},i1,,,{category},,")])
    };
    let old = file("old", "Food");
    let new = file("new", "Rent");
    on_each(async |engine| {
        engine.import(&[("1.csv", &old)]).await;
        let id = engine.row("old").await.id;
        engine.edit_row(id, described("mine")).await;
        let edited = engine.dump().await;
        assert_eq!(counts(&engine.import(&[("1.csv", &old)]).await), [0, 1, 0, 0, 0]);
        assert_eq!(engine.dump().await, edited);
        assert_eq!(engine.findings().await, [""; 0]);

        assert_eq!(counts(&engine.import(&[("2.csv", &new)]).await), [0, 0, 1, 0, 0]);
        let row = engine.row("mine").await;
        assert_eq!((row.id, row.category), (id, Some(text("Rent"))));
        assert_eq!(engine.findings().await, ["source_changed_under_edit"]);
        // Once told is enough.
        assert_eq!(counts(&engine.import(&[("2.csv", &new)]).await), [0, 1, 0, 0, 0]);
        assert_eq!(engine.findings().await.len(), 1);
        // Every older version is kept.
        let mut tx = engine.session.store.read().await.unwrap();
        let causes: Vec<_> =
            tx.versions(id).await.unwrap().into_iter().map(|version| version.cause).collect();
        assert_eq!(causes, ["edit", "source"]);
    })
    .await;
}

#[tokio::test]
async fn an_edited_row_without_an_id_is_known_again() {
    let file = csv(PLAIN, &["2024-01-02,A,DEPOSIT,,,,,USD,5,old"]);
    on_each(async |engine| {
        engine.import(&[("1.csv", &file)]).await;
        let id = engine.row("old").await.id;
        let date = NaiveDate::from_ymd_opt(2024, 3, 4);
        let edit = RowEdit { amount: Some(dec("7")), date, ..described("mine") };
        engine.edit_row(id, edit).await;
        assert_eq!(counts(&engine.import(&[("1.csv", &file)]).await), [0, 1, 0, 0, 0]);
        assert_eq!(engine.cash_of("A", "USD").await, "7");
        assert_eq!(engine.row("mine").await.id, id);
    })
    .await;
}

#[tokio::test]
async fn a_row_moved_to_another_account_is_known_again() {
    let file = csv(
        WIDE,
        &[
            "2024-01-02,A,DEPOSIT,,,,,USD,5,known by id,i1,,,,,",
            "2024-01-02,A,DEPOSIT,,,,,USD,5,known by content,,,,,,",
            "2024-01-02,B,DEPOSIT,,,,,USD,1,other,,,,,,",
        ],
    );
    on_each(async |engine| {
        engine.import(&[("1.csv", &file)]).await;
        for row in ["known by id", "known by content"] {
            let edit = RowEdit { account: Some(text("B")), ..RowEdit::default() };
            engine.edit_row(engine.row(row).await.id, edit).await;
        }
        let before = engine.dump().await;
        assert_eq!(counts(&engine.import(&[("1.csv", &file)]).await), [0, 3, 0, 0, 0]);
        assert_eq!(engine.dump().await, before);
        assert_eq!(engine.cash_of("B", "USD").await, "11");
    })
    .await;
}

#[tokio::test]
async fn a_row_deleted_by_hand_stays_away_and_one_taken_back_does_not() {
    let file = deposits(&["1", "2"]);
    on_each(async |engine| {
        engine.import(&[("1.csv", &file)]).await;
        let id = engine.rows().await[0].id;
        engine.edit(Change::DeleteTransaction(id)).await;
        assert_eq!(engine.amounts().await, ["2"]);
        let [new, ..] = counts(&engine.import(&[("1.csv", &file)]).await);
        assert_eq!(new, 0);
        assert_eq!(engine.amounts().await, ["2"]);
        engine.edit(Change::RestoreTransaction(id)).await;
        assert_eq!(engine.amounts().await, ["1", "2"]);

        let batches = service::import::list(&engine.session).await.unwrap();
        for batch in batches {
            engine.undo(batch.id).await;
        }
        assert_eq!(engine.rows().await.len(), 0);
        let [new, ..] = counts(&engine.import(&[("1.csv", &file)]).await);
        assert_eq!(new, 2);
        assert_eq!(engine.amounts().await, ["1", "2"]);
    })
    .await;
}

// Taking back.

#[tokio::test]
async fn undo_removes_only_what_nobody_else_claims() {
    let (one, two) = (deposits(&["1", "2"]), deposits(&["2", "3"]));
    on_each(async |engine| {
        let first = engine.import(&[("1.csv", &one)]).await.batch.unwrap();
        let second = engine.import(&[("2.csv", &two)]).await.batch.unwrap();
        let undone = engine.undo(first).await;
        assert_eq!((undone.removed, undone.restored, undone.kept.len()), (1, 0, 0));
        assert_eq!(engine.cash_of("A", "USD").await, "5");
        assert_eq!(engine.dump().await, dump_of(&[("2.csv", &two)]).await);
        assert_eq!(engine.undo(second).await.removed, 2);
        assert_eq!(engine.dump().await, "");
    })
    .await;
}

#[tokio::test]
async fn undo_restores_the_version_before_a_change() {
    let file = |note: &str| csv(WIDE, &[&format!("2024-01-02,A,DEPOSIT,,,,,USD,5,{note},i1,,,,,")]);
    let (old, new) = (file("old"), file("new"));
    on_each(async |engine| {
        let first = engine.import(&[("1.csv", &old)]).await.batch.unwrap();
        let before = engine.dump().await;
        let second = engine.import(&[("2.csv", &new)]).await;
        assert_eq!(counts(&second), [0, 0, 1, 0, 0]);
        engine.row("new").await;
        let undone = engine.undo(second.batch.unwrap()).await;
        assert_eq!((undone.removed, undone.restored, undone.kept.len()), (0, 1, 0));
        assert_eq!(engine.dump().await, before);

        // The other way round: the first goes, the second still claims the row as it says it.
        let third = engine.import(&[("2.csv", &new)]).await.batch.unwrap();
        engine.undo(first).await;
        assert_eq!(engine.dump().await, dump_of(&[("2.csv", &new)]).await);
        assert_eq!(engine.undo(third).await.removed, 1);
        assert_eq!(engine.dump().await, "");
    })
    .await;
}

#[tokio::test]
async fn undo_keeps_and_names_what_a_person_touched_since() {
    let one = csv(PLAIN, &["2024-01-02,A,DEPOSIT,,,,,USD,5,a", "2024-01-03,A,DEPOSIT,,,,,USD,6,b"]);
    let file = |note: &str| csv(WIDE, &[&format!("2024-02-02,A,DEPOSIT,,,,,USD,7,{note},i1,,,,,")]);
    let (old, new) = (file("old"), file("new"));
    on_each(async |engine| {
        let batch = engine.import(&[("1.csv", &one)]).await.batch.unwrap();
        let id = engine.row("a").await.id;
        engine.edit_row(id, described("mine")).await;
        let undone = engine.undo(batch).await;
        assert_eq!((undone.removed, undone.restored, undone.kept.len()), (1, 0, 1));
        let named = &undone.kept[0];
        for word in [id.to_string().as_str(), "2024-01-02", "deposit", " A "] {
            assert!(named.contains(word), "{named}");
        }
        assert_eq!(engine.descriptions().await, ["mine"]);

        // A changed row that was edited after the change is not put back either.
        engine.import(&[("2.csv", &old)]).await;
        let batch = engine.import(&[("3.csv", &new)]).await.batch.unwrap();
        let id = engine.row("new").await.id;
        let note = RowEdit { note: Some(text("seen")), ..RowEdit::default() };
        engine.edit_row(id, note).await;
        let undone = engine.undo(batch).await;
        assert_eq!((undone.removed, undone.restored, undone.kept.len()), (0, 0, 1));
        assert_eq!(engine.descriptions().await, ["mine", "new"]);
    })
    .await;
}

// Identity.

#[tokio::test]
async fn the_same_id_with_another_date_amount_or_security_is_a_conflict() {
    const FINE: &str = "2024-05-06,A,DEPOSIT,,,,,USD,1,fine too";
    let header = format!("{PLAIN},id");
    let base = "2024-01-02,A,BUY,X,1,10,,USD,-10,d,i1";
    let other = [
        ("the date", "2024-01-03,A,BUY,X,1,10,,USD,-10,d,i1"),
        ("the amount", "2024-01-02,A,BUY,X,1,11,,USD,-11,d,i1"),
        ("the amount", "2024-01-02,A,BUY,X,1,10,,CAD,-10,d,i1"),
        ("the security", "2024-01-02,A,BUY,Y,1,10,,USD,-10,d,i1"),
    ];
    let base = csv(&header, &[base]);
    for (what, row) in other {
        let other = csv(&header, &[row, "2024-05-05,A,DEPOSIT,,,,,USD,1,fine,i2"]);
        on_each(async |engine| {
            engine.import(&[("1.csv", &base)]).await;
            let before = engine.row("d").await;
            let untouched = engine.dump().await;
            let report = engine.import_with(&[("2.csv", &other)], |_| {}).await;
            assert_eq!(counts(&report), [0, 0, 0, 1, 0], "{row}");
            assert_eq!((report.outcome(), report.batch), (Outcome::Refused, None));
            assert_eq!(reasons(&report).len(), 1);
            assert_eq!(engine.dump().await, untouched, "a file is stored whole or not at all");
            let beside = [("2.csv", other.as_str()), ("3.csv", &csv(PLAIN, &[FINE]))];
            let report = engine.import_with(&beside, |_| {}).await;
            assert_eq!(counts(&report), [1, 0, 0, 1, 0]);
            assert_eq!(report.outcome(), Outcome::Partial, "another file is");
            engine.undo(report.batch.unwrap()).await;

            let partial = |request: &mut ImportRequest| request.partial = true;
            let report = engine.import_with(&[("2.csv", &other)], partial).await;
            assert_eq!(counts(&report), [1, 0, 0, 1, 0], "{row}");
            assert_eq!(report.outcome(), Outcome::Partial);
            let said = reasons(&report);
            assert!(
                said.len() == 1 && said[0].contains(what) && said[0].contains("i1"),
                "{said:?}"
            );
            let after = engine.row("d").await;
            let facts = |row: &report::TransactionRow| {
                (row.id, row.date, row.amount, row.currency, row.symbol.clone())
            };
            assert_eq!(facts(&after), facts(&before));
            let mut tx = engine.session.store.read().await.unwrap();
            assert_eq!(tx.staged_rows(report.batch.unwrap()).await.unwrap().len(), 1);
            drop(tx);
            engine.undo(report.batch.unwrap()).await;

            let accept = |request: &mut ImportRequest| request.accept_changes = true;
            let before = engine.dump().await;
            let report = engine.import_with(&[("2.csv", &other)], accept).await;
            assert_eq!(counts(&report), [1, 0, 1, 0, 0]);
            assert_eq!(report.outcome(), Outcome::Done);
            assert_ne!(facts(&engine.row("d").await), facts(&after));
            let undone = engine.undo(report.batch.unwrap()).await;
            assert_eq!((undone.removed, undone.restored, undone.kept.len()), (1, 1, 0));
            assert_eq!(engine.dump().await, before, "{row}");
        })
        .await;
    }
}

#[tokio::test]
async fn other_fields_of_the_same_id_make_a_new_version() {
    let row = |rest: &str| csv(WIDE, &[&format!("2024-01-02,A,BUY,X,1,10,,USD,-10,{rest}")]);
    let first = row("d,i1,,,,,pending");
    let second = row("other,i1,L,,Food,n,settled");
    on_each(async |engine| {
        engine.import(&[("1.csv", &first)]).await;
        let id = engine.row("d").await.id;
        assert_eq!(counts(&engine.import(&[("2.csv", &second)]).await), [0, 0, 1, 0, 0]);
        assert_eq!(engine.row("other").await.id, id);
        assert_eq!(engine.dump().await, dump_of(&[("2.csv", &second)]).await);
    })
    .await;
}

#[tokio::test]
async fn equal_rows_count_by_the_maximum_of_the_files() {
    let (two, three) = (deposits(&["5", "5"]), deposits(&["5", "5", "5"]));
    let wanted = dump_of(&[("3.csv", &three)]).await;
    on_each(async |engine| {
        assert_eq!(counts(&engine.import(&[("2.csv", &two)]).await), [2, 0, 0, 0, 0]);
        assert_eq!(engine.cash_of("A", "USD").await, "10");
        assert_eq!(counts(&engine.import(&[("3.csv", &three)]).await), [1, 2, 0, 0, 0]);
        assert_eq!(counts(&engine.import(&[("2.csv", &two)]).await), [0, 2, 0, 0, 0]);
        assert_eq!(engine.dump().await, wanted);
    })
    .await;
    // Within one batch the same.
    for files in [[("2.csv", &two), ("3.csv", &three)], [("3.csv", &three), ("2.csv", &two)]] {
        let files = files.map(|(name, text)| (name, text.as_str()));
        on_each(async |engine| {
            assert_eq!(counts(&engine.import(&files).await), [3, 2, 0, 0, 0]);
            assert_eq!(engine.dump().await, wanted);
        })
        .await;
    }
}

// The order of rows.

#[tokio::test]
async fn the_smallest_place_of_any_live_claim_counts() {
    let first = deposits(&["5", "2", "1"]);
    let second = deposits(&["1", "2"]);
    let third = deposits(&["7", "1"]);
    on_each(async |engine| {
        let batches = [
            engine.import(&[("1.csv", &first)]).await.batch.unwrap(),
            engine.import(&[("2.csv", &second)]).await.batch.unwrap(),
            engine.import(&[("3.csv", &third)]).await.batch.unwrap(),
        ];
        // 5 at 0, 1 at min(2, 0, 1), 7 at 0, 2 at 1; ties by the text of the row.
        assert_eq!(engine.amounts().await, ["1", "5", "7", "2"]);
        // The batch that gave the smallest place goes: 1 is at min(2, 1), beside 2.
        engine.undo(batches[1]).await;
        assert_eq!(engine.amounts().await, ["5", "7", "1", "2"]);
        // Now only the first file gives it a place, behind 2.
        engine.undo(batches[2]).await;
        assert_eq!(engine.amounts().await, ["5", "2", "1"]);
    })
    .await;
    on_each(async |engine| {
        let batch = engine.import(&[("1.csv", &first)]).await.batch.unwrap();
        engine.import(&[("3.csv", &third)]).await;
        // The one that brought a row first goes; the other's place holds.
        engine.undo(batch).await;
        assert_eq!(engine.amounts().await, ["7", "1"]);
    })
    .await;
}

#[tokio::test]
async fn places_go_on_through_the_files_of_a_batch() {
    let (nine, one) = (deposits(&["9"]), deposits(&["1"]));
    on_each(async |engine| {
        let batch = engine.import(&[("9.csv", &nine), ("1.csv", &one)]).await.batch.unwrap();
        assert_eq!(engine.amounts().await, ["9", "1"]);
        engine.undo(batch).await;
        engine.import(&[("1.csv", &one), ("9.csv", &nine)]).await;
        assert_eq!(engine.amounts().await, ["1", "9"]);
    })
    .await;
}

// Accounts.

#[tokio::test]
async fn a_renamed_account_still_answers_to_its_old_name() {
    on_each(async |engine| {
        engine.import(&EXAMPLES[0]).await;
        let id = engine.account("Example A").await;
        engine.edit(Change::RenameAccount(id, text("Broker"))).await;
        let before = engine.dump().await;
        assert_eq!(counts(&engine.import(&EXAMPLES[0]).await)[0], 0);
        assert_eq!(engine.dump().await, before);
        assert_eq!(engine.account("Example A").await, id);
        assert_eq!(engine.cash_of("Broker", "USD").await, "9953");
    })
    .await;
}

#[tokio::test]
async fn merged_accounts_hold_the_rows_of_both() {
    let rows = |account: &str, last: &str| {
        csv(
            PLAIN,
            &[
                &format!("2024-01-02,{account},DEPOSIT,,,,,USD,5,same"),
                &format!("2024-01-03,{account},BUY,X,1,2,,USD,-2,{last}"),
            ],
        )
    };
    let (old, new) = (rows("Old", "o"), rows("New", "n"));
    on_each(async |engine| {
        engine.import(&[("1.csv", &old)]).await;
        engine.import(&[("2.csv", &new)]).await;
        let (from, into) = (engine.account("Old").await, engine.account("New").await);
        engine.edit(Change::MergeAccounts { from, into }).await;
        assert_eq!(engine.account("Old").await, into);
        // The row that both have is one.
        assert_eq!(engine.rows().await.len(), 3);
        assert_eq!(engine.cash_of("New", "USD").await, "1");
        assert_eq!(engine.accounts(TODAY).await.len(), 1);
        let before = engine.dump().await;
        for files in [[("1.csv", &old)], [("2.csv", &new)]] {
            let files = files.map(|(name, text)| (name, text.as_str()));
            assert_eq!(counts(&engine.import(&files).await), [0, 2, 0, 0, 0]);
        }
        assert_eq!(engine.dump().await, before);
    })
    .await;
}

#[tokio::test]
async fn kind_and_currency_follow_from_the_rows_until_somebody_edits() {
    let cash = csv(PLAIN, &["2024-01-02,A,DEPOSIT,,,,,USD,5,", "2024-01-03,A,DEPOSIT,,,,,CAD,5,"]);
    let dollars = csv(PLAIN, &["2024-01-04,A,DEPOSIT,,,,,USD,6,"]);
    let dividend = csv(PLAIN, &["2024-01-05,A,DIVIDEND,X,,,,USD,1,"]);
    let yen = csv(
        PLAIN,
        &[
            "2024-01-06,A,DEPOSIT,,,,,JPY,1,",
            "2024-01-06,A,DEPOSIT,,,,,JPY,2,",
            "2024-01-06,A,DEPOSIT,,,,,JPY,3,",
            "2024-01-06,A,DEPOSIT,,,,,JPY,4,",
        ],
    );
    on_each(async |engine| {
        let now = async || {
            let row = engine.accounts(TODAY).await.remove(0);
            (row.kind, row.currency.to_string())
        };
        engine.import(&[("1.csv", &cash)]).await;
        assert_eq!(now().await, (AccountKind::Checking, "CAD".to_owned()), "ties by code");
        engine.import(&[("2.csv", &dollars)]).await;
        assert_eq!(now().await, (AccountKind::Checking, "USD".to_owned()), "most rows");
        let batch = engine.import(&[("3.csv", &dividend)]).await.batch.unwrap();
        assert_eq!(now().await.0, AccountKind::Brokerage, "a row has a symbol");
        engine.undo(batch).await;
        assert_eq!(now().await.0, AccountKind::Checking);
        let id = engine.account("A").await;
        let kind = AccountEdit { kind: Some(AccountKind::Tfsa), ..AccountEdit::default() };
        engine.edit(Change::EditAccount(id, kind)).await;
        engine.import(&[("4.csv", &yen), ("3.csv", &dividend)]).await;
        assert_eq!(now().await, (AccountKind::Tfsa, "USD".to_owned()), "somebody said so");
    })
    .await;
}

// Securities.

#[tokio::test]
async fn the_currency_of_a_security_follows_from_prices_then_trades() {
    let buy = |day: u32, currency: &str| format!("2024-01-0{day},A,BUY,X,1,10,,{currency},-10,");
    let tie = csv(PLAIN, &[&buy(2, "USD"), &buy(3, "CAD")]);
    let dividends =
        csv(PLAIN, &["2024-01-04,A,DIVIDEND,X,,,,USD,1,", "2024-01-05,A,DIVIDEND,X,,,,USD,1,"]);
    let dollars = csv(PLAIN, &[&buy(6, "USD")]);
    let prices = csv(PRICES, &["2024-01-02,sec:X,10,EUR"]);
    on_each(async |engine| {
        let now = async || {
            let found = edit::security_named(&engine.session, "X").await.unwrap();
            found.currency.to_string()
        };
        engine.import(&[("1.csv", &tie)]).await;
        assert_eq!(now().await, "CAD", "ties by code");
        engine.import(&[("2.csv", &dividends)]).await;
        assert_eq!(now().await, "CAD", "dividends are no trades");
        engine.import(&[("3.csv", &dollars)]).await;
        assert_eq!(now().await, "USD", "most trades");
        let batch = engine.import(&[("4.csv", &prices)]).await.batch.unwrap();
        assert_eq!(now().await, "EUR", "prices come first");
        engine.undo(batch).await;
        assert_eq!(now().await, "USD");
    })
    .await;
}

#[tokio::test]
async fn the_currency_of_what_is_spun_off_follows_from_those_rows() {
    let header = format!("{PLAIN},to_symbol,ratio");
    let spun = |day: u32, account: &str, currency: &str| {
        format!("2024-02-0{day},{account},SPIN_OFF,X,,,,{currency},,,N1,1:2")
    };
    let bought = "2024-01-05,A,BUY,X,10,1,,CAD,,,,";
    let early = csv(&header, &[bought, &spun(1, "A", "CAD")]);
    let late = csv(&header, &[&spun(2, "B", "USD"), &spun(3, "B", "USD")]);
    let files = [("1.csv", early.as_str()), ("2.csv", &late)];
    let whole = dump_of(&files).await;
    let line = |currency: &str| format!("security symbol=\"N1\" currency={currency}");
    assert!(whole.contains(&line("USD")), "{whole}");
    for order in [files, [files[1], files[0]]] {
        on_each(async |engine| {
            let mut batches = Vec::new();
            for file in order {
                batches.push((file.0, engine.import(&[file]).await.batch.unwrap()));
            }
            assert_eq!(engine.dump().await, whole);
            let late = batches.iter().find(|(name, _)| *name == "2.csv").unwrap().1;
            engine.undo(late).await;
            assert!(engine.dump().await.contains(&line("CAD")));
        })
        .await;
    }
}

#[tokio::test]
async fn a_bare_code_of_a_security_is_a_price_in_its_own_currency_too() {
    let bought = |symbol: &str| csv(PLAIN, &[&format!("2024-01-02,A,BUY,{symbol},1,50,,USD,,")]);
    let (usd, amd) = (bought("USD"), bought("AMD"));
    let own = csv(PRICES, &["2024-01-03,USD,51,USD"]);
    let below = csv(PRICES, &["2024-01-03,AMD,-5,USD"]);
    let cases = [
        (&usd, &own, "close=51", "column currency: a rate of USD in USD"),
        (&amd, &below, "close=-5", "column symbol: `AMD` may be a currency or a security"),
    ];
    for (bought, price, close, refused) in cases {
        for files in [[bought, price], [price, bought]] {
            let [first, second] = files.map(String::as_str);
            let dump = dump_of(&[("1.csv", first), ("2.csv", second)]).await;
            assert!(dump.contains(close), "{dump}");
        }
        on_each(async |engine| {
            let report = engine.import_with(&[("1.csv", price)], |_| {}).await;
            assert!(reasons(&report).concat().contains(refused), "{:?}", reasons(&report));
            engine.import(&[("1.csv", bought)]).await;
            engine.import(&[("2.csv", price)]).await;
            assert!(engine.dump().await.contains(close));
        })
        .await;
    }
    let rate = csv(PRICES, &["2024-01-03,CAD,-5,USD"]);
    let cash = csv(PLAIN, &["2024-01-02,A,DEPOSIT,,,,,CAD,5,"]);
    let engine = sqlite().await;
    engine.import(&[("1.csv", &cash)]).await;
    let report = engine.import_with(&[("2.csv", &rate)], |_| {}).await;
    assert!(reasons(&report).concat().contains("column close: a rate of -5"));
    engine.close().await;
}

#[tokio::test]
async fn a_bare_symbol_of_two_securities_is_refused() {
    let two = csv(
        PLAIN,
        &["2024-01-02,A,BUY,X@USD,1,10,,USD,-10,", "2024-01-02,A,BUY,X@CAD,1,10,,CAD,-10,"],
    );
    let bare = csv(PLAIN, &["2024-01-03,A,DIVIDEND,X,,,,USD,1,"]);
    let told = csv(PLAIN, &["2024-01-03,A,DIVIDEND,X@CAD,,,,USD,1,"]);
    on_each(async |engine| {
        engine.import(&[("1.csv", &two)]).await;
        let before = engine.dump().await;
        let report = engine.import_with(&[("2.csv", &bare)], |_| {}).await;
        assert_eq!(counts(&report)[4], 1);
        assert_eq!((report.outcome(), report.batch), (Outcome::Refused, None));
        let said = reasons(&report).concat();
        assert!(said.contains("X@CAD") && said.contains("X@USD"), "{said}");
        assert_eq!(engine.dump().await, before);
        engine.import(&[("3.csv", &told)]).await;
        assert_eq!(edit::securities(&engine.session).await.unwrap().len(), 2);
    })
    .await;
    // In one batch, whatever the order.
    for files in [[("1.csv", &two), ("2.csv", &bare)], [("2.csv", &bare), ("1.csv", &two)]] {
        let files = files.map(|(name, text)| (name, text.as_str()));
        on_each(async |engine| {
            let report = engine.import_with(&files, |_| {}).await;
            assert_eq!(counts(&report), [2, 0, 0, 0, 1]);
            assert_eq!(report.outcome(), Outcome::Partial);
        })
        .await;
    }
}

#[tokio::test]
async fn rows_that_do_not_come_in_leave_nothing_behind() {
    let partial = |request: &mut ImportRequest| request.partial = true;
    let strict = |request: &mut ImportRequest| (request.strict, request.partial) = (true, true);
    let stored = csv(WIDE, &["2024-01-03,A,BUY,Y,1,50,,USD,,,b1,,,,,"]);
    let conflict = csv(WIDE, &["2024-01-03,A,BUY,X@CAD,1,50,,USD,,,b1,,,,,"]);
    let sent = csv(WIDE, &["2024-01-04,A,WITHDRAWAL,,,,,USD,-5,,w1,,,,,"]);
    let sent_on = csv(WIDE, &["2024-01-04,A,WITHDRAWAL,,,,,USD,-7,,w1,,New,,,"]);
    let unknown = csv(
        PLAIN,
        &["2024-01-03,Unknown,BUY,X@CAD,1,50,,USD,,", "2024-01-05,A,DEPOSIT,,,,,USD,5,"],
    );
    let good = csv(PLAIN, &["2024-01-06,A,BUY,X,1,50,,USD,,"]);
    let deposit = csv(PLAIN, &["2024-01-05,A,DEPOSIT,,,,,USD,5,"]);
    let whole = [("1.csv", stored.as_str()), ("2.csv", &sent), ("3.csv", &deposit)];
    let wanted = dump_of(&whole).await;
    on_each(async |engine| {
        engine.import(&whole[..2]).await;
        let before = engine.dump().await;
        for file in [&conflict, &sent_on] {
            let report = engine.import_with(&[("conflict.csv", file)], partial).await;
            assert!(counts(&report)[3] > 0);
            assert_eq!(engine.dump().await, before);
        }
        let report = engine.import_with(&[("unknown.csv", &unknown)], strict).await;
        assert_eq!(counts(&report), [1, 0, 0, 0, 1]);
        assert_eq!(engine.dump().await, wanted);
        assert_eq!(counts(&engine.import(&[("good.csv", &good)]).await), [1, 0, 0, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn a_bare_currency_code_means_what_store_and_batch_make_of_it() {
    let bare = csv(PRICES, &["2024-01-02,CAD,0.75,USD"]);
    let in_cad = csv(PLAIN, &["2024-01-02,A,DEPOSIT,,,,,CAD,5,"]);
    let a_share = csv(PLAIN, &["2024-01-02,A,BUY,CAD,1,10,,USD,-10,"]);
    let a_price = csv(PRICES, &["2024-01-01,sec:CAD,0.5,USD"]);
    let amd = csv(PRICES, &["2024-01-02,AMD,150,USD"]);
    let told = csv(PRICES, &["2024-01-02,sec:AMD,150,USD"]);
    let rate = "rate base=CAD quote=USD date=2024-01-02 source=\"file\" rate=0.75";
    let price = "interval=1d date=2024-01-02 source=\"file\" close=0.75 currency=USD";
    let cases: [(&[File<'_>], Option<&str>); 5] = [
        (&[("bare.csv", &bare)], None),
        (&[("bare.csv", &bare), ("cash.csv", &in_cad)], Some(rate)),
        (&[("bare.csv", &bare), ("share.csv", &a_share)], Some(price)),
        (&[("bare.csv", &bare), ("price.csv", &a_price)], Some(price)),
        (&[("bare.csv", &bare), ("cash.csv", &in_cad), ("price.csv", &a_price)], Some(price)),
    ];
    for (files, wanted) in cases {
        let mut reversed = files.to_vec();
        reversed.reverse();
        for files in [files, &reversed] {
            on_each(async |engine| {
                let report = engine.import_with(files, |_| {}).await;
                let dump = engine.dump().await;
                match wanted {
                    Some(line) => {
                        assert_eq!(reasons(&report), [""; 0]);
                        assert!(dump.contains(line), "{files:?}\n{dump}");
                    }
                    None => {
                        assert_eq!(counts(&report), [0, 0, 0, 0, 1]);
                        let said = reasons(&report).concat();
                        assert!(said.contains("fx:CAD") && said.contains("sec:CAD"), "{said}");
                        assert_eq!(dump, "");
                    }
                }
            })
            .await;
        }
    }
    // The store knows it already.
    on_each(async |engine| {
        engine.import(&[("cash.csv", &in_cad)]).await;
        engine.import(&[("bare.csv", &bare)]).await;
        assert!(engine.dump().await.contains(rate));
        let report = engine.import_with(&[("amd.csv", &amd)], |_| {}).await;
        assert_eq!(counts(&report), [0, 0, 0, 0, 1]);
        let said = reasons(&report).concat();
        assert!(said.contains("fx:AMD") && said.contains("sec:AMD"), "{said}");
        engine.import(&[("told.csv", &told)]).await;
        // Now it is the symbol of a security.
        assert_eq!(counts(&engine.import(&[("amd.csv", &amd)]).await), [0, 1, 0, 0, 0]);
    })
    .await;
}

// Prices.

#[tokio::test]
async fn prices_are_written_over_and_taken_back() {
    let one = csv(PRICES, &["2024-01-02,sec:X,10,USD", "2024-01-02,fx:CAD,0.75,USD"]);
    let same = csv(
        PRICES,
        &["2024-01-02,sec:X,10.0,USD", "2024-01-02,fx:CAD,0.75,USD", "2024-01-03,sec:X,11,USD"],
    );
    let other = csv(PRICES, &["2024-01-02,sec:X,12,USD", "2024-01-02,fx:CAD,0.8,USD"]);
    on_each(async |engine| {
        let first = engine.import(&[("1.csv", &one)]).await;
        assert_eq!(counts(&first), [2, 0, 0, 0, 0]);
        let second = engine.import(&[("2.csv", &same)]).await;
        assert_eq!(counts(&second), [1, 2, 0, 0, 0]);
        // What the second batch brought too, stays.
        engine.undo(first.batch.unwrap()).await;
        assert_eq!(engine.dump().await, dump_of(&[("2.csv", &same)]).await);
        engine.undo(second.batch.unwrap()).await;
        assert_eq!(engine.dump().await, "");

        engine.import(&[("1.csv", &one)]).await;
        assert_eq!(counts(&engine.import(&[("3.csv", &other)]).await), [0, 0, 2, 0, 0]);
        assert_eq!(engine.dump().await, dump_of(&[("3.csv", &other)]).await);
        // By hand too.
        let quote = Quote {
            subject: PriceSubject::Security(Mention::parse("X").unwrap()),
            date: NaiveDate::from_ymd_opt(2024, 1, 2).unwrap(),
            currency: Currency::USD,
            open: None,
            high: None,
            low: None,
            close: dec("13"),
            volume: None,
            source: text("file"),
            quoted_in: None,
        };
        engine.edit(Change::SetPrice(Box::new(quote))).await;
        let dump = engine.dump().await;
        assert!(dump.contains("close=13") && !dump.contains("close=12"), "{dump}");
    })
    .await;
}

// Events of several rows.

#[tokio::test]
async fn linked_rows_cut_apart_become_one_event() {
    let out = csv(WIDE, &["2024-01-02,A,TRANSFER_OUT,X,5,,,USD,0,out,,L,,,,"]);
    let into = csv(WIDE, &["2024-01-04,B,TRANSFER_IN,X,5,,,USD,0,in,,L,,,,"]);
    let files: [File<'_>; 2] = [("out.csv", &out), ("in.csv", &into)];
    let whole = dump_of(&files).await;
    assert_eq!(whole.matches("link=1").count(), 2);
    for order in [files, [files[1], files[0]]] {
        on_each(async |engine| {
            for file in order {
                engine.import(&[file]).await;
            }
            let (a, b) = (engine.row("out").await, engine.row("in").await);
            assert_eq!((a.linked, b.linked), (vec![b.id], vec![a.id]));
            assert_eq!(engine.dump().await, whole);
        })
        .await;
    }
}

#[tokio::test]
async fn to_account_and_reinvest_make_two_rows_once() {
    let file = csv(
        WIDE,
        &[
            "2024-01-02,A,WITHDRAWAL,,,,2,USD,-102,moved,,,B,,,",
            "2024-01-03,A,REINVEST,X,2,10,,USD,,again,,,,,,",
            "2024-01-03,A,REINVEST,X,2,10,,USD,,again,,,,,,",
            "2024-01-04,A,TRANSFER_OUT,X,1,,,USD,0,shares,i1,,B,,,",
        ],
    );
    on_each(async |engine| {
        assert_eq!(counts(&engine.import(&[("1.csv", &file)]).await)[0], 8);
        assert_eq!(engine.cash_of("A", "USD").await, "-102");
        // What was charged never came to the other account.
        assert_eq!(engine.cash_of("B", "USD").await, "100");
        let rows = engine.rows().await;
        assert_eq!(rows.len(), 8);
        for row in &rows {
            assert_eq!(row.linked.len(), 1, "{row:?}");
        }
        let before = engine.dump().await;
        assert_eq!(counts(&engine.import(&[("1.csv", &file)]).await), [0, 8, 0, 0, 0]);
        assert_eq!(engine.dump().await, before);
        let [(_, transactions), _] = engine.neutral().await;
        assert_eq!(transactions.matches(",REINVEST,").count(), 2, "{transactions}");
        // The export has the legs of a transfer as linked rows and is the same events.
        let again = engine.import(&[("own.csv", &transactions)]).await;
        assert_eq!(counts(&again)[0], 0, "{transactions}");
        assert_eq!(engine.dump().await, before);
        assert_eq!(dump_of(&[("own.csv", &transactions)]).await, before);
    })
    .await;
}

#[tokio::test]
async fn the_same_sum_sent_to_two_accounts_is_two_transfers() {
    let to = |accounts: &[&str]| {
        let sent: Vec<_> = accounts
            .iter()
            .map(|other| format!("2024-01-02,A,WITHDRAWAL,,,,,USD,-500,,,,{other},,,"))
            .collect();
        csv(WIDE, &sent.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let (b, c, both, turned) = (to(&["B"]), to(&["C"]), to(&["B", "C"]), to(&["C", "B"]));
    let whole = dump_of(&[("both.csv", &both)]).await;
    on_each(async |engine| {
        let [b, c] = [("b.csv", b.as_str()), ("c.csv", c.as_str())];
        for files in [&[b, c][..], &[c, b]] {
            let report = engine.import(files).await;
            assert_eq!(counts(&report), [4, 0, 0, 0, 0]);
            for (account, cash) in [("A", "-1000"), ("B", "500"), ("C", "500")] {
                assert_eq!(engine.cash_of(account, "USD").await, cash);
            }
            let dump = engine.dump().await;
            for again in [b.1, c.1, &both, &turned] {
                let legs = 2 * (again.lines().count() as u64 - 1);
                let report = engine.import(&[("again.csv", again)]).await;
                assert_eq!(counts(&report), [0, legs, 0, 0, 0]);
                engine.undo(report.batch.unwrap()).await;
                assert_eq!(engine.dump().await, dump);
            }
            engine.undo(report.batch.unwrap()).await;
        }
        // One goes, the other stays whole.
        let first = engine.import(&[b]).await.batch.unwrap();
        engine.import(&[c]).await;
        engine.undo(first).await;
        assert_eq!(engine.dump().await, dump_of(&[c]).await);
        assert_eq!(counts(&engine.import(&[b]).await), [2, 0, 0, 0, 0]);
        assert_eq!(engine.dump().await, whole);
        // One account after all: each event is one, with both of its rows.
        let (from, into) = (engine.account("C").await, engine.account("B").await);
        engine.edit(Change::MergeAccounts { from, into }).await;
        assert_eq!(engine.cash_of("A", "USD").await, "-500");
        assert_eq!(engine.cash_of("B", "USD").await, "500");
        assert_eq!(counts(&engine.import(&[c]).await), [0, 2, 0, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn equal_dividends_that_bought_unlike_shares_are_two() {
    let bought = |how: &str| csv(PLAIN, &[&format!("2024-01-03,A,REINVEST,X,{how},,USD,,")]);
    let (two, four) = (bought("2,10"), bought("4,5"));
    on_each(async |engine| {
        engine.import(&[("two.csv", &two)]).await;
        assert_eq!(counts(&engine.import(&[("four.csv", &four)]).await), [2, 0, 0, 0, 0]);
        assert_eq!(counts(&engine.import(&[("two.csv", &two)]).await), [0, 2, 0, 0, 0]);
        assert_eq!(counts(&engine.import(&[("four.csv", &four)]).await), [0, 2, 0, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn a_leg_that_came_alone_becomes_part_of_its_transfer() {
    let alone = csv(WIDE, &["2024-01-02,A,WITHDRAWAL,,,,,USD,-500,,,,,,,"]);
    let whole = csv(WIDE, &["2024-01-02,A,WITHDRAWAL,,,,,USD,-500,,,,B,,,"]);
    let wanted = dump_of(&[("whole.csv", &whole)]).await;
    let files = [("alone.csv", alone.as_str()), ("whole.csv", whole.as_str())];
    for order in [files, [files[1], files[0]]] {
        on_each(async |engine| {
            for file in order {
                engine.import(&[file]).await;
            }
            assert_eq!(engine.dump().await, wanted);
        })
        .await;
    }
}

#[tokio::test]
async fn both_legs_of_a_transfer_contradict_or_none() {
    let row = |rest: &str| csv(WIDE, &[&format!("2024-01-02,A,WITHDRAWAL,,,,,USD,{rest},,,")]);
    let (half, more) = (row("-500,,w1,,"), row("-700,,w1,,C"));
    let elsewhere = row("-500,,w1,,C");
    let shares = |to: &str, count: u32| {
        csv(WIDE, &[&format!("2024-01-02,A,TRANSFER_OUT,X,{count},,,USD,0,,t1,,{to},,,")])
    };
    let (old, new) = (row("-500,,w1,,B"), row("-700,,w1,,C"));
    let cases =
        [(&old, &new), (&old, &elsewhere), (&half, &more), (&shares("B", 5), &shares("C", 5))];
    for (before, after) in cases {
        let wanted = [dump_of(&[("1.csv", before)]).await, dump_of(&[("2.csv", after)]).await];
        on_each(async |engine| {
            engine.import(&[("1.csv", before)]).await;
            let report = engine.import_with(&[("2.csv", after)], |_| {}).await;
            assert_eq!(counts(&report), [0, 0, 0, 2, 0]);
            assert_eq!(reasons(&report).len(), 1, "a row is told once");
            assert_eq!(transactions(&engine.dump().await), transactions(&wanted[0]));
            let report =
                engine.import_with(&[("2.csv", after)], |wish| wish.accept_changes = true).await;
            assert_eq!(transactions(&engine.dump().await), transactions(&wanted[1]));
            assert_eq!(counts(&engine.import(&[("2.csv", after)]).await), [0, 2, 0, 0, 0]);
            let last = engine.last_live_batch().await;
            engine.undo(last).await;
            assert_eq!(transactions(&engine.dump().await), transactions(&wanted[1]));
            engine.undo(report.batch.unwrap()).await;
            assert_eq!(transactions(&engine.dump().await), transactions(&wanted[0]));
        })
        .await;
    }
}

// Ways of importing.

#[tokio::test]
async fn a_trial_run_changes_nothing_and_tells_the_truth() {
    let (early, late) = (deposits(&["1", "2"]), deposits(&["2", "2", "3"]));
    let wrong = csv(PLAIN, &["2024-01-02,A,DEPOSIT,,,,,USD,-5,"]);
    let files: [File<'_>; 4] =
        [("late.csv", &late), ("prices.csv", A_PRICES), ("a.csv", A), ("wrong.csv", &wrong)];
    on_each(async |engine| {
        engine.import(&[("early.csv", &early)]).await;
        let (dump, revision) = (engine.dump().await, engine.revision().await);
        let batches = service::import::list(&engine.session).await.unwrap().len();
        let trial = engine.import_with(&files, |request| request.dry_run = true).await;
        assert_eq!(trial.batch, None);
        assert_eq!((engine.dump().await, engine.revision().await), (dump, revision));
        assert_eq!(service::import::list(&engine.session).await.unwrap().len(), batches);
        let real = engine.import_with(&files, |_| {}).await;
        assert!(real.batch.is_some() && engine.revision().await > revision);
        assert_eq!(counts(&real), [8, 1, 0, 0, 1]);
        for (trial, real) in trial.files.iter().zip(&real.files) {
            let told = |file: &service::import::FileReport| {
                let counts = (file.new, file.duplicate, file.changed, file.conflict);
                (file.rows, counts, file.refused.clone(), file.refused_total, file.stored)
            };
            assert_eq!(told(trial), told(real));
        }
        assert_eq!(trial.outcome(), real.outcome());
    })
    .await;
}

#[tokio::test]
async fn strict_makes_no_account() {
    on_each(async |engine| {
        let strict = |request: &mut ImportRequest| request.strict = true;
        let report = engine.import_with(&EXAMPLES[0], strict).await;
        assert_eq!(report.outcome(), Outcome::Partial, "its prices need no account");
        assert!(!report.files[0].stored && report.files[1].stored);
        assert!(reasons(&report)[0].contains("Example A"));
        assert_eq!(engine.accounts(TODAY).await.len(), 0);
        engine
            .edit(Change::AddAccount(NewAccount {
                name: text("Example A"),
                kind: AccountKind::Margin,
                currency: Currency::USD,
                mode: Mode::Ledger,
                method: None,
                institution: None,
                closed: None,
                performance: None,
            }))
            .await;
        let report = engine.import_with(&EXAMPLES[0], strict).await;
        assert_eq!((report.outcome(), counts(&report)), (Outcome::Done, [5, 1, 0, 0, 0]));
        assert_eq!(engine.accounts(TODAY).await[0].kind, AccountKind::Margin);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_row_keeps_its_file_out_unless_partial() {
    let mixed = csv(
        PLAIN,
        &[
            "2024-01-02,A,DEPOSIT,,,,,USD,5,right",
            "2024-01-02,A,DEPOSIT,,,,,USD,-5,wrong",
            "2024-01-02,A,BUY,X,2,10.00,,USD,-21,wrong too",
        ],
    );
    let fine = csv(PLAIN, &["2024-01-03,B,DEPOSIT,,,,,USD,7,fine"]);
    on_each(async |engine| {
        let report = engine.import_with(&[("mixed.csv", &mixed)], |_| {}).await;
        assert_eq!((report.outcome(), report.batch), (Outcome::Refused, None));
        assert_eq!(report.files[0].refused_total, 2);
        let lines: Vec<_> = report.files[0].refused.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [Some(3), Some(4)]);
        assert_eq!(engine.dump().await, "");

        let files: [File<'_>; 2] = [("mixed.csv", &mixed), ("fine.csv", &fine)];
        let report = engine.import_with(&files, |_| {}).await;
        assert_eq!((report.outcome(), counts(&report)), (Outcome::Partial, [1, 0, 0, 0, 2]));
        assert!(!report.files[0].stored && report.files[1].stored);
        assert_eq!(engine.descriptions().await, ["fine"]);

        let report = engine.import_with(&files, |request| request.partial = true).await;
        assert_eq!((report.outcome(), counts(&report)), (Outcome::Partial, [1, 1, 0, 0, 2]));
        assert_eq!(engine.descriptions().await, ["right", "fine"]);
        let mut tx = engine.session.store.read().await.unwrap();
        let staged = tx.staged_rows(report.batch.unwrap()).await.unwrap();
        let raw: Vec<_> = staged.iter().map(|row| (row.line, row.raw.contains("wrong"))).collect();
        assert_eq!(raw, [(3, true), (4, true)], "what was refused is kept as it was written");
    })
    .await;
}

// Exports.

async fn check_neutral_round_trip(files: &[File<'_>]) {
    let engine = sqlite().await;
    engine.import(files).await;
    let dump = engine.dump().await;
    let [transactions, prices] = engine.neutral().await;
    let own: [File<'_>; 2] = [(transactions.0, &transactions.1), (prices.0, &prices.1)];
    let again = engine.import(&own).await;
    let [new, _, changed, ..] = counts(&again);
    assert_eq!((new, changed), (0, 0), "its own export says nothing new");
    assert_eq!(engine.dump().await, dump);
    engine.close().await;
    for order in [own, [own[1], own[0]]] {
        on_each(async |engine| {
            for file in order {
                engine.import(&[file]).await;
            }
            assert_eq!(engine.dump().await, dump);
        })
        .await;
    }
}

#[tokio::test]
async fn the_neutral_form_carries_the_examples() {
    check_neutral_round_trip(&EXAMPLES[0]).await;
    check_neutral_round_trip(&EXAMPLES[1]).await;
    check_neutral_round_trip(&EXAMPLES.concat()).await;
}

#[tokio::test]
async fn twins_on_two_venues_keep_their_prices() {
    let rows = csv(
        &format!("{PLAIN},venue"),
        &[
            "2024-01-02,A,BUY,X@USD,1,10,,USD,-10,,XNAS",
            "2024-01-02,A,BUY,X@USD,1,11,,USD,-11,,XLON",
        ],
    );
    let prices =
        csv(PRICES, &["2024-01-02,sec:X@USD:XNAS,12,USD", "2024-01-02,sec:X@USD:XLON,13,USD"]);
    check_neutral_round_trip(&[("t.csv", &rows), ("p.csv", &prices)]).await;
    let untold = csv(PRICES, &["2024-01-02,sec:X@USD,12,USD"]);
    on_each(async |engine| {
        engine.import(&[("t.csv", &rows), ("p.csv", &prices)]).await;
        assert_eq!(edit::securities(&engine.session).await.unwrap().len(), 2);
        let report = engine.import_with(&[("u.csv", &untold)], |_| {}).await;
        let said = reasons(&report).concat();
        assert!(said.contains("sec:SYM@CUR:VENUE") && said.contains("XLON"), "{said}");
        let whole = engine.export(ExportFormat::Json, None).await;
        let copy = sqlite().await;
        copy.import(&[("all.json", &whole)]).await;
        assert_eq!(copy.export(ExportFormat::Json, None).await, whole);
        copy.close().await;
    })
    .await;
}

#[tokio::test]
async fn the_neutral_form_carries_the_files_of_the_household() {
    check_neutral_round_trip(&[("transactions.csv", DEMO), ("prices.csv", DEMO_PRICES)]).await;
}

// The sample household.

/// Cash, quantities and balances must be those that were computed elsewhere.
async fn check_household(session: &service::Session) {
    let expected: serde_json::Value = serde_json::from_str(DEMO_EXPECTED).unwrap();
    let as_of: NaiveDate = expected["as_of"].as_str().unwrap().parse().unwrap();
    let expected = expected["accounts"].as_object().unwrap();
    let mut tx = session.store.read().await.unwrap();
    let query =
        report::AccountsQuery { as_of, today: as_of, currency: None, account: None, closed: true };
    let accounts = report::accounts(&mut tx, &query).await.unwrap().rows;
    let query = report::PositionsQuery {
        as_of,
        today: as_of,
        account: None,
        currency: None,
        method: None,
        closed: false,
    };
    let held = report::holdings(&mut tx, &query).await.unwrap().rows;
    assert_eq!(accounts.len(), expected.len());
    for account in accounts {
        let right = &expected[account.name.as_str()];
        let words = |value: &serde_json::Value| -> BTreeMap<String, String> {
            serde_json::from_value(value.clone()).unwrap()
        };
        let cash: BTreeMap<_, _> =
            account.cash.iter().map(|(code, sum)| (code.to_string(), sum.to_string())).collect();
        assert_eq!(cash, words(&right["cash"]), "cash of {}", account.name);
        let of_account = held.iter().filter(|row| row.account.as_ref() == Some(&account.name));
        let quantities: BTreeMap<_, _> =
            of_account.map(|row| (row.symbol.to_string(), row.quantity.to_string())).collect();
        assert_eq!(quantities, words(&right["holdings"]), "holdings of {}", account.name);
        if let Some(balance) = right["balance"].as_str() {
            assert_eq!(account.mode, Mode::Balances);
            assert_eq!(account.value.unwrap().to_string(), balance);
            assert_eq!(account.as_of.unwrap().to_string(), right["balance_date"].as_str().unwrap());
        }
    }
}

#[tokio::test]
async fn the_household_is_what_was_computed_elsewhere_on_both_engines() {
    let (session, folder) = demo().await;
    check_household(&session).await;
    let demo = Engine::around(session, folder);
    let dump = demo.dump().await;
    let everything = demo.export(ExportFormat::Json, Some(What::All)).await;
    let document: serde_json::Value = serde_json::from_str(&everything).unwrap();
    let expected: serde_json::Value = serde_json::from_str(DEMO_EXPECTED).unwrap();
    let prices = ["prices", "rates"].map(|key| document[key].as_array().unwrap().len());
    assert_eq!(prices.iter().sum::<usize>() as u64, expected["price_rows"].as_u64().unwrap());
    let [(_, transactions), _] = demo.neutral().await;
    let rows = transactions.lines().count() - 1;
    // A row with `to_account` is exported as two.
    let mut csv = csv::Reader::from_reader(DEMO.as_bytes());
    let column = csv.headers().unwrap().iter().position(|name| name == "to_account").unwrap();
    let transfers = csv.records().filter(|row| !row.as_ref().unwrap()[column].is_empty()).count();
    let written = expected["transaction_rows"].as_u64().unwrap();
    assert_eq!(rows as u64, written + transfers as u64);
    demo.close().await;

    let Some(server) = postgres().await else { return };
    server.import(&[("all.json", &everything)]).await;
    assert_eq!(server.dump().await, dump);
    check_household(&server.session).await;
    assert_eq!(server.damage().await, [""; 0]);
    // And back from there to a file.
    let back = server.export(ExportFormat::Json, None).await;
    server.import(&[("all.json", &back)]).await;
    assert_eq!(server.dump().await, dump);
    server.close().await;
    let file = sqlite().await;
    file.import(&[("all.json", &back)]).await;
    assert_eq!(file.dump().await, dump);
    file.close().await;
}

#[tokio::test]
async fn the_csv_files_of_the_household_alone_have_the_same_cash() {
    on_each(async |engine| {
        let report =
            engine.import(&[("transactions.csv", DEMO), ("prices.csv", DEMO_PRICES)]).await;
        let expected: serde_json::Value = serde_json::from_str(DEMO_EXPECTED).unwrap();
        let rows: Vec<_> = report.files.iter().map(|file| file.rows).collect();
        let written = ["transaction_rows", "price_rows"].map(|key| expected[key].as_u64().unwrap());
        assert_eq!(rows, written);
        for (account, cash) in engine.cash(TODAY).await {
            let right: BTreeMap<String, String> =
                serde_json::from_value(expected["accounts"][&account]["cash"].clone()).unwrap();
            assert_eq!(cash, right, "{account}");
        }
    })
    .await;
}

// What only these tests ask.

impl Engine {
    /// The last import that has not been taken back.
    async fn last_live_batch(&self) -> dashtam::model::BatchId {
        let batches = service::import::list(&self.session).await.unwrap();
        batches.iter().rfind(|batch| batch.undone.is_none()).unwrap().id
    }

    /// The kinds of the open findings.
    async fn findings(&self) -> Vec<String> {
        let mut tx = self.session.store.read().await.unwrap();
        tx.findings().await.unwrap().into_iter().map(|finding| finding.kind).collect()
    }
}
