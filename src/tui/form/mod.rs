//! Forms: what a person changes by hand. A form is fields and a sheet that knows what they mean;
//! what it comes to is the same changes that the command line makes, checked by the same door while
//! one types.
//!
//! ```text
//! type         buy
//! symbol       VFV.TO
//! quantity     -3
//!              -3 is below zero; write it unsigned, the type gives the direction
//! ```

mod account;
mod alert;
mod balance;
mod called;
mod category;
mod day;
mod draw;
mod field;
mod fields;
mod price;
mod row;
mod sale;
mod security;
mod setting;
mod setup;
mod subject;
mod target;
mod watch;

use chrono::NaiveDate;

pub use fields::{Fault, Fields};
pub use row::Beginning;
pub use setup::Proposal;
pub use subject::Subject;

use super::look::Look;
use crate::keys::{Chord, Key};
use crate::model::{Change, SafeText};
use crate::state::{Known, Question, Slice};

/// What a form is about.
pub trait Sheet: std::fmt::Debug + Send {
    /// What stands above it.
    fn title(&self) -> String;

    /// What must be read before it can begin.
    fn question(&self, _: &Look) -> Option<Question> {
        None
    }

    /// Its fields; none: something is not read yet.
    fn begin(&mut self, around: &Around<'_>) -> Option<Fields>;

    /// What follows from what is typed: which fields are of use, and what is proposed in them.
    fn settle(&self, _: &mut Fields) {}

    /// What stands beneath the fields.
    fn note(&self, _: &Fields) -> Option<String> {
        None
    }

    /// What it comes to. Nothing to do is no change.
    fn read(&self, fields: &Fields) -> Result<Vec<Change>, Fault>;

    /// What was done, once it is.
    fn done(&self) -> &'static str;

    /// What of it is proposed the next time.
    fn habits(&self, _: &Fields) -> Option<Habits> {
        None
    }

    /// Whoever leaves it is not asked again.
    fn is_asked_once(&self) -> bool {
        false
    }

    /// It was read again while it was open, and something else stands there now.
    fn is_other(&self, _: &Slice) -> bool {
        false
    }
}

/// What a form can see when it begins.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// What the panes see.
    pub look: &'a Look,
    /// What can be named.
    pub known: &'a Known,
    /// What was read of its own.
    pub slice: Option<&'a Slice>,
    /// What was typed last.
    pub habits: &'a Habits,
    /// Today.
    pub today: NaiveDate,
}

/// What was typed last, proposed the next time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// In which account.
    pub account: Option<SafeText>,
    /// Which event.
    pub what: Option<String>,
    /// On which day, where that was another than the one of typing, which comes after it.
    pub date: Option<(NaiveDate, NaiveDate)>,
}

/// What a key did to a form.
#[derive(Debug)]
pub enum Heard {
    /// It stays open.
    Open,
    /// It is left.
    Left,
    /// This is to be written.
    Save(Vec<Change>),
}

/// A form.
#[derive(Debug)]
pub struct Form {
    sheet: Box<dyn Sheet>,
    fields: Fields,
    at: usize,
    state: State,
    /// Saving was tried: whatever is wrong is said.
    tried: bool,
    /// What is wrong with all of it.
    complaint: Option<String>,
    today: NaiveDate,
    /// What was typed before there was a field to type into.
    ahead: Vec<Chord>,
}

/// The most keys that are kept while something is read.
const AHEAD: usize = 200;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// What it is about is being read.
    Waiting,
    /// Somebody types.
    Open,
    /// Somebody wants to leave, and something is typed.
    Leaving,
    /// What is typed is being written.
    Sending,
}

impl Form {
    /// With nothing read yet.
    #[must_use]
    pub fn new(sheet: Box<dyn Sheet>, today: NaiveDate) -> Self {
        Self {
            sheet,
            fields: Fields::default(),
            at: 0,
            state: State::Waiting,
            tried: false,
            complaint: None,
            today,
            ahead: Vec::new(),
        }
    }

    /// What must be read.
    pub fn question(&self, look: &Look) -> Option<Question> {
        self.sheet.question(look)
    }

    /// Begins once everything is read. What is typed is never taken away by what is read later.
    pub fn take(&mut self, around: &Around<'_>) {
        if self.state != State::Waiting {
            if around.slice.is_some_and(|slice| self.sheet.is_other(slice)) {
                let said = "this was changed elsewhere meanwhile; what you change here wins";
                self.complaint = Some(said.to_owned());
            }
            return;
        }
        let Some(fields) = self.sheet.begin(around) else {
            self.complaint = Some("it is not there any more".to_owned());
            return;
        };
        self.complaint = None;
        self.fields = fields.counting_from(self.today);
        self.state = State::Open;
        self.settle();
        self.at = self.fields.start();
        self.enter();
    }

    /// What it needs cannot be read.
    pub fn complain_of_reading(&mut self, why: &str) {
        self.complaint = Some(why.to_owned());
    }

    /// What was typed ahead, once there is somewhere to type it.
    pub fn take_ahead(&mut self) -> Vec<Chord> {
        if self.state == State::Waiting { Vec::new() } else { std::mem::take(&mut self.ahead) }
    }

    /// It asks what is asked once, and never again.
    #[must_use]
    pub fn is_asked_once(&self) -> bool {
        self.sheet.is_asked_once()
    }

