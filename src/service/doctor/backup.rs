//! The newest backup: what is offered where something stored is damaged.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};

use super::folders::VAULT_KEY;
use super::{Check, Harm, Verdict};
use crate::config::{Config, Database};
use crate::service::restore::Backup;

const NAME: &str = "backup";
const EXTENSION: &str = "dashtam-backup";

pub fn offer(config: &Config, checks: &mut Vec<Check>) {
    let is_in_it = |check: &&Check| check.name.as_str() != VAULT_KEY;
    let mut checked = checks.iter().filter(is_in_it);
    let is_damaged = checked.any(|check| check.verdict == Verdict::Fail(Harm::Damage));
    let folder = config.data_dir.value.join("backups");
    let mut backups = newest_first(&folder);
    // Only what is whole helps; to find out it is read to its end.
    if is_damaged {
        backups.retain(|(_, path)| Backup::open(path).is_ok());
    }
    let newest = backups.into_iter().next().map(|(at, path)| (path, told(at)));
    let check = match (newest, is_damaged) {
        (Some((path, at)), true) => {
            let fix = command(config, &path);
            Check::warn(NAME, &format!("the newest whole one is of {at}; it can be restored"), &fix)
        }
        (None, true) => {
            let detail = format!("no whole one is in {}", folder.display());
            Check::warn(NAME, &detail, "dashtam restore FILE, with one that is kept elsewhere")
        }
        (Some((path, at)), false) => {
            Check::ok(NAME, &format!("the newest is of {at}: {}", path.display()))
        }
        (None, false) => {
            Check::ok(NAME, &format!("none in {}; others are not known", folder.display()))
        }
    };
    checks.push(check);
}

/// Into a folder of its own: the trail here tells of the store that is damaged.
fn command(config: &Config, backup: &Path) -> String {
    let folder = quoted(&free_name(&config.data_dir.value));
    let database = match &config.database.value {
        Database::Sqlite(_) => "",
        Database::Postgres(_) => " --database postgres://... (an empty one)",
    };
    format!("dashtam --data-dir {folder} restore {}{database}", quoted(backup))
}

/// As a shell takes it for one word.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    match path.chars().all(is_plain) {
        true => path,
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}

/// The backups in a folder, the one that was written last first.
fn newest_first(folder: &Path) -> Vec<(SystemTime, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let ours = entries
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == EXTENSION));
    let mut dated: Vec<_> = ours
        .filter_map(|entry| {
            let data = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            Some((data.modified().ok()?, entry.path()))
        })
        .collect();
    dated.sort_by(|a, b| b.cmp(a));
    dated
}

fn told(at: SystemTime) -> String {
    DateTime::<Utc>::from(at).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A folder beside this one that is not there yet.
fn free_name(folder: &Path) -> PathBuf {
    let name = |number: u32| {
        let mut name = folder.as_os_str().to_owned();
        name.push(format!("-restored-{number}"));
        PathBuf::from(name)
    };
    (1..=u32::MAX).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Header, Writer};
    use crate::config::{Environment, Overrides};

    #[test]
    fn the_newest_backup_is_offered_where_there_is_damage() {
        let root = tempfile::tempdir().unwrap();
        let data_dir = Some(root.path().to_owned());
        let flags = Overrides { data_dir, ..Overrides::default() };
        let config = Config::load(&flags, &Environment::default()).unwrap();
        let offered = |damaged: bool| {
            let mut checks = Vec::new();
            if damaged {
                checks.push(Check::fail(Harm::Damage, "rows", "x", "y"));
            }
            offer(&config, &mut checks);
            let check = checks.pop().unwrap();
            (check.verdict, check.fix.map(|fix| fix.to_string()).unwrap_or_default())
        };
        assert_eq!(offered(false), (Verdict::Ok, String::new()));
        assert!(offered(true).1.starts_with("dashtam restore FILE"));
        let folder = root.path().join("backups");
        std::fs::create_dir(&folder).unwrap();
        let write = |name: &str, age: u64, is_whole: bool| {
            let path = folder.join(name);
            let mut file = std::fs::File::create(&path).unwrap();
            if is_whole {
                let header = Header {
                    schema: 1,
                    program: String::new(),
                    engine: String::new(),
                    made: 0,
                    revision: 0,
                    next_id: 1,
                    last_op: None,
                };
                Writer::begin(&mut file, &header).unwrap().finish().unwrap();
            }
            let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000 - age);
            file.set_modified(at).unwrap();
            path
        };
        write("old.dashtam-backup", 9, true);
        let new = write("it's new.dashtam-backup", 5, true);
        write("cut.dashtam-backup", 2, false);
        write("x.txt", 1, true);
        let beside = |number: u32| format!("{}-restored-{number}", root.path().display());
        std::fs::create_dir(beside(1)).unwrap();
        let (verdict, fix) = offered(true);
        std::fs::remove_dir(beside(1)).unwrap();
        assert_eq!(verdict, Verdict::Warn);
        let new = new.display().to_string().replace('\'', "'\\''");
        assert_eq!(fix, format!("dashtam --data-dir {} restore '{new}'", beside(2)));
        assert_eq!(offered(false), (Verdict::Ok, String::new()));
        // It holds no key.
        let mut checks = vec![Check::fail(Harm::Damage, VAULT_KEY, "x", "y")];
        offer(&config, &mut checks);
        assert_eq!(checks.pop().unwrap().verdict, Verdict::Ok);
    }
}
