//! What a key, the mouse or a command does.

use super::super::errand::Errand;
use super::super::form::Subject;
use super::super::frame::{self, Parts};
use super::super::layout::Part;
use super::super::look::{Order, Selection};
use super::super::overlay::{Help, Overlay, Prompt, PromptKind, SortMenu};
use super::super::pane::{Outcome, PaneId, Sorting, Wish};
use super::super::widget::{Align, Column};
use super::{App, Effect, Pace};
use crate::keys::{Action, Chord, Context, Found, Key};
use crate::model::Change;
use crate::state::{Ask, View};
use ratatui::layout::Rect;

/// How many views back one can go.
const VIEWS: usize = 50;
/// What is said where somebody asks for something new, and nothing is fetched.
pub(super) const NOT_REFRESHING: &str = "this session does not refresh";

impl App {
    pub(super) fn key(&mut self, chord: Chord, effects: &mut Vec<Effect>) {
        self.notice = None;
        // Whatever is open, this ends it all.
        let ctrl_c = self.keymap.find(&[Context::Everywhere], &[chord]);
        if ctrl_c == Found::Action(Action::ForceQuit) {
            effects.push(Effect::Quit);
            return;
        }
        if let Some(mut overlay) = self.overlays.pop() {
            if self.overlay_key(&mut overlay, chord, effects) {
                self.overlays.push(overlay);
            }
            return;
        }
        self.typed.push(chord);
        let contexts = self.contexts();
        match self.keymap.find(&contexts, &self.typed) {
            Found::Action(action) => {
                self.typed.clear();
                self.act(action, effects);
            }
            Found::Begins => {}
            Found::Nothing => {
                let alone = self.typed.len() == 1;
                self.typed.clear();
                if !alone {
                    self.key(chord, effects);
                }
            }
        }
    }

    /// Whose keys are heard, the nearest first.
    pub(super) fn contexts(&self) -> Vec<Context> {
        let pane = self.pane(self.open).contexts();
        pane.iter().copied().chain([Context::Everywhere]).collect()
    }

    /// Turns what lies on top: what is beneath it stays where it is.
    pub(super) fn wheel(&mut self, down: bool, effects: &mut Vec<Effect>) {
        match self.overlays.last_mut() {
            None => {
                let action = if down { Action::MoveDown } else { Action::MoveUp };
                self.act(action, effects);
            }
            // Its arrows would bring back another line.
            Some(Overlay::Prompt(_)) => {}
            Some(Overlay::Form(form)) => form.wheel(down),
            Some(_) => {
                let key = if down { Key::Down } else { Key::Up };
                self.key(Chord::plain(key), effects);
            }
        }
    }

    /// The cursor goes nowhere else for now. Whether it was on its way.
    pub(super) fn rest(&mut self) -> bool {
        self.pane_and_look(self.open).0.linger(false);
        std::mem::replace(&mut self.pace, Pace::Resting) == Pace::Moving
    }

    pub(super) fn click(&mut self, column: u16, line: u16, effects: &mut Vec<Effect>) {
        let parts = Parts::of(Rect::new(0, 0, self.size.0, self.size.1));
        if let Some(Overlay::Form(form)) = self.overlays.last_mut() {
            form.click((column, line), parts.body, self.look.figures);
        }
        if !self.overlays.is_empty() {
            return;
        }
        self.rest();
        if line == parts.tabs.y {
            if let Some(pane) = frame::tab_at(column, self.open, self.size.0) {
                self.go(pane);
            }
        } else if let Some(place) =
            self.places().iter().find(|place| place.inner().contains((column, line).into()))
            && let Part::Pane(id) = place.part
        {
            self.go(id);
            let inner = place.inner();
            let at = (column - inner.x, line - inner.y);
            let (pane, look) = self.pane_and_look(id);
            match pane.heading_at(at, look) {
                Some(heading) => self.sort_by(&heading),
                None => {
                    if pane.click(at.1, look) && pane.is_bar(at.0, look) {
                        self.act(Action::Open, effects);
                    }
                }
            }
        }
    }

    /// Puts the rows of the open pane in order by a column, or turns the order that they have.
    pub(super) fn sort_by(&mut self, heading: &Column) {
        let (pane, look) = self.pane_and_look(self.open);
        let Some(Sorting { by: all, order }) = pane.sorting() else { return };
        let order = match all.iter().position(|by| *by == heading.title) {
            Some(by) if order.is_some_and(|order| order.by == by) => {
                Order { by, down: !order.is_some_and(|order| order.down) }
            }
            // Of figures the highest are of interest, of words the first.
            Some(by) => Order { by, down: heading.align == Align::Point },
            None => {
                let what = heading.title.to_lowercase();
                self.notice =
                    Some(format!("there is no order by {what}")).filter(|_| !what.is_empty());
                return;
            }
        };
        pane.sort(order, look);
        self.notice = None;
    }

