//! Asking for a passphrase on a terminal. What is typed is not shown, and the terminal is left as it
//! was, also where somebody thinks better of it.

use std::io::{self, IsTerminal as _, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroize as _;

use super::exit::Error;
use crate::model::Secret;

const INTERRUPT: u8 = 3;
const END: u8 = 4;
const BACKSPACES: [u8; 2] = [8, 127];
const CLEAR: u8 = 21;
/// Nobody types more.
const LONGEST: usize = 1024;
/// How Ctrl-c ends a program.
const SIGINT: u8 = 2;

/// Whether somebody is there to be asked.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a passphrase.
pub fn passphrase(question: &str) -> Result<Secret, Error> {
    let quiet = Quiet::begin().map_err(Error::Output)?;
    say(&format!("{question}: "));
    let typed = line();
    drop(quiet);
    say("\n");
    typed
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
fn line() -> Result<Secret, Error> {
    // Large enough never to grow, which would leave a copy behind.
    let mut typed = Vec::with_capacity(LONGEST);
    let mut key = [0];
    let ended = loop {
        match io::stdin().lock().read(&mut key) {
            Ok(0) => break Err(Error::Usage("nothing was typed")),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => break Err(Error::Output(error)),
        }
        match key[0] {
            b'\r' | b'\n' => break Ok(()),
            INTERRUPT => break Err(Error::Signal(SIGINT)),
            END if typed.is_empty() => break Err(Error::Usage("nothing was typed")),
            CLEAR => typed.zeroize(),
            // A letter may be several bytes.
            byte if BACKSPACES.contains(&byte) => {
                while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            byte if byte >= b' ' && typed.len() < LONGEST => typed.push(byte),
            _ => {}
        }
        key.zeroize();
    };
    let text = ended.and_then(|()| {
        String::from_utf8(std::mem::take(&mut typed)).map_err(|error| {
            error.into_bytes().zeroize();
            Error::Usage("a passphrase is text in UTF-8")
        })
    });
    typed.zeroize();
    text.map(Secret::new)
}

/// A terminal that shows nothing of what is typed, for as long as this is there.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        // What was typed before the question is no answer to it.
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
