//! Importing files: read twice, first to see what they mention and whether every row is right,
//! then, in one transaction, to take the rows in. A trial run is the same and is taken back at
//! the end, so what it shows is what would happen.
//!
//! Where every row is right and means the same whatever the others say, as in most files, one
//! reading is enough: that is tried first, and taken back as soon as it turns out otherwise.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tracing::{debug, info};

use super::files::{FileRow, Source};
use super::{Error, Session};
use crate::import::{Format, Problem};
use crate::ledger::{self, Content, Intake, Kept, Options, Survey, Taken};
use crate::model::{BatchId, Change, OpId, SafeText, keep_raw};
use crate::refresh;
use crate::report;
pub use crate::report::BatchSummary;
use crate::store::BatchFile;
use crate::tasks::{self, Task};

/// How many refused rows of a file are told one by one.
const TOLD: usize = 1_000;
/// How many rows travel together from the reader to the writer, and how many such parcels may wait.
const PARCEL: usize = 250;
const PARCELS: usize = 2;

/// Rows on their way from the reader to the writer.
#[derive(Default)]
struct Parcel {
    /// Each with its line and where its raw form ends.
    rows: Vec<(u64, usize, Result<Content, Problem>)>,
    /// The raw form of every row, reversibly escaped, one after the other.
    raw: String,
}

impl Parcel {
    fn add(&mut self, row: FileRow<'_>) {
        keep_raw(row.raw, &mut self.raw);
        self.rows.push((row.line, self.raw.len(), row.content));
    }

    /// An empty one with as much room.
    fn next(&self) -> Self {
        Self { rows: Vec::with_capacity(PARCEL), raw: String::with_capacity(self.raw.capacity()) }
    }
}

/// What somebody wants imported, and how.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command")]
#[derive(Clone, Debug, Default)]
pub struct ImportRequest {
    /// In this order.
    pub files: Vec<PathBuf>,
    /// Every row belongs to this account, whatever the file says.
    pub account: Option<SafeText>,
    /// None: found out from the content.
    pub format: Option<Format>,
    /// Show what would happen.
    pub dry_run: bool,
    /// Make no accounts.
    pub strict: bool,
    /// Store the right rows of a file that has wrong ones.
    pub partial: bool,
    /// Rows that contradict become new versions.
    pub accept_changes: bool,
}

/// What an import did, or would do.
#[derive(Clone, Debug, Default)]
pub struct ImportReport {
    /// Its number; none for a trial run or where nothing was stored.
    pub batch: Option<BatchId>,
    /// By file, in the order given.
    pub files: Vec<FileReport>,
}

/// What became of one file.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// As it was named.
    pub path: PathBuf,
    /// The format it was read as.
    pub format: Option<Format>,
    /// Rows read.
    pub rows: u64,
    /// Stored.
    pub new: u64,
    /// There already.
    pub duplicate: u64,
    /// Another version now.
    pub changed: u64,
    /// Contradicting, not stored.
    pub conflict: u64,
    /// Not understood: the first of them.
    pub refused: Vec<Problem>,
    /// How many were not understood.
    pub refused_total: u64,
    /// Whether its rows are stored.
    pub stored: bool,
    /// What the contradicting rows contradict: the first of them.
    pub conflicts: Vec<Problem>,
}

/// How an import went as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is in.
    Done,
    /// Some of it is in.
    Partial,
    /// Nothing is in, since something was wrong.
    Refused,
}

impl ImportReport {
    /// How it went as a whole.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let wrong = self.files.iter().any(|file| file.refused_total > 0 || file.conflict > 0);
        let stored = self.files.iter().any(|file| file.stored);
        match (wrong, stored) {
            (false, _) => Outcome::Done,
            (true, true) => Outcome::Partial,
            (true, false) => Outcome::Refused,
        }
    }
}

/// A file that was looked at.
struct Looked {
    source: Option<Arc<Source>>,
    /// How many rows the first reading refused; the second may find more, each time it is tried.
    refused_alone: u64,
    survey: Survey,
    digest: String,
    report: FileReport,
}

/// Imports files.
///
/// # Errors
/// When a file or the store cannot be used. Wrong rows are in the report.
pub async fn run(session: &Session, request: ImportRequest) -> Result<ImportReport, Error> {
    let session = session.clone();
    // The write must not be cancelled half way.
    let task = tasks::spawn(Task::Import, async move { run_here(&session, &request).await });
    task.await.unwrap_or(Err(Error::Interrupted))
}

