//! What everything consists of: a row for each slice with its bar, what it should be and how far off
//! it is; beneath them a plan, where one is asked for.
//!
//! ```text
//! By class                                Weight  Target   Band    Drift  Standing       Value
//! equity       ████████████····│           51.2 %  60.0 %  5.0 %  -8.8 %  ▼ under   312,440.10
//! unknown      █                            0.7 %                                     1,904.00
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::list::List;
use super::sheet::lacks;
use super::table::{Line, lends};
use super::{Outcome, Pane, PaneId, Wish};
use crate::keys::{Action, Context};
use crate::model::target::UNKNOWN as UNSORTED;
use crate::model::{Change, Dec, Dimension, SafeText};
use crate::service::plan::csv;
use crate::state::{
    Aim, Allocation as Parts, AllocationQuery, AllocationRow, Plan, PlanQuery, PlanRow, Question,
    Slice, Slot, Standing,
};
use crate::text::{DOWN, UP, percent};
use crate::tui::errand::Errand;
use crate::tui::form::Subject;
use crate::tui::look::{Look, Selection};
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Grid, Row, Scale, write};

const COLUMNS: [Column; 9] = [
    Column { title: "Slice", align: Align::Left, priority: 0, width: (8, 20) },
    Column { title: "", align: Align::Left, priority: 6, width: (BAR, BAR) },
    Column { title: "Weight", align: Align::Point, priority: 0, width: (6, 0) },
    Column { title: "Target", align: Align::Point, priority: 1, width: (6, 0) },
    Column { title: "Band", align: Align::Point, priority: 5, width: (5, 0) },
    Column { title: "Drift", align: Align::Point, priority: 2, width: (6, 0) },
    Column { title: "Standing", align: Align::Left, priority: 3, width: (8, 8) },
    Column { title: "Then", align: Align::Point, priority: 2, width: (6, 0) },
    Column { title: "Value", align: Align::Point, priority: 1, width: (6, 0) },
];

const ORDERS: [Column; 8] = [
    Column { title: "Do", align: Align::Left, priority: 0, width: (6, 6) },
    Column { title: "For", align: Align::Left, priority: 3, width: (8, 16) },
    Column { title: "Symbol", align: Align::Left, priority: 0, width: (8, 14) },
    Column { title: "Account", align: Align::Left, priority: 2, width: (8, 24) },
    Column { title: "Quantity", align: Align::Point, priority: 1, width: (6, 0) },
    Column { title: "Price", align: Align::Point, priority: 4, width: (6, 0) },
    Column { title: "Of", align: Align::Left, priority: 5, width: (10, 10) },
    Column { title: "Amount", align: Align::Point, priority: 0, width: (6, 0) },
];

/// Letters of a bar.
const BAR: u16 = 24;
/// The column of the figure that matters most.
const MAIN: usize = 2;
/// The column of the bars.
const BARS: usize = 1;
/// The column of what would be after a plan.
const THEN: usize = 7;
/// The columns of what should be.
const TARGETS: std::ops::Range<usize> = 3..7;

/// The pane.
#[derive(Debug, Default)]
pub struct Allocation {
    /// The place of the dimension in the list of them.
    by: usize,
    aim: Option<Aim>,
    whole_shares: bool,
    list: List<SafeText>,
}

impl Allocation {
    /// Plans for an amount from now on.
    pub const fn plan(&mut self, aim: Aim) {
        self.aim = Some(aim);
    }

    /// The plan that is shown, as a file; none: there is none.
    pub fn plan_file(&self, look: &Look) -> Option<Vec<u8>> {
        csv(self.planned(look)?).ok()
    }

    fn by(&self) -> Dimension {
        Dimension::ALL.get(self.by).copied().unwrap_or(Dimension::Class)
    }

    /// What the slices that are shown are cut by: a key may have asked for others just now.
    fn shown_by(&self, look: &Look) -> Dimension {
        parts(look).map_or(self.by(), |parts| parts.by)
    }

