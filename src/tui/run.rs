//! The loop: what comes from the terminal, the state and the system goes to the app; what the app
//! wants goes out; a frame is drawn when something changed.

use std::io;

use crossterm::event::Event;
use rustix::process::{Signal, getpgid, getpgrp, getpid, getsid};
use rustix::process::{kill_current_process_group, kill_process};
use tokio::sync::mpsc;

use super::app::{App, Effect, Msg, Options};
use super::errand::Errands;
use super::events;
use super::memory::Memory;
use super::screen::{Screen, ScreenError};
use super::signals::{Caught, Signals};
use crate::service::Session;
use crate::state::State;

/// The most that is taken in before a frame is drawn.
const MOST_AT_ONCE: usize = 512;

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

/// Shows a store until somebody quits.
///
/// # Errors
/// When the terminal cannot be used.
pub async fn run(
    session: &Session,
    mut options: Options,
    mouse: bool,
    keyboard: &mut Keyboard,
) -> Result<Ended, ScreenError> {
    let mut signals = Signals::listen()?;
    let mut screen = Screen::enter(mouse)?;
    let view = options.view;
    let memory = Memory::open(options.memory.take());
    let mut app = App::new(options, crossterm::terminal::size()?);
    // The first frame comes before anything is read.
    draw(&mut screen, &mut app)?;
    let mut state = session.watch(view);
    let input = keyboard.listen()?;
    let mut tasks = Tasks { memory, errands: Errands::new(session) };
    let ended = turn(&mut screen, &mut app, &mut state, input, &mut signals, &mut tasks).await;
    // The terminal first: whoever quits must not wait.
    drop(screen);
    state.stop().await;
    tasks.memory.close().await;
    // A terminal that went is not an error of ours.
    Ok(ended.unwrap_or(Ended::Signal(1)))
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

/// What is done beside the loop.
struct Tasks {
    memory: Memory,
    errands: Errands,
}

async fn turn(
    screen: &mut Screen,
    app: &mut App,
    state: &mut State,
    input: &mut mpsc::Receiver<io::Result<Event>>,
    signals: &mut Signals,
    Tasks { memory, errands }: &mut Tasks,
) -> io::Result<Ended> {
    loop {
        let mut effects = Vec::new();
        tokio::select! {
            biased;
            caught = signals.next() => {
                if let Some(ended) = heed(caught, screen, app, &mut effects)? {
                    return Ok(ended);
                }
            }
            event = input.recv() => {
                let Some(event) = event else { return Ok(Ended::Signal(1)) };
                take(app, event?, &mut effects);
                // Whatever waits already is part of the same frame.
                for _ in 0..MOST_AT_ONCE {
                    let Ok(event) = input.try_recv() else { break };
                    take(app, event?, &mut effects);
                }
            }
            changed = state.snapshots.changed() => {
                let newest = state.snapshots.borrow_and_update().clone();
                match (changed, newest) {
                    (Ok(()), Some(snapshot)) => effects.extend(app.update(Msg::Snapshot(snapshot))),
                    (Ok(()), None) => {}
                    (Err(_), _) => return stopped(app, screen, input, signals).await,
                }
            }
            Some(answer) = state.answers.recv() => effects.extend(app.update(Msg::Answer(answer))),
            Some(said) = errands.next() => effects.extend(app.update(Msg::Notice(said))),
            Ok(()) = state.troubles.changed() => {
                let trouble = state.troubles.borrow_and_update().clone();
                effects.extend(app.update(Msg::Trouble(trouble)));
            }
        }
        for effect in effects {
            match effect {
                Effect::Ask(ask) => state.ask(ask),
                Effect::Copy(text) => screen.copy(&text)?,
                Effect::Remember(memo) => memory.keep(memo),
                Effect::Begin(errand, figures) => errands.begin(errand, figures),
                Effect::Demo => return Ok(Ended::Demo),
                Effect::Redraw => screen.forget()?,
                Effect::Suspend if has_shell() => {
                    // All of the job, as the terminal itself would; we hear it too.
                    kill_current_process_group(Signal::TSTP)?;
                }
                Effect::Suspend => {
                    let _ = app.update(Msg::Notice("there is no shell to go to".to_owned()));
                }
                Effect::Quit => return Ok(Ended::Quit),
            }
        }
        draw(screen, app)?;
    }
}

/// Takes what the terminal sends, so that the loop can see what waits. A key that is held while
/// nothing is drawn fills the channel and waits in the terminal then.
///
/// A thread of its own, which ends with the program: reading from a terminal that is gone spins for
/// ever, and on a thread of the runtime it would hold up whatever is to be closed before the end.
fn listen() -> io::Result<mpsc::Receiver<io::Result<Event>>> {
    let (send, events) = mpsc::channel(MOST_AT_ONCE);
    std::thread::Builder::new().name("keys".to_owned()).spawn(move || {
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

/// Nobody reads the store any more: what is shown stays, and one can quit.
async fn stopped(
    app: &mut App,
    screen: &mut Screen,
    input: &mut mpsc::Receiver<io::Result<Event>>,
    signals: &mut Signals,
) -> io::Result<Ended> {
    let text = "reading the store has stopped unexpectedly: quit with q and start again";
    app.update(Msg::Trouble(Some(crate::state::Trouble(text.to_owned()))));
    loop {
        draw(screen, app)?;
        tokio::select! {
            biased;
            caught = signals.next() => {
                if let Some(ended) = heed(caught, screen, app, &mut Vec::new())? {
                    return Ok(ended);
                }
            }
            event = input.recv() => {
                let Some(event) = event else { return Ok(Ended::Signal(1)) };
                let mut effects = Vec::new();
                take(app, event?, &mut effects);
                if effects.iter().any(|effect| matches!(effect, Effect::Quit)) {
                    return Ok(Ended::Quit);
                }
            }
        }
    }
}

/// What a signal means; some: the end.
fn heed(
    caught: Caught,
    screen: &mut Screen,
    app: &mut App,
    effects: &mut Vec<Effect>,
) -> io::Result<Option<Ended>> {
    match caught {
        Caught::Ended(number) => return Ok(Some(Ended::Signal(number))),
        Caught::Stopped if !has_shell() => return Ok(None),
        Caught::Stopped => {
            screen.pause()?;
            // We stand still here; `fg` goes on behind it.
            kill_process(getpid(), Signal::STOP)?;
        }
        Caught::Continued => {}
    }
    screen.resume()?;
    // Nobody told us of a new size while we stood still.
    let (width, height) = crossterm::terminal::size()?;
    effects.extend(app.update(Msg::Resize(width, height)));
    Ok(None)
}

/// Whether there is a shell that could wake us: not where we are in the group of whoever leads the
/// session, as in a window that was opened for us alone.
fn has_shell() -> bool {
    let leaders = getsid(None).and_then(|leader| getpgid(Some(leader)));
    leaders.is_ok_and(|group| group != getpgrp())
}

fn take(app: &mut App, event: Event, effects: &mut Vec<Effect>) {
    if let Some(msg) = events::message(event) {
        effects.extend(app.update(msg));
    }
}

fn draw(screen: &mut Screen, app: &mut App) -> io::Result<()> {
    if !app.take_dirty() {
        return Ok(());
    }
    screen.draw(|frame| app.draw(frame.area(), frame.buffer_mut()))
}
