//! The dashboard without its terminal: messages change it, effects come out, a frame is drawn from
//! it. Nothing in here waits, which is why tests can drive it key by key.

mod typing;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDate;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::desk::Desk;
use super::errand::{self, Errand};
use super::folders::Listed;
use super::frame::{self, LEAST, Parts};
use super::layout::{Part, Place, places};
use super::live::{brought, live};
use super::look::{Look, Order, Selection};
use super::memory::Memo;
use super::overlay::{Help, Overlay, Palette, Prompt, PromptKind, SortMenu, draw_explanation};
use super::pane::{Outcome, Pane, PaneId, Welcome, Wish};
use super::theme::{Theme, ThemeName, Tone};
use super::widget::{Align, Column, in_ascii, wrapped, write};
use crate::config::Colours;
use crate::keys::{Action, Chord, Context, Found, Key, Keymap};
use crate::service::folder::FolderQuery;
use crate::service::refresh::Progress;
use crate::state::{Answer, Ask, Question, Slot, Snapshot, Trouble, View};
use crate::text::Figures;

/// What happens to the app.
#[derive(Debug)]
pub enum Msg {
    /// A key.
    Key(Chord),
    /// Text that was pasted: never a command by itself.
    Paste(String),
    /// A click on a column and a line.
    Click(u16, u16),
    /// The wheel, down or up.
    Wheel(bool),
    /// No key has come for a while.
    Rested,
    /// The screen has another size.
    Resize(u16, u16),
    /// The store was read.
    Snapshot(Arc<Snapshot>),
    /// A question was answered.
    Answer(Answer),
    /// The store cannot be read, or can be again.
    Trouble(Option<Trouble>),
    /// The refreshing has gone on.
    Refresh(Box<Progress>),
    /// An errand is done, or has failed.
    Errand(Box<errand::Upshot>),
    /// A folder was read.
    Listed(Box<Listed>),
    /// Something to say.
    Notice(String),
    /// This is waited for before anything can be read; none: it is there.
    Opening(Option<&'static str>),
    /// The store takes no writes for now, in a word and in full; none: it does again.
    Blocked(Option<(&'static str, String)>),
}

/// What the app wants of the world.
#[derive(Debug)]
pub enum Effect {
    /// Something of the state.
    Ask(Ask),
    /// What is new from outside, at once.
    Refresh,
    /// A text in the clipboard.
    Copy(String),
    /// Something remembered until the next start.
    Remember(Memo),
    /// Everything drawn anew.
    Redraw,
    /// To wait in the background until the shell calls.
    Suspend,
    /// Something written.
    Begin(Errand),
    /// What a folder has.
    List(FolderQuery),
    /// The demo in place of this store.
    Demo,
    /// To end.
    Quit,
}

/// How a session begins.
#[derive(Clone, Debug)]
pub struct Options {
    /// The keys.
    pub keymap: Keymap,
    /// How many colours there are; none: without.
    pub colours: Option<Colours>,
    /// Only ASCII is understood.
    pub ascii: bool,
    /// Amounts are hidden.
    pub private: bool,
    /// How things look.
    pub theme: ThemeName,
    /// The last day on which somebody was here; none: never, or nobody knows.
    pub visited: Option<NaiveDate>,
    /// The day of the visit before that one.
    pub visited_before: Option<NaiveDate>,
    /// Where taste is remembered; none: it is not.
    pub memory: Option<PathBuf>,
    /// Nothing may be written.
    pub read_only: bool,
    /// What is looked at.
    pub view: View,
    /// What is to be said at once.
    pub notice: Option<String>,
}

/// The dashboard.
#[derive(Debug)]
pub struct App {
    look: Look,
    view: View,
    keymap: Keymap,
    ascii: bool,
    /// On the heap: it is most of what there is.
    desk: Box<Desk>,
    welcome: Welcome,
    open: PaneId,
    /// Views before this one, the latest last.
    history: Vec<(PaneId, Selection)>,
    overlays: Vec<Overlay>,
    /// The beginning of a longer chord.
    typed: Vec<Chord>,
    /// The newest question of each slot, and its number.
    asked: BTreeMap<Slot, (u64, Question)>,
    /// Slots whose newest question is answered.
    fresh: BTreeSet<Slot>,
    explained: Option<Question>,
    number: u64,
    filters: BTreeMap<usize, String>,
    /// What was looked for last in each pane.
    sought: BTreeMap<usize, String>,
    commands: Vec<String>,
    /// The folder that is being read.
    listing: Option<FolderQuery>,
    notice: Option<String>,
    /// Errands under way.
    errands: usize,
    /// Of how many of them it was said that leaving ends them.
    warned: usize,
    opening: Option<&'static str>,
    /// The last day on which somebody was here.
    visited: Option<NaiveDate>,
    pace: Pace,
    /// Today is known, and somebody is here.
    here: bool,
    size: (u16, u16),
    dirty: bool,
}

/// What the cursor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// It stays with its row.
    Resting,
    /// It is on its way, and the parts beside it follow once it rests.
    Moving,
}

/// What stands in the bottom line while an errand is under way.
const AT_WORK: &str = "at work ...";

/// How many views back one can go.
const VIEWS: usize = 50;

impl App {
    /// Before anything has been read.
    #[must_use]
    pub fn new(options: Options, size: (u16, u16)) -> Self {
        let look = Look {
            snapshot: None,
            answers: BTreeMap::new(),
            trouble: None,
            selection: Selection::default(),
            figures: Figures::grouped(options.private),
            since: options.visited_before,
            zoomed: false,
            theme: Theme { name: options.theme, colours: options.colours },
            read_only: options.read_only,
            blocked: None,
            progress: None,
            size: (0, 0),
            focused: true,
        };
        let mut app = Self {
            look,
            view: options.view,
            keymap: options.keymap,
            ascii: options.ascii,
            desk: Box::default(),
            welcome: Welcome::default(),
            open: PaneId::Overview,
            history: Vec::new(),
            overlays: Vec::new(),
            typed: Vec::new(),
            asked: BTreeMap::new(),
            fresh: BTreeSet::new(),
            explained: None,
            number: 0,
            filters: BTreeMap::new(),
            sought: BTreeMap::new(),
            commands: Vec::new(),
            listing: None,
            notice: options.notice,
            errands: 0,
            warned: 0,
            opening: None,
            visited: options.visited,
            pace: Pace::Resting,
            here: false,
            size,
            dirty: true,
        };
        app.resize(size);
        app
    }

    /// Something has changed since the last frame. Asking makes it forget.
    pub const fn take_dirty(&mut self) -> bool {
        std::mem::replace(&mut self.dirty, false)
    }

    /// Something that was asked for is not there yet.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        let read = self
            .look
            .snapshot
            .as_ref()
            .is_some_and(|snapshot| snapshot.findings.is_some() && snapshot.view == self.view);
        !read || self.asked.keys().any(|slot| !self.fresh.contains(slot))
    }

    /// The cursor is on its way: what is seen beside it waits for [`Msg::Rested`].
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.pace == Pace::Moving
    }

