//! The panes: each shows one side of the portfolio. None knows another; what they share is the
//! selection.

mod account_detail;
mod accounts;
mod activity;
mod allocation;
mod chart;
mod connections;
mod figure;
mod health;
mod heat;
mod holding_detail;
mod holdings;
mod imports;
mod income;
mod list;
mod overlays;
mod overview;
mod performance;
mod reconcile;
mod security;
mod settings;
mod sheet;
mod table;
mod tally;
mod transaction_detail;
mod transactions;
mod trends;
mod watch;
mod welcome;

use std::cmp::Ordering;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub use accounts::Accounts;
pub use activity::Activity;
pub use allocation::Allocation;
pub use chart::Chart;
pub use connections::Connections;
pub use health::Health;
pub use holdings::Holdings;
pub use imports::Imports;
pub use income::Income;
pub use overview::Overview;
pub use performance::Performance;
pub use reconcile::Reconcile;
pub use security::SecurityPane;
pub use settings::Settings;
pub use table::{Rows, Sorting, Table, titles};
pub use tally::Tally;
pub use transactions::Transactions;
pub use watch::{Watch, said as said_of_alert, told as told_by_alert};
pub use welcome::Welcome;

use super::errand::Errand;
use super::form::Subject;
use super::look::{Look, Order, Selection};
use super::overlay::{Again, Confirm};
use super::widget::{Choice, Column};
use crate::config::TableTaste;
use crate::keys::{Action, Context};
use crate::model::{ConnectionId, Dec};
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
    /// What was made of what was put in.
    Performance,
    /// What everything consists of, and should.
    Allocation,
    /// What was received, and what may be.
    Income,
    /// What somebody keeps an eye on.
    Watch,
    /// The imports that there were.
    Imports,
    /// What needs a look.
    Health,
    /// What was done.
    Activity,
    /// Everything of one security.
    Security,
    /// What can be chosen.
    Settings,
    /// Whom figures come from.
    Connections,
    /// What those say beside the ledger.
    Reconcile,
}

impl PaneId {
    /// In the order of their keys; those without one come last.
    pub const ALL: [Self; 16] = [
        Self::Overview,
        Self::Accounts,
        Self::Holdings,
        Self::Transactions,
        Self::Chart,
        Self::Performance,
        Self::Allocation,
        Self::Income,
        Self::Watch,
        Self::Imports,
        Self::Health,
        Self::Activity,
        Self::Security,
        Self::Settings,
        Self::Connections,
        Self::Reconcile,
    ];

    /// The pane that an action opens; none: it opens none.
    #[must_use]
    pub const fn opened_by(action: Action) -> Option<Self> {
        Some(match action {
            Action::Pane0 => Self::Overview,
            Action::Pane1 => Self::Accounts,
            Action::Pane2 => Self::Holdings,
            Action::Pane3 => Self::Transactions,
            Action::Pane4 => Self::Chart,
            Action::Pane5 => Self::Performance,
            Action::Pane6 => Self::Allocation,
            Action::Pane7 => Self::Income,
            Action::Pane8 => Self::Watch,
            Action::Pane9 => Self::Imports,
            Action::Health => Self::Health,
            Action::Activity => Self::Activity,
            Action::Security => Self::Security,
            Action::Settings => Self::Settings,
            Action::Connections => Self::Connections,
            Action::Reconcile => Self::Reconcile,
            _ => return None,
        })
    }

    /// Whether it shows something where there is neither an account nor a row.
    #[must_use]
    pub const fn stands_alone(self) -> bool {
        matches!(
            self,
            Self::Watch | Self::Health | Self::Activity | Self::Settings | Self::Connections
        )
    }

    /// The digit that is its key; none: it is reached from what concerns it, or by name.
    #[must_use]
    pub const fn digit(self) -> Option<char> {
        match self {
            Self::Overview => Some('0'),
            Self::Accounts => Some('1'),
            Self::Holdings => Some('2'),
            Self::Transactions => Some('3'),
            Self::Chart => Some('4'),
            Self::Performance => Some('5'),
            Self::Allocation => Some('6'),
            Self::Income => Some('7'),
            Self::Watch => Some('8'),
            Self::Imports => Some('9'),
            Self::Health
            | Self::Activity
            | Self::Security
            | Self::Settings
            | Self::Connections
            | Self::Reconcile => None,
        }
    }

