//! The configuration: defaults, then the file, then the environment, then the flags.
//! Each value remembers where it came from. It must not know clap, nor what any value is used for.

pub mod anew;
mod database;
mod error;
mod file;
mod locale;
mod paths;
pub mod private;
mod services;
mod source;
mod taste;
mod terminal;
mod unlocking;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretString};
use tracing::Level;
use url::Url;

pub use database::{Database, DatabaseError, PostgresHost, PostgresUrl, SslMode};
pub use error::{ConfigError, Warning};
use file::ConfigFile;
pub use file::KEYS;
use private::ReadFile;
pub use services::Services;
pub use source::{Environment, Origin, Overrides, Setting};
pub use taste::{TableTaste, Taste};
pub use terminal::{Colours, TerminalKind};
pub use unlocking::Unlocking;

use crate::model::Currency;

const FILE_NAME: &str = "config.toml";
const DATABASE_NAME: &str = "dashtam.db";
const LOCALTIME: &str = "/etc/localtime";
const DEFAULT_KEEP_DAYS: u16 = 14;
const DEFAULT_QUOTES_SECONDS: u16 = 60;
const DEFAULT_ACCOUNTS_MINUTES: u16 = 15;
const DEFAULT_LOCK_MINUTES: u16 = 5;
const PASSWORD_SIZE_LIMIT: u64 = 4096;

/// Every effective value.
#[derive(Debug, Clone)]
pub struct Config {
    pub file: Setting<PathBuf>,
    pub file_exists: bool,
    pub profile: Setting<Option<String>>,
    pub data_dir: Setting<PathBuf>,
    pub state_dir: Setting<PathBuf>,
    pub database: Setting<Database>,
    /// Proposed at the first start only; the zone that counts is a setting in the store.
    pub timezone: Setting<Tz>,
    pub log_level: Setting<Level>,
    pub log_keep_days: Setting<u16>,
    /// How often prices are fetched.
    pub quotes_seconds: Setting<u16>,
    /// How often accounts are.
    pub accounts_minutes: Setting<u16>,
    /// How long after the last key the dashboard is covered; 0: never.
    pub cover_minutes: Setting<u16>,
    /// How long after it the key that a person gave is let go of; 0: at the end.
    pub lock_minutes: Setting<u16>,
    pub insecure_postgres: Setting<bool>,
    pub color: Setting<bool>,
    /// What is said of services.
    pub services: Services,
    /// What the environment says of the terminal.
    pub terminal: TerminalKind,
    /// Proposed at the first start only: what is paid with where the locale is.
    pub currency: Option<Currency>,
    /// The chords chosen for actions, by the names in the file; `keys` judges them.
    pub keys: BTreeMap<String, Setting<Vec<String>>>,
    /// Where the key of the vault may be had without asking anybody.
    pub unlocking: Unlocking,
    warnings: Vec<Warning>,
}

impl Config {
    pub fn load(flags: &Overrides, environment: &Environment) -> Result<Self, ConfigError> {
        Self::load_from(flags, environment, ConfigFile::read)
    }

    /// What can be had where something is wrong, and what is wrong: where it is the file, all that
    /// is not in the file.
    pub fn load_what_works(
        flags: &Overrides,
        environment: &Environment,
    ) -> (Option<Self>, Option<ConfigError>) {
        match Self::load(flags, environment) {
            Ok(config) => (Some(config), None),
            Err(error) => {
                let no_file = |path: &Path, _| Ok(ConfigFile::none(path));
                (Self::load_from(flags, environment, no_file).ok(), Some(error))
            }
        }
    }

