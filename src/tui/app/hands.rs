//! What is changed by hand: forms over the panes, what they come to, and the way back.

use chrono::NaiveDate;

use super::super::errand::{self, Done, Edit, Edited, Errand};
use super::super::form::{Around, Form, Habits, Heard, Proposal, Subject};
use super::super::memory::Memo;
use super::super::overlay::Overlay;
use super::{App, Effect};
use crate::keys::Chord;
use crate::model::Change;
use crate::service::edit::Steps;
use crate::state::{Question, Slice, Slot};

/// How many edits back one can go.
const MOST: usize = 200;

/// What was changed by hand in this session.
#[derive(Debug, Default)]
pub(super) struct Hands {
    /// What leads back, the latest last, with what it was.
    undo: Vec<(String, Steps)>,
    /// What leads forward again.
    redo: Vec<(String, Steps)>,
    /// An edit is being written: one after the other, so that each finds what it expects.
    is_busy: bool,
    habits: Habits,
    /// What is asked where the store is new; none: it was, or is not to be.
    pub(super) setup: Option<Proposal>,
}

impl Hands {
    /// With what is to be asked of a new store.
    pub(super) fn new(setup: Option<Proposal>) -> Self {
        Self { setup, ..Self::default() }
    }
}

impl App {
    /// Why nothing can be written now.
    pub(super) fn cannot_write(&self) -> Option<String> {
        if self.look.read_only {
            return Some("--read-only: nothing is written".to_owned());
        }
        let blocked = self.look.blocked.map(|why| format!("not yet, only looking: {why}"));
        blocked.or_else(|| self.opening.map(|what| format!("not yet: {what}")))
    }

    /// Begins an errand, or says why it cannot be.
    pub(super) fn begin(&mut self, errand: Errand, effects: &mut Vec<Effect>) {
        if let Err(why) = self.try_to_begin(errand, effects) {
            self.notice = Some(why);
        }
    }

    /// Begins an errand, where something may be written and there is something to write to; else
    /// why not.
    pub(super) fn try_to_begin(
        &mut self,
        errand: Errand,
        effects: &mut Vec<Effect>,
    ) -> Result<(), String> {
        self.count_in(&errand)?;
        effects.push(Effect::Begin(errand));
        Ok(())
    }

    /// Counts an errand as begun, or says why it cannot be.
    pub(super) fn count_in(&mut self, errand: &Errand) -> Result<(), String> {
        let is_edit = matches!(errand, Errand::Edit(_));
        if is_edit && self.hands.is_busy {
            return Err("not yet: another edit is being written".to_owned());
        }
        if let Some(why) = self.cannot_write() {
            return Err(why);
        }
        self.hands.is_busy |= is_edit;
        self.errands += 1;
        Ok(())
    }

    /// An errand is done, or has failed; the page of this number waits for it.
    pub(super) fn ended(&mut self, page: Option<u64>, ended: errand::Upshot) {
        match ended {
            Ok(Done::Edited(edited)) => self.edited(*edited),
            ended => self.settled(page, &ended),
        }
    }

    /// Opens a form, where something may be written.
    pub(super) fn open_form(&mut self, subject: Subject) {
        if let Some(why) = self.cannot_write() {
            self.notice = Some(why);
            return;
        }
        let Some(today) = self.today() else {
            self.notice = Some("not yet: nothing is read".to_owned());
            return;
        };
        self.overlays.push(Overlay::Form(Box::new(Form::new(subject.sheet(), today))));
    }

    fn today(&self) -> Option<NaiveDate> {
        self.look.snapshot.as_ref().map(|snapshot| snapshot.today)
    }

    /// A store with nothing in it: what is asked once, is asked now.
    pub(super) fn ask_once(&mut self) {
        let is_new = self.look.snapshot.as_ref().is_some_and(|shown| !shown.is_set_up);
        let can = self.is_empty() && is_new && self.overlays.is_empty();
        if can
            && self.cannot_write().is_none()
            && let Some(proposal) = self.hands.setup.take()
        {
            self.open_form(Subject::Setup(proposal));
        }
    }

    /// What the form that is open would like to know.
    pub(super) fn form_questions(&self) -> Vec<(Slot, Question)> {
        let Some(Overlay::Form(form)) = self.overlays.last() else { return Vec::new() };
        let own = form.question(&self.look).map(|question| (Slot::Form, question));
        [(Slot::Known, Question::Known)].into_iter().chain(own).collect()
    }

