//! Bringing in what is new from outside: what is due is planned, fetched, judged and written, by
//! one process at a time. The headless command and the dashboard's task do the same.

mod alerts;
mod bars;
mod days;
mod filler;
mod job;
mod judge;
mod order;
mod outside;
mod plan;
mod progress;
mod questions;
mod rates;
mod refresher;
mod sieve;
mod summary;
mod untold;
mod wanted;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{Days, TimeDelta};
use futures_util::future::join_all;
use tokio::sync::Semaphore;

pub use alerts::{judge_alerts, look_at_alerts};
pub use days::{are_days_lost, keep_all_days, keep_days, keep_days_in_steps, keep_few_days};
pub use filler::Filler;
pub use job::{Done, ToldAll, Work};
pub use judge::{Skip, Wrong, judge, judge_close};
pub use outside::Outside;
pub use plan::{Cadence, Job, LONGEST_PAUSE, Moment, Only, Plan, Why, Wish, pause, plan};
pub use refresher::{Progress, Refresher, Unlock};
pub use summary::{Outcome, Quotes, Summary, Told};
pub use wanted::{WantedAll, WantedSecurity};

use crate::audit::{self, Audit};
use crate::clock::Clock;
use crate::credentials::unanswered;
use crate::model::{Connection, ConnectionId, ConnectionState, Part, SafeText, midnight_micros};
use crate::provider::{self, Auth, Entry, Market};
use crate::store::{Holder, Lease, RefreshRecord, Store, Waiting};
use crate::{ledger, store};

/// Why a refresh could not be done. What a provider does not tell is no error: it is told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store or the trail.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The ledger.
    #[error(transparent)]
    Ledger(ledger::Error),
    /// Its task ended before its time.
    #[error("the refresh was stopped before its end")]
    Interrupted,
}

impl From<ledger::Error> for Error {
    fn from(error: ledger::Error) -> Self {
        match error {
            ledger::Error::Store(error) => Self::Store(error),
            other => Self::Ledger(other),
        }
    }
}

/// The result of everything in this room.
pub type Result<T> = std::result::Result<T, Error>;

/// What a refresh works on. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bench {
    /// The store.
    pub store: Store,
    /// Its trail.
    pub audit: Audit,
    /// The time.
    pub clock: Clock,
    /// How often each part is fetched.
    pub cadence: Cadence,
    /// What connections show to their services.
    pub outside: Outside,
}

/// So many services are asked at once.
const AT_ONCE: usize = 4;

/// Why nothing comes of a connection that rests.
const PAUSED: &str = "it is paused; `dashtam connections resume` lets it go on";

/// How often somebody who waits for the lease looks again.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What the store says of connections.
struct Known {
    connections: Vec<Connection>,
    refreshes: Vec<RefreshRecord>,
    /// Those that their owner lets rest.
    paused: BTreeSet<ConnectionId>,
    /// What is due and cannot be asked for, as the vault is locked.
    locked: Vec<Job>,
    /// One that can be asked has shown a secret that serves once, and nothing came back.
    is_any_lost: bool,
}

impl Bench {
    /// Refreshes what is due, once. `wait` is how long to wait for somebody else who does.
    ///
    /// # Errors
    /// When the store or the trail fails.
    pub async fn refresh_once(&self, wish: &Wish, wait: Duration) -> Result<Summary> {
        let started = self.clock.now();
        let (mut known, plan) = self.look(wish).await?;
        let mut done = Vec::new();
        let is_due = !plan.jobs.is_empty();
        if is_due || known.is_any_lost {
            match self.lease(if is_due { wait } else { Duration::ZERO }).await? {
                Ok(lease) => {
                    let worked = self.work_off(&lease, wish, &mut done).await;
                    let released = lease.release().await;
                    worked?;
                    released?;
                    keep_days(&self.store, self.clock.today()).await;
                    (known, _) = self.look(wish).await?;
                }
                Err(holder) if is_due => {
                    let summary = self.sum_up(started, wish, &known, &[], plan.next).await?;
                    return Ok(Summary { outcome: Outcome::Locked(holder), ..summary });
                }
                // It may be waiting for the answer, and settles what is lost.
                Err(_) => {}
            }
        }
        if let Err(why) = &self.outside.keeper {
            let error = provider::Error::Locked(why.clone());
            done.extend(known.locked.iter().map(|job| Done::without(*job, error.clone())));
        }
        // Under the lease or not: each crossing is told once.
        let alerts = judge_alerts(&self.store, &self.audit, &self.clock).await?;
        let next = self.next_due(&Wish { force: false, ..wish.clone() }).await?;
        let summary = self.sum_up(started, wish, &known, &done, next).await?;
        Ok(Summary { alerts, ..summary })
    }

