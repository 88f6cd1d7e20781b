//! What somebody keeps an eye on: securities in groups with the price that is waited for, the alerts
//! and what they see, and what they told.
//!
//! ```text
//! Group  Symbol   Price  Age  Change   Target  Distance  30 d  Alerts
//! later  XEQT.TO  34.12       +0.40 %   30.00  ▼ -12.08 %  ⣀⡠⠔⠊  ! 1 of 2
//! ```

use chrono::{DateTime, Days};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::figure::{direction, part_signed};
use super::holdings::age_of;
use super::list::List;
use super::table::Line;
use super::trends::{self, Trends};
use super::{Outcome, Pane, PaneId, Table, Wish};
use crate::keys::{Action, Context};
use crate::model::{
    AlertId, AlertOf, AlertTerms, Change, Currency, Dec, SafeText, SecurityId, Side,
};
use crate::state::{
    AlertRow, LoggedAlert, Question, Slot, Snapshot, WatchQuery, WatchReport, WatchRow,
};
use crate::text::{DOWN, Figures, UNKNOWN, UP, counted, percent};
use crate::tui::errand::Errand;
use crate::tui::form::Subject;
use crate::tui::look::{Look, Selection};
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Cursor, Row, write, write_beneath};

const SECURITIES: [Column; 10] = [
    Column { title: "Group", align: Align::Left, priority: 5, width: (5, 14) },
    Column { title: "Symbol", align: Align::Left, priority: 0, width: (8, 14) },
    Column { title: "Name", align: Align::Left, priority: 7, width: (8, 26) },
    Column { title: "Price", align: Align::Point, priority: 0, width: (6, 0) },
    Column { title: "Age", align: Align::Left, priority: 1, width: (3, 8) },
    Column { title: "Change", align: Align::Point, priority: 2, width: (6, 0) },
    Column { title: "Target", align: Align::Point, priority: 3, width: (6, 0) },
    Column { title: "Distance", align: Align::Point, priority: 0, width: (8, 0) },
    trends::COLUMN,
    Column { title: "Alerts", align: Align::Left, priority: 4, width: (6, 10) },
];

const ALERTS: [Column; 7] = [
    Column { title: "Symbol", align: Align::Left, priority: 0, width: (8, 14) },
    Column { title: "When", align: Align::Left, priority: 0, width: (12, 12) },
    Column { title: "Bound", align: Align::Point, priority: 0, width: (6, 0) },
    Column { title: "Now", align: Align::Point, priority: 1, width: (6, 0) },
    Column { title: "Of", align: Align::Left, priority: 4, width: (10, 10) },
    Column { title: "State", align: Align::Left, priority: 2, width: (12, 24) },
    Column { title: "Note", align: Align::Left, priority: 5, width: (8, 30) },
];

const LOG: [Column; 7] = [
    Column { title: "Noticed", align: Align::Left, priority: 1, width: (16, 16) },
    Column { title: "Symbol", align: Align::Left, priority: 0, width: (8, 14) },
    Column { title: "When", align: Align::Left, priority: 0, width: (12, 12) },
    Column { title: "Bound", align: Align::Point, priority: 2, width: (6, 0) },
    Column { title: "Seen", align: Align::Point, priority: 0, width: (6, 0) },
    Column { title: "Of", align: Align::Left, priority: 3, width: (10, 10) },
    Column { title: "Said by", align: Align::Left, priority: 4, width: (8, 20) },
];

/// Lines beneath the rows.
const BENEATH: u16 = 7;
/// How long an alert is silent where nobody says it.
const SNOOZE: Days = Days::new(7);

/// What the rows are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Shown {
    #[default]
    Securities,
    Alerts,
    Log,
}

