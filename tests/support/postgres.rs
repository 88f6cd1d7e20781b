//! An empty Postgres database for each test that asks: on the server named by
//! `DASHTAM_TEST_POSTGRES_URL`, else on a throw-away cluster of this test process. It knows no
//! table of ours.
//!
//! The cluster is owned by a small shell script (`cluster.sh`) whose standard input is a pipe held
//! by this process. However the process ends, `kill -9` included, the pipe closes and the script
//! stops the server and removes its folder.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// A test database on a shared server that is older than this was left by a run long gone.
const LEFT_OVER: Duration = Duration::from_hours(12);
const PREFIX: &str = "dashtam_test_";
/// Somebody else may take the free port between our asking and the server's binding.
const START_ATTEMPTS: u32 = 3;

/// The address of a new, empty database; `None` (and a loud line) where there is no Postgres.
///
/// Works inside and outside an async runtime.
///
/// # Panics
/// Where `DASHTAM_REQUIRE_POSTGRES=1` and there is no Postgres, or when the server will not work.
pub fn postgres_url() -> Option<String> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let Some(server) = SERVER.get_or_init(Server::find) else {
        assert!(
            setting("DASHTAM_REQUIRE_POSTGRES").as_deref() != Some("1"),
            "DASHTAM_REQUIRE_POSTGRES=1, but no PostgreSQL was found"
        );
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("a test");
        super::announce(&format!("SKIPPED (no PostgreSQL): {test}"));
        return None;
    };
    Some(server.new_database())
}

/// The address of a new database with all that is in another one, to which nobody may be connected.
pub fn copied(address: &str) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let source = database_of(address);
    let name = format!("{PREFIX}{}_{}_copy{number}", now().as_secs(), std::process::id());
    let server = Server { base: with_database(address, "postgres"), owner: None };
    let create = format!("create database {name} template {source}");
    // Who has just left is still there for a moment.
    let mut refused = None;
    for _ in 0..100 {
        match server.run(vec![create.clone()]) {
            Ok(()) => return with_database(address, &name),
            Err(error) => refused = Some(error),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{source} cannot be copied: {refused:?}");
}

/// Removes a database, whoever is connected to it.
pub fn drop_database(address: &str) {
    let server = Server { base: with_database(address, "postgres"), owner: None };
    let drop = format!("drop database if exists {} with (force)", database_of(address));
    server.run(vec![drop]).expect("drop database");
}

/// The name of the database of an address.
pub fn database_of(address: &str) -> &str {
    let path = address.split('?').next().unwrap_or(address);
    path.rsplit('/').next().unwrap_or(path)
}

/// A server of one test alone, which may let it crash.
pub struct OwnServer {
    server: Server,
    port: u16,
    answers: BufReader<std::process::ChildStdout>,
}

impl OwnServer {
    /// Starts one; none, and a loud line, where there is no Postgres on this machine.
    pub fn start() -> Option<Self> {
        let Some(programs) = find_programs() else {
            super::announce("SKIPPED (no PostgreSQL of its own): a test");
            return None;
        };
        let mut server = Server::start(&programs);
        let owner = server.owner.as_mut().expect("the script");
        let answers = BufReader::new(owner.stdout.take().expect("its output"));
        let port = server.base.rsplit(':').next().and_then(|rest| rest.split('/').next());
        let port = port.and_then(|port| port.parse().ok()).expect("a port");
        Some(Self { server, port, answers })
    }

    /// The address of a new, empty database.
    pub fn new_database(&self) -> String {
        self.server.new_database()
    }

    /// The address of a database by its name.
    pub fn address_of(&self, database: &str) -> String {
        with_database(&self.server.base, database)
    }

    /// Statements of the server's owner, each by itself, in the database of an address.
    pub fn run(&self, address: &str, statements: &[&str]) {
        let base = with_database(&self.server.base, database_of(address));
        let server = Server { base, owner: None };
        let statements = statements.iter().map(|statement| (*statement).to_owned()).collect();
        server.run(statements).expect("statements");
    }

    /// Ends the server as a power cut would, and starts it again.
    pub fn crash(&mut self) {
        self.ask("crash");
    }

    /// Starts a server that follows this one and takes no writes; gives the same database there.
    pub fn standby(&mut self, address: &str) -> String {
        let port = free_port();
        self.ask(&format!("standby {port}"));
        address.replace(&format!(":{}/", self.port), &format!(":{port}/"))
    }

    fn ask(&mut self, request: &str) {
        let input = self.server.owner.as_mut().and_then(|owner| owner.stdin.as_mut());
        writeln!(input.expect("its input"), "{request}").expect("a request");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("its answer");
        assert_eq!(answer, "done\n", "{request}");
    }
}

struct Server {
    /// The address of a database to connect to when creating others.
    base: String,
    /// Holding it keeps our own cluster alive.
    owner: Option<Child>,
}

impl Server {
    fn find() -> Option<Self> {
        let server = if let Some(base) = setting("DASHTAM_TEST_POSTGRES_URL") {
            let server = Self { base, owner: None };
            server.sweep();
            server
        } else {
            Self::start(&find_programs()?)
        };
        Some(server)
    }

    fn start(programs: &str) -> Self {
        let mut complaint = String::new();
        for _ in 0..START_ATTEMPTS {
            match Self::try_start(programs) {
                Ok(server) => return server,
                Err(log) => complaint = log,
            }
        }
        panic!("PostgreSQL from {programs} does not start:\n{complaint}");
    }

    fn try_start(programs: &str) -> Result<Self, String> {
        let port = free_port();
        let mut command = Command::new("sh");
        command
            .args(["-c", include_str!("cluster.sh"), "cluster", programs])
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        // Ctrl-C reaches the whole process group of the tests; the script must outlive it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut owner = command.spawn().expect("a shell");

        // It says no more than its first line before it is asked.
        let mut answer = BufReader::new(owner.stdout.take().expect("its output"));
        let mut first = String::new();
        answer.read_line(&mut first).expect("the script's answer");
        if first.trim() == "ready" {
            let base = format!("postgres://dashtam@127.0.0.1:{port}/postgres");
            owner.stdout = Some(answer.into_inner());
            return Ok(Self { base, owner: Some(owner) });
        }
        drop(owner.stdin.take());
        let log: Vec<String> = answer.lines().map_while(Result::ok).collect();
        let _ = owner.wait();
        Err(log.join("\n"))
    }

    fn new_database(&self) -> String {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}_{}_{number}", now().as_secs(), std::process::id());
        self.run(vec![format!("create database {name}")]).expect("create database");
        with_database(&self.base, &name)
    }

    /// Removes what earlier runs left on a shared server.
    fn sweep(&self) {
        let base = self.base.clone();
        let names: Vec<String> = blocking(async move {
            let mut connection = PgConnection::connect(&base).await?;
            sqlx::query_scalar("select datname::text from pg_database where datname like $1")
                .bind(format!("{}%", PREFIX.replace('_', "\\_")))
                .fetch_all(&mut connection)
                .await
        })
        .expect("DASHTAM_TEST_POSTGRES_URL answers");
        for name in names.iter().filter(|name| is_left_over(name, now())) {
            // Somebody may still sit in it: then it stays.
            let _ = self.run(vec![format!("drop database if exists {name}")]);
        }
    }

    fn run(&self, statements: Vec<String>) -> Result<(), sqlx::Error> {
        let base = self.base.clone();
        blocking(async move {
            let mut connection = PgConnection::connect(&base).await?;
            for statement in statements {
                // Made here from numbers and constants only.
                sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await?;
            }
            connection.close().await
        })
    }
}

