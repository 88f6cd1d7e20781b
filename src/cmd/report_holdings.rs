//! `report holdings`: what is held of each security, what it cost and what it is worth.

use chrono::NaiveDate;
use serde::Serialize;

use super::Job;
use super::cells::Cell;
use super::exit::{Error, Status};
use super::json::Report;
use super::reports::{self, Shown};
use super::table::{Column, Table};
use crate::cli::HoldingsArgs;
use crate::model::{AssetClass, Currency, LotMethod, SafeText, SecurityId};
use crate::report::{self, HoldingRow, HoldingTotals, HoldingsReport, Missing};
use crate::service::Session;
use crate::text::{Figures, percent};

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    args: &HoldingsArgs,
) -> Result<Status, Error> {
    let query = reports::positions(job, session, &args.scope, args.method, args.closed).await?;
    reports::answer(
        job,
        session,
        &args.form,
        "value_base",
        async |tx| report::holdings(tx, &query).await,
        async |tx, key| report::explain_holding(tx, &query, key).await,
    )
    .await
}

impl Shown for HoldingsReport {
    const HEADER: &'static [&'static str] = &HEADER;

    fn document(&self, figures: Figures) -> impl Serialize {
        let rows = self.rows.iter().map(|row| json_row(row, figures));
        let totals = Totals::of(&self.totals, is_pending(self), figures);
        let head = (self.as_of, self.currency);
        Report::of("dashtam.report.holdings/1", head, &self.missing, rows, totals)
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
    security_id: SecurityId,
    name: Option<&'a SafeText>,
    asset_class: Option<AssetClass>,
    currency: Currency,
    quantity: String,
    price: Option<String>,
    price_date: Option<NaiveDate>,
    price_source: Option<&'a SafeText>,
    stale: bool,
    value: Option<String>,
    value_base: Option<String>,
    cost: Option<String>,
    cost_base: Option<String>,
    unrealized: Option<String>,
    unrealized_base: Option<String>,
    realized: Option<String>,
    realized_base: Option<String>,
    income: Option<String>,
    weight: Option<String>,
    method: LotMethod,
    pending: bool,
    closed: bool,
}

/// What holdings and lots add up to.
#[derive(Serialize)]
pub struct Totals {
    value_base: Option<String>,
    cost_base: Option<String>,
    unrealized_base: Option<String>,
    realized_base: Option<String>,
    pending: bool,
}

impl Totals {
    pub fn of(totals: &HoldingTotals, pending: bool, figures: Figures) -> Self {
        Self {
            value_base: figures.maybe(totals.value_base),
            cost_base: figures.maybe(totals.cost_base),
            unrealized_base: figures.maybe(totals.unrealized_base),
            realized_base: figures.maybe(totals.realized_base),
            pending,
        }
    }
}

fn json_row(row: &HoldingRow, figures: Figures) -> Row<'_> {
    Row {
        account: row.account.as_ref(),
        symbol: &row.symbol,
        security_id: row.security_id,
        name: row.name.as_ref(),
        asset_class: row.asset_class,
        currency: row.currency,
        quantity: figures.exact(row.quantity),
        price: figures.maybe(row.price),
        price_date: row.price_date,
        price_source: row.price_source.as_ref(),
        stale: row.stale,
        value: figures.maybe(row.value),
        value_base: figures.maybe(row.value_base),
        cost: figures.maybe(row.cost),
        cost_base: figures.maybe(row.cost_base),
        unrealized: figures.maybe(row.unrealized),
        unrealized_base: figures.maybe(row.unrealized_base),
        realized: figures.maybe(row.realized),
        realized_base: figures.maybe(row.realized_base),
        income: figures.maybe(row.income),
        // A part of the whole tells no amount.
        weight: row.weight.map(|weight| weight.to_string()),
        method: row.method,
        pending: row.pending,
        closed: row.closed,
    }
}

