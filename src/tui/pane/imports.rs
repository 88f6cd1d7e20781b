//! The imports that there were, the newest first, and what each of them left out; one can be taken
//! back, and its files brought in once more.
//!
//! ```text
//! No  When              State                 Files       New  There  Changed  Conflict  Refused
//!  3  2026-11-20 14:02                        bank.csv    120      3        0         0        1
//! ```

use chrono::{DateTime, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::list::List;
use super::table::{Line, lends};
use super::{Outcome, Pane, PaneId, Wish};
use crate::keys::{Action, Context};
use crate::model::{BatchId, Dec, SafeText};
use crate::state::{BatchFile, BatchSummary, Question, Slice, Slot, Snapshot, StagedRow};
use crate::tui::errand::Errand;
use crate::tui::look::Look;
use crate::tui::overlay::Confirm;
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Grid, Row, write};

const COLUMNS: [Column; 9] = [
    Column { title: "No", align: Align::Point, priority: 0, width: (2, 0) },
    Column { title: "When", align: Align::Left, priority: 1, width: (16, 16) },
    Column { title: "State", align: Align::Left, priority: 0, width: (6, 10) },
    Column { title: "Files", align: Align::Left, priority: 2, width: (10, 40) },
    Column { title: "New", align: Align::Point, priority: 0, width: (3, 0) },
    Column { title: "There", align: Align::Point, priority: 5, width: (5, 0) },
    Column { title: "Changed", align: Align::Point, priority: 4, width: (7, 0) },
    Column { title: "Conflict", align: Align::Point, priority: 3, width: (8, 0) },
    Column { title: "Refused", align: Align::Point, priority: 3, width: (7, 0) },
];

const LEFT_OUT: [Column; 5] = [
    Column { title: "File", align: Align::Left, priority: 3, width: (6, 24) },
    Column { title: "Line", align: Align::Point, priority: 0, width: (4, 0) },
    Column { title: "Left out", align: Align::Left, priority: 0, width: (9, 9) },
    Column { title: "Column", align: Align::Left, priority: 2, width: (6, 14) },
    Column { title: "Why", align: Align::Left, priority: 1, width: (12, 120) },
];

/// The column of the figure that matters most.
const MAIN: usize = 4;

/// The pane.
#[derive(Debug, Default)]
pub struct Imports {
    list: List<BatchId>,
}

impl Imports {
    fn batch<'a>(&self, look: &'a Look) -> Option<&'a BatchSummary> {
        let id = self.list.key()?;
        batches(look)?.iter().find(|batch| batch.id == *id)
    }

    /// The rows have as many lines as they need, but no more than half.
    fn room(rows: usize, look: &Look) -> u16 {
        let needed = u16::try_from(rows + 1).unwrap_or(u16::MAX);
        needed.min(look.size.1 / 2)
    }

    /// Asks before it is taken back: what was edited since stays, the rest goes.
    fn undo(&self, look: &Look) -> Wish {
        let Some(batch) = self.batch(look) else {
            return Wish::Say("there is no import to take back".to_owned());
        };
        if look.read_only {
            return Wish::Say("--read-only: nothing is written".to_owned());
        }
        if batch.undone.is_some() {
            return Wish::Say(format!("import {} was taken back already", batch.id));
        }
        let count = |of: fn(&BatchFile) -> i64| batch.files.iter().map(of).sum::<i64>();
        let (new, changed) = (count(|file| file.new), count(|file| file.changed));
        let text = format!(
            "Take import {} back? Of {new} new rows go all that no other import brought too, and \
             {changed} changed ones are again what they were. What somebody edited since stays \
             and is named. Its files can be imported once more.",
            batch.id
        );
        Wish::Confirm(Box::new(Confirm { text, errand: Errand::UndoImport(batch.id) }))
    }

    /// The command that brings its files in once more, to be sent off by whoever looks at it.
    fn redo(&self, look: &Look) -> Wish {
        let Some(batch) = self.batch(look) else {
            return Wish::Say("there is no import to repeat".to_owned());
        };
        let quoted = |file: &BatchFile| format!("\"{}\"", SafeText::new(&file.path));
        let files: Vec<_> = batch.files.iter().map(quoted).collect();
        Wish::Type(format!("import {}", files.join(" ")))
    }
}