    fn load_from(
        flags: &Overrides,
        environment: &Environment,
        read: impl Fn(&Path, bool) -> Result<ConfigFile, ConfigError>,
    ) -> Result<Self, ConfigError> {
        let mut warnings = Vec::new();
        let asked_profile = match flag(flags.profile.as_ref(), "--profile") {
            Some(profile) => Some(profile),
            None => environment.text("DASHTAM_PROFILE")?,
        };
        let asked_profile = asked_profile.map(check_profile).transpose()?;
        let asked_base = flag(flags.data_dir.as_ref(), "--data-dir")
            .or_else(|| environment.path("DASHTAM_DATA_DIR"))
            .map(|base| base.map(absolute));

        let (path, must_exist) =
            find_file(flags, environment, asked_profile.as_ref(), asked_base.as_ref())?;
        let file = read(&path.value, must_exist)?;

        let profile = match asked_profile {
            Some(profile) => Some(profile),
            None => file.text("profile")?.map(check_profile).transpose()?,
        };
        let name = profile.as_ref().map(|profile| profile.value.as_str());
        let base = match asked_base {
            Some(base) => Some(base),
            None => path_in_file(&file, "data_dir", environment)?,
        };
        let folder = |xdg: &paths::Base| -> Result<Setting<PathBuf>, ConfigError> {
            let base = base.clone().map_or_else(|| xdg.folder(environment), Ok)?;
            Ok(base.map(|base| paths::in_profile(&base, name)))
        };
        let (data_dir, state_dir) = (folder(&paths::DATA)?, folder(&paths::STATE)?);

        let (database, insecure_postgres) =
            choose_database(flags, environment, &file, &data_dir.value, &mut warnings)?;
        let (keys, not_chords) = file.keyboard();
        warnings.extend(not_chords);
        let (timezone, unknown) = paths::time_zone(environment, Path::new(LOCALTIME));
        warnings
            .extend(unknown.map(|text| Warning::UnknownTimeZone { text, used: timezone.value }));
        Ok(Self {
            file_exists: file.exists(),
            file: path,
            profile: profile.map_or(Setting::new(None, Origin::Default), |name| name.map(Some)),
            data_dir,
            state_dir,
            database,
            timezone,
            log_level: log_level(flags.verbose, &file)?,
            log_keep_days: whole(&file, "log.keep_days", DEFAULT_KEEP_DAYS, 1..=3650, "1 to 3650")?,
            quotes_seconds: whole(
                &file,
                "refresh.quotes_seconds",
                DEFAULT_QUOTES_SECONDS,
                5..=3600,
                "5 to 3600",
            )?,
            accounts_minutes: whole(
                &file,
                "refresh.accounts_minutes",
                DEFAULT_ACCOUNTS_MINUTES,
                1..=1440,
                "1 to 1440",
            )?,
            cover_minutes: whole(&file, "dashboard.cover_minutes", 0, 0..=1440, "0 to 1440")?,
            lock_minutes: whole(
                &file,
                "dashboard.lock_minutes",
                DEFAULT_LOCK_MINUTES,
                0..=1440,
                "0 to 1440",
            )?,
            insecure_postgres,
            services: Services::of(&file, environment)?,
            color: color(flags.no_color, environment),
            terminal: TerminalKind::of(environment),
            currency: locale::currency(environment),
            keys,
            unlocking: Unlocking::of(environment)?,
            warnings,
        })
    }

    /// The database of an administrator's address, which must be as safe as that of the store.
    ///
    /// # Errors
    /// When the address is wrong, or leads over the network without verified TLS.
    pub fn admin_database(&self, url: &SecretString) -> Result<Database, ConfigError> {
        let from = Origin::Flag("--admin-url");
        let mut database = Database::parse(url.expose_secret(), &absolute(PathBuf::from(".")))
            .map_err(|source| ConfigError::Database { from: from.clone(), source })?;
        if let Database::Postgres(url) = &mut database {
            url.insecure |= self.insecure_postgres.value;
            if url.tls_required() && !url.is_protected() {
                return Err(ConfigError::Unprotected { from, host: url.host.to_string() });
            }
        }
        Ok(database)
    }

    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The chosen chords without where they come from, as `keys` takes them.
    pub fn chosen_keys(&self) -> BTreeMap<String, Vec<String>> {
        let keys = self.keys.iter();
        keys.map(|(action, chords)| (action.clone(), chords.value.clone())).collect()
    }

    /// Where providers are on this machine, by their ids.
    pub fn bases(&self) -> BTreeMap<String, Url> {
        self.services.bases()
    }

    /// How many requests a minute providers are sent, by their ids.
    pub fn paces(&self) -> BTreeMap<String, u16> {
        self.services.paces()
    }

    pub fn log_dir(&self) -> PathBuf {
        self.state_dir.value.join("log")
    }

    /// Who is asked for the price of a security, by their ids: the first of them who knows it.
    pub fn sources(&self) -> Vec<String> {
        self.services.sources()
    }

