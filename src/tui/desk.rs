//! The panes side by side: the open one hears keys, the others show what its row is about.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;

use super::frame;
use super::layout::{Part, Place};
use super::look::{Look, Selection};
use super::pane::{
    Accounts, Activity, Allocation, Chart, Connections, Health, Holdings, Imports, Income,
    Overview, Pane, PaneId, Performance, Reconcile, SecurityPane, Settings, Transactions, Watch,
};
use crate::config::TableTaste;
use crate::model::TransactionId;
use crate::state::{Aim, Question, Slot};

/// Every pane, and what the row at the cursor of the open one is about.
#[derive(Debug, Default)]
pub struct Desk {
    overview: Overview,
    accounts: Accounts,
    holdings: Holdings,
    transactions: Transactions,
    chart: Chart,
    performance: Performance,
    allocation: Allocation,
    income: Income,
    watch: Watch,
    imports: Imports,
    health: Health,
    activity: Activity,
    security: SecurityPane,
    settings: Settings,
    connections: Connections,
    reconcile: Reconcile,
    subject: Selection,
}

impl Desk {
    /// A pane.
    #[must_use]
    pub fn pane(&self, id: PaneId) -> &dyn Pane {
        match id {
            PaneId::Overview => &self.overview,
            PaneId::Accounts => &self.accounts,
            PaneId::Holdings => &self.holdings,
            PaneId::Transactions => &self.transactions,
            PaneId::Chart => &self.chart,
            PaneId::Performance => &self.performance,
            PaneId::Allocation => &self.allocation,
            PaneId::Income => &self.income,
            PaneId::Watch => &self.watch,
            PaneId::Imports => &self.imports,
            PaneId::Health => &self.health,
            PaneId::Activity => &self.activity,
            PaneId::Security => &self.security,
            PaneId::Settings => &self.settings,
            PaneId::Connections => &self.connections,
            PaneId::Reconcile => &self.reconcile,
        }
    }

    /// A pane, to be changed.
    pub fn pane_mut(&mut self, id: PaneId) -> &mut dyn Pane {
        match id {
            PaneId::Overview => &mut self.overview,
            PaneId::Accounts => &mut self.accounts,
            PaneId::Holdings => &mut self.holdings,
            PaneId::Transactions => &mut self.transactions,
            PaneId::Chart => &mut self.chart,
            PaneId::Performance => &mut self.performance,
            PaneId::Allocation => &mut self.allocation,
            PaneId::Income => &mut self.income,
            PaneId::Watch => &mut self.watch,
            PaneId::Imports => &mut self.imports,
            PaneId::Health => &mut self.health,
            PaneId::Activity => &mut self.activity,
            PaneId::Security => &mut self.security,
            PaneId::Settings => &mut self.settings,
            PaneId::Connections => &mut self.connections,
            PaneId::Reconcile => &mut self.reconcile,
        }
    }

    /// Every pane as it was left, by its name.
    pub fn recall(&mut self, tastes: &BTreeMap<String, TableTaste>, look: &Look) {
        for id in PaneId::ALL {
            if let Some(taste) = tastes.get(&id.name()) {
                self.pane_mut(id).recall(taste, look);
            }
        }
    }

    /// Plans for an amount from now on.
    pub const fn plan(&mut self, aim: Aim) {
        self.allocation.plan(aim);
    }

    /// The plan that is shown, as a file; none: there is none.
    #[must_use]
    pub fn plan_file(&self, look: &Look) -> Option<Vec<u8>> {
        self.allocation.plan_file(look)
    }

    /// The cursor of the transactions goes to a row that was written just now.
    pub const fn show_row(&mut self, id: TransactionId) {
        self.transactions.show_row(id);
    }

    /// Lays out every pane that is seen: what it shows is not what it was.
    pub fn refresh(&mut self, places: &[Place], open: PaneId, look: &Look) {
        self.pane_mut(open).refresh(look);
        self.subject = self.subject_of(open, look);
        self.refresh_beside(places, open, look);
    }

    /// Lays out the panes beside the open one where its row is another than it was.
    pub fn follow(&mut self, places: &[Place], open: PaneId, look: &Look) {
        let subject = self.subject_of(open, look);
        if subject != self.subject {
            self.subject = subject;
            self.refresh_beside(places, open, look);
        }
    }

    /// What the seen parts would like to know.
    #[must_use]
    pub fn questions(&self, places: &[Place], open: PaneId, look: &Look) -> Vec<(Slot, Question)> {
        let ask = |place: &Place| match place.part {
            Part::Detail => self.pane(open).detail_questions(look),
            Part::Pane(id) if id == open => self.pane(id).questions(look),
            Part::Pane(id) => self.pane(id).questions(&self.beside(place, look)),
        };
        places.iter().flat_map(ask).collect()
    }

    /// Draws the seen parts.
    pub fn draw(&self, buf: &mut Buffer, places: &[Place], open: PaneId, look: &Look) {
        for place in places {
            let pane = match place.part {
                Part::Pane(id) => self.pane(id),
                Part::Detail => self.pane(open),
            };
            let focused = place.part == Part::Pane(open);
            let inner = place.inner();
            if place.framed {
                let title = match place.part {
                    // Whose sums are not of everything must say so wherever keys are heard.
                    Part::Pane(id) if pane.is_filtered() => format!("{} (filtered)", id.title()),
                    Part::Pane(id) => id.title().to_owned(),
                    Part::Detail => pane.detail_title(look),
                };
                frame::border(buf, place.area, &title, focused, look.theme);
            }
            match place.part {
                Part::Detail => pane.draw_detail(buf, inner, look),
                Part::Pane(_) if focused => pane.draw(buf, inner, look),
                Part::Pane(_) => pane.draw(buf, inner, &self.beside(place, look)),
            }
        }
    }

    fn subject_of(&self, open: PaneId, look: &Look) -> Selection {
        self.pane(open).subject(look).unwrap_or_else(|| look.selection.clone())
    }

    fn refresh_beside(&mut self, places: &[Place], open: PaneId, look: &Look) {
        for place in places {
            if let Part::Pane(id) = place.part
                && id != open
            {
                let beside = self.beside(place, look);
                self.pane_mut(id).refresh(&beside);
            }
        }
    }

    /// What a pane beside the open one is shown.
    fn beside(&self, place: &Place, look: &Look) -> Look {
        let inner = place.inner();
        Look {
            selection: self.subject.clone(),
            size: (inner.width, inner.height),
            focused: false,
            ..look.clone()
        }
    }
}
