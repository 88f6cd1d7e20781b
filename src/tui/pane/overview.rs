//! The whole at a glance: what it is worth and since when, where it is, and what needs a look.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use unicode_width::UnicodeWidthStr;

use super::chart::net_worth;
use super::figure::{direction, signed};
use super::{Accounts, Outcome, Pane, Sorting, Tally, Wish, told_by_alert};
use crate::keys::{Action, Context};
use crate::model::{Currency, Dec};
use crate::state::{
    FindingRow, MoversQuery, NetWorthReport, Question, Slice, Slot, Snapshot, Split,
};
use crate::text::percent;
use crate::tui::form::Subject;
use crate::tui::frame::framed;
use crate::tui::live::renews;
use crate::tui::look::{Look, Order, Range, Selection};
use crate::tui::theme::Tone;
use crate::tui::widget::{Scale, line_chart, write, write_right};

/// Above this width two things stand beside each other.
const WIDE: u16 = 100;

/// Columns of the name of a part, and of its percentage.
const NAME: u16 = 12;
const PART: u16 = 9;

/// The pane.
#[derive(Debug, Default)]
pub struct Overview {
    accounts: Accounts,
}

impl Pane for Overview {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Overview, Context::List]
    }

    fn refresh(&mut self, look: &Look) {
        self.accounts.refresh(&with_accounts(look));
    }

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        match action {
            Action::RangeLonger | Action::RangeShorter => {
                let range = look.selection.range;
                let range = match action {
                    Action::RangeLonger => range.longer(),
                    _ => range.shorter(),
                };
                Outcome::wish(Wish::Select(Selection { range, ..look.selection.clone() }))
            }
            // Here most of what is added is a row of the account at the cursor.
            Action::Add => {
                let account = self.accounts.subject(&with_accounts(look));
                let account = account.and_then(|selection| selection.account);
                Outcome::wish(Wish::Form(Subject::NewRow(None, account, None)))
            }
            _ => self.accounts.act(action, &with_accounts(look)),
        }
    }

    fn questions(&self, look: &Look) -> Vec<(Slot, Question)> {
        let Some(snapshot) = &look.snapshot else { return Vec::new() };
        let query = net_worth(snapshot, look.selection.range, None);
        let mut questions = vec![(Slot::History, Question::History(query))];
        // On a day gone by, the last visit is still to come.
        if let Some(day) = look.since.filter(|_| snapshot.view.as_of.is_none()) {
            let query = MoversQuery {
                as_of: snapshot.day,
                today: snapshot.today,
                currency: None,
                since: Some(day),
            };
            questions.push((Slot::Since, Question::Movers(query)));
        }
        questions
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        let Some(snapshot) = &look.snapshot else {
            let (text, tone) = look.waiting(None);
            write(buf, area, text, look.theme.style(tone));
            return;
        };
        if look.zoomed {
            let inner = framed(buf, area, &self.title(look), look.theme);
            self.accounts.draw(buf, inner, look);
            return;
        }
        let [top, bottom] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(accounts_lines(look) + 2)])
                .areas(area);
        let (left, right) = match area.width >= WIDE {
            true => {
                let [left, right] =
                    Layout::horizontal([Constraint::Fill(5), Constraint::Fill(3)]).areas(top);
                (left, Some(right))
            }
            false => (top, None),
        };
        let inner = framed(buf, left, "Net worth", look.theme);
        worth(buf, inner, snapshot, look);
        if let Some(right) = right {
            let inner = framed(buf, right, "Needs attention", look.theme);
            attention(buf, inner, look);
        }
        let [accounts, rest] = match area.width >= WIDE {
            true => Layout::horizontal([Constraint::Fill(3), Constraint::Fill(4)]).areas(bottom),
            false => [bottom, Rect::default()],
        };
        let inner = framed(buf, accounts, &self.title(look), look.theme);
        self.accounts.draw(buf, inner, look);
        if !rest.is_empty() {
            let [left, right] =
                Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(rest);
            let inner = framed(buf, left, "Movers", look.theme);
            movers(buf, inner, snapshot, look);
            let inner = framed(buf, right, "Allocation", look.theme);
            allocation(buf, inner, snapshot, look);
        }
    }

    fn filter(&mut self, text: &str, look: &Look) {
        self.accounts.filter(text, &with_accounts(look));
    }

    fn sorting(&self) -> Option<Sorting> {
        self.accounts.sorting()
    }

    fn sort(&mut self, order: Order, look: &Look) {
        self.accounts.sort(order, &with_accounts(look));
    }

    fn seek(&mut self, text: &str, forward: bool, look: &Look) -> Outcome {
        self.accounts.seek(text, forward, &with_accounts(look))
    }

    fn tally(&self, look: &Look) -> Option<Tally> {
        self.accounts.tally(look)
    }

    fn texts(&self, whole: bool, look: &Look) -> Option<Vec<String>> {
        self.accounts.texts(whole, look)
    }

    fn status(&self, _: &Look) -> String {
        String::new()
    }
}

