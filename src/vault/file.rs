//! The key file of a data folder, `vault/key`: for whom to seal, and the key itself. Everything that
//! can change is in this one file, which is written beside its name and then takes it, so that it
//! is as it was or as it should be, whatever stops the program.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use zeroize::Zeroizing;

use super::key::{unwrap, wrap};
use super::patience::Attempts;
use super::{Error, Key, Recipient, Result};
use crate::clock::Clock;
use crate::config::private::{
    ReadFile, check_private, create_dir_private, open_private, remove_leftovers,
    write_atomic_private,
};
use crate::model::{OpId, SafeText, Secret};

const FORM: &str = "dashtam-vault 1";
const MACHINES: &str = "dashtam-vault machines";
const LARGEST: u64 = 64 << 10;
const UNVOUCHED: &str = "somebody without the key changed its machines; restore it from a copy, else \
     every new secret would be sealed for them";
/// What is shorter is guessed sooner than it is typed.
const SHORTEST: usize = 8;
/// How often another process's lock is asked for.
const AGAIN: Duration = Duration::from_millis(20);

/// What protects a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// A passphrase.
    Passphrase,
    /// The mode of its file, and nothing else.
    FileMode,
}

/// The vault of a data folder, be it there or not.
#[derive(Clone, Debug)]
pub struct Vault {
    folder: PathBuf,
}

/// What the key file says without a passphrase. It holds the key, so it cannot be shown.
pub struct KeyFile {
    own: Recipient,
    others: Vec<(Recipient, SafeText)>,
    /// What whoever wrote the two had the key to say of them.
    vouched: Vec<String>,
    /// The operation that is done with this file.
    by: Option<String>,
    body: Body,
}

enum Body {
    Open(Secret),
    Wrapped(String),
}

