//! What somebody asks for on the command line of the dashboard that is written: a task does it
//! beside the loop, and says how it went.

use std::path::PathBuf;

use tokio::sync::mpsc;

use crate::model::{AccountKind, BatchId, Change, Currency, Mode, NewAccount, NewTarget, SafeText};
use crate::service::import::{self, FileReport, ImportReport, ImportRequest, UndoReport};
use crate::service::{Error, Session, edit, plan};
use crate::tasks::{self, Task};
use crate::text::{Figures, percent};

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Bring in these files.
    Import(Vec<PathBuf>),
    /// Add an account.
    AddAccount {
        /// Its name.
        name: SafeText,
        /// What it is.
        kind: AccountKind,
        /// Its main currency.
        currency: Currency,
    },
    /// Write a plan into a file that is not there yet.
    WritePlan(PathBuf, Vec<u8>),
    /// Say what a slice should be.
    SetTarget(NewTarget),
    /// Take an import back.
    UndoImport(BatchId),
}

/// What an errand did. It is put into words where it is shown: amounts may be hidden by then.
#[derive(Clone, Debug)]
pub enum Done {
    /// Files were brought in, or refused.
    Imported(ImportReport),
    /// The account of this name was added.
    Added(SafeText),
    /// A plan was written into this file.
    Planned(PathBuf),
    /// A slice has a target.
    Targeted(NewTarget),
    /// An import was taken back.
    Undone(UndoReport),
}

/// How an errand went.
pub type Upshot = Result<Done, Error>;

/// Errands under way, and how they went.
#[derive(Debug)]
pub struct Errands {
    done: mpsc::UnboundedSender<Upshot>,
    ended: mpsc::UnboundedReceiver<Upshot>,
}

impl Default for Errands {
    fn default() -> Self {
        let (done, ended) = mpsc::unbounded_channel();
        Self { done, ended }
    }
}

impl Errands {
    /// Begins one; it never waits.
    pub fn begin(&self, session: &Session, errand: Errand) {
        let (session, done) = (session.clone(), self.done.clone());
        tasks::spawn(Task::Errand, async move {
            let ended = tasks::caught(errand.run(&session)).await;
            let _ = done.send(ended.unwrap_or(Err(Error::Interrupted)));
        });
    }

    /// How the next one went.
    pub async fn next(&mut self) -> Option<Upshot> {
        self.ended.recv().await
    }
}

impl Errand {
    async fn run(self, session: &Session) -> Upshot {
        match self {
            Self::Import(files) => {
                let request = ImportRequest { files, ..ImportRequest::default() };
                Ok(Done::Imported(import::run(session, request).await?))
            }
            Self::AddAccount { name, kind, currency } => {
                let new = NewAccount {
                    name: name.clone(),
                    kind,
                    currency,
                    mode: Mode::Ledger,
                    method: None,
                    institution: None,
                    closed: None,
                };
                edit::apply(session, Change::AddAccount(new)).await?;
                Ok(Done::Added(name))
            }
            Self::WritePlan(path, bytes) => {
                plan::write(session, &path, &bytes, false).await?;
                Ok(Done::Planned(path))
            }
            Self::SetTarget(target) => {
                edit::apply(session, Change::SetTarget(target.clone())).await?;
                Ok(Done::Targeted(target))
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
        Ok(Done::Added(name)) => format!("added account {name}"),
        Ok(Done::Planned(path)) => {
            format!("the plan is in {}", SafeText::new(&path.display().to_string()))
        }
        Ok(Done::Targeted(target)) => {
            let weight = percent(Some(target.weight));
            format!("{} should be {weight} by {}", target.key, target.dimension)
        }
        Ok(Done::Undone(report)) => undone(report, figures),
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
