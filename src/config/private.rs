//! The only place that creates folders and files for data, and that judges who may read them.
//! It knows about modes and owners; it must not know what is inside the files.
//!
//! Modes are set explicitly, so that any umask gives exactly 0700 for folders and 0600 for files.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

/// How the temporary neighbour of a file that is being written is called.
const TEMPORARY: (&str, &str) = (".dashtam-", ".tmp");

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// Any right of the group or of others.
const ANY_RIGHT_OF_OTHERS: u32 = 0o077;
const WRITE_RIGHT_OF_OTHERS: u32 = 0o022;
/// Any right of others, or to write of the group.
const ALL_BUT_READING_BY_GROUP: u32 = 0o027;

/// Who else can reach a file that should be the user's own, and the command that mends it.
#[derive(Debug, thiserror::Error)]
pub enum PermissionProblem {
    #[error("{path:?} belongs to user id {owner}, not to you; run: sudo chown $(id -u) {path:?}")]
    NotYours { path: PathBuf, owner: u32 },
    #[error(
        "{path:?} can be used by other users (mode {mode:03o}); run: chmod {private:03o} {path:?}"
    )]
    OpenToOthers { path: PathBuf, mode: u32, private: u32 },
    #[error("{path:?} can be changed by other users (mode {mode:03o}); run: chmod go-w {path:?}")]
    WritableByOthers { path: PathBuf, mode: u32 },
    #[error("cannot check who may read {path:?}: {source}; check the path")]
    Unreadable { path: PathBuf, source: io::Error },
}

/// Why a private file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("{0:?} already exists; choose another name or give --force")]
    Exists(PathBuf),
    #[error("{0:?} is a symbolic link, which is never written through; give the real path")]
    IsSymlink(PathBuf),
    #[error("{0:?} is not a regular file; give the path of a file")]
    NotAFile(PathBuf),
    #[error("{0:?} belongs to the store itself; give the path of another file")]
    OfTheStore(PathBuf),
    #[error("cannot write {path:?}: {source}; check the folder and the free space")]
    Io { path: PathBuf, source: io::Error },
}

/// Creates the folder and its missing parents, each with mode 0700.
/// A folder that is already there is left as it is: judging it is [`check_private`]'s work.
pub fn create_dir_private(path: &Path) -> io::Result<()> {
    match create_one_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = path.parent().filter(|parent| *parent != Path::new(""));
            create_dir_private(parent.ok_or(error)?)?;
            create_one_dir(path)
        }
        result => result,
    }
}

fn create_one_dir(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(FOLDER_MODE).create(path) {
        // A umask can only have taken bits away; give the owner's back.
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(FOLDER_MODE)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Creates a new file, mode 0600, for reading and writing; fails if the name is taken.
pub fn create_private(path: &Path) -> io::Result<File> {
    open_private(path, OpenOptions::new().read(true).write(true).create_new(true))
}

/// Opens a file for appending (a log, a trail), creating it if need be, mode 0600.
pub fn append_private(path: &Path) -> io::Result<File> {
    open_private(path, OpenOptions::new().append(true).create(true))
}

/// Opens with the given options, never through a symbolic link, and leaves the file at 0600
/// even if it was there before with a wider mode.
pub fn open_private(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let file = options
        .mode(FILE_MODE)
        .custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK))
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    if mode_of(&metadata) != FILE_MODE {
        file.set_permissions(Permissions::from_mode(FILE_MODE))?;
    }
    Ok(file)
}

/// The flags as the standard library wants them; all of them fit.
fn flags(flags: OFlags) -> i32 {
    flags.bits().cast_signed()
}

/// Writes the whole file or nothing, mode 0600.
pub fn write_atomic_private(path: &Path, bytes: &[u8], overwrite: bool) -> Result<(), WriteError> {
    let mut file = AtomicFile::create(path, overwrite)?;
    file.write_all(bytes).map_err(|source| WriteError::Io { path: path.to_owned(), source })?;
    file.commit()
}

/// A file that appears under its name only when it is complete.
///
/// It owns a temporary neighbour of the target, removed when this value is dropped uncommitted, or,
/// where the process ended before that, by the next one that writes into the folder.
#[derive(Debug)]
pub struct AtomicFile {
    target: PathBuf,
    overwrite: bool,
    temporary: NamedTempFile,
}

impl AtomicFile {
    /// Refuses early what [`AtomicFile::commit`] would refuse late.
    pub fn create(path: &Path, overwrite: bool) -> Result<Self, WriteError> {
        refuse_target(path, overwrite)?;
        remove_leftovers(folder_of(path));
        let temporary = temporary_in(folder_of(path)).map_err(io_error(path))?;
        Ok(Self { target: path.to_owned(), overwrite, temporary })
    }

