//! What a folder has that begins like this, for somebody who is typing the name of a file.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use super::Error;
use super::error::FileProblem;
use crate::model::is_safe;

/// The most names that are given.
const MOST: usize = 200;
/// The most that are looked at: a folder may have no end.
const MOST_READ: usize = 1_000_000;

/// What is asked of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderQuery {
    /// Which.
    pub folder: PathBuf,
    /// The beginning of the names. Hidden ones are given where it begins with a dot.
    pub prefix: String,
}

/// What fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fitting {
    /// The first names in their order, those of folders with a `/` behind them. None has a character
    /// that could not be shown, or one of those that were not wanted.
    pub names: Vec<String>,
    /// How many there are.
    pub count: usize,
    /// How all of them begin.
    pub shared: String,
    /// There may be more: the folder has too many names to look at.
    pub cut_off: bool,
}

impl FolderQuery {
    /// Reads the folder, without names that have one of these characters. This may take as long as
    /// the disk likes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, unwanted: &[char]) -> Result<Fitting, Error> {
        self.read_at_most(unwanted, MOST, MOST_READ)
    }

    fn read_at_most(
        &self,
        unwanted: &[char],
        most: usize,
        most_read: usize,
    ) -> Result<Fitting, Error> {
        let folder = match self.folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => &self.folder,
        };
        let fail = |error| Error::File { path: folder.to_owned(), why: FileProblem::Open(error) };
        let mut found = Fitting::default();
        let mut first = BTreeMap::new();
        for (entry, read) in fs::read_dir(folder).map_err(fail)?.zip(0..) {
            found.cut_off = read >= most_read;
            if found.cut_off {
                break;
            }
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().into_string();
            let Some(name) = name.ok().filter(|name| self.wants(name, unwanted)) else { continue };
            found.shared = match found.count {
                0 => name.clone(),
                _ => beginning_of_both(&found.shared, &name).to_owned(),
            };
            found.count += 1;
            first.insert(name, entry);
            if first.len() > most {
                first.pop_last();
            }
        }
        found.names = first.into_iter().map(|(name, entry)| told(name, &entry)).collect();
        Ok(found)
    }

    fn wants(&self, name: &str, unwanted: &[char]) -> bool {
        let hidden = name.starts_with('.') && !self.prefix.starts_with('.');
        name.starts_with(&self.prefix) && !hidden && is_safe(name) && !name.contains(unwanted)
    }
}

fn told(name: String, entry: &DirEntry) -> String {
    let is_folder = match entry.file_type() {
        Ok(kind) if kind.is_symlink() => fs::metadata(entry.path()).is_ok_and(|to| to.is_dir()),
        Ok(kind) => kind.is_dir(),
        Err(_) => false,
    };
    if is_folder { name + "/" } else { name }
}

fn beginning_of_both<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    one.get(..same.map(|(c, _)| c.len_utf8()).sum()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(folder: &Path, prefix: &str) -> Vec<String> {
        let query = FolderQuery { folder: folder.to_owned(), prefix: prefix.to_owned() };
        query.read(&['"']).unwrap().names
    }

    #[test]
    fn names_fit_in_their_order_and_folders_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["b.csv", "a c.csv", "a.csv", ".hidden", "étage", "a\"b"] {
            fs::write(at(name), "").unwrap();
        }
        for name in ["ab", ".git"] {
            fs::create_dir(at(name)).unwrap();
        }
        symlink(at("ab"), at("away")).unwrap();
        symlink(at("nowhere"), at("axe")).unwrap();
        // These cannot be shown, or are no text at all.
        for name in [&b"a\x1b[2J"[..], "a\u{202e}vsc.".as_bytes(), b"a\xff", b"a\nb"] {
            fs::write(folder.path().join(OsStr::from_bytes(name)), "").unwrap();
        }
        let folder = folder.path();
        assert_eq!(names(folder, "a"), ["a c.csv", "a.csv", "ab/", "away/", "axe"]);
        assert_eq!(
            names(folder, ""),
            ["a c.csv", "a.csv", "ab/", "away/", "axe", "b.csv", "étage"]
        );
        assert_eq!(names(folder, "."), [".git/", ".hidden"]);
        assert!(names(folder, "x").is_empty());
    }

    #[test]
    fn of_many_names_some_are_given_and_all_count() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..30 {
            fs::write(folder.path().join(format!("été-{number:02}")), "").unwrap();
        }
        let query = FolderQuery { folder: folder.path().to_owned(), prefix: String::new() };
        let found = query.read_at_most(&[], 3, 30).unwrap();
        assert_eq!(found.names, ["été-00", "été-01", "été-02"]);
        assert_eq!((found.count, found.shared.as_str(), found.cut_off), (30, "été-", false));
        let found = query.read_at_most(&[], 3, 29).unwrap();
        assert_eq!((found.count, found.cut_off), (29, true));
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let gone = FolderQuery { folder: folder.path().join("gone"), prefix: String::new() };
        assert!(gone.read(&[]).unwrap_err().to_string().contains("gone"));
    }
}
