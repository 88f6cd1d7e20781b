//! What was made of what was put in: a row for each scope, and beneath them everything of the one at
//! the cursor.
//!
//! ```text
//! Of                      Value   Return  By year     XIRR          Gain  Volatility    Fall
//! all                612,440.10   12.4 %   12.4 %   11.9 %  ▲ +60,114.02      14.1 %   8.8 %
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::figure::{direction, gain};
use super::list::List;
use super::sheet::{self, Fact, known, lacks};
use super::table::{Line, lends};
use super::{Outcome, Pane, PaneId, Wish, heat};
use crate::keys::{Action, Context};
use crate::model::{Dec, SafeText};
use crate::state::{
    By, Every, PerformanceQuery, PerformanceReport, PerformanceRow, Question, Slice, Slot, ratio,
};
use crate::text::{UNKNOWN, percent};
use crate::tui::look::{Look, Selection};
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Row, write};

const COLUMNS: [Column; 9] = [
    Column { title: "Of", align: Align::Left, priority: 0, width: (8, 24) },
    Column { title: "In", align: Align::Left, priority: 6, width: (2, 24) },
    Column { title: "Value", align: Align::Point, priority: 3, width: (6, 0) },
    Column { title: "Return", align: Align::Point, priority: 0, width: (6, 0) },
    Column { title: "By year", align: Align::Point, priority: 5, width: (6, 0) },
    Column { title: "XIRR", align: Align::Point, priority: 1, width: (6, 0) },
    Column { title: "Gain", align: Align::Point, priority: 2, width: (6, 0) },
    Column { title: "Volatility", align: Align::Point, priority: 7, width: (6, 0) },
    Column { title: "Fall", align: Align::Point, priority: 4, width: (6, 0) },
];

/// The column of the figure that matters most.
const MAIN: usize = 3;

/// What rows are about, in the order in which the key takes them.
const SCOPES: [By; 4] = [By::All, By::Class, By::Account, By::Holding];

/// Columns of one of two facts side by side: not so many that a name is far from its figure.
const FACTS: u16 = 46;
/// With fewer columns a fact would be cut.
const LEAST_FACTS: u16 = 38;
/// Columns between two of them.
const BETWEEN: u16 = 3;

/// What a row is of: its name, and the accounts that have a part in it.
type Key = (SafeText, Vec<SafeText>);

/// The pane.
#[derive(Debug, Default)]
pub struct Performance {
    /// Its place in the list of them.
    scope: usize,
    list: List<Key>,
}

impl Performance {
    fn by(&self) -> By {
        SCOPES.get(self.scope).copied().unwrap_or(By::All)
    }

    fn query(&self, look: &Look) -> Option<PerformanceQuery> {
        let snapshot = look.snapshot.as_ref()?;
        let start = look.selection.range.start(snapshot.day);
        Some(PerformanceQuery {
            // A range begins at the end of its first day, a span on the day behind it.
            from: start.and_then(|day| day.succ_opt()),
            to: snapshot.day,
            today: snapshot.today,
            account: look.account().map(|row| row.id),
            currency: None,
            method: None,
            by: self.by(),
            every: Some(Every::Month),
            benchmark: None,
        })
    }

    fn row<'a>(&self, look: &'a Look) -> Option<Shown<'a>> {
        let (scope, accounts) = self.list.key()?;
        let is_it = |it: &Shown<'_>| it.row.scope == *scope && it.row.accounts == *accounts;
        shown(look).into_iter().find(is_it)
    }

    fn explained(&self, look: &Look) -> Wish {
        match self.row(look) {
            Some(Shown { mut query, row, .. }) => {
                // Several accounts may hold the same security.
                if let (By::Holding, [account]) = (query.by, row.accounts.as_slice()) {
                    query.account = look.account_named(account).map(|row| row.id);
                }
                query.every = None;
                let question = Question::ExplainPerformance(query, row.scope.clone());
                Wish::Explain(Box::new(question))
            }
            None => Wish::Say("there is no figure here to explain".to_owned()),
        }
    }
}

/// A row that is shown, with the question that it answers and the report that it is of. A key may
/// have asked for others just now.
struct Shown<'a> {
    query: PerformanceQuery,
    report: &'a PerformanceReport,
    row: &'a PerformanceRow,
}

impl<'a> Shown<'a> {
    fn all(query: PerformanceQuery, report: &'a PerformanceReport) -> impl Iterator<Item = Self> {
        report.rows.iter().map(move |row| Self { query, report, row })
    }

