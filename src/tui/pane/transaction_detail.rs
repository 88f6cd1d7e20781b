//! Everything of the transaction at the cursor: every column, the other rows of its event, who said
//! it, in which words.
//!
//! ```text
//! Event     buy, settled                        Amount   -2,080.52 USD
//! Date      2026-11-17, settles 2026-11-19      Balance     108.72 USD
//! Account   Roth IRA                            Source   import:1 from household.csv
//! Words     Union Broad Market ETF
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use crate::model::SafeText;
use crate::state::{Question, Slice, Slot, TransactionDetail, TransactionRow, WindowRow};
use crate::text::UNKNOWN;
use crate::tui::look::Look;
use crate::tui::theme::Tone;
use crate::tui::widget::{wrapped, write};

/// Columns of the name of a field.
const NAME: u16 = 13;
/// From so many columns on fields stand in two columns.
const TWO: u16 = 90;

type Field = (&'static str, String);

/// Draws a transaction.
pub fn draw(buf: &mut Buffer, area: Rect, window: &WindowRow, look: &Look) {
    // What was read of another row says nothing of this one.
    let read = match (look.answered(Slot::Row), look.answer(Slot::Row)) {
        (Some(Question::Row(id)), Some(Slice::Row(detail))) if *id == window.row.id => Some(detail),
        _ => None,
    };
    let (left, right) = (columns(window, look), sources(window, read));
    let (legs, texts) = (legs(read, look), texts(window, read));
    let (left, right) = match area.width >= TWO {
        true => (left, right),
        false => (left.into_iter().chain(right).collect(), Vec::new()),
    };
    let lines = |fields: &[Field]| u16::try_from(fields.len()).unwrap_or(u16::MAX);
    let [fields, legs_area, texts_area] = Layout::vertical([
        Constraint::Length(lines(&left).max(lines(&right))),
        Constraint::Length(lines(&legs)),
        Constraint::Fill(1),
    ])
    .areas(area);
    match right.is_empty() {
        true => put(buf, fields, &left, look),
        false => {
            let [a, b] =
                Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(fields);
            put(buf, a, &left, look);
            put(buf, b, &right, look);
        }
    }
    put(buf, legs_area, &legs, look);
    let mut rest = texts_area;
    for (name, text) in texts {
        let lines = paragraph(buf, rest, name, text.as_str(), look);
        rest = Rect { y: rest.y + lines, height: rest.height - lines, ..rest };
    }
}

/// The columns of the row.
fn columns(window: &WindowRow, look: &Look) -> Vec<Field> {
    let (row, figures) = (&window.row, look.figures);
    let money = |amount| format!("{} {}", figures.money(amount, row.currency), row.currency);
    let settles = row.settlement.map(|day| format!(", settles {day}")).unwrap_or_default();
    let balance = window.balance.map_or_else(|| UNKNOWN.to_owned(), money);
    let fields = [
        ("Event", Some(format!("{}, {}", row.subtype, row.status))),
        ("Date", Some(format!("{}{settles}", row.date))),
        ("Symbol", row.symbol.as_ref().map(SafeText::to_string)),
        ("Quantity", row.quantity.map(|it| figures.quantity(Some(it)).into_string())),
        ("Price", row.price.map(|it| figures.price(Some(it), row.currency).into_string())),
        ("Fee", row.fee.map(money)),
        ("Tax", row.tax.map(money)),
        ("Amount", Some(money(row.amount))),
        ("Rate", row.by_day_rate.then(|| "that of the day".to_owned())),
        ("Balance", Some(balance)),
    ];
    fields.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
}

/// Whose it is, and who said so.
fn sources(window: &WindowRow, read: Option<&TransactionDetail>) -> Vec<Field> {
    let row = &window.row;
    let files: Vec<&str> =
        read.iter().flat_map(|detail| &detail.files).map(SafeText::as_str).collect();
    let files = (!files.is_empty()).then(|| files.join(", "));
    let fields = [
        ("Account", Some(row.account.to_string())),
        ("Category", row.category.as_ref().map(SafeText::to_string)),
        ("Source", Some(row.source.clone())),
        ("File", files),
    ];
    fields.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
}

/// The other rows of the event.
fn legs(read: Option<&TransactionDetail>, look: &Look) -> Vec<Field> {
    let legs = read.iter().flat_map(|detail| &detail.legs);
    let field = |row: &TransactionRow| {
        let amount = look.figures.money(row.amount, row.currency);
        let quantity = row.quantity.map(|it| look.figures.quantity(Some(it)).into_string());
        let symbol = row.symbol.as_ref().map(SafeText::to_string);
        let what: Vec<String> = [quantity, symbol].into_iter().flatten().collect();
        let what = if what.is_empty() { String::new() } else { format!("{}, ", what.join(" ")) };
        let (id, date, kind, account) = (row.id, row.date, row.subtype, &row.account);
        let text = format!("{date}  {kind} in {account}: {what}{amount} {} ({id})", row.currency);
        ("Linked", text)
    };
    legs.map(field).collect()
}

/// What may be long.
fn texts(window: &WindowRow, read: Option<&TransactionDetail>) -> Vec<(&'static str, SafeText)> {
    let note = read.and_then(|detail| detail.note.clone());
    let texts = [("Description", window.row.description.clone()), ("Note", note)];
    texts.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
}

fn put(buf: &mut Buffer, area: Rect, fields: &[Field], look: &Look) {
    for ((name, text), at) in fields.iter().zip(0..area.height) {
        let line = Rect { y: area.y + at, height: 1, ..area };
        write(buf, value(line), text, look.theme.style(Tone::Plain));
        write(buf, line, name, look.theme.style(Tone::Dim));
    }
}

/// Draws a text on as many lines as it needs and there are; gives their number.
fn paragraph(buf: &mut Buffer, area: Rect, name: &str, text: &str, look: &Look) -> u16 {
    if area.is_empty() {
        return 0;
    }
    write(buf, area, name, look.theme.style(Tone::Dim));
    let mut lines = wrapped(text, usize::from(value(area).width));
    let seen = usize::from(area.height);
    if lines.len() > seen {
        lines.truncate(seen);
        if let Some(last) = lines.last_mut() {
            last.push('…');
        }
    }
    let mut used = 0;
    for (line, at) in lines.iter().zip(0..area.height) {
        let place = value(Rect { y: area.y + at, height: 1, ..area });
        write(buf, place, line, look.theme.style(Tone::Plain));
        used = at + 1;
    }
    used
}

fn value(line: Rect) -> Rect {
    let x = NAME.min(line.width);
    Rect { x: line.x + x, width: line.width - x, ..line }
}
