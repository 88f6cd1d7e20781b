//! Everything of the holding at the cursor: its price, its figures, its lots.
//!
//! ```text
//! Union Broad Market ETF, etf
//! 744 at 158.70 USD of 2026-11-20, file
//!                       USD       In base
//! Value          118,072.80    118,072.80    16.9 %
//! Unrealized  ▲ +50,773.11  ▲ +50,773.11  ▲ +75.4 %
//! Lots, fifo      Quantity      Each         Cost      Unrealized
//! 2018-01-09            12  87.1000     1,045.20     ▲ +859.20  long
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::figure::{gain, gain_part};
use super::holdings::{age, cost_of_one, is_of, lots_of, term};
use crate::model::SafeText;
use crate::state::{HoldingRow, LotRow, Slice, Slot, Snapshot};
use crate::text::percent;
use crate::tui::look::Look;
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Grid, Row, write};

const FIGURES: [Column; 4] = [
    Column { title: "", align: Align::Left, priority: 0, width: (10, 10) },
    Column { title: "Own currency", align: Align::Point, priority: 0, width: (4, 0) },
    Column { title: "In base", align: Align::Point, priority: 1, width: (4, 0) },
    Column { title: "", align: Align::Point, priority: 2, width: (4, 0) },
];

const LOTS: [Column; 6] = [
    Column { title: "Lot of", align: Align::Left, priority: 0, width: (10, 10) },
    Column { title: "Quantity", align: Align::Point, priority: 0, width: (4, 0) },
    Column { title: "Each", align: Align::Point, priority: 2, width: (4, 0) },
    Column { title: "Cost", align: Align::Point, priority: 3, width: (4, 0) },
    Column { title: "Unrealized", align: Align::Point, priority: 1, width: (4, 0) },
    Column { title: "Term", align: Align::Left, priority: 4, width: (4, 5) },
];

/// Draws a holding.
pub fn draw(buf: &mut Buffer, area: Rect, row: &HoldingRow, snapshot: &Snapshot, look: &Look) {
    let theme = look.theme;
    let [head, figures, lots] =
        Layout::vertical([Constraint::Length(2), Constraint::Length(6), Constraint::Fill(1)])
            .areas(area);
    let line =
        |at: u16| Rect { y: head.y + at, height: head.height.saturating_sub(at).min(1), ..head };
    let class = row.asset_class.map(|class| class.to_string());
    let name = row.name.as_ref().map(SafeText::to_string);
    let words: Vec<String> = [name, class].into_iter().flatten().collect();
    write(buf, line(0), &words.join(", "), theme.style(Tone::Plain));
    let used = write(buf, line(1), &price(row, look), theme.style(Tone::Dim)) + 2;
    let (age, tone) = age(row, snapshot);
    let rest = line(1);
    let rest = Rect { x: rest.x + used, width: rest.width.saturating_sub(used), ..rest };
    write(buf, rest, &age, theme.style(tone));
    Grid::new(&FIGURES, rows(row, snapshot, look), None).draw(buf, figures, theme, 0, None);
    let mine = lots_of(look).iter().filter(|lot| is_of(lot, row)).map(|it| lot(it, look));
    let mine: Vec<Row> = mine.collect();
    if let Some(Slice::Failed(trouble)) = look.answer(Slot::Lots) {
        write(buf, lots, &trouble.0, theme.style(Tone::Error));
    } else if !mine.is_empty() {
        Grid::new(&LOTS, mine, None).draw_start(buf, lots, theme);
    }
}

fn price(row: &HoldingRow, look: &Look) -> String {
    let quantity = look.figures.quantity(Some(row.quantity));
    let price = look.figures.price(row.price, row.currency);
    let mut text = format!("{quantity} at {price} {}", row.currency);
    if let Some(date) = row.price_date {
        text.push_str(&format!(" of {date}"));
    }
    if let Some(source) = &row.price_source {
        text.push_str(&format!(", {source}"));
    }
    if row.pending {
        text.push_str(", some of it pending");
    }
    text
}

fn rows(row: &HoldingRow, snapshot: &Snapshot, look: &Look) -> Vec<Row> {
    let (own, base, figures) = (row.currency, snapshot.currency, look.figures);
    let money =
        |value, currency| Cell::plain(figures.money_or_unknown(value, currency).into_string());
    let line = |what: &str, own: Cell, base: Cell, part: Cell| {
        Row::of(vec![Cell::new(what, Tone::Dim), own, base, part])
    };
    let none = Cell::default;
    vec![
        line(
            "Value",
            money(row.value, own),
            money(row.value_base, base),
            Cell::plain(percent(row.weight).into_string()),
        ),
        line("Cost", money(row.cost, own), money(row.cost_base, base), none()),
        line(
            "Unrealized",
            gain(row.unrealized, own, figures),
            gain(row.unrealized_base, base, figures),
            gain_part(row.unrealized_base, row.cost_base),
        ),
        line(
            "Realized",
            gain(row.realized, own, figures),
            gain(row.realized_base, base, figures),
            none(),
        ),
        line("Income", money(row.income, own), none(), none()),
    ]
}

fn lot(lot: &LotRow, look: &Look) -> Row {
    let figures = look.figures;
    Row::of(vec![
        Cell::plain(lot.opened.to_string()),
        Cell::plain(figures.quantity(Some(lot.quantity)).into_string()),
        Cell::new(cost_of_one(lot, figures), Tone::Dim),
        Cell::plain(figures.money_or_unknown(lot.cost, lot.currency).into_string()),
        gain(lot.unrealized, lot.currency, figures),
        Cell::new(term(lot), Tone::Dim),
    ])
}
