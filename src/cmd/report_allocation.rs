//! `report allocation`: what everything consists of, how far that is from its targets, and with
//! `--invest` or `--raise` what to buy or sell.

use serde::Serialize;

use super::Job;
use super::allocation_plan::{self, Planned};
use super::cells::Cell;
use super::exit::{Error, Status};
use super::json::Report;
use super::output::note;
use super::reports::{self, Shown};
use super::table::{Column, Table};
use crate::cli::AllocationArgs;
use crate::config::private::WriteError;
use crate::model::{Dec, Dimension, SafeText};
use crate::report::{
    self, Aim, Allocation, AllocationQuery, AllocationRow, Missing, PlanQuery, Standing,
};
use crate::service::{self, Session};
use crate::text::{Figures, percent};

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    args: &AllocationArgs,
) -> Result<Status, Error> {
    if let Some(path) = args.out.as_ref().filter(|path| job.config.is_own_file(path)) {
        let source = WriteError::OfTheStore(path.clone());
        return Err(service::Error::Write { path: path.clone(), source }.into());
    }
    let query = AllocationQuery {
        as_of: reports::day(job, session, None),
        today: session.clock.today(),
        account: reports::account(session, args.scope.account.as_ref()).await?,
        currency: args.scope.currency,
        by: args.by,
    };
    let aim = args.invest.map(Aim::Invest).or(args.raise.map(Aim::Raise));
    let Some(aim) = aim else {
        return reports::answer(
            job,
            session,
            &args.form,
            "value_base",
            async |tx| report::allocation(tx, &query).await,
            async |tx, key| report::explain_allocation(tx, &query, key).await,
        )
        .await;
    };
    let question = PlanQuery { allocation: query, aim, whole_shares: args.whole_shares };
    let mut tx = session.store.read().await?;
    let before = report::allocation(&mut tx, &query).await?;
    let plan = report::plan(&mut tx, &question).await?;
    drop(tx);
    let planned = Planned { before, plan };
    // What cannot be written is refused before anything is printed.
    if let Some(path) = &args.out {
        let bytes = allocation_plan::file(&planned, job.flags.json)?;
        service::plan::write(session, path, &bytes, args.force).await?;
        note(&format!("dashtam: the plan is in {}", SafeText::new(&path.display().to_string())));
    }
    reports::print(job, &planned, args.form.csv)?;
    Ok(Status::Done)
}

impl Shown for Allocation {
    const HEADER: &'static [&'static str] = &HEADER;

    fn document(&self, figures: Figures) -> impl Serialize {
        let rows = self.rows.iter().map(|row| json_row(self.by, row, figures));
        let head = (self.as_of, self.currency);
        let totals = Totals::of(self, figures);
        Report::of("dashtam.report.allocation/1", head, &self.missing, rows, totals)
    }

    fn cells(&self, figures: Figures) -> impl Iterator<Item = Vec<Cell>> {
        self.rows.iter().map(move |row| csv_row(self.by, row, figures))
    }

    fn table(&self, figures: Figures) -> Table {
        table(self, figures)
    }

    fn missing(&self) -> &[Missing] {
        &self.missing
    }
}

/// What a slice is, and should be.
#[derive(Serialize)]
pub struct Row<'a> {
    by: Dimension,
    key: &'a SafeText,
    value_base: String,
    weight: String,
    target: Option<String>,
    drift: Option<String>,
    band: Option<String>,
    standing: Option<&'static str>,
}

/// What all slices come to.
#[derive(Serialize)]
pub struct Totals {
    value_base: Option<String>,
    liabilities_base: Option<String>,
    pending: bool,
}

impl Totals {
    pub fn of(allocation: &Allocation, figures: Figures) -> Self {
        Self {
            value_base: figures.maybe(allocation.total),
            liabilities_base: figures.maybe(allocation.liabilities),
            pending: allocation.pending,
        }
    }
}

/// Parts of a whole tell no amount, so they are never masked.
pub fn json_row(by: Dimension, row: &AllocationRow, figures: Figures) -> Row<'_> {
    Row {
        by,
        key: &row.key,
        value_base: figures.exact(row.value_base),
        weight: row.weight.to_string(),
        target: row.target.map(|it| it.to_string()),
        drift: row.drift().map(|it| it.to_string()),
        band: row.band.map(|it| it.to_string()),
        standing: row.standing().map(Standing::as_str),
    }
}

const HEADER: [&str; 8] =
    ["by", "key", "value_base", "weight", "target", "drift", "band", "standing"];

