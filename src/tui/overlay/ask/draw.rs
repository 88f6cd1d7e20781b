//! How a page that asks looks.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::super::super::frame::framed;
use super::super::sign_in;
use super::{Ask, Connecting, Part, Purpose, State, Typed};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::{fit, wrapped, write};

/// The most columns, and those of a label.
const WIDEST: u16 = 76;
const LABEL: u16 = 16;

impl Ask {
    fn title(&self) -> String {
        match &self.purpose {
            Purpose::Unlock => "Unlock".to_owned(),
            Purpose::Connect(Connecting { again: Some(again), .. }) => {
                format!("Connect {} again", again.name)
            }
            Purpose::Connect(it) => format!("Connect {}", it.service().map_or("", |it| it.title)),
        }
    }

    /// What stands above the fields.
    fn words(&self) -> Vec<String> {
        match &self.purpose {
            Purpose::Unlock => vec![
                "The vault keeps what your connections show to their services. While it is locked \
                 they are not asked, and all that was fetched before can be seen."
                    .to_owned(),
            ],
            Purpose::Connect(connecting) => connecting.words(),
        }
    }

    /// Draws itself in the middle of the pane; an address to sign in at has all of it.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, theme: Theme) {
        if let Some(sign_in) = self.sign_in() {
            Clear.render(area, buf);
            let feet = self.feet(usize::from(area.width));
            let lines = sign_in::lines(sign_in, &self.title(), self.fields.len(), feet, area);
            for (line, y) in lines.iter().zip(area.top()..area.bottom()) {
                let place = Rect { y, height: 1, ..area };
                match line {
                    sign_in::Line::Text(text, tone) => {
                        write(buf, place, text, theme.style(*tone));
                    }
                    sign_in::Line::Field(at) => {
                        if let Some((part, typed)) = self.fields.get(*at) {
                            self.draw_field(buf, place, *at, *part, typed, theme);
                        }
                    }
                }
            }
            return;
        }
        let width = area.width.min(WIDEST);
        let room = usize::from(width.saturating_sub(2));
        let words: Vec<_> = self.words().iter().flat_map(|text| wrapped(text, room)).collect();
        let feet = self.feet(room);
        let wanted = words.len() + 1 + self.fields.len() + 1 + feet.len() + 2;
        let height = u16::try_from(wanted).unwrap_or(u16::MAX).min(area.height);
        let place = Rect {
            x: area.x + (area.width - width) / 2,
            y: area.y + (area.height - height) / 2,
            width,
            height,
        };
        Clear.render(area, buf);
        let inner = framed(buf, place, &self.title(), theme);
        // Where there is little room the words go first, then the fields beside that of the cursor:
        // what is wrong is said in any case.
        let room = usize::from(inner.height);
        let above = room - feet.len().min(room.saturating_sub(1));
        let fields = self.fields.len().min(above);
        let gap = usize::from(above > fields);
        let seen = above.saturating_sub(fields + gap + 1).min(words.len());
        let scrolled = (self.at + 1).saturating_sub(fields);
        let line = |at: usize| {
            let at = u16::try_from(at).unwrap_or(u16::MAX).min(inner.height);
            Rect { y: inner.y + at, height: u16::from(at < inner.height), ..inner }
        };
        for (at, text) in words.iter().take(seen).enumerate() {
            write(buf, line(at), text, theme.style(Tone::Plain));
        }
        let top = if seen == 0 { 0 } else { seen + 1 };
        let shown = self.fields.iter().enumerate().skip(scrolled).take(fields);
        for (at, (part, typed)) in shown {
            self.draw_field(buf, line(top + at - scrolled), at, *part, typed, theme);
        }
        let top = top + fields + gap;
        for (at, (text, tone)) in feet.iter().enumerate() {
            write(buf, line(top + at), text, theme.style(*tone));
        }
    }

    fn draw_field(
        &self,
        buf: &mut Buffer,
        line: Rect,
        at: usize,
        part: Part,
        typed: &Typed,
        theme: Theme,
    ) {
        if line.is_empty() {
            return;
        }
        let here = at == self.at && self.state == State::Open;
        let tone = if here { Tone::Key } else { Tone::Dim };
        write(buf, line, self.label(part), theme.style(tone));
        let x = LABEL.min(line.width);
        let place = Rect { x: line.x + x, width: line.width - x, ..line };
        let room = usize::from(place.width.saturating_sub(1));
        let used = match typed {
            Typed::Hidden(input) => {
                write(buf, place, &fit(&input.shown(), room), theme.style(Tone::Plain))
            }
            Typed::Choice => {
                write(buf, place, &fit(&self.choice(), room), theme.style(Tone::Plain))
            }
            Typed::Plain(_) if self.is_name_secret() => {
                write(buf, place, "not shown: this is rather a secret", theme.style(Tone::Error))
            }
            // What it is called if nobody says otherwise, behind the cursor.
            Typed::Plain(input) if input.is_empty() => {
                let word = match &self.purpose {
                    Purpose::Connect(it) => it.service().map_or("", |service| service.title),
                    Purpose::Unlock => "",
                };
                write(buf, place, word, theme.style(Tone::Dim));
                0
            }
            Typed::Plain(input) => {
                write(buf, place, &fit(&input.text(), room), theme.style(Tone::Plain))
            }
        };
        if here && used < place.width {
            buf.set_style(Rect { x: place.x + used, width: 1, ..place }, theme.reversed());
        }
    }

    /// Which service it is, of how many.
    fn choice(&self) -> String {
        match &self.purpose {
            Purpose::Connect(it) => {
                let title = it.service().map_or("", |service| service.title);
                format!("{title}   {} of {}", it.chosen + 1, it.services.len())
            }
            Purpose::Unlock => String::new(),
        }
    }

    fn feet(&self, room: usize) -> Vec<(String, Tone)> {
        let mut feet = Vec::new();
        let mut say = |text: &str, tone| {
            feet.extend(wrapped(text, room).into_iter().map(|line| (line, tone)));
        };
        if let Some(complaint) = &self.complaint {
            say(complaint, Tone::Error);
        }
        let is_last = self.at + 1 >= self.fields.len();
        match (self.state, &self.purpose) {
            (State::Sending(_), Purpose::Unlock) => {
                say("trying ... · Esc leaves it to that", Tone::Warn);
            }
            (State::Sending(_), _) if self.is_beginning() => {
                say("asking for the address ... · Esc leaves", Tone::Warn);
            }
            (State::Sending(_), _) => say("connecting ... · Esc leaves it to that", Tone::Warn),
            (State::Open, Purpose::Unlock) => say("Enter unlocks · Esc leaves", Tone::Key),
            (State::Open, _) if self.is_at_choice() => {
                say("Left, Right another service · Enter next · Esc leaves", Tone::Key);
            }
            (State::Open, _) if self.sign_in().is_some() => {
                say("Enter connects · Ctrl-y copies the address · Esc leaves", Tone::Key);
            }
            (State::Open, _) if is_last && self.is_beginning() => {
                say("Enter shows the address to sign in at · Esc leaves", Tone::Key);
            }
            (State::Open, _) if is_last => {
                say("Enter connects · Shift-Tab back · Esc leaves", Tone::Key);
            }
            (State::Open, _) if self.services() > 1 && self.at == 1 => {
                say("Enter next · Up another service · Esc leaves", Tone::Key);
            }
            (State::Open, _) => say("Enter next · Esc leaves", Tone::Key),
        }
        feet
    }
}
