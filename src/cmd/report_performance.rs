//! `report performance`: what was made of what was put in, and from what.

use chrono::NaiveDate;
use serde::Serialize;

use super::Job;
use super::cells::Cell;
use super::exit::{Error, Status};
use super::json::{Report, Totals};
use super::report_net_worth::every;
use super::reports::{self, Shown};
use super::table::{Column, Table};
use crate::analytics::returns::Drawdown;
use crate::cli::{Part, PerformanceArgs};
use crate::model::{Currency, Dec, SafeText};
use crate::report::{
    self, By, Missing, Nothing, PerformanceQuery, PerformanceReport, PerformanceRow, Period,
    Reasons, Yardstick,
};
use crate::service::Session;
use crate::service::edit::security_named;
use crate::store::Tx;
use crate::text::{Figures, percent};

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    args: &PerformanceArgs,
) -> Result<Status, Error> {
    let benchmark = match &args.benchmark {
        Some(symbol) => Some(security_named(session, symbol.as_str()).await?.id),
        None => None,
    };
    let query = PerformanceQuery {
        from: args.from,
        to: reports::day(job, session, args.to),
        today: session.clock.today(),
        account: reports::account(session, args.scope.account.as_ref()).await?,
        currency: args.scope.currency,
        method: args.method,
        by: by(args.by),
        every: args.every.map(every),
        benchmark,
    };
    let report = async |tx: &mut Tx| {
        let report = report::performance(tx, &query).await?;
        Ok(Lines { report, in_parts: query.every.is_some() })
    };
    let explain =
        async |tx: &mut Tx, key: &SafeText| report::explain_performance(tx, &query, key).await;
    reports::answer(job, session, &args.form, "gain", report, explain).await
}

const fn by(part: Part) -> By {
    match part {
        Part::All => By::All,
        Part::Account => By::Account,
        Part::Holding => By::Holding,
        Part::Lot => By::Lot,
        Part::Class => By::Class,
    }
}

/// The report as it is shown.
struct Lines {
    report: PerformanceReport,
    /// A line for each part of the span.
    in_parts: bool,
}

impl Shown for Lines {
    const HEADER: &'static [&'static str] = &HEADER;

    fn header(&self) -> &'static [&'static str] {
        if self.in_parts { &PARTS_HEADER } else { Self::HEADER }
    }

    fn document(&self, figures: Figures) -> impl Serialize {
        let report = &self.report;
        let rows = report.rows.iter().map(|row| json_row(row, figures));
        let head = (report.as_of, report.currency);
        let schema = "dashtam.report.performance/1";
        let report = Report::of(schema, head, &report.missing, rows, Totals {});
        let nothing = self.report.nothing.map(|why| Reasons::from([("rows", why.as_str())]));
        Document { report, left_out: &self.report.left_out, reasons: nothing }
    }

    fn cells(&self, figures: Figures) -> impl Iterator<Item = Vec<Cell>> {
        self.report.rows.iter().flat_map(move |row| match self.in_parts {
            true => row.periods.iter().map(|period| csv_part(row, period, figures)).collect(),
            false => vec![csv_row(row, figures)],
        })
    }

    fn table(&self, figures: Figures) -> Table {
        let report = &self.report;
        if let Some(why) = report.nothing {
            let mut table = Table::new(vec![Column::text("performance", 0, 0)]);
            table.row(vec![SafeText::new(&no_rows(why, report.as_of))]);
            return table;
        }
        match report.rows.as_slice() {
            [row] if row.periods.is_empty() => one(row, figures, report.currency),
            rows if rows.iter().any(|row| !row.periods.is_empty()) => {
                periods(rows, figures, report.currency)
            }
            rows => many(rows, figures, report.currency),
        }
    }

    fn missing(&self) -> &[Missing] {
        &self.report.missing
    }

    fn notes(&self) -> Vec<String> {
        let names = &self.report.left_out;
        let note = format!("left out of performance: {}", in_words(names));
        if names.is_empty() { Vec::new() } else { vec![note] }
    }
}

fn in_words(names: &[SafeText]) -> String {
    names.iter().map(SafeText::as_str).collect::<Vec<_>>().join(", ")
}

/// The envelope, and where there are no rows why.
#[derive(Serialize)]
struct Document<'a, R> {
    #[serde(flatten)]
    report: R,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    left_out: &'a [SafeText],
    #[serde(skip_serializing_if = "Option::is_none")]
    reasons: Option<Reasons>,
}

/// Why there is no row, in words.
fn no_rows(why: Nothing, to: NaiveDate) -> String {
    match why {
        Nothing::NoInvestingAccount => {
            "no account invests; `--account` or `--by class` tells of the others".to_owned()
        }
        Nothing::NotYet => format!("nothing was invested by {to}"),
    }
}

