//! Two accounts that become one. A row that both have, because one account came in under two
//! names, is one row afterwards: all who claim either claim it, and what a person changed in
//! either stays. Rows of one import are two, as equal rows of one account in a file would be, and
//! so are those that a person typed twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::body::{self, Underlay};
use super::book::{Book, Stamp};
use super::labels::Labels;
use super::sayings::Thing;
use super::write::{self, Said};
use super::{Error, Result};
use crate::model::{
    AccountId, BatchId, Column, ConnectionId, ConnectionState, Mode, Origin, Refusal, SafeText, Why,
};
use crate::store::{Balance, Claim, Identity, StoredTransaction, Version, WriteTx};

/// Moves all that belongs to one account into another; what is left of the first are its names.
pub(super) async fn merge(
    tx: &mut WriteTx,
    book: &mut Book,
    from: AccountId,
    into: AccountId,
    stamp: &Stamp,
) -> Result<()> {
    refuse_unlike(book, from, into)?;
    refuse_two_fillers(tx, book, from, into).await?;
    let mut taken: BTreeSet<Identity> = BTreeSet::new();
    let mut twins: HashMap<[u8; 12], Vec<StoredTransaction>> = HashMap::new();
    let mut labels = Labels::new(from, into);
    for row in tx.transactions_of_account(into).await? {
        taken.insert(row.identity);
        labels.know(&row);
        twins.entry(row.identity.key).or_default().push(row);
    }
    let mut coming = tx.transactions_of_account(from).await?;
    // The first of equal rows is what most imports claim: it has the fewest rows to choose from.
    coming.sort_by_key(|row| row.identity.occurrence);
    for before in coming {
        let equal = twins.entry(before.identity.key).or_default();
        if let Some((twin, halves)) = take_twin(tx, equal, &before, &labels, [from, into]).await? {
            labels.fold(&twin, &before);
            fold(tx, book, twin, before, stamp).await?;
            if let Halves::Equal(kept, lost) = halves {
                fold(tx, book, *kept, *lost, stamp).await?;
            }
            continue;
        }
        let mut row = before.clone();
        row.transaction.account = into;
        find_room(&mut row, &taken)?;
        taken.insert(row.identity);
        labels.keep(&row);
        write::put(tx, book, &before, &mut row, stamp, "merge").await?;
    }
    relabel(tx, into, &labels).await?;
    merge_balances(tx, book, from, into).await?;
    let old = book.account(from)?.clone();
    book.settle(tx, stamp).await?;
    book.put_account(tx, old, stamp, true).await?;
    tx.lead_all(from, into).await?;
    tx.move_places(from, into).await?;
    tx.forget_orphan_findings().await?;
    tx.forget_account(from).await?;
    book.accounts.remove(&from);
    Ok(())
}

/// The row among equal ones that is the same as one which comes, and the other halves of both. That
/// of the same number is looked at first.
async fn take_twin(
    tx: &mut WriteTx,
    equal: &mut Vec<StoredTransaction>,
    coming: &StoredTransaction,
    labels: &Labels,
    merging: [AccountId; 2],
) -> Result<Option<(StoredTransaction, Halves)>> {
    let by_hand = |row: &StoredTransaction| row.transaction.origin == Origin::Hand;
    let number = |row: &StoredTransaction| row.identity.occurrence;
    equal.sort_by_key(|row| (number(row) != number(coming), number(row)));
    for (place, twin) in equal.iter().enumerate() {
        if (by_hand(twin) && by_hand(coming))
            || !labels.agree(twin, coming)
            || share_an_import(tx, twin, coming).await?
        {
            continue;
        }
        match other_halves(tx, twin, coming, merging).await? {
            Halves::Apart => {}
            halves => return Ok(Some((equal.remove(place), halves))),
        }
    }
    Ok(None)
}

/// Whether one import, or the hand, brought both rows: then they are two.
async fn share_an_import(
    tx: &mut WriteTx,
    one: &StoredTransaction,
    other: &StoredTransaction,
) -> Result<bool> {
    Ok(!claimants(tx, one).await?.is_disjoint(&claimants(tx, other).await?))
}

/// The imports that contained a row; 0 is the hand.
async fn claimants(tx: &mut WriteTx, row: &StoredTransaction) -> Result<BTreeSet<BatchId>> {
    let claims = tx.claims(&[row.transaction.id]).await?;
    Ok(match claims.is_empty() {
        true => BTreeSet::from([row.transaction.batch.unwrap_or(BatchId(0))]),
        false => claims.into_iter().map(|claim| claim.batch).collect(),
    })
}

