//! What the program says about itself: JSON lines in one file a day, with secrets taken out.
//! It gets folder, level, clock and file opener as plain arguments; it must not know the
//! configuration nor decide when logging starts.

pub mod crash;
mod daily;
mod layer;
mod redact;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

use daily::DailyFile;
use layer::{LogLayer, Sink};
pub use redact::redact;

/// More than this on one day is a fault that must not fill the disk.
const MAX_BYTES_PER_DAY: u64 = 20 * 1024 * 1024;
/// The records of other crates may hold URLs, headers and SQL parameters below this level.
const MOST_OF_OTHERS: LevelFilter = LevelFilter::WARN;
const OURS: &str = "dashtam";
/// Lines that wait for a slow disk; room for them is taken at the start.
const LINES_HELD: usize = 4096;

/// Where the time comes from.
pub type Now = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

pub struct TelemetryConfig {
    /// The folder of the log files; it exists and is private.
    pub folder: PathBuf,
    pub level: Level,
    /// How many days are kept, today included.
    pub keep_days: u16,
    /// Also as plain text to stderr; only where no dashboard owns the terminal.
    pub mirror: bool,
    pub now: Now,
    /// Opens a file for appending, readable by its owner only.
    pub open: fn(&Path) -> io::Result<File>,
}

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("cannot write a log file in {folder:?}: {source}; check the folder and the free space")]
    Open { folder: PathBuf, source: io::Error },
    #[error("logging was started twice in this process")]
    AlreadyStarted,
}

/// Keep it until the end of `main`: dropping it writes what is still waiting.
#[must_use]
pub struct Guard {
    _worker: WorkerGuard,
}

/// Starts logging for the whole process.
pub fn init(config: &TelemetryConfig) -> Result<Guard, TelemetryError> {
    let (subscriber, guard) = build(config)?;
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|_| TelemetryError::AlreadyStarted)?;
    Ok(guard)
}

fn build(
    config: &TelemetryConfig,
) -> Result<(impl tracing::Subscriber + Send + Sync, Guard), TelemetryError> {
    let file = DailyFile::open(
        &config.folder,
        config.keep_days,
        MAX_BYTES_PER_DAY,
        config.now.clone(),
        config.open,
    )
    .map_err(|source| TelemetryError::Open { folder: config.folder.clone(), source })?;
    // A thread of its own writes, so that a slow disk never holds up the screen.
    let (writer, worker): (NonBlocking, _) = NonBlockingBuilder::default()
        .thread_name("log")
        .buffered_lines_limit(LINES_HELD)
        .finish(file);
    let json = LogLayer::new(Sink::Json(writer), config.now.clone());
    let plain = config.mirror.then(|| LogLayer::new(Sink::Stderr, config.now.clone()));
    let subscriber = tracing_subscriber::registry()
        .with(json.with_filter(levels(config.level)))
        .with(plain.map(|layer| layer.with_filter(levels(config.level))));
    Ok((subscriber, Guard { _worker: worker }))
}

fn levels(level: Level) -> Targets {
    let ours = LevelFilter::from_level(level);
    Targets::new().with_default(ours.min(MOST_OF_OTHERS)).with_target(OURS, ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, OpenOptions};
    use tracing::{debug, error, info, info_span, warn};

    fn append(path: &Path) -> io::Result<File> {
        OpenOptions::new().append(true).create(true).open(path)
    }

    fn logged(level: Level, speak: impl FnOnce()) -> Vec<serde_json::Value> {
        let root = tempfile::tempdir().unwrap();
        let config = TelemetryConfig {
            folder: root.path().to_owned(),
            level,
            keep_days: 3,
            mirror: false,
            now: Arc::new(|| "2024-02-29T12:00:00.5Z".parse().unwrap()),
            open: append,
        };
        let (subscriber, guard) = build(&config).unwrap();
        tracing::subscriber::with_default(subscriber, speak);
        drop(guard);
        let text = fs::read_to_string(root.path().join("dashtam.2024-02-29.log")).unwrap();
        assert!(!text.contains("canary"), "{text}");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_record_is_one_json_line() {
        let lines = logged(Level::INFO, || {
            let span = info_span!("refresh", provider = "acme");
            let _in = span.enter();
            info!(rows = 3, partial = true, "stored \"quotes\"");
        });
        let expected = serde_json::json!({
            "time": "2024-02-29T12:00:00.500000Z",
            "level": "INFO",
            "target": "dashtam::telemetry::tests",
            "message": "stored \"quotes\"",
            "fields": { "rows": "3", "partial": "true" },
            "spans": [{ "name": "refresh", "fields": { "provider": "acme" } }],
        });
        assert_eq!(lines, [expected]);
    }

    #[test]
    fn no_secret_gets_through() {
        let lines = logged(Level::TRACE, || {
            let span = info_span!("call", api_key = "canary1", late = tracing::field::Empty);
            let _in = span.enter();
            span.record("late", "token=canary2");
            error!(password = "canary3", "GET https://u:canary4@h/p?x=canary5");
            warn!(error = %"Authorization: Bearer canary6", debugged = ?("key=canary7",));
            info!(token = 12, "{}", "client_secret: canary8");
        });
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0]["message"], "GET https://[redacted]@h/p?[redacted]");
        assert_eq!(lines[0]["fields"]["password"], "[redacted]");
        assert_eq!(lines[2]["fields"]["token"], "[redacted]");
        assert_eq!(lines[0]["spans"][0]["fields"]["api_key"], "[redacted]");
    }

    #[test]
    fn control_characters_cannot_forge_a_line() {
        let lines = logged(Level::INFO, || {
            info!(text = "a\r\n{\"level\":\"ERROR\"}\u{1b}[2J\u{9b}\u{202e}", "x\ny");
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["message"], "x\\ny");
        let text = lines[0]["fields"]["text"].as_str().unwrap();
        assert_eq!(text, "a\\r\\n{\"level\":\"ERROR\"}\\u{1b}[2J\\u{9b}\\u{202e}");
    }

    #[test]
    fn others_are_capped_at_warnings() {
        let lines = logged(Level::TRACE, || {
            info!(target: "sqlx::query", "canary");
            debug!(target: "hyper_util::client", "canary");
            warn!(target: "reqwest::connect", "seen");
            debug!("ours");
        });
        assert_eq!(lines.len(), 2);
        let quiet = logged(Level::ERROR, || {
            warn!(target: "rustls", "canary");
            warn!("canary");
            error!("seen");
        });
        assert_eq!(quiet.len(), 1);
    }
}