const HEADER: [&str; 24] = [
    "account",
    "symbol",
    "security_id",
    "name",
    "asset_class",
    "currency",
    "quantity",
    "price",
    "price_date",
    "price_source",
    "stale",
    "value",
    "value_base",
    "cost",
    "cost_base",
    "unrealized",
    "unrealized_base",
    "realized",
    "realized_base",
    "income",
    "weight",
    "method",
    "pending",
    "closed",
];

fn csv_row(row: &HoldingRow, figures: Figures) -> Vec<Cell> {
    vec![
        Cell::text(row.account.as_ref()),
        Cell::Text(row.symbol.clone()),
        Cell::Plain(row.security_id.to_string()),
        Cell::text(row.name.as_ref()),
        Cell::plain(row.asset_class),
        Cell::Plain(row.currency.to_string()),
        Cell::Plain(figures.exact(row.quantity)),
        Cell::plain(figures.maybe(row.price)),
        Cell::plain(row.price_date),
        Cell::text(row.price_source.as_ref()),
        Cell::Plain(row.stale.to_string()),
        Cell::plain(figures.maybe(row.value)),
        Cell::plain(figures.maybe(row.value_base)),
        Cell::plain(figures.maybe(row.cost)),
        Cell::plain(figures.maybe(row.cost_base)),
        Cell::plain(figures.maybe(row.unrealized)),
        Cell::plain(figures.maybe(row.unrealized_base)),
        Cell::plain(figures.maybe(row.realized)),
        Cell::plain(figures.maybe(row.realized_base)),
        Cell::plain(figures.maybe(row.income)),
        Cell::plain(row.weight),
        Cell::Plain(row.method.to_string()),
        Cell::Plain(row.pending.to_string()),
        Cell::Plain(row.closed.to_string()),
    ]
}

fn table(report: &HoldingsReport, figures: Figures) -> Table {
    let base = report.currency;
    let mut table = Table::new(vec![
        Column::text("account", 10, 0),
        Column::text("symbol", 12, 0),
        Column::figure("quantity", 2),
        Column::figure("price", 3),
        Column::text("", 3, 3),
        Column::text("", 14, 0),
        Column::figure(&format!("value {base}"), 0),
        Column::figure("weight", 4),
        Column::figure(&format!("cost {base}"), 5),
        Column::gain(&format!("gain {base}"), 0),
        Column::gain(&format!("realized {base}"), 6),
    ]);
    for row in &report.rows {
        table.row(vec![
            reports::place(row.account.as_ref()),
            row.symbol.clone(),
            figures.quantity(Some(row.quantity)),
            figures.price(row.price, row.currency),
            SafeText::new(row.currency.code()),
            SafeText::new(&marks(row, report.as_of)),
            figures.money_or_unknown(row.value_base, base),
            percent(row.weight),
            figures.money_or_unknown(row.cost_base, base),
            figures.gain(row.unrealized_base, base),
            figures.gain(row.realized_base, base),
        ]);
    }
    let nothing = SafeText::default;
    let totals = &report.totals;
    table.row(vec![
        SafeText::new("total"),
        reports::partial(&report.missing),
        nothing(),
        nothing(),
        nothing(),
        reports::pending(is_pending(report)),
        figures.money_or_unknown(totals.value_base, base),
        nothing(),
        figures.money_or_unknown(totals.cost_base, base),
        figures.gain(totals.unrealized_base, base),
        figures.gain(totals.realized_base, base),
    ]);
    table
}

/// Whether a total follows from a row that is not settled yet.
fn is_pending(report: &HoldingsReport) -> bool {
    report.rows.iter().any(|row| row.pending && !row.closed)
}

