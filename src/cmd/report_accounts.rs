//! `report accounts`: what each account holds and is worth.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use super::Job;
use super::cells::Cell;
use super::exit::{Error, Status};
use super::json::Report;
use super::reports::{self, Shown};
use super::table::{Column, Table};
use crate::cli::AccountsArgs;
use crate::model::{AccountId, AccountKind, Class, Currency, Dec, Mode, SafeText};
use crate::report::{self, AccountRow, AccountsQuery, AccountsReport, Missing};
use crate::service::Session;
use crate::text::Figures;

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    args: &AccountsArgs,
) -> Result<Status, Error> {
    let query = AccountsQuery {
        as_of: reports::day(job, session, None),
        today: session.clock.today(),
        currency: args.scope.currency,
        account: reports::account(session, args.scope.account.as_ref()).await?,
        closed: args.closed,
    };
    reports::answer(
        job,
        session,
        &args.form,
        "value_base",
        async |tx| report::accounts(tx, &query).await,
        async |tx, key| report::explain_account(tx, &query, key).await,
    )
    .await
}

impl Shown for AccountsReport {
    const HEADER: &'static [&'static str] = &HEADER;

    fn document(&self, figures: Figures) -> impl Serialize {
        let rows = self.rows.iter().map(|row| json_row(row, figures));
        let totals = Totals {
            value_base: figures.maybe(self.total_base),
            in_transit_base: figures.maybe(self.in_transit_base),
            pending: is_pending(self),
        };
        let head = (self.as_of, self.currency);
        Report::of("dashtam.report.accounts/1", head, &self.missing, rows, totals)
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
    pending: bool,
}

#[derive(Serialize)]
struct Totals {
    value_base: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_transit_base: Option<String>,
    pending: bool,
}

fn json_row(row: &AccountRow, figures: Figures) -> Row<'_> {
    Row {
        id: row.id,
        name: &row.name,
        kind: row.kind,
        class: row.class,
        mode: row.mode,
        institution: row.institution.as_ref(),
        connection: row.connection.as_ref(),
        currency: row.currency,
        cash: held(row).map(|(code, amount)| (code.code(), figures.exact(amount))).collect(),
        market_value: figures.maybe(row.market_value),
        value: figures.maybe(row.value),
        value_base: figures.maybe(row.value_base),
        as_of: row.as_of,
        stale: row.stale,
        pending: row.pending,
    }
}

/// Currencies with zero cash are left out.
fn held(row: &AccountRow) -> impl Iterator<Item = (&Currency, Dec)> {
    row.cash.iter().map(|(code, amount)| (code, *amount)).filter(|(_, amount)| !amount.is_zero())
}

const HEADER: [&str; 15] = [
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
    "pending",
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
        Cell::text(row.connection.as_ref()),
        Cell::Plain(row.currency.to_string()),
        Cell::Plain(cash.join("; ")),
        Cell::plain(figures.maybe(row.market_value)),
        Cell::plain(figures.maybe(row.value)),
        Cell::plain(figures.maybe(row.value_base)),
        Cell::plain(row.as_of),
        Cell::Plain(row.stale.to_string()),
        Cell::Plain(row.pending.to_string()),
    ]
}