    /// Makes the content durable, gives it its name, makes the name durable.
    pub fn commit(self) -> Result<(), WriteError> {
        let Self { target, overwrite, temporary } = self;
        temporary.as_file().sync_all().map_err(io_error(&target))?;
        // Without overwrite the name is taken in one step that fails if another took it first.
        let renamed = if overwrite {
            refuse_target(&target, overwrite)?;
            temporary.persist(&target)
        } else {
            temporary.persist_noclobber(&target)
        };
        renamed.map_err(|failed| match failed.error.kind() {
            io::ErrorKind::AlreadyExists if !overwrite => WriteError::Exists(target.clone()),
            _ => io_error(&target)(failed.error),
        })?;
        File::open(folder_of(&target))
            .and_then(|folder| folder.sync_all())
            .map_err(io_error(&target))
    }
}

/// A new temporary file, locked for as long as it is open: so others see that somebody writes it.
fn temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    let (prefix, suffix) = TEMPORARY;
    let private = || Permissions::from_mode(FILE_MODE);
    loop {
        let file = tempfile::Builder::new()
            .prefix(prefix)
            .suffix(suffix)
            .permissions(private())
            .tempfile_in(folder)?;
        file.as_file().set_permissions(private())?;
        // Somebody may have taken it for a leftover before it was locked. Where there are no locks
        // nobody takes anything away either.
        let locked = flock(file.as_file(), FlockOperation::NonBlockingLockExclusive);
        let is_taken = locked == Err(Errno::WOULDBLOCK) || file.as_file().metadata()?.nlink() == 0;
        if !is_taken {
            return Ok(file);
        }
    }
}

/// Takes away the temporary files of processes that ended while they wrote. What cannot be looked
/// at or taken away stays: the folder may be anybody's.
pub fn remove_leftovers(folder: &Path) {
    for (path, _lock) in abandoned(folder) {
        let _ = fs::remove_file(path);
    }
}

/// The temporary files of processes that ended while they wrote.
pub fn leftovers(folder: &Path) -> Vec<PathBuf> {
    abandoned(folder).into_iter().map(|(path, _lock)| path).collect()
}

/// The same, each locked, so that nobody begins to write it meanwhile.
fn abandoned(folder: &Path) -> Vec<(PathBuf, File)> {
    let (prefix, suffix) = TEMPORARY;
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().filter_map(|entry| {
        let name = entry.file_name();
        let ours = |name: &str| name.starts_with(prefix) && name.ends_with(suffix);
        if !name.to_str().is_some_and(ours) {
            return None;
        }
        let options = flags(OFlags::NOFOLLOW | OFlags::NONBLOCK);
        let file = OpenOptions::new().read(true).custom_flags(options).open(entry.path()).ok()?;
        let mine = file.metadata().is_ok_and(|metadata| {
            metadata.is_file() && metadata.uid() == rustix::process::geteuid().as_raw()
        });
        let is_free = mine && flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
        is_free.then(|| (entry.path(), file))
    });
    paths.collect()
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temporary.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.flush()
    }
}

fn refuse_target(path: &Path, overwrite: bool) -> Result<(), WriteError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(io_error(path)(source)),
        Ok(there) if there.is_symlink() => Err(WriteError::IsSymlink(path.to_owned())),
        Ok(there) if !there.is_file() => Err(WriteError::NotAFile(path.to_owned())),
        Ok(_) if !overwrite => Err(WriteError::Exists(path.to_owned())),
        Ok(_) => Ok(()),
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> WriteError + '_ {
    |source| WriteError::Io { path: path.to_owned(), source }
}

/// Refuses a data folder or a secret file that is not the user's own or that others can use.
pub fn check_private(path: &Path) -> Result<(), PermissionProblem> {
    check(path, &metadata(path)?, ANY_RIGHT_OF_OTHERS)
}

/// Refuses a file that is not the user's own or that others can change; reading is allowed.
pub fn check_not_writable(path: &Path) -> Result<(), PermissionProblem> {
    check(path, &metadata(path)?, WRITE_RIGHT_OF_OTHERS)
}

/// Refuses a folder in which others can make or rename files: one that is neither the user's own
/// nor the system's, or that has the right for others.
pub fn check_folder_not_writable(path: &Path) -> Result<(), PermissionProblem> {
    let metadata = metadata(path)?;
    let (mode, owner) = (mode_of(&metadata), metadata.uid());
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Err(PermissionProblem::NotYours { path: path.to_owned(), owner });
    }
    match mode & WRITE_RIGHT_OF_OTHERS {
        0 => Ok(()),
        _ => Err(PermissionProblem::WritableByOthers { path: path.to_owned(), mode }),
    }
}

fn metadata(path: &Path) -> Result<Metadata, PermissionProblem> {
    fs::metadata(path)
        .map_err(|source| PermissionProblem::Unreadable { path: path.to_owned(), source })
}

