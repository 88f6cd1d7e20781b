//! Connections in the dashboard: made, paused, locked, unlocked and ended by keys, over the real app,
//! services and a Bridge on this machine, on both engines.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test"
)]

mod support;

#[path = "support/screen.rs"]
mod screen;

use std::time::Duration;

use dashtam::config::{Config, Environment, Overrides};
use dashtam::model::SafeText;
use dashtam::service::held::Lock;
use dashtam::service::refresh::{self, How, Progress, Refresher};
use dashtam::service::{Access, Session, connect, vault};
use dashtam::tui::{Effect, Errand, Msg, Options};
use screen::{Dashboard, NOW, SIZES, clock, options, run};
use secrecy::SecretString;
use support::alpaca::{Alpaca, ID, SECRET};
use support::postgres::postgres_url;
use support::simplefin::{Bridge, CLAIM, PASSWORD, USER};
use tempfile::TempDir;

const PASSPHRASE: &str = "c4n4ry swordfish";
const WAIT: Duration = Duration::from_secs(30);

/// Somebody with a Bridge, at a dashboard.
struct Desk {
    bridge: Bridge,
    alpaca: Alpaca,
    dashboard: Dashboard,
    config: Config,
    refresher: Option<Refresher>,
}

impl Desk {
    async fn new(size: (u16, u16), database: Option<String>, options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = NOW.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        let (bridge, alpaca) = (Bridge::new(now.timestamp()), Alpaca::new());
        let file = folder.path().join("config.toml");
        let bases = [("simplefin", &bridge.server.base), ("alpaca", &alpaca.server.base)];
        let text = bases.map(|(id, base)| format!("[{id}]\nbase_url = \"{base}\"\n")).concat();
        std::fs::write(&file, text).unwrap();
        let config = config(&folder, database);
        let session = Session::open(&config, &clock(), Access::Write).await.unwrap();
        let mut dashboard = Dashboard::over(session, Some(folder), size, options).await;
        dashboard.how = How::of(&config);
        dashboard.look_at_vault().await;
        Self { bridge, alpaca, dashboard, config, refresher: None }
    }

    /// One with a store on each engine there is.
    async fn on_each(size: (u16, u16)) -> Vec<Self> {
        let mut desks = vec![Self::new(size, None, options()).await];
        if let Some(url) = postgres_url() {
            let joint = if url.contains('?') { '&' } else { '?' };
            let url = format!("{url}{joint}sslmode=disable");
            desks.push(Self::new(size, Some(url), options()).await);
        }
        desks
    }

    async fn keys(&mut self, keys: &str) {
        self.dashboard.keys(keys).await;
        self.no_secret_is_seen();
    }

    fn paste(&mut self, text: &str) {
        self.dashboard.tell(Msg::Paste(text.to_owned()));
        self.no_secret_is_seen();
    }

    /// What was begun is done, and what it asks of the task that refreshes.
    async fn work(&mut self) {
        self.dashboard.work().await;
        self.no_secret_is_seen();
    }

    fn screen(&self) -> String {
        self.dashboard.screen()
    }

    #[track_caller]
    fn shows(&self, text: &str) {
        assert!(self.screen().contains(text), "{text}:\n{}", self.screen());
    }

    fn no_secret_is_seen(&self) {
        let told = format!("{}{:?}", self.screen(), self.dashboard.wanted);
        for secret in [PASSPHRASE, CLAIM, PASSWORD, USER, ID, SECRET, "c4n4ry"] {
            assert!(!told.contains(secret), "{secret}:\n{told}");
        }
    }

    /// Types what connects, the vault being made with it.
    async fn connect(&mut self, passphrase: &str) {
        for text in [passphrase, passphrase] {
            self.paste(text);
            self.keys("Enter").await;
        }
        self.bring("My bank").await;
    }

    /// Pastes the token, and types a name beneath it.
    async fn bring(&mut self, name: &str) {
        let token = self.bridge.token();
        for text in [&token, name] {
            self.paste(text);
            self.keys("Enter").await;
        }
    }

