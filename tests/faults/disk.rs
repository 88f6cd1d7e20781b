//! A disk that is full or takes no writes, a process that may open few files. F6, F7, F8.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::flows::{LARGE_IMPORT, household};
use super::machine::{Machine, On, assert_told, copy_folder};
use super::{is_full, sample, tool};
use crate::support::announce;
use crate::support::home::Ran;
use crate::support::jar::{self, AMOUNT_SHOWN};
use crate::support::terminal::Terminal;

/// A mount that goes with this value.
struct Mount(PathBuf);

impl Mount {
    /// Mounts something; none, and a loud line, where that is not allowed.
    fn new(arguments: &[&str], at: &Path) -> Option<Self> {
        let done = Command::new("mount").args(arguments).arg(at).output();
        if done.is_ok_and(|done| done.status.success()) {
            return Some(Self(at.to_owned()));
        }
        let thread = std::thread::current();
        announce(&format!("SKIPPED (no right to mount): {}", thread.name().unwrap_or("a test")));
        None
    }

    /// A disk of this size, with what is in the folder.
    fn small(folder: &Path, size: &str) -> Option<Self> {
        let kept = tempfile::tempdir().unwrap();
        copy_folder(folder, kept.path());
        let mount =
            Self::new(&["-t", "tmpfs", "-o", &format!("size={size},mode=700"), "none"], folder)?;
        copy_folder(kept.path(), folder);
        Some(mount)
    }

