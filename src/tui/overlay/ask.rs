//! What a person is asked for that nobody else may see: the passphrase of the vault, the token of a
//! service. It is on a page of its own: what is typed on the command line is kept and shown.
//!
//! ```text
//! passphrase      ••••••••
//! setup token     412 characters, hidden
//! name            SimpleFIN
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};
use zeroize::Zeroizing;

use super::super::frame::framed;
use crate::keys::{Chord, Key};
use crate::model::{ConnectionId, SafeText};
use crate::service::connect::{Goal, Service};
use crate::service::held::Lock;
use crate::tui::errand::{Errand, Hidden, Key as VaultKey, Wanted};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::{HiddenInput, Input, fit, wrapped, write};

/// The most columns, and those of a label.
const WIDEST: u16 = 76;
const LABEL: u16 = 16;
/// The most bytes of a passphrase and of a token, as on the command line.
const PASSPHRASE: usize = 1024;
const TOKEN: usize = 16 << 10;

const VAULT: &str = "Secrets are sealed in a vault, which is made now. Its passphrase unlocks it \
     after each start, and nobody can tell you what it was. Without one the key is protected by the \
     mode of its file alone, as on a home server.";

/// What is asked for.
#[derive(Debug)]
enum Purpose {
    /// To open the vault.
    Unlock,
    /// To connect to a service, with the vault as it is: anew, or a connection again.
    Connect(Service, Lock, Option<Again>),
}

/// A connection that no longer works, and needs another token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Again {
    /// Which.
    pub id: ConnectionId,
    /// What it is called.
    pub name: SafeText,
    /// Its service.
    pub provider: SafeText,
}

/// What a field is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Passphrase,
    Again,
    Token,
    Name,
}

impl Part {
    const fn label(self) -> &'static str {
        match self {
            Self::Passphrase => "passphrase",
            Self::Again => "the same again",
            Self::Name => "name",
            Self::Token => "setup token",
        }
    }
}

/// What is typed into a field.
#[derive(Debug)]
enum Typed {
    Hidden(HiddenInput),
    Plain(Input),
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// It is being tried, under this number.
    Sending(u64),
}

/// What a key did.
#[derive(Debug)]
pub enum Asked {
    /// It stays open.
    Open,
    /// It is left.
    Left,
    /// This is to be done.
    Send(Errand),
}

/// A page that asks.
#[derive(Debug)]
pub struct Ask {
    purpose: Purpose,
    fields: Vec<(Part, Typed)>,
    at: usize,
    state: State,
    /// Somebody was told what a vault without a passphrase means.
    warned: bool,
    complaint: Option<String>,
}

impl Ask {
    /// Asks for the passphrase of the vault.
    #[must_use]
    pub fn unlock() -> Self {
        Self::new(Purpose::Unlock)
    }

    /// Asks for what a service gives, and for what the vault wants as it is.
    #[must_use]
    pub fn connect(service: Service, lock: Lock, again: Option<Again>) -> Self {
        Self::new(Purpose::Connect(service, lock, again))
    }

    fn new(purpose: Purpose) -> Self {
        let parts: &[Part] = match &purpose {
            Purpose::Unlock | Purpose::Connect(_, Lock::Locked, _) => &[Part::Passphrase],
            Purpose::Connect(_, Lock::Missing, _) => &[Part::Passphrase, Part::Again],
            Purpose::Connect(..) => &[],
        };
        let more: &[Part] = match &purpose {
            Purpose::Unlock => &[],
            // Whoever comes with a token pastes it at once: that must be where it is not seen.
            Purpose::Connect(_, _, None) => &[Part::Token, Part::Name],
            Purpose::Connect(_, _, Some(_)) => &[Part::Token],
        };
        let field = |part: &Part| {
            let typed = match part {
                Part::Passphrase | Part::Again => Typed::Hidden(HiddenInput::new(PASSPHRASE)),
                Part::Name => Typed::Plain(Input::default()),
                Part::Token => Typed::Hidden(HiddenInput::new(TOKEN)),
            };
            (*part, typed)
        };
        let fields = parts.iter().chain(more).map(field).collect();
        Self { purpose, fields, at: 0, state: State::Open, warned: false, complaint: None }
    }

    /// It is being tried.
    #[must_use]
    pub const fn is_sending(&self) -> bool {
        matches!(self.state, State::Sending(_))
    }

