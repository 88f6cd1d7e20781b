//! The terminal itself: taken over at the start, given back at every end.

use std::io::{self, BufWriter, Stdout, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Position, Rect};
use ratatui::{Frame, Terminal};

/// A frame fits into it, so that it is one write.
const BUFFER: usize = 64 << 10;

/// The terminal cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the terminal cannot be used")]
pub struct ScreenError(#[from] io::Error);

/// The terminal, taken over. Dropping it gives it back.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    mouse: bool,
    ours: Arc<AtomicBool>,
}

impl Screen {
    /// Takes the terminal over. A panic on this thread gives it back before it is reported.
    ///
    /// # Errors
    /// When there is none, or it does not listen.
    pub fn enter(mouse: bool) -> Result<Self, ScreenError> {
        let ours = Arc::new(AtomicBool::new(false));
        give_back_on_panic(Arc::clone(&ours), std::thread::current().id());
        let writer = BufWriter::with_capacity(BUFFER, io::stdout());
        let terminal = Terminal::new(CrosstermBackend::new(writer))?;
        let mut screen = Self { terminal, mouse, ours };
        screen.take()?;
        Ok(screen)
    }

    fn take(&mut self) -> io::Result<()> {
        self.ours.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        let out = self.terminal.backend_mut();
        execute!(out, EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
        if self.mouse {
            execute!(out, EnableMouseCapture)?;
        }
        Ok(())
    }

    /// Draws a frame: what changed, in one write.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        let drawn = self.terminal.draw(render).map(|_| ());
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
        self.terminal.backend_mut().flush()?;
        give_back(&self.ours)
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

/// Gives the terminal back, once.
fn give_back(ours: &AtomicBool) -> io::Result<()> {
    if !ours.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    let mut out = io::stdout();
    // Raw mode first: whatever fails behind it, the shell can be typed into.
    let raw = disable_raw_mode();
    execute!(
        out,
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    )?;
    raw
}

/// Only a panic of the thread that draws ends the dashboard: one of a background task must not
/// tear the screen down beneath it.
fn give_back_on_panic(ours: Arc<AtomicBool>, drawing: ThreadId) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().id() == drawing {
            let _ = give_back(&ours);
            before(panic);
        } else if !ours.load(Ordering::SeqCst) {
            before(panic);
        }
    }));
}

#[cfg(test)]
mod tests {
    use std::io::Read;

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
            screen.draw(|_| panic!("a pot of paint")).unwrap();
            return;
        }
        let written = written_by(name);
        let (before, after) = written.split_once(LEAVES).unwrap();
        assert!(before.contains("\x1b[?1049h") && !before.contains("a pot of paint"));
        assert!(after.contains("\x1b[?25h") && after.contains("a pot of paint"));
        assert!(!after.contains(LEAVES), "it is given back once");
    }

    #[test]
    fn a_panic_elsewhere_leaves_the_screen_alone() {
        let name = "a_panic_elsewhere_leaves_the_screen_alone";
        if in_terminal() {
            let screen = Screen::enter(true).unwrap();
            assert!(std::thread::spawn(|| panic!("a leaking pipe")).join().is_err());
            write!(io::stdout(), "all is well").unwrap();
            drop(screen);
            return;
        }
        let written = written_by(name);
        let (before, after) = written.split_once("all is well").unwrap();
        assert!(!before.contains(LEAVES) && after.contains(LEAVES));
        assert!(!written.contains("a leaking pipe"));
    }
}
