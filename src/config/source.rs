//! What a value can come from: the flags, the environment, the file, or nobody.
//! It must not know which value wins.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use chrono::NaiveDate;
use secrecy::SecretString;

use super::ConfigError;

/// The environment variables that are looked at; no other is kept.
const VARIABLES: &[&str] = &[
    "APCA_API_BASE_URL",
    "APCA_API_KEY_ID",
    "APCA_API_SECRET_KEY",
    "COLORTERM",
    "CREDENTIALS_DIRECTORY",
    "DASHTAM_CONFIG",
    "DASHTAM_DATA_DIR",
    "DASHTAM_DATABASE_URL",
    "DASHTAM_IDENTITY_FILE",
    "DASHTAM_PASSPHRASE_FD",
    "DASHTAM_PROFILE",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MONETARY",
    "NO_COLOR",
    "TERM",
    "TZ",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
];

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Flag(&'static str),
    Environment(&'static str),
    File { path: PathBuf, line: Option<usize> },
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File { path, line: None } => write!(f, "file {}", path.display()),
            Self::File { path, line: Some(line) } => {
                write!(f, "file {} line {line}", path.display())
            }
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    pub value: T,
    pub from: Origin,
}

impl<T> Setting<T> {
    pub(super) fn new(value: T, from: Origin) -> Self {
        Self { value, from }
    }

    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Setting<U> {
        Setting::new(change(self.value), self.from)
    }
}

/// The global flags as they were given. The ones that only steer the command
/// (`json`, `private`, `read_only`, `as_of`) are carried for it and not looked at here.
#[derive(Debug, Clone, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the switches of the command line, one each"
)]
pub struct Overrides {
    pub config: Option<PathBuf>,
    pub data_dir: Option<PathBuf>,
    /// A secret, since the URL may hold a password.
    pub database: Option<SecretString>,
    pub profile: Option<String>,
    pub json: bool,
    pub private: bool,
    pub read_only: bool,
    pub no_color: bool,
    pub verbose: u8,
    pub as_of: Option<NaiveDate>,
}

/// The environment variables that matter, captured once. An empty one counts as not set.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<&'static str, OsString>);

impl Environment {
    pub fn new<K, V>(variables: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let known = |name: OsString| VARIABLES.iter().copied().find(|known| **known == *name);
        Self(
            variables
                .into_iter()
                .filter_map(|(name, value)| Some((known(name.into())?, value.into())))
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        )
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    pub fn from_process() -> Self {
        Self::new(std::env::vars_os())
    }

    pub(super) fn path(&self, name: &'static str) -> Option<Setting<PathBuf>> {
        let value = self.0.get(name)?;
        Some(Setting::new(PathBuf::from(value), Origin::Environment(name)))
    }

    /// What does not have to be valid: anything that is no text is as good as nothing.
    pub fn word(&self, name: &'static str) -> Option<String> {
        self.0.get(name)?.to_str().map(str::to_owned)
    }

    pub(super) fn text(&self, name: &'static str) -> Result<Option<Setting<String>>, ConfigError> {
        let from = Origin::Environment(name);
        match self.0.get(name).map(|value| value.to_str()) {
            None => Ok(None),
            Some(Some(text)) => Ok(Some(Setting::new(text.to_owned(), from))),
            Some(None) => Err(ConfigError::BadValue { from, what: name, expected: "UTF-8 text" }),
        }
    }
}

/// Names only: a value may hold a password.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