fn table(report: &AccountsReport, figures: Figures) -> Table {
    let mut table = Table::new(vec![
        Column::text("account", 20, 0),
        Column::text("kind", 14, 3),
        Column::figure("cash", 2),
        Column::text("", 3, 2),
        Column::figure("value", 1),
        Column::text("", 3, 1),
        Column::figure(&format!("in {}", report.currency), 0),
        // Room for two of the marks.
        Column::text("", 16, 0),
    ]);
    let nothing = SafeText::default;
    let code = |currency: Currency| SafeText::new(currency.code());
    for row in &report.rows {
        // Each currency has a line, so that no amount is ever cut.
        let mut cash = held(row).map(|(code, amount)| (*code, amount));
        let money = |cash: Option<(Currency, Dec)>| match cash {
            Some((currency, amount)) => [figures.money(amount, currency), code(currency)],
            None => [nothing(), nothing()],
        };
        let [amount, currency] = money(cash.next());
        table.row(vec![
            row.name.clone(),
            SafeText::new(row.kind.as_str()),
            amount,
            currency,
            figures.money_or_unknown(row.value, row.currency),
            code(row.currency),
            figures.money_or_unknown(row.value_base, report.currency),
            SafeText::new(&marks(row)),
        ]);
        for more in cash {
            let [amount, currency] = money(Some(more));
            let mut line = vec![nothing(), nothing(), amount, currency];
            line.resize_with(8, nothing);
            table.row(line);
        }
    }
    let mut sum = |name: &str, value, remark| {
        let mut line = vec![SafeText::new(name)];
        line.resize_with(6, nothing);
        line.extend([figures.money_or_unknown(value, report.currency), remark]);
        table.row(line);
    };
    if report.in_transit_base.is_some() {
        sum("in transit", report.in_transit_base, nothing());
    }
    sum("total", report.total_base, reports::marks(&report.missing, is_pending(report)));
    table
}

/// Whether the total follows from a row that is not settled yet.
fn is_pending(report: &AccountsReport) -> bool {
    report.rows.iter().any(|row| row.is_pending_on(report.as_of))
}

fn marks(row: &AccountRow) -> String {
    // What is not known at all says so itself.
    let partial = (row.partial && row.value_base.is_some()).then(|| "partial".to_owned());
    let stale = row.stale.then(|| "stale".to_owned());
    let closed = row.closed.map(|day| format!("closed {day}"));
    let pending = row.pending.then(|| "pending".to_owned());
    [pending, partial, stale, closed].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Option<Dec> {
        Dec::parse(text).ok()
    }

    fn account(name: &str, kind: AccountKind, cash: &[(&str, &str)], value: &str) -> AccountRow {
        let cash = cash.iter().map(|(code, amount)| (code.parse().unwrap(), dec(amount).unwrap()));
        AccountRow {
            id: AccountId(1),
            name: SafeText::new(name),
            kind,
            class: kind.class(),
            mode: Mode::Ledger,
            institution: None,
            connection: None,
            currency: Currency::USD,
            cash: cash.collect(),
            market_value: dec("0"),
            value: dec(value),
            value_base: dec(value),
            partial: false,
            as_of: None,
            stale: false,
            closed: None,
            pending: false,
            holds_something: true,
        }
    }

    #[test]
    fn each_currency_of_cash_has_a_line_and_no_amount_is_cut() {
        let broker = [("CAD", "1204310.55"), ("EUR", "-0.5"), ("JPY", "0"), ("USD", "9953")];
        let report = AccountsReport {
            as_of: "2024-03-28".parse().unwrap(),
            currency: Currency::USD,
            partial: false,
            missing: Vec::new(),
            rows: vec![
                account("Broker", AccountKind::Brokerage, &broker, "1052763.72"),
                account("Card", AccountKind::CreditCard, &[], "0"),
            ],
            in_transit_base: dec("7"),
            total_base: dec("1052770.72"),
        };
        let expected = "\
account     kind               cash            value           in USD
Broker      brokerage    1204310.55  CAD  1052763.72  USD  1052763.72
                              -0.50  EUR
                            9953.00  USD
Card        credit_card                         0.00  USD        0.00
in transit                                                       7.00
total                                                      1052770.72
";
        let mut out = Vec::new();
        table(&report, Figures::plain(false)).write(&mut out, false).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn what_is_old_closed_or_known_in_part_says_so() {
        let mut row = account("A", AccountKind::Cd, &[], "1");
        assert_eq!(marks(&row), "");
        row.stale = true;
        row.pending = true;
        row.closed = "2024-01-31".parse().ok();
        assert_eq!(marks(&row), "pending, stale, closed 2024-01-31");
        row.partial = true;
        assert_eq!(marks(&row), "pending, partial, stale, closed 2024-01-31");
        row.value_base = None;
        assert_eq!(marks(&row), "pending, stale, closed 2024-01-31");
    }
}