    async fn list(&self) -> Vec<(String, String)> {
        let rows = connect::list(self.dashboard.session()).await.unwrap();
        let told = |it: &connect::ConnectionRow| {
            (it.connection.label.to_string(), it.connection.state.as_str().to_owned())
        };
        rows.iter().map(told).collect()
    }

    /// Lets the task that refreshes do a round, as the program does once something happened.
    async fn round<T>(&mut self, ask: impl Fn(&Refresher) -> T) {
        let session = self.dashboard.session().clone();
        let is_new = self.refresher.is_none();
        let how = self.dashboard.how.clone();
        let refresher =
            self.refresher.get_or_insert_with(|| refresh::start(&session, &how).unwrap());
        let before = refresher.progress.borrow().rounds;
        if !is_new {
            ask(refresher);
        }
        let done = refresher.progress.wait_for(|it| !it.running && it.rounds > before);
        let progress: Progress = tokio::time::timeout(WAIT, done).await.unwrap().unwrap().clone();
        assert_eq!(progress.trouble, None);
        self.dashboard.tell(Msg::Refresh(Box::new(progress)));
        // What brought nothing new has no revision to wait for.
        tokio::time::sleep(Duration::from_millis(500)).await;
        self.dashboard.catch_up().await;
        self.no_secret_is_seen();
    }

    async fn actions(&self) -> Vec<String> {
        let trail = self.dashboard.session().audit().unwrap().store();
        let rows = trail.rows_between(0, trail.newest().await.unwrap()).await.unwrap();
        let ended = rows.into_iter().filter(|row| row.state != "ATTEMPTED");
        ended.map(|row| format!("{} {}", row.action, row.state)).collect()
    }

    async fn close(self) {
        if let Some(refresher) = self.refresher {
            refresher.stop().await;
        }
        self.dashboard.close().await;
    }
}

fn config(folder: &TempDir, database: Option<String>) -> Config {
    let flags = Overrides {
        config: Some(folder.path().join("config.toml")),
        data_dir: Some(folder.path().join("data")),
        database: database.map(SecretString::from),
        ..Overrides::default()
    };
    Config::load(&flags, &Environment::default()).unwrap()
}