impl Pane for Imports {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Imports, Context::List]
    }

    fn refresh(&mut self, look: &Look) {
        let (Some(batches), Some(snapshot)) = (batches(look), &look.snapshot) else { return };
        let line = |batch: &BatchSummary| Line::of(batch.id, Row::of(cells(batch, snapshot)));
        let lines = batches.iter().rev().map(line).collect();
        self.list.lay_out(&COLUMNS, lines, None, |rows| Self::room(rows, look));
    }

    lends!(COLUMNS);

    fn lines(&self, look: &Look) -> u16 {
        Self::room(self.list.grid.len(), look)
    }

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        if self.list.act(action, self.lines(look)) {
            return Outcome::DONE;
        }
        match action {
            Action::Open | Action::In => match self.batch(look) {
                Some(batch) => {
                    let find = format!("source:import:{}", batch.id);
                    Outcome::wish(Wish::Find(PaneId::Transactions, find))
                }
                None => Outcome::DONE,
            },
            Action::Undo => Outcome::wish(self.undo(look)),
            Action::Redo => Outcome::wish(self.redo(look)),
            Action::BeginImport => Outcome::wish(Wish::Type("import ".to_owned())),
            Action::Explain => Outcome::wish(Wish::Say(
                "beneath the imports stands what each of them left out, and why".to_owned(),
            )),
            _ => Outcome::Unknown,
        }
    }

    fn questions(&self, look: &Look) -> Vec<(Slot, Question)> {
        let mut questions = vec![(Slot::Batches, Question::Batches)];
        if let Some(batch) = self.batch(look) {
            questions.push((Slot::LeftOut, Question::LeftOut(batch.id)));
        }
        questions
    }

    fn tells_of_row(&self) -> bool {
        true
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        let theme = look.theme;
        if batches(look).is_none() {
            let (text, tone) = look.waiting(Some(Slot::Batches));
            write(buf, area, text, theme.style(tone));
            return;
        }
        let [rows, _, head, beneath] = Layout::vertical([
            Constraint::Length(self.lines(look).max(1)),
            Constraint::Length(1),
            Constraint::Length(2),
            Constraint::Fill(1),
        ])
        .areas(area);
        self.list.draw(buf, rows, look, "nothing was imported yet; i begins an import");
        let Some(batch) = self.batch(look) else { return };
        let line = |at: u16| Rect { y: head.y + at, height: head.height.min(1), ..head };
        write(buf, line(0), &format!("Import {}", batch.id), theme.style(Tone::Title));
        let files: Vec<_> = batch.files.iter().map(told).collect();
        write(buf, line(1), &files.join("   "), theme.style(Tone::Dim));
        match look.answer_to(Slot::LeftOut, Some(&Question::LeftOut(batch.id))) {
            Some(Slice::LeftOut(rows)) if rows.is_empty() => {
                let text = "every row was stored, or was there already";
                write(buf, beneath, text, theme.style(Tone::Dim));
            }
            Some(Slice::LeftOut(rows)) => {
                let rows = rows.iter().map(|row| left_out(row, batch, look)).collect();
                Grid::new(&LEFT_OUT, rows, None).draw_start(buf, beneath, theme);
            }
            _ => {
                let (text, tone) = look.waiting(Some(Slot::LeftOut));
                write(buf, beneath, text, theme.style(tone));
            }
        }
    }

    fn status(&self, look: &Look) -> String {
        let all = batches(look).unwrap_or_default();
        let undone = all.iter().filter(|batch| batch.undone.is_some()).count();
        let plural = if all.len() == 1 { "" } else { "s" };
        format!("{} import{plural}   {undone} taken back", all.len())
    }
}

fn batches(look: &Look) -> Option<&[BatchSummary]> {
    match look.answer(Slot::Batches) {
        Some(Slice::Batches(batches)) => Some(batches),
        _ => None,
    }
}

/// An instant in the zone of the store.
pub(super) fn clock_of(at: DateTime<Utc>, snapshot: &Snapshot) -> String {
    at.with_timezone(&snapshot.zone).format("%Y-%m-%d %H:%M").to_string()
}

/// The last part of a path that somebody gave.
fn file_name(file: &BatchFile) -> SafeText {
    let name = std::path::Path::new(&file.path).file_name();
    SafeText::new(&name.map_or_else(|| file.path.clone().into(), |name| name.to_string_lossy()))
}

fn cells(batch: &BatchSummary, snapshot: &Snapshot) -> Vec<Cell> {
    let sum = |of: fn(&BatchFile) -> i64| batch.files.iter().map(of).sum::<i64>();
    let count = |count: i64, tone: Tone| {
        let tone = if count == 0 { Tone::Dim } else { tone };
        Cell::new(count.to_string(), tone).of(Some(Dec::from_i64(count)))
    };
    let names: Vec<_> = batch.files.iter().map(|file| file_name(file).into_string()).collect();
    let state = match batch.undone {
        Some(_) => Cell::new("taken back", Tone::Warn),
        None => Cell::new("stored", Tone::Dim),
    };
    vec![
        Cell::plain(batch.id.to_string()).of(Some(Dec::from_i64(batch.id.0))),
        Cell::plain(clock_of(batch.created, snapshot)),
        state,
        Cell::plain(names.join(", ")),
        count(sum(|file| file.new), Tone::Plain),
        count(sum(|file| file.duplicate), Tone::Plain),
        count(sum(|file| file.changed), Tone::Plain),
        count(sum(|file| file.conflict), Tone::Warn),
        count(sum(|file| file.refused), Tone::Warn),
    ]
}

/// A file of an import: `bank.csv, neutral, 123 rows`.
fn told(file: &BatchFile) -> String {
    format!("{}, {}, {} rows", file_name(file), SafeText::new(&file.format), file.rows)
}

fn left_out(row: &StagedRow, batch: &BatchSummary, look: &Look) -> Row {
    let file = batch.files.iter().find(|file| file.file_no == row.file_no);
    let safe = |text: &Option<String>| SafeText::new(text.as_deref().unwrap_or_default());
    // Why a row was refused may repeat an amount of it.
    let why = look.figures.message(safe(&row.why).as_str());
    Row::of(vec![
        Cell::plain(file.map(file_name).unwrap_or_default().into_string()),
        Cell::plain(row.line.to_string()),
        Cell::new(row.verdict.as_str(), Tone::Warn),
        Cell::plain(safe(&row.column).into_string()),
        Cell::plain(why),
    ])
}