impl Overview {
    /// What stands above the accounts: a sum of some of them says so.
    fn title(&self, look: &Look) -> String {
        match self.accounts.is_filtered() {
            true => format!("Accounts: {}", self.accounts.status(look)),
            false => "Accounts".to_owned(),
        }
    }
}

/// What the accounts are shown: the same in a smaller place.
fn with_accounts(look: &Look) -> Look {
    Look { size: (look.size.0, accounts_lines(look)), ..look.clone() }
}

/// How many lines the accounts get.
const fn accounts_lines(look: &Look) -> u16 {
    let lines = if look.zoomed { look.size.1 } else { look.size.1 / 2 };
    lines.saturating_sub(2)
}

fn worth(buf: &mut Buffer, area: Rect, snapshot: &Snapshot, look: &Look) {
    if area.is_empty() {
        return;
    }
    let (figures, theme, currency) = (look.figures, look.theme, snapshot.currency);
    let mut top = 1;
    let line = |at: u16| Rect { y: area.y + at, height: 1, ..area };
    match &snapshot.movers {
        None => drop(write(buf, line(0), "reading ...", theme.style(Tone::Dim))),
        Some(movers) => {
            let now = movers.now.net_worth;
            // As beside an account: some row behind it is not settled yet.
            let pending = if movers.now.pending { " *" } else { "" };
            let text = format!("{} {currency}{pending}", figures.money_or_unknown(now, currency));
            let mut x = write(buf, line(0), &text, theme.style(Tone::Strong)) + 3;
            let rest = |x: u16| Rect {
                x: area.x + x.min(area.width),
                width: area.width.saturating_sub(x),
                ..line(0)
            };
            let (text, tone) = match movers.change {
                Some(change) => {
                    let shown = figures.gain(Some(change.amount), currency);
                    let text = format!("{shown}  {} on the day", signed(change.percent));
                    (text, direction(Some(change.amount)))
                }
                None => ("n/a on the day".to_owned(), Tone::Dim),
            };
            x += write(buf, rest(x), &text, theme.style(tone)) + 3;
            if !movers.now.missing.is_empty() {
                x += write(buf, rest(x), "partial", theme.style(Tone::Warn)) + 3;
            }
            if let Some((text, tone)) = since(look, currency) {
                // A figure is not cut: where it has no room it has a line of its own.
                let fits = text.width() <= usize::from(rest(x).width);
                if !fits {
                    top += 1;
                }
                let place = if fits { rest(x) } else { line(1) };
                if area.height >= top {
                    write(buf, place, &text, theme.style(tone));
                }
            }
            let parts = movers.split.as_deref().map(|split| came_from(split, look, currency));
            // Only where all of it has room, and something of the line beneath.
            let fits = |text: &String| {
                !text.is_empty() && text.width() <= usize::from(area.width) && area.height > top + 4
            };
            if let Some(text) = parts.filter(fits) {
                write(buf, line(top), &text, theme.style(Tone::Dim));
                top += 1;
            }
        }
    }
    if area.height > top + 2 {
        let place = Rect { y: area.y + top, height: area.height - top - 1, ..area };
        let points = history(look).map(|report| {
            report.rows.iter().map(|row| row.net_worth).collect::<Vec<Option<Dec>>>()
        });
        match points {
            Some(points) => {
                if let Some(scale) = Scale::over(points.iter().flatten().copied()) {
                    line_chart(buf, place, &points, scale, false, theme.style(Tone::Line));
                }
            }
            None => {
                let (text, tone) = look.waiting(Some(Slot::History));
                write(buf, place, text, theme.style(tone));
            }
        }
        let ranges: Vec<String> = Range::ALL
            .iter()
            .map(|range| match *range == look.selection.range {
                true => format!("[{}]", range.as_str()),
                false => range.as_str().to_owned(),
            })
            .collect();
        write_right(buf, line(area.height - 1), &ranges.join(" "), theme.style(Tone::Dim));
    }
}

