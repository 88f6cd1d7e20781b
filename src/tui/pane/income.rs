//! What was received and what may be: a row a month, a security, an account or a kind, and beneath
//! them the days of the row at the cursor. What may come is called a forecast wherever it stands.
//!
//! ```text
//! Month                             Received  Withheld       Net    Forecast
//! 2026-10  ██████████                 812.40     40.00    772.40
//! 2027-01  ░░░░░░                                                     503.11  forecast
//! ```

use std::sync::Arc;

use chrono::{Datelike, Months, NaiveDate};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::health::query;
use super::list::List;
use super::sheet::{in_words, lacks};
use super::table::{Line, lends};
use super::{Outcome, Pane, PaneId, Wish};
use crate::keys::{Action, Context};
use crate::model::{Currency, Dec, SafeText};
use crate::state::{
    Coming, IncomeBy, IncomeDate, IncomeQuery, IncomeReport, IncomeRow, IncomeSums, Question,
    Slice, Slot, Yields,
};
use crate::text::{UNKNOWN, percent};
use crate::tui::look::Look;
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Grid, Row, Scale, write};

const COLUMNS: [Column; 9] = [
    Column { title: "Of", align: Align::Left, priority: 0, width: (8, 24) },
    Column { title: "", align: Align::Left, priority: 5, width: (BAR, BAR) },
    Column { title: "Received", align: Align::Point, priority: 0, width: (8, 0) },
    Column { title: "Withheld", align: Align::Point, priority: 4, width: (8, 0) },
    Column { title: "Net", align: Align::Point, priority: 3, width: (6, 0) },
    Column { title: "Forecast", align: Align::Point, priority: 1, width: (8, 0) },
    Column { title: "On cost", align: Align::Point, priority: 6, width: (7, 0) },
    Column { title: "On value", align: Align::Point, priority: 7, width: (8, 0) },
    Column { title: "", align: Align::Left, priority: 2, width: (8, 17) },
];

const DATES: [Column; 6] = [
    Column { title: "Day", align: Align::Left, priority: 0, width: (10, 10) },
    Column { title: "", align: Align::Left, priority: 0, width: (9, 20) },
    Column { title: "Of", align: Align::Left, priority: 1, width: (8, 14) },
    Column { title: "Account", align: Align::Left, priority: 3, width: (8, 24) },
    Column { title: "Kind", align: Align::Left, priority: 4, width: (8, 16) },
    Column { title: "Amount", align: Align::Point, priority: 0, width: (8, 0) },
];

/// Letters of a bar.
const BAR: u16 = 20;
/// The column of the bars.
const BARS: usize = 1;
/// The column of the figure that matters most.
const MAIN: usize = 2;
/// What stands for money that pays interest.
const CASH: &str = "(cash)";
/// What stands for more than one account.
const SEVERAL: &str = "(several)";

/// What is added up, in the order in which the key takes it.
const BY: [IncomeBy; 4] = [IncomeBy::Month, IncomeBy::Security, IncomeBy::Account, IncomeBy::Kind];

/// The pane.
#[derive(Debug, Default)]
pub struct Income {
    /// Its place in the list of them.
    by: usize,
    /// What may come is left out.
    past_only: bool,
    list: List<SafeText>,
}

impl Income {
    fn by(&self) -> IncomeBy {
        BY.get(self.by).copied().unwrap_or(IncomeBy::Month)
    }

    fn query(&self, look: &Look) -> Option<IncomeQuery> {
        let snapshot = look.snapshot.as_ref()?;
        let start = look.selection.range.start(snapshot.day);
        Some(IncomeQuery {
            from: start.and_then(|day| day.succ_opt()),
            to: snapshot.day,
            today: snapshot.today,
            account: look.account().map(|row| row.id),
            currency: None,
            by: Some(self.by()),
        })
    }