async fn run_here(session: &Session, request: &ImportRequest) -> Result<ImportReport, Error> {
    let mut files = Vec::with_capacity(request.files.len());
    for path in &request.files {
        files.push(open(path, request)?);
    }
    let taken = if request.dry_run {
        read_and_take(session, request, &mut files, OpId::at(0)).await?
    } else {
        audited(session, request, &mut files).await?
    };
    for (number, file) in files.iter().enumerate() {
        log(number, &file.report);
    }
    if let Some(TakenIn::Stored(_)) = taken {
        keep_days(session, &files).await?;
        refresh::look_at_alerts(&session.store, session.audit(), &session.clock).await;
    }
    Ok(ImportReport {
        batch: taken.and_then(TakenIn::number),
        files: files.into_iter().map(|file| file.report).collect(),
    })
}

/// Keeps the days of accounts where prices came or nothing is kept any more: rows that come later
/// touch a few days only, which are kept where that is quick.
async fn keep_days(session: &Session, files: &[Looked]) -> Result<(), Error> {
    let brings_prices = |file: &Looked| file.report.format != Some(Format::Neutral);
    if files.iter().any(brings_prices) || refresh::are_days_lost(&session.store).await? {
        refresh::keep_all_days(&session.store, session.clock.today()).await;
    } else {
        refresh::keep_few_days(&session.store, session.clock.today()).await;
    }
    Ok(())
}

/// Says what became of a file without a word of what it says.
fn log(number: usize, report: &FileReport) {
    let format = report.format.map_or("none", Format::as_str);
    let FileReport { rows, new, duplicate, changed, conflict, refused_total, stored, .. } = report;
    info!(number, format, rows, new, duplicate, changed, conflict, refused_total, stored, "file");
    for (what, problems) in [("refused", &report.refused), ("conflict", &report.conflicts)] {
        for problem in problems {
            debug!(number, line = problem.line, kind = problem.why.kind(), "{what}");
        }
    }
}

/// One reading where that is enough, else two. None: nothing was stored.
async fn read_and_take(
    session: &Session,
    request: &ImportRequest,
    files: &mut [Looked],
    op: OpId,
) -> Result<Option<TakenIn>, Error> {
    let plain = files.iter().all(|file| file.report.format == Some(Format::Neutral));
    if plain && let Some(taken) = take_in(session, request, files, op, true).await? {
        return Ok(Some(taken));
    }
    for file in files.iter_mut() {
        look(file, request);
    }
    match files.iter().any(|file| file.report.stored) {
        true => take_in(session, request, files, op, false).await,
        false => Ok(None),
    }
}

/// The end of a transaction that took files in.
#[derive(Clone, Copy)]
enum TakenIn {
    /// Stored, with this number.
    Stored(BatchId),
    /// A trial run, taken back.
    Tried,
}

impl TakenIn {
    const fn number(self) -> Option<BatchId> {
        match self {
            Self::Stored(batch) => Some(batch),
            Self::Tried => None,
        }
    }
}

/// Opens a file; one that is no file for us is a report already.
fn open(path: &std::path::Path, request: &ImportRequest) -> Result<Looked, Error> {
    let mut file = Looked {
        source: None,
        refused_alone: 0,
        survey: Survey::default(),
        digest: String::new(),
        report: FileReport::new(path.to_owned()),
    };
    match Source::open(path, request.format) {
        Ok(source) => {
            file.report.format = Some(source.format);
            file.source = Some(Arc::new(source));
        }
        Err(Error::Content { problem, .. }) => file.report.refuse(problem),
        Err(error) => return Err(error),
    }
    file.refused_alone = file.report.refused_total;
    Ok(file)
}

/// The first reading: every row checked alone, and what they mention.
fn look(file: &mut Looked, request: &ImportRequest) {
    let Some(source) = file.source.clone() else { return };
    let Looked { report, survey, .. } = file;
    *report = FileReport { format: Some(source.format), ..FileReport::new(source.path.clone()) };
    let read = source.read(request.account.as_ref(), &mut |row: FileRow<'_>| {
        report.rows += 1;
        match row.content {
            Ok(content) => survey.note(&content),
            Err(problem) => report.refuse(problem),
        }
        ControlFlow::Continue(())
    });
    report.stored = report.refused_total == 0 || (request.partial && report.has_right_rows());
    match read {
        Ok(digest) => file.digest = digest,
        Err(problem) => {
            report.refuse(problem);
            report.stored = false;
        }
    }
    file.refused_alone = report.refused_total;
}

impl FileReport {
    const fn new(path: PathBuf) -> Self {
        Self {
            path,
            format: None,
            rows: 0,
            new: 0,
            duplicate: 0,
            changed: 0,
            conflict: 0,
            refused: Vec::new(),
            refused_total: 0,
            stored: false,
            conflicts: Vec::new(),
        }
    }

