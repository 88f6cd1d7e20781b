//! What a person is asked for that nobody else may see: the passphrase of the vault, what a service
//! gives. What that is, the table of providers says. It is on a page of its own: what is typed on the
//! command line is kept and shown. A consent that is given in a browser takes several steps, each of
//! them such a page.
//!
//! ```text
//! service         SimpleFIN       1 of 3 · Left and Right choose
//! passphrase      ••••••••
//! setup token     412 characters, hidden
//! name            SimpleFIN
//! ```

mod connecting;
mod draw;

use std::sync::Arc;

use zeroize::Zeroizing;

pub use connecting::{Again, Step};
use connecting::{Connecting, Part};

use crate::keys::{Chord, Key};
use crate::model::SafeText;
use crate::service::connect::{Asks, Goal, Service};
use crate::service::consent::TOO_LATE;
use crate::service::held::Lock;
use crate::tui::errand::{Errand, Hidden, Key as VaultKey, Wanted};
use crate::tui::sign_in::{Answer, SignIn};
use crate::tui::widget::{HiddenInput, Input};

/// The most bytes of a passphrase and of a token, as on the command line.
const PASSPHRASE: usize = 1024;
const TOKEN: usize = 16 << 10;

/// What is asked for.
#[derive(Debug)]
enum Purpose {
    /// To open the vault.
    Unlock,
    /// To connect to a service.
    Connect(Connecting),
}

/// What is typed into a field.
#[derive(Debug)]
enum Typed {
    Hidden(HiddenInput),
    Plain(Input),
    /// Nothing is: one is chosen.
    Choice,
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
    /// This is to be copied.
    Copy(String),
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
    /// It was covered or locked while it was tried: nobody goes on with it.
    left: bool,
    complaint: Option<String>,
}

impl Ask {
    /// Asks for the passphrase of the vault.
    #[must_use]
    pub fn unlock() -> Self {
        Self::new(Purpose::Unlock)
    }

    /// Asks for what one of these services gives, and for what the vault wants as it is.
    #[must_use]
    pub fn connect(services: Vec<Service>, lock: Lock, again: Option<Again>) -> Self {
        let step = Step::default();
        Self::new(Purpose::Connect(Connecting { services, chosen: 0, lock, again, step }))
    }

    /// Begins at once where a browser is all that is needed.
    pub fn begin(&mut self) -> Asked {
        match self.fields.is_empty() && self.is_beginning() {
            true => self.send(),
            false => Asked::Open,
        }
    }

    /// The address to sign in at, once there is one.
    fn sign_in(&self) -> Option<&Arc<SignIn>> {
        match &self.purpose {
            Purpose::Connect(Connecting { step: Step::Address(sign_in), .. }) => Some(sign_in),
            _ => None,
        }
    }

    /// What was asked for is there, and the next thing is asked for.
    pub fn goes_on(&mut self, step: Step, now: Option<&Lock>) {
        self.ask_anew(
            |connecting| {
                connecting.step = step;
                connecting.lock = now.cloned().unwrap_or_else(|| connecting.lock.clone());
            },
            |part| part == Part::Name,
        );
    }

    /// The answer to one address is spent, whatever it was: it begins anew, and what was typed of the
    /// app and the name need not be typed again.
    fn begin_anew(&mut self, sign_in: &SignIn) {
        let Wanted { brought, name, .. } = sign_in.wanted();
        let step = if brought.is_empty() { Step::First } else { Step::App };
        self.goes_on(step, None);
        for (part, typed) in &mut self.fields {
            match (part, typed) {
                (Part::Given(at), Typed::Hidden(input)) => {
                    if let Some(hidden) = brought.get(*at) {
                        input.insert(hidden.secret().expose());
                    }
                }
                (Part::Name, Typed::Plain(input)) => {
                    input.insert(name.as_ref().map_or("", SafeText::as_str));
                }
                _ => {}
            }
        }
    }

