//! What an account was worth on a day: of a house, a pension, a mortgage.

use chrono::NaiveDate;

use super::field::{Field, Sort};
use super::{Around, Fault, Fields, Sheet};
use crate::model::{AccountId, Change, Dec, SafeText};

/// The balance of a day.
#[derive(Debug)]
pub struct NewBalance {
    account: AccountId,
    name: SafeText,
    /// What is proposed.
    proposed: Option<(Dec, NaiveDate)>,
}

impl NewBalance {
    /// Of this account; with what is proposed, if anything is.
    pub const fn new(
        account: AccountId,
        name: SafeText,
        proposed: Option<(Dec, NaiveDate)>,
    ) -> Self {
        Self { account, name, proposed }
    }
}

impl Sheet for NewBalance {
    fn title(&self) -> String {
        format!("Balance of {}", self.name)
    }

    fn begin(&mut self, around: &Around<'_>) -> Option<Fields> {
        let (amount, date) = self.proposed.unzip();
        let amount = amount.map(|amount| amount.to_string()).unwrap_or_default();
        let date = date.unwrap_or(around.today).to_string();
        Some(Fields::of(vec![
            Field::new("balance", Sort::Amount).with(amount),
            Field::new("date", Sort::Day).with(date),
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
