//! Questions under way, each in a task of its own. They begin one after the other; one that takes
//! long goes on beside those after it, so that nobody waits for the question of somebody else.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::question::Slot;
use crate::tasks::{self, Task};

/// How long the next question waits for the one before it.
const PATIENCE: Duration = Duration::from_millis(50);
/// So many are under way at most: each of them has a connection of the store.
const MOST: usize = 3;

/// The questions under way, at most one of each slot.
#[derive(Debug)]
pub(super) struct Lanes {
    /// Each with what is dropped where nobody wants to know any more.
    running: BTreeMap<Slot, Option<watch::Sender<()>>>,
    /// When the next may begin.
    next: Instant,
    tell: mpsc::UnboundedSender<Slot>,
    ended: mpsc::UnboundedReceiver<Slot>,
}

/// Whether somebody still wants to know.
#[derive(Clone, Debug)]
pub(super) struct Wanted(watch::Receiver<()>);

impl Wanted {
    pub fn is_so(&self) -> bool {
        self.0.has_changed().is_ok()
    }

    /// Waits until nobody does.
    async fn no_more(mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

impl Lanes {
    pub fn new() -> Self {
        let (tell, ended) = mpsc::unbounded_channel();
        Self { running: BTreeMap::new(), next: Instant::now(), tell, ended }
    }

    /// Whether a question may begin now.
    pub fn are_free(&self) -> bool {
        self.running.len() < MOST && self.next <= Instant::now()
    }

    pub fn has(&self, slot: Slot) -> bool {
        self.running.contains_key(&slot)
    }

    /// Begins to answer. Work that panics hands out what `fallen` does in its place.
    pub fn begin<W: Future<Output = ()> + Send + 'static>(
        &mut self,
        slot: Slot,
        work: impl FnOnce(Wanted) -> W,
        fallen: impl FnOnce() + Send + 'static,
    ) {
        let (wanted, until) = watch::channel(());
        let until = Wanted(until);
        let (work, tell) = (work(until.clone()), self.tell.clone());
        tasks::spawn(Task::Answer, async move {
            tokio::select! {
                done = tasks::caught(work) => done.unwrap_or_else(|_| fallen()),
                () = until.no_more() => {}
            }
            let _ = tell.send(slot);
        });
        self.running.insert(slot, Some(wanted));
        self.next = Instant::now() + PATIENCE;
    }

    /// Nobody wants to know what is being answered there.
    pub fn stop(&mut self, slot: Slot) {
        self.running.get_mut(&slot).into_iter().for_each(|wanted| *wanted = None);
    }

    /// The same of all.
    pub fn stop_all(&mut self) {
        self.running.values_mut().for_each(|wanted| *wanted = None);
    }

    /// Waits until one has ended, or has taken so long that the next may begin. Nothing is lost where
    /// the wait is given up.
    pub async fn turn(&mut self) {
        let may_begin = self.running.len() < MOST && self.next > Instant::now();
        tokio::select! {
            Some(slot) = self.ended.recv() => {
                self.running.remove(&slot);
                self.next = Instant::now();
            }
            () = sleep_until(self.next), if may_begin => {}
        }
    }
}
