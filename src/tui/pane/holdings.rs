//! What is held, with its lots beneath.
//!
//! ```text
//! Symbol   Name                  Quantity   Price     Age     Value  Weight     Cost  Unrealized
//! XEQT.TO  iShares All-Equity     1,204     34.12          41,080.48  41.9 %  ...     ▲ +10,968.41
//!   2021-03-04  120 @ 81.1025  cost 9,737.25  ▲ +8,610.75  long
//! ```

use std::cmp::Ordering;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Outcome, Pane, PaneId, Tally, Wish, by_figure, found};
use crate::keys::{Action, Context};
use crate::model::{Dec, Exact, SafeText, SecurityId, Term};
use crate::state::{HoldingRow, LotRow, PositionsQuery, Question, Slice, Slot, Snapshot, View};
use crate::text::{DOWN, UNKNOWN, UP, percent};
use crate::tui::look::{Look, Order, Selection};
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Cursor, Grid, Marking, Marks, Row, Sought, write};

const COLUMNS: [Column; 10] = [
    Column { title: "Symbol", align: Align::Left, priority: 0, width: (8, 16) },
    Column { title: "Name", align: Align::Left, priority: 6, width: (6, 26) },
    Column { title: "Quantity", align: Align::Point, priority: 3, width: (4, 24) },
    Column { title: "Price", align: Align::Right, priority: 4, width: (4, 20) },
    Column { title: "Age", align: Align::Left, priority: 5, width: (3, 8) },
    Column { title: "Value", align: Align::Right, priority: 0, width: (6, 24) },
    Column { title: "Weight", align: Align::Right, priority: 2, width: (6, 8) },
    Column { title: "Cost", align: Align::Right, priority: 8, width: (4, 24) },
    Column { title: "Unrealized", align: Align::Right, priority: 1, width: (6, 26) },
    Column { title: "Return", align: Align::Right, priority: 7, width: (6, 12) },
];

/// The column of the figure that matters most.
const MAIN: usize = 5;

/// What rows are put together by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Group {
    #[default]
    Account,
    Class,
    Currency,
    Nothing,
}

impl Group {
    const fn next(self) -> Self {
        match self {
            Self::Account => Self::Class,
            Self::Class => Self::Currency,
            Self::Currency => Self::Nothing,
            Self::Nothing => Self::Account,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Class => "class",
            Self::Currency => "currency",
            Self::Nothing => "nothing",
        }
    }
}

/// What rows can be put in order by.
const BY: [&str; 9] =
    ["Symbol", "Name", "Quantity", "Price", "Value", "Weight", "Cost", "Unrealized", "Return"];
/// Those of them that are no figures.
const BY_SYMBOL: usize = 0;
const BY_NAME: usize = 1;
/// At first the most valuable comes first.
const BY_VALUE: Order = Order { by: 4, down: true };

/// What a line of the table is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Heading,
    Holding(usize),
    Lot,
}

/// The pane.
#[derive(Debug, Default)]
pub struct Holdings {
    group: Group,
    /// None: as it is at first.
    order: Option<Order>,
    lots: bool,
    filter: Sought,
    cursor: Cursor,
    grid: Grid,
    lines: Vec<Line>,
    /// Beside each line what it is, if it can be marked.
    keys: Vec<Option<Held>>,
    marks: Marks<Held>,
    shown: usize,
}

/// A position: in which account, and of what.
type Held = (Option<SafeText>, SecurityId);

