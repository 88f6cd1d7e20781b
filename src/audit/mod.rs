//! What happened: every operation leaves an ATTEMPTED that is durable before its first effect, and
//! exactly one outcome after it.
//!
//! A crash between the two is settled at the next start by looking whether the operation's mark
//! is in the store, so the trail is exact and never a guess. Details name counts and files, never
//! secrets and never amounts.
//!
//! Every record is a link of a `chain`, which proves it with all before it; each machine has a chain
//! of its own, since a trail on a server may be shared. The `keeper` has what a chain needs beside
//! its rows, the `witness` writes each record a second time, and `verify` compares them all. Who owns
//! the files may still do what he likes: it is seen, not prevented.

mod action;
mod chain;
mod keeper;
mod purge;
mod slots;
mod verify;
mod witness;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::{info, warn};

pub use action::{Action, Subject};
pub use chain::{ChainKey, Hash, genesis, hash_in};
pub use keeper::{Head, Place};
pub use purge::{Outcome as PurgeOutcome, YEARS, kept_from};
pub use verify::{Fault, Glance, Proof, glance};
pub use witness::line;

use crate::clock::Clock;
use crate::model::{OpId, SafeText};
use crate::store::{AuditRow, AuditStore, AuditTarget, AuditTx, ELSEWHERE, Error, Result, Store};
use crate::vault::{Key, Recipient};
use keeper::Ring;
use verify::Extent;
use witness::Witness;

/// No detail is longer, in bytes.
const LONGEST: usize = 1024;

/// So many records a start may look at again, before it is noted that nothing of them is open.
const LOOKED_AT: i64 = 1000;

/// The trail of one store.
#[derive(Clone, Debug)]
pub struct Audit {
    store: AuditStore,
    clock: Clock,
    actor: String,
    place: Place,
    /// Which database it is, where it is not the usual one: several may share a trail.
    elsewhere: Option<String>,
    /// What guards the rows and cannot be made again: told once, and not tried at each record.
    unmade: Arc<Mutex<BTreeSet<&'static str>>>,
}

/// An operation that has begun. It must be ended as succeeded or failed; one that is dropped looks
/// like a crash, and is settled like one.
#[derive(Debug)]
pub struct Attempt {
    audit: Audit,
    op: OpId,
    action: String,
}

impl Audit {
    /// Opens the trail and settles what an earlier process left open.
    ///
    /// # Errors
    /// When the trail cannot be reached.
    pub async fn open(
        target: &AuditTarget,
        store: &Store,
        clock: &Clock,
        place: Place,
    ) -> Result<Self> {
        let audit = Self {
            store: AuditStore::open(target).await?,
            clock: clock.clone(),
            actor: actor(std::process::id()),
            place,
            elsewhere: elsewhere(target, store).await?,
            unmade: Arc::default(),
        };
        if let Err(error) = audit.catch_up().await {
            // Whoever only looks needs nothing of it; the next record needs all of it, and says so.
            warn!(%error, "what a process left undone beside the trail is still undone");
        }
        // One with the number of this process was an earlier one: this one has only just begun.
        audit.settle_interrupted(store, |row| is_running(&row.actor)).await?;
        Ok(audit)
    }

    /// Settles what other processes left open that are gone since this one began; what it began
    /// itself goes on.
    ///
    /// # Errors
    /// When the trail cannot be written.
    pub async fn settle_left_open(&self, store: &Store) -> Result<()> {
        let goes_on = |row: &AuditRow| row.actor == self.actor || is_running(&row.actor);
        self.settle_interrupted(store, goes_on).await
    }

    /// Begins an operation: durable when this returns.
    ///
    /// # Errors
    /// When the trail cannot be written; then the operation must not begin.
    pub async fn attempt(&self, action: &str, detail: &str) -> Result<Attempt> {
        let op = self.new_op();
        self.append(&op.to_string(), action, "ATTEMPTED", &self.placed(detail)).await?;
        // The detail may hold names; the trail is private, the log is for showing around.
        info!(%op, action, "attempted");
        Ok(Attempt { audit: self.clone(), op, action: action.to_owned() })
    }

    /// A detail with the name of the database behind it, where it is not the usual one. By that name
    /// an attempt is settled and looked for: it stays whole, and nothing else of the detail (an
    /// account may be called anything) reads like one.
    fn placed(&self, detail: &str) -> String {
        let detail = detail.replace(ELSEWHERE, "database ");
        let Some(name) = &self.elsewhere else { return detail };
        let name = format!("{ELSEWHERE}{name}");
        let detail = SafeText::capped(&detail, LONGEST.saturating_sub(name.len() + 1));
        format!("{detail} {name}").trim_start().to_owned()
    }

