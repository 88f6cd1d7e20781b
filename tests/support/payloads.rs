//! Text that could do harm where it is shown: what a terminal obeys, what reorders, hides or piles up
//! text, what a spreadsheet computes, what is no text at all. Composed class by class, so that
//! none is forgotten; the bytes need not be UTF-8.

use std::collections::BTreeSet;

use unicode_width::UnicodeWidthChar;

/// One text and what it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Payload {
    pub class: &'static str,
    pub bytes: Vec<u8>,
}

impl Payload {
    /// The bytes as a string of JSON: what is no UTF-8 stays as it is.
    pub fn in_json(&self) -> Vec<u8> {
        let mut out = vec![b'"'];
        for byte in &self.bytes {
            match byte {
                // A lone surrogate is written as its escape, which CSV has no way to do.
                b'\\' if self.class == "surrogate" => out.push(b'\\'),
                b'"' | b'\\' => out.extend([b'\\', *byte]),
                0..=0x1f => out.extend(format!("\\u{byte:04x}").into_bytes()),
                _ => out.push(*byte),
            }
        }
        out.push(b'"');
        out
    }

    /// The bytes as a quoted field of CSV.
    pub fn in_csv(&self) -> Vec<u8> {
        let mut out = vec![b'"'];
        for byte in &self.bytes {
            if *byte == b'"' {
                out.push(b'"');
            }
            out.push(*byte);
        }
        out.push(b'"');
        out
    }
}

/// The whole corpus, each text once.
pub fn payloads() -> Vec<Payload> {
    let mut all = BTreeSet::new();
    let mut add = |class, bytes: Vec<u8>| {
        all.insert(Payload { class, bytes });
    };
    controls(&mut add);
    sequences(&mut add);
    hidden(&mut add);
    piles(&mut add);
    no_text(&mut add);
    for text in plain_looking() {
        add("plain", text.into_bytes());
    }
    all.into_iter().collect()
}

type Add<'a> = dyn FnMut(&'static str, Vec<u8>) + 'a;

/// Every control character, in the middle of a word, and the eight-bit ones as bare bytes too.
fn controls(add: &mut Add<'_>) {
    for byte in (0..=0x1f).chain([0x7f]) {
        add("C0", vec![b'a', byte, b'b']);
        add("C0 first", vec![byte, b'b']);
    }
    for code in 0x80..=0x9f_u8 {
        add("C1", format!("a{}b", char::from(code)).into_bytes());
        add("C1 raw", vec![b'a', code, b'b']);
    }
    for end in ["a\r\nb", "a\nb", "a\rb", "a\n", "\na", "a\u{b}\u{c}b", "a\u{85}b"] {
        add("line end", end.as_bytes().to_vec());
    }
}

/// What a terminal would carry out, begun with seven bits, with eight and with bare bytes.
fn sequences(add: &mut Add<'_>) {
    const CSI: [&str; 12] =
        ["2J", "H", "31m", "?1049h", "6n", "c", "?25l", "20t", "1;1r", ">c", "!p", "9999C"];
    const OSC: [&str; 12] = [
        "0;title",
        "2;title",
        "4;1;?",
        "8;;http://example.org",
        "9;told",
        "10;?",
        "50;font",
        "52;c;ZXZpbA==",
        "104",
        "133;A",
        "777;notify;a;b",
        "1337;File=:AAAA",
    ];
    const STRINGS: [&str; 3] = ["+q544e", "$qm", "Ga=q;AAAA"];
    const SHORT: [&str; 22] = [
        "c", "7", "8", "=", ">", "D", "E", "H", "M", "N", "O", "Z", "(0", ")0", "#8", "%G", "%@",
        "n", "o", "|", "}", "~",
    ];
    let starts = |seven: &str, eight: u8| {
        let (bare, as_text) = (vec![eight], char::from(eight).to_string().into_bytes());
        [format!("\u{1b}{seven}").into_bytes(), as_text, bare]
    };
    for start in starts("[", 0x9b) {
        for rest in CSI {
            add("CSI", [b"a", &start[..], rest.as_bytes(), b"b"].concat());
        }
    }
    for (start, rest) in starts("]", 0x9d).iter().flat_map(|s| OSC.map(|rest| (s, rest))) {
        for end in ["\u{7}", "\u{1b}\\", ""] {
            add("OSC", [&start[..], rest.as_bytes(), end.as_bytes(), b"b"].concat());
        }
    }
    for (seven, eight, class) in
        [("P", 0x90, "DCS"), ("_", 0x9f, "APC"), ("^", 0x9e, "PM"), ("X", 0x98, "SOS")]
    {
        for (start, rest) in starts(seven, eight).iter().flat_map(|s| STRINGS.map(|r| (s, r))) {
            add(class, [&start[..], rest.as_bytes(), b"\x1b\\b"].concat());
        }
    }
    for rest in SHORT {
        add("ESC", format!("a\u{1b}{rest}b").into_bytes());
    }
}