#[test]
fn a_bank_is_connected_paused_locked_and_ended_by_keys() {
    run(async {
        for mut desk in Desk::on_each((120, 40)).await {
            // The last door of the welcome.
            desk.keys("j j j Enter").await;
            desk.connect(PASSPHRASE).await;
            desk.shows("connecting ...");
            assert!(matches!(
                desk.dashboard.wanted.last(),
                Some(Effect::Send(_, Errand::Connect(wanted))) if wanted.name.is_some()
            ));
            desk.work().await;
            desk.shows("connected My bank: what it tells is being fetched");
            desk.shows("unlocked");
            desk.shows("not asked yet");
            assert_eq!(desk.bridge.turn(|knobs| knobs.claims), 1);

            desk.round(|_| {}).await;
            assert_eq!(desk.bridge.asked(), 4, "a year, by windows");
            desk.shows("works");
            // 24 a day: the claim and four windows are gone.
            desk.shows("19/24");
            desk.shows("19 of 24 requests a day are left");
            desk.shows("fills 2 accounts at Example");
            // Six hours after it was asked at three in the afternoon.
            desk.shows("next try 21:00");

            // Who rests is asked nothing, whoever asks.
            desk.keys("o").await;
            desk.work().await;
            desk.shows("paused: nothing is asked of it");
            desk.round(Refresher::ask).await;
            let session = desk.dashboard.session().clone();
            let how = desk.dashboard.how.clone();
            let request = refresh::RefreshRequest {
                connections: vec![SafeText::new("My bank")],
                only: None,
                force: true,
                wait: Duration::ZERO,
            };
            let summary = refresh::run(&session, &how, None, &request).await.unwrap();
            assert_eq!(summary.outcome, refresh::Outcome::NothingDue);
            assert!(summary.connections[0].why.as_ref().unwrap().contains("paused"));
            assert_eq!(desk.bridge.asked(), 4);
            desk.keys("r").await;
            desk.shows("My bank: nothing is asked of it: o lets it go on");
            desk.keys("o").await;
            desk.work().await;
            desk.shows("My bank goes on");

            // What is locked is not asked, and says what to do.
            desk.keys("g l").await;
            desk.work().await;
            desk.shows("! locked: g k unlocks");
            desk.shows("once unlocked");
            desk.round(Refresher::ask).await;
            assert_eq!(desk.bridge.asked(), 4);
            desk.keys("g k").await;
            desk.paste("swordfish");
            desk.keys("Enter").await;
            desk.work().await;
            desk.shows("the passphrase is wrong");
            desk.paste(PASSPHRASE);
            desk.keys("Enter").await;
            desk.work().await;
            desk.shows("unlocked: what waited for it is fetched now");
            let id = connect::list(&session).await.unwrap()[0].connection.id;
            desk.keys("r").await;
            assert!(matches!(
                desk.dashboard.wanted.pop(),
                Some(Effect::RefreshOne(asked)) if asked == id
            ));
            desk.round(|refresher| refresher.ask_one(id)).await;
            assert_eq!(desk.bridge.asked(), 5);

            // It ends once somebody says yes, and its accounts stay.
            desk.keys("d").await;
            desk.shows("Its 2 accounts and all history stay.");
            desk.keys("y").await;
            desk.work().await;
            desk.shows("ended My bank; its history stays");
            desk.shows("there is no connection yet: c connects a bank or a broker");
            desk.keys("1").await;
            desk.shows("Everyday Checking");

            let actions = desk.actions().await;
            for action in [
                "vault.init SUCCEEDED",
                "connect SUCCEEDED",
                "refresh SUCCEEDED",
                "connection.pause SUCCEEDED",
                "connection.resume SUCCEEDED",
                "vault.lock SUCCEEDED",
                "vault.unlock FAILED",
                "vault.unlock SUCCEEDED",
                "disconnect SUCCEEDED",
            ] {
                assert!(actions.iter().any(|it| it == action), "{action}: {actions:?}");
            }
            assert_eq!(desk.bridge.turn(|knobs| knobs.faults.clone()), [""; 0]);
            desk.close().await;
        }
    });
}

#[test]
fn a_token_that_is_none_is_said_where_it_is_typed_and_the_vault_is_not_asked_for_again() {
    run(async {
        let mut desk = Desk::new((80, 24), None, options()).await;
        desk.keys("j j j Enter").await;
        insta::assert_snapshot!("connect_80x24", desk.screen());
        for _ in 0..2 {
            desk.paste(PASSPHRASE);
            desk.keys("Enter").await;
        }
        insta::assert_snapshot!("connect_typed", desk.screen());
        desk.paste("this is no token");
        desk.keys("Enter Enter").await;
        desk.work().await;
        insta::assert_snapshot!("connect_refused", desk.screen());
        assert_eq!(desk.bridge.turn(|knobs| knobs.claims), 0);
        // The service does not take it: it was claimed by somebody.
        desk.bridge.turn(|knobs| knobs.claimed = true);
        desk.bring("").await;
        desk.work().await;
        desk.shows("claimed before");
        desk.keys("Esc").await;
        desk.shows("Welcome");
        desk.close().await;
    });
}

/// Another service asks for other things: two keys, which are good again and again.
#[test]
fn keys_are_typed_one_by_one_and_mend_their_own_connection() {
    run(async {
        for size in SIZES {
            let mut desk = Desk::new(size, None, options()).await;
            desk.keys("j j j Enter Up Right Right").await;
            insta::assert_snapshot!(format!("keys_{}x{}", size.0, size.1), desk.screen());
            desk.keys("Left Left").await;
            desk.shows("Connect SimpleFIN");
        }
        let mut desk = Desk::new((80, 24), None, options()).await;
        desk.keys("j j j Enter Up Right Right Enter").await;
        let keys = desk.alpaca.keys();
        let (id, secret) = keys.trim().split_once('\n').unwrap();
        for text in [PASSPHRASE, PASSPHRASE, id, secret, secret] {
            desk.paste(text);
            desk.keys("Enter").await;
        }
        insta::assert_snapshot!("keys_typed", desk.screen());
        // The name is wiped, and the service does not take the keys.
        desk.alpaca.turn(|knobs| knobs.pair = 2);
        desk.keys("Enter").await;
        desk.work().await;
        insta::assert_snapshot!("keys_refused", desk.screen());
        desk.alpaca.turn(|knobs| knobs.pair = 1);
        for text in [id, secret, "Play"] {
            desk.paste(text);
            desk.keys("Enter").await;
        }
        desk.work().await;
        desk.shows("connected Play");
        let listed = connect::list(desk.dashboard.session()).await.unwrap();
        let told = listed.iter().map(|row| (&row.connection.label, row.connection.state.as_str()));
        let play = SafeText::new("Play");
        assert_eq!(told.collect::<Vec<_>>(), [(&play, "active")]);
        desk.close().await;
    });
}

