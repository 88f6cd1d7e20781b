//! A consent that is given in a browser, from the dashboard: its page shows the address to sign in at and
//! takes the one that the browser ends at, over the real app, services and a Schwab on this machine, on
//! both engines.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

#[path = "support/screen.rs"]
mod screen;

use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use dashtam::config::{Config, Environment, Overrides};
use dashtam::model::Connection;
use dashtam::service::refresh::{self, How, RefreshRequest, Summary};
use dashtam::service::{Access, Session, connect};
use dashtam::tui::{Done, Effect, Msg, Upshot};
use screen::{Dashboard, NOW, SIZES, clock, options, run};
use secrecy::SecretString;
use support::browser::free_port;
use support::postgres::postgres_url;
use support::schwab::{KEY, SECRET, Schwab, TOKEN};
use support::terminal::wait;

const PASSPHRASE: &str = "c4n4ry swordfish";
const CTRL_Y: &str = "Ctrl-y";
/// In microseconds.
const HOUR: i64 = 3_600_000_000;

/// Somebody with accounts at Schwab, at a dashboard with nothing in it.
struct Desk {
    schwab: Schwab,
    dashboard: Dashboard,
    port: u16,
}

impl Desk {
    async fn new(size: (u16, u16), database: Option<String>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let (schwab, port) = (Schwab::new(NOW.parse().unwrap()), free_port());
        let (base, callback) = (&schwab.server.base, format!("https://127.0.0.1:{port}"));
        let file = folder.path().join("config.toml");
        // The clock stands still, so whoever had to wait for a limit would wait for ever.
        let pace = "requests_per_minute = 60000";
        let text = format!("[schwab]\nbase_url = \"{base}\"\ncallback = \"{callback}\"\n{pace}\n");
        std::fs::write(&file, text).unwrap();
        schwab.turn(|knobs| knobs.callback = callback);
        let flags = Overrides {
            config: Some(file),
            data_dir: Some(folder.path().join("data")),
            database: database.map(SecretString::from),
            ..Overrides::default()
        };
        let config = Config::load(&flags, &Environment::default()).unwrap();
        let session = Session::open(&config, &clock(), Access::Write).await.unwrap();
        let mut dashboard = Dashboard::over(session, Some(folder), size, options()).await;
        dashboard.how = How::of(&config);
        dashboard.look_at_vault().await;
        Self { schwab, dashboard, port }
    }

    async fn on_each(size: (u16, u16)) -> Vec<Self> {
        let mut desks = vec![Self::new(size, None).await];
        if let Some(url) = postgres_url() {
            let joint = if url.contains('?') { '&' } else { '?' };
            desks.push(Self::new(size, Some(format!("{url}{joint}sslmode=disable"))).await);
        }
        desks
    }

    async fn keys(&mut self, keys: &str) {
        self.dashboard.keys(keys).await;
        self.no_secret_is_seen();
    }

    /// Pastes and sends.
    async fn paste(&mut self, text: &str) {
        self.dashboard.tell(Msg::Paste(text.to_owned()));
        self.keys("Enter").await;
    }

    async fn work(&mut self) {
        self.dashboard.work().await;
        self.no_secret_is_seen();
    }

    #[track_caller]
    fn shows(&self, text: &str) {
        let screen = self.dashboard.screen();
        assert!(screen.contains(text), "{text}:\n{screen}");
    }

    #[track_caller]
    fn no_secret_is_seen(&self) {
        let told = format!("{}{:?}", self.dashboard.screen(), self.dashboard.wanted);
        for secret in [PASSPHRASE, SECRET, TOKEN, "c4n4ry"] {
            assert!(!told.contains(secret), "{secret}:\n{told}");
        }
    }

    /// The address to sign in at, as it is copied.
    async fn address(&mut self) -> String {
        self.keys(CTRL_Y).await;
        let address = (*self.dashboard.copied().last().unwrap()).to_owned();
        // Marked on the screen it is the same, but for where it is broken.
        let screen: String = self.dashboard.screen().split_whitespace().collect();
        assert!(screen.contains(&address), "{address}\n{screen}");
        address
    }

