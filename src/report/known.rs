//! What can be named where something is typed: accounts, securities, categories.

use super::Result;
use crate::model::{Account, SafeText, Security};
use crate::store::Tx;

/// What can be named.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// By name.
    pub accounts: Vec<Account>,
    /// By symbol.
    pub securities: Vec<Security>,
    /// By name.
    pub categories: Vec<SafeText>,
}

/// Everything that can be named.
///
/// # Errors
/// When the store cannot be read.
pub async fn known(tx: &mut Tx) -> Result<Known> {
    let accounts = tx.accounts().await?.into_iter().map(|row| row.account);
    let mut accounts: Vec<_> = accounts.collect();
    accounts.sort_by(|a, b| a.name.cmp(&b.name));
    let securities = tx.securities().await?.into_iter().map(|row| row.security);
    let mut securities: Vec<_> = securities.collect();
    securities.sort_by(|a, b| (&a.symbol, a.id).cmp(&(&b.symbol, b.id)));
    let categories = tx.categories().await?.into_iter().map(|row| row.name);
    let mut categories: Vec<_> = categories.collect();
    categories.sort();
    Ok(Known { accounts, securities, categories })
}
