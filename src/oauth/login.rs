//! One sign-in in a browser: the address to open, and the address that the browser ends at. It may
//! come by itself or be pasted: whole or only what matters of it, encoded or not.

use std::fmt;

use ring::digest::{SHA256, digest};
use url::Url;
use zeroize::Zeroizing;

use super::{NoChance, secret_word};
use crate::http::base64;
use crate::model::{App, OAuthSpec, SafeText, Secret};

/// No address and no code is longer.
const LONGEST: usize = 8 << 10;
/// The most bytes of a service's own words.
const WORDS: usize = 200;

/// A sign-in that was begun. Its `state` serves once: whoever has read an answer is done with it.
pub struct Login {
    url: Url,
    callback: String,
    issuer: String,
    state: Zeroizing<String>,
    verifier: Option<Zeroizing<String>>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

/// What the browser came back with: it is exchanged once, and soon.
pub struct Code {
    /// The code.
    pub code: Secret,
    /// Where the browser was sent back to, as it was registered.
    pub callback: String,
    /// The proof that who began is who ends.
    pub verifier: Option<Zeroizing<String>>,
}

/// Why what was pasted, or came by itself, is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCode {
    /// Nothing that could be meant.
    #[error(
        "this is neither the address that the browser ended at nor the code in it; copy all of the address bar"
    )]
    Nothing,
    /// It is the address to sign in at.
    #[error(
        "this is the address to sign in at; open it in a browser, agree, and paste the one that the browser ends at"
    )]
    Question,
    /// Another address altogether.
    #[error("this address is not {callback}, which the app is registered with")]
    Elsewhere {
        /// Where the browser is sent back to.
        callback: String,
    },
    /// It answers another question.
    #[error(
        "this address answers another sign-in (its `state` is missing or wrong); begin again and paste the new one"
    )]
    OtherState,
    /// It comes from somebody else.
    #[error("this address says that somebody else gave the consent; nothing of it was used")]
    OtherIssuer,
    /// Something stands in it twice.
    #[error("`{0}` stands twice in this address; nothing of it was used")]
    Twice(&'static str),
    /// The owner, or the service, said no.
    #[error("the consent was not given: {0}")]
    Denied(SafeText),
}

impl Login {
    /// Begins one: `authorize` is the address to agree at, `callback` the one that is registered.
    ///
    /// # Errors
    /// When the machine has no chance to give.
    pub fn begin(
        spec: &OAuthSpec,
        mut authorize: Url,
        callback: &str,
        app: &App,
    ) -> Result<Self, NoChance> {
        let state = Zeroizing::new(secret_word()?);
        let verifier = match spec.pkce {
            true => Some(Zeroizing::new(secret_word()?)),
            false => None,
        };
        let mut query = authorize.query_pairs_mut();
        query.append_pair("response_type", "code");
        query.append_pair("client_id", &app.key);
        query.append_pair("redirect_uri", callback);
        query.append_pair("state", &state);
        if let Some(verifier) = &verifier {
            query.append_pair("code_challenge", &challenge(verifier));
            query.append_pair("code_challenge_method", "S256");
        }
        drop(query);
        let (callback, issuer) = (callback.to_owned(), spec.issuer.to_owned());
        Ok(Self { url: authorize, callback, issuer, state, verifier })
    }

    /// The address to open in a browser. Who sees it can do nothing with it.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// Where the browser is sent back to.
    #[must_use]
    pub fn callback(&self) -> &str {
        &self.callback
    }

    /// Reads what the browser came back with. Only a code that stands alone is believed without its
    /// `state`: whoever typed it has read it where it belongs.
    ///
    /// # Errors
    /// [`NoCode`] says why it is none.
    pub fn read(&self, pasted: &Secret) -> Result<Code, NoCode> {
        let text = Zeroizing::new(pasted.expose().split_whitespace().collect::<String>());
        let text = text.trim_matches(['"', '\'', '<', '>']);
        if text.is_empty() || text.len() > LONGEST {
            return Err(NoCode::Nothing);
        }
        let code = match self.as_address(text)? {
            Some(url) => self.code_in(&url)?,
            None => bare_code(text)?,
        };
        let (callback, verifier) = (self.callback.clone(), self.verifier.clone());
        Ok(Code { code, callback, verifier })
    }

