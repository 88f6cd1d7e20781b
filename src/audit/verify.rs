//! Whether a trail is what was written: each link by its key, the end by the head and by the key of
//! what comes, and all of it by the second witness. It changes nothing, and goes on behind what is
//! wrong.

use super::chain::{Before, ChainKey, Hash, hash_in};
use super::keeper::{First, Head, Ours, Place, State};
use super::witness::{Reading, Witness, Witnessed, line};
use crate::model::hex;
use crate::store::{AuditChain, AuditRow, AuditStore, Result};
use crate::vault::Key;

/// So much that is wrong is told.
const MOST: usize = 20;

/// Something is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The first record that is wrong or that is not there.
    pub seq: i64,
    /// What is wrong.
    pub what: String,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// So many records are in chains of this machine.
    pub records: u64,
    /// So many are from before the chain: they are as they were when it began.
    pub before: u64,
    /// So many are in chains of other machines, which only those can prove.
    pub elsewhere: u64,
    /// So many are in chains of ours whose first key is sealed for another vault than that of the key.
    pub unproved: u64,
    /// So many of ours have the same line in the daily files.
    pub witnessed: u64,
    /// Up to this number records were purged.
    pub purged: Option<i64>,
    /// Whether the first key lies open: whoever reads the data folder could write all of it anew.
    pub is_open: bool,
    /// Whether nobody vouched for a first key with the key of the vault: whoever writes to the data
    /// folder could have put it there, with all that it proves.
    pub is_unvouched: bool,
    /// The last record.
    pub last: Option<i64>,
    /// How many things are wrong.
    pub wrong: u64,
    /// The first of them by their numbers.
    pub faults: Vec<Fault>,
}

impl Proof {
    /// Where it begins to be wrong.
    #[must_use]
    pub fn first_bad(&self) -> Option<i64> {
        self.faults.iter().map(|fault| fault.seq).min()
    }

    /// What keeps the rows as they are was not as it was made: meanwhile they could be changed.
    pub fn unguarded(&mut self, guards: &[&str]) {
        if !guards.is_empty() {
            let what = format!(
                "what refuses a change was taken away or altered: {}; a record makes it again where the \
                 rows allow it",
                guards.join(", ")
            );
            self.wrong(1, what);
        }
    }

    fn wrong(&mut self, seq: i64, what: impl Into<String>) {
        self.wrong += 1;
        self.faults.push(Fault { seq, what: what.into() });
        self.faults.sort_by_key(|fault| fault.seq);
        self.faults.truncate(MOST);
    }
}

/// How far chains went when somebody began to look.
pub(super) struct Extent {
    pub ours: Vec<Ours>,
    pub state: Option<State>,
    pub heads: Vec<Head>,
    pub chains: Vec<AuditChain>,
}

