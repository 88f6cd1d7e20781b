//! One ledger of every kind, the newest first. Only a window of it is ever read.
//!
//! ```text
//! Date        Account   Type      Symbol   Quantity    Price     Amount     Balance  Description
//! 2024-03-08  RRSP      dividend  VFV.TO                           12.40    1,203.11
//! ```

use std::cmp::Reverse;
use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::list::List;
use super::table::lends;
use super::{
    Outcome, Pane, PaneId, Rows, Sorting, Table, Tally, Wish, said_of_search, transaction_detail,
};
use crate::keys::{Action, Context};
use crate::model::{Change, SafeText, TransactionId};
use crate::service::ledger_sheet::{LedgerColumn, LedgerSheet};
use crate::state::{At, Find, Question, Slice, Slot, Window, WindowQuery, WindowRow};
use crate::text::UNKNOWN;
use crate::tui::errand::Errand;
use crate::tui::form::Subject;
use crate::tui::look::{Look, Order, Selection};
use crate::tui::overlay::Confirm;
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Cursor, Grid, Marking, Row, write};

const COLUMNS: [Column; 9] = [
    Column { title: "Date", align: Align::Left, priority: 0, width: (10, 10) },
    Column { title: "Account", align: Align::Left, priority: 5, width: (10, 24) },
    Column { title: "Type", align: Align::Left, priority: 1, width: (12, 20) },
    Column { title: "Symbol", align: Align::Left, priority: 2, width: (6, 12) },
    Column { title: "Quantity", align: Align::Point, priority: 4, width: (8, 0) },
    Column { title: "Price", align: Align::Point, priority: 6, width: (6, 0) },
    Column { title: "Amount", align: Align::Point, priority: 0, width: (10, 0) },
    Column { title: "Balance", align: Align::Point, priority: 3, width: (10, 0) },
    Column { title: "Description", align: Align::Left, priority: 7, width: (12, 60) },
];

/// The same in a file.
const IN_A_FILE: [LedgerColumn; 9] = [
    LedgerColumn::Date,
    LedgerColumn::Account,
    LedgerColumn::Type,
    LedgerColumn::Symbol,
    LedgerColumn::Quantity,
    LedgerColumn::Price,
    LedgerColumn::Amount,
    LedgerColumn::Balance,
    LedgerColumn::Description,
];

/// How many rows are read at once: several screens, so that most keys need no reading.
const ROWS: usize = 300;

/// The pane.
#[derive(Debug, Default)]
pub struct Transactions {
    oldest_first: bool,
    find: Find,
    complaint: Option<String>,
    filtered: bool,
    /// Whose rows they are; none: of all accounts.
    account: Option<SafeText>,
    at: At,
    /// The row at the cursor, found again in the next window.
    on: Option<TransactionId>,
    /// How far from the end the cursor goes in the next window that is not around a row; none:
    /// it stays.
    from_end: Option<usize>,
    /// Where it goes as soon as the row is there.
    target: Option<TransactionId>,
    /// What is being looked for.
    hunt: Option<Hunt>,
    list: List<TransactionId>,
    /// Two rows; what lies between them is being read, to be marked.
    between: Option<(TransactionId, TransactionId)>,
    notice: Option<String>,
    ids: Vec<TransactionId>,
}

/// How many rows are read at once for a file.
const AT_ONCE: usize = 2_000;

/// The most rows of a range that reaches beyond the window.
const MOST_MARKED: usize = 5_000;

/// There may be a million rows, and only their days have an index.
const BY: [&str; 1] = ["Date"];

/// The column of the figure that matters most.
const MAIN: usize = 6;

/// A search that is under way.
#[derive(Debug)]
struct Hunt {
    find: Find,
    text: String,
    forward: bool,
    from: At,
}

