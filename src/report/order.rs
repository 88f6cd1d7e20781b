//! The order in which files are written.

use std::collections::HashMap;

use crate::model::{OrderKey, TransactionWords};

/// Puts the rows of one day into the order in which files are written.
///
/// A file's reader numbers the rows of each account and day from 0, so rows are numbered like that
/// here first: then what is written and read again comes in the same order, whatever gaps or
/// ties the places in older sources had.
pub(super) fn sort_for_writing(rows: &mut Vec<TransactionWords>) {
    let mut keyed: Vec<(OrderKey, TransactionWords)> =
        rows.drain(..).map(|words| (OrderKey::of(&words), words)).collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    let mut places = HashMap::new();
    for (key, words) in &mut keyed {
        let place = places.entry(words.draft.account.clone()).or_insert(0_i64);
        key.seq = *place;
        *place += 1;
    }
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    rows.extend(keyed.into_iter().map(|(_, words)| words));
}
