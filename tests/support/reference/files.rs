//! The neutral files, read as plainly as can be: no field is quoted. It knows how rows are sorted,
//! and nothing of what they do.

use std::collections::{BTreeMap, BTreeSet};

use num_traits::{Signed, Zero};

use super::{Day, Q, day, decimal, q};

/// A row of the transactions.
#[derive(Clone, Debug)]
pub struct Row {
    pub date: Day,
    pub account: String,
    /// In capitals.
    pub what: String,
    pub symbol: Option<String>,
    /// Signed by direction for a trade, else as given.
    pub quantity: Q,
    pub price: Option<Q>,
    pub fee: Q,
    pub tax: Q,
    pub currency: String,
    /// The change of cash.
    pub amount: Q,
    /// New by old.
    pub ratio: Option<Q>,
    pub to_account: Option<String>,
    pub acquired: Option<Day>,
    /// Neither failed nor cancelled.
    pub counts: bool,
    /// Its place among the rows of its account and day.
    pub(super) seq: usize,
    pub(super) text: String,
}

/// A close of a security, or a rate of a currency.
#[derive(Clone, Debug)]
pub struct Close {
    pub date: Day,
    pub symbol: String,
    pub is_rate: bool,
    pub figure: Q,
    pub currency: String,
}

/// The lines of a file by the names of its columns; empty fields are left out.
fn lines(text: &str) -> Vec<BTreeMap<&str, &str>> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut named = Vec::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        assert!(!line.contains('"') && cells.len() == header.len(), "`{line}`");
        let cells = header.iter().copied().zip(cells);
        named.push(cells.filter(|(_, cell)| !cell.is_empty()).collect());
    }
    named
}

/// The rows that count, in the order of the definition.
pub fn rows(text: &str) -> Vec<Row> {
    let mut places = BTreeMap::new();
    let mut rows: Vec<Row> = lines(text)
        .iter()
        .map(|cells| {
            let mut row = row(cells);
            let place = places.entry((row.account.clone(), row.date)).or_insert(0);
            (row.seq, *place) = (*place, *place + 1);
            row
        })
        .collect();
    rows.sort_by_key(|row| (row.date, row.seq, row.rank(), row.text.clone()));
    rows
}

fn row(cells: &BTreeMap<&str, &str>) -> Row {
    let word = |name: &str| cells.get(name).map(|cell| (*cell).to_owned());
    let figure = |name: &str| cells.get(name).map(|cell| q(cell));
    let what = cells["type"].to_ascii_uppercase();
    let given = figure("quantity").unwrap_or_else(Q::zero);
    let quantity = match what.as_str() {
        "SELL" | "SHORT_SELL" => -given,
        _ => given,
    };
    let price = figure("price");
    let fee = figure("fee").unwrap_or_else(Q::zero);
    let tax = figure("tax").unwrap_or_else(Q::zero);
    let computed = match what.as_str() {
        "BUY" | "SELL" | "SHORT_SELL" | "BUY_TO_COVER" => {
            -(&quantity * price.clone().unwrap_or_else(Q::zero)) - &fee - &tax
        }
        // What moves no cash still costs what was charged for it.
        _ => -&fee - &tax,
    };
    Row {
        date: day(cells["date"]),
        account: cells["account"].to_owned(),
        what,
        symbol: word("symbol"),
        quantity,
        price,
        fee,
        tax,
        currency: cells["currency"].to_owned(),
        amount: figure("amount").unwrap_or(computed),
        ratio: word("ratio").map(|ratio| {
            let (new, old) = ratio.split_once(':').unwrap();
            q(new) / q(old)
        }),
        to_account: word("to_account"),
        acquired: word("acquired").map(|date| day(&date)),
        counts: !matches!(cells.get("status"), Some(&("failed" | "cancelled"))),
        seq: 0,
        text: format!("{cells:?}"),
    }
}

impl Row {
    /// Opening, corporate action, transfer in, buy, income, sell, transfer out, fee.
    fn rank(&self) -> u8 {
        match self.what.as_str() {
            "OPENING" => 0,
            "SPLIT" => 1,
            "DEPOSIT" | "TRANSFER_IN" => 2,
            "BUY" | "BUY_TO_COVER" => 3,
            "SELL" | "SHORT_SELL" => 5,
            "WITHDRAWAL" | "TRANSFER_OUT" => 6,
            "FEE" => 7,
            _ => 4,
        }
    }
}

/// The closes and rates. A bare symbol is a rate where rows or closes use it as a currency.
pub fn closes(text: &str, rows: &[Row]) -> Vec<Close> {
    let lines = lines(text);
    let quoted = lines.iter().map(|cells| cells["currency"]);
    let in_use: BTreeSet<&str> =
        rows.iter().map(|row| row.currency.as_str()).chain(quoted).collect();
    let close = |cells: &BTreeMap<&str, &str>| {
        let (is_rate, symbol) = match cells["symbol"].split_once(':') {
            Some(("fx", symbol)) => (true, symbol),
            Some(("sec", symbol)) => (false, symbol),
            _ => (in_use.contains(cells["symbol"]), cells["symbol"]),
        };
        let figure = decimal(cells["close"]).filter(Signed::is_positive).unwrap();
        Close {
            date: day(cells["date"]),
            symbol: symbol.to_owned(),
            is_rate,
            figure,
            currency: cells["currency"].to_owned(),
        }
    };
    lines.iter().map(close).collect()
}
