//! Files that somebody wants imported: regular ones only, read without trusting their names.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::Error;
use super::error::FileProblem;
use crate::import::{self, Format, NeutralReader, PriceReader, Problem};
use crate::ledger::Content;
use crate::model::{Item, SafeText, hex};

/// How much of a file tells its format.
const HEAD: u64 = 64 * 1024;

/// One row of a file, right or wrong.
pub(super) struct FileRow<'a> {
    pub line: u64,
    /// As it stands in the file; empty where the file has no rows of its own.
    pub raw: &'a [u8],
    pub content: Result<Content, Problem>,
}

/// A file to import, open since it was first looked at.
#[derive(Debug)]
pub(super) struct Source {
    pub path: PathBuf,
    pub format: Format,
    file: File,
    stamp: Stamp,
}

/// What changes when somebody writes to a file.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Source {
    /// Opens a file and finds out its format.
    pub fn open(path: &Path, format: Option<Format>) -> Result<Self, Error> {
        let fail = |why| Error::File { path: path.to_owned(), why };
        let mut file = open_regular(path)?;
        let stamp = Stamp::of(&file).map_err(|error| fail(FileProblem::Open(error)))?;
        let format = match format {
            Some(format) => format,
            None => {
                let mut head = Vec::new();
                let read = file.by_ref().take(HEAD).read_to_end(&mut head);
                read.map_err(|error| fail(FileProblem::Open(error)))?;
                import::detect(&head)
                    .map_err(|problem| Error::Content { path: path.to_owned(), problem })?
            }
        };
        Ok(Self { path: path.to_owned(), format, file, stamp })
    }

    /// The size when it was opened.
    pub const fn bytes(&self) -> u64 {
        self.stamp.length
    }

    /// Reads the file from its beginning; gives the SHA-256 of its bytes where all were read.
    pub fn read(
        &self,
        account: Option<&SafeText>,
        each: &mut dyn FnMut(FileRow<'_>) -> ControlFlow<()>,
    ) -> Result<String, Problem> {
        let mut reader = Digesting { file: &self.file, at: 0, context: Context::new(&SHA256) };
        match self.format {
            Format::Neutral => read_neutral(&mut reader, account, each)?,
            Format::Prices => read_prices(&mut reader, each)?,
            Format::Json => read_items(&mut reader, each)?,
        }
        let digest = reader.context.finish();
        Ok(hex(digest.as_ref()))
    }

    /// Whether the file is still what it was when it was opened.
    pub fn check_unchanged(&self) -> Result<(), Error> {
        match Stamp::of(&self.file) {
            Ok(stamp) if stamp == self.stamp => Ok(()),
            _ => Err(Error::File { path: self.path.clone(), why: FileProblem::Changed }),
        }
    }
}

/// Opens a regular file to read it, never through a link.
pub(super) fn open_regular(path: &Path) -> Result<File, Error> {
    let fail = |why| Error::File { path: path.to_owned(), why };
    let file = OpenOptions::new()
        .read(true)
        // A pipe must not keep us waiting for somebody to write.
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(path)
        .map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::LOOP) => fail(FileProblem::IsLink),
            _ => fail(FileProblem::Open(error)),
        })?;
    match file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        true => Ok(file),
        false => Err(fail(FileProblem::NotRegular)),
    }
}

impl Stamp {
    fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

fn read_neutral(
    reader: &mut impl Read,
    account: Option<&SafeText>,
    each: &mut dyn FnMut(FileRow<'_>) -> ControlFlow<()>,
) -> Result<(), Problem> {
    let mut rows = NeutralReader::new(reader)?;
    while let Some(row) = rows.next_row()? {
        let line = row.line;
        let checked = row.parsed.and_then(|mut entry| {
            if let Some(account) = account {
                entry.account = account.clone();
            }
            entry.check().map_err(|refusal| Problem::from(refusal).on_line(line))
        });
        let content = checked.map(Content::Drafts);
        if each(FileRow { line, raw: row.raw, content }).is_break() {
            break;
        }
    }
    Ok(())
}

fn read_prices(
    reader: &mut impl Read,
    each: &mut dyn FnMut(FileRow<'_>) -> ControlFlow<()>,
) -> Result<(), Problem> {
    let mut rows = PriceReader::new(reader)?;
    while let Some(row) = rows.next_row()? {
        let content = row.parsed.map(|quote| Content::Quote(Box::new(quote)));
        let row = FileRow { line: row.line, raw: row.raw, content };
        if each(row).is_break() {
            break;
        }
    }
    Ok(())
}

fn read_items(
    reader: &mut impl Read,
    each: &mut dyn FnMut(FileRow<'_>) -> ControlFlow<()>,
) -> Result<(), Problem> {
    let mut line = 0;
    let _ = import::read_json(reader, |item: Item| {
        line += 1;
        each(FileRow { line, raw: &[], content: Ok(Content::Item(Box::new(item))) })
    })?;
    Ok(())
}

/// Reads on, and keeps the sum of what went by. It knows its own place in the file, since a reading
/// that was given up may not have ended when the next one begins.
struct Digesting<'a> {
    file: &'a File,
    at: u64,
    context: Context,
}

impl Read for Digesting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        if let Some(bytes) = buffer.get(..count) {
            self.context.update(bytes);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_does_not_disturb_another() {
        const ROWS: usize = 20_000;
        let mut text = "date,account,type,symbol,quantity,price,fee,currency,amount\n".to_owned();
        for row in 0..ROWS {
            text.push_str(&format!("2024-01-02,Main,DEPOSIT,,,,,USD,{row}.01\n"));
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &text).unwrap();
        let source = Source::open(file.path(), None).unwrap();
        let (mut outer, mut inner) = (0, 0);
        let outer_digest = source.read(None, &mut |row| {
            assert!(row.content.is_ok(), "line {}", row.line);
            outer += 1;
            if outer == 1 {
                let digest = source.read(None, &mut |row| {
                    assert!(row.content.is_ok(), "line {}", row.line);
                    inner += 1;
                    ControlFlow::Continue(())
                });
                assert!(digest.is_ok());
            }
            ControlFlow::Continue(())
        });
        assert_eq!((outer, inner), (ROWS, ROWS));
        let undisturbed = source.read(None, &mut |_| ControlFlow::Continue(()));
        assert_eq!(outer_digest, undisturbed);
    }
}
