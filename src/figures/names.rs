//! How accounts and securities are called, where a reader has only ids.

use std::collections::{BTreeMap, HashMap};

use crate::model::{
    AccountId, Currency, Draft, Mention, SafeText, SecurityId, Transaction, TransactionWords,
};
use crate::store::{Result, StoredTransaction, Tx};

/// The names of everything, of one moment.
#[derive(Clone, Debug, Default)]
pub struct Names {
    accounts: BTreeMap<AccountId, SafeText>,
    securities: BTreeMap<SecurityId, Mention>,
    currencies: BTreeMap<SecurityId, Currency>,
}

impl Names {
    /// Reads all names.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn read(tx: &mut Tx) -> Result<Self> {
        let accounts = tx.accounts().await?.into_iter();
        let accounts = accounts.map(|row| (row.account.id, row.account.name)).collect();
        let rows = tx.securities().await?;
        let currencies = rows.iter().map(|row| (row.security.id, row.security.currency)).collect();
        let mut twins: HashMap<SafeText, u32> = HashMap::new();
        for row in &rows {
            *twins.entry(row.security.symbol.clone()).or_default() += 1;
        }
        let mention = |row: crate::store::SecurityRecord| {
            let security = row.security;
            let alone = twins.get(&security.symbol).is_none_or(|count| *count < 2);
            let mention = Mention {
                // A currency that does not follow from rows must be said.
                currency: (!alone || !security.derived).then_some(security.currency),
                symbol: security.symbol,
                venue: security.venue,
                isin: security.isin,
            };
            (security.id, mention)
        };
        let securities = rows.into_iter().map(mention).collect();
        Ok(Self { accounts, securities, currencies })
    }

    /// Whether an account is there, or none is meant.
    #[must_use]
    pub fn knows(&self, account: Option<AccountId>) -> bool {
        account.is_none_or(|id| self.accounts.contains_key(&id))
    }

    /// The name of an account.
    #[must_use]
    pub fn account(&self, id: AccountId) -> SafeText {
        self.accounts.get(&id).cloned().unwrap_or_else(|| SafeText::new(&format!("#{id}")))
    }

    /// How a security is named so that it is this one and no other.
    #[must_use]
    pub fn mention(&self, id: SecurityId) -> Mention {
        self.securities.get(&id).cloned().unwrap_or_else(|| Mention {
            symbol: SafeText::new(&format!("#{id}")),
            currency: None,
            venue: None,
            isin: None,
        })
    }

    /// The symbol of a security, as people say it.
    #[must_use]
    pub fn symbol(&self, id: SecurityId) -> SafeText {
        self.mention(id).symbol
    }

    /// The currency that a security is quoted in.
    #[must_use]
    pub fn currency(&self, id: SecurityId) -> Option<Currency> {
        self.currencies.get(&id).copied()
    }

    /// Every account with its name.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, &SafeText)> {
        self.accounts.iter().map(|(id, name)| (*id, name))
    }

    /// Every security with its symbol.
    pub fn symbols(&self) -> impl Iterator<Item = (SecurityId, &SafeText)> {
        self.securities.iter().map(|(id, mention)| (*id, &mention.symbol))
    }

    /// Whether all that a row refers to is there.
    #[must_use]
    pub fn know_all_of(&self, row: &Transaction) -> bool {
        let mut securities = row.security.iter().chain(&row.to_security);
        self.accounts.contains_key(&row.account)
            && securities.all(|id| self.securities.contains_key(id))
    }

    /// A stored row in words.
    #[must_use]
    pub fn words(&self, row: StoredTransaction) -> TransactionWords {
        let transaction = row.transaction;
        let draft = Draft {
            account: self.account(transaction.account),
            security: transaction.security.map(|id| self.mention(id)),
            to_security: transaction.to_security.map(|id| self.mention(id)),
            link: transaction.link,
            source_id: transaction.source_id,
            facts: transaction.facts,
        };
        let by_content = draft.source_id.is_none();
        TransactionWords {
            deleted: transaction.deleted,
            nth: Some(row.identity.occurrence).filter(|nth| by_content && *nth > 0),
            ..TransactionWords::new(draft, transaction.seq, transaction.origin)
        }
    }
}