/// Gives the balances of one account to another. Two of one day cannot both stand, and the sum of
/// two is what nobody stated: only one that came in twice is one.
async fn merge_balances(
    tx: &mut WriteTx,
    book: &Book,
    from: AccountId,
    into: AccountId,
) -> Result<()> {
    for balance in tx.balances().await?.into_iter().filter(|row| row.account == from) {
        let date = balance.date;
        let (mine, theirs) = (Thing::Balance(into, date), Thing::Balance(from, date));
        let there = tx.balance_on(into, date).await?.filter(|there| there.date == date);
        match there {
            None => tx.put_balance(&Balance { account: into, ..balance }).await?,
            Some(there) => {
                let shared = !sayers(tx, &there, mine)
                    .await?
                    .is_disjoint(&sayers(tx, &balance, theirs).await?);
                if shared || there.amount != balance.amount {
                    let name = |id| book.account(id).map(|row| row.account.name.clone());
                    let (from, into) = (name(from)?, name(into)?);
                    return Err(Error::TwoBalances { from, into, date });
                }
            }
        }
        tx.move_sayings(mine.entity(), &theirs.to_string(), &mine.to_string()).await?;
    }
    Ok(())
}

/// The imports that state a balance; 0 is the hand.
async fn sayers(tx: &mut WriteTx, balance: &Balance, thing: Thing) -> Result<BTreeSet<BatchId>> {
    let said = tx.sayings_of(thing.entity(), &thing.to_string()).await?;
    // What was there before anybody said anything is nobody's.
    let said = said.into_iter().filter(|row| row.revision > 0).map(|row| row.batch);
    Ok(said.chain([balance.batch.unwrap_or(BatchId(0))]).collect())
}

/// The other halves of two events of two rows.
enum Halves {
    /// There are none to look after.
    None,
    /// They are one row too.
    Equal(Box<StoredTransaction>, Box<StoredTransaction>),
    /// The events went to two accounts, or to two purchases.
    Apart,
}

async fn other_halves(
    tx: &mut WriteTx,
    kept: &StoredTransaction,
    lost: &StoredTransaction,
    merging: [AccountId; 2],
) -> Result<Halves> {
    let (mine, other) = (other_half(tx, kept).await?, other_half(tx, lost).await?);
    let (Some(mine), Some(other)) = (mine, other) else { return Ok(Halves::None) };
    let accounts = [&mine, &other].map(|row| row.transaction.account);
    // Rows of the merging accounts have their own turn.
    let inside = accounts.iter().all(|account| merging.contains(account));
    let [first, second] = accounts;
    let equal = mine.identity.key == other.identity.key
        && (inside || first == second)
        && (mine.transaction.id == other.transaction.id
            || !share_an_import(tx, &mine, &other).await?);
    Ok(match equal {
        false => Halves::Apart,
        true if inside || mine.transaction.id == other.transaction.id => Halves::None,
        true => Halves::Equal(Box::new(mine), Box::new(other)),
    })
}

/// The other row of an event of two.
async fn other_half(
    tx: &mut WriteTx,
    row: &StoredTransaction,
) -> Result<Option<StoredTransaction>> {
    let Some(link) = &row.transaction.link else { return Ok(None) };
    let mut rows = tx.transactions_linked(link.as_str()).await?;
    rows.retain(|other| other.transaction.id != row.transaction.id);
    match rows.len() {
        1 => Ok(rows.pop()),
        _ => Ok(None),
    }
}

fn refuse_unlike(book: &Book, from: AccountId, into: AccountId) -> Result<()> {
    if from == into {
        return Err(Error::SameAccount);
    }
    let (old, new) = (&book.account(from)?.account, &book.account(into)?.account);
    // A balance is in the currency of its account.
    let currencies = old.mode == Mode::Balances && old.currency != new.currency;
    let what = match (old.mode != new.mode, currencies) {
        (true, _) => "mode",
        (false, true) => "currency",
        (false, false) => return Ok(()),
    };
    Err(Error::CannotMerge { from: old.name.clone(), into: new.name.clone(), what })
}

