//! A window into the transactions as a screen shows them: the newest first, at any place at once,
//! however many rows there are.

mod balance;
mod pages;
mod ruler;
mod sieve;
mod view;
mod walk;

use std::collections::BTreeMap;

use chrono::NaiveDate;

pub use pages::Pages;
pub use ruler::{Ruler, ruler};
use sieve::Sieve;
use view::{FirstRow, Looker, View};
use walk::{Placed, Walker};

use super::transactions::{TransactionRow, as_row, linked};
use super::{Find, Result};
use crate::figures::Names;
use crate::model::{AccountId, Dec, SafeText, SecurityId, TransactionId};
use crate::store::{Fits, StoredTransaction, Tx};

/// Where a window is, in the order of the screen: the newest row first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum At {
    /// It begins with the newest row.
    #[default]
    Newest,
    /// It ends with the oldest row.
    Oldest,
    /// It ends with the row before this one.
    Before(TransactionId),
    /// It begins with the row after this one.
    After(TransactionId),
    /// It has this row in its middle.
    Around(TransactionId),
    /// It begins with the row of this number, counted from 1; it ends with the oldest row where
    /// there are fewer.
    Row(u64),
}

/// Which transactions, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowQuery {
    /// What somebody looks for.
    pub find: Find,
    /// Of this account.
    pub account: Option<AccountId>,
    /// On or before.
    pub to: Option<NaiveDate>,
    /// Where.
    pub at: At,
    /// At most so many.
    pub rows: usize,
}

/// A window into the transactions.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// The newest first.
    pub rows: Vec<WindowRow>,
    /// Nothing comes before. With something to find, false where nobody looked.
    pub first_is_newest: bool,
    /// Nothing comes after. With something to find, false where nobody looked.
    pub last_is_oldest: bool,
    /// The number of the first row, where it is known without counting.
    pub first_row: Option<u64>,
    /// How many rows there are at all, where it is known without counting.
    pub total: Option<u64>,
}

/// Where a search came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NextRow {
    /// The row; none: nothing fits.
    pub id: Option<TransactionId>,
    /// It was found from the other end on.
    pub around: bool,
}

/// A row of a window.
#[derive(Clone, Debug)]
pub struct WindowRow {
    /// The row.
    pub row: TransactionRow,
    /// Whose.
    pub account_id: AccountId,
    /// Of what.
    pub security_id: Option<SecurityId>,
    /// The cash of its account and currency after it; none where it does not count, or where the
    /// account's balances are told.
    pub balance: Option<Dec>,
}

/// The window; none where `go_on` said stop, which is asked many times a second.
///
/// A row that is gone leads to the newest. Numbers of rows need a ruler of the same account and
/// revision; where it is missing, one is made for the occasion.
///
/// # Errors
/// When the store cannot be read.
pub async fn window(
    tx: &mut Tx,
    query: &WindowQuery,
    ruler: Option<&Ruler>,
    go_on: impl Fn() -> bool,
) -> Result<Option<Window>> {
    let names = Names::read(tx).await?;
    let sieve = sieve(tx, query, &names).await?;
    let walker = Walker::new(tx, &names, &sieve, query, go_on);
    let everything = walker.everything;
    let ruler = ruler.filter(|ruler| ruler.account() == query.account);
    let mut looker = Looker { walker, query, ruler };
    let Some(view) = looker.look().await? else { return Ok(None) };
    let total = if everything { total(tx, query, ruler).await? } else { None };
    finish(tx, &names, view, total).await.map(Some)
}

/// The next row that fits behind the place of a query (the one before, where that is
/// [`At::Before`]); none where `go_on` said stop.
///
/// # Errors
/// When the store cannot be read.
pub async fn next_row(
    tx: &mut Tx,
    query: &WindowQuery,
    go_on: impl Fn() -> bool,
) -> Result<Option<NextRow>> {
    let names = Names::read(tx).await?;
    let sieve = sieve(tx, query, &names).await?;
    let walker = Walker::new(tx, &names, &sieve, query, go_on);
    Looker { walker, query, ruler: None }.next().await
}

