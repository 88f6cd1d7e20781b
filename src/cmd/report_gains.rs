//! `report gains`: what sales gained or lost, one line for each lot that they closed.

use chrono::NaiveDate;
use serde::Serialize;

use super::Job;
use super::cells::Cell;
use super::exit::{Error, Status};
use super::json::Report;
use super::reports::{self, Shown};
use super::table::{Column, Table};
use crate::cli::GainsArgs;
use crate::model::{Currency, LotMethod, SafeText, Term};
use crate::report::{self, GainRow, GainTotals, GainsQuery, GainsReport, Missing};
use crate::service::Session;
use crate::store::Tx;
use crate::text::Figures;

pub async fn run(job: &mut Job<'_>, session: &Session, args: &GainsArgs) -> Result<Status, Error> {
    let (from, to) = span(args, reports::day(job, session, args.to))?;
    let account = reports::account(session, args.scope.account.as_ref()).await?;
    let query =
        GainsQuery { from, to, account, currency: args.scope.currency, method: args.method };
    if args.compare_methods && args.form.explain.is_none() {
        let mut tx = session.store.read().await?;
        let report = report::compare_methods(&mut tx, &query).await?;
        drop(tx);
        reports::print(job, &report, args.form.csv)?;
        return Ok(Status::Done);
    }
    let sales = async |tx: &mut Tx| {
        Ok(Sales::new(report::gains(tx, &query).await?, args.tax_year.is_some()))
    };
    let explain = async |tx: &mut Tx, key: &SafeText| report::explain_gains(tx, &query, key).await;
    reports::answer(job, session, &args.form, "gain_base", sales, explain).await
}

/// The first and the last day that were asked for.
fn span(args: &GainsArgs, to: NaiveDate) -> Result<(Option<NaiveDate>, NaiveDate), Error> {
    let Some(year) = args.tax_year else { return Ok((args.from, to)) };
    let first = NaiveDate::from_ymd_opt(year, 1, 1);
    let last = NaiveDate::from_ymd_opt(year, 12, 31);
    let last = last.ok_or(Error::Usage("--tax-year is a year of the calendar"))?;
    Ok((first, last))
}

/// The rows as they are shown: by day, or for a tax year by account, each with its sums.
struct Sales {
    report: GainsReport,
    by_account: bool,
}

impl Sales {
    fn new(mut report: GainsReport, by_account: bool) -> Self {
        if by_account {
            // Stable: within an account they stay in the order of the sales.
            report.rows.sort_by(|a, b| a.account.cmp(&b.account));
        }
        Self { report, by_account }
    }
}

impl Shown for Sales {
    const HEADER: &'static [&'static str] = &HEADER;

    fn document(&self, figures: Figures) -> impl Serialize {
        let Self { report, by_account } = self;
        let accounts = by_account.then(|| {
            let sums = groups(&report.rows).map(|(account, rows)| AccountSums {
                account,
                sums: Sums::of(&GainTotals::of(rows), figures),
                pending: is_pending(rows),
            });
            sums.collect::<Vec<_>>()
        });
        let rows = report.rows.iter().map(|row| json_row(row, figures));
        let pending = is_pending(&report.rows);
        let totals = Totals { all: Sums::of(&report.totals, figures), pending, accounts };
        let head = (report.as_of, report.currency);
        Report::of("dashtam.report.gains/1", head, &report.missing, rows, totals)
    }

    fn cells(&self, figures: Figures) -> impl Iterator<Item = Vec<Cell>> {
        self.report.rows.iter().map(move |row| csv_row(row, figures))
    }

    fn table(&self, figures: Figures) -> Table {
        table(&self.report, figures, self.by_account)
    }

    fn missing(&self) -> &[Missing] {
        &self.report.missing
    }
}

