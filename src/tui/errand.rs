//! What somebody asks for on the command line of the dashboard that is written: a task does it
//! beside the loop, and says how it went.

use std::path::PathBuf;

use tokio::sync::mpsc;

use crate::model::{AccountKind, Change, Currency, Mode, NewAccount, SafeText};
use crate::service::import::{self, FileReport, ImportReport, ImportRequest};
use crate::service::{Error, Session, edit};
use crate::tasks::{self, Task};
use crate::text::Figures;

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
}

/// Errands under way, and how they went.
#[derive(Debug)]
pub struct Errands {
    done: mpsc::UnboundedSender<String>,
    said: mpsc::UnboundedReceiver<String>,
}

impl Default for Errands {
    fn default() -> Self {
        let (done, said) = mpsc::unbounded_channel();
        Self { done, said }
    }
}

impl Errands {
    /// Begins one; it never waits.
    pub fn begin(&self, session: &Session, errand: Errand, figures: Figures) {
        let (session, done) = (session.clone(), self.done.clone());
        tasks::spawn(Task::Errand, async move {
            let said = match tasks::caught(errand.run(&session, figures)).await {
                Ok(Ok(said)) => said,
                Ok(Err(error)) => in_words(&error, figures),
                Err(_) => in_words(&Error::Interrupted, figures),
            };
            let _ = done.send(said);
        });
    }

    /// How the next one went.
    pub async fn next(&mut self) -> Option<String> {
        self.said.recv().await
    }
}

impl Errand {
    async fn run(self, session: &Session, figures: Figures) -> Result<String, Error> {
        match self {
            Self::Import(files) => {
                let request = ImportRequest { files, ..ImportRequest::default() };
                Ok(told(&import::run(session, request).await?, figures))
            }
            Self::AddAccount { name, kind, currency } => {
                let said = format!("added account {name}");
                let new = NewAccount {
                    name,
                    kind,
                    currency,
                    mode: Mode::Ledger,
                    method: None,
                    institution: None,
                    closed: None,
                };
                edit::apply(session, Change::AddAccount(new)).await?;
                Ok(said)
            }
        }
    }
}

/// An error may repeat what a file says.
fn in_words(error: &Error, figures: Figures) -> String {
    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    figures.message(&format!("{error}{hint}"))
}

/// What an import did.
fn told(report: &ImportReport, figures: Figures) -> String {
    let mut said: Vec<String> = report.files.iter().map(|file| told_of(file, figures)).collect();
    said.push(match report.batch {
        Some(batch) => format!("import {batch}: `dashtam import undo {batch}` takes it back"),
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