impl Shown {
    const ALL: [Self; 3] = [Self::Securities, Self::Alerts, Self::Log];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Securities => "securities",
            Self::Alerts => "alerts",
            Self::Log => "log",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Securities => Self::Alerts,
            Self::Alerts => Self::Log,
            Self::Log => Self::Securities,
        }
    }

    const fn columns(self) -> &'static [Column] {
        match self {
            Self::Securities => &SECURITIES,
            Self::Alerts => &ALERTS,
            Self::Log => &LOG,
        }
    }

    /// The column of the figure that matters most.
    const fn main(self) -> usize {
        match self {
            Self::Securities | Self::Alerts => 3,
            Self::Log => 4,
        }
    }

    const fn nothing(self) -> &'static str {
        match self {
            Self::Securities => "nothing is watched; a watches a security, A is told of one",
            Self::Alerts => "there is no alert; A adds one",
            Self::Log => "no alert has told anything yet",
        }
    }
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Security(SecurityId),
    Alert(AlertId),
    Logged(i64),
}

/// The pane.
#[derive(Debug, Default)]
pub struct Watch {
    shown: Shown,
    list: List<Key>,
}

impl Watch {
    fn row<'a>(&self, look: &'a Look) -> Option<&'a WatchRow> {
        let key = *self.list.key()?;
        report(look)?.rows.iter().find(|row| Key::Security(row.security) == key)
    }

    fn alert<'a>(&self, look: &'a Look) -> Option<&'a AlertRow> {
        let key = *self.list.key()?;
        report(look)?.alerts.iter().find(|row| Key::Alert(row.id) == key)
    }

    /// The security that the row at the cursor is about.
    fn security(&self, look: &Look) -> Option<(SecurityId, SafeText)> {
        let report = report(look)?;
        match *self.list.key()? {
            Key::Security(_) => self.row(look).map(|row| (row.security, row.symbol.clone())),
            Key::Alert(_) => self.alert(look).map(|row| (row.security, row.symbol.clone())),
            Key::Logged(id) => {
                let row = report.log.iter().find(|row| row.log.id == id)?;
                Some((row.log.security, row.symbol.clone()))
            }
        }
    }

    /// The alerts that the row at the cursor is about.
    fn alerts<'a>(&self, look: &'a Look) -> Vec<&'a AlertRow> {
        let all = report(look).map_or(&[][..], |report| &report.alerts);
        match (self.list.key(), self.security(look)) {
            (Some(Key::Alert(id)), _) => all.iter().filter(|row| row.id == *id).collect(),
            (Some(_), Some((security, _))) => {
                all.iter().filter(|row| row.security == security).collect()
            }
            _ => Vec::new(),
        }
    }

    fn edit(&self, look: &Look) -> Wish {
        match (self.list.key(), self.alert(look), self.row(look)) {
            (_, Some(alert), _) => Wish::Form(Subject::OldAlert(alert.id)),
            (_, None, Some(row)) => Wish::Form(Subject::Watch(Some(row.security))),
            _ => Wish::Say("what was told stays as it was".to_owned()),
        }
    }

    fn delete(&self, look: &Look) -> Wish {
        match (self.alert(look), self.row(look)) {
            (Some(alert), _) => {
                let what = format!("took the alert of {} away", alert.symbol);
                Wish::Begin(Errand::change(what, vec![Change::RemoveAlert(alert.id)]))
            }
            (None, Some(row)) if row.terms.is_some() => {
                let what = format!("{} is watched no more", row.symbol);
                Wish::Begin(Errand::change(what, vec![Change::Unwatch(row.security)]))
            }
            (None, Some(_)) => Wish::Say(
                "it only has an alert: o shows the alerts, d there takes it away".to_owned(),
            ),
            _ => Wish::Say("what was told stays as it was".to_owned()),
        }
    }

    /// Silences the alerts of the row that are not for a while; where all of them are silent they speak again.
    fn snooze(&self, look: &Look) -> Wish {
        if let Some(Key::Logged(_)) = self.list.key() {
            return Wish::Say("what was told stays as it was; o shows the alerts".to_owned());
        }
        let alerts = self.alerts(look);
        let (Some(first), Some(snapshot)) = (alerts.first(), &look.snapshot) else {
            return Wish::Say("there is no alert here; A adds one".to_owned());
        };
        let all_silent = alerts.iter().all(|row| row.silent);
        let until = match all_silent {
            true => None,
            false => snapshot.today.checked_add_days(SNOOZE),
        };
        // One that is silent for longer stays so.
        let meant = alerts.iter().filter(|row| all_silent || !row.silent);
        let changes = meant.map(|row| Change::SnoozeAlert(row.id, until)).collect();
        let what = match until {
            Some(until) => format!("{} is silent until {until}", first.symbol),
            None => format!("{} speaks again", first.symbol),
        };
        Wish::Begin(Errand::change(what, changes))
    }

    /// What stands beneath the rows: of the row at the cursor.
    fn told(&self, look: &Look) -> Vec<(String, Tone)> {
        let Some((id, symbol)) = self.security(look) else { return Vec::new() };
        let Some(report) = report(look) else { return Vec::new() };
        let figures = look.figures;
        let row = report.rows.iter().find(|row| row.security == id);
        let name = row.and_then(|row| row.name.as_ref()).map(|name| format!(" · {name}"));
        let mut lines = vec![(format!("{symbol}{}", name.unwrap_or_default()), Tone::Title)];
        if let Some(row) = row {
            lines.extend(price_told(row, figures));
            lines.extend(target_told(row, figures));
            let note = row.terms.as_ref().and_then(|terms| terms.note.as_ref());
            lines.extend(note.map(|note| (note.to_string(), Tone::Plain)));
        }
        for alert in self.alerts(look) {
            let tone = if alert.is_on() { Tone::Warn } else { Tone::Plain };
            let mark = if alert.is_on() { "! " } else { "" };
            let words = match report.told(alert).filter(|_| alert.is_on()) {
                Some(told) => told_words(told, figures),
                None => {
                    // What cannot be compared says why, once.
                    let seen = alert.seen.filter(|_| alert.is_past().is_some()).map(|seen| {
                        value(Some(seen), alert.terms.of, alert.currency, figures) + ", "
                    });
                    let seen = seen.unwrap_or_default();
                    format!("{}: {seen}{}", in_words(alert, figures), alert.standing())
                }
            };
            lines.push((format!("{mark}{words}"), tone));
        }
        lines
    }
}

