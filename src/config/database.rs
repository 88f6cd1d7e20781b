//! Where the facts are kept: a `SQLite` file or a Postgres server, as a URL says it.
//! It must not know how either is opened, and it never shows a password.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use url::Url;

const DEFAULT_PORT: u16 = 5432;
const PARAMETERS: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "insecure",
    "host",
    "port",
    "user",
    "password",
    "dbname",
    "options",
];

/// The chosen store.
#[derive(Debug, Clone)]
pub enum Database {
    Sqlite(PathBuf),
    Postgres(Box<PostgresUrl>),
}

impl Database {
    /// Reads `sqlite:PATH` or `postgres://...`; a relative path starts at `base`.
    pub fn parse(text: &str, base: &Path) -> Result<Self, DatabaseError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path {
                "" => Err(DatabaseError::NoPath),
                // Every connection of a pool would get an empty database of its own.
                ":memory:" => Err(DatabaseError::InMemory),
                path if path.contains('?') => Err(DatabaseError::SqliteParameters),
                path => Ok(Self::Sqlite(base.join(path))),
            };
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return PostgresUrl::parse(text, base).map(|url| Self::Postgres(Box::new(url)));
        }
        Err(DatabaseError::UnknownKind)
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

/// Why a database URL was refused. No variant repeats the URL: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error("expected sqlite:PATH or postgres://USER@HOST/DATABASE")]
    UnknownKind,
    #[error("sqlite: needs a path, as in sqlite:/home/me/dashtam.db")]
    NoPath,
    #[error("a database in memory is not supported; give a file, as in sqlite:/tmp/try.db")]
    InMemory,
    #[error("sqlite: takes a path and no ?parameters; remove them")]
    SqliteParameters,
    #[error(
        "not a valid URL ({0}); expected postgres://USER@HOST:PORT/DATABASE, with special characters of the password as %XX"
    )]
    NotAUrl(#[from] url::ParseError),
    #[error(
        "the part {0} holds a broken %XX sequence; write special characters as % and two hex digits of UTF-8"
    )]
    BadEscape(&'static str),
    #[error("the host is missing; expected postgres://USER@HOST/DATABASE")]
    NoHost,
    #[error("the database name is missing; expected postgres://USER@HOST/DATABASE")]
    NoDatabase,
    #[error("port must be a number from 1 to 65535")]
    BadPort,
    #[error("sslmode must be one of disable, allow, prefer, require, verify-ca, verify-full")]
    BadSslMode,
    #[error("insecure must be true or false")]
    BadInsecure,
    #[error("options must be of the form -c name=value")]
    BadOptions,
    #[error("unknown parameter {name:?} (nearest known: {nearest})")]
    UnknownParameter { name: String, nearest: &'static str },
}

/// How much of TLS a connection asks for; the names are Postgres's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl SslMode {
    fn parse(text: &str) -> Result<Self, DatabaseError> {
        Ok(match text {
            "disable" => Self::Disable,
            "allow" => Self::Allow,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return Err(DatabaseError::BadSslMode),
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Allow => "allow",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// A network host, or the folder of a Unix socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostgresHost {
    Network(String),
    Socket(PathBuf),
}

impl PostgresHost {
    fn parse(text: &str) -> Self {
        if text.starts_with('/') {
            Self::Socket(PathBuf::from(text))
        } else {
            Self::Network(text.to_owned())
        }
    }
}

impl fmt::Display for PostgresHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // As elsewhere in URLs, an IPv6 address stands in brackets.
            Self::Network(host) if host.contains(':') => write!(f, "[{host}]"),
            Self::Network(host) => f.write_str(host),
            Self::Socket(folder) => folder.display().fmt(f),
        }
    }
}

/// A checked Postgres URL, taken apart so that nothing later parses it a second, other way.
#[derive(Debug, Clone)]
pub struct PostgresUrl {
    pub host: PostgresHost,
    pub port: u16,
    pub user: Option<String>,
    pub password: Option<SecretString>,
    pub database: String,
    pub sslrootcert: Option<PathBuf>,
    /// Server settings for the session, from `options=-c name=value`.
    pub options: Vec<(String, String)>,
    /// The explicit consent to a connection over the network without verified TLS.
    pub insecure: bool,
    sslmode: Option<SslMode>,
}

