//! The tokens of a consent: asked for, read, and written as one text that is kept sealed.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use zeroize::{Zeroize as _, Zeroizing};

use super::Code;
use crate::http::{Answer, Request};
use crate::model::{App, OAuthSpec, Secret};

/// No token is longer.
const LONGEST: usize = 16 << 10;
/// An access is renewed so long before it ends: a long answer may be on its way.
const MARGIN: TimeDelta = TimeDelta::minutes(2);
/// No service means less, or more.
const SHORTEST: TimeDelta = TimeDelta::minutes(3);
const FARTHEST: TimeDelta = TimeDelta::days(1);

/// What a connection has to show, and the app that it was given to.
pub struct Tokens {
    /// Who shows it.
    pub app: App,
    /// Shown with every question.
    pub access: Secret,
    /// Until when.
    pub access_ends: DateTime<Utc>,
    /// Exchanged for the next access. It may serve once.
    pub refresh: Secret,
}

/// As it is kept, sealed.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    #[serde(borrow)]
    app_key: Cow<'a, str>,
    #[serde(borrow)]
    app_secret: Cow<'a, str>,
    #[serde(borrow)]
    access: Cow<'a, str>,
    access_ends: i64,
    #[serde(borrow)]
    refresh: Cow<'a, str>,
}

/// What had to be decoded is a copy of its own.
impl Drop for Kept<'_> {
    fn drop(&mut self) {
        for text in [&mut self.app_key, &mut self.app_secret, &mut self.access, &mut self.refresh] {
            if let Cow::Owned(text) = text {
                text.zeroize();
            }
        }
    }
}

/// What a service answers. Everything may be missing, or of another type.
#[derive(Deserialize)]
struct Given {
    access_token: Option<Value>,
    token_type: Option<Value>,
    expires_in: Option<Value>,
    refresh_token: Option<Value>,
    scope: Option<Value>,
}

impl Drop for Given {
    fn drop(&mut self) {
        for token in [&mut self.access_token, &mut self.refresh_token] {
            if let Some(Value::String(text)) = token.take() {
                drop(Zeroizing::new(text));
            }
        }
    }
}

/// Why no tokens came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untaken {
    /// The app is not known, or its secret is wrong.
    #[error(
        "the service does not accept the app (key, secret, or the consent after its time); see that it is `Ready For Use` in the developer portal"
    )]
    App,
    /// The app is known and may do nothing yet.
    #[error(
        "the app is not ready: in the developer portal it must be `Ready For Use`, which takes days"
    )]
    NotReady,
    /// The code or the token is not accepted.
    #[error(
        "the service does not accept the consent: it is over, was replaced by a newer one, or a code came too late"
    )]
    Consent,
    /// What came grants less than was asked for.
    #[error("what the service grants is not enough to read accounts")]
    TooLittle,
    /// What came is no token of a kind that could be shown.
    #[error("what came for the consent is no token that can be shown")]
    NoToken,
    /// It says that it cannot, and has taken nothing.
    #[error("the service could not answer just now; nothing was lost")]
    NotNow,
}

impl Tokens {
    /// Whether the access must be renewed before it is shown. One whose end lies far ahead was written
    /// by a clock that was wrong.
    #[must_use]
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.access_ends <= now + MARGIN || self.access_ends > now + FARTHEST
    }

    /// As one text, to be sealed; none: it cannot be written.
    #[must_use]
    pub fn to_secret(&self) -> Option<Secret> {
        let kept = Kept {
            app_key: Cow::Borrowed(&self.app.key),
            app_secret: Cow::Borrowed(self.app.secret.expose()),
            access: Cow::Borrowed(self.access.expose()),
            access_ends: self.access_ends.timestamp_micros(),
            refresh: Cow::Borrowed(self.refresh.expose()),
        };
        // Written into room that never grows, so that nothing of it stays behind where it was.
        let texts = [&kept.app_key, &kept.app_secret, &kept.access, &kept.refresh];
        let room = 256 + 6 * texts.map(|text| text.len()).iter().sum::<usize>();
        let mut text = Zeroizing::new(Vec::with_capacity(room));
        serde_json::to_writer(&mut *text, &kept).ok()?;
        String::from_utf8(std::mem::take(&mut *text)).map(Secret::new).ok()
    }

    /// What was kept; none: it is something else.
    #[must_use]
    pub fn of(secret: &Secret) -> Option<Self> {
        let text = |value: &str| Secret::new(value.to_owned());
        let kept: Kept<'_> = serde_json::from_str(secret.expose()).ok()?;
        Some(Self {
            app: App { key: kept.app_key.clone().into_owned(), secret: text(&kept.app_secret) },
            access: text(&kept.access),
            access_ends: DateTime::from_timestamp_micros(kept.access_ends)?,
            refresh: text(&kept.refresh),
        })
    }
}

