//! Transactions, a page at a time, in the order of rows.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use chrono::NaiveDate;

use super::parts::{Parts, place_of};
use super::{Error, Names};
use crate::model::{
    AccountId, Currency, Dec, Entry, Facts, Kind, Mention, OrderKey, Origin, SafeText, Status,
    Subtype, TransactionId,
};
use crate::store::{self, Place, StoredTransaction, TransactionFilter, Tx};

/// How many rows are read at once where no limit is set.
const PART: usize = 5_000;

/// Which transactions.
#[derive(Clone, Debug, Default)]
pub struct TransactionsQuery {
    /// Of this account.
    pub account: Option<AccountId>,
    /// In this currency.
    pub currency: Option<Currency>,
    /// On or after.
    pub from: Option<NaiveDate>,
    /// On or before.
    pub to: Option<NaiveDate>,
    /// At most so many; none: all.
    pub limit: Option<usize>,
    /// Those after the last one of an earlier page.
    pub after: Option<String>,
}

/// A page of transactions.
#[derive(Clone, Debug, Default)]
pub struct TransactionsReport {
    /// In the order of rows.
    pub rows: Vec<TransactionRow>,
    /// Where the next page begins; none: this was the last.
    pub next: Option<String>,
}

/// One transaction.
#[derive(Clone, Debug)]
pub struct TransactionRow {
    /// Its identity.
    pub id: TransactionId,
    /// Whose.
    pub account: SafeText,
    /// When.
    pub date: NaiveDate,
    /// When settled.
    pub settlement: Option<NaiveDate>,
    /// Which sort of event.
    pub kind: Kind,
    /// Which event.
    pub subtype: Subtype,
    /// Whether it counts.
    pub status: Status,
    /// Of what.
    pub symbol: Option<SafeText>,
    /// Unsigned with the type, but for openings and adjustments.
    pub quantity: Option<Dec>,
    /// Of one unit.
    pub price: Option<Dec>,
    /// Charged.
    pub fee: Option<Dec>,
    /// Taken by the state.
    pub tax: Option<Dec>,
    /// Of the money.
    pub currency: Currency,
    /// Change of cash.
    pub amount: Dec,
    /// In the source's words.
    pub description: Option<SafeText>,
    /// By name.
    pub category: Option<SafeText>,
    /// `hand`, `import:7`, `provider:3`.
    pub source: String,
    /// The other rows of the same event.
    pub linked: Vec<TransactionId>,
    /// Its money was converted into the security's currency by the rate of its day, for it gives none
    /// itself.
    pub by_day_rate: bool,
}

impl TransactionRow {
    /// What happened, behind how far it is where it is not settled.
    #[must_use]
    pub fn told_subtype(&self) -> String {
        match self.status {
            Status::Settled => self.subtype.to_string(),
            other => format!("{other} {}", self.subtype),
        }
    }
}

/// What is known of one transaction beyond its row.
#[derive(Clone, Debug, Default)]
pub struct TransactionDetail {
    /// A person's words.
    pub note: Option<SafeText>,
    /// The files of the import that brought it, without their folders.
    pub files: Vec<SafeText>,
    /// The other rows of the same event.
    pub legs: Vec<TransactionRow>,
    /// The row as a person would write it; none: it is not there, or deleted.
    pub entry: Option<Box<Entry>>,
}

/// What is known of one transaction beyond its row; nothing where there is none.
///
/// # Errors
/// When the store cannot be read.
pub async fn transaction_detail(
    tx: &mut Tx,
    id: TransactionId,
) -> store::Result<TransactionDetail> {
    let Some(row) = tx.transaction(id).await? else { return Ok(TransactionDetail::default()) };
    let row = row.transaction;
    let mut files = tx.batch_files().await?;
    files.retain(|file| row.batch.is_some_and(|batch| file.batch == batch.0));
    let mut legs = match &row.link {
        Some(link) => tx.transactions_linked(link.as_str()).await?,
        None => Vec::new(),
    };
    legs.retain(|leg| leg.transaction.id != id && !leg.transaction.deleted);
    let names = Names::read(tx).await?;
    let mention = |id| {
        let currency = Some(names.currency(id)?);
        Some(Mention { currency, isin: None, ..names.mention(id) })
    };
    let note = row.facts.note.clone();
    let account = names.account(row.account);
    let entry = (!row.deleted).then(|| Box::new(Entry::of_row(row, account, mention)));
    Ok(TransactionDetail {
        entry,
        note,
        files: files.iter().map(|file| name_of(&file.path)).collect(),
        legs: legs.into_iter().map(|leg| as_row(&names, leg, &BTreeMap::new())).collect(),
    })
}

/// The name of a file without its folders.
fn name_of(path: &str) -> SafeText {
    let name = Path::new(path).file_name();
    SafeText::from_bytes(name.map_or(path.as_bytes(), OsStr::as_encoded_bytes))
}

