//! What the configuration says of services: another address for one, on this machine, how often one
//! is asked, which of them is asked for prices first, and what this program is known by at those where its owner registers an app.

use std::collections::BTreeMap;
use std::path::PathBuf;

use url::Url;

use super::file::ConfigFile;
use super::unlocking::{Unlocking, read};
use super::{ConfigError, Environment, Origin, Setting, path_in_file};
use crate::model::{App, Secret};

/// Where Schwab sends a browser back to, as most people register it.
const CALLBACK: &str = "https://127.0.0.1:8182";
/// Services and the keys of their addresses.
const BASES: [(&str, &str); 4] = [
    ("simplefin", "simplefin.base_url"),
    ("schwab", "schwab.base_url"),
    ("alpaca", "alpaca.base_url"),
    ("frankfurter", "frankfurter.base_url"),
];
/// Services and the keys of how often they are asked.
const PACES: [(&str, &str); 2] =
    [("schwab", "schwab.requests_per_minute"), ("frankfurter", "frankfurter.requests_per_minute")];
/// Whom to ask for the prices of securities, the best first.
const SOURCES: [&str; 2] = ["schwab", "alpaca"];
/// No server needs more.
const MOST_A_MINUTE: u16 = 60_000;
/// The systemd credential with the app that is registered at Schwab.
const APP: &str = "dashtam-schwab";

/// What is said of services.
#[derive(Clone, Debug)]
pub struct Services {
    /// Where they are on this machine, by their ids, in the place of the real ones.
    bases: BTreeMap<&'static str, (&'static str, Setting<Url>)>,
    /// How many requests a minute they are sent, by their ids.
    paces: BTreeMap<&'static str, (&'static str, Setting<u16>)>,
    /// Who is asked for the price of a security, the first who knows it.
    sources: Setting<Vec<String>>,
    callback: Setting<String>,
    app_file: Option<Setting<PathBuf>>,
}

impl Services {
    pub(super) fn of(file: &ConfigFile, environment: &Environment) -> Result<Self, ConfigError> {
        let mut bases = BTreeMap::new();
        for (id, key) in BASES {
            if let Some(base) = on_this_machine(file, key)? {
                bases.insert(id, (key, base));
            }
        }
        let mut paces = BTreeMap::new();
        for (id, key) in PACES {
            if let Some(pace) = file.whole_number(key)?.map(|it| a_minute(key, it)).transpose()? {
                paces.insert(id, (key, pace));
            }
        }
        let callback = file.text("schwab.callback")?.map(check_callback).transpose()?;
        Ok(Self {
            bases,
            paces,
            sources: sources(file)?,
            callback: callback.unwrap_or(Setting::new(CALLBACK.to_owned(), Origin::Default)),
            app_file: path_in_file(file, "schwab.app_file", environment)?,
        })
    }

    /// Where services are on this machine, by their ids.
    pub fn bases(&self) -> BTreeMap<String, Url> {
        let base = |(id, (_, base)): (&&str, &(&str, Setting<Url>))| {
            ((*id).to_owned(), base.value.clone())
        };
        self.bases.iter().map(base).collect()
    }

    /// How many requests a minute services are sent, by their ids.
    pub fn paces(&self) -> BTreeMap<String, u16> {
        self.paces.iter().map(|(id, (_, pace))| ((*id).to_owned(), pace.value)).collect()
    }

    /// Who is asked for the price of a security, by their ids: the first of them who knows it.
    pub fn sources(&self) -> Vec<String> {
        self.sources.value.clone()
    }

    /// Where Schwab sends a browser back to, to the letter.
    pub fn callback(&self) -> &str {
        &self.callback.value
    }

    /// The app that is registered at Schwab: systemd's credential, else the file that is named.
    ///
    /// # Errors
    /// When what is named cannot be read, can be by others, or holds something else.
    pub fn app(&self, unlocking: &Unlocking) -> Result<Option<App>, ConfigError> {
        let (text, from, what) = match (unlocking.credential(APP)?, &self.app_file) {
            (Some(text), _) => (text, Origin::Environment("CREDENTIALS_DIRECTORY"), APP),
            (None, Some(file)) => (private(file)?, file.from.clone(), "schwab.app_file"),
            (None, None) => return Ok(None),
        };
        let expected = "a file of two lines, the key and the secret of the app";
        let wrong = ConfigError::BadValue { from, what, expected };
        App::parse(&text).map(Some).ok_or(wrong)
    }

