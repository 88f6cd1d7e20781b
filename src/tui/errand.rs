//! What somebody asks for on the command line of the dashboard that is written: a task does it
//! beside the loop, and says how it went.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::sign_in::{self, Answer, SignIn};
use crate::config::Config;
use crate::model::{BatchId, Change, ConnectionId, SafeText, Secret};
use crate::service::connect::{self, ConnectRequest, Goal};
use crate::service::edit::{Applied, Steps};
use crate::service::held::{self, Lock, Opening};
use crate::service::import::{self, FileReport, ImportReport, ImportRequest, UndoReport};
use crate::service::ledger_sheet::LedgerSheet;
use crate::service::refresh::How;
use crate::service::{Error, Session, consent, edit, open_source, plan, sheet};
use crate::tasks::{self, Task};
use crate::text::{Figures, counted};

/// How long what changes connections waits for a refresh that is under way.
const WAIT: Duration = Duration::from_mins(1);
/// Why nothing is kept secret in a store that goes with its process.
const NO_VAULT: &str = "the sample household has no vault and is connected to nobody";

/// A secret that somebody typed, on its way to whoever needs it. It is wiped when that is done.
#[derive(Clone)]
pub struct Hidden(Arc<Secret>);

impl Hidden {
    /// Takes it over.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self(Arc::new(secret))
    }

    /// A copy for whoever needs it.
    #[must_use]
    pub fn secret(&self) -> Secret {
        Secret::new(self.0.expose().to_owned())
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hidden")
    }
}

impl PartialEq for Hidden {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose() == other.0.expose()
    }
}

impl Eq for Hidden {}

/// What somebody gives to have the vault open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// Nothing: it is open.
    Ready,
    /// Its passphrase.
    Passphrase(Hidden),
    /// That of a vault which is to be made; none: its file's mode alone protects it.
    New(Option<Hidden>),
}

impl Key {
    /// As the vault takes it.
    #[must_use]
    pub fn opening(&self) -> Opening {
        match self {
            Self::Ready => Opening::Ready,
            Self::Passphrase(hidden) => Opening::Passphrase(hidden.secret()),
            Self::New(hidden) => Opening::New(hidden.as_ref().map(Hidden::secret)),
        }
    }
}

/// What somebody wants to be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The service.
    pub provider: SafeText,
    /// What it is to be called; none: as the service.
    pub name: Option<SafeText>,
    /// A new connection, or one that no longer works.
    pub goal: Goal,
    /// What the service gave, in the order in which it asks; of one that wants a consent in a browser
    /// the key and the secret of the app, where they had to be typed.
    pub brought: Vec<Hidden>,
    /// What opens the vault for it.
    pub key: Key,
}

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
    /// Open the vault by its passphrase.
    Unlock(Hidden),
    /// Let go of its key, and take that down.
    Lock,
    /// Connect to a service, or begin to: one may want a consent in a browser.
    Connect(Wanted),
    /// Take what a browser came back with.
    Consent(Answer),
    /// End a connection; what it brought stays.
    Disconnect(ConnectionId),
    /// Let a connection rest, or go on.
    Pause(ConnectionId, bool),
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

    /// The vault may be another way once it is done.
    const fn turns_vault(&self) -> bool {
        matches!(self, Self::Unlock(_) | Self::Lock | Self::Connect(_) | Self::Consent(_))
    }

    /// It tries a passphrase, which waits longer each time that one was wrong.
    const fn tries_passphrase(&self) -> bool {
        match self {
            Self::Unlock(_) => true,
            Self::Connect(Wanted { key, .. }) | Self::Consent(Answer { key, .. }) => {
                matches!(key, Key::Passphrase(_))
            }
            _ => false,
        }
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
    /// The vault is open.
    Unlocked,
    /// Its key is gone.
    Locked,
    /// The app by which a service knows this program is not known.
    NeedsApp,
    /// There is an address to sign in at.
    Asked(Arc<SignIn>),
    /// A connection of this name was made, or made to work again; true: it was there already.
    Connected(SafeText, bool),
    /// That of this name ended.
    Disconnected(SafeText),
    /// That of this name rests, or goes on.
    Paused(SafeText, bool),
}

/// How an errand went.
pub type Upshot = Result<Done, Error>;

