//! Files that are not what they should be, and what a person does with files again and again.
//! F60, F62, F63, F64. (F61 is of a format that is not read yet.)

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::flows::{LARGE_IMPORT, household};
use super::machine::{Machine, On};
use super::{is_full, tool};
use crate::support::announce;
use crate::support::home::{HEADER, Ran, document};

/// No import needs more, whatever the file is.
const MEMORY: &str = "--data=268435456";

fn machine() -> Machine {
    Machine::new(On::Sqlite).unwrap()
}

/// What a run under a limit of memory left.
fn bounded(machine: &Machine, line: &[&str]) -> Ran {
    let under = tool(&["prlimit", MEMORY]).unwrap_or_default();
    Ran::of(&machine.command(&under, line).output().unwrap())
}

#[test]
fn what_is_no_table_is_refused_with_its_place() {
    let row = "2024-01-02,A,DEPOSIT,,,,,USD,5";
    let long = "x".repeat(if is_full() { 1 << 30 } else { 8 << 20 });
    let wide = ",x".repeat(10_000);
    let utf16: Vec<u8> =
        format!("{HEADER}\n{row}\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let files: [(&str, Vec<u8>, &[&str]); 12] = [
        ("one long line", long.into_bytes(), &["line 1"]),
        (
            "a long cell",
            format!("{HEADER}\n2024-01-02,{}", "A".repeat(1 << 20)).into(),
            &["line 2", "column account"],
        ),
        (
            "an open quote",
            format!("{HEADER}\n{row}\n2024-01-03,\"A,DEPOSIT,,,,,USD,5\n{row}\n").into(),
            &["line 3", "column"],
        ),
        ("many columns", format!("{HEADER}{wide}\n{row}\n").into(), &["line 1"]),
        (
            "lines of two kinds",
            format!("{HEADER}\r\n{row}\r{row}\r\n").into(),
            &["line 2", "column"],
        ),
        (
            "a zero byte",
            format!("{HEADER}\n{row}\n2024-01-03,A\0,DEPOSIT,,,,,USD,5\n").into(),
            &["line 3", "column account"],
        ),
        ("UTF-16", utf16, &["UTF-16"]),
        ("a column twice", format!("{HEADER},amount\n{row},5\n").into(), &["line 1", "amount"]),
        ("nothing", Vec::new(), &["empty"]),
        ("a header alone", format!("{HEADER}\n").into(), &["line 2", "column date"]),
        (
            "a decimal comma",
            format!("{HEADER}\n2024-01-02,A,DEPOSIT,,,,,USD,\"5,50\"\n").into(),
            &["line 2", "column amount"],
        ),
        ("no text", vec![0x81, 0xfe, 0xfd, 0x80, 0x0a, 0x80], &["line 1"]),
    ];
    for (what, bytes, words) in files {
        let machine = machine();
        fs::write(machine.path("wrong.csv"), bytes).unwrap();
        let start = Instant::now();
        let ran = bounded(&machine, &["import", "wrong.csv"]);
        assert!(start.elapsed() < Duration::from_secs(20), "{what}: {:?}", start.elapsed());
        assert_eq!(ran.code, Some(2), "{what}: {ran:?}");
        assert!(words.iter().all(|word| ran.err.contains(word)), "{what}: {words:?}: {ran:?}");
        assert!(ran.err.len() < 2_000, "{what}: {} bytes were told", ran.err.len());
        let list = document(&machine.ok(&["import", "list", "--json"]));
        assert_eq!(list["rows"].as_array().unwrap().len(), 0, "{what}");
        machine.assert_whole(what);
    }
}

/// How many rows of a file were new and duplicate.
fn counts(machine: &Machine, file: &str) -> (u64, u64) {
    let report = document(&machine.ok(&["import", file, "--json"]));
    let count = |key: &str| report["files"][0][key].as_u64().unwrap();
    (count("new"), count("duplicate"))
}

