//! The panes: each shows one side of the portfolio. None knows another; what they share is the
//! selection.

mod account_detail;
mod accounts;
mod chart;
mod figure;
mod holding_detail;
mod holdings;
mod list;
mod overview;
mod transaction_detail;
mod transactions;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub use accounts::Accounts;
pub use chart::Chart;
pub use holdings::Holdings;
pub use overview::Overview;
pub use transactions::Transactions;

use super::look::{Look, Selection};
use crate::keys::{Action, Context};
use crate::state::{Question, Slot, View};

/// More rows than any list has that is shown as a whole.
const MOST_ROWS: usize = 100_000;

/// Which pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaneId {
    /// The whole at a glance.
    Overview,
    /// Institutions and their accounts.
    Accounts,
    /// What is held.
    Holdings,
    /// Every event.
    Transactions,
    /// Prices, or net worth, over time.
    Chart,
}

impl PaneId {
    /// In the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::Overview, Self::Accounts, Self::Holdings, Self::Transactions, Self::Chart];

    /// Its number.
    #[must_use]
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|pane| *pane == self).unwrap_or(0)
    }

    /// As the tabs have it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Accounts => "Accounts",
            Self::Holdings => "Holdings",
            Self::Transactions => "Transactions",
            Self::Chart => "Chart",
        }
    }
}

/// What a pane wants of the app.
#[derive(Clone, Debug)]
pub enum Wish {
    /// Another pane.
    Go(PaneId),
    /// To look at something else.
    Select(Selection),
    /// To look at the store in another way.
    View(View),
    /// To say something in the bottom line.
    Say(String),
    /// How a figure came about.
    Explain(Box<Question>),
}

/// What became of an action.
#[derive(Debug)]
pub enum Outcome {
    /// The pane has no such action.
    Unknown,
    /// Done, with wishes.
    Done(Vec<Wish>),
}

impl Outcome {
    /// Done, and that is all.
    pub const DONE: Self = Self::Done(Vec::new());

    /// Done, with one wish.
    #[must_use]
    pub fn wish(wish: Wish) -> Self {
        Self::Done(vec![wish])
    }
}

/// One side of the portfolio on the screen.
pub trait Pane {
    /// Whose keys it hears.
    fn contexts(&self) -> &'static [Context];

    /// What it shows is not what it was: a new snapshot, an answer, a size, a mask.
    fn refresh(&mut self, look: &Look);

    /// Does what an action says.
    fn act(&mut self, action: Action, look: &Look) -> Outcome;

    /// What it would like to know.
    fn questions(&self, _: &Look) -> Vec<(Slot, Question)> {
        Vec::new()
    }

    /// What the row at its cursor is about: panes beside it show that. None: what is selected.
    fn subject(&self, _: &Look) -> Option<Selection> {
        None
    }

    /// What the detail of the row at its cursor would like to know.
    fn detail_questions(&self, _: &Look) -> Vec<(Slot, Question)> {
        Vec::new()
    }

    /// What stands above that detail.
    fn detail_title(&self, _: &Look) -> String {
        String::new()
    }

    /// Draws everything of the row at its cursor.
    fn draw_detail(&self, _: &mut Buffer, _: Rect, _: &Look) {}

    /// Draws itself.
    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look);

    /// What it says of itself in the second line.
    fn status(&self, _: &Look) -> String {
        String::new()
    }

    /// Shows only what has this text.
    fn filter(&mut self, _: &str, _: &Look) {}

    /// Rows may be left out because of that.
    fn is_filtered(&self) -> bool {
        false
    }

    /// The row at the cursor, for the clipboard.
    fn row_text(&self) -> Option<String> {
        None
    }

    /// Goes to a row by its number, counted from 1.
    fn go_to(&mut self, row: usize, look: &Look) {
        self.act(Action::First, look);
        for _ in 1..row.min(MOST_ROWS) {
            self.act(Action::MoveDown, look);
        }
    }

    /// A click on a line of its place.
    fn click(&mut self, _line: u16, _look: &Look) {}
}