    /// What is said here, with the keys that say it.
    pub(super) fn effective(&self) -> Vec<Setting<(String, String)>> {
        let row = |key: &str, value: String, from: &Origin| {
            Setting::new((key.to_owned(), value), from.clone())
        };
        let bases = self.bases.values();
        let mut rows: Vec<_> =
            bases.map(|(key, base)| row(key, base.value.to_string(), &base.from)).collect();
        let paces = self.paces.values();
        rows.extend(paces.map(|(key, pace)| row(key, pace.value.to_string(), &pace.from)));
        rows.push(row("market.sources", self.sources.value.join(", "), &self.sources.from));
        if self.callback.from != Origin::Default {
            rows.push(row("schwab.callback", self.callback.value.clone(), &self.callback.from));
        }
        let file = self.app_file.as_ref();
        let file = file.map(|it| row("schwab.app_file", it.value.display().to_string(), &it.from));
        rows.extend(file);
        rows
    }
}

fn private(file: &Setting<PathBuf>) -> Result<Secret, ConfigError> {
    read(&file.value, super::private::ReadFile::check_private)
}

/// Those that are named come first, in that order, and all others behind them.
fn sources(file: &ConfigFile) -> Result<Setting<Vec<String>>, ConfigError> {
    const KEY: &str = "market.sources";
    let Some(Setting { value: mut named, from }) = file.texts(KEY)? else {
        return Ok(Setting::new(SOURCES.map(str::to_owned).to_vec(), Origin::Default));
    };
    let is_twice = |(nth, name): (usize, &String)| named.iter().take(nth).any(|it| it == name);
    let is_known = named.iter().all(|name| SOURCES.contains(&name.as_str()));
    if !is_known || named.iter().enumerate().any(is_twice) {
        let expected =
            "services in the order in which they are asked, each once: \"schwab\", \"alpaca\"";
        return Err(ConfigError::BadValue { from, what: KEY, expected });
    }
    let others: Vec<_> =
        SOURCES.iter().filter(|name| !named.iter().any(|it| it == *name)).collect();
    named.extend(others.into_iter().map(|name| (*name).to_owned()));
    Ok(Setting::new(named, from))
}

/// How many requests a minute.
fn a_minute(key: &'static str, pace: Setting<u16>) -> Result<Setting<u16>, ConfigError> {
    match (1..=MOST_A_MINUTE).contains(&pace.value) {
        true => Ok(pace),
        false => Err(ConfigError::BadValue {
            from: pace.from,
            what: key,
            expected: "a whole number from 1 to 60000",
        }),
    }
}

/// Where a browser is sent back to. It is compared to the letter with what was registered, so it stays
/// as it is written.
fn check_callback(written: Setting<String>) -> Result<Setting<String>, ConfigError> {
    let is_plain = |url: &Url| {
        let has_login = !url.username().is_empty() || url.password().is_some();
        url.scheme() == "https" && !has_login && url.query().is_none() && url.fragment().is_none()
    };
    let url = Url::parse(&written.value).ok().filter(is_plain);
    match url {
        Some(_) => Ok(written),
        None => Err(ConfigError::BadValue {
            from: written.from,
            what: "schwab.callback",
            expected: "the callback URL as it was registered, as https://127.0.0.1:8182",
        }),
    }
}

/// An address on this machine: secrets go nowhere else but to the service they are for.
fn on_this_machine(
    file: &ConfigFile,
    key: &'static str,
) -> Result<Option<Setting<Url>>, ConfigError> {
    let Some(Setting { value, from }) = file.text(key)? else { return Ok(None) };
    let is_here = |url: &Url| match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    let plain = |url: &Url| url.username().is_empty() && url.password().is_none();
    let url = Url::parse(&value).ok().filter(|url| is_here(url) && plain(url));
    let expected = "an address on this machine, as http://127.0.0.1:8080";
    match url.filter(|url| matches!(url.scheme(), "http" | "https")) {
        Some(url) => Ok(Some(Setting::new(url, from))),
        None => Err(ConfigError::BadValue { from, what: key, expected }),
    }
}