    /// What is typed is being written.
    #[must_use]
    pub fn is_sending(&self) -> bool {
        self.state == State::Sending
    }

    /// What was done.
    pub fn done(&self) -> &'static str {
        self.sheet.done()
    }

    /// What of it is proposed the next time.
    pub fn habits(&self) -> Option<Habits> {
        self.sheet.habits(&self.fields)
    }

    /// It was written, or refused: then it says why, where it is wrong.
    pub fn refused(&mut self, column: Option<&str>, why: &str) {
        self.state = State::Open;
        self.tried = true;
        self.complain(column, why);
    }

    fn complain(&mut self, column: Option<&str>, why: &str) {
        let place = column.and_then(|name| self.fields.place_of(name));
        match place {
            Some(at) => {
                if let Some(field) = self.fields.at_mut(at) {
                    field.error = Some(why.to_owned());
                }
                self.go(at);
            }
            None => self.complaint = Some(complaint(column, why)),
        }
    }

    /// A key.
    pub fn press(&mut self, chord: Chord) -> Heard {
        match (self.state, chord.key) {
            // What is being written goes on, and is told of.
            (State::Waiting | State::Sending, Key::Esc)
            | (State::Leaving, Key::Char('y' | 'Y')) => return Heard::Left,
            (State::Leaving, _) => self.state = State::Open,
            (State::Open, Key::Esc) => match self.fields.are_changed() {
                true => self.state = State::Leaving,
                false => return Heard::Left,
            },
            (State::Open, Key::Char('s')) if chord.ctrl => return self.save(),
            (State::Open, Key::Enter) => {
                self.leave();
                match self.fields.next(self.at) {
                    Some(at) => self.go(at),
                    None => return self.save(),
                }
            }
            (State::Open, Key::Tab) => {
                let next = self.fields.next(self.at).or_else(|| self.fields.first());
                self.step(next);
            }
            (State::Open, Key::BackTab) => {
                let before = self.fields.before(self.at).or_else(|| self.fields.last());
                self.step(before);
            }
            (State::Open, key) => {
                let today = self.today;
                let heard = self.fields.at_mut(self.at).is_some_and(|it| it.press(chord, today));
                if heard {
                    self.typed();
                } else if key == Key::Down {
                    self.step(self.fields.next(self.at));
                } else if key == Key::Up {
                    self.step(self.fields.before(self.at));
                }
            }
            (State::Waiting, _) => self.ahead.extend((self.ahead.len() < AHEAD).then_some(chord)),
            (State::Sending, _) => {}
        }
        Heard::Open
    }

    /// Turns through the fields.
    pub fn wheel(&mut self, down: bool) {
        let to = if down { self.fields.next(self.at) } else { self.fields.before(self.at) };
        if self.state == State::Open {
            self.step(to);
        }
    }

    /// Text goes into the field as text, whatever it says.
    pub fn paste(&mut self, text: &str) {
        if self.state == State::Open {
            if let Some(field) = self.fields.at_mut(self.at) {
                field.paste(text);
            }
            self.typed();
        }
    }

    fn typed(&mut self) {
        self.complaint = None;
        self.settle();
    }

    fn step(&mut self, to: Option<usize>) {
        if let Some(to) = to {
            self.leave();
            self.go(to);
        }
    }

    fn leave(&mut self) {
        let today = self.today;
        if let Some(field) = self.fields.at_mut(self.at) {
            field.leave(today);
        }
        self.settle();
    }

    fn go(&mut self, at: usize) {
        self.at = at;
        self.enter();
    }

    fn enter(&mut self) {
        if let Some(field) = self.fields.at_mut(self.at) {
            field.enter();
        }
    }

    /// Lets all follow from what is typed, and says what is wrong with it.
    fn settle(&mut self) {
        self.sheet.settle(&mut self.fields);
        self.judge();
    }

    fn judge(&mut self) -> Option<Vec<Change>> {
        if self.fields.check() {
            return None;
        }
        match self.sheet.read(&self.fields) {
            Ok(changes) => Some(changes),
            Err(fault) => {
                let place = fault.field.and_then(|name| self.fields.place_of(name));
                let here = place == Some(self.at);
                match place.and_then(|at| self.fields.at_mut(at)) {
                    // Its first letters still say nothing wrong.
                    Some(field) if here && field.is_begun() => {}
                    Some(field) => field.error = Some(fault.why),
                    None if self.tried => {
                        self.complaint = Some(complaint(fault.field, &fault.why));
                    }
                    None => {}
                }
                None
            }
        }
    }

    fn save(&mut self) -> Heard {
        self.tried = true;
        self.leave();
        match self.judge() {
            Some(changes) if changes.is_empty() => Heard::Left,
            Some(changes) => {
                self.state = State::Sending;
                Heard::Save(changes)
            }
            None => {
                if let Some(at) = self.fields.wrong() {
                    self.go(at);
                }
                Heard::Open
            }
        }
    }

    /// It is not written after all.
    pub fn stays(&mut self, why: String) {
        self.state = State::Open;
        self.complaint = Some(why);
    }
}

/// What is wrong with a field that is not to be seen, or with all of it.
fn complaint(field: Option<&str>, why: &str) -> String {
    field.map_or_else(|| why.to_owned(), |field| format!("{field}: {why}"))
}
