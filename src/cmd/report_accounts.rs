//! `report accounts`: what each account holds and is worth.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use super::Job;
use super::cells::Cell;
use super::exit::{Error, Status};
use super::figures::Figures;
use super::json::{self, MissingPart, Report};
use super::table::{Column, Table};
use crate::cli::AccountsArgs;
use crate::model::{AccountId, AccountKind, Class, Currency, Dec, Mode, SafeText};
use crate::report::{self, AccountRow, AccountsQuery, AccountsReport, Missing};
use crate::service::Session;
use crate::service::edit::account_named;

/// How much of what is missing is told one by one.
const TOLD: usize = 5;

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    args: &AccountsArgs,
) -> Result<Status, Error> {
    let account = match &args.account {
        Some(name) => Some(account_named(session, name.as_str()).await?.id),
        None => None,
    };
    let as_of = job.flags.as_of.unwrap_or_else(|| session.clock.today());
    let query = AccountsQuery { as_of, account, closed: args.closed };
    let mut tx = session.store.read().await?;
    let report = report::accounts(&mut tx, &query).await?;
    drop(tx);
    print(job, &report, args.csv)?;
    Ok(Status::Done)
}

/// Prints the report in the form that was asked for.
pub fn print(job: &mut Job<'_>, report: &AccountsReport, csv: bool) -> Result<(), Error> {
    let figures = job.figures();
    if job.flags.json {
        return job.out.json(&document(report, figures));
    }
    if csv {
        let rows = report.rows.iter().map(|row| csv_row(row, figures));
        job.out.csv(&HEADER, rows)?;
    } else {
        job.out.table(&table(report, figures))?;
    }
    tell_missing(job, &report.missing)
}

/// The first of what a total lacks; JSON has all of it.
fn tell_missing(job: &mut Job<'_>, missing: &[Missing]) -> Result<(), Error> {
    for missing in missing.iter().take(TOLD) {
        job.out.aside(&json::describe(missing))?;
    }
    match missing.len().saturating_sub(TOLD) {
        0 => Ok(()),
        rest => job.out.aside(&format!("missing: {rest} more, --json lists them")),
    }
}

#[derive(Serialize)]
struct Row<'a> {
    id: AccountId,
    name: &'a SafeText,
    kind: AccountKind,
    class: Class,
    mode: Mode,
    institution: Option<&'a SafeText>,
    connection: Option<&'a SafeText>,
    currency: Currency,
    cash: BTreeMap<&'a str, String>,
    market_value: Option<String>,
    value: Option<String>,
    value_base: Option<String>,
    as_of: Option<NaiveDate>,
    stale: bool,
}

#[derive(Serialize)]
struct Totals {
    value_base: Option<String>,
}

fn document(report: &AccountsReport, figures: Figures) -> Report<'_, Row<'_>, Totals> {
    Report {
        schema: "dashtam.report.accounts/1",
        as_of: report.as_of,
        currency: report.currency,
        partial: report.partial,
        missing: report.missing.iter().map(MissingPart::from).collect(),
        rows: report.rows.iter().map(|row| json_row(row, figures)).collect(),
        totals: Totals { value_base: figures.maybe(total(report)) },
    }
}

fn json_row(row: &AccountRow, figures: Figures) -> Row<'_> {
    Row {
        id: row.id,
        name: &row.name,
        kind: row.kind,
        class: row.class,
        mode: row.mode,
        institution: row.institution.as_ref(),
        connection: None,
        currency: row.currency,
        cash: held(row).map(|(code, amount)| (code.code(), figures.exact(amount))).collect(),
        market_value: figures.maybe(row.market_value),
        value: figures.maybe(row.value),
        value_base: figures.maybe(row.value_base),
        as_of: row.as_of,
        stale: row.stale,
    }
}

/// Currencies with zero cash are left out.
fn held(row: &AccountRow) -> impl Iterator<Item = (&Currency, Dec)> {
    row.cash.iter().map(|(code, amount)| (code, *amount)).filter(|(_, amount)| !amount.is_zero())
}

/// What is known of the whole; nothing where nothing is known or the sum does not fit.
fn total(report: &AccountsReport) -> Option<Dec> {
    let mut known = report.rows.iter().filter_map(|row| row.value_base).peekable();
    if known.peek().is_none() && !report.rows.is_empty() {
        return None;
    }
    known.try_fold(Dec::ZERO, Dec::checked_add)
}

const HEADER: [&str; 14] = [
    "id",
    "name",
    "kind",
    "class",
    "mode",
    "institution",
    "connection",
    "currency",
    "cash",
    "market_value",
    "value",
    "value_base",
    "as_of",
    "stale",
];

fn csv_row(row: &AccountRow, figures: Figures) -> Vec<Cell> {
    let cash = held(row).map(|(code, amount)| format!("{code} {}", figures.exact(amount)));
    let cash: Vec<_> = cash.collect();
    vec![
        Cell::Plain(row.id.to_string()),
        Cell::Text(row.name.clone()),
        Cell::Plain(row.kind.to_string()),
        Cell::Plain(row.class.to_string()),
        Cell::Plain(row.mode.to_string()),
        Cell::text(row.institution.as_ref()),
        Cell::Nothing,
        Cell::Plain(row.currency.to_string()),
        Cell::Plain(cash.join("; ")),
        Cell::plain(figures.maybe(row.market_value)),
        Cell::plain(figures.maybe(row.value)),
        Cell::plain(figures.maybe(row.value_base)),
        Cell::plain(row.as_of),
        Cell::Plain(row.stale.to_string()),
    ]
}

fn table(report: &AccountsReport, figures: Figures) -> Table {
    let mut table = Table::new(vec![
        Column::text("account", 16, 0),
        Column::text("kind", 8, 3),
        Column::text("cash", 12, 2),
        Column::figure("value", 1),
        Column::text("", 3, 1),
        Column::figure(&format!("in {}", report.currency), 0),
        Column::text("", 5, 4),
    ]);
    for row in &report.rows {
        let cash =
            held(row).map(|(code, amount)| format!("{code} {}", figures.money(amount, *code)));
        let cash: Vec<_> = cash.collect();
        table.row(vec![
            row.name.clone(),
            SafeText::new(row.kind.as_str()),
            SafeText::new(&cash.join("; ")),
            figures.money_or_unknown(row.value, row.currency),
            SafeText::new(row.currency.code()),
            figures.money_or_unknown(row.value_base, report.currency),
            SafeText::new(&marks(row)),
        ]);
    }
    let nothing = SafeText::default;
    let sum = figures.money_or_unknown(total(report), report.currency);
    let name = if report.partial { "known total" } else { "total" };
    let cells =
        vec![SafeText::new(name), nothing(), nothing(), nothing(), nothing(), sum, nothing()];
    table.row(cells);
    table
}

fn marks(row: &AccountRow) -> String {
    let stale = row.stale.then(|| "stale".to_owned());
    let closed = row.closed.map(|day| format!("closed {day}"));
    [stale, closed].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
