//! An answer as it was before it was packed, and never more of it than is right.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use zeroize::Zeroizing;

use super::Why;

/// Takes an answer in, part by part.
pub(super) enum Unpack {
    Plain(Capped),
    Gzip(Box<MultiGzDecoder<Capped>>),
}

/// What was taken in so far, and how much more there may be.
pub(super) struct Capped {
    whole: Zeroizing<Vec<u8>>,
    most: usize,
    is_over: bool,
}

impl Unpack {
    /// For an answer packed like this; none: nobody asked for that.
    pub fn of(encoding: Option<&str>, most: usize) -> Option<Self> {
        let capped = Capped { whole: Zeroizing::new(Vec::new()), most, is_over: false };
        match encoding.map(|text| text.trim().to_ascii_lowercase()).as_deref() {
            None | Some("" | "identity") => Some(Self::Plain(capped)),
            Some("gzip" | "x-gzip") => Some(Self::Gzip(Box::new(MultiGzDecoder::new(capped)))),
            Some(_) => None,
        }
    }

    pub fn take(&mut self, part: &[u8]) -> Result<(), Why> {
        let taken = match self {
            Self::Plain(capped) => capped.write_all(part),
            Self::Gzip(gzip) => gzip.write_all(part),
        };
        taken.map_err(|_| self.why())
    }

    /// All of it, if it is complete.
    pub fn end(self) -> Result<Zeroizing<Vec<u8>>, Why> {
        match self {
            Self::Plain(capped) => Ok(capped.whole),
            Self::Gzip(mut gzip) => match gzip.try_finish() {
                Ok(()) => Ok(std::mem::take(&mut gzip.get_mut().whole)),
                Err(_) => Err(Self::Gzip(gzip).why()),
            },
        }
    }

    fn why(&self) -> Why {
        let capped = match self {
            Self::Plain(capped) => capped,
            Self::Gzip(gzip) => gzip.get_ref(),
        };
        if capped.is_over { Why::TooLarge } else { Why::Broken }
    }
}

impl Write for Capped {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.whole.len().saturating_add(part.len()) > self.most {
            self.is_over = true;
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.whole.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::best());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn unpacked(encoding: Option<&str>, bytes: &[u8], most: usize) -> Result<Vec<u8>, Why> {
        let mut unpack = Unpack::of(encoding, most).unwrap();
        for part in bytes.chunks(7) {
            unpack.take(part)?;
        }
        unpack.end().map(|whole| whole.to_vec())
    }

    #[test]
    fn what_was_packed_comes_out_whole_or_not_at_all() {
        let text = b"all of it, all of it, all of it".to_vec();
        let gzip = packed(&text);
        assert_eq!(unpacked(None, &text, 31).unwrap(), text);
        assert_eq!(unpacked(Some(" GZIP "), &gzip, 31).unwrap(), text);
        assert_eq!(unpacked(None, &text, 30), Err(Why::TooLarge));
        assert_eq!(unpacked(Some("gzip"), &gzip, 30), Err(Why::TooLarge));
        for cut in 1..gzip.len() {
            assert_eq!(unpacked(Some("gzip"), &gzip[..cut], 31), Err(Why::Broken), "at {cut}");
        }
        assert_eq!(unpacked(Some("gzip"), &text, 31), Err(Why::Broken), "it is not packed");
        for other in ["br", "zstd", "gzip, gzip", "deflate"] {
            assert!(Unpack::of(Some(other), 31).is_none(), "{other}");
        }
    }

    /// F40.
    #[test]
    fn a_bomb_is_left_before_it_is_unpacked() {
        let bomb = packed(&vec![0; 64 << 20]);
        assert!(bomb.len() < 1 << 20);
        assert_eq!(unpacked(Some("gzip"), &bomb, 1 << 20), Err(Why::TooLarge));
    }
}
