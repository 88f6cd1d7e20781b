//! What the screen shows, kept in step with the store by a task of its own.
//!
//! Two kinds of data, one rule. The [`Snapshot`] is small and always wanted: it is pushed whenever
//! the store's revision, the day or the view changes. A [`Slice`] is large and asked for: the
//! newest [`Question`] of each [`Slot`] is kept and answered, and answered again when the store
//! changes. The rule: a frame is drawn from exactly one snapshot. This room reads through `report`
//! and knows nothing of keys or drawing.

mod keeper;
mod lanes;
mod question;
mod snapshot;
mod trail;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

pub use question::{Answer, Question, Slice, Slot};
pub use snapshot::{Snapshot, View};
pub use trail::TrailRow;

/// The words of questions and answers, for whoever draws them.
pub use crate::report::{
    AccountRow, AccountsQuery, Aim, AlertRow, Allocation, AllocationQuery, AllocationRow, At, Bars,
    BarsQuery, BatchSummary, By, Coming, Compared, ConnectionRow, CoverageRow, Differing, Every,
    Explanation, Find, FindingRow, HoldingRow, IncomeBy, IncomeDate, IncomeQuery, IncomeReport,
    IncomeRow, IncomeSums, Indicator, IndicatorLines, Input, Known, LoggedAlert, LotRow, MarkKind,
    Missing, Mover, MoversQuery, NetWorthQuery, NetWorthReport, NextRow, NoYield, PerformanceQuery,
    PerformanceReport, PerformanceRow, Period, Plan, PlanQuery, PlanRow, PositionsQuery, Proposed,
    Reasons, ReconcileRow, SecurityDetail, SecurityQuery, Split, SplitProposal, SplitShare,
    Standing, TransactionDetail, TransactionRow, Trend, TrendsQuery, WatchQuery, WatchReport,
    WatchRow, Window, WindowQuery, WindowRow, Yardstick, Yields, ratio,
};

use crate::clock::Clock;
/// What a file of an import came to, and a row that was left out.
pub use crate::store::{BatchFile, StagedRow};

use crate::store::{AuditStore, Store};
use crate::tasks::{self, Task};
use keeper::{Ends, Keeper};

/// What the screen tells the keeper.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Look at the store in another way.
    View(View),
    /// The newest question of a slot, with a number that comes back with the answer.
    Slice(Slot, u64, Box<Question>),
    /// Nobody looks at a slot any more.
    Drop(Slot),
    /// Something was written here: look now, do not wait to hear of it.
    Look,
    /// The same store, its trail and its clock, opened anew.
    Store(Store, Option<AuditStore>, Clock),
}

/// What went wrong while reading, in plain words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble(pub String);

/// The screen's end of the keeper.
#[derive(Debug)]
pub struct State {
    /// The newest snapshot; none: nothing has been read yet.
    pub snapshots: watch::Receiver<Option<Arc<Snapshot>>>,
    /// Answers, as they come.
    pub answers: mpsc::UnboundedReceiver<Answer>,
    /// What the keeper cannot read; none: all is well.
    pub troubles: watch::Receiver<Option<Trouble>>,
    /// What is to be said once.
    pub notices: mpsc::UnboundedReceiver<&'static str>,
    asks: mpsc::UnboundedSender<Ask>,
    /// What the keeper will begin with.
    waiting: Option<(View, Ends)>,
    task: Option<JoinHandle<()>>,
}

impl State {
    /// Before there is a store: what is asked for waits.
    #[must_use]
    pub fn new(view: View) -> Self {
        let (asks, asked) = mpsc::unbounded_channel();
        let (answer, answers) = mpsc::unbounded_channel();
        let (say, notices) = mpsc::unbounded_channel();
        let (publish, snapshots) = watch::channel(None);
        let (complain, troubles) = watch::channel(None);
        let waiting = Some((view, Ends { asked, publish, complain, answer, say }));
        Self { snapshots, answers, troubles, notices, asks, waiting, task: None }
    }

    /// Starts the keeper.
    #[must_use]
    pub fn start(store: Store, trail: Option<AuditStore>, clock: Clock, view: View) -> Self {
        let mut state = Self::new(view);
        state.begin(store, trail, clock);
        state
    }

    /// Starts the keeper; one that has begun goes on with this store.
    pub fn begin(&mut self, store: Store, trail: Option<AuditStore>, clock: Clock) {
        match self.waiting.take() {
            Some((view, ends)) => {
                let keeper = Keeper::new((store, trail), clock, view, ends);
                self.task = Some(tasks::spawn(Task::Keeper, keeper.run()));
            }
            None => self.ask(Ask::Store(store, trail, clock)),
        }
    }

    /// Tells the keeper. It never waits; once the keeper is gone nobody listens.
    pub fn ask(&self, ask: Ask) {
        let _ = self.asks.send(ask);
    }

    /// Ends the keeper.
    pub async fn stop(self) {
        drop(self.asks);
        if let Some(task) = self.task {
            task.abort();
            let _ = task.await;
        }
    }
}
