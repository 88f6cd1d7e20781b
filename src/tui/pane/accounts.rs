//! Institutions and their accounts.
//!
//! ```text
//! Account            Kind         Cash                 Value           In base
//! ▾ Schwab                                                          812,440.10
//!     Brokerage      brokerage    9,953.00 USD    610,022.87 USD    610,022.87  stale
//! ```

use std::collections::{BTreeMap, BTreeSet};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::list::List;
use super::{Outcome, Pane, PaneId, Wish, account_detail, figure};
use crate::keys::{Action, Context};
use crate::model::SafeText;
use crate::state::{AccountRow, AccountsQuery, Question, Snapshot};
use crate::tui::look::{Look, Selection};
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Grid, Row};

/// What stands beside a sum that lacks something.
pub const PARTIAL: &str = "partial";
/// What the sum of all accounts is called where it is explained.
const TOTAL: &str = "total";

const COLUMNS: [Column; 6] = [
    Column { title: "Account", align: Align::Left, priority: 0, width: (20, 40) },
    Column { title: "Kind", align: Align::Left, priority: 4, width: (4, 18) },
    Column { title: "Cash", align: Align::Point, priority: 2, width: (4, 0) },
    Column { title: "Value", align: Align::Point, priority: 3, width: (5, 0) },
    Column { title: "In base", align: Align::Point, priority: 0, width: (7, 0) },
    Column { title: "", align: Align::Left, priority: 1, width: (0, 24) },
];

/// What a line of the table is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Institution(SafeText),
    /// An account, or more of its cash.
    Account(usize),
}

/// The pane.
#[derive(Debug, Default)]
pub struct Accounts {
    folded: BTreeSet<SafeText>,
    list: List,
    lines: Vec<Line>,
}

impl Accounts {
    fn account<'a>(&self, look: &'a Look) -> Option<&'a AccountRow> {
        let Some(Line::Account(at)) = self.lines.get(self.list.cursor.at) else { return None };
        look.snapshot.as_ref()?.accounts.rows.get(*at)
    }

    fn lay_out(&mut self, snapshot: &Snapshot, look: &Look) {
        let mut by_institution: BTreeMap<SafeText, Vec<usize>> = BTreeMap::new();
        for (at, row) in snapshot.accounts.rows.iter().enumerate() {
            if self.list.lets_through(&words_of(row)) {
                by_institution.entry(institution(row)).or_default().push(at);
            }
        }
        let mut rows = Vec::new();
        self.lines.clear();
        for (name, accounts) in by_institution {
            let folded = self.folded.contains(&name);
            let accounts: Vec<(usize, &AccountRow)> = accounts
                .into_iter()
                .filter_map(|at| Some((at, snapshot.accounts.rows.get(at)?)))
                .collect();
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
                    self.lines.push(Line::Account(at));
                }
            }
        }
        self.list.show(Grid::new(&COLUMNS, rows, Some(total(snapshot, look))), look);
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

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        if self.list.act(action, look) {
            return Outcome::DONE;
        }
        match action {
            Action::Fold => {
                if let Some(Line::Institution(name)) = self.lines.get(self.list.cursor.at).cloned()
                {
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
        Some(Selection { account, security: None, range: look.selection.range })
    }

    fn detail_title(&self, look: &Look) -> String {
        match (self.account(look), self.lines.get(self.list.cursor.at)) {
            (Some(account), _) => account.name.to_string(),
            (None, Some(Line::Institution(name))) => name.to_string(),
            (None, _) => "Account".to_owned(),
        }
    }

    fn draw_detail(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        let Some(snapshot) = &look.snapshot else { return };
        match (self.account(look), self.lines.get(self.list.cursor.at)) {
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
        let nothing = "there is no account yet: `dashtam import FILE` brings some";
        self.list.draw(buf, area, look, nothing);
    }

    fn status(&self, look: &Look) -> String {
        match look.snapshot.as_ref().map_or(0, |snapshot| snapshot.accounts.rows.len()) {
            1 => "1 account".to_owned(),
            count => format!("{count} accounts"),
        }
    }

    fn filter(&mut self, text: &str, look: &Look) {
        self.list.filter(text);
        self.refresh(look);
    }

    fn is_filtered(&self) -> bool {
        self.list.is_filtered()
    }

    fn row_text(&self) -> Option<String> {
        Some(self.list.row_text())
    }

    fn click(&mut self, line: u16, look: &Look) {
        self.list.click(line, look);
    }
}

fn institution(row: &AccountRow) -> SafeText {
    row.institution.clone().unwrap_or_else(|| SafeText::new("Without institution"))
}

fn words_of(row: &AccountRow) -> String {
    format!("{} {} {} {}", row.name, row.kind, row.currency, institution(row)).to_lowercase()
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
    let sum = figure::sum(accounts.iter().map(|(_, row)| row.value_base));
    let partial = accounts.iter().any(|(_, row)| row.partial);
    let mark = if folded { '▸' } else { '▾' };
    let mut cells = vec![Cell::default(); COLUMNS.len()];
    if let [first, .., base, marks] = cells.as_mut_slice() {
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
        None => format!("{} {}", crate::text::UNKNOWN, account.currency),
    };
    let old = if account.stale { Tone::Dim } else { Tone::Plain };
    Row::of(vec![
        Cell::plain(format!("    {}", account.name)),
        Cell::new(account.kind.to_string(), Tone::Dim),
        Cell::plain(cash.unwrap_or_default()),
        Cell::new(value, old),
        Cell::new(
            figures.money_or_unknown(account.value_base, snapshot.currency).into_string(),
            old,
        ),
        marks(account, snapshot),
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
    let words = [age.as_str(), partial, closed.as_str()];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let tone = match account.stale || account.partial || account.closed.is_some() {
        true => Tone::Warn,
        false => Tone::Dim,
    };
    Cell::new(words.join(" "), tone)
}

fn total(snapshot: &Snapshot, look: &Look) -> Row {
    let report = &snapshot.accounts;
    let partial = if report.partial { PARTIAL } else { "" };
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