    /// Its place among all of them.
    #[must_use]
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|pane| *pane == self).unwrap_or(0)
    }

    /// As it is remembered, and called where something is written of it.
    #[must_use]
    pub fn name(self) -> String {
        self.title().to_lowercase()
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
            Self::Performance => "Performance",
            Self::Allocation => "Allocation",
            Self::Income => "Income",
            Self::Watch => "Watch",
            Self::Imports => "Imports",
            Self::Health => "Health",
            Self::Activity => "Activity",
            Self::Security => "Security",
            Self::Settings => "Settings",
            Self::Connections => "Connections",
            Self::Reconcile => "Reconcile",
        }
    }

    /// The same where there is less room.
    #[must_use]
    pub const fn short_title(self) -> &'static str {
        match self {
            Self::Overview => "Over",
            Self::Accounts => "Acct",
            Self::Holdings => "Hold",
            Self::Transactions => "Txn",
            Self::Chart => "Chart",
            Self::Performance => "Perf",
            Self::Allocation => "Alloc",
            Self::Income => "Inc",
            Self::Watch => "Watch",
            Self::Imports => "Imp",
            Self::Health => "Health",
            Self::Activity => "Activity",
            Self::Security => "Security",
            Self::Settings => "Settings",
            Self::Connections => "Connections",
            Self::Reconcile => "Reconcile",
        }
    }
}

/// What a pane wants of the app.
#[derive(Clone, Debug)]
pub enum Wish {
    /// Another pane.
    Go(PaneId),
    /// Another pane with only what has this text.
    Find(PaneId, String),
    /// To look at something else.
    Select(Selection),
    /// To look at the store in another way.
    View(View),
    /// To say something in the bottom line.
    Say(String),
    /// How a figure came about.
    Explain(Box<Question>),
    /// The command line with the beginning of a line.
    Type(String),
    /// What a key would do.
    Act(Action),
    /// Something done once somebody says yes.
    Confirm(Box<Confirm>),
    /// Something to be changed by hand.
    Form(Subject),
    /// Something done at once: it can be taken back.
    Begin(Errand),
    /// A connection that no longer works, or whose consent ends, connected again.
    Reconnect(Again),
    /// What is new from one connection.
    Refresh(ConnectionId),
    /// The demo in place of this store.
    Demo,
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

/// The order of two figures. What is not known comes last, whichever way.
fn by_figure(a: Option<Dec>, b: Option<Dec>, order: Order) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => order.turned(a.cmp(&b)),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}

/// What there is to say of a search that goes around: true if it did, none if nothing fits.
fn found(around: Option<bool>, forward: bool, text: &str) -> Outcome {
    match (around, forward) {
        (Some(false), _) => Outcome::DONE,
        (around, _) => Outcome::wish(Wish::Say(said_of_search(around, forward, text))),
    }
}

