//! Institutions and their accounts.
//!
//! ```text
//! Account            Kind         Cash                 Value           In base
//! ▾ Schwab                                                          812,440.10
//!     Brokerage      brokerage    9,953.00 USD    610,022.87 USD    610,022.87  stale
//! ```

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::list::List;
use super::table::lends;
use super::{
    Outcome, Pane, PaneId, Rows, Sorting, Table, Tally, Wish, account_detail, by_figure, figure,
};
use crate::keys::{Action, Context};
use crate::model::{AccountEdit, AccountId, Change, Dec, Difference, Edit, SafeText};
use crate::state::{AccountRow, AccountsQuery, Question, Snapshot};
use crate::text::{Figures, UNKNOWN};
use crate::tui::errand::Errand;
use crate::tui::form::Subject;
use crate::tui::live::time_of;
use crate::tui::look::{Look, Order, Selection};
use crate::tui::overlay::Confirm;
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Grid, Row};

/// What stands beside a sum that lacks something.
pub const PARTIAL: &str = "partial";
/// What the sum of all accounts is called where it is explained.
const TOTAL: &str = "total";

const COLUMNS: [Column; 7] = [
    Column { title: "Account", align: Align::Left, priority: 0, width: (20, 40) },
    Column { title: "Kind", align: Align::Left, priority: 4, width: (4, 18) },
    Column { title: "Cash", align: Align::Point, priority: 2, width: (4, 0) },
    Column { title: "Value", align: Align::Point, priority: 3, width: (5, 0) },
    Column { title: "In base", align: Align::Point, priority: 0, width: (7, 0) },
    Column { title: "", align: Align::Left, priority: 1, width: (0, 24) },
    // By itself, so that it never takes the room of what one must know of a value.
    Column { title: "", align: Align::Left, priority: 5, width: (0, 24) },
];

/// The column of the figure that matters most.
const MAIN: usize = 4;

/// The columns of a file: every figure with its currency beside it, and no sums.
const IN_A_FILE: [Column; 10] = [
    COLUMNS[0],
    COLUMNS[1],
    COLUMNS[2],
    COLUMNS[3],
    COLUMNS[MAIN],
    Column { title: "Marks", ..COLUMNS[5] },
    Column { title: "Synced", ..COLUMNS[6] },
    Column { title: "Currency", ..COLUMNS[1] },
    Column { title: "Base", ..COLUMNS[1] },
    Column { title: "Institution", ..COLUMNS[1] },
];

/// What accounts, and institutions too, can be put in order by.
const BY: [&str; 3] = ["Account", "Kind", "In base"];
const BY_ACCOUNT: usize = 0;
const BY_KIND: usize = 1;
const BY_VALUE: usize = 2;

/// What a line of the table is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Institution(SafeText),
    Account(usize),
    /// More of its cash.
    Cash(usize),
}

/// The pane.
#[derive(Debug, Default)]
pub struct Accounts {
    folded: BTreeSet<SafeText>,
    order: Order,
    list: List<AccountId>,
    lines: Vec<Line>,
    /// How many accounts the filter lets through.
    shown: usize,
}

