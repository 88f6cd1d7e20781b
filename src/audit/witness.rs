//! The second witness: a line of JSON for each record, in a file for each day (UTC), written when the
//! record is durable.
//!
//! ```text
//! {"day":"2026-11-22","previous":"<hash of the last record of the file before>"}
//! {"event":"import","state":"ATTEMPTED","op_id":"...","seq":7,...,"hash":"..."}
//! {"closed":"2026-11-22","count":1,"hash":"..."}
//! ```
//!
//! A file is closed when the first record of a later day comes. What is missing at its end is
//! written from the trail; nothing else of it is ever changed. A clock that was set back goes on in
//! the newest file.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, SecondsFormat};
use serde::{Deserialize, Serialize};

use crate::config::private::{create_dir_private, open_private};
use crate::model::hex;
use crate::store::AuditRow;

const BEGIN: &str = "audit_";
const END: &str = ".jsonl";
/// No line is longer.
const TAIL: u64 = 16 << 10;

/// The folder of the files.
#[derive(Clone, Debug)]
pub(super) struct Witness {
    folder: PathBuf,
}

/// A record as a line.
#[derive(Serialize)]
struct Record<'a> {
    event: &'a str,
    state: &'a str,
    op_id: &'a str,
    seq: i64,
    at: String,
    actor: &'a str,
    subject: &'a str,
    detail: &'a str,
    chain: &'a str,
    link: i64,
    hash: String,
}

/// What a line says, as far as it is needed.
pub(super) enum Said {
    /// A record.
    Record { seq: i64, chain: String, link: i64, hash: String },
    /// A file ends.
    Closed { closed: NaiveDate, count: u64, hash: String },
    /// A file begins.
    Day { day: NaiveDate, previous: String },
}

/// Every field that a line may have.
#[derive(Deserialize)]
struct Fields {
    seq: Option<i64>,
    chain: Option<String>,
    link: Option<i64>,
    hash: Option<String>,
    closed: Option<NaiveDate>,
    count: Option<u64>,
    day: Option<NaiveDate>,
    previous: Option<String>,
}

impl Said {
    fn parse(line: &[u8]) -> Option<Self> {
        let Fields { seq, chain, link, hash, closed, count, day, previous } =
            serde_json::from_slice(line).ok()?;
        Some(match (closed, day) {
            (Some(closed), _) => Self::Closed { closed, count: count?, hash: hash? },
            (None, Some(day)) => Self::Day { day, previous: previous? },
            (None, None) => Self::Record { seq: seq?, chain: chain?, link: link?, hash: hash? },
        })
    }
}

/// A record as its line, without the end of the line.
#[must_use]
pub fn line(row: &AuditRow) -> String {
    let at = DateTime::from_timestamp_micros(row.at).unwrap_or_default();
    let record = Record {
        event: &row.action,
        state: &row.state,
        op_id: &row.op,
        seq: row.seq,
        at: at.to_rfc3339_opts(SecondsFormat::Micros, true),
        actor: &row.actor,
        subject: &row.subject,
        detail: &row.detail,
        chain: &row.chain,
        link: row.link,
        hash: hex(&row.hash),
    };
    serde_json::to_string(&record).unwrap_or_default()
}

/// The day (UTC) on which a record was written.
pub(super) fn day_of(row: &AuditRow) -> NaiveDate {
    DateTime::from_timestamp_micros(row.at).unwrap_or_default().date_naive()
}

/// The newest file, and how it ends.
struct Newest {
    day: NaiveDate,
    last: Option<Said>,
}

impl Witness {
    pub const fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn path(&self, day: NaiveDate) -> PathBuf {
        self.folder.join(format!("{BEGIN}{day}{END}"))
    }

