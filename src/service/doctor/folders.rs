//! Folders and files: whether they are there, whose they are, who else can use them, and what was
//! left behind in them.

use std::io;
use std::path::{Path, PathBuf};

use super::{Check, Harm, Verdict};
use crate::config::private::{
    PermissionProblem, check_folder_not_writable, check_not_writable, check_private, leftovers,
};
use crate::config::{Config, Database};
use crate::text::counted;
use crate::vault::{Error, Vault};

/// What no backup of the database holds.
pub const VAULT_KEY: &str = "vault key";

/// File systems of other machines, on which SQLite's locks cannot be relied on, by the number that
/// Linux gives them.
#[cfg(target_os = "linux")]
const OF_OTHERS: [(u32, &str); 9] = [
    (0x0000_6969, "NFS"),
    (0xff53_4d42, "SMB"),
    (0xfe53_4d42, "SMB"),
    (0x0000_517b, "SMB"),
    (0x0102_1997, "9P"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x7375_7245, "Coda"),
];

pub fn look(config: &Config, checks: &mut Vec<Check>) {
    let (data, state) = (&config.data_dir.value, &config.state_dir.value);
    for (name, path) in [
        ("data folder", data.clone()),
        ("state folder", state.clone()),
        ("log folder", config.log_dir()),
        ("audit folder", config.audit_dir()),
    ] {
        checks.push(folder(name, &path));
    }
    if config.vault_dir().exists() {
        checks.extend(vault(config.vault_dir()));
    }
    if config.file_exists {
        let path = &config.file.value;
        let checked = check_not_writable(path);
        checks.push(judged("config file", path, checked, "only you can change it"));
    }
    if let Database::Sqlite(path) = &config.database.value {
        checks.extend(database(path));
    }
    checks.extend(others(config));
    checks.extend(left_behind(&[
        data.clone(),
        state.clone(),
        config.log_dir(),
        config.audit_dir(),
        config.vault_dir(),
    ]));
}

fn folder(name: &str, path: &Path) -> Check {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let detail = format!("{} is not there yet; the first write makes it", path.display());
            Check::ok(name, &detail)
        }
        Ok(there) if there.is_symlink() && !path.exists() => {
            let detail = format!("{} is a link that leads nowhere", path.display());
            Check::fail(Harm::Setup, name, &detail, &format!("rm {}", path.display()))
        }
        _ if path.exists() && !path.is_dir() => {
            let detail = format!("{} is no folder", path.display());
            Check::fail(Harm::Setup, name, &detail, "move it away, or give another --data-dir")
        }
        _ => judged(name, path, check_private(path), "mode 700, yours alone"),
    }
}

/// The folder of the key to all secrets, and whether the key file is what was written. Whether one
/// must be there only the store knows.
fn vault(folder_of_it: PathBuf) -> Vec<Check> {
    let mut checks = vec![folder("vault folder", &folder_of_it)];
    let vault = Vault::at(folder_of_it);
    let failed = |harm, error: &Error, fix| {
        Check::told(Verdict::Fail(harm), VAULT_KEY, &error.to_string(), fix)
    };
    checks.push(match vault.read() {
        Ok(_) => {
            Check::ok(VAULT_KEY, &format!("{} (mode 600, yours alone)", vault.path().display()))
        }
        Err(Error::Missing { .. }) => return checks,
        Err(Error::Permission(problem)) => permission(VAULT_KEY, &problem),
        Err(error) if error.is_refused() => {
            failed(Harm::Setup, &error, "let it and its folder belong to you")
        }
        Err(error) => failed(
            Harm::Damage,
            &error,
            "restore it from a copy, else make a new vault and connect anew",
        ),
    });
    checks
}

/// Secrets without the key to them.
pub fn missing_key(config: &Config, secrets: usize) -> Option<Check> {
    let missing = Vault::at(config.vault_dir()).read();
    if secrets == 0 || !matches!(missing, Err(Error::Missing { .. })) {
        return None;
    }
    let secrets = counted(u64::try_from(secrets).unwrap_or(u64::MAX), "secret");
    let path = Vault::at(config.vault_dir()).path();
    let detail = format!("{} is not there, and the database holds {secrets}", path.display());
    let fix = "put it back from a copy, else `dashtam vault init` and connect anew";
    Some(Check::fail(Harm::Storage, VAULT_KEY, &detail, fix))
}

/// The file of the store, the folder around it, and the files beside it.
fn database(path: &Path) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(folder) = path.parent().filter(|folder| folder.exists()) {
        if let Err(problem) = check_folder_not_writable(folder) {
            checks.push(permission("database folder", &problem));
        }
        checks.push(file_system(folder));
    }
    for (index, file) in with_companions(path).into_iter().enumerate() {
        let checked = check_private(&file);
        // What goes well is said once, not for each of them.
        if checked.is_err() || index == 0 {
            checks.push(judged("database file", &file, checked, "mode 600, yours alone"));
        }
    }
    checks
}

/// A database and what lies beside it, as far as it is there.
fn with_companions(path: &Path) -> Vec<PathBuf> {
    let named = |suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let all = ["", "-wal", "-shm", "-journal", "-refresh"].into_iter().map(named);
    all.filter(|file| std::fs::symlink_metadata(file).is_ok()).collect()
}

