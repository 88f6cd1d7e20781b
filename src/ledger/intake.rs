//! Taking in many rows at once: each row is identified, found new, known, changed or
//! contradicting, and written with the claims that let the import be taken back.
//!
//! Rows are held back a few hundred at a time, so that the store is asked and written in bulk
//! and a million rows need no more memory than a thousand.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write;
use std::ops::RangeInclusive;

use chrono::NaiveDate;

use super::body::Underlay;
use super::book::{Book, Stamp};
use super::claims::{Claims, Statement};
use super::edited::{Doubtful, are_doubtful, is_echo};
use super::identity::{Occurrences, key_of_content, key_of_event, key_of_id};
use super::legs::{Found, Known, Place, place_of};
use super::proposed;
use super::quotes::{self, Quotes};
use super::resolve::{self, Meanings};
use super::sayings::Thing;
use super::survey::{Use, day_of};
use super::write::{self, Said};
use super::{Result, Survey, undo};
use crate::model::{
    Account, AccountId, AccountKind, BatchId, Column, Draft, Drafts, Item, Mention, Mode, Origin,
    PriceSubject, Quote, Refusal, SafeText, SecurityId, Transaction, TransactionId, Why,
};
use crate::store::{
    AccountRecord, BatchFile, BatchRow, Identity, StagedRow, StoredTransaction, Verdict, WriteTx,
};

/// How many rows are held back.
const HELD: usize = 1_000;

/// One thing that a source brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A transaction, checked; a reinvestment or a transfer is two.
    Drafts(Drafts),
    /// A price or a rate.
    Quote(Box<Quote>),
    /// A part of a whole store.
    Item(Box<Item>),
}

impl Content {
    /// Whether this row may change what other rows mean, or can only be understood once they are
    /// known: everything but a transaction that names its security by a bare symbol.
    #[must_use]
    pub fn is_telling(&self) -> bool {
        let telling = |draft: &Draft| {
            draft.to_security.is_some()
                || draft.security.as_ref().is_some_and(|mention| {
                    mention.currency.is_some() || mention.venue.is_some() || mention.isin.is_some()
                })
        };
        match self {
            Self::Drafts(drafts) => {
                telling(&drafts.first) || drafts.second.as_deref().is_some_and(telling)
            }
            Self::Quote(_) | Self::Item(_) => true,
        }
    }
}

/// What the person decided beforehand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Accounts must be there already.
    pub strict: bool,
    /// Rows that contradict become new versions.
    pub accept_changes: bool,
}

/// What became of the rows of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Stored.
    pub new: u64,
    /// There already.
    pub duplicate: u64,
    /// Another version now.
    pub changed: u64,
    /// Contradicting, not stored.
    pub conflict: u64,
}

/// What an import did.
#[derive(Debug, Default)]
pub struct Taken {
    /// By file.
    pub counts: Vec<Counts>,
    /// Rows that contradict what is stored: file, line, why. At most [`Taken::MOST`].
    pub conflicts: Vec<(usize, u64, Refusal)>,
}

impl Taken {
    /// How many conflicts are told one by one.
    pub const MOST: usize = 1_000;
}

/// An import on its way in. Dropping it takes everything back.
pub struct Intake {
    pub(super) tx: WriteTx,
    pub(super) book: Book,
    pub(super) stamp: Stamp,
    batch: BatchId,
    options: Options,
    /// Accounts and securities that a file does not just mention.
    pub(super) declared: BTreeSet<Thing>,
    meanings: Meanings,
    quotes: Quotes,
    occurrences: Occurrences,
    occurrences_of: usize,
    seqs: HashMap<(AccountId, NaiveDate), i64>,
    held: Vec<Held>,
    pub(super) doubtful: Doubtful,
    held_ids: BTreeSet<[u8; 12]>,
    /// Places of this file that were given because another event has the one before.
    moved: HashSet<Place>,
    /// The days that may have had rows before this file, and whether one had, once asked.
    span: Option<RangeInclusive<NaiveDate>>,
    days: HashMap<NaiveDate, bool>,
    bytes: Vec<u8>,
    raw: Raw,
    staged: Vec<StagedRow>,
    taken: Taken,
}

