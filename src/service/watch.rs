//! The watchlist and the alerts: what a person needs to name them, what they see, and looking at them
//! now.

use super::edit::security_named;
use super::{Error, Session};
use crate::model::Mention;
use crate::refresh;
use crate::report::{self, LoggedAlert, WatchQuery, WatchReport};

/// What is watched, the alerts with what they see, and their log.
///
/// # Errors
/// When the store cannot be read.
pub async fn watched(session: &Session) -> Result<WatchReport, Error> {
    let today = session.clock.today();
    let mut tx = session.store.read().await?;
    Ok(report::watch(&mut tx, &WatchQuery { as_of: today, today }).await?)
}

/// Looks at every alert now; gives what is told.
///
/// # Errors
/// When the store or the trail fails.
pub async fn check(session: &Session) -> Result<Vec<LoggedAlert>, Error> {
    let audit = session.audit().ok_or(Error::ReadOnly)?;
    Ok(refresh::judge_alerts(&session.store, audit, &session.clock).await?)
}

/// The security that `SYM`, `SYM@CUR`, an ISIN or `id:N` means, to be written down. One that is not
/// there is named as it was written: whoever writes it knows whether it may be made.
///
/// # Errors
/// When there is more than one, or it is no name.
pub async fn mention(session: &Session, text: &str) -> Result<Mention, Error> {
    match security_named(session, text.trim()).await {
        Ok(security) => Ok(security.mention()),
        Err(Error::NotFound { .. }) => Mention::parse(text.trim())
            .map_err(|error| Error::Value { what: "symbol", why: error.to_string() }),
        Err(error) => Err(error),
    }
}