/// Proves a trail; none: a first key is sealed, and no key was given.
///
/// # Errors
/// When the trail cannot be read.
pub(super) async fn verify(
    store: &AuditStore,
    extent: Extent,
    key: Option<&Key>,
    kept: Option<&Head>,
) -> Result<Option<Proof>> {
    let Extent { ours, state, heads, chains } = extent;
    let of_us = |name: &str| ours.iter().find(|ours| ours.first.chain == name);
    let mut proof = Proof::default();
    proof.unguarded(&store.broken_guards().await?);
    for chain in &chains {
        let Some(ours) = of_us(&chain.chain) else {
            proof.elsewhere += u64::try_from(chain.rows).unwrap_or_default();
            continue;
        };
        let Some(opened) = ours.first.opened(key) else {
            if key.is_none() {
                return Ok(None);
            }
            let AuditChain { chain: name, rows, first_seq, .. } = chain;
            proof.unproved += u64::try_from(*rows).unwrap_or_default();
            let what = format!(
                "nothing proves the {rows} records of chain {name}: its first key is of another vault"
            );
            proof.wrong(*first_seq, what);
            continue;
        };
        proof.is_open |= ours.first.is_open();
        match key.and_then(|key| ours.first.is_vouched(&opened, key)) {
            Some(true) => {}
            Some(false) => {
                let what = format!(
                    "the first key of chain {} is not the one that the vault vouched for",
                    chain.chain
                );
                proof.wrong(chain.first_seq, what);
            }
            None => proof.is_unvouched = true,
        }
        let mut walk = Walk::begin(store, chain, ours, opened, &mut proof).await?;
        walk.kept = kept.filter(|head| head.chain == chain.chain);
        walk.run(store, &mut proof).await?;
    }
    // What should be there and is not at all.
    let there = |name: &str| chains.iter().any(|chain| chain.chain == name);
    let keys =
        state.iter().filter(|state| state.count > 0).map(|state| (&state.chain, state.count));
    for (chain, count) in heads.iter().chain(kept).map(|head| (&head.chain, head.count)).chain(keys)
    {
        if !there(chain) {
            proof.wrong(1, format!("{count} records of chain {chain} are gone"));
        }
    }
    // A chain of ours that this machine has no first key of.
    for head in heads.iter().chain(kept) {
        if there(&head.chain) && of_us(&head.chain).is_none() {
            let what = format!("the first key of chain {} is gone", head.chain);
            proof.wrong(1, what);
        }
    }
    // Where nobody else writes, whatever is in no chain of ours was put there by hand.
    if matches!(store, AuditStore::Sqlite(_)) {
        for chain in chains.iter().filter(|chain| of_us(&chain.chain).is_none()) {
            proof.wrong(chain.first_seq, format!("chain {} is not of this machine", chain.chain));
        }
    }
    loose(store, chains.first(), &mut proof).await?;
    proof.last = chains.iter().map(|chain| chain.last_seq).max();
    Ok(Some(proof))
}

/// A record without a chain, behind the beginning of one, was put there by hand or by an older program.
async fn loose(store: &AuditStore, first: Option<&AuditChain>, proof: &mut Proof) -> Result<()> {
    let Some(first) = first else {
        let rows = store.extent().await?.rows;
        proof.before = u64::try_from(rows).unwrap_or_default();
        return Ok(());
    };
    for row in store.loose(first.first_seq).await? {
        proof.wrong(row.seq, "it is in no chain: another program wrote it");
    }
    Ok(())
}

/// A chain on its way from its first link to its last.
struct Walk<'a> {
    chain: &'a AuditChain,
    key: ChainKey,
    /// The link that comes next.
    link: i64,
    /// What proves the one before it; none: nobody knows.
    before: Option<Hash>,
    /// The number of the one before it.
    seq: i64,
    /// What this machine has of it.
    ours: &'a Ours,
    /// What somebody wrote down of it.
    kept: Option<&'a Head>,
    reading: Option<Reading>,
    peeked: Option<Witnessed>,
    /// Whether numbers follow one another: nobody else writes here.
    alone: bool,
}

/// More records that nobody has: the key would be renewed for days to come to the next one.
const MOST_GONE: i64 = 10_000_000;

impl<'a> Walk<'a> {
    /// Begins at the first record that is there.
    async fn begin(
        store: &AuditStore,
        chain: &'a AuditChain,
        ours: &'a Ours,
        key: ChainKey,
        proof: &mut Proof,
    ) -> Result<Self> {
        let first = &ours.first;
        let mut reading = Witness::at(ours.witness.clone()).read();
        let mut walk = Self {
            chain,
            key,
            link: 0,
            before: Some(first.genesis),
            seq: 0,
            ours,
            kept: None,
            peeked: reading.next(),
            reading: Some(reading),
            alone: matches!(store, AuditStore::Sqlite(_)),
        };
        let purge =
            store.newest_purge(&chain.chain).await?.and_then(|row| Purged::parse(&row.detail));
        if let Some(purge) = &purge
            && purge.link + 1 == chain.first
        {
            walk.skip_to(chain.first);
            (walk.before, walk.seq) = (Some(purge.hash), purge.seq);
            proof.purged = Some(purge.seq);
        } else if chain.first == 0 {
            walk.seq = walk.before_the_chain(store, first, purge.is_some(), proof).await?;
        }
        Ok(walk)
    }

