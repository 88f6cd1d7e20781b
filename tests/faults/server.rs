//! A server that goes away, has no room, or is set up unlike others. F3, F55, F58, F59.

use std::thread;
use std::time::{Duration, Instant};

use super::flows::{LARGE_IMPORT, household, household_and_more};
use super::kills::{Control, none};
use super::machine::{Machine, On, assert_told};
use super::{Chance, is_full};
use crate::support::home::Ran;
use crate::support::postgres::OwnServer;
use crate::support::sum_up;

/// F55: in the midst of an import, at any time.
#[test]
fn a_server_that_crashes_loses_and_doubles_nothing() {
    let Some(mut server) = OwnServer::start() else { return };
    let start = Machine::with_server(&server.new_database());
    (LARGE_IMPORT.before)(&start);
    let control = Control::from(&LARGE_IMPORT, start, none);
    let took = control.healthy_run();
    let mut chance = Chance::of(55);
    let (times, mut failed) = (if is_full() { 100 } else { 2 }, 0);
    for _ in 0..times {
        let wait = Duration::from_micros(chance.below(u64::try_from(took.as_micros()).unwrap()));
        let machine = control.fresh();
        let child = machine.spawn(LARGE_IMPORT.line);
        thread::sleep(wait);
        server.crash();
        let output = child.wait_with_output().unwrap();
        failed += usize::from(!output.status.success());
        control.assert_recovers_from(&machine, output, &format!("crashed after {wait:?}"));
    }
    sum_up(&format!(
        "{times} crashes of a server, {failed} failed imports, 0 rows lost, 0 doubled"
    ));
    // What was reported is there, however soon it goes.
    let machine = control.fresh();
    for currency in ["CAD", "EUR", "GBP"] {
        machine.ok(&["settings", "set", "base_currency", currency]);
        server.crash();
        assert_eq!(machine.ok(&["settings", "get", "base_currency"]), format!("{currency}\n"));
        machine.assert_whole("crashed at once");
    }
}

/// What can be set up unlike others, for every session of a database.
const SETTINGS: &[&str] = &[
    "statement_timeout = '50ms'",
    "lock_timeout = '1ms'",
    "idle_in_transaction_session_timeout = '5ms'",
    "synchronous_commit = off",
    "DateStyle = 'SQL, DMY'",
    "TimeZone = 'Asia/Kathmandu'",
    "IntervalStyle = 'sql_standard'",
    "bytea_output = 'escape'",
    "extra_float_digits = -15",
    "standard_conforming_strings = off",
    "client_encoding = 'LATIN1'",
    "default_transaction_isolation = 'serializable'",
    "default_transaction_deferrable = on",
    "lc_numeric = 'C'",
    "row_security = off",
    "transform_null_equals = on",
    "work_mem = '64kB'",
];

/// How databases can be made unlike others.
const KINDS: &[&str] = &[
    "encoding 'SQL_ASCII' locale 'C' template template0",
    "encoding 'UTF8' locale_provider icu icu_locale 'de-DE' locale 'C' template template0",
];

/// A household with words that are not plain, imported and changed.
fn story(machine: &Machine) -> String {
    household_and_more(machine);
    for name in ["Zürich", "zebra", "Éclair", "東京"] {
        machine.ok(&["account", "add", name, "--kind", "checking", "--currency", "EUR"]);
    }
    machine.ok(&[
        "txn",
        "edit",
        "3",
        "--amount",
        "-27.5",
        "--category",
        "Bücher 'und' \\ \"mehr\"",
    ]);
    machine.ok(&["import", "undo", "2"]);
    machine.ok(&["import", "more.csv"]);
    machine.assert_whole("told");
    machine.dump()
}

#[test]
fn however_a_server_is_set_up_the_story_is_the_same() {
    let Some(server) = OwnServer::start() else { return };
    let expected = story(&Machine::new(On::Sqlite).unwrap());
    for settings in [&SETTINGS[..6], &SETTINGS[6..12], &SETTINGS[12..]] {
        let machine = Machine::with_server(&server.new_database());
        let database = machine.database_name();
        for setting in settings {
            server.run("/postgres", &[&format!("alter database {database} set {setting}")]);
        }
        assert_eq!(story(&machine), expected, "{settings:?}");
    }
    for (number, kind) in KINDS.iter().enumerate() {
        let name = format!("kind{number}");
        server.run("/postgres", &[&format!("create database {name} {kind}")]);
        let machine = Machine::with_server(&server.address_of(&name));
        assert_eq!(story(&machine), expected, "{kind}");
    }
}

