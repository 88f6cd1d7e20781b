//! `report transactions`: what happened, oldest first, in parts if wanted.

use chrono::NaiveDate;
use serde::Serialize;

use super::Job;
use super::cells::Cell;
use super::exit::{Error, Status};
use super::explain::{self, Asked};
use super::json::{Report, Totals};
use super::reports;
use super::table::{Column, Table};
use crate::cli::TransactionsArgs;
use crate::model::{Currency, Kind, SafeText, Status as TxnStatus, Subtype, TransactionId};
use crate::report::{self, TransactionRow, TransactionsQuery, TransactionsReport};
use crate::service::Session;
use crate::text::Figures;

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    args: &TransactionsArgs,
) -> Result<Status, Error> {
    let account = reports::account(session, args.account.as_ref()).await?;
    let as_of = reports::day(job, session, args.to);
    let query = TransactionsQuery {
        account,
        currency: args.currency,
        from: args.from,
        to: Some(as_of),
        limit: args.limit.map(usize::from),
        after: args.after.clone(),
    };
    let currency = match args.currency {
        Some(currency) => currency,
        None => reports::base_currency(session).await?,
    };
    let mut tx = session.store.read().await?;
    if let Some(key) = &args.form.explain {
        let asked = Asked::parse(key, &HEADER);
        let found = report::explain_transaction(&mut tx, &asked.key).await?;
        drop(tx);
        return explain::print(job, &asked, "amount", &found);
    }
    let report = report::transactions(&mut tx, &query).await?;
    drop(tx);
    print(job, &report, as_of, currency, args.form.csv)?;
    Ok(Status::Done)
}

fn print(
    job: &mut Job<'_>,
    report: &TransactionsReport,
    as_of: NaiveDate,
    currency: Currency,
    csv: bool,
) -> Result<(), Error> {
    let figures = job.figures();
    if job.flags.json {
        return job.out.json(&Paged {
            report: Report {
                schema: "dashtam.report.transactions/1",
                as_of,
                currency,
                partial: false,
                missing: Vec::new(),
                rows: report.rows.iter().map(|row| json_row(row, figures)).collect(),
                totals: Totals {},
            },
            next: report.next.as_deref(),
        });
    }
    if csv {
        job.out.csv(&HEADER, report.rows.iter().map(|row| csv_row(row, figures)))?;
    } else {
        job.out.table(&table(report, figures))?;
    }
    if let Some(next) = &report.next {
        job.out.aside(&format!("there is more: --after {}", SafeText::new(next)))?;
    }
    Ok(())
}

/// The envelope of reports, and where the next part begins. Rows of several currencies have no sum.
#[derive(Serialize)]
struct Paged<'a> {
    #[serde(flatten)]
    report: Report<'a, Row<'a>, Totals>,
    next: Option<&'a str>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: TransactionId,
    account: &'a SafeText,
    date: NaiveDate,
    settlement: Option<NaiveDate>,
    kind: Kind,
    subtype: Subtype,
    status: TxnStatus,
    symbol: Option<&'a SafeText>,
    quantity: Option<String>,
    price: Option<String>,
    fee: Option<String>,
    tax: Option<String>,
    currency: Currency,
    amount: String,
    description: Option<&'a SafeText>,
    category: Option<&'a SafeText>,
    source: &'a str,
    linked: &'a [TransactionId],
    by_day_rate: bool,
}

fn json_row(row: &TransactionRow, figures: Figures) -> Row<'_> {
    Row {
        id: row.id,
        account: &row.account,
        date: row.date,
        settlement: row.settlement,
        kind: row.kind,
        subtype: row.subtype,
        status: row.status,
        symbol: row.symbol.as_ref(),
        quantity: figures.maybe(row.quantity),
        price: figures.maybe(row.price),
        fee: figures.maybe(row.fee),
        tax: figures.maybe(row.tax),
        currency: row.currency,
        amount: figures.exact(row.amount),
        description: row.description.as_ref(),
        category: row.category.as_ref(),
        source: &row.source,
        linked: &row.linked,
        by_day_rate: row.by_day_rate,
    }
}

const HEADER: [&str; 19] = [
    "id",
    "account",
    "date",
    "settlement",
    "kind",
    "subtype",
    "status",
    "symbol",
    "quantity",
    "price",
    "fee",
    "tax",
    "currency",
    "amount",
    "description",
    "category",
    "source",
    "linked",
    "by_day_rate",
];

fn csv_row(row: &TransactionRow, figures: Figures) -> Vec<Cell> {
    let linked: Vec<_> = row.linked.iter().map(TransactionId::to_string).collect();
    vec![
        Cell::Plain(row.id.to_string()),
        Cell::Text(row.account.clone()),
        Cell::Plain(row.date.to_string()),
        Cell::plain(row.settlement),
        Cell::Plain(row.kind.to_string()),
        Cell::Plain(row.subtype.to_string()),
        Cell::Plain(row.status.to_string()),
        Cell::text(row.symbol.as_ref()),
        Cell::plain(figures.maybe(row.quantity)),
        Cell::plain(figures.maybe(row.price)),
        Cell::plain(figures.maybe(row.fee)),
        Cell::plain(figures.maybe(row.tax)),
        Cell::Plain(row.currency.to_string()),
        Cell::Plain(figures.exact(row.amount)),
        Cell::text(row.description.as_ref()),
        Cell::text(row.category.as_ref()),
        Cell::Plain(row.source.clone()),
        Cell::Plain(linked.join(" ")),
        Cell::Plain(row.by_day_rate.to_string()),
    ]
}

fn table(report: &TransactionsReport, figures: Figures) -> Table {
    let mut table = Table::new(vec![
        Column::figure("id", 4),
        Column::text("date", 10, 0),
        Column::text("account", 12, 0),
        Column::text("type", 10, 0),
        Column::text("symbol", 6, 1),
        Column::figure("quantity", 2),
        Column::figure("price", 3),
        Column::figure("amount", 0),
        Column::text("", 3, 0),
        // Whether a row counts is no less than what it says.
        Column::text("status", 9, 0),
        Column::text("description", 10, 6),
    ]);
    for row in &report.rows {
        let price = row.price.map(|price| figures.exact(price)).unwrap_or_default();
        table.row(vec![
            SafeText::new(&row.id.to_string()),
            SafeText::new(&row.date.to_string()),
            row.account.clone(),
            SafeText::new(row.subtype.as_str()),
            row.symbol.clone().unwrap_or_default(),
            figures.quantity(row.quantity),
            SafeText::new(&price),
            figures.money(row.amount, row.currency),
            SafeText::new(row.currency.code()),
            SafeText::new(&marks(row)),
            row.description.clone().unwrap_or_default(),
        ]);
    }
    table
}

/// Whether a row counts, and that its money came by the rate of its day: what counts fully and as
/// it says needs no word.
fn marks(row: &TransactionRow) -> String {
    let status = Some(row.status.as_str()).filter(|_| row.status != TxnStatus::Settled);
    let rate = row.by_day_rate.then_some("day's rate");
    status.into_iter().chain(rate).collect::<Vec<_>>().join(", ")
}
