//! The pieces of the file: each with its length before it and its checksum behind it.

use std::io::{self, Read, Write};

use ring::digest::{Context, SHA256};

use super::why;

/// More than any row can have: a length beyond it is damage, and nothing is set aside for it.
pub(super) const LONGEST: u32 = 64 << 20;

pub(super) const HEADER: u8 = b'H';
pub(super) const TABLE: u8 = b'T';
pub(super) const ROWS: u8 = b'R';
pub(super) const END: u8 = b'E';
pub(super) const TRAILER: u8 = b'Z';

/// Writes frames, and keeps the digest and the count of what it wrote.
pub(super) struct FrameWriter<W> {
    pub out: W,
    pub digest: Digest,
}

impl<W: Write> FrameWriter<W> {
    pub fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.add(bytes);
        self.out.write_all(bytes)
    }

    pub fn frame(&mut self, kind: u8, content: &[u8]) -> io::Result<()> {
        let length = u32::try_from(content.len()).ok().filter(|length| *length <= LONGEST);
        let too_long = || io::Error::new(io::ErrorKind::FileTooLarge, "a row is over 64 MiB");
        let head = head(kind, length.ok_or_else(too_long)?);
        let sum = sum(&head, content).to_le_bytes();
        [&head[..], content, &sum[..]].into_iter().try_for_each(|bytes| self.raw(bytes))
    }
}

/// Reads frames. Its error is what is wrong at the place where the frame begins.
pub(super) struct FrameReader<R> {
    pub input: R,
    pub digest: Digest,
    /// Of the frame that was read last.
    pub content: Vec<u8>,
}

/// Why a frame cannot be read.
#[derive(Debug)]
pub(super) enum Fault {
    Broken(&'static str),
    Io(io::Error),
}

impl<R: Read> FrameReader<R> {
    /// Reads so many bytes into the content.
    pub fn raw(&mut self, length: u64) -> Result<(), Fault> {
        self.content.clear();
        // It grows with what is there, not with what a damaged length promises.
        let read = self.input.by_ref().take(length).read_to_end(&mut self.content);
        match read.map_err(Fault::Io)? as u64 == length {
            true => Ok(()),
            false => Err(Fault::Broken(why::CUT_OFF)),
        }
    }

    /// Reads the next frame and gives its kind.
    pub fn frame(&mut self) -> Result<u8, Fault> {
        self.raw(5)?;
        let [kind, length @ ..] =
            *self.content.as_array::<5>().ok_or(Fault::Broken(why::CUT_OFF))?;
        let length = u32::from_le_bytes(length);
        if length > LONGEST {
            return Err(Fault::Broken(why::ALTERED));
        }
        self.raw(4 + u64::from(length))?;
        let (content, its) =
            self.content.split_last_chunk::<4>().ok_or(Fault::Broken(why::CUT_OFF))?;
        let head = head(kind, length);
        if sum(&head, content).to_le_bytes() != *its {
            return Err(Fault::Broken(why::ALTERED));
        }
        // The trailer cannot tell of itself.
        if kind != TRAILER {
            self.digest.add(&head);
            self.digest.add(&self.content);
        }
        self.content.truncate(length as usize);
        Ok(kind)
    }

    /// Whether nothing follows.
    pub fn is_at_end(&mut self) -> Result<bool, Fault> {
        match self.raw(1) {
            Err(Fault::Broken(_)) => Ok(true),
            read => read.map(|()| false),
        }
    }
}

/// Of all bytes so far.
#[derive(Clone)]
pub(super) struct Digest {
    context: Context,
    pub bytes: u64,
}

impl Default for Digest {
    fn default() -> Self {
        Self { context: Context::new(&SHA256), bytes: 0 }
    }
}

impl Digest {
    pub fn add(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    pub fn finish(&self) -> [u8; 32] {
        let digest = self.context.clone().finish();
        digest.as_ref().try_into().unwrap_or_default()
    }
}

fn head(kind: u8, length: u32) -> [u8; 5] {
    let [a, b, c, d] = length.to_le_bytes();
    [kind, a, b, c, d]
}

fn sum(head: &[u8], content: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(head);
    sum.update(content);
    sum.finalize()
}