#[derive(Serialize)]
struct Row<'a> {
    account: &'a SafeText,
    symbol: &'a SafeText,
    currency: Currency,
    opened: NaiveDate,
    closed: NaiveDate,
    quantity: String,
    proceeds: Option<String>,
    cost: Option<String>,
    gain: Option<String>,
    proceeds_base: Option<String>,
    cost_base: Option<String>,
    gain_base: Option<String>,
    gain_fx: Option<String>,
    term: Term,
    method: LotMethod,
    pending: bool,
}

/// What sales add up to.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "they are the names of the document")]
pub struct Sums {
    proceeds_base: Option<String>,
    cost_base: Option<String>,
    gain_base: Option<String>,
    long_base: Option<String>,
    short_base: Option<String>,
}

impl Sums {
    pub fn of(totals: &GainTotals, figures: Figures) -> Self {
        Self {
            proceeds_base: figures.maybe(totals.proceeds_base),
            cost_base: figures.maybe(totals.cost_base),
            gain_base: figures.maybe(totals.gain_base),
            long_base: figures.maybe(totals.long_base),
            short_base: figures.maybe(totals.short_base),
        }
    }
}

#[derive(Serialize)]
struct Totals<'a> {
    #[serde(flatten)]
    all: Sums,
    pending: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<Vec<AccountSums<'a>>>,
}

#[derive(Serialize)]
struct AccountSums<'a> {
    account: &'a SafeText,
    #[serde(flatten)]
    sums: Sums,
    pending: bool,
}

/// The rows of each account, where they stand by account.
fn groups(rows: &[GainRow]) -> impl Iterator<Item = (&SafeText, &[GainRow])> {
    let groups = rows.chunk_by(|a, b| a.account == b.account);
    groups.filter_map(|rows| rows.first().map(|first| (&first.account, rows)))
}

fn json_row(row: &GainRow, figures: Figures) -> Row<'_> {
    Row {
        account: &row.account,
        symbol: &row.symbol,
        currency: row.currency,
        opened: row.opened,
        closed: row.closed,
        quantity: figures.exact(row.quantity),
        proceeds: figures.maybe(row.proceeds),
        cost: figures.maybe(row.cost),
        gain: figures.maybe(row.gain),
        proceeds_base: figures.maybe(row.proceeds_base),
        cost_base: figures.maybe(row.cost_base),
        gain_base: figures.maybe(row.gain_base),
        gain_fx: figures.maybe(row.gain_fx),
        term: row.term,
        method: row.method,
        pending: row.pending,
    }
}

const HEADER: [&str; 16] = [
    "account",
    "symbol",
    "currency",
    "opened",
    "closed",
    "quantity",
    "proceeds",
    "cost",
    "gain",
    "proceeds_base",
    "cost_base",
    "gain_base",
    "gain_fx",
    "term",
    "method",
    "pending",
];

fn csv_row(row: &GainRow, figures: Figures) -> Vec<Cell> {
    vec![
        Cell::Text(row.account.clone()),
        Cell::Text(row.symbol.clone()),
        Cell::Plain(row.currency.to_string()),
        Cell::Plain(row.opened.to_string()),
        Cell::Plain(row.closed.to_string()),
        Cell::Plain(figures.exact(row.quantity)),
        Cell::plain(figures.maybe(row.proceeds)),
        Cell::plain(figures.maybe(row.cost)),
        Cell::plain(figures.maybe(row.gain)),
        Cell::plain(figures.maybe(row.proceeds_base)),
        Cell::plain(figures.maybe(row.cost_base)),
        Cell::plain(figures.maybe(row.gain_base)),
        Cell::plain(figures.maybe(row.gain_fx)),
        Cell::Plain(row.term.to_string()),
        Cell::Plain(row.method.to_string()),
        Cell::Plain(row.pending.to_string()),
    ]
}