/// Runs a future to its end on a thread of its own, since the caller may be inside a runtime.
fn blocking<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(future)
    })
    .join()
    .expect("the database thread")
}

/// The same address with another database name.
pub fn with_database(url: &str, name: &str) -> String {
    let (address, query) = url.split_once('?').map_or((url, None), |(a, q)| (a, Some(q)));
    let scheme_end = address.find("://").map_or(0, |at| at + 3);
    let server_end = address[scheme_end..].find('/').map_or(address.len(), |at| scheme_end + at);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{name}{query}", &address[..server_end])
}

/// Whether a database's name tells that it is ours and was made long ago.
pub fn is_left_over(name: &str, now: Duration) -> bool {
    let made = name.strip_prefix(PREFIX).and_then(|rest| rest.split('_').next());
    let made = made.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    made.is_some_and(|made| now.saturating_sub(made) > LEFT_OVER)
}

/// The folder with the server's programs: from PATH, else where packages put them, newest first.
fn find_programs() -> Option<String> {
    let path = setting("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).collect::<Vec<_>>();
    let packaged = [
        versions("/usr/lib/postgresql", "", "bin"),
        versions("/usr", "pgsql-", "bin"),
        vec![PathBuf::from("/usr/local/pgsql/bin")],
        versions("/opt/homebrew/opt", "postgresql", "bin"),
        versions("/usr/local/opt", "postgresql", "bin"),
    ];
    in_path.into_iter().chain(packaged.into_iter().flatten()).find_map(|folder| {
        let initdb = folder.join("initdb");
        // PATH often holds links; the server's programs find their siblings by the real place.
        let folder = fs::canonicalize(initdb).ok()?.parent()?.to_path_buf();
        let whole = ["postgres", "pg_ctl"].iter().all(|program| folder.join(program).is_file());
        whole.then(|| folder.to_str().map(str::to_owned))?
    })
}

/// `parent/<prefix><version>/leaf` for every version there is, newest first.
fn versions(parent: &str, prefix: &str, leaf: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_prefix(prefix)?.trim_start_matches('@');
            Some((version.parse().unwrap_or(0), entry.path().join(leaf)))
        })
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, folder)| folder).collect()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

#[expect(clippy::disallowed_methods, reason = "the harness is set up from the environment")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "only names databases; no figure depends on it")]
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
