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

/// The one row of a link that this row moves lots to or from, or whose price it changes.
fn peer_of(transaction: &Transaction, linked: &[StoredTransaction]) -> Option<Peer> {
    let fits = |other: &&StoredTransaction| {
        let other = &other.transaction;
        if other.id == transaction.id || other.deleted || !other.facts.counts() {
            return false;
        }
        match transaction.facts.subtype {
            Subtype::TransferOut => {
                other.facts.subtype == Subtype::TransferIn
                    && other.security == transaction.security
                    && other.account != transaction.account
            }
            Subtype::TransferIn => {
                other.facts.subtype == Subtype::TransferOut
                    && other.security == transaction.security
                    && other.account != transaction.account
            }
            Subtype::Exercise | Subtype::Assignment => {
                matches!(other.facts.subtype, Subtype::Buy | Subtype::Sell)
                    && other.account == transaction.account
                    && other.security.is_some()
                    && other.security != transaction.security
            }
            _ => false,
        }
    };
    let mut fitting = linked.iter().filter(fits);
    let other = &fitting.next()?.transaction;
    // Two that fit are no pair.
    fitting.next().is_none().then_some(Peer {
        id: other.id,
        account: other.account,
        security: other.security,
        date: other.facts.date,
        subtype: other.facts.subtype,
        quantity: other.facts.quantity,
        amount: other.facts.amount,
        currency: other.facts.currency,
    })
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