    fn query(&self, look: &Look) -> Option<AllocationQuery> {
        let snapshot = look.snapshot.as_ref()?;
        Some(AllocationQuery {
            as_of: snapshot.day,
            today: snapshot.today,
            account: look.account().map(|row| row.id),
            currency: None,
            by: self.by(),
        })
    }

    fn plan_query(&self, look: &Look) -> Option<Question> {
        let (allocation, aim) = (self.query(look)?, self.aim?);
        let whole_shares = self.whole_shares;
        Some(Question::Plan(PlanQuery { allocation, aim, whole_shares }))
    }

    /// The plan for what is asked now, and no other: it may be written down.
    fn planned<'a>(&self, look: &'a Look) -> Option<&'a Plan> {
        match look.answer_to(Slot::Plan, self.plan_query(look).as_ref()) {
            Some(Slice::Plan(plan)) => Some(plan),
            _ => None,
        }
    }

    fn row<'a>(&self, look: &'a Look) -> Option<&'a AllocationRow> {
        let key = self.list.key()?;
        parts(look)?.rows.iter().find(|row| row.key == *key)
    }

    /// With a plan the slices have as many lines as they need, but no more than half.
    fn room(has_aim: bool, rows: usize, look: &Look) -> u16 {
        let needed = u16::try_from(rows + 2).unwrap_or(u16::MAX);
        let most = match has_aim {
            true => look.size.1 / 2,
            false => look.size.1.saturating_sub(2),
        };
        needed.min(most)
    }

    fn opened(&self, look: &Look) -> Outcome {
        let (Some(row), by) = (self.row(look), self.shown_by(look)) else { return Outcome::DONE };
        let key = row.key.to_string();
        if key == UNSORTED {
            let why = format!("nobody said its {by}: `=` tells what is in this slice");
            return Outcome::wish(Wish::Say(why));
        }
        match by {
            Dimension::Account => {
                let account = Some(row.key.clone());
                let selection = Selection { account, ..look.selection.clone() };
                Outcome::Done(vec![Wish::Select(selection), Wish::Go(PaneId::Holdings)])
            }
            Dimension::Class | Dimension::Security | Dimension::Currency => {
                Outcome::wish(Wish::Find(PaneId::Holdings, key))
            }
            Dimension::Institution => Outcome::wish(Wish::Find(PaneId::Accounts, key)),
            _ => Outcome::wish(Wish::Say("`=` tells what is in this slice".to_owned())),
        }
    }
}