impl Pane for Watch {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Watch, Context::List]
    }

    fn refresh(&mut self, look: &Look) {
        let (Some(report), Some(snapshot)) = (report(look), &look.snapshot) else { return };
        let trends = Trends::of(look);
        let figures = look.figures;
        let lines = match self.shown {
            Shown::Securities => {
                let line = |row: &WatchRow| Line {
                    key: Key::Security(row.security),
                    row: watched(row, report, snapshot, &trends, figures),
                    also: also(row),
                };
                report.rows.iter().map(line).collect()
            }
            Shown::Alerts => {
                let line = |row: &AlertRow| Line::of(Key::Alert(row.id), alert(row, figures));
                report.alerts.iter().map(line).collect()
            }
            Shown::Log => {
                let line = |row: &LoggedAlert| {
                    Line::of(Key::Logged(row.log.id), logged(row, snapshot, figures))
                };
                report.log.iter().map(line).collect()
            }
        };
        let room = self.lines(look);
        self.list.lay_out(self.shown.columns(), lines, None, |_| room);
    }

    fn table(&self) -> Option<&dyn Table> {
        Some(&self.list)
    }

    fn table_mut(&mut self) -> Option<&mut dyn Table> {
        Some(&mut self.list)
    }

    fn columns(&self) -> &'static [Column] {
        self.shown.columns()
    }

    fn main_column(&self) -> usize {
        self.shown.main()
    }

    fn lines(&self, look: &Look) -> u16 {
        look.size.1.saturating_sub(BENEATH)
    }

    fn group(&self) -> Option<&'static str> {
        Some(self.shown.as_str())
    }

    fn regroup(&mut self, name: &str) {
        let named = Shown::ALL.into_iter().find(|shown| shown.as_str() == name);
        self.shown = named.unwrap_or(self.shown);
    }

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        if self.list.act(action, self.lines(look)) {
            return Outcome::DONE;
        }
        match action {
            Action::Listed => {
                self.shown = self.shown.next();
                self.list.cursor = Cursor::default();
                self.refresh(look);
                Outcome::wish(Wish::Say(format!("shown: {}", self.shown.as_str())))
            }
            Action::Open | Action::In => match self.security(look) {
                Some(security) => {
                    let selection =
                        Selection { security: Some(security), ..look.selection.clone() };
                    let pane =
                        if action == Action::Open { PaneId::Security } else { PaneId::Chart };
                    Outcome::Done(vec![Wish::Select(selection), Wish::Go(pane)])
                }
                None => Outcome::DONE,
            },
            Action::Add if self.shown == Shown::Securities => {
                Outcome::wish(Wish::Form(Subject::Watch(None)))
            }
            Action::Add | Action::Alert => {
                let security = self.security(look).map(|(id, _)| id);
                Outcome::wish(Wish::Form(Subject::NewAlert(security)))
            }
            Action::Edit => Outcome::wish(self.edit(look)),
            Action::Delete => Outcome::wish(self.delete(look)),
            Action::Snooze => Outcome::wish(self.snooze(look)),
            Action::SetPrice => {
                let security = self.security(look).map(|(id, _)| id);
                Outcome::wish(Wish::Form(Subject::Price(security)))
            }
            Action::Explain => match (self.security(look), &look.snapshot) {
                (Some((id, _)), Some(snapshot)) => {
                    let query = WatchQuery { as_of: snapshot.day, today: snapshot.today };
                    Outcome::wish(Wish::Explain(Box::new(Question::ExplainWatch(query, id))))
                }
                _ => Outcome::wish(Wish::Say("there is no figure here to explain".to_owned())),
            },
            _ => Outcome::Unknown,
        }
    }

    fn subject(&self, look: &Look) -> Option<Selection> {
        let security = Some(self.security(look)?);
        Some(Selection { security, ..look.selection.clone() })
    }

    fn questions(&self, look: &Look) -> Vec<(Slot, Question)> {
        let (Some(report), Some(snapshot)) = (report(look), &look.snapshot) else {
            return Vec::new();
        };
        let watched = report.rows.iter().map(|row| row.security);
        let question = trends::question(watched, snapshot);
        question.filter(|_| self.shown == Shown::Securities).into_iter().collect()
    }

    fn tells_of_row(&self) -> bool {
        true
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        let theme = look.theme;
        if report(look).is_none() {
            let (text, tone) = look.waiting(None);
            write(buf, area, text, theme.style(tone));
            return;
        }
        let [rows, beneath] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(BENEATH)]).areas(area);
        self.list.draw(buf, rows, look, self.shown.nothing());
        write_beneath(buf, beneath, self.told(look), theme);
    }

    fn status(&self, look: &Look) -> String {
        let Some(report) = report(look) else { return String::new() };
        let on = report.alerts.iter().filter(|row| row.is_on()).count();
        let on = if on > 0 { format!("   {on} told") } else { String::new() };
        let alerts = counted(u64::try_from(report.alerts.len()).unwrap_or(u64::MAX), "alert");
        format!("{}   {} watched   {alerts}{on}", self.shown.as_str(), report.rows.len())
    }
}

