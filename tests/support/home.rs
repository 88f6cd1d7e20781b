//! A user's machine and the real program on it.

use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

use super::root;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_dashtam");
pub const HEADER: &str = "date,account,type,symbol,quantity,price,fee,currency,amount";

/// A user's machine: a home folder, and a data folder that the environment names.
pub struct Home {
    pub root: TempDir,
}

/// What a run left.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Home {
    pub fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Writes a file beside the data folder and gives its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path.into_os_string().into_string().unwrap()
    }

    /// A neutral file of these rows.
    pub fn rows(&self, name: &str, rows: &[&str]) -> String {
        self.file(name, &format!("{HEADER}\n{}\n", rows.join("\n")))
    }

    /// The program without a data folder in its environment.
    pub fn bare(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command.env_clear().env("HOME", self.root.path()).env("TZ", "UTC");
        command.env("TMPDIR", self.root.path()).current_dir(self.root.path());
        command.timeout(Duration::from_mins(1));
        command
    }

    pub fn command(&self) -> Command {
        let mut command = self.bare();
        command.env("DASHTAM_DATA_DIR", self.data());
        command
    }

    /// The program over such a store, with a configuration of its own, to be started by itself.
    pub fn process(&self, database: Option<&str>) -> std::process::Command {
        let mut command = std::process::Command::new(PROGRAM);
        command.env_clear().env("HOME", self.root.path()).env("TZ", "UTC");
        command.env("DASHTAM_DATA_DIR", self.data());
        command.env("DASHTAM_CONFIG", self.path("config.toml"));
        command.envs(database.map(|url| ("DASHTAM_DATABASE_URL", url)));
        command
    }

    pub fn run(&self, line: &[&str]) -> Ran {
        Ran::of(&self.command().args(line).output().unwrap())
    }

    /// Runs words without blanks in them.
    pub fn say(&self, line: &str) -> Ran {
        self.run(&line.split(' ').collect::<Vec<_>>())
    }

    /// Runs what must succeed and gives its stdout.
    pub fn ok(&self, line: &[&str]) -> String {
        let ran = self.run(line);
        assert_eq!(ran.code, Some(0), "{line:?}: {ran:?}");
        ran.out
    }

    /// The document of what must succeed.
    pub fn json(&self, line: &[&str]) -> Value {
        let out = self.ok(&[line, &["--json"]].concat());
        document(&out)
    }

    pub fn canonical(&self) -> String {
        self.ok(&["export", "--format", "canonical"])
    }

    pub fn account(&self, name: &str) -> Value {
        let report = self.json(&["report", "accounts", "--account", name]);
        report["rows"][0].clone()
    }

    /// The newest form of all rows.
    pub fn transactions(&self) -> Vec<Value> {
        let report = self.json(&["report", "transactions"]);
        report["rows"].as_array().unwrap().clone()
    }
}

impl Ran {
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// It was refused with this code: nothing on stdout, one line on stderr.
    #[track_caller]
    pub fn refused(&self, code: i32, word: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        assert_eq!(self.err.lines().count(), 1, "{self:?}");
        assert!(self.err.starts_with("dashtam: ") && self.err.contains(word), "{self:?}");
    }

    /// The error document, whose shape is a promise.
    #[track_caller]
    pub fn error(&self, code: i32) -> Value {
        assert_eq!(self.code, Some(code), "{self:?}");
        let document = document(&self.out);
        assert_eq!(keys(&document), ["error", "schema"]);
        assert_eq!(document["schema"], "dashtam.error/1");
        assert_eq!(keys(&document["error"]), ["hint", "kind", "message"]);
        document["error"].clone()
    }
}

/// One document, and a line end behind it.
pub fn document(text: &str) -> Value {
    assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{text:?}");
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

pub fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

pub fn sorted(words: &str) -> Vec<&str> {
    let mut words: Vec<_> = words.split(' ').collect();
    words.sort_unstable();
    words
}

/// The path of a file of the worked examples.
pub fn example(name: &str) -> String {
    root().join("assets/examples").join(name).into_os_string().into_string().unwrap()
}
