//! What is typed while something lies over the pane: the top overlay hears every key.

use zeroize::Zeroizing;

use super::super::errand::Errand;
use super::super::folders::Listed;
use super::super::guide;
use super::super::look::Selection;
use super::super::overlay::{
    Chosen, Command, Confirm, Entry, Overlay, Palette, Prompt, PromptKind, Said, Sorted,
    ViewCommand, asks, asks_for_secret, complete, last_line, parse_command, take_in,
};
use super::super::pane::{PaneId, Wish};
use super::super::widget::Input;
use super::{App, Effect};
use crate::keys::{Action, Chord, Key};
use crate::state::{Slot, View};

impl App {
    /// False: the overlay is done.
    pub(super) fn overlay_key(
        &mut self,
        overlay: &mut Overlay,
        chord: Chord,
        effects: &mut Vec<Effect>,
    ) -> bool {
        match overlay {
            Overlay::Form(form) => self.form_key(form, chord, effects),
            Overlay::Ask(ask) => self.ask_key(ask, chord, effects),
            Overlay::Prompt(prompt) => self.prompt_key(prompt, chord, effects),
            Overlay::Help(help) => {
                let stays = help.press(chord);
                help.settle(self.room(), &self.keymap, &self.contexts(), guide::of(self.open));
                stays
            }
            Overlay::Palette(palette) => self.palette_key(palette, chord, effects),
            Overlay::Sort(menu) => match menu.press(chord) {
                Sorted::Open => true,
                Sorted::Left => false,
                Sorted::Chosen(order) => {
                    let (pane, look) = self.pane_and_look(self.open);
                    pane.sort(order, look);
                    false
                }
            },
            Overlay::Page(page) => page.press(chord, self.room()),
            Overlay::Columns(menu) => match menu.press(chord) {
                Chosen::Open => true,
                Chosen::Left => false,
                Chosen::Columns(choice) => {
                    let (pane, look) = self.pane_and_look(self.open);
                    pane.choose(choice, look);
                    false
                }
            },
            Overlay::Confirm(confirm) => match Confirm::press(chord) {
                Said::Yes => {
                    self.begin(confirm.errand.clone(), effects);
                    false
                }
                said => said == Said::Nothing,
            },
            Overlay::Explain { top } => match chord.key {
                Key::Down | Key::Char('j') => {
                    let slice = self.look.answer(Slot::Explain);
                    *top = (*top + 1).min(last_line(slice, self.look.figures, self.room().1));
                    true
                }
                Key::Up | Key::Char('k') => {
                    *top = top.saturating_sub(1);
                    true
                }
                _ => {
                    self.explained = None;
                    false
                }
            },
        }
    }

    fn palette_key(
        &mut self,
        palette: &mut Palette,
        chord: Chord,
        effects: &mut Vec<Effect>,
    ) -> bool {
        match (chord.key, chord.ctrl) {
            (Key::Esc, _) => false,
            (Key::Enter, _) => {
                match palette.chosen() {
                    Some(Entry::Action(action)) => self.act(action, effects),
                    Some(Entry::View(name, _)) => self.view(ViewCommand::Open(name), effects),
                    None => {}
                }
                false
            }
            (Key::Down, _) | (Key::Char('n'), true) => {
                let len = palette.matches().len();
                palette.cursor.act(Action::MoveDown, len, usize::from(self.size.1));
                true
            }
            (Key::Up, _) | (Key::Char('p'), true) => {
                let len = palette.matches().len();
                palette.cursor.act(Action::MoveUp, len, usize::from(self.size.1));
                true
            }
            _ => {
                palette.input.press(chord);
                palette.cursor.at = 0;
                true
            }
        }
    }

    fn prompt_key(&mut self, prompt: &mut Prompt, chord: Chord, effects: &mut Vec<Effect>) -> bool {
        prompt.hush();
        if prompt.kind == PromptKind::Filter
            && matches!(chord.key, Key::Esc | Key::Enter)
            && !prompt.input.is_empty()
        {
            self.sought.insert(self.open.number(), prompt.input.text());
        }
        match (prompt.kind, chord.key) {
            (PromptKind::Filter, Key::Esc) => {
                self.filter("");
                false
            }
            (_, Key::Esc) | (PromptKind::Filter, Key::Enter) => false,
            (PromptKind::Command, Key::Enter) => self.command(prompt, effects),
            (PromptKind::AsOf, Key::Enter) => match prompt.input.text().trim().parse() {
                Ok(day) => {
                    self.look_at(View { as_of: Some(day), ..self.view }, effects);
                    false
                }
                Err(_) => {
                    prompt.complaint = Some("a day is written like 2024-12-31".to_owned());
                    true
                }
            },
            (PromptKind::Command, Key::Up) => {
                self.recall(prompt, 1);
                true
            }
            (PromptKind::Command, Key::Down) => {
                self.recall(prompt, -1);
                true
            }
            (PromptKind::Command, Key::Tab) => {
                self.complete(prompt, effects);
                true
            }
            (kind, _) => {
                // An empty line is left by the key that would make it shorter still.
                if chord.key == Key::Backspace && prompt.input.is_empty() {
                    return false;
                }
                prompt.input.press(chord);
                if kind == PromptKind::Filter {
                    self.filter(&prompt.input.text());
                }
                true
            }
        }
    }

