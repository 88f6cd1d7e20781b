//! Keeping the days of accounts while a dashboard is open.

use super::Session;

pub use crate::refresh::Filler;

/// Starts keeping them in the background; none where nothing may be written.
#[must_use]
pub fn start(session: &Session) -> Option<Filler> {
    session.audit()?;
    Some(Filler::start(session.store.clone(), session.clock.clone()))
}