    /// A browser came back to this machine: that is as good as pasting it.
    pub fn came(&mut self, address: Hidden) -> Asked {
        match self.sign_in() {
            Some(sign_in) if !self.is_sending() && sign_in.is_answered_by(&address.secret()) => {
                let sign_in = Arc::clone(sign_in);
                Asked::Send(Errand::Consent(Answer { sign_in, address, key: VaultKey::Ready }))
            }
            _ => Asked::Open,
        }
    }

    fn new(purpose: Purpose) -> Self {
        let parts = match &purpose {
            Purpose::Unlock => vec![Part::Passphrase],
            Purpose::Connect(connecting) => connecting.parts(),
        };
        let field = |part: Part| {
            let typed = match part {
                Part::Service => Typed::Choice,
                Part::Passphrase | Part::Again => Typed::Hidden(HiddenInput::new(PASSPHRASE)),
                Part::Name => Typed::Plain(Input::default()),
                Part::Given(_) => Typed::Hidden(HiddenInput::new(TOKEN)),
            };
            (part, typed)
        };
        let fields = parts.into_iter().map(field).collect();
        let (state, complaint) = (State::Open, None);
        let mut ask = Self { purpose, fields, at: 0, state, warned: false, left: false, complaint };
        ask.at = ask.first();
        ask
    }

    /// Where one begins to type: what is typed first is hidden, wherever there is something to hide.
    fn first(&self) -> usize {
        let is_hidden = |(_, typed): &(Part, Typed)| matches!(typed, Typed::Hidden(_));
        self.fields.iter().position(is_hidden).unwrap_or(0)
    }

