//! `connect`, `disconnect` and `connections`, with what lets one rest.

use std::io::{IsTerminal as _, Read as _};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use zeroize::{Zeroize as _, Zeroizing};

use super::exit::{Error, Status};
use super::output::note;
use super::prompt::{can_ask, passphrase, token};
use super::table::{Column, Table};
use super::{Job, consent, vault};
use crate::cli::{ConnectArgs, ConnectionsCommand};
use crate::config::Environment;
use crate::model::{ConnectionId, ConnectionState, SafeText, Secret};
use crate::service::connect::{self, ConnectRequest, Connected, ConnectionRow, Service};
use crate::service::consent::{ends, is_given_in_browser};
use crate::service::open_source::{self, is_open};
use crate::service::{self, Session};

const NO_TOKEN: &str = "there is no terminal to ask for the token or the keys on; give them on the \
     standard input with --paste";
const TOO_LONG: &str = "what was pasted is no token: it is far too long";
/// No token is longer.
const LONGEST: usize = 16 << 10;
/// How long to wait for somebody who refreshes.
const WAIT: Duration = Duration::from_mins(1);

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    connections: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: ConnectionId,
    name: &'a SafeText,
    provider: &'a SafeText,
    state: &'static str,
    since: Option<String>,
    paused: Option<String>,
    scopes: [&'static str; 1],
    accounts: usize,
    requests_left: Option<u32>,
    requests_per_day: Option<u32>,
    last_attempt: Option<String>,
    last_success: Option<String>,
    failures: i64,
    why: Option<&'a SafeText>,
    next_attempt: Option<String>,
    consent_expires: Option<String>,
}

#[derive(Serialize)]
struct Changed<'a> {
    schema: &'static str,
    connection: ConnectionId,
    name: &'a SafeText,
    already: bool,
}

/// What is wrong with it before anything is touched.
pub fn check(args: &ConnectArgs) -> Result<(), Error> {
    if is_open(&args.provider) {
        return Ok(());
    }
    if is_given_in_browser(&args.provider) {
        return consent::check(args);
    }
    let service = connect::service_of(&args.provider)?;
    if !args.paste && !can_ask() && of_variables(&service).is_none() {
        return Err(Error::Usage(NO_TOKEN));
    }
    Ok(())
}

pub async fn connect(
    job: &mut Job<'_>,
    session: &Session,
    args: &ConnectArgs,
) -> Result<Status, Error> {
    if is_open(&args.provider) {
        let name = args.name.as_ref();
        return tell(job, &open_source::connect(session, &args.provider, name).await?);
    }
    if is_given_in_browser(&args.provider) {
        return consent::connect(job, session, args).await;
    }
    let service = connect::service_of(&args.provider)?;
    // The key first: a token is of no use where it cannot be kept.
    let given = job.config.unlocking.passphrases().map_err(service::Error::from)?;
    let (key, _) = vault::open(job, session, &mut given.into_iter()).await?;
    let request = ConnectRequest {
        provider: args.provider.clone(),
        name: args.name.clone(),
        token: brought(args.paste, &service)?,
        goal: connect::Goal::Found,
        wait: WAIT,
    };
    tell(job, &connect::connect(session, job.config, key, request).await?)
}

/// What became of it.
pub(super) fn tell(job: &mut Job<'_>, connected: &Connected) -> Result<Status, Error> {
    let (connection, already) = (&connected.connection, connected.already);
    if job.flags.json {
        let schema = "dashtam.connection.changed/1";
        let (connection, name) = (connection.id, &connection.label);
        job.out.json(&Changed { schema, connection, name, already })?;
    } else if already {
        job.out.line(&format!("{} is connected already", connection.label))?;
    } else {
        let until = ends(connection).map(|ends| format!(" until {ends}")).unwrap_or_default();
        job.out.line(&format!(
            "connected {}{until}; `dashtam --refresh-only` brings in what it tells",
            connection.label
        ))?;
    }
    Ok(Status::Done)
}

/// What the service gave, from the standard input or typed by somebody who does not see it.
fn brought(paste: bool, service: &Service) -> Result<Secret, Error> {
    // Who sits there is asked: what other programs use may be other keys.
    let is_alone = !paste && !can_ask();
    if let Some(keys) = is_alone.then(|| of_variables(service)).flatten() {
        note(&format!("dashtam: the keys are those of {}", service.variables.join(", ")));
        return Ok(keys);
    }
    if can_ask() && service.keys().is_empty() {
        return token(&format!("Token from {} (it is not shown)", service.from()));
    }
    if can_ask() {
        note(&format!("dashtam: make a pair of keys at {}", service.from()));
        let mut all = Zeroizing::new(String::with_capacity(LONGEST));
        for key in service.keys() {
            let typed = passphrase(&format!("{} {key} (it is not shown)", service.title))?;
            all.push_str(typed.expose());
            all.push('\n');
        }
        return Ok(Secret::new(std::mem::take(&mut *all)));
    }
    if !paste || std::io::stdin().is_terminal() {
        return Err(Error::Usage(NO_TOKEN));
    }
    let mut text = Zeroizing::new(String::with_capacity(LONGEST));
    // Large enough never to grow, which would leave a copy behind.
    let most = u64::try_from(LONGEST).unwrap_or(u64::MAX);
    let read = std::io::stdin().lock().take(most).read_to_string(&mut text);
    if read.map_err(Error::Output)? >= LONGEST {
        text.zeroize();
        return Err(Error::Usage(TOO_LONG));
    }
    Ok(Secret::new(std::mem::take(&mut *text)))
}