    /// Does what is due, under the lease.
    async fn work_off(&self, lease: &Lease, wish: &Wish, done: &mut Vec<Done>) -> Result<()> {
        self.settle(lease).await?;
        // Whoever had it before may have done it all.
        let (known, plan) = self.look(wish).await?;
        self.work(lease, &known, &plan, done).await
    }

    /// When something is due that nobody has to ask for; none: nothing will be.
    async fn next_due(&self, wish: &Wish) -> Result<Option<i64>> {
        Ok(match self.look(wish).await?.1 {
            after if after.jobs.is_empty() => after.next,
            _ => Some(self.clock.now().timestamp_micros()),
        })
    }

    async fn look(&self, wish: &Wish) -> Result<(Known, Plan)> {
        let mut tx = self.store.read().await?;
        let (connections, refreshes) = (tx.connections().await?, tx.refreshes().await?);
        let paused: BTreeSet<ConnectionId> = tx.paused().await?.into_keys().collect();
        let awake = connections.iter().filter(|known| !paused.contains(&known.id));
        let awake: Vec<_> = awake.cloned().collect();
        let mut plan = plan(&awake, &refreshes, can, wish, self.cadence, self.moment());
        let has_key = self.outside.keeper.is_ok();
        let can_ask = |job: &Job| {
            let connection = connections.iter().find(|found| found.id == job.connection);
            let entry = connection.and_then(|it| provider::named(&it.provider).ok());
            has_key || entry.is_none_or(|entry| matches!(entry.auth, Auth::Nobody))
        };
        let (jobs, locked) = std::mem::take(&mut plan.jobs).into_iter().partition(can_ask);
        plan.jobs = jobs;
        let unanswered = unanswered(&mut tx).await?;
        let is_lost = |it: &Connection| {
            let is_active = it.state == ConnectionState::Active;
            is_active && unanswered.iter().any(|row| row.connection == it.id)
        };
        let is_any_lost = has_key && connections.iter().any(is_lost);
        Ok((Known { connections, refreshes, paused, locked, is_any_lost }, plan))
    }

    /// The lease, or who has it.
    ///
    /// # Errors
    /// When the lock cannot be reached.
    pub async fn lease(
        &self,
        wait: Duration,
    ) -> Result<std::result::Result<Lease, Option<Holder>>> {
        let (begun, mut waiting) = (self.clock.monotonic(), Waiting::default());
        let me = Holder {
            host: SafeText::new(&audit::host()),
            pid: i64::from(std::process::id()),
            since: self.clock.now().timestamp_micros(),
        };
        loop {
            if let Some(lease) = self.store.try_lease_again(&me, &mut waiting).await? {
                return Ok(Ok(lease));
            }
            let waited = self.clock.monotonic().duration_since(begun);
            if waited >= wait {
                return Ok(Err(self.store.lease_holder().await?));
            }
            tokio::time::sleep(LOOK_EVERY.min(wait.saturating_sub(waited))).await;
        }
    }

