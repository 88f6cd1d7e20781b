//! Taking in many rows at once: each row is identified, found new, known, changed or
//! contradicting, and written with the claims that let the import be taken back.
//!
//! Rows are held back a few hundred at a time, so that the store is asked and written in bulk
//! and a million rows need no more memory than a thousand.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::ops::RangeInclusive;

use chrono::NaiveDate;

use super::body::Underlay;
use super::book::{Book, Stamp};
use super::claims::{Claims, Statement};
use super::edited::{Doubtful, says_what_is_shown};
use super::identity::{Occurrences, key_of_content, key_of_id};
use super::proposed;
use super::quotes::{self, Quotes};
use super::resolve::{self, Meanings};
use super::survey::{Use, day_of};
use super::write::{self, Said};
use super::{Result, Survey};
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
    meanings: Meanings,
    quotes: Quotes,
    occurrences: Occurrences,
    occurrences_of: usize,
    seqs: HashMap<(AccountId, NaiveDate), i64>,
    held: Vec<Held>,
    pub(super) doubtful: Doubtful,
    held_ids: BTreeSet<[u8; 12]>,
    /// The days that may have had rows before this file, and whether one had, once asked.
    span: Option<RangeInclusive<NaiveDate>>,
    days: HashMap<NaiveDate, bool>,
    bytes: Vec<u8>,
    raw: Raw,
    staged: Vec<StagedRow>,
    taken: Taken,
}

