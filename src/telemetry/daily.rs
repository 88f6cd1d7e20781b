//! A writer to `dashtam.YYYY-MM-DD.log`: a new file each UTC day, old ones removed, each bounded.
//! It must not know what the lines say.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{Days, NaiveDate};

use super::Now;

const PREFIX: &str = "dashtam.";
const SUFFIX: &str = ".log";
const FULL: &[u8] = b"{\"level\":\"WARN\",\"message\":\"the log of this day is full; the rest of the day is not logged\"}\n";

/// Owns the file of the day. Each write is one whole line, so that several processes may append.
pub struct DailyFile {
    folder: PathBuf,
    keep_days: u16,
    max_bytes: u64,
    now: Now,
    open: fn(&Path) -> io::Result<File>,
    day: NaiveDate,
    file: File,
    written: u64,
    /// The last line is not whole.
    is_cut: bool,
}

impl DailyFile {
    pub fn open(
        folder: &Path,
        keep_days: u16,
        max_bytes: u64,
        now: Now,
        open: fn(&Path) -> io::Result<File>,
    ) -> io::Result<Self> {
        let day = now().date_naive();
        let file = open(&folder.join(name_of(day)))?;
        let daily = Self {
            written: file.metadata()?.len(),
            folder: folder.to_owned(),
            keep_days,
            max_bytes,
            now,
            open,
            day,
            file,
            is_cut: false,
        };
        daily.remove_old();
        Ok(daily)
    }

    fn start_day(&mut self, day: NaiveDate) -> io::Result<()> {
        self.file = (self.open)(&self.folder.join(name_of(day)))?;
        self.written = self.file.metadata()?.len();
        self.day = day;
        self.remove_old();
        Ok(())
    }

    /// A line that a full disk cut off must not begin the next one.
    fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        if self.is_cut {
            self.file.write_all(b"\n")?;
            self.is_cut = false;
        }
        let before = self.file.metadata().map(|data| data.len());
        self.file.write_all(line).inspect_err(|_| {
            let after = self.file.metadata().map(|data| data.len());
            self.is_cut = before.ok() != after.ok();
        })
    }

    /// A file that cannot be removed now is tried again tomorrow; it is no reason not to log.
    fn remove_old(&self) {
        let before_today = Days::new(u64::from(self.keep_days.saturating_sub(1)));
        let Some(first_kept) = self.day.checked_sub_days(before_today) else {
            return;
        };
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let day = entry.file_name().to_str().and_then(day_of);
            if day.is_some_and(|day| day < first_kept) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

impl Write for DailyFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let today = (self.now)().date_naive();
        if today != self.day {
            self.start_day(today)?;
        }
        if self.written < self.max_bytes {
            self.write_line(line)?;
            self.written += line.len() as u64;
            if self.written >= self.max_bytes {
                self.file.write_all(FULL)?;
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn name_of(day: NaiveDate) -> String {
    format!("{PREFIX}{}{SUFFIX}", day.format("%Y-%m-%d"))
}

/// The day of exactly such a name; any other file in the folder is somebody else's.
fn day_of(name: &str) -> Option<NaiveDate> {
    let day = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
    (name_of(day) == name).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};
    use std::fs::OpenOptions;
    use std::sync::{Arc, Mutex};

    fn append(path: &Path) -> io::Result<File> {
        OpenOptions::new().append(true).create(true).open(path)
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn each_day_has_its_file_and_old_ones_go() {
        let root = tempfile::tempdir().unwrap();
        for name in [
            "dashtam.2024-02-27.log",
            "dashtam.2024-02-28.log",
            "dashtam.old.log",
            "x.2000-01-01.log",
        ] {
            fs::write(root.path().join(name), "").unwrap();
        }
        let time = Arc::new(Mutex::new(at("2024-02-29T23:59:59Z")));
        let now: Now = Arc::new({
            let time = time.clone();
            move || *time.lock().unwrap()
        });
        let mut log = DailyFile::open(root.path(), 2, 1000, now, append).unwrap();
        log.write_all(b"one\n").unwrap();
        let kept = [
            "dashtam.2024-02-28.log",
            "dashtam.2024-02-29.log",
            "dashtam.old.log",
            "x.2000-01-01.log",
        ];
        assert_eq!(names(root.path()), kept);
        *time.lock().unwrap() = at("2024-03-01T00:00:00Z");
        log.write_all(b"two\n").unwrap();
        let kept = [
            "dashtam.2024-02-29.log",
            "dashtam.2024-03-01.log",
            "dashtam.old.log",
            "x.2000-01-01.log",
        ];
        assert_eq!(names(root.path()), kept);
        assert_eq!(fs::read(root.path().join(kept[0])).unwrap(), b"one\n");
        assert_eq!(fs::read(root.path().join(kept[1])).unwrap(), b"two\n");
    }

    #[test]
    fn a_day_is_bounded_over_restarts() {
        let root = tempfile::tempdir().unwrap();
        let now: Now = Arc::new(|| at("2024-03-01T00:00:00Z"));
        for _ in 0..3 {
            let mut log = DailyFile::open(root.path(), 2, 10, now.clone(), append).unwrap();
            for _ in 0..5 {
                log.write_all(b"123456\n").unwrap();
            }
        }
        let text = fs::read_to_string(root.path().join("dashtam.2024-03-01.log")).unwrap();
        assert_eq!(text.matches("123456").count(), 2);
        assert_eq!(text.matches("is full").count(), 1);
    }
}
