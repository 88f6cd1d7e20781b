//! A log that was cut, a file that was damaged, a store of an older program. F4, F9, F14, F15.

use std::fs;
use std::path::PathBuf;

use sqlx::{Connection, SqliteConnection};

use super::flows::{household, household_and_more};
use super::machine::{Machine, On, assert_told};
use super::{Chance, is_full, older, sample};
use crate::support::sum_up;

/// Numbers from 0 up to a length, spread evenly: so many in full, and so many in a plain run.
fn offsets(length: u64, full: u64, few: usize) -> Vec<u64> {
    let all: Vec<u64> = (0..full).map(|at| at * length / (full - 1)).collect();
    sample(&all, few)
}

fn log_of(machine: &Machine) -> PathBuf {
    machine.path("data/dashtam.db-wal")
}

/// A machine whose log holds a few commits that are not in the file yet, as after a power cut, and
/// its dump after each of them.
async fn with_log() -> (Machine, Vec<String>) {
    let live = Machine::new(On::Sqlite).unwrap();
    household(&live);
    let mut states = vec![live.look()];
    let address = format!("sqlite:{}", live.database().display());
    // As long as somebody is there nobody tidies up.
    let mut somebody = SqliteConnection::connect(&address).await.unwrap();
    sqlx::query("select * from store_state").execute(&mut somebody).await.unwrap();
    for line in [
        &["settings", "set", "base_currency", "CAD"][..],
        &["import", "more.csv", "prices.csv"],
        &["txn", "edit", "3", "--amount", "-27.5"],
        &["import", "undo", "2"],
    ] {
        live.ok(line);
        states.push(live.look());
    }
    let cut = live.copy();
    somebody.close().await.unwrap();
    (cut, states)
}