/// What tells as much as the database does: the trail, the backups and the log. What goes well is
/// said once for all of them.
fn others(config: &Config) -> Vec<Check> {
    let mut trail = with_companions(&config.data_dir.value.join("audit.db"));
    trail.extend(config.trail_files());
    let backups = config.backup_dir();
    let folder = backups.is_dir().then(|| backups.clone());
    let backups = folder.into_iter().chain(files_in(&backups)).collect();
    let kinds: [(&str, Vec<PathBuf>); 3] = [
        ("trail file", trail),
        ("backup file", backups),
        ("log file", files_in(&config.log_dir())),
    ];
    let mut checks = Vec::new();
    for (name, files) in &kinds {
        let problems = files.iter().filter_map(|file| check_private(file).err());
        checks.extend(problems.map(|problem| permission(name, &problem)));
    }
    let count = kinds.iter().map(|(_, files)| files.len()).sum::<usize>();
    if checks.is_empty() && count > 0 {
        let detail = "trail, backups and log (mode 600, yours alone)";
        checks.push(Check::ok("private files", detail));
    }
    checks
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> =
        entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

fn judged(name: &str, path: &Path, checked: Result<(), PermissionProblem>, well: &str) -> Check {
    match checked {
        Err(problem) => permission(name, &problem),
        Ok(()) => match std::fs::read_link(path) {
            Ok(to) => {
                let detail = format!("{} ({well}), a link to {}", path.display(), to.display());
                Check::ok(name, &detail)
            }
            Err(_) => Check::ok(name, &format!("{} ({well})", path.display())),
        },
    }
}

fn permission(name: &str, problem: &PermissionProblem) -> Check {
    Check::told(Verdict::Fail(Harm::Setup), name, &problem.to_string(), "check the path")
}

#[cfg(target_os = "linux")]
fn file_system(folder: &Path) -> Check {
    const NAME: &str = "file system";
    let Ok(found) = rustix::fs::statfs(folder) else {
        let detail = format!("the one of {} does not tell its kind", folder.display());
        return Check::ok(NAME, &detail);
    };
    // The kernel gives 32 bits, which some machines widen with their sign.
    let kind = u32::try_from(found.f_type & 0xffff_ffff).unwrap_or_default();
    match OF_OTHERS.iter().find(|(number, _)| *number == kind) {
        None => Check::ok(NAME, "the database is on a disk of this machine"),
        Some((_, name)) => {
            let detail = format!("the database is on {name}, where SQLite's locks may not hold");
            let fix = "keep it on a disk of this machine (--database sqlite:PATH), or use Postgres";
            Check::warn(NAME, &detail, fix)
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn file_system(_folder: &Path) -> Check {
    Check::ok("file system", "this system does not tell its kind")
}

/// Temporary files of processes that ended while they wrote.
fn left_behind(folders: &[PathBuf]) -> Option<Check> {
    let found: Vec<_> = folders.iter().flat_map(|folder| leftovers(folder)).collect();
    let first = found.first()?;
    let detail = format!("{} left by a process that was stopped: {}", found.len(), first.display());
    Some(Check::warn("temporary files", &detail, "the next command that writes removes them"))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn root() -> tempfile::TempDir {
        let private = Permissions::from_mode(0o700);
        tempfile::Builder::new().permissions(private).tempdir().unwrap()
    }

    #[test]
    fn a_folder_is_judged_without_being_made() {
        let root = root();
        let verdict = |path: &Path| folder("x", path).verdict;
        assert_eq!(verdict(root.path()), Verdict::Ok);
        let missing = root.path().join("missing");
        assert_eq!(verdict(&missing), Verdict::Ok);
        assert!(!missing.exists());
        let (file, link) = (root.path().join("file"), root.path().join("link"));
        fs::write(&file, "").unwrap();
        symlink(&missing, &link).unwrap();
        let bad = Verdict::Fail(Harm::Setup);
        assert_eq!((verdict(&file), verdict(&link)), (bad, bad));
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
        let check = folder("x", root.path());
        assert_eq!(check.verdict, bad);
        assert!(check.fix.unwrap().as_str().starts_with("chmod 700 "));
    }

    #[test]
    fn the_files_of_a_database_are_all_looked_at() {
        let root = root();
        let path = root.path().join("a.db");
        assert!(database(&path).iter().all(|check| check.verdict == Verdict::Ok));
        for (name, mode) in [("a.db", 0o600), ("a.db-wal", 0o644)] {
            let file = root.path().join(name);
            fs::write(&file, "").unwrap();
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        }
        let bad: Vec<_> = database(&path)
            .into_iter()
            .filter(|check| check.verdict == Verdict::Fail(Harm::Setup))
            .collect();
        assert_eq!(bad.len(), 1, "{bad:?}");
        assert!(bad[0].detail.as_str().contains("a.db-wal"), "{bad:?}");
    }

    #[test]
    fn what_a_stopped_process_left_is_told_and_stays() {
        let root = root();
        assert_eq!(left_behind(&[root.path().to_owned()]), None);
        let leftover = root.path().join(".dashtam-a1b2c3.tmp");
        fs::write(&leftover, "half").unwrap();
        let check = left_behind(&[root.path().to_owned()]).unwrap();
        assert_eq!(check.verdict, Verdict::Warn);
        assert!(leftover.exists());
    }
}
