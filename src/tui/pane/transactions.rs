//! One ledger of every kind, the newest first. Only a window of it is ever read.
//!
//! ```text
//! Date        Account   Type      Symbol   Quantity    Price     Amount     Balance  Description
//! 2024-03-08  RRSP      dividend  VFV.TO                           12.40    1,203.11
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::list::List;
use super::{Outcome, Pane, PaneId, Wish, transaction_detail};
use crate::keys::{Action, Context};
use crate::model::{SafeText, Status, TransactionId};
use crate::state::{At, Find, Question, Slice, Slot, Window, WindowQuery, WindowRow};
use crate::text::UNKNOWN;
use crate::tui::look::{Look, Selection};
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Cursor, Grid, Row, write};

const COLUMNS: [Column; 9] = [
    Column { title: "Date", align: Align::Left, priority: 0, width: (10, 10) },
    Column { title: "Account", align: Align::Left, priority: 5, width: (10, 24) },
    Column { title: "Type", align: Align::Left, priority: 1, width: (12, 20) },
    Column { title: "Symbol", align: Align::Left, priority: 2, width: (6, 12) },
    Column { title: "Quantity", align: Align::Point, priority: 4, width: (8, 0) },
    Column { title: "Price", align: Align::Point, priority: 6, width: (6, 0) },
    Column { title: "Amount", align: Align::Point, priority: 0, width: (10, 0) },
    Column { title: "Balance", align: Align::Point, priority: 3, width: (10, 0) },
    Column { title: "Description", align: Align::Left, priority: 7, width: (12, 60) },
];

/// How many rows are read at once: several screens, so that most keys need no reading.
const ROWS: usize = 300;

/// The pane.
#[derive(Debug, Default)]
pub struct Transactions {
    find: Find,
    complaint: Option<String>,
    filtered: bool,
    /// Whose rows they are; none: of all accounts.
    account: Option<SafeText>,
    at: At,
    /// The row at the cursor, found again in the next window.
    on: Option<TransactionId>,
    /// Where the cursor goes in the next window that is not around a row.
    end: bool,
    list: List,
    ids: Vec<TransactionId>,
}

impl Transactions {
    fn row<'a>(&self, look: &'a Look) -> Option<&'a WindowRow> {
        window_of(look)?.rows.get(self.list.cursor.at)
    }

    /// The window moves along where the cursor comes near its end.
    fn follow(&mut self, look: &Look) {
        self.on = self.ids.get(self.list.cursor.at).copied();
        let Some(window) = window_of(look) else { return };
        let near = self.list.height(look) * 2;
        let before = self.list.cursor.at < near && !window.first_is_newest;
        let after = self.list.cursor.at + near >= self.ids.len() && !window.last_is_oldest;
        if let Some(id) = self.on.filter(|_| before || after) {
            self.at = At::Around(id);
        }
    }

    fn jump(&mut self, at: At) {
        self.end = at == At::Oldest;
        self.at = at;
        self.on = None;
        self.list.cursor = Cursor::default();
    }
}

