//! `target`: how much of the whole something should be.

use serde::Serialize;

use super::Job;
use super::exit::{Error, Status};
use super::json::List;
use super::table::{Column, Table};
use crate::cli::TargetCommand;
use crate::model::target::usual_band;
use crate::model::{Change, NewTarget, SafeText};
use crate::service::Session;
use crate::service::edit::{apply, targets};
use crate::text::percent;

#[derive(Serialize)]
struct Row {
    by: SafeText,
    key: SafeText,
    weight: String,
    band: String,
}

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    command: &TargetCommand,
) -> Result<Status, Error> {
    let (change, said) = match command {
        TargetCommand::List => return list(job, session).await,
        TargetCommand::Set(args) => {
            let (by, weight) = (args.by, percent(Some(args.weight)));
            let (key, band) = (args.key.clone(), args.band);
            let said = format!("{key} should be {weight} by {by}");
            let target = NewTarget { dimension: by, key, weight: args.weight, band };
            (Change::SetTarget(target), said)
        }
        TargetCommand::Remove { by, key } => {
            (Change::RemoveTarget(*by, key.clone()), format!("no target for {key} by {by}"))
        }
    };
    job.changed(&apply(session, change).await?, &said)
}

async fn list(job: &mut Job<'_>, session: &Session) -> Result<Status, Error> {
    let targets = targets(session).await?;
    if job.flags.json {
        let row = |it: crate::store::AllocationTarget| Row {
            by: it.dimension,
            key: it.key,
            weight: it.weight.to_string(),
            band: it.band.unwrap_or_else(usual_band).to_string(),
        };
        let rows = targets.into_iter().map(row).collect();
        job.out.json(&List { schema: "dashtam.target.list/1", rows })?;
        return Ok(Status::Done);
    }
    let mut table = Table::new(vec![
        Column::text("by", 8, 0),
        Column::text("key", 8, 0),
        Column::figure("weight", 0),
        Column::figure("band", 0),
    ]);
    for target in targets {
        let band = percent(Some(target.band.unwrap_or_else(usual_band)));
        let weight = percent(Some(target.weight));
        table.row(vec![target.dimension, target.key, weight, band]);
    }
    job.out.table(&table)?;
    Ok(Status::Done)
}
