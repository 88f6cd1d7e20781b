//! What a chain needs beside its rows: the key of the next record, the head that says how far it
//! goes, and the first key, without which nobody can prove anything.
//!
//! | file | what is in it |
//! |---|---|
//! | `audit.key` in the data folder | the key of the next record, and how many came before |
//! | `vault/audit-CHAIN.head` | number, count and hash of the last record, signed |
//! | `vault/audit-CHAIN.first` | the first key: sealed for the vault, or open where there is none |
//!
//! Anybody can seal a first key for a vault. So whoever changes the vault vouches with its key for the
//! first keys that are there; of one that began since, `verify` says that nobody did.
//!
//! The key file is locked while a record is added, so that one process adds one at a time. A record
//! that was written without its key being renewed is seen by the next one, which renews it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tracing::warn;
use zeroize::Zeroizing;

use super::chain::{self, Before, ChainKey, Hash, bytes_in, hash_in};
use super::slots::Slots;
use crate::config::Config;
use crate::config::private::{ReadFile, create_dir_private, write_atomic_private};
use crate::model::{Secret, hex};
use crate::store::{AuditRow, AuditTarget, AuditTx, Error, Result};
use crate::vault::{self, Key, Recipient, Vault, open_under, seal_under};

const FORM: &str = "dashtam-audit-first 1";
const VOUCHED: &str = "dashtam-audit first";
const LARGEST: u64 = 64 << 10;
/// How often another process's lock is asked for, and how long.
const AGAIN: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(30);

/// The trail of a file; one on a server is named by digits.
const IN_A_FILE: &str = "file";

/// Where the files of a trail are.
#[derive(Clone, Debug)]
pub struct Place {
    /// Which trail of this data folder.
    pub(super) trail: String,
    data: PathBuf,
    vault: PathBuf,
    /// The folder of the daily files of all trails.
    daily: PathBuf,
}

impl Place {
    /// Those of a configuration whose trail is there. A database on a server has files of its own,
    /// since another one has another trail.
    #[must_use]
    pub fn of(config: &Config, trail: &AuditTarget) -> Self {
        let trail = match trail {
            AuditTarget::Sqlite(_) => IN_A_FILE.to_owned(),
            AuditTarget::Postgres(server) => {
                let host = format!("{:?} {:?}", server.host, server.socket);
                let name = format!("{host} {} {}", server.port, server.database);
                format!("{:08x}", crc32fast::hash(name.as_bytes()))
            }
        };
        let (data, vault) = (config.data_dir.value.clone(), config.vault_dir());
        Self { trail, data, vault, daily: config.audit_dir() }
    }

    /// The key of what comes.
    fn key(&self) -> PathBuf {
        match self.trail.as_str() {
            IN_A_FILE => self.data.join("audit.key"),
            name => self.data.join(format!("audit-{name}.key")),
        }
    }

    /// The folder of its daily files.
    pub(super) fn witness(&self) -> PathBuf {
        match self.trail.as_str() {
            IN_A_FILE => self.daily.clone(),
            name => self.daily.join(name),
        }
    }

    fn head(&self, chain: &str) -> PathBuf {
        self.vault.join(format!("audit-{chain}.head"))
    }

    fn first(&self, chain: &str) -> PathBuf {
        self.vault.join(format!("audit-{chain}.first"))
    }

    /// Whether anything was ever written here.
    pub(super) fn is_begun(&self) -> bool {
        self.key().exists()
    }

