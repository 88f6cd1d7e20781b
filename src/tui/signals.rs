//! What the system tells a dashboard: signals, and that its terminal is gone.

use std::io;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::tasks::{self, Task};

/// What came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caught {
    /// The end, for the sake of this signal.
    Ended(u8),
    /// To stand still until the shell calls.
    Stopped,
    /// The shell called.
    Continued,
}

/// Hears them. From its making on, none of these signals ends or stops the program by itself.
pub struct Signals {
    hangup: Signal,
    interrupt: Signal,
    quit: Signal,
    terminate: Signal,
    stop: Signal,
    go_on: Signal,
    terminal_gone: oneshot::Receiver<()>,
}

impl Signals {
    /// # Errors
    /// When the system does not allow it.
    pub fn listen() -> io::Result<Self> {
        let of = |number: Number| signal(SignalKind::from_raw(number.as_raw()));
        Ok(Self {
            hangup: of(Number::HUP)?,
            interrupt: of(Number::INT)?,
            quit: of(Number::QUIT)?,
            terminate: of(Number::TERM)?,
            stop: of(Number::TSTP)?,
            go_on: of(Number::CONT)?,
            terminal_gone: watch_terminal()?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Caught {
        tokio::select! {
            biased;
            _ = &mut self.terminal_gone => Caught::Ended(1),
            _ = self.hangup.recv() => Caught::Ended(1),
            _ = self.interrupt.recv() => Caught::Ended(2),
            _ = self.quit.recv() => Caught::Ended(3),
            _ = self.terminate.recv() => Caught::Ended(15),
            _ = self.stop.recv() => Caught::Stopped,
            _ = self.go_on.recv() => Caught::Continued,
        }
    }
}

/// Tells when nobody is at the other end any more, which not everybody is sent a signal for. Who
/// reads events would spin on such a terminal without a word. The thread sleeps until then; it
/// ends with the program.
fn watch_terminal() -> io::Result<oneshot::Receiver<()>> {
    let (tell, gone) = oneshot::channel();
    tasks::thread(Task::HangUp, move || {
        let stdin = io::stdin();
        // A hang-up is told without being asked for.
        let mut ends = [PollFd::new(&stdin, PollFlags::empty())];
        while poll(&mut ends, None) == Err(Errno::INTR) {}
        let _ = tell.send(());
    })?;
    Ok(gone)
}
