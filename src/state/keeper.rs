//! The task that keeps what the screen shows in step with the store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::lanes::{Lanes, Wanted};
use super::question::{Answer, Question, Slice, Slot};
use super::snapshot::{Snapshot, View, revision};
use super::trail;
use super::{Ask, Trouble};
use crate::clock::Clock;
use crate::store::{AuditStore, Changes, Store};
use crate::{fault, report, tasks};

/// How long to wait before a store that cannot be read is tried again.
const PAUSE: Duration = Duration::from_secs(5);
/// Writes that follow closely are shown together.
const CALM: Duration = Duration::from_millis(50);
/// How often the calendar is looked at, since a machine may sleep over midnight.
const CALENDAR: Duration = Duration::from_mins(10);

const FELL: &str =
    "reading failed unexpectedly and has begun anew; a report of it is named at the end";
const FELL_AGAIN: &str =
    "reading fails again and again: r tries once more, q ends and names the report";
const FELL_AT_ONE: &str = "this could not be worked out, and not for a fault of yours; a report of it is named at the end";

/// The keeper's ends of what it shares with the screen.
#[derive(Debug)]
pub(super) struct Ends {
    pub asked: mpsc::UnboundedReceiver<Ask>,
    pub publish: watch::Sender<Option<Arc<Snapshot>>>,
    pub complain: watch::Sender<Option<Trouble>>,
    pub answer: mpsc::UnboundedSender<Answer>,
    pub say: mpsc::UnboundedSender<&'static str>,
}

/// Reads for the screen. It owns the questions that are open, the newest of each slot; a slow one
/// holds up no other. It ends with the screen's end of the channel.
pub(super) struct Keeper {
    store: Store,
    /// What was done; none: nothing ever was.
    trail: Option<AuditStore>,
    clock: Clock,
    view: View,
    ends: Ends,
    /// Tells of changes; none: nobody does.
    ears: Option<Changes>,
    /// The newest question of each slot.
    questions: BTreeMap<Slot, (u64, Box<Question>)>,
    /// Slots whose question has no answer yet.
    waiting: BTreeSet<Slot>,
    /// The snapshot is not what the store and the view say.
    stale: bool,
    /// The questions that are just being answered.
    lanes: Lanes,
    /// How often reading has panicked since it last went well.
    falls: usize,
}

impl Keeper {
    pub fn new(
        (store, trail): (Store, Option<AuditStore>),
        clock: Clock,
        view: View,
        ends: Ends,
    ) -> Self {
        Self {
            store,
            trail,
            clock,
            view,
            ends,
            ears: None,
            questions: BTreeMap::new(),
            waiting: BTreeSet::new(),
            stale: true,
            lanes: Lanes::new(),
            falls: 0,
        }
    }

    /// Works until nobody asks any more; begins anew where it panics.
    pub async fn run(mut self) {
        while tasks::caught(self.work()).await.is_err() {
            if !self.stand_up().await {
                return;
            }
        }
    }

    /// After a panic reading is tried once more, and from then on when there is something new. False:
    /// nobody asks any more.
    async fn stand_up(&mut self) -> bool {
        self.falls += 1;
        self.stale = true;
        if self.falls == 1 {
            let _ = self.ends.say.send(FELL);
            return true;
        }
        let _ = self.ends.complain.send(Some(Trouble(FELL_AGAIN.to_owned())));
        tokio::select! {
            ask = self.ends.asked.recv() => match ask {
                Some(ask) => self.hear(ask),
                None => return false,
            },
            _ = next(self.ears.as_mut()) => {}
        }
        true
    }

    async fn work(&mut self) {
        loop {
            while let Ok(ask) = self.ends.asked.try_recv() {
                self.hear(ask);
            }
            if self.stale {
                // Listening begins before reading, so that nothing falls between.
                if self.ears.is_none() {
                    self.ears = self.store.changes().await.ok();
                }
                self.refresh().await;
                continue;
            }
            if self.lanes.are_free()
                && let Some(slot) = self.waiting.iter().copied().find(|it| !self.lanes.has(*it))
            {
                self.waiting.remove(&slot);
                self.reply(slot);
                continue;
            }
            tokio::select! {
                biased;
                ask = self.ends.asked.recv() => match ask {
                    Some(ask) => self.hear(ask),
                    None => return,
                },
                () = self.lanes.turn() => {}
                changed = next(self.ears.as_mut()) => {
                    if !changed {
                        self.ears = None;
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
                self.lanes.stop(slot);
                self.questions.insert(slot, (number, question));
                self.waiting.insert(slot);
            }
            Ask::Drop(slot) => {
                self.lanes.stop(slot);
                self.questions.remove(&slot);
                self.waiting.remove(&slot);
            }
            Ask::Look => self.stale = true,
            Ask::Store(store, trail, clock) => {
                (self.store, self.trail, self.clock) = (store, trail, clock);
                (self.ears, self.stale) = (None, true);
                self.lanes.stop_all();
            }
        }
    }

    /// Something may be new: the store has moved on, or the day has.
    async fn look(&mut self) {
        let shown = self.ends.publish.borrow().clone();
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
                self.falls = 0;
                self.waiting = self.questions.keys().copied().collect();
                self.ends.complain.send_if_modified(|trouble| trouble.take().is_some());
            }
            Err(error) => {
                let _ = self.ends.complain.send(Some(Trouble(error.to_string())));
                tokio::time::sleep(PAUSE).await;
                self.stale = true;
            }
        }
    }

    async fn read(&self) -> report::Result<()> {
        fault::point("refresh");
        let mut tx = self.store.read().await?;
        let snapshot = Snapshot::read(&mut tx, &self.clock, self.view).await?;
        // What is shown already stays until the new one has it too.
        let first = self.ends.publish.borrow().is_none();
        if first {
            let _ = self.ends.publish.send(Some(Arc::new(snapshot.clone())));
        }
        let complete = snapshot.complete(&mut tx).await?;
        let _ = self.ends.publish.send(Some(Arc::new(complete)));
        Ok(())
    }

    /// Begins to answer the question of a slot.
    fn reply(&mut self, slot: Slot) {
        let Some((number, question)) = self.questions.get(&slot) else { return };
        let (number, question) = (*number, question.clone());
        let (store, trail) = (self.store.clone(), self.trail.clone());
        let answer = self.ends.answer.clone();
        let send = move |slice| {
            let _ = answer.send(Answer { slot, number, slice: Arc::new(slice) });
        };
        let fallen = send.clone();
        let work = |wanted| async move {
            fault::point("answer");
            fault::hold(&format!("slow-{slot:?}")).await;
            if let Some(slice) = answered(&question, &store, trail.as_ref(), &wanted).await {
                send(slice);
            }
        };
        let fallen = move || fallen(Slice::Failed(Trouble(FELL_AT_ONE.to_owned())));
        self.lanes.begin(slot, work, fallen);
    }
}

/// The answer to a question; none where nobody wants it any more.
async fn answered(
    question: &Question,
    store: &Store,
    trail: Option<&AuditStore>,
    wanted: &Wanted,
) -> Option<Slice> {
    if *question == Question::Trail {
        return Some(trail::answer(trail).await);
    }
    match store.read().await {
        Ok(mut tx) => question.answer(&mut tx, || wanted.is_so()).await,
        Err(error) => Some(Slice::Failed(Trouble(error.to_string()))),
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
