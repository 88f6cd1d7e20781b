//! A pair of keys as its owner brings it: two words, or the lines of a file that sets the variables
//! other programs read, and where it is good, if that is said.

use url::Url;

use super::super::field::WORDS;
use super::super::{Error, Result};
use crate::model::{SafeText, Secret};

/// No key is shorter.
const SHORTEST_ID: usize = 12;
const SHORTEST_SECRET: usize = 24;
/// No key is longer.
const LONGEST: usize = 256;

/// One of its two places, which know different keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Real money.
    Live,
    /// Play money.
    Paper,
}

impl Place {
    pub const fn host(self) -> &'static str {
        match self {
            Self::Live => "api.alpaca.markets",
            Self::Paper => "paper-api.alpaca.markets",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Paper => "paper",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        let is_said = |place: &Self| {
            let is_host =
                |url: &Url| url.scheme() == "https" && url.host_str() == Some(place.host());
            word.eq_ignore_ascii_case(place.word())
                || Url::parse(word).is_ok_and(|url| is_host(&url))
        };
        [Self::Live, Self::Paper].into_iter().find(is_said)
    }
}

/// Two keys, and the place they are said to be of.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    id: &'a str,
    secret: &'a str,
    pub place: Option<Place>,
}

/// The same with the place they are of.
pub(super) struct Placed<'a> {
    id: &'a str,
    secret: &'a str,
    pub place: Place,
}

pub(super) fn no_keys() -> Error {
    Error::Refused(SafeText::new(
        "these are no keys of Alpaca: the key ID and the secret key, and `live` or `paper` where you \
         want to say so; copy both from its dashboard",
    ))
}

/// That the variable of the address names another one. Of that, only the host is told.
fn elsewhere(address: &str) -> Error {
    let url = Url::parse(address).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or("no address");
    Error::Refused(SafeText::capped(
        &format!(
            "APCA_API_BASE_URL names {host}: it has to be https://{} or https://{}, or to be left out",
            Place::Live.host(),
            Place::Paper.host()
        ),
        WORDS,
    ))
}

/// That a place, or both, do not take them.
pub(super) fn refused(said: Option<Place>) -> Error {
    Error::Refused(SafeText::new(match said {
        Some(Place::Paper) => {
            "Alpaca does not take these keys for a paper account; those of a live account are others: \
             bring them without `paper`, or make new ones in the paper dashboard"
        }
        Some(Place::Live) => {
            "Alpaca does not take these keys for a live account; those of a paper account are others: \
             bring them without `live`, or make new ones in the live dashboard"
        }
        None => {
            "Alpaca takes these keys neither for a live nor for a paper account; copy both anew, or \
             make new ones: the secret is shown once"
        }
    }))
}

/// What was brought, without the words around it.
pub(super) fn read(brought: &Secret) -> Result<Secret> {
    let pair = Pair::read(brought)?;
    Ok(written(pair.place, pair.id, pair.secret))
}

fn written(place: Option<Place>, id: &str, secret: &str) -> Secret {
    let place = place.map_or("", Place::word);
    Secret::new(format!("{place}\n{id}\n{secret}"))
}

impl<'a> Pair<'a> {
    pub fn read(brought: &'a Secret) -> Result<Self> {
        let (mut bare, mut place) = (Vec::new(), None);
        let (mut id, mut secret) = (None, None);
        for word in brought.expose().split_whitespace() {
            let named = word.split_once('=').map(|(name, value)| (name, unquoted(value)));
            match named {
                Some(("APCA_API_KEY_ID", value)) => id = Some(value),
                Some(("APCA_API_SECRET_KEY", value)) => secret = Some(value),
                Some(("APCA_API_BASE_URL", value)) => {
                    place = Some(Place::of_word(value).ok_or_else(|| elsewhere(value))?);
                }
                _ if word == "export" => {}
                _ => match Place::of_word(word) {
                    Some(said) => place = Some(said),
                    None => bare.push(unquoted(word)),
                },
            }
        }
        let mut bare = bare.into_iter();
        let id = id.or_else(|| bare.next());
        let secret = secret.or_else(|| bare.next());
        let is_one = |text: &&str, shortest: usize| {
            let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
            is_plain && (shortest..=LONGEST).contains(&text.len())
        };
        let id = id.filter(|id| is_one(id, SHORTEST_ID));
        let secret = secret.filter(|secret| is_one(secret, SHORTEST_SECRET));
        match (id, secret, bare.next()) {
            (Some(id), Some(secret), None) => Ok(Self { id, secret, place }),
            _ => Err(no_keys()),
        }
    }

    pub const fn at(self, place: Place) -> Placed<'a> {
        Placed { id: self.id, secret: self.secret, place }
    }
}

impl Placed<'_> {
    /// As they are kept.
    pub fn kept(&self) -> Secret {
        written(Some(self.place), self.id, self.secret)
    }

    pub fn id(&self) -> Secret {
        Secret::new(self.id.to_owned())
    }

    pub fn secret(&self) -> Secret {
        Secret::new(self.secret.to_owned())
    }
}

fn unquoted(text: &str) -> &str {
    text.trim_matches(['"', '\''])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "PKTESTTESTTESTTEST01";
    const SECRET: &str = "abcdefghijklmnopqrstuvwxyz0123456789/+AB";

    fn brought(text: &str) -> Option<String> {
        read(&Secret::new(text.to_owned())).ok().map(|kept| kept.expose().to_owned())
    }

    #[test]
    fn keys_are_read_however_they_were_copied() {
        let kept = |place: &str| Some(format!("{place}\n{ID}\n{SECRET}"));
        for (text, place) in [
            (format!("{ID} {SECRET}"), ""),
            (format!(" {ID}\r\n{SECRET}\n\n"), ""),
            (format!("{ID}\n{SECRET}\npaper\n"), "paper"),
            (format!("LIVE {ID} {SECRET}"), "live"),
            (format!("https://paper-api.alpaca.markets/v2 {ID} {SECRET}"), "paper"),
            (
                format!(
                    "export APCA_API_SECRET_KEY=\"{SECRET}\"\nexport APCA_API_KEY_ID='{ID}'\n\
                     APCA_API_BASE_URL=https://api.alpaca.markets\n"
                ),
                "live",
            ),
        ] {
            assert_eq!(brought(&text), kept(place), "{text}");
            assert_eq!(brought(&brought(&text).unwrap()), kept(place), "as it is kept");
        }
        for wrong in [
            "",
            "My broker",
            ID,
            SECRET,
            &format!("{ID} {SECRET} more"),
            &format!("{SECRET} {ID}"),
            &format!("{ID} {SECRET}é"),
            &format!("APCA_API_BASE_URL=https://evil.example {ID} {SECRET}"),
            &format!("APCA_API_BASE_URL=http://api.alpaca.markets {ID} {SECRET}"),
        ] {
            assert_eq!(brought(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn another_address_is_named_and_nothing_that_is_in_it() {
        for (address, named) in [
            ("https://me:c4n4ry@data.alpaca.markets/v2?c4n4ry", "names data.alpaca.markets: "),
            ("http://api.alpaca.markets", "names api.alpaca.markets: it has to be https://api."),
            ("c4n4ry", "names no address: "),
        ] {
            let text = format!("APCA_API_BASE_URL={address} {ID} {SECRET}");
            let why = read(&Secret::new(text)).err().unwrap().to_string();
            assert!(why.contains(named) && !why.contains("c4n4ry"), "{why}");
        }
    }
}
