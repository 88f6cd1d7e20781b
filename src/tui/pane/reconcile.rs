//! What providers say that accounts come to, beside what the ledger says, and what mends a difference.
//! Nothing is corrected by itself.
//!
//! ```text
//! Account    What            Provider     Ledger   Difference   Day          State
//! Checking   USD cash        1,300.75   1,250.75       +50.00   2026-11-21   differs
//! Roth IRA   units of EXMFX     125.5      120.5           +5   2026-11-21   ignored
//! Savings                                                                    none known
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::health::query;
use super::list::List;
use super::table::{Line, lends};
use super::{Outcome, Pane, PaneId, Wish};
use crate::keys::{Action, Context};
use crate::model::{AccountId, Change, Dec, Differs};
use crate::state::{Differing, Question, ReconcileRow, Slice, Slot, Snapshot};
use crate::text::{MASK, UNKNOWN, counted};
use crate::tui::errand::Errand;
use crate::tui::form::{Beginning, Subject};
use crate::tui::live::time_of;
use crate::tui::look::{Look, Selection};
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Row, wrapped, write, write_beneath};

const COLUMNS: [Column; 7] = [
    Column { title: "Account", align: Align::Left, priority: 0, width: (12, 28) },
    Column { title: "What", align: Align::Left, priority: 0, width: (8, 20) },
    Column { title: "Provider", align: Align::Point, priority: 1, width: (8, 0) },
    Column { title: "Ledger", align: Align::Point, priority: 1, width: (6, 0) },
    Column { title: "Difference", align: Align::Point, priority: 0, width: (10, 0) },
    Column { title: "Day", align: Align::Left, priority: 3, width: (10, 10) },
    Column { title: "State", align: Align::Left, priority: 2, width: (7, 10) },
];

/// The column of the figure that matters most.
const MAIN: usize = 4;
/// Lines beneath the rows.
const BENEATH: u16 = 8;

/// A row: an account, and the finding of what differs in it.
type Key = (AccountId, Option<i64>);

/// The pane.
#[derive(Debug, Default)]
pub struct Reconcile {
    list: List<Key>,
}

impl Reconcile {
    fn row<'a>(&self, look: &'a Look) -> Option<&'a ReconcileRow> {
        let key = self.list.key()?;
        rows(look)?.iter().find(|row| key_of(row) == *key)
    }

    fn by_hand(action: Action, row: &ReconcileRow) -> Wish {
        let Some(differs) = &row.differs else {
            return Wish::Say(format!("{}: no difference is known", row.name));
        };
        match action {
            Action::Adjust if differs.is_mended() => {
                Wish::Say("they say the same by now; the next refresh finds that too".to_owned())
            }
            Action::Adjust => adjust(row, differs),
            Action::Add => Wish::Form(Subject::Mending(missing(row, differs))),
            _ => {
                let (ignores, what) = match differs.ignored {
                    true => (false, "minded the difference again"),
                    false => (true, "left the difference as it is"),
                };
                let change = Change::IgnoreDifference(differs.finding, ignores);
                Wish::Begin(Errand::change(what, vec![change]))
            }
        }
    }
}