impl Pane for Allocation {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Allocation, Context::List]
    }

    fn refresh(&mut self, look: &Look) {
        let Some(parts) = parts(look) else { return };
        let plan = self.planned(look);
        let line = |row: &AllocationRow| Line::of(row.key.clone(), slice(row, parts, plan, look));
        let lines = parts.rows.iter().map(line).collect();
        let total = look.figures.money_or_unknown(parts.total, parts.currency).into_string();
        let total = total_row(total, parts, plan);
        let has_aim = self.aim.is_some();
        self.list.lay_out(&columns(parts, plan), lines, Some(total), |rows| {
            Self::room(has_aim, rows, look)
        });
    }

    lends!(COLUMNS);

    fn bar_column(&self) -> Option<usize> {
        Some(BARS)
    }

    fn lines(&self, look: &Look) -> u16 {
        Self::room(self.aim.is_some(), self.list.grid.len(), look)
    }

    fn group(&self) -> Option<&'static str> {
        Some(self.by().as_str())
    }

    fn regroup(&mut self, name: &str) {
        let by = Dimension::ALL.iter().position(|by| by.as_str() == name);
        self.by = by.unwrap_or(self.by);
    }

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        if self.list.act(action, self.lines(look)) {
            return Outcome::DONE;
        }
        match action {
            Action::Dimension => {
                self.by = (self.by + 1) % Dimension::ALL.len();
                Outcome::wish(Wish::Say(format!("cut by {}", self.by())))
            }
            Action::Invest => Outcome::wish(Wish::Type("invest ".to_owned())),
            Action::Raise => Outcome::wish(Wish::Type("raise ".to_owned())),
            Action::WritePlan => Outcome::wish(Wish::Type("write-plan ".to_owned())),
            Action::WholeShares => {
                self.whole_shares = !self.whole_shares;
                let what = if self.whole_shares { "whole shares" } else { "parts of shares" };
                Outcome::wish(Wish::Say(format!("plans are in {what}")))
            }
            Action::Edit => {
                let key = self.row(look).map(|row| row.key.clone());
                Outcome::wish(Wish::Form(Subject::Target(self.shown_by(look), key)))
            }
            Action::Add => Outcome::wish(Wish::Form(Subject::Target(self.by(), None))),
            Action::Delete => match self.row(look).filter(|row| row.target.is_some()) {
                Some(row) => {
                    let change = Change::RemoveTarget(self.shown_by(look), row.key.clone());
                    let errand = Errand::change("took the target away", vec![change]);
                    Outcome::wish(Wish::Begin(errand))
                }
                None => Outcome::wish(Wish::Say("this slice has no target".to_owned())),
            },
            Action::Cancel if self.aim.is_some() => {
                self.aim = None;
                self.refresh(look);
                Outcome::DONE
            }
            Action::Open | Action::In => self.opened(look),
            Action::Explain => match (look.answered(Slot::Parts), self.row(look)) {
                (Some(Question::Parts(query)), Some(row)) => {
                    let question = Question::ExplainPart(*query, row.key.clone());
                    Outcome::wish(Wish::Explain(Box::new(question)))
                }
                _ => Outcome::wish(Wish::Say("there is no figure here to explain".to_owned())),
            },
            _ => Outcome::Unknown,
        }
    }

    fn questions(&self, look: &Look) -> Vec<(Slot, Question)> {
        let parts = self.query(look).map(|query| (Slot::Parts, Question::Parts(query)));
        let plan = self.plan_query(look).map(|question| (Slot::Plan, question));
        parts.into_iter().chain(plan).collect()
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        let theme = look.theme;
        let Some(parts) = parts(look) else {
            let (text, tone) = look.waiting(Some(Slot::Parts));
            write(buf, area, text, theme.style(tone));
            return;
        };
        let [rows, notes, beneath] = Layout::vertical([
            Constraint::Length(self.lines(look)),
            Constraint::Length(2),
            Constraint::Fill(1),
        ])
        .areas(area);
        self.list.draw(
            buf,
            rows,
            look,
            "there is nothing of any worth; i in the imports (9) brings some in",
        );
        let line = |at: u16| Rect { y: notes.y + at, height: notes.height.min(1), ..notes };
        write(buf, line(0), &owed(parts, look), theme.style(Tone::Dim));
        if let Some(lacks) = lacks(&parts.missing) {
            let text = format!("partial: {lacks} not known");
            write(buf, line(1), &text, theme.style(Tone::Warn));
        }
        if self.aim.is_some() {
            match self.planned(look) {
                Some(plan) => draw_plan(buf, beneath, plan, self.whole_shares, look),
                None => {
                    let (text, tone) = look.waiting(Some(Slot::Plan));
                    // Why there is no plan may name an amount.
                    let text = look.figures.message(text);
                    write(buf, beneath, &text, theme.style(tone));
                }
            }
        }
    }

    fn status(&self, look: &Look) -> String {
        let partial = parts(look).is_some_and(|parts| !parts.missing.is_empty());
        let pending = parts(look).is_some_and(|parts| parts.pending);
        let marks = [(partial, "   partial"), (pending, "   some of it pending")];
        let marks = marks.into_iter().filter(|(is, _)| *is).map(|(_, word)| word);
        format!("by {}{}", self.by(), marks.collect::<String>())
    }
}