    /// Gives the form that is open what was read for it.
    pub(super) fn feed_form(&mut self) {
        let Some(today) = self.today() else { return };
        let Some(Overlay::Form(form)) = self.overlays.last_mut() else { return };
        let look = &self.look;
        let question = form.question(look);
        let slice = look.answer_to(Slot::Form, question.as_ref());
        for slice in [slice, look.answer(Slot::Known)].into_iter().flatten() {
            if let Slice::Failed(trouble) = slice {
                form.complain_of_reading(&trouble.0);
                return;
            }
        }
        let Some(Slice::Known(known)) = look.answer(Slot::Known) else { return };
        if question.is_some() && slice.is_none() {
            return;
        }
        form.take(&Around { look, known, slice, habits: &self.hands.habits, today });
    }

    /// Who types fast types before a form is there: nothing of that is lost.
    pub(super) fn catch_up(&mut self, effects: &mut Vec<Effect>) {
        let Some(Overlay::Form(form)) = self.overlays.last_mut() else { return };
        for chord in form.take_ahead() {
            self.key(chord, effects);
        }
    }

    /// False: the form is done.
    pub(super) fn form_key(
        &mut self,
        form: &mut Form,
        chord: Chord,
        effects: &mut Vec<Effect>,
    ) -> bool {
        match form.press(chord) {
            Heard::Open => true,
            Heard::Left => {
                if form.is_asked_once() {
                    effects.push(Effect::Remember(Memo::SetUp));
                }
                false
            }
            Heard::Save(changes) => {
                let errand = Errand::change(form.done(), changes);
                if let Err(why) = self.try_to_begin(errand, effects) {
                    form.stays(why);
                }
                true
            }
        }
    }

    /// Takes the last edit back, or does the one that was taken back once more.
    pub(super) fn turn_back(&mut self, again: bool, effects: &mut Vec<Effect>) {
        let way = if again { &self.hands.redo } else { &self.hands.undo };
        let Some((what, steps)) = way.last().cloned() else {
            self.notice = Some(match again {
                true => "nothing was taken back that could be done again".to_owned(),
                false => "nothing was changed by hand since the start".to_owned(),
            });
            return;
        };
        let edit = if again { Edit::Redo(what, steps) } else { Edit::Undo(what, steps) };
        self.begin(Errand::Edit(edit), effects);
    }

    /// An edit was written, or refused.
    fn edited(&mut self, edited: Edited) {
        self.hands.is_busy = false;
        let Edited { edit, outcome } = edited;
        match (edit, outcome) {
            (Edit::Change(what, changes), Ok(applied)) => {
                self.note_edit(what, applied.steps);
                // Who enters a row wants to see it.
                let is_new = matches!(changes.first(), Some(Change::AddTransaction(_)));
                if let Some(id) = applied.transactions.first().filter(|_| is_new) {
                    self.desk.show_row(*id);
                }
                if let Some(Overlay::Form(form)) = self.overlays.last()
                    && form.is_sending()
                {
                    if let Some(habits) = form.habits() {
                        self.hands.habits = habits;
                    }
                    self.overlays.pop();
                }
            }
            (Edit::Undo(what, _), Ok(applied)) => {
                self.hands.undo.pop();
                self.notice = Some(format!("taken back: {what}; Z does it again"));
                self.hands.redo.push((what, applied.steps));
            }
            (Edit::Redo(what, _), Ok(applied)) => {
                self.hands.redo.pop();
                self.notice = Some(format!("once more: {what}; z takes it back"));
                self.hands.undo.push((what, applied.steps));
            }
            (edit, Err(error)) => {
                // What somebody else changed since is theirs: the way back leads around it.
                if error.is_overtaken() {
                    match edit {
                        Edit::Undo(..) => drop(self.hands.undo.pop()),
                        Edit::Redo(..) => drop(self.hands.redo.pop()),
                        Edit::Change(..) => {}
                    }
                }
                let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
                match self.overlays.last_mut() {
                    Some(Overlay::Form(form)) if form.is_sending() => match error.refusal() {
                        Some((column, why)) => form.refused(Some(column), &why),
                        None => form.refused(None, &format!("{error}{hint}")),
                    },
                    _ => {
                        self.notice = Some(self.look.figures.message(&format!("{error}{hint}")));
                    }
                }
            }
        }
    }

    /// Something was written that can be taken back.
    fn note_edit(&mut self, what: String, steps: Steps) {
        let back = if steps.is_empty() { "" } else { "; z takes it back" };
        self.notice = Some(format!("{what}{back}"));
        if !steps.is_empty() {
            self.hands.redo.clear();
            self.hands.undo.push((what, steps));
            let over = self.hands.undo.len().saturating_sub(MOST);
            self.hands.undo.drain(..over);
        }
    }
}