    /// The screen without what is another each time: the port of the server, and the `state`.
    async fn picture(&mut self) -> String {
        let address = self.address().await;
        let (before, state) = address.rsplit_once("&state=").unwrap();
        let port = self.schwab.server.base.rsplit_once(':').unwrap().1;
        let plain = before.replacen(port, "12345", 1).replace(&self.port.to_string(), "54321");
        let plain = format!("{plain}&state={}", "0".repeat(state.len()));
        assert_eq!(plain.len(), address.len(), "a port has five figures");
        // The notice goes with the next key.
        self.keys("Tab").await;
        let width = usize::from(self.dashboard.size.0);
        let lines = |text: &str| -> Vec<String> {
            let letters: Vec<char> = text.chars().collect();
            letters.chunks(width).map(|line| line.iter().collect()).collect()
        };
        let mut screen = self.dashboard.screen();
        for (seen, plain) in lines(&address).iter().zip(lines(&plain)) {
            screen = screen.replace(seen, &plain);
        }
        screen.replace(&self.port.to_string(), "54321")
    }

    /// Signs in at the address on the page, and sends what the browser ends at.
    async fn sign_in(&mut self) {
        let address = self.address().await;
        let ended = self.schwab.sign_in(&address);
        self.paste(&ended).await;
        self.work().await;
    }

    /// Sends what ends the question; the next one is asked without typing the app and the name again.
    async fn is_refused(&mut self, answer: &str, why: &str) {
        self.paste(answer).await;
        self.work().await;
        self.shows(why);
        wait("nobody listens", || !self.listens());
        self.shows("Mine");
        self.keys("Enter Enter Enter").await;
        self.work().await;
        self.shows("that address");
    }

    /// What comes of the errand of a page, before that hears of it.
    async fn held_back(&mut self) -> (u64, Upshot) {
        let wanted = &mut self.dashboard.wanted;
        let at = wanted.iter().position(|it| matches!(it, Effect::Send(..))).unwrap();
        let Effect::Send(page, errand) = wanted.remove(at) else { panic!("it was one") };
        let (session, how) = (self.dashboard.session().clone(), self.dashboard.how.clone());
        (page, errand.run(&session, &how, &|_| {}).await)
    }

    /// From an empty store to the page with the address: a vault, a name, an app.
    async fn goes_to_the_address(&mut self) {
        self.keys("j j j Enter Up Right").await;
        self.shows("Connect Charles Schwab");
        self.keys("Enter").await;
        for text in [PASSPHRASE, PASSPHRASE, "Mine"] {
            self.paste(text).await;
        }
        self.work().await;
        self.shows("https://developer.schwab.com");
        for text in [KEY, SECRET] {
            self.paste(text).await;
        }
        self.shows("Mine");
        self.keys("Enter").await;
        self.work().await;
    }

    async fn connected(&mut self) {
        self.goes_to_the_address().await;
        self.sign_in().await;
        self.shows("connected Mine: what it tells is being fetched");
        self.round().await;
    }

    /// What is due is fetched, as the program does once somebody is connected.
    async fn round(&mut self) {
        let summary = self.fetch().await;
        assert_eq!(summary.outcome, refresh::Outcome::Ok, "{summary:?}");
    }

    async fn fetch(&mut self) -> Summary {
        let (session, how) = (self.dashboard.session().clone(), self.dashboard.how.clone());
        let (connections, only, wait) = (Vec::new(), None, Duration::ZERO);
        let request = RefreshRequest { connections, only, force: true, wait };
        let key = Some(dashtam::model::Secret::new(PASSPHRASE.to_owned()));
        let summary = refresh::run(&session, &how, key.as_ref(), &request).await.unwrap();
        self.dashboard.catch_up().await;
        summary
    }

    /// The connections as they are kept, by another hand than the app's.
    async fn turn(&self, turn: impl Fn(&mut Connection)) {
        let store = &self.dashboard.session().store;
        let mut tx = store.write().await.unwrap();
        let mut row = tx.connections().await.unwrap().remove(0);
        turn(&mut row);
        tx.update_connection(&row).await.unwrap();
        let op = format!("turned {:?}", row.consent_expires);
        tx.commit(&op, "test", clock().now().timestamp_micros()).await.unwrap();
    }