    /// An account beneath everything.
    fn is_beneath(&self, look: &Look) -> bool {
        asked(look).is_some_and(|(query, _)| *query != self.query)
    }
}

/// What is shown: what was asked for, and beneath everything, where that has no figures, the
/// accounts that have some.
fn shown(look: &Look) -> Vec<Shown<'_>> {
    let beneath = beneath(look).and_then(|question| {
        let Slice::Performance(report) = look.answer_to(Slot::Beneath, Some(&question))? else {
            return None;
        };
        let Question::Performance(query, _) = question else { return None };
        Some((query, report))
    });
    let asked = asked(look).and_then(|(query, _)| Some((*query, report(look)?)));
    let rows = asked.into_iter().flat_map(|(query, report)| Shown::all(query, report));
    let accounts = beneath.into_iter().flat_map(|(query, report)| Shown::all(query, report));
    rows.chain(accounts.filter(|it| it.row.twr.is_some() || it.row.gain.is_some())).collect()
}

/// What is asked of the accounts where everything has no figures, as one price that nobody knows is
/// enough for.
fn beneath(look: &Look) -> Option<Question> {
    let (query, against) = asked(look)?;
    let lacks = |row: &PerformanceRow| row.twr.is_none() || row.gain.is_none();
    let is_all = query.by == By::All && query.account.is_none();
    let lacks = is_all && report(look)?.rows.iter().any(lacks);
    let query = PerformanceQuery { by: By::Account, ..*query };
    lacks.then(|| Question::Performance(query, against.clone()))
}

impl Pane for Performance {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Performance, Context::List]
    }

    fn refresh(&mut self, look: &Look) {
        if report(look).is_none() {
            return;
        }
        let line = |it: &Shown<'_>| Line {
            key: (it.row.scope.clone(), it.row.accounts.clone()),
            row: Row::of(cells(it, look)),
            also: it.row.accounts.iter().map(SafeText::as_str).collect::<Vec<_>>().join(" "),
        };
        let lines = shown(look).iter().map(line).collect();
        self.list.lay_out(&COLUMNS, lines, None, |rows| room(rows, look));
    }

    lends!(COLUMNS);

    /// The rows see a place of their own: the figures of one of them take the rest.
    fn lines(&self, look: &Look) -> u16 {
        room(self.list.grid.len(), look)
    }

    fn group(&self) -> Option<&'static str> {
        Some(word(self.by()))
    }

    fn regroup(&mut self, name: &str) {
        self.scope = SCOPES.iter().position(|by| word(*by) == name).unwrap_or(self.scope);
    }

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        if self.list.act(action, self.lines(look)) {
            return Outcome::DONE;
        }
        match action {
            Action::Scope => {
                self.scope = (self.scope + 1) % SCOPES.len();
                Outcome::wish(Wish::Say(format!("told of {}", word(self.by()))))
            }
            Action::Benchmark => Outcome::wish(Wish::Type("against ".to_owned())),
            Action::Explain => Outcome::wish(self.explained(look)),
            Action::Open | Action::In => match self.row(look) {
                Some(Shown { query, row, .. }) if query.by == By::Account => {
                    let account = Some(row.scope.clone());
                    let selection = Selection { account, ..look.selection.clone() };
                    Outcome::Done(vec![Wish::Select(selection), Wish::Go(PaneId::Holdings)])
                }
                _ => Outcome::DONE,
            },
            _ => Outcome::Unknown,
        }
    }

    fn questions(&self, look: &Look) -> Vec<(Slot, Question)> {
        let against = look.selection.against.clone();
        let question = |query| (Slot::Performance, Question::Performance(query, against));
        let all = self.query(look).map(question);
        let accounts = beneath(look).filter(|_| self.by() == By::All);
        all.into_iter().chain(accounts.map(|question| (Slot::Beneath, question))).collect()
    }

    fn tells_of_row(&self) -> bool {
        true
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        if report(look).is_none() {
            let (text, tone) = look.waiting(Some(Slot::Performance));
            write(buf, area, text, look.theme.style(tone));
            return;
        }
        let [rows, _, beneath] = Layout::vertical([
            Constraint::Length(self.lines(look)),
            Constraint::Length(1),
            Constraint::Fill(1),
        ])
        .areas(area);
        self.list.draw(
            buf,
            rows,
            look,
            "nothing of it happened in this span; ] takes a longer one",
        );
        if let Some(Shown { report, row, .. }) = self.row(look) {
            draw_row(buf, beneath, row, report, look);
        }
    }

    fn status(&self, look: &Look) -> String {
        let mut words = format!("{}   {}", word(self.by()), look.selection.range.as_str());
        if let Some(against) = &look.selection.against {
            words.push_str(&format!("   against {against}"));
        }
        if let Some(out) = report(look).map(|report| report.left_out.len()).filter(|out| *out > 0) {
            words.push_str(&format!("   {out} left out"));
        }
        if report(look).is_some_and(|report| !report.missing.is_empty()) {
            words.push_str("   partial");
        }
        words
    }
}

