//! A store that goes through its own exports keeps what a person did to its rows, and what their
//! sources know them by; on both engines alike.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod support;

use dashtam::model::{Change, Dec, Entry, EntryType, SafeText, Subtype, TransactionId, Unit};
use dashtam::service::edit::RowEdit;
use dashtam::service::export::{ExportFormat, What};
use support::engines::{Engine, counts, on_each, sqlite};

const HEADER: &str = "date,account,type,symbol,quantity,price,fee,currency,amount";
const ROWS: &str = "2024-01-05,A,DEPOSIT,,,,,USD,500\n2024-01-06,A,WITHDRAWAL,,,,,USD,-20\n\
    2024-01-07,A,WITHDRAWAL,,,,,USD,-30\n";

fn file(rows: &str) -> String {
    format!("{HEADER}\n{rows}")
}

async fn with_amount(engine: &Engine, amount: &str) -> TransactionId {
    let rows = engine.rows().await;
    rows.iter().find(|row| row.amount.to_string() == amount).unwrap().id
}

async fn set_amount(engine: &Engine, before: &str, after: &str) {
    let id = with_amount(engine, before).await;
    let amount = Some(Dec::parse(after).unwrap());
    engine.edit_row(id, RowEdit { amount, ..RowEdit::default() }).await;
}

/// Three rows, of which one was changed and one taken away.
async fn changed(engine: &Engine) {
    engine.import(&[("1.csv", &file(ROWS))]).await;
    set_amount(engine, "-20", "-25").await;
    let id = with_amount(engine, "-30").await;
    engine.edit(Change::DeleteTransaction(id)).await;
}

/// What importing this does, which must be nothing.
async fn nothing_new(engine: &Engine, name: &str, text: &str) {
    let before = engine.dump().await;
    let report = engine.import(&[(name, text)]).await;
    let [new, _, changed, conflict, refused] = counts(&report);
    assert_eq!([new, changed, conflict, refused], [0; 4], "{name} on {}", engine.name);
    assert_eq!(engine.dump().await, before, "{name} on {}", engine.name);
    engine.undo(engine.last_batch().await).await;
    assert_eq!(engine.dump().await, before, "{name} taken back on {}", engine.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_reads_its_own_exports_stays_as_it_is() {
    on_each(async |engine| {
        changed(engine).await;
        assert_eq!(engine.cash_of("A", "USD").await, "475");
        nothing_new(engine, "1.csv", &file(ROWS)).await;
        let json = engine.export(ExportFormat::Json, Some(What::Transactions)).await;
        nothing_new(engine, "all.json", &json).await;
        let [(_, neutral), _] = engine.neutral().await;
        nothing_new(engine, "2.csv", &neutral).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_store_knows_from_json_what_was_changed_and_deleted() {
    let source = sqlite().await;
    changed(&source).await;
    let json = source.export(ExportFormat::Json, None).await;
    let dump = source.dump().await;
    source.close().await;
    on_each(async |engine| {
        let empty = engine.dump().await;
        let batch = engine.import(&[("all.json", &json)]).await.batch.unwrap();
        assert_eq!(engine.dump().await, dump);
        nothing_new(engine, "1.csv", &file(ROWS)).await;
        nothing_new(engine, "all.json", &json).await;
        assert_eq!(engine.export(ExportFormat::Json, None).await, json, "it says it all again");
        engine.undo(batch).await;
        assert_eq!(engine.dump().await, empty, "and it goes as it came");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_moved_to_another_day_and_account_is_known_in_the_new_store() {
    let source = sqlite().await;
    let rows =
        format!("{ROWS}2024-01-06,B,WITHDRAWAL,,,,,USD,-20\n2024-01-06,A,WITHDRAWAL,,,,,USD,-20\n");
    source.import(&[("1.csv", &file(&rows))]).await;
    let id = source
        .rows()
        .await
        .iter()
        .find(|row| row.account.as_str() == "A" && row.amount.to_string() == "-20")
        .unwrap()
        .id;
    let edit = RowEdit {
        account: Some(SafeText::new("B")),
        date: "2024-01-09".parse().ok(),
        ..RowEdit::default()
    };
    source.edit_row(id, edit).await;
    let json = source.export(ExportFormat::Json, None).await;
    let dump = source.dump().await;
    source.close().await;
    on_each(async |engine| {
        engine.import(&[("all.json", &json)]).await;
        assert_eq!(engine.dump().await, dump);
        nothing_new(engine, "1.csv", &file(&rows)).await;
        nothing_new(engine, "all.json", &json).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_by_hand_is_known_by_what_it_was_at_first() {
    on_each(async |engine| {
        engine.import(&[("1.csv", &file(ROWS))]).await;
        let what = EntryType::One(Subtype::Deposit);
        let day = "2024-02-01".parse().unwrap();
        let mut entry = Entry::new(SafeText::new("A"), day, what, Unit::parse("USD").unwrap());
        entry.amount = Some(Dec::parse("100").unwrap());
        engine.edit(Change::AddTransaction(Box::new(entry))).await;
        let [(_, older), _] = engine.neutral().await;
        set_amount(engine, "100", "120").await;
        let json = engine.export(ExportFormat::Json, None).await;
        nothing_new(engine, "all.json", &json).await;
        let other = sqlite().await;
        other.import(&[("all.json", &json)]).await;
        assert_eq!(other.dump().await, engine.dump().await);
        nothing_new(&other, "all.json", &json).await;
        nothing_new(&other, "older.csv", &older).await;
        other.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_equals_an_edited_one_is_another_where_its_file_has_both() {
    let both = "2024-01-06,A,WITHDRAWAL,,,,,USD,-25\n2024-01-06,A,WITHDRAWAL,,,,,USD,-20\n";
    let turned = both.lines().rev().collect::<Vec<_>>().join("\n");
    for rows in [both, &turned] {
        on_each(async |engine| {
            engine.import(&[("1.csv", &file(ROWS))]).await;
            set_amount(engine, "-20", "-25").await;
            let report = engine.import(&[("2.csv", &file(rows))]).await;
            assert_eq!(counts(&report), [1, 1, 0, 0, 0]);
            assert_eq!(engine.cash_of("A", "USD").await, "420");
            nothing_new(engine, "2.csv", &file(rows)).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reinvestment_that_was_edited_is_known_with_both_of_its_rows() {
    let bought = |how: &str| file(&format!("2024-01-05,A,REINVEST,X,{how},,USD,\n"));
    let (two, other) = (bought("2,10"), bought("4,5"));
    on_each(async |engine| {
        engine.import(&[("1.csv", &two)]).await;
        let id = with_amount(engine, "-20").await;
        let quantity = Dec::parse("4").ok();
        let price = Dec::parse("5").ok().map(|price| (price, 0));
        engine.edit_row(id, RowEdit { quantity, price, ..RowEdit::default() }).await;
        let [(_, neutral), _] = engine.neutral().await;
        assert!(neutral.contains("REINVEST"), "{neutral}");
        for (name, text) in [("1.csv", &two), ("2.csv", &neutral), ("3.csv", &other)] {
            nothing_new(engine, name, text).await;
        }
        // Where a file has it as its source knows it too, the other one is another event.
        let both = bought("4,5,,USD,\n2024-01-05,A,REINVEST,X,2,10");
        let report = engine.import(&[("4.csv", &both)]).await;
        assert_eq!(counts(&report), [2, 2, 0, 0, 0], "{both}");
        nothing_new(engine, "4.csv", &both).await;
    })
    .await;
}
