//! Rows as the lots see them, in the order of rows.

use chrono::NaiveDate;

use crate::analytics::lots::{Event, Peer};
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
        let peer = match &transaction.link {
            Some(link) if needs_company(transaction) => {
                let linked = tx.transactions_linked(link.as_str()).await?;
                peer_of(transaction, &linked)
            }
            _ => None,
        };
        let joined = peer.as_ref().and_then(|peer| peer.security);
        found.extend(of(transaction, peer).map(|event| DayRow { event, joined }));
    }
    Ok(found)
}

/// The row of a link that this row moves lots to or from, or whose price it changes.
fn peer_of(transaction: &Transaction, linked: &[StoredTransaction]) -> Option<Peer> {
    let linked = linked.iter().map(|row| &row.transaction);
    let linked: Vec<_> = linked.filter(|row| !row.deleted && row.facts.counts()).collect();
    match transaction.facts.subtype {
        Subtype::TransferIn | Subtype::TransferOut => {
            other_leg(transaction, &linked).or_else(|| {
                // Alone, or nobody can tell which is its other leg: a row that is its own peer has
                // none. One that is linked only with, say, its fee is no half of a pair.
                let alone = linked.iter().all(|row| row.id == transaction.id);
                (alone || linked.iter().any(|row| row.id != transaction.id && is_leg(row)))
                    .then(|| peer(transaction))
            })
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
    }
}

const fn is_leg(row: &Transaction) -> bool {
    matches!(row.facts.subtype, Subtype::TransferIn | Subtype::TransferOut)
}

/// The other leg of a transfer. What one row sends, several rows of one account may bring, each its
/// part: together they are the other leg then, and to each the out leg has just its part.
fn other_leg(transaction: &Transaction, linked: &[&Transaction]) -> Option<Peer> {
    let of = |subtype| {
        let legs = linked.iter().filter(move |row| {
            row.facts.subtype == subtype && row.security == transaction.security
        });
        legs.copied()
    };
    let mut outs = of(Subtype::TransferOut);
    let out = outs.next().filter(|_| outs.next().is_none())?;
    let first = of(Subtype::TransferIn).min_by_key(|row| row.id)?;
    let last = of(Subtype::TransferIn).max_by_key(|row| row.facts.date)?;
    if of(Subtype::TransferIn).any(|into| into.account != first.account)
        || first.account == out.account
    {
        return None;
    }
    let comes = match of(Subtype::TransferIn).count() {
        1 => first.facts.quantity,
        _ => {
            let sum = of(Subtype::TransferIn)
                .try_fold(Dec::ZERO, |sum, into| sum.checked_add(into.facts.quantity?));
            Some(sum.filter(|sum| out.facts.quantity == Some(-*sum))?)
        }
    };
    Some(if transaction.id == out.id {
        Peer { date: last.facts.date, quantity: comes, ..peer(first) }
    } else if comes == first.facts.quantity {
        peer(out)
    } else {
        Peer { quantity: transaction.facts.quantity.map(|units| -units), ..peer(out) }
    })
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
