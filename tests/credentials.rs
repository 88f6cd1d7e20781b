//! Secrets that serve once, renewed by many processes at a service that ends everything when one comes
//! twice. The processes are this very test program, told on its standard input what to do; what they
//! run is the product's own code.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod support;

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dashtam::audit;
use dashtam::clock::Clock;
use dashtam::config::{Config, Environment, Overrides};
use dashtam::credentials::{Error, Held, Keeper, Lost, Serves};
use dashtam::http::{Bounds, Client, Gate, Hosts, Request, Surroundings};
use dashtam::model::{Connection, ConnectionId, ConnectionState, SafeText, Secret};
use dashtam::service::{Access, Session, vault};
use dashtam::store::{Holder, Lease, Store, Waiting};
use secrecy::SecretString;
use support::engines::{Engine, engines};
use support::server::{End, Reply, Server};

const BANK: ConnectionId = ConnectionId(1);

/// A service whose tokens are numbers and serve once; one that comes twice ends the family.
struct Tokens {
    server: Server,
    family: Arc<Mutex<Family>>,
    /// While this is so, it takes a token and says nothing for long.
    silent: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Family {
    newest: u64,
    exchanges: u64,
    reused: u64,
}

impl Tokens {
    fn new() -> Self {
        let family = Arc::new(Mutex::new(Family { newest: 1, ..Family::default() }));
        let silent = Arc::new(AtomicBool::new(false));
        let (state, quiet) = (Arc::clone(&family), Arc::clone(&silent));
        let server = Server::new(move |asked| {
            let token = asked.body.strip_prefix("refresh_token=token-").unwrap();
            let mut family = state.lock().unwrap();
            if token.parse() != Ok(family.newest) {
                family.reused += 1;
                return Reply::new(400, &[], "{\"error\":\"invalid_grant\"}");
            }
            family.newest += 1;
            family.exchanges += 1;
            let reply = Reply::json(&format!("token-{}", family.newest));
            drop(family);
            match quiet.load(Ordering::Relaxed) {
                true => Reply { bytes: Vec::new(), end: End::Stall(Duration::from_mins(1)) },
                false => reply,
            }
        });
        Self { server, family, silent }
    }

    /// Exchanges and tokens that came twice.
    fn counts(&self) -> (u64, u64) {
        let family = self.family.lock().unwrap();
        (family.exchanges, family.reused)
    }
}

/// Hands a token in and takes the next one, through the one HTTP client.
async fn exchange(base: String, token: Secret) -> Result<Secret, Lost> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock = Clock::system(chrono_tz::UTC);
    let client = Client::new(Bounds::default(), Surroundings::of_machine(&clock));
    let mut gate = Gate::new(Hosts::ThisMachine, &[], &[], clock.now());
    let request = Request::post_once(format!("{base}/token").parse().unwrap());
    let request = request.form(&[("refresh_token", token.expose())]);
    match client.send(&mut gate, &request, async |_| Ok(())).await {
        Ok(answer) if answer.is_well() => {
            Ok(Secret::new(String::from_utf8(answer.body.to_vec()).unwrap()))
        }
        Ok(_) => Err(Lost::Refused(SafeText::new("the service does not accept it"))),
        Err(error) if error.sent => Err(Lost::Unanswered(SafeText::new(&error.to_string()))),
        Err(error) => Err(Lost::NotTaken(SafeText::new(&error.to_string()))),
    }
}

fn keeper(session: &Session, config: &Config) -> Keeper {
    let files = vault::of(config);
    let key = files.unprotected().unwrap();
    Keeper::new(&session.store, session.audit().unwrap(), &session.clock, files, key)
}

/// A store with a vault and a connection that has its first token.
async fn connected(engine: &Engine) -> Keeper {
    let (session, config) = (&engine.session, &engine.config);
    vault::init(session, config, None).await.unwrap();
    let mut tx = session.store.write().await.unwrap();
    let connection = Connection {
        id: BANK,
        provider: SafeText::new("bank"),
        label: SafeText::new("Bank"),
        state: ConnectionState::Active,
        since: 0,
        consent_expires: None,
        detail: None,
    };
    tx.insert_connection(&connection).await.unwrap();
    tx.commit("connected", "test", 0).await.unwrap();
    let keeper = keeper(session, config);
    assert_eq!(keeper.put(BANK, &Secret::new("token-1".to_owned())).await.unwrap(), 1);
    keeper
}

fn holder() -> Holder {
    let pid = i64::from(std::process::id());
    Holder { host: SafeText::new(&audit::host()), pid, since: 0 }
}