    /// What happens, and what comes of it.
    pub fn update(&mut self, msg: Msg) -> Vec<Effect> {
        let was_dirty = std::mem::replace(&mut self.dirty, true);
        let mut effects = Vec::new();
        match msg {
            Msg::Key(chord) => {
                // A dashboard may stay open for days; on another day a key is another visit.
                self.visit(&mut effects);
                self.key(chord, &mut effects);
            }
            Msg::Paste(text) => self.paste(&text),
            Msg::Click(column, line) => self.click(column, line),
            Msg::Wheel(down) => self.wheel(down, &mut effects),
            Msg::Rested => self.dirty = self.rest() || was_dirty,
            Msg::Resize(width, height) => self.resize((width, height)),
            Msg::Snapshot(snapshot) => {
                self.look.snapshot = Some(snapshot);
                if !self.here {
                    self.here = true;
                    self.visit(&mut effects);
                }
                self.refresh();
            }
            Msg::Answer(answer) => self.answer(answer),
            Msg::Trouble(trouble) => self.look.trouble = trouble,
            Msg::Refresh(progress) => self.dirty = self.refreshed(*progress) || was_dirty,
            Msg::Errand(ended) => {
                self.errands = self.errands.saturating_sub(1);
                self.warned = 0;
                self.notice = Some(errand::in_words(&ended, self.look.figures));
                // The trail tells of it even where nothing was written.
                effects.push(Effect::Ask(Ask::Look));
            }
            Msg::Listed(listed) => self.listed(&listed),
            Msg::Notice(text) => self.notice = Some(text),
            Msg::Opening(what) => self.opening = what,
            Msg::Blocked(why) => {
                self.look.blocked = why.as_ref().map(|(word, _)| *word);
                self.notice = Some(match why {
                    Some((_, why)) => format!("only looking until it can be written: {why}"),
                    None => "the store can be written again".to_owned(),
                });
            }
        }
        self.ask(&mut effects);
        effects
    }

