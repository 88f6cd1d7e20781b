//! Backing up and restoring: everything comes back on either engine and goes on as before; what is
//! cut off, altered or does not fit changes nothing; and no migration without a backup.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::fs::{self, File};
use std::io::BufReader;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use dashtam::archive::{self, Part, Reader, Section, Writer};
use dashtam::clock::Clock;
use dashtam::model::{
    AccountEdit, AccountKind, Change, Dec, Edit, Entry, EntryType, SafeText, Setting, Subtype, Unit,
};
use dashtam::service::edit::RowEdit;
use dashtam::service::export::ExportFormat;
use dashtam::service::restore::Backup;
use dashtam::service::{Access, Error, Session, backup, import, rebuild};
use dashtam::store::{ARCHIVED, Store, newest_schema};
use sqlx::AssertSqlSafe;
use support::engines::{Engine, clock, counts, demo, engines, sqlite};
use support::home::{Home, Ran, keys};

const HEADER: &str = "date,account,type,symbol,quantity,price,fee,currency,amount,description,link";
const FIRST: &str = "2024-01-05,A,DEPOSIT,,,,,USD,500,\"two\nlines\t\\N\",\n\
    2024-01-06,A,WITHDRAWAL,,,,,USD,-20,,\n\
    2024-01-07,A,WITHDRAWAL,,,,,USD,-30,\u{301}\u{e9} \u{202e}x,\n\
    2024-01-08,A,BUY,X,3,10.50,1,USD,,,\n\
    2024-02-08,A,SELL,X,1,12,,USD,,,\n\
    2024-02-09,A,TRANSFER_OUT,X,1,,,USD,,,L1\n\
    2024-02-09,B,TRANSFER_IN,X,1,,,USD,,,L1\n";
const SECOND: &str = "2024-01-06,A,WITHDRAWAL,,,,,USD,-20,,\n2024-03-01,C,DEPOSIT,,,,,CAD,7,,\n";
const PRICES: &str = "date,symbol,close,currency,source\n2024-01-08,sec:X,10.5,USD,file\n\
    2024-02-08,sec:X,12,USD,file\n2024-02-08,fx:CAD,0.75,USD,file\n";

fn file(rows: &str) -> String {
    format!("{HEADER}\n{rows}")
}

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

/// A store in which much has happened.
async fn fill(engine: &Engine) {
    engine.import(&[("first.csv", &file(FIRST)), ("prices.csv", PRICES)]).await;
    let wrong = format!("{}2024-01-09,A,DEPOSIT,,,,,USD,-1,,\n", file(SECOND));
    engine.import_with(&[("second.csv", &wrong)], |wishes| wishes.partial = true).await;
    engine.import(&[("again.csv", PRICES)]).await;
    let of = async |amount: &str| {
        let rows = engine.rows().await;
        rows.iter().find(|row| row.amount == dec(amount)).unwrap().id
    };
    let edit = RowEdit {
        date: "2024-01-16".parse().ok(),
        amount: Some(dec("-25")),
        category: Some(SafeText::new("Food")),
        note: Some(SafeText::new("mine")),
        ..RowEdit::default()
    };
    engine.edit_row(of("-20").await, edit).await;
    engine.edit(Change::DeleteTransaction(of("-30").await)).await;
    let c = engine.account("C").await;
    let bank = Edit::given(Some(SafeText::new("Bank")));
    let kind = Some(AccountKind::Tfsa);
    let change = AccountEdit { kind, institution: bank, ..AccountEdit::default() };
    engine.edit(Change::EditAccount(c, change)).await;
    engine.edit(Change::RenameAccount(c, SafeText::new("C, renamed"))).await;
    engine.edit(Change::Set(Setting::BaseCurrency, "CAD".to_owned())).await;
    engine.import(&[("third.csv", &file("2024-04-01,D,DEPOSIT,,,,,USD,1,,\n"))]).await;
    let (from, into) = (engine.account("D").await, engine.account("A").await);
    engine.edit(Change::MergeAccounts { from, into }).await;
    engine.import(&[("fourth.csv", &file("2024-05-01,A,DEPOSIT,,,,,USD,2,,\n"))]).await;
    engine.undo(engine.last_batch().await).await;
}

