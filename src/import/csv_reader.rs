//! RFC 4180 in records, each with its line, its bytes as they stood in the file, and its fields.
//! Reads any amount in bounded memory. Knows nothing of what the columns mean.

use std::borrow::Cow;
use std::io::Read;

use super::encoding::{BOM, refuse_no_text};
use super::problem::{Fault, Problem};
use crate::model::SafeText;

/// The most bytes of one field as it stands in the file.
pub const MAX_FIELD: usize = 64 << 10;
/// The most fields of one record.
pub const MAX_COLUMNS: usize = 64;

const CHUNK: usize = 128 << 10;

/// One record of a file.
#[derive(Debug)]
pub struct Record<'a> {
    /// The line it begins on, from 1.
    pub line: u64,
    /// Its bytes as they stood in the file, without the line end.
    pub raw: &'a [u8],
    /// Its fields, or what is wrong with this record alone.
    pub fields: Result<Fields<'a>, Problem>,
}

/// The fields of one record, as many as the header has.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    text: &'a str,
    spans: &'a [Span],
}

impl<'a> Fields<'a> {
    /// What a field says, its quotes taken off; nothing where there is no such field.
    #[must_use]
    pub fn get(self, index: usize) -> Cow<'a, str> {
        let Some(span) = self.spans.get(index) else { return Cow::Borrowed("") };
        let text = self.text.get(span.from..span.to).unwrap_or_default();
        if span.doubled { Cow::Owned(text.replace("\"\"", "\"")) } else { Cow::Borrowed(text) }
    }

    fn all(self) -> impl Iterator<Item = Cow<'a, str>> {
        (0..self.spans.len()).map(move |index| self.get(index))
    }
}

/// Reads a file record by record. The first record is the header.
#[derive(Debug)]
pub struct CsvReader<R> {
    source: R,
    limit: u64,
    /// How many bytes came so far.
    taken: u64,
    /// What came and is not yet used up, which is from `start` on.
    buffer: Vec<u8>,
    start: usize,
    /// The line at `start`.
    line: u64,
    /// A CR ended the last record and the buffer: an LF that follows belongs to it.
    after_cr: bool,
    /// Whether lines end in a CR alone, once one has ended.
    bare_cr: Option<bool>,
    /// Whether a record came after the header.
    any: bool,
    scan: Scan,
    header: Vec<SafeText>,
    header_line: u64,
    /// Nothing more is given out: the file ended, or broke in a way that hides where rows begin.
    finished: bool,
}

impl<R: Read> CsvReader<R> {
    /// Opens a file of at most `limit` bytes and reads its header; `expected` are the columns to
    /// name when there is none.
    ///
    /// # Errors
    /// When it is no text, is empty, or its first line cannot be read.
    pub fn open(source: R, limit: u64, expected: &'static str) -> Result<Self, Problem> {
        let mut reader = Self {
            source,
            limit,
            taken: 0,
            buffer: Vec::new(),
            start: 0,
            line: 1,
            after_cr: false,
            bare_cr: None,
            any: false,
            scan: Scan::default(),
            header: Vec::new(),
            header_line: 1,
            finished: false,
        };
        reader.fill()?;
        refuse_no_text(&reader.buffer)?;
        if reader.buffer.starts_with(BOM) {
            reader.start = BOM.len();
        }
        let Some(Record { line, fields, .. }) = reader.next_record()? else {
            return Err(Problem::new(Fault::Empty(expected)));
        };
        let names: Vec<Cow<'_, str>> = fields?.all().collect();
        if let [only] = names.as_slice()
            && let Some(separator) = only.chars().find(|c| matches!(c, ';' | '\t' | '|'))
        {
            return Err(Problem::new(Fault::Separator(separator)).on_line(line));
        }
        let lower = names.iter().map(|name| name.trim().to_ascii_lowercase());
        let header: Vec<SafeText> = lower.map(|name| SafeText::capped(&name, 64)).collect();
        reader.header = header;
        reader.header_line = line;
        Ok(reader)
    }

    /// The names of the columns, in lower case, and their line.
    pub fn header(&self) -> (&[SafeText], u64) {
        (&self.header, self.header_line)
    }

