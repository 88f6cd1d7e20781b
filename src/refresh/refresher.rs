//! The dashboard's refresh: a task of its own that sleeps until something is due or somebody asks.

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::{Bench, Cadence, Error, Outcome, Summary, Wish};
use crate::credentials::Keeper;
use crate::fault;
use crate::model::{ConnectionId, SafeText};
use crate::provider::Boxed;
use crate::store::Holder;
use crate::tasks::{self, Task};

/// A refresh that broke down is tried again after this.
const AFTER_PANIC: Duration = Duration::from_mins(1);
/// However far away the next thing is, the clock and the store are looked at: the one may have been
/// set, and another process may have connected something.
const LONGEST_SLEEP: Duration = Duration::from_hours(1);
/// The shortest, so that no mistake in a plan makes a storm.
const SHORTEST_SLEEP: Duration = Duration::from_millis(500);
/// How long quitting waits for what is being stored.
const PATIENCE: Duration = Duration::from_secs(2);

/// Looks for what opens the secrets of connections, or why nothing does.
pub type Unlock = Box<dyn Fn() -> Boxed<Result<Keeper, SafeText>> + Send + Sync>;

/// What the task is asked for while it sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    /// Everything at once, due or not.
    All,
    /// The same of one connection.
    One(ConnectionId),
    /// What is due: something may be that was not.
    Due,
}

/// How the refreshing goes in this process.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// How often each part is fetched; none: nobody has begun.
    pub cadence: Option<Cadence>,
    /// How often it was done.
    pub rounds: u64,
    /// It is being done.
    pub running: bool,
    /// The number of the last one that somebody asked for, and how it went or why it could not be done.
    /// It stays until the next such one: whoever looks seldom misses no answer.
    pub answer: Option<(u64, Result<Summary, String>)>,
    /// How the last one went.
    pub last: Option<Summary>,
    /// Somebody else does it.
    pub elsewhere: Option<Holder>,
    /// Why it could not be done at all.
    pub trouble: Option<String>,
}

/// The task. Dropping it ends it; [`Refresher::stop`] waits for what is being stored.
#[derive(Debug)]
pub struct Refresher {
    /// How it goes.
    pub progress: watch::Receiver<Progress>,
    asks: mpsc::UnboundedSender<Ask>,
    task: JoinHandle<()>,
}

impl Refresher {
    /// Starts it. `unlock` is asked before each round, and what it gives is kept no longer than that:
    /// whoever lets go of the key need not tell anybody.
    #[must_use]
    pub fn start(bench: Bench, unlock: Option<Unlock>) -> Self {
        let cadence = Some(bench.cadence);
        let (publish, progress) = watch::channel(Progress { cadence, ..Progress::default() });
        let (asks, asked) = mpsc::unbounded_channel();
        let task = tasks::spawn(Task::Refresher, run(bench, unlock, publish, asked));
        Self { progress, asks, task }
    }

    /// Asks for everything at once, due or not. It never waits: a round that is under way goes on, and
    /// this one follows. False: it has ended, and nobody hears.
    pub fn ask(&self) -> bool {
        self.asks.send(Ask::All).is_ok()
    }

    /// The same of one connection.
    pub fn ask_one(&self, connection: ConnectionId) -> bool {
        self.asks.send(Ask::One(connection)).is_ok()
    }

    /// Lets it look what is due: a connection is there, goes on, or can be opened since.
    pub fn look(&self) {
        let _ = self.asks.send(Ask::Due);
    }

    /// Ends it, once what is being stored is stored.
    pub async fn stop(self) {
        drop(self.asks);
        let abort = self.task.abort_handle();
        if tokio::time::timeout(PATIENCE, self.task).await.is_err() {
            abort.abort();
        }
    }
}