/// How many lines the table has: a third, or as many as it needs.
fn room(rows: usize, look: &Look) -> u16 {
    let needed = u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(1);
    needed.clamp(2, (look.size.1 / 3).max(2))
}

fn report(look: &Look) -> Option<&PerformanceReport> {
    match look.answer(Slot::Performance) {
        Some(Slice::Performance(report)) => Some(report),
        _ => None,
    }
}

/// What the rows that are shown are the answer to.
fn asked(look: &Look) -> Option<(&PerformanceQuery, &Option<SafeText>)> {
    match look.answered(Slot::Performance) {
        Some(Question::Performance(query, against)) => Some((query, against)),
        _ => None,
    }
}

const fn word(by: By) -> &'static str {
    match by {
        By::All => "everything invested",
        By::Class => "each class",
        By::Account => "each account",
        By::Holding => "each holding",
        By::Lot => "each lot",
    }
}

fn cells(shown: &Shown<'_>, look: &Look) -> Vec<Cell> {
    let row = shown.row;
    let (figures, base) = (look.figures, shown.report.currency);
    let indent = if shown.is_beneath(look) { "  " } else { "" };
    let place = match row.accounts.as_slice() {
        [account] if *account != row.scope => account.to_string(),
        [_] => String::new(),
        all => format!("{} accounts", all.len()),
    };
    vec![
        Cell::plain(format!("{indent}{}", row.scope)),
        Cell::new(place, Tone::Dim),
        Cell::plain(figures.money_or_unknown(row.end_value, base).into_string()).of(row.end_value),
        rate(row.twr),
        rate(row.twr_annualized),
        rate(row.xirr),
        gain(row.gain, base, figures),
        Cell::plain(percent(row.volatility).into_string()).of(row.volatility),
        fall(row).unwrap_or_else(|| Cell::plain(UNKNOWN)),
    ]
}

/// A rate with its sign, so that no colour is needed to read it.
fn rate(value: Option<Dec>) -> Cell {
    let shown = percent(value).into_string();
    match value {
        Some(value) if value.is_positive() => {
            Cell::new(format!("+{shown}"), direction(Some(value)))
        }
        value => Cell::new(shown, direction(value)),
    }
    .of(value)
}

/// The deepest fall.
fn fall(row: &PerformanceRow) -> Option<Cell> {
    let depth = ratio(row.max_drawdown.as_ref()?.depth)?;
    Some(Cell::plain(percent(Some(depth)).into_string()).of(Some(depth)))
}

/// Draws everything of one scope: what it is of, its figures, its months.
fn draw_row(
    buf: &mut Buffer,
    area: Rect,
    row: &PerformanceRow,
    report: &PerformanceReport,
    look: &Look,
) {
    let theme = look.theme;
    let (left, right) = (money(row, report, look), rates(row, report, look));
    // Where two facts have no room beside each other, they stand beneath each other.
    let is_wide = area.width >= 2 * LEAST_FACTS + BETWEEN;
    let beside = left.len().max(right.len());
    let lines = if is_wide { beside } else { left.len() + right.len() };
    let [head, facts, foot, map] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(u16::try_from(lines).unwrap_or(u16::MAX)),
        Constraint::Length(2),
        Constraint::Fill(1),
    ])
    .areas(area);
    let pending = if row.pending { ", some of it pending" } else { "" };
    let text = format!("{}: {} to {}{pending}", row.scope, row.from, row.to);
    write(buf, head, &text, theme.style(Tone::Title));
    if is_wide {
        let width = (area.width.saturating_sub(BETWEEN) / 2).min(FACTS);
        let one = Rect { width, ..facts };
        sheet::draw(buf, one, &left, look);
        sheet::draw(buf, Rect { x: facts.x + width + BETWEEN, ..one }, &right, look);
    } else {
        let used = sheet::draw(buf, facts, &left, look);
        let rest = Rect { y: facts.y + used, height: facts.height - used, ..facts };
        sheet::draw(buf, rest, &right, look);
    }
    // What is missing is missing somewhere; here only where it shows.
    let is_partial = row.gain.is_none() || row.days_unvalued > 0;
    if let Some(lacks) = lacks(&report.missing).filter(|_| is_partial) {
        write(buf, foot, &format!("partial: {lacks} not known"), theme.style(Tone::Warn));
    }
    heat::draw(buf, map, &row.periods, look);
}

