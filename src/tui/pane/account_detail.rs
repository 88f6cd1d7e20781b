//! Everything of the account at the cursor: what it is, what it holds, its cash.
//!
//! ```text
//! brokerage at Northgate Brokerage, ledger in USD
//! Holding      Quantity        Value      Unrealized
//! NWEQ              824    92,617.60    ▲ +28,406.50
//! Cash USD        41.22
//! Total                   211,324.67
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::accounts::{marks, synced};
use super::figure::{gain, gain_part, sum};
use crate::state::{AccountRow, HoldingRow, Snapshot};
use crate::tui::look::Look;
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Grid, Row, write};

const COLUMNS: [Column; 5] = [
    Column { title: "Holding", align: Align::Left, priority: 0, width: (10, 24) },
    Column { title: "Quantity", align: Align::Point, priority: 2, width: (4, 0) },
    Column { title: "Value", align: Align::Point, priority: 0, width: (5, 0) },
    Column { title: "Unrealized", align: Align::Point, priority: 1, width: (6, 0) },
    Column { title: "Return", align: Align::Point, priority: 3, width: (6, 0) },
];

const ACCOUNTS: [Column; 3] = [
    Column { title: "Account", align: Align::Left, priority: 0, width: (10, 40) },
    Column { title: "In base", align: Align::Point, priority: 0, width: (7, 0) },
    Column { title: "", align: Align::Left, priority: 1, width: (0, 24) },
];

/// Draws an account.
pub fn account(
    buf: &mut Buffer,
    area: Rect,
    account: &AccountRow,
    snapshot: &Snapshot,
    look: &Look,
) {
    let theme = look.theme;
    let [line, body] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    let at = account.institution.as_ref().map(|name| format!(" at {name}")).unwrap_or_default();
    let what = format!("{}{at}, {} in {}", account.kind, account.mode, account.currency);
    let used = write(buf, line, &what, theme.style(Tone::Dim)) + 2;
    let rest = Rect { x: line.x + used.min(line.width), ..line };
    let rest = Rect { width: line.width.saturating_sub(used), ..rest };
    let marks = marks(account, snapshot);
    let words = [marks.text.as_str(), &synced(account, snapshot).unwrap_or_default()].join(" ");
    write(buf, rest, words.trim(), theme.style(marks.tone));
    let mut held: Vec<&HoldingRow> = snapshot
        .holdings
        .rows
        .iter()
        .filter(|row| row.account.as_ref() == Some(&account.name))
        .collect();
    held.sort_by(|a, b| b.value_base.cmp(&a.value_base).then_with(|| a.symbol.cmp(&b.symbol)));
    let mut rows: Vec<Row> = held.into_iter().map(|row| holding(row, snapshot, look)).collect();
    for (currency, amount) in account.cash.iter().filter(|(_, amount)| !amount.is_zero()) {
        let amount = look.figures.money(*amount, *currency).into_string();
        rows.push(cells([format!("Cash {currency}"), amount, String::new()]));
    }
    let total = look.figures.money_or_unknown(account.value_base, snapshot.currency).into_string();
    let total = cells(["Total".to_owned(), String::new(), total]);
    Grid::new(&COLUMNS, rows, Some(total)).draw_start(buf, body, theme);
}

fn cells([what, quantity, value]: [String; 3]) -> Row {
    Row::of(vec![
        Cell::plain(what),
        Cell::plain(quantity),
        Cell::plain(value),
        Cell::default(),
        Cell::default(),
    ])
}

fn holding(row: &HoldingRow, snapshot: &Snapshot, look: &Look) -> Row {
    let figures = look.figures;
    let old = if row.stale { Tone::Dim } else { Tone::Plain };
    Row::of(vec![
        Cell::plain(row.symbol.as_str()),
        Cell::plain(figures.quantity(Some(row.quantity)).into_string()),
        Cell::new(figures.money_or_unknown(row.value_base, snapshot.currency).into_string(), old),
        gain(row.unrealized_base, snapshot.currency, figures),
        gain_part(row.unrealized_base, row.cost_base),
    ])
}

/// Draws the accounts of an institution.
pub fn institution<'a>(
    buf: &mut Buffer,
    area: Rect,
    accounts: impl Iterator<Item = &'a AccountRow> + Clone,
    snapshot: &Snapshot,
    look: &Look,
) {
    let money = |value| look.figures.money_or_unknown(value, snapshot.currency).into_string();
    let row = |row: &AccountRow| {
        let value = Cell::plain(money(row.value_base));
        Row::of(vec![Cell::plain(row.name.as_str()), value, marks(row, snapshot)])
    };
    let rows = accounts.clone().map(row).collect();
    let whole = money(sum(accounts.map(|row| row.value_base)));
    let total = Row::of(vec![Cell::plain("Total"), Cell::plain(whole), Cell::default()]);
    Grid::new(&ACCOUNTS, rows, Some(total)).draw_start(buf, area, look.theme);
}