    fn place_of(&self, part: Part) -> Option<usize> {
        self.fields.iter().position(|(other, _)| *other == part)
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

    /// Nobody is there to go on with it: it closes with whatever comes of what is being tried.
    pub const fn ends_with_answer(&mut self) {
        self.left = self.is_sending();
    }

    /// It closes with the answer.
    #[must_use]
    pub const fn is_left(&self) -> bool {
        self.left
    }

    /// What it asked for is being tried under this number.
    pub const fn waits_for(&mut self, number: u64) {
        self.state = State::Sending(number);
    }

    /// The vault turns out to be so: the page asks for what that needs, and what was typed for something
    /// else stays. False: there is nothing to ask for.
    #[must_use]
    pub fn goes_on_with(&mut self, now: &Lock) -> bool {
        match (&self.purpose, now) {
            (Purpose::Unlock, now) => *now == Lock::Locked,
            (Purpose::Connect(connecting), now) if connecting.lock == *now => true,
            // Some ask for nothing that a vault would have to keep.
            (Purpose::Connect(connecting), Lock::Broken(_)) if connecting.again.is_some() => false,
            (Purpose::Connect(_), now) => {
                let part = self.fields.get(self.at).map(|(part, _)| *part);
                self.ask_anew(
                    |connecting| connecting.lock = now.clone(),
                    |part| matches!(part, Part::Given(_) | Part::Name),
                );
                let at = part.and_then(|part| self.place_of(part));
                self.at = at.unwrap_or_else(|| self.first());
                true
            }
        }
    }

    /// Asks for something else than before; of what was typed this stays.
    fn ask_anew(&mut self, turn: impl FnOnce(&mut Connecting), stays: impl Fn(Part) -> bool) {
        let Purpose::Connect(connecting) = &self.purpose else { return };
        let mut connecting = connecting.clone();
        turn(&mut connecting);
        let before = std::mem::replace(self, Self::new(Purpose::Connect(connecting)));
        for (part, typed) in before.fields.into_iter().filter(|(part, _)| stays(*part)) {
            if let Some(field) = self.fields.iter_mut().find(|(other, _)| *other == part) {
                field.1 = typed;
            }
        }
    }

    /// Another service: what was typed for the one before is of no use to it, but the passphrase is.
    fn choose(&mut self, by: usize) {
        self.ask_anew(
            |it| it.chosen = (it.chosen + by) % it.services.len().max(1),
            |part| matches!(part, Part::Passphrase | Part::Again | Part::Name),
        );
        self.at = self.place_of(Part::Service).unwrap_or(0);
    }

    /// It was refused, and the vault may be another way since. Secrets are typed anew.
    pub fn refused(&mut self, why: String, now: Option<&Lock>) {
        if let Some(sign_in) = self.sign_in().cloned() {
            self.begin_anew(&sign_in);
        }
        if let (Purpose::Connect(connecting), Some(now)) = (&self.purpose, now)
            && connecting.lock != *now
        {
            self.ask_anew(|connecting| connecting.lock = now.clone(), |part| part == Part::Name);
        }
        self.state = State::Open;
        // What is typed anew stands above the name, and is hidden.
        self.at = self.first();
        self.complaint = Some(why);
    }

    /// Nobody waits any more for the browser of this sign-in. What is being tried goes on.
    pub fn late(&mut self, late: &SignIn, now: Option<&Lock>) {
        if !self.is_sending() && self.sign_in().is_some_and(|mine| **mine == *late) {
            self.refused(TOO_LATE.to_owned(), now);
        }
    }

    /// It is not tried after all.
    pub fn stays(&mut self, why: String) {
        self.at = self.first();
        self.complaint = Some(why);
    }

    /// Text goes into the field as text, whatever it says.
    pub fn paste(&mut self, text: &str) {
        if self.state == State::Open {
            self.complaint = None;
            match self.fields.get_mut(self.at) {
                Some((_, Typed::Hidden(input))) => input.insert(text),
                Some((_, Typed::Plain(input))) => input.insert(text),
                // It may be a secret: it goes where such a thing is asked for, or nowhere.
                Some((_, Typed::Choice)) => {
                    let first = self.first();
                    if let Some((_, Typed::Hidden(input))) = self.fields.get_mut(first) {
                        input.insert(text);
                        self.at = first;
                    }
                }
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
            (_, Key::Char('y'))
                if chord.ctrl
                    && let Some(sign_in) = self.sign_in() =>
            {
                return Asked::Copy(sign_in.url().to_owned());
            }
            (State::Open, Key::Enter) if self.at == last => return self.send(),
            (State::Open, Key::Enter | Key::Tab | Key::Down) => self.at = (self.at + 1).min(last),
            (State::Open, Key::BackTab | Key::Up) => self.at = self.at.saturating_sub(1),
            (State::Open, key) if self.is_at_choice() => {
                let last = self.services().saturating_sub(1);
                match key {
                    Key::Left | Key::Char('h') => self.choose(last),
                    Key::Right | Key::Char('l' | ' ') => self.choose(1),
                    _ => {}
                }
            }
            (State::Open, _) => {
                let heard = match self.fields.get_mut(self.at) {
                    Some((_, Typed::Hidden(input))) => input.press(chord),
                    Some((_, Typed::Plain(input))) => input.press(chord),
                    Some((_, Typed::Choice)) | None => false,
                };
                if heard {
                    self.complaint = None;
                }
            }
        }
        Asked::Open
    }

    fn is_at_choice(&self) -> bool {
        self.place_of(Part::Service) == Some(self.at)
    }

    /// How many services there are to choose from.
    fn services(&self) -> usize {
        match &self.purpose {
            Purpose::Connect(connecting) => connecting.services.len(),
            Purpose::Unlock => 0,
        }
    }

    /// Sends what is typed, or says what is wrong with it.
    fn send(&mut self) -> Asked {
        if let Some((part, why)) = self.wrong() {
            self.at = self.place_of(part).unwrap_or(0);
            self.complaint = Some(why);
            if self.is_name_secret() {
                self.wipe_name();
            }
            // What is no answer is of no use, and the next one is pasted in its place.
            if part == Part::Given(0)
                && self.sign_in().is_some()
                && let Some(address) = self.hidden_mut(Part::Given(0))
            {
                address.wipe();
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
            (Purpose::Connect(connecting), passphrase) => {
                let Some(service) = connecting.service() else { return Asked::Open };
                let provider = SafeText::new(service.id);
                let again = connecting.again.as_ref();
                let goal = again.map_or(Goal::New, |again| Goal::Again(again.id));
                let (secrets, step) = (connecting.secrets(), connecting.step.clone());
                let key = match (&connecting.lock, passphrase) {
                    (Lock::Missing, passphrase) if connecting.is_sealed() => {
                        VaultKey::New(passphrase)
                    }
                    (_, Some(passphrase)) => VaultKey::Passphrase(passphrase),
                    (_, None) => VaultKey::Ready,
                };
                let name = SafeText::capped(self.name().trim(), 80);
                let name = Some(name).filter(|name| !name.is_empty());
                let brought = (0..secrets.len()).filter_map(|at| self.take(Part::Given(at)));
                let mut brought: Vec<_> = brought.collect();
                match step {
                    Step::Address(sign_in) => {
                        let Some(address) = brought.pop() else { return Asked::Open };
                        Errand::Consent(Answer { sign_in, address, key })
                    }
                    _ => Errand::Connect(Wanted { provider, name, goal, brought, key }),
                }
            }
        };
        self.complaint = None;
        Asked::Send(errand)
    }

    /// Which field keeps it from being sent, and why.
    fn wrong(&mut self) -> Option<(Part, String)> {
        let is_new = matches!(&self.purpose, Purpose::Connect(it) if it.lock == Lock::Missing);
        if let Purpose::Connect(connecting) = &self.purpose
            && let (true, Lock::Broken(why)) = (connecting.is_sealed(), &connecting.lock)
        {
            return Some((Part::Given(0), why.to_string()));
        }
        for (part, typed) in &self.fields {
            let Typed::Hidden(input) = typed else { continue };
            match part {
                _ if input.is_too_long() => {
                    return Some((*part, "this is too long to be one".to_owned()));
                }
                Part::Given(_) if input.is_empty() && self.sign_in().is_some() => {
                    return Some((*part, "paste the address that the browser ended at".to_owned()));
                }
                Part::Given(_) if input.is_empty() => {
                    let what = self.label(*part);
                    return Some((*part, format!("paste the {what} that the service gave you")));
                }
                Part::Passphrase if input.is_empty() && !is_new => {
                    return Some((*part, "type the passphrase of the vault".to_owned()));
                }
                _ => {}
            }
        }
        if let (Some(sign_in), Some(pasted)) = (self.sign_in(), self.hidden(Part::Given(0)))
            && let Some(why) = sign_in.mistake(&pasted.copy())
        {
            return Some((Part::Given(0), why));
        }
        if self.is_name_secret() {
            let why = "this is rather a secret: a name is seen by everybody";
            return Some((Part::Name, why.to_owned()));
        }
        if let (Some(first), Some(again)) =
            (self.hidden(Part::Passphrase), self.hidden(Part::Again))
        {
            if !first.is_same(again) {
                return Some((Part::Again, "the two passphrases differ".to_owned()));
            }
            if first.is_empty() && !self.warned {
                self.warned = true;
                let why = "without a passphrase whoever reads the key file opens everything; Enter \
                     once more agrees";
                let last = self.fields.last().map_or(Part::Given(0), |(part, _)| *part);
                return Some((last, why.to_owned()));
            }
        }
        None
    }

    /// What a field is called.
    fn label(&self, part: Part) -> &'static str {
        match (part, &self.purpose) {
            (Part::Service, _) => "service",
            (Part::Passphrase, _) => "passphrase",
            (Part::Again, _) => "the same again",
            (Part::Name, _) => "name",
            (Part::Given(at), Purpose::Connect(connecting)) => {
                connecting.secrets().get(at).copied().unwrap_or_default()
            }
            (Part::Given(_), Purpose::Unlock) => "",
        }
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
            Purpose::Connect(connecting) => {
                let name = Zeroizing::new(self.name());
                connecting.service().is_some_and(|service| service.is_secret(name.trim()))
            }
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
            Typed::Hidden(_) | Typed::Choice => None,
        });
        plain.unwrap_or_default()
    }

    /// What comes of it is an address to sign in at.
    fn is_beginning(&self) -> bool {
        let is_browser = |it: &Service| matches!(it.asks, Asks::Browser { .. });
        let connects = |it: &Connecting| it.service().is_some_and(is_browser);
        self.sign_in().is_none() && matches!(&self.purpose, Purpose::Connect(it) if connects(it))
    }
}

#[cfg(test)]
mod tests;