fn report(look: &Look) -> Option<&WatchReport> {
    look.snapshot.as_ref()?.watch.as_deref()
}

/// What finds a row beside what it shows.
fn also(row: &WatchRow) -> String {
    let name = row.name.as_ref().map_or("", SafeText::as_str);
    let terms = row.terms.as_ref();
    let note = terms.and_then(|terms| terms.note.as_ref()).map_or("", SafeText::as_str);
    let list = terms.and_then(|terms| terms.list.as_ref()).map_or("", SafeText::as_str);
    format!("{list} {name} {note}")
}

fn watched(
    row: &WatchRow,
    report: &WatchReport,
    snapshot: &Snapshot,
    trends: &Trends<'_>,
    figures: Figures,
) -> Row {
    let text = |text: Option<&SafeText>| Cell::plain(text.map_or("", SafeText::as_str));
    let terms = row.terms.as_ref();
    let (age, age_tone) = age_of(row.price_date.filter(|_| row.stale), snapshot.day);
    let mine = || report.alerts.iter().filter(|alert| alert.security == row.security);
    let (all, on) = (mine().count(), mine().filter(|alert| alert.is_on()).count());
    let alerts = match (all, on) {
        (0, _) => Cell::default(),
        (all, 0) => Cell::new(all.to_string(), Tone::Dim),
        (all, on) => Cell::new(format!("! {on} of {all}"), Tone::Warn),
    };
    let waits = terms.is_some_and(|terms| terms.target.is_some());
    let target = match waits {
        true => Cell::plain(figures.price(row.target, row.currency).into_string()).of(row.target),
        false => Cell::default(),
    };
    Row::of(vec![
        text(terms.and_then(|terms| terms.list.as_ref())),
        text(Some(&row.symbol)),
        text(row.name.as_ref()),
        Cell::plain(figures.price(row.price, row.currency).into_string()).of(row.price),
        Cell::new(age, age_tone),
        Cell::new(part_signed(row.change), direction(row.change)).of(row.change),
        target,
        if waits { distance(row.distance) } else { Cell::default() },
        trends.cell(row.security),
        alerts,
    ])
}

