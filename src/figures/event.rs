//! Rows as the lots see them, in the order of rows.

use chrono::NaiveDate;

use crate::analytics::lots::{Event, Peer};
use crate::analytics::moves::{End, Moves};
use crate::model::{Dec, OrderKey, SecurityId, Subtype, Transaction};
use crate::store::{Result, StoredTransaction, TransactionFilter, Tx};

/// A row of a day, with the security that it is joined with.
pub(super) struct DayRow {
    pub event: Event,
    joined: Option<SecurityId>,
}

impl DayRow {
    /// The securities that must be looked at together because of this row.
    pub fn joins(&self) -> impl Iterator<Item = (SecurityId, SecurityId)> {
        let security = self.event.security;
        [self.event.to_security, self.joined]
            .into_iter()
            .flatten()
            .map(move |other| (security, other))
    }
}

/// Whether a row can only be understood together with the other rows of its link, or touches two
/// securities.
pub(super) fn needs_company(transaction: &Transaction) -> bool {
    let moves = matches!(
        transaction.facts.subtype,
        Subtype::TransferIn | Subtype::TransferOut | Subtype::Exercise | Subtype::Assignment
    );
    transaction.to_security.is_some() || (moves && transaction.link.is_some())
}

/// A row as an event; none: it says nothing of lots.
pub(super) fn of(transaction: &Transaction, peer: Option<Peer>) -> Option<Event> {
    let facts = &transaction.facts;
    let security = transaction.security.filter(|_| facts.counts() && !transaction.deleted)?;
    Some(Event {
        id: transaction.id,
        account: transaction.account,
        security,
        to_security: transaction.to_security,
        date: facts.date,
        seq: transaction.seq,
        rank: facts.rank(),
        subtype: facts.subtype,
        quantity: facts.quantity,
        price: facts.price,
        fee: facts.fee.unwrap_or(Dec::ZERO),
        tax: facts.tax.unwrap_or(Dec::ZERO),
        currency: facts.currency,
        amount: facts.amount,
        fx_rate: facts.fx_rate,
        multiplier: facts.multiplier.unwrap_or(Dec::ONE),
        ratio: facts.ratio,
        acquired: facts.acquired,
        cost_share: facts.cost_share,
        peer,
    })
}

/// The rows of a day that name a security, in order.
pub(super) async fn rows_of(tx: &mut Tx, day: NaiveDate) -> Result<Vec<DayRow>> {
    let filter =
        TransactionFilter { from: Some(day), to: Some(day), ..TransactionFilter::default() };
    let mut rows = tx.transactions_from(&filter, None, i64::MAX).await?;
    let says = |row: &StoredTransaction| {
        row.transaction.security.is_some() && row.transaction.facts.counts()
    };
    rows.retain(says);
    sort(tx, &mut rows).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let transaction = &row.transaction;
        let events = match &transaction.link {
            Some(link) if needs_company(transaction) => {
                let linked = tx.transactions_linked(link.as_str()).await?;
                in_company(transaction, &linked)
            }
            _ => of(transaction, None).into_iter().collect(),
        };
        found.extend(events.into_iter().map(|event| {
            let joined = event.peer.as_ref().and_then(|peer| peer.security);
            DayRow { event, joined }
        }));
    }
    Ok(found)
}

