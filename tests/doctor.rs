//! `dashtam doctor`, through the real program: what it says of a store that is well, of one that is
//! not there, of a configuration that is wrong and of a store that is damaged; and that it never
//! touches anything. What it finds of bits that flip is in `tests/flips.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use support::home::{Home, document, keys};
use support::postgres::postgres_url;

const ROWS: [&str; 4] = [
    "2024-01-02,Bank,DEPOSIT,,,,,USD,1000",
    "2024-01-03,Broker,BUY,AMD,2,100,,USD,",
    "2024-01-04,Broker,SELL,AMD,1,120,,USD,",
    "2024-01-05,Broker,DIVIDEND,AMD,,,,USD,3",
];

fn stored() -> Home {
    let home = Home::new();
    let file = home.rows("rows.csv", &ROWS);
    home.ok(&["import", &file]);
    home
}

/// What each check says, by its name; of several with one name the worst counts.
fn checks(home: &Home, more: &[&str], code: i32) -> BTreeMap<String, (String, String, Value)> {
    let ran = home.run(&[&["doctor", "--json"], more].concat());
    assert_eq!(ran.code, Some(code), "{ran:?}");
    assert_eq!(ran.err, "", "everything is in the document");
    let document = document(&ran.out);
    assert_eq!(keys(&document), ["checks", "schema"]);
    assert_eq!(document["schema"], "dashtam.doctor/1");
    let mut found: BTreeMap<String, (String, String, Value)> = BTreeMap::new();
    for check in document["checks"].as_array().unwrap() {
        assert_eq!(keys(check), ["detail", "fix", "name", "status"]);
        let word = |key: &str| check[key].as_str().unwrap().to_owned();
        let (name, status) = (word("name"), word("status"));
        let rank = ["ok", "warn", "fail"].iter().position(|known| *known == status);
        assert!(rank.is_some(), "{check}");
        assert_eq!(check["fix"].is_null(), status == "ok", "{check}");
        let known = found.get(&name).is_some_and(|(before, ..)| before != "ok");
        if !known || status == "fail" {
            found.insert(name, (status, word("detail"), check["fix"].clone()));
        }
    }
    found
}

/// Every file below a folder with all that could change of it.
fn files(folder: &Path) -> BTreeMap<PathBuf, (u32, i64, i64, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let data = fs::symlink_metadata(&path).unwrap();
        let content = if data.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        if data.is_dir() {
            found.extend(files(&path));
        }
        found.insert(path, (data.mode(), data.mtime(), data.mtime_nsec(), content));
    }
    found
}