#[derive(Serialize)]
struct Row<'a> {
    scope: &'a SafeText,
    accounts: &'a [SafeText],
    from: NaiveDate,
    to: NaiveDate,
    twr: Option<String>,
    twr_annualized: Option<String>,
    xirr: Option<String>,
    gain: Option<String>,
    gain_price: Option<String>,
    gain_fx: Option<String>,
    gain_income: Option<String>,
    gain_fees: Option<String>,
    gain_taxes: Option<String>,
    flows_in: Option<String>,
    flows_out: Option<String>,
    start_value: Option<String>,
    end_value: Option<String>,
    volatility: Option<String>,
    sharpe: Option<String>,
    max_drawdown: Option<Fall>,
    days_skipped: u64,
    days_unvalued: u64,
    pending: bool,
    reasons: &'a Reasons,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    periods: Vec<JsonPeriod<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    benchmark: Option<JsonYardstick<'a>>,
}

#[derive(Serialize)]
struct Fall {
    depth: Option<String>,
    start: Option<NaiveDate>,
    trough: Option<NaiveDate>,
    recovered: Option<NaiveDate>,
}

#[derive(Serialize)]
struct JsonPeriod<'a> {
    from: NaiveDate,
    to: NaiveDate,
    twr: Option<String>,
    gain: Option<String>,
    flows: Option<String>,
    end_value: Option<String>,
    #[serde(skip_serializing_if = "Reasons::is_empty")]
    reasons: &'a Reasons,
}

#[derive(Serialize)]
struct JsonYardstick<'a> {
    symbol: &'a SafeText,
    twr: Option<String>,
    twr_annualized: Option<String>,
    end_value: Option<String>,
    gain: Option<String>,
    xirr: Option<String>,
    reasons: &'a Reasons,
}

/// A ratio tells nothing of amounts, so it is never masked.
fn ratio(value: Option<Dec>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn depth(fall: &Drawdown) -> Option<String> {
    ratio(report::ratio(fall.depth))
}

fn json_row(row: &PerformanceRow, figures: Figures) -> Row<'_> {
    Row {
        scope: &row.scope,
        accounts: &row.accounts,
        from: row.from,
        to: row.to,
        twr: ratio(row.twr),
        twr_annualized: ratio(row.twr_annualized),
        xirr: ratio(row.xirr),
        gain: figures.maybe(row.gain),
        gain_price: figures.maybe(row.gain_price),
        gain_fx: figures.maybe(row.gain_fx),
        gain_income: figures.maybe(row.gain_income),
        gain_fees: figures.maybe(row.gain_fees),
        gain_taxes: figures.maybe(row.gain_taxes),
        flows_in: figures.maybe(row.flows_in),
        flows_out: figures.maybe(row.flows_out),
        start_value: figures.maybe(row.start_value),
        end_value: figures.maybe(row.end_value),
        volatility: ratio(row.volatility),
        sharpe: ratio(row.sharpe),
        max_drawdown: row.max_drawdown.as_ref().map(|fall| Fall {
            depth: depth(fall),
            start: fall.start,
            trough: fall.trough,
            recovered: fall.recovered,
        }),
        days_skipped: row.days_skipped,
        days_unvalued: row.days_unvalued,
        pending: row.pending,
        reasons: &row.reasons,
        periods: row.periods.iter().map(|period| json_period(period, figures)).collect(),
        benchmark: row.benchmark.as_ref().map(|yardstick| json_yardstick(yardstick, figures)),
    }
}

fn json_period(period: &Period, figures: Figures) -> JsonPeriod<'_> {
    JsonPeriod {
        from: period.from,
        to: period.to,
        twr: ratio(period.twr),
        gain: figures.maybe(period.gain),
        flows: figures.maybe(period.flows),
        end_value: figures.maybe(period.end_value),
        reasons: &period.reasons,
    }
}

fn json_yardstick(yardstick: &Yardstick, figures: Figures) -> JsonYardstick<'_> {
    JsonYardstick {
        symbol: &yardstick.symbol,
        twr: ratio(yardstick.twr),
        twr_annualized: ratio(yardstick.twr_annualized),
        end_value: figures.maybe(yardstick.end_value),
        gain: figures.maybe(yardstick.gain),
        xirr: ratio(yardstick.xirr),
        reasons: &yardstick.reasons,
    }
}

/// A part of the span.
const PARTS_HEADER: [&str; 8] =
    ["scope", "accounts", "from", "to", "twr", "gain", "flows", "end_value"];

fn csv_part(row: &PerformanceRow, period: &Period, figures: Figures) -> Vec<Cell> {
    vec![
        Cell::Text(row.scope.clone()),
        accounts(row),
        Cell::Plain(period.from.to_string()),
        Cell::Plain(period.to.to_string()),
        Cell::plain(period.twr),
        Cell::plain(figures.maybe(period.gain)),
        Cell::plain(figures.maybe(period.flows)),
        Cell::plain(figures.maybe(period.end_value)),
    ]
}