/// A row of a link as events: one, with the row that it moves lots to or from, or whose price it
/// changes; a transfer of which several rows are the other leg is as many moves.
fn in_company(transaction: &Transaction, linked: &[StoredTransaction]) -> Vec<Event> {
    let linked = linked.iter().map(|row| &row.transaction);
    let linked: Vec<_> = linked.filter(|row| !row.deleted && row.facts.counts()).collect();
    let peer = match transaction.facts.subtype {
        Subtype::TransferIn | Subtype::TransferOut => {
            let parts = parts_of(transaction, &linked);
            if !parts.is_empty() {
                return parts;
            }
            // Alone, or nobody can tell which is its other leg: a row that is its own peer has
            // none. One that is linked only with, say, its fee is no half of a pair.
            let alone = linked.iter().all(|row| row.id == transaction.id);
            (alone || linked.iter().any(|row| row.id != transaction.id && is_leg(row)))
                .then(|| peer(transaction))
        }
        Subtype::Exercise | Subtype::Assignment => {
            let mut trades = linked.into_iter().filter(|other| {
                other.facts.subtype.trades_securities()
                    && other.account == transaction.account
                    && other.security.is_some()
                    && other.security != transaction.security
            });
            // Two that fit are no pair.
            trades.next().filter(|_| trades.next().is_none()).map(peer)
        }
        _ => None,
    };
    of(transaction, peer).into_iter().collect()
}

const fn is_leg(row: &Transaction) -> bool {
    matches!(row.facts.subtype, Subtype::TransferIn | Subtype::TransferOut)
}

/// A leg of a transfer with each row that is its other leg.
fn parts_of(transaction: &Transaction, linked: &[&Transaction]) -> Vec<Event> {
    let of_security = linked.iter().filter(|row| row.security == transaction.security);
    let legs = |subtype| {
        let legs = of_security.clone().filter(move |row| row.facts.subtype == subtype);
        legs.copied().collect::<Vec<_>>()
    };
    let (outs, ins) = (legs(Subtype::TransferOut), legs(Subtype::TransferIn));
    if outs.iter().any(|out| ins.iter().any(|into| into.account == out.account)) {
        return Vec::new();
    }
    // A pair is one whatever it says of how many.
    if let ([out], [into]) = (outs.as_slice(), ins.as_slice()) {
        let other = if transaction.id == out.id { into } else { out };
        return of(transaction, Some(peer(other))).into_iter().collect();
    }
    let ends = |legs: Vec<&'_ Transaction>| {
        let end = |row: &Transaction| {
            let amount = row.facts.quantity?.abs();
            let end = End { row: row.id, date: row.facts.date, amount, unit: () };
            amount.is_positive().then_some(end)
        };
        legs.into_iter().map(end).collect::<Option<Vec<_>>>()
    };
    let (Some(outs), Some(ins)) = (ends(outs), ends(ins)) else { return Vec::new() };
    let parts = Moves::of(outs, ins).parts.into_iter();
    let events = parts.filter_map(|part| {
        let (mine, other, others) = match transaction.id {
            id if id == part.out => (-part.sent, part.into, part.got),
            id if id == part.into => (part.got, part.out, -part.sent),
            _ => return None,
        };
        let other = linked.iter().find(|row| row.id == other)?;
        let peer = Peer { quantity: Some(others), ..peer(other) };
        Some(Event { quantity: Some(mine), ..of(transaction, Some(peer))? })
    });
    let mut events: Vec<_> = events.collect();
    // What was charged is charged once.
    for event in events.iter_mut().skip(1) {
        (event.fee, event.tax, event.amount) = (Dec::ZERO, Dec::ZERO, Dec::ZERO);
    }
    events
}

fn peer(row: &Transaction) -> Peer {
    Peer {
        id: row.id,
        account: row.account,
        security: row.security,
        date: row.facts.date,
        subtype: row.facts.subtype,
        quantity: row.facts.quantity,
        amount: row.facts.amount,
        currency: row.facts.currency,
    }
}

/// The order of rows: place, kind of event, and where both are shared the rows' own text.
async fn sort(tx: &mut Tx, rows: &mut [StoredTransaction]) -> Result<()> {
    let place = |row: &StoredTransaction| (row.transaction.seq, row.transaction.facts.rank());
    rows.sort_by_key(place);
    let shared = rows.windows(2).any(|pair| matches!(pair, [a, b] if place(a) == place(b)));
    if shared {
        let names = super::Names::read(tx).await?;
        let key = |row: &StoredTransaction| OrderKey::of(&names.words(row.clone()));
        rows.sort_by_cached_key(key);
    }
    Ok(())
}