/// What is heard of an errand.
#[derive(Debug)]
pub enum Heard {
    /// It has written so many rows, and goes on.
    Rows(u64),
    /// What is to be said meanwhile.
    Says(String),
    /// How the vault is.
    Vault(Lock),
    /// A browser came back to this machine with this address.
    Came(Hidden),
    /// No browser came back to this sign-in, and none is waited for any more.
    Late(Arc<SignIn>),
    /// It has ended, and so is the vault since, where it may be another way; the page of this number
    /// waits for it. Both are told at once: nobody must see the one beneath a page that waits.
    Ended(Option<u64>, Option<Lock>, Upshot),
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
    /// Begins one, for which the page of this number waits; it never waits itself.
    pub fn begin(&self, session: &Session, how: &How, page: Option<u64>, errand: Errand) {
        let (session, how, tell) = (session.clone(), how.clone(), self.tell.clone());
        tasks::spawn(Task::Errand, async move {
            let config = how.config.as_deref();
            if let Some(config) = config.filter(|_| errand.tries_passphrase()) {
                let seconds = held::pause(&session, config);
                if seconds > 0 {
                    let seconds = counted(seconds, "second");
                    let said = format!("the passphrase before was wrong; this one waits {seconds}");
                    let _ = tell.send(Heard::Says(said));
                }
            }
            let turns = config.filter(|_| errand.turns_vault());
            let edit = if let Errand::Edit(edit) = &errand { Some(edit.clone()) } else { None };
            let rows = |count| drop(tell.send(Heard::Rows(count)));
            let ended = tasks::caught(Box::pin(errand.run(&session, &how, &rows))).await;
            let lock = match turns {
                Some(config) => Some(held::lock_of(&session, config, &how.held).await),
                None => None,
            };
            let ended = ended.unwrap_or_else(|_| match edit {
                // Whoever waits for it must hear of it.
                Some(edit) => {
                    let outcome = Err(Error::Interrupted);
                    Ok(Done::Edited(Box::new(Edited { edit, outcome })))
                }
                None => Err(Error::Interrupted),
            });
            let waited_for = match &ended {
                // Its page alone keeps it: who leaves that is waited for no more.
                Ok(Done::Asked(it)) => it.browser().map(|browser| (browser, Arc::downgrade(it))),
                _ => None,
            };
            let _ = tell.send(Heard::Ended(page, lock, ended));
            if let Some((browser, sign_in)) = waited_for {
                let heard = match browser.await {
                    Ok(Some(address)) => Some(Heard::Came(Hidden::new(address))),
                    Ok(None) => sign_in.upgrade().map(Heard::Late),
                    Err(_) => None,
                };
                if let Some(heard) = heard {
                    let _ = tell.send(heard);
                }
            }
        });
    }

    /// Looks how the vault is: another process may have made, changed or removed it.
    pub fn look_at_vault(&self, session: &Session, how: &How) {
        let (session, how, tell) = (session.clone(), how.clone(), self.tell.clone());
        tasks::spawn(Task::Errand, async move {
            if let Some(config) = how.config.as_deref() {
                let lock = held::lock_of(&session, config, &how.held).await;
                let _ = tell.send(Heard::Vault(lock));
            }
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
    pub async fn run(
        self,
        session: &Session,
        how: &How,
        rows: &(dyn Fn(u64) + Send + Sync),
    ) -> Upshot {
        let config = || how.config.as_deref().ok_or(Error::Usage(NO_VAULT));
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
            Self::Unlock(passphrase) => {
                held::unlock(session, config()?, &how.held, &passphrase.secret()).await?;
                Ok(Done::Unlocked)
            }
            Self::Lock => {
                held::lock(session, &how.held).await?;
                Ok(Done::Locked)
            }
            Self::Connect(wanted) => connect_to(session, config()?, how, wanted).await,
            Self::Consent(answer) => sign_in::finish(session, config()?, how, answer).await,
            Self::Disconnect(id) => {
                let name = SafeText::new(&id.to_string());
                let ended = connect::disconnect(session, &name, WAIT).await?;
                Ok(Done::Disconnected(ended.label))
            }
            Self::Pause(id, rests) => {
                let paused = connect::pause(session, id, rests).await?;
                Ok(Done::Paused(paused.connection.label, rests))
            }
        }
    }
}

/// Opens the vault with what was given for it, and connects. A service that asks for nothing needs none.
async fn connect_to(session: &Session, config: &Config, how: &How, wanted: Wanted) -> Upshot {
    if open_source::is_open(&wanted.provider) {
        let done = open_source::connect(session, &wanted.provider, wanted.name.as_ref()).await?;
        return Ok(Done::Connected(done.connection.label, done.already));
    }
    if consent::is_given_in_browser(&wanted.provider) {
        return sign_in::begin(session, config, how, wanted).await;
    }
    let keeper = held::open(session, config, &how.held, wanted.key.opening()).await?;
    let request = ConnectRequest {
        provider: wanted.provider,
        name: wanted.name,
        token: Secret::new(lines(&wanted.brought)),
        goal: wanted.goal,
        wait: WAIT,
    };
    let done = connect::connect_with(session, config, keeper, request).await?;
    Ok(Done::Connected(done.connection.label, done.already))
}

/// Secrets as they are kept: a line each.
fn lines(brought: &[Hidden]) -> String {
    // Large enough never to grow, which would leave a copy behind.
    let most = brought.iter().map(|hidden| hidden.0.expose().len() + 1).sum();
    let mut lines = String::with_capacity(most);
    for hidden in brought {
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(hidden.0.expose());
    }
    lines
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
        Ok(Done::Unlocked) => "unlocked: what waited for it is fetched now".to_owned(),
        Ok(Done::Locked) => "locked: nothing is fetched that needs a secret".to_owned(),
        // The page that waits for it goes on.
        Ok(Done::NeedsApp | Done::Asked(_)) => String::new(),
        Ok(Done::Connected(name, false)) => {
            format!("connected {name}: what it tells is being fetched")
        }
        Ok(Done::Connected(name, true)) => format!("{name} is connected already"),
        Ok(Done::Disconnected(name)) => {
            format!("ended {name}; its history stays; end the access at the service too")
        }
        Ok(Done::Paused(name, true)) => format!("{name} is paused: nothing is asked of it"),
        Ok(Done::Paused(name, false)) => format!("{name} goes on"),
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