/// Asks for tokens with the code that the browser came back with. It is sent once.
#[must_use]
pub fn ask_with_code(token: Url, app: &App, code: &Code) -> Request {
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("code", code.code.expose()),
        ("redirect_uri", &code.callback),
    ];
    if let Some(verifier) = &code.verifier {
        pairs.push(("code_verifier", verifier));
    }
    Request::post_once(token).login(&app.key, &app.secret).form(&pairs)
}

/// Asks for the next tokens. It is sent once.
#[must_use]
pub fn ask_with_refresh(token: Url, tokens: &Tokens) -> Request {
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.expose())];
    Request::post_once(token).login(&tokens.app.key, &tokens.app.secret).form(&pairs)
}

/// Reads what came for a code, or for a refresh token: then `before` is it, and goes on to count
/// where no other one came.
///
/// # Errors
/// [`Untaken`] says why there are none.
pub fn told(
    spec: &OAuthSpec,
    answer: &Answer,
    app: App,
    before: Option<&Secret>,
    now: DateTime<Utc>,
) -> Result<Tokens, Untaken> {
    if !answer.is_well() {
        return Err(refused(answer));
    }
    let given: Given = serde_json::from_slice(&answer.body).map_err(|_| Untaken::NoToken)?;
    let word = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).map(str::to_owned);
    if word(&given.token_type).is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(Untaken::NoToken);
    }
    let granted = word(&given.scope).filter(|scope| !scope.trim().is_empty());
    if let (Some(wanted), Some(granted)) = (spec.scope, granted)
        && !granted.split_whitespace().any(|scope| scope == wanted)
    {
        return Err(Untaken::TooLittle);
    }
    let access = token(given.access_token.as_ref()).ok_or(Untaken::NoToken)?;
    let refresh = match (token(given.refresh_token.as_ref()), before) {
        (Some(refresh), _) => refresh,
        (None, Some(before)) => Secret::new(before.expose().to_owned()),
        (None, None) => return Err(Untaken::NoToken),
    };
    let access_ends = now + lasts(given.expires_in.as_ref(), spec.access);
    Ok(Tokens { app, access, access_ends, refresh })
}

