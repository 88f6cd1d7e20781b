//! Text on the screen, cut to its place, and what becomes of it where only ASCII is understood.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

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

/// A text of at most so many columns, with a mark where something is cut off.
fn fit(text: &str, width: usize) -> String {
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
    if width > 0 {
        kept.push(MORE);
    }
    kept
}

/// Lines of at most so many columns, broken between words where they can be.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
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
        '\u{2800}' => ' ',
        '\u{2801}'..='\u{28ff}' => '*',
        _ => '?',
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
    }

    #[test]
    fn long_text_is_broken_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("one two three", 20), ["one two three"]);
        assert_eq!(wrapped("indivisible x", 4), ["indivisible", "x"]);
        assert!(wrapped(" ", 4).is_empty());
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
