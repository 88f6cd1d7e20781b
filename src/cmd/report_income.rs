//! `report income`: what was received, and what may come.

use serde::Serialize;

use super::Job;
use super::cells::Cell;
use super::exit::{Error, Status};
use super::json::Report;
use super::reports::{self, Shown};
use super::table::{Column, Table};
use crate::cli::{self, IncomeArgs};
use crate::model::{Currency, Dec, SafeText, Subtype};
use crate::report::{
    self, IncomeBy, IncomeQuery, IncomeReport, IncomeRow, IncomeSums, Missing, NoYield, Yields,
};
use crate::service::Session;
use crate::text::{Figures, percent};

pub async fn run(job: &mut Job<'_>, session: &Session, args: &IncomeArgs) -> Result<Status, Error> {
    let query = IncomeQuery {
        from: args.from,
        to: reports::day(job, session, args.to),
        today: session.clock.today(),
        account: reports::account(session, args.scope.account.as_ref()).await?,
        currency: args.scope.currency,
        by: args.by.map(by),
    };
    reports::answer(
        job,
        session,
        &args.form,
        "amount_base",
        async |tx| report::income(tx, &query).await,
        async |tx, key| report::explain_income(tx, &query, key).await,
    )
    .await
}

const fn by(by: cli::IncomeBy) -> IncomeBy {
    match by {
        cli::IncomeBy::Month => IncomeBy::Month,
        cli::IncomeBy::Security => IncomeBy::Security,
        cli::IncomeBy::Account => IncomeBy::Account,
        cli::IncomeBy::Kind => IncomeBy::Kind,
    }
}

impl Shown for IncomeReport {
    const HEADER: &'static [&'static str] = &HEADER;

    fn document(&self, figures: Figures) -> impl Serialize {
        let rows = self.rows.iter().map(|row| json_row(row, figures));
        let totals = Totals {
            sums: Sums::of(&self.totals.sums, figures),
            yields: YieldsPart::of(Some(&self.totals.yields)),
        };
        let head = (self.as_of, self.currency);
        Report::of("dashtam.report.income/1", head, &self.missing, rows, totals)
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
    month: Option<&'a str>,
    account: Option<&'a SafeText>,
    symbol: Option<&'a SafeText>,
    kind: Option<Subtype>,
    amount: Option<String>,
    withheld: Option<String>,
    net: Option<String>,
    expected: Option<String>,
    currency: Option<Currency>,
    #[serde(flatten)]
    sums: Sums,
    #[serde(flatten)]
    yields: YieldsPart,
}

/// Figures in the base currency.
#[derive(Serialize)]
struct Sums {
    amount_base: Option<String>,
    withheld_base: Option<String>,
    net_base: Option<String>,
    expected_base: Option<String>,
    forecast: bool,
    pending: bool,
}

impl Sums {
    fn of(sums: &IncomeSums, figures: Figures) -> Self {
        Self {
            amount_base: figures.maybe(sums.amount),
            withheld_base: figures.maybe(sums.withheld),
            net_base: figures.maybe(sums.net),
            expected_base: figures.maybe(sums.expected),
            forecast: sums.forecast,
            pending: sums.pending,
        }
    }
}

/// Parts of a whole tell no amount, so they are never masked.
#[derive(Serialize)]
struct YieldsPart {
    yield_on_cost: Option<String>,
    yield_on_value: Option<String>,
    #[serde(skip_serializing_if = "Reasons::is_empty")]
    reasons: Reasons,
}

/// Why a yield is not known.
#[derive(Serialize)]
struct Reasons {
    #[serde(skip_serializing_if = "Option::is_none")]
    yield_on_cost: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    yield_on_value: Option<&'static str>,
}

impl Reasons {
    const fn is_empty(&self) -> bool {
        self.yield_on_cost.is_none() && self.yield_on_value.is_none()
    }
}

impl YieldsPart {
    fn of(yields: Option<&Yields>) -> Self {
        let (cost, value) = match yields {
            Some(yields) => (Some(yields.on_cost), Some(yields.on_value)),
            None => (None, None),
        };
        let known = |part: Option<Result<Dec, NoYield>>| part?.ok().map(|it| it.to_string());
        let why = |part: Option<Result<Dec, NoYield>>| part?.err().map(NoYield::as_str);
        Self {
            yield_on_cost: known(cost),
            yield_on_value: known(value),
            reasons: Reasons { yield_on_cost: why(cost), yield_on_value: why(value) },
        }
    }
}

