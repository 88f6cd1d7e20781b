//! The page as somebody fills it in.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::*;
use crate::model::ConnectionId;
use crate::tui::theme::{Theme, ThemeName};

fn chord(key: &str) -> Chord {
    Chord::parse(key).unwrap()
}

fn service() -> Vec<Service> {
    let asks = Asks::Secrets { from: "https://bridge.test/create", called: &["setup token"] };
    vec![Service { id: "simplefin", title: "SimpleFIN", asks, variables: &[] }]
}

/// One of each kind; two secrets as a service gives them that knows people by a pair of keys.
fn services() -> Vec<Service> {
    let called = &["key id", "secret key"];
    let asks = Asks::Secrets { from: "https://keys.test", called };
    let browser = Asks::Browser { portal: "https://portal.test" };
    let [pair, rates, browser] = [
        Service { id: "pair", title: "Pair", asks, variables: &[] },
        Service { id: "rates", title: "Rates", asks: Asks::Nothing, variables: &[] },
        Service { id: "broker", title: "Broker", asks: browser, variables: &[] },
    ];
    [service(), vec![pair, rates, browser]].concat()
}

#[test]
fn every_service_asks_for_what_the_table_says() {
    let mut ask = Ask::connect(services(), Lock::Locked, None);
    ask.paste("swordfish");
    // Upwards is the choice; what is pasted there is hidden all the same.
    ask.press(chord("Up"));
    assert!(drawn(&ask, 80, 24).contains("SimpleFIN   1 of 4"));
    for key in ["x", "Right"] {
        assert!(matches!(ask.press(chord(key)), Asked::Open));
    }
    let screen = drawn(&ask, 80, 24);
    for text in ["Connect Pair", "key id and secret key", "secret key", "2 of 4", "•••••••••"]
    {
        assert!(screen.contains(text), "{text}:\n{screen}");
    }
    for text in ["", "AKID", "", "Mine"] {
        ask.press(chord("Enter"));
        ask.paste(text);
    }
    assert!(matches!(ask.press(chord("Enter")), Asked::Open), "the second was left out");
    let Some(Part::Given(1)) = ask.fields.get(ask.at).map(|(part, _)| *part) else { panic!() };
    assert_eq!(ask.complaint.as_deref(), Some("paste the secret key that the service gave you"));
    ask.paste("c4n4ry");
    ask.press(chord("Enter"));
    let Asked::Send(Errand::Connect(wanted)) = ask.press(chord("Enter")) else { panic!() };
    assert_eq!((wanted.provider.as_str(), wanted.brought.len()), ("pair", 2));
    assert_eq!(wanted.name, Some(SafeText::new("Mine")));
    assert!(matches!(wanted.key, VaultKey::Passphrase(_)));

    // Whoever asks for nothing needs no vault, and is sent from the name at once.
    let mut ask = Ask::connect(services(), Lock::Missing, None);
    for key in ["BackTab", "l", "l"] {
        ask.press(chord(key));
    }
    let screen = drawn(&ask, 80, 24);
    assert!(screen.contains("can be asked by anybody") && !screen.contains("passphrase"));
    ask.paste("c4n4ry");
    ask.press(chord("Enter"));
    assert!(!drawn(&ask, 80, 24).contains("c4n4ry"), "it may have been a secret");
    let Asked::Send(Errand::Connect(wanted)) = ask.press(chord("Enter")) else { panic!() };
    assert_eq!((wanted.provider.as_str(), wanted.brought.len()), ("rates", 0));
    assert_eq!((wanted.key, wanted.name), (VaultKey::Ready, None));

    // Where a browser is needed the app may be asked for next; the name stays as it was typed.
    let mut ask = Ask::connect(services(), Lock::Unlocked, None);
    for key in ["BackTab", "Left"] {
        ask.press(chord(key));
    }
    assert!(drawn(&ask, 80, 24).contains("wants a consent in a browser"));
    ask.press(chord("Enter"));
    ask.paste("Mine");
    let Asked::Send(Errand::Connect(wanted)) = ask.press(chord("Enter")) else { panic!() };
    assert_eq!((wanted.provider.as_str(), wanted.brought.len()), ("broker", 0));
    ask.waits_for(1);
    ask.goes_on(Step::App, Some(&Lock::Unlocked));
    assert!(drawn(&ask, 80, 24).contains("https://portal.test"));
    for text in ["c4n4ry-key", "c4n4ry-secret"] {
        ask.paste(text);
        ask.press(chord("Enter"));
    }
    assert!(!drawn(&ask, 80, 24).contains("c4n4ry"));
    let Asked::Send(Errand::Connect(wanted)) = ask.press(chord("Enter")) else { panic!() };
    assert_eq!((wanted.brought.len(), wanted.name), (2, Some(SafeText::new("Mine"))));

    // What has to be sealed cannot be.
    let mut ask = Ask::connect(services(), Lock::Broken(SafeText::new("damaged")), None);
    for key in ["Up", "Left"] {
        ask.press(chord(key));
    }
    for _ in 0..2 {
        assert!(matches!(ask.press(chord("Enter")), Asked::Open));
    }
    assert_eq!(ask.complaint.as_deref(), Some("damaged"));
    ask.press(chord("Up"));
    ask.press(chord("Right"));
    ask.press(chord("Enter"));
    ask.paste("token");
    for _ in 0..2 {
        assert!(matches!(ask.press(chord("Enter")), Asked::Open));
    }
    assert_eq!(ask.complaint.as_deref(), Some("damaged"));
}

