//! Where the key of the vault may be had without asking anybody. It reads what it is told to, and
//! must not know what a key is.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::private::{PermissionProblem, ReadFile};
use super::{ConfigError, Environment, Setting};
use crate::model::Secret;

/// No passphrase and no key is longer.
const LARGEST: u64 = 64 << 10;
/// What systemd's credentials are called.
const IDENTITY: &str = "dashtam-identity";
const PASSPHRASE: &str = "dashtam-passphrase";

/// What the surroundings say about a key. Each is looked at when it is needed, in this order.
#[derive(Clone, Debug, Default)]
pub struct Unlocking {
    /// The folder of systemd's credentials.
    credentials: Option<PathBuf>,
    /// `DASHTAM_IDENTITY_FILE`.
    identity_file: Option<PathBuf>,
    /// `DASHTAM_PASSPHRASE_FD`.
    passphrase_fd: Option<u32>,
}

impl Unlocking {
    pub(super) fn of(environment: &Environment) -> Result<Self, ConfigError> {
        const FD: &str = "DASHTAM_PASSPHRASE_FD";
        let number = |Setting { value, from }: Setting<String>| {
            let expected = "the number of an open file, like 3";
            value.parse().map_err(|_| ConfigError::BadValue { from, what: FD, expected })
        };
        let path = |name| environment.path(name).map(|path| path.value);
        Ok(Self {
            credentials: path("CREDENTIALS_DIRECTORY"),
            identity_file: path("DASHTAM_IDENTITY_FILE"),
            passphrase_fd: environment.text(FD)?.map(number).transpose()?,
        })
    }

    /// A key, and where it came from: systemd's credential, else the file that was named.
    ///
    /// # Errors
    /// When what was named cannot be read, or can be by others.
    pub fn identity(&self) -> Result<Option<(Secret, String)>, ConfigError> {
        let credential = self.credentials.as_ref().map(|folder| folder.join(IDENTITY));
        let credential = credential.filter(|path| path.exists());
        let (path, check): (_, Check) = match (credential, &self.identity_file) {
            (Some(path), _) => (path, ReadFile::check_credential),
            (None, Some(path)) => (path.clone(), ReadFile::check_private),
            (None, None) => return Ok(None),
        };
        Ok(Some((read(&path, check)?, path.display().to_string())))
    }

    /// A credential of systemd by its name; none: there is no such one.
    pub(super) fn credential(&self, name: &str) -> Result<Option<Secret>, ConfigError> {
        let path = self.credentials.as_ref().map(|folder| folder.join(name));
        let path = path.filter(|path| path.exists());
        path.map(|path| read(&path, ReadFile::check_credential)).transpose()
    }

    /// Passphrases, a line each: from the descriptor that was named, else systemd's credential. What
    /// comes through a pipe can be read once.
    ///
    /// # Errors
    /// When what was named cannot be read, or can be by others.
    pub fn passphrases(&self) -> Result<Vec<Secret>, ConfigError> {
        let text = match (self.passphrase_fd, &self.credentials) {
            (Some(number), _) => descriptor(number)?,
            (None, Some(folder)) if folder.join(PASSPHRASE).exists() => {
                read(&folder.join(PASSPHRASE), ReadFile::check_credential)?
            }
            _ => return Ok(Vec::new()),
        };
        let lines = text.expose().lines().filter(|line| !line.is_empty());
        Ok(lines.map(|line| Secret::new(line.to_owned())).collect())
    }
}

pub(super) type Check = fn(&ReadFile) -> Result<(), PermissionProblem>;

pub(super) fn read(path: &Path, check: Check) -> Result<Secret, ConfigError> {
    let file = ReadFile::open(path, LARGEST).map_err(|source| unreadable(path, source))?;
    check(&file)?;
    Ok(Secret::new(file.text))
}

/// An open file of this process, by its number. It is opened once more by its name, which needs no
/// trust in the number.
fn descriptor(number: u32) -> Result<Secret, ConfigError> {
    let path = PathBuf::from(format!("/dev/fd/{number}"));
    let mut text = Zeroizing::new(String::with_capacity(4096));
    let opened = File::open(&path).and_then(|file| file.take(LARGEST).read_to_string(&mut text));
    opened.map_err(|source| unreadable(&path, source))?;
    Ok(Secret::new(std::mem::take(&mut *text)))
}

fn unreadable(path: &Path, source: io::Error) -> ConfigError {
    ConfigError::Unreadable { what: "the secret in", path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

    fn unlocking(pairs: &[(&str, &Path)]) -> Unlocking {
        Unlocking::of(&Environment::new(pairs.iter().map(|(name, path)| (*name, *path)))).unwrap()
    }

    #[test]
    fn a_credential_of_systemd_comes_before_a_file() {
        let root = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str, mode: u32| {
            let path = root.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            path
        };
        let file = put("my key", "from the file", 0o600);
        let both =
            unlocking(&[("CREDENTIALS_DIRECTORY", root.path()), ("DASHTAM_IDENTITY_FILE", &file)]);
        let told =
            |it: &Unlocking| it.identity().unwrap().map(|(text, _)| text.expose().to_owned());
        assert_eq!(told(&both).as_deref(), Some("from the file"), "there is no credential");
        put(IDENTITY, "from systemd", 0o400);
        assert_eq!(told(&both).as_deref(), Some("from systemd"));
        assert!(both.passphrases().unwrap().is_empty());
        put(PASSPHRASE, "one\n\ntwo\n", 0o400);
        let lines = both.passphrases().unwrap();
        let lines: Vec<_> = lines.iter().map(Secret::expose).collect();
        assert_eq!(lines, ["one", "two"]);
        assert!(told(&Unlocking::default()).is_none());

        // As a service with a user of its own finds it: root's, with a list of rights.
        for (mode, right) in [(0o440, true), (0o444, false), (0o460, false), (0o404, false)] {
            let credential = root.path().join(IDENTITY);
            fs::set_permissions(&credential, Permissions::from_mode(mode)).unwrap();
            let is_roots = fs::metadata(&credential).unwrap().uid() == 0;
            assert_eq!(both.identity().is_ok(), right && is_roots, "{mode:o}");
        }
        fs::remove_file(root.path().join(IDENTITY)).unwrap();
        put("my key", "", 0o640);
        let open = unlocking(&[("DASHTAM_IDENTITY_FILE", &file)]).identity().map(drop).unwrap_err();
        assert!(open.to_string().contains("chmod 600"), "{open}");
        let absent = unlocking(&[("DASHTAM_IDENTITY_FILE", &root.path().join("no"))]);
        assert!(absent.identity().is_err());
    }

    #[test]
    fn a_descriptor_is_a_number() {
        for wrong in ["", "x", "-1", "3.5"] {
            let environment = Environment::new([("DASHTAM_PASSPHRASE_FD", wrong)]);
            assert_eq!(Unlocking::of(&environment).is_err(), !wrong.is_empty(), "{wrong}");
        }
        let closed = unlocking(&[("DASHTAM_PASSPHRASE_FD", Path::new("999"))]);
        assert!(closed.passphrases().is_err());
    }
}
