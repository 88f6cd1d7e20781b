//! The dashboard without its terminal: messages change it, effects come out, a frame is drawn from
//! it. Nothing in here waits, which is why tests can drive it key by key.

mod acting;
mod comfort;
mod drawing;
mod hands;
mod secrets;
mod typing;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use ratatui::layout::Rect;
use zeroize::Zeroize as _;

use super::desk::Desk;
use super::errand::{self, Errand, Hidden};
use super::folders::Listed;
use super::form::Proposal;
use super::frame::Parts;
use super::layout::{Part, Place, places};
use super::live::{brought, live};
use super::look::{Look, Selection};
use super::memory::Memo;
use super::overlay::Overlay;
use super::pane::{Pane, PaneId, Welcome};
use super::sign_in::SignIn;
use super::theme::{Theme, ThemeName};
use crate::config::{Colours, TableTaste};
use crate::keys::{Chord, Keymap};
use crate::model::ConnectionId;
use crate::service::folder::FolderQuery;
use crate::service::held::Lock;
use crate::service::refresh::Progress;
use crate::state::{Answer, Ask, Question, Slot, Snapshot, Trouble, View};
use crate::text::Figures;
use hands::Hands;

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
    /// None has come for so long that nobody may be there.
    Cover,
    /// The same, so that no key to secrets may lie in memory for longer.
    Lock,
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
    /// Why what is kept beside the rows is not up to date; none: it is.
    Lag(Option<String>),
    /// An errand has written so many rows, and goes on.
    Rows(u64),
    /// An errand is done, or has failed; the page of this number waits for it.
    Errand(Option<u64>, Box<errand::Upshot>),
    /// A folder was read.
    Listed(Box<Listed>),
    /// How the vault is.
    Vault(Lock),
    /// A browser came back to this machine with an address.
    Came(Hidden),
    /// None came back to this sign-in, and none is waited for any more.
    Late(Arc<SignIn>),
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
    /// The same of one connection.
    RefreshOne(ConnectionId),
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
    /// The same for the page of this number, which waits for it.
    Send(u64, Errand),
    /// The key to secrets let go of.
    Lock,
    /// To know how the vault is now.
    LookAtVault,
    /// What a folder has.
    List(FolderQuery),
    /// The demo in place of this store.
    Demo,
    /// To end.
    Quit,
}

/// How a session begins.
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
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
    /// Gains have the colour of losses, and losses that of gains.
    pub swapped: bool,
    /// How the tables of panes were left, by the name of the pane.
    pub tables: BTreeMap<String, TableTaste>,
    /// Filters of the transactions under names.
    pub views: BTreeMap<String, String>,
    /// Nothing may be written.
    pub read_only: bool,
    /// How long after the last key the screen is covered; none: never.
    pub cover: Option<Duration>,
    /// How long after it the vault is locked; none: never.
    pub lock: Option<Duration>,
    /// What is looked at.
    pub view: View,
    /// What is to be said at once.
    pub notice: Option<String>,
    /// What is asked once, where the store is new; none: it is not asked.
    pub setup: Option<Proposal>,
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
    /// How many rows one of them has written; none: none of them tells.
    written: Option<u64>,
    /// Of how many of them it was said that leaving ends them.
    warned: usize,
    /// Somebody wants to hear how the vault is.
    asks_how_vault_is: bool,
    opening: Option<&'static str>,
    /// The last day on which somebody was here.
    visited: Option<NaiveDate>,
    pace: Pace,
    presence: Presence,
    /// How each pane was remembered last, by its number.
    tastes: BTreeMap<usize, TableTaste>,
    /// Filters of the transactions under names.
    views: BTreeMap<String, String>,
    /// What was said, the latest last.
    said: Vec<String>,
    size: (u16, u16),
    dirty: bool,
    hands: Hands,
}

/// Whether somebody looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    /// Today is not known yet.
    Unknown,
    /// Somebody is here.
    Here,
    /// Nothing is shown until somebody presses a key.
    Covered,
}

