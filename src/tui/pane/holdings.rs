//! What is held, with its lots beneath.
//!
//! ```text
//! Symbol       Name          Quantity  Price  Age      Value  Weight     Unrealized  30 d
//! XEQT.TO      iShares ...      1,204  34.12       41,080.48  41.9 %  ▲ +10,968.41  ⣀⡠⠔⠊
//!   2021-03-04                    120  81.10 long   9,737.25             ▲ +736.25
//! ```

use std::cmp::Ordering;

use chrono::NaiveDate;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::accounts::PARTIAL;
use super::figure::{direction, gain, gain_part, part_of, quotient, signed, sum};
use super::list::List;
use super::table::lends;
use super::trends::{self, Trends};
use super::{
    Outcome, Pane, PaneId, Rows, Sorting, Table, Tally, Wish, account_detail, by_figure,
    holding_detail,
};
use crate::keys::{Action, Context};
use crate::model::{AccountId, Dec, SafeText, SecurityId, Term};
use crate::state::{
    AccountRow, HoldingRow, LotRow, PositionsQuery, Question, Slice, Slot, Snapshot, View,
};
use crate::text::{Figures, percent};
use crate::tui::form::Subject;
use crate::tui::look::{Look, Order, Selection};
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Grid, Row};

/// Which columns there are, in their order; where there is no room, the highest priority goes.
const COLUMNS: [Column; 13] = [
    Column { title: "Symbol", align: Align::Left, priority: 0, width: (8, 16) },
    Column { title: "Name", align: Align::Left, priority: 7, width: (12, 26) },
    Column { title: "Quantity", align: Align::Point, priority: 3, width: (4, 0) },
    Column { title: "Price", align: Align::Point, priority: 5, width: (4, 0) },
    Column { title: "Age", align: Align::Left, priority: 1, width: (3, 8) },
    Column { title: "Change", align: Align::Point, priority: 6, width: (6, 0) },
    Column { title: "Value", align: Align::Point, priority: 0, width: (6, 0) },
    Column { title: "Weight", align: Align::Point, priority: 4, width: (6, 0) },
    Column { title: "Cost", align: Align::Point, priority: 10, width: (4, 0) },
    Column { title: "Unrealized", align: Align::Point, priority: 2, width: (6, 0) },
    Column { title: "Return", align: Align::Point, priority: 8, width: (6, 0) },
    Column { title: "Realized", align: Align::Point, priority: 11, width: (6, 0) },
    trends::COLUMN,
];

/// The column of the figure that matters most.
const MAIN: usize = 6;
/// The column of where prices went lately.
const TREND: usize = 12;

/// The columns of a file: no trend, but whose it is, and the currencies of its price and of the rest.
const IN_A_FILE: [Column; 16] = [
    COLUMNS[0],
    COLUMNS[1],
    COLUMNS[2],
    COLUMNS[3],
    COLUMNS[4],
    COLUMNS[5],
    COLUMNS[MAIN],
    COLUMNS[7],
    COLUMNS[8],
    COLUMNS[9],
    COLUMNS[10],
    COLUMNS[11],
    Column { title: "Marks", ..COLUMNS[1] },
    Column { title: "Account", ..COLUMNS[1] },
    Column { title: "Currency", ..COLUMNS[1] },
    Column { title: "Base", ..COLUMNS[1] },
];

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
    const ALL: [Self; 4] = [Self::Account, Self::Class, Self::Currency, Self::Nothing];

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
    /// A lot of a holding.
    Lot(usize),
}

/// The pane.
#[derive(Debug, Default)]
pub struct Holdings {
    group: Group,
    /// None: as it is at first.
    order: Option<Order>,
    lots: bool,
    list: List<Held>,
    lines: Vec<Line>,
    shown: usize,
}

/// A position: in which account, and of what.
type Held = (Option<SafeText>, SecurityId);