    /// The next record that is not an empty line.
    ///
    /// # Errors
    /// What hides where the next record begins, and that there is none at all; nothing comes after
    /// it.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, Problem> {
        if self.finished {
            return Ok(None);
        }
        match self.find_record() {
            Ok(true) => {
                self.any = !self.header.is_empty();
                Ok(Some(self.record()))
            }
            Ok(false) => {
                self.finished = true;
                match self.header.is_empty() || self.any {
                    true => Ok(None),
                    false => Err(self.in_field(0, Fault::OnlyHeader).on_line(self.header_line + 1)),
                }
            }
            Err(problem) => {
                self.finished = true;
                Err(problem)
            }
        }
    }

    /// Moves to the next record; no when the file has ended.
    fn find_record(&mut self) -> Result<bool, Problem> {
        loop {
            self.pass_record()?;
            let mut more = true;
            loop {
                if self.after_cr && self.start < self.buffer.len() {
                    self.after_cr = false;
                    let goes_on = self.buffer.get(self.start) == Some(&b'\n');
                    self.start += usize::from(goes_on);
                    self.line_ended(!goes_on)?;
                }
                let window = self.buffer.get(self.start..).unwrap_or_default();
                match self.scan.run(window, !more) {
                    Ok(true) => break,
                    Ok(false) if more => more = self.fill()?,
                    Ok(false) if std::mem::take(&mut self.after_cr) => self.line_ended(true)?,
                    Ok(false) => return Ok(false),
                    Err(broken) => return Err(self.place(&broken)),
                }
            }
            if self.scan.length > 0 {
                return Ok(true);
            }
        }
    }

    /// Leaves the record that was given out, and its line end, behind.
    fn pass_record(&mut self) -> Result<(), Problem> {
        let end = self.start + self.scan.length;
        if self.scan.done {
            let raw = self.buffer.get(self.start..end).unwrap_or_default();
            self.line += 1 + if self.scan.quoted { line_ends(raw) } else { 0 };
            self.after_cr = self.buffer.get(end) == Some(&b'\r');
            let ended = self.buffer.get(end) == Some(&b'\n');
            self.start = (end + 1).min(self.buffer.len());
            if ended {
                self.line_ended(false)?;
            }
        }
        self.scan.reset();
        Ok(())
    }

    /// Where some lines end in a CR alone and others do not, nobody can tell which CR ends one.
    fn line_ended(&mut self, bare_cr: bool) -> Result<(), Problem> {
        match *self.bare_cr.get_or_insert(bare_cr) == bare_cr {
            true => Ok(()),
            false => {
                let last = self.header.len().saturating_sub(1);
                Err(self.in_field(last, Fault::MixedLineEnds).on_line(self.line.saturating_sub(1)))
            }
        }
    }

    /// Reads on; no at the end of the file.
    fn fill(&mut self) -> Result<bool, Problem> {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.reserve(CHUNK);
        let mut chunk = self.source.by_ref().take(CHUNK as u64);
        let count = chunk.read_to_end(&mut self.buffer)?;
        self.taken += count as u64;
        if self.taken > self.limit {
            return Err(Problem::new(Fault::TooBig(self.limit)));
        }
        Ok(count > 0)
    }

    fn record(&self) -> Record<'_> {
        let end = self.start + self.scan.length;
        let raw = self.buffer.get(self.start..end).unwrap_or_default();
        let fields = self.fields(raw).map_err(|problem| problem.on_line(self.line));
        Record { line: self.line, raw, fields }
    }

    fn fields<'a>(&'a self, raw: &'a [u8]) -> Result<Fields<'a>, Problem> {
        let spans = self.scan.spans.as_slice();
        let text = str::from_utf8(raw).map_err(|error| {
            let at = error.valid_up_to();
            let field = spans.iter().take_while(|span| span.to <= at).count();
            self.in_field(field, Fault::NotUtf8)
        })?;
        if let Some(at) = raw.iter().position(|byte| *byte == 0) {
            let field = spans.iter().take_while(|span| span.to <= at).count();
            return Err(self.in_field(field, Fault::Nul));
        }
        if let Some(field) = self.scan.stray {
            return Err(self.in_field(field, Fault::StrayQuote));
        }
        let (found, header) = (spans.len(), self.header.len());
        if header != 0 && found != header {
            return Err(Problem::new(Fault::FieldCount { found, header }));
        }
        Ok(Fields { text, spans })
    }

    /// A problem of the field with this index, under the name that the header gives it.
    fn in_field(&self, index: usize, fault: Fault) -> Problem {
        match self.header.get(index).filter(|name| !name.is_empty()) {
            Some(name) => Problem::in_column(name.as_str(), fault),
            None => Problem::in_column(&(index + 1).to_string(), fault),
        }
    }

    fn place(&self, broken: &Broken) -> Problem {
        let window = self.buffer.get(self.start..).unwrap_or_default();
        let before = window.get(..self.scan.field_start).unwrap_or_default();
        let line = self.line + line_ends(before);
        let problem = match broken {
            Broken::Unclosed => self.in_field(self.scan.spans.len(), Fault::Unclosed(MAX_FIELD)),
            Broken::Long => self.in_field(self.scan.spans.len(), Fault::FieldTooLong(MAX_FIELD)),
            Broken::Wide => Problem::new(Fault::TooManyColumns(MAX_COLUMNS)),
        };
        problem.on_line(line)
    }
}