fn table(report: &GainsReport, figures: Figures, by_account: bool) -> Table {
    let base = report.currency;
    let mut table = Table::new(vec![
        Column::text("account", 10, 0),
        Column::text("symbol", 12, 0),
        Column::text("sold", 10, 0),
        Column::text("bought", 10, 3),
        Column::figure("quantity", 2),
        Column::figure(&format!("proceeds {base}"), 5),
        Column::figure(&format!("cost {base}"), 4),
        Column::gain(&format!("gain {base}"), 0),
        Column::gain("of it fx", 7),
        Column::text("term", 5, 0),
        Column::text("method", 7, 6),
        Column::text("", 7, 0),
    ]);
    let lines = |table: &mut Table, rows: &[GainRow]| {
        for row in rows {
            table.row(vec![
                row.account.clone(),
                row.symbol.clone(),
                SafeText::new(&row.closed.to_string()),
                SafeText::new(&row.opened.to_string()),
                figures.quantity(Some(row.quantity)),
                figures.money_or_unknown(row.proceeds_base, base),
                figures.money_or_unknown(row.cost_base, base),
                figures.gain(row.gain_base, base),
                figures.gain(row.gain_fx, base),
                SafeText::new(row.term.as_str()),
                SafeText::new(row.method.as_str()),
                reports::pending(row.pending),
            ]);
        }
    };
    if by_account {
        for (account, rows) in groups(&report.rows) {
            lines(&mut table, rows);
            let name = [account.clone(), SafeText::new("total")];
            let sums = (&GainTotals::of(rows), is_pending(rows));
            add_totals(&mut table, name, sums, figures, base);
        }
    } else {
        lines(&mut table, &report.rows);
    }
    let name = [SafeText::new("total"), reports::partial(&report.missing)];
    let sums = (&report.totals, is_pending(&report.rows));
    add_totals(&mut table, name, sums, figures, base);
    table
}

/// Whether sums over these follow from a row that is not settled yet.
fn is_pending(rows: &[GainRow]) -> bool {
    rows.iter().any(|row| row.pending)
}

