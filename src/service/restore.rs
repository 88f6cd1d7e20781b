//! Restoring a backup: it is read to its end before anything is touched, and goes into an empty
//! store whole or not at all.

use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::{Path, PathBuf};

use super::files::open_regular;
use super::{Error, Session};
use crate::archive::{Counts, Header, Reader};
use crate::ledger::{self, Restored};
use crate::{refresh, store};

/// How much is read at once.
const BUFFER: usize = 256 * 1024;

/// A backup that was found to be whole.
#[derive(Debug)]
pub struct Backup {
    /// What it says of itself.
    pub header: Header,
    /// How much is in it.
    pub counts: Counts,
    path: PathBuf,
    file: File,
}

impl Backup {
    /// Opens a backup and reads it to its end.
    ///
    /// # Errors
    /// When it is no backup, broken, or of a newer program.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let (file, path) = (open_regular(path)?, path.to_owned());
        let read = Reader::begin(BufReader::with_capacity(BUFFER, &file));
        let read = read.and_then(|(header, reader)| Ok((header, reader.verify()?)));
        let (header, counts) = match read {
            Ok(read) => read,
            Err(source) => return Err(Error::Archive { path, source }),
        };
        let (found, known) = (header.schema, store::newest_schema());
        if found > known {
            return Err(Error::NewerBackup { path, found, known });
        }
        Ok(Self { header, counts, path, file })
    }

    /// Fills an empty store from it, and tells what else there is to know.
    ///
    /// # Errors
    /// When the store has content, or fails; then nothing is written.
    pub async fn restore(&self, session: &Session) -> Result<Restored, Error> {
        let Self { counts, header, .. } = self;
        let detail =
            format!("rows={} schema={} engine={}", counts.rows, header.schema, header.engine);
        let attempt = session.attempt("restore", &detail).await?;
        let mut file = &self.file;
        file.rewind()?;
        let backup = BufReader::with_capacity(BUFFER, file);
        match ledger::restore(&session.store, backup, counts, attempt.op(), session.now()).await {
            Ok(restored) => {
                let (damaged, consents) = (restored.damage.len(), restored.consents);
                attempt.committed(&format!("damaged={damaged} consents={consents}")).await;
                refresh::keep_few_days(&session.store, session.clock.today()).await;
                Ok(restored)
            }
            Err(error) => {
                let error = self.about(error);
                session.end_badly(attempt, &error).await;
                Err(error)
            }
        }
    }

    fn about(&self, error: ledger::Error) -> Error {
        match error {
            ledger::Error::Archive(source) => Error::Archive { path: self.path.clone(), source },
            other => other.into(),
        }
    }
}