    /// Where the dashboard remembers taste.
    pub fn taste_file(&self) -> PathBuf {
        self.state_dir.value.join("dashboard.toml")
    }

    /// Where stores are backed up before a migration.
    pub fn backup_dir(&self) -> PathBuf {
        self.data_dir.value.join("backups")
    }

    /// Where the key of the vault is kept.
    /// The certificate that a browser is shown which is sent back to this machine.
    pub fn callback_file(&self) -> PathBuf {
        self.data_dir.value.join("callback.pem")
    }

    pub fn vault_dir(&self) -> PathBuf {
        self.data_dir.value.join("vault")
    }

    pub fn audit_dir(&self) -> PathBuf {
        self.state_dir.value.join("audit")
    }

    /// The files beside its rows without which no trail of this data folder is proved, as far as they
    /// are there: the keys of what comes, and the heads and first keys of the chains.
    pub fn trail_files(&self) -> Vec<PathBuf> {
        let of = |folder: PathBuf, is_it: fn(&str) -> bool| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let its = entries.filter(move |entry| is_it(&entry.file_name().to_string_lossy()));
            its.map(|entry| entry.path())
        };
        let of_chain = |name: &str| name.starts_with("audit-");
        let keys = of(self.data_dir.value.clone(), is_trail_key);
        let mut files: Vec<_> = keys.chain(of(self.vault_dir(), of_chain)).collect();
        files.sort();
        files
    }

    /// Whether a path, however it is spelt, is that of a file in which the program keeps something:
    /// the store, the trail, their companions and locks, the log, the configuration.
    pub fn is_own_file(&self, path: &Path) -> bool {
        let Some(path) = paths::resolved(path) else { return false };
        let data = &self.data_dir.value;
        let mut files = vec![
            data.join(DATABASE_NAME),
            data.join("audit.db"),
            data.join("dashtam.lock"),
            self.taste_file(),
            self.file.value.clone(),
        ];
        if let Database::Sqlite(database) = &self.database.value {
            // Where it is a link, what it leads to is the store too.
            files.extend(std::fs::canonicalize(database));
            files.push(database.clone());
        }
        let is_it = |file: PathBuf| {
            let file = paths::resolved(&file).unwrap_or(file).into_os_string();
            ["", "-wal", "-shm", "-journal", "-refresh"].into_iter().any(|companion| {
                let mut name = file.clone();
                name.push(companion);
                path.as_os_str() == name
            })
        };
        let inside = |folder: PathBuf| {
            std::fs::canonicalize(folder).is_ok_and(|folder| path.starts_with(folder))
        };
        let is_key =
            path.parent().zip(std::fs::canonicalize(data).ok()).is_some_and(|(at, data)| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                at == data && is_trail_key(&name)
            });
        is_key
            || files.into_iter().any(is_it)
            || [self.log_dir(), self.audit_dir(), self.vault_dir()].into_iter().any(inside)
    }

    /// Creates the folders that are missing and refuses those that others can use.
    pub fn prepare_folders(&self) -> Result<(), ConfigError> {
        for path in [
            self.data_dir.value.clone(),
            self.state_dir.value.clone(),
            self.log_dir(),
            self.audit_dir(),
        ] {
            private::create_dir_private(&path)
                .map_err(|source| ConfigError::Folder { path: path.clone(), source })?;
            private::check_private(&path)?;
            private::remove_leftovers(&path);
        }
        // Only who makes the vault makes its folder; what was left there may hold a key.
        private::remove_leftovers(&self.vault_dir());
        Ok(())
    }

    /// Name, value and origin of everything, as people read it. No password is in it.
    pub fn effective(&self) -> Vec<Setting<(String, String)>> {
        fn row<T>(
            name: &str,
            setting: &Setting<T>,
            show: impl Fn(&T) -> String,
        ) -> Setting<(String, String)> {
            Setting::new((name.to_owned(), show(&setting.value)), setting.from.clone())
        }
        let path = |path: &PathBuf| path.display().to_string();
        let mut rows = vec![
            row("config", &self.file, path),
            row("profile", &self.profile, |name| name.clone().unwrap_or_else(|| "none".to_owned())),
            row("data_dir", &self.data_dir, path),
            row("state_dir", &self.state_dir, path),
            row("database", &self.database, Database::to_string),
            row("timezone", &self.timezone, Tz::to_string),
            row("log.level", &self.log_level, |level| level.to_string().to_lowercase()),
            row("log.keep_days", &self.log_keep_days, u16::to_string),
            row("refresh.quotes_seconds", &self.quotes_seconds, u16::to_string),
            row("refresh.accounts_minutes", &self.accounts_minutes, u16::to_string),
            row("dashboard.cover_minutes", &self.cover_minutes, u16::to_string),
            row("dashboard.lock_minutes", &self.lock_minutes, u16::to_string),
            row("postgres.insecure", &self.insecure_postgres, bool::to_string),
            row("color", &self.color, bool::to_string),
        ];
        rows.extend(self.services.effective());
        let keys = self.keys.iter();
        rows.extend(keys.map(|(action, chords)| {
            row(&format!("keys.{action}"), chords, |chords| chords.join(", "))
        }));
        rows
    }
}