/// What reorders text, takes no room or has no form.
fn hidden(add: &mut Add<'_>) {
    let bidi = ['\u{61c}', '\u{200e}', '\u{200f}']
        .into_iter()
        .chain('\u{202a}'..='\u{202e}')
        .chain('\u{2066}'..='\u{2069}');
    for c in bidi {
        add("bidi", format!("a{c}cod.exe").into_bytes());
        add("bidi", format!("{c}{c}x").into_bytes());
    }
    let empty = ['\u{ad}', '\u{34f}', '\u{115f}', '\u{1160}', '\u{17b4}', '\u{17b5}', '\u{3164}']
        .into_iter()
        .chain(['\u{feff}', '\u{ffa0}', '\u{2028}', '\u{2029}', '\u{180e}', '\u{2800}'])
        .chain('\u{200b}'..='\u{200d}')
        .chain('\u{2060}'..='\u{2065}')
        .chain('\u{206a}'..='\u{206f}')
        .chain('\u{fff9}'..='\u{fffb}')
        .chain(['\u{1d173}', '\u{1bca0}', '\u{13430}', '\u{600}', '\u{6dd}', '\u{70f}', '\u{8e2}']);
    empty.for_each(|c| add("invisible", format!("pay{c}pal").into_bytes()));
    let tags = ('\u{e0061}'..='\u{e0070}').chain(['\u{e0001}', '\u{e0020}', '\u{e007f}']);
    tags.for_each(|c| add("tag", format!("a{c}{c}b").into_bytes()));
    let selectors = ('\u{fe00}'..='\u{fe0f}').chain('\u{e0100}'..='\u{e0107}');
    for c in selectors.chain(['\u{180b}', '\u{180c}', '\u{180d}']) {
        add("selector", format!("a{c}{c}{c}{c}{c}{c}b").into_bytes());
    }
    for c in ['\u{fffe}', '\u{ffff}', '\u{fdd0}', '\u{1fffe}', '\u{10ffff}', '\u{e000}', '\u{f8ff}']
    {
        add("no character", format!("a{c}b").into_bytes());
    }
}

/// Towers of marks, and what is far too long.
fn piles(add: &mut Add<'_>) {
    for mark in ['\u{300}', '\u{489}', '\u{20dd}', '\u{e31}', '\u{5b0}', '\u{302a}'] {
        for height in [1, 4, 5, 8, 64, 1_000] {
            add("tower", format!("Z{}x", mark.to_string().repeat(height)).into_bytes());
        }
        add("tower first", format!("{mark}x").into_bytes());
    }
    for (start, part, times) in [
        ("", "W", 300),
        ("", "W", 4_096),
        ("", "W", 5_000),
        ("", "長", 2_000),
        ("", "=1+", 1_500),
        ("\u{1b}[31m", "x", 5_000),
        ("", "\u{1b}", 3_000),
        ("", "\u{202e}", 1_000),
        ("", " ", 5_000),
        ("", "🇨", 500),
        ("x", "\u{200d}", 1_000),
        ("", "W", 70_000),
    ] {
        add("long", format!("{start}{}", part.repeat(times)).into_bytes());
    }
}