async fn lease(store: &Store) -> Lease {
    let mut waiting = Waiting::default();
    loop {
        // One that is killed lets go at once.
        if let Some(lease) = store.try_lease_again(&holder(), &mut waiting).await.unwrap() {
            return lease;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn renew(keeper: &Keeper, lease: &Lease, seen: i64, base: &str) -> Result<Held, Error> {
    let base = base.to_owned();
    let work = |token| exchange(base, token);
    keeper.renew(lease, BANK, seen, Serves::Once, work).await
}

async fn state(store: &Store) -> (ConnectionState, String) {
    let known = store.read().await.unwrap().connections().await.unwrap();
    (known[0].state, known[0].detail.clone().unwrap_or_default().into_string())
}

/// Another process at this store: until the secret has this generation, each one is too old.
fn process(engine: &Engine, base: &str, until: i64) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "what_another_process_does", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let server = match engine.name {
        "sqlite" => String::new(),
        _ => format!("{}?sslmode=disable", database(&engine.config)),
    };
    let told = format!("{}\n{server}\n{base}\n{until}\n", engine.folder().display());
    child.stdin.take().unwrap().write_all(told.as_bytes()).unwrap();
    child
}

/// The address of a server, with its password.
fn database(config: &Config) -> String {
    use dashtam::config::{Database, PostgresHost};
    use secrecy::ExposeSecret as _;
    let Database::Postgres(url) = &config.database.value else { panic!("a file") };
    let PostgresHost::Network(host) = &url.host else { panic!("a socket") };
    let user = url.user.as_deref().unwrap_or("postgres");
    let password = url.password.as_ref().map_or("", |it| it.expose_secret());
    format!("postgres://{user}:{password}@{host}:{}/{}", url.port, url.database)
}

#[test]
#[ignore = "it is run by other tests, as a process of its own"]
fn what_another_process_does() {
    let mut told = String::new();
    std::io::stdin().read_to_string(&mut told).unwrap();
    let [folder, server, base, until] = told.lines().collect::<Vec<_>>()[..] else { return };
    let until: i64 = until.parse().unwrap();
    let flags = Overrides {
        data_dir: Some(folder.into()),
        database: (!server.is_empty()).then(|| SecretString::from(server)),
        ..Overrides::default()
    };
    let config = Config::load(&flags, &Environment::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let clock = Clock::system(chrono_tz::UTC);
        let session = Session::open(&config, &clock, Access::Write).await.unwrap();
        let keeper = keeper(&session, &config);
        let mut waiting = Waiting::default();
        loop {
            let seen = keeper.current(BANK).await.unwrap().generation;
            if seen >= until {
                break;
            }
            // Whoever waits looks first whether it was done meanwhile.
            let lease = session.store.try_lease_again(&holder(), &mut waiting).await.unwrap();
            let Some(lease) = lease else {
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            };
            let held = renew(&keeper, &lease, seen, base).await;
            lease.release().await.unwrap();
            let held = held.unwrap();
            assert_eq!(held.secret.expose(), format!("token-{}", held.generation));
        }
        session.close().await;
    });
}

#[expect(clippy::disallowed_methods, reason = "a test asks for itself how much is wanted")]
fn is_full() -> bool {
    std::env::var("DASHTAM_FULL").is_ok_and(|value| value == "1")
}

/// F10, F21, G4: each time all of them find it too old, one exchanges it and all have the same.
#[tokio::test(flavor = "multi_thread")]
async fn ten_processes_exchange_each_token_once() {
    for engine in engines().await {
        let tokens = Tokens::new();
        let keeper = connected(&engine).await;
        let expiries: i64 = if is_full() { 100 } else { 10 };
        let start = |_| process(&engine, &tokens.server.base, expiries + 1);
        let processes: Vec<Child> = (0..10).map(start).collect();
        for process in processes {
            let ended = process.wait_with_output().unwrap();
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        }
        assert_eq!(tokens.counts(), (u64::try_from(expiries).unwrap(), 0), "on {}", engine.name);
        let held = keeper.current(BANK).await.unwrap();
        let text = format!("token-{}", expiries + 1);
        assert_eq!((held.generation, held.secret.expose()), (expiries + 1, text.as_str()));
        assert_eq!(state(&engine.session.store).await.0, ConnectionState::Active);
        engine.close().await;
    }
}

/// F20: the service has taken the token, and nobody has what it gave for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_whose_answer_was_lost_is_never_presented_again() {
    for engine in engines().await {
        let tokens = Tokens::new();
        let keeper = connected(&engine).await;
        let store = &engine.session.store;
        tokens.silent.store(true, Ordering::Relaxed);
        let mut process = process(&engine, &tokens.server.base, 2);
        while tokens.counts().0 == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        process.kill().unwrap();
        process.wait().unwrap();
        tokens.silent.store(false, Ordering::Relaxed);
        let held = lease(store).await;
        for _ in 0..2 {
            let error = renew(&keeper, &held, 1, &tokens.server.base).await.map(drop).unwrap_err();
            assert!(matches!(error, Error::Consent(BANK, _)), "{error}");
            assert!(error.to_string().contains("needs a new consent"), "{error}");
        }
        assert_eq!(tokens.counts(), (1, 0), "on {}", engine.name);
        let (now, detail) = state(store).await;
        assert_eq!(now, ConnectionState::Failed);
        assert!(detail.contains("stopped before it had the answer"), "{detail}");
        assert_eq!(keeper.settle_lost(&held).await.unwrap(), [BANK]);
        let shown = keeper.current(BANK).await.map(drop).unwrap_err();
        assert!(matches!(shown, Error::Consent(BANK, _)), "{shown}");
        // A new consent brings a new secret, and that one serves.
        let fresh = Secret::new("token-2".to_owned());
        assert_eq!(keeper.put(BANK, &fresh).await.unwrap(), 2);
        assert_eq!(keeper.settle_lost(&held).await.unwrap(), []);
        let next = renew(&keeper, &held, 2, &tokens.server.base).await.unwrap();
        assert_eq!((next.generation, next.secret.expose()), (3, "token-3"));
        held.release().await.unwrap();
        engine.close().await;
    }
}