    fn row<'a>(&self, look: &'a Look) -> Option<&'a IncomeRow> {
        let (report, _) = answer(look)?;
        let key = self.list.key()?;
        report.rows.iter().find(|row| name(row) == *key)
    }

    /// The rows of the ledger that a row adds up.
    fn opened(&self, look: &Look) -> Outcome {
        let Some(row) = self.row(look) else { return Outcome::DONE };
        if row.sums.amount.is_none_or(Dec::is_zero) && row.sums.forecast {
            let why = "what may come has no rows yet: its days stand beneath";
            return Outcome::wish(Wish::Say(why.to_owned()));
        }
        let of = match row.kind {
            Some(kind) => format!("kind:{}", kind.as_str()),
            None => {
                let words = query(row.account.as_ref(), row.symbol.as_ref(), None);
                format!("kind:income {words}")
            }
        };
        let days = asked(look).map(|query| days(query, row.month.as_deref())).unwrap_or_default();
        let words: Vec<&str> =
            [of.trim_end(), &days].into_iter().filter(|it| !it.is_empty()).collect();
        Outcome::wish(Wish::Find(PaneId::Transactions, words.join(" ")))
    }

    /// The rows have three of five lines, the days of one of them the rest.
    fn room(rows: usize, look: &Look) -> u16 {
        let needed = u16::try_from(rows + 2).unwrap_or(u16::MAX);
        let most = u32::from(look.size.1) * 3 / 5;
        needed.min(u16::try_from(most).unwrap_or(u16::MAX))
    }

    fn rows<'a>(&self, report: &'a IncomeReport) -> Vec<&'a IncomeRow> {
        let is_shown = |row: &&IncomeRow| {
            let received = row.sums.amount.is_none_or(|amount| !amount.is_zero());
            received || !self.past_only
        };
        report.rows.iter().filter(is_shown).collect()
    }

    /// The days of a row, oldest first.
    fn days<'a>(
        &self,
        row: &IncomeRow,
        by: IncomeBy,
        dates: &'a [IncomeDate],
    ) -> Vec<&'a IncomeDate> {
        let is_month = |day: NaiveDate| {
            let month = row.month.as_deref().and_then(|month| month.split_once('-'));
            month.is_some_and(|(year, month)| {
                year.parse() == Ok(day.year()) && month.parse() == Ok(day.month())
            })
        };
        let is_of = |date: &&IncomeDate| {
            let mine = match by {
                IncomeBy::Month => is_month(date.date),
                IncomeBy::Security => row.symbol.as_ref() == date.symbol.as_deref(),
                IncomeBy::Account => row.account.as_ref() == date.account.as_deref(),
                IncomeBy::Kind => row.kind == Some(date.kind),
            };
            mine && (date.coming == Coming::Received || !self.past_only)
        };
        dates.iter().filter(is_of).collect()
    }
}