fn csv_row(by: Dimension, row: &AllocationRow, figures: Figures) -> Vec<Cell> {
    vec![
        Cell::Plain(by.to_string()),
        Cell::Text(row.key.clone()),
        Cell::Plain(figures.exact(row.value_base)),
        Cell::Plain(row.weight.to_string()),
        Cell::plain(row.target),
        Cell::plain(row.drift()),
        Cell::plain(row.band),
        Cell::plain(row.standing().map(Standing::as_str)),
    ]
}

/// A part of a whole, where somebody said one.
fn part(part: Option<Dec>) -> SafeText {
    part.map(|part| percent(Some(part))).unwrap_or_default()
}

fn table(allocation: &Allocation, figures: Figures) -> Table {
    let base = allocation.currency;
    let mut table = Table::new(vec![
        Column::text(allocation.by.as_str(), 12, 0),
        Column::figure(&format!("value {base}"), 0),
        Column::figure("weight", 0),
        Column::figure("target", 0),
        Column::figure("drift", 0),
        Column::figure("band", 2),
        Column::text("", 8, 0),
    ]);
    for row in &allocation.rows {
        table.row(vec![
            row.key.clone(),
            figures.money(row.value_base, base),
            percent(Some(row.weight)),
            part(row.target),
            part(row.drift()),
            part(row.band),
            SafeText::new(row.standing().map_or("", Standing::as_str)),
        ]);
    }
    let nothing = SafeText::default;
    let sum = |name: &str, value, marks| {
        let value = figures.money_or_unknown(value, base);
        vec![SafeText::new(name), value, nothing(), nothing(), nothing(), nothing(), marks]
    };
    let marks = reports::marks(&allocation.missing, allocation.pending);
    table.row(sum("total", allocation.total, marks));
    if allocation.liabilities.is_none_or(|owed| !owed.is_zero()) {
        table.row(sum("owed", allocation.liabilities, nothing()));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Currency;

    const OPEN: Figures = Figures::plain(false);

    fn dec(text: &str) -> Dec {
        Dec::parse(text).unwrap()
    }

    fn slice(key: &str, value: &str, weight: &str, target: Option<&str>) -> AllocationRow {
        AllocationRow {
            key: SafeText::new(key),
            value_base: dec(value),
            weight: dec(weight),
            target: target.map(dec),
            band: target.map(|_| dec("0.05")),
        }
    }

    fn allocation() -> Allocation {
        Allocation {
            as_of: "2024-03-28".parse().unwrap(),
            currency: Currency::USD,
            by: Dimension::Class,
            rows: vec![
                slice("etf", "700", "0.7", Some("0.6")),
                slice("cash", "300", "0.3", None),
                slice("crypto", "0", "0", Some("0.05")),
            ],
            total: Some(dec("1000")),
            liabilities: Some(dec("-20")),
            missing: Vec::new(),
            pending: false,
        }
    }

    #[test]
    fn the_table_says_how_far_off_each_slice_is() {
        let mut out = Vec::new();
        table(&allocation(), OPEN).write(&mut out, false).unwrap();
        let right = "\
class   value USD   weight  target   drift    band
etf        700.00   70.0 %  60.0 %  10.0 %   5.0 %  over
cash       300.00   30.0 %
crypto       0.00    0.0 %   5.0 %  -5.0 %   5.0 %  within
total     1000.00
owed       -20.00
";
        let out = String::from_utf8(out).unwrap();
        let squeezed = |text: &str| {
            let lines =
                text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
            lines.collect::<Vec<_>>()
        };
        assert_eq!(squeezed(&out), squeezed(right), "{out}");
    }

    #[test]
    fn csv_has_the_fields_of_the_document_in_its_order() {
        let allocation = allocation();
        for row in &allocation.rows {
            assert_eq!(csv_row(allocation.by, row, OPEN).len(), HEADER.len());
            let text = serde_json::to_string(&json_row(allocation.by, row, OPEN)).unwrap();
            let places: Vec<_> =
                HEADER.iter().map(|field| text.find(&format!("\"{field}\":")).unwrap()).collect();
            assert!(places.is_sorted(), "{text}");
        }
    }

    #[test]
    fn a_masked_table_keeps_the_weights() {
        let document = serde_json::to_string(&allocation().document(Figures::plain(true))).unwrap();
        assert!(document.contains("0.7") && !document.contains("700"), "{document}");
        assert!(!document.contains("-20"), "{document}");
    }
}
