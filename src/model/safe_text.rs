//! Text from outside, made safe to show and to store. It knows characters only: nothing of terminals, files or fields.
//!
//! Whatever a terminal, a log or a reader could take for something else - control characters, characters that
//! reorder text, invisible ones, towers of combining marks - is written as the visible escape `\u{hex}`.
//!
//! * `SafeText` is for showing. A backslash stays a backslash; a literal `\u{202e}` in the input stays too and means
//!   the same as the character, so making safe text safe again changes nothing.
//! * `keep_raw` and `raw_of` are for keeping a record as it came: they give back every byte string exactly.

use std::{
    borrow::Cow,
    fmt::{self, Write},
};

use serde::{Deserialize, Deserializer, Serialize};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Combining marks allowed in a row: enough for every living script, too few to paint over the line above.
const MAX_MARKS: usize = 4;

const CUT: &str = "…";

/// The longest escape, `\u{10ffff}`.
const LONGEST_ESCAPE: usize = 10;

/// Safe by construction: `is_safe(text.as_str())` always holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SafeText(String);

impl SafeText {
    /// The most bytes of one text that are stored: the cap to give to `capped` where there is no other.
    pub const MAX_BYTES: usize = 4096;
    /// The most bytes of an account's name, and of other names that people give.
    pub const MAX_NAME: usize = 128;
    /// The most bytes of an id that a source gives.
    pub const MAX_ID: usize = 1024;

    /// The whole text, however long.
    #[must_use]
    pub fn new(text: &str) -> SafeText {
        SafeText::from_bytes(text.as_bytes())
    }

    /// At most `max_bytes` of the safe form, ending in `…` when it had to be cut (empty when not even that fits).
    /// No character and no escape is cut in two.
    #[must_use]
    pub fn capped(text: &str, max_bytes: usize) -> SafeText {
        if text.len() <= max_bytes && is_plain(text.as_bytes()) {
            return SafeText(text.to_owned());
        }
        let mut out = String::with_capacity(max_bytes.min(text.len()));
        let mut writer = Writer::new(&mut out);
        for c in text.chars() {
            writer.char(c);
            // A little further, to see the end of an escape that the cap goes through.
            if writer.out.len() > max_bytes.saturating_add(LONGEST_ESCAPE) {
                break;
            }
        }
        cut(&mut out, max_bytes);
        SafeText(out)
    }

    /// Bytes that should be UTF-8. A byte that is not becomes `\u{dcXX}`, so that nothing is lost.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> SafeText {
        let mut out = String::with_capacity(bytes.len());
        Writer::new(&mut out).bytes(bytes);
        SafeText(out)
    }

    /// A surrogate without its partner becomes `\u{d800}` and the like.
    #[must_use]
    pub fn from_utf16(units: &[u16]) -> SafeText {
        let mut out = String::with_capacity(units.len());
        let mut writer = Writer::new(&mut out);
        for unit in char::decode_utf16(units.iter().copied()) {
            match unit {
                Ok(c) => writer.char(c),
                Err(lone) => writer.escape(lone.unpaired_surrogate().into()),
            }
        }
        SafeText(out)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    /// As much as fits into so many columns of a terminal, ending in `…` when something is left out.
    #[must_use]
    pub fn shown(&self, columns: usize) -> Cow<'_, str> {
        if self.0.width() <= columns {
            return Cow::Borrowed(&self.0);
        }
        let Some(room) = columns.checked_sub(CUT.width()) else {
            return Cow::Borrowed("");
        };
        let mut used = 0;
        let fitting = self.0.chars().take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= room
        });
        let mut shown: String = fitting.collect();
        // Some characters are wider next to each other than alone, like a heart and the sign that makes it an emoji.
        while shown.width() > room {
            shown.pop();
        }
        shown.push_str(CUT);
        Cow::Owned(shown)
    }

    /// What the text was made from: an escape of a character that this type escapes becomes the character, `\u{dcXX}`
    /// becomes the byte. Other escapes stay as they are, and so do the other surrogates, which no UTF-8 can hold.
    #[must_use]
    pub fn to_raw(&self) -> Vec<u8> {
        unescape(&self.0, |c| class(c) != Class::Plain)
    }
}

impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for SafeText {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for SafeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SafeText, D::Error> {
        String::deserialize(deserializer).map(|text| SafeText::new(&text))
    }
}

/// Whether the text can be shown as it is.
#[must_use]
pub fn is_safe(text: &str) -> bool {
    let mut tower = Tower::default();
    is_plain(text.as_bytes()) || text.chars().all(|c| tower.bears(c))
}