    pub(super) fn act(&mut self, action: Action, effects: &mut Vec<Effect>) {
        // A key that is held down comes again and again: nobody reads what stands beside the rows
        // on the way.
        let beside = self.places().len() > 1 || self.pane(self.open).tells_of_row();
        let moving = action.moves() && beside;
        self.pace = if moving { Pace::Moving } else { Pace::Resting };
        let (pane, look) = self.pane_and_look(self.open);
        pane.linger(moving);
        if let Outcome::Done(wishes) = pane.act(action, look) {
            for wish in wishes {
                self.grant(wish, effects);
            }
            return;
        }
        if let Some(pane) = PaneId::opened_by(action) {
            self.go(pane);
            return;
        }
        if self.settle_in(action, effects) {
            return;
        }
        match action {
            Action::Quit => self.leave(Effect::Quit, effects),
            Action::ForceQuit => effects.push(Effect::Quit),
            Action::Suspend => effects.push(Effect::Suspend),
            Action::Redraw => effects.push(Effect::Redraw),
            Action::NextPane => self.step(1),
            Action::PreviousPane => self.step(PaneId::ALL.len() - 1),
            Action::Back | Action::LastView => self.back(action == Action::LastView),
            Action::Filter => {
                let text = self.filters.get(&self.open.number()).cloned().unwrap_or_default();
                self.overlays.push(Overlay::Prompt(Prompt::new(PromptKind::Filter, &text)));
            }
            Action::Command => {
                self.overlays.push(Overlay::Prompt(Prompt::new(PromptKind::Command, "")));
            }
            Action::AsOf => self.overlays.push(Overlay::Prompt(Prompt::new(PromptKind::AsOf, ""))),
            Action::Help => self.overlays.push(Overlay::Help(Help::default())),
            Action::Cancel => self.cancel(),
            Action::Today => self.look_at(View { as_of: None, ..self.view }, effects),
            Action::Refresh | Action::RefreshAll => {
                effects.push(Effect::Ask(Ask::Look));
                match (&self.look.progress, self.opening) {
                    (Some(_), _) => {
                        self.notice = Some("refreshing…".to_owned());
                        effects.push(Effect::Refresh);
                    }
                    (None, Some(what)) => self.notice = Some(format!("not yet: {what}")),
                    (None, None) => self.notice = Some(NOT_REFRESHING.to_owned()),
                }
            }
            Action::RangeLonger | Action::RangeShorter => {
                let range = self.look.selection.range;
                let range = match action {
                    Action::RangeLonger => range.longer(),
                    _ => range.shorter(),
                };
                let selection = Selection { range, ..self.look.selection.clone() };
                self.grant(Wish::Select(selection), effects);
            }
            Action::Sort => match self.pane(self.open).sorting() {
                Some(Sorting { by, order }) if !by.is_empty() => {
                    let menu = SortMenu::new(by, order.unwrap_or_default());
                    self.overlays.push(Overlay::Sort(menu));
                }
                _ => self.notice = Some("these rows have one order only".to_owned()),
            },
            Action::Full | Action::Half => {
                self.look.zoomed = action == Action::Full;
                self.refresh();
            }
            Action::FindNext | Action::FindPrevious => {
                self.seek(action == Action::FindNext, effects);
            }
            Action::CopyCell | Action::CopyRow => {
                self.copy(action == Action::CopyRow, effects);
            }
            Action::Unlock => self.unlock(effects),
            Action::Lock => self.lock(effects),
            Action::Watch => self.watch(effects),
            Action::Connect | Action::NewConnection => self.connect(None, effects),
            Action::Renew => self.renew(effects),
            Action::Undo | Action::Redo => self.turn_back(action == Action::Redo, effects),
            Action::Add => match self.is_empty() {
                true => self.open_form(Subject::NewAccount),
                false => self.open_form(Subject::NewRow(None, None, None)),
            },
            Action::SetPrice => self.open_form(Subject::Price(None)),
            Action::Edit | Action::Delete => {
                self.notice = Some("there is nothing here to be changed by hand".to_owned());
            }
            _ => {}
        }
    }

    /// Watches the security that the row at the cursor is about, or watches it no more.
    fn watch(&mut self, effects: &mut Vec<Effect>) {
        let subject = self.pane(self.open).subject(&self.look);
        let subject = subject.unwrap_or_else(|| self.look.selection.clone());
        let Some((id, symbol)) = subject.security else {
            self.open_form(Subject::Watch(None));
            return;
        };
        let report = self.look.snapshot.as_ref().and_then(|snapshot| snapshot.watch.clone());
        let rows = report.iter().flat_map(|report| &report.rows);
        let is_watched = rows.into_iter().any(|row| row.security == id && row.terms.is_some());
        match is_watched {
            true => {
                let what = format!("{symbol} is watched no more");
                self.begin(Errand::change(what, vec![Change::Unwatch(id)]), effects);
            }
            false => self.open_form(Subject::Watch(Some(id))),
        }
    }