/// A token that can be shown.
fn token(value: Option<&Value>) -> Option<Secret> {
    let text = value?.as_str()?;
    let is_plain =
        (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain.then(|| Secret::new(text.to_owned()))
}

/// How long an access is good for: as is said, within reason.
fn lasts(said: Option<&Value>, usual: TimeDelta) -> TimeDelta {
    let text = match said {
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.trim().to_owned(),
        _ => return usual,
    };
    let whole = text.split('.').next().unwrap_or_default();
    // A number too large to be one is a long time too.
    let seconds: Option<i64> = whole
        .parse()
        .ok()
        .or(text.parse::<f64>().ok().map(|large| if large > 0.0 { i64::MAX } else { 0 }));
    let lasts = seconds.map(|seconds| TimeDelta::try_seconds(seconds).unwrap_or(FARTHEST));
    lasts.unwrap_or(usual).clamp(SHORTEST, FARTHEST)
}

/// What a refusal means. In the wild its quotes are escaped in several ways, so words are looked for;
/// none of them is repeated.
fn refused(answer: &Answer) -> Untaken {
    let text = Zeroizing::new(String::from_utf8_lossy(&answer.body).to_ascii_lowercase());
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match answer.status {
        _ if has(&["assertion_rejected", "session rejected"]) => Untaken::NotReady,
        _ if has(&["invalid_client", "unauthorized_client"]) => Untaken::App,
        400 | 401 | 403 => Untaken::Consent,
        _ => Untaken::NotNow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> OAuthSpec {
        OAuthSpec {
            authorize: "/a",
            token: "/t",
            issuer: "https://bank.example",
            portal: "https://developer.bank.example",
            pkce: false,
            scope: Some("api"),
            consent: TimeDelta::days(7),
            access: TimeDelta::minutes(30),
        }
    }

    fn app() -> App {
        App { key: "KEY".to_owned(), secret: Secret::new("hidden".to_owned()) }
    }

    fn now() -> DateTime<Utc> {
        "2026-09-22T12:00:00Z".parse().unwrap()
    }

    fn read(status: u16, body: &str, before: Option<&str>) -> Result<Tokens, Untaken> {
        let body = Zeroizing::new(body.as_bytes().to_vec());
        let answer = Answer { status, body, date: None };
        let before = before.map(|text| Secret::new(text.to_owned()));
        told(&spec(), &answer, app(), before.as_ref(), now())
    }

    fn given(rest: &str) -> String {
        format!("{{\"token_type\":\"Bearer\",\"access_token\":\"I0.a@\"{rest}}}")
    }

    #[test]
    fn tokens_are_kept_as_they_came() {
        let body = given(
            ",\"refresh_token\":\"r1\",\"expires_in\":1800,\"scope\":\"api\",\"id_token\":\"x\"",
        );
        let tokens = read(200, &body, None).unwrap();
        let kept = Tokens::of(&tokens.to_secret().unwrap()).unwrap();
        assert_eq!((kept.access.expose(), kept.refresh.expose()), ("I0.a@", "r1"));
        assert_eq!((kept.app.key.as_str(), kept.app.secret.expose()), ("KEY", "hidden"));
        assert_eq!(kept.access_ends, now() + TimeDelta::minutes(30));
        assert!(!kept.is_over(now() + TimeDelta::minutes(25)));
        assert!(kept.is_over(now() + TimeDelta::minutes(29)), "not at the last moment");
        assert!(kept.is_over(now() - TimeDelta::days(2)), "the clock was set back");
        assert!(Tokens::of(&Secret::new("a setup token".to_owned())).is_none());
        // What has to be escaped comes back as it was.
        let quoted = "a\"b\\c\u{7f}\u{1f}/é";
        let app = App { key: quoted.to_owned(), secret: Secret::new(quoted.to_owned()) };
        let (access, refresh) = (Secret::new(quoted.to_owned()), Secret::new(quoted.to_owned()));
        let odd = Tokens { app, access, access_ends: now(), refresh };
        let kept = Tokens::of(&odd.to_secret().unwrap()).unwrap();
        assert_eq!((kept.app.key.as_str(), kept.refresh.expose()), (quoted, quoted));
    }

    /// F22.
    #[test]
    fn a_missing_refresh_token_leaves_the_one_before() {
        for rest in
            ["", ",\"refresh_token\":\"\"", ",\"refresh_token\":null", ",\"refresh_token\":7"]
        {
            let tokens = read(200, &given(rest), Some("old")).unwrap();
            assert_eq!(tokens.refresh.expose(), "old", "{rest}");
            assert_eq!(read(200, &given(rest), None).err(), Some(Untaken::NoToken), "{rest}");
        }
        let new = read(200, &given(",\"refresh_token\":\"new\""), Some("old")).unwrap();
        assert_eq!(new.refresh.expose(), "new");
    }

    /// F22.
    #[test]
    fn how_long_it_lasts_is_within_reason() {
        let lasts = |said: &str| {
            let tokens = read(200, &given(said), Some("old")).unwrap();
            (tokens.access_ends - now()).num_seconds()
        };
        let said = |value: &str| lasts(&format!(",\"expires_in\":{value}"));
        for (value, seconds) in [
            ("1800", 1800),
            ("\"1800\"", 1800),
            ("1800.5", 1800),
            ("0", 180),
            ("-1", 180),
            ("1e12", 86_400),
            ("99999999999999999999999", 86_400),
            ("\"soon\"", 1800),
            ("null", 1800),
        ] {
            assert_eq!(said(value), seconds, "{value}");
        }
        assert_eq!(lasts(""), 1800);
    }

    /// F74.
    #[test]
    fn what_cannot_be_shown_is_never_kept() {
        let huge = "x".repeat(1 << 20);
        for (body, why) in [
            (String::new(), Untaken::NoToken),
            ("[]".to_owned(), Untaken::NoToken),
            ("{}".to_owned(), Untaken::NoToken),
            ("{\"access_token\":\"\"}".to_owned(), Untaken::NoToken),
            ("{\"access_token\":\"a b\"}".to_owned(), Untaken::NoToken),
            ("{\"access_token\":\"a\\nb\"}".to_owned(), Untaken::NoToken),
            (format!("{{\"access_token\":\"{huge}\"}}"), Untaken::NoToken),
            ("{\"access_token\":\"a\",\"access_token\":\"b\"}".to_owned(), Untaken::NoToken),
            ("{\"access_token\":\"a\",\"token_type\":\"mac\"}".to_owned(), Untaken::NoToken),
            (given(",\"scope\":\"profile\""), Untaken::TooLittle),
        ] {
            assert_eq!(read(200, &body, Some("old")).err(), Some(why), "{body:.60}");
        }
        assert!(read(200, &given(",\"scope\":\"readonly api\""), Some("old")).is_ok());
        assert!(read(200, &given(",\"scope\":\"\""), Some("old")).is_ok());
    }

    /// F24.
    #[test]
    fn a_refusal_is_understood_however_it_is_escaped() {
        let nested = "{\"error\":\"unsupported_token_type\",\"error_description\":\"400 Bad Request: \
             \\\"{\\\"error_description\\\":\\\"Exception while authenticating refresh token \
             [tokenDigest=c4n4ry, Exception=Failed]\\\",\\\"error\\\":\\\"refresh_token_authentication_error\\\"}\\\"\"}";
        let broken = nested.replace("\\\"", "\"");
        for (status, body, why) in [
            (400, nested, Untaken::Consent),
            (400, broken.as_str(), Untaken::Consent),
            (400, "{\"error\":\"invalid_grant\"}", Untaken::Consent),
            (401, "{\"error\":\"invalid_client\"}", Untaken::App),
            (401, "{\"error\":\"assertion_rejected\"}", Untaken::NotReady),
            (400, "Session rejected", Untaken::NotReady),
            (404, "", Untaken::NotNow),
        ] {
            let error = read(status, body, Some("old")).err().unwrap();
            assert_eq!(error, why, "{body}");
            assert!(!error.to_string().contains("c4n4ry"));
        }
    }
}
