//! Reads `config.toml`: which keys there are, of which type, on which line.
//! It must not know what the values mean; that is the business of [`super::Config::load`].

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::private::{PermissionProblem, ReadFile};
use super::{ConfigError, Origin, Setting, Warning};

/// Every key there is; `*` is any name. The annotated sample shows each of them.
pub const KEYS: &[&str] = &[
    "profile",
    "data_dir",
    "database",
    "log.level",
    "log.keep_days",
    "postgres.insecure",
    "postgres.password_file",
    "refresh.quotes_seconds",
    "refresh.accounts_minutes",
    "simplefin.base_url",
    "schwab.app_file",
    "schwab.callback",
    "schwab.base_url",
    "schwab.requests_per_minute",
    "alpaca.base_url",
    "frankfurter.base_url",
    "frankfurter.requests_per_minute",
    "market.sources",
    "dashboard.cover_minutes",
    "dashboard.lock_minutes",
    "keys.*",
];

/// The table with the keys of the keyboard. Its entries are named after actions, which this room
/// does not know, and a wrong one is no reason not to start.
const KEYBOARD: &str = "keys.";

const SIZE_LIMIT: u64 = 1024 * 1024;

/// A value with the line it starts on.
struct Found {
    line: usize,
    value: Value,
}

enum Value {
    Text(String),
    Integer(String),
    Boolean(bool),
    Texts(Vec<String>),
    /// Any other type, by its name: no key takes one.
    Other(&'static str),
}

impl Value {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Integer(_) => "integer",
            Self::Boolean(_) => "boolean",
            Self::Texts(_) => "array",
            Self::Other(name) => name,
        }
    }
}

/// What stands in a file.
#[derive(Default)]
struct Contents {
    values: BTreeMap<&'static str, Found>,
    keyboard: BTreeMap<String, Found>,
}

/// The values of one file; without a file, none.
pub struct ConfigFile {
    path: PathBuf,
    found: Contents,
    /// The opened file, to ask who may read it when it turns out to hold a secret.
    opened: Option<ReadFile>,
}

impl ConfigFile {
    /// Reads the file. A missing one is an error only if somebody asked for it by name.
    pub fn read(path: &Path, must_exist: bool) -> Result<Self, ConfigError> {
        let opened = match ReadFile::open(path, SIZE_LIMIT) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => {
                return Ok(Self::none(path));
            }
            Err(source) => {
                return Err(ConfigError::Unreadable {
                    what: "config file",
                    path: path.to_owned(),
                    source,
                });
            }
        };
        opened.check_not_writable()?;
        let found = parse(path, &opened.text)?;
        Ok(Self { path: path.to_owned(), found, opened: Some(opened) })
    }

    /// A file that is not there.
    pub fn none(path: &Path) -> Self {
        Self { path: path.to_owned(), found: Contents::default(), opened: None }
    }

    pub fn exists(&self) -> bool {
        self.opened.is_some()
    }

    /// The folder that relative paths in the file start at.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    /// To be called when the file turned out to hold a secret.
    pub fn check_private(&self) -> Result<(), PermissionProblem> {
        self.opened.as_ref().map_or(Ok(()), ReadFile::check_private)
    }

    pub fn text(&self, key: &'static str) -> Result<Option<Setting<String>>, ConfigError> {
        self.get(key, "a string in quotes", |value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
    }

    pub fn flag(&self, key: &'static str) -> Result<Option<Setting<bool>>, ConfigError> {
        self.get(key, "true or false", |value| match value {
            Value::Boolean(flag) => Some(*flag),
            _ => None,
        })
    }

    pub fn whole_number(&self, key: &'static str) -> Result<Option<Setting<u16>>, ConfigError> {
        self.get(key, "a whole number from 0 to 65535", |value| match value {
            Value::Integer(digits) => digits.parse().ok(),
            _ => None,
        })
    }

    pub fn texts(&self, key: &'static str) -> Result<Option<Setting<Vec<String>>>, ConfigError> {
        self.get(key, "strings in square brackets", |value| match value {
            Value::Texts(texts) => Some(texts.clone()),
            _ => None,
        })
    }

    /// The chords chosen for each action, and what in the table is no chords.
    pub fn keyboard(&self) -> (BTreeMap<String, Setting<Vec<String>>>, Vec<Warning>) {
        let (mut chosen, mut warnings) = (BTreeMap::new(), Vec::new());
        for (action, Found { line, value }) in &self.found.keyboard {
            let from = Origin::File { path: self.path.clone(), line: Some(*line) };
            let chords = match value {
                Value::Text(chord) => vec![chord.clone()],
                Value::Texts(chords) => chords.clone(),
                other => {
                    let (action, found) = (action.clone(), other.type_name());
                    warnings.push(Warning::NoChords { from, action, found });
                    continue;
                }
            };
            chosen.insert(action.clone(), Setting::new(chords, from));
        }
        (chosen, warnings)
    }

    fn get<T>(
        &self,
        key: &'static str,
        expected: &'static str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<Setting<T>>, ConfigError> {
        let Some(found) = self.found.values.get(key) else {
            return Ok(None);
        };
        match read(&found.value) {
            Some(value) => Ok(Some(Setting {
                value,
                from: Origin::File { path: self.path.clone(), line: Some(found.line) },
            })),
            None => Err(wrong_type(&self.path, found, key, expected)),
        }
    }
}

