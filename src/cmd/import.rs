//! `import`: files in, a list of the batches, and a batch taken back.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::Job;
use super::exit::{Error, Status};
use super::json::List;
use super::table::{Column, Table};
use crate::cli::{ImportArgs, ImportCommand, ImportFlags, ImportFormat};
use crate::import::{Format, Problem};
use crate::model::{BatchId, SafeText};
use crate::service::Session;
use crate::service::import::{
    self, BatchSummary, FileReport, ImportReport, ImportRequest, Outcome,
};
use crate::store;

/// Whether it changes nothing. A trial run does the work and takes it back, so it writes.
pub fn only_looks(args: &ImportArgs) -> bool {
    matches!(args.command, Some(ImportCommand::List))
}

pub fn check(args: &ImportArgs) -> Result<(), Error> {
    let imports = !args.files.is_empty() || args.how != ImportFlags::default();
    if args.command.is_some() && imports {
        return Err(Error::Usage(
            "`import list` and `import undo` take no files and no flags of an import; a file of \
             that name is written ./list or ./undo",
        ));
    }
    Ok(())
}

pub async fn run(job: &mut Job<'_>, session: &Session, args: &ImportArgs) -> Result<Status, Error> {
    match args.command {
        None => files(job, session, args).await,
        Some(ImportCommand::List) => list(job, session).await,
        Some(ImportCommand::Undo { batch }) => undo(job, session, batch).await,
    }
}

async fn files(job: &mut Job<'_>, session: &Session, args: &ImportArgs) -> Result<Status, Error> {
    let how = &args.how;
    let request = ImportRequest {
        files: args.files.clone(),
        account: how.account.clone(),
        format: how.format.and_then(format),
        dry_run: how.dry_run,
        strict: how.strict,
        partial: how.partial,
        accept_changes: how.accept_changes,
    };
    let report = import::run(session, request).await?;
    if job.flags.json {
        job.out.json(&document(job, &report))?;
        for file in &report.files {
            tell_rest(job, file)?;
        }
    } else {
        tell(job, &report, how.dry_run)?;
    }
    Ok(match report.outcome() {
        Outcome::Done => Status::Done,
        Outcome::Partial => Status::Partial,
        Outcome::Refused => Status::Refused,
    })
}

const fn format(asked: ImportFormat) -> Option<Format> {
    match asked {
        ImportFormat::Auto => None,
        ImportFormat::Neutral => Some(Format::Neutral),
        ImportFormat::Prices => Some(Format::Prices),
        ImportFormat::Json => Some(Format::Json),
    }
}

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    batch: Option<BatchId>,
    files: Vec<File>,
}

#[derive(Serialize)]
struct File {
    path: SafeText,
    format: Option<&'static str>,
    rows: u64,
    new: u64,
    duplicate: u64,
    changed: u64,
    conflict: u64,
    /// The first of them, and how many there are.
    refused: Vec<WrongRow>,
    refused_total: u64,
    conflicts: Vec<WrongRow>,
}

/// A row that is not stored, and why.
#[derive(Serialize)]
struct WrongRow {
    line: Option<u64>,
    column: Option<SafeText>,
    why: SafeText,
}

fn document(job: &Job<'_>, report: &ImportReport) -> Document {
    let wrong = |problem: &Problem| WrongRow {
        line: problem.line,
        column: problem.column.clone(),
        why: SafeText::new(&job.figures().message(&problem.why.to_string())),
    };
    let file = |file: &FileReport| File {
        path: shown_path(file),
        format: file.format.map(Format::as_str),
        rows: file.rows,
        new: file.new,
        duplicate: file.duplicate,
        changed: file.changed,
        conflict: file.conflict,
        refused: file.refused.iter().map(wrong).collect(),
        refused_total: file.refused_total,
        conflicts: file.conflicts.iter().map(wrong).collect(),
    };
    Document {
        schema: "dashtam.import/1",
        batch: report.batch,
        files: report.files.iter().map(file).collect(),
    }
}

fn shown_path(file: &FileReport) -> SafeText {
    SafeText::new(&file.path.to_string_lossy())
}

fn tell(job: &mut Job<'_>, report: &ImportReport, dry_run: bool) -> Result<(), Error> {
    for file in &report.files {
        let path = shown_path(file);
        job.out.line(&format!(
            "{path}: {} new, {} duplicate, {} changed, {} conflict, {} refused",
            file.new, file.duplicate, file.changed, file.conflict, file.refused_total
        ))?;
        tell_problems(job, &path, file)?;
        if !file.stored && (file.refused_total > 0 || file.conflict > 0) {
            job.out
                .aside(&format!("{path}: nothing of it is stored; mend it, or add --partial"))?;
        }
        if file.conflict > 0 {
            job.out
                .aside(&format!("{path}: --accept-changes stores what contradicts a stored row"))?;
        }
    }
    match report.batch {
        Some(batch) => {
            job.out.line(&format!("batch {batch}; `dashtam import undo {batch}` takes it back"))
        }
        None if dry_run => job.out.line("trial run: nothing was stored"),
        None => job.out.line("nothing was stored"),
    }
}