impl Transactions {
    fn row<'a>(&self, look: &'a Look) -> Option<&'a WindowRow> {
        self.in_order(window_of(look)?).get(self.list.told()).copied()
    }

    /// The rows of a window as the screen has them.
    fn in_order<'a>(&self, window: &'a Window) -> Vec<&'a WindowRow> {
        match self.oldest_first {
            true => window.rows.iter().rev().collect(),
            false => window.rows.iter().collect(),
        }
    }

    const fn order(&self) -> Order {
        Order { by: 0, down: !self.oldest_first }
    }

    /// Where the first row of the screen is, and the last one.
    const fn ends(&self) -> (At, At) {
        match self.oldest_first {
            true => (At::Oldest, At::Newest),
            false => (At::Newest, At::Oldest),
        }
    }

    /// The window as a table.
    fn lay_out(&mut self, window: &Window, look: &Look) {
        let rows: Vec<_> = self.in_order(window);
        self.ids = rows.iter().map(|row| row.row.id).collect();
        let rows = rows.into_iter().map(|row| Row::of(cells(row, look))).collect();
        let grid = Grid::new(&COLUMNS, rows, None).no_narrower(&self.list.grid);
        let grid = grid.ordered(&BY, self.order());
        self.list.lay(grid, self.ids.iter().copied().map(Some).collect());
    }

    /// The window moves along where the cursor comes near its end.
    fn follow(&mut self, look: &Look) {
        self.on = self.ids.get(self.list.cursor.at).copied();
        self.list.show_marks();
        let Some(window) = window_of(look) else { return };
        let near = self.list.grid.height(look.size.1) * 2;
        let ends = match self.oldest_first {
            true => (window.last_is_oldest, window.first_is_newest),
            false => (window.first_is_newest, window.last_is_oldest),
        };
        let before = self.list.cursor.at < near && !ends.0;
        let after = self.list.cursor.at + near >= self.ids.len() && !ends.1;
        if let Some(id) = self.on.filter(|_| before || after) {
            self.at = At::Around(id);
        }
    }

    /// Goes where a search came to.
    fn arrive(&mut self, look: &Look) {
        let question = self.hunting(look);
        let Some(Slice::Next(next)) = look.answer_to(Slot::Next, question.as_ref()) else { return };
        let Some(hunt) = self.hunt.take() else { return };
        let around = next.id.map(|_| next.around);
        if around != Some(false) {
            self.notice = Some(said_of_search(around, hunt.forward, &hunt.text));
        }
        let Some(id) = next.id else { return };
        match self.ids.iter().position(|other| *other == id) {
            Some(at) => {
                self.list.cursor.at = at;
                self.list.settle(look.size.1);
                self.follow(look);
            }
            None => {
                self.at = At::Around(id);
                self.target = Some(id);
            }
        }
    }

    /// Marks what lies between two rows, once it is read.
    fn take_range(&mut self, look: &Look) {
        let question = self.reaching(look);
        let Some(Slice::Between(ids)) = look.answer_to(Slot::Between, question.as_ref()) else {
            return;
        };
        self.between = None;
        if ids.is_empty() {
            self.notice = Some(format!("more than {MOST_MARKED} rows are too many to mark"));
        }
        self.list.marks.add(ids.iter().copied());
    }

    /// Forgets marks of rows that are gone.
    fn prune(&mut self, look: &Look) {
        if let Some(Slice::Rows(asked, found)) = look.answer(Slot::Marked) {
            let asked: BTreeSet<_> = asked.iter().collect();
            let found: BTreeSet<_> = found.iter().map(|row| row.row.id).collect();
            self.list.marks.retain(|id| !asked.contains(id) || found.contains(id));
        }
    }

    /// The marked rows, in the order of the screen; none: not all of them are read.
    fn marked<'a>(&self, look: &'a Look) -> Option<Vec<&'a WindowRow>> {
        let marked = self.list.marked();
        let shown = window_of(look).map_or(&[][..], |window| &window.rows);
        let elsewhere = match look.answer(Slot::Marked) {
            Some(Slice::Rows(_, rows)) => rows.as_slice(),
            _ => &[],
        };
        let pick = |rows: &'a [WindowRow]| -> Vec<&'a WindowRow> {
            rows.iter().filter(|row| marked.contains(&row.row.id)).collect()
        };
        let (here, there) = (pick(shown), pick(elsewhere));
        let mut rows = match (here.len() == marked.len(), there.len() == marked.len()) {
            (true, _) => here,
            (_, true) => there,
            // Marks far away, and an open range here.
            _ => {
                let known: BTreeSet<_> = there.iter().map(|row| row.row.id).collect();
                let more = here.into_iter().filter(|row| !known.contains(&row.row.id));
                let mut rows: Vec<_> = more.chain(there.iter().copied()).collect();
                rows.sort_by_key(|row| Reverse(row.row.date));
                rows
            }
        };
        if self.oldest_first {
            rows.reverse();
        }
        (rows.len() == marked.len()).then_some(rows)
    }

    /// What the search that is under way asks.
    fn hunting(&self, look: &Look) -> Option<Question> {
        let hunt = self.hunt.as_ref()?;
        Some(Question::Next(query_of(look, &hunt.find, hunt.from)))
    }

    /// What the range asks that reaches beyond the window.
    fn reaching(&self, look: &Look) -> Option<Question> {
        let (one, other) = self.between?;
        let query = WindowQuery { rows: MOST_MARKED, ..query_of(look, &self.find, At::Newest) };
        Some(Question::Between(query, one, other))
    }

    /// What is to be done to the marked rows, or to the one at the cursor.
    fn by_hand(&self, action: Action, look: &Look) -> Wish {
        let Some(row) = self.row(look) else {
            return Wish::Say("there is no row here".to_owned());
        };
        let marked = self.list.marked();
        if self.list.reaches_beyond() {
            return Wish::Say("the range reaches beyond what is read: end it first".to_owned());
        }
        let id = row.row.id;
        // What is asked is of the rows it is done to, not of the one where the cursor is by now.
        let only = match marked.len() {
            0 => Some(row),
            1 => self.marked(look).and_then(|rows| rows.first().copied()),
            _ => None,
        };
        let ids: Vec<_> = if marked.is_empty() { vec![id] } else { marked.into_iter().collect() };
        match action {
            Action::Edit => Wish::Form(Subject::OldRow(id)),
            Action::Categorise => Wish::Form(Subject::Category(ids)),
            Action::Delete => {
                let text = match (only, ids.len()) {
                    (Some(WindowRow { row, .. }), _) => format!(
                        "Delete the {} of {} in {}? z brings it back.",
                        row.subtype, row.date, row.account
                    ),
                    (None, 1) => "Delete the marked row? z brings it back.".to_owned(),
                    (None, many) => format!("Delete {many} marked rows? z brings them back."),
                };
                let changes = ids.into_iter().map(Change::DeleteTransaction).collect();
                let errand = Errand::change("deleted", changes);
                Wish::Confirm(Box::new(Confirm { text, errand }))
            }
            Action::Link if ids.len() < 2 => {
                Wish::Say("Space marks the rows that are one event".to_owned())
            }
            Action::Link => {
                let change = Change::LinkTransactions(ids);
                Wish::Begin(Errand::change("linked", vec![change]))
            }
            _ if row.row.linked.is_empty() => {
                Wish::Say("this row is an event of its own already".to_owned())
            }
            _ => {
                let change = Change::UnlinkTransaction(id);
                Wish::Begin(Errand::change("unlinked", vec![change]))
            }
        }
    }

    /// The cursor goes to a row as soon as it is read.
    pub const fn show_row(&mut self, id: TransactionId) {
        self.at = At::Around(id);
        self.target = Some(id);
    }

    fn jump(&mut self, at: At) {
        self.from_end = (at == self.ends().1).then_some(0);
        self.target = None;
        self.at = at;
        self.on = None;
        self.list.cursor = Cursor::default();
    }
}

