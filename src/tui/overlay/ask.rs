//! What a person is asked for that nobody else may see: the passphrase of the vault, the token of a
//! service. It is on a page of its own: what is typed on the command line is kept and shown.
//!
//! ```text
//! passphrase      ••••••••
//! name            SimpleFIN
//! setup token     412 characters, hidden
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::super::frame::framed;
use crate::keys::{Chord, Key};
use crate::model::SafeText;
use crate::service::connect::Service;
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
    /// To connect to a service, with the vault as it is.
    Connect(Service, Lock),
}

/// What a field is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Passphrase,
    Again,
    Name,
    Token,
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
    /// It is being tried.
    Sending,
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
    pub fn connect(service: Service, lock: Lock) -> Self {
        Self::new(Purpose::Connect(service, lock))
    }

    fn new(purpose: Purpose) -> Self {
        let parts: &[Part] = match &purpose {
            Purpose::Unlock | Purpose::Connect(_, Lock::Locked) => &[Part::Passphrase],
            Purpose::Connect(_, Lock::Missing) => &[Part::Passphrase, Part::Again],
            Purpose::Connect(..) => &[],
        };
        let more: &[Part] = match &purpose {
            Purpose::Unlock => &[],
            // The token comes last: where a terminal takes its lines apart, what is left of it goes
            // nowhere.
            Purpose::Connect(..) => &[Part::Name, Part::Token],
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
    pub fn is_sending(&self) -> bool {
        self.state == State::Sending
    }

    /// It asks for the passphrase of the vault and nothing else.
    #[must_use]
    pub const fn is_unlock(&self) -> bool {
        matches!(self.purpose, Purpose::Unlock)
    }

    /// It was refused, and the vault may be another way since. Secrets are typed anew.
    pub fn refused(&mut self, why: String, now: Option<&Lock>) {
        if let (Purpose::Connect(service, lock), Some(now)) = (&self.purpose, now)
            && lock != now
        {
            let (service, now) = (service.clone(), now.clone());
            let name = self.name();
            *self = Self::connect(service, now);
            for (_, typed) in &mut self.fields {
                if let Typed::Plain(input) = typed {
                    *input = Input::of(&name);
                }
            }
        }
        self.state = State::Open;
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
            (State::Sending, _) => {}
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
            return Asked::Open;
        }
        let passphrase = self.take(Part::Passphrase);
        if let Some(again) = self.hidden_mut(Part::Again) {
            again.wipe();
        }
        let errand = match (&self.purpose, passphrase) {
            (Purpose::Unlock, Some(passphrase)) => Errand::Unlock(passphrase),
            (Purpose::Unlock, None) => return Asked::Open,
            (Purpose::Connect(service, lock), passphrase) => {
                let provider = SafeText::new(service.id);
                let key = match (lock, passphrase) {
                    (Lock::Missing, passphrase) => VaultKey::New(passphrase),
                    (_, Some(passphrase)) => VaultKey::Passphrase(passphrase),
                    (_, None) => VaultKey::Ready,
                };
                let name = SafeText::capped(self.name().trim(), 80);
                let name = Some(name).filter(|name| !name.is_empty());
                let Some(token) = self.take(Part::Token) else { return Asked::Open };
                Errand::Connect(Wanted { provider, name, token, key })
            }
        };
        self.state = State::Sending;
        self.complaint = None;
        Asked::Send(errand)
    }

    /// Which field keeps it from being sent, and why.
    fn wrong(&mut self) -> Option<(Part, &'static str)> {
        let is_new = matches!(self.purpose, Purpose::Connect(_, Lock::Missing));
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
        if let (Some(first), Some(again)) =
            (self.hidden(Part::Passphrase), self.hidden(Part::Again))
        {
            if !first.is_same(again) {
                return Some((Part::Again, "the two passphrases differ"));
            }
            if first.is_empty() && !self.warned {
                self.warned = true;
                let why = "without a passphrase whoever reads the key file opens everything; Enter \
                     on the token once more agrees";
                return Some((Part::Token, why));
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
            Purpose::Connect(service, _) => format!("Connect {}", service.title),
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
            Purpose::Connect(service, lock) => {
                let mut words = vec![
                    format!("Make a setup token at {} and paste it here.", service.from),
                    "It serves once, and is exchanged for an access that can only read. Neither is \
                     ever shown, or kept anywhere but sealed."
                        .to_owned(),
                ];
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
        // Where there is little room the fields and the keys stay, and the words go.
        let fixed = self.fields.len() + 1 + feet.len();
        let seen = usize::from(inner.height).saturating_sub(fixed + 1).min(words.len());
        let line = |at: usize| {
            let at = u16::try_from(at).unwrap_or(u16::MAX).min(inner.height);
            Rect { y: inner.y + at, height: u16::from(at < inner.height), ..inner }
        };
        for (at, text) in words.iter().take(seen).enumerate() {
            write(buf, line(at), text, theme.style(Tone::Plain));
        }
        let top = if seen == 0 { 0 } else { seen + 1 };
        for (at, (part, typed)) in self.fields.iter().enumerate() {
            self.draw_field(buf, line(top + at), at, *part, typed, theme);
        }
        let top = top + self.fields.len() + 1;
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
            Typed::Plain(input) if input.is_empty() && !here => {
                let word = match &self.purpose {
                    Purpose::Connect(service, _) => service.title,
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
            (State::Sending, Purpose::Unlock) => {
                say("trying ... · Esc leaves it to that", Tone::Warn);
            }
            (State::Sending, _) => say("connecting ... · Esc leaves it to that", Tone::Warn),
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

    fn chord(key: &str) -> Chord {
        Chord::parse(key).unwrap()
    }

    fn service() -> Service {
        Service { id: "simplefin", title: "SimpleFIN", from: "https://bridge.test/create" }
    }

    #[test]
    fn a_new_vault_wants_its_passphrase_twice_or_a_word_that_it_has_none() {
        let mut ask = Ask::connect(service(), Lock::Missing);
        for text in ["swordfish", "swordfis"] {
            ask.paste(text);
            assert!(matches!(ask.press(chord("Enter")), Asked::Open));
        }
        ask.press(chord("Enter"));
        ask.paste("token");
        assert!(matches!(ask.press(chord("Enter")), Asked::Open));
        assert_eq!(ask.complaint.as_deref(), Some("the two passphrases differ"));
        ask.press(chord("h"));
        for _ in 0..2 {
            ask.press(chord("Enter"));
        }
        let Asked::Send(Errand::Connect(wanted)) = ask.press(chord("Enter")) else { panic!() };
        assert!(matches!(wanted.key, VaultKey::New(Some(_))) && wanted.name.is_none());
        assert!(ask.is_sending());

        let mut ask = Ask::connect(service(), Lock::Missing);
        for _ in 0..3 {
            ask.press(chord("Tab"));
        }
        ask.paste("token");
        assert!(matches!(ask.press(chord("Enter")), Asked::Open), "it is said first");
        let Asked::Send(Errand::Connect(wanted)) = ask.press(chord("Enter")) else { panic!() };
        assert_eq!(wanted.key, VaultKey::New(None));
    }

    #[test]
    fn what_was_refused_is_typed_anew_and_a_vault_that_is_open_is_not_asked_for() {
        let mut ask = Ask::connect(service(), Lock::Locked);
        ask.paste("swordfish");
        ask.press(chord("Enter"));
        ask.paste("My bank");
        ask.press(chord("Enter"));
        ask.paste("token");
        let Asked::Send(Errand::Connect(wanted)) = ask.press(chord("Enter")) else { panic!() };
        assert!(matches!(wanted.key, VaultKey::Passphrase(_)));
        ask.refused("no token".to_owned(), Some(&Lock::Unlocked));
        assert_eq!(ask.name(), "My bank");
        ask.press(chord("Enter"));
        assert!(matches!(ask.press(chord("Enter")), Asked::Open), "there is no token any more");
        ask.paste("another");
        let Asked::Send(Errand::Connect(wanted)) = ask.press(chord("Enter")) else { panic!() };
        assert_eq!(wanted.key, VaultKey::Ready);
        assert_eq!(wanted.name, Some(SafeText::new("My bank")));
        assert!(!format!("{wanted:?}").contains("another"));
    }
}
