//! Somebody at a terminal who presses keys one after the other, and how long it takes until each is
//! seen. It does not know what the program is; of its screen only that it has a list whose line of the
//! cursor has a colour of its own.

use std::io::{Read, Write};
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, MasterPty, native_pty_system};

use super::screen::{SIZE, in_terminal};

/// Who waits so long does not wait any longer.
const LONGEST: Duration = Duration::from_secs(20);
/// Between two keys of somebody who holds one down.
const PAUSE: Duration = Duration::from_millis(25);
/// The columns in which each line of a list says what it is about.
const COLUMNS: (u16, u16) = (1, 12);
/// The last lines are no list: they tell what is going on.
const BELOW: u16 = 3;

pub struct Typist {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    /// What the program says, and when.
    told: Receiver<(Instant, Vec<u8>)>,
    screen: vt100::Parser,
    /// The terminal is there as long as this is.
    _master: Box<dyn MasterPty + Send>,
}

impl Typist {
    /// Starts a program.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn at(command: &Command) -> Self {
        let pair = native_pty_system().openpty(SIZE).unwrap();
        let child = pair.slave.spawn_command(in_terminal(command)).unwrap();
        let mut output = pair.master.try_clone_reader().unwrap();
        let keyboard = pair.master.take_writer().unwrap();
        let (say, told) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = vec![0; 65_536];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                if say.send((Instant::now(), bytes[..length].to_vec())).is_err() {
                    return;
                }
            }
        });
        let screen = vt100::Parser::new(SIZE.rows, SIZE.cols, 0);
        Self { child, keyboard, told, screen, _master: pair.master }
    }

    /// What is on the screen by now.
    pub fn shown(&mut self) -> String {
        while let Ok((_, bytes)) = self.told.try_recv() {
            self.screen.process(&bytes);
        }
        self.screen.screen().contents()
    }

    /// Waits until the screen is as it should be.
    ///
    /// # Panics
    /// When it is not for too long.
    pub fn wait_until(&mut self, is_there: impl Fn(&str) -> bool) {
        let start = Instant::now();
        loop {
            let shown = self.shown();
            if is_there(&shown) {
                return;
            }
            assert!(start.elapsed() < LONGEST, "not there:\n{shown}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn write(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Presses a key that moves the cursor; gives the milliseconds until it is seen to have moved.
    pub fn press(&mut self, key: &str) -> f64 {
        thread::sleep(PAUSE);
        drop(self.shown());
        let (before, start) = (self.list(), Instant::now());
        self.write(key);
        loop {
            let left = LONGEST.saturating_sub(start.elapsed());
            let Ok((at, bytes)) = self.told.recv_timeout(left) else {
                return LONGEST.as_secs_f64() * 1_000.0;
            };
            self.screen.process(&bytes);
            if self.list() != before {
                return at.duration_since(start).as_secs_f64() * 1_000.0;
            }
        }
    }

    /// The lines of the list, with what is behind each.
    fn list(&self) -> Vec<(String, Option<(vt100::Color, bool)>)> {
        let screen = self.screen.screen();
        let (first, width) = COLUMNS;
        let behind = |row| screen.cell(row, first).map(|cell| (cell.bgcolor(), cell.inverse()));
        let lines = screen.rows(first, width).take(usize::from(SIZE.rows - BELOW));
        (0..).zip(lines).map(|(row, line)| (line, behind(row))).collect()
    }

    /// Ends the program.
    pub fn close(mut self) {
        self.write("q");
        let start = Instant::now();
        while self.child.try_wait().unwrap().is_none() && start.elapsed() < LONGEST {
            drop(self.shown());
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}