/// What the cursor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// It stays with its row.
    Resting,
    /// It is on its way, and the parts beside it follow once it rests.
    Moving,
}

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
            theme: Theme {
                name: options.theme,
                colours: options.colours,
                swapped: options.swapped,
            },
            read_only: options.read_only,
            blocked: None,
            progress: None,
            lag: None,
            vault: None,
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
            written: None,
            warned: 0,
            asks_how_vault_is: false,
            opening: None,
            visited: options.visited,
            pace: Pace::Resting,
            presence: Presence::Unknown,
            tastes: BTreeMap::new(),
            views: options.views,
            said: Vec::new(),
            size,
            dirty: true,
            hands: Hands::new(options.setup),
        };
        app.desk.recall(&options.tables, &app.look);
        let left = |id: PaneId| (id.number(), app.desk.pane(id).taste());
        app.tastes = PaneId::ALL.into_iter().map(left).collect();
        app.resize(size);
        app
    }

    /// Something has changed since the last frame. Asking makes it forget.
    pub const fn take_dirty(&mut self) -> bool {
        std::mem::replace(&mut self.dirty, false)
    }

    fn is_covered(&self) -> bool {
        self.presence == Presence::Covered
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
        // Beneath a cover nothing is seen to change but the size of the screen.
        let is_beneath = self.is_covered() && !matches!(msg, Msg::Resize(..));
        let mut effects = Vec::new();
        let open = self.open;
        match msg {
            Msg::Cover => {
                self.presence = Presence::Covered;
                self.wipe_secrets();
            }
            Msg::Key(_) | Msg::Paste(_) | Msg::Click(..) | Msg::Wheel(_) if self.is_covered() => {
                self.uncover(&msg, &mut effects);
                if let Msg::Paste(mut text) = msg {
                    text.zeroize();
                }
            }
            Msg::Key(chord) => {
                // A dashboard may stay open for days; on another day a key is another visit.
                self.visit(&mut effects);
                self.key(chord, &mut effects);
            }
            Msg::Paste(mut text) => {
                self.paste(&text);
                // It may have been a secret.
                text.zeroize();
            }
            Msg::Click(column, line) => self.click(column, line, &mut effects),
            Msg::Wheel(down) => self.wheel(down, &mut effects),
            Msg::Rested => self.dirty = self.rest() || was_dirty,
            Msg::Resize(width, height) => self.resize((width, height)),
            Msg::Snapshot(snapshot) => {
                self.hear_alerts(&snapshot);
                self.look.snapshot = Some(snapshot);
                if self.presence == Presence::Unknown {
                    self.presence = Presence::Here;
                    self.visit(&mut effects);
                }
                self.refresh();
                self.ask_once();
            }
            Msg::Answer(answer) => {
                self.answer(answer);
                self.catch_up(&mut effects);
            }
            Msg::Trouble(trouble) => self.look.trouble = trouble,
            Msg::Refresh(progress) => {
                let rounds = self.look.progress.as_ref().map_or(0, |before| before.rounds);
                // How a connection was asked last is told even where that brought nothing new.
                if progress.rounds != rounds && self.open == PaneId::Connections {
                    effects.push(Effect::Ask(Ask::Look));
                }
                self.dirty = self.refreshed(*progress) || was_dirty;
            }
            Msg::Vault(lock) => self.vault_is(lock),
            Msg::Lock => {
                let wiped = self.wipe_secrets();
                match self.look.vault {
                    Some(Lock::Unlocked) => self.lock(&mut effects),
                    _ => self.dirty = wiped || was_dirty,
                }
            }
            Msg::Lag(why) => self.look.lag = why,
            Msg::Rows(count) => self.written = Some(count),
            Msg::Errand(page, ended) => {
                self.errands = self.errands.saturating_sub(1);
                self.written = None;
                self.warned = 0;
                self.ended(page, *ended);
                // The trail tells of it even where nothing was written.
                effects.push(Effect::Ask(Ask::Look));
            }
            Msg::Listed(listed) => self.listed(&listed),
            Msg::Came(address) => self.came(address, &mut effects),
            Msg::Late(sign_in) => self.late(&sign_in),
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
        if self.open == PaneId::Connections && self.open != open {
            // What brought nothing new has told nobody, and it is read here.
            effects.push(Effect::Ask(Ask::Look));
        }
        self.ask(&mut effects);
        self.remember_table(&mut effects);
        self.keep_notice();
        if is_beneath && self.is_covered() {
            self.dirty = was_dirty;
        }
        effects
    }

    /// Remembers how the open pane is left, where that is not as it was.
    fn remember_table(&mut self, effects: &mut Vec<Effect>) {
        let taste = self.desk.pane(self.open).taste();
        if self.tastes.get(&self.open.number()) != Some(&taste) {
            self.tastes.insert(self.open.number(), taste.clone());
            effects.push(Effect::Remember(Memo::Table(self.open.name(), taste)));
        }
    }

    fn resize(&mut self, size: (u16, u16)) {
        self.size = size;
        self.refresh();
    }

    /// The room inside the frame of what lies over the pane: columns and lines.
    fn room(&self) -> (u16, u16) {
        let body = Parts::of(Rect::new(0, 0, self.size.0, self.size.1)).body;
        (body.width.saturating_sub(2), body.height.saturating_sub(2))
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
        if self.welcomes(self.open) {
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
            self.feed_form();
        } else {
            self.dirty = false;
        }
    }

    /// Takes in how the refreshing goes. Whether that can be seen.
    fn refreshed(&mut self, progress: Progress) -> bool {
        let before = live(&self.look);
        let answered = |it: &Progress| it.answer.as_ref().map(|(number, _)| *number);
        let is_new = answered(&progress) != self.look.progress.as_ref().and_then(answered);
        let said = progress.answer.as_ref().filter(|_| is_new).map(|(_, how)| match how {
            Ok(summary) => brought(summary),
            Err(why) => format!("not refreshed: {why}"),
        });
        let is_said = said.is_some();
        self.notice = said.or_else(|| self.notice.take());
        self.look.progress = Some(progress);
        is_said || live(&self.look) != before
    }

    /// Asks what the seen panes would like to know, once, and forgets what nobody looks at.
    fn ask(&mut self, effects: &mut Vec<Effect>) {
        let places = self.places();
        self.desk.follow(&places, self.open, &self.look);
        let mut wanted = self.desk.questions(&places, self.open, &self.look);
        wanted.extend(self.form_questions());
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

    /// There is nothing to show.
    fn is_empty(&self) -> bool {
        self.look.snapshot.as_ref().is_some_and(|snapshot| snapshot.is_empty())
    }

    /// There is nothing to show in this pane, so that what can be done about it is shown there.
    fn welcomes(&self, id: PaneId) -> bool {
        self.is_empty() && !id.stands_alone()
    }

    fn pane(&self, id: PaneId) -> &dyn Pane {
        match self.welcomes(id) {
            true => &self.welcome,
            false => self.desk.pane(id),
        }
    }

    fn pane_and_look(&mut self, id: PaneId) -> (&mut dyn Pane, &Look) {
        let pane: &mut dyn Pane = match self.welcomes(id) {
            true => &mut self.welcome,
            false => self.desk.pane_mut(id),
        };
        (pane, &self.look)
    }
}