fn wrong_type(
    path: &Path,
    found: &Found,
    key: &'static str,
    expected: &'static str,
) -> ConfigError {
    ConfigError::WrongType {
        path: path.to_owned(),
        line: found.line,
        key,
        expected,
        found: found.value.type_name(),
    }
}

fn parse(path: &Path, text: &str) -> Result<Contents, ConfigError> {
    let table = DeTable::parse(text).map_err(|error| {
        let (line, column) = position(text, error.span().map_or(0, |span| span.start));
        ConfigError::Syntax {
            path: path.to_owned(),
            line,
            column,
            message: error.message().replace('\n', " "),
        }
    })?;
    let mut found = Contents::default();
    collect(path, text, "", table.get_ref(), &mut found)?;
    Ok(found)
}

/// Walks the tables; every key met must be a known one or a table that holds known ones.
fn collect(
    path: &Path,
    text: &str,
    prefix: &str,
    table: &DeTable<'_>,
    found: &mut Contents,
) -> Result<(), ConfigError> {
    for (name, value) in table {
        let key = format!("{prefix}{}", name.get_ref());
        let (line, _) = position(text, name.span().start);
        let value = read_value(value);
        if prefix == KEYBOARD {
            let value = value.unwrap_or(Value::Other("table"));
            found.keyboard.insert(name.get_ref().to_string(), Found { line, value });
            continue;
        }
        if let Some(known) = KEYS.iter().copied().find(|known| **known == key) {
            let value = value.unwrap_or(Value::Other("table"));
            found.values.insert(known, Found { line, value });
            continue;
        }
        let inside = format!("{key}.");
        let child = KEYS.iter().copied().find(|known| known.starts_with(&inside));
        match (child, value) {
            (Some(_), Err(table)) => collect(path, text, &inside, table, found)?,
            (Some(child), Ok(value)) => {
                let found = Found { line, value };
                let table = child.split('.').next().unwrap_or(child);
                return Err(wrong_type(path, &found, table, "a table"));
            }
            (None, _) => {
                return Err(ConfigError::UnknownKey {
                    path: path.to_owned(),
                    line,
                    nearest: super::nearest(&key, KEYS),
                    key: super::error::in_short(&key),
                });
            }
        }
    }
    Ok(())
}

/// The value of a plain type, or the table it is.
fn read_value<'a, 'i>(value: &'a Spanned<DeValue<'i>>) -> Result<Value, &'a DeTable<'i>> {
    Ok(match value.get_ref() {
        DeValue::Table(table) => return Err(table),
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Integer(digits) if digits.radix() == 10 => {
            Value::Integer(digits.as_str().to_owned())
        }
        DeValue::Array(items) => {
            let text = |item: &Spanned<DeValue<'_>>| item.get_ref().as_str().map(str::to_owned);
            items
                .iter()
                .map(text)
                .collect::<Option<_>>()
                .map_or(Value::Other("array"), Value::Texts)
        }
        other => Value::Other(other.type_str()),
    })
}