fn check(path: &Path, metadata: &Metadata, forbidden: u32) -> Result<(), PermissionProblem> {
    let owner = metadata.uid();
    if owner != rustix::process::geteuid().as_raw() {
        return Err(PermissionProblem::NotYours { path: path.to_owned(), owner });
    }
    check_mode(path, metadata, forbidden)
}

fn check_mode(path: &Path, metadata: &Metadata, forbidden: u32) -> Result<(), PermissionProblem> {
    let (path, mode) = (path.to_owned(), mode_of(metadata));
    if mode & forbidden == 0 {
        return Ok(());
    }
    if forbidden == WRITE_RIGHT_OF_OTHERS {
        return Err(PermissionProblem::WritableByOthers { path, mode });
    }
    Err(PermissionProblem::OpenToOthers {
        path,
        mode,
        private: if metadata.is_dir() { FOLDER_MODE } else { FILE_MODE },
    })
}

fn mode_of(metadata: &Metadata) -> u32 {
    metadata.mode() & 0o777
}

/// A small text file as it was read, with the rights it had at that moment.
pub struct ReadFile {
    pub text: String,
    path: PathBuf,
    metadata: Metadata,
}

impl ReadFile {
    /// Reads a regular file of at most `limit` bytes. The rights are those of the opened file,
    /// so nobody can swap it between the check and the reading.
    pub fn open(path: &Path, limit: u64) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            // A pipe would wait for its writer for ever.
            .custom_flags(flags(OFlags::NONBLOCK))
            .open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        if !metadata.is_file() {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        if metadata.len() > limit {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        // Large enough never to grow, which would leave a copy behind: it may be a key.
        let length = usize::try_from(metadata.len()).unwrap_or(0);
        let mut bytes = Zeroizing::new(Vec::with_capacity(length.saturating_add(32)));
        file.take(limit).read_to_end(&mut bytes)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| io::ErrorKind::InvalidData)?.to_owned();
        Ok(Self { text, path: path.to_owned(), metadata })
    }

    /// As [`check_private`].
    pub fn check_private(&self) -> Result<(), PermissionProblem> {
        check(&self.path, &self.metadata, ANY_RIGHT_OF_OTHERS)
    }

    /// Refuses what systemd does not make of a credential: it belongs to the service or to root, who
    /// lets the service read it, which looks like a right of its group.
    pub fn check_credential(&self) -> Result<(), PermissionProblem> {
        match self.metadata.uid() {
            0 => check_mode(&self.path, &self.metadata, ALL_BUT_READING_BY_GROUP),
            _ => self.check_private(),
        }
    }

    /// As [`check_not_writable`].
    pub fn check_not_writable(&self) -> Result<(), PermissionProblem> {
        check(&self.path, &self.metadata, WRITE_RIGHT_OF_OTHERS)
    }
}