/// What there was, what came and went, and what was made of it.
fn money(row: &PerformanceRow, report: &PerformanceReport, look: &Look) -> Vec<Fact> {
    let (figures, base) = (look.figures, report.currency);
    let plain = |value: Option<Dec>, of| {
        let cell = value.map(|value| Cell::plain(figures.money(value, base).into_string()));
        known(cell, &row.reasons, of)
    };
    let made = |value: Option<Dec>, of| {
        known(value.map(|value| gain(Some(value), base, figures)), &row.reasons, of)
    };
    vec![
        ("Start value", plain(row.start_value, "start_value")),
        ("Came in", plain(row.flows_in, "flows_in")),
        ("Went out", plain(row.flows_out, "flows_out")),
        ("Gain", made(row.gain, "gain")),
        ("  of prices", made(row.gain_price, "gain_price")),
        ("  of currencies", made(row.gain_fx, "gain_fx")),
        ("  of income", made(row.gain_income, "gain_income")),
        ("  of fees", made(row.gain_fees, "gain_fees")),
        ("  of taxes", made(row.gain_taxes, "gain_taxes")),
        ("End value", plain(row.end_value, "end_value")),
    ]
}

/// What was made of it by the year and by the risk, and what another security would have made.
fn rates(row: &PerformanceRow, report: &PerformanceReport, look: &Look) -> Vec<Fact> {
    let of = |value: Option<Dec>, of| known(value.map(|it| rate(Some(it))), &row.reasons, of);
    let plain =
        |value: Option<Dec>| value.map(|value| Cell::plain(percent(Some(value)).into_string()));
    let sharpe = row.sharpe.map(|it| Cell::plain(format!("{:.2}", it.round_to(2).inner())));
    let mut facts = vec![
        ("Return (TWR)", of(row.twr, "twr")),
        ("  by the year", of(row.twr_annualized, "twr_annualized")),
        ("XIRR", of(row.xirr, "xirr")),
        ("Volatility", known(plain(row.volatility), &row.reasons, "volatility")),
        ("Sharpe ratio", known(sharpe, &row.reasons, "sharpe")),
        ("Deepest fall", known(fall(row), &row.reasons, "max_drawdown")),
    ];
    let course = row
        .max_drawdown
        .as_ref()
        .and_then(|fall| Some((fall.start?, fall.trough?, fall.recovered)));
    if let Some((start, trough, over)) = course {
        facts.push(("", Cell::new(format!("{start} to {trough}"), Tone::Dim)));
        let over = over.map_or_else(|| "not over".to_owned(), |day| format!("over on {day}"));
        facts.push(("", Cell::new(over, Tone::Dim)));
    }
    match (&look.selection.against, &row.benchmark) {
        (Some(_), Some(other)) => {
            let known = |cell, of| known(cell, &other.reasons, of);
            let made = other.gain.map(|it| gain(Some(it), report.currency, look.figures));
            facts.push(("Against", Cell::new(other.symbol.as_str(), Tone::Strong)));
            facts.push(("  its return", known(other.twr.map(|it| rate(Some(it))), "twr")));
            facts.push(("  same flows, gain", known(made, "gain")));
            facts.push(("  same flows, XIRR", known(other.xirr.map(|it| rate(Some(it))), "xirr")));
        }
        (Some(symbol), None) => {
            let why = format!("no one security is called {symbol}");
            facts.push(("Against", Cell::new(why, Tone::Warn)));
        }
        (None, _) => {}
    }
    if row.days_unvalued > 0 {
        let days = format!("{} days", row.days_unvalued);
        facts.push(("Without a value", Cell::new(days, Tone::Warn)));
    }
    if row.days_skipped > 0 {
        facts
            .push(("Nothing invested", Cell::new(format!("{} days", row.days_skipped), Tone::Dim)));
    }
    facts
}
