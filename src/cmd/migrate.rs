//! `migrate`: makes the database, or brings it to the schema of this program.

use secrecy::SecretString;
use serde::Serialize;

use super::exit::{Error, Status};
use super::{Job, tell_of_backup};
use crate::service;

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    from: i64,
    to: i64,
}

pub async fn run(job: &mut Job<'_>, admin: Option<&SecretString>) -> Result<Status, Error> {
    let report = service::migrate::run(job.config, job.clock, admin).await?;
    let (from, to) = (report.from, report.to);
    if let Some(path) = &report.backed_up {
        tell_of_backup(path);
    }
    if job.flags.json {
        job.out.json(&Document { schema: "dashtam.migrate/1", from, to })?;
    } else if from == to {
        job.out.line(&format!("the database has schema {to}, nothing to do"))?;
    } else if from == 0 {
        job.out.line(&format!("made the database with schema {to}"))?;
    } else {
        job.out.line(&format!("brought the database from schema {from} to {to}"))?;
    }
    Ok(Status::Done)
}