fn tell_problems(job: &mut Job<'_>, path: &SafeText, file: &FileReport) -> Result<(), Error> {
    let figures = job.figures();
    for (what, problems) in [("", &file.refused), ("conflict: ", &file.conflicts)] {
        for problem in problems {
            // The place is never masked, only what the row says.
            let why = SafeText::new(&figures.message(&problem.why.to_string()));
            job.out.aside(&format!("{path}: {}{what}{why}", Place(problem)))?;
        }
    }
    tell_rest(job, file)
}

/// How many more rows there are than are told one by one.
fn tell_rest(job: &mut Job<'_>, file: &FileReport) -> Result<(), Error> {
    let path = shown_path(file);
    for (plural, problems, all) in [
        ("refused rows", &file.refused, file.refused_total),
        ("conflicts", &file.conflicts, file.conflict),
    ] {
        let told = u64::try_from(problems.len()).unwrap_or(u64::MAX);
        if all > told {
            job.out.aside(&format!("{path}: and {} more {plural}", all - told))?;
        }
    }
    Ok(())
}

/// `line 12, column amount: `
struct Place<'a>(&'a Problem);

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.0.line, &self.0.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, column {column}: "),
            (Some(line), None) => write!(f, "line {line}: "),
            (None, Some(column)) => write!(f, "column {column}: "),
            (None, None) => Ok(()),
        }
    }
}

#[derive(Serialize)]
struct BatchLine<'a> {
    batch: BatchId,
    created: String,
    undone: Option<String>,
    files: Vec<BatchFile<'a>>,
}

#[derive(Serialize)]
struct BatchFile<'a> {
    path: &'a str,
    format: &'a str,
    rows: i64,
    new: i64,
    duplicate: i64,
    changed: i64,
    conflict: i64,
    refused: i64,
}

impl<'a> From<&'a store::BatchFile> for BatchFile<'a> {
    fn from(file: &'a store::BatchFile) -> Self {
        Self {
            path: &file.path,
            format: &file.format,
            rows: file.rows,
            new: file.new,
            duplicate: file.duplicate,
            changed: file.changed,
            conflict: file.conflict,
            refused: file.refused,
        }
    }
}

fn instant(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

async fn list(job: &mut Job<'_>, session: &Session) -> Result<Status, Error> {
    let batches = import::list(session).await?;
    if job.flags.json {
        let rows = batches.iter().map(batch_line).collect();
        job.out.json(&List { schema: "dashtam.import.list/1", rows })?;
        return Ok(Status::Done);
    }
    let mut table = Table::new(vec![
        Column::figure("batch", 0),
        Column::text("made (UTC)", 16, 1),
        Column::figure("new", 0),
        Column::figure("changed", 2),
        Column::figure("duplicate", 3),
        Column::text("taken back", 10, 0),
        Column::text("files", 12, 0),
    ]);
    let minute = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M").to_string();
    for batch in &batches {
        let sum = |count: fn(&store::BatchFile) -> i64| -> String {
            batch.files.iter().map(count).sum::<i64>().to_string()
        };
        let files: Vec<_> = batch.files.iter().map(|file| file.path.as_str()).collect();
        let cells = [
            batch.id.to_string(),
            minute(batch.created),
            sum(|file| file.new),
            sum(|file| file.changed),
            sum(|file| file.duplicate),
            batch.undone.map(minute).unwrap_or_default(),
            files.join(", "),
        ];
        table.row(cells.iter().map(|cell| SafeText::new(cell)).collect());
    }
    job.out.table(&table)?;
    Ok(Status::Done)
}

fn batch_line(batch: &BatchSummary) -> BatchLine<'_> {
    BatchLine {
        batch: batch.id,
        created: instant(batch.created),
        undone: batch.undone.map(instant),
        files: batch.files.iter().map(BatchFile::from).collect(),
    }
}

#[derive(Serialize)]
struct Undone<'a> {
    schema: &'static str,
    batch: BatchId,
    removed: u64,
    restored: u64,
    kept: &'a [String],
}

async fn undo(job: &mut Job<'_>, session: &Session, batch: BatchId) -> Result<Status, Error> {
    let report = import::undo(session, batch).await?;
    if job.flags.json {
        job.out.json(&Undone {
            schema: "dashtam.import.undo/1",
            batch: report.batch,
            removed: report.removed,
            restored: report.restored,
            kept: &report.kept,
        })?;
        return Ok(Status::Done);
    }
    job.out.line(&format!(
        "batch {batch} is taken back: {} removed, {} restored, {} kept",
        report.removed,
        report.restored,
        report.kept.len()
    ))?;
    for row in &report.kept {
        job.out.aside(SafeText::new(row).as_str())?;
    }
    Ok(Status::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_can_be_asked_for() {
        let asked = [ImportFormat::Neutral, ImportFormat::Prices, ImportFormat::Json];
        let formats: Vec<_> = asked.into_iter().filter_map(format).collect();
        assert_eq!(formats, Format::ALL.map(|(_, format)| format));
        assert_eq!(format(ImportFormat::Auto), None);
    }
}