    /// Waits until nobody else adds a record.
    pub(super) async fn lock(&self) -> Result<Ring<'_>> {
        let key = self.key();
        let failed = |source: std::io::Error| refused(&key, &source);
        let mut slots = Slots::open(&key).map_err(failed)?;
        let begun = Instant::now();
        while let Err(error) = flock(slots.file(), FlockOperation::NonBlockingLockExclusive) {
            match error {
                _ if begun.elapsed() > PATIENCE => return Err(Error::Busy),
                Errno::WOULDBLOCK | Errno::INTR => tokio::time::sleep(AGAIN).await,
                error => return Err(failed(error.into())),
            }
        }
        let state = State::read(&mut slots);
        Ok(Ring { place: self, slots, state })
    }

    /// How far the chain goes by its key, as somebody sees it who only looks.
    pub(super) fn look(&self) -> Option<State> {
        State::read(&mut Slots::look(&self.key()).ok()?)
    }

    /// The heads of this trail, whatever became of their chains.
    pub(super) fn heads(&self) -> Vec<Head> {
        let heads = self.names(".head").into_iter();
        let heads = heads.filter_map(|chain| Head::read(&self.head(&chain)));
        heads.filter(|head| head.trail == self.trail).collect()
    }

    /// What this machine has of each chain. Another spelling of the address of a server has files of
    /// its own, and its rows are in the same trail.
    pub(super) fn ours(&self) -> Vec<Ours> {
        let firsts = self.names(".first").into_iter().filter_map(|chain| self.first_of(&chain));
        let of_chain = |first: First| {
            let place = Self { trail: first.trail.clone(), ..self.clone() };
            let head = Head::read(&place.head(&first.chain));
            Ours {
                head: head.filter(|it| (&it.chain, &it.trail) == (&first.chain, &first.trail)),
                state: place.look().filter(|it| it.chain == first.chain),
                witness: place.witness(),
                first,
            }
        };
        firsts.map(of_chain).collect()
    }

    /// The first key of a chain; none: it is another machine's, or was taken away.
    pub(super) fn first_of(&self, chain: &str) -> Option<First> {
        First::read(&self.first(chain)).filter(|first| first.chain == chain)
    }

    /// Seals every first key of this data folder for these machines, and vouches for it with the key
    /// of its vault, but not for one that was put in the place of another. What it does not open was
    /// sealed for a vault that is gone, and stays as it is.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn seal_first_keys(&self, recipients: &[Recipient], key: &Key) -> vault::Result<()> {
        for chain in self.names(".first") {
            let Some(first) = self.first_of(&chain) else { continue };
            let Some(open) = first.opened(Some(key)) else {
                warn!(chain, "its first key is of another vault; nothing can prove it");
                continue;
            };
            let mut sealed = first.sealed(&open, recipients)?;
            match first.is_vouched(&open, key) {
                Some(false) => warn!(chain, "its first key is not what the vault vouched for"),
                _ => sealed.vouched = key.vouched(VOUCHED, &first.told(&open)).next(),
            }
            self.write_first(&sealed)?;
        }
        Ok(())
    }

    fn write_first(&self, first: &First) -> vault::Result<()> {
        let path = self.first(&first.chain);
        Ok(write_atomic_private(&path, first.written().as_bytes(), true)?)
    }

    /// Whether the vault's key file is what this operation made of it.
    pub(super) fn is_key_file_by(&self, operation: &str) -> bool {
        Vault::at(self.vault.clone()).read().is_ok_and(|file| file.is_by(operation))
    }

    /// Whether a first key is sealed, so that proving its chain needs the key of the vault.
    pub(super) fn is_sealed(&self) -> bool {
        let is_sealed = |chain: String| self.first_of(&chain).is_some_and(|it| !it.is_open());
        self.names(".first").into_iter().any(is_sealed)
    }

    /// A vault may have been made by a process that was stopped before it came to the first keys.
    pub(super) fn seal_what_lies_open(&self) {
        for chain in self.names(".first") {
            let Some(first) = self.first_of(&chain).filter(First::is_open) else { continue };
            let first = first.sealed_where_there_is_a_vault(&self.vault);
            if !first.is_open()
                && let Err(error) = self.write_first(&first)
            {
                warn!(%error, chain, "the first key of the trail could not be sealed");
            }
        }
    }

    /// The chains that have a file of this sort.
    fn names(&self, ending: &str) -> Vec<String> {
        let entries = std::fs::read_dir(&self.vault).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let chain =
            |name: String| Some(name.strip_prefix("audit-")?.strip_suffix(ending)?.to_owned());
        let mut names: Vec<_> = names.filter_map(chain).collect();
        names.sort();
        names
    }
}

/// What this machine has of a chain beside its rows.
pub(super) struct Ours {
    /// With what it began.
    pub first: First,
    /// How far it goes, as it was signed.
    pub head: Option<Head>,
    /// How far it goes by the key of what comes; none: that is gone, or is of a chain begun since.
    pub state: Option<State>,
    /// The folder of its daily files.
    pub witness: PathBuf,
}

/// A chain that nobody else writes to for now.
pub(super) struct Ring<'a> {
    place: &'a Place,
    slots: Slots,
    state: Option<State>,
}

