//! What the dashboard remembers from one start to the next: how somebody likes it, and when they
//! were here last. One small private file in the state folder; no amount of the store is in it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::private::{ReadFile, WriteError, write_atomic_private};

const SIZE_LIMIT: u64 = 64 * 1024;

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Taste {
    /// Amounts are hidden.
    pub private: bool,
    /// The theme, by its name.
    pub theme: Option<String>,
    /// Gains have the colour of losses, and losses that of gains.
    pub swapped: bool,
    /// The last day on which somebody looked.
    pub visit: Option<NaiveDate>,
    /// The day of the visit before that.
    pub visit_before: Option<NaiveDate>,
    /// How the tables of panes were left, by the name of the pane.
    pub tables: BTreeMap<String, TableTaste>,
    /// Filters of the transactions that somebody gave a name.
    pub views: BTreeMap<String, String>,
    /// Somebody left the questions of a first start.
    pub was_asked: bool,
}

/// How the table of a pane was left. Columns go by their titles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableTaste {
    /// What its rows are in order by; none: as they come.
    pub sort: Option<String>,
    /// The highest first.
    pub down: bool,
    /// What its rows are grouped, cut or summed by.
    pub group: Option<String>,
    /// Its columns in their order; none: as they always stood.
    pub columns: Vec<String>,
    /// Those that are not shown.
    pub hidden: Vec<String>,
}

impl Taste {
    /// What is remembered. Where that cannot be read, amounts are hidden: somebody may have
    /// hidden them.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let unknown = Self { private: true, ..Self::default() };
        match ReadFile::open(path, SIZE_LIMIT) {
            Ok(file) => toml::from_str(&file.text).unwrap_or(unknown),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::default(),
            Err(_) => unknown,
        }
    }

    /// Notes a visit; several on one day are one.
    pub fn visited(&mut self, day: NaiveDate) {
        if self.visit != Some(day) {
            self.visit_before = self.visit.replace(day);
        }
    }

    /// Remembers something else, and leaves what other sessions remembered meanwhile.
    ///
    /// # Errors
    /// When the file cannot be written; then it is as it was.
    pub fn change(path: &Path, change: impl FnOnce(&mut Self)) -> Result<(), WriteError> {
        let mut taste = Self::read(path);
        change(&mut taste);
        let text = toml::to_string(&taste).map_err(|error| WriteError::Io {
            path: path.to_owned(),
            source: io::Error::other(error),
        })?;
        write_atomic_private(path, text.as_bytes(), true)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_changed_is_read_again_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dashboard.toml");
        assert_eq!(Taste::read(&path), Taste::default());
        let [first, last] = [16, 17].map(|day| NaiveDate::from_ymd_opt(2026, 11, day).unwrap());
        for day in [first, last, last] {
            Taste::change(&path, |taste| taste.visited(day)).unwrap();
        }
        Taste::change(&path, |taste| taste.private = true).unwrap();
        Taste::change(&path, |taste| taste.theme = Some("light".to_owned())).unwrap();
        let (visit, visit_before) = (Some(last), Some(first));
        let theme = Some("light".to_owned());
        let table = TableTaste {
            sort: Some("Value".to_owned()),
            columns: vec!["Cost".to_owned(), "a \"quoted\" title".to_owned()],
            ..TableTaste::default()
        };
        let tables = BTreeMap::from([("holdings".to_owned(), table)]);
        let views = BTreeMap::from([("big one".to_owned(), "amt:>100 !\"two words\"".to_owned())]);
        Taste::change(&path, |taste| taste.tables = tables.clone()).unwrap();
        Taste::change(&path, |taste| taste.views = views.clone()).unwrap();
        let (swapped, was_asked) = (false, false);
        let expected =
            Taste { private: true, theme, swapped, visit, visit_before, tables, views, was_asked };
        assert_eq!(Taste::read(&path), expected);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_cannot_be_read_hides_amounts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dashboard.toml");
        for damaged in ["private = 7", "private = tr", &"x".repeat(70_000)] {
            fs::write(&path, damaged).unwrap();
            assert!(Taste::read(&path).private, "{damaged}");
        }
        assert!(Taste::read(folder.path()).private, "a folder");
        // What a later version remembers is no damage.
        fs::write(&path, "private = false\nsounds = 3\n").unwrap();
        assert_eq!(Taste::read(&path), Taste::default());
    }
}
