//! How a figure came about.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::super::frame::framed;
use crate::state::{Explanation, Input, Slice};
use crate::text::{Figures, UNKNOWN};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::write;

/// Draws the derivations from a line on, over the pane.
pub fn draw(
    buf: &mut Buffer,
    area: Rect,
    theme: Theme,
    figures: Figures,
    slice: Option<&Slice>,
    top: usize,
) {
    Clear.render(area, buf);
    let inner = framed(buf, area, "How it came about", theme);
    let lines = told(slice, figures);
    let seen = usize::from(inner.height);
    let top = top.min(lines.len().saturating_sub(seen));
    for ((text, tone), at) in lines.iter().skip(top).take(seen).zip(0..) {
        let place = Rect { y: inner.y + at, height: 1, ..inner };
        write(buf, place, text, theme.style(*tone));
    }
}

/// The first line of the last ones that so many lines show.
pub fn last_top(slice: Option<&Slice>, figures: Figures, height: u16) -> usize {
    told(slice, figures).len().saturating_sub(usize::from(height))
}

fn told(slice: Option<&Slice>, figures: Figures) -> Vec<(String, Tone)> {
    match slice {
        Some(Slice::Explained(found)) => lines(found, figures),
        Some(Slice::Failed(trouble)) => vec![(trouble.0.clone(), Tone::Warn)],
        _ => vec![("reading ...".to_owned(), Tone::Dim)],
    }
}

fn lines(found: &[Explanation], figures: Figures) -> Vec<(String, Tone)> {
    let mut lines = Vec::new();
    for explanation in found {
        let value = figures.maybe(explanation.value).unwrap_or_else(|| UNKNOWN.to_owned());
        let currency = explanation.currency.map(|currency| format!(" {currency}"));
        let currency = currency.unwrap_or_default();
        let head = format!("{} of {}: {value}{currency}", explanation.figure, explanation.of);
        lines.push((head, Tone::Strong));
        lines.push((format!("  = {}", figures.message(&explanation.formula)), Tone::Plain));
        for input in &explanation.inputs {
            lines.push((format!("  {}", input_line(input, figures)), Tone::Dim));
        }
        lines.push((String::new(), Tone::Plain));
    }
    lines
}

fn input_line(input: &Input, figures: Figures) -> String {
    let value = figures.maybe(input.value).unwrap_or_else(|| UNKNOWN.to_owned());
    let id = input.id.as_ref().map_or("", |id| id.as_str());
    let mut line = format!("{:<6} {id} {value}", input.kind);
    let pair = input.pair.as_ref().map(ToString::to_string);
    let date = input.date.map(|date| date.to_string());
    let source = input.source.as_ref().map(ToString::to_string);
    for more in [pair, date, source].into_iter().flatten() {
        line.push_str("  ");
        line.push_str(&more);
    }
    line
}