async fn run(
    bench: Bench,
    unlock: Option<Unlock>,
    publish: watch::Sender<Progress>,
    mut asks: mpsc::UnboundedReceiver<Ask>,
) {
    let mut wish = Wish::default();
    loop {
        publish.send_modify(|progress| progress.running = true);
        let (mut mine, force) = (bench.clone(), wish.force);
        if let Some(unlock) = &unlock {
            mine.outside.keeper = unlock().await;
        }
        // In a task of its own: a mistake in there ends that, not this.
        let round = tasks::spawn(Task::Round, async move {
            fault::point("round");
            let summary = mine.refresh_once(&wish, Duration::ZERO).await?;
            // Whoever asked for one connection wants the others to go on all the same.
            let next = mine.next_due(&Wish::default()).await?;
            Ok::<_, Error>(Summary { next, ..summary })
        });
        let (pause, heard) = match round.await {
            Ok(Ok(summary)) => (until_next(&bench, &summary), Ok(summary)),
            Ok(Err(error)) => (AFTER_PANIC, Err(error.to_string())),
            Err(_) => {
                let text = "refreshing has stopped unexpectedly; it is tried again in a minute";
                (AFTER_PANIC, Err(text.to_owned()))
            }
        };
        publish.send_modify(|progress| tell(progress, heard, force));
        let first = tokio::select! {
            biased;
            ask = asks.recv() => match ask {
                Some(ask) => Some(ask),
                None => return,
            },
            () = tokio::time::sleep(pause) => None,
        };
        // Whatever was asked meanwhile is one question.
        let mut asked: Vec<Ask> = first.into_iter().collect();
        while let Ok(ask) = asks.try_recv() {
            asked.push(ask);
        }
        wish = wish_of(&asked);
    }
}

/// What all questions come to. What is due beside a connection that was asked for follows at once.
fn wish_of(asked: &[Ask]) -> Wish {
    let one = |ask: &Ask| match ask {
        Ask::One(connection) => Some(*connection),
        _ => None,
    };
    let connections: Vec<_> = asked.iter().filter_map(one).collect();
    match asked.contains(&Ask::All) {
        true => Wish { force: true, ..Wish::default() },
        false => Wish { force: !connections.is_empty(), connections, only: None },
    }
}

fn tell(progress: &mut Progress, heard: Result<Summary, String>, asked: bool) {
    progress.rounds += 1;
    progress.running = false;
    if asked {
        progress.answer = Some((progress.rounds, heard.clone()));
    }
    match heard {
        Ok(summary) => {
            progress.elsewhere = match &summary.outcome {
                Outcome::Locked(holder) => holder.clone(),
                _ => None,
            };
            progress.trouble = None;
            progress.last = Some(summary);
        }
        Err(trouble) => progress.trouble = Some(trouble),
    }
}

/// How long until something is due, as far as this process knows: another may have connected
/// something since.
fn until_next(bench: &Bench, summary: &Summary) -> Duration {
    if matches!(summary.outcome, Outcome::Locked(_)) {
        return Duration::from_secs(5);
    }
    let Some(next) = summary.next else { return LONGEST_SLEEP };
    let left = next.saturating_sub(bench.clock.now().timestamp_micros());
    let left = Duration::from_micros(u64::try_from(left).unwrap_or(0));
    left.clamp(SHORTEST_SLEEP, LONGEST_SLEEP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_that_wait_are_one_wish() {
        let (one, two) = (ConnectionId(1), ConnectionId(2));
        let all = Wish { force: true, ..Wish::default() };
        let some = |connections| Wish { connections, force: true, only: None };
        for (asked, wish) in [
            (vec![], Wish::default()),
            (vec![Ask::Due, Ask::Due], Wish::default()),
            (vec![Ask::One(two), Ask::Due], some(vec![two])),
            (vec![Ask::One(one), Ask::One(two)], some(vec![one, two])),
            (vec![Ask::One(one), Ask::All], all),
        ] {
            assert_eq!(wish_of(&asked), wish, "{asked:?}");
        }
    }
}
