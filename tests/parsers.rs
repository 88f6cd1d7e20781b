//! Whatever bytes come: no parser panics, hangs or takes much memory, and what it says of them can be
//! shown. Inputs are those of `tests/fixtures/fuzz`, changed by chance from a fixed seed; a failure
//! tells the round and the bytes.
//!
//! A few thousand executions each by default; ten million each where `DASHTAM_FULL=1`, or as many as
//! `DASHTAM_FUZZ` says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::convert::Infallible;
use std::fmt::Display;
use std::fs;
use std::io::Read;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dashtam::config::{Config, Database, Environment, Overrides};
use dashtam::import::{NeutralReader, PriceReader, detect, read_json};
use dashtam::keys::{parse_chords, spelled};
use dashtam::model::{Currency, Dec, Exact, Isin, Mention, Ratio, Setting, Unit};
use dashtam::report::Find;
use support::mutate::Random;
use support::payloads::harm_in;

const SEED: u64 = 0x0000_f0dd;
/// One input may take so long, and after so much more there is no hope for it.
const SLOW: Duration = Duration::from_secs(1);
const TRIES: usize = 3;
const HANGS: Duration = Duration::from_mins(2);
/// In KiB, all of the process together.
const MEMORY: u64 = 256 * 1024;

#[expect(clippy::disallowed_methods, reason = "how much is tested is set from the environment")]
fn executions(sample: u64) -> u64 {
    if let Ok(wanted) = std::env::var("DASHTAM_FUZZ") {
        return wanted.parse().expect("DASHTAM_FUZZ is a number");
    }
    match std::env::var("DASHTAM_FULL").is_ok_and(|value| value == "1") {
        true => 10_000_000,
        false => sample,
    }
}

/// The inputs whose files begin so.
fn seeds(prefix: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> = fs::read_dir(support::root().join("tests/fixtures/fuzz"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(prefix))
        .collect();
    files.sort();
    let inputs = files.iter().flat_map(|path| {
        let bytes = fs::read(path).unwrap();
        match path.extension().is_some_and(|extension| extension == "seeds") {
            true => bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect(),
            false => vec![bytes],
        }
    });
    let inputs: Vec<_> = inputs.filter(|input| !input.is_empty()).collect();
    assert!(!inputs.is_empty(), "no input begins with {prefix}");
    inputs
}

/// Tries a parser; it answers whether it understood.
fn try_out(name: &str, prefix: &str, sample: u64, parse: impl Fn(&[u8]) -> bool) {
    let (seeds, times) = (seeds(prefix), executions(sample));
    let mut understood = 0_u64;
    for seed in &seeds {
        understood += u64::from(run(name, 0, seed, &parse));
    }
    assert!(understood > 0, "{name} understands none of its own inputs");
    let (round, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let guard = watch(name.to_owned(), Arc::clone(&round), Arc::clone(&done));
    let mut random = Random::new(SEED);
    let ending = Ending(done);
    let begun = Instant::now();
    for at in 1..=times {
        round.store(at, Ordering::Relaxed);
        let input = random.input(&seeds);
        understood += u64::from(run(name, at, &input, &parse));
    }
    let took = begun.elapsed();
    drop(ending);
    guard.join().unwrap();
    support::sum_up(&format!("{name}: {times} executions in {took:.1?}, {understood} understood"));
    assert!(understood > times / 1_000, "hardly anything gets past the first byte of {name}");
    let peak = peak_memory();
    assert!(peak < MEMORY, "{name}: the process took {peak} KiB");
}

fn run(name: &str, round: u64, input: &[u8], parse: &impl Fn(&[u8]) -> bool) -> bool {
    let told = || format!("{name}, seed {SEED:#x}, round {round}: \"{}\"", input.escape_ascii());
    // On a busy machine anything is slow once: what is slow is so each time.
    for _ in 0..TRIES {
        let begun = Instant::now();
        let done = catch_unwind(AssertUnwindSafe(|| parse(input)));
        let understood = done.unwrap_or_else(|_| panic!("panicked: {}", told()));
        if begun.elapsed() < SLOW {
            return understood;
        }
    }
    panic!("takes more than {SLOW:?}: {}", told());
}

/// Sends the watch home, however the trial ends.
struct Ending(Arc<AtomicBool>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Ends the process where nothing moves any more: the round says which input it was.
fn watch(
    name: String,
    round: Arc<AtomicU64>,
    done: Arc<AtomicBool>,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let (mut last, mut since) = (0, Instant::now());
        while !done.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(20));
            let now = round.load(Ordering::Relaxed);
            if now != last {
                (last, since) = (now, Instant::now());
            } else if since.elapsed() > HANGS {
                support::announce(&format!("{name}, seed {SEED:#x}: round {now} does not end"));
                std::process::abort();
            }
        }
    })
}