/// What the change of the day came from: `market ▲ +120.00  income ▲ +3.00`. What did nothing is left
/// out.
fn came_from(split: &Split, look: &Look, currency: Currency) -> String {
    let parts = [
        ("market", split.market),
        ("currency", split.currency),
        ("flows", split.flows),
        ("income", split.income),
        ("fees", split.charges),
    ];
    let did = parts
        .into_iter()
        .filter(|(_, amount)| !amount.round_to(currency.minor_units()).is_zero())
        .map(|(name, amount)| format!("{name} {}", look.figures.gain(Some(amount), currency)));
    let mut did: Vec<_> = did.collect();
    if split.partial && !did.is_empty() {
        did.push("partial".to_owned());
    }
    did.join("  ")
}

/// What changed since the last visit: `▲ +11,940.07 since Tue`.
fn since(look: &Look, currency: Currency) -> Option<(String, Tone)> {
    let Some(Slice::Movers(movers)) = look.answer(Slot::Since) else {
        return None;
    };
    let change = movers.change.map(|change| change.amount);
    let shown = look.figures.gain(change, currency);
    // A weekday means the last one of its name.
    let days = movers.as_of.signed_duration_since(movers.since).num_days();
    let day = match days {
        0..7 => movers.since.format("%a").to_string(),
        _ => movers.since.to_string(),
    };
    Some((format!("{shown} since {day}"), direction(change)))
}

fn history(look: &Look) -> Option<&NetWorthReport> {
    match look.answer(Slot::History) {
        Some(Slice::History(report)) => Some(report),
        _ => None,
    }
}

fn findings(look: &Look) -> &[FindingRow] {
    let found = look.snapshot.as_ref().and_then(|snapshot| snapshot.findings.as_ref());
    found.map_or(&[], |found| found.as_slice())
}

