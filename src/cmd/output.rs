//! The standard output of a command: buffered, and aware of whether anything was written to it. It
//! knows no command.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use serde::Serialize;

use super::cells::{self, Cell};
use super::exit::Error;
use super::table::Table;

/// Large enough that a long report is a few writes, small enough not to notice.
const BUFFER: usize = 64 * 1024;

/// Data goes here, and nothing else does.
#[derive(Debug)]
pub struct Output {
    out: BufWriter<Stdout>,
    begun: bool,
    in_colour: bool,
}

impl Output {
    /// The standard output of this process.
    pub fn stdout() -> Self {
        let out = BufWriter::with_capacity(BUFFER, io::stdout());
        Self { out, begun: false, in_colour: false }
    }

    /// The same, with colours where they are wanted and a terminal can show them.
    pub fn in_colour(self, wanted: bool) -> Self {
        Self { in_colour: wanted && io::stdout().is_terminal(), ..self }
    }

    /// Whether anything was written.
    pub const fn has_begun(&self) -> bool {
        self.begun
    }

    /// Writes a line.
    pub fn line(&mut self, text: &str) -> Result<(), Error> {
        writeln!(self, "{text}").map_err(Error::Output)
    }

    /// Writes a document and ends its line.
    pub fn json(&mut self, document: &impl Serialize) -> Result<(), Error> {
        serde_json::to_writer(&mut *self, document)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(self))
            .map_err(Error::Output)
    }

    /// Writes a table.
    pub fn table(&mut self, table: &Table) -> Result<(), Error> {
        let in_colour = self.in_colour;
        table.write(self, in_colour).map_err(Error::Output)
    }

    /// Writes CSV.
    pub fn csv(
        &mut self,
        header: &[&str],
        rows: impl Iterator<Item = Vec<Cell>>,
    ) -> Result<(), Error> {
        cells::write(self, header, rows).map_err(Error::Output)
    }

    /// Says something that is not data, on stderr, behind the data that came before it.
    pub fn aside(&mut self, text: &str) -> Result<(), Error> {
        self.flush().map_err(Error::Output)?;
        note(text);
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun |= !bytes.is_empty();
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Says something that is not data, on stderr. Where nobody listens, nothing is said.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
