//! `report gains --compare-methods`: the same sales under each method, side by side.

use serde::Serialize;

use super::cells::Cell;
use super::json::{Report, Totals};
use super::report_gains::Sums;
use super::reports::{self, Shown};
use super::table::{Column, Table};
use crate::model::{LotMethod, SafeText};
use crate::report::{MethodRow, MethodsReport, Missing};
use crate::text::Figures;

impl Shown for MethodsReport {
    const HEADER: &'static [&'static str] = &HEADER;

    fn document(&self, figures: Figures) -> impl Serialize {
        let rows = self.rows.iter().map(|row| Row {
            method: row.method,
            sums: Sums::of(&row.totals, figures),
            cost_left_base: figures.maybe(row.cost_left_base),
            current: row.current,
        });
        let head = (self.as_of, self.currency);
        Report::of("dashtam.report.methods/1", head, &self.missing, rows, Totals {})
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
struct Row {
    method: LotMethod,
    #[serde(flatten)]
    sums: Sums,
    cost_left_base: Option<String>,
    current: bool,
}

const HEADER: [&str; 8] = [
    "method",
    "proceeds_base",
    "cost_base",
    "gain_base",
    "long_base",
    "short_base",
    "cost_left_base",
    "current",
];

fn csv_row(row: &MethodRow, figures: Figures) -> Vec<Cell> {
    let totals = &row.totals;
    vec![
        Cell::Plain(row.method.to_string()),
        Cell::plain(figures.maybe(totals.proceeds_base)),
        Cell::plain(figures.maybe(totals.cost_base)),
        Cell::plain(figures.maybe(totals.gain_base)),
        Cell::plain(figures.maybe(totals.long_base)),
        Cell::plain(figures.maybe(totals.short_base)),
        Cell::plain(figures.maybe(row.cost_left_base)),
        Cell::Plain(row.current.to_string()),
    ]
}

fn table(report: &MethodsReport, figures: Figures) -> Table {
    let base = report.currency;
    let mut table = Table::new(vec![
        Column::text("method", 8, 0),
        Column::gain(&format!("gain {base}"), 0),
        Column::gain("of it long", 1),
        Column::gain("of it short", 1),
        Column::figure(&format!("cost left {base}"), 2),
        Column::text("", 7, 0),
        Column::text("", 7, 0),
    ]);
    for row in &report.rows {
        table.row(vec![
            SafeText::new(row.method.as_str()),
            figures.gain(row.totals.gain_base, base),
            figures.gain(row.totals.long_base, base),
            figures.gain(row.totals.short_base, base),
            figures.money_or_unknown(row.cost_left_base, base),
            SafeText::new(if row.current { "current" } else { "" }),
            reports::partial(&report.missing),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Currency, Dec};
    use crate::report::GainTotals;

    const OPEN: Figures = Figures::plain(false);

    fn row(method: LotMethod, gain: &str, left: &str) -> MethodRow {
        let gain = Dec::parse(gain).ok();
        let totals = GainTotals {
            proceeds_base: Dec::parse("1554").ok(),
            cost_base: None,
            gain_base: gain,
            long_base: Some(Dec::ZERO),
            short_base: gain,
        };
        let current = method == LotMethod::Fifo;
        MethodRow { method, totals, cost_left_base: Dec::parse(left).ok(), current }
    }

    /// The sale of 120 out of 100 for 1005 and 50 for 605, for 1554.
    fn report() -> MethodsReport {
        MethodsReport {
            as_of: "2024-03-28".parse().unwrap(),
            currency: Currency::USD,
            missing: Vec::new(),
            rows: vec![row(LotMethod::Fifo, "307", "363"), row(LotMethod::Average, "266", "322")],
        }
    }

    #[test]
    fn the_table_says_which_method_is_followed() {
        let expected = "\
method    gain USD  of it long  of it short  cost left USD
fifo     ▲ +307.00        0.00    ▲ +307.00         363.00  current
average  ▲ +266.00        0.00    ▲ +266.00         322.00
";
        let mut out = Vec::new();
        table(&report(), OPEN).write(&mut out, false).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn the_document_has_the_fields_of_csv() {
        let document = serde_json::to_value(report().document(OPEN)).unwrap();
        let first = document["rows"][0].as_object().unwrap();
        let mut fields: Vec<_> = first.keys().map(String::as_str).collect();
        let mut header = HEADER;
        fields.sort_unstable();
        header.sort_unstable();
        assert_eq!(fields, header);
        assert_eq!((&first["current"], &first["cost_base"]), (&true.into(), &().into()));
        assert_eq!(csv_row(&report().rows[0], OPEN).len(), HEADER.len());
    }
}
