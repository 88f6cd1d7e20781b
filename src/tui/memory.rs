//! What is to be remembered until the next start, written behind the back of the loop.

use std::path::PathBuf;
use std::time::Duration;

use chrono::NaiveDate;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::theme::ThemeName;
use crate::config::Taste;
use crate::tasks::{self, Task};

/// How long the end waits for a slow disk.
const PATIENCE: Duration = Duration::from_secs(2);

/// Something to remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memo {
    /// Whether amounts are hidden.
    Private(bool),
    /// The theme.
    Theme(ThemeName),
    /// Somebody was here on this day.
    Visit(NaiveDate),
}

impl Memo {
    fn note(self, taste: &mut Taste) {
        match self {
            Self::Private(private) => taste.private = private,
            Self::Theme(theme) => taste.theme = Some(theme.as_str().to_owned()),
            Self::Visit(day) => taste.visited(day),
        }
    }
}

/// Writes memos, one after the other. It ends when this is closed.
#[derive(Debug)]
pub struct Memory {
    memos: mpsc::UnboundedSender<Memo>,
    task: JoinHandle<()>,
}

impl Memory {
    /// With a file; none: nothing is remembered.
    #[must_use]
    pub fn open(file: Option<PathBuf>) -> Self {
        let (memos, mut kept) = mpsc::unbounded_channel::<Memo>();
        let task = tasks::spawn(Task::Memory, async move {
            while let Some(memo) = kept.recv().await {
                let Some(file) = file.clone() else { continue };
                let written = tasks::spawn_blocking(Task::Memory, move || {
                    Taste::change(&file, |taste| memo.note(taste))
                });
                if let Ok(Err(error)) = written.await {
                    tracing::warn!(%error, "not remembered");
                }
            }
        });
        Self { memos, task }
    }

    /// Remembers something, soon.
    pub fn keep(&self, memo: Memo) {
        let _ = self.memos.send(memo);
    }

    /// Waits until all of it is written.
    pub async fn close(self) {
        drop(self.memos);
        let _ = tokio::time::timeout(PATIENCE, self.task).await;
    }
}
