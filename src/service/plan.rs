//! Writing a plan into a private file, with its attempt and outcome in the trail.

use std::path::Path;

use super::{Error, Session};
use crate::config::private::write_atomic_private;

/// Writes a plan, over a file that is there only where that is asked for.
///
/// # Errors
/// When the file or the trail cannot be written.
pub async fn write(session: &Session, path: &Path, bytes: &[u8], force: bool) -> Result<(), Error> {
    let attempt = session.attempt("plan.write", "").await?;
    let written = write_atomic_private(path, bytes, force)
        .map_err(|source| Error::Write { path: path.to_owned(), source });
    match &written {
        Ok(()) => attempt.succeeded("").await?,
        Err(error) => attempt.failed(error.kind()).await?,
    }
    written
}