/// F20, at any time: nothing is ever presented twice, and what is kept serves, or is known to be lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_at_any_time_presents_nothing_twice() {
    let engine = support::engines::sqlite().await;
    let tokens = Tokens::new();
    let keeper = connected(&engine).await;
    let store = &engine.session.store;
    let mut lost = 0;
    for round in 0..12_u64 {
        let mut process = process(&engine, &tokens.server.base, i64::MAX);
        // Long enough to be under way, and each time a little longer.
        tokio::time::sleep(Duration::from_millis(150 + round * 23)).await;
        process.kill().unwrap();
        process.wait().unwrap();
        let held = lease(store).await;
        let seen = keeper.current(BANK).await.unwrap().generation;
        match renew(&keeper, &held, seen, &tokens.server.base).await {
            Ok(next) => assert_eq!(next.generation, seen + 1),
            Err(Error::Consent(..)) => {
                lost += 1;
                assert_eq!(state(store).await.0, ConnectionState::Failed);
                let newest = tokens.family.lock().unwrap().newest;
                keeper.put(BANK, &Secret::new(format!("token-{newest}"))).await.unwrap();
                let mut tx = store.write().await.unwrap();
                let mut row = tx.connections().await.unwrap().remove(0);
                row.state = ConnectionState::Active;
                tx.update_connection(&row).await.unwrap();
                tx.commit(&format!("again {round}"), "test", 0).await.unwrap();
            }
            Err(error) => panic!("{error}"),
        }
        held.release().await.unwrap();
        assert_eq!(tokens.counts().1, 0, "one came twice, after {lost} were lost");
    }
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_taken_can_be_presented_again_and_what_was_refused_cannot() {
    for engine in engines().await {
        let keeper = connected(&engine).await;
        let store = &engine.session.store;
        let held = lease(store).await;
        let gone = Tokens::new().server.base.clone();
        for _ in 0..2 {
            let error = renew(&keeper, &held, 1, &gone).await.map(drop).unwrap_err();
            assert!(matches!(error, Error::Later(_)), "{error}");
        }
        let none = async |serves, answer: Result<&str, Lost>| {
            let answer = answer.map(|text| Secret::new(text.to_owned()));
            keeper.renew(&held, BANK, 1, serves, |_| async { answer }).await
        };
        let silence = || Lost::Unanswered(SafeText::new("it did not answer"));
        for _ in 0..2 {
            let error = none(Serves::Again, Err(silence())).await.map(drop).unwrap_err();
            assert!(matches!(error, Error::Later(_)), "this one serves more than once: {error}");
        }
        assert_eq!(state(store).await.0, ConnectionState::Active);
        let next = none(Serves::Again, Ok("token-2")).await.unwrap();
        assert_eq!((next.generation, next.secret.expose()), (2, "token-2"));
        // Whoever comes late has what there is.
        assert_eq!(none(Serves::Once, Err(silence())).await.unwrap().generation, 2);
        let refused = || async { Err(Lost::Refused(SafeText::new("revoked"))) };
        let error = keeper.renew(&held, BANK, 2, Serves::Once, move |_| refused()).await;
        assert!(matches!(error.map(drop), Err(Error::Consent(BANK, why)) if why == "revoked"));
        assert_eq!(state(store).await, (ConnectionState::Revoked, "revoked".to_owned()));
        let again = keeper.renew(&held, BANK, 2, Serves::Once, |_| async { panic!("twice") }).await;
        assert!(matches!(again.map(drop), Err(Error::Consent(..))));
        held.release().await.unwrap();
        assert_eq!(engine.damage().await, [""; 0]);
        let trail = engine.session.audit().unwrap().rows().await.unwrap();
        let begun = trail.iter().filter(|row| row.state == "ATTEMPTED").count();
        assert_eq!(trail.len(), begun * 2, "each attempt has its outcome");
        engine.close().await;
    }
}

