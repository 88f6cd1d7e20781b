//! A request, as an adapter builds it. It may hold secrets, so it cannot be shown.

use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use url::Url;
use zeroize::Zeroizing;

use crate::model::Secret;

/// What is asked of a service.
#[derive(Clone)]
pub struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
    /// Whether asking twice is the same as asking once.
    pub(super) repeatable: bool,
    /// Whether a part of it could not be taken.
    pub(super) malformed: bool,
}

impl Request {
    /// Reads something. It may be asked again where no answer came.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url, true)
    }

    /// Hands something over that must not be handed over twice: it is sent once, whatever happens.
    #[must_use]
    pub fn post_once(url: Url) -> Self {
        let mut request = Self::new(Method::POST, url, false);
        // Some want the length of nothing, too.
        request.body = Some(Vec::new());
        request
    }

    /// Reads something that has to be asked for in a body.
    #[must_use]
    pub fn post_to_read(url: Url) -> Self {
        Self { repeatable: true, ..Self::post_once(url) }
    }

    /// An address with a name and a password in it loses both here, before anybody can see it: they
    /// go into the header that is made for them.
    fn new(method: Method, mut url: Url, repeatable: bool) -> Self {
        let login = (!url.username().is_empty() || url.password().is_some()).then(|| {
            let password = decoded(url.password().unwrap_or_default()).map(Secret::new);
            decoded(url.username()).zip(password)
        });
        let stripped = url.set_username("").and_then(|()| url.set_password(None));
        let (headers, body) = (HeaderMap::new(), None);
        // What is no text cannot be sent as one, and without it nobody would be let in.
        let malformed = match &login {
            Some(login) => login.is_none() || stripped.is_err(),
            None => false,
        };
        let request = Self { method, url, headers, body, repeatable, malformed };
        let request = request.header("accept", "application/json");
        match login.flatten() {
            Some((name, password)) => request.login(&name, &password),
            None => request,
        }
    }

    /// Whether it can change nothing where it goes.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        self.method == Method::GET
    }

    /// With one more pair behind the question mark.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    /// With a header; another one of that name is replaced.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.put(name, HeaderValue::from_str(value).ok())
    }

    /// With a header whose value nobody may see.
    #[must_use]
    pub fn secret_header(self, name: &str, value: &Secret) -> Self {
        self.put(name, hidden(value.expose()))
    }

    /// With a bearer token.
    #[must_use]
    pub fn bearer(self, token: &Secret) -> Self {
        let value = Zeroizing::new(format!("Bearer {}", token.expose()));
        self.put(AUTHORIZATION.as_str(), hidden(&value))
    }

    /// With a name and a password, as HTTP Basic has them.
    #[must_use]
    pub fn login(self, name: &str, password: &Secret) -> Self {
        let pair = Zeroizing::new(format!("{name}:{}", password.expose()));
        let value = Zeroizing::new(format!("Basic {}", base64(pair.as_bytes()).as_str()));
        self.put(AUTHORIZATION.as_str(), hidden(&value))
    }

    /// With a form as its body.
    #[must_use]
    pub fn form(mut self, pairs: &[(&str, &str)]) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in pairs {
            form.append_pair(name, value);
        }
        self.body = Some(form.finish().into_bytes());
        self.header(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded")
    }

    /// With a JSON document as its body.
    #[must_use]
    pub fn json(mut self, document: &str) -> Self {
        self.body = Some(document.as_bytes().to_vec());
        self.header(CONTENT_TYPE.as_str(), "application/json")
    }

    /// Whatever comes back will do.
    #[must_use]
    pub fn accept_anything(mut self) -> Self {
        self.headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        self
    }

    fn put(mut self, name: &str, value: Option<HeaderValue>) -> Self {
        match (HeaderName::from_bytes(name.as_bytes()), value) {
            (Ok(name), Some(value)) => drop(self.headers.insert(name, value)),
            _ => self.malformed = true,
        }
        self
    }
}

fn hidden(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// `%40` is `@`. What is no such code stays as it is. None: it is no text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digit = |at: usize| behind.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        let code = match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => u8::try_from(high * 16 + low).ok(),
            _ => None,
        };
        bytes.push(code.unwrap_or(*first));
        rest = behind.get(if code.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    std::str::from_utf8(&bytes).ok().map(ToOwned::to_owned)
}

pub(crate) fn base64(bytes: &[u8]) -> Zeroizing<String> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(3) * 4));
    for three in bytes.chunks(3) {
        let byte = |at: usize| three.get(at).copied().map_or(0, usize::from);
        let whole = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = LETTERS.get(whole >> shift & 63).copied().unwrap_or(b'=');
            text.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leaves_the_address_and_is_hidden() {
        let url = "https://me%40home:p%3A%2F%25x@bank.example/simplefin?a=1".parse().unwrap();
        let request = Request::get(url).query("b", "2&3");
        assert_eq!(request.url.as_str(), "https://bank.example/simplefin?a=1&b=2%263");
        let header = request.headers.get(AUTHORIZATION).unwrap();
        assert_eq!(
            header.to_str().unwrap(),
            format!("Basic {}", base64(b"me@home:p:/%x").as_str())
        );
        assert!(header.is_sensitive() && !format!("{:?}", request.headers).contains("Basic"));
        assert!(!request.malformed);
    }

    #[test]
    fn base64_is_as_everybody_writes_it() {
        for (text, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ] {
            assert_eq!(base64(text.as_bytes()).as_str(), coded);
        }
        assert_eq!(decoded("a%4").as_deref(), Some("a%4"));
        assert_eq!(decoded("%zz%41").as_deref(), Some("%zzA"));
    }

    #[test]
    fn what_cannot_be_sent_is_marked() {
        let url: Url = "https://bank.example/".parse().unwrap();
        let token = Secret::new("two\nlines".to_owned());
        assert!(Request::get(url.clone()).bearer(&token).malformed);
        assert!(!Request::get(url.clone()).header("x-key", "1").malformed);
        // No text; without it the request would go out with an empty name.
        for login in ["%ff:x", "x:%ff"] {
            let url = format!("https://{login}@bank.example/").parse().unwrap();
            let request = Request::get(url);
            assert!(request.malformed && !request.headers.contains_key(AUTHORIZATION), "{login}");
        }
        assert!(!Request::get(url.clone()).post_is_once());
        assert!(Request::post_once(url.clone()).post_is_once());
        assert!(!Request::post_to_read(url).post_is_once());
    }

    impl Request {
        fn post_is_once(&self) -> bool {
            !self.repeatable
        }
    }
}
