//! Runs a program in a terminal until something can be read on its screen, and says what it took
//! until then. It does not know what the program is.

use std::fs;
use std::io::{Read, Write};
use std::process::Command;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

pub(super) const SIZE: PtySize = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };
const LONGEST: Duration = Duration::from_secs(20);

/// What it took until it could be read, in milliseconds.
#[derive(Clone, Copy)]
pub struct Took {
    pub wall: f64,
    /// Of all threads.
    pub cpu: f64,
    /// The same until anything was drawn.
    pub first_cpu: f64,
}

/// Presses `keys` as soon as anything is drawn, and waits until the screen `is_there`.
///
/// # Panics
/// When the program cannot be started, or ends or takes forever before that.
pub fn until(command: &Command, keys: &str, is_there: impl Fn(&str) -> bool) -> Took {
    let pair = native_pty_system().openpty(SIZE).unwrap();
    let start = Instant::now();
    let mut child = pair.slave.spawn_command(in_terminal(command)).unwrap();
    // Reading ends when the last who could write is gone.
    drop(pair.slave);
    let pid = child.process_id().unwrap();
    let mut killer = child.clone_killer();
    let (done, is_done) = mpsc::channel::<()>();
    // Who shows nothing more would be read from for ever.
    thread::spawn(move || {
        if is_done.recv_timeout(LONGEST) == Err(RecvTimeoutError::Timeout) {
            let _ = killer.kill();
        }
    });
    let mut output = pair.master.try_clone_reader().unwrap();
    let mut keyboard = pair.master.take_writer().unwrap();
    let mut screen = vt100::Parser::new(SIZE.rows, SIZE.cols, 0);
    let mut bytes = vec![0; 65_536];
    let mut first_cpu = None;
    let took = loop {
        let length = output.read(&mut bytes).unwrap_or(0);
        screen.process(&bytes[..length]);
        let shown = screen.screen().contents();
        if first_cpu.is_none() && !shown.trim().is_empty() {
            first_cpu = Some(cpu_ms(pid));
            keyboard.write_all(keys.as_bytes()).unwrap();
        }
        if let Some(first_cpu) = first_cpu.filter(|_| is_there(&shown)) {
            let wall = start.elapsed().as_secs_f64() * 1_000.0;
            break Took { wall, cpu: cpu_ms(pid), first_cpu };
        }
        assert!(length > 0, "{command:?} never came to that:\n{shown}");
    };
    keyboard.write_all(b"q").unwrap();
    while output.read(&mut bytes).is_ok_and(|length| length > 0) {}
    child.wait().unwrap();
    drop(done);
    took
}

pub(super) fn in_terminal(command: &Command) -> CommandBuilder {
    let mut built = CommandBuilder::new(command.get_program());
    built.args(command.get_args());
    built.env_clear();
    let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    set.for_each(|(name, value)| built.env(name, value));
    for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("TZ", "UTC")] {
        built.env(name, value);
    }
    built
}

/// What its threads have worked, to the nanosecond: the ticks of `/proc` are too coarse for a start.
fn cpu_ms(pid: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let worked = threads.filter_map(|thread| {
        let line = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    });
    worked.sum::<f64>() / 1e6
}
