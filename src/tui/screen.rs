//! The terminal itself: taken over at the start, given back at every end.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::style::{Attribute, SetAttribute};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{Command, cursor, execute, queue};
use ratatui::layout::{Position, Rect};
use ratatui::{Frame, Terminal};

use super::brush::Brush;
use super::painter::Painter;

/// The terminal, taken over. Dropping it gives it back.
pub struct Screen {
    terminal: Terminal<Brush<Painter>>,
    mouse: bool,
    lent: Lent,
}

/// What it takes to give a terminal back, from wherever.
#[derive(Clone)]
struct Lent {
    painter: Painter,
    ours: Arc<AtomicBool>,
}

impl Screen {
    /// Takes the terminal over. A panic on this thread gives it back before anything else.
    ///
    /// # Errors
    /// When there is none, or it does not listen.
    pub fn enter(mouse: bool) -> io::Result<Self> {
        let painter = Painter::start()?;
        let lent = Lent { painter: painter.clone(), ours: Arc::new(AtomicBool::new(false)) };
        give_back_on_panic(lent.clone(), std::thread::current().id());
        let terminal = Terminal::new(Brush::new(painter))?;
        let mut screen = Self { terminal, mouse, lent };
        screen.take()?;
        Ok(screen)
    }

    fn take(&mut self) -> io::Result<()> {
        self.lent.ours.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        // Written with the next frame, whole.
        self.lent.painter.hold(true);
        let out = self.terminal.backend_mut();
        queue!(out, EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
        if self.mouse {
            queue!(out, EnableMouseCapture)?;
        }
        Ok(())
    }

    /// The terminal has not taken the last frame yet.
    pub fn is_busy(&self) -> bool {
        self.lent.painter.is_busy()
    }

    /// Waits until it has.
    pub async fn idle(&self) {
        self.lent.painter.idle().await;
    }

    /// Draws a frame: what changed, in one write, which this does not wait for.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.lent.painter.hold(true);
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        let drawn = self.terminal.draw(render).map(|_| ());
        self.lent.painter.hold(false);
        // On the way of errors too, else the terminal would wait for the rest.
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        drawn
    }

    /// Draws everything anew the next time.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn forget(&mut self) -> io::Result<()> {
        // Not `clear`, which asks the terminal for its cursor and waits for an answer.
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::from((Position::ORIGIN, size)))
    }

    /// Puts a text into the clipboard of the person in front, through ssh too.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        let copy = crossterm::clipboard::CopyToClipboard::to_clipboard_from(text);
        execute!(self.terminal.backend_mut(), copy)
    }

    /// Gives the terminal back until [`Screen::resume`].
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn pause(&mut self) -> io::Result<()> {
        self.lent.give_back()
    }

    /// Takes the terminal over again and draws everything anew.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resume(&mut self) -> io::Result<()> {
        // Who was stopped without a word comes back to modes that the shell has set since; they
        // are set again only where they are not thought to be set already.
        disable_raw_mode()?;
        self.take()?;
        self.forget()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.pause();
    }
}

impl Lent {
    /// Gives the terminal back, once.
    fn give_back(&mut self) -> io::Result<()> {
        if !self.ours.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        // Raw mode first: whatever fails behind it, the shell can be typed into.
        let raw = disable_raw_mode();
        self.painter.finish(AsItWas)?;
        raw
    }
}

/// The terminal as it was before.
struct AsItWas;

impl Command for AsItWas {
    fn write_ansi(&self, f: &mut impl fmt::Write) -> fmt::Result {
        EndSynchronizedUpdate.write_ansi(f)?;
        SetAttribute(Attribute::Reset).write_ansi(f)?;
        DisableMouseCapture.write_ansi(f)?;
        DisableBracketedPaste.write_ansi(f)?;
        LeaveAlternateScreen.write_ansi(f)?;
        cursor::Show.write_ansi(f)
    }
}

/// Only a panic of the thread that draws ends the dashboard: one of a background task must not
/// tear the screen down beneath it.
fn give_back_on_panic(lent: Lent, drawing: ThreadId) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().id() == drawing {
            let _ = lent.clone().give_back();
        }
        before(panic);
    }));
}

#[cfg(test)]
mod tests {
    use portable_pty::{CommandBuilder, PtySize, native_pty_system};

    use super::*;

    const LEAVES: &str = "\x1b[?1049l";
    /// Looks like the name of one more test, which there is not.
    const IN_TERMINAL: &str = "in-a-terminal";

    /// Runs one test of these again, in a terminal of its own; gives what it wrote there.
    fn written_by(test: &str) -> String {
        let pair = native_pty_system().openpty(PtySize::default()).unwrap();
        let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
        let test = format!("tui::screen::tests::{test}");
        command.args(["--exact", &test, IN_TERMINAL, "--nocapture"]);
        let mut child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut written = String::new();
        pair.master.try_clone_reader().unwrap().read_to_string(&mut written).unwrap();
        child.wait().unwrap();
        written
    }

    fn in_terminal() -> bool {
        std::env::args().any(|argument| argument == IN_TERMINAL)
    }

    #[test]
    fn a_panic_while_drawing_gives_the_terminal_back_first() {
        let name = "a_panic_while_drawing_gives_the_terminal_back_first";
        if in_terminal() {
            let mut screen = Screen::enter(true).unwrap();
            screen.draw(|frame| frame.render_widget("seen", frame.area())).unwrap();
            screen.draw(|_| panic!("a pot of paint")).unwrap();
            return;
        }
        let written = written_by(name);
        let (before, after) = written.split_once(LEAVES).unwrap();
        assert!(before.contains("\x1b[?1049h") && before.contains("seen"));
        assert!(!before.contains("a pot of paint"));
        assert!(after.contains("\x1b[?25h") && after.contains("a pot of paint"));
        assert!(!after.contains(LEAVES), "it is given back once");
    }
}