    /// The number under which it is being tried; none: it is not.
    #[must_use]
    pub const fn awaited(&self) -> Option<u64> {
        match self.state {
            State::Sending(number) => Some(number),
            State::Open => None,
        }
    }

    /// What it asked for is being tried under this number.
    pub const fn waits_for(&mut self, number: u64) {
        self.state = State::Sending(number);
    }

    /// It asks for the passphrase of the vault and nothing else.
    #[must_use]
    pub const fn is_unlock(&self) -> bool {
        matches!(self.purpose, Purpose::Unlock)
    }

    /// It was refused, and the vault may be another way since. Secrets are typed anew.
    pub fn refused(&mut self, why: String, now: Option<&Lock>) {
        if let (Purpose::Connect(service, lock, again), Some(now)) = (&self.purpose, now)
            && lock != now
        {
            let (service, now, again) = (service.clone(), now.clone(), again.clone());
            let name = self.name();
            *self = Self::connect(service, now, again);
            for (_, typed) in &mut self.fields {
                if let Typed::Plain(input) = typed {
                    *input = Input::of(&name);
                }
            }
        }
        self.state = State::Open;
        // What is typed anew stands above the name, and is hidden.
        self.at = 0;
        self.complaint = Some(why);
    }

    /// It is not tried after all.
    pub fn stays(&mut self, why: String) {
        self.refused(why, None);
    }

    /// Text goes into the field as text, whatever it says.
    pub fn paste(&mut self, text: &str) {
        if self.state == State::Open {
            self.complaint = None;
            match self.fields.get_mut(self.at) {
                Some((_, Typed::Hidden(input))) => input.insert(text),
                Some((_, Typed::Plain(input))) => input.insert(text),
                None => {}
            }
        }
    }

    /// A key.
    pub fn press(&mut self, chord: Chord) -> Asked {
        let last = self.fields.len().saturating_sub(1);
        match (self.state, chord.key) {
            (_, Key::Esc) => return Asked::Left,
            (State::Sending(_), _) => {}
            (State::Open, Key::Enter) if self.at == last => return self.send(),
            (State::Open, Key::Enter | Key::Tab | Key::Down) => self.at = (self.at + 1).min(last),
            (State::Open, Key::BackTab | Key::Up) => self.at = self.at.saturating_sub(1),
            (State::Open, _) => {
                let heard = match self.fields.get_mut(self.at) {
                    Some((_, Typed::Hidden(input))) => input.press(chord),
                    Some((_, Typed::Plain(input))) => input.press(chord),
                    None => false,
                };
                if heard {
                    self.complaint = None;
                }
            }
        }
        Asked::Open
    }

    /// Sends what is typed, or says what is wrong with it.
    fn send(&mut self) -> Asked {
        if let Some((part, why)) = self.wrong() {
            self.at = self.fields.iter().position(|(other, _)| *other == part).unwrap_or(0);
            self.complaint = Some(why.to_owned());
            if self.is_name_secret() {
                self.wipe_name();
            }
            return Asked::Open;
        }
        let passphrase = self.take(Part::Passphrase);
        if let Some(again) = self.hidden_mut(Part::Again) {
            again.wipe();
        }
        let errand = match (&self.purpose, passphrase) {
            (Purpose::Unlock, Some(passphrase)) => Errand::Unlock(passphrase),
            (Purpose::Unlock, None) => return Asked::Open,
            (Purpose::Connect(service, lock, again), passphrase) => {
                let provider = SafeText::new(service.id);
                let goal = again.as_ref().map_or(Goal::New, |again| Goal::Again(again.id));
                let key = match (lock, passphrase) {
                    (Lock::Missing, passphrase) => VaultKey::New(passphrase),
                    (_, Some(passphrase)) => VaultKey::Passphrase(passphrase),
                    (_, None) => VaultKey::Ready,
                };
                let name = SafeText::capped(self.name().trim(), 80);
                let name = Some(name).filter(|name| !name.is_empty());
                let Some(token) = self.take(Part::Token) else { return Asked::Open };
                Errand::Connect(Wanted { provider, name, goal, token, key })
            }
        };
        self.complaint = None;
        Asked::Send(errand)
    }

