//! A setup token, which is the address it is claimed at in other letters, and what it is claimed for.

use url::Url;
use zeroize::Zeroizing;

use super::super::{Error, Result};
use crate::http::{self, Why};
use crate::model::{SafeText, Secret};

/// No address is longer.
const LONGEST: usize = 4096;

fn no_token() -> Error {
    Error::Refused(SafeText::new(
        "this is no setup token of SimpleFIN; copy all of it from the Bridge",
    ))
}

pub(super) fn no_access() -> Error {
    Error::Unavailable(SafeText::new("what came for the token is no address with a login in it"))
}

/// That an address does not lead to the service. Nothing was sent there.
pub(super) fn elsewhere(url: &Url) -> Error {
    let host = SafeText::capped(url.host_str().unwrap_or("an address without a host"), 255);
    http::Error { host, why: Why::NotAllowed, sent: false }.into()
}

/// The token without the blanks that were pasted with it. Somebody who has claimed one already may
/// bring the address that came for it.
pub(super) fn read(pasted: &Secret) -> Result<(Secret, Url)> {
    let text: String = pasted.expose().split_whitespace().collect();
    let text = Secret::new(text);
    let url = match is_one(&text) {
        true => claim_url(&text)?,
        false => {
            let access = access_of(text.expose().as_bytes()).map_err(|_| no_token())?;
            Url::parse(access.expose()).map_err(|_| no_token())?
        }
    };
    Ok((text, url))
}

/// Whether it is a token, and not the address that came for one.
pub(super) fn is_one(secret: &Secret) -> bool {
    !secret.expose().contains(':')
}

/// Where a token is claimed.
pub(super) fn claim_url(token: &Secret) -> Result<Url> {
    let bytes = from_base64(token.expose()).ok_or_else(no_token)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| no_token())?;
    let url = Url::parse(text.trim()).map_err(|_| no_token())?;
    match url.scheme() {
        "https" | "http" if url.has_host() => Ok(url),
        _ => Err(no_token()),
    }
}

/// The address that came for a token: with a login in it, and nothing else.
pub(super) fn access_of(body: &[u8]) -> Result<Secret> {
    let text = std::str::from_utf8(body).map_err(|_| no_access())?;
    let text = text.trim().trim_matches('"').trim();
    let url = Url::parse(text).map_err(|_| no_access())?;
    let has_login = !url.username().is_empty() && url.password().is_some();
    match url.scheme() {
        "https" | "http" if has_login && url.has_host() && text.len() <= LONGEST => {
            Ok(Secret::new(text.to_owned()))
        }
        _ => Err(no_access()),
    }
}

/// Reads either alphabet, with or without its padding.
fn from_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = text.trim_end_matches('=');
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut held, mut bits) = (0_u32, 0_u32);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        held = (held << 6 | u32::from(value)) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url_of(token: &str) -> Option<String> {
        read(&Secret::new(token.to_owned())).ok().map(|(_, url)| url.to_string())
    }

    /// 22.
    #[test]
    fn a_token_is_read_however_it_was_pasted() {
        let url = Some("https://bridge.simplefin.org/simplefin/claim/demo?x=1".to_owned());
        let whole = "aHR0cHM6Ly9icmlkZ2Uuc2ltcGxlZmluLm9yZy9zaW1wbGVmaW4vY2xhaW0vZGVtbz94PTE=";
        assert_eq!(url_of(whole), url);
        assert_eq!(url_of(whole.trim_end_matches('=')), url);
        let (first, rest) = whole.split_at(30);
        let broken = format!("  {first}\n {rest}\t\r\n");
        assert_eq!(url_of(&broken), url);
        // `??>` is the same in both alphabets but for one letter.
        assert_eq!(url_of("aHR0cHM6Ly9iLmV4YW1wbGUvPz8-"), url_of("aHR0cHM6Ly9iLmV4YW1wbGUvPz8+"));
        for wrong in
            ["", "====", "not base64!", "aGVsbG8=", "ZnRwOi8vYmFuay5leGFtcGxl", "Zg", "\u{e9}"]
        {
            assert_eq!(url_of(wrong), None, "{wrong}");
        }
    }

    /// 23.
    #[test]
    fn only_an_address_with_a_login_is_an_access() {
        let access = |body: &str| access_of(body.as_bytes()).ok().map(|it| it.expose().to_owned());
        let right = Some("https://u%40x:p%2F%3A@bridge.simplefin.org/simplefin".to_owned());
        for body in ["", "\n", "\"", " \""] {
            let whole = format!("{body}{}{body}", right.as_deref().unwrap());
            assert_eq!(access(&whole), right, "{whole:?}");
        }
        for wrong in [
            "",
            "https://bridge.simplefin.org/simplefin",
            "<html>Internal Server Error</html>",
            "{\"error\":\"no\"}",
            "ftp://u:p@bridge.simplefin.org/",
            "u:p@bridge.simplefin.org",
        ] {
            assert_eq!(access(wrong), None, "{wrong}");
        }
        assert!(access_of(b"\xff\xfe").is_err());
    }
}