impl Holdings {
    fn line<'a>(&self, look: &'a Look) -> Option<(&Line, &'a HoldingRow)> {
        let line = self.lines.get(self.list.told())?;
        let (Line::Holding(at) | Line::Lot(at)) = line else { return None };
        Some((line, look.snapshot.as_ref()?.holdings.rows.get(*at)?))
    }

    fn row<'a>(&self, look: &'a Look) -> Option<&'a HoldingRow> {
        self.line(look).map(|(_, row)| row)
    }

    /// What is to be done to the position at the cursor.
    fn by_hand(&self, action: Action, look: &Look) -> Wish {
        let heading = self.heading(look).map(|account| account.name.clone());
        let Some(row) = self.row(look) else {
            return match action {
                Action::Add | Action::Buy => {
                    Wish::Form(Subject::NewRow(Some("buy"), heading, None))
                }
                Action::SetPrice => Wish::Form(Subject::Price(None)),
                _ => Wish::Say("go to a position first".to_owned()),
            };
        };
        let (id, account) = (row.security_id, row.account.clone());
        match action {
            Action::Buy => Wish::Form(Subject::NewRow(Some("buy"), account, Some(id))),
            Action::SetPrice => Wish::Form(Subject::Price(Some(id))),
            Action::Edit => Wish::Form(Subject::Security(id, row.symbol.clone())),
            Action::Sell => match (account, account_of(row, look)) {
                (Some(name), Some(account)) if row.quantity.is_positive() => {
                    let security = (id, row.symbol.clone());
                    Wish::Form(Subject::Sale((account, name), security, row.method))
                }
                _ => Wish::Say("there is nothing of it to sell in an account".to_owned()),
            },
            _ => Wish::Form(Subject::NewRow(None, account, None)),
        }
    }

    /// The account whose heading is told of.
    fn heading<'a>(&self, look: &'a Look) -> Option<&'a AccountRow> {
        let at = self.list.told();
        let (Line::Heading, Line::Holding(first)) = (self.lines.get(at)?, self.lines.get(at + 1)?)
        else {
            return None;
        };
        let row = look.snapshot.as_ref()?.holdings.rows.get(*first)?;
        look.account_named(row.account.as_ref()?).filter(|_| self.group == Group::Account)
    }

    /// The positions that the filter lets through, with their places in the report.
    fn in_order<'a>(&self, snapshot: &'a Snapshot, look: &Look) -> Vec<(usize, &'a HoldingRow)> {
        let fits =
            |row: &HoldingRow| is_in_scope(row, look) && self.list.lets_through(&words_of(row));
        let rows = snapshot.holdings.rows.iter().enumerate();
        let mut rows: Vec<_> = rows.filter(|(_, row)| fits(row)).collect();
        rows.sort_by(|(_, a), (_, b)| self.compare(a, b));
        rows
    }

    fn lay_out(&mut self, snapshot: &Snapshot, look: &Look) {
        let report = &snapshot.holdings;
        let sheet = Sheet::of(snapshot, look);
        let trends = Trends::of(look);
        let shown = self.in_order(snapshot, look);
        self.shown = shown.len();
        self.lines.clear();
        let mut rows = Vec::new();
        let mut group = None;
        let lots = if self.lots { lots_of(look) } else { &[] };
        for (at, row) in shown.iter().copied() {
            let of = self.group_of(row);
            if of.is_some() && group != of {
                let name = of.as_ref().map_or("", SafeText::as_str);
                rows.push(Row::whole(Cell::new(name, Tone::Title)));
                self.lines.push(Line::Heading);
                group = of;
            }
            let mut cells = sheet.holding(row);
            cells.cells.push(trends.cell(row.security_id));
            rows.push(cells);
            self.lines.push(Line::Holding(at));
            for lot in lots.iter().filter(|lot| is_of(lot, row)) {
                rows.push(sheet.lot(lot));
                self.lines.push(Line::Lot(at));
            }
        }
        let total = sheet.total(&shown);
        let key = |line: &Line| match line {
            Line::Holding(at) => report.rows.get(*at).map(key_of),
            Line::Heading | Line::Lot(_) => None,
        };
        let keys = self.lines.iter().map(key).collect();
        // On a day gone by, what is held today may not be there yet: it is not gone.
        if snapshot.view.as_of.is_none() {
            self.list.marks.retain(|key| report.rows.iter().any(|row| key_of(row) == *key));
        }
        let order = self.order.unwrap_or(BY_VALUE);
        let grid = Grid::new(&COLUMNS, rows, Some(total)).ordered(&BY, order);
        self.list.show(grid, keys, look.size.1);
    }

    /// The marked positions, in their order.
    fn marked<'a>(&self, look: &'a Look) -> Vec<&'a HoldingRow> {
        let marked = self.list.marked();
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
            Group::Account => Some(account_or_between(row)),
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
        self.lay_out(&snapshot, look);
    }

    lends!(COLUMNS);

    fn group(&self) -> Option<&'static str> {
        Some(self.group.as_str())
    }

    fn regroup(&mut self, name: &str) {
        let named = Group::ALL.into_iter().find(|group| group.as_str() == name);
        self.group = named.unwrap_or(self.group);
    }

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        if self.list.act(action, look.size.1) {
            return Outcome::DONE;
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
                    let pane = match action {
                        Action::Open => PaneId::Security,
                        _ => PaneId::Chart,
                    };
                    let security = Some((row.security_id, row.symbol.clone()));
                    let selection = Selection { security, ..look.selection.clone() };
                    Outcome::Done(vec![Wish::Select(selection), Wish::Go(pane)])
                }
                None => Outcome::DONE,
            },
            Action::Out => Outcome::wish(Wish::Go(PaneId::Accounts)),
            Action::Add | Action::Buy | Action::Sell | Action::SetPrice | Action::Edit => {
                Outcome::wish(self.by_hand(action, look))
            }
            Action::Delete => Outcome::wish(Wish::Say(
                "a position follows from its rows: `S` sells of it, `3` shows them".to_owned(),
            )),
            Action::Explain => match (self.row(look), &look.snapshot) {
                (Some(row), Some(snapshot)) => {
                    let mut query = positions(snapshot);
                    query.account = account_of(row, look);
                    let question = Question::ExplainHolding(query, row.symbol.clone());
                    Outcome::wish(Wish::Explain(Box::new(question)))
                }
                _ => Outcome::wish(Wish::Say("this row has no figure to explain".to_owned())),
            },
            _ => Outcome::Unknown,
        }
    }

    fn questions(&self, look: &Look) -> Vec<(Slot, Question)> {
        let Some(snapshot) = &look.snapshot else { return Vec::new() };
        let mut questions = Vec::new();
        if self.lots {
            questions.push((Slot::Lots, Question::Lots(positions(snapshot))));
        }
        if self.list.grid.shows(TREND, look.size.0) {
            let near = trends::near(self.list.cursor.top, self.lines.len());
            let lines = self.lines.get(near).unwrap_or_default().iter();
            let held = lines.filter_map(|line| match line {
                Line::Holding(at) => snapshot.holdings.rows.get(*at),
                Line::Heading | Line::Lot(_) => None,
            });
            questions.extend(trends::question(held.map(|row| row.security_id), snapshot));
        }
        questions
    }

    fn subject(&self, look: &Look) -> Option<Selection> {
        let Some(row) = self.row(look) else {
            let account = Some(self.heading(look)?.name.clone());
            return Some(Selection { account, security: None, ..look.selection.clone() });
        };
        let security = Some((row.security_id, row.symbol.clone()));
        Some(Selection { account: row.account.clone(), security, ..look.selection.clone() })
    }

    fn detail_questions(&self, look: &Look) -> Vec<(Slot, Question)> {
        // With the lots beneath the rows all of them are asked for already.
        match (self.row(look), &look.snapshot) {
            (Some(row), Some(snapshot)) if !self.lots => {
                let account = account_of(row, look);
                let query = PositionsQuery { account, ..positions(snapshot) };
                vec![(Slot::Lots, Question::LotsOf(query, row.security_id))]
            }
            _ => Vec::new(),
        }
    }

    fn detail_title(&self, look: &Look) -> String {
        match (self.row(look), self.heading(look)) {
            (Some(row), _) => match &row.account {
                Some(account) => format!("{} in {account}", row.symbol),
                None => format!("{} in transit", row.symbol),
            },
            (None, Some(account)) => account.name.to_string(),
            (None, None) => "Holding".to_owned(),
        }
    }

    fn draw_detail(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        let Some(snapshot) = &look.snapshot else { return };
        match (self.row(look), self.heading(look)) {
            (Some(row), _) => holding_detail::draw(buf, area, row, snapshot, look),
            (None, Some(account)) => account_detail::account(buf, area, account, snapshot, look),
            (None, None) => {}
        }
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        let nothing = match look.selection.account {
            Some(_) => "no security is held in this account",
            None => "nothing is held: `a` adds a transaction, `:import FILE` brings some",
        };
        self.list.draw(buf, area, look, nothing);
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

    fn sorting(&self) -> Option<Sorting> {
        Some(Sorting { by: BY.to_vec(), order: Some(self.order.unwrap_or(BY_VALUE)) })
    }

    fn sort(&mut self, order: Order, look: &Look) {
        self.order = Some(order);
        self.refresh(look);
    }

    fn seek(&mut self, text: &str, forward: bool, look: &Look) -> Outcome {
        let rows = look.snapshot.as_ref().map_or(&[][..], |shown| &shown.holdings.rows);
        self.list.seek(text, forward, look.size.1, |line| match self.lines.get(line) {
            Some(Line::Holding(at)) => rows.get(*at).map(words_of),
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
            let lacks = || match row.price {
                Some(_) => format!("the value of {} is not known", row.symbol),
                None => format!("{} has no price", row.symbol),
            };
            tally.add(snapshot.currency, row.value_base, lacks);
        }
        Some(tally)
    }

    /// The positions, whether their lots are shown or not.
    fn sheet(&self, look: &Look) -> Option<Rows> {
        let snapshot = look.snapshot.as_ref()?;
        let sheet = Sheet::of(snapshot, look);
        let shown = self.in_order(snapshot, look);
        let rows = shown.into_iter().map(|(_, row)| sheet.in_a_file(row)).collect();
        let grid = Grid::new(&IN_A_FILE, rows, None).chosen(self.list.choice());
        let (titles, rows) = grid.sheet(|_| true);
        Some(Rows::Here(titles, rows))
    }

    fn texts(&self, whole: bool, look: &Look) -> Option<Vec<String>> {
        let mut marked = self.marked(look);
        let snapshot = look.snapshot.as_ref()?;
        if marked.is_empty() {
            match self.line(look) {
                Some((Line::Holding(_), row)) => marked.push(row),
                _ => return Some(vec![self.list.text(whole, MAIN)]),
            }
        }
        let sheet = Sheet::of(snapshot, look);
        let text = |row: &HoldingRow| match whole {
            true => sheet.holding(row).text(),
            false => look.figures.money_or_unknown(row.value_base, snapshot.currency).into_string(),
        };
        Some(marked.into_iter().map(text).collect())
    }
}

fn key_of(row: &HoldingRow) -> Held {
    (row.account.clone(), row.security_id)
}

/// What stands for the account of a holding, also where it is between two.
fn account_or_between(row: &HoldingRow) -> SafeText {
    row.account.clone().unwrap_or_else(|| SafeText::new("in transit"))
}

/// Whether a holding is in the account that is selected, if one is.
fn is_in_scope(row: &HoldingRow, look: &Look) -> bool {
    let scope = &look.selection.account;
    scope.is_none() || *scope == row.account
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

/// The account of a holding.
fn account_of(row: &HoldingRow, look: &Look) -> Option<AccountId> {
    look.account_named(row.account.as_ref()?).map(|account| account.id)
}

/// The lots that were read last.
pub fn lots_of(look: &Look) -> &[LotRow] {
    match look.answer(Slot::Lots) {
        Some(Slice::Lots(report)) => &report.rows,
        _ => &[],
    }
}

/// Whether a lot belongs to a holding.
pub fn is_of(lot: &LotRow, row: &HoldingRow) -> bool {
    lot.security_id == row.security_id && lot.account == row.account
}

/// What the rows of the table need.
struct Sheet<'a> {
    snapshot: &'a Snapshot,
    look: &'a Look,
    /// What weights are parts of: everything, or what is in the selected account.
    whole: Option<Dec>,
}

impl<'a> Sheet<'a> {
    fn of(snapshot: &'a Snapshot, look: &'a Look) -> Self {
        let rows = snapshot.holdings.rows.iter().filter(|row| is_in_scope(row, look));
        Self {
            snapshot,
            look,
            whole: sum(rows.filter(|row| !row.closed).map(|row| row.value_base)),
        }
    }

    fn money(&self, value: Option<Dec>, tone: Tone) -> Cell {
        let shown = self.look.figures.money_or_unknown(value, self.snapshot.currency);
        Cell::new(shown.into_string(), tone).of(value)
    }

    fn gain(&self, value: Option<Dec>) -> Cell {
        gain(value, self.snapshot.currency, self.look.figures)
    }

    fn holding(&self, row: &HoldingRow) -> Row {
        let figures = self.look.figures;
        let (age, tone) = age(row, self.snapshot);
        // What no sum counts has no part in it.
        let old = if row.stale || row.closed { Tone::Dim } else { Tone::Plain };
        let whole = self.whole.filter(|_| !row.closed);
        let pending = if row.pending { " *" } else { "" };
        let weight = row.value_base.zip(whole).and_then(|(part, of)| quotient(part, of));
        Row::of(vec![
            Cell::plain(format!("{}{pending}", row.symbol)),
            Cell::new(row.name.as_ref().map_or("", SafeText::as_str), Tone::Dim),
            Cell::plain(figures.quantity(Some(row.quantity)).into_string()).of(Some(row.quantity)),
            Cell::new(figures.price(row.price, row.currency).into_string(), old).of(row.price),
            Cell::new(age, tone),
            self.change(row),
            self.money(row.value_base, old),
            Cell::plain(percent(weight).into_string()).of(weight),
            self.money(row.cost_base, Tone::Dim),
            self.gain(row.unrealized_base),
            gain_part(row.unrealized_base, row.cost_base),
            self.gain(row.realized_base),
        ])
    }

    /// The same in a file, which has no headings.
    fn in_a_file(&self, row: &HoldingRow) -> Row {
        let mut cells = self.holding(row).cells;
        if let Some(symbol) = cells.first_mut() {
            *symbol = Cell::plain(row.symbol.as_str());
        }
        let marks = [(row.pending, "pending"), (row.closed, "closed")];
        let marks: Vec<_> = marks.into_iter().filter(|(is, _)| *is).map(|it| it.1).collect();
        cells.extend([
            Cell::plain(marks.join(" ")),
            Cell::plain(account_or_between(row).as_str()),
            Cell::plain(row.currency.to_string()),
            Cell::plain(self.snapshot.currency.to_string()),
        ]);
        Row::of(cells)
    }

    /// What the last price did to the one before.
    fn change(&self, row: &HoldingRow) -> Cell {
        let Some(movers) = &self.snapshot.movers else { return Cell::default() };
        let mover = movers.rows.iter().find(|mover| mover.security == row.security_id);
        let percent = mover.and_then(|mover| mover.change_percent);
        let is_old = row.price_date.is_some_and(|date| date < self.snapshot.day);
        let tone = if is_old { Tone::Dim } else { direction(percent) };
        // As every other part of something, it is a part of one.
        Cell::new(signed(percent), tone).of(percent.and_then(|it| quotient(it, Dec::from(100))))
    }

    /// A lot, in the columns of its holding: its day, what one cost, how long it is held.
    fn lot(&self, lot: &LotRow) -> Row {
        let figures = self.look.figures;
        let value = lot.cost_base.zip(lot.unrealized_base);
        let value = value.and_then(|(cost, gain)| sum([Some(cost), Some(gain)]));
        let cells = [
            format!("  {}", lot.opened),
            String::new(),
            figures.quantity(Some(lot.quantity)).into_string(),
            cost_of_one(lot, figures),
            term(lot).to_owned(),
            String::new(),
            self.money(value, Tone::Dim).text,
            String::new(),
            self.money(lot.cost_base, Tone::Dim).text,
        ];
        let mut cells = cells.map(|text| Cell::new(text, Tone::Dim)).to_vec();
        cells.push(self.gain(lot.unrealized_base));
        cells.push(gain_part(lot.unrealized_base, lot.cost_base));
        cells.push(Cell::default());
        Row::of(cells)
    }

    /// The sums of the rows that are shown, each over what is known.
    fn total(&self, rows: &[(usize, &HoldingRow)]) -> Row {
        // What is in a closed account is shown, and no sum counts it.
        let counted = || rows.iter().map(|(_, row)| *row).filter(|row| !row.closed);
        let of = |figure: fn(&HoldingRow) -> Option<Dec>| sum(counted().map(figure));
        let partial = counted().any(lacks_something);
        let (cost, unrealized) = (of(|row| row.cost_base), of(|row| row.unrealized_base));
        Row::of(vec![
            Cell::new("Total", Tone::Strong),
            Cell::default(),
            Cell::default(),
            Cell::default(),
            Cell::new(if partial { PARTIAL } else { "" }, Tone::Warn),
            Cell::default(),
            self.money(of(|row| row.value_base), Tone::Strong),
            Cell::default(),
            self.money(cost, Tone::Dim),
            self.gain(unrealized),
            gain_part(unrealized, of(cost_of_gain)),
            self.gain(of(|row| row.realized_base)),
        ])
    }
}

/// Some figure of a row is in no sum, as its value, or what it cost in the base currency.
fn lacks_something(row: &HoldingRow) -> bool {
    [row.value_base, row.cost_base, row.unrealized_base, row.realized_base].contains(&None)
}

/// What an unrealized gain is a part of: the cost of a row whose gain is not known is not in it.
fn cost_of_gain(row: &HoldingRow) -> Option<Dec> {
    row.unrealized_base.and(row.cost_base)
}

/// How old a price is, where that matters.
pub fn age(row: &HoldingRow, snapshot: &Snapshot) -> (String, Tone) {
    age_of(row.price_date.filter(|_| row.stale), snapshot.day)
}

/// The same of a price of this day; none: it is as new as it should be.
pub fn age_of(stale: Option<NaiveDate>, day: NaiveDate) -> (String, Tone) {
    match stale {
        Some(date) => {
            let days = day.signed_duration_since(date).num_days();
            (format!("! {days}d"), Tone::Warn)
        }
        None => (String::new(), Tone::Plain),
    }
}

/// What one of a lot cost, to two decimals more than its currency has.
pub fn cost_of_one(lot: &LotRow, figures: Figures) -> String {
    let each = lot.cost.and_then(|cost| quotient(cost, lot.quantity));
    let each = each.map(|each| each.round_to(lot.currency.minor_units() + 2));
    figures.price(each, lot.currency).into_string()
}

/// How long a lot is held, as the taxman counts.
pub const fn term(lot: &LotRow) -> &'static str {
    match lot.term {
        Term::Long => "long",
        Term::Short => "short",
    }
}
