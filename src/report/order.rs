//! The order of rows: date, place in the source, kind of event, and last the row's own text; never
//! an id, never a time of writing.

use std::collections::HashMap;
use std::fmt::Write;

use crate::model::{OrderKey, TransactionWords};

/// Between the fields of a row's text; no stored text holds it.
const BETWEEN: char = '\u{1f}';

/// The place of a row among all rows.
pub(super) fn key(words: &TransactionWords) -> OrderKey {
    let facts = &words.draft.facts;
    OrderKey { date: facts.date, seq: words.seq, rank: facts.rank(), text: text(words) }
}

/// The row as normalised text. The link is left out: its label is nobody's business.
fn text(words: &TransactionWords) -> String {
    let draft = &words.draft;
    let facts = &draft.facts;
    let mut text = String::with_capacity(128);
    let mut put = |field: Option<&dyn std::fmt::Display>| {
        if let Some(field) = field {
            // Writing into a String cannot fail.
            let _ = write!(text, "{field}");
        }
        text.push(BETWEEN);
    };
    macro_rules! fields {
        ($($field:expr),+ $(,)?) => {$( put($field.as_ref().map(|field| field as _)); )+};
    }
    fields!(
        Some(&draft.account),
        Some(facts.subtype),
        draft.security,
        draft.to_security,
        facts.quantity,
        facts.price,
        Some(facts.currency),
        Some(facts.amount),
        facts.fee,
        facts.tax,
        Some(facts.status),
        facts.settlement,
        facts.fx_rate,
        facts.multiplier,
        facts.ratio,
        facts.acquired,
        facts.cost_share,
        facts.description,
        facts.category,
        facts.note,
        draft.source_id,
    );
    text
}

/// Puts the rows of one day into the order in which files are written.
///
/// A file's reader numbers the rows of each account and day from 0, so rows are numbered like that
/// here first: then what is written and read again comes in the same order, whatever gaps or
/// ties the places in older sources had.
pub(super) fn sort_for_writing(rows: &mut Vec<TransactionWords>) {
    let mut keyed: Vec<(OrderKey, TransactionWords)> =
        rows.drain(..).map(|words| (key(&words), words)).collect();
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
