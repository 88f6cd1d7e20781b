//! The folders: where config, data and state live, by the XDG rules or under one `--data-dir`.
//! It only computes names; it must not create or read anything but the zone link of the system.

use std::fs;
use std::path::{Path, PathBuf};

use chrono_tz::Tz;

use super::{ConfigError, Environment, Origin, Setting};

const PROGRAM: &str = "dashtam";

/// One of the three XDG base folders: its variable, and where it is under the home folder.
pub struct Base {
    variable: &'static str,
    under_home: &'static str,
}

pub const CONFIG: Base = Base { variable: "XDG_CONFIG_HOME", under_home: ".config" };
pub const DATA: Base = Base { variable: "XDG_DATA_HOME", under_home: ".local/share" };
pub const STATE: Base = Base { variable: "XDG_STATE_HOME", under_home: ".local/state" };

impl Base {
    /// The program's folder there. The XDG rules say to ignore a relative value.
    pub fn folder(&self, environment: &Environment) -> Result<Setting<PathBuf>, ConfigError> {
        let absolute = environment.path(self.variable).filter(|path| path.value.is_absolute());
        let base = match absolute {
            Some(base) => base,
            None => {
                Setting { value: home(environment)?.join(self.under_home), from: Origin::Default }
            }
        };
        Ok(base.map(|base| base.join(PROGRAM)))
    }
}

fn home(environment: &Environment) -> Result<PathBuf, ConfigError> {
    let home = environment.path("HOME").map(|home| home.value);
    home.filter(|home| home.is_absolute()).ok_or(ConfigError::NoHome)
}

/// The part of a base folder that belongs to the profile.
pub fn in_profile(base: &Path, profile: Option<&str>) -> PathBuf {
    match profile {
        Some(name) => base.join("profiles").join(name),
        None => base.to_owned(),
    }
}

/// A path written in the config file: `~/` is the home folder, a relative one starts at `folder`.
pub fn written_in_file(
    text: &str,
    folder: &Path,
    environment: &Environment,
) -> Result<PathBuf, ConfigError> {
    match text.strip_prefix("~/") {
        Some(rest) => Ok(home(environment)?.join(rest)),
        None => Ok(folder.join(text)),
    }
}

/// A path as the system has it: no link and no `..` on the way to its last part, which need not be
/// there. None: there is no such folder.
pub fn resolved(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let folder = fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()?;
    Some(folder.join(path.file_name()?))
}

/// The zone a first start proposes: `TZ`, else the system's, else UTC.
/// Returns the text of a `TZ` that names no zone as well, so that somebody can be told.
pub fn time_zone(environment: &Environment, localtime: &Path) -> (Setting<Tz>, Option<String>) {
    let wanted = environment.text("TZ").ok().flatten();
    if let Some(zone) = wanted.as_ref().and_then(|tz| zone_of(&tz.value)) {
        let from = Origin::Environment("TZ");
        return (Setting { value: zone, from }, None);
    }
    let system = fs::read_link(localtime).ok().and_then(|target| zone_of(target.to_str()?));
    let zone = system.map_or(Setting { value: Tz::UTC, from: Origin::Default }, |zone| Setting {
        value: zone,
        from: Origin::File { path: localtime.to_owned(), line: None },
    });
    (zone, wanted.map(|tz| tz.value))
}

/// `Europe/Berlin`, `:Europe/Berlin` or the path of a file below a `zoneinfo` folder.
fn zone_of(text: &str) -> Option<Tz> {
    let name = text.strip_prefix(':').unwrap_or(text);
    let name = name.rsplit_once("zoneinfo/").map_or(name, |(_, zone)| zone);
    name.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::new(pairs.iter().copied())
    }

    #[test]
    fn base_folders_follow_the_xdg_rules() {
        let set = environment(&[("XDG_DATA_HOME", "/xdg"), ("HOME", "/home/me")]);
        let data = DATA.folder(&set).unwrap();
        assert_eq!(data.value, Path::new("/xdg/dashtam"));
        assert_eq!(data.from, Origin::Environment("XDG_DATA_HOME"));
        let state = STATE.folder(&set).unwrap();
        assert_eq!(state.value, Path::new("/home/me/.local/state/dashtam"));
        assert_eq!(state.from, Origin::Default);
        let relative = environment(&[("XDG_CONFIG_HOME", "here"), ("HOME", "/home/me")]);
        let config = CONFIG.folder(&relative).unwrap().value;
        assert_eq!(config, Path::new("/home/me/.config/dashtam"));
        assert!(CONFIG.folder(&environment(&[("HOME", "")])).is_err());
    }

    #[test]
    fn the_zone_comes_from_tz_then_from_the_system() {
        let root = tempfile::tempdir().unwrap();
        let link = root.path().join("localtime");
        let zone = |tz: &str| time_zone(&environment(&[("TZ", tz)]), &link);
        for tz in ["Asia/Tokyo", ":Asia/Tokyo", ":/usr/share/zoneinfo/Asia/Tokyo"] {
            let (zone, complaint) = zone(tz);
            assert_eq!((zone.value, complaint), (chrono_tz::Asia::Tokyo, None));
            assert_eq!(zone.from, Origin::Environment("TZ"));
        }
        let (neither, _) = zone("");
        assert_eq!((neither.value, neither.from), (Tz::UTC, Origin::Default));
        symlink("../usr/share/zoneinfo/Europe/Berlin", &link).unwrap();
        let (system, complaint) = zone("Mars/Base");
        assert_eq!(system.value, chrono_tz::Europe::Berlin);
        assert_eq!(complaint.as_deref(), Some("Mars/Base"));
    }

    #[test]
    fn paths_in_the_file_start_at_the_file() {
        let set = environment(&[("HOME", "/home/me")]);
        let path = |text| written_in_file(text, Path::new("/etc/d"), &set).unwrap();
        assert_eq!(path("~/x"), Path::new("/home/me/x"));
        assert_eq!(path("x"), Path::new("/etc/d/x"));
        assert_eq!(path("/x"), Path::new("/x"));
    }
}
