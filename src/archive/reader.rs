//! Reading a backup, and finding out where it is damaged. It keeps one frame in memory.

use std::io::Read;

use super::frame::{self, Digest, Fault, FrameReader};
use super::rows::{Rows, take_number};
use super::{Counts, Error, FORM, Header, MAGIC, Section, why};
use crate::model::SafeText;

/// So many rows are looked at together.
const MANY: usize = 500;
/// No table of ours comes near to so many columns, and no header or list of columns to so many
/// bytes: what claims more is not given the room.
const MOST_COLUMNS: usize = 256;
const LONGEST_HEAD: usize = 64 << 10;
/// Ids and revisions go up by one at a time.
const HIGHEST: i64 = 1 << 53;

/// Reads a backup. What was read is whole only once [`Part::End`] came.
pub struct Reader<R> {
    frames: FrameReader<R>,
    /// Where the frame begins that is read.
    offset: u64,
    table: Option<Section>,
    /// As it is named to a person.
    section: SafeText,
    rows_of_table: u64,
    tables: u64,
    rows: u64,
}

/// A piece of a backup.
#[derive(Debug)]
pub enum Part<'a> {
    /// A table begins.
    Table(Section),
    /// Rows of it.
    Rows(Rows<'a>),
    /// That was all, and nothing is missing.
    End(Counts),
}

impl<R: Read> Reader<R> {
    /// Begins to read. It reads often and little: give it something buffered.
    ///
    /// # Errors
    /// When it is no backup, one of a newer program, or broken.
    pub fn begin(input: R) -> Result<(Header, Self), Error> {
        let frames = FrameReader { input, digest: Digest::default(), content: Vec::new() };
        let section = SafeText::new("beginning");
        let mut reader =
            Self { frames, offset: 0, table: None, section, rows_of_table: 0, tables: 0, rows: 0 };
        let header = reader.header()?;
        Ok((header, reader))
    }

    fn header(&mut self) -> Result<Header, Error> {
        match self.frames.raw(MAGIC.len() as u64) {
            Ok(()) if self.frames.content == MAGIC => {}
            // A beginning of it is cut off; of anything else nothing can be said.
            Err(Fault::Broken(why))
                if !self.frames.content.is_empty() && MAGIC.starts_with(&self.frames.content) =>
            {
                return Err(self.broken(why));
            }
            Err(Fault::Io(error)) => return Err(error.into()),
            _ => return Err(Error::Foreign),
        }
        self.frames.digest.add(MAGIC);
        if self.frame()? != frame::HEADER {
            return Err(self.broken(why::ORDER));
        }
        let Some((form, header)) = self.frames.content.split_first_chunk::<2>() else {
            return Err(self.broken(why::ALTERED));
        };
        match u16::from_le_bytes(*form) {
            FORM if header.len() <= LONGEST_HEAD => {
                let header: Result<Header, _> = postcard::from_bytes(header);
                let is_ours = |header: &Header| header.next_id.max(header.revision) <= HIGHEST;
                header.ok().filter(is_ours).ok_or_else(|| self.broken(why::ALTERED))
            }
            FORM => Err(self.broken(why::ALTERED)),
            newer => Err(Error::Newer(newer)),
        }
    }

    /// The next piece.
    ///
    /// # Errors
    /// When the backup is broken or cannot be read.
    pub fn next_part(&mut self) -> Result<Part<'_>, Error> {
        let kind = self.frame()?;
        match (kind, &self.table) {
            (frame::TABLE, None) => {
                let content = &self.frames.content;
                let section = (content.len() <= LONGEST_HEAD)
                    .then(|| postcard::from_bytes::<Section>(content).ok())
                    .flatten()
                    // Rows of nothing would have no end.
                    .filter(|it| (1..=MOST_COLUMNS).contains(&it.columns.len()))
                    .ok_or_else(|| self.broken(why::ALTERED))?;
                self.section = SafeText::capped(&section.name, 64);
                self.table = Some(section.clone());
                self.tables += 1;
                Ok(Part::Table(section))
            }
            (frame::ROWS, Some(table)) => {
                let section = self.section.clone();
                let content = &self.frames.content;
                let rows = Rows::new(content, table.columns.len(), section, self.offset)?;
                self.rows_of_table = self.rows_of_table.saturating_add(rows.left());
                Ok(Part::Rows(rows))
            }
            (frame::END, Some(_)) => {
                if take_number(&mut &self.frames.content[..]) != Some(self.rows_of_table) {
                    return Err(self.broken(why::COUNT));
                }
                self.rows = self.rows.saturating_add(std::mem::take(&mut self.rows_of_table));
                self.table = None;
                self.section = SafeText::new(&format!("after {}", self.section));
                self.next_part()
            }
            (frame::TRAILER, None) => {
                self.section = SafeText::new("end");
                self.end().map(Part::End)
            }
            _ => Err(self.broken(why::ORDER)),
        }
    }

    /// Reads on to the end, and forgets what it reads.
    ///
    /// # Errors
    /// When the backup is broken or cannot be read.
    pub fn verify(mut self) -> Result<Counts, Error> {
        loop {
            match self.next_part()? {
                Part::Table(_) => {}
                Part::Rows(mut rows) => {
                    let mut values = Vec::new();
                    while rows.take_into(MANY, &mut values)? > 0 {
                        values.clear();
                    }
                }
                Part::End(counts) => return Ok(counts),
            }
        }
    }

    fn end(&mut self) -> Result<Counts, Error> {
        let mut rest = &self.frames.content[..];
        let told = [take_number(&mut rest), take_number(&mut rest)];
        let digest = self.frames.digest.finish();
        if told != [Some(self.tables), Some(self.rows)] || rest != digest {
            return Err(self.broken(why::COUNT));
        }
        let bytes = self.frames.digest.bytes + 9 + self.frames.content.len() as u64;
        self.offset = bytes;
        match self.frames.is_at_end().map_err(|fault| self.told(fault))? {
            true => Ok(Counts { tables: self.tables, rows: self.rows, bytes, digest }),
            false => Err(self.broken(why::MORE)),
        }
    }

    fn frame(&mut self) -> Result<u8, Error> {
        self.offset = self.frames.digest.bytes;
        self.frames.frame().map_err(|fault| self.told(fault))
    }

    fn told(&self, fault: Fault) -> Error {
        match fault {
            Fault::Broken(why) => self.broken(why),
            Fault::Io(error) => error.into(),
        }
    }

    fn broken(&self, why: &'static str) -> Error {
        Error::Broken { section: self.section.clone(), offset: self.offset, why }
    }
}
