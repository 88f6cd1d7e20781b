//! Institutions and their accounts.
//!
//! ```text
//! Account            Kind         Cash                 Value            in USD
//! ▾ Schwab                                                          812,440.10
//!     Brokerage      brokerage    9,953.00 USD    610,022.87 USD    610,022.87
//! ```

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Outcome, Pane, PaneId, Tally, Wish, by_figure, found};
use crate::keys::{Action, Context};
use crate::model::{AccountId, Dec, Exact, SafeText};
use crate::state::{AccountRow, AccountsQuery, Question, Snapshot};
use crate::tui::look::{Look, Order, Selection};
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Cursor, Grid, Marking, Marks, Row, Sought, write};

const COLUMNS: [Column; 6] = [
    Column { title: "Account", align: Align::Left, priority: 0, width: (14, 40) },
    Column { title: "Kind", align: Align::Left, priority: 3, width: (4, 18) },
    Column { title: "Cash", align: Align::Right, priority: 2, width: (4, 30) },
    Column { title: "Value", align: Align::Right, priority: 1, width: (5, 30) },
    Column { title: "In base", align: Align::Right, priority: 0, width: (7, 30) },
    Column { title: "", align: Align::Left, priority: 4, width: (0, 20) },
];

/// The column of the figure that matters most.
const MAIN: usize = 4;

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
    Cash,
}

/// The pane.
#[derive(Debug, Default)]
pub struct Accounts {
    folded: BTreeSet<SafeText>,
    filter: Sought,
    order: Order,
    cursor: Cursor,
    grid: Grid,
    lines: Vec<Line>,
    /// Beside each line its account, if it can be marked.
    keys: Vec<Option<AccountId>>,
    marks: Marks<AccountId>,
}

impl Accounts {
    fn settle(&mut self, look: &Look) {
        let height = self.grid.height(look.size.1);
        self.cursor.settle(self.grid.len(), height);
        self.show_marks();
    }

    /// Beside the marked rows, and those of an open range, which ends at the cursor.
    fn show_marks(&mut self) {
        let marked = self.marks.among(&self.keys, self.cursor.at);
        let key = |at: usize| self.keys.get(at).and_then(Option::as_ref);
        self.grid.mark(|at| key(at).is_some_and(|key| marked.contains(key)));
    }

