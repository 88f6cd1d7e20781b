//! The loop: what comes from the terminal, the state and the system goes to the app; what the app
//! wants goes out; a frame is drawn when something changed.

use std::collections::BTreeSet;
use std::future::pending;
use std::io;
use std::time::Duration;

use crossterm::event::Event;
use rustix::process::{Signal, getpgid, getpgrp, getpid, getsid};
use rustix::process::{kill_current_process_group, kill_process};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, sleep_until};

use super::app::{App, Effect, Msg, Options};
use super::errand::{self, Done, Errand, Errands, Heard};
use super::events;
use super::folders::Folders;
use super::memory::Memory;
use super::screen::Screen;
use super::signals::{Caught, Signals};
use super::sizes::Sizes;
use crate::fault;
use crate::service::days::{self, Filler};
use crate::service::held::{self, Lock};
use crate::service::refresh::{self, How, Progress, Refresher};
use crate::service::{self, Opened};
use crate::state::{Ask, State};
use crate::tasks::{self, Task};

/// The most that is taken in before a frame is drawn.
const MOST_AT_ONCE: usize = 512;

/// How long after a key the cursor counts as resting: longer than a key that is held down takes to
/// come again, shorter than one waits for.
const REST: Duration = Duration::from_millis(130);
/// How long a store that is just being opened may go on before it is given up.
const OPENING: Duration = Duration::from_millis(500);
/// How long the end may take once the terminal is given back.
const GRACE: Duration = Duration::from_secs(2);

/// How the dashboard ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A person wanted it.
    Quit,
    /// A signal of this number came, or the terminal went.
    Signal(u8),
    /// A person wants to look at the demo.
    Demo,
}

/// Why there is no dashboard, or none any more.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The terminal.
    #[error("the terminal cannot be used")]
    Terminal(#[from] io::Error),
    /// What was to be shown.
    #[error(transparent)]
    Opening(service::Error),
    /// Opening it panicked; a report of it is written.
    #[error("opening the store failed unexpectedly")]
    Panicked,
}

/// The store, what refreshes it, and how the vault is.
type Ready = (Opened, Option<Refresher>, Option<Lock>);
type Opening = JoinHandle<Result<Ready, service::Error>>;

/// Shows a store until somebody quits. It is opened by `work` while the screen is there already and
/// says what is waited for. Nothing is refreshed where nobody says how.
///
/// # Errors
/// When the terminal cannot be used or the store cannot be opened.
pub async fn run(
    what: &'static str,
    work: impl Future<Output = Result<Opened, service::Error>> + Send + 'static,
    how: Option<How>,
    mut options: Options,
    mouse: bool,
    keyboard: &mut Keyboard,
) -> Result<Ended, Error> {
    let signals = Signals::listen()?;
    let state = State::new(options.view);
    let mut screen = Screen::enter(mouse)?;
    let memory = Memory::open(options.memory.take());
    let (cover, lock) = (options.cover, options.lock);
    let mut app = App::new(options, crossterm::terminal::size()?);
    app.update(Msg::Opening(Some(what)));
    // The first frame comes before anything is opened or read.
    app.take_dirty();
    screen.draw(|frame| app.draw(frame.area(), frame.buffer_mut()))?;
    let input = keyboard.listen()?;
    let mine = how.clone();
    let opening = async move { Ok(with_refresher(work.await?, mine).await) };
    let mut dashboard = Dashboard {
        screen,
        app,
        dirty: false,
        rests: None,
        cover,
        covers: cover.map(|wait| Instant::now() + wait),
        lock,
        locks: lock.map(|wait| Instant::now() + wait),
        state,
        input,
        signals,
        opening: Some(tasks::spawn(Task::Opening, opening)),
        opened: None,
        refresher: None,
        filler: None,
        room: None,
        how,
        memory,
        errands: Errands::default(),
        folders: Folders::default(),
        sizes: Sizes::default(),
    };
    let ended = dashboard.turn().await;
    dashboard.close().await;
    match ended {
        // A terminal that went is not an error of ours.
        Err(Error::Terminal(_)) => Ok(Ended::Signal(1)),
        ended => ended,
    }
}

/// What the terminal sends. Whoever listened goes on listening: of two, each would have some keys.
#[derive(Debug, Default)]
pub struct Keyboard {
    events: Option<mpsc::Receiver<io::Result<Event>>>,
}

impl Keyboard {
    fn listen(&mut self) -> io::Result<&mut mpsc::Receiver<io::Result<Event>>> {
        let events = match self.events.take() {
            Some(events) => events,
            None => listen()?,
        };
        Ok(self.events.insert(events))
    }
}

