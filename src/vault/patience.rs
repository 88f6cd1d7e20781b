//! How long one has to wait before the next try of a passphrase, whichever process tries. Nobody is
//! ever locked out for good.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rustix::fs::{FlockOperation, flock};

use crate::config::private::open_private;

/// Nobody waits longer.
const LONGEST: u64 = 60;

/// The tries that went wrong in a row. Whoever has it open is the only one who tries.
pub struct Attempts {
    file: File,
    failures: u32,
    /// When the last one was, in microseconds.
    last: i64,
}

impl Attempts {
    /// Waits until nobody else tries.
    pub fn open(path: &Path) -> io::Result<Self> {
        let options = &mut OpenOptions::new();
        let file = open_private(path, options.read(true).write(true).create(true))?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(Self::of(file))
    }

    /// As they stand, for who wants to know how long it will take.
    pub fn look(path: &Path) -> io::Result<Self> {
        Ok(Self::of(File::open(path)?))
    }

    fn of(file: File) -> Self {
        let mut text = String::new();
        // What is no count is none.
        let _ = (&file).take(64).read_to_string(&mut text);
        let mut words = text.split_whitespace();
        let failures = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        let last = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        Self { file, failures, last }
    }

    /// How long to wait from now on. A clock that was set back makes nobody wait longer than that.
    pub fn pause(&self, now: DateTime<Utc>) -> Duration {
        let whole = Duration::from_secs(seconds_after(self.failures));
        let passed = now.timestamp_micros().saturating_sub(self.last);
        let passed = Duration::from_micros(u64::try_from(passed).unwrap_or(0));
        whole.saturating_sub(passed)
    }

    /// One more, which is right or wrong.
    pub fn count(&mut self, now: DateTime<Utc>) {
        self.failures = self.failures.saturating_add(1);
        self.last = now.timestamp_micros();
        self.write(&format!("{} {}\n", self.failures, self.last));
    }

    /// It was right.
    pub fn forget(mut self) {
        self.write("");
    }

    /// Where it cannot be written, this process still waits.
    fn write(&mut self, text: &str) {
        let _ = self
            .file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .and_then(|()| self.file.write_all(text.as_bytes()));
    }
}

/// 0, 1, 2, 4, 8 and so on.
fn seconds_after(failures: u32) -> u64 {
    match failures.checked_sub(1) {
        None => 0,
        Some(doublings) => 1u64.checked_shl(doublings).unwrap_or(LONGEST).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_a_minute() {
        let all: Vec<_> = (0..9).map(seconds_after).collect();
        assert_eq!(all, [0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!((seconds_after(64), seconds_after(u32::MAX)), (60, 60));
    }

    #[test]
    fn time_that_passed_counts_and_time_that_went_back_does_not() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("attempts");
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        for _ in 0..4 {
            Attempts::open(&path).unwrap().count(at("2024-03-01T00:00:10Z"));
        }
        let attempts = Attempts::open(&path).unwrap();
        for (now, pause) in [("00:00:10", 8), ("00:00:15", 3), ("00:00:18", 0), ("00:00:00", 8)] {
            let now = at(&format!("2024-03-01T{now}Z"));
            assert_eq!(attempts.pause(now).as_secs(), pause, "{now}");
        }
        attempts.forget();
        assert_eq!(Attempts::open(&path).unwrap().failures, 0);
        // What nobody of us wrote.
        std::fs::write(&path, [0xff, 0, 0x31]).unwrap();
        assert_eq!(Attempts::open(&path).unwrap().failures, 0);
    }
}