#[test]
fn files_that_say_the_same_again_bring_only_what_is_new() {
    for on in [On::Sqlite, On::Postgres] {
        let Some(machine) = Machine::new(on) else { continue };
        let row = |day: u32, amount: &str| format!("2024-01-{day:02},A,DEPOSIT,,,,,USD,{amount}\n");
        let all: Vec<String> = (1..=9).map(|day| row(day, "5")).collect();
        let save = |name: &str, rows: &[String]| {
            machine.file(name, &format!("{HEADER}\n{}", rows.concat()));
        };
        save("first.csv", &all[..6]);
        save("overlap.csv", &all[3..]);
        save("twins.csv", &[row(20, "7"), row(20, "7")]);
        let backwards: Vec<_> = all.iter().rev().cloned().collect();
        save("backwards.csv", &backwards);
        assert_eq!(counts(&machine, "first.csv"), (6, 0));
        assert_eq!(counts(&machine, "first.csv"), (0, 6), "the same file twice");
        assert_eq!(counts(&machine, "overlap.csv"), (3, 3), "ranges that overlap");
        assert_eq!(counts(&machine, "twins.csv"), (2, 0), "two equal rows in one file");
        assert_eq!(counts(&machine, "twins.csv"), (0, 2), "the same two again");
        assert_eq!(counts(&machine, "backwards.csv"), (0, 9), "in another order");
        machine.assert_whole("again and again");
    }
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let machine = machine();
    household(&machine);
    let before = machine.look();
    fs::create_dir(machine.path("folder")).unwrap();
    symlink("more.csv", machine.path("link")).unwrap();
    symlink("/nowhere", machine.path("dangling")).unwrap();
    assert!(Command::new("mkfifo").arg(machine.path("pipe")).status().unwrap().success());
    machine.file("secret.csv", "date,account\n");
    fs::set_permissions(machine.path("secret.csv"), fs::Permissions::from_mode(0o000)).unwrap();
    for (path, word) in [
        ("folder", "not a regular file"),
        ("link", "symbolic link"),
        ("dangling", "symbolic link"),
        ("pipe", "not a regular file"),
        ("/dev/zero", "not a regular file"),
        ("/dev/null", "not a regular file"),
        ("/proc/self/mem", ""),
        ("absent.csv", "check the name"),
        ("secret.csv", "right to read"),
    ] {
        // Whoever may do everything may read everything.
        let Some(under) = super::disk::without_powers() else { return };
        let start = Instant::now();
        let ran = Ran::of(&machine.command(&under, &["import", path]).output().unwrap());
        let most = if is_full() { 1 } else { 5 };
        assert!(start.elapsed() < Duration::from_secs(most), "{path}: {:?}", start.elapsed());
        ran.refused(2, word);
        let out = machine.run(&["export", "--force", "--out", path]);
        assert!(
            out.code != Some(0) || ["absent.csv", "secret.csv"].contains(&path),
            "{path}: {out:?}"
        );
    }
    assert_eq!(machine.look(), before);
    machine.assert_whole("refused");
}

#[test]
fn a_file_that_somebody_still_writes_is_refused() {
    let machine = machine();
    (LARGE_IMPORT.before)(&machine);
    let before = machine.look();
    let mut child = machine.spawn(LARGE_IMPORT.line);
    let mut file = fs::File::options().append(true).open(machine.path("many.csv")).unwrap();
    while child.try_wait().unwrap().is_none() {
        file.write_all(b"2024-03-03,Bank,DEPOSIT,,,,,USD,5\n").unwrap();
        thread::sleep(Duration::from_micros(500));
    }
    let ran = Ran::of(&child.wait_with_output().unwrap());
    ran.refused(2, "changed while it was read");
    assert_eq!(machine.dump(), before);
    machine.ok(LARGE_IMPORT.line);
    machine.assert_whole("complete now");
}

#[test]
fn an_export_runs_in_no_spreadsheet_and_comes_back_as_it_was() {
    let texts = [
        "=cmd|' /C calc'!A0",
        "+1",
        "-1",
        "@x",
        "\tx",
        "\rx",
        "a \"quoted\" word",
        "two\nlines",
        "'=1",
        "\u{202e}x",
        "a,b",
    ];
    let machine = machine();
    let mut file = format!("{HEADER},description\n");
    for (day, text) in (1..).zip(texts) {
        file +=
            &format!("2024-01-{day:02},A,DEPOSIT,,,,,USD,5,\"{}\"\n", text.replace('"', "\"\""));
    }
    machine.file("texts.csv", &file);
    let ran = machine.run(&["import", "texts.csv", "--partial"]);
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    machine.ok(&["export", "--out", "out.csv"]);
    let mode = fs::metadata(machine.path("out.csv")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let bytes = fs::read(machine.path("out.csv")).unwrap();
    let mut rows = 0;
    for record in csv::Reader::from_reader(&bytes[..]).records().map(Result::unwrap) {
        rows += 1;
        for cell in &record {
            let number = cell.parse::<f64>().is_ok();
            assert!(
                number || !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\0']),
                "{cell:?}"
            );
        }
    }
    assert!(rows >= 9, "{rows} rows of {}: {ran:?}", texts.len());
    let other = Machine::new(On::Sqlite).unwrap();
    fs::copy(machine.path("out.csv"), other.path("out.csv")).unwrap();
    other.ok(&["import", "out.csv"]);
    assert_eq!(other.dump(), machine.dump());
    if is_full() {
        announce(&format!("{rows} hostile texts came back"));
    }
}
