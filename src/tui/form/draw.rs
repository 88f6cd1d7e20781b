//! How a form looks: a line for each field, beneath it what is wrong or what can be chosen; what
//! does not fit scrolls, and the field that is typed into is always in sight.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Clear, Widget};
use unicode_width::UnicodeWidthStr;

use super::field::{Field, Sort};
use super::{Form, State};
use crate::text::{Figures, MASK};
use crate::tui::frame::framed;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::{fit, wrapped, write};

/// Columns of a label.
const LABEL: u16 = 17;
/// The most columns of a form.
const WIDEST: u16 = 76;
/// How many choices are seen.
const CHOICES: usize = 4;

/// A line of a form.
enum Line<'a> {
    Field(usize, &'a Field),
    Below(usize, String, Tone),
    /// A word that can be chosen, as it is shown.
    Choice(usize, String, String, bool),
}

/// Where everything of a form is.
struct Placed<'a> {
    frame: Rect,
    lines: Vec<Line<'a>>,
    feet: Vec<(String, Tone)>,
    /// The first line that is seen.
    top: usize,
    /// Where lines are.
    body: Rect,
}

impl Line<'_> {
    const fn of(&self) -> usize {
        match self {
            Self::Field(at, _) | Self::Below(at, ..) | Self::Choice(at, ..) => *at,
        }
    }
}

impl Form {
    /// Draws itself in place of the pane.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, figures: Figures, theme: Theme) {
        let Placed { frame, lines, feet, top, body } = self.placed(area, figures);
        // All of the pane: a figure that is cut by an edge would be another figure.
        Clear.render(area, buf);
        let inner = framed(buf, frame, &self.sheet.title(), theme);
        for (line, y) in lines.iter().skip(top).zip(body.top()..body.bottom()) {
            self.draw_line(buf, Rect { y, height: 1, ..body }, line, figures, theme);
        }
        // The last line, which names the keys, stays whatever is cut.
        let skipped = feet.len().saturating_sub(usize::from(inner.height - body.height));
        for ((text, tone), y) in feet.iter().skip(skipped).zip(body.bottom()..inner.bottom()) {
            write(buf, Rect { y, height: 1, ..inner }, text, theme.style(*tone));
        }
    }

    /// Where everything is, over a place.
    fn placed(&self, area: Rect, figures: Figures) -> Placed<'_> {
        let width = area.width.min(WIDEST);
        let inside = width.saturating_sub(2);
        let (lines, feet) = (self.lines(inside, figures), self.feet(inside, figures));
        let wanted = lines.len() + feet.len() + 2;
        let height = u16::try_from(wanted).unwrap_or(u16::MAX).min(area.height);
        let frame = Rect {
            x: area.x + (area.width - width) / 2,
            y: area.y + (area.height - height) / 2,
            width,
            height,
        };
        let inner = Block::bordered().inner(frame);
        let foot = u16::try_from(feet.len()).unwrap_or(u16::MAX).min(inner.height / 2);
        let body = Rect { height: inner.height - foot, ..inner };
        let top = self.top(&lines, usize::from(body.height));
        Placed { frame, lines, feet, top, body }
    }

    /// The field on a line of the place that it is drawn over.
    pub fn click(&mut self, at: (u16, u16), area: Rect, figures: Figures) {
        let Placed { frame, lines, top, body, .. } = self.placed(area, figures);
        // The edges of a line are part of it.
        let line = Rect { x: frame.x, width: frame.width, ..body };
        if self.state != State::Open || !line.contains(at.into()) {
            return;
        }
        let hit = lines.get(top + usize::from(at.1 - body.y));
        if let Some((at, word)) = hit.map(|line| (line.of(), chosen(line))) {
            if let (Some(word), Some(field)) = (word, self.fields.at_mut(at)) {
                field.put(&word);
            }
            self.leave();
            self.go(at);
        }
    }

    fn top(&self, lines: &[Line<'_>], height: usize) -> usize {
        let own = || lines.iter().enumerate().filter(|(_, line)| line.of() == self.at);
        let first = own().next().map_or(0, |(at, _)| at);
        let last = own().next_back().map_or(0, |(at, _)| at);
        let most = lines.len().saturating_sub(height.max(1));
        (last + 1).saturating_sub(height).min(first).min(most)
    }

    fn lines(&self, width: u16, figures: Figures) -> Vec<Line<'_>> {
        let room = usize::from(width.saturating_sub(LABEL));
        let mut lines = Vec::new();
        for (at, field) in self.fields.iter() {
            lines.push(Line::Field(at, field));
            if let Some(error) = field.error.as_ref().filter(|_| field.visited || self.tried) {
                let text = figures.message(error);
                let below = wrapped(&text, room).into_iter();
                lines.extend(below.map(|line| Line::Below(at, line, Tone::Warn)));
            }
            if at == self.at && self.state == State::Open {
                lines.extend(choices(at, field, room));
            }
        }
        lines
    }

    fn feet(&self, width: u16, figures: Figures) -> Vec<(String, Tone)> {
        let mut feet = Vec::new();
        let mut say = |text: &str, tone| {
            feet.extend(wrapped(text, usize::from(width)).into_iter().map(|line| (line, tone)));
        };
        if let Some(note) = self.sheet.note(&self.fields) {
            say(&figures.message(&note), Tone::Dim);
        }
        if let Some(complaint) = &self.complaint {
            say(&figures.message(complaint), Tone::Error);
        }
        let is_last = self.fields.next(self.at).is_none();
        match self.state {
            State::Waiting => say("reading ... · Esc leaves", Tone::Dim),
            State::Sending => say("writing ...", Tone::Warn),
            State::Leaving => {
                say("Leave what is typed? y leaves it, any other key goes on", Tone::Warn);
            }
            State::Open if is_last => say("Enter saves · Shift-Tab back · Esc leaves", Tone::Key),
            State::Open => say("Enter next · Ctrl-s saves · Esc leaves", Tone::Key),
        }
        feet
    }

    fn draw_line(
        &self,
        buf: &mut Buffer,
        area: Rect,
        line: &Line<'_>,
        figures: Figures,
        theme: Theme,
    ) {
        let x = LABEL.min(area.width);
        let rest = Rect { x: area.x + x, width: area.width - x, ..area };
        match line {
            Line::Below(_, text, tone) => {
                write(buf, rest, text, theme.style(*tone));
            }
            Line::Choice(_, _, text, is_picked) => {
                let style = if *is_picked { theme.reversed() } else { theme.style(Tone::Dim) };
                write(buf, rest, text, style);
            }
            Line::Field(at, field) => {
                let here = *at == self.at && self.state != State::Waiting;
                let wrong = field.error.is_some() && (field.visited || self.tried);
                let mark = if wrong {
                    "!"
                } else if here {
                    "▸"
                } else {
                    " "
                };
                let tone = if wrong { Tone::Warn } else { Tone::Key };
                write(buf, area, mark, theme.style(tone));
                let label =
                    Rect { x: area.x + 2.min(area.width), width: x.saturating_sub(3), ..area };
                let tone = if here { Tone::Strong } else { Tone::Dim };
                write(buf, label, &field.label, theme.style(tone));
                draw_value(buf, rest, field, here, figures, theme);
            }
        }
    }
}