/// Adds any bytes as safe text from which `raw_of` gives back the very same bytes.
pub fn keep_raw(bytes: &[u8], out: &mut String) {
    let mut rest = bytes;
    let mut writer = Writer::new(out);
    let find = |rest: &[u8]| {
        // Most records have no backslash at all, which is seen faster.
        let may_have = rest.contains(&b'\\');
        may_have.then(|| rest.windows(3).position(|three| three == br"\u{")).flatten()
    };
    // A literal `\u{` would read as an escape later, so its backslash is escaped.
    while let Some(at) = find(rest) {
        writer.bytes(rest.get(..at).unwrap_or_default());
        writer.escape('\\'.into());
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    writer.bytes(rest);
}

/// The bytes that `keep_raw` was given.
#[must_use]
pub fn raw_of(kept: &str) -> Vec<u8> {
    unescape(kept, |_| true)
}

/// Whether every byte is printable ASCII, as nearly all are: the fast path.
fn is_plain(bytes: &[u8]) -> bool {
    // Without an early end this takes many bytes in one step.
    bytes.iter().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'))
}

struct Writer<'a> {
    out: &'a mut String,
    tower: Tower,
}

impl Writer<'_> {
    fn new(out: &mut String) -> Writer<'_> {
        Writer { out, tower: Tower::default() }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if is_plain(bytes)
            && let Ok(text) = str::from_utf8(bytes)
        {
            if !text.is_empty() {
                self.tower = Tower(0);
            }
            return self.out.push_str(text);
        }
        for chunk in bytes.utf8_chunks() {
            chunk.valid().chars().for_each(|c| self.char(c));
            for byte in chunk.invalid() {
                self.escape(BYTES + u32::from(*byte));
            }
        }
    }

    fn char(&mut self, c: char) {
        if self.tower.bears(c) {
            self.out.push(c);
        } else {
            self.escape(c.into());
        }
    }

    fn escape(&mut self, code: u32) {
        // Writing to a `String` cannot fail.
        let _ = write!(self.out, r"\u{{{code:x}}}");
    }
}

/// A byte that is no UTF-8, always 0x80 or more, is written as if it were this lone surrogate plus the byte.
const BYTES: u32 = 0xdc00;

/// How many marks stand on the last base. A text begins with a full tower: its first mark would land on whatever is
/// shown before it. An escape in between does not start a new one, so that nothing gets piled up in instalments.
struct Tower(usize);

impl Default for Tower {
    fn default() -> Tower {
        Tower(MAX_MARKS)
    }
}

impl Tower {
    /// Whether the character may follow as it is.
    fn bears(&mut self, c: char) -> bool {
        match class(c) {
            Class::Plain => self.0 = 0,
            Class::Mark if self.0 < MAX_MARKS => self.0 += 1,
            Class::Mark | Class::Hidden => return false,
        }
        true
    }
}

#[derive(PartialEq, Eq)]
enum Class {
    Plain,
    /// Drawn over its base: combining marks, variation selectors, the inner letters of a Hangul syllable.
    Mark,
    Hidden,
}

fn class(c: char) -> Class {
    match c {
        ' '..='~' => Class::Plain,
        _ if is_hidden(c) => Class::Hidden,
        // The Tifinagh joiner is the one combining mark that is counted as a column.
        _ if c.width() == Some(0) || c == '\u{2d7f}' => Class::Mark,
        _ => Class::Plain,
    }
}

fn is_hidden(c: char) -> bool {
    let noncharacter = u32::from(c) & 0xfffe == 0xfffe || matches!(c, '\u{fdd0}'..='\u{fdef}');
    noncharacter
        || c.is_control()
        || matches!(
            c,
            // Category Cf of Unicode 18, with the unassigned code points that are ignored like them.
            '\u{ad}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{890}'..='\u{891}'
                | '\u{8e2}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{110bd}'
                | '\u{110cd}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e00ff}'
                | '\u{e01f0}'..='\u{e0fff}'
                // Line and paragraph separator.
                | '\u{2028}'..='\u{2029}'
                // Hangul fillers: letters that are blank.
                | '\u{115f}'..='\u{1160}'
                | '\u{3164}'
                | '\u{ffa0}'
        )
}

