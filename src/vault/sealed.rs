//! Sealing a secret for the machines that may open it, and opening it. It knows no store.

use std::io::{Read as _, Write as _};

use zeroize::Zeroizing;

use super::{Error, Key, Recipient, Result};
use crate::model::{ConnectionId, Secret};

/// No sealed secret is longer: a token set is a few kilobytes.
const LONGEST: u64 = 64 << 10;
/// What begins the plaintext: the form of it.
const FORM: &str = "dashtam-secret/1";

/// Where a secret belongs. It is sealed with it, so that it opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whose it is.
    pub connection: ConnectionId,
    /// How often it was renewed, from 1 on.
    pub generation: i64,
}

/// Seals a secret for these recipients.
///
/// # Errors
/// When there is no recipient, or one of them is none.
pub fn seal(recipients: &[Recipient], place: Place, secret: &Secret) -> Result<Vec<u8>> {
    let Place { connection, generation } = place;
    seal_under(recipients, &format!("{FORM} {connection} {generation}"), secret)
}

/// The same for what belongs to no connection: a line says what it is.
///
/// # Errors
/// As [`seal`].
pub fn seal_under(recipients: &[Recipient], label: &str, secret: &Secret) -> Result<Vec<u8>> {
    let publics: Vec<_> = recipients.iter().map(Recipient::public).collect::<Result<_>>()?;
    let publics = publics.iter().map(|public| public as &dyn age::Recipient);
    let mut sealed = Vec::new();
    let wrapped = age::Encryptor::with_recipients(publics)?.wrap_output(&mut sealed);
    let written = wrapped.and_then(|mut out| {
        out.write_all(label.as_bytes())?;
        out.write_all(b"\n")?;
        out.write_all(secret.expose().as_bytes())?;
        out.finish()
    });
    written.map_err(age::EncryptError::from)?;
    Ok(sealed)
}

/// Opens a secret that must belong to this place.
///
/// # Errors
/// When the key does not open it, it was altered, or it belongs elsewhere.
pub fn open(key: &Key, place: Place, sealed: &[u8]) -> Result<Secret> {
    let not_for_us = || Error::NotForUs(place.connection);
    let (head, secret) = opened(key, sealed).ok_or_else(not_for_us)?;
    let found = place_in(&head).ok_or_else(not_for_us)?;
    match found == place {
        true => Ok(secret),
        false => Err(Error::Swapped { expected: place, found }),
    }
}

/// Opens what was sealed under this line; none: the key does not open it, or it is something else.
#[must_use]
pub fn open_under(key: &Key, label: &str, sealed: &[u8]) -> Option<Secret> {
    opened(key, sealed).filter(|(head, _)| head == label).map(|(_, secret)| secret)
}

/// The line above a secret, and the secret.
fn opened(key: &Key, sealed: &[u8]) -> Option<(String, Secret)> {
    let opened = age::Decryptor::new(sealed).and_then(|it| it.decrypt(key.identities())).ok()?;
    let mut text = Zeroizing::new(Vec::with_capacity(sealed.len()));
    opened.take(LONGEST).read_to_end(&mut text).ok()?;
    let (head, secret) = std::str::from_utf8(&text).ok()?.split_once('\n')?;
    Some((head.to_owned(), Secret::new(secret.to_owned())))
}

fn place_in(head: &str) -> Option<Place> {
    let (connection, generation) = head.strip_prefix(FORM)?.trim_start().split_once(' ')?;
    let connection = ConnectionId(connection.parse().ok()?);
    Some(Place { connection, generation: generation.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place = Place { connection: ConnectionId(7), generation: 3 };

    fn sealed_for(keys: &[&Key]) -> Vec<u8> {
        let recipients: Vec<_> = keys.iter().filter_map(|key| key.recipient()).collect();
        seal(&recipients, HERE, &Secret::new("canary\nof two lines".to_owned())).unwrap()
    }

    #[test]
    fn every_recipient_opens_it_and_nobody_else() {
        let (ours, theirs, strange) = (Key::generate(), Key::generate(), Key::generate());
        let sealed = sealed_for(&[&ours, &theirs]);
        for key in [&ours, &theirs] {
            assert_eq!(open(key, HERE, &sealed).unwrap().expose(), "canary\nof two lines");
        }
        let error = open(&strange, HERE, &sealed).map(drop).unwrap_err();
        assert!(matches!(error, Error::NotForUs(ConnectionId(7))), "{error}");
        let renewed = ours.renewed();
        assert!(open(&renewed, HERE, &sealed).is_ok(), "the key from before opens it too");
        assert!(open(&renewed.newest(), HERE, &sealed).is_err());
        assert!(seal(&[], HERE, &Secret::new(String::new())).is_err(), "for nobody");
    }

    #[test]
    fn it_opens_at_its_place_only() {
        let key = Key::generate();
        let sealed = sealed_for(&[&key]);
        for elsewhere in [
            Place { connection: ConnectionId(8), ..HERE },
            Place { generation: 2, ..HERE },
            Place { generation: 4, ..HERE },
        ] {
            let error = open(&key, elsewhere, &sealed).map(drop).unwrap_err().to_string();
            let names = [HERE, elsewhere].map(|it| format!("connection {} ", it.connection));
            assert!(names.iter().all(|name| error.contains(name)), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }

    /// F25.
    #[test]
    fn whatever_is_altered_or_cut_off_is_refused() {
        let key = Key::generate();
        let sealed = sealed_for(&[&key]);
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(open(&key, HERE, &altered).is_err(), "byte {at}");
            assert!(open(&key, HERE, &sealed[..at]).is_err(), "cut at {at}");
        }
        assert!(open(&key, HERE, b"").is_err());
    }
}