/// Nobody else changes the key file while this is there.
pub struct Changing(#[expect(dead_code, reason = "it is there to be dropped")] File);

impl Vault {
    /// The one of this folder.
    #[must_use]
    pub const fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The key file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join("key")
    }

    /// The folder of the key file.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether somebody made it.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.path().exists()
    }

    /// Keeps other processes from changing the key file, and waits for one that does. It blocks.
    ///
    /// # Errors
    /// When the folder cannot be made or locked.
    pub fn change(&self) -> Result<Changing> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Io { path, source }
        };
        create_dir_private(&self.folder).map_err(at(&self.folder))?;
        check_private(&self.folder)?;
        remove_leftovers(&self.folder);
        let path = self.folder.join("lock");
        let file = open_private(&path, OpenOptions::new().write(true).create(true));
        let file = file.map_err(at(&path))?;
        while let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            match error {
                rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR => {
                    std::thread::sleep(AGAIN);
                }
                error => return Err(at(&path)(error.into())),
            }
        }
        Ok(Changing(file))
    }

    /// What the key file says.
    ///
    /// # Errors
    /// When there is none, others can use it, or it is not what was written.
    pub fn read(&self) -> Result<KeyFile> {
        let path = self.path();
        let read = ReadFile::open(&path, LARGEST).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::Missing { folder: self.folder.clone() },
            io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidData => {
                Error::Damaged { path: path.clone(), why: "this is no key file" }
            }
            _ => Error::Io { path: path.clone(), source },
        })?;
        read.check_private()?;
        check_private(&self.folder)?;
        let text = Zeroizing::new(read.text);
        KeyFile::parse(&text).map_err(|why| Error::Damaged { path, why })
    }

    /// The same, if whoever wrote it had this key, or renewed it: only then are its machines those
    /// that its owner named.
    ///
    /// # Errors
    /// As [`Vault::read`], when somebody without the key changed it, and [`Error::Changed`].
    pub fn read_vouched(&self, key: &Key) -> Result<KeyFile> {
        let file = self.read()?;
        match (file.is_vouched(key), file.is_of(key)) {
            (true, _) => Ok(file),
            (false, true) => Err(self.damaged(UNVOUCHED)),
            (false, false) => Err(Error::Changed),
        }
    }

    /// The same, for whoever is about to write over it: this key must be its own still.
    ///
    /// # Errors
    /// As [`Vault::read_vouched`].
    pub fn read_to_change(&self, key: &Key, _: &Changing) -> Result<KeyFile> {
        let file = self.read_vouched(key)?;
        match file.is_of(key) {
            true => Ok(file),
            false => Err(Error::Changed),
        }
    }

    /// Makes the vault.
    ///
    /// # Errors
    /// When there is one already, or it cannot be written.
    pub fn make(
        &self,
        key: &Key,
        passphrase: Option<&Secret>,
        by: OpId,
        _: &Changing,
    ) -> Result<KeyFile> {
        if self.exists() {
            return Err(Error::Exists { path: self.path() });
        }
        let file = KeyFile::of(key, Vec::new(), passphrase)?.by(by);
        write_atomic_private(&self.path(), file.written(key).as_bytes(), false)?;
        Ok(file)
    }

    /// Writes the key file over what it was, and vouches for its machines with this key.
    ///
    /// # Errors
    /// When it cannot be written; then it is as it was.
    pub fn write(&self, file: &KeyFile, key: &Key, _: &Changing) -> Result<()> {
        Ok(write_atomic_private(&self.path(), file.written(key).as_bytes(), true)?)
    }

    /// The key, where its file's mode is all that protects it.
    ///
    /// # Errors
    /// As [`Vault::read`], and [`Error::Locked`] where there is a passphrase.
    pub fn unprotected(&self) -> Result<Key> {
        let file = self.read()?;
        match &file.body {
            Body::Open(text) => self.checked(&file, Key::parse(text)),
            Body::Wrapped(_) => Err(Error::Locked),
        }
    }

    /// The key, by its passphrase. Each wrong one makes the next try later, in whatever process. It
    /// blocks, and takes half a second and 128 MiB.
    ///
    /// # Errors
    /// As [`Vault::read`], and [`Error::Wrong`].
    pub fn unlock(
        &self,
        passphrase: &Secret,
        clock: &Clock,
        wait: impl Fn(Duration),
    ) -> Result<Key> {
        let file = self.read()?;
        let Body::Wrapped(wrapped) = &file.body else { return self.unprotected() };
        let path = self.folder.join("attempts");
        let opened = Attempts::open(&path).map_err(|source| Error::Io { path, source });
        let mut attempts = opened?;
        wait(attempts.pause(clock.now()));
        // Before it is tried: who is stopped meanwhile has tried.
        attempts.count(clock.now());
        let key = unwrap(wrapped, passphrase).ok_or(Error::Wrong)?;
        attempts.forget();
        self.checked(&file, Some(key))
    }

    /// How long the next try of a passphrase will have to wait.
    #[must_use]
    pub fn pause(&self, clock: &Clock) -> Duration {
        let tried = Attempts::look(&self.folder.join("attempts"));
        tried.map(|tried| tried.pause(clock.now())).unwrap_or_default()
    }

    /// A key that came from elsewhere, if it is the one of this vault.
    ///
    /// # Errors
    /// When it is another one.
    pub fn accept(&self, key: Key, from: &str) -> Result<Key> {
        // Who has the key needs no key file: it may be on a machine that has only this.
        match self.read() {
            Ok(file) if !file.is_of(&key) => Err(Error::OtherKey { from: from.to_owned() }),
            Ok(file) => self.checked(&file, Some(key)),
            Err(error) => Err(error),
        }
    }

    /// What was sealed is opened by the key, so the two must belong together, and the machines are
    /// those that were named by who has it.
    fn checked(&self, file: &KeyFile, key: Option<Key>) -> Result<Key> {
        const APART: &str = "its two halves do not belong together";
        let key = key.filter(|key| file.is_of(key)).ok_or_else(|| self.damaged(APART))?;
        match file.is_vouched(&key) {
            true => Ok(key),
            false => Err(self.damaged(UNVOUCHED)),
        }
    }

    fn damaged(&self, why: &'static str) -> Error {
        Error::Damaged { path: self.path(), why }
    }
}

