//! How their sources know the rows that a person changed: what an export must say, so that a file
//! that comes again meets them in another store too.

use std::collections::HashMap;

use crate::figures::Names;
use crate::model::{Origin, SourceWords, TransactionId, TransactionWords, Underlay};
use crate::store::{Error, Result, StoredTransaction, Tx};

/// Rows in words, with what their sources say.
pub(super) async fn in_words(
    tx: &mut Tx,
    names: &Names,
    rows: Vec<StoredTransaction>,
) -> Result<Vec<TransactionWords>> {
    let changed = rows.iter().filter(|row| is_changed(row)).map(|row| row.transaction.id);
    let changed: Vec<_> = changed.collect();
    let mut places: HashMap<TransactionId, _> = HashMap::new();
    for (id, account, nth) in tx.first_places(&changed).await? {
        places.entry(id).or_insert((account, nth));
    }
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        if !is_changed(&row) {
            all.push(names.words(row));
            continue;
        }
        let mut first = as_said(tx, &row).await?;
        let here = (row.transaction.account, row.identity.occurrence);
        (first.transaction.account, first.identity.occurrence) =
            places.get(&row.transaction.id).copied().unwrap_or(here);
        let nth = |row: &StoredTransaction| {
            row.transaction.source_id.is_none().then_some(row.identity.occurrence)
        };
        // A security or an account that went with its import names nothing any more.
        if !names.know_all_of(&first.transaction) {
            all.push(names.words(row));
            continue;
        }
        let (mine, its) = (nth(&row), nth(&first));
        let (mut words, source) = (names.words(row), names.words(first).draft);
        if source != words.draft {
            words.nth = mine;
            words.source = Some(Box::new(SourceWords { draft: source, nth: its }));
        }
        all.push(words);
    }
    Ok(all)
}

/// Whether a person may have changed what a row is known by.
fn is_changed(row: &StoredTransaction) -> bool {
    let by_hand = row.transaction.origin == Origin::Hand;
    row.source_facts.is_some() || by_hand && row.transaction.version > 1
}

/// A row as its source says it; one by hand as it was written first.
async fn as_said(tx: &mut Tx, row: &StoredTransaction) -> Result<StoredTransaction> {
    let mut first = row.clone();
    if row.source_facts.is_none()
        && let Some(oldest) = tx.versions(row.transaction.id).await?.first()
    {
        first = read(&oldest.body)?;
    }
    if let Some(json) = first.source_facts.take() {
        let said: Underlay = read(&json)?;
        let transaction = &mut first.transaction;
        transaction.facts = said.facts;
        transaction.security = said.security;
        transaction.to_security = said.to_security;
        transaction.link = said.link;
    }
    Ok(first)
}

fn read<T: serde::de::DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| Error::Damaged(error.to_string()))
}