/// The most memory that this process ever had, in KiB; 0 where the system does not tell.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}

/// Whatever is said of an input can be shown, and is short.
fn can_be_shown(said: impl Display) {
    let said = said.to_string();
    if let Some(harm) = harm_in(&said) {
        panic!("{harm}");
    }
    assert!(said.len() < 16 * 1024, "{} bytes are said", said.len());
}

/// Hands out a few bytes at a time, as a slow disk or a pipe would.
struct Drip<'a>(&'a [u8]);

impl Read for Drip<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let length = into.len().min(3).min(self.0.len());
        let (now, later) = self.0.split_at(length);
        into[..length].copy_from_slice(now);
        self.0 = later;
        Ok(length)
    }
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Reads all rows of a file; gives what was said of each.
macro_rules! read_rows {
    ($reader:ident, $bytes:expr, $each:expr) => {{
        let mut said: Vec<Result<String, String>> = Vec::new();
        match $reader::new($bytes) {
            Err(problem) => said.push(Err(problem.to_string())),
            Ok(mut reader) => loop {
                match reader.next_row() {
                    Ok(None) => break,
                    Ok(Some(row)) => said.push(match row.parsed {
                        Ok(parsed) => Ok($each(parsed)),
                        Err(problem) => Err(problem.to_string()),
                    }),
                    Err(problem) => {
                        said.push(Err(problem.to_string()));
                        break;
                    }
                }
            },
        }
        said
    }};
}

/// The same bytes say the same, however they arrive; what is wrong with them can be shown.
fn judge_rows(said: &[Result<String, String>], dripped: Option<&[Result<String, String>]>) -> bool {
    if let Some(dripped) = dripped {
        assert_eq!(said, dripped, "as it drips in");
    }
    said.iter().filter_map(|row| row.as_ref().err()).for_each(can_be_shown);
    said.iter().any(Result::is_ok)
}

#[test]
fn neutral_csv() {
    let row = |entry: dashtam::model::Entry| {
        let shown = format!("{entry:?}");
        // What makes no sense is told too.
        if let Err(refusal) = entry.check() {
            can_be_shown(refusal);
        }
        shown
    };
    try_out("neutral CSV", "neutral", 3_000, |bytes| {
        if let Err(problem) = detect(bytes) {
            can_be_shown(problem);
        }
        let said = read_rows!(NeutralReader, bytes, row);
        let dripped =
            bytes.len().is_multiple_of(16).then(|| read_rows!(NeutralReader, Drip(bytes), row));
        judge_rows(&said, dripped.as_deref())
    });
}

#[test]
fn prices_csv() {
    try_out("prices CSV", "prices", 3_000, |bytes| {
        let row = |quote| format!("{quote:?}");
        let said = read_rows!(PriceReader, bytes, row);
        let dripped =
            bytes.len().is_multiple_of(16).then(|| read_rows!(PriceReader, Drip(bytes), row));
        judge_rows(&said, dripped.as_deref())
    });
}

#[test]
fn json() {
    for (name, prefix) in [("JSON", "store"), ("nested JSON", "")] {
        try_out(name, prefix, 1_500, |bytes| {
            let mut items = 0;
            let read = read_json(bytes, |_| -> ControlFlow<Infallible> {
                items += 1;
                ControlFlow::Continue(())
            });
            if let Err(problem) = read {
                can_be_shown(problem);
            }
            items > 0
        });
    }
}