/// These rows as a window shows them, the newest first; one that is gone is left out.
///
/// # Errors
/// When the store cannot be read.
pub async fn rows(tx: &mut Tx, ids: &[TransactionId]) -> Result<Vec<WindowRow>> {
    let names = Names::read(tx).await?;
    let rows = tx.transactions_by_id(ids).await?;
    let live = rows.into_iter().filter(|row| !row.transaction.deleted);
    let mut rows: Vec<_> = live.map(|row| Placed::new(&names, row)).collect();
    rows.sort_by(|a, b| b.key.cmp(&a.key));
    let view = View { rows, ..View::default() };
    Ok(finish(tx, &names, view, None).await?.rows)
}

/// The rows that fit a query from one row to another, both of them too, whichever is newer. Empty
/// where there are more than the query allows; none where `go_on` said stop.
///
/// # Errors
/// When the store cannot be read.
pub async fn between(
    tx: &mut Tx,
    query: &WindowQuery,
    (one, other): (TransactionId, TransactionId),
    go_on: impl Fn() -> bool,
) -> Result<Option<Vec<TransactionId>>> {
    let names = Names::read(tx).await?;
    let sieve = sieve(tx, query, &names).await?;
    for (first, last) in [(one, other), (other, one)] {
        let query = WindowQuery { at: At::After(first), ..query.clone() };
        let walker = Walker::new(tx, &names, &sieve, &query, &go_on);
        let view = Looker { walker, query: &query, ruler: None }.look().await?;
        let Some(view) = view else { return Ok(None) };
        let ids = view.rows.iter().map(|placed| placed.row.transaction.id);
        let mut ids: Vec<_> = [first].into_iter().chain(ids).collect();
        if let Some(at) = ids.iter().position(|id| *id == last) {
            ids.truncate(at + 1);
            return Ok(Some(ids));
        }
    }
    Ok(Some(Vec::new()))
}

/// What fits a query.
async fn sieve(tx: &mut Tx, query: &WindowQuery, names: &Names) -> Result<Sieve> {
    let categories = tx.categories().await?;
    let mut sieve = Sieve::new(&query.find, names, &categories);
    sieve.narrow_to(query.to);
    if let Some(account) = query.account {
        sieve.fits.insert(0, Fits::Account(vec![account]));
    }
    Ok(sieve)
}

/// How many rows there are at all, where that costs little.
async fn total(tx: &mut Tx, query: &WindowQuery, ruler: Option<&Ruler>) -> Result<Option<u64>> {
    match (ruler, query.to) {
        (Some(ruler), to) => Ok(Some(ruler.total(to))),
        (None, None) => Ok(u64::try_from(tx.count_rows(query.account).await?).ok()),
        (None, Some(_)) => Ok(None),
    }
}

/// Adds to the rows what is shown beside them.
async fn finish(tx: &mut Tx, names: &Names, view: View, total: Option<u64>) -> Result<Window> {
    let mut balances = balance::balances(tx, names, &view.rows).await?;
    let rows: Vec<_> = view.rows.into_iter().map(|placed| placed.row).collect();
    let linked = linked(tx, &rows).await?;
    let first_row = match view.first_row {
        FirstRow::Number(number) => Some(number),
        FirstRow::FromTheEnd => total.and_then(|total| (total + 1).checked_sub(rows.len() as u64)),
        FirstRow::Unknown => None,
    };
    let rows = rows.into_iter().map(|row| as_shown(names, row, &mut balances, &linked));
    Ok(Window {
        rows: rows.collect(),
        first_is_newest: view.first_is_newest,
        last_is_oldest: view.last_is_oldest,
        first_row,
        total,
    })
}

/// A row with what is shown beside it.
fn as_shown(
    names: &Names,
    row: StoredTransaction,
    balances: &mut BTreeMap<TransactionId, Dec>,
    linked: &BTreeMap<SafeText, Vec<TransactionId>>,
) -> WindowRow {
    WindowRow {
        account_id: row.transaction.account,
        security_id: row.transaction.security,
        balance: balances.remove(&row.transaction.id),
        row: as_row(names, row, linked),
    }
}