    /// Each connection: its name, its state, and when its consent ends.
    async fn listed(&self) -> Vec<(String, &'static str, Option<i64>)> {
        let rows = connect::list(self.dashboard.session()).await.unwrap();
        let row = |it: &connect::ConnectionRow| {
            let connection = &it.connection;
            let (name, state) = (connection.label.to_string(), connection.state.as_str());
            (name, state, connection.consent_expires)
        };
        rows.iter().map(row).collect()
    }

    async fn actions(&self) -> Vec<String> {
        let rows = self.dashboard.session().audit().unwrap().rows().await.unwrap();
        let ended = rows.into_iter().filter(|row| row.state != "ATTEMPTED");
        ended.map(|row| format!("{} {}", row.action, row.state)).collect()
    }

    /// Whether anybody waits for a browser.
    fn listens(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    async fn close(self) {
        self.schwab.no_faults();
        self.dashboard.close().await;
    }
}

/// Point by point what a new user meets, at each size.
#[test]
fn a_consent_is_given_on_its_page_by_paste() {
    run(async {
        for size in SIZES {
            let mut desk = Desk::new(size, None).await;
            let name = |what: &str| format!("sign_in_{what}_{}x{}", size.0, size.1);
            desk.keys("j j j Enter Up Right Enter").await;
            for text in [PASSPHRASE, PASSPHRASE, ""] {
                desk.paste(text).await;
            }
            desk.work().await;
            insta::assert_snapshot!(name("app"), desk.dashboard.screen());
            for text in [KEY, SECRET] {
                desk.paste(text).await;
            }
            desk.keys("Enter").await;
            desk.shows("asking for the address");
            desk.work().await;
            insta::assert_snapshot!(name("address"), desk.picture().await);
            assert!(desk.listens(), "a browser on this machine is waited for too");
            desk.sign_in().await;
            desk.shows("connected Charles Schwab: what it tells is being fetched");
            desk.keys("j").await;
            insta::assert_snapshot!(name("connected"), desk.dashboard.screen());
            desk.close().await;
        }
        for mut desk in Desk::on_each((120, 40)).await {
            desk.connected().await;
            desk.keys("2").await;
            desk.shows("EXIX");
            let actions = desk.actions().await;
            for action in ["vault.init SUCCEEDED", "connect SUCCEEDED"] {
                assert!(actions.iter().any(|it| it == action), "{action}: {actions:?}");
            }
            desk.close().await;
        }
    });
}

/// F70, F71, F73: what is no answer can be pasted again; an answer to another question ends this one.
#[test]
fn what_is_no_answer_is_said_and_an_answer_serves_once() {
    run(async {
        let mut desk = Desk::new((80, 24), None).await;
        desk.goes_to_the_address().await;
        let address = desk.address().await;
        for (pasted, said) in [
            ("", "paste the address that the browser ended at"),
            ("shopping=list", "neither the address"),
            (address.as_str(), "the address to sign in at"),
            ("https://evil.example/?code=C0.x&state=1", "which the app is registered with"),
        ] {
            desk.paste(pasted).await;
            desk.shows(said);
            assert!(desk.listens(), "{pasted}");
        }
        assert_eq!(desk.address().await, address, "the question is the same");
        let ended = desk.schwab.sign_in(&address);
        let mut other = ended.clone();
        let last = if other.pop() == Some('0') { '1' } else { '0' };
        other.push(last);
        desk.is_refused(&other, "another sign-in").await;
        let anew = desk.address().await;
        assert_ne!(anew, address);
        // What answered the first question answers no other.
        desk.is_refused(&ended, "another sign-in").await;
        let here = format!("https://127.0.0.1:{}/", desk.port);
        for (answer, said) in [
            ("code=C0.x&iss=https%3A%2F%2Fevil.example", "somebody else gave the consent"),
            ("error=access_denied&error_description=%1B%5B2Jno%07", "the consent was not given"),
        ] {
            let state = desk.address().await.rsplit_once("&state=").unwrap().1.to_owned();
            desk.is_refused(&format!("{here}?{answer}&state={state}"), said).await;
        }
        assert_eq!(desk.schwab.server.asked(), [], "no code was exchanged");
        assert_eq!(desk.listed().await, []);
        desk.sign_in().await;
        desk.shows("connected Mine");
        desk.round().await;
        // Another name for the same login would count its accounts twice.
        desk.keys(": c o n n e c t Enter Up Right Enter").await;
        for text in ["Hers", KEY, SECRET, ""] {
            desk.paste(text).await;
            desk.work().await;
        }
        desk.sign_in().await;
        desk.shows("would count twice");
        assert_eq!(desk.listed().await.len(), 1);
        desk.round().await;
        desk.close().await;
    });
}

/// From the warning to the address with one key, wherever one looks; everything goes on as it was.
#[test]
fn one_key_renews_a_consent_that_ends_or_is_lost() {
    run(async {
        for mut desk in Desk::on_each((80, 24)).await {
            desk.connected().await;
            let now = clock().now().timestamp_micros();
            let before = desk.listed().await;
            desk.keys("0 W").await;
            desk.shows("no connection needs a new consent");
            for (pane, ends, warning) in [
                ("2 W", now + 30 * HOUR, "! W renews Mine: ends Sun at 21:00"),
                ("3 W", now, "! W renews Mine: the consent ended"),
            ] {
                let is_over = ends == now;
                desk.turn(|row| row.consent_expires = Some(ends)).await;
                desk.dashboard.catch_up().await;
                if is_over {
                    desk.fetch().await;
                    assert_eq!(desk.listed().await[0].1, "expired");
                }
                desk.shows(warning);
                desk.keys(pane).await;
                desk.shows("asking for the address");
                desk.work().await;
                desk.shows("Connect Mine again");
                if !is_over {
                    for size in SIZES {
                        desk.dashboard.resize(size).await;
                        let name = format!("renew_{}x{}", size.0, size.1);
                        insta::assert_snapshot!(name, desk.picture().await);
                    }
                    desk.dashboard.resize((80, 24)).await;
                }
                desk.sign_in().await;
                desk.shows("connected Mine");
                assert!(!desk.dashboard.screen().contains("! W renews"), "it is renewed");
                assert_eq!(desk.listed().await, before, "the same connection, for seven days");
                desk.round().await;
            }
            // That of the row at the cursor at any time, though it needs none.
            desk.keys("g n W").await;
            desk.work().await;
            desk.shows("Connect Mine again");
            desk.keys("Esc").await;
            wait("nobody listens", || !desk.listens());
            let actions = desk.actions().await;
            let again = actions.iter().filter(|it| *it == "reconnect SUCCEEDED").count();
            assert_eq!(again, 2, "{actions:?}");
            desk.close().await;
        }
    });
}

/// A page that is left, covered or locked asks nobody any more, and a browser that comes by itself is heard.
#[test]
fn who_leaves_the_page_is_waited_for_no_more() {
    run(async {
        let mut desk = Desk::new((120, 40), None).await;
        desk.goes_to_the_address().await;
        let address = desk.address().await;
        let ended = desk.schwab.sign_in(&address);
        for leave in [Msg::Lock, Msg::Cover] {
            assert!(desk.listens());
            desk.dashboard.tell(leave);
            desk.dashboard.settle().await;
            wait("nobody listens", || !desk.listens());
            desk.work().await;
            desk.keys("Esc").await;
            assert!(!desk.dashboard.screen().contains("that address"));
            desk.keys("j j j Enter Up Right").await;
            let is_locked = desk.dashboard.screen().contains("passphrase");
            desk.keys("Enter").await;
            if is_locked {
                desk.paste(PASSPHRASE).await;
            }
            desk.keys("Enter").await;
            desk.work().await;
            for text in [KEY, SECRET, ""] {
                desk.paste(text).await;
            }
            desk.work().await;
        }
        // It answers a question that nobody asks any more.
        desk.dashboard.tell(Msg::Came(dashtam::tui::Hidden::new(secret(&ended))));
        assert!(desk.dashboard.wanted.iter().all(|it| !matches!(it, Effect::Send(..))));
        let address = desk.address().await;
        let ended = desk.schwab.sign_in(&address);
        desk.dashboard.tell(Msg::Came(dashtam::tui::Hidden::new(secret(&ended))));
        desk.work().await;
        desk.shows("connected Charles Schwab");
        desk.close().await;
    });
}

fn secret(text: &str) -> dashtam::model::Secret {
    dashtam::model::Secret::new(text.to_owned())
}

/// F75: where the port is another's it is said, and pasting works all the same.
#[test]
fn a_port_that_is_taken_leaves_the_paste() {
    run(async {
        let mut desk = Desk::new((80, 24), None).await;
        let taken = TcpListener::bind(("127.0.0.1", desk.port)).unwrap();
        desk.goes_to_the_address().await;
        insta::assert_snapshot!("sign_in_taken", desk.picture().await);
        desk.sign_in().await;
        desk.shows("connected Mine");
        drop(taken);
        desk.close().await;
    });
}

/// The day a consent ends, by a clock that was moved: the key is named where it is seen.
#[test]
fn the_warning_stands_where_it_is_seen() {
    run(async {
        let mut desk = Desk::new((120, 40), None).await;
        desk.connected().await;
        let ends: DateTime<Utc> = clock().now() + TimeDelta::hours(30);
        desk.turn(|row| row.consent_expires = Some(ends.timestamp_micros())).await;
        desk.dashboard.catch_up().await;
        for keys in ["0", "g n", "g h g g"] {
            desk.keys(keys).await;
            desk.shows("W renews");
        }
        desk.keys("0").await;
        insta::assert_snapshot!("renew_attention", desk.dashboard.screen());
        desk.close().await;
    });
}

/// A page that tells of a browser which nobody waits for any more begins anew.
#[test]
fn who_comes_too_late_begins_anew() {
    run(async {
        let mut desk = Desk::new((80, 24), None).await;
        desk.connected().await;
        desk.keys("g n W").await;
        let (page, ended) = desk.held_back().await;
        let Ok(Done::Asked(sign_in)) = &ended else { panic!("{ended:?}") };
        let sign_in = std::sync::Arc::clone(sign_in);
        desk.dashboard.tell(Msg::Errand(Some(page), Box::new(ended)));
        desk.shows("within five minutes");
        desk.dashboard.tell(Msg::Late(sign_in.clone()));
        desk.shows("no address came within five minutes");
        assert!(!desk.dashboard.screen().contains("that address"));
        desk.keys("Enter").await;
        desk.work().await;
        // Of another page it says nothing.
        desk.dashboard.tell(Msg::Late(sign_in));
        desk.shows("that address");
        desk.close().await;
    });
}

/// What comes of a page that was covered or locked meanwhile opens nothing.
#[test]
fn a_page_that_was_left_while_it_was_sent_is_over() {
    run(async {
        let mut desk = Desk::new((80, 24), None).await;
        desk.connected().await;
        for (leave, back) in [(Msg::Cover, "j"), (Msg::Lock, "Esc")] {
            desk.keys("g n W").await;
            let (page, ended) = desk.held_back().await;
            assert!(desk.listens());
            desk.dashboard.tell(leave);
            desk.dashboard.tell(Msg::Errand(Some(page), Box::new(ended)));
            desk.keys(back).await;
            assert!(!desk.dashboard.screen().contains("that address"));
            wait("nobody listens", || !desk.listens());
        }
        desk.close().await;
    });
}

/// A pause is ended by its owner alone.
#[test]
fn a_connection_that_rests_goes_on_resting_when_it_is_renewed() {
    run(async {
        for mut desk in Desk::on_each((120, 40)).await {
            desk.connected().await;
            desk.keys("g n o").await;
            desk.work().await;
            desk.keys("W").await;
            desk.work().await;
            desk.sign_in().await;
            desk.shows("connected Mine");
            let store = &desk.dashboard.session().store;
            assert_eq!(store.read().await.unwrap().paused().await.unwrap().len(), 1);
            desk.close().await;
        }
    });
}