/// A page of transactions.
///
/// # Errors
/// When the place to begin is not one that was given before, or the store cannot be read.
pub async fn transactions(
    tx: &mut Tx,
    query: &TransactionsQuery,
) -> Result<TransactionsReport, Error> {
    let names = Names::read(tx).await?;
    let filter = TransactionFilter {
        account: query.account,
        currency: query.currency,
        from: query.from,
        to: query.to,
        subtypes: None,
    };
    let mut place = None;
    let mut after = None;
    if let Some(cursor) = &query.after {
        let id = cursor.parse::<TransactionId>().map_err(|_| Error::Cursor)?;
        let row = tx.transaction(id).await?.ok_or(Error::Cursor)?;
        place = Some(place_of(&row));
        after = Some(OrderKey::of(&names.words(row)));
    }
    let limit = query.limit.unwrap_or(usize::MAX);
    let mut page: Vec<StoredTransaction> = Vec::new();
    let mut parts = Parts::of(filter, place, limit.saturating_add(1).min(PART));
    while page.len() <= limit
        && let Some(rows) = parts.next(tx).await?
    {
        page.extend(rows_after(&names, rows, after.take().as_ref(), place));
    }
    let more = page.len() > limit;
    page.truncate(limit);
    let next = more.then(|| page.last().map(|row| row.transaction.id.to_string())).flatten();
    let linked = linked(tx, &page).await?;
    let rows = page.into_iter().map(|row| as_row(&names, row, &linked)).collect();
    Ok(TransactionsReport { rows, next })
}

/// Rows in their full order, without those of the first place that an earlier page showed.
fn rows_after(
    names: &Names,
    rows: Vec<StoredTransaction>,
    after: Option<&OrderKey>,
    place: Option<Place>,
) -> Vec<StoredTransaction> {
    let mut keyed: Vec<(OrderKey, StoredTransaction)> =
        rows.into_iter().map(|row| (OrderKey::of(&names.words(row.clone())), row)).collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.transaction.id.cmp(&b.1.transaction.id)));
    let shown = after.map_or(0, |after| {
        keyed.iter().take_while(|(key, row)| Some(place_of(row)) == place && key <= after).count()
    });
    keyed.into_iter().skip(shown).map(|(_, row)| row).collect()
}

/// The rows of the events that these rows are parts of.
pub(super) async fn linked(
    tx: &mut Tx,
    page: &[StoredTransaction],
) -> store::Result<BTreeMap<SafeText, Vec<TransactionId>>> {
    let mut events = BTreeMap::new();
    for link in page.iter().filter_map(|row| row.transaction.link.as_ref()) {
        if !events.contains_key(link) {
            let rows = tx.transactions_linked(link.as_str()).await?;
            let live = rows.iter().filter(|row| !row.transaction.deleted);
            events.insert(link.clone(), live.map(|row| row.transaction.id).collect());
        }
    }
    Ok(events)
}

/// A row in words.
pub(super) fn as_row(
    names: &Names,
    row: StoredTransaction,
    events: &BTreeMap<SafeText, Vec<TransactionId>>,
) -> TransactionRow {
    let transaction = row.transaction;
    let facts = transaction.facts;
    let signed = facts.subtype.quantity_is_signed();
    let source = match (transaction.origin, transaction.batch) {
        (Origin::File, Some(batch)) => format!("import:{batch}"),
        (Origin::File, None) => "import".to_owned(),
        (origin, _) => origin.to_string(),
    };
    let quoted = transaction.security.and_then(|id| names.currency(id));
    let by_day_rate = is_by_day_rate(&facts, quoted);
    let linked = transaction.link.as_ref().and_then(|link| events.get(link));
    let linked = linked.into_iter().flatten().copied().filter(|id| *id != transaction.id);
    TransactionRow {
        id: transaction.id,
        account: names.account(transaction.account),
        date: facts.date,
        settlement: facts.settlement,
        kind: facts.subtype.kind(),
        subtype: facts.subtype,
        status: facts.status,
        symbol: transaction.security.map(|id| names.symbol(id)),
        quantity: facts.quantity.map(|quantity| if signed { quantity } else { quantity.abs() }),
        price: facts.price,
        fee: facts.fee,
        tax: facts.tax,
        currency: facts.currency,
        amount: facts.amount,
        description: facts.description,
        category: facts.category,
        source,
        linked: linked.collect(),
        by_day_rate,
    }
}

/// Whether money of a row is in another currency than its security is quoted in, and the row does
/// not say at which rate.
fn is_by_day_rate(facts: &Facts, quoted: Option<Currency>) -> bool {
    let given = facts.fx_rate.is_some_and(Dec::is_positive);
    let money = [Some(facts.amount), facts.price, facts.fee, facts.tax];
    let has_money = money.into_iter().flatten().any(|money| !money.is_zero());
    quoted.is_some_and(|quoted| quoted != facts.currency) && !given && has_money
}
