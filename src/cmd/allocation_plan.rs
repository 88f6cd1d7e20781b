//! A plan of `report allocation`: the orders, the lots that a sale would close, and what everything
//! would consist of then; on the terminal, as a document, and as a file.

use chrono::NaiveDate;
use serde::Serialize;

use super::cells::Cell;
use super::exit::Error;
use super::json::{MissingPart, Report};
use super::report_allocation::{Row, Totals, json_row};
use super::reports::Shown;
use super::table::{Column, Table};
use crate::model::{Currency, Dec, Exact, SafeText, Term};
use crate::report::{Aim, Allocation, Missing, Plan, PlanRow, PlannedLot, Standing};
use crate::service;
use crate::text::{Figures, percent};

/// What there is, and what to do with it.
pub struct Planned {
    pub before: Allocation,
    pub plan: Plan,
}

/// The file of a plan: its document, or its orders as CSV. Nothing in it is masked.
pub fn file(planned: &Planned, json: bool) -> Result<Vec<u8>, Error> {
    let open = Figures::plain(false);
    if !json {
        return Ok(service::plan::csv(&planned.plan).map_err(service::Error::from)?);
    }
    let mut bytes = Vec::new();
    serde_json::to_writer(&mut bytes, &planned.document(open))
        .map_err(std::io::Error::from)
        .map_err(service::Error::from)?;
    bytes.push(b'\n');
    Ok(bytes)
}

impl Shown for Planned {
    const HEADER: &'static [&'static str] = &service::plan::HEADER;

    fn document(&self, figures: Figures) -> impl Serialize {
        let Self { before, plan } = self;
        let rows = before.rows.iter().map(|row| json_row(before.by, row, figures));
        let (head, totals) = ((before.as_of, before.currency), Totals::of(before, figures));
        let after = plan.after.iter().map(|row| json_row(plan.by, row, figures));
        let (aim, amount) = aim(plan.aim);
        Document {
            report: Report::of("dashtam.report.allocation/1", head, &before.missing, rows, totals),
            plan: PlanPart {
                aim,
                amount: figures.exact(amount),
                cash_left: figures.exact(plan.cash_left),
                partial: !plan.missing.is_empty(),
                missing: plan.missing.iter().map(MissingPart::from).collect(),
                orders: plan.rows.iter().map(|row| order(row, figures)).collect(),
                after: after.collect(),
            },
        }
    }

    fn cells(&self, figures: Figures) -> impl Iterator<Item = Vec<Cell>> {
        self.plan.rows.iter().map(move |row| service::plan::cells(row, self.plan.by, figures))
    }

    fn table(&self, figures: Figures) -> Table {
        table(&self.plan, figures)
    }

    fn missing(&self) -> &[Missing] {
        &self.plan.missing
    }
}

const fn aim(aim: Aim) -> (&'static str, Dec) {
    match aim {
        Aim::Invest(amount) => ("invest", amount),
        Aim::Raise(amount) => ("raise", amount),
    }
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    report: Report<'a, Row<'a>, Totals>,
    plan: PlanPart<'a>,
}

#[derive(Serialize)]
struct PlanPart<'a> {
    aim: &'static str,
    amount: String,
    cash_left: String,
    partial: bool,
    missing: Vec<MissingPart<'a>>,
    orders: Vec<Order<'a>>,
    after: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Order<'a> {
    key: &'a SafeText,
    action: &'static str,
    account: Option<&'a SafeText>,
    symbol: Option<&'a SafeText>,
    quantity: Option<String>,
    price: Option<String>,
    currency: Option<Currency>,
    price_date: Option<NaiveDate>,
    price_source: Option<&'a SafeText>,
    amount: String,
    lots: Vec<Lot>,
}

#[derive(Serialize)]
struct Lot {
    opened: NaiveDate,
    quantity: String,
    cost_base: Option<String>,
    gain_base: Option<String>,
    term: Term,
}

fn order(row: &PlanRow, figures: Figures) -> Order<'_> {
    let lot = |lot: &PlannedLot| Lot {
        opened: lot.opened,
        quantity: figures.exact(lot.quantity),
        cost_base: figures.maybe(lot.cost_base),
        gain_base: figures.maybe(lot.gain_base),
        term: lot.term,
    };
    Order {
        key: &row.key,
        action: row.action.as_str(),
        account: row.account.as_ref(),
        symbol: row.symbol.as_ref(),
        quantity: figures.maybe(row.quantity),
        price: figures.maybe(row.price),
        currency: row.currency,
        price_date: row.price_date,
        price_source: row.price_source.as_ref(),
        amount: figures.exact(row.amount),
        lots: row.lots.iter().map(lot).collect(),
    }
}

/// The orders; beneath each sale the lots that it would close; then the slices as they would be.
fn table(plan: &Plan, figures: Figures) -> Table {
    let base = plan.currency;
    let mut table = Table::new(vec![
        Column::text("", 6, 0),
        Column::text(plan.by.as_str(), 8, 0),
        Column::text("account", 8, 0),
        Column::text("symbol", 10, 0),
        Column::figure("quantity", 0),
        Column::figure("price", 0),
        Column::text("", 3, 4),
        Column::text("of", 10, 5),
        Column::figure(&format!("amount {base}"), 0),
        Column::text("", 9, 0),
    ]);
    let nothing = SafeText::default;
    for row in &plan.rows {
        let price = row.price.zip(row.currency).map(|(it, of)| figures.price(Some(it), of));
        table.row(vec![
            SafeText::new(row.action.as_str()),
            row.key.clone(),
            row.account.clone().unwrap_or_default(),
            row.symbol.clone().unwrap_or_default(),
            figures.quantity(row.quantity),
            price.unwrap_or_default(),
            SafeText::new(&row.currency.map(|it| it.to_string()).unwrap_or_default()),
            SafeText::new(&row.price_date.map(|it| it.to_string()).unwrap_or_default()),
            figures.money(row.amount, base),
            nothing(),
        ]);
        for lot in &row.lots {
            table.row(vec![
                SafeText::new("lot"),
                SafeText::new(lot.term.as_str()),
                nothing(),
                SafeText::new(&lot.opened.to_string()),
                figures.quantity(Some(lot.quantity)),
                nothing(),
                nothing(),
                nothing(),
                nothing(),
                figures.gain(lot.gain_base, base),
            ]);
        }
    }
    let (word, _) = aim(plan.aim);
    let left = match plan.aim {
        Aim::Invest(_) => "left",
        Aim::Raise(_) => "beyond",
    };
    let sum = plan.rows.iter().fold(Exact::ZERO, |sum, row| sum.add(&row.amount.into()));
    let line = |[word, key, weight, target]: [SafeText; 4], amount: SafeText, more: &str| {
        let more = SafeText::new(more);
        let [quantity, price, currency, date] = std::array::from_fn(|_| nothing());
        vec![word, key, weight, target, quantity, price, currency, date, amount, more]
    };
    let alone = |word: &str| [SafeText::new(word), nothing(), nothing(), nothing()];
    table.row(line(alone(word), figures.money_or_unknown(sum.round(12).ok(), base), ""));
    if !plan.cash_left.is_zero() {
        table.row(line(alone(left), figures.money(plan.cash_left, base), ""));
    }
    for row in plan.after.iter().filter(|row| row.target.is_some()) {
        let standing = row.standing().map_or("", Standing::as_str);
        let target = SafeText::new(&format!("of {}", percent(row.target)));
        let words = [SafeText::new("then"), row.key.clone(), percent(Some(row.weight)), target];
        table.row(line(words, figures.money(row.value_base, base), standing));
    }
    table
}