fn accounts(row: &PerformanceRow) -> Cell {
    let accounts: Vec<_> = row.accounts.iter().map(SafeText::as_str).collect();
    Cell::Text(SafeText::new(&accounts.join("; ")))
}

const HEADER: [&str; 33] = [
    "scope",
    "accounts",
    "from",
    "to",
    "twr",
    "twr_annualized",
    "xirr",
    "gain",
    "gain_price",
    "gain_fx",
    "gain_income",
    "gain_fees",
    "gain_taxes",
    "flows_in",
    "flows_out",
    "start_value",
    "end_value",
    "volatility",
    "sharpe",
    "max_drawdown",
    "drawdown_start",
    "drawdown_trough",
    "drawdown_recovered",
    "days_skipped",
    "days_unvalued",
    "pending",
    "reasons",
    "benchmark",
    "benchmark_twr",
    "benchmark_twr_annualized",
    "benchmark_end_value",
    "benchmark_gain",
    "benchmark_xirr",
];

fn csv_row(row: &PerformanceRow, figures: Figures) -> Vec<Cell> {
    let reasons: Vec<_> = row.reasons.iter().map(|(of, why)| format!("{of}: {why}")).collect();
    let fall = row.max_drawdown.as_ref();
    let yardstick = row.benchmark.as_ref();
    vec![
        Cell::Text(row.scope.clone()),
        accounts(row),
        Cell::Plain(row.from.to_string()),
        Cell::Plain(row.to.to_string()),
        Cell::plain(row.twr),
        Cell::plain(row.twr_annualized),
        Cell::plain(row.xirr),
        Cell::plain(figures.maybe(row.gain)),
        Cell::plain(figures.maybe(row.gain_price)),
        Cell::plain(figures.maybe(row.gain_fx)),
        Cell::plain(figures.maybe(row.gain_income)),
        Cell::plain(figures.maybe(row.gain_fees)),
        Cell::plain(figures.maybe(row.gain_taxes)),
        Cell::plain(figures.maybe(row.flows_in)),
        Cell::plain(figures.maybe(row.flows_out)),
        Cell::plain(figures.maybe(row.start_value)),
        Cell::plain(figures.maybe(row.end_value)),
        Cell::plain(row.volatility),
        Cell::plain(row.sharpe),
        Cell::plain(fall.and_then(depth)),
        Cell::plain(fall.and_then(|fall| fall.start)),
        Cell::plain(fall.and_then(|fall| fall.trough)),
        Cell::plain(fall.and_then(|fall| fall.recovered)),
        Cell::Plain(row.days_skipped.to_string()),
        Cell::Plain(row.days_unvalued.to_string()),
        Cell::Plain(row.pending.to_string()),
        Cell::Plain(reasons.join("; ")),
        Cell::text(yardstick.map(|yardstick| &yardstick.symbol)),
        Cell::plain(yardstick.and_then(|yardstick| yardstick.twr)),
        Cell::plain(yardstick.and_then(|yardstick| yardstick.twr_annualized)),
        Cell::plain(yardstick.and_then(|yardstick| figures.maybe(yardstick.end_value))),
        Cell::plain(yardstick.and_then(|yardstick| figures.maybe(yardstick.gain))),
        Cell::plain(yardstick.and_then(|yardstick| yardstick.xirr)),
    ]
}

/// Why a figure is not known, in words.
fn reason(reasons: &Reasons, of: &str) -> SafeText {
    SafeText::new(&reasons.get(of).copied().unwrap_or("").replace('_', " "))
}

