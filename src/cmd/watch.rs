//! `watch`: securities that somebody keeps an eye on.

use chrono::NaiveDate;
use serde::Serialize;

use super::exit::{Error, Status};
use super::json::List;
use super::table::{Column, Table};
use super::{Job, empty};
use crate::cli::{WatchAddArgs, WatchCommand, WatchField};
use crate::model::{Change, Currency, Dec, Edit, SafeText, SecurityId, WatchEdit};
use crate::report::WatchRow;
use crate::service::Session;
use crate::service::edit::{apply, security_named};
use crate::service::watch::{mention, watched};
use crate::text::{Figures, percent};

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    command: &WatchCommand,
) -> Result<Status, Error> {
    let (change, said) = match command {
        WatchCommand::List => return list(job, session).await,
        WatchCommand::Add(args) => {
            let security = mention(session, &args.symbol).await?;
            let said = format!("watching {}", security.symbol);
            (Change::Watch(security, edit(args)?), said)
        }
        WatchCommand::Remove { symbol } => {
            let security = security_named(session, symbol.trim()).await?;
            let said = format!("{} is watched no more", security.symbol);
            (Change::Unwatch(security.id), said)
        }
    };
    job.changed(&apply(session, change).await?, &said)
}

fn edit(args: &WatchAddArgs) -> Result<WatchEdit, Error> {
    let mut edit = WatchEdit {
        list: Edit::given(args.group.clone()),
        note: Edit::given(args.note.clone()),
        target: Edit::given(args.target),
    };
    for field in &args.clear {
        match field {
            WatchField::Group => empty(&mut edit.list)?,
            WatchField::Target => empty(&mut edit.target)?,
            WatchField::Note => empty(&mut edit.note)?,
        }
    }
    Ok(edit)
}

#[derive(Serialize)]
struct Row<'a> {
    symbol: &'a SafeText,
    security_id: SecurityId,
    name: Option<&'a SafeText>,
    group: Option<&'a SafeText>,
    currency: Currency,
    price: Option<String>,
    price_date: Option<NaiveDate>,
    price_source: Option<&'a SafeText>,
    stale: bool,
    change: Option<Dec>,
    target: Option<String>,
    distance: Option<Dec>,
    note: Option<&'a SafeText>,
}

impl<'a> Row<'a> {
    fn of(row: &'a WatchRow, figures: Figures) -> Self {
        let terms = row.terms.as_ref();
        Self {
            symbol: &row.symbol,
            security_id: row.security,
            name: row.name.as_ref(),
            group: terms.and_then(|terms| terms.list.as_ref()),
            currency: row.currency,
            price: figures.maybe(row.price),
            price_date: row.price_date,
            price_source: row.price_source.as_ref(),
            stale: row.stale,
            change: row.change,
            target: figures.maybe(row.target),
            distance: row.distance,
            note: terms.and_then(|terms| terms.note.as_ref()),
        }
    }
}

async fn list(job: &mut Job<'_>, session: &Session) -> Result<Status, Error> {
    let report = watched(session).await?;
    let figures = job.figures();
    let rows: Vec<_> = report.rows.iter().filter(|row| row.terms.is_some()).collect();
    if job.flags.json {
        let rows = rows.into_iter().map(|row| Row::of(row, figures)).collect();
        job.out.json(&List { schema: "dashtam.watch.list/1", rows })?;
        return Ok(Status::Done);
    }
    let mut table = Table::new(vec![
        Column::text("group", 5, 3),
        Column::text("symbol", 8, 0),
        Column::figure("price", 0),
        Column::text("of", 10, 2),
        Column::figure("change", 1),
        Column::figure("target", 0),
        Column::figure("distance", 0),
        Column::text("note", 8, 4),
    ]);
    for row in rows {
        let Row { group, note, price_date, .. } = Row::of(row, figures);
        let text = |text: Option<&SafeText>| text.cloned().unwrap_or_default();
        let old = if row.stale { " stale" } else { "" };
        let day = price_date.map(|day| format!("{day}{old}")).unwrap_or_default();
        let waits = row.terms.as_ref().is_some_and(|terms| terms.target.is_some());
        let wanted = |shown: SafeText| if waits { shown } else { SafeText::default() };
        table.row(vec![
            text(group),
            row.symbol.clone(),
            figures.price(row.price, row.currency),
            SafeText::new(&day),
            percent(row.change),
            wanted(figures.price(row.target, row.currency)),
            wanted(percent(row.distance)),
            text(note),
        ]);
    }
    job.out.table(&table)?;
    Ok(Status::Done)
}
