//! What the dashboard needs of a session that is not a figure.

use std::time::Duration;

use tempfile::TempDir;

use super::{Access, Error, Session, demo};
use crate::clock::Clock;
use crate::config::Config;
use crate::fault;
use crate::ledger;
use crate::state::{State, View};

/// What a dashboard is to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The store of the configuration.
    Store(Access),
    /// The sample household, in a store that goes with the dashboard.
    Demo,
}

/// How often a store that takes no writes is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// A store that is shown.
#[derive(Debug)]
pub struct Opened {
    /// The store. Whoever has this closes it.
    pub session: Session,
    /// Why it is only looked at, where it should be written too; none: it can be, or need not.
    pub blocked: Option<Blocked>,
    /// The folder of a store that goes with the dashboard: dropped after everything else.
    _folder: Option<TempDir>,
}

/// A store on a disk that takes no writes for now.
#[derive(Debug)]
pub struct Blocked {
    /// Why, in full.
    pub why: String,
    /// Why, in a word or two.
    pub word: &'static str,
    config: Config,
    clock: Clock,
}

impl Blocked {
    /// Looks at a store that cannot be written, where that much can be done.
    async fn look(config: Config, clock: Clock, error: Error) -> Result<Opened, Error> {
        let error = error.about(&config);
        let Some(word) = error.why_no_writes() else { return Err(error) };
        let why = error.to_string();
        match Session::open(&config, &clock, Access::Look).await {
            Ok(session) => {
                let blocked = Some(Self { why, word, config, clock });
                Ok(Opened { session, blocked, _folder: None })
            }
            Err(_) => Err(error),
        }
    }

    /// Waits until the store can be written, and opens it for that.
    pub async fn until_writable(self) -> Opened {
        loop {
            tokio::time::sleep(AGAIN).await;
            let opened = Session::open(&self.config, &self.clock, Access::Existing).await;
            if let Ok(session) = opened {
                return Opened { session, blocked: None, _folder: None };
            }
        }
    }
}

impl Shown {
    /// Opens it. On a disk that takes no writes a store that is to be written is only looked at.
    ///
    /// # Errors
    /// As [`Session::open`] and [`demo::open`].
    pub async fn open(self, config: Config, clock: Clock) -> Result<Opened, Error> {
        fault::point("opening");
        let (session, folder) = match self {
            Self::Store(access) => match Session::open(&config, &clock, access).await {
                Ok(session) => (session, None),
                Err(error) => return Blocked::look(config, clock, error).await,
            },
            Self::Demo => {
                let (session, folder) = demo::open(&clock).await?;
                (session, Some(folder))
            }
        };
        Ok(Opened { session, blocked: None, _folder: folder })
    }

    /// What a person is told meanwhile.
    #[must_use]
    pub const fn waiting(self) -> &'static str {
        match self {
            Self::Store(_) => "opening the store ...",
            Self::Demo => "making the sample household ...",
        }
    }
}

impl Session {
    /// Waits until a store that took no writes does again.
    pub async fn until_writable(&self) {
        loop {
            tokio::time::sleep(AGAIN).await;
            if ledger::try_writing(&self.store).await.is_ok() {
                return;
            }
        }
    }

    /// Starts the task that reads for the screen.
    #[must_use]
    pub fn watch(&self, view: View) -> State {
        State::start(self.store.clone(), self.trail().cloned(), self.clock.clone(), view)
    }

    /// The same for a screen that was there before the store.
    pub fn begin(&self, state: &mut State) {
        state.begin(self.store.clone(), self.trail().cloned(), self.clock.clone());
    }
}
