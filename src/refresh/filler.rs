//! Keeping the days of accounts in the background of a dashboard: a task of its own that sleeps
//! until somebody says that something was written.

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::keep_days_in_steps;
use crate::clock::Clock;
use crate::store::Store;
use crate::tasks::{self, Task};

/// Writes that follow closely are waited for: each of them may touch the same days.
const CALM: Duration = Duration::from_millis(500);
/// What could not be done is tried again after this, or when something is written.
const AGAIN: Duration = Duration::from_secs(30);

const FELL: &str =
    "the days of accounts could not be worked out; a report of it is named at the end";

/// The task. Dropping it ends it.
#[derive(Debug)]
pub struct Filler {
    /// Why it cannot be done; none: it can.
    pub trouble: watch::Receiver<Option<String>>,
    asks: mpsc::Sender<()>,
    task: JoinHandle<()>,
}

impl Filler {
    /// Starts it.
    #[must_use]
    pub fn start(store: Store, clock: Clock) -> Self {
        let (tell, trouble) = watch::channel(None);
        // One question is as good as many.
        let (asks, asked) = mpsc::channel(1);
        let task = tasks::spawn(Task::Days, run(store, clock, tell, asked));
        Self { trouble, asks, task }
    }

    /// Says that there may be something to do. It never waits.
    pub fn ask(&self) {
        let _ = self.asks.try_send(());
    }

    /// Ends it where it stands: what is being stored is stored by another task.
    pub async fn stop(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    store: Store,
    clock: Clock,
    tell: watch::Sender<Option<String>>,
    mut asks: mpsc::Receiver<()>,
) {
    while asks.recv().await.is_some() {
        tokio::time::sleep(CALM).await;
        while let Err(trouble) = fill(&store, &clock).await {
            tell.send_replace(Some(trouble));
            // Be it that something was written, or that some time has gone by.
            let _ = tokio::time::timeout(AGAIN, asks.recv()).await;
        }
        tell.send_if_modified(|trouble| trouble.take().is_some());
    }
}

async fn fill(store: &Store, clock: &Clock) -> Result<(), String> {
    match tasks::caught(keep_days_in_steps(store, clock.today())).await {
        Ok(done) => done.map_err(|error| format!("the days of accounts are not kept: {error}")),
        Err(tasks::Panicked) => Err(FELL.to_owned()),
    }
}
