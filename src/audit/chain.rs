//! What proves a trail: each record is signed together with the signature of the one before it, by a
//! key that is forgotten as soon as it was used. Pure.
//!
//! ```text
//!   hash(n) = HMAC-SHA-256(key(n), hash(n-1), number, time, operation, action, state, actor,
//!                                  subject, detail)
//!   key(n+1) = SHA-256(key(n))
//! ```
//!
//! Each field is preceded by its length in four bytes, so that no two records read alike. Who takes
//! the key of today can sign what comes, and nothing that was.

use ring::{digest, hmac};
use zeroize::Zeroizing;

use crate::model::hex;
use crate::store::AuditRow;

/// What proves a record.
pub type Hash = [u8; 32];

/// The form of the chain; the hash before the first record is that of these words.
const FORM: &[u8] = b"dashtam-audit/1";

/// The key of one record.
#[derive(Clone)]
pub struct ChainKey(Zeroizing<Hash>);

impl ChainKey {
    /// A new one; none: the system has no randomness.
    #[must_use]
    pub fn generate() -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        random(bytes.as_mut())?;
        Some(Self(bytes))
    }

    /// From its 64 digits.
    #[must_use]
    pub fn parse(digits: &str) -> Option<Self> {
        hash_in(digits).map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// Its 64 digits.
    #[must_use]
    pub fn written(&self) -> Zeroizing<String> {
        Zeroizing::new(hex(self.0.as_ref()))
    }

    /// The key of the record after this one's.
    #[must_use]
    pub fn next(&self) -> Self {
        Self(Zeroizing::new(sha256(&[self.0.as_ref()])))
    }

    /// What proves a record behind another one.
    #[must_use]
    pub fn sign(&self, before: &Hash, row: &AuditRow) -> Hash {
        let mut message = Vec::with_capacity(256 + row.detail.len());
        put(&mut message, before);
        put_row(&mut message, row);
        self.mac(&message)
    }

    /// What proves that a chain went so far, said by the key of the record that comes next.
    #[must_use]
    pub fn sign_head(&self, chain: &str, count: i64, seq: i64, hash: &Hash) -> Hash {
        let mut message = Vec::with_capacity(128);
        for field in [b"head".as_slice(), chain.as_bytes(), &count.to_be_bytes()] {
            put(&mut message, field);
        }
        put(&mut message, &seq.to_be_bytes());
        put(&mut message, hash);
        self.mac(&message)
    }

    fn mac(&self, message: &[u8]) -> Hash {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_ref());
        hash_of(hmac::sign(&key, message).as_ref())
    }
}

/// What stands before the first record: fixed words, and a digest of the rows from before the chain.
#[must_use]
pub fn genesis(before: Option<&Hash>) -> Hash {
    match before {
        None => sha256(&[FORM]),
        Some(rows) => sha256(&[FORM, rows]),
    }
}

/// A digest of rows from before the chain, a row at a time.
pub struct Before {
    digest: digest::Context,
    /// How many there were.
    pub rows: u64,
}

impl Default for Before {
    fn default() -> Self {
        Self { digest: digest::Context::new(&digest::SHA256), rows: 0 }
    }
}

impl Before {
    /// One more row.
    pub fn take(&mut self, row: &AuditRow) {
        let mut message = Vec::with_capacity(256);
        put_row(&mut message, row);
        self.digest.update(&message);
        self.rows += 1;
    }

    /// What stands before the first record then.
    #[must_use]
    pub fn genesis(self) -> Hash {
        match self.rows {
            0 => genesis(None),
            _ => genesis(Some(&hash_of(self.digest.finish().as_ref()))),
        }
    }
}

/// The name of a new chain; none: the system has no randomness.
#[must_use]
pub fn new_name() -> Option<String> {
    let mut bytes = [0; 8];
    random(&mut bytes)?;
    Some(hex(&bytes))
}

/// Bytes from their digits.
#[must_use]
pub fn bytes_in(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

/// A hash from its digits.
#[must_use]
pub fn hash_in(text: &str) -> Option<Hash> {
    bytes_in(text)?.try_into().ok()
}

fn random(bytes: &mut [u8]) -> Option<()> {
    use ring::rand::SecureRandom as _;
    ring::rand::SystemRandom::new().fill(bytes).ok()
}

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut digest = digest::Context::new(&digest::SHA256);
    for part in parts {
        digest.update(part);
    }
    hash_of(digest.finish().as_ref())
}

fn hash_of(bytes: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    hash
}

fn put_row(message: &mut Vec<u8>, row: &AuditRow) {
    put(message, &row.seq.to_be_bytes());
    put(message, &row.at.to_be_bytes());
    for word in [&row.op, &row.action, &row.state, &row.actor, &row.subject, &row.detail] {
        put(message, word.as_bytes());
    }
}

/// A field behind its length; no field of ours is four gigabytes long.
fn put(message: &mut Vec<u8>, field: &[u8]) {
    let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(field);
}
