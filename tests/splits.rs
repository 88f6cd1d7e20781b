//! Splits that the prices show and the rows lack, and pairs of rows that may be one move: proposed,
//! written once, never counted twice, and taken back as they came; on both engines alike.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::fmt::Write as _;

use chrono::{Datelike, NaiveDate, TimeDelta};
use dashtam::model::{Change, Dec, TransactionId};
use dashtam::report::{self, FindingRow, SplitProposal};
use dashtam::service::edit::security_named;
use dashtam::service::{rebuild, splits};
use support::engines::{Engine, TODAY, counts, on_each};

const HEADER: &str = "date,account,type,symbol,quantity,price,currency,amount,id,ratio,fee";

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

fn rows(lines: &str) -> String {
    let lines = lines.lines().map(|line| format!("{},\n", line.trim()));
    format!("{HEADER}\n{}", lines.collect::<String>())
}

/// A close for every weekday of a span.
fn closes(symbol: &str, from: &str, to: &str, close: &str) -> String {
    let mut text = String::new();
    let mut date = day(from);
    while date <= day(to) {
        if date.weekday().num_days_from_monday() < 5 {
            writeln!(text, "{date},{symbol},{close},USD").unwrap();
        }
        date += TimeDelta::days(1);
    }
    text
}

/// X at 400 until Friday the seventh, at 101 from Monday on: 4:1, and a little up.
fn prices() -> String {
    let before = closes("X", "2024-05-27", "2024-06-07", "400");
    let after = closes("X", "2024-06-10", "2024-06-21", "101");
    format!("date,symbol,close,currency\n{before}{after}")
}

/// Two accounts that held X before the split, one that bought it later.
fn held() -> String {
    rows(
        "2024-05-27,A,DEPOSIT,,,,USD,10000,,
         2024-05-27,A,BUY,X,10,400,USD,,,
         2024-06-05,B,DEPOSIT,,,,USD,10000,,
         2024-06-05,B,BUY,X,2.5,400,USD,,,
         2024-06-12,C,DEPOSIT,,,,USD,10000,,
         2024-06-12,C,BUY,X,1,101,USD,,,",
    )
}

async fn proposals(engine: &Engine) -> Vec<SplitProposal> {
    splits::proposed(&engine.session, &[]).await.unwrap()
}

/// Account, before, after.
fn shares(proposals: &[SplitProposal]) -> Vec<(String, String, String)> {
    let shares = proposals.iter().flat_map(|proposal| &proposal.shares);
    let told = |dec: Option<Dec>| dec.map(|dec| dec.to_string()).unwrap_or_default();
    shares.map(|it| (it.account.to_string(), it.before.to_string(), told(it.after))).collect()
}

async fn apply(engine: &Engine) -> Vec<TransactionId> {
    let proposals = proposals(engine).await;
    let applied = splits::apply(&engine.session, proposals.iter()).await;
    assert!(applied.failed.is_empty(), "{:?}", applied.failed);
    applied.written.iter().map(|row| row.transaction).collect()
}

async fn quantities(engine: &Engine) -> Vec<String> {
    let query = report::PositionsQuery {
        as_of: TODAY,
        today: TODAY,
        account: None,
        currency: None,
        method: None,
        closed: false,
    };
    let mut tx = engine.session.store.read().await.unwrap();
    let report = report::holdings(&mut tx, &query).await.unwrap();
    report.rows.iter().map(|row| row.quantity.to_string()).collect()
}

async fn findings(engine: &Engine, kind: &str) -> Vec<FindingRow> {
    let mut tx = engine.session.store.read().await.unwrap();
    let mut rows = report::findings(&mut tx, TODAY).await.unwrap();
    rows.retain(|row| row.kind.as_str() == kind);
    rows
}

#[track_caller]
fn nothing(proposals: &[SplitProposal]) {
    assert!(proposals.is_empty(), "{proposals:?}");
}