#[derive(Serialize)]
struct Totals {
    #[serde(flatten)]
    sums: Sums,
    #[serde(flatten)]
    yields: YieldsPart,
}

fn json_row(row: &IncomeRow, figures: Figures) -> Row<'_> {
    Row {
        month: row.month.as_deref(),
        account: row.account.as_ref(),
        symbol: row.symbol.as_ref(),
        kind: row.kind,
        amount: figures.maybe(row.amount),
        withheld: figures.maybe(row.withheld),
        net: figures.maybe(row.net),
        expected: figures.maybe(row.expected),
        currency: row.currency,
        sums: Sums::of(&row.sums, figures),
        yields: YieldsPart::of(row.yields.as_ref()),
    }
}

const HEADER: [&str; 17] = [
    "month",
    "account",
    "symbol",
    "kind",
    "amount",
    "withheld",
    "net",
    "expected",
    "currency",
    "amount_base",
    "withheld_base",
    "net_base",
    "expected_base",
    "forecast",
    "pending",
    "yield_on_cost",
    "yield_on_value",
];

fn csv_row(row: &IncomeRow, figures: Figures) -> Vec<Cell> {
    let sums = Sums::of(&row.sums, figures);
    let yields = YieldsPart::of(row.yields.as_ref());
    vec![
        Cell::plain(row.month.as_ref()),
        Cell::text(row.account.as_ref()),
        Cell::text(row.symbol.as_ref()),
        Cell::plain(row.kind),
        Cell::plain(figures.maybe(row.amount)),
        Cell::plain(figures.maybe(row.withheld)),
        Cell::plain(figures.maybe(row.net)),
        Cell::plain(figures.maybe(row.expected)),
        Cell::plain(row.currency),
        Cell::plain(sums.amount_base),
        Cell::plain(sums.withheld_base),
        Cell::plain(sums.net_base),
        Cell::plain(sums.expected_base),
        Cell::Plain(sums.forecast.to_string()),
        Cell::Plain(sums.pending.to_string()),
        Cell::plain(yields.yield_on_cost),
        Cell::plain(yields.yield_on_value),
    ]
}

/// A column that tells what a row is about.
type Key = (Column, fn(&IncomeRow) -> SafeText);

/// What tells the rows apart.
fn keys(by: Option<IncomeBy>) -> Vec<Key> {
    let month: Key = (Column::text("month", 7, 0), |row| {
        SafeText::new(row.month.as_deref().unwrap_or_default())
    });
    let account: Key =
        (Column::text("account", 8, 0), |row| row.account.clone().unwrap_or_default());
    let symbol: Key = (Column::text("symbol", 8, 0), |row| match &row.symbol {
        Some(symbol) => symbol.clone(),
        None => SafeText::new("(cash)"),
    });
    let kind: Key =
        (Column::text("kind", 8, 0), |row| SafeText::new(row.kind.map_or("", Subtype::as_str)));
    match by {
        None => vec![month, account, symbol, kind],
        Some(IncomeBy::Month) => vec![month],
        Some(IncomeBy::Account) => vec![account],
        Some(IncomeBy::Security) => vec![symbol],
        Some(IncomeBy::Kind) => vec![kind],
    }
}