    fn refuse(&mut self, problem: Problem) {
        self.refused_total += 1;
        if self.refused.len() < TOLD {
            self.refused.push(problem);
        }
    }

    fn has_right_rows(&self) -> bool {
        self.rows > self.refused_total
    }
}

/// Takes files in, with an attempt and its outcome in the trail. None: nothing was stored.
async fn audited(
    session: &Session,
    request: &ImportRequest,
    files: &mut [Looked],
) -> Result<Option<TakenIn>, Error> {
    let attempt = session.attempt("import", &format!("files={}", files.len())).await?;
    let taken = read_and_take(session, request, files, attempt.op()).await;
    match &taken {
        Ok(Some(taken)) => {
            let sum = |count: fn(&FileReport) -> u64| -> u64 {
                files.iter().map(|file| count(&file.report)).sum()
            };
            let detail = format!(
                "batch={} new={} duplicate={} changed={} conflict={}",
                taken.number().map_or(0, |batch| batch.0),
                sum(|file| file.new),
                sum(|file| file.duplicate),
                sum(|file| file.changed),
                sum(|file| file.conflict),
            );
            attempt.committed(&detail).await;
        }
        Ok(None) => attempt.failed("every file was refused").await?,
        Err(error) => session.end_badly(attempt, error).await,
    }
    taken
}

/// The second reading, in one transaction. A file in which a row turns out wrong, or contradicts
/// what is stored, only now is left out, and the rest begins anew. Where it is the only reading, anything unusual ends it.
async fn take_in(
    session: &Session,
    request: &ImportRequest,
    looked: &mut [Looked],
    op: OpId,
    once: bool,
) -> Result<Option<TakenIn>, Error> {
    loop {
        let mut survey = Survey::default();
        for file in looked.iter_mut() {
            if once {
                file.report.stored = true;
            }
            if file.report.stored {
                file.report.refused_total = file.refused_alone;
                file.report.refused.truncate(usize::try_from(file.refused_alone).unwrap_or(TOLD));
                survey.merge(&file.survey);
            }
        }
        let tx = session.store.write().await?;
        let options = Options {
            strict: request.strict,
            accept_changes: request.accept_changes,
            ..Options::default()
        };
        let op_text = op.to_string();
        let mut intake = Intake::begin(tx, &survey, options, &op_text, session.now()).await?;
        let batch = intake.batch();
        let mut again = false;
        for (number, file) in looked.iter_mut().enumerate() {
            if file.report.stored && !(once && again) {
                again |= read_in(&mut intake, number, file, request, once).await?;
            }
        }
        if !again && !request.partial {
            again = leave_out_conflicts(&mut intake, looked).await?;
        }
        if again {
            intake.rollback().await?;
            if !once && looked.iter().any(|file| file.report.stored) {
                continue;
            }
            return Ok(None);
        }
        let records = settle(&mut intake, looked, request.partial).await?;
        if request.dry_run {
            intake.rollback().await?;
            return Ok(Some(TakenIn::Tried));
        }
        intake.commit(records).await?;
        return Ok(Some(TakenIn::Stored(batch)));
    }
}

/// Reads one file into the store. True: it turned out wrong and must be left out.
async fn read_in(
    intake: &mut Intake,
    number: usize,
    file: &mut Looked,
    request: &ImportRequest,
    once: bool,
) -> Result<bool, Error> {
    let Some(source) = file.source.clone() else { return Ok(false) };
    let (sender, mut parcels) = mpsc::channel::<Parcel>(PARCELS);
    let account = request.account.clone();
    let reader = {
        let source = Arc::clone(&source);
        tasks::spawn_blocking(Task::Reading, move || {
            let mut parcel = Parcel::default();
            let read = source.read(account.as_ref(), &mut |row| {
                parcel.add(row);
                if parcel.rows.len() < PARCEL {
                    return ControlFlow::Continue(());
                }
                let next = parcel.next();
                let full = std::mem::replace(&mut parcel, next);
                match sender.blocking_send(full) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                }
            });
            // Nobody listens any more when the other side has failed; it says why.
            let _ = sender.blocking_send(parcel);
            read
        })
    };
    let mut refused = false;
    let mut rows = 0;
    while let Some(parcel) = parcels.recv().await {
        let mut begin = 0;
        for (line, end, content) in parcel.rows {
            let raw = parcel.raw.get(begin..end).unwrap_or_default();
            begin = end;
            rows += 1;
            if once && content.as_ref().map_or(true, Content::is_telling) {
                return Ok(true);
            }
            match content {
                // Told at the first reading.
                Err(problem) => {
                    let column = problem.column.map(|column| column.to_string());
                    let why = problem.why.to_string();
                    intake.stage_refused(number, line, column, why, raw.to_owned());
                }
                Ok(content) => {
                    if let Err(refusal) = intake.push(number, line, raw, content).await? {
                        if once {
                            return Ok(true);
                        }
                        refused = true;
                        file.report.refuse(Problem::from(refusal).on_line(line));
                    }
                }
            }
        }
    }
    match reader.await {
        Ok(Ok(digest)) => file.digest = digest,
        Ok(Err(_)) if once => return Ok(true),
        Ok(Err(problem)) => return Err(Error::Content { path: source.path.clone(), problem }),
        Err(_) => return Err(Error::Interrupted),
    }
    source.check_unchanged()?;
    file.report.rows = rows;
    if refused && !(request.partial && file.report.has_right_rows()) {
        file.report.stored = false;
        return Ok(true);
    }
    Ok(false)
}