#[test]
fn every_state_is_said_plainly_at_every_size() {
    run(async {
        for size in SIZES {
            let mut desk = Desk::new(size, None, options()).await;
            desk.keys("j j j Enter").await;
            desk.connect(PASSPHRASE).await;
            desk.work().await;
            desk.round(|_| {}).await;
            let name = |what: &str| format!("connections_{what}_{}x{}", size.0, size.1);
            desk.keys("j").await;
            insta::assert_snapshot!(name("work"), desk.screen());
            desk.keys("g l").await;
            desk.work().await;
            desk.keys("j").await;
            insta::assert_snapshot!(name("locked"), desk.screen());
            desk.keys("g k").await;
            desk.paste(PASSPHRASE);
            insta::assert_snapshot!(name("unlock"), desk.screen());
            desk.keys("Enter").await;
            desk.work().await;
            // The Bridge fails.
            desk.bridge.turn(|knobs| knobs.answer = Some(support::simplefin::nothing));
            desk.round(Refresher::ask).await;
            desk.keys("j").await;
            insta::assert_snapshot!(name("failing"), desk.screen());
            desk.keys("d").await;
            insta::assert_snapshot!(name("end"), desk.screen());
            desk.close().await;
        }
    });
}

#[test]
fn what_differs_is_compared_mended_left_and_taken_back() {
    run(async {
        for mut desk in Desk::on_each((120, 40)).await {
            desk.keys("j j j Enter").await;
            desk.connect(PASSPHRASE).await;
            desk.work().await;
            desk.round(|_| {}).await;
            desk.keys("x").await;
            desk.shows("0 differences");
            desk.shows("no refresh has found a difference");
            // Fifty more than the rows say, and five shares.
            desk.bridge.turn(|knobs| {
                knobs.accounts[0].balance = "1300.75".to_owned();
                let holdings = knobs.accounts[1].holdings.as_mut().unwrap();
                holdings[0]["shares"] = "125.500".into();
            });
            desk.round(Refresher::ask).await;
            desk.shows("2 differences");
            for size in SIZES {
                desk.dashboard.resize(size).await;
                let name = format!("reconcile_differs_{}x{}", size.0, size.1);
                insta::assert_snapshot!(name, desk.screen());
            }
            desk.dashboard.resize((120, 40)).await;
            desk.keys("1").await;
            desk.shows("differs");
            desk.shows("synced 15:00");
            desk.keys("g h A").await;
            desk.shows("2 differences");

            // An adjustment is proposed, written only once somebody says so, and taken back.
            desk.keys("x g g A").await;
            insta::assert_snapshot!("reconcile_adjust", desk.screen());
            desk.keys("Ctrl-s").await;
            desk.work().await;
            desk.shows("1 difference");
            desk.shows("mended");
            desk.keys("z").await;
            desk.work().await;
            desk.shows("2 differences");
            desk.keys("Z").await;
            desk.work().await;

            // What is left is left until a figure changes, and can be minded again.
            desk.keys("G i").await;
            desk.work().await;
            desk.shows("0 differences   1 ignored");
            desk.keys("z").await;
            desk.work().await;
            desk.shows("1 difference");
            desk.keys("Z").await;
            desk.work().await;
            desk.round(Refresher::ask).await;
            desk.shows("0 differences   1 ignored");
            assert!(!desk.screen().contains("mended"), "{}", desk.screen());
            desk.shows("none known");
            desk.keys("g h").await;
            assert!(!desk.screen().contains("econcile"), "{}", desk.screen());
            desk.bridge.turn(|knobs| {
                let holdings = knobs.accounts[1].holdings.as_mut().unwrap();
                holdings[0]["shares"] = "126.500".into();
            });
            desk.round(Refresher::ask).await;
            desk.keys("x G").await;
            desk.shows("1 difference");
            desk.shows("+6");
            desk.keys("a").await;
            insta::assert_snapshot!("reconcile_missing", desk.screen());
            desk.keys("Esc").await;
            let actions = desk.actions().await;
            assert!(actions.iter().any(|it| it == "reconcile.ignore SUCCEEDED"), "{actions:?}");
            desk.close().await;
        }
    });
}

