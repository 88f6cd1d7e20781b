//! A report of each panic, for whoever mends it: where it was, not what it was about. It holds no
//! amount, no name and no secret; it prints nothing, which is for those to do who own the terminal.

use std::backtrace::Backtrace;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::panic::{self, PanicHookInfo};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use chrono::SecondsFormat;

use super::Now;
use crate::tasks;

/// More of them in one process say nothing new.
const MOST_OF_A_PROCESS: usize = 5;
/// Older ones go.
const KEPT: usize = 20;
const PREFIX: &str = "panic.";
const SUFFIX: &str = ".txt";
/// How messages of the standard library begin that say something by that alone; what follows may be
/// somebody's data.
const KNOWN: &[&str] = &[
    "index out of bounds",
    "range start index",
    "range end index",
    "slice index starts at",
    "byte index",
    "start byte index",
    "end byte index",
    "called `Result::unwrap()` on an `Err` value",
    "called `Result::unwrap_err()` on an `Ok` value",
    "assertion `left == right` failed",
    "assertion `left != right` failed",
    "cannot access a Thread Local Storage value",
    "capacity overflow",
];

/// Where reports are kept.
pub struct Place {
    /// The folder; it is made where it is not there.
    pub folder: PathBuf,
    /// Makes the folder, for its owner only.
    pub make: fn(&Path) -> io::Result<()>,
    /// Opens a file for appending, readable by its owner only.
    pub open: fn(&Path) -> io::Result<File>,
    /// The time.
    pub now: Now,
}

/// A panic, as it may be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    /// File, line and column of our code or of somebody else's.
    pub location: String,
    /// Its report; none where it could not be written.
    pub report: Option<PathBuf>,
}

/// What has been reported in this process.
#[derive(Clone, Default)]
pub struct Crashes(Arc<Shared>);

#[derive(Default)]
struct Shared {
    place: OnceLock<Place>,
    seen: Mutex<Vec<Crash>>,
}

impl Crashes {
    /// Reports every panic from now on, instead of printing it.
    #[must_use]
    pub fn watch() -> Self {
        let crashes = Self::default();
        let mine = crashes.clone();
        panic::set_hook(Box::new(move |panic| mine.note(panic)));
        crashes
    }

    /// Says where reports are kept; until then none are written.
    pub fn keep_in(&self, place: Place) {
        // The first one stays.
        let _ = self.0.place.set(place);
    }

    /// The newest.
    #[must_use]
    pub fn last(&self) -> Option<Crash> {
        self.seen().last().cloned()
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Vec<Crash>> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, panic: &PanicHookInfo<'_>) {
        let location = panic.location().map_or_else(String::new, |at| short(&at.to_string()));
        let mut seen = self.seen();
        if seen.len() < MOST_OF_A_PROCESS {
            let report = self.0.place.get().and_then(|place| {
                let text = text(place, &location, message(panic));
                write(place, &text).ok()
            });
            seen.push(Crash { location, report });
        }
    }
}

/// What the panic says, as far as it cannot be anybody's data: words of the code itself, or the
/// beginning of a message of the standard library.
fn message<'a>(panic: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = panic.payload();
    if let Some(words) = payload.downcast_ref::<&'static str>() {
        return words;
    }
    let said = payload.downcast_ref::<String>().map_or("", String::as_str);
    let known = KNOWN.iter().find(|beginning| said.starts_with(*beginning));
    known.copied().unwrap_or("(left out: it may hold data)")
}