/// A row whose verdict is not known yet.
pub(super) struct Held {
    pub file: usize,
    pub line: u64,
    pub part: i64,
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
            meanings,
            quotes: Quotes::new(survey),
            occurrences: Occurrences::default(),
            occurrences_of: 0,
            seqs: HashMap::new(),
            held: Vec::with_capacity(HELD),
            doubtful: Doubtful::default(),
            held_ids: BTreeSet::new(),
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
        let Drafts { mut first, second } = drafts;
        let Some(mut second) = second else {
            return self.push_draft(file, line, 0, first, Origin::File).await;
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
        // The name of the event must be the same whenever and wherever the row comes again.
        if first.link.is_none() {
            let account = match self.account(&first.account) {
                Ok(Some(id)) => id,
                Ok(None) => self.make_account(&first).await?,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let name = self.event_name(account, &first, &second).await?;
            first.link = Some(name.clone());
            second.link = Some(name);
        }
        for (part, draft) in [(0, first), (1, second)] {
            let done = self.push_draft(file, line, part, draft, Origin::File).await?;
            if done.is_err() {
                return Ok(done);
            }
        }
        Ok(Ok(()))
    }

    /// A label for the rows that one row stands for, made of what they say.
    async fn event_name(
        &mut self,
        account: AccountId,
        first: &Draft,
        second: &Draft,
    ) -> Result<SafeText> {
        let sort = if first.account == second.account { "reinvest" } else { "transfer" };
        let security = match &first.security {
            Some(mention) => self.meaning(mention, Some(first.facts.date)).await?.ok(),
            None => None,
        };
        let key = match &first.source_id {
            Some(id) => key_of_id(Origin::File, id),
            None => key_of_content(security, None, &first.facts, &mut self.bytes),
        };
        let mut hex = String::with_capacity(24);
        for byte in key {
            // Writing into a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        let nth = self.occurrences.peek(first.facts.date, account, &key);
        Ok(SafeText::new(&format!("~{sort}:{account}:{hex}:{nth}")))
    }

    async fn push_draft(
        &mut self,
        file: usize,
        line: u64,
        part: i64,
        draft: Box<Draft>,
        origin: Origin,
    ) -> Result<std::result::Result<(), Refusal>> {
        let mut row = match self.row_of(file, line, *draft, origin).await? {
            Ok(row) => row,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.place(&mut row, None, None);
        self.hold(Held { file, line, part, row, whole: false, edited: None, sure: false }).await?;
        Ok(Ok(()))
    }

    /// Holds a row back until many are asked for at once.
    pub(super) async fn hold(&mut self, held: Held) -> Result<()> {
        // The same id twice in what is held back: the first must be stored to be found.
        let key = held.row.identity.key;
        if held.row.transaction.source_id.is_some() && !self.held_ids.insert(key) {
            self.flush().await?;
            self.held_ids.insert(key);
        }
        self.held.push(held);
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
                Ok(done.map(|verdict| self.count(file, verdict)))
            }
        }
    }

    /// Finds out what the rows held back are, and writes them.
    async fn flush(&mut self) -> Result<()> {
        self.held_ids.clear();
        let mut held = std::mem::take(&mut self.held);
        let known = self.known(&held).await?;
        let may_wait = known.is_none();
        let known = known.unwrap_or_default();
        let ids: Vec<_> = known.iter().map(|row| row.transaction.id).collect();
        let mut places = HashMap::new();
        for row in &known {
            places.insert((row.identity, row.transaction.account), row.transaction.id);
        }
        let mut known: HashMap<_, _> =
            known.into_iter().map(|row| (row.transaction.id, row)).collect();
        for (id, account, occurrence) in self.tx.first_places(&ids).await? {
            if let Some(row) = known.get(&id) {
                places.insert((Identity { occurrence, ..row.identity }, account), id);
            }
        }
        let may_be_edited = self.may_be_edited(&held, &places).await?;
        let mut new: Vec<&StoredTransaction> = Vec::with_capacity(held.len());
        let mut claims = Claims::default();
        claims.know(self.tx.claims(&ids).await?);
        for held in &mut held {
            let key = (held.row.identity, held.row.transaction.account);
            let stored = places.get(&key).and_then(|id| known.get_mut(id));
            let verdict = match stored {
                None if may_be_edited.contains(&key) => {
                    self.doubtful.wait(held);
                    continue;
                }
                None => {
                    if let Some(edited) = held.edited.take() {
                        self.take_edited(&mut held.row, *edited, &new).await?;
                    }
                    let Held { row, whole, .. } = held;
                    row.category = match &row.transaction.facts.category {
                        Some(name) => {
                            let name = name.clone();
                            Some(self.book.category(&mut self.tx, &name, &self.stamp).await?)
                        }
                        None => None,
                    };
                    if !*whole {
                        self.meet_event(row, &mut known, &mut claims).await?;
                    }
                    self.book.count(row, true);
                    new.push(&*row);
                    Verdict::New
                }
                Some(stored) => {
                    self.doubtful.meets(stored);
                    self.meet(held, stored, &mut claims).await?
                }
            };
            self.count(held.file, verdict);
        }
        match may_wait {
            true => self.tx.insert_many_transactions(&new).await?,
            false => self.tx.insert_transactions(&new).await?,
        }
        self.tx.insert_claims(&claims.new).await?;
        self.tx.replace_claims(&claims.again).await?;
        self.book.catch_up(&mut self.tx).await?;
        held.clear();
        self.held = held;
        Ok(())
    }

    /// Whether a day may have had rows before this file.
    pub(super) fn may_have_rows(&self, day: NaiveDate) -> bool {
        self.days.get(&day) == Some(&true)
    }

    fn count(&mut self, file: usize, verdict: Verdict) {
        if let Some(counts) = self.taken.counts.get_mut(file) {
            match verdict {
                Verdict::New => counts.new += 1,
                Verdict::Duplicate => counts.duplicate += 1,
                Verdict::Changed => counts.changed += 1,
                Verdict::Conflict | Verdict::Refused => counts.conflict += 1,
            }
        }
    }

    /// Settles what is left of a file.
    async fn end_file(&mut self) -> Result<()> {
        self.flush().await?;
        for mut held in self.doubtful.end() {
            match self.edited_like(&held.row).await? {
                None => {
                    held.sure = true;
                    self.hold(held).await?;
                }
                Some(mut stored) => {
                    self.doubtful.meets(&stored);
                    let mut claims = Claims::default();
                    claims.know(self.tx.claims(&[stored.transaction.id]).await?);
                    let verdict = self.meet(&held, &mut stored, &mut claims).await?;
                    self.tx.insert_claims(&claims.new).await?;
                    self.tx.replace_claims(&claims.again).await?;
                    self.count(held.file, verdict);
                }
            }
        }
        self.flush().await?;
        self.doubtful = Doubtful::default();
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
    async fn known(&mut self, held: &[Held]) -> Result<Option<Vec<StoredTransaction>>> {
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

    /// A row that is there already: the same, another version, or something else.
    async fn meet(
        &mut self,
        held: &Held,
        stored: &mut StoredTransaction,
        claims: &mut Claims,
    ) -> Result<Verdict> {
        let row = &held.row;
        let said = Said {
            facts: row.transaction.facts.clone(),
            security: row.transaction.security,
            to_security: row.transaction.to_security,
            link: row.transaction.link.clone(),
        };
        let before = Underlay::of(stored)?;
        let first = Statement {
            version: stored.transaction.version,
            said: Said::from(before.clone()).fields(),
        };
        let now = said.over(&before);
        let by_hand = stored.transaction.origin == Origin::Hand;
        // What comes as a person left it says nothing of what its source says.
        let echo = now != before
            && (says_what_is_shown(&said, stored) || by_hand && held.edited.is_some());
        let mut verdict = Verdict::Duplicate;
        if now != before && !echo {
            if let Some(what) = said.contradicts(&before).filter(|_| !self.options.accept_changes) {
                self.stage_conflict(held, stored, what);
                return Ok(Verdict::Conflict);
            }
            // What a person wrote stands; a file that says it again adds nothing to it.
            if !by_hand || self.options.accept_changes {
                let (tx, book) = (&mut self.tx, &mut self.book);
                write::change_source(tx, book, stored, now, &self.stamp).await?;
                verdict = Verdict::Changed;
            }
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

    fn stage_conflict(&mut self, held: &Held, stored: &StoredTransaction, what: &'static str) {
        let why = match held.row.transaction.source_id.clone() {
            Some(id) => Why::Conflict { id, what },
            None => Why::ChangedByHand(what),
        };
        let refusal = Refusal { column: Column("id"), why };
        if self.taken.conflicts.len() >= Taken::MOST {
            return;
        }
        self.staged.push(StagedRow {
            batch: self.batch,
            file_no: file_number(held.file),
            line: i64::try_from(held.line).unwrap_or(i64::MAX),
            part: held.part,
            verdict: Verdict::Conflict,
            transaction: Some(stored.transaction.id),
            column: Some(refusal.column.to_string()),
            why: Some(refusal.why.to_string()),
            raw: String::new(),
        });
        self.taken.conflicts.push((held.file, held.line, refusal));
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