impl Accounts {
    fn account<'a>(&self, look: &'a Look) -> Option<&'a AccountRow> {
        let (Line::Account(at) | Line::Cash(at)) = self.lines.get(self.list.told())? else {
            return None;
        };
        look.snapshot.as_ref()?.accounts.rows.get(*at)
    }

    /// The accounts that the filter lets through, by their institutions, in order.
    fn in_order<'a>(
        &self,
        snapshot: &'a Snapshot,
    ) -> Vec<(SafeText, Vec<(usize, &'a AccountRow)>)> {
        let mut by_institution: BTreeMap<SafeText, Vec<(usize, &AccountRow)>> = BTreeMap::new();
        for (at, row) in snapshot.accounts.rows.iter().enumerate() {
            if self.list.lets_through(&words_of(row)) {
                by_institution.entry(institution(row)).or_default().push((at, row));
            }
        }
        let mut by_institution: Vec<_> = by_institution.into_iter().collect();
        for (_, accounts) in &mut by_institution {
            accounts.sort_by(|(_, a), (_, b)| self.compare(a, b));
        }
        let value = |accounts: &[_]| sum(accounts, snapshot.day);
        by_institution.sort_by(|(a, its), (b, others)| match self.order.by {
            BY_ACCOUNT => self.order.turned(a.cmp(b)),
            BY_VALUE => by_figure(value(its), value(others), self.order),
            _ => a.cmp(b),
        });
        by_institution
    }

    fn lay_out(&mut self, snapshot: &Snapshot, look: &Look) {
        let by_institution = self.in_order(snapshot);
        let shown: Vec<_> = by_institution.iter().flat_map(|(_, rows)| rows).copied().collect();
        self.shown = shown.len();
        let day = snapshot.day;
        let total = match self.is_filtered() {
            true => total(sum(&shown, day), is_partial(&shown, day), snapshot, look),
            // What is on its way between two accounts is in it too.
            false => total(snapshot.accounts.total_base, snapshot.accounts.partial, snapshot, look),
        };
        let mut rows = Vec::new();
        self.lines.clear();
        for (name, accounts) in by_institution {
            let folded = self.folded.contains(&name);
            rows.push(institution_row(&name, folded, &accounts, snapshot, look));
            self.lines.push(Line::Institution(name));
            for (at, account) in accounts.into_iter().filter(|_| !folded) {
                let mut cash = cash_of(account, look).into_iter();
                rows.push(account_row(account, cash.next(), snapshot, look));
                self.lines.push(Line::Account(at));
                // Each currency has a line, so that no amount is ever cut.
                for more in cash {
                    let mut cells = vec![Cell::default(); COLUMNS.len()];
                    if let [name, _, cash, ..] = cells.as_mut_slice() {
                        *name = Cell::new("      more cash", Tone::Dim);
                        *cash = Cell::plain(more);
                    }
                    rows.push(Row::of(cells));
                    self.lines.push(Line::Cash(at));
                }
            }
        }
        let key = |line: &Line| match line {
            Line::Account(at) => snapshot.accounts.rows.get(*at).map(|row| row.id),
            Line::Institution(_) | Line::Cash(_) => None,
        };
        let keys = self.lines.iter().map(key).collect();
        // On a day gone by an account may not be there yet: it is not gone.
        if snapshot.view.as_of.is_none() {
            self.list.marks.retain(|id| snapshot.accounts.rows.iter().any(|row| row.id == *id));
        }
        let grid = Grid::new(&COLUMNS, rows, Some(total)).ordered(&BY, self.order);
        self.list.show(grid, keys, look.size.1);
    }

    fn compare(&self, a: &AccountRow, b: &AccountRow) -> Ordering {
        let by = match self.order.by {
            BY_KIND => self.order.turned(a.kind.as_str().cmp(b.kind.as_str())),
            BY_VALUE => by_figure(a.value_base, b.value_base, self.order),
            _ => self.order.turned(a.name.cmp(&b.name)),
        };
        by.then_with(|| a.name.cmp(&b.name))
    }

    /// The marked accounts, in their order.
    fn marked<'a>(&self, look: &'a Look) -> Vec<&'a AccountRow> {
        let marked = self.list.marked();
        let rows = look.snapshot.as_ref().map_or(&[][..], |shown| &shown.accounts.rows);
        rows.iter().filter(|row| marked.contains(&row.id)).collect()
    }
}