/// How far a price has to go, and which way.
fn distance(part: Option<Dec>) -> Cell {
    let arrow = match part {
        Some(part) if part.is_negative() => format!("{DOWN} "),
        Some(part) if !part.is_zero() => format!("{UP} "),
        _ => String::new(),
    };
    Cell::plain(format!("{arrow}{}", part_signed(part))).of(part)
}

fn alert(row: &AlertRow, figures: Figures) -> Row {
    let AlertTerms { of, note, .. } = &row.terms;
    let shown =
        |figure: Option<Dec>| Cell::plain(value(figure, *of, row.currency, figures)).of(figure);
    let tone = match (row.is_on(), row.silent) {
        (true, _) => Tone::Warn,
        (false, true) => Tone::Dim,
        (false, false) => Tone::Plain,
    };
    let mark = if row.is_on() { "! " } else { "" };
    let day = row.seen_on.filter(|_| row.seen.is_some());
    Row::of(vec![
        Cell::plain(row.symbol.as_str()),
        Cell::plain(when(*of, row.terms.side)),
        shown(row.bound),
        shown(row.seen),
        Cell::new(day.map(|day| day.to_string()).unwrap_or_default(), Tone::Dim),
        Cell::new(format!("{mark}{}", row.standing()), tone),
        Cell::plain(note.as_ref().map_or("", SafeText::as_str)),
    ])
}

fn logged(row: &LoggedAlert, snapshot: &Snapshot, figures: Figures) -> Row {
    let log = &row.log;
    let at = DateTime::from_timestamp_micros(log.at);
    let at = at.map(|at| at.with_timezone(&snapshot.zone).format("%Y-%m-%d %H:%M").to_string());
    let shown = |it: Dec| Cell::plain(value(Some(it), log.of, log.currency, figures)).of(Some(it));
    Row::of(vec![
        Cell::new(at.unwrap_or_default(), Tone::Dim),
        Cell::plain(row.symbol.as_str()),
        Cell::plain(when(log.of, log.side)),
        shown(log.bound),
        shown(log.seen),
        Cell::new(log.seen_on.to_string(), Tone::Dim),
        Cell::new(log.source.as_ref().map_or("", SafeText::as_str), Tone::Dim),
    ])
}