impl Holdings {
    fn row<'a>(&self, look: &'a Look) -> Option<&'a HoldingRow> {
        let Some(Line::Holding(at)) = self.lines.get(self.cursor.at) else { return None };
        look.snapshot.as_ref()?.holdings.rows.get(*at)
    }

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

    fn lay_out(&mut self, snapshot: &Snapshot, look: &Look) {
        let report = &snapshot.holdings;
        let fits = |row: &HoldingRow| {
            let in_scope =
                look.selection.account.is_none() || look.selection.account == row.account;
            in_scope && (self.filter.is_empty() || self.filter.fits(&words_of(row)))
        };
        let mut order: Vec<usize> =
            (0..report.rows.len()).filter(|at| report.rows.get(*at).is_some_and(fits)).collect();
        let order_of = |at: &usize| report.rows.get(*at);
        order.sort_by(|a, b| match (order_of(a), order_of(b)) {
            (Some(a), Some(b)) => self.compare(a, b),
            _ => Ordering::Equal,
        });
        self.shown = order.len();
        self.lines.clear();
        let mut rows = Vec::new();
        let mut group = None;
        let lots = match look.answers.get(&Slot::Lots).map(AsRef::as_ref) {
            Some(Slice::Lots(report)) if self.lots => report.rows.as_slice(),
            _ => &[],
        };
        for at in order {
            let Some(row) = report.rows.get(at) else { continue };
            let of = self.group_of(row);
            if of.is_some() && group != of {
                let name = of.as_ref().map_or("", SafeText::as_str);
                rows.push(Row::whole(Cell::new(name, Tone::Title)));
                self.lines.push(Line::Heading);
                group = of;
            }
            rows.push(Row::of(cells(row, snapshot, look)));
            self.lines.push(Line::Holding(at));
            let mine = lots.iter().filter(|lot| {
                lot.symbol == row.symbol
                    && lot.account == row.account
                    && lot.currency == row.currency
            });
            for lot in mine {
                rows.push(Row::whole(lot_cell(lot, look)));
                self.lines.push(Line::Lot);
            }
        }
        let key = |line: &Line| match line {
            Line::Holding(at) => report.rows.get(*at).map(key_of),
            _ => None,
        };
        self.keys = self.lines.iter().map(key).collect();
        self.marks.retain(|key| report.rows.iter().any(|row| key_of(row) == *key));
        self.grid = Grid::new(&COLUMNS, rows, Some(total(snapshot, look)));
    }

    /// The marked positions, in their order.
    fn marked<'a>(&self, look: &'a Look) -> Vec<&'a HoldingRow> {
        let marked = self.marks.all(&self.keys, self.cursor.at);
        let rows = look.snapshot.as_ref().map_or(&[][..], |shown| &shown.holdings.rows);
        let mut rows: Vec<_> = rows.iter().filter(|row| marked.contains(&key_of(row))).collect();
        rows.sort_by(|a, b| self.compare(a, b));
        rows
    }

    fn compare(&self, a: &HoldingRow, b: &HoldingRow) -> Ordering {
        let order = self.order.unwrap_or(BY_VALUE);
        let by = match order.by {
            BY_SYMBOL => order.turned(a.symbol.cmp(&b.symbol)),
            BY_NAME => order.turned(a.name.cmp(&b.name)),
            by => by_figure(figure(a, by), figure(b, by), order),
        };
        self.group_of(a).cmp(&self.group_of(b)).then(by).then_with(|| a.symbol.cmp(&b.symbol))
    }

    fn group_of(&self, row: &HoldingRow) -> Option<SafeText> {
        match self.group {
            Group::Account => {
                Some(row.account.clone().unwrap_or_else(|| SafeText::new("in transit")))
            }
            Group::Class => {
                let class = row.asset_class.map(|class| class.to_string());
                Some(SafeText::new(class.as_deref().unwrap_or("of unknown class")))
            }
            Group::Currency => Some(SafeText::new(row.currency.code())),
            Group::Nothing => None,
        }
    }
}