/// A line with the whole, and one for each term: they are taxed differently.
fn add_totals(
    table: &mut Table,
    name: [SafeText; 2],
    (totals, pending): (&GainTotals, bool),
    figures: Figures,
    base: Currency,
) {
    let nothing = SafeText::default;
    let line =
        |[account, symbol]: [SafeText; 2], [proceeds, cost]: [SafeText; 2], gain, term, pending| {
            vec![
                account,
                symbol,
                nothing(),
                nothing(),
                nothing(),
                proceeds,
                cost,
                figures.gain(gain, base),
                nothing(),
                SafeText::new(term),
                nothing(),
                reports::pending(pending),
            ]
        };
    let sums = [totals.proceeds_base, totals.cost_base];
    let sums = sums.map(|sum| figures.money_or_unknown(sum, base));
    table.row(line(name, sums, totals.gain_base, "", pending));
    for (gain, term) in [(totals.long_base, Term::Long), (totals.short_base, Term::Short)] {
        table.row(line(Default::default(), Default::default(), gain, term.as_str(), false));
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command, ReportCommand};
    use crate::model::{SecurityId, TransactionId};

    const OPEN: Figures = Figures::plain(false);

    use crate::model::Dec;

    fn dec(text: &str) -> Option<Dec> {
        Dec::parse(text).ok()
    }

    fn sale(account: &str, closed: &str, cost: &str, proceeds: &str, term: Term) -> GainRow {
        let gain = dec(proceeds).unwrap().checked_sub(dec(cost).unwrap());
        GainRow {
            account: SafeText::new(account),
            symbol: SafeText::new("X"),
            security_id: SecurityId(1),
            currency: Currency::USD,
            opened: "2022-05-10".parse().unwrap(),
            closed: closed.parse().unwrap(),
            opening: None,
            closing: TransactionId(2),
            quantity: dec("3").unwrap(),
            proceeds: dec(proceeds),
            cost: dec(cost),
            gain,
            proceeds_base: dec(proceeds),
            cost_base: dec(cost),
            gain_base: gain,
            gain_fx: dec("0"),
            term,
            method: LotMethod::Fifo,
            pending: false,
        }
    }

    /// In B 39 - 30 = 9 long; in A 24 - 20 = 4 short and 10 - 15 = -5 long.
    fn report() -> GainsReport {
        GainsReport {
            as_of: "2023-12-31".parse().unwrap(),
            currency: Currency::USD,
            missing: Vec::new(),
            rows: vec![
                sale("A", "2023-01-01", "20", "24", Term::Short),
                sale("B", "2023-06-01", "30", "39", Term::Long),
                sale("A", "2023-12-31", "15", "10", Term::Long),
            ],
            totals: GainTotals {
                proceeds_base: dec("73"),
                cost_base: dec("65"),
                gain_base: dec("8"),
                long_base: dec("4"),
                short_base: dec("4"),
            },
        }
    }

    fn args(line: &str) -> GainsArgs {
        let words = ["dashtam", "report", "gains"].into_iter();
        let words = words.chain(line.split(' ').filter(|word| !word.is_empty()));
        match Cli::try_parse_from(words).unwrap().command {
            Some(Command::Report(ReportCommand::Gains(args))) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_tax_year_has_both_of_its_ends() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let today = day("2026-11-20");
        let of = |line: &str| span(&args(line), today).unwrap();
        assert_eq!(of("--tax-year 2024"), (Some(day("2024-01-01")), day("2024-12-31")));
        assert_eq!(of(""), (None, today));
        assert_eq!(of("--from 2024-02-29"), (Some(day("2024-02-29")), today));
    }

    #[test]
    fn the_table_of_a_tax_year_has_a_total_for_each_account() {
        let mut report = report();
        report.rows.sort_by(|a, b| a.account.cmp(&b.account));
        let expected = "\
account  symbol  sold        bought      quantity  cost USD  gain USD  term
A        X       2023-01-01  2022-05-10         3     20.00   ▲ +4.00  short
A        X       2023-12-31  2022-05-10         3     15.00   ▼ -5.00  long
A        total                                        35.00   ▼ -1.00
                                                              ▼ -5.00  long
                                                              ▲ +4.00  short
B        X       2023-06-01  2022-05-10         3     30.00   ▲ +9.00  long
B        total                                        30.00   ▲ +9.00
                                                              ▲ +9.00  long
                                                                 0.00  short
total                                                 65.00   ▲ +8.00
                                                              ▲ +4.00  long
                                                              ▲ +4.00  short
";
        let mut out = Vec::new();
        table(&report, OPEN, true).write(&mut out, false).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn the_document_of_a_tax_year_has_the_sums_of_each_account() {
        let year = Sales::new(report(), true);
        let year = serde_json::to_value(year.document(OPEN)).unwrap();
        let accounts = year["totals"]["accounts"].as_array().unwrap();
        let gains: Vec<_> =
            accounts.iter().map(|sums| (&sums["account"], &sums["gain_base"])).collect();
        assert_eq!(gains, [(&"A".into(), &"-1".into()), (&"B".into(), &"9".into())]);
        assert_eq!(year["totals"]["gain_base"], "8");
        let span = serde_json::to_value(Sales::new(report(), false).document(OPEN)).unwrap();
        assert!(span["totals"].get("accounts").is_none());
    }

    #[test]
    fn csv_has_the_fields_of_the_document_in_its_order() {
        let row = sale("A", "2023-01-01", "20", "24", Term::Short);
        let text = serde_json::to_string(&json_row(&row, OPEN)).unwrap();
        let fields: Vec<_> =
            HEADER.iter().map(|field| text.find(&format!("\"{field}\":"))).collect();
        assert!(fields.iter().all(Option::is_some) && fields.is_sorted(), "{text}");
        assert_eq!(csv_row(&row, OPEN).len(), HEADER.len());
    }
}
