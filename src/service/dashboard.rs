//! What the dashboard needs of a session that is not a figure.

use super::Session;
use crate::state::{State, View};

impl Session {
    /// Starts the task that reads for the screen.
    #[must_use]
    pub fn watch(&self, view: View) -> State {
        State::start(self.store.clone(), self.clock.clone(), view)
    }
}
