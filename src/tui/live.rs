//! How the refreshing goes, in the words of the line of context. What the store says holds for
//! every session; whether this one refreshes by itself, only its own task knows.

use chrono::DateTime;

use super::look::Look;
use super::theme::Tone;
use crate::model::ConnectionState;
use crate::service::held::Lock;
use crate::service::refresh::{Outcome, Progress, Summary};
use crate::state::{ConnectionRow, Snapshot};

/// What is said and how; nothing: there is nothing to refresh from. That a consent ends comes first: there
/// is a day after which it is too late, and whatever else is wrong stands beside it.
pub fn live(look: &Look) -> Vec<(String, Tone)> {
    let lag = || look.lag.as_ref().map(|why| (format!("! {why}"), Tone::Warn));
    let ending = look.snapshot.as_ref().and_then(|snapshot| {
        let row = soonest(snapshot)?;
        let (is_next, when) = (is_next(row, look), when(row, snapshot, true)?);
        Some((format!("! {}", renewing(row, is_next, &when)), Tone::Warn))
    });
    // Every figure is right all the same: what is fetched from outside is of more interest.
    let wrong = failing(look).or_else(lag);
    let other = if ending.is_some() { wrong } else { wrong.or_else(|| rhythm(look)) };
    ending.into_iter().chain(other).collect()
}

/// Why something could not be fetched.
fn failing(look: &Look) -> Option<(String, Tone)> {
    let snapshot = look.snapshot.as_ref().filter(|snapshot| !snapshot.connections.is_empty())?;
    if let Some(trouble) = look.progress.as_ref().and_then(|progress| progress.trouble.as_ref()) {
        return Some((format!("! {trouble}"), Tone::Error));
    }
    let is_asked = |row: &&ConnectionRow| row.paused.is_none() && row.why.is_some();
    let next = to_renew(snapshot).filter(|row| is_asked(row));
    let failed = next.or_else(|| snapshot.connections.iter().find(is_asked))?;
    let why = failed.why.as_ref().map_or("", |why| why.as_str());
    if failed.connection.state != ConnectionState::Active {
        let is_next = is_next(failed, look);
        return Some((format!("! {}", renewing(failed, is_next, why)), Tone::Error));
    }
    let next = failed.next_attempt.and_then(|at| time_of(at, snapshot));
    let next = next.map(|next| format!(" (next try {next})")).unwrap_or_default();
    Some((format!("! {}{next}: {why}", failed.connection.label), Tone::Error))
}

/// When something was fetched last, and whether more will be.
fn rhythm(look: &Look) -> Option<(String, Tone)> {
    let snapshot = look.snapshot.as_ref().filter(|snapshot| !snapshot.connections.is_empty())?;
    let time = |micros: i64| time_of(micros, snapshot);
    // Where it brought nothing new the store tells nobody.
    let mine = look.progress.as_ref().and_then(|progress| progress.last.as_ref());
    let mine = mine.filter(|last| last.outcome == Outcome::Ok);
    let mine = mine.map(|last| last.finished.timestamp_micros());
    let last = snapshot.connections.iter().filter_map(|row| row.succeeded).chain(mine).max();
    let last = last.and_then(time);
    let is_at_work =
        |row: &ConnectionRow| row.paused.is_none() && !(row.needs_key && is_shut(look));
    let mine = look.progress.as_ref().filter(|_| snapshot.connections.iter().any(is_at_work));
    match (mine, last) {
        (Some(Progress { elsewhere: Some(holder), .. }), last) => {
            let last = last.map(|last| format!(" {last}")).unwrap_or_default();
            let who = format!("process {} on {}", holder.pid, holder.host);
            Some((format!("● live{last}, refreshed by {who}"), Tone::Dim))
        }
        // No gain: colours that are swapped would make a loss of it.
        (Some(_), Some(last)) => Some((format!("● live {last}"), Tone::Key)),
        (Some(_), None) => Some(("● refreshing".to_owned(), Tone::Dim)),
        (None, Some(last)) => Some((format!("refreshed {last}"), Tone::Dim)),
        (None, None) => None,
    }
}

/// The connection whose consent has to be given anew first: one that is lost, else the one that ends
/// next; none: none has to be.
pub fn to_renew(snapshot: &Snapshot) -> Option<&ConnectionRow> {
    let is_lost = |row: &&ConnectionRow| {
        row.connection.state != ConnectionState::Active && row.paused.is_none()
    };
    snapshot.connections.iter().find(is_lost).or_else(|| soonest(snapshot))
}

/// What has to be renewed first, with its key.
pub fn renews(look: &Look) -> Option<String> {
    let snapshot = look.snapshot.as_ref()?;
    let row = to_renew(snapshot)?;
    let why = when(row, snapshot, true);
    Some(renewing(row, is_next(row, look), why.as_deref().unwrap_or("needs a new consent")))
}

