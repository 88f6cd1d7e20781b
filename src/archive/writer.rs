//! Writing a backup, table after table, row after row. It keeps one chunk in memory.

use std::io::{self, Write};

use super::frame::{self, Digest, FrameWriter};
use super::rows::{Chunk, put_number};
use super::{Counts, FORM, Header, MAGIC, Section, Value};

/// So many bytes of rows make a frame. Each can be told from damaged neighbours.
const ENOUGH: usize = 64 * 1024;

/// Writes a backup. What is written is whole only after [`Writer::finish`].
pub struct Writer<W> {
    frames: FrameWriter<W>,
    chunk: Chunk,
    content: Vec<u8>,
    tables: u64,
    rows_of_table: u64,
    rows: u64,
}

impl<W: Write> Writer<W> {
    /// Begins with what the backup says of itself. It writes often: give it something buffered.
    ///
    /// # Errors
    /// When the file cannot be written, as with everything here.
    pub fn begin(out: W, header: &Header) -> io::Result<Self> {
        let frames = FrameWriter { out, digest: Digest::default() };
        let (chunk, content) = (Chunk::default(), Vec::new());
        let mut writer = Self { frames, chunk, content, tables: 0, rows_of_table: 0, rows: 0 };
        writer.frames.raw(MAGIC)?;
        let content = postcard::to_extend(header, FORM.to_le_bytes().to_vec());
        writer.frames.frame(frame::HEADER, &content.map_err(io::Error::other)?)?;
        Ok(writer)
    }

    /// Begins a table; each is ended by [`Writer::end`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn table(&mut self, section: &Section) -> io::Result<()> {
        let content = postcard::to_stdvec(section).map_err(io::Error::other)?;
        self.tables += 1;
        self.frames.frame(frame::TABLE, &content)
    }

    /// Adds a row of the table, with a value for each of its columns.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        self.chunk.row(values);
        self.rows_of_table += 1;
        if self.chunk.len() < ENOUGH { Ok(()) } else { self.flush() }
    }

    /// Ends the table.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn end(&mut self) -> io::Result<()> {
        self.flush()?;
        let rows = std::mem::take(&mut self.rows_of_table);
        self.rows += rows;
        let mut content = Vec::new();
        put_number(rows, &mut content);
        self.frames.frame(frame::END, &content)
    }

    /// Ends the backup and gives what it was written to.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(mut self) -> io::Result<(W, Counts)> {
        let digest = self.frames.digest.finish();
        let mut content = Vec::new();
        put_number(self.tables, &mut content);
        put_number(self.rows, &mut content);
        content.extend_from_slice(&digest);
        self.frames.frame(frame::TRAILER, &content)?;
        let bytes = self.frames.digest.bytes;
        let counts = Counts { tables: self.tables, rows: self.rows, bytes, digest };
        Ok((self.frames.out, counts))
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.rows == 0 {
            return Ok(());
        }
        self.chunk.take(&mut self.content);
        self.frames.frame(frame::ROWS, &self.content)
    }
}
