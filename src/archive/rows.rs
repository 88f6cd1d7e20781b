//! Rows as bytes: value after value, each a byte that says what it is and then its content. A value
//! that is the same as in the row before is one byte: neighbours share most of what they say.

use std::ops::Range;

use super::{Error, Value, why};
use crate::model::SafeText;

const NULL: u8 = 0;
const SAME: u8 = 1;
const INT: u8 = 2;
const TEXT: u8 = 3;
const BYTES: u8 = 4;

/// Rows of so many bytes are not joined by more: one byte of a file can stand for a long value.
const ENOUGH: usize = 1 << 20;

/// Rows on their way into a frame.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub rows: u64,
    bytes: Vec<u8>,
    /// Where the last value of each column stands.
    last: Vec<Range<usize>>,
}

impl Chunk {
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn row(&mut self, values: &[Value<'_>]) {
        self.rows += 1;
        self.last.resize(values.len(), 0..0);
        for (value, last) in values.iter().zip(&mut self.last) {
            let start = self.bytes.len();
            put(value, &mut self.bytes);
            let new = start..self.bytes.len();
            let said = self.bytes.get(last.clone());
            if new.len() > 1 && said == self.bytes.get(new.clone()) {
                self.bytes.truncate(start);
                self.bytes.push(SAME);
            } else {
                *last = new;
            }
        }
    }

    /// The content of a frame; what comes after begins anew.
    pub fn take(&mut self, into: &mut Vec<u8>) {
        into.clear();
        put_number(self.rows, into);
        into.append(&mut self.bytes);
        self.rows = 0;
        self.last.clear();
    }
}

/// The rows of one frame, one after the other.
#[derive(Debug)]
pub struct Rows<'a> {
    rest: &'a [u8],
    left: u64,
    row: Vec<Value<'a>>,
    section: SafeText,
    offset: u64,
}

impl<'a> Rows<'a> {
    pub(super) fn new(
        content: &'a [u8],
        columns: usize,
        section: SafeText,
        offset: u64,
    ) -> Result<Self, Error> {
        let row = vec![Value::Null; columns];
        let mut rows = Self { rest: content, left: 0, row, section, offset };
        rows.left = take_number(&mut rows.rest).ok_or_else(|| rows.broken())?;
        Ok(rows)
    }

    /// How many are still to come.
    pub(super) const fn left(&self) -> u64 {
        self.left
    }

    /// Adds the values of at most so many rows, fewer where they are long, and tells of how many.
    ///
    /// # Errors
    /// When the frame does not hold what it says.
    pub fn take_into(&mut self, most: usize, values: &mut Vec<Value<'a>>) -> Result<usize, Error> {
        let (mut taken, mut bytes) = (0, 0);
        while taken < most && bytes < ENOUGH && self.left > 0 {
            for value in &mut self.row {
                match take(&mut self.rest, *value) {
                    Some(taken) => *value = taken,
                    None => return Err(self.broken()),
                }
            }
            values.extend_from_slice(&self.row);
            bytes += self.row.iter().map(length).sum::<usize>();
            self.left -= 1;
            taken += 1;
        }
        match self.left == 0 && !self.rest.is_empty() {
            true => Err(self.broken()),
            false => Ok(taken),
        }
    }

    fn broken(&self) -> Error {
        Error::Broken { section: self.section.clone(), offset: self.offset, why: why::ALTERED }
    }
}

const fn length(value: &Value<'_>) -> usize {
    match value {
        Value::Null | Value::Int(_) => 0,
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
    }
}

fn put(value: &Value<'_>, into: &mut Vec<u8>) {
    let (kind, content) = match value {
        Value::Null => return into.push(NULL),
        Value::Int(value) => {
            into.push(INT);
            // The sign goes last, so that small numbers are short whatever it is.
            return put_number(((value << 1) ^ (value >> 63)).cast_unsigned(), into);
        }
        Value::Text(text) => (TEXT, text.as_bytes()),
        Value::Bytes(bytes) => (BYTES, *bytes),
    };
    into.push(kind);
    put_number(content.len() as u64, into);
    into.extend_from_slice(content);
}

fn take<'a>(rest: &mut &'a [u8], before: Value<'a>) -> Option<Value<'a>> {
    let (kind, others) = rest.split_first()?;
    *rest = others;
    Some(match *kind {
        NULL => Value::Null,
        SAME => before,
        INT => {
            let number = take_number(rest)?;
            Value::Int((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
        }
        TEXT => Value::Text(str::from_utf8(take_bytes(rest)?).ok()?),
        BYTES => Value::Bytes(take_bytes(rest)?),
        _ => return None,
    })
}

fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(take_number(rest)?).ok()?;
    let (bytes, others) = rest.split_at_checked(length)?;
    *rest = others;
    Some(bytes)
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
pub(super) fn put_number(mut number: u64, into: &mut Vec<u8>) {
    while number >= 0x80 {
        into.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    into.push((number & 0x7f) as u8);
}

pub(super) fn take_number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, others) = rest.split_first()?;
        *rest = others;
        let bits = u64::from(byte & 0x7f);
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return (bits << shift >> shift == bits).then_some(number);
        }
    }
    None
}