/// Shortens the text to so many bytes, the ellipsis included, before a character or an escape that does not fit.
fn cut(text: &mut String, max_bytes: usize) {
    if text.len() <= max_bytes {
        return;
    }
    let Some(room) = max_bytes.checked_sub(CUT.len()) else {
        return text.clear();
    };
    let end = text.floor_char_boundary(room);
    let goes_past_end = |start: &usize| {
        let escape = text.get(*start..).and_then(read_escape);
        escape.is_some_and(|(_, length)| start + length > end)
    };
    let end = (end.saturating_sub(LONGEST_ESCAPE)..end).find(goes_past_end).unwrap_or(end);
    text.truncate(end);
    text.push_str(CUT);
}

/// Undoes the escapes of bytes, and those of the characters that are `wanted`.
fn unescape(text: &str, wanted: impl Fn(char) -> bool) -> Vec<u8> {
    let mut raw = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, _)) = rest.split_once('\\') {
        raw.extend_from_slice(before.as_bytes());
        let tail = rest.get(before.len()..).unwrap_or_default();
        let length = match read_escape(tail) {
            Some((code, length)) if undo(code, &wanted, &mut raw) => length,
            _ => {
                raw.push(b'\\');
                1
            }
        };
        rest = tail.get(length..).unwrap_or_default();
    }
    raw.extend_from_slice(rest.as_bytes());
    raw
}

/// Appends what the code stands for; false when it stands for nothing, and for characters that are not wanted.
fn undo(code: u32, wanted: impl Fn(char) -> bool, raw: &mut Vec<u8>) -> bool {
    if let 0xdc80..=0xdcff = code {
        raw.extend(u8::try_from(code - BYTES));
        return true;
    }
    let Some(c) = char::from_u32(code).filter(|c| wanted(*c)) else {
        return false;
    };
    raw.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    true
}