/// Says something to the database behind the program's back.
fn behind(home: &Home, sql: &str) {
    let path = home.data().join("dashtam.db");
    let sql = sql.to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let options = SqliteConnectOptions::new().filename(path).foreign_keys(false);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[test]
fn a_store_that_is_well_is_told_so_and_left_as_it_is() {
    let home = stored();
    let before = files(home.root.path());
    let found = checks(&home, &[], 0);
    assert_eq!(files(home.root.path()), before, "nothing is made, changed or taken away");
    for name in [
        "version",
        "clock",
        "configuration",
        "data folder",
        "state folder",
        "database file",
        "private files",
        "database",
        "schema",
        "integrity",
        "rows",
        "references",
        "figures",
        "audit trail",
        "operations",
        "refresh lease",
        "clock and store",
        "backup",
    ] {
        assert_eq!(found[name].0, "ok", "{name}: {:?}", found[name]);
    }
    // Each effective value and where it came from; settings live in the store.
    let data = home.data();
    let told = format!("{} (environment DASHTAM_DATA_DIR)", data.display());
    assert_eq!(found["config.data_dir"].1, told);
    assert_eq!(found["config.log.level"].1, "info (default)");
    assert_eq!(found["settings.base_currency"].1, "USD (default)");
    home.ok(&["settings", "set", "base_currency", "CAD"]);
    assert_eq!(checks(&home, &[], 0)["settings.base_currency"].1, "CAD (in the store)");
}

#[test]
fn what_others_can_read_is_told_of_every_private_file() {
    let home = stored();
    let backup = home.data().join("backups/mine.dashtam-backup");
    fs::create_dir(backup.parent().unwrap()).unwrap();
    fs::set_permissions(backup.parent().unwrap(), Permissions::from_mode(0o700)).unwrap();
    home.ok(&["backup", backup.to_str().unwrap()]);
    let logs = home.data().join("log");
    let log = fs::read_dir(&logs).unwrap().next().unwrap().unwrap().path();
    assert_eq!(checks(&home, &[], 0)["private files"].0, "ok");
    let trail = home.data().join("audit.db");
    let beside = home.data().join("audit.db-wal");
    fs::write(&beside, "").unwrap();
    fs::set_permissions(&beside, Permissions::from_mode(0o600)).unwrap();
    // Of a trail on a server, and what proves the one that is here.
    let of_server = home.data().join("audit-0a1b2c3d.key");
    fs::write(&of_server, "").unwrap();
    fs::set_permissions(&of_server, Permissions::from_mode(0o600)).unwrap();
    let of_chain = |ending: &str| {
        let mut files =
            fs::read_dir(home.data().join("vault")).unwrap().map(|it| it.unwrap().path());
        files.find(|path| path.extension().is_some_and(|it| it == ending)).unwrap()
    };
    for (path, name) in [
        (&trail, "trail file"),
        (&beside, "trail file"),
        (&home.data().join("audit.key"), "trail file"),
        (&of_server, "trail file"),
        (&of_chain("head"), "trail file"),
        (&of_chain("first"), "trail file"),
        (&backup, "backup file"),
        (&backup.parent().unwrap().to_owned(), "backup file"),
        (&log, "log file"),
    ] {
        let mode = fs::metadata(path).unwrap().mode() & 0o700;
        fs::set_permissions(path, Permissions::from_mode(mode | 0o44)).unwrap();
        let found = checks(&home, &[], 2);
        assert_eq!(found[name].0, "fail", "{found:?}");
        assert_eq!(found[name].2, format!("chmod {mode:o} {path:?}"));
        assert!(!found.contains_key("private files"));
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    assert_eq!(checks(&home, &[], 0)["private files"].0, "ok");
}

#[test]
fn the_table_fits_a_terminal_and_says_what_mends() {
    let home = stored();
    fs::set_permissions(home.data(), Permissions::from_mode(0o755)).unwrap();
    let ran = home.say("doctor");
    assert_eq!((ran.code, ran.err.as_str()), (Some(2), ""), "{ran:?}");
    let (table, rest) = ran.out.split_once("\n\n").unwrap();
    assert!(table.starts_with("status  check "), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    let fix = format!("fix: chmod 700 {:?}", home.data());
    let words = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("fail: data folder:") && words.contains(&fix), "{rest}");
}

#[test]
fn where_there_is_nothing_nothing_is_made() {
    let home = Home::new();
    let found = checks(&home, &[], 0);
    assert!(found["database"].1.contains("there is none"), "{found:?}");
    assert!(found["data folder"].1.contains("not there yet"), "{found:?}");
    assert_eq!(files(home.root.path()).len(), 0);
}

#[test]
fn a_broken_configuration_is_one_of_the_checks() {
    let home = stored();
    let config = home.file("config.toml", "[log]\nlevel = 7\n");
    let found = checks(&home, &["--config", &config], 2);
    let (status, detail, fix) = &found["configuration"];
    assert_eq!(status, "fail");
    assert!(detail.contains("line 2") && detail.contains("log.level"), "{detail}");
    assert_eq!(fix, "correct the value");
    // All that is not in the file is looked at all the same.
    assert_eq!(found["rows"].0, "ok");
    // Where nothing can be had, what needs no configuration remains.
    let mut bare = home.bare();
    let output = bare.env_remove("HOME").args(["doctor", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("HOME is not set") && text.contains("\"clock\""), "{text}");
}

#[test]
fn a_newer_schema_is_told_with_the_code_of_its_own() {
    let home = stored();
    let columns = "description, success, checksum, execution_time";
    behind(
        &home,
        &format!(
            "insert into _sqlx_migrations (version, {columns}) select 999, {columns} \
             from _sqlx_migrations order by version desc limit 1"
        ),
    );
    let before = files(&home.data());
    let found = checks(&home, &[], 10);
    assert_eq!(found["schema"].0, "fail");
    assert_eq!(found["integrity"].0, "ok", "{found:?}");
    assert_eq!(files(&home.data()), before);
    // A missing permission besides does not hide it.
    fs::set_permissions(home.data(), Permissions::from_mode(0o755)).unwrap();
    assert_eq!(checks(&home, &[], 10)["data folder"].0, "fail");
}

#[test]
fn an_older_schema_is_a_warning_and_stays() {
    let home = stored();
    behind(&home, "delete from _sqlx_migrations where version > 5");
    let before = files(&home.data());
    let found = checks(&home, &[], 0);
    assert_eq!(
        (found["schema"].0.as_str(), &found["schema"].2),
        ("warn", &"dashtam migrate".into())
    );
    assert_eq!(files(&home.data()), before);
}

#[test]
fn damage_is_found_named_and_a_backup_is_offered() {
    let home = stored();
    behind(&home, "update transactions set amount = '1001' where amount = '1000'");
    let found = checks(&home, &[], 7);
    assert_eq!(found["rows"].0, "fail");
    assert!(found["rows"].1.starts_with("1 not what was written: transactions "), "{found:?}");
    assert!(found["backup"].1.starts_with("no whole one is in "), "{found:?}");
    let ran = home.say("rebuild --check");
    assert_eq!(ran.code, Some(7), "{ran:?}");
    assert!(ran.out.contains(" of transactions\n"), "{ran:?}");
    assert!(ran.err.contains("restore a backup before"), "{ran:?}");
    // Made again from these rows, the figures would be as wrong as they are.
    assert_eq!(found["figures"].0, "fail");
    assert!(found["figures"].2.as_str().unwrap().starts_with("mend the rows first"), "{found:?}");
    let folder = home.data().join("backups");
    fs::create_dir(&folder).unwrap();
    let whole = folder.join("whole.dashtam-backup");
    home.ok(&["backup", whole.to_str().unwrap()]);
    fs::write(folder.join("newer.dashtam-backup"), "").unwrap();
    let found = checks(&home, &[], 7);
    let fix = found["backup"].2.as_str().unwrap();
    assert!(fix.ends_with(&format!(" restore {}", whole.display())), "{fix}");
}

#[test]
fn damage_that_went_into_a_backup_is_told_when_it_comes_out() {
    let (home, new) = (stored(), Home::new());
    behind(&home, "update transactions set amount = '1001' where amount = '1000'");
    let file = home.path("damaged.dashtam-backup");
    home.ok(&["backup", file.to_str().unwrap()]);
    let ran = new.run(&["restore", file.to_str().unwrap(), "--json"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert_eq!(document(&ran.out)["damaged"], 1);
    assert!(ran.err.contains("1 of these rows is not what was written"), "{}", ran.err);
    assert_eq!(checks(&new, &[], 7)["rows"].0, "fail");
}

#[test]
fn rows_that_lead_nowhere_are_found() {
    let home = stored();
    for (sql, name, word) in [
        ("delete from batches", "integrity", "batches"),
        ("delete from account_names where name = 'Bank'", "references", "accounts that their own"),
    ] {
        behind(&home, sql);
        let found = checks(&home, &[], 7);
        assert_eq!(found[name].0, "fail", "{sql}: {found:?}");
        assert!(found[name].1.contains(word), "{sql}: {found:?}");
    }
}

#[test]
fn figures_that_are_not_what_the_rows_say_are_found_without_a_write() {
    let home = stored();
    let check = ["--read-only", "rebuild", "--check"];
    assert_eq!(home.ok(&check), "every figure is what the rows say\n");
    behind(&home, "delete from positions");
    let before = fs::read(home.data().join("dashtam.db")).unwrap();
    for line in [&check[..], &check[1..]] {
        let ran = home.run(line);
        assert_eq!(ran.code, Some(7), "{ran:?}");
        assert_eq!(ran.out, "the position of AMD in Broker\n");
    }
    let found = checks(&home, &[], 7);
    assert_eq!(found["figures"].0, "fail");
    assert_eq!(found["figures"].2, "dashtam rebuild");
    assert_eq!(fs::read(home.data().join("dashtam.db")).unwrap(), before);
    // Making them anew is a write.
    home.say("rebuild --read-only").refused(2, "only looks");
    home.ok(&["rebuild"]);
    assert_eq!(checks(&home, &[], 0)["figures"].0, "ok");
}

#[test]
fn files_that_are_no_store_and_a_store_that_is_gone_are_told() {
    let home = stored();
    fs::remove_file(home.data().join("dashtam.db")).unwrap();
    let found = checks(&home, &[], 7);
    assert!(found["database"].1.contains("a trail of one that was"), "{found:?}");
    let path = home.data().join("dashtam.db");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let found = checks(&home, &[], 7);
    assert!(found["database"].1.contains("is empty (0 bytes)"), "{found:?}");
    fs::write(&path, "this is no database at all").unwrap();
    let found = checks(&home, &[], 7);
    assert!(found["database"].1.contains("no SQLite database"), "{found:?}");
    // Half of one.
    let other = stored();
    let path = other.data().join("dashtam.db");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let found = checks(&other, &[], 7);
    assert!(found.values().any(|(status, ..)| status == "fail"), "{found:?}");
}

#[test]
fn a_trail_with_a_gap_and_an_operation_without_an_end_are_told() {
    let home = stored();
    let trail = home.data().join("audit.db");
    let sql = "insert into audit (seq, at, op_id, action, state, actor, detail) \
         values (99, 1, 'x', 'import', 'ATTEMPTED', 'gone.invalid:1', '')";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let options = SqliteConnectOptions::new().filename(trail);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
    let found = checks(&home, &[], 7);
    assert!(found["audit trail"].1.contains("the last is number 99"), "{found:?}");
    assert_eq!(found["operations"].1, "1 under way");
}

#[test]
fn a_store_that_is_in_use_is_looked_into_as_well() {
    let home = stored();
    // Somebody who has it open, and has written what is not in the file yet.
    let path = home.data().join("dashtam.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut user = runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(&path);
        let mut user = SqliteConnection::connect_with(&options).await.unwrap();
        let sql = "update transactions set amount = '1001' where amount = '1000'";
        sqlx::raw_sql(sql).execute(&mut user).await.unwrap();
        user
    });
    assert!(home.data().join("dashtam.db-wal").metadata().unwrap().len() > 0);
    assert_eq!(checks(&home, &[], 7)["rows"].0, "fail");
    runtime.block_on(async {
        let sql = "update transactions set amount = '1000' where amount = '1001'";
        sqlx::raw_sql(sql).execute(&mut user).await.unwrap();
        user.close().await.unwrap();
    });
    assert_eq!(checks(&home, &[], 0)["rows"].0, "ok");
}

#[test]
fn a_server_that_does_not_answer_is_told_and_the_rest_goes_on() {
    let home = Home::new();
    let url = "postgres://me@127.0.0.1:1/none?sslmode=disable";
    let found = checks(&home, &["--database", url], 7);
    assert_eq!(found["database"].0, "fail");
    assert!(found["database"].2.as_str().unwrap().contains("check that the server runs"));
    assert_eq!(found["clock"].0, "ok");
}

#[test]
fn a_server_tells_of_itself_and_its_rows_are_looked_at() {
    let Some(server) = postgres_url() else { return };
    let url = format!("{server}?sslmode=disable");
    let home = Home::new();
    let database = ["--database", url.as_str()];
    // Nothing is made on the server either.
    assert_eq!(checks(&home, &database, 0)["schema"].0, "warn");
    assert_eq!(checks(&home, &database, 0)["schema"].0, "warn");
    let file = home.rows("rows.csv", &ROWS);
    home.ok(&["import", &file, "--database", &url]);
    let found = checks(&home, &database, 0);
    for name in ["encoding", "TLS", "schema", "rows", "references", "figures", "audit trail"] {
        assert_eq!(found[name].0, "ok", "{name}: {found:?}");
    }
    assert!(found["rights"].1.contains("may do anything"), "{found:?}");
    let check = [&["rebuild", "--check", "--read-only"], &database[..]].concat();
    assert_eq!(home.ok(&check), "every figure is what the rows say\n");
    let behind = |sql: &'static str| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    };
    behind("update transactions set amount = 1001 where amount = 1000; delete from positions");
    let found = checks(&home, &database, 7);
    assert_eq!((found["rows"].0.as_str(), found["figures"].0.as_str()), ("fail", "fail"));
    // A role that may only read finds the same, and that it may only read.
    behind(
        "drop role if exists dashtam_doctor_reader; create role dashtam_doctor_reader login; \
         grant select on all tables in schema public to dashtam_doctor_reader; \
         grant usage on schema dashtam_audit to dashtam_doctor_reader; \
         grant select on dashtam_audit.audit to dashtam_doctor_reader; \
         revoke create on schema public from public",
    );
    let reader = url.replacen("dashtam@", "dashtam_doctor_reader@", 1);
    if reader != url {
        let found = checks(&home, &["--database", &reader], 7);
        assert!(found["rights"].1.contains("may not write"), "{found:?}");
        assert_eq!(found["rows"].0, "fail");
    }
    // One table is enough to be in the way.
    behind(
        "grant insert, update, delete on all tables in schema public to dashtam_doctor_reader; \
         grant insert on dashtam_audit.audit to dashtam_doctor_reader; \
         revoke update on prices from dashtam_doctor_reader",
    );
    if reader != url {
        let found = checks(&home, &["--database", &reader], 7);
        assert_eq!(found["rights"].1, "the role may not write prices");
    }
    behind(
        "grant update on prices to dashtam_doctor_reader; \
         revoke insert on dashtam_audit.audit from dashtam_doctor_reader",
    );
    if reader != url {
        let found = checks(&home, &["--database", &reader], 7);
        assert_eq!(found["rights"].1, "the role may not write audit");
    }
    behind("drop owned by dashtam_doctor_reader; drop role dashtam_doctor_reader");
}

#[test]
fn what_takes_a_store_along_makes_none() {
    let home = Home::new();
    let path = home.data().join("dashtam.db");
    for line in ["export", "export --format json --out all.json", "backup all.dashtam-backup"] {
        let ran = home.say(line);
        assert_eq!((ran.code, ran.out.as_str()), (Some(7), ""), "{line}: {ran:?}");
        let told = format!("dashtam: there is no database at {}; ", path.display());
        assert!(ran.err.starts_with(&told), "{line}: {ran:?}");
        assert_eq!(files(home.root.path()).len(), 0, "{line}");
    }
    fs::create_dir(home.data()).unwrap();
    fs::set_permissions(home.data(), Permissions::from_mode(0o700)).unwrap();
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let before = files(home.root.path());
    for line in ["export", "backup all.dashtam-backup", "report accounts"] {
        let ran = home.say(line);
        assert_eq!(ran.code, Some(7), "{line}: {ran:?}");
        assert!(ran.err.starts_with("dashtam: the database is empty; "), "{line}: {ran:?}");
    }
    let after: Vec<_> = files(home.root.path()).into_keys().collect();
    let before: Vec<_> = before.into_keys().collect();
    assert_eq!(after, before);
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
}

#[test]
fn a_server_without_a_store_gets_none_from_what_takes_one_along() {
    let Some(server) = postgres_url() else { return };
    let (home, url) = (Home::new(), format!("{server}?sslmode=disable"));
    for line in [&["export"][..], &["backup", "all.dashtam-backup"]] {
        let ran = home.run(&[line, &["--database", &url]].concat());
        assert_eq!(ran.code, Some(7), "{line:?}: {ran:?}");
        assert!(ran.err.starts_with("dashtam: the database is empty; "), "{line:?}: {ran:?}");
    }
    assert_eq!(checks(&home, &["--database", &url], 0)["schema"].1, "the database is empty");
}

#[test]
fn who_must_not_write_is_told_what_to_leave_out() {
    stored().say("--read-only backup x").refused(2, "; leave out --read-only");
}

#[test]
fn changes_that_are_lost_are_told_of_the_database_they_were_made_in() {
    let home = stored();
    let other = ["--database", "sqlite:other_100%.db"];
    let set = |value, more: &[&str]| {
        home.ok(&[&["settings", "set", "base_currency", value], more].concat());
    };
    set("CAD", &other);
    set("CAD", &[]);
    // Each has its own newest change, and what was done in the other one is not missed here.
    for (file, more, others) in
        [("other_100%.db", &other[..], &[][..]), ("data/dashtam.db", &[], &other)]
    {
        let kept = fs::read(home.path(file)).unwrap();
        set("EUR", more);
        assert_eq!(checks(&home, more, 0)["last change"].0, "ok");
        assert_eq!(checks(&home, others, 0)["last change"].0, "ok");
        let newest = fs::read(home.path(file)).unwrap();
        fs::write(home.path(file), kept).unwrap();
        let found = checks(&home, more, 7);
        assert_eq!(found["last change"].0, "fail");
        assert!(found["last change"].1.contains("its latest changes are lost"), "{found:?}");
        assert_eq!(checks(&home, others, 0)["last change"].0, "ok");
        fs::write(home.path(file), newest).unwrap();
    }
}