/// How far a chain goes, and the key of what comes.
#[derive(Clone)]
pub(super) struct State {
    pub chain: String,
    /// How many records there were.
    pub count: i64,
    /// The number of the last one.
    pub seq: i64,
    /// What proves it.
    pub hash: Hash,
    pub key: ChainKey,
    /// Every attempt up to this number had its outcome when somebody looked.
    pub settled: i64,
}

impl State {
    fn read(slots: &mut Slots) -> Option<Self> {
        let (count, text) = slots.read()?;
        let mut words = text.split(' ');
        Some(Self {
            chain: words.next()?.to_owned(),
            count,
            seq: words.next()?.parse().ok()?,
            hash: hash_in(words.next()?)?,
            key: ChainKey::parse(words.next()?)?,
            // Nobody looked yet, or an older program wrote it.
            settled: words.next().and_then(|word| word.parse().ok()).unwrap_or_default(),
        })
    }

    fn step(&mut self, row: &AuditRow) {
        self.count = row.link.saturating_add(1);
        self.seq = row.seq;
        self.hash = <Hash>::try_from(row.hash.as_slice()).unwrap_or_default();
        self.key = self.key.next();
    }
}

impl Ring<'_> {
    /// Which chain, where there is one.
    pub fn state(&self) -> Option<&State> {
        self.state.as_ref()
    }

    /// Goes to the end of the chain, where a record was written and its key was not renewed; begins a
    /// chain where there is none. Tells whether anything was to be done.
    pub async fn follow(&mut self, tx: &mut AuditTx) -> Result<bool> {
        let Some(state) = &mut self.state else {
            self.begin(tx).await?;
            return Ok(true);
        };
        let before = state.count;
        loop {
            let rows = tx.links(&state.chain, state.count).await?;
            for row in &rows {
                if row.link != state.count {
                    warn!(seq = row.seq, "this record is not our next one; see `audit verify`");
                    return Ok(state.count != before);
                }
                if state.key.sign(&state.hash, row).as_slice() != row.hash {
                    warn!(seq = row.seq, "this record is not one of ours; see `audit verify`");
                }
                state.step(row);
            }
            if rows.is_empty() {
                return Ok(state.count != before);
            }
        }
    }

    /// Begins another chain where this key does not open the first key of the one that is there: what
    /// comes would never be proved.
    pub async fn begin_what_can_be_proved(&mut self, tx: &mut AuditTx, key: &Key) -> Result<()> {
        let Some(state) = &self.state else { return Ok(()) };
        let first = self.place.first_of(&state.chain);
        if first.and_then(|first| first.opened(Some(key))).is_none() {
            warn!(chain = state.chain, "this vault has no first key of it: a new chain begins");
            self.begin(tx).await?;
        }
        Ok(())
    }

    /// Signs a row as the next one; its number is given here.
    pub async fn sign(&self, tx: &mut AuditTx, row: AuditRow) -> Result<AuditRow> {
        let state = self.state.as_ref().ok_or(Error::Missing("the key of the trail".into()))?;
        let seq = tx.last().await?.max(state.seq).saturating_add(1);
        let mut row = AuditRow { seq, chain: state.chain.clone(), link: state.count, ..row };
        row.hash = state.key.sign(&state.hash, &row).to_vec();
        Ok(row)
    }

    /// Renews the key behind a row that was written, and tells the head of it. Where that cannot be,
    /// the next record does it.
    pub fn passed(&mut self, row: Option<&AuditRow>) {
        let Some(state) = &mut self.state else { return };
        if let Some(row) = row {
            state.step(row);
        }
        let kept = keep(&mut self.slots, state);
        let path = self.place.head(&state.chain);
        let told = kept.and_then(|()| Head::of(state, &self.place.trail).write(&path));
        if let Err(error) = told {
            warn!(%error, "the key or the head of the trail could not be written");
        }
    }

    /// Notes up to where every attempt has its outcome, so that the next start looks behind that.
    pub fn settled(&mut self, seq: i64) {
        let Some(state) = &mut self.state else { return };
        state.settled = seq;
        if let Err(error) = keep(&mut self.slots, state) {
            warn!(%error, "the key of the trail could not be written");
        }
    }

    /// Begins a chain behind whatever rows there are.
    async fn begin(&mut self, tx: &mut AuditTx) -> Result<()> {
        let weak = || Error::Other("the system has no randomness for a key".to_owned());
        let (name, key) = (chain::new_name().ok_or_else(weak)?, ChainKey::generate());
        let key = key.ok_or_else(weak)?;
        let mut before = Before::default();
        let mut seq = 0;
        loop {
            let rows = tx.loose(seq).await?;
            for row in &rows {
                before.take(row);
            }
            let Some(last) = rows.last() else { break };
            seq = last.seq;
        }
        let hash = before.genesis();
        let place = self.place;
        let first = First {
            chain: name.clone(),
            trail: place.trail.clone(),
            genesis: hash,
            key: FirstKey::Open(key.clone()),
            vouched: None,
        };
        create_dir_private(&place.vault).map_err(|source| refused(&place.vault, &source))?;
        let path = place.first(&name);
        let first = first.sealed_where_there_is_a_vault(&place.vault);
        write_atomic_private(&path, first.written().as_bytes(), false)
            .map_err(|error| of_writing(&path, error))?;
        let settled = self.state.as_ref().map_or(0, |before| before.settled);
        let state = State { chain: name, count: 0, seq, hash, key, settled };
        keep(&mut self.slots, &state).map_err(|source| refused(&place.key(), &source))?;
        self.state = Some(state);
        Ok(())
    }
}

