//! `settings`: the settings that change figures.

use serde::Serialize;

use super::Job;
use super::exit::{Error, Status};
use super::json::List;
use super::output::note;
use super::table::{Column, Table};
use crate::cli::SettingsCommand;
use crate::model::{Change, SafeText, Setting};
use crate::service::Session;
use crate::service::edit::{apply, settings};

#[derive(Serialize)]
struct Row {
    key: &'static str,
    value: Option<String>,
    chosen: bool,
}

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    command: &SettingsCommand,
) -> Result<Status, Error> {
    match command {
        SettingsCommand::List => list(job, rows(session, |_| true).await?)?,
        SettingsCommand::Get { key } => {
            get(job, *key, rows(session, |setting| setting == *key).await?)?;
        }
        SettingsCommand::Set { key, value } => {
            let applied = apply(session, Change::Set(*key, value.clone())).await?;
            let value = SafeText::new(value);
            job.changed(&applied, &format!("{} is now {value}", key.key()))?;
        }
    }
    Ok(Status::Done)
}

async fn rows(session: &Session, wanted: impl Fn(Setting) -> bool) -> Result<Vec<Row>, Error> {
    let all = settings(session).await?.into_iter();
    let row = |(setting, value, chosen): (Setting, _, _)| Row { key: setting.key(), value, chosen };
    Ok(all.filter(|(setting, ..)| wanted(*setting)).map(row).collect())
}

/// What counts where nobody chose a value and there is no fixed default.
const fn follows(key: Setting) -> &'static str {
    match key {
        Setting::TaxCurrency => "not chosen; it follows base_currency",
        Setting::TimeZone => "not chosen; it follows this machine",
        _ => "not chosen",
    }
}

fn get(job: &mut Job<'_>, key: Setting, rows: Vec<Row>) -> Result<(), Error> {
    if job.flags.json {
        return document(job, rows);
    }
    if let Some(value) = rows.into_iter().find_map(|row| row.value) {
        return job.out.line(SafeText::new(&value).as_str());
    }
    note(&format!("{}: {}", key.key(), follows(key)));
    Ok(())
}

fn list(job: &mut Job<'_>, rows: Vec<Row>) -> Result<(), Error> {
    if job.flags.json {
        return document(job, rows);
    }
    let mut table = Table::new(vec![
        Column::text("setting", 14, 0),
        Column::text("value", 10, 0),
        Column::text("from", 7, 0),
    ]);
    for row in rows {
        let from = match (&row.value, row.chosen) {
            (_, true) => "chosen",
            (Some(_), false) => "default",
            (None, false) => Setting::parse(row.key).map_or("", follows),
        };
        let cells = [row.key, row.value.as_deref().unwrap_or_default(), from];
        table.row(cells.into_iter().map(SafeText::new).collect());
    }
    job.out.table(&table)
}

fn document(job: &mut Job<'_>, rows: Vec<Row>) -> Result<(), Error> {
    job.out.json(&List { schema: "dashtam.settings/1", rows })
}