fn when(of: AlertOf, side: Side) -> String {
    format!("{of} {side}")
}

/// A bound, or what is seen.
fn value(value: Option<Dec>, of: AlertOf, currency: Option<Currency>, figures: Figures) -> String {
    match (of, currency) {
        (AlertOf::Price, Some(currency)) => figures.price(value, currency).into_string(),
        (AlertOf::Value, Some(currency)) => figures.money_or_unknown(value, currency).into_string(),
        (AlertOf::Change, _) => part_signed(value),
        (AlertOf::Weight, _) => percent(value).into_string(),
        _ => value.map_or_else(|| UNKNOWN.to_owned(), |days| format!("{days}d")),
    }
}

/// An alert as a sentence has it.
fn in_words(row: &AlertRow, figures: Figures) -> String {
    let AlertTerms { of, side, bound, .. } = row.terms;
    let when = when(of, side);
    match row.other_currency() {
        None => format!("{when} {}", value(row.bound, of, row.currency, figures)),
        said @ Some(currency) => {
            format!("{when} {} {currency}", value(Some(bound), of, said, figures))
        }
    }
}

/// What an alert told, with the figures of then.
fn told_words(row: &LoggedAlert, figures: Figures) -> String {
    let log = &row.log;
    let shown = |it: Dec| value(Some(it), log.of, log.currency, figures);
    let when = when(log.of, log.side);
    format!("{when} {}, it was {} on {}", shown(log.bound), shown(log.seen), log.seen_on)
}

/// The same with the symbol.
pub fn said(row: &LoggedAlert, figures: Figures) -> String {
    format!("{}: {}", row.symbol, told_words(row, figures))
}

/// What an alert that somebody wants to hear of told; the log may not reach so far back.
pub fn told(row: &AlertRow, report: &WatchReport, figures: Figures) -> String {
    match report.told(row) {
        Some(told) => said(told, figures),
        None => {
            format!("{}: {}, {}", row.symbol, when(row.terms.of, row.terms.side), row.standing())
        }
    }
}

fn price_told(row: &WatchRow, figures: Figures) -> Vec<(String, Tone)> {
    let price = |price| format!("{} {}", figures.price(price, row.currency), row.currency);
    let (Some(day), Some(source)) = (row.price_date, &row.price_source) else {
        return vec![("there is no price: P sets one, r fetches".to_owned(), Tone::Warn)];
    };
    let old = if row.stale { ", which is old" } else { "" };
    let before = row.before_date.map(|day| format!(", after {} on {day}", price(row.before)));
    let tone = if row.stale { Tone::Warn } else { Tone::Plain };
    let before = before.unwrap_or_default();
    vec![(format!("{} of {source} on {day}{old}{before}", price(row.price)), tone)]
}

fn target_told(row: &WatchRow, figures: Figures) -> Option<(String, Tone)> {
    let terms = row.terms.as_ref()?;
    let target = terms.target?;
    if let Some(said) = terms.said_in.filter(|said| *said != row.currency) {
        let price = figures.price(Some(target), said);
        let now = row.currency;
        let text = format!("waits for {price} {said}, and it is in {now} now; e says it anew");
        return Some((text, Tone::Warn));
    }
    let way = match row.distance {
        Some(way) => {
            let side = if way.is_negative() { "below" } else { "above" };
            let far = part_signed(Some(way.abs()));
            format!("{} {side} the price", far.trim_start_matches('+'))
        }
        None => "how far that is, is not known".to_owned(),
    };
    let said = terms.units_of.filter(|_| row.target != Some(target));
    let said = said.map(|day| {
        format!("; {} was said on {day}, before a split", figures.price(Some(target), row.currency))
    });
    let now = figures.price(row.target, row.currency);
    Some((format!("waits for {now}: {way}{}", said.unwrap_or_default()), Tone::Plain))
}
