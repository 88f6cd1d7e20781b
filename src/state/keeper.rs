//! The task that keeps what the screen shows in step with the store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::question::{Answer, Question, Slot};
use super::snapshot::{Snapshot, View, revision};
use super::{Ask, Trouble};
use crate::clock::Clock;
use crate::report;
use crate::store::{Changes, Store};

/// How long to wait before a store that cannot be read is tried again.
const PAUSE: Duration = Duration::from_secs(5);
/// Writes that follow closely are shown together.
const CALM: Duration = Duration::from_millis(50);
/// How often the calendar is looked at, since a machine may sleep over midnight.
const CALENDAR: Duration = Duration::from_mins(10);

/// Reads for the screen. It owns the questions that are open; it ends with the screen's end of
/// the channel.
pub(super) struct Keeper {
    store: Store,
    clock: Clock,
    view: View,
    publish: watch::Sender<Option<Arc<Snapshot>>>,
    complain: watch::Sender<Option<Trouble>>,
    answer: mpsc::UnboundedSender<Answer>,
    /// The newest question of each slot.
    questions: BTreeMap<Slot, (u64, Box<Question>)>,
    /// Slots whose question has no answer yet.
    waiting: BTreeSet<Slot>,
    /// The snapshot is not what the store and the view say.
    stale: bool,
}

impl Keeper {
    pub fn new(
        store: Store,
        clock: Clock,
        view: View,
        publish: watch::Sender<Option<Arc<Snapshot>>>,
        complain: watch::Sender<Option<Trouble>>,
        answer: mpsc::UnboundedSender<Answer>,
    ) -> Self {
        Self {
            store,
            clock,
            view,
            publish,
            complain,
            answer,
            questions: BTreeMap::new(),
            waiting: BTreeSet::new(),
            stale: true,
        }
    }

    pub async fn run(mut self, mut asks: mpsc::UnboundedReceiver<Ask>) {
        let mut ears = None;
        loop {
            while let Ok(ask) = asks.try_recv() {
                self.hear(ask);
            }
            if self.stale {
                // Listening begins before reading, so that nothing falls between.
                if ears.is_none() {
                    ears = self.listen().await;
                }
                self.refresh().await;
                continue;
            }
            if let Some(slot) = self.waiting.pop_first() {
                self.reply(slot, &asks).await;
                continue;
            }
            tokio::select! {
                biased;
                ask = asks.recv() => match ask {
                    Some(ask) => self.hear(ask),
                    None => return,
                },
                changed = next(ears.as_mut()) => {
                    if !changed {
                        ears = None;
                    }
                    tokio::time::sleep(CALM).await;
                    self.look().await;
                }
                () = tokio::time::sleep(CALENDAR) => self.look().await,
            }
        }
    }

    fn hear(&mut self, ask: Ask) {
        match ask {
            Ask::View(view) => {
                self.stale |= self.view != view;
                self.view = view;
            }
            Ask::Slice(slot, number, question) => {
                self.questions.insert(slot, (number, question));
                self.waiting.insert(slot);
            }
            Ask::Drop(slot) => {
                self.questions.remove(&slot);
                self.waiting.remove(&slot);
            }
            Ask::Look => self.stale = true,
        }
    }

    async fn listen(&self) -> Option<Changes> {
        self.store.changes().await.ok()
    }

    /// Something may be new: the store has moved on, or the day has.
    async fn look(&mut self) {
        let shown = self.publish.borrow().clone();
        let Some(shown) = shown else {
            self.stale = true;
            return;
        };
        let moved = revision(&self.store).await != Some(shown.revision);
        self.stale = moved || shown.today != self.clock.today();
    }

    async fn refresh(&mut self) {
        self.stale = false;
        match self.read().await {
            Ok(()) => {
                self.waiting = self.questions.keys().copied().collect();
                self.complain.send_if_modified(|trouble| trouble.take().is_some());
            }
            Err(error) => {
                let _ = self.complain.send(Some(Trouble(error.to_string())));
                tokio::time::sleep(PAUSE).await;
                self.stale = true;
            }
        }
    }

    async fn read(&self) -> report::Result<()> {
        let mut tx = self.store.read().await?;
        let snapshot = Snapshot::read(&mut tx, &self.clock, self.view).await?;
        // What is shown already stays until the new one has it too.
        let first = self.publish.borrow().is_none();
        if first {
            let _ = self.publish.send(Some(Arc::new(snapshot.clone())));
        }
        let complete = snapshot.complete(&mut tx).await?;
        let _ = self.publish.send(Some(Arc::new(complete)));
        Ok(())
    }

    async fn reply(&mut self, slot: Slot, asks: &mpsc::UnboundedReceiver<Ask>) {
        let Some((number, question)) = self.questions.get(&slot) else { return };
        let slice = match self.store.read().await {
            // A long search ends when something else is asked: most likely a longer word.
            Ok(mut tx) => question.answer(&mut tx, || asks.is_empty()).await,
            Err(error) => Some(super::Slice::Failed(Trouble(error.to_string()))),
        };
        match slice {
            Some(slice) => {
                let answer = Answer { slot, number: *number, slice: Arc::new(slice) };
                let _ = self.answer.send(answer);
            }
            None => drop(self.waiting.insert(slot)),
        }
    }
}

/// Waits for a change. False: nobody tells any more, so listening must begin anew.
async fn next(changes: Option<&mut Changes>) -> bool {
    match changes {
        Some(changes) => changes.next().await.is_ok(),
        None => {
            tokio::time::sleep(PAUSE).await;
            false
        }
    }
}