    fn resize(&mut self, size: (u16, u16)) {
        self.size = size;
        self.refresh();
    }

    /// What is seen, and where.
    fn places(&self) -> Vec<Place> {
        let body = Parts::of(Rect::new(0, 0, self.size.0, self.size.1)).body;
        places(body, self.open, self.look.zoomed)
    }

    /// Lays out what is seen anew; the rest is, once it is opened.
    fn refresh(&mut self) {
        let places = self.places();
        if let Some(own) = places.iter().find(|place| place.part == Part::Pane(self.open)) {
            let inner = own.inner();
            self.look.size = (inner.width, inner.height);
        }
        if self.is_empty() {
            self.welcome.refresh(&self.look);
            return;
        }
        self.desk.refresh(&places, self.open, &self.look);
        if let Some(notice) = self.desk.pane_mut(self.open).take_notice() {
            self.notice = Some(notice);
        }
    }

    /// Somebody is here: what changed since they were here on another day becomes of interest.
    fn visit(&mut self, effects: &mut Vec<Effect>) {
        let Some(today) = self.look.snapshot.as_ref().map(|snapshot| snapshot.today) else {
            return;
        };
        if self.visited == Some(today) {
            // The visits of a day are one: all of them compare with the one before that day.
            self.look.since = self.look.since.filter(|day| *day < today);
        } else {
            self.look.since = self.visited.replace(today).filter(|day| *day < today);
            effects.push(Effect::Remember(Memo::Visit(today)));
        }
    }

    fn answer(&mut self, answer: Answer) {
        let asked = self.asked.get(&answer.slot).filter(|(number, _)| *number == answer.number);
        if let Some((_, question)) = asked {
            self.look.answers.insert(answer.slot, (question.clone(), answer.slice));
            self.fresh.insert(answer.slot);
            self.refresh();
        } else {
            self.dirty = false;
        }
    }

    /// Takes in how the refreshing goes. Whether that can be seen.
    fn refreshed(&mut self, progress: Progress) -> bool {
        let before = live(&self.look);
        let answers = progress.asked && !progress.running;
        let said = progress.last.as_ref().filter(|_| answers).map(brought);
        let rounds = self.look.progress.as_ref().map_or(0, |old| old.rounds);
        let is_new = said.is_some() && progress.rounds != rounds;
        if is_new {
            self.notice = said;
        }
        self.look.progress = Some(progress);
        is_new || live(&self.look) != before
    }

