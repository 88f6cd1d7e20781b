//! What makes it a place to stay: filters with names, what was said before, rows as a file, a cover
//! when nobody is there.

use std::path::PathBuf;

use super::super::errand::Errand;
use super::super::memory::Memo;
use super::super::overlay::{ColumnsMenu, Overlay, Page, Palette, ViewCommand};
use super::super::pane::{PaneId, Rows, Wish, said_of_alert, titles};
use super::super::widget::Cell;
use super::{App, Effect, Msg, Presence};
use crate::keys::{Action, Context, Found};
use crate::model::SafeText;
use crate::service::sheet::{self, Field};
use crate::state::Snapshot;
use crate::text::Figures;

/// The most that is kept of what was said.
const MOST_SAID: usize = 200;

impl App {
    /// Does what an action says of how things look and of what stays. False: it says nothing of that.
    pub(super) fn settle_in(&mut self, action: Action, effects: &mut Vec<Effect>) -> bool {
        match action {
            Action::Privacy => {
                let private = !self.look.figures.private;
                self.look.figures = Figures::grouped(private);
                effects.push(Effect::Remember(Memo::Private(private)));
                self.refresh();
            }
            Action::Theme => {
                self.look.theme.name = self.look.theme.name.next();
                self.notice = Some(format!("theme: {}", self.look.theme.name.as_str()));
                effects.push(Effect::Remember(Memo::Theme(self.look.theme.name)));
            }
            Action::SwapColours => {
                let swapped = !self.look.theme.swapped;
                self.look.theme.swapped = swapped;
                let of = if swapped { "each other's colour" } else { "their own colours" };
                self.notice = Some(format!("gains and losses have {of}"));
                effects.push(Effect::Remember(Memo::Swapped(swapped)));
            }
            Action::Columns => {
                let pane = self.pane(self.open);
                match pane.table().filter(|_| !pane.columns().is_empty()) {
                    Some(table) => {
                        let menu = ColumnsMenu::new(titles(pane.columns()), table.choice());
                        self.overlays.push(Overlay::Columns(menu));
                    }
                    None => self.notice = Some("there are no columns to choose from".to_owned()),
                }
            }
            Action::Palette => {
                let views = self.views.clone().into_iter().collect();
                self.overlays.push(Overlay::Palette(Palette { views, ..Palette::default() }));
            }
            Action::Guide => {
                let title =
                    if self.welcomes(self.open) { "First steps" } else { self.open.title() };
                self.overlays.push(Overlay::Page(Page::guide(title)));
            }
            Action::Messages => self.open_messages(),
            Action::View => self.grant(Wish::Type("view ".to_owned()), effects),
            Action::Export => self.grant(Wish::Type("export ".to_owned()), effects),
            _ => return false,
        }
        true
    }

    /// Keeps a filter of the transactions under a name, brings one back, or forgets it.
    pub(super) fn view(&mut self, view: ViewCommand, effects: &mut Vec<Effect>) {
        let pane = PaneId::Transactions;
        self.notice = Some(match view {
            ViewCommand::Save(name) => {
                let filter = self.filters.get(&pane.number()).filter(|text| !text.is_empty());
                match filter.cloned() {
                    Some(filter) => {
                        let said = format!("view {name} is `{filter}`");
                        self.views.insert(name.clone(), filter.clone());
                        effects.push(Effect::Remember(Memo::View(name, Some(filter))));
                        said
                    }
                    None => "the transactions have no filter to keep: / makes one".to_owned(),
                }
            }
            ViewCommand::Open(name) => match self.views.get(&name).cloned() {
                Some(filter) => {
                    let said = format!("view {name}: `{filter}`; / changes it");
                    self.grant(Wish::Find(pane, filter), effects);
                    said
                }
                None => self.no_view(&name),
            },
            ViewCommand::Drop(name) => match self.views.remove(&name) {
                Some(_) => {
                    let said = format!("view {name} is forgotten");
                    effects.push(Effect::Remember(Memo::View(name, None)));
                    said
                }
                None => self.no_view(&name),
            },
        });
    }

    fn no_view(&self, name: &str) -> String {
        let known: Vec<&str> = self.views.keys().map(String::as_str).collect();
        match known.is_empty() {
            true => format!("no view is called {name}: `view save {name}` keeps the filter"),
            false => format!("no view is called {name}; there are {}", known.join(", ")),
        }
    }

    /// Writes the rows of the open table into a file that is not there yet.
    pub(super) fn export(&mut self, path: PathBuf, effects: &mut Vec<Effect>) {
        if self.look.figures.private {
            self.notice = Some("amounts are hidden: nothing was written".to_owned());
            return;
        }
        let errand = match self.pane(self.open).sheet(&self.look) {
            Some(Rows::Here(titles, rows)) if !rows.is_empty() => {
                let rows = rows.iter().map(|row| row.iter().map(field).collect());
                sheet::csv(&titles, rows).ok().map(|bytes| Errand::Export(path, bytes))
            }
            Some(Rows::Ledger(sheet)) => Some(Errand::ExportLedger(path, sheet)),
            _ => None,
        };
        match errand {
            Some(errand) => self.begin(errand, effects),
            None => self.notice = Some("there are no rows here to be written".to_owned()),
        }
    }

    /// Says what alerts have told since the snapshot before; of those that stood there at the start
    /// the line of context tells.
    pub(super) fn hear_alerts(&mut self, snapshot: &Snapshot) {
        let before = self.look.snapshot.as_ref().and_then(|before| before.watch.as_ref());
        let (Some(before), Some(now)) = (before, &snapshot.watch) else { return };
        let last = before.log.first().map(|row| row.log.id);
        let figures = self.look.figures;
        let told = now.log.iter().take_while(|row| Some(row.log.id) > last);
        let told: Vec<_> = told.map(|row| said_of_alert(row, figures)).collect();
        if !told.is_empty() {
            self.notice = Some(format!("! {}; 8 shows what is watched", told.join("; ")));
        }
    }

    /// Keeps what is said now, to be read later.
    pub(super) fn keep_notice(&mut self) {
        if let Some(notice) = &self.notice
            && self.said.last() != Some(notice)
        {
            self.said.push(notice.clone());
            let beyond = self.said.len().saturating_sub(MOST_SAID);
            self.said.drain(..beyond);
        }
    }

    /// Opens what was said, as amounts are shown now.
    pub(super) fn open_messages(&mut self) {
        let figures = self.look.figures;
        let said = self.said.iter().rev().map(|text| figures.message(text));
        let page = Page::messages(said);
        self.overlays.push(Overlay::Page(page));
    }

    /// Somebody is there again. The key that says so does nothing else, unless it ends everything.
    pub(super) fn uncover(&mut self, msg: &Msg, effects: &mut Vec<Effect>) {
        self.presence = Presence::Here;
        if let Msg::Key(chord) = msg
            && self.keymap.find(&[Context::Everywhere], &[*chord])
                == Found::Action(Action::ForceQuit)
        {
            effects.push(Effect::Quit);
        }
    }
}

/// A figure is written as exact as it is known, whatever the screen says of it.
fn field(cell: &Cell) -> Field {
    match cell.figure {
        Some(figure) => Field::Figure(figure),
        None => Field::Words(SafeText::new(cell.text.trim())),
    }
}
