//! A row itself: how its amount follows from its other columns, and what a finding is about.

use chrono::NaiveDate;

use super::{Explained, Explanation, Input, figure, found, input};
use crate::figures::Names;
use crate::model::{Dec, Facts, Kind, SafeText, Transaction, TransactionId};
use crate::report::findings;
use crate::store::Tx;

/// The amount of a transaction, by its id.
///
/// # Errors
/// When there is no such row, or the store cannot be read.
pub async fn explain_transaction(tx: &mut Tx, key: &SafeText) -> Explained {
    let row = match key.as_str().parse::<TransactionId>() {
        Ok(id) => tx.transaction(id).await?,
        Err(_) => None,
    };
    let row = row.map(|row| row.transaction).filter(|row| !row.deleted);
    let names = Names::read(tx).await?;
    found(row.iter().map(|row| amount(&names, row)).collect(), key, Vec::new())
}

fn amount(names: &Names, row: &Transaction) -> Explanation {
    let facts = &row.facts;
    let account = names.account(row.account);
    let of = format!("{} {} of {} in {account}", facts.subtype.as_str(), row.id, facts.date);
    let columns = [
        ("quantity", facts.quantity),
        ("price", facts.price),
        ("multiplier", facts.multiplier),
        ("fee", facts.fee),
        ("tax", facts.tax),
    ];
    let given = columns.into_iter().filter(|(_, value)| value.is_some());
    let inputs = std::iter::once(row_input(row)).chain(given.map(|(name, it)| figure(name, it)));
    Explanation {
        figure: "amount",
        of: SafeText::new(&of),
        value: Some(facts.amount),
        currency: Some(facts.currency),
        formula: formula(facts),
        inputs: inputs.collect(),
    }
}

/// Of a trade what its columns come to; of anything else the row's own word.
fn formula(facts: &Facts) -> String {
    let trade = facts.quantity.zip(facts.price).filter(|_| facts.subtype.kind() == Kind::Trade);
    let Some((quantity, price)) = trade.filter(|_| !facts.amount.is_zero()) else {
        return "as the row says".to_owned();
    };
    // What is bought costs, what is sold brings.
    let mut formula = format!("{} x {price}", -quantity);
    let multiplier = facts.multiplier.map(|multiplier| format!(" x {multiplier}"));
    formula.push_str(&multiplier.unwrap_or_default());
    for charge in [facts.fee, facts.tax].into_iter().flatten() {
        formula.push_str(&format!(" - {charge}"));
    }
    formula
}

pub(super) fn row_input(row: &Transaction) -> Input {
    Input {
        id: Some(SafeText::new(&row.id.to_string())),
        date: Some(row.facts.date),
        value: Some(row.facts.amount),
        source: Some(SafeText::new(&row.origin.to_string())),
        ..input("row")
    }
}

/// What a finding says, by its id, with the row that it is about.
///
/// # Errors
/// When there is no such finding, or the store cannot be read.
pub async fn explain_finding(tx: &mut Tx, as_of: NaiveDate, key: &SafeText) -> Explained {
    let all = findings(tx, as_of).await?;
    let known = all.iter().map(|finding| finding.id.clone()).collect();
    let mut explained = Vec::new();
    if let Some(finding) = all.into_iter().find(|finding| finding.id == *key) {
        let row = match finding.transaction {
            Some(id) => tx.transaction(id).await?,
            None => None,
        };
        let places = [finding.symbol, finding.account].into_iter().flatten();
        let places: Vec<_> = places.map(|place| place.to_string()).collect();
        explained.push(Explanation {
            figure: "detail",
            of: SafeText::new(&format!("{} {}", finding.kind, places.join(" in "))),
            value: None::<Dec>,
            currency: None,
            formula: finding.detail.to_string(),
            inputs: row.iter().map(|row| row_input(&row.transaction)).collect(),
        });
    }
    found(explained, key, known)
}