    /// Whether an address answers this question, be it with a code or with a refusal.
    #[must_use]
    pub fn is_answered_by(&self, address: &Secret) -> bool {
        matches!(self.read(address), Ok(_) | Err(NoCode::Denied(_)))
    }

    /// The address that a text is; none: it is none at all. Browsers hide how one begins, and some
    /// people copy only what stands behind the question mark.
    fn as_address(&self, text: &str) -> Result<Option<Url>, NoCode> {
        let begins = |with: &str| {
            text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
        };
        let whole = if begins("https://") || begins("http://") {
            text.to_owned()
        } else if begins("https%3A") || begins("http%3A") {
            decoded(text).ok_or(NoCode::Nothing)?
        } else if let Some(text) =
            decoded(text).filter(|it| !text.contains('=') && it.contains("code="))
        {
            // The same, encoded.
            return self.as_address(&text);
        } else if text.contains("code=") || text.contains("error=") {
            match text.split_once('?') {
                Some((host, _)) if !host.is_empty() => format!("https://{text}"),
                Some((_, query)) => format!("{}?{query}", self.callback),
                None => format!("{}?{text}", self.callback),
            }
        } else {
            return Ok(None);
        };
        Url::parse(&whole).map(Some).map_err(|_| NoCode::Nothing)
    }

    fn code_in(&self, url: &Url) -> Result<Secret, NoCode> {
        if !is_same_place(url, &self.callback) {
            return Err(match is_same_place(url, self.url.as_str()) {
                true => NoCode::Question,
                false => NoCode::Elsewhere { callback: self.callback.clone() },
            });
        }
        let one = |name: &'static str| {
            let mut all = url.query_pairs().filter(|(key, _)| key == name);
            let first = all.next().map(|(_, value)| Zeroizing::new(value.into_owned()));
            match all.next() {
                Some(_) => Err(NoCode::Twice(name)),
                None => Ok(first),
            }
        };
        let state = one("state")?.ok_or(NoCode::OtherState)?;
        if !is_same(state.as_bytes(), self.state.as_bytes()) {
            return Err(NoCode::OtherState);
        }
        if one("iss")?.is_some_and(|issuer| *issuer != self.issuer) {
            return Err(NoCode::OtherIssuer);
        }
        if let Some(error) = one("error")? {
            let words = one("error_description")?.filter(|words| !words.trim().is_empty());
            return Err(NoCode::Denied(SafeText::capped(words.unwrap_or(error).trim(), WORDS)));
        }
        let code = one("code")?.ok_or(NoCode::Nothing)?;
        // A plus is a blank in a form, and there is no blank in a code.
        plain(code.replace(' ', "+")).ok_or(NoCode::Nothing)
    }
}

/// A code that stands alone, as it is or as it stands in an address.
fn bare_code(text: &str) -> Result<Secret, NoCode> {
    let code = decoded(text).ok_or(NoCode::Nothing)?;
    // Where anything of an address is left, its `state` would not be looked at.
    let is_alone = !code.contains(['/', '?', '&', '=']);
    plain(code).filter(|_| is_alone).ok_or(NoCode::Nothing)
}

/// A code can be sent only where it is plain letters.
fn plain(code: String) -> Option<Secret> {
    let is_plain = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_graphic());
    let code = Secret::new(code);
    is_plain.then_some(code)
}