/// Line and column, both from 1, of a byte of the text.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn read(text: &str) -> Result<ConfigFile, ConfigError> {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("config.toml");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        ConfigFile::read(&path, true)
    }

    fn refused(text: &str) -> String {
        let message = read(text).err().map(|error| error.to_string()).unwrap();
        assert!(!message.contains('\n'), "{message}");
        message
    }

    #[test]
    fn values_know_their_line() {
        let file = read("# a comment\nprofile = \"home\"\n\n[log]\nkeep_days = 30\n").unwrap();
        let profile = file.text("profile").unwrap().unwrap();
        assert_eq!(profile.value, "home");
        assert!(matches!(profile.from, Origin::File { line: Some(2), .. }));
        let days = file.whole_number("log.keep_days").unwrap().unwrap();
        assert_eq!(days.value, 30);
        assert!(matches!(days.from, Origin::File { line: Some(5), .. }));
        assert!(file.flag("postgres.insecure").unwrap().is_none());
        let dotted = read("log.level = \"warn\"").unwrap();
        assert_eq!(dotted.text("log.level").unwrap().unwrap().value, "warn");
    }

    #[test]
    fn unknown_keys_name_the_line_and_the_nearest_key() {
        for (text, line, key, nearest) in [
            ("\nprofil = \"x\"", 2, "profil", "profile"),
            ("[log]\nlevel = \"info\"\nkeepdays = 3", 3, "log.keepdays", "log.keep_days"),
            ("[postgress]\ninsecure = true", 1, "postgress", "postgres"),
            ("keep_days = 3", 1, "keep_days", "log.keep_days"),
            ("[log.level.deep]\nx = 1", 1, "", "log.level"),
        ] {
            let message = match read(text) {
                Err(error) => error.to_string(),
                Ok(file) => file.text("log.level").err().unwrap().to_string(),
            };
            assert!(message.contains(&format!("line {line}")), "{message}");
            assert!(message.contains(key) && message.contains(nearest), "{message}");
        }
    }

    #[test]
    fn wrong_types_name_what_was_expected() {
        let file = read(
            "profile = 3\ndatabase = [\"a\"]\n[log]\nkeep_days = \"3\"\n[postgres]\ninsecure = 1\n",
        )
        .unwrap();
        let message = |error: Option<ConfigError>| error.unwrap().to_string();
        let profile = message(file.text("profile").err());
        assert!(profile.contains("line 1") && profile.contains("expected a string"), "{profile}");
        assert!(profile.contains("found integer"), "{profile}");
        assert!(message(file.text("database").err()).contains("found array"));
        assert!(message(file.flag("postgres.insecure").err()).contains("true or false"));
        assert!(message(file.whole_number("log.keep_days").err()).contains("whole number"));
        for bad in ["-1", "65536", "1.5", "0x10"] {
            let file = read(&format!("log.keep_days = {bad}")).unwrap();
            assert!(file.whole_number("log.keep_days").is_err(), "{bad}");
        }
        assert!(refused("log = \"debug\"").contains("log: expected a table, found string"));
    }

    #[test]
    fn broken_toml_keeps_line_and_column() {
        // The unclosed string starts at the tenth character of line 2.
        let message = refused("profile = \"a\"\ndata_dir = \"b\nx = 1\n");
        assert!(message.contains("line 2"), "{message}");
        assert!(message.contains("column"), "{message}");
        assert!(refused("profile = \"a\"\nprofile = \"b\"\n").contains("line 2"));
        assert_eq!(position("ab\ncd", 0), (1, 1));
        assert_eq!(position("ab\ncd", 4), (2, 2));
    }

    #[test]
    fn chords_are_kept_for_whatever_action_is_named() {
        let file = read(
            "profile = \"a\"\n[keys]\nsort = \"S\"\nfirst = [\"g g\", \"Home\"]\n\"*\" = []\n\
             open = 3\nquit = [\"q\", 1]\nhelp.deep = \"x\"\n",
        )
        .unwrap();
        let (chosen, warnings) = file.keyboard();
        let shown: Vec<_> = chosen
            .iter()
            .map(|(action, chords)| match &chords.from {
                Origin::File { line, .. } => (action.as_str(), chords.value.join(","), *line),
                from => panic!("{from}"),
            })
            .collect();
        let expected = [("*", "", Some(5)), ("first", "g g,Home", Some(4)), ("sort", "S", Some(3))];
        assert_eq!(shown, expected.map(|(action, chords, line)| (action, chords.to_owned(), line)));
        let said: Vec<_> = warnings.iter().map(ToString::to_string).collect();
        for (said, (line, action, found)) in
            said.iter().zip([(8, "help", "table"), (6, "open", "integer"), (7, "quit", "array")])
        {
            let expected = format!("line {line}: keys.{action}: expected");
            assert!(said.contains(&expected) && said.contains(found), "{said}");
        }
        assert_eq!(said.len(), 3);
        assert!(refused("keys = \"q\"").contains("keys: expected a table, found string"));
        assert!(refused("[key]\nquit = \"q\"").contains("did you mean keys.*"));
        assert!(read("").unwrap().keyboard().0.is_empty());
    }

    #[test]
    fn a_missing_file_matters_only_when_it_was_named() {
        let path = Path::new("/nonexistent/config.toml");
        assert!(!ConfigFile::read(path, false).unwrap().exists());
        assert!(ConfigFile::read(path, true).is_err());
    }
}