/// What other programs read from variables; none: it is not all there.
fn of_variables(service: &Service) -> Option<Secret> {
    let environment = Environment::from_process();
    let mut all = Zeroizing::new(String::with_capacity(LONGEST));
    for (at, name) in service.variables.iter().enumerate() {
        match environment.word(name).map(Zeroizing::new) {
            // Piece by piece: what is put together elsewhere would stay there.
            Some(value) => {
                all.push_str(name);
                all.push('=');
                all.push_str(value.trim());
                all.push('\n');
            }
            // The keys themselves have to be there; where they are good can be found out.
            None if at < service.keys().len() => return None,
            None => {}
        }
    }
    (!all.is_empty()).then(|| Secret::new(std::mem::take(&mut *all)))
}

pub async fn disconnect(
    job: &mut Job<'_>,
    session: &Session,
    name: &SafeText,
) -> Result<Status, Error> {
    let ended = connect::disconnect(session, name, WAIT).await?;
    if job.flags.json {
        let schema = "dashtam.connection.changed/1";
        let (connection, name, already) = (ended.id, &ended.label, false);
        job.out.json(&Changed { schema, connection, name, already })?;
    } else {
        job.out.line(&format!("ended {}; its accounts and rows stay", ended.label))?;
        note("dashtam: end the access at the service too, if nobody else uses it");
    }
    Ok(Status::Done)
}

/// Lets one rest, or go on.
pub async fn pause(
    job: &mut Job<'_>,
    session: &Session,
    command: &ConnectionsCommand,
) -> Result<Status, Error> {
    let (name, rests) = match command {
        ConnectionsCommand::Pause { name } => (name, true),
        ConnectionsCommand::Resume { name } => (name, false),
    };
    let id = connect::id_of(session, name).await?;
    let connect::Paused { connection, already } = connect::pause(session, id, rests).await?;
    let name = &connection.label;
    if job.flags.json {
        let (schema, connection) = ("dashtam.connection.changed/1", connection.id);
        job.out.json(&Changed { schema, connection, name, already })?;
        return Ok(Status::Done);
    }
    job.out.line(&match (rests, already) {
        (true, false) => format!("paused {name}; nothing is asked of it until it is resumed"),
        (true, true) => format!("{name} is paused already"),
        (false, false) => format!("{name} goes on; `dashtam --refresh-only` asks it"),
        (false, true) => format!("{name} is not paused"),
    })?;
    Ok(Status::Done)
}

pub async fn list(job: &mut Job<'_>, session: &Session) -> Result<Status, Error> {
    let rows = connect::list(session).await?;
    if job.flags.json {
        let connections = rows.iter().map(row).collect();
        job.out.json(&Document { schema: "dashtam.connections/1", connections })?;
        return Ok(Status::Done);
    }
    if rows.is_empty() {
        note("dashtam: there is no connection; `dashtam connect --help` tells how to make one");
        return Ok(Status::Done);
    }
    let mut table = Table::new(vec![
        Column::text("connection", 12, 0),
        Column::text("service", 9, 1),
        Column::text("state", 15, 0),
        Column::figure("accounts", 1),
        Column::figure("left", 1),
        Column::text("last success", 20, 1),
        Column::text("next try", 20, 2),
    ]);
    let text = |text: Option<String>| SafeText::new(&text.unwrap_or_default());
    for it in &rows {
        let last = it.last.as_ref();
        table.row(vec![
            it.connection.label.clone(),
            it.title.clone(),
            SafeText::new(&state(it)),
            SafeText::new(&it.accounts.to_string()),
            text(it.left.map(|(left, most)| format!("{left}/{most}"))),
            text(last.and_then(|last| last.succeeded).and_then(instant)),
            text(last.and_then(|last| last.next_attempt).and_then(instant)),
        ]);
    }
    job.out.table(&table)?;
    for it in &rows {
        if let Some(text) = consent::ending(&it.connection, session.clock.now()) {
            job.out.aside(&text)?;
        }
        if let Some(why) = why(it) {
            job.out.aside(&format!("dashtam: {}: {why}", it.connection.label))?;
        }
    }
    Ok(Status::Done)
}

/// How it is. One that rests may have failed before, and one that works need not say so then.
fn state(row: &ConnectionRow) -> String {
    let state = row.connection.state;
    match (row.paused, state) {
        (None, state) => state.as_str().to_owned(),
        (Some(_), ConnectionState::Active) => "paused".to_owned(),
        (Some(_), state) => format!("{}, paused", state.as_str()),
    }
}

fn why(row: &ConnectionRow) -> Option<&SafeText> {
    let last = row.last.as_ref().and_then(|last| last.why.as_ref());
    row.connection.detail.as_ref().or(last)
}

fn row(it: &ConnectionRow) -> Row<'_> {
    let (connection, last) = (&it.connection, it.last.as_ref());
    Row {
        id: connection.id,
        name: &connection.label,
        provider: &connection.provider,
        state: connection.state.as_str(),
        since: instant(connection.since),
        paused: it.paused.and_then(instant),
        scopes: ["read"],
        accounts: it.accounts,
        requests_left: it.left.map(|(left, _)| left),
        requests_per_day: it.left.map(|(_, most)| most),
        last_attempt: last.and_then(|last| instant(last.attempted)),
        last_success: last.and_then(|last| last.succeeded).and_then(instant),
        failures: last.map_or(0, |last| last.failures),
        why: why(it),
        next_attempt: last.and_then(|last| last.next_attempt).and_then(instant),
        consent_expires: connection.consent_expires.and_then(instant),
    }
}

fn instant(micros: i64) -> Option<String> {
    let at = DateTime::from_timestamp_micros(micros)?;
    Some(at.to_rfc3339_opts(SecondsFormat::Secs, true))
}
