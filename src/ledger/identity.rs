//! What makes a row that comes again the same row.
//!
//! A row with an id of its source is known by that id. Any other is known by its content: the
//! facts that a source cannot restate without meaning another event. Status, category, note and
//! link may change, so they are left out; the account stands beside the key, so that a renamed
//! or merged account keeps its rows.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

use chrono::{Datelike, NaiveDate};
use ring::digest::{SHA256, digest};

use crate::model::{AccountId, Dec, Facts, Origin, SafeText, SecurityId};

/// The key of a row with an id of its source. Ids of files and of providers are not the same
/// thing, even where they look alike.
pub(super) fn key_of_id(origin: Origin, id: &SafeText) -> [u8; 12] {
    let mut bytes = Vec::with_capacity(64);
    bytes.extend(if origin == Origin::Provider { *b"provider" } else { *b"file\0\0\0\0" });
    bytes.extend(id.as_str().as_bytes());
    hash(&bytes)
}

/// The key of a row that is known by its content.
pub(super) fn key_of_content(
    security: Option<SecurityId>,
    to_security: Option<SecurityId>,
    facts: &Facts,
    bytes: &mut Vec<u8>,
) -> [u8; 12] {
    bytes.clear();
    put_date(bytes, Some(facts.date));
    put_date(bytes, facts.settlement);
    bytes.extend_from_slice(facts.subtype.as_str().as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(&security.map_or(0, |id| id.0).to_le_bytes());
    bytes.extend_from_slice(&to_security.map_or(0, |id| id.0).to_le_bytes());
    for value in [
        facts.quantity,
        facts.price,
        facts.fee,
        facts.tax,
        Some(facts.amount),
        facts.fx_rate,
        facts.multiplier,
        facts.ratio.map(|ratio| ratio.new),
        facts.ratio.map(|ratio| ratio.old),
        facts.cost_share,
    ] {
        put_decimal(bytes, value);
    }
    bytes.extend_from_slice(facts.currency.code().as_bytes());
    put_date(bytes, facts.acquired);
    if let Some(text) = &facts.description {
        bytes.extend_from_slice(text.as_str().as_bytes());
    }
    hash(bytes)
}

/// The key of an event of two rows: what both say, and which account the second is in.
pub(super) fn key_of_event(first: &[u8; 12], second: &[u8; 12], other: AccountId) -> [u8; 12] {
    hash(&[first.as_slice(), second, &other.0.to_le_bytes()].concat())
}

fn put_date(bytes: &mut Vec<u8>, date: Option<NaiveDate>) {
    bytes.extend_from_slice(&date.map_or(0, |date| date.num_days_from_ce()).to_le_bytes());
}

fn put_decimal(bytes: &mut Vec<u8>, value: Option<Dec>) {
    match value {
        None => bytes.push(0),
        Some(value) => {
            bytes.push(1);
            bytes.extend_from_slice(&value.inner().serialize());
        }
    }
}

fn hash(content: &[u8]) -> [u8; 12] {
    let digest = digest(&SHA256, content);
    let mut key = [0; 12];
    for (place, byte) in key.iter_mut().zip(digest.as_ref()) {
        *place = *byte;
    }
    key
}

/// Counts equal rows of one file: the first is 0, the next 1. Across files the counts begin anew,
/// so that overlapping files give the maximum, not the sum.
///
/// Every key that came is kept, shortened, by day, since equal rows are of one day. Rows mostly come
/// day by day: the keys of a day that is left go behind those of the days before, and one set serves
/// every day.
#[derive(Default)]
pub(super) struct Occurrences {
    /// The day of the row before, and its keys.
    day: Option<NaiveDate>,
    keys: Keys,
    /// The keys of the days that were left, one day after the other.
    left: Vec<Short>,
    /// Where those of each day are.
    places: HashMap<NaiveDate, Range<usize>>,
    /// Days that were come back to, for good.
    again: HashMap<NaiveDate, Keys>,
    /// Those that came more than once.
    repeated: HashMap<(NaiveDate, Short), i64>,
}

/// Of all rows of a day no two differ and share this much.
type Short = [u8; 8];
type Keys = HashSet<Short, BuildHasherDefault<Spread>>;

/// A piece of a hash, spread over the bits that a set looks at.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    /// The length of a key, which is that of all.
    fn write_usize(&mut self, _: usize) {}
}

impl Occurrences {
    /// How many equal rows came before; counts this one.
    pub fn next(&mut self, day: NaiveDate, account: AccountId, key: &[u8; 12]) -> i64 {
        let short = shorten(account, key);
        if self.day != Some(day) {
            self.turn_to(day);
        }
        let keys = self.again.get_mut(&day).unwrap_or(&mut self.keys);
        if keys.insert(short) {
            return 0;
        }
        let count = self.repeated.entry((day, short)).or_insert(0);
        *count += 1;
        *count
    }

    fn turn_to(&mut self, day: NaiveDate) {
        if let Some(before) = self.day.replace(day)
            && !self.again.contains_key(&before)
        {
            let start = self.left.len();
            self.left.extend(self.keys.drain());
            self.places.insert(before, start..self.left.len());
        }
        if let Some(keys) = self.places.remove(&day).and_then(|place| self.left.get(place)) {
            self.again.insert(day, keys.iter().copied().collect());
        }
    }
}

fn shorten(account: AccountId, key: &[u8; 12]) -> Short {
    let mut short = Short::default();
    for (place, (key, account)) in short.iter_mut().zip(key.iter().zip(account.0.to_le_bytes())) {
        *place = key ^ account;
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_are_counted_in_whatever_order_days_come() {
        let day = |day| NaiveDate::from_ymd_opt(2024, 1, day).unwrap();
        let key = |key: u8| [key; 12];
        let mut occurrences = Occurrences::default();
        let mut next = |on: u32, of: u8| occurrences.next(day(on), AccountId(1), &key(of));
        // The first day is left, come back to, left and come back to again.
        let rows = [(1, 7), (1, 8), (2, 7), (1, 7), (2, 9), (1, 8), (1, 6), (2, 9), (1, 6), (1, 7)];
        let counts = rows.map(|(on, of)| next(on, of));
        assert_eq!(counts, [0, 0, 0, 1, 0, 1, 0, 1, 1, 2]);
        assert_eq!(occurrences.next(day(1), AccountId(2), &key(7)), 0, "another account");
    }
}
