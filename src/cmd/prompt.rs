//! Asking for a passphrase or a token on a terminal. What is typed is not shown, and the terminal is left as it
//! was, also where somebody thinks better of it or a signal ends the program.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::Signal as Number;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroize as _;

use super::exit::{Error, SIGNAL};
use crate::model::Secret;
use crate::tasks::{self, Task};

const INTERRUPT: u8 = 3;
const END: u8 = 4;
const BACKSPACES: [u8; 2] = [8, 127];
const CLEAR: u8 = 21;
/// What is said of a line that is too long, and nothing of it taken.
const TOO_LONG: &str = "that is too long to be one; nothing of it was used";
/// How Ctrl-c ends a program.
const SIGINT: u8 = 2;
/// How often it is asked whether a signal came.
const AGAIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// What is pasted comes at once.
const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// What a line may be.
#[derive(Clone, Copy)]
struct Shape {
    /// The most bytes.
    longest: usize,
    /// A line break that more follows at once is a part of what was copied, and no end.
    may_break: bool,
}

const PASSPHRASE: Shape = Shape { longest: 1024, may_break: false };
const TOKEN: Shape = Shape { longest: 16 << 10, may_break: true };

/// Whether a terminal shows nothing now.
static ASKING: AtomicBool = AtomicBool::new(false);
/// The signal that came meanwhile; 0: none.
static CAME: AtomicU8 = AtomicU8::new(0);

/// Whether somebody is there to be asked.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a passphrase.
pub fn passphrase(question: &str) -> Result<Secret, Error> {
    ask(question, PASSPHRASE)
}

/// Asks for what a service gave, which is pasted.
pub fn token(question: &str) -> Result<Secret, Error> {
    ask(question, TOKEN)
}

/// The same where it may also come by itself, or come to an end.
pub fn token_or(
    question: &str,
    came: &dyn Fn() -> Option<Result<Secret, Error>>,
) -> Result<Secret, Error> {
    ask_or(question, TOKEN, came)
}

/// Waits until there is something on the standard input, or its end; tells whether there is in time.
pub fn comes_within(patience: Duration) -> bool {
    let patience = Timespec::try_from(patience).ok();
    let stdin = io::stdin();
    loop {
        match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], patience.as_ref()) {
            Err(Errno::INTR) => {}
            // What is wrong with it is said when it is read.
            ready => return ready != Ok(0),
        }
    }
}

fn ask(question: &str, shape: Shape) -> Result<Secret, Error> {
    ask_or(question, shape, &|| None)
}

fn ask_or(
    question: &str,
    shape: Shape,
    came: &dyn Fn() -> Option<Result<Secret, Error>>,
) -> Result<Secret, Error> {
    hear_signals().map_err(Error::Output)?;
    let quiet = Quiet::begin().map_err(Error::Output)?;
    say(&format!("{question}: "));
    let typed = line(shape, came);
    drop(quiet);
    say("\n");
    match CAME.load(Ordering::SeqCst) {
        0 => typed,
        number => Err(Error::Signal(number)),
    }
}

/// Asks for a new one, twice.
pub fn new_passphrase() -> Result<Secret, Error> {
    let first = passphrase("New passphrase")?;
    let again = passphrase("The same again")?;
    match first.expose() == again.expose() {
        true => Ok(first),
        false => Err(Error::Usage("the two passphrases differ; nothing was changed")),
    }
}

