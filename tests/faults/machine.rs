//! A machine on which things go wrong: its folder, its store on either engine, and what must hold
//! there afterwards. Processes under test are the real program; the test itself only looks.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use assert_cmd::Command;
use dashtam::clock::Clock;
use dashtam::config::{Config, Environment, Overrides};
use dashtam::ledger;
use dashtam::model::{Connection, ConnectionId, ConnectionState, OpId, SafeText, Secret};
use dashtam::service::{Access, Session};
use dashtam::store::{AuditRow, Store};
use dashtam::vault::{Vault, open_kept, seal_kept};
use secrecy::SecretString;
use tempfile::TempDir;

use crate::support::home::{Home, PROGRAM, Ran};
use crate::support::postgres::{copied, database_of, drop_database, postgres_url};

/// No run of the program may take longer, whatever happens to it.
const PATIENCE: Duration = Duration::from_mins(1);

/// A folder with files and a store, and the real program there.
pub struct Machine {
    root: TempDir,
    /// The address of the server; none: SQLite.
    server: Option<String>,
    /// Whether the database was made for this machine.
    is_copy: bool,
}

/// Where a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Sqlite,
    Postgres,
}

impl Machine {
    /// One on which nothing was ever started; none where there is no such engine.
    pub fn new(on: On) -> Option<Self> {
        let server = match on {
            On::Sqlite => None,
            On::Postgres => Some(without_tls(&postgres_url()?)),
        };
        Some(Self { root: tempfile::tempdir().unwrap(), server, is_copy: false })
    }

    /// That of somebody who sat at its terminal.
    pub fn of(home: Home) -> Self {
        Self { root: home.root, server: None, is_copy: false }
    }

    /// The same the other way round.
    pub fn into_home(mut self) -> Home {
        Home { root: std::mem::replace(&mut self.root, tempfile::tempdir().unwrap()) }
    }

    /// Makes a connection that always has something new to tell.
    pub fn connect(&self, label: &str) {
        self.in_session(async |session| {
            let (label, now) = (SafeText::new(label), session.clock.now().timestamp_micros());
            ledger::connect(&session.store, "simulated", &label, None, OpId::at(0), now)
                .await
                .unwrap();
        });
    }

    /// One whose store is on this server.
    pub fn with_server(address: &str) -> Self {
        let server = Some(without_tls(address));
        Self { root: tempfile::tempdir().unwrap(), server, is_copy: false }
    }