fn keep(slots: &mut Slots, state: &State) -> std::io::Result<()> {
    let State { chain, count, seq, hash, key, settled } = state;
    let mut text = Zeroizing::new(String::with_capacity(256));
    text.push_str(&format!("{chain} {seq} {} ", hex(hash)));
    text.push_str(&key.written());
    text.push_str(&format!(" {settled}"));
    slots.write(*count, &text, true)
}

/// How far a chain goes, as it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which trail of the data folder.
    pub trail: String,
    /// Which chain.
    pub chain: String,
    /// How many records there were.
    pub count: i64,
    /// The number of the last one.
    pub seq: i64,
    /// What proves it.
    pub hash: Hash,
    /// Signed with the key that comes next; none: it is not from its file, a person wrote it down.
    pub(super) signature: Option<Hash>,
}

impl Head {
    fn of(state: &State, trail: &str) -> Self {
        let State { chain, count, seq, hash, key, .. } = state;
        Self {
            trail: trail.to_owned(),
            chain: chain.clone(),
            count: *count,
            seq: *seq,
            hash: *hash,
            signature: Some(key.sign_head(chain, *count, *seq, hash)),
        }
    }

    fn read(path: &Path) -> Option<Self> {
        let (count, text) = Slots::look(path).ok()?.read()?;
        let mut words = text.split(' ');
        Some(Self {
            trail: words.next()?.to_owned(),
            chain: words.next()?.to_owned(),
            count,
            seq: words.next()?.parse().ok()?,
            hash: hash_in(words.next()?)?,
            signature: Some(hash_in(words.next()?)?),
        })
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        let Self { trail, chain, count, seq, hash, signature } = self;
        let mut slots = Slots::open(path)?;
        slots.read();
        let signature = hex(&signature.unwrap_or_default());
        let text = format!("{trail} {chain} {seq} {} {signature}", hex(hash));
        slots.write(*count, &text, false)
    }

    /// As a line that somebody keeps elsewhere.
    #[must_use]
    pub fn line(&self) -> String {
        format!("dashtam-audit 1 {} {} {} {}", self.chain, self.seq, self.count, hex(&self.hash))
    }

    /// The line that somebody kept.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("dashtam-audit 1 ")?.split_whitespace();
        let chain = words.next()?.to_owned();
        let (seq, count) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let hash = hash_in(words.next()?)?;
        let at_end = words.next().is_none();
        let trail = String::new();
        at_end.then_some(Self { trail, chain, count, seq, hash, signature: None })
    }
}

/// With what a chain began.
pub(super) struct First {
    pub chain: String,
    /// Which trail of the data folder.
    pub trail: String,
    /// What stands before its first record.
    pub genesis: Hash,
    key: FirstKey,
    /// What somebody who had the key of the vault said of all this.
    vouched: Option<String>,
}

enum FirstKey {
    Open(ChainKey),
    Sealed(Vec<u8>),
}

impl First {
    /// Whether whoever reads its file could write the whole chain anew.
    pub const fn is_open(&self) -> bool {
        matches!(self.key, FirstKey::Open(_))
    }