fn table(report: &IncomeReport, figures: Figures) -> Table {
    let base = report.currency;
    let (columns, keys): (Vec<_>, Vec<_>) = keys(report.by).into_iter().unzip();
    let money = [
        Column::figure(&format!("received {base}"), 0),
        Column::figure("withheld", 3),
        Column::figure("net", 4),
        Column::figure("expected", 0),
    ];
    let has_yields =
        report.by.is_some_and(|by| matches!(by, IncomeBy::Security | IncomeBy::Account));
    let yields = has_yields.then(|| ["on cost", "on value"].map(|title| Column::figure(title, 2)));
    let marks = [Column::text("", 17, 0)];
    let columns = columns.into_iter().chain(money).chain(yields.into_iter().flatten());
    let mut table = Table::new(columns.chain(marks).collect());
    let line =
        |words: Vec<SafeText>, sums: &IncomeSums, yields: Option<&Yields>, marks: SafeText| {
            let money = [sums.amount, sums.withheld, sums.net, sums.expected];
            let money = money.map(|money| figures.money_or_unknown(money, base));
            let parts = yields.map(|it| [it.on_cost.ok(), it.on_value.ok()].map(percent));
            // Cash has no cost.
            let parts = has_yields.then(|| parts.unwrap_or_default());
            let all = words.into_iter().chain(money).chain(parts.into_iter().flatten());
            all.chain([marks]).collect::<Vec<_>>()
        };
    for row in &report.rows {
        let words = keys.iter().map(|key| key(row)).collect();
        let marks = row_marks(&row.sums);
        table.row(line(words, &row.sums, row.yields.as_ref(), marks));
    }
    let mut words = vec![SafeText::default(); keys.len()];
    if let Some(first) = words.first_mut() {
        *first = SafeText::new("total");
    }
    let totals = &report.totals;
    let marks = reports::marks(&report.missing, totals.sums.pending);
    table.row(line(words, &totals.sums, Some(&totals.yields), marks));
    table
}

/// That something is not settled yet, or not more than expected.
fn row_marks(sums: &IncomeSums) -> SafeText {
    let marks = [sums.forecast.then_some("forecast"), sums.pending.then_some("pending")];
    SafeText::new(&marks.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::IncomeTotals;

    const OPEN: Figures = Figures::plain(false);

    fn dec(text: &str) -> Option<Dec> {
        Dec::parse(text).ok()
    }

    fn row(month: &str, amount: &str, expected: &str) -> IncomeRow {
        let (amount, expected, zero) = (dec(amount), dec(expected), dec("0"));
        let forecast = expected != zero;
        let sums =
            IncomeSums { amount, withheld: zero, net: amount, expected, forecast, pending: false };
        IncomeRow {
            month: Some(month.to_owned()),
            account: Some(SafeText::new("Broker")),
            symbol: None,
            kind: Some(Subtype::Interest),
            currency: Some(Currency::USD),
            amount,
            withheld: zero,
            net: amount,
            expected,
            sums,
            yields: None,
        }
    }

    fn report() -> IncomeReport {
        let yields = Yields {
            paid: dec("5"),
            cost: None,
            value: dec("100"),
            on_cost: Err(NoYield::MissingCost),
            on_value: Ok(dec("0.05").unwrap()),
        };
        let rows = vec![row("2024-01", "1234.5", "0"), row("2025-01", "0", "1234.5")];
        let (amount, zero) = (dec("1234.5"), dec("0"));
        let sums = IncomeSums {
            amount,
            withheld: zero,
            net: amount,
            expected: amount,
            forecast: true,
            pending: false,
        };
        IncomeReport {
            as_of: "2024-03-01".parse().unwrap(),
            currency: Currency::USD,
            by: None,
            missing: Vec::new(),
            rows,
            totals: IncomeTotals { sums, yields },
        }
    }

    #[test]
    fn what_may_come_stands_apart_and_says_so() {
        let mut out = Vec::new();
        report().table(OPEN).write(&mut out, false).unwrap();
        let out = String::from_utf8(out).unwrap();
        let lines: Vec<_> = out.lines().collect();
        assert!(lines[1].starts_with("2024-01  Broker   (cash)  interest       1234.50"), "{out}");
        assert!(lines[2].ends_with("1234.50  forecast") && lines[2].contains(" 0.00"), "{out}");
        assert!(lines[3].starts_with("total"), "{out}");
    }

    #[test]
    fn a_masked_report_keeps_its_yields() {
        let document = serde_json::to_string(&report().document(Figures::plain(true))).unwrap();
        assert!(!document.contains("1234.5") && document.contains("0.05"), "{document}");
        assert!(document.contains(r#""reasons":{"yield_on_cost":"missing_cost"}"#), "{document}");
    }

    #[test]
    fn csv_has_the_fields_of_the_document_in_its_order() {
        for row in &report().rows {
            assert_eq!(csv_row(row, OPEN).len(), HEADER.len());
            let text = serde_json::to_string(&json_row(row, OPEN)).unwrap();
            let places: Vec<_> =
                HEADER.iter().map(|field| text.find(&format!("\"{field}\":")).unwrap()).collect();
            assert!(places.is_sorted(), "{text}");
        }
    }
}