    async fn work(
        &self,
        lease: &Lease,
        known: &Known,
        plan: &Plan,
        done: &mut Vec<Done>,
    ) -> Result<()> {
        let work = |job: &Job| {
            let connection = known.connections.iter().find(|found| found.id == job.connection)?;
            let is_mine =
                |last: &&RefreshRecord| last.connection == job.connection && last.part == job.part;
            let last = known.refreshes.iter().find(is_mine);
            Some(Work { bench: self, lease, connection, job: *job, last })
        };
        let mut works: Vec<_> = plan.jobs.iter().filter_map(work).collect();
        // Whoever is asked for what others do not tell comes after them.
        works.sort_by_key(|work| self.place(work.connection));
        let (accounts, market): (Vec<_>, Vec<_>) =
            works.into_iter().partition(|work| work.job.part == Part::Accounts);
        let (quotes, history): (Vec<_>, Vec<_>) =
            market.into_iter().partition(|work| work.job.part == Part::Quotes);
        // A first one waits for what the accounts bring: that is what it is asked of.
        let (first, history): (Vec<_>, Vec<_>) =
            history.into_iter().partition(|work| work.last.is_none());
        for work in history {
            done.extend(self.fetch(&work).await?);
        }
        // A service that is slow holds up no other; what they tell is written one after the other.
        let permits = Semaphore::new(AT_ONCE);
        let asked = join_all(accounts.iter().map(|work| async {
            let _permit = permits.acquire().await;
            self.ask(work).await
        }))
        .await;
        let mut failed = None;
        for (work, asked) in accounts.iter().zip(asked) {
            let taken = match asked {
                Ok(Asked::Told(told)) => work.take_accounts(*told).await,
                Ok(Asked::Over(over)) => Ok(*over),
                Ok(Asked::Rests) => continue,
                Err(error) => Err(error),
            };
            match taken {
                Ok(taken) => done.push(taken),
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        for work in first.into_iter().chain(quotes) {
            done.extend(self.fetch(&work).await?);
        }
        Ok(())
    }

    /// Asks a connection for its accounts.
    async fn ask(&self, work: &Work<'_>) -> Result<Asked> {
        if self.rests(work.connection.id).await? {
            return Ok(Asked::Rests);
        }
        let entry = match provider::named(&work.connection.provider) {
            Ok(entry) => entry,
            Err(error) => return Ok(Asked::Over(Box::new(work.unknown(error).await?))),
        };
        let Some(accounts) = entry.accounts else {
            return Ok(Asked::Over(Box::new(work.nothing())));
        };
        match self.setup(work.lease, work.connection, entry).await? {
            Ok(setup) => {
                let settles = TimeDelta::try_seconds(entry.settles_within).unwrap_or_default();
                let shown = setup.line.as_ref().map(|(_, shown)| Arc::clone(shown));
                let mut told = work.ask_accounts(&accounts(setup), settles).await?;
                // An access may end early: it is renewed once.
                if told.is_denied() {
                    let (lease, connection) = (work.lease, work.connection);
                    match self.setup_after(lease, connection, entry, shown.as_deref()).await {
                        Ok(setup) => told.again(setup.map(accounts)).await,
                        Err(error) => {
                            told.give_up("storage").await;
                            return Err(error);
                        }
                    }
                }
                // What was told of a first history is kept; for the rest it is asked when it goes on.
                match self.rests(work.connection.id).await {
                    Ok(false) => Ok(Asked::Told(Box::new(told))),
                    Ok(true) => {
                        told.give_up("paused").await;
                        Ok(Asked::Rests)
                    }
                    Err(error) => {
                        told.give_up("storage").await;
                        Err(error)
                    }
                }
            }
            Err(error) => Ok(Asked::Over(Box::new(work.unknown(error).await?))),
        }
    }

    /// Whether its owner lets a connection rest by now.
    async fn rests(&self, connection: ConnectionId) -> Result<bool> {
        Ok(self.store.read().await?.paused().await?.contains_key(&connection))
    }

    /// Fetches prices; none: its owner lets it rest by now.
    async fn fetch(&self, work: &Work<'_>) -> Result<Option<Done>> {
        if self.rests(work.connection.id).await? {
            return Ok(None);
        }
        let done = self.fetch_prices(work).await?;
        Ok((!done.is_paused()).then_some(done))
    }

    async fn fetch_prices(&self, work: &Work<'_>) -> Result<Done> {
        let entry = match provider::named(&work.connection.provider) {
            Ok(entry) => entry,
            Err(error) => return work.unknown(error).await,
        };
        let Some(market) = entry.market else { return Ok(work.nothing()) };
        let setup = match self.setup(work.lease, work.connection, entry).await? {
            Ok(setup) => setup,
            Err(error) => return work.unknown(error).await,
        };
        let shown = setup.line.as_ref().map(|(_, shown)| Arc::clone(shown));
        let done = self.ask_prices(work, entry, &market(setup)).await?;
        // An access may end early: it is renewed once, but not again and again where it is prices that
        // are not shown for it.
        if !done.is_denied() || work.was_denied_before() {
            return Ok(done.settled());
        }
        match self.setup_after(work.lease, work.connection, entry, shown.as_deref()).await? {
            Ok(setup) => Ok(self.ask_prices(work, entry, &market(setup)).await?.settled()),
            Err(error) => work.unknown(error).await,
        }
    }

    async fn ask_prices(&self, work: &Work<'_>, entry: &Entry, market: &Market) -> Result<Done> {
        // What the job before this one stored counts.
        let mut wanted = WantedAll::read(&self.store, self.clock.today()).await?;
        match entry.tells_prices {
            true => wanted = self.left_for(work.connection, work.job.part, wanted).await?,
            false => wanted.securities.clear(),
        }
        if !entry.tells_rates {
            wanted.pairs.clear();
        }
        match work.job.part {
            Part::Quotes => work.quotes(market, &wanted).await,
            Part::History => work.history(market, &wanted).await,
            Part::Accounts => Ok(work.nothing()),
        }
    }

    async fn sum_up(
        &self,
        started: chrono::DateTime<chrono::Utc>,
        wish: &Wish,
        known: &Known,
        done: &[Done],
        next: Option<i64>,
    ) -> Result<Summary> {
        let wanted = |connection: &&Connection| {
            let named = wish.connections.is_empty() || wish.connections.contains(&connection.id);
            named && connection.state != ConnectionState::Disconnected
        };
        let mine = known.connections.iter().filter(wanted);
        let told = |connection: &Connection| {
            let told = Told::of(connection, done);
            // Whoever named it wonders why nothing came; who asks for all knows of it.
            let is_named = wish.connections.contains(&connection.id);
            match is_named && known.paused.contains(&connection.id) {
                true => Told { why: Some(PAUSED.to_owned()), ..told },
                false => told,
            }
        };
        let connections: Vec<_> = mine.map(told).collect();
        Ok(Summary {
            started,
            finished: self.clock.now(),
            outcome: summary::overall(&connections),
            connections,
            quotes: Quotes::of(done),
            alerts: Vec::new(),
            revision: self.store.revision().await?,
            next,
        })
    }

    fn moment(&self) -> Moment {
        let today = self.clock.today();
        let tomorrow = today.checked_add_days(Days::new(1)).unwrap_or(today);
        let now = self.clock.now();
        let begins = |day| self.clock.beginning_of(day).timestamp_micros();
        // Another day is over when it is so here and in UTC.
        let (there, next) = (now.date_naive(), now.date_naive().succ_opt().unwrap_or_default());
        Moment {
            now: now.timestamp_micros(),
            midnight: begins(today).max(midnight_micros(there)),
            tomorrow: begins(tomorrow).min(midnight_micros(next)),
        }
    }
}

/// What became of the question for accounts.
enum Asked {
    /// An answer, or why there is none.
    Told(Box<ToldAll>),
    /// That was all.
    Over(Box<Done>),
    /// Its owner lets it rest by now.
    Rests,
}

/// How seldom a part of a connection need be fetched; none: it has no such part. One whose provider is
/// unknown is asked for its accounts, and says so.
fn can(connection: &Connection, part: Part) -> Option<TimeDelta> {
    let has = match (provider::named(&connection.provider), part) {
        (Err(_), part) => return (part == Part::Accounts).then(TimeDelta::zero),
        (Ok(entry), Part::Accounts) => entry.accounts.is_some().then_some(entry),
        (Ok(entry), Part::History) => entry.market.is_some().then_some(entry),
        (Ok(entry), Part::Quotes) => {
            (entry.market.is_some() && entry.tells_prices).then_some(entry)
        }
    };
    has.map(|entry| TimeDelta::try_seconds(entry.renews_within).unwrap_or_default())
}
