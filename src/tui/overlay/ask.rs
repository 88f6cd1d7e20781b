//! What a person is asked for that nobody else may see: the passphrase of the vault, what a service
//! gives. What that is, the table of providers says. It is on a page of its own: what is typed on the command line is kept and shown.
//! A consent that is given in a browser takes several steps, each of them such a page.
//!
//! ```text
//! service         SimpleFIN       1 of 3 · Left and Right choose
//! passphrase      ••••••••
//! setup token     412 characters, hidden
//! name            SimpleFIN
//! ```

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};
use zeroize::Zeroizing;

use super::super::frame::framed;
use super::sign_in;
use crate::keys::{Chord, Key};
use crate::model::{Connection, ConnectionId, SafeText};
use crate::service::connect::{Asks, Goal, Service};
use crate::service::held::Lock;
use crate::tui::errand::{Errand, Hidden, Key as VaultKey, Wanted};
use crate::tui::sign_in::{Answer, SignIn};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::{HiddenInput, Input, fit, wrapped, write};

/// The most columns, and those of a label.
const WIDEST: u16 = 76;
const LABEL: u16 = 16;
/// The most bytes of a passphrase and of a token, as on the command line.
const PASSPHRASE: usize = 1024;
const TOKEN: usize = 16 << 10;

const SEALED: &str = "It is exchanged, where it serves once, for an access that can only read. Neither is \
     ever shown, or kept anywhere but sealed.";
const KEYS: &str = "They could trade; nothing but reading is ever done with them. Neither is ever shown, or \
     kept anywhere but sealed.";
const VAULT: &str = "Secrets are sealed in a vault, which is made now. Its passphrase unlocks it \
     after each start, and nobody can tell you what it was. Without one the key is protected by the \
     mode of its file alone, as on a home server.";

const TOO_LATE: &str = "no address came within five minutes, and nothing was changed; begin again";

/// What an app is known by, and what a browser ends at.
const APP: &[&str] = &["app key", "app secret"];
const ADDRESS: &[&str] = &["that address"];

/// How far somebody is who gives a consent in a browser; of all other services there is but the first.
#[derive(Clone, Debug, Default)]
pub enum Step {
    /// Nothing was asked of the service.
    #[default]
    First,
    /// It has to be said which app this program is.
    App,
    /// There is an address to sign in at.
    Address(Arc<SignIn>),
}

/// What is asked for.
#[derive(Debug)]
enum Purpose {
    /// To open the vault.
    Unlock,
    /// To connect to a service.
    Connect(Connecting),
}

/// What somebody wants to be connected to, with the vault as it is: anew, or a connection again.
#[derive(Clone, Debug)]
struct Connecting {
    /// Those to choose from; one at least.
    services: Vec<Service>,
    chosen: usize,
    lock: Lock,
    again: Option<Again>,
    step: Step,
}

impl Connecting {
    fn service(&self) -> Option<&Service> {
        self.services.get(self.chosen)
    }

    /// What it asks for that nobody else may see.
    fn secrets(&self) -> &'static [&'static str] {
        match (self.service().map(|service| service.asks), &self.step) {
            (Some(Asks::Secrets { called, .. }), _) => called,
            (Some(Asks::Browser { .. }), Step::App) => APP,
            (Some(Asks::Browser { .. }), Step::Address(_)) => ADDRESS,
            _ => &[],
        }
    }

    /// What comes of it is sealed in the vault.
    fn is_sealed(&self) -> bool {
        self.service().is_some_and(|service| service.asks != Asks::Nothing)
    }

    /// It is known what it is called.
    const fn has_name(&self) -> bool {
        self.again.is_some() || matches!(self.step, Step::Address(_))
    }

    /// The fields of its page. Whoever comes with a token pastes it at once: that must be where it is
    /// not seen, so the name stands below.
    fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        if self.services.len() > 1 && matches!(self.step, Step::First) {
            parts.push(Part::Service);
        }
        match self.lock {
            _ if !self.is_sealed() => {}
            Lock::Locked => parts.push(Part::Passphrase),
            Lock::Missing => parts.extend([Part::Passphrase, Part::Again]),
            Lock::Open | Lock::Unlocked | Lock::Broken(_) => {}
        }
        parts.extend((0..self.secrets().len()).map(Part::Given));
        if !self.has_name() {
            parts.push(Part::Name);
        }
        parts
    }

    /// What stands above the fields.
    fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(again) = &self.again {
            let same = match self.service().map(|service| service.asks) {
                Some(Asks::Browser { .. }) => "sign in with",
                _ => "bring what is of",
            };
            words.push(format!(
                "Its accounts and rows go on: {same} the same login as that of {}.",
                again.name
            ));
        }
        match self.service().map(|service| (service, service.asks)) {
            Some((_, Asks::Secrets { from, called })) => {
                let is_pair = called.len() > 1;
                let them = if is_pair { "them" } else { "it" };
                let made = called.join(" and ");
                words.push(format!("Make a {made} at {from} and paste {them} here."));
                words.push(if is_pair { KEYS } else { SEALED }.to_owned());
            }
            Some((service, Asks::Nothing)) => words.push(format!(
                "{} can be asked by anybody: it is known by its name alone, and keeps no secret.",
                service.title
            )),
            Some((service, Asks::Browser { portal })) => {
                words.push(in_browser(service, portal, &self.step));
            }
            None => {}
        }
        match &self.lock {
            Lock::Missing if self.is_sealed() => words.push(VAULT.to_owned()),
            Lock::Broken(why) if self.is_sealed() => {
                words.push(format!("Nothing can be sealed now: {why}"));
            }
            _ => {}
        }
        words
    }
}

