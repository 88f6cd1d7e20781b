//! `rebuild`: makes the derived figures again from the rows, or checks that they are what the rows
//! say.

use serde::Serialize;

use super::Job;
use super::exit::{Error, Status};
use super::output::note;
use crate::service::{self, Session};

/// So many differences are named.
const NAMED: usize = 20;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    rows: Option<u64>,
    differences: &'a [String],
}

pub async fn run(job: &mut Job<'_>, session: &Session, check: bool) -> Result<Status, Error> {
    const SCHEMA: &str = "dashtam.rebuild/1";
    if !check {
        let rows = service::rebuild::run(session).await?;
        if job.flags.json {
            let rows = Some(rows);
            job.out.json(&Document { schema: SCHEMA, rows, differences: &[] })?;
        } else {
            job.out.line(&format!("made every figure anew from {rows} rows"))?;
        }
        return Ok(Status::Done);
    }
    let mut differences = service::rebuild::damaged(session).await?;
    let is_damaged = !differences.is_empty();
    differences.extend(service::rebuild::check(session).await?);
    if job.flags.json {
        job.out.json(&Document { schema: SCHEMA, rows: None, differences: &differences })?;
    } else if differences.is_empty() {
        job.out.line("every figure is what the rows say")?;
    } else {
        for difference in differences.iter().take(NAMED) {
            job.out.line(difference)?;
        }
        let more = differences.len().saturating_sub(NAMED);
        if more > 0 {
            job.out.line(&format!("and {more} more"))?;
        }
    }
    if differences.is_empty() {
        return Ok(Status::Done);
    }
    note(match is_damaged {
        true => {
            "dashtam: there are rows that are not what was written; restore a backup before any \
             figure is made anew"
        }
        false => {
            "dashtam: these figures are not what the rows say; `dashtam rebuild` makes them anew"
        }
    });
    Ok(Status::Differs)
}