impl Pane for Income {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Income, Context::List]
    }

    fn refresh(&mut self, look: &Look) {
        let Some((report, _)) = answer(look) else { return };
        let rows = self.rows(report);
        let sums = || report.rows.iter().map(|row| &row.sums);
        let amounts = sums().flat_map(|sums| [sums.amount, sums.expected]).flatten();
        let scale = Scale::over(amounts.chain([Dec::ZERO]));
        let sheet = Sheet { report, look, scale, past_only: self.past_only };
        let line = |row: &&IncomeRow| Line::of(name(row), sheet.row(row));
        let lines = rows.iter().map(line).collect();
        let total = Some(sheet.total());
        self.list.lay_out(&COLUMNS, lines, total, |rows| Self::room(rows, look));
    }

    lends!(COLUMNS);

    fn bar_column(&self) -> Option<usize> {
        Some(BARS)
    }

    fn lines(&self, look: &Look) -> u16 {
        Self::room(self.list.grid.len(), look)
    }

    fn group(&self) -> Option<&'static str> {
        Some(word(self.by()))
    }

    fn regroup(&mut self, name: &str) {
        self.by = BY.iter().position(|by| word(*by) == name).unwrap_or(self.by);
    }

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        if self.list.act(action, self.lines(look)) {
            return Outcome::DONE;
        }
        match action {
            Action::IncomeBy => {
                self.by = (self.by + 1) % BY.len();
                Outcome::wish(Wish::Say(format!("income by {}", word(self.by()))))
            }
            Action::Open | Action::In => self.opened(look),
            Action::Forecast => {
                self.past_only = !self.past_only;
                self.refresh(look);
                let what = if self.past_only { "left out" } else { "shown" };
                Outcome::wish(Wish::Say(format!("what may come is {what}")))
            }
            Action::Explain => match (asked(look).copied(), self.row(look)) {
                (Some(query), Some(row)) => {
                    // What no row of the report is called can only be told as part of the whole.
                    let key = match query.by {
                        Some(IncomeBy::Kind) => None,
                        _ => Some(name(row)).filter(|name| name.as_str() != CASH),
                    };
                    let key = key.unwrap_or_else(|| SafeText::new("total"));
                    Outcome::wish(Wish::Explain(Box::new(Question::ExplainIncome(query, key))))
                }
                _ => Outcome::wish(Wish::Say("there is no figure here to explain".to_owned())),
            },
            _ => Outcome::Unknown,
        }
    }

    fn questions(&self, look: &Look) -> Vec<(Slot, Question)> {
        let query = self.query(look);
        query.map(|query| (Slot::Income, Question::Income(query))).into_iter().collect()
    }

    fn tells_of_row(&self) -> bool {
        true
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        let theme = look.theme;
        let Some((report, dates)) = answer(look) else {
            let (text, tone) = look.waiting(Some(Slot::Income));
            write(buf, area, text, theme.style(tone));
            return;
        };
        let [rows, note, head, beneath] = Layout::vertical([
            Constraint::Length(self.lines(look)),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Fill(1),
        ])
        .areas(area);
        self.list.draw(buf, rows, look, "nothing was received in this span; ] takes a longer one");
        let yields = &report.totals.yields;
        match lacks(&report.missing) {
            Some(lacks) => {
                let text = format!("partial: {lacks} not known");
                write(buf, note, &text, theme.style(Tone::Warn));
            }
            None if yields.on_cost.is_err() || yields.on_value.is_err() => {
                let text = format!("of all: {}", told(yields));
                write(buf, note, &text, theme.style(Tone::Dim));
            }
            None => {}
        }
        let Some(row) = self.row(look) else { return };
        let yields = row.yields.as_ref().map(|yields| format!(": {}", told(yields)));
        let text = format!("{}{}", name(row), yields.unwrap_or_default());
        write(buf, head, &text, theme.style(Tone::Title));
        let days = self.days(row, report.by.unwrap_or(self.by()), dates);
        let lines = days.into_iter().map(|date| day(date, look)).collect();
        Grid::new(&DATES, lines, None).draw_start(buf, beneath, theme);
    }

    fn status(&self, look: &Look) -> String {
        let forecast = if self.past_only { "" } else { "   with forecast" };
        let partial = answer(look).is_some_and(|(report, _)| !report.missing.is_empty());
        let partial = if partial { "   partial" } else { "" };
        let range = look.selection.range.as_str();
        format!("by {}   {range}{forecast}{partial}", word(self.by()))
    }
}

fn answer(look: &Look) -> Option<(&IncomeReport, &[IncomeDate])> {
    match look.answer(Slot::Income) {
        Some(Slice::Income(report, dates)) => Some((report, dates)),
        _ => None,
    }
}

/// What the rows that are shown are the answer to: a key may have asked for others just now.
fn asked(look: &Look) -> Option<&IncomeQuery> {
    match look.answered(Slot::Income) {
        Some(Question::Income(query)) => Some(query),
        _ => None,
    }
}

/// The words that find the days that a row adds up: of its month, no more than the span has.
fn days(query: &IncomeQuery, month: Option<&str>) -> String {
    let first = month.and_then(|month| format!("{month}-01").parse::<NaiveDate>().ok());
    let last = first.and_then(|day| day.checked_add_months(Months::new(1))?.pred_opt());
    let from = query.from.max(first);
    let to = last.map_or(query.to, |last| last.min(query.to));
    let from = from.map(|day| day.to_string()).unwrap_or_default();
    format!("date:{from}..{to}")
}

const fn word(by: IncomeBy) -> &'static str {
    match by {
        IncomeBy::Month => "month",
        IncomeBy::Security => "security",
        IncomeBy::Account => "account",
        IncomeBy::Kind => "kind",
    }
}

/// What a row is of: each has one thing that it is added up by.
fn name(row: &IncomeRow) -> SafeText {
    let month = row.month.as_ref().map(|month| SafeText::new(month));
    let kind = row.kind.map(|kind| SafeText::new(kind.as_str()));
    let known = month.or_else(|| row.symbol.clone()).or_else(|| row.account.clone()).or(kind);
    known.unwrap_or_else(|| SafeText::new(CASH))
}