impl Pane for Reconcile {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Reconcile, Context::List]
    }

    fn refresh(&mut self, look: &Look) {
        let Some(rows) = rows(look) else { return };
        let line = |row: &ReconcileRow| Line::of(key_of(row), Row::of(cells(row, look)));
        let lines = rows.iter().map(line).collect();
        let room = self.lines(look);
        self.list.lay_out(&COLUMNS, lines, None, |_| room);
    }

    lends!(COLUMNS);

    fn lines(&self, look: &Look) -> u16 {
        look.size.1.saturating_sub(BENEATH)
    }

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        if self.list.act(action, self.lines(look)) {
            return Outcome::DONE;
        }
        let Some(row) = self.row(look) else { return Outcome::Unknown };
        match action {
            Action::Open | Action::In => {
                let symbol = row.differs.as_ref().and_then(|it| it.symbol.as_ref());
                let find = query(Some(&row.name), symbol, None);
                let selection = Selection { account: None, ..look.selection.clone() };
                Outcome::Done(vec![Wish::Select(selection), Wish::Find(PaneId::Transactions, find)])
            }
            Action::Adjust | Action::Add | Action::Ignore => {
                Outcome::wish(Self::by_hand(action, row))
            }
            Action::Explain => Outcome::wish(Wish::Say(
                "the provider says one figure, the rows here come to the other; nothing is \
                 corrected by itself"
                    .to_owned(),
            )),
            _ => Outcome::Unknown,
        }
    }

    fn questions(&self, _: &Look) -> Vec<(Slot, Question)> {
        vec![(Slot::Reconcile, Question::Reconcile)]
    }

    fn tells_of_row(&self) -> bool {
        true
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        let theme = look.theme;
        let (Some(_), Some(snapshot)) = (rows(look), &look.snapshot) else {
            let (text, tone) = look.waiting(Some(Slot::Reconcile));
            write(buf, area, text, theme.style(tone));
            return;
        };
        let [above, beneath] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(BENEATH)]).areas(area);
        let nothing = "no account is filled by a connection: g n shows those that there are";
        self.list.draw(buf, above, look, nothing);
        let Some(row) = self.row(look) else { return };
        let width = usize::from(beneath.width);
        let told = told(row, snapshot, look);
        let lines = told.into_iter().flat_map(|(text, tone)| {
            wrapped(&text, width).into_iter().map(move |line| (line, tone))
        });
        write_beneath(buf, beneath, lines, theme);
    }

    fn status(&self, look: &Look) -> String {
        let all = rows(look).unwrap_or_default().iter().filter_map(|row| row.differs.as_ref());
        let (ignored, open): (Vec<_>, Vec<_>) =
            all.filter(|it| !it.is_mended()).partition(|it| it.ignored);
        let open = counted(open.len() as u64, "difference");
        match ignored.len() {
            0 => open,
            ignored => format!("{open}   {ignored} ignored"),
        }
    }
}

fn rows(look: &Look) -> Option<&[ReconcileRow]> {
    match look.answer(Slot::Reconcile) {
        Some(Slice::Reconcile(rows)) => Some(rows),
        _ => None,
    }
}

fn key_of(row: &ReconcileRow) -> Key {
    (row.account, row.differs.as_ref().map(|it| it.finding))
}

/// A form with the row that makes them equal, or the balance that does.
fn adjust(row: &ReconcileRow, differs: &Differing) -> Wish {
    let (Some(of), Some(lacks), Some(date)) = (&differs.of, differs.lacks, differs.date) else {
        return Wish::Say(
            "the figures have more digits than are kept: add a row by hand".to_owned(),
        );
    };
    let figure = match of {
        Differs::Balance(_) => {
            let Some(stated) = differs.stated else {
                return Wish::Say("the balance is not known".to_owned());
            };
            let name = row.name.clone();
            return Wish::Form(Subject::BalanceAs(row.account, name, stated, date));
        }
        Differs::Cash(_) => ("amount", lacks),
        Differs::Units(_) => ("quantity", lacks),
    };
    Wish::Form(Subject::Mending(Beginning {
        what: Some("adjustment"),
        figure: Some(figure),
        ..beginning(row, differs)
    }))
}

/// A form with what is known of a row that may be missing.
fn missing(row: &ReconcileRow, differs: &Differing) -> Beginning {
    let beginning = beginning(row, differs);
    let Some(lacks) = differs.lacks.filter(|lacks| !lacks.is_zero()) else { return beginning };
    let (is_more, figure) = (lacks.is_positive(), lacks.abs());
    match &differs.of {
        Some(Differs::Units(_)) => Beginning {
            what: Some(if is_more { "buy" } else { "sell" }),
            figure: Some(("quantity", figure)),
            ..beginning
        },
        Some(Differs::Cash(_)) => Beginning {
            what: Some(if is_more { "deposit" } else { "withdrawal" }),
            figure: Some(("amount", figure)),
            ..beginning
        },
        _ => beginning,
    }
}