    fn command(&mut self, prompt: &mut Prompt, effects: &mut Vec<Effect>) -> bool {
        let line = Zeroizing::new(prompt.input.text());
        if line.trim().is_empty() {
            return false;
        }
        // Such a line may hold what was meant for the page that asks for it.
        let may_be_secret = asks_for_secret(&line);
        if may_be_secret {
            prompt.input.wipe();
        }
        match parse_command(&line) {
            Ok(command) => {
                if !may_be_secret {
                    self.commands.retain(|before| *before != *line);
                    self.commands.push(line.to_string());
                }
                match command {
                    Command::Act(action) => self.act(action, effects),
                    Command::AsOf(day) => {
                        self.look_at(View { as_of: Some(day), ..self.view }, effects);
                    }
                    Command::Row(row) => self.go_to_row(row),
                    Command::Against(against) => {
                        let selection = Selection { against, ..self.look.selection.clone() };
                        self.grant(Wish::Select(selection), effects);
                    }
                    Command::Aim(aim) => {
                        self.desk.plan(aim);
                        self.go(PaneId::Allocation);
                    }
                    Command::WritePlan(path) => match self.desk.plan_file(&self.look) {
                        Some(bytes) => self.begin(Errand::WritePlan(path, bytes), effects),
                        None => {
                            let notice = "there is no plan to write: `invest` or `raise` makes one";
                            self.notice = Some(notice.to_owned());
                        }
                    },
                    Command::Export(path) => self.export(path, effects),
                    Command::View(view) => self.view(view, effects),
                    Command::Errand(errand) => self.begin(errand, effects),
                }
                false
            }
            Err(error) => {
                prompt.complaint = Some(error.to_string());
                true
            }
        }
    }

    /// Completes a name of a file once its folder is read, and anything else at once.
    fn complete(&mut self, prompt: &mut Prompt, effects: &mut Vec<Effect>) {
        match asks(prompt) {
            Some(Ok(query)) => {
                prompt.complaint = Some("reading ...".to_owned());
                // One at a time: a disk that does not answer is not asked again and again.
                if self.listing.is_none() {
                    self.listing = Some(query.clone());
                    effects.push(Effect::List(query));
                }
            }
            Some(Err(error)) => prompt.complaint = Some(error.to_string()),
            None => complete(prompt, self.views.keys()),
        }
    }

    /// A folder was read. What was typed since then wants another answer, or none.
    pub(super) fn listed(&mut self, listed: &Listed) {
        self.listing = None;
        if let Some(Overlay::Prompt(prompt)) = self.overlays.last_mut()
            && prompt.kind == PromptKind::Command
            && asks(prompt).is_some_and(|asked| asked.as_ref() == Ok(&listed.query))
        {
            prompt.hush();
            take_in(prompt, listed);
        }
    }

    fn recall(&self, prompt: &mut Prompt, by: isize) {
        let back = prompt.back.saturating_add_signed(by).min(self.commands.len());
        let line = match back {
            0 => Some(""),
            back => self.commands.iter().rev().nth(back - 1).map(String::as_str),
        };
        prompt.back = back;
        prompt.input = Input::of(line.unwrap_or_default());
    }

    fn go_to_row(&mut self, row: usize) {
        let (pane, look) = self.pane_and_look(self.open);
        pane.go_to(row, look);
        if let Some(notice) = pane.take_notice() {
            self.notice = Some(notice);
        }
    }

    pub(super) fn filter(&mut self, text: &str) {
        self.filters.insert(self.open.number(), text.to_owned());
        let (pane, look) = self.pane_and_look(self.open);
        pane.filter(text, look);
    }

    pub(super) fn paste(&mut self, text: &str) {
        match self.overlays.last_mut() {
            Some(Overlay::Prompt(prompt)) => {
                prompt.input.insert(text);
                if prompt.kind == PromptKind::Filter {
                    let text = prompt.input.text();
                    self.filter(&text);
                }
            }
            Some(Overlay::Palette(palette)) => palette.input.insert(text),
            Some(Overlay::Help(help)) => help.search.insert(text),
            Some(Overlay::Page(page)) => page.search.insert(text),
            Some(Overlay::Form(form)) => form.paste(text),
            Some(Overlay::Ask(ask)) => ask.paste(text),
            Some(
                Overlay::Sort(_)
                | Overlay::Columns(_)
                | Overlay::Explain { .. }
                | Overlay::Confirm(_),
            )
            | None => {
                self.notice = Some("there is no line to paste into".to_owned());
            }
        }
    }
}