/// What a server does not allow is said, and ends with a code for it, soon.
#[track_caller]
fn assert_refused(machine: &Machine, line: &[&str], word: &str) {
    let start = Instant::now();
    let ran = machine.run(line);
    assert!(start.elapsed() < Duration::from_secs(35), "{line:?}: {:?}", start.elapsed());
    assert_eq!(ran.code, Some(7), "{line:?}: {ran:?}");
    assert_told(&ran, &format!("{line:?}"));
    assert!(ran.err.contains(word), "{word}: {ran:?}");
}

const SET: [&str; 4] = ["settings", "set", "base_currency", "CAD"];

#[test]
fn what_a_server_does_not_allow_is_said() {
    let Some(mut server) = OwnServer::start() else { return };
    server.run("/postgres", &["create role guest login", "create role few login"]);
    // No right to make anything.
    let address = server.new_database();
    let guest = Machine::with_server(&address.replace("dashtam@", "guest@"));
    assert_refused(&guest, &["migrate"], "permission denied");
    assert_refused(&guest, &SET, "grant");
    // Another schema than the one with the store, and none at all.
    let machine = Machine::with_server(&address);
    household(&machine);
    let before = machine.dump();
    let database = machine.database_name();
    server.run(&address, &["create schema other"]);
    for (path, word) in [("other", "search_path"), ("nowhere", "search_path")] {
        server.run("/postgres", &[&format!("alter database {database} set search_path = {path}")]);
        assert_refused(&machine, &SET, word);
        assert_refused(&machine, &["report", "accounts"], word);
    }
    server.run("/postgres", &[&format!("alter database {database} reset search_path")]);
    // Nobody may write.
    server.run(
        "/postgres",
        &[&format!("alter database {database} set default_transaction_read_only = on")],
    );
    assert_refused(&machine, &SET, "takes no writes");
    assert_eq!(machine.look(), before);
    server.run(
        "/postgres",
        &[&format!("alter database {database} reset default_transaction_read_only")],
    );
    assert_eq!(machine.dump(), before);
    // A standby.
    let standby = machine.on(&server.standby(&address));
    let start = Instant::now();
    while standby.run(&["report", "accounts"]).code != Some(0) {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{:?}",
            standby.run(&["report", "accounts"])
        );
    }
    assert_eq!(standby.look(), before);
    assert_refused(&standby, &SET, "takes no writes");
    machine.assert_whole("after all");
}

/// F58: fewer connections than are wanted.
#[test]
fn a_server_without_room_is_said_or_enough() {
    let Some(server) = OwnServer::start() else { return };
    server.run("/postgres", &["create role few login"]);
    let address = server.new_database();
    let machine = Machine::with_server(&address.replace("dashtam@", "few@"));
    server.run("/postgres", &[&format!("alter database {} owner to few", machine.database_name())]);
    household(&machine);
    let before = machine.dump();
    // With less than it needs it waits for as long as it may.
    let limits: &[u32] = if is_full() { &[0, 1, 2, 3, 8] } else { &[0, 8] };
    for limit in limits {
        server.run("/postgres", &[&format!("alter role few connection limit {limit}")]);
        let start = Instant::now();
        let ran: Ran = machine.run(&SET);
        assert!(start.elapsed() < Duration::from_secs(35), "{limit}: {:?}", start.elapsed());
        match ran.code {
            Some(0) => {}
            Some(7) if *limit < 8 => assert_told(&ran, &format!("{limit} connections")),
            _ => panic!("{limit}: {ran:?}"),
        }
    }
    server.run("/postgres", &["alter role few connection limit -1"]);
    machine.assert_whole("with room");
    machine.ok(&["settings", "set", "base_currency", "USD"]);
    assert_ne!(machine.dump(), before);
}