/// Leaves out the files with rows that contradict what is stored. True: there are such.
async fn leave_out_conflicts(intake: &mut Intake, looked: &mut [Looked]) -> Result<bool, Error> {
    let taken = intake.settle().await?;
    let mut any = false;
    for (file, counts) in looked.iter_mut().zip(&taken.counts) {
        if counts.conflict > 0 {
            file.report.stored = false;
            file.report.conflict = counts.conflict;
            any = true;
        }
    }
    tell_conflicts(taken, looked);
    Ok(any)
}

fn tell_conflicts(taken: &Taken, looked: &mut [Looked]) {
    for (number, line, refusal) in &taken.conflicts {
        if let Some(file) = looked.get_mut(*number) {
            file.report.conflicts.push(Problem::from(refusal.clone()).on_line(*line));
        }
    }
}

/// What became of every row, in the reports and for the store.
async fn settle(
    intake: &mut Intake,
    looked: &mut [Looked],
    partial: bool,
) -> Result<Vec<BatchFile>, Error> {
    let taken: &Taken = intake.settle().await?;
    if partial {
        tell_conflicts(taken, looked);
    }
    let mut records = Vec::with_capacity(looked.len());
    for (number, file) in looked.iter_mut().enumerate() {
        if !file.report.stored {
            continue;
        }
        let counts = taken.counts.get(number).copied().unwrap_or_default();
        let report = &mut file.report;
        report.new = counts.new;
        report.duplicate = counts.duplicate;
        report.changed = counts.changed;
        report.conflict = counts.conflict;
        let number_of = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let path = SafeText::new(&report.path.to_string_lossy());
        records.push(BatchFile {
            batch: 0,
            file_no: i64::try_from(number).unwrap_or(i64::MAX),
            path: path.into_string(),
            format: report.format.map_or("", Format::as_str).to_owned(),
            digest: file.digest.clone(),
            bytes: number_of(file.source.as_ref().map_or(0, |source| source.bytes())),
            rows: number_of(report.rows),
            new: number_of(report.new),
            duplicate: number_of(report.duplicate),
            changed: number_of(report.changed),
            conflict: number_of(report.conflict),
            refused: number_of(report.refused_total),
        });
    }
    Ok(records)
}

/// Every import, oldest first.
///
/// # Errors
/// When the store cannot be read.
pub async fn list(session: &Session) -> Result<Vec<BatchSummary>, Error> {
    Ok(report::batches(&mut session.store.read().await?).await?)
}

/// What taking an import back did.
#[derive(Clone, Debug)]
pub struct UndoReport {
    /// Which import.
    pub batch: BatchId,
    /// Rows that are gone.
    pub removed: u64,
    /// Rows that are again what they were.
    pub restored: u64,
    /// Rows that were touched since and stay, a line each.
    pub kept: Vec<String>,
}

/// Takes an import back.
///
/// # Errors
/// When there is none of that number, it was taken back already, or the store fails.
pub async fn undo(session: &Session, batch: BatchId) -> Result<UndoReport, Error> {
    let applied = super::edit::apply(session, Change::UndoBatch(batch)).await?;
    let undone: ledger::Undone = applied.undone.unwrap_or_default();
    let (removed, restored, stayed) = (undone.removed, undone.restored, undone.kept.len());
    info!(%batch, removed, restored, stayed, "taken back");
    let tell = |Kept { id, date, subtype, account }: &Kept| {
        format!("transaction {id}: {date} {subtype} in {account} was touched since and stays")
    };
    let kept = undone.kept.iter().map(tell).collect();
    Ok(UndoReport { batch, removed: undone.removed, restored: undone.restored, kept })
}
