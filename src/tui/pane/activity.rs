//! What was done: the newest rows of the trail. An attempt stands before each effect, and one
//! outcome after it.
//!
//! ```text
//!   No  When              Action   State      Detail
//! 1024  2026-11-21 14:02  import   SUCCEEDED  new=120 duplicate=3
//! ```

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::imports::clock_of;
use super::list::List;
use super::table::{Line, lends};
use super::{Outcome, Pane, Wish};
use crate::keys::{Action, Context};
use crate::model::Dec;
use crate::state::{Question, Slice, Slot, Snapshot, TrailRow};
use crate::tui::look::Look;
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Row, wrapped, write, write_beneath};

const COLUMNS: [Column; 6] = [
    Column { title: "No", align: Align::Point, priority: 3, width: (2, 0) },
    Column { title: "When", align: Align::Left, priority: 1, width: (16, 16) },
    Column { title: "Action", align: Align::Left, priority: 0, width: (10, 24) },
    Column { title: "State", align: Align::Left, priority: 0, width: (9, 9) },
    Column { title: "Detail", align: Align::Left, priority: 2, width: (12, 80) },
    Column { title: "Who", align: Align::Left, priority: 4, width: (6, 24) },
];

/// The column that matters most.
const MAIN: usize = 4;
/// Lines beneath the rows.
const BENEATH: u16 = 5;

const ATTEMPTED: &str = "ATTEMPTED";
const FAILED: &str = "FAILED";
/// What an attempt without an outcome is called.
const OPEN: &str = "UNDER WAY";

/// The pane.
#[derive(Debug, Default)]
pub struct Activity {
    list: List<i64>,
}

impl Activity {
    fn row<'a>(&self, look: &'a Look) -> Option<&'a TrailRow> {
        let seq = self.list.key()?;
        rows(look)?.iter().find(|row| row.seq == *seq)
    }
}

impl Pane for Activity {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Activity, Context::List]
    }

    fn refresh(&mut self, look: &Look) {
        let (Some(rows), Some(snapshot)) = (rows(look), &look.snapshot) else { return };
        let (ended, room) = (ended(rows), self.lines(look));
        let line = |row: &TrailRow| Line::of(row.seq, Row::of(cells(row, &ended, snapshot)));
        let lines = rows.iter().map(line).collect();
        // Who looks at the newest sees what comes; who looks at another row stays there.
        let follows = self.list.cursor.at == 0;
        self.list.lay_out(&COLUMNS, lines, None, |_| room);
        if follows {
            self.list.act(Action::First, room);
        }
    }

    lends!(COLUMNS);

    fn lines(&self, look: &Look) -> u16 {
        look.size.1.saturating_sub(BENEATH)
    }

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        if self.list.act(action, self.lines(look)) {
            return Outcome::DONE;
        }
        match action {
            Action::Explain => Outcome::wish(Wish::Say(
                "an attempt stands before each effect and one outcome after it".to_owned(),
            )),
            _ => Outcome::Unknown,
        }
    }

    fn questions(&self, _: &Look) -> Vec<(Slot, Question)> {
        vec![(Slot::Trail, Question::Trail)]
    }

    fn tells_of_row(&self) -> bool {
        true
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        let theme = look.theme;
        if rows(look).is_none() {
            let (text, tone) = look.waiting(Some(Slot::Trail));
            write(buf, area, text, theme.style(tone));
            return;
        }
        let [above, beneath] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(BENEATH)]).areas(area);
        self.list.draw(buf, above, look, "nothing was done yet");
        let Some(row) = self.row(look) else { return };
        let width = usize::from(beneath.width);
        let mut lines = vec![(format!("{} {}", row.action, row.state), Tone::Title)];
        lines.extend(wrapped(row.detail.as_str(), width).into_iter().map(|it| (it, Tone::Plain)));
        lines.push((format!("by {}{}", row.actor, with(row, look)), Tone::Dim));
        write_beneath(buf, beneath, lines, theme);
    }

    fn status(&self, look: &Look) -> String {
        let rows = rows(look).unwrap_or_default();
        let failed = rows.iter().filter(|row| row.state.as_str() == FAILED).count();
        format!("the newest {} rows   {failed} failed", rows.len())
    }
}

fn rows(look: &Look) -> Option<&[TrailRow]> {
    match look.answer(Slot::Trail) {
        Some(Slice::Trail(rows)) => Some(rows),
        _ => None,
    }
}

/// Which other row is of the same operation.
fn with(row: &TrailRow, look: &Look) -> String {
    let mut all = rows(look).unwrap_or_default().iter();
    match all.find(|other| other.op == row.op && other.seq != row.seq) {
        Some(other) if other.seq < row.seq => format!(", attempted as No {}", other.seq),
        Some(other) => format!(", ended as No {}", other.seq),
        None => String::new(),
    }
}

/// The operations that have an outcome.
fn ended(rows: &[TrailRow]) -> BTreeSet<&str> {
    let outcomes = rows.iter().filter(|row| row.state.as_str() != ATTEMPTED);
    outcomes.map(|row| row.op.as_str()).collect()
}

fn cells(row: &TrailRow, ended: &BTreeSet<&str>, snapshot: &Snapshot) -> Vec<Cell> {
    let (state, tone) = match row.state.as_str() {
        ATTEMPTED if !ended.contains(row.op.as_str()) => (OPEN, Tone::Warn),
        ATTEMPTED => (ATTEMPTED, Tone::Dim),
        FAILED => (FAILED, Tone::Error),
        other => (other, Tone::Plain),
    };
    vec![
        Cell::new(row.seq.to_string(), Tone::Dim).of(Some(Dec::from_i64(row.seq))),
        Cell::plain(clock_of(row.at, snapshot)),
        Cell::plain(row.action.as_str()),
        Cell::new(state, tone),
        Cell::plain(row.detail.as_str()),
        Cell::new(row.actor.as_str(), Tone::Dim),
    ]
}