fn say(text: &str) {
    let mut out = io::stderr();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Reads a line, key by key: no signal may end the program while the terminal shows nothing.
fn line(shape: Shape, came: &dyn Fn() -> Option<Result<Secret, Error>>) -> Result<Secret, Error> {
    // Large enough never to grow, which would leave a copy behind.
    let mut typed = Vec::with_capacity(shape.longest);
    let mut is_too_long = false;
    let stdin = io::stdin();
    let mut key = [0];
    let ended = loop {
        let number = CAME.load(Ordering::SeqCst);
        if number != 0 {
            break Err(Error::Signal(number));
        }
        if let Some(came) = came() {
            typed.zeroize();
            return came;
        }
        let mut ends = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut ends, Some(&AGAIN)) {
            Ok(0) | Err(Errno::INTR) => continue,
            Ok(_) => {}
            Err(error) => break Err(Error::Output(error.into())),
        }
        // A buffer of the standard library would keep a copy of it all.
        match rustix::io::read(&stdin, &mut key) {
            Ok(0) => break Err(Error::Usage("nothing was typed")),
            Ok(_) => {}
            Err(Errno::INTR | Errno::AGAIN) => continue,
            Err(error) => break Err(Error::Output(error.into())),
        }
        match key[0] {
            b'\r' | b'\n' if shape.may_break && comes_more(&stdin) => {}
            b'\r' | b'\n' if is_too_long => break Err(Error::Usage(TOO_LONG)),
            b'\r' | b'\n' => break Ok(()),
            INTERRUPT => break Err(Error::Signal(SIGINT)),
            END if typed.is_empty() => break Err(Error::Usage("nothing was typed")),
            CLEAR => {
                typed.zeroize();
                is_too_long = false;
            }
            // A letter may be several bytes.
            byte if BACKSPACES.contains(&byte) => {
                while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            // What is too long is read to its end: the rest is as secret as the beginning.
            byte if byte >= b' ' && typed.len() == shape.longest => is_too_long = true,
            byte if byte >= b' ' => typed.push(byte),
            _ => {}
        }
        key.zeroize();
    };
    let text = ended.and_then(|()| {
        String::from_utf8(std::mem::take(&mut typed)).map_err(|error| {
            error.into_bytes().zeroize();
            Error::Usage("what is typed here is text in UTF-8")
        })
    });
    typed.zeroize();
    text.map(Secret::new)
}

/// Whether more was typed than was read.
fn comes_more(stdin: &io::Stdin) -> bool {
    poll(&mut [PollFd::new(stdin, PollFlags::IN)], Some(&AT_ONCE)).is_ok_and(|ready| ready > 0)
}

/// From the first question on a signal ends the program only when the terminal shows again what is
/// typed.
fn hear_signals() -> io::Result<()> {
    static HEARD: OnceLock<()> = OnceLock::new();
    if HEARD.get().is_some() {
        return Ok(());
    }
    let (tell, told) = mpsc::channel();
    tasks::thread(Task::Signals, move || {
        let ended = listen(&tell);
        let _ = tell.send(ended);
    })?;
    told.recv().unwrap_or(Err(io::ErrorKind::BrokenPipe.into()))?;
    HEARD.get_or_init(|| ());
    Ok(())
}

/// Hears signals for as long as the program runs.
fn listen(ready: &mpsc::Sender<io::Result<()>>) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let of = |number: Number| signal(SignalKind::from_raw(number.as_raw()));
        let (mut hangup, mut interrupt) = (of(Number::HUP)?, of(Number::INT)?);
        let (mut quit, mut terminate) = (of(Number::QUIT)?, of(Number::TERM)?);
        let _ = ready.send(Ok(()));
        loop {
            let number = tokio::select! {
                _ = hangup.recv() => 1,
                _ = interrupt.recv() => SIGINT,
                _ = quit.recv() => 3,
                _ = terminate.recv() => 15,
            };
            CAME.store(number, Ordering::SeqCst);
            if !ASKING.load(Ordering::SeqCst) {
                end(number);
            }
        }
    })
}

/// As the signal would have ended the program, had nobody ever been asked.
#[expect(clippy::disallowed_methods, reason = "the terminal is as it was")]
fn end(number: u8) {
    std::process::exit(i32::from(SIGNAL.saturating_add(number)));
}

/// A terminal that shows nothing of what is typed, for as long as this is there.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        ASKING.store(true, Ordering::SeqCst);
        // What was typed before the question is no answer to it.
        let quieted = Self(before);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(quieted)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // Whatever is left of a secret must not come to the shell, which would show and keep it.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
        ASKING.store(false, Ordering::SeqCst);
    }
}
