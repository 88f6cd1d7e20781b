//! `refresh` and `--refresh-only`: what is due is brought in once, and a summary printed.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::exit::{Error, Status};
use super::output::note;
use super::table::{Column, Table};
use super::{Job, alert, consent};
use crate::cli::RefreshArgs;
use crate::model::{ConnectionId, SafeText};
use crate::service::refresh::{
    self, Class, How, Only, Outcome, RefreshRequest, Skip, Summary, Told,
};
use crate::service::{self, Session};

/// How long to wait for another process, in seconds, where nobody says.
const WAIT: u64 = 60;

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    how: &How,
    args: &RefreshArgs,
) -> Result<Status, Error> {
    let only = match (args.quotes_only, args.accounts_only) {
        (true, _) => Some(Only::Quotes),
        (_, true) => Some(Only::Accounts),
        _ => None,
    };
    let request = RefreshRequest {
        connections: args.connection.clone(),
        only,
        force: args.force,
        wait: Duration::from_secs(args.wait.unwrap_or(WAIT)),
    };
    // No question is ever asked: who is not there cannot answer.
    let given = job.config.unlocking.passphrases().map_err(service::Error::from)?;
    let summary = refresh::run(session, how, given.first(), &request).await?;
    if job.flags.json {
        job.out.json(&document(job, &summary))?;
    } else {
        tell(job, &summary)?;
    }
    complain(job, &summary)?;
    Ok(status(&summary))
}

/// What matters most decides.
fn status(summary: &Summary) -> Status {
    let has = |wanted: fn(Class) -> bool| {
        summary.connections.iter().filter_map(|told| told.class).any(wanted)
    };
    match summary.outcome {
        _ if summary.connections.iter().any(|told| told.is_locked) => Status::VaultLocked,
        Outcome::Locked(_) => Status::Locked,
        _ if has(|class| class == Class::Reauthorize) => Status::Consent,
        Outcome::Ok | Outcome::NothingDue => Status::Done,
        Outcome::Partial => Status::Partial,
        Outcome::Failed if has(|class| matches!(class, Class::Later(Some(_)))) => Status::Limited,
        Outcome::Failed => Status::Unreachable,
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    started: String,
    finished: String,
    result: &'static str,
    connections: Vec<ConnectionPart<'a>>,
    quotes: QuotesPart,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alerts: Vec<alert::Told<'a>>,
    revision: i64,
}

#[derive(Serialize)]
struct ConnectionPart<'a> {
    id: ConnectionId,
    provider: &'a SafeText,
    result: &'static str,
    class: Option<&'static str>,
    accounts: u64,
    transactions_new: u64,
    transactions_changed: u64,
    skipped: Vec<Left>,
    consent_expires: Option<String>,
    next_attempt: Option<String>,
}

#[derive(Serialize)]
struct QuotesPart {
    requested: u64,
    stored: u64,
    skipped: Vec<Left>,
}

/// What was left out, and why.
#[derive(Serialize)]
struct Left {
    what: SafeText,
    why: SafeText,
}

fn document<'a>(job: &Job<'_>, summary: &'a Summary) -> Document<'a> {
    let left = |skipped: &[Skip]| -> Vec<Left> {
        skipped.iter().map(|skip| left_out(job, skip)).collect()
    };
    let part = |told: &'a Told| ConnectionPart {
        id: told.connection.id,
        provider: &told.connection.provider,
        result: told.outcome.as_str(),
        class: told.class.map(Class::as_str),
        accounts: told.accounts,
        transactions_new: told.new,
        transactions_changed: told.changed,
        skipped: left(&told.skipped),
        consent_expires: told.connection.consent_expires.and_then(instant),
        next_attempt: told.next_attempt.and_then(instant),
    };
    let quotes = &summary.quotes;
    Document {
        schema: "dashtam.refresh/1",
        started: written(summary.started),
        finished: written(summary.finished),
        result: summary.outcome.as_str(),
        connections: summary.connections.iter().map(part).collect(),
        quotes: QuotesPart {
            requested: quotes.requested,
            stored: quotes.stored,
            skipped: left(&quotes.skipped),
        },
        alerts: summary.alerts.iter().map(|row| alert::Told::of(row, job.figures())).collect(),
        revision: summary.revision,
    }
}

fn left_out(job: &Job<'_>, skip: &Skip) -> Left {
    let why = SafeText::new(&job.figures().message(skip.why.as_str()));
    Left { what: skip.what.clone(), why }
}

fn instant(micros: i64) -> Option<String> {
    DateTime::from_timestamp_micros(micros).map(written)
}

fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn tell(job: &mut Job<'_>, summary: &Summary) -> Result<(), Error> {
    let mut table = Table::new(vec![
        Column::text("connection", 12, 0),
        Column::text("result", 11, 0),
        Column::figure("accounts", 1),
        Column::figure("new", 0),
        Column::figure("changed", 0),
        Column::text("next try", 20, 2),
    ]);
    let text = |text: &dyn ToString| SafeText::new(&text.to_string());
    for told in &summary.connections {
        table.row(vec![
            told.connection.label.clone(),
            SafeText::new(told.outcome.as_str()),
            text(&told.accounts),
            text(&told.new),
            text(&told.changed),
            told.next_attempt.and_then(instant).map(|at| SafeText::new(&at)).unwrap_or_default(),
        ]);
    }
    if !summary.connections.is_empty() {
        job.out.table(&table)?;
    }
    let quotes = &summary.quotes;
    if quotes.requested > 0 {
        job.out.line(&format!("{} of {} prices stored", quotes.stored, quotes.requested))?;
    }
    for row in &summary.alerts {
        let line = alert::in_words(row, job.figures());
        job.out.line(&format!("alert: {line}"))?;
    }
    if summary.outcome == Outcome::NothingDue {
        job.out.line("nothing is due")?;
    }
    Ok(())
}

/// What went wrong, on stderr: it is no data.
fn complain(job: &mut Job<'_>, summary: &Summary) -> Result<(), Error> {
    if summary.connections.is_empty() {
        note(
            "dashtam: this store has no connection to refresh from; `dashtam import` brings files",
        );
    }
    if let Outcome::Locked(holder) = &summary.outcome {
        let who = match holder {
            Some(holder) => {
                let since = instant(holder.since).unwrap_or_default();
                format!("process {} on {} since {since}", holder.pid, holder.host)
            }
            None => "another process".to_owned(),
        };
        let text = format!("dashtam: {who} refreshes this store; try again, or wait with --wait");
        job.out.aside(&text)?;
    }
    for told in &summary.connections {
        if let Some(text) = consent::ending(&told.connection, summary.finished) {
            job.out.aside(&text)?;
        }
        if let Some(why) = &told.why {
            let (label, why) = (&told.connection.label, SafeText::new(why));
            job.out.aside(&format!("dashtam: {label}: {why}"))?;
        }
    }
    if !job.flags.json {
        let rows = summary.connections.iter().flat_map(|told| &told.skipped);
        for skip in rows.chain(&summary.quotes.skipped) {
            let Left { what, why } = left_out(job, skip);
            // A reason that names the thing itself need not name it twice.
            let line = match why.as_str().starts_with(what.as_str()) && !what.is_empty() {
                true => format!("left out: {why}"),
                false => format!("left out: {what}: {why}"),
            };
            job.out.aside(&line)?;
        }
    }
    Ok(())
}
