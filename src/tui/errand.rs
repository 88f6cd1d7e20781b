//! What somebody asks for on the command line of the dashboard that is written: a task does it
//! beside the loop, and says how it went.

use std::path::PathBuf;

use tokio::sync::mpsc;

use crate::model::{BatchId, Change, SafeText};
use crate::service::edit::{Applied, Steps};
use crate::service::import::{self, FileReport, ImportReport, ImportRequest, UndoReport};
use crate::service::ledger_sheet::LedgerSheet;
use crate::service::{Error, Session, edit, plan, sheet};
use crate::tasks::{self, Task};
use crate::text::Figures;

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Bring in these files.
    Import(Vec<PathBuf>),
    /// Write a plan into a file that is not there yet.
    WritePlan(PathBuf, Vec<u8>),
    /// Write rows into a file that is not there yet.
    Export(PathBuf, Vec<u8>),
    /// Read transactions and write them into a file that is not there yet.
    ExportLedger(PathBuf, LedgerSheet),
    /// Take an import back.
    UndoImport(BatchId),
    /// Change something by hand, or take that back.
    Edit(Edit),
}

/// A change by hand, and what it is called once it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// All of these, or none.
    Change(String, Vec<Change>),
    /// What an edit did is taken back.
    Undo(String, Steps),
    /// The same once more.
    Redo(String, Steps),
}

impl Errand {
    /// Changes to be made at once, and what that is called once it is done.
    pub fn change(what: impl Into<String>, changes: Vec<Change>) -> Self {
        Self::Edit(Edit::Change(what.into(), changes))
    }
}

/// How an edit went.
#[derive(Debug)]
pub struct Edited {
    /// Which.
    pub edit: Edit,
    /// What it did.
    pub outcome: Result<Applied, Error>,
}

/// What an errand did. It is put into words where it is shown: amounts may be hidden by then.
#[derive(Debug)]
pub enum Done {
    /// Files were brought in, or refused.
    Imported(ImportReport),
    /// A plan was written into this file.
    Planned(PathBuf),
    /// Rows were written into this file.
    Exported(PathBuf),
    /// An import was taken back.
    Undone(UndoReport),
    /// Something was changed by hand, or refused.
    Edited(Box<Edited>),
}

/// How an errand went.
pub type Upshot = Result<Done, Error>;

/// What is heard of an errand.
#[derive(Debug)]
pub enum Heard {
    /// It has written so many rows, and goes on.
    Rows(u64),
    /// It has ended.
    Ended(Upshot),
}

/// Why an errand failed, whichever it was; none: it did not.
#[must_use]
pub fn failure(ended: &Upshot) -> Option<&Error> {
    match ended {
        Err(error) => Some(error),
        Ok(Done::Edited(edited)) => edited.outcome.as_ref().err(),
        Ok(_) => None,
    }
}

/// Errands under way, and how they went.
#[derive(Debug)]
pub struct Errands {
    tell: mpsc::UnboundedSender<Heard>,
    heard: mpsc::UnboundedReceiver<Heard>,
}

impl Default for Errands {
    fn default() -> Self {
        let (tell, heard) = mpsc::unbounded_channel();
        Self { tell, heard }
    }
}

impl Errands {
    /// Begins one; it never waits.
    pub fn begin(&self, session: &Session, errand: Errand) {
        let (session, tell) = (session.clone(), self.tell.clone());
        tasks::spawn(Task::Errand, async move {
            let edit = if let Errand::Edit(edit) = &errand { Some(edit.clone()) } else { None };
            let rows = |count| drop(tell.send(Heard::Rows(count)));
            let ended = tasks::caught(Box::pin(errand.run(&session, &rows))).await;
            let _ = tell.send(Heard::Ended(ended.unwrap_or_else(|_| match edit {
                // Whoever waits for it must hear of it.
                Some(edit) => {
                    let outcome = Err(Error::Interrupted);
                    Ok(Done::Edited(Box::new(Edited { edit, outcome })))
                }
                None => Err(Error::Interrupted),
            })));
        });
    }