/// Opens a store whose log was changed; tells which of its states it is in.
fn state_of(machine: &Machine, states: &[String], why: &str) -> usize {
    let seen = machine.dump();
    machine.assert_sound(why);
    let state = states.iter().rposition(|state| *state == seen);
    state.unwrap_or_else(|| panic!("{why}: a state that never was:\n{seen}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_log_leaves_whole_commits() {
    let (cut, states) = with_log().await;
    tokio::task::spawn_blocking(move || {
        let length = fs::metadata(log_of(&cut)).unwrap().len();
        let (mut last, offsets) = (0, offsets(length, 500, 16));
        let cuts = offsets.len();
        for offset in offsets {
            let machine = cut.copy();
            let log = fs::File::options().write(true).open(log_of(&machine)).unwrap();
            log.set_len(offset).unwrap();
            let state = state_of(&machine, &states, &format!("cut at {offset}"));
            assert!(state >= last, "less is there of a longer log");
            last = state;
        }
        assert_eq!(last, states.len() - 1, "a whole log is whole");
        sum_up(&format!("{cuts} cuts of a log, each left whole commits"));
        // What only helps to read it may go.
        let machine = cut.copy();
        fs::remove_file(machine.path("data/dashtam.db-shm")).unwrap();
        assert_eq!(state_of(&machine, &states, "no index"), last);
        let machine = cut.copy();
        fs::remove_file(log_of(&machine)).unwrap();
        // What was done is gone, and is missed.
        let told = machine.run(&["doctor", "--json"]);
        assert_eq!(told.code, Some(7), "{told:?}");
        assert!(told.out.contains("its latest changes are lost"), "{told:?}");
        assert_eq!(state_of(&machine, &states, "no log"), 0);
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_of_a_log_ends_it_there() {
    let (cut, states) = with_log().await;
    tokio::task::spawn_blocking(move || {
        let bytes = fs::read(log_of(&cut)).unwrap();
        let mut chance = Chance::of(9);
        let flips = if is_full() { 400 } else { 8 };
        for _ in 0..flips {
            let bit = chance.below(bytes.len() as u64 * 8);
            let machine = cut.copy();
            fs::write(log_of(&machine), flipped(&bytes, bit)).unwrap();
            state_of(&machine, &states, &format!("bit {bit} flipped"));
        }
        sum_up(&format!("{flips} flipped bits of a log, each left whole commits"));
    })
    .await
    .unwrap();
}

fn flipped(bytes: &[u8], bit: u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[usize::try_from(bit / 8).unwrap()] ^= 1 << (bit % 8);
    bytes
}

/// What becomes of a look at a damaged store and of a write to it.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// It was said, or it mattered to nobody.
    Right,
    /// Wrong rows came out, and a check of the rows finds that.
    Found,
    /// Wrong rows came out as if they were right.
    Missed,
}

/// Damages the file of a store, looks at it and writes to it.
fn damaged(start: &Machine, before: &str, bytes: &[u8], why: &str) -> Seen {
    let machine = start.copy();
    let file = machine.database();
    fs::write(&file, bytes).unwrap();
    let look = machine.run(&["export", "--format", "canonical", "--read-only"]);
    assert_eq!(fs::read(&file).unwrap(), bytes, "{why}: a look changed it");
    match look.code {
        Some(0) => {}
        Some(7) => assert_told(&look, why),
        _ => panic!("{why}: {look:?}"),
    }
    let wrote = machine.run(&["settings", "set", "base_currency", "CAD"]);
    match wrote.code {
        Some(0) => {}
        Some(7) => {
            assert_told(&wrote, why);
            assert!(fs::read(&file).unwrap() == bytes, "{why}: a write that failed changed it");
        }
        _ => panic!("{why}: {wrote:?}"),
    }
    match look.code == Some(7) || look.out == before {
        true => Seen::Right,
        false if machine.is_damage_found() => Seen::Found,
        false => Seen::Missed,
    }
}

/// A store that nobody has open: all of it is in one file.
fn at_rest() -> (Machine, String, Vec<u8>) {
    let start = Machine::new(On::Sqlite).unwrap();
    household_and_more(&start);
    let (before, bytes) = (start.look(), fs::read(start.database()).unwrap());
    assert!(fs::metadata(log_of(&start)).map_or(true, |log| log.len() == 0));
    (start, before, bytes)
}

#[test]
fn a_file_that_was_cut_or_overwritten_is_said_to_be_damaged() {
    let (start, before, bytes) = at_rest();
    let length = bytes.len();
    let said = |bytes: &[u8], why: &str| {
        let seen = damaged(&start, &before, bytes, why);
        assert_ne!(seen, Seen::Missed, "{why}: wrong rows as if they were right");
    };
    for offset in offsets(length as u64 - 1, 100, 8) {
        // An empty file is a store that was never begun.
        let offset = usize::try_from(offset).unwrap().max(1);
        said(&bytes[..offset], &format!("cut at {offset} of {length}"));
    }
    for (from, to) in [(0, 16), (0, 100), (16, 18), (18, 100), (0, 8192), (8192, 16384)] {
        let mut bytes = bytes.clone();
        bytes[from..to].fill(0);
        said(&bytes, &format!("zeroes from {from} to {to}"));
    }
    // The engine repeats a whole statement that it cannot read.
    let name = b"findings (";
    let at = bytes.windows(name.len()).position(|window| window == name).unwrap();
    let mut unreadable = bytes.clone();
    unreadable[at] = b'`';
    said(&unreadable, "a statement that cannot be read");
    let pages: Vec<usize> = (1..length / 8192).collect();
    for page in sample(&pages, 8) {
        let mut bytes = bytes.clone();
        bytes[page * 8192..(page + 1) * 8192].fill(0);
        said(&bytes, &format!("page {page} zeroed"));
    }
}

#[test]
fn flipped_bits_of_a_file_are_found() {
    let (start, before, bytes) = at_rest();
    let mut chance = Chance::of(99);
    let (mut effective, mut missed) = (0, Vec::new());
    let flips = if is_full() { 400 } else { 16 };
    for _ in 0..flips {
        let bit = chance.below(bytes.len() as u64 * 8);
        let why = format!("bit {bit} flipped");
        match damaged(&start, &before, &flipped(&bytes, bit), &why) {
            Seen::Right => {}
            Seen::Found => effective += 1,
            Seen::Missed => {
                effective += 1;
                missed.push(bit);
            }
        }
    }
    sum_up(&format!(
        "{flips} flipped bits of a file, {effective} had an effect on the dump, unseen: {missed:?}"
    ));
    assert!(missed.len() * 100 <= effective, "missed: {missed:?} of {effective}");
}

/// F15: nothing is lost on the way from any schema there ever was.
#[test]
fn every_older_schema_becomes_this_one() {
    for on in [On::Sqlite, On::Postgres] {
        let Some(now) = Machine::new(on) else { continue };
        household_and_more(&now);
        let expected = now.dump();
        for schema in 1..older::newest() {
            let why = format!("schema {schema} on {on:?}");
            let machine = now.copy();
            older::make_older(&machine, schema);
            let refused = machine.run(&["report", "accounts"]);
            assert_eq!(refused.code, Some(7), "{why}: {refused:?}");
            assert!(refused.err.contains("dashtam migrate"), "{why}: {refused:?}");
            machine.ok(&["migrate"]);
            assert_eq!(machine.dump(), expected, "{why}");
            machine.assert_whole(&why);
        }
    }
}

#[test]
fn migrations_that_were_altered_are_said_in_words() {
    for on in [On::Sqlite, On::Postgres] {
        let Some(machine) = Machine::new(on) else { continue };
        household(&machine);
        let zeroes = if on == On::Sqlite { "x'00'" } else { "'\\x00'::bytea" };
        let altered = format!("update _sqlx_migrations set checksum = {zeroes} where version = 1");
        machine.sql(&[&altered]);
        older::make_older(&machine, older::newest() - 1);
        let ran = machine.run(&["migrate"]);
        assert_eq!(ran.code, Some(7), "{ran:?}");
        assert_told(&ran, "altered");
        assert!(ran.err.contains("migrations were altered"), "{ran:?}");
    }
}