/// No core file, and on Linux no reading of this process's memory by the user's other programs:
/// both would hold secrets. Call it before any secret is read.
pub fn forbid_core_dumps() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none)?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn mode(path: &Path) -> u32 {
        mode_of(&fs::symlink_metadata(path).unwrap())
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn every_missing_parent_is_private_and_existing_ones_are_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let there = root.path().join("there");
        fs::create_dir(&there).unwrap();
        chmod(&there, 0o755);
        create_dir_private(&there.join("a/b")).unwrap();
        create_dir_private(&there.join("a/b")).unwrap();
        assert_eq!(mode(&there), 0o755);
        assert_eq!(mode(&there.join("a")), 0o700);
        assert_eq!(mode(&there.join("a/b")), 0o700);
        fs::write(there.join("file"), "").unwrap();
        assert!(create_dir_private(&there.join("file")).is_err());
    }

    #[test]
    fn opening_narrows_the_mode_and_never_follows_a_link() {
        let root = tempfile::tempdir().unwrap();
        let (file, link) = (root.path().join("file"), root.path().join("link"));
        create_private(&file).unwrap();
        assert_eq!(mode(&file), 0o600);
        assert!(create_private(&file).is_err());
        chmod(&file, 0o644);
        append_private(&file).unwrap().write_all(b"one").unwrap();
        append_private(&file).unwrap().write_all(b"two").unwrap();
        assert_eq!(mode(&file), 0o600);
        assert_eq!(fs::read(&file).unwrap(), b"onetwo");
        symlink(&file, &link).unwrap();
        assert!(append_private(&link).is_err());
        assert!(create_private(&link).is_err());
    }

    #[test]
    fn an_atomic_file_appears_whole_or_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out.csv");
        let mut file = AtomicFile::create(&target, false).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!target.exists());
        let temporary = root.path().join(&names(root.path())[0]);
        assert_eq!(mode(&temporary), 0o600);
        drop(file);
        assert_eq!(names(root.path()), Vec::<String>::new());

        write_atomic_private(&target, b"whole", false).unwrap();
        assert_eq!(mode(&target), 0o600);
        assert_eq!(names(root.path()), ["out.csv"]);
        assert_eq!(fs::read(&target).unwrap(), b"whole");
    }

    #[test]
    fn what_a_killed_writer_left_goes_with_the_next_and_what_is_written_stays() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out.csv");
        let leftover = root.path().join(".dashtam-a1b2c3.tmp");
        let link = root.path().join(".dashtam-d4e5f6.tmp");
        let theirs = root.path().join("notes.tmp");
        fs::write(&leftover, "half").unwrap();
        fs::write(&theirs, "mine").unwrap();
        symlink(&theirs, &link).unwrap();
        let mut first = AtomicFile::create(&target, false).unwrap();
        first.write_all(b"whole").unwrap();
        assert!(!leftover.exists());
        // Another one at the same time takes nothing away that is being written.
        write_atomic_private(&root.path().join("other"), b"x", false).unwrap();
        first.commit().unwrap();
        let left = [".dashtam-d4e5f6.tmp", "notes.tmp", "other", "out.csv"];
        assert_eq!(names(root.path()), left);
    }

    #[test]
    fn without_overwrite_nothing_is_clobbered_even_in_a_race() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        let mut late = AtomicFile::create(&target, false).unwrap();
        late.write_all(b"late").unwrap();
        // Another takes the name meanwhile.
        fs::write(&target, "first").unwrap();
        assert!(matches!(late.commit(), Err(WriteError::Exists(_))));
        assert_eq!(fs::read(&target).unwrap(), b"first");
        assert!(matches!(write_atomic_private(&target, b"x", false), Err(WriteError::Exists(_))));
        chmod(&target, 0o644);
        write_atomic_private(&target, b"second", true).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"second");
        assert_eq!(mode(&target), 0o600);
        assert_eq!(names(root.path()), ["out"]);
    }

    #[test]
    fn links_and_folders_are_no_targets() {
        let root = tempfile::tempdir().unwrap();
        let (real, link) = (root.path().join("real"), root.path().join("link"));
        symlink(&real, &link).unwrap();
        for overwrite in [false, true] {
            assert!(matches!(
                write_atomic_private(&link, b"x", overwrite),
                Err(WriteError::IsSymlink(_))
            ));
            assert!(matches!(
                write_atomic_private(root.path(), b"x", overwrite),
                Err(WriteError::NotAFile(_))
            ));
        }
        assert!(!real.exists());
        let nowhere = write_atomic_private(&root.path().join("no/such"), b"x", false);
        assert!(matches!(nowhere, Err(WriteError::Io { .. })));
    }

    #[test]
    fn the_check_names_the_command_that_mends() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("secret");
        fs::write(&file, "").unwrap();
        for (bad, config_too) in [(0o640, false), (0o604, false), (0o620, true), (0o602, true)] {
            chmod(&file, bad);
            let problem = check_private(&file).unwrap_err().to_string();
            assert!(problem.ends_with(&format!("chmod 600 {file:?}")), "{problem}");
            assert_eq!(check_not_writable(&file).is_err(), config_too, "{bad:o}");
        }
        let problem = check_not_writable(&file).unwrap_err().to_string();
        assert!(problem.ends_with(&format!("chmod go-w {file:?}")), "{problem}");
        chmod(&file, 0o600);
        check_private(&file).unwrap();
        chmod(root.path(), 0o750);
        let problem = check_private(root.path()).unwrap_err().to_string();
        assert!(problem.contains("chmod 700"), "{problem}");
        assert!(check_private(&root.path().join("absent")).is_err());
    }

    #[test]
    fn a_folder_may_be_read_by_others_and_not_changed() {
        let root = tempfile::tempdir().unwrap();
        for (mode, right) in [(0o700, true), (0o755, true), (0o775, false), (0o1777, false)] {
            chmod(root.path(), mode);
            let checked = check_folder_not_writable(root.path());
            assert_eq!(checked.is_ok(), right, "{mode:o}");
            if let Err(problem) = checked {
                assert!(problem.to_string().contains("chmod go-w"), "{problem}");
            }
        }
        check_folder_not_writable(Path::new("/usr")).unwrap();
    }

    #[test]
    fn only_small_regular_files_are_read() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "12345").unwrap();
        assert_eq!(ReadFile::open(&file, 5).unwrap().text, "12345");
        assert!(ReadFile::open(&file, 4).is_err());
        assert!(ReadFile::open(root.path(), 100).is_err());
        assert!(ReadFile::open(Path::new("/dev/zero"), 100).is_err());
    }

    #[test]
    fn core_files_are_off() {
        forbid_core_dumps().unwrap();
        let limit = rustix::process::getrlimit(rustix::process::Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
    }
}