fn text(place: &Place, location: &str, message: &str) -> String {
    let time = (place.now)().to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut text = String::new();
    let _ = writeln!(text, "dashtam {} panicked.", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(text, "This report holds no amount, no name and no secret.\n");
    let _ = writeln!(text, "time      {time}");
    let _ = writeln!(text, "system    {} {}", std::env::consts::OS, std::env::consts::ARCH);
    let _ = writeln!(text, "task      {}", tasks::current());
    let _ = writeln!(text, "location  {location}");
    let _ = writeln!(text, "message   {message}");
    let _ = writeln!(text, "\ncalls of dashtam's own code, the innermost first:");
    text + &own_frames(&Backtrace::force_capture().to_string()) + "\n"
}

/// The frames of our own code, with the places that are in it.
fn own_frames(backtrace: &str) -> String {
    let mut ours = String::new();
    let mut within = false;
    for line in backtrace.lines().map(str::trim_start) {
        match line.strip_prefix("at ") {
            Some(place) if within => {
                let _ = writeln!(ours, "    {}", short(place));
            }
            Some(_) => {}
            None => {
                let name = line.split_once(": ").map_or(line, |(_, name)| name);
                within = name.contains("dashtam::") && !name.contains("telemetry::crash");
                if within {
                    let _ = writeln!(ours, "  {name}");
                }
            }
        }
    }
    ours
}

/// A place in code without the folders of whoever built it.
fn short(place: &str) -> String {
    match place.rsplit_once("/src/") {
        Some((before, file)) => {
            // The name of the package with its version, where it is not ours.
            let versioned = |name: &&str| {
                let version = name.rsplit_once('-').map(|(_, version)| version);
                version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
            };
            let package = before.rsplit('/').next().filter(versioned);
            package.map_or(format!("src/{file}"), |name| format!("{name}/src/{file}"))
        }
        None => place.to_owned(),
    }
}

fn write(place: &Place, text: &str) -> io::Result<PathBuf> {
    (place.make)(&place.folder)?;
    let time = (place.now)().format("%Y-%m-%dT%H-%M-%S");
    let path = place.folder.join(format!("{PREFIX}{time}.{}{SUFFIX}", std::process::id()));
    (place.open)(&path)?.write_all(text.as_bytes())?;
    remove_old(&place.folder);
    Ok(path)
}

/// One that cannot be removed now is tried again at the next; it is no reason not to report.
fn remove_old(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<PathBuf> = entries
        .filter(|entry| {
            let name = entry.file_name();
            name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX))
        })
        .map(|entry| entry.path())
        .collect();
    names.sort();
    for old in names.iter().rev().skip(KEPT) {
        let _ = fs::remove_file(old);
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    fn place(folder: &Path) -> Place {
        Place {
            folder: folder.join("log"),
            make: |folder| fs::create_dir_all(folder),
            open: |path| OpenOptions::new().append(true).create(true).open(path),
            now: Arc::new(|| "2024-02-29T12:00:00Z".parse().unwrap()),
        }
    }

    #[test]
    fn frames_of_others_and_folders_of_builders_are_left_out() {
        let backtrace = "   0: std::panicking::begin\n             at /rustc/1/std/src/p.rs:1:2\n   \
                         1: dashtam::telemetry::crash::text\n             at ./src/x.rs:1:1\n   2: \
                         <dashtam::tui::App as core::Draw>::draw\n             at \
                         /home/can-ary/src/tui/app.rs:12:5\n   3: main\n             at ./m.rs:1\n";
        assert_eq!(
            own_frames(backtrace),
            "  <dashtam::tui::App as core::Draw>::draw\n    src/tui/app.rs:12:5\n"
        );
        assert_eq!(
            short("/home/x/.cargo/registry/src/i-1/nom-7.1/src/a.rs:1"),
            "nom-7.1/src/a.rs:1"
        );
    }

    #[test]
    fn a_report_says_where_and_old_ones_go() {
        let root = tempfile::tempdir().unwrap();
        let place = place(root.path());
        let path = write(&place, &text(&place, "src/x.rs:1:2", "a hole")).unwrap();
        let report = fs::read_to_string(&path).unwrap();
        for word in ["2024-02-29T12:00:00Z", "src/x.rs:1:2", "a hole", env!("CARGO_PKG_VERSION")] {
            assert!(report.contains(word), "{report}");
        }
        for day in 0..30 {
            fs::write(place.folder.join(format!("panic.2023-01-{day:02}.txt")), "").unwrap();
        }
        fs::write(place.folder.join("dashtam.2023-01-01.log"), "").unwrap();
        write(&place, "another").unwrap();
        assert_eq!(fs::read_dir(&place.folder).unwrap().count(), KEPT + 1);
        assert!(path.exists() && place.folder.join("dashtam.2023-01-01.log").exists());
    }
}
