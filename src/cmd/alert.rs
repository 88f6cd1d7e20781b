//! `alert`: when somebody wants to be told, what is told, and what was.

use chrono::{DateTime, NaiveDate, SecondsFormat};
use serde::Serialize;

use super::Job;
use super::exit::{Error, Status};
use super::json::List;
use super::table::{Column, Table};
use crate::cli::{AlertAddArgs, AlertCommand};
use crate::model::{
    AlertId, AlertOf, AlertTerms, Change, Currency, Dec, SafeText, SecurityId, Side,
};
use crate::report::{AlertRow, LoggedAlert};
use crate::service::edit::apply;
use crate::service::watch::{check, mention, watched};
use crate::service::{self, Session};
use crate::text::{Figures, percent};

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    command: &AlertCommand,
) -> Result<Status, Error> {
    let (change, said) = match command {
        AlertCommand::List => return list(job, session).await,
        AlertCommand::Log => {
            let log = watched(session).await?.log;
            return logged(job, "dashtam.alert.log/1", &log);
        }
        AlertCommand::Check => {
            let told = check(session).await?;
            return logged(job, "dashtam.alert.check/1", &told);
        }
        AlertCommand::Add(args) => add(session, args, job.figures()).await?,
        AlertCommand::Remove { id } => (Change::RemoveAlert(*id), format!("no alert {id}")),
        AlertCommand::Snooze { id, until } => {
            (Change::SnoozeAlert(*id, Some(*until)), format!("alert {id} is silent until {until}"))
        }
        AlertCommand::Wake { id } => {
            (Change::SnoozeAlert(*id, None), format!("alert {id} speaks again"))
        }
    };
    let applied = apply(session, change).await?;
    let number = applied
        .alert
        .map(|id| format!("alert {id}: "))
        .filter(|_| matches!(command, AlertCommand::Add(_)));
    job.changed(&applied, &format!("{}{said}", number.unwrap_or_default()))
}

async fn add(
    session: &Session,
    args: &AlertAddArgs,
    figures: Figures,
) -> Result<(Change, String), Error> {
    let AlertAddArgs { symbol, of, side, bound: text, note } = args;
    let wrong = |error: crate::model::BoundError| service::Error::Value {
        what: "BOUND",
        why: error.to_string(),
    };
    let bound = of.read_bound(text).map_err(wrong)?;
    let security = mention(session, symbol).await?;
    let told = match of {
        AlertOf::Price | AlertOf::Value => figures.exact(bound),
        AlertOf::Change | AlertOf::Stale | AlertOf::Weight => of.written(bound),
    };
    let said = format!("{} {of} {side} {told}", security.symbol);
    let (of, side, note) = (*of, *side, note.clone());
    let terms = AlertTerms { of, side, bound, note, units_of: None, said_in: None, snoozed: None };
    Ok((Change::AddAlert(security, terms), said))
}

/// A bound, or what is seen, as people read it.
fn shown(
    value: Option<Dec>,
    of: AlertOf,
    currency: Option<Currency>,
    figures: Figures,
) -> SafeText {
    match (of, currency) {
        (AlertOf::Price, Some(currency)) => figures.price(value, currency),
        (AlertOf::Value, Some(currency)) => figures.money_or_unknown(value, currency),
        (AlertOf::Change | AlertOf::Weight, _) => percent(value),
        _ => value.map_or_else(crate::text::unknown, |days| SafeText::new(&format!("{days} d"))),
    }
}

/// The same for a script; a part and a number of days say nothing of amounts.
fn exact(value: Option<Dec>, of: AlertOf, figures: Figures) -> Option<String> {
    match of {
        AlertOf::Price | AlertOf::Value => figures.maybe(value),
        AlertOf::Change | AlertOf::Stale | AlertOf::Weight => value.map(|value| value.to_string()),
    }
}

