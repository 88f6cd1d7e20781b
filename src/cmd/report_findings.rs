//! `report findings`: what the ledger noticed and a person should look at, with what to do.

use chrono::NaiveDate;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::Job;
use super::cells::Cell;
use super::exit::{Error, Status};
use super::explain::{self, Asked};
use super::json::{Report, Totals};
use super::reports;
use super::table::WIDTH;
use crate::cli::FindingsArgs;
use crate::model::{Currency, SafeText, TransactionId};
use crate::report::{self, FindingRow};
use crate::service::Session;
use crate::service::edit::account_named;
use crate::text::Figures;

const INDENT: &str = "    ";

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    args: &FindingsArgs,
) -> Result<Status, Error> {
    let account = match &args.account {
        Some(name) => Some(account_named(session, name.as_str()).await?.name),
        None => None,
    };
    let as_of = reports::day(job, session, None);
    let currency = reports::base_currency(session).await?;
    let mut tx = session.store.read().await?;
    if let Some(key) = &args.form.explain {
        let asked = Asked::parse(key, &HEADER);
        let found = report::explain_finding(&mut tx, as_of, &asked.key).await?;
        drop(tx);
        return explain::print(job, &asked, "detail", &found);
    }
    let mut rows = report::findings(&mut tx, as_of).await?;
    drop(tx);
    rows.retain(|row| account.is_none() || row.account == account);
    print(job, &rows, as_of, currency, args.form.csv)?;
    Ok(Status::Done)
}

fn print(
    job: &mut Job<'_>,
    rows: &[FindingRow],
    as_of: NaiveDate,
    currency: Currency,
    csv: bool,
) -> Result<(), Error> {
    let figures = job.figures();
    if job.flags.json {
        return job.out.json(&Report {
            schema: "dashtam.report.findings/1",
            as_of,
            currency,
            partial: false,
            missing: Vec::new(),
            rows: rows.iter().map(|row| json_row(row, figures)).collect::<Vec<_>>(),
            totals: Totals {},
        });
    }
    if csv {
        return job.out.csv(&HEADER, rows.iter().map(|row| csv_row(row, figures)));
    }
    for row in rows {
        lines(row, figures).iter().try_for_each(|line| job.out.line(line))?;
    }
    if rows.is_empty() {
        job.out.aside("nothing needs a look")?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a SafeText,
    kind: &'a SafeText,
    severity: &'a SafeText,
    account: Option<&'a SafeText>,
    symbol: Option<&'a SafeText>,
    date: Option<NaiveDate>,
    transaction: Option<TransactionId>,
    detail: SafeText,
    fix: &'a SafeText,
}

fn json_row(row: &FindingRow, figures: Figures) -> Row<'_> {
    Row {
        id: &row.id,
        kind: &row.kind,
        severity: &row.severity,
        account: row.account.as_ref(),
        symbol: row.symbol.as_ref(),
        date: row.date,
        transaction: row.transaction,
        detail: figures.wording(&row.detail),
        fix: &row.fix,
    }
}

const HEADER: [&str; 9] =
    ["id", "kind", "severity", "account", "symbol", "date", "transaction", "detail", "fix"];

fn csv_row(row: &FindingRow, figures: Figures) -> Vec<Cell> {
    vec![
        Cell::Text(row.id.clone()),
        Cell::Text(row.kind.clone()),
        Cell::Text(row.severity.clone()),
        Cell::text(row.account.as_ref()),
        Cell::text(row.symbol.as_ref()),
        Cell::plain(row.date),
        Cell::plain(row.transaction),
        Cell::Text(figures.wording(&row.detail)),
        Cell::Text(row.fix.clone()),
    ]
}

/// A line that says where, and sentences below it: in columns of a table they would be cut.
fn lines(row: &FindingRow, figures: Figures) -> Vec<String> {
    let mut place = vec![row.severity.to_string(), row.kind.to_string()];
    place.extend(row.date.map(|date| date.to_string()));
    place.extend(row.account.as_ref().map(SafeText::to_string));
    place.extend(row.symbol.as_ref().map(SafeText::to_string));
    place.extend(row.transaction.map(|id| format!("transaction {id}")));
    let mut lines = vec![SafeText::new(&place.join("  ")).shown(WIDTH).into_owned()];
    for text in [&figures.wording(&row.detail), &row.fix] {
        lines.extend(folded(text.as_str()));
    }
    lines
}

/// A sentence in lines that fit, indented.
fn folded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut().filter(|line| line.width() + 1 + word.width() <= WIDTH) {
            Some(line) => line.extend([" ", word]),
            None => lines.push(format!("{INDENT}{word}")),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dec, Wording};

    const OPEN: Figures = Figures::plain(false);

    fn finding() -> FindingRow {
        FindingRow {
            id: SafeText::new("12"),
            kind: SafeText::new("short_opened"),
            severity: SafeText::new("warning"),
            account: Some(SafeText::new("Broker")),
            symbol: Some(SafeText::new("X")),
            date: "2024-03-01".parse().ok(),
            transaction: Some(TransactionId(7)),
            detail: Wording::default()
                .amount(Dec::from_i64(120))
                .and(" X were sold on 2024-03-01 and only ")
                .amount(Dec::from_i64(100))
                .and(" were held"),
            fix: SafeText::new("add what is missing, or `txn delete 7`"),
            proposed: None,
        }
    }

    #[test]
    fn a_finding_is_told_in_lines_that_fit() {
        let expected = [
            "warning  short_opened  2024-03-01  Broker  X  transaction 7",
            "    120 X were sold on 2024-03-01 and only 100 were held",
            "    add what is missing, or `txn delete 7`",
        ];
        assert_eq!(lines(&finding(), OPEN), expected);
        let longer = folded(&"abcd ".repeat(20));
        // 4 + 15 x 5 + 4 = 83 is too much, one word less is 78.
        assert_eq!(longer.iter().map(|line| line.width()).collect::<Vec<_>>(), [78, 28]);
    }

    #[test]
    fn amounts_in_the_words_of_a_finding_are_masked_and_nothing_else() {
        let hidden = Figures::plain(true);
        let row = finding();
        let told = lines(&row, hidden).join("\n");
        let document = serde_json::to_string(&json_row(&row, hidden)).unwrap();
        for text in [told, document] {
            assert!(text.contains("••• X were sold on 2024-03-01 and only ••• were"), "{text}");
            assert!(text.contains("txn delete 7") && !text.contains("120"), "{text}");
        }
    }

    #[test]
    fn csv_has_the_fields_of_the_document_in_its_order() {
        let row = finding();
        let text = serde_json::to_string(&json_row(&row, OPEN)).unwrap();
        let fields: Vec<_> =
            HEADER.iter().map(|field| text.find(&format!("\"{field}\":"))).collect();
        assert!(fields.iter().all(Option::is_some) && fields.is_sorted(), "{text}");
        assert_eq!(csv_row(&row, OPEN).len(), HEADER.len());
    }
}