fn parts(look: &Look) -> Option<&Parts> {
    match look.answer(Slot::Parts) {
        Some(Slice::Parts(parts)) => Some(parts),
        _ => None,
    }
}

fn slice(row: &AllocationRow, parts: &Parts, plan: Option<&Plan>, look: &Look) -> Row {
    let part = |part: Option<Dec>| match part {
        Some(part) => Cell::plain(percent(Some(part)).into_string()).of(Some(part)),
        None => Cell::default(),
    };
    let is_unsorted = row.key.as_str() == UNSORTED;
    let tone = if is_unsorted { Tone::Warn } else { Tone::Plain };
    let drift = row.drift().map(|drift| {
        let sign = if drift.is_positive() { "+" } else { "" };
        Cell::plain(format!("{sign}{}", percent(Some(drift)))).of(Some(drift))
    });
    let after = plan.and_then(|plan| plan.after.iter().find(|after| after.key == row.key));
    let value = look.figures.money(row.value_base, parts.currency).into_string();
    let cells = vec![
        Cell::new(row.key.as_str(), tone),
        Cell::new(bar(row), Tone::Line),
        part(Some(row.weight)),
        part(row.target),
        part(row.band),
        drift.unwrap_or_default(),
        standing(row),
        part(after.map(|after| after.weight)),
        Cell::plain(value).of(Some(row.value_base)),
    ];
    Row::of(fitting(cells, parts, plan))
}

/// The word and an arrow say what a colour would.
fn standing(row: &AllocationRow) -> Cell {
    match row.standing() {
        Some(Standing::Under) => Cell::new(format!("{DOWN} under"), Tone::Warn),
        Some(Standing::Over) => Cell::new(format!("{UP} over"), Tone::Warn),
        Some(Standing::Within) => Cell::new("within", Tone::Dim),
        None => Cell::default(),
    }
}

/// A bar as long as the weight, over the band that is right, with a stroke at the target.
fn bar(row: &AllocationRow) -> String {
    let letters = usize::from(BAR);
    let scale = Scale::over([Dec::ZERO, Dec::ONE]);
    let place = |part: Dec| {
        let from_end =
            scale.and_then(|scale| scale.line_of(part.clamp(Dec::ZERO, Dec::ONE), letters + 1));
        from_end.map_or(0, |from_end| letters.saturating_sub(from_end))
    };
    let filled = place(row.weight).max(usize::from(row.weight.is_positive()));
    let target = row.target.map(place);
    let band = row.target.zip(row.band).and_then(|(target, band)| {
        Some(place(target.checked_sub(band)?)..place(target.checked_add(band)?))
    });
    let letter = |at: usize| match () {
        () if target.is_some_and(|target| target.saturating_sub(1) == at) => '┃',
        () if at < filled => '█',
        () if band.as_ref().is_some_and(|band| band.contains(&at)) => '·',
        () => ' ',
    };
    (0..usize::from(BAR)).map(letter).collect::<String>().trim_end().to_owned()
}

/// The columns of a table: of targets only where there are some, of what would be then only where
/// there is a plan.
fn columns(parts: &Parts, plan: Option<&Plan>) -> Vec<Column> {
    fitting(COLUMNS.to_vec(), parts, plan)
}

/// As many as there are columns.
fn fitting<T>(all: Vec<T>, parts: &Parts, plan: Option<&Plan>) -> Vec<T> {
    let has_targets = parts.rows.iter().any(|row| row.target.is_some());
    let is_shown = |at: &usize| match *at {
        THEN => plan.is_some(),
        at if TARGETS.contains(&at) => has_targets,
        _ => true,
    };
    let kept = all.into_iter().enumerate().filter(|(at, _)| is_shown(at));
    kept.map(|(_, one)| one).collect()
}

fn total_row(total: String, parts: &Parts, plan: Option<&Plan>) -> Row {
    let mut cells = vec![Cell::default(); COLUMNS.len()];
    if let Some(first) = cells.first_mut() {
        *first = Cell::plain("Total");
    }
    if let Some(last) = cells.last_mut() {
        *last = Cell::new(total, Tone::Strong);
    }
    Row::of(fitting(cells, parts, plan))
}

