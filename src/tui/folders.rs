//! Folders that are read beside the loop, for names that are completed.

use tokio::sync::mpsc;

use crate::fault;
use crate::service::Error;
use crate::service::folder::{Fitting, FolderQuery};
use crate::tasks::{self, Task};

/// What was asked of a folder, and what it has.
#[derive(Debug)]
pub struct Listed {
    /// The question.
    pub query: FolderQuery,
    /// The answer.
    pub found: Result<Fitting, Error>,
}

impl Listed {
    /// Reads a folder. Names that cannot be written on the command line are left out.
    #[must_use]
    pub fn of(query: FolderQuery) -> Self {
        fault::point("folder");
        let found = query.read(&['"']);
        Self { query, found }
    }
}

/// Folders under way, and what they have.
#[derive(Debug)]
pub struct Folders {
    done: mpsc::UnboundedSender<Listed>,
    read: mpsc::UnboundedReceiver<Listed>,
}

impl Default for Folders {
    fn default() -> Self {
        let (done, read) = mpsc::unbounded_channel();
        Self { done, read }
    }
}

impl Folders {
    /// Begins to read one; it never waits, however long the disk takes.
    pub fn begin(&self, query: FolderQuery) {
        let done = self.done.clone();
        tasks::spawn(Task::Folder, async move {
            let asked = query.clone();
            let read = tasks::spawn_blocking(Task::Folder, move || Listed::of(asked)).await;
            let interrupted = |_| Listed { query, found: Err(Error::Interrupted) };
            let _ = done.send(read.unwrap_or_else(interrupted));
        });
    }

    /// What the next one has.
    pub async fn next(&mut self) -> Option<Listed> {
        self.read.recv().await
    }
}