impl PostgresUrl {
    fn parse(text: &str, base: &Path) -> Result<Self, DatabaseError> {
        let url = Url::parse(text)?;
        let mut found = Parts {
            host: match url.host() {
                Some(url::Host::Ipv6(address)) => Some(address.to_string()),
                _ => non_empty(url.host_str().unwrap_or_default(), "host")?,
            },
            port: url.port(),
            user: non_empty(url.username(), "user")?,
            password: non_empty(url.password().unwrap_or_default(), "password")?,
            database: non_empty(url.path().trim_start_matches('/'), "database")?,
            ..Parts::default()
        };
        for (name, value) in url.query_pairs() {
            found.set(&name, value.into_owned())?;
        }
        if found.port == Some(0) {
            return Err(DatabaseError::BadPort);
        }
        Ok(Self {
            host: PostgresHost::parse(&found.host.ok_or(DatabaseError::NoHost)?),
            port: found.port.unwrap_or(DEFAULT_PORT),
            user: found.user,
            password: found.password.map(SecretString::from),
            database: found.database.ok_or(DatabaseError::NoDatabase)?,
            sslrootcert: found.sslrootcert.map(|path| base.join(path)),
            options: found.options,
            insecure: found.insecure,
            sslmode: found.sslmode,
        })
    }

    /// What to ask of the driver. Unsaid is Postgres's own default, which is safe only where
    /// [`PostgresUrl::is_protected`] has been asked first.
    pub fn ssl_mode(&self) -> SslMode {
        self.sslmode.unwrap_or(SslMode::Prefer)
    }

    /// Whether the connection stays on this machine.
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            PostgresHost::Socket(_) => true,
            PostgresHost::Network(host) => host.parse::<IpAddr>().map_or_else(
                |_| host.eq_ignore_ascii_case("localhost"),
                |address| address.to_canonical().is_loopback(),
            ),
        }
    }

    /// Whether this connection must prove the server's identity before anything is sent.
    pub fn tls_required(&self) -> bool {
        !self.is_loopback() && !self.insecure
    }

    /// Whether nobody on the way can read or change what is sent.
    pub fn is_protected(&self) -> bool {
        self.is_loopback() || self.sslmode == Some(SslMode::VerifyFull)
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        write!(f, "{}:{}/{}", self.host, self.port, self.database)?;
        write!(f, "?sslmode={}", self.ssl_mode().name())?;
        if self.insecure {
            f.write_str("&insecure=true")?;
        }
        Ok(())
    }
}

/// What the URL and its parameters said so far; a parameter wins over the part it names.
#[derive(Default)]
struct Parts {
    host: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    password: Option<String>,
    database: Option<String>,
    sslmode: Option<SslMode>,
    sslrootcert: Option<PathBuf>,
    options: Vec<(String, String)>,
    insecure: bool,
}

impl Parts {
    fn set(&mut self, name: &str, value: String) -> Result<(), DatabaseError> {
        match name {
            "host" => self.host = Some(value),
            "port" => self.port = Some(value.parse().map_err(|_| DatabaseError::BadPort)?),
            "user" => self.user = Some(value),
            "password" => self.password = Some(value),
            "dbname" => self.database = Some(value),
            "sslmode" => self.sslmode = Some(SslMode::parse(&value)?),
            "sslrootcert" => self.sslrootcert = Some(PathBuf::from(value)),
            "options" => self.options = parse_options(&value)?,
            "insecure" => {
                self.insecure = value.parse().map_err(|_| DatabaseError::BadInsecure)?;
            }
            unknown => {
                return Err(DatabaseError::UnknownParameter {
                    name: super::error::in_short(unknown),
                    nearest: super::nearest(unknown, PARAMETERS),
                });
            }
        }
        Ok(())
    }
}

/// `-c name=value -cname=value`, as the server's own command line has it.
fn parse_options(text: &str) -> Result<Vec<(String, String)>, DatabaseError> {
    let mut words = text.split_whitespace();
    let mut options = Vec::new();
    while let Some(word) = words.next() {
        let setting = match word.strip_prefix("-c") {
            Some("") => words.next(),
            setting => setting,
        };
        let (name, value) =
            setting.and_then(|setting| setting.split_once('=')).ok_or(DatabaseError::BadOptions)?;
        options.push((name.to_owned(), value.to_owned()));
    }
    Ok(options)
}

/// A part of the URL with its `%XX` undone; empty is absent.
fn non_empty(part: &str, name: &'static str) -> Result<Option<String>, DatabaseError> {
    let decoded = percent_decode(part).ok_or(DatabaseError::BadEscape(name))?;
    Ok(Some(decoded).filter(|text| !text.is_empty()))
}