/// The code and the length of the escape that the text begins with, when it is written as `Writer` writes it.
fn read_escape(text: &str) -> Option<(u32, usize)> {
    let inside = text.strip_prefix(r"\u{")?;
    let length = inside.bytes().take(7).position(|byte| byte == b'}')?;
    let hex = inside.get(..length)?;
    let digits = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !digits || hex.len() > 1 && hex.starts_with('0') {
        return None;
    }
    let code = u32::from_str_radix(hex, 16).ok()?;
    Some((code, length + r"\u{}".len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The rules again, stated from the definitions and without the code above.
    fn check_rules(text: &str) -> Result<(), String> {
        let mut marks = 0;
        for c in text.chars() {
            let code = c as u32;
            let bad = code < 0x20
                || (0x7f..=0x9f).contains(&code)
                || [0xad, 0x61c, 0x180e, 0xfeff, 0x115f, 0x1160, 0x3164, 0xffa0].contains(&code)
                || (0x200b..=0x200f).contains(&code)
                || (0x2028..=0x202e).contains(&code)
                || (0x2060..=0x206f).contains(&code)
                || (0xfff9..=0xfffb).contains(&code)
                || (0xe0000..=0xe007f).contains(&code)
                || (0xfdd0..=0xfdef).contains(&code)
                || code % 0x10000 >= 0xfffe;
            if bad {
                return Err(format!("U+{code:04X} in {text:?}"));
            }
            let is_mark = [
                0x300..0x370,
                0x483..0x488,
                0x591..0x5be,
                0x20d0..0x20f1,
                0xfe00..0xfe10,
                0xe0100..0xe01f0,
            ]
            .iter()
            .any(|block| block.contains(&code));
            marks = if is_mark { marks + 1 } else { 0 };
            if marks > 4 {
                return Err(format!("{marks} marks in {text:?}"));
            }
        }
        Ok(())
    }

    /// Text with far more of the awkward characters than chance would give.
    fn awkward() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<char>().prop_map(String::from),
            "[ -~]{1,4}",
            "[\u{300}-\u{310}\u{fe0f}\u{1161}]{1,7}",
            "[\u{0}-\u{1f}\u{7f}-\u{a0}\u{ad}\u{200b}-\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{feff}]",
            "[\u{e0000}-\u{e01ff}\u{fdd0}\u{ffff}\u{3164}]",
            r"\\u\{[0-9a-f]{0,7}\}?",
            r"\\u\{(202e|dc80|dcff|d800|5c|301|41|0a|a)\}",
            r"[\\u{}]",
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    fn awkward_bytes() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            awkward().prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..6)
        ];
        prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
    }

    fn kept(bytes: &[u8]) -> String {
        let mut kept = String::new();
        keep_raw(bytes, &mut kept);
        kept
    }

    proptest! {
        #[test]
        fn any_text_becomes_safe_and_stays_the_same(text in awkward()) {
            let safe = SafeText::new(&text);
            prop_assert_eq!(check_rules(safe.as_str()), Ok(()));
            prop_assert!(is_safe(safe.as_str()));
            prop_assert_eq!(is_safe(&text), safe.as_str() == text);
            prop_assert_eq!(&SafeText::new(safe.as_str()), &safe);
        }

        #[test]
        fn text_without_escapes_comes_back(text in awkward()) {
            let text = text.replace('{', "(");
            prop_assert_eq!(SafeText::new(&text).to_raw(), text.as_bytes());
        }

        #[test]
        fn bytes_without_escapes_come_back(mut bytes in awkward_bytes()) {
            bytes.retain(|byte| *byte != b'{');
            prop_assert_eq!(SafeText::from_bytes(&bytes).to_raw(), bytes);
        }

        #[test]
        fn any_bytes_become_safe(bytes in awkward_bytes()) {
            let safe = SafeText::from_bytes(&bytes);
            prop_assert_eq!(check_rules(safe.as_str()), Ok(()));
            prop_assert_eq!(&SafeText::new(safe.as_str()), &safe);
        }

        #[test]
        fn kept_records_are_safe_and_come_back(bytes in awkward_bytes()) {
            let kept = kept(&bytes);
            prop_assert_eq!(check_rules(&kept), Ok(()));
            prop_assert!(is_safe(&kept));
            prop_assert_eq!(raw_of(&kept), bytes);
        }

        #[test]
        fn the_cap_is_kept_and_cuts_nothing_in_two(text in awkward(), max in 0..60_usize) {
            let (whole, capped) = (SafeText::new(&text), SafeText::capped(&text, max));
            prop_assert!(capped.as_str().len() <= max);
            prop_assert_eq!(check_rules(capped.as_str()), Ok(()));
            prop_assert_eq!(&SafeText::new(capped.as_str()), &capped);
            prop_assert_eq!(&SafeText::capped(whole.as_str(), max), &capped);
            if whole.as_str().len() <= max {
                prop_assert_eq!(capped, whole);
            } else if max >= 3 {
                let start = capped.as_str().strip_suffix('…').unwrap();
                let rest = whole.as_str().strip_prefix(start).unwrap();
                // What was left out begins with a whole character or escape, and would not have fitted.
                let next = read_escape(rest).map_or(rest.chars().next().unwrap().len_utf8(), |(_, length)| length);
                prop_assert!(start.len() + next + 3 > max);
            } else {
                prop_assert!(capped.is_empty());
            }
        }

        #[test]
        fn what_is_shown_fits_its_columns(text in awkward(), columns in 0..40_usize) {
            let safe = SafeText::new(&text);
            let shown = safe.shown(columns);
            prop_assert!(shown.width() <= columns);
            if safe.as_str().width() <= columns {
                prop_assert_eq!(shown, safe.as_str());
            } else if columns > 0 {
                prop_assert!(safe.as_str().starts_with(shown.strip_suffix('…').unwrap()));
            }
        }

        #[test]
        fn utf16_is_read_like_the_text(text in awkward(), units in prop::collection::vec(any::<u16>(), 0..20)) {
            let of_text: Vec<u16> = text.encode_utf16().collect();
            prop_assert_eq!(SafeText::from_utf16(&of_text), SafeText::new(&text));
            prop_assert_eq!(check_rules(SafeText::from_utf16(&units).as_str()), Ok(()));
        }
    }

    #[test]
    fn what_is_harmless_is_left_alone() {
        for text in [
            "",
            "Café Zürich",
            r"C:\users\u",
            "日本語",
            "한국어",
            "שלום",
            "e\u{301}",
            "❤\u{fe0f}",
            r"\u{41}",
            r"\u{202e}",
        ] {
            assert_eq!(SafeText::new(text).as_str(), text);
            assert!(is_safe(text));
        }
    }

    #[test]
    fn what_deceives_is_written_out() {
        for (text, safe) in [
            ("a\0b", r"a\u{0}b"),
            ("a\tb\r\n", r"a\u{9}b\u{d}\u{a}"),
            ("\u{1b}[31m", r"\u{1b}[31m"),
            ("\u{7f}\u{85}\u{9b}", r"\u{7f}\u{85}\u{9b}"),
            ("gpj.\u{202e}exe", r"gpj.\u{202e}exe"),
            ("\u{feff}x\u{ad}y\u{200d}z", r"\u{feff}x\u{ad}y\u{200d}z"),
            ("\u{2028}\u{2029}", r"\u{2028}\u{2029}"),
            ("\u{e0041}\u{e0001}", r"\u{e0041}\u{e0001}"),
            ("\u{115f}\u{1160}\u{3164}\u{ffa0}", r"\u{115f}\u{1160}\u{3164}\u{ffa0}"),
            ("\u{fdd0}\u{fffe}\u{10ffff}", r"\u{fdd0}\u{fffe}\u{10ffff}"),
            ("\u{605}\u{110bd}\u{1343f}", r"\u{605}\u{110bd}\u{1343f}"),
            // The first mark has nothing to stand on; of six, the fifth and sixth are too many.
            ("\u{301}a", r"\u{301}a"),
            (
                "a\u{301}\u{302}\u{303}\u{fe0f}\u{305}\u{306}b\u{301}",
                "a\u{301}\u{302}\u{303}\u{fe0f}\\u{305}\\u{306}b\u{301}",
            ),
        ] {
            assert_eq!(SafeText::new(text).as_str(), safe);
            assert_eq!(SafeText::new(text).to_raw(), text.as_bytes());
            assert!(!is_safe(text));
        }
    }

    #[test]
    fn bytes_and_surrogates_are_not_lost() {
        let safe = SafeText::from_bytes(b"caf\xe9 \xff\xc3\xa9");
        assert_eq!(safe.as_str(), r"caf\u{dce9} \u{dcff}é");
        assert_eq!(safe.to_raw(), b"caf\xe9 \xff\xc3\xa9");
        assert_eq!(
            SafeText::from_utf16(&[0x61, 0xd800, 0xd83d, 0xde00]).as_str(),
            "a\\u{d800}\u{1f600}"
        );
    }

    #[test]
    fn only_escapes_that_mean_something_are_undone() {
        let raw = |text: &str| SafeText::new(text).to_raw();
        assert_eq!(raw(r"\u{202e}"), "\u{202e}".as_bytes());
        for text in [
            r"\u{41}",
            r"\u{5c}",
            r"\u{202E}",
            r"\u{0a}",
            r"\u{110000}",
            r"\u{d800}",
            r"\u{}",
            r"\u{a",
            r"\\u",
        ] {
            assert_eq!(raw(text), text.as_bytes(), "{text}");
        }
        assert_eq!(kept(br"\u{41} \n"), r"\u{5c}u{41} \n");
        assert_eq!(kept(b"{\"a\":1}\n\xff"), r#"{"a":1}\u{a}\u{dcff}"#);
    }

    #[test]
    fn cutting_keeps_escapes_whole() {
        assert_eq!(SafeText::capped("abcdef", 6).as_str(), "abcdef");
        assert_eq!(SafeText::capped("abcdefg", 6).as_str(), "abc…");
        assert_eq!(SafeText::capped("ab\u{202e}cdef", 12).as_str(), "ab…");
        assert_eq!(SafeText::capped(r"ab\u{202e}cdef", 12).as_str(), "ab…");
        assert_eq!(SafeText::capped("ab\u{202e}cdef", 13).as_str(), r"ab\u{202e}…");
        assert_eq!(SafeText::capped("日本語", 8).as_str(), "日…");
        assert_eq!(SafeText::capped("abc", 2).as_str(), "");
        assert_eq!(
            SafeText::capped(&"\0".repeat(1 << 20), SafeText::MAX_BYTES).as_str().len(),
            4093 / 5 * 5 + 3
        );
    }

    #[test]
    fn columns_are_counted_not_characters() {
        let shown = |text: &str, columns| SafeText::new(text).shown(columns).into_owned();
        assert_eq!(shown("日本語", 6), "日本語");
        assert_eq!(shown("日本語", 5), "日本…");
        assert_eq!(shown("日本語", 4), "日…");
        assert_eq!(shown("abc", 1), "…");
        assert_eq!(shown("abc", 0), "");
        assert_eq!(shown("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert!(matches!(SafeText::new("abc").shown(3), Cow::Borrowed("abc")));
    }

    #[test]
    fn serde_cannot_bring_in_unsafe_text() {
        let safe: SafeText = serde_json::from_str(r#""a\u001bb""#).unwrap();
        assert_eq!(safe.as_str(), r"a\u{1b}b");
        assert_eq!(serde_json::to_string(&safe).unwrap(), r#""a\\u{1b}b""#);
    }
}