fn flag<T: Clone>(value: Option<&T>, name: &'static str) -> Option<Setting<T>> {
    value.map(|value| Setting::new(value.clone(), Origin::Flag(name)))
}

/// A path from a flag or the environment starts at the current folder.
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// A path that somebody types in the dashboard: `~/` is the home folder.
///
/// # Errors
/// When there is no home folder.
pub fn typed_path(text: &str) -> Result<PathBuf, ConfigError> {
    paths::written_in_file(text, Path::new(""), &Environment::from_process())
}

fn check_profile(name: Setting<String>) -> Result<Setting<String>, ConfigError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if (1..=32).contains(&name.value.len()) && name.value.chars().all(plain) {
        return Ok(name);
    }
    Err(ConfigError::BadValue {
        from: name.from,
        what: "the profile name",
        expected: "1 to 32 letters, digits, - or _",
    })
}

/// The config file and whether somebody named it, so that it has to be there.
fn find_file(
    flags: &Overrides,
    environment: &Environment,
    profile: Option<&Setting<String>>,
    base: Option<&Setting<PathBuf>>,
) -> Result<(Setting<PathBuf>, bool), ConfigError> {
    let named = flag(flags.config.as_ref(), "--config")
        .or_else(|| environment.path("DASHTAM_CONFIG"))
        .map(|path| path.map(absolute));
    if let Some(path) = named {
        return Ok((path, true));
    }
    let base = base.cloned();
    let base = base.map_or_else(|| paths::CONFIG.folder(environment), Ok)?;
    let profile = profile.map(|profile| profile.value.as_str());
    let path = base.map(|base| paths::in_profile(&base, profile).join(FILE_NAME));
    Ok((path, false))
}

fn path_in_file(
    file: &ConfigFile,
    key: &'static str,
    environment: &Environment,
) -> Result<Option<Setting<PathBuf>>, ConfigError> {
    let Some(Setting { value, from }) = file.text(key)? else {
        return Ok(None);
    };
    if value.is_empty() {
        return Err(ConfigError::BadValue { from, what: key, expected: "a path" });
    }
    let path = paths::written_in_file(&value, file.folder(), environment)?;
    Ok(Some(Setting::new(path, from)))
}

/// The store, with its password if there is one, refused if the way to it is not protected.
fn choose_database(
    flags: &Overrides,
    environment: &Environment,
    file: &ConfigFile,
    data_dir: &Path,
    warnings: &mut Vec<Warning>,
) -> Result<(Setting<Database>, Setting<bool>), ConfigError> {
    let mut insecure =
        file.flag("postgres.insecure")?.unwrap_or(Setting::new(false, Origin::Default));
    let written = match flag(flags.database.as_ref(), "--database") {
        Some(url) => Some(url.map(|url| url.expose_secret().to_owned())),
        None => environment.text("DASHTAM_DATABASE_URL")?,
    };
    let (written, base) = match written {
        Some(url) => (Some(url), absolute(PathBuf::from("."))),
        None => (file.text("database")?, file.folder().to_owned()),
    };
    let Some(Setting { value, from }) = written else {
        let path = data_dir.join(DATABASE_NAME);
        let database = Setting::new(Database::Sqlite(path), Origin::Default);
        return Ok((database, insecure));
    };
    let mut database = Database::parse(&value, &base)
        .map_err(|source| ConfigError::Database { from: from.clone(), source })?;
    if let Database::Postgres(url) = &mut database {
        supply_password(url, &from, file, environment, warnings)?;
        if url.insecure {
            insecure = Setting::new(true, from.clone());
        }
        url.insecure = insecure.value;
        if url.tls_required() && !url.is_protected() {
            let host = url.host.to_string();
            return Err(ConfigError::Unprotected { from, host });
        }
        if !url.is_protected() {
            warnings.push(Warning::InsecurePostgres {
                host: url.host.to_string(),
                by: insecure.from.clone(),
            });
        }
    }
    Ok((Setting::new(database, from), insecure))
}

