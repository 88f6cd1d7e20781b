//! `report coverage`: which securities and rates lack prices while they are needed.

use chrono::NaiveDate;
use serde::Serialize;

use super::Job;
use super::cells::Cell;
use super::exit::{Error, Status};
use super::explain::{self, Asked};
use super::json::{Report, Totals};
use super::reports;
use super::table::{Column, Table};
use crate::cli::CoverageArgs;
use crate::model::{Dec, SafeText};
use crate::report::{self, CoverageReport, CoverageRow, Explanation};
use crate::service::Session;

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    args: &CoverageArgs,
) -> Result<Status, Error> {
    let as_of = reports::day(job, session, None);
    let account = reports::account(session, args.scope.account.as_ref()).await?;
    let mut tx = session.store.read().await?;
    let report = report::coverage(&mut tx, as_of, account, args.scope.currency).await?;
    drop(tx);
    if let Some(key) = &args.form.explain {
        let asked = Asked::parse(key, &HEADER);
        let Some(row) = report.rows.iter().find(|row| row.name == asked.key) else {
            let known = report.rows.iter().map(|row| row.name.clone()).collect();
            return Err(report::Error::NoSuchFigure { key: asked.key, known }.into());
        };
        return explain::print(job, &asked, "missing_days", &explanations(row));
    }
    print(job, &report, args.form.csv)?;
    Ok(Status::Done)
}

/// How the days that lack something were counted.
fn explanations(row: &CoverageRow) -> [Explanation; 2] {
    let needed = format!("{} to {}", row.needed_from, row.needed_to);
    let known = match row.first.zip(row.last) {
        Some((first, last)) => format!("known from {first} to {last}"),
        None => "nothing is known".to_owned(),
    };
    let explanation = |figure, days, which: &str| Explanation {
        figure,
        of: row.name.clone(),
        value: Some(Dec::from_i64(days)),
        currency: None,
        formula: format!("days in need, {needed}, {which}; {known}"),
        inputs: Vec::new(),
    };
    [
        explanation("missing_days", row.missing_days, "with nothing on or before them"),
        explanation("stale_days", row.stale_days, "whose latest is older than it should be"),
    ]
}

fn print(job: &mut Job<'_>, report: &CoverageReport, csv: bool) -> Result<(), Error> {
    if job.flags.json {
        return job.out.json(&document(report));
    }
    if csv {
        job.out.csv(&HEADER, report.rows.iter().map(csv_row))
    } else if report.rows.is_empty() {
        job.out.aside("nothing is held that would need a price or a rate")
    } else {
        job.out.table(&table(report))
    }
}

#[derive(Serialize)]
struct Row<'a> {
    what: &'a str,
    name: &'a SafeText,
    needed_from: NaiveDate,
    needed_to: NaiveDate,
    first: Option<NaiveDate>,
    last: Option<NaiveDate>,
    missing_days: i64,
    stale_days: i64,
}

fn document(report: &CoverageReport) -> Report<'_, Row<'_>, Totals> {
    Report {
        schema: "dashtam.report.coverage/1",
        as_of: report.as_of,
        currency: report.currency,
        // There is no total that could lack something: the rows say what is missing.
        partial: false,
        missing: Vec::new(),
        rows: report.rows.iter().map(json_row).collect(),
        totals: Totals {},
    }
}

fn json_row(row: &CoverageRow) -> Row<'_> {
    Row {
        what: row.what,
        name: &row.name,
        needed_from: row.needed_from,
        needed_to: row.needed_to,
        first: row.first,
        last: row.last,
        missing_days: row.missing_days,
        stale_days: row.stale_days,
    }
}

const HEADER: [&str; 8] =
    ["what", "name", "needed_from", "needed_to", "first", "last", "missing_days", "stale_days"];

fn csv_row(row: &CoverageRow) -> Vec<Cell> {
    vec![
        Cell::Plain(row.what.to_owned()),
        Cell::Text(row.name.clone()),
        Cell::Plain(row.needed_from.to_string()),
        Cell::Plain(row.needed_to.to_string()),
        Cell::plain(row.first),
        Cell::plain(row.last),
        Cell::Plain(row.missing_days.to_string()),
        Cell::Plain(row.stale_days.to_string()),
    ]
}

fn table(report: &CoverageReport) -> Table {
    let mut table = Table::new(vec![
        Column::text("what", 5, 0),
        Column::text("of", 8, 0),
        Column::text("needed from", 11, 0),
        Column::text("to", 10, 2),
        Column::text("known from", 10, 0),
        Column::text("to", 10, 1),
        Column::figure("no price", 0),
        Column::figure("stale", 0),
    ]);
    for row in &report.rows {
        let day = |day: Option<NaiveDate>| {
            SafeText::new(&day.map_or_else(|| "never".to_owned(), |day| day.to_string()))
        };
        let days = |days: i64| match days {
            0 => SafeText::default(),
            days => SafeText::new(&format!("{days}d")),
        };
        table.row(vec![
            SafeText::new(row.what),
            row.name.clone(),
            day(Some(row.needed_from)),
            day(Some(row.needed_to)),
            day(row.first),
            day(row.last),
            days(row.missing_days),
            days(row.stale_days),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Needed for 31 days, known from the 12th on, and older than five days after the 17th.
    fn row() -> CoverageRow {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        CoverageRow {
            what: "price",
            name: SafeText::new("X"),
            needed_from: day("2024-01-01"),
            needed_to: day("2024-01-31"),
            first: Some(day("2024-01-12")),
            last: Some(day("2024-01-12")),
            missing_days: 11,
            stale_days: 14,
        }
    }

    fn report() -> CoverageReport {
        let never = CoverageRow {
            what: "fx",
            name: SafeText::new("CAD/USD"),
            first: None,
            last: None,
            missing_days: 31,
            stale_days: 0,
            ..row()
        };
        CoverageReport {
            as_of: row().needed_to,
            currency: crate::model::Currency::USD,
            rows: vec![never, row()],
        }
    }

    #[test]
    fn the_table_says_from_when_something_is_needed_and_known() {
        let expected = "\
what   of       needed from  to          known from  to          no price  stale
fx     CAD/USD  2024-01-01   2024-01-31  never       never            31d
price  X        2024-01-01   2024-01-31  2024-01-12  2024-01-12       11d    14d
";
        let mut out = Vec::new();
        table(&report()).write(&mut out, false).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn the_counted_days_are_explained() {
        let [missing, stale] = explanations(&row());
        assert_eq!((missing.figure, missing.value), ("missing_days", Some(Dec::from_i64(11))));
        assert_eq!((stale.figure, stale.value), ("stale_days", Some(Dec::from_i64(14))));
        for word in ["2024-01-01 to 2024-01-31", "known from 2024-01-12 to 2024-01-12"] {
            assert!(missing.formula.contains(word), "{}", missing.formula);
        }
    }

    #[test]
    fn csv_has_the_fields_of_the_document_in_its_order() {
        let row = row();
        let text = serde_json::to_string(&json_row(&row)).unwrap();
        let fields: Vec<_> =
            HEADER.iter().map(|field| text.find(&format!("\"{field}\":"))).collect();
        assert!(fields.iter().all(Option::is_some) && fields.is_sorted(), "{text}");
        assert_eq!(csv_row(&row).len(), HEADER.len());
        let document = serde_json::to_value(document(&report())).unwrap();
        assert!(document["rows"][0]["first"].is_null());
    }
}
