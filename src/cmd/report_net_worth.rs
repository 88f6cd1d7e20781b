//! `report net-worth`: what everything is worth, on a day or over time.

use chrono::NaiveDate;
use serde::Serialize;

use super::Job;
use super::cells::Cell;
use super::exit::{Error, Status};
use super::explain::{self, Asked};
use super::json::{MissingPart, Report, Totals, in_short};
use super::reports::{self, Shown};
use super::table::{Column, Table};
use crate::cli::{NetWorthArgs, Period};
use crate::model::SafeText;
use crate::report::{self, Every, Missing, NetWorthQuery, NetWorthReport, NetWorthRow};
use crate::service::Session;
use crate::text::Figures;

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    args: &NetWorthArgs,
) -> Result<Status, Error> {
    let query = NetWorthQuery {
        from: args.from,
        to: reports::day(job, session, args.to),
        today: session.clock.today(),
        account: reports::account(session, args.scope.account.as_ref()).await?,
        currency: args.scope.currency,
        every: args.every.map(every),
    };
    let mut tx = session.store.read().await?;
    if let Some(key) = &args.form.explain {
        let found = report::explain_net_worth(&mut tx, &query, key).await?;
        drop(tx);
        let asked = Asked { key: key.clone(), figure: None };
        return explain::print(job, &asked, key.as_str(), &found);
    }
    let report = report::net_worth(&mut tx, &query).await?;
    drop(tx);
    reports::print(job, &report, args.form.csv)?;
    Ok(Status::Done)
}

/// How often, as the reports say it.
pub const fn every(period: Period) -> Every {
    match period {
        Period::Day => Every::Day,
        Period::Week => Every::Week,
        Period::Month => Every::Month,
        Period::Quarter => Every::Quarter,
        Period::Year => Every::Year,
    }
}

impl Shown for NetWorthReport {
    const HEADER: &'static [&'static str] = &HEADER;

    fn document(&self, figures: Figures) -> impl Serialize {
        let rows = self.rows.iter().map(|row| json_row(row, figures));
        let totals = Totals {};
        let head = (self.as_of, self.currency);
        Report::of("dashtam.report.net-worth/1", head, &self.missing, rows, totals)
    }

    fn cells(&self, figures: Figures) -> impl Iterator<Item = Vec<Cell>> {
        self.rows.iter().map(move |row| csv_row(row, figures))
    }

    fn table(&self, figures: Figures) -> Table {
        table(self, figures)
    }

    fn missing(&self) -> &[Missing] {
        &self.missing
    }
}

#[derive(Serialize)]
struct Row<'a> {
    date: NaiveDate,
    net_worth: Option<String>,
    market_value: Option<String>,
    cash: Option<String>,
    assets: Option<String>,
    liabilities: Option<String>,
    partial: bool,
    missing: Vec<MissingPart<'a>>,
    pending: bool,
}

fn json_row(row: &NetWorthRow, figures: Figures) -> Row<'_> {
    Row {
        date: row.date,
        net_worth: figures.maybe(row.net_worth),
        market_value: figures.maybe(row.market_value),
        cash: figures.maybe(row.cash),
        assets: figures.maybe(row.assets),
        liabilities: figures.maybe(row.liabilities),
        partial: !row.missing.is_empty(),
        missing: row.missing.iter().map(MissingPart::from).collect(),
        pending: row.pending,
    }
}

const HEADER: [&str; 9] = [
    "date",
    "net_worth",
    "market_value",
    "cash",
    "assets",
    "liabilities",
    "partial",
    "missing",
    "pending",
];

fn csv_row(row: &NetWorthRow, figures: Figures) -> Vec<Cell> {
    let missing: Vec<_> = row.missing.iter().map(in_short).collect();
    vec![
        Cell::Plain(row.date.to_string()),
        Cell::plain(figures.maybe(row.net_worth)),
        Cell::plain(figures.maybe(row.market_value)),
        Cell::plain(figures.maybe(row.cash)),
        Cell::plain(figures.maybe(row.assets)),
        Cell::plain(figures.maybe(row.liabilities)),
        Cell::Plain((!row.missing.is_empty()).to_string()),
        Cell::Plain(missing.join("; ")),
        Cell::Plain(row.pending.to_string()),
    ]
}

fn table(report: &NetWorthReport, figures: Figures) -> Table {
    let base = report.currency;
    let mut table = Table::new(vec![
        Column::text("date", 10, 0),
        Column::figure("market", 1),
        Column::figure("cash", 1),
        Column::figure("assets", 2),
        Column::figure("liabilities", 2),
        Column::figure(&format!("worth {base}"), 0),
        Column::text("", 16, 0),
    ]);
    for row in &report.rows {
        let money = |value| figures.money_or_unknown(value, base);
        table.row(vec![
            SafeText::new(&row.date.to_string()),
            money(row.market_value),
            money(row.cash),
            money(row.assets),
            money(row.liabilities),
            money(row.net_worth),
            reports::marks(&row.missing, row.pending),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Currency, Dec};
    use crate::report::Missing;

    const OPEN: Figures = Figures::plain(false);

    fn row(date: &str, figures: [&str; 5], missing: Vec<Missing>) -> NetWorthRow {
        let [market_value, cash, assets, liabilities, net_worth] =
            figures.map(|figure| Dec::parse(figure).ok());
        let date: NaiveDate = date.parse().unwrap();
        let pending = date == "2024-02-29".parse().unwrap();
        NetWorthRow { date, net_worth, market_value, cash, assets, liabilities, missing, pending }
    }

    fn report() -> NetWorthReport {
        let lacks = Missing {
            what: "price",
            security: Some(SafeText::new("X")),
            pair: None,
            account: None,
            date: "2024-01-31".parse().ok(),
        };
        NetWorthReport {
            as_of: "2024-02-29".parse().unwrap(),
            currency: Currency::USD,
            missing: Vec::new(),
            rows: vec![
                row("2024-01-31", ["", "8390", "0", "-1000", "7390"], vec![lacks]),
                row("2024-02-29", ["1950.5", "8390", "620000", "-1000", "629340.5"], Vec::new()),
            ],
        }
    }

    #[test]
    fn the_table_marks_the_days_that_lack_something() {
        let expected = "\
date         market     cash     assets  liabilities  worth USD
2024-01-31      n/a  8390.00       0.00     -1000.00    7390.00  partial
2024-02-29  1950.50  8390.00  620000.00     -1000.00  629340.50  pending
";
        let mut out = Vec::new();
        table(&report(), OPEN).write(&mut out, false).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn each_day_says_what_it_lacks() {
        let report = report();
        let document = serde_json::to_value(report.document(OPEN)).unwrap();
        assert_eq!(
            (&document["partial"], &document["totals"]),
            (&false.into(), &serde_json::json!({}))
        );
        let first = &document["rows"][0];
        assert_eq!((&first["partial"], &first["market_value"]), (&true.into(), &().into()));
        assert_eq!(first["missing"][0]["security"], "X");
        assert_eq!(document["rows"][1]["net_worth"], "629340.5");
        let csv = csv_row(report.rows.first().unwrap(), OPEN);
        assert_eq!(csv.len(), HEADER.len());
        let last = ["true", "price of X", "false"].map(|text| Cell::Plain(text.to_owned()));
        assert!(csv.ends_with(&last), "{csv:?}");
    }
}