fn beginning(row: &ReconcileRow, differs: &Differing) -> Beginning {
    Beginning {
        account: Some(row.name.clone()),
        security: differs.security,
        symbol: differs.symbol.clone().filter(|_| differs.security.is_none()),
        date: differs.date,
        ..Beginning::default()
    }
}

/// What differs, in two words.
fn what(differs: &Differing) -> String {
    match (&differs.of, &differs.symbol) {
        (Some(Differs::Units(_)), Some(symbol)) => format!("units of {symbol}"),
        (Some(of), _) => of.to_string(),
        (None, _) => "figures too long".to_owned(),
    }
}

/// A figure of it, as those are written.
fn figure(differs: &Differing, value: Option<Dec>, look: &Look) -> String {
    match (&differs.of, value) {
        (_, None) => UNKNOWN.to_owned(),
        (Some(Differs::Cash(currency) | Differs::Balance(currency)), Some(value)) => {
            look.figures.money(value, *currency).into_string()
        }
        (_, Some(value)) => look.figures.quantity(Some(value)).into_string(),
    }
}

/// What the ledger lacks, with its sign.
fn signed(differs: &Differing, look: &Look) -> String {
    let text = figure(differs, differs.lacks, look);
    let is_more = differs.lacks.is_some_and(Dec::is_positive);
    if is_more && text != MASK { format!("+{text}") } else { text }
}

/// How it stands, and what that means.
fn state(differs: Option<&Differing>) -> (&'static str, Tone, &'static str) {
    match differs {
        None => (
            "none known",
            Tone::Dim,
            "no refresh has found a difference; what the provider does not tell is not compared",
        ),
        Some(it) if it.is_mended() => {
            ("mended", Tone::Dim, "they say the same by now; the next refresh finds that too")
        }
        Some(it) if it.ignored => (
            "ignored",
            Tone::Dim,
            "somebody leaves it, as long as both figures stay; i minds it again",
        ),
        Some(_) => (
            "differs",
            Tone::Warn,
            "A adds what makes them equal; a adds the row that is missing; i leaves it; Enter \
             shows the rows; z takes back",
        ),
    }
}

fn cells(row: &ReconcileRow, look: &Look) -> Vec<Cell> {
    let (state, tone, _) = state(row.differs.as_ref());
    let name = Cell::plain(row.name.as_str());
    let Some(it) = &row.differs else {
        let mut cells = vec![Cell::default(); COLUMNS.len()];
        if let [first, .., last] = cells.as_mut_slice() {
            (*first, *last) = (name, Cell::new(state, tone));
        }
        return cells;
    };
    vec![
        name,
        Cell::plain(what(it)),
        Cell::plain(figure(it, it.stated, look)).of(it.stated),
        Cell::plain(figure(it, it.ours, look)).of(it.ours),
        Cell::new(signed(it, look), tone).of(it.lacks),
        Cell::new(it.date.map(|day| day.to_string()).unwrap_or_default(), Tone::Dim),
        Cell::new(state, tone),
    ]
}

fn told(row: &ReconcileRow, snapshot: &Snapshot, look: &Look) -> Vec<(String, Tone)> {
    let (_, tone, words) = state(row.differs.as_ref());
    let title = match &row.differs {
        Some(it) => format!("{} · {}", row.name, what(it)),
        None => row.name.to_string(),
    };
    let mut told = vec![(title, Tone::Title)];
    if let Some(it) = &row.differs {
        let day = it.date.map(|day| format!(" at the end of {day}")).unwrap_or_default();
        let (stated, ours) = (figure(it, it.stated, look), figure(it, it.ours, look));
        let said = format!("{} says {stated}{day}, the rows here come to {ours}", row.connection);
        told.push((said, Tone::Plain));
    }
    told.push((words.to_owned(), tone));
    let synced = row.synced.and_then(|at| time_of(at, snapshot));
    let synced = synced.map_or_else(|| "never yet".to_owned(), |at| format!("last {at}"));
    told.push((format!("told by {}, {synced}", row.connection), Tone::Dim));
    told
}
