//! Room on the disks, and how much of it the log takes.

use std::path::Path;

use super::{Check, Harm, size};
use crate::config::{Config, Database};
use crate::text::counted;

/// With less than this nothing can be relied on, with less than the other it is time to make room.
const NOTHING: u64 = 16 << 20;
const LITTLE: u64 = 256 << 20;
/// A log of this size is worth a word.
const LARGE_LOG: u64 = 256 << 20;

pub fn look(config: &Config, checks: &mut Vec<Check>) {
    let database = match &config.database.value {
        Database::Sqlite(path) => std::fs::metadata(path).map_or(0, |file| file.len()),
        Database::Postgres(_) => 0,
    };
    // A backup before a migration takes about as much again.
    let data = LITTLE.max(database);
    for (name, path, wanted) in [
        ("space for data", config.data_dir.value.clone(), data),
        ("space for logs", config.log_dir(), LITTLE),
        ("space for temporary files", std::env::temp_dir(), data),
    ] {
        checks.extend(free(&path).map(|free| judge(name, free, wanted)));
    }
    checks.extend(log(&config.log_dir(), config.log_keep_days.value));
}

/// How many bytes are left for us where this path is or will be.
fn free(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|folder| folder.exists())?;
    let disk = rustix::fs::statvfs(there).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn judge(name: &str, free: u64, wanted: u64) -> Check {
    let detail = format!("{} free", size(free));
    match free {
        free if free < NOTHING => {
            Check::fail(Harm::Storage, name, &detail, "make room on that disk")
        }
        free if free < wanted => Check::warn(name, &detail, "make room on that disk"),
        _ => Check::ok(name, &detail),
    }
}

fn log(folder: &Path, keep_days: u16) -> Option<Check> {
    let files = std::fs::read_dir(folder).ok()?.flatten();
    let sizes = files.filter_map(|entry| entry.metadata().ok()).filter(std::fs::Metadata::is_file);
    let (count, bytes) =
        sizes.fold((0, 0_u64), |(count, bytes), file| (count + 1, bytes + file.len()));
    let (files, days) = (counted(count, "file"), counted(u64::from(keep_days), "day"));
    let detail = format!("{files}, {}, kept for {days}", size(bytes));
    Some(match bytes {
        bytes if bytes > LARGE_LOG => {
            Check::warn("log", &detail, "set log.keep_days or log.level lower in the config file")
        }
        _ => Check::ok("log", &detail),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::doctor::Verdict;

    #[test]
    fn room_is_judged_by_what_is_needed() {
        let verdict = |free| judge("x", free, LITTLE).verdict;
        assert_eq!(verdict(NOTHING - 1), Verdict::Fail(Harm::Storage));
        assert_eq!((verdict(NOTHING), verdict(LITTLE - 1)), (Verdict::Warn, Verdict::Warn));
        assert_eq!(verdict(LITTLE), Verdict::Ok);
    }

    #[test]
    fn a_large_log_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(log(&folder.path().join("none"), 14), None);
        let file = std::fs::File::create(folder.path().join("dashtam.2026-11-21.log")).unwrap();
        assert_eq!(log(folder.path(), 14).unwrap().verdict, Verdict::Ok);
        // A hole takes no room.
        file.set_len(LARGE_LOG + 1).unwrap();
        let check = log(folder.path(), 14).unwrap();
        assert_eq!(check.verdict, Verdict::Warn);
        assert!(check.detail.as_str().starts_with("1 file, 256 MiB"), "{check:?}");
    }

    #[test]
    fn a_folder_that_is_not_there_yet_has_the_room_of_its_place() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free(&folder.path().join("a/b")).is_some());
    }
}
