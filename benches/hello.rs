//! The yardstick of the `terminal` bench: the least that a program with Ratatui does. A list of 30,
//! a table of 200, and a read that waits; `j` and `k` move, `q` quits.

use std::io;

use crossterm::event::{self, Event, KeyCode};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::Style;
use ratatui::widgets::{Block, List, Row, Table, TableState};

fn main() -> io::Result<()> {
    let mut terminal = ratatui::init();
    let mut chosen = TableState::new().with_selected(0);
    let ended = loop {
        if let Err(error) = terminal.draw(|frame| draw(frame, &mut chosen)) {
            break Err(error);
        }
        match event::read() {
            Ok(Event::Key(key)) if key.code == KeyCode::Char('q') => break Ok(()),
            Ok(Event::Key(key)) if key.code == KeyCode::Char('j') => chosen.select_next(),
            Ok(Event::Key(key)) if key.code == KeyCode::Char('k') => chosen.select_previous(),
            Ok(_) => {}
            Err(error) => break Err(error),
        }
    };
    ratatui::restore();
    ended
}

/// The table is as wide as the screen, as those are that it is held against.
fn draw(frame: &mut Frame<'_>, chosen: &mut TableState) {
    let areas = Layout::vertical([Constraint::Length(10), Constraint::Fill(1)]);
    let [above, below] = areas.areas(frame.area());
    let list = List::new((0..30).map(|at| format!("hello {at}")));
    frame.render_widget(list.block(Block::bordered().title("list")), above);
    let row = |at: u32| {
        let cells = (0..6).map(move |column| format!("cell {at} {column}"));
        Row::new(cells)
    };
    let table = Table::new((0..200).map(row), [Constraint::Fill(1); 6])
        .block(Block::bordered().title("table"))
        .row_highlight_style(Style::new().reversed());
    frame.render_stateful_widget(table, below, chosen);
}
