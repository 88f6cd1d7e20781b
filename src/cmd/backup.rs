//! `backup` and `restore`: all of a store into one file, and out of it into an empty store.

use std::path::Path;

use serde::Serialize;

use super::Job;
use super::exit::{Error, Status};
use super::output::note;
use crate::config::private::WriteError;
use crate::model::SafeText;
use crate::service::restore::Backup;
use crate::service::{self, Access, Session, backup};
use crate::text::counted;

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    path: SafeText,
    tables: u64,
    rows: u64,
    bytes: u64,
    /// Of `restore`: what the backup says of itself.
    #[serde(flatten)]
    origin: Option<Origin>,
}

#[derive(Serialize)]
struct Origin {
    made: String,
    program: SafeText,
    engine: SafeText,
    from_schema: i64,
    restored: bool,
    /// Rows that were not what was written, already in the store that was backed up.
    damaged: usize,
    /// Connections whose token may be spent since the backup.
    consents: usize,
}

/// Says where a store was backed up before its migration.
pub fn tell(path: &Path) {
    let path = SafeText::new(&path.display().to_string());
    note(&format!("dashtam: the database was backed up before its migration: {path}"));
}

pub async fn backup(
    job: &mut Job<'_>,
    session: &Session,
    path: &Path,
    force: bool,
) -> Result<Status, Error> {
    if job.config.is_own_file(path) {
        let source = WriteError::OfTheStore(path.to_owned());
        return Err(service::Error::Write { path: path.to_owned(), source }.into());
    }
    let counts = backup::run(session, path, force).await?;
    let (tables, rows, bytes) = (counts.tables, counts.rows, counts.bytes);
    let path = SafeText::new(&path.display().to_string());
    if job.flags.json {
        let schema = "dashtam.backup/1";
        job.out.json(&Document { schema, path, tables, rows, bytes, origin: None })?;
    } else {
        let (content, bytes) = (content(rows, tables), counted(bytes, "byte"));
        job.out.line(&format!("backed up {content} to {path}, {bytes}"))?;
    }
    Ok(Status::Done)
}

fn content(rows: u64, tables: u64) -> String {
    format!("{} of {}", counted(rows, "row"), counted(tables, "table"))
}

/// The backup is read to its end before there is a session, which may make a store.
pub async fn restore(job: &mut Job<'_>, path: &Path, check: bool) -> Result<Status, Error> {
    let backup = Backup::open(path)?;
    let (mut damaged, mut consents) = (0, 0);
    if !check {
        let session = job.open(Access::Write).await?;
        let done = backup.restore(&session).await;
        session.close().await;
        let restored = done.map_err(|error| error.about(job.config))?;
        (damaged, consents) = (restored.damage.len(), restored.consents);
    }
    let (header, counts) = (&backup.header, &backup.counts);
    let (tables, rows, bytes) = (counts.tables, counts.rows, counts.bytes);
    let path = SafeText::new(&path.display().to_string());
    let made = chrono::DateTime::from_timestamp_micros(header.made).unwrap_or_default();
    let made = made.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    if job.flags.json {
        let origin = Origin {
            made,
            program: SafeText::new(&header.program),
            engine: SafeText::new(&header.engine),
            from_schema: header.schema,
            restored: !check,
            damaged,
            consents,
        };
        let schema = "dashtam.restore/1";
        job.out.json(&Document { schema, path, tables, rows, bytes, origin: Some(origin) })?;
    } else if check {
        job.out.line(&format!("{path} is whole: {}, made {made}", content(rows, tables)))?;
    } else {
        job.out.line(&format!("restored {}, backed up {made}", content(rows, tables)))?;
    }
    if consents > 0 {
        let which = match consents {
            1 => "1 connection needs a new consent: its token".to_owned(),
            _ => format!("{consents} connections need a new consent: their tokens"),
        };
        note(&format!("dashtam: {which} may have been exchanged since the backup"));
    }
    if damaged > 0 {
        let (which, were) = match damaged {
            1 => ("1 of these rows is".to_owned(), "it was"),
            _ => (format!("{damaged} of these rows are"), "they were"),
        };
        note(&format!(
            "dashtam: {which} not what was written: {were} damaged before the backup; \
             `dashtam doctor` says which, an older backup may be whole"
        ));
        return Ok(Status::Partial);
    }
    Ok(Status::Done)
}
