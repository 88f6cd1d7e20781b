//! The key of a vault, and the public halves of it and of others. It knows no files.

use std::fmt;
use std::str::FromStr;

use age::secrecy::{ExposeSecret, SecretString};
use age::x25519;
use ring::hmac;
use zeroize::Zeroizing;

use super::{Error, Result};
use crate::model::{SafeText, Secret, hex};

/// How hard a passphrase is to try: 128 MiB and about half a second, the same on every machine.
const WORK: u8 = 17;
/// A file that asks for more was not written by us and would stop the machine.
const MOST_WORK: u8 = 18;

/// For whom a secret is sealed: a machine, by its public key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recipient(String);

impl FromStr for Recipient {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        match text.parse::<x25519::Recipient>() {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(Error::NoRecipient(SafeText::capped(text, 80).into_string())),
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Recipient {
    pub(super) fn public(&self) -> Result<x25519::Recipient> {
        self.0.parse().map_err(|_| Error::NoRecipient(self.0.clone()))
    }
}

/// What opens the secrets of a data folder: its key, and behind it the one that it had before while
/// secrets are being sealed anew. It is wiped from memory when it is dropped.
pub struct Key(Vec<x25519::Identity>);

impl Key {
    /// A new one.
    #[must_use]
    pub fn generate() -> Self {
        Self(vec![x25519::Identity::generate()])
    }

    /// A new one before this one, which goes on to open what it opened.
    #[must_use]
    pub fn renewed(self) -> Self {
        let mut all = vec![x25519::Identity::generate()];
        all.extend(self.0);
        Self(all)
    }

    /// Without the one from before.
    #[must_use]
    pub fn newest(&self) -> Self {
        Self(self.0.iter().take(1).cloned().collect())
    }

    /// Whether the one from before is still there.
    #[must_use]
    pub const fn is_being_renewed(&self) -> bool {
        self.0.len() > 1
    }

    /// For whom to seal what this key is to open.
    #[must_use]
    pub fn recipient(&self) -> Option<Recipient> {
        self.recipients().next()
    }

    /// The same, and behind it the one from before while that is there.
    pub(super) fn recipients(&self) -> impl Iterator<Item = Recipient> {
        self.0.iter().map(|identity| Recipient(identity.to_public().to_string()))
    }

    /// What an identity file holds, be it age's own or the key file of a vault without a passphrase.
    ///
    /// None: there is no identity in it.
    #[must_use]
    pub fn parse(text: &Secret) -> Option<Self> {
        let lines = text.expose().lines().map(str::trim);
        let lines = lines.filter(|line| line.starts_with("AGE-SECRET-KEY-"));
        let all: std::result::Result<Vec<x25519::Identity>, _> = lines.map(str::parse).collect();
        all.ok().filter(|all| !all.is_empty()).map(Self)
    }

    /// The same, to be kept.
    #[must_use]
    pub(super) fn written(&self) -> Secret {
        let mut text = Zeroizing::new(String::with_capacity(80 * self.0.len()));
        for identity in &self.0 {
            text.push_str(identity.to_string().expose_secret());
            text.push('\n');
        }
        Secret::new(std::mem::take(&mut *text))
    }

    /// What only who has this key can say of a text of some form: a line each for it and for the one
    /// from before, which goes on to be in use where somebody opened it earlier.
    pub fn vouched<'a>(
        &'a self,
        form: &'a str,
        text: &'a str,
    ) -> impl Iterator<Item = String> + 'a {
        self.0.iter().map(move |identity| {
            let secret = identity.to_string();
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
            let mut whole = hmac::Context::with_key(&key);
            for part in [form, "\n", text] {
                whole.update(part.as_bytes());
            }
            hex(whole.sign().as_ref())
        })
    }

    pub(super) fn identities(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.0.iter().map(|identity| identity as &dyn age::Identity)
    }
}

/// Wraps a key in a passphrase, as armoured age.
pub(super) fn wrap(key: &Key, passphrase: &Secret) -> Result<String> {
    wrap_with(key, passphrase, WORK)
}

fn wrap_with(key: &Key, passphrase: &Secret, work: u8) -> Result<String> {
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase.expose()));
    recipient.set_work_factor(work);
    Ok(age::encrypt_and_armor(&recipient, key.written().expose().as_bytes())?)
}

/// The key in an armoured file; none: the passphrase is wrong, or the file was altered.
pub(super) fn unwrap(armoured: &str, passphrase: &Secret) -> Option<Key> {
    let mut identity = age::scrypt::Identity::new(SecretString::from(passphrase.expose()));
    identity.set_max_work_factor(MOST_WORK);
    let text = Zeroizing::new(age::decrypt(&identity, armoured.as_bytes()).ok()?);
    Key::parse(&Secret::new(std::str::from_utf8(&text).ok()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_wrapped_key_is_had_with_its_passphrase_alone() {
        let key = Key::generate().renewed();
        let wrapped = wrap_with(&key, &secret("correct horse"), 4).unwrap();
        let again = unwrap(&wrapped, &secret("correct horse")).unwrap();
        assert_eq!(again.recipient(), key.recipient());
        assert!(again.is_being_renewed() && !again.newest().is_being_renewed());
        assert!(unwrap(&wrapped, &secret("correct hors")).is_none());
        assert!(unwrap(&wrapped.replace('A', "B"), &secret("correct horse")).is_none());
        assert!(!wrapped.contains("AGE-SECRET-KEY"));
    }

    /// T6: a bomb is refused before any work is done.
    #[test]
    fn a_file_that_asks_for_too_much_work_is_refused_at_once() {
        let key = Key::generate();
        let wrapped = wrap_with(&key, &secret("x"), 4).unwrap();
        let mut bytes = Vec::new();
        age::armor::ArmoredReader::new(wrapped.as_bytes()).read_to_end(&mut bytes).unwrap();
        let at = bytes.windows(3).position(|three| three == b" 4\n").unwrap();
        let (head, rest) = (&bytes[..at], &bytes[at + 2..]);
        let asking = |work: &str| [head, b" ", work.as_bytes(), rest].concat();
        let mut identity = age::scrypt::Identity::new("x".into());
        identity.set_max_work_factor(MOST_WORK);
        assert!(age::decrypt(&identity, &asking("4")).is_ok(), "it is the work alone");
        for work in ["19", "23", "30"] {
            let refused = age::decrypt(&identity, &asking(work)).unwrap_err();
            assert!(matches!(refused, age::DecryptError::ExcessiveWork { .. }), "{refused}");
        }
    }

    #[test]
    fn an_identity_file_may_have_comments() {
        let key = Key::generate();
        let text = format!("# created: today\n\n{}", key.written().expose());
        assert_eq!(Key::parse(&secret(&text)).unwrap().recipient(), key.recipient());
        for wrong in ["", "# nothing", "AGE-SECRET-KEY-1QQQ", "age1abc"] {
            assert!(Key::parse(&secret(wrong)).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_recipient_is_checked_before_it_is_believed() {
        let right = Key::generate().recipient().unwrap().to_string();
        assert_eq!(format!(" {right}\n").parse::<Recipient>().unwrap().to_string(), right);
        let mut wrong = right.clone();
        wrong.pop();
        assert!(wrong.parse::<Recipient>().is_err());
        assert!(Key::generate().written().expose().parse::<Recipient>().is_err());
    }
}
