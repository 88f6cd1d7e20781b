//! Every task and thread that the program starts, by name: nothing else may start one, which
//! `tests/import_rule.rs` checks. Whoever starts one says what its end means. A panic in one ends
//! nobody else: it comes back to whoever waits for it.

use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::thread;

use tokio::task::JoinHandle;

/// What runs beside the thread that draws, or that carries a command out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Opens the store while the screen is there already.
    Opening,
    /// Keeps what the screen shows in step with the store.
    Keeper,
    /// Answers a question of the screen.
    Answer,
    /// Writes one change, whoever waits for it.
    Edit,
    /// Takes files in, whoever waits for it.
    Import,
    /// Refreshes what is due, again and again.
    Refresher,
    /// Refreshes what is due, once, whoever waits for it.
    Round,
    /// Keeps the days of accounts that a write has made doubtful.
    Days,
    /// Writes what a connection brought, whoever waits for it.
    Delivery,
    /// Waits until a disk that took no writes does again.
    Room,
    /// Does what was asked for on the command line of the dashboard.
    Errand,
    /// Exchanges a secret for the next one, whoever waits for it.
    Exchange,
    /// Opens or writes the key file of the vault, with all that a passphrase costs.
    Vault,
    /// Reads a folder whose names are completed there.
    Folder,
    /// Writes down what is remembered until the next start.
    Memory,
    /// Reads a file that is taken in.
    Reading,
    /// Copies rows to a server.
    Copying,
    /// Begins a transaction on a server, whoever waits for it.
    Beginning,
    /// Waits for keys.
    Keys,
    /// Waits for the terminal's end.
    HangUp,
    /// Waits for a browser that comes back with a consent.
    Callback,
    /// Waits for a signal while somebody is asked for a passphrase.
    Signals,
    /// Writes to the terminal.
    Painter,
}

impl Task {
    /// As a report calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Keeper => "keeper",
            Self::Answer => "answer",
            Self::Edit => "edit",
            Self::Import => "import",
            Self::Refresher => "refresher",
            Self::Round => "round",
            Self::Days => "days",
            Self::Delivery => "delivery",
            Self::Room => "room",
            Self::Errand => "errand",
            Self::Exchange => "exchange",
            Self::Vault => "vault",
            Self::Folder => "folder",
            Self::Memory => "memory",
            Self::Reading => "reading",
            Self::Copying => "copying",
            Self::Beginning => "beginning",
            Self::Keys => "keys",
            Self::HangUp => "hang-up",
            Self::Callback => "callback",
            Self::Signals => "signals",
            Self::Painter => "painter",
        }
    }
}

tokio::task_local! {
    static NAME: Task;
}

/// Whose code this is: a task of ours, else a thread by its name.
#[must_use]
pub fn current() -> String {
    match NAME.try_with(|task| task.name()) {
        Ok(name) => name.to_owned(),
        Err(_) => thread::current().name().unwrap_or("a thread").to_owned(),
    }
}

/// Starts a task.
pub fn spawn<T: Send + 'static>(
    task: Task,
    work: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    tokio::spawn(NAME.scope(task, work))
}

/// Starts work that blocks, on a thread of the runtime.
pub fn spawn_blocking<T: Send + 'static>(
    task: Task,
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    tokio::task::spawn_blocking(move || NAME.sync_scope(task, work))
}

/// Starts a thread that ends with the program at the latest, however it stands then.
///
/// # Errors
/// When the system has no thread to give.
pub fn thread(task: Task, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(task.name().to_owned()).spawn(work).map(drop)
}

/// The work panicked; a report of it is written already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panicked;

/// Does some work; its panic ends no more than that work.
///
/// # Errors
/// When it panicked.
pub async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut work = pin!(work);
    poll_fn(move |context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(_) => Poll::Ready(Err(Panicked)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_ends_no_more_than_its_work() {
        let work = |falls: bool| async move {
            tokio::task::yield_now().await;
            assert!(!falls, "a hole in the floor");
            7
        };
        assert_eq!(caught(work(true)).await, Err(Panicked));
        assert_eq!(caught(work(false)).await, Ok(7));
    }

    #[tokio::test]
    async fn who_runs_is_known_by_name() {
        let name = async {
            tokio::task::yield_now().await;
            current()
        };
        assert_eq!(spawn(Task::Keeper, name).await.unwrap(), "keeper");
        assert_eq!(spawn_blocking(Task::Reading, current).await.unwrap(), "reading");
        let (tell, told) = std::sync::mpsc::channel();
        thread(Task::Keys, move || tell.send(current()).unwrap()).unwrap();
        assert_eq!(told.recv().unwrap(), "keys");
    }
}