    /// What is heard next.
    pub async fn next(&mut self) -> Option<Heard> {
        self.heard.recv().await
    }
}

impl Errand {
    /// Does it; one that takes long tells how many rows it has written.
    ///
    /// # Errors
    /// When it is refused or fails.
    pub async fn run(self, session: &Session, rows: &(dyn Fn(u64) + Send + Sync)) -> Upshot {
        match self {
            Self::Import(files) => {
                let request = ImportRequest { files, ..ImportRequest::default() };
                Ok(Done::Imported(import::run(session, request).await?))
            }
            Self::WritePlan(path, bytes) => {
                plan::write(session, &path, &bytes, false).await?;
                Ok(Done::Planned(path))
            }
            Self::Export(path, bytes) => {
                sheet::write(session, &path, &bytes).await?;
                Ok(Done::Exported(path))
            }
            Self::ExportLedger(path, sheet) => {
                sheet.write(session, &path, rows).await?;
                Ok(Done::Exported(path))
            }
            Self::Edit(edit) => {
                let outcome = match edit.clone() {
                    Edit::Change(_, changes) => edit::apply_all(session, changes).await,
                    Edit::Undo(_, steps) | Edit::Redo(_, steps) => {
                        edit::take_back(session, steps).await
                    }
                };
                Ok(Done::Edited(Box::new(Edited { edit, outcome })))
            }
            Self::UndoImport(batch) => Ok(Done::Undone(import::undo(session, batch).await?)),
        }
    }
}

/// How it went, in words.
#[must_use]
pub fn in_words(ended: &Upshot, figures: Figures) -> String {
    match ended {
        Ok(Done::Imported(report)) => told(report, figures),
        Ok(Done::Planned(path)) => {
            format!("the plan is in {}", SafeText::new(&path.display().to_string()))
        }
        Ok(Done::Exported(path)) => {
            format!("the rows are in {}", SafeText::new(&path.display().to_string()))
        }
        Ok(Done::Undone(report)) => undone(report, figures),
        Ok(Done::Edited(edited)) => match &edited.outcome {
            Ok(_) => String::new(),
            Err(error) => told_of_error(error, figures),
        },
        Err(error) => told_of_error(error, figures),
    }
}

/// What taking an import back did.
fn undone(report: &UndoReport, figures: Figures) -> String {
    let UndoReport { batch, removed, restored, kept } = report;
    let mut said =
        format!("import {batch} was taken back: {removed} rows gone, {restored} as they were");
    if let Some(first) = kept.first() {
        said.push_str(&format!(", {} stay: {}", kept.len(), figures.message(first)));
    }
    SafeText::new(&said).into_string()
}

/// An error may repeat what a file says.
fn told_of_error(error: &Error, figures: Figures) -> String {
    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    figures.message(&format!("{error}{hint}"))
}

/// What an import did.
fn told(report: &ImportReport, figures: Figures) -> String {
    let mut said: Vec<String> = report.files.iter().map(|file| told_of(file, figures)).collect();
    said.push(match report.batch {
        Some(batch) => format!("import {batch}: z among the imports takes it back"),
        None => "nothing was stored".to_owned(),
    });
    said.join("; ")
}

fn told_of(file: &FileReport, figures: Figures) -> String {
    let name = file.path.file_name().unwrap_or(file.path.as_os_str());
    let name = SafeText::new(&name.to_string_lossy());
    let counts = [
        (file.new, "new"),
        (file.duplicate, "there already"),
        (file.changed, "changed"),
        (file.conflict, "in conflict"),
        (file.refused_total, "refused"),
    ];
    let mut words: Vec<String> = counts
        .into_iter()
        .filter(|(count, what)| *count > 0 || *what == "new")
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if let Some(problem) = file.refused.iter().chain(&file.conflicts).next() {
        words.push(SafeText::new(&figures.message(&problem.to_string())).into_string());
    }
    format!("{name}: {}", words.join(", "))
}
