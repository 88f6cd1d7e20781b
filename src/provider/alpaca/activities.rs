//! Activities, page by page from the oldest on. There is no word on how many there are: a page that
//! is empty is the end, and one that does not go on is none.

use std::collections::HashSet;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::value::RawValue;

use super::super::field::{parse, text, unreadable};
use super::super::{Error, Result};
use super::Way;
use super::wire::Activity;
use crate::model::SafeText;

/// As long as a page can be.
const PAGE: &str = "100";
/// Nobody has more; a service that goes on has lost its way.
const MOST_PAGES: usize = 5000;

/// What was told.
#[derive(Default)]
pub(super) struct Told {
    pub rows: Vec<Box<RawValue>>,
    /// Why there may be more.
    pub broken: Option<Error>,
}

/// Asks for everything that was written down since an instant; none: from the first on. What was told
/// before something broke is kept.
///
/// # Errors
/// When the first page does not come, or the keys are refused.
pub(super) async fn ask(way: &Way<'_>, since: Option<DateTime<Utc>>) -> Result<Told> {
    let since = since.map(|since| since.to_rfc3339_opts(SecondsFormat::Micros, true));
    let (mut told, mut seen, mut token) = (Told::default(), HashSet::new(), None::<String>);
    for _ in 0..MOST_PAGES {
        let mut query = vec![("direction", "asc"), ("page_size", PAGE)];
        query.extend(since.as_deref().map(|since| ("after", since)));
        query.extend(token.as_deref().map(|token| ("page_token", token)));
        let page = match way.ask("/v2/account/activities", &query).await.and_then(|it| read(&it)) {
            Ok(page) => page,
            Err(error) if token.is_none() || matches!(error, Error::Refused(_)) => {
                return Err(error);
            }
            Err(error) => {
                told.broken = Some(error);
                return Ok(told);
            }
        };
        let Some(last) = page.last() else { return Ok(told) };
        // On one page two rows of an event may have one id.
        let ids: HashSet<String> = page.iter().map(|raw| what(raw)).collect();
        if ids.iter().any(|id| seen.contains(id)) {
            told.broken = Some(wrong("a page of its activities repeats what was told before it"));
            return Ok(told);
        }
        let next = parse::<Activity>(last).ok().and_then(|row| text(row.id.as_ref()));
        told.rows.extend(page);
        match next.map(SafeText::into_string) {
            Some(next) if token.as_ref() != Some(&next) => token = Some(next),
            _ => {
                told.broken = Some(wrong("a page of its activities does not say how to go on"));
                return Ok(told);
            }
        }
        seen.extend(ids);
    }
    told.broken = Some(wrong("there are more pages of activities than anybody has"));
    Ok(told)
}

fn read(body: &[u8]) -> Result<Vec<Box<RawValue>>> {
    serde_json::from_slice(body).map_err(|error| Error::Unavailable(unreadable("answer", &error)))
}

/// What tells one row from another.
fn what(raw: &RawValue) -> String {
    let Ok(row) = parse::<Activity>(raw) else { return raw.get().to_owned() };
    let fields = [&row.id, &row.kind, &row.symbol, &row.qty];
    fields.map(|it| text(it.as_ref()).unwrap_or_default().into_string()).join("#")
}

fn wrong(why: &str) -> Error {
    Error::Unavailable(SafeText::new(why))
}