impl Pane for Accounts {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Accounts, Context::List]
    }

    fn refresh(&mut self, look: &Look) {
        let Some(snapshot) = look.snapshot.clone() else { return };
        self.lay_out(&snapshot, look);
    }

    lends!(COLUMNS);

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        if self.list.act(action, look.size.1) {
            return Outcome::DONE;
        }
        match action {
            Action::Fold => {
                if let Some(Line::Institution(name)) = self.lines.get(self.list.told()).cloned() {
                    if !self.folded.remove(&name) {
                        self.folded.insert(name);
                    }
                    self.refresh(look);
                }
                Outcome::DONE
            }
            Action::Open | Action::In => match self.account(look) {
                Some(account) => {
                    let account = Some(account.name.clone());
                    let selection = Selection { account, ..look.selection.clone() };
                    Outcome::Done(vec![Wish::Select(selection), Wish::Go(PaneId::Holdings)])
                }
                None => self.act(Action::Fold, look),
            },
            Action::Add => Outcome::wish(Wish::Form(Subject::NewAccount)),
            Action::Edit | Action::Delete | Action::Balance => match self.account(look) {
                Some(account) => Outcome::wish(by_hand(action, account, look)),
                None => Outcome::wish(Wish::Say("go to an account first".to_owned())),
            },
            Action::Out => {
                let selection = Selection { account: None, ..look.selection.clone() };
                Outcome::wish(Wish::Select(selection))
            }
            // Beside an account: how the total came about, and what it lacks.
            Action::Explain => match &look.snapshot {
                Some(snapshot) => {
                    let account = self.account(look);
                    let query = AccountsQuery {
                        as_of: snapshot.day,
                        today: snapshot.today,
                        currency: None,
                        account: account.map(|account| account.id),
                        closed: true,
                    };
                    let key = account.map_or_else(|| SafeText::new(TOTAL), |row| row.name.clone());
                    let question = Question::ExplainAccount(query, key);
                    Outcome::wish(Wish::Explain(Box::new(question)))
                }
                None => Outcome::DONE,
            },
            _ => Outcome::Unknown,
        }
    }

    fn subject(&self, look: &Look) -> Option<Selection> {
        let account = Some(self.account(look)?.name.clone());
        Some(Selection { account, security: None, ..look.selection.clone() })
    }

    fn detail_title(&self, look: &Look) -> String {
        match (self.account(look), self.lines.get(self.list.told())) {
            (Some(account), _) => account.name.to_string(),
            (None, Some(Line::Institution(name))) => name.to_string(),
            (None, _) => "Account".to_owned(),
        }
    }

    fn draw_detail(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        let Some(snapshot) = &look.snapshot else { return };
        match (self.account(look), self.lines.get(self.list.told())) {
            (Some(account), _) => account_detail::account(buf, area, account, snapshot, look),
            (None, Some(Line::Institution(name))) => {
                let rows = snapshot.accounts.rows.iter();
                let accounts = rows.filter(|row| institution(row) == *name);
                account_detail::institution(buf, area, accounts, snapshot, look);
            }
            (None, _) => {}
        }
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        let nothing = "there is no account yet: `a` adds one, `:import FILE` brings some";
        self.list.draw(buf, area, look, nothing);
    }

    fn status(&self, look: &Look) -> String {
        let count = match look.snapshot.as_ref().map_or(0, |shown| shown.accounts.rows.len()) {
            all if self.is_filtered() => format!("{} of {all} accounts", self.shown),
            1 => "1 account".to_owned(),
            count => format!("{count} accounts"),
        };
        match BY.get(self.order.by).filter(|_| self.order != Order::default()) {
            Some(by) => format!("sort {} {}   {count}", by.to_lowercase(), self.order.arrow()),
            None => count,
        }
    }

    fn sorting(&self) -> Option<Sorting> {
        Some(Sorting { by: BY.to_vec(), order: Some(self.order) })
    }

    fn sort(&mut self, order: Order, look: &Look) {
        self.order = order;
        self.refresh(look);
    }

    fn seek(&mut self, text: &str, forward: bool, look: &Look) -> Outcome {
        let rows = look.snapshot.as_ref().map_or(&[][..], |shown| &shown.accounts.rows);
        self.list.seek(text, forward, look.size.1, |line| match self.lines.get(line) {
            Some(Line::Account(at)) => rows.get(*at).map(words_of),
            _ => None,
        })
    }

    fn tally(&self, look: &Look) -> Option<Tally> {
        if self.list.reaches_beyond() {
            return Some(Tally::beyond());
        }
        let marked = self.marked(look);
        let snapshot = look.snapshot.as_ref().filter(|_| !marked.is_empty())?;
        let mut tally = Tally::of(marked.len(), self.list.marks.is_open());
        for row in marked {
            // A value that is only known in part is no value of the account.
            let value = row.value_base.filter(|_| !row.partial);
            tally.add(snapshot.currency, value, || match row.value_base {
                Some(_) => format!("{} is only known in part", row.name),
                None => format!("the value of {} is not known", row.name),
            });
        }
        Some(tally)
    }

    /// The accounts, those of a folded institution too.
    fn sheet(&self, look: &Look) -> Option<Rows> {
        let snapshot = look.snapshot.as_ref()?;
        let accounts = self.in_order(snapshot).into_iter().flat_map(|(_, accounts)| accounts);
        let rows = accounts.map(|(_, account)| in_a_file(account, snapshot)).collect();
        let grid = Grid::new(&IN_A_FILE, rows, None).chosen(self.list.choice());
        let (titles, rows) = grid.sheet(|_| true);
        Some(Rows::Here(titles, rows))
    }

    fn texts(&self, whole: bool, look: &Look) -> Option<Vec<String>> {
        let marked = self.marked(look);
        let snapshot = look.snapshot.as_ref()?;
        if marked.is_empty() {
            return Some(vec![self.list.text(whole, MAIN)]);
        }
        let text = |row: &AccountRow| match whole {
            true => {
                let cash = Some(cash_of(row, look).join(", "));
                account_row(row, cash, snapshot, look).text()
            }
            false => look.figures.money_or_unknown(row.value_base, snapshot.currency).into_string(),
        };
        Some(marked.into_iter().map(text).collect())
    }
}