/// Bytes that are no UTF-8, and escapes that are no character.
fn no_text(add: &mut Add<'_>) {
    const BYTES: [&[u8]; 20] = [
        b"\xc0\x80",
        b"\xc0\xaf",
        b"\xc1\xbf",
        b"\xe0\x80\x80",
        b"\xe0\x9f\xbf",
        b"\xf0\x80\x80\x80",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xfc\x84\x80\x80\x80\x80",
        b"\xfe",
        b"\xff",
        b"\xe2\x82",
        b"\xf0\x9f\x98",
        b"\x80",
        b"\xbf",
        b"\xc0\x9b2J",
        b"\xe0\x80\x9b[2J",
        b"\xff\xfea\0",
    ];
    for bytes in BYTES {
        add("no UTF-8", [b"a", bytes, b"b"].concat());
    }
    for escape in [
        "\\ud800",
        "\\udbff",
        "\\udc00",
        "\\udfff",
        "a\\ud83db",
        "\\ude00\\ud83d",
        "\\ud800\\ud800",
        "\\u001b[2J",
        "\\u009b2J",
        "\\u202e",
        "\\u0000",
    ] {
        add("surrogate", escape.as_bytes().to_vec());
    }
}

/// What only a spreadsheet, a shell, a database or a reader takes for something else.
fn plain_looking() -> Vec<String> {
    let starters = ["=", "+", "-", "@", "\t", "\r", "\u{0}", "＝", "＋", "－", "＠"];
    let rests = ["1+1", "cmd|' /C calc'!A0", "HYPERLINK(\"http://example.org\")", ""];
    let formulas = starters.iter().flat_map(|start| rests.map(|rest| format!("{start}{rest}")));
    let words = [
        "'; drop table transactions; --",
        "\" or \"1\"=\"1",
        "%n%s%x%d",
        "{} {0} {name}",
        "$(reboot)",
        "`reboot`",
        "; rm -rf /",
        "| cat /etc/passwd",
        "../../../etc/passwd",
        "C:\\con\\aux",
        "\\u{1b}[31m",
        "\\u{202e}",
        "\\x1b[2J",
        "\\033[2J",
        "^[[2J",
        "&lt;script&gt;",
        "<script>alert(1)</script>",
        "${jndi:ldap://x}",
        "null",
        "NaN",
        "Infinity",
        "-0",
        "1e400",
        "true",
        "''",
        "\"",
        "\"\"",
        ",",
        ",,",
        "'=1+1",
        "''=1+1",
        "…",
        "(all)",
        "--help",
        "-v",
        "2024-02-30",
        "0x41",
        "１２３",
        "٣٤٥",
        "1,234.5",
        "1.234,5",
        "١٢",
        "حساب التقاعد",
        "שלום world",
        "abc אבג 123",
        "العربية (x) -5",
        "ﷺ",
        "עברית\u{5b0}",
        "👩\u{200d}👩\u{200d}👧",
        "🏳\u{fe0f}\u{200d}🌈",
        "👍🏽",
        "🇨🇦",
        "❤\u{fe0f}",
        "1\u{fe0f}\u{20e3}",
        "日本語",
        "한글\u{1100}\u{1161}",
        "ก็ี้ไทย",
        "ｶﾞ",
        "ﬁ",
        "ǅ",
        "İı",
        "ß",
        "e\u{301}é",
        "Å\u{212b}",
        "аррӏе",
        "раypal",
        "ⅷ",
        "㍿",
        "𝐀",
        "\u{1f1e8}",
        "￥",
        "\u{a0}x\u{a0}",
        "\u{3000}x",
        " x ",
    ];
    formulas.chain(words.map(str::to_owned)).collect()
}

/// Whether a character must never be written where somebody looks. Judged by itself, not by what
/// the product thinks of it.
pub fn is_harmful(c: char) -> bool {
    matches!(u32::from(c),
        0..=0x1f | 0x7f..=0x9f
        | 0xad | 0x61c | 0x115f | 0x1160 | 0x180e | 0x3164 | 0xfeff | 0xffa0
        | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfff9..=0xfffb
        | 0xe0000..=0xe007f)
}

/// The first place of a text that must not be there: a harmful character, or a mark on more than
/// four others.
pub fn harm_in(text: &str) -> Option<String> {
    let mut height = 0;
    for (at, c) in text.char_indices() {
        height = if c.width() == Some(0) && !c.is_control() { height + 1 } else { 0 };
        if is_harmful(c) || height > 4 {
            let around: String = text[at..].chars().take(20).collect();
            return Some(format!("U+{:04X} at byte {at}: {around:?}", u32::from(c)));
        }
    }
    None
}
