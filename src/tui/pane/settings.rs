//! What can be chosen: the settings that change figures, which are in the store, and how the dashboard
//! looks, which it remembers by itself.
//!
//! ```text
//! Setting          Value            From      What it changes
//! base_currency    USD              chosen    the currency of totals
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::list::List;
use super::table::{Line, lends};
use super::{Outcome, Pane, Wish};
use crate::keys::{Action, Context};
use crate::model::{SafeText, Setting};
use crate::state::{Question, Slice, Slot};
use crate::tui::form::Subject;
use crate::tui::look::Look;
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Row, write};

const COLUMNS: [Column; 4] = [
    Column { title: "Setting", align: Align::Left, priority: 0, width: (16, 16) },
    Column { title: "Value", align: Align::Left, priority: 0, width: (12, 24) },
    Column { title: "From", align: Align::Left, priority: 2, width: (10, 10) },
    Column { title: "What it changes", align: Align::Left, priority: 1, width: (16, 64) },
];

/// The column that matters most.
const MAIN: usize = 1;

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Choice {
    /// In the store.
    Stored(Setting),
    /// Amounts are hidden or shown.
    Privacy,
    /// The theme.
    Theme,
    /// The colours of gains and losses.
    Swap,
}

/// The pane.
#[derive(Debug, Default)]
pub struct Settings {
    list: List<Choice>,
}

impl Pane for Settings {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Settings, Context::List]
    }

    fn refresh(&mut self, look: &Look) {
        let Some(stored) = stored(look) else { return };
        let stored = stored.iter().map(|(setting, value, chosen)| {
            let from = match (value, chosen) {
                (_, true) => "chosen",
                (Some(_), false) => "default",
                (None, false) => "follows",
            };
            let value = value.as_deref().unwrap_or_else(|| follows(*setting));
            let value = SafeText::new(value);
            let cells = [setting.key(), value.as_str(), from, setting.what()].map(Cell::plain);
            Line::of(Choice::Stored(*setting), Row::of(cells.to_vec()))
        });
        let (private, theme) = (look.figures.private, look.theme);
        let own = [
            (Choice::Privacy, "amounts", if private { "hidden" } else { "shown" }, PRIVACY),
            (Choice::Theme, "theme", theme.name.as_str(), THEME),
            (
                Choice::Swap,
                "gain_and_loss",
                if theme.swapped { "swapped" } else { "as usual" },
                SWAP,
            ),
        ];
        let own = own.into_iter().map(|(choice, name, value, what)| {
            let cells = [name, value, "dashboard", what].map(Cell::plain);
            Line::of(choice, Row::of(cells.to_vec()))
        });
        let lines = stored.chain(own).collect();
        self.list.lay_out(&COLUMNS, lines, None, |_| look.size.1);
    }

    lends!(COLUMNS);

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        if self.list.act(action, look.size.1) {
            return Outcome::DONE;
        }
        match (action, self.list.key()) {
            (Action::Open | Action::In, Some(choice)) => Outcome::wish(match choice {
                Choice::Stored(setting) => Wish::Form(Subject::Setting(*setting)),
                Choice::Privacy => Wish::Act(Action::Privacy),
                Choice::Theme => Wish::Act(Action::Theme),
                Choice::Swap => Wish::Act(Action::SwapColours),
            }),
            (Action::Explain, Some(Choice::Stored(setting))) => {
                Outcome::wish(Wish::Say(format!("{}: {}", setting.key(), setting.what())))
            }
            _ => Outcome::Unknown,
        }
    }

    fn questions(&self, _: &Look) -> Vec<(Slot, Question)> {
        vec![(Slot::Settings, Question::Settings)]
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        if stored(look).is_none() {
            let (text, tone) = look.waiting(Some(Slot::Settings));
            write(buf, area, text, look.theme.style(tone));
            return;
        }
        self.list.draw(buf, area, look, "");
        let beneath = u16::try_from(self.list.grid.len() + 2).unwrap_or(u16::MAX);
        if beneath < area.height {
            let line = Rect { y: area.y + beneath, height: 1, ..area };
            write(buf, line, BENEATH, look.theme.style(Tone::Dim));
        }
    }

    fn status(&self, look: &Look) -> String {
        let chosen = stored(look).unwrap_or_default().iter().filter(|(.., chosen)| *chosen).count();
        format!("{chosen} chosen")
    }
}

const PRIVACY: &str = "whether amounts can be read";
const THEME: &str = "the colours of the dashboard";
const SWAP: &str = "whether gains have the colour of losses, as in East Asia";
/// What is not here.
const BENEATH: &str = "Keys, refreshing and the cover are in the configuration file.";

type Stored = [(Setting, Option<String>, bool)];

fn stored(look: &Look) -> Option<&Stored> {
    match look.answer(Slot::Settings) {
        Some(Slice::Settings(rows)) => Some(rows),
        _ => None,
    }
}

/// What counts where nobody chose a value and there is no fixed one.
const fn follows(setting: Setting) -> &'static str {
    match setting {
        Setting::TaxCurrency => "as the base currency",
        Setting::TimeZone => "as this machine",
        _ => "not chosen",
    }
}
