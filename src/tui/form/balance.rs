//! What an account was worth on a day: of a house, a pension, a mortgage.

use super::field::{Field, Sort};
use super::{Around, Fault, Fields, Sheet};
use crate::model::{AccountId, Change, SafeText};

/// The balance of a day.
#[derive(Debug)]
pub struct NewBalance {
    account: AccountId,
    name: SafeText,
}

impl NewBalance {
    /// Of this account.
    pub const fn new(account: AccountId, name: SafeText) -> Self {
        Self { account, name }
    }
}

impl Sheet for NewBalance {
    fn title(&self) -> String {
        format!("Balance of {}", self.name)
    }

    fn begin(&mut self, around: &Around<'_>) -> Option<Fields> {
        Some(Fields::of(vec![
            Field::new("balance", Sort::Amount),
            Field::new("date", Sort::Day).with(around.today.to_string()),
        ]))
    }

    fn note(&self, _: &Fields) -> Option<String> {
        Some(
            "What is owed is below zero. Each day has one; another one takes its place.".to_owned(),
        )
    }

    fn read(&self, fields: &Fields) -> Result<Vec<Change>, Fault> {
        let amount = Fields::needed("balance", fields.dec("balance"))?;
        let date = Fields::needed("date", fields.day("date"))?;
        Ok(vec![Change::SetBalance(self.account, date, amount)])
    }

    fn done(&self) -> &'static str {
        "set the balance"
    }
}