    /// The first key; none: the vault's key is needed, or another one.
    pub fn opened(&self, key: Option<&Key>) -> Option<ChainKey> {
        match &self.key {
            FirstKey::Open(first) => Some(first.clone()),
            FirstKey::Sealed(sealed) => {
                ChainKey::parse(open_under(key?, &label(&self.chain), sealed)?.expose())
            }
        }
    }

    /// Whether a key of the vault says that this is with what the chain began; none: nobody vouched.
    pub fn is_vouched(&self, open: &ChainKey, key: &Key) -> Option<bool> {
        let vouched = self.vouched.as_ref()?;
        Some(key.vouched(VOUCHED, &self.told(open)).any(|said| said == *vouched))
    }

    /// What is vouched for.
    fn told(&self, open: &ChainKey) -> Zeroizing<String> {
        let Self { chain, trail, genesis, .. } = self;
        Zeroizing::new(format!("{chain} {trail} {} {}", hex(genesis), *open.written()))
    }

    /// The same, sealed for these machines.
    fn sealed(&self, open: &ChainKey, recipients: &[Recipient]) -> vault::Result<Self> {
        let sealed = seal_under(recipients, &label(&self.chain), &secret(open))?;
        let (chain, trail, vouched) =
            (self.chain.clone(), self.trail.clone(), self.vouched.clone());
        let key = FirstKey::Sealed(sealed);
        Ok(Self { chain, trail, genesis: self.genesis, key, vouched })
    }

    /// Who seals needs no passphrase; nor can he tell who named the other machines, so this is for the
    /// vault itself alone. Where there is none, or a damaged one, it stays open, which `audit verify`
    /// says.
    fn sealed_where_there_is_a_vault(self, folder: &Path) -> Self {
        let FirstKey::Open(open) = &self.key else { return self };
        let Ok(file) = Vault::at(folder.to_owned()).read() else { return self };
        self.sealed(open, std::slice::from_ref(file.own())).unwrap_or(self)
    }

    fn written(&self) -> Zeroizing<String> {
        let Self { chain, trail, genesis, key, vouched } = self;
        let (word, key) = match key {
            FirstKey::Open(key) => ("open", key.written()),
            FirstKey::Sealed(sealed) => ("sealed", Zeroizing::new(hex(sealed))),
        };
        let mut text = Zeroizing::new(String::with_capacity(key.len() + 256));
        text.push_str(&format!("{FORM}\n{chain} {trail} {}\n{word} ", hex(genesis)));
        text.push_str(&key);
        text.push('\n');
        if let Some(vouched) = vouched {
            text.push_str(&format!("vouched {vouched}\n"));
        }
        text
    }

    fn read(path: &Path) -> Option<Self> {
        let text = Zeroizing::new(ReadFile::open(path, LARGEST).ok()?.text);
        let mut lines = text.strip_prefix(FORM)?.trim().lines();
        let mut words = lines.next()?.split(' ');
        let (chain, trail) = (words.next()?.to_owned(), words.next()?.to_owned());
        // It is part of the names of files.
        let is_trail = trail == IN_A_FILE || trail.bytes().all(|byte| byte.is_ascii_hexdigit());
        let genesis = hash_in(words.next()?).filter(|_| is_trail)?;
        let key = match lines.next()?.split_once(' ')? {
            ("open", key) => FirstKey::Open(ChainKey::parse(key)?),
            ("sealed", key) => FirstKey::Sealed(bytes_in(key)?),
            _ => return None,
        };
        let vouched = lines.next().and_then(|line| line.strip_prefix("vouched "));
        Some(Self { chain, trail, genesis, key, vouched: vouched.map(str::to_owned) })
    }
}

/// What a sealed first key says of itself, so that it opens as nothing else.
fn label(chain: &str) -> String {
    format!("dashtam-audit-first/1 {chain}")
}

fn secret(key: &ChainKey) -> Secret {
    Secret::new(std::mem::take(&mut *key.written()))
}

fn of_writing(path: &Path, error: crate::config::private::WriteError) -> Error {
    match error {
        crate::config::private::WriteError::Io { source, .. } => refused(path, &source),
        other => Error::File(other.to_string()),
    }
}

/// A file without which nothing may be written.
fn refused(path: &Path, source: &std::io::Error) -> Error {
    match source.kind() {
        std::io::ErrorKind::StorageFull => Error::DiskFull,
        std::io::ErrorKind::ReadOnlyFilesystem => Error::ReadOnly,
        _ => Error::File(format!("{}: {source}", path.display())),
    }
}