/// What is encoded for an address, once decoded.
fn decoded(text: &str) -> Option<String> {
    // A plus means itself here: this is no form.
    let form = Zeroizing::new(format!("x={}", text.replace('+', "%2B").replace('&', "%26")));
    url::form_urlencoded::parse(form.as_bytes()).next().map(|(_, value)| value.into_owned())
}

/// The same scheme, host, port and path; nothing else of it matters.
fn is_same_place(url: &Url, other: &str) -> bool {
    Url::parse(other).is_ok_and(|other| {
        url.origin() == other.origin() && url.path() == other.path() && url.username().is_empty()
    })
}

/// Compares without telling by the time it takes how much of it was right.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let differs = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && differs == 0
}

/// What proves the verifier without telling it (RFC 7636, `S256`).
fn challenge(verifier: &str) -> String {
    let coded = base64(digest(&SHA256, verifier.as_bytes()).as_ref());
    coded.trim_end_matches('=').replace('+', "-").replace('/', "_")
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const CALLBACK: &str = "https://127.0.0.1:8182";

    fn begun(pkce: bool) -> Login {
        let spec = OAuthSpec {
            authorize: "/oauth/authorize",
            token: "/oauth/token",
            issuer: "https://bank.example",
            portal: "https://developer.bank.example",
            pkce,
            scope: None,
            consent: TimeDelta::days(7),
            access: TimeDelta::minutes(30),
        };
        let app = App { key: "KEY".to_owned(), secret: Secret::new("secret".to_owned()) };
        let url = "https://bank.example/oauth/authorize".parse().unwrap();
        Login::begin(&spec, url, CALLBACK, &app).unwrap()
    }

    fn read(login: &Login, text: &str) -> Result<String, NoCode> {
        let code = login.read(&Secret::new(text.to_owned()))?;
        Ok(code.code.expose().to_owned())
    }

    #[test]
    fn the_question_says_who_asks_and_cannot_be_guessed() {
        let (one, other) = (begun(false), begun(false));
        let pair = |login: &Login, name: &str| {
            let found = login.url().query_pairs().find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned())
        };
        assert_eq!(pair(&one, "response_type").as_deref(), Some("code"));
        assert_eq!(pair(&one, "client_id").as_deref(), Some("KEY"));
        assert_eq!(pair(&one, "redirect_uri").as_deref(), Some(CALLBACK), "to the byte");
        assert_eq!(pair(&one, "state").unwrap().len(), 64, "256 bits");
        assert_ne!(pair(&one, "state"), pair(&other, "state"));
        assert_eq!(pair(&one, "code_challenge"), None, "only where it is taken");
        assert!(!one.url().as_str().contains("secret"));
        let proving = begun(true);
        assert_eq!(pair(&proving, "code_challenge_method").as_deref(), Some("S256"));
        let answer = format!("?code=C0.x&state={}", *proving.state);
        let verifier = proving.read(&Secret::new(answer)).unwrap().verifier.unwrap();
        assert_eq!(verifier.len(), 64);
        assert_eq!(pair(&proving, "code_challenge"), Some(challenge(&verifier)));
        // The example of RFC 7636, appendix B.
        let right = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert_eq!(challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), right);
    }

    #[test]
    fn a_code_is_read_however_it_is_pasted() {
        let login = begun(false);
        let state = login.state.to_string();
        let whole = format!("{CALLBACK}/?code=C0.abc%40&session=1b&state={state}");
        let encoded =
            format!("https%3A%2F%2F127.0.0.1%3A8182%2F%3Fcode%3DC0.abc%2540%26state%3D{state}");
        for text in [
            whole.clone(),
            format!(" \n{}\n{} ", whole.split_at(40).0, whole.split_at(40).1),
            format!("\"{whole}\""),
            format!("{CALLBACK}/?state={state}&session=1b&code=C0.abc%40"),
            format!("{CALLBACK}?code=C0.abc@&state={state}#top"),
            format!("127.0.0.1:8182/?code=C0.abc%40&state={state}"),
            format!("?code=C0.abc%40&state={state}"),
            format!("code=C0.abc%40&state={state}"),
            encoded.clone(),
            encoded.trim_start_matches("https%3A%2F%2F").to_owned(),
            format!("code%3DC0.abc%2540%26state%3D{state}"),
            "C0.abc@".to_owned(),
            "C0.abc%40".to_owned(),
        ] {
            assert_eq!(read(&login, &text).as_deref(), Ok("C0.abc@"), "{text}");
        }
        // It is decoded once, and a plus in it stays one.
        let twice = format!("{CALLBACK}/?code=a%252B%2Bb+c&state={state}");
        assert_eq!(read(&login, &twice).as_deref(), Ok("a%2B+b+c"));
        assert_eq!(read(&login, "a+b%2Bc").as_deref(), Ok("a+b+c"));
    }

    /// F70, F71, F73.
    #[test]
    fn what_is_no_answer_is_said_and_never_used() {
        let login = begun(false);
        let state = login.state.to_string();
        let other = begun(false).state.to_string();
        let elsewhere = || NoCode::Elsewhere { callback: CALLBACK.to_owned() };
        let at = |rest: &str| format!("{CALLBACK}/?{rest}");
        for (text, why) in [
            (String::new(), NoCode::Nothing),
            ("two words \u{e9}".to_owned(), NoCode::Nothing),
            ("x".repeat(9000), NoCode::Nothing),
            ("127.0.0.1%3A8182%2F%3Fsession%3D1".to_owned(), NoCode::Nothing),
            ("C0.a%40%26state".to_owned(), NoCode::Nothing),
            ("127.0.0.1%3A8182%2Fback".to_owned(), NoCode::Nothing),
            ("code%3DC0.a%2540".to_owned(), NoCode::OtherState),
            (login.url().to_string(), NoCode::Question),
            (at("code=C0.a%40"), NoCode::OtherState),
            (at(&format!("code=C0.a%40&state={other}")), NoCode::OtherState),
            (at(&format!("code=C0.a%40&state={}", state.split_at(63).0)), NoCode::OtherState),
            (at(&format!("code=C0.a&state={state}&state={state}")), NoCode::Twice("state")),
            (at(&format!("code=C0.a&code=C0.b&state={state}")), NoCode::Twice("code")),
            (at(&format!("state={state}")), NoCode::Nothing),
            (at(&format!("code=&state={state}")), NoCode::Nothing),
            (at(&format!("code=C0.a&state={state}&iss=https://evil.example")), NoCode::OtherIssuer),
            (format!("https://evil.example/?code=C0.a&state={state}"), elsewhere()),
            (format!("http://127.0.0.1:8182/?code=C0.a&state={state}"), elsewhere()),
            (format!("https://127.0.0.1:8183/?code=C0.a&state={state}"), elsewhere()),
            (format!("{CALLBACK}/other?code=C0.a&state={state}"), elsewhere()),
        ] {
            assert_eq!(read(&login, &text), Err(why), "{text}");
        }
        let right = at(&format!("code=C0.a&state={state}&iss=https://bank.example"));
        assert_eq!(read(&login, &right).as_deref(), Ok("C0.a"));
        let denied = |rest: &str| match read(&login, &at(&format!("{rest}&state={state}"))) {
            Err(NoCode::Denied(words)) => words.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(denied("error=access_denied"), "access_denied");
        let words = denied("error=access_denied&error_description=go%1B%5B2J%07%0D%0Aaway");
        assert!(!words.contains(['\u{1b}', '\u{7}', '\r', '\n']), "{words:?}");
        let long = denied(&format!("error=x&error_description={}", "y".repeat(5000)));
        assert!(long.len() <= WORDS + 3, "{}", long.len());
        // An error that anybody could have sent is not believed either.
        assert_eq!(read(&login, &at("error=access_denied")), Err(NoCode::OtherState));
    }
}
