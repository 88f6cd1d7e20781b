//! What a form is asked for, in a few words.

use chrono::NaiveDate;

use super::Sheet;
use super::account::{NewOne, OldOne};
use super::alert::{NewAlert, OldAlert};
use super::balance::NewBalance;
use super::called::Called;
use super::category::Categorise;
use super::price::NewPrice;
use super::row::{Beginning, NewRow, OldRow};
use super::sale::Sale;
use super::security::OldSecurity;
use super::setting::OneSetting;
use super::setup::{Proposal, Setup};
use super::target::Wanted;
use super::watch::Watching;
use crate::model::{
    AccountId, AlertId, Dec, Dimension, LotMethod, SafeText, SecurityId, Setting, TransactionId,
};

/// What a form is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A new transaction: its type, account and security where they are known.
    NewRow(Option<&'static str>, Option<SafeText>, Option<SecurityId>),
    /// A new transaction with all that is known of it.
    Mending(Beginning),
    /// A transaction that is there.
    OldRow(TransactionId),
    /// A sale out of a position, whose account follows a method.
    Sale((AccountId, SafeText), (SecurityId, SafeText), LotMethod),
    /// A new account.
    NewAccount,
    /// An account that is there.
    OldAccount(AccountId),
    /// The balance of an account on a day.
    Balance(AccountId, SafeText),
    /// The same, as somebody outside says it.
    BalanceAs(AccountId, SafeText, Dec, NaiveDate),
    /// A price or a rate.
    Price(Option<SecurityId>),
    /// A security that is there.
    Security(SecurityId, SafeText),
    /// What a source calls a security.
    Called(SecurityId, SafeText),
    /// What a slice should be.
    Target(Dimension, Option<SafeText>),
    /// A security that is watched, or is to be.
    Watch(Option<SecurityId>),
    /// A new alert.
    NewAlert(Option<SecurityId>),
    /// An alert that is there.
    OldAlert(AlertId),
    /// The category of rows.
    Category(Vec<TransactionId>),
    /// The value of a setting.
    Setting(Setting),
    /// What is asked once.
    Setup(Proposal),
}

impl Subject {
    /// The sheet for it.
    pub fn sheet(self) -> Box<dyn Sheet> {
        match self {
            Self::NewRow(what, account, security) => {
                Box::new(NewRow(Beginning { what, account, security, ..Beginning::default() }))
            }
            Self::Mending(beginning) => Box::new(NewRow(beginning)),
            Self::OldRow(id) => Box::new(OldRow::new(id)),
            Self::Sale(account, security, method) => Box::new(Sale::new(account, security, method)),
            Self::NewAccount => Box::new(NewOne),
            Self::OldAccount(id) => Box::new(OldOne::new(id)),
            Self::Balance(id, name) => Box::new(NewBalance::new(id, name, None)),
            Self::BalanceAs(id, name, amount, date) => {
                Box::new(NewBalance::new(id, name, Some((amount, date))))
            }
            Self::Price(security) => Box::new(NewPrice(security)),
            Self::Security(id, symbol) => Box::new(OldSecurity::new(id, symbol)),
            Self::Called(id, symbol) => Box::new(Called::new(id, symbol)),
            Self::Target(by, key) => Box::new(Wanted::new(by, key)),
            Self::Watch(security) => Box::new(Watching::new(security)),
            Self::NewAlert(security) => Box::new(NewAlert(security)),
            Self::OldAlert(id) => Box::new(OldAlert(id)),
            Self::Category(ids) => Box::new(Categorise(ids)),
            Self::Setting(setting) => Box::new(OneSetting(setting)),
            Self::Setup(proposal) => Box::new(Setup(proposal)),
        }
    }
}