/// The app, and all that it lives among.
struct Dashboard<'a> {
    screen: Screen,
    app: App,
    /// The screen is not what the app says.
    dirty: bool,
    /// When the cursor, on its way now, will have come to rest.
    rests: Option<Instant>,
    /// How long after the last key the screen is covered, and when that will be.
    cover: Option<Duration>,
    covers: Option<Instant>,
    /// How long after it the vault is locked, and when that will be.
    lock: Option<Duration>,
    locks: Option<Instant>,
    state: State,
    input: &'a mut mpsc::Receiver<io::Result<Event>>,
    signals: Signals,
    opening: Option<Opening>,
    opened: Option<Opened>,
    refresher: Option<Refresher>,
    /// None: nothing may be written.
    filler: Option<Filler>,
    /// Waits until a disk takes writes again; none: it does, or the store is opened once it does.
    room: Option<JoinHandle<()>>,
    how: Option<How>,
    memory: Memory,
    errands: Errands,
    folders: Folders,
    sizes: Sizes,
}

impl Dashboard<'_> {
    async fn turn(&mut self) -> Result<Ended, Error> {
        loop {
            let mut effects = Vec::new();
            tokio::select! {
                biased;
                caught = self.signals.next() => {
                    if let Some(ended) = self.heed(caught, &mut effects)? {
                        return Ok(ended);
                    }
                }
                event = self.input.recv() => {
                    let Some(event) = event else { return Ok(Ended::Signal(1)) };
                    self.take(event?, &mut effects);
                    // Whatever waits already is part of the same frame.
                    for _ in 0..MOST_AT_ONCE {
                        let Ok(event) = self.input.try_recv() else { break };
                        self.take(event?, &mut effects);
                    }
                    self.rests = self.app.is_moving().then(|| Instant::now() + REST);
                    self.covers = self.cover.map(|wait| Instant::now() + wait);
                    self.locks = self.lock.map(|wait| Instant::now() + wait);
                }
                () = at(self.rests) => {
                    self.rests = None;
                    effects.extend(self.app.update(Msg::Rested));
                }
                () = at(self.covers) => {
                    self.covers = None;
                    effects.extend(self.app.update(Msg::Cover));
                }
                () = at(self.locks) => {
                    self.locks = None;
                    effects.extend(self.app.update(Msg::Lock));
                }
                opened = finished(self.opening.as_mut()) => {
                    self.opening = None;
                    let opened = opened.map_err(|_| Error::Panicked)?;
                    self.go_on_with(opened.map_err(Error::Opening)?, &mut effects);
                }
                Ok(()) = self.state.snapshots.changed() => {
                    let newest = self.state.snapshots.borrow_and_update().clone();
                    if let Some(snapshot) = newest {
                        // Somebody wrote, or another day has come.
                        self.filler.iter().for_each(Filler::ask);
                        effects.extend(self.app.update(Msg::Snapshot(snapshot)));
                    }
                }
                Some(answer) = self.state.answers.recv() => {
                    effects.extend(self.app.update(Msg::Answer(answer)));
                }
                Ok(()) = self.state.troubles.changed() => {
                    let trouble = self.state.troubles.borrow_and_update().clone();
                    effects.extend(self.app.update(Msg::Trouble(trouble)));
                }
                Some(text) = self.state.notices.recv() => {
                    effects.extend(self.app.update(Msg::Notice(text.to_owned())));
                }
                Some(heard) = self.errands.next() => self.hear(heard, &mut effects),
                () = done(self.room.as_mut()) => {
                    self.room = None;
                    effects.extend(self.app.update(Msg::Blocked(None)));
                    // Whatever else had to wait for it.
                    self.filler.iter().for_each(Filler::ask);
                    if let Some(refresher) = &self.refresher {
                        refresher.ask();
                    }
                }
                Some(listed) = self.folders.next() => {
                    effects.extend(self.app.update(Msg::Listed(Box::new(listed))));
                }
                size = self.sizes.next() => {
                    let resize = size.map(|(width, height)| Msg::Resize(width, height));
                    effects.extend(resize.into_iter().flat_map(|resize| self.app.update(resize)));
                }
                progress = next_progress(&mut self.refresher) => {
                    effects.extend(self.app.update(Msg::Refresh(Box::new(progress))));
                }
                why = next_lag(&mut self.filler) => {
                    effects.extend(self.app.update(Msg::Lag(why)));
                }
                () = self.screen.idle(), if self.dirty => {}
            }
            for effect in newest(effects) {
                if let Some(ended) = self.bring_about(effect)? {
                    return Ok(ended);
                }
            }
            self.draw()?;
        }
    }

    /// What an errand says.
    fn hear(&mut self, heard: Heard, effects: &mut Vec<Effect>) {
        match heard {
            Heard::Rows(count) => effects.extend(self.app.update(Msg::Rows(count))),
            Heard::Says(text) => effects.extend(self.app.update(Msg::Notice(text))),
            Heard::Vault(lock) => self.vault_is(lock, effects),
            Heard::Came(address) => effects.extend(self.app.update(Msg::Came(address))),
            Heard::Late(sign_in) => effects.extend(self.app.update(Msg::Late(sign_in))),
            Heard::Ended(page, lock, ended) => {
                if let Some(lock) = lock {
                    self.vault_is(lock, effects);
                }
                if let Ok(Done::Connected(..) | Done::Paused(_, false)) = &ended {
                    self.let_look();
                }
                let blocked = errand::failure(&ended).and_then(blocked);
                effects.extend(self.app.update(Msg::Errand(page, Box::new(ended))));
                if let Some(why) = blocked {
                    self.wait_for_room(why, effects);
                }
            }
        }
    }

    fn vault_is(&mut self, lock: Lock, effects: &mut Vec<Effect>) {
        if matches!(lock, Lock::Open | Lock::Unlocked) {
            self.let_look();
        }
        if lock == Lock::Unlocked {
            // However long it took: the last key may be further back than that.
            self.locks = self.lock.map(|wait| Instant::now() + wait);
        }
        effects.extend(self.app.update(Msg::Vault(lock)));
    }

    /// Something may be due that was not.
    fn let_look(&self) {
        self.refresher.iter().for_each(Refresher::look);
    }

    /// Whoever asks for something new is heard, or told that nobody hears.
    fn fetch(&mut self, ask: impl Fn(&Refresher) -> bool) {
        if !self.refresher.as_ref().is_some_and(ask) {
            let said = "not refreshed: nothing is fetched here just now";
            let _ = self.app.update(Msg::Notice(said.to_owned()));
        }
    }

    /// The store is there: for the first time, or again after it could not be written. As long as it
    /// cannot be, it is tried.
    fn go_on_with(&mut self, ready: Ready, effects: &mut Vec<Effect>) {
        let (mut opened, refresher, lock) = ready;
        opened.session.begin(&mut self.state);
        let was_blocked = self.opened.is_some();
        effects.extend(self.app.update(Msg::Opening(None)));
        if let Some(blocked) = opened.blocked.take() {
            let why = (blocked.word, blocked.why.clone());
            effects.extend(self.app.update(Msg::Blocked(Some(why))));
            let how = self.how.clone();
            let again =
                async move { Ok(with_refresher(blocked.until_writable().await, how).await) };
            self.opening = Some(tasks::spawn(Task::Opening, again));
        } else if was_blocked {
            effects.extend(self.app.update(Msg::Blocked(None)));
        }
        let lock = lock.into_iter().flat_map(|lock| self.app.update(Msg::Vault(lock)));
        effects.extend(lock);
        self.filler = days::start(&opened.session);
        if let Some(refresher) = &refresher {
            // Whoever asks from now on is heard, whether it has begun or not.
            let progress = refresher.progress.borrow().clone();
            effects.extend(self.app.update(Msg::Refresh(Box::new(progress))));
        }
        (self.opened, self.refresher) = (Some(opened), refresher);
    }

    /// Nothing is written until a disk has room again, and the person is told so.
    fn wait_for_room(&mut self, why: (&'static str, String), effects: &mut Vec<Effect>) {
        if let (Some(opened), None) = (&self.opened, &self.room) {
            let session = opened.session.clone();
            self.room = Some(tasks::spawn(Task::Room, async move {
                session.until_writable().await;
            }));
            effects.extend(self.app.update(Msg::Blocked(Some(why))));
        }
    }

    /// Does what the app wants; some: the end.
    fn bring_about(&mut self, effect: Effect) -> io::Result<Option<Ended>> {
        match effect {
            Effect::Ask(ask) => self.state.ask(ask),
            Effect::Refresh => self.fetch(Refresher::ask),
            Effect::RefreshOne(connection) => {
                self.fetch(|refresher| refresher.ask_one(connection));
            }
            Effect::Copy(text) => self.screen.copy(&text)?,
            Effect::Remember(memo) => self.memory.keep(memo),
            Effect::Begin(errand) => self.begin(None, errand),
            Effect::Send(page, errand) => self.begin(Some(page), errand),
            Effect::Lock => self.let_go(),
            Effect::LookAtVault => {
                if let (Some(opened), Some(how)) = (&self.opened, &self.how) {
                    self.errands.look_at_vault(&opened.session, how);
                }
            }
            Effect::List(query) => self.folders.begin(query),
            Effect::Demo => return Ok(Some(Ended::Demo)),
            Effect::Redraw => self.screen.forget()?,
            Effect::Suspend if has_shell() => {
                // All of the job, as the terminal itself would; we hear it too.
                kill_current_process_group(Signal::TSTP)?;
            }
            Effect::Suspend => {
                let _ = self.app.update(Msg::Notice("there is no shell to go to".to_owned()));
            }
            Effect::Quit => return Ok(Some(Ended::Quit)),
        }
        Ok(None)
    }

    fn begin(&self, page: Option<u64>, errand: Errand) {
        if let (Some(opened), Some(how)) = (&self.opened, &self.how) {
            self.errands.begin(&opened.session, how, page, errand);
        }
    }

    /// Lets go of the key that a person gave.
    fn let_go(&self) {
        self.how.iter().for_each(|how| how.held.let_go());
    }

    /// What a signal means; some: the end.
    fn heed(&mut self, caught: Caught, effects: &mut Vec<Effect>) -> io::Result<Option<Ended>> {
        match caught {
            Caught::Ended(number) => return Ok(Some(Ended::Signal(number))),
            Caught::Stopped if !has_shell() => return Ok(None),
            Caught::Stopped => {
                // Who has the machine meanwhile finds no key. The trail tells of it once we go on.
                self.let_go();
                effects.extend(self.app.update(Msg::Lock));
                self.screen.pause()?;
                // We stand still here; `fg` goes on behind it.
                kill_process(getpid(), Signal::STOP)?;
            }
            Caught::Continued => {}
        }
        self.screen.resume()?;
        // Nobody told us of a new size while we stood still; one from before is older.
        self.sizes = Sizes::default();
        let (width, height) = crossterm::terminal::size()?;
        effects.extend(self.app.update(Msg::Resize(width, height)));
        Ok(None)
    }

    fn take(&mut self, event: Event, effects: &mut Vec<Effect>) {
        fault::point("key");
        let msg = match events::message(event) {
            Some(Msg::Resize(width, height)) => {
                let turn = self.sizes.take((width, height));
                turn.map(|(width, height)| Msg::Resize(width, height))
            }
            msg => msg,
        };
        effects.extend(msg.into_iter().flat_map(|msg| self.app.update(msg)));
    }

    /// Draws, if anything changed. A terminal that has not taken the last frame yet gets the newest
    /// one later.
    fn draw(&mut self) -> io::Result<()> {
        self.dirty |= self.app.take_dirty();
        if !self.dirty || self.screen.is_busy() {
            return Ok(());
        }
        self.dirty = false;
        let app = &self.app;
        self.screen.draw(|frame| {
            app.draw(frame.area(), frame.buffer_mut());
            fault::point("draw");
        })
    }

    /// Gives the terminal back, which must not wait for anything, then ends the rest.
    async fn close(self) {
        let Self { screen, state, opening, opened, refresher, filler, room, memory, .. } = self;
        drop(screen);
        room.iter().for_each(JoinHandle::abort);
        let end = async {
            let (opened, refresher) = match (opening, opened) {
                (Some(opening), None) => {
                    give_up(opening).await.map(|(opened, refresher, _)| (opened, refresher)).unzip()
                }
                (waiting, opened) => {
                    // Nobody waits any more for it to be written.
                    waiting.iter().for_each(JoinHandle::abort);
                    (opened, Some(refresher))
                }
            };
            if let Some(refresher) = refresher.flatten() {
                refresher.stop().await;
            }
            if let Some(filler) = filler {
                filler.stop().await;
            }
            state.stop().await;
            memory.close().await;
            if let Some(opened) = opened {
                opened.session.clone().close().await;
            }
        };
        // Whatever hangs ends with the program.
        let _ = tokio::time::timeout(GRACE, end).await;
    }
}