/// In one account nobody could tell whose ids are whose: of two accounts that connections fill, be
/// it the same one, each needs its own.
async fn refuse_two_fillers(
    tx: &mut WriteTx,
    book: &Book,
    from: AccountId,
    into: AccountId,
) -> Result<()> {
    let (old, new) = (book.account(from)?, book.account(into)?);
    let (Some(one), Some(other)) = (old.connection, new.connection) else { return Ok(()) };
    let connections = tx.connections().await?;
    let is_over = |id: ConnectionId| {
        let found = connections.iter().find(|connection| connection.id == id);
        found.is_none_or(|connection| connection.state == ConnectionState::Disconnected)
    };
    if is_over(one) || is_over(other) {
        return Ok(());
    }
    let (from, into) = (old.account.name.clone(), new.account.name.clone());
    Err(Error::CannotMergeFilled { from, into })
}

/// Gives a row that comes to an account an identity that is free there. Two rows of one account
/// cannot have one id of their source: whoever brings it again could mean either.
pub(super) fn find_room(row: &mut StoredTransaction, taken: &BTreeSet<Identity>) -> Result<()> {
    if let Some(id) = &row.transaction.source_id
        && taken.contains(&row.identity)
    {
        let why = Why::IdTaken(id.clone());
        return Err(Refusal { column: Column("account"), why }.into());
    }
    while taken.contains(&row.identity) {
        row.identity.occurrence += 1;
    }
    Ok(())
}

/// Gives the events that single rows of an account made their names of today, in older versions
/// too: no source ever said such a name, so it is no fact that must stay readable.
async fn relabel(tx: &mut WriteTx, into: AccountId, labels: &Labels) -> Result<()> {
    for row in tx.transactions_of_account(into).await? {
        // The other side of a transfer has the name too.
        let mut rows = match &row.transaction.link {
            Some(link) if link.as_str().starts_with("~transfer:") => {
                tx.transactions_linked(link.as_str()).await?
            }
            _ => Vec::new(),
        };
        rows.push(row);
        for mut row in rows {
            if labels.rename(&mut row)? {
                tx.update_transaction(&row).await?;
            }
            if row.transaction.version == 1 {
                continue;
            }
            for mut version in tx.versions(row.transaction.id).await? {
                let mut then = body::row_from_json(&version.body)?;
                if labels.rename(&mut then)? {
                    version.body = body::to_json(&then)?;
                    tx.update_version(&version).await?;
                }
            }
        }
    }
    Ok(())
}

/// Makes two rows one. The history of the second is told after that of the first.
async fn fold(
    tx: &mut WriteTx,
    book: &mut Book,
    kept: StoredTransaction,
    lost: StoredTransaction,
    stamp: &Stamp,
) -> Result<()> {
    refuse_torn(&kept, &lost)?;
    let (mine, others) = (history(tx, &kept).await?, history(tx, &lost).await?);
    let offset = kept.transaction.version;
    let end = offset + lost.transaction.version + 1;
    let mut claims: BTreeMap<BatchId, Claim> = BTreeMap::new();
    let later = others.claims.iter().map(|claim| {
        let version = if claim.version == 0 { 0 } else { claim.version + offset };
        Claim { transaction: kept.transaction.id, version, ..claim.clone() }
    });
    for claim in mine.claims.iter().cloned().chain(later) {
        match claims.get_mut(&claim.batch) {
            None => drop(claims.insert(claim.batch, claim)),
            Some(both) => {
                both.seq = both.seq.min(claim.seq);
                both.said |= claim.said;
                both.version = end;
            }
        }
    }
    let row = folded(&kept, &lost, &mine, &others, end)?;
    let told = |row: &StoredTransaction, version: i64| -> Result<Version> {
        Ok(Version {
            transaction: kept.transaction.id,
            version,
            replaced: stamp.now,
            op: stamp.op.clone(),
            batch: None,
            cause: "merge".to_owned(),
            body: body::to_json(row)?,
        })
    };
    let mut versions = vec![told(&kept, offset)?];
    versions.extend(others.versions.into_iter().map(|version| Version {
        transaction: kept.transaction.id,
        version: version.version + offset,
        ..version
    }));
    versions.push(told(&lost, end - 1)?);
    tx.insert_versions(&versions).await?;
    if kept.transaction.facts.date != row.transaction.facts.date {
        tx.remember_place(&kept).await?;
    }
    tx.inherit_places(lost.transaction.id, kept.transaction.id).await?;
    tx.forget_transactions(&[lost.transaction.id]).await?;
    tx.replace_claims(&claims.into_values().collect::<Vec<_>>()).await?;
    tx.update_transaction(&row).await?;
    book.count(&kept, false);
    book.count(&lost, false);
    book.count(&row, true);
    Ok(())
}

