//! Taking in many rows at once: each row is identified, found new, known, changed or
//! contradicting, and written with the claims that let the import be taken back.
//!
//! Rows are held back a few hundred at a time, so that the store is asked and written in bulk
//! and a million rows need no more memory than a thousand.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write;
use std::ops::RangeInclusive;

use chrono::NaiveDate;

use super::book::{Book, Stamp};
use super::edited::Doubtful;
use super::identity::Occurrences;
use super::legs::Place;
use super::quotes::{self, Quotes};
use super::resolve::{self, Meanings};
use super::sayings::Thing;
use super::survey::day_of;
use super::{Result, Survey, undo};
use crate::model::{AccountId, BatchId, Draft, Drafts, Item, Origin, PriceSubject, Quote, Refusal};
use crate::store::{BatchFile, BatchRow, StagedRow, StoredTransaction, Verdict, WriteTx};

/// How many rows are held back.
pub(super) const HELD: usize = 1_000;

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

/// What was decided beforehand.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Accounts must be there already.
    pub strict: bool,
    /// Rows that contradict become new versions.
    pub accept_changes: bool,
    /// Where the rows come from.
    pub origin: Origin,
}

impl Default for Options {
    fn default() -> Self {
        Self { strict: false, accept_changes: false, origin: Origin::File }
    }
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
    pub(super) batch: BatchId,
    pub(super) options: Options,
    /// Accounts and securities that a file does not just mention.
    pub(super) declared: BTreeSet<Thing>,
    pub(super) meanings: Meanings,
    quotes: Quotes,
    pub(super) occurrences: Occurrences,
    occurrences_of: usize,
    pub(super) seqs: HashMap<(AccountId, NaiveDate), i64>,
    pub(super) held: Vec<Held>,
    pub(super) doubtful: Doubtful,
    pub(super) held_ids: BTreeSet<[u8; 12]>,
    /// Places of this file that were given because another event has the one before.
    pub(super) moved: HashSet<Place>,
    /// The days that may have had rows before this file, and whether one had, once asked.
    pub(super) span: Option<RangeInclusive<NaiveDate>>,
    pub(super) days: HashMap<NaiveDate, bool>,
    /// The instant of the row that is being taken in, where its source tells.
    pub(super) instant: Option<i64>,
    pub(super) bytes: Vec<u8>,
    raw: Raw,
    pub(super) staged: Vec<StagedRow>,
    pub(super) taken: Taken,
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
        tx.expect_many().await?;
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
            instant: None,
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
        self.begin_count(file);
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

    /// Takes in one row of a provider, of an instant in microseconds since the epoch.
    ///
    /// # Errors
    /// As [`Intake::push`].
    pub async fn push_at(
        &mut self,
        line: u64,
        at: i64,
        content: Content,
    ) -> Result<std::result::Result<(), Refusal>> {
        self.instant = Some(at);
        let pushed = self.push(0, line, "", content).await;
        self.instant = None;
        pushed
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
                // An account, a balance, a setting: what is not a row.
                self.book.touches_everything();
                let done = self.take_item(other).await?;
                Ok(done.map(|verdict| self.count(file, verdict, 1)))
            }
        }
    }

    fn begin_count(&mut self, file: usize) {
        if self.taken.counts.len() <= file {
            self.taken.counts.resize(file + 1, Counts::default());
        }
    }

    pub(super) fn count(&mut self, file: usize, verdict: Verdict, rows: u64) {
        // A row may be missing where none was brought.
        self.begin_count(file);
        if let Some(counts) = self.taken.counts.get_mut(file) {
            match verdict {
                Verdict::New => counts.new += rows,
                Verdict::Duplicate => counts.duplicate += rows,
                Verdict::Changed => counts.changed += rows,
                Verdict::Conflict | Verdict::Refused => counts.conflict += rows,
            }
        }
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
    pub async fn commit(mut self, files: Vec<BatchFile>) -> Result<Taken> {
        self.finish(files).await?;
        self.close().await
    }

    /// Writes all that is left to write.
    pub(super) async fn finish(&mut self, mut files: Vec<BatchFile>) -> Result<()> {
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
        self.book.carry_days(&mut self.tx).await
    }

    /// Makes what was finished durable.
    pub(super) async fn close(self) -> Result<Taken> {
        let action = if self.options.origin == Origin::Provider { "refresh" } else { "import" };
        self.tx.commit(&self.stamp.op, action, self.stamp.now).await?;
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

pub(super) fn file_number(file: usize) -> i64 {
    i64::try_from(file).unwrap_or(i64::MAX)
}