impl KeyFile {
    /// For whom this machine seals: itself first.
    #[must_use]
    pub fn recipients(&self) -> Vec<Recipient> {
        let others = self.others.iter().map(|(recipient, _)| recipient.clone());
        std::iter::once(self.own.clone()).chain(others).collect()
    }

    /// This machine.
    #[must_use]
    pub const fn own(&self) -> &Recipient {
        &self.own
    }

    /// Whether what is sealed for this machine is opened by this key.
    fn is_of(&self, key: &Key) -> bool {
        key.recipient().as_ref() == Some(&self.own)
    }

    fn is_vouched(&self, key: &Key) -> bool {
        let machines = self.machines();
        // The one from before may be known to somebody: it vouches for nothing any more.
        key.vouched(MACHINES, &machines).next().is_some_and(|said| self.vouched.contains(&said))
    }

    /// The machines as the file names them.
    fn machines(&self) -> String {
        let mut text = format!("recipient {}\n", self.own);
        for (recipient, name) in &self.others {
            text.push_str(&format!("other {recipient} {name}\n"));
        }
        text
    }

    /// The other machines, as their owner calls them.
    #[must_use]
    pub fn others(&self) -> &[(Recipient, SafeText)] {
        &self.others
    }

    /// What protects the key.
    #[must_use]
    pub const fn protection(&self) -> Protection {
        match self.body {
            Body::Open(_) => Protection::FileMode,
            Body::Wrapped(_) => Protection::Passphrase,
        }
    }

    /// The same with one more machine, or another name for one.
    #[must_use]
    pub fn with(mut self, other: Recipient, name: SafeText) -> Self {
        self.others.retain(|(known, _)| *known != other);
        if other != self.own {
            self.others.push((other, name));
        }
        self
    }

    /// The same without a machine.
    #[must_use]
    pub fn without(mut self, other: &Recipient) -> Self {
        self.others.retain(|(known, _)| known != other);
        self
    }

    /// The same machines with another key or another passphrase.
    ///
    /// # Errors
    /// When the passphrase is too short.
    pub fn rekeyed(&self, key: &Key, passphrase: Option<&Secret>) -> Result<Self> {
        Self::of(key, self.others.clone(), passphrase)
    }

    /// The same, with which this operation is done.
    #[must_use]
    pub fn by(self, operation: OpId) -> Self {
        Self { by: Some(operation.to_string()), ..self }
    }

    /// Whether this operation was done when it was written. Of one that was stopped nothing else tells.
    #[must_use]
    pub fn is_by(&self, operation: &str) -> bool {
        self.by.as_deref() == Some(operation)
    }

    fn of(
        key: &Key,
        others: Vec<(Recipient, SafeText)>,
        passphrase: Option<&Secret>,
    ) -> Result<Self> {
        let body = match passphrase {
            None => Body::Open(key.written()),
            Some(short) if short.expose().chars().count() < SHORTEST => {
                return Err(Error::TooShort(SHORTEST));
            }
            Some(passphrase) => Body::Wrapped(wrap(key, passphrase)?),
        };
        let own = key.recipient().ok_or(Error::Locked)?;
        Ok(Self { own, others, vouched: Vec::new(), by: None, body })
    }

