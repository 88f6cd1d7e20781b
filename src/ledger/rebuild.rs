//! Making every derived figure again from the rows, or finding out whether that would change any.

use std::collections::{BTreeMap, BTreeSet};

use super::Result;
use super::book::tally_of;
use crate::figures::{self, Difference};
use crate::model::OpId;
use crate::store::{Rehearsal, Store, Tally, TallyKey, Tx, WriteTx};

/// Makes every derived figure anew.
///
/// # Errors
/// When the store fails; then nothing is written.
pub async fn rebuild(store: &Store, op: OpId, now: i64) -> Result<u64> {
    let mut tx = store.write().await?;
    let rows = rebuild_in(&mut tx).await?;
    tx.commit(&op.to_string(), "rebuild", now).await?;
    Ok(rows)
}

/// The same within a write; tells from how many rows.
pub(super) async fn rebuild_in(tx: &mut WriteTx) -> Result<u64> {
    tx.complete_sums().await?;
    let (rows, tally) = make(tx, true).await?;
    let mut entries: BTreeMap<_, _> =
        tx.tally().await?.into_keys().map(|key| (key, Tally::default())).collect();
    entries.extend(tally);
    tx.put_tally(&entries).await?;
    Ok(rows)
}

/// Every derived figure that is not what the rows say. Nothing is written, and nobody who writes has
/// to wait.
///
/// # Errors
/// When the store fails.
pub async fn check(store: &Store) -> Result<BTreeSet<Difference>> {
    let (mut kept, mut tx) = of_one_moment(store).await?;
    let (_, made) = make(&mut tx, false).await?;
    let mut found = figures::compare(&mut kept, &mut tx).await?;
    let known = kept.tally().await?;
    let keys: BTreeSet<_> = known.keys().chain(made.keys()).copied().collect();
    let nothing = Tally::default();
    for key in keys {
        if known.get(&key).unwrap_or(&nothing) != made.get(&key).unwrap_or(&nothing) {
            found.insert(Difference::Tally(key.0, key.1, key.2));
        }
    }
    Ok(found)
}

/// The figures that are kept, and a place to make them again from the same rows.
async fn of_one_moment(store: &Store) -> Result<(Tx, Rehearsal)> {
    loop {
        let mut kept = store.read().await?;
        let revision = kept.revision().await?;
        let mut made = store.rehearse().await?;
        // Somebody may have written between the two.
        if made.revision().await? == revision {
            return Ok((kept, made));
        }
    }
}

async fn make(tx: &mut WriteTx, groups: bool) -> Result<(u64, BTreeMap<TallyKey, Tally>)> {
    let mut tally = prices(tx).await?;
    let mut rows = 0;
    let see = |row: &crate::store::StoredTransaction| {
        rows += 1;
        for (key, change) in tally_of(row) {
            tally.entry(key).or_default().add(&change);
        }
    };
    figures::rebuild(tx, groups, see).await?;
    Ok((rows, tally))
}

async fn prices(tx: &mut Tx) -> Result<BTreeMap<TallyKey, Tally>> {
    let counts = tx.price_counts().await?.into_iter();
    let entry = |(security, currency, prices)| {
        ((None, Some(security), currency), Tally { prices, ..Tally::default() })
    };
    Ok(counts.map(entry).collect())
}