    /// The rows from before must be those that were there when the chain began.
    async fn before_the_chain(
        &self,
        store: &AuditStore,
        first: &First,
        purged: bool,
        proof: &mut Proof,
    ) -> Result<i64> {
        let (mut before, mut after) = (Before::default(), 0);
        'all: loop {
            let rows = store.loose(after).await?;
            let Some(last) = rows.last() else { break };
            after = last.seq;
            for row in &rows {
                if row.seq > self.chain.first_seq {
                    break 'all;
                }
                before.take(row);
            }
        }
        let rows = before.rows;
        proof.before = rows;
        if before.genesis() != first.genesis && !purged {
            proof.wrong(1, "the records from before the chain are not those that were there");
        }
        Ok(i64::try_from(rows).unwrap_or_default())
    }

    fn skip_to(&mut self, link: i64) {
        while self.link < link {
            self.key = self.key.next();
            self.link += 1;
        }
        self.before = None;
    }

    async fn run(&mut self, store: &AuditStore, proof: &mut Proof) -> Result<()> {
        let mut next = self.chain.first;
        while next <= self.chain.last {
            let rows = store.links(&self.chain.chain, next).await?;
            let Some(last) = rows.last() else { break };
            let following = last.link.checked_add(1);
            for row in rows.iter().filter(|row| row.link <= self.chain.last) {
                if row.link.saturating_sub(self.link) > MOST_GONE {
                    proof.wrong(row.seq, "it is none of this chain: so many never were");
                    return Ok(());
                }
                self.pass(row, proof);
            }
            let Some(following) = following else { break };
            next = following;
        }
        self.end(proof);
        Ok(())
    }

    fn pass(&mut self, row: &AuditRow, proof: &mut Proof) {
        if row.link > self.link {
            let gone = row.link - self.link;
            proof.wrong(self.seq + 1, format!("{gone} records are gone before {}", row.seq));
            self.skip_to(row.link);
        }
        if row.seq <= self.seq {
            proof.wrong(row.seq, format!("it comes behind {}", self.seq));
        } else if self.alone && self.seq > 0 && row.seq != self.seq + 1 && self.before.is_some() {
            proof.wrong(self.seq + 1, format!("nothing is between {} and {}", self.seq, row.seq));
        }
        if let Some(before) = &self.before
            && self.key.sign(before, row).as_slice() != row.hash
        {
            proof.wrong(row.seq, "it is not what was written");
        }
        self.compare(row, proof);
        self.before = <Hash>::try_from(row.hash.as_slice()).ok();
        self.key = self.key.next();
        self.link += 1;
        self.seq = row.seq;
        proof.records += 1;
        let count = self.link;
        let here = |head: &&Head| head.count == count;
        for head in self.ours.head.iter().chain(self.kept).filter(here) {
            let Head { chain, seq, hash, signature, .. } = head;
            let said = || self.key.sign_head(chain, count, *seq, hash);
            let is_signed = signature.is_none_or(|signature| signature == said());
            if !is_signed || Some(*hash) != self.before || *seq != self.seq {
                proof.wrong(row.seq, "it is not the one that the head tells of");
            }
        }
        if let Some(state) = self.ours.state.as_ref().filter(|state| state.count == count)
            && (state.key.written() != self.key.written() || Some(state.hash) != self.before)
        {
            proof.wrong(row.seq, "the key of what comes does not fit it");
        }
    }

    /// The same record in the daily files.
    fn compare(&mut self, row: &AuditRow, proof: &mut Proof) {
        let Some(reading) = &mut self.reading else { return };
        while let Some(other) = &self.peeked {
            let ours = other.chain == self.chain.chain;
            if ours && other.link >= row.link {
                break;
            }
            if ours && other.link >= self.chain.first {
                proof.wrong(other.seq, "it is in the daily files and not in the trail");
            }
            self.peeked = reading.next();
        }
        match &self.peeked {
            Some(other) if other.chain == self.chain.chain && other.link == row.link => {
                match other.line == line(row) {
                    true => proof.witnessed += 1,
                    false => proof.wrong(row.seq, "the daily files say something else"),
                }
                self.peeked = reading.next();
            }
            _ => proof.wrong(row.seq, "it is not in the daily files"),
        }
    }

    /// What is behind the last record that is there.
    fn end(&mut self, proof: &mut Proof) {
        let Ours { head, state, .. } = self.ours;
        let heads = head.iter().chain(self.kept).map(|head| (head.count, "the head"));
        let key = state.iter().map(|state| (state.count, "the key"));
        if let Some((count, who)) = heads.chain(key).max()
            && count > self.link
        {
            let gone = count - self.link;
            proof.wrong(self.seq + 1, format!("{who} tells of {gone} records more"));
        }
        // Who cuts off an end can take an older head from somewhere, and has no key that fits it.
        for (is_gone, what) in [(head.is_none(), "head"), (state.is_none(), "key")] {
            if is_gone {
                proof.wrong(
                    self.seq,
                    format!("nothing says that it is the last: the {what} is gone"),
                );
            }
        }
        // The files are of all chains: what is wrong with them is told once.
        let Some(mut reading) = self.reading.take() else { return };
        while self.peeked.is_some() {
            self.peeked = reading.next();
        }
        for fault in std::mem::take(&mut reading.faults) {
            let seq = self.seq;
            if !proof.faults.iter().any(|known| known.what == fault) {
                proof.wrong(seq, fault);
            }
        }
    }
}