#[test]
fn configuration() {
    // In memory where there is such a place: this writes as often as it reads.
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = tempfile::tempdir_in(place).unwrap();
    let path = folder.path().join("config.toml");
    let environment = Environment::new([("HOME", "/home/me"), ("TERM", "xterm")]);
    let flags = Overrides { config: Some(path.clone()), ..Overrides::default() };
    let write = |bytes: &[u8]| {
        use std::os::unix::fs::PermissionsExt;
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    try_out("configuration", "config", 2_000, |bytes| {
        write(bytes);
        match Config::load(&flags, &environment) {
            Ok(config) => {
                // A name in it is shown escaped by whoever prints this.
                assert!(!config.effective().is_empty());
                let _ = dashtam::keys::Keymap::with(&config.chosen_keys());
                true
            }
            Err(error) => {
                let said = error.to_string();
                assert!(!said.is_empty() && said.len() < 1_000, "{} bytes are said", said.len());
                false
            }
        }
    });
}

#[test]
fn decimals() {
    try_out("decimals", "decimals", 20_000, |bytes| {
        let text = text(bytes);
        if let Some(exact) = Exact::parse(&text) {
            assert_eq!(Exact::parse(&exact.to_string()), Some(exact));
        }
        if let Some(ratio) = Ratio::parse(&text) {
            assert_eq!(Ratio::parse(&ratio.to_string()), Some(ratio));
        }
        match Dec::parse(&text) {
            Ok(number) => {
                assert_eq!(Dec::parse(&number.to_string()), Ok(number));
                true
            }
            Err(error) => {
                can_be_shown(error);
                false
            }
        }
    });
}

#[test]
fn dates() {
    // As the field of a row, and as a word of a query.
    try_out("dates", "dates", 10_000, |bytes| {
        if bytes.iter().any(|byte| b",\"\r\n".contains(byte)) {
            return false;
        }
        let head = "date,account,type,symbol,quantity,price,fee,currency,amount\n";
        let file = [head.as_bytes(), bytes, b",A,DEPOSIT,,,,,USD,1\n"].concat();
        let row = |entry| format!("{entry:?}");
        let said = read_rows!(NeutralReader, &file[..], row);
        if let Err(error) = Find::parse(&format!("date:{}", text(bytes))) {
            can_be_shown(error);
        }
        judge_rows(&said, None)
    });
}

#[test]
fn chords() {
    try_out("key chords", "chords", 20_000, |bytes| match parse_chords(&text(bytes)) {
        Ok(chords) => {
            assert_eq!(parse_chords(&spelled(&chords)), Ok(chords));
            true
        }
        Err(error) => {
            can_be_shown(error);
            false
        }
    });
}

#[test]
fn queries() {
    try_out("queries", "find", 10_000, |bytes| match Find::parse(&text(bytes)) {
        Ok(find) => !find.is_everything(),
        Err(error) => {
            can_be_shown(error);
            false
        }
    });
}

#[test]
fn addresses_of_databases() {
    try_out("addresses", "urls", 5_000, |bytes| {
        match Database::parse(&text(bytes), Path::new("/base")) {
            Ok(database) => {
                assert!(!database.to_string().is_empty());
                true
            }
            Err(error) => {
                let said = error.to_string();
                assert!(!said.is_empty() && said.len() < 1_000, "{} bytes are said", said.len());
                false
            }
        }
    });
}

#[test]
fn words() {
    try_out("words", "words", 2_000, |bytes| {
        let text = text(bytes);
        let mut understood = false;
        macro_rules! each {
            ($($parsed:expr),*) => {$(
                match $parsed {
                    Ok(_) => understood = true,
                    Err(error) => can_be_shown(error),
                }
            )*};
        }
        each!(
            Currency::parse(&text),
            Unit::parse(&text),
            Setting::parse(&text),
            Isin::parse(&text),
            Mention::parse(&text),
            text.parse::<dashtam::model::EntryType>(),
            text.parse::<dashtam::model::AccountKind>(),
            text.parse::<dashtam::model::BatchId>()
        );
        understood
    });
}