fn percent_decode(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn postgres(text: &str) -> PostgresUrl {
        match Database::parse(text, Path::new("/base")).unwrap() {
            Database::Postgres(url) => *url,
            Database::Sqlite(path) => panic!("{path:?}"),
        }
    }

    fn refused(text: &str) -> String {
        let error = Database::parse(text, Path::new("/base")).unwrap_err();
        error.to_string()
    }

    #[test]
    fn sqlite_takes_a_path() {
        for (text, path) in [
            ("sqlite:/data/x.db", "/data/x.db"),
            ("sqlite:///data/x.db", "/data/x.db"),
            ("sqlite:x.db", "/base/x.db"),
        ] {
            let database = Database::parse(text, Path::new("/base")).unwrap();
            assert_eq!(database.to_string(), format!("sqlite:{path}"));
        }
        for text in ["sqlite:", "sqlite::memory:", "sqlite:x?mode=rw", "x.db", "mysql://h/d", ""] {
            refused(text);
        }
    }

    #[test]
    fn every_part_of_the_url_is_read() {
        let url = postgres(
            "postgresql://me%40home:p%3Aw%2F%40@db.example:6543/my%20db\
             ?sslmode=verify-full&sslrootcert=ca.pem&options=-c%20search_path%3Dx%20-cstatement_timeout%3D50",
        );
        assert_eq!(url.host, PostgresHost::Network("db.example".into()));
        assert_eq!((url.port, url.database.as_str()), (6543, "my db"));
        assert_eq!(url.user.as_deref(), Some("me@home"));
        assert_eq!(url.password.as_ref().unwrap().expose_secret(), "p:w/@");
        assert_eq!(url.ssl_mode(), SslMode::VerifyFull);
        assert_eq!(url.sslrootcert, Some("/base/ca.pem".into()));
        let options = [("search_path", "x"), ("statement_timeout", "50")];
        assert_eq!(url.options, options.map(|(k, v)| (k.into(), v.into())));
        let plain = postgres("postgres://db.example/d");
        assert_eq!((plain.port, plain.user), (5432, None));
    }

    #[test]
    fn the_password_is_never_shown() {
        for text in [
            "postgres://u:hunter2canary@127.0.0.1/d",
            "postgres://u@127.0.0.1/d?password=hunter2canary",
        ] {
            let url = postgres(text);
            assert!(url.password.is_some());
            let database = Database::Postgres(Box::new(url.clone()));
            for shown in [url.to_string(), database.to_string(), format!("{url:?} {database:?}")] {
                assert!(!shown.contains("hunter2canary"), "{shown}");
            }
            assert_eq!(url.to_string(), "postgres://u@127.0.0.1:5432/d?sslmode=prefer");
        }
        for text in [
            "postgres://u:hunter2canary@h:99999/d",
            "postgres://u:hunter2canary@h/d?sslmode=strong",
            "postgres://u:hunter2canary@/d",
            "postgres://u:hunter2canary@h/",
            "postgres://u:hunter2canary@h/d?sslmod=require",
            "postgres://u:%zzhunter2canary@h/d",
            "postgres://u:%+1hunter2canary@h/d",
            "hunter2canary",
        ] {
            let message = refused(text);
            assert!(!message.contains("hunter2canary"), "{message}");
        }
    }

    #[test]
    fn an_unknown_parameter_names_its_neighbour() {
        let message = refused("postgres://h/d?sslmod=require");
        assert!(message.contains("\"sslmod\"") && message.contains("nearest known: sslmode"));
    }

    #[test]
    fn loopback_is_this_machine_only() {
        for (host, expected) in [
            ("127.0.0.1", true),
            ("127.8.9.10", true),
            ("[::1]", true),
            ("[::ffff:127.0.0.1]", true),
            ("localhost", true),
            ("LOCALHOST", true),
            ("%2Fvar%2Frun%2Fpostgresql", true),
            ("10.0.0.1", false),
            ("128.0.0.1", false),
            ("0.0.0.0", false),
            ("[::]", false),
            ("[fe80::1]", false),
            ("localhost.example", false),
            ("127.0.0.1.example", false),
            ("db", false),
        ] {
            let url = postgres(&format!("postgres://u@{host}/d"));
            assert_eq!(url.is_loopback(), expected, "{host}");
            assert_eq!(url.tls_required(), !expected, "{host}");
        }
        let socket = postgres("postgres:///d?host=/run/pg&port=5433&user=u");
        assert_eq!(socket.host, PostgresHost::Socket("/run/pg".into()));
        assert_eq!((socket.port, socket.user.as_deref()), (5433, Some("u")));
        // A parameter cannot smuggle a far host behind a near one.
        assert!(!postgres("postgres://localhost/d?host=10.0.0.1").is_loopback());
        assert_eq!(
            postgres("postgres://[2001:db8::1]/d").host,
            PostgresHost::Network("2001:db8::1".into())
        );
    }

    #[test]
    fn only_verify_full_protects_on_the_network() {
        for mode in ["disable", "allow", "prefer", "require", "verify-ca"] {
            let url = postgres(&format!("postgres://db.example/d?sslmode={mode}"));
            assert!(!url.is_protected(), "{mode}");
            assert_eq!(url.ssl_mode().name(), mode);
        }
        assert!(!postgres("postgres://db.example/d").is_protected());
        assert!(postgres("postgres://db.example/d?sslmode=verify-full").is_protected());
        assert!(postgres("postgres://localhost/d").is_protected());
        assert!(!postgres("postgres://db.example/d?insecure=true").tls_required());
        assert!(postgres("postgres://db.example/d?insecure=false").tls_required());
    }
}