impl Pane for Transactions {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Transactions, Context::List]
    }

    fn refresh(&mut self, look: &Look) {
        // The rows of another account are looked at from the newest on.
        if self.account != look.selection.account {
            self.account.clone_from(&look.selection.account);
            self.jump(At::Newest);
        }
        let Some(window) = window_of(look) else {
            self.list.grid = Grid::default();
            self.ids.clear();
            return;
        };
        self.ids = window.rows.iter().map(|row| row.row.id).collect();
        let rows = window.rows.iter().map(|row| Row::of(cells(row, look))).collect();
        self.list.grid = Grid::new(&COLUMNS, rows, None).no_narrower(&self.list.grid);
        let place = self.on.and_then(|id| self.ids.iter().position(|other| *other == id));
        match place {
            // The row stays where it is on the screen, whatever window it is in.
            Some(at) => {
                let from_top = self.list.cursor.at.saturating_sub(self.list.cursor.top);
                self.list.cursor = Cursor { at, top: at.saturating_sub(from_top) };
            }
            None if self.end => self.list.cursor.at = self.ids.len(),
            None => {}
        }
        self.list.settle(look);
        self.on = self.ids.get(self.list.cursor.at).copied();
    }

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        let whole = window_of(look).is_some_and(|all| all.first_is_newest && all.last_is_oldest);
        match action {
            Action::First if !whole => self.jump(At::Newest),
            Action::Last if !whole => self.jump(At::Oldest),
            Action::Open | Action::In => {
                let security = self
                    .row(look)
                    .and_then(|row| Some((row.security_id?, row.row.symbol.clone()?)));
                return match security {
                    Some(security) => {
                        let selection =
                            Selection { security: Some(security), ..look.selection.clone() };
                        Outcome::Done(vec![Wish::Select(selection), Wish::Go(PaneId::Chart)])
                    }
                    None => Outcome::wish(Wish::Say("this row names no security".to_owned())),
                };
            }
            action => {
                if !self.list.act(action, look) {
                    return Outcome::Unknown;
                }
                self.follow(look);
            }
        }
        Outcome::DONE
    }

    fn questions(&self, look: &Look) -> Vec<(Slot, Question)> {
        let Some(snapshot) = &look.snapshot else { return Vec::new() };
        let account = look.account().map(|account| account.id);
        let query = WindowQuery {
            find: self.find.clone(),
            account,
            to: snapshot.view.as_of,
            at: self.at,
            rows: ROWS,
        };
        vec![(Slot::Window, Question::Window(query))]
    }

    fn subject(&self, look: &Look) -> Option<Selection> {
        let row = self.row(look)?;
        let account = Some(row.row.account.clone());
        let security = row.security_id.zip(row.row.symbol.clone());
        Some(Selection { account, security, range: look.selection.range })
    }

    fn detail_questions(&self, look: &Look) -> Vec<(Slot, Question)> {
        self.row(look).map(|row| (Slot::Row, Question::Row(row.row.id))).into_iter().collect()
    }

    fn detail_title(&self, look: &Look) -> String {
        self.row(look).map_or_else(String::new, |row| format!("Transaction {}", row.row.id))
    }

    fn draw_detail(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        if let Some(row) = self.row(look) {
            transaction_detail::draw(buf, area, row, look);
        }
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        if window_of(look).is_none() {
            let (text, tone) = look.waiting(Some(Slot::Window));
            write(buf, area, text, look.theme.style(tone));
        } else if self.ids.is_empty() {
            let text = match self.filtered {
                true => "nothing fits the filter; Esc takes it away",
                false => "there is no transaction here yet: `dashtam import FILE` brings some",
            };
            write(buf, area, text, look.theme.style(Tone::Dim));
        } else {
            self.list.draw(buf, area, look, "");
        }
    }

    fn status(&self, look: &Look) -> String {
        if let Some(complaint) = &self.complaint {
            return complaint.clone();
        }
        let Some(window) = window_of(look) else { return String::new() };
        let row =
            window.first_row.map(|first| format!("row {}", first + self.list.cursor.at as u64));
        match (row, window.total) {
            (Some(row), Some(total)) => format!("{row} of {total}"),
            (None, Some(total)) => format!("{total} rows"),
            (row, None) => row.unwrap_or_default(),
        }
    }

    fn filter(&mut self, text: &str, look: &Look) {
        match Find::parse(text) {
            Ok(find) => {
                self.complaint = None;
                self.filtered = !find.is_everything();
                if find != self.find {
                    self.find = find;
                    self.jump(At::Newest);
                }
            }
            // What was found before stays until the words make sense again.
            Err(error) => self.complaint = Some(error.to_string()),
        }
        self.refresh(look);
    }

    fn go_to(&mut self, row: usize, _: &Look) {
        self.jump(At::Row(row as u64));
    }

    fn is_filtered(&self) -> bool {
        self.filtered
    }

    fn row_text(&self) -> Option<String> {
        Some(self.list.row_text())
    }

    fn click(&mut self, line: u16, look: &Look) {
        self.list.click(line, look);
        self.follow(look);
    }
}

fn window_of(look: &Look) -> Option<&Window> {
    match look.answer(Slot::Window) {
        Some(Slice::Window(window)) => Some(window),
        _ => None,
    }
}

fn cells(window: &WindowRow, look: &Look) -> Vec<Cell> {
    let (row, figures) = (&window.row, look.figures);
    let text = |text: &Option<SafeText>| text.as_ref().map_or("", SafeText::as_str).to_owned();
    let counts = matches!(row.status, Status::Settled | Status::Pending);
    let tone = if counts { Tone::Plain } else { Tone::Dim };
    let status = match row.status {
        Status::Settled => String::new(),
        other => format!("{other} "),
    };
    let price = row.price.map(|price| figures.price(Some(price), row.currency).into_string());
    let amount = format!("{} {}", figures.money(row.amount, row.currency), row.currency);
    let balance = match window.balance {
        Some(balance) => figures.money(balance, row.currency).into_string(),
        None if counts => UNKNOWN.to_owned(),
        None => String::new(),
    };
    vec![
        Cell::new(row.date.to_string(), tone),
        Cell::new(row.account.as_str(), tone),
        Cell::new(format!("{status}{}", row.subtype), tone),
        Cell::new(text(&row.symbol), tone),
        Cell::new(figures.quantity(row.quantity).into_string(), tone),
        Cell::new(price.unwrap_or_default(), tone),
        Cell::new(amount, tone),
        Cell::new(balance, Tone::Dim),
        Cell::new(text(&row.description), Tone::Dim),
    ]
}
