//! The loop: what comes from the terminal, the state and the system goes to the app; what the app
//! wants goes out; a frame is drawn when something changed.

use std::io;
use std::time::Duration;

use crossterm::event::Event;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::app::{App, Effect, Msg, Options};
use super::events;
use super::screen::{Screen, ScreenError};
use crate::service::Session;
use crate::state::State;

/// The most that is taken in before a frame is drawn.
const MOST_AT_ONCE: usize = 512;
/// How often it is looked whether the terminal is still there.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// How the dashboard ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A person wanted it.
    Quit,
    /// A signal of this number came, or the terminal went.
    Signal(u8),
}

/// Shows a store until somebody quits.
///
/// # Errors
/// When the terminal cannot be used.
pub async fn run(session: &Session, options: Options, mouse: bool) -> Result<Ended, ScreenError> {
    let mut signals = Signals::listen()?;
    let mut screen = Screen::enter(mouse)?;
    let view = options.view;
    let mut app = App::new(options, crossterm::terminal::size()?);
    // The first frame comes before anything is read.
    draw(&mut screen, &mut app)?;
    let mut state = session.watch(view);
    let mut input = listen()?;
    let ended = turn(&mut screen, &mut app, &mut state, &mut input, &mut signals).await;
    // The terminal first: whoever quits must not wait.
    drop(screen);
    state.stop().await;
    // A terminal that went is not an error of ours.
    Ok(ended.unwrap_or(Ended::Signal(1)))
}

async fn turn(
    screen: &mut Screen,
    app: &mut App,
    state: &mut State,
    input: &mut mpsc::Receiver<io::Result<Event>>,
    signals: &mut Signals,
) -> io::Result<Ended> {
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        let mut effects = Vec::new();
        tokio::select! {
            biased;
            number = signals.next() => match number {
                Caught::Ended(number) => return Ok(Ended::Signal(number)),
                Caught::Continued => screen.resume()?,
            },
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
            Ok(()) = state.troubles.changed() => {
                let trouble = state.troubles.borrow_and_update().clone();
                effects.extend(app.update(Msg::Trouble(trouble)));
            }
            _ = look.tick() => if !terminal_is_there() {
                return Ok(Ended::Signal(1));
            },
        }
        for effect in effects {
            match effect {
                Effect::Ask(ask) => state.ask(ask),
                Effect::Copy(text) => screen.copy(&text)?,
                Effect::Redraw => screen.forget()?,
                Effect::Suspend => {
                    screen.pause()?;
                    // The signal stops us here; `fg` goes on behind it.
                    rustix::process::kill_process(
                        rustix::process::getpid(),
                        rustix::process::Signal::STOP,
                    )?;
                    screen.resume()?;
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
            number = signals.next() => match number {
                Caught::Ended(number) => return Ok(Ended::Signal(number)),
                Caught::Continued => screen.resume()?,
            },
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

/// Whether somebody is at the other end. A terminal that hung up says so for ever.
fn terminal_is_there() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdin = io::stdin();
    let mut ends = [PollFd::new(&stdin, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    match poll(&mut ends, Some(&at_once)) {
        Ok(_) => ends.iter().all(|end| {
            !end.revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
        }),
        Err(_) => true,
    }
}

/// Signals that mean something to a dashboard.
struct Signals {
    ends: [(Signal, u8); 4],
    continued: Signal,
}

enum Caught {
    Ended(u8),
    Continued,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            ends: [
                (signal(SignalKind::hangup())?, 1),
                (signal(SignalKind::interrupt())?, 2),
                (signal(SignalKind::quit())?, 3),
                (signal(SignalKind::terminate())?, 15),
            ],
            continued: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    async fn next(&mut self) -> Caught {
        let [(hangup, one), (interrupt, two), (quit, three), (terminate, fifteen)] = &mut self.ends;
        tokio::select! {
            _ = hangup.recv() => Caught::Ended(*one),
            _ = interrupt.recv() => Caught::Ended(*two),
            _ = quit.recv() => Caught::Ended(*three),
            _ = terminate.recv() => Caught::Ended(*fifteen),
            _ = self.continued.recv() => Caught::Continued,
        }
    }
}
