//! `security`: list and edit; `splits` is next door.

use serde::Serialize;

use super::exit::{Error, Status};
use super::json::List;
use super::security_splits;
use super::table::{Column, Table};
use super::{Job, empty};
use crate::cli::{
    SecurityChange, SecurityCommand, SecurityEditArgs, SecurityField, SecuritySymbolArgs,
};
use crate::model::{
    AssetClass, Change, Currency, Edit, Isin, SafeText, Security, SecurityEdit, SecurityId,
};
use crate::service::Session;
use crate::service::edit::{apply, securities, security_named};

/// Whether it changes nothing.
pub const fn only_looks(command: &SecurityCommand) -> bool {
    match command {
        SecurityCommand::List => true,
        SecurityCommand::Splits(args) => !args.apply,
        SecurityCommand::Edit(_) | SecurityCommand::Symbol(_) => false,
    }
}

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    command: &SecurityCommand,
) -> Result<Status, Error> {
    match command {
        SecurityCommand::List => list(job, session).await,
        SecurityCommand::Edit(args) => edit(job, session, args).await,
        SecurityCommand::Symbol(args) => call(job, session, args).await,
        SecurityCommand::Splits(args) => security_splits::run(job, session, args).await,
    }
}

async fn edit(
    job: &mut Job<'_>,
    session: &Session,
    args: &SecurityEditArgs,
) -> Result<Status, Error> {
    let change = security_edit(&args.change)?;
    let security = security_named(session, &args.security).await?;
    let applied = apply(session, Change::EditSecurity(security.id, change)).await?;
    job.changed(&applied, &format!("changed security `{}`", security.symbol))
}

/// What a source calls it.
async fn call(
    job: &mut Job<'_>,
    session: &Session,
    args: &SecuritySymbolArgs,
) -> Result<Status, Error> {
    let SecuritySymbolArgs { security, source, symbol } = args;
    let security = security_named(session, security.trim()).await?;
    let change = Change::SetSymbol(security.id, source.clone(), symbol.clone());
    let applied = apply(session, change).await?;
    let called = symbol.as_ref().unwrap_or(&security.symbol);
    job.changed(&applied, &format!("{source} is asked for {} as {called}", security.symbol))
}

fn security_edit(change: &SecurityChange) -> Result<SecurityEdit, Error> {
    let mut edit = SecurityEdit {
        symbol: change.symbol.clone(),
        currency: change.currency,
        class: Edit::given(change.class),
        name: Edit::given(change.name.clone()),
        venue: Edit::given(change.venue.clone()),
        isin: Edit::given(change.isin.clone()),
        cusip: Edit::given(change.cusip.clone()),
        figi: Edit::given(change.figi.clone()),
        sector: Edit::given(change.sector.clone()),
        region: Edit::given(change.region.clone()),
        tags: Edit::given(change.tags.clone()),
    };
    for field in &change.clear {
        match field {
            SecurityField::Name => empty(&mut edit.name)?,
            SecurityField::Class => empty(&mut edit.class)?,
            SecurityField::Venue => empty(&mut edit.venue)?,
            SecurityField::Isin => empty(&mut edit.isin)?,
            SecurityField::Cusip => empty(&mut edit.cusip)?,
            SecurityField::Figi => empty(&mut edit.figi)?,
            SecurityField::Sector => empty(&mut edit.sector)?,
            SecurityField::Region => empty(&mut edit.region)?,
            SecurityField::Tags => empty(&mut edit.tags)?,
        }
    }
    Ok(edit)
}

#[derive(Serialize)]
struct Row<'a> {
    id: SecurityId,
    symbol: &'a SafeText,
    name: Option<&'a SafeText>,
    asset_class: Option<AssetClass>,
    currency: Currency,
    venue: Option<&'a SafeText>,
    isin: Option<&'a Isin>,
    cusip: Option<&'a SafeText>,
    figi: Option<&'a SafeText>,
    sector: Option<&'a SafeText>,
    region: Option<&'a SafeText>,
    tags: Option<Vec<&'a str>>,
}

impl<'a> From<&'a Security> for Row<'a> {
    fn from(security: &'a Security) -> Self {
        Self {
            id: security.id,
            symbol: &security.symbol,
            name: security.name.as_ref(),
            asset_class: security.class,
            currency: security.currency,
            venue: security.venue.as_ref(),
            isin: security.isin.as_ref(),
            cusip: security.cusip.as_ref(),
            figi: security.figi.as_ref(),
            sector: security.sector.as_ref(),
            region: security.region.as_ref(),
            tags: security.tags.as_ref().map(|tags| tags.iter().collect()),
        }
    }
}

async fn list(job: &mut Job<'_>, session: &Session) -> Result<Status, Error> {
    let securities = securities(session).await?;
    if job.flags.json {
        let rows = securities.iter().map(Row::from).collect();
        job.out.json(&List { schema: "dashtam.security.list/1", rows })?;
        return Ok(Status::Done);
    }
    let mut table = Table::new(vec![
        Column::figure("id", 1),
        Column::text("symbol", 8, 0),
        Column::text("currency", 8, 0),
        Column::text("name", 16, 0),
        Column::text("class", 12, 2),
        Column::text("venue", 8, 4),
        Column::text("isin", 12, 3),
        Column::text("sector", 8, 5),
        Column::text("region", 8, 6),
        Column::text("tags", 8, 7),
    ]);
    for security in &securities {
        table.row(vec![
            SafeText::new(&security.id.to_string()),
            security.symbol.clone(),
            SafeText::new(security.currency.code()),
            security.name.clone().unwrap_or_default(),
            SafeText::new(security.class.map_or("", AssetClass::as_str)),
            security.venue.clone().unwrap_or_default(),
            SafeText::new(security.isin.as_ref().map_or("", Isin::as_str)),
            security.sector.clone().unwrap_or_default(),
            security.region.clone().unwrap_or_default(),
            security.tags.clone().map(SafeText::from).unwrap_or_default(),
        ]);
    }
    job.out.table(&table)?;
    Ok(Status::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_not_set_and_emptied_at_once() {
        let mut name = Edit::Set(SafeText::new("x"));
        assert!(empty(&mut name).is_err());
        let mut name: Edit<SafeText> = Edit::Keep;
        assert!(empty(&mut name).is_ok() && empty(&mut name).is_ok());
        assert_eq!(name, Edit::Clear);
    }
}