    fn written(&self, key: &Key) -> Zeroizing<String> {
        let (word, body) = match &self.body {
            Body::Open(text) => ("open", text.expose()),
            Body::Wrapped(text) => ("passphrase", text.as_str()),
        };
        let machines = self.machines();
        let said = key.vouched(MACHINES, &machines).fold(String::new(), |mut text, said| {
            text.extend(["vouched ", &said, "\n"]);
            text
        });
        let by = self.by.as_ref().map(|by| format!("by {by}\n")).unwrap_or_default();
        // Large enough never to grow, which would leave a copy behind.
        let length = machines.len() + said.len() + by.len() + body.len() + 128;
        let mut text = Zeroizing::new(String::with_capacity(length));
        for part in [FORM, "\n", &machines, &said, &by, "key ", word, "\n", body] {
            text.push_str(part);
        }
        if !body.ends_with('\n') {
            text.push('\n');
        }
        let sum = crc32fast::hash(text.as_bytes());
        text.push_str(&format!("sum {sum:08x}\n"));
        text
    }

    fn parse(text: &str) -> std::result::Result<Self, &'static str> {
        const DAMAGED: &str = "the key file was altered or cut off; restore it from a copy";
        if !text.starts_with(FORM) {
            return Err("this is no key file of this version");
        }
        let (head, sum) = text.rsplit_once("sum ").ok_or(DAMAGED)?;
        if sum != format!("{:08x}\n", crc32fast::hash(head.as_bytes())) {
            return Err(DAMAGED);
        }
        let (head, body) = head.split_once("\nkey ").ok_or(DAMAGED)?;
        let (word, body) = body.split_once('\n').ok_or(DAMAGED)?;
        let body = match word {
            "open" => Body::Open(Secret::new(body.to_owned())),
            "passphrase" => Body::Wrapped(body.to_owned()),
            _ => return Err(DAMAGED),
        };
        let (mut own, mut others, mut vouched, mut by) = (None, Vec::new(), Vec::new(), None);
        for line in head.lines().skip(1) {
            match line.split_once(' ').ok_or(DAMAGED)? {
                ("recipient", text) => own = Some(text.parse().map_err(|_| DAMAGED)?),
                ("vouched", said) => vouched.push(said.to_owned()),
                ("by", operation) => by = Some(operation.to_owned()),
                ("other", rest) => {
                    let (other, name) = rest.split_once(' ').unwrap_or((rest, ""));
                    let other = other.parse().map_err(|_| DAMAGED)?;
                    others.push((other, SafeText::new(name)));
                }
                _ => return Err(DAMAGED),
            }
        }
        Ok(Self { own: own.ok_or(DAMAGED)?, others, vouched, by, body })
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    /// A vault without a passphrase.
    fn made() -> (tempfile::TempDir, Vault, Key) {
        let root = tempfile::tempdir().unwrap();
        let vault = Vault::at(root.path().join("vault"));
        let key = Key::generate();
        vault.make(&key, None, OpId::at(0), &vault.change().unwrap()).unwrap();
        (root, vault, key)
    }

    #[test]
    fn a_key_file_comes_back_as_it_was_written() {
        let (_root, vault, key) = made();
        let changing = vault.change().unwrap();
        assert!(matches!(
            vault.make(&key, None, OpId::at(0), &changing),
            Err(Error::Exists { .. })
        ));
        let (laptop, server) = (Key::generate(), Key::generate());
        let name = |key: &Key| key.recipient().unwrap();
        let file = vault.read().unwrap();
        let file = file.with(name(&laptop), SafeText::new("my laptop"));
        let file = file.with(name(&server), SafeText::default());
        // Itself is there already, and nobody is there twice.
        let file = file.with(name(&key), SafeText::new("me"));
        let file = file.with(name(&laptop), SafeText::new("laptop"));
        vault.write(&file, &key, &changing).unwrap();
        let file = vault.read().unwrap();
        assert_eq!(file.recipients(), [name(&key), name(&server), name(&laptop)]);
        assert_eq!(file.others()[1].1.as_str(), "laptop");
        assert_eq!(file.protection(), Protection::FileMode);
        assert_eq!(vault.unprotected().unwrap().recipient(), key.recipient());
        let file = file.without(&name(&server)).without(&name(&key));
        assert_eq!(file.recipients(), [name(&key), name(&laptop)]);
    }