    /// Which field keeps it from being sent, and why.
    fn wrong(&mut self) -> Option<(Part, &'static str)> {
        let is_new = matches!(self.purpose, Purpose::Connect(_, Lock::Missing, _));
        for (part, typed) in &self.fields {
            let Typed::Hidden(input) = typed else { continue };
            match part {
                _ if input.is_too_long() => return Some((*part, "this is too long to be one")),
                Part::Token if input.is_empty() => {
                    return Some((*part, "paste the token that the service gave you"));
                }
                Part::Passphrase if input.is_empty() && !is_new => {
                    return Some((*part, "type the passphrase of the vault"));
                }
                _ => {}
            }
        }
        if self.is_name_secret() {
            return Some((Part::Name, "this is rather a token: a name is seen by everybody"));
        }
        if let (Some(first), Some(again)) =
            (self.hidden(Part::Passphrase), self.hidden(Part::Again))
        {
            if !first.is_same(again) {
                return Some((Part::Again, "the two passphrases differ"));
            }
            if first.is_empty() && !self.warned {
                self.warned = true;
                let why = "without a passphrase whoever reads the key file opens everything; Enter \
                     once more agrees";
                let last = self.fields.last().map_or(Part::Token, |(part, _)| *part);
                return Some((last, why));
            }
        }
        None
    }

    fn hidden(&self, part: Part) -> Option<&HiddenInput> {
        self.fields.iter().find_map(|(other, typed)| match typed {
            Typed::Hidden(input) if *other == part => Some(input),
            _ => None,
        })
    }

    fn hidden_mut(&mut self, part: Part) -> Option<&mut HiddenInput> {
        self.fields.iter_mut().find_map(|(other, typed)| match typed {
            Typed::Hidden(input) if *other == part => Some(input),
            _ => None,
        })
    }

    /// What is typed, taken out; none: nothing is.
    fn take(&mut self, part: Part) -> Option<Hidden> {
        let input = self.hidden_mut(part).filter(|input| !input.is_empty())?;
        Some(Hidden::new(input.take()))
    }

    /// What is typed as a name is what the service gave.
    fn is_name_secret(&self) -> bool {
        match &self.purpose {
            Purpose::Connect(service, ..) => service.is_secret(Zeroizing::new(self.name()).trim()),
            Purpose::Unlock => false,
        }
    }

    fn wipe_name(&mut self) {
        for (_, typed) in &mut self.fields {
            if let Typed::Plain(input) = typed {
                input.wipe();
            }
        }
    }

    fn name(&self) -> String {
        let plain = self.fields.iter().find_map(|(_, typed)| match typed {
            Typed::Plain(input) => Some(input.text()),
            Typed::Hidden(_) => None,
        });
        plain.unwrap_or_default()
    }

    fn title(&self) -> String {
        match &self.purpose {
            Purpose::Unlock => "Unlock".to_owned(),
            Purpose::Connect(_, _, Some(again)) => format!("Connect {} again", again.name),
            Purpose::Connect(service, ..) => format!("Connect {}", service.title),
        }
    }

    /// What stands above the fields.
    fn words(&self) -> Vec<String> {
        match &self.purpose {
            Purpose::Unlock => vec![
                "The vault keeps what your connections show to their services. While it is locked \
                 they are not asked, and all that was fetched before can be seen."
                    .to_owned(),
            ],
            Purpose::Connect(service, lock, again) => {
                let goes_on = |again: &Again| {
                    format!(
                        "Its accounts and rows go on: bring a token of the same login as that of {}.",
                        again.name
                    )
                };
                let mut words: Vec<_> = again.iter().map(goes_on).collect();
                words.extend([
                    format!("Make a setup token at {} and paste it here.", service.from),
                    "It serves once, and is exchanged for an access that can only read. Neither is \
                     ever shown, or kept anywhere but sealed."
                        .to_owned(),
                ]);
                if *lock == Lock::Missing {
                    words.push(VAULT.to_owned());
                }
                words
            }
        }
    }