/// LF, CR LF and CR each end a line.
fn line_ends(bytes: &[u8]) -> u64 {
    let next = bytes.iter().skip(1).map(Some).chain([None]);
    let ends = bytes.iter().zip(next);
    ends.filter(|&(&byte, next)| byte == b'\n' || byte == b'\r' && next != Some(&b'\n')).count()
        as u64
}

/// What hides where the next record begins.
#[derive(Debug)]
enum Broken {
    Unclosed,
    Long,
    Wide,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    FieldStart,
    Plain,
    Quoted,
    /// After a quote inside quotes: it ends them, or is the first of two.
    Quote,
}

/// Finds the end of one record and its fields. It can stop anywhere and go on when more has come,
/// so that no byte is looked at twice. All places count from the start of the record.
#[derive(Debug, Default)]
struct Scan {
    state: State,
    /// The next byte to look at.
    at: usize,
    field_start: usize,
    doubled: bool,
    spans: Vec<Span>,
    /// Any field is in quotes: line ends may be inside.
    quoted: bool,
    /// The first field with a quote where none may be.
    stray: Option<usize>,
    /// The record is complete, and so long.
    done: bool,
    length: usize,
}

/// Where a field stands in its record, without the quotes around it.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: usize,
    to: usize,
    /// It has quotes inside, each written as two.
    doubled: bool,
}

impl Scan {
    fn reset(&mut self) {
        let mut spans = std::mem::take(&mut self.spans);
        spans.clear();
        *self = Self { spans, ..Self::default() };
    }

    /// Whether the record is complete; `last` says that nothing comes after the window.
    fn run(&mut self, window: &[u8], last: bool) -> Result<bool, Broken> {
        while let Some(&byte) = window.get(self.at) {
            match (self.state, byte) {
                (State::FieldStart, b'"') => {
                    self.state = State::Quoted;
                    self.quoted = true;
                }
                (State::Quoted, b'"') => self.state = State::Quote,
                (State::Quote, b'"') => {
                    self.state = State::Quoted;
                    self.doubled = true;
                }
                (State::Quoted, _) => {}
                (_, b',') => self.end_field()?,
                (_, b'\n' | b'\r') => {
                    self.end_record()?;
                    return Ok(true);
                }
                (State::Quote, _) | (State::Plain, b'"') => {
                    self.stray = self.stray.or(Some(self.spans.len()));
                    self.state = State::Plain;
                }
                _ => self.state = State::Plain,
            }
            self.at += 1;
        }
        self.check_length()?;
        if !last || window.is_empty() {
            return Ok(false);
        }
        if matches!(self.state, State::Quoted) {
            return Err(Broken::Unclosed);
        }
        self.end_record()?;
        Ok(true)
    }

