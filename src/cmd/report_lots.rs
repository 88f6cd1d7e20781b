//! `report lots`: the purchases that are not sold yet, each with what it cost and has gained.

use chrono::NaiveDate;
use serde::Serialize;

use super::Job;
use super::cells::Cell;
use super::exit::{Error, Status};
use super::json::Report;
use super::report_holdings::Totals;
use super::reports::{self, Shown};
use super::table::{Column, Table};
use crate::cli::LotsArgs;
use crate::model::{Currency, SafeText, Term};
use crate::report::{self, LotRow, LotsReport, Missing};
use crate::service::Session;
use crate::text::Figures;

pub async fn run(job: &mut Job<'_>, session: &Session, args: &LotsArgs) -> Result<Status, Error> {
    let query = reports::positions(job, session, &args.scope, args.method, false).await?;
    reports::answer(
        job,
        session,
        &args.form,
        "unrealized_base",
        async |tx| report::lots(tx, &query).await,
        async |tx, key| report::explain_lots(tx, &query, key).await,
    )
    .await
}

impl Shown for LotsReport {
    const HEADER: &'static [&'static str] = &HEADER;

    fn document(&self, figures: Figures) -> impl Serialize {
        let rows = self.rows.iter().map(|row| json_row(row, figures));
        let totals = Totals::of(&self.totals, is_pending(self), figures);
        let head = (self.as_of, self.currency);
        Report::of("dashtam.report.lots/1", head, &self.missing, rows, totals)
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
    account: Option<&'a SafeText>,
    symbol: &'a SafeText,
    currency: Currency,
    opened: NaiveDate,
    quantity: String,
    cost: Option<String>,
    cost_base: Option<String>,
    value: Option<String>,
    unrealized: Option<String>,
    unrealized_base: Option<String>,
    unrealized_fx: Option<String>,
    term: Term,
    pending: bool,
}

fn json_row(row: &LotRow, figures: Figures) -> Row<'_> {
    Row {
        account: row.account.as_ref(),
        symbol: &row.symbol,
        currency: row.currency,
        opened: row.opened,
        quantity: figures.exact(row.quantity),
        cost: figures.maybe(row.cost),
        cost_base: figures.maybe(row.cost_base),
        value: figures.maybe(row.value),
        unrealized: figures.maybe(row.unrealized),
        unrealized_base: figures.maybe(row.unrealized_base),
        unrealized_fx: figures.maybe(row.unrealized_fx),
        term: row.term,
        pending: row.pending,
    }
}

const HEADER: [&str; 13] = [
    "account",
    "symbol",
    "currency",
    "opened",
    "quantity",
    "cost",
    "cost_base",
    "value",
    "unrealized",
    "unrealized_base",
    "unrealized_fx",
    "term",
    "pending",
];

fn csv_row(row: &LotRow, figures: Figures) -> Vec<Cell> {
    vec![
        Cell::text(row.account.as_ref()),
        Cell::Text(row.symbol.clone()),
        Cell::Plain(row.currency.to_string()),
        Cell::Plain(row.opened.to_string()),
        Cell::Plain(figures.exact(row.quantity)),
        Cell::plain(figures.maybe(row.cost)),
        Cell::plain(figures.maybe(row.cost_base)),
        Cell::plain(figures.maybe(row.value)),
        Cell::plain(figures.maybe(row.unrealized)),
        Cell::plain(figures.maybe(row.unrealized_base)),
        Cell::plain(figures.maybe(row.unrealized_fx)),
        Cell::Plain(row.term.to_string()),
        Cell::Plain(row.pending.to_string()),
    ]
}