/// How a consent is given that needs a browser.
fn in_browser(Service { title, .. }: &Service, portal: &str, step: &Step) -> String {
    match step {
        Step::App => format!(
            "{title} knows programs by an app that you register at {portal}; its key and its secret \
             stand there. Neither is ever shown, or kept anywhere but sealed with the consent."
        ),
        _ => format!(
            "{title} wants a consent in a browser, on whichever machine: the next page has the address \
             to sign in at, and takes the one that the browser ends at. It can only read."
        ),
    }
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

impl Again {
    /// That connection.
    #[must_use]
    pub fn of(connection: &Connection) -> Self {
        let Connection { id, label, provider, .. } = connection;
        Self { id: *id, name: label.clone(), provider: provider.clone() }
    }
}

/// What a field is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Service,
    Passphrase,
    Again,
    /// Of what the service gives, the one of this number.
    Given(usize),
    Name,
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
        self.refused(why, None);
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
            if self.sign_in().is_some()
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

    fn title(&self) -> String {
        match &self.purpose {
            Purpose::Unlock => "Unlock".to_owned(),
            Purpose::Connect(Connecting { again: Some(again), .. }) => {
                format!("Connect {} again", again.name)
            }
            Purpose::Connect(it) => format!("Connect {}", it.service().map_or("", |it| it.title)),
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
            Purpose::Connect(connecting) => connecting.words(),
        }
    }

    /// Draws itself in the middle of the pane; an address to sign in at has all of it.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, theme: Theme) {
        if let Some(sign_in) = self.sign_in() {
            Clear.render(area, buf);
            let feet = self.feet(usize::from(area.width));
            let lines = sign_in::lines(sign_in, &self.title(), self.fields.len(), feet, area);
            for (line, y) in lines.iter().zip(area.top()..area.bottom()) {
                let place = Rect { y, height: 1, ..area };
                match line {
                    sign_in::Line::Text(text, tone) => {
                        write(buf, place, text, theme.style(*tone));
                    }
                    sign_in::Line::Field(at) => {
                        if let Some((part, typed)) = self.fields.get(*at) {
                            self.draw_field(buf, place, *at, *part, typed, theme);
                        }
                    }
                }
            }
            return;
        }
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
        write(buf, line, self.label(part), theme.style(tone));
        let x = LABEL.min(line.width);
        let place = Rect { x: line.x + x, width: line.width - x, ..line };
        let room = usize::from(place.width.saturating_sub(1));
        let used = match typed {
            Typed::Hidden(input) => {
                write(buf, place, &fit(&input.shown(), room), theme.style(Tone::Plain))
            }
            Typed::Choice => {
                write(buf, place, &fit(&self.choice(), room), theme.style(Tone::Plain))
            }
            Typed::Plain(_) if self.is_name_secret() => {
                write(buf, place, "not shown: this is rather a secret", theme.style(Tone::Error))
            }
            Typed::Plain(input) if input.is_empty() && !here => {
                let word = match &self.purpose {
                    Purpose::Connect(it) => it.service().map_or("", |service| service.title),
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

    /// Which service it is, of how many.
    fn choice(&self) -> String {
        match &self.purpose {
            Purpose::Connect(it) => {
                let title = it.service().map_or("", |service| service.title);
                format!("{title}   {} of {}", it.chosen + 1, it.services.len())
            }
            Purpose::Unlock => String::new(),
        }
    }

    /// What comes of it is an address to sign in at.
    fn is_beginning(&self) -> bool {
        let is_browser = |it: &Service| matches!(it.asks, Asks::Browser { .. });
        let connects = |it: &Connecting| it.service().is_some_and(is_browser);
        self.sign_in().is_none() && matches!(&self.purpose, Purpose::Connect(it) if connects(it))
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
            (State::Sending(_), _) if self.is_beginning() => {
                say("asking for the address ... · Esc leaves", Tone::Warn);
            }
            (State::Sending(_), _) => say("connecting ... · Esc leaves it to that", Tone::Warn),
            (State::Open, Purpose::Unlock) => say("Enter unlocks · Esc leaves", Tone::Key),
            (State::Open, _) if self.is_at_choice() => {
                say("Left, Right another service · Enter next · Esc leaves", Tone::Key);
            }
            (State::Open, _) if self.sign_in().is_some() => {
                say("Enter connects · Ctrl-y copies the address · Esc leaves", Tone::Key);
            }
            (State::Open, _) if is_last && self.is_beginning() => {
                say("Enter shows the address to sign in at · Esc leaves", Tone::Key);
            }
            (State::Open, _) if is_last => {
                say("Enter connects · Shift-Tab back · Esc leaves", Tone::Key);
            }
            (State::Open, _) if self.services() > 1 && self.at == 1 => {
                say("Enter next · Up another service · Esc leaves", Tone::Key);
            }
            (State::Open, _) => say("Enter next · Esc leaves", Tone::Key),
        }
        feet
    }
}

#[cfg(test)]
mod tests;