/// A store with what refreshes it, where it can be written. A store that cannot be read is the
/// state's to tell.
async fn with_refresher(opened: Opened, how: Option<How>) -> Ready {
    let Some(how) = how.filter(|_| opened.blocked.is_none()) else { return (opened, None, None) };
    let refresher = refresh::start(&opened.session, &how);
    let lock = match &how.config {
        Some(config) => Some(held::lock_of(&opened.session, config, &how.held).await),
        None => None,
    };
    (opened, refresher, lock)
}

/// Waits until then; for ever where that is never.
async fn at(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => pending().await,
    }
}

/// Waits until the store is open; for ever where it is.
async fn finished(
    opening: Option<&mut Opening>,
) -> Result<Result<Ready, service::Error>, JoinError> {
    match opening {
        Some(opening) => opening.await,
        None => pending().await,
    }
}

/// Ends what nobody waits for any more; something half made is better finished, if that is quick.
async fn give_up(mut opening: Opening) -> Option<Ready> {
    let ended = match tokio::time::timeout(OPENING, &mut opening).await {
        Ok(ended) => ended,
        Err(_) => {
            opening.abort();
            opening.await
        }
    };
    ended.ok()?.ok()
}

/// Without the questions that were overtaken before they were asked: while a cursor moves on, its
/// rows on the way are nobody's question.
fn newest(effects: Vec<Effect>) -> Vec<Effect> {
    let mut asked = BTreeSet::new();
    let mut kept: Vec<Effect> = effects
        .into_iter()
        .rev()
        .filter(|effect| match effect {
            Effect::Ask(Ask::Slice(slot, ..) | Ask::Drop(slot)) => asked.insert(*slot),
            _ => true,
        })
        .collect();
    kept.reverse();
    kept
}