#[test]
fn a_key_is_let_go_of_when_nobody_is_there_and_a_half_typed_secret_is_wiped() {
    run(async {
        let mut desk = Desk::new((80, 24), None, options()).await;
        let passphrase = dashtam::model::Secret::new(PASSPHRASE.to_owned());
        vault::init(desk.dashboard.session(), &desk.config, Some(passphrase)).await.unwrap();
        desk.dashboard.look_at_vault().await;
        desk.keys("g k").await;
        desk.paste("c4n4ry");
        desk.dashboard.tell(Msg::Cover);
        desk.keys("j").await;
        desk.shows("Welcome");
        // Nothing is locked that nobody unlocked.
        desk.dashboard.wanted.clear();
        desk.dashboard.tell(Msg::Lock);
        assert!(desk.dashboard.wanted.is_empty());
        desk.keys("g k").await;
        desk.paste(PASSPHRASE);
        desk.keys("Enter").await;
        desk.work().await;
        desk.shows("unlocked");
        assert!(desk.dashboard.how.held.is_there());
        desk.dashboard.tell(Msg::Lock);
        desk.work().await;
        assert!(!desk.dashboard.how.held.is_there());
        desk.shows("locked: nothing is fetched that needs a secret");
        let held = &desk.dashboard.how.held;
        let lock = dashtam::service::held::lock_of(desk.dashboard.session(), &desk.config, held);
        assert_eq!(lock.await, Lock::Locked);
        desk.close().await;
    });
}

#[test]
fn a_key_is_let_go_of_though_nothing_can_be_written() {
    run(async {
        let mut desk = Desk::new((120, 40), None, options()).await;
        let passphrase = dashtam::model::Secret::new(PASSPHRASE.to_owned());
        vault::init(desk.dashboard.session(), &desk.config, Some(passphrase)).await.unwrap();
        desk.dashboard.look_at_vault().await;
        // A secret that is half typed goes, whether the vault is open or not.
        desk.keys("g k").await;
        desk.paste("c4n4ry");
        desk.dashboard.tell(Msg::Lock);
        assert!(!desk.screen().contains("passphrase"), "{}", desk.screen());
        assert!(desk.dashboard.wanted.is_empty(), "{:?}", desk.dashboard.wanted);
        desk.keys("g k").await;
        desk.paste(PASSPHRASE);
        desk.keys("Enter").await;
        desk.work().await;
        assert!(desk.dashboard.how.held.is_there());
        let why = Some(("disk full", "there is no room on the disk".to_owned()));
        desk.dashboard.tell(Msg::Blocked(why));
        desk.dashboard.tell(Msg::Lock);
        assert!(!desk.dashboard.how.held.is_there());
        desk.shows("locked; the trail does not tell of it: not yet, only looking: disk full");
        desk.close().await;
    });
}

#[test]
fn the_end_of_something_else_is_not_taken_for_that_of_the_page() {
    run(async {
        let mut desk = Desk::new((120, 40), None, options()).await;
        desk.keys("j j j Enter").await;
        desk.connect(PASSPHRASE).await;
        desk.shows("connecting ...");
        let other = || Err(dashtam::service::Error::Interrupted);
        desk.dashboard.tell(Msg::Errand(None, Box::new(other())));
        desk.shows("connecting ...");
        desk.dashboard.tell(Msg::Errand(Some(0), Box::new(other())));
        desk.shows("connecting ...");
        // Who left it is not taken elsewhere.
        desk.keys("Esc").await;
        desk.work().await;
        desk.keys("0").await;
        let before = desk.screen();
        desk.keys("g n").await;
        assert!(!before.contains("Last success") && desk.screen().contains("Last success"));
        desk.close().await;
    });
}