    /// The days of the files, the oldest first.
    pub fn days(&self) -> Vec<NaiveDate> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let day = |name: String| name.strip_prefix(BEGIN)?.strip_suffix(END)?.parse().ok();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut days: Vec<NaiveDate> = names.filter_map(day).collect();
        days.sort_unstable();
        days
    }

    /// The last link of a chain that it knows; none: it knows nothing of that chain.
    pub fn last(&self, chain: &str, near: &AuditRow) -> io::Result<Option<i64>> {
        Ok(match self.newest(day_of(near))? {
            None => None,
            Some(Newest { last: Some(Said::Record { chain: its, link, .. }), .. })
                if its == chain =>
            {
                Some(link)
            }
            // Just begun, just closed, or of another chain: the record is somewhere before.
            Some(_) => self.last_in_any(chain),
        })
    }

    fn last_in_any(&self, chain: &str) -> Option<i64> {
        let mut last = None;
        for day in self.days().into_iter().rev() {
            let file = File::open(self.path(day)).ok()?;
            for line in BufReader::new(file).lines().map_while(Result::ok) {
                if let Some(Said::Record { chain: its, link, .. }) = Said::parse(line.as_bytes())
                    && its == chain
                {
                    last = Some(link);
                }
            }
            if last.is_some() {
                return last;
            }
        }
        last
    }

    /// The newest file: that of this day, if it is still open, else the last one there is.
    fn newest(&self, day: NaiveDate) -> io::Result<Option<Newest>> {
        match self.tail(day) {
            Ok(last @ Some(Said::Record { .. } | Said::Day { .. })) => {
                return Ok(Some(Newest { day, last }));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        match self.days().pop() {
            None => Ok(None),
            Some(day) => Ok(Some(Newest { day, last: self.tail(day)? })),
        }
    }

    /// What the last line of a file says. What was begun and not ended is no line: it goes.
    fn tail(&self, day: NaiveDate) -> io::Result<Option<Said>> {
        let path = self.path(day);
        // Most of the time it is not there or ends well, and nothing is opened for writing.
        let mut file = File::open(&path)?;
        let length = file.metadata()?.len();
        let start = length.saturating_sub(TAIL);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole < bytes.len() {
            let kept = start + u64::try_from(whole).unwrap_or_default();
            open_private(&path, OpenOptions::new().write(true))?.set_len(kept)?;
            bytes.truncate(whole);
        }
        let mut lines = bytes.split(|byte| *byte == b'\n').rev().skip(1);
        Ok(lines.next().and_then(Said::parse))
    }

    /// Writes records behind those that are there.
    pub fn write(&self, rows: &[AuditRow]) -> io::Result<()> {
        let Some(first) = rows.first() else { return Ok(()) };
        create_dir_private(&self.folder)?;
        let newest = self.newest(day_of(first))?;
        if let Some(Newest { day, last: None }) = newest {
            // Stopped before its first line was whole.
            std::fs::remove_file(self.path(day))?;
            return self.write(rows);
        }
        let mut open = newest.as_ref().map(|newest| newest.day);
        let mut previous = match newest.and_then(|newest| newest.last) {
            Some(Said::Record { hash, .. }) => hash,
            Some(Said::Day { previous, .. }) => previous,
            Some(Said::Closed { hash, .. }) => {
                // Stopped between the end of one file and the beginning of the next.
                open = open.filter(|day| *day >= day_of(first)).and_then(|day| day.succ_opt());
                let day = open.unwrap_or(day_of(first)).max(day_of(first));
                self.begin(day, &hash)?;
                open = Some(day);
                hash
            }
            None => String::new(),
        };
        let mut lines = String::new();
        for row in rows {
            let day = day_of(row);
            match open {
                Some(now) if day <= now => {}
                Some(now) => {
                    self.append(now, &std::mem::take(&mut lines))?;
                    self.close(now, &previous)?;
                    self.begin(day, &previous)?;
                    open = Some(day);
                }
                None => {
                    self.begin(day, &previous)?;
                    open = Some(day);
                }
            }
            lines.push_str(&line(row));
            lines.push('\n');
            previous = hex(&row.hash);
        }
        match open {
            Some(day) => self.append(day, &lines),
            None => Ok(()),
        }
    }

    fn begin(&self, day: NaiveDate, previous: &str) -> io::Result<()> {
        self.append(day, &format!("{{\"day\":\"{day}\",\"previous\":\"{previous}\"}}\n"))
    }

    fn close(&self, day: NaiveDate, hash: &str) -> io::Result<()> {
        let file = BufReader::new(File::open(self.path(day))?);
        let records = file.lines().map_while(Result::ok).filter(|line| is_record(line));
        let count = records.count();
        let line = format!("{{\"closed\":\"{day}\",\"count\":{count},\"hash\":\"{hash}\"}}\n");
        self.append(day, &line)
    }

    fn append(&self, day: NaiveDate, lines: &str) -> io::Result<()> {
        let path = self.path(day);
        let mut file = open_private(&path, OpenOptions::new().append(true).create(true))?;
        file.write_all(lines.as_bytes())
    }

    /// Takes the files of days before this one away.
    pub fn forget_before(&self, day: NaiveDate) -> io::Result<()> {
        for old in self.days().into_iter().take_while(|old| *old < day) {
            std::fs::remove_file(self.path(old))?;
        }
        Ok(())
    }

    /// Reads all of it, from the oldest line on.
    pub fn read(&self) -> Reading {
        Reading {
            files: self.days().into_iter().map(|day| (day, self.path(day))).collect::<Vec<_>>(),
            next: 0,
            file: None,
            last_hash: None,
            faults: Vec::new(),
        }
    }
}

fn is_record(line: &str) -> bool {
    line.starts_with("{\"event\"")
}

/// The lines of all files, one after the other. What is wrong with the files themselves is noted.
pub(super) struct Reading {
    files: Vec<(NaiveDate, PathBuf)>,
    next: usize,
    file: Option<OpenFile>,
    last_hash: Option<String>,
    /// What is wrong: behind which record, and what.
    pub faults: Vec<String>,
}

struct OpenFile {
    day: NaiveDate,
    lines: io::Lines<BufReader<File>>,
    number: u64,
    records: u64,
    closed: bool,
}

/// A record that was read.
pub(super) struct Witnessed {
    pub seq: i64,
    pub chain: String,
    pub link: i64,
    pub line: String,
}

impl Reading {
    /// The next record.
    pub fn next(&mut self) -> Option<Witnessed> {
        loop {
            if self.file.is_none() {
                self.open_next()?;
            }
            let day = self.file.as_mut()?;
            let Some(text) = day.lines.next() else {
                self.end_of_file();
                continue;
            };
            day.number += 1;
            let said = text.ok().and_then(|text| Some((Said::parse(text.as_bytes())?, text)));
            let name = format!("{BEGIN}{}{END}, line {}", day.day, day.number);
            let fault = match said {
                Some((Said::Record { seq, chain, link, hash }, line)) if !day.closed => {
                    day.records += 1;
                    self.last_hash = Some(hash);
                    return Some(Witnessed { seq, chain, link, line });
                }
                Some((Said::Day { day: its, previous }, _)) if day.number == 1 => {
                    let fits = self.last_hash.as_ref().is_none_or(|last| *last == previous);
                    (its != day.day || !fits).then_some("it does not follow the file before")
                }
                Some((Said::Closed { closed, count, hash }, _)) if !day.closed => {
                    day.closed = true;
                    let fits = self.last_hash.as_ref().is_none_or(|last| *last == hash);
                    let whole = closed == day.day && count == day.records && fits;
                    (!whole).then_some("its end tells of other records")
                }
                _ => Some("this is no line of ours"),
            };
            if let Some(what) = fault {
                self.faults.push(format!("{name}: {what}"));
            }
        }
    }

    fn open_next(&mut self) -> Option<()> {
        let (day, path): &(NaiveDate, PathBuf) = self.files.get(self.next)?;
        self.next += 1;
        match File::open(path) {
            Ok(file) => {
                let lines = BufReader::with_capacity(256 << 10, file).lines();
                let day = *day;
                self.file = Some(OpenFile { day, lines, number: 0, records: 0, closed: false });
            }
            Err(error) => self.faults.push(format!("{}: {error}", name_of(path))),
        }
        Some(())
    }

    fn end_of_file(&mut self) {
        let Some(day) = self.file.take() else { return };
        if !day.closed && self.next < self.files.len() {
            self.faults.push(format!("{BEGIN}{}{END}: it has no end", day.day));
        }
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