/// What somebody wanted to hear of, and what was found, the gravest first.
fn attention(buf: &mut Buffer, area: Rect, look: &Look) {
    let theme = look.theme;
    let watched = look.snapshot.as_ref().and_then(|snapshot| snapshot.watch.as_ref());
    let ends = renews(look).map(|text| ("!", Tone::Warn, text));
    let alerts = watched.into_iter().flat_map(|watched| {
        let on = watched.alerts.iter().filter(|row| row.is_on());
        on.map(|row| ("!", Tone::Warn, told_by_alert(row, watched, look.figures)))
    });
    let found = findings(look).iter().map(|row| {
        let (mark, tone) = match row.severity.as_str() {
            "error" => ("!", Tone::Error),
            "warning" => ("!", Tone::Warn),
            _ => ("·", Tone::Dim),
        };
        let symbol = row.symbol.as_ref().map_or(String::new(), |symbol| format!("{symbol}: "));
        (mark, tone, format!("{symbol}{}", look.figures.wording(&row.detail)))
    });
    let lines: Vec<_> = ends.into_iter().chain(alerts).chain(found).collect();
    if lines.is_empty() {
        let known = look.snapshot.as_ref().is_some_and(|snapshot| snapshot.findings.is_some());
        let text = if known { "nothing needs a look" } else { "reading ..." };
        write(buf, area, text, theme.style(Tone::Dim));
        return;
    }
    let room = usize::from(area.height);
    let shown = if lines.len() > room { room.saturating_sub(1) } else { lines.len() };
    for ((mark, tone, text), at) in lines.iter().take(shown).zip(0u16..) {
        let place = Rect { y: area.y + at, height: 1, ..area };
        write(buf, place, mark, theme.style(*tone));
        let rest = Rect { x: place.x + 2, width: place.width.saturating_sub(2), ..place };
        write(buf, rest, text, theme.style(Tone::Plain));
    }
    if shown < lines.len() {
        let at = u16::try_from(shown).unwrap_or(0);
        let place = Rect { y: area.y + at, height: 1, ..area };
        let text = format!("and {} more: `:health`", lines.len() - shown);
        write(buf, place, &text, theme.style(Tone::Dim));
    }
}

/// What the prices of the day did to what is held.
fn movers(buf: &mut Buffer, area: Rect, snapshot: &Snapshot, look: &Look) {
    let theme = look.theme;
    let Some(movers) = &snapshot.movers else {
        write(buf, area, "reading ...", theme.style(Tone::Dim));
        return;
    };
    if movers.rows.is_empty() {
        write(buf, area, "nothing is held", theme.style(Tone::Dim));
    }
    for (row, at) in movers.rows.iter().zip(0..area.height) {
        let place = Rect { y: area.y + at, height: 1, ..area };
        let days = row.price_date.map(|date| snapshot.day.signed_duration_since(date).num_days());
        let old = days.filter(|days| *days > 0);
        let tone = if old.is_some() { Tone::Dim } else { direction(row.change_base) };
        let used = write(buf, place, row.symbol.as_str(), theme.style(Tone::Plain));
        let x = used.max(8) + 1;
        let rest = Rect { x: place.x + x, width: place.width.saturating_sub(x), ..place };
        let change = look.figures.gain(row.change_base, movers.currency).into_string();
        let percent = signed(row.change_percent);
        // A price of another day moved nothing on this one: it says how old it is.
        let text = match old {
            Some(days) => format!("{days}d  {percent}"),
            None => format!("{percent}  {change}"),
        };
        write_right(buf, rest, &text, theme.style(tone));
    }
}

/// What the whole consists of.
fn allocation(buf: &mut Buffer, area: Rect, snapshot: &Snapshot, look: &Look) {
    let theme = look.theme;
    let Some(allocation) = &snapshot.allocation else {
        write(buf, area, "reading ...", theme.style(Tone::Dim));
        return;
    };
    let room = area.width.saturating_sub(NAME + PART);
    for (row, at) in allocation.rows.iter().zip(0..area.height) {
        let place = Rect { y: area.y + at, height: 1, ..area };
        write(
            buf,
            Rect { width: NAME.min(area.width), ..place },
            row.key.as_str(),
            theme.style(Tone::Plain),
        );
        let length = Scale::over([Dec::ZERO, Dec::ONE])
            .and_then(|scale| scale.line_of(row.weight, usize::from(room) + 1))
            .map_or(0, |from_top| usize::from(room).saturating_sub(from_top));
        let bar = Rect { x: area.x + NAME.min(area.width), width: room, ..place };
        write(buf, bar, &"█".repeat(length), theme.style(Tone::Line));
        write_right(buf, place, percent(Some(row.weight)).as_str(), theme.style(Tone::Plain));
    }
    if !allocation.missing.is_empty() {
        let place = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
        write(buf, place, "partial: some values are not known", theme.style(Tone::Warn));
    }
}