#[test]
fn a_new_vault_wants_its_passphrase_twice_or_a_word_that_it_has_none() {
    let mut ask = Ask::connect(service(), Lock::Missing, None);
    for text in ["swordfish", "swordfis", "token"] {
        ask.paste(text);
        assert!(matches!(ask.press(chord("Enter")), Asked::Open));
    }
    assert!(matches!(ask.press(chord("Enter")), Asked::Open));
    assert_eq!(ask.complaint.as_deref(), Some("the two passphrases differ"));
    ask.press(chord("h"));
    for _ in 0..2 {
        ask.press(chord("Enter"));
    }
    let Asked::Send(Errand::Connect(wanted)) = ask.press(chord("Enter")) else { panic!() };
    assert!(matches!(wanted.key, VaultKey::New(Some(_))) && wanted.name.is_none());
    assert_eq!(wanted.goal, Goal::New);
    ask.waits_for(7);
    assert_eq!(ask.awaited(), Some(7));

    let mut ask = Ask::connect(service(), Lock::Missing, None);
    for _ in 0..2 {
        ask.press(chord("Tab"));
    }
    ask.paste("token");
    ask.press(chord("Enter"));
    assert!(matches!(ask.press(chord("Enter")), Asked::Open), "it is said first");
    let Asked::Send(Errand::Connect(wanted)) = ask.press(chord("Enter")) else { panic!() };
    assert_eq!(wanted.key, VaultKey::New(None));
}

#[test]
fn what_was_refused_is_typed_anew_and_a_vault_that_is_open_is_not_asked_for() {
    let mut ask = Ask::connect(service(), Lock::Locked, None);
    for text in ["swordfish", "token"] {
        ask.paste(text);
        ask.press(chord("Enter"));
    }
    ask.paste("My bank");
    let Asked::Send(Errand::Connect(wanted)) = ask.press(chord("Enter")) else { panic!() };
    assert!(matches!(wanted.key, VaultKey::Passphrase(_)));
    ask.refused("no token".to_owned(), Some(&Lock::Unlocked));
    assert_eq!(ask.name(), "My bank");
    for _ in 0..2 {
        let heard = ask.press(chord("Enter"));
        assert!(matches!(heard, Asked::Open), "there is no token any more");
    }
    ask.paste("another");
    ask.press(chord("Enter"));
    let Asked::Send(Errand::Connect(wanted)) = ask.press(chord("Enter")) else { panic!() };
    assert_eq!(wanted.key, VaultKey::Ready);
    assert_eq!(wanted.name, Some(SafeText::new("My bank")));
    assert!(!format!("{wanted:?}").contains("another"));
}

fn drawn(ask: &Ask, width: u16, height: u16) -> String {
    let area = Rect::new(0, 0, width, height);
    let mut buf = Buffer::empty(area);
    let theme = Theme { name: ThemeName::default(), colours: None, swapped: false };
    ask.draw(&mut buf, area, theme);
    let line = |y| (0..width).map(|x| buf[(x, y)].symbol()).collect::<String>();
    (0..height).map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_token_in_the_place_of_the_name_is_neither_shown_nor_sent() {
    // What the service gives is a claim address in base64, and what becomes of it an address.
    let claim = "aHR0cHM6Ly9icmlkZ2UudGVzdC9jbGFpbS9jNG40cnk=";
    let address = "https://user:c4n4ry@bridge.test/simplefin";
    for text in [claim, address, &"x".repeat(41)] {
        let mut ask = Ask::connect(service(), Lock::Open, None);
        ask.paste("token");
        ask.press(chord("Enter"));
        ask.paste(text);
        assert!(!drawn(&ask, 80, 24).contains(text.get(..20).unwrap()), "{text}");
        assert!(matches!(ask.press(chord("Enter")), Asked::Open), "{text}");
        assert_eq!(ask.name(), "");
    }
    let mut ask = Ask::connect(service(), Lock::Open, None);
    ask.paste("token");
    ask.press(chord("Enter"));
    ask.paste("The joint account of Charlotte and Emmanuel at the bank");
    assert!(matches!(ask.press(chord("Enter")), Asked::Send(_)));
}

#[test]
fn what_connects_again_has_its_name_already() {
    let again =
        Again { id: ConnectionId(3), name: SafeText::new("Hers"), provider: SafeText::new("x") };
    let mut ask = Ask::connect(service(), Lock::Open, Some(again));
    assert!(drawn(&ask, 80, 24).contains("Connect Hers again"));
    ask.paste("token");
    let Asked::Send(Errand::Connect(wanted)) = ask.press(chord("Enter")) else { panic!() };
    assert_eq!(wanted.goal, Goal::Again(ConnectionId(3)));
}

#[test]
fn what_is_wrong_is_said_however_little_room_there_is() {
    let mut ask = Ask::connect(service(), Lock::Missing, None);
    for _ in 0..2 {
        ask.press(chord("Tab"));
    }
    ask.paste("token");
    for _ in 0..2 {
        ask.press(chord("Enter"));
    }
    // The pane of a terminal with 10 lines has 6.
    let screen = drawn(&ask, 40, 6);
    for text in ["name", "without a passphrase", "opens everything"] {
        assert!(screen.contains(text), "{text}:\n{screen}");
    }
}