    /// Where the rows are, to be looked at.
    #[must_use]
    pub const fn store(&self) -> &AuditStore {
        &self.store
    }

    /// The rows of the trail, oldest first.
    ///
    /// # Errors
    /// When the trail cannot be read.
    pub async fn rows(&self) -> Result<Vec<AuditRow>> {
        self.store.rows().await
    }

    /// The number of the newest row; 0: there is none.
    ///
    /// # Errors
    /// When the trail cannot be read.
    pub async fn newest(&self) -> Result<i64> {
        self.store.newest().await
    }

    /// Some rows behind this number, oldest first; none once all up to the other one were given.
    ///
    /// # Errors
    /// When the trail cannot be read.
    pub async fn rows_between(&self, after: i64, until: i64) -> Result<Vec<AuditRow>> {
        self.store.rows_between(after, until).await
    }

    /// Ends the connection to the trail.
    pub async fn close(&self) {
        self.store.close().await;
    }

    async fn append(&self, op: &str, action: &str, state: &str, detail: &str) -> Result<()> {
        let mut ring = self.place.lock().await?;
        let mut tx = self.store.begin().await?;
        let mut broken = tx.broken_guards().await?;
        broken.retain(|guard| !self.unmade().contains(guard));
        if !broken.is_empty() {
            tx = self.mend(&mut ring, tx, &broken).await?;
        }
        self.add(&mut ring, tx, self.row(op, action, state, detail)).await
    }

    /// Adds a row as the next link.
    async fn add(&self, ring: &mut Ring<'_>, mut tx: AuditTx, row: AuditRow) -> Result<()> {
        ring.follow(&mut tx).await?;
        let row = ring.sign(&mut tx, row).await?;
        tx.insert(&row).await?;
        tx.commit().await?;
        // What comes now is made up for by the next record, whatever stops it.
        ring.passed(Some(&row));
        self.witness(ring, &row).await;
        Ok(())
    }