/// The figures kept beside the rows are those that the rows make.
async fn sound(engine: &Engine) {
    assert_eq!(rebuild::check(&engine.session).await.unwrap(), [""; 0], "on {}", engine.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_is_proposed_and_applied_once() {
    on_each(async |engine| {
        engine.import(&[("rows.csv", &held()), ("prices.csv", &prices())]).await;
        let found = proposals(engine).await;
        assert_eq!(found.len(), 1);
        let it = &found[0];
        assert_eq!(
            (it.day, it.ratio.to_string(), it.sure),
            (day("2024-06-10"), "4:1".into(), true)
        );
        let (before, after) = (it.step.before.close, it.step.after.close);
        assert_eq!((before, after), (dec("400"), dec("101")));
        let expected = [("A", "10", "40"), ("B", "2.5", "10")];
        assert_eq!(shares(&found), expected.map(|(a, b, c)| (a.into(), b.into(), c.into())));
        assert_eq!(quantities(engine).await, ["10", "2.5", "1"], "to propose changes nothing");

        assert_eq!(apply(engine).await.len(), 2);
        assert_eq!(quantities(engine).await, ["40", "10", "1"]);
        nothing(&proposals(engine).await);
        assert_eq!(apply(engine).await, []);
        assert_eq!(quantities(engine).await, ["40", "10", "1"]);
        assert!(findings(engine, "split_twice").await.is_empty());
        sound(engine).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_total_does_not_jump_at_an_applied_split() {
    on_each(async |engine| {
        engine.import(&[("rows.csv", &held()), ("prices.csv", &prices())]).await;
        let worth = async |day: NaiveDate| {
            let mut tx = engine.session.store.read().await.unwrap();
            let query = report::NetWorthQuery {
                from: None,
                to: day,
                today: TODAY,
                account: None,
                currency: None,
                every: None,
            };
            let report = report::net_worth(&mut tx, &query).await.unwrap();
            report.rows[0].net_worth.unwrap().inner()
        };
        let (eve, first) = (day("2024-06-09"), day("2024-06-10"));
        // 15000 in cash, 12.5 at 400; then at 101.
        assert_eq!(worth(eve).await, dec("20000").inner());
        assert_eq!(worth(first).await, dec("16262.5").inner());
        apply(engine).await;
        assert_eq!(worth(eve).await, dec("20000").inner());
        // 50 at 101: the market's part is 50, a quarter of a hundredth of the whole.
        assert_eq!(worth(first).await, dec("20050").inner());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_applied_split_is_taken_back_like_any_row_and_can_come_back() {
    on_each(async |engine| {
        engine.import(&[("rows.csv", &held()), ("prices.csv", &prices())]).await;
        let before = engine.dump().await;
        let written = apply(engine).await;
        engine.edit(Change::DeleteTransaction(written[1])).await;
        assert_eq!(quantities(engine).await, ["40", "2.5", "1"]);
        assert_eq!(shares(&proposals(engine).await), [("B".into(), "2.5".into(), "10".into())]);
        assert_eq!(apply(engine).await, [written[1]]);
        assert_eq!(quantities(engine).await, ["40", "10", "1"]);
        for id in written {
            engine.edit(Change::DeleteTransaction(id)).await;
        }
        assert_eq!(engine.dump().await, before);
        sound(engine).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_row_of_the_source_takes_the_place_of_the_applied_one() {
    on_each(async |engine| {
        engine.import(&[("rows.csv", &held()), ("prices.csv", &prices())]).await;
        let written = apply(engine).await;
        let applied = engine.dump().await;
        // Two days later by the broker's books.
        let broker = rows("2024-06-12,A,SPLIT,X,,,USD,,T-77,8:2");
        engine.import(&[("broker.csv", &broker)]).await;
        assert_eq!(quantities(engine).await, ["40", "10", "1"]);
        nothing(&proposals(engine).await);
        sound(engine).await;
        let after = engine.dump().await;
        let again = engine.import(&[("broker.csv", &broker)]).await;
        assert_eq!(counts(&again), [0, 1, 0, 0, 0]);
        assert_eq!(engine.dump().await, after);
        engine.undo(engine.last_batch().await).await;
        assert_eq!(engine.dump().await, after, "the first import still claims it");

        let first = dashtam::model::BatchId(engine.last_batch().await.0 - 1);
        engine.undo(first).await;
        assert_eq!(engine.dump().await, applied, "what gave way is there again");
        assert_eq!(quantities(engine).await, ["40", "10", "1"]);

        // Who brings both back is told.
        engine.import(&[("broker.csv", &broker)]).await;
        engine.edit(Change::RestoreTransaction(written[0])).await;
        let twice = findings(engine, "split_twice").await;
        assert_eq!(twice.len(), 1);
        assert_eq!(twice[0].account.as_ref().unwrap().as_str(), "A");
        sound(engine).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_ratio_or_day_of_the_source_takes_no_place() {
    on_each(async |engine| {
        engine.import(&[("rows.csv", &held()), ("prices.csv", &prices())]).await;
        apply(engine).await;
        let others = rows(
            "2024-06-12,A,SPLIT,X,,,USD,,,2:1
             2024-06-21,B,SPLIT,X,,,USD,,,4:1",
        );
        engine.import(&[("broker.csv", &others)]).await;
        assert_eq!(quantities(engine).await, ["80", "40", "1"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_row_is_left_out_and_bears_the_split_out() {
    on_each(async |engine| {
        let split = "2024-06-11,A,SPLIT,X,,,USD,,,4:1,";
        let all = format!("{}{split}\n", held());
        engine.import(&[("rows.csv", &all), ("prices.csv", &prices())]).await;
        let found = proposals(engine).await;
        assert_eq!(found[0].day, day("2024-06-11"), "one day for all accounts");
        assert_eq!(shares(&found), [("B".into(), "2.5".into(), "10".into())]);
        assert!(found[0].witnesses[0].as_str().starts_with("A has the split"));
        apply(engine).await;
        assert_eq!(quantities(engine).await, ["40", "10", "1"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_that_brought_the_new_units_is_told_and_not_applied() {
    on_each(async |engine| {
        let booked = "2024-06-13,A,ADJUSTMENT,X,30,,USD,,,,";
        let all = format!("{}{booked}\n", held());
        engine.import(&[("rows.csv", &all), ("prices.csv", &prices())]).await;
        let found = proposals(engine).await;
        assert_eq!(found[0].shares.len(), 2);
        assert!(found[0].shares[0].booked.is_some() && found[0].shares[1].booked.is_none());
        assert_eq!(apply(engine).await.len(), 1);
        assert_eq!(quantities(engine).await, ["40", "10", "1"]);
        let left = proposals(engine).await;
        assert_eq!(left[0].shares.len(), 1);
        assert!(left[0].shares[0].booked.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_before_the_first_purchase_is_nobodys() {
    on_each(async |engine| {
        let late = rows("2024-06-12,A,DEPOSIT,,,,USD,1000,,\n2024-06-12,A,BUY,X,1,101,USD,,,");
        engine.import(&[("rows.csv", &late), ("prices.csv", &prices())]).await;
        nothing(&proposals(engine).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leaps_by_nature_does_not_split() {
    on_each(async |engine| {
        engine.import(&[("rows.csv", &held()), ("prices.csv", &prices())]).await;
        let security = security_named(&engine.session, "X").await.unwrap();
        let class = dashtam::model::Edit::Set(dashtam::model::AssetClass::Crypto);
        let edit = dashtam::model::SecurityEdit { class, ..Default::default() };
        engine.edit(Change::EditSecurity(security.id, edit)).await;
        nothing(&proposals(engine).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pairs_are_proposed_until_they_are_linked() {
    on_each(async |engine| {
        let moves = rows(
            "2024-06-03,Bank,WITHDRAWAL,,,,USD,-500,,
             2024-06-05,Broker,DEPOSIT,,,,USD,500,,
             2024-06-05,Broker,DEPOSIT,,,,USD,501,,
             2024-06-06,Broker,OPENING,X,5,,USD,,,
             2024-06-07,Broker,TRANSFER_OUT,X,5,,USD,,,
             2024-06-12,Other,TRANSFER_IN,X,5,,USD,,,",
        );
        engine.import(&[("rows.csv", &moves)]).await;
        let found = findings(engine, "pair_proposed").await;
        let told: Vec<_> = found.iter().map(|row| row.detail.to_string()).collect();
        assert_eq!(
            told,
            [
                "5 X left Broker on 2024-06-07 and came to Other on 2024-06-12",
                "500 USD left Bank on 2024-06-03 and came to Broker on 2024-06-05",
            ]
        );
        let rows = engine.rows().await;
        let ids = [rows[0].id, rows.iter().find(|row| row.amount == dec("500")).unwrap().id];
        let fix = format!("`dashtam txn link {} {}`", ids[0], ids[1]);
        assert!(found[1].fix.as_str().ends_with(&fix), "{}", found[1].fix);
        assert_eq!(found[1].severity.as_str(), "info");

        engine.edit(Change::LinkTransactions(ids.to_vec())).await;
        assert_eq!(findings(engine, "pair_proposed").await.len(), 1);
        sound(engine).await;
    })
    .await;
}

/// The command line on the store of an engine in a file: exit code, output, what it says beside it.
fn cli(folder: &std::path::Path, words: &[&str]) -> (Option<i32>, String, String) {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_dashtam"));
    command.env_clear().env("HOME", folder).env("TZ", "UTC");
    command.env("DASHTAM_DATA_DIR", folder.join("data"));
    let done = command.args(words).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

#[test]
fn the_command_lists_and_applies() {
    let home = tempfile::tempdir().unwrap();
    // Y falls as a 3:2 would: only who names it means it.
    let fall = closes("Y", "2024-05-27", "2024-06-07", "300")
        + &closes("Y", "2024-06-10", "2024-06-21", "200");
    for (name, text) in [
        ("rows.csv", format!("{}2024-05-27,A,BUY,Y,3,300,USD,,,,\n", held())),
        ("prices.csv", format!("{}{fall}", prices())),
    ] {
        std::fs::write(home.path().join(name), text).unwrap();
    }
    let run = |words: &[&str]| cli(home.path(), words);
    let file = |name: &str| home.path().join(name).into_os_string().into_string().unwrap();
    assert_eq!(run(&["import", &file("rows.csv"), &file("prices.csv")]).0, Some(0));

    let (code, table, aside) = run(&["security", "splits"]);
    assert_eq!(code, Some(0));
    let expected = "\
date        symbol  ratio   close    next  account  held  becomes
2024-06-10  X       4:1    400.00  101.00  A        10       40    new
2024-06-10  X       4:1    400.00  101.00  B         2.5     10    new
2024-06-10  Y       3:2    300.00  200.00  A         3        4.5  unsure
";
    assert_eq!(table, expected);
    assert!(aside.contains("2024-06-10 X 4:1: own trades before and after it"), "{aside}");
    assert!(aside.contains("--apply"), "{aside}");

    let (code, text, _) = run(&["security", "splits", "X", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &document["schema"]), (Some(0), &"dashtam.splits/1".into()));
    assert_eq!(document["rows"].as_array().unwrap().len(), 1);
    let row = &document["rows"][0];
    for (field, value) in [
        ("symbol", "X"),
        ("date", "2024-06-10"),
        ("ratio", "4:1"),
        ("source", "file"),
        ("currency", "USD"),
        ("date_before", "2024-06-07"),
        ("close_before", "400"),
        ("date_after", "2024-06-10"),
        ("close_after", "101"),
    ] {
        assert_eq!(row[field], value, "{field}");
    }
    assert_eq!((&row["sure"], &document["applied"]), (&true.into(), &serde_json::json!([])));
    let part = serde_json::json!({
        "account": "B", "quantity_before": "2.5", "quantity_after": "10", "booked": null
    });
    assert_eq!(row["accounts"][1], part);

    let (code, _, said) = run(&["security", "splits", "--apply", "--read-only"]);
    assert!(code == Some(2) && said.contains("--read-only"), "{said}");
    let (code, text, said) = run(&["security", "splits", "--apply"]);
    assert_eq!((code, text.lines().count()), (Some(0), 2), "{text}");
    assert!(said.contains("unsure, left alone: 2024-06-10 Y 3:2"), "{said}");
    let (code, text, _) = run(&["security", "splits", "Y", "--apply", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, document["applied"].as_array().unwrap().len()), (Some(0), 1));
    let written = document["applied"][0]["transaction"].to_string();
    assert_eq!(run(&["security", "splits", "--apply"]).0, Some(0));
    let (code, text, said) = run(&["security", "splits"]);
    assert_eq!((code, text.as_str()), (Some(0), ""));
    assert_eq!(said, "the prices show no split that the transactions lack\n");

    assert_eq!(run(&["txn", "delete", &written]).0, Some(0));
    let (_, table, _) = run(&["security", "splits", "--private"]);
    assert!(table.contains('Y') && !table.contains("300") && !table.contains("4.5"), "{table}");
    assert_eq!(run(&["rebuild", "--check"]).0, Some(0));
    assert_eq!(run(&["security", "splits", "Z"]).0, Some(2));
}

const OUT: &str = "2024-06-03,Bank,WITHDRAWAL,,,,USD,-500,W-1,";
const IN: &str = "2024-06-04,Broker,DEPOSIT,,,,USD,500,W-1,";

#[tokio::test(flavor = "multi_thread")]
async fn a_common_id_of_the_source_links() {
    on_each(async |engine| {
        engine.import(&[("out.csv", &rows(OUT))]).await;
        let alone = engine.dump().await;
        engine.import(&[("in.csv", &rows(IN))]).await;
        assert!(engine.rows().await.iter().all(|row| row.linked.len() == 1));
        assert!(findings(engine, "pair_proposed").await.is_empty());
        let both = engine.dump().await;
        let again = engine.import(&[("in.csv", &rows(IN)), ("out.csv", &rows(OUT))]).await;
        assert_eq!(counts(&again), [0, 2, 0, 0, 0]);
        assert_eq!(engine.dump().await, both);
        engine.undo(engine.last_batch().await).await;
        engine.undo(dashtam::model::BatchId(engine.last_batch().await.0 - 1)).await;
        assert_eq!(engine.dump().await, alone, "what is left alone is linked with nothing");
        sound(engine).await;
        engine.import(&[("in.csv", &rows(IN))]).await;
        assert_eq!(engine.dump().await, both);
        sound(engine).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_and_any_order_link_alike() {
    let mut dumps = Vec::new();
    for files in
        [vec![rows(&format!("{OUT}\n{IN}"))], vec![rows(OUT), rows(IN)], vec![rows(IN), rows(OUT)]]
    {
        let engine = support::engines::sqlite().await;
        for file in &files {
            engine.import(&[("rows.csv", file)]).await;
        }
        dumps.push(engine.dump().await);
        engine.close().await;
    }
    assert!(dumps[0].contains("W-1"));
    assert_eq!((&dumps[0], &dumps[0]), (&dumps[1], &dumps[2]));
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_are_alike_by_chance_do_not_link() {
    on_each(async |engine| {
        let others = rows(
            "2024-06-03,Bank,WITHDRAWAL,,,,USD,-500,1,
             2024-06-03,Broker,DEPOSIT,,,,USD,400,1,
             2024-06-03,Bank,WITHDRAWAL,,,,USD,-70,2,
             2024-06-09,Broker,DEPOSIT,,,,USD,70,2,
             2024-06-03,Bank,WITHDRAWAL,,,,USD,-80,3,
             2024-06-03,Broker,DEPOSIT,,,,CAD,80,3,",
        );
        engine.import(&[("rows.csv", &others)]).await;
        assert!(engine.rows().await.iter().all(|row| row.linked.is_empty()));
    })
    .await;
}
