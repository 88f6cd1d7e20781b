//! The order of rows: date, place in the source, kind of event, and last the row's own text; never
//! an id, never a time of writing.

use std::fmt::Write;

use super::{OrderKey, TransactionWords};

/// Between the fields of a row's text; no stored text holds it.
const BETWEEN: char = '\u{1f}';

impl OrderKey {
    /// The place of a row among all rows.
    #[must_use]
    pub fn of(words: &TransactionWords) -> Self {
        let facts = &words.draft.facts;
        Self { date: facts.date, seq: words.seq, rank: facts.rank(), text: text(words) }
    }
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
