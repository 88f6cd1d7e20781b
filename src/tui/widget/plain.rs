//! Text on the screen, cut to its place, and what becomes of it where only ASCII is understood.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::tui::theme::{Theme, Tone};

const MORE: char = '…';

/// Writes a line from the left, cut with a mark where it does not fit. Gives the columns it took.
pub fn write(buf: &mut Buffer, area: Rect, text: &str, style: Style) -> u16 {
    if area.is_empty() {
        return 0;
    }
    let cut = fit(text, usize::from(area.width));
    let (end, _) = buf.set_stringn(area.x, area.y, &cut, usize::from(area.width), style);
    end.saturating_sub(area.x)
}

/// Writes a line that ends at the right edge.
pub fn write_right(buf: &mut Buffer, area: Rect, text: &str, style: Style) {
    let width = u16::try_from(text.width()).unwrap_or(u16::MAX).min(area.width);
    let place = Rect { x: area.right().saturating_sub(width), width, ..area };
    write(buf, place, text, style);
}

/// Writes lines beneath rows, with one left free above them; what has no room is left out.
pub fn write_beneath(
    buf: &mut Buffer,
    area: Rect,
    lines: impl IntoIterator<Item = (String, Tone)>,
    theme: Theme,
) {
    for ((text, tone), at) in lines.into_iter().zip(1..area.height) {
        let place = Rect { y: area.y + at, height: 1, ..area };
        write(buf, place, &text, theme.style(tone));
    }
}

/// A text of at most so many columns, with a mark where something is cut off.
#[must_use]
pub fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut room = width.saturating_sub(1);
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if wide > room {
            break;
        }
        room -= wide;
        kept.push(c);
    }
    // Some are wider next to each other than alone, like a heart and the sign that makes it an emoji.
    while kept.width() + 1 > width.max(1) {
        kept.pop();
    }
    if width > 0 {
        kept.push(MORE);
    }
    kept
}

/// A text on lines of at most so many columns, broken between words; a word that is longer than a
/// line goes on on the next.
#[must_use]
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for c in word.chars() {
            line.push(c);
            if line.width() > width {
                line.pop();
                lines.push(std::mem::replace(&mut line, c.to_string()));
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Puts what ASCII has in place of what it has not.
pub fn in_ascii(buf: &mut Buffer) {
    for cell in &mut buf.content {
        if !cell.symbol().is_ascii() {
            let first = cell.symbol().chars().next().unwrap_or(' ');
            cell.set_char(ascii_of(first));
        }
    }
}

const fn ascii_of(c: char) -> char {
    match c {
        '─' | '━' | '┄' | '╌' | '–' | '—' => '-',
        '│' | '┃' | '▏' => '|',
        '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' | '╭' | '╮' | '╯' | '╰' => {
            '+'
        }
        '▲' => '^',
        '▼' | '▾' => 'v',
        '▸' => '>',
        '•' | '●' | '█' | '▓' | '▇' | '▆' => '#',
        '·' | '…' | '░' | '▁' | '▂' => '.',
        '▃' | '▄' | '▅' => '=',
        '×' => 'x',
        '\u{2800}'..='\u{28ff}' => ascii_of_dots(c),
        _ => '?',
    }
}

/// As high in its line as the dots of braille are.
const fn ascii_of_dots(c: char) -> char {
    const LINES: [u32; 4] = [0x09, 0x12, 0x24, 0xc0];
    let [first, second, third, last] = LINES;
    let dots = c as u32;
    match (dots & first != 0, dots & (second | third) != 0, dots & last != 0) {
        (false, false, false) => ' ',
        (true, _, true) => '|',
        (true, _, false) => '\'',
        (false, true, false) => '-',
        (false, _, true) => '.',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_at_whole_characters() {
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abcd", 3), "ab…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(fit("❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}", 4), "❤\u{fe0f}❤…");
    }

    #[test]
    fn a_long_text_goes_on_on_the_next_line() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrapped("abcdefgh i", 3), ["abc", "def", "gh", "i"]);
        assert_eq!(wrapped("日本語", 5), ["日本", "語"]);
        assert!(wrapped("", 5).is_empty());
    }

    #[test]
    fn a_line_of_dots_rises_in_ascii_too() {
        let mut buf = Buffer::with_lines(["⣀⡠⠔⠊⡇\u{2800}"]);
        in_ascii(&mut buf);
        let text: String = buf.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(text, "..-'| ");
    }

    #[test]
    fn nothing_but_ascii_is_left() {
        let mut buf = Buffer::with_lines(["┌─▲ 1,2•é日⣀ "]);
        in_ascii(&mut buf);
        let text: String = buf.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert!(text.is_ascii(), "{text}");
        assert!(text.starts_with("+-^ 1,2#?"), "{text}");
    }
}