/// What a purge left to go on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Purged {
    /// The number of the last record that went.
    pub seq: i64,
    /// Its link.
    pub link: i64,
    /// What proves it.
    pub hash: Hash,
}

impl Purged {
    /// As the record says it.
    pub fn written(&self, before: &str, records: u64) -> String {
        let Self { seq, link, hash } = self;
        let hash = hex(hash);
        format!("PURGED before={before} records={records} seq={seq} link={link} hash={hash}")
    }

    fn parse(detail: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut words = detail.strip_prefix("PURGED ")?.split(' ');
            words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        };
        Some(Self {
            seq: field("seq")?.parse().ok()?,
            link: field("link")?.parse().ok()?,
            hash: hash_in(field("hash")?)?,
        })
    }
}

/// What can be seen of a trail without a key and without reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// So many records are in chains of this machine.
    pub records: u64,
    /// Whether a first key lies open.
    pub is_open: bool,
    /// What is wrong at first sight.
    pub wrong: Option<String>,
    /// A chain whose end nothing proves, since its key is gone.
    pub unended: Option<String>,
}

/// Whether each chain of this machine is without a gap and ends where its head and its key say.
///
/// # Errors
/// When the trail cannot be read.
pub async fn glance(store: &AuditStore, place: &Place) -> Result<Glance> {
    // First what says how far it goes: meanwhile it may go further.
    let (ours, state, heads) = (place.ours(), place.look(), place.heads());
    let chains = store.chains().await?;
    let mut glance = Glance::default();
    let mut wrong = Vec::new();
    for chain in &chains {
        let Some(ours) = ours.iter().find(|it| it.first.chain == chain.chain) else { continue };
        glance.records += u64::try_from(chain.rows).unwrap_or_default();
        glance.is_open |= ours.first.is_open();
        if ours.state.is_none() {
            glance.unended = Some(chain.chain.clone());
        }
        if chain.rows != chain.last - chain.first + 1 {
            wrong.push("records are missing in it".to_owned());
        }
        if chain.first > 0 {
            let purge = store.newest_purge(&chain.chain).await?;
            let purge = purge.and_then(|row| Purged::parse(&row.detail));
            if purge.is_none_or(|purge| purge.link + 1 != chain.first) {
                wrong.push("its first records are gone, and no purge says so".to_owned());
            }
        }
    }
    let told = heads.iter().map(|head| (&head.chain, head.count));
    for (name, count) in told.chain(state.iter().map(|state| (&state.chain, state.count))) {
        let there = chains.iter().find(|chain| chain.chain == *name).map_or(0, |it| it.last + 1);
        if count > there {
            wrong.push(format!("{} records at its end are gone", count - there));
        }
    }
    glance.wrong = wrong.into_iter().next();
    Ok(glance)
}