    /// Somebody took away what keeps rows as they are. That it is there again is durable together with
    /// the record that tells of it.
    async fn mend(
        &self,
        ring: &mut Ring<'_>,
        tx: AuditTx,
        broken: &[&'static str],
    ) -> Result<AuditTx> {
        let (op, guards) = (self.new_op().to_string(), broken.join(" "));
        let row = |state, detail: &str| self.row(&op, Action::AuditMend.as_str(), state, detail);
        let detail = format!("guards={guards}");
        self.add(ring, tx, row("ATTEMPTED", &detail)).await?;
        let mut tx = self.store.begin().await?;
        let (unmade, why) = match tx.mend_guards(broken).await {
            Ok(unmade) => (unmade, "rows"),
            // The trail is another role's, which alone can make them again. What we do is recorded all
            // the same.
            Err(Error::Right(_)) => {
                drop(tx);
                tx = self.store.begin().await?;
                (broken.to_vec(), "rights")
            }
            Err(error) => return Err(error),
        };
        warn!(guards, ?unmade, "what guards the trail was not as it was made");
        let (state, detail) = match unmade.is_empty() {
            true => ("SUCCEEDED", detail),
            false => ("FAILED", format!("reason={why} unmade={}", unmade.join(" "))),
        };
        self.add(ring, tx, row(state, &detail)).await?;
        self.unmade().extend(unmade);
        self.store.begin().await
    }

    fn unmade(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.unmade.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_op(&self) -> OpId {
        let millis = self.clock.now().timestamp_millis();
        OpId::at(u64::try_from(millis).unwrap_or(0))
    }

    fn row(&self, op: &str, action: &str, state: &str, detail: &str) -> AuditRow {
        AuditRow {
            at: self.clock.now().timestamp_micros(),
            op: op.to_owned(),
            action: action.to_owned(),
            state: state.to_owned(),
            actor: self.actor.clone(),
            subject: action::subject_of(action).to_owned(),
            detail: SafeText::capped(detail, LONGEST).into_string(),
            ..AuditRow::default()
        }
    }

    /// Brings the key, the head and the daily files to where the rows are.
    async fn catch_up(&self) -> Result<()> {
        if !self.place.is_begun() {
            return Ok(());
        }
        let mut ring = self.place.lock().await?;
        self.place.seal_what_lies_open();
        if ring.state().is_none() {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        let was_behind = ring.follow(&mut tx).await?;
        drop(tx);
        if was_behind {
            ring.passed(None);
        }
        let Some(state) = ring.state().filter(|state| state.count > 0) else { return Ok(()) };
        let last = self.store.links(&state.chain, state.count.saturating_sub(1)).await?.pop();
        if let Some(last) = last {
            self.witness(&ring, &last).await;
        }
        Ok(())
    }

    /// Writes this record into the daily files, behind those that are missing there.
    async fn witness(&self, ring: &Ring<'_>, row: &AuditRow) {
        let witness = Witness::at(self.place.witness());
        let told = async {
            let last = witness.last(&row.chain, row).map_err(|error| file_error(&error))?;
            let mut next = last.map_or(0, |last| last.saturating_add(1));
            if next == row.link {
                return witness
                    .write(std::slice::from_ref(row))
                    .map_err(|error| file_error(&error));
            }
            while next <= row.link {
                let rows = self.store.links(&row.chain, next).await?;
                let Some(last) = rows.last() else { break };
                next = last.link.saturating_add(1);
                witness.write(&rows).map_err(|error| file_error(&error))?;
            }
            Ok(())
        };
        let done: Result<()> = told.await;
        if let Err(error) = done {
            let chain = ring.state().map(|state| state.chain.as_str());
            warn!(%error, chain, "the daily file of the trail could not be written");
        }
    }

    /// Proves the trail. First keys that are sealed are opened with a key of the vault; none: one is
    /// needed and was not given.
    ///
    /// # Errors
    /// When the trail cannot be read.
    pub async fn verify(&self, key: Option<&Key>, kept: Option<&Head>) -> Result<Option<Proof>> {
        let extent = {
            // Nobody adds anything for a moment, so that all three end with the same record.
            let _ring = self.place.lock().await?;
            extent(&self.store, &self.place).await?
        };
        verify::verify(&self.store, extent, key, kept).await
    }

    /// Whether proving it needs the key of the vault.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.place.is_sealed()
    }

    /// Lets the machines of a vault, and no others, prove what was and what comes: the first keys of
    /// the chains are sealed for them, and where this vault has none of the chain, a new one begins.
    ///
    /// # Errors
    /// When a file cannot be written, or the trail not read.
    pub async fn go_over_to(&self, recipients: &[Recipient], key: &Key) -> Result<()> {
        let mut ring = self.place.lock().await?;
        let mut tx = self.store.begin().await?;
        ring.follow(&mut tx).await?;
        ring.begin_what_can_be_proved(&mut tx, key).await?;
        drop(tx);
        let sealed = self.place.seal_first_keys(recipients, key);
        sealed.map_err(|error| Error::File(error.to_string()))
    }

    /// An attempt without an outcome whose process is gone was interrupted: its mark in the store, or
    /// in the key file of the vault, tells whether its writes are there. Only those are looked at that may be open still, so that a
    /// start takes no longer with a longer trail.
    async fn settle_interrupted(
        &self,
        store: &Store,
        goes_on: impl Fn(&AuditRow) -> bool,
    ) -> Result<()> {
        let looked = self.place.look().map_or(0, |state| state.settled);
        let mut settled = self.store.newest().await?;
        for row in self.store.open_attempts(looked).await? {
            if goes_on(&row) || !self.settle(store, &row).await? {
                settled = settled.min(row.seq.saturating_sub(1));
            }
        }
        if settled.saturating_sub(looked) >= LOOKED_AT
            && let Ok(mut ring) = self.place.lock().await
        {
            ring.settled(settled);
        }
        Ok(())
    }

    /// Settles an attempt that was interrupted; tells whether that is done.
    async fn settle(&self, store: &Store, row: &AuditRow) -> Result<bool> {
        // Only its own store knows what became of it.
        let its_store = row.detail.rsplit_once(ELSEWHERE).map(|(_, name)| name);
        if its_store != self.elsewhere.as_deref() {
            return Ok(false);
        }
        // While somebody else writes for long nobody can tell; the next start asks again.
        let Ok(applied) = is_applied(store, &row.op).await else { return Ok(false) };
        let (state, detail) = match applied || self.place.is_key_file_by(&row.op) {
            true => ("SUCCEEDED", "recovered=true"),
            false => ("FAILED", "reason=interrupted"),
        };
        warn!(op = row.op, action = row.action, state, "settled what was interrupted");
        match self.append(&row.op, &row.action, state, detail).await {
            // Somebody else was first.
            Err(_) if self.store.has_outcome(&row.op).await? => Ok(true),
            appended => appended.map(|()| true),
        }
    }
}

impl Attempt {
    /// The operation's id, which its writes carry.
    #[must_use]
    pub const fn op(&self) -> OpId {
        self.op
    }

    /// Ends the operation well.
    ///
    /// # Errors
    /// When the trail cannot be written; the next start settles it then.
    pub async fn succeeded(self, detail: &str) -> Result<()> {
        info!(op = %self.op, action = self.action, detail, "succeeded");
        self.audit.append(&self.op.to_string(), &self.action, "SUCCEEDED", detail).await
    }

    /// Ends an operation whose writes are in the store, with its mark. What is done is done, whether
    /// or not the trail can say so now: the next start finds the mark and says it then.
    pub async fn committed(self, detail: &str) {
        let op = self.op;
        if self.succeeded(detail).await.is_err() {
            warn!(%op, "the trail could not say that it succeeded; the next start will");
        }
    }

    /// Ends the operation badly; nothing of it was written.
    ///
    /// # Errors
    /// When the trail cannot be written; the next start settles it then.
    pub async fn failed(self, reason: &str) -> Result<()> {
        warn!(op = %self.op, action = self.action, reason, "failed");
        self.audit.append(&self.op.to_string(), &self.action, "FAILED", reason).await
    }

    /// Ends an operation of which nobody knows whether its commit was the last that happened: its
    /// mark in the store tells. Where that cannot be asked now, the next start asks. What a file
    /// could not make durable is in its log all the same and may be there after the next start:
    /// then too that one asks.
    pub async fn settle(self, store: &Store, error: Option<&Error>, reason: &str) {
        if matches!(error, Some(Error::File(_))) {
            return;
        }
        // Whatever went wrong before is what a person must see, not a trail that cannot be written.
        let _ = match is_applied(store, &self.op.to_string()).await {
            Ok(true) => self.succeeded("recovered=true").await,
            Ok(false) => self.failed(reason).await,
            Err(_) => Ok(()),
        };
    }
}

/// How far a trail goes by all that tells of it.
async fn extent(store: &AuditStore, place: &Place) -> Result<Extent> {
    // First what says how far it goes: meanwhile it may go further.
    let (ours, state, heads) = (place.ours(), place.look(), place.heads());
    Ok(Extent { ours, state, heads, chains: store.chains().await? })
}

/// Proves a trail as somebody does who only looks.
///
/// # Errors
/// When it cannot be read.
pub async fn verify_as_it_is(
    store: &AuditStore,
    place: &Place,
    key: Option<&Key>,
    kept: Option<&Head>,
) -> Result<Option<Proof>> {
    let extent = extent(store, place).await?;
    verify::verify(store, extent, key, kept).await
}

/// The head of the chain that this machine writes; none: it wrote nothing yet.
#[must_use]
pub fn head(place: &Place) -> Option<Head> {
    let chain = place.look()?.chain;
    place.heads().into_iter().find(|head| head.chain == chain)
}

fn file_error(error: &std::io::Error) -> Error {
    Error::File(error.to_string())
}

/// Whether an operation's writes are in the store. Whoever asks has the lock of a writer: a server
/// may still be at work for a process that is gone.
async fn is_applied(store: &Store, op: &str) -> Result<bool> {
    let mut tx = store.write().await?;
    let applied = tx.is_applied(op).await?;
    tx.rollback().await?;
    Ok(applied)
}

/// The name of a database that is not the usual one beside its trail, or of a schema that is not the
/// usual one of its database.
///
/// # Errors
/// When a server does not say.
pub async fn elsewhere(trail: &AuditTarget, store: &Store) -> Result<Option<String>> {
    let (AuditTarget::Sqlite(trail), Some(file)) = (trail, store.file()) else {
        return store.unusual_schema().await;
    };
    let is_usual = file == trail.with_file_name("dashtam.db");
    // As long as a detail keeps it whole.
    Ok((!is_usual).then(|| SafeText::capped(&file.display().to_string(), 512).into_string()))
}

/// Who acts: this host and this process.
fn actor(pid: u32) -> String {
    format!("{}:{pid}", host())
}

/// The name of this machine.
#[must_use]
pub fn host() -> String {
    let name = rustix::system::uname();
    SafeText::from_bytes(name.nodename().to_bytes()).into_string()
}

/// Whether the process that wrote a row, as host and number, still runs. One on another host may; one with the number
/// of this process was an earlier one, since this one has only just opened the trail.
#[must_use]
pub fn is_running(actor: &str) -> bool {
    let Some((its_host, pid)) = actor.rsplit_once(':') else { return false };
    if its_host != host() {
        return true;
    }
    let pid = pid.parse::<i32>().ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| {
        pid != rustix::process::getpid()
            && rustix::process::test_kill_process(pid).is_ok()
            && !is_dead(pid)
    })
}

/// A process that has ended answers until its parent has noticed. Only Linux tells.
fn is_dead(pid: rustix::process::Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    // The name before the state may hold anything.
    stat.is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_has_ended_does_not_run() {
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let its = actor(child.id());
        assert!(is_running(&its));
        child.kill().unwrap();
        // Nobody has asked for its end yet.
        let start = std::time::Instant::now();
        while is_running(&its) {
            assert!(start.elapsed().as_secs() < 10, "it still runs");
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }
}
