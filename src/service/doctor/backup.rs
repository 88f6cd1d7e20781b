//! The newest backup: what is offered where something stored is damaged.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};

use super::{Check, Harm, Verdict};
use crate::config::{Config, Database};

const NAME: &str = "backup";
const EXTENSION: &str = "dashtam-backup";

pub fn offer(config: &Config, checks: &mut Vec<Check>) {
    let is_damaged = checks.iter().any(|check| check.verdict == Verdict::Fail(Harm::Damage));
    let folder = config.data_dir.value.join("backups");
    let check = match (newest(&folder), is_damaged) {
        (Some((path, at)), true) => {
            let into = match &config.database.value {
                Database::Sqlite(path) => format!("sqlite:{}", free_name(path).display()),
                Database::Postgres(_) => "postgres://... (an empty database)".to_owned(),
            };
            let fix = format!("dashtam restore {} --database {into}", path.display());
            Check::warn(NAME, &format!("the newest is of {at}; it can be restored"), &fix)
        }
        (None, true) => {
            let detail = format!("there is none in {}", folder.display());
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

/// The backup that was written last, and when.
fn newest(folder: &Path) -> Option<(PathBuf, String)> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let ours = entries
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == EXTENSION));
    let dated = ours.filter_map(|entry| {
        let data = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
        Some((data.modified().ok()?, entry.path()))
    });
    let (at, path): (SystemTime, PathBuf) = dated.max()?;
    let at = DateTime::<Utc>::from(at).to_rfc3339_opts(SecondsFormat::Secs, true);
    Some((path, at))
}

/// A name beside a database that nobody has taken: a restore never writes over anything.
fn free_name(database: &Path) -> PathBuf {
    let name = |number: u32| database.with_extension(format!("restored-{number}.db"));
    (1..=u32::MAX).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0))
}

#[cfg(test)]
mod tests {
    use super::*;
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
        for (name, age) in [("old.dashtam-backup", 9), ("new.dashtam-backup", 5), ("x.txt", 1)] {
            let file = std::fs::File::create(folder.join(name)).unwrap();
            let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000 - age);
            file.set_modified(at).unwrap();
        }
        std::fs::write(root.path().join("dashtam.restored-1.db"), "").unwrap();
        let (verdict, fix) = offered(true);
        assert_eq!(verdict, Verdict::Warn);
        let new = folder.join("new.dashtam-backup");
        let into = root.path().join("dashtam.restored-2.db");
        let told =
            format!("dashtam restore {} --database sqlite:{}", new.display(), into.display());
        assert_eq!(fix, told);
        assert_eq!(offered(false), (Verdict::Ok, String::new()));
    }
}