/// What is owed, beside everything that is not; and what `unknown` means.
fn owed(parts: &Parts, look: &Look) -> String {
    let owed = parts.liabilities.map(|owed| -owed);
    let owed = look.figures.money_or_unknown(owed, parts.currency);
    let mut text = format!("owed beside it: {owed} {}", parts.currency);
    if parts.rows.iter().any(|row| row.key.as_str() == UNSORTED) {
        text.push_str(&format!("   {UNSORTED}: nobody said its {}", parts.by));
    }
    text
}

fn draw_plan(buf: &mut Buffer, area: Rect, plan: &Plan, whole_shares: bool, look: &Look) {
    let [head, orders] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    let money = |amount| look.figures.money(amount, plan.currency);
    let (what, amount, left) = match plan.aim {
        Aim::Invest(amount) => ("invest", amount, "left"),
        Aim::Raise(amount) => ("raise", amount, "beyond"),
    };
    let mut text = format!("Plan: {what} {} {}", money(amount), plan.currency);
    if !plan.cash_left.is_zero() {
        text.push_str(&format!(", {} {left}", money(plan.cash_left)));
    }
    if whole_shares {
        text.push_str(", in whole shares");
    }
    text.push_str("; nothing is ordered");
    write(buf, head, &text, look.theme.style(Tone::Title));
    let rows: Vec<Row> = plan.rows.iter().flat_map(|row| order(row, plan, look)).collect();
    if rows.is_empty() {
        let text = "nothing of it can be bought or sold";
        write(buf, orders, text, look.theme.style(Tone::Dim));
    } else {
        Grid::new(&ORDERS, rows, None).draw_start(buf, orders, look.theme);
    }
}

/// An order, and beneath a sale the lots that it would close.
fn order(row: &PlanRow, plan: &Plan, look: &Look) -> Vec<Row> {
    let figures = look.figures;
    let text = |text: &Option<SafeText>| Cell::plain(text.as_ref().map_or("", SafeText::as_str));
    let price = row
        .price
        .zip(row.currency)
        .map(|(price, of)| Cell::plain(format!("{} {of}", figures.price(Some(price), of))));
    let mut rows = vec![Row::of(vec![
        Cell::new(row.action.as_str(), Tone::Strong),
        Cell::plain(row.key.as_str()),
        text(&row.symbol),
        text(&row.account),
        Cell::plain(figures.quantity(row.quantity).into_string()),
        price.unwrap_or_default(),
        Cell::new(row.price_date.map(|day| day.to_string()).unwrap_or_default(), Tone::Dim),
        Cell::plain(figures.money(row.amount, plan.currency).into_string()),
    ])];
    rows.extend(row.lots.iter().map(|lot| {
        let gain = figures.gain(lot.gain_base, plan.currency);
        let text = format!(
            "       lot of {}: {} {}, gain {gain}",
            lot.opened,
            figures.quantity(Some(lot.quantity)),
            lot.term.as_str()
        );
        Row::whole(Cell::new(text, Tone::Dim))
    }));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_what_is_and_what_should_be() {
        let dec = |text: &str| Dec::parse(text).unwrap();
        let row = |weight: &str, target: Option<&str>| AllocationRow {
            key: SafeText::new("cash"),
            value_base: Dec::ONE,
            weight: dec(weight),
            target: target.map(dec),
            band: target.map(|_| dec("0.125")),
        };
        assert_eq!(bar(&row("0.5", None)), "█".repeat(12));
        assert_eq!(bar(&row("0.001", None)), "█", "a little is not nothing");
        assert_eq!(bar(&row("0", None)), "");
        assert_eq!(bar(&row("0.25", Some("0.5"))), "██████   ··┃···");
        assert_eq!(bar(&row("0.75", Some("0.5"))), "███████████┃██████");
    }
}