#[test]
fn a_lost_consent_is_given_again_by_its_row_and_nowhere_else() {
    run(async {
        for mut desk in Desk::on_each((120, 40)).await {
            desk.keys("j j j Enter").await;
            desk.connect(PASSPHRASE).await;
            desk.work().await;
            desk.round(|_| {}).await;
            // The access ends at the service.
            desk.bridge.renew();
            desk.round(Refresher::ask).await;
            desk.shows("it needs a new consent: c connects it again, and its rows go on");
            let lost = desk.list().await;
            assert_ne!(lost[0].1, "ACTIVE");

            // A new one never takes its place, whatever it is called.
            desk.keys(": c o n n e c t Enter").await;
            desk.shows("Connect SimpleFIN");
            desk.bring("My bank").await;
            desk.work().await;
            desk.shows("a connection has this name; choose another");
            assert_eq!(desk.list().await, lost);
            desk.keys("Esc c").await;
            desk.shows("Connect My bank again");
            let token = desk.bridge.token();
            desk.paste(&token);
            desk.keys("Enter").await;
            desk.work().await;
            desk.shows("connected My bank");
            assert_eq!(desk.list().await.len(), 1);
            assert_ne!(desk.list().await, lost);

            // Without a name it is new too, though another has lost its consent.
            desk.bridge.renew();
            desk.round(Refresher::ask).await;
            assert_eq!(desk.list().await, lost);
            desk.keys(": c o n n e c t Enter").await;
            desk.bring("").await;
            desk.work().await;
            let both = desk.list().await;
            assert_eq!(both.len(), 2, "{both:?}");
            assert!(both.contains(&lost[0]), "{both:?}");
            desk.close().await;
        }
    });
}