/// What is to be done to an account.
fn by_hand(action: Action, account: &AccountRow, look: &Look) -> Wish {
    let name = &account.name;
    match (action, &look.snapshot) {
        (Action::Edit, _) => Wish::Form(Subject::OldAccount(account.id)),
        (Action::Balance, _) => Wish::Form(Subject::Balance(account.id, name.clone())),
        (_, Some(snapshot)) if account.closed.is_none() => {
            let day = snapshot.today;
            let text = format!(
                "Close {name} from {day} on? Its rows stay; totals count it no more. z opens it again."
            );
            let edit = AccountEdit { closed: Edit::Set(day), ..AccountEdit::default() };
            let changes = vec![Change::EditAccount(account.id, edit)];
            let errand = Errand::change("closed the account", changes);
            Wish::Confirm(Box::new(Confirm { text, errand }))
        }
        _ => Wish::Say("it is closed; `e` opens it again: empty `closed from`".to_owned()),
    }
}

fn institution(row: &AccountRow) -> SafeText {
    row.institution.clone().unwrap_or_else(|| SafeText::new("Without institution"))
}

fn words_of(row: &AccountRow) -> String {
    format!("{} {} {} {}", row.name, row.kind, row.currency, institution(row))
}

fn cash_of(account: &AccountRow, look: &Look) -> Vec<String> {
    let held = account.cash.iter().filter(|(_, amount)| !amount.is_zero());
    held.map(|(currency, amount)| format!("{} {currency}", look.figures.money(*amount, *currency)))
        .collect()
}

/// Those of the accounts that sums count.
fn counted<'a>(
    accounts: &'a [(usize, &'a AccountRow)],
    day: NaiveDate,
) -> impl Iterator<Item = &'a AccountRow> {
    accounts.iter().map(|(_, row)| *row).filter(move |row| row.counts_on(day))
}

/// What is known of their values.
fn sum(accounts: &[(usize, &AccountRow)], day: NaiveDate) -> Option<Dec> {
    figure::sum(counted(accounts, day).map(|row| row.value_base))
}

fn is_partial(accounts: &[(usize, &AccountRow)], day: NaiveDate) -> bool {
    counted(accounts, day).any(|row| row.partial)
}

fn institution_row(
    name: &SafeText,
    folded: bool,
    accounts: &[(usize, &AccountRow)],
    snapshot: &Snapshot,
    look: &Look,
) -> Row {
    let sum = sum(accounts, snapshot.day);
    let partial = is_partial(accounts, snapshot.day);
    let mark = if folded { '▸' } else { '▾' };
    let mut cells = vec![Cell::default(); COLUMNS.len()];
    if let [first, .., base, marks, _] = cells.as_mut_slice() {
        *first = Cell::new(format!("{mark} {name}"), Tone::Title);
        let text = look.figures.money_or_unknown(sum, snapshot.currency);
        *base = Cell::new(text.into_string(), Tone::Strong);
        *marks = Cell::new(if partial { PARTIAL } else { "" }, Tone::Warn);
    }
    Row::of(cells)
}

