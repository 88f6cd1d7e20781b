//! A terminal with the real program in it: keys go in, what a person would see comes out.
//!
//! Nothing here sleeps and then hopes: whatever is expected is waited for.

use std::fmt::Debug;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::home::{Home, PROGRAM};

/// Long enough for a busy machine. Nothing that works waits so long.
pub const PATIENCE: Duration = Duration::from_secs(40);
const LOOK_EVERY: Duration = Duration::from_millis(20);
const SIZE: (u16, u16) = (120, 40);

/// A terminal, and the program in it.
pub struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    /// Held, because the modes of a terminal that nobody has open are forgotten.
    slave: Option<Box<dyn SlavePty + Send>>,
    keyboard: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    shown: Arc<Shown>,
    reader: Option<JoinHandle<()>>,
    reads: Arc<AtomicBool>,
    stalled: Arc<AtomicBool>,
    modes: String,
}

struct Shown {
    now: Mutex<Now>,
    changed: Condvar,
}

struct Now {
    emulator: vt100::Parser,
    bytes: Vec<u8>,
}

/// What a program left behind.
pub struct Left {
    pub code: u32,
    /// Every byte it wrote.
    pub bytes: Vec<u8>,
    /// What is on the screen where it began.
    pub text: String,
    restored: Vec<(&'static str, bool)>,
}

impl Left {
    /// The terminal is as it was.
    #[track_caller]
    pub fn restored(&self) -> &Self {
        for (what, is) in &self.restored {
            assert!(is, "not restored: {what}; on the screen: {}", self.text);
        }
        self
    }

    #[track_caller]
    pub fn with_code(&self, code: u32) -> &Self {
        assert_eq!(self.code, code, "{}", self.text);
        self
    }
}

/// Our program on a machine, as a terminal of today would start it.
pub fn dashtam(home: &Home, line: &str) -> CommandBuilder {
    command(home, PROGRAM, line)
}

/// The same, run by a shell script: `$0` is the program.
pub fn script(home: &Home, script: &str) -> CommandBuilder {
    let mut command = command(home, "/bin/sh", "-m -c");
    command.args([script, PROGRAM]);
    command
}

fn command(home: &Home, program: &str, line: &str) -> CommandBuilder {
    let mut command = CommandBuilder::new(program);
    command.args(line.split_whitespace());
    command.env_clear();
    command.cwd(home.root.path());
    for name in ["HOME", "TMPDIR"] {
        command.env(name, home.root.path());
    }
    command.env("DASHTAM_DATA_DIR", home.data());
    for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("TZ", "UTC")] {
        command.env(name, value);
    }
    command
}