/// The age of a price that is older than it should be, what is not settled yet, and what no sum
/// counts.
fn marks(row: &HoldingRow, as_of: NaiveDate) -> String {
    let age = row.price_date.filter(|_| row.stale);
    let age = age.map(|date| format!("{}d", as_of.signed_duration_since(date).num_days()));
    let pending = row.pending.then(|| "pending".to_owned());
    let closed = row.closed.then(|| "closed".to_owned());
    [age, pending, closed].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Dec;
    use crate::report::Missing;

    const OPEN: Figures = Figures::plain(false);

    fn dec(text: &str) -> Option<Dec> {
        Dec::parse(text).ok()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn held(symbol: &str, quantity: &str) -> HoldingRow {
        HoldingRow {
            account: Some(SafeText::new("Broker")),
            symbol: SafeText::new(symbol),
            security_id: SecurityId(1),
            name: None,
            asset_class: None,
            currency: Currency::USD,
            quantity: dec(quantity).unwrap(),
            price: None,
            price_date: None,
            price_source: None,
            stale: false,
            value: None,
            value_base: None,
            cost: None,
            cost_base: None,
            unrealized: None,
            unrealized_base: None,
            realized: dec("0"),
            realized_base: dec("0"),
            income: dec("0"),
            weight: None,
            method: LotMethod::Fifo,
            pending: false,
            closed: false,
        }
    }

    /// 30 X of cost 363 at 14, the price four days old, and 50 of something without a price.
    fn report() -> HoldingsReport {
        let x = HoldingRow {
            price: dec("14"),
            price_date: Some(day("2024-03-24")),
            price_source: Some(SafeText::new("file")),
            stale: true,
            value: dec("420"),
            value_base: dec("420"),
            cost: dec("363"),
            cost_base: dec("363"),
            unrealized: dec("57"),
            unrealized_base: dec("57"),
            weight: dec("1"),
            ..held("X", "30")
        };
        let foo = HoldingRow { cost: dec("500"), cost_base: dec("500"), ..held("FOO", "0.5") };
        HoldingsReport {
            as_of: day("2024-03-28"),
            currency: Currency::USD,
            missing: vec![Missing {
                what: "price",
                security: Some(SafeText::new("FOO")),
                pair: None,
                account: None,
                date: Some(day("2024-03-28")),
            }],
            rows: vec![foo, x],
            totals: HoldingTotals {
                value_base: dec("420"),
                cost_base: dec("863"),
                unrealized_base: dec("57"),
                realized_base: dec("0"),
            },
        }
    }

    fn shown(report: &HoldingsReport, figures: Figures) -> String {
        let mut out = Vec::new();
        table(report, figures).write(&mut out, false).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_table_shows_ages_gains_and_what_is_unknown() {
        let expected = "\
account  symbol   quantity  price           value USD   weight  gain USD
Broker   FOO           0.5    n/a  USD            n/a      n/a       n/a
Broker   X            30    14.00  USD  4d     420.00  100.0 %  ▲ +57.00
total    partial                               420.00           ▲ +57.00
";
        assert_eq!(shown(&report(), OPEN), expected);
    }

    #[test]
    fn a_masked_table_keeps_the_weights() {
        let text = shown(&report(), Figures::plain(true));
        assert!(text.contains("•••") && text.contains("100.0 %"), "{text}");
        for figure in ["420", "57", "30", "14.00", "▲"] {
            assert!(!text.contains(figure), "{figure}: {text}");
        }
    }

    #[test]
    fn the_document_has_null_where_nothing_is_known() {
        let document = serde_json::to_value(report().document(OPEN)).unwrap();
        assert_eq!(document["partial"], true);
        assert_eq!(document["missing"][0]["security"], "FOO");
        let foo = &document["rows"][0];
        for field in ["price", "price_date", "value", "value_base", "unrealized", "weight"] {
            assert!(foo[field].is_null(), "{field}");
        }
        assert_eq!((&foo["quantity"], &foo["cost"]), (&"0.5".into(), &"500".into()));
        assert_eq!(document["totals"]["cost_base"], "863");
    }

    #[test]
    fn csv_has_the_fields_of_the_document_in_its_order() {
        let report = report();
        for row in &report.rows {
            assert_eq!(csv_row(row, OPEN).len(), HEADER.len());
            let text = serde_json::to_string(&json_row(row, OPEN)).unwrap();
            let places: Vec<_> =
                HEADER.iter().map(|field| text.find(&format!("\"{field}\":")).unwrap()).collect();
            assert!(places.is_sorted(), "{text}");
        }
    }
}
