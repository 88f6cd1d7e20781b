//! What the app looks like.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::super::frame::{self, LEAST, Parts};
use super::super::guide;
use super::super::layout::places;
use super::super::overlay::{Overlay, draw_explanation};
use super::super::pane::Pane;
use super::super::theme::{Theme, Tone};
use super::super::widget::{in_ascii, wrapped, write};
use super::App;
use crate::state::Slot;

/// What stands in the bottom line while an errand is under way.
const AT_WORK: &str = "at work ...";

impl App {
    /// Draws everything.
    pub fn draw(&self, area: Rect, buf: &mut Buffer) {
        let look = &self.look;
        let theme = look.theme;
        if self.is_covered() {
            let text = "covered: any key shows it again";
            let line = Rect { y: area.y + area.height / 2, height: area.height.min(1), ..area };
            write(buf, line, text, theme.style(Tone::Dim));
            return;
        }
        if area.width < LEAST.0 || area.height < LEAST.1 {
            let text = format!("dashtam needs {} x {}", LEAST.0, LEAST.1);
            write(
                buf,
                Rect { height: area.height.min(1), ..area },
                &text,
                theme.style(Tone::Plain),
            );
            return;
        }
        let parts = Parts::of(area);
        let pane = self.pane(self.open);
        frame::tabs(buf, parts.tabs, self.open, look);
        frame::context(buf, parts.context, look, &pane.status(look));
        if let Some(what) = self.opening {
            write(buf, parts.body, what, theme.style(Tone::Dim));
        } else if self.welcomes(self.open) {
            self.welcome.draw(buf, parts.body, look);
        } else {
            self.desk.draw(buf, &places(parts.body, self.open, look.zoomed), self.open, look);
        }
        self.draw_overlay(buf, &parts);
        self.draw_bar(buf, parts.bar);
        if self.ascii {
            in_ascii(buf);
        }
    }

    fn draw_overlay(&self, buf: &mut Buffer, parts: &Parts) {
        let theme = self.look.theme;
        match self.overlays.last() {
            Some(Overlay::Help(help)) => {
                let section = guide::of(self.open);
                help.draw(buf, parts.body, theme, &self.keymap, &self.contexts(), section);
            }
            Some(Overlay::Palette(palette)) => palette.draw(buf, parts.body, theme, &self.keymap),
            Some(Overlay::Sort(menu)) => menu.draw(buf, parts.body, theme),
            Some(Overlay::Explain { top }) => {
                let slice = self.look.answer(Slot::Explain);
                draw_explanation(buf, parts.body, theme, self.look.figures, slice, *top);
            }
            Some(Overlay::Page(page)) => page.draw(buf, parts.body, theme),
            Some(Overlay::Columns(menu)) => menu.draw(buf, parts.body, theme),
            Some(Overlay::Confirm(confirm)) => confirm.draw(buf, parts.body, theme),
            Some(Overlay::Ask(ask)) => ask.draw(buf, parts.body, theme),
            Some(Overlay::Form(form)) => form.draw(buf, parts.body, self.look.figures, theme),
            Some(Overlay::Prompt(_)) | None => {}
        }
    }

    fn draw_bar(&self, buf: &mut Buffer, area: Rect) {
        let theme = self.look.theme;
        if let Some(Overlay::Prompt(prompt)) = self.overlays.last() {
            prompt.draw(buf, area, theme);
        } else if let Some(trouble) = &self.look.trouble {
            let older =
                if self.look.snapshot.is_some() { " (shown is what was read last)" } else { "" };
            write(buf, area, &format!("{}{older}", trouble.0), theme.style(Tone::Error));
        } else if let Some(notice) = &self.notice {
            draw_notice(buf, area, notice, theme);
        } else {
            let after = |used: u16, area: Rect| {
                let used = used.min(area.width);
                Rect { x: area.x + used, width: area.width - used, ..area }
            };
            let mut rest = area;
            if self.errands > 0 {
                let rows = self.written.map(|rows| format!("{rows} rows written ..."));
                let text = rows.as_deref().unwrap_or(AT_WORK);
                let used = write(buf, rest, text, theme.style(Tone::Warn));
                rest = after(used + 2, rest);
            }
            if let Some(tally) = self.pane(self.open).tally(&self.look) {
                let used = tally.draw(buf, rest, theme, self.look.figures);
                rest = after(used, rest);
            }
            frame::bar(buf, rest, &self.keymap, &self.contexts(), theme);
        }
    }
}

/// Says something in the bottom line, and above it where that is too short.
fn draw_notice(buf: &mut Buffer, area: Rect, text: &str, theme: Theme) {
    const MOST: usize = 8;
    let lines = wrapped(text, usize::from(area.width));
    let lines = lines.get(..MOST.min(lines.len())).unwrap_or_default();
    let height = u16::try_from(lines.len()).unwrap_or(1).clamp(1, area.bottom().max(1));
    let place = Rect { y: area.bottom() - height, height, ..area };
    Clear.render(place, buf);
    for (line, at) in lines.iter().zip(0..height) {
        write(buf, Rect { y: place.y + at, height: 1, ..place }, line, theme.style(Tone::Plain));
    }
}