/// A row whose verdict is not known yet.
#[derive(Clone)]
pub(super) struct Held {
    pub file: usize,
    pub line: u64,
    /// Which row of its event: 1 belongs to the one before it.
    pub part: i64,
    /// How many equal events came before.
    pub nth: usize,
    /// As its source says it.
    pub row: StoredTransaction,
    /// It comes with a whole store, which knows by itself what is one event.
    pub whole: bool,
    /// As a person left it in that store, where it is not as its source says it.
    pub edited: Option<Box<StoredTransaction>>,
    /// It is known that it is none of those that a person changed here.
    pub sure: bool,
}

impl Intake {
    /// Begins an import: makes the accounts and securities that the survey found missing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin(
        mut tx: WriteTx,
        survey: &Survey,
        options: Options,
        op: &str,
        now: i64,
    ) -> Result<Self> {
        let batch = tx.next_batch().await?;
        tx.insert_batch(&BatchRow { id: batch, op: op.to_owned(), created: now, undone: None })
            .await?;
        let stamp = Stamp { op: op.to_owned(), now, batch: Some(batch) };
        let mut book = Book::open(&mut tx).await?;
        let meanings = resolve::resolve_all(&mut tx, &mut book, survey, &stamp).await?;
        let span = tx.span_of_days().await?;
        Ok(Self {
            tx,
            book,
            stamp,
            batch,
            options,
            declared: BTreeSet::new(),
            meanings,
            quotes: Quotes::new(survey),
            occurrences: Occurrences::default(),
            occurrences_of: 0,
            seqs: HashMap::new(),
            held: Vec::with_capacity(HELD),
            doubtful: Doubtful::default(),
            held_ids: BTreeSet::new(),
            moved: HashSet::new(),
            span,
            days: HashMap::new(),
            bytes: Vec::with_capacity(256),
            raw: Raw::default(),
            staged: Vec::new(),
            taken: Taken::default(),
        })
    }

    /// The number of this import.
    #[must_use]
    pub const fn batch(&self) -> BatchId {
        self.batch
    }

    /// Takes in one row of a file. `raw` is how it stood there, empty where that is not kept.
    ///
    /// # Errors
    /// The outer error when the store fails; the inner one when this row is refused.
    pub async fn push(
        &mut self,
        file: usize,
        line: u64,
        raw: &str,
        content: Content,
    ) -> Result<std::result::Result<(), Refusal>> {
        while self.taken.counts.len() <= file {
            self.taken.counts.push(Counts::default());
        }
        if file != self.occurrences_of {
            // Equal rows of two files are one row: the first must be stored to be found.
            self.end_file().await?;
            self.flush_raw().await?;
            self.span = self.tx.span_of_days().await?;
            self.days.clear();
            self.occurrences = Occurrences::default();
            self.occurrences_of = file;
            self.moved.clear();
        }
        if !raw.is_empty() {
            self.keep(file, line, raw).await?;
        }
        match content {
            Content::Drafts(drafts) => self.push_drafts(file, line, drafts).await,
            Content::Quote(quote) => self.push_quote(file, *quote).await,
            Content::Item(item) => self.push_item(file, line, *item).await,
        }
    }

    /// Keeps a row as it stood in its file.
    async fn keep(&mut self, file: usize, line: u64, raw: &str) -> Result<()> {
        self.raw.add(file, line, raw);
        if self.raw.lines.len() >= Raw::PIECE {
            self.flush_raw().await?;
        }
        Ok(())
    }

    async fn flush_raw(&mut self) -> Result<()> {
        let Raw { file, first_line, lines } = &mut self.raw;
        if !lines.is_empty() {
            let first = i64::try_from(*first_line).unwrap_or(i64::MAX);
            self.tx.insert_raw(self.batch, file_number(*file), first, lines).await?;
            lines.clear();
        }
        Ok(())
    }

    async fn push_quote(
        &mut self,
        file: usize,
        quote: Quote,
    ) -> Result<std::result::Result<(), Refusal>> {
        let mention = match &quote.subject {
            PriceSubject::Security(mention) => Some(mention.clone()),
            PriceSubject::Currency(_) => None,
            PriceSubject::Bare(code) => match self.quotes.read_code(&self.book, *code, &quote) {
                Ok(mention) => mention,
                Err(refusal) => return Ok(Err(refusal)),
            },
        };
        let (tx, book, stamp) = (&mut self.tx, &mut self.book, &self.stamp);
        match mention {
            None => match quotes::rate_of(&quote) {
                Some(rate) => self.quotes.push_rate(tx, book, stamp, file, rate).await?,
                None => return Ok(Ok(())),
            },
            Some(mention) => match self.meaning(&mention, Some(quote.date)).await? {
                Err(refusal) => return Ok(Err(refusal)),
                Ok(id) => {
                    let (tx, book) = (&mut self.tx, &mut self.book);
                    let price = quotes::price_of(quote, id);
                    self.quotes.push_price(tx, book, &self.stamp, file, price).await?;
                }
            },
        }
        Ok(Ok(()))
    }

    async fn push_drafts(
        &mut self,
        file: usize,
        line: u64,
        drafts: Drafts,
    ) -> Result<std::result::Result<(), Refusal>> {
        let Drafts { first, second } = drafts;
        let Some(second) = second else {
            return match self.read_draft(file, line, first).await? {
                Ok(held) => self.hold([held]).await.map(Ok),
                Err(refusal) => Ok(Err(refusal)),
            };
        };
        // Both or neither: half a transfer would be a wrong number.
        for (draft, column) in [(&first, "account"), (&second, "to_account")] {
            if let Err(refusal) = self.account(&draft.account) {
                return Ok(Err(Refusal { column: Column(column), ..refusal }));
            }
            if let Some(mention) = draft.security.clone()
                && let Err(refusal) = self.meaning(&mention, Some(draft.facts.date)).await?
            {
                return Ok(Err(refusal));
            }
        }
        let sort = if first.account == second.account { "reinvest" } else { "transfer" };
        let mut legs = Vec::with_capacity(2);
        for draft in [first, second] {
            match self.read_draft(file, line, draft).await? {
                Ok(held) => legs.push(held),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        if let [first, second] = legs.as_mut_slice() {
            self.name_event(sort, first, second);
        }
        self.hold(legs).await?;
        Ok(Ok(()))
    }

    /// Makes two rows one event. Its name is made of what they say, so that it is the same whenever
    /// and wherever the row comes again.
    fn name_event(&mut self, sort: &str, first: &mut Held, second: &mut Held) {
        second.part = 1;
        let (one, other) = (&first.row, &second.row);
        let (day, account) = (one.transaction.facts.date, one.transaction.account);
        let mut key = one.identity.key;
        let mut nth = 0;
        if one.transaction.source_id.is_none() {
            key = key_of_event(&key, &other.identity.key, other.transaction.account);
            nth = self.occurrences.next(day, account, &key);
        }
        first.nth = usize::try_from(nth).unwrap_or(0);
        let mut hex = String::with_capacity(24);
        for byte in key {
            // Writing into a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        let name = SafeText::new(&format!("~{sort}:{account}:{hex}:{nth}"));
        for held in [first, second] {
            held.row.transaction.link.get_or_insert_with(|| name.clone());
        }
    }

    /// What a row of a file means: its account, its securities, and what it will be known by.
    async fn read_draft(
        &mut self,
        file: usize,
        line: u64,
        draft: Box<Draft>,
    ) -> Result<std::result::Result<Held, Refusal>> {
        let mut row = match self.row_of(file, line, *draft, Origin::File).await? {
            Ok(row) => row,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.place(&mut row, None, None);
        Ok(Ok(Held { file, line, part: 0, nth: 0, row, whole: false, edited: None, sure: false }))
    }

    /// Holds the rows of one event back.
    pub(super) async fn hold(&mut self, rows: impl IntoIterator<Item = Held>) -> Result<()> {
        let rows: Vec<Held> = rows.into_iter().collect();
        let keys = || {
            let named = rows.iter().filter(|held| held.row.transaction.source_id.is_some());
            named.map(|held| held.row.identity.key)
        };
        // The same id twice in what is held back: the first must be stored to be found.
        if keys().any(|key| self.held_ids.contains(&key)) {
            self.flush().await?;
        }
        self.held_ids.extend(keys());
        self.held.extend(rows);
        if self.held.len() >= HELD {
            self.flush().await?;
        }
        Ok(())
    }

    /// Gives a row its identity and its place among the rows of its account and day, where nobody
    /// tells them.
    pub(super) fn place(
        &mut self,
        row: &mut StoredTransaction,
        nth: Option<i64>,
        seq: Option<i64>,
    ) {
        let transaction = &mut row.transaction;
        let (account, day) = (transaction.account, transaction.facts.date);
        row.identity = match &transaction.source_id {
            Some(id) => Identity { key: key_of_id(transaction.origin, id), occurrence: 0 },
            None => {
                let key = key_of_content(
                    transaction.security,
                    transaction.to_security,
                    &transaction.facts,
                    &mut self.bytes,
                );
                let next = || self.occurrences.next(day, account, &key);
                Identity { key, occurrence: nth.unwrap_or_else(next) }
            }
        };
        let place = self.seqs.entry((account, day)).or_insert(0);
        transaction.seq = seq.unwrap_or(*place);
        *place += 1;
    }

    /// The row that a draft describes, without identity and place.
    pub(super) async fn row_of(
        &mut self,
        file: usize,
        line: u64,
        draft: Draft,
        origin: Origin,
    ) -> Result<std::result::Result<StoredTransaction, Refusal>> {
        let security = match &draft.security {
            Some(mention) => match self.meaning(mention, Some(draft.facts.date)).await? {
                Ok(id) => Some(id),
                Err(refusal) => return Ok(Err(refusal)),
            },
            None => None,
        };
        let to_security = match &draft.to_security {
            Some(mention) => match self.meaning(mention, Some(draft.facts.date)).await? {
                Ok(id) => Some(id),
                Err(mut refusal) => {
                    refusal.column = Column("to_symbol");
                    return Ok(Err(refusal));
                }
            },
            None => None,
        };
        // Last, so that a row which is refused leaves no account behind.
        let account = match self.account(&draft.account) {
            Ok(Some(id)) => id,
            Ok(None) => self.make_account(&draft).await?,
            Err(refusal) => return Ok(Err(refusal)),
        };
        Ok(Ok(StoredTransaction {
            transaction: Transaction {
                id: TransactionId(self.tx.take_id()),
                account,
                security,
                to_security,
                link: draft.link,
                source_id: draft.source_id,
                origin,
                batch: Some(self.batch),
                seq: 0,
                version: 1,
                deleted: false,
                created: self.stamp.now,
                updated: self.stamp.now,
                facts: draft.facts,
            },
            identity: Identity { key: [0; 12], occurrence: 0 },
            file_no: Some(file_number(file)),
            line: i64::try_from(line).ok(),
            category: None,
            source_facts: None,
        }))
    }

    /// What a mention means in a row of this day; one that the survey did not see is settled now.
    pub(super) async fn meaning(
        &mut self,
        mention: &Mention,
        day: Option<NaiveDate>,
    ) -> Result<std::result::Result<SecurityId, Refusal>> {
        if let Some(meaning) = self.meanings.get(&self.book, mention, day) {
            return Ok(meaning.clone());
        }
        let (tx, book) = (&mut self.tx, &mut self.book);
        let used = Use::default();
        let meaning = resolve::resolve(tx, book, mention, day, &used, &self.stamp).await?;
        self.meanings.settle(&self.book, mention, day, meaning.clone());
        Ok(meaning)
    }

    /// The account of this name; none where one may be made.
    fn account(&self, name: &SafeText) -> std::result::Result<Option<AccountId>, Refusal> {
        match self.book.names.get(name) {
            Some(id) => Ok(Some(*id)),
            None if self.options.strict => {
                Err(Refusal { column: Column("account"), why: Why::NoAccount(name.clone()) })
            }
            None => Ok(None),
        }
    }

    /// An account that nobody declared; its kind and currency follow from its rows.
    async fn make_account(&mut self, draft: &Draft) -> Result<AccountId> {
        let id = AccountId(self.tx.take_id());
        let record = AccountRecord {
            account: Account {
                id,
                name: draft.account.clone(),
                kind: AccountKind::Checking,
                currency: draft.facts.currency,
                mode: Mode::Ledger,
                method: None,
                institution: None,
                closed: None,
                derived: true,
            },
            institution: None,
            connection: None,
            batch: Some(self.batch),
            version: 1,
            created: self.stamp.now,
            updated: None,
        };
        self.tx.insert_account(&record).await?;
        self.book.names.insert(draft.account.clone(), id);
        self.book.accounts.insert(id, record);
        Ok(id)
    }

    async fn push_item(
        &mut self,
        file: usize,
        line: u64,
        item: Item,
    ) -> Result<std::result::Result<(), Refusal>> {
        match item {
            Item::Transaction(words) => self.push_words(file, line, *words).await,
            Item::Price(mention, price) => match self.meaning(&mention, day_of(price.at)).await? {
                Ok(id) => {
                    let mut price = *price;
                    price.security = id;
                    let (tx, book) = (&mut self.tx, &mut self.book);
                    self.quotes.push_price(tx, book, &self.stamp, file, price).await?;
                    Ok(Ok(()))
                }
                Err(refusal) => Ok(Err(refusal)),
            },
            Item::Rate(rate) => {
                self.quotes
                    .push_rate(&mut self.tx, &mut self.book, &self.stamp, file, rate)
                    .await?;
                Ok(Ok(()))
            }
            other => {
                let done = self.take_item(other).await?;
                Ok(done.map(|verdict| self.count(file, verdict, 1)))
            }
        }
    }

    /// Finds out what the rows held back are, and writes them.
    async fn flush(&mut self) -> Result<()> {
        self.held_ids.clear();
        let mut held = std::mem::take(&mut self.held);
        let stored = self.stored(&held).await?;
        let may_wait = stored.is_none();
        let (mut known, mut claims) = self.known(stored.unwrap_or_default()).await?;
        let alike = self.edited_contents(&held, &known.places).await?;
        let mut new = Vec::with_capacity(held.len());
        for event in held.chunk_by_mut(|_, next| next.part > 0) {
            let came = event.iter().any(|held| held.may_be_among(&alike)).then(|| event.to_vec());
            let found = self.find(event, &known).await?;
            match came.filter(|event| are_doubtful(event, &found, &alike)) {
                None => self.take(event, &found, &mut known, &mut claims, &mut new).await?,
                Some(came) => {
                    self.forget_moves(&came, event);
                    self.doubtful.wait(came);
                }
            }
        }
        match may_wait {
            true => self.tx.insert_many_transactions(&new).await?,
            false => self.tx.insert_transactions(&new).await?,
        }
        self.write_claims(&claims).await?;
        held.clear();
        self.held = held;
        Ok(())
    }

    /// The stored rows as they are asked for, with their claims.
    async fn known(&mut self, stored: Vec<StoredTransaction>) -> Result<(Known, Claims)> {
        let ids: Vec<_> = stored.iter().map(|row| row.transaction.id).collect();
        let mut known = Known::default();
        known.places.extend(stored.iter().map(|row| (place_of(row), row.transaction.id)));
        known.rows.extend(stored.into_iter().map(|row| (row.transaction.id, row)));
        for (id, account, occurrence) in self.tx.first_places(&ids).await? {
            if let Some(row) = known.rows.get(&id) {
                known.places.insert((account, Identity { occurrence, ..row.identity }), id);
            }
        }
        let mut claims = Claims::default();
        claims.know(self.tx.claims(&ids).await?);
        Ok((known, claims))
    }

    async fn write_claims(&mut self, claims: &Claims) -> Result<()> {
        self.tx.insert_claims(&claims.new).await?;
        self.tx.replace_claims(&claims.again).await?;
        self.book.catch_up(&mut self.tx).await
    }

    /// Takes in the rows of an event, now that it is known which stored ones they are: all of them,
    /// or none where one contradicts.
    async fn take<'a>(
        &mut self,
        event: &'a mut [Held],
        found: &Found,
        known: &mut Known,
        claims: &mut Claims,
        new: &mut Vec<&'a StoredTransaction>,
    ) -> Result<()> {
        for stored in found.ids.iter().flatten().filter_map(|id| known.rows.get(id)) {
            self.doubtful.meets(stored);
        }
        if let Some(what) = self.contradiction(event, found, known)? {
            self.stage_conflict(event, found.ids, what);
            return Ok(());
        }
        for (held, id) in event.iter_mut().zip(found.ids) {
            let verdict = match id.and_then(|id| known.rows.get_mut(&id)) {
                None => {
                    self.complete(held, new, &mut known.rows, claims).await?;
                    Verdict::New
                }
                Some(stored) => self.meet(held, stored, found.elsewhere, claims).await?,
            };
            if verdict == Verdict::New {
                new.push(&held.row);
            }
            self.count(held.file, verdict, 1);
        }
        Ok(())
    }

    /// Settles what is left of a file.
    async fn end_file(&mut self) -> Result<()> {
        self.flush().await?;
        for mut event in self.doubtful.end() {
            let stored = self.stored(&event).await?.unwrap_or_default();
            let (mut known, mut claims) = self.known(stored).await?;
            let Some(found) = self.find_edited(&mut event, &mut known).await? else {
                for held in &mut event {
                    held.sure = true;
                }
                self.hold(event).await?;
                continue;
            };
            let ids: Vec<_> = found.ids.iter().flatten().copied().collect();
            claims.know(self.tx.claims(&ids).await?);
            let mut new = Vec::new();
            self.take(&mut event, &found, &mut known, &mut claims, &mut new).await?;
            self.tx.insert_transactions(&new).await?;
            self.write_claims(&claims).await?;
        }
        self.flush().await?;
        self.doubtful = Doubtful::default();
        Ok(())
    }

    /// Whether a day may have had rows before this file.
    pub(super) fn may_have_rows(&self, day: NaiveDate) -> bool {
        self.days.get(&day) == Some(&true)
    }

    fn count(&mut self, file: usize, verdict: Verdict, rows: u64) {
        if let Some(counts) = self.taken.counts.get_mut(file) {
            match verdict {
                Verdict::New => counts.new += rows,
                Verdict::Duplicate => counts.duplicate += rows,
                Verdict::Changed => counts.changed += rows,
                Verdict::Conflict | Verdict::Refused => counts.conflict += rows,
            }
        }
    }

    /// The stored rows that the rows of an event are.
    async fn find(&mut self, event: &mut [Held], known: &Known) -> Result<Found> {
        let mut found = Found::default();
        if let [first, second] = event {
            let nth = first.nth;
            let (first, second) = (&mut first.row, &mut second.row);
            if let Some(found) = known.event(first, second, nth)? {
                return Ok(found);
            }
            if first.transaction.source_id.is_some() {
                return known.named([first, second]);
            }
            for (row, id) in [first, second].into_iter().zip(&mut found.ids) {
                *id = self.free(row, known).await?;
            }
        } else if let [Held { row, .. }] = event {
            let before = row.identity;
            while self.moved.contains(&place_of(row)) {
                row.identity.occurrence += 1;
            }
            if row.identity != before {
                self.moved.insert(place_of(row));
            }
            found.ids = [known.places.get(&place_of(row)).copied(), None];
        }
        Ok(found)
    }

    /// The stored row of a row that has no equal one as part of another event.
    pub(super) async fn free(
        &mut self,
        row: &mut StoredTransaction,
        known: &Known,
    ) -> Result<Option<TransactionId>> {
        known.free(&mut self.tx, row, &mut self.moved).await
    }

    /// The places that an event took which is looked for again later.
    fn forget_moves(&mut self, came: &[Held], went: &[Held]) {
        for (came, went) in came.iter().zip(went) {
            if came.row.identity != went.row.identity {
                self.moved.remove(&place_of(&went.row));
            }
        }
    }

    /// What tells that the source means another event than the one that is stored, unless that is
    /// welcome.
    fn contradiction(
        &self,
        event: &[Held],
        found: &Found,
        known: &Known,
    ) -> Result<Option<&'static str>> {
        if self.options.accept_changes {
            return Ok(None);
        }
        if found.elsewhere {
            return Ok(Some("the other account"));
        }
        for (held, id) in event.iter().zip(found.ids) {
            if let Some(stored) = id.and_then(|id| known.rows.get(&id))
                && let said = Said::by(&held.row)
                && let before = Underlay::of(stored)?
                && let Some(what) = said.contradicts(&before)
                && !is_echo(held, &said, &before, stored)
            {
                return Ok(Some(what));
            }
        }
        Ok(None)
    }

    /// Completes a new row: its category, and what it meets.
    async fn complete(
        &mut self,
        held: &mut Held,
        new: &[&StoredTransaction],
        known: &mut HashMap<TransactionId, StoredTransaction>,
        claims: &mut Claims,
    ) -> Result<()> {
        let row = &mut held.row;
        if let Some(edited) = held.edited.take() {
            self.take_edited(row, *edited, new).await?;
        }
        if let Some(name) = row.transaction.facts.category.clone() {
            row.category = Some(self.book.category(&mut self.tx, &name, &self.stamp).await?);
        }
        if !held.whole {
            self.meet_event(row, known, claims).await?;
        }
        self.book.count(row, true);
        Ok(())
    }

    /// A new row of an event of which another row is known by other means.
    async fn meet_event(
        &mut self,
        row: &mut StoredTransaction,
        known: &mut HashMap<TransactionId, StoredTransaction>,
        claims: &mut Claims,
    ) -> Result<()> {
        let (tx, book, stamp) = (&mut self.tx, &mut self.book, &self.stamp);
        proposed::link_by_id(tx, book, &mut row.transaction, known, stamp).await?;
        if let Some(gone) = proposed::give_way(tx, book, &row.transaction, stamp).await? {
            claims.know(tx.claims(&[gone.transaction.id]).await?);
            let first = Statement::default();
            let mine = Statement { version: gone.transaction.version, ..Statement::default() };
            claims.add(&gone, row, self.batch, first, mine);
        }
        Ok(())
    }

    /// The stored rows that the rows held back may be; none where there is nothing to ask.
    async fn stored(&mut self, held: &[Held]) -> Result<Option<Vec<StoredTransaction>>> {
        let mut unseen: Vec<NaiveDate> = Vec::new();
        for Held { row, .. } in held {
            let day = row.transaction.facts.date;
            let may_have = self.span.as_ref().is_some_and(|span| span.contains(&day));
            if may_have && row.transaction.source_id.is_none() && !self.days.contains_key(&day) {
                self.days.insert(day, false);
                unseen.push(day);
            }
        }
        // Rows of this file differ from each other, so what the file itself brought to a day
        // need not be looked at: most days of most files are new, and one look tells.
        for day in self.tx.days_with_rows(&unseen).await? {
            self.days.insert(day, true);
        }
        let mut ids = Vec::new();
        let mut keys = Vec::new();
        for Held { row, .. } in held {
            let day = row.transaction.facts.date;
            match &row.transaction.source_id {
                Some(id) => ids.push(id),
                None if self.may_have_rows(day) => keys.push((day, row.identity.key)),
                None => {}
            }
        }
        if unseen.is_empty() && keys.is_empty() && ids.is_empty() {
            return Ok(None);
        }
        let mut known = self.tx.transactions_by_key(&keys).await?;
        known.extend(self.tx.transactions_by_source(&ids).await?);
        Ok(Some(known))
    }

    /// A row that is there already: the same or another version, which may be in the account that
    /// the source names now.
    async fn meet(
        &mut self,
        held: &Held,
        stored: &mut StoredTransaction,
        moves: bool,
        claims: &mut Claims,
    ) -> Result<Verdict> {
        let row = &held.row;
        let said = Said::by(row);
        let before = Underlay::of(stored)?;
        let first = Statement {
            version: stored.transaction.version,
            said: Said::from(before.clone()).fields(),
        };
        let now = said.over(&before);
        let by_hand = stored.transaction.origin == Origin::Hand;
        // What comes as a person left it says nothing of what its source says.
        let echo = is_echo(held, &said, &before, stored);
        let mut verdict = Verdict::Duplicate;
        if moves
            && stored.transaction.account != row.transaction.account
            && !before.edited.contains("account")
        {
            let old = stored.clone();
            stored.transaction.account = row.transaction.account;
            let (tx, book) = (&mut self.tx, &mut self.book);
            write::put(tx, book, &old, stored, &self.stamp, "source").await?;
            verdict = Verdict::Changed;
        }
        // What a person wrote stands; a file that says it again adds nothing to it.
        let stands = by_hand && !self.options.accept_changes;
        if now != before && !echo && !stands {
            let (tx, book) = (&mut self.tx, &mut self.book);
            write::change_source(tx, book, stored, now, &self.stamp).await?;
            verdict = Verdict::Changed;
        }
        // A file has no say in what a person wrote.
        let mine = match verdict {
            Verdict::Duplicate if by_hand || echo => Statement::default(),
            _ => Statement { version: stored.transaction.version, said: said.fields() },
        };
        if claims.add(stored, row, self.batch, first, mine)
            && row.transaction.seq < stored.transaction.seq
        {
            stored.transaction.seq = row.transaction.seq;
            self.tx.update_transaction(stored).await?;
        }
        Ok(verdict)
    }

    fn stage_conflict(
        &mut self,
        event: &[Held],
        stored: [Option<TransactionId>; 2],
        what: &'static str,
    ) {
        let Some(Held { file, line, row, .. }) = event.first() else { return };
        let rows = u64::try_from(event.len()).unwrap_or(u64::MAX);
        self.count(*file, Verdict::Conflict, rows);
        if self.taken.conflicts.len() >= Taken::MOST {
            return;
        }
        let why = match row.transaction.source_id.clone() {
            Some(id) => Why::Conflict { id, what },
            None => Why::ChangedByHand(what),
        };
        let refusal = Refusal { column: Column("id"), why };
        for (held, transaction) in event.iter().zip(stored) {
            self.staged.push(StagedRow {
                batch: self.batch,
                file_no: file_number(*file),
                line: i64::try_from(*line).unwrap_or(i64::MAX),
                part: held.part,
                verdict: Verdict::Conflict,
                transaction,
                column: Some(refusal.column.to_string()),
                why: Some(refusal.why.to_string()),
                raw: String::new(),
            });
        }
        self.taken.conflicts.push((*file, *line, refusal));
    }

    /// Keeps a row that a file brought and that could not be understood.
    pub fn stage_refused(
        &mut self,
        file: usize,
        line: u64,
        column: Option<String>,
        why: String,
        raw: String,
    ) {
        if self.staged.len() < Taken::MOST {
            self.staged.push(StagedRow {
                batch: self.batch,
                file_no: file_number(file),
                line: i64::try_from(line).unwrap_or(i64::MAX),
                part: 0,
                verdict: Verdict::Refused,
                transaction: None,
                column,
                why: Some(why),
                raw,
            });
        }
    }

    /// What became of the rows so far; all of them are settled by this.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle(&mut self) -> Result<&Taken> {
        self.end_file().await?;
        self.flush_raw().await?;
        for (file, counts) in self.quotes.flush(&mut self.tx, &mut self.book, &self.stamp).await? {
            if let Some(mine) = self.taken.counts.get_mut(file) {
                mine.new += counts.new;
                mine.duplicate += counts.duplicate;
                mine.changed += counts.changed;
            }
        }
        Ok(&self.taken)
    }

    /// Ends an import: everything is durable when this returns.
    ///
    /// # Errors
    /// When the store fails; then nothing is written.
    pub async fn commit(mut self, mut files: Vec<BatchFile>) -> Result<Taken> {
        self.settle().await?;
        for file in &mut files {
            file.batch = self.batch.0;
        }
        self.staged.sort_by_key(|row| (row.file_no, row.line, row.part));
        self.staged.dedup_by_key(|row| (row.file_no, row.line, row.part));
        self.tx.insert_batch_files(&files, &self.staged).await?;
        self.book.settle(&mut self.tx, &self.stamp).await?;
        // What only rows mentioned that did not come in.
        let mine = BTreeSet::from([self.batch]);
        undo::forget_idle(&mut self.tx, &mut self.book, &mine, &self.declared).await?;
        self.book.settle_figures(&mut self.tx).await?;
        self.tx.commit(&self.stamp.op, "import", self.stamp.now).await?;
        Ok(self.taken)
    }

    /// Takes everything back.
    ///
    /// # Errors
    /// When the store cannot be told.
    pub async fn rollback(self) -> Result<Taken> {
        self.tx.rollback().await?;
        Ok(self.taken)
    }
}

/// Rows as they stood in their file, gathered to a piece.
#[derive(Default)]
struct Raw {
    file: usize,
    first_line: u64,
    lines: String,
}

impl Raw {
    /// How many bytes make a piece.
    const PIECE: usize = 32 * 1024;

    fn add(&mut self, file: usize, line: u64, raw: &str) {
        if self.lines.is_empty() {
            (self.file, self.first_line) = (file, line);
            self.lines.reserve(Self::PIECE + 256);
        }
        // Writing into a String cannot fail.
        let _ = write!(self.lines, "{line}\t");
        self.lines.push_str(raw);
        self.lines.push('\n');
    }
}

fn file_number(file: usize) -> i64 {
    i64::try_from(file).unwrap_or(i64::MAX)
}