/// Waits until the refreshing has gone on; for ever where nothing is refreshed.
async fn next_progress(refresher: &mut Option<Refresher>) -> Progress {
    if let Some(running) = refresher {
        if running.progress.changed().await.is_ok() {
            return running.progress.borrow_and_update().clone();
        }
        *refresher = None;
        let trouble = "refreshing has stopped unexpectedly: quit with q and start again";
        return Progress { trouble: Some(trouble.to_owned()), ..Progress::default() };
    }
    pending().await
}

/// Why an errand could not be done that a disk with room can do later: in a word and in full.
fn blocked(error: &service::Error) -> Option<(&'static str, String)> {
    error.why_no_writes().map(|word| (word, error.to_string()))
}

/// Waits until a task has ended; for ever where there is none.
async fn done(task: Option<&mut JoinHandle<()>>) {
    match task {
        Some(task) => drop(task.await),
        None => pending().await,
    }
}

/// Waits until what is kept cannot be brought up to date, or can be again.
async fn next_lag(filler: &mut Option<Filler>) -> Option<String> {
    if let Some(running) = filler {
        if running.trouble.changed().await.is_ok() {
            return running.trouble.borrow_and_update().clone();
        }
        *filler = None;
    }
    pending().await
}

/// Takes what the terminal sends, so that the loop can see what waits. A key that is held while
/// nothing is drawn fills the channel and waits in the terminal then.
///
/// A thread of its own, which ends with the program: reading from a terminal that is gone spins for
/// ever, and on a thread of the runtime it would hold up whatever is to be closed before the end.
fn listen() -> io::Result<mpsc::Receiver<io::Result<Event>>> {
    let (send, events) = mpsc::channel(MOST_AT_ONCE);
    tasks::thread(Task::Keys, move || {
        loop {
            let event = crossterm::event::read();
            let gone = event.is_err();
            if send.blocking_send(event).is_err() || gone {
                break;
            }
        }
    })?;
    Ok(events)
}

/// Whether there is a shell that could wake us: not where we are in the group of whoever leads the
/// session, as in a window that was opened for us alone.
fn has_shell() -> bool {
    let leaders = getsid(None).and_then(|leader| getpgid(Some(leader)));
    leaders.is_ok_and(|group| group != getpgrp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TransactionId;
    use crate::state::{Question, Slot};

    #[test]
    fn of_each_slot_only_the_newest_question_is_asked() {
        let row = |number, id| {
            let question = Box::new(Question::Row(TransactionId(id)));
            Effect::Ask(Ask::Slice(Slot::Row, number, question))
        };
        let effects = vec![
            row(1, 10),
            Effect::Redraw,
            row(2, 11),
            Effect::Ask(Ask::Drop(Slot::Lots)),
            row(3, 12),
        ];
        let kept = newest(effects);
        assert!(matches!(
            kept.as_slice(),
            [
                Effect::Redraw,
                Effect::Ask(Ask::Drop(Slot::Lots)),
                Effect::Ask(Ask::Slice(Slot::Row, 3, _))
            ]
        ));
    }
}
