//! What the dashboard needs of a session that is not a figure.

use tempfile::TempDir;

use super::{Access, Error, Session, demo};
use crate::clock::Clock;
use crate::config::Config;
use crate::fault;
use crate::state::{State, View};

/// What a dashboard is to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The store of the configuration.
    Store(Access),
    /// The sample household, in a store that goes with the dashboard.
    Demo,
}

/// A store that is shown.
#[derive(Debug)]
pub struct Opened {
    /// The store. Whoever has this closes it.
    pub session: Session,
    /// The folder of a store that goes with the dashboard: dropped after everything else.
    _folder: Option<TempDir>,
}

impl Shown {
    /// Opens it.
    ///
    /// # Errors
    /// As [`Session::open`] and [`demo::open`].
    pub async fn open(self, config: Config, clock: Clock) -> Result<Opened, Error> {
        fault::point("opening");
        let (session, folder) = match self {
            Self::Store(access) => (Session::open(&config, &clock, access).await?, None),
            Self::Demo => {
                let (session, folder) = demo::open(&clock).await?;
                (session, Some(folder))
            }
        };
        Ok(Opened { session, _folder: folder })
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
