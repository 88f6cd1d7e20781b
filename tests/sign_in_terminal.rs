//! The way from a machine on which nothing was ever started to the first holdings on its screen: the
//! real program in a terminal of 80 columns, as over ssh, with a Schwab on this machine.

#![allow(clippy::unwrap_used, clippy::panic, clippy::string_slice, reason = "a test")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use dashtam::clock::Clock;
use support::announce;
use support::browser::{browse, free_port};
use support::home::Home;
use support::schwab::{KEY, SECRET, Schwab, TOKEN};
use support::terminal::{Terminal, dashtam, wait};

const PASSPHRASE: &str = "c4n4ry swordfish";
const ADDRESS_IS_THERE: &str = "Ctrl-y copies the address";

/// Somebody at a terminal, with a dashboard on it and accounts at Schwab.
struct Person {
    home: Home,
    schwab: Schwab,
    terminal: Terminal,
}

impl Person {
    /// Comes over ssh and opens the page that connects to Schwab; `ready` is what was done before.
    fn at_the_page(ready: impl FnOnce(&Home) -> &'static str) -> Self {
        let (home, schwab) = (Home::new(), Schwab::new(Clock::system(chrono_tz::UTC).now()));
        let (base, callback) = (&schwab.server.base, format!("https://127.0.0.1:{}", free_port()));
        let more = ready(&home);
        let config = format!(
            "[schwab]\nbase_url = \"{base}\"\ncallback = \"{callback}\"\nrequests_per_minute = \
             60000\n{more}"
        );
        let mut command = dashtam(&home, "");
        command.env("DASHTAM_CONFIG", home.file("config.toml", &config));
        command.env("SSH_CONNECTION", "192.0.2.7 50022 192.0.2.1 22");
        schwab.turn(|knobs| knobs.callback = callback);
        let terminal = Terminal::run(command);
        terminal.resize((80, 24));
        terminal.see("totals in");
        let mut person = Self { home, schwab, terminal };
        person.terminal.press("\x1b");
        person.terminal.see_no_more("totals in");
        person.answers("jjj\r", "Connect SimpleFIN");
        // Up to the choice, and on to the next one.
        person.answers("\x1b[A\x1b[C", "Connect Charles Schwab");
        person
    }

    /// How long it takes until this is seen for these keys.
    #[track_caller]
    fn answers(&mut self, keys: &str, word: &str) -> Duration {
        let begun = Instant::now();
        self.terminal.press(keys);
        self.terminal.see(word);
        begun.elapsed()
    }

    /// What the browser ends at that was given the address on the screen, as somebody marks it there:
    /// from its first letter to its last.
    fn sign_in(&self) -> String {
        let screen = self.terminal.text();
        let begins = screen.find(&self.schwab.server.base).unwrap();
        let lines = screen[begins..].lines().take_while(|line| !line.trim().is_empty());
        self.schwab.sign_in(&lines.map(str::trim_end).collect::<String>())
    }

    /// Pastes it, and tells how long it took to be connected.
    fn pastes(&mut self, text: &str) -> Duration {
        self.answers(&format!("\x1b[200~{text}\x1b[201~"), "characters, hidden");
        self.answers("\r", "connected ")
    }

    /// Quits; whatever was written meanwhile, no secret is in it.
    fn quits(&mut self) {
        self.terminal.press("q");
        let left = self.terminal.end();
        left.with_code(0).restored();
        let written = String::from_utf8_lossy(&left.bytes);
        for secret in [PASSPHRASE, SECRET, TOKEN] {
            assert!(!written.contains(secret), "{secret} was shown");
        }
        self.schwab.no_faults();
    }
}

/// All that a new user types, and the address pasted in each way that a terminal may bring it.
#[test]
fn from_an_empty_store_over_ssh_to_the_first_holdings() {
    let mut person = Person::at_the_page(|_| "");
    person.answers("\r", "the same again");
    person.terminal.press(&format!("{PASSPHRASE}\r{PASSPHRASE}\rMine"));
    person.terminal.see("Mine");
    let made = person.answers("\r", "https://developer.schwab.com");
    person.terminal.press(&format!("{KEY}\r{SECRET}\r"));
    let asked = person.answers("\r", ADDRESS_IS_THERE);
    let ended = person.sign_in();
    let pasted = person.pastes(&format!("{}\r\n{}", &ended[..60], &ended[60..]));
    let told = person.answers("2", "EXIX");
    announce(&format!(
        "measured: {:.2?} from connecting to the first holdings: {made:.2?} for the vault, {asked:.2?} \
         to the address, {pasted:.2?} for the consent, {told:.2?} to holdings",
        made + asked + pasted + told
    ));
    // With one key to another consent, encoded as some browsers copy it, and as it is.
    for encoded in [true, false] {
        person.answers("gn", "W renews its consent");
        person.answers("W", ADDRESS_IS_THERE);
        let ended = person.sign_in();
        let bytes = url::form_urlencoded::byte_serialize(ended.as_bytes());
        let ended = if encoded { bytes.collect() } else { ended };
        person.pastes(&ended);
        person.terminal.see("Mine");
    }
    person.answers("2", "EXIX");
    person.quits();
    assert_eq!(person.schwab.turn(|knobs| (knobs.given, knobs.renewed)), (3, 0));
    let listed = person.home.json(&["connections"]);
    assert_eq!(listed["connections"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["connections"][0]["name"], "Mine");
}

/// A browser on this machine comes back to an open page by itself.
#[test]
fn a_browser_on_this_machine_ends_the_page() {
    let mut person = Person::at_the_page(|home| {
        let app = home.file("app", &format!("{KEY}\n{SECRET}\n"));
        fs::set_permissions(app, Permissions::from_mode(0o600)).unwrap();
        home.ok(&["vault", "init", "--no-passphrase"]);
        "app_file = \"app\"\n"
    });
    let asked = person.answers("\r\r", ADDRESS_IS_THERE);
    let ended = person.sign_in();
    let certificate = fs::read(person.home.data().join("callback.pem")).unwrap();
    let begun = Instant::now();
    let page = browse(&certificate, &ended).unwrap();
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("can be closed"), "{page}");
    person.terminal.see("connected Charles Schwab");
    person.answers("2", "EXIX");
    announce(&format!(
        "measured: {asked:.2?} to the address, {:.2?} from the browser to holdings",
        begun.elapsed()
    ));
    wait("nobody listens", || browse(&certificate, &ended).is_none());
    person.quits();
}