/// Both yields, or why there is none.
fn told(yields: &Yields) -> String {
    let part = |part: Result<Dec, crate::state::NoYield>| match part {
        Ok(part) => percent(Some(part)).into_string(),
        Err(why) => format!("{UNKNOWN} ({})", in_words(why.as_str())),
    };
    format!("yield on cost {}, on value {}", part(yields.on_cost), part(yields.on_value))
}

fn day(date: &IncomeDate, look: &Look) -> Row {
    let amount = look.figures.money_or_unknown(date.amount, date.currency);
    let pending = if date.pending { ", pending" } else { "" };
    let tone = match date.coming {
        Coming::Received => Tone::Plain,
        Coming::Announced => Tone::Second,
        Coming::Forecast => Tone::Dim,
    };
    let text = |text: &Option<Arc<SafeText>>, none: &str| {
        text.as_ref().map_or_else(|| none.to_owned(), |text| text.as_str().to_owned())
    };
    Row::of(vec![
        Cell::plain(date.date.to_string()),
        Cell::new(format!("{}{pending}", date.coming.as_str()), tone),
        Cell::plain(text(&date.symbol, CASH)),
        Cell::plain(text(&date.account, SEVERAL)),
        Cell::new(in_words(date.kind.as_str()), Tone::Dim),
        Cell::new(format!("{amount} {}", date.currency), tone),
    ])
}

/// What rows are written with.
struct Sheet<'a> {
    report: &'a IncomeReport,
    look: &'a Look,
    scale: Option<Scale>,
    past_only: bool,
}

impl Sheet<'_> {
    fn row(&self, row: &IncomeRow) -> Row {
        let bar = Cell::new(self.bar(&row.sums), Tone::Line);
        self.cells(Cell::plain(name(row).into_string()), bar, &row.sums, row.yields.as_ref())
    }

    fn total(&self) -> Row {
        let totals = &self.report.totals;
        let mark = Cell::plain("Total");
        self.cells(mark, Cell::default(), &totals.sums, Some(&totals.yields))
    }

    fn cells(&self, of: Cell, bar: Cell, sums: &IncomeSums, yields: Option<&Yields>) -> Row {
        let currency: Currency = self.report.currency;
        let money = |value| {
            let text = self.look.figures.money_or_unknown(value, currency);
            Cell::plain(text.into_string()).of(value)
        };
        // Nothing of what may come is a figure where it is left out, nor where there is none.
        let forecast = match sums.forecast && !self.past_only {
            true => Cell { tone: Tone::Dim, ..money(sums.expected) },
            false => Cell::default(),
        };
        let parts = yields.map(|it| [it.on_cost.ok(), it.on_value.ok()]);
        let [on_cost, on_value] = parts.map_or_else(Default::default, |parts| {
            parts.map(|part| Cell::plain(percent(part).into_string()).of(part))
        });
        let marks = [(sums.forecast && !self.past_only, "forecast"), (sums.pending, "pending")];
        let marks: Vec<_> = marks.into_iter().filter(|(is, _)| *is).map(|it| it.1).collect();
        Row::of(vec![
            of,
            bar,
            money(sums.amount),
            money(sums.withheld),
            money(sums.net),
            forecast,
            on_cost,
            on_value,
            Cell::new(marks.join(", "), Tone::Dim),
        ])
    }

    /// Full where it was received, hollow where it may be.
    fn bar(&self, sums: &IncomeSums) -> String {
        let letters = usize::from(BAR);
        let length = |value: Option<Dec>| {
            let value = value.filter(|value| value.is_positive());
            let from_end =
                value.zip(self.scale).and_then(|(value, scale)| scale.line_of(value, letters + 1));
            from_end.map_or(0, |from_end| letters.saturating_sub(from_end).max(1))
        };
        let received = length(sums.amount);
        let expected = if self.past_only { 0 } else { length(sums.expected) };
        let hollow = expected.min(letters.saturating_sub(received));
        format!("{}{}", "█".repeat(received), "░".repeat(hollow))
    }
}