    /// Asks what the seen panes would like to know, once, and forgets what nobody looks at.
    fn ask(&mut self, effects: &mut Vec<Effect>) {
        let places = self.places();
        self.desk.follow(&places, self.open, &self.look);
        let mut wanted = self.desk.questions(&places, self.open, &self.look);
        wanted.extend(self.explained.clone().map(|question| (Slot::Explain, question)));
        let gone: Vec<Slot> = self
            .asked
            .keys()
            .filter(|slot| wanted.iter().all(|(other, _)| other != *slot))
            .copied()
            .collect();
        for slot in gone {
            self.asked.remove(&slot);
            self.look.answers.remove(&slot);
            effects.push(Effect::Ask(Ask::Drop(slot)));
        }
        for (slot, question) in wanted {
            if self.asked.get(&slot).is_some_and(|(_, asked)| *asked == question) {
                continue;
            }
            self.number += 1;
            self.fresh.remove(&slot);
            self.asked.insert(slot, (self.number, question.clone()));
            effects.push(Effect::Ask(Ask::Slice(slot, self.number, Box::new(question))));
        }
    }

    // ---- keys

    fn key(&mut self, chord: Chord, effects: &mut Vec<Effect>) {
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
    fn contexts(&self) -> Vec<Context> {
        let pane = self.pane(self.open).contexts();
        pane.iter().copied().chain([Context::Everywhere]).collect()
    }

    /// Turns what lies on top: what is beneath it stays where it is.
    fn wheel(&mut self, down: bool, effects: &mut Vec<Effect>) {
        match self.overlays.last() {
            None => {
                let action = if down { Action::MoveDown } else { Action::MoveUp };
                self.act(action, effects);
            }
            // Its arrows would bring back another line.
            Some(Overlay::Prompt(_)) => {}
            Some(_) => {
                let key = if down { Key::Down } else { Key::Up };
                self.key(Chord::plain(key), effects);
            }
        }
    }

    /// The cursor goes nowhere else for now. Whether it was on its way.
    fn rest(&mut self) -> bool {
        self.pane_and_look(self.open).0.linger(false);
        std::mem::replace(&mut self.pace, Pace::Resting) == Pace::Moving
    }

    fn click(&mut self, column: u16, line: u16) {
        if !self.overlays.is_empty() {
            return;
        }
        self.rest();
        let parts = Parts::of(Rect::new(0, 0, self.size.0, self.size.1));
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
                None => pane.click(at.1, look),
            }
        }
    }

    /// Puts the rows of the open pane in order by a column, or turns the order that they have.
    fn sort_by(&mut self, heading: &Column) {
        let (pane, look) = self.pane_and_look(self.open);
        let Some((all, order)) = pane.sorting() else { return };
        let order = match all.iter().position(|by| *by == heading.title) {
            Some(by) if by == order.by => Order { by, down: !order.down },
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

    // ---- actions

    fn act(&mut self, action: Action, effects: &mut Vec<Effect>) {
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
        match action {
            Action::Quit => self.leave(Effect::Quit, effects),
            Action::ForceQuit => effects.push(Effect::Quit),
            Action::Suspend => effects.push(Effect::Suspend),
            Action::Redraw => effects.push(Effect::Redraw),
            Action::Pane0 => self.go(PaneId::Overview),
            Action::Pane1 => self.go(PaneId::Accounts),
            Action::Pane2 => self.go(PaneId::Holdings),
            Action::Pane3 => self.go(PaneId::Transactions),
            Action::Pane4 => self.go(PaneId::Chart),
            Action::Pane5 => self.go(PaneId::Performance),
            Action::Pane6 => self.go(PaneId::Allocation),
            Action::Pane7 => self.go(PaneId::Income),
            Action::Pane9 => self.go(PaneId::Imports),
            Action::Health => self.go(PaneId::Health),
            Action::Activity => self.go(PaneId::Activity),
            Action::Security => self.go(PaneId::Security),
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
            Action::Palette => self.overlays.push(Overlay::Palette(Palette::default())),
            Action::Help => self.overlays.push(Overlay::Help(Help::default())),
            Action::Cancel => self.cancel(),
            Action::Privacy => {
                let private = !self.look.figures.private;
                self.look.figures = Figures::grouped(private);
                effects.push(Effect::Remember(Memo::Private(private)));
                self.refresh();
            }
            Action::Theme => {
                self.look.theme.name = self.look.theme.name.next();
                self.notice = Some(format!("theme: {}", self.look.theme.name.as_str()));
                effects.push(Effect::Remember(Memo::Theme(self.look.theme.name)));
            }
            Action::Today => self.look_at(View { as_of: None, ..self.view }, effects),
            Action::Refresh => {
                effects.push(Effect::Ask(Ask::Look));
                if self.look.progress.is_some() {
                    self.notice = Some("refreshing…".to_owned());
                    effects.push(Effect::Refresh);
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
                Some((by, order)) => {
                    self.overlays.push(Overlay::Sort(SortMenu::new(by, order)));
                }
                None => self.notice = Some("these rows have one order only".to_owned()),
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
            _ => {}
        }
    }

    /// Puts what is marked, or else what the cursor is on, into the clipboard.
    fn copy(&mut self, whole: bool, effects: &mut Vec<Effect>) {
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

    fn seek(&mut self, forward: bool, effects: &mut Vec<Effect>) {
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

    fn grant(&mut self, wish: Wish, effects: &mut Vec<Effect>) {
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
            Wish::Confirm(confirm) => self.overlays.push(Overlay::Confirm(confirm)),
            Wish::Demo => self.leave(Effect::Demo, effects),
            Wish::Explain(question) => {
                self.explained = Some(*question);
                self.overlays.push(Overlay::Explain { top: 0 });
            }
        }
    }

    /// Leaves, but not before it was said that something is being written.
    fn leave(&mut self, effect: Effect, effects: &mut Vec<Effect>) {
        if self.warned == self.errands {
            effects.push(effect);
        } else {
            self.warned = self.errands;
            self.notice = Some("something is being written: once more leaves it".to_owned());
        }
    }

    /// Begins an errand, where something may be written and there is something to write to.
    fn begin(&mut self, errand: Errand, effects: &mut Vec<Effect>) {
        if self.look.read_only {
            self.notice = Some("--read-only: nothing is written".to_owned());
        } else if let Some(why) = self.look.blocked {
            self.notice = Some(format!("not yet, only looking: {why}"));
        } else if let Some(what) = self.opening {
            self.notice = Some(format!("not yet: {what}"));
        } else {
            self.errands += 1;
            effects.push(Effect::Begin(errand));
        }
    }

    fn look_at(&mut self, view: View, effects: &mut Vec<Effect>) {
        if self.view != view {
            self.view = view;
            effects.push(Effect::Ask(Ask::View(view)));
        }
    }

    fn cancel(&mut self) {
        let filtered = self.filters.get(&self.open.number()).is_some_and(|text| !text.is_empty());
        if filtered {
            self.filter("");
        } else if self.look.selection.account.is_some() {
            self.look.selection.account = None;
            self.refresh();
        }
    }

    fn go(&mut self, pane: PaneId) {
        if pane != self.open {
            self.remember();
            self.open = pane;
            self.refresh();
        }
    }

    fn step(&mut self, by: usize) {
        let at = (self.open.number() + by) % PaneId::ALL.len();
        if let Some(pane) = PaneId::ALL.get(at) {
            self.go(*pane);
        }
    }

    fn remember(&mut self) {
        let now = (self.open, self.look.selection.clone());
        if self.history.last() != Some(&now) {
            self.history.push(now);
        }
        let over = self.history.len().saturating_sub(VIEWS);
        self.history.drain(..over);
    }

    fn back(&mut self, and_forth: bool) {
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

    /// There is nothing to show.
    fn is_empty(&self) -> bool {
        self.look.snapshot.as_ref().is_some_and(|snapshot| snapshot.is_empty())
    }

    fn pane(&self, id: PaneId) -> &dyn Pane {
        match self.is_empty() {
            true => &self.welcome,
            false => self.desk.pane(id),
        }
    }

    fn pane_and_look(&mut self, id: PaneId) -> (&mut dyn Pane, &Look) {
        let pane: &mut dyn Pane = match self.is_empty() {
            true => &mut self.welcome,
            false => self.desk.pane_mut(id),
        };
        (pane, &self.look)
    }

    // ---- drawing

    /// Draws everything.
    pub fn draw(&self, area: Rect, buf: &mut Buffer) {
        let look = &self.look;
        let theme = look.theme;
        if area.width < LEAST.0 || area.height < LEAST.1 {
            let text = format!("dashtam needs {} x {}", LEAST.0, LEAST.1);
            write(
                buf,
                Rect { height: area.height.min(1), ..area },
                &text,
                theme.style(Tone::Plain),
            );
            return;
        }
        let parts = Parts::of(area);
        let pane = self.pane(self.open);
        frame::tabs(buf, parts.tabs, self.open, theme);
        frame::context(buf, parts.context, look, &pane.status(look));
        if let Some(what) = self.opening {
            write(buf, parts.body, what, theme.style(Tone::Dim));
        } else if self.is_empty() {
            self.welcome.draw(buf, parts.body, look);
        } else {
            self.desk.draw(buf, &places(parts.body, self.open, look.zoomed), self.open, look);
        }
        self.draw_overlay(buf, &parts);
        self.draw_bar(buf, parts.bar);
        if self.ascii {
            in_ascii(buf);
        }
    }

    fn draw_overlay(&self, buf: &mut Buffer, parts: &Parts) {
        let theme = self.look.theme;
        match self.overlays.last() {
            Some(Overlay::Help(help)) => {
                help.draw(buf, parts.body, theme, &self.keymap, &self.contexts());
            }
            Some(Overlay::Palette(palette)) => palette.draw(buf, parts.body, theme, &self.keymap),
            Some(Overlay::Sort(menu)) => menu.draw(buf, parts.body, theme),
            Some(Overlay::Explain { top }) => {
                let slice = self.look.answer(Slot::Explain);
                draw_explanation(buf, parts.body, theme, self.look.figures, slice, *top);
            }
            Some(Overlay::Confirm(confirm)) => confirm.draw(buf, parts.body, theme),
            Some(Overlay::Prompt(_)) | None => {}
        }
    }

    fn draw_bar(&self, buf: &mut Buffer, area: Rect) {
        let theme = self.look.theme;
        if let Some(Overlay::Prompt(prompt)) = self.overlays.last() {
            prompt.draw(buf, area, theme);
        } else if let Some(trouble) = &self.look.trouble {
            let older =
                if self.look.snapshot.is_some() { " (shown is what was read last)" } else { "" };
            write(buf, area, &format!("{}{older}", trouble.0), theme.style(Tone::Error));
        } else if let Some(notice) = &self.notice {
            draw_notice(buf, area, notice, theme);
        } else {
            let after = |used: u16, area: Rect| {
                let used = used.min(area.width);
                Rect { x: area.x + used, width: area.width - used, ..area }
            };
            let mut rest = area;
            if self.errands > 0 {
                let used = write(buf, rest, AT_WORK, theme.style(Tone::Warn));
                rest = after(used + 2, rest);
            }
            if let Some(tally) = self.pane(self.open).tally(&self.look) {
                let used = tally.draw(buf, rest, theme, self.look.figures);
                rest = after(used, rest);
            }
            frame::bar(buf, rest, &self.keymap, &self.contexts(), theme);
        }
    }
}

/// Says something in the bottom line, and above it where that is too short.
fn draw_notice(buf: &mut Buffer, area: Rect, text: &str, theme: Theme) {
    const MOST: usize = 8;
    let lines = wrapped(text, usize::from(area.width));
    let lines = lines.get(..MOST.min(lines.len())).unwrap_or_default();
    let height = u16::try_from(lines.len()).unwrap_or(1).clamp(1, area.bottom().max(1));
    let place = Rect { y: area.bottom() - height, height, ..area };
    Clear.render(place, buf);
    for (line, at) in lines.iter().zip(0..height) {
        write(buf, Rect { y: place.y + at, height: 1, ..place }, line, theme.style(Tone::Plain));
    }
}
