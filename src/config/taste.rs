//! What the dashboard remembers from one start to the next: how somebody likes it, and when they
//! were here last. One small private file in the state folder; no amount is in it.

use std::io;
use std::path::Path;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::private::{ReadFile, WriteError, write_atomic_private};

const SIZE_LIMIT: u64 = 4096;

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Taste {
    /// Amounts are hidden.
    pub private: bool,
    /// The theme, by its name.
    pub theme: Option<String>,
    /// The last day on which somebody looked.
    pub visit: Option<NaiveDate>,
    /// The day of the visit before that.
    pub visit_before: Option<NaiveDate>,
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
        let expected = Taste { private: true, theme, visit, visit_before };
        assert_eq!(Taste::read(&path), expected);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_cannot_be_read_hides_amounts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dashboard.toml");
        for damaged in ["private = 7", "private = tr", &"x".repeat(5000)] {
            fs::write(&path, damaged).unwrap();
            assert!(Taste::read(&path).private, "{damaged}");
        }
        assert!(Taste::read(folder.path()).private, "a folder");
        // What a later version remembers is no damage.
        fs::write(&path, "private = false\nsounds = 3\n").unwrap();
        assert_eq!(Taste::read(&path), Taste::default());
    }
}