fn size((cols, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

impl Terminal {
    pub fn run(command: CommandBuilder) -> Self {
        let pair = native_pty_system().openpty(size(SIZE)).unwrap();
        let modes = modes(pair.master.as_ref());
        let child = pair.slave.spawn_command(command).unwrap();
        let emulator = vt100::Parser::new(SIZE.1, SIZE.0, 0);
        let now = Mutex::new(Now { emulator, bytes: Vec::new() });
        let shown = Arc::new(Shown { now, changed: Condvar::new() });
        let reads = Arc::new(AtomicBool::new(true));
        let stalled = Arc::new(AtomicBool::new(false));
        let output = pair.master.try_clone_reader().unwrap();
        let reader = read(output, Arc::clone(&shown), Arc::clone(&reads), Arc::clone(&stalled));
        Self {
            keyboard: Some(pair.master.take_writer().unwrap()),
            master: Some(pair.master),
            slave: Some(pair.slave),
            child,
            shown,
            reader: Some(reader),
            reads,
            stalled,
            modes,
        }
    }

    /// Our program, once this can be read on its screen.
    pub fn dashtam(home: &Home, line: &str, word: &str) -> Self {
        let terminal = Self::run(dashtam(home, line));
        terminal.see(word);
        terminal
    }

    // ---- what a person does

    pub fn press(&mut self, keys: &str) {
        let keyboard = self.keyboard.as_mut().unwrap();
        keyboard.write_all(keys.as_bytes()).unwrap();
        keyboard.flush().unwrap();
    }

    /// Makes the window as large as this; what is drawn meanwhile goes onto any size.
    pub fn resize(&self, to: (u16, u16)) {
        self.shown.now.lock().unwrap().emulator.screen_mut().set_size(to.1, to.0);
        self.resize_behind_its_back(to);
    }

    /// The same without telling the emulator.
    pub fn resize_behind_its_back(&self, to: (u16, u16)) {
        self.master.as_ref().unwrap().resize(size(to)).unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// To whoever is in front.
    pub fn signal_foreground(&self, signal: Signal) {
        let group = self.master.as_ref().unwrap().process_group_leader().unwrap();
        kill_process_group(Pid::from_raw(group).unwrap(), signal).unwrap();
    }

    /// From now on nobody reads what it writes.
    pub fn stall(&self) {
        self.stalled.store(true, Ordering::SeqCst);
    }

    /// Somebody reads it again.
    pub fn go_on(&self) {
        self.stalled.store(false, Ordering::SeqCst);
    }

    /// Closes the window, or cuts the line.
    pub fn hang_up(&mut self) {
        self.go_on();
        // The reader holds an end too. It lets go at the next byte, so something must change.
        self.reads.store(false, Ordering::SeqCst);
        self.press("?");
        self.reader.take().unwrap().join().unwrap();
        self.slave = None;
        self.keyboard = None;
        self.master = None;
    }

    // ---- what a person sees

    #[track_caller]
    pub fn see(&self, word: &str) {
        self.until(word, |screen| screen.contents().contains(word));
    }

    #[track_caller]
    pub fn see_no_more(&self, word: &str) {
        self.until(word, |screen| !screen.contents().contains(word));
    }

    /// Waits until this holds of the screen.
    #[track_caller]
    pub fn until(&self, what: &str, holds: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut now = self.shown.now.lock().unwrap();
        while !holds(now.emulator.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            let screen = now.emulator.screen().contents();
            assert!(!left.is_zero(), "waited in vain for {what:?} on\n{screen}");
            now = self.shown.changed.wait_timeout(now, left).unwrap().0;
        }
    }

    pub fn text(&self) -> String {
        self.shown.now.lock().unwrap().emulator.screen().contents()
    }

    /// How much it has written so far.
    pub fn written(&self) -> usize {
        self.shown.now.lock().unwrap().bytes.len()
    }

    /// How many bytes the first frame took that was drawn since; none: it is not there.
    pub fn first_frame_since(&self, written: usize) -> Option<usize> {
        const END: &[u8] = b"\x1b[?2026l";
        let now = self.shown.now.lock().unwrap();
        let at = now.bytes[written..].windows(END.len()).position(|bytes| bytes == END)?;
        Some(at + END.len())
    }

    /// How often these bytes were written since.
    pub fn count_since(&self, written: usize, bytes: &[u8]) -> usize {
        let now = self.shown.now.lock().unwrap();
        now.bytes[written..].windows(bytes.len()).filter(|window| *window == bytes).count()
    }

    /// What would be seen of all that was written since on a screen that was empty then.
    pub fn drawn_since(&self, written: usize) -> String {
        let now = self.shown.now.lock().unwrap();
        let (rows, cols) = now.emulator.screen().size();
        let mut emulator = vt100::Parser::new(rows, cols, 0);
        emulator.process(&now.bytes[written..]);
        emulator.screen().contents()
    }

    /// Waits until nothing was written for so long; false: that never came.
    pub fn silent_for(&self, long: Duration) -> bool {
        let deadline = Instant::now() + PATIENCE;
        let mut now = self.shown.now.lock().unwrap();
        let (mut bytes, mut since) = (now.bytes.len(), Instant::now());
        while since.elapsed() < long {
            if Instant::now() > deadline {
                return false;
            }
            let left = long.saturating_sub(since.elapsed());
            now = self.shown.changed.wait_timeout(now, left).unwrap().0;
            if now.bytes.len() != bytes {
                (bytes, since) = (now.bytes.len(), Instant::now());
            }
        }
        true
    }

    /// Whether the terminal takes lines and echoes them, as it did at the beginning.
    pub fn has_first_modes(&self) -> bool {
        modes(self.master.as_ref().unwrap().as_ref()) == self.modes
    }

    /// Waits until keys come one by one.
    #[track_caller]
    pub fn until_raw(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.has_first_modes() {
            assert!(Instant::now() < deadline, "the terminal still takes lines");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    // ---- its end

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.process_id().unwrap().try_into().unwrap()).unwrap()
    }

    /// Waits until the program has ended.
    #[track_caller]
    pub fn end(&mut self) -> Left {
        let mut code = None;
        wait("the end of the program", || {
            code = self.child.try_wait().unwrap();
            code.is_some()
        });
        self.go_on();
        let modes = self.has_first_modes();
        // The last of its bytes are there once nobody holds the other end.
        self.slave = None;
        self.reader.take().unwrap().join().unwrap();
        let now = self.shown.now.lock().unwrap();
        let screen = now.emulator.screen();
        Left {
            code: code.unwrap().exit_code(),
            bytes: now.bytes.clone(),
            text: screen.contents(),
            restored: vec![
                ("modes", modes),
                ("main screen", !screen.alternate_screen()),
                ("cursor", !screen.hide_cursor()),
                ("paste", !screen.bracketed_paste()),
                ("mouse", screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None),
            ],
        }
    }

    /// What the system says of the process: its state and the time it has computed.
    pub fn state_and_work(&self) -> (char, Duration) {
        const TICK: Duration = Duration::from_millis(10);
        let stat = self.proc("stat");
        // The name before it is in brackets, and may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        let ticks: u32 = fields[11].parse::<u32>().unwrap() + fields[12].parse::<u32>().unwrap();
        (fields[0].chars().next().unwrap(), TICK * ticks)
    }

    /// How often its threads have woken up, and how long they have computed, to the nanosecond.
    pub fn wakes_and_work(&self) -> (u64, Duration) {
        let (mut wakes, mut work) = (0, Duration::ZERO);
        for thread in self.threads() {
            wakes += self.wakes(&thread);
            let computed = self.proc(&format!("{thread}/schedstat"));
            let nanos = computed.split(' ').next().unwrap().parse().unwrap();
            work += Duration::from_nanos(nanos);
        }
        (wakes, work)
    }

    /// How often a thread of this name has woken up.
    pub fn wakes_of(&self, name: &str) -> u64 {
        let mut threads = self.threads().into_iter();
        let thread = threads.find(|thread| self.proc(&format!("{thread}/comm")).trim() == name);
        self.wakes(&thread.unwrap_or_else(|| panic!("no thread is called {name}")))
    }

    fn wakes(&self, thread: &str) -> u64 {
        let status = self.proc(&format!("{thread}/status"));
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches"));
        line.unwrap().split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// The places of its threads below its own in `/proc`.
    fn threads(&self) -> Vec<String> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.pid().as_raw_pid())).unwrap();
        let name = |thread: std::fs::DirEntry| thread.file_name().into_string().unwrap();
        threads.map(|thread| format!("task/{}", name(thread.unwrap()))).collect()
    }

    /// KiB of memory in use.
    pub fn memory(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    fn proc(&self, name: &str) -> String {
        let path = format!("/proc/{}/{name}", self.pid().as_raw_pid());
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Waits until this holds.
#[track_caller]
pub fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// All modes of a terminal, to be compared.
fn modes(master: &dyn MasterPty) -> String {
    fn said(modes: impl Debug) -> String {
        format!("{modes:?}")
    }
    said(master.get_termios().unwrap())
}

fn read(
    mut output: Box<dyn Read + Send>,
    shown: Arc<Shown>,
    reads: Arc<AtomicBool>,
    stalled: Arc<AtomicBool>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        loop {
            while stalled.load(Ordering::SeqCst) {
                std::thread::sleep(LOOK_EVERY);
            }
            let Ok(length @ 1..) = output.read(&mut buffer) else { break };
            let mut now = shown.now.lock().unwrap();
            now.emulator.process(&buffer[..length]);
            now.bytes.extend_from_slice(&buffer[..length]);
            shown.changed.notify_all();
            if !reads.load(Ordering::SeqCst) {
                break;
            }
        }
    })
}