    /// The folder as it is, and nothing can be written there.
    fn read_only(folder: &Path) -> Option<Self> {
        let mount = Self::new(&["--bind", folder.to_str().unwrap()], folder)?;
        let again = Command::new("mount").args(["-o", "remount,ro,bind"]).arg(folder).status();
        assert!(again.unwrap().success());
        Some(mount)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// What runs a program without the powers of root, which may write wherever it likes.
pub fn without_powers() -> Option<Vec<String>> {
    match rustix::process::geteuid().is_root() {
        true => tool(&["setpriv", "--bounding-set=-all"]),
        false => Some(Vec::new()),
    }
}

/// Every file below a folder with its length, besides the log.
fn tree(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.path() {
            // A folder of its own, which may be written all the same.
            path if path.ends_with("log") => {}
            path if path.is_dir() => found.extend(tree(&path)),
            path => found.push((path, entry.metadata().unwrap().len())),
        }
    }
    found.sort();
    found
}

#[test]
fn a_full_disk_is_named_and_everything_is_there_once_there_is_room() {
    let start = Machine::new(On::Sqlite).unwrap();
    (LARGE_IMPORT.before)(&start);
    let before = start.copy().dump();
    let healthy = start.copy();
    healthy.ok(LARGE_IMPORT.line);
    let after = healthy.dump();
    let size = if is_full() { 256 << 20 } else { 8 << 20 };
    let room = [0_u64, 16, 64, 128, 256, 400, 600, 800].map(|kib| kib << 10);
    let mut refused = 0;
    for room in sample(&room, 5) {
        let why = format!("{room} bytes free");
        let machine = start.copy();
        let Some(_mount) = Mount::small(&machine.path("data"), &size.to_string()) else { return };
        let filler = machine.path("data/filler");
        fill(&filler, room);
        let ran = machine.run(LARGE_IMPORT.line);
        if ran.code != Some(0) {
            refused += 1;
            assert_eq!(ran.code, Some(7), "{why}: {ran:?}");
            assert_told(&ran, &why);
            assert!(ran.err.contains("disk full"), "{why}: {ran:?}");
            assert!(
                ran.err.contains("data/") && ran.err.contains("bytes are free"),
                "{why}: {ran:?}"
            );
            // There is still all that was there, to look at.
            assert_eq!(machine.look(), before, "{why}");
        }
        fs::remove_file(&filler).unwrap();
        assert!([&before, &after].contains(&&machine.dump()), "{why}");
        machine.ok(LARGE_IMPORT.line);
        assert_eq!(machine.dump(), after, "{why}");
        machine.assert_whole(&why);
    }
    assert!(refused >= 2, "only {refused} were refused");
}

/// Writes a file until no more than so many bytes are free. A program that runs may take room
/// meanwhile: then the disk is full before the file is, which is as good.
fn fill(path: &Path, room: u64) {
    let disk = rustix::fs::statvfs(path.parent().unwrap()).unwrap();
    let bytes = (disk.f_bavail * disk.f_frsize).saturating_sub(room);
    match fs::write(path, vec![0; usize::try_from(bytes).unwrap()]) {
        Err(error) if error.kind() == std::io::ErrorKind::StorageFull => {}
        written => written.unwrap(),
    }
}

#[test]
fn a_disk_that_takes_no_writes_is_looked_at_and_nothing_more() {
    let machine = Machine::new(On::Sqlite).unwrap();
    household(&machine);
    let (before, data) = (machine.look(), machine.path("data"));
    {
        let Some(_mount) = Mount::read_only(&data) else { return };
        let files = tree(&data);
        for line in [
            &["import", "more.csv"][..],
            &["settings", "set", "base_currency", "CAD"],
            &["migrate"],
            &["--refresh-only"],
            &["export"],
        ] {
            let ran = machine.run(line);
            assert_eq!(ran.code, Some(7), "{line:?}: {ran:?}");
            assert_told(&ran, &format!("{line:?}"));
        }
        assert_eq!(machine.look(), before);
        machine.ok(&["report", "accounts"]);
        assert_eq!(tree(&data), files);
    }
    machine.ok(&["import", "more.csv"]);
    machine.assert_whole("written again");
}

/// What is seen once an amount came in besides.
const MORE_SHOWN: &str = "77,778.77";

#[test]
fn a_dashboard_only_looks_until_it_can_write_again() {
    for (room, why) in [(None, "disk read-only"), (Some(0), "disk full")] {
        let (home, mut filler) = (jar::home(), None);
        let data = home.data();
        let mount = match room {
            None => Mount::read_only(&data),
            Some(_) => Mount::small(&data, "8m"),
        };
        let Some(mount) = mount else { return };
        if let Some(room) = room {
            fill(&data.join("filler"), room);
            filler = Some(data.join("filler"));
        }
        let mut terminal = Terminal::dashtam(&home, "", AMOUNT_SHOWN);
        terminal.see(&format!("! only looking: {why}"));
        terminal.see("only looking until it can be written");
        // All that is there can be looked at.
        terminal.press("3");
        terminal.see("pickled");
        match &filler {
            Some(filler) => fs::remove_file(filler).unwrap(),
            None => drop(mount),
        }
        terminal.see_no_more("! only looking");
        see_said(&mut terminal, "the store can be written again");
        // And what others write from then on is seen.
        jar::deposit(&home, "", "1", "later");
        terminal.see(MORE_SHOWN);
        terminal.press("q");
        terminal.end().with_code(0).restored();
    }
}

/// Reads what was said: another message may have taken its place at the bottom since.
#[track_caller]
fn see_said(terminal: &mut Terminal, words: &str) {
    terminal.press("gm");
    terminal.see(words);
    terminal.press("\x1b");
    terminal.see_no_more(words);
}

/// Edits while there is no room are refused in a line or in their form, what is there can be looked at, and once there
/// is room again everything goes on, the refreshing too.
#[test]
fn a_disk_that_fills_under_a_dashboard_loses_nothing() {
    const ADD: &str = ":account add Late checking USD\r";
    let start = Machine::of(jar::home());
    let add = ["account", "add", "Late", "--kind", "checking", "--currency", "USD"];
    for is_refreshed in [false, true] {
        let machine = Machine::of(jar::home());
        if is_refreshed {
            machine.connect("Harbor");
        }
        let mount = Mount::small(&machine.path("data"), "8m");
        let Some(_mount) = mount else { return };
        let home = machine.into_home();
        let mut terminal = Terminal::dashtam(&home, "", AMOUNT_SHOWN);
        if is_refreshed {
            terminal.see("● live");
        }
        let filler = home.data().join("filler");
        fill(&filler, 0);
        if is_refreshed {
            terminal.press(ADD);
            terminal.see("! only looking: disk full");
        } else {
            // A form keeps what was typed.
            terminal.press("1a");
            terminal.see("Add an account");
            terminal.press("Latest\x13");
            terminal.see("! only looking: disk full");
            terminal.press("\x13");
            terminal.see("not yet, only looking: disk full");
            assert!(terminal.text().contains("Latest"), "{}", terminal.text());
            terminal.press("\x1b");
            terminal.see("Leave what is typed?");
            terminal.press("y");
            terminal.see_no_more("Add an account");
        }
        terminal.press(":account add Later checking USD\r");
        terminal.see("not yet, only looking: disk full");
        if is_refreshed {
            terminal.press("r");
            terminal.see("! disk full");
        }
        // All that is there can be looked at.
        terminal.press("3");
        terminal.see("pickled");
        assert!(!terminal.text().contains("Late"), "{}", terminal.text());
        fs::remove_file(&filler).unwrap();
        terminal.see_no_more("! only looking");
        if is_refreshed {
            terminal.see("● live");
        }
        see_said(&mut terminal, "the store can be written again");
        terminal.press(ADD);
        terminal.see("added account Late");
        terminal.press("q");
        terminal.end().with_code(0).restored();
        let machine = Machine::of(home);
        machine.assert_whole("there was room again");
        if !is_refreshed {
            let control = start.copy();
            control.ok(&add);
            assert_eq!(machine.dump(), control.dump());
        }
    }
}

/// A log is a convenience: without room for it everything else is done, and it goes on afterwards.
#[test]
fn a_full_disk_for_the_log_holds_up_nothing() {
    let home = jar::home();
    let log = home.data().join("log");
    let Some(_mount) = Mount::small(&log, "128k") else { return };
    let filler = log.join("filler");
    fill(&filler, 0);
    let mut terminal = Terminal::dashtam(&home, "", AMOUNT_SHOWN);
    terminal.press(":account add Late checking USD\r");
    terminal.see("added account Late");
    jar::deposit(&home, "", "1", "later");
    terminal.see(MORE_SHOWN);
    fs::remove_file(&filler).unwrap();
    terminal.press(":account add Latest checking USD\r");
    terminal.see("added account Latest");
    terminal.press("q");
    terminal.end().with_code(0).restored();
    jar::deposit(&home, "", "2", "latest");
    let written = fs::read_dir(&log).unwrap().map(|entry| entry.unwrap().path());
    let written: String = written.map(|path| fs::read_to_string(path).unwrap()).collect();
    assert!(written.contains("\"start\""), "{written}");
    for line in written.lines() {
        let is_line = serde_json::from_str::<serde_json::Value>(line).is_ok();
        assert!(is_line || written.starts_with(line), "{line}");
    }
    Machine::of(home).assert_whole("logged again");
}

#[test]
fn an_export_into_a_folder_that_takes_no_writes_leaves_nothing() {
    let machine = Machine::new(On::Sqlite).unwrap();
    household(&machine);
    fs::create_dir(machine.path("out")).unwrap();
    for (room, why) in [(None, "read-only"), (Some(0), "full"), (Some(4096), "nearly full")] {
        let folder = machine.path("out");
        let Some(_mount) = (match room {
            None => Mount::read_only(&folder),
            Some(_) => Mount::small(&folder, "64k"),
        }) else {
            return;
        };
        if let Some(room) = room {
            fill(&folder.join("filler"), room);
        }
        let files = tree(&folder);
        let ran = machine.run(&["export", "--format", "json", "--out", "out/all.json"]);
        // So much fits.
        if ran.code != Some(0) {
            assert_eq!(ran.code, Some(7), "{why}: {ran:?}");
            assert_told(&ran, why);
            assert_eq!(tree(&folder), files, "{why}");
        }
        assert!(room == Some(4096) || ran.code == Some(7), "{why}: {ran:?}");
    }
    machine.assert_whole("exported");
}

#[test]
fn few_open_files_end_it_cleanly() {
    let start = Machine::new(On::Sqlite).unwrap();
    household(&start);
    let line = ["import", "more.csv", "prices.csv"];
    let (before, healthy) = (start.copy().dump(), start.copy());
    healthy.ok(&line);
    let after = healthy.dump();
    let limits: Vec<u32> = (4..32).collect();
    for limit in sample(&limits, 8) {
        let why = format!("{limit} files");
        let machine = start.copy();
        let nofile = format!("--nofile={limit}");
        let Some(under) = tool(&["prlimit", &nofile]) else { return };
        let ran = Ran::of(&machine.command(&under, &line).output().unwrap());
        if ran.code != Some(0) {
            // Below a few the loader itself finds no libraries.
            assert!(matches!(ran.code, Some(1 | 2 | 7 | 127)), "{why}: {ran:?}");
            assert!(!ran.err.contains("panicked"), "{why}: {ran:?}");
        }
        assert!([&before, &after].contains(&&machine.dump()), "{why}");
        machine.ok(&line);
        assert_eq!(machine.dump(), after, "{why}");
        machine.assert_whole(&why);
    }
}

#[test]
fn a_folder_without_the_right_to_write_is_looked_at_and_nothing_more() {
    let Some(under) = without_powers() else { return };
    let machine = Machine::new(On::Sqlite).unwrap();
    household(&machine);
    let (before, data) = (machine.look(), machine.path("data"));
    let chmod = |mode| fs::set_permissions(&data, fs::Permissions::from_mode(mode)).unwrap();
    let run = |line: &[&str]| Ran::of(&machine.command(&under, line).output().unwrap());
    chmod(0o500);
    let files = tree(&data);
    for line in [&["import", "more.csv"][..], &["settings", "set", "base_currency", "CAD"]] {
        let ran = run(line);
        assert!(matches!(ran.code, Some(2 | 7)), "{line:?}: {ran:?}");
        assert_told(&ran, &format!("{line:?}"));
    }
    let look = run(&["export", "--format", "canonical", "--read-only"]);
    assert_eq!((look.code, look.out), (Some(0), before), "{}", look.err);
    assert_eq!(tree(&data), files);
    chmod(0o700);
    machine.ok(&["import", "more.csv"]);
    machine.assert_whole("written again");
}
