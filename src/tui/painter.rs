//! Writes to the terminal on a thread of its own, so that a terminal that stands still (a stalled
//! line, a stopped window) holds up nothing but what is shown.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossterm::execute;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{Action, QueueSelector, tcflow, tcflush};
use tokio::sync::Notify;

use crate::tasks::{self, Task};

/// How long one waits for a terminal before what it has not taken is thrown away.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long it takes the writer to go on.
const WAKE: Duration = Duration::from_millis(20);
/// How long one goes on throwing away.
const AT_MOST: Duration = Duration::from_secs(2);

/// Collects what is to be written; what is flushed is written in one go. All clones write to the
/// same terminal.
#[derive(Clone)]
pub struct Painter {
    collected: Vec<u8>,
    easel: Arc<Easel>,
}

/// What both threads see.
struct Easel {
    terminal: File,
    work: Mutex<Work>,
    changed: Condvar,
    idle: Notify,
    held: AtomicBool,
}

#[derive(Default)]
struct Work {
    bytes: Vec<u8>,
    /// Some of it is not written yet.
    busy: bool,
    failed: Option<io::ErrorKind>,
}

impl Painter {
    /// Begins to write to the standard output.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start() -> io::Result<Self> {
        // Not through `Stdout`: whoever ends the program must not wait for its lock.
        let terminal = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let easel = Arc::new(Easel {
            terminal,
            work: Mutex::default(),
            changed: Condvar::new(),
            idle: Notify::new(),
            held: AtomicBool::new(false),
        });
        let painted = Arc::clone(&easel);
        tasks::thread(Task::Painter, move || painted.paint())?;
        Ok(Self { collected: Vec::new(), easel })
    }

    /// While a frame is drawn it is kept together, however often it is flushed.
    pub fn hold(&self, hold: bool) {
        self.easel.held.store(hold, Ordering::SeqCst);
    }

    /// Whether the terminal has not taken everything yet.
    pub fn is_busy(&self) -> bool {
        self.easel.work().busy
    }

    /// Waits until it has, or is gone.
    pub async fn idle(&self) {
        while self.is_busy() {
            self.easel.idle.notified().await;
        }
    }

    /// Writes these last words and waits for the terminal to take them. What it does not take in
    /// time before them is thrown away, so that they are there when it goes on. Then all is held.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn finish(&mut self, last: impl crossterm::Command) -> io::Result<()> {
        let deadline = Instant::now() + AT_MOST;
        self.hold(false);
        self.collected.clear();
        if !self.easel.wait(PATIENCE) {
            while !self.easel.wait(WAKE) && Instant::now() < deadline {
                self.easel.throw_away()?;
            }
            self.easel.throw_away()?;
        }
        execute!(self, last)?;
        self.easel.wait(PATIENCE);
        // What was half drawn must not follow.
        self.hold(true);
        Ok(())
    }
}

impl Write for Painter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.collected.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.easel.held.load(Ordering::SeqCst) || self.collected.is_empty() {
            return Ok(());
        }
        let mut work = self.easel.work();
        if let Some(kind) = work.failed {
            return Err(kind.into());
        }
        work.bytes.append(&mut self.collected);
        work.busy = true;
        self.easel.changed.notify_all();
        Ok(())
    }
}

impl Easel {
    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Throws away what the terminal has not taken. The system does not tell the writer that there
    /// is room again, but it does so when output is turned on.
    fn throw_away(&self) -> io::Result<()> {
        tcflush(&self.terminal, QueueSelector::OFlush)?;
        tcflow(&self.terminal, Action::OOff)?;
        Ok(tcflow(&self.terminal, Action::OOn)?)
    }

    /// Waits until everything is written. False: it is not.
    fn wait(&self, within: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.work(), within, |work| work.busy);
        let (work, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !work.busy
    }

    /// Writes whatever comes, until the terminal is gone.
    fn paint(&self) {
        let mut bytes = Vec::new();
        loop {
            let mut work = self.work();
            while work.bytes.is_empty() {
                work.busy = false;
                self.changed.notify_all();
                self.idle.notify_one();
                let waited = self.changed.wait(work);
                work = waited.unwrap_or_else(PoisonError::into_inner);
            }
            std::mem::swap(&mut bytes, &mut work.bytes);
            drop(work);
            if let Err(error) = self.write(&bytes) {
                let mut work = self.work();
                work.failed = Some(error.kind());
                work.busy = false;
                self.changed.notify_all();
                self.idle.notify_one();
                return;
            }
            bytes.clear();
        }
    }

    fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match (&self.terminal).write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Somebody who shares the terminal wanted it like that.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let _ = poll(&mut [PollFd::new(&self.terminal, PollFlags::OUT)], None);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