    fn account<'a>(&self, look: &'a Look) -> Option<&'a AccountRow> {
        let Some(Line::Account(at)) = self.lines.get(self.cursor.at) else { return None };
        look.snapshot.as_ref()?.accounts.rows.get(*at)
    }

    fn lay_out(&mut self, snapshot: &Snapshot, look: &Look) {
        let mut by_institution: BTreeMap<SafeText, Vec<(usize, &AccountRow)>> = BTreeMap::new();
        for (at, row) in snapshot.accounts.rows.iter().enumerate() {
            if self.filter.is_empty() || self.filter.fits(&words_of(row)) {
                by_institution.entry(institution(row)).or_default().push((at, row));
            }
        }
        let mut by_institution: Vec<_> = by_institution.into_iter().collect();
        for (_, accounts) in &mut by_institution {
            accounts.sort_by(|(_, a), (_, b)| self.compare(a, b));
        }
        by_institution.sort_by(|(a, its), (b, others)| match self.order.by {
            BY_ACCOUNT => self.order.turned(a.cmp(b)),
            BY_VALUE => by_figure(sum(its), sum(others), self.order),
            _ => a.cmp(b),
        });
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
                    if let Some(cell) = cells.get_mut(2) {
                        *cell = Cell::plain(more);
                    }
                    rows.push(Row::of(cells));
                    self.lines.push(Line::Cash);
                }
            }
        }
        let key = |line: &Line| match line {
            Line::Account(at) => snapshot.accounts.rows.get(*at).map(|row| row.id),
            _ => None,
        };
        self.keys = self.lines.iter().map(key).collect();
        self.marks.retain(|id| snapshot.accounts.rows.iter().any(|row| row.id == *id));
        self.grid = Grid::new(&COLUMNS, rows, Some(total(snapshot, look)));
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
        let marked = self.marks.all(&self.keys, self.cursor.at);
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
        // The cursor stays with its account, wherever that went.
        let on = self.keys.get(self.cursor.at).copied().flatten();
        self.lay_out(&snapshot, look);
        let at = on.and_then(|id| self.keys.iter().position(|key| *key == Some(id)));
        self.cursor.at = at.unwrap_or(self.cursor.at);
        self.settle(look);
    }

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        let height = self.grid.height(look.size.1);
        if self.cursor.act(action, self.grid.len(), height) {
            self.show_marks();
            return Outcome::DONE;
        }
        match self.marks.act(action, &self.keys, self.cursor.at) {
            Marking::Unknown => {}
            marking => {
                match marking {
                    Marking::Next => {
                        self.cursor.act(Action::MoveDown, self.grid.len(), height);
                    }
                    // The range began where nothing is shown any more.
                    Marking::Between(_, here) => self.marks.add([here]),
                    Marking::Unknown | Marking::Done => {}
                }
                self.refresh(look);
                return Outcome::DONE;
            }
        }
        match action {
            Action::Fold => {
                if let Some(Line::Institution(name)) = self.lines.get(self.cursor.at).cloned() {
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
            Action::Out => {
                let selection = Selection { account: None, ..look.selection.clone() };
                Outcome::wish(Wish::Select(selection))
            }
            Action::Explain => match (self.account(look), &look.snapshot) {
                (Some(account), Some(snapshot)) => {
                    let query = AccountsQuery {
                        as_of: snapshot.day,
                        today: snapshot.today,
                        currency: None,
                        account: Some(account.id),
                        closed: true,
                    };
                    let question = Question::ExplainAccount(query, account.name.clone());
                    Outcome::wish(Wish::Explain(Box::new(question)))
                }
                _ => Outcome::DONE,
            },
            _ => Outcome::Unknown,
        }
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        if self.grid.is_empty() {
            let text = match (&look.snapshot, self.filter.is_empty()) {
                (None, _) => "reading ...",
                (Some(_), true) => "there is no account yet: `dashtam import FILE` brings some",
                (Some(_), false) => "nothing fits the filter; Esc takes it away",
            };
            write(buf, area, text, look.theme.style(Tone::Dim));
            return;
        }
        self.grid.draw(buf, area, look.theme, self.cursor.top, Some(self.cursor.at));
    }

    fn status(&self, look: &Look) -> String {
        let count = look.snapshot.as_ref().map_or(0, |snapshot| snapshot.accounts.rows.len());
        match BY.get(self.order.by).filter(|_| self.order != Order::default()) {
            Some(by) => {
                format!("sort {} {}   {count} accounts", by.to_lowercase(), self.order.arrow())
            }
            None => format!("{count} accounts"),
        }
    }

    fn filter(&mut self, text: &str, look: &Look) {
        self.filter = Sought::of(text);
        self.refresh(look);
    }

    fn sorting(&self) -> Option<(&'static [&'static str], Order)> {
        Some((&BY, self.order))
    }

    fn sort(&mut self, order: Order, look: &Look) {
        self.order = order;
        self.refresh(look);
    }

    fn seek(&mut self, text: &str, forward: bool, look: &Look) -> Outcome {
        let sought = Sought::of(text);
        let rows = look.snapshot.as_ref().map_or(&[][..], |shown| &shown.accounts.rows);
        let fits = |line: usize| match self.lines.get(line) {
            Some(Line::Account(at)) => rows.get(*at).is_some_and(|row| sought.fits(&words_of(row))),
            _ => false,
        };
        let height = self.grid.height(look.size.1);
        let around = self.cursor.seek(forward, self.lines.len(), height, fits);
        self.show_marks();
        found(around, forward, text)
    }

    fn tally(&self, look: &Look) -> Option<Tally> {
        let marked = self.marked(look);
        let snapshot = look.snapshot.as_ref().filter(|_| !marked.is_empty())?;
        let mut tally = Tally::of(marked.len(), self.marks.is_open());
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

    fn texts(&self, whole: bool, look: &Look) -> Option<Vec<String>> {
        let marked = self.marked(look);
        let snapshot = look.snapshot.as_ref()?;
        if marked.is_empty() {
            return Some(vec![match whole {
                true => self.grid.text_of(self.cursor.at),
                false => self.grid.cell_of(self.cursor.at, MAIN),
            }]);
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

    fn click(&mut self, line: u16, look: &Look) {
        if let Some(row) = line.checked_sub(1) {
            self.cursor.at = self.cursor.top + usize::from(row);
            self.settle(look);
        }
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

fn institution_row(
    name: &SafeText,
    folded: bool,
    accounts: &[(usize, &AccountRow)],
    snapshot: &Snapshot,
    look: &Look,
) -> Row {
    let sum = sum(accounts);
    let mark = if folded { '▸' } else { '▾' };
    let mut cells = vec![Cell::default(); COLUMNS.len()];
    if let [first, .., base, _] = cells.as_mut_slice() {
        *first = Cell::new(format!("{mark} {name}"), Tone::Title);
        let text = look.figures.money_or_unknown(sum, snapshot.currency);
        *base = Cell::new(text.into_string(), Tone::Strong);
    }
    Row::of(cells)
}

/// What accounts are worth together; none where that of one is not known.
fn sum(accounts: &[(usize, &AccountRow)]) -> Option<Dec> {
    let values: Option<Vec<Dec>> = accounts.iter().map(|(_, row)| row.value_base).collect();
    let sum = values?.into_iter().fold(Exact::ZERO, |sum, value| sum.add(&Exact::from(value)));
    sum.round(12).ok()
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
        None => format!("{} {}", crate::text::UNKNOWN, account.currency),
    };
    let mut marks = Vec::new();
    if account.stale {
        marks.push("stale".to_owned());
    }
    if let Some(day) = account.as_of {
        marks.push(format!("of {day}"));
    }
    if let Some(day) = account.closed {
        marks.push(format!("closed {day}"));
    }
    Row::of(vec![
        Cell::plain(format!("    {}", account.name)),
        Cell::new(account.kind.to_string(), Tone::Dim),
        Cell::plain(cash.unwrap_or_default()),
        Cell::plain(value),
        Cell::plain(figures.money_or_unknown(account.value_base, snapshot.currency).into_string()),
        Cell::new(marks.join(", "), Tone::Warn),
    ])
}

fn total(snapshot: &Snapshot, look: &Look) -> Row {
    let report = &snapshot.accounts;
    let partial = if report.partial { "partial" } else { "" };
    let total = look.figures.money_or_unknown(report.total_base, snapshot.currency);
    Row::of(vec![
        Cell::new("Total", Tone::Strong),
        Cell::default(),
        Cell::default(),
        Cell::default(),
        Cell::new(total.into_string(), Tone::Strong),
        Cell::new(partial, Tone::Warn),
    ])
}