#[test]
fn asking_one_connection_does_not_keep_the_others_waiting() {
    run(async {
        let mut desk = Desk::new((120, 40), None, options()).await;
        desk.keys("j j j Enter").await;
        desk.connect(PASSPHRASE).await;
        desk.work().await;
        desk.round(|_| {}).await;
        let session = desk.dashboard.session().clone();
        let first = connect::list(&session).await.unwrap()[0].connection.id;
        // The second was never asked, so it is due.
        desk.bridge.renew();
        desk.keys(": c o n n e c t Enter").await;
        desk.bring("Hers").await;
        desk.work().await;
        desk.round(|refresher| refresher.ask_one(first)).await;
        let second = async {
            loop {
                let rows = connect::list(&session).await.unwrap();
                if rows.iter().any(|it| it.connection.id != first && it.succeeded.is_some()) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(WAIT, second).await.expect("the second is asked as well");
        desk.close().await;
    });
}

#[test]
fn without_a_key_no_connection_is_said_to_work() {
    run(async {
        for lock in [Lock::Missing, Lock::Broken(SafeText::new("damaged"))] {
            let mut desk = Desk::new((120, 40), None, options()).await;
            desk.keys("j j j Enter").await;
            desk.connect(PASSPHRASE).await;
            desk.work().await;
            desk.round(|_| {}).await;
            desk.shows("works");
            desk.dashboard.tell(Msg::Vault(lock));
            assert!(!desk.screen().contains("works"), "{}", desk.screen());
            desk.shows("! no key here");
            assert!(!desk.screen().contains("● live"), "{}", desk.screen());
            desk.shows("once there is a key");
            desk.keys("r").await;
            desk.shows("My bank: nothing here opens its secret");
            desk.close().await;
        }
    });
}

#[test]
fn a_secret_on_the_command_line_is_refused_and_not_kept() {
    run(async {
        let mut desk = Desk::new((80, 24), None, options()).await;
        for word in ["unlock", "connect", "new-connection"] {
            desk.keys(":").await;
            desk.dashboard.tell(Msg::Paste(format!("{word} c4n4ry")));
            desk.keys("Enter").await;
            desk.shows(&format!("`{word}` stands alone"));
            desk.keys("Esc : Up").await;
            assert!(!desk.screen().contains(word), "{}", desk.screen());
            desk.keys("Esc").await;
        }
        desk.close().await;
    });
}

#[test]
fn where_nothing_is_written_nothing_is_asked_for() {
    run(async {
        let looking = Options { read_only: true, ..options() };
        let mut desk = Desk::new((80, 24), None, looking).await;
        for keys in [": c o n n e c t Enter", "g k", ": u n l o c k Enter"] {
            desk.keys(keys).await;
            assert!(desk.screen().contains("--read-only"), "{keys}: {}", desk.screen());
        }
        assert!(desk.dashboard.wanted.is_empty());
        desk.close().await;
        let mut demo = Dashboard::demo((80, 24), options()).await;
        demo.keys("1 c").await;
        assert!(demo.screen().contains("the sample household is connected to nobody"));
        demo.close().await;
    });
}

/// A key that is pressed twice before anything is seen does not do it twice, nor undo it.
#[test]
fn a_pause_is_written_once_however_often_the_key_is_pressed() {
    run(async {
        for mut desk in Desk::on_each((120, 40)).await {
            desk.keys("j j j Enter").await;
            desk.connect(PASSPHRASE).await;
            desk.work().await;
            desk.round(|_| {}).await;
            desk.dashboard.press("o o");
            desk.work().await;
            desk.shows("paused: nothing is asked of it");
            // At once, as tasks of the program do it.
            let session = desk.dashboard.session().clone();
            let id = connect::list(&session).await.unwrap()[0].connection.id;
            let pause = |rests| connect::pause(&session, id, rests);
            let (one, two) = tokio::join!(pause(false), pause(false));
            let already = [one.unwrap().already, two.unwrap().already];
            assert_eq!(already.iter().filter(|it| **it).count(), 1, "{already:?}");
            let actions = desk.actions().await;
            for action in ["connection.pause SUCCEEDED", "connection.resume SUCCEEDED"] {
                let times = actions.iter().filter(|it| *it == action).count();
                assert_eq!(times, 1, "{action}: {actions:?}");
            }

            // Its consent is lost, and it rests: both are seen.
            desk.bridge.renew();
            desk.round(Refresher::ask).await;
            connect::pause(&session, id, true).await.unwrap();
            desk.dashboard.catch_up().await;
            desk.keys("j").await;
            insta::assert_snapshot!("connections_lost_paused", desk.screen());
            desk.shows(", paused");
            desk.keys("o").await;
            desk.work().await;
            assert!(!desk.screen().contains(", paused"), "{}", desk.screen());
            desk.keys("o").await;
            desk.shows("My bank: it needs a new consent");
            desk.close().await;
        }
    });
}

/// Each service of the table asks for what the table says, and one that asks for nothing needs no vault.
#[test]
fn every_service_can_be_chosen_on_the_page_that_connects() {
    run(async {
        for size in SIZES {
            let mut desk = Desk::new(size, None, options()).await;
            let name = |what: &str| format!("connect_{what}_{}x{}", size.0, size.1);
            desk.keys("j j j Enter Up").await;
            insta::assert_snapshot!(name("service"), desk.screen());
            let mut seen = Vec::new();
            for service in connect::services() {
                desk.shows(&format!("Connect {}", service.title));
                seen.push(service.id);
                if matches!(service.asks, connect::Asks::Browser { .. }) {
                    insta::assert_snapshot!(name("browser"), desk.screen());
                    desk.keys("Enter").await;
                    assert!(desk.dashboard.wanted.is_empty(), "{:?}", desk.dashboard.wanted);
                    desk.keys("Up").await;
                }
                if service.id != "frankfurter" {
                    desk.keys("Right").await;
                }
            }
            assert!(["simplefin", "schwab", "frankfurter"].iter().all(|id| seen.contains(id)));
            insta::assert_snapshot!(name("anybody"), desk.screen());
            desk.keys("Enter Enter").await;
            desk.work().await;
            desk.shows("connected European Central Bank: what it tells");
            assert_eq!(desk.list().await.len(), 1);
            assert!(!desk.config.vault_dir().join("key").exists(), "no vault was needed");
            // A second one would tell the same.
            desk.keys(": c o n n e c t Enter Up Left Enter Enter").await;
            desk.work().await;
            desk.shows("is connected already");
            assert_eq!(desk.list().await.len(), 1);
            desk.close().await;
        }
    });
}

/// What another process did to the vault is found where it matters: when a key asks for it.
#[test]
fn the_vault_is_looked_at_when_somebody_asks_for_it() {
    let secret = |text: &str| Some(dashtam::model::Secret::new(text.to_owned()));
    run(async {
        for mut desk in Desk::on_each((120, 40)).await {
            let folder = desk.config.vault_dir();
            let session = desk.dashboard.session().clone();
            desk.keys("g n").await;
            for keys in ["g l", "g k"] {
                desk.keys(keys).await;
                desk.shows("there is no vault yet: connecting makes one");
            }

            // Another process makes one: it is found locked, and nothing of it is made here.
            vault::init(&session, &desk.config, secret(PASSPHRASE)).await.unwrap();
            desk.keys(": c o n n e c t Enter").await;
            desk.shows("passphrase");
            assert!(!desk.screen().contains("the same again"), "{}", desk.screen());
            desk.keys("Esc g l").await;
            desk.shows("it is locked already");
            desk.keys("g k").await;
            desk.paste(PASSPHRASE);
            desk.keys("Enter").await;
            desk.work().await;
            desk.shows("unlocked: what waited for it is fetched now");
            desk.keys("g k").await;
            desk.shows("it is unlocked already");
            desk.keys(": c o n n e c t Enter").await;
            assert!(!desk.screen().contains("passphrase"), "{}", desk.screen());
            desk.bring("My bank").await;
            desk.work().await;
            desk.round(|_| {}).await;
            desk.shows("works");

            // Another passphrase of the same key changes nothing; another key does.
            let key = vault::unlock(&session, &desk.config, &secret(PASSPHRASE).unwrap()).await;
            vault::change_passphrase(&session, &desk.config, key.unwrap(), secret("c4n4ry two"))
                .await
                .unwrap();
            desk.keys("g k").await;
            desk.shows("it is unlocked already");
            let kept = std::fs::read(folder.join("key")).unwrap();
            std::fs::remove_file(folder.join("key")).unwrap();
            vault::init(&session, &desk.config, secret("c4n4ry three")).await.unwrap();
            desk.keys("g k").await;
            assert!(!desk.dashboard.how.held.is_there(), "it opens nothing any more");
            desk.shows("Unlock");
            desk.keys("Esc").await;
            desk.shows("! locked: g k unlocks");
            desk.shows("once unlocked");

            // It is taken away, and put back while somebody types.
            std::fs::remove_file(folder.join("key")).unwrap();
            desk.keys("g k").await;
            desk.shows("there is no vault yet: connecting makes one");
            desk.shows("once there is a key");
            desk.dashboard.press("c");
            desk.shows("the same again");
            let token = desk.bridge.token();
            for key in ["Tab", "Tab"] {
                desk.dashboard.press(key);
            }
            desk.paste(&token);
            write_private(&folder.join("key"), &kept);
            desk.dashboard.settle().await;
            desk.shows("passphrase");
            desk.shows("characters, hidden");
            assert!(!desk.screen().contains("the same again"), "{}", desk.screen());
            desk.keys("Esc").await;

            // A file that is none is said to be none.
            write_private(&folder.join("key"), b"not a key\n");
            for keys in ["g k", "g l"] {
                desk.keys(keys).await;
                assert!(!desk.screen().contains("Enter next"), "{keys}:\n{}", desk.screen());
                desk.shows("vault/key");
            }
            desk.keys("c").await;
            desk.shows("Nothing can be sealed now");
            desk.keys("Esc").await;
            desk.shows("no key");
            desk.close().await;
        }
    });
}

fn write_private(path: &std::path::Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