impl Pane for Transactions {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Transactions, Context::List]
    }

    fn refresh(&mut self, look: &Look) {
        // The rows of another account are looked at from the newest on.
        if self.account != look.selection.account {
            self.account.clone_from(&look.selection.account);
            self.jump(self.ends().0);
        }
        let Some(window) = window_of(look) else {
            self.list.lay(Grid::default(), Vec::new());
            self.ids.clear();
            return;
        };
        self.lay_out(window, look);
        let place_of = |id| self.ids.iter().position(|other| *other == id);
        let target = self.target.and_then(place_of);
        if target.is_some() {
            self.target = None;
        }
        let place = target.or_else(|| self.on.and_then(place_of));
        match place {
            // The row stays where it is on the screen, whatever window it is in.
            Some(at) => {
                let from_top = self.list.cursor.at.saturating_sub(self.list.cursor.top);
                self.list.cursor = Cursor { at, top: at.saturating_sub(from_top) };
            }
            None => {
                if let Some(from_end) = self.from_end {
                    self.list.cursor.at = self.ids.len().saturating_sub(from_end + 1);
                }
            }
        }
        self.take_range(look);
        self.prune(look);
        self.list.settle(look.size.1);
        self.on = self.ids.get(self.list.cursor.at).copied();
        self.arrive(look);
    }

    lends!(COLUMNS);

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        let whole = window_of(look).is_some_and(|all| all.first_is_newest && all.last_is_oldest);
        match action {
            Action::First if !whole => self.jump(self.ends().0),
            Action::Last if !whole => self.jump(self.ends().1),
            Action::Open | Action::In => {
                let security = self
                    .row(look)
                    .and_then(|row| Some((row.security_id?, row.row.symbol.clone()?)));
                return match security {
                    Some(security) => {
                        let selection =
                            Selection { security: Some(security), ..look.selection.clone() };
                        Outcome::Done(vec![Wish::Select(selection), Wish::Go(PaneId::Chart)])
                    }
                    None => Outcome::wish(Wish::Say("this row names no security".to_owned())),
                };
            }
            Action::Explain => {
                return Outcome::wish(match self.row(look) {
                    Some(row) => Wish::Explain(Box::new(Question::ExplainRow(row.row.id))),
                    None => Wish::Say("there is no row to explain".to_owned()),
                });
            }
            Action::Add => {
                let account = self.row(look).map(|row| row.row.account.clone());
                return Outcome::wish(Wish::Form(Subject::NewRow(None, account, None)));
            }
            Action::Edit | Action::Delete | Action::Categorise | Action::Link | Action::Unlink => {
                return Outcome::wish(self.by_hand(action, look));
            }
            action => {
                let marking = self.list.mark(action, look.size.1);
                if marking == Marking::Unknown {
                    return Outcome::Unknown;
                }
                if let Marking::Between(one, other) = marking {
                    self.between = Some((one, other));
                }
                self.target = None;
                self.follow(look);
            }
        }
        Outcome::DONE
    }

    fn questions(&self, look: &Look) -> Vec<(Slot, Question)> {
        if look.snapshot.is_none() {
            return Vec::new();
        }
        let window = query_of(look, &self.find, self.at);
        let mut questions = vec![(Slot::Window, Question::Window(window))];
        questions.extend(self.hunting(look).map(|next| (Slot::Next, next)));
        questions.extend(self.reaching(look).map(|between| (Slot::Between, between)));
        let here: BTreeSet<_> = self.ids.iter().collect();
        if self.list.marks.kept().iter().any(|id| !here.contains(id)) {
            let ids = self.list.marks.kept().iter().copied().collect();
            questions.push((Slot::Marked, Question::Rows(ids)));
        }
        questions
    }

    fn subject(&self, look: &Look) -> Option<Selection> {
        let row = self.row(look)?;
        let account = Some(row.row.account.clone());
        let security = row.security_id.zip(row.row.symbol.clone());
        Some(Selection { account, security, ..look.selection.clone() })
    }

    fn detail_questions(&self, look: &Look) -> Vec<(Slot, Question)> {
        self.row(look).map(|row| (Slot::Row, Question::Row(row.row.id))).into_iter().collect()
    }

    fn detail_title(&self, look: &Look) -> String {
        self.row(look).map_or_else(String::new, |row| format!("Transaction {}", row.row.id))
    }

    fn draw_detail(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        if let Some(row) = self.row(look) {
            transaction_detail::draw(buf, area, row, look);
        }
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        if window_of(look).is_none() {
            let (text, tone) = look.waiting(Some(Slot::Window));
            write(buf, area, text, look.theme.style(tone));
        } else if self.ids.is_empty() {
            let text = match self.filtered {
                true => "nothing fits the filter; Esc takes it away",
                false => {
                    "there is no transaction here yet: `a` adds one, `:import FILE` brings some"
                }
            };
            write(buf, area, text, look.theme.style(Tone::Dim));
        } else {
            self.list.draw(buf, area, look, "");
        }
    }

    fn status(&self, look: &Look) -> String {
        if let Some(complaint) = &self.complaint {
            return complaint.clone();
        }
        let Some(window) = window_of(look) else { return String::new() };
        let place = match self.oldest_first {
            // Counted from the oldest, which needs the number of all of them.
            true => window.first_row.zip(window.total).and_then(|(first, total)| {
                let last = first + (self.ids.len() as u64).saturating_sub(1);
                (total + 1 + self.list.cursor.at as u64).checked_sub(last)
            }),
            false => window.first_row.map(|first| first + self.list.cursor.at as u64),
        };
        let row = place.map(|place| format!("row {place}"));
        match (row, window.total) {
            (Some(row), Some(total)) => format!("{row} of {total}"),
            (None, Some(total)) => format!("{total} rows"),
            (row, None) => row.unwrap_or_default(),
        }
    }

    fn filter(&mut self, text: &str, look: &Look) {
        match Find::parse(text) {
            Ok(find) => {
                self.complaint = None;
                self.filtered = !find.is_everything();
                if find != self.find {
                    self.find = find;
                    self.jump(self.ends().0);
                }
            }
            // What was found before stays until the words make sense again.
            Err(error) => self.complaint = Some(error.to_string()),
        }
        self.refresh(look);
    }

    fn sorting(&self) -> Option<Sorting> {
        Some(Sorting { by: BY.to_vec(), order: Some(self.order()) })
    }

    fn is_filtered(&self) -> bool {
        self.filtered
    }

    fn sort(&mut self, order: Order, look: &Look) {
        if self.oldest_first == order.down {
            self.oldest_first = !order.down;
            self.jump(self.ends().0);
            self.refresh(look);
        }
    }

    fn seek(&mut self, text: &str, forward: bool, look: &Look) -> Outcome {
        let find = match Find::parse(text) {
            Ok(find) => find,
            Err(error) => return Outcome::wish(Wish::Say(error.to_string())),
        };
        // A filter leaves nothing but what fits: the next row is the next match.
        let next = match forward {
            true => Some(self.list.cursor.at + 1).filter(|at| *at < self.ids.len()),
            false => self.list.cursor.at.checked_sub(1),
        };
        if find == self.find && next.is_some() {
            let action = if forward { Action::MoveDown } else { Action::MoveUp };
            return self.act(action, look);
        }
        let from = match (self.on, forward != self.oldest_first) {
            (Some(id), true) => At::After(id),
            (Some(id), false) => At::Before(id),
            (None, _) => self.ends().0,
        };
        self.hunt = Some(Hunt { find, text: text.to_owned(), forward, from });
        Outcome::DONE
    }

    fn take_notice(&mut self) -> Option<String> {
        self.notice.take()
    }

    fn go_to(&mut self, row: usize, look: &Look) {
        let total = window_of(look).and_then(|window| window.total);
        let row = (row as u64).max(1);
        // Behind the last one there is nothing: it is the last one that is meant.
        if total.is_some_and(|total| row >= total) {
            self.jump(self.ends().1);
            return;
        }
        if !self.oldest_first {
            self.jump(At::Row(row));
            return;
        }
        // Rows are numbered from the newest on.
        match total {
            Some(total) => {
                let number = (total + 1).saturating_sub(row).max(1);
                // With rows on both sides of it.
                let first = number.saturating_sub(ROWS as u64 / 2).max(1);
                self.jump(At::Row(first));
                self.from_end = usize::try_from(number - first).ok();
            }
            None => self.notice = Some("in this order a filter has no numbers".to_owned()),
        }
    }

    fn tally(&self, look: &Look) -> Option<Tally> {
        if self.list.reaches_beyond() {
            return Some(Tally::beyond());
        }
        let count = self.list.marked().len();
        if count == 0 {
            return None;
        }
        let mut tally = Tally::of(count, self.list.marks.is_open());
        let Some(rows) = self.marked(look) else {
            tally.note("reading ...");
            return Some(tally);
        };
        let mut uncounted = 0;
        for WindowRow { row, .. } in rows {
            match row.status.counts() {
                true => tally.add(row.currency, Some(row.amount), String::new),
                false => uncounted += 1,
            }
        }
        if uncounted > 0 {
            tally.note(format!("without {uncounted} failed or cancelled"));
        }
        Some(tally)
    }

    fn texts(&self, whole: bool, look: &Look) -> Option<Vec<String>> {
        if self.list.reaches_beyond() {
            return None;
        }
        let marked = self.marked(look)?;
        if marked.is_empty() {
            return Some(vec![self.list.text(whole, MAIN)]);
        }
        let text = |row: &&WindowRow| match whole {
            true => Row::of(cells(row, look)).text(),
            false => amount(row, look),
        };
        Some(marked.iter().map(text).collect())
    }

    /// All rows that fit, not only the window: whoever writes them reads them.
    fn sheet(&self, look: &Look) -> Option<Rows> {
        if self.ids.is_empty() {
            return None;
        }
        let chosen = self.list.choice.among(&COLUMNS);
        let columns = chosen.into_iter().filter_map(|at| IN_A_FILE.get(at).copied());
        Some(Rows::Ledger(LedgerSheet {
            query: WindowQuery { rows: AT_ONCE, ..query_of(look, &self.find, At::Newest) },
            oldest_first: self.oldest_first,
            columns: columns.chain([LedgerColumn::Currency]).collect(),
        }))
    }

    fn click(&mut self, line: u16, look: &Look) -> bool {
        let is_row = self.list.click(line, look.size.1);
        self.follow(look);
        is_row
    }
}