/// What stands in a field, with the place in it where it is typed into.
fn draw_value(
    buf: &mut Buffer,
    area: Rect,
    field: &Field,
    here: bool,
    figures: Figures,
    theme: Theme,
) {
    let tone = if field.auto { Tone::Dim } else { Tone::Plain };
    let masked = figures.private && field.is_amount() && !field.input.is_empty();
    let (before, after) = if masked { (MASK, "") } else { field.input.parts() };
    if !here {
        write(buf, area, &format!("{before}{after}"), theme.style(tone));
        return;
    }
    if field.fresh && !field.input.is_empty() {
        write(buf, area, &format!("{before}{after}"), theme.reversed());
        return;
    }
    // What is too long is seen from its place backwards.
    let room = usize::from(area.width.saturating_sub(2));
    let skip = before.chars().count().saturating_sub(room);
    let seen: String = before.chars().skip(skip).collect();
    let rest = |x: u16| Rect {
        x: area.x + x.min(area.width),
        width: area.width.saturating_sub(x),
        ..area
    };
    let mut x = write(buf, area, &seen, theme.style(tone));
    let mut after = after.chars();
    let at = after.next().unwrap_or(' ').to_string();
    x += write(buf, rest(x), &at, theme.reversed());
    write(buf, rest(x), after.as_str(), theme.style(tone));
}

/// What can be chosen, around what is.
fn choices<'a>(at: usize, field: &Field, room: usize) -> Vec<Line<'a>> {
    let found = field.matches();
    if found.is_empty() {
        let is_new =
            matches!(&field.sort, Sort::Open(_)) && !field.fresh && !field.text().is_empty();
        let text = "nothing is called so yet: it will be new";
        return is_new.then(|| Line::Below(at, fit(text, room), Tone::Dim)).into_iter().collect();
    }
    let first = match field.pick {
        Some(picked) => (picked + 1).saturating_sub(CHOICES),
        // From what stands there on.
        None => field.standing().unwrap_or(0).min(found.len().saturating_sub(CHOICES)),
    };
    let wide = found.iter().map(|choice| choice.word.width()).max().unwrap_or(0).min(24);
    let line = |(place, choice): (usize, &&super::field::Choice)| {
        let text = match choice.more.is_empty() {
            true => choice.word.clone(),
            false => format!("{:wide$}  {}", choice.word, choice.more),
        };
        Line::Choice(at, choice.word.clone(), fit(&text, room), field.pick == Some(place))
    };
    let mut lines: Vec<_> = found.iter().enumerate().skip(first).take(CHOICES).map(line).collect();
    let more = found.len() - first - lines.len();
    if more > 0 {
        lines.push(Line::Below(
            at,
            fit(&format!("and {more} more; Down goes there"), room),
            Tone::Dim,
        ));
    }
    lines
}

/// The word of a line that can be chosen.
fn chosen(line: &Line<'_>) -> Option<String> {
    match line {
        Line::Choice(_, word, ..) => Some(word.clone()),
        _ => None,
    }
}