    fn check_length(&self) -> Result<(), Broken> {
        match self.state {
            _ if self.at - self.field_start <= MAX_FIELD => Ok(()),
            State::Quoted | State::Quote => Err(Broken::Unclosed),
            State::FieldStart | State::Plain => Err(Broken::Long),
        }
    }

    fn end_field(&mut self) -> Result<(), Broken> {
        self.check_length()?;
        if self.spans.len() == MAX_COLUMNS {
            return Err(Broken::Wide);
        }
        let quote = usize::from(matches!(self.state, State::Quote));
        let (from, to) = (self.field_start + quote, self.at - quote);
        self.spans.push(Span { from, to, doubled: self.doubled });
        self.field_start = self.at + 1;
        self.doubled = false;
        self.state = State::FieldStart;
        Ok(())
    }

    fn end_record(&mut self) -> Result<(), Broken> {
        self.length = self.at;
        self.done = true;
        self.end_field()
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use proptest::prelude::*;

    use super::*;

    /// Gives out a head, then one byte again and again, and counts what was taken.
    struct Endless<'a> {
        head: &'a [u8],
        byte: u8,
        left: u64,
    }

    impl Read for Endless<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if !self.head.is_empty() {
                return self.head.read(out);
            }
            let count = self.left.min(out.len() as u64);
            self.left -= count;
            let part = &mut out[..usize::try_from(count).unwrap()];
            part.fill(self.byte);
            Ok(part.len())
        }
    }

    struct Failing;

    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }

    type Rows = Vec<(u64, Vec<u8>, Result<Vec<String>, Problem>)>;

    fn rows(source: impl Read) -> (Rows, Option<Problem>) {
        let mut reader = match CsvReader::open(source, 1 << 30, "a,b") {
            Ok(reader) => reader,
            Err(problem) => return (Vec::new(), Some(problem)),
        };
        let mut rows = Vec::new();
        loop {
            match reader.next_record() {
                Ok(Some(Record { line, raw, fields })) => {
                    let fields = fields.map(|fields| fields.all().map(String::from).collect());
                    rows.push((line, raw.to_vec(), fields));
                }
                Ok(None) => return (rows, None),
                Err(problem) => {
                    assert!(reader.next_record().is_ok_and(|record| record.is_none()));
                    return (rows, Some(problem));
                }
            }
        }
    }

    /// The fields of every record of a file that is right throughout, with their lines.
    fn fields(text: &str) -> Vec<(u64, Vec<String>)> {
        let (rows, end) = rows(text.as_bytes());
        assert_eq!(end, None, "{text:?}");
        rows.into_iter().map(|(line, _, fields)| (line, fields.unwrap())).collect()
    }

    fn end(source: impl Read) -> String {
        rows(source).1.map(|problem| problem.to_string()).unwrap_or_default()
    }

    fn row(line: u64, fields: [&str; 2]) -> (u64, Vec<String>) {
        (line, fields.map(String::from).to_vec())
    }

    #[test]
    fn fields_are_those_of_rfc_4180() {
        assert_eq!(fields("a,b\n1,2\n"), [row(2, ["1", "2"])]);
        assert_eq!(fields("a,b\n1,2"), [row(2, ["1", "2"])]);
        assert_eq!(fields("\u{feff}a,b\r\n1,2\r\n,\r\n"), [row(2, ["1", "2"]), row(3, ["", ""])]);
        assert_eq!(fields("a,b\n\"x, y\",\"\"\n"), [row(2, ["x, y", ""])]);
        assert_eq!(fields("a,b\n\"say \"\"hi\"\"\",\"\"\"\"\n"), [row(2, ["say \"hi\"", "\""])]);
        assert_eq!(fields("a,b\n1,\"x\ny\"\n3,4\n"), [row(2, ["1", "x\ny"]), row(4, ["3", "4"])]);
        assert_eq!(fields("a,b\n é , 2 \n"), [row(2, [" é ", " 2 "])]);
    }

    #[test]
    fn every_sort_of_line_end_ends_a_line_and_empty_lines_count() {
        let expected = [row(2, ["1", "2"]), row(3, ["3", "4"]), row(5, ["5", "6"])];
        assert_eq!(fields("a,b\r1,2\r3,4\r\r5,6\r"), expected);
        assert_eq!(fields("a,b\n1,2\n3,4\r\n\r\n5,6"), expected);
        assert_eq!(
            fields("\r\n\na,b\n\r\n\n1,\"\r\n\r\n\"\n3,4"),
            [row(6, ["1", "\r\n\r\n"]), row(9, ["3", "4"])]
        );
    }

    #[test]
    fn a_cr_alone_among_other_line_ends_is_refused_where_it_stands() {
        for (text, line) in [
            ("a,b\r1,2\r\n3,4\r\n", 2),
            ("a,b\r\n1,2\r\n3,4\r5,6\r\n", 3),
            ("a,b\n1,2\r", 2),
            ("a,b\r1,2\n", 2),
            ("a,b\n1,\"2\r3\"\n4,5\r6,7\n", 4),
        ] {
            let said = end(text.as_bytes());
            assert!(said.starts_with(&format!("line {line}, column b: lines end")), "{said}");
        }
    }

    #[test]
    fn a_zero_byte_is_refused_in_its_field() {
        let (rows, end) = rows(&b"a,b\n1,2\n3,x\0y\n"[..]);
        assert_eq!(end, None);
        let said = rows[1].2.as_ref().unwrap_err().to_string();
        assert!(said.starts_with("line 3, column b: a zero byte"), "{said}");
    }

    #[test]
    fn a_wrong_record_does_not_hide_the_next() {
        let text = b"a,b\n1\n2,3,4\nx\"y,5\n6,\"z\"z\n\xff,7\n8,\"\xe9\"\n9,10\n";
        let (rows, end) = rows(text.as_slice());
        assert_eq!(end, None);
        let says = rows.iter().map(|(_, _, fields)| match fields {
            Ok(fields) => fields.join("|"),
            Err(problem) => problem.to_string(),
        });
        let says: Vec<String> = says.collect();
        let begins = [
            "line 2: 1 fields",
            "line 3: 3 fields",
            "line 4, column a: a quote in the middle",
            "line 5, column b: a quote in the middle",
            "line 6, column a: not UTF-8",
            "line 7, column b: not UTF-8",
            "9|10",
        ];
        assert_eq!(says.len(), begins.len());
        for (says, begin) in says.iter().zip(begins) {
            assert!(says.starts_with(begin), "{says}");
        }
    }

    #[test]
    fn an_open_quote_is_named_by_its_own_line() {
        assert!(
            end(&b"a,b\n1,2\n\"x\ny\",\"3\n4,5\n"[..])
                .starts_with("line 4, column b: the quote that opens")
        );
        let endless = |head| Endless { head, byte: b'x', left: 1 << 30 };
        assert!(
            end(endless(b"a,b\n1,2\n3,\"")).starts_with("line 3, column b: the quote that opens")
        );
        assert!(end(&b"\"a,b\n"[..]).starts_with("line 1, column 1: the quote that opens"));
    }

    #[test]
    fn a_line_without_end_is_refused_in_little_memory() {
        let open =
            |head, byte| CsvReader::open(Endless { head, byte, left: 1 << 30 }, 4 << 30, "a,b");
        let mut reader = open(b"a,b\n1,", b'x').unwrap();
        let problem = reader.next_record().map(|_| ()).unwrap_err();
        assert_eq!(problem.to_string(), "line 2, column b: longer than 65536 bytes; shorten it");
        assert!(reader.buffer.capacity() < 1 << 20);
        let problem = open(b"a,b", b'b').map(|_| ()).unwrap_err();
        assert_eq!(problem.to_string(), "line 1, column 2: longer than 65536 bytes; shorten it");
        let mut reader = open(b"a,b\n1", b',').unwrap();
        let problem = reader.next_record().map(|_| ()).unwrap_err();
        assert_eq!(problem.to_string(), "line 2: more than 64 columns; is this the right file?");
        assert!(reader.taken < 1 << 20);
    }

    #[test]
    fn the_caps_are_exact() {
        let wide = |columns: usize| vec!["x"; columns].join(",");
        assert_eq!(end(format!("{0}\n{0}", wide(64)).as_bytes()), "");
        assert!(end(wide(65).as_bytes()).contains("more than 64 columns"));
        assert!(end(wide(10_000).as_bytes()).contains("more than 64 columns"));
        let long = |bytes: usize| format!("a,b\n1,{}\n", "x".repeat(bytes));
        assert_eq!(end(long(MAX_FIELD).as_bytes()), "");
        assert!(end(long(MAX_FIELD + 1).as_bytes()).contains("longer than 65536"));
        let file = |limit| CsvReader::open(&b"a,b\n1,2\n"[..], limit, "a,b").map(|_| ());
        assert_eq!(file(8), Ok(()));
        assert_eq!(file(7), Err(Problem::new(Fault::TooBig(7))));
    }

    #[test]
    fn empty_files_and_failing_disks_are_plain() {
        for nothing in ["", "\n", "\u{feff}", "\r\n\r\n"] {
            assert_eq!(rows(nothing.as_bytes()).1, Some(Problem::new(Fault::Empty("a,b"))));
        }
        for header in ["a,b\n", "a,b", "a,b\r\n\r\n"] {
            assert!(end(header.as_bytes()).starts_with("line 2, column a: nothing"), "{header:?}");
        }
        assert_eq!(end(Failing), "the file cannot be read: permission denied");
        assert!(end((&b"a,b\n1,2\n"[..]).chain(Failing)).contains("permission denied"));
    }

    proptest! {
        #[test]
        fn any_bytes_end_and_the_records_do_not_depend_on_where_a_read_ends(
            bytes in proptest::collection::vec(
                prop_oneof![
                    Just(b','), Just(b'"'), Just(b'\n'), Just(b'\r'), Just(b'a'), Just(0xc3), Just(0xa9), any::<u8>()
                ],
                1..100,
            ),
            at in any::<proptest::sample::Index>(),
        ) {
            // Three long fields that end so that the first read does somewhere in the bytes.
            let read_ends = at.index(bytes.len()) + 1;
            let filled = |length: usize| {
                let mut file = b"a,b\n".to_vec();
                for part in [length / 3, length / 3, length - length / 3 * 2] {
                    file.extend(std::iter::repeat_n(b'x', part - 3));
                    file.extend(b",y\n");
                }
                file.extend(&bytes);
                let (rows, end) = rows(file.as_slice());
                (rows.into_iter().skip(3).collect::<Rows>(), end)
            };
            prop_assert_eq!(filled(CHUNK - 4 - read_ends), filled(300));
        }

        #[test]
        fn what_a_csv_writer_writes_comes_back(
            cells in proptest::collection::vec(proptest::collection::vec("[a\"\r\n, é]{0,5}", 3), 1..8)
        ) {
            let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let lines = cells.iter().map(|row| row.iter().map(quoted).collect::<Vec<_>>().join(","));
            let text = format!("a,b,c\n{}", lines.collect::<Vec<_>>().join("\n"));
            let read: Vec<Vec<String>> = fields(&text).into_iter().map(|(_, fields)| fields).collect();
            prop_assert_eq!(read, cells);
        }

        #[test]
        fn raw_records_joined_are_the_file(
            lines in proptest::collection::vec("[a-c]{0,3},(\"[a,\n]{0,4}(\"\"){0,2}\"|[a-c]{1,3})", 1..8)
        ) {
            let text = format!("a,b\n{}", lines.join("\n"));
            let (rows, end) = rows(text.as_bytes());
            prop_assert_eq!(end, None);
            let raws: Vec<&[u8]> = rows.iter().map(|(_, raw, _)| raw.as_slice()).collect();
            prop_assert_eq!(raws.join(&b'\n'), lines.join("\n").into_bytes());
            for (line, raw, _) in &rows {
                let skipped = usize::try_from(*line).unwrap() - 1;
                let at = text.split_inclusive('\n').take(skipped).map(str::len).sum::<usize>();
                prop_assert!(text.as_bytes()[at..].starts_with(raw));
            }
        }
    }
}
