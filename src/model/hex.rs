//! Bytes as digits of 16.

use std::fmt::Write as _;

/// Bytes as small digits of 16, two each.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_has_two_digits() {
        assert_eq!(hex(&[0, 9, 0xAF, 0xFF]), "0009afff");
        assert_eq!(hex(&[]), "");
    }
}