fn account_row(
    account: &AccountRow,
    cash: Option<String>,
    snapshot: &Snapshot,
    look: &Look,
) -> Row {
    let figures = look.figures;
    let value = match account.value {
        Some(value) => format!("{} {}", figures.money(value, account.currency), account.currency),
        None => format!("{UNKNOWN} {}", account.currency),
    };
    let old = if account.stale { Tone::Dim } else { Tone::Plain };
    Row::of(vec![
        // As beside a holding: some row of it is not settled yet.
        Cell::plain(format!("    {}{}", account.name, if account.pending { " *" } else { "" })),
        Cell::new(account.kind.to_string(), Tone::Dim),
        Cell::plain(cash.unwrap_or_default()),
        Cell::new(value, old),
        Cell::new(
            figures.money_or_unknown(account.value_base, snapshot.currency).into_string(),
            old,
        ),
        marks(account, snapshot),
        Cell::new(synced(account, snapshot).unwrap_or_default(), Tone::Dim),
    ])
}

fn in_a_file(account: &AccountRow, snapshot: &Snapshot) -> Row {
    let figure = |value| Cell::plain(UNKNOWN).of(value);
    let exact = |amount| Figures::plain(false).exact(amount);
    let held = account.cash.iter().filter(|(_, amount)| !amount.is_zero());
    let cash: Vec<_> =
        held.map(|(currency, amount)| format!("{} {currency}", exact(*amount))).collect();
    let pending = if account.pending { "pending " } else { "" };
    Row::of(vec![
        Cell::plain(account.name.as_str()),
        Cell::plain(account.kind.to_string()),
        Cell::plain(cash.join(", ")),
        figure(account.value),
        figure(account.value_base),
        Cell::plain(format!("{pending}{}", marks(account, snapshot).text)),
        Cell::plain(synced(account, snapshot).unwrap_or_default()),
        Cell::plain(account.currency.to_string()),
        Cell::plain(snapshot.currency.to_string()),
        Cell::plain(institution(account).as_str()),
    ])
}

/// What one must know of a value: how old it is, whether something is missing in it.
pub fn marks(account: &AccountRow, snapshot: &Snapshot) -> Cell {
    let days = account.as_of.map(|day| snapshot.day.signed_duration_since(day).num_days());
    let age = match (account.stale, days) {
        (true, Some(days)) => format!("! {days}d"),
        // Two words together would take the room of names.
        (true, None) if account.partial => "!".to_owned(),
        (true, None) => "stale".to_owned(),
        (false, Some(days)) if days > 0 => format!("{days}d"),
        (false, _) => String::new(),
    };
    let partial = if account.partial { PARTIAL } else { "" };
    let closed = account.closed.map(|day| format!("closed {day}")).unwrap_or_default();
    let differs = if differs(account, snapshot) { "differs" } else { "" };
    let words = [age.as_str(), partial, closed.as_str(), differs];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let is_odd = !differs.is_empty() || account.closed.is_some();
    let tone = match account.stale || account.partial || is_odd {
        true => Tone::Warn,
        false => Tone::Dim,
    };
    Cell::new(words.join(" "), tone)
}

/// Whether its provider says something else than the ledger.
fn differs(account: &AccountRow, snapshot: &Snapshot) -> bool {
    let mut found = snapshot.findings.iter().flat_map(|found| found.iter());
    found.any(|row| {
        row.kind.as_str() == Difference::FINDING && row.account.as_ref() == Some(&account.name)
    })
}

/// When its connection told of it last.
pub fn synced(account: &AccountRow, snapshot: &Snapshot) -> Option<String> {
    let label = account.connection.as_ref()?;
    let row = snapshot.connections.iter().find(|row| row.connection.label == *label)?;
    let at = row.last.as_ref().and_then(|last| last.succeeded)?;
    Some(format!("synced {}", time_of(at, snapshot)?))
}

fn total(total: Option<Dec>, partial: bool, snapshot: &Snapshot, look: &Look) -> Row {
    let partial = if partial { PARTIAL } else { "" };
    let total = look.figures.money_or_unknown(total, snapshot.currency);
    Row::of(vec![
        Cell::new("Total", Tone::Strong),
        Cell::default(),
        Cell::default(),
        Cell::default(),
        Cell::new(total.into_string(), Tone::Strong),
        Cell::new(partial, Tone::Warn),
        Cell::default(),
    ])
}