fn table(report: &LotsReport, figures: Figures) -> Table {
    let base = report.currency;
    let mut table = Table::new(vec![
        Column::text("account", 10, 0),
        Column::text("symbol", 12, 0),
        Column::text("opened", 10, 1),
        Column::figure("quantity", 0),
        Column::figure("cost", 4),
        Column::text("", 3, 4),
        Column::figure(&format!("cost {base}"), 2),
        Column::gain(&format!("gain {base}"), 0),
        Column::gain("of it fx", 5),
        Column::text("term", 5, 3),
        Column::text("", 7, 0),
    ]);
    for row in &report.rows {
        table.row(vec![
            reports::place(row.account.as_ref()),
            row.symbol.clone(),
            SafeText::new(&row.opened.to_string()),
            figures.quantity(Some(row.quantity)),
            figures.money_or_unknown(row.cost, row.currency),
            SafeText::new(row.currency.code()),
            figures.money_or_unknown(row.cost_base, base),
            figures.gain(row.unrealized_base, base),
            figures.gain(row.unrealized_fx, base),
            SafeText::new(row.term.as_str()),
            reports::pending(row.pending),
        ]);
    }
    let nothing = SafeText::default;
    table.row(vec![
        SafeText::new("total"),
        reports::partial(&report.missing),
        nothing(),
        nothing(),
        nothing(),
        nothing(),
        figures.money_or_unknown(report.totals.cost_base, base),
        figures.gain(report.totals.unrealized_base, base),
        nothing(),
        nothing(),
        reports::pending(is_pending(report)),
    ]);
    table
}

/// Whether a total follows from a row that is not settled yet.
fn is_pending(report: &LotsReport) -> bool {
    report.rows.iter().any(|row| row.pending)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dec, SecurityId, TransactionId};
    use crate::report::HoldingTotals;

    const OPEN: Figures = Figures::plain(false);

    fn dec(text: &str) -> Option<Dec> {
        Dec::parse(text).ok()
    }

    /// 10 Y for 505 CAD at 0.76, worth 600 CAD at 0.8: of the gain of 96.2, 20.2 are the currency's.
    fn report() -> LotsReport {
        let row = LotRow {
            account: Some(SafeText::new("Broker CAD")),
            symbol: SafeText::new("Y"),
            security_id: SecurityId(1),
            currency: Currency::parse("CAD").unwrap(),
            opening: TransactionId(2),
            opened: "2024-01-03".parse().unwrap(),
            quantity: dec("10").unwrap(),
            cost: dec("505"),
            cost_base: dec("383.8"),
            value: dec("600"),
            unrealized: dec("95"),
            unrealized_base: dec("96.2"),
            unrealized_fx: dec("20.2"),
            term: Term::Short,
            pending: false,
        };
        LotsReport {
            as_of: "2024-01-31".parse().unwrap(),
            currency: Currency::USD,
            missing: Vec::new(),
            rows: vec![row],
            totals: HoldingTotals {
                value_base: dec("480"),
                cost_base: dec("383.8"),
                unrealized_base: dec("96.2"),
                realized_base: dec("0"),
            },
        }
    }

    #[test]
    fn the_table_has_the_cost_in_both_currencies() {
        let expected = "\
account     symbol  opened      quantity    cost       cost USD  gain USD  term
Broker CAD  Y       2024-01-03        10  505.00  CAD    383.80  ▲ +96.20  short
total                                                    383.80  ▲ +96.20
";
        let mut out = Vec::new();
        table(&report(), OPEN).write(&mut out, false).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn the_document_has_its_fields_in_the_order_of_csv() {
        let report = report();
        let row = report.rows.first().unwrap();
        let text = serde_json::to_string(&json_row(row, OPEN)).unwrap();
        assert_eq!(
            text,
            r#"{"account":"Broker CAD","symbol":"Y","currency":"CAD","opened":"2024-01-03","quantity":"10","cost":"505","cost_base":"383.8","value":"600","unrealized":"95","unrealized_base":"96.2","unrealized_fx":"20.2","term":"short","pending":false}"#
        );
        let fields: Vec<_> =
            HEADER.iter().map(|field| text.find(&format!("\"{field}\":"))).collect();
        assert!(fields.iter().all(Option::is_some) && fields.is_sorted(), "{text}");
        assert_eq!(csv_row(row, OPEN).len(), HEADER.len());
    }
}