/// The connection whose consent ends next, today or within two days. One that rests asks for nothing.
fn soonest(snapshot: &Snapshot) -> Option<&ConnectionRow> {
    let ends = |row: &&ConnectionRow| row.paused.is_none() && when(row, snapshot, true).is_some();
    snapshot.connections.iter().filter(ends).min_by_key(|row| row.connection.consent_expires)
}

/// Whether the key that renews is for this one.
pub fn is_next(row: &ConnectionRow, look: &Look) -> bool {
    let next = look.snapshot.as_ref().and_then(|snapshot| to_renew(snapshot));
    !look.read_only && next.is_some_and(|next| next.connection.id == row.connection.id)
}

/// The key first: where there is little room the rest may be cut.
fn renewing(row: &ConnectionRow, is_next: bool, why: &str) -> String {
    let key = if is_next { "W renews " } else { "" };
    format!("{key}{}: {why}", row.connection.label)
}

/// That a consent ends today or within two days.
pub fn ending(row: &ConnectionRow, snapshot: &Snapshot) -> Option<String> {
    let when = when(row, snapshot, false)?;
    Some(format!("the consent of {} {when}", row.connection.label))
}

/// When a consent ends that ends soon, or has ended. It says when and not how soon: that would have to
/// be drawn anew as time goes by. In short a day within a week is the next, or the last, of its name.
fn when(row: &ConnectionRow, snapshot: &Snapshot, is_short: bool) -> Option<String> {
    let connection = &row.connection;
    let ends = DateTime::from_timestamp_micros(connection.consent_expires?)?;
    let ends = ends.with_timezone(&snapshot.zone);
    let days = ends.date_naive().signed_duration_since(snapshot.today).num_days();
    let is_active = connection.state == ConnectionState::Active;
    let (word, day) = match days {
        _ if !is_active => return None,
        0 => return Some(ends.format("ends at %H:%M").to_string()),
        -6..=-1 if is_short => ("ended", "%a"),
        ..0 => ("ended", "on %Y-%m-%d"),
        1..=2 if is_short => ("ends", "%a"),
        1..=2 => ("ends", "on %Y-%m-%d"),
        _ => return None,
    };
    Some(format!("{word} {}", ends.format(&format!("{day} at %H:%M"))))
}

/// An instant: of today the time, else the day. It stays true until another day begins.
pub fn time_of(micros: i64, snapshot: &Snapshot) -> Option<String> {
    let at = DateTime::from_timestamp_micros(micros)?.with_timezone(&snapshot.zone);
    let today = at.date_naive() == snapshot.today;
    Some(at.format(if today { "%H:%M" } else { "%Y-%m-%d" }).to_string())
}

/// Whether the secrets can be had: said where a person has to open them; none: nobody has to.
pub fn secrets(look: &Look) -> Option<(&'static str, Tone)> {
    let needs_key = |row: &ConnectionRow| row.needs_key && row.paused.is_none();
    let is_needed = look.snapshot.as_ref().is_some_and(|it| it.connections.iter().any(needs_key));
    match look.vault {
        Some(Lock::Missing | Lock::Broken(_)) if is_needed => Some(("! no key here", Tone::Warn)),
        Some(Lock::Locked) if is_needed => Some(("! locked: g k unlocks", Tone::Warn)),
        Some(Lock::Locked) => Some(("locked", Tone::Dim)),
        Some(Lock::Unlocked) => Some(("unlocked", Tone::Dim)),
        _ => None,
    }
}

/// Nothing here opens secrets, and no passphrase would.
pub const fn lacks_key(look: &Look) -> bool {
    matches!(look.vault, Some(Lock::Missing | Lock::Broken(_)))
}

/// What needs a secret is not asked for now.
const fn is_shut(look: &Look) -> bool {
    lacks_key(look) || matches!(look.vault, Some(Lock::Locked))
}

/// What a refresh that somebody asked for has brought.
pub fn brought(summary: &Summary) -> String {
    let sum = |count: fn(&crate::service::refresh::Told) -> u64| -> u64 {
        summary.connections.iter().map(count).sum()
    };
    let quotes = &summary.quotes;
    let mut said = match &summary.outcome {
        Outcome::Locked(_) => return "another process is refreshing just now".to_owned(),
        Outcome::NothingDue => return "there is nothing to refresh".to_owned(),
        Outcome::Failed => "not refreshed".to_owned(),
        Outcome::Ok | Outcome::Partial => {
            let (new, changed) = (sum(|told| told.new), sum(|told| told.changed));
            let (stored, requested) = (quotes.stored, quotes.requested);
            format!(
                "refreshed: {stored} of {requested} prices, {new} new and {changed} changed rows"
            )
        }
    };
    let failed = summary.connections.iter().filter_map(|told| {
        told.why.as_ref().map(|why| format!("; {}: {why}", told.connection.label))
    });
    said.extend(failed);
    let rows = summary.connections.iter().flat_map(|told| &told.skipped);
    let left_out: Vec<_> = rows.chain(&quotes.skipped).map(|skip| skip.what.as_str()).collect();
    if !left_out.is_empty() {
        said.push_str(&format!("; left out: {}", left_out.join(" ")));
    }
    said
}
