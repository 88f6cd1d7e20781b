//! What is still needed: accounts and securities that some row refers to.

use std::collections::BTreeSet;

use super::{Result, Tx, on_tx};
use crate::model::{AccountId, SecurityId};

impl Tx {
    /// The accounts that have a transaction (deleted and moved ones too) or a balance.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn used_accounts(&mut self) -> Result<BTreeSet<AccountId>> {
        const SQL: &str = "select account_id from transactions union select account_id from balances \
             union select account_id from moved_rows";
        let ids: Vec<i64> =
            on_tx!(self, conn => sqlx::query_scalar(SQL).fetch_all(&mut **conn).await?);
        Ok(ids.into_iter().map(AccountId).collect())
    }

    /// The same of one account.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn is_account_used(&mut self, account: AccountId) -> Result<bool> {
        const SQL: &str = "select exists (select 1 from transactions where account_id = $1) \
             or exists (select 1 from balances where account_id = $1) \
             or exists (select 1 from moved_rows where account_id = $1)";
        Ok(on_tx!(self, conn => {
            sqlx::query_scalar(SQL).bind(account.0).fetch_one(&mut **conn).await?
        }))
    }

    /// Whether an account has any row, deleted ones too.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn has_rows(&mut self, account: AccountId) -> Result<bool> {
        const SQL: &str = "select 1 from transactions where account_id = $1 limit 1";
        let found: Option<i32> = on_tx!(self, conn => {
            sqlx::query_scalar(SQL).bind(account.0).fetch_optional(&mut **conn).await?
        });
        Ok(found.is_some())
    }

    /// The securities that a transaction (deleted ones too), a price, the watchlist or an alert
    /// refers to.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn used_securities(&mut self) -> Result<BTreeSet<SecurityId>> {
        const SQL: &str = "select security_id from transactions where security_id is not null \
             union select to_security_id from transactions where to_security_id is not null \
             union select security_id from prices union select security_id from watchlist \
             union select security_id from alerts";
        let ids: Vec<i64> =
            on_tx!(self, conn => sqlx::query_scalar(SQL).fetch_all(&mut **conn).await?);
        Ok(ids.into_iter().map(SecurityId).collect())
    }

    /// The same of one security.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn is_security_used(&mut self, security: SecurityId) -> Result<bool> {
        const SQL: &str = "select exists (select 1 from transactions where security_id = $1) \
             or exists (select 1 from transactions where to_security_id = $1) \
             or exists (select 1 from prices where security_id = $1) \
             or exists (select 1 from watchlist where security_id = $1) \
             or exists (select 1 from alerts where security_id = $1)";
        Ok(on_tx!(self, conn => {
            sqlx::query_scalar(SQL).bind(security.0).fetch_one(&mut **conn).await?
        }))
    }
}
