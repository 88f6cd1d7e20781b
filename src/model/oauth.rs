//! What a service says of how it gives a consent: the terms, as data. Who asks it is in `oauth`.

use chrono::TimeDelta;

use super::Secret;

/// How a service gives a consent by OAuth 2, with an authorization code (RFC 6749).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OAuthSpec {
    /// Where the owner of an account agrees, in a browser; a path on the service.
    pub authorize: &'static str,
    /// Where a code and a refresh token are exchanged; a path on the service.
    pub token: &'static str,
    /// Who gives the consent, as it would say itself in `iss` (RFC 9207).
    pub issuer: &'static str,
    /// Where people register an app, and get its key and secret.
    pub portal: &'static str,
    /// Whether it takes a proof that who began is who ends (RFC 7636).
    pub pkce: bool,
    /// What an access must be good for; what grants less is refused.
    pub scope: Option<&'static str>,
    /// How long a consent holds from the day on which it was given; renewing does not prolong it.
    pub consent: TimeDelta,
    /// How long an access is good for where the service does not say.
    pub access: TimeDelta,
}

/// An app that its owner registered at a service: what this program is known by there.
pub struct App {
    /// Its key, which the browser shows too.
    pub key: String,
    /// Its secret.
    pub secret: Secret,
}

impl App {
    /// The most bytes of either.
    const LONGEST: usize = 512;

    /// Two lines, the key and the secret; none: it is something else.
    #[must_use]
    pub fn parse(text: &Secret) -> Option<Self> {
        let mut lines = text.expose().lines().map(str::trim).filter(|line| !line.is_empty());
        let (key, secret) = (lines.next()?, lines.next()?);
        let app = Self { key: key.to_owned(), secret: Secret::new(secret.to_owned()) };
        (lines.next().is_none() && app.is_plain()).then_some(app)
    }

    /// Whether both can be sent at all.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let is_plain = |text: &str| {
            let fits = (1..=Self::LONGEST).contains(&text.len());
            fits && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        // Before a colon ends the name of a login.
        is_plain(&self.key) && !self.key.contains(':') && is_plain(self.secret.expose())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_two_lines() {
        let read = |text: &str| {
            let app = App::parse(&Secret::new(text.to_owned()))?;
            Some((app.key, app.secret.expose().to_owned()))
        };
        let right = Some(("KEY".to_owned(), "se:cret".to_owned()));
        assert_eq!(read("KEY\nse:cret"), right);
        assert_eq!(read("\n  KEY \r\n\r\n se:cret\n"), right);
        for wrong in ["", "KEY", "KEY\nsecret\nmore", "KE Y\nsecret", "K:Y\nsecret", "KEY\ns\u{e9}"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