    /// Draws itself in the middle of the pane.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, theme: Theme) {
        let width = area.width.min(WIDEST);
        let room = usize::from(width.saturating_sub(2));
        let words: Vec<_> = self.words().iter().flat_map(|text| wrapped(text, room)).collect();
        let feet = self.feet(room);
        let wanted = words.len() + 1 + self.fields.len() + 1 + feet.len() + 2;
        let height = u16::try_from(wanted).unwrap_or(u16::MAX).min(area.height);
        let place = Rect {
            x: area.x + (area.width - width) / 2,
            y: area.y + (area.height - height) / 2,
            width,
            height,
        };
        Clear.render(area, buf);
        let inner = framed(buf, place, &self.title(), theme);
        // Where there is little room the words go first, then the fields beside that of the cursor:
        // what is wrong is said in any case.
        let room = usize::from(inner.height);
        let above = room - feet.len().min(room.saturating_sub(1));
        let fields = self.fields.len().min(above);
        let gap = usize::from(above > fields);
        let seen = above.saturating_sub(fields + gap + 1).min(words.len());
        let scrolled = (self.at + 1).saturating_sub(fields);
        let line = |at: usize| {
            let at = u16::try_from(at).unwrap_or(u16::MAX).min(inner.height);
            Rect { y: inner.y + at, height: u16::from(at < inner.height), ..inner }
        };
        for (at, text) in words.iter().take(seen).enumerate() {
            write(buf, line(at), text, theme.style(Tone::Plain));
        }
        let top = if seen == 0 { 0 } else { seen + 1 };
        let shown = self.fields.iter().enumerate().skip(scrolled).take(fields);
        for (at, (part, typed)) in shown {
            self.draw_field(buf, line(top + at - scrolled), at, *part, typed, theme);
        }
        let top = top + fields + gap;
        for (at, (text, tone)) in feet.iter().enumerate() {
            write(buf, line(top + at), text, theme.style(*tone));
        }
    }

    fn draw_field(
        &self,
        buf: &mut Buffer,
        line: Rect,
        at: usize,
        part: Part,
        typed: &Typed,
        theme: Theme,
    ) {
        if line.is_empty() {
            return;
        }
        let here = at == self.at && self.state == State::Open;
        let tone = if here { Tone::Key } else { Tone::Dim };
        write(buf, line, part.label(), theme.style(tone));
        let x = LABEL.min(line.width);
        let place = Rect { x: line.x + x, width: line.width - x, ..line };
        let room = usize::from(place.width.saturating_sub(1));
        let used = match typed {
            Typed::Hidden(input) => {
                write(buf, place, &fit(&input.shown(), room), theme.style(Tone::Plain))
            }
            Typed::Plain(_) if self.is_name_secret() => {
                write(buf, place, "not shown: this is rather a token", theme.style(Tone::Error))
            }
            Typed::Plain(input) if input.is_empty() && !here => {
                let word = match &self.purpose {
                    Purpose::Connect(service, ..) => service.title,
                    Purpose::Unlock => "",
                };
                write(buf, place, word, theme.style(Tone::Dim))
            }
            Typed::Plain(input) => {
                write(buf, place, &fit(&input.text(), room), theme.style(Tone::Plain))
            }
        };
        if here && used < place.width {
            let cursor = Rect { x: place.x + used, width: 1, ..place };
            write(buf, cursor, " ", theme.reversed());
        }
    }

    fn feet(&self, room: usize) -> Vec<(String, Tone)> {
        let mut feet = Vec::new();
        let mut say = |text: &str, tone| {
            feet.extend(wrapped(text, room).into_iter().map(|line| (line, tone)));
        };
        if let Some(complaint) = &self.complaint {
            say(complaint, Tone::Error);
        }
        let is_last = self.at + 1 >= self.fields.len();
        match (self.state, &self.purpose) {
            (State::Sending(_), Purpose::Unlock) => {
                say("trying ... · Esc leaves it to that", Tone::Warn);
            }
            (State::Sending(_), _) => say("connecting ... · Esc leaves it to that", Tone::Warn),
            (State::Open, Purpose::Unlock) => say("Enter unlocks · Esc leaves", Tone::Key),
            (State::Open, _) if is_last => {
                say("Enter connects · Shift-Tab back · Esc leaves", Tone::Key);
            }
            (State::Open, _) => say("Enter next · Esc leaves", Tone::Key),
        }
        feet
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::ThemeName;

    fn chord(key: &str) -> Chord {
        Chord::parse(key).unwrap()
    }

    fn service() -> Service {
        Service { id: "simplefin", title: "SimpleFIN", from: "https://bridge.test/create" }
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
        let again = Again {
            id: ConnectionId(3),
            name: SafeText::new("Hers"),
            provider: SafeText::new("x"),
        };
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
}