    /// Puts what is marked, or else what the cursor is on, into the clipboard.
    pub(super) fn copy(&mut self, whole: bool, effects: &mut Vec<Effect>) {
        let texts = self.pane(self.open).texts(whole, &self.look);
        let notice = match texts {
            None => "not all of the marked rows are read: nothing was copied".to_owned(),
            Some(_) if !whole && self.look.figures.private => {
                "amounts are hidden: nothing was copied".to_owned()
            }
            Some(mut texts) => {
                texts.retain(|text| !text.is_empty());
                let notice = match (texts.as_slice(), whole) {
                    ([], _) => "there is nothing to copy here".to_owned(),
                    ([one], false) => format!("copied {one}"),
                    ([_], true) => "copied".to_owned(),
                    (all, _) => format!("copied {} lines", all.len()),
                };
                if !texts.is_empty() {
                    effects.push(Effect::Copy(texts.join("\n")));
                }
                notice
            }
        };
        self.notice = Some(notice);
    }

    pub(super) fn seek(&mut self, forward: bool, effects: &mut Vec<Effect>) {
        let Some(text) = self.sought.get(&self.open.number()).cloned() else {
            self.notice = Some("nothing was looked for yet: / looks for something".to_owned());
            return;
        };
        let (pane, look) = self.pane_and_look(self.open);
        if let Outcome::Done(wishes) = pane.seek(&text, forward, look) {
            for wish in wishes {
                self.grant(wish, effects);
            }
        }
    }

    pub(super) fn grant(&mut self, wish: Wish, effects: &mut Vec<Effect>) {
        match wish {
            Wish::Go(pane) => self.go(pane),
            Wish::Find(pane, text) => {
                self.go(pane);
                self.filter(&text);
                self.sought.insert(pane.number(), text);
            }
            Wish::Select(selection) => {
                self.remember();
                self.look.selection = selection;
                self.refresh();
            }
            Wish::View(view) => self.look_at(view, effects),
            Wish::Say(text) => self.notice = Some(text),
            Wish::Type(text) => {
                self.overlays.push(Overlay::Prompt(Prompt::new(PromptKind::Command, &text)));
            }
            Wish::Act(action) => {
                self.act(action, effects);
                self.refresh();
            }
            Wish::Confirm(confirm) => match self.cannot_write() {
                Some(why) => self.notice = Some(why),
                None => self.overlays.push(Overlay::Confirm(confirm)),
            },
            Wish::Form(subject) => self.open_form(subject),
            Wish::Begin(errand) => self.begin(errand, effects),
            Wish::Reconnect(again) => self.connect(Some(again), effects),
            Wish::Refresh(connection) => self.fetch_one(connection, effects),
            Wish::Demo => self.leave(Effect::Demo, effects),
            Wish::Explain(question) => {
                self.explained = Some(*question);
                self.overlays.push(Overlay::Explain { top: 0 });
            }
        }
    }

    /// Leaves, but not before it was said that something is being written.
    pub(super) fn leave(&mut self, effect: Effect, effects: &mut Vec<Effect>) {
        if self.warned == self.errands {
            effects.push(effect);
        } else {
            self.warned = self.errands;
            self.notice = Some("something is being written: once more leaves it".to_owned());
        }
    }

    pub(super) fn look_at(&mut self, view: View, effects: &mut Vec<Effect>) {
        if self.view != view {
            self.view = view;
            effects.push(Effect::Ask(Ask::View(view)));
        }
    }

    pub(super) fn cancel(&mut self) {
        let filtered = self.filters.get(&self.open.number()).is_some_and(|text| !text.is_empty());
        if filtered {
            self.filter("");
        } else if self.look.selection.account.is_some() {
            self.look.selection.account = None;
            self.refresh();
        }
    }

    pub(super) fn go(&mut self, pane: PaneId) {
        if pane != self.open {
            self.remember();
            self.open = pane;
            self.refresh();
        }
    }

    pub(super) fn step(&mut self, by: usize) {
        let at = (self.open.number() + by) % PaneId::ALL.len();
        if let Some(pane) = PaneId::ALL.get(at) {
            self.go(*pane);
        }
    }

    pub(super) fn remember(&mut self) {
        let now = (self.open, self.look.selection.clone());
        if self.history.last() != Some(&now) {
            self.history.push(now);
        }
        let over = self.history.len().saturating_sub(VIEWS);
        self.history.drain(..over);
    }

    pub(super) fn back(&mut self, and_forth: bool) {
        let Some((pane, selection)) = self.history.pop() else {
            self.notice = Some("there is no view before this one".to_owned());
            return;
        };
        let now = (self.open, std::mem::replace(&mut self.look.selection, selection));
        self.open = pane;
        if and_forth {
            self.history.push(now);
        }
        self.refresh();
    }
}