async fn back_up(engine: &Engine, name: &str) -> PathBuf {
    let path = engine.folder().join(name);
    backup::run(&engine.session, &path, false).await.unwrap();
    path
}

async fn restore(engine: &Engine, path: &Path) {
    Backup::open(path).unwrap().restore(&engine.session).await.unwrap();
}

/// The tables of a backup as text, without those that tell of the store itself.
fn tables_of(path: &Path) -> Vec<(Section, Vec<String>)> {
    let (_, mut reader) = Reader::begin(BufReader::new(File::open(path).unwrap())).unwrap();
    let mut tables: Vec<(Section, Vec<String>)> = Vec::new();
    loop {
        match reader.next_part().unwrap() {
            Part::Table(section) => tables.push((section, Vec::new())),
            Part::Rows(mut rows) => {
                let (section, all) = tables.last_mut().unwrap();
                let mut values = Vec::new();
                while rows.take_into(100, &mut values).unwrap() > 0 {}
                let rows = values.chunks(section.columns.len());
                all.extend(rows.map(|row| format!("{row:?}")));
            }
            Part::End(_) => break,
        }
    }
    let own = ["applied_ops", "audit_evidence", "audit"];
    tables.retain(|(section, _)| !own.contains(&section.name.as_str()));
    tables
}

