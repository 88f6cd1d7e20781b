//! A small private file that is written over again and again: of two places the newer one counts, and
//! the other one is written. So it can be read whenever it is stopped, and what it held before is
//! wiped and not merely let go of.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::config::private::open_private;

/// A sector: what a disk writes whole or not at all.
const PLACE: usize = 512;

/// The file, and which place counts.
#[derive(Debug)]
pub struct Slots {
    file: File,
    newest: Option<usize>,
}

impl Slots {
    /// Opens it, made where there is none.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = open_private(path, OpenOptions::new().read(true).write(true).create(true))?;
        Ok(Self { file, newest: None })
    }

    /// Opens one that is there, to look only.
    pub fn look(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, newest: None })
    }

    /// The file, to be locked.
    pub const fn file(&self) -> &File {
        &self.file
    }

    /// What it holds: the number it was written under, and the text. None: nothing, or nothing whole.
    pub fn read(&mut self) -> Option<(i64, Zeroizing<String>)> {
        let mut bytes = Zeroizing::new([0_u8; 2 * PLACE]);
        let mut length = 0;
        while let Some(rest) = bytes.get_mut(length..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, u64::try_from(length).ok()?) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        let whole = |(at, place)| Some((at, held(place)?));
        let newest = bytes.chunks(PLACE).enumerate().filter_map(whole);
        let (at, held) = newest.max_by_key(|(_, (number, _))| *number)?;
        self.newest = Some(at);
        Some(held)
    }

    /// Writes a text, which must be shorter than a place, and wipes what was there before.
    pub fn write(&mut self, number: i64, text: &str, durable: bool) -> io::Result<()> {
        let at = self.newest.map_or(0, |at| 1 - at);
        let place = |at: usize| u64::try_from(at * PLACE).unwrap_or_default();
        let mut line = Zeroizing::new(String::with_capacity(PLACE));
        line.push_str(&format!("{number} "));
        line.push_str(text);
        let sum = crc32fast::hash(line.as_bytes());
        line.push_str(&format!(" {sum:08x}"));
        if line.len() >= PLACE {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        while line.len() < PLACE {
            line.push('\n');
        }
        self.file.write_all_at(line.as_bytes(), place(at))?;
        if durable {
            self.file.sync_data()?;
        }
        if let Some(before) = self.newest.replace(at) {
            self.file.write_all_at(&[b'\n'; PLACE], place(before))?;
        }
        Ok(())
    }
}

/// What a place holds, if it is whole.
fn held(place: &[u8]) -> Option<(i64, Zeroizing<String>)> {
    let line = std::str::from_utf8(place).ok()?.trim_end_matches('\n');
    let (line, sum) = line.rsplit_once(' ')?;
    if sum != format!("{:08x}", crc32fast::hash(line.as_bytes())) {
        return None;
    }
    let (number, text) = line.split_once(' ')?;
    Some((number.parse().ok()?, Zeroizing::new(text.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_whole_text_counts_and_the_one_before_is_wiped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let read =
            || Slots::open(&path).unwrap().read().map(|(number, text)| (number, text.to_string()));
        assert_eq!(read(), None);
        for number in [0, 1, 2, 9] {
            let mut slots = Slots::open(&path).unwrap();
            let before = slots.read();
            slots.write(number, &format!("text-{number}"), true).unwrap();
            let bytes = std::fs::read(&path).unwrap();
            let there = |text: &str| bytes.windows(text.len()).any(|it| it == text.as_bytes());
            if let Some((_, before)) = before {
                assert!(!there(&before), "{number}");
            }
            assert_eq!(read(), Some((number, format!("text-{number}"))));
        }
        // Stopped while the next one is written: the one before is still there.
        let whole = std::fs::read(&path).unwrap();
        for byte in 0..whole.len() {
            let mut torn = whole.clone();
            torn[byte] ^= 1;
            std::fs::write(&path, torn).unwrap();
            assert!(read().is_none() || read() == Some((9, "text-9".to_owned())), "byte {byte}");
        }
        let long = "x".repeat(PLACE);
        assert!(Slots::open(&path).unwrap().write(1, &long, false).is_err());
    }
}