    /// Another one in the same state; nothing may run on this one.
    pub fn copy(&self) -> Self {
        let root = tempfile::tempdir().unwrap();
        copy_folder(self.root.path(), root.path());
        let server = self.server.as_deref().map(|address| without_tls(&copied(address)));
        Self { root, server, is_copy: true }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// The same folder with the store of another server; this one must go after it.
    pub fn on(&self, address: &str) -> Self {
        let other = Self::with_server(address);
        copy_folder(self.root.path(), other.root.path());
        other
    }

    /// The name of the database on the server.
    pub fn database_name(&self) -> &str {
        self.server.as_deref().map_or("", database_of)
    }

    /// The file of the store.
    pub fn database(&self) -> PathBuf {
        self.path("data/dashtam.db")
    }

    pub fn file(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// What the configuration says there.
    pub fn configure(&self, text: &str) {
        self.file("config.toml", text);
    }

    /// The program with this line, begun by another program where one is given.
    pub fn command(&self, under: &[String], line: &[&str]) -> Command {
        let mut words =
            under.iter().map(String::as_str).chain([PROGRAM]).chain(line.iter().copied());
        let mut command = Command::new(words.next().unwrap());
        command.env_clear().args(words);
        self.set_up(|key, value| {
            command.env(key, value);
        });
        command.current_dir(self.root.path()).timeout(PATIENCE);
        // What opens the vault, where there is one with a passphrase.
        if let Ok(lines) = fs::read(self.path("passphrases")) {
            command.env("DASHTAM_PASSPHRASE_FD", "0").write_stdin(lines);
        }
        command
    }

    /// The same as a process that goes on while the test does something.
    pub fn spawn(&self, line: &[&str]) -> std::process::Child {
        self.process(line).spawn().unwrap()
    }

    /// The same, still to be started.
    pub fn process(&self, line: &[&str]) -> std::process::Command {
        use std::process::Stdio;
        let mut command = std::process::Command::new(PROGRAM);
        command.env_clear().args(line).current_dir(self.root.path());
        self.set_up(|key, value| {
            command.env(key, value);
        });
        match fs::File::open(self.path("passphrases")) {
            Ok(lines) => command.env("DASHTAM_PASSPHRASE_FD", "0").stdin(lines),
            Err(_) => command.stdin(Stdio::null()),
        };
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn set_up(&self, mut variable: impl FnMut(&str, &str)) {
        let root = self.root.path().to_str().unwrap();
        let data = format!("{root}/data");
        for (key, value) in [("HOME", root), ("TMPDIR", root), ("DASHTAM_DATA_DIR", &data)] {
            variable(key, value);
        }
        variable("TZ", "UTC");
        let config = self.path("config.toml");
        if config.exists() {
            variable("DASHTAM_CONFIG", config.to_str().unwrap());
        }
        if let Some(address) = &self.server {
            variable("DASHTAM_DATABASE_URL", address);
        }
    }

    pub fn run(&self, line: &[&str]) -> Ran {
        Ran::of(&self.command(&[], line).output().unwrap())
    }

    /// Runs what must succeed and gives its stdout.
    #[track_caller]
    pub fn ok(&self, line: &[&str]) -> String {
        let ran = self.run(line);
        assert_eq!(ran.code, Some(0), "{line:?}: {ran:?}");
        ran.out
    }

    /// The canonical dump, by a start of the program that may write: it sets right what is left. Where
    /// there is no store yet, or nothing in it, that of an empty one.
    #[track_caller]
    pub fn dump(&self) -> String {
        self.assert_secrets_open();
        const EXPORT: [&str; 3] = ["export", "--format", "canonical"];
        let ran = self.run(&EXPORT);
        let is_nothing = ["there is no database", "the database is empty"]
            .iter()
            .any(|why| ran.err.contains(why));
        if !is_nothing {
            assert_eq!(ran.code, Some(0), "{ran:?}");
            return ran.out;
        }
        assert_eq!(ran.code, Some(7), "{ran:?}");
        self.ok(&["migrate"]);
        self.ok(&EXPORT)
    }

    /// The canonical dump of a start that only looks.
    #[track_caller]
    pub fn look(&self) -> String {
        self.ok(&["export", "--format", "canonical", "--read-only"])
    }

    /// What must hold on every machine once the program has been started again: each attempt has
    /// one outcome that agrees with the data, no figure and no row is damaged, no temporary file
    /// is left.
    pub fn assert_whole(&self, why: &str) {
        assert_eq!(self.wrong_outcomes(), [""; 0], "{why}");
        let leftovers = leftovers(self.root.path());
        assert!(leftovers.is_empty(), "{why}: {leftovers:?}");
        self.assert_sound(why);
    }

    /// No figure and no row is damaged.
    pub fn assert_sound(&self, why: &str) {
        self.in_session(async |session| {
            let different = ledger::check(&session.store).await.unwrap();
            assert!(different.is_empty(), "{why}: {different:?}");
            let damage = session.store.read().await.unwrap().damage().await.unwrap();
            assert_eq!(damage, [], "{why}");
        });
    }

    /// Makes two connections that keep a secret each.
    pub fn keep_secrets(&self) {
        let vault = Vault::at(self.path("data/vault"));
        let key = vault.unprotected().unwrap();
        self.in_session(async |session| {
            let mut tx = session.store.write().await.unwrap();
            for id in [901, 902].map(ConnectionId) {
                let (provider, label) = (SafeText::new("bank"), SafeText::new(&id.to_string()));
                let state = ConnectionState::Active;
                let (since, consent_expires, detail) = (0, None, None);
                tx.insert_connection(&Connection {
                    id,
                    provider,
                    label,
                    state,
                    since,
                    consent_expires,
                    detail,
                })
                .await
                .unwrap();
                let secret = Secret::new(format!("secret {id}"));
                let row = seal_kept(&vault, &key, id, 0, &secret, 0).unwrap();
                tx.insert_secret(&row).await.unwrap();
            }
            tx.commit("00000000-0000-7000-8000-000000000901", "test", 0).await.unwrap();
        });
    }

    /// Whatever was stopped, the key that is there opens every secret that is there.
    fn assert_secrets_open(&self) {
        let Ok(key) = Vault::at(self.path("data/vault")).unprotected() else { return };
        self.in_session(async |session| {
            for row in session.store.read().await.unwrap().secrets().await.unwrap() {
                let secret = open_kept(&key, &row).map(|secret| secret.expose().to_owned());
                // Those that a service gave are its own.
                let is_ours = row.connection.0 > 900;
                let secret = secret.unwrap();
                assert!(!is_ours || secret == format!("secret {}", row.connection), "{secret}");
            }
        });
    }

    /// Whether a check of rows and figures finds that something is wrong, or cannot even be made.
    pub fn is_damage_found(&self) -> bool {
        block_on(async {
            let Ok(session) = self.session().await else { return true };
            let damage = match session.store.read().await {
                Ok(mut tx) => tx.damage().await.map_or(true, |found| !found.is_empty()),
                Err(_) => true,
            };
            let figures =
                ledger::check(&session.store).await.map_or(true, |found| !found.is_empty());
            session.close().await;
            damage || figures
        })
    }

    /// Attempts without exactly one outcome, and outcomes that are not what the store says.
    pub fn wrong_outcomes(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        self.in_session(async |session| {
            let rows = session.audit().unwrap().rows().await.unwrap();
            // A restore forgets the marks of what an empty store had done before.
            let restored = |row: &&AuditRow| row.action == "restore" && row.state == "SUCCEEDED";
            let restored = rows.iter().rfind(restored).map(|row| &row.op);
            let marked = rows.iter().position(|row| Some(&row.op) == restored).unwrap_or(0);
            let mut states: BTreeMap<&str, (&str, bool, Vec<&str>)> = BTreeMap::new();
            for (at, row) in rows.iter().enumerate() {
                let begin = || (row.action.as_str(), at >= marked, Vec::new());
                states.entry(&row.op).or_insert_with(begin).2.push(&row.state);
            }
            let mut tx = session.store.read().await.unwrap();
            for (op, (action, is_marked, states)) in states {
                let applied = tx.is_applied(op).await.unwrap();
                // These write nothing to the store: their outcome is that of their file.
                let unmarked =
                    ["export", "backup", "vault.init", "vault.passphrase", "vault.unlock"];
                let is_marked = is_marked && !unmarked.contains(&action);
                let key_file = Vault::at(self.path("data/vault")).read();
                let outcome = match applied {
                    _ if key_file.is_ok_and(|file| file.is_by(op)) => "SUCCEEDED",
                    _ if !is_marked => states.get(1).copied().unwrap_or_default(),
                    true => "SUCCEEDED",
                    false => "FAILED",
                };
                if states != ["ATTEMPTED", outcome] {
                    wrong.push(format!("{action} {op}: {states:?}, applied: {applied}"));
                }
            }
        });
        wrong
    }

    pub fn in_session(&self, work: impl AsyncFnOnce(&Session)) {
        block_on(async {
            let session = self.session().await.unwrap();
            work(&session).await;
            session.close().await;
        });
    }

    /// Opens the store as the program would.
    async fn session(&self) -> Result<Session, dashtam::service::Error> {
        let flags = Overrides {
            data_dir: Some(self.path("data")),
            database: self.server.clone().map(SecretString::from),
            ..Overrides::default()
        };
        let config = Config::load(&flags, &Environment::default())?;
        Session::open(&config, &Clock::system(chrono_tz::UTC), Access::Write).await
    }

    /// Statements straight to the store, as nobody but a test would.
    pub fn sql(&self, statements: &[&str]) {
        self.in_session(async |session| {
            macro_rules! run {
                ($pool:expr) => {{
                    // By one connection: another one may not know yet what this one dropped.
                    let mut one = $pool.acquire().await.unwrap();
                    for statement in statements {
                        let sql = sqlx::AssertSqlSafe((*statement).to_owned());
                        let done = sqlx::raw_sql(sql).execute(&mut *one).await;
                        done.map(drop).unwrap_or_else(|error| panic!("{statement}: {error}"));
                    }
                }};
            }
            match &session.store {
                Store::Sqlite(pool) => run!(pool),
                Store::Postgres(pool) => run!(pool),
            }
        });
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(work)
}

impl Drop for Machine {
    fn drop(&mut self) {
        // A sweep makes hundreds of them.
        if let (Some(address), true, false) = (&self.server, self.is_copy, thread::panicking()) {
            drop_database(address);
        }
    }
}

/// What went wrong was said as it must be: one line of at most 200 columns with the next step.
#[track_caller]
pub fn assert_told(ran: &Ran, why: &str) {
    let told = &ran.err;
    assert_eq!(told.lines().count(), 1, "{why}: {ran:?}");
    assert!(told.starts_with("dashtam: ") && told.chars().count() <= 201, "{why}: {ran:?}");
    // Cause and next step are parted by one of these.
    assert!(told.contains(';') || told.contains(':'), "{why}: {ran:?}");
    assert!(!told.contains("panicked"), "{why}: {ran:?}");
}

fn without_tls(address: &str) -> String {
    if address.contains("sslmode=") {
        return address.to_owned();
    }
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}sslmode=disable")
}

/// Copies what is in a folder, with its rights.
pub fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            fs::create_dir(&target).unwrap();
            copy_folder(&path, &target);
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            fs::set_permissions(&target, fs::Permissions::from_mode(mode)).unwrap();
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// The temporary files below a folder.
fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(leftovers(&path));
        } else if path.extension().is_some_and(|extension| extension == "tmp") {
            found.push(path);
        }
    }
    found
}