fn instant(micros: i64) -> Option<String> {
    let at = DateTime::from_timestamp_micros(micros)?;
    Some(at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

#[derive(Serialize)]
struct Row<'a> {
    id: AlertId,
    symbol: &'a SafeText,
    security_id: SecurityId,
    what: AlertOf,
    side: Side,
    bound: Option<String>,
    currency: Option<Currency>,
    seen: Option<String>,
    seen_on: Option<NaiveDate>,
    stale: bool,
    source: Option<&'a SafeText>,
    past: Option<bool>,
    told_on: Option<NaiveDate>,
    snoozed_until: Option<NaiveDate>,
    note: Option<&'a SafeText>,
}

impl<'a> Row<'a> {
    fn of(row: &'a AlertRow, figures: Figures) -> Self {
        let of = row.terms.of;
        Self {
            id: row.id,
            symbol: &row.symbol,
            security_id: row.security,
            what: of,
            side: row.terms.side,
            bound: exact(row.bound, of, figures),
            currency: row.currency,
            seen: exact(row.seen, of, figures),
            seen_on: row.seen_on,
            stale: row.stale,
            source: row.source.as_ref(),
            past: row.is_past(),
            told_on: row.crossed,
            snoozed_until: row.terms.snoozed.filter(|_| row.silent),
            note: row.terms.note.as_ref(),
        }
    }
}

async fn list(job: &mut Job<'_>, session: &Session) -> Result<Status, Error> {
    let report = watched(session).await?;
    if job.flags.json {
        let figures = job.figures();
        let rows = report.alerts.iter().map(|row| Row::of(row, figures)).collect();
        job.out.json(&List { schema: "dashtam.alert.list/1", rows })?;
        return Ok(Status::Done);
    }
    let mut table = Table::new(vec![
        Column::figure("id", 0),
        Column::text("symbol", 8, 0),
        Column::text("what", 6, 0),
        Column::text("side", 5, 0),
        Column::figure("bound", 0),
        Column::figure("seen", 0),
        Column::text("of", 10, 3),
        Column::text("state", 8, 1),
        Column::text("note", 8, 4),
    ]);
    let figures = job.figures();
    for row in &report.alerts {
        let of = row.terms.of;
        let day = row.seen_on.filter(|_| row.seen.is_some());
        table.row(vec![
            SafeText::new(&row.id.to_string()),
            row.symbol.clone(),
            SafeText::new(of.as_str()),
            SafeText::new(row.terms.side.as_str()),
            shown(row.bound, of, row.currency, figures),
            shown(row.seen, of, row.currency, figures),
            SafeText::new(&day.map(|day| day.to_string()).unwrap_or_default()),
            SafeText::new(&row.standing()),
            row.terms.note.clone().unwrap_or_default(),
        ]);
    }
    job.out.table(&table)?;
    Ok(Status::Done)
}

/// What an alert told, in a line.
pub fn in_words(row: &LoggedAlert, figures: Figures) -> String {
    let log = &row.log;
    let value = |value| shown(Some(value), log.of, log.currency, figures);
    let (bound, seen) = (value(log.bound), value(log.seen));
    format!("{}: {} {} {bound}, it was {seen} on {}", row.symbol, log.of, log.side, log.seen_on)
}

/// What an alert told, for a script.
#[derive(Serialize)]
pub struct Told<'a> {
    at: Option<String>,
    symbol: &'a SafeText,
    security_id: SecurityId,
    what: AlertOf,
    side: Side,
    bound: Option<String>,
    seen: Option<String>,
    seen_on: NaiveDate,
    source: Option<&'a SafeText>,
    currency: Option<Currency>,
}

impl<'a> Told<'a> {
    pub fn of(row: &'a LoggedAlert, figures: Figures) -> Self {
        let log = &row.log;
        Self {
            at: instant(log.at),
            symbol: &row.symbol,
            security_id: log.security,
            what: log.of,
            side: log.side,
            bound: exact(Some(log.bound), log.of, figures),
            seen: exact(Some(log.seen), log.of, figures),
            seen_on: log.seen_on,
            source: log.source.as_ref(),
            currency: log.currency,
        }
    }
}

fn logged(job: &mut Job<'_>, schema: &'static str, log: &[LoggedAlert]) -> Result<Status, Error> {
    if job.flags.json {
        let rows = log.iter().map(|row| Told::of(row, job.figures())).collect();
        job.out.json(&List { schema, rows })?;
        return Ok(Status::Done);
    }
    let mut table = Table::new(vec![
        Column::text("at", 19, 3),
        Column::text("symbol", 8, 0),
        Column::text("what", 6, 0),
        Column::text("side", 5, 0),
        Column::figure("bound", 0),
        Column::figure("seen", 0),
        Column::text("of", 10, 1),
        Column::text("source", 6, 4),
    ]);
    let figures = job.figures();
    for row in log {
        let log = &row.log;
        let at = instant(log.at).unwrap_or_default();
        table.row(vec![
            SafeText::new(&at),
            row.symbol.clone(),
            SafeText::new(log.of.as_str()),
            SafeText::new(log.side.as_str()),
            shown(Some(log.bound), log.of, log.currency, figures),
            shown(Some(log.seen), log.of, log.currency, figures),
            SafeText::new(&log.seen_on.to_string()),
            log.source.clone().unwrap_or_default(),
        ]);
    }
    job.out.table(&table)?;
    Ok(Status::Done)
}
