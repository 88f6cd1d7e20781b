//! The slices of an allocation.

use super::{Explained, Explanation, figure, found, shown, sum};
use crate::model::{Dec, SafeText};
use crate::report::allocation::{Cut, shares};
use crate::report::{Allocation, AllocationQuery, AllocationRow};
use crate::store::Tx;

/// The figures of a slice: what it is worth and its part of the whole.
///
/// # Errors
/// When there is no such slice, or the store cannot be read.
pub async fn explain_allocation(tx: &mut Tx, query: &AllocationQuery, key: &SafeText) -> Explained {
    let cut = Cut::read(tx, query).await?;
    let allocation = cut.allocation();
    let known = allocation.rows.iter().map(|row| row.key.clone()).collect();
    let row = allocation.rows.iter().find(|row| row.key == *key);
    found(row.map_or_else(Vec::new, |row| of_slice(&cut, &allocation, row)), key, known)
}

fn of_slice(cut: &Cut, allocation: &Allocation, row: &AllocationRow) -> Vec<Explanation> {
    let of = SafeText::new(&format!("{} by {}", row.key, allocation.by));
    let mut terms = Vec::new();
    let mut inputs = Vec::new();
    for item in &cut.items {
        let Some(value) = item.value.filter(|value| value.is_positive()) else { continue };
        let keys = cut.slices(item);
        let mine = keys.iter().zip(shares(value, keys.len())).find(|(key, _)| **key == row.key);
        if let Some((_, share)) = mine {
            terms.push(share.to_string());
            inputs.push(figure(item.name.as_str(), Some(share)));
            inputs.extend(item.from.iter().cloned());
        }
    }
    let say = |figure, value: Option<Dec>, currency, formula, inputs| Explanation {
        figure,
        of: of.clone(),
        value,
        currency,
        formula,
        inputs,
    };
    let value = Some(row.value_base);
    let whole = vec![figure("value_base", value), figure("total", allocation.total)];
    let mut explained = vec![
        say("value_base", value, Some(cut.currency), sum(&terms, "there is nothing of it"), inputs),
        say(
            "weight",
            Some(row.weight),
            None,
            format!("{} / {}", row.value_base, shown(allocation.total)),
            whole,
        ),
    ];
    if let (Some(target), Some(drift)) = (row.target, row.drift()) {
        let parts = vec![figure("weight", Some(row.weight)), figure("target", Some(target))];
        let formula = format!("{} - {target}", row.weight);
        explained.push(say("drift", Some(drift), None, formula, parts));
    }
    explained
}
