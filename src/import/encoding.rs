//! Whether bytes are text in UTF-8 at all, told from the first of them. Knows no format.

use super::problem::{Fault, Problem};

/// The mark that some programs put before UTF-8.
pub const BOM: &[u8] = b"\xef\xbb\xbf";

/// Refuses what is no text in UTF-8 from its first bytes on: UTF-16, archives, pictures.
pub fn refuse_no_text(first_bytes: &[u8]) -> Result<(), Problem> {
    let first_bytes = first_bytes.get(..4096).unwrap_or(first_bytes);
    let marked = first_bytes.starts_with(b"\xff\xfe") || first_bytes.starts_with(b"\xfe\xff");
    let zeros = |from| first_bytes.iter().skip(from).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    // A zero here and there is a matter of its field. UTF-16 of plain letters has every other byte zero.
    let half = first_bytes.len() / 2;
    let halved = half >= 4 && even.max(odd) * 10 >= half * 9 && even.min(odd) * 10 <= half;
    if marked || halved {
        Err(Problem::new(Fault::Utf16))
    } else if (even + odd) * 10 > first_bytes.len() || is_packed(first_bytes) {
        Err(Problem::new(Fault::Binary))
    } else {
        Ok(())
    }
}

/// What people take for a CSV file most often: a workbook, an archive, a document.
fn is_packed(first_bytes: &[u8]) -> bool {
    const MARKS: [&[u8]; 5] =
        [b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF-", b"\x1f\x8b", b"SQLite format 3\0"];
    MARKS.iter().any(|mark| first_bytes.starts_with(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(bytes: &[u8]) -> Option<Fault> {
        refuse_no_text(bytes).err().map(|problem| problem.why)
    }

    #[test]
    fn two_bytes_per_character_are_told_with_and_without_the_mark() {
        let text = "date,account,type,symbol\r\n2024-01-02,Main";
        let low_first: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let high_first: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(fault(&low_first), Some(Fault::Utf16));
        assert_eq!(fault(&high_first), Some(Fault::Utf16));
        assert_eq!(fault(b"\xff\xfed\0"), Some(Fault::Utf16));
        assert_eq!(fault(b"\xfe\xff\0d"), Some(Fault::Utf16));
    }

    #[test]
    fn what_is_no_text_is_told_and_a_stray_zero_is_not() {
        assert_eq!(fault(&[0; 500]), Some(Fault::Binary));
        assert_eq!(fault(b"PK\x03\x04\x14\0xl/workbook.xml"), Some(Fault::Binary));
        assert_eq!(fault(b"%PDF-1.7"), Some(Fault::Binary));
        assert_eq!(fault(b"date,note\n2024-01-02,a\0b"), None);
        assert_eq!(fault(b"\xef\xbb\xbfdate"), None);
        assert_eq!(fault(b""), None);
    }
}
