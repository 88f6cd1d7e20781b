//! Chance that can be had again: numbers from a seed, and bytes that were changed by them.

/// Numbers that look random and follow from a seed (splitmix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below this one.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap();
        usize::try_from(self.next() % end).unwrap()
    }

    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Words that mean something to some parser.
const WORDS: [&[u8]; 40] = [
    b"\"",
    b"\"\"",
    b",",
    b",,",
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"'",
    b"=",
    b"-",
    b"+",
    b".",
    b"e9",
    b"e-999",
    b"0",
    b"9999999999999999999999999999999999999999",
    b"NaN",
    b":",
    b"..",
    b">",
    b"!",
    b"{",
    b"}",
    b"[",
    b"]",
    b"[[",
    b"\\",
    b"\\u",
    b"\\ud800",
    b"\\u{1b}",
    b"#",
    b"Ctrl-",
    b"%00",
    b"\xc3",
    b"\xf0\x9f\x98\x80",
    b"\xe2\x80\xae",
    b"date",
];

/// No input grows longer than this.
const LONGEST: usize = 1 << 16;

impl Random {
    /// A place in a text of this length, its end too.
    fn place(&mut self, length: usize) -> usize {
        self.below(length + 1)
    }

    /// A piece of a text.
    fn piece(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.place(length);
        // Short ones mostly.
        let most = if self.one_in(4) { length } else { 16 };
        start..(start + self.below(most + 1)).min(length)
    }

    /// Bytes of any kind, or one of the seeds with some changes.
    pub fn input(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        if self.one_in(12) {
            let length = self.below(64);
            return (0..length).map(|_| self.byte()).collect();
        }
        let mut bytes = self.of(seeds).clone();
        for _ in 0..=self.below(6) {
            self.change(&mut bytes, seeds);
        }
        bytes.truncate(LONGEST);
        bytes
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn change(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.place(bytes.len());
        match self.below(10) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 if at < bytes.len() => bytes[at] = self.byte(),
            2 => bytes.insert(at, self.byte()),
            3 => drop(bytes.drain(self.piece(bytes.len()))),
            4 => {
                let piece = bytes[self.piece(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            5 => {
                let other = self.of(seeds);
                let piece = other[self.piece(other.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            6 => bytes.truncate(at),
            7 if self.one_in(20) => {
                let word = *self.of(&WORDS);
                let times = self.below(LONGEST / word.len() / 4);
                bytes.splice(at..at, word.repeat(times));
            }
            8 => {
                let piece = self.piece(bytes.len());
                bytes[piece].reverse();
            }
            _ => {
                let word = *self.of(&WORDS);
                bytes.splice(at..at, word.iter().copied());
            }
        }
    }
}