/// Everything that can be seen of a store is the same in the other one, and both are sound.
async fn assert_same(one: &Engine, other: &Engine, what: &str) {
    assert_eq!(one.dump().await, other.dump().await, "{what}");
    let json = ExportFormat::Json;
    assert_eq!(one.export(json, None).await, other.export(json, None).await, "{what}");
    let (a, b) = (import::list(&one.session).await, import::list(&other.session).await);
    assert_eq!(format!("{:?}", a.unwrap()), format!("{:?}", b.unwrap()), "{what}");
    for engine in [one, other] {
        assert_eq!(engine.damage().await, [""; 0], "{what}: {}", engine.name);
        let found = rebuild::check(&engine.session).await.unwrap();
        assert_eq!(found, [""; 0], "{what}: {}", engine.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_goes_on_as_before_on_whichever_engine() {
    for source in engines().await {
        fill(&source).await;
        let path = back_up(&source, "a.dashtam-backup").await;
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let copies = engines().await;
        for copy in &copies {
            let what = format!("from {} to {}", source.name, copy.name);
            restore(copy, &path).await;
            assert_same(&source, copy, &what).await;
            assert!(copy.revision().await > source.revision().await, "{what}");
            let again = back_up(copy, "again.dashtam-backup").await;
            assert_eq!(tables_of(&again), tables_of(&path), "{what}");
        }
        // From here on all do the same, and it comes to the same.
        let all: Vec<_> = copies.iter().chain([&source]).collect();
        let mut ends = Vec::new();
        for engine in all {
            let mut told = Vec::new();
            let first = engine.import(&[("first.csv", &file(FIRST))]).await;
            assert_eq!(counts(&first)[0], 0, "nothing is new on {}", engine.name);
            told.push(format!("{:?} {:?}", first.batch, counts(&first)));
            let batches = import::list(&engine.session).await.unwrap();
            for batch in batches.iter().filter(|batch| batch.undone.is_none()).rev() {
                told.push(format!("{:?}", engine.undo(batch.id).await));
                told.push(engine.dump().await);
            }
            let day = "2024-06-01".parse().unwrap();
            let (what, unit) = (EntryType::One(Subtype::Deposit), Unit::parse("USD").unwrap());
            let mut entry = Entry::new(SafeText::new("A"), day, what, unit);
            entry.amount = Some(dec("9"));
            let applied = engine.edit(Change::AddTransaction(Box::new(entry))).await;
            told.push(format!("{:?} {:?}", applied.transactions, applied.account));
            told.push(engine.dump().await);
            ends.push(told);
        }
        let (last, others) = ends.split_last().unwrap();
        for end in others {
            assert_eq!(end, last, "from {}", source.name);
        }
        for engine in copies {
            engine.close().await;
        }
        source.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_household_with_connections_comes_back_whole() {
    let (session, folder) = demo().await;
    let source = Engine::around(session, folder);
    let path = back_up(&source, "demo.dashtam-backup").await;
    for copy in engines().await {
        restore(&copy, &path).await;
        assert_same(&source, &copy, copy.name).await;
        let again = back_up(&copy, "again.dashtam-backup").await;
        assert_eq!(tables_of(&again), tables_of(&path), "on {}", copy.name);
        copy.close().await;
    }
    source.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_of_the_other_store_is_evidence_and_not_the_trail() {
    for source in engines().await {
        fill(&source).await;
        let path = back_up(&source, "a.dashtam-backup").await;
        let its = source.session.audit().unwrap().rows().await.unwrap();
        for copy in engines().await {
            restore(&copy, &path).await;
            let own = copy.session.audit().unwrap().rows().await.unwrap();
            let own: Vec<_> = own.iter().map(|row| (&*row.action, &*row.state)).collect();
            assert_eq!(own, [("restore", "ATTEMPTED"), ("restore", "SUCCEEDED")]);
            // All up to the attempt of the backup itself.
            let kept = evidence(&copy.session.store).await;
            let right: Vec<_> = its.iter().map(|row| (1, row.seq, row.op.clone())).collect();
            assert_eq!(kept, right[..right.len() - 1], "{} to {}", source.name, copy.name);
            // Handed on, it stays beside what came after it.
            let third = sqlite().await;
            restore(&third, &back_up(&copy, "b.dashtam-backup").await).await;
            let trails: Vec<i64> =
                evidence(&third.session.store).await.iter().map(|e| e.0).collect();
            assert_eq!(trails.iter().filter(|trail| **trail == 1).count(), kept.len());
            assert_eq!(trails.iter().filter(|trail| **trail == 2).count(), 3);
            third.close().await;
            copy.close().await;
        }
        source.close().await;
    }
}

async fn evidence(store: &Store) -> Vec<(i64, i64, String)> {
    const SQL: &str = "select trail, seq, op_id from audit_evidence order by trail, seq";
    match store {
        Store::Sqlite(pool) => sqlx::query_as(SQL).fetch_all(pool).await.unwrap(),
        Store::Postgres(pool) => sqlx::query_as(SQL).fetch_all(pool).await.unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_store_is_backed_up_too_and_one_with_content_is_refused() {
    for engine in engines().await {
        let empty = back_up(&engine, "empty.dashtam-backup").await;
        fill(&engine).await;
        let before = (engine.dump().await, engine.revision().await);
        let refused = Backup::open(&empty).unwrap().restore(&engine.session).await.unwrap_err();
        assert_eq!(refused.kind(), "refused");
        assert!(refused.to_string().contains("--data-dir"), "{refused}");
        assert_eq!((engine.dump().await, engine.revision().await), before);
        let trail = engine.session.audit().unwrap().rows().await.unwrap();
        let restores = trail.iter().filter(|row| row.action == "restore");
        let states: Vec<_> = restores.map(|row| row.state.as_str()).collect();
        assert_eq!(states, ["ATTEMPTED", "FAILED"]);
        let copy = sqlite().await;
        restore(&copy, &empty).await;
        assert!(!copy.dump().await.contains("transaction "), "{}", copy.dump().await);
        copy.close().await;
        engine.close().await;
    }
}

/// The same backup with every table and row changed by `change`, and none it takes out.
fn rewritten(
    path: &Path,
    header: impl FnOnce(&mut archive::Header),
    section: impl Fn(&mut Section),
    keep: impl Fn(&Section) -> Vec<bool>,
) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let (mut its, mut reader) = Reader::begin(&bytes[..]).unwrap();
    header(&mut its);
    let mut writer = Writer::begin(Vec::new(), &its).unwrap();
    let mut open: Option<Vec<bool>> = None;
    loop {
        match reader.next_part().unwrap() {
            Part::Table(mut table) => {
                if open.is_some() {
                    writer.end().unwrap();
                }
                section(&mut table);
                let kept = keep(&table);
                let mut marks = kept.iter();
                table.columns.retain(|_| *marks.next().unwrap());
                writer.table(&table).unwrap();
                open = Some(kept);
            }
            Part::Rows(mut rows) => {
                let kept = open.as_ref().unwrap();
                let mut values = Vec::new();
                while rows.take_into(1, &mut values).unwrap() > 0 {
                    let row = std::mem::take(&mut values)
                        .into_iter()
                        .zip(kept)
                        .filter(|(_, kept)| **kept);
                    writer.row(&row.map(|(value, _)| value).collect::<Vec<_>>()).unwrap();
                }
            }
            Part::End(_) => break,
        }
    }
    writer.end().unwrap();
    writer.finish().unwrap().0
}

fn all(section: &Section) -> Vec<bool> {
    vec![true; section.columns.len()]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_an_older_backup_lacks_has_its_default() {
    let source = sqlite().await;
    fill(&source).await;
    let path = back_up(&source, "new.dashtam-backup").await;
    // No row has anything in this one.
    let is_new = |column: &String| column == "fx_rate";
    let older = rewritten(
        &path,
        |header| header.schema = 1,
        |_| {},
        |section| section.columns.iter().map(|column| !is_new(column)).collect(),
    );
    let older_path = source.folder().join("old.dashtam-backup");
    fs::write(&older_path, older).unwrap();
    for copy in engines().await {
        restore(&copy, &older_path).await;
        assert_same(&source, &copy, copy.name).await;
        copy.close().await;
    }
    source.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_program_has_no_place_for_is_refused_and_named() {
    let source = sqlite().await;
    fill(&source).await;
    let path = back_up(&source, "a.dashtam-backup").await;
    let put = |bytes: Vec<u8>| {
        let path = source.folder().join("other.dashtam-backup");
        fs::write(&path, bytes).unwrap();
        path
    };
    let newer = put(rewritten(&path, |header| header.schema = newest_schema() + 1, |_| {}, all));
    let error = Backup::open(&newer).unwrap_err();
    assert_eq!(error.kind(), "newer_schema");
    assert!(error.to_string().contains("newer dashtam"), "{error}");
    let renamed = |from: &'static str, to: &'static str| {
        move |section: &mut Section| {
            for name in section.columns.iter_mut().chain([&mut section.name]) {
                if name == from {
                    to.clone_into(name);
                }
            }
        }
    };
    for (from, named) in [("sayings", "table `new`"), ("trade_date", "column `transactions.new`")] {
        let other = put(rewritten(&path, |_| {}, renamed(from, "new"), all));
        let backup = Backup::open(&other).unwrap();
        for engine in engines().await {
            let before = (engine.dump().await, engine.revision().await);
            let error = backup.restore(&engine.session).await.unwrap_err();
            assert_eq!(error.kind(), "refused");
            assert!(error.to_string().contains(named), "{error}");
            assert_eq!((engine.dump().await, engine.revision().await), before);
            restore(&engine, &path).await;
            engine.close().await;
        }
    }
    source.close().await;
}

/// The backup was whole when it was verified, and is another one when it is read again.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_changes_meanwhile_changes_nothing() {
    let source = sqlite().await;
    fill(&source).await;
    let path = back_up(&source, "a.dashtam-backup").await;
    let good = fs::read(&path).unwrap();
    source.import(&[("more.csv", &file("2024-07-01,A,DEPOSIT,,,,,USD,3,,\n"))]).await;
    let other = fs::read(back_up(&source, "b.dashtam-backup").await).unwrap();
    let mut altered = good.clone();
    let at = altered.len() - 200;
    altered[at] ^= 1;
    for engine in engines().await {
        let before = (engine.dump().await, engine.revision().await);
        for bad in [&altered[..], &good[..good.len() - 60], &good[..good.len() / 2], &other] {
            let backup = Backup::open(&path).unwrap();
            fs::write(&path, bad).unwrap();
            let error = backup.restore(&engine.session).await.unwrap_err();
            assert!(matches!(error, Error::Archive { .. }), "{error}");
            assert_eq!((engine.dump().await, engine.revision().await), before, "{error}");
            assert!(!engine.session.store.read().await.unwrap().has_content().await.unwrap());
            fs::write(&path, &good).unwrap();
        }
        restore(&engine, &path).await;
        engine.close().await;
    }
    source.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_a_running_writer_is_of_one_moment() {
    const ROWS: usize = 10;
    for engine in engines().await {
        engine.import(&[("0.csv", &file("2024-01-01,W,DEPOSIT,,,,,USD,0.5,,\n"))]).await;
        let other = Session::open(&engine.config, &clock(), Access::Write).await.unwrap();
        let done = Arc::new(AtomicBool::new(false));
        let (writer, folder) = (engine.session.clone(), engine.folder().join("files"));
        let writing = tokio::spawn({
            let done = Arc::clone(&done);
            async move {
                let mut batches = 0;
                while !done.load(Ordering::Relaxed) {
                    let rows = (0..ROWS)
                        .map(|row| format!("2024-02-01,W,DEPOSIT,,,,,USD,{batches}.{row}1,,\n"));
                    let path = folder.join(format!("w{batches}.csv"));
                    fs::write(&path, file(&rows.collect::<String>())).unwrap();
                    let files = vec![path];
                    let request = import::ImportRequest { files, ..Default::default() };
                    import::run(&writer, request).await.unwrap();
                    batches += 1;
                }
                batches
            }
        });
        let mut seen = Vec::new();
        for number in 0..4 {
            let path = engine.folder().join(format!("{number}.dashtam-backup"));
            backup::run(&other, &path, false).await.unwrap();
            let copy = sqlite().await;
            restore(&copy, &path).await;
            let rows = copy.rows().await.len();
            assert_eq!(rows % ROWS, 1, "{rows} rows on {}", engine.name);
            assert_eq!(rows / ROWS + 1, import::list(&copy.session).await.unwrap().len());
            assert_eq!(rebuild::check(&copy.session).await.unwrap(), [""; 0]);
            assert_eq!(copy.damage().await, [""; 0]);
            // Whatever the trail tells as done is there.
            let done = evidence_of_imports(&copy.session.store).await;
            assert!(done <= rows / ROWS + 1, "{done} imports are told of, {rows} rows are there");
            seen.push(rows);
            copy.close().await;
        }
        done.store(true, Ordering::Relaxed);
        let batches: i32 = writing.await.unwrap();
        assert!(batches > 1 && seen.is_sorted(), "{batches} {seen:?}");
        other.close().await;
        engine.close().await;
    }
}

async fn evidence_of_imports(store: &Store) -> usize {
    const SQL: &str =
        "select count(*) from audit_evidence where action = 'import' and state = 'SUCCEEDED'";
    let Store::Sqlite(pool) = store else { panic!("a file") };
    let count: i64 = sqlx::query_scalar(SQL).fetch_one(pool).await.unwrap();
    usize::try_from(count).unwrap()
}

// Before a migration.

/// What takes the newest migration back.
const BACK: &str = "drop table told_windows";

/// Makes the schema one older than it is.
async fn age(store: &Store) {
    let sql = format!("{BACK}; delete from _sqlx_migrations where version >= {}", newest_schema());
    let sql = AssertSqlSafe(sql);
    match store {
        Store::Sqlite(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop).unwrap(),
        Store::Postgres(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop).unwrap(),
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_store_is_backed_up_before_it_is_migrated() {
    for engine in engines().await {
        let folder = engine.config.backup_dir();
        age(&engine.session.store).await;
        let engine = engine.reopen(Access::Write).await.unwrap();
        assert_eq!(engine.session.backed_up(), None, "there was nothing to lose");
        fill(&engine).await;
        let dump = engine.dump().await;
        age(&engine.session.store).await;
        let from = engine.session.store.schema().await.unwrap().found;
        let engine = engine.reopen(Access::Write).await.unwrap();
        assert_eq!(engine.damage().await, [""; 0], "rows of before have their checksums");
        assert_eq!(engine.dump().await, dump);
        let path = engine.session.backed_up().unwrap().to_owned();
        let name = path.file_name().unwrap().to_str().unwrap();
        let to = newest_schema();
        let right = format!("before-migration-{from}-{to}-20261120T120000Z.dashtam-backup");
        assert_eq!(name, right);
        assert_eq!(names_in(&folder), [name]);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        let backup = Backup::open(&path).unwrap();
        assert_eq!(backup.header.schema, from);
        for copy in engines().await {
            backup.restore(&copy.session).await.unwrap();
            assert_same(&engine, &copy, copy.name).await;
            copy.close().await;
        }
        let engine = engine.reopen(Access::Write).await.unwrap();
        assert_eq!(engine.session.backed_up(), None);
        engine.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_backup_there_is_no_migration() {
    for engine in engines().await {
        fill(&engine).await;
        age(&engine.session.store).await;
        let clock = clock();
        let open = || Session::open(&engine.config, &clock, Access::Write);
        // Where the folder should be there is something else.
        fs::write(engine.config.backup_dir(), "").unwrap();
        let error = open().await.unwrap_err();
        assert_eq!(error.kind(), "storage");
        assert!(error.to_string().contains("left as it is"), "{error}");
        assert!(!error.to_string().contains('\n'));
        let found = engine.session.store.schema().await.unwrap().found;
        assert!(found < newest_schema());
        fs::remove_file(engine.config.backup_dir()).unwrap();
        open().await.unwrap().close().await;
        assert_eq!(names_in(&engine.config.backup_dir()).len(), 1);
        engine.close().await;
    }
}

/// A migration that cannot be done is tried at each start, and must not fill the disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_stays_as_it_is_is_backed_up_once() {
    for engine in engines().await {
        fill(&engine).await;
        age(&engine.session.store).await;
        match &engine.session.store {
            Store::Sqlite(pool) => {
                let alter = "update _sqlx_migrations set checksum = x'00'";
                sqlx::query(alter).execute(pool).await.unwrap();
            }
            Store::Postgres(pool) => {
                let alter = r"update _sqlx_migrations set checksum = '\x00'";
                sqlx::query(alter).execute(pool).await.unwrap();
            }
        }
        let folder = engine.config.backup_dir();
        let mut times = Vec::new();
        for second in 0..3 {
            let clock = Clock::fixed(clock().now() + TimeDelta::seconds(second), chrono_tz::UTC);
            let error = Session::open(&engine.config, &clock, Access::Write).await.unwrap_err();
            assert!(error.to_string().contains("altered"), "{error}");
            times.push(names_in(&folder));
        }
        assert_eq!(times[0].len(), 1);
        assert_eq!(times[1..], [times[0].clone(), times[0].clone()], "on {}", engine.name);
        // One that is damaged is no backup.
        let path = folder.join(&times[0][0]);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        let later = Clock::fixed(clock().now() + TimeDelta::seconds(9), chrono_tz::UTC);
        Session::open(&engine.config, &later, Access::Write).await.unwrap_err();
        assert_eq!(names_in(&folder).len(), 2, "on {}", engine.name);
        engine.close().await;
    }
}

// The program.

fn household(home: &Home) {
    let rows = ["2024-01-02,A,DEPOSIT,,,,,USD,5", "2024-01-03,A,BUY,X,2,1,,USD,"];
    home.ok(&["import", &home.rows("a.csv", &rows)]);
}

#[test]
fn the_program_backs_up_and_restores() {
    let home = Home::new();
    household(&home);
    let dump = home.canonical();
    let said = home.json(&["backup", "a.dashtam-backup"]);
    assert_eq!(keys(&said), ["bytes", "path", "rows", "schema", "tables"]);
    assert_eq!(said["schema"], "dashtam.backup/1");
    assert_eq!(said["tables"], ARCHIVED.len() + 1, "and the trail");
    assert_eq!(said["bytes"], fs::metadata(home.path("a.dashtam-backup")).unwrap().len());
    let checked = home.json(&["restore", "--check", "a.dashtam-backup", "--read-only"]);
    assert_eq!(checked["restored"], false);
    let restore = ["--data-dir", "new", "restore", "a.dashtam-backup"];
    let restored = home.json(&restore);
    let right =
        "bytes consents damaged engine from_schema made path program restored rows schema tables";
    assert_eq!(keys(&restored).join(" "), right);
    assert_eq!((&restored["rows"], &restored["restored"]), (&said["rows"], &true.into()));
    let its = home.ok(&["--data-dir", "new", "export", "--format", "canonical"]);
    assert_eq!(its, dump);
    home.run(&restore).refused(2, "an empty one");
    let text = home.ok(&["backup", "b.dashtam-backup"]);
    assert!(text.starts_with("backed up ") && text.contains("to b.dashtam-backup"), "{text}");
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn a_backup_goes_to_a_server_and_back() {
    let Some(url) = support::postgres::postgres_url() else { return };
    let joint = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{joint}sslmode=disable");
    let home = Home::new();
    household(&home);
    let dump = home.canonical();
    let server =
        |words: &[&str]| home.ok(&[&["--database", &url, "--data-dir", "s"], words].concat());
    home.ok(&["backup", "there.dashtam-backup"]);
    server(&["restore", "there.dashtam-backup"]);
    assert_eq!(server(&["export", "--format", "canonical"]), dump);
    server(&["backup", "back.dashtam-backup"]);
    home.ok(&["--data-dir", "new", "restore", "back.dashtam-backup"]);
    assert_eq!(home.ok(&["--data-dir", "new", "export", "--format", "canonical"]), dump);
}

#[test]
fn a_backup_writes_over_nothing() {
    let home = Home::new();
    household(&home);
    let there = home.file("there", "mine");
    symlink(&there, home.path("link")).unwrap();
    home.say("backup there").refused(2, "already exists");
    for own in ["data/dashtam.db", "data/audit.db", "data/dashtam.db-wal"] {
        home.run(&["backup", "--force", own]).refused(2, "belongs to the store");
    }
    home.say("backup link --force").refused(2, "symbolic link");
    home.say("backup data --force").refused(2, "not a regular file");
    home.say("backup absent/x").refused(7, "absent/x");
    assert_eq!(fs::read_to_string(&there).unwrap(), "mine");
    home.ok(&["backup", "there", "--force"]);
    assert_eq!(fs::metadata(&there).unwrap().permissions().mode() & 0o777, 0o600);
    home.ok(&["restore", "--check", "there"]);
    let left = names_in(home.root.path());
    assert!(!left.iter().any(|name| name.contains(".tmp")), "{left:?}");
}

#[test]
fn what_is_broken_makes_no_store_and_says_where() {
    let home = Home::new();
    household(&home);
    home.ok(&["backup", "good"]);
    let good = fs::read(home.path("good")).unwrap();
    let restore = |bytes: &[u8]| {
        fs::write(home.path("bad"), bytes).unwrap();
        let ran = home.run(&["--data-dir", "new", "restore", "bad"]);
        assert!(!home.path("new/dashtam.db").exists(), "{ran:?}");
        ran
    };
    restore(&good[..good.len() / 2]).refused(2, "in section `");
    restore(&good[..good.len() - 1]).refused(2, "in section `after audit` at byte ");
    // A byte may be part of the length of a frame, which then seems to end elsewhere.
    let altered = (good.len() / 3..).map(|at| {
        let mut altered = good.clone();
        altered[at] ^= 0x10;
        let ran = restore(&altered);
        ran.refused(2, "it is broken in section `");
        assert!(ran.err.contains("another copy"), "{ran:?}");
        ran
    });
    let said = |ran: &Ran| ran.err.contains("not what was written");
    assert!(altered.take(32).any(|ran| said(&ran)), "nothing was found to be altered");
    restore(b"").refused(2, "no backup of dashtam");
    restore(b"date,account\n").refused(2, "no backup of dashtam");
    let newer = |header: &mut archive::Header| header.schema = newest_schema() + 1;
    restore(&rewritten(&home.path("good"), newer, |_| {}, all)).refused(10, "newer dashtam");
    symlink(home.path("good"), home.path("link")).unwrap();
    home.say("restore link").refused(2, "symbolic link");
    home.say("restore data").refused(2, "not a regular file");
    home.say("restore absent").refused(2, "absent");
    let error = home.run(&["restore", "absent", "--json"]).error(2);
    assert_eq!(error["kind"], "file");
}

#[test]
fn a_migration_says_where_the_backup_is() {
    let home = Home::new();
    household(&home);
    let dump = home.canonical();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let database = home.data().join("dashtam.db");
        let store = Store::peek(&dashtam::store::Target::Sqlite(database)).await.unwrap();
        age(&store).await;
        store.close().await;
    });
    let ran = home.run(&["account", "add", "B", "--kind", "cd", "--currency", "USD"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let folder = home.data().join("backups");
    let [name] = &names_in(&folder)[..] else { panic!("one backup") };
    assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
    assert!(ran.err.contains("backed up before its migration") && ran.err.contains(name));
    let backup = folder.join(name);
    home.ok(&["--data-dir", "new", "restore", backup.to_str().unwrap()]);
    assert_eq!(home.ok(&["--data-dir", "new", "export", "--format", "canonical"]), dump);
}