/// One scope, a line for each figure.
fn one(row: &PerformanceRow, figures: Figures, base: Currency) -> Table {
    let mut table = Table::new(vec![
        Column::text("figure", 14, 0),
        Column::gain(&format!("{base} or %"), 0),
        Column::text("", 20, 0),
    ]);
    let why = |of| reason(&row.reasons, of);
    let mut line = |name: &str, value: SafeText, note: SafeText| {
        table.row(vec![SafeText::new(name), value, note]);
    };
    let money = |value| figures.money_or_unknown(value, base);
    let accounts: Vec<_> = row.accounts.iter().map(SafeText::as_str).collect();
    let span = SafeText::new(&format!("{} to {}", row.from, row.to));
    line(row.scope.as_str(), SafeText::default(), span);
    line("accounts", SafeText::default(), SafeText::new(&accounts.join(", ")));
    if row.pending {
        line("", SafeText::default(), reports::pending(true));
    }
    line("start value", money(row.start_value), why("start_value"));
    line("came in", money(row.flows_in), why("flows_in"));
    line("went out", money(row.flows_out), why("flows_out"));
    line("gain", figures.gain(row.gain, base), why("gain"));
    line("  price", figures.gain(row.gain_price, base), why("gain_price"));
    line("  currency", figures.gain(row.gain_fx, base), why("gain_fx"));
    line("  income", figures.gain(row.gain_income, base), why("gain_income"));
    line("  fees", figures.gain(row.gain_fees, base), why("gain_fees"));
    line("  taxes", figures.gain(row.gain_taxes, base), why("gain_taxes"));
    line("end value", money(row.end_value), why("end_value"));
    line("return", percent(row.twr), why("twr"));
    line("  by the year", percent(row.twr_annualized), why("twr_annualized"));
    line("of money, by the year", percent(row.xirr), why("xirr"));
    line("volatility", percent(row.volatility), why("volatility"));
    let sharpe = row.sharpe.map(|sharpe| sharpe.round_to(2).to_string());
    let sharpe = sharpe.map_or_else(crate::text::unknown, |sharpe| SafeText::new(&sharpe));
    line("sharpe ratio", sharpe, why("sharpe"));
    let fall = row.max_drawdown.as_ref();
    let note = fall.map_or_else(|| why("max_drawdown"), |fall| SafeText::new(&course_of(fall)));
    line("deepest fall", percent(fall.and_then(|fall| report::ratio(fall.depth))), note);
    let days = |days: u64| SafeText::new(&format!("{days} days"));
    if row.days_unvalued > 0 {
        line("without a value", SafeText::default(), days(row.days_unvalued));
    }
    if row.days_skipped > 0 {
        line("nothing invested", SafeText::default(), days(row.days_skipped));
    }
    if let Some(yardstick) = &row.benchmark {
        let why = |of| reason(&yardstick.reasons, of);
        line(yardstick.symbol.as_str(), SafeText::default(), SafeText::default());
        line("  return", percent(yardstick.twr), why("twr"));
        line("  same flows", money(yardstick.end_value), why("end_value"));
        line("  gain", figures.gain(yardstick.gain, base), why("gain"));
        line("  of money, by the year", percent(yardstick.xirr), why("xirr"));
    }
    table
}

/// `2024-01-02 to 2024-03-01, over on 2024-05-06`.
fn course_of(fall: &Drawdown) -> String {
    let (Some(start), Some(trough)) = (fall.start, fall.trough) else { return String::new() };
    match fall.recovered {
        Some(day) => format!("{start} to {trough}, over on {day}"),
        None => format!("{start} to {trough}, not over"),
    }
}

/// A line for each scope.
fn many(rows: &[PerformanceRow], figures: Figures, base: Currency) -> Table {
    let mut table = Table::new(vec![
        Column::text("account", 10, 2),
        Column::text("of", 8, 0),
        Column::figure(&format!("value {base}"), 4),
        Column::gain("gain", 0),
        Column::gain("price", 6),
        Column::gain("fx", 7),
        Column::gain("income", 8),
        Column::gain("fees", 9),
        Column::gain("taxes", 9),
        Column::figure("return", 0),
        Column::figure("of money", 1),
        Column::figure("fall", 5),
        Column::text("", 7, 3),
    ]);
    for row in rows {
        let account = match row.accounts.as_slice() {
            [account] if *account != row.scope => account.clone(),
            _ => SafeText::default(),
        };
        let gain = |value| figures.gain(value, base);
        let fall = row.max_drawdown.as_ref().and_then(|fall| report::ratio(fall.depth));
        table.row(vec![
            account,
            row.scope.clone(),
            figures.money_or_unknown(row.end_value, base),
            gain(row.gain),
            gain(row.gain_price),
            gain(row.gain_fx),
            gain(row.gain_income),
            gain(row.gain_fees),
            gain(row.gain_taxes),
            percent(row.twr),
            percent(row.xirr),
            percent(fall),
            reports::pending(row.pending),
        ]);
    }
    table
}

/// A line for each part of the span.
fn periods(rows: &[PerformanceRow], figures: Figures, base: Currency) -> Table {
    let mut table = Table::new(vec![
        Column::text("of", 8, 1),
        Column::text("from", 10, 2),
        Column::text("to", 10, 0),
        Column::figure("flows", 3),
        Column::gain(&format!("gain {base}"), 0),
        Column::figure("return", 0),
        Column::figure("value", 0),
    ]);
    for row in rows {
        for period in &row.periods {
            table.row(vec![
                row.scope.clone(),
                SafeText::new(&period.from.to_string()),
                SafeText::new(&period.to.to_string()),
                figures.money_or_unknown(period.flows, base),
                figures.gain(period.gain, base),
                percent(period.twr),
                figures.money_or_unknown(period.end_value, base),
            ]);
        }
    }
    table
}
