//! What is to be remembered until the next start, written behind the back of the loop.

use std::path::PathBuf;
use std::time::Duration;

use chrono::NaiveDate;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::theme::ThemeName;
use crate::config::{TableTaste, Taste};
use crate::tasks::{self, Task};

/// How long the end waits for a slow disk.
const PATIENCE: Duration = Duration::from_secs(2);

/// Something to remember.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memo {
    /// Whether amounts are hidden.
    Private(bool),
    /// The theme.
    Theme(ThemeName),
    /// Whether gains have the colour of losses.
    Swapped(bool),
    /// How the table of a pane of this name was left.
    Table(String, TableTaste),
    /// A filter of the transactions under a name; none: no more.
    View(String, Option<String>),
    /// Somebody was here on this day.
    Visit(NaiveDate),
    /// Somebody was asked what is asked once.
    SetUp,
}

impl Memo {
    fn note(self, taste: &mut Taste) {
        match self {
            Self::Private(private) => taste.private = private,
            Self::Theme(theme) => taste.theme = Some(theme.as_str().to_owned()),
            Self::Swapped(swapped) => taste.swapped = swapped,
            Self::Visit(day) => taste.visited(day),
            Self::Table(pane, table) => drop(taste.tables.insert(pane, table)),
            Self::View(name, Some(filter)) => drop(taste.views.insert(name, filter)),
            Self::View(name, None) => drop(taste.views.remove(&name)),
            Self::SetUp => taste.was_asked = true,
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