fn said_of_search(around: Option<bool>, forward: bool, text: &str) -> String {
    match (around, forward) {
        (Some(_), true) => "no more below: on from the top".to_owned(),
        (Some(_), false) => "no more above: on from the bottom".to_owned(),
        (None, _) => format!("nothing fits {text}"),
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

    /// It tells of the row at its cursor beneath its rows, so that it has something to keep while
    /// the cursor is on its way.
    fn tells_of_row(&self) -> bool {
        false
    }

    /// What it would like to know.
    fn questions(&self, _: &Look) -> Vec<(Slot, Question)> {
        Vec::new()
    }

    /// The table that it is about; none: it has none. All that is the same for every table comes of
    /// it, unless a pane says otherwise.
    fn table(&self) -> Option<&dyn Table> {
        None
    }

    /// The same, to be changed.
    fn table_mut(&mut self) -> Option<&mut dyn Table> {
        None
    }

    /// The columns of that table.
    fn columns(&self) -> &'static [Column] {
        &[]
    }

    /// The column of the figure that matters most.
    fn main_column(&self) -> usize {
        0
    }

    /// The column of bars that open what they stand for; none: there are no bars.
    fn bar_column(&self) -> Option<usize> {
        None
    }

    /// How many lines of its place that table has.
    fn lines(&self, look: &Look) -> u16 {
        look.size.1
    }

    /// The line of its place at which that table begins.
    fn top(&self, _: &Look) -> u16 {
        0
    }

    /// What its rows are grouped, cut or summed by; none: that cannot be chosen.
    fn group(&self) -> Option<&'static str> {
        None
    }

    /// Groups by something else, by its name.
    fn regroup(&mut self, _: &str) {}

    /// The cursor is on its way: until it rests the parts beside tell of the row it has left.
    fn linger(&mut self, lingers: bool) {
        if let Some(table) = self.table_mut() {
            table.linger(lingers);
        }
    }

    /// What the row that is told of is about: panes beside it show that. None: what is selected.
    fn subject(&self, _: &Look) -> Option<Selection> {
        None
    }

    /// What the detail of that row would like to know.
    fn detail_questions(&self, _: &Look) -> Vec<(Slot, Question)> {
        Vec::new()
    }

    /// What stands above that detail.
    fn detail_title(&self, _: &Look) -> String {
        String::new()
    }

    /// Draws everything of that row.
    fn draw_detail(&self, _: &mut Buffer, _: Rect, _: &Look) {}

    /// Draws itself.
    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look);

    /// What it says of itself in the second line.
    fn status(&self, _: &Look) -> String {
        String::new()
    }

    /// Shows only what has this text.
    fn filter(&mut self, text: &str, look: &Look) {
        if let Some(table) = self.table_mut() {
            table.filter(text);
            self.refresh(look);
        }
    }

    /// Rows may be left out because of that.
    fn is_filtered(&self) -> bool {
        self.table().is_some_and(Table::is_filtered)
    }

    /// What its rows can be put in order by, and the order that is; none: there is only one.
    fn sorting(&self) -> Option<Sorting> {
        Some(self.table()?.sorting(self.columns()))
    }

    /// Puts its rows in another order.
    fn sort(&mut self, order: Order, look: &Look) {
        let by = self.sorting().and_then(|sorting| sorting.by.get(order.by).copied());
        if let (Some(title), Some(table)) = (by, self.table_mut()) {
            table.sort(title, order.down);
            self.refresh(look);
        }
    }

    /// Goes to the next row that has this text, or to the one before.
    fn seek(&mut self, text: &str, forward: bool, look: &Look) -> Outcome {
        let lines = self.lines(look);
        match self.table_mut() {
            Some(table) => table.seek_shown(text, forward, lines),
            None => Outcome::Unknown,
        }
    }

    /// What came out while nobody pressed a key, to be said once.
    fn take_notice(&mut self) -> Option<String> {
        None
    }

    /// What is marked; none: nothing is.
    fn tally(&self, _: &Look) -> Option<Tally> {
        let (count, is_open) = self.table()?.count_marked();
        (count > 0).then(|| Tally::of(count, is_open))
    }

    /// For the clipboard, the marked rows or else the one at the cursor: whole, or only the figure
    /// that matters most in it. None: they are not all read yet.
    fn texts(&self, whole: bool, _: &Look) -> Option<Vec<String>> {
        let table = self.table();
        Some(table.map_or_else(Vec::new, |table| table.texts(whole, self.main_column())))
    }

    /// Its rows as a file, with nothing that says again what another row says; none: there are none.
    fn sheet(&self, _: &Look) -> Option<Rows> {
        Some(self.table()?.sheet())
    }

    /// Goes to a row by its number, counted from 1.
    fn go_to(&mut self, row: usize, look: &Look) {
        self.act(Action::First, look);
        for _ in 1..row.min(MOST_ROWS) {
            self.act(Action::MoveDown, look);
        }
    }

    /// A click on a line of its place. True: there is a row.
    fn click(&mut self, line: u16, look: &Look) -> bool {
        let (lines, top) = (self.lines(look), self.top(look));
        match (self.table_mut(), line.checked_sub(top)) {
            (Some(table), Some(line)) => table.click(line, lines),
            _ => false,
        }
    }

    /// The column whose heading is at a column and a line of its place.
    fn heading_at(&self, (x, line): (u16, u16), look: &Look) -> Option<Column> {
        let table = self.table().filter(|table| !table.grid().is_empty())?;
        let column = table.grid().heading_at(x, look.size.0)?;
        (line == self.top(look)).then_some(column)
    }

    /// Whether a column of its place is among the bars.
    fn is_bar(&self, x: u16, look: &Look) -> bool {
        let place = |at| self.table()?.grid().place_of(at, look.size.0);
        let place: Option<std::ops::Range<u16>> = self.bar_column().and_then(place);
        place.is_some_and(|place| place.contains(&x))
    }

    /// How it was left: order, groups and columns.
    fn taste(&self) -> TableTaste {
        let sorting = self.sorting().unwrap_or_default();
        let order = sorting.order.and_then(|order| Some((*sorting.by.get(order.by)?, order.down)));
        let Choice { order: columns, hidden } =
            self.table().map(|table| table.choice().clone()).unwrap_or_default();
        TableTaste {
            sort: order.map(|(title, _)| title.to_owned()),
            down: order.is_some_and(|(_, down)| down),
            group: self.group().map(str::to_owned),
            columns,
            hidden,
        }
    }

    /// As it was left before.
    fn recall(&mut self, taste: &TableTaste, look: &Look) {
        let all = self.sorting().unwrap_or_default().by;
        if let Some(by) = all.iter().position(|by| Some(*by) == taste.sort.as_deref()) {
            self.sort(Order { by, down: taste.down }, look);
        }
        if let Some(group) = &taste.group {
            self.regroup(group);
        }
        let choice = Choice { order: taste.columns.clone(), hidden: taste.hidden.clone() };
        self.choose(choice, look);
    }

    /// Shows other columns.
    fn choose(&mut self, choice: Choice, look: &Look) {
        if let Some(table) = self.table_mut() {
            table.choose(choice);
            self.refresh(look);
        }
    }
}