/// A question about the transactions that are in sight.
fn query_of(look: &Look, find: &Find, at: At) -> WindowQuery {
    let account = look.account().map(|account| account.id);
    let to = look.snapshot.as_ref().and_then(|snapshot| snapshot.view.as_of);
    WindowQuery { find: find.clone(), account, to, at, rows: ROWS }
}

fn window_of(look: &Look) -> Option<&Window> {
    match look.answer(Slot::Window) {
        Some(Slice::Window(window)) => Some(window),
        _ => None,
    }
}

fn amount(window: &WindowRow, look: &Look) -> String {
    let row = &window.row;
    format!("{} {}", look.figures.money(row.amount, row.currency), row.currency)
}

fn cells(window: &WindowRow, look: &Look) -> Vec<Cell> {
    let (row, figures) = (&window.row, look.figures);
    let text = |text: &Option<SafeText>| text.as_ref().map_or("", SafeText::as_str).to_owned();
    let counts = row.status.counts();
    let tone = if counts { Tone::Plain } else { Tone::Dim };
    let price = row.price.map(|price| figures.price(Some(price), row.currency).into_string());
    let balance = match window.balance {
        Some(balance) => figures.money(balance, row.currency).into_string(),
        None if counts => UNKNOWN.to_owned(),
        None => String::new(),
    };
    vec![
        Cell::new(row.date.to_string(), tone),
        Cell::new(row.account.as_str(), tone),
        Cell::new(row.told_subtype(), tone),
        Cell::new(text(&row.symbol), tone),
        Cell::new(figures.quantity(row.quantity).into_string(), tone).of(row.quantity),
        Cell::new(price.unwrap_or_default(), tone).of(row.price),
        Cell::new(amount(window, look), tone),
        Cell::new(balance, Tone::Dim).of(window.balance),
        Cell::new(text(&row.description), Tone::Dim),
    ]
}