/// A password in the URL wins over the password file, and is only as safe as the URL's origin.
fn supply_password(
    url: &mut PostgresUrl,
    from: &Origin,
    file: &ConfigFile,
    environment: &Environment,
    warnings: &mut Vec<Warning>,
) -> Result<(), ConfigError> {
    if url.password.is_none() {
        let path = path_in_file(file, "postgres.password_file", environment)?;
        url.password = path.map(|path| read_password(&path.value)).transpose()?;
        return Ok(());
    }
    match from {
        Origin::Flag(_) => warnings.push(Warning::PasswordInArguments),
        Origin::Environment(_) => warnings.push(Warning::PasswordInEnvironment),
        Origin::File { .. } | Origin::Default => file.check_private()?,
    }
    Ok(())
}

fn read_password(path: &Path) -> Result<SecretString, ConfigError> {
    let file = ReadFile::open(path, PASSWORD_SIZE_LIMIT).map_err(|source| {
        ConfigError::Unreadable { what: "postgres.password_file", path: path.to_owned(), source }
    })?;
    file.check_private()?;
    Ok(SecretString::from(file.text.trim_end_matches(['\r', '\n'])))
}

/// Whether a file of this name in the data folder is the key of a trail: that of the file there, or one
/// on a server.
fn is_trail_key(name: &str) -> bool {
    let of_server = name.strip_prefix("audit-").and_then(|rest| rest.strip_suffix(".key"));
    name == "audit.key" || of_server.is_some()
}

fn log_level(verbose: u8, file: &ConfigFile) -> Result<Setting<Level>, ConfigError> {
    let asked = match verbose {
        0 => None,
        1 => Some(Setting::new(Level::DEBUG, Origin::Flag("-v"))),
        _ => Some(Setting::new(Level::TRACE, Origin::Flag("-vv"))),
    };
    // The file is read in any case: its mistakes are mistakes whatever the flags say.
    let Some(Setting { value, from }) = file.text("log.level")? else {
        return Ok(asked.unwrap_or(Setting::new(Level::INFO, Origin::Default)));
    };
    let level = match value.as_str() {
        "error" => Level::ERROR,
        "warn" => Level::WARN,
        "info" => Level::INFO,
        "debug" => Level::DEBUG,
        "trace" => Level::TRACE,
        _ => {
            return Err(ConfigError::BadValue {
                from,
                what: "log.level",
                expected: "error, warn, info, debug or trace",
            });
        }
    };
    Ok(asked.unwrap_or(Setting::new(level, from)))
}

/// A whole number of the file that must be in a range.
fn whole(
    file: &ConfigFile,
    key: &'static str,
    default: u16,
    range: RangeInclusive<u16>,
    expected: &'static str,
) -> Result<Setting<u16>, ConfigError> {
    let number = file.whole_number(key)?.unwrap_or(Setting::new(default, Origin::Default));
    match range.contains(&number.value) {
        true => Ok(number),
        false => Err(ConfigError::BadValue { from: number.from, what: key, expected }),
    }
}

fn color(no_color: bool, environment: &Environment) -> Setting<bool> {
    if no_color {
        return Setting::new(false, Origin::Flag("--no-color"));
    }
    match environment.path("NO_COLOR") {
        Some(set) => set.map(|_| false),
        None => Setting::new(true, Origin::Default),
    }
}

/// The candidate a misspelt name most likely meant. The last part of a dotted name counts too.
fn nearest(name: &str, candidates: &[&'static str]) -> &'static str {
    let likeness = |candidate: &str| {
        let last = candidate.rsplit('.').next().unwrap_or(candidate);
        let whole = strsim::jaro_winkler(name, candidate);
        whole.max(strsim::jaro_winkler(name, last))
    };
    let best = candidates.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    best.copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
