//! Accounts of connections whose opening is not made, or not for good.

use std::collections::BTreeMap;

use super::cell::Cell;
use super::record::Record;
use super::row::word;
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::{AccountId, Unopened};

struct UnopenedRecord {
    account: AccountId,
    what: Unopened,
}

impl Record for UnopenedRecord {
    const TABLE: &'static str = "unopened";
    const COLUMNS: &'static [&'static str] = &["account_id", "what"];

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([Cell::Int(Some(self.account.0)), Cell::Text(Some(self.what.as_str()))]);
    }
}

impl Tx {
    /// The accounts whose opening is not made, or not for good.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn unopened(&mut self) -> Result<BTreeMap<AccountId, Unopened>> {
        const SQL: &str = "select account_id, what from unopened order by account_id";
        let rows: Vec<(i64, String)> =
            on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?);
        let read = |(id, what): (i64, String)| Ok((AccountId(id), word(&what, "what")?));
        rows.into_iter().map(read).collect()
    }
}

impl WriteTx {
    /// Keeps what is still to be opened of an account; none: nothing any more.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_unopened(&mut self, account: AccountId, what: Option<Unopened>) -> Result<()> {
        // Which word it is does not matter to what is taken away.
        self.remove(&UnopenedRecord { account, what: Unopened::All }).await?;
        match what {
            Some(what) => self.insert(&[UnopenedRecord { account, what }]).await,
            None => Ok(()),
        }
    }
}