/// The key file is changed and all is sealed for the new key while the token comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_comes_back_while_the_key_is_renewed_is_sealed_for_the_new_one() {
    for engine in engines().await {
        let keeper = connected(&engine).await;
        let store = &engine.session.store;
        let held = lease(store).await;
        let (give, given) = tokio::sync::oneshot::channel();
        let writer = store.clone();
        let exchange = |_| async move {
            give.send(writer.write().await.unwrap()).map_err(drop).unwrap();
            Ok(Secret::new("token-2".to_owned()))
        };
        let renewing = keeper.renew(&held, BANK, 1, Serves::Once, exchange);
        let files = vault::of(&engine.config);
        let rotating = async {
            let mut tx = given.await.unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            let changing = files.change().unwrap();
            let key = files.unprotected().unwrap().renewed();
            let file = files.read().unwrap().rekeyed(&key, None).unwrap();
            files.write(&file, &key, &changing).unwrap();
            dashtam::vault::seal_all::<Error>(&mut tx, &key, &file.recipients()).await.unwrap();
            tx.commit("rotated", "test", 0).await.unwrap();
            let file = file.rekeyed(&key.newest(), None).unwrap();
            files.write(&file, &key, &changing).unwrap();
        };
        let (next, ()) = tokio::join!(renewing, rotating);
        assert_eq!(next.unwrap().secret.expose(), "token-2");
        let row = store.read().await.unwrap().secret(BANK).await.unwrap().unwrap();
        let key = files.unprotected().unwrap();
        let opened = dashtam::vault::open_kept(&key, &row).map(|it| it.expose().to_owned());
        assert_eq!(opened.unwrap(), "token-2", "on {}", engine.name);
        assert!(row.serves_once, "as the one before it");
        held.release().await.unwrap();
        engine.close().await;
    }
}

/// F24: what its owner did meanwhile is what counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_came_while_the_old_one_was_exchanged_counts() {
    for engine in engines().await {
        let keeper = connected(&engine).await;
        let store = &engine.session.store;
        let held = lease(store).await;
        let answers = [
            Err(Lost::Refused(SafeText::new("revoked"))),
            Err(Lost::Unanswered(SafeText::new("nothing came"))),
            Ok("of the old consent"),
        ];
        for (generation, answer) in (1..).zip(answers) {
            let meanwhile = keeper.clone();
            let exchange = move |_| async move {
                meanwhile.put(BANK, &Secret::new("fresh".to_owned())).await.unwrap();
                answer.map(|text| Secret::new(text.to_owned()))
            };
            let next = keeper.renew(&held, BANK, generation, Serves::Once, exchange).await.unwrap();
            assert_eq!((next.generation, next.secret.expose()), (generation + 1, "fresh"));
            assert_eq!(state(store).await.0, ConnectionState::Active, "on {}", engine.name);
        }
        // Who took the lease meanwhile held it for lost.
        let (meanwhile, lease) = (keeper.clone(), held.clone());
        let exchange = move |_| async move {
            assert_eq!(meanwhile.settle_lost(&lease).await.unwrap(), [BANK]);
            Ok(Secret::new("late".to_owned()))
        };
        let next = keeper.renew(&held, BANK, 4, Serves::Once, exchange).await.unwrap();
        assert_eq!((next.generation, next.secret.expose()), (5, "late"));
        assert_eq!(state(store).await, (ConnectionState::Active, String::new()));
        assert_eq!(engine.damage().await, [""; 0]);
        held.release().await.unwrap();
        engine.close().await;
    }
}