    #[test]
    fn it_tells_which_operation_is_done_with_it() {
        let (_root, vault, key) = made();
        let changing = vault.change().unwrap();
        let by = OpId::at(1);
        let file = vault.read().unwrap().rekeyed(&key, None).unwrap();
        vault.write(&file.by(by), &key, &changing).unwrap();
        assert!(vault.read().unwrap().is_by(&by.to_string()));
        assert!(!vault.read().unwrap().is_by(&OpId::at(0).to_string()));
        // What is one step of several says nothing.
        let file = vault.read().unwrap().rekeyed(&key, None).unwrap();
        vault.write(&file, &key, &changing).unwrap();
        assert!(!vault.read().unwrap().is_by(&by.to_string()));
    }

    #[test]
    fn it_belongs_to_its_owner_alone() {
        let (_root, vault, _) = made();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(vault.folder()), mode(&vault.path())), (0o700, 0o600));
        for (path, wide) in [(vault.path(), 0o640), (vault.folder().to_owned(), 0o750)] {
            let narrow = mode(&path);
            fs::set_permissions(&path, Permissions::from_mode(wide)).unwrap();
            assert!(matches!(vault.unprotected(), Err(Error::Permission(_))), "{path:?}");
            fs::set_permissions(&path, Permissions::from_mode(narrow)).unwrap();
        }
        vault.unprotected().map(drop).unwrap();
    }

    /// F25: never a panic, never written over.
    #[test]
    fn an_altered_key_file_is_refused_and_left_alone() {
        let (_root, vault, _) = made();
        let whole = fs::read(vault.path()).unwrap();
        let refused = |bytes: &[u8]| {
            fs::write(vault.path(), bytes).unwrap();
            let refused = matches!(vault.unprotected(), Err(Error::Damaged { .. }));
            assert_eq!(fs::read(vault.path()).unwrap(), bytes);
            refused
        };
        for at in 0..whole.len() {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            assert!(refused(&altered), "byte {at}");
            assert!(refused(&whole[..at]), "cut at {at}");
        }
        assert!(refused(&[0xff; 9]) && refused(&vec![b'x'; 70_000]));
        // Sound by itself, with a key that is not the one for which it seals.
        let text = String::from_utf8(whole.clone()).unwrap();
        let own = vault_of(&text).own.to_string();
        let head = text.rsplit_once("sum ").unwrap().0;
        let head = head.replace(&own, &Key::generate().recipient().unwrap().to_string());
        let sum = crc32fast::hash(head.as_bytes());
        assert!(refused(format!("{head}sum {sum:08x}\n").as_bytes()));
        fs::write(vault.path(), whole).unwrap();
        vault.unprotected().map(drop).unwrap();
        fs::remove_file(vault.path()).unwrap();
        assert!(matches!(vault.read(), Err(Error::Missing { .. })));
    }

    fn vault_of(text: &str) -> KeyFile {
        KeyFile::parse(text).unwrap()
    }

    #[test]
    fn a_wrong_passphrase_makes_the_next_try_later() {
        let (_root, vault, key) = made();
        let changing = vault.change().unwrap();
        let right = secret("correct horse");
        let file = vault.read().unwrap();
        assert!(matches!(file.rekeyed(&key, Some(&secret("short"))), Err(Error::TooShort(8))));
        vault.write(&file.rekeyed(&key, Some(&right)).unwrap(), &key, &changing).unwrap();
        assert_eq!(vault.read().unwrap().protection(), Protection::Passphrase);
        assert!(matches!(vault.unprotected(), Err(Error::Locked)));
        let written = fs::read_to_string(vault.path()).unwrap();
        assert!(!written.contains("AGE-SECRET-KEY"), "{written}");

        let clock = Clock::fixed("2024-03-01T00:00:00Z".parse().unwrap(), chrono_tz::UTC);
        let waited = std::cell::RefCell::new(Vec::new());
        let wait = |pause: Duration| waited.borrow_mut().push(pause.as_secs());
        for _ in 0..3 {
            // As another process would.
            let vault = Vault::at(vault.folder().to_owned());
            let tried = vault.unlock(&secret("wrong horse"), &clock, wait);
            assert!(matches!(tried, Err(Error::Wrong)));
        }
        assert_eq!(vault.pause(&clock).as_secs(), 4);
        let opened = vault.unlock(&right, &clock, wait).unwrap();
        assert_eq!(vault.pause(&clock).as_secs(), 0);
        assert_eq!(opened.recipient(), key.recipient());
        vault.unlock(&right, &clock, wait).map(drop).unwrap();
        assert_eq!(*waited.borrow(), [0, 1, 2, 4, 0], "and forgotten once it was right");
    }

    /// T5: who writes to the disk and has neither key nor passphrase names himself.
    #[test]
    fn machines_that_were_named_without_the_key_are_refused() {
        let (_root, vault, key) = made();
        let changing = vault.change().unwrap();
        let right = secret("correct horse");
        let laptop = Key::generate().recipient().unwrap();
        let file = vault.read().unwrap().with(laptop.clone(), SafeText::new("laptop"));
        let file = file.rekeyed(&key, Some(&right)).unwrap();
        vault.write(&file, &key, &changing).unwrap();
        vault.read_vouched(&key).map(drop).unwrap();
        let whole = fs::read_to_string(vault.path()).unwrap();
        let evil = Key::generate();
        let his = evil.recipient().unwrap();
        let said = |file: &KeyFile| evil.vouched(MACHINES, &file.machines()).next().unwrap();
        let clock = Clock::fixed("2024-03-01T00:00:00Z".parse().unwrap(), chrono_tz::UTC);
        let line = whole.lines().find(|line| line.starts_with("vouched")).unwrap();
        for text in [
            whole.replace("key pass", &format!("other {his} x\nkey pass")),
            whole.replace(&laptop.to_string(), &his.to_string()),
            whole.replace(&format!("{line}\n"), ""),
            whole.replace(line, &format!("vouched {}", said(&file))),
        ] {
            let head = text.rsplit_once("sum ").unwrap().0;
            let sum = crc32fast::hash(head.as_bytes());
            fs::write(vault.path(), format!("{head}sum {sum:08x}\n")).unwrap();
            let refused = |key: Result<()>| matches!(key, Err(Error::Damaged { .. }));
            assert!(refused(vault.unlock(&right, &clock, |_| {}).map(drop)), "{text}");
            assert!(refused(vault.read_vouched(&key).map(drop)), "{text}");
            let again = Key::parse(&key.written()).unwrap();
            assert!(refused(vault.accept(again, "a file").map(drop)), "{text}");
        }
        // Whoever opened it before it was renewed still knows it, and nobody with the old key alone
        // is believed by the new one.
        let both = key.renewed();
        let file = file.rekeyed(&both, None).unwrap();
        vault.write(&file, &both, &changing).unwrap();
        let text = vault.read().unwrap();
        let old = Key::parse(&secret(both.written().expose().lines().nth(1).unwrap())).unwrap();
        assert!(text.is_vouched(&old) && text.is_vouched(&both));
        assert!(matches!(vault.read_to_change(&old, &changing), Err(Error::Changed)));
        vault.write(&file, &old, &changing).unwrap();
        assert!(matches!(vault.unprotected(), Err(Error::Damaged { .. })));
    }

    #[test]
    fn a_key_of_another_vault_is_refused() {
        let (_root, vault, key) = made();
        assert!(vault.accept(key, "a file").is_ok());
        let error = vault.accept(Key::generate(), "/a/file").map(drop).unwrap_err();
        assert!(error.to_string().starts_with("/a/file holds the key of another"), "{error}");
    }
}
