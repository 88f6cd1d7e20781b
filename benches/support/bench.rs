//! Where everything is measured, and programs that see nothing of who runs the bench. It does not
//! know what they are asked to do.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder that goes when the bench ends, with the program in it.
pub struct Bench {
    folder: TempDir,
}

impl Bench {
    /// Nothing and a word about it where there is nothing to measure.
    pub fn new(name: &str) -> Option<Self> {
        if !std::env::args().any(|argument| argument == "--bench") {
            println!("measured by `cargo bench --bench {name}`");
            return None;
        }
        if !Path::new("/proc/self/stat").exists() {
            println!("measured on Linux only");
            return None;
        }
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let bench = Self { folder };
        // A copy, since a build meanwhile must not change what is measured.
        fs::copy(env!("CARGO_BIN_EXE_dashtam"), bench.path("dashtam")).unwrap();
        Some(bench)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program that sees nothing of who runs the bench.
    pub fn program(&self, name: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(name);
        let path = setting("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("HOME", self.folder.path());
        command
    }

    pub fn dashtam(&self, arguments: &str) -> Command {
        let mut command = self.program(self.path("dashtam"));
        command.args(arguments.split_whitespace());
        command
    }

    /// Whether a yardstick is there; loud where not.
    pub fn has(&self, name: &str) -> bool {
        let mut asked = self.program(name);
        asked.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let found = asked.status().is_ok_and(|status| status.success());
        if !found {
            announce(&format!("SKIPPED (no {name}): figures beside it"));
        }
        found
    }
}

/// Says something to whoever waits.
pub fn announce(message: &str) {
    eprintln!("{message}");
}

#[expect(clippy::disallowed_methods, reason = "a bench is set up from the environment")]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