/// Two that differ in what no import could have changed, or that a person changed in two ways.
fn refuse_torn(kept: &StoredTransaction, lost: &StoredTransaction) -> Result<()> {
    let (mine, other) = (Underlay::of(kept)?, Underlay::of(lost)?);
    let torn = match Said::from(other.clone()).contradicts(&mine) {
        Some(what) => Some(what.to_owned()),
        None if kept.transaction.deleted != lost.transaction.deleted => {
            Some("that one is deleted".to_owned())
        }
        None => {
            let hand = [kept, lost].iter().any(|row| row.transaction.origin == Origin::Hand);
            let differ = write::changed_fields(&Underlay::shown(kept), &Underlay::shown(lost));
            let differ: Vec<_> = differ
                .into_iter()
                .filter(|field| match hand {
                    true => mine.edited.contains(field) || other.edited.contains(field),
                    false => mine.edited.contains(field) && other.edited.contains(field),
                })
                .collect();
            (!differ.is_empty()).then(|| differ.join(", "))
        }
    };
    match torn {
        None => Ok(()),
        Some(what) => Err(Error::CannotFold {
            kept: kept.transaction.id,
            lost: lost.transaction.id,
            what: SafeText::new(&what),
        }),
    }
}

/// Who claims a row, what they say of it, and what it was.
struct History {
    claims: Vec<Claim>,
    said: Vec<(BatchId, Said)>,
    versions: Vec<Version>,
}

async fn history(tx: &mut WriteTx, row: &StoredTransaction) -> Result<History> {
    let (id, now) = (row.transaction.id, Underlay::of(row)?);
    let versions = tx.versions(id).await?;
    let mut claims = tx.claims(&[id]).await?;
    if claims.is_empty() {
        claims.push(Claim {
            transaction: id,
            batch: row.transaction.batch.unwrap_or(BatchId(0)),
            file_no: row.file_no.unwrap_or(0),
            line: row.line.unwrap_or(0),
            seq: row.transaction.seq,
            version: row.transaction.version,
            said: Said::from(now.clone()).fields(),
        });
    }
    let mut said = Vec::with_capacity(claims.len());
    for claim in claims.iter().filter(|claim| claim.version > 0) {
        let then = versions.iter().find(|version| version.version == claim.version);
        let state = match then {
            Some(version) => Underlay::of(&body::row_from_json(&version.body)?)?,
            None => now.clone(),
        };
        said.push((claim.batch, Said::claimed(&state, claim.said)));
    }
    Ok(History { claims, said, versions })
}

/// The one row: what all say, one import after the other, under what a person changed.
fn folded(
    kept: &StoredTransaction,
    lost: &StoredTransaction,
    mine: &History,
    others: &History,
    version: i64,
) -> Result<StoredTransaction> {
    let mut row = kept.clone();
    let by_hand = |row: &StoredTransaction| row.transaction.origin == Origin::Hand;
    if by_hand(lost) {
        // What a person wrote stands.
        row.transaction = lost.transaction.clone();
        row.transaction.id = kept.transaction.id;
        row.transaction.account = kept.transaction.account;
        row.transaction.batch = kept.transaction.batch;
        (row.category, row.source_facts) = (lost.category, None);
    } else if !by_hand(kept) {
        let edits = Underlay::of(lost)?.edited;
        let mut edited = Underlay::of(kept)?.edited;
        edited.extend(edits.iter().cloned());
        let mut said: Vec<_> = mine.said.iter().chain(&others.said).cloned().collect();
        said.sort_by_key(|(batch, _)| *batch);
        if let Some(then) = write::all_said(said.into_iter().map(|(_, said)| said), &edited) {
            write::lay(&mut row, &then)?;
            row.source_facts = (!edited.is_empty()).then(|| then.to_json()).transpose()?;
        }
        write::copy(&mut row, &Underlay::shown(lost), |field| edits.contains(field));
        let categories = [kept, lost].map(|row| (&row.transaction.facts.category, row.category));
        let same = |(name, _): &&(&Option<SafeText>, _)| **name == row.transaction.facts.category;
        row.category = categories.iter().find(same).and_then(|(_, id)| *id);
    }
    row.transaction.seq = kept.transaction.seq.min(lost.transaction.seq);
    row.transaction.created = kept.transaction.created.min(lost.transaction.created);
    row.transaction.updated = kept.transaction.updated.max(lost.transaction.updated);
    row.transaction.version = version;
    Ok(row)
}