impl Pane for Holdings {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Holdings, Context::List]
    }

    fn refresh(&mut self, look: &Look) {
        let Some(snapshot) = look.snapshot.clone() else { return };
        // The cursor stays with what it is on, wherever that went.
        let held = self.row_key(look);
        self.lay_out(&snapshot, look);
        if let Some(key) = held {
            let same = self.lines.iter().position(|line| match line {
                Line::Holding(at) => {
                    snapshot.holdings.rows.get(*at).map(key_of) == Some(key.clone())
                }
                _ => false,
            });
            self.cursor.at = same.unwrap_or(self.cursor.at);
        }
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
            Action::Group => {
                self.group = self.group.next();
                self.refresh(look);
                Outcome::wish(Wish::Say(format!("grouped by {}", self.group.as_str())))
            }
            Action::Lots => {
                self.lots = !self.lots;
                self.refresh(look);
                Outcome::DONE
            }
            Action::Closed => {
                let view = look.snapshot.as_ref().map(|snapshot| snapshot.view).unwrap_or_default();
                Outcome::wish(Wish::View(View { closed: !view.closed, ..view }))
            }
            Action::Open | Action::In => match self.row(look) {
                Some(row) => {
                    let security = Some((row.security_id, row.symbol.clone()));
                    let selection = Selection { security, ..look.selection.clone() };
                    Outcome::Done(vec![Wish::Select(selection), Wish::Go(PaneId::Chart)])
                }
                None => Outcome::DONE,
            },
            Action::Out => Outcome::wish(Wish::Go(PaneId::Accounts)),
            Action::Explain => match (self.row(look), &look.snapshot) {
                (Some(row), Some(snapshot)) => {
                    let mut query = positions(snapshot);
                    query.account = snapshot
                        .accounts
                        .rows
                        .iter()
                        .find(|account| Some(&account.name) == row.account.as_ref())
                        .map(|account| account.id);
                    let question = Question::ExplainHolding(query, row.symbol.clone());
                    Outcome::wish(Wish::Explain(Box::new(question)))
                }
                _ => Outcome::DONE,
            },
            _ => Outcome::Unknown,
        }
    }

    fn questions(&self, look: &Look) -> Vec<(Slot, Question)> {
        match &look.snapshot {
            Some(snapshot) if self.lots => {
                vec![(Slot::Lots, Question::Lots(positions(snapshot)))]
            }
            _ => Vec::new(),
        }
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        if self.grid.is_empty() {
            let text = match (&look.snapshot, self.filter.is_empty()) {
                (None, _) => "reading ...",
                (Some(_), true) => "nothing is held",
                (Some(_), false) => "nothing fits the filter; Esc takes it away",
            };
            write(buf, area, text, look.theme.style(Tone::Dim));
            return;
        }
        self.grid.draw(buf, area, look.theme, self.cursor.top, Some(self.cursor.at));
    }

    fn status(&self, look: &Look) -> String {
        let all = look.snapshot.as_ref().map_or(0, |snapshot| snapshot.holdings.rows.len());
        let rows = match self.shown == all {
            true => format!("{all} rows"),
            false => format!("{} of {all} rows", self.shown),
        };
        let order = self.order.unwrap_or(BY_VALUE);
        let by = BY.get(order.by).map(|by| by.to_lowercase()).unwrap_or_default();
        format!("sort {by} {}   group {}   {rows}", order.arrow(), self.group.as_str())
    }

    fn filter(&mut self, text: &str, look: &Look) {
        self.filter = Sought::of(text);
        self.refresh(look);
    }

    fn sorting(&self) -> Option<(&'static [&'static str], Order)> {
        Some((&BY, self.order.unwrap_or(BY_VALUE)))
    }

    fn sort(&mut self, order: Order, look: &Look) {
        self.order = Some(order);
        self.refresh(look);
    }

    fn seek(&mut self, text: &str, forward: bool, look: &Look) -> Outcome {
        let sought = Sought::of(text);
        let rows = look.snapshot.as_ref().map_or(&[][..], |shown| &shown.holdings.rows);
        let fits = |line: usize| match self.lines.get(line) {
            Some(Line::Holding(at)) => rows.get(*at).is_some_and(|row| sought.fits(&words_of(row))),
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
            let lacks = || match row.price {
                Some(_) => format!("the value of {} is not known", row.symbol),
                None => format!("{} has no price", row.symbol),
            };
            tally.add(snapshot.currency, row.value_base, lacks);
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
        let text = |row: &HoldingRow| match whole {
            true => Row::of(cells(row, snapshot, look)).text(),
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

impl Holdings {
    fn row_key(&self, look: &Look) -> Option<Held> {
        self.row(look).map(key_of)
    }
}

fn key_of(row: &HoldingRow) -> Held {
    (row.account.clone(), row.security_id)
}

fn positions(snapshot: &Snapshot) -> PositionsQuery {
    PositionsQuery {
        as_of: snapshot.day,
        today: snapshot.today,
        account: None,
        currency: None,
        method: None,
        closed: snapshot.view.closed,
    }
}

/// Everything one may search a holding by.
fn words_of(row: &HoldingRow) -> String {
    let name = row.name.as_ref().map_or("", SafeText::as_str);
    let account = row.account.as_ref().map_or("", SafeText::as_str);
    let class = row.asset_class.map(|class| class.to_string()).unwrap_or_default();
    format!("{} {name} {account} {class} {}", row.symbol, row.currency)
}

fn cells(row: &HoldingRow, snapshot: &Snapshot, look: &Look) -> Vec<Cell> {
    let figures = look.figures;
    let (age, tone) = age(row, snapshot);
    let old = if row.stale { Tone::Dim } else { Tone::Plain };
    let pending = if row.pending { " *" } else { "" };
    vec![
        Cell::plain(format!("{}{pending}", row.symbol)),
        Cell::new(row.name.as_ref().map_or("", SafeText::as_str), Tone::Dim),
        Cell::plain(figures.quantity(Some(row.quantity)).into_string()),
        Cell::new(figures.price(row.price, row.currency).into_string(), old),
        Cell::new(age, tone),
        Cell::new(figures.money_or_unknown(row.value_base, snapshot.currency).into_string(), old),
        Cell::plain(percent(row.weight).into_string()),
        Cell::new(
            figures.money_or_unknown(row.cost_base, snapshot.currency).into_string(),
            Tone::Dim,
        ),
        gain(row.unrealized_base, snapshot, look),
        gain_part(row.unrealized_base, row.cost_base),
    ]
}

/// How old a price is, where that matters.
fn age(row: &HoldingRow, snapshot: &Snapshot) -> (String, Tone) {
    match row.price_date {
        Some(date) if row.stale => {
            let days = snapshot.day.signed_duration_since(date).num_days();
            (format!("! {days}d"), Tone::Warn)
        }
        _ => (String::new(), Tone::Plain),
    }
}

/// A gain or loss in the base currency.
fn gain(value: Option<Dec>, snapshot: &Snapshot, look: &Look) -> Cell {
    let text = look.figures.gain(value, snapshot.currency).into_string();
    Cell { tone: direction(value), text }
}

/// Colours say what sign and arrow say too.
pub fn direction(value: Option<Dec>) -> Tone {
    match value {
        Some(value) if value.is_negative() => Tone::Down,
        Some(value) if !value.is_zero() => Tone::Up,
        _ => Tone::Plain,
    }
}

fn gain_part(gain: Option<Dec>, cost: Option<Dec>) -> Cell {
    let part = part_of(gain, cost);
    let shown = percent(part).into_string();
    match part {
        Some(part) if part.is_negative() => Cell::new(format!("{DOWN} {shown}"), Tone::Down),
        Some(part) if !part.is_zero() => Cell::new(format!("{UP} +{shown}"), Tone::Up),
        Some(_) => Cell::plain(shown),
        None => Cell::plain(UNKNOWN),
    }
}

/// The figure of a row that it can be put in order by.
fn figure(row: &HoldingRow, by: usize) -> Option<Dec> {
    match BY.get(by).copied()? {
        "Quantity" => Some(row.quantity),
        "Price" => row.price,
        "Value" => row.value_base,
        "Weight" => row.weight,
        "Cost" => row.cost_base,
        "Unrealized" => row.unrealized_base,
        _ => part_of(row.unrealized_base, row.cost_base),
    }
}

/// A gain as a part of the cost.
fn part_of(gain: Option<Dec>, cost: Option<Dec>) -> Option<Dec> {
    let (gain, cost) = gain.zip(cost).filter(|(_, cost)| !cost.is_zero())?;
    quotient(gain, cost.abs())
}

fn quotient(a: Dec, b: Dec) -> Option<Dec> {
    Exact::from(a).div_round(&Exact::from(b), 8).ok()
}

fn lot_cell(lot: &LotRow, look: &Look) -> Cell {
    let figures = look.figures;
    let quantity = figures.quantity(Some(lot.quantity));
    let each = lot.cost.filter(|_| !lot.quantity.is_zero());
    let each = each.and_then(|cost| quotient(cost, lot.quantity));
    let term = match lot.term {
        Term::Long => "long",
        Term::Short => "short",
    };
    let text = format!(
        "   {}   {quantity} @ {}   cost {}   {}   {term}",
        lot.opened,
        figures.price(each, lot.currency),
        figures.money_or_unknown(lot.cost, lot.currency),
        figures.gain(lot.unrealized, lot.currency),
    );
    Cell::new(text, Tone::Dim)
}

fn total(snapshot: &Snapshot, look: &Look) -> Row {
    let totals = &snapshot.holdings.totals;
    let figures = look.figures;
    let money = |value| figures.money_or_unknown(value, snapshot.currency).into_string();
    let partial = !snapshot.holdings.missing.is_empty();
    Row::of(vec![
        Cell::new("Total", Tone::Strong),
        Cell::new(if partial { "partial" } else { "" }, Tone::Warn),
        Cell::default(),
        Cell::default(),
        Cell::default(),
        Cell::new(money(totals.value_base), Tone::Strong),
        Cell::default(),
        Cell::new(money(totals.cost_base), Tone::Dim),
        gain(totals.unrealized_base, snapshot, look),
        gain_part(totals.unrealized_base, totals.cost_base),
    ])
}
